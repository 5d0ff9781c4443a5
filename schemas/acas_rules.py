"""What do filings and statuses of air cargo have in common: waybills, flights, and the order of their instants?"""

import polars as pl

from pipeline.core.identifiers import air_waybill
from pipeline.core.schema import Rule, at_most, matches, one_of

LAW = "19 CFR 122.48b(d)"
ENHANCED = "90 FR 52796"
PLACI = "ONE Record, PLACI"

AIR_WAYBILL = air_waybill()
CARRIER = matches("[A-Z0-9]{2}|[A-Z]{3}", name="carrier", meaning="an IATA or ICAO designator")
FLIGHT = matches("[0-9]{1,4}[A-Z]?", name="flight-number", meaning="1 to 4 digits and perhaps a letter")
YES_NO = one_of(("Y", "N"), name="yes-or-no", meaning="Y or N")
WAYBILL_KIND = one_of(("SIMPLE", "HOUSE"), name="waybill-kind", meaning="SIMPLE, or HOUSE below a master")
ONE_LINE = Rule("one-line", lambda cell: ~cell.str.contains("\n", literal=True), "no line end inside the cell")


def line(characters: int) -> tuple[Rule, Rule]:
    """The rules of a text on one line."""
    return at_most(characters), ONE_LINE


def minute() -> Rule:
    """The cell is an existing minute of UTC written YYYY-MM-DDTHH:MMZ, so that the order of texts is that of time."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z\z")
        return shaped & cell.str.to_datetime("%Y-%m-%dT%H:%MZ", strict=False).is_not_null()

    return Rule("minute", fine, "a minute of UTC as YYYY-MM-DDTHH:MMZ")


def told(name: str) -> pl.Expr:
    return pl.col(name).is_not_null()


def together(*names: str) -> pl.Expr:
    """All of these columns are filled, or none of them."""
    filled = [told(name) for name in names]
    return pl.all_horizontal(filled) | ~pl.any_horizontal(filled)


def after(later: str, earlier: str) -> pl.Expr:
    """The later instant is absent, or both are there and it is no earlier."""
    return ~told(later) | (pl.col(later) >= pl.col(earlier)).fill_null(value=False)


def numbered() -> pl.Expr:
    """A simple waybill is an airline's number; a house waybill is its forwarder's, without a check digit."""
    house = pl.col("waybill").str.contains(r"\A[A-Z0-9]{1,12}\z")
    return pl.when(pl.col("waybill_kind") == "HOUSE").then(house).otherwise(AIR_WAYBILL.fine(pl.col("waybill")))


def below_a_master() -> pl.Expr:
    """A house waybill names its master; a simple one has none."""
    return (pl.col("waybill_kind") == "HOUSE") == told("master_waybill")

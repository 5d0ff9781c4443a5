"""What several maritime schemas ask of a cell: places, positions, instants, ships' names and numbers."""

import polars as pl

from pipeline.core.schema import Rule, at_most, each_line_matches, listed, matches
from schemas.code_lists import ALPHA_2, places

NOA = "33 CFR 160.206"
NIEM = "NIEM 6 m:"
ONE_LINE = Rule("one-line", lambda cell: ~cell.str.contains("\n", literal=True), "no line end inside the cell")
FLAG = listed(ALPHA_2, name="flag", meaning="an ISO 3166-1 alpha-2 code")
CALL_SIGN = matches(
    "[A-PR-Z][A-Z0-9]{2,6}|[2-9][A-Z][A-Z0-9]{1,5}",
    name="call-sign",
    meaning="3 to 7 signs that begin with a letter but Q, or a digit from 2 and a letter (ITU RR 19)",
)
PORTS = places(name="ports")
DAYS = each_line_matches(
    "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", name="days", meaning="days, one a line"
)
INSTANTS = each_line_matches(
    "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]Z",
    name="instants",
    meaning="minutes in UTC as YYYY-MM-DDTHH:MMZ, one a line",
)


def words(characters: int) -> tuple[Rule, Rule]:
    """At most so many characters, on one line."""
    return at_most(characters), ONE_LINE


def number(name: str, least: float, most: float, meaning: str) -> Rule:
    """The cell is a decimal number from `least` to `most`."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(r"\A-?[0-9]{1,9}(?:\.[0-9]{1,6})?\z")
        return shaped & cell.cast(pl.Float64, strict=False).is_between(least, most)

    return Rule(name, fine, meaning)


LATITUDE = number("latitude", -90, 90, "decimal degrees from -90 to 90")
LONGITUDE = number("longitude", -180, 180, "decimal degrees from -180 to 180")
COURSE = number("course", 0, 359.9, "degrees from 0 to 359.9")
SPEED = number("speed", 0, 102.2, "knots from 0 to 102.2")


def instant() -> Rule:
    """The cell is an existing second or minute in UTC, `2026-11-21T10:30Z`."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(
            r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-5][0-9](?:\.[0-9]{1,3})?)?Z\z"
        )
        return shaped & cell.str.head(16).str.to_datetime("%Y-%m-%dT%H:%M", strict=False).is_not_null()

    return Rule("instant", fine, "an instant in UTC as YYYY-MM-DDTHH:MMZ")


def lines(name: str) -> pl.Expr:
    """How many lines the column's cell has; none where it is absent."""
    return pl.col(name).str.count_matches("\n", literal=True).fill_null(-1) + 1


def in_order(name: str) -> pl.Expr:
    """The lines of the cell, which ISO 8601 puts in the order of time, each follow the one before; or it is absent."""
    cell = pl.col(name)
    parts = cell.str.split("\n")
    return cell.is_null() | ((parts.list.sort().list.join("\n") == cell) & (parts.list.n_unique() == parts.list.len()))

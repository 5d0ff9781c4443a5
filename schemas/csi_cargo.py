"""What do a manifest, an importer's filing, a referral and an examination have in common, and when is goods' description vague?"""

from datetime import timedelta

import polars as pl

from pipeline.core.identifiers import iso_6346, scac, un_locode
from pipeline.core.schema import Listed, Rule, at_most, each_line_matches, matches
from schemas.code_lists import ALPHA_2

ONE_LINE = Rule("one-line", lambda cell: ~cell.str.contains("\n", literal=True), "no line end inside the cell")
CONTAINER = iso_6346()
CARRIER = scac()
UNITED_STATES = ("US", "PR", "VI", "GU", "AS", "MP")
FOREIGN_PORT = Listed(
    "foreign-port",
    (ALPHA_2,),
    lambda cell, countries: un_locode(sorted({*countries} - {*UNITED_STATES})).fine(cell),
    "a UN/LOCODE such as NLRTM",
)
UNITED_STATES_PORT = un_locode(UNITED_STATES, name="us-port")
BILL = matches("[A-Z]{2,4}[A-Z0-9]{1,12}", name="bill-of-lading", meaning="a SCAC and up to 12 capitals or digits")
PARTY_ID = matches(
    "[A-Z]{2}[A-Za-z0-9]{1,15}", name="party-id", meaning="a country code and up to 15 letters or digits"
)
VOYAGE = matches("[A-Z0-9]{1,10}", name="voyage", meaning="up to 10 capitals or digits")
SIZE_TYPE = matches(
    "[1-4A-P][0-9C-FL-P][A-Z][0-9A-Z]", name="size-type", meaning="an ISO 6346 size and type such as 22G1"
)
SEALS = each_line_matches("[A-Z0-9][A-Z0-9-]{0,14}", name="seals", meaning="seal numbers, one a line")

_VAGUE = "FAK|FREIGHT (?:OF )?ALL KINDS|GENERAL (?:CARGO|MERCHANDISE)|SAID TO CONTAIN|STC"
_ALONE = "CARGO|GOODS|MERCHANDISE|FREIGHT|EQUIPMENT|MACHINERY|PARTS|SAMPLES|HOUSEHOLD|CONSOLIDATED(?: CARGO)?|VARIOUS|MISC(?:ELLANEOUS)?"
PRECISE = Rule(
    "precise-description",
    lambda cell: (
        cell.str.contains(r"(?i)[a-z]{3}")
        & ~cell.str.contains(rf"(?i)(?:^|[^a-z])(?:{_VAGUE})(?:[^a-z]|$)")
        & ~cell.str.contains(rf"(?i)^[^a-z]*(?:{_ALONE})[^a-z]*$")
    ),
    "says which goods: no FAK, general cargo or said to contain (19 CFR 4.7a(c)(4)) [memory]",
)
NAME = (at_most(70), ONE_LINE)
ADDRESS = (at_most(140), ONE_LINE)
DAY_BEFORE = timedelta(hours=24)


def utc_time(*, name: str = "utc-time") -> Rule:
    """The cell is an existing time in UTC, written 2026-11-21T09:30Z, or with seconds."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?Z\z")
        return shaped & _instant(cell).is_not_null()

    return Rule(name, fine, "a time in UTC as YYYY-MM-DDTHH:MMZ, with or without seconds")


def instant(column: str) -> pl.Expr:
    """The time that the column says; null where it says none."""
    return _instant(pl.col(column))


def _instant(cell: pl.Expr) -> pl.Expr:
    return pl.coalesce(
        cell.str.to_datetime(shape, strict=False, time_unit="us") for shape in ("%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ")
    )

"""What do the exchanges against serious crime have in common?

No cell of a query or a reply is free text: each has a shape in which no name, address or number of a document fits.
"""

import polars as pl

from pipeline.core.schema import Rule, at_most, matches, one_of

DE = "US-Germany agreement, signed 2008-10-01"
NIST = "ANSI/NIST-ITL 1-2011"

TRANSACTION = matches(
    "[A-Z]{3}-[0-9]{8}-[0-9]{6}", name="transaction-number", meaning="country, day and number: DEU-20261121-000001"
)
CASE = matches("[A-Z]{2,4}-[0-9]{4}-[0-9]{1,8}", name="case-number", meaning="register, year and number: KR-2026-1234")
YES_NO = one_of(("Y", "N"), name="yes-or-no", meaning="Y or N")
ONE_LINE = Rule("one-line", lambda cell: ~cell.str.contains("\n", literal=True), "no line end inside the cell")


def line(characters: int) -> tuple[Rule, Rule]:
    """The rules of a text on one line."""
    return at_most(characters), ONE_LINE


def minute(*, name: str = "minute") -> Rule:
    """The cell is an existing minute of UTC written YYYY-MM-DDTHH:MMZ (ISO 8601)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z\z")
        return shaped & cell.str.to_datetime("%Y-%m-%dT%H:%MZ", strict=False).is_not_null()

    return Rule(name, fine, "a minute of UTC as YYYY-MM-DDTHH:MMZ")


def second(*, name: str = "second") -> Rule:
    """The cell is an existing second of UTC written YYYY-MM-DDTHH:MM:SSZ (ISO 8601)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z\z")
        return shaped & cell.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False).is_not_null()

    return Rule(name, fine, "a second of UTC as YYYY-MM-DDTHH:MM:SSZ")


def prints(*, name: str = "prints") -> Rule:
    """The cell is a record of prints of ANSI/NIST-ITL in base64: one that begins with 9.001, 14.001, or a length (type 4)."""
    return _base64(name, "OS4wMDE6|MTQuMDAxO|AA[A-Za-z0-9+/]{6}", "records of type 4, 9 or 14 in base64")


def minutiae(*, name: str = "minutiae") -> Rule:
    """The cell is a finger minutiae record (ISO/IEC 19794-2:2005) in base64: it begins with FMR, 0, 20, 0."""
    return _base64(name, "Rk1SACAyMA", "an ISO/IEC 19794-2 record in base64")


def _base64(name: str, begins: str, what: str) -> Rule:
    def fine(cell: pl.Expr) -> pl.Expr:
        base64 = cell.str.contains(rf"\A(?:{begins})[A-Za-z0-9+/]+={{0,2}}\z")
        return base64 & (cell.str.len_bytes() % 4 == 0) & (cell.str.len_bytes() <= MOST_TEMPLATE_CHARACTERS)

    return Rule(name, fine, f"{what}, up to {MOST_TEMPLATE_CHARACTERS} characters")


MOST_TEMPLATE_CHARACTERS = 16_384


def same_day(transaction: str, told_at: str) -> pl.Expr:
    """The number of the transaction bears the day on which it was made."""
    return pl.col(transaction).str.slice(4, 8) == pl.col(told_at).str.slice(0, 10).str.replace_all("-", "")


def numbered_by(transaction: str, country: str) -> pl.Expr:
    """The number of the transaction begins with the country that made it."""
    return pl.col(transaction).str.head(3) == pl.col(country)

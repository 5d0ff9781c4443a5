"""How an inspection before departure ended: a row FLIGHT counts one flight; a row REFUSAL is one person whom the host's police
asked about, under the reference of its case. A person nobody asked about has no row."""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, calendar_date, column, feed_schema, matches, one_of, row_rule
from schemas.code_lists import ISSUING_STATE
from schemas.preclear_rules import CARRIER, COUNT, DESIGN, FLIGHT, LOCATION, ONE_LINE

COUNTS = (
    "processed", "admitted", "refused", "withdrawn", "secondary", "agriculture_seizures", "currency_seizures",
)  # fmt: skip
PERSON = ("case_ref", "surname", "given_names", "birth_date", "nationality", "document_number", "ground")
GROUNDS = ("DOCUMENTS", "ADMISSIBILITY", "CUSTOMS", "OTHER")
_IDENTIFIER, _QUASI, _PLAIN = Category.DIRECT_IDENTIFIER, Category.QUASI_IDENTIFIER, Category.PLAIN


def _filled(names: tuple[str, ...]) -> list[pl.Expr]:
    return [pl.col(name).is_not_null() for name in names]


def _flight() -> pl.Expr:
    return pl.col("record") == "FLIGHT"


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64, strict=False)


SCHEMA = feed_schema(
    "preclear-outcome",
    "1",
    {
        "record": column(
            _PLAIN, DESIGN, one_of(("FLIGHT", "REFUSAL"), name="record", meaning="FLIGHT or REFUSAL"), required=True
        ),
        "location": column(_PLAIN, DESIGN, LOCATION, required=True, title="Where"),
        "flight_carrier": column(_PLAIN, DESIGN, CARRIER, required=True, title="Carrier"),
        "flight_number": column(_PLAIN, DESIGN, FLIGHT, required=True, title="Flight number"),
        "flight_date": column(_PLAIN, DESIGN, calendar_date(), required=True, title="Day"),
        **{name: column(_PLAIN, DESIGN, COUNT, title=name.replace("_", " ").capitalize()) for name in COUNTS},
        "case_ref": column(
            _PLAIN,
            f"{DESIGN}: on request",
            matches("[A-Z0-9]{2,8}(?:[-/][A-Z0-9]{1,12}){1,3}", name="case", meaning="a reference such as RC-2026-114"),
            title="Case of the host's police",
        ),
        "surname": column(_IDENTIFIER, DESIGN, at_most(70), ONE_LINE, title="Surname"),
        "given_names": column(_IDENTIFIER, DESIGN, at_most(140), ONE_LINE, title="Given names"),
        "birth_date": column(_QUASI, DESIGN, calendar_date(), title="Date of birth"),
        "nationality": column(_QUASI, DESIGN, ISSUING_STATE, title="Citizenship"),
        "document_number": column(
            _IDENTIFIER,
            DESIGN,
            matches("[A-Z0-9]{3,20}", name="document-number", meaning="3 to 20 capital letters and digits"),
            title="Document number",
        ),
        "ground": column(
            Category.SENSITIVE, DESIGN, one_of(GROUNDS, name="ground", meaning="one of four"), title="Why refused"
        ),
        "officer": column(_IDENTIFIER, "inspection's own", at_most(70), ONE_LINE, title="Who decided"),
    },
    unique=("record", "location", "flight_carrier", "flight_number", "flight_date", "case_ref", "document_number"),
    row_rules=(
        row_rule(
            "a-flight-is-counted",
            ~_flight() | (pl.all_horizontal(_filled(COUNTS)) & ~pl.any_horizontal(_filled((*PERSON, "officer")))),
            "a row FLIGHT has all of the counts and nothing of a person",
        ),
        row_rule(
            "a-refusal-is-a-person-of-a-case",
            _flight()
            | (
                pl.all_horizontal(_filled(("case_ref", "surname", "birth_date", "nationality", "document_number")))
                & ~pl.any_horizontal(_filled(COUNTS))
            ),
            "a row REFUSAL has a case and a person, and no counts",
        ),
        row_rule(
            "everybody-is-accounted-for",
            ~_flight()
            | (_number("processed") == _number("admitted") + _number("refused") + _number("withdrawn")),
            "processed is admitted, refused and withdrawn together",
        ),
        row_rule(
            "secondary-among-the-processed",
            ~_flight() | (_number("secondary") <= _number("processed")),
            "no more are looked at again than are processed",
        ),
    ),
)  # fmt: skip

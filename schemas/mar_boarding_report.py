"""Boarding reports: one row is one boarding, and what came of it.

All persons on board are in the `crew` columns; those who were detained are once more in the `detained` columns, one a
line, so that an agreement can speak of them alone.
"""

import polars as pl

from pipeline.core.identifiers import imo_digits, odd_imo_number
from pipeline.core.language.category import Category
from pipeline.core.schema import (
    at_most,
    column,
    each_line_listed,
    each_line_matches,
    feed_schema,
    matches,
    one_of,
    row_rule,
)
from schemas.code_lists import ALPHA_2
from schemas.mar_flag_query import QUERY_NO, SUSPICIONS
from schemas.mar_flag_reply import BOARDING_NO
from schemas.mar_rules import DAYS, FLAG, LATITUDE, LONGITUDE, instant, lines, words

OUTCOMES = ("NOTHING_FOUND", "EVIDENCE_FOUND", "DETAINED", "RELEASED_TO_FLAG", "REFUSED")
FINDINGS = (*SUSPICIONS, "NONE")

_REPORT = "boarding report; domain model of bilateral agreements [memory]"
_OWN = "boarding side's own record"
_PERSONS = ("names", "births", "nationalities", "documents")
_NATIONALITIES = each_line_listed(ALPHA_2, name="nationalities", meaning="ISO 3166-1 alpha-2 codes, one a line")
_DOCUMENTS = each_line_matches("[A-Z0-9]{5,20}", name="documents", meaning="5 to 20 capitals and digits, one a line")

COLUMNS = {
    "boarding_no": column(Category.PLAIN, _REPORT, BOARDING_NO, required=True, title="The boarding"),
    "query_no": column(Category.PLAIN, _REPORT, QUERY_NO, required=True, title="The query that it rests on"),
    "vessel_name": column(Category.PLAIN, _REPORT, *words(70), required=True, title="Vessel"),
    "imo": column(Category.PLAIN, _REPORT, imo_digits(), title="IMO number", odd=(odd_imo_number(),)),
    "flag": column(Category.PLAIN, _REPORT, FLAG, required=True, title="Flag"),
    "boarded_at": column(Category.PLAIN, _REPORT, instant(), required=True, title="When it began"),
    "ended_at": column(Category.PLAIN, _REPORT, instant(), required=True, title="When it ended"),
    "outcome": column(Category.SENSITIVE, _REPORT, one_of(OUTCOMES, name="outcome", meaning="what came of it"), required=True),
    "found": column(Category.SENSITIVE, _REPORT, one_of(FINDINGS, name="found", meaning="what was found"), required=True),
    "found_kg": column(
        Category.PLAIN, _REPORT, matches("[0-9]{1,7}(?:[.][0-9]{1,3})?", name="kilograms", meaning="kilograms"), title="How much, kg"
    ),
    "persons_on_board": column(
        Category.PLAIN, _REPORT, matches("[0-9]{1,4}", name="count", meaning="0 to 9999"), required=True, title="On board"
    ),
    "crew_names": column(Category.DIRECT_IDENTIFIER, f"{_REPORT}: crew", at_most(10_000), title="Everybody on board"),
    "crew_documents": column(Category.DIRECT_IDENTIFIER, f"{_REPORT}: crew", _DOCUMENTS, title="Their documents"),
    "detained_names": column(Category.DIRECT_IDENTIFIER, f"{_REPORT}: crew, on detention", at_most(10_000), title="Detained"),
    "detained_births": column(Category.QUASI_IDENTIFIER, f"{_REPORT}: crew, on detention", DAYS, title="Their births"),
    "detained_nationalities": column(
        Category.QUASI_IDENTIFIER, f"{_REPORT}: crew, on detention", _NATIONALITIES, title="Their nationalities"
    ),
    "detained_documents": column(Category.DIRECT_IDENTIFIER, f"{_REPORT}: crew, on detention", _DOCUMENTS, title="Their documents"),
    "narrative": column(Category.FREE_TEXT, _OWN, at_most(4000), title="What happened, in words"),
    "asset_name": column(Category.SENSITIVE, _OWN, *words(70), required=True, title="Own unit"),
    "asset_latitude": column(Category.SENSITIVE, _OWN, LATITUDE, required=True, title="Own unit's latitude"),
    "asset_longitude": column(Category.SENSITIVE, _OWN, LONGITUDE, required=True, title="Own unit's longitude"),
}  # fmt: skip

_DETAINED = pl.col("outcome") == "DETAINED"
ROW_RULES = (
    row_rule("ended-after-boarded", pl.col("ended_at").str.head(16) >= pl.col("boarded_at").str.head(16),
             "no boarding ends before it began"),
    row_rule("detained-are-named", pl.col("detained_names").is_not_null() == _DETAINED,
             "detained persons are named, and where nobody was detained nobody is"),
    row_rule("detained-are-whole",
             pl.all_horizontal(lines(f"detained_{name}") == lines("detained_names") for name in _PERSONS[1:]),
             "each detained person has birth, nationality and document"),
    row_rule("amount-of-something", pl.col("found_kg").is_null() | (pl.col("found") != "NONE"),
             "no amount of nothing"),
)  # fmt: skip

SCHEMA = feed_schema("mar-boarding-report", "1", COLUMNS, unique=["boarding_no"], row_rules=ROW_RULES)

"""The register: one row is one instrument, with one version of an agreement that rests on it where one does.

Columns and order are those of `pipeline.core.register.COLUMNS`, which `safeconduct register --csv` writes. Titles, citations,
parties, commitments and where we have it from are words that somebody wrote: free text, which no rule can see through.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.language.clause import Confidence
from pipeline.core.language.instrument import InstrumentStatus, Kind
from pipeline.core.register import Standing
from pipeline.core.schema import Rule, at_most, calendar_date, column, feed_schema, matches, one_of, row_rule

OF_TEXT = "catalogue/instruments; 6 USC 211(i)(3)(C)"
OF_AGREEMENT = "catalogue/agreements; 6 USC 211(i)(3)(C)"
_FREE, _PLAIN = Category.FREE_TEXT, Category.PLAIN
_WORDS = at_most(2000)
_MANY_WORDS = at_most(16_000)
_INSTANT = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


def _id(name: str) -> Rule:
    return matches("[a-z0-9]+(?:-[a-z0-9]+)*", name=name, meaning="lower-case letters, digits and single hyphens")


def _instant() -> Rule:
    """The cell is an existing second in UTC (ISO 8601)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(rf"\A{_INSTANT}\z")
        return shaped & cell.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False).is_not_null()

    return Rule("instant", fine, "a second as YYYY-MM-DDTHH:MM:SSZ")


COLUMNS = {
    "registration": column(
        _PLAIN,
        OF_TEXT,
        matches(
            "[a-z0-9-]+(?:/[a-z0-9-]+/[0-9]+)?",
            name="registration",
            meaning="INSTRUMENT or INSTRUMENT/AGREEMENT/VERSION",
        ),
        required=True,
        title="The row's name",
    ),
    "instrument": column(_PLAIN, OF_TEXT, _id("id"), required=True, title="Id of the instrument"),
    "title": column(_FREE, OF_TEXT, _WORDS, required=True, title="Title"),
    "kind": column(
        _PLAIN, OF_TEXT, one_of([one.value for one in Kind], name="kind", meaning="a kind of text"), required=True
    ),
    "citation": column(_FREE, OF_TEXT, _WORDS, required=True, title="How a lawyer finds it"),
    "programme": column(_FREE, OF_TEXT, _WORDS, required=True, title="Programme that it belongs to"),
    "parties": column(_FREE, OF_TEXT, _MANY_WORDS, required=True, title="Parties, one a line"),
    "confidence": column(
        _PLAIN,
        OF_TEXT,
        one_of([one.value for one in Confidence], name="confidence", meaning="how sure we are"),
        required=True,
    ),
    "source": column(_FREE, OF_TEXT, _WORDS, required=True, title="Where we have it from"),
    "reach": column(_FREE, OF_TEXT, _WORDS, title="How far it goes"),
    "status": column(
        _PLAIN,
        OF_TEXT,
        one_of([one.value for one in InstrumentStatus], name="status", meaning="a status of a text"),
        required=True,
    ),
    "dated": column(_PLAIN, OF_TEXT, calendar_date(), title="Day that it bears"),
    "since": column(_PLAIN, OF_TEXT, calendar_date(), title="In force from"),
    "until": column(_PLAIN, OF_TEXT, calendar_date(), title="In force up to, excluded"),
    "review": column(_PLAIN, OF_TEXT, calendar_date(), title="To be held against its source again"),
    "exchanges_records": column(_PLAIN, OF_TEXT, one_of(("Y", "N"), name="yes-or-no", meaning="Y or N"), required=True),
    "commitments": column(_FREE, OF_TEXT, _MANY_WORDS, title="What its parties will do, one a line"),
    "agreement": column(_PLAIN, OF_AGREEMENT, _id("id"), title="Id of the agreement that rests on it"),
    "version": column(
        _PLAIN, OF_AGREEMENT, matches("[1-9][0-9]{0,3}", name="version", meaning="a number from 1"), title="Its version"
    ),
    "agreement_title": column(_FREE, OF_AGREEMENT, _WORDS, title="Title of the agreement"),
    "provider": column(_PLAIN, OF_AGREEMENT, _id("id"), title="Who gives"),
    "recipient": column(_PLAIN, OF_AGREEMENT, _id("id"), title="Who gets"),
    "feed": column(_PLAIN, OF_AGREEMENT, _id("id"), title="Whose rows are released"),
    "agreement_status": column(
        _PLAIN,
        OF_AGREEMENT,
        one_of([one.value for one in Standing], name="standing", meaning="how an agreement stands"),
        title="How the version stood when the register was written",
    ),
    "agreement_since": column(_PLAIN, OF_AGREEMENT, _instant(), title="The version is in force from"),
    "agreement_until": column(_PLAIN, OF_AGREEMENT, _instant(), title="The version is in force up to, excluded"),
    "agreement_review": column(_PLAIN, OF_AGREEMENT, calendar_date(), title="To be looked at again"),
}

_OF_A_VERSION = (
    "version",
    "agreement_title",
    "provider",
    "recipient",
    "feed",
    "agreement_status",
    "agreement_since",
    "agreement_until",
)
_there = pl.col("agreement").is_not_null()
_named = pl.when(_there).then(pl.concat_str("instrument", "agreement", "version", separator="/"))
ROW_RULES = (
    row_rule(
        "named-by-its-parts",
        pl.col("registration") == _named.otherwise(pl.col("instrument")),
        "a row is named by its instrument, agreement and version",
    ),
    row_rule(
        "a-version-is-whole",
        pl.all_horizontal(pl.col(name).is_not_null() == _there for name in _OF_A_VERSION),
        "an agreement has all of its cells, or none of them",
    ),
    row_rule(
        "commitments-or-records",
        (pl.col("exchanges_records") == "Y") | (pl.col("commitments").is_not_null() & ~_there),
        "an instrument without records has commitments, and no agreement rests on it",
    ),
    row_rule(
        "ends-after-it-begins",
        (pl.col("since") < pl.col("until")).fill_null(value=True)
        & (pl.col("agreement_since") < pl.col("agreement_until")).fill_null(value=True),
        "the end is after the beginning (days and instants as text, in order)",
    ),
)

SCHEMA = feed_schema("register", "1", COLUMNS, unique=["registration"], row_rules=ROW_RULES)

"""Replies to queries: one row is the reply to one query, and says hit or no hit in one shape.

A reference always stands: the candidate's where it is a hit, otherwise one drawn for this reply alone. So a row's
length does not tell the answer, and neither does its minute: replies are given at the quarters of an hour.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import Rule, column, feed_schema, matches, one_of, row_rule
from schemas.code_lists import COUNTRY_ALPHA_3
from schemas.serious_crime import DE, NIST, TRANSACTION, YES_NO, minute, same_day

RESULTS = ("HIT", "NO_HIT", "ERROR")

_QUARTER = Rule(
    "quarter",
    lambda cell: cell.str.contains(r":(?:00|15|30|45)Z\z"),
    "a quarter of an hour: how long it took is not told",
)

SCHEMA = feed_schema(
    "pcsc-response",
    "1",
    {
        "tcn": column(Category.PLAIN, f"{NIST} 1.009", TRANSACTION, required=True, title="Number of the reply"),
        "tcr": column(
            Category.PLAIN, f"{NIST} 1.010: the query's 1.009", TRANSACTION, required=True, title="Number of the query"
        ),
        "asked_by": column(Category.PLAIN, f"{DE}, Art. 6", COUNTRY_ALPHA_3, required=True, title="Who asked"),
        "result": column(
            Category.SENSITIVE,
            f"{DE}, Art. 4: a clear match is a hit",
            one_of(RESULTS, name="result", meaning="HIT, NO_HIT or ERROR"),
            required=True,
            title="Hit or no hit",
        ),
        "candidate_ref": column(
            Category.DIRECT_IDENTIFIER,
            f"{DE}, Art. 3: reference data",
            matches("[0-9A-F]{32}", name="reference", meaning="32 hexadecimal digits"),
            required=True,
            title="Our number for the candidate; without a hit a number drawn for this reply",
        ),
        "untraceable": column(
            Category.PLAIN,
            f"{DE}, Art. 3: untraceables can be told as such",
            YES_NO,
            required=True,
            title="Whether the candidate is unknown to us by name",
        ),
        "match_score": column(
            Category.SENSITIVE,
            "our comparison's own record, not exchanged",
            matches("[0-9]{4}", name="score", meaning="four digits"),
            required=True,
            title="How like the prints are",
        ),
        "responded_at": column(
            Category.PLAIN, f"{NIST} 1.005", minute(), _QUARTER, required=True, title="When the reply is given"
        ),
    },
    unique=["tcr"],  # one reply to one query
    row_rules=[
        row_rule(
            "answers-the-asker", pl.col("tcr").str.head(3) == pl.col("asked_by"), "the query's number is of who asked"
        ),
        row_rule("numbered-on-the-day", same_day("tcn", "responded_at"), "the number bears the day of the reply"),
        row_rule("not-its-own-query", pl.col("tcn") != pl.col("tcr"), "a reply has a number of its own"),
        row_rule(
            "untraceable-by-a-hit-only",
            (pl.col("untraceable") == "N") | (pl.col("result") == "HIT"),
            "only a candidate can be unknown by name",
        ),
    ],
)

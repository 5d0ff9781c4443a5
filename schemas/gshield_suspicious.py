"""Suspicious consignments: one row is one report of something that does not look like trade.

Names of businesses and persons are in the report, for who made it; the group gets the number of persons and nothing else of them.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import (
    at_most,
    calendar_date,
    column,
    each_line_matches,
    feed_schema,
    matches,
    one_of,
    row_rule,
)
from schemas.code_lists import COUNTRY
from schemas.gshield_chemicals import CHEMICAL_RULES, chemical_columns
from schemas.gshield_pre_export import NOTICE, PATTERN

INDICATORS = ("UNKNOWN_END_USER", "CASH", "QUANTITY_ANOMALY", "MISLABELLED", "ROUTE_DEVIATION")
STATUSES = ("OPEN", "CONFIRMED", "CLEARED")
COUNT = matches("0|[1-9][0-9]{0,3}", name="count", meaning="a whole number up to 9999")

COLUMNS = {
    "report_no": column(
        Category.PLAIN,
        PATTERN,
        matches("[A-Z]{2}-SUS-[0-9]{4}-[0-9]{6}", name="report-no", meaning="such as US-SUS-2026-000123"),
        required=True,
        title="Number of the report",
    ),
    "reporting_customs": column(Category.PLAIN, PATTERN, COUNTRY, required=True, title="Who reports"),
    "reported_on": column(Category.PLAIN, PATTERN, calendar_date(), required=True, title="Day of the report"),
    "notification_no": column(Category.PLAIN, PATTERN, NOTICE, title="The notice of the consignment, if there is one"),
    **chemical_columns(quantity_required=False),
    "origin_country": column(Category.PLAIN, PATTERN, COUNTRY, title="Where it comes from"),
    "destination_country": column(Category.PLAIN, PATTERN, COUNTRY, title="Where it goes"),
    "indicators": column(
        Category.SENSITIVE,
        PATTERN,
        each_line_matches("|".join(INDICATORS), name="indicators", meaning="indicators, a code a line"),
        required=True,
        title="What is suspicious",
    ),
    "status": column(
        Category.SENSITIVE,
        PATTERN,
        one_of(STATUSES, name="status", meaning="open, confirmed or cleared"),
        required=True,
        title="What became of the suspicion",
    ),
    "businesses": column(Category.DIRECT_IDENTIFIER, PATTERN, at_most(512), title="Names of businesses, one a line"),
    "subjects": column(Category.DIRECT_IDENTIFIER, PATTERN, at_most(512), title="Names of persons, one a line"),
    "subject_count": column(Category.PLAIN, PATTERN, COUNT, required=True, title="How many persons"),
    "narrative": column(Category.FREE_TEXT, PATTERN, at_most(2000), title="What happened, in words"),
}


def lines(name: str) -> pl.Expr:
    """How many lines the cell has; none where it is absent."""
    return pl.when(pl.col(name).is_null()).then(0).otherwise(pl.col(name).str.count_matches("\n", literal=True) + 1)


ROW_RULES = (
    *CHEMICAL_RULES,
    row_rule(
        "report-of-the-reporter",
        pl.col("report_no").str.head(2) == pl.col("reporting_customs"),
        "who reports has given the number",
    ),
    row_rule(
        "subjects-are-counted",
        pl.col("subject_count").cast(pl.Int64, strict=False) >= lines("subjects"),
        "nobody is named who is not counted",
    ),
)

SCHEMA = feed_schema("gshield-suspicious", "1", COLUMNS, unique=["report_no"], row_rules=ROW_RULES)

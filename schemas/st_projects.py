"""Projects under science and technology agreements: one row is one project, as it stands today."""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, calendar_date, column, feed_schema, matches, row_rule
from schemas import st_controls
from schemas.st_controls import PARTY, PROJECT_NUMBER

_METADATA = "S&T agreement, project arrangement [memory]"
_PERCENT = matches("100|[1-9]?[0-9]", name="percent", meaning="a whole number from 0 to 100")

COLUMNS = {
    "project_no": column(
        Category.PLAIN,
        _METADATA,
        matches(PROJECT_NUMBER, name="project-number", meaning="as ST-DEU-2026-017"),
        required=True,
        title="Number of the project",
    ),
    "party": column(
        Category.PLAIN,
        "S&T agreement; ISO 3166-1, or EUE",
        PARTY,
        required=True,
        title="The other party of the agreement",
    ),
    "title": column(Category.PLAIN, _METADATA, at_most(200), required=True, title="Title, which is no secret"),
    "abstract": column(Category.FREE_TEXT, _METADATA, at_most(4000), title="What it is about"),
    "partner_org": column(
        Category.PLAIN, _METADATA, at_most(120), required=True, title="Who does it on the other side"
    ),
    "lead_name": column(
        Category.DIRECT_IDENTIFIER, "provider's own record", at_most(70), title="Who leads it, a person"
    ),
    "trl": column(
        Category.PLAIN,
        "Technology readiness level, 1 to 9",
        matches("[1-9]", name="trl", meaning="1 to 9"),
        required=True,
        title="Technology readiness level",
    ),
    "start_date": column(Category.PLAIN, _METADATA, calendar_date(), required=True, title="First day"),
    "end_date": column(Category.PLAIN, _METADATA, calendar_date(), title="Last day"),
    "funding_ours": column(
        Category.SENSITIVE,
        f"{_METADATA}; equitable contribution",
        _PERCENT,
        required=True,
        title="Our part of the cost, in percent",
    ),
    "funding_partner": column(
        Category.SENSITIVE,
        f"{_METADATA}; equitable contribution",
        _PERCENT,
        required=True,
        title="The partner's part of the cost, in percent",
    ),
    **st_controls.COLUMNS,
}

_ours, _theirs = (pl.col(f"funding_{side}").str.to_integer(strict=False) for side in ("ours", "partner"))
ROW_RULES = (
    *st_controls.ROW_RULES,
    row_rule("number-of-party", pl.col("project_no").str.slice(3, 3) == pl.col("party"), "the number names the party"),
    row_rule(
        "ends-after-start",
        pl.col("end_date").is_null() | (pl.col("end_date") >= pl.col("start_date")),
        "no project ends before it starts",
    ),
    row_rule(
        "both-contribute",
        (_ours + _theirs == 100) & (_ours > 0) & (_theirs > 0),
        "both sides pay, and all of it [memory]",
    ),
)

SCHEMA = feed_schema("st-projects", "1", COLUMNS, unique=["project_no"], row_rules=ROW_RULES)

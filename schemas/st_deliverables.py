"""What projects under science and technology agreements have brought: one row is one report, dataset, prototype or publication."""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, calendar_date, column, feed_schema, matches, one_of, row_rule
from schemas import st_controls
from schemas.st_controls import PROJECT_NUMBER

KINDS = ("REPORT", "DATASET", "SOFTWARE", "PROTOTYPE", "PUBLICATION", "STANDARD")
_METADATA = "S&T agreement, project arrangement [memory]"

COLUMNS = {
    "deliverable_id": column(
        Category.PLAIN,
        _METADATA,
        matches(f"{PROJECT_NUMBER}-D[0-9]{{2}}", name="deliverable-id", meaning="as ST-DEU-2026-017-D03"),
        required=True,
        title="Number of the project, and of the deliverable in it",
    ),
    "project_no": column(
        Category.PLAIN,
        _METADATA,
        matches(PROJECT_NUMBER, name="project-number", meaning="as ST-DEU-2026-017"),
        required=True,
        title="Number of the project",
    ),
    "kind": column(
        Category.PLAIN,
        _METADATA,
        one_of(KINDS, name="kind", meaning=f"one of {', '.join(KINDS)}"),
        required=True,
        title="What it is",
    ),
    "title": column(Category.PLAIN, _METADATA, at_most(200), required=True, title="Title, which is no secret"),
    "authors": column(
        Category.DIRECT_IDENTIFIER, "provider's own record", at_most(500), title="Who wrote it, one a line"
    ),
    "sha256": column(
        Category.PLAIN,
        "FIPS 180-4",
        matches("[0-9a-f]{64}", name="sha256", meaning="64 hexadecimal digits, small letters"),
        required=True,
        title="SHA-256 of the deliverable's bytes",
    ),
    "delivered_on": column(Category.PLAIN, _METADATA, calendar_date(), required=True, title="Day of delivery"),
    **st_controls.COLUMNS,
}

ROW_RULES = (
    *st_controls.ROW_RULES,
    row_rule(
        "deliverable-of-project",
        pl.col("deliverable_id").str.head(15) == pl.col("project_no"),
        "a deliverable's number begins with its project's",
    ),
    row_rule(
        "reviewed-after-delivery",
        pl.col("publication_review_due").is_null() | (pl.col("publication_review_due") >= pl.col("delivered_on")),
        "no review is due before there is something to review",
    ),
)

SCHEMA = feed_schema("st-deliverables", "1", COLUMNS, unique=["deliverable_id"], row_rules=ROW_RULES)

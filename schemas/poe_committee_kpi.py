"""Figures of a port of entry committee: one row is one figure of one port in one month, from both sides."""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import column, feed_schema, matches, one_of, row_rule

KPIS = ("AVERAGE_WAIT", "P95_WAIT", "NEXUS_SHARE", "LANE_UTILISATION", "INCIDENTS")
UNITS = {"AVERAGE_WAIT": "minutes", "P95_WAIT": "minutes", "NEXUS_SHARE": "percent", "LANE_UTILISATION": "percent", "INCIDENTS": "count"}  # fmt: skip

_KPI = "committee's own agenda [design]"
_NUMBER = matches("[0-9]{1,7}(?:[.][0-9])?", name="number", meaning="a number with one decimal at most")
COLUMNS = {
    "port_code": column(
        Category.PLAIN, _KPI, matches("[0-9]{4}", name="port-code", meaning="four digits"), required=True, title="Port"
    ),
    "month": column(
        Category.PLAIN, _KPI, matches("20[0-9]{2}-(?:0[1-9]|1[0-2])", name="month", meaning="YYYY-MM"), required=True, title="Month"
    ),
    "kpi": column(Category.PLAIN, _KPI, one_of(KPIS, name="kpi", meaning="a figure of the agenda"), required=True, title="Figure"),
    "unit": column(
        Category.PLAIN, _KPI, one_of(("minutes", "percent", "count"), name="unit", meaning="minutes, percent or count"), required=True
    ),
    "target": column(Category.PLAIN, _KPI, _NUMBER, title="Target"),
    "own_value": column(Category.PLAIN, _KPI, _NUMBER, title="On our side"),
    "partner_value": column(Category.PLAIN, _KPI, _NUMBER, title="On theirs"),
}  # fmt: skip

ROW_RULES = (
    row_rule("unit-of-the-figure", pl.col("kpi").replace_strict(UNITS, default=None) == pl.col("unit"), "each figure has its unit"),
    row_rule(
        "somebody-tells",
        pl.col("own_value").is_not_null() | pl.col("partner_value").is_not_null(),
        "one side at least has a value",
    ),
    row_rule(
        "shares-to-100",
        (pl.col("unit") != "percent")
        | pl.all_horizontal(
            pl.col(name).cast(pl.Float64, strict=False).fill_null(0) <= 100 for name in ("target", "own_value", "partner_value")
        ),
        "no share is over 100 percent",
    ),
)  # fmt: skip
SCHEMA = feed_schema("poe-committee-kpi", "1", COLUMNS, unique=["port_code", "month", "kpi"], row_rules=ROW_RULES)

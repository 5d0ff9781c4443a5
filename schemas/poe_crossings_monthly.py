"""Crossings by month: one row counts one thing at one port in one month (as the Bureau of Transportation Statistics does)."""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, feed_schema, matches, one_of, row_rule

MEASURES = (
    "Trucks",
    "Truck Containers Loaded",
    "Truck Containers Empty",
    "Trains",
    "Rail Containers Loaded",
    "Rail Containers Empty",
    "Train Passengers",
    "Buses",
    "Bus Passengers",
    "Personal Vehicles",
    "Personal Vehicle Passengers",
    "Pedestrians",
)
CARGO = MEASURES[:6]
"""Measures of cargo, in which one firm can be most of a count."""
BORDERS = ("US-Canada Border", "US-Mexico Border")

_BTS = "BTS Border Crossing Entry Data"
COLUMNS = {
    "port_name": column(Category.PLAIN, _BTS, at_most(70), required=True, title="Port's name"),
    "state": column(Category.PLAIN, _BTS, at_most(35), required=True, title="State"),
    "port_code": column(
        Category.QUASI_IDENTIFIER, _BTS, matches("[0-9]{4}", name="port-code", meaning="four digits"), required=True, title="Port"
    ),
    "border": column(Category.PLAIN, _BTS, one_of(BORDERS, name="border", meaning="of Canada or of Mexico"), required=True),
    "month": column(
        Category.PLAIN, _BTS, matches("20[0-9]{2}-(?:0[1-9]|1[0-2])", name="month", meaning="YYYY-MM"), required=True, title="Month"
    ),
    "measure": column(
        Category.QUASI_IDENTIFIER, _BTS, one_of(MEASURES, name="measure", meaning="one of the twelve"), required=True, title="What is counted"
    ),
    "value": column(
        Category.SENSITIVE, _BTS, matches("[0-9]{1,9}", name="count", meaning="a count"), required=True, title="How many"
    ),
    "largest_share": column(
        Category.SENSITIVE, "provider's own: for the rule of dominance",
        matches("[0-9]{1,2}|100", name="percent", meaning="0 to 100"), title="Share of the largest contributor, percent",
    ),
}  # fmt: skip

ROW_RULES = (
    row_rule(
        "cargo-tells-its-largest-share",
        ~pl.col("measure").is_in(CARGO) | (pl.col("value") == "0") | pl.col("largest_share").is_not_null(),
        "a count of cargo says how much of it is one contributor's",
    ),
)
SCHEMA = feed_schema(
    "poe-crossings-monthly", "1", COLUMNS, unique=["port_code", "month", "measure"], row_rules=ROW_RULES
)

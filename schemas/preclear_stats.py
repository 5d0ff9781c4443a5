"""What monthly statistics are made of: one row is one inspection before departure, without a name, number or age.

Rows go to nobody: they are what the counts of a month are counted from.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import calendar_date, column, feed_schema, matches, one_of, row_rule
from schemas.preclear_rules import CARRIER, COUNT, DESIGN, FLIGHT, LOCATION

OUTCOMES = ("ADMITTED", "REFUSED", "WITHDRAWN")
SEIZURES = ("agriculture_seizures", "currency_seizures")
_PLAIN = Category.PLAIN

SCHEMA = feed_schema(
    "preclear-stats",
    "1",
    {
        "inspection": column(
            Category.QUASI_IDENTIFIER,
            DESIGN,
            matches("[A-Z]{3}-[0-9]{8}-[0-9]{5}", name="inspection", meaning="location, day and number"),
            required=True,
            title="Number of the inspection",
        ),
        "location": column(_PLAIN, DESIGN, LOCATION, required=True, title="Where"),
        "flight_carrier": column(Category.QUASI_IDENTIFIER, DESIGN, CARRIER, required=True, title="Carrier"),
        "flight_number": column(Category.QUASI_IDENTIFIER, DESIGN, FLIGHT, required=True, title="Flight number"),
        "flight_date": column(Category.QUASI_IDENTIFIER, DESIGN, calendar_date(), required=True, title="Day"),
        "outcome": column(
            Category.SENSITIVE, DESIGN, one_of(OUTCOMES, name="outcome", meaning="one of three"), required=True
        ),
        "secondary": column(
            Category.SENSITIVE, DESIGN, one_of(("Y", "N"), name="yes-or-no", meaning="Y or N"), required=True,
            title="Looked at again",
        ),
        "bags": column(_PLAIN, DESIGN, COUNT, required=True, title="Bags"),
        **{name: column(Category.SENSITIVE, DESIGN, COUNT, required=True) for name in SEIZURES},
    },
    unique=("inspection",),
    row_rules=(
        row_rule(
            "numbered-by-its-location-and-day",
            pl.col("inspection").str.slice(0, 12)
            == pl.concat_str("location", pl.lit("-"), pl.col("flight_date").str.replace_all("-", "", literal=True)),
            "the number begins with the location and the day",
        ),
        row_rule(
            "seized-in-secondary",
            (pl.col("secondary") == "Y") | pl.all_horizontal(pl.col(name) == "0" for name in SEIZURES),
            "nothing is seized at the first counter",
        ),
    ),
)  # fmt: skip

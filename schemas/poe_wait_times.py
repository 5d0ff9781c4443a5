"""Border wait times: one row is one crossing as CBP publishes it (JSON, every value a text, "" and N/A for none).

Each kind of lane has four columns: when it was last told, whether it is open, the delay in minutes, the lanes open.
Two columns at the end are no part of what is published: who stands in the lanes.
"""

import pandera.polars as pa
import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, feed_schema, matches, one_of, row_rule

LANES = (
    "commercial_standard",
    "commercial_fast",
    "passenger_standard",
    "passenger_nexus_sentri",
    "passenger_ready",
    "pedestrian_standard",
    "pedestrian_ready",
)
BORDERS = ("Canadian Border", "Mexican Border")
PORT_STATUS = ("Open", "Closed")
LANE_STATUS = ("no delay", "delay", "Lanes Closed", "Update Pending")

_BWT = "CBP border wait times, JSON"
_PLAIN = Category.PLAIN
_DATE = matches(
    "(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12][0-9]|3[01])/20[0-9]{2}", name="us-date", meaning="month/day/year, as published"
)
_TIME = matches("(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?", name="time", meaning="a time of the day")
_MINUTES = matches("[0-9]{1,3}", name="minutes", meaning="0 to 999")
_COUNT = matches("[0-9]{1,2}", name="lanes", meaning="0 to 99")


def _lane(lane: str) -> dict[str, pa.Column]:
    source = f"{_BWT}: {lane.replace('_', ' ')} lanes"
    return {
        f"{lane}_updated": column(_PLAIN, source, at_most(30), title="When it was told"),
        f"{lane}_status": column(_PLAIN, source, one_of(LANE_STATUS, name="lane-status", meaning="a status that CBP uses")),
        f"{lane}_delay": column(_PLAIN, source, _MINUTES, title="Delay, minutes"),
        f"{lane}_lanes_open": column(_PLAIN, source, _COUNT, title="Lanes open"),
    }  # fmt: skip


COLUMNS = {
    "port_number": column(
        _PLAIN, _BWT, matches("[0-9]{6}", name="port-number", meaning="six digits"), required=True, title="Port"
    ),
    "border": column(_PLAIN, _BWT, one_of(BORDERS, name="border", meaning="Canadian Border or Mexican Border"), required=True),
    "port_name": column(_PLAIN, _BWT, at_most(70), required=True, title="Port's name"),
    "crossing_name": column(_PLAIN, _BWT, at_most(70), title="Crossing"),
    "hours": column(_PLAIN, _BWT, at_most(70), title="Opening hours"),
    "date": column(_PLAIN, _BWT, _DATE, required=True, title="Day"),
    "time": column(_PLAIN, _BWT, _TIME, required=True, title="Time"),
    "port_status": column(_PLAIN, _BWT, one_of(PORT_STATUS, name="port-status", meaning="Open or Closed"), required=True),
    **{name: said for lane in LANES for name, said in _lane(lane).items()},
    "officers_on_duty": column(
        Category.SENSITIVE, "port's own record: staffing", matches("[0-9]{1,3}", name="officers", meaning="0 to 999")
    ),
    "lanes_by_officer": column(Category.SENSITIVE, "port's own record: staffing", at_most(2000), title="Who is in which lane"),
}  # fmt: skip

ROW_RULES = (
    row_rule(
        "no-delay-where-closed",
        (pl.col("port_status") != "Closed") | pl.all_horizontal(pl.col(f"{lane}_delay").is_null() for lane in LANES),
        "a closed port has no wait",
    ),
)
SCHEMA = feed_schema("poe-wait-times", "1", COLUMNS, unique=["port_number", "crossing_name"], row_rules=ROW_RULES)

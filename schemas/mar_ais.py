"""Positions at sea: one row is one message that a ship, or one of our own units, sent by AIS.

The columns are those of `pipeline.formats.ais` that a picture of the sea needs. Which stations are our own units is no
column: AIS does not say it. The catalogue lists their numbers.
"""

import polars as pl

from pipeline.core.identifiers import mmsi
from pipeline.core.language.category import Category
from pipeline.core.schema import column, feed_schema, matches, one_of, row_rule
from schemas.mar_rules import COURSE, LATITUDE, LONGITUDE, SPEED, instant, number, words

POSITIONS = ("1", "2", "3", "18", "19")
STATIC = ("5", "24")
BASE_STATION = "4"

_AIS = "ITU-R M.1371-5, annex 8"
_PLAIN = Category.PLAIN
COLUMNS = {
    "received_at": column(_PLAIN, "NMEA 0183 tag block, c:", instant(), required=True, title="When it was heard"),
    "message_type": column(
        _PLAIN, _AIS, one_of((*POSITIONS, BASE_STATION, *STATIC), name="message-type", meaning="1-5, 18, 19 or 24"), required=True
    ),
    "mmsi": column(_PLAIN, f"{_AIS}; ITU-R M.585", mmsi(), required=True, title="Station"),
    "imo": column(
        # Typed by hand on board, and often wrong: a bad check digit is no reason to lose sight of a ship.
        _PLAIN, f"{_AIS}: type 5", matches("[0-9]{7,10}", name="imo", meaning="7 to 10 digits, as sent"), title="IMO number, as sent"
    ),
    "call_sign": column(_PLAIN, f"{_AIS}: types 5, 24", *words(7), title="Call sign, as sent"),
    "ship_name": column(_PLAIN, f"{_AIS}: types 5, 19, 24", *words(20), title="Name, as sent"),
    "ship_type": column(_PLAIN, f"{_AIS}: types 5, 19, 24", number("ship-type", 0, 255, "0 to 255"), title="Type of ship"),
    "navigation_status": column(_PLAIN, f"{_AIS}: types 1-3", number("status", 0, 15, "0 to 15"), title="Status"),
    "latitude": column(_PLAIN, f"{_AIS}: positions", LATITUDE, title="Latitude"),
    "longitude": column(_PLAIN, f"{_AIS}: positions", LONGITUDE, title="Longitude"),
    "course_degrees": column(_PLAIN, f"{_AIS}: positions", COURSE, title="Course over ground"),
    "speed_knots": column(_PLAIN, f"{_AIS}: positions", SPEED, title="Speed over ground"),
    "heading_degrees": column(_PLAIN, f"{_AIS}: positions", number("heading", 0, 359, "0 to 359"), title="Heading"),
    "destination": column(_PLAIN, f"{_AIS}: type 5", *words(20), title="Destination, as sent"),
}  # fmt: skip

ROW_RULES = (
    row_rule("position-is-whole", pl.col("latitude").is_null() == pl.col("longitude").is_null(),
             "latitude and longitude, or neither"),
    row_rule("position-in-its-messages", ~pl.col("message_type").is_in(STATIC) | pl.col("latitude").is_null(),
             "a static report has no position"),
)  # fmt: skip

SCHEMA = feed_schema("mar-ais", "1", COLUMNS, row_rules=ROW_RULES)

"""Flag queries: one row asks one State about one vessel that says it flies its flag.

The last columns are the asking side's own: what it sailed there with, where that was, and how it came to suspect.
"""

import polars as pl

from pipeline.core.identifiers import imo_digits, mmsi, odd_imo_number
from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, feed_schema, matches, one_of, row_rule
from schemas.mar_rules import CALL_SIGN, COURSE, FLAG, LATITUDE, LONGITUDE, NIEM, SPEED, instant, words

SUSPICIONS = ("NARCOTICS", "MIGRANTS", "WMD", "IUU")
ACTIONS = ("VERIFY", "BOARD", "SEARCH", "DETAIN")
QUERY_NO = matches("FQ[0-9]{4}-[0-9]{5}", name="query-no", meaning="FQ, a year and five digits")

_QUERY = "flag query; domain model of bilateral agreements [memory]"
_OWN = "asking side's own record: none of the flag State's"
COLUMNS = {
    "query_no": column(Category.PLAIN, _QUERY, QUERY_NO, required=True, title="Number of the query"),
    "vessel_name": column(Category.PLAIN, f"{_QUERY}; {NIEM}VesselName", *words(70), required=True, title="Vessel"),
    "claimed_flag": column(Category.PLAIN, _QUERY, FLAG, required=True, title="Flag that it claims"),
    "registration_no": column(
        Category.PLAIN, _QUERY, matches("[A-Z0-9-]{3,20}", name="registration-no", meaning="3 to 20 capitals, digits, hyphens")
    ),
    "imo": column(Category.PLAIN, f"{_QUERY}; {NIEM}VesselIMONumberText", imo_digits(), title="IMO number", odd=(odd_imo_number(),)),
    "mmsi": column(Category.PLAIN, f"{_QUERY}; {NIEM}VesselMMSIText", mmsi(), title="Maritime mobile service identity"),
    "call_sign": column(Category.PLAIN, f"{_QUERY}; {NIEM}VesselCallSignText", CALL_SIGN, title="Call sign"),
    "latitude": column(Category.PLAIN, _QUERY, LATITUDE, required=True, title="Vessel's latitude"),
    "longitude": column(Category.PLAIN, _QUERY, LONGITUDE, required=True, title="Vessel's longitude"),
    "course": column(Category.PLAIN, _QUERY, COURSE, title="Course, degrees"),
    "speed": column(Category.PLAIN, _QUERY, SPEED, title="Speed, knots"),
    "observed_at": column(Category.PLAIN, _QUERY, instant(), required=True, title="When it was there"),
    "suspicion": column(
        Category.SENSITIVE, _QUERY, one_of(SUSPICIONS, name="suspicion", meaning="a class of suspicion"), required=True
    ),
    "requested_action": column(
        Category.PLAIN, _QUERY, one_of(ACTIONS, name="action", meaning="what is asked for"), required=True
    ),
    "asked_at": column(Category.PLAIN, _QUERY, instant(), required=True, title="When the State was asked"),
    "grounds": column(Category.FREE_TEXT, _OWN, at_most(2000), title="Why it is suspected, in words"),
    "asset_name": column(Category.SENSITIVE, _OWN, *words(70), title="Own unit on scene"),
    "asset_latitude": column(Category.SENSITIVE, _OWN, LATITUDE, title="Own unit's latitude"),
    "asset_longitude": column(Category.SENSITIVE, _OWN, LONGITUDE, title="Own unit's longitude"),
}  # fmt: skip

ROW_RULES = (
    row_rule(
        "numbered-vessel",
        pl.any_horizontal(pl.col(name).is_not_null() for name in ("registration_no", "imo", "mmsi", "call_sign")),
        "the vessel has one number or call sign at least: a name alone finds another one",
    ),
    row_rule("asked-after-observed", pl.col("asked_at").str.head(16) >= pl.col("observed_at").str.head(16),
             "nobody is asked before the vessel was seen"),
)  # fmt: skip

SCHEMA = feed_schema("mar-flag-query", "1", COLUMNS, unique=["query_no"], row_rules=ROW_RULES)

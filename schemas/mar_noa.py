"""Notices of arrival: one row is one vessel's notice, as it is now (33 CFR 160.206).

Lists hold one item a line: the last foreign ports, the ports of call in the United States, dangerous cargo, the crew and
others on board. The first line of a list belongs to the first line of its sisters.
"""

import polars as pl

from pipeline.core.identifiers import imo_digits, mmsi, odd_imo_number
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
from schemas.mar_rules import (
    CALL_SIGN,
    DAYS,
    FLAG,
    INSTANTS,
    LATITUDE,
    LONGITUDE,
    NIEM,
    NOA,
    PORTS,
    in_order,
    instant,
    lines,
    words,
)

VESSEL_TYPES = (
    "BULK",
    "CONTAINER",
    "FERRY",
    "FISHING",
    "GAS",
    "GENERAL",
    "PASSENGER",
    "RORO",
    "TANKER",
    "TUG",
    "YACHT",
)
LAST_PORTS = 5
"""33 CFR 160.206: the last five foreign ports."""

_IDENTIFIER, _QUASI, _PLAIN = Category.DIRECT_IDENTIFIER, Category.QUASI_IDENTIFIER, Category.PLAIN
_CREW = f"{NOA}: crew and others on board; {NIEM}CrewList"
_CERTIFICATE = matches("[A-Z0-9][A-Z0-9/-]{2,29}", name="certificate", meaning="3 to 30 capitals, digits, / or -")
_PERSONS = ("crew_names", "crew_births", "crew_nationalities", "crew_documents", "crew_duties", "crew_embarked")
_CALLS = ("us_ports", "us_arrivals", "us_departures")
_DANGEROUS = ("cdc_names", "cdc_un_numbers", "cdc_amounts")

COLUMNS = {
    "notice_no": column(
        _PLAIN, f"{NOA}; the sender's own number", matches("NOA[0-9]{6,10}", name="notice-no", meaning="NOA, 6 to 10 digits"),
        required=True, title="Number of the notice",
    ),
    "submitted_at": column(_PLAIN, "33 CFR 160.212", instant(), required=True, title="When the notice was given"),
    "vessel_name": column(_PLAIN, f"{NOA}: vessel; {NIEM}VesselName", *words(70), required=True, title="Vessel"),
    "imo": column(_PLAIN, f"{NOA}: vessel; {NIEM}VesselIMONumberText", imo_digits(), title="IMO number", odd=(odd_imo_number(),)),
    "official_no": column(
        _PLAIN, f"{NOA}: vessel, where it has no IMO number",
        matches("[A-Z0-9-]{3,20}", name="official-no", meaning="3 to 20 capitals, digits or hyphens"),
    ),
    "mmsi": column(_PLAIN, f"{NIEM}VesselMMSIText", mmsi(), title="Maritime mobile service identity"),
    "call_sign": column(_PLAIN, f"{NOA}: vessel; {NIEM}VesselCallSignText", CALL_SIGN, title="Call sign"),
    "flag": column(_PLAIN, f"{NOA}: country of registry", FLAG, required=True, title="Flag"),
    "registered_owner": column(_IDENTIFIER, f"{NOA}: vessel", *words(70), title="Registered owner"),
    "operator": column(_IDENTIFIER, f"{NOA}: vessel", *words(70), title="Operator"),
    "charterer": column(_IDENTIFIER, f"{NOA}: vessel", *words(70), title="Charterer"),
    "class_society": column(_PLAIN, f"{NOA}: vessel", *words(35), title="Classification society"),
    "vessel_type": column(
        _PLAIN, f"{NOA}: vessel", one_of(VESSEL_TYPES, name="vessel-type", meaning="a type of vessel"), required=True
    ),
    "last_ports": column(
        _PLAIN, f"{NOA}: last five foreign ports; {NIEM}LastPortOfCall", PORTS, required=True, title="Last foreign ports"
    ),
    "last_departures": column(_PLAIN, f"{NOA}: last five foreign ports", DAYS, required=True, title="When it left each"),
    "us_ports": column(_PLAIN, f"{NOA}: ports in the United States", PORTS, required=True, title="Ports of call"),
    "us_arrivals": column(_PLAIN, f"{NOA}: estimated arrival", INSTANTS, required=True, title="Estimated arrivals"),
    "us_departures": column(_PLAIN, f"{NOA}: estimated departure", INSTANTS, required=True, title="Estimated departures"),
    "latitude": column(_PLAIN, f"{NOA}: current position", LATITUDE, title="Latitude"),
    "longitude": column(_PLAIN, f"{NOA}: current position", LONGITUDE, title="Longitude"),
    "contact_24h": column(_IDENTIFIER, f"{NOA}: 24-hour contact", *words(140), required=True, title="24-hour contact"),
    "cargo": column(Category.FREE_TEXT, f"{NOA}: general description of cargo", at_most(500), title="Cargo in words"),
    "cdc_names": column(_PLAIN, f"{NOA}: certain dangerous cargo; {NIEM}CDCCargo", at_most(500), title="Dangerous cargo"),
    "cdc_un_numbers": column(
        _PLAIN, f"{NOA}: certain dangerous cargo; UN Model Regulations 3.2",
        each_line_matches("[0-3][0-9]{3}", name="un-numbers", meaning="UN numbers of four digits, one a line"),
    ),
    "cdc_amounts": column(
        _PLAIN, f"{NOA}: certain dangerous cargo",
        each_line_matches(r"[0-9]{1,9}(?:\.[0-9]{1,3})? (?:KG|T|M3)", name="amounts", meaning="a number and KG, T or M3"),
    ),
    "crew_count": column(
        _PLAIN, _CREW, matches("[1-9][0-9]{0,3}", name="count", meaning="1 to 9999"), required=True, title="On board"
    ),
    "crew_names": column(_IDENTIFIER, _CREW, required=True, title="Names"),
    "crew_births": column(_QUASI, _CREW, DAYS, required=True, title="Dates of birth"),
    "crew_nationalities": column(
        _QUASI, _CREW, each_line_matches("[A-Z]{2}", name="nationalities", meaning="ISO 3166-1 alpha-2 codes, one a line"),
        required=True, title="Nationalities",
    ),
    "crew_documents": column(
        _IDENTIFIER, f"{_CREW}; passport or mariner's document",
        each_line_matches("[A-Z0-9]{5,20}", name="documents", meaning="5 to 20 capitals and digits, one a line"),
        required=True, title="Documents",
    ),
    "crew_duties": column(_QUASI, _CREW, at_most(10_000), required=True, title="Duties on board"),
    "crew_embarked": column(_QUASI, _CREW, PORTS, required=True, title="Where embarked"),
    "equipment_sound": column(
        _PLAIN, f"{NOA}: operational condition of equipment", one_of(("Y", "N"), name="yes-or-no", meaning="Y or N")
    ),
    "ism_doc": column(_PLAIN, f"{NOA}: International Safety Management", _CERTIFICATE, title="Document of compliance"),
    "ism_smc": column(_PLAIN, f"{NOA}: International Safety Management", _CERTIFICATE, title="Safety certificate"),
    "issc": column(_PLAIN, f"{NOA}: ISPS; {NIEM}VesselISSC", _CERTIFICATE, title="Ship security certificate"),
    "issc_expires": column(_PLAIN, f"{NOA}: ISPS", calendar_date(), title="Its last day"),
}  # fmt: skip


def _as_many(*names: str) -> pl.Expr:
    return pl.all_horizontal(lines(name) == lines(names[0]) for name in names[1:])


def _first(name: str) -> pl.Expr:
    return pl.col(name).str.head(17)


ROW_RULES = (
    row_rule(
        "numbered-vessel",
        pl.col("imo").is_not_null() | pl.col("official_no").is_not_null(),
        "the vessel has an IMO number or an official number",
    ),
    row_rule("five-last-ports", (lines("last_ports") <= LAST_PORTS) & _as_many("last_ports", "last_departures"),
             "at most five last ports, each with its day"),
    row_rule("calls-are-whole", _as_many(*_CALLS), "each port of call has its arrival and its departure"),
    row_rule("arrivals-in-order", in_order("us_arrivals") & in_order("us_departures"), "no later port comes first"),
    row_rule("leaves-after-it-arrives", _first("us_departures") >= _first("us_arrivals"), "no departure before the arrival"),
    row_rule("position-is-whole", pl.col("latitude").is_null() == pl.col("longitude").is_null(),
             "latitude and longitude, or neither"),
    row_rule("dangerous-cargo-is-whole", _as_many(*_DANGEROUS), "each dangerous cargo has its number and its amount"),
    row_rule("persons-are-whole", _as_many(*_PERSONS), "each person on board has all six items"),
    row_rule("persons-are-counted", lines("crew_names").cast(pl.String) == pl.col("crew_count"),
             "as many persons as the notice counts"),
)  # fmt: skip

SCHEMA = feed_schema("mar-noa", "1", COLUMNS, unique=["notice_no"], row_rules=ROW_RULES)

"""Coverage by air marshals: one row is one flight. Sensitive Security Information (49 CFR 1520.5(b)(8)), each row so marked.

Nothing but counts by country and quarter ever leaves; see docs/programmes/air-marshals.md.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import calendar_date, column, feed_schema, matches, one_of, row_rule
from schemas.code_lists import AIRPORT, COUNTRY

ROLES = ("AVIATION_SECURITY", "AIRPORT_POLICE", "BORDER_POLICE")
_SSI = "49 CFR 1520.5(b)(8) [memory]"
_SENSITIVE = Category.SENSITIVE
_YES_OR_NO = one_of(("Y", "N"), name="yes-or-no", meaning="Y or N")

COLUMNS = {
    "marking": column(
        Category.PLAIN, "49 CFR 1520.13", matches(r"TLP:RED \| CUI//SP-SSI \| DESIGNATED BY .{3,100}", name="ssi", meaning="an SSI marking"),
        required=True, title="What the row is marked with",
    ),
    "coverage_no": column(
        _SENSITIVE, _SSI, matches("C[0-9]{8}", name="coverage-no", meaning="C and eight digits"), required=True, title="Number"
    ),
    "country": column(
        Category.QUASI_IDENTIFIER, "ISO 3166-1; the host",
        COUNTRY, required=True, title="Host country",
    ),
    "carrier": column(
        _SENSITIVE, _SSI, matches("[A-Z0-9]{2}|[A-Z]{3}", name="carrier", meaning="an IATA or ICAO designator"), required=True
    ),
    "flight_number": column(
        _SENSITIVE, _SSI, matches("[0-9]{1,4}[A-Z]?", name="flight-number", meaning="1 to 4 digits and perhaps a letter"), required=True
    ),
    "flight_date": column(_SENSITIVE, _SSI, calendar_date(), required=True, title="Day of the flight"),
    "departure_airport": column(_SENSITIVE, _SSI, AIRPORT, required=True, title="From"),
    "arrival_airport": column(_SENSITIVE, _SSI, AIRPORT, required=True, title="To"),
    "seats_coordinated": column(
        _SENSITIVE, _SSI, matches("[1-9][0-9]?", name="seats", meaning="1 to 99"), required=True, title="Seats"
    ),
    "host_contact_role": column(
        _SENSITIVE, _SSI, one_of(ROLES, name="role", meaning="a role of the host's contact"), required=True, title="Host's contact"
    ),
    "weapons_notice_ack": column(_SENSITIVE, _SSI, _YES_OR_NO, required=True, title="Notice of weapons acknowledged"),
}  # fmt: skip

ROW_RULES = (
    row_rule("goes-somewhere", pl.col("departure_airport") != pl.col("arrival_airport"), "no flight to where it began"),
)
SCHEMA = feed_schema("fams-coverage", "1", COLUMNS, unique=["coverage_no"], row_rules=ROW_RULES)

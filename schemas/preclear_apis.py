"""What a traveller's row of a carrier's PAXLST list (Advance Passenger Information) may hold.

The columns are those of `pipeline.formats.paxlst`; each names its PAXLST source and the element of 19 CFR 122.49a(b)(3)
and 49 USC 44909(c)(2) that it carries, or the WCO/IATA/ICAO API guidelines where only these name it. A flight close-out
(266) may name travellers by name alone; passenger lists (745) and crew lists (250) tell all of them.
"""

import polars as pl

from pipeline.core.identifiers import mrz_passport_line
from pipeline.core.language.category import Category
from pipeline.core.schema import (
    Rule,
    at_most,
    calendar_date,
    column,
    each_line_matches,
    feed_schema,
    matches,
    one_of,
    row_rule,
)
from schemas.code_lists import AIRPORT, STATE_AS_CARRIERS_WRITE_IT, STATES_AS_CARRIERS_WRITE_THEM

LIST_KINDS = ("745", "250", "266")
"""BGM 1001: passenger list, crew list, flight close-out."""
CLOSE_OUT = "266"
TRAVELLER_KINDS = ("FL", "FM", "DDU", "DDT")
"""NAD 3035: passenger, crew member, in-transit passenger, in-transit crew member."""
IN_TRANSIT = ("DDU", "DDT")

_IDENTIFIER, _QUASI, _PLAIN = Category.DIRECT_IDENTIFIER, Category.QUASI_IDENTIFIER, Category.PLAIN
_LAW, _GUIDE = "19 CFR 122.49a(b)(3)", "WCO/IATA/ICAO API guidelines"
_PORT = matches(
    "[A-Z]{3}|[A-Z]{2}[A-Z2-9]{3}", name="port", meaning="an IATA code of three letters, or a UN/LOCODE of five signs"
)
_NUMBER = matches("[A-Z0-9 -]{3,20}", name="document-number", meaning="3 to 20 capital letters and digits")
_MINUTE = "%Y-%m-%dT%H:%M"


def _moment() -> Rule:
    """The cell is an existing minute as YYYY-MM-DDTHH:MM."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}\z")
        return shaped & cell.str.to_datetime(_MINUTE, strict=False).is_not_null()

    return Rule("minute", fine, "a minute as YYYY-MM-DDTHH:MM")


def _day_of(name: str) -> pl.Expr:
    return pl.col(name).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def _close_out() -> pl.Expr:
    return pl.col("list_kind") == CLOSE_OUT


def _told(*names: str) -> pl.Expr:
    """Every one of these columns is filled, or the list is a close-out."""
    return _close_out() | pl.all_horizontal(pl.col(name).is_not_null() for name in names)


def _whole_passport() -> pl.Expr:
    passport = pl.col("document_type").str.starts_with("P").fill_null(value=False)
    return ~passport | _told("document_issuer", "document_expiry")


def _in_transit_goes_on() -> pl.Expr:
    return ~pl.col("traveller_kind").is_in(IN_TRANSIT) | pl.col("debarkation_port").is_not_null()


def _mrz_says(start: int, length: int, written: pl.Expr) -> pl.Expr:
    """The field of the machine-readable line is what the list says, where both say it; `<` is unknown there."""
    field = pl.col("mrz_line").str.slice(start, length).str.strip_chars_end("<")
    return ((field == written) | field.str.contains("<", literal=True) | (field == "")).fill_null(value=True)


def _short_day(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all("-", "", literal=True).str.slice(2)


def _paxlst(segments: str, element: str, *, source: str = _LAW) -> str:
    return f"PAXLST {segments}; {source}: {element}"


SCHEMA = feed_schema(
    "preclear-apis",
    "1",
    {
        "list_kind": column(
            _PLAIN,
            _paxlst("BGM C002", "kind of list", source=_GUIDE),
            one_of(LIST_KINDS, name="list-kind", meaning="745 passengers, 250 crew, 266 flight close-out"),
            required=True,
            title="Kind of list",
        ),
        "list_status": column(
            _PLAIN, _paxlst("BGM C106", "status of the list", source=_GUIDE), at_most(35), title="Status of the list"
        ),
        "list_function": column(
            _PLAIN,
            _paxlst("BGM 1225", "function of the list", source=_GUIDE),
            matches("[0-9]{1,3}", name="function", meaning="a code of up to three digits"),
            title="Function of the list",
        ),
        "flight_carrier": column(
            _PLAIN,
            _paxlst("TDT 20", "airline carrier code"),
            matches("[A-Z0-9]{2}|[A-Z]{3}", name="carrier", meaning="an IATA or ICAO designator"),
            required=True,
            title="Carrier",
        ),
        "flight_number": column(
            _PLAIN,
            _paxlst("TDT 20", "flight number"),
            matches("[0-9]{1,4}[A-Z]?", name="flight-number", meaning="1 to 4 digits and perhaps a letter"),
            required=True,
            title="Flight number",
        ),
        "departure_airport": column(
            _PLAIN, _paxlst("LOC 125", "departure"), AIRPORT, required=True, title="Departure airport"
        ),
        "arrival_airport": column(
            _PLAIN, _paxlst("LOC 87", "first U.S. port of arrival"), AIRPORT, required=True, title="Arrival airport"
        ),
        "departs_at": column(
            _PLAIN, _paxlst("DTM 189", "departure"), _moment(), required=True, title="Departure, local"
        ),
        "arrives_at": column(_PLAIN, _paxlst("DTM 232", "date of arrival"), _moment(), title="Arrival, local"),
        "route": column(
            _PLAIN,
            _paxlst("TDT, LOC in SG3", "route", source=_GUIDE),
            each_line_matches("[0-9]{1,3} .+", name="route", meaning="a code, then a flight or a port, one a line"),
            title="Flights and ports of the list",
        ),
        "reporting_party": column(
            _IDENTIFIER, _paxlst("NAD MS", "reporting party", source=_GUIDE), at_most(180), title="Who reports"
        ),
        "reporting_contacts": column(
            _IDENTIFIER, _paxlst("CTA, COM in SG1", "reporting party", source=_GUIDE), title="How to reach who reports"
        ),
        "traveller_kind": column(
            _PLAIN,
            _paxlst("NAD 3035", "status on board the aircraft"),
            one_of(TRAVELLER_KINDS, name="traveller-kind", meaning="FL, FM (crew), DDU or DDT (in transit)"),
            required=True,
            title="Passenger or crew",
        ),
        "surname": column(_IDENTIFIER, _paxlst("NAD C080", "full name"), at_most(70), required=True, title="Surname"),
        "given_names": column(_IDENTIFIER, _paxlst("NAD C080", "full name"), at_most(140), title="Given names"),
        "sex": column(
            _QUASI,
            _paxlst("ATT 2", "gender"),
            one_of(("M", "F", "U", "X"), name="sex", meaning="M, F, U or X"),
            title="Sex",
        ),
        "birth_date": column(_QUASI, _paxlst("DTM 329", "date of birth"), calendar_date(), title="Date of birth"),
        "birth_country": column(
            _QUASI,
            _paxlst("LOC 180", "place of birth", source=_GUIDE),
            STATE_AS_CARRIERS_WRITE_IT,
            title="Country of birth",
        ),
        "birth_place": column(
            _QUASI, _paxlst("LOC 180", "place of birth", source=_GUIDE), at_most(70), title="Place of birth"
        ),
        "nationality": column(_QUASI, _paxlst("NAT 2", "citizenship"), STATE_AS_CARRIERS_WRITE_IT, title="Citizenship"),
        "other_nationalities": column(
            _QUASI, _paxlst("NAT 2", "citizenship"), STATES_AS_CARRIERS_WRITE_THEM, title="Other citizenships"
        ),
        "residence_country": column(
            _QUASI, _paxlst("LOC 174", "country of residence"), STATE_AS_CARRIERS_WRITE_IT, title="Country of residence"
        ),
        "address_street": column(
            _IDENTIFIER, _paxlst("NAD C059", "address while in the United States"), at_most(180), title="Street"
        ),
        "address_city": column(
            _QUASI, _paxlst("NAD 3164", "address while in the United States"), at_most(70), title="City"
        ),
        "address_region": column(
            _QUASI, _paxlst("NAD C819", "address while in the United States"), at_most(70), title="State"
        ),
        "address_postcode": column(
            _QUASI, _paxlst("NAD 3251", "address while in the United States"), at_most(17), title="Postcode"
        ),
        "address_country": column(
            _QUASI,
            _paxlst("NAD 3207", "address while in the United States"),
            STATE_AS_CARRIERS_WRITE_IT,
            title="Country of the address",
        ),
        "embarkation_port": column(
            _QUASI, _paxlst("LOC 178", "foreign port where transport began"), _PORT, title="Where transport began"
        ),
        "debarkation_port": column(
            _QUASI, _paxlst("LOC 179", "final foreign port, in transit"), _PORT, title="Final port"
        ),
        "clearance_port": column(
            _QUASI, _paxlst("LOC 22", "port of first arrival"), _PORT, title="Where the traveller is cleared"
        ),
        "record_locator": column(
            _IDENTIFIER,
            _paxlst("RFF AVF", "passenger name record locator"),
            each_line_matches("[A-Z0-9]{5,8}", name="locators", meaning="5 to 8 capital letters and digits a line"),
            title="Record locator",
        ),
        "traveller_ref": column(
            _IDENTIFIER, _paxlst("RFF ABO", "unique reference", source=_GUIDE), at_most(35), title="Unique reference"
        ),
        "customer_ref": column(
            _IDENTIFIER, _paxlst("RFF CR", "customer reference", source=_GUIDE), at_most(35), title="Customer reference"
        ),
        "seat": column(
            _QUASI,
            _paxlst("RFF SEA", "seat", source=_GUIDE),
            matches("[0-9]{1,3}[A-Z]{1,2}", name="seat", meaning="a row and a letter"),
            title="Seat",
        ),
        "bag_count": column(
            _PLAIN,
            _paxlst("MEA CT", "bags", source=_GUIDE),
            matches("[0-9]{1,3}", name="count", meaning="up to three digits"),
            title="Number of bags",
        ),
        "bag_weight": column(
            _PLAIN,
            _paxlst("MEA WT", "bags", source=_GUIDE),
            matches(r"[0-9]{1,6}(?:\.[0-9]{1,3})? (?:KGM|LBR)", name="weight", meaning="a number, then KGM or LBR"),
            title="Weight of the bags",
        ),
        "bag_tags": column(_IDENTIFIER, _paxlst("FTX BAG", "bags", source=_GUIDE), title="Bag tags"),
        "verification": column(
            _PLAIN,
            _paxlst("GEI 4", "verified", source=_GUIDE),
            one_of(("173", "174"), name="verification", meaning="173 verified, 174 not verified"),
            title="Verified by the carrier",
        ),
        "mrz_line": column(
            _IDENTIFIER,
            _paxlst("FTX or DOC text", "machine-readable line", source="ICAO 9303-4"),
            mrz_passport_line(name="mrz-line"),
            title="Machine-readable line",
        ),
        "document_type": column(
            _PLAIN,
            _paxlst("DOC C002", "travel document type"),
            matches("[A-Z]{1,2}", name="document-type", meaning="one or two letters, such as P"),
            title="Document type",
        ),
        "document_number": column(
            _IDENTIFIER, _paxlst("DOC C503", "travel document number"), _NUMBER, title="Document number"
        ),
        "document_issuer": column(
            _QUASI,
            _paxlst("LOC 91 in SG5", "travel document country of issuance"),
            STATE_AS_CARRIERS_WRITE_IT,
            title="Issuing country",
        ),
        "document_expiry": column(
            _PLAIN, _paxlst("DTM 36 in SG5", "travel document expiration"), calendar_date(), title="Document expires"
        ),
        "visa_number": column(
            _IDENTIFIER, _paxlst("DOC V", "visa", source="49 USC 44909(c)(2)"), _NUMBER, title="Visa number"
        ),
        "visa_issuer": column(
            _QUASI,
            _paxlst("DOC V, LOC 91", "visa", source="49 USC 44909(c)(2)"),
            STATE_AS_CARRIERS_WRITE_IT,
            title="Visa issued by",
        ),
        "visa_expiry": column(
            _PLAIN, _paxlst("DOC V, DTM 36", "visa", source="49 USC 44909(c)(2)"), calendar_date(), title="Visa expires"
        ),
        "alien_number": column(
            _IDENTIFIER, _paxlst("DOC A", "alien registration number"), _NUMBER, title="Alien registration number"
        ),
        "other_documents": column(
            _IDENTIFIER, _paxlst("further DOC", "travel documents", source=_GUIDE), title="Further documents"
        ),
    },
    # A list may come again as a change; within one delivery the same traveller of the same list comes once.
    unique=(
        "list_kind",
        "list_status",
        "flight_carrier",
        "flight_number",
        "departure_airport",
        "departs_at",
        "traveller_kind",
        "surname",
        "given_names",
        "birth_date",
        "document_number",
        "traveller_ref",
    ),
    row_rules=(
        row_rule(
            "person-told",
            _told("sex", "birth_date", "nationality"),
            "sex, date of birth and citizenship are there, but in a close-out",
        ),
        row_rule(
            "document-told",
            _told("document_type", "document_number"),
            "a travel document with its type and number is there, but in a close-out",
        ),
        row_rule("passport-whole", _whole_passport(), "a passport has its country and expiry"),
        row_rule("arrival-told", _told("arrives_at"), "the arrival is there, but in a close-out"),
        row_rule("in-transit-goes-on", _in_transit_goes_on(), "who is in transit has a final port"),
        row_rule(
            "born-before-departure",
            (_day_of("birth_date") <= _day_of("departs_at")).fill_null(value=True),
            "the birth date is not after the departure",
        ),
        row_rule(
            "arrives-after-departure",
            ((_day_of("arrives_at") - _day_of("departs_at")).dt.total_days() >= -1).fill_null(value=True),
            "the arrival is at most a day before the departure, both in local time",
        ),
        row_rule(
            "mrz-number",
            _mrz_says(0, 9, pl.col("document_number").str.replace_all("[ -]", "").str.slice(0, 9)),
            "the document's number is that of the machine-readable line",
        ),
        row_rule("mrz-birth", _mrz_says(13, 6, _short_day("birth_date")), "so is the birth date"),
        row_rule("mrz-expiry", _mrz_says(21, 6, _short_day("document_expiry")), "so is the document's expiry"),
    ),
)

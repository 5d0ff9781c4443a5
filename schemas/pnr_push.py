"""What a traveller's row of a carrier's PNRGOV push may hold.

The columns are those of `pipeline.formats.pnrgov`; each names its PNRGOV source and its item of the Annex to the US-EU
PNR Agreement (OJ L 215, 11.8.2012, p. 5). Rules hold on real messages: what carriers write carelessly but readably
passes; what would make a row worthless or mistreated (a birth date that is no day, a locator or an airport that is
none, a card number that a treatment could not truncate) rejects the row.
"""

import polars as pl

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
from schemas.code_lists import STATE_AS_CARRIERS_WRITE_IT

KINDS = ("FULL", "UPDATE")
"""MSG 1225: 22, all PNRs of the flight; 141, those that were altered, added or taken away since."""
SEXES = ("M", "F", "U", "X", "MI", "FI", "UI", "XI")
"""AIRIMP SSR DOCS: male, female, undisclosed, unspecified; with I for an infant."""

_IDENTIFIER, _QUASI = Category.DIRECT_IDENTIFIER, Category.QUASI_IDENTIFIER
_FREE, _PLAIN = Category.FREE_TEXT, Category.PLAIN
_AIRPORT = matches("[A-Z]{3}", name="airport", meaning="an IATA airport code")
_CARRIER = matches("[A-Z0-9]{2}|[A-Z]{3}", name="carrier", meaning="an IATA or ICAO designator")
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def _moment() -> Rule:
    """The cell is an existing day, or a minute of one, as YYYY-MM-DD or YYYY-MM-DDTHH:MM."""

    def fine(cell: pl.Expr) -> pl.Expr:
        day = cell.str.contains(rf"\A{_DAY}\z") & cell.str.to_date("%Y-%m-%d", strict=False).is_not_null()
        minute = cell.str.contains(rf"\A{_DAY}T[0-9]{{2}}:[0-9]{{2}}\z")
        return day | (minute & cell.str.to_datetime("%Y-%m-%dT%H:%M", strict=False).is_not_null())

    return Rule("moment", fine, "a day or a minute as YYYY-MM-DD or YYYY-MM-DDTHH:MM")


def _each_moment() -> Rule:
    return each_line_matches(
        rf"{_DAY}(?:T[0-9]{{2}}:[0-9]{{2}})?", name="moments", meaning="days or minutes as YYYY-MM-DDTHH:MM, one a line"
    )


def _not_born_after_departure() -> pl.Expr:
    born = pl.col("birth_date").str.to_date("%Y-%m-%d", strict=False)
    departs = pl.col("departs_at").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return (born <= departs).fill_null(value=True)


def _arrives_no_earlier_than_a_day_before() -> pl.Expr:
    """Times are local: eastward over the date line a flight lands on the day before."""
    arrives = pl.col("arrives_at").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    departs = pl.col("departs_at").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return ((arrives - departs).dt.total_days() >= -1).fill_null(value=True)


def _annex(segments: str, item: str) -> str:
    return f"PNRGOV {segments}; US-EU PNR Annex {item}"


SCHEMA = feed_schema(
    "pnr-push",
    "2",
    {
        "push_kind": column(
            _PLAIN,
            "PNRGOV MSG, level 0; US-EU PNR Art. 15(3)",
            one_of(KINDS, name="push-kind", meaning="FULL or UPDATE"),
            title="All PNRs of the flight, or changes",
        ),
        "pushed_at": column(
            _PLAIN, "PNRGOV UNB; US-EU PNR Art. 15(3)", _moment(), title="Push made, in its sender's time"
        ),
        "push_reference": column(_PLAIN, "PNRGOV UNH 0068", at_most(35), title="Reference of the push"),
        "push_part": column(
            _PLAIN,
            "PNRGOV UNH S010",
            matches("[1-9][0-9]{0,3}", name="push-part", meaning="a number from 1"),
            title="Part of the push",
        ),
        "record_locator": column(
            _IDENTIFIER,
            _annex("RCI", "1"),
            matches("[A-Z0-9]{5,8}", name="locator", meaning="5 to 8 capital letters and digits"),
            required=True,
            title="Record locator",
        ),
        "locator_carrier": column(_PLAIN, _annex("RCI", "1"), _CARRIER, title="System that gave the locator"),
        "other_locators": column(_IDENTIFIER, _annex("RCI", "1"), title="Other record locators"),
        "booked_at": column(_PLAIN, _annex("RCI", "2"), _moment(), title="Reservation made"),
        "ticketed_at": column(_PLAIN, _annex("DAT 710", "2"), _each_moment(), title="Ticket issued"),
        "last_changed_at": column(_PLAIN, _annex("DAT 700", "2"), _moment(), title="Last transaction"),
        "flight_carrier": column(_PLAIN, _annex("TVL, level 0", "9"), _CARRIER, required=True, title="Carrier"),
        "flight_number": column(
            _PLAIN,
            _annex("TVL, level 0", "9"),
            matches("[0-9]{1,4}[A-Z]?", name="flight-number", meaning="1 to 4 digits and perhaps a letter"),
            required=True,
            title="Flight number",
        ),
        "departure_airport": column(
            _PLAIN, _annex("TVL, level 0", "9"), _AIRPORT, required=True, title="Departure airport"
        ),
        "arrival_airport": column(
            _PLAIN, _annex("TVL, level 0", "9"), _AIRPORT, required=True, title="Arrival airport"
        ),
        "departs_at": column(_PLAIN, _annex("TVL, level 0", "3"), _moment(), required=True, title="Departure, local"),
        "arrives_at": column(_PLAIN, _annex("TVL, level 0", "3"), _moment(), title="Arrival, local"),
        "travel_dates": column(_QUASI, _annex("TVL in GR5", "3"), _each_moment(), title="Days of intended travel"),
        "surname": column(_IDENTIFIER, _annex("TIF", "4"), at_most(70), title="Surname"),
        "given_names": column(_IDENTIFIER, _annex("TIF", "4"), at_most(70), title="Given names and title"),
        "traveller_type": column(
            _PLAIN,
            _annex("TIF", "4"),
            matches("[A-Z]{1,3}", name="traveller-type", meaning="a type of traveller, such as A, C, IN"),
            title="Type of traveller",
        ),
        "traveller_ref": column(_PLAIN, _annex("TIF, REF", "4"), at_most(60), title="Traveller in the PNR"),
        "frequent_flyer": column(_IDENTIFIER, _annex("FTI, SSR FQTV", "5"), title="Frequent flyer"),
        "other_names": column(_IDENTIFIER, _annex("other TIF", "6"), title="Other names in the PNR"),
        "traveller_count": column(
            _QUASI,
            _annex("RPI, TIF", "6"),
            matches("[0-9]{1,3}", name="count", meaning="up to three digits"),
            title="Travellers in the PNR",
        ),
        "contacts": column(_IDENTIFIER, _annex("ADD, IFT 4:28 CTC, SSR CTC", "7"), title="Contacts"),
        "payment_forms": column(_PLAIN, _annex("FOP", "8"), title="Forms of payment"),
        "card_numbers": column(
            _IDENTIFIER,
            _annex("FOP", "8"),
            each_line_matches(
                "-|[0-9A-Za-z*]{1,35}", name="accounts", meaning="letters, digits and masks, one account a line, or -"
            ),
            title="Cards and accounts",
        ),
        "amounts": column(
            _PLAIN,
            _annex("FOP", "8"),
            each_line_matches(
                r"-|[0-9]{1,15}(?:\.[0-9]{0,4})?", name="amounts", meaning="a decimal number a line, or -"
            ),
            title="Amounts paid",
        ),
        "payer": column(_IDENTIFIER, _annex("IFT 4:43, ADD in GR4", "8"), title="Payer and billing address"),
        "itinerary": column(_QUASI, _annex("TVL in GR5", "9"), title="Itinerary"),
        "agency": column(_PLAIN, _annex("ORG in GR1", "10"), title="Travel agency"),
        "agent_sine": column(_IDENTIFIER, _annex("ORG in GR1", "10"), title="Travel agent"),
        "code_shares": column(_PLAIN, _annex("TVL, TRA", "11"), title="Code shares"),
        "split_from": column(_IDENTIFIER, _annex("EQN, RCI in GR8", "12"), title="Split from or into"),
        "travel_status": column(_QUASI, _annex("RPI, DAT, ORG, TRI in GR5 to GR7", "13"), title="Status and check-in"),
        "ticket_numbers": column(_IDENTIFIER, _annex("TKT", "14"), title="Ticket numbers"),
        "fares": column(_FREE, _annex("FAR, MON, PTK, TXD, IFT 4:15", "14"), title="Fares and taxes"),
        "baggage": column(_PLAIN, _annex("TBD, EBD", "15"), title="Baggage"),
        "bag_tags": column(_IDENTIFIER, _annex("TBD", "15"), title="Bag tags"),
        "seats": column(_QUASI, _annex("SSD, SSR SEAT", "16"), title="Seats"),
        "service_requests": column(
            Category.SENSITIVE,
            _annex("SSR", "17"),
            each_line_matches("[A-Z0-9]{4}(?: .*)?", name="requests", meaning="a code of four signs a line, then text"),
            title="Service requests",
        ),
        "remarks": column(_FREE, _annex("IFT", "17"), title="Remarks"),
        "document_type": column(
            _PLAIN,
            _annex("SSR DOCS", "18"),
            matches("[A-Z]{1,2}", name="document-type", meaning="one or two letters, such as P"),
            title="Document type",
        ),
        "document_number": column(
            _IDENTIFIER,
            _annex("SSR DOCS", "18"),
            matches("[A-Z0-9 -]{3,20}", name="document-number", meaning="3 to 20 capital letters and digits"),
            title="Document number",
        ),
        "document_issuer": column(
            _QUASI, _annex("SSR DOCS", "18"), STATE_AS_CARRIERS_WRITE_IT, title="Issuing country"
        ),
        "nationality": column(_QUASI, _annex("SSR DOCS", "18"), STATE_AS_CARRIERS_WRITE_IT, title="Nationality"),
        "birth_date": column(_QUASI, _annex("SSR DOCS", "18"), calendar_date(), title="Date of birth"),
        "sex": column(
            _QUASI, _annex("SSR DOCS", "18"), one_of(SEXES, name="sex", meaning="an AIRIMP code"), title="Sex"
        ),
        "document_expiry": column(_PLAIN, _annex("SSR DOCS", "18"), calendar_date(), title="Document expires"),
        "document_names": column(_IDENTIFIER, _annex("SSR DOCS", "4"), at_most(140), title="Names in the document"),
        "apis_other": column(_IDENTIFIER, _annex("SSR DOCA, DOCO, further DOCS", "18"), title="Other APIS"),
        "history": column(_FREE, _annex("GR10 to GR12, LTS", "19"), title="Changes to all of this"),
    },
    # One PNR may be pushed for each of its flights, and again in each push; its reference is given by each system anew.
    unique=(
        "push_kind",
        "pushed_at",
        "record_locator",
        "locator_carrier",
        "traveller_ref",
        "flight_carrier",
        "flight_number",
        "departure_airport",
        "departs_at",
    ),
    row_rules=(
        row_rule("born-before-departure", _not_born_after_departure(), "the birth date is not after the departure"),
        row_rule(
            "arrives-after-departure",
            _arrives_no_earlier_than_a_day_before(),
            "the arrival is at most a day before the departure, both in local time",
        ),
    ),
)

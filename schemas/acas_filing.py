"""What is filed before cargo is loaded: one row is one consignment, by its house or simple air waybill.

Six elements are mandatory, a seventh for a house waybill (19 CFR 122.48b(d)). The enhanced elements (90 FR 52796) are asked for
since 21 November 2025 and enforced a year later: a filing of the year between is taken without them.
"""

import pandera.polars as pa
import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import calendar_date, column, feed_schema, matches, one_of, row_rule
from schemas.acas_rules import (
    AIR_WAYBILL,
    CARRIER,
    ENHANCED,
    FLIGHT,
    LAW,
    WAYBILL_KIND,
    YES_NO,
    below_a_master,
    line,
    minute,
    numbered,
    told,
)
from schemas.code_lists import AIRPORT, COUNTRY

ENFORCED_FROM = "2026-11-21"
"""Twelve months of restraint in enforcing the interim final rule are over (90 FR 52796)."""
IDENTITY = ("identity_name", "identity_birth_date", "identity_document", "identity_country")
NEVER_ABROAD = ("ip_address", "mac_address", *IDENTITY)
"""What no foreign partner gets."""

_ID, _QUASI, _PLAIN = Category.DIRECT_IDENTIFIER, Category.QUASI_IDENTIFIER, Category.PLAIN
_EMAIL = matches(r"[^@\s]{1,64}@[^@\s]{1,189}", name="email", meaning="an e-mail address")
_PHONE = matches(r"\+?[0-9][0-9 ()./-]{4,24}", name="phone", meaning="digits of a telephone number")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HEXTET = "[0-9A-Fa-f]{1,4}"
_IP = matches(
    rf"{_OCTET}(?:\.{_OCTET}){{3}}|{_HEXTET}(?::{_HEXTET}){{7}}|(?:{_HEXTET}(?::{_HEXTET}){{0,5}})?::(?:{_HEXTET}(?::{_HEXTET}){{0,5}})?",
    name="ip-address",
    meaning="a whole IPv4 or IPv6 address, nothing of it masked",
)
_MAC = matches("[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}", name="mac-address", meaning="six bytes, nothing masked")


def _party(role: str, element: str) -> dict[str, pa.Column]:
    source = f"{LAW}: {role}'s {element}"
    return {
        f"{role}_name": column(_ID, source, *line(70), required=True, title=f"{role.capitalize()}'s name"),
        f"{role}_address": column(_ID, source, *line(140), required=True, title="Street and house"),
        f"{role}_city": column(_QUASI, source, *line(35), required=True, title="City"),
        f"{role}_country": column(_QUASI, source, COUNTRY, required=True, title="Country"),
    }


def _enforced() -> pl.Expr:
    return pl.col("filed_at").str.slice(0, 10) >= ENFORCED_FROM


def _once_enforced(fine: pl.Expr) -> pl.Expr:
    return ~_enforced() | fine


def _of_an_unknown_consignor(fine: pl.Expr) -> pl.Expr:
    return _once_enforced((pl.col("verified_known_consignor") != "N").fill_null(value=True) | fine)


SCHEMA = feed_schema(
    "acas-filing",
    "1",
    {
        "filer": column(_PLAIN, "19 CFR 122.48b(c): eligible filer", CARRIER, required=True, title="Who files"),
        "filed_at": column(_PLAIN, "19 CFR 122.48b(b): time frame", minute(), required=True, title="When it was filed"),
        "loading_at": column(
            _PLAIN, "19 CFR 122.48b(b): prior to loading", minute(), required=True, title="When loading is to begin"
        ),
        "flight_carrier": column(_PLAIN, "FLT of the filing", CARRIER, required=True, title="Carrier"),
        "flight_number": column(_PLAIN, "FLT of the filing", FLIGHT, required=True, title="Flight number"),
        "departure_airport": column(_PLAIN, "RTG of the filing", AIRPORT, required=True, title="Last foreign airport"),
        "departure_country": column(_PLAIN, "RTG of the filing", COUNTRY, required=True, title="Its country"),
        "arrival_airport": column(_PLAIN, "RTG of the filing", AIRPORT, required=True, title="First U.S. airport"),
        "waybill_kind": column(_PLAIN, f"{LAW}: air waybill number", WAYBILL_KIND, required=True, title="House or simple"),
        "waybill": column(_QUASI, f"{LAW}: air waybill number", *line(12), required=True, title="Waybill"),
        "master_waybill": column(_QUASI, f"{LAW}: master air waybill number", AIR_WAYBILL, title="Master waybill"),
        **_party("shipper", "name and address"),
        **_party("consignee", "name and address"),
        "cargo": column(Category.FREE_TEXT, f"{LAW}: cargo description", *line(450), required=True, title="Description"),
        "pieces": column(
            _PLAIN,
            f"{LAW}: total quantity, smallest external packing unit",
            matches("[1-9][0-9]{0,5}", name="pieces", meaning="1 to 999999"),
            required=True,
            title="Pieces",
        ),
        "weight": column(
            _PLAIN,
            f"{LAW}: total weight",
            matches(r"(?:0\.[0-9]{0,2}[1-9]|[1-9][0-9]{0,6}(?:\.[0-9]{1,3})?)", name="weight", meaning="more than 0"),
            required=True,
            title="Weight",
        ),
        "weight_unit": column(
            _PLAIN, f"{LAW}: total weight", one_of(("K", "L"), name="weight-unit", meaning="K or L"), required=True
        ),
        "consignee_email": column(_ID, f"{ENHANCED}: EML", _EMAIL, title="Consignee's e-mail"),
        "consignee_phone": column(_ID, f"{ENHANCED}: CNE", _PHONE, title="Consignee's telephone"),
        "pickup_location": column(_ID, f"{ENHANCED}: packing or pickup location", *line(140), title="Packed or picked up"),
        "verified_known_consignor": column(_PLAIN, f"{ENHANCED}: KP", YES_NO, title="Verified and known consignor"),
        "shipper_email": column(_ID, f"{ENHANCED}: EML", _EMAIL, title="Shipper's e-mail"),
        "shipper_phone": column(_ID, f"{ENHANCED}: SHP", _PHONE, title="Shipper's telephone"),
        "account_holder": column(_ID, f"{ENHANCED}: AHL", *line(70), title="Account holder"),
        "account_name": column(_ID, f"{ENHANCED}: ANM", *line(70), title="Account name"),
        "account_issuer": column(_PLAIN, f"{ENHANCED}: ISR", *line(70), title="Who opened the account"),
        "account_number": column(_ID, f"{ENHANCED}: ACT", *line(35), title="Account number"),
        "account_since": column(_PLAIN, f"{ENHANCED}: EST", calendar_date(), title="Account established"),
        "account_billing": column(_PLAIN, f"{ENHANCED}: BLT", *line(35), title="Billing type"),
        "shipping_frequency": column(_PLAIN, f"{ENHANCED}: ATY or ACP", *line(35), title="How often it ships"),
        "ip_address": column(_ID, f"{ENHANCED}: IP address", _IP, title="IP address of the booking"),
        "mac_address": column(_ID, f"{ENHANCED}: MAC address", _MAC, title="MAC address of the booking"),
        "identity_name": column(_ID, f"{ENHANCED}: biographic data", *line(70), title="Name in the identity document"),
        "identity_birth_date": column(_QUASI, f"{ENHANCED}: biographic data", calendar_date(), title="Birth date in it"),
        "identity_document": column(_ID, f"{ENHANCED}: document number", *line(35), title="Identity document"),
        "identity_country": column(_QUASI, f"{ENHANCED}: document country", COUNTRY, title="Its country"),
    },
    unique=("waybill", "master_waybill", "flight_carrier", "flight_number", "filed_at"),
    row_rules=(
        row_rule("waybill-as-its-kind", numbered(), "a simple waybill has a check digit; a house's is up to 12 signs"),
        row_rule("master-of-a-house", below_a_master(), "a house waybill names its master, a simple one has none"),
        row_rule(
            "filed-before-loading", pl.col("filed_at") < pl.col("loading_at"), "filed no later than prior to loading"
        ),
        row_rule(
            "consignee-can-be-reached",
            _once_enforced(told("consignee_email") | told("consignee_phone")),
            "since the enhanced elements are enforced: the consignee's e-mail or telephone",
        ),
        row_rule("pickup-told", _once_enforced(told("pickup_location")), "since then: where it was packed or picked up"),
        row_rule(
            "consignor-known-or-not", _once_enforced(told("verified_known_consignor")), "since then: Y or N, never left out"
        ),
        row_rule(
            "unknown-consignor-can-be-reached",
            _of_an_unknown_consignor(told("shipper_email") | told("shipper_phone")),
            "a consignor who is not verified and known has an e-mail or a telephone",
        ),
        row_rule(
            "unknown-consignor-has-an-account",
            _of_an_unknown_consignor(told("account_name") & told("account_number")),
            "and the name and number of the account",
        ),
        row_rule(
            "unknown-consignor-has-a-device",
            _of_an_unknown_consignor(told("ip_address") | told("mac_address")),
            "and the IP or MAC address of the booking",
        ),
        row_rule(
            "unknown-consignor-is-identified",
            _of_an_unknown_consignor(pl.all_horizontal(told(name) for name in IDENTITY)),
            "and the biographic data of a government's identity document",
        ),
    ),
)  # fmt: skip

"""Synthetic filings of air cargo and what they were answered: parties made from syllables, addresses of documentation (RFC 5737,
RFC 7042), about nobody."""

import random
from datetime import UTC, datetime, timedelta

from samples.small_lists import Row, SmallList, birth_date, capitals, given, surname
from schemas import acas_filing, acas_status

_FLIGHTS = (("XC", "0401", "YYZ", "CA", "MEM"), ("XC", "0733", "YVR", "CA", "ANC"), ("XC", "0880", "FRA", "DE", "JFK"))
_CARGO = (
    "AUTOMOTIVE BRAKE PADS",
    "LED LAMPS FOR SHELVES",
    "COTTON T-SHIRTS",
    "LABORATORY GLASS BEAKERS",
    "DENTAL MIRRORS",
)
_CITIES = (("TORONTO", "CA"), ("MUENSTER", "DE"), ("LYON", "FR"))
_US_CITIES = ("RENO", "AUSTIN", "TULSA")
_FIRST = datetime(2026, 11, 21, 6, tzinfo=UTC)


def air_waybill(serial: int, *, airline: str = "618") -> str:
    """An airline's number with its check digit."""
    return f"{airline}-{serial:07d}{serial % 7}"


def _instant(chance: random.Random, number: int) -> datetime:
    return _FIRST + timedelta(minutes=7 * number + chance.randrange(5))


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"


def _consignment(number: int) -> Row:
    """Its waybills and its flight: the same in every list, so that a status is of what was filed."""
    chance = random.Random(number)
    return {**_flown(chance), **_waybills(chance, number)}


def _waybills(chance: random.Random, number: int) -> Row:
    waybill = air_waybill(1_000_000 + 13 * number)
    if chance.random() < 0.3:
        return {"waybill_kind": "SIMPLE", "waybill": waybill}
    return {"waybill_kind": "HOUSE", "waybill": f"HX{number:05d}{capitals(chance, 3)}", "master_waybill": waybill}


def _flown(chance: random.Random) -> Row:
    flight = chance.choice(_FLIGHTS)
    names = ("flight_carrier", "flight_number", "departure_airport", "departure_country", "arrival_airport")
    return dict(zip(names, flight, strict=True))


def _unknown_consignor(chance: random.Random, number: int) -> Row:
    holder = f"{given(chance)} {surname(chance)}"
    return {
        "shipper_phone": f"+1 202 555 01{chance.randrange(100):02d}",
        "account_holder": holder,
        "account_name": f"{surname(chance)} PARTS",
        "account_issuer": "EXAMPLE FORWARDING",
        "account_number": f"AC{number:06d}",
        "account_since": f"20{chance.randrange(10, 26)}-0{chance.randrange(1, 10)}-11",
        "account_billing": "INVOICE",
        "shipping_frequency": "MONTHLY",
        "ip_address": chance.choice((f"192.0.2.{chance.randrange(256)}", f"2001:db8::{chance.randrange(1, 9999)}")),
        "mac_address": f"00:00:5E:00:53:{chance.randrange(256):02X}",
        "identity_name": holder,
        "identity_birth_date": f"{birth_date(chance)}",
        "identity_document": f"ID{capitals(chance, 9)}",
        "identity_country": "CA",
    }


def _filing(chance: random.Random, number: int) -> Row:
    filed, (city, country) = _instant(chance, number), chance.choice(_CITIES)
    known = chance.random() < 0.6
    row = {
        "filer": "XC",
        "filed_at": written(filed),
        "loading_at": written(filed + timedelta(hours=chance.randint(3, 30))),
        **_consignment(number),
        "shipper_name": f"{surname(chance)} INC",
        "shipper_address": f"{chance.randint(1, 99)} SAMPLE STREET",
        "shipper_city": city,
        "shipper_country": country,
        "consignee_name": f"{surname(chance)} LLC",
        "consignee_address": f"{chance.randint(1, 99)} SPECIMEN AVENUE",
        "consignee_city": chance.choice(_US_CITIES),
        "consignee_country": "US",
        "cargo": chance.choice(_CARGO),
        "pieces": str(chance.randint(1, 80)),
        "weight": str(chance.randint(1, 900)),
        "weight_unit": "K",
        "consignee_email": f"dock{number}@example.com",
        "pickup_location": f"HALL {chance.randint(1, 9)}, SAMPLE ROAD",
        "verified_known_consignor": "Y" if known else "N",
    }
    return row if known else row | _unknown_consignor(chance, number)


def _status(chance: random.Random, number: int) -> Row:
    """One of the ways through: in error, referred, held and closed, released, loaded."""
    filed = _instant(chance, number)
    at = [written(filed + timedelta(minutes=minutes)) for minutes in (0, 2, 5, 30, 40, 45, 240, 300)]
    consignment = _consignment(number)
    consignment.pop("arrival_airport")
    row = {"told_at": at[-1], "filer": "XC", **consignment, "filed_at": at[0]}
    row |= {"answered_at": at[1], "answer": "SR", "status": "SR", "risk_score": f"{chance.randrange(10_000):04d}"}
    way = chance.choice(("error", "asked", "held", "stopped", "released", "released", "released", "released"))
    if way == "error":
        return row | {"answer": "ERR", "status": "ERR"}
    if way == "released" and chance.random() < 0.6:
        return row | {"release": "SF", "released_at": at[5], "loaded_at": at[6], "status": "CO"}
    kind, referral = chance.choice((("information", "RFI"), ("screening", "RFS")))
    digit = acas_status.HOLDS[kind]
    row |= {"referral": referral, "referred_at": at[2], "analyst": f"{given(chance)} {surname(chance)}"}
    if way == "asked":
        return row | {"status": referral}
    row |= {f"{kind}_hold": f"{digit}{chance.choice('HJ')}", f"{kind}_held_at": at[2], "reason": "LOOKS LIKE ANOTHER"}
    if way == "held":
        return row | {"status": "CB"}
    if way == "stopped":
        return row | {"do_not_load_hold": "6H", "do_not_load_held_at": at[4], "status": "CD"}
    row |= {f"{kind}_closed_by": f"{digit}I", f"{kind}_closed_at": at[5], "resolved_at": at[4]}
    return row | {"release": f"{digit}I", "released_at": at[5], "loaded_at": at[6], "status": "CO"}


FILINGS = SmallList(
    acas_filing.SCHEMA,
    _filing,
    broken=(
        {"master_waybill": "618-10000000", "waybill_kind": "HOUSE", "waybill": "HX1"},
        {"shipper_name": ""},
        {"pieces": "0"},
        {"loading_at": "2026-11-20T00:00Z"},
        {"ip_address": "192.0.2.x"},
        {"consignee_email": "", "consignee_phone": ""},
        {"verified_known_consignor": "N", "identity_document": ""},
    ),
)
STATUSES = SmallList(
    acas_status.SCHEMA,
    _status,
    broken=(
        {"loaded_at": "2026-11-21T00:00Z"},
        {"information_hold": "7H", "information_closed_by": "8I"},
        {"release": "6I"},
        {"status": "OK"},
        {"answer": ""},
    ),
)

"""Synthetic analytical information from PNR: findings in a few cases, made from syllables, about nobody."""

import random
from datetime import timedelta

from samples.small_lists import FIRST_DAY, Row, SmallList, birth_date, capitals, day, given, surname
from schemas import pnr_analytical

_CASES = ("KR-2026-17", "KR-2026-23", "TE-2026-4")
_ROUTES = (("LH", "0400", "FRA", "JFK"), ("KL", "0641", "AMS", "JFK"), ("IB", "6123", "MAD", "MIA"))
_CONCLUSIONS = (
    "Paid for by the same card as two others of the case",
    "Turned back at the gate and booked again the day after",
    "Travels by another airport each time, on the same day of the week",
    "Travels with insulin",
)
_ADDRESSED = (("EUROPOL", ""), ("EUROJUST", ""), ("MEMBER_STATE", "NLD"), ("MEMBER_STATE", "DEU"))


def _finding(chance: random.Random, number: int) -> Row:
    made, source, information = day(chance), chance.choice("ABC"), chance.choice("123")
    (addressee, member_state), asked = chance.choice(_ADDRESSED), chance.random() < 0.3
    carrier, flight, departure, arrival = chance.choice(_ROUTES)
    old = chance.random() < 0.25
    loaded = made - timedelta(days=chance.randint(200, 1500) if old else chance.randint(1, 150))
    unmasked = old and chance.random() < 0.5
    named = unmasked or not old
    h2 = chance.random() < 0.1 and addressee != "MEMBER_STATE"
    return {
        "analysis_no": f"ANL-2026-{number + 1:06d}",
        "addressee": addressee,
        "member_state": member_state,
        "initiative": "ON_REQUEST" if asked else "OWN",
        "request_no": f"REQ {chance.randrange(1, 999)}/2026" if asked else "",
        "case_reference": chance.choice(_CASES),
        "offence": chance.choice(pnr_analytical.OFFENCES),
        "kind": chance.choice(pnr_analytical.KINDS),
        "record_locator": capitals(chance, 6),
        "loaded_on": f"{loaded}",
        "flight_carrier": carrier,
        "flight_number": flight,
        "departure_airport": departure,
        "arrival_airport": arrival,
        "travel_date": f"{loaded + timedelta(days=3)}",
        "surname": surname(chance) if named else "",
        "given_names": given(chance) if named else "",
        "birth_date": f"{birth_date(chance)}" if named else "",
        "nationality": chance.choice(("DEU", "NLD", "USA", "TUR")),
        "document_number": capitals(chance, 9) if named else "",
        "contact": f"CTCM 1202555{chance.randint(100, 199):04}" if named else "",
        "other_locators": "\n".join(capitals(chance, 6) for _ in range(chance.randint(0, 2))),
        "data_types": "\n".join(("1", "3", "9", *(("4", "7", "18") if named else ()))),
        "conclusion": chance.choice(_CONCLUSIONS),
        "score": str(chance.randint(20, 100)),
        "rule_ids": "\n".join(f"TGT-{chance.randrange(10_000):04d}" for _ in range(chance.randint(1, 2))),
        "repersonalised": "Y" if unmasked else "N",
        "repersonalised_by": "Supervisor of desk 4" if unmasked else "",
        "made_at": f"{made}T09:{chance.randrange(60):02d}Z",
        "reviewed_by": f"{given(chance)} {surname(chance)}",
        "reviewed_at": f"{made}T15:{chance.randrange(60):02d}Z",
        "source_evaluation": source,
        "information_evaluation": information,
        "marking": f"TLP:AMBER+STRICT | ORCON border-screening | {'EUROPOL H2 | ' if h2 else ''}4x4 {source}{information}",
    }


FINDINGS = SmallList(
    pnr_analytical.SCHEMA,
    _finding,
    (
        {"reviewed_at": f"{FIRST_DAY - timedelta(days=1)}T00:00Z"},
        {"loaded_on": "2026-01-01", "surname": "EXAMPLE", "repersonalised": "N", "repersonalised_by": ""},
        {"reviewed_by": ""},
        {"data_types": "4\n20"},
        {"initiative": "ON_REQUEST", "request_no": ""},
        {"addressee": "MEMBER_STATE", "member_state": ""},
        {"loaded_on": "2011-10-01"},
        {"marking": "TLP:AMBER+STRICT | ORCON border-screening"},
    ),
)

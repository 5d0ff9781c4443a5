"""Synthetic outcomes of preclearance: flights that are counted, refusals that a host's police asked about, inspections."""

import random

from samples.small_lists import Row, SmallList, birth_date, capitals, day, given, surname
from schemas import preclear_outcome, preclear_stats

_LOCATIONS = ("YYZ", "YVR", "YUL", "DUB")
_SHARES = (60, 25, 14, 1)
_NATIONALITIES = ("CAN", "IRL", "BRA", "IND", "DEU")


def _flight(chance: random.Random, number: int) -> Row:
    refused, withdrawn = chance.choices((0, 1, 2), weights=(8, 2, 1), k=2)
    processed = chance.randint(60, 280)
    return {
        "record": "FLIGHT",
        "location": _LOCATIONS[number % len(_LOCATIONS)],
        "flight_carrier": "XP",
        "flight_number": str(100 + number),
        "flight_date": f"{day(chance)}",
        "processed": str(processed),
        "admitted": str(processed - refused - withdrawn),
        "refused": str(refused),
        "withdrawn": str(withdrawn),
        "secondary": str(chance.randint(refused + withdrawn, 12)),
        "agriculture_seizures": str(chance.choice((0, 0, 1, 3))),
        "currency_seizures": str(chance.choice((0, 0, 0, 1))),
    }


def _outcome(chance: random.Random, number: int) -> Row:
    row = _flight(chance, number)
    if number % 8 != 7:
        return row
    return {name: cell for name, cell in row.items() if name not in preclear_outcome.COUNTS} | {
        "record": "REFUSAL",
        "case_ref": f"RC-2026-{100 + number}",
        "surname": surname(chance),
        "given_names": given(chance),
        "birth_date": f"{birth_date(chance)}",
        "nationality": chance.choice(_NATIONALITIES),
        "document_number": f"P{capitals(chance, 8)}",
        "ground": chance.choice(preclear_outcome.GROUNDS),
        "officer": f"OFFICER {surname(chance)}",
    }


def _inspection(chance: random.Random, number: int) -> Row:
    on, location = day(chance), chance.choices(_LOCATIONS, weights=_SHARES)[0]
    outcome = chance.choices(preclear_stats.OUTCOMES, weights=(85, 10, 5))[0]
    secondary = outcome != "ADMITTED" or chance.random() < 0.05
    return {
        "inspection": f"{location}-{on:%Y%m%d}-{number:05d}",
        "location": location,
        "flight_carrier": "XP",
        "flight_number": str(chance.randint(100, 140)),
        "flight_date": f"{on}",
        "outcome": outcome,
        "secondary": "Y" if secondary else "N",
        "bags": str(chance.randint(0, 3)),
        "agriculture_seizures": str(chance.choice((0, 0, 1))) if secondary else "0",
        "currency_seizures": str(chance.choice((0, 0, 0, 1))) if secondary else "0",
    }


OUTCOMES = SmallList(
    preclear_outcome.SCHEMA,
    _outcome,
    broken=(
        {"record": "FLIGHT", "case_ref": "RC-2026-1"},
        {"record": "REFUSAL", "case_ref": ""},
        {"location": "ZZZ"},
        {"processed": "7", "admitted": "9"},
        {"flight_date": "2026-02-30"},
    ),
)
INSPECTIONS = SmallList(
    preclear_stats.SCHEMA,
    _inspection,
    broken=(
        {"outcome": "MAYBE"},
        {"secondary": "N", "currency_seizures": "1"},
        {"bags": "two"},
        {"location": "ZZZ"},
    ),
)

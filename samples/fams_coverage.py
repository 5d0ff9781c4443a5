"""Synthetic coverage: flights that nobody sat on, so unequal by country that some counts are small."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import BinaryIO

from samples.drawn import Broken, Row, Written, as_csv, rows
from schemas.fams_coverage import COLUMNS, ROLES

MARKING = 'TLP:RED | CUI//SP-SSI | DESIGNATED BY "Transportation Security Administration"'
_HOSTS = {
    "GB": ("LHR", 30),
    "DE": ("FRA", 25),
    "JP": ("NRT", 20),
    "FR": ("CDG", 15),
    "NL": ("AMS", 8),
    "IE": ("DUB", 2),
}
_FROM = ("JFK", "IAD", "ORD", "LAX")
FIRST_DAY = date(2026, 4, 1)
_BROKEN: tuple[Broken, ...] = (
    {"flight_date": "2026-02-30"},
    {"seats_coordinated": "0"},
    {"country": "UK"},
    {"weapons_notice_ack": "?"},
)


def write(out: BinaryIO, *, flights: int, seed: int, bad_share: float = 0.0) -> Written:
    """A quarter's list of `flights` rows is in `out`; the same arguments always give the same bytes."""
    made, bad = rows(_flight, flights, seed=seed, broken=_BROKEN, bad_share=bad_share)
    out.write(as_csv(COLUMNS, made))
    return Written(len(made), bad)


def flown(number: int, country: str, day: date) -> Row:
    """A good row of this country and day."""
    return _flight(random.Random(number), number) | {"country": country, "flight_date": day.isoformat()}


def _flight(draw: random.Random, number: int) -> Row:
    country = draw.choices(list(_HOSTS), [weight for _, weight in _HOSTS.values()])[0]
    return {
        "marking": MARKING,
        "coverage_no": f"C{number + 1:08}",
        "country": country,
        "carrier": "XX",
        "flight_number": str(draw.randint(1, 9999)),
        "flight_date": (FIRST_DAY + timedelta(days=draw.randint(0, 90))).isoformat(),
        "departure_airport": draw.choice(_FROM),
        "arrival_airport": _HOSTS[country][0],
        "seats_coordinated": str(draw.randint(2, 6)),
        "host_contact_role": draw.choice(ROLES),
        "weapons_notice_ack": "Y",
    }


def _missing_column() -> bytes:
    made, _ = rows(_flight, 3, seed=7, broken=_BROKEN, bad_share=0)
    columns = [name for name in COLUMNS if name != "marking"]
    return as_csv(columns, ({name: row[name] for name in columns} for row in made))


VARIANTS: dict[str, Callable[[], bytes]] = {"missing-column": _missing_column}
"""Deliveries that must be refused as a whole."""

"""Synthetic notices of arrival in XML: vessels that do not exist on their way to ports that do."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from xml.sax.saxutils import escape

from samples.drawn import Broken, Row, Written, rows
from samples.mar_ships import Ship, at, person
from schemas.mar_noa import COLUMNS, VESSEL_TYPES

_FOREIGN = ("NLRTM", "DEHAM", "COCTG", "PAONX", "BRSSZ", "GBFXT", "ESALG")
_HOME = ("USNYC", "USSAV", "USHOU", "USLAX", "USNOR")
_DUTIES = ("MASTER", "CHIEF MATE", "CHIEF ENGINEER", "BOSUN", "ABLE SEAFARER", "COOK")
_CDC = (("AMMONIA ANHYDROUS", "1005", "1200 T"), ("CHLORINE", "1017", "80.5 T"), ("PROPANE", "1978", "640 T"))
_NOTED = datetime(2026, 11, 20, 6, tzinfo=UTC)
_BROKEN: tuple[Broken, ...] = (
    {"imo": "907472"},
    {"mmsi": "191000001"},
    {"latitude": "91.5"},
    {"call_sign": "Q1"},
    {"us_arrivals": "2026-12-30T06:00Z", "us_departures": "2026-12-29T06:00Z", "us_ports": "USNYC"},
    {"crew_count": "99"},
    {"last_ports": None},
)


def write(out: BinaryIO, *, notices: int, seed: int, bad_share: float = 0.0) -> Written:
    """A document of `notices` rows is in `out`; the same arguments always give the same bytes."""
    made, bad = rows(_notice, notices, seed=seed, broken=_BROKEN, bad_share=bad_share)
    out.write(document(made))
    return Written(len(made), bad)


def document(made: list[Row]) -> bytes:
    """The notices as XML."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<notices>\n{"".join(map(_element, made))}</notices>\n'.encode()


def _element(row: Row) -> str:
    cells = (
        f"<{name}>{escape(line)}</{name}>"
        for name in COLUMNS
        for line in (row.get(name) or "").split("\n")
        if row.get(name)
    )
    return f"<notice>{''.join(cells)}</notice>\n"


def _notice(draw: random.Random, number: int) -> Row:
    ship, submitted = Ship(draw), _NOTED + timedelta(minutes=number)
    arrives = submitted + timedelta(hours=draw.randint(96, 240))
    calls = draw.sample(_HOME, draw.randint(1, 3))
    times = [(arrives + timedelta(days=3 * call), arrives + timedelta(days=3 * call + 1)) for call in range(len(calls))]
    left = draw.sample(_FOREIGN, draw.randint(1, 5))
    persons = [person(draw) for _ in range(draw.randint(2, 6))]
    cargo = draw.sample(_CDC, draw.choice((0, 0, 0, 1, 2)))
    return {
        "notice_no": f"NOA{number + 1:08}",
        "submitted_at": at(submitted),
        "vessel_name": ship.name,
        "imo": ship.imo,
        "mmsi": ship.mmsi,
        "call_sign": ship.call_sign,
        "flag": ship.flag,
        "registered_owner": f"{ship.name.title()} Shipping Inc",
        "operator": "Example Lines (fictitious)",
        "class_society": "Example Register",
        "vessel_type": draw.choice(VESSEL_TYPES),
        "last_ports": "\n".join(left),
        "last_departures": "\n".join(
            f"{submitted - timedelta(days=4 + 6 * call):%Y-%m-%d}" for call in range(len(left))
        ),
        "us_ports": "\n".join(calls),
        "us_arrivals": "\n".join(at(arrival) for arrival, _ in times),
        "us_departures": "\n".join(at(departure) for _, departure in times),
        "latitude": f"{draw.uniform(20, 45):.4f}",
        "longitude": f"{draw.uniform(-70, -20):.4f}",
        "contact_24h": f"Duty desk, +1 202 555 01{draw.randint(0, 99):02}",
        "cargo": draw.choice(("GENERAL CARGO", "CONTAINERS", "GRAIN IN BULK", "IN BALLAST")),
        "cdc_names": "\n".join(name for name, _, _ in cargo) or None,
        "cdc_un_numbers": "\n".join(undg for _, undg, _ in cargo) or None,
        "cdc_amounts": "\n".join(amount for *_, amount in cargo) or None,
        "crew_count": str(len(persons)),
        "crew_names": "\n".join(name for name, *_ in persons),
        "crew_births": "\n".join(birth for _, birth, *_ in persons),
        "crew_nationalities": "\n".join(country for _, _, country, _ in persons),
        "crew_documents": "\n".join(paper for *_, paper in persons),
        "crew_duties": "\n".join(_DUTIES[place] for place in range(len(persons))),
        "crew_embarked": "\n".join(draw.choice(_FOREIGN) for _ in persons),
        "equipment_sound": "N" if draw.random() < 0.1 else "Y",
        "ism_doc": f"DOC-{draw.randint(1000, 9999)}",
        "ism_smc": f"SMC-{draw.randint(1000, 9999)}",
        "issc": f"ISSC-{draw.randint(1000, 9999)}",
        "issc_expires": "2028-06-30",
    }


def one(seed: int = 7) -> Row:
    """A good notice."""
    return _notice(random.Random(seed), 0)


def _truncated() -> bytes:
    whole = document([one()])
    return whole[: len(whole) // 2]


VARIANTS: dict[str, Callable[[], bytes]] = {"truncated": _truncated}
"""Deliveries that must be refused as a whole."""

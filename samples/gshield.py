"""Synthetic precursor traffic: notices, replies, suspicions and seizures, made from syllables and a seed, about nobody.

The fourteen chemicals are the real ones, their quantities, places and days are drawn. Baskets come with a CAS number or, now and
then, with a name only. Names of businesses and persons are repeated in no other column.
"""

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import BinaryIO

from samples.wire import Row, Written, write, written
from schemas import gshield_pre_export, gshield_reply, gshield_seizure, gshield_suspicious
from schemas.gshield_chemicals import BASKETS, CHEMICALS, LITRE, UNITS

DAY = date(2026, 11, 21)
_BUSINESSES = ("Alderchem", "Brinewell", "Cinderby", "Dornfeld", "Eskermill", "Fallowgate", "Garnholm", "Hollinmoor")
_FORMS = ("GmbH", "SA", "Ltd", "BV", "SpA", "A/S")
_STREETS = ("Harbour Street", "Mill Lane", "Rue du Port", "Kanaalweg", "Hafenstraße")
_GIVEN = ("Tilda", "Ruben", "Mirela", "Anton", "Sanna", "Piet", "Odile", "Bruno")
_FAMILIES = ("Vandermolen", "Okonjari", "Teskedal", "Brannagh", "Lisowiak", "Quintero", "Faldberg", "Moustari")
_PORTS = {"US": "USHOU", "DE": "DEHAM", "FR": "FRLEH", "NL": "NLRTM", "JP": "JPYOK", "KR": "KRPUS", "TR": "TRMER"}
_ASKED = ("DE", "DE", "DE", "FR", "NL", "JP", "KR", "TR")
_BETWEEN = ("BEANR", "ESALG", "GBFXT", "SGSIN")
_CONTAINERS = ("CSQU3054383", "TCLU5546482", "TGCU0235724", "FCIU2469131")
_MODES = {"SEA": "MV Kestrel", "RAIL": "Wagon 31-80", "ROAD": "Trailer KX 41", "AIR": "Flight XQ 7"}


def write_pre_export(out: BinaryIO, *, notices: int, seed: int, bad_share: float = 0.0, day: date = DAY) -> Written:
    """A register of notices is in `out`: crossings from 200 days before `day` to 60 after it."""
    return write(
        out,
        "gshield-pre-export",
        notices,
        seed,
        bad_share,
        lambda number, draw: _notice(number, draw, day),
        _BROKEN["gshield-pre-export"],
    )


def write_reply(out: BinaryIO, *, replies: int, seed: int, bad_share: float = 0.0) -> Written:
    """Replies are in `out`."""
    return write(out, "gshield-reply", replies, seed, bad_share, _reply, _BROKEN["gshield-reply"])


def write_suspicious(out: BinaryIO, *, reports: int, seed: int, bad_share: float = 0.0) -> Written:
    """Reports of suspicious consignments are in `out`."""
    return write(out, "gshield-suspicious", reports, seed, bad_share, _report, _BROKEN["gshield-suspicious"])


def write_seizure(out: BinaryIO, *, seizures: int, seed: int, bad_share: float = 0.0) -> Written:
    """A list of seizures is in `out`."""
    return write(out, "gshield-seizure", seizures, seed, bad_share, _seizure, _BROKEN["gshield-seizure"])


def notice(number: int, *, day: date = DAY, **cells: str | None) -> Row:
    """One good notice, with these cells instead of its own."""
    return _notice(number, random.Random(number), day) | cells


def seizure(number: int, **cells: str | None) -> Row:
    """One good seizure, with these cells instead of its own."""
    return _seizure(number, random.Random(number)) | cells


def reply(number: int, **cells: str | None) -> Row:
    """One good reply, with these cells instead of its own."""
    return _reply(number, random.Random(number)) | cells


def report(number: int, **cells: str | None) -> Row:
    """One good report, with these cells instead of its own."""
    return _report(number, random.Random(number)) | cells


_BROKEN: Mapping[str, tuple[Mapping[str, str | None], ...]] = {
    "gshield-pre-export": (
        {"cas": "7757-79-2"},
        {"hs6": "282990", "cas": None, "chemical_name": "oxidiser, technical grade", "un_number": None},
        {"hs6": "999999"},
        {"quantity_kg": "999999999"},
        {"route": "USHOU\nQQQQQ"},
        {"border_crossing_date": "2026-02-30"},
        {"container": "CSQU3054384"},
        {"consignee_name": None},
    ),
    "gshield-reply": ({"reply": "PERHAPS"}, {"reply": "NEEDS_INFO", "needed": None}, {"replied_on": "2020-01-01"}),
    "gshield-suspicious": (
        {"subject_count": "0", "subjects": "Tilda Quintero"},
        {"indicators": "HUNCH"},
        {"cas": "67-64-2"},
        {"status": "?"},
    ),
    "gshield-seizure": (
        {"location": "QQQQQ"},
        {"quantity_kg": "-5"},
        {"arrests": "0", "arrested": "Bruno Faldberg\nOdile Brannagh"},
        {"hs6": "282919", "cas": None, "chemical_name": "salts", "un_number": None},
    ),
}
"""What can be wrong with a bad row: these cells instead of its own."""


def _business(draw: random.Random) -> str:
    return f"{draw.choice(_BUSINESSES)} {draw.choice(_FORMS)}"


def _address(draw: random.Random) -> str:
    return f"{draw.choice(_STREETS)} {draw.randrange(1, 240)}"


def _people(draw: random.Random, count: int) -> str | None:
    return "\n".join(f"{draw.choice(_GIVEN)} {draw.choice(_FAMILIES)}" for _ in range(count)) or None


def _goods(draw: random.Random) -> dict[str, str | None]:
    chemical = draw.choice(CHEMICALS)
    heading = draw.choice(chemical.headings)
    unit = draw.choice((*UNITS, LITRE)) if heading == "284700" else draw.choice(("KGM", "TNE"))
    quantity = draw.randrange(1, 25) if unit == "TNE" else draw.randrange(50, 24_000)
    kilograms = quantity * 1.1 if unit == LITRE else quantity * UNITS[unit]
    says_number = not (heading in BASKETS and draw.random() < 0.2)
    return {
        "chemical_name": chemical.name,
        "cas": chemical.cas if says_number else None,
        "hs6": heading,
        "un_number": draw.choice((*chemical.un_numbers, None)),
        "quantity": str(quantity),
        "unit": unit,
        "quantity_kg": f"{kilograms:.3f}".rstrip("0").rstrip("."),
    }


def _notice(number: int, draw: random.Random, day: date) -> dict[str, str | None]:
    to = draw.choice(_ASKED)
    mode = draw.choice(list(_MODES))
    between = draw.sample(_BETWEEN, draw.randrange(0, 3))
    valued = draw.random() < 0.8
    row: dict[str, str | None] = {
        "notification_no": f"US-PEN-2026-{number:06d}",
        "exporting_customs": "US",
        "importing_customs": to,
        "consignor_name": _business(draw),
        "consignor_address": _address(draw),
        "consignee_name": _business(draw),
        "consignee_address": _address(draw),
        "final_user": _business(draw) if draw.random() < 0.5 else None,
        **_goods(draw),
        "packaging": draw.choice(gshield_pre_export.PACKAGINGS),
        "route": "\n".join([_PORTS["US"], *between, _PORTS[to]]),
        "border_crossing_date": (day + timedelta(days=draw.randrange(-200, 61))).isoformat(),
        "transport_mode": mode,
        "vehicle": _MODES[mode],
        "container": draw.choice(_CONTAINERS) if mode == "SEA" else None,
        "invoice_value": str(draw.randrange(500, 90_000)) if valued else None,
        "invoice_currency": "USD" if valued else None,
        "licence_no": f"EL-{draw.randrange(10_000, 99_999)}",
        "contact_officer": _people(draw, 1),
    }
    return {name: row[name] for name in gshield_pre_export.COLUMNS}


def _reply(number: int, draw: random.Random) -> dict[str, str | None]:
    notified = DAY - timedelta(days=draw.randrange(20, 200))
    said = draw.choice(("NO_OBJECTION", "NO_OBJECTION", "NO_OBJECTION", "OBJECTION", "NEEDS_INFO", "STOP"))
    row: dict[str, str | None] = {
        "reply_no": f"DE-REP-2026-{number:06d}",
        "notification_no": f"US-PEN-2026-{number:06d}",
        "exporting_customs": "US",
        "replying_customs": "DE",
        "reply": said,
        "needed": "\n".join(draw.sample(gshield_reply.NEEDS, 2)) if said == "NEEDS_INFO" else None,
        "notified_on": notified.isoformat(),
        "replied_on": (notified + timedelta(days=draw.randrange(1, 15))).isoformat(),
        "reason": "Consignee under a running inquiry" if said in ("OBJECTION", "STOP") else None,
        "officer_name": _people(draw, 1),
    }
    return {name: row[name] for name in gshield_reply.COLUMNS}


def _report(number: int, draw: random.Random) -> dict[str, str | None]:
    named = draw.randrange(0, 3)
    row: dict[str, str | None] = {
        "report_no": f"US-SUS-2026-{number:06d}",
        "reporting_customs": "US",
        "reported_on": (DAY - timedelta(days=draw.randrange(1, 200))).isoformat(),
        "notification_no": f"US-PEN-2026-{number:06d}" if draw.random() < 0.5 else None,
        **_goods(draw),
        "origin_country": "US",
        "destination_country": draw.choice(_ASKED),
        "indicators": "\n".join(draw.sample(gshield_suspicious.INDICATORS, draw.randrange(1, 4))),
        "status": draw.choice(gshield_suspicious.STATUSES),
        "businesses": _business(draw),
        "subjects": _people(draw, named),
        "subject_count": str(named + draw.randrange(0, 2)),
        "narrative": "Paid in notes, asked for delivery to a car park",
    }
    return {name: row[name] for name in gshield_suspicious.COLUMNS}


def _seizure(number: int, draw: random.Random) -> dict[str, str | None]:
    arrests = draw.choice((0, 0, 0, 1, 2))
    country = draw.choice(list(_PORTS))
    row: dict[str, str | None] = {
        "seizure_no": f"{country}-SEZ-2026-{number:06d}",
        "seizing_customs": country,
        "seized_on": (DAY - timedelta(days=draw.randrange(1, 900))).isoformat(),
        "location": _PORTS[country],
        **_goods(draw),
        "packaging": draw.choice(gshield_pre_export.PACKAGINGS),
        "origin_country": draw.choice(("CN", "IN", "US", None)),
        "destination_country": draw.choice(("AF", "PK", "TR", None)),
        "transit": draw.choice((None, "AE", "AE\nSG")),
        "concealment": draw.choice(gshield_seizure.CONCEALMENTS),
        "arrests": str(arrests),
        "arrested": _people(draw, arrests),
        "notification_no": None,
    }
    return {name: row[name] for name in gshield_seizure.COLUMNS}


def _without_a_column() -> bytes:
    rows = [{name: cell for name, cell in reply(number).items() if name != "reply"} for number in range(1, 6)]
    return written("gshield-reply", rows)


VARIANTS: dict[str, Callable[[], bytes]] = {
    "pre-export-truncated": lambda: written("gshield-pre-export", [notice(1), notice(2)])[:-40],
    "reply-missing-column": _without_a_column,
    "suspicious-not-json": lambda: b"report,reporting\n1,US\n",
    "seizure-latin-1": lambda: (
        written("gshield-seizure", [seizure(1, chemical_name="Säure")]).decode().encode("latin-1")
    ),
}
"""Deliveries that are refused as a whole."""

"""Synthetic sea cargo: manifests, importers' filings, referrals and examinations, made from syllables and a seed, about nobody.

Container, ship and bill numbers have right check digits and belong to nobody in particular. Scores, rules, sources and analysts of a
referral are repeated in no other column.
"""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from samples.wire import Row, Written, write, written
from schemas import csi_exam_result, csi_isf, csi_manifest24h, csi_referral

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_BUSINESSES = (
    "Alderbeck",
    "Brinefield",
    "Cinderholm",
    "Dornmoor",
    "Eskerport",
    "Fallowick",
    "Garnbridge",
    "Hollindale",
)
_TRADES = ("Tools", "Textiles", "Foods", "Optics", "Machines", "Paper")
_GIVEN = ("Tilda", "Ruben", "Mirela", "Anton", "Sanna", "Piet")
_FAMILIES = ("Vandermolen", "Okonjari", "Teskedal", "Brannagh", "Lisowiak", "Quintero")
_GOODS = (
    ("820310", "Steel files and rasps for hand use, in cartons"),
    ("610910", "Knitted cotton T-shirts for men"),
    ("190531", "Sweet biscuits in retail packs"),
    ("901110", "Stereoscopic microscopes"),
    ("847130", "Portable computers with charger"),
    ("480256", "Uncoated office paper, A4, 80 g"),
)
_VESSELS = (("Example Kestrel", "9074729", "DK"), ("Example Heron", "9319466", "LR"), ("Example Tern", "9241061", "PA"))
_PORTS = ("NLRTM", "NLRTM", "NLRTM", "DEHAM", "BEANR", "SGSIN")
_LISTED = ("NLCONF0001", "DECONF0002", "USCONF0003", "USCONF0004")
"""Parties of the confidentiality list, by their ids (`catalogue/codes/csi-confidential-parties-v1.toml`)."""


def write_manifest24h(out: BinaryIO, *, containers: int, seed: int, bad_share: float = 0.0) -> Written:
    """A manifest is in `out`."""
    return write(out, "csi-manifest24h", containers, seed, bad_share, _line, _BROKEN["csi-manifest24h"])


def write_isf(out: BinaryIO, *, filings: int, seed: int, bad_share: float = 0.0) -> Written:
    """Importers' filings are in `out`."""
    return write(out, "csi-isf", filings, seed, bad_share, _filing, _BROKEN["csi-isf"])


def write_referral(out: BinaryIO, *, referrals: int, seed: int, bad_share: float = 0.0) -> Written:
    """Referrals are in `out`."""
    return write(out, "csi-referral", referrals, seed, bad_share, _referral, _BROKEN["csi-referral"])


def write_exam_result(out: BinaryIO, *, results: int, seed: int, bad_share: float = 0.0) -> Written:
    """Results of examinations are in `out`."""
    return write(out, "csi-exam-result", results, seed, bad_share, _examination, _BROKEN["csi-exam-result"])


def line(number: int, **cells: str | None) -> Row:
    """One good line of a manifest, with these cells instead of its own."""
    return _line(number, random.Random(number)) | cells


def filing(number: int, **cells: str | None) -> Row:
    """One good filing of ten elements, with these cells instead of its own."""
    return _ten(number, random.Random(number)) | cells


def referral(number: int, **cells: str | None) -> Row:
    """One good referral, with these cells instead of its own."""
    return _referral(number, random.Random(number)) | cells


def examination(number: int, **cells: str | None) -> Row:
    """One good result, with these cells instead of its own."""
    return _examination(number, random.Random(number)) | cells


def container_number(serial: int) -> str:
    """A container number with its check digit (ISO 6346)."""
    values = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (value for value in range(10, 39) if value % 11), strict=True))
    known = f"XMPU{serial:06d}"
    total = sum((values.get(sign) or int(sign)) * 2**place for place, sign in enumerate(known))
    return f"{known}{total % 11 % 10}"


_BROKEN: Mapping[str, tuple[Mapping[str, str | None], ...]] = {
    "csi-manifest24h": (
        {"container": "CSQU3054384"},
        {"description": "FAK", "hs6": None},
        {"description": "Said to contain 40 cartons"},
        {"vessel_imo": "9074720"},
        {"port_of_lading": "USNYC"},
        {"filed_at": "2026-12-31T23:59Z"},
        {"seals": None, "container": "CSQU3054383"},
        {"shipper_id": None, "shipper_name": None},
    ),
    "csi-isf": (
        {"filing_type": "ISF-10", "seller": None},
        {"filing_type": "ISF-5", "booking_party": None},
        {"hts6": "999999"},
        {"filed_at": "2026-12-31T23:59Z"},
        {"consolidator": "Only Half of It Ltd", "stuffing_location": None},
    ),
    "csi-referral": ({"container": "CSQU3054384"}, {"target_score": None}, {"cutoff_at": "2020-01-01T00:00Z"}),
    "csi-exam-result": (
        {"result": "MAYBE", "exams_done": "NII"},
        {"result": None, "refused_reason": None},
        {"result": "CLEAR", "refused_reason": None, "exams_done": "NII", "radiation_alarm": "Y"},
    ),
}
"""What can be wrong with a bad row: these cells instead of its own."""


def _minute(hours: float) -> str:
    return f"{NOW + timedelta(hours=hours):%Y-%m-%dT%H:%MZ}"


def _business(draw: random.Random) -> str:
    return f"{draw.choice(_BUSINESSES)} {draw.choice(_TRADES)} Ltd"


def _person(draw: random.Random) -> str:
    return f"{draw.choice(_GIVEN)} {draw.choice(_FAMILIES)}"


def _line(number: int, draw: random.Random) -> dict[str, str | None]:
    hs6, description = draw.choice(_GOODS)
    vessel, imo, flag = draw.choice(_VESSELS)
    port = draw.choice(_PORTS)
    loose = draw.random() < 0.1
    lading = draw.randrange(-700, 200)
    row: dict[str, str | None] = {
        "bl_number": f"XMPL{number:08d}",
        "line": "1",
        "carrier_scac": "XMPL",
        "vessel_name": vessel,
        "vessel_imo": imo,
        "vessel_flag": flag,
        "voyage": f"{draw.randrange(100, 999)}W",
        "receipt_port": port,
        "port_of_lading": port,
        "last_foreign_port": draw.choice((port, "GBFXT")),
        "first_us_port": draw.choice(("USNYC", "USHOU", "USLAX")),
        "filed_at": _minute(lading - draw.randrange(24, 90)),
        "lading_at": _minute(lading),
        "departure_at": _minute(lading + 20) if draw.random() < 0.7 else None,
        "eta_us": _minute(lading + 250),
        "container": None if loose else container_number(number),
        "size_type": None if loose else draw.choice(("22G1", "42G1", "45R1", "L5G1")),
        "seals": None if loose else draw.choice((f"SL{number:06d}", f"SL{number:06d}\nCU{number:05d}")),
        "packages": str(draw.randrange(1, 900)),
        "weight_kg": str(draw.randrange(100, 26_000)),
        "hs6": hs6 if draw.random() < 0.7 else None,
        "description": description,
        "undg": None,
        **_party("shipper", draw, ("NL", "DE"), number),
        **_party("consignee", draw, ("US",), number),
    }
    return {name: row[name] for name in csi_manifest24h.COLUMNS}


def _party(party: str, draw: random.Random, countries: tuple[str, ...], number: int) -> dict[str, str | None]:
    country = draw.choice(countries)
    listed = [id for id in _LISTED if id.startswith(country)]
    known = draw.choice((*listed, *(f"{country}{party[:4].upper()}{number:05d}" for _ in range(8)), None))
    return {
        f"{party}_id": known,
        f"{party}_name": _business(draw),
        f"{party}_address": f"{draw.randrange(1, 200)} Quay Road",
    }


def _filing(number: int, draw: random.Random) -> dict[str, str | None]:
    return _ten(number, draw) if draw.random() < 0.9 else _five(number, draw)


def _ten(number: int, draw: random.Random) -> dict[str, str | None]:
    stuffed = draw.random() < 0.8
    row = _voyage(number, draw) | {
        "filing_type": "ISF-10",
        "stuffing_filed_at": _minute(60) if stuffed else None,
        "seller": _business(draw),
        "buyer": _business(draw),
        "importer_number": f"{draw.randrange(10, 99)}-{draw.randrange(1_000_000, 9_999_999)}00",
        "consignee_number": f"{draw.randrange(10, 99)}-{draw.randrange(1_000_000, 9_999_999)}",
        "manufacturer": _business(draw),
        "ship_to": _business(draw),
        "origin_country": draw.choice(("NL", "DE", "CN", "VN")),
        "hts6": draw.choice(_GOODS)[0],
        "stuffing_location": f"{draw.randrange(1, 99)} Dock Lane" if stuffed else None,
        "consolidator": _business(draw) if stuffed else None,
    }
    return {name: row.get(name) for name in csi_isf.COLUMNS}


def _five(number: int, draw: random.Random) -> dict[str, str | None]:
    row = _voyage(number, draw) | {
        "filing_type": "ISF-5",
        "booking_party": _business(draw),
        "unlading_port": "MXVER",
        "delivery_place": "Veracruz",
        "ship_to": _business(draw),
        "hts6": draw.choice(_GOODS)[0],
    }
    return {name: row.get(name) for name in csi_isf.COLUMNS}


def _voyage(number: int, draw: random.Random) -> dict[str, str | None]:
    lading = draw.randrange(30, 100)
    return {
        "filing_no": f"XJ4-{number:011d}",
        "bl_number": f"XMPL{number:08d}",
        "carrier_scac": "XMPL",
        "port_of_lading": draw.choice(_PORTS),
        "filed_at": _minute(lading - draw.randrange(24, 90)),
        "lading_at": _minute(lading),
        "arrival_at": _minute(lading + 250),
    }


def _referral(number: int, draw: random.Random) -> dict[str, str | None]:
    port, (vessel, imo, _flag) = draw.choice(_PORTS), draw.choice(_VESSELS)
    row: dict[str, str | None] = {
        "referral_no": f"CSI-{port}-{number:08d}",
        "container": container_number(number),
        "bl_number": f"XMPL{number:08d}",
        "vessel_name": vessel,
        "vessel_imo": imo,
        "voyage": f"{draw.randrange(100, 999)}W",
        "port_of_lading": port,
        "hs6": draw.choice(_GOODS)[0],
        "reason_class": draw.choice(csi_referral.CLASSES),
        "requested_exams": "\n".join(draw.sample(csi_referral.EXAMS, draw.randrange(1, 3))),
        "requested_at": _minute(draw.randrange(-40, 0)),
        "cutoff_at": _minute(draw.randrange(2, 30)),
        "target_score": str(draw.randrange(5_000, 10_000)),
        "rule_ids": "\n".join(f"TGT-{draw.randrange(10_000):04d}" for _ in range(draw.randrange(1, 4))),
        "source": draw.choice(("Watch list Larch", "Tip from a liaison officer", None)),
        "analyst": _person(draw),
    }
    return {name: row[name] for name in csi_referral.COLUMNS}


def _examination(number: int, draw: random.Random) -> dict[str, str | None]:
    refused = draw.random() < 0.1
    row: dict[str, str | None] = {
        "referral_no": f"CSI-NLRTM-{number:08d}",
        "container": container_number(number),
        "result": None if refused else draw.choice(csi_exam_result.RESULTS),
        "refused_reason": draw.choice(csi_exam_result.REFUSALS) if refused else None,
        "exams_done": None if refused else draw.choice(("NII", "NII\nRIID", "NII\nPHYS")),
        "image_ref": None if refused else f"IMG-{number:08d}",
        "radiation_alarm": None if refused else "N",
        "host_officer_role": draw.choice(csi_exam_result.ROLES),
        "host_officer_name": _person(draw),
        "completed_at": _minute(draw.randrange(1, 20)),
    }
    return {name: row[name] for name in csi_exam_result.COLUMNS}


def _without_a_column() -> bytes:
    return written("csi-manifest24h", [{name: cell for name, cell in line(1).items() if name != "seals"}])


VARIANTS: dict[str, Callable[[], bytes]] = {
    "manifest24h-missing-column": _without_a_column,
    "isf-truncated": lambda: written("csi-isf", [filing(1), filing(2)])[:-40],
    "referral-truncated": lambda: written("csi-referral", [referral(1), referral(2)])[:-20],
    "exam-result-entity": lambda: written("csi-exam-result", [examination(1)]).replace(
        b"<examinations>", b'<!DOCTYPE examinations [<!ENTITY e "x">]><examinations>', 1
    ),
}
"""Deliveries that are refused as a whole."""

"""PAXLST messages with a seed: what is written, and the rows that a reader must give back."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tests.formats.edifact_writer import Dialect, Segment, c

Row = dict[str, str]
UN = Dialect(repetition=" ", una=False)
"""The way of the WCO/IATA/ICAO guide: no UNA, dates with their format code, the name in two components."""
US = Dialect(repetition=" ")
"""The way of the US guide: UNA, plain dates, given names apart, an address."""
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ '+:?.-ÅÉÖ"
_PLACES = ("FRA", "JFK", "YYZ", "DUB", "IAD", "ORD", "DOH", "AUH")
_COUNTRIES = ("DEU", "USA", "CAN", "IRL", "QAT", "ARE", "GBR", "MEX")
_DEPARTS = date(2027, 3, 1)


@dataclass(frozen=True)
class Written:
    """An interchange and its rows, each with `_position`."""

    content: bytes
    rows: list[dict[str, str | int]]


def lists(seed: int, *, us: bool, messages: int = 2, travellers: int = 5) -> Written:
    """An interchange of lists of travellers, with names and texts that hold service characters."""
    draw = random.Random(seed)
    segments: list[Segment] = [("UNB", c("UNOC", "4"), "XX", "APIS", c("270228", "0754"), "77")]
    rows: list[dict[str, str | int]] = []
    for number in range(1, messages + 1):
        flight, header = _flight(draw, us=us)
        body: list[Segment] = [("UNH", str(number), c("PAXLST", "D", "05B", "UN", "IATA")), *header]
        for _ in range(travellers):
            row, told = _traveller(draw, us=us)
            rows.append({"_position": len(segments) + len(body) + 1, **flight, **row})
            body += told
        crew = sum(row["traveller_kind"] in ("FM", "DDT") for row in rows[-travellers:])
        body += [("CNT", c("42", str(travellers - crew))), ("CNT", c("41", str(crew)))]
        segments += [*body, ("UNT", str(len(body) + 1), str(number))]
    segments.append(("UNZ", str(messages), "77"))
    return Written((US if us else UN).write(segments, encoding="iso-8859-1"), rows)


def _text(draw: random.Random, longest: int = 12) -> str:
    return "A" + "".join(draw.choice(_SIGNS) for _ in range(draw.randint(1, longest))) + "Z"


def _date(day: date, *, us: bool) -> list[str]:
    return [f"{day:%y%m%d}"] if us else [f"{day:%Y%m%d}", "102"]


def _flight(draw: random.Random, *, us: bool) -> tuple[Row, list[Segment]]:
    carrier, number = draw.choice(("XX", "9Z", "Q7")), str(draw.randint(1, 9999))
    departs, arrives = draw.sample(_PLACES, 2)
    day = _DEPARTS + timedelta(days=draw.randint(0, 9))
    name, kind = _text(draw), draw.choice(("745", "250"))
    status = draw.choice(("C", "CP")) if us else ""
    code, shown = ("201", f"{day:%y%m%d}") if us else ("203", f"{day:%Y%m%d}")
    row = {
        "list_kind": kind,
        "flight_carrier": carrier,
        "flight_number": number,
        "departure_airport": departs,
        "arrival_airport": arrives,
        "departs_at": f"{day}T1015",
        "arrives_at": f"{day}T2330",
        "route": f"20 {carrier}{number}\n125 {departs}\n87 {arrives}",
        "reporting_party": name,
        "reporting_contacts": "TE 555 0100\nEM OPS@EXAMPLE.COM",
    } | ({"list_status": status} if status else {})
    for column in ("departs_at", "arrives_at"):
        row[column] = row[column][:-2] + ":" + row[column][-2:]
    transport: Segment = ("TDT", "20", carrier + number) if us else ("TDT", "20", carrier + number, "", "", carrier)
    return row, [
        ("BGM", kind, status),
        ("NAD", "MS", "", "", name),
        ("COM", c("555 0100", "TE"), c("OPS@EXAMPLE.COM", "EM")),
        transport,
        ("LOC", "125", departs),
        ("DTM", c("189", f"{shown}1015", code)),
        ("LOC", "87", arrives),
        ("DTM", c("232", f"{shown}2330", code)),
    ]


def _traveller(draw: random.Random, *, us: bool) -> tuple[Row, list[Segment]]:
    row: Row = {"traveller_kind": draw.choice(("FL", "FL", "FL", "FM", "DDU", "DDT")), "surname": _text(draw)}
    given = [_text(draw) for _ in range(draw.randint(1, 3 if us else 1))]
    row["given_names"] = " ".join(given)
    told: list[Segment] = [_name(draw, row, given, us=us)]
    row["sex"] = draw.choice("MFUX")
    born = _DEPARTS - timedelta(days=draw.randint(1, 36000))
    row["birth_date"] = born.isoformat()
    told += [("ATT", "2", "", row["sex"]), ("DTM", c("329", *_date(born, us=us)))]
    told += _extras(draw, row, us=us)
    told += _documents(draw, row, us=us)
    return row, told


def _name(draw: random.Random, row: Row, given: list[str], *, us: bool) -> Segment:
    name = c(row["surname"], *given)
    if not us:
        # Either composite may hold the name: party name (C080) or name and address (C058).
        return (
            ("NAD", row["traveller_kind"], "", "", name)
            if draw.random() < 0.5
            else ("NAD", row["traveller_kind"], "", name)
        )
    row |= {
        "address_street": _text(draw),
        "address_city": _text(draw),
        "address_region": "VA",
        "address_postcode": "10053",
        "address_country": "USA",
    }
    address = [row[f"address_{part}"] for part in ("street", "city", "region", "postcode", "country")]
    return ("NAD", row["traveller_kind"], "", "", name, *address)


def _extras(draw: random.Random, row: Row, *, us: bool) -> list[Segment]:
    told: list[Segment] = []
    if draw.random() < 0.5:
        row |= {"bag_count": "2", "bag_weight": "31 KGM", "bag_tags": "XX0001\nXX0002"}
        told += [
            ("MEA", "CT", "", c("", "2")),
            ("MEA", "WT", "", c("KGM", "31")),
            ("FTX", "BAG", "", "", c("XX0001", "XX0002")),
        ]
    for code, column in (("22", "clearance_port"), ("178", "embarkation_port"), ("179", "debarkation_port")):
        row[column] = draw.choice(_PLACES)
        told.append(("LOC", code, row[column]))
    row["residence_country"] = draw.choice(_COUNTRIES)
    told.append(("LOC", "174", row["residence_country"]))
    if draw.random() < 0.5:
        row |= {"birth_country": draw.choice(_COUNTRIES), "birth_place": _text(draw)}
        told.append(("LOC", "180", c(row["birth_country"], "", "", row["birth_place"])))
    row["nationality"] = draw.choice(_COUNTRIES)
    told.append(("NAT", "2", row["nationality"]))
    for code, column in (("AVF", "record_locator"), ("ABO", "traveller_ref"), ("CR", "customer_ref"), ("SEA", "seat")):
        if draw.random() < 0.7:
            row[column] = f"{draw.randint(10**5, 10**9)}"
            told.append(("RFF", c(code, row[column])))
    if us and draw.random() < 0.5:
        row["verification"] = "173"
        told.append(("GEI", "4", "173"))
    return told


def _documents(draw: random.Random, row: Row, *, us: bool) -> list[Segment]:
    told: list[Segment] = []
    kinds = [("P", "document")] + [("V", "visa")] * (draw.random() < 0.4)
    draw.shuffle(kinds)
    for kind, name in kinds:
        expires = _DEPARTS + timedelta(days=draw.randint(1, 3600))
        number, issuer = f"{kind}{draw.randint(10**6, 10**8)}", draw.choice(_COUNTRIES)
        row |= {f"{name}_number": number, f"{name}_issuer": issuer, f"{name}_expiry": expires.isoformat()}
        told.append(("DOC", c(kind, "110", "111"), number))
        told += [("DTM", c("36", *_date(expires, us=us))), ("LOC", "91", issuer)]
    row["document_type"] = "P"
    return told


def one_list(*travellers: Sequence[Segment], kind: str = "745", after: Sequence[Segment] = ()) -> list[Segment]:
    """The body of one passenger list, between UNH and UNT."""
    return [
        ("BGM", kind),
        ("TDT", "20", "XX400", "", "", "XX"),
        ("LOC", "125", "FRA"),
        ("DTM", c("189", "2703011015", "201")),
        ("LOC", "87", "JFK"),
        ("DTM", c("232", "2703011330", "201")),
        *(segment for traveller in travellers for segment in traveller),
        *after,
    ]


def interchange(*bodies: Sequence[Segment], version: str = "02B") -> list[Segment]:
    """The lists, each in UNH and UNT, with right counts."""
    segments: list[Segment] = [("UNB", c("UNOA", "4"), "XX", "APIS", c("270228", "0754"), "77")]
    for number, body in enumerate(bodies, start=1):
        segments.append(("UNH", str(number), c("PAXLST", "D", version, "UN", "IATA")))
        segments += [*body, ("UNT", str(len(body) + 2), str(number))]
    return [*segments, ("UNZ", str(len(bodies)), "77")]

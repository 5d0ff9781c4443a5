"""Synthetic PAXLST lists: flights from preclearance airports and others, made from syllables and a seed, about nobody.

Each flight has a passenger list and a crew list; some passengers are in transit, carry a visa, or have the second line of
their passport sent with its check digits.
"""

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO

_ROUTES = (
    ("AC", "7538", "YYZ", "LGA", "0730", "0905"),
    ("WS", "1482", "YYC", "LAX", "0910", "1050"),
    ("EI", "0105", "DUB", "JFK", "1130", "1345"),
    ("EY", "0101", "AUH", "IAD", "0230", "0840"),
    ("AC", "0541", "YVR", "SFO", "1405", "1620"),
    ("LH", "0430", "FRA", "ORD", "1040", "1255"),
    ("PD", "0901", "YOW", "EWR", "1700", "1835"),
)
_STARTS = ("AL", "BRA", "COR", "DEV", "EL", "FAR", "GRE", "HAL", "IV", "JOR", "KES", "LOM", "MAR", "NOR", "OST", "PEL")
_ENDS = ("BECK", "DALE", "FORD", "GREN", "HOLT", "KAMP", "LUND", "MONT", "NESS", "PORT", "QUIST", "RIDGE", "SEN", "VIK")
_MIDDLES = ("", "A", "E", "I", "O", "U", "AN", "EN", "IN", "ON")
_GIVEN = ("ADA", "BRUNO", "CLARA", "DARIO", "ELSA", "FELIX", "GRETA", "HUGO", "IDA", "JONAS", "KLARA", "LEON", "MILA")
_COUNTRIES = ("CAN", "USA", "IRL", "ARE", "DEU", "FRA", "IND", "MEX", "BRA", "KOR", "GBR")
_CITIES = (("BOSTON", "MA", "02101"), ("RESTON", "VA", "20190"), ("AUSTIN", "TX", "73301"), ("RENO", "NV", "89501"))
_ONWARD = ("MEX", "GRU", "BOG", "LIM")
_CREW_PER_FLIGHT = 6
_BAD = ("birth", "sex", "nationality", "number", "expiry", "mrz-digit", "mrz-number", "transit")
_MRZ_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows the interchange gives, and how many of them the schema rejects."""

    rows: int
    bad_rows: int


def write(
    out: BinaryIO,
    *,
    travellers: int,
    seed: int,
    bad_share: float = 0.0,
    per_message: int = 180,
    departs: date = date(2027, 3, 1),
    line_breaks: bool = False,
) -> Written:
    """An interchange of `travellers` rows is in `out`; the same arguments always give the same bytes."""
    draw, end, messages, bad_rows, left = random.Random(seed), "\n" if line_breaks else "", 0, 0, travellers
    out.write(f"UNA:+.? '{end}UNB+UNOA:4+CARRIER:ZZ+USCSAPIS:ZZ+270228:0754+000301++APIS'{end}".encode())
    number = 0
    while left > 0:
        route, day = _ROUTES[number % len(_ROUTES)], departs + timedelta(days=number // len(_ROUTES))
        for crew, most in ((False, per_message), (True, _CREW_PER_FLIGHT)):
            rows, messages = min(left, most), messages + 1
            if not rows:
                break
            people = [_Person(draw, route, day, crew=crew, bad_share=bad_share) for _ in range(rows)]
            bad_rows += sum(bool(person.bad) for person in people)
            out.write(_message(messages, route, day, people, crew=crew, end=end).encode())
            left -= rows
        number += 1
    out.write(f"UNZ+{messages}+000301'{end}".encode())
    return Written(travellers, bad_rows)


class _Person:
    """One traveller, drawn; `bad` names what is wrong with it, "" nothing."""

    def __init__(self, draw: random.Random, route: tuple[str, ...], day: date, *, crew: bool, bad_share: float) -> None:
        self.bad = draw.choice(_BAD) if draw.random() < bad_share else ""
        if crew and self.bad == "transit":
            self.bad = "sex"
        in_transit = self.bad == "transit" or (not crew and draw.random() < 0.05)
        self.kind = "FM" if crew else "DDU" if in_transit else "FL"
        self.name = ":".join(
            (
                draw.choice(_STARTS) + draw.choice(_MIDDLES) + draw.choice(_ENDS),
                *draw.sample(_GIVEN, draw.randint(1, 2)),
            )
        )
        self.sex = draw.choice("FM")
        self.born = day - timedelta(days=draw.randint(7000, 24000) if crew else draw.randint(30, 32000))
        self.country = draw.choice(_COUNTRIES)
        self.expires = day + timedelta(days=draw.randint(30, 3600))
        self.number = f"{draw.choice('CFGHJK')}{draw.randint(10**7, 10**8 - 1)}"
        self.segments = [*self._person(draw, route), *self._papers(draw, day)]

    def _person(self, draw: random.Random, route: tuple[str, ...]) -> list[str]:
        city, state, postcode = draw.choice(_CITIES)
        address = f"+{draw.randint(1, 999)} SAMPLE AVE+{city}+{state}+{postcode}+USA" if self.kind == "FL" else ""
        birth = "800231" if self.bad == "birth" else f"{self.born:%y%m%d}"
        ports = [f"LOC+22+{route[3]}", f"LOC+178+{route[2]}", f"LOC+179+{route[3]}"]
        if self.kind == "DDU":
            ports[2:] = [] if self.bad == "transit" else [f"LOC+179+{draw.choice(_ONWARD)}"]
        bags = ["MEA+CT++:1", "MEA+WT++KGM:18", f"FTX+BAG+++{route[0]}{draw.randint(100000, 999999)}"]
        return [
            f"NAD+{self.kind}+++{self.name}{address}",
            f"ATT+2++{'Z' if self.bad == 'sex' else self.sex}",
            f"DTM+329:{birth}",
            *(bags if draw.random() < 0.4 else []),
            f"GEI+4+{draw.choice(('173', '174'))}",
            *self._mrz(draw),
            *ports,
            f"LOC+174+{self.country}",
            f"LOC+180+{self.country}:::{draw.choice(_CITIES)[0]}",
            f"NAT+2+{'QQQ' if self.bad == 'nationality' else self.country}",
            f"RFF+AVF:{''.join(draw.choices('23456789ABCDEFGHJKLMNPQRSTUVWXYZ', k=6))}",
            f"RFF+ABO:{route[0]}{draw.getrandbits(40):010X}",
            *([f"RFF+SEA:{draw.randint(1, 60)}{draw.choice('ABCDEFGHK')}"] if self.kind != "FM" else []),
        ]

    def _mrz(self, draw: random.Random) -> list[str]:
        if not self.bad.startswith("mrz") and (self.bad or draw.random() < 0.6):
            return []
        number = "L" + self.number[1:] if self.bad == "mrz-number" else self.number
        line = mrz_line(number, self.country, self.born, self.sex, self.expires)
        if self.bad == "mrz-digit":
            line = line[:43] + str((int(line[43]) + 1) % 10)
        return [f"FTX+AAI+++{line}"]

    def _papers(self, draw: random.Random, day: date) -> list[str]:
        expiry = "991331" if self.bad == "expiry" else f"{self.expires:%y%m%d}"
        number = "" if self.bad == "number" else self.number
        papers = [f"DOC+P:110:111+{number}", f"DTM+36:{expiry}", f"LOC+91+{self.country}"]
        if draw.random() < 0.15:
            ends = day + timedelta(days=draw.randint(30, 900))
            papers += [f"DOC+V:110:111+V{draw.randint(10**7, 10**8 - 1)}", f"DTM+36:{ends:%y%m%d}", "LOC+91+USA"]
        return papers


def mrz_line(number: str, country: str, born: date, sex: str, expires: date) -> str:
    """The second line of a passport, with its five check digits (ICAO 9303-4, 4.2.2)."""
    number, birth, expiry, optional = f"{number:<<9}", f"{born:%y%m%d}", f"{expires:%y%m%d}", "<" * 14
    fields = [field + _check_digit(field) for field in (number, birth, expiry, optional)]
    return f"{fields[0]}{country:<<3}{fields[1]}{sex}{fields[2]}{fields[3]}{_check_digit(''.join(fields))}"


def _check_digit(field: str) -> str:
    values = (_MRZ_SIGNS.index(sign) if sign != "<" else 0 for sign in field)
    return str(sum(value * (7, 3, 1)[at % 3] for at, value in enumerate(values)) % 10)


def _message(number: int, route: tuple[str, ...], day: date, people: list[_Person], *, crew: bool, end: str) -> str:
    carrier, flight, departs, arrives, begins, ends = route
    lands = day + timedelta(days=1) if ends < begins else day
    segments = [
        f"UNH+{number}+PAXLST:D:05B:UN:IATA+{carrier}{flight}/{day:%y%m%d}/{begins}",
        "BGM+250+C" if crew else "BGM+745",
        f"NAD+MS+++{carrier} OPERATIONS",
        "COM+12025550100:TE+12025550101:FX",
        f"TDT+20+{carrier}{flight}+++{carrier}",
        f"LOC+125+{departs}",
        f"DTM+189:{day:%y%m%d}{begins}:201",
        f"LOC+87+{arrives}",
        f"DTM+232:{lands:%y%m%d}{ends}:201",
        *(segment for person in people for segment in person.segments),
        f"CNT+{'41' if crew else '42'}:{len(people)}",
    ]
    return "".join(f"{segment}'{end}" for segment in [*segments, f"UNT+{len(segments) + 1}+{number}"])


def good() -> bytes:
    """A small interchange, all of it acceptable."""
    return _small()


def _small(*, bad_share: float = 0.0) -> bytes:
    out = io.BytesIO()
    write(out, travellers=40, seed=7, bad_share=bad_share, per_message=15, line_breaks=True)
    return out.getvalue()


def _truncated() -> bytes:
    whole = _small()
    return whole[: len(whole) * 2 // 3]


def _wrong_encoding() -> bytes:
    return _small().replace(b"BGM+745'", "BGM+745+CAFÉ'".encode("iso-8859-1"), 1)


def _not_paxlst() -> bytes:
    return _small().replace(b"PAXLST:D:05B:UN", b"PNRGOV:13:1:IA")


def _old_directory() -> bytes:
    return _small().replace(b"PAXLST:D:05B:UN", b"PAXLST:D:97B:UN")


def _empty() -> bytes:
    return b""


def _mostly_bad() -> bytes:
    return _small(bad_share=1.0)


VARIANTS: dict[str, Callable[[], bytes]] = {
    "truncated": _truncated,
    "wrong-encoding": _wrong_encoding,
    "not-paxlst": _not_paxlst,
    "old-directory": _old_directory,
    "empty": _empty,
    "mostly-bad": _mostly_bad,
}
"""Deliveries that must be refused as a whole: by the reader, or (mostly-bad) for too many rejected rows."""

"""Synthetic PNRGOV pushes: realistic in shape, made from syllables and a seed, about nobody.

Each interchange carries all 19 data types of the US-EU PNR Agreement's Annex: codes and terms that reveal sensitive data
(`SENSITIVE_CODES`, `SENSITIVE_TERMS`), harmless ones that look alike, cards from test ranges, histories that repeat
names. A free remark names its own traveller in `NAME_IN_REMARK_SHARE` of the rows and in no other.
"""

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO

NAME_IN_REMARK_SHARE = 0.002
NAMELESS_SHARE = 0.002
"""PNRs without a traveller: one row without names."""
SENSITIVE_CODES = ("KSML", "MOML", "HNML", "AVML", "WCHR", "WCHC", "BLND", "DEAF", "MEDA", "DBML", "GFML", "MAAS")
HARMLESS_CODES = ("VGML", "CHML", "BBML", "FPML", "SPEQ", "PETC", "OTHS", "UMNR")
SENSITIVE_TERMS = (
    "KOSHER MEAL CONFIRMED BY PHONE",
    "TRAVELS WITH INSULIN",
    "UMRAH PARTY",
    "UNION DELEGATE FARE",
    "NEEDS WHEELCHAIR AT GATE",
    "PREGNANT 24 WEEKS",
    "HONEYMOON COUPLE",
)
HARMLESS_REMARKS = (
    "THIS PASSENGER IS A VIP",
    "LATE CHECK-IN ADVISED",
    "CONNECTS FROM TRAIN",
    "CORPORATE FARE?TIER 2",
    "PREFERS QUIET ROW: AISLE",
    "BRINGS A CELLO + BOW",
    "SEAT NEAR CAFÉ GALLEY",
)
_ROUTES = (
    ("LH", "400", "FRA", "JFK", "1015", "1330"),
    ("AF", "0012", "CDG", "JFK", "1130", "1345"),
    ("DL", "0073", "AMS", "ATL", "1240", "1655"),
    ("IB", "6123", "MAD", "MIA", "1710", "2050"),
    ("EI", "0133", "DUB", "BOS", "1505", "1705"),
    ("UA", "0989", "IAD", "FRA", "1720", "0720"),
    ("EK", "0044", "FRA", "DXB", "1525", "2335"),
    ("AC", "0871", "CDG", "YUL", "1330", "1520"),
    ("SQ", "0325", "FRA", "SIN", "2155", "1650"),
)
_STARTS = ("AL", "BRA", "COR", "DEV", "EL", "FAR", "GRE", "HAL", "IV", "JOR", "KES", "LOM", "MAR", "NOR", "OST", "PEL")
_ENDS = ("BECK", "DALE", "FORD", "GREN", "HOLT", "KAMP", "LUND", "MONT", "NESS", "PORT", "QUIST", "RIDGE", "SEN", "VIK")
_MIDDLES = ("", "A", "E", "I", "O", "U", "AN", "EN", "IN", "ON")
_GIVEN = ("ADA", "BRUNO", "CLARA", "DARIO", "ELSA", "FELIX", "GRETA", "HUGO", "IDA", "JONAS", "KLARA", "LEON", "MILA")
_COUNTRIES = ("DEU", "FRA", "USA", "ESP", "IRL", "NLD", "ITA", "POL", "CAN", "IND", "BRA", "KOR")
_CITIES = ("BERLIN", "LYON", "BOSTON", "SEVILLA", "CORK", "UTRECHT", "TORINO", "GDANSK")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_LOCATOR_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LOCATORS = len(_LOCATOR_SIGNS) ** 6
_BAD_OF_TRAVELLER = ("birth", "sex", "nationality", "expiry")
_BAD_OF_PNR = ("locator", "airport")
_RELEASED = str.maketrans({sign: f"?{sign}" for sign in "?:+'*"})


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows the interchange gives, and how many of them the schema rejects."""

    rows: int
    bad_rows: int


@dataclass(slots=True)
class _Person:
    surname: str
    given: str
    kind: str
    ref: int
    bad: str


def write(
    out: BinaryIO,
    *,
    travellers: int,
    seed: int,
    bad_share: float = 0.0,
    per_message: int = 180,
    departs: date = date(2027, 3, 1),
    line_breaks: bool = False,
    pushed: str = "270228:0754",
    changes: bool = False,
) -> Written:
    """An interchange of `travellers` rows is in `out`; the same arguments always give the same bytes.

    `pushed`: when it was made, YYMMDD:HHMM. `changes`: it is an update push, whose first PNR of each flight was cancelled.
    """
    writer = _Writer(out, "\n" if line_breaks else "")
    carrier = _Carrier(random.Random(seed), bad_share, seed, changes=changes)
    writer.put("UNA:+.?*'", raw=True)
    writer.put(f"UNB+IATA:1+LH+EUPIU+{pushed}+000301")
    left, number = travellers, 0
    while left > 0:
        rows = min(left, per_message)
        for message in carrier.push(rows, number, departs + timedelta(days=number // len(_ROUTES))):
            writer.message(message)
        left -= rows
        number += 1
    writer.put(f"UNZ+{writer.messages}+000301")
    return Written(travellers, carrier.bad_rows)


class _Writer:
    def __init__(self, out: BinaryIO, line_end: str) -> None:
        self._out = out
        self._end = "'" + line_end
        self.messages = 0

    def put(self, segment: str, *, raw: bool = False) -> None:
        self._out.write((segment + (self._end[1:] if raw else self._end)).encode())

    def message(self, segments: list[str]) -> None:
        """UNH (without its reference), the segments, and UNT with the right count are written."""
        self.messages += 1
        begin = f"UNH+{self.messages}+{segments[0]}"
        whole = [begin, *segments[1:], f"UNT+{len(segments) + 1}+{self.messages}", ""]
        self._out.write(self._end.join(whole).encode())


class _Carrier:
    """Draws PNRs. Every locator is drawn once."""

    def __init__(self, draw: random.Random, bad_share: float, seed: int, *, changes: bool) -> None:
        self._draw = draw
        self._changes = changes
        self._bad_share = bad_share
        self._pnrs = (seed * 7919) % _LOCATORS
        self.bad_rows = 0

    def push(self, rows: int, number: int, day: date) -> Iterator[list[str]]:
        """The messages of one flight's push, together of `rows` rows: one, or two parts, and one for each bad airport."""
        route = _ROUTES[number % len(_ROUTES)]
        whole: list[list[str]] = []
        astray: list[list[str]] = []
        while rows > 0:
            party = min(rows, self._draw.choices((1, 2, 3, 4, 12), (50, 30, 10, 9, 1))[0])
            bad = self._bad_of(party)
            cancelled = self._changes and not (whole or bad)
            if bad in _BAD_OF_PNR or cancelled:
                party = 1
            pnr = self._pnr(party, route, day, bad)
            (astray if bad == "airport" else whole).append([*pnr[:2], "ORG"] if cancelled else pnr)
            rows -= party
        parts = [whole] if number % 4 or len(whole) < 2 else [whole[: len(whole) // 2], whole[len(whole) // 2 :]]
        for at, pnrs in enumerate(parts, start=1):
            status = ":F" if at == len(parts) else ":C"
            yield self._message(pnrs, route, day, f"{at:02}{status}", len(whole))
        for pnr in astray:
            yield self._message([pnr], (*route[:2], "F1A", *route[3:]), day, "", 1)

    def _bad_of(self, party: int) -> str:
        """What will be wrong in the next PNR: one row of it is bad."""
        if self._draw.random() >= self._bad_share * party:
            return ""
        self.bad_rows += 1
        return self._draw.choice(_BAD_OF_TRAVELLER + _BAD_OF_PNR)

    def _message(
        self, pnrs: list[list[str]], route: tuple[str, ...], day: date, part: str, announced: int
    ) -> list[str]:
        carrier, flight, *_ = route
        access = f"{carrier}{flight}/{day:%d%m%y}/{route[4]}"
        head = f"PNRGOV:13:1:IA+{access}" + (f"+{part}" if part else f"X{self._pnrs}")
        segments = [
            head,
            "MSG+:141" if self._changes else "MSG+:22",
            f"ORG+{carrier}:{route[2]}",
            _tvl(route, day),
            f"EQN+{announced}",
        ]
        for pnr in pnrs:
            segments += pnr
        return segments

    def _pnr(self, party: int, route: tuple[str, ...], day: date, bad: str) -> list[str]:
        draw, carrier = self._draw, route[0]
        locator = self._locator()
        booked = day - timedelta(days=draw.randint(5, 200))
        at = f"{booked:%d%m%y}:{draw.randint(0, 23):02}{draw.randint(0, 59):02}"
        people = self._people(party, bad)
        own = locator[:4] + "-1" if bad == "locator" else locator
        segments = ["SRC", f"RCI+1A:{own}::{at}+{carrier}:{locator[::-1]}:C", f"DAT+700:{day:%d%m%y}:0410"]
        if draw.random() < 0.3:
            segments.append(f"IFT+4:28::{carrier}+{draw.choice(HARMLESS_REMARKS).translate(_RELEASED)}")
        segments += self._agency(carrier)
        for person in people:
            segments += self._traveller(person, carrier, booked, day)
        segments += self._flown(people, route, day, locator)
        segments += self._past(people, route, booked, locator)
        return segments

    def _locator(self) -> str:
        self._pnrs += 1
        # The multiplier has no factor in common with the number of locators: each comes once.
        number, signs = (self._pnrs * 387420489 + 12345) % _LOCATORS, ""
        for _ in range(6):
            number, sign = divmod(number, len(_LOCATOR_SIGNS))
            signs += _LOCATOR_SIGNS[sign]
        return signs

    def _people(self, party: int, bad: str) -> list[_Person]:
        draw = self._draw
        if party == 1 and not bad and draw.random() < NAMELESS_SHARE:
            return []
        family = draw.choice(_STARTS) + draw.choice(_MIDDLES) + draw.choice(_ENDS)
        worst = draw.randrange(party)
        return [
            _Person(
                family if draw.random() < 0.7 else draw.choice(_STARTS) + draw.choice(_MIDDLES) + draw.choice(_ENDS),
                draw.choice(_GIVEN) + (draw.choice(("MR", "MRS")) if draw.random() < 0.2 else ""),
                "A" if ref < 3 else "C",
                ref,
                bad if bad in _BAD_OF_TRAVELLER and ref - 1 == worst else "",
            )
            for ref in range(1, party + 1)
        ]

    def _agency(self, carrier: str) -> list[str]:
        draw, city = self._draw, self._draw.choice(_CITIES)
        phone = f"0049305550{draw.randint(0, 9999):04}"
        agent = (
            f"ORG+1A:MUC+{draw.randint(10000000, 99999999)}:{city[:3]}{carrier}08AA+{city[:3]}+{carrier}:MUC+T+DE:EUR"
        )
        return [
            f"{agent}+A{draw.randint(1000, 9999)}SU",
            f"ADD++700:{draw.randint(1, 99)} SAMPLE STREET:{city}:::DE:{draw.randint(10000, 99999)}:{phone}",
        ]

    def _traveller(self, person: _Person, carrier: str, booked: date, day: date) -> list[str]:
        draw, ref = self._draw, person.ref
        segments = [f"TIF+{person.surname}:I+{person.given}:{person.kind}:{ref}"]
        if draw.random() < 0.4:
            segments.append(f"FTI+{carrier}:{draw.randint(10**9, 10**10 - 1)}:::GOLD")
        segments.append(f"IFT+4:15:9+{carrier} FARE {draw.randint(100, 999)}.00 END ROE1.000000")
        segments += self._remarks(person, carrier)
        segments.append(f"REF+:{draw.getrandbits(64):016X}")
        segments += self._documents(person, carrier, day)
        segments += self._payment(person, booked)
        return segments

    def _remarks(self, person: _Person, carrier: str) -> list[str]:
        draw, chance = self._draw, self._draw.random()
        name = f"{person.given}..{person.surname}"
        remarks = [f"IFT+4:28::{carrier}+CTCE {name}//EXAMPLE.COM"]
        if chance < NAME_IN_REMARK_SHARE:
            remarks.append(f"IFT+4:28::{carrier}+MEET {person.surname} AT THE GATE")
        elif chance < 0.06:
            remarks.append(f"IFT+4:28::{carrier}+{draw.choice(SENSITIVE_TERMS)}")
        elif chance < 0.16:
            remarks.append(f"IFT+4:28::{carrier}+{draw.choice(HARMLESS_REMARKS).translate(_RELEASED)}")
        return remarks

    def _documents(self, person: _Person, carrier: str, day: date) -> list[str]:
        draw, country = self._draw, self._draw.choice(_COUNTRIES)
        born = day - timedelta(days=draw.randint(2, 12) * 365 + 90 if person.kind == "C" else draw.randint(6600, 30000))
        ends = day + timedelta(days=draw.randint(30, 3600))
        birth = "31FEB80" if person.bad == "birth" else _day(born)
        sex = "Z" if person.bad == "sex" else draw.choice("FM")
        nationality = "QQQ" if person.bad == "nationality" else country
        expiry = "99DEC30" if person.bad == "expiry" else _day(ends)
        number = f"{draw.choice('CFGHJK')}{draw.randint(10**7, 10**8 - 1)}"
        given = person.given.removesuffix("MRS").removesuffix("MR")
        docs = f"/P/{country}/{number}/{nationality}/{birth}/{sex}/{expiry}/{person.surname}/{given}"
        segments = [f"SSR+DOCS:HK:1:{carrier}:::::{docs}"]
        if draw.random() < 0.5:
            segments.append(f"SSR+DOCA:HK:1:{carrier}:::::/D/USA/{draw.randint(1, 999)} SAMPLE AVE/BOSTON/MA/02101")
        if draw.random() < 0.1:
            segments.append(
                f"SSR+DOCO:HK:1:{carrier}:::::/{draw.choice(_CITIES)}/V/{draw.randint(10**7, 10**8)}/PARIS/{_day(day)}/USA"
            )
        segments.append(f"SSR+CTCM:HK:1:{carrier}:::::1202555{draw.randint(100, 199):04}")
        return segments

    def _payment(self, person: _Person, booked: date) -> list[str]:
        draw, fare = self._draw, self._draw.randint(200, 4000)
        ticket = f"220{draw.randint(10**9, 10**10 - 1)}"
        if draw.random() < 0.8:
            card = f"400000{draw.randint(0, 10**9 - 1):09}"
            form = f"CC::{fare}.50:VI:{card}{_luhn(card)}:06{draw.randint(28, 33)}"
        else:
            form = f"CA::{fare}.50"
        return [
            f"TKT+{ticket}:T:1",
            f"MON+B:{fare}.00:EUR+T:{fare}.50:EUR",
            f"PTK+NR++{booked:%d%m%y}:1010+LH+220+FRA",
            f"TXD++{draw.randint(1, 99)}.10:::DE+8.50:::YQ",
            f"DAT+710:{booked:%d%m%y}:1200",
            f"FOP+{form}",
            f"IFT+4:43+{person.given} {person.surname}+{draw.randint(1, 99)} SAMPLE STREET+0049305550000",
        ]

    def _flown(self, people: list[_Person], route: tuple[str, ...], day: date, locator: str) -> list[str]:
        draw, carrier = self._draw, route[0]
        shared = draw.random() < 0.1
        segments = [_tvl((f"{carrier}:UA" if shared else carrier, *route[1:]), day) + ":Y"]
        if shared:
            segments.append("TVL+++++8840:Y")
        segments += [f"RPI+{max(1, len(people))}+HK", "APD+74H"]
        seats = "".join(f"+{draw.randint(10, 60)}{draw.choice('ABCDEFGHK')}::{person.ref}" for person in people)
        if seats:
            segments.append(f"SSR+SEAT:HK:{len(people)}:{carrier}:::{route[2]}:{route[3]}{seats}")
        for person in people:
            if draw.random() < 0.12:
                code = draw.choice(SENSITIVE_CODES if draw.random() < 0.5 else HARMLESS_CODES)
                segments.append(f"SSR+{code}:HK:1:{carrier}:::{route[2]}:{route[3]}+::{person.ref}")
        segments.append(f"RCI+1A:{locator}")
        if draw.random() < 0.5:
            segments.append(f"DAT+2:{day:%d%m%y}:0710")
            for person in people:
                segments += self._checked_in(person, route)
        return segments

    def _checked_in(self, person: _Person, route: tuple[str, ...]) -> list[str]:
        draw = self._draw
        bag = draw.randint(100000, 999999)
        return [
            f"TRI++{draw.randint(1, 400)}:::{person.ref}",
            f"TIF+{person.surname}:I+{person.given}:{person.kind}:{person.ref}",
            f"SSD+{draw.randint(10, 60)}{draw.choice('ABCDEFGHK')}++++Y",
            f"TBD++{draw.randint(1, 2)}:{draw.randint(8, 32)}:700+++{route[0]}:{bag}:1:{route[3]}:220",
        ]

    def _past(self, people: list[_Person], route: tuple[str, ...], booked: date, locator: str) -> list[str]:
        draw, segments = self._draw, list[str]()
        chance = draw.random()
        if chance < 0.03:
            segments += ["EQN+1", f"RCI+1A:{locator[1:]}2"]
        if chance > 0.97:
            segments += ["MSG+8", f"TVL+{booked:%d%m%y}:1500+{route[3]}:SAMPLE ARMS++HH+67576:ROH"]
        if chance < 0.3 and people:
            name = f"{people[0].surname}/{people[0].given}"
            segments += [f"ABI+4+:{route[2]}RR+{route[2]}++{route[0]}", f"DAT+T:{booked:%d%m%y}:1813", "SAC+++X"]
            segments += [f"IFT+4:19+XF NAME {name.replace('/', ' ')}", "SAC+++A", _tvl(route, booked), "RPI+1+HK"]
            segments += [f"LTS+0/O/NM/{name}", f"LTS+14/A/SR/SSR DOCS{route[0]}HK1 {people[0].surname} AVML"]
        return segments


def _tvl(route: tuple[str, ...], day: date) -> str:
    carrier, flight, departs, arrives, begins, ends = route
    lands = day + timedelta(days=1) if ends < begins else day
    return f"TVL+{day:%d%m%y}:{begins}:{lands:%d%m%y}:{ends}+{departs}+{arrives}+{carrier}+{flight}"


def _day(day: date) -> str:
    return f"{day.day:02}{_MONTHS[day.month - 1]}{day:%y}"


def _luhn(digits: str) -> int:
    doubled = [int(sign) * (2 if at % 2 == 0 else 1) for at, sign in enumerate(reversed(digits))]
    return -sum(number - 9 if number > 9 else number for number in doubled) % 10


def good() -> bytes:
    """A small interchange, all of it acceptable."""
    return _small()


def _small(*, bad_share: float = 0.0) -> bytes:
    out = io.BytesIO()
    write(out, travellers=40, seed=7, bad_share=bad_share, line_breaks=True)
    return out.getvalue()


def _truncated() -> bytes:
    whole = _small()
    return whole[: len(whole) * 2 // 3]


def _wrong_encoding() -> bytes:
    return _small().replace(b"MSG+:22'", "MSG+:22'\nIFT+4:28+CAFÉ'".encode("iso-8859-1"), 1)


def _not_pnrgov() -> bytes:
    return _small().replace(b"PNRGOV:13:1:IA", b"PAXLST:D:02B:UN")


def _empty() -> bytes:
    return b""


def _mostly_bad() -> bytes:
    return _small(bad_share=1.0)


VARIANTS: dict[str, Callable[[], bytes]] = {
    "truncated": _truncated,
    "wrong-encoding": _wrong_encoding,
    "not-pnrgov": _not_pnrgov,
    "empty": _empty,
    "mostly-bad": _mostly_bad,
}
"""Deliveries that must be refused as a whole: by the reader, or (mostly-bad) for too many rejected rows."""

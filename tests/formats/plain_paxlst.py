"""PAXLST read the slow and plain way, one segment after another: what `pipeline.formats.paxlst` must agree with.

For tests alone, and for deliveries that fit one window and stay within the limits of sizes.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from pipeline.core.errors import Code
from pipeline.core.findings import Finding, Tally
from pipeline.formats.edifact_messages import Parts
from pipeline.formats.paxlst import COLUMNS
from tests.formats.plain_edifact import Read, Segment, component, line, read_kind, refused, said, words

_KINDS = ("FL", "FM", "DDU", "DDT")
_SERVICE = ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")
_KNOWN = (
    *("BGM", "RFF", "DTM", "NAD", "CTA", "COM", "TDT", "LOC", "ATT", "MEA", "GEI", "FTX", "EMP", "NAT"),
    *("DOC", "CPI", "QTY", "GID", "CNT", "AUT"),
)
_PORTS = {"178": "embarkation_port", "179": "debarkation_port", "22": "clearance_port", "174": "residence_country"}
_REFERENCES = {"AVF": "record_locator", "ABO": "traveller_ref", "CR": "customer_ref", "SEA": "seat"}
_COUNTED = {"3": 0, "42": 1, "41": 2}
_CARRIED = {
    "ATT": ("2",),
    "NAT": ("2",),
    "GEI": ("4",),
    "MEA": ("CT", "WT"),
    "RFF": (*_REFERENCES,),
    "FTX": ("BAG",),
    "LOC": (*_PORTS, "180"),
    "DTM": ("329",),
}
_CARRIED_OF_DOCUMENTS = {"LOC": "91", "DTM": "36"}
_MRZ = "(?:\\A|[\x1d\x1f ])([A-Z0-9<]{19}[0-9][A-Z0-9<]{20,28})(?:[\x1d\x1f ]|\\Z)"
_FLIGHT_NUMBER = "([A-Z][A-Z0-9]|[0-9][A-Z]|[A-Z]{3})[ -]?([0-9]{1,4}[A-Z]?)"

Cells = dict[str, list[str]]


@dataclass
class Placed(Read):
    """A segment, with what it belongs to: 0 is none."""

    message: int
    party: str
    owner: int
    document: int
    header: bool
    lost: bool

    def phrase(self, at: int) -> str | None:
        """An element's components with one space between, each as it was written."""
        return phrase("\x1f".join(self.said.element(at) or []))

    def holds_mrz(self) -> str | None:
        """The line of a passport in it."""
        found = re.search(_MRZ, self.body)
        return found[1] if found else None


@dataclass
class Message:
    """A message and its travellers, each a position with its segments."""

    at: int = 0
    flight: Cells = field(default_factory=lambda: defaultdict(list))
    travellers: dict[int, list[Placed]] = field(default_factory=lambda: defaultdict(list))


def outcome(delivery: bytes) -> tuple[list[tuple[object, ...]], set[Finding]]:
    """The rows of a delivery, each with its position first, and the findings.

    Raises:
        Refused: with the code and the segment that the reader names.
    """
    tally = Tally()
    interchange = read_kind(delivery, tally, "PAXLST", "D:(02B|0[3-9][AB]|1[0-6][AB])")
    interchange.finish()
    placed = _placed(interchange.segments)
    _count_beyond(placed, tally)
    _follow(placed, tally)
    rows: list[tuple[object, ...]] = []
    messages: dict[int, Message] = defaultdict(Message)
    for one in placed:
        if one.owner:
            messages[one.message].travellers[one.owner].append(one)
    for at, message in messages.items():
        header = [one for one in placed if one.message == at and one.header and not one.owner]
        flight = _flight([one for one in header if one.tag not in _SERVICE])
        for owner, segments in message.travellers.items():
            departs_at = "\n".join(flight["departs_at"]) or None
            cells = {**flight, **_traveller(segments, departs_at), **_documents(segments)}
            rows.append((owner, *("\n".join(cells.get(column, [])) or None for column in COLUMNS)))
    return rows, set(tally.findings())


def _placed(segments: list[Segment]) -> list[Placed]:
    placed = []
    message = met = opened = document = 0
    party, lost = "", False
    for segment in segments:
        tag, at, qualifier = segment.tag, segment.position, segment.elements[0][0].strip(" ")
        message = at if tag == "UNH" else message
        met = at if tag == "NAD" and qualifier in _KINDS else met
        header, strange = met < message, tag not in (*_KNOWN, *_SERVICE)
        if tag in ("NAD", "CNT", "AUT", *_SERVICE) or strange or (tag == "TDT" and header):
            party, lost, opened, document = qualifier if tag == "NAD" else "", strange, at, 0
        if tag in ("GID", "TDT"):
            document = 0
        document = at if tag == "DOC" else document
        owned = party in _KINDS
        placed.append(Placed(segment, message, party, opened if owned else 0, document if owned else 0, header, lost))
    return placed


def _count_beyond(placed: list[Placed], tally: Tally) -> None:
    for one in placed:
        if one.tag == "NAD" and not one.owner and one.party != "MS":
            tally.add("discarded-unknown-party", "", [one.at])
        elif one.tag not in (*_SERVICE, "CNT") and not (_is_read(one) if one.owner else _is_read_of_header(one)):
            tally.add("discarded-beyond-elements", "", [one.at])


def _is_read_of_header(one: Placed) -> bool:
    if one.lost or not one.header:
        return False
    if one.tag == "BGM" or (one.party == "MS" and one.tag in ("NAD", "CTA", "COM")):
        return True
    return one.party == "" and (one.tag in ("TDT", "LOC") or (one.tag == "DTM" and one.qualifier in ("189", "232")))


def _is_read(one: Placed) -> bool:
    if one.tag in ("NAD", "DOC") or one.qualifier in _CARRIED.get(one.tag, ()):
        return True
    if one.tag == "FTX":
        return one.holds_mrz() is not None
    return bool(one.document) and _CARRIED_OF_DOCUMENTS.get(one.tag) == one.qualifier


def _follow(placed: list[Placed], tally: Tally) -> None:
    """What the headers and counts say is in `tally`, where they disagree."""
    begun, unh, parts = 0, "", Parts()
    announced: list[tuple[int, int, str]] = []
    for one in placed:
        if one.tag == "UNH":
            begun, unh, announced = one.at, one.body, []
        elif one.tag == "CNT":
            kind, _, number = one.body.partition("\x1f")
            if kind.strip() in _COUNTED:
                announced.append((one.at, _COUNTED[kind.strip()], number.split("\x1f")[0].strip()))
        elif one.tag == "UNT":
            kinds = [other.qualifier for other in placed if other.message == begun and other.owner == other.at]
            crew = sum(kind in ("FM", "DDT") for kind in kinds)
            met: tuple[int, ...] = (len(kinds), len(kinds) - crew, crew)
            together = parts.add(unh, met, begun, tally)
            for at, which, number in announced if together is not None else []:
                right = {str(counts[kind]) for counts in (together or (), met) for kind in (which, 0)}
                if (number.lstrip("0") or "0") not in right:
                    tally.add("tolerated-traveller-count", "", [at])
    if not begun:
        raise refused(Code.MESSAGE_UNKNOWN)
    parts.finish(begun, tally)


def _add(cells: Cells, column: str, text: str | None) -> None:
    """One more item of a cell, where there is a text that it does not have yet."""
    if text and text not in cells[column]:
        cells[column].append(text)


def phrase(text: str) -> str | None:
    """The components with one space between, each as it was written."""
    return re.sub(" *\x1f[\x1f ]*", " ", text).strip(" ") or None


def _flight(header: list[Placed]) -> Cells:
    cells: Cells = defaultdict(list)
    legs: list[tuple[Placed, int, str]] = []
    leg, place = 0, ""
    for one in header:
        if one.tag == "BGM":
            _add(cells, "list_kind", one.code(0, 0))
            _add(cells, "list_status", one.phrase(1))
            _add(cells, "list_function", one.phrase(2))
        if one.party == "MS":
            _add_reporter(cells, one)
        if one.party == "" and one.tag in ("TDT", "LOC", "DTM"):
            leg = one.at if one.tag == "TDT" else leg
            place = one.qualifier if one.tag == "LOC" else "" if one.tag == "TDT" else place
            legs += [(one, leg, place)] * bool(leg)
    prime = min((leg for _, leg, _ in legs), default=0)
    times = []
    for one, leg, place in legs:
        if one.tag == "TDT":
            _add(cells, "route", line(one.qualifier, one.code(1, 0)))
        if one.tag == "LOC":
            port = one.code(1, 0, 3)
            _add(cells, "route", line(one.qualifier, port))
            column = {"125": "departure_airport", "87": "arrival_airport"}.get(one.qualifier)
            if column and leg == prime:
                _add(cells, column, port)
        if one.tag == "TDT" and leg == prime:
            _add_designator(cells, one.code(4, 0), one.code(1, 0))
        if one.tag == "DTM" and leg == prime:
            times.append((one, place))
    for column, meant, wanted in (("departs_at", "189", "125"), ("arrives_at", "232", "87")):
        fitting = [(one, place) for one, place in times if one.qualifier == meant and place in ("125", "87", "")]
        nearest = [one for one, place in fitting if place == wanted] or [one for one, _ in fitting]
        for one in nearest:
            _add(cells, column, moment(one.part(1), one.part(2)))
    return cells


def _add_reporter(cells: Cells, one: Placed) -> None:
    if one.tag == "NAD":
        _add(cells, "reporting_party", one.phrase(3) or one.phrase(2) or one.phrase(1))
    elif one.tag == "CTA":
        _add(cells, "reporting_contacts", words(*one.said.elements))
    elif one.tag == "COM":
        for composite in said(one.said.elements):
            _add(cells, "reporting_contacts", line(component(composite, 1), component(composite, 0)))


def _add_designator(cells: Cells, carrier: str | None, journey: str | None) -> None:
    parted = re.fullmatch(_FLIGHT_NUMBER, journey or "")
    number = parted[2] if parted else journey
    if carrier and journey and journey.startswith(carrier):
        number = journey.removeprefix(carrier).lstrip(" -") or number
    _add(cells, "flight_carrier", carrier or (parted[1] if parted else None))
    _add(cells, "flight_number", number)


def _day(digits: str | None, code: str | None) -> str | None:
    if digits is None:
        return None
    if re.fullmatch("[0-9]{6}", digits) and code in (None, "101"):
        return f"20{digits[:2]}-{digits[2:4]}-{digits[4:]}"
    if re.fullmatch("[0-9]{6}", digits) and code == "2":
        return f"20{digits[4:]}-{digits[2:4]}-{digits[:2]}"
    plain = code is None and re.fullmatch("(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])", digits)
    if plain or (re.fullmatch("[0-9]{8}", digits) and code == "102"):
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return digits


def moment(digits: str | None, code: str | None) -> str | None:
    """The digits as a day and its time, or as they were written."""
    if digits and code == "201" and re.fullmatch("[0-9]{10}", digits):
        return f"20{digits[:2]}-{digits[2:4]}-{digits[4:6]}T{digits[6:8]}:{digits[8:]}"
    if digits and code == "203" and re.fullmatch("[0-9]{12}", digits):
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:]}"
    return _day(digits, code) if code in ("2", "101", "102") else digits


def _born(digits: str | None, code: str | None, departs_at: str | None) -> str | None:
    young = _day(digits, code)
    if young is None or young == digits or digits is None or len(digits) != 6:
        return young
    if not departs_at or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", departs_at[:10]):
        return digits
    return "19" + young[2:] if young > departs_at[:10] else young


def _traveller(segments: list[Placed], departs_at: str | None) -> Cells:
    cells: Cells = defaultdict(list)
    nationality = "nationality"
    for one in segments:
        tag, qualifier = one.tag, one.qualifier
        if tag == "NAD":
            _add_name(cells, one)
        elif (tag, qualifier) == ("DTM", "329"):
            _add(cells, "birth_date", _born(one.part(1), one.part(2), departs_at))
        elif tag == "LOC" and qualifier in _PORTS:
            _add(cells, _PORTS[qualifier], one.code(1, 0, 3))
        elif (tag, qualifier) == ("LOC", "180"):
            _add(cells, "birth_country", one.code(1, 0))
            _add(cells, "birth_place", one.code(1, 3))
        elif tag == "RFF" and qualifier in _REFERENCES:
            _add(cells, _REFERENCES[qualifier], one.part(1))
        elif (tag, qualifier) == ("NAT", "2"):
            _add(cells, nationality, one.code(1, 0, 3))
            nationality = "other_nationalities"
        elif (tag, qualifier) == ("ATT", "2"):
            _add(cells, "sex", one.code(2, 0, 3))
        elif (tag, qualifier) == ("GEI", "4"):
            _add(cells, "verification", one.code(1, 0))
        elif (tag, qualifier) == ("MEA", "CT"):
            _add(cells, "bag_count", one.code(2, 1, 0))
        elif (tag, qualifier) == ("MEA", "WT"):
            _add(cells, "bag_weight", line(one.code(2, 1), one.code(2, 0)))
        elif (tag, qualifier) == ("FTX", "BAG"):
            for text in one.said.element(3) or []:
                _add(cells, "bag_tags", text.strip(" "))
    for tag in ("FTX", "DOC"):
        for one in segments:
            if one.tag == tag:
                _add(cells, "mrz_line", one.holds_mrz())
    return cells


def _add_name(cells: Cells, nad: Placed) -> None:
    name = "\x1f".join(nad.said.element(3) or []).strip("\x1f ") or "\x1f".join(nad.said.element(2) or [])
    parts = [component(name.split("\x1f"), at) for at in range(5)]
    _add(cells, "traveller_kind", nad.qualifier)
    _add(cells, "surname", parts[0])
    _add(cells, "given_names", line(*parts[1:]))
    _add(cells, "address_street", nad.phrase(4))
    _add(cells, "address_city", nad.phrase(5))
    _add(cells, "address_region", nad.code(6, 0, 3))
    _add(cells, "address_postcode", nad.phrase(7))
    _add(cells, "address_country", nad.phrase(8))


def _documents(segments: list[Placed]) -> Cells:
    """The passport, else another document, else an alien registration; the first visa; and what else there is."""
    listed = []
    for doc in segments:
        if doc.tag != "DOC":
            continue
        within: Cells = defaultdict(list)
        for one in segments:
            if one.document == doc.at and (one.tag, one.qualifier) == ("LOC", "91"):
                _add(within, "issuer", one.code(1, 0))
            if one.document == doc.at and (one.tag, one.qualifier) == ("DTM", "36"):
                _add(within, "expiry", _day(one.part(1), one.part(2)))
        found = [doc.code(0, 0), doc.code(1, 0), *("\n".join(within[name]) or None for name in ("issuer", "expiry"))]
        if any(found):
            listed.append(found)
    cells: Cells = defaultdict(list)
    visas = [one for one in listed if one[0] == "V"]
    aliens = [one for one in listed if one[0] == "A"]
    ranked = sorted((one for one in listed if one[0] != "V"), key=lambda one: (one[1] is None, _rank(one[0])))
    for name, text in zip(("type", "number", "issuer", "expiry"), ranked[0] if ranked else (), strict=False):
        _add(cells, f"document_{name}", text)
    for name, text in zip(("number", "issuer", "expiry"), visas[0][1:] if visas else (), strict=False):
        _add(cells, f"visa_{name}", text)
    _add(cells, "alien_number", aliens[0][1] if aliens else None)
    told = [*ranked[:1], *visas[:1], *aliens[:1]]
    cells["other_documents"] = [line(*one) or "" for one in listed if not any(one is other for other in told)]
    return cells


def _rank(kind: str | None) -> int:
    return 2 if kind == "A" else 0 if (kind or "").startswith("P") else 1

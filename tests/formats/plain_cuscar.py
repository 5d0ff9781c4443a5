"""CUSCAR read the slow and plain way, one segment after another: what `pipeline.formats.cuscar` must agree with.

For tests alone, and for deliveries that fit one window and stay within the limits of sizes.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from pipeline.core.errors import Code
from pipeline.core.findings import Finding, Tally
from pipeline.formats.cuscar import COLUMNS
from pipeline.formats.edifact_messages import Parts
from tests.formats.plain_edifact import Read, Segment, component, line, read_kind, refused, said
from tests.formats.plain_paxlst import moment, phrase

_SERVICE = ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")
_KNOWN = (
    *("BGM", "DTM", "LOC", "FTX", "RFF", "NAD", "CTA", "COM", "TDT", "EQD", "EQN", "TSR", "TMD", "MEA", "DIM", "SEL"),
    *("TMP", "HAN", "GEI", "GIS", "CNI", "CNT", "MOA", "CUX", "TOD", "PAC", "GID", "SGP", "DGS", "PCI", "PIA", "CST"),
    *("GDS", "DOC", "IMD", "QTY", "GOR", "PCD", "AUT", "STS", "ICD", "TAX", "ATT", "RNG", "CPI", "GPO"),
)
_OF_VOYAGE = {"5": "departure_port", "60": "arrival_port", "61": "arrival_port"}
_TIMES = {"133": "departs_at", "136": "departs_at", "132": "arrives_at", "178": "arrives_at"}
_BILLS = {"BM": "bill_number", "AAM": "bill_number", "BH": "house_bill", "MB": "master_bill"}
_PORTS = {"9": "loading_port", "11": "discharge_port", "88": "receipt_place", "7": "delivery_place", "8": "destination"}
_PARTIES = {"CZ": "consignor", "OS": "consignor", "CN": "consignee", "NI": "notify"}
_COUNTED = {"10": 0, "16": 1}
_RULES = ("tolerated-consignment-count", "tolerated-container-count")

Cells = dict[str, list[str]]


@dataclass
class Placed(Read):
    """A segment, with what it belongs to: 0 is none."""

    message: int
    consignment: int
    item: int
    equipment: int
    carriage: bool
    lost: bool

    @property
    def gross(self) -> bool:
        """It measures a gross weight."""
        elements = self.said.elements
        meant = len(elements) > 1 and len(elements[0]) == 1 and elements[1][0] in ("", "G", "AAB", "AAD")
        return self.tag == "MEA" and self.qualifier in ("AAE", "AAI", "WT") and meant

    def text(self, at: int) -> str:
        """An element as it stands; "" where there is none."""
        return "\x1f".join(self.said.element(at) or [])


@dataclass
class Container:
    """What the manifest says of a container."""

    at: int
    number: str | None
    kind: str | None
    status: str
    seals: list[str] = field(default_factory=list)


def outcome(delivery: bytes) -> tuple[list[tuple[object, ...]], set[Finding]]:
    """The rows of a delivery, each with its position first, and the findings.

    Raises:
        Refused: with the code and the segment that the reader names.
    """
    tally = Tally()
    interchange = read_kind(delivery, tally, "CUSCAR", "D:(95B|9[6-9][AB]|0[0-9][AB]|1[0-6][AB])")
    interchange.finish()
    placed = _placed(interchange.segments)
    containers = _containers(placed)
    _count_beyond(placed, tally)
    _follow(placed, containers, tally)
    rows: list[tuple[object, ...]] = []
    for one in placed:
        if not one.lost and (cells := _row(one, placed, containers[one.message])):
            rows.append((one.at, *("\n".join(cells.get(column, [])) or None for column in COLUMNS)))
    return rows, set(tally.findings())


def _placed(segments: list[Segment]) -> list[Placed]:
    placed = []
    message = consignment = item = equipment = 0
    carriage = lost = False
    for segment in segments:
        tag, at = segment.tag, segment.position
        message = at if tag == "UNH" else message
        if tag in (*_SERVICE, "CNI"):
            consignment, item, equipment, carriage, lost = (at if tag == "CNI" else 0), 0, 0, False, False
        if tag in ("GID", "EQD", "NAD", "TDT"):
            equipment, carriage = (at if tag == "EQD" and not consignment else 0), tag == "TDT"
        item = at if tag == "GID" and consignment else item
        lost = lost or tag not in (*_KNOWN, *_SERVICE)
        placed.append(Placed(segment, message, consignment, item, equipment, carriage, lost))
    return placed


def _containers(placed: list[Placed]) -> dict[int, list[Container]]:
    """The containers of each message."""
    found: dict[int, list[Container]] = defaultdict(list)
    for one in placed:
        if not one.equipment or one.lost:
            continue
        if one.tag == "EQD":
            found[one.message].append(Container(one.at, one.code(1, 0), one.code(2, 0, 3), one.text(5)))
        if one.tag == "SEL" and (seal := one.code(0, 0)):
            found[one.message][-1].seals.append(seal)
    return found


def _count_beyond(placed: list[Placed], tally: Tally) -> None:
    for one in placed:
        is_read = _is_read(one) if one.consignment else _is_read_of_voyage(one)
        if one.tag not in (*_SERVICE, "CNT") and (one.lost or not is_read):
            tally.add("discarded-beyond-elements", "", [one.at])


def _is_read(one: Placed) -> bool:
    match one.tag:
        case "CNI":
            return True
        case "RFF":
            return one.qualifier in _BILLS
        case "NAD":
            return one.qualifier in _PARTIES
        case "LOC":
            return one.qualifier in _PORTS and not one.carriage and not one.item
        case "GID" | "PAC" | "PCI" | "CST" | "PIA" | "DGS" | "SGP":
            return bool(one.item)
        case "FTX":
            return bool(one.item) and one.qualifier == "AAA"
    return bool(one.item) and one.gross


def _is_read_of_voyage(one: Placed) -> bool:
    match one.tag:
        case "BGM" | "EQD" | "TDT":
            return True
        case "SEL":
            return bool(one.equipment)
        case "LOC":
            return one.qualifier in _OF_VOYAGE
    return one.tag == "DTM" and one.qualifier in _TIMES


def _follow(placed: list[Placed], containers: dict[int, list[Container]], tally: Tally) -> None:
    """What the headers, counts and containers say is in `tally`, where they disagree."""
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
            within = [other for other in placed if other.message == begun]
            named = {other.code(0, 0) for other in within if other.tag == "SGP" and other.item}
            for box in containers[begun]:
                if box.status != "4" and (box.number is None or box.number not in named):
                    tally.add("tolerated-container-without-goods", "containers", [box.at])
            met = tuple(sum(other.tag == tag and not other.lost for other in within) for tag in ("CNI", "EQD"))
            together = parts.add(unh, met, begun, tally)
            for at, which, number in announced if together else []:
                if (number.lstrip("0") or "0") not in {str((together or met)[which]), str(met[which])}:
                    tally.add(_RULES[which], "", [at])
    if not begun:
        raise refused(Code.MESSAGE_UNKNOWN)
    parts.finish(begun, tally)


def _row(one: Placed, placed: list[Placed], containers: list[Container]) -> Cells | None:
    """The cells of the row that a segment opens, if it opens one."""
    billed = [other for other in placed if other.consignment == one.consignment and one.consignment and not other.lost]
    if one.tag == "EQD":
        empty = [box for box in containers if box.at == one.at and box.status == "4"]
        if not empty:
            return None
        cells = _cells("empty", one, placed)
        _add(cells, "containers", empty[0].number)
        _add(cells, "container_types", empty[0].kind)
        _add(cells, "seals", " ".join(empty[0].seals))
        return cells
    if one.tag == "CNI" and not any(other.tag == "GID" for other in billed):
        return _cells("bill", one, placed) | _bill(billed)
    if one.tag == "GID" and one.consignment:
        goods = [other for other in billed if other.item == one.at]
        return _cells("goods", one, placed) | _bill(billed) | _goods(goods, containers)
    return None


def _cells(kind: str, one: Placed, placed: list[Placed]) -> Cells:
    """The cells that a row has of its voyage."""
    cells: Cells = defaultdict(list)
    cells["row_kind"].append(kind)
    header = [other for other in placed if other.message == one.message and not other.consignment and not other.lost]
    carried = False
    for other in header:
        if other.equipment:
            continue
        if other.tag == "BGM":
            _add(cells, "manifest_kind", other.code(0, 0))
            _add(cells, "manifest_number", phrase(other.text(1)))
            _add(cells, "manifest_function", phrase(other.text(2)))
        elif other.tag == "TDT" and not carried:
            carried = True
            _add(cells, "carrier", other.code(4, 0))
            _add(cells, "voyage", phrase(other.text(1)))
            _add(cells, "vessel_id", other.code(7, 0))
            _add(cells, "vessel_name", other.code(7, 3))
            _add(cells, "vessel_flag", other.code(7, 4))
        elif other.tag == "LOC" and other.qualifier in _OF_VOYAGE:
            _add(cells, _OF_VOYAGE[other.qualifier], other.code(1, 0, 3))
        elif other.tag == "DTM" and other.qualifier in _TIMES:
            _add(cells, _TIMES[other.qualifier], moment(other.part(1), other.part(2)))
    return cells


def _add(cells: Cells, column: str, text: str | None) -> None:
    """One more item of a cell, where there is a text that it does not have yet."""
    if text and text not in cells[column]:
        cells[column].append(text)


def _bill(segments: list[Placed]) -> Cells:
    cells: Cells = defaultdict(list)
    for one in segments:
        if one.item:
            continue
        if one.tag == "RFF" and one.qualifier in _BILLS:
            _add(cells, _BILLS[one.qualifier], one.part(1))
        elif one.tag == "LOC" and one.qualifier in _PORTS and not one.carriage:
            _add(cells, _PORTS[one.qualifier], one.code(1, 0, 3))
        elif one.tag == "NAD" and one.qualifier in _PARTIES:
            role, (first, *others) = _PARTIES[one.qualifier], one.said.element(2) or [""]
            who = phrase(one.text(3))
            rest = [*others] if who is None else [first, *others]
            _add(cells, f"{role}_id", one.code(1, 0))
            _add(cells, f"{role}_name", who or first.strip(" "))
            _add(
                cells, f"{role}_address", line(phrase("\x1f".join(rest)), *(phrase(one.text(at)) for at in range(4, 9)))
            )
    if not cells["bill_number"]:
        _add(cells, "bill_number", segments[0].code(1, 0))
    return cells


def _goods(segments: list[Placed], containers: list[Container]) -> Cells:
    cells: Cells = defaultdict(list)
    several: Cells = defaultdict(list)
    """cells in which the same item may stand twice"""
    boxes: list[str] = []
    for one in segments:
        if one.tag == "GID":
            several["item_number"] += [phrase(one.text(0)) or ""] * bool(phrase(one.text(0)))
            _add(cells, "packages", one.code(1, 0))
            _add(cells, "package_type", one.code(1, 1, 4))
        elif one.tag == "PAC":
            _add(cells, "packages", phrase(one.text(0)))
            _add(cells, "package_type", one.code(2, 0, 3))
        elif one.tag == "FTX" and one.qualifier == "AAA":
            several["description"].append(phrase(one.text(3)) or "")
        elif one.tag == "PCI":
            several["marks"].append(phrase(one.text(1)) or "")
        elif one.gross:
            several["gross_weight"].append(line(one.code(2, 1), one.code(2, 0)) or "")
        elif one.tag == "DGS":
            several["undg_numbers"].append(one.code(2, 0) or "")
        elif one.tag == "SGP" and (box := one.code(0, 0)) and box not in boxes:
            boxes.append(box)
    for tag in ("PIA", "CST"):
        for one in segments:
            for composite in said(one.said.elements[1:]) if one.tag == tag else []:
                if component(composite, 1) in (None, "HS"):
                    several["hs_codes"].append(component(composite, 0) or "")
    for box in boxes:
        declared = next((known for known in containers if known.number == box), Container(0, box, None, ""))
        several["containers"].append(box)
        several["container_types"].append(declared.kind or "-")
        several["seals"].append(" ".join(declared.seals) or "-")
    return cells | {column: [text for text in texts if text] for column, texts in several.items()}

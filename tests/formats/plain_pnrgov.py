"""PNRGOV read the slow and plain way, one segment after another: what `pipeline.formats.pnrgov` must agree with.

For tests alone, and for deliveries that fit one window and stay within the limits of sizes.
"""

import re
from calendar import monthrange
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from pipeline.core.errors import Code
from pipeline.core.findings import Finding, Tally
from pipeline.formats.edifact_messages import Parts
from pipeline.formats.pnrgov import COLUMNS
from tests.formats.plain_edifact import Read, Segment, component, line, read_kind, refused, said, words

_OPENS = {"SRC": 1, "TIF": 2, "TVL": 5, "EQN": 8, "MSG": 9, "ABI": 10}
_SERVICE = ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")
_ENDS_CHECK_IN = ("TVL", "EQN", "DAT", "ORG", "MSG", "ABI", "SRC")
_OF_CHECK_IN = ("TRI", "TIF", "SSD", "TBD", "SSR", "IFT")
_CARRIED = (
    *("SRC", "TIF", "TVL", "SSR", "EQN", "RCI", "DAT", "ORG", "ADD", "IFT", "FOP", "TRA", "RPI", "TRI", "TBD", "SSD"),
    *("TKT", "FTI", "MON", "TXD", "FAR", "PTK", "EBD"),
)
_FIRST_ALONE = ("record_locator", "locator_carrier", "booked_at", "last_changed_at")
_SEATS = ("SEAT", "NSST", "NSSA", "NSSB", "NSSM", "NSSW", "SMSA", "SMSB", "SMST", "SMSW", "RQST")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

Cells = dict[str, str | None]


@dataclass
class Placed(Read):
    """A segment, with what it belongs to: 0 is none."""

    group: int
    owner: int
    flight: int
    check_in: int
    payment: int
    split: int
    label: str | None = None


@dataclass
class Traveller:
    """A row: a traveller, or a PNR without one."""

    at: int
    cells: Cells
    ref: str | None


@dataclass
class Pnr:
    """The segments from an SRC to the next one, or to the end of the message."""

    at: int
    message: int
    segments: list[Placed] = field(default_factory=list)
    travellers: list[Traveller] = field(default_factory=list)
    items: list[tuple[int, int, str, str]] = field(default_factory=list)
    """owner, position, column, text"""

    def add(self, owner: int, at: int, column: str, text: str | None) -> None:
        """One more item, where there is a text."""
        if text:
            self.items.append((owner, at, column, text))


def outcome(delivery: bytes) -> tuple[list[tuple[object, ...]], set[Finding]]:
    """The rows of a delivery, each with its position first, and the findings.

    Raises:
        Refused: with the code and the segment that the reader names.
    """
    tally = Tally()
    interchange = read_kind(delivery, tally, "PNRGOV", "(1[0-9]|2[01]):1")
    # The reader waits with the last PNR until it knows whether the delivery is whole.
    closes = [at for at, one in enumerate(interchange.segments) if one.tag in ("SRC", "UNT", "UNZ")]
    whole = closes[-1] if closes else 0
    rows = []
    pnrs, level0 = _pnrs(interchange.segments)
    waits = interchange.segments[whole].position if interchange.segments else 1
    for last in (False, True):
        if last:
            interchange.finish()
        part = [pnr for pnr in pnrs if (pnr.at >= waits) is last]
        _refuse(part, [one for one, _ in level0 if (one.position >= waits) is last])
        if last:
            _follow(pnrs, level0, tally)
        flights = _flights(level0, tally if last else Tally())
        pushes = _pushes(level0, tally if last else Tally())
        for pnr in part:
            rows += _rows(pnr, pushes.get(pnr.message, {}) | flights.get(pnr.message, {}), tally)
    return rows, set(tally.findings())


def _pnrs(segments: list[Segment]) -> tuple[list[Pnr], list[tuple[Segment, int]]]:
    """The PNRs, and the segments outside every PNR with their message."""
    pnrs: list[Pnr] = []
    level0: list[tuple[Segment, int]] = []
    open_pnr, message, group, traveller, flight, check_in, payment, split = (None, 0, 0, 0, 0, 0, 0, 0)
    for segment in segments:
        tag, at = segment.tag, segment.position
        if tag == "SRC":
            open_pnr = Pnr(at, message)
            pnrs.append(open_pnr)
            group, flight = 0, 0
        elif tag in _SERVICE:
            open_pnr = None
            message = at if tag == "UNH" else message
        if open_pnr is None:
            level0.append((segment, message))
            continue
        group = max(group, _OPENS.get(tag, 0))
        if tag == "TIF" and group == 2:
            traveller = 0 if _is_group(segment) else at
        if tag in _ENDS_CHECK_IN:
            check_in = 0
        if 5 <= group < 9:
            if (tag == "TVL" and segment.elements[:2] != [[""], [""]]) or (tag == "TVL" and len(segment.elements) < 3):
                flight = at
            check_in = at if tag == "TRI" else check_in
        payment = at if tag == "FOP" else payment
        split = at if tag == "EQN" and group == 8 else split
        owner = traveller if group == 2 and tag != "LTS" else 0
        open_pnr.segments.append(Placed(segment, group, owner, flight, check_in, payment, split))
    return pnrs, level0


def _is_group(tif: Segment) -> bool:
    """TIF names a group: type G with the surname, or after the given names."""
    return any(len(composite) > 1 and composite[1] == "G" for composite in tif.elements[:2]) or any(
        "G" in composite[1:] for composite in tif.elements[:1]
    )


def _refuse(pnrs: list[Pnr], level0: list[Segment]) -> None:
    for segment in level0:
        if segment.tag in ("TIF", "RCI", "SSR", "FOP"):
            raise refused(Code.RECORD_MALFORMED, segment.position)
    for pnr in pnrs:
        for one in pnr.segments:
            if one.tag == "TIF" and 5 <= one.group <= 9 and not one.check_in:
                raise refused(Code.RECORD_MALFORMED, one.at)


def _follow(pnrs: list[Pnr], level0: list[tuple[Segment, int]], tally: Tally) -> None:
    """What the headers and the counts of PNRs say is in `tally`, where they disagree."""
    sent, parts, begun = Counter(pnr.message for pnr in pnrs), Parts(), 0
    tags: set[str] = set()
    announced = unh = ""
    for segment, message in level0:
        if segment.tag == "UNH":
            begun, tags, announced = message, set(), ""
            unh = "\x1d".join("\x1f".join(composite) for composite in segment.elements)
        elif segment.tag == "UNT":
            for tag in ("MSG", "ORG"):
                if tag not in tags:
                    tally.add(f"tolerated-{tag.lower()}-missing", "", [begun])
            together = parts.add(unh, (sent[begun],), begun, tally)
            said_of = {str(together[0]), str(sent[begun])} if together else set()
            if together and (announced.lstrip("0") or "0") not in {number.lstrip("0") or "0" for number in said_of}:
                tally.add("tolerated-pnr-count", "", [begun])
        else:
            tags.add(segment.tag)
            if segment.tag == "EQN":
                announced = segment.elements[0][0].strip()
    if not begun:
        raise refused(Code.MESSAGE_UNKNOWN)
    parts.finish(begun, tally)


def _flight(tvl: Segment) -> Cells:
    """The parts of a flight and its label."""
    day, time, arrival_day, arrival_time = tvl.components(0, 0, 1, 2, 3)
    (departure,), (arrival,) = tvl.components(1, 0), tvl.components(2, 0)
    (marketing, operating), (number, travel_class) = tvl.components(3, 0, 1), tvl.components(4, 0, 1)
    places = "-".join(place for place in (departure, arrival) if place)
    return {
        "day": day,
        "time": time,
        "arrival_day": arrival_day,
        "arrival_time": arrival_time,
        "departure": departure,
        "arrival": arrival,
        "marketing": marketing,
        "operating": operating,
        "number": number,
        "class": travel_class,
        "label": line(marketing, number, places or None),
    }


def _flights(level0: list[tuple[Segment, int]], tally: Tally) -> dict[int, Cells]:
    """The flight that each message is about."""
    found: dict[int, Cells] = {}
    for segment, message in level0:
        if segment.tag != "TVL" or message in found:
            continue
        flight = _flight(segment)
        day, time = flight["arrival_day"], flight["arrival_time"]
        dayless = (day is None and time is not None) or (
            day is not None and time is None and bool(re.fullmatch("[0-9]{4}", day))
        )
        if dayless:
            tally.add("tolerated-arrival-without-day", "arrives_at", [segment.position])
        found[message] = {
            "flight_carrier": flight["marketing"],
            "flight_number": flight["number"],
            "departure_airport": flight["departure"],
            "arrival_airport": flight["arrival"],
            "departs_at": _moment(flight["day"], flight["time"]),
            "arrives_at": None if dayless else _moment(day, time),
        }
    return found


def _pushes(level0: list[tuple[Segment, int]], tally: Tally) -> dict[int, Cells]:
    """The push that each message belongs to."""
    found: dict[int, Cells] = {}
    prepared, waiting = None, 0
    for segment, message in level0:
        if segment.tag == "UNB":
            day, minute = segment.components(3, 0, 1)
            prepared = _prepared(day or "", minute or "")
        elif segment.tag == "UNH":
            (reference,), (part,) = segment.components(2, 0), segment.components(3, 0)
            number = str(int(part)) if part and re.fullmatch("[0-9]{1,4}", part) and int(part) else None
            found[message] = {"pushed_at": prepared, "push_reference": reference, "push_part": number}
            waiting = message
        elif segment.tag == "MSG" and waiting == message:
            (code,) = segment.components(0, 1)
            kind = {"22": "FULL", "141": "UPDATE"}.get(code or "")
            found[message]["push_kind"] = kind
            if kind is None:
                tally.add("tolerated-push-kind", "push_kind", [message])
            waiting = 0
        elif segment.tag == "UNT":
            waiting = 0
    return found


def _prepared(day: str, minute: str) -> str | None:
    if not re.fullmatch("(20)?[0-9]{6}", day) or not re.fullmatch("[0-9]{4}", minute):
        return None
    year, month, of_month = 2000 + int(day[-6:-4]), day[-4:-2], day[-2:]
    real = 1 <= int(month) <= 12 and 1 <= int(of_month) <= monthrange(year, int(month))[1]
    if not real or minute[:2] > "23" or minute[2:] > "59":
        return None
    return f"{year}-{month}-{of_month}T{minute[:2]}:{minute[2:]}"


def _moment(day: str | None, time: str | None) -> str | None:
    if day and re.fullmatch("[0-9]{6}", day):
        iso = f"20{day[4:]}-{day[2:4]}-{day[:2]}"
        if time is None:
            return iso
        if re.fullmatch("[0-9]{4}([0-9]{2})?", time):
            return f"{iso}T{time[:2]}:{time[2:4]}"
    return ":".join(part for part in (day, time) if part is not None) or None


def _dated(raw: str, century: str) -> str:
    if not re.fullmatch("[0-9]{2}[A-Za-z]{3}([0-9]{2}|[0-9]{4})", raw) or raw[2:5].upper() not in _MONTHS:
        return raw
    year = raw[5:] if len(raw) == 9 else century + raw[5:]
    return f"{year}-{_MONTHS.index(raw[2:5].upper()) + 1:02}-{raw[:2]}"


def _born(raw: str | None, departs_at: str | None) -> str | None:
    if raw is None or not re.fullmatch("[0-9]{2}[A-Za-z]{3}[0-9]{2}", raw):
        return raw and _dated(raw, "20")
    if not departs_at or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", departs_at[:10]):
        return raw
    young = _dated(raw, "20")
    return _dated(raw, "19") if young > departs_at[:10] else young


def _named(tif: Segment) -> Cells:
    given, kind, ref = tif.components(1, 0, 1, 2)
    return {
        "surname": tif.components(0, 0)[0],
        "given_names": given,
        "traveller_type": kind,
        "traveller_ref": ref,
    }


def _rows(pnr: Pnr, flight: Cells, tally: Tally) -> list[tuple[object, ...]]:
    _name_travellers(pnr, flight)
    _check_in(pnr, tally)
    opened = {one.at: _flight(one.said) for one in pnr.segments if one.flight == one.at}
    for one in pnr.segments:
        one.label = opened[one.flight]["label"] if one.flight else None
    _read_party(pnr)
    _read_locators(pnr)
    _read_flights(pnr, opened)
    for one in pnr.segments:
        past = one.group >= 10 or one.tag == "LTS"
        if past:
            pnr.add(one.owner, one.at, "history", line(one.tag, words(*one.said.elements)))
        elif one.group == 9 or one.tag not in _CARRIED:
            tally.add("discarded-beyond-annex", "", [one.at])
        else:
            _read(pnr, one)
    _read_requests(pnr, tally)
    return [(row.at, *_cells(pnr, row)) for row in pnr.travellers]


def _cells(pnr: Pnr, row: Traveller) -> list[str | None]:
    """The row's cells: of the whole PNR first, then the traveller's own."""
    listed: dict[tuple[int, str], list[str]] = defaultdict(list)
    for owner, _, column, text in sorted(pnr.items, key=lambda item: item[1]):
        kept = listed[owner, column]
        if not (kept and column in _FIRST_ALONE):
            kept.append(text)
    cells = dict(row.cells)
    for column in COLUMNS:
        shared, own = listed[0, column], listed[row.at, column]
        if column == "ticketed_at":
            shared = [] if own else shared
        if shared or own:
            cells[column] = "\n".join([*shared, *own])
    return [cells.get(column) for column in COLUMNS]


def _name_travellers(pnr: Pnr, flight: Cells) -> None:
    for one in pnr.segments:
        if one.tag == "TIF" and one.owner == one.at:
            cells = _named(one.said)
            ref = (cells["traveller_ref"] or "").lstrip("0") or None
            pnr.travellers.append(Traveller(one.at, {**flight, **cells}, ref))
    for place, traveller in enumerate(pnr.travellers, start=1):
        refs = [one for one in pnr.segments if one.tag == "REF" and one.owner == traveller.at]
        stands_in = words(*refs[0].said.elements) if refs else None
        numbered = f"#{place}" if traveller.cells["surname"] else None
        traveller.cells["traveller_ref"] = traveller.cells["traveller_ref"] or stands_in or numbered
    if not pnr.travellers:
        pnr.travellers.append(Traveller(pnr.at, dict(flight), None))


def _check_in(pnr: Pnr, tally: Tally) -> None:
    """What a check-in says is its traveller's; what is said of nobody is taken away, but for requests."""
    known: dict[int, int] = {}
    for tri in [one for one in pnr.segments if one.tag == "TRI" and one.check_in]:
        tifs = [one.said for one in pnr.segments if one.tag == "TIF" and one.check_in == tri.at]
        named = _named(tifs[0]) if tifs else {}
        (by_tri,) = tri.said.components(1, 3)
        by_tif, name = named.get("traveller_ref"), (named.get("surname"), named.get("given_names"))
        found = None
        for ref in (by_tif, by_tri):
            fitting = [one.at for one in pnr.travellers if ref and one.ref == ref.lstrip("0")]
            found = found or (fitting[0] if len(fitting) == 1 else None)
        fitting = [
            one.at
            for one in pnr.travellers
            if all(name) and (one.cells.get("surname"), one.cells.get("given_names")) == name
        ]
        found = found or (fitting[0] if len(fitting) == 1 else None)
        if found:
            known[tri.at] = found
        else:
            tally.add("discarded-unknown-traveller", "", [tri.at])
    kept = []
    for one in pnr.segments:
        if one.check_in and one.tag in _OF_CHECK_IN:
            one.owner = known.get(one.check_in, one.owner)
            if one.check_in not in known and one.tag != "SSR":
                continue
        kept.append(one)
    pnr.segments = kept


def _read_party(pnr: Pnr) -> None:
    names = {}
    for one in pnr.travellers:
        if one.cells.get("surname"):
            names[one.at] = "/".join(part for part in (one.cells["surname"], one.cells["given_names"]) if part)
    for at in names:
        for other, name in names.items():
            if other != at:
                pnr.add(at, other, "other_names", name)
    for segment in pnr.segments:
        if segment.tag == "TIF" and segment.group == 2 and not segment.owner:
            pnr.add(0, segment.at, "other_names", _named(segment.said)["surname"])
    booked = [
        int(text)
        for one in pnr.segments
        if one.tag == "RPI" and re.fullmatch("[0-9]{1,3}", text := ":".join(one.said.element(0) or []))
    ]
    count = max(booked) if booked else len(names)
    for row in pnr.travellers:
        row.cells["traveller_count"] = str(count) if count else None


def _read_locators(pnr: Pnr) -> None:
    met: set[tuple[str | None, ...]] = set()
    for one in pnr.segments:
        if one.tag != "RCI" or one.group >= 9:
            continue
        for composite in said(one.said.elements):
            carrier, locator, kind, day, time = (component(composite, at) for at in range(5))
            if one.group == 8 and one.split > one.flight:
                pnr.add(one.owner, one.at, "split_from", words(composite))
                continue
            if (carrier, locator) in met:
                continue
            shifted = bool(kind and re.fullmatch("[0-9]{6}", kind))
            if met:
                pnr.add(one.owner, one.at, "other_locators", line(carrier, locator, None if shifted else kind))
            else:
                pnr.add(one.owner, one.at, "record_locator", locator)
                pnr.add(one.owner, one.at, "locator_carrier", carrier)
                pnr.add(one.owner, one.at, "booked_at", _moment(kind, day) if shifted else _moment(day, time))
            met.add((carrier, locator))


def _read_flights(pnr: Pnr, opened: dict[int, Cells]) -> None:
    days: set[str | None] = set()
    for one in pnr.segments:
        if one.tag != "TVL" or one.group >= 9:
            continue
        if one.at not in opened:
            pnr.add(one.owner, one.at, "code_shares", line(one.label, "as", words(*one.said.elements)))
            continue
        flight = opened[one.at]
        departs, arrives = (
            _moment(flight["day"], flight["time"]),
            _moment(flight["arrival_day"], flight["arrival_time"]),
        )
        pnr.add(one.owner, one.at, "itinerary", line(one.label, departs, arrives, flight["class"]))
        day = _moment(flight["day"], None)
        if day not in days:
            pnr.add(one.owner, one.at, "travel_dates", day)
        days.add(day)
        if flight["operating"]:
            pnr.add(one.owner, one.at, "code_shares", line(one.label, "operated by", flight["operating"]))


def _read(pnr: Pnr, one: Placed) -> None:
    segment, label = one.said, one.label
    whole = words(*segment.elements)

    def add(column: str, text: str | None) -> None:
        pnr.add(one.owner, one.at, column, text)

    match one.tag:
        case "DAT":
            for composite in said(segment.elements):
                code, day, time = (component(composite, at) for at in range(3))
                moment = _moment(day, time)
                if not one.flight and code == "700":
                    add("last_changed_at", moment)
                elif not one.flight and code == "710":
                    add("ticketed_at", moment)
                elif moment:
                    add("travel_status", line("DAT", code, moment, label))
        case "ORG" if one.flight:
            add("travel_status", line("ORG", whole, label))
        case "ORG":
            add("agency", words(*segment.elements[:6]))
            add("agent_sine", words(*segment.elements[6:9]))
        case "ADD":
            address = "\x1f".join(segment.element(1) or []).replace("\x1f", " ", 1)
            column = "payer" if one.owner and one.payment > one.owner else "contacts"
            add(column, re.sub(" *\x1f[\x1f ]*", ", ", address).strip(", "))
        case "IFT":
            kind, carrier = segment.components(0, 1, 3)
            text = words(*segment.elements[1:])
            if kind == "28" and text and text.startswith("CTC"):
                add("contacts", text)
            elif kind == "15":
                add("fares", line("IFT", kind, text))
            elif kind == "43":
                add("payer", text)
            else:
                add("remarks", line("OSI" if kind == "28" else line("IFT", kind), carrier, text))
        case "FOP":
            for composite in said(segment.elements):
                form, indicator, amount, vendor, card, expiry = (component(composite, at) for at in range(6))
                add("payment_forms", line(form, vendor, expiry, indicator) or "-")
                add("card_numbers", card or "-")
                add("amounts", amount or "-")
        case "TRA":
            add("code_shares", line(label, "operated by", whole))
        case "RPI":
            add("travel_status", line(words(segment.element(1) or []), words(segment.element(0) or []), label))
        case "TRI":
            add("travel_status", line("TRI", *segment.components(1, 0), label))
        case "TBD":
            count, weight, unit = segment.components(1, 0, 1, 2)
            pool = words(segment.element(3) or [])
            add("baggage", line(count, weight, {"700": "kg", "701": "lb"}.get(unit or "", unit), pool, label))
            for composite in said(segment.elements[4:]):
                add("bag_tags", words(composite))
        case "SSD":
            add("seats", line(whole, label))
        case "TKT":
            add("ticket_numbers", *segment.components(0, 0))
        case "FTI":
            for composite in said(segment.elements):
                add("frequent_flyer", words(composite))
        case "MON" | "TXD":
            for composite in said(segment.elements):
                add("fares", line(one.tag, words(composite)))
        case "FAR" | "PTK":
            add("fares", line(one.tag, whole))
        case "EBD":
            add("baggage", line(one.tag, whole))
        case _:
            pass


def _read_requests(pnr: Pnr, tally: Tally) -> None:
    documents: list[tuple[int, int, str | None]] = []
    for one in pnr.segments:
        if one.tag != "SSR" or one.group >= 9:
            continue
        head = one.said.element(0)
        code = component(head, 0)
        shaped = bool(code and re.fullmatch("[A-Z0-9]{4}", code))
        if not shaped:
            tally.add("tolerated-request-code", "", [one.at])
        for composite in said(one.said.elements[1:]) or [[""]]:
            detail, ref = words(composite[:1]), component(composite, 2)
            fitting = [row.at for row in pnr.travellers if ref is not None and row.ref == ref.lstrip("0")]
            if ref is not None and not fitting:
                rule = "tolerated-unknown-traveller" if one.owner else "discarded-unknown-traveller"
                tally.add(rule, "", [one.at])
                if not one.owner:
                    continue
            alone = pnr.travellers[0].at if len(pnr.travellers) == 1 else 0
            owner = fitting[0] if fitting else one.owner or alone
            if not shaped:
                pnr.add(owner, one.at, "remarks", line("SSR", words(*one.said.elements)))
            elif code == "DOCS":
                documents.append((owner, one.at, words((head or [])[8:])))
            else:
                _read_request(pnr, (owner, one.at), head or [], detail)
    _read_documents(pnr, documents)


def _read_request(pnr: Pnr, whose: tuple[int, int], head: list[str], detail: str | None) -> None:
    code, status, quantity, carrier, board, off = (component(head, at) for at in (0, 1, 2, 3, 6, 7))
    text, leg = words(head[8:]), "-".join(port for port in (board, off) if port) or None
    assert code is not None
    if code.startswith("CTC"):
        pnr.add(*whose, "contacts", line(code, text))
    elif code in _SEATS:
        pnr.add(*whose, "seats", line(detail, code, status, leg, text))
    elif code in ("DOCA", "DOCO"):
        pnr.add(*whose, "apis_other", line(code, text and text.lstrip("/ ")))
    elif code == "FQTV":
        pnr.add(*whose, "frequent_flyer", line(code, text, detail))
    else:
        pnr.add(*whose, "service_requests", line(code, status, quantity, carrier, leg, text, detail))


def _read_documents(pnr: Pnr, documents: list[tuple[int, int, str | None]]) -> None:
    """Each traveller's own document, the first with a number; and the others as text."""
    told: set[tuple[int, int | str | None]] = set()
    for row in pnr.travellers:
        mine = []
        for owner, at, text in documents:
            parts = [part.strip(" ") or None for part in (text or "").removeprefix("/").split("/")]
            parts += [None] * 10
            infant = row.cells.get("traveller_type") == "IN"
            if owner == row.at and (infant or parts[5] not in ("FI", "MI", "UI", "XI")):
                mine.append((at, text, parts))
        for at, text, parts in sorted(mine, key=lambda document: document[2][2] is None)[:1]:
            kind, issuer, number, nationality, born, sex, expires, *names = parts
            row.cells |= {"document_type": kind, "document_issuer": issuer, "document_number": number}
            row.cells |= {"nationality": nationality, "sex": sex}
            row.cells["birth_date"] = _born(born, row.cells.get("departs_at"))
            row.cells["document_expiry"] = expires and _dated(expires, "20")
            row.cells["document_names"] = "/".join(name for name in names[:3] if name) or None
            told |= {(row.at, at), (row.at, text)} if text else {(row.at, at)}
    for owner, at, text in documents:
        if (owner, at) not in told and (owner, text) not in told:
            told.add((owner, text))
            pnr.add(owner, at, "apis_other", line("DOCS", text and text.lstrip("/ ")))

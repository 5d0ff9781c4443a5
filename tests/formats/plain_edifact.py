"""EDIFACT read the slow and plain way, one sign after another: what `pipeline.formats.edifact` must agree with.

For tests alone, and for deliveries that fit one window. What is plain already in the pipeline (the envelope, the parts of a
list) is used from there.
"""

import re
from dataclasses import dataclass

import polars as pl

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Tally
from pipeline.formats.edifact_envelope import Envelope

_UTF8 = ("IATA", "IATB", "UNOA", "UNOB", "UNOW", "UNOY")
_BLANK = " \t\r\n"


@dataclass(frozen=True)
class Segment:
    """A segment as it stands: its elements are lists of components, and `elements[0][0]` follows the tag."""

    position: int
    tag: str
    elements: list[list[str]]

    def element(self, at: int) -> list[str] | None:
        """The components of one element; None where it is absent or blank."""
        return element(self.elements, at)

    def components(self, at: int, *wanted: int) -> list[str | None]:
        """Some components of one element, without blanks around them."""
        return [component(self.element(at), which) for which in wanted]


@dataclass
class Read:
    """A segment as it was read, before anybody says what it belongs to."""

    said: Segment

    @property
    def tag(self) -> str:
        """The segment's tag."""
        return self.said.tag

    @property
    def at(self) -> int:
        """The segment's position."""
        return self.said.position

    @property
    def body(self) -> str:
        """What follows the tag."""
        return "\x1d".join("\x1f".join(composite) for composite in self.said.elements)

    @property
    def qualifier(self) -> str:
        """The first component."""
        return self.said.elements[0][0].strip(" ")

    def part(self, at: int) -> str | None:
        """A component of the body, where it is a single composite."""
        return component(self.body.split("\x1f"), at)

    def code(self, element: int, *components: int) -> str | None:
        """The first of these components of an element that says anything."""
        return next((text for text in self.said.components(element, *components) if text), None)


def element(elements: list[list[str]], at: int) -> list[str] | None:
    """The components of one element, without blanks around it all; None where it is absent or blank."""
    if at >= len(elements):
        return None
    found = list(elements[at])
    found[0] = found[0].lstrip(" ")
    found[-1] = found[-1].rstrip(" ")
    return None if found == [""] else found


def component(composite: list[str] | None, at: int) -> str | None:
    """One component without blanks around it; None where it is absent or blank."""
    return (composite[at].strip(" ") or None) if composite and at < len(composite) else None


def words(*elements: list[str]) -> str | None:
    """The components with one space between."""
    text = " ".join(part for composite in elements for part in composite)
    return re.sub(" +", " ", text).strip(" ") or None


def line(*parts: str | None) -> str | None:
    """What is there, with one space between."""
    return " ".join(part for part in parts if part is not None) or None


def said(elements: list[list[str]]) -> list[list[str]]:
    """The elements that say anything."""
    return [composite for composite in elements if any(part.strip(" ") for part in composite)]


@dataclass
class Interchange:
    """All whole segments of a delivery, what was tolerated, and what there is to refuse once these have been read."""

    segments: list[Segment]
    envelope: Envelope
    ends_inside_segment: bool

    def finish(self) -> None:
        """The delivery ended where an interchange ends."""
        self.envelope.finish(ends_inside_segment=self.ends_inside_segment)


def refused(code: Code, segment: int | None = None) -> Refused:
    """A refusal as the tests compare it: its code, and the segment that it names."""
    return Refused(code, "" if segment is None else f"Segment {segment} ", next_step="")


def read(delivery: bytes, tally: Tally) -> Interchange:
    """The segments of `delivery`."""
    if delivery.startswith(b"\xef\xbb\xbf"):
        delivery = delivery[3:]
        tally.add("tolerated-byte-order-mark", "", [1])
    delivery = delivery.lstrip(_BLANK.encode())
    if not delivery:
        raise refused(Code.DELIVERY_EMPTY)
    una = b""
    component_sign, element_sign, release, repetition, terminator = b":", b"+", b"?", b"", b"'"
    if delivery.startswith(b"UNA"):
        una, delivery = delivery[:9], delivery[9:]
        if len(una) < 9:
            raise refused(Code.MESSAGE_TRUNCATED)
        component_sign, element_sign, _, release, repetition, terminator = (una[at : at + 1] for at in range(3, 9))
        release, repetition = release.strip(b" "), repetition.strip(b" ")
        signs = [sign for sign in (component_sign, element_sign, release, repetition, terminator) if sign]
        if len(set(signs)) < len(signs) or not all(0x20 < sign[0] < 0x7F and not sign.isalnum() for sign in signs):
            raise refused(Code.RECORD_MALFORMED)
    encoding = _encoding(delivery.lstrip(_BLANK.encode()), element_sign, component_sign, terminator)
    delivery, rest = _whole(delivery, release, terminator)
    if una:
        delivery = re.sub(rb"(\A|" + re.escape(terminator) + rb")(\s*)" + re.escape(una), rb"\1\2", delivery)
    envelope = Envelope()
    if delivery:
        texts = [sign.decode() for sign in (component_sign, element_sign, release, repetition, terminator)]
        written = _split(_text(delivery, encoding, texts), texts)
        segments = _segments(written, tally)
        rows = [(one.position, one.tag, "\x1d".join("\x1f".join(part) for part in one.elements)) for one in segments]
        schema = pl.Schema({"position": pl.UInt64, "tag": pl.String, "body": pl.String})
        envelope.follow(pl.DataFrame(rows, schema=schema, orient="row"), tally)
    else:
        segments = []
    return Interchange(segments, envelope, bool(rest.strip(_BLANK.encode())))


def read_kind(delivery: bytes, tally: Tally, kind: str, versions: str) -> Interchange:
    """What `read` gives, each message being of this kind and of one of these versions (a pattern)."""
    interchange = read(delivery, tally)
    for segment in interchange.segments:
        if segment.tag == "UNH":
            said_kind, *version = (
                [part.strip() for part in segment.elements[1][:3]] if len(segment.elements) > 1 else [""]
            )
            if said_kind != kind or not re.fullmatch(versions, ":".join(version)):
                raise refused(Code.MESSAGE_UNKNOWN, segment.position)
    return interchange


def _encoding(start: bytes, element_sign: bytes, component_sign: bytes, terminator: bytes) -> str:
    if start.startswith(b"UNB" + element_sign):
        if terminator not in start:
            raise refused(Code.MESSAGE_TRUNCATED, 1)
        syntax = start[4:16].split(element_sign)[0].split(component_sign)[0].decode("latin-1")
        if syntax in _UTF8:
            return "utf-8"
        if syntax == "UNOC":
            return "latin-1"
        raise refused(Code.ENCODING_INVALID, 1)
    raise refused(Code.ENCODING_INVALID if b"\0" in start[:64] or start[:1] >= b"\x80" else Code.MESSAGE_UNKNOWN)


def _whole(delivery: bytes, release: bytes, terminator: bytes) -> tuple[bytes, bytes]:
    """The delivery up to its last terminator that is not released, and the rest."""
    for end in range(len(delivery), 0, -1):
        if delivery[end - 1 : end] == terminator:
            before = delivery[: end - 1]
            if not release or (len(before) - len(before.rstrip(release))) % 2 == 0:
                return delivery[:end], delivery[end:]
    return b"", delivery


def _text(delivery: bytes, encoding: str, signs: list[str]) -> str:
    """The delivery as text, with what has no meaning in it as \\x1a."""
    bad = delivery.find(b"\0")
    if bad < 0:
        try:
            delivery.decode(encoding)
        except UnicodeDecodeError as error:
            bad = error.start
    if bad >= 0:
        before = _split(delivery[:bad].decode("latin-1"), signs)
        raise refused(Code.ENCODING_INVALID, len(before))
    text = "".join("\x1a" if ord(sign) < 0x20 and sign not in _BLANK else sign for sign in delivery.decode(encoding))
    return re.sub("[\x7f-\x9f\u2028\u2029]", "\x1a", text)


Signs = list[tuple[str, bool]]
"""Each sign of a segment, and whether it separates."""


def _split(text: str, signs: list[str]) -> list[Signs]:
    """The segments, with what follows the last terminator. \\x07 stands before a sign that was released in vain."""
    component_sign, element_sign, release, repetition, terminator = signs
    meant = {component_sign: "\x1f", element_sign: "\x1d", **({repetition: "\x1d"} if repetition else {})}
    segments: list[Signs] = [[]]
    at = 0
    while at < len(text):
        sign = text[at]
        if release and sign == release and at + 1 < len(text):
            at += 1
            sign = text[at]
            in_vain = sign not in meant and sign not in (release, terminator)
            segments[-1] += [("\x07", False)] * in_vain + [(sign, False)]
        elif sign == terminator:
            segments.append([])
        elif sign == "\u2019" and _ends_a_segment(text[at + 1 :], element_sign, repetition, terminator):
            segments.append([("\x08", False)])
        else:
            segments[-1].append((meant.get(sign, sign), sign in meant))
        at += 1
    return segments


def _ends_a_segment(rest: str, element_sign: str, repetition: str, terminator: str) -> bool:
    """A typographic apostrophe ends a segment where a line end and the next tag follow."""
    separators = re.escape(element_sign + repetition + terminator)
    return bool(re.match(rf"[\r\n]+[A-Z][A-Z0-9]{{2}}[{separators}]", rest))


def _segments(written: list[Signs], tally: Tally) -> list[Segment]:
    found: list[list[tuple[str, bool]]] = []
    for segment in written[:-1]:
        text = "".join(sign for sign, _ in segment)
        lead = text[: len(text) - len(text.lstrip(_BLANK + "\x08"))]
        kept = [*segment[len(lead) :]]
        while kept and kept[-1][0] in _BLANK + "\x08":
            kept.pop()
        at = len(found) + bool(kept)
        if not kept:
            tally.add("tolerated-stray-terminator", "", [at])
        if text.startswith("\x08"):
            tally.add("tolerated-odd-terminator", "", [at])
        if re.match("\x08?[ \t]*[\r\n]", text):
            tally.add("tolerated-line-break", "", [at])
        if kept and re.match("\x08?[\r\n]*[ \t]", text):
            tally.add("tolerated-leading-space", "", [at])
        if any(sign in "\r\n\t\x1a" for sign, _ in kept):
            tally.add("tolerated-control-character", "", [at])
        if any(sign == "\x07" for sign, _ in kept):
            tally.add("tolerated-needless-release", "", [at])
        if kept:
            found.append(kept)
    return [_segment(at, signs) for at, signs in enumerate(found, start=1)]


def _segment(position: int, signs: Signs) -> Segment:
    """The segment without its oddities: each run of what has no meaning is one space."""
    plain: Signs = []
    blank = False
    for sign, separates in signs:
        if sign in "\r\n\t\x1a":
            plain += [(" ", False)] * (not blank)
            blank = True
        else:
            plain += [(sign, separates)] * (sign != "\x07")
            blank = False
    tag = "".join(sign for sign, _ in plain[:3])
    parted = len(plain) == 3 or (len(plain) > 3 and plain[3] == ("\x1d", True))
    if not parted or any(separates for _, separates in plain[:3]) or not re.fullmatch("[A-Z][A-Z0-9]{2}", tag):
        raise refused(Code.RECORD_MALFORMED, position)
    elements = [[""]]
    for sign, separates in plain[4:]:
        if separates and sign == "\x1d":
            elements.append([""])
        elif separates:
            elements[-1].append("")
        else:
            elements[-1][-1] += sign
    return Segment(position, tag, elements)

"""EDIFACT (ISO 9735) as a stream of segments: where does each segment begin, and is the interchange whole?

The reader works by column: one byte translation turns the delivery's own service characters into `TERMINATOR`,
`ELEMENT` and `COMPONENT` (control characters that no text can then hold) and takes the release characters away, so
that whoever reads a body may split it blindly. No Python object is made per element or component.

Service characters come from UNA; without one they are `:+.? '`, and `*` is then text (ISO 9735 version 3, which IATA
follows). A repetition counts as one more element: PNRGOV repeats composites side by side.
Encoding: UNB's syntax identifier decides. UNOC is ISO 8859-1; IATA, IATB, UNOA, UNOB, UNOW and UNOY are read as UTF-8,
of which their ASCII repertoire is a part; any other is refused. Control characters and line ends in a body become
spaces. All that is odd but keeps its meaning is a finding named `tolerated-...`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import ROWS_NAMED, Finding, Tally
from pipeline.formats.batch import Limits
from pipeline.formats.edifact_envelope import Envelope, truncated

COMPONENT, ELEMENT, TERMINATOR = "\x1f", "\x1d", "\x1e"
LONGEST_SEGMENT_IN_CELLS = 64
"""A segment may be this many times as long as a cell: a TXD or an SSR holds an item for each of many travellers."""

_GROWTH = 4
"""Read by column, segments take several times their bytes."""
_UTF8_SYNTAX = {b"IATA", b"IATB", b"UNOA", b"UNOB", b"UNOW", b"UNOY"}
_LATIN1_SYNTAX = {b"UNOC"}
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_CONTROLS = bytes(c for c in [*range(1, 0x20), 0x7F] if c not in b"\t\r\n")
_CONTROL_WAS_HERE, _NEEDLESS_RELEASE, _ODD_TERMINATOR = "\x1a", "\x07", "\x08"
_ODD_SIGNS = ("\r", "\n", "\t", _CONTROL_WAS_HERE, _NEEDLESS_RELEASE, _ODD_TERMINATOR)
_OTHER_LINE_ENDS = re.compile("[\x80-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class ServiceCharacters:
    """The bytes with which one interchange separates its parts. `b" "` for release or repetition: not used."""

    component: bytes = b":"
    element: bytes = b"+"
    release: bytes = b"?"
    repetition: bytes = b" "
    terminator: bytes = b"'"

    @staticmethod
    def from_una(una: bytes) -> "ServiceCharacters":
        """The characters of a UNA segment (9 bytes).

        Raises:
            Refused: record-malformed, where two of them are the same or one could be part of a word; message-truncated.
        """
        if len(una) < 9:
            raise truncated("The delivery ends inside UNA.")
        component, element, _, release, repetition, terminator = (una[at : at + 1] for at in range(3, 9))
        declared = [component, element, terminator, *(c for c in (release, repetition) if c != b" ")]
        usable = all(c.isascii() and 0x20 < c[0] < 0x7F and not c.isalnum() for c in declared)
        if not usable or len(set(declared)) < len(declared):
            raise Refused(
                Code.RECORD_MALFORMED,
                "The UNA segment declares service characters that cannot separate anything.",
                next_step="ask the partner for an interchange with five distinct service characters",
            )
        return ServiceCharacters(component, element, release, repetition, terminator)

    def to_marks(self, piece: bytes) -> bytes:
        """`piece` with separators as marks, released characters as plain text and needless releases marked."""
        stand_ins = {self.component: b"\x01", self.element: b"\x02", self.terminator: b"\x03"}
        table = bytearray(range(256))
        table[self.component[0]], table[self.element[0]] = ord(COMPONENT), ord(ELEMENT)
        table[self.terminator[0]] = ord(TERMINATOR)
        if self.repetition != b" ":
            stand_ins[self.repetition] = b"\x04"
            table[self.repetition[0]] = ord(ELEMENT)
        if self.release != b" ":
            stand_ins[self.release] = b"\x05"
            released = re.compile(re.escape(self.release) + b"(.)", re.DOTALL)
            piece = released.sub(lambda found: stand_ins.get(found[1], _NEEDLESS_RELEASE.encode() + found[1]), piece)
        for literal, stand_in in stand_ins.items():
            table[stand_in[0]] = literal[0]
        return piece.translate(bytes(table))

    def end_of_last_segment(self, window: bytes) -> int:
        """How many of `window`'s bytes are whole segments."""
        end = window.rfind(self.terminator)
        while end >= 0:
            released = end
            while self.release != b" " and window[released - 1 : released] == self.release:
                released -= 1
            if (end - released) % 2 == 0:
                return end + 1
            end = window.rfind(self.terminator, 0, end)
        return 0


@dataclass(frozen=True, slots=True)
class Segments:
    """The next whole segments: `position` (UInt64, 1 for the delivery's first; UNA has none), `tag`, `body`.

    A body is what follows the tag and its separator, in `ELEMENT`s of `COMPONENT`s.
    """

    frame: pl.DataFrame
    tolerated: tuple[Finding, ...]


def read_segments(blocks: Iterable[bytes], limits: Limits) -> Iterator[Segments]:
    """All segments of the delivery, in frames that take about `limits.batch_bytes`, however the blocks are cut.

    Raises:
        Refused: delivery-empty, message-unknown (it does not begin as EDIFACT), message-truncated, encoding-invalid,
            record-malformed or limit-exceeded; each but the first two with the segment's number.
    """
    longest = limits.max_cell_bytes * LONGEST_SEGMENT_IN_CELLS
    window = max(limits.batch_bytes // _GROWTH, longest + 1)
    arriving, buffer, tally = iter(blocks), bytearray(), Tally()
    _skip_blanks(buffer, arriving, window, tally)
    una = bytes(buffer[:9]) if buffer.startswith(b"UNA") else b""
    characters = ServiceCharacters.from_una(una) if una else ServiceCharacters()
    encoding = _encoding(bytes(buffer[len(una) :]), characters)
    del buffer[: len(una)]
    envelope = Envelope()
    while _fill(buffer, arriving, window):
        end = characters.end_of_last_segment(bytes(buffer[:window]))
        if end == 0:
            break
        piece = _without_later_una(bytes(buffer[:end]), una, characters.terminator)
        del buffer[:end]
        frame = _frame(_text(piece, characters, encoding, envelope.position), envelope.position, longest, tally)
        envelope.follow(frame, tally)
        yield Segments(frame, tally.findings())
        tally = Tally()
    if len(buffer) >= window:
        raise _too_long(envelope.position + 1)
    envelope.finish(ends_inside_segment=bool(bytes(buffer).strip(_BLANK)))


def _fill(buffer: bytearray, arriving: Iterator[bytes], window: int) -> bool:
    """`buffer` holds a window's worth of bytes, or all that is left; False when that is nothing."""
    while len(buffer) < window and (block := next(arriving, None)) is not None:
        buffer += block
    return bool(buffer)


def _skip_blanks(buffer: bytearray, arriving: Iterator[bytes], window: int, tally: Tally) -> None:
    first = True
    while _fill(buffer, arriving, window):
        if first and buffer.startswith(_BOM):
            del buffer[: len(_BOM)]
            tally.add("tolerated-byte-order-mark", "", [1])
        first = False
        rest = buffer.lstrip(_BLANK)
        if rest:
            buffer[:] = rest
            return
        buffer.clear()
    raise Refused(
        Code.DELIVERY_EMPTY, "The delivery holds no segment.", next_step="ask the partner to deliver the interchange"
    )


def _encoding(start: bytes, characters: ServiceCharacters) -> str:
    start = start.lstrip(_BLANK)
    if start.startswith(b"UNB" + characters.element):
        if characters.terminator not in start:
            raise truncated("The delivery ends inside segment 1.")
        syntax = start[4:16].split(characters.element)[0].split(characters.component)[0]
        if syntax in _UTF8_SYNTAX:
            return "utf-8"
        if syntax in _LATIN1_SYNTAX:
            return "iso-8859-1"
        raise Refused(
            Code.ENCODING_INVALID,
            "Segment 1 (UNB) declares a character set that this reader does not read.",
            next_step="ask the partner for UNOC (ISO 8859-1) or for UTF-8 under IATA, IATB, UNOA, UNOB or UNOW",
        )
    if b"\0" in start[:64] or start[:1] >= b"\x80":
        raise Refused(
            Code.ENCODING_INVALID,
            "The delivery does not begin as text in UTF-8 or ISO 8859-1.",
            next_step="ask the partner which encoding was written",
        )
    raise Refused(
        Code.MESSAGE_UNKNOWN,
        "The delivery does not begin with an EDIFACT interchange (UNA or UNB).",
        next_step="check that the file belongs to this feed",
    )


def _without_later_una(piece: bytes, una: bytes, terminator: bytes) -> bytes:
    """`piece` without UNA between interchanges. One that differs from the first stays, and is refused as a segment."""
    if not una or b"UNA" not in piece or una not in piece:
        return piece
    return re.sub(rb"(\A|" + re.escape(terminator) + rb")(\s*)" + re.escape(una), rb"\1\2", piece)


def _text(piece: bytes, characters: ServiceCharacters, encoding: str, before: int) -> str:
    if b"\0" in piece:
        raise _unreadable(before + _segments_in(piece[: piece.index(b"\0")], characters))
    if len(piece.translate(None, _CONTROLS)) != len(piece):
        piece = piece.translate(bytes.maketrans(_CONTROLS, _CONTROL_WAS_HERE.encode() * len(_CONTROLS)))
    broken_at = -1
    try:
        text = characters.to_marks(piece).decode(encoding)
    except UnicodeDecodeError as error:
        broken_at = error.start
        error.object = b""
    if broken_at >= 0:
        raise _unreadable(before + characters.to_marks(piece)[:broken_at].count(TERMINATOR.encode()) + 1)
    if encoding == "utf-8" and b"\xc2" not in piece and (b"\xe2" not in piece or b"\xe2\x80" not in piece):
        return text
    # The apostrophe of word processors ends a segment where a line end, a tag and a separator follow: no text does that.
    odd = rf"\u2019(?=[\r\n]+[A-Z][A-Z0-9]{{2}}[{ELEMENT}{TERMINATOR}])"
    return _OTHER_LINE_ENDS.sub(_CONTROL_WAS_HERE, re.sub(odd, TERMINATOR + _ODD_TERMINATOR, text))


def _segments_in(piece: bytes, characters: ServiceCharacters) -> int:
    return characters.to_marks(piece).count(TERMINATOR.encode()) + 1


def _frame(text: str, before: int, longest_bytes: int, tally: Tally) -> pl.DataFrame:
    """The segments of `text` (which ends with a terminator); what was tolerated in them is in `tally`."""
    written = pl.Series("written", [text]).str.split(TERMINATOR).explode().head(-1)
    segment = written.str.strip_chars(" \t\r\n\x08").alias("segment")
    size_bytes = segment.str.len_bytes()
    blank = size_bytes == 0
    position = (~blank).cum_sum().cast(pl.UInt64) + before
    frame = pl.DataFrame([position.alias("position"), segment])
    as_written = size_bytes.sum() == written.str.len_bytes().sum() and not blank.any()
    if not as_written or any(sign in text for sign in _ODD_SIGNS):
        frame = _tidied(frame.with_columns(written), tally)
    _refuse_malformed(frame, longest_bytes)
    return frame.select(
        "position", pl.col("segment").str.slice(0, 3).alias("tag"), pl.col("segment").str.slice(4).alias("body")
    )


def _tidied(frame: pl.DataFrame, tally: Tally) -> pl.DataFrame:
    """`frame` without blank segments, control characters and marks of what was odd; all that was is in `tally`."""
    cell, blank = pl.col("written"), pl.col("segment") == ""
    odd = {
        "tolerated-stray-terminator": blank,
        "tolerated-odd-terminator": cell.str.starts_with(_ODD_TERMINATOR),
        "tolerated-line-break": cell.str.contains(r"\A\x08?[ \t]*[\r\n]"),
        "tolerated-leading-space": cell.str.contains(r"\A\x08?[\r\n]*[ \t]") & ~blank,
        "tolerated-control-character": pl.col("segment").str.contains(r"[\r\n\t\x1a]"),
        "tolerated-needless-release": pl.col("segment").str.contains(_NEEDLESS_RELEASE, literal=True),
    }
    counts = frame.select(where.sum().alias(rule) for rule, where in odd.items()).row(0, named=True)
    for rule, count in counts.items():
        if count:
            tally.add(rule, "", _where(frame, odd[rule]), count)
    if counts["tolerated-stray-terminator"]:
        frame = frame.filter(~blank)
    if counts["tolerated-control-character"]:
        frame = frame.with_columns(pl.col("segment").str.replace_all(r"[\r\n\t\x1a]+", " "))
    if counts["tolerated-needless-release"]:
        frame = frame.with_columns(pl.col("segment").str.replace_all(_NEEDLESS_RELEASE, "", literal=True))
    return frame


def _where(frame: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    """The first positions at which `condition` holds."""
    return frame.select(pl.col("position").filter(condition).head(ROWS_NAMED)).to_series()


def _refuse_malformed(frame: pl.DataFrame, longest_bytes: int) -> None:
    too_long = pl.col("segment").str.len_bytes() > longest_bytes
    shapeless = ~pl.col("segment").str.contains(rf"\A[A-Z][A-Z0-9]{{2}}(?:{ELEMENT}|\z)")
    if not frame.select((too_long | shapeless).any()).item():
        return
    found = _where(frame, too_long)
    if len(found):
        raise _too_long(found[0])
    raise Refused(
        Code.RECORD_MALFORMED,
        f"Segment {_where(frame, shapeless)[0]} does not begin with a tag of three letters and a separator.",
        next_step="ask the partner whether a terminator inside a text was not released",
    )


def _unreadable(segment: int) -> Refused:
    return Refused(
        Code.ENCODING_INVALID,
        f"Segment {segment} holds bytes that are not text in the character set that UNB declares.",
        next_step="ask the partner which encoding was written",
    )


def _too_long(segment: int) -> Refused:
    return Refused(
        Code.LIMIT_EXCEEDED,
        f"Segment {segment} is longer than a segment may be.",
        next_step="ask the partner whether a terminator is missing; or raise the feed's max_cell_bytes",
    )

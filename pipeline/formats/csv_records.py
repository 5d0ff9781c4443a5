"""What exactly is the next record of a CSV delivery, and where does it stop being one?

RFC 4180, one record at a time, on bytes. Slow and exact: `formats.csv` asks here for the header, and whenever it cannot
prove that a faster parse is the same. What is reported is the first thing wrong in the order of the bytes, so that it
does not depend on where a delivery was cut into pieces.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.core.errors import Code, Refused

CRLF = b"\r\n"
LF = b"\n"
_NEXT_STEP = "ask the partner to correct the file and to deliver it again"
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_QUOTED = re.compile(rb'"((?:[^"]++|"")*+)("?)')


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record starts. The header is record 0; lines count from 1 and bytes from 0, over the whole delivery."""

    record: int = 0
    line: int = 1
    byte: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its cells, null for an empty one; its line end, b"" for none; and the place right after it."""

    cells: tuple[str | None, ...]
    line_end: bytes
    after: Place


@dataclass(frozen=True, slots=True)
class Records:
    """How to read records: at most `most_cells` cells of at most `max_cell_bytes` each, and `max_rows` after the header."""

    delimiter: bytes
    most_cells: int
    max_cell_bytes: int
    max_rows: int

    @property
    def longest_bytes(self) -> int:
        """No record that fits is longer than this: each byte of a cell may be a doubled quote."""
        return self.most_cells * (2 * self.max_cell_bytes + 4)

    def read(self, text: bytes, place: Place) -> Iterator[Record]:
        """Every record of `text`, which starts at `place` on a record boundary.

        Raises:
            Refused: at the first record that is not one.
        """
        bare = re.compile(rb'[^"\r\n' + re.escape(self.delimiter) + rb"]*+")
        at = 0
        while at < len(text):
            if place.record > self.max_rows:
                raise _too_many(place, self.max_rows)
            start, cells = at, list[str | None]()
            while not cells or text.startswith(self.delimiter, at):
                if len(cells) == self.most_cells:
                    raise _too_many_cells(place, self.most_cells)
                at += bool(cells)
                raw, first, at, quoted = self._cell(text, at, place, len(cells) + 1, bare)
                cells.append(_decoded(raw, place, len(cells) + 1, place.byte + first - start, quoted=quoted) or None)
            line_end = LF if text.startswith(LF, at) else text[at : at + 2]
            at += len(line_end)
            lines = text.count(LF, start, at)
            place = Place(place.record + 1, place.line + lines, place.byte + at - start)
            yield Record(tuple(cells), line_end, place)

    def _cell(
        self, text: bytes, at: int, place: Place, field: int, bare: re.Pattern[bytes]
    ) -> tuple[bytes, int, int, bool]:
        """The cell's bytes, where they start, where the cell ends, and whether it is quoted. Only a delimiter, a line
        end or the end of the delivery follows a cell."""
        closed = True
        if quoted := _QUOTED.match(text, at):
            raw, first, end, closed = quoted[1], at + 1, quoted.end(), bool(quoted[2])
        else:
            found = bare.match(text, at)
            raw, first, end = (found[0], at, found.end()) if found else (b"", at, at)
        if len(raw) - (raw.count(b'""') if quoted else 0) > self.max_cell_bytes:
            raise _too_long(place, field, self.max_cell_bytes)
        if not closed:
            raise malformed(place, f"the quote that opens field {field} is never closed")
        follows = text[end : end + 2]
        if follows and follows[:1] not in (self.delimiter, LF) and follows != CRLF:
            raise malformed(place, _stray(follows[:1], field, quoted=bool(quoted)))
        return raw, first, end, bool(quoted)


def _stray(byte: bytes, field: int, *, quoted: bool) -> str:
    if byte == b"\r":
        return f"field {field} ends in a carriage return without a line feed"
    if quoted:
        return f"text follows the closing quote of field {field}"
    return f"field {field} holds a quote but does not start with one"


def _decoded(raw: bytes, place: Place, field: int, byte: int, *, quoted: bool) -> str:
    cell, bad_byte = "", -1
    try:
        cell = raw.decode("utf-8")
    except UnicodeDecodeError as error:  # it holds the cell: nothing is raised while it is known
        bad_byte = byte + error.start
    if bad_byte >= 0:
        raise Refused(
            Code.ENCODING_INVALID,
            f"{_named(place)}: field {field} is not UTF-8 at byte {bad_byte} of the delivery.",
            next_step="ask the partner to deliver the file in UTF-8",
        )
    if _CONTROL.search(raw):
        raise malformed(place, f"field {field} holds a control character")
    return cell.replace('""', '"') if quoted else cell


def malformed(place: Place, what: str) -> Refused:
    """The refusal of the record at `place`."""
    return Refused(Code.RECORD_MALFORMED, f"{_named(place)} is no CSV record: {what}.", next_step=_NEXT_STEP)


def _too_many_cells(place: Place, most: int) -> Refused:
    if place.record:
        return malformed(place, f"it has more than {most} fields")
    return Refused(Code.COLUMNS_DIFFER, f"The header has more than {most} columns.", next_step=_NEXT_STEP)


def _too_long(place: Place, field: int, max_cell_bytes: int) -> Refused:
    return Refused(
        Code.LIMIT_EXCEEDED,
        f"{_named(place)}: field {field} is over the limit of {max_cell_bytes} bytes; a quote that is never closed does this.",
        next_step=_NEXT_STEP,
    )


def _too_many(place: Place, max_rows: int) -> Refused:
    return Refused(
        Code.LIMIT_EXCEEDED,
        f"{_named(place)} is over the feed's limit of {max_rows} rows.",
        next_step="ask the partner for a smaller delivery, or raise max_rows in the feed's file",
    )


def _named(place: Place) -> str:
    name = f"Record {place.record}" if place.record else "The header"
    return f"{name} (line {place.line})"

"""Where does each record of an ANSI/NIST-ITL transaction begin and end, and which fields does it have?

Fields end with GS, records with FS; each record says its length first (field 001; four bytes in type 4), and field 1.003
says which records follow, in their order. All three must agree, to the byte.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.core.errors import Code, Refused
from pipeline.formats.batch import Limits
from pipeline.formats.rows import NEXT_STEP, malformed, too_large

KIND = "Transaction"
FS, GS, RS, US = b"\x1c", b"\x1d", b"\x1e", b"\x1f"
FACE = 10
PRINT_TYPES = frozenset({4, 9, 14})
READ_TYPES = frozenset({2, FACE}) | PRINT_TYPES
_IMAGE = 999
_OF_PRINTS = {4: frozenset[int](), 9: frozenset({*range(1, 13), *range(126, 151)})} | {
    14: frozenset({*range(1, 20), *range(21, 32), _IMAGE})
}
"""Fields of a print's record that measure it (tables 31 and 72). Not 14.020 and 9.013 to 9.125: comments, and makers' own."""
_TAG = re.compile(rb"([0-9]{1,2})\.([0-9]{2,4}):")
_LENGTH = re.compile(rb"([0-9]{1,2})\.0{0,2}1:([0-9]{1,10})\x1d")
_MOST_HEAD_BYTES = 24
_BINARY_HEAD_BYTES = 18


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its bytes, and for all types but 4 its fields by number, with their bytes."""

    type: int
    idc: int | None
    content: bytes
    fields: Mapping[int, bytes]
    number: int
    """of its transaction, for messages"""

    def text(self, field: int) -> str | None:
        """A field that is one printable ASCII text; None where it is not there.

        Raises:
            Refused: encoding-invalid, or record-malformed where it has several items.
        """
        content = self.fields.get(field)
        if content is None:
            return None
        if RS in content or US in content:
            raise malformed(KIND, self.number, f"{self.type}.{field:03} has several items")
        if not content.isascii() or not content.decode("latin-1").isprintable():
            raise Refused(
                Code.ENCODING_INVALID,
                f"{KIND} {self.number}: {self.type}.{field:03} is not printable ASCII.",
                next_step=NEXT_STEP,
            )
        return content.decode("ascii")

    def beyond_prints(self) -> list[int]:
        """Fields of a print's record that do not measure the print."""
        return sorted(set(self.fields) - _OF_PRINTS[self.type])


@dataclass(frozen=True, slots=True)
class Transaction:
    """A record of type 1 and those that it lists."""

    first: Record
    records: tuple[Record, ...]

    @property
    def size_bytes(self) -> int:
        return len(self.first.content) + sum(len(record.content) for record in self.records)

    def of_type(self, record_type: int) -> Record | None:
        return next((record for record in self.records if record.type == record_type), None)


def transactions_of(blocks: Iterable[bytes], limits: Limits) -> Iterator[Transaction]:
    """Every transaction of the delivery, one after the other.

    Raises:
        Refused: record-malformed, message-truncated, columns-differ or limit-exceeded, with the transaction's number.
    """
    ahead, number = _Ahead(iter(blocks), 4 * limits.max_cell_bytes), 0
    while ahead.some():
        number += 1
        ahead.begin(number)
        first = _tagged(ahead, 1, number)
        yield Transaction(first, tuple(_listed(ahead, first, number)))


def _listed(ahead: "_Ahead", first: Record, number: int) -> Iterator[Record]:
    """The records that 1.003 lists, when they are those that follow."""
    items = [item.split(US) for item in first.fields.get(3, b"").split(RS)]
    if any(len(item) != 2 or not all(part.isdigit() and len(part) < 5 for part in item) for item in items):
        raise malformed(KIND, number, "1.003 does not list the records that follow")
    (own, count), *listed = [(int(kind), int(idc)) for kind, idc in items]
    if own != 1 or count != len(listed):
        raise malformed(KIND, number, "1.003 counts other records than it lists")
    for kind, idc in listed:
        if kind not in READ_TYPES:
            raise Refused(
                Code.COLUMNS_DIFFER,
                f"{KIND} {number} has a record of type {kind}, which is not read here.",
                next_step="ask the partner to send records of the types 1, 2, 4, 9 and 14 alone",
            )
        record = _binary(ahead, number) if kind == 4 else _tagged(ahead, kind, number)
        if record.idc != idc:
            raise malformed(KIND, number, f"a record of type {kind} is not the one that 1.003 lists")
        yield record


def _tagged(ahead: "_Ahead", kind: int, number: int) -> Record:
    head = _LENGTH.match(ahead.peek(_MOST_HEAD_BYTES))
    if head is None or int(head[1]) != kind:
        raise malformed(KIND, number, f"no record of type {kind} begins where one must")
    content = ahead.take(int(head[2]), head.end())
    if content[-1:] != FS:
        raise malformed(KIND, number, f"the length of a record of type {kind} does not lead to its end")
    fields = dict(_fields(content[:-1], kind, number))
    idc = fields.get(2, b"")
    return Record(kind, int(idc) if kind != 1 and idc.isdigit() and len(idc) < 5 else None, content, fields, number)


def _fields(content: bytes, kind: int, number: int) -> Iterator[tuple[int, bytes]]:
    """Each field's number and bytes, ascending; the image is the last and may hold any byte."""
    at, before = 0, 0
    while at <= len(content):
        tag = _TAG.match(content, at)
        if tag is None or int(tag[1]) != kind or int(tag[2]) <= before:
            raise malformed(KIND, number, f"a field of a record of type {kind} has no number, or not one in order")
        before = int(tag[2])
        image = kind != 2 and before == _IMAGE
        end = len(content) if image else content.find(GS, tag.end())
        end = len(content) if end < 0 else end
        if not image and FS in content[tag.end() : end]:
            raise malformed(KIND, number, f"a record of type {kind} ends before its length")
        yield before, content[tag.end() : end]
        at = end + 1


def _binary(ahead: "_Ahead", number: int) -> Record:
    """A record of type 4: four bytes of length, then the IDC, and thirteen more before the image."""
    content = ahead.take(int.from_bytes(ahead.peek(4)), _BINARY_HEAD_BYTES)
    return Record(4, content[4], content, {}, number)


class _Ahead:
    """The bytes that are not taken yet. Never holds much more than one transaction may be."""

    def __init__(self, blocks: Iterator[bytes], most_bytes: int) -> None:
        self._blocks, self._most_bytes = blocks, most_bytes
        self._waiting, self._number, self._taken = bytearray(), 0, 0

    def some(self) -> bool:
        """Whether there is another byte."""
        return bool(self.peek(1))

    def begin(self, number: int) -> None:
        """Another transaction begins here."""
        self._number, self._taken = number, 0

    def peek(self, size: int) -> bytes:
        """The next bytes: as many as asked for, or as there are."""
        while len(self._waiting) < size and (block := next(self._blocks, None)) is not None:
            self._waiting += block
        return bytes(self._waiting[:size])

    def take(self, size: int, at_least: int) -> bytes:
        """The next record of this size, which is no longer ahead."""
        if size < at_least:
            raise malformed(KIND, self._number, "a record is shorter than its own head")
        self._taken += size
        if self._taken > self._most_bytes:
            raise too_large(KIND, self._number, self._most_bytes)
        content = self.peek(size)
        if len(content) < size:
            raise Refused(
                Code.MESSAGE_TRUNCATED, f"{KIND} {self._number} ends before its records do.", next_step=NEXT_STEP
            )
        del self._waiting[:size]
        return content

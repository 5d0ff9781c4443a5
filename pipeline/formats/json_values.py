"""What exactly does the next JSON value say, and what of it is a row?

Strict RFC 8259: no NaN, no doubled key, no lone surrogate, numbers as they are written. Values are read one by one, so
that memory is bounded by the largest that is allowed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.language.wire import pointed
from pipeline.formats.batch import Limits
from pipeline.formats.encodings import BOM
from pipeline.formats.rows import BEYOND, NEXT_STEP, Rows, joined, malformed, named, too_large

MAX_DEPTH = 64
_RECORD_BYTES = 4 * 1024 * 1024
"""A value may be this large: as objects of Python it takes up to some thirty times as much."""
_SPACE = re.compile(r"[ \t\n\r]*")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_DECIDED = 16
"""What is wrong this far from the end of the text is wrong however it goes on: no literal or escape is longer."""

Tree = dict[str, "int | Tree"]
"""What of an object is read: by key, the number of a column or what is read of the object there."""


class _Wrong(Exception):
    """What is wrong in a value: words of ours alone."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise _Wrong("an object has a key twice")
    return read


def _not_a_number(_: str) -> NoReturn:
    raise _Wrong("NaN and Infinity are no JSON numbers")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_not_a_number, strict=True
)


@dataclass(slots=True)
class Values:
    """The text of a delivery, read value by value. `at` is the next character of `text`, `line` the line it is on."""

    pieces: Iterator[str]
    limits: Limits
    kind: str
    text: str = ""
    at: int = 0
    line: int = 1
    ended: bool = False
    _byte: int = 0
    _wrong_byte: Refused | None = None

    def more(self) -> None:
        """`text` goes on, or has `ended`. What is read already is forgotten."""
        self._byte += len(self.text[: self.at].encode())
        rest, self.at = self.text[self.at :], 0
        if self._wrong_byte is not None:
            raise self._wrong_byte
        # Twice as much each time: a long value is then tried a few times, not once for each piece.
        parts, size = [rest], 0
        while size <= len(rest):
            try:
                piece = next(self.pieces, "")
            except Refused as refused:
                # What comes before a wrong byte is read first: what is said does not depend on where the blocks end.
                if not size:
                    raise
                self._wrong_byte = refused
                break
            if not piece:
                self.ended = True
                break
            parts.append(piece)
            size += len(piece)
        self.text = "".join(parts)

    def skip_mark(self) -> bool:
        """Whether the delivery starts with a byte order mark, which is then read."""
        if not self.text:
            self.more()
        self.at = len(BOM) if self.text.startswith(BOM) else 0
        return self.at > 0

    def peek(self) -> str:
        """The next character that is no white space, which is not read yet; "" at the end."""
        while True:
            if found := _SPACE.match(self.text, self.at):
                self.line += self.text.count("\n", self.at, found.end())
                self.at = found.end()
            if self.at < len(self.text):
                return self.text[self.at]
            if self.ended:
                return ""
            self.more()

    def take(self, wanted: str, position: int) -> str:
        """The next character, which must be one of `wanted`."""
        found = self.peek()
        if not found:
            raise self.truncated()
        if found not in wanted:
            raise self.wrong(position, f"what is at byte {self.byte} is not JSON")
        self.at += 1
        return found

    def value(self, position: int) -> tuple[Any, str]:
        """The next value, and its text.

        Raises:
            Refused: it is no JSON, is over a limit, or the delivery ends in it.
        """
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:  # it holds the text: nothing is raised while it is known
                bad, inside = error.pos, error.msg.startswith("Unterminated string")
            except RecursionError:
                raise self._too_deep(position) from None
            except _Wrong as error:
                raise self.wrong(position, str(error)) from None
            else:
                if self.ended or end < len(self.text):
                    return value, self._taken(end, position)
                bad, inside = end, True
            if not inside and (self.ended or bad < len(self.text) - _DECIDED) and bad < len(self.text):
                raise self.wrong(position, f"what is at byte {self._byte_of(bad)} is not JSON")
            if self.ended:
                raise self.truncated()
            if len(self.text) - self.at > self._most_bytes:
                raise too_large(self.kind, position, self._most_bytes)
            self.more()

    @property
    def _most_bytes(self) -> int:
        return min(_RECORD_BYTES, self.limits.batch_bytes)

    @property
    def byte(self) -> int:
        """The place of the next character in the delivery, in bytes from 0."""
        return self._byte_of(self.at)

    def _byte_of(self, at: int) -> int:
        return self._byte + len(self.text[:at].encode())

    def _taken(self, end: int, position: int) -> str:
        taken, self.at = self.text[self.at : end], end
        self.line += taken.count("\n")
        if len(taken) > self._most_bytes:
            raise too_large(self.kind, position, self._most_bytes)
        if taken.count("[") + taken.count("{") > MAX_DEPTH and _depth(taken) > MAX_DEPTH:
            raise self._too_deep(position)
        return taken

    def _too_deep(self, position: int) -> Refused:
        return Refused(
            Code.LIMIT_EXCEEDED, f"{named(self.kind, position)} is nested over {MAX_DEPTH} deep.", next_step=NEXT_STEP
        )

    def wrong(self, position: int, what: str) -> Refused:
        """The refusal of the value at `position`."""
        return malformed(self.kind, position, what)

    def truncated(self) -> Refused:
        """The refusal of a delivery that ends too early."""
        return Refused(
            Code.MESSAGE_TRUNCATED,
            f"The delivery ends inside a JSON value, at byte {self._byte_of(len(self.text))}.",
            next_step="ask the partner to deliver the whole file again",
        )


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        depth += bool(found[1]) - bool(found[2])
        deepest = max(deepest, depth)
    return deepest


@dataclass(slots=True)
class Cells:
    """Makes the cells of a row from an object, by the fields that the feed declares."""

    fields: dict[str, str]
    rows: Rows
    absent: tuple[str, ...] = ()
    """texts that say that there is no value"""
    _tree: Tree = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, column in enumerate(self.rows.columns):
            *above, last = pointed(self.fields[column])
            tree = self._tree
            for key in above:
                inner = tree.setdefault(key, {})
                if not isinstance(inner, dict):
                    raise _crossing(column)
                tree = inner
            if last in tree:
                raise _crossing(column)
            tree[last] = number

    def add(self, record: Any, text: str, position: int) -> None:
        """The row of an object.

        Raises:
            Refused: record-malformed where the record is no object, or has something else than its fields promise.
        """
        if not isinstance(record, dict):
            raise malformed(self.rows.kind, position, "it is not a JSON object")
        cells: list[str | None] = [None] * len(self.rows.columns)
        beyond = self._fill(cells, record, self._tree, position)
        if beyond:
            self.rows.tally.add(BEYOND, "", [position], beyond)
        if self.absent:
            cells = [None if cell in self.absent else cell for cell in cells]
        # Only an escape can make a lone surrogate.
        if "\\" in text and any(cell and _SURROGATE.search(cell) for cell in cells):
            raise Refused(
                Code.ENCODING_INVALID,
                f"{self.rows.kind} {position}: an escape is half a surrogate pair, which is no character.",
                next_step=NEXT_STEP,
            )
        self.rows.add(position, cells, len(text))

    def _fill(self, cells: list[str | None], record: dict[str, Any], tree: Tree, position: int) -> int:
        """How many values of `record` have no column. The others are in `cells`."""
        beyond = 0
        for key, value in record.items():
            place = tree.get(key)
            if place is None:
                beyond += 1
            elif isinstance(place, int):
                cells[place] = value if isinstance(value, str) else self._cell(value, place, position)
            elif isinstance(value, dict):
                beyond += self._fill(cells, value, place, position)
            elif value is not None:
                raise malformed(
                    self.rows.kind, position, f"{_first(place, self.rows)} stands in something else than an object"
                )
        return beyond

    def _cell(self, value: Any, column: int, position: int) -> str | None:
        name = self.rows.columns[column]
        if isinstance(value, list):
            return joined([self._scalar(item, name, position) for item in value], self.rows, position, name)
        return self._scalar(value, name, position)

    def _scalar(self, value: Any, column: str, position: int) -> str | None:
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None or isinstance(value, str):
            return value
        raise malformed(self.rows.kind, position, f"{column} holds a structure where its field is a text or a list")


def _first(tree: Tree, rows: Rows) -> str:
    """A column below `tree`, to say where."""
    below = next(iter(tree.values()))
    return rows.columns[below] if isinstance(below, int) else _first(below, rows)


def _crossing(column: str) -> Misconfigured:
    """The feed's model refuses it when it is read; a reader must not lose a column to it all the same."""
    return Misconfigured(
        Code.CATALOGUE_INVALID,
        f"the format's path of {column} goes through that of another column.",
        next_step="let each column of the feed's format have a path of its own.",
    )

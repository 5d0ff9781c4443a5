"""JSON: one document, UTF-8, with one array of objects; each is a row, and its position is its number in the array.

The feed declares where the array is. Tolerated and counted: a byte order mark, empty items of a list. Discarded and
counted: what no field of the feed names, in a record or around the array.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipeline.core.errors import Code, Refused
from pipeline.core.language.wire import pointed
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.encodings import texts_of
from pipeline.formats.json_values import Cells, Values
from pipeline.formats.rows import BEYOND, NEXT_STEP, Rows, empty, malformed, require_every_column

_KIND = "Record"
_MOST_KEYS = 1000
"""The objects around the array have no more keys than this: each is remembered, since none may be there twice."""


@dataclass(frozen=True, slots=True)
class JsonArray:
    """Reads one JSON document. `fields` says where in an object of the array at `records` each column stands.

    `absent` are the texts that say that there is no value.
    """

    fields: dict[str, str]
    records: str = ""
    absent: tuple[str, ...] = ()

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in bounded batches; an array without objects is one batch without rows.

        Raises:
            Refused: delivery-empty, encoding-invalid, record-malformed, message-truncated or limit-exceeded.
            Misconfigured: catalogue-invalid where the fields are not the columns.
        """
        require_every_column(self.fields, columns)
        rows = Rows(columns, limits, _KIND)
        cells = Cells(self.fields, rows, self.absent)
        values = Values(texts_of(blocks, "utf-8"), limits, _KIND)
        if values.skip_mark():
            rows.tally.add("tolerated-bom", "", (), 1)
        if not values.peek():
            raise empty()
        around = _Around(values, rows)
        for key in (path := pointed(self.records)):
            around.enter(key)
        for number, element in enumerate(_elements(values), 1):
            record, text = element
            cells.add(record, text, number)
            if rows.full:
                yield rows.batch()
        for _ in path:
            around.leave()
        if values.peek():
            raise _outside(f"something follows the document, at byte {values.byte}")
        yield rows.batch()


def _elements(values: Values) -> Iterator[tuple[object, str]]:
    """The elements of the array that `values` stands before."""
    number = 1
    if values.peek() != "[":
        raise _outside(f"there is no array at byte {values.byte}, where the feed declares one")
    values.take("[", number)
    if values.peek() == "]":
        values.take("]", number)
        return
    while True:
        yield values.value(number)
        if values.take(",]", number) == "]":
            return
        number += 1


@dataclass(slots=True)
class _Around:
    """The objects that the array is in. What else they hold is discarded, and counted."""

    values: Values
    rows: Rows
    _keys: list[set[str]] = field(default_factory=list)

    def enter(self, key: str) -> None:
        """The value of `key` comes next."""
        if self.values.peek() != "{":
            raise _outside(f"there is no object at byte {self.values.byte}, where the feed declares one")
        self.values.take("{", 0)
        self._keys.append(set())
        if self.values.peek() == "}" or not self._passed(key):
            raise _outside("the array that the feed declares is missing")

    def leave(self) -> None:
        """The innermost object has ended."""
        if self.values.take(",}", 0) == ",":
            self._passed(None)
        self._keys.pop()

    def _passed(self, wanted: str | None) -> bool:
        """Whether the value of `wanted` comes next; if not, the object has ended."""
        while True:
            if self._key() == wanted:
                return True
            self.values.value(0)
            self.rows.tally.add(BEYOND, "", (), 1)
            if self.values.take(",}", 0) == "}":
                return False

    def _key(self) -> str:
        if self.values.peek() != '"':
            raise _outside(f"what is at byte {self.values.byte} is not JSON")
        key, _ = self.values.value(0)
        keys = self._keys[-1]
        if key in keys:
            raise _outside("an object has a key twice")
        keys.add(key)
        if len(keys) > _MOST_KEYS:
            raise Refused(
                Code.LIMIT_EXCEEDED, f"An object around the array has over {_MOST_KEYS} keys.", next_step=NEXT_STEP
            )
        self.values.take(":", 0)
        return str(key)


def _outside(what: str) -> Refused:
    """The refusal of a document for what is not in a record."""
    return malformed(_KIND, 0, what)

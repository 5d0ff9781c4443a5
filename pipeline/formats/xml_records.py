"""Which rows do the elements of an XML document make, as they come by?"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from pipeline.core.errors import Code, Refused
from pipeline.core.language.wire import XmlFormat
from pipeline.formats.rows import BEYOND, NEXT_STEP, Rows, joined, malformed, named, too_large
from pipeline.formats.xml_fields import SEPARATOR, Element, record_element, record_path

MAX_DEPTH = 64
MAX_ATTRIBUTES = 1000
"""of one element"""
MAX_NAMES = 10_000
"""different names in a document: the parser remembers each"""
MAX_NAME_CHARS = 1000
_TOKEN_BYTES = 1024 * 1024
"""A tag, comment or instruction may be this large: the parser holds it whole."""
_CHECKED_TEXT_CHARS = 256 * 1024
"""A text that is checked against an XML Schema may be this long: libxml2's time grows with the square of it."""
_OF_INSTANCES = f"http://www.w3.org/2001/XMLSchema-instance{SEPARATOR}"
"""Attributes about the schema, not of the record."""


@dataclass(slots=True)
class _Open:
    """An element that has not ended: what is read of it (nothing around the records), and its text so far."""

    reads: Element | None
    text: list[str] = field(default_factory=list)
    stray: bool = False


class Records:
    """Collects what the parser finds into rows. Each handler raises `Refused` where a limit or the feed's word is broken."""

    def __init__(self, form: XmlFormat, rows: Rows) -> None:
        self._rows, self._path, self._record = rows, record_path(form), record_element(form, rows.columns)
        self._open: list[_Open] = []
        self._skipped = 0
        self._number = self._beyond = 0
        self._items: list[list[str]] = []
        self._names: set[str] = set()
        self._record_bytes = self._token_bytes = 0
        self._text_chars = 0
        self._longest_text = max(_CHECKED_TEXT_CHARS, rows.limits.max_cell_bytes) if form.xsd is not None else None
        self._longest_token = max(_TOKEN_BYTES, 8 * rows.limits.max_cell_bytes)

    @property
    def open_number(self) -> int:
        """The number of the record that has not ended; 0 outside records."""
        return self._number if self._in_record else 0

    @property
    def _in_record(self) -> bool:
        return len(self._open) >= len(self._path)

    def require_progress(self, size_bytes: int) -> None:
        """After `size_bytes` more, neither the open record nor what the parser holds back is too large."""
        self._token_bytes += size_bytes
        self._record_bytes = self._record_bytes + size_bytes if self._in_record else 0
        if self._token_bytes > self._longest_token:
            raise self._over(f"a tag or a comment is over {self._longest_token} bytes, or never ends")
        if self._record_bytes > self._rows.limits.batch_bytes:
            raise too_large(self._rows.kind, self.open_number, self._rows.limits.batch_bytes)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._token_bytes = self._text_chars = 0
        self._require_names(name, attributes)
        depth = len(self._open) + self._skipped
        if depth >= MAX_DEPTH:
            raise self._over(f"elements are nested over {MAX_DEPTH} deep")
        if self._skipped:
            self._skipped += 1
        elif self._in_record:
            self._start_in_record(name, attributes)
        elif name == self._path[depth]:
            self._start_around(attributes)
        elif not depth:
            raise malformed(self._rows.kind, 0, "the document's first element is not the feed's")
        else:
            self._skip()

    def end(self, _: str) -> None:
        """An element ends."""
        self._token_bytes = self._text_chars = 0
        if self._skipped:
            self._skipped -= 1
            return
        ended = self._open.pop()
        self._beyond += ended.stray
        if ended.reads is not None and ended.reads.text is not None:
            self._items[ended.reads.text].append("".join(ended.text))
        if len(self._open) == len(self._path) - 1:
            self._end_record()
        elif len(self._open) < len(self._path):
            self._count_beyond(())

    def text(self, text: str) -> None:
        """Text of the open element."""
        self._token_bytes = 0
        self._text_chars += len(text)
        if self._longest_text is not None and self._text_chars > self._longest_text:
            raise self._over(f"a text is over {self._longest_text} characters")
        if self._skipped or not self._open:
            return
        inside = self._open[-1]
        if inside.reads is not None and inside.reads.text is not None:
            inside.text.append(text)
        elif not inside.stray and text.strip(" \t\r\n"):
            inside.stray = True

    def comment(self, _: str) -> None:
        """A comment stands here: it is no content."""
        self._require_no_cell("comment")

    def instruction(self, _target: str, _text: str) -> None:
        """A processing instruction stands here: it is no content."""
        self._require_no_cell("processing instruction")

    def namespace(self, prefix: str | None, namespace: str | None) -> None:
        """A namespace gets its prefix."""
        self._require_names(f"{prefix or ''} {namespace or ''}", ())

    def _start_around(self, attributes: dict[str, str]) -> None:
        """The record begins, or one of the elements around it."""
        is_record = len(self._open) == len(self._path) - 1
        if not is_record:
            self._open.append(_Open(None))
            self._beyond += sum(not name.startswith(_OF_INSTANCES) for name in attributes)
            self._count_beyond(())
            return
        self._number += 1
        self._items = [[] for _ in self._rows.columns]
        self._record_bytes = 0
        self._begin(self._record, attributes)

    def _start_in_record(self, name: str, attributes: dict[str, str]) -> None:
        reads = self._open[-1].reads
        inner = reads.elements.get(name) if reads is not None else None
        if inner is not None:
            self._begin(inner, attributes)
        elif reads is not None and reads.text is not None:
            raise self._in_cell("an element")
        else:
            self._skip()

    def _begin(self, reads: Element, attributes: dict[str, str]) -> None:
        self._open.append(_Open(reads))
        for name, value in attributes.items():
            column = reads.attributes.get(name)
            if column is not None:
                self._items[column].append(value)
            elif not name.startswith(_OF_INSTANCES):
                self._beyond += 1

    def _end_record(self) -> None:
        cells = [self._cell(column, items) for column, items in enumerate(self._items)]
        self._count_beyond([self._number])
        # What a record holds takes the room of its text, and its tags that of the row.
        self._rows.add(self._number, cells, sum(len(cell) for cell in cells if cell))

    def _cell(self, column: int, items: list[str]) -> str | None:
        if len(items) > 1:
            return joined(items, self._rows, self._number, self._rows.columns[column])
        return items[0] if items else None

    def _skip(self) -> None:
        """Nothing of the element that begins is read. It counts once, whatever is in it."""
        self._skipped = 1
        self._beyond += 1
        if not self._in_record:
            self._count_beyond(())

    def _count_beyond(self, positions: Iterable[int]) -> None:
        if self._beyond:
            self._rows.tally.add(BEYOND, "", positions, self._beyond)
        self._beyond = 0

    def _require_no_cell(self, what: str) -> None:
        self._token_bytes = 0
        reads = self._open[-1].reads if self._open and not self._skipped else None
        if reads is not None and reads.text is not None:
            raise self._in_cell(f"a {what}")

    def _require_names(self, name: str, attributes: Collection[str]) -> None:
        before = len(self._names)
        self._names.add(name)
        self._names.update(attributes)
        new = len(self._names) > before
        if new and (len(self._names) > MAX_NAMES or any(len(one) > MAX_NAME_CHARS for one in (name, *attributes))):
            raise self._over(f"names are over {MAX_NAME_CHARS} characters, or over {MAX_NAMES} different ones")
        if len(attributes) > MAX_ATTRIBUTES:
            raise self._over(f"an element has over {MAX_ATTRIBUTES} attributes")

    def _in_cell(self, what: str) -> Refused:
        reads = self._open[-1].reads
        column = reads.text if reads is not None and reads.text is not None else 0
        return malformed(self._rows.kind, self._number, f"{self._rows.columns[column]} has {what} inside its text")

    def _over(self, what: str) -> Refused:
        where = named(self._rows.kind, self.open_number)
        return Refused(Code.LIMIT_EXCEEDED, f"{where}: {what}.", next_step=NEXT_STEP)

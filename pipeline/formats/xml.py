"""XML: one document; each element at the feed's path is a row, and its position is its number in the document.

Read by expat as the bytes arrive. A document type is refused where it begins, so that there are no entities, no other
files and no network. An element that stands several times in a record is a list, one item a line. Text is kept as it is
written, with its spaces. Tolerated and counted: a byte order mark, empty items of a list. Discarded and counted: the
elements, attributes and text that no field of the feed names. Comments and processing instructions are no content, but
inside a cell they are refused, and so are elements there.
"""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from pipeline.core.errors import Code, Refused
from pipeline.core.language.wire import XmlFormat
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.encodings import in_utf8
from pipeline.formats.rows import NEXT_STEP, Rows, empty, malformed, require_every_column
from pipeline.formats.xml_fields import SEPARATOR
from pipeline.formats.xml_records import Records
from pipeline.formats.xml_schema import SchemaCheck

_KIND = "Record"
_BOM = codecs.BOM_UTF8
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Xml:
    """Reads one XML document, as the feed's file describes it."""

    form: XmlFormat

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in bounded batches; a document without records is one batch without rows.

        Raises:
            Refused: delivery-empty, encoding-invalid, record-malformed, message-truncated, schema-broken or
                limit-exceeded.
            Misconfigured: catalogue-invalid where the fields are not the columns, or the XML Schema is none.
        """
        require_every_column(self.form.fields, columns)
        rows = Rows(columns, limits, _KIND)
        document = _Document(self.form, Records(self.form, rows))
        check = SchemaCheck(self.form.xsd) if self.form.xsd is not None else None
        read = 0
        for chunk in _chunks(in_utf8(blocks, self.form.encoding)):
            if not read and chunk.startswith(_BOM):
                rows.tally.add("tolerated-bom", "", (), 1)
            read += len(chunk)
            document.feed(chunk)
            if check is not None:
                check.feed(chunk)
            if rows.full:
                yield rows.batch()
        if not read:
            raise empty()
        document.finish()
        if check is not None:
            check.finish()
        yield rows.batch()


def _chunks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks of one size, whatever the blocks: what is said of a delivery depends on it alone."""
    rest = b""
    for block in blocks:
        rest += block
        whole = len(rest) - len(rest) % _CHUNK_BYTES
        yield from (rest[at : at + _CHUNK_BYTES] for at in range(0, whole, _CHUNK_BYTES))
        rest = rest[whole:]
    if rest:
        yield rest


class _Document:
    """The delivery so far. `records` gets what the parser finds."""

    def __init__(self, form: XmlFormat, records: Records) -> None:
        self._encoding, self._records = form.encoding, records
        self._parser = parser = expat.ParserCreate("utf-8", SEPARATOR)
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartElementHandler = records.start
        parser.EndElementHandler = records.end
        parser.CharacterDataHandler = records.text
        parser.CommentHandler = records.comment
        parser.ProcessingInstructionHandler = records.instruction
        parser.StartNamespaceDeclHandler = records.namespace
        parser.buffer_text = True

    def feed(self, chunk: bytes) -> None:
        """The next bytes are read.

        Raises:
            Refused: they cannot follow, or something is over a limit.
        """
        line = self._parse(chunk, last=False)
        if line:
            raise malformed(_KIND, self._records.open_number, f"it is not well-formed XML at line {line}")
        self._records.require_progress(len(chunk))

    def finish(self) -> None:
        """The document has ended.

        Raises:
            Refused: message-truncated.
        """
        line = self._parse(b"", last=True)
        if line:
            raise Refused(
                Code.MESSAGE_TRUNCATED,
                f"The document ends too early, at line {line}.",
                next_step="ask the partner to deliver the whole file again",
            )

    def _parse(self, chunk: bytes, *, last: bool) -> int:
        """The line of what is wrong, or 0."""
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            return error.lineno
        return 0

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and not _same(encoding, self._encoding):
            raise Refused(
                Code.ENCODING_INVALID,
                f"The document declares another encoding than {self._encoding}.",
                next_step="ask the partner for the declared encoding, or correct it in the feed's file",
            )

    def _document_type(self, *_: object) -> None:
        raise Refused(
            Code.RECORD_MALFORMED,
            f"The document has a document type at line {self._parser.CurrentLineNumber}, which is not taken.",
            next_step=NEXT_STEP,
        )


def _same(one: str, other: str) -> bool:
    try:
        return codecs.lookup(one).name == codecs.lookup(other).name
    except LookupError:
        return False

"""JSON Lines: one JSON object a line, UTF-8; each is a row, and its position is the number of its line.

Tolerated and counted: a byte order mark, blank lines, empty items of a list. Discarded and counted: what no field of the
feed names. The last line may lack its line end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.formats.batch import Batch, Limits
from pipeline.formats.encodings import texts_of
from pipeline.formats.json_values import Cells, Values
from pipeline.formats.rows import Rows, empty, malformed, require_every_column

_KIND = "Line"


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Reads JSON Lines. `fields` says where in the object each column stands."""

    fields: dict[str, str]

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in bounded batches.

        Raises:
            Refused: delivery-empty, encoding-invalid, record-malformed, message-truncated or limit-exceeded.
            Misconfigured: catalogue-invalid where the fields are not the columns.
        """
        require_every_column(self.fields, columns)
        rows = Rows(columns, limits, _KIND)
        cells = Cells(self.fields, rows)
        values = Values(texts_of(blocks, "utf-8"), limits, _KIND)
        if values.skip_mark():
            rows.tally.add("tolerated-bom", "", (), 1)
        before = 0
        while values.peek():
            self._count_lines(before, values.line, rows)
            before = values.line
            record, text = values.value(before)
            if values.line > before:
                raise malformed(_KIND, before, "its JSON value goes on in the next line")
            cells.add(record, text, before)
            if rows.full:
                yield rows.batch()
        if not before:
            raise empty()
        yield rows.batch()

    def _count_lines(self, before: int, line: int, rows: Rows) -> None:
        """There is a line end between a value and the next. Lines without a value are counted."""
        if line == before:
            raise malformed(_KIND, line, "it has more than one JSON value")
        if line > before + 1:
            rows.tally.add("tolerated-blank-line", "", range(before + 1, min(line, before + 21)), line - before - 1)

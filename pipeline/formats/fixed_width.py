"""Fixed width: each line is a record of so many characters; each column stands at its own. A position is a line's number.

A line that is longer or shorter is refused: what was cut off cannot be told from what was blank. Where the feed declares
a header and a trailer, they stand first and last, and the trailer's count must be right: fewer rows are then never
silent. The spaces that fill a field up, on its declared side, are not part of the cell. Tolerated and counted: a byte
order mark, blank lines, mixed line ends. Discarded and counted: what stands where no field is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.findings import ROWS_NAMED, Tally
from pipeline.core.language.wire import FixedWidthFormat, RecordKinds, Span
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.encodings import texts_of
from pipeline.formats.lines import lines_of, without_mark
from pipeline.formats.rows import BEYOND, batch_of, empty, malformed, require_every_column

_KIND = "Line"
_PIECE_CHARS = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FixedWidth:
    """Reads lines of one width, as the feed's file describes them."""

    form: FixedWidthFormat

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in bounded batches; header and trailer alone are one batch without rows.

        Raises:
            Refused: delivery-empty, encoding-invalid, record-malformed, message-truncated or limit-exceeded.
            Misconfigured: catalogue-invalid where the fields are not the columns.
        """
        require_every_column(self.form.fields, columns)
        tally = Tally()
        lines = lines_of(without_mark(texts_of(blocks, self.form.encoding), tally), self.form.record_chars)
        lot = max(1, min(limits.batch_bytes, _PIECE_CHARS) // self.form.record_chars)
        records = _Records(self.form, columns, limits)
        while some := list(islice(lines, lot)):
            yield records.batch(some, tally)
            tally = Tally()
        records.finish()


@dataclass(slots=True)
class _Records:
    """The delivery so far: its last line, and how many rows it had."""

    form: FixedWidthFormat
    columns: tuple[str, ...]
    limits: Limits
    _line: int = 0
    _rows: int = 0
    _crlf: bool = False
    _begun: bool = False
    _ended: bool = False
    _gaps: tuple[Span, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._gaps = tuple(_gaps(self.form))

    def batch(self, lines: list[str], tally: Tally) -> Batch:
        """The rows of the next lines."""
        frame = pl.DataFrame({"line": lines}, schema={"line": pl.String}).with_row_index(POSITION, self._line + 1)
        frame = frame.cast({POSITION: pl.UInt64})
        if not self._line:
            self._crlf = lines[0].endswith("\r")
        self._line += len(lines)
        frame = self._of_the_width(frame, tally)
        if self.form.kinds is not None and frame.height:
            frame = self._rows_of(frame, self.form.kinds)
        self._begun = self._begun or frame.height > 0
        if self._rows + frame.height > self.limits.max_rows:
            raise Refused(
                Code.LIMIT_EXCEEDED,
                f"Line {frame[POSITION][self.limits.max_rows - self._rows]} is over the feed's limit of {self.limits.max_rows} rows.",
                next_step="ask the partner for a smaller delivery, or raise max_rows in the feed's file",
            )
        self._rows += frame.height
        self._count_beyond(frame, tally)
        cells = frame.select(POSITION, *(_cell(self.form.fields[name]).alias(name) for name in self.columns))
        return batch_of(cells, self.limits, _KIND, tally)

    def finish(self) -> None:
        """The delivery ended where it may.

        Raises:
            Refused: delivery-empty, message-truncated.
        """
        if not self._begun:
            raise empty()
        if self.form.kinds is not None and self.form.kinds.trailer is not None and not self._ended:
            raise Refused(
                Code.MESSAGE_TRUNCATED,
                f"The delivery ends after line {self._line}, without its trailer.",
                next_step="ask the partner to deliver the whole file again",
            )

    def _of_the_width(self, frame: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        """The lines that are not blank, without carriage returns; all are as wide as declared."""
        returns = frame["line"].str.ends_with("\r")
        other = frame[POSITION].filter(returns != self._crlf)
        if len(other):
            tally.add("tolerated-mixed-line-ends", "", other.head(ROWS_NAMED), len(other))
        frame = frame.with_columns(pl.col("line").str.strip_suffix("\r"))
        blank = frame.filter(pl.col("line") == "")[POSITION]
        if len(blank):
            tally.add("tolerated-blank-line", "", blank.head(ROWS_NAMED), len(blank))
            frame = frame.filter(pl.col("line") != "")
        wrong = frame.filter(pl.col("line").str.len_chars() != self.form.record_chars).head(1)
        if wrong.height:
            raise malformed(_KIND, wrong[POSITION][0], f"it is not {self.form.record_chars} characters wide")
        return frame

    def _rows_of(self, frame: pl.DataFrame, kinds: RecordKinds) -> pl.DataFrame:
        """The rows among the lines. Header and trailer are where they must be, and nowhere else."""
        code = pl.col("line").str.slice(kinds.at - 1, len(kinds.row))
        codes = frame.select(POSITION, "line", code=code)
        if self._ended:
            raise malformed(_KIND, codes[POSITION][0], "it follows the trailer")
        if kinds.header is not None and not self._begun:
            if codes["code"][0] != kinds.header:
                raise malformed(_KIND, codes[POSITION][0], "it is not the header")
            codes = codes.slice(1)
        self._begun = True
        strange = codes.filter(pl.col("code") != kinds.row).head(2)
        if not strange.height:
            return codes
        if strange["code"][0] != kinds.trailer:
            raise malformed(_KIND, strange[POSITION][0], "it is neither a row nor the trailer, by its code")
        rows = codes.filter(pl.col("code") == kinds.row)
        if codes["code"][-1] != kinds.trailer or strange.height > 1:
            raise malformed(_KIND, strange[POSITION][0], "something follows this trailer")
        self._ended = True
        count = self._rows + rows.height
        if kinds.count is not None and _number(strange["line"][0], kinds.count) != count:
            raise malformed(_KIND, strange[POSITION][0], f"the trailer does not count the {count} rows that are there")
        return rows

    def _count_beyond(self, frame: pl.DataFrame, tally: Tally) -> None:
        if not self._gaps or not frame.height:
            return
        filled = [_slice(span).str.strip_chars(" ") != "" for span in self._gaps]
        counted = frame.select(POSITION, beyond=pl.sum_horizontal(filled)).filter(pl.col("beyond") > 0)
        if counted.height:
            tally.add(BEYOND, "", counted[POSITION].head(ROWS_NAMED), int(counted["beyond"].sum()))


def _slice(span: Span) -> pl.Expr:
    return pl.col("line").str.slice(span.at - 1, span.chars)


def _cell(span: Span) -> pl.Expr:
    match span.padded:
        case "right":
            return _slice(span).str.strip_chars_end(" ")
        case "left":
            return _slice(span).str.strip_chars_start(" ")
        case "no":
            return _slice(span)


def _number(line: str, span: Span) -> int:
    """What is written there, or -1 where it is no number."""
    text = line[span.at - 1 : span.end - 1].strip(" ")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else -1


def _gaps(form: FixedWidthFormat) -> Iterator[Span]:
    """Where a row has no field."""
    taken = [(span.at, span.end) for span in form.fields.values()]
    if form.kinds is not None:
        taken.append((form.kinds.at, form.kinds.at + len(form.kinds.row)))
    at = 1
    for start, end in [*sorted(taken), (form.record_chars + 1, 0)]:
        if start > at:
            yield Span(at=at, chars=start - at)
        at = max(at, end)

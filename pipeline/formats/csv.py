"""CSV by RFC 4180, strict, at the speed of polars: is every row exactly what the partner wrote?

polars is lenient: it fills missing fields with null and lets stray quotes through. So polars parses each piece, and the
parse is then proven from the bytes: every quote opens a cell, closes one or is doubled; there is one row per line end
outside quotes; and in each row the cells, delimiters and quotes add up to the row's length. On any doubt `csv_records`
reads the piece again, exactly, and either gives the rows or says where they end.

The dialect: UTF-8 or the encoding that the feed declares, its BOM tolerated; lines end in LF or CRLF, a mix tolerated;
the first record names the feed's columns in their order; cells that need it are in double quotes. An empty cell, quoted
or not, is null. A line end inside quotes stays as written. Control characters other than line ends and tabs are refused.
Positions count the records after the header, from 1.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.findings import ROWS_NAMED, Finding
from pipeline.core.language.wire import Encoding
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.csv_bytes import Piece
from pipeline.formats.csv_records import CRLF, LF, Place, Record, Records, malformed
from pipeline.formats.encodings import in_utf8

DELIMITERS = (",", ";", "\t", "|")
_BOM = b"\xef\xbb\xbf"
_PIECE_BYTES = 4 * 1024 * 1024
"""polars parses pieces of this size about 1.5 times faster than pieces of 16 MiB: they stay in the cache."""
_EXACT_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Csv:
    """Reads the rows of a CSV delivery. Delimiter and encoding are declared by the feed, never guessed."""

    delimiter: str = ","
    encoding: Encoding = "utf-8"

    def __post_init__(self) -> None:
        if self.delimiter not in DELIMITERS:
            raise Misconfigured(
                Code.CATALOGUE_INVALID,
                "The delimiter of a CSV feed is none of comma, semicolon, tab and bar.",
                next_step="correct the delimiter in the feed's file",
            )

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in batches of at most about `limits.batch_bytes`; a list without rows is one batch without rows.

        Raises:
            Refused: delivery-empty, columns-differ, record-malformed, encoding-invalid or limit-exceeded.
        """
        # UTF-8 is proven with the rest; what is another encoding's byte in UTF-8 is named with its record and field.
        utf8 = blocks if self.encoding == "utf-8" else in_utf8(blocks, self.encoding)
        arriving = _Arriving(utf8, min(limits.batch_bytes, _PIECE_BYTES))
        records = Records(self.delimiter.encode(), len(columns), limits.max_cell_bytes, limits.max_rows)
        header, tolerated = _header(arriving, records, columns)
        rows = _Rows(columns, records, crlf=header.line_end == CRLF)
        place, empty = header.after, True
        for piece in arriving.pieces(records.longest_bytes):
            batch, place = rows.read(piece, place)
            yield Batch(batch.frame, tolerated + batch.tolerated)
            tolerated, empty = (), False
        if empty:
            yield Batch(rows.no_rows(), tolerated)


class _Arriving:
    """The delivery's bytes that no record has taken yet."""

    def __init__(self, blocks: Iterable[bytes], piece_bytes: int) -> None:
        self._parts = (block[at : at + piece_bytes] for block in blocks for at in range(0, len(block), piece_bytes))
        self._piece_bytes = piece_bytes
        self.text = b""

    def more(self) -> bool:
        """`text` has grown by about one piece; False when the delivery is at its end."""
        parts, size = [self.text], 0
        for part in self._parts:
            parts.append(part)
            size += len(part)
            if size >= self._piece_bytes:
                break
        self.text = b"".join(parts)
        return size > 0

    def pieces(self, longest_bytes: int) -> Iterator[Piece | bytes]:
        """The rest of the delivery, cut at line ends outside quotes.

        Bytes instead of a piece have no such line end: the last record of the delivery, or one that is longer than
        any record may be.
        """
        more = True
        while more:
            more = self.more()
            if piece := Piece.of(self.text):
                self.text = self.text[len(piece.text) :]
                yield piece
            elif self.text and len(self.text) > longest_bytes:
                yield self._taken()
        if self.text:
            yield self._taken()

    def _taken(self) -> bytes:
        text, self.text = self.text, b""
        return text


def _header(arriving: _Arriving, records: Records, columns: tuple[str, ...]) -> tuple[Record, tuple[Finding, ...]]:
    """The header, when it names exactly the feed's columns; `arriving` then starts at the first row."""
    named = Records(records.delimiter, 2 * len(columns), records.max_cell_bytes, records.max_rows)
    while arriving.more() and len(arriving.text) <= named.longest_bytes and not Piece.of(arriving.text):
        continue
    bom = arriving.text.startswith(_BOM)
    place = Place(byte=len(_BOM) if bom else 0)
    header = next(named.read(arriving.text[place.byte :], place), None)
    if header is None:
        raise Refused(
            Code.DELIVERY_EMPTY, "The delivery has not even a header.", next_step="ask the partner to deliver it again"
        )
    arriving.text = arriving.text[header.after.byte :]
    if header.cells != columns:
        raise Refused(
            Code.COLUMNS_DIFFER,
            f"The header is not the feed's {len(columns)} columns: {_difference(header.cells, columns)}.",
            next_step="ask the partner for the agreed columns, or change the feed's schema with them",
        )
    return header, (Finding("tolerated-bom", "", 1, ()),) if bom else ()


def _difference(found: Sequence[str | None], columns: Sequence[str]) -> str:
    """How the header differs. Only names that the schema knows are said: a partner may have written values there."""
    times = Counter(found)
    unknown = [position for position, name in enumerate(found, 1) if name not in columns]
    parts = [
        f"missing {', '.join(missing)}" if (missing := [name for name in columns if not times[name]]) else "",
        f"doubled {', '.join(doubled)}" if (doubled := [name for name in columns if times[name] > 1]) else "",
        f"{len(unknown)} unknown at position {', '.join(map(str, unknown))}" if unknown else "",
    ]
    return "; ".join(part for part in parts if part) or "the order differs"


@dataclass(frozen=True, slots=True)
class _Rows:
    """Turns pieces into batches. `crlf` is how the header ends: other line ends are tolerated, and counted."""

    columns: tuple[str, ...]
    records: Records
    crlf: bool

    def read(self, piece: Piece | bytes, place: Place) -> tuple[Batch, Place]:
        """The rows of the piece that starts at `place`, and the place after it."""
        if isinstance(piece, bytes):
            return self._exactly(piece, place)
        frame = self._proven(piece)
        if frame is None or place.record + frame.height - 1 > self.records.max_rows:
            return self._exactly(piece.text, place)
        after = Place(place.record + frame.height, place.line + len(piece.line_ends), place.byte + len(piece.text))
        return self._batch(frame, place, piece.crlf != self.crlf), after

    def no_rows(self) -> pl.DataFrame:
        """The empty list."""
        return self._numbered(pl.DataFrame(schema=self._schema()), Place(record=1))

    def _proven(self, piece: Piece) -> pl.DataFrame | None:
        """polars' parse of the piece, if it is certainly right and within limits."""
        try:
            frame = pl.read_csv(
                piece.text,
                has_header=False,
                schema=self._schema(),
                infer_schema=False,
                separator=self.records.delimiter.decode(),
                truncate_ragged_lines=False,
            )
        except pl.exceptions.PolarsError:
            return None
        if not piece.proves(frame, ord(self.records.delimiter)):
            return None
        if len(piece.text) > self.records.max_cell_bytes and _longest(frame) > self.records.max_cell_bytes:
            return None
        return _without_empty(frame) if piece.may_hold_quoted_empty() else frame

    def _exactly(self, text: bytes, place: Place) -> tuple[Batch, Place]:
        """The rows of `text`, or the refusal of the first record that is wrong."""
        frames, line_ends, after = [], list[bytes](), place
        read = self._complete(self.records.read(text, place), place)
        while some := list(islice(read, _EXACT_ROWS)):
            frames.append(pl.DataFrame([record.cells for record in some], schema=self._schema(), orient="row"))
            line_ends += [record.line_end for record in some]
            after = some[-1].after
        other = pl.Series([end not in (b"", CRLF if self.crlf else LF) for end in line_ends], dtype=pl.Boolean)
        return self._batch(pl.concat(frames), place, other), after

    def _complete(self, records: Iterable[Record], place: Place) -> Iterator[Record]:
        for record in records:
            if len(record.cells) < len(self.columns):
                raise malformed(place, f"it has {len(record.cells)} of {len(self.columns)} fields")
            yield record
            place = record.after

    def _batch(self, frame: pl.DataFrame, place: Place, other_line_ends: pl.Series) -> Batch:
        count = int(other_line_ends.sum())
        positions = tuple(place.record + index for index in other_line_ends.arg_true().head(ROWS_NAMED))
        mixed = (Finding("tolerated-mixed-line-ends", "", count, positions),) if count else ()
        return Batch(self._numbered(frame, place), mixed)

    def _numbered(self, frame: pl.DataFrame, place: Place) -> pl.DataFrame:
        numbers = pl.int_range(place.record, place.record + frame.height, dtype=pl.UInt64, eager=True).alias(POSITION)
        return frame.insert_column(0, numbers)

    def _schema(self) -> dict[str, pl.DataType]:
        return dict.fromkeys(self.columns, pl.String())


def _longest(frame: pl.DataFrame) -> int:
    """The bytes of the longest cell."""
    return int(frame.select(pl.max_horizontal(pl.all().str.len_bytes().max()).fill_null(0)).item())


def _without_empty(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with null for each quoted empty cell, as for each unquoted one."""
    empty = frame.select((pl.all() == "").any()).row(0)
    return frame.with_columns(
        pl.col(name).replace("", None) for name, some in zip(frame.columns, empty, strict=True) if some
    )

"""How does a stream of segments become bounded batches of rows?

A unit is what one opening segment begins and the next one ends: a PNR, a traveller, a consignment. Units are read whole;
the last one of a window waits for the next window.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.findings import Tally
from pipeline.formats.batch import Batch, Limits

GROWTH = 4
"""Batches may grow to this many times `batch_bytes`, because each row repeats what its message or unit says."""
ROW_BYTES = 1024
"""What a row weighs that says nothing: some forty-eight cells. A megabyte of empty units is not a gigabyte of rows."""
SEGMENT_BYTES = 32
"""What a segment weighs that says nothing: its position, and two references to text. Four bytes of a delivery make one."""

_SEGMENTS = pl.Schema({"position": pl.UInt64, "tag": pl.String, "body": pl.String})


@dataclass(slots=True)
class Units:
    """The units of a delivery so far. `noun` is how the partner would call one."""

    noun: str
    columns: tuple[str, ...]
    limits: Limits
    rows: int = 0
    _open: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SEGMENTS))

    def whole(self, segments: pl.DataFrame, tags: tuple[str, ...], where: pl.Expr | None = None) -> pl.DataFrame:
        """The segments, with those that waited, up to the last one that opens a unit; the others wait.

        A unit is opened by one of `tags`, where `where` holds, which is asked of these alone.

        Raises:
            Refused: limit-exceeded, where what waits is larger than a batch may grow.
        """
        joined = pl.concat([self._open, segments])
        opened = joined.with_row_index().filter(pl.col("tag").is_in(tags))
        ends = (opened if where is None else opened.filter(where))["index"]
        whole = int(ends[-1]) if len(ends) else 0
        self._open = joined.slice(whole)
        waiting_bytes = self._open["body"].str.len_bytes().sum() + self._open.height * SEGMENT_BYTES
        if waiting_bytes > self.limits.batch_bytes * GROWTH:
            raise self._too_large(self._open["position"][0])
        return joined.head(whole)

    def rest(self) -> pl.DataFrame:
        """The segments that still waited."""
        rest, self._open = self._open, self._open.clear()
        return rest

    def pieces(self, segments: pl.DataFrame, unit: str, size_bytes: pl.Expr) -> Iterator[pl.DataFrame]:
        """`segments` in pieces of whole units whose rows stay within bounds: `size_bytes` of a unit is what they take.

        Raises:
            Refused: limit-exceeded, where one unit alone is beyond them.
        """
        weights = segments.group_by(unit, maintain_order=True).agg((size_bytes + ROW_BYTES).alias("bytes"))
        bound = self.limits.batch_bytes * GROWTH
        heavy = weights.filter(pl.col("bytes") > bound)[unit]
        if len(heavy):
            raise self._too_large(heavy[0])
        weights = weights.select(unit, (pl.col("bytes").cum_sum() // bound).alias("piece"))
        if weights.height and weights["piece"][-1] > 0:
            yield from segments.join(weights, on=unit, how="left", maintain_order="left").partition_by(
                "piece", maintain_order=True, include_key=False
            )
        elif weights.height:
            yield segments

    def batch(self, rows: pl.DataFrame, tally: Tally) -> Batch:
        """`rows`, which have POSITION and every column, as the next batch.

        Raises:
            Refused: limit-exceeded, for too many rows or for a cell that is too long.
        """
        self.rows += rows.height
        if self.rows > self.limits.max_rows:
            raise Refused(
                Code.LIMIT_EXCEEDED,
                f"The delivery holds more than {self.limits.max_rows} rows.",
                next_step="ask the partner for smaller deliveries; or raise the feed's max_rows",
            )
        return Batch(rows.select(POSITION, *self.columns), tally.findings())

    def bare_batch(self, tally: Tally, *, last: bool) -> Iterator[Batch]:
        """A batch without rows, where there are findings that no row's batch has told, or the delivery has no rows."""
        if tally.findings() or (last and not self.rows):
            nothing = pl.DataFrame(schema={POSITION: pl.UInt64, **dict.fromkeys(self.columns, pl.String)})
            yield Batch(nothing, tally.findings())

    def _too_large(self, position: int) -> Refused:
        return Refused(
            Code.LIMIT_EXCEEDED,
            f"The {self.noun} at segment {position} is larger than a batch may grow.",
            next_step="ask the partner whether segments that begin the next one are missing",
        )


def require_columns(message: str, columns: tuple[str, ...], known: tuple[str, ...]) -> None:
    """The reader of `message` can fill every one of `columns`.

    Raises:
        Misconfigured: column-unknown.
    """
    unknown = [column for column in columns if column not in known]
    if unknown:
        raise Misconfigured(
            Code.COLUMN_UNKNOWN,
            f"The {message} reader has no column {', '.join(unknown)}.",
            next_step=f"correct the feed's schema: docs list the columns of {message}",
        )


def refuse_long_cells(rows: pl.DataFrame, columns: tuple[str, ...], noun: str, limits: Limits) -> None:
    """No cell is longer than the feed allows.

    Raises:
        Refused: limit-exceeded, with the row's position and the column.
    """
    longest = rows.select(pl.col(columns).str.len_bytes().max()).row(0, named=True)
    for column, size in longest.items():
        if size is not None and size > limits.max_cell_bytes:
            position = rows.filter(pl.col(column).str.len_bytes() > limits.max_cell_bytes)[POSITION][0]
            raise Refused(
                Code.LIMIT_EXCEEDED,
                f"The {noun} at segment {position} has a cell {column} of more than {limits.max_cell_bytes} bytes.",
                next_step="ask the partner whether the message is right; or raise the feed's max_cell_bytes",
            )

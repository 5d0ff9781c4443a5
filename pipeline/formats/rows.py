"""How do records become batches of rows that keep the contract of every reader?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.findings import Tally
from pipeline.formats.batch import Batch, Limits

NEXT_STEP = "ask the partner to correct the file and to deliver it again"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?:[^\n]|\z)"
BEYOND = "discarded-beyond-fields"
"""What stands in a record, or around it, that no column maps: it goes nowhere and is counted."""
EMPTY_ITEM = "tolerated-empty-item"
"""An item of a list that says nothing is left out of its cell."""


@dataclass(slots=True)
class Rows:
    """The rows that wait for their batch. `kind` is how the partner would call a record: "Line" or "Record"."""

    columns: tuple[str, ...]
    limits: Limits
    kind: str = "Record"
    tally: Tally = field(default_factory=Tally)
    _count: int = 0
    _positions: list[int] = field(default_factory=list)
    _cells: list[Sequence[str | None]] = field(default_factory=list)
    _bytes: int = 0

    def add(self, position: int, cells: Sequence[str | None], size_bytes: int) -> None:
        """One row more, that took `size_bytes` of the delivery.

        Raises:
            Refused: limit-exceeded.
        """
        self._count += 1
        if self._count > self.limits.max_rows:
            raise Refused(
                Code.LIMIT_EXCEEDED,
                f"{self.kind} {position} is over the feed's limit of {self.limits.max_rows} rows.",
                next_step="ask the partner for a smaller delivery, or raise max_rows in the feed's file",
            )
        self._positions.append(position)
        self._cells.append(cells)
        self._bytes += size_bytes

    @property
    def full(self) -> bool:
        """The rows are as many as a batch holds."""
        # An empty cell takes room too: a record of two bytes is a row of pointers.
        return self._bytes + len(self._cells) * (64 + 8 * len(self.columns)) >= self.limits.batch_bytes

    def batch(self) -> Batch:
        """The rows so far, which then wait no more.

        Raises:
            Refused: record-malformed for a control character, limit-exceeded for a long cell.
        """
        schema = dict.fromkeys(self.columns, pl.String())
        cells = list(zip(*self._cells, strict=True)) if self._cells else [()] * len(self.columns)
        frame = pl.DataFrame(
            {POSITION: self._positions, **dict(zip(self.columns, cells, strict=True))},
            schema={POSITION: pl.UInt64(), **schema},
        )
        self._positions, self._cells, self._bytes = [], [], 0
        tally, self.tally = self.tally, Tally()
        return batch_of(frame, self.limits, self.kind, tally)


def batch_of(frame: pl.DataFrame, limits: Limits, kind: str, tally: Tally) -> Batch:
    """`frame` as a batch: "" is null, no cell is too long, and none holds a control character but tab and line end.

    Raises:
        Refused: record-malformed or limit-exceeded, with the first row's position.
    """
    text = pl.all().exclude(POSITION)
    if frame.height:
        long = frame.filter(pl.any_horizontal(text.str.len_bytes() > limits.max_cell_bytes))
        if long.height:
            raise too_long(kind, long[POSITION][0], _where(long, text.str.len_bytes() > limits.max_cell_bytes), limits)
        control = frame.filter(pl.any_horizontal(text.str.contains(_CONTROL)))
        if control.height:
            column = _where(control, text.str.contains(_CONTROL))
            raise malformed(kind, control[POSITION][0], f"{column} holds a control character")
    empty = frame.with_columns(pl.when(text != "").then(text).name.keep())
    return Batch(empty, tally.findings())


def _where(frame: pl.DataFrame, wrong: pl.Expr) -> str:
    """The first column of the first row that is wrong."""
    found = frame.head(1).select(wrong).row(0, named=True)
    return next(column for column, is_wrong in found.items() if is_wrong)


def joined(items: Iterable[str | None], rows: Rows, position: int, column: str) -> str | None:
    """The items as one cell, one a line. An empty one is left out and counted.

    Raises:
        Refused: record-malformed where an item has a line break itself.
    """
    listed = list(items)
    kept = [item for item in listed if item]
    if len(kept) < len(listed):
        rows.tally.add(EMPTY_ITEM, column, [position], len(listed) - len(kept))
    if any("\n" in item or "\r" in item for item in kept):
        raise malformed(rows.kind, position, f"an item of {column} has a line break")
    return "\n".join(kept) or None


def require_every_column(fields: Iterable[str], columns: tuple[str, ...]) -> None:
    """The feed's file maps each column of its schema, and no other.

    Raises:
        Misconfigured: catalogue-invalid.
    """
    mapped = set(fields)
    missing = [column for column in columns if column not in mapped]
    unknown = sorted(mapped - set(columns))
    if missing or unknown:
        said = [f"no field for {', '.join(missing)}"] * bool(missing)
        said += [f"a field for {', '.join(unknown)}, which the schema does not have"] * bool(unknown)
        raise Misconfigured(
            Code.CATALOGUE_INVALID,
            f"The feed's format has {' and '.join(said)}.",
            next_step="map each column of the schema, and no other, in the feed's file",
        )


def malformed(kind: str, position: int, what: str) -> Refused:
    """The refusal of a record that cannot be read without guessing."""
    return Refused(Code.RECORD_MALFORMED, f"{named(kind, position)}: {what}.", next_step=NEXT_STEP)


def named(kind: str, position: int) -> str:
    """How a record is called in a message; position 0 is what is around the records."""
    return f"{kind} {position}" if position else "What is around the records"


def too_long(kind: str, position: int, column: str, limits: Limits) -> Refused:
    """The refusal of a cell over the limit."""
    return Refused(
        Code.LIMIT_EXCEEDED,
        f"{kind} {position}: {column} is over the limit of {limits.max_cell_bytes} bytes.",
        next_step="ask the partner whether the cell is right; or raise the feed's max_cell_bytes",
    )


def too_large(kind: str, position: int, most_bytes: int) -> Refused:
    """The refusal of a record that is larger than any may be."""
    return Refused(
        Code.LIMIT_EXCEEDED,
        f"{named(kind, position)} is over {most_bytes} bytes, or never ends.",
        next_step="ask the partner whether the file is whole and right",
    )


def empty() -> Refused:
    """The refusal of a delivery without anything in it."""
    return Refused(Code.DELIVERY_EMPTY, "The delivery has no record.", next_step="ask the partner to deliver it again")

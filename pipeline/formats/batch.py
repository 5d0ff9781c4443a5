"""What every reader yields, and the limits that every reader keeps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from pipeline.core.findings import Finding, Tally


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader accepts before it refuses with `limit-exceeded`. The feed's file may set each."""

    max_rows: int = 10_000_000
    max_cell_bytes: int = 65_536
    batch_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """The next rows of a delivery, in order.

    `frame` holds `core.delivery.POSITION` (UInt64, ascending over the whole delivery) and then the feed's columns in their
    order, all String, null for an absent value, never "". `tolerated` holds what the reader found odd in these rows
    but that changes no meaning; rule names start with "tolerated-".
    """

    frame: pl.DataFrame
    tolerated: tuple[Finding, ...] = ()


class Reader(Protocol):
    """One wire format. Pure: bytes in, rows out; the same bytes always give the same batches."""

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in bounded batches.

        Raises:
            Refused: the delivery as a whole is not what its feed promises; the message names code and position,
                never a value. Rows yielded before the error must then not be used.
        """
        ...


def tallied(batches: Iterable[Batch], tally: Tally) -> Iterator[pl.DataFrame]:
    """The rows of each batch; what the reader tolerated in it is added to `tally`."""
    for batch in batches:
        for finding in batch.tolerated:
            tally.add(finding.rule, finding.column, finding.positions, finding.count)
        yield batch.frame

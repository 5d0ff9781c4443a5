"""Into which parts does a release fall?

Columns with a clock of their own go into a part of their own, so that their deletion is the deletion of that part. Where
there is more than one part for the same rows, each carries the row's number in the release, to join them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipeline.core.agreement import Agreement
from pipeline.core.duration import Duration

ROW = "release_row"
"""The number of a row in its release, from 1, where its columns are spread over parts."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of some rows that share a clock. `until` None: the release's own clock."""

    frame: pl.DataFrame
    until: Duration | None


def sheets(agreement: Agreement, frame: pl.DataFrame, *, rows_before: int) -> Iterator[Sheet]:
    """`frame` (cleared), divided by clocks; `rows_before` of the release's rows came earlier."""
    clocks = list(dict.fromkeys(treatment.until for treatment in agreement.columns.values()))
    if len(clocks) == 1:
        yield Sheet(frame, clocks[0])
        return
    numbered = frame.with_columns(
        pl.int_range(rows_before + 1, rows_before + frame.height + 1).cast(pl.String).alias(ROW)
    )
    for clock in clocks:
        columns = [name for name, treatment in agreement.columns.items() if treatment.until == clock]
        yield Sheet(numbered.select(ROW, *columns), clock)

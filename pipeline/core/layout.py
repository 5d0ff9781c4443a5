"""Into which parts does a release fall?

Columns with a clock of their own go into a part of their own, so that their deletion is the deletion of that part. Rows whose
clock runs from a date of their own are divided by that date. Where there is more than one part for the same rows, each carries the row's
number in the release, to join them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.core.duration import Duration
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.handling import Clock
from pipeline.core.scope import day_of

ROW = "release_row"
"""The number of a row in its release, from 1, where its columns are spread over parts."""

_DAY = "_day"

_YEARS = (1, 7000)
"""Days of other years are none: the calendar ends with 9999, and the longest duration that can be said is of 2,118 years."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns of some rows that must be gone `after` the `clock` has run; `day` is those rows' own date, where they have one."""

    frame: pl.DataFrame
    clock: Clock
    after: Duration
    day: date | None = None


def sheets(agreement: Agreement, frame: pl.DataFrame, days: pl.Series | None, *, rows_before: int) -> Iterator[Sheet]:
    """`frame` (cleared), divided by clocks; `rows_before` of the release's rows came earlier.

    `days`: the date of each row (text), for an agreement with the clock `date`; what is no date there is one that the row has not.
    """
    by_clock: dict[tuple[Clock, Duration], list[str]] = {}
    for name in frame.columns:
        by_clock.setdefault(_clock(agreement, name), []).append(name)
    if len(by_clock) > 1:
        numbers = pl.int_range(rows_before + 1, rows_before + frame.height + 1).cast(pl.String)
        frame = frame.with_columns(numbers.alias(ROW))
    numbered = [ROW] if len(by_clock) > 1 else []
    for (clock, duration), names in by_clock.items():
        columns = frame.select(*numbered, *names)
        if clock is not Clock.DATE or days is None:
            yield Sheet(columns, clock, duration)
            continue
        for same_day in columns.with_columns(_day_in(days)).partition_by(_DAY, maintain_order=True):
            yield Sheet(same_day.drop(_DAY), clock, duration, same_day[_DAY][0])


def _day_in(days: pl.Series) -> pl.Series:
    said = pl.col(_DAY)
    return (
        days.to_frame(_DAY)
        .select(day_of(said))
        .select(pl.when(said.dt.year().is_between(*_YEARS)).then(said))
        .to_series()
    )


def _clock(agreement: Agreement, column: str) -> tuple[Clock, Duration]:
    retention = agreement.handling.retention
    said = agreement.released.get(column)
    if said is None or said.until is None:
        return retention.clock, retention.delete_after
    return said.clock or retention.clock, said.until

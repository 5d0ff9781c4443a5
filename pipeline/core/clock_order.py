"""Does one clock run out no later than another, whenever both begin?"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from pipeline.core.duration import Duration, after
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.handling import Clock, Retention
from pipeline.core.language.treatment import Released

_STARTS = tuple(datetime(year, month, 1, tzinfo=UTC) for year in (2023, 2024) for month in range(1, 13))
"""Days from which durations are compared. No run of months is shorter or longer than from one of them; 2024 is a leap year."""

_IN_ORDER = (Clock.RECEIVED, Clock.LAST_RECEIVED, Clock.LOADED, Clock.RELEASED)
"""Clocks that begin one after the other in every lot. The others may begin at any time, and compare with nothing."""


@dataclass(frozen=True, slots=True)
class Term:
    """How long something may be held, and from when: `of` is the date column or the event, for the clocks that have one."""

    clock: Clock
    of: str
    duration: Duration

    def __str__(self) -> str:
        return f"{self.duration} from {self.clock.value}{f' {self.of}' if self.of else ''}"


def term_of(agreement: Agreement, column: Released) -> Term:
    """How long the column may be held: by its own `until`, else as long as the release."""
    retention = agreement.handling.retention
    if column.until is None:
        return retention_term(retention)
    return _term(retention, column.clock or retention.clock, column.until)


def retention_term(retention: Retention) -> Term:
    """How long the release may be held."""
    return _term(retention, retention.clock, retention.delete_after)


def ends_no_later(term: Term, than: Term) -> bool:
    """Whether `term` has ended whenever `than` has; False for clocks that cannot be compared."""
    return begins_no_later(term, than) and never_longer(term.duration, than.duration)


def begins_no_later(term: Term, than: Term) -> bool:
    """Whether the clock of `term` begins before that of `than`, or with it."""
    if (term.clock, term.of) == (than.clock, than.of):
        return True
    both = term.clock in _IN_ORDER and than.clock in _IN_ORDER
    return both and _IN_ORDER.index(term.clock) <= _IN_ORDER.index(than.clock)


@cache  # an agreement asks it for each column, and the catalogue is read again at every step
def never_longer(duration: Duration, than: Duration) -> bool:
    """Whether `duration` ends no later than `than`, whatever day both begin on: P30D is never longer than P31D, but than P1M."""
    return all(after(start, duration) <= after(start, than) for start in _STARTS)


def _term(retention: Retention, clock: Clock, duration: Duration) -> Term:
    of = {Clock.DATE: retention.column, Clock.EVENT: retention.event}.get(clock)
    return Term(clock, of or "", duration)

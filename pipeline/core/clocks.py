"""When must what was released be gone?"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from pipeline.core.duration import Duration, after
from pipeline.core.language.handling import Clock, Delay


@dataclass(frozen=True, slots=True)
class Instants:
    """When a lot's clocks began. Aware UTC. `received`, `last_received`: its first and last delivery were claimed."""

    received: datetime
    last_received: datetime
    loaded: datetime
    released: datetime


def runs_out(clock: Clock, duration: Duration, instants: Instants, *, day: date | None = None) -> datetime | None:
    """The instant at which the clock runs out; None where its event has not happened yet.

    `day` is the row's own date, for the clock `date`; where a row has none, the clock runs from its loading.
    """
    match clock:
        case Clock.RECEIVED:
            start = instants.received
        case Clock.LAST_RECEIVED:
            start = instants.last_received
        case Clock.LOADED:
            start = instants.loaded
        case Clock.RELEASED:
            start = instants.released
        case Clock.DATE:
            start = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else instants.loaded
        case Clock.EVENT:
            return None
    return after(start, duration)


def waits_until(delay: Delay | None, instants: Instants) -> datetime | None:
    """The instant before which nothing is released; None without a delay."""
    return runs_out(Clock(delay.clock), delay.wait, instants) if delay else None

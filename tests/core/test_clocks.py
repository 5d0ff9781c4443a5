"""When each clock runs out: by the calendar, from its own beginning, and never for what has not happened."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.clocks import Instants, runs_out, waits_until
from pipeline.core.duration import after
from pipeline.core.language.handling import Clock, Delay
from tests.core.builders import LAW

RECEIVED, LAST = datetime(2024, 8, 29, 23, 59, tzinfo=UTC), datetime(2024, 8, 30, 6, tzinfo=UTC)
LOADED, RELEASED = datetime(2024, 8, 31, 7, tzinfo=UTC), datetime(2024, 8, 31, 8, 30, tzinfo=UTC)
INSTANTS = Instants(received=RECEIVED, last_received=LAST, loaded=LOADED, released=RELEASED)


@pytest.mark.parametrize(
    ("clock", "end"),
    [
        (Clock.RECEIVED, datetime(2025, 2, 28, 23, 59, tzinfo=UTC)),
        (Clock.LAST_RECEIVED, datetime(2025, 2, 28, 6, tzinfo=UTC)),
        (Clock.LOADED, datetime(2025, 2, 28, 7, tzinfo=UTC)),
        (Clock.RELEASED, datetime(2025, 2, 28, 8, 30, tzinfo=UTC)),
    ],
)
def test_each_clock_runs_from_its_own_instant_by_the_calendar(clock: Clock, end: datetime) -> None:
    assert runs_out(clock, "P6M", INSTANTS) == end
    assert runs_out(clock, "P6M", INSTANTS, day=date(2000, 1, 1)) == end


def test_the_clock_of_a_date_runs_from_the_beginning_of_the_row_s_own_day() -> None:
    assert runs_out(Clock.DATE, "P6M", INSTANTS, day=date(2024, 3, 31)) == datetime(2024, 9, 30, tzinfo=UTC)
    assert runs_out(Clock.DATE, "PT36H", INSTANTS, day=date(2024, 3, 31)) == datetime(2024, 4, 1, 12, tzinfo=UTC)


def test_the_clock_of_a_row_without_a_date_runs_from_its_loading() -> None:
    assert runs_out(Clock.DATE, "P6M", INSTANTS) == runs_out(Clock.LOADED, "P6M", INSTANTS)


def test_an_event_that_has_not_happened_has_no_date() -> None:
    assert runs_out(Clock.EVENT, "P6M", INSTANTS) is None
    assert runs_out(Clock.EVENT, "P6M", INSTANTS, day=date(2024, 1, 1)) is None


@pytest.mark.parametrize("duration", ["P999Y9999M99999DT99999H99999M"])
@pytest.mark.parametrize("day", [date(1, 1, 1), date(7000, 12, 31)])
def test_the_longest_clock_of_the_last_day_still_runs_out(day: date, duration: str) -> None:
    """What `core.layout` lets a clock run from."""
    assert runs_out(Clock.DATE, duration, INSTANTS, day=day) is not None


@LAW
@given(st.sampled_from(Clock), st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(0, 30), st.integers(0, 30))
def test_a_longer_clock_never_runs_out_before_a_shorter(clock: Clock, day: date, years: int, more: int) -> None:
    short, long = (runs_out(clock, f"P{length}Y", INSTANTS, day=day) for length in (years, years + more))
    if clock is Clock.EVENT:
        assert short is long is None
    else:
        assert short is not None
        assert long is not None
        assert short <= long
        assert short.tzinfo is UTC


@pytest.mark.parametrize(("clock", "start"), [("received", RECEIVED), ("last-received", LAST), ("loaded", LOADED)])
def test_a_delay_ends_its_duration_after_its_clock_began(clock: Any, start: datetime) -> None:
    delay = Delay(clock=clock, wait="PT12H", clause="c")
    assert waits_until(delay, INSTANTS) == start + timedelta(hours=12)
    assert waits_until(Delay(clock=clock, wait="P6M", clause="c"), INSTANTS) == after(start, "P6M")


def test_without_a_delay_nothing_waits() -> None:
    assert waits_until(None, INSTANTS) is None

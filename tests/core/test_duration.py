"""Clocks run by the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pipeline.core.duration import Duration, after
from tests.core.builders import LAW


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2023-08-31", "P6M", "2024-02-29"),
        ("2022-08-31", "P6M", "2023-02-28"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2024-02-29", "P4Y", "2028-02-29"),
        ("2096-02-29", "P4Y", "2100-02-28"),
        ("2024-02-29", "P12M", "2025-02-28"),
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2024-01-31", "P2M", "2024-03-31"),
        ("2024-01-31", "P1M1D", "2024-03-01"),
        ("2024-12-31", "P1D", "2025-01-01"),
        ("2024-12-01", "P1M", "2025-01-01"),
        ("2024-11-30", "P3M", "2025-02-28"),
        ("2024-02-28", "P1D", "2024-02-29"),
        ("2024-05-15", "P5Y", "2029-05-15"),
        ("2024-05-15", "P1Y2M3DT4H5M", "2025-07-18T04:05:00"),
        ("2024-05-15T23:59:59.999999", "PT24H", "2024-05-16T23:59:59.999999"),
        ("2024-05-15", "PT90M", "2024-05-15T01:30:00"),
        ("2024-05-15", "P0D", "2024-05-15"),
        ("2024-05-15", "P999Y", "3023-05-15"),
    ],
)
def test_vectors(start: str, duration: str, end: str) -> None:
    assert after(at(start), duration) == at(end)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "P",
            "PT",
            "P1",
            "6M",
            "p6m",
            "P6m",
            "P1W",
            "P1.5Y",
            "P-1D",
            "-P1D",
            "+P1D",
            "P1YT",
            "P1D1M",
            "P1H",
            "PT1D",
        ),
        *("PT1S", "P1Y ", " P1Y", "P1Y\n", "P1Y2Y", "P٣M", "P1000Y", "P10000M", "P100000D", "6 months", "P1M\x00"),
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(text)
    with pytest.raises(ValueError):
        after(at("2024-01-01"), text)


STARTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@LAW
@given(STARTS, st.integers(0, 9999))
def test_months_keep_the_day_or_take_the_last_of_the_month(start: datetime, months: int) -> None:
    end = after(start, f"P{months}M")
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)
    assert end.timetz() == start.timetz()


@LAW
@given(STARTS, st.integers(0, 800))
def test_a_year_is_twelve_months(start: datetime, years: int) -> None:
    assert after(start, f"P{years}Y") == after(start, f"P{years * 12}M")


@LAW
@given(STARTS, STARTS, st.sampled_from(["P6M", "P5Y", "P1D", "PT24H", "P1Y6M"]))
def test_what_starts_later_never_ends_earlier(one: datetime, other: datetime, duration: str) -> None:
    first, second = sorted((one, other))
    assert after(first, duration) <= after(second, duration)

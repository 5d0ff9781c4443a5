"""Since when something holds, until when, and that nothing follows its end."""

from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.language.agreement import Agreement
from pipeline.core.language.standing import Change, Status, out_of_order, status_at
from tests.core.builders import CANARY, LAW, agreement, instant, stated

TICK = timedelta(microseconds=1)
Said = tuple[str, int]


def history(*changes: Said) -> list[dict[str, Any]]:
    """A status by year."""
    return [{"to": to, "since": instant(year), "reason": "decided"} for to, year in changes]


def changes(*said: Said) -> tuple[Change, ...]:
    return tuple(Change.model_validate(change) for change in history(*said))


def test_before_its_first_change_it_is_a_draft() -> None:
    active = changes(("active", 2020))
    assert status_at(active, instant(2020) - TICK) is None
    assert status_at(active, instant(2020)) == active[0]


def test_a_change_holds_from_its_instant_until_the_next() -> None:
    said = changes(("draft", 2019), ("active", 2020), ("suspended", 2022), ("active", 2023), ("terminated", 2025))
    expected = {
        instant(2019): Status.DRAFT,
        instant(2020) - TICK: Status.DRAFT,
        instant(2020): Status.ACTIVE,
        instant(2022) - TICK: Status.ACTIVE,
        instant(2022): Status.SUSPENDED,
        instant(2023): Status.ACTIVE,
        instant(2025) - TICK: Status.ACTIVE,
        instant(2025): Status.TERMINATED,
        instant(2999): Status.TERMINATED,
    }
    for at, status in expected.items():
        change = status_at(said, at)
        assert change is not None
        assert change.to is status


def test_an_instant_is_the_same_in_every_zone() -> None:
    east = timezone(timedelta(hours=14))
    assert status_at(changes(("active", 2020)), instant(2020).astimezone(east)) is not None
    assert status_at(changes(("active", 2020)), (instant(2020) - TICK).astimezone(east)) is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([("active", 2020), ("suspended", 2019)], "order them by `since`"),
        ([("active", 2020), ("suspended", 2020)], "each must begin later"),
        ([("active", 2020), ("suspended", 2021), ("active", 2020)], "order them by `since`"),
        ([("active", 2020), ("terminated", 2021), ("active", 2022)], "nothing can follow terminated"),
        ([("active", 2020), ("superseded", 2021), ("active", 2022)], "nothing can follow superseded"),
        ([("terminated", 2020), ("superseded", 2021)], "nothing can follow terminated"),
    ],
)
def test_changes_that_cannot_follow_each_other_are_refused_with_what_to_write(said: list[Said], why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        agreement(status=history(*said))
    (fault,) = refused.value.errors(include_input=False)
    assert fault["ctx"]["keys"] == "status"
    assert why in fault["msg"]


@pytest.mark.parametrize("said", [[], [{"to": "active"}], [{"to": CANARY, "since": instant(2020), "reason": "x"}]])
def test_a_status_is_one_that_is_known_with_its_instant_and_reason(said: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError) as refused:
        Agreement.model_validate(stated(status=said))
    assert CANARY not in str(refused.value)


def test_a_status_without_a_reason_or_with_a_time_without_zone_is_refused() -> None:
    (fine,) = history(("active", 2020))
    for wrong in ({"reason": ""}, {"since": instant(2020).replace(tzinfo=None)}, {"since": "2020-01-01T00:00:00Z"}):
        with pytest.raises(ValidationError):
            Change.model_validate({**fine, **wrong})


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ([("active", 2020)], 2030),
        ([("active", 2020), ("suspended", 2022)], 2030),
        ([("active", 2020), ("terminated", 2025)], 2025),
        ([("active", 2020), ("superseded", 2026)], 2026),
        ([("active", 2020), ("terminated", 2035)], 2030),
    ],
)
def test_it_is_in_effect_until_its_date_or_its_end_whichever_comes_first(said: list[Said], end: int) -> None:
    assert agreement(status=history(*said)).in_effect_until == instant(end)


@pytest.mark.parametrize(("since", "until"), [(2020, 2020), (2020, 2019), (2030, 2020)])
def test_a_date_range_upside_down_is_refused_with_what_to_write(since: int, until: int) -> None:
    with pytest.raises(ValidationError) as refused:
        agreement(in_force={"from": instant(since), "until": instant(until)})
    (fault,) = refused.value.errors(include_input=False)
    assert fault["loc"] == ("in_force",)
    assert "swap the two dates, or correct the year" in fault["msg"]


@LAW
@given(
    st.lists(
        st.tuples(st.sampled_from([status.value for status in Status]), st.integers(2000, 2010)), min_size=1, max_size=5
    )
)
def test_a_history_that_is_taken_has_one_status_at_each_instant_and_none_after_its_end(said: list[Said]) -> None:
    said_changes = changes(*said)
    years = [year for _, year in said]
    ended = [to in ("terminated", "superseded") for to, _ in said]
    in_order = years == sorted(set(years)) and not any(ended[:-1])
    assert (out_of_order(said_changes) is None) is in_order
    if in_order:
        for year in range(1999, 2012):
            begun = [to for to, since in said if since <= year]
            change = status_at(said_changes, instant(year))
            assert (change.to.value if change else None) == (begun[-1] if begun else None)

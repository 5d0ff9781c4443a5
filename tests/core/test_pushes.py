"""What the pushes of a flight say together, held to a plain replay of them."""

import random
from collections.abc import Mapping

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.pushes import READ, flights, lean, standing
from tests.core.builders import LAW

Told = tuple[str, str | None, str, bool]
"""When, which kind, which PNR, and whether it names a traveller."""


def rows(*told: Told, flight: str = "400") -> pl.DataFrame:
    cells = [
        {
            **dict.fromkeys(READ),
            "flight_carrier": "LH",
            "flight_number": flight,
            "departure_airport": "FRA",
            "departs_at": "2027-03-05T10:00",
            "record_locator": locator,
            "push_kind": kind,
            "pushed_at": at or None,
            "surname": "EXAMPLE" if named else None,
        }
        for at, kind, locator, named in told
    ]
    return lean(pl.DataFrame(cells, schema=dict.fromkeys(READ, pl.String)))


def stand(*told: Told) -> list[str]:
    return standing(rows(*told)).to_list()


FIRST, LATER, LAST = "2027-03-01T07:00", "2027-03-04T07:00", "2027-03-05T07:00"


def test_a_full_push_supersedes_all_of_its_flight_that_was_pushed_before() -> None:
    whole = [(FIRST, "FULL", "AAA111", True), (FIRST, "FULL", "BBB222", True), (LATER, "FULL", "AAA111", True)]
    assert stand(*whole) == ["superseded", "superseded", "current"]


def test_changes_supersede_the_pnrs_that_they_tell_and_no_others() -> None:
    told = [(FIRST, "FULL", "AAA111", True), (FIRST, "FULL", "BBB222", True), (LATER, "UPDATE", "AAA111", True)]
    assert stand(*told) == ["superseded", "current", "current"]


def test_a_pnr_that_comes_without_a_traveller_in_changes_is_cancelled() -> None:
    assert stand((FIRST, "FULL", "AAA111", True), (LATER, "UPDATE", "AAA111", False)) == ["superseded", "cancelled"]
    assert stand((FIRST, "FULL", "AAA111", False)) == ["current"]


@pytest.mark.parametrize(("kind", "at"), [(None, LAST), ("FULL", ""), ("UPDATE", "")])
def test_what_does_not_say_what_it_is_or_when_changes_nothing(kind: str | None, at: str) -> None:
    assert stand((FIRST, "FULL", "AAA111", True), (at, kind, "AAA111", True)) == ["current", "untold"]


def replayed(told: list[Told]) -> Mapping[str, tuple[str, bool]]:
    """The PNRs that hold after the pushes, one after the other: when they were told, and whether anybody travels."""
    holds: dict[str, tuple[str, bool]] = {}
    for at in sorted({at for at, *_ in told}):
        now = [one for one in told if one[0] == at]
        if any(kind == "FULL" for _, kind, _, _ in now):
            holds = {}
        holds |= {locator: (at, kind == "FULL" or named) for _, kind, locator, named in now}
    return holds


@LAW
@given(
    st.lists(
        st.tuples(
            st.sampled_from([FIRST, LATER, LAST]),
            st.sampled_from(["FULL", "UPDATE"]),
            st.sampled_from(["AAA111", "BBB222", "CCC333"]),
            st.booleans(),
        ),
        max_size=9,
        unique_by=lambda one: (one[0], one[2]),
    ),
    st.randoms(),
)
def test_whatever_the_order_of_rows_what_holds_is_what_a_replay_leaves(told: list[Told], order: random.Random) -> None:
    order.shuffle(told)
    found = {
        locator: (at, answer == "current")
        for (at, _, locator, _), answer in zip(told, stand(*told), strict=True)
        if answer != "superseded"
    }
    assert found == replayed(told)


def test_a_flight_is_told_in_counts() -> None:
    told = rows(
        (FIRST, "FULL", "AAA111", True),
        (FIRST, "FULL", "BBB222", True),
        (FIRST, "FULL", "CCC333", True),
        (LATER, "UPDATE", "BBB222", False),
        (LAST, "UPDATE", "DDD444", True),
        ("", "UPDATE", "EEE555", True),
    )
    (flight,) = flights(told, first_push="PT96H").select(pl.exclude("flight_carrier", "departure_airport")).to_dicts()
    assert flight == {
        "flight_number": "400",
        "departs_at": "2027-03-05T10:00",
        "pushes": 3,
        "full": 1,
        "updates": 2,
        "current": 3,
        "cancelled": 1,
        "untold": 1,
        "first": FIRST,
        "begins_whole": True,
        "superseded": 0,
        "late": False,
    }
    gone = rows((FIRST, "FULL", "AAA111", True), (LATER, "FULL", "BBB222", True))
    assert flights(gone, first_push=None)["superseded"].item() == 1


@pytest.mark.parametrize(
    ("first", "late"), [("2027-03-01T09:59", False), ("2027-03-02T10:00", False), ("2027-03-02T10:01", True)]
)
def test_a_first_push_is_late_where_it_is_so_in_every_zone(first: str, *, late: bool) -> None:
    told = rows((first, "FULL", "AAA111", True))
    assert flights(told, first_push="PT96H")["late"].item() is late
    assert flights(told, first_push=None)["late"].item() is False


def test_a_flight_that_begins_with_changes_says_so_and_flights_do_not_meet() -> None:
    both = pl.concat([rows((FIRST, "UPDATE", "AAA111", True)), rows((LATER, "FULL", "BBB222", True), flight="401")])
    found = flights(both, first_push=None)
    assert found.select("flight_number", "begins_whole", "current").rows() == [("400", False, 1), ("401", True, 1)]

"""The order of row rules, held against the rows that they let through; and the order of clocks, against the calendar."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipeline.core.clock_order import Term, begins_no_later, ends_no_later, never_longer
from pipeline.core.duration import after
from pipeline.core.language.handling import Clock
from pipeline.core.language.scope import Predicate
from pipeline.core.rule_order import formula, implies
from pipeline.core.scope import Events, truth
from tests.core.builders import LAW, code_list

LISTS = {one.id: one for one in (code_list("NO", "SE", id="north"), code_list("NO", "SE", "DE", id="west"))}
EVENTS = Events(released=datetime(2026, 3, 31, 12, tzinfo=UTC), loaded=datetime(2026, 3, 30, 8, tzinfo=UTC))
WORDS = ["NO", "SE", "DE", "ZZ"]
QUESTIONS: list[dict[str, Any]] = [
    *({key: words} for key in ("any_of", "none_of") for words in (["NO"], ["NO", "SE"], ["DE"])),
    *({key: id} for key in ("in_codes", "not_in_codes") for id in LISTS),
    *({"exists": said} for said in (True, False)),
    *({key: bound} for key in ("at_least", "at_most") for bound in ("DE", "NO")),
    *({key: bound, "read_as": "number"} for key in ("at_least", "at_most") for bound in ("2", "10")),
    *({key: f"2026-03-{day}", "read_as": "date"} for key in ("at_least", "at_most") for day in (10, 20)),
    *(
        {key: {"event": event, **offset}}
        for key in ("no_earlier_than", "no_later_than")
        for event, offset in (
            ("released", {}),
            ("released", {"minus": "P1M"}),
            ("released", {"minus": "P31D"}),
            ("released", {"plus": "PT12H"}),
            ("loaded", {"plus": "P1D"}),
        )
    ),
]
ASKS = st.builds(
    lambda column, question: {"column": column, **question}, st.sampled_from("ab"), st.sampled_from(QUESTIONS)
)
PREDICATES = st.recursive(
    ASKS,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=4,
)
CELLS = [
    None,
    *WORDS,
    "AA",
    "1",
    "2",
    "9",
    "10",
    "2026-03-10",
    "2026-03-31",
    "2026-02-28T13:00",
    "2026-03-31T23:00",
    "2026-04-01",
]
EVERY_ROW = pl.DataFrame(
    {"a": [one for one in CELLS for _ in CELLS], "b": [one for _ in CELLS for one in CELLS]},
    schema={"a": pl.String, "b": pl.String},
)


def predicate(said: dict[str, Any]) -> Predicate:
    read: Predicate = TypeAdapter(Predicate).validate_python(said)
    return read


def implied(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return implies(formula(predicate(one), LISTS), formula(predicate(other), LISTS))


def let_through(said: list[dict[str, Any]]) -> list[list[bool]]:
    """For each predicate, which of all the rows it is true of."""
    asked = [truth(predicate(one), LISTS, EVENTS).fill_null(value=False) for one in said]
    answers = EVERY_ROW.select(one.alias(str(number)) for number, one in enumerate(asked))
    return [answer.to_list() for answer in answers.iter_columns()]


def assert_what_is_implied_lets_through(said: list[dict[str, Any]]) -> None:
    formulas, rows_of = [formula(predicate(one), LISTS) for one in said], let_through(said)
    for one, rows in zip(formulas, rows_of, strict=True):
        for other, other_rows in zip(formulas, rows_of, strict=True):
            if implies(one, other):
                assert all(there for here, there in zip(rows, other_rows, strict=True) if here), f"{one} / {other}"


@settings(LAW, max_examples=50)
@given(st.lists(PREDICATES, min_size=6, max_size=6))
def test_what_is_implied_lets_every_row_through(said: list[dict[str, Any]]) -> None:
    assert_what_is_implied_lets_through(said)


def test_every_question_implies_only_what_is_true_more_often() -> None:
    asked = [{"column": "a", **question} for question in QUESTIONS]
    assert_what_is_implied_lets_through([*asked, *({"not": one} for one in asked)])


@settings(LAW, max_examples=100)
@given(PREDICATES, PREDICATES, PREDICATES)
def test_to_imply_is_transitive_and_reflexive(
    one: dict[str, Any], other: dict[str, Any], third: dict[str, Any]
) -> None:
    assert implied(one, one)
    for first, second, last in ((one, other, third), (one, {"any": [one, other]}, {"any": [one, other, third]})):
        if implied(first, second) and implied(second, last):
            assert implied(first, last)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"any_of": ["NO"]}, {"any_of": ["NO", "SE"]}),
        ({"any_of": ["NO"]}, {"in_codes": "north"}),
        ({"in_codes": "north"}, {"in_codes": "west"}),
        ({"none_of": ["NO", "SE"]}, {"none_of": ["NO"]}),
        ({"any_of": ["DE"]}, {"not_in_codes": "north"}),
        ({"any_of": ["DE"]}, {"exists": True}),
        ({"at_least": "10", "read_as": "number"}, {"at_least": "9.5", "read_as": "number"}),
        ({"at_most": "2026-03-10", "read_as": "date"}, {"at_most": "2026-03-20", "read_as": "date"}),
        (
            {"no_earlier_than": {"event": "released", "minus": "P1M"}},
            {"no_earlier_than": {"event": "released", "minus": "P1Y"}},
        ),
        (
            {"no_later_than": {"event": "released"}},
            {"no_later_than": {"event": "released", "plus": "PT1H"}},
        ),
    ],
)
def test_one_question_lets_fewer_rows_through_than_the_other(narrow: dict[str, Any], wide: dict[str, Any]) -> None:
    narrow, wide = {"column": "a", **narrow}, {"column": "a", **wide}
    assert implied(narrow, wide)
    assert not implied(wide, narrow)
    assert implied({"all": [narrow, {"column": "b", "exists": True}]}, wide)
    assert implied(narrow, {"any": [{"column": "b", "exists": True}, wide]})
    assert not implied({"any": [narrow, {"column": "b", "exists": True}]}, wide)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"column": "a", "any_of": ["NO"]}, {"column": "b", "any_of": ["NO"]}),
        ({"column": "a", "at_least": "10"}, {"column": "a", "at_least": "9", "read_as": "number"}),
        ({"column": "a", "exists": False}, {"column": "a", "none_of": ["NO"]}),
        ({"not": {"column": "a", "at_least": "NO"}}, {"column": "a", "at_most": "NO"}),
        (
            {"column": "a", "no_later_than": {"event": "released"}},
            {"column": "a", "no_later_than": {"event": "loaded", "plus": "P9D"}},
        ),
    ],
)
def test_what_cannot_be_compared_is_not_implied(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not implied(one, other)
    assert not implied(other, one)


def test_a_list_that_is_not_to_be_found_implies_only_itself() -> None:
    asked = predicate({"column": "a", "in_codes": "gone"})
    assert implies(formula(asked, {}), formula(asked, {}))
    assert not implies(formula(asked, {}), formula(asked, {"gone": LISTS["north"]}))


DURATIONS = st.one_of(
    *(st.integers(1, most).map(shape.format) for shape, most in (("P{}D", 800), ("P{}M", 30), ("P{}Y", 3))),
    *(st.integers(1, most).map(shape.format) for shape, most in (("PT{}H", 800), ("P1M{}D", 40))),
)


@settings(LAW, max_examples=200)
@given(DURATIONS, DURATIONS, st.integers(0, 20_000))
def test_what_is_never_longer_ends_no_later_on_any_day(one: str, other: str, days: int) -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=days)
    if never_longer(one, other):
        assert after(start, one) <= after(start, other)


def test_a_month_is_neither_thirty_days_nor_longer_than_thirty_one() -> None:
    assert never_longer("P1M", "P31D")
    assert not never_longer("P1M", "P30D")
    assert not never_longer("P30D", "P1M")
    assert never_longer("P12M", "P1Y")
    assert never_longer("P1Y", "P12M")
    assert never_longer("P28D", "P1M")
    assert not never_longer("P1Y", "P365D")
    assert not never_longer("P366D", "P1Y")
    assert never_longer("P5Y", "P1827D")
    assert not never_longer("P5Y", "P1826D")
    assert not never_longer("P1096D", "P3Y")


def test_clocks_that_begin_one_after_the_other_compare_and_others_do_not() -> None:
    received, released = Term(Clock.RECEIVED, "", "P1Y"), Term(Clock.RELEASED, "", "P1Y")
    travel, other_day, event = (
        Term(Clock.DATE, "departs_at", "P1Y"),
        Term(Clock.DATE, "booked_at", "P1Y"),
        Term(Clock.EVENT, "case-closed", "P1Y"),
    )
    assert ends_no_later(received, released)
    assert not ends_no_later(released, received)
    for one in (travel, other_day, event):
        assert ends_no_later(one, one)
        for other in {received, released, travel, other_day, event} - {one}:
            assert not begins_no_later(one, other)
            assert not begins_no_later(other, one)

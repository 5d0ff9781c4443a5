"""Which rows an agreement speaks of: three values, of which only true lets a row through."""

import itertools
import operator
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pipeline.core.duration import after
from pipeline.core.language.scope import AllOf, AnyOf, Not, Predicate, RowRule, questions
from pipeline.core.scope import Events, in_scope, truth
from tests.core.builders import CANARY, LAW, code_list

Truth = bool | None
Cell = str | None

LISTS = {"listed": code_list("NO", "DE")}
RELEASED = datetime(2025, 3, 31, 12, 30, 30, tzinfo=UTC)
LOADED = datetime(2024, 2, 29, 10, 0, tzinfo=UTC)
EVENTS = Events(released=RELEASED, loaded=LOADED)
EARLIEST_AND_LATEST = (RELEASED.replace(1950, tzinfo=None), RELEASED.replace(2100, tzinfo=None))
READ: TypeAdapter[Any] = TypeAdapter(Predicate)


def said(stated: dict[str, Any]) -> Any:
    """A predicate as an agreement's file says it."""
    return READ.validate_python(stated)


def answers(stated: dict[str, Any], *cells: dict[str, Cell] | Cell) -> list[Truth]:
    """The truth of the predicate for each row; a cell alone is that of the column `a`."""
    rows = [cell if isinstance(cell, dict) else {"a": cell} for cell in cells]
    frame = pl.DataFrame(
        {name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in ("a", "b", "c")}
    )
    return frame.select(truth(said(stated), LISTS, EVENTS).alias("truth"))["truth"].to_list()


def answer(question: dict[str, Any], cell: Cell, **others: Cell) -> Truth:
    (found,) = answers({"column": "a", **question}, {"a": cell, **others})
    return found


# The truth table (Kleene, 1938)

VALUES: tuple[Truth, ...] = (True, False, None)
CELLS: dict[Truth, Cell] = {True: "x", False: "y", None: None}


def asks(column: str) -> dict[str, Any]:
    return {"column": column, "any_of": ["x"]}


@pytest.mark.parametrize(("value", "negated"), [(True, False), (False, True), (None, None)])
def test_not_turns_true_and_false_and_leaves_unknown_unknown(value: Truth, negated: Truth) -> None:
    assert answers(asks("a"), CELLS[value]) == [value]
    assert answers({"not": asks("a")}, CELLS[value]) == [negated]


@pytest.mark.parametrize(
    ("first", "second", "any_of_both", "all_of_both"),
    [
        (True, True, True, True),
        (True, False, True, False),
        (True, None, True, None),
        (False, True, True, False),
        (False, False, False, False),
        (False, None, None, False),
        (None, True, True, None),
        (None, False, None, False),
        (None, None, None, None),
    ],
)
def test_any_and_all_of_two(first: Truth, second: Truth, any_of_both: Truth, all_of_both: Truth) -> None:
    row = {"a": CELLS[first], "b": CELLS[second]}
    assert answers({"any": [asks("a"), asks("b")]}, row) == [any_of_both]
    assert answers({"all": [asks("a"), asks("b")]}, row) == [all_of_both]


@pytest.mark.parametrize(("value", "passes"), [(True, True), (False, False), (None, False)])
@pytest.mark.parametrize("how", ["any", "all"])
def test_only_true_lets_a_row_through(value: Truth, passes: bool, how: str) -> None:
    rule = RowRule.model_validate({"name": "r", how: [asks("a")], "clause": "c"})
    frame = pl.DataFrame({"a": pl.Series([CELLS[value]], dtype=pl.String)})
    assert frame.select(in_scope(rule, LISTS, EVENTS)).to_series().to_list() == [passes]


def test_a_rule_that_negates_an_unknown_lets_nothing_through() -> None:
    rule = RowRule.model_validate({"name": "r", "all": [{"not": {"column": "a", "any_of": ["NO"]}}], "clause": "c"})
    frame = pl.DataFrame({"a": pl.Series(["NO", "SE", None], dtype=pl.String)})
    assert frame.select(in_scope(rule, LISTS, EVENTS)).to_series().to_list() == [False, True, False]


QUESTION = st.sampled_from(
    [
        {"any_of": ["x", ""]},
        {"none_of": ["x"]},
        {"in_codes": "listed"},
        {"not_in_codes": "listed"},
        {"at_least": "7", "read_as": "number"},
        {"at_most": "M"},
        {"at_most": "2024-12-31", "read_as": "date"},
        {"exists": True},
        {"exists": False},
        {"no_earlier_than": {"event": "loaded", "minus": "P1M"}},
        {"no_later_than": {"event": "b", "plus": "PT36H"}},
    ]
)
ASKS = st.builds(lambda column, question: {"column": column, **question}, st.sampled_from("abc"), QUESTION)
PREDICATE = st.recursive(
    ASKS,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=5,
)
CELL = st.sampled_from([None, "", "x", "NO", "7", "-1.5", "2024-02-29", "2024-02-29T10:30", "2024-02-30"]) | st.text(
    max_size=4
)
ROW = st.fixed_dictionaries(dict.fromkeys("abc", CELL))


@LAW
@given(PREDICATE, st.lists(ROW, min_size=1, max_size=5))
def test_scope_and_its_complement_and_unknown_are_everything(
    predicate: dict[str, Any], rows: list[dict[str, Cell]]
) -> None:
    inside, outside = answers(predicate, *rows), answers({"not": predicate}, *rows)
    assert len(inside) == len(outside) == len(rows)
    for one, other in zip(inside, outside, strict=True):
        assert (one, other) in {(True, False), (False, True), (None, None)}


@LAW
@given(PREDICATE, PREDICATE, ROW)
def test_any_is_all_turned_round(one: dict[str, Any], other: dict[str, Any], row: dict[str, Cell]) -> None:
    """De Morgan, which holds with unknown too."""
    turned = {"not": {"all": [{"not": one}, {"not": other}]}}
    assert answers({"any": [one, other]}, row) == answers(turned, row)


@LAW
@given(PREDICATE, st.lists(ROW, min_size=2, max_size=5))
def test_a_row_has_its_answer_whatever_rows_are_around_it(
    predicate: dict[str, Any], rows: list[dict[str, Cell]]
) -> None:
    assert answers(predicate, *rows) == [answers(predicate, row)[0] for row in rows]


@LAW
@given(PREDICATE, ROW)
def test_the_answer_is_what_kleene_makes_of_the_answers_inside(predicate: dict[str, Any], row: dict[str, Cell]) -> None:
    def by_hand(stated: dict[str, Any]) -> Truth:
        if "not" in stated:
            inner = by_hand(stated["not"])
            return None if inner is None else not inner
        for how, wins in (("any", True), ("all", False)):
            if how in stated:
                inside = [by_hand(one) for one in stated[how]]
                return wins if wins in inside else None if None in inside else not wins
        return answers(stated, row)[0]

    assert answers(predicate, row) == [by_hand(predicate)]


# The questions, each with a passing, a failing and an absent cell


@pytest.mark.parametrize(
    ("question", "passing", "failing"),
    [
        ({"any_of": ["NO", "DE"]}, ["NO", "DE"], ["SE", "no", "NO ", ""]),
        ({"none_of": ["NO", "DE"]}, ["SE", "no", "NO ", ""], ["NO", "DE"]),
        ({"in_codes": "listed"}, ["NO", "DE"], ["SE", "no", "NO\n", ""]),
        ({"not_in_codes": "listed"}, ["SE", "no", ""], ["NO", "DE"]),
        ({"at_least": "B"}, ["B", "BA", "C", "b", "É"], ["A", "AZ", "", "1"]),
        ({"at_most": "B"}, ["B", "A", "AZ", "", "1"], ["BA", "C", "b"]),
        (
            {"at_least": "7", "read_as": "number"},
            ["7", "7.0", "007", "+7", "7.000000001", "10"],
            ["6", "6.999999999", "-8"],
        ),
        ({"at_most": "-1.5", "read_as": "number"}, ["-1.5", "-2", "-1.500000001"], ["-1.499999999", "0", "1"]),
        (
            {"at_least": "2024-02-29", "read_as": "date"},
            ["2024-02-29", "2024-02-29T00:00", "9999-12-31"],
            ["2024-02-28"],
        ),
        (
            {"at_most": "2024-02-29", "read_as": "date"},
            ["2024-02-29", "2024-02-29T23:59", "0001-01-01"],
            ["2024-03-01"],
        ),
    ],
)
def test_a_question_is_true_false_or_where_the_cell_is_absent_unknown(
    question: dict[str, Any], passing: list[str], failing: list[str]
) -> None:
    assert [cell for cell in passing if answer(question, cell) is not True] == []
    assert [cell for cell in failing if answer(question, cell) is not False] == []
    assert answer(question, None) is None


def test_whether_a_cell_is_there_is_never_unknown() -> None:
    assert [answer({"exists": True}, cell) for cell in ("x", "", None)] == [True, True, False]
    assert [answer({"exists": False}, cell) for cell in ("x", "", None)] == [False, False, True]
    assert answers({"not": {"column": "a", "exists": True}}, None, "x") == [True, False]


# Numbers


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "",
            " ",
            "x",
            "7 ",
            " 7",
            "7\n",
            "1e3",
            "1,5",
            ".5",
            "5.",
            "+",
            "--7",
            "0x7",
            "٧",
            "7 EUR",
            "NaN",
            "inf",
            "7\n8",
        ),
        *("1" * 16, "1" * 400, "0.1234567891", "1_000"),
    ],
)
def test_what_is_no_number_is_unknown(cell: str) -> None:
    for bound in ("at_least", "at_most"):
        assert answer({bound: "0", "read_as": "number"}, cell) is None


NUMBER = st.from_regex(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?", fullmatch=True)


@LAW
@given(NUMBER, NUMBER)
@example("999999999999999.999999999", "999999999999999.999999998")
@example("-999999999999999.999999999", "999999999999999.999999999")
@example("0.000000001", "0")
@example("-0", "0.0")
def test_numbers_are_compared_exactly_to_fifteen_digits_and_nine_decimals(cell: str, bound: str) -> None:
    assert answer({"at_least": bound, "read_as": "number"}, cell) is (Decimal(cell) >= Decimal(bound))
    assert answer({"at_most": bound, "read_as": "number"}, cell) is (Decimal(cell) <= Decimal(bound))


# Dates

NO_DATES = [
    *("", "soon", "2023-02-29", "2024-13-01", "2024-00-10", "2024-02-30", "2024-2-9", "24-02-29", "20240229"),
    *("29.02.2024", "2024/02/29", " 2024-02-29", "2024-02-29 ", "2024-02-29\n", "2024-02-299", "2024-02-29x"),
    *(
        "2024-02-29T25:00",
        "2024-02-29T10:60",
        "2024-02-29T10:30:60",
        "2024-02-29T24:00",
        "2024-02-29T",
        "2024-02-29T10",
    ),
    *("2024-02-29 10:30", "2024-02-29T10:30+02:00", "2024-02-29T10:30z", "2024-02-29T10:30:00.", "٢٠٢٤-٠٢-٢٩"),
    *("10000-01-01", "-001-01-01", "2024-02-29\n2024-03-01", "2024-W09-4", "2024-060"),
]


@pytest.mark.parametrize("cell", NO_DATES)
def test_what_is_no_day_of_the_calendar_is_unknown(cell: str) -> None:
    questions_of_dates: list[dict[str, Any]] = [
        {"at_least": "2000-01-01", "read_as": "date"},
        {"at_most": "2100-01-01", "read_as": "date"},
        {"no_later_than": {"event": "released", "plus": "P100Y"}},
        {"no_earlier_than": {"event": "loaded", "minus": "P100Y"}},
    ]
    for question in questions_of_dates:
        assert answer(question, cell) is None
    for how in ("no_later_than", "no_earlier_than"):
        assert answer({how: {"event": "b"}}, "2024-01-01", b=cell) is None


@pytest.mark.parametrize(
    "cell", ["2024-02-29", "2024-02-29T10:30", "2024-02-29T10:30:59", "2024-02-29T10:30:59.999999999Z"]
)
def test_a_date_may_have_a_time(cell: str) -> None:
    assert answer({"at_least": "2024-02-29", "read_as": "date"}, cell) is True
    assert answer({"at_most": "2024-02-29", "read_as": "date"}, cell) is True


@pytest.mark.parametrize(
    ("cell", "no_later", "no_earlier"),
    [
        ("2025-03-31T12:30", True, False),
        ("2025-03-31T12:30:30", True, True),
        ("2025-03-31T12:30:30.9Z", True, True),
        ("2025-03-31T12:30:31", False, True),
        ("2025-03-31T12:31", False, True),
        ("2025-03-31", True, True),
        ("2025-03-30", True, False),
        ("2025-04-01", False, True),
        (None, None, None),
    ],
)
def test_a_date_is_held_against_the_release_to_the_second_or_by_its_day(
    cell: Cell, no_later: Truth, no_earlier: Truth
) -> None:
    assert answer({"no_later_than": {"event": "released"}}, cell) is no_later
    assert answer({"no_earlier_than": {"event": "released"}}, cell) is no_earlier


def test_a_date_is_held_against_the_loading_of_the_row() -> None:
    question = {"no_earlier_than": {"event": "loaded"}}
    assert [
        answer(question, cell) for cell in ("2024-02-29T10:00", "2024-02-29T09:59", "2024-02-29", "2024-02-28")
    ] == [*(True, False, True, False)]


@pytest.mark.parametrize(
    ("cell", "other", "no_later"),
    [
        ("2024-05-01", "2024-05-01", True),
        ("2024-05-02", "2024-05-01", False),
        ("2024-05-01T10:31", "2024-05-01T10:30", False),
        ("2024-05-01T10:30", "2024-05-01T10:30:00Z", True),
        ("2024-05-01T23:59", "2024-05-01", True),
        ("2024-05-01", "2024-05-01T00:00", True),
        ("2024-05-02", "2024-05-01T23:59", False),
        ("2024-05-01", None, None),
        (None, "2024-05-01", None),
    ],
)
def test_a_date_is_held_against_another_column_of_the_row(cell: Cell, other: Cell, no_later: Truth) -> None:
    assert answer({"no_later_than": {"event": "b"}}, cell, b=other) is no_later


@pytest.mark.parametrize(
    ("start", "moment", "end"),
    [
        ("2024-08-31", {"plus": "P6M"}, "2025-02-28"),
        ("2023-08-31", {"plus": "P6M"}, "2024-02-29"),
        ("2024-08-31", {"minus": "P6M"}, "2024-02-29"),
        ("2024-02-29", {"plus": "P1Y"}, "2025-02-28"),
        ("2024-02-29", {"minus": "P1Y"}, "2023-02-28"),
        ("2024-02-29", {"plus": "P4Y"}, "2028-02-29"),
        ("2024-01-31", {"plus": "P1M1D"}, "2024-03-01"),
        ("2024-03-31", {"minus": "P1M1D"}, "2024-02-28"),
        ("2024-02-28", {"plus": "P1D"}, "2024-02-29"),
        ("2023-02-28", {"plus": "P1D"}, "2023-03-01"),
        ("2024-12-31", {"plus": "PT24H"}, "2025-01-01"),
        ("2024-12-31", {"plus": "PT23H59M"}, "2024-12-31"),
        ("2025-01-01", {"minus": "PT1M"}, "2024-12-31"),
        ("2024-01-01", {"plus": "P1Y2M3DT4H5M"}, "2025-03-04"),
        ("2024-01-01", {"minus": "P1Y2M3DT4H5M"}, "2022-10-28"),
        ("2024-01-01", {"plus": "P0D"}, "2024-01-01"),
        ("2024-01-01", {}, "2024-01-01"),
    ],
)
def test_a_duration_before_or_after_goes_by_the_calendar(start: str, moment: dict[str, str], end: str) -> None:
    last, over = date.fromisoformat(end), date.fromisoformat(end) + timedelta(days=1)
    question = {"no_later_than": {"event": "b", **moment}}
    assert answer(question, str(last), b=start) is True
    assert answer(question, str(over), b=start) is False


def test_hours_are_counted_where_both_have_a_time() -> None:
    question = {"no_later_than": {"event": "b", "plus": "PT36H"}}
    assert answer(question, "2024-03-01T12:00", b="2024-02-29T00:00") is True
    assert answer(question, "2024-03-01T12:01", b="2024-02-29T00:00") is False
    question = {"no_earlier_than": {"event": "b", "minus": "PT36H"}}
    assert answer(question, "2024-02-27T12:00", b="2024-02-29T00:00") is True
    assert answer(question, "2024-02-27T11:59", b="2024-02-29T00:00") is False


@LAW
@given(
    st.datetimes(*EARLIEST_AND_LATEST),
    st.builds("P{}Y{}M{}DT{}H".format, *[st.integers(0, 40)] * 4),
)
def test_a_moment_is_when_a_clock_of_that_duration_runs_out(start: datetime, duration: str) -> None:
    """The same calendar as that of retention."""
    start = start.replace(second=0, microsecond=0)
    end = after(start, duration)
    question = {"no_later_than": {"event": "b", "plus": duration}}
    assert answer(question, end.isoformat()[:16], b=start.isoformat()[:16]) is True
    assert answer(question, (end + timedelta(minutes=1)).isoformat()[:16], b=start.isoformat()[:16]) is False


# How it is written


def test_any_all_and_not_are_nested_in_toml() -> None:
    written = tomllib.loads("""
        name = "r"
        clause = "c"
        all = [
            { any = [{ column = "a", any_of = ["x"] }, { column = "b", in_codes = "listed" }] },
            { not = { all = [{ column = "a", exists = false }, { not = { column = "c", at_least = "7", read_as = "number" } }] } },
        ]
    """)
    rule = RowRule.model_validate(written)
    assert isinstance(rule.predicate, AllOf)
    first, second = rule.predicate.all
    assert isinstance(first, AnyOf)
    assert isinstance(second, Not)
    assert [asked.column for asked in questions(rule.predicate)] == ["a", "b", "a", "c"]
    frame = pl.DataFrame(
        [("x", None, None), (None, "NO", "7"), (None, "NO", "6"), ("y", "SE", "9")],
        schema=["a", "b", "c"],
        orient="row",
    )
    assert frame.select(in_scope(rule, LISTS, EVENTS)).to_series().to_list() == [True, True, False, False]


def test_a_rule_of_several_is_any_or_all_of_them() -> None:
    both = [asks("a"), asks("b")]
    for how, combine in (("any", operator.or_), ("all", operator.and_)):
        rule = RowRule.model_validate({"name": "r", how: both, "clause": "c"})
        for first, second in itertools.product([True, False], repeat=2):
            frame = pl.DataFrame({"a": [CELLS[first]], "b": [CELLS[second]]}, schema={"a": pl.String, "b": pl.String})
            passes: Callable[[bool, bool], bool] = combine
            assert frame.select(in_scope(rule, LISTS, EVENTS)).item() is reduce(passes, [first, second])


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"column": "a"},
        {"any_of": ["x"]},
        {"column": "a", "any_of": []},
        {"column": "a", "any_of": "x"},
        {"column": "a", "any_of": [1]},
        {"column": "a", "any_of": ["x"], "none_of": ["y"]},
        {"column": "a", "exists": "yes"},
        {"column": "a", "at_least": 7},
        {"column": "a", "at_least": ""},
        {"column": "a", "at_least": "seven", "read_as": "number"},
        {"column": "a", "at_least": "1e3", "read_as": "number"},
        {"column": "a", "at_least": "1" * 16, "read_as": "number"},
        {"column": "a", "at_least": "2023-02-29", "read_as": "date"},
        {"column": "a", "at_least": "2024-02-29T10:30", "read_as": "date"},
        {"column": "a", "at_least": "0000-01-01", "read_as": "date"},
        {"column": "a", "any_of": ["x"], "read_as": "number"},
        {"column": "a", "at_least": "7", "read_as": "integer"},
        {"column": "a", "no_later_than": "released"},
        {"column": "a", "no_later_than": {}},
        {"column": "a", "no_later_than": {"event": "released", "plus": "6 months"}},
        {"column": "a", "no_later_than": {"event": "released", "plus": "P1D", "minus": "P1D"}},
        {"column": "a", "in_codes": "../x"},
        {"any": []},
        {"all": []},
        {"any": [asks("a")], "all": [asks("a")]},
        {"any": [asks("a")], "column": "a"},
        {"not": [asks("a")]},
        {"not": {}},
        {"negated": asks("a")},
        CANARY,
        [asks("a")],
        None,
        7,
    ],
)
def test_what_is_no_predicate_is_refused(stated: object) -> None:
    for whole in (stated, {"not": stated}, {"any": [stated]}):
        with pytest.raises(ValidationError) as refused:
            RowRule.model_validate({"name": "r", "all": [whole], "clause": "c"})
        assert CANARY not in str(refused.value)


def test_a_code_that_has_lapsed_is_in_the_list_no_more() -> None:
    lapsing = code_list("NO", "DE").model_copy(update={"lapses": {"NO": RELEASED.date(), "DE": date(2025, 4, 1)}})
    frame = pl.DataFrame({"a": ["NO", "DE"]})
    found = {
        question: frame.select(truth(said({"column": "a", question: "listed"}), {"listed": lapsing}, EVENTS).alias("t"))
        for question in ("in_codes", "not_in_codes")
    }
    assert found["in_codes"]["t"].to_list() == [False, True]
    assert found["not_in_codes"]["t"].to_list() == [True, False]

"""An agreement's example cases are held to what really comes out."""

from typing import Any

import polars as pl
import pytest

from pipeline.core.cases import ANY_PSEUDONYM, ANY_TOKEN, example_means, failed_cases
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.category import Category
from pipeline.core.schema import column, feed_schema, row_rule
from pipeline.core.validation import compile_schema
from tests.core.builders import CANARY, PLACES, agreement, assert_silent, code_list, columns, schema

NORTH = {"name": "in-the-north", "all": [{"column": "country", "any_of": ["NO"]}], "clause": "Art. 1"}
TREATED = columns(
    country="keep",
    name={"treatment": "pseudonymise", "domain": "d"},
    number={"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "Art. 9"},
    born="keep",
    remarks="keep",
)


def failed(row: dict[str, str], *, treated: dict[str, Any] = TREATED, **said: Any) -> list[str]:
    stated = agreement(rows=[NORTH], columns=treated, cases=[{"title": "the case", "row": row, **said}])
    faults = list(failed_cases(stated, schema(), {"listed": code_list("KSML")}, {PLACES.id: PLACES}))
    assert {fault.keys for fault in faults} <= {("cases", "0")}
    assert_silent(Exception(*faults), CANARY, "1980")
    return [fault.message for fault in faults]


ROW = {"country": "NO", "name": CANARY, "number": "X-1", "born": "1980-01-31"}
RELEASED = {"country": "NO", "name": ANY_PSEUDONYM, "number": ANY_TOKEN, "born": "1980-01-31"}


def test_a_case_that_comes_out_as_it_says_does_not_fail() -> None:
    assert failed(ROW, released=RELEASED) == []
    assert failed({"country": "SE"}, not_released="in-the-north") == []
    assert failed({"country": "NO"}, released={"country": "NO"}) == []


@pytest.mark.parametrize(
    ("row", "said", "differs"),
    [
        (ROW, {"released": {**RELEASED, "country": "SE"}}, "country not as expected"),
        (ROW, {"released": {**RELEASED, "name": CANARY}}, "name not as expected"),
        (ROW, {"released": {**RELEASED, "name": ANY_TOKEN}}, "name not as expected"),
        (ROW, {"released": {**RELEASED, "number": ANY_PSEUDONYM}}, "number not as expected"),
        (ROW, {"released": {**RELEASED, "country": ANY_PSEUDONYM}}, "country not as expected"),
        (ROW, {"released": {"country": "NO", "name": ANY_PSEUDONYM, "number": ANY_TOKEN}}, "born not as expected"),
        ({"country": "NO"}, {"released": {"country": "NO", "name": ANY_PSEUDONYM}}, "name not as expected"),
        ({"country": "NO"}, {"released": {"country": "NO", "number": ANY_TOKEN}}, "number not as expected"),
        ({"country": "NO"}, {"released": {"country": "NO", "secret": "x"}}, "secret not as expected"),
        (ROW, {"not_released": "in-the-north"}, "in-the-north should keep it back"),
        ({"country": "SE"}, {"released": {"country": "SE"}}, "in-the-north keeps the row back"),
        ({"country": "SE"}, {"not_released": "other-rule"}, "in-the-north keeps the row back"),
        ({}, {"released": {"country": "NO"}}, "in-the-north keeps the row back"),
    ],
)
def test_a_case_that_does_not_is_named_without_a_cell(row: dict[str, str], said: dict[str, Any], differs: str) -> None:
    (message,) = failed(row, **said)
    assert message.startswith("the case: ")
    assert differs in message


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"born": "1980-02-30"}, "rule date of born"),
        ({"born": "31.01.1980"}, "rule date of born"),
        ({"number": "x_1"}, "rule number of number"),
        ({"name": CANARY * 3}, "rule at-most-40 of name"),
    ],
)
def test_a_case_whose_row_the_feed_would_reject_is_a_fault_wherever_it_ends(cells: dict[str, str], rule: str) -> None:
    for said in ({"released": RELEASED}, {"not_released": "in-the-north"}):
        (message,) = failed({**ROW, **cells}, **said)
        assert rule in message


def test_every_rule_that_a_row_breaks_is_named() -> None:
    assert len(failed({"born": "x", "number": "x"}, not_released="in-the-north")) == 2


def test_a_cell_that_is_there_and_empty_is_a_fault_since_no_reader_yields_one() -> None:
    (message,) = failed({"country": "SE", "status": ""}, not_released="in-the-north")
    assert "status is an empty text" in message


def test_a_rule_across_columns_is_looked_at_where_the_case_gives_them_all() -> None:
    said = {name: column(Category.PLAIN, "test") for name in ("begun", "ended", "country")}
    order = row_rule("begun-first", pl.col("begun") <= pl.col("ended"), "it ends after it begins")
    feed = compile_schema(feed_schema("spans", "1", said, row_rules=[order]))

    def faults(**cells: str) -> int:
        case = {"title": "t", "row": {"country": "NO", **cells}, "released": {"country": "NO"}}
        return len(list(failed_cases(agreement(cases=[case]), feed, {}, {})))

    assert faults(begun="1", ended="2") == 0
    assert faults(begun="2", ended="1") == 1
    assert faults(begun="2") == 0


def test_a_case_need_not_give_what_the_feed_requires() -> None:
    """It says what it is about: columns that it leaves out are not looked at."""
    assert failed({"country": "SE"}, not_released="in-the-north") == []


def test_a_case_that_a_gate_refuses_is_a_fault() -> None:
    (message,) = failed({**ROW, "remarks": f"for {CANARY}"}, released={**RELEASED, "remarks": f"for {CANARY}"})
    assert "a gate refuses" in message
    assert "values of name" in message


def test_a_case_is_treated_by_the_lists_and_hierarchies_of_the_catalogue() -> None:
    treated = columns(
        country="keep",
        status={"treatment": "generalise-code", "hierarchy": "places", "to": "continent"},
        remarks={"treatment": "filter-terms", "codes": "listed"},
        secret={"treatment": "answer", "answers": {"HIT": ["yes"]}, "otherwise": "NON"},
    )
    row = {"country": "NO", "status": "JFK", "remarks": "KSMLHK1\nok", "secret": "yes"}
    released = {"country": "NO", "status": "AMERICA", "remarks": "[MASKED:SENS]\nok", "secret": "HIT"}
    assert failed(row, treated=treated, released=released) == []
    assert failed({"country": "NO"}, treated=treated, released={"country": "NO", "secret": "NON"}) == []


def test_a_case_with_a_column_that_the_feed_does_not_have_is_misconfigured() -> None:
    with pytest.raises(Misconfigured) as refused:
        failed({"nowhere": CANARY}, not_released="in-the-north")
    assert refused.value.code is Code.COLUMN_UNKNOWN
    assert_silent(refused.value, CANARY)


def test_the_keys_of_examples_are_no_sites_and_show_in_no_repr() -> None:
    means = example_means({}, {})
    assert means.pseudonym_keys("d") == "00" * 32
    assert means.tokens("d")(["x"]) != means.tokens("e")(["x"])
    assert "00" * 32 not in repr(means)

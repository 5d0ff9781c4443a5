"""An agreement's example cases are held to what really comes out."""

from typing import Any

import pytest

from pipeline.core.cases import ANY_PSEUDONYM, failed_cases
from pipeline.core.errors import Code, Misconfigured, Refused
from tests.core.builders import CANARY, agreement, assert_silent, code_list, columns, schema

NORTH = {"name": "in-the-north", "all": [{"column": "country", "any_of": ["NO"]}], "clause": "Art. 1"}


def failed(row: dict[str, str], **said: Any) -> list[str]:
    stated = agreement(
        rows=[NORTH],
        columns=columns(country="keep", name={"treatment": "pseudonymise", "domain": "d"}, born="keep", remarks="keep"),
        cases=[{"title": "the case", "row": row, **said}],
    )
    return list(failed_cases(stated, schema(), {"listed": code_list("KSML")}))


ROW = {"country": "NO", "name": CANARY, "born": "1980-01-31"}


def test_a_case_that_comes_out_as_it_says_does_not_fail() -> None:
    assert failed(ROW, released={"country": "NO", "name": ANY_PSEUDONYM, "born": "1980-01-31"}) == []
    assert failed({"country": "SE"}, not_released="in-the-north") == []
    assert failed({"country": "NO"}, released={"country": "NO"}) == []


@pytest.mark.parametrize(
    ("row", "said", "differs"),
    [
        (ROW, {"released": {"country": "SE", "name": ANY_PSEUDONYM, "born": "1980-01-31"}}, "country not as expected"),
        (ROW, {"released": {"country": "NO", "name": CANARY, "born": "1980-01-31"}}, "name not as expected"),
        (ROW, {"released": {"country": "NO", "name": ANY_PSEUDONYM}}, "born not as expected"),
        ({"country": "NO"}, {"released": {"country": "NO", "name": ANY_PSEUDONYM}}, "name not as expected"),
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
    assert CANARY not in message
    assert "1980" not in message


def test_a_case_that_a_gate_refuses_is_refused_here_too() -> None:
    with pytest.raises(Refused) as refused:
        failed({**ROW, "remarks": f"for {CANARY}"}, released={"country": "NO"})
    assert refused.value.code is Code.WITHHELD_VALUE_FOUND
    assert_silent(refused.value, CANARY)


def test_a_case_with_a_column_that_the_feed_does_not_have_is_misconfigured() -> None:
    with pytest.raises(Misconfigured) as refused:
        failed({"nowhere": CANARY}, not_released="in-the-north")
    assert refused.value.code is Code.COLUMN_UNKNOWN
    assert_silent(refused.value, CANARY)

"""A row rule may ask for the case that is declared: true for its rows, false for others, unknown where none is declared."""

from datetime import UTC, datetime

import polars as pl
import pytest
from pydantic import ValidationError

from pipeline.core.language.scope import Asks, Not, RowRule
from pipeline.core.scope import Events, in_scope, truth
from pipeline.core.wording import predicate_in_words

AT = datetime(2026, 11, 21, tzinfo=UTC)
ASKS = Asks(column="boarding", declared="case-reference")
ROWS = pl.DataFrame({"boarding": ["B-1", "B-2", None, "b-1", "B-1 "]})


def answers(predicate: Asks | Not, case: str | None) -> list[bool | None]:
    return ROWS.select(answer=truth(predicate, {}, Events(AT, AT, case)))["answer"].to_list()


def test_the_declared_case_is_the_whole_cell() -> None:
    assert answers(ASKS, "B-1") == [True, False, None, False, False]


def test_without_a_declared_case_nothing_is_known_nor_its_opposite() -> None:
    assert answers(ASKS, None) == [None] * 5
    assert answers(Not.model_validate({"not": ASKS}), None) == [None] * 5


def test_what_is_unknown_is_not_released() -> None:
    rule = RowRule.model_validate({"name": "named", "all": [ASKS], "clause": "c"})
    for case, released in ((None, 0), ("B-1", 1), ("B-9", 0)):
        assert ROWS.filter(in_scope(rule, {}, Events(AT, AT, case))).height == released


def test_it_is_said_in_words() -> None:
    assert predicate_in_words(ASKS) == "boarding is the reference of the declared case"


def test_it_is_one_question_and_knows_one_word() -> None:
    with pytest.raises(ValidationError):
        Asks.model_validate({"column": "a", "declared": "case-reference", "exists": True})
    with pytest.raises(ValidationError):
        Asks.model_validate({"column": "a", "declared": "anything"})

"""Rows that must go back to something another feed has told."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.acceptance import RULES, Sorted
from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Tally
from pipeline.core.following import asked, joined, set_aside, told, unmet
from pipeline.core.language.feed import Feed, Follows
from pipeline.core.scope import Events
from tests.core.builders import CANARY, LAW, assert_silent, code_list, instant

AT = Events(instant(2026), instant(2026))
LISTS = {"listed": code_list("HIT")}
SEED = 7


def rule(**changes: Any) -> Follows:
    said = {
        "name": "replies-to-a-query",
        "says": "a query has come",
        "source": "test",
        "feed": "queries",
        "on": {"query": "number"},
        "within": "P90D",
    }
    return Follows.model_validate(said | changes)


def rows(*cells: dict[str, str | None]) -> pl.DataFrame:
    names = sorted({name for row in cells for name in row})
    columns = {name: pl.Series([row.get(name) for row in cells], dtype=pl.String) for name in names}
    return pl.DataFrame({POSITION: pl.Series(range(1, len(cells) + 1), dtype=pl.UInt64), **columns})


def broken(said: Follows, replies: pl.DataFrame, *queries: pl.DataFrame) -> list[bool]:
    known = joined(told(said, one, LISTS, AT, seed=SEED) for one in queries)
    return unmet(said, replies, asked(said, replies, LISTS, AT), known, seed=SEED).to_list()


def test_a_row_goes_back_to_a_row_with_the_same_key_in_any_chunk() -> None:
    replies = rows({"query": "1"}, {"query": "2"}, {"query": "3"})
    assert broken(rule(), replies, rows({"number": "2"}), rows({"number": "1"}, {"number": "9"})) == [
        False,
        False,
        True,
    ]


def test_where_nothing_has_come_every_row_goes_back_to_nothing() -> None:
    assert broken(rule(), rows({"query": "1"})) == [True]


def test_an_absent_key_goes_back_to_nothing_not_even_to_an_absent_one() -> None:
    assert broken(rule(), rows({"query": None}), rows({"number": None})) == [True]


def test_all_cells_of_a_key_must_be_those_of_one_row() -> None:
    both = rule(on={"query": "number", "asker": "by"})
    queries = rows({"number": "1", "by": "A"}, {"number": "2", "by": "B"})
    assert broken(both, rows({"query": "1", "asker": "A"}, {"query": "1", "asker": "B"}), queries) == [False, True]
    glued = rows({"query": "1A", "asker": ""}, {"query": "1", "asker": None})
    assert broken(both, glued, queries) == [True, True]


@pytest.mark.parametrize(("result", "counts"), [("HIT", True), ("NOH", False), (None, False)])
def test_an_earlier_row_counts_only_where_it_says_what_is_asked_for(result: str | None, counts: bool) -> None:
    hits = rule(earlier={"column": "result", "in_codes": "listed"})
    assert broken(hits, rows({"query": "1"}), rows({"number": "1", "result": result})) == [not counts]


@pytest.mark.parametrize(("state", "is_asked"), [("LOADED", True), ("FILED", False), (None, True)])
def test_it_is_asked_of_the_rows_that_the_rule_names_and_of_those_that_do_not_say(
    state: str | None, is_asked: bool
) -> None:
    loads = rule(asked_of={"column": "state", "any_of": ["LOADED"]})
    assert broken(loads, rows({"query": "1", "state": state}), rows({"number": "2"})) == [is_asked]


KEY = st.sampled_from(["1", "2", "3", "12", "", None])


@LAW
@given(st.lists(st.tuples(KEY, KEY)), st.lists(st.tuples(KEY, KEY)), st.integers(0, 2**64 - 1))
def test_it_is_the_set_of_keys_whatever_the_seed(replies: list[Any], queries: list[Any], seed: int) -> None:
    said = rule(on={"a": "x", "b": "y"})
    later = pl.DataFrame(replies, schema={"a": pl.String, "b": pl.String}, orient="row")
    earlier = pl.DataFrame(queries, schema={"x": pl.String, "y": pl.String}, orient="row")
    known = told(said, earlier, LISTS, AT, seed=seed)
    found = unmet(said, later, asked(said, later, LISTS, AT), known, seed=seed).to_list()
    assert found == [None in key or key not in queries for key in replies]


def sorted_rows() -> Sorted:
    accepted = rows({"query": CANARY}, {"query": "2"}, {"query": "3"})
    rejected = accepted.clear().with_columns(pl.lit(None, dtype=pl.String).alias(RULES))
    return Sorted(accepted, rejected)


def test_a_row_that_breaks_the_rule_is_rejected_under_its_name() -> None:
    tally = Tally()
    after = set_aside(rule(), sorted_rows(), pl.Series([True, False, True]), tally)
    assert after.accepted["query"].to_list() == ["2"]
    assert after.rejected[RULES].to_list() == ["row:replies-to-a-query"] * 2
    (finding,) = tally.findings()
    assert (finding.rule, finding.count, finding.positions) == ("replies-to-a-query", 2, (1, 3))


def test_or_refuses_the_delivery_and_shows_no_value() -> None:
    with pytest.raises(Refused, match=r"replies-to-a-query: 1 rows .* at 1") as refused:
        set_aside(rule(otherwise="refuse"), sorted_rows(), pl.Series([True, False, False]), Tally())
    assert refused.value.code is Code.EARLIER_MISSING
    assert_silent(refused.value, CANARY)


def feed(*follows: Follows) -> Feed:
    said = {
        "id": "replies",
        "title": "Replies",
        "partner": "us",
        "schema": "replies",
        "format": {"kind": "csv"},
        "acceptance": {"max_rejected_share": 0.1},
        "follows": [one.model_dump() for one in follows],
    }
    return Feed.model_validate(said)


def test_a_feed_goes_back_to_other_feeds_by_rules_of_different_names() -> None:
    assert feed(rule(), rule(name="another")).follows[1].columns == {"query"}
    with pytest.raises(ValidationError, match="rename one"):
        feed(rule(), rule(feed="others"))
    with pytest.raises(ValidationError, match="another feed"):
        feed(rule(feed="replies"))

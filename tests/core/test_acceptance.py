"""The one-scan sorting against a naive reference that sees the whole delivery at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core import acceptance, validation
from pipeline.core.acceptance import (
    RULES,
    doubled,
    good_enough,
    hashes_of,
    repeated,
    sort_out,
    suspects,
    within_budget,
    without_doubled,
)
from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.findings import Finding, Tally
from pipeline.core.language.category import Category
from pipeline.core.language.feed import Acceptance, Budget
from pipeline.core.schema import Rule, at_most, column, feed_schema, matches
from pipeline.core.validation import KEY_RULE, CompiledSchema, compile_schema
from tests.core.builders import CANARY, LAW, assert_silent

KEYED = compile_schema(
    feed_schema(
        "keyed",
        "1",
        {
            "a": column(Category.PLAIN, "t", matches("[a-z]*", name="small", meaning="small letters"), required=True),
            "b": column(Category.PLAIN, "t", at_most(2)),
            "c": column(Category.PLAIN, "t", at_most(2)),
        },
        unique=("a", "b"),
    )
)
UNKEYED = compile_schema(feed_schema("unkeyed", "1", {"a": column(Category.PLAIN, "t", at_most(2))}))


@dataclass
class Whole:
    """What became of a delivery, in the order of its rows."""

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    findings: tuple[Finding, ...]


def sorted_whole(batches: Sequence[pl.DataFrame], schema: CompiledSchema, *, seed: int) -> Whole:
    """The steps of `edges.sorting`, with lists in place of vault and quarantine."""
    tally = Tally()
    parts = [sort_out(batch, schema, tally) for batch in batches]
    accepted, rejected = [part.accepted for part in parts], [part.rejected for part in parts]
    again = repeated([hashes_of(rows, schema, seed=seed) for rows in (*accepted, *rejected)])
    if not again.is_empty():
        keys = doubled([suspects(rows, schema, again, seed=seed) for rows in (*accepted, *rejected)], schema, tally)
        once_more = [without_doubled(rows, keys) for rows in accepted]
        accepted, rejected = [one.accepted for one in once_more], [*rejected, *(one.rejected for one in once_more)]
    return Whole(pl.concat(accepted).sort(POSITION), pl.concat(rejected).sort(POSITION), tally.findings())


def reference(frame: pl.DataFrame) -> tuple[list[int], dict[int, set[str]], Counter[tuple[str, str]]]:
    """Row by row in Python: accepted positions, rules of rejected ones, counts of findings."""
    rows = list(frame.iter_rows(named=True))
    keys = Counter((row["a"], row["b"]) for row in rows)
    accepted: list[int] = []
    rejected: dict[int, set[str]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        broken = set()
        if row["a"] is None:
            broken.add(("a", "required"))
        elif any(not ("a" <= letter <= "z") for letter in row["a"]):
            broken.add(("a", "small"))
        broken |= {(name, "at-most-2") for name in ("b", "c") if row[name] is not None and len(row[name]) > 2}
        twice = keys[row["a"], row["b"]] > 1
        counts.update(broken)
        counts.update({("a, b", KEY_RULE)} if twice else ())
        if broken or twice:
            rejected[row[POSITION]] = {f"{name}:{rule}" for name, rule in broken} or {f"row:{KEY_RULE}"}
        else:
            accepted.append(row[POSITION])
    return accepted, rejected, counts


CELL = st.sampled_from([None, "", "a", "b", "c", "d", "ab", "abc", "A"])
DELIVERY = st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=30)


def framed(cells: list[tuple[str | None, str | None, str | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(cells, schema=dict.fromkeys("abc", pl.String), orient="row")
    return frame.select(pl.int_range(10, 10 + 2 * frame.height, 2, dtype=pl.UInt64).alias(POSITION), pl.all())


def cut(frame: pl.DataFrame, at: Sequence[int]) -> list[pl.DataFrame]:
    edges = [0, *sorted(min(place, frame.height) for place in at), frame.height]
    return [frame.slice(start, end - start) for start, end in pairwise(edges)]


def assert_as_reference(frame: pl.DataFrame, whole: Whole) -> None:
    accepted, rejected, counts = reference(frame)
    assert whole.accepted.rows() == [row for row in frame.rows() if row[0] in set(accepted)]
    assert whole.rejected.drop(RULES).rows() == [row for row in frame.rows() if row[0] in rejected]
    assert {row[POSITION]: set(row[RULES].split(" ")) for row in whole.rejected.iter_rows(named=True)} == rejected
    assert {(found.column, found.rule): found.count for found in whole.findings} == dict(counts)
    for found in whole.findings:
        assert list(found.positions) == sorted(found.positions)
        assert len(found.positions) == min(found.count, 20)
        assert set(found.positions) <= set(rejected)


@LAW
@given(DELIVERY, st.lists(st.integers(0, 30), max_size=4), st.integers(0, 2**64 - 1))
def test_sorting_in_batches_equals_looking_at_the_whole(
    cells: list[tuple[str | None, str | None, str | None]], at: list[int], seed: int
) -> None:
    frame = framed(cells)
    assert_as_reference(frame, sorted_whole(cut(frame, at), KEYED, seed=seed))


@LAW
@given(DELIVERY, st.lists(st.integers(0, 30), max_size=4), st.integers(1, 3))
def test_colliding_hashes_reject_no_other_row(
    cells: list[tuple[str | None, str | None, str | None]], at: list[int], buckets: int
) -> None:
    """Every row's hash is one of a few: each hit is checked on the real key."""

    def weak(compiled: CompiledSchema, batch: pl.DataFrame, *, seed: int) -> pl.Series:
        return validation.key_hashes(compiled, batch, seed=seed) % buckets

    frame = framed(cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acceptance, "key_hashes", weak)
        assert_as_reference(frame, sorted_whole(cut(frame, at), KEYED, seed=1))


@LAW
@given(DELIVERY, st.lists(st.integers(0, 30), max_size=4), st.lists(st.integers(0, 30), max_size=4))
def test_the_cut_of_batches_changes_nothing(
    cells: list[tuple[str | None, str | None, str | None]], one: list[int], other: list[int]
) -> None:
    frame = framed(cells)
    first, second = (sorted_whole(cut(frame, at), KEYED, seed=3) for at in (one, other))
    assert first.accepted.equals(second.accepted)
    assert first.rejected.equals(second.rejected)
    assert first.findings == second.findings


def test_rows_that_share_a_key_are_all_rejected_within_and_across_batches() -> None:
    frame = framed([("a", "x", None), ("a", "x", None), ("b", None, None), ("c", None, None), ("b", None, None)])
    whole = sorted_whole(cut(frame, [3]), KEYED, seed=0)
    assert whole.accepted["a"].to_list() == ["c"]
    assert whole.rejected[RULES].to_list() == ["row:unique"] * 4
    (finding,) = whole.findings
    assert finding == Finding(KEY_RULE, "a, b", 4, (10, 12, 14, 18))


def test_a_row_whose_key_a_rejected_row_has_is_rejected_too() -> None:
    """Nobody can tell which of the two the partner meant."""
    whole = sorted_whole([framed([("a", "x", "toolong"), ("a", "x", None)])], KEYED, seed=0)
    assert whole.accepted.is_empty()
    assert whole.rejected[RULES].to_list() == ["c:at-most-2", "row:unique"]


def test_without_a_key_the_same_row_may_come_again() -> None:
    frame = framed([("a", None, None), ("a", None, None)]).select(POSITION, "a")
    whole = sorted_whole([frame], UNKEYED, seed=0)
    assert whole.accepted.height == 2
    assert repeated([hashes_of(frame, UNKEYED, seed=0)]).is_empty()


def test_no_batch_at_all_repeats_nothing() -> None:
    assert repeated([]).is_empty()


def test_rejected_rows_always_have_the_column_of_rules() -> None:
    clean = sort_out(framed([("a", None, None)]), KEYED, Tally())
    assert clean.rejected.columns == [POSITION, "a", "b", "c", RULES]
    assert clean.rejected.is_empty()
    broken = sort_out(framed([("A", "abc", None)]), KEYED, Tally())
    assert broken.rejected[RULES].to_list() == ["a:small b:at-most-2"]


@pytest.mark.parametrize(
    ("share", "rows", "allowed"),
    [
        (0.05, 100, 5),
        (0.29, 100, 29),
        (0.07, 100, 7),
        (0.1, 30, 3),
        (0.0, 10, 0),
        (1.0, 7, 7),
        (0.5, 3, 1),
        (0.57, 100, 57),
    ],
)
def test_a_feed_takes_exactly_its_share_of_rejects(share: float, rows: int, allowed: int) -> None:
    promised = Acceptance(max_rejected_share=share)
    good_enough(promised, rows=rows, rejected_rows=allowed, findings=())
    if allowed < rows:
        with pytest.raises(Refused) as refused:
            good_enough(promised, rows=rows, rejected_rows=allowed + 1, findings=())
        assert refused.value.code is Code.TOO_MANY_REJECTED


def test_a_feed_takes_exactly_its_number_of_rows() -> None:
    promised = Acceptance(max_rejected_share=0.5, min_rows=3)
    good_enough(promised, rows=3, rejected_rows=0, findings=())
    with pytest.raises(Refused) as refused:
        good_enough(promised, rows=2, rejected_rows=0, findings=())
    assert refused.value.code is Code.TOO_FEW_ROWS
    assert "2 rows" in refused.value.message


def test_an_empty_delivery_is_taken_only_if_the_feed_promises_none() -> None:
    good_enough(Acceptance(max_rejected_share=0.0, min_rows=0), rows=0, rejected_rows=0, findings=())
    with pytest.raises(Refused):
        good_enough(Acceptance(max_rejected_share=1.0), rows=0, rejected_rows=0, findings=())


def test_a_refusal_names_the_worst_rules_and_no_value() -> None:
    tally = Tally()
    frame = framed([(CANARY, CANARY, None)] * 3)
    sort_out(frame, KEYED, tally)
    with pytest.raises(Refused) as refused:
        good_enough(Acceptance(max_rejected_share=0.005), rows=3, rejected_rows=3, findings=tally.findings())
    assert "a:small (3)" in refused.value.message
    assert "0.5 %" in refused.value.message
    assert_silent(refused.value, CANARY)


def test_a_refusal_does_not_blame_what_the_reader_tolerated() -> None:
    findings = (
        Finding("tolerated-spaces", "a", 90, (1,)),
        Finding("discarded-code", "", 80, (1,)),
        Finding("small", "a", 3, (1,)),
    )
    with pytest.raises(Refused) as refused:
        good_enough(Acceptance(max_rejected_share=0.0), rows=100, rejected_rows=3, findings=findings)
    assert "a:small (3)" in refused.value.message
    assert "tolerated" not in refused.value.message
    assert "discarded" not in refused.value.message


def test_a_budget_counts_what_was_used_before() -> None:
    acceptance = Acceptance(max_rejected_share=0.5, budget=Budget(rows=10, per="P1D"))
    within_budget(acceptance, rows=4, used=6)
    with pytest.raises(Refused) as refused:
        within_budget(acceptance, rows=5, used=6)
    assert refused.value.code is Code.BUDGET_EXCEEDED
    within_budget(Acceptance(max_rejected_share=0.5), rows=10**9, used=10**9)


def test_what_is_odd_is_told_and_no_row_is_rejected_for_it() -> None:
    even = Rule("tolerated-odd", lambda cell: cell.is_in(["2", "4"]), "an even number")
    compiled = compile_schema(feed_schema("numbers", "1", {"number": column(Category.PLAIN, "test", odd=(even,))}))
    batch = pl.DataFrame({POSITION: pl.Series([1, 2, 3], dtype=pl.UInt64), "number": ["2", "3", None]})
    tally = Tally()
    rows = sort_out(batch, compiled, tally)
    assert (rows.accepted.height, rows.rejected.height) == (3, 0)
    assert [(one.rule, one.column, one.count, one.positions) for one in tally.findings()] == [
        ("tolerated-odd", "number", 1, (2,))
    ]


def test_a_rule_that_rejects_nothing_says_so_in_its_name() -> None:
    even = Rule("even", lambda cell: cell == "2", "an even number")
    with pytest.raises(Misconfigured, match="tolerated-"):
        compile_schema(feed_schema("numbers", "1", {"number": column(Category.PLAIN, "test", odd=(even,))}))

"""Counts are exact, positions are the first ones, memory is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.findings import ROWS_NAMED, Finding, Tally
from tests.core.builders import LAW


@LAW
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 40)), max_size=6))
def test_counts_are_exact_and_the_first_positions_are_named(added: list[tuple[str, str, int]]) -> None:
    tally, start = Tally(), 0
    expected: dict[tuple[str, str], list[int]] = {}
    for rule, column, count in added:
        tally.add(rule, column, iter(range(start, start + count)))
        expected.setdefault((column, rule), []).extend(range(start, start + count))
        start += count
    findings = tally.findings()
    assert {(found.column, found.rule): found.count for found in findings} == {
        key: len(places) for key, places in expected.items() if places
    }
    for found in findings:
        assert found.positions == tuple(expected[found.column, found.rule][:ROWS_NAMED])
    assert [(found.column, found.rule) for found in findings] == sorted(
        (found.column, found.rule) for found in findings
    )


def test_a_count_beside_fewer_positions_is_believed() -> None:
    tally = Tally()
    tally.add("rule", "column", [3, 4], 100)
    tally.add("rule", "column", [], 5)
    assert tally.findings() == (Finding("rule", "column", 105, (3, 4)),)


def test_nothing_found_is_no_finding() -> None:
    tally = Tally()
    tally.add("rule", "column", [], 0)
    assert tally.findings() == ()


def test_a_million_positions_are_counted_and_not_kept() -> None:
    tally = Tally()
    for start in range(0, 100_000, 10_000):
        tally.add("rule", "", range(start, start + 10_000))
    (found,) = tally.findings()
    assert found.count == 100_000
    assert sum(len(kept) for kept in tally._positions.values()) == ROWS_NAMED

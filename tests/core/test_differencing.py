"""An attacker who has every table, and subtracts."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.canonical import canonical, read
from pipeline.core.clearance import clear_table
from pipeline.core.differencing import Cell, Told, told_apart, uncovered
from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.statistics import COUNT, Table, tabulate
from tests.core.builders import CANARY, LAW, agreement, assert_silent, columns, means

SMALLEST = 3
Sizes = Mapping[str, int]


def counted(**changes: Any) -> Agreement:
    said = {"count_as": "members", "smallest_cell": SMALLEST, "clause": "c", **changes}
    return agreement(columns=columns(country="keep"), statistics=said)


def partial(sizes: Sizes, sums: Mapping[str, int] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame({"country": list(sizes), COUNT: pl.Series(list(sizes.values()), dtype=pl.UInt32)})
    if sums is None:
        return frame
    return frame.with_columns(weight=pl.Series([sums[name] * 10**9 for name in sizes], dtype=pl.Int128))


def table_of(said: Agreement, sizes: Sizes, *earlier: Told, sums: Mapping[str, int] | None = None) -> Table:
    """The table, once the gate has let it through."""
    assert said.statistics
    table = tabulate([partial(sizes, sums)], ("country",), said.statistics, release=f"r{len(earlier)}", earlier=earlier)
    clear_table(table, said, means(), earlier)
    return table


def series(said: Agreement, *lists: Sizes) -> list[tuple[Sizes, Table]]:
    """What is told of the lists, one after the other; what the gate refuses nobody has."""
    told: list[tuple[Sizes, Table]] = []
    for sizes in lists:
        with suppress(Refused):
            told.append((sizes, table_of(said, sizes, *(table.told for _, table in told if table.told))))
    return told


def shown(table: Table) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in table.frame.iter_rows()}


def within(step: int, number: int) -> range:
    """What is rounded to the number, halves away from zero."""
    return range(number - step // 2, number + (step - 1) // 2 + 1)


def worlds(hidden: Sequence[str], known: Mapping[str, Sequence[int]], totals: range) -> Iterator[dict[str, int]]:
    """Everything that the cells left out may hold: one at least each, together one of the totals, the known ones as known."""
    ranges = [known.get(name, range(1, max(totals, default=0) + 1)) for name in hidden]
    for values in itertools.product(*ranges):
        if sum(values) in totals:
            yield dict(zip(hidden, values, strict=True))


def attacked(said: Agreement, one: tuple[Sizes, Table], other: tuple[Sizes, Table]) -> None:
    """Neither small changes nor small cells can be told from the two tables."""
    assert said.statistics
    step = said.statistics.round_to or 1

    def exactly(number: int) -> range:
        return within(step, number)

    (sizes, table), (_, second) = one, other
    for name in shown(table).keys() & shown(second).keys():
        changes = {now - was for now in exactly(shown(second)[name]) for was in exactly(shown(table)[name])}
        assert 0 in changes or any(abs(change) >= SMALLEST for change in changes)
    hidden = [name for name in sizes if name not in shown(table)]
    left_out = sum(sizes[name] for name in hidden)
    nearest = left_out if step == 1 else (2 * left_out + step) // (2 * step) * step
    unchanged = [name for name in hidden if sizes[name] >= SMALLEST and name in shown(second)]
    known = {name: exactly(shown(second)[name]) for name in unchanged}
    if not known:
        return
    possible = list(worlds(hidden, known, exactly(nearest)))
    for name in hidden:
        # Where there is no such world, the reader learns that it changed, and nothing about what it was.
        if sizes[name] < SMALLEST and name not in known and possible:
            assert any(world[name] >= SMALLEST for world in possible), (sizes, shown(table), shown(second))


SIZES = st.dictionaries(st.sampled_from("ABCD"), st.integers(1, 9), min_size=1)


@pytest.mark.parametrize("step", [None, 2, 5])
def test_two_tables_of_the_same_cells_tell_no_small_change_and_no_small_cell(step: int | None) -> None:
    said = counted(round_to=step) if step else counted()

    @LAW
    @given(st.lists(SIZES, min_size=2, max_size=3))
    def holds(lists: list[Sizes]) -> None:
        for one, other in itertools.permutations(series(said, *lists), 2):
            attacked(said, one, other)

    holds()


@LAW
@given(SIZES, st.sampled_from("ABCD"), st.integers(-2, 2))
def test_a_correction_of_few_is_never_told(sizes: dict[str, int], name: str, by: int) -> None:
    corrected = {**sizes, name: max(1, sizes.get(name, 0) + by)}
    told = series(counted(), sizes, corrected)
    for one, other in itertools.permutations(told, 2):
        attacked(counted(), one, other)


def test_the_same_table_again_is_told_again() -> None:
    sizes = {"NO": 5, "DE": 9, "SE": 1, "FI": 2}
    (_, first), (_, second) = series(counted(), sizes, sizes)
    assert second.frame.equals(first.frame)
    assert (first.compared, second.compared) == (0, 1)


def test_a_cell_that_changed_by_few_is_left_out_and_one_that_changed_by_many_is_told() -> None:
    first, second = {"NO": 20, "DE": 9, "SE": 2, "FI": 2}, {"NO": 26, "DE": 10, "SE": 2, "FI": 2}
    told = series(counted(), first, second)
    assert [shown(table) for _, table in told] == [{"NO": 20, "DE": 9}, {"NO": 26}]


def test_a_table_that_tells_everything_and_changes_by_one_is_refused_since_its_total_tells_it() -> None:
    before = table_of(counted(), {"NO": 5, "DE": 9})
    assert before.told
    with pytest.raises(Refused) as refused:
        table_of(counted(), {"NO": 6, "DE": 9}, before.told)
    assert refused.value.code is Code.DIFFERENCE_TOO_SMALL


def test_a_cell_that_hid_a_small_one_stays_hidden_when_it_could_be_told() -> None:
    """B was left out to hide A. Told today, it would leave A alone in yesterday's total."""
    first, second = {"A": 1, "B": 4, "C": 9}, {"A": 9, "B": 4, "C": 9}
    (_, before), (_, after) = series(counted(), first, second)
    assert shown(before) == {"C": 9}
    assert "B" not in shown(after)


def test_rounding_leaves_open_whether_few_changed() -> None:
    said = counted(round_to=4)
    (_, before), (_, after) = series(said, {"NO": 20, "DE": 40}, {"NO": 22, "DE": 40})
    assert (shown(before)["NO"], shown(after)["NO"]) == (20, 24)


def test_a_sum_that_changes_while_its_count_does_not_tells_one_rows_correction() -> None:
    said = agreement(
        columns=columns(country="keep"),
        statistics={"count_as": "members", "sums": {"weight": "status"}, "smallest_cell": 3, "clause": "c"},
    )
    sizes = {"NO": 9, "DE": 9, "SE": 4}
    before = table_of(said, sizes, sums={"NO": 100, "DE": 80, "SE": 7})
    assert before.told
    corrected = table_of(said, sizes, before.told, sums={"NO": 117, "DE": 80, "SE": 7})
    assert corrected.frame.rows() == [("DE", "9", "80"), ("SE", "4", "7")]
    same = table_of(said, sizes, before.told, sums={"NO": 100, "DE": 80, "SE": 7})
    assert same.frame.equals(before.frame)


def test_tables_of_other_columns_or_other_cells_are_not_compared() -> None:
    before = table_of(counted(), {"NO": 5, "DE": 9})
    assert before.told
    assert table_of(counted(), {"SE": 6, "FI": 9}, before.told).compared == 0
    other = Told("x", ("status",), SMALLEST, 1, 0, margins=False, cells=before.told.cells)
    assert table_of(counted(), {"NO": 6, "DE": 9}, other).compared == 0


def test_the_totals_of_lines_tell_nothing_either() -> None:
    cells = (Cell(("NO", "A"), 1, None), Cell(("NO", "B"), 9, None), Cell(("DE", "A"), 30, 30))
    hidden = Told("old", ("country", "status"), SMALLEST, 1, None, margins=True, cells=cells)
    shows = Told("new", hidden.columns, SMALLEST, 1, None, margins=True, cells=(Cell(("NO", "B"), 9, 9),))
    assert uncovered(hidden, shows)
    assert not uncovered(Told("old", hidden.columns, SMALLEST, 1, None, margins=False, cells=cells), shows)


def test_the_gate_refuses_what_suppression_forgot() -> None:
    """Made without a look at the earlier table, as a fault would."""
    said = counted()
    assert said.statistics
    before = table_of(said, {"NO": 5, "DE": 9, CANARY: 20})
    assert before.told
    careless = tabulate([partial({"NO": 6, "DE": 9, CANARY: 20})], ("country",), said.statistics)
    with pytest.raises(Refused) as refused:
        clear_table(careless, said, means(), [before.told])
    assert refused.value.code is Code.DIFFERENCE_TOO_SMALL
    assert_silent(refused.value, CANARY)


def test_the_gate_refuses_a_table_that_is_kept_otherwise_than_it_is_told() -> None:
    said = counted()
    table = table_of(said, {"NO": 5, "DE": 9})
    other = table_of(said, {"NO": 5, "DE": 8})
    with pytest.raises(Refused) as refused:
        clear_table(Table(table.frame, 14, 0, None, other.told), said, means())
    assert refused.value.code is Code.OUTPUT_DIFFERS


def test_a_told_table_is_kept_and_read_again_as_it_is() -> None:
    table = table_of(counted(), {"NO": 5, "DE": 9, "SE": 1})
    assert table.told
    assert read(Told, canonical(table.told), name="table") == table.told


@LAW
@given(SIZES)
def test_a_table_and_itself_tell_nothing(sizes: Sizes) -> None:
    table = table_of(counted(), sizes)
    assert table.told
    assert not told_apart(table.told, table.told)
    assert not uncovered(table.told, table.told)

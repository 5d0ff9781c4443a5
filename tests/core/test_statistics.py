"""No small cell is published, and none can be told from what is."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.clearance import clear_table
from pipeline.core.errors import Refused
from pipeline.core.language.treatment import Statistics
from pipeline.core.statistics import COUNT, Table, partial_counts, tabulate, told
from tests.core.builders import LAW, agreement, columns, means

BY = ("country", "status")
Cells = dict[tuple[str | None, str | None], int]
NAMES = st.tuples(st.sampled_from(["NO", "DE", "", None, "é", "XX"]), st.sampled_from(["A", "B", None]))
CELLS: st.SearchStrategy[Cells] = st.dictionaries(NAMES, st.integers(1, 30), min_size=1)


def rule(smallest_cell: int) -> Statistics:
    return Statistics(count_as="members", smallest_cell=smallest_cell, clause="c")


def partial(cells: Cells) -> pl.DataFrame:
    rows = [(*names, count) for names, count in cells.items()]
    return pl.DataFrame(rows, schema={"country": pl.String, "status": pl.String, COUNT: pl.UInt32}, orient="row")


def table_of(cells: Cells, smallest_cell: int) -> Table:
    return tabulate([partial(cells)], BY, rule(smallest_cell))


def published(table: Table) -> Cells:
    return {(row[0], row[1]): int(row[2]) for row in table.frame.iter_rows()}


@LAW
@given(CELLS, st.integers(2, 15))
def test_nothing_below_the_smallest_cell_is_published_and_all_rows_are_counted(cells: Cells, smallest: int) -> None:
    table = table_of(cells, smallest)
    shown = published(table)
    assert all(cells[names] == count >= smallest for names, count in shown.items())
    assert table.published_rows == sum(shown.values())
    assert table.suppressed_rows == sum(cells.values()) - table.published_rows
    assert table.frame.columns == ["country", "status", "members"]
    assert set(table.frame.dtypes) == {pl.String}


@LAW
@given(CELLS, st.integers(2, 15))
def test_what_is_suppressed_hides_each_of_its_cells(cells: Cells, smallest: int) -> None:
    """Who knows which cells there are, and that the smallest were taken, still cannot tell one from 1 to the smallest."""
    table = table_of(cells, smallest)
    left_out = [count for names, count in cells.items() if names not in published(table)]
    if not left_out:
        assert table.suppressed_rows == 0
        assert min(cells.values()) >= smallest
    elif published(table):
        others, least_published = len(left_out) - 1, min(published(table).values())
        assert others >= 1
        assert max(left_out) <= least_published
        assert table.suppressed_rows >= smallest
        assert table.suppressed_rows - others >= smallest
        assert table.suppressed_rows - others * least_published <= 1


@LAW
@given(CELLS, st.integers(2, 15), st.lists(st.integers(1, 29), max_size=4), st.randoms())
def test_the_cut_of_chunks_changes_nothing(cells: Cells, smallest: int, at: list[int], random: Random) -> None:
    parts: list[Cells] = []
    left = dict(cells)
    for _ in at:
        some = {
            names: random.randint(1, count - 1) for names, count in left.items() if count > 1 and random.random() < 0.7
        }
        left = {names: count - some.get(names, 0) for names, count in left.items()}
        parts.append(some)
    together = tabulate([partial(cells)], BY, rule(smallest))
    apart = tabulate([partial(part) for part in (*parts, left)], BY, rule(smallest))
    assert apart.frame.equals(together.frame)
    assert (apart.published_rows, apart.suppressed_rows) == (together.published_rows, together.suppressed_rows)


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([50, 40], [50, 40]),
        ([11, 11], [11, 11]),
        ([10], []),
        ([11], [11]),
        ([10, 500], []),
        ([10, 11, 500, 600], [500, 600]),
        ([1, 50, 600, 700], [600, 700]),
        ([10, 10, 50], [50]),
        ([5, 6, 50], []),
        ([5, 7, 50], [50]),
        ([1] * 11 + [50, 60], [60]),
        ([10, 11, 12, 13, 14, 15, 16], [15, 16]),
    ],
)
def test_suppression_by_vectors(counts: list[int], shown: list[int]) -> None:
    table = table_of({(str(index), None): count for index, count in enumerate(counts)}, 11)
    assert sorted(published(table).values()) == sorted(shown)


def test_the_published_cells_stand_in_the_order_of_their_names_with_null_last() -> None:
    cells: Cells = {("B", "x"): 30, (None, "x"): 50, ("A", None): 20, ("A", "x"): 40}
    assert list(published(table_of(cells, 2))) == [("A", "x"), ("A", None), ("B", "x"), (None, "x")]


def test_no_row_at_all_is_an_empty_table() -> None:
    table = table_of({}, 11)
    assert (table.frame.height, table.published_rows, table.suppressed_rows) == (0, 0, 0)


def test_who_tries_every_table_of_three_cells_is_sure_of_no_small_one() -> None:
    """Each table seen as the recipient sees it: which cells there are, the published counts, the suppressed total.

    The attacker knows the algorithm too. A known limit: of four cells and more, some extreme tables can still be told, such
    as 3, 3, 3, 4 under a threshold of 4, since a smaller total would have been reached with fewer cells.
    """
    smallest = 4
    seen: dict[object, list[tuple[int, ...]]] = defaultdict(list)
    for counts in itertools.combinations_with_replacement(range(1, 11), 3):
        table = table_of({(str(index), None): count for index, count in enumerate(counts)}, smallest)
        for order in set(itertools.permutations(range(3))):
            shown = {order[int(str(names[0]))]: count for names, count in published(table).items()}
            counts_of = {order[index]: count for index, count in enumerate(counts)}
            seen[tuple(sorted(shown.items())), table.suppressed_rows].append(tuple(counts_of[i] for i in range(3)))
    partly = {view: tables for view, tables in seen.items() if 0 < len(view[0]) < 3}  # type: ignore[index]
    assert partly
    for tables in partly.values():
        for place in range(3):
            possible = {table[place] for table in tables}
            assert len(possible) > 1 or min(possible) >= smallest


# Sums

Row = tuple[str, str | None]
"""A country and the cell that is summed."""

NUMBERS = st.decimals(-1000, 1000, places=3).map(str)
ODD = st.sampled_from([None, "", "1,5", "x", "1e3", "0.1234567891"])


def summed_table(rows: Sequence[Row], *, smallest: int = 3, round_to: int | None = None, chunk: int = 100) -> Table:
    said = Statistics(
        count_as="members", sums={"weight": "given"}, smallest_cell=smallest, round_to=round_to, clause="c"
    )
    in_scope = pl.DataFrame(rows, schema={"country": pl.String, "given": pl.String}, orient="row")
    parts = [in_scope.slice(start, chunk) for start in range(0, max(len(rows), 1), chunk)]
    return tabulate([partial_counts(part.select("country"), part, said) for part in parts], ("country",), said)


def shown(table: Table) -> dict[str, tuple[str, str]]:
    return {country: (count, weight) for country, count, weight in table.frame.iter_rows()}


def test_sums_are_published_with_their_counts_exactly() -> None:
    table = summed_table([("NO", "0.1"), ("NO", "0.2"), ("NO", "-5"), ("DE", "1"), ("DE", "2"), ("DE", "+0007.50")])
    assert shown(table) == {"NO": ("3", "-4.7"), "DE": ("3", "10.5")}
    assert table.frame.columns == ["country", "members", "weight"]
    assert set(table.frame.dtypes) == {pl.String}


def test_a_sum_that_is_zero_or_whole_is_written_without_decimals() -> None:
    table = summed_table([("NO", "10.000"), ("NO", "20"), ("NO", "70"), ("DE", "1.5"), ("DE", "-1"), ("DE", "-0.5")])
    assert shown(table) == {"NO": ("3", "100"), "DE": ("3", "0")}


@pytest.mark.parametrize("odd", [None, "", "1,5", "x", "1e3", " 1", "0.1234567891", "9" * 16])
def test_a_cell_with_a_row_that_has_no_number_is_suppressed_whatever_its_count(odd: str | None) -> None:
    table = summed_table([("NO", "1")] * 5 + [("DE", "1")] * 7 + [("DE", odd)])
    assert shown(table) == {"NO": ("5", "5")}
    assert (table.published_rows, table.suppressed_rows) == (5, 8)


def test_a_large_cell_that_cannot_be_read_is_no_cover_for_a_small_one() -> None:
    rows = [("NO", "1")] * 5 + [("SE", "1")] * 6 + [("FI", "1")] * 2 + [("DE", "1")] * 7 + [("DE", "x")]
    table = summed_table(rows)
    assert shown(table) == {"SE": ("6", "6")}
    assert table.suppressed_rows == 2 + 5 + 8


def test_a_sum_is_suppressed_with_its_small_count_and_with_the_cell_that_covers_it() -> None:
    table = summed_table([("NO", "1")] * 2 + [("DE", "1")] * 4 + [("SE", "1")] * 9)
    assert shown(table) == {"SE": ("9", "9")}


@LAW
@given(st.lists(st.tuples(st.sampled_from(["NO", "DE", "SE"]), NUMBERS | ODD), max_size=30), st.integers(1, 7))
def test_every_published_sum_is_of_all_rows_of_its_cell_however_the_chunks_are_cut(rows: list[Row], chunk: int) -> None:
    table = summed_table(rows, chunk=chunk)
    assert table.frame.equals(summed_table(rows).frame)
    assert table.published_rows + table.suppressed_rows == len(rows)
    for country, (count, weight) in shown(table).items():
        cells = [cell for name, cell in rows if name == country]
        assert len(cells) == int(count) >= 3
        assert Decimal(weight) == sum(Decimal(cell or "no number") for cell in cells)


# Rounding


def rounded_table(cells: Cells, smallest: int, step: int) -> Table:
    said = Statistics(count_as="members", smallest_cell=smallest, round_to=step, clause="c")
    return tabulate([partial(cells)], BY, said)


@LAW
@given(CELLS, st.integers(2, 15), st.data())
def test_rounding_decides_nothing_of_what_is_suppressed(cells: Cells, smallest: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(2, 2 * smallest))
    exact, rounded = table_of(cells, smallest), rounded_table(cells, smallest, step)
    assert list(published(exact)) == list(published(rounded))
    assert (exact.published_rows, exact.suppressed_rows) == (rounded.published_rows, rounded.suppressed_rows)
    for names, count in published(rounded).items():
        assert count % step == 0
        assert count > 0
        assert 2 * abs(count - cells[names]) <= step


@pytest.mark.parametrize(("count", "published_as"), [(11, 10), (12, 10), (13, 15), (17, 15), (18, 20)])
def test_counts_become_the_nearest_multiple(count: int, published_as: int) -> None:
    assert list(published(rounded_table({("NO", "A"): count}, 11, 5)).values()) == [published_as]


def test_halves_are_rounded_away_from_zero() -> None:
    assert list(published(rounded_table({("NO", "A"): 15}, 11, 10)).values()) == [20]
    assert shown(summed_table([("NO", "-5"), ("NO", "-5"), ("NO", "-5")], smallest=3, round_to=6)) == {
        "NO": ("6", "-18")
    }


def test_sums_are_rounded_as_their_counts_are_or_they_would_tell_them() -> None:
    """The weight of each member may be one."""
    table = summed_table([("NO", "1")] * 7 + [("DE", "0.4")] * 8, smallest=4, round_to=5)
    assert shown(table) == {"NO": ("5", "5"), "DE": ("10", "5")}


def test_the_numbers_of_rows_beside_a_rounded_table_are_told_as_coarsely() -> None:
    said = Statistics(count_as="members", smallest_cell=4, round_to=5, clause="c")
    assert [told(rows, said) for rows in (0, 2, 3, 7, 8, 12)] == [0, 0, 5, 5, 10, 10]
    assert [told(rows, rule(4)) for rows in (0, 2, 3)] == [0, 2, 3]
    assert told(7, None) == 7


def test_a_step_that_would_round_a_count_to_nothing_is_refused() -> None:
    assert Statistics(count_as="members", smallest_cell=4, round_to=8, clause="c").round_to == 8
    with pytest.raises(ValidationError, match="round_to"):
        Statistics(count_as="members", smallest_cell=4, round_to=9, clause="c")


# One row that makes up nearly all of a sum

SHARED = Statistics(count_as="seizures", sums={"kg": "weight"}, smallest_cell=3, largest_share=80, clause="c")
SHARING = agreement(columns=columns(country="keep"), statistics=SHARED.model_dump(exclude_defaults=True))
WEIGHTS = st.dictionaries(st.sampled_from("ABC"), st.lists(st.integers(-5, 40), min_size=1, max_size=6), min_size=1)


def weighed(weights: dict[str, list[int]], chunks: int = 1) -> tuple[Table, list[pl.DataFrame]]:
    rows = [(name, str(weight)) for name, listed in weights.items() for weight in listed]
    frame = pl.DataFrame(rows, schema={"country": pl.String, "weight": pl.String}, orient="row")
    size = -(-frame.height // chunks)
    parts = [partial_counts(part.select("country"), part, SHARED) for part in frame.iter_slices(size)]
    return tabulate(parts, ("country",), SHARED), parts


@LAW
@given(WEIGHTS, st.integers(1, 3))
def test_no_published_sum_is_nearly_all_one_rows(weights: dict[str, list[int]], chunks: int) -> None:
    table, parts = weighed(weights, chunks)
    clear_table(table, SHARING, means(), (), parts)
    for name, count, kg in table.frame.iter_rows():
        listed = weights[name]
        assert (int(count), Decimal(kg)) == (len(listed), Decimal(sum(listed)))
        assert 100 * max(map(abs, listed)) <= 80 * abs(sum(listed))


def test_a_cell_at_the_largest_share_is_told_and_one_above_is_not() -> None:
    table, _ = weighed({"A": [80, 10, 10], "B": [81, 10, 9], "C": [0, 0, 0]})
    assert table.frame["country"].to_list() == ["A", "C"]
    assert table.suppressed_rows == 3


def test_the_gate_refuses_a_sum_that_one_row_makes_up() -> None:
    table, parts = weighed({"A": [80, 10, 10]})
    _, dominated = weighed({"A": [98, 1, 1]})
    with pytest.raises(Refused, match="cell-too-small"):
        clear_table(table, SHARING, means(), (), dominated)
    with pytest.raises(Refused, match="output-differs"):
        clear_table(table, SHARING, means())
    assert clear_table(table, SHARING, means(), (), parts).frame.height == 1


def test_a_share_without_a_sum_is_a_fault() -> None:
    with pytest.raises(ValidationError, match="there is none"):
        Statistics(count_as="seizures", smallest_cell=3, largest_share=80, clause="c")

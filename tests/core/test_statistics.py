"""No small cell is published, and none can be told from what is."""

import itertools
from collections import defaultdict
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.agreement import Statistics
from pipeline.core.redaction import COUNT
from pipeline.core.statistics import Table, tabulate
from tests.core.builders import LAW

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

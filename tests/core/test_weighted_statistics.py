"""Rows that are counts already: cells are judged by what they count, and a row that says none leaves its cell out."""

import polars as pl
import pytest

from pipeline.core.language.treatment import Statistics
from pipeline.core.statistics import COUNT, Table, partial_counts, tabulate

RULE = Statistics(count_as="crossings", weighted_by="value", smallest_cell=11, clause="c")


def table_of(rows: list[tuple[str, str | None]], *, chunks: int = 1, rule: Statistics = RULE) -> Table:
    frame = pl.DataFrame(rows, schema={"port": pl.String, "value": pl.String}, orient="row")
    size = -(-frame.height // chunks)
    parts = [partial_counts(part.select("port"), part, rule) for part in frame.iter_slices(size)]
    return tabulate(parts, ("port",), rule)


def test_a_cell_is_what_its_rows_add_up_to() -> None:
    rows: list[tuple[str, str | None]] = [("A", "300"), ("A", "45"), ("B", "60")]
    for chunks in (1, 2, 3):
        table = table_of(rows, chunks=chunks)
        assert table.frame.rows() == [("A", "345"), ("B", "60")]
        assert (table.published_rows, table.suppressed_rows, table.published_count) == (3, 0, 405)


def test_one_row_that_counts_many_is_no_small_cell_and_many_rows_that_count_few_are() -> None:
    few: list[tuple[str, str | None]] = [*[("B", "0")] * 20, ("B", "10")]
    assert table_of([("A", "300")]).frame.height == 1
    assert table_of(few).frame.height == 0
    table = table_of([*few, ("A", "300"), ("C", "400"), ("D", "500")])
    assert "B" not in table.frame["port"]


@pytest.mark.parametrize("unread", [None, "many", "1e3"])
def test_a_row_that_does_not_say_how_many_leaves_its_cell_out(unread: str | None) -> None:
    table = table_of([("A", "300"), ("A", unread), ("B", "60"), ("C", "80")])
    assert table.frame["port"].to_list() == ["B", "C"]
    assert table.suppressed_rows == 2


def test_without_a_weight_each_row_is_one() -> None:
    plain = RULE.model_copy(update={"weighted_by": None})
    assert table_of([("A", "300")] * 12, rule=plain).frame.rows() == [("A", "12")]


def test_partial_counts_keep_the_number_of_rows_apart() -> None:
    frame = pl.DataFrame({"port": ["A", "A"], "value": ["5", "7"]})
    partial = partial_counts(frame.select("port"), frame, RULE)
    assert partial[COUNT].to_list() == [2]

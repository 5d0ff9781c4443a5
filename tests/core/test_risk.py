"""How alike the released rows are: the same whatever the chunks, and no release where the agreement asks for more."""

from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.risk import Figures, groups, measured
from tests.core.builders import CANARY, LAW, agreement, assert_silent, columns

Row = tuple[str | None, str | None]


def asking(
    smallest_group: int = 3, *, otherwise: str = "refuse", by: tuple[str, ...] = ("country", "status")
) -> Agreement:
    return agreement(
        columns=columns(country="keep", status="keep"),
        risk={"columns": by, "smallest_group": smallest_group, "otherwise": otherwise, "clause": "Art. 7"},
    )


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"country": pl.String, "status": pl.String}, orient="row")


def figures(rows: list[Row], stated: Agreement, *, chunk: int | None = None) -> Figures | None:
    assert stated.risk is not None
    whole = frame(rows)
    chunks = [whole] if chunk is None else [whole.slice(start, chunk) for start in range(0, len(rows), chunk)]
    return measured([groups(one, stated.risk) for one in chunks], stated)


def test_the_smallest_group_of_rows_that_are_alike_is_found() -> None:
    rows: list[Row] = [("NO", "A")] * 4 + [("NO", "B")] * 2 + [("DE", None)]
    assert figures(rows, asking(otherwise="report")) == Figures(smallest_group=1, groups=3, unique_rows=1)


def test_absent_cells_are_alike_and_are_no_blank_ones() -> None:
    rows: list[Row] = [(None, None)] * 2 + [("", None)] * 3
    assert figures(rows, asking(2)) == Figures(smallest_group=2, groups=2, unique_rows=0)


def test_only_the_columns_that_the_agreement_names_count() -> None:
    rows: list[Row] = [("NO", "A"), ("NO", "B"), ("NO", None)]
    assert figures(rows, asking(3, by=("country",))) == Figures(smallest_group=3, groups=1, unique_rows=0)


@pytest.mark.parametrize(("smallest", "released"), [(2, True), (3, True), (4, False)])
def test_a_group_that_is_smaller_than_asked_for_refuses_the_release(smallest: int, released: bool) -> None:
    rows: list[Row] = [*[(CANARY, "A")] * 3, *[("NO", "A")] * 5]
    if released:
        assert figures(rows, asking(smallest)) == Figures(3, 2, 0)
        return
    with pytest.raises(Refused) as refused:
        figures(rows, asking(smallest))
    assert refused.value.code is Code.GROUP_TOO_SMALL
    assert "a group of 3 rows is alike in country, status; it asks for 4" in refused.value.message
    assert_silent(refused.value, CANARY)


def test_an_agreement_may_only_want_the_figures() -> None:
    assert figures([("NO", "A")], asking(5, otherwise="report")) == Figures(1, 1, 1)


@pytest.mark.parametrize("chunks", [[], [frame([])], [frame([]), frame([])]])
def test_no_rows_have_no_smallest_group_and_nothing_to_refuse(chunks: list[pl.DataFrame]) -> None:
    stated = asking(5)
    assert stated.risk is not None
    assert measured([groups(chunk, stated.risk) for chunk in chunks], stated) == Figures(None, 0, 0)


def test_an_agreement_that_asks_for_nothing_gets_no_figures() -> None:
    assert measured([], agreement()) is None


@pytest.mark.parametrize(
    "changes",
    [{"smallest_group": 1}, {"smallest_group": 0}, {"columns": []}, {"otherwise": "ignore"}, {"columns": ["name"]}],
)
def test_figures_that_ask_for_nothing_or_for_what_is_not_released_are_refused(changes: dict[str, Any]) -> None:
    fine = {"columns": ["country"], "smallest_group": 2, "otherwise": "refuse", "clause": "c"}
    assert agreement(risk=fine)
    with pytest.raises(ValueError):
        agreement(risk={**fine, **changes})


CELL = st.sampled_from(["NO", "DE", "", None])


@LAW
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=30), st.integers(1, 10), st.integers(2, 4))
def test_the_figures_of_the_chunks_are_those_of_the_whole(rows: list[Row], chunk: int, smallest: int) -> None:
    counted = Counter(rows)
    by_hand = Figures(min(counted.values()), len(counted), sum(count == 1 for count in counted.values()))
    report = asking(smallest, otherwise="report")
    assert figures(rows, report, chunk=chunk) == figures(rows, report) == by_hand
    if min(counted.values()) < smallest:
        with pytest.raises(Refused):
            figures(rows, asking(smallest), chunk=chunk)
    else:
        assert figures(rows, asking(smallest), chunk=chunk) == by_hand

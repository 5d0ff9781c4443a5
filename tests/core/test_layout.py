"""What must be deleted together lies in one part, and nothing else with it."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.agreement import Agreement
from pipeline.core.layout import ROW, Sheet, sheets
from tests.core.builders import COLUMNS, LAW, agreement, columns


def with_clocks(**clocks: str | None) -> Agreement:
    said = {name: {"treatment": "keep", **({"until": clock} if clock else {})} for name, clock in clocks.items()}
    return agreement(columns=columns(**said))


def cleared(stated: Agreement, height: int) -> pl.DataFrame:
    cells = {name: [f"{name}{row}" for row in range(height)] for name in stated.columns}
    return pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))


def laid_out(stated: Agreement, height: int = 3, *, rows_before: int = 0) -> list[Sheet]:
    return list(sheets(stated, cleared(stated, height), rows_before=rows_before))


@pytest.mark.parametrize("clock", [None, "P6M"])
def test_with_one_clock_there_is_one_sheet_without_numbers(clock: str | None) -> None:
    stated = with_clocks(name=clock, country=clock)
    (sheet,) = laid_out(stated)
    assert sheet.until == clock
    assert sheet.frame.equals(cleared(stated, 3))


def test_each_clock_has_its_sheet_and_rows_are_numbered_through_the_release() -> None:
    stated = with_clocks(country=None, name="P6M", status=None, born="P1Y", number="P6M")
    plain, half, year = laid_out(stated, rows_before=7)
    assert [sheet.until for sheet in (plain, half, year)] == [None, "P6M", "P1Y"]
    assert plain.frame.columns == [ROW, "country", "status"]
    assert half.frame.columns == [ROW, "name", "number"]
    assert year.frame.columns == [ROW, "born"]
    assert all(sheet.frame[ROW].to_list() == ["8", "9", "10"] for sheet in (plain, half, year))


@LAW
@given(
    st.dictionaries(st.sampled_from(sorted(COLUMNS)), st.sampled_from([None, "P6M", "P1Y"]), min_size=1),
    st.integers(0, 4),
    st.integers(0, 1000),
)
def test_joined_again_by_row_the_sheets_are_the_release(
    clocks: dict[str, str | None], height: int, before: int
) -> None:
    stated = with_clocks(**clocks)
    laid = laid_out(stated, height, rows_before=before)
    for sheet in laid:
        assert {clocks[name] for name in sheet.frame.columns if name != ROW} == {sheet.until}
        assert set(sheet.frame.dtypes) <= {pl.String}
    joined = laid[0].frame
    for sheet in laid[1:]:
        joined = joined.join(sheet.frame, on=ROW, how="full", coalesce=True, validate="1:1")
    assert joined.select(list(stated.columns)).sort(pl.all()).equals(cleared(stated, height).sort(pl.all()))

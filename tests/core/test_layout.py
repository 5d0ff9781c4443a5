"""What must be deleted together lies in one part, and nothing else with it."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.language.agreement import Agreement
from pipeline.core.language.handling import Clock
from pipeline.core.layout import ROW, Sheet, sheets
from tests.core.builders import COLUMNS, LAW, agreement, columns, handling

WHOLE = "P1Y"
BY_DATE = handling(retention={"clock": "date", "column": "born", "delete_after": WHOLE, "clause": "Art. 3"})

Said = str | dict[str, Any] | None
"""What an agreement says of a column's clock: nothing, `until`, or more."""


def with_clocks(handled: dict[str, Any] | None = None, **clocks: Said) -> Agreement:
    said: dict[str, dict[str, Any]] = {
        name: {"treatment": "keep", **({"until": clock} if isinstance(clock, str) else clock or {})}
        for name, clock in clocks.items()
    }
    return agreement(columns=columns(**said), **({"handling": handled} if handled else {}))


def cleared(stated: Agreement, height: int) -> pl.DataFrame:
    cells = {name: [f"{name}{row}" for row in range(height)] for name in stated.columns}
    return pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))


def laid_out(
    stated: Agreement, height: int = 3, *, rows_before: int = 0, days: list[str | None] | None = None
) -> list[Sheet]:
    dates = pl.Series(days, dtype=pl.String) if days is not None else None
    return list(sheets(stated, cleared(stated, height), dates, rows_before=rows_before))


def joined(laid: list[Sheet]) -> pl.DataFrame:
    """The release again, from its parts."""
    by_clock: dict[tuple[str, ...], pl.DataFrame] = {}
    for sheet in laid:
        names = tuple(sheet.frame.columns)
        by_clock[names] = pl.concat([by_clock[names], sheet.frame]) if names in by_clock else sheet.frame
    whole, *others = by_clock.values()
    for other in others:
        whole = whole.join(other, on=ROW, how="full", coalesce=True, validate="1:1")
    return whole


@pytest.mark.parametrize(
    ("said", "after"), [(None, WHOLE), ("P6M", "P6M"), ({"until": "P6M", "clock": "loaded"}, "P6M")]
)
def test_with_one_clock_there_is_one_sheet_without_numbers(said: Said, after: str) -> None:
    stated = with_clocks(name=said, country=said)
    (sheet,) = laid_out(stated)
    assert (sheet.after, sheet.day) == (after, None)
    assert sheet.clock is (Clock.LOADED if isinstance(said, dict) else Clock.RELEASED)
    assert sheet.frame.equals(cleared(stated, 3))


def test_each_clock_has_its_sheet_and_rows_are_numbered_through_the_release() -> None:
    stated = with_clocks(
        country=None, name="P6M", status=None, born={"until": "P6M", "clock": "loaded"}, number="P6M", remarks="P1M"
    )
    laid = laid_out(stated, rows_before=7)
    assert [(sheet.clock, sheet.after, sheet.frame.columns) for sheet in laid] == [
        (Clock.RELEASED, WHOLE, [ROW, "country", "status"]),
        (Clock.RELEASED, "P6M", [ROW, "name", "number"]),
        (Clock.LOADED, "P6M", [ROW, "born"]),
        (Clock.RELEASED, "P1M", [ROW, "remarks"]),
    ]
    assert all(sheet.frame[ROW].to_list() == ["8", "9", "10"] for sheet in laid)


def test_an_until_as_long_as_the_release_is_in_its_part() -> None:
    (sheet,) = laid_out(with_clocks(country=None, name=WHOLE))
    assert sheet.frame.columns == ["country", "name"]


def test_rows_whose_clock_runs_from_their_own_date_are_divided_by_it() -> None:
    days = ["2024-02-29", "2024-03-01T10:30", "2024-02-29T23:59", None]
    laid = laid_out(with_clocks(BY_DATE, born=None, name=None), 4, days=days)
    assert [(sheet.day, sheet.frame["name"].to_list()) for sheet in laid] == [
        (date(2024, 2, 29), ["name0", "name2"]),
        (date(2024, 3, 1), ["name1"]),
        (None, ["name3"]),
    ]
    assert all(sheet.frame.columns == ["born", "name"] for sheet in laid)
    assert all((sheet.clock, sheet.after) == (Clock.DATE, WHOLE) for sheet in laid)


@pytest.mark.parametrize(
    "cell",
    [
        *("2023-02-29", "2024-2-9", "2024-02-299", "2024-02-29T25:00", "soon", "", "2024-02-29\n2024-03-01"),
        *("0000-01-01", "9999-12-31", "7001-01-01", None),
    ],
)
def test_a_row_without_a_date_that_a_clock_can_run_from_runs_from_its_loading(cell: str | None) -> None:
    (sheet,) = laid_out(with_clocks(BY_DATE, born=None), 1, days=[cell])
    assert sheet.day is None


@pytest.mark.parametrize("cell", ["0001-01-01", "7000-12-31"])
def test_the_first_and_last_day_that_a_clock_runs_from(cell: str) -> None:
    (sheet,) = laid_out(with_clocks(BY_DATE, born=None), 1, days=[cell])
    assert sheet.day == date.fromisoformat(cell)


def test_a_column_may_count_by_date_while_the_release_does_not_and_the_other_way_round() -> None:
    retention = {"clock": "loaded", "column": "born", "delete_after": WHOLE, "clause": "Art. 3"}
    stated = with_clocks(handling(retention=retention), born=None, name={"until": "P6M", "clock": "date"})
    laid = laid_out(stated, 2, days=["2024-01-01", "2024-01-02"])
    assert [(sheet.clock, sheet.day, sheet.frame.columns) for sheet in laid] == [
        (Clock.LOADED, None, [ROW, "born"]),
        (Clock.DATE, date(2024, 1, 1), [ROW, "name"]),
        (Clock.DATE, date(2024, 1, 2), [ROW, "name"]),
    ]
    stated = with_clocks(BY_DATE, born=None, name={"until": "P6M", "clock": "loaded"})
    laid = laid_out(stated, 2, days=["2024-01-01", "2024-01-02"])
    assert [(sheet.clock, sheet.frame[ROW].to_list()) for sheet in laid] == [
        (Clock.DATE, ["1"]),
        (Clock.DATE, ["2"]),
        (Clock.LOADED, ["1", "2"]),
    ]


CLOCK = st.sampled_from(
    [
        None,
        "P6M",
        "P1D",
        {"until": "P6M", "clock": "loaded"},
        {"until": "P6M", "clock": "date"},
        {"until": "P6M", "clock": "event"},
    ]
)
DAY = st.sampled_from([None, "2024-01-01", "2024-01-02", "never", "9999-12-31"])


@LAW
@given(
    st.dictionaries(st.sampled_from(sorted(set(COLUMNS) - {"born"})), CLOCK),
    st.lists(DAY, max_size=5),
    st.integers(0, 1000),
)
def test_every_cell_is_once_in_the_sheet_of_its_clock_and_joined_by_row_the_sheets_are_the_release(
    clocks: dict[str, Said], days: list[str | None], before: int
) -> None:
    retention = {"clock": "date", "column": "born", "event": "end", "delete_after": WHOLE, "clause": "Art. 3"}
    used = {said.get("clock") for said in clocks.values() if isinstance(said, dict)}
    if "event" not in used:
        del retention["event"]
    stated = with_clocks(handling(retention=retention), born=None, **clocks)
    laid = laid_out(stated, len(days), rows_before=before, days=days)
    for sheet in laid:
        assert set(sheet.frame.dtypes) <= {pl.String}
        for name in set(sheet.frame.columns) - {ROW}:
            said = clocks.get(name)
            until = said if isinstance(said, str) else (said or {}).get("until", WHOLE)
            clock = (said if isinstance(said, dict) else {}).get("clock", "date")
            assert (sheet.after, sheet.clock.value) == (until, clock)
    for name in stated.columns:
        cells = [cell for sheet in laid if name in sheet.frame.columns for cell in sheet.frame[name]]
        assert sorted(cells) == sorted(f"{name}{row}" for row in range(len(days)))
    if days:
        assert (
            joined(laid).select(list(stated.columns)).sort(pl.all()).equals(cleared(stated, len(days)).sort(pl.all()))
        )

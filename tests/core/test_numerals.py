"""Numbers are read and made coarser exactly: no floating point, no half on the wrong side."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.numerals import classed_by_edges, classed_by_width, decimal_text, is_number, nearest, rounded, summed
from tests.core.builders import LAW

Cell = str | None

NUMBER = st.from_regex(r"[+-]?0{0,2}[0-9]{1,15}(\.[0-9]{1,12})?", fullmatch=True)
NO_NUMBER = [
    "",
    " 5",
    "5 ",
    "5.",
    ".5",
    "1,5",
    "1e3",
    "--5",
    "+-5",
    "٥",
    "0x5",
    "5\n",
    "inf",
    "NaN",
    "x",
    "9" * 16,
    "-",
]


def one(expression: Callable[[pl.Expr], pl.Expr], cell: Cell) -> Cell:
    released: Cell = (
        pl.DataFrame({"cell": pl.Series([cell], dtype=pl.String)}).select(expression(pl.col("cell"))).item()
    )
    return released


@pytest.mark.parametrize("text", [*NO_NUMBER, None])
def test_what_is_no_number_becomes_absent(text: Cell) -> None:
    assert one(lambda cell: classed_by_width(cell, 10), text) is None
    assert one(lambda cell: classed_by_edges(cell, (18, 65)), text) is None
    assert one(lambda cell: rounded(cell, to="0.1"), text) is None
    assert one(summed, text) is None
    assert not one(is_number, text)


@pytest.mark.parametrize(
    ("text", "by_ten", "by_edges"),
    [
        ("0", "0..9", "..17"),
        ("-0", "0..9", "..17"),
        ("9.999999999999999999", "0..9", "..17"),
        ("10", "10..19", "..17"),
        ("-0.5", "-10..-1", "..17"),
        ("-0.000000000000001", "-10..-1", "..17"),
        ("-10", "-10..-1", "..17"),
        ("-10.0", "-10..-1", "..17"),
        ("-10.1", "-20..-11", "..17"),
        ("17.99", "10..19", "..17"),
        ("18", "10..19", "18..64"),
        ("0018", "10..19", "18..64"),
        ("+64.5", "60..69", "18..64"),
        ("65", "60..69", "65.."),
        ("999999999999999", "999999999999990..999999999999999", "65.."),
    ],
)
def test_classes_by_vectors(text: str, by_ten: str, by_edges: str) -> None:
    assert one(lambda cell: classed_by_width(cell, 10), text) == by_ten
    assert one(lambda cell: classed_by_edges(cell, (18, 65)), text) == by_edges


@LAW
@given(NUMBER, st.integers(2, 10**12))
def test_a_number_is_in_its_class(text: str, width: int) -> None:
    low, high = map(int, (one(lambda cell: classed_by_width(cell, width), text) or "").split(".."))
    assert low <= Decimal(text) < high + 1
    assert (high + 1 - low, low % width) == (width, 0)


@LAW
@given(NUMBER, st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=6, unique=True).map(sorted))
def test_a_number_is_in_its_class_between_edges(text: str, edges: list[int]) -> None:
    low, high = (one(lambda cell: classed_by_edges(cell, edges), text) or "").split("..")
    assert not low or (int(low) in edges and int(low) <= Decimal(text))
    assert not high or (int(high) + 1 in edges and Decimal(text) < int(high) + 1)


@pytest.mark.parametrize(
    ("text", "to", "nearest_multiple"),
    [
        ("0.3", "0.1", "0.3"),
        ("0.05", "0.1", "0.1"),
        ("0.15", "0.1", "0.2"),
        ("0.149999999999999999999", "0.1", "0.1"),
        ("-0.05", "0.1", "-0.1"),
        ("-0.04", "0.1", "0.0"),
        ("1.005", "0.01", "1.01"),
        ("2.5", "5", "5"),
        ("-2.5", "5", "-5"),
        ("2.4999999", "5", "0"),
        ("0.125", "0.25", "0.25"),
        ("1", "0.25", "1.00"),
        ("1.25", "2.5", "2.5"),
        ("999999999999999.96", "0.1", "1000000000000000.0"),
        ("0.0000005", "0.000001", "0.000001"),
        ("0.00000049", "0.000001", "0.000000"),
        ("007", "1", "7"),
    ],
)
def test_rounding_by_vectors(text: str, to: str, nearest_multiple: str) -> None:
    assert one(lambda cell: rounded(cell, to=to), text) == nearest_multiple


@LAW
@given(NUMBER, st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,6})?", fullmatch=True).filter(lambda to: float(to) > 0))
def test_rounding_is_what_decimal_arithmetic_says(text: str, to: str) -> None:
    with localcontext(prec=60):
        multiple = (Decimal(text) / Decimal(to)).quantize(Decimal(1), ROUND_HALF_UP) * Decimal(to)
        if abs(2 * Decimal(text) / Decimal(to) % 2) == 1:  # a half: the division may not have been exact
            multiple = (Decimal(text) + Decimal(to).copy_sign(Decimal(text)) / 2) // Decimal(to) * Decimal(to)
    released = one(lambda cell: rounded(cell, to=to), text)
    assert released is not None
    assert Decimal(released) == multiple
    assert len(released.partition(".")[2]) == len(to.partition(".")[2])
    assert released.lstrip("-0.") or not released.startswith("-")


@LAW
@given(st.lists(st.integers(-(10**24), 10**24), min_size=1, max_size=4), st.integers(1, 10**10))
def test_the_nearest_multiple_is_no_further_than_half_a_step_and_away_from_zero_from_there(
    units: list[int], step: int
) -> None:
    frame = pl.DataFrame({"units": pl.Series(units, dtype=pl.Int128)})
    for given_units, multiple in zip(units, frame.select(nearest(pl.col("units"), step))["units"], strict=True):
        assert multiple % step == 0
        assert 2 * abs(multiple - given_units) <= step
        assert 2 * abs(multiple - given_units) < step or abs(multiple) > abs(given_units)


@LAW
@given(st.lists(st.from_regex(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9}0*)?", fullmatch=True), min_size=1, max_size=6))
def test_sums_are_exact(numbers: list[str]) -> None:
    frame = pl.DataFrame({"cell": numbers}).select(summed(pl.col("cell")).sum().alias("sum"))
    text = frame.select(decimal_text(pl.col("sum"), decimals=9)).item()
    with localcontext(prec=60):
        assert Decimal(text) == sum(map(Decimal, numbers))


@pytest.mark.parametrize("text", ["0.1234567891", "1.0000000001"])
def test_a_number_with_more_decimals_than_sums_keep_is_not_added_up(text: str) -> None:
    assert one(summed, text) is None
    assert one(summed, text[:-1] + "0") is not None

"""Which number does a text say, and what is it in coarser steps?

Exact: whole numbers of 128 bits, no floating point. A number is decimal digits with a point, perhaps signed; `1,5`, `1e3` and
more than 15 digits before the point are none, and become absent.
"""

from collections.abc import Sequence
from functools import reduce

import polars as pl

_NUMBER = r"\A[+-]?0*[0-9]{1,15}(?:\.[0-9]+)?\z"
_WHOLE = r"\A[+-]?0*([0-9]{1,15})(?:\.|\z)"

_FINEST = 7
"""Decimals that are looked at. Halves of the finest step that can be said, 0.000001, need seven; what is behind them is cut
off, which moves no number over a half."""

SUMMED_DECIMALS = 9
"""Decimals that sums are exact to."""


def is_number(cell: pl.Expr) -> pl.Expr:
    """True where the cell says a number; null where there is no cell."""
    return cell.str.contains(_NUMBER)


def classed_by_width(cell: pl.Expr, width: int) -> pl.Expr:
    """The class of `width` whole numbers that the number falls in, `20..29`; the class of 0 begins with 0."""
    low = _floor(cell).floordiv(width) * width
    return pl.concat_str(low.cast(pl.String), pl.lit(".."), (low + (width - 1)).cast(pl.String))


def classed_by_edges(cell: pl.Expr, edges: Sequence[int]) -> pl.Expr:
    """The class that the number falls in, of those that the edges begin: `..17`, `18..64`, `65..`."""
    bounds = [*(str(edge - 1) for edge in edges), ""]
    names = [f"{low}..{high}" for low, high in zip(["", *map(str, edges)], bounds, strict=True)]
    floor = _floor(cell)
    begun = reduce(
        lambda named, step: pl.when(floor >= step[0]).then(pl.lit(step[1])).otherwise(named),
        zip(edges, names[1:], strict=True),
        pl.lit(names[0]),
    )
    return pl.when(floor.is_not_null()).then(begun)


def rounded(cell: pl.Expr, *, to: str) -> pl.Expr:
    """The nearest multiple of `to`, halves away from zero, with as many decimals as `to` has."""
    whole, _, decimals = to.partition(".")
    step = int(whole) * 10**_FINEST + int(decimals.ljust(_FINEST, "0"))
    units = nearest(_signed(cell, _magnitude(cell, _FINEST)), step)
    return decimal_text(units.floordiv(10 ** (_FINEST - len(decimals))), decimals=len(decimals))


def nearest(units: pl.Expr, step: int) -> pl.Expr:
    """The nearest multiple of `step`, halves away from zero."""
    size = (units.abs() * 2 + step).floordiv(2 * step) * step
    return pl.when(units < 0).then(size * -1).otherwise(size)


def summed(cell: pl.Expr) -> pl.Expr:
    """The number in units of 10 ** -SUMMED_DECIMALS, to be added up; null where it has more decimals, or is none."""
    fits = cell.str.contains(rf"\A[^.]*(?:\.[0-9]{{1,{SUMMED_DECIMALS}}}0*)?\z")
    return pl.when(fits).then(_signed(cell, _magnitude(cell, SUMMED_DECIMALS)))


def decimal_text(units: pl.Expr, *, decimals: int) -> pl.Expr:
    """The number of `units` of 10 ** -decimals as decimal digits. Zero has no sign."""
    size = units.abs()
    sign = pl.when(units < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole = size.floordiv(10**decimals).cast(pl.String)
    if not decimals:
        return pl.concat_str(sign, whole)
    behind = (size % 10**decimals).cast(pl.String).str.zfill(decimals)
    return pl.concat_str(sign, whole, pl.lit("."), behind)


def _floor(cell: pl.Expr) -> pl.Expr:
    """The largest whole number that is not above the number; null where the cell says none."""
    below = (cell.str.starts_with("-") & cell.str.contains(r"\..*[1-9]")).cast(pl.Int64)
    return _signed(cell, _magnitude(cell, 0)).cast(pl.Int64) - below


def _magnitude(cell: pl.Expr, decimals: int) -> pl.Expr:
    """The number without its sign in units of 10 ** -decimals, what is finer cut off; null where the cell says none."""
    whole = pl.when(is_number(cell)).then(cell.str.extract(_WHOLE, 1))
    if not decimals:
        return whole.cast(pl.Int128)
    behind = cell.str.extract(r"\.([0-9]+)\z", 1).fill_null("").str.head(decimals).str.pad_end(decimals, "0")
    return pl.concat_str(whole, behind).cast(pl.Int128, strict=False)


def _signed(cell: pl.Expr, size: pl.Expr) -> pl.Expr:
    return pl.when(cell.str.starts_with("-")).then(size * -1).otherwise(size)

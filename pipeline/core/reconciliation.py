"""Does a full list say what the list before it and the changes since say together?

Cells are compared by 64-bit digests, so that two lists of millions fit into memory and nothing that is counted here can show a value.
Rows are told apart by their key itself. A row of a list is one member; a row of changes is one change, in the order of its number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

NUMBER, CODE = "change_number", "change_code"
ADD, REVOKE, DELETE = "ADD", "REVOKE", "DEL"
STATUS, REVOKED = "program_status", "REVOKED"

_REVOKED = "_revoked"


@dataclass(frozen=True, slots=True)
class Differences:
    """In how many places list and changes do not agree; all 0 where they do."""

    missing: int
    """members by the changes that the newer list does not hold"""
    surplus: int
    """members of the newer list that there are none of by the changes"""
    differing: int
    """members of both, with other cells"""
    by_column: Mapping[str, int]
    """the columns in which members differ, and in how many members each; those without a difference left out"""
    misfits: int
    """changes of somebody who was no member then, and additions of somebody who was"""
    numbers_missing: int
    """changes that are lost, between the first and the last number that came"""
    numbers_repeated: int
    """changes whose number came before; the first that came counts"""
    revocations_untold: int
    """members that the newer list has as revoked, the older one has not, and no change has revoked"""


def digested(rows: pl.DataFrame, key: str, columns: Sequence[str]) -> pl.DataFrame:
    """`rows` by digests of their cells, with the key, and with number and code where they are changes."""
    order = [pl.col(NUMBER).cast(pl.UInt64), pl.col(CODE)] if NUMBER in rows.columns else []
    cells = [pl.col(name).hash(0).alias(name) for name in columns if name != key]
    return rows.select(*order, pl.col(key), (pl.col(STATUS) == REVOKED).alias(_REVOKED), *cells)


def differences(older: pl.DataFrame, changes: pl.DataFrame, newer: pl.DataFrame, *, key: str) -> Differences:
    """Where `newer` is not what `changes` make of `older`; all three digested, changes in the order in which they came."""
    once = changes.unique(NUMBER, keep="first", maintain_order=True).sort(NUMBER)
    expected = _applied(older, once, key)
    both = expected.join(newer, on=key, how="inner", suffix="_listed")
    cells = [name for name in newer.columns if name not in (key, _REVOKED)]
    other = both.select(pl.col(name) != pl.col(f"{name}_listed") for name in cells)
    by_column = {name: int(other[name].sum()) for name in cells}
    span = int(once[NUMBER].max() - once[NUMBER].min() + 1) if once.height else 0  # type: ignore[operator]  # polars types max() as any literal
    return Differences(
        missing=expected.join(newer, on=key, how="anti").height,
        surplus=newer.join(expected, on=key, how="anti").height,
        differing=int(other.select(pl.any_horizontal(cells)).to_series().sum()) if cells else 0,
        by_column={name: count for name, count in by_column.items() if count},
        misfits=_misfits(older, once, key),
        numbers_missing=span - once.height,
        numbers_repeated=changes.height - once.height,
        revocations_untold=_untold(older, once, newer, key),
    )


def _applied(older: pl.DataFrame, changes: pl.DataFrame, key: str) -> pl.DataFrame:
    """The members after all changes: each as its last change left it."""
    last = changes.unique(key, keep="last", maintain_order=True)
    changed = last.filter(pl.col(CODE) != DELETE).select(older.columns)
    return pl.concat([older.join(last, on=key, how="anti"), changed])


def _misfits(older: pl.DataFrame, changes: pl.DataFrame, key: str) -> int:
    member = older.select(key).with_columns(_listed=pl.lit(value=True))
    known = changes.select(key, CODE).join(member, on=key, how="left", maintain_order="left")
    before = pl.col(CODE).shift(1).over(key)
    is_member = pl.when(before.is_null()).then(pl.col("_listed").fill_null(value=False)).otherwise(before != DELETE)
    return known.filter(is_member == (pl.col(CODE) == ADD)).height


def _untold(older: pl.DataFrame, changes: pl.DataFrame, newer: pl.DataFrame, key: str) -> int:
    newly = newer.filter(_REVOKED).join(older.filter(_REVOKED), on=key, how="anti")
    return newly.join(changes.filter(pl.col(CODE) == REVOKE), on=key, how="anti").height

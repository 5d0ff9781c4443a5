"""Which counts and sums may be published so that no small group can be told from them?"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from pipeline.core.language.treatment import Statistics
from pipeline.core.numerals import SUMMED_DECIMALS, decimal_text, nearest, summed

COUNT = "_count"
"""In partial counts, the column with the number of rows of a cell."""

_UNREAD = "_unread"


@dataclass(frozen=True, slots=True)
class Table:
    """`frame`: a row per published cell, then its count and its sums. The rows behind the published cells and behind
    those left out are counted, exactly: see `told`."""

    frame: pl.DataFrame
    published_rows: int
    suppressed_rows: int


def partial_counts(treated: pl.DataFrame, in_scope: pl.DataFrame, rule: Statistics) -> pl.DataFrame:
    """A row per cell of the chunk: the treated columns, `COUNT`, and each sum in units of 10 ** -SUMMED_DECIMALS.

    A sum is null where a row of the cell has no number to add, absent or not readable: what is added up would not be what
    the count says. `treated` and `in_scope` are aligned.
    """
    read = [in_scope.select(summed(pl.col(source)).alias(name)) for name, source in rule.sums.items()]
    return (
        pl.concat([treated, *read], how="horizontal")
        .group_by(treated.columns)
        .agg(pl.len().alias(COUNT), *(_whole_sum(name) for name in rule.sums))
    )


def tabulate(partials: Iterable[pl.DataFrame], by: tuple[str, ...], rule: Statistics) -> Table:
    """The published table: cells in the order of their names, small ones suppressed, and others to protect them.

    The manifest states how many rows were suppressed in all, so that number must itself not tell a small cell, not even to
    who knows which cells there are: the smallest published cells follow the small ones until each suppressed cell could
    be anything from 1 to `smallest_cell` (complementary suppression). Each holds a row at least, and no more than the
    smallest published cell, since the smallest were taken. A cell of which a sum cannot be read is suppressed whatever
    its count; a large one is no cover for the small, since who knows which it is can take it off the total.

    Rounding comes last, so that it never decides what is suppressed.
    """
    stacked = pl.concat(list(partials))
    cells = stacked.group_by(by).agg(pl.col(COUNT).sum().cast(pl.Int64), *(_whole_sum(name) for name in rule.sums))
    unread = pl.any_horizontal(pl.lit(value=False), *(pl.col(name).is_null() for name in rule.sums))
    odd = cells.filter(unread & (pl.col(COUNT) >= rule.smallest_cell))
    cells = cells.join(odd.select(by), on=list(by), how="anti", nulls_equal=True).sort(COUNT, *by, nulls_last=True)
    counts = cells[COUNT].to_list()
    suppressed = sum(count < rule.smallest_cell for count in counts)
    while 0 < suppressed < len(counts) and not _hides(counts[:suppressed], counts[suppressed], rule.smallest_cell):
        suppressed += 1
    published = cells.slice(suppressed).sort(*by, nulls_last=True).select(*by, *_published(rule))
    return Table(published, sum(counts[suppressed:]), sum(counts[:suppressed]) + int(odd[COUNT].sum()))


def told(rows: int, rule: Statistics | None) -> int:
    """A number of rows as it may be told beside the table: rounded as the table is, or the table's own could be told exactly."""
    if rule is None or rule.round_to is None:
        return rows
    return (2 * rows + rule.round_to) // (2 * rule.round_to) * rule.round_to


def _whole_sum(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)


def _published(rule: Statistics) -> list[pl.Expr]:
    """The count and the sums as text."""
    finest = 10**SUMMED_DECIMALS
    count, sums = pl.col(COUNT), {name: pl.col(name) for name in rule.sums}
    if rule.round_to:
        count = nearest(count, rule.round_to)
        sums = {name: nearest(units, rule.round_to * finest) for name, units in sums.items()}
    exact = {name: decimal_text(units, decimals=SUMMED_DECIMALS) for name, units in sums.items()}
    return [
        count.cast(pl.String).alias(rule.count_as),
        *(text.str.replace(r"\.?0+\z", "").alias(name) for name, text in exact.items()),
    ]


def _hides(suppressed: list[int], smallest_published: int, smallest_cell: int) -> bool:
    others = len(suppressed) - 1
    least, most = sum(suppressed) - others * smallest_published, sum(suppressed) - others
    return least <= 1 and most >= smallest_cell

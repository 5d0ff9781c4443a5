"""Which counts may be published so that no small group can be told from them?"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from pipeline.core.agreement import Statistics
from pipeline.core.redaction import COUNT


@dataclass(frozen=True, slots=True)
class Table:
    """`frame`: a row per published cell, the last column its count. The rows behind the
    published cells and behind those left out are counted."""

    frame: pl.DataFrame
    published_rows: int
    suppressed_rows: int


def tabulate(partials: Iterable[pl.DataFrame], by: tuple[str, ...], rule: Statistics) -> Table:
    """The published table: cells in the order of their names, small ones suppressed, and others to protect them.

    The manifest states how many rows were suppressed in all, so that number must itself not tell a small cell, not even to
    who knows which cells there are: the smallest published cells follow the small ones until each suppressed cell could
    be anything from 1 to `smallest_cell` (complementary suppression). Each holds a row at least, and no more than the
    smallest published cell, since the smallest were taken.
    """
    stacked = pl.concat(list(partials))
    cells = stacked.group_by(by).agg(pl.col(COUNT).sum().cast(pl.Int64)).sort(COUNT, *by, nulls_last=True)
    counts = cells[COUNT].to_list()
    suppressed = sum(count < rule.smallest_cell for count in counts)
    while 0 < suppressed < len(counts) and not _hides(counts[:suppressed], counts[suppressed], rule.smallest_cell):
        suppressed += 1
    published = cells.slice(suppressed).sort(*by, nulls_last=True).rename({COUNT: rule.count_as})
    return Table(published.cast({rule.count_as: pl.String}), sum(counts[suppressed:]), sum(counts[:suppressed]))


def _hides(suppressed: list[int], smallest_published: int, smallest_cell: int) -> bool:
    others = len(suppressed) - 1
    least, most = sum(suppressed) - others * smallest_published, sum(suppressed) - others
    return least <= 1 and most >= smallest_cell

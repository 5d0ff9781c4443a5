"""Which counts and sums may be published so that no small group can be told from them?"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.core.differencing import Cell, Told, comparable, told_apart, uncovered
from pipeline.core.language.treatment import Statistics
from pipeline.core.numerals import SUMMED_DECIMALS, decimal_text, nearest, summed

LARGEST = "_largest_"
"""In partial counts, before the name of a sum: the size of the largest number in it, in its units."""

COUNT = "_count"
"""In partial counts, the column with the number of rows of a cell."""

_SIZE = "_size"
"""How many a cell stands for: its rows, or what these say."""


@dataclass(frozen=True, slots=True)
class Table:
    """`frame`: a row per published cell, then its count and its sums. The rows behind the published cells and behind
    those left out are counted, exactly: see `told`. `weight` is what the counts add up to, where rows are counts already.
    `told` is what its recipient can compare with tables before and after; `compared` counts those before."""

    frame: pl.DataFrame
    published_rows: int
    suppressed_rows: int
    weight: int | None = None
    told: Told | None = None
    compared: int = 0

    @property
    def published_count(self) -> int:
        """What the published counts add up to before they are rounded."""
        return self.published_rows if self.weight is None else self.weight


def partial_counts(treated: pl.DataFrame, in_scope: pl.DataFrame, rule: Statistics) -> pl.DataFrame:
    """A row per cell of the chunk: the treated columns, `COUNT`, and each sum in units of 10 ** -SUMMED_DECIMALS.

    A sum is null where a row of the cell has no number to add, absent or not readable: what is added up would not be what
    the count says. `treated` and `in_scope` are aligned.
    """
    read = [in_scope.select(summed(pl.col(source)).alias(name)) for name, source in rule.added.items()]
    return (
        pl.concat([treated, *read], how="horizontal")
        .group_by(treated.columns)
        .agg(
            pl.len().alias(COUNT),
            *(_whole_sum(name) for name in rule.added),
            *(pl.col(name).abs().max().alias(f"{LARGEST}{name}") for name in rule.dominated),
        )
    )


def tabulate(
    partials: Iterable[pl.DataFrame],
    by: tuple[str, ...],
    rule: Statistics,
    *,
    release: str = "",
    earlier: Sequence[Told] = (),
) -> Table:
    """The published table: cells in the order of their names, small ones suppressed, and others to protect them.

    The manifest states how many rows were suppressed in all, so that number must itself not tell a small cell, not even to
    who knows which cells there are: the smallest published cells follow the small ones until each suppressed cell could
    be anything from 1 to `smallest_cell` (complementary suppression). Each holds a row at least, and no more than the
    smallest published cell, since the smallest were taken. A cell in which one row makes up nearly all of a sum (`largest_share`) is
    suppressed too, and covers nothing but along a line. A cell of which a sum cannot be read is suppressed whatever
    its count; a large one is no cover for the small, since who knows which it is can take it off the total.

    Rounding comes last, so that it never decides what is suppressed. Last of all, cells are suppressed that could be taken from a
    table that was told earlier, so that a small cell or a small change is over (`core.differencing`); where suppressing does
    not help, the gate refuses.
    """
    stacked = pl.concat(list(partials))
    largest = [pl.col(f"{LARGEST}{name}").max() for name in rule.dominated]
    cells = stacked.group_by(by).agg(
        pl.col(COUNT).sum().cast(pl.Int64), *(_whole_sum(name) for name in rule.added), *largest
    )
    cells = cells.with_columns(_size(rule).alias(_SIZE))
    unread = pl.any_horizontal(pl.lit(value=False), *(pl.col(name).is_null() for name in rule.added))
    odd = cells.filter(unread & (pl.col(_SIZE).is_null() | (pl.col(_SIZE) >= rule.smallest_cell)))
    cells = cells.join(odd.select(by), on=list(by), how="anti", nulls_equal=True).sort(_SIZE, *by, nulls_last=True)
    sizes = cells[_SIZE].to_list()
    suppressed = sum(size < rule.smallest_cell for size in sizes)
    while 0 < suppressed < len(sizes) and not _hides(sizes[:suppressed], sizes[suppressed], rule.smallest_cell):
        suppressed += 1
    hidden = set(range(suppressed)) | set(cells.select(_dominated(rule).arg_true()).to_series().to_list())
    if rule.margins:
        hidden = hidden_along(list(cells.select(by).iter_rows()), sizes, hidden, rule.smallest_cell)
    unreadable = int(odd[COUNT].sum())
    candidate = _as_told(cells, by, rule, hidden, unreadable, release)
    before = comparable(earlier, candidate)
    hidden = _hidden_from_differences(
        candidate, before, hidden, lambda more: _as_told(cells, by, rule, more, unreadable, release)
    )
    shown = cells.filter(~pl.int_range(pl.len()).is_in(list(hidden)))
    published = shown.sort(*by, nulls_last=True).select(*by, *_published(rule))
    rows = int(shown[COUNT].sum())
    weight = int(shown[_SIZE].sum()) if rule.weighted_by else None
    as_told = _as_told(cells, by, rule, hidden, unreadable, release)
    return Table(published, rows, int(stacked[COUNT].sum()) - rows, weight, as_told, len(before))


def _as_told(
    cells: pl.DataFrame, by: tuple[str, ...], rule: Statistics, hidden: set[int], unreadable: int, release: str
) -> Told:
    """The table as its recipient would have it, were these cells hidden; rows of unreadable cells count as known."""
    said = cells.select(*by, _SIZE, *(text.alias(f"{number}_told") for number, text in enumerate(_published(rule))))
    told_cells = []
    rows_hidden = 0
    for number, row in enumerate(said.iter_rows()):
        names, size, texts = row[: len(by)], int(row[len(by)]), row[len(by) + 1 :]
        if number in hidden:
            rows_hidden += size
            told_cells.append(Cell(names, size, None))
        else:
            told_cells.append(Cell(names, size, int(texts[0]), tuple(texts[1:])))
    left_out = None if rule.weighted_by else told(rows_hidden + unreadable, rule) - unreadable
    return Told(release, by, rule.smallest_cell, rule.round_to or 1, left_out, rule.margins, tuple(told_cells))


def _hidden_from_differences(
    candidate: Told, before: Sequence[Told], hidden: set[int], as_told: Callable[[set[int]], Told]
) -> set[int]:
    """The cells to suppress, `hidden` among them, so that no table before tells a small cell or a small change, where that can be."""
    hidden, place = set(hidden), {cell.names: number for number, cell in enumerate(candidate.cells)}
    now, changed = candidate, bool(before)
    while changed:
        more: set[int] = set()
        for one in before:
            more |= {place[names] for names in told_apart(now, one)}
            said = now.said()
            if uncovered(one, now):
                covers = [cell for cell in one.hidden if cell.names in said and cell.size >= one.smallest_cell]
                more |= {place[cell.names] for cell in covers}
            if uncovered(
                now, one
            ):  # a cell that was shown before covers nothing: the smallest of the others, else of all
                others = [cell for cell in said.values() if cell.names not in one.said()] or list(said.values())
                more |= {place[cell.names] for cell in sorted(others, key=lambda cell: cell.size)[:1]}
        changed = not more <= hidden
        hidden |= more
        now = as_told(hidden)
    return hidden


def hidden_along(
    names: Sequence[tuple[str | None, ...]], sizes: Sequence[int], hidden: set[int], smallest_cell: int
) -> set[int]:
    """The cells to suppress, `hidden` among them, so that no total along a column tells one of them.

    A line is the cells that differ in one column alone. Who knows its total, and that each cell holds one at least, still
    cannot tell that a suppressed cell is under `smallest_cell`: it has two of them or none, and each could hold as many.
    The smallest cells of a line go first; a line whose cells are all suppressed is left as it is.
    """
    hidden = set(hidden)
    lines: dict[tuple[object, ...], list[int]] = {}
    for cell, name in enumerate(names):
        for column in range(len(name)):
            lines.setdefault((column, *name[:column], *name[column + 1 :]), []).append(cell)
    changed = True
    while changed:
        changed = False
        for line in lines.values():
            behind = [cell for cell in line if cell in hidden]
            shown = sorted((cell for cell in line if cell not in hidden), key=lambda cell: sizes[cell])
            while behind and shown and not _hides_along([sizes[cell] for cell in behind], smallest_cell):
                behind.append(shown[0])
                hidden.add(shown.pop(0))
                changed = True
    return hidden


def told(rows: int, rule: Statistics | None) -> int:
    """A number of rows as it may be told beside the table: rounded as the table is, or the table's own could be told exactly."""
    if rule is None or rule.round_to is None:
        return rows
    return (2 * rows + rule.round_to) // (2 * rule.round_to) * rule.round_to


def _whole_sum(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)


def _dominated(rule: Statistics) -> pl.Expr:
    """True where one row makes up more than the largest share of a sum."""
    return pl.any_horizontal(
        pl.lit(value=False),
        *(pl.col(f"{LARGEST}{name}") * 100 > pl.col(name).abs() * rule.largest_share for name in rule.dominated),
    ).fill_null(value=False)


def _size(rule: Statistics) -> pl.Expr:
    """Null where one of the rows does not say how many it stands for."""
    if rule.weighted_by is None:
        return pl.col(COUNT)
    return pl.col(rule.count_as).floordiv(10**SUMMED_DECIMALS).cast(pl.Int64)


def _published(rule: Statistics) -> list[pl.Expr]:
    """The count and the sums as text."""
    finest = 10**SUMMED_DECIMALS
    count, sums = pl.col(_SIZE), {name: pl.col(name) for name in rule.sums}
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


def _hides_along(suppressed: Sequence[int], smallest_cell: int) -> bool:
    others = len(suppressed) - 1
    return others > 0 and sum(suppressed) - others >= smallest_cell

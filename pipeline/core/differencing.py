"""What could be told by taking one table from another, of the same cells, a day or a correction later?

Whoever has both knows of each cell what each says, and of the cells left out how many rows they have together, as the manifests tell it.
Two things must not be told: that a cell changed by so few that they are a small cell themselves, and what a small cell holds that one
of the tables left out. For the second a reader is taken to suppose that a cell which only one table shows is the same in the other, but
for small ones: they must have changed to be shown.
What rounding leaves open counts as open: between the same two numbers may lie no change, or a large one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Names = tuple[str | None, ...]
"""What a cell is of: its columns, in order."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`size`: how many it stands for. `told`: what a table says of it, None where it is left out; `sums` likewise."""

    names: Names
    size: int
    told: int | None
    sums: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A table as its recipient has it, and what it was made of. `step`: what its numbers are multiples of.

    `left_out`: how many rows its cells that are left out have together, as the manifest says; None where that tells nothing of them.
    `margins`: its reader may know the total of each line.
    """

    release: str
    columns: tuple[str, ...]
    smallest_cell: int
    step: int
    left_out: int | None
    margins: bool
    cells: tuple[Cell, ...]

    @property
    def hidden(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.told is None]

    def said(self) -> dict[Names, Cell]:
        """The cells that it tells."""
        return {cell.names: cell for cell in self.cells if cell.told is not None}

    def between(self, number: int) -> tuple[int, int]:
        """The least and the most that was rounded to the number, halves away from zero."""
        return number - self.step // 2, number + (self.step - 1) // 2


def comparable(earlier: Iterable[Told], table: Told) -> list[Told]:
    """Those of the earlier tables that are of the same columns, and of some of the same cells."""
    names = {cell.names for cell in table.cells}
    return [one for one in earlier if one.columns == table.columns and not names.isdisjoint(one.said())]


def told_apart(table: Told, earlier: Told) -> set[Names]:
    """The cells of which the two tell a change so small that it is a small cell, or a change in a sum of as many rows."""
    smallest, before = max(table.smallest_cell, earlier.smallest_cell), earlier.said()
    found = set()
    for names, cell in table.said().items():
        was = before.get(names)
        if was is None or was.told is None or cell.told is None:
            continue
        (least_before, most_before), (least, most) = earlier.between(was.told), table.between(cell.told)
        few = _is_small(least - most_before, most - least_before, smallest)
        summed_anew = cell.told == was.told and len(cell.sums) == len(was.sums) and cell.sums != was.sums
        if few or summed_anew:
            found.add(names)
    return found


def uncovered(table: Told, other: Told) -> bool:
    """Whether a small cell that the one leaves out can be told with what the other shows: by the total of all, or of a line."""
    shown, hidden = other.said(), table.hidden
    smallest = max(table.smallest_cell, other.smallest_cell)
    if not any(cell.names in shown for cell in hidden):
        return False
    if table.left_out is not None and _opens(hidden, shown, other, smallest, *table.between(table.left_out)):
        return True
    if not table.margins:
        return False
    for line in _lines(hidden):
        together = sum(cell.size for cell in line)
        if any(cell.names in shown for cell in line) and _opens(line, shown, other, smallest, together, together):
            return True
    return False


def _opens(
    hidden: Sequence[Cell], shown: Mapping[Names, Cell], other: Told, smallest: int, least: int, most: int
) -> bool:
    """Whether those of `hidden`, `least` to `most` together, of which the other table does not tell, can be told to be small ones."""
    left = []
    for cell in hidden:
        said = shown[cell.names].told if cell.names in shown and cell.size >= smallest else None
        if said is None:
            left.append(cell)
        else:
            low, high = other.between(said)
            least, most = least - high, most - low
    if not left:  # what is over is how much the others have changed, together
        return _is_small(least, most, smallest)
    return any(cell.size < smallest for cell in left) and most - (len(left) - 1) < smallest


def _is_small(least: int, most: int, smallest: int) -> bool:
    """Whether all from `least` to `most` are changes, and too few."""
    return 0 < least <= most < smallest or -smallest < least <= most < 0


def _lines(cells: Iterable[Cell]) -> Iterable[list[Cell]]:
    """The cells that differ in one column alone."""
    lines: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        for column in range(len(cell.names)):
            lines.setdefault((column, *cell.names[:column], *cell.names[column + 1 :]), []).append(cell)
    return lines.values()

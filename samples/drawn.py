"""Rows that are drawn one by one, some of them bad, and how they are written: for feeds that need no millions."""

import csv
import io
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Row = dict[str, str | None]
Broken = Mapping[str, str | None]
"""Cells that make a good row bad."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows the delivery holds, and how many of them the schema rejects."""

    rows: int
    bad_rows: int


def rows(
    one: Callable[[random.Random, int], Row], count: int, *, seed: int, broken: Sequence[Broken], bad_share: float
) -> tuple[list[Row], int]:
    """`count` rows, of which about `bad_share` have one of `broken` instead of their own cells; and how many have."""
    draw, bad, made = random.Random(seed), 0, []
    for number in range(count):
        row = one(draw, number)
        if draw.random() < bad_share:
            row |= draw.choice(broken)
            bad += 1
        made.append(row)
    return made, bad


def as_csv(columns: Iterable[str], made: Iterable[Row]) -> bytes:
    """The rows below a header; an absent cell is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(made)
    return out.getvalue().encode()


def as_json_lines(made: Iterable[Row]) -> bytes:
    """One object a line; an absent cell is left out, and lines of a cell are a list."""
    return "".join(f"{json.dumps(_filled(row), ensure_ascii=False)}\n" for row in made).encode()


def _filled(row: Row) -> dict[str, str | list[str]]:
    return {name: cell.split("\n") if "\n" in cell else cell for name, cell in row.items() if cell is not None}

"""Synthetic CSV deliveries of a few rows: drawn one by one from a seed, made from syllables, about nobody."""

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO

import pandera.polars as pa

Row = dict[str, str]
_STARTS = ("VEL", "TOR", "MAR", "KES", "BRU", "LIN", "SAM", "ODE", "PET", "WAL")
_ENDS = ("DAMAR", "ENSKI", "OVALD", "IGAR", "UMBEL", "ARQUE", "ESTAD", "ILVOR", "ONDAY", "ANTIS")
_GIVEN = ("TILDA", "RUBEN", "MIRELA", "ANTON", "SANNA", "ODILE", "BRUNO", "KATYA", "LARS", "INES")
FIRST_DAY = date(2026, 11, 1)


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows the delivery holds, and how many of them the schema rejects."""

    rows: int
    bad_rows: int


@dataclass(frozen=True, slots=True)
class SmallList:
    """How the deliveries of one feed are drawn. `broken`: what can be wrong with a bad row, cells instead of its own."""

    schema: pa.DataFrameSchema
    draw: Callable[[random.Random, int], Row]
    broken: Sequence[Mapping[str, str]]
    record: Callable[[Row], bytes] | None = None
    """how a row is written where the feed is no CSV"""

    def write(self, out: BinaryIO, *, rows: int, seed: int, bad_share: float = 0.0) -> Written:
        """A delivery of `rows` rows is in `out`, the same bytes for the same arguments; one row is bad where any may be."""
        chance, drawn, bad_rows = random.Random(seed), [], 0
        for number in range(rows):
            row = self.draw(chance, number)
            if bad_share and (number == 0 or chance.random() < bad_share):
                row |= self.broken[(number + seed) % len(self.broken)]
                bad_rows += 1
            drawn.append(row)
        out.write(self.written(drawn))
        return Written(rows, bad_rows)

    def rows(self, rows: int, *, seed: int = 7) -> list[Row]:
        """Good rows, for a test to change."""
        chance = random.Random(seed)
        return [self.draw(chance, number) for number in range(rows)]

    def written(self, rows: Sequence[Row], *, columns: Sequence[str] = ()) -> bytes:
        """These rows as a delivery, under the schema's columns or others."""
        if self.record:
            return b"".join(self.record(row) for row in rows)
        text = io.StringIO()
        table = csv.DictWriter(text, columns or list(self.schema.columns), restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        return text.getvalue().encode()

    def with_a_column_more(self, name: str, cell: str) -> bytes:
        """A delivery that tells more than the feed may: refused as a whole."""
        return self.written([row | {name: cell} for row in self.rows(5)], columns=[*self.schema.columns, name])

    def truncated(self) -> bytes:
        """A delivery whose last row breaks off."""
        return self.written(self.rows(5)).rstrip(b"\n").rpartition(b",")[0] + b',"'


def surname(chance: random.Random) -> str:
    return chance.choice(_STARTS) + chance.choice(_ENDS)


def given(chance: random.Random) -> str:
    return chance.choice(_GIVEN)


def day(chance: random.Random, *, first: date = FIRST_DAY, days: int = 20) -> date:
    return first + timedelta(days=chance.randrange(days))


def birth_date(chance: random.Random) -> date:
    return day(chance, first=date(1950, 1, 1), days=18_000)


def capitals(chance: random.Random, characters: int) -> str:
    return "".join(chance.choices("ABCDEFGHJKLMNPRSTUVWXYZ23456789", k=characters))


def hexadecimal(chance: random.Random, characters: int) -> str:
    return f"{chance.getrandbits(4 * characters):0{characters}X}"

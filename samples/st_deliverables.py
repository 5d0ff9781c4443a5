"""Synthetic deliverables of science and technology projects: made from words and a seed, about nobody."""

import hashlib
import io
import random
from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO

import polars as pl

from samples.aeo_members import Written
from samples.st_controls import BROKEN, Row, controls
from samples.st_projects import PARTY
from schemas.st_deliverables import COLUMNS, KINDS

_WORKS = ("Final report", "Test bench", "Reference images", "Field trial", "Evaluation", "Interface draft")
_AUTHORS = ("Tilda Vandermolen", "Ruben Okonjari", "Mirela Teskedal", "Anton Faldberg")


def write(out: BinaryIO, *, deliverables: int, seed: int, bad_share: float = 0.0) -> Written:
    """A list of `deliverables` rows is in `out`; the same arguments always give the same bytes."""
    draw = random.Random(f"deliverables {seed}")
    rows = [deliverable(draw, number) for number in range(deliverables)]
    bad = [row for row in rows if draw.random() < bad_share]
    for row in bad:
        row |= draw.choice(BROKEN)
    out.write(delivery(rows))
    return Written(len(rows), len(bad))


def deliverable(draw: random.Random, number: int) -> Row:
    """One deliverable; its number is made of `number`."""
    project, year = number // 99, 2010 + number // 99 // 999
    project_no = f"ST-{PARTY}-{year}-{project % 999 + 1:03}"
    return {
        "deliverable_id": f"{project_no}-D{number % 99 + 1:02}",
        "project_no": project_no,
        "kind": draw.choice(KINDS),
        "title": f"{draw.choice(_WORKS)} {draw.randrange(1, 9)}",
        "authors": "\n".join(draw.sample(_AUTHORS, k=2)),
        "sha256": hashlib.sha256(draw.randbytes(8)).hexdigest(),
        "delivered_on": f"{year}-{draw.randrange(1, 13):02}-15",
        **controls(draw, PARTY),
    }


def delivery(rows: Iterable[Mapping[str, str | None]]) -> bytes:
    """The rows as they are written."""
    return pl.DataFrame(list(rows), schema=dict.fromkeys(COLUMNS, pl.String)).write_csv().encode()


def _unmarked() -> bytes:
    out = io.BytesIO()
    write(out, deliverables=40, seed=7)
    rows = pl.read_csv(io.BytesIO(out.getvalue()), infer_schema=False).to_dicts()
    return delivery([{**rows[0], "marking": None}, *rows[1:]])


VARIANTS: dict[str, Callable[[], bytes]] = {"unmarked": _unmarked}
"""Deliveries that are refused as a whole."""

"""Synthetic science and technology projects with one party: made from words and a seed, about nobody."""

import io
import random
from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO

import polars as pl

from samples.aeo_members import Written
from samples.st_controls import BROKEN, Row, controls
from schemas.st_projects import COLUMNS

PARTY = "DEU"
_SUBJECTS = (
    "trace detection",
    "cargo imaging",
    "flood forecasts",
    "secure credentials",
    "decontamination",
    "drone sensing",
)
_APPROACHES = ("Field trials of", "Standards for", "New sensors for", "Shared models of", "Low-cost")
_ORGANISATIONS = ("Institut Nordhafen", "Altbruck University of Technology", "Labor Köstrin", "Garnwick Research")
_LEADS = ("Tilda Vandermolen", "Ruben Okonjari", "Mirela Teskedal", "Anton Faldberg")


def write(out: BinaryIO, *, projects: int, seed: int, bad_share: float = 0.0) -> Written:
    """A list of `projects` rows is in `out`; the same arguments always give the same bytes."""
    draw = random.Random(f"projects {seed}")
    rows = [project(draw, number) for number in range(projects)]
    bad = [row for row in rows if draw.random() < bad_share]
    for row in bad:
        row |= draw.choice(BROKEN)
    out.write(delivery(rows))
    return Written(len(rows), len(bad))


def project(draw: random.Random, number: int) -> Row:
    """One project; its number is made of `number`."""
    year, month, funding = 2010 + number // 999, draw.randrange(1, 13), draw.choice((40, 50, 60))
    return {
        "project_no": f"ST-{PARTY}-{year}-{number % 999 + 1:03}",
        "party": PARTY,
        "title": f"{draw.choice(_APPROACHES)} {draw.choice(_SUBJECTS)}",
        "abstract": f"Aims: {draw.choice(_SUBJECTS)}; see work plan {draw.randrange(1000)}",
        "partner_org": draw.choice(_ORGANISATIONS),
        "lead_name": draw.choice(_LEADS),
        "trl": str(draw.randrange(1, 10)),
        "start_date": f"{year}-{month:02}-01",
        "end_date": draw.choice((None, f"{year + 3}-{month:02}-28")),
        "funding_ours": str(funding),
        "funding_partner": str(100 - funding),
        **controls(draw, PARTY),
    }


def delivery(rows: Iterable[Mapping[str, str | None]]) -> bytes:
    """The rows as they are written."""
    return pl.DataFrame(list(rows), schema=dict.fromkeys(COLUMNS, pl.String)).write_csv().encode()


def _with_first(**cells: str | None) -> bytes:
    out = io.BytesIO()
    write(out, projects=40, seed=7)
    rows = pl.read_csv(io.BytesIO(out.getvalue()), infer_schema=False).to_dicts()
    return delivery([{**rows[0], **cells}, *rows[1:]])


VARIANTS: dict[str, Callable[[], bytes]] = {
    "classified": lambda: _with_first(marking="SECRET//NOFORN"),
    "expt-for-anybody": lambda: _with_first(marking='CUI//EXPT | DESIGNATED BY "Example Science Directorate"'),
    "noforn-and-rel-to": lambda: _with_first(
        marking='CUI//EXPT//NOFORN/REL TO USA, DEU | DESIGNATED BY "Example Science Directorate"'
    ),
}
"""Deliveries that are refused as a whole, for one banner in them."""

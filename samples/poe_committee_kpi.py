"""Synthetic figures of port of entry committees, from both sides."""

import random
from collections.abc import Callable
from typing import BinaryIO

from samples.drawn import Broken, Row, Written, as_csv, rows
from schemas.poe_committee_kpi import COLUMNS, KPIS, UNITS

_BROKEN: tuple[Broken, ...] = (
    {"unit": "furlongs"},
    {"month": "2026-00"},
    {"own_value": None, "partner_value": None},
    {"kpi": "NEXUS_SHARE", "unit": "percent", "target": "101"},
)


def write(out: BinaryIO, *, figures: int, seed: int, bad_share: float = 0.0) -> Written:
    """`figures` rows are in `out`; the same arguments always give the same bytes."""
    made, bad = rows(_figure, figures, seed=seed, broken=_BROKEN, bad_share=bad_share)
    out.write(as_csv(COLUMNS, made))
    return Written(len(made), bad)


def _figure(draw: random.Random, number: int) -> Row:
    port, kpi = divmod(number, len(KPIS))
    name = KPIS[kpi]
    most = {"minutes": 90, "percent": 100, "count": 60}[UNITS[name]]
    return {
        "port_code": f"{101 + port:04}",
        "month": "2026-10",
        "kpi": name,
        "unit": UNITS[name],
        "target": str(most // 2),
        "own_value": str(draw.randint(0, most)),
        "partner_value": str(draw.randint(0, most)) if draw.random() < 0.9 else None,
    }


def _missing_column() -> bytes:
    made, _ = rows(_figure, 3, seed=7, broken=_BROKEN, bad_share=0)
    columns = [name for name in COLUMNS if name != "kpi"]
    return as_csv(columns, ({name: row[name] for name in columns} for row in made))


VARIANTS: dict[str, Callable[[], bytes]] = {"missing-column": _missing_column}
"""Deliveries that must be refused as a whole."""

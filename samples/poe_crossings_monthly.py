"""Synthetic monthly crossings: each port, month and measure once, counts from none to hundreds of thousands."""

import random
from collections.abc import Callable
from typing import BinaryIO

from samples.drawn import Broken, Row, Written, as_csv, rows
from schemas.poe_crossings_monthly import CARGO, COLUMNS, MEASURES

_STATES = ("Maine", "Montana", "New York", "Texas", "Vermont", "Washington")
_BROKEN: tuple[Broken, ...] = ({"value": "-1"}, {"month": "2026-13"}, {"measure": "Unicorns"}, {"port_code": "12"})


def write(out: BinaryIO, *, counts: int, seed: int, bad_share: float = 0.0) -> Written:
    """`counts` rows are in `out`; the same arguments always give the same bytes."""
    made, bad = rows(_count, counts, seed=seed, broken=_BROKEN, bad_share=bad_share)
    out.write(as_csv(COLUMNS, made))
    return Written(len(made), bad)


def counted(port: str, measure: str, value: int, *, month: str = "2026-10", share: int | None = None) -> Row:
    """One count."""
    largest = share if share is not None else 40
    return {
        "port_name": f"Port {port}",
        "state": _STATES[int(port) % len(_STATES)],
        "port_code": port,
        "border": "US-Canada Border",
        "month": month,
        "measure": measure,
        "value": str(value),
        "largest_share": str(largest) if measure in CARGO else None,
    }


def _count(draw: random.Random, number: int) -> Row:
    month, place = divmod(number, 12 * 30)
    port, measure = divmod(place, 12)
    value = int(10 ** draw.uniform(0, 5)) - 1
    share = draw.choice((20, 35, 50, 85)) if value else 0
    return counted(f"{101 + port:04}", MEASURES[measure], value, month=f"2026-{month % 12 + 1:02}", share=share)


def _missing_column() -> bytes:
    columns = [name for name in COLUMNS if name != "value"]
    return as_csv(columns, [{name: counted("0101", "Buses", 40)[name] for name in columns}])


VARIANTS: dict[str, Callable[[], bytes]] = {"missing-column": _missing_column}
"""Deliveries that must be refused as a whole."""

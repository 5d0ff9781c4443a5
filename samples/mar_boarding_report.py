"""Synthetic boarding reports in JSON Lines."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import BinaryIO

from samples.drawn import Broken, Row, Written, as_json_lines, rows
from samples.mar_flag_query import SEEN
from samples.mar_ships import Ship, at, person

_BROKEN: tuple[Broken, ...] = (
    {"ended_at": "2020-01-01T00:00Z"},
    {"outcome": "DETAINED", "detained_names": None},
    {"found": "NONE", "found_kg": "12"},
    {"asset_latitude": "100"},
    {"imo": "881427"},
)


def write(out: BinaryIO, *, boardings: int, seed: int, bad_share: float = 0.0) -> Written:
    """`boardings` rows are in `out`; the same arguments always give the same bytes."""
    made, bad = rows(_boarding, boardings, seed=seed, broken=_BROKEN, bad_share=bad_share)
    out.write(as_json_lines(made))
    return Written(len(made), bad)


def _boarding(draw: random.Random, number: int) -> Row:
    ship, began = Ship(draw, "PA"), SEEN + timedelta(hours=2, minutes=7 * number)
    persons = [person(draw) for _ in range(draw.randint(3, 8))]
    found = draw.choice(("NARCOTICS", "MIGRANTS", "IUU", "NONE"))
    outcome = draw.choice(("DETAINED", "EVIDENCE_FOUND", "RELEASED_TO_FLAG")) if found != "NONE" else "NOTHING_FOUND"
    detained = persons[:2] if outcome == "DETAINED" else []
    return {
        "boarding_no": f"BRD2026-{number + 1:05}",
        "query_no": f"FQ2026-{number + 1:05}",
        "vessel_name": ship.name,
        "imo": ship.imo,
        "flag": ship.flag,
        "boarded_at": at(began),
        "ended_at": at(began + timedelta(minutes=draw.randint(40, 600))),
        "outcome": outcome,
        "found": found,
        "found_kg": f"{draw.uniform(1, 900):.1f}" if found == "NARCOTICS" else None,
        "persons_on_board": str(len(persons)),
        "crew_names": "\n".join(name for name, *_ in persons),
        "crew_documents": "\n".join(paper for *_, paper in persons),
        "detained_names": "\n".join(name for name, *_ in detained) or None,
        "detained_births": "\n".join(birth for _, birth, *_ in detained) or None,
        "detained_nationalities": "\n".join(country for _, _, country, _ in detained) or None,
        "detained_documents": "\n".join(paper for *_, paper in detained) or None,
        "narrative": "Approached from the stern at first light; master consented",
        "asset_name": "CUTTER EXAMPLE",
        "asset_latitude": f"{draw.uniform(8, 20):.3f}",
        "asset_longitude": f"{draw.uniform(-85, -65):.3f}",
    }


def one(seed: int = 7, **cells: str | None) -> Row:
    """A good report, with these cells instead."""
    return _boarding(random.Random(seed), 0) | cells


def _truncated() -> bytes:
    return as_json_lines([one()])[:-20]


VARIANTS: dict[str, Callable[[], bytes]] = {"truncated": _truncated}
"""Deliveries that must be refused as a whole."""

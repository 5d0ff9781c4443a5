"""Synthetic flag queries in JSON Lines: vessels that do not exist, asked about."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from samples.drawn import Broken, Row, Written, as_json_lines, rows
from samples.mar_ships import Ship, at
from schemas.mar_flag_query import ACTIONS, SUSPICIONS

SEEN = datetime(2026, 11, 10, 4, tzinfo=UTC)
_BROKEN: tuple[Broken, ...] = (
    {"imo": "931946"},
    {"latitude": "-90.01"},
    {"longitude": "180.5"},
    {"course": "360"},
    {"suspicion": "RUMOUR"},
    {"asked_at": "2020-01-01T00:00Z"},
    {"registration_no": None, "imo": None, "mmsi": None, "call_sign": None},
)


def write(out: BinaryIO, *, queries: int, seed: int, bad_share: float = 0.0) -> Written:
    """`queries` rows are in `out`; the same arguments always give the same bytes."""
    made, bad = rows(_query, queries, seed=seed, broken=_BROKEN, bad_share=bad_share)
    out.write(as_json_lines(made))
    return Written(len(made), bad)


def _query(draw: random.Random, number: int) -> Row:
    ship, seen = Ship(draw, "PA" if draw.random() < 0.7 else ""), SEEN + timedelta(minutes=7 * number)
    latitude, longitude = draw.uniform(8, 20), draw.uniform(-85, -65)
    return {
        "query_no": f"FQ2026-{number + 1:05}",
        "vessel_name": ship.name,
        "claimed_flag": ship.flag,
        "registration_no": f"{ship.flag}-{draw.randint(1000, 9999)}",
        "imo": ship.imo if draw.random() < 0.5 else None,
        "mmsi": ship.mmsi,
        "call_sign": ship.call_sign,
        "latitude": f"{latitude:.3f}",
        "longitude": f"{longitude:.3f}",
        "course": f"{draw.uniform(0, 359):.1f}",
        "speed": f"{draw.uniform(0, 30):.1f}",
        "observed_at": at(seen),
        "suspicion": draw.choice(SUSPICIONS),
        "requested_action": draw.choice(ACTIONS),
        "asked_at": at(seen + timedelta(minutes=draw.randint(5, 50))),
        "grounds": "Seen from the air by a patrol; cargo on deck under canvas",
        "asset_name": "CUTTER EXAMPLE",
        "asset_latitude": f"{latitude - 0.2:.3f}",
        "asset_longitude": f"{longitude + 0.3:.3f}",
    }


def one(seed: int = 7) -> Row:
    """A good query to Panama."""
    return _query(random.Random(seed), 0) | {"claimed_flag": "PA"}


def _truncated() -> bytes:
    return as_json_lines([one()])[:-20]


VARIANTS: dict[str, Callable[[], bytes]] = {"truncated": _truncated}
"""Deliveries that must be refused as a whole."""

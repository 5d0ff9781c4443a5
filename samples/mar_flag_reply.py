"""Synthetic flag replies in JSON Lines."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import BinaryIO

from samples.drawn import Broken, Row, Written, as_json_lines, rows
from samples.mar_flag_query import SEEN
from samples.mar_ships import at

_BROKEN: tuple[Broken, ...] = (
    {"nationality": "MAYBE"},
    {"nationality": "REFUTED", "authorisation": "SEARCH"},
    {"replied_at": "2020-01-01T00:00Z"},
    {"boarding_no": "BRD1"},
    {"jurisdiction_waived": "Y", "authorisation": "BOARD"},
)


def write(out: BinaryIO, *, replies: int, seed: int, bad_share: float = 0.0) -> Written:
    """`replies` rows are in `out`; the same arguments always give the same bytes."""
    made, bad = rows(_reply, replies, seed=seed, broken=_BROKEN, bad_share=bad_share)
    out.write(as_json_lines(made))
    return Written(len(made), bad)


def _reply(draw: random.Random, number: int) -> Row:
    asked = SEEN + timedelta(minutes=7 * number + 30)
    nationality = draw.choice(("CONFIRMED", "CONFIRMED", "CONFIRMED", "REFUTED", "CANNOT_CONFIRM"))
    authorisation = draw.choice(
        ("BOARD", "SEARCH", "DETAIN", "DENY") if nationality == "CONFIRMED" else ("DENY", "NONE")
    )
    return {
        "query_no": f"FQ2026-{number + 1:05}",
        "boarding_no": f"BRD2026-{number + 1:05}",
        "nationality": nationality,
        "authorisation": authorisation,
        "jurisdiction_waived": "Y" if authorisation == "DETAIN" and draw.random() < 0.3 else "N",
        "conditions": draw.choice((None, "Master is told before\nNo warning shots", "Report within 24 hours")),
        "asked_at": at(asked),
        "replied_at": at(asked + timedelta(minutes=draw.randint(20, 240))),
        "duty_officer": "DUTY OFFICER EXAMPLE",
    }


def one(seed: int = 7, **cells: str | None) -> Row:
    """A good reply, with these cells instead."""
    return _reply(random.Random(seed), 0) | cells


def _truncated() -> bytes:
    return as_json_lines([one()])[:-20]


VARIANTS: dict[str, Callable[[], bytes]] = {"truncated": _truncated}
"""Deliveries that must be refused as a whole."""

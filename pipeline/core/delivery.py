"""What arrived, what is it called, and which run takes it?"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

POSITION = "_position"
"""Name of the column that carries a row's place in its delivery: the record number (csv) or segment number (EDIFACT)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One arrived object, named by the SHA-256 (hex) of the bytes that the partner wrote.

    `landed_as` is its key in landing. `signature` is the detached signature that came with it, in base64.
    """

    id: str
    feed: str
    landed_as: str
    size_bytes: int
    claimed_at: datetime
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Lot:
    """The deliveries that one run takes, in the order of their ids: one normally, many under backlog."""

    id: str
    feed: str
    deliveries: tuple[Delivery, ...]


def lot_id(feed: str, delivery_ids: Sequence[str]) -> str:
    """The lot's name: the same deliveries of the same feed always give the same name, whatever their order."""
    digest = hashlib.sha256("\n".join([feed, *sorted(set(delivery_ids))]).encode()).hexdigest()
    return f"{feed}.{digest[:16]}"

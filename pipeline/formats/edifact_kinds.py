"""How is any kind of EDIFACT message read? PNRGOV, PAXLST and CUSCAR share this shape.

Segments come in windows; each kind says with which segment a unit of its own begins; and whole units become batches.
What a kind adds is which segment belongs to what, and what its segments say.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from pipeline.core.findings import Tally
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.edifact import read_segments
from pipeline.formats.edifact_messages import require_messages
from pipeline.formats.edifact_units import Units, require_columns


@dataclass(frozen=True, slots=True)
class MessageKind:
    """A kind of message. A unit of it, which partners call `noun`, begins with one of `opens`, where `where` holds."""

    name: str
    versions: str
    """a pattern of version and release, `D:05B`"""
    versions_meant: str
    noun: str
    columns: tuple[str, ...]
    opens: tuple[str, ...]
    where: pl.Expr | None = None


class Delivery(Protocol):
    """The delivery so far: what has been said that holds for units to come."""

    def batches(self, frame: pl.DataFrame, tally: Tally, *, last: bool) -> Iterator[Batch]:
        """The rows of the whole units in `frame`, which takes up where the last one ended. `last`: no more will come."""
        ...


def read_messages(
    kind: MessageKind,
    begin: Callable[[Units], Delivery],
    blocks: Iterable[bytes],
    columns: tuple[str, ...],
    limits: Limits,
) -> Iterator[Batch]:
    """Rows in batches; the last one may have none and holds what only the end could tell.

    Raises:
        Refused: what `read_segments` raises; message-unknown (another kind, or a version that is not known).
        Misconfigured: column-unknown.
    """
    require_columns(kind.name, columns, kind.columns)
    units = Units(kind.noun, columns, limits)
    delivery = begin(units)
    for segments in read_segments(blocks, limits):
        tally = Tally()
        for finding in segments.tolerated:
            tally.add(finding.rule, finding.column, finding.positions, finding.count)
        require_messages(segments.frame, kind.name, kind.versions, kind.versions_meant)
        yield from delivery.batches(units.whole(segments.frame, kind.opens, kind.where), tally, last=False)
    yield from delivery.batches(units.rest(), Tally(), last=True)

"""What came of each verb of the journey, for whoever called it: names, codes and counts."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.core.delivery import Lot
from pipeline.edges.returns import Returned


@dataclass(frozen=True, slots=True)
class Refusal:
    """A delivery that was refused as a whole, and is in quarantine."""

    delivery: str
    landed_as: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Swept:
    """`lots` are to be received now. `returned` is what recipients gave back.

    `refused` landed where no feed is, or does not hold. `odd` says which files could not be taken, and why.
    """

    lots: tuple[Lot, ...]
    refused: tuple[Refusal, ...]
    odd: tuple[str, ...] = ()
    returned: tuple[Returned, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a lot. `kept`: the keys to release; `refused`: the deliveries that are in quarantine."""

    lot: str
    kept: tuple[str, ...]
    accepted_rows: int
    rejected_rows: int
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """The one release of kept rows under one agreement. `already`: an earlier run had published it."""

    release: str
    recipient: str
    rows: int
    parts: int
    already: bool


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The one withdrawal of a release, as whoever came first has said it. `already`: that was an earlier run.

    `next`: the name of the revision that the next `release` makes; None where there will be none.
    """

    release: str
    recipient: str
    by: str
    why: str
    at: datetime
    next: str | None
    already: bool

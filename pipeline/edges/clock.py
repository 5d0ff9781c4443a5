"""May this machine's clock be believed? Not when it is behind what the ledger says was done last."""

from datetime import timedelta

from pipeline.core.errors import Code, Misconfigured
from pipeline.edges.ledger import Entry, Fact, Kind
from pipeline.edges.site import Site

CLOCK_TOLERANCE = timedelta(minutes=10)
"""How far the clocks of two machines may be apart; NTP keeps them within a second."""


def clock_holds(site: Site) -> None:
    """This machine's clock is not behind what the ledger says was done last; else Misconfigured.

    An agreement that has ended is in force again for a clock that went back, and every date of retention is wrong.
    """
    last, now = site.ledger.last(), site.now()
    if last is not None and now < last.at - CLOCK_TOLERANCE:
        raise Misconfigured(
            Code.CLOCK_JUMPED,
            f"by this machine's clock it is {now.isoformat(timespec='seconds')}, and the last entry of the ledger is of "
            f"{last.at.isoformat(timespec='seconds')}.",
            next_step="set the clock, then rerun; where the entry is wrong, `safeconduct clock --by NAME --why TEXT`.",
        )


def clock_corrected(site: Site, *, by: str, why: str) -> Entry:
    """Somebody has said that the clock is right now, and was ahead when the last entry was written."""
    last, now = site.ledger.last(), site.now()
    facts: dict[str, Fact] = {"by": by, "why": why, "last": last.at.isoformat() if last else None}
    id = f"{Kind.CLOCK.value}:{now.isoformat()}"
    return site.ledger.append(id=id, kind=Kind.CLOCK, subject="clock", facts=facts, at=now)

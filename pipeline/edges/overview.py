"""What became of each delivery? Read from what the journey left behind: nothing is kept for the overview alone.

A delivery waits until its lot has an outcome. A release is published when its manifest is there; before, the agreement as
it is now says whether it would be refused, and the ledger whether a gate has refused it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any

from pipeline.core.delivery import Delivery
from pipeline.core.duration import after
from pipeline.core.errors import Code, Conflict, Misconfigured, Postponed, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.feed import Feed
from pipeline.edges import record
from pipeline.edges.catalogue import Broken, Catalogue
from pipeline.edges.permission import permitted
from pipeline.edges.publication import release_name
from pipeline.edges.returns import acknowledged_by
from pipeline.edges.revision import last_revision
from pipeline.edges.site import Site
from pipeline.edges.vault import Accepted, Kept

GATES = (
    Code.MARKING_FORBIDS,
    Code.OUTPUT_DIFFERS,
    Code.WITHHELD_VALUE_FOUND,
    Code.CELL_TOO_SMALL,
    Code.GROUP_TOO_SMALL,
    Code.ROWS_NOT_CONSERVED,
)
"""The refusals that show only when the rows are redacted."""

_ENDING = "/manifest.json"


class Outcome(Enum):
    """What became of a delivery."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Standing(Enum):
    """Where a release stands."""

    PENDING = "pending"
    RELEASED = "released"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Prospect:
    """The last revision of the release of a kept record under one agreement, published or not.

    `code`: why it is refused, or still pending.

    `deliveries`: how many of them the release is made of; `rows`: what it holds of all of them together. `acknowledged`: who has
    said that it has it.
    """

    agreement: str
    recipient: str
    release: str
    deliveries: int
    standing: Standing
    rows: int | None = None
    code: str | None = None
    acknowledged: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to it now: a delay that is not over ends by itself."""
        return self.standing is not Standing.PENDING or self.code == Code.NOT_YET.value


@dataclass(frozen=True, slots=True)
class Traced:
    """A delivery and what became of it. `delivery` is None while nobody has claimed it, `lot` where it has none.

    `code`, `message` and `next_step` say why it was refused. `kept` is the record that holds its accepted rows.
    """

    delivery: str | None
    feed: str
    landed_as: str
    size_bytes: int
    claimed_at: datetime | None
    lot: str | None
    outcome: Outcome
    code: str | None = None
    message: str | None = None
    next_step: str | None = None
    received: int | None = None
    accepted: int | None = None
    rejected: int | None = None
    kept: str | None = None
    releases: tuple[Prospect, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.outcome is Outcome.REFUSED or (
            self.outcome is Outcome.ACCEPTED and all(one.settled for one in self.releases)
        )


@dataclass(frozen=True, slots=True)
class Late:
    """A feed with a timetable of which nothing was accepted in time. `last_accepted_at` None: nothing ever was."""

    feed: str
    partner: str
    every: str
    last_accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The site's deliveries, the newest first, feeds that are late, and catalogue files that cannot be used."""

    deliveries: tuple[Traced, ...]
    late: tuple[Late, ...]
    broken: tuple[Broken, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    delivery: Delivery
    lot: str | None


def overview(site: Site, *, feed: str = "", limit: int | None = None) -> Overview:
    """What became of the newest `limit` deliveries, of one feed or of all."""
    catalogue = site.catalogue()
    known = [one for one in _claimed(site) if feed in ("", one.delivery.feed)]
    traced = [_unclaimed(site, folder, key, size) for folder, key, size in _landed(site, known) if feed in ("", folder)]
    left = None if limit is None else max(0, limit - len(traced))
    traced += [_traced(site, catalogue, one) for one in known[:left]]
    late = tuple(_late(site, catalogue, feed))
    return Overview(tuple(traced[:limit]), late, catalogue.broken)


def trace(site: Site, delivery: str) -> tuple[Traced, ...]:
    """What became of the deliveries whose id begins with `delivery`."""
    catalogue = site.catalogue()
    return tuple(_traced(site, catalogue, one) for one in _claimed(site) if one.delivery.id.startswith(delivery))


def prospects(site: Site, catalogue: Catalogue, kept: Kept) -> tuple[Prospect, ...]:
    """The releases of a kept record: one for each agreement of its feed."""
    return tuple(_prospect(site, catalogue, agreement, kept) for agreement in catalogue.agreements_of(kept.feed))


def release_names(site: Site) -> Iterator[tuple[str, str]]:
    """Recipient and name of every release whose manifest is on shared storage, verified or not."""
    for listed in site.publication.store.listing():
        recipient, _, rest = listed.key.partition("/releases/")
        if rest.endswith(_ENDING) and rest.count("/") == 1:
            yield recipient, rest.removesuffix(_ENDING)


def _claimed(site: Site) -> list[_Known]:
    """Every delivery that somebody has claimed, or that was refused where no feed is; the newest first."""
    known = [_Known(delivery, lot.id) for lot in site.landing.lots() for delivery in lot.deliveries]
    ids = {one.delivery.id for one in known}
    for id in sorted(_quarantined(site) - ids):
        for report in site.quarantine.reports(id):
            at = datetime.fromisoformat(report["claimed_at"])
            known.append(_Known(Delivery(id, report["feed"], report["landed_as"], report["size_bytes"], at), None))
            break
    return sorted(known, key=lambda one: (one.delivery.claimed_at, one.delivery.landed_as), reverse=True)


def _quarantined(site: Site) -> set[str]:
    return {listed.key.split("/")[1] for listed in site.quarantine.store.listing("quarantine")}


def _landed(site: Site, known: list[_Known]) -> list[tuple[str, str, int]]:
    """Folder, key and size of the files in landing that no claim speaks of."""
    files = [
        (folder, listed)
        for folder, waiting in site.landing.waiting(site.catalogue().signed_feeds).items()
        for listed in waiting
    ]
    keys = {listed.key for _, listed in files}
    claimed = {
        one.delivery.landed_as
        for one in known
        if one.delivery.landed_as in keys and one.lot and not site.vault.holds(one.lot, one.delivery.id)
    }
    return [(folder, listed.key, listed.size_bytes) for folder, listed in files if listed.key not in claimed]


def _unclaimed(site: Site, folder: str, key: str, size_bytes: int) -> Traced:
    return Traced(None, folder, key, size_bytes, None, None, Outcome.WAITING)


def _traced(site: Site, catalogue: Catalogue, known: _Known) -> Traced:
    delivery = known.delivery
    facts: dict[str, Any] = {
        "delivery": delivery.id,
        "feed": delivery.feed,
        "landed_as": delivery.landed_as,
        "size_bytes": delivery.size_bytes,
        "claimed_at": delivery.claimed_at,
        "lot": known.lot,
    }
    for kept in site.vault.of_lot(known.lot) if known.lot else ():
        for one in kept.deliveries:
            if one.delivery == delivery.id:
                return Traced(**facts, **_acceptance(kept, one), releases=prospects(site, catalogue, kept))
    refusal = _refusal(site, delivery)
    if refusal:
        said = {name: refusal[name] for name in ("code", "message", "next_step")}
        return Traced(**facts, outcome=Outcome.REFUSED, **said)
    return Traced(**facts, outcome=Outcome.WAITING)


def _acceptance(kept: Kept, one: Accepted) -> dict[str, Any]:
    return {
        "outcome": Outcome.ACCEPTED,
        "received": one.received,
        "accepted": one.accepted,
        "rejected": one.rejected,
        "kept": kept.key,
    }


def _refusal(site: Site, delivery: Delivery) -> dict[str, Any] | None:
    """The report of the last refusal: reports bear no order, so the ledger says which one came last."""
    refusals = [
        report
        for report in site.quarantine.reports(delivery.id)
        if report["outcome"] == "refused" and report["feed"] == delivery.feed
    ]
    if len(refusals) < 2:
        return refusals[0] if refusals else None

    def recorded(report: dict[str, Any]) -> int:
        entry = site.ledger.find(f"refused:{delivery.feed}:{delivery.id}:{report['code']}")
        return entry.sequence if entry else -1

    return max(refusals, key=recorded)


def _prospect(site: Site, catalogue: Catalogue, agreement: Agreement, kept: Kept) -> Prospect:
    name = release_name(agreement, kept)
    told = partial(Prospect, agreement.id, agreement.recipient, name, len(kept.deliveries))
    try:
        last = last_revision(site.publication, agreement.recipient, name)
        told = partial(Prospect, agreement.id, agreement.recipient, last.release, len(kept.deliveries))
        if last.published:
            heard = acknowledged_by(site, catalogue, agreement.recipient, last.release)
            told = partial(told, acknowledged=tuple(reader for reader, entry in heard.items() if entry))
            rows = last.published.predicate["rows"]["released"]
            return told(Standing.WITHDRAWN) if last.withdrawn else told(Standing.RELEASED, rows)
        permitted(site, catalogue, agreement, kept)
        code = record.withheld_for(site, agreement, catalogue.digest(agreement), kept, GATES)
    except Postponed as waiting:
        return told(Standing.PENDING, code=waiting.code.value)
    except Refused as refusal:
        code = refusal.code
    except (Misconfigured, Conflict) as fault:  # somebody must look; the other releases are shown all the same
        return told(Standing.PENDING, code=fault.code.value)
    return told(Standing.REFUSED, code=code.value) if code else told(Standing.PENDING)


def _late(site: Site, catalogue: Catalogue, only: str) -> Iterator[Late]:
    for feed in catalogue.feeds.values():
        if feed.expected is None or only not in ("", feed.id):
            continue
        last = _last_accepted(site, feed)
        if last is None or after(after(last, feed.expected.every), feed.expected.within) < site.now():
            yield Late(feed.id, feed.partner, feed.expected.every, last)


def _last_accepted(site: Site, feed: Feed) -> datetime | None:
    return max(
        (kept.loaded_at for lot in site.landing.lots(feed.id) for kept in site.vault.of_lot(lot.id)), default=None
    )

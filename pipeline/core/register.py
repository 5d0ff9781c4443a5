"""Which texts and agreements do we exchange under, and how do they stand at an instant?

The register keeps every instrument, and every version of every agreement that rests on one (6 USC 211(i)(3)(C)). It is a
list of entries, which is also a dataset: `delivery` writes what feed `register` takes.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum

from pipeline.core.duration import Duration, after
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.instrument import Instrument, InstrumentStatus, Kind
from pipeline.core.language.standing import Status


class Standing(Enum):
    """How a version of an agreement stands at an instant: its status, and what its dates make of it."""

    DRAFT = "draft"
    AWAITED = "not yet in force"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    SUPERSEDED = "superseded"
    ENDED = "ended"


OVER = frozenset({Standing.TERMINATED, Standing.SUPERSEDED, Standing.ENDED})
"""Nothing is released any more, and nobody needs to look at it again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An instrument, and one version of an agreement that rests on it; None where no agreement does."""

    instrument: Instrument
    version: Agreement | None
    at: datetime

    @property
    def standing(self) -> Standing | None:
        """How the version stands; None where there is none."""
        return standing(self.version, self.at) if self.version else None

    @property
    def instrument_review_due(self) -> bool:
        review = self.instrument.review
        over = self.instrument.status is InstrumentStatus.ENDED
        return review is not None and not over and review.next <= self.at.date()

    @property
    def version_review_due(self) -> bool:
        review = self.version.review if self.version and self.standing not in OVER else None
        return review is not None and review <= self.at.date()

    def instrument_ends_by(self, limit: datetime) -> bool:
        """Whether the instrument ends after now and no later than `limit`."""
        until = self.instrument.until
        return until is not None and self.at < _midnight(until) <= limit

    def version_ends_by(self, limit: datetime) -> bool:
        """Whether the version ends after now and no later than `limit`."""
        return self.version is not None and self.at < self.version.in_effect_until <= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are asked for; what is left out is not asked."""

    partner: str = ""
    """a partner of the catalogue by its id, or a part of a party's name"""
    kind: Kind | None = None
    status: str = ""
    """of the instrument, or of the version"""
    expires_within: Duration | None = None
    review_due: bool = False


def register(
    instruments: Mapping[str, Instrument], versions: Mapping[str, tuple[Agreement, ...]], at: datetime
) -> tuple[Entry, ...]:
    """Every instrument with every version that rests on it, by their ids."""
    resting: dict[str, list[Agreement]] = {id: [] for id in instruments}
    for _, of_agreement in sorted(versions.items()):
        for version in of_agreement:
            resting[version.instrument].append(version)
    return tuple(
        Entry(instruments[id], version, at) for id in sorted(instruments) for version in resting[id] or (None,)
    )


def chosen(entries: Iterable[Entry], wanted: Wanted) -> tuple[Entry, ...]:
    """The entries that are asked for: all that is asked holds, of the instrument or of the version."""
    return tuple(entry for entry in entries if all(asks(entry) for asks in _questions(wanted)))


def standing(version: Agreement, at: datetime) -> Standing:
    """How the version stands at the instant."""
    change = version.status_at(at)
    if change is None:
        return Standing.DRAFT
    if change.to in (Status.ACTIVE, Status.SUSPENDED) and at >= version.in_force.until:
        return Standing.ENDED
    if change.to is Status.ACTIVE and at < version.in_force.since:
        return Standing.AWAITED
    return Standing(change.to.value)


def is_about(entry: Entry, partner: str) -> bool:
    """Whether a party's name has `partner` in it, or the version's provider or recipient has it as its id."""
    named = any(partner.casefold() in party.casefold() for party in entry.instrument.parties)
    return named or (entry.version is not None and partner in (entry.version.provider, entry.version.recipient))


def delivery(entries: Sequence[Entry]) -> bytes:
    """The entries as a delivery of feed `register`: CSV with one row per entry, in UTF-8."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([cell(entry) for cell in COLUMNS.values()] for entry in entries)
    return text.getvalue().encode()


def _questions(wanted: Wanted) -> Iterable[Callable[[Entry], bool]]:
    if wanted.partner:
        yield lambda entry: is_about(entry, wanted.partner)
    if wanted.kind:
        yield lambda entry: entry.instrument.kind is wanted.kind
    if wanted.status:
        yield lambda entry: wanted.status in _statuses(entry)
    if wanted.expires_within:
        within = wanted.expires_within
        yield lambda entry: _ends_by(entry, after(entry.at, within))
    if wanted.review_due:
        yield lambda entry: entry.instrument_review_due or entry.version_review_due


def _statuses(entry: Entry) -> tuple[str, ...]:
    return (entry.instrument.status.value, *([entry.standing.value] if entry.standing else []))


def _ends_by(entry: Entry, limit: datetime) -> bool:
    return entry.instrument_ends_by(limit) or entry.version_ends_by(limit)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _key(entry: Entry) -> str:
    if entry.version is None:
        return entry.instrument.id
    return f"{entry.instrument.id}/{entry.version.id}/{entry.version.version}"


def _lines(items: Iterable[str]) -> str:
    return "\n".join(items)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _of(cell: Callable[[Agreement], str]) -> Callable[[Entry], str]:
    """The cell of the version; empty where there is none."""
    return lambda entry: cell(entry.version) if entry.version else ""


COLUMNS: Mapping[str, Callable[[Entry], str]] = {
    "entry": _key,
    "instrument": lambda entry: entry.instrument.id,
    "title": lambda entry: entry.instrument.title,
    "kind": lambda entry: entry.instrument.kind.value,
    "citation": lambda entry: entry.instrument.citation,
    "programme": lambda entry: entry.instrument.programme,
    "parties": lambda entry: _lines(entry.instrument.parties),
    "confidence": lambda entry: entry.instrument.confidence.value,
    "source": lambda entry: entry.instrument.source,
    "reach": lambda entry: entry.instrument.reach or "",
    "status": lambda entry: entry.instrument.status.value,
    "dated": lambda entry: _day(entry.instrument.dated),
    "since": lambda entry: _day(entry.instrument.since),
    "until": lambda entry: _day(entry.instrument.until),
    "review": lambda entry: _day(entry.instrument.review.next if entry.instrument.review else None),
    "exchanges_records": lambda entry: "Y" if entry.instrument.exchanges_records else "N",
    "commitments": lambda entry: _lines(entry.instrument.commitments),
    "agreement": _of(lambda version: version.id),
    "version": _of(lambda version: str(version.version)),
    "agreement_title": _of(lambda version: version.title),
    "provider": _of(lambda version: version.provider),
    "recipient": _of(lambda version: version.recipient),
    "feed": _of(lambda version: version.feed),
    "agreement_status": lambda entry: entry.standing.value if entry.standing else "",
    "agreement_since": _of(lambda version: _instant(version.in_force.since)),
    "agreement_until": _of(lambda version: _instant(version.in_effect_until)),
    "agreement_review": _of(lambda version: _day(version.review)),
}
"""What a row of the register holds, in the order of the feed's schema. A cell with several items holds one a line."""

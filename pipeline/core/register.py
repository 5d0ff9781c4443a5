"""Which texts and agreements do we exchange under, and how do they stand at an instant?

The register keeps every instrument, and every version of every agreement that rests on one (6 USC 211(i)(3)(C)). It is a
table, which is also a dataset: `delivery` writes what feed `register` takes.
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
class Row:
    """A row of the register: an instrument, and one version of an agreement that rests on it; None where none does."""

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
    """Which rows are asked for; what is left out is not asked."""

    partner: str = ""
    """the id of who gives or gets"""
    party: str = ""
    """a part of the name of a party to the instrument, in any case"""
    kind: Kind | None = None
    status: str = ""
    """of the instrument, or of the version"""
    expires_within: Duration | None = None
    review_due: bool = False


def register(
    instruments: Mapping[str, Instrument], versions: Mapping[str, tuple[Agreement, ...]], at: datetime
) -> tuple[Row, ...]:
    """Every instrument with every version that rests on it, by their ids."""
    resting: dict[str, list[Agreement]] = {id: [] for id in instruments}
    for _, of_agreement in sorted(versions.items()):
        for version in of_agreement:
            resting[version.instrument].append(version)
    return tuple(Row(instruments[id], version, at) for id in sorted(instruments) for version in resting[id] or (None,))


def chosen(rows: Iterable[Row], wanted: Wanted) -> tuple[Row, ...]:
    """The rows that are asked for: all that is asked holds, of the instrument or of the version."""
    return tuple(row for row in rows if all(asks(row) for asks in _questions(wanted)))


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


def has_party(row: Row, name: str) -> bool:
    """Whether a party to the instrument has `name` in its own."""
    return any(name.casefold() in party.casefold() for party in row.instrument.parties)


def delivery(rows: Sequence[Row]) -> bytes:
    """The rows as a delivery of feed `register`: CSV in UTF-8."""
    text = io.StringIO()
    written = csv.writer(text, lineterminator="\n")
    written.writerow(COLUMNS)
    written.writerows([cell(row) for cell in COLUMNS.values()] for row in rows)
    return text.getvalue().encode()


def _questions(wanted: Wanted) -> Iterable[Callable[[Row], bool]]:
    if wanted.partner:
        yield lambda row: row.version is not None and wanted.partner in (row.version.provider, row.version.recipient)
    if wanted.party:
        yield lambda row: has_party(row, wanted.party)
    if wanted.kind:
        yield lambda row: row.instrument.kind is wanted.kind
    if wanted.status:
        yield lambda row: wanted.status in _statuses(row)
    if wanted.expires_within:
        within = wanted.expires_within
        yield lambda row: _ends_by(row, after(row.at, within))
    if wanted.review_due:
        yield lambda row: row.instrument_review_due or row.version_review_due


def _statuses(row: Row) -> tuple[str, ...]:
    return (row.instrument.status.value, *([row.standing.value] if row.standing else []))


def _ends_by(row: Row, limit: datetime) -> bool:
    return row.instrument_ends_by(limit) or row.version_ends_by(limit)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _key(row: Row) -> str:
    if row.version is None:
        return row.instrument.id
    return f"{row.instrument.id}/{row.version.id}/{row.version.version}"


def _lines(items: Iterable[str]) -> str:
    return "\n".join(items)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _of(cell: Callable[[Agreement], str]) -> Callable[[Row], str]:
    """The cell of the version; empty where there is none."""
    return lambda row: cell(row.version) if row.version else ""


COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "registration": _key,
    "instrument": lambda row: row.instrument.id,
    "title": lambda row: row.instrument.title,
    "kind": lambda row: row.instrument.kind.value,
    "citation": lambda row: row.instrument.citation,
    "programme": lambda row: row.instrument.programme,
    "parties": lambda row: _lines(row.instrument.parties),
    "confidence": lambda row: row.instrument.confidence.value,
    "source": lambda row: row.instrument.source,
    "reach": lambda row: row.instrument.reach or "",
    "status": lambda row: row.instrument.status.value,
    "dated": lambda row: _day(row.instrument.dated),
    "since": lambda row: _day(row.instrument.since),
    "until": lambda row: _day(row.instrument.until),
    "review": lambda row: _day(row.instrument.review.next if row.instrument.review else None),
    "exchanges_records": lambda row: "Y" if row.instrument.exchanges_records else "N",
    "commitments": lambda row: _lines(row.instrument.commitments),
    "agreement": _of(lambda version: version.id),
    "version": _of(lambda version: str(version.version)),
    "agreement_title": _of(lambda version: version.title),
    "provider": _of(lambda version: version.provider),
    "recipient": _of(lambda version: version.recipient),
    "feed": _of(lambda version: version.feed),
    "agreement_status": lambda row: row.standing.value if row.standing else "",
    "agreement_since": _of(lambda version: _instant(version.in_force.since)),
    "agreement_until": _of(lambda version: _instant(version.in_effect_until)),
    "agreement_review": _of(lambda version: _day(version.review)),
}
"""What a row of the register holds, in the order of the feed's schema. A cell with several items holds one a line."""

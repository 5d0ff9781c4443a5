"""Do a partner's full lists and the changes that it sent between them agree, and did each revocation come in time?

Read from what the vault has kept: the last two accepted full lists, and every delivery of changes that was accepted between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from pipeline.core.duration import Duration, after
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.feed import Feed
from pipeline.core.reconciliation import CODE, NUMBER, REVOKE, STATUS, Differences, differences, digested
from pipeline.core.validation import CompiledSchema
from pipeline.edges.schemas import schema_of
from pipeline.edges.site import Site
from pipeline.edges.vault import Accepted

ENDED_ON = "suspension_date"


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that was accepted: a full list, or changes. `rejected` rows of it are in quarantine and take no part."""

    delivery: str
    landed_as: str
    accepted_at: datetime
    rows: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was held against each other, and in how many places it does not agree."""

    older: Taken
    newer: Taken
    changes: tuple[Taken, ...]
    differences: Differences
    late_revocations: int
    """revocations that were accepted more than a cycle after the end of their day"""

    @property
    def agrees(self) -> bool:
        found = self.differences
        counts = (found.missing, found.surplus, found.differing, found.misfits, found.numbers_missing)
        return not any((*counts, found.numbers_repeated, found.revocations_untold, self.late_revocations))


@dataclass(frozen=True, slots=True)
class _Kept:
    at: datetime
    accepted: Accepted
    schema_version: str

    @property
    def taken(self) -> Taken:
        one = self.accepted
        return Taken(one.delivery, one.landed_as, self.at, one.accepted, one.rejected)


def reconcile(site: Site, full_feed: str, delta_feed: str) -> Reconciled:
    """The last two accepted lists of `full_feed`, held against the changes of `delta_feed` between them.

    Raises:
        Misconfigured: there are no two lists yet, or the two feeds are not a list and its changes.
    """
    catalogue = site.catalogue()
    full, delta = catalogue.feed(full_feed), catalogue.feed(delta_feed)
    listing, changing = (schema_of(one, catalogue.code_lists) for one in (full, delta))
    key, cycle = _key_and_cycle(full, listing, delta, changing)
    lists = _kept(site, full)[-2:]
    if len(lists) < 2:
        raise Misconfigured(
            Code.NOT_FOUND,
            f"{full_feed} has {len(lists)} accepted lists, and it takes two to reconcile.",
            next_step="rerun once the next list is accepted; `safeconduct status` tells what has arrived.",
        )
    older, newer = lists
    between = [one for one in _kept(site, delta) if older.at < one.at <= newer.at]
    digests: list[pl.DataFrame] = []
    late = 0
    for one in between:
        for rows in _rows(site, one, delta, changing):
            late += _late(rows, one.at, cycle)
            digests.append(digested(rows, key, listing.columns))
    found = differences(
        _list(site, older, full, listing, key),
        pl.concat([_nothing(changing, key, listing), *digests]),
        _list(site, newer, full, listing, key),
        key=key,
    )
    return Reconciled(older.taken, newer.taken, tuple(one.taken for one in between), found, late)


def _list(site: Site, one: _Kept, feed: Feed, schema: CompiledSchema, key: str) -> pl.DataFrame:
    digests = (digested(rows, key, schema.columns) for rows in _rows(site, one, feed, schema))
    return pl.concat([_nothing(schema, key, schema), *digests])


def _nothing(schema: CompiledSchema, key: str, listing: CompiledSchema) -> pl.DataFrame:
    """A delivery without rows has no chunk; its digests have the same columns."""
    return digested(pl.DataFrame(schema=dict.fromkeys(schema.columns, pl.String)), key, listing.columns)


def _key_and_cycle(full: Feed, listing: CompiledSchema, delta: Feed, changing: CompiledSchema) -> tuple[str, Duration]:
    """The column that tells members apart, and within what time the partner must tell of a change."""
    missing = {NUMBER, CODE, *listing.columns} - set(changing.columns) | {STATUS, ENDED_ON} - set(listing.columns)
    if missing or len(listing.key) != 1:
        raise Misconfigured(
            Code.COLUMN_UNKNOWN,
            f"{delta.id} does not hold the changes of {full.id}: {', '.join(sorted(missing)) or 'a key of one column'} is missing.",
            next_step="name the feed of the full list first, then the feed of its changes.",
        )
    if delta.expected is None:
        raise Misconfigured(
            Code.CATALOGUE_INVALID,
            f"feed {delta.id} does not say how often it comes, and so not when a revocation is late.",
            next_step=f"write expected = {{ cron = ..., every = ... }} in feeds/{delta.id}.toml.",
        )
    return listing.key[0], delta.expected.every


def _kept(site: Site, feed: Feed) -> list[_Kept]:
    """What was accepted of the feed, in the order in which it was."""
    found = [
        _Kept(kept.loaded_at, one, kept.schema_version)
        for lot in site.landing.lots(feed.id)
        for kept in site.vault.of_lot(lot.id)
        for one in kept.deliveries
    ]
    return sorted(found, key=lambda one: (one.at, one.accepted.delivery))


def _rows(site: Site, one: _Kept, feed: Feed, schema: CompiledSchema) -> Iterator[pl.DataFrame]:
    if one.schema_version != schema.version:
        raise Misconfigured(
            Code.SCHEMA_INVALID,
            f"a delivery of {feed.id} was kept under schema version {one.schema_version}, which is {schema.version} today.",
            next_step="rerun once two lists were accepted under today's version.",
        )
    for chunk in one.accepted.chunks:
        yield site.vault.chunk(one.accepted.delivery, chunk)


def _late(changes: pl.DataFrame, accepted_at: datetime, cycle: Duration) -> int:
    days = changes.filter(pl.col(CODE) == REVOKE).get_column(ENDED_ON).value_counts()
    return sum(count for day, count in days.iter_rows() if after(_end_of(day), cycle) < accepted_at)


def _end_of(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC)

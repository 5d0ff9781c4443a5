"""Accepted rows between tasks, sealed to ourselves.

    vault/<delivery>/<sha256>.age   a chunk of accepted rows (Parquet); nobody looks at it before a kept record names it
    kept/<lot>/<n>.json             write-once: the n-th time that deliveries of the lot were accepted, and their chunks

One record normally. A delivery that was refused and accepted on a rerun is in a record of its own, so that what was
released before stays as it is. The records of a lot are dense and disjoint: no delivery is kept twice.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipeline.core.canonical import canonical, read
from pipeline.core.chunk import chunk_bytes, read_chunk
from pipeline.core.delivery import Lot
from pipeline.core.errors import Code, Conflict, Misconfigured
from pipeline.core.findings import Finding
from pipeline.edges.sealing import Identity, open_sealed, seal
from pipeline.edges.storage import AlreadyThere, Store


@dataclass(frozen=True, slots=True)
class Chunk:
    """A sealed object of accepted rows; `digest` is SHA-256 of the sealed bytes."""

    digest: str
    rows: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """One delivery's accepted rows. received = accepted + rejected."""

    delivery: str
    landed_as: str
    received: int
    accepted: int
    rejected: int
    findings: tuple[Finding, ...]
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is released together: the `number`-th acceptance of deliveries of a lot."""

    lot: str
    number: int
    feed: str
    schema: str
    schema_version: str
    loaded_at: datetime
    deliveries: tuple[Accepted, ...]

    @property
    def key(self) -> str:
        """The lot's id, with `-r2` and so on for what was accepted later."""
        return self.lot if self.number == 1 else f"{self.lot}-r{self.number}"

    @property
    def rows(self) -> int:
        return sum(delivery.accepted for delivery in self.deliveries)


@dataclass(frozen=True, slots=True)
class Vault:
    """The accepted rows of every lot, sealed to the first of `identities`; any of them opens what is there."""

    store: Store
    identities: Sequence[Identity]

    def put_chunk(self, delivery: str, rows: pl.DataFrame) -> Chunk:
        """The rows are here, sealed; they count once a kept record names their chunk."""
        sealed = seal(chunk_bytes(rows), [self.identities[0].recipient])
        chunk = Chunk(hashlib.sha256(sealed).hexdigest(), rows.height)
        self.store.put_new(_chunk_key(delivery, chunk), sealed)
        return chunk

    def chunk(self, delivery: str, chunk: Chunk) -> pl.DataFrame:
        """The rows of one chunk, authenticated."""
        key = _chunk_key(delivery, chunk)
        sealed = b"".join(self.store.blocks(key))
        if hashlib.sha256(sealed).hexdigest() != chunk.digest:
            raise Conflict(
                Code.OBJECT_ALTERED,
                f"{self.store.url}/{key} is not what was kept.",
                next_step="restore it from a backup; find out who changed it.",
            )
        return read_chunk(open_sealed(sealed, self.identities, name=key))

    def has_chunk(self, delivery: str, chunk: Chunk) -> bool:
        """Whether the chunk is still here."""
        return self.store.exists(_chunk_key(delivery, chunk))

    def rows(self, kept: Kept) -> Iterator[pl.DataFrame]:
        """The kept rows, chunk by chunk, in the order of deliveries and rows."""
        for delivery in kept.deliveries:
            for chunk in delivery.chunks:
                yield self.chunk(delivery.delivery, chunk)

    def discard(self, delivery: str, chunk: Chunk) -> None:
        """A chunk that no kept record names is gone."""
        self.store.destroy(_chunk_key(delivery, chunk))

    def keep(
        self, lot: Lot, accepted: Sequence[Accepted], *, schema: str, schema_version: str, at: datetime
    ) -> tuple[Kept, ...]:
        """Every record of the lot, after those of `accepted` that no record holds yet are in one."""
        records = self.of_lot(lot.id)
        while new := [one for one in accepted if not _holds(records, one.delivery)]:
            record = Kept(lot.id, len(records) + 1, lot.feed, schema, schema_version, at, tuple(new))
            with suppress(AlreadyThere):  # somebody was faster: look again at what is left to keep
                self.store.put_new(kept_place(record.lot, record.number), canonical(record))
            records = self.of_lot(lot.id)
        kept = [one for record in records for one in record.deliveries]
        for lost in (one for one in accepted if one not in kept):
            for chunk in lost.chunks:  # another run kept the same delivery first: ours is one too many
                self.discard(lost.delivery, chunk)
        return records

    def of_lot(self, lot: str) -> tuple[Kept, ...]:
        """The records of the lot, in order; empty before the first acceptance."""
        records: list[Kept] = []
        while text := self.store.find(kept_place(lot, len(records) + 1)):
            records.append(read(Kept, text, name=kept_place(lot, len(records) + 1)))
        return tuple(records)

    def holds(self, lot: str, delivery: str) -> bool:
        """Whether the delivery's accepted rows are here for good."""
        return _holds(self.of_lot(lot), delivery)

    def kept(self, key: str) -> Kept:
        """The record with this key."""
        lot, _, number = key.rpartition("-r")  # a feed's id may hold "-r" too
        name = kept_place(lot, int(number)) if number.isdecimal() else kept_place(key, 1)
        text = self.store.find(name)
        if text is None:
            raise Misconfigured(
                Code.NOT_FOUND,
                f"nothing is kept as {key}.",
                next_step="`safeconduct status` lists what is kept; or receive the lot first.",
            )
        return read(Kept, text, name=name)


def _holds(records: Sequence[Kept], delivery: str) -> bool:
    return any(one.delivery == delivery for record in records for one in record.deliveries)


def kept_place(lot: str, number: int) -> str:
    return f"kept/{lot}/{number}.json"


def _chunk_key(delivery: str, chunk: Chunk) -> str:
    return f"vault/{delivery}/{chunk.digest}.age"

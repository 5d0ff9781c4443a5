"""What we could not take, sealed, with the reasons beside it in clear.

quarantine/<delivery>/report-<16 hex>.json   codes, rules, positions, counts; never a value; the same findings, the same name
quarantine/<delivery>/rows-<sha256>.age      rejected rows with the rules they failed (Parquet)
quarantine/<delivery>/raw-<sha256>.age       a block of a refused delivery's bytes
quarantine/<delivery>/raw.<feed>.json        write-once: the blocks in order; from then on landing is not needed
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from pipeline.core.canonical import canonical
from pipeline.core.chunk import chunk_bytes, read_chunk
from pipeline.core.delivery import Delivery
from pipeline.core.errors import SafeconductError
from pipeline.core.findings import Finding
from pipeline.edges.sealing import Identity, open_sealed, seal
from pipeline.edges.storage import AlreadyThere, Store

RAW_BLOCK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Sealed to a key of its own: who may look at rejected rows need not be able to look into the vault.

    New objects are sealed to the first of `identities`; any of them opens what is there.
    """

    store: Store
    identities: Sequence[Identity]

    def hold_rows(self, delivery: str, rows: pl.DataFrame) -> str:
        """The rejected rows are here, sealed; returns the object's key."""
        return self._put(delivery, "rows", chunk_bytes(rows))

    def discard_rows(self, key: str) -> None:
        """Rejected rows of a try that did not come to its end are gone."""
        self.store.destroy(key)

    def held_rows(self, key: str) -> pl.DataFrame:
        """The rejected rows of one object, opened."""
        return read_chunk(self._open(key))

    def hold_raw(self, delivery: Delivery, blocks: Iterable[bytes]) -> None:
        """The whole delivery is here, sealed, block by block; a second time changes nothing.

        Two feeds may have sent the same bytes: each holds its own.
        """
        if self.has_raw(delivery):
            return
        keys = [self._put(delivery.id, "raw", block) for block in _rebuffered(blocks)]
        with suppress(AlreadyThere):
            self.store.put_new(_raw_key(delivery), canonical({"blocks": keys, "size_bytes": delivery.size_bytes}))

    def has_raw(self, delivery: Delivery) -> bool:
        """Whether the delivery's bytes are here, whole."""
        return self.store.exists(_raw_key(delivery))

    def discard_raw(self, delivery: Delivery) -> None:
        """The delivery's bytes are gone from here. Only after its rows are in the vault; reports and rejected rows stay."""
        found = self.store.find(_raw_key(delivery))
        if found is not None:
            self.store.destroy(_raw_key(delivery))
            for key in json.loads(found)["blocks"]:
                self.store.destroy(key)

    def raw(self, delivery: Delivery) -> Iterator[bytes]:
        """The delivery's bytes, opened block by block."""
        found = self.store.find(_raw_key(delivery))
        for key in json.loads(found)["blocks"] if found else ():
            yield self._open(key)

    def report(
        self,
        delivery: Delivery,
        *,
        refusal: SafeconductError | None,
        rows: int | None,
        rejected: int | None,
        findings: tuple[Finding, ...],
        row_objects: tuple[str, ...] = (),
    ) -> str:
        """Why the delivery, or some of its rows, are here; returns the report's key. The same reasons are one report."""
        facts: dict[str, Any] = {
            "delivery": delivery.id,
            "feed": delivery.feed,
            "landed_as": delivery.landed_as,
            "size_bytes": delivery.size_bytes,
            "claimed_at": delivery.claimed_at,
            "outcome": "refused" if refusal else "partly accepted",
            "code": refusal.code.value if refusal else None,
            "message": refusal.message if refusal else None,
            "next_step": refusal.next_step if refusal else None,
            "rows": rows,
            "rejected": rejected,
            "findings": [asdict(finding) for finding in findings],
        }
        name = hashlib.sha256(canonical(facts)).hexdigest()[:16]
        key = f"quarantine/{delivery.id}/report-{name}.json"
        with suppress(AlreadyThere):
            self.store.put_new(key, canonical({**facts, "row_objects": row_objects}))
        return key

    def records_of(self, feed: str, delivery: str, *, raw: bool) -> Iterator[str]:
        """The keys of the delivery's reports and, where `raw` says so, of the list of its bytes."""
        for listed in self.store.listing(f"quarantine/{delivery}"):
            name = listed.key.rpartition("/")[2]
            if name.startswith("report-") or (raw and name == _raw_name(feed)):
                yield listed.key

    def reports(self, delivery: str = "") -> Iterator[dict[str, Any]]:
        """Every report, or those of one delivery."""
        for listed in self.store.listing(f"quarantine/{delivery}" if delivery else "quarantine"):
            if "/report-" in listed.key and (text := self.store.find(listed.key)):
                yield json.loads(text)

    def _put(self, delivery: str, kind: str, content: bytes) -> str:
        sealed = seal(content, [self.identities[0].recipient])
        key = f"quarantine/{delivery}/{kind}-{hashlib.sha256(sealed).hexdigest()}.age"
        self.store.put_new(key, sealed)
        return key

    def _open(self, key: str) -> bytes:
        return open_sealed(b"".join(self.store.blocks(key)), self.identities, name=key)


def _raw_key(delivery: Delivery) -> str:
    return f"quarantine/{delivery.id}/{_raw_name(delivery.feed)}"


def _raw_name(feed: str) -> str:
    return f"raw.{feed or 'no-feed'}.json"


def _rebuffered(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks of `RAW_BLOCK_BYTES`; one empty block for nothing."""
    held, size, any_yet = [], 0, False
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= RAW_BLOCK_BYTES:
            yield b"".join(held)
            held, size, any_yet = [], 0, True
    if held or not any_yet:
        yield b"".join(held)

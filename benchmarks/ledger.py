"""What appending to the ledger costs, however long it is: calls to storage, bytes and time.

The store is in memory and counts. It holds what the ledger would have written for the first entries, made at once: every
full tile, the right edge, the last checkpoint; each entry's bytes are made when they are asked for. What it leaves out are
the objects that nobody reads again: the ids (of none that is asked for here), older checkpoints and the partial tiles
that full ones replaced. Then the ledger itself appends and proves. The time is that of the processor: no disk, no network.
Beside it stands an append to a local disk, every write synced.
"""

import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipeline.core.entries import Entry, Kind, leaf_of, read_entry
from pipeline.core.merkle import leaf_hash, root_over
from pipeline.core.notes import Checkpoint
from pipeline.edges.checkpoints import checkpoint_place, sign_checkpoint
from pipeline.edges.ledger import Ledger
from pipeline.edges.ledger_objects import sequence_of
from pipeline.edges.proofs import open_proof
from pipeline.edges.signing import SigningKey
from pipeline.edges.storage import Listed, Store, already_there, open_store
from pipeline.edges.tiles import WIDTH, Edge, tile_key

ORIGIN = "safeconduct/benchmark"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Keys:
    """A key of the ledger, and no witness."""

    ledger: SigningKey = field(default_factory=lambda: SigningKey(Ed25519PrivateKey.generate()))

    @property
    def ledger_publics(self) -> tuple[Ed25519PublicKey, ...]:
        return (self.ledger.public,)

    def witnesses(self) -> tuple[()]:
        return ()


@dataclass(slots=True)
class Long:
    """The store of a ledger of `size` entries, which counts. Of a store's verbs it has those that appending and proving use."""

    size: int
    objects: dict[str, bytes] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    written_bytes: int = 0
    url: str = "memory:"

    def put_new(self, key: str, content: bytes) -> None:
        self.writes, self.written_bytes = self.writes + 1, self.written_bytes + len(content)
        if self._content(key) not in (None, content):
            raise already_there(self.url, key)
        self.objects[key] = content

    def find(self, key: str) -> bytes | None:
        self.reads += 1
        return self._content(key)

    def exists(self, key: str) -> bool:
        self.reads += 1
        return self._content(key) is not None

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        self.reads += 1
        return iter(())

    def _content(self, key: str) -> bytes | None:
        sequence = sequence_of(key)
        return content_of(sequence) if sequence is not None and sequence < self.size else self.objects.get(key)


def run(sizes: Sequence[int], appends: int) -> dict[str, Any]:
    """Of each size: what a new writer, one that is at work, and a proof cost; and an append to a local disk."""
    keys = Keys()
    if read_entry(content_of(7)) != Entry(7, "id/7", AT, Kind.ACCEPTED, "delivery", {"rows": 3}, salt_of(7)):
        raise RuntimeError("the entries of the benchmark are not those of the ledger")
    return {"sizes": [_figures(size, appends, keys) for size in sizes], "disk_milliseconds": _on_disk(appends, keys)}


def content_of(sequence: int) -> bytes:
    """The exact bytes of one of the first entries."""
    return (
        b'{"at":"2026-11-21T12:00:00.000000Z","facts":{"rows":3},"id":"id/%d","kind":"accepted","salt":"%b",'
        b'"sequence":%d,"subject":"delivery"}' % (sequence, salt_of(sequence).encode(), sequence)
    )


def salt_of(sequence: int) -> str:
    """A salt that can be made again."""
    return hashlib.sha256(b"%d" % sequence).hexdigest()


def _ledger(store: Long, keys: Keys) -> Ledger:
    both = cast(Store, store)
    return Ledger(both, both, keys, ORIGIN)


def _figures(size: int, appends: int, keys: Keys) -> dict[str, Any]:
    store = _long(size, keys)
    fresh = _cost(store, 1, lambda _: _append(_ledger(store, keys), "fresh"))
    ledger = _ledger(store, keys)
    _append(ledger, "ready")
    warm = _cost(store, appends, lambda number: _append(ledger, f"warm/{number}"))
    chance = random.Random(size)
    proof = _cost(store, appends, lambda _: _prove(ledger, chance.randrange(size), size))
    return {"size": size, "fresh": fresh, "warm": warm, "proof": proof}


def _cost(store: Long, times: int, call: Callable[[int], object]) -> dict[str, float]:
    """What one call costs: the median of its time, the mean of its calls to storage."""
    store.reads = store.writes = store.written_bytes = 0
    took = []
    for number in range(times):
        began = time.perf_counter()
        call(number)
        took.append(time.perf_counter() - began)
    return {
        "reads": store.reads / times,
        "writes": store.writes / times,
        "bytes": store.written_bytes / times,
        "milliseconds": median(took) * 1000,
    }


def _append(ledger: Ledger, id: str) -> Entry:
    return ledger.append(id=id, kind=Kind.ACCEPTED, subject="delivery", facts={"rows": 3}, at=AT)


def _prove(ledger: Ledger, sequence: int, size: int) -> None:
    entry = read_entry(content_of(sequence))
    if open_proof(ledger.prove(entry, size), ledger.verifier_keys).entry != entry:
        raise RuntimeError("the proof is of another entry")


def _on_disk(appends: int, keys: Keys) -> float:
    with tempfile.TemporaryDirectory(prefix="safeconduct-bench-") as folder:
        for name in ("private", "public"):
            (Path(folder) / name).mkdir()
        stores = [open_store((Path(folder) / name).as_uri()) for name in ("private", "public")]
        ledger, took = Ledger(stores[0], stores[1], keys, ORIGIN), []
        for number in range(appends):
            began = time.perf_counter()
            _append(ledger, f"disk/{number}")
            took.append(time.perf_counter() - began)
        return median(took) * 1000


def _long(size: int, keys: Keys) -> Long:
    """The store of a ledger of this size: its full tiles, its right edge and its checkpoint."""
    store = Long(size)
    leaves = [leaf_of(content_of(sequence)) for sequence in range(size)]
    _put_tiles(store, "entries", leaves, lambda leaf: len(leaf).to_bytes(2, "big") + leaf)
    rows: list[tuple[bytes, ...]] = []
    row = [leaf_hash(leaf) for leaf in leaves]
    while row:
        _put_tiles(store, len(rows), row, bytes)
        full = len(row) - len(row) % WIDTH
        rows.append(tuple(row[full:]))
        row = [root_over(row[at : at + WIDTH]) for at in range(0, full, WIDTH)]
    edge = Edge(size, tuple(leaves[size - size % WIDTH :]), tuple(rows))
    checkpoint = Checkpoint(ORIGIN, size, edge.root)
    store.objects[checkpoint_place(size)] = sign_checkpoint(checkpoint, keys.ledger).note
    return store


def _put_tiles(store: Long, level: int | str, row: Sequence[bytes], written: Callable[[bytes], bytes]) -> None:
    for number, at in enumerate(range(0, len(row), WIDTH)):
        part = row[at : at + WIDTH]
        store.objects[tile_key(level, number, len(part))] = b"".join(map(written, part))

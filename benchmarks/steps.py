"""Where does the time go? Each step of the journey alone, one after another, over one whole delivery.

The journey runs reading, sealing and storing beside its other steps: these seconds add up to more than it takes.
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import polars as pl

import schemas.aeo_members
import schemas.pnr_push  # noqa: F401 (both schemas are imported before the clock starts)
from benchmarks.ground import Ground
from pipeline.core.acceptance import hashes_of, repeated, sort_out
from pipeline.core.chunk import chunk_bytes, read_chunk
from pipeline.core.clearance import clear_rows
from pipeline.core.delivery import Delivery
from pipeline.core.findings import Tally
from pipeline.core.layout import sheets
from pipeline.core.redaction import compile_redaction, redact
from pipeline.core.scope import Events
from pipeline.edges.opening import open_delivery
from pipeline.edges.permission import means
from pipeline.edges.schemas import schema_of
from pipeline.edges.sealing import open_sealed, seal
from pipeline.edges.site import Site
from pipeline.formats.batch import tallied
from pipeline.formats.parts import part_bytes
from pipeline.formats.readers import limits_of, reader_of

_Made = TypeVar("_Made")


class _Clock:
    def __init__(self) -> None:
        self.wall: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[name] += time.perf_counter() - wall
        self.cpu[name] += time.process_time() - cpu

    def each(self, name: str, items: Iterator[_Made]) -> Iterator[_Made]:
        """The items, the making of each counted under `name`."""
        while True:
            with self.step(name):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item

    def timed(self, name: str, make: Callable[[], _Made]) -> _Made:
        with self.step(name):
            return make()


def run(ground: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Wall and processor seconds of each step."""
    landing, clock = Ground(**ground), _Clock()
    site = Site.open(landing.site(name))
    catalogue = site.catalogue()
    feed, agreement = catalogue.feed(landing.feed), catalogue.agreement(landing.agreement)
    schema, leaning = schema_of(feed, catalogue.code_lists), means(site, catalogue, agreement)
    events = Events(site.now(), site.now())
    redaction = compile_redaction(agreement, schema, leaning, events)
    recipients = site.keyring.recipients(agreement.recipient)
    (listed,) = site.landing.waiting(catalogue.signed_feeds)[feed.id]
    delivery = Delivery(_digest(site, listed.key, clock), feed.id, listed.key, listed.size_bytes, site.now())
    opened: Iterator[bytes] = clock.each("receive: read and hash", site.landing.bytes_of(delivery))
    if feed.sealed:
        opened = clock.each("receive: open", open_delivery(list(opened), site.keyring.opening))
    tally, hashes, released = Tally(), [], 0
    clear = list(opened)
    batches = clock.each("receive: parse", tallied(reader_of(feed).read(clear, schema.columns, limits_of(feed)), tally))
    for frame in batches:
        sorted_out = clock.timed("receive: validate", partial(sort_out, frame, schema, tally))
        for half, kind in ((sorted_out.rejected, "quarantine"), (sorted_out.accepted, "vault")):
            if half.height:
                written = clock.timed(f"receive: write for {kind}", partial(chunk_bytes, half))
                hashes.append(clock.timed("receive: hash keys", partial(hashes_of, half, schema, seed=1)))
                sealed = clock.timed(
                    f"receive: seal for {kind}", partial(seal, written, [site.keyring.vault.recipient])
                )
                clock.timed(f"receive: store in {kind}", partial(_put, site, f"{kind}/measured", sealed))
        with clock.step("release: open the vault"):
            chunk = open_sealed(sealed, site.keyring.vault)
        rows: pl.DataFrame = clock.timed("release: read", partial(read_chunk, chunk))
        redacted = clock.timed("release: redact", partial(redact, redaction, rows))
        cleared = clock.timed("release: clear", partial(clear_rows, redacted, agreement, schema, leaning, events))
        for sheet in sheets(agreement, cleared.frame, redacted.days, rows_before=released):
            part = clock.timed("release: write", partial(part_bytes, sheet.frame, agreement.format))
            out = clock.timed("release: seal", partial(seal, part, recipients))
            clock.timed("release: publish", partial(_put, site, "shared/measured", out))
        released += cleared.frame.height
    clock.timed("receive: find repeated keys", partial(repeated, hashes))
    return [{"step": step, "seconds": clock.wall[step], "cpu_seconds": clock.cpu[step]} for step in clock.wall]


def _digest(site: Site, key: str, clock: _Clock) -> str:
    digest = hashlib.sha256()
    for block in clock.each("sweep: read and hash", site.landing.store.blocks(key)):
        clock.timed("sweep: read and hash", partial(digest.update, block))
    return digest.hexdigest()


def _put(site: Site, folder: str, sealed: bytes) -> None:
    site.vault.store.put_new(f"{folder}/{hashlib.sha256(sealed).hexdigest()}.age", sealed)

"""A crash at any call to any store, then a rerun: everything is done, once, and nothing half was ever visible."""

import hashlib
import io
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

from pipeline import journey
from pipeline.core.language.purpose import Declaration
from pipeline.edges import record
from pipeline.edges.declarations import Declared
from pipeline.edges.ledger import Kind, Ledger
from pipeline.edges.site import Site
from pipeline.edges.storage import BLOCK_BYTES, Listed, Store
from samples import pnr_push
from tests.exchange import Exchange
from tests.faults import Died

T = TypeVar("T")
AGREEMENTS = ("pnr-eu-piu", "pnr-police-liaison")
NEEDED = {
    *(f"agreements/{agreement}" for agreement in AGREEMENTS),
    *("instruments/eu-pnr-directive", "instruments/us-eu-pnr", "feeds/pnr-push"),
    *("partners/example-air", "partners/eu-piu", "partners/police-liaison"),
}
LEANED_ON = ("codes", "hierarchies")
DECLARED_BY_HAND = "pnr-eu-piu"


@dataclass
class Fuse:
    """Counts the calls to every store of a site, and burns through at one of them, before or after it takes effect."""

    at: int
    after: bool
    calls: int = 0


@dataclass
class Fused:
    """The store `inner`, behind a fuse."""

    inner: Store
    fuse: Fuse

    @property
    def url(self) -> str:
        return self.inner.url

    def within(self, prefix: str) -> "Fused":
        return Fused(self.inner.within(prefix), self.fuse)

    def put_new(self, key: str, content: bytes) -> None:
        self._call(lambda: self.inner.put_new(key, content))

    def find(self, key: str) -> bytes | None:
        return self._call(lambda: self.inner.find(key))

    def blocks(self, key: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        return self._call(lambda: self.inner.blocks(key, block_bytes=block_bytes))

    def exists(self, key: str) -> bool:
        return self._call(lambda: self.inner.exists(key))

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        return self._call(lambda: iter(list(self.inner.listing(prefix))))

    def destroy(self, key: str) -> None:
        self._call(lambda: self.inner.destroy(key))

    def _call(self, call: Callable[[], T]) -> T:
        number, self.fuse.calls = self.fuse.calls, self.fuse.calls + 1
        if number == self.fuse.at and not self.fuse.after:
            raise Died
        result = call()
        if number == self.fuse.at and self.fuse.after:
            raise Died
        return result


def fused(exchange: Exchange, fuse: Fuse) -> Site:
    """The exchange's site with all its stores behind one fuse."""
    site = exchange.site
    private, shared = Fused(site.vault.store, fuse), Fused(site.publication.store, fuse)
    return replace(
        site,
        landing=replace(site.landing, store=Fused(site.landing.store, fuse), private=private),
        quarantine=replace(site.quarantine, store=private),
        vault=replace(site.vault, store=private),
        declarations=replace(site.declarations, store=private),
        publication=replace(site.publication, store=shared),
        ledger=Ledger(
            private.within("ledger"), shared.within("ledger"), site.keyring, site.ledger.origin
        ),
    )


def run_through(site: Site) -> None:
    """Sweep, receive and release all that there is."""
    journey.sweep(site)
    for lot in list(site.landing.lots()):
        for kept in journey.receive(site, lot.id).kept:
            declare(site, kept)
            for agreement in AGREEMENTS:
                journey.release(site, agreement, kept)


def declare(site: Site, kept: str) -> None:
    """As `safeconduct declare` does, where nobody has."""
    if site.declarations.last(DECLARED_BY_HAND, kept) is None:
        said = Declared(declaration=Declaration(purpose="serious-crime"), by="j.example", at=site.now())
        record.declared(site, site.catalogue().agreement(DECLARED_BY_HAND), kept, said)
        site.declarations.declare(DECLARED_BY_HAND, kept, said)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site where one good, one partly bad and one refusable delivery have landed."""
    exchange = Exchange(tmp_path_factory.mktemp("prepared"), feeds=("pnr-push",))
    for path in (exchange.directory / "catalogue").glob("*/*.toml"):  # what is not read again and again saves a minute
        if path.parent.name not in LEANED_ON and f"{path.parent.name}/{path.stem}" not in NEEDED:
            path.unlink()
    exchange.edit(f"agreements/{DECLARED_BY_HAND}.toml", '[declared]\npurpose = "serious-crime"\n', "")
    for name, travellers, bad in (("good", 5, 0.0), ("partly", 40, 0.05)):
        out = io.BytesIO()
        pnr_push.write(out, travellers=travellers, seed=travellers, bad_share=bad)
        exchange.drop("pnr-push", out.getvalue(), name)
    exchange.drop("pnr-push", pnr_push.VARIANTS["truncated"](), "truncated")
    return exchange.directory


def copy_of(prepared: Path, directory: Path) -> Exchange:
    """The prepared exchange, in a place of its own."""
    shutil.copytree(prepared, directory)
    exchange = Exchange.of(directory)
    exchange.now += timedelta(minutes=1)
    return exchange


def half_releases(exchange: Exchange) -> list[str]:
    """Parts that a manifest names and storage does not have."""
    store = exchange.site.publication.store
    return [
        part["key"]
        for published in exchange.site.publication.releases()
        for part in published.predicate["parts"]
        if not store.exists(f"{published.recipient}/releases/{published.release}/{part['key']}")
    ]


def declared_unknown(exchange: Exchange) -> list[str]:
    """Declarations that count and that the ledger does not know."""
    known = {entry.facts["declaration"] for entry in exchange.site.ledger.entries() if entry.kind is Kind.DECLARED}
    store = exchange.site.declarations.store
    return [
        listed.key
        for listed in store.listing("declarations")
        if hashlib.sha256(store.find(listed.key) or b"").hexdigest() not in known
    ]


def outcome(exchange: Exchange) -> tuple[object, ...]:
    """Everything that must come out the same, however the crash has cut the deliveries into lots."""
    releases = list(exchange.site.publication.releases())
    kinds = Counter(entry.kind for entry in exchange.site.ledger.entries())
    counts: Counter[str] = Counter()
    for one in releases:
        counts.update(
            {
                f"{one.predicate['agreement']['id']} {name}": count
                for name, count in one.predicate["rows"].items()
                if name != "by_rule"
            }
        )
    return (
        sorted(source["delivery"] for one in releases for source in one.predicate["made_of"]["deliveries"]),
        counts,
        sorted(
            row
            for one in releases
            for part in exchange.opened(one)
            for row in map(str, part.drop("release_row", strict=False).rows())
        ),
        {kind: kinds[kind] for kind in (Kind.ACCEPTED, Kind.REFUSED)},
        sorted({report["outcome"] for report in exchange.site.quarantine.reports()}),
        list(exchange.site.landing.waiting()),
    )


@pytest.mark.crash
@pytest.mark.timeout(900)  # it is a minute of work, and the machine may be busy
def test_a_crash_at_any_call_leaves_nothing_half_and_a_rerun_finishes_once(prepared: Path, tmp_path: Path) -> None:
    whole = copy_of(prepared, tmp_path / "whole")
    run_through(whole.site)
    expected = outcome(whole)
    assert len(expected[0]) == 2 * len(AGREEMENTS)  # type: ignore[arg-type]
    schedules = 0
    for at, after in ((at, after) for at in count() for after in (False, True)):
        exchange, fuse = copy_of(prepared, tmp_path / f"{at}-{after}"), Fuse(at, after)
        # A refused delivery outlives a lost write of its accepted rows: they are not needed any more.
        with suppress(Died):
            run_through(fused(exchange, fuse))
        if fuse.calls <= at:
            break
        assert half_releases(exchange) == [], f"call {at}, after={after}"
        assert declared_unknown(exchange) == [], f"call {at}, after={after}"
        exchange.now += timedelta(hours=1)
        run_through(exchange.site)
        assert outcome(exchange) == expected, f"call {at}, after={after}"
        exchange.site.ledger.verify()
        shutil.rmtree(exchange.directory)
        schedules += 1
    assert schedules > 100
    print(f"crash schedules tried: {schedules}, violations: 0")

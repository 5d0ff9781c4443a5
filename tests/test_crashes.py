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
from pipeline.core.errors import Code, Refused
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
    """Counts the calls to every store of a site, and burns through at one of them, before it takes effect.

    With `then` nobody dies: that happens in between. `reads`: whether calls that change nothing count; between two of them a
    crash leaves the same storage.
    """

    at: int
    calls: int = 0
    then: Callable[[], None] | None = None
    reads: bool = True

    def burn(self) -> None:
        if self.then is None:
            raise Died
        self.then()


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
        self._call(lambda: self.inner.put_new(key, content), reads=False)

    def find(self, key: str) -> bytes | None:
        return self._call(lambda: self.inner.find(key))

    def blocks(self, key: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        return self._call(lambda: self.inner.blocks(key, block_bytes=block_bytes))

    def exists(self, key: str) -> bool:
        return self._call(lambda: self.inner.exists(key))

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        return self._call(lambda: iter(list(self.inner.listing(prefix))))

    def destroy(self, key: str) -> None:
        self._call(lambda: self.inner.destroy(key), reads=False)

    def _call(self, call: Callable[[], T], *, reads: bool = True) -> T:
        if reads and not self.fuse.reads:
            return call()
        number, self.fuse.calls = self.fuse.calls, self.fuse.calls + 1
        if number == self.fuse.at:
            self.fuse.burn()
        return call()


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
        ledger=Ledger(private.within("ledger"), shared.within("ledger"), site.keyring, site.ledger.origin),
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
    # After a write is before the next one, and a read between them changes nothing: these are all the crashes there are.
    for at in count():
        exchange, fuse = copy_of(prepared, tmp_path / str(at)), Fuse(at, reads=False)
        # A refused delivery outlives a lost write of its accepted rows: they are not needed any more.
        with suppress(Died):
            run_through(fused(exchange, fuse))
        if fuse.calls <= at:
            break
        assert half_releases(exchange) == [], f"write {at}"
        assert declared_unknown(exchange) == [], f"write {at}"
        exchange.now += timedelta(hours=1)
        run_through(exchange.site)
        assert outcome(exchange) == expected, f"write {at}"
        exchange.site.ledger.verify()
        shutil.rmtree(exchange.directory)
    assert at > 60
    print(f"crash schedules tried: {at}, violations: 0")


# Withdrawal

WITHDRAWN_OF = "pnr-police-liaison"


@pytest.fixture(scope="module")
def released(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site after one small release under one agreement."""
    exchange = copy_of(prepared, tmp_path_factory.mktemp("released") / "site")
    for listed in list(exchange.site.landing.store.listing("pnr-push")):
        if "good" not in listed.key:
            exchange.site.landing.store.destroy(listed.key)
    for path in (exchange.directory / "catalogue/agreements").glob("*.toml"):
        if not path.name.startswith(WITHDRAWN_OF):
            path.unlink()
    (lot,) = journey.sweep(exchange.site).lots
    (kept,) = journey.receive(exchange.site, lot.id).kept
    journey.release(exchange.site, WITHDRAWN_OF, kept)
    return exchange.directory


def withdraw_and_remake(site: Site, first: str, kept: str) -> None:
    """The release is withdrawn to be made anew, and is."""
    journey.withdraw(site, first, by="j.example", why="A column had the wrong unit", reissue=True)
    journey.release(site, WITHDRAWN_OF, kept)


def story(exchange: Exchange) -> tuple[object, ...]:
    """Everything that must come out the same of a withdrawal and of what supersedes it."""
    store = exchange.site.publication.store
    releases = sorted(exchange.site.publication.releases(), key=lambda one: one.release)
    beside = Counter(listed.key.rpartition("/")[2] for listed in store.listing() if "/parts/" not in listed.key)
    return (
        [(one.release, one.predicate["revision"], one.predicate["rows"]) for one in releases],
        [bool(exchange.site.publication.withdrawn(one)) for one in releases],
        [len(exchange.opened(one)) for one in releases],
        {name: count for name, count in beside.items() if name.endswith((".json", ".tlog-proof", ".md", ".py"))},
        Counter(entry.kind for entry in exchange.site.ledger.entries() if entry.kind is not Kind.INTENDED),
    )


def superseded_unsaid(exchange: Exchange) -> list[str]:
    """Revisions whose predecessor's withdrawal is not the one that they name, or is not in the ledger."""
    site, unsaid = exchange.site, []
    for one in site.publication.releases():
        if earlier := one.predicate["supersedes"]:
            before = site.publication.find(one.recipient, earlier["release"])
            withdrawn = site.publication.withdrawn(before) if before else None
            entry = record.withdrawal_entry(site, earlier["release"])
            digest = earlier["withdrawal"]["sha256"]
            if not withdrawn or not entry or not withdrawn.digest == digest == entry.facts["withdrawal"]:
                unsaid.append(one.release)
    return unsaid


@pytest.mark.crash
@pytest.mark.timeout(900)
def test_a_crash_at_any_write_of_a_withdrawal_loses_none_and_a_rerun_supersedes_once(
    released: Path, tmp_path: Path
) -> None:
    whole = copy_of(released, tmp_path / "whole")
    (first,) = whole.site.publication.releases()
    release, kept = first.release, str(first.predicate["made_of"]["kept"])
    withdraw_and_remake(whole.site, release, kept)
    expected = story(whole)
    for at in count():
        exchange, fuse = copy_of(released, tmp_path / str(at)), Fuse(at, reads=False)
        with suppress(Died):
            withdraw_and_remake(fused(exchange, fuse), release, kept)
        if fuse.calls <= at:
            break
        assert half_releases(exchange) == superseded_unsaid(exchange) == [], f"write {at}"
        exchange.now += timedelta(hours=1)
        withdraw_and_remake(exchange.site, release, kept)
        assert story(exchange) == expected, f"write {at}"
        exchange.site.ledger.verify()
        shutil.rmtree(exchange.directory)
    assert at > 15
    print(f"crash schedules of a withdrawal tried: {at}, violations: 0")


@pytest.mark.crash
@pytest.mark.timeout(900)
def test_a_withdrawal_at_any_call_of_the_release_that_supersedes_leaves_one_story(
    released: Path, tmp_path: Path
) -> None:
    """While revision 2 is made it is made, and withdrawn for good, by others: nobody announces or remakes it afterwards."""
    prepared = copy_of(released, tmp_path / "prepared")
    (first,) = prepared.site.publication.releases()
    release, kept = first.release, str(first.predicate["made_of"]["kept"])
    second = journey.withdraw(prepared.site, release, by="j.example", why="Wrong unit", reissue=True).next
    assert second
    tried = 0
    for at in count():
        exchange = copy_of(prepared.directory, tmp_path / str(at))

        def meanwhile(exchange: Exchange = exchange) -> None:
            journey.release(exchange.site, WITHDRAWN_OF, kept)
            journey.withdraw(exchange.site, second, by="k.example", why="Wrong rows")

        fuse = Fuse(at, then=meanwhile)
        try:
            journey.release(fused(exchange, fuse), WITHDRAWN_OF, kept)
            refused = None
        except Refused as refusal:
            refused = refusal.code
        if fuse.calls <= at:
            break
        told = [entry.kind for entry in exchange.site.ledger.entries() if entry.subject == second]
        assert told.count(Kind.RELEASED) == told.count(Kind.WITHDRAWN) == 1, f"call {at}"
        assert half_releases(exchange) == superseded_unsaid(exchange) == [], f"call {at}"
        assert refused is Code.RELEASE_WITHDRAWN or told[-1] is Kind.WITHDRAWN, f"call {at}"
        with pytest.raises(Refused) as again:
            journey.release(exchange.site, WITHDRAWN_OF, kept)
        assert again.value.code is Code.RELEASE_WITHDRAWN
        exchange.site.ledger.verify()
        shutil.rmtree(exchange.directory)
        tried += 1
    assert tried > 20
    print(f"withdrawals between two calls tried: {tried}, violations: 0")

"""No edit of storage goes unnoticed: bits, objects, stores and whole ledgers are changed, and the audit says so."""

import hashlib
import io
import os
import random
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.core.audit import Report
from pipeline.core.errors import Code
from pipeline.edges.audit import audit, grounds_of, look_at
from pipeline.edges.audit_table import TABLE, found
from pipeline.edges.records import PRIVATE, SHARED
from pipeline.edges.storage import Listed
from samples import aeo_members
from tests.audited import cosigned, rich
from tests.exchange import Exchange

FLIPS_OF_A_KIND = 14


@pytest.fixture(scope="module")
def site_of(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    """Whoever changes it puts it back."""
    return rich(tmp_path_factory.mktemp("audited"))


def path_of(exchange: Exchange, store: str, key: str) -> Path:
    return exchange.directory / "site" / "stores" / store / key


def objects(exchange: Exchange) -> Iterator[tuple[str, str, Listed]]:
    """Kind, store and listing of every object."""
    stores = {PRIVATE: exchange.site.vault.store, SHARED: exchange.site.publication.store}
    for store, at in stores.items():
        for listed in at.listing():
            known = found(store, listed)
            assert known, listed.key
            yield known[0].kind, store, listed


@contextmanager
def changed(path: Path, content: bytes | None) -> Iterator[None]:
    """The file has this content, or is gone; its time stays as it was."""
    before, seen = path.read_bytes(), path.stat()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def test_a_site_that_nobody_has_changed_has_no_finding(site_of: Exchange) -> None:
    report = audit(site_of.site, full=True)
    assert (report.findings, report.leftovers, report.making, report.waiting) == ((), 0, 0, 1)
    assert report.read_objects == report.objects == sum(1 for _ in objects(site_of))
    assert (report.releases["withdrawn"], report.releases["acknowledged"]) == (2, 1)


def test_every_kind_of_the_table_is_in_the_site_that_is_changed_here(site_of: Exchange) -> None:
    there = {(kind, store) for kind, store, _ in objects(site_of)}
    absent = {(row.kind, row.store) for row in TABLE} - there
    assert absent <= {("later signature", PRIVATE), ("audit", PRIVATE)}


def test_a_flipped_bit_is_found_wherever_it_is(site_of: Exchange, capsys: pytest.CaptureFixture[str]) -> None:
    drawn, grounds = random.Random(5), grounds_of(site_of.site)
    by_kind: dict[tuple[str, str], list[Listed]] = {}
    for kind, store, listed in objects(site_of):
        by_kind.setdefault((kind, store), []).append(listed)
    tried, lost = Counter[str](), []
    for (kind, store), listings in by_kind.items():
        for _ in range(FLIPS_OF_A_KIND):
            listed = drawn.choice(listings)
            path = path_of(site_of, store, listed.key)
            content = bytearray(path.read_bytes())
            bit = drawn.randrange(len(content) * 8)
            content[bit // 8] ^= 1 << bit % 8
            tried[kind] += 1
            with changed(path, bytes(content)):
                if look_at(grounds, store, listed) is None:
                    lost.append((listed.key, bit))
    with capsys.disabled():
        print(f"\nflips tried {sum(tried.values())}, found {sum(tried.values()) - len(lost)}, kinds {len(by_kind)}")
    assert lost == []
    assert sum(tried.values()) > 400


def test_a_truncated_or_lengthened_object_is_found(site_of: Exchange) -> None:
    grounds, seen, lost = grounds_of(site_of.site), set[tuple[str, str]](), []
    for kind, store, listed in objects(site_of):
        if (kind, store) in seen:
            continue
        seen.add((kind, store))
        path = path_of(site_of, store, listed.key)
        content = path.read_bytes()
        for other in (content[:-1], b"", content + b"\n", content + b"\0"):
            with changed(path, other):
                if look_at(grounds, store, listed) is None:
                    lost.append((listed.key, len(other) - len(content)))
    assert lost == []


MAY_GO = {"wake mark": "its lot is handed out once more", "probe": "it is written again when the site is opened"}


def test_an_object_of_any_kind_that_was_taken_away_is_found(site_of: Exchange) -> None:
    drawn, by_kind, lost = random.Random(6), dict[tuple[str, str], list[Listed]](), []
    for kind, store, listed in objects(site_of):
        by_kind.setdefault((kind, store), []).append(listed)
    for (kind, store), listings in by_kind.items():
        listed = drawn.choice(listings)
        with changed(path_of(site_of, store, listed.key), None):
            if not audit(site_of.site, full=True).findings:
                lost.append(kind)
    assert len(by_kind) > 25
    assert set(lost) <= set(MAY_GO)


FOREIGN = {
    "of no kind": (PRIVATE, "notes.txt", Code.OBJECT_UNKNOWN),
    "in a folder of ours": (PRIVATE, "kept/notes/readme.md", Code.OBJECT_UNKNOWN),
    "for a recipient": (SHARED, "eu-customs/more.csv", Code.OBJECT_UNKNOWN),
    "a chunk of nobody": (PRIVATE, "vault/" + "0" * 64 + "/DIGEST.age", Code.OBJECT_UNRECORDED),
    "a part of no intent": (SHARED, "eu-customs/releases/RELEASE/parts/DIGEST.csv.age", Code.OBJECT_UNRECORDED),
    "a release of nobody": (SHARED, "eu-customs/releases/new/manifest.json", Code.VERIFICATION_FAILED),
    "another file of a release": (SHARED, "eu-customs/releases/RELEASE/more.md", Code.OBJECT_ALTERED),
    "an answer": (SHARED, "eu-customs/acknowledgements/" + "0" * 64 + "-SHORT.json", Code.OBJECT_UNRECORDED),
    "an entry": (PRIVATE, "ledger/entries/000000000999.json", Code.OBJECT_ALTERED),
    "a checkpoint": (SHARED, "ledger/checkpoints/9999", Code.OBJECT_ALTERED),
    "a notice": (SHARED, "eu-customs/notices/new.json", Code.OBJECT_UNRECORDED),
    "an acknowledgement": (PRIVATE, "returned/eu-customs/DIGEST.json", Code.OBJECT_UNRECORDED),
}


def test_an_object_that_nobody_of_us_wrote_is_found(site_of: Exchange) -> None:
    digest = hashlib.sha256(b"put here by hand\n").hexdigest()
    release = next(one for one in site_of.site.publication.releases() if one.recipient == "eu-customs").release
    expected, long_ago = {}, (site_of.now - timedelta(days=1)).timestamp()
    for store, key, code in FOREIGN.values():
        key = key.replace("DIGEST", digest).replace("SHORT", digest[:8]).replace("RELEASE", release)
        path = path_of(site_of, store, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"put here by hand\n")
        os.utime(path, (long_ago, long_ago))
        expected[path] = ("ledger" if key.startswith("ledger/") else f"{store}/{key}", code.value)
    try:
        report = audit(site_of.site, full=True)
        told = {(finding.object, finding.code) for finding in report.findings}
        assert set(expected.values()) <= told
        assert len(told) == len(set(expected.values()))
    finally:
        for path in expected:
            path.unlink()


def test_a_ledger_that_was_put_back_is_found_by_the_witness_s_checkpoint(site_of: Exchange, tmp_path: Path) -> None:
    shutil.copytree(site_of.directory, tmp_path, dirs_exist_ok=True)
    exchange = Exchange.of(tmp_path)
    exchange.now = site_of.now
    stores = tmp_path / "site" / "stores"
    before = tmp_path / "before"
    shutil.copytree(stores, before)
    cosigned(exchange)
    known = cosigned(exchange, "later")  # of a checkpoint that was not there before
    assert audit(exchange.site, full=True, known=known).findings == ()
    shutil.rmtree(stores)
    shutil.copytree(before, stores)
    exchange.reopen()
    assert audit(exchange.site, full=True).findings == ()  # from inside nothing shows it
    report = audit(exchange.site, full=True, known=known)
    assert codes(report) == [Code.LEDGER_WENT_BACK.value]


def test_a_ledger_that_was_put_back_beside_later_releases_is_found(site_of: Exchange, tmp_path: Path) -> None:
    shutil.copytree(site_of.directory, tmp_path, dirs_exist_ok=True)
    stores = tmp_path / "site" / "stores"
    size, back = site_of.site.ledger.checkpoint().size, 20
    for number in range(back, size):
        (stores / "private" / "ledger" / "entries" / f"{number:012}.json").unlink()
        (stores / "shared" / "ledger" / "checkpoints" / f"{number + 1}").unlink()
    exchange = Exchange.of(tmp_path)
    exchange.now = site_of.now
    found_codes = set(codes(audit(exchange.site, full=True)))
    assert Code.OBJECT_ALTERED.value in found_codes
    assert Code.OBJECT_UNRECORDED.value in found_codes


def test_what_is_being_made_is_no_finding(tmp_path: Path) -> None:
    """Deliveries are received and released while audits run, one after another."""
    exchange = Exchange(tmp_path, feeds=("aeo-members",))
    writer_exchange = Exchange.of(tmp_path)
    for one in (exchange, writer_exchange):
        one.site = replace(one.site, now=lambda: datetime.now(UTC))
    done, failed = threading.Event(), list[BaseException]()

    def write() -> None:
        try:
            for number in range(2):
                out = io.BytesIO()
                aeo_members.write(out, operators=20, seed=number, bad_share=0.0)
                writer_exchange.drop("aeo-members", out.getvalue(), f"list-{number}.csv")
                writer_exchange.site = replace(
                    writer_exchange.site, now=lambda: datetime.now(UTC) + timedelta(seconds=90)
                )
                writer_exchange.run()
        except BaseException as error:  # noqa: BLE001 (a thread's error must reach the test)
            failed.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=write)
    thread.start()
    audits = 0
    while not done.is_set():
        assert audit(exchange.site, full=True).findings == ()
        audits += 1
    thread.join(timeout=60)
    assert failed == []
    assert audits > 3
    assert audit(exchange.site, full=True).findings == ()

"""No edit of storage goes unnoticed: bits, objects, stores and whole ledgers are changed, and the audit says so."""

import base64
import hashlib
import io
import itertools
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import pytest

from pipeline import journey
from pipeline.core.audit import Report, document
from pipeline.core.audit_page import in_words, page
from pipeline.core.canonical import canonical
from pipeline.core.entries import Kind
from pipeline.core.errors import Code
from pipeline.edges.audit import audit, grounds_of, look_at
from pipeline.edges.audit_keeping import audited, keep
from pipeline.edges.audit_ledger import Spoken
from pipeline.edges.audit_table import TABLE, found
from pipeline.edges.publication import manifest_key
from pipeline.edges.records import PRIVATE, SHARED
from pipeline.edges.signing import open_envelope, sign_statement
from pipeline.edges.storage import Listed
from samples import aeo_members
from tests.audited import cosigned, rich
from tests.desk import Desk
from tests.exchange import ROOT, Exchange
from tests.faults import Died
from tests.test_crashes import Fuse, fused

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


def test_what_a_crash_left_is_no_finding_once_everything_was_run_again(tmp_path: Path) -> None:
    """A process dies at one call of a store, here and there; the next run finishes what it began."""
    out = io.BytesIO()
    aeo_members.write(out, operators=60, seed=1, bad_share=0.02)
    began = Exchange(tmp_path / "began", feeds=("aeo-members",))
    began.drop("aeo-members", out.getvalue(), "list.csv")
    began.drop("aeo-members", b"not,a,list\n1,2,3\n", "refused.csv")
    for at in itertools.count(start=1, step=17):
        directory = tmp_path / str(at)
        shutil.copytree(began.directory, directory)
        exchange = Exchange.of(directory)
        whole = exchange.site
        exchange.site = fused(exchange, fuse := Fuse(at, reads=False))
        with suppress(Died):
            run_all(exchange)
        exchange.site = whole
        exchange.now += timedelta(minutes=20)  # the lot is handed out again
        run_all(exchange)
        exchange.now += timedelta(days=2)
        report = audit(exchange.site, full=True)
        assert (at, report.findings) == (at, ())
        shutil.rmtree(directory)
        if fuse.calls <= at:
            break


def run_all(exchange: Exchange) -> None:
    """Whatever has landed, or waits, is received and released."""
    journey.sweep(exchange.site)
    for lot in list(exchange.site.landing.lots()):
        for kept in journey.receive(exchange.site, lot.id).kept:
            for agreement in exchange.site.catalogue().agreements_of(lot.feed):
                journey.release(exchange.site, agreement.id, kept)


# What has not happened


@pytest.fixture
def copied(site_of: Exchange, tmp_path: Path) -> Exchange:
    """The site in a place of its own, at the same instant."""
    shutil.copytree(site_of.directory, tmp_path, dirs_exist_ok=True)
    exchange = Exchange.of(tmp_path)
    exchange.now = site_of.now
    return exchange


def test_time_alone_brings_its_findings(copied: Exchange) -> None:
    copied.now += timedelta(days=40)
    told = Counter(codes(audit(copied.site)))
    living = 9 - 2  # releases that were not withdrawn; one of them is acknowledged
    assert told == {Code.ACKNOWLEDGEMENT_MISSING.value: living - 1, Code.WITNESS_SILENT.value: 1}


def test_a_part_that_outlives_its_date_is_found_and_one_that_is_gone_then_is_not(copied: Exchange) -> None:
    copied.now += timedelta(days=366 * 30)
    overdue = [finding for finding in audit(copied.site).findings if finding.code == Code.PART_OVERDUE.value]
    assert overdue
    for finding in overdue:
        path_of(copied, *finding.object.split("/", 1)).unlink()
    later = {finding.code for finding in audit(copied.site).findings}
    assert later == {Code.ACKNOWLEDGEMENT_MISSING.value, Code.WITNESS_SILENT.value}


def test_an_intent_that_came_to_nothing_is_found(copied: Exchange) -> None:
    copied.site.ledger.append(
        id="intended:story.1:x",
        kind=Kind.INTENDED,
        subject="story.1",
        facts={"agreement": "story", "agreement_digest": "0" * 64, "parts": ["1" * 64]},
        at=copied.now,
    )
    assert codes(audit(copied.site)) == []
    copied.now += timedelta(days=2)
    assert codes(audit(copied.site)) == [Code.INTENT_OPEN.value]


# Releases that are not what they say, though everything is signed


def signed_anew(copied: Exchange, change: Callable[[dict[str, Any]], object]) -> list[str]:
    """The codes of an audit after somebody with the site's key has changed a manifest, told the ledger nothing of it."""
    publication = copied.site.publication
    published = next(one for one in publication.releases() if one.predicate["statistics"] is None)
    path = path_of(copied, SHARED, manifest_key(published.recipient, published.release))
    statement = json.loads(open_envelope(path.read_bytes(), [publication.key.public]))
    change(statement["predicate"])
    path.write_bytes(sign_statement(canonical(statement), publication.key))
    spoken = Spoken.of(copied.site.vault.store)
    entry = spoken.released[published.release]
    facts = {**entry.facts, "manifest": hashlib.sha256(path.read_bytes()).hexdigest()}
    grounds = grounds_of(copied.site)
    grounds.spoken.released[published.release] = replace(entry, facts=facts)
    listed = next(one for kind, _, one in objects(copied) if kind == "manifest" and path.as_posix().endswith(one.key))
    told = look_at(grounds, SHARED, listed)
    return [told.code] if told else []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda said: said["rows"].update(released=said["rows"]["released"] + 1), Code.ROWS_NOT_CONSERVED),
        (lambda said: said["agreement"].update(version=7), Code.TERMS_DIFFER),
        (lambda said: said["agreement"]["digest"].update(sha256="0" * 64), Code.TERMS_DIFFER),
        (lambda said: said.update(created_at="2001-01-01T00:00:00+00:00"), Code.AGREEMENT_NOT_ACTIVE),
        (lambda said: said["policies"].update(sha256="0" * 64), Code.NOT_FOUND),
        (lambda said: said["made_of"]["deliveries"][0].update(delivery="0" * 64), Code.TERMS_DIFFER),
    ],
)
def test_a_manifest_that_contradicts_what_is_kept_is_found(
    copied: Exchange, change: Callable[[dict[str, Any]], object], code: Code
) -> None:
    assert signed_anew(copied, change) == [code.value]


def test_texts_of_another_version_of_the_language_are_no_finding_and_are_counted(copied: Exchange) -> None:
    published = next(one for one in copied.site.publication.releases() if one.predicate["statistics"] is None)
    store, agreement = copied.site.vault.store, published.predicate["agreement"]["id"]
    texts = json.loads(store.find(f"policies/{published.predicate['policies']['sha256']}.json") or b"")
    older = canonical({**texts, f"agreements/{agreement}.toml": f'id = "{agreement}"\nolder = true\n'})
    digest = hashlib.sha256(older).hexdigest()
    store.put_new(f"policies/{digest}.json", older)
    assert signed_anew(copied, lambda said: said["policies"].update(sha256=digest)) == []


# Audits that are kept


def test_an_incremental_audit_reads_no_sealed_object_again_and_a_full_one_does(copied: Exchange) -> None:
    assert audited(copied.site).full  # nothing was audited before
    for path in (copied.directory / "site" / "stores").rglob("*.age"):
        os.utime(path, (0, 0))
    copied.now += timedelta(days=1)
    report = audited(copied.site)
    assert (report.full, report.findings) == (False, ())
    read = {kind.kind: kind.read_objects for kind in report.kinds}
    assert (read["part"], read["chunk"], read["ledger entry"]) == (0, 0, report.checkpoint.size)
    assert report.since is not None
    assert read["checkpoint"] == report.checkpoint.size - report.since.size
    chunk = next(path for path in (copied.directory / "site" / "stores" / "private" / "vault").rglob("*.age"))
    content = bytearray(chunk.read_bytes())
    content[-1] ^= 1
    with changed(chunk, bytes(content)):
        os.utime(chunk, (0, 0))
        assert audit(copied.site).findings == ()  # as the page of the audit says
        assert codes(audit(copied.site, full=True)) == [Code.OBJECT_ALTERED.value]
    copied.now += timedelta(days=7)
    cosigned(copied)
    assert audited(copied.site).full  # a week is over


def test_after_a_finding_the_next_audit_reads_everything(copied: Exchange) -> None:
    foreign = path_of(copied, PRIVATE, "notes.txt")
    foreign.write_bytes(b"x")
    assert codes(audited(copied.site)) == [Code.OBJECT_UNKNOWN.value]
    foreign.unlink()
    copied.now += timedelta(hours=1)
    assert (report := audited(copied.site)).full
    assert report.findings == ()


def test_a_kept_report_is_signed_and_vouched_for_by_the_ledger(copied: Exchange) -> None:
    report = audit(copied.site)
    place = keep(copied.site, report)
    store = copied.site.vault.store
    statement = json.loads(open_envelope(store.find(f"{place}.dsse") or b"", [copied.site.publication.key.public]))
    digests = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    assert digests == {
        f"{place.removeprefix('audits/')}.{ending}": hashlib.sha256(store.find(f"{place}.{ending}") or b"").hexdigest()
        for ending in ("json", "html")
    }
    assert statement["predicate"]["checkpoint"]["root"] == report.checkpoint.root
    grounds = grounds_of(copied.site)
    for _, at, listed in [one for one in objects(copied) if one[0] == "audit"]:
        path = path_of(copied, at, listed.key)
        with changed(path, path.read_bytes().replace(b"a", b"b", 1)):
            assert look_at(grounds, at, listed)
    path_of(copied, PRIVATE, f"{place}.html").unlink()
    assert codes(audit(copied.site)) == [Code.OBJECT_MISSING.value]


# What it says


def test_the_page_needs_nothing_beside_it_and_shows_every_finding(copied: Exchange) -> None:
    path_of(copied, PRIVATE, "notes&more.txt").write_bytes(b"x")
    report = audit(copied.site)
    shown, text, said = page(report), in_words(report), document(report)
    assert "<script" not in shown
    assert not re.search(r"(?:src|href)=|url\(|https?://", shown)
    assert shown.count("<svg") == 3
    assert report.checkpoint.root in shown
    for finding in report.findings:
        assert escape(finding.object) in shown
        assert finding.object in text
        assert finding.next_step in text
    assert json.loads(canonical(said))["found"] == len(report.findings) == 1


def test_no_value_of_a_person_is_in_a_report(copied: Exchange) -> None:
    report = audit(copied.site, full=True)
    clear = page(report) + in_words(report) + canonical(document(report)).decode()
    rows = [
        rows
        for lot in copied.site.landing.lots()
        for kept in copied.site.vault.of_lot(lot.id)
        for rows in copied.site.vault.rows(kept)
    ]
    for column in ("surname", "given_names", "contact_email", "tin"):
        cells = {cell for table in rows if column in table.columns for cell in table[column].drop_nulls().to_list()}
        assert [cell for cell in cells if len(cell) > 3 and cell in clear] == []


def test_the_command_ends_with_five_when_anything_is_found(copied: Exchange) -> None:
    desk = Desk(copied.directory)
    path_of(copied, PRIVATE, "notes.txt").write_bytes(b"x")
    answer = desk.type("audit", "--json", "--full")
    told = {finding["code"] for finding in answer.document["findings"]}
    assert (answer.exit_code, answer.document["exit_code"]) == (5, 5)
    assert "object-unknown" in told
    assert "FOUND [object-unknown] private/notes.txt" in desk.type("audit").out


def test_the_command_writes_signed_reports_and_nothing_else(desk: Desk) -> None:
    stores = desk.site / "stores"
    before = sorted(path for path in stores.rglob("*") if path.is_file())
    out = desk.directory
    answer = desk.type("audit", "--report", out / "a.html", "--report", out / "a.json", "--report", out / "a.txt")
    assert (answer.exit_code, "Nothing was found" in answer.out) == (0, True)
    assert sorted(path for path in stores.rglob("*") if path.is_file()) == before
    for name in ("a.html", "a.json", "a.txt"):
        statement = json.loads((out / f"{name}.dsse").read_bytes())
        subject = json.loads(base64.b64decode(statement["payload"]))["subject"]
        assert subject == [{"name": name, "digest": {"sha256": hashlib.sha256((out / name).read_bytes()).hexdigest()}}]
    assert desk.type("audit", "--report", "a.pdf").exit_code == 2
    assert desk.type("audit", "--keep").exit_code == 0
    assert desk.type("audit").exit_code == 0


def test_every_row_of_the_table_is_in_the_page_of_storage() -> None:
    told = (ROOT / "docs" / "formats" / "storage.md").read_text(encoding="utf-8")
    begins = {row.key.partition("<")[0].rstrip("/") or row.key.split("/")[1] for row in TABLE}
    assert [key for key in sorted(begins) if key not in told] == []


def test_the_how_to_s_commands_do_what_it_says(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.directory)
    page_of_it = (ROOT / "docs" / "how-to" / "audit-a-site.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\.venv/bin/safeconduct (.*)$", page_of_it, re.MULTILINE)
    assert len(lines) > 5
    audited(Exchange.of(desk.directory).site)  # a ledger with an entry
    for line in lines:
        words, _, file = line.partition(" > ")
        answer = desk.type(*shlex.split(words))
        assert answer.exit_code == 0, line
        if file:
            Path(file).write_text(answer.out, encoding="utf-8")
    step = re.search(r"^python3 -c '(.*)' < (.*)$", page_of_it, re.MULTILINE)
    assert step
    with Path(step[2]).open(encoding="utf-8") as envelope:
        done = subprocess.run(
            [sys.executable, "-c", step[1]], stdin=envelope, capture_output=True, text=True, timeout=20, check=True
        )
    assert hashlib.sha256(Path("audit.html").read_bytes()).hexdigest() in done.stdout


# The daily task


def test_the_daily_task_keeps_its_report_and_is_red_when_anything_is_found(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from pipeline.orchestration.tasks import Audit

    monkeypatch.setenv("SAFECONDUCT_SITE", str(desk.site))
    audits = desk.site / "stores" / "private" / "audits"
    (desk.site / "stores" / "private" / "notes.txt").write_bytes(b"x")
    with pytest.raises(AirflowFailException, match="object-unknown"):
        Audit(task_id="audit").execute({})
    (desk.site / "stores" / "private" / "notes.txt").unlink()
    for full in (True, False):  # everything again after a finding
        told = Audit(task_id="audit").execute({})
        assert (told["full"], told["objects"] > 0) == (full, True)
    assert sorted(path.suffix for path in audits.iterdir()) == [".dsse"] * 3 + [".html"] * 3 + [".json"] * 3

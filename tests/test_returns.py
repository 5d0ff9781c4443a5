"""What recipients give back: acknowledgements and cosigned checkpoints, taken in as deliveries are, or refused."""

import asyncio
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline import journey
from pipeline.core.acknowledgement import MAX_BYTES, Acknowledgement, acknowledgement_text, read_acknowledgement
from pipeline.core.errors import Code
from pipeline.core.notes import Checkpoint, KeyKind, VerifierKey, read_checkpoint
from pipeline.edges import record
from pipeline.edges.catalogue import load
from pipeline.edges.checkpoints import cosign, raw, sign_checkpoint
from pipeline.edges.opening import read_private_key, sign
from pipeline.edges.publication import Published, release_folder
from pipeline.edges.site import Site
from pipeline.kit import verify_release
from pipeline.kit.contents import GUIDE, VERIFIER
from tests.desk import Desk
from tests.faults import Died
from tests.stories import Story
from tests.test_crashes import Fuse, fused

WITNESS = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a witness").digest())
WITNESS_NAME = "customs.example/witness"
WITNESS_KEY = VerifierKey(WITNESS_NAME, KeyKind.WITNESS, raw(WITNESS.public_key()))


@pytest.fixture(scope="module")
def told(begun: Story, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A story whose release is published, and whose recipient has a witness. For copies."""
    story = begun.copied(tmp_path_factory.mktemp("told"))
    story.release()
    witnesses = story.exchange.directory / "site" / "keys" / "witnesses.txt"
    witnesses.write_text(f"eu-customs {WITNESS_KEY}\n", encoding="utf-8")
    return story


@pytest.fixture
def released(told: Story, tmp_path: Path) -> Story:
    return told.copied(tmp_path)


def said_of(story: Story, **changed: Any) -> Acknowledgement:
    published = story.published()
    said = {
        "release": published.release,
        "recipient": "eu-customs",
        "manifest": published.manifest_digest,
        "by": "Registry",
        "at": story.exchange.now,
    }
    return Acknowledgement(**{**said, **changed})


def give(story: Story, text: bytes, name: str, *, partner: str = "eu-customs", signer: str | None = "") -> None:
    """The partner puts a file below its returns, signed by itself or by another `signer`; None for nobody."""
    store = story.exchange.site.landing.store
    if signer is not None:
        key = read_private_key((story.exchange.directory / "demo" / f"{signer or partner}.ed25519").read_bytes())
        store.put_new(f"returns/{partner}/{name}.sig", sign([text], key))
    store.put_new(f"returns/{partner}/{name}", text)
    story.exchange.now = max(story.exchange.now, datetime.now(UTC)) + timedelta(seconds=30)


def swept(story: Story) -> journey.Swept:
    return journey.sweep(story.exchange.site)


def landed(story: Story) -> list[str]:
    return [listed.key for listed in story.exchange.site.landing.store.listing()]


def folder_of(story: Story, published: Published) -> Path:
    shared = story.exchange.directory / "site" / "stores" / "shared"
    return shared / release_folder(published.recipient, published.release)


# Acknowledgements


def test_an_acknowledgement_is_in_the_ledger_and_gone_from_landing(released: Story) -> None:
    site, text = released.exchange.site, acknowledgement_text(said_of(released))
    give(released, text, "ours.json")
    (one,) = swept(released).returned
    published = released.published()
    assert (one.partner, one.what, one.subject) == ("eu-customs", "acknowledgement", published.release)
    entry = record.acknowledgement_entry(site, published.release, "eu-customs")
    assert entry is not None
    assert (entry.kind.value, entry.subject, entry.facts["manifest"]) == (
        "acknowledged",
        published.release,
        published.manifest_digest,
    )
    assert landed(released) == []
    digest = hashlib.sha256(text).hexdigest()
    assert site.landing.private.find(f"returned/eu-customs/{digest}.json") == text
    assert site.landing.private.exists(f"returned/eu-customs/{digest}.json.sig")
    answers = list(site.publication.store.listing("eu-customs/acknowledgements"))
    assert [digest in listed.key for listed in answers].count(True) == 1


def test_the_same_acknowledgement_again_changes_nothing(released: Story) -> None:
    site, text = released.exchange.site, acknowledgement_text(said_of(released))
    for name in ("ours.json", "again.json"):
        give(released, text, name)
        assert len(swept(released).returned) == 1
    count = sum(entry.kind.value == "acknowledged" for entry in site.ledger.entries())
    assert (count, landed(released)) == (1, [])


def test_a_crash_before_it_is_discarded_changes_nothing(released: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    give(released, acknowledgement_text(said_of(released)), "ours.json")
    landing = type(released.exchange.site.landing)
    with monkeypatch.context() as patched:
        patched.setattr(landing, "discard", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            swept(released)
    assert len(swept(released).returned) == 1
    assert landed(released) == []


def test_the_first_word_counts(released: Story) -> None:
    for name, by in (("one.json", "Registry"), ("two.json", "Another office")):
        give(released, acknowledgement_text(said_of(released, by=by)), name)
        swept(released)
    entry = record.acknowledgement_entry(released.exchange.site, released.published().release, "eu-customs")
    assert entry is not None
    assert entry.facts["by"] == "Registry"


def test_white_space_is_the_writer_s(released: Story) -> None:
    text = json.dumps(json.loads(acknowledgement_text(said_of(released))), indent=4).encode()
    give(released, text, "by-hand.json")
    assert len(swept(released).returned) == 1


REFUSALS: dict[str, tuple[Code, Callable[[Story], None]]] = {
    "nobody signed it": (
        Code.SIGNATURE_MISSING,
        lambda story: give(story, acknowledgement_text(said_of(story)), "x.json", signer=None),
    ),
    "another partner signed it": (
        Code.SIGNATURE_INVALID,
        lambda story: give(story, acknowledgement_text(said_of(story)), "x.json", signer="eu-piu"),
    ),
    "another partner than the recipient": (
        Code.RETURN_BY_ANOTHER,
        lambda story: give(story, acknowledgement_text(said_of(story)), "x.json", partner="eu-piu"),
    ),
    "another manifest": (
        Code.RETURN_DIFFERS,
        lambda story: give(story, acknowledgement_text(said_of(story, manifest="0" * 64)), "x.json"),
    ),
    "a release that never was": (
        Code.RELEASE_UNKNOWN,
        lambda story: give(story, acknowledgement_text(said_of(story, release="story.never")), "x.json"),
    ),
    "a recipient that nobody is": (
        Code.RETURN_BY_ANOTHER,
        lambda story: give(story, acknowledgement_text(said_of(story, recipient="nobody")), "x.json"),
    ),
    "written tomorrow": (
        Code.CLOCK_JUMPED,
        lambda story: give(
            story, acknowledgement_text(said_of(story, at=story.exchange.now + timedelta(days=1))), "x.json"
        ),
    ),
    "written before the release": (
        Code.CLOCK_JUMPED,
        lambda story: give(
            story, acknowledgement_text(said_of(story, at=story.exchange.now - timedelta(days=1))), "x.json"
        ),
    ),
    "no JSON": (Code.RETURN_MALFORMED, lambda story: give(story, b"we have it", "x.json")),
    "too large": (Code.RETURN_MALFORMED, lambda story: give(story, b" " * (MAX_BYTES + 1), "x.json", signer="eu-piu")),
    "of no kind": (Code.RETURN_UNKNOWN, lambda story: give(story, b"x", "x.txt", signer=None)),
    "of no partner": (
        Code.RETURN_UNKNOWN,
        lambda story: give(story, b"x", "x.json", partner="nobody", signer="eu-customs"),
    ),
    "below no partner": (
        Code.RETURN_UNKNOWN,
        lambda story: give(story, b"x", "deeper/x.json"),
    ),
    "no checkpoint": (Code.CHECKPOINT_INVALID, lambda story: give(story, b"x\n", "x.cosigned", signer=None)),
}


@pytest.mark.parametrize(("code", "bad"), REFUSALS.values(), ids=REFUSALS)
def test_a_bad_return_is_refused_into_quarantine(released: Story, code: Code, bad: Callable[[Story], None]) -> None:
    site = released.exchange.site
    before = [entry.id for entry in site.ledger.entries() if entry.kind.value == "acknowledged"]
    bad(released)
    result = swept(released)
    assert [one.code for one in result.refused] == [code.value], result
    assert (result.returned, result.odd, landed(released)) == ((), (), [])
    (report,) = [report for report in site.quarantine.reports() if report["feed"] == "returns"]
    assert report["code"] == code.value
    assert [entry.id for entry in site.ledger.entries() if entry.kind.value == "acknowledged"] == before
    assert any(entry.kind.value == "refused" and entry.facts["code"] == code.value for entry in site.ledger.entries())


def test_a_partner_learns_that_its_return_was_refused(released: Story) -> None:
    give(released, b"we have it", "x.json")
    swept(released)
    store = released.exchange.site.publication.store
    answers = [json.loads(store.find(listed.key) or b"") for listed in store.listing("eu-customs/acknowledgements")]
    assert [answer["code"] for answer in answers if answer.get("feed") == "returns"] == ["return-malformed"]


def test_a_bad_return_holds_up_no_good_one(released: Story) -> None:
    give(released, b"we have it", "a.json")
    give(released, acknowledgement_text(said_of(released)), "b.json")
    result = swept(released)
    assert (len(result.refused), len(result.returned), landed(released)) == (1, 1, [])


def test_a_return_waits_while_its_partner_s_key_is_missing(released: Story) -> None:
    give(released, acknowledgement_text(said_of(released)), "x.json")
    signers = released.exchange.directory / "site" / "keys" / "partners" / "eu-customs" / "allowed_signers"
    text = signers.read_text(encoding="utf-8")
    signers.unlink()
    result = swept(released)
    assert (result.refused, len(result.odd), "partner-key-missing" in result.odd[0]) == ((), 1, True)
    signers.write_text(text, encoding="utf-8")
    assert len(swept(released).returned) == 1


def test_no_feed_may_be_called_returns(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent / "catalogue"
    shutil.copytree(root, tmp_path / "catalogue")
    feed = (root / "feeds" / "aeo-members.toml").read_text(encoding="utf-8")
    path = tmp_path / "catalogue" / "feeds" / "returns.toml"
    path.write_text(feed.replace('id = "aeo-members"', 'id = "returns"'), encoding="utf-8")
    assert [broken.path.name for broken in load(tmp_path / "catalogue").broken] == ["returns.toml"]


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.pop("by"),
        lambda said: said.update(more=1),
        lambda said: said.update(type="urn:another"),
        lambda said: said["manifest"].update(sha512="0"),
        lambda said: said.update(release="../../x"),
        lambda said: said.update(by="a\nb"),
        lambda said: said.update(by=""),
        lambda said: said.update(at="2026-11-21T12:00:00"),
        lambda said: said.update(at=1),
        lambda said: said.update(manifest="0" * 64),
    ],
)
def test_what_is_not_an_acknowledgement_is_none(change: Callable[[Any], object]) -> None:
    text = acknowledgement_text(Acknowledgement("a.1", "eu-customs", "0" * 64, "Registry", datetime.now(UTC)))
    assert read_acknowledgement(text).by == "Registry"
    said = json.loads(text)
    change(said)
    with pytest.raises(ValueError, match="not an acknowledgement"):
        read_acknowledgement(json.dumps(said).encode())


# Cosigned checkpoints


def cosigned(story: Story, checkpoint: Checkpoint | None = None, *, at: datetime | None = None) -> bytes:
    found = checkpoint or story.exchange.site.ledger.checkpoint()
    return found.note + str(cosign(found, WITNESS_NAME, WITNESS, at or story.exchange.now).signature).encode()


def test_a_cosigned_checkpoint_gives_each_release_a_proof_with_the_witness_s_word(released: Story) -> None:
    site, published = released.exchange.site, released.published()
    size = site.ledger.checkpoint().size
    for name in ("now.cosigned", "again.cosigned"):
        give(released, cosigned(released), name, signer=None)
        (one,) = swept(released).returned
        assert (one.what, one.partner) == ("cosignature", "eu-customs")
    witnessed = [entry for entry in site.ledger.entries() if entry.kind.value == "witnessed"]
    assert witnessed[0].facts["size"] == size
    assert landed(released) == []
    shared = released.exchange.directory / "site" / "stores" / "shared"
    report = verified(released, published, witness=str(WITNESS_KEY), log=shared / "ledger")
    assert any("folder has the" in line for line in report.checked)
    assert (report.faults, any(WITNESS_NAME in line for line in report.checked)) == ([], True)


def verified(
    story: Story,
    published: Published,
    *,
    witness: str = "",
    seen: verify_release.Seen | None = None,
    log: Path | None = None,
) -> verify_release.Report:
    site = story.exchange.site
    trust = verify_release.Trust(
        publishers=[site.keyring.signing.public],
        ledgers=[verify_release.read_note_key(str(key)) for key in site.ledger.verifier_keys],
        witnesses=[verify_release.read_note_key(witness)] if witness else [],
    )
    return verify_release.verify(
        folder_of(story, published), trust, now=story.exchange.now, recipient="eu-customs", seen=seen, log=log
    )


def test_a_release_that_is_newer_than_the_checkpoint_waits_for_the_next(begun: Story, tmp_path: Path) -> None:
    story = begun.copied(tmp_path)
    (story.exchange.directory / "site" / "keys" / "witnesses.txt").write_text(f"eu-customs {WITNESS_KEY}\n")
    give(story, cosigned(story), "early.cosigned", signer=None)
    assert len(swept(story).returned) == 1
    story.release()
    proof = folder_of(story, story.published()) / "witnessed.tlog-proof"
    assert not proof.exists()
    give(story, cosigned(story), "late.cosigned", signer=None)
    swept(story)
    assert proof.exists()


def test_what_the_command_of_a_witness_writes_is_taken_in(released: Story, tmp_path: Path) -> None:
    desk, site = Desk(released.exchange.directory), released.exchange.site
    key, out = tmp_path / "witness.key", tmp_path / "out"
    out.mkdir()
    made = desk.json("witness", "--new-key", "piu.example/witness", "--key", key)
    witnesses = released.exchange.directory / "site" / "keys" / "witnesses.txt"
    witnesses.write_text(f"eu-piu {made['vkey']}\n", encoding="utf-8")
    ledger = released.exchange.directory / "site" / "stores" / "shared" / "ledger"
    memory = ("--memory", tmp_path / "witness.json", "--to", out)
    assert desk.type("witness", ledger, "--key", key, "--log", site.ledger.verifier_keys[0], *memory).exit_code == 0
    (file,) = out.iterdir()
    give(released, file.read_bytes(), file.name, partner="eu-piu", signer=None)
    assert [one.what for one in swept(released).returned] == ["cosignature"]
    assert verified(released, released.published(), witness=made["vkey"]).faults == []


def test_a_checkpoint_from_before_a_release_proves_nothing_of_it(released: Story) -> None:
    site, published = released.exchange.site, released.published()
    entry = record.release_entry(site, published.release)
    assert entry is not None
    note = site.publication.store.find(f"ledger/checkpoints/{entry.sequence}") or b""
    give(released, cosigned(released, read_checkpoint(note)[0]), "older.cosigned", signer=None)
    result = swept(released)
    assert (len(result.returned), result.odd) == (1, ())
    assert not (folder_of(released, published) / "witnessed.tlog-proof").exists()


def test_what_is_remembered_says_what_it_cannot_tell(released: Story, tmp_path: Path) -> None:
    published, said = released.published(), []
    for number in range(2):
        seen = verify_release.Seen(tmp_path / "seen.json")
        report = verified(released, published, seen=seen)
        assert report.faults == []
        said.append(any("begins with" in line for line in report.unchecked))
        if not number:  # the ledger grows, and a witness sees it then
            give(released, acknowledgement_text(said_of(released)), "x.json")
            swept(released)
            give(released, cosigned(released), "x.cosigned", signer=None)
            swept(released)
    assert said == [False, True]


@pytest.mark.parametrize(
    ("code", "note"),
    [
        (Code.WITNESS_UNKNOWN, lambda story: story.exchange.site.ledger.checkpoint().note),
        (Code.COSIGNATURE_INVALID, lambda story: cosigned(story, at=None).replace(b"AAAA", b"AAAB")),
        (Code.CLOCK_JUMPED, lambda story: cosigned(story, at=story.exchange.now + timedelta(days=1))),
        (
            Code.ORIGIN_DIFFERS,
            lambda story: cosigned(story).replace(story.exchange.site.ledger.origin.encode(), b"x/y"),
        ),
    ],
)
def test_a_bad_cosignature_is_refused(released: Story, code: Code, note: Callable[[Story], bytes]) -> None:
    give(released, note(released), "x.cosigned", signer=None)
    result = swept(released)
    assert [one.code for one in result.refused] == [code.value], result
    assert not (folder_of(released, released.published()) / "witnessed.tlog-proof").exists()


def test_a_witness_of_another_partner_is_not_believed(released: Story) -> None:
    give(released, cosigned(released), "x.cosigned", partner="eu-piu", signer=None)
    assert [one.code for one in swept(released).refused] == ["witness-unknown"]


@pytest.mark.parametrize(("longer", "code"), [(0, "ledger-forked"), (1, "ledger-went-back")])
def test_a_witness_that_saw_another_ledger_stays_in_landing_until_somebody_looks(
    released: Story, longer: int, code: str
) -> None:
    site = released.exchange.site
    another = Checkpoint(site.ledger.origin, site.ledger.checkpoint().size + longer, b"\1" * 32)
    give(released, cosigned(released, sign_checkpoint(another, site.keyring.ledger)), "x.cosigned", signer=None)
    for _ in range(2):
        result = swept(released)
        assert (result.returned, result.refused, len(result.odd)) == ((), (), 1)
        assert f"[{code}]" in result.odd[0]
    assert landed(released) == ["returns/eu-customs/x.cosigned"]


# Crashes


def given_back(story: Story) -> tuple[object, ...]:
    """Everything that must come out the same, whenever the crash was."""
    site, published = story.exchange.site, story.published()
    kinds = Counter(entry.kind.value for entry in site.ledger.entries())
    return (
        {kind: kinds[kind] for kind in ("acknowledged", "witnessed", "refused")},
        [key for key in landed(story) if not key.endswith(".sig")],
        {report["code"] for report in site.quarantine.reports() if report["feed"] == "returns"},
        len(list(site.landing.private.listing("returned"))),
        verified(story, published, witness=str(WITNESS_KEY)).exit_code,
    )


def test_a_crash_at_any_write_of_a_sweep_loses_and_doubles_nothing(released: Story, tmp_path: Path) -> None:
    give(released, acknowledgement_text(said_of(released)), "a.json")
    give(released, b"we have it", "b.json")
    give(released, cosigned(released), "c.cosigned", signer=None)
    whole = released.copied(tmp_path / "whole")
    swept(whole)
    expected = given_back(whole)
    assert expected == ({"acknowledged": 1, "witnessed": 1, "refused": 1}, [], {"return-malformed"}, 2, 0)
    for at in count():
        story, fuse = released.copied(tmp_path / str(at)), Fuse(at, reads=False)
        with suppress(Died):
            journey.sweep(fused(story.exchange, fuse))
        if fuse.calls <= at:
            break
        swept(story)
        assert given_back(story) == expected, f"write {at}"
        story.exchange.site.ledger.verify()
        shutil.rmtree(tmp_path / str(at))
    assert at > 20


# What it looks like


def test_releases_and_status_show_what_was_acknowledged(released: Story) -> None:
    desk = Desk(released.exchange.directory)
    (before,) = desk.json("releases")["releases"]
    assert (before["acknowledged"], before["readers"]) == ([], ["eu-customs"])
    give(released, acknowledgement_text(said_of(released)), "x.json")
    swept(released)
    (one,) = desk.json("releases")["releases"]
    assert [(said["partner"], said["by"]) for said in one["acknowledged"]] == [("eu-customs", "Registry")]
    (delivery,) = desk.json("status")["deliveries"]
    assert [release["acknowledged"] for release in delivery["releases"]] == [["eu-customs"]]
    assert "eu-customs" in desk.type("status").out
    assert one["acknowledged"][0]["at"][:10] in desk.type("releases").out


def test_a_recipient_acknowledges_by_command(released: Story, tmp_path: Path) -> None:
    desk, published, site = Desk(tmp_path), released.published(), released.exchange.site
    (tmp_path / "publisher.pem").write_bytes(site.keyring.signing.public_pem())
    key = released.exchange.directory / "demo" / "eu-customs.ed25519"
    folder = tmp_path / "copy"
    shutil.copytree(folder_of(released, published), folder)
    trusted = ("--publisher", tmp_path / "publisher.pem", "--ledger", site.ledger.verifier_keys[0])
    words = ("acknowledge", folder, *trusted, "--key", key, "--by", "Registry", "--out", tmp_path / "out")
    answer = desk.json(*words)
    assert (answer["release"], answer["manifest"]) == (published.release, published.manifest_digest)
    text = (tmp_path / "out" / f"{published.release}.json").read_bytes()
    store = site.landing.store
    store.put_new("returns/eu-customs/a.json.sig", (tmp_path / "out" / f"{published.release}.json.sig").read_bytes())
    store.put_new("returns/eu-customs/a.json", text)
    released.exchange.now = max(released.exchange.now, datetime.now(UTC)) + timedelta(seconds=30)
    assert [one.subject for one in swept(released).returned] == [published.release]
    next((folder / "parts").iterdir()).unlink()
    failed = desk.type(*words)
    assert (failed.exit_code, "[part-missing]" in failed.err) == (3, True)
    assert desk.type(*words[:2], "--publisher", key, *words[4:]).exit_code == 4


# The kit


def fences(guide: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)


def test_the_commands_of_open_md_work_as_they_stand(released: Story, tmp_path: Path) -> None:
    published, site = released.published(), released.exchange.site
    desk = tmp_path / "desk"
    shutil.copytree(folder_of(released, published), desk / "release")
    demo = released.exchange.directory / "demo"
    (desk / "publisher.pem").write_bytes(site.keyring.signing.public_pem())
    (desk / "ledger.vkey").write_text("".join(f"{key}\n" for key in site.ledger.verifier_keys), encoding="utf-8")
    shutil.copy(demo / "eu-customs.identity.txt", desk / "identity.txt")
    shutil.copy(demo / "eu-customs.ed25519", desk / "signing.key")
    guide = (desk / "release" / GUIDE).read_text(encoding="utf-8")
    assert (desk / "release" / VERIFIER).read_bytes() == Path(verify_release.__file__).read_bytes()
    verify, open_, read, acknowledge = fences(guide)
    verify = verify.replace("python3", sys.executable)
    for command, words in (
        (verify, "The release holds."),
        (open_, ""),
        (read, "country,program_status"),
        (acknowledge, ""),
    ):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=desk / "release", capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, words in done.stdout) == (0, True), (command, done.stderr)
    text = (desk / f"{published.release}.json").read_bytes()
    store = site.landing.store
    store.put_new("returns/eu-customs/a.json.sig", (desk / f"{published.release}.json.sig").read_bytes())
    store.put_new("returns/eu-customs/a.json", text)
    released.exchange.now = max(released.exchange.now, datetime.now(UTC)) + timedelta(seconds=30)
    (one,) = swept(released).returned
    assert one.subject == published.release


def test_every_release_of_a_whole_exchange_holds_for_the_program_that_it_carries(exchanged: Desk) -> None:
    """Rows and counts, one part and several, one recipient and a community."""
    site = Site.open(exchanged.site)
    ledger = [str(key) for key in site.ledger.verifier_keys]
    (exchanged.directory / "publisher.pem").write_bytes(site.keyring.signing.public_pem())
    trust = verify_release.read_trust([str(exchanged.directory / "publisher.pem")], ledger)
    published = list(site.publication.releases())
    assert len(published) > 3
    assert any(one.predicate["statistics"] for one in published)
    for one in published:
        folder = exchanged.site / "stores" / "shared" / release_folder(one.recipient, one.release)
        report = verify_release.verify(folder, trust, now=datetime.now(UTC), recipient=one.recipient)
        assert report.faults == [], one.release
        told = "\n".join(verify_release.shown(report))
        assert [column for column in one.predicate["columns"] if f"  {column} " not in told] == []


def test_a_release_holds_for_the_program_that_it_carries(released: Story) -> None:
    report = verified(released, released.published())
    assert (report.faults, report.exit_code) == ([], 0)


def test_keys_that_were_replaced_and_a_second_signature_verify_on_the_recipient_s_side(
    begun: Story, tmp_path: Path
) -> None:
    story = begun.copied(tmp_path)
    desk, public = Desk(tmp_path), tmp_path / "public"
    assert desk.type("keys", "rotate", "signing-mldsa").exit_code == 0
    story.exchange.reopen()
    story.release()
    for role in ("signing", "signing-mldsa", "ledger"):
        assert desk.type("keys", "rotate", role).exit_code == 0
    story.exchange.reopen()
    assert desk.type("keys", "public", "--to", public).exit_code == 0
    publishers, seconds = (
        sorted(map(str, public.glob(name))) for name in ("signing-[0-9]*.pem", "signing-mldsa-*.pem")
    )
    assert (len(publishers), len(seconds)) == (2, 2)
    folder = folder_of(story, story.published())
    older, newer = seconds
    trust = [
        verify_release.read_trust(publishers, [str(public / "ledger.vkeys")], mldsa=[one]) for one in (older, newer)
    ]
    now = story.exchange.now
    assert verify_release.verify(folder, trust[0], now=now).faults == []
    assert [fault.code for fault in verify_release.verify(folder, trust[1], now=now).faults] == ["mldsa-missing"]
    envelope = json.loads((folder / "manifest.json").read_bytes())
    envelope["signatures"].pop()
    (folder / "manifest.json").chmod(0o644)
    (folder / "manifest.json").write_text(json.dumps(envelope), encoding="utf-8")
    without = verify_release.read_trust(publishers, [str(public / "ledger.vkeys")])
    assert verify_release.verify(folder, without, now=now).faults[0].code == "signature-stripped"


def test_a_withdrawn_release_is_withdrawn_for_the_program_that_it_carries(released: Story) -> None:
    published = released.published()
    journey.withdraw(released.exchange.site, published.release, by="Officer", why="a fault of ours", reissue=True)
    report = verified(released, published)
    assert (report.faults, report.exit_code) == ([], 4)
    assert any("holds the withdrawal as entry" in line for line in report.checked)


def test_a_refused_return_is_found_in_quarantine_and_is_not_tried_again_by_itself(released: Story) -> None:
    desk = Desk(released.exchange.directory)
    give(released, b"we have it", "x.json")
    swept(released)
    digest = hashlib.sha256(b"we have it").hexdigest()
    assert digest[:12] in desk.type("quarantine", "list").out
    assert "return-malformed" in desk.type("status").out
    again = desk.type("replay", digest[:12])
    assert (again.exit_code, "Traceback" in again.said, "Defect" in again.said) == (4, False, False)


# Airflow


def test_the_trigger_of_intake_notices_what_is_given_back(released: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.orchestration.waking import LandingTrigger

    monkeypatch.setenv("SAFECONDUCT_SITE", str(released.exchange.directory / "site"))
    give(released, acknowledgement_text(said_of(released)), "x.json")
    trigger = LandingTrigger(poll_seconds=0.01, still_seconds=0.05)

    async def first() -> object:
        async for event in trigger.run():
            return event.payload
        return None

    assert asyncio.run(asyncio.wait_for(first(), 20)) == {"files": 2}


def test_run_takes_back_what_was_given(released: Story) -> None:
    desk = Desk(released.exchange.directory)
    give(released, acknowledgement_text(said_of(released, at=datetime.now(UTC))), "x.json")
    steps = desk.json("run")["steps"]
    assert [(step["step"], step["outcome"]) for step in steps if step["step"] == "take back"] == [("take back", "made")]


# The how-to


HOW_TO = Path(__file__).resolve().parent.parent / "docs/how-to/open-a-release.md"


def test_the_how_to_works_from_its_first_line_to_its_last(exchanged: Desk, tmp_path: Path) -> None:
    """Two public keys, an identity, age, ssh-keygen, openssl and Python: what is told is what works."""
    desk = exchanged.copied(tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    program = "import sys; from pipeline.cli import main; main()"
    for name, command in (("safeconduct", f"-c '{program}'"), ("python3", "")):
        tool = tmp_path / ".venv" / "bin" / name
        tool.write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n', encoding="utf-8")
        tool.chmod(0o755)
    # What was refused before our time ends `run` with a code of its own.
    script = "\n".join(fences(HOW_TO.read_text(encoding="utf-8"))).replace("safeconduct run", "safeconduct run || true")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}/.venv/bin:/usr/bin:/bin",
            "PYTHONPATH": str(HOW_TO.parents[2]),
            "COLUMNS": "200",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for words in ("The release holds.", "Signature Verified Successfully", ": OK", "Which clause allowed each column"):
        assert words in done.stdout, words
    released = [one for one in desk.json("releases")["releases"] if one["recipient"] == "eu-piu"]
    assert [said["by"] for one in released for said in one["acknowledged"]] == ["Our office"]
    assert list((tmp_path / "site" / "desk" / "opened").iterdir())


def test_the_how_to_tells_every_code_word_and_every_option() -> None:
    text = HOW_TO.read_text(encoding="utf-8")
    assert [code for code in verify_release.FAULTS if f"`{code}`" not in text] == []
    options = set(re.findall(r'"(--[a-z-]+)"', Path(verify_release.__file__).read_text(encoding="utf-8")))
    assert [option for option in sorted(options) if option not in text] == []

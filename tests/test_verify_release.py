"""Does the one file that a release carries find every fault, by its own word, and nothing where nothing is?"""

import ast
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.edges.signing import SigningKey, sign_statement
from pipeline.kit import verify_release
from pipeline.kit.contents import kit_files, verifier
from pipeline.kit.verify_release import FAULTS, Seen, Trust, Unusable, climb, read_note_key, shown, verify
from tests.release_folder import (
    EXAMPLE,
    LEDGER,
    NOW,
    ORIGIN,
    PUBLISHER,
    TRUST,
    WITNESS_KEY,
    WITNESSED,
    Folder,
    Log,
    key_of,
    note_key,
    path_of,
    release_in,
    root_of,
    vkey,
)

SCRIPT = Path(verify_release.__file__)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return release_in(tmp_path)


def codes(folder: Folder, trust: Trust = WITNESSED, **options: Any) -> list[str]:
    return [fault.code for fault in verify(folder.path, trust, **{"now": NOW, **options}).faults]


def run(folder: Folder, *options: str, keys: bool = True, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """As a recipient runs it: another process, that knows nothing of this project."""
    home = folder.path.parents[2]
    (home / "publisher.pem").write_bytes(PUBLISHER.public_pem())
    (home / "ledger.vkey").write_text(f"# the ledger's key\n{vkey(LEDGER)}\n", encoding="utf-8")
    given = ["--publisher", str(home / "publisher.pem"), "--ledger", str(home / "ledger.vkey")] if keys else []
    command = [sys.executable, "-I", str(SCRIPT), str(folder.path), "--now", NOW.isoformat(), *given, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=cwd)


# What holds


def test_a_whole_release_holds(folder: Folder) -> None:
    report = verify(folder.path, WITNESSED, now=NOW, recipient="eu-customs")
    assert (report.faults, report.exit_code, report.verdict) == ([], 0, "holds")
    assert any("witness.example saw the ledger with 9 entries" in line for line in report.checked)


def test_it_runs_alone_with_nothing_of_this_project(folder: Folder, tmp_path: Path) -> None:
    done = run(folder, "--recipient", "eu-customs", "--witness", vkey(WITNESS_KEY), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("The release holds.\n")


def test_it_tells_in_plain_words_what_was_signed(folder: Folder) -> None:
    said = "\n".join(shown(verify(folder.path, TRUST, now=NOW)))
    for words in (
        "301 rows of example-customs, under the agreement example-lists, version 2",
        "(Decision 1/2026)",
        "mutual-recognition (Art. 1)",
        "understanding (Art. 4), shown by: Letter of 12 March 2026",
        "TLP:AMBER",
        "Passing it on is not allowed, but with: understanding (Art. 4)",
        "Destroy it P1Y after: released (Art. 5(1))",
        "Tell The giver of every onward transfer, within P7D (Art. 4)",
        "400 received = 398 accepted + 2 rejected",
        "398 accepted = 301 released + 97 out of scope + 0 suppressed + 0 withheld",
    ):
        assert words in said, words


def test_it_tells_which_clause_allowed_each_column(folder: Folder) -> None:
    said = list(shown(verify(folder.path, TRUST, now=NOW)))
    section = said[said.index("Which clause allowed each column") + 1 : said.index("Rows")]
    assert [line.split(maxsplit=2) for line in section] == [
        ["country", "keep", "(Art. 2(2))"],
        ["street", "keep", "(Art. 2(2); Art. 5(2))"],
        ["tin", "pseudonymise", "(Art. 3)"],
        ["release_row", "the", "row's number in the release  (joins the parts)"],
    ]


def test_it_says_what_it_cannot_tell(folder: Folder) -> None:
    folder.put("notes.txt", b"mine")
    said = "\n".join(verify(folder.path, TRUST, now=NOW).unchecked)
    for words in (
        "--recipient",
        "This program itself, SHA-256",
        "--state",
        "--witness",
        "withdrawn since",
        "notes.txt",
    ):
        assert words in said, words
    assert hashlib.sha256(verifier()).hexdigest() in said


def test_json_tells_the_same(folder: Folder) -> None:
    folder.parts[0].unlink()
    done = run(folder, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["exit_code"], said["verdict"]) == (3, 3, "does not hold")
    assert [fault["code"] for fault in said["faults"]] == ["part-missing"]
    assert said["release"]["purpose"]["declared"] == "mutual-recognition"


def test_a_publisher_and_a_ledger_with_older_keys_are_known_by_any_of_them(folder: Folder) -> None:
    older = SigningKey(key_of("older"))
    trust = Trust([older.public, PUBLISHER.public], [note_key(ORIGIN, key_of("older ledger")), LEDGER])
    assert codes(folder, trust) == []


def test_the_program_is_shipped_to_the_last_byte() -> None:
    assert verifier() == SCRIPT.read_bytes()


def test_it_imports_nothing_but_python_and_cryptography_and_is_python_3_9() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 9))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    tops = {module.split(".")[0] for module in modules}
    assert tops - sys.stdlib_module_names == {"cryptography"}


def test_without_cryptography_it_says_what_to_install(folder: Folder, tmp_path: Path) -> None:
    hidden = f"import sys, runpy; sys.modules['cryptography'] = None; sys.argv = ['x']; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (6, "")
    assert "pip install cryptography" in done.stderr


def example(tmp_path: Path, **files: bytes) -> Folder:
    """The folder of the page about manifests; `files`: what is there instead."""
    path = tmp_path / "example"
    shutil.copytree(EXAMPLE, path)
    for name, content in files.items():
        (path / f"{name}.json").write_bytes(content)
    return Folder(path, Log(), 0, {})


EXAMPLE_TRUST = verify_release.read_trust(
    [str(EXAMPLE / "publisher.pem")], [str(EXAMPLE / "ledger.vkey")], [str(EXAMPLE / "witness.vkey")]
)
TWICE = verify_release.read_trust(
    [str(EXAMPLE / "publisher.pem")], [str(EXAMPLE / "ledger.vkey")], mldsa=[str(EXAMPLE / "publisher-mldsa.pem")]
)
SEEN_AT = datetime(2026, 11, 25, tzinfo=UTC)


def test_the_example_of_the_manifest_s_page_is_withdrawn_and_holds_else(tmp_path: Path) -> None:
    folder = example(tmp_path)
    report = verify(folder.path, EXAMPLE_TRUST, now=SEEN_AT, recipient="eu-customs", manifest_only=True)
    assert (report.faults, report.exit_code) == ([], 4)
    for name in ("withdrawal.json", "withdrawal.tlog-proof"):
        (folder.path / name).unlink()
    assert verify(folder.path, EXAMPLE_TRUST, now=SEEN_AT, manifest_only=True).exit_code == 0


def test_the_example_with_two_signatures_has_both(tmp_path: Path) -> None:
    folder = example(tmp_path, manifest=(EXAMPLE / "manifest-twice.json").read_bytes())
    report = verify(folder.path, TWICE, now=SEEN_AT, manifest_only=True)
    assert "ML-DSA-65" in report.checked[0]
    once = verify(folder.path, EXAMPLE_TRUST, now=SEEN_AT, manifest_only=True)
    assert any("--mldsa" in line for line in once.unchecked)


VECTORS = {one["name"]: one for one in json.loads((EXAMPLE / "vectors.json").read_bytes())}
WORDS = {
    "another number of rows": "signature-wrong",
    "signed by another key": "wrong-key",
    "no signature": "wrong-key",
    "another type of payload": "manifest-malformed",
    "the payload twice": "manifest-malformed",
    "cut short": "manifest-malformed",
    "one sign more": "manifest-malformed",
    "its second signature taken away": "signature-stripped",
    "the manifest of another release": "proof-of-another",
    "a withdrawal given as a manifest": "statement-malformed",
}


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_of_the_page_ends_as_it_says(tmp_path: Path, name: str) -> None:
    vector = VECTORS[name]
    folder = example(tmp_path, **{vector["as"]: vector["envelope"].encode()})
    found = codes(folder, EXAMPLE_TRUST, now=SEEN_AT, manifest_only=True)
    if not vector["code"]:  # the ledger's proof is of the exact bytes, and finds what no signature covers
        assert set(found) <= {"proof-of-another", "withdrawal-wrong"} if "nothing signs" in name else found == []
    else:
        assert WORDS.get(name, "withdrawal-wrong") in found


# Faults, each by its own word


def flip(content: bytes, at: int = 0, bit: int = 0) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return bytes(changed)


def another_payload(content: bytes) -> bytes:
    envelope = json.loads(content)
    statement = base64.b64decode(envelope["payload"]).replace(b'"released":301', b'"released":302')
    envelope["payload"] = base64.b64encode(statement).decode()
    return json.dumps(envelope).encode()


def with_index(content: bytes, index: int) -> bytes:
    lines = content.split(b"\n")
    lines[2] = b"index %d" % index
    return b"\n".join(lines)


FOUND: dict[str, Callable[[Folder], object]] = {
    "manifest-missing": lambda folder: (folder.path / "manifest.json").unlink(),
    "manifest-malformed": lambda folder: folder.changed("manifest.json", lambda content: content[:-9]),
    "signature-wrong": lambda folder: folder.changed("manifest.json", another_payload),
    "part-missing": lambda folder: folder.parts[1].unlink(),
    "part-truncated": lambda folder: folder.parts[0].write_bytes(folder.parts[0].read_bytes()[:-1]),
    "part-trailing-bytes": lambda folder: folder.parts[0].write_bytes(folder.parts[0].read_bytes() + b"\n"),
    "part-altered": lambda folder: folder.parts[0].write_bytes(flip(folder.parts[0].read_bytes(), 500)),
    "part-extra": lambda folder: folder.put("parts/more.csv.age", b"age-encryption.org/v1"),
    "folder-unreadable": lambda folder: folder.becomes_a_folder(folder.parts[0]),
    "kit-altered": lambda folder: folder.changed("verify_release.py", lambda content: content + b"\n"),
    "proof-missing": lambda folder: (folder.path / "manifest.tlog-proof").unlink(),
    "proof-malformed": lambda folder: folder.changed("manifest.tlog-proof", lambda content: content + b"\n"),
    "proof-of-another": lambda folder: folder.put("manifest.tlog-proof", folder.log.proof(2)),
    "proof-other-index": lambda folder: folder.changed("manifest.tlog-proof", lambda content: with_index(content, 4)),
    "withdrawal-wrong": lambda folder: folder.put("withdrawal.json", (folder.path / "manifest.json").read_bytes()),
    "witness-missing": lambda folder: (folder.path / "witnessed.tlog-proof").unlink(),
}


@pytest.mark.parametrize(("code", "harm"), FOUND.items(), ids=FOUND)
def test_each_harm_is_found_by_its_word(folder: Folder, code: str, harm: Callable[[Folder], object]) -> None:
    harm(folder)
    assert codes(folder) == [code]
    done = run(folder, "--witness", vkey(WITNESS_KEY))
    assert (done.returncode, f"[{code}]" in done.stdout, done.stderr) == (3, True, "")


def test_a_key_that_is_not_the_publisher_s_is_a_wrong_key(folder: Folder) -> None:
    assert codes(folder, Trust([key_of("another").public_key()], [LEDGER])) == ["wrong-key"]


def test_a_release_in_the_folder_of_another_recipient_is_found(folder: Folder, tmp_path: Path) -> None:
    swapped = tmp_path / "another" / "releases"
    swapped.mkdir(parents=True)
    folder.path = folder.path.rename(swapped / folder.release)
    assert codes(folder) == ["other-recipient"]


def test_a_release_for_somebody_else_is_found_wherever_it_lies(folder: Folder, tmp_path: Path) -> None:
    folder.path = folder.path.rename(tmp_path / "copy")
    assert codes(folder) == []
    assert codes(folder, recipient="another") == ["other-recipient"]
    assert codes(folder, recipient="age1another") == ["other-recipient"]
    assert codes(folder, recipient=folder.predicate["recipient"]["keys"][0]) == []


def test_a_manifest_of_another_release_is_found_by_the_folder_s_name(folder: Folder) -> None:
    folder.path = folder.path.rename(folder.path.with_name("example-lists.ffffffffffffffff"))
    assert codes(folder) == ["other-release"]


def test_a_manifest_of_another_release_is_found_by_the_proof(folder: Folder, tmp_path: Path) -> None:
    other = release_in(tmp_path / "other", change=lambda said: said.update(release="example-lists.1"))
    folder.put("manifest.json", (other.path / "manifest.json").read_bytes())
    assert "proof-of-another" in codes(folder)
    assert "other-release" in codes(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["rows"].update(released=300),
        lambda said: said["parts"][0].update(rows=300),
        lambda said: said["columns"].pop("tin"),
        lambda said: said["made_of"]["deliveries"][0].update(received=401),
        lambda said: said["recipient"].update(fingerprints=["0" * 64]),
    ],
)
def test_a_statement_that_contradicts_itself_is_found(tmp_path: Path, change: Callable[[Any], object]) -> None:
    report = verify(release_in(tmp_path, change=change).path, WITNESSED, now=NOW)
    assert {fault.code for fault in report.faults} == {"statement-inconsistent"}
    assert not any("consistent" in line for line in report.checked)


def test_a_statement_whose_subjects_are_not_its_parts_is_found(tmp_path: Path) -> None:
    assert codes(release_in(tmp_path, subjects=list.pop)) == ["statement-inconsistent"]


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.pop("columns"),
        lambda said: said["rows"].update(received="400"),
        lambda said: said.update(created_at="yesterday"),
        lambda said: said["parts"][0].update(until="2027-11-21T12:00:00"),
        lambda said: said["kit"].pop("OPEN.md"),
    ],
)
def test_a_statement_of_another_shape_is_found(tmp_path: Path, change: Callable[[Any], object]) -> None:
    assert codes(release_in(tmp_path, change=change)) == ["statement-malformed"]


def test_a_part_outside_the_folder_is_never_read(tmp_path: Path) -> None:
    outside = release_in(tmp_path, change=lambda said: said["parts"][0].update(key="parts/../../../../secret"))
    assert codes(outside) == ["statement-malformed"]


def test_other_bytes_than_the_canonical_ones_are_no_statement(tmp_path: Path) -> None:
    spaced = release_in(tmp_path, signer=lambda text: sign_statement(text.replace(b":", b": ", 1), PUBLISHER))
    assert codes(spaced) == ["statement-malformed"]


def test_a_field_that_comes_twice_is_no_envelope(folder: Folder) -> None:
    folder.changed("manifest.json", lambda content: content[:-1] + b',"payloadType":"application/vnd.in-toto+json"}')
    assert codes(folder) == ["manifest-malformed"]


# The ledger


def test_a_proof_by_another_ledger_s_key_is_found(folder: Folder) -> None:
    assert set(codes(folder, Trust([PUBLISHER.public], [note_key(ORIGIN, key_of("another"))]))) == {
        "checkpoint-unsigned"
    }


def test_a_proof_of_another_ledger_is_found(folder: Folder) -> None:
    assert set(codes(folder, Trust([PUBLISHER.public], [note_key("another", key_of("ledger"))]))) == {"other-ledger"}


def test_a_proof_has_one_form_only(folder: Folder) -> None:
    """The unused bits of the last Base64 sign are nothing that a signature or digest covers."""

    def nudged(content: bytes) -> bytes:
        at = content.index(b"=\n", content.rindex(b"safeconduct/")) - 1
        return content[:at] + bytes([content[at] + 1]) + content[at + 1 :]

    folder.changed("manifest.tlog-proof", nudged)
    assert codes(folder) == ["proof-malformed"]


def test_an_entry_that_is_not_in_the_tree_is_found(folder: Folder) -> None:
    forged = Log([*folder.log.entries])
    forged.entries[folder.index] = forged.entries[folder.index].replace(b'"salt":"', b'"salt":"00')
    true, false = (log.proof(folder.index).split(b"\n") for log in (folder.log, forged))
    folder.put("manifest.tlog-proof", b"\n".join([*true[:1], false[1], *true[2:]]))
    assert codes(folder) == ["proof-wrong"]


@pytest.mark.parametrize("size", range(1, 18))
def test_the_way_up_the_tree_is_that_of_rfc_6962(size: int) -> None:
    leaves = [b"%d" % number for number in range(size)]
    for index in range(size):
        path = path_of(leaves, index)
        assert climb(leaves[index], index, size, path) == root_of(leaves)
        assert climb(leaves[index], index, size, [*path, b"\0" * 32]) != root_of(leaves)
        assert climb(leaves[index], size, size, path) is None
        if path:
            assert climb(leaves[index], index, size, path[:-1]) != root_of(leaves)
        for other in range(size):
            assert other == index or climb(leaves[index], other, size, path) != root_of(leaves)


def test_two_histories_in_one_folder_are_found(folder: Folder) -> None:
    forked = Log(folder.log.entries[: folder.index + 1])
    folder.put("manifest.tlog-proof", forked.proof(folder.index, folder.index + 1))
    forked.append("accepted", "something else", {})
    for number in range(2):
        forked.append("accepted", f"later delivery {number}", {})
    folder.put("manifest.tlog-proof", forked.proof(folder.index))
    assert codes(folder) == ["checkpoint-forked"]


def test_a_witness_that_did_not_sign_this_is_found(folder: Folder) -> None:
    at = folder.log.proof(folder.index, cosigned=True)
    folder.put("witnessed.tlog-proof", at.replace(b"\xe2\x80\x94 witness", b"\xe2\x80\x94 WITNESS"))
    assert codes(folder) == ["witness-missing"]
    lines = at.split(b"\n")
    cosignature = bytearray(base64.b64decode(lines[-2].split(b" ")[2]))
    cosignature[-1] ^= 1
    lines[-2] = b" ".join([*lines[-2].split(b" ")[:2], base64.b64encode(bytes(cosignature))])
    folder.put("witnessed.tlog-proof", b"\n".join(lines))
    assert codes(folder) == ["witness-wrong"]


def test_a_cosignature_of_an_older_checkpoint_says_nothing_of_this_one(folder: Folder) -> None:
    older = folder.log.note(6, cosigned=True).split(b"\n")
    newer = folder.log.proof(folder.index).split(b"\n")
    folder.put("witnessed.tlog-proof", b"\n".join([*newer[:-1], older[-2], b""]))
    assert codes(folder) == ["witness-wrong"]


# Clocks


def test_a_release_made_later_than_now_is_found(folder: Folder) -> None:
    early = datetime(2026, 11, 21, 11, tzinfo=UTC)
    assert codes(folder, now=early) == ["clock-jumped"] * 3  # itself, its entry and its cosignature
    assert codes(folder, TRUST, now=datetime(2026, 11, 21, 11, 58, tzinfo=UTC)) == []  # clocks differ by a little


def test_an_entry_older_than_its_release_is_found(tmp_path: Path) -> None:
    assert set(codes(release_in(tmp_path, at="2026-11-20T12:00:00.000000Z"))) == {"clock-jumped"}


def test_a_cosignature_of_tomorrow_is_found(folder: Folder) -> None:
    tomorrow = NOW + timedelta(days=1)
    folder.put("witnessed.tlog-proof", folder.log.proof(folder.index, cosigned=True, at=tomorrow))
    assert codes(folder) == ["clock-jumped"]


# What was seen before


def test_the_same_release_again_is_no_fault(folder: Folder, tmp_path: Path) -> None:
    state = str(tmp_path / "seen.json")
    assert [run(folder, "--state", state).returncode for _ in range(2)] == [0, 0]


def test_a_ledger_restored_from_an_old_copy_is_found(tmp_path: Path) -> None:
    state = tmp_path / "seen.json"
    first = release_in(tmp_path / "first", before=9)
    assert codes(first, seen=Seen(state)) == []
    restored = Log(first.log.entries[:3])
    later = release_in(tmp_path / "second", log=restored, before=0, at="2026-11-21T14:00:00.000000Z")
    assert codes(later, seen=Seen(state)) == ["checkpoint-went-back"] * 2
    assert codes(first, seen=Seen(state)) == []


def test_a_checkpoint_that_went_back_is_found(folder: Folder, tmp_path: Path) -> None:
    state = tmp_path / "seen.json"
    folder.put("manifest.tlog-proof", folder.log.proof(folder.index, 8))
    assert codes(folder, seen=Seen(state)) == []
    folder.put("manifest.tlog-proof", folder.log.proof(folder.index, 7))
    assert codes(folder, seen=Seen(state)) == ["checkpoint-went-back"]
    assert codes(folder) == []


def test_another_history_of_a_length_that_was_seen_is_found(folder: Folder, tmp_path: Path) -> None:
    state = tmp_path / "seen.json"
    assert codes(folder, seen=Seen(state)) == []
    forked = Log([folder.log.entries[0].replace(b"delivery 0", b"delivery X"), *folder.log.entries[1:]])
    folder.put("manifest.tlog-proof", forked.proof(folder.index, folder.index + 1))
    folder.put("witnessed.tlog-proof", forked.proof(folder.index, cosigned=True))
    assert codes(folder) == []
    assert codes(folder, seen=Seen(state)) == ["checkpoint-forked"] * 2


def test_the_ledger_s_folder_shows_that_what_was_seen_is_its_beginning(tmp_path: Path) -> None:
    state, log = tmp_path / "seen.json", Log()
    early = release_in(tmp_path / "early", log=log, before=3, after=0)
    assert codes(early, TRUST, seen=Seen(state)) == []
    late = release_in(
        tmp_path / "late",
        change=lambda said: said.update(release="example-lists.1"),
        log=log,
        before=600,
        at="2026-11-21T15:00:00.000000Z",
    )
    tiles = log.tiles(tmp_path / "log")
    report = verify(late.path, WITNESSED, now=NOW, seen=Seen(state), log=tiles)
    assert (report.faults, any("the 3 checkpoints that you know" in line for line in report.checked)) == ([], True)
    assert run(late, "--log", str(tiles)).returncode == 0


def test_a_fork_that_no_single_checkpoint_shows_is_found_in_the_ledger_s_folder(tmp_path: Path) -> None:
    """The ledger was written anew from its beginning, and is longer than it was: every proof of it holds by itself."""
    state = tmp_path / "seen.json"
    assert codes(release_in(tmp_path / "early", before=3, after=0), TRUST, seen=Seen(state)) == []
    another = Log()
    for number in range(9):
        another.append("accepted", f"rewritten {number}", {})
    late = release_in(
        tmp_path / "late",
        change=lambda said: said.update(release="example-lists.1"),
        log=another,
        at="2026-11-21T15:00:00.000000Z",
    )
    blind = verify(late.path, WITNESSED, now=NOW, seen=Seen(state))
    assert blind.faults == []
    assert any("begins with that of 4" in line for line in blind.unchecked)
    (tmp_path / "seen.json").unlink()
    assert codes(release_in(tmp_path / "again", before=3, after=0), TRUST, seen=Seen(state)) == []
    tiles = another.tiles(tmp_path / "log")
    assert codes(late, seen=Seen(state), log=tiles) == ["checkpoint-forked"]


def test_a_ledger_s_folder_that_was_cut_is_found(folder: Folder, tmp_path: Path) -> None:
    cut = Log(folder.log.entries[:7]).tiles(tmp_path / "log")
    assert codes(folder, log=cut) == ["checkpoint-went-back"]
    whole = folder.log.tiles(tmp_path / "whole")
    assert codes(folder, log=whole) == []
    (tile,) = whole.glob("tile/0/000.p/9")
    tile.write_bytes(flip(tile.read_bytes(), 40))
    assert codes(folder, log=whole) == ["checkpoint-forked"]


def test_an_older_release_after_a_newer_one_is_no_fault(tmp_path: Path) -> None:
    state, log = tmp_path / "seen.json", Log()
    older = release_in(tmp_path / "older", log=log, after=0)
    newer = release_in(
        tmp_path / "newer",
        change=lambda said: said.update(release="example-lists.1"),
        log=log,
        after=0,
        at="2026-11-21T15:00:00.000000Z",
    )
    assert codes(newer, TRUST, seen=Seen(state)) == []
    assert codes(older, TRUST, seen=Seen(state)) == []


def test_a_faulty_release_teaches_nothing(folder: Folder, tmp_path: Path) -> None:
    folder.parts[0].unlink()
    assert run(folder, "--state", str(tmp_path / "seen.json")).returncode == 3
    assert not (tmp_path / "seen.json").exists()


def test_a_damaged_memory_is_said(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text('{"a": 1}', encoding="utf-8")
    done = run(folder, "--state", str(tmp_path / "seen.json"))
    assert (done.returncode, "move it away" in done.stderr) == (2, True)


# Its end


PIPES = ("manifest.json", "OPEN.md", "manifest.tlog-proof", "withdrawal.json", "withdrawal.tlog-proof")


@pytest.mark.parametrize("name", [*PIPES, ""])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder: Folder, name: str) -> None:
    place = folder.path / name if name else folder.parts[0]
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    assert "folder-unreadable" in {fault["code"] for fault in json.loads(run(folder, "--json").stdout)["faults"]}


def test_of_a_part_without_end_no_more_is_read_than_was_signed(folder: Folder) -> None:
    os.truncate(folder.parts[0], 2**40)
    assert codes(folder) == ["part-trailing-bytes"]


def test_parts_that_lead_elsewhere_are_not_followed_and_not_all_told(folder: Folder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "below").mkdir(parents=True)
    for number in range(40):
        (elsewhere / f"{number:02}").touch()
        (elsewhere / "below" / str(number)).touch()
    shutil.rmtree(folder.path / "parts")
    (folder.path / "parts").symlink_to(elsewhere)
    report = verify(folder.path, TRUST, now=NOW)
    extra = [fault.says for fault in report.faults if fault.code == "part-extra"]
    assert len(extra) == 21
    assert extra[-1] == "Nor 21 more beside it."
    assert not any("below/" in one for one in extra)


@pytest.mark.parametrize("named", [[], {}, None, 7])
def test_a_key_s_name_of_another_shape_is_no_key_s_name(folder: Folder, named: object) -> None:
    envelope = json.loads((folder.path / "manifest.json").read_bytes())
    envelope["signatures"] = [{"keyid": named, "sig": base64.b64encode(bytes(64)).decode()}]
    folder.put("manifest.json", json.dumps(envelope).encode())
    assert codes(folder) == ["wrong-key"]


def test_a_withdrawal_that_was_taken_away_from_beside_its_proof_is_missed(folder: Folder) -> None:
    folder.withdrawn()
    (folder.path / "withdrawal.json").unlink()
    assert codes(folder) == ["withdrawal-wrong"]


@pytest.mark.parametrize("change", [{"reissue": 1}, {"signed_by": "abc"}, {"why": None}])
def test_a_withdrawal_of_another_shape_is_a_fault(folder: Folder, change: dict[str, Any]) -> None:
    folder.withdrawn(change=lambda said: said.update(change))
    assert codes(folder) == ["withdrawal-wrong"]


def test_a_withdrawn_release_says_so_and_why(folder: Folder) -> None:
    folder.withdrawn()
    assert codes(folder) == []
    done = run(folder)
    assert (done.returncode, "WITHDRAWN on 2026-11-22T08:00:00+00:00 by the privacy officer" in done.stdout) == (
        4,
        True,
    )
    assert "a column was released that should not have been" in done.stdout
    assert "Another release takes its place." in done.stdout


def test_a_withdrawal_by_another_key_or_of_another_release_is_a_fault(folder: Folder) -> None:
    folder.withdrawn(key=SigningKey(key_of("another")))
    assert codes(folder) == ["withdrawal-wrong"]
    folder.withdrawn(change=lambda said: said.update(release="another"))
    assert codes(folder) == ["withdrawal-wrong"]


def test_a_withdrawal_that_the_ledger_does_not_hold_is_a_fault(folder: Folder) -> None:
    folder.withdrawn()
    folder.put("withdrawal.tlog-proof", folder.log.proof(folder.index))
    assert codes(folder) == ["proof-of-another"]


def test_a_part_that_had_to_be_destroyed_is_told(folder: Folder) -> None:
    later = datetime(2027, 6, 1, tzinfo=UTC)
    report = verify(folder.path, TRUST, now=later)
    assert (report.faults, report.exit_code, len(report.overdue)) == ([], 5, 1)
    folder.parts[1].unlink()
    report = verify(folder.path, TRUST, now=later)
    assert (report.faults, report.exit_code) == ([], 0)
    assert any("Part 2 was destroyed" in line for line in report.checked)


def test_a_release_that_had_to_be_destroyed_is_told_of_all_its_parts(folder: Folder) -> None:
    done = run(folder, "--now", "2028-01-01T00:00:00+00:00")
    assert (done.returncode, done.stdout.count("had to be destroyed")) == (5, 2)


def test_a_fault_outweighs_a_withdrawal_and_that_a_date(folder: Folder) -> None:
    late = datetime(2028, 1, 1, tzinfo=UTC)
    folder.withdrawn()
    assert verify(folder.path, TRUST, now=late).exit_code == 4
    folder.parts[0].write_bytes(b"")
    assert verify(folder.path, TRUST, now=late).exit_code == 3


# Usage


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--publisher", "nowhere.pem", "--ledger", vkey(LEDGER)), "No such file"),
        (("--publisher", str(SCRIPT), "--ledger", vkey(LEDGER)), "not a PEM file"),
        (("--publisher", "PUBLISHER", "--ledger", "nonsense"), "name+0123abcd+BASE64"),
        (("--publisher", "PUBLISHER", "--ledger", vkey(WITNESS_KEY)), "other kind"),
        (("--publisher", "PUBLISHER", "--ledger", vkey(LEDGER), "--witness", vkey(LEDGER)), "other kind"),
        (("--publisher", "PUBLISHER", "--ledger", vkey(LEDGER), "--mldsa", "PUBLISHER"), "ML-DSA-65"),
        (("--publisher", "PUBLISHER"), "--ledger"),
    ],
)
def test_a_key_that_cannot_be_used_is_wrong_usage(folder: Folder, tmp_path: Path, options: Any, words: str) -> None:
    (tmp_path / "publisher.pem").write_bytes(PUBLISHER.public_pem())
    named = [str(tmp_path / "publisher.pem") if option == "PUBLISHER" else option for option in options]
    done = run(folder, *named, keys=False)
    assert (done.returncode, words in done.stderr, done.stdout) == (2, True, "")


def test_a_verifier_key_with_other_digits_is_none() -> None:
    assert read_note_key(vkey(LEDGER)) == LEDGER
    with pytest.raises(Unusable):
        read_note_key(vkey(LEDGER).replace("+", "+0", 1).replace(LEDGER.id.hex()[-1] + "+", "+", 1))


def test_an_mldsa_signature_is_asked_for_where_its_key_is_given(tmp_path: Path) -> None:
    second = MLDSA65PrivateKey.generate()

    def signed_twice(text: bytes) -> bytes:
        envelope = json.loads(sign_statement(text, PUBLISHER))
        kind = envelope["payloadType"].encode()
        signature = second.sign(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(text), text))
        envelope["signatures"].append({"keyid": "mldsa", "sig": base64.b64encode(signature).decode()})
        return json.dumps(envelope).encode()

    both, one = release_in(tmp_path / "both", signer=signed_twice), release_in(tmp_path / "one")
    pem = second.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "mldsa.pem").write_bytes(pem)
    done = run(both, "--mldsa", str(tmp_path / "mldsa.pem"))
    assert (done.returncode, "and its ML-DSA-65 key" in done.stdout) == (0, True)
    done = run(one, "--mldsa", str(tmp_path / "mldsa.pem"))
    assert (done.returncode, "[mldsa-missing]" in done.stdout) == (3, True)
    assert codes(both, Trust([key_of("another").public_key()], [LEDGER], mldsa=[second.public_key()])) == ["wrong-key"]


def test_a_cryptography_without_mldsa_is_said(folder: Folder, tmp_path: Path) -> None:
    home = tmp_path / "keys"
    home.mkdir()
    shutil.copy(EXAMPLE / "publisher-mldsa.pem", home)
    words = [str(folder.path), "--publisher", str(EXAMPLE / "publisher.pem"), "--ledger", vkey(LEDGER)]
    words += ["--mldsa", str(home / "publisher-mldsa.pem"), "--json"]
    old = (
        "import sys, runpy; sys.modules['cryptography.hazmat.primitives.asymmetric.mldsa'] = None; "
        f"sys.argv = ['x', *{words!r}]; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (6, 6)


# The guide


def guide(**changed: Any) -> str:
    said: dict[str, Any] = {
        "release": "a.1",
        "agreement": "a",
        "title": "An agreement",
        "provider": "p",
        "recipient": "r",
        "ending": "csv",
        "parts": 2,
    }
    return kit_files(**{**said, **changed})["OPEN.md"].decode()


def test_the_guide_has_three_commands_with_the_release_s_own_names() -> None:
    said = guide()
    assert re.findall(r"^## [0-9]\. (.*)$", said, re.MULTILINE) == ["Verify", "Open", "Read"]
    assert "--recipient r " in said
    assert "returns/r/" in said
    assert "{" not in re.sub(r"```sh\n.*?```", "", said, flags=re.DOTALL)
    assert guide() == said


def test_the_guide_of_a_release_without_rows_opens_nothing() -> None:
    said = guide(parts=0)
    assert "no row was released" in said
    assert "age -d" not in said
    assert "Say that you have it" in said


def test_the_guide_of_a_community_lets_each_member_answer_for_itself() -> None:
    assert "returns/YOUR-OWN-ID/" in guide(community=True)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_each_command_of_the_guide_parses(ending: str) -> None:
    for command in re.findall(r"^```sh\n(.*?)^```$", guide(ending=ending), re.MULTILINE | re.DOTALL):
        done = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True, timeout=10, check=False)
        assert done.stderr == ""


# Laws


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = release_in(tmp_path_factory.mktemp("shelf"))
    folder.withdrawn()
    return folder


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_of_any_file_is_found(shelf: Folder, data: st.DataObject) -> None:
    files = sorted(path for path in shelf.path.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    content = path.read_bytes()
    at, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    path.write_bytes(flip(content, at, bit))
    try:
        assert verify(shelf.path, WITNESSED, now=NOW).exit_code == 3, f"{path.name}: bit {bit} of byte {at}"
    finally:
        path.write_bytes(content)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), junk=st.binary(max_size=200))
def test_no_junk_in_any_file_makes_it_fail_otherwise(shelf: Folder, data: st.DataObject, junk: bytes) -> None:
    path = data.draw(st.sampled_from(sorted(path for path in shelf.path.rglob("*") if path.is_file())))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:at] + junk + content[at + data.draw(st.integers(0, 50)) :])
    try:
        changed = path.read_bytes() != content
        report = verify(shelf.path, WITNESSED, now=NOW)
        assert report.exit_code == (3 if changed else 4)
        assert all(fault.code in FAULTS for fault in report.faults)
        assert list(shown(report))
    finally:
        path.write_bytes(content)


def test_every_code_of_a_fault_is_named_in_this_file_or_shown_to_be_raised() -> None:
    raised = set(FAULTS) & {
        node.value for node in ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)
    }
    tested = Path(__file__).read_text(encoding="utf-8")
    assert raised == set(FAULTS)
    assert [code for code in FAULTS if f'"{code}"' not in tested and f"[{code}]" not in tested] == []

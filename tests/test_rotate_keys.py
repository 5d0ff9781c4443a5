"""`safeconduct keys`, and the how-to `rotate-keys` done as it stands."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pipeline.core.errors import Code, Conflict, Misconfigured
from pipeline.core.notes import read_verifier_key
from pipeline.edges.roles import Role
from pipeline.edges.sealing import RecipientKind
from pipeline.edges.signing import read_public_key
from pipeline.edges.site import Site
from pipeline.kit.contents import verifier
from tests.bao import ROOT_TOKEN, Server, openbao
from tests.desk import ROOT, Answer, Desk

HOW_TO = (ROOT / "docs/how-to/rotate-keys.md").read_text(encoding="utf-8")
NAMES = [f"{role.value}-1" for role in Role if role.required]


def steps(language: str = "sh", text: str = HOW_TO) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def shell(directory: Path, script: str, **environment: str) -> str:
    """What the how-to's commands say; all of them succeed."""
    if not (directory / ".venv").exists():
        (directory / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=directory,
        env={**os.environ, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def aged(site: Path, days: int = 2) -> None:
    """Every key says that it was made so long ago."""
    made = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    for path in (site / "keys").iterdir():
        if path.is_file() and path.read_bytes().startswith(b"# created: "):
            path.write_text(re.sub(r"^# created: .*", f"# created: {made}", path.read_text()), encoding="ascii")


def secrets_of(site: Path) -> list[str]:
    """The lines of key files that are secret."""
    texts = [path.read_text() for path in (site / "keys").iterdir() if path.suffix in (".pem", ".txt", ".hex")]
    return [line for text in texts for line in text.splitlines() if line and line[0] not in "#-"]


def key(desk: Desk, name: str) -> dict[str, object]:
    (found,) = [one for one in desk.json("keys", "list")["keys"] if one["name"] == name]
    return dict(found)


def fails(answer: Answer, code: Code, exit_code: int) -> None:
    assert answer.exit_code == exit_code, answer.said
    assert code.value in answer.said


# The how-to


def typed(desk: Desk, step: str) -> str:
    """What the step's commands say, each typed as it stands; all of them succeed."""
    answers = [
        desk.type(*shlex.split(call)) for call in re.findall(r"^\.venv/bin/safeconduct (.*)$", step, re.MULTILINE)
    ]
    assert answers
    assert [answer.said for answer in answers if answer.exit_code] == []
    return "".join(answer.said for answer in answers)


def test_the_how_to_as_it_stands_rotates_gives_and_retires(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.directory)
    see, rotate, give, retire, master, *_ = steps()
    assert all(name in typed(desk, see) for name in NAMES)

    typed(desk, rotate)

    now = {one["name"]: one["state"] for one in desk.json("keys", "list")["keys"]}
    doubled = {"signing", "ledger", "vault", "quarantine", "opening"}
    assert now == {
        **{f"{role}-1": "older" for role in doubled},
        **{f"{role}-2": "current" for role in doubled},
        "signing-mldsa-1": "current",
        "pseudonym-master-1": "current",
    }
    typed(desk, give)
    given = {path.name for path in (desk.directory / "for-others").iterdir()}
    keys = {"signing-1.pem", "signing-2.pem", "signing-mldsa-1.pem", "ledger.vkeys", "opening.txt"}
    assert given == keys | {"verify_release.py.sha256"}
    aged(desk.site)

    assert "retired" in typed(desk, retire)

    assert (desk.site / "keys" / "signing.retired.json").exists()
    assert not (desk.site / "keys" / "signing.pem").exists()
    typed(desk, master)
    assert key(desk, "pseudonym-master-2")["state"] == "current"
    assert Site.open(desk.site).ledger.verify()


def test_the_how_to_tells_every_role() -> None:
    assert [role.value for role in Role if f"| `{role.value}` |" not in HOW_TO] == []


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with openbao() as started:
        yield started


@pytest.mark.server
def test_the_how_to_as_it_stands_moves_a_site_to_openbao(server: Server, desk: Desk) -> None:
    """A new site has its keys there; one that had files has the same keys afterwards, and no file of them."""
    policies, new, move = steps(text=HOW_TO.split("## Keys in OpenBao")[1])
    (written,) = steps("toml")
    worker, officer = steps("hcl")
    here = desk.directory
    (here / "worker.hcl").write_text(worker)
    (here / "officer.hcl").write_text(officer)
    (here / "bao-ca.pem").write_bytes(server.ca_file.read_bytes())
    bao = {"BAO_ADDR": server.address, "BAO_TOKEN": ROOT_TOKEN, "BAO_CACERT": str(server.ca_file)}
    shell(here, policies, **bao)

    listed = shell(here, new.replace("https://bao.example:8200", server.address), **bao)

    assert all(name in listed for name in NAMES)
    assert server.safe("safeconduct/site-1").names() >= {"signing.pem", "pseudonym-master.hex"}
    said = (here / "site-1/site.toml").read_text().split("[keys]")[1]
    for line in written.splitlines()[1:]:
        name = line.partition(" = ")[0]
        assert (f"\n{name} = " in said) is (name != "token_file")

    for name in server.safe("safeconduct/site-1").names():
        server.safe("safeconduct/site-1").destroy(name)
    assert desk.type("keys", "rotate", "vault").exit_code == 0
    before = desk.json("keys", "list")
    shell(here, move, **bao)
    (here / "worker.token").rename(desk.site / "worker.token")
    keys_said = written.replace("https://bao.example:8200", server.address)
    keys_said = keys_said.replace("/etc/safeconduct/bao-ca.pem", str(here / "bao-ca.pem"))
    with (desk.site / "site.toml").open("a") as settings:
        settings.write(f"\n{keys_said}")
    for path in (desk.site / "keys").iterdir():
        if path.is_file():
            path.unlink()
    assert desk.json("keys", "list") == before
    refused = desk.type("keys", "rotate", "vault")
    fails(refused, Code.SAFE_FORBIDDEN, Misconfigured.exit_code)


# The commands


def test_keys_are_listed_without_any_secret(desk: Desk) -> None:
    desk.type("keys", "rotate", "signing-mldsa")
    told = [desk.type("keys", "list"), desk.type("keys", "list", "--json"), desk.type("keys", "public")]

    for answer in told:
        assert answer.exit_code == 0
        assert not any(line in answer.said for line in secrets_of(desk.site))
    held = told[1].document["keys"]
    assert [one["name"] for one in held] == [f"{role.value}-1" for role in Role]
    assert {one["state"] for one in held} == {"current"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", one["fingerprint"]) for one in held)


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    before = desk.stored(), sorted(path.name for path in (desk.site / "keys").iterdir())

    for role in Role:
        answer = desk.type("keys", "rotate", role.value, "--dry-run")
        assert answer.exit_code == 0
        assert "Nothing was changed" in answer.out
        assert desk.json("keys", "rotate", role.value, "--dry-run")["rotated"] is False
    refused = desk.type("keys", "retire", "vault-1", "--dry-run")

    fails(refused, Code.KEY_IN_USE, Misconfigured.exit_code)
    assert (desk.stored(), sorted(path.name for path in (desk.site / "keys").iterdir())) == before


def test_a_dry_run_of_a_retirement_says_that_it_would_do(desk: Desk) -> None:
    desk.type("keys", "rotate", "signing")
    aged(desk.site)

    answer = desk.type("keys", "retire", "signing-1", "--dry-run")

    assert answer.exit_code == 0
    assert "Nothing needs signing-1" in answer.out
    assert key(desk, "signing-1")["state"] == "older"


def test_a_rotation_says_what_comes_next(desk: Desk) -> None:
    for role in Role:
        answer = desk.type("keys", "rotate", role.value)
        assert answer.exit_code == 0
        assert "is the current one" in answer.out
        assert "Next: " in answer.out


def test_a_key_that_is_needed_stays_and_what_needs_it_is_told(exchanged: Desk, tmp_path: Path) -> None:
    desk = exchanged.copied(tmp_path)
    desk.type("keys", "rotate", "vault")
    aged(desk.site)

    answer = desk.type("keys", "retire", "vault-1")

    fails(answer, Code.KEY_IN_USE, Misconfigured.exit_code)
    assert re.search(r"chunks of accepted rows in the vault: [1-9]", answer.said)


@pytest.mark.parametrize(
    "words", [["rotate", "passport"], ["retire", "vault-7"], ["retire", "vault"], ["retire", "../x"]]
)
def test_what_is_no_role_or_key_is_refused_by_name(desk: Desk, words: list[str]) -> None:
    fails(desk.type("keys", *words), Code.NOT_FOUND, Misconfigured.exit_code)


def test_only_what_opens_can_be_hybrid(desk: Desk) -> None:
    assert desk.type("keys", "rotate", "signing", "--hybrid").exit_code == 2
    answer = desk.json("keys", "rotate", "vault", "--hybrid")
    assert RecipientKind.of(answer["key"]["public"]) is RecipientKind.HYBRID


def test_what_others_need_is_written_as_their_tools_read_it(desk: Desk, tmp_path: Path) -> None:
    for role in ("signing", "signing-mldsa", "ledger"):
        desk.type("keys", "rotate", role)

    assert desk.type("keys", "public", "--to", tmp_path / "given").exit_code == 0

    given = {path.name: path.read_bytes() for path in (tmp_path / "given").iterdir()}
    digest = given.pop("verify_release.py.sha256")
    assert set(given) == {"signing-1.pem", "signing-2.pem", "signing-mldsa-1.pem", "ledger.vkeys", "opening.txt"}
    assert digest.decode() == f"{hashlib.sha256(verifier()).hexdigest()}  verify_release.py\n"
    keyring = Site.open(desk.site).keyring
    assert read_public_key(given["signing-2.pem"]) == keyring.signing.public
    assert isinstance(load_pem_public_key(given["signing-mldsa-1.pem"]), MLDSA65PublicKey)
    vkeys = [read_verifier_key(line) for line in given["ledger.vkeys"].decode().splitlines()]
    assert [one.public for one in vkeys] == [one.public_bytes_raw() for one in keyring.ledger_publics]
    sealed = pyrage.encrypt(b"rows", [pyrage.x25519.Recipient.from_str(given["opening.txt"].decode().strip())])
    assert pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(keyring.opening.secret)]) == b"rows"
    public = desk.json("keys", "public")["public"]
    assert public == {name: text.decode() for name, text in (given | {"verify_release.py.sha256": digest}).items()}


def test_a_rotation_that_somebody_else_won_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.edges import rotation

    site = Site.open(desk.site)
    key = rotation.next_key(site, Role.VAULT)
    rotation.rotate(site, rotation.next_key(site, Role.VAULT))
    monkeypatch.setattr(rotation, "next_key", lambda *_: key)

    fails(desk.type("keys", "rotate", "vault"), Code.KEY_TAKEN, Conflict.exit_code)


def test_every_key_that_was_made_or_retired_is_in_the_ledger(desk: Desk) -> None:
    desk.type("keys", "rotate", "signing")
    aged(desk.site)
    desk.type("keys", "retire", "signing-1")

    told = [json.loads(bytes(entry)) for entry in Site.open(desk.site).ledger.entries()]

    facts = [
        (one["facts"]["role"], one["facts"]["number"], one["facts"]["became"]) for one in told if one["kind"] == "key"
    ]
    assert facts.count(("signing", 1, "retired")) == 1
    assert facts.count(("signing", 2, "made")) == 1
    assert {one["facts"]["fingerprint"] for one in told if one["kind"] == "key"} == {
        one["fingerprint"] for one in desk.json("keys", "list")["keys"]
    }

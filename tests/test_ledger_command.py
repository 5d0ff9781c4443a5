"""`safeconduct ledger` shows what proves the ledger to others: the checkpoint, a proof, the witnesses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.core.errors import Conflict, Misconfigured
from pipeline.core.notes import read_verifier_key
from pipeline.edges.checkpoints import open_checkpoint
from pipeline.edges.ledger import Kind
from pipeline.edges.proofs import open_proof
from pipeline.edges.site import Site
from pipeline.edges.witness import create_witness_key, witness
from tests.desk import Desk

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    assert desk.type("init").exit_code == 0
    ledger = Site.open(desk.site).ledger
    for number in range(4):
        ledger.append(id=f"id/{number}", kind=Kind.LATE, subject="feed", facts={"due": "noon"}, at=NOON)
    return desk


def test_a_site_has_a_ledger_with_a_name_of_its_own(tmp_path: Path) -> None:
    origins = []
    for name in ("one", "two"):
        desk = Desk(tmp_path / name)
        desk.directory.mkdir()
        assert desk.type("init").exit_code == 0
        origins.append(Site.open(desk.site).ledger.origin)
        assert desk.type("init").exit_code == 0
        assert Site.open(desk.site).ledger.origin == origins[-1]
    assert origins[0] != origins[1]
    assert all(origin.startswith("safeconduct/") for origin in origins)


@pytest.mark.parametrize("origin", ["", "two words", "a+b"])
def test_a_name_that_no_checkpoint_can_hold_is_ours_to_correct(desk: Desk, origin: str) -> None:
    path = desk.site / "site.toml"
    name = Site.open(desk.site).settings.origin
    path.write_text(path.read_text(encoding="utf-8").replace(f'"{name}"', f'"{origin}"'), encoding="utf-8")
    assert desk.type("ledger").exit_code == Misconfigured.exit_code


def test_the_checkpoint_is_shown_with_what_verifies_it(desk: Desk) -> None:
    shown = desk.json("ledger", "--checkpoint")
    keys = [read_verifier_key(vkey) for vkey in shown["keys"]]
    checkpoint = open_checkpoint(shown["note"].encode(), keys)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root.hex()) == (shown["origin"], 4, shown["root"])
    assert (shown["witnessed"], shown["cosignatures"]) == (None, [])
    told = desk.type("ledger", "--checkpoint")
    assert told.exit_code == 0
    assert shown["note"].splitlines()[2] in told.out
    assert shown["keys"][0] in told.out
    assert "No witness has cosigned yet" in told.out


def test_an_empty_ledger_has_a_key_to_show(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.type("init").exit_code == 0
    assert "has no entry yet" in desk.type("ledger", "--checkpoint").out
    assert desk.json("ledger", "--checkpoint")["size"] == 0


def test_witnesses_are_shown_with_what_they_have_cosigned(desk: Desk, tmp_path: Path) -> None:
    key = create_witness_key(tmp_path / "witness.key", "customs.example/witness")
    (desk.site / "keys/witnesses.txt").write_text(f"eu-customs {key.verifier}\n", encoding="utf-8")
    site = Site.open(desk.site)
    shared = site.publication.store.within("ledger")
    cosigned = witness(shared, site.ledger.verifier_keys, key, tmp_path / "witness.json", NOON)
    site.ledger.take_cosigned(cosigned.note, partner="eu-customs", now=NOON + timedelta(seconds=1))
    shown = desk.json("ledger", "--checkpoint")
    assert shown["witnessed"] == 4
    (one,) = shown["cosignatures"]
    assert (one["witness"], one["size"], one["counts"]) == ("customs.example/witness", 4, True)
    assert "customs.example/witness" in desk.type("ledger", "--checkpoint").out


@pytest.mark.parametrize("size", [None, 3])
def test_an_entry_is_proven(desk: Desk, size: int | None) -> None:
    asked = ["ledger", "--prove", "2", *(["--size", str(size)] if size else [])]
    site = Site.open(desk.site)
    proven = open_proof(desk.type(*asked).out.encode(), site.ledger.verifier_keys)
    assert (proven.entry.id, proven.checkpoint.size) == ("id/2", 3)
    assert open_proof(desk.json(*asked)["proof"].encode(), site.ledger.verifier_keys) == proven


@pytest.mark.parametrize(
    "asked", [["--prove", "4"], ["--prove", "-1"], ["--prove", "1", "--size", "99"], ["--prove", "2", "--size", "2"]]
)
def test_what_is_not_there_is_not_proven(desk: Desk, asked: list[str]) -> None:
    answer = desk.type("ledger", *asked)
    assert answer.exit_code == Misconfigured.exit_code
    assert "not-found" in answer.err


@pytest.mark.parametrize("path", ["tile/0/000.p/2", "tile/entries/000.p/4", "checkpoints/3"])
def test_a_changed_tree_is_found_by_one_command(desk: Desk, path: str) -> None:
    assert desk.json("ledger", "--verify")["verified"] == 4
    file = desk.site / "stores/shared/ledger" / path
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    answer = desk.type("ledger", "--verify")
    assert answer.exit_code == Conflict.exit_code
    assert "object-altered" in answer.err

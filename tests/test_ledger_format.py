"""docs/formats/ledger.md shows bytes: they are those that the code writes."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.core.entries import leaf_of
from pipeline.core.merkle import leaf_hash
from pipeline.edges.checkpoints import cosign
from pipeline.edges.ledger import Kind
from pipeline.edges.proofs import open_proof
from tests.ledgers import Keys, Known, Memory, ledger_in, signing_key

PAGE = (Path(__file__).resolve().parent.parent / "docs/formats/ledger.md").read_text(encoding="utf-8")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WITNESS = "customs.example/witness"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """The ledger of the page: three entries whose salts are 32 bytes 00, 01 and 02, and a cosignature."""
    store, key = Memory(), signing_key(7)
    witness = cosign(ledger_in(store).checkpoint(), WITNESS, key.key, NOON).key
    ledger = ledger_in(store, Keys(known=(Known("example-customs", str(witness)),)), "safeconduct/0123456789ab")
    for number, (id, kind) in enumerate(
        [("accepted:traders:1f", Kind.ACCEPTED), ("intended:r1:9c", Kind.INTENDED), ("released:r1", Kind.RELEASED)]
    ):
        monkeypatch.setattr(
            "pipeline.edges.ledger.secrets.token_hex", lambda length, salt=number: f"{salt:02}" * length
        )
        ledger.append(id=id, kind=kind, subject="r1", facts={"rows": 3}, at=NOON)
    cosigned = cosign(ledger.checkpoint(), WITNESS, key.key, NOON)
    note = ledger.checkpoint().note + str(cosigned.signature).encode()
    ledger.take_cosigned(note, partner="example-customs", now=NOON)
    return store


def shown(title: str) -> str:
    """The block behind this heading of the page, as it is written there."""
    found = re.search(rf"^### {re.escape(title)}\n.*?^```text\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def test_the_entry_is_the_one_that_is_shown(store: Memory) -> None:
    content = store.objects["private/entries/000000000002.json"]
    assert shown("An entry").rstrip("\n").encode() == content
    assert leaf_of(content).hex() in PAGE
    assert leaf_hash(leaf_of(content)).hex() in PAGE


def test_the_tile_and_the_bundle_are_those_that_are_shown(store: Memory) -> None:
    for title, key in (("A tile", "tile/0/000.p/3"), ("A bundle", "tile/entries/000.p/3")):
        assert bytes.fromhex(shown(title).replace("\n", "")) == store.objects[f"public/{key}"]


@pytest.mark.parametrize(("title", "folder"), [("A checkpoint", "checkpoints/3"), ("A cosignature", "cosignatures/")])
def test_the_note_is_the_one_that_is_shown(store: Memory, title: str, folder: str) -> None:
    (key,) = (key for key in store.objects if key.startswith(f"public/{folder}"))
    assert shown(title).encode() == store.objects[key]
    assert f"`{key.removeprefix('public/')}`" in PAGE


def test_the_proof_is_the_one_that_is_shown(store: Memory) -> None:
    ledger = ledger_in(store, origin="safeconduct/0123456789ab")
    entry = ledger.find("released:r1")
    assert entry
    assert shown("A proof").encode() == ledger.prove(entry)
    assert open_proof(shown("A proof").encode(), ledger.verifier_keys).entry == entry
    assert str(ledger.verifier_keys[0]) in PAGE
    assert str(ledger.cosignatures()[0].key) in PAGE

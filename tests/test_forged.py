"""Who has a key of ours and can write to shared storage, and nothing else, makes the ledger vouch for nothing."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import journey
from pipeline.core.acknowledgement import Acknowledgement, acknowledgement_text
from pipeline.core.canonical import canonical
from pipeline.core.errors import Code, SafeconductError
from pipeline.core.notes import read_checkpoint
from pipeline.core.withdrawal import Withdrawal, withdrawal_statement
from pipeline.edges import record, returns, rotation
from pipeline.edges.opening import read_private_key, sign
from pipeline.edges.publication import Published, manifest_key, proof_key, release_folder, release_name, withdrawal_key
from pipeline.edges.roles import Role
from pipeline.edges.signing import SigningKey, sign_statement
from tests.stories import Story, traders

NEVER_MADE = "story.f00df00df00df00d"


@pytest.fixture(scope="module")
def replaced(begun: Story, tmp_path_factory: pytest.TempPathFactory) -> tuple[Story, SigningKey]:
    """A story with a release, whose signing key was replaced and retired since, and that key. For copies."""
    story = begun.copied(tmp_path_factory.mktemp("replaced"))
    story.release()
    leaked = story.exchange.site.keyring.signing
    rotation.rotate(story.exchange.site, rotation.next_key(story.exchange.site, Role.SIGNING))
    story.exchange.now += timedelta(days=2)
    story.exchange.reopen()
    site = story.exchange.site
    (old,) = (key for key in rotation.keys_of(site) if key.name == "signing-1")
    rotation.retire(site, site.catalogue(), old)
    return story, leaked


@pytest.fixture
def story(replaced: tuple[Story, SigningKey], tmp_path: Path) -> Story:
    return replaced[0].copied(tmp_path)


@pytest.fixture
def leaked(replaced: tuple[Story, SigningKey]) -> SigningKey:
    return replaced[1]


def plant(story: Story, release: str, key: SigningKey, change: Callable[[dict[str, Any]], object] = bool) -> None:
    """A manifest of another release, as if it were this one's, is in shared storage."""
    store = story.exchange.site.publication.store
    envelope = json.loads(store.find(manifest_key("eu-customs", story.published().release)) or b"")
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"].update(release=release, signed_by=[key.id])
    change(statement["predicate"])
    parts = {part["key"] for part in statement["predicate"]["parts"]}
    statement["subject"] = [one for one in statement["subject"] if one["name"] in parts]
    store.put_new(manifest_key("eu-customs", release), sign_statement(canonical(statement), key))


def code_of(act: Callable[[], object]) -> Code:
    with pytest.raises(SafeconductError) as raised:
        act()
    return raised.value.code


def unknown_to_the_ledger(story: Story, release: str) -> bool:
    store = story.exchange.site.publication.store
    return record.release_entry(story.exchange.site, release) is None and not store.exists(
        proof_key("eu-customs", release, "manifest")
    )


def next_release(story: Story) -> tuple[str, str]:
    """More rows are kept: their key, and the name that their release will have."""
    story.exchange.drop("aeo-members", traders(40), "next.csv")
    (received,) = story.exchange.receive()
    site = story.exchange.site
    return received.kept[0], release_name(site.catalogue().agreement("story"), site.vault.kept(received.kept[0]))


def test_a_manifest_by_a_retired_key_in_the_place_of_the_next_release_is_refused(
    story: Story, leaked: SigningKey
) -> None:
    kept, release = next_release(story)
    plant(story, release, leaked)
    assert code_of(lambda: journey.release(story.exchange.site, "story", kept)) is Code.SIGNER_UNKNOWN
    assert unknown_to_the_ledger(story, release)


def test_a_manifest_that_nobody_meant_to_publish_is_refused_whoever_signed_it(story: Story) -> None:
    kept, release = next_release(story)
    plant(story, release, story.exchange.site.keyring.signing)
    assert code_of(lambda: journey.release(story.exchange.site, "story", kept)) is Code.MANIFEST_SWAPPED
    assert unknown_to_the_ledger(story, release)


def test_a_manifest_of_no_parts_that_nobody_meant_to_publish_is_refused(story: Story) -> None:
    kept, release = next_release(story)
    plant(story, release, story.exchange.site.keyring.signing, lambda said: said.update(parts=[]))
    assert code_of(lambda: journey.release(story.exchange.site, "story", kept)) is Code.MANIFEST_SWAPPED
    assert unknown_to_the_ledger(story, release)


def test_a_forged_release_does_not_become_one_by_being_withdrawn(story: Story, leaked: SigningKey) -> None:
    plant(story, NEVER_MADE, leaked)
    assert (
        code_of(lambda: journey.withdraw(story.exchange.site, NEVER_MADE, by="Us", why="Not ours"))
        is Code.SIGNER_UNKNOWN
    )
    assert unknown_to_the_ledger(story, NEVER_MADE)


def test_a_forged_release_does_not_become_one_by_being_acknowledged(story: Story, leaked: SigningKey) -> None:
    plant(story, NEVER_MADE, leaked)
    site = story.exchange.site
    manifest = site.publication.find("eu-customs", NEVER_MADE)
    assert manifest is not None
    said = acknowledgement_text(
        Acknowledgement(NEVER_MADE, "eu-customs", manifest.manifest_digest, "Registry", story.exchange.now)
    )
    key = read_private_key((story.exchange.directory / "demo" / "eu-customs.ed25519").read_bytes())
    site.landing.store.put_new("returns/eu-customs/a.json.sig", sign([said], key))
    site.landing.store.put_new("returns/eu-customs/a.json", said)
    story.exchange.now += timedelta(minutes=1)
    swept = journey.sweep(site)
    assert (swept.returned, swept.refused) == ((), ())
    assert len(swept.odd) == 1
    assert record.acknowledgement_entry(site, NEVER_MADE, "eu-customs") is None
    assert site.landing.store.exists("returns/eu-customs/a.json")


def test_a_withdrawal_by_a_retired_key_is_not_finished(story: Story, leaked: SigningKey) -> None:
    site, published = story.exchange.site, story.published()
    said = Withdrawal(published.release, "eu-customs", "Us", "No", site.now(), reissue=True, signed_by=(leaked.id,))
    text = withdrawal_statement(said, published.manifest_digest)
    site.publication.store.put_new(withdrawal_key("eu-customs", published.release), sign_statement(text, leaked))
    assert code_of(story.release) is Code.SIGNER_UNKNOWN
    assert record.withdrawal_entry(site, published.release) is None


def test_a_release_of_before_is_found_again_though_its_key_is_retired(story: Story) -> None:
    assert journey.release(story.exchange.site, "story", story.kept).already


def test_a_copy_below_another_partner_gets_no_witnessed_proof(story: Story) -> None:
    site, published = story.exchange.site, story.published()
    store = site.publication.store
    copied = Published(published.release, "ca-customs", published.manifest_digest, published.predicate)
    content = store.find(manifest_key("eu-customs", published.release)) or b""
    store.put_new(manifest_key(copied.recipient, copied.release), content)
    checkpoint, _ = read_checkpoint(site.ledger.checkpoint().note)
    returns.prove_witnessed(site, checkpoint.size)
    assert store.exists(proof_key("eu-customs", published.release, returns.WITNESSED))
    assert [one.key for one in store.listing(release_folder("ca-customs", published.release))] == [
        manifest_key("ca-customs", published.release)
    ]

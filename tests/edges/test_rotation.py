"""A key is replaced without anything that is there becoming unreadable, and goes only when nothing needs it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from pipeline import journey
from pipeline.core.entries import Kind
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, SafeconductError, Unavailable
from pipeline.edges import rotation
from pipeline.edges.epochs import Epochs
from pipeline.edges.keys import Keyring
from pipeline.edges.reversal import reverse
from pipeline.edges.roles import RETIRED, Key, Role, held, new_key, put_new_key, retire_key
from pipeline.edges.safe import Files
from pipeline.edges.sealing import RecipientKind
from pipeline.edges.signing import open_envelope
from pipeline.edges.site import Site
from pipeline.edges.storage import open_store
from pipeline.edges.tokens import Tokens
from samples import aeo_members
from tests.exchange import FEW, NOON, Exchange
from tests.stories import KEPT_IN, Story, agreement, traders

PSEUDONYMS = KEPT_IN + '\n[columns.tin]\ntreatment = "pseudonymise"\ndomain = "trader"\nclause = "D1"\n'
OPENERS = [Role.VAULT, Role.QUARANTINE, Role.OPENING]
ALL = [role for role in Role if role.required]


def error_of(act: Callable[[], object]) -> SafeconductError:
    with pytest.raises(SafeconductError) as raised:
        act()
    return raised.value


def rotated(story: Story, role: Role) -> Key:
    """The role's next key, two days later, as other workers find it."""
    site = story.exchange.site
    key = rotation.next_key(site, role)
    rotation.rotate(site, key)
    later(story.exchange)
    return key


def later(exchange: Exchange) -> None:
    exchange.now += timedelta(days=2)
    exchange.reopen()


def key_of(site: Site, name: str) -> Key:
    (key,) = (key for key in rotation.keys_of(site) if key.name == name)
    return key


def retire(story: Story, name: str) -> None:
    site = story.exchange.site
    rotation.retire(site, site.catalogue(), key_of(site, name))
    story.exchange.reopen()


def secrets_on_disk(site: Site) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (site.directory / "keys").iterdir() if path.is_file()}


def entries(site: Site) -> list[tuple[str, str]]:
    return [(entry.subject, str(entry.facts["became"])) for entry in site.ledger.entries() if entry.kind.value == "key"]


def released(story: Story) -> set[str]:
    """The pseudonyms of every release."""
    tables = [table for one in story.exchange.published("story") for table in story.exchange.opened(one)]
    return {tin for table in tables for tin in table["tin"].drop_nulls()}


def delivered_again(story: Story, operators: int) -> set[str]:
    """The pseudonyms of the first of the same traders, in a release of their own."""
    story.exchange.drop("aeo-members", traders(operators), f"{operators}.csv")
    (received,) = story.exchange.receive()
    known = {one.release for one in story.exchange.published("story")}
    journey.release(story.exchange.site, "story", received.kept[0])
    (new,) = [one for one in story.exchange.published("story") if one.release not in known]
    return {tin for table in story.exchange.opened(new) for tin in table["tin"].drop_nulls()}


def manifest(story: Story) -> bytes:
    """The one release's envelope."""
    store = story.exchange.site.publication.store
    (found,) = [one.key for one in store.listing("eu-customs/releases") if one.key.endswith("/manifest.json")]
    return b"".join(store.blocks(found))


# Rotating


@pytest.mark.parametrize("role", ALL)
def test_the_next_key_is_current_and_the_older_one_is_still_there(story: Story, role: Role) -> None:
    before = secrets_on_disk(story.exchange.site)

    made = rotated(story, role)

    assert made.number == 2
    after = secrets_on_disk(story.exchange.site)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {f"{role.value}-2{role.ending}"}
    assert (story.exchange.site.directory / "keys" / f"{role.value}-2{role.ending}").stat().st_mode & 0o777 == 0o600


def test_what_was_kept_before_a_rotation_is_released_after_it(story: Story) -> None:
    for role in ALL:
        rotated(story, role)

    story.release()

    assert story.published().predicate["rows"]["released"] > 0
    assert story.exchange.site.ledger.verify()


def test_new_objects_are_sealed_to_the_new_key_alone(story: Story) -> None:
    site = story.exchange.site
    old = site.keyring.vault, site.keyring.quarantine
    rotated(story, Role.VAULT), rotated(story, Role.QUARANTINE)
    site = story.exchange.site

    chunk = site.vault.put_chunk("d", pl.DataFrame({"a": ["1"]}))
    rows = site.quarantine.hold_rows("d", pl.DataFrame({"a": ["1"]}))

    assert site.vault.chunk("d", chunk).height == site.quarantine.held_rows(rows).height == 1
    older = replace(site.vault, identities=[old[0]]), replace(site.quarantine, identities=[old[1]])
    assert error_of(lambda: older[0].chunk("d", chunk)).code is Code.WRONG_KEY
    assert error_of(lambda: older[1].held_rows(rows)).code is Code.WRONG_KEY


def test_a_delivery_that_was_sealed_to_the_older_key_is_still_taken(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, feeds=FEW)
    assert exchange.site.catalogue().feeds["aeo-members"].sealed
    exchange.drop("aeo-members", traders(60), "before.csv")
    rotation.rotate(exchange.site, rotation.next_key(exchange.site, Role.OPENING))
    exchange.reopen()
    exchange.drop("aeo-members", traders(59), "after.csv")

    received = exchange.receive()

    assert [one.refused for one in received] == [()] * len(received)
    assert sum(len(record.deliveries) for one in received for record in exchange.site.vault.of_lot(one.lot)) == 2


def test_a_release_of_before_verifies_by_a_key_that_was_retired_since(story: Story) -> None:
    story.release()
    old = story.exchange.site.keyring.signing
    rotated(story, Role.SIGNING)
    retire(story, "signing-1")
    keyring = story.exchange.site.keyring

    assert keyring.signing.id != old.id
    assert [key.public_bytes_raw() for key in keyring.signing_publics] == [
        keyring.signing.public.public_bytes_raw(),
        old.public.public_bytes_raw(),
    ]
    assert open_envelope(manifest(story), keyring.signing_publics)
    assert story.published()
    assert "signing.pem" not in secrets_on_disk(story.exchange.site)


def test_the_ledger_holds_across_rotations_of_its_key(story: Story) -> None:
    for _ in range(2):
        rotated(story, Role.LEDGER)
    retire(story, "ledger-1")
    retire(story, "ledger-2")
    story.release()

    site = story.exchange.site
    assert len(site.keyring.ledger_publics) == 3
    assert site.ledger.verify()


def test_a_task_that_began_before_a_rotation_of_the_ledgers_key_stops_and_goes_on_when_it_is_tried_again(
    story: Story,
) -> None:
    """What it cannot verify may be forged, for all that it knows; nothing is written by it, and nothing is lost."""

    def enters(site: Site, id: str) -> int:
        return site.ledger.append(id=id, kind=Kind.LATE, subject="s", facts={}, at=site.now()).sequence

    early = story.exchange.site
    rotated(story, Role.LEDGER)
    last = enters(story.exchange.site, "late:1")

    error = error_of(lambda: enters(early, "late:2"))

    assert error.code is Code.OBJECT_ALTERED
    story.exchange.reopen()
    assert enters(story.exchange.site, "late:2") == last + 1
    assert story.exchange.site.ledger.verify()


def test_the_second_signature_begins_with_the_first_rotation(story: Story) -> None:
    assert story.exchange.site.keyring.signing_mldsa is None
    assert story.exchange.site.keyring.signing_mldsa_publics == ()

    made = rotated(story, Role.SIGNING_MLDSA)

    keyring = story.exchange.site.keyring
    assert made.number == 1
    assert isinstance(keyring.signing_mldsa, MLDSA65PrivateKey)
    assert len(keyring.signing_mldsa_publics) == 1
    story.release()
    assert len(json.loads(manifest(story))["signatures"]) == 2
    assert open_envelope(manifest(story), keyring.signing_mldsa_publics)


def test_a_hybrid_key_takes_the_place_of_one_that_is_not(story: Story) -> None:
    site = story.exchange.site
    rotation.rotate(site, rotation.next_key(site, Role.VAULT, RecipientKind.HYBRID))
    story.exchange.reopen()

    assert story.exchange.site.keyring.vault.recipient.startswith("age1pq1")
    story.release()


def test_of_two_rotations_at_once_one_stands_and_the_other_is_told(story: Story) -> None:
    site = story.exchange.site
    keys = [rotation.next_key(site, Role.VAULT) for _ in range(4)]

    def attempt(key: Key) -> Code | None:
        try:
            rotation.rotate(site, key)
        except Conflict as error:
            return error.code
        return None

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, keys))

    assert sorted(map(str, outcomes)) == sorted(["None"] + [str(Code.KEY_TAKEN)] * 3)
    stands = keys[outcomes.index(None)]
    assert key_of(site, "vault-2").fingerprint == stands.fingerprint


def test_the_ledger_knows_every_key_once_a_key_was_rotated(story: Story) -> None:
    rotated(story, Role.VAULT)
    told = entries(story.exchange.site)

    assert sorted(told) == sorted([(f"{role.value}-1", "made") for role in ALL] + [("vault-2", "made")])
    entry = story.exchange.site.ledger.find("key:vault-2:made")
    assert entry is not None
    assert entry.facts["fingerprint"] == key_of(story.exchange.site, "vault-2").fingerprint


def test_a_key_that_was_made_just_before_a_crash_is_told_by_the_next_rotation(story: Story) -> None:
    site = story.exchange.site
    put_new_key(Files(site.directory / "keys"), rotation.next_key(site, Role.VAULT))
    assert ("vault-2", "made") not in entries(site)

    rotated(story, Role.SIGNING)

    assert ("vault-2", "made") in entries(story.exchange.site)


# Retiring


@pytest.mark.parametrize("role", ALL)
def test_a_current_key_is_not_retired(story: Story, role: Role) -> None:
    before = secrets_on_disk(story.exchange.site)

    error = error_of(lambda: retire(story, f"{role.value}-1"))

    assert isinstance(error, Misconfigured)
    assert error.code is Code.KEY_IN_USE
    assert "current" in error.message
    assert secrets_on_disk(story.exchange.site) == before


@pytest.mark.parametrize("role", [Role.SIGNING, Role.QUARANTINE])
def test_a_key_rests_for_a_day_after_its_rotation(story: Story, role: Role) -> None:
    """A task that began before still seals to it: what it then seals would be lost."""
    site = story.exchange.site
    rotation.rotate(site, rotation.next_key(site, role))
    story.exchange.now += rotation.RESTS - timedelta(seconds=1)
    story.exchange.reopen()
    assert error_of(lambda: retire(story, f"{role.value}-1")).code is Code.KEY_IN_USE

    story.exchange.now += timedelta(seconds=1)
    story.exchange.reopen()
    retire(story, f"{role.value}-1")


def test_a_vault_key_is_not_retired_while_a_chunk_is_sealed_to_it_and_says_how_many(story: Story) -> None:
    rotated(story, Role.VAULT)
    site = story.exchange.site
    chunks = sum(1 for one in site.vault.store.listing("vault"))
    site.vault.put_chunk("d", pl.DataFrame({"a": ["1"]}))

    error = error_of(lambda: retire(story, "vault-1"))

    assert error.code is Code.KEY_IN_USE
    assert f"chunks of accepted rows in the vault: {chunks}" in error.message
    assert story.release()


def test_a_vault_key_that_no_chunk_needs_is_retired(story: Story) -> None:
    rotated(story, Role.VAULT)
    rotated(story, Role.VAULT)
    old = key_of(story.exchange.site, "vault-2")

    retire(story, "vault-2")

    kept = secrets_on_disk(story.exchange.site)
    assert "vault-2.txt" not in kept
    left = key_of(story.exchange.site, "vault-2")
    assert (left.public, left.fingerprint, left.created_at) == (old.public, old.fingerprint, old.created_at)
    assert left.secret is None
    assert b"AGE-SECRET-KEY" not in kept["vault-2" + RETIRED]
    assert ("vault-2", "retired") in entries(story.exchange.site)
    assert len(story.exchange.site.keyring.vault_identities) == 2
    story.release()


def test_a_chunk_that_is_damaged_keeps_its_key_until_somebody_has_looked(story: Story) -> None:
    site = story.exchange.site
    for listed in list(site.vault.store.listing("vault")):
        content = site.vault.store.find(listed.key)
        assert content
        site.vault.store.destroy(listed.key)
        site.vault.store.put_new(listed.key, content[:200] + bytes(8) + content[208:])
    rotated(story, Role.VAULT)

    assert error_of(lambda: retire(story, "vault-1")).code is Code.KEY_IN_USE


def test_a_quarantine_key_is_not_retired_while_rows_are_sealed_to_it(story: Story) -> None:
    story.exchange.site.quarantine.hold_rows("d", pl.DataFrame({"a": ["1"]}))
    rotated(story, Role.QUARANTINE)

    error = error_of(lambda: retire(story, "quarantine-1"))

    assert error.code is Code.KEY_IN_USE
    assert "objects in quarantine: 1" in error.message


def test_an_opening_key_is_not_retired_while_a_delivery_needs_it(tmp_path: Path) -> None:
    """One that has landed, and one whose bytes are in quarantine, for a replay."""
    exchange = Exchange(tmp_path, feeds=FEW)
    exchange.drop("aeo-members", aeo_members.VARIANTS["missing-column"](), "refused.csv")
    (received,) = exchange.receive()
    assert received.refused
    exchange.drop("aeo-members", traders(), "waits.csv")
    rotation.rotate(exchange.site, rotation.next_key(exchange.site, Role.OPENING))
    later(exchange)
    site = exchange.site
    sealed = site.catalogue().feeds["aeo-members"].sealed

    needs = [
        (need.objects, need.what) for need in rotation.still_needed(site, site.catalogue(), key_of(site, "opening-1"))
    ]

    assert sealed
    assert needs == [(1, "deliveries in landing"), (1, "refused deliveries in quarantine")]
    assert list(rotation.still_needed(site, site.catalogue(), key_of(site, "opening-2"))) == []


def test_a_retirement_that_was_cut_short_is_finished(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    rotated(story, Role.SIGNING)

    def dies(self: Files, name: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Files, "destroy", dies)
        with pytest.raises(KeyboardInterrupt):
            retire(story, "signing-1")
    story.exchange.reopen()
    assert "signing.pem" in secrets_on_disk(story.exchange.site)
    assert len(story.exchange.site.keyring.signing_publics) == 2
    at = key_of(story.exchange.site, "signing-1").retired_at
    later(story.exchange)

    retire(story, "signing-1")

    assert "signing.pem" not in secrets_on_disk(story.exchange.site)
    assert key_of(story.exchange.site, "signing-1").retired_at == at
    assert entries(story.exchange.site).count(("signing-1", "retired")) == 1


@pytest.mark.parametrize("lost", ["vault.txt", "vault-2.txt"])
def test_a_key_that_was_lost_below_a_newer_one_is_named(story: Story, lost: str) -> None:
    rotated(story, Role.VAULT)
    rotated(story, Role.VAULT)
    (story.exchange.site.directory / "keys" / lost).unlink()

    error = error_of(lambda: Site.open(story.exchange.site.directory))

    assert error.code is Code.SITE_KEY_MISSING
    assert f"keys/{lost}" in error.message


def test_what_a_retired_key_left_is_not_to_be_changed(story: Story) -> None:
    rotated(story, Role.SIGNING)
    retire(story, "signing-1")
    path = story.exchange.site.directory / "keys" / f"signing{RETIRED}"
    path.write_bytes(path.read_bytes().replace(b"retired_at", b"retired_At"))

    assert error_of(lambda: Site.open(story.exchange.site.directory)).code is Code.OBJECT_ALTERED


def test_other_files_beside_the_keys_are_no_keys(story: Story) -> None:
    keys = story.exchange.site.directory / "keys"
    for name in (
        "vault-1.txt",
        "vault-02.txt",
        "vault-0.txt",
        "vault-9.pem",
        "vaults.txt",
        "vault.txt.bak",
        ".vault-2.txt",
    ):
        (keys / name).write_text("not a key")

    assert {key.name for key in held(Files(keys))} == {f"{role.value}-1" for role in ALL}


# Pseudonyms


def pseudonymising(story: Story, epoch: str = "1", version: int = 1) -> None:
    story.says(agreement(columns=PSEUDONYMS, top=f'pseudonym_epoch = "{epoch}"', version=version), version=version)


def key_in(keyring: Keyring, epoch: str = "1", agreement_id: str = "story") -> bytes:
    return keyring.pseudonym_key(agreement_id, "trader", epoch)


def test_a_new_master_changes_no_pseudonym_of_an_epoch_that_was_used(story: Story) -> None:
    site = story.exchange.site
    before = (
        key_in(site.keyring),
        site.keyring.token_key("story", "d", "1"),
        site.keyring.commitment_key("story", "1", "r"),
    )

    rotated(story, Role.PSEUDONYM_MASTER)

    ring = story.exchange.site.keyring
    assert (key_in(ring), ring.token_key("story", "d", "1"), ring.commitment_key("story", "1", "r")) == before


def test_the_pseudonyms_of_releases_match_across_a_rotation_and_not_across_epochs(story: Story) -> None:
    pseudonymising(story)
    story.release()
    before = released(story)
    rotated(story, Role.PSEUDONYM_MASTER)

    same_epoch = delivered_again(story, 59)
    pseudonymising(story, epoch="2")
    next_epoch = delivered_again(story, 58)

    assert same_epoch
    assert same_epoch <= before
    assert next_epoch
    assert not next_epoch & before


def test_a_new_epoch_and_a_new_agreement_use_the_new_master(story: Story) -> None:
    key_in(story.exchange.site.keyring)
    rotated(story, Role.PSEUDONYM_MASTER)
    ring = story.exchange.site.keyring

    key_in(ring, "2"), key_in(ring, "1", "other")

    assert ring.epochs
    numbers = {names: ring.epochs.find(*names) for names in [("story", "1"), ("story", "2"), ("other", "1")]}
    assert {names: found and found.number for names, found in numbers.items()} == {
        ("story", "1"): 1,
        ("story", "2"): 2,
        ("other", "1"): 2,
    }


def test_a_master_is_not_retired_while_an_agreement_is_in_its_epoch(story: Story) -> None:
    pseudonymising(story)
    story.release()
    rotated(story, Role.PSEUDONYM_MASTER)

    error = error_of(lambda: retire(story, "pseudonym-master-1"))

    assert error.code is Code.KEY_IN_USE
    assert "agreement story, epoch 1" in error.message


def test_a_master_that_every_agreement_has_left_is_retired_and_its_epochs_make_no_pseudonym_any_more(
    story: Story,
) -> None:
    pseudonymising(story)
    story.release()
    rotated(story, Role.PSEUDONYM_MASTER)
    pseudonymising(story, epoch="2")

    retire(story, "pseudonym-master-1")

    ring = story.exchange.site.keyring
    error = error_of(lambda: key_in(ring, "1"))
    assert isinstance(error, Misconfigured)
    assert error.code is Code.MASTER_RETIRED
    assert "pseudonym_epoch" in error.next_step
    assert key_in(ring, "2")


def test_a_release_in_an_epoch_whose_master_was_retired_is_refused(story: Story) -> None:
    key_in(story.exchange.site.keyring)
    rotated(story, Role.PSEUDONYM_MASTER)
    pseudonymising(story, epoch="2")
    retire(story, "pseudonym-master-1")
    pseudonymising(story, epoch="1")

    error = error_of(story.release)

    assert error.code is Code.MASTER_RETIRED
    assert story.exchange.published("story") == []


def test_another_master_in_the_place_of_a_lost_one_is_found_before_a_pseudonym_changes(story: Story) -> None:
    site = story.exchange.site
    key_in(site.keyring)
    path = site.directory / "keys" / "pseudonym-master.hex"
    path.unlink()
    put_new_key(Files(path.parent), new_key(Role.PSEUDONYM_MASTER, 1, NOON))
    story.exchange.reopen()

    error = error_of(lambda: key_in(story.exchange.site.keyring))

    assert isinstance(error, Conflict)
    assert error.code is Code.MASTER_DIFFERS


def test_a_task_that_began_before_a_rotation_makes_no_pseudonym_with_the_wrong_master(story: Story) -> None:
    """Somebody else has rotated and used the epoch first: the next try reads the keys anew."""
    early = story.exchange.site.keyring
    rotated(story, Role.PSEUDONYM_MASTER)
    used = key_in(story.exchange.site.keyring, "7")

    error = error_of(lambda: key_in(early, "7"))

    assert isinstance(error, Unavailable)
    assert error.code is Code.KEYS_CHANGED
    story.exchange.reopen()
    assert key_in(story.exchange.site.keyring, "7") == used


def test_workers_that_use_an_epoch_first_at_the_same_time_agree_on_its_master(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    store = open_store((tmp_path / "private").as_uri())
    early = Keyring.create(tmp_path / "keys", epochs=Epochs(store))
    put_new_key(Files(tmp_path / "keys"), new_key(Role.PSEUDONYM_MASTER, 2, NOON))
    late = Keyring.open(tmp_path / "keys", epochs=Epochs(store))
    rings = [Keyring(ring.directory, ring.keys, Epochs(store)) for ring in [early, late] * 8]

    def key(number: int) -> bytes | Code:
        try:
            return key_in(rings[number % 16], str(number // 16))
        except Unavailable as error:
            return error.code

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(key, range(160)))

    for epoch in range(10):
        keys = {one for one in made[epoch * 16 : epoch * 16 + 16] if isinstance(one, bytes)}
        assert len(keys) == 1
        assert Epochs(store).find("story", str(epoch))


def test_a_binding_that_somebody_edited_is_found(story: Story) -> None:
    key_in(story.exchange.site.keyring)
    path = story.exchange.site.directory / "stores/private/epochs/story/1.json"
    path.write_bytes(path.read_bytes().replace(b'"number":1', b'"number": 1'))
    story.exchange.reopen()

    assert error_of(lambda: key_in(story.exchange.site.keyring)).code is Code.OBJECT_ALTERED


def test_a_keyring_without_the_record_of_epochs_makes_no_pseudonym(story: Story) -> None:
    ring = Keyring.open(story.exchange.site.keyring.directory)

    with pytest.raises(ValueError, match="without the record of epochs"):
        key_in(ring)


def test_a_question_about_the_tokens_of_an_epoch_binds_it_to_no_master(story: Story) -> None:
    columns = KEPT_IN + (
        '\n[columns.tin]\ntreatment = "tokenise"\ndomain = "trader"\nreversible_by = "eu-customs"\n'
        'reversal_clause = "D1"\nclause = "D1"\n'
    )
    story.says(agreement(columns=columns))
    site = story.exchange.site
    token = Tokens("story", "trader", "9", bytes(64)).token_of("x")

    def asks() -> object:
        return reverse(
            site,
            site.catalogue(),
            site.catalogue().agreement("story"),
            "tin",
            [token],
            partner="eu-customs",
            reference="r",
            epoch="9",
        )

    error = error_of(asks)

    assert isinstance(error, Refused)
    assert error.code is Code.TOKEN_INVALID
    assert site.keyring.epochs
    assert site.keyring.epochs.find("story", "9") is None


def test_a_retired_key_was_retired_once(tmp_path: Path) -> None:
    """A second retirement does not move the first one's date."""
    (tmp_path / "keys").mkdir(mode=0o700)
    safe = Files(tmp_path / "keys")
    key = new_key(Role.SIGNING, 1, NOON)
    put_new_key(safe, key)

    retire_key(safe, key, NOON)
    retire_key(safe, key, NOON + timedelta(days=1))

    (left,) = held(safe)
    assert left.retired_at == NOON
    assert left.public == key.public

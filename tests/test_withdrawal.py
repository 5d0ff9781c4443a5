"""A release that was withdrawn is never used, made or lost again, and whoever looks is told why."""

import hashlib
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import journey
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, SafeconductError
from pipeline.core.withdrawal import Withdrawal, read_withdrawal, withdrawal_statement
from pipeline.edges import record
from pipeline.edges.clock import clock_corrected
from pipeline.edges.ledger import Kind
from pipeline.edges.overview import Standing, prospects
from pipeline.edges.proofs import open_proof, proves
from pipeline.edges.publication import Publication, Published, manifest_key, proof_key, release_folder, withdrawal_key
from pipeline.edges.signing import key_id, new_signing_key, sign_statement
from pipeline.edges.site import Site
from samples import pnr_push
from tests.exchange import NOON, Exchange

AGREEMENT, RECIPIENT = "pnr-police-liaison", "police-liaison"
WHY = {"by": "j.example", "why": "A column had the wrong unit"}


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    """With one release under one agreement."""
    exchange = Exchange(tmp_path, feeds=("pnr-push",))
    for path in (exchange.directory / "catalogue" / "agreements").glob("*.toml"):
        if not path.name.startswith(AGREEMENT):
            path.unlink()
    out = io.BytesIO()
    pnr_push.write(out, travellers=20, seed=1, bad_share=0.0)
    exchange.drop("pnr-push", out.getvalue(), "push.edi")
    exchange.run()
    exchange.now += timedelta(hours=1)
    return exchange


def the_release(exchange: Exchange) -> Published:
    (published,) = exchange.published(AGREEMENT)
    return published


def withdraw(site: Site, release: str, *, reissue: bool = False) -> journey.Withdrawn:
    return journey.withdraw(site, release, by=WHY["by"], why=WHY["why"], reissue=reissue)


def kept_of(published: Published) -> str:
    kept: str = published.predicate["made_of"]["kept"]
    return kept


def again(exchange: Exchange, site: Site | None = None) -> journey.Released:
    """The same rows are released once more."""
    return journey.release(site or exchange.site, AGREEMENT, kept_of(exchange.published(AGREEMENT)[0]))


def refusal_of(act: Callable[[], object]) -> Code:
    with pytest.raises(SafeconductError) as refused:
        act()
    return refused.value.code


def shared(exchange: Exchange) -> dict[str, str]:
    """Every object on shared storage that is no part of the ledger's, with its digest."""
    store = exchange.site.publication.store
    keys = [listed.key for listed in store.listing() if not listed.key.startswith("ledger/")]
    return {key: hashlib.sha256(store.find(key) or b"").hexdigest() for key in keys}


# What a withdrawal is


@pytest.mark.parametrize("ending", [".json", ".withdrawn.json"])
def test_what_somebody_put_in_the_place_of_a_notice_stops_no_withdrawal(exchange: Exchange, ending: str) -> None:
    published, store = the_release(exchange), exchange.site.publication.store
    key = f"{RECIPIENT}/notices/{published.release}{ending}"
    store.destroy(key)
    store.put_new(key, b"{}")
    with pytest.raises(Conflict) as raised:
        withdraw(exchange.site, published.release)
    assert raised.value.code is Code.OBJECT_DIFFERS
    assert store.exists(withdrawal_key(RECIPIENT, published.release))
    assert record.withdrawal_entry(exchange.site, published.release) is not None


def test_a_withdrawal_is_signed_told_recorded_and_proven_and_takes_nothing_away(exchange: Exchange) -> None:
    published, before = the_release(exchange), shared(exchange)
    withdrawn = withdraw(exchange.site, published.release)
    assert (withdrawn.next, withdrawn.already) == (None, False)
    after, folder = shared(exchange), release_folder(RECIPIENT, published.release)
    assert {key: after[key] for key in before} == before
    assert set(after) - set(before) == {
        f"{folder}/withdrawal.json",
        f"{folder}/withdrawal.tlog-proof",
        f"{RECIPIENT}/notices/{published.release}.withdrawn.json",
    }
    found = exchange.site.publication.withdrawn(published)
    assert found
    assert (found.withdrawal.by, found.withdrawal.why, found.withdrawal.at) == (*WHY.values(), exchange.now)
    entry = record.withdrawal_entry(exchange.site, published.release)
    assert entry
    assert {name: entry.facts[name] for name in ("by", "why", "withdrawal", "manifest", "reissue")} == {
        **WHY,
        "withdrawal": found.digest,
        "manifest": published.manifest_digest,
        "reissue": False,
    }
    notice = json.loads(
        exchange.site.publication.store.find(f"{RECIPIENT}/notices/{published.release}.withdrawn.json") or b""
    )
    assert (notice["why"], notice["withdrawal_digest"]["sha256"]) == (WHY["why"], found.digest)


def test_both_proofs_hold_by_the_ledgers_key_alone_and_each_for_its_own_file(exchange: Exchange) -> None:
    published = the_release(exchange)
    withdraw(exchange.site, published.release)
    store, keys = exchange.site.publication.store, exchange.site.ledger.verifier_keys
    assert published.predicate["ledger"] == {"origin": exchange.site.ledger.origin, "keys": [str(key) for key in keys]}
    for name, kind in (("manifest", Kind.RELEASED), ("withdrawal", Kind.WITHDRAWN)):
        proof = store.find(proof_key(RECIPIENT, published.release, name)) or b""
        file = store.find(f"{release_folder(RECIPIENT, published.release)}/{name}.json") or b""
        proven, digest = open_proof(proof, keys, name=name), hashlib.sha256(file).hexdigest()
        proves(proven, kind, published.release, digest)
        swaps = ((kind, "another", digest), (kind, published.release, "0" * 64), (Kind.LATE, published.release, digest))
        assert {refusal_of(partial(proves, proven, *swap)) for swap in swaps} == {Code.PROOF_OF_ANOTHER}


def test_a_proof_of_another_index_is_refused_by_its_own_code(exchange: Exchange) -> None:
    published = the_release(exchange)
    proof = exchange.site.publication.store.find(proof_key(RECIPIENT, published.release, "manifest")) or b""
    keys, entry = exchange.site.ledger.verifier_keys, record.release_entry(exchange.site, published.release)
    assert entry
    moved = proof.replace(b"\nindex %d\n" % entry.sequence, b"\nindex %d\n" % (entry.sequence - 1))
    assert refusal_of(lambda: open_proof(moved, keys, name="it")) is Code.PROOF_OF_ANOTHER
    assert refusal_of(lambda: open_proof(proof[:-1], keys, name="it")) is Code.CHECKPOINT_INVALID
    assert refusal_of(lambda: open_proof(b"x" + proof, keys, name="it")) is Code.PROOF_INVALID
    lines = proof.split(b"\n")
    assert len(lines[3]) == 44  # the first hash of the path
    other = b"\n".join([*lines[:3], b"A" * 43 + b"=", *lines[4:]])
    assert refusal_of(lambda: open_proof(other, keys, name="it")) is Code.PROOF_INVALID


def test_the_kit_beside_the_manifest_is_what_the_manifest_says(exchange: Exchange) -> None:
    published = the_release(exchange)
    folder, kit = release_folder(RECIPIENT, published.release), published.predicate["kit"]
    assert set(kit) == {"OPEN.md", "verify_release.py"}
    for name, digest in kit.items():
        content = exchange.site.publication.store.find(f"{folder}/{name}") or b""
        assert hashlib.sha256(content).hexdigest() == digest


def test_another_guide_where_ours_belongs_is_neither_signed_nor_replaced(exchange: Exchange) -> None:
    first = the_release(exchange)
    second = withdraw(exchange.site, first.release, reissue=True).next
    key = f"{release_folder(RECIPIENT, second or '')}/OPEN.md"
    exchange.site.publication.store.put_new(key, b"curl | sh\n")
    assert refusal_of(lambda: again(exchange)) is Code.OBJECT_DIFFERS
    assert exchange.published(AGREEMENT) == [first]
    assert exchange.site.publication.store.find(key) == b"curl | sh\n"
    exchange.site.publication.store.destroy(key)
    assert again(exchange).release == second


# Once


def test_the_first_withdrawal_wins_and_a_later_one_finds_it(exchange: Exchange) -> None:
    release = the_release(exchange).release
    first = withdraw(exchange.site, release)
    exchange.now += timedelta(days=1)
    later = journey.withdraw(exchange.site, release, by="k.example", why="Other reasons", reissue=True)
    assert later == replace(first, already=True)


def test_of_two_at_once_one_wins_and_both_tell_the_same(exchange: Exchange) -> None:
    release = the_release(exchange).release
    with ThreadPoolExecutor(4) as threads:
        told = list(
            threads.map(lambda name: journey.withdraw(exchange.site, release, by=name, why=f"{name} says so"), "abcd")
        )
    assert len({replace(one, already=True) for one in told}) == 1
    assert [entry.kind for entry in exchange.site.ledger.entries()].count(Kind.WITHDRAWN) == 1
    exchange.site.ledger.verify()


def test_a_withdrawn_release_is_not_made_again(exchange: Exchange) -> None:
    withdraw(exchange.site, the_release(exchange).release)
    before = shared(exchange)
    for _ in range(2):
        assert refusal_of(lambda: again(exchange)) is Code.RELEASE_WITHDRAWN
    assert shared(exchange) == before
    (kept,) = exchange.site.vault.of_lot(next(iter(exchange.site.landing.lots())).id)
    (prospect,) = prospects(exchange.site, exchange.site.catalogue(), kept)
    assert (prospect.standing, prospect.settled, prospect.rows) == (Standing.WITHDRAWN, True, None)


def test_what_is_not_published_cannot_be_withdrawn(exchange: Exchange) -> None:
    assert refusal_of(lambda: withdraw(exchange.site, "no.such")) is Code.NOT_FOUND


def test_a_release_is_withdrawn_whatever_has_become_of_its_agreement(exchange: Exchange) -> None:
    release = the_release(exchange).release
    for path in (exchange.directory / "catalogue" / "agreements").glob("*.toml"):
        path.unlink()
    assert withdraw(exchange.site, release).recipient == RECIPIENT


# Revisions


def test_a_withdrawn_release_is_made_anew_once_and_says_what_it_supersedes(exchange: Exchange) -> None:
    first = the_release(exchange)
    withdrawn = withdraw(exchange.site, first.release, reissue=True)
    assert withdrawn.next == f"{first.release}-v2"
    told = exchange.site.publication.withdrawn(first)
    assert told
    made = again(exchange)
    assert (made.release, made.already) == (f"{first.release}-v2", False)
    second = exchange.site.publication.find(RECIPIENT, made.release)
    assert second
    assert second.predicate["revision"] == 2
    assert second.predicate["supersedes"] == {
        "release": first.release,
        "manifest": {"sha256": first.manifest_digest},
        "withdrawal": {"sha256": told.digest},
    }
    assert again(exchange) == replace(made, already=True)
    third = withdraw(exchange.site, made.release, reissue=True)
    assert third.next == f"{first.release}-v3" == again(exchange).release
    withdraw(exchange.site, f"{first.release}-v3")
    assert refusal_of(lambda: again(exchange)) is Code.RELEASE_WITHDRAWN
    exchange.site.ledger.verify()


def test_the_commitments_to_the_same_clear_bytes_differ_between_releases(exchange: Exchange) -> None:
    first = the_release(exchange)
    withdraw(exchange.site, first.release, reissue=True)
    again(exchange)
    told = [part["commitment"] for one in exchange.published(AGREEMENT) for part in one.predicate["parts"]]
    assert len(set(told)) == len(told) == 2 * len(first.predicate["parts"])


def test_a_withdrawal_that_a_crash_left_half_is_finished_by_the_next_release(exchange: Exchange) -> None:
    published = the_release(exchange)
    said = Withdrawal(
        published.release,
        RECIPIENT,
        "j.example",
        "why",
        exchange.now,
        reissue=True,
        signed_by=exchange.site.publication.signers,
    )
    exchange.site.publication.withdraw(published, said)
    assert record.withdrawal_entry(exchange.site, published.release) is None
    again(exchange)
    entry = record.withdrawal_entry(exchange.site, published.release)
    assert entry
    assert exchange.site.publication.store.exists(proof_key(RECIPIENT, published.release, "withdrawal"))


# A release under way


class Interrupted(Publication):
    """Right before the manifest is written, something else happens."""

    def publish(self, recipient: str, release: str, statement: bytes) -> Published:
        INTERRUPTION.pop()()
        return super().publish(recipient, release, statement)


INTERRUPTION: list[Callable[[], object]] = []


def interrupted(site: Site, meanwhile: Callable[[], object]) -> Site:
    INTERRUPTION.append(meanwhile)
    known = site.publication
    return replace(site, publication=Interrupted(known.store, known.key, known.older, known.second, known.seconds))


def test_a_run_that_wakes_after_the_withdrawal_of_what_it_makes_announces_nothing(exchange: Exchange) -> None:
    first = the_release(exchange)
    second = withdraw(exchange.site, first.release, reissue=True).next
    assert second

    def meanwhile() -> None:
        again(exchange)
        withdraw(exchange.site, second)

    assert refusal_of(lambda: again(exchange, interrupted(exchange.site, meanwhile))) is Code.RELEASE_WITHDRAWN
    assert len(exchange.published(AGREEMENT)) == 2
    assert refusal_of(lambda: again(exchange)) is Code.RELEASE_WITHDRAWN


def test_a_release_that_is_withdrawn_before_its_run_has_recorded_it_has_its_whole_story(exchange: Exchange) -> None:
    first = the_release(exchange)
    second = withdraw(exchange.site, first.release, reissue=True).next
    assert second

    class Died(Exception):
        pass

    def dies() -> None:
        raise Died

    site = exchange.site

    class Dying(Publication):
        def publish(self, recipient: str, release: str, statement: bytes) -> Published:
            super().publish(recipient, release, statement)
            raise Died

    with pytest.raises(Died):
        again(exchange, replace(site, publication=Dying(site.publication.store, site.publication.key)))
    assert record.release_entry(site, second) is None
    withdraw(site, second)
    told = [entry.kind for entry in site.ledger.entries() if entry.subject == second]
    assert told == [Kind.INTENDED, Kind.RELEASED, Kind.WITHDRAWN]
    assert refusal_of(lambda: again(exchange)) is Code.RELEASE_WITHDRAWN


# Storage that lies


def test_a_withdrawal_that_somebody_removed_is_missed(exchange: Exchange) -> None:
    release = the_release(exchange).release
    withdraw(exchange.site, release)
    exchange.site.publication.store.destroy(withdrawal_key(RECIPIENT, release))
    for act in (lambda: again(exchange), lambda: journey.withdraw(exchange.site, release, by="x", why="y")):
        with pytest.raises(Conflict) as missed:
            act()
        assert missed.value.code is Code.OBJECT_MISSING
    assert not exchange.site.publication.store.exists(withdrawal_key(RECIPIENT, release))


def test_a_manifest_that_somebody_removed_is_not_made_again_and_its_withdrawal_says_so(exchange: Exchange) -> None:
    first = the_release(exchange)
    withdraw(exchange.site, first.release, reissue=True)
    exchange.site.publication.store.destroy(manifest_key(RECIPIENT, first.release))
    kept = kept_of(first)
    assert refusal_of(lambda: journey.release(exchange.site, AGREEMENT, kept)) is Code.OBJECT_MISSING
    assert refusal_of(lambda: withdraw(exchange.site, first.release)) is Code.OBJECT_MISSING


def swapped(exchange: Exchange, key: str, content: bytes) -> None:
    exchange.site.publication.store.destroy(key)
    exchange.site.publication.store.put_new(key, content)


def test_the_manifest_of_another_release_is_refused_by_its_own_code(exchange: Exchange) -> None:
    first = the_release(exchange)
    withdraw(exchange.site, first.release, reissue=True)
    second = again(exchange).release
    theirs = exchange.site.publication.store.find(manifest_key(RECIPIENT, second)) or b""
    swapped(exchange, manifest_key(RECIPIENT, first.release), theirs)
    assert refusal_of(lambda: exchange.site.publication.find(RECIPIENT, first.release)) is Code.MANIFEST_SWAPPED


def test_a_manifest_of_ours_that_the_ledger_does_not_know_is_refused(exchange: Exchange) -> None:
    first = the_release(exchange)
    envelope = exchange.site.publication.store.find(manifest_key(RECIPIENT, first.release)) or b""
    swapped(exchange, manifest_key(RECIPIENT, first.release), envelope + b"\n")  # signed, and other bytes
    assert refusal_of(lambda: again(exchange)) is Code.MANIFEST_SWAPPED
    assert refusal_of(lambda: withdraw(exchange.site, first.release)) is Code.MANIFEST_SWAPPED


def test_a_manifest_signed_by_another_key_is_refused_by_its_own_code(exchange: Exchange) -> None:
    first, site = the_release(exchange), exchange.site
    stranger = replace(site, publication=Publication(site.publication.store, new_signing_key()))
    assert refusal_of(lambda: stranger.publication.find(RECIPIENT, first.release)) is Code.SIGNER_UNKNOWN


def test_the_withdrawal_of_another_release_withdraws_nothing(exchange: Exchange) -> None:
    first, site = the_release(exchange), exchange.site
    withdraw(site, first.release, reissue=True)
    second = again(exchange).release
    theirs = site.publication.store.find(withdrawal_key(RECIPIENT, first.release)) or b""
    site.publication.store.put_new(withdrawal_key(RECIPIENT, second), theirs)
    assert refusal_of(lambda: again(exchange)) is Code.MANIFEST_SWAPPED


@pytest.mark.parametrize("change", [{"release": "another"}, {"recipient": "another"}, {}])
def test_a_withdrawal_holds_for_its_release_its_recipient_and_its_manifest_alone(
    exchange: Exchange, change: dict[str, str]
) -> None:
    first, publication = the_release(exchange), exchange.site.publication
    said = Withdrawal(first.release, RECIPIENT, "x", "y", exchange.now, reissue=False, signed_by=publication.signers)
    manifest = first.manifest_digest if change else "0" * 64
    forged = withdrawal_statement(replace(said, **change), manifest)  # type: ignore[arg-type]
    publication.store.put_new(withdrawal_key(RECIPIENT, first.release), sign_statement(forged, publication.key))
    assert refusal_of(lambda: publication.withdrawn(first)) is Code.MANIFEST_SWAPPED


# Keys


def test_an_older_key_still_verifies_and_a_second_one_signs_beside_it(exchange: Exchange) -> None:
    first, site = the_release(exchange), exchange.site
    fresh, second = new_signing_key(), MLDSA65PrivateKey.generate()
    older = (site.publication.key.public,)
    twice = Publication(site.publication.store, fresh, older, second, (second.public_key(),))
    rotated = replace(site, publication=twice)
    assert rotated.publication.find(RECIPIENT, first.release) == first
    withdraw(rotated, first.release, reissue=True)
    made = again(exchange, rotated)
    found = rotated.publication.find(RECIPIENT, made.release)
    assert found
    assert found.predicate["signed_by"] == [fresh.id, key_id(second.public_key())]
    without = replace(rotated.publication, second=None, seconds=())
    assert refusal_of(lambda: without.find(RECIPIENT, made.release)) is Code.SIGNATURE_STRIPPED
    key = manifest_key(RECIPIENT, made.release)
    envelope = json.loads(site.publication.store.find(key) or b"")
    envelope["signatures"].pop()
    swapped(exchange, key, json.dumps(envelope).encode())
    assert refusal_of(lambda: twice.find(RECIPIENT, made.release)) is Code.SIGNATURE_STRIPPED


# The clock


def test_a_clock_that_went_back_stops_every_step_and_the_next_entry(exchange: Exchange) -> None:
    release, lot = the_release(exchange).release, next(iter(exchange.site.landing.lots())).id
    withdraw(exchange.site, release, reissue=True)
    before, exchange.now = shared(exchange), exchange.now - timedelta(minutes=11)
    for act in (
        lambda: journey.sweep(exchange.site),
        lambda: journey.receive(exchange.site, lot),
        lambda: again(exchange),
        lambda: withdraw(exchange.site, release),
        lambda: record.late(exchange.site, exchange.site.catalogue().feed("pnr-push"), exchange.now),
    ):
        with pytest.raises(Misconfigured) as jumped:
            act()
        assert jumped.value.code is Code.CLOCK_JUMPED
    assert shared(exchange) == before
    exchange.now += timedelta(minutes=2)  # two machines may differ by this much
    assert again(exchange).release.endswith("-v2")


def test_after_a_clock_was_ahead_somebody_must_say_so_and_the_ledger_keeps_it(exchange: Exchange) -> None:
    ahead = replace(exchange.site, now=lambda: NOON + timedelta(days=4000))
    withdraw(ahead, the_release(exchange).release, reissue=True)
    assert refusal_of(lambda: again(exchange)) is Code.CLOCK_JUMPED
    entry = clock_corrected(exchange.site, by="j.example", why="The clock's battery was empty")
    assert (entry.kind, entry.facts["by"]) == (Kind.CLOCK, "j.example")
    assert again(exchange).release.endswith("-v2")
    exchange.site.ledger.verify()


# The statement

SAID = Withdrawal("a.b", "taker", "j.example", "Échec", NOON, reissue=True, signed_by=("aa",))


@given(by=st.text(max_size=20), why=st.text(max_size=20), reissue=st.booleans())
@settings(max_examples=50)
def test_a_withdrawal_is_read_as_it_was_written(by: str, why: str, *, reissue: bool) -> None:
    said = replace(SAID, by=by, why=why, reissue=reissue)
    try:
        text = withdrawal_statement(said, "ab" * 32)
    except UnicodeEncodeError:
        return  # half of a character has no bytes
    assert read_withdrawal(text, "ab" * 32) == said


@pytest.mark.parametrize(
    "change",
    [
        (b'"reissue":true', b'"reissue":1'),
        (b'"reissue":true', b'"reissue":"true"'),
        (b'"release":"a.b"', b'"release":1'),
        (b'"by":"j.example",', b""),
        (b'"by":"j.example",', b'"by":"j.example","by":"x",'),
        (b'"by":"j.example",', b'"also":1,"by":"j.example",'),
        (b"+00:00", b"+01:00"),
        (b"withdrawal:v1", b"withdrawal:v2"),
        (b'"manifest.json"', b'"manifest.jsom"'),
        (b"\n", b""),
        (b"{", b"{ "),
    ],
)
def test_any_other_withdrawal_is_refused(change: tuple[bytes, bytes]) -> None:
    text = withdrawal_statement(SAID, "ab" * 32)
    assert change[0] in text
    assert refusal_of(lambda: read_withdrawal(text.replace(*change, 1), "ab" * 32)) is Code.VERIFICATION_FAILED
    with pytest.raises(Refused):
        read_withdrawal(b"[" * 100_000, "ab" * 32)


def test_a_withdrawal_by_a_statement_of_another_kind_is_none(exchange: Exchange) -> None:
    first, publication = the_release(exchange), exchange.site.publication
    forged = sign_statement(b"{}", publication.key)
    publication.store.put_new(withdrawal_key(RECIPIENT, first.release), forged)
    assert refusal_of(lambda: publication.withdrawn(first)) is Code.VERIFICATION_FAILED

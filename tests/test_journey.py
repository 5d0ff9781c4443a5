"""The whole journey on real storage and keys: what comes out, what is refused, and that everything can be run again."""

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.delivery import Delivery
from pipeline.core.duration import after
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, SafeconductError, Unavailable
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.landing import Landed, Landing
from pipeline.edges.ledger import Kind
from pipeline.edges.site import S3, Site
from pipeline.edges.storage import Listed, S3Settings
from samples import aeo_members, pnr_push
from tests.exchange import FEW, NOON, Exchange


@pytest.fixture
def whole(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path, feeds=FEW)


@pytest.fixture
def exchange(whole: Exchange) -> Exchange:
    """With the two smaller of the agreements on passenger name records: their releases take half the time."""
    for path in (whole.directory / "catalogue" / "agreements").glob("us-eu-pnr*.toml"):
        path.unlink()
    return whole


def aeo(operators: int = 300, *, seed: int = 1, bad_share: float = 0.0) -> bytes:
    out = io.BytesIO()
    aeo_members.write(out, operators=operators, seed=seed, bad_share=bad_share)
    return out.getvalue()


def pnr(travellers: int = 60, *, seed: int = 1, bad_share: float = 0.0) -> bytes:
    out = io.BytesIO()
    pnr_push.write(out, travellers=travellers, seed=seed, bad_share=bad_share)
    return out.getvalue()


def acknowledgements(exchange: Exchange, partner: str) -> list[dict[str, object]]:
    store = exchange.site.publication.store.within(partner)
    return [json.loads(store.find(listed.key) or b"{}") for listed in store.listing("acknowledgements")]


def delivery_of(refusal: journey.Refusal, feed: str) -> Delivery:
    return Delivery(refusal.delivery, feed, refusal.landed_as, 0, NOON)


def land(exchange: Exchange, key: str, content: bytes) -> None:
    """Somebody has written a file, long ago, by whatever name."""
    exchange.site.landing.store.put_new(key, content)
    exchange.now = max(exchange.now, datetime.now(UTC)) + timedelta(minutes=5)


# What comes out


def test_a_delivery_is_released_to_each_recipient_as_its_agreement_says(whole: Exchange) -> None:
    exchange = whole
    exchange.drop("pnr-push", pnr(), "push.edi")
    (received,), released = exchange.run()
    assert received.accepted_rows == 60
    assert {one.recipient for one in released} == {"eu-piu", "police-liaison", "border-screening"}
    for one in released:
        (published,) = exchange.published(one.release.partition(".")[0])
        agreement = exchange.site.catalogue().agreement(one.release.partition(".")[0])
        columns = {name for part in exchange.opened(published) for name in part.columns} - {"release_row"}
        assert columns == (set(agreement.released) if one.rows else set())
        rows = published.predicate["rows"]
        assert rows["received"] == rows["accepted"] + rows["rejected"] == 60
        assert rows["accepted"] == rows["released"] + rows["out_of_scope"] + rows["withheld"] + rows["suppressed"]


def test_two_recipients_pseudonyms_of_one_person_never_match(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    exchange.run()
    seen = []
    for agreement in ("pnr-eu-piu", "pnr-police-liaison"):
        (published,) = exchange.published(agreement)
        columns = [part["frequent_flyer"] for part in exchange.opened(published) if "frequent_flyer" in part.columns]
        seen.append({line for column in columns for cell in column.drop_nulls() for line in cell.split("\n")})
    assert all(seen)
    assert seen[0].isdisjoint(seen[1])


def test_columns_with_a_clock_of_their_own_are_in_parts_of_their_own(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    exchange.run()
    (published,) = exchange.published("pnr-eu-piu")
    clocks = {part["after"]: (set(part["columns"]), part["until"]) for part in published.predicate["parts"]}
    assert set(clocks) == {"P6M", "P5Y"}
    assert "surname" in clocks["P6M"][0]
    assert "surname" not in clocks["P5Y"][0]
    assert clocks["P6M"][1] == after(exchange.now, "P6M").isoformat()
    kept, masked_later = exchange.opened(published)
    assert kept["release_row"].to_list() == masked_later["release_row"].to_list()


def test_a_small_cell_is_not_published_and_the_rows_still_add_up(exchange: Exchange) -> None:
    exchange.drop("aeo-members", aeo(500), "list.csv")
    exchange.run()
    (published,) = exchange.published("aeo-statistics")
    (table,) = exchange.opened(published)
    assert table["members"].cast(pl.Int64).min() >= 11  # type: ignore[operator]
    rows = published.predicate["rows"]
    assert rows["suppressed"] >= 11
    assert rows["released"] == table["members"].cast(pl.Int64).sum() == rows["accepted"] - rows["suppressed"]


def test_a_row_with_one_bad_cell_is_in_quarantine_and_the_others_are_released(exchange: Exchange) -> None:
    exchange.drop("aeo-members", aeo_members.VARIANTS["one-bad-cell"](), "list.csv")
    (received,), _ = exchange.run()
    assert received.rejected_rows == 1
    (report,) = exchange.site.quarantine.reports()
    (finding,) = report["findings"]
    assert finding["count"] == 1
    assert finding["column"]
    (answer,) = acknowledgements(exchange, "example-customs")
    assert answer["outcome"] == "accepted"
    assert answer["rejected"] == 1
    assert answer["findings"] == report["findings"]


# Again


def test_running_everything_again_finds_what_is_done_and_makes_nothing_new(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    (received,), released = exchange.run()
    before = sorted(listed.key for listed in exchange.site.publication.store.listing())
    entries = [entry.id for entry in exchange.site.ledger.entries()]
    again = journey.receive(exchange.site, received.lot)
    assert again.kept == received.kept
    for one in released:
        repeat = journey.release(exchange.site, one.release.partition(".")[0], received.kept[0])
        assert repeat == replace(one, already=True)
    assert sorted(listed.key for listed in exchange.site.publication.store.listing()) == before
    assert [entry.id for entry in exchange.site.ledger.entries()] == entries


def test_two_runs_of_one_lot_at_once_keep_and_release_it_once(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    (lot,) = journey.sweep(exchange.site).lots
    with ThreadPoolExecutor(4) as threads:
        received = list(threads.map(lambda _: journey.receive(exchange.site, lot.id), range(4)))
        released = list(threads.map(lambda _: journey.release(exchange.site, "pnr-eu-piu", lot.id), range(4)))
    assert len({one.kept for one in received}) == 1
    assert len({one.release for one in released}) == 1
    assert len(exchange.published("pnr-eu-piu")) == 1
    named = {chunk.digest for one in exchange.site.vault.kept(lot.id).deliveries for chunk in one.chunks}
    stored = [listed.key for listed in exchange.site.vault.store.listing("vault")]
    assert len(stored) == len(named)
    exchange.site.ledger.verify()


def test_a_run_that_comes_too_late_finds_what_another_run_has_kept(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    (lot,) = journey.sweep(exchange.site).lots
    late = exchange.site

    def overtaken(_delivery: Delivery) -> Iterator[bytes]:
        journey.receive(exchange.site, lot.id)
        yield from exchange.site.landing.bytes_of(_delivery)

    landing = Overtaken(late.landing.store, late.landing.private, overtaken)
    received = journey.receive(replace(late, landing=landing), lot.id)
    assert received.kept == (lot.id,)
    assert received.refused == ()


@dataclass(frozen=True)
class Overtaken(Landing):
    """A landing whose reader is slow: before it reads, something else happens."""

    read: Callable[[Delivery], Iterator[bytes]]

    def bytes_of(self, delivery: Delivery) -> Iterator[bytes]:
        return self.read(delivery)


def test_the_same_bytes_twice_are_one_delivery(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    exchange.run()
    exchange.drop("pnr-push", pnr(), "the-same-again.edi")
    assert exchange.run() == ([], [])
    assert list(exchange.site.landing.waiting()) == []
    assert [entry.kind for entry in exchange.site.ledger.entries()].count(Kind.REPEATED) == 1
    assert len(exchange.published("pnr-eu-piu")) == 1


def test_a_new_file_under_an_old_name_is_a_delivery_of_its_own(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(seed=1), "push.edi")
    (received,), _ = exchange.run()
    exchange.drop("pnr-push", pnr(seed=2), "push.edi")
    journey.receive(exchange.site, received.lot)  # a zombie of the first: it must not throw the new file away
    exchange.run()
    assert len(exchange.published("pnr-eu-piu")) == 2


def test_a_backlog_is_taken_in_lots_and_loses_and_doubles_nothing(exchange: Exchange) -> None:
    for number in range(27):
        exchange.drop("pnr-push", pnr(2, seed=number), f"push-{number}.edi")
    received, _ = exchange.run()
    assert len(received) == 2
    assert sum(one.accepted_rows for one in received) == 54
    published = exchange.published("pnr-eu-piu")
    deliveries = [one["delivery"] for release in published for one in release.predicate["made_of"]["deliveries"]]
    assert len(deliveries) == len(set(deliveries)) == 27


def test_each_full_list_is_a_release_of_its_own(exchange: Exchange) -> None:
    exchange.drop("aeo-members", aeo(300, seed=1), "monday.csv")
    exchange.drop("aeo-members", aeo(300, seed=1), "tuesday.csv")
    exchange.run()
    published = exchange.published("aeo-statistics")
    assert [one.predicate["rows"]["received"] for one in published] == [300, 300]


def test_a_refused_delivery_is_accepted_on_a_rerun_after_our_correction(exchange: Exchange) -> None:
    exchange.edit("feeds/aeo-members.toml", "max_rejected_share = 0.05", "max_rejected_share = 0.0")
    exchange.drop("aeo-members", aeo_members.VARIANTS["one-bad-cell"](), "list.csv")
    (received,), released = exchange.run()
    assert [one.code for one in received.refused] == [Code.TOO_MANY_REJECTED.value]
    assert released == []
    assert list(exchange.site.landing.waiting()) == []
    exchange.edit("feeds/aeo-members.toml", "max_rejected_share = 0.0", "max_rejected_share = 0.05")
    again = journey.receive(exchange.site, received.lot)
    assert again.refused == ()
    assert len(again.kept) == 1
    assert not journey.release(exchange.site, "aeo-mutual-recognition", again.kept[0]).already
    assert [entry.kind for entry in exchange.site.ledger.entries()][:2] == [Kind.REFUSED, Kind.ACCEPTED]


def test_what_is_accepted_later_of_a_lot_is_released_by_itself(exchange: Exchange) -> None:
    exchange.edit("feeds/pnr-push.toml", "max_rejected_share = 0.10", "max_rejected_share = 0.0")
    exchange.drop("pnr-push", pnr(40, seed=1), "good.edi")
    exchange.drop("pnr-push", pnr(40, seed=2, bad_share=0.05), "bad.edi")
    (received,), _ = exchange.run()
    assert len(received.kept) == len(received.refused) == 1
    exchange.edit("feeds/pnr-push.toml", "max_rejected_share = 0.0", "max_rejected_share = 0.10")
    again = journey.receive(exchange.site, received.lot)
    assert again.kept[0] == received.kept[0]
    assert len(again.kept) == 2
    for kept in again.kept:
        journey.release(exchange.site, "pnr-eu-piu", kept)
    published = exchange.published("pnr-eu-piu")
    assert sorted(len(one.predicate["made_of"]["deliveries"]) for one in published) == [1, 1]
    assert len({one.predicate["made_of"]["deliveries"][0]["delivery"] for one in published}) == 2


# Bad input: its code, its message, no value in it, nothing lost

WHOLE_DELIVERIES: list[tuple[str, str, Callable[[], bytes], Code]] = [
    ("pnr-push", "empty", pnr_push.VARIANTS["empty"], Code.DELIVERY_EMPTY),
    ("pnr-push", "truncated", pnr_push.VARIANTS["truncated"], Code.MESSAGE_TRUNCATED),
    ("pnr-push", "wrong-encoding", pnr_push.VARIANTS["wrong-encoding"], Code.ENCODING_INVALID),
    ("pnr-push", "not-pnrgov", pnr_push.VARIANTS["not-pnrgov"], Code.MESSAGE_UNKNOWN),
    ("pnr-push", "mostly-bad", pnr_push.VARIANTS["mostly-bad"], Code.TOO_MANY_REJECTED),
    ("aeo-members", "empty", aeo_members.VARIANTS["empty"], Code.DELIVERY_EMPTY),
    ("aeo-members", "wrong-encoding", aeo_members.VARIANTS["wrong-encoding"], Code.ENCODING_INVALID),
    ("aeo-members", "wrong-columns", aeo_members.VARIANTS["wrong-columns"], Code.COLUMNS_DIFFER),
    ("aeo-members", "missing-column", aeo_members.VARIANTS["missing-column"], Code.COLUMNS_DIFFER),
    ("aeo-members", "doubled-column", aeo_members.VARIANTS["doubled-column"], Code.COLUMNS_DIFFER),
    ("aeo-members", "unterminated-quote", aeo_members.VARIANTS["unterminated-quote"], Code.RECORD_MALFORMED),
    ("aeo-members", "mostly-bad", aeo_members.VARIANTS["mostly-bad"], Code.TOO_MANY_REJECTED),
]


@pytest.mark.parametrize(
    ("feed", "name", "content", "code"), WHOLE_DELIVERIES, ids=[f"{feed} {name}" for feed, name, *_ in WHOLE_DELIVERIES]
)
def test_a_bad_delivery_is_refused_as_a_whole_and_kept_in_quarantine(
    exchange: Exchange, feed: str, name: str, content: Callable[[], bytes], code: Code
) -> None:
    written = content()
    exchange.drop(feed, written, f"{name}.bad")
    (landed,) = [listed.key for listed in exchange.site.landing.store.listing(feed) if not listed.key.endswith(".sig")]
    original = exchange.site.landing.store.find(landed)
    (received,), released = exchange.run()
    (refusal,) = received.refused
    assert refusal.code == code.value
    assert released == []
    assert received.kept == ()
    assert b"".join(exchange.site.quarantine.raw(delivery_of(refusal, feed))) == original
    stored = [listed.key for listed in exchange.site.vault.store.listing()]
    assert not any(key.startswith("vault/") or "/rows-" in key for key in stored)
    assert not exchange.site.landing.store.exists(landed)
    (report,) = exchange.site.quarantine.reports(refusal.delivery)
    assert report["code"] == code.value
    assert report["next_step"]
    assert [entry.kind for entry in exchange.site.ledger.entries()] == [Kind.REFUSED]
    (answer,) = acknowledgements(exchange, exchange.site.catalogue().feed(feed).partner)
    assert answer["outcome"] == "refused"
    assert answer["code"] == code.value
    for value in values_of(written):
        assert value not in exchange.everything_in_clear()


def values_of(content: bytes) -> set[bytes]:
    """Long words of a delivery that are no vocabulary of ours: what must not be found anywhere in clear."""
    words = {
        word
        for word in content.replace(b",", b"\n").replace(b"+", b"\n").replace(b"/", b"\n").split(b"\n")
        if len(word) > 9
    }
    vocabulary = b" ".join(path.read_bytes() for path in Path("schemas").glob("*.py"))
    return {word for word in list(words)[:2000] if word not in vocabulary and not word.startswith(b"aeo-members")}


def test_a_file_over_the_limit_is_refused(exchange: Exchange) -> None:
    exchange.edit("feeds/pnr-push.toml", "max_bytes = 1_073_741_824", "max_bytes = 1000")
    exchange.drop("pnr-push", pnr(), "push.edi")
    (received,), _ = exchange.run()
    assert [one.code for one in received.refused] == [Code.DELIVERY_TOO_LARGE.value]
    assert exchange.site.quarantine.has_raw(delivery_of(received.refused[0], "pnr-push"))


def test_a_file_for_an_unknown_feed_is_refused_by_the_sweep(exchange: Exchange) -> None:
    exchange.drop("no-such-feed", b"whatever\n", "file.txt")
    swept = journey.sweep(exchange.site)
    assert swept.lots == ()
    assert [one.code for one in swept.refused] == [Code.UNKNOWN_FEED.value]
    assert b"".join(exchange.site.quarantine.raw(delivery_of(swept.refused[0], "no-such-feed"))) == b"whatever\n"
    assert journey.sweep(exchange.site).refused == ()


def test_a_delivery_waits_while_its_feeds_own_file_is_broken(exchange: Exchange) -> None:
    exchange.edit("feeds/pnr-push.toml", 'kind = "pnrgov"', 'kind = "telex"')
    exchange.drop("pnr-push", pnr(), "push.edi")
    assert journey.sweep(exchange.site) == journey.Swept((), ())
    exchange.edit("feeds/pnr-push.toml", 'kind = "telex"', 'kind = "pnrgov"')
    (received,), _ = exchange.run()
    assert received.accepted_rows == 60


def test_a_delivery_without_its_signature_is_refused(exchange: Exchange) -> None:
    exchange.drop("aeo-members", aeo(), "list.csv", signed=False)
    (received,), _ = exchange.run()
    assert [one.code for one in received.refused] == [Code.SIGNATURE_MISSING.value]


def test_a_delivery_that_was_altered_after_signing_is_refused(exchange: Exchange) -> None:
    exchange.drop("aeo-members", aeo(), "list.csv")
    path = exchange.directory / "site/stores/landing/aeo-members/list.csv"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    exchange.now += timedelta(hours=1)
    (received,), _ = exchange.run()
    assert [one.code for one in received.refused] == [Code.SIGNATURE_INVALID.value]


def test_a_delivery_that_changes_between_claim_and_reading_is_not_used(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(seed=1), "push.edi")
    (lot,) = journey.sweep(exchange.site).lots
    (exchange.directory / "site/stores/landing/pnr-push/push.edi").write_bytes(pnr(seed=2))
    received = journey.receive(exchange.site, lot.id)
    assert [one.code for one in received.refused] == [Code.DELIVERY_CHANGED.value]
    exchange.now += timedelta(hours=1)
    (later,), _ = exchange.run()
    assert later.accepted_rows == 60


def refused_release(exchange: Exchange, kind: type[SafeconductError], code: Code) -> None:
    """Releasing what is dropped is refused with `code`, and nothing is on shared storage; corrected, it is released."""
    exchange.drop("pnr-push", pnr(), "push.edi")
    (received,) = exchange.receive()
    with pytest.raises(kind) as refusal:
        journey.release(exchange.site, "pnr-eu-piu", received.kept[0])
    assert refusal.value.code is code
    assert refusal.value.next_step
    assert exchange.published("pnr-eu-piu") == []
    assert not any("/parts/" in listed.key for listed in exchange.site.publication.store.listing())


def test_an_agreement_that_names_an_unknown_column_releases_nothing(exchange: Exchange) -> None:
    exchange.edit("agreements/pnr-eu-piu.toml", "[columns.fares]", "[columns.shoe_size]")
    refused_release(exchange, Misconfigured, Code.AGREEMENT_UNSOUND)


def test_an_expired_agreement_releases_nothing(exchange: Exchange) -> None:
    exchange.edit("agreements/pnr-eu-piu.toml", "until = 2030-01-01T00:00:00Z", "until = 2026-01-01T00:00:00Z")
    refused_release(exchange, Refused, Code.AGREEMENT_EXPIRED)


def test_a_suspended_agreement_releases_nothing_and_releases_once_it_is_active_again(exchange: Exchange) -> None:
    exchange.edit("agreements/pnr-eu-piu.toml", 'to = "active"', 'to = "suspended"')
    refused_release(exchange, Refused, Code.AGREEMENT_NOT_ACTIVE)
    exchange.edit("agreements/pnr-eu-piu.toml", 'to = "suspended"', 'to = "active"')
    (lot,) = exchange.site.landing.lots("pnr-push")
    (kept,) = exchange.site.vault.of_lot(lot.id)
    assert not journey.release(exchange.site, "pnr-eu-piu", kept.key).already


def test_a_partner_without_a_key_gets_nothing_until_it_has_one(exchange: Exchange) -> None:
    keys = exchange.site.keyring.recipients_path("eu-piu")
    text = keys.read_text(encoding="utf-8")
    keys.unlink()
    refused_release(exchange, Misconfigured, Code.PARTNER_KEY_MISSING)
    keys.write_text(text, encoding="utf-8")
    (lot,) = exchange.site.landing.lots("pnr-push")
    (kept,) = exchange.site.vault.of_lot(lot.id)
    assert not journey.release(exchange.site, "pnr-eu-piu", kept.key).already


@pytest.mark.parametrize("looks", [0, 1, 2], ids=["before redaction", "before the parts", "before the manifest"])
def test_an_agreement_that_is_revoked_while_its_release_is_made_releases_nothing(
    exchange: Exchange, looks: int
) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    (received,) = exchange.receive()
    opened = count()

    class Revoking(Site):
        def catalogue(self) -> Catalogue:
            if next(opened) == looks:
                exchange.edit("agreements/pnr-eu-piu.toml", 'to = "active"', 'to = "terminated"')
            return super().catalogue()

    site = Revoking(**{name.name: getattr(exchange.site, name.name) for name in fields(Site)})
    with pytest.raises(Refused) as refusal:
        journey.release(site, "pnr-eu-piu", received.kept[0])
    assert refusal.value.code is Code.AGREEMENT_NOT_ACTIVE
    assert exchange.published("pnr-eu-piu") == []


def test_a_release_is_not_made_again_for_another_recipient(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    (received,), _ = exchange.run()
    exchange.edit("agreements/pnr-eu-piu.toml", 'recipient = "eu-piu"', 'recipient = "police-liaison"')
    with pytest.raises(Conflict) as conflict:
        journey.release(exchange.site, "pnr-eu-piu", received.kept[0])
    assert conflict.value.code is Code.OBJECT_MISSING
    assert [one.recipient for one in exchange.published("pnr-eu-piu")] == ["eu-piu"]


def test_storage_that_is_down_is_unavailable_and_a_rerun_completes_once(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(), "push.edi")
    (received,) = exchange.receive()
    shared = exchange.directory / "site/stores/shared"
    shared.rename(shared.with_name("gone"))
    with pytest.raises((Unavailable, Misconfigured)):
        journey.release(exchange.site, "pnr-eu-piu", received.kept[0])
    shared.with_name("gone").rename(shared)
    assert not journey.release(exchange.site, "pnr-eu-piu", received.kept[0]).already
    assert len(exchange.published("pnr-eu-piu")) == 1


# Odd things in landing


def test_an_odd_file_holds_up_no_other_delivery(exchange: Exchange) -> None:
    folder = exchange.directory / "site/stores/landing/aeo-members"
    folder.mkdir()
    (folder / ("a" * 253)).write_bytes(b"x")
    (folder / "x.csv").write_bytes(b"x")
    (folder / "x.csv.sig").symlink_to("nowhere")
    with (folder / "y.csv.sig").open("wb") as huge:
        huge.truncate(20 * 1024**3)
    (folder / "y.csv").write_bytes(b"y")
    exchange.drop("pnr-push", pnr(), "push.edi")
    received, _ = exchange.run()
    assert sum(one.accepted_rows for one in received) == 60
    refused = {refusal.code for one in received for refusal in one.refused}
    assert refused == {Code.SIGNATURE_MISSING.value, Code.SIGNATURE_INVALID.value}


def test_a_file_that_storage_does_not_give_holds_up_no_other(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(seed=1), "good.edi")
    exchange.drop("pnr-push", pnr(seed=2), "kept-back.edi")
    landing = Withholding(exchange.site.landing.store, exchange.site.landing.private)
    swept = journey.sweep(replace(exchange.site, landing=landing))
    assert [len(lot.deliveries) for lot in swept.lots] == [1]
    (odd,) = swept.odd
    assert odd.startswith("pnr-push/kept-back.edi: [storage-unavailable]")


@dataclass(frozen=True)
class Withholding(Landing):
    """A landing that does not give one of its files."""

    def take(self, listed: Listed, **asked: Any) -> Landed | None:
        if "kept-back" in listed.key:
            raise Unavailable(Code.STORAGE_UNAVAILABLE, "no answer.", next_step="rerun.")
        return super().take(listed, **asked)


def test_a_name_that_ends_like_a_signature_is_a_delivery_where_none_is_asked_for(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(seed=1), "a")
    (first,) = journey.sweep(exchange.site).lots
    exchange.drop("pnr-push", pnr(seed=2), "a.sig")
    journey.receive(exchange.site, first.id)  # discards `a`, and must leave `a.sig`
    (second,), _ = exchange.run()
    assert second.accepted_rows == 60


def test_a_delivery_whose_signature_comes_late_is_accepted_when_it_is_sent_again(exchange: Exchange) -> None:
    exchange.drop("aeo-members", aeo(), "list.csv")
    store = exchange.site.landing.store
    sealed, signature = store.find("aeo-members/list.csv"), store.find("aeo-members/list.csv.sig")
    assert sealed
    assert signature
    store.destroy("aeo-members/list.csv.sig")
    (first,), _ = exchange.run()
    assert [one.code for one in first.refused] == [Code.SIGNATURE_MISSING.value]
    land(exchange, "aeo-members/again.csv.sig", signature)
    land(exchange, "aeo-members/again.csv", sealed)
    (second,), _ = exchange.run()
    assert second.accepted_rows == 300


def test_a_file_that_goes_away_after_its_claim_holds_up_no_other_and_may_come_again(exchange: Exchange) -> None:
    exchange.drop("pnr-push", pnr(seed=1), "a.edi")
    exchange.drop("pnr-push", pnr(seed=2), "b.edi")
    (lot,) = journey.sweep(exchange.site).lots
    exchange.site.landing.store.destroy("pnr-push/b.edi")
    received = journey.receive(exchange.site, lot.id)
    assert received.accepted_rows == 60
    assert [one.code for one in received.refused] == [Code.DELIVERY_CHANGED.value]
    land(exchange, "pnr-push/renamed.edi", pnr(seed=2))
    (again,), _ = exchange.run()
    assert again.accepted_rows == 120
    assert len(again.kept) == 2


def test_the_same_bytes_in_two_feeds_are_two_deliveries(exchange: Exchange) -> None:
    land(exchange, "aeo-members/good.edi", pnr())
    (refused,), _ = exchange.run()
    exchange.drop("pnr-push", pnr(), "good.edi")
    (accepted,), _ = exchange.run()
    assert accepted.accepted_rows == 60
    held = delivery_of(refused.refused[0], "aeo-members")
    assert b"".join(exchange.site.quarantine.raw(held)) == pnr()


# Lateness


def test_a_scheduled_feed_that_did_not_arrive_says_so_and_is_content_once_it_has(exchange: Exchange) -> None:
    with pytest.raises(Misconfigured) as late:
        journey.due(exchange.site, "aeo-members", exchange.now)
    assert late.value.code is Code.NOTHING_ARRIVED
    deadline = exchange.now
    exchange.drop("aeo-members", aeo(), "list.csv")
    exchange.run()
    journey.due(exchange.site, "aeo-members", exchange.now + timedelta(hours=1))
    journey.due(exchange.site, "aeo-members", deadline)  # too late, but there: the red run can be cleared
    with pytest.raises(Misconfigured):
        journey.due(exchange.site, "aeo-members", deadline - timedelta(hours=30))
    with pytest.raises(Misconfigured):
        journey.due(exchange.site, "aeo-members", exchange.now + timedelta(hours=30))


# The same on s3://


@pytest.mark.server
def test_the_whole_journey_is_the_same_on_a_real_s3_server(
    tmp_path: Path, s3_url: str, s3_settings: S3Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_settings.access_key_id or "")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_settings.secret_access_key or "")
    s3 = S3(endpoint_url=s3_settings.endpoint_url, region=s3_settings.region)
    exchange = Exchange(tmp_path, storage=f"{s3_url}/journey-{tmp_path.name}", s3=s3, feeds=FEW)
    exchange.drop("pnr-push", pnr(bad_share=0.03), "push.edi")
    exchange.drop("aeo-members", aeo(), "list.csv")
    exchange.drop("pnr-push", pnr_push.VARIANTS["truncated"](), "truncated.edi")
    received, released = exchange.run()
    assert sum(len(one.refused) for one in received) == 1
    assert {one.recipient for one in released} == {
        "border-screening",
        "eu-customs",
        "eu-piu",
        "police-liaison",
        "trade-statistics",
    }
    assert all(
        exchange.opened(published) or not one.rows
        for one in released
        for published in exchange.published(one.release.partition(".")[0])
    )
    assert exchange.run() == ([], [])
    again = [
        journey.release(exchange.site, one.release.partition(".")[0], kept)
        for one in released
        for kept in received_for(exchange, one)
    ]
    assert all(one.already for one in again)
    exchange.site.ledger.verify()


def received_for(exchange: Exchange, released: journey.Released) -> list[str]:
    """The kept keys that a release was made of."""
    return [
        one.predicate["made_of"]["kept"]
        for one in exchange.published(released.release.partition(".")[0])
        if one.release == released.release
    ]

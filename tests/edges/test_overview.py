"""What the overview says of each delivery, in every state that the journey can leave it in."""

import io
import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.errors import Code, Refused
from pipeline.edges.ledger import Kind
from pipeline.edges.overview import Outcome, Overview, Standing, overview, release_names, trace
from samples import aeo_members
from tests.exchange import FEW, Exchange


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path, feeds=FEW)


def members(operators: int = 200, *, seed: int = 1, bad_share: float = 0.0) -> bytes:
    out = io.BytesIO()
    aeo_members.write(out, operators=operators, seed=seed, bad_share=bad_share)
    return out.getvalue()


def standings(seen: Overview) -> dict[str, Standing]:
    (one,) = seen.deliveries
    return {release.agreement: release.standing for release in one.releases}


def test_a_site_without_deliveries_has_an_empty_overview(exchange: Exchange) -> None:
    assert overview(exchange.site).deliveries == ()


def test_a_file_that_nobody_has_claimed_is_waiting_and_has_no_id(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    (one,) = overview(exchange.site).deliveries
    assert (one.outcome, one.delivery, one.lot) == (Outcome.WAITING, None, None)
    assert one.landed_as == "aeo-members/list.csv"
    assert not one.settled


def test_a_claimed_delivery_is_waiting_once_and_under_its_id(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    (lot,) = journey.sweep(exchange.site).lots
    (one,) = overview(exchange.site).deliveries
    assert (one.outcome, one.delivery, one.lot) == (Outcome.WAITING, lot.deliveries[0].id, lot.id)


def test_an_accepted_delivery_has_its_counts_and_pending_releases(exchange: Exchange) -> None:
    exchange.drop("aeo-members", aeo_members.VARIANTS["one-bad-cell"](), "list.csv")
    exchange.receive()
    seen = overview(exchange.site)
    (one,) = seen.deliveries
    assert one.outcome is Outcome.ACCEPTED
    assert one.rejected == 1
    assert one.received == (one.accepted or 0) + 1
    assert set(standings(seen).values()) == {Standing.PENDING}
    assert not one.settled


def test_a_released_delivery_names_each_release_and_its_rows(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    _, released = exchange.run()
    (one,) = overview(exchange.site).deliveries
    assert {(release.release, release.rows) for release in one.releases} == {
        (release.release, release.rows) for release in released
    }
    assert {release.standing for release in one.releases} == {Standing.RELEASED}
    assert one.settled
    assert {name for _, name in release_names(exchange.site)} == {release.release for release in released}


def test_a_refused_delivery_says_why_and_what_to_do(exchange: Exchange) -> None:
    exchange.drop("aeo-members", aeo_members.VARIANTS["missing-column"](), "list.csv")
    exchange.run()
    (one,) = overview(exchange.site).deliveries
    assert one.outcome is Outcome.REFUSED
    assert one.code == Code.COLUMNS_DIFFER.value
    assert one.message
    assert one.next_step
    assert one.settled


def test_a_delivery_refused_twice_says_why_it_was_refused_the_last_time(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(bad_share=0.2), "list.csv")
    exchange.edit("feeds/aeo-members.toml", "max_bytes = 2_147_483_648", "max_bytes = 10")
    exchange.run()
    assert overview(exchange.site).deliveries[0].code == Code.DELIVERY_TOO_LARGE.value
    exchange.edit("feeds/aeo-members.toml", "max_bytes = 10", "max_bytes = 2_147_483_648")
    for lot in exchange.site.landing.lots():
        journey.receive(exchange.site, lot.id)
    assert overview(exchange.site).deliveries[0].code == Code.TOO_MANY_REJECTED.value


def test_a_delivery_that_was_refused_and_then_accepted_is_accepted(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(bad_share=0.2), "list.csv")
    exchange.run()
    exchange.edit("feeds/aeo-members.toml", "max_rejected_share = 0.05", "max_rejected_share = 0.9")
    for lot in exchange.site.landing.lots():
        journey.receive(exchange.site, lot.id)
    (one,) = overview(exchange.site).deliveries
    assert one.outcome is Outcome.ACCEPTED
    assert one.code is None


def test_a_delivery_that_landed_where_no_feed_is_is_refused_without_a_lot(exchange: Exchange) -> None:
    exchange.drop("nobody", b"anything", "list.csv")
    exchange.run()
    (one,) = overview(exchange.site).deliveries
    assert (one.outcome, one.code, one.lot) == (Outcome.REFUSED, Code.UNKNOWN_FEED.value, None)


def test_a_release_that_the_agreement_forbids_now_is_refused_with_its_code(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    exchange.receive()
    exchange.edit("agreements/aeo-statistics.toml", 'to = "active"', 'to = "suspended"')
    seen = overview(exchange.site)
    assert standings(seen)["aeo-statistics"] is Standing.REFUSED
    assert standings(seen)["aeo-mutual-recognition"] is Standing.PENDING
    codes = {release.agreement: release.code for release in seen.deliveries[0].releases}
    assert codes["aeo-statistics"] == Code.AGREEMENT_NOT_ACTIVE.value


def test_a_release_whose_recipient_has_no_key_is_pending_and_says_so(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    exchange.receive()
    exchange.site.keyring.recipients_path("trade-statistics").unlink()
    codes = {release.agreement: release.code for release in overview(exchange.site).deliveries[0].releases}
    assert codes == {"aeo-statistics": Code.PARTNER_KEY_MISSING.value, "aeo-mutual-recognition": None}
    assert standings(overview(exchange.site))["aeo-statistics"] is Standing.PENDING


def test_a_release_that_a_gate_refused_is_refused_until_the_agreement_changes(exchange: Exchange) -> None:
    exchange.drop("aeo-members", leaking(), "list.csv")
    (received,) = exchange.receive()
    with pytest.raises(Refused) as refusal:
        journey.release(exchange.site, "aeo-mutual-recognition", received.kept[0])
    assert standings(overview(exchange.site))["aeo-mutual-recognition"] is Standing.REFUSED
    codes = {release.agreement: release.code for release in overview(exchange.site).deliveries[0].releases}
    assert codes["aeo-mutual-recognition"] == refusal.value.code.value
    (entry,) = [entry for entry in exchange.site.ledger.entries() if entry.kind is Kind.REFUSED]
    assert entry.facts["code"] == refusal.value.code.value
    exchange.edit("agreements/aeo-mutual-recognition.toml", 'title = "', 'title = "Corrected: ')
    assert standings(overview(exchange.site))["aeo-mutual-recognition"] is Standing.PENDING


def test_a_release_whose_manifest_was_changed_is_refused_and_hides_no_other(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    exchange.run()
    (manifest,) = (exchange.directory / "site/stores/shared/eu-customs/releases").glob("*/manifest.json")
    envelope = json.loads(manifest.read_bytes())
    envelope["signatures"][0]["sig"] = "AAAA"
    manifest.write_text(json.dumps(envelope))
    seen = standings(overview(exchange.site))
    assert seen == {"aeo-mutual-recognition": Standing.REFUSED, "aeo-statistics": Standing.RELEASED}


def test_the_newest_deliveries_come_first_and_no_more_than_asked_for(exchange: Exchange) -> None:
    for seed in (1, 2, 3):
        exchange.drop("aeo-members", members(seed=seed), f"list-{seed}.csv")
        exchange.receive()
        exchange.now += timedelta(minutes=1)
    names = [one.landed_as.rpartition("/")[2] for one in overview(exchange.site, limit=2).deliveries]
    assert names == ["list-3.csv", "list-2.csv"]


def test_one_feed_can_be_looked_at_alone(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    exchange.drop("pnr-push", b"UNA", "push.edi")
    assert {one.feed for one in overview(exchange.site, feed="pnr-push").deliveries} == {"pnr-push"}
    assert overview(exchange.site, feed="pnr-push").late == ()


def test_a_delivery_is_found_by_the_beginning_of_its_id(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    exchange.receive()
    (one,) = overview(exchange.site).deliveries
    assert trace(exchange.site, str(one.delivery)[:8]) == (one,)
    assert trace(exchange.site, "not-a-digest") == ()


def test_a_feed_with_a_timetable_is_late_before_its_first_and_long_after_its_last_delivery(exchange: Exchange) -> None:
    (late,) = overview(exchange.site).late
    assert (late.feed, late.last_accepted_at) == ("aeo-members", None)
    exchange.drop("aeo-members", members(), "list.csv")
    exchange.receive()
    assert overview(exchange.site).late == ()
    accepted_at = exchange.now
    exchange.now = accepted_at + timedelta(hours=27)
    assert overview(exchange.site).late == ()
    exchange.now = accepted_at + timedelta(hours=27, seconds=1)
    (late,) = overview(exchange.site).late
    assert late.last_accepted_at == accepted_at


def test_a_broken_catalogue_file_is_named_and_hides_nothing_else(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(), "list.csv")
    exchange.receive()
    (exchange.directory / "catalogue/agreements/aeo-statistics.toml").write_text("not toml")
    seen = overview(exchange.site)
    assert [broken.path.name for broken in seen.broken] == ["aeo-statistics.toml"]
    assert set(standings(seen)) == {"aeo-mutual-recognition"}


def test_looking_changes_nothing(exchange: Exchange) -> None:
    exchange.drop("aeo-members", members(bad_share=0.02), "list.csv")
    exchange.run()
    stores = exchange.directory / "site/stores"
    before = {path: path.read_bytes() for path in stores.rglob("*") if path.is_file()}
    overview(exchange.site)
    assert {path: path.read_bytes() for path in stores.rglob("*") if path.is_file()} == before


def leaking() -> bytes:
    """A list in which a column that is released repeats the contact, who is not."""
    rows = pl.read_csv(io.BytesIO(members()), infer_schema=False)
    return rows.with_columns(city=pl.col("contact_name")).write_csv().encode()

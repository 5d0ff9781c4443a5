"""Air cargo over the real journey: nothing is loaded before its release, and nothing but status and identifiers goes abroad."""

from pathlib import Path

import pytest

from pipeline import journey
from pipeline.edges.catalogue import load
from samples.air_cargo import FILINGS, STATUSES
from schemas.acas_filing import NEVER_ABROAD
from tests.drawn import cells, golden, kept, released, told, took
from tests.exchange import ROOT, Exchange

GOLDEN = Path(__file__).parent / "golden" / "acas"
CATALOGUE = load(ROOT / "catalogue")
OF_THE_FEEDS = [one for feed in ("acas-filing", "acas-status") for one in CATALOGUE.agreements_of(feed)]
IDENTIFIERS = {
    *("filer", "flight_carrier", "flight_number", "departure_airport"),
    *("waybill_kind", "waybill", "master_waybill", "filed_at"),
}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("acas"), feeds=("acas-filing", "acas-status"))


@pytest.fixture(scope="module")
def keys(exchange: Exchange) -> dict[str, str]:
    """The kept rows of the golden delivery of each feed. What the statuses are of was filed before."""
    statuses = cells((GOLDEN / "acas-status.csv").read_bytes())
    names = ("filer", "waybill_kind", "waybill", "master_waybill")
    filed = zip(FILINGS.rows(len(statuses), seed=1), statuses, strict=True)
    filings = [filing | {name: status.get(name, "") for name in names} for filing, status in filed]
    kept(exchange, "acas-filing", FILINGS.written(filings), "filed-before")
    return {
        feed: kept(exchange, feed, (GOLDEN / f"{feed}.csv").read_bytes(), "golden")
        for feed in ("acas-filing", "acas-status")
    }


@pytest.mark.parametrize(
    ("feed", "agreement"),
    [
        ("acas-filing", "acas-filing-placi"),
        ("acas-status", "acas-status-placi"),
        ("acas-status", "acas-status-filer"),
    ],
)
def test_a_release_is_the_golden_one(exchange: Exchange, keys: dict[str, str], feed: str, agreement: str) -> None:
    published, part = released(exchange, agreement, keys[feed])
    assert told(part) == golden(GOLDEN / f"{agreement}.csv")
    rows = published.predicate["rows"]
    assert rows["accepted"] == rows["released"] + rows["out_of_scope"] + rows["withheld"]


def test_what_a_filing_says_of_devices_and_documents_is_a_part_of_its_own_that_goes_30_days_after_release(
    exchange: Exchange, keys: dict[str, str]
) -> None:
    made = journey.release(exchange.site, "acas-screening", keys["acas-filing"])
    (published,) = [one for one in exchange.published("acas-screening") if one.release == made.release]
    clocks = {
        frozenset(part.columns) - {"release_row"}: (said["clock"], said["after"])
        for part, said in zip(exchange.opened(published), published.predicate["parts"], strict=True)
    }
    assert clocks[frozenset(NEVER_ABROAD)] == ("event", "P30D")
    assert [columns & set(NEVER_ABROAD) for columns in clocks if columns != frozenset(NEVER_ABROAD)] == [frozenset()]


def test_no_foreign_partner_gets_more_than_status_and_identifiers() -> None:
    abroad = [one for one in OF_THE_FEEDS if CATALOGUE.partners[one.recipient].country != "USA"]
    assert {one.id for one in abroad} >= {"acas-filing-placi", "acas-status-placi", "acas-status-filer"}
    for agreement in abroad:
        assert set(agreement.released) & {*NEVER_ABROAD, "reason", "risk_score", "analyst"} == set()
        if agreement.recipient != "example-cargo":  # the filer gets the answers to what it has filed
            assert set(agreement.released) <= IDENTIFIERS | {"status", "told_at"}


def test_nothing_of_a_party_a_device_or_a_document_reaches_a_foreign_partner(exchange: Exchange) -> None:
    named = {
        name: f"SENTINEL{number}"
        for number, name in enumerate(
            ("shipper_name", "consignee_name", "cargo", "identity_name", "identity_document", "account_name")
        )
    }
    named |= {"ip_address": "203.0.113.77", "mac_address": "00:00:5E:00:53:7F", "identity_birth_date": "1911-11-11"}
    rows = [row | named | {"departure_country": "CA"} for row in FILINGS.rows(5, seed=3)]
    rows = [row | {"verified_known_consignor": "Y"} for row in rows]
    key = kept(exchange, "acas-filing", FILINGS.written(rows), "sentinels")
    published, part = released(exchange, "acas-filing-placi", key)
    assert part.height == 5
    assert [value for value in named.values() if value in part.write_csv() + str(published.predicate)] == []
    assert [value for value in named.values() if value.encode() in exchange.everything_in_clear()] == []


def test_what_was_loaded_before_its_release_is_rejected_and_told_to_nobody(exchange: Exchange) -> None:
    rows = [row for row in STATUSES.rows(200, seed=9) if row.get("loaded_at") and row["departure_country"] == "CA"][:20]
    kept(exchange, "acas-filing", FILINGS.written(FILINGS.rows(200, seed=9)), "filed-before-9")
    early = rows[3] | {"loaded_at": rows[3]["answered_at"]}
    received = took(exchange, "acas-status", STATUSES.written([*rows[:3], early, *rows[4:]]), "early")
    assert (received.accepted_rows, received.rejected_rows) == (19, 1)
    (key,) = received.kept
    _, part = released(exchange, "acas-status-placi", key)
    assert early["waybill"] not in part["waybill"].to_list()
    assert {row["waybill"] for row in [*rows[:3], *rows[4:]]} == set(part["waybill"])


def test_the_golden_statuses_have_every_state_that_asks_or_stops() -> None:
    assert {row["status"] for row in cells((GOLDEN / "acas-status.csv").read_bytes())} >= {
        *("ERR", "RFI", "RFS", "CB", "CD", "CO")
    }

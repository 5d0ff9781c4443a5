"""Program Global Shield: what is identified, who is only counted, what waits until the border is crossed, what the public is told."""

from collections.abc import Mapping
from datetime import timedelta

import polars as pl
import pytest

from samples import gshield
from samples.wire import written
from tests.exchange import Exchange, assert_only_bad_rows_are_rejected
from tests.golden_cases import delivery, expected, received, released

GOLDEN = {
    "gshield-pre-export": ("gshield-notices", "gshield-consignments"),
    "gshield-reply": ("gshield-replies",),
    "gshield-suspicious": ("gshield-suspicions",),
    "gshield-seizure": ("gshield-seizures", "gshield-statistics"),
}
TO_THE_GROUP = ("gshield-consignments", "gshield-suspicions", "gshield-seizures")
NAMED = ("Quintero", "Faldberg", "Moustari")
"""Every person of the golden deliveries."""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("global-shield"))


@pytest.fixture(scope="module")
def kept(exchange: Exchange) -> Mapping[str, str]:
    return {feed: received(exchange, feed, delivery("gshield", feed), "golden") for feed in GOLDEN}


@pytest.mark.parametrize(("feed", "agreement"), [(feed, one) for feed, some in GOLDEN.items() for one in some])
def test_a_delivery_comes_out_as_its_agreement_allows(
    exchange: Exchange, kept: Mapping[str, str], feed: str, agreement: str
) -> None:
    member = "eu-customs" if agreement in TO_THE_GROUP else None
    published, rows = released(exchange, agreement, kept[feed], member=member)
    assert rows.write_csv() == expected("gshield", agreement)
    assert not any(name in rows.write_csv() for name in NAMED)
    assert published.predicate["rows"]["released"] == (rows.height if agreement != "gshield-statistics" else 24)


def test_the_public_is_told_126_metric_tons_and_40_arrests(exchange: Exchange, kept: Mapping[str, str]) -> None:
    published, table = released(exchange, "gshield-statistics", kept["gshield-seizure"])
    assert published.recipient == "public"
    assert table["seized_kg"].cast(pl.Float64).sum() / 1000 == 126
    assert table["arrested_persons"].cast(pl.Int64).sum() == 40
    assert table["seizures"].cast(pl.Int64).to_list() == [12, 12]


def test_no_person_of_a_delivery_stands_anywhere_in_clear(exchange: Exchange, kept: Mapping[str, str]) -> None:
    assert len(kept) == 4
    content = b"".join(delivery("gshield", feed) for feed in GOLDEN)
    clear = exchange.everything_in_clear()
    assert all(name.encode() in content and name.encode() not in clear for name in NAMED)


def test_a_figure_with_few_seizures_behind_it_is_not_told_and_neither_is_its_weight(exchange: Exchange) -> None:
    rows = [gshield.seizure(number, **_of("310230", "6484-52-2", "1000"), arrests="1") for number in range(1, 31)]
    rows += [gshield.seizure(number, **_of("284700", "7722-84-1", "2000"), arrests="1") for number in range(31, 51)]
    rows += [gshield.seizure(number, **_of("291411", "67-64-1", "77777"), arrests="7") for number in range(51, 54)]
    kept = received(exchange, "gshield-seizure", written("gshield-seizure", rows), "few")
    published, table = released(exchange, "gshield-statistics", kept)
    assert dict(zip(table["hs6"], table["seized_kg"], strict=True)) == {"nitrates and urea": "30000"}
    assert published.predicate["rows"]["released"] == 30


def test_a_basket_without_cas_number_or_name_is_rejected_by_a_rule_of_its_own(exchange: Exchange) -> None:
    good = [gshield.notice(number) for number in range(100, 140)]
    unknown = gshield.notice(
        140, hs6="282919", cas=None, chemical_name="oxidiser", un_number=None, unit="KGM", quantity="1", quantity_kg="1"
    )
    exchange.drop("gshield-pre-export", written("gshield-pre-export", [*good, unknown]), "basket")
    (one,) = exchange.receive()
    assert (one.accepted_rows, one.rejected_rows, one.refused) == (40, 1, ())
    told = [
        path.read_text()
        for path in (exchange.directory / "site").rglob("*example-customs/acknowledgements/*.json")
        if "needs-identification" in path.read_text()
    ]
    assert len(told) == 1
    assert "oxidiser" not in told[0]


def test_the_group_learns_of_a_consignment_on_the_thirtieth_day_after_it_crossed(exchange: Exchange) -> None:
    today = exchange.now.date()
    days = {201: -400, 202: -31, 203: -29, 204: 0, 205: 20}
    rows = [
        gshield.notice(number, border_crossing_date=(today + timedelta(days=offset)).isoformat())
        for number, offset in days.items()
    ]
    kept = received(exchange, "gshield-pre-export", written("gshield-pre-export", rows), "crossings")
    published, told = released(exchange, "gshield-consignments", kept, member="eu-customs")
    assert told["notification_no"].to_list() == ["US-PEN-2026-000201", "US-PEN-2026-000202"]
    assert published.predicate["rows"]["withheld"] == 3
    assert not {"consignor_name", "consignee_name", "vehicle", "licence_no", "invoice_value"} & set(told.columns)


def test_every_member_of_the_group_opens_a_release_with_its_own_key(
    exchange: Exchange, kept: Mapping[str, str]
) -> None:
    for member in ("example-customs", "eu-customs", "shield-coordination"):
        published, rows = released(exchange, "gshield-seizures", kept["gshield-seizure"], member=member)
        assert (published.recipient, rows.height) == ("global-shield-group", 24)


def test_samples_are_accepted_but_for_their_bad_rows(exchange: Exchange) -> None:
    samples = (
        ("gshield-pre-export", gshield.write_pre_export, "notices"),
        ("gshield-reply", gshield.write_reply, "replies"),
        ("gshield-suspicious", gshield.write_suspicious, "reports"),
        ("gshield-seizure", gshield.write_seizure, "seizures"),
    )
    assert_only_bad_rows_are_rejected(exchange, samples)


def _of(hs6: str, cas: str, kilograms: str) -> dict[str, str | None]:
    number = {"un_number": None, "seized_on": "2026-03-01", "arrested": None}
    return {**number, "hs6": hs6, "cas": cas, "quantity": kilograms, "unit": "KGM", "quantity_kg": kilograms}

"""Rules across deliveries over the real journey: what goes back to nothing waits or is rejected, and what came counts for so long."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline import journey
from pipeline.core.errors import Code, Misconfigured, Unavailable
from pipeline.edges.catalogue import load
from samples import mar_flag_query, mar_flag_reply
from samples.air_cargo import FILINGS, STATUSES
from samples.drawn import as_json_lines
from tests.exchange import Exchange

LOADED = [number for number, row in enumerate(STATUSES.rows(60, seed=4)) if row.get("loaded_at")]


@pytest.fixture
def cargo(tmp_path: Path) -> Exchange:
    exchange = Exchange(tmp_path, feeds=("acas-filing", "acas-status"))
    exchange.edit("feeds/acas-status.toml", "max_rejected_share = 0.10", "max_rejected_share = 1.0")
    return exchange


@pytest.fixture
def sea(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path, feeds=("mar-flag-query", "mar-flag-reply"))


def filings(*numbers: int) -> bytes:
    return FILINGS.written([FILINGS.rows(60, seed=4)[number] for number in numbers])


def statuses(*numbers: int) -> bytes:
    return STATUSES.written([STATUSES.rows(60, seed=4)[number] for number in numbers])


def reply() -> bytes:
    return as_json_lines([mar_flag_reply.one()])


def query() -> bytes:
    return as_json_lines([mar_flag_query.one()])


def test_what_was_loaded_and_never_filed_is_rejected_and_the_rest_goes_on(cargo: Exchange) -> None:
    first, second, third = LOADED[:3]
    cargo.drop("acas-filing", filings(first, third), "filings.csv")
    cargo.receive()
    cargo.drop("acas-status", statuses(first, second, third), "statuses.csv")
    (received,) = cargo.receive()
    assert (received.accepted_rows, received.rejected_rows) == (2, 1)
    (kept,) = cargo.site.vault.of_lot(received.lot)
    (finding,) = kept.deliveries[0].findings
    assert (finding.rule, finding.positions) == ("no-load-before-filing", (2,))
    (report,) = cargo.site.quarantine.reports(kept.deliveries[0].delivery)
    assert report["rejected"] == 1


def test_what_is_not_loaded_yet_need_not_go_back_to_a_filing(cargo: Exchange) -> None:
    waiting = [number for number in range(60) if number not in LOADED][:3]
    cargo.drop("acas-status", statuses(*waiting), "statuses.csv")
    (received,) = cargo.receive()
    assert (received.accepted_rows, received.rejected_rows) == (3, 0)


def test_a_filing_that_was_rejected_itself_is_nothing_to_go_back_to(cargo: Exchange) -> None:
    row = FILINGS.rows(60, seed=4)[LOADED[0]]
    good = [FILINGS.rows(60, seed=4)[number] for number in LOADED[1:20]]
    cargo.drop("acas-filing", FILINGS.written([row | {"pieces": "0"}, *good]), "filings.csv")
    cargo.receive()
    cargo.drop("acas-status", statuses(*LOADED[:2]), "statuses.csv")
    (received,) = cargo.receive()
    assert (received.accepted_rows, received.rejected_rows) == (1, 1)


def test_both_at_once_are_taken_in_the_order_in_which_one_goes_back_to_the_other(sea: Exchange) -> None:
    sea.drop("mar-flag-reply", reply(), "a-reply.jsonl")
    sea.drop("mar-flag-query", query(), "query.jsonl")
    assert [lot.feed for lot in journey.sweep(sea.site).lots] == ["mar-flag-query", "mar-flag-reply"]


def test_while_what_it_may_go_back_to_is_being_received_a_delivery_waits_and_is_not_judged(sea: Exchange) -> None:
    sea.drop("mar-flag-reply", reply(), "a-reply.jsonl")
    sea.drop("mar-flag-query", query(), "query.jsonl")
    asked, replied = journey.sweep(sea.site).lots
    with pytest.raises(Unavailable) as waits:
        journey.receive(sea.site, replied.id)
    assert waits.value.code is Code.EARLIER_WAITING
    journey.receive(sea.site, asked.id)
    assert journey.receive(sea.site, replied.id).accepted_rows == 1


def test_what_nobody_judges_is_waited_for_a_quarter_of_an_hour_and_no_longer(sea: Exchange) -> None:
    sea.drop("mar-flag-reply", reply(), "a-reply.jsonl")
    sea.drop("mar-flag-query", query(), "query.jsonl")
    asked, replied = journey.sweep(sea.site).lots
    sea.now += timedelta(minutes=16)
    assert [one.code for one in journey.receive(sea.site, replied.id).refused] == ["earlier-missing"]
    journey.receive(sea.site, asked.id)
    assert journey.receive(sea.site, replied.id).accepted_rows == 1


def test_a_delivery_that_came_before_what_it_goes_back_to_is_refused_and_replayed_once_that_is_there(
    sea: Exchange,
) -> None:
    sea.drop("mar-flag-reply", reply(), "reply.jsonl")
    (refused,) = sea.receive()
    assert [one.code for one in refused.refused] == ["earlier-missing"]
    assert journey.receive(sea.site, refused.lot).kept == ()
    sea.drop("mar-flag-query", query(), "query.jsonl")
    sea.receive()
    replayed = journey.receive(sea.site, refused.lot)
    assert (replayed.accepted_rows, replayed.refused) == (1, ())
    assert journey.receive(sea.site, refused.lot).accepted_rows == 1


def test_what_came_too_long_ago_is_nothing_to_go_back_to(sea: Exchange) -> None:
    sea.drop("mar-flag-query", query(), "query.jsonl")
    sea.receive()
    sea.now += timedelta(days=91)
    sea.drop("mar-flag-reply", reply(), "reply.jsonl")
    (refused,) = sea.receive()
    assert [one.code for one in refused.refused] == ["earlier-missing"]


def test_a_rule_that_names_what_is_not_there_stops_the_feed_and_no_row_gets_in(sea: Exchange) -> None:
    sea.edit("feeds/mar-flag-reply.toml", '"query_no" }', '"nowhere" }')
    sea.drop("mar-flag-reply", reply(), "reply.jsonl")
    with pytest.raises(Misconfigured) as wrong:
        sea.receive()
    assert wrong.value.code is Code.COLUMN_UNKNOWN


@pytest.mark.parametrize(
    ("feed", "said", "why"),
    [
        ("mar-flag-reply", 'feed = "nobodys"', "names the feed nobodys"),
        ("mar-flag-reply", 'earlier = { column = "claimed_flag", in_codes = "none" }', "names the code list none"),
    ],
)
def test_the_catalogue_says_where_a_rule_leads_nowhere(sea: Exchange, feed: str, said: str, why: str) -> None:
    key, _, _ = said.partition(" = ")
    old = 'feed = "mar-flag-query"'
    sea.edit(f"feeds/{feed}.toml", old, said if key == "feed" else f"{old}\n{said}")
    (broken,) = [one for one in load(sea.site.catalogue_root).broken if one.path.parent.name == "feeds"]
    assert why in str(broken.error())


def test_two_feeds_that_wait_for_each_other_are_both_a_fault(sea: Exchange) -> None:
    feeds = sea.directory / "catalogue" / "feeds"
    rule = (feeds / "mar-flag-reply.toml").read_text().partition("[[follows]]")[2]
    with (feeds / "mar-flag-query.toml").open("a") as file:
        file.write("\n[[follows]]" + rule.replace('"mar-flag-query"', '"mar-flag-reply"'))
    loaded = load(feeds.parent)
    assert len(loaded.broken) >= 2
    assert not {"mar-flag-query", "mar-flag-reply"} & set(loaded.feeds)

"""Exchanges against serious crime over the real journey: hit or no hit and nothing else, further data only once declared."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.errors import Code, Refused
from pipeline.core.language.policy import cited
from pipeline.core.language.purpose import Reviewed
from pipeline.edges.catalogue import Catalogue, load
from samples import pcsc
from samples.small_lists import Row
from tests.drawn import declare, golden, kept, released, told, took
from tests.exchange import NOON, ROOT, Exchange

GOLDEN = Path(__file__).parent / "golden" / "pcsc"
FEEDS = ("pcsc-query", "pcsc-response", "pcsc-followup", "pcsc-spontaneous", "pcsc-correction")
CASE: dict[str, Any] = {"purpose": "criminal-investigation", "case_reference": "KR-2026-1"}
DECISION = {**CASE, "authorities": {"authority-that-is-asked": "Decision 7"}}
CONSENT: dict[str, Any] = {"purpose": "criminal-investigation", "consents": {"pcsc-contact-de": "Note 9"}}
SUPPLY = {**CONSENT, "reviewed": Reviewed(by="r.example", at=NOON)}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("pcsc"), feeds=FEEDS)


@pytest.fixture(scope="module")
def goldens(exchange: Exchange) -> dict[str, str]:
    """The key of each feed's golden rows."""
    return {feed: kept(exchange, feed, next(GOLDEN.glob(f"{feed}.*")).read_bytes(), "golden") for feed in FEEDS}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(ROOT / "catalogue")


def replies(*results: str, asker: str = "DEU", seed: int = 1, **cells: str) -> bytes:
    """Replies to queries of `asker`."""
    rows: list[Row] = pcsc.REPLIES.rows(len(results), seed=seed)
    for row, result in zip(rows, results, strict=True):
        row |= {"asked_by": asker, "tcr": asker + row["tcr"][3:], "result": result, "untraceable": "N", **cells}
    return pcsc.REPLIES.written(rows)


@pytest.mark.parametrize(
    ("feed", "agreement", "declared"),
    [
        ("pcsc-query", "pcsc-query-us", {}),
        ("pcsc-response", "pcsc-response-de", {}),
        ("pcsc-response", "pcsc-response-nl", {}),
        ("pcsc-followup", "pcsc-followup-de", DECISION),
        ("pcsc-spontaneous", "pcsc-spontaneous-us", SUPPLY),
        ("pcsc-correction", "pcsc-correction-us", {}),
    ],
)
def test_a_release_of_each_feed_is_the_golden_one(
    exchange: Exchange, goldens: dict[str, str], feed: str, agreement: str, declared: dict[str, Any]
) -> None:
    if declared:
        declare(exchange, agreement, goldens[feed], **declared)
    _, part = released(exchange, agreement, goldens[feed])
    pseudonyms = ("candidate_ref",) if feed == "pcsc-response" else ()
    assert told(part, pseudonyms=pseudonyms) == golden(GOLDEN / f"{agreement}.csv")


# No direct identifier either way


@pytest.mark.parametrize(("feed", "small"), [("pcsc-query", pcsc.QUERIES), ("pcsc-response", pcsc.REPLIES)])
@pytest.mark.parametrize("name", ["surname", "birth_date", "remarks"])
def test_a_delivery_that_tells_more_than_a_reference_is_refused_whole(
    exchange: Exchange, feed: str, small: Any, name: str
) -> None:
    received = took(exchange, feed, small.with_a_column_more(name, "SAMPLE"), f"with-{name}")
    assert [refusal.code for refusal in received.refused] == [Code.COLUMNS_DIFFER.value]
    assert received.kept == ()


def test_nothing_of_our_file_is_in_a_reply_nor_beside_it(exchange: Exchange) -> None:
    content = replies("HIT", "HIT", seed=31)
    key = kept(exchange, "pcsc-response", content, "ours")
    published, part = released(exchange, "pcsc-response-de", key)
    given = pl.read_csv(content, infer_schema=False)
    assert set(part.columns) == {"tcn", "tcr", "result", "candidate_ref", "untraceable", "responded_at"}
    assert set(part["candidate_ref"]).isdisjoint(given["candidate_ref"])
    in_clear = exchange.everything_in_clear()
    assert [ref for ref in given["candidate_ref"] if ref.encode() in in_clear] == []
    assert "result" not in str(published.predicate["rows"])


# Opaque references


def test_a_candidate_has_one_reference_in_an_agreement_and_another_in_every_other(exchange: Exchange) -> None:
    candidate = "ABCDEF0123456789" * 2
    references: dict[str, list[str]] = {}
    for seed, asker, agreement in (
        (41, "DEU", "pcsc-response-de"),
        (42, "DEU", "pcsc-response-de"),
        (43, "NLD", "pcsc-response-nl"),
    ):
        content = replies("HIT", asker=asker, seed=seed, candidate_ref=candidate)
        _, part = released(exchange, agreement, kept(exchange, "pcsc-response", content, f"candidate-{seed}"))
        references.setdefault(agreement, []).extend(part["candidate_ref"])
    german, dutch = references["pcsc-response-de"], references["pcsc-response-nl"]
    assert len(set(german)) == 1
    assert set(german).isdisjoint(dutch)


# One shape


def test_the_size_of_a_reply_does_not_tell_the_answer(exchange: Exchange) -> None:
    seen: list[tuple[int, object]] = []
    for number, results in enumerate((("HIT",) * 4, ("NO_HIT",) * 4, ("ERROR",) * 4, ("HIT", "NO_HIT") * 2)):
        key = kept(exchange, "pcsc-response", replies(*results, seed=51), f"shape-{number}")
        published, part = released(exchange, "pcsc-response-de", key)
        assert part["result"].to_list() == [{"HIT": "HIT", "NO_HIT": "NOH", "ERROR": "ERR"}[one] for one in results]
        (sealed,) = published.predicate["parts"]
        size = sum(len(block) for block in exchange.site.publication.part(published, sealed["key"]))
        seen.append((size, published.predicate["rows"]))
    assert seen == [seen[0]] * 4


# A budget


def test_queries_over_the_budget_are_refused_however_they_are_divided(exchange: Exchange) -> None:
    exchange.now += timedelta(days=2)
    rows = pcsc.QUERIES.rows(101, seed=61)
    for number in range(5):
        content = pcsc.QUERIES.written(rows[20 * number : 20 * number + 20])
        assert took(exchange, "pcsc-query", content, f"asked-{number}").accepted_rows == 20
    one_more = took(exchange, "pcsc-query", pcsc.QUERIES.written(rows[100:]), "one-more")
    assert [refusal.code for refusal in one_more.refused] == [Code.BUDGET_EXCEEDED.value]


def test_a_delivery_of_many_queries_is_no_individual_case(exchange: Exchange) -> None:
    received = took(exchange, "pcsc-query", pcsc.QUERIES.written(pcsc.QUERIES.rows(21, seed=62)), "bulk")
    assert [refusal.code for refusal in received.refused] == [Code.LIMIT_EXCEEDED.value]


# Nothing follows by itself


def refused(exchange: Exchange, agreement: str, key: str) -> Code:
    with pytest.raises(Refused) as caught:
        journey.release(exchange.site, agreement, key)
    assert key not in [one.release for one in exchange.published(agreement)]
    return caught.value.code


FIRST_REPLY = pcsc.REPLIES.rows(1, seed=1)[0]["tcn"]


def after(hit_tcn: str, request: int) -> bytes:
    """One follow-up, on a request of its own, after this reply."""
    (row,) = pcsc.FOLLOW_UPS.rows(1, seed=77)
    return pcsc.FOLLOW_UPS.written(
        [row | {"hit_tcn": hit_tcn, "request_number": f"{row['request_number'][:-6]}{request:06}"}]
    )


@pytest.mark.parametrize(
    ("seed", "result", "asker", "taken"),
    [(81, "HIT", "DEU", True), (82, "NO_HIT", "DEU", False), (83, "ERROR", "DEU", False), (84, "HIT", "NLD", False)],
)
def test_nothing_follows_but_a_hit_that_was_told_to_the_same_asker(
    exchange: Exchange, seed: int, result: str, asker: str, taken: bool
) -> None:
    reply = f"{FIRST_REPLY[:-6]}{seed:06}"
    kept(exchange, "pcsc-response", replies(result, asker=asker, seed=seed, tcn=reply), f"reply-{result}-{asker}")
    received = took(exchange, "pcsc-followup", after(reply, seed), f"after-{result}-{asker}")
    assert [one.code for one in received.refused] == ([] if taken else ["earlier-missing"])


def test_what_follows_a_hit_that_is_not_told_yet_is_taken_once_it_is(exchange: Exchange) -> None:
    reply = f"{FIRST_REPLY[:-6]}009001"
    early = took(exchange, "pcsc-followup", after(reply, 9001), "too-early")
    assert [one.code for one in early.refused] == ["earlier-missing"]
    kept(exchange, "pcsc-response", replies("HIT", seed=91, tcn=reply), "the-hit")
    assert journey.receive(exchange.site, early.lot).accepted_rows == 1


def test_what_follows_a_hit_waits_for_a_case_and_a_decision(exchange: Exchange) -> None:
    agreement = "pcsc-followup-de"
    kept(exchange, "pcsc-response", pcsc.REPLIES.written(pcsc.REPLIES.rows(60, seed=71)), "hits")
    key = kept(exchange, "pcsc-followup", pcsc.FOLLOW_UPS.written(pcsc.FOLLOW_UPS.rows(2, seed=71)), "after-a-hit")
    assert refused(exchange, agreement, key) is Code.PURPOSE_MISSING
    declare(exchange, agreement, key, **CASE)
    assert refused(exchange, agreement, key) is Code.CONDITION_MISSING
    declare(exchange, agreement, key, purpose="criminal-investigation", authorities=DECISION["authorities"])
    assert refused(exchange, agreement, key) is Code.CONDITION_MISSING
    declare(exchange, agreement, key, **DECISION)
    published, _ = released(exchange, agreement, key)
    shown = {one["condition"]: one["by"] for one in published.predicate["purpose"]["conditions"]}
    assert shown == {"case": "KR-2026-1", "decision": "Decision 7"}


@pytest.mark.parametrize("agreement", ["pcsc-followup-de", "pcsc-spontaneous-us"])
def test_an_agreement_on_persons_declares_nothing_beforehand(catalogue: Catalogue, agreement: str) -> None:
    said = catalogue.agreement(agreement)
    assert said.declared is None
    assert said.requires
    assert catalogue.feed(said.feed).lot_deliveries == 1


# What is supplied without being asked


def test_what_is_supplied_unasked_waits_for_a_review_and_the_originators_consent(exchange: Exchange) -> None:
    agreement = "pcsc-spontaneous-us"
    rows = pcsc.SPONTANEOUS.rows(3, seed=81)
    for row, evaluation in zip(rows, ("A2", "C1", "B3"), strict=True):
        row |= {"source_evaluation": evaluation[0], "information_evaluation": evaluation[1]}
        row |= {"marking": f"TLP:AMBER+STRICT | ORCON pcsc-contact-de | 4x4 {evaluation}"}
    key = kept(exchange, "pcsc-spontaneous", pcsc.SPONTANEOUS.written(rows), "unasked")
    assert refused(exchange, agreement, key) is Code.PURPOSE_MISSING
    declare(exchange, agreement, key, **CONSENT)
    assert refused(exchange, agreement, key) is Code.CONDITION_MISSING
    declare(exchange, agreement, key, purpose="criminal-investigation", reviewed=SUPPLY["reviewed"])
    assert refused(exchange, agreement, key) is Code.MARKING_FORBIDS
    declare(exchange, agreement, key, **SUPPLY)
    published, _ = released(exchange, agreement, key)
    marking = published.predicate["handling"]["marking"]
    assert marking == "TLP:AMBER+STRICT | ORCON pcsc-contact-de | 4x4 C3", "the worst of each"
    assert published.predicate["handling"]["onward"]["default"] == "deny"


def test_a_row_whose_marking_is_unknown_or_classified_refuses_the_supply(exchange: Exchange) -> None:
    for number, (marking, code) in enumerate(
        (("TLP:PURPLE | ORCON x | 4x4 A1", Code.MARKING_UNKNOWN), ("VS-NFD ORCON 4x4 A1", Code.CLASSIFIED_INPUT))
    ):
        (row,) = pcsc.SPONTANEOUS.rows(1, seed=82)
        row |= {"marking": marking, "source_evaluation": "A", "information_evaluation": "1"}
        received = took(exchange, "pcsc-spontaneous", pcsc.SPONTANEOUS.written([row]), f"marked-{number}")
        assert [refusal.code for refusal in received.refused] == [code.value]


def test_only_the_closed_list_of_article_10_is_supplied(catalogue: Catalogue) -> None:
    listed = {
        *("surname", "first_names", "former_names", "other_names", "aliases", "spellings", "sex", "birth_date"),
        *("birth_place", "nationalities", "former_nationalities", "passport_numbers", "document_numbers"),
        *("fingerprints", "circumstances"),
    }
    of_the_supply = {"tcn", "supplied_at", "ground", "conditions", "source_evaluation", "information_evaluation"}
    said = catalogue.agreement("pcsc-spontaneous-us")
    assert set(said.released) == listed | of_the_supply
    assert all(cited(said.columns[name].clause)[0] == "Art. 10" for name in listed)
    assert said.handling.marking.originators == ("pcsc-contact-de",)
    assert said.handling.onward.default == "deny"


# The clocks


def test_what_was_supplied_for_comparison_goes_with_the_reply(exchange: Exchange, goldens: dict[str, str]) -> None:
    published, _ = released(exchange, "pcsc-query-us", goldens["pcsc-query"])
    retention = published.predicate["handling"]["retention"]
    assert (retention["event"], retention["delete_after"]) == ("reply-sent", "PT0H")

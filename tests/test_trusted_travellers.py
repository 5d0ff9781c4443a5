"""Trusted travellers over the real journey: pass, fail or open, active or not, and no reason ever."""

from pathlib import Path

import pytest

from pipeline import journey
from samples import trusted_travellers as samples
from tests.drawn import golden, kept, released, told
from tests.exchange import Exchange

GOLDEN = Path(__file__).parent / "golden" / "tt"
AGREEMENTS = {
    "tt-vetting-request": "tt-vetting-request-uk",
    "tt-vetting-result": "tt-vetting-result-uk",
    "tt-membership-status": "nexus-lanes",
}
BAD: dict[str, str] = {
    "reasons": "D12",
    "derogatory_record": "Entry 4711 of the register",
    "record_holder": "Example field office 12",
}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("tt"), feeds=tuple(AGREEMENTS))


@pytest.mark.parametrize("feed", AGREEMENTS)
def test_a_release_of_each_feed_is_the_golden_one(exchange: Exchange, feed: str) -> None:
    key = kept(exchange, feed, (GOLDEN / f"{feed}.csv").read_bytes(), "golden")
    published, part = released(exchange, AGREEMENTS[feed], key)
    assert told(part) == golden(GOLDEN / f"{AGREEMENTS[feed]}.csv")
    rows = published.predicate["rows"]
    assert rows["accepted"] == rows["released"] + rows["out_of_scope"] + rows["withheld"]


def found(*categories: str) -> bytes:
    """Results about applicants of the United Kingdom; whatever is found has its reason and record."""
    rows = samples.RESULTS.rows(len(categories))
    for row, category in zip(rows, categories, strict=True):
        why = BAD if category not in ("NONE", "") else dict.fromkeys(BAD, "")
        row |= {"asked_by": "GBR", "result": category, **why}
    return samples.RESULTS.written(rows)


def test_the_size_of_an_answer_does_not_tell_it_and_no_reason_is_in_it(exchange: Exchange) -> None:
    sizes: set[int] = set()
    for number, (category, answer) in enumerate((("NONE", "PASS"), ("DEROGATORY_HISTORY", "FAIL"), ("", "OPEN"))):
        key = kept(exchange, "tt-vetting-result", found(*[category] * 3), f"found-{number}")
        published, part = released(exchange, "tt-vetting-result-uk", key)
        assert part.columns == ["application_ref", "result", "vetted_on", "valid_until"]
        assert set(part["result"]) == {answer}
        (sealed,) = published.predicate["parts"]
        sizes.add(sum(len(block) for block in exchange.site.publication.part(published, sealed["key"])))
        assert [value for value in (*BAD.values(), category) if value and value in part.write_csv()] == []
    assert len(sizes) == 1


@pytest.mark.parametrize(
    ("consent", "counted"),
    [
        ({"consent_on": "", "consent_withdrawn_on": ""}, (0, 1)),
        ({"consent_on": "2026-11-01", "consent_withdrawn_on": "2026-11-02"}, (0, 1)),
        ({"consent_on": "2026-11-01", "consent_withdrawn_on": ""}, (1, 0)),
    ],
)
def test_no_applicant_is_named_without_a_consent_that_holds(
    exchange: Exchange, consent: dict[str, str], counted: tuple[int, int]
) -> None:
    (row,) = samples.REQUESTS.rows(1)
    content = samples.REQUESTS.written([row | {"citizenship": "GBR", **consent}])
    key = kept(exchange, "tt-vetting-request", content, "consent-" + "-".join(consent.values()))
    made = journey.release(exchange.site, "tt-vetting-request-uk", key)
    (published,) = [one for one in exchange.published("tt-vetting-request-uk") if one.release == made.release]
    rows = published.predicate["rows"]
    assert (rows["released"], rows["withheld"]) == counted

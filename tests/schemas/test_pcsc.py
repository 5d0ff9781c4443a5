"""What the schemas of the exchanges against serious crime take and reject, rule by rule."""

import base64
import io

import pytest

from pipeline.core.language.category import Category
from pipeline.core.validation import compile_schema
from pipeline.edges.catalogue import load
from pipeline.formats.readers import reader_of
from samples import pcsc
from samples.nist import print_4, print_9, print_14
from samples.small_lists import SmallList
from tests import code_lists
from tests.drawn import bad_rows, broken
from tests.exchange import ROOT

LISTS = {
    "pcsc-query": pcsc.QUERIES,
    "pcsc-response": pcsc.REPLIES,
    "pcsc-followup": pcsc.FOLLOW_UPS,
    "pcsc-spontaneous": pcsc.SPONTANEOUS,
    "pcsc-correction": pcsc.CORRECTIONS,
}
QUERY = {"tcn": "DEU-20261121-000001", "asked_by": "DEU", "asked_at": "2026-11-21T10:07:00Z"}
REPLY = {
    "tcn": "USA-20261121-000001",
    "tcr": "DEU-20261121-000001",
    "asked_by": "DEU",
    "responded_at": "2026-11-21T10:15Z",
}
REQUEST = {"request_number": "DEU-20261123-000001", "hit_tcn": "USA-20261121-000001", "requested_by": "DEU"}
SUPPLY = {"tcn": "DEU-20261121-000001", "supplied_by": "DEU", "supplied_at": "2026-11-21T10:07Z"}
FIX = {"tcn": "DEU-20261122-000001", "supplied_tcn": "DEU-20261121-000001", "supplied_by": "DEU"}
EVALUATED = {"source_evaluation": "B", "information_evaluation": "2", "marking": "TLP:AMBER | ORCON a | 4x4 B2"}
CASES: list[tuple[SmallList, dict[str, str], set[str]]] = [
    (pcsc.QUERIES, QUERY, set()),
    (pcsc.QUERIES, QUERY | {"tcn": "USA-20261121-000001"}, {"numbered-by-the-asker"}),
    (pcsc.QUERIES, QUERY | {"tcn": "DEU-20261122-000001"}, {"numbered-on-the-day"}),
    (pcsc.QUERIES, QUERY | {"case_number": ""}, {"required"}),
    (pcsc.QUERIES, QUERY | {"case_number": "VELDAMAR ANTON"}, {"case-number"}),
    (pcsc.QUERIES, QUERY | {"offence": ""}, {"required"}),
    (pcsc.QUERIES, QUERY | {"modality": "DNA", "aim": "INVESTIGATION"}, set()),
    (pcsc.QUERIES, QUERY | {"modality": "DNA", "aim": "PREVENTION"}, {"dna-for-investigation-only"}),
    (pcsc.QUERIES, QUERY | {"modality": "FACE", "aim": "PREVENTION"}, {"modality"}),
    *(
        (pcsc.QUERIES, QUERY | {"template": base64.b64encode(prints).decode()}, rules)
        for prints, rules in (
            (print_4(), set[str]()),
            (print_9(), set[str]()),
            (print_14(), set[str]()),
            (b"VELDAMAR ANTON", {"prints"}),
            (b"10.001:FACE", {"prints"}),
            (b"9.001:" + b"A" * 12_282, set[str]()),
            (b"9.001:" + b"A" * 12_283, {"prints"}),
        )
    ),
    (pcsc.QUERIES, QUERY | {"template": "OS4wMDE6AAA"}, {"prints"}),
    (pcsc.QUERIES, QUERY | {"asked_at": "2026-11-21T10:07:60Z"}, {"second"}),
    (pcsc.REPLIES, REPLY | {"result": "HIT", "untraceable": "Y"}, set()),
    (pcsc.REPLIES, REPLY | {"result": "NO_HIT", "untraceable": "Y"}, {"untraceable-by-a-hit-only"}),
    (pcsc.REPLIES, REPLY | {"result": "NO_HIT", "untraceable": "N", "candidate_ref": ""}, {"required"}),
    (pcsc.REPLIES, REPLY | {"responded_at": "2026-11-21T10:16Z"}, {"quarter"}),
    (pcsc.REPLIES, REPLY | {"responded_at": "2026-11-21T23:45Z"}, set()),
    (pcsc.REPLIES, REPLY | {"responded_at": "2026-11-21T24:00Z"}, {"minute"}),
    (pcsc.REPLIES, REPLY | {"tcr": "NLD-20261121-000001"}, {"answers-the-asker"}),
    (pcsc.REPLIES, REPLY | {"tcn": "DEU-20261121-000001"}, {"not-its-own-query"}),
    (pcsc.REPLIES, REPLY | {"tcn": "USA-20261120-000001"}, {"numbered-on-the-day"}),
    (pcsc.FOLLOW_UPS, REQUEST | {"decided_on": "2026-11-21"}, set()),
    (pcsc.FOLLOW_UPS, REQUEST | {"decided_on": "2026-11-20"}, {"not-before-the-hit"}),
    (
        pcsc.FOLLOW_UPS,
        REQUEST | {"decided_on": "2026-11-21", "hit_tcn": ""},
        {"required", "not-before-the-hit", "request-is-not-the-hit"},
    ),
    (pcsc.FOLLOW_UPS, REQUEST | {"decided_on": "2026-11-23", "legal_basis": ""}, {"required"}),
    (pcsc.FOLLOW_UPS, REQUEST | {"decided_on": "2026-11-23", "authority": "a court"}, {"authority"}),
    (pcsc.FOLLOW_UPS, REQUEST | {"decided_on": "2026-11-23", "requested_by": "NLD"}, {"requested-by-the-asker"}),
    (
        pcsc.FOLLOW_UPS,
        REQUEST | {"decided_on": "2026-11-23", "hit_tcn": REQUEST["request_number"]},
        {"request-is-not-the-hit"},
    ),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED, set()),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"source_evaluation": "A"}, {"marked-as-evaluated"}),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"marking": "TLP:AMBER | ORCON a"}, {"marked-as-evaluated"}),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"marking": "TLP:AMBER | 4x4 B2"}, {"originator-told"}),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"circumstances": ""}, {"required"}),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"conditions": "TELL_USE\nASK_BEFORE_ACTION"}, set()),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"conditions": "TELL_USE\nNOT_AT_ALL"}, {"conditions"}),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"birth_date": "2026-11-21"}, set()),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"birth_date": "2026-11-22"}, {"born-before"}),
    (pcsc.SPONTANEOUS, SUPPLY | EVALUATED | {"supplied_by": "NLD"}, {"numbered-by-the-supplier"}),
    (pcsc.CORRECTIONS, FIX | {"action": "CORRECT", "field": "sex", "corrected": "X"}, set()),
    (
        pcsc.CORRECTIONS,
        FIX | {"action": "CORRECT", "field": "sex", "corrected": ""},
        {"a-correction-says-what-is-right"},
    ),
    (pcsc.CORRECTIONS, FIX | {"action": "CORRECT", "field": "", "corrected": "X"}, {"a-correction-says-what-is-right"}),
    (pcsc.CORRECTIONS, FIX | {"action": "DELETE", "field": "", "corrected": ""}, set()),
    (pcsc.CORRECTIONS, FIX | {"action": "BLOCK", "field": "", "corrected": "X"}, {"nothing-new-otherwise"}),
    (pcsc.CORRECTIONS, FIX | {"action": "DELETE", "field": "shoe_size", "corrected": ""}, {"field"}),
    (pcsc.CORRECTIONS, FIX | {"supplied_tcn": "NLD-20261121-000001"}, {"of-its-own-supply"}),
    (pcsc.CORRECTIONS, FIX | {"supplied_tcn": "DEU-20261122-000001"}, {"not-before-the-supply"}),
]


@pytest.mark.parametrize(
    ("small", "cells", "rules"), CASES, ids=lambda one: ",".join(sorted(one)) or "fine" if isinstance(one, set) else ""
)
def test_a_row_breaks_the_rules_that_it_breaks(small: SmallList, cells: dict[str, str], rules: set[str]) -> None:
    assert {rule for _, rule in broken(small, **cells)} == rules


@pytest.mark.parametrize("feed", LISTS)
def test_as_many_rows_of_a_sample_are_bad_as_it_says(feed: str) -> None:
    small, reader = LISTS[feed], reader_of(load(ROOT / "catalogue").feed(feed))
    for share, fewest in ((0.0, 0), (0.2, 1)):
        out = io.BytesIO()
        told = small.write(out, rows=60, seed=3, bad_share=share).bad_rows
        assert told == bad_rows(small, out.getvalue(), reader) >= fewest


@pytest.mark.parametrize("feed", ["pcsc-query", "pcsc-response"])
def test_no_cell_of_a_query_or_a_reply_takes_a_name(feed: str) -> None:
    """But for what a print record may hold, each column has a closed shape."""
    for name in compile_schema(LISTS[feed].schema, code_lists.LISTS).columns:
        for text in ("VELDAMAR", "Veldamar, Anton", "ANTON VELDAMAR 1980-02-29", "C01X00T47"):
            assert name in {column for column, _ in broken(LISTS[feed], **{name: text})}, name


@pytest.mark.parametrize("feed", ["pcsc-query", "pcsc-response"])
def test_a_query_and_a_reply_have_no_text_and_no_identifier_but_our_own_reference(feed: str) -> None:
    categories = compile_schema(LISTS[feed].schema, code_lists.LISTS).categories
    assert Category.FREE_TEXT not in categories.values()
    identifiers = {name for name, category in categories.items() if category is Category.DIRECT_IDENTIFIER}
    assert identifiers <= {"candidate_ref"}

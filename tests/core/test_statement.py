"""A release's statement says what, why and of what, says it once, and holds no value."""

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from pipeline.core.authority import Recipient, authorise
from pipeline.core.clocks import Instants
from pipeline.core.conservation import RowCount
from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.instrument import Instrument
from pipeline.core.language.partner import Partner
from pipeline.core.language.purpose import Declaration
from pipeline.core.risk import Figures
from pipeline.core.statement import (
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    Backing,
    Part,
    Source,
    Superseded,
    gone_by,
    read_statement,
    statement,
)
from tests.core.builders import CANARY, agreement, assert_silent, columns, handling, instant
from tests.core.marked import marking

AT = instant(2025)
TAKER = Partner.model_validate({"id": "taker", "title": "A partner", "role": "customs", "country": "NOR"})
INSTRUMENT = Instrument.model_validate(
    {
        "id": "test-instrument",
        "title": "An arrangement",
        "kind": "arrangement",
        "citation": "OJ 1/2026",
        "parties": ["A", "B"],
        "programme": "Tests",
        "confidence": "design",
        "source": "test",
        "status": "in force",
        "exchanges_records": True,
    }
)
PARTS = (
    Part("parts/aa.csv.age", "aa" * 32, 100, "1a" * 32, 5, ("country",), instant(2026), "released", "P1Y"),
    Part("parts/bb.csv.age", "bb" * 32, 200, "1b" * 32, 5, ("name",), instant(2025, 7), "loaded", "P6M"),
)
COLUMNS = columns(country="keep", name={"treatment": "mask", "until": "P6M", "clock": "loaded"})
BACKING = Backing(
    code_lists={"airports-v1": {"agreed_on": "2024-01-01", "expires_on": None, "sha256": "2a" * 32}},
    hierarchies={},
    ledger={"origin": "safeconduct/test", "keys": ["safeconduct/test+00000000+AAAA"]},
    kit={"OPEN.md": "3a" * 32},
    signed_by=["4a" * 32],
    versions={"safeconduct": "0"},
    policies={"sha256": "8a" * 32},
)
COUNTS = {"count_as": "members", "smallest_cell": 5, "round_to": 10, "clause": "Art. 5"}


def said(
    *parts: Part,
    declaration: dict[str, Any] | None = None,
    risk: Figures | None = None,
    stated: Agreement | None = None,
    revision: int = 1,
    supersedes: Superseded | None = None,
    **changes: Any,
) -> bytes:
    return statement(
        authorise(
            stated or agreement(**{"columns": COLUMNS, **changes}),
            agreement_digest="d" * 64,
            declaration=Declaration.model_validate(declaration) if declaration else None,
            recipient=Recipient(TAKER, (), ("age1key",)),
            instants=Instants(instant(2024, 11), instant(2024, 12), instant(2024, 12, 15), AT),
        ),
        instrument=INSTRUMENT,
        release="test-agreement.lot",
        kept="lot",
        schema={"id": "members", "version": "1"},
        sources=[Source("e" * 64, 127, 104, 23)],
        parts=parts or PARTS,
        rows=RowCount(127, 104, 23, 51, 33, 0, 20, {"scope": 33, "consent": 20}),
        marking=marking("AMBER+STRICT", limite=True),
        risk=risk,
        backing=BACKING,
        revision=revision,
        supersedes=supersedes,
    )


def predicate_of(*parts: Part, **changes: Any) -> dict[str, Any]:
    return read_statement(said(*parts, **changes))


def test_a_statement_is_read_as_it_was_made() -> None:
    predicate = predicate_of()
    assert predicate["created_at"] == "2025-01-01T00:00:00+00:00"
    assert predicate["agreement"] == {
        "id": "test-agreement",
        "version": 1,
        "title": "A test",
        "instrument": {"id": "test-instrument", "title": "An arrangement", "citation": "OJ 1/2026"},
        "digest": {"sha256": "d" * 64},
        "in_force_until": "2030-01-01T00:00:00+00:00",
        "approvals": [],
    }
    assert predicate["provider"] == "giver"
    fingerprint = hashlib.sha256(b"age1key").hexdigest()
    assert predicate["recipient"] == {"id": "taker", "keys": ["age1key"], "fingerprints": [fingerprint]}
    assert predicate["purpose"] == {"declared": "control", "clause": "Art. 1", "conditions": []}
    assert predicate["columns"]["name"] == {"treatment": "mask", "clause": "Art. 2"}
    assert predicate["rows"]["by_rule"] == {"scope": 33, "consent": 20}
    assert predicate["made_of"]["deliveries"] == [
        {"delivery": "e" * 64, "received": 127, "accepted": 104, "rejected": 23}
    ]
    assert predicate["parts"][1] == {
        "key": "parts/bb.csv.age",
        "digest": "bb" * 32,
        "size_bytes": 200,
        "commitment": "1b" * 32,
        "rows": 5,
        "columns": ["name"],
        "until": "2025-07-01T00:00:00+00:00",
        "clock": "loaded",
        "after": "P6M",
    }
    assert (predicate["statistics"], predicate["risk"]) == (None, None)
    assert {name: predicate[name] for name in asdict(BACKING)} == asdict(BACKING)
    assert (predicate["revision"], predicate["supersedes"]) == (1, None)


def test_a_later_revision_names_what_it_supersedes_and_why_it_may() -> None:
    predicate = predicate_of(revision=2, supersedes=Superseded("test-agreement.lot", "5a" * 32, "6a" * 32))
    assert predicate["revision"] == 2
    assert predicate["supersedes"] == {
        "release": "test-agreement.lot",
        "manifest": {"sha256": "5a" * 32},
        "withdrawal": {"sha256": "6a" * 32},
    }


def test_who_approved_a_widening_is_stated() -> None:
    approved = {"by": "p.officer", "role": "privacy officer", "at": instant(2024), "widening": "7a" * 32}
    (told,) = predicate_of(approvals=[approved])["agreement"]["approvals"]
    assert told == {**approved, "at": "2024-01-01T00:00:00+00:00"}


def test_what_shows_each_condition_is_stated_with_its_clause() -> None:
    predicate = predicate_of(
        declaration={"purpose": "control", "case_reference": "2026/114"},
        conditions={"case": {"kind": "case-reference", "clause": "Art. 4"}},
        purposes={"control": {"clause": "Art. 1", "requires": ["case"]}},
    )
    assert predicate["purpose"]["conditions"] == [
        {"condition": "case", "kind": "case-reference", "clause": "Art. 4", "by": "2026/114"}
    ]


def test_the_end_of_an_agreement_is_that_of_its_dates_or_of_its_status() -> None:
    ended = [
        {"to": "active", "since": instant(2020), "reason": "signed"},
        {"to": "terminated", "since": instant(2027), "reason": "notice given"},
    ]
    assert predicate_of(status=ended)["agreement"]["in_force_until"] == "2027-01-01T00:00:00+00:00"


def test_the_marking_is_that_of_the_release_and_the_rest_of_the_handling_that_of_the_agreement() -> None:
    notice = {"to": "The giver", "of": "every onward transfer", "within": "P7D", "clause": "Art. 6"}
    said = predicate_of(handling=handling(caveats=["Mind the gap"], notices=[notice]))["handling"]
    assert said["marking"] == "TLP:AMBER+STRICT | LIMITE"
    assert said["caveats"] == ["Mind the gap"]
    assert said["onward"] == {"default": "deny", "with": [], "says": "Not without asking.", "clause": "Art. 4"}
    assert said["notices"] == [notice]


RETENTION = {"clock": "released", "delete_after": "P5Y", "dormant_after": "P1Y", "clause": "Art. 3"}


@pytest.mark.parametrize(
    ("changes", "dormant_from"),
    [
        ({}, "2026-01-01T00:00:00+00:00"),
        ({"clock": "received"}, "2025-11-01T00:00:00+00:00"),
        ({"clock": "last-received"}, "2025-12-01T00:00:00+00:00"),
        ({"clock": "loaded"}, "2025-12-15T00:00:00+00:00"),
        ({"clock": "event", "event": "case-closed"}, None),
        ({"clock": "date", "column": "country"}, None),
        ({"dormant_after": None}, None),
    ],
)
def test_the_retention_is_stated_with_the_instant_where_there_is_one_for_all_rows(
    changes: dict[str, Any], dormant_from: str | None
) -> None:
    retention = {**RETENTION, **changes}
    said = predicate_of(handling=handling(retention=retention))["handling"]["retention"]
    assert said == {
        "clock": retention["clock"],
        "column": retention.get("column"),
        "event": retention.get("event"),
        "dormant_from": dormant_from,
        "dormant_after": retention["dormant_after"],
        "delete_after": "P5Y",
        "freeze_on_hold": False,
        "clause": "Art. 3",
    }


def test_a_column_by_date_leaves_the_dormancy_of_the_release_an_instant() -> None:
    by_date = columns(country="keep", name={"treatment": "mask", "until": "P6M", "clock": "date"})
    retention = {**RETENTION, "column": "country"}
    stated = predicate_of(columns=by_date, handling=handling(retention=retention))
    assert stated["handling"]["retention"]["dormant_from"] == "2026-01-01T00:00:00+00:00"


def test_risk_is_stated_with_what_was_asked_for() -> None:
    asked = {"columns": ["country"], "smallest_group": 5, "otherwise": "report", "clause": "Art. 7"}
    predicate = predicate_of(risk=Figures(3, 4, 0), stated=agreement(columns=COLUMNS, risk=asked))
    assert predicate["risk"] == {"smallest_group": 3, "groups": 4, "unique_rows": 0, "asked": asked}


def test_beside_rounded_statistics_no_count_is_exact() -> None:
    predicate = predicate_of(columns=columns(country="keep"), statistics=COUNTS)
    unsaid = {"sums": {}, "margins": False, "weighted_by": None, "largest_share": None, "compared_tables": None}
    assert predicate["statistics"] == {**COUNTS, **unsaid}
    assert predicate["rows"] == {
        "received": 130,
        "accepted": 100,
        "rejected": 20,
        "released": 50,
        "out_of_scope": 30,
        "suppressed": 0,
        "withheld": 20,
        "by_rule": {"scope": 30, "consent": 20},
    }
    assert predicate["made_of"]["deliveries"] == [
        {"delivery": "e" * 64, "received": 130, "accepted": 100, "rejected": 20}
    ]


def test_beside_exact_statistics_counts_are_exact() -> None:
    exact = {name: value for name, value in COUNTS.items() if name != "round_to"}
    assert predicate_of(columns=columns(country="keep"), statistics=exact)["rows"]["received"] == 127


@pytest.mark.parametrize("rounded", [{}, {"round_to": 10}], ids=["exact", "rounded"])
def test_beside_statistics_no_number_tells_how_few_rows_a_rule_kept_back(rounded: dict[str, int]) -> None:
    """20 rows lack consent: that is a cell below 30, in the number of its rule and in what the others leave over."""
    counts = {"count_as": "members", "smallest_cell": 30, "clause": "Art. 5", **rounded}
    predicate = predicate_of(columns=columns(country="keep"), statistics=counts)
    assert predicate["rows"].pop("by_rule") == {"scope": 30, "consent": 30}
    assert predicate["rows"] == {
        "received": 120,
        "accepted": 90,
        "rejected": 30,
        "released": 60,
        "out_of_scope": 30,
        "suppressed": 0,
        "withheld": 30,
    }
    assert [source["accepted"] for source in predicate["made_of"]["deliveries"]] == [90]


@pytest.mark.parametrize(
    ("untils", "gone"),
    [
        ([], None),
        ([instant(2026)], instant(2026)),
        ([instant(2026), instant(2027)], instant(2027)),
        ([instant(2026), None], None),
    ],
)
def test_a_release_is_gone_when_its_last_part_is(untils: list[Any], gone: Any) -> None:
    parts = [replace(PARTS[0], key=f"parts/{number}", until=until) for number, until in enumerate(untils)]
    predicate = predicate_of(*parts) if parts else {"parts": []}
    assert gone_by(predicate) == gone


def test_the_subjects_are_the_parts() -> None:
    whole = json.loads(said())
    assert (whole["_type"], whole["predicateType"]) == (STATEMENT_TYPE, PREDICATE_TYPE)
    assert whole["subject"] == [{"name": part.key, "digest": {"sha256": part.digest}} for part in PARTS]


def test_the_same_release_is_stated_in_the_same_bytes() -> None:
    assert said() == said()


def test_a_release_of_no_rows_has_no_parts() -> None:
    empty = json.loads(said())
    empty["subject"], empty["predicate"]["parts"] = [], []
    assert read_statement(as_bytes(empty))["parts"] == []


def as_bytes(whole: Any) -> bytes:
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def changed(**changes: Any) -> bytes:
    return as_bytes({**json.loads(said()), **changes})


FINE = json.loads(said())
WRONG = {
    "nothing": b"",
    "no text": b"\xff\xfe",
    "no object": b"[]\n",
    "a number": b"1\n",
    "deep": b"[" * 100_000,
    "another type": changed(_type=STATEMENT_TYPE + "0"),
    "another predicate": changed(predicateType="urn:other"),
    "no subject": changed(subject=[]),
    "one subject of two": changed(subject=FINE["subject"][:1]),
    "a subject more": changed(subject=[*FINE["subject"], {"name": CANARY, "digest": {"sha256": "cc" * 32}}]),
    "a subject twice": changed(subject=[*FINE["subject"], FINE["subject"][0]]),
    "another digest": changed(subject=[FINE["subject"][0], {"name": PARTS[1].key, "digest": {"sha256": "bc" * 32}}]),
    "a digest of another kind": changed(subject=[{"name": part.key, "digest": {"md5": part.digest}} for part in PARTS]),
    "no predicate": changed(predicate=None),
    "a predicate of text": changed(predicate=CANARY),
    "signed by nobody it names": changed(
        predicate={name: said for name, said in FINE["predicate"].items() if name != "signed_by"}
    ),
    "no parts": changed(predicate={CANARY: 1}),
    "parts twice": said(PARTS[0], replace(PARTS[0], rows=6)),
    "a key twice": said()[:-2] + b',"predicateType":"' + PREDICATE_TYPE.encode() + b'"}\n',
    "spaces": json.dumps(FINE, sort_keys=True).encode() + b"\n",
    "more behind": said() + b"\n",
    "lone surrogate": said().replace(b"A test", b"\\ud800"),
}


@pytest.mark.parametrize("how", sorted(WRONG))
def test_any_other_statement_is_refused(how: str) -> None:
    with pytest.raises(Refused) as refused:
        read_statement(WRONG[how])
    assert refused.value.code is Code.VERIFICATION_FAILED
    assert_silent(refused.value, CANARY)


def test_a_column_whose_cells_may_be_withheld_is_conditional() -> None:
    only = {"treatment": "keep", "only_where": {"column": "status", "any_of": ["A"]}}
    said = predicate_of(columns=columns(country="keep", number=only))["columns"]
    assert said["number"] == {"treatment": "keep", "clause": "Art. 2", "conditional": True}
    assert "conditional" not in said["country"]

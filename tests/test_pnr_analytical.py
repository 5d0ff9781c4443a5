"""Analytical information from PNR over the real journey: in a declared and reviewed case, to whom it is addressed, and no more."""

import io
from pathlib import Path
from typing import Any

import pytest

from pipeline import journey
from pipeline.core.errors import Code, Refused
from pipeline.core.language.purpose import Reviewed
from pipeline.core.language.treatment import FilterTerms, Withhold
from pipeline.edges.catalogue import Catalogue, load
from samples.pnr_analytical import FINDINGS
from samples.small_lists import Row
from tests.drawn import bad_rows, broken, cells, declare, golden, kept, released, told, took
from tests.exchange import NOON, ROOT, Exchange

GOLDEN = Path(__file__).parent / "golden" / "pnr"
FEED = "pnr-analytical"
OFFENCE = {"most_years": 5, "tests": ("organised-group",)}
SHOWN: dict[str, Any] = {
    "case_reference": "KR-2026-17",
    "consents": {"border-screening": "Note 12"},
    "reviewed": Reviewed(by="r.example", at=NOON),
}
TERROR = {**SHOWN, "purpose": "terrorist-offences"}
CRIME = {**SHOWN, "purpose": "transnational-crime", "offence": OFFENCE}
COURT = {**SHOWN, "purpose": "judicial-proceedings", "offence": OFFENCE}
DECLARED = {"pnr-analytical-europol": TERROR, "pnr-analytical-police": CRIME, "pnr-analytical-eurojust": COURT}
FOR: dict[str, dict[str, Any]] = {
    "pnr-analytical-europol": {"addressee": "EUROPOL", "member_state": ""},
    "pnr-analytical-police": {"addressee": "MEMBER_STATE", "member_state": "NLD"},
    "pnr-analytical-eurojust": {"addressee": "EUROJUST", "member_state": ""},
}
NEVER_SHARED = ("score", "rule_ids", "reviewed_by")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("analytical"), feeds=(FEED,))


@pytest.fixture(scope="module")
def key(exchange: Exchange) -> str:
    """The golden findings, accepted."""
    return kept(exchange, FEED, (GOLDEN / "pnr-analytical.csv").read_bytes(), "golden")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(ROOT / "catalogue")


def findings(count: int, *, seed: int = 3, **said: str) -> list[Row]:
    """Findings of one case, for one addressee."""
    return [row | {"case_reference": "KR-2026-17", **said} for row in FINDINGS.rows(count, seed=seed)]


# What an analyst may have made of it


@pytest.mark.clause("us-eu-pnr", "Art. 3", "Art. 7", "Art. 8(2)(a)", "Art. 8(3)", "Art. 8(4)", "Art. 18(2)")
@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({}, None),
        ({"addressee": "MEMBER_STATE", "member_state": ""}, "member-state-named"),
        ({"addressee": "EUROPOL", "member_state": "NLD"}, "member-state-named"),
        ({"initiative": "ON_REQUEST", "request_no": ""}, "request-told"),
        ({"initiative": "OWN", "request_no": "REQ 1/2026"}, "request-told"),
        ({"reviewed_at": "2026-11-01T08:59Z"}, "looked-at-by-a-person"),
        ({"reviewed_at": "2026-11-01T09:00Z"}, None),
        ({"loaded_on": "2026-05-02"}, None),
        ({"loaded_on": "2026-05-01"}, "named-within-six-months"),
        ({"loaded_on": "2026-05-01", "repersonalised": "Y", "repersonalised_by": "Desk 4"}, None),
        ({"loaded_on": "2026-05-01", "surname": "", "given_names": "", "contact": ""}, "named-within-six-months"),
        ({"repersonalised": "Y", "repersonalised_by": ""}, "approved-to-unmask"),
        ({"repersonalised": "N", "repersonalised_by": "Desk 4"}, "approved-to-unmask"),
        ({"loaded_on": "2026-11-02"}, "loaded-before"),
        ({"source_evaluation": "A"}, "marked-as-evaluated"),
        ({"marking": "TLP:AMBER+STRICT | 4x4 B2"}, "originator-told"),
    ],
)
def test_a_finding_is_held_to_what_the_agreement_lets_an_analyst_have(said: dict[str, str], rule: str | None) -> None:
    assert broken(FINDINGS, **(GOOD | said)) == ({("", rule)} if rule else set())


GOOD = {
    "addressee": "EUROPOL",
    "member_state": "",
    "initiative": "OWN",
    "request_no": "",
    "offence": "TERRORISM",
    "loaded_on": "2026-10-01",
    "made_at": "2026-11-01T09:00Z",
    "reviewed_at": "2026-11-01T10:00Z",
    "repersonalised": "N",
    "repersonalised_by": "",
    "surname": "EXAMPLE",
    "birth_date": "1980-02-29",
    "source_evaluation": "B",
    "information_evaluation": "2",
    "marking": "TLP:AMBER+STRICT | ORCON border-screening | 4x4 B2",
}
UNMASKED = {"repersonalised": "Y", "repersonalised_by": "Desk 4"}


@pytest.mark.clause("us-eu-pnr", "Art. 8(3)", "Art. 8(4)")
@pytest.mark.parametrize(
    ("loaded", "offence", "fine"),
    [
        ("2016-11-02", "TRANSNATIONAL_CRIME", True),
        ("2016-11-01", "TRANSNATIONAL_CRIME", False),
        ("2016-11-01", "TERRORISM", True),
        ("2011-11-02", "TERRORISM", True),
        ("2011-11-01", "TERRORISM", False),
    ],
)
def test_after_ten_years_there_is_nothing_for_crime_and_after_fifteen_nothing(
    loaded: str, offence: str, *, fine: bool
) -> None:
    found = broken(FINDINGS, **(GOOD | UNMASKED | {"loaded_on": loaded, "offence": offence}))
    assert found == (set() if fine else {("", "still-there")})


def test_samples_are_accepted_but_for_their_bad_rows() -> None:
    out = io.BytesIO()
    made = FINDINGS.write(out, rows=160, seed=4, bad_share=0.1)
    assert bad_rows(FINDINGS, out.getvalue()) == made.bad_rows > 8
    assert bad_rows(FINDINGS, FINDINGS.written(FINDINGS.rows(160))) == 0


def test_a_delivery_that_tells_more_or_breaks_off_is_refused_whole(exchange: Exchange) -> None:
    for name, content in (("more", FINDINGS.with_a_column_more("religion", "X")), ("cut", FINDINGS.truncated())):
        received = took(exchange, FEED, content, name)
        assert len(received.refused) == 1
        assert received.kept == ()


# To whom, in which case


@pytest.mark.clause(
    "us-eu-pnr",
    "Art. 12",
    "Art. 18(1)",
    "Art. 18(2)",
    "Annex 1",
    "Annex 3",
    "Annex 4",
    "Annex 7",
    "Annex 9",
    "Annex 18",
)
@pytest.mark.parametrize("agreement", DECLARED)
def test_a_release_to_each_recipient_is_the_golden_one(exchange: Exchange, key: str, agreement: str) -> None:
    declare(exchange, agreement, key, **DECLARED[agreement])
    published, part = released(exchange, agreement, key)
    assert told(part) == golden(GOLDEN / f"{agreement}.csv")
    assert published.predicate["rows"]["by_rule"]["of-the-declared-case"] > 0
    assert published.predicate["handling"]["onward"]["default"] == "deny"
    assert "ORCON border-screening" in published.predicate["handling"]["marking"]
    assert [(one["to"], one["clause"]) for one in published.predicate["handling"]["notices"]] == [
        ("border-screening", "Art. 12; Art. 18(1)")
    ]


@pytest.mark.clause("us-eu-pnr", "Art. 7", "Art. 18(1)", "Art. 4(1)(b)")
@pytest.mark.parametrize("missing", ["case_reference", "reviewed", "consents", "offence"])
def test_nothing_is_given_without_a_case_a_person_who_has_looked_and_the_originators_consent(
    exchange: Exchange, missing: str
) -> None:
    rows = findings(2, seed=len(missing), **FOR["pnr-analytical-police"])
    waiting = kept(exchange, FEED, FINDINGS.written(rows), f"without-{missing}")
    with pytest.raises(Refused):
        journey.release(exchange.site, "pnr-analytical-police", waiting)
    said = {name: what for name, what in CRIME.items() if name != missing}
    declare(exchange, "pnr-analytical-police", waiting, **said)
    with pytest.raises(Refused) as refusal:
        journey.release(exchange.site, "pnr-analytical-police", waiting)
    assert refusal.value.code is Code.CONDITION_MISSING


@pytest.mark.clause("us-eu-pnr", "Art. 18(1)")
def test_each_finding_goes_to_its_addressee_alone(exchange: Exchange) -> None:
    rows = [
        row | {"analysis_no": f"ANL-2026-{number:06d}"}
        for number, row in enumerate(
            [row for addressed in FOR.values() for row in findings(2, seed=9, **addressed)]
            + findings(2, seed=9, addressee="MEMBER_STATE", member_state="DEU")
        )
    ]
    waiting = kept(exchange, FEED, FINDINGS.written(rows), "to-each")
    given: list[str] = []
    for agreement, said in DECLARED.items():
        declare(exchange, agreement, waiting, **said)
        _, part = released(exchange, agreement, waiting)
        given += part["analysis_no"].to_list()
    assert sorted(given) == [row["analysis_no"] for row in rows[:6]]


@pytest.mark.clause("us-eu-pnr", "Art. 17", "Art. 18(1)")
def test_what_may_not_be_used_in_court_does_not_go_to_the_judicial_agency(exchange: Exchange) -> None:
    row = findings(1, **FOR["pnr-analytical-eurojust"])[0]
    evaluated = row["marking"].rpartition("4x4")[2]
    marking = f"TLP:AMBER+STRICT | ORCON border-screening | EUROPOL H1 | 4x4{evaluated}"
    waiting = kept(exchange, FEED, FINDINGS.written([row | {"marking": marking}]), "not-in-court")
    declare(exchange, "pnr-analytical-eurojust", waiting, **COURT)
    with pytest.raises(Refused) as refusal:
        journey.release(exchange.site, "pnr-analytical-eurojust", waiting)
    assert refusal.value.code is Code.MARKING_FORBIDS


# What is never given


@pytest.mark.clause("us-eu-pnr", "Art. 18(1)")
def test_scores_rules_and_reviewers_stay_here(exchange: Exchange, key: str, catalogue: Catalogue) -> None:
    for agreement in DECLARED:
        columns = catalogue.agreement(agreement).columns
        assert all(isinstance(columns[name], Withhold) for name in NEVER_SHARED)
    given = cells((GOLDEN / "pnr-analytical.csv").read_bytes())
    secret = {row[name].encode() for row in given for name in ("rule_ids", "reviewed_by")}
    in_clear = exchange.everything_in_clear()
    assert [word for word in secret if word in in_clear] == []


@pytest.mark.clause("us-eu-pnr", "Art. 6(1)")
def test_words_of_an_analyst_are_filtered_like_those_of_a_carrier(exchange: Exchange, catalogue: Catalogue) -> None:
    for agreement in DECLARED:
        columns = catalogue.agreement(agreement).columns
        assert {name for name, said in columns.items() if isinstance(said, FilterTerms)} >= {"conclusion"}
    rows = findings(1, conclusion="Travels with insulin", **FOR["pnr-analytical-europol"])
    waiting = kept(exchange, FEED, FINDINGS.written(rows), "sensitive")
    declare(exchange, "pnr-analytical-europol", waiting, **TERROR)
    _, part = released(exchange, "pnr-analytical-europol", waiting)
    assert part["conclusion"].item() == "[MASKED:SENS]"

"""What does not hang together with the catalogue around it is told by key, with the reason and what to write instead."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.language.agreement import Agreement
from pipeline.core.language.feed import Feed
from pipeline.core.language.instrument import Instrument
from pipeline.core.language.partner import Partner
from pipeline.core.language.scope import RowRule
from pipeline.core.scope import Events, in_scope
from pipeline.core.soundness import Surroundings, citations, unsound
from tests.core.builders import CANARY, LAW, PLACES, agreement, code_list, columns, handling, instant

CLAUSES = {f"Art. {number}": {"says": "May be given.", "confidence": "found"} for number in range(1, 8)}
KEPT = columns(country="keep")
PERMITTED = ("Art. 1", "Art. 2", "Art. 3", "Art. 4")


def partner(id: str, **said: Any) -> Partner:
    return Partner.model_validate({"id": id, "title": "A partner", "role": "customs", "country": "NOR", **said})


def instrument(**said: Any) -> Instrument:
    return Instrument.model_validate(
        {
            "id": "test-instrument",
            "title": "A text",
            "kind": "agreement",
            "citation": "OJ 1",
            "parties": ["A", "B"],
            "programme": "Tests",
            "confidence": "design",
            "source": "test",
            "status": "in force",
            "exchanges_records": True,
            "clauses": CLAUSES,
            **said,
        }
    )


FEED = Feed.model_validate(
    {
        "id": "members",
        "title": "A feed",
        "partner": "giver",
        "schema": "members",
        "format": {"kind": "csv"},
        "acceptance": {"max_rejected_share": 0.1},
    }
)
LISTS = [code_list("NO", "DE"), code_list("SE", "FI", id="north"), code_list("NO", "SE", id="both")]


def around(*partners: Partner, text: Instrument | None = None, feeds: tuple[Feed, ...] = (FEED,)) -> Surroundings:
    known = {one.id: one for one in (partner("giver"), partner("taker"), *partners)}
    texts = text or instrument()
    return Surroundings(
        partners=known,
        feeds={feed.id: feed for feed in feeds},
        instruments={texts.id: texts},
        code_lists={listed.id: listed for listed in LISTS},
        hierarchies={PLACES.id: PLACES},
    )


def faults(surroundings: Surroundings | None = None, **said: Any) -> list[tuple[str, str]]:
    found = [(".".join(fault.keys), fault.message) for fault in unsound(agreement(**said), surroundings or around())]
    assert all(CANARY not in message for _, message in found)
    return found


def the_fault(surroundings: Surroundings | None = None, **said: Any) -> tuple[str, str]:
    (fault,) = faults(surroundings, **said)
    return fault


def rule(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "clause": "Art. 1", **said}


def test_an_agreement_that_hangs_together_has_no_fault() -> None:
    assert faults() == []
    assert (
        faults(
            rows=[rule("r", all=[{"column": "country", "in_codes": "listed"}])],
            columns=columns(
                country={"treatment": "generalise-code", "hierarchy": "places", "to": "continent"},
                name={"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "Art. 4"},
            ),
        )
        == []
    )


# Names


@pytest.mark.parametrize(
    ("said", "keys", "what"),
    [
        ({"recipient": "nobody"}, "recipient", "the partner nobody"),
        ({"instrument": "nothing"}, "instrument", "the instrument nothing"),
        ({"feeds": ["nothing"]}, "feeds", "the feed nothing"),
        (
            {"columns": columns(a={"treatment": "filter-terms", "codes": "gone"})},
            "columns.a.codes",
            "the code list gone",
        ),
        ({"columns": columns(a={"treatment": "split-text", "heads": "gone"})}, "columns.a.heads", "the code list gone"),
        (
            {"rows": [rule("r", all=[{"column": "a", "in_codes": "gone"}])]},
            "rows.0.all.0.in_codes",
            "the code list gone",
        ),
        (
            {"rows": [rule("r", any=[{"not": {"column": "a", "not_in_codes": "gone"}}])]},
            "rows.0.any.0.not.not_in_codes",
            "the code list gone",
        ),
        (
            {"columns": columns(a={"treatment": "generalise-code", "hierarchy": "gone", "to": "country"})},
            "columns.a.hierarchy",
            "the hierarchy gone",
        ),
        (
            {
                "columns": columns(
                    a={"treatment": "tokenise", "domain": "d", "reversible_by": "nobody", "reversal_clause": "Art. 2"}
                )
            },
            "columns.a.reversible_by",
            "the partner nobody",
        ),
    ],
)
def test_what_the_catalogue_does_not_have_is_told_where_it_is_named(said: dict[str, Any], keys: str, what: str) -> None:
    assert the_fault(**said) == (
        keys,
        f"names {what}, which the catalogue does not have or cannot read: correct the name, or add it",
    )


def test_a_provider_that_does_not_deliver_the_feed_is_told_who_does() -> None:
    assert the_fault(provider="taker") == ("provider", 'is not who delivers members: write provider = "giver"')
    found = faults(provider="nobody")
    assert [keys for keys, _ in found] == ["provider", "provider"]


def test_a_level_that_the_hierarchy_does_not_have_is_told_with_those_it_has() -> None:
    said = columns(a={"treatment": "generalise-code", "hierarchy": "places", "to": "planet"})
    assert the_fault(columns=said) == ("columns.a.to", "must be a level of places: country, continent")


def test_a_text_that_exchanges_no_records_carries_no_agreement() -> None:
    text = instrument(exchanges_records=False, clauses={}, commitments=["To meet"])
    keys, message = the_fault(around(text=text))
    assert keys == "instrument"
    assert "exchanges no records: name another text" in message


def test_names_are_told_before_what_leans_on_them() -> None:
    found = faults(recipient="nobody", instrument="nothing", declared={"purpose": "marketing"})
    assert [keys for keys, _ in found] == ["recipient", "instrument"]


# Clauses


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ({"purposes": {"control": {"clause": "Art. 99"}}}, "purposes.control.clause"),
        ({"conditions": {"case": {"kind": "case-reference", "clause": "Art. 99"}}}, "conditions.case.clause"),
        ({"rows": [{**rule("r", all=[{"column": "a", "any_of": ["x"]}]), "clause": "Art. 99"}]}, "rows.0.clause"),
        ({"columns": {**KEPT, "a": {"treatment": "withhold", "clause": "Art. 99"}}}, "columns.a.clause"),
        ({"columns": {"a": {"treatment": "keep", "clause": "Art. 1; Art. 99"}}}, "columns.a.clause"),
        (
            {
                "columns": columns(
                    a={"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "Art. 99"}
                )
            },
            "columns.a.reversal_clause",
        ),
        ({"statistics": {"count_as": "n", "smallest_cell": 5, "clause": "Art. 99"}}, "statistics.clause"),
        (
            {"risk": {"columns": ["country"], "smallest_group": 2, "otherwise": "report", "clause": "Art. 99"}},
            "risk.clause",
        ),
        (
            {"handling": handling(onward={"default": "deny", "says": "No.", "clause": "Art. 99"})},
            "handling.onward.clause",
        ),
        (
            {"handling": handling(retention={"clock": "loaded", "delete_after": "P1Y", "clause": "Art. 99"})},
            "handling.retention.clause",
        ),
        (
            {"handling": handling(delay={"clock": "loaded", "wait": "P1D", "clause": "Art. 99"})},
            "handling.delay.clause",
        ),
        ({"handling": handling(notices=[{"to": "x", "of": "y", "clause": "Art. 99"}])}, "handling.notices.0.clause"),
        (
            {"handling": handling(deadlines=[{"what": "w", "event": "e", "after": "P1D", "clause": "Art. 99"}])},
            "handling.deadlines.0.clause",
        ),
    ],
)
def test_a_clause_that_nobody_wrote_is_told_wherever_it_is_cited(said: dict[str, Any], keys: str) -> None:
    assert the_fault(**said) == (
        keys,
        "cites Art. 99, which neither test-instrument nor this file has: add it there, or here as "
        '[clauses."Art. 99"] with confidence = "design"',
    )


def test_every_rule_cites() -> None:
    """Where a rule has a clause, `citations` finds it: one is missing above when a model gets a new kind."""
    assert {keys[-1] for keys, _ in citations(agreement())} == {"clause"}
    assert {name for _, name in citations(agreement())} == set(PERMITTED)


def test_a_clause_of_the_agreements_own_may_be_cited_as_a_choice_of_its_authors() -> None:
    own = {"D1": {"says": "We chose so.", "confidence": "design"}}
    cites = {"country": {"treatment": "keep", "clause": "Art. 2; D1"}}
    assert faults(clauses=own, columns=cites) == []
    keys, message = the_fault(clauses={"D1": {**own["D1"], "confidence": "found"}}, columns=cites)
    assert keys == "clauses.D1.confidence"
    assert 'must be "design": what a text says belongs into catalogue/instruments/test-instrument.toml' in message


def test_a_clause_of_the_text_is_not_written_over() -> None:
    keys, message = the_fault(clauses={"Art. 1": {"says": "Otherwise.", "confidence": "design"}})
    assert keys == "clauses.Art. 1"
    assert "is a clause of test-instrument already: give it another name" in message


# Purpose, marking, clocks


def test_a_scheduled_purpose_is_one_that_is_allowed() -> None:
    keys, message = the_fault(declared={"purpose": "marketing"})
    assert keys == "declared.purpose"
    assert "write one of control" in message


CUI = {"tlp": "AMBER", "cui": ["PRVCY"], "designated_by": ["Agency"]}


@pytest.mark.parametrize(
    ("marking", "taker", "why"),
    [
        ({"tlp": "RED"}, {}, "TLP:RED is for named persons"),
        ({"tlp": "RED"}, {"audience": "community", "members": ["giver"]}, "TLP:RED is for named persons"),
        ({"tlp": "AMBER"}, {"audience": "community", "members": ["giver"]}, "goes no further than"),
        ({"tlp": "GREEN"}, {"audience": "public"}, "goes no further than community"),
        ({**CUI, "controls": ["NOFORN"]}, {}, "NOFORN does not let taker (NOR) have a copy"),
        ({**CUI, "rel_to": ["USA", "DEU"]}, {}, "REL TO does not let taker"),
        ({**CUI, "controls": ["FED ONLY"]}, {"country": "USA"}, "FED ONLY keeps it from taker"),
    ],
)
def test_a_marking_that_forbids_its_recipient_for_good_is_told_at_load(
    marking: dict[str, Any], taker: dict[str, Any], why: str
) -> None:
    found = faults(around(partner("taker", **taker)), handling=handling(marking=marking))
    assert {keys for keys, _ in found} == {"handling.marking"}
    assert why in found[0][1]
    assert "so that nothing could ever be released: " in found[0][1]


def test_a_marking_that_a_declaration_can_meet_is_no_fault() -> None:
    assert faults(handling=handling(marking={"tlp": "AMBER", "originators": ["agency"]})) == []


def test_a_downgrade_that_no_authority_can_make_is_told() -> None:
    raises = {"of": {"tlp": "GREEN"}, "to": {"tlp": "RED"}, "authority": "A", "reference": "R", "clause": "Art. 4"}
    keys, message = the_fault(handling=handling(downgrade=raises))
    assert keys == "handling.downgrade"
    assert "a downgrade only lowers" in message


def kept_for(retention: dict[str, Any], **column: Any) -> list[tuple[str, str]]:
    said = {"clock": "loaded", "delete_after": "P1Y", "clause": "Art. 3", **retention}
    return faults(
        handling=handling(retention=said), columns=columns(country={"treatment": "keep", **column}, status="keep")
    )


@pytest.mark.parametrize("dormant", ["P1Y", "P12M", "P2Y", "P366D"])
def test_what_is_dormant_is_not_yet_deleted(dormant: str) -> None:
    ((keys, message),) = kept_for({"dormant_after": dormant})
    assert keys == "handling.retention.dormant_after"
    assert "swap the two, or leave it out" in message
    assert kept_for({"dormant_after": "P11M"}) == []


@pytest.mark.parametrize(
    ("retention", "column", "outlives"),
    [
        ({}, {"until": "P13M"}, True),
        ({}, {"until": "P11M"}, False),
        ({}, {"until": "P1Y"}, False),
        ({}, {"until": "P1Y", "clock": "released"}, True),
        ({}, {"until": "P1Y", "clock": "received"}, False),
        ({}, {"until": "P9Y", "clock": "event"}, False),
        ({"delete_after": "P1M"}, {"until": "P31D"}, True),
        ({"delete_after": "P31D"}, {"until": "P1M"}, False),
    ],
)
def test_no_column_outlives_its_release(retention: dict[str, Any], column: dict[str, Any], outlives: bool) -> None:
    """Only where it is certain: clocks that cannot be compared are let be."""
    if "event" in column.values():
        retention = {**retention, "event": "end"}
    found = kept_for(retention, **column)
    assert [keys for keys, _ in found] == (["columns.country.until"] if outlives else [])
    assert all("shorten it, or leave it out" in message for _, message in found)


# Rules that no row can meet together


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ([{"all": [{"column": "a", "any_of": ["x"]}]}, {"all": [{"column": "a", "any_of": ["y"]}]}], 1),
        ([{"all": [{"column": "a", "any_of": ["x"]}, {"column": "a", "any_of": ["y"]}]}], 0),
        ([{"any": [{"column": "a", "in_codes": "listed"}]}, {"all": [{"column": "a", "in_codes": "north"}]}], 1),
        ([{"all": [{"column": "a", "in_codes": "listed"}]}, {"all": [{"column": "a", "any_of": ["SE"]}]}], 1),
        ([{"all": [{"column": "a", "any_of": ["x", "y"]}, {"column": "a", "none_of": ["x", "y", "z"]}]}], 0),
        ([{"all": [{"column": "a", "none_of": ["x"]}]}, {"all": [{"column": "a", "any_of": ["x"]}]}], 1),
        ([{"all": [{"column": "a", "in_codes": "listed"}]}, {"all": [{"column": "a", "not_in_codes": "listed"}]}], 1),
        ([{"all": [{"all": [{"column": "a", "any_of": ["x"]}]}, {"any": [{"column": "a", "any_of": ["y"]}]}]}], 0),
        ([{"all": [{"column": "a", "exists": False}]}, {"all": [{"column": "a", "any_of": ["x"]}]}], 1),
        ([{"all": [{"column": "a", "exists": False}, {"column": "a", "exists": True}]}], 0),
        ([{"all": [{"column": "a", "exists": False}, {"column": "a", "none_of": ["x"]}]}], 0),
        (
            [
                {"all": [{"column": "a", "in_codes": "both"}]},
                {"all": [{"column": "b", "any_of": ["x"]}]},
                {"all": [{"column": "a", "in_codes": "listed"}]},
                {"all": [{"column": "a", "in_codes": "north"}]},
            ],
            3,
        ),
    ],
)
def test_rules_that_no_row_can_meet_together_would_release_nothing(asked: list[dict[str, Any]], at: int) -> None:
    keys, message = the_fault(rows=[rule(f"rule-{index}", **one) for index, one in enumerate(asked)])
    assert keys == f"rows.{at}"
    assert f"rule-{at}: no value of a meets this rule and those before it" in message
    assert "let them overlap" in message


@pytest.mark.parametrize(
    "asked",
    [
        [{"all": [{"column": "a", "any_of": ["x"]}]}, {"all": [{"column": "b", "any_of": ["y"]}]}],
        [{"any": [{"column": "a", "any_of": ["x"]}, {"column": "a", "any_of": ["y"]}]}],
        [{"all": [{"column": "a", "any_of": ["x"]}]}, {"all": [{"not": {"column": "a", "any_of": ["y"]}}]}],
        [{"all": [{"column": "a", "in_codes": "both"}]}, {"all": [{"column": "a", "in_codes": "listed"}]}],
        [{"all": [{"column": "a", "none_of": ["x"]}]}, {"all": [{"column": "a", "none_of": ["y"]}]}],
        [{"all": [{"column": "a", "exists": False}]}],
        [{"all": [{"column": "a", "exists": True}, {"column": "a", "any_of": ["x"]}]}],
    ],
)
def test_rules_that_some_row_can_meet_are_no_fault(asked: list[dict[str, Any]]) -> None:
    assert faults(rows=[rule(f"rule-{index}", **one) for index, one in enumerate(asked)]) == []


def test_a_code_that_lapses_is_not_forbidden_for_good() -> None:
    lapsing = LISTS[0].model_copy(update={"id": "lapsing", "lapses": {"NO": date(2026, 1, 1)}})
    surroundings = replace(around(), code_lists={"lapsing": lapsing})
    forbidden = {"column": "a", "not_in_codes": "lapsing"}
    for values, found in ((["NO"], 0), (["DE"], 1), (["NO", "DE"], 0)):
        rows = [rule("r", all=[forbidden, {"column": "a", "any_of": values}])]
        assert len(faults(surroundings, rows=rows)) == found


VALUES = ["NO", "DE", "SE", None]
ASKS = st.one_of(
    st.fixed_dictionaries({"column": st.just("a"), "any_of": st.lists(st.sampled_from(VALUES[:3]), min_size=1)}),
    st.fixed_dictionaries({"column": st.just("a"), "none_of": st.lists(st.sampled_from(VALUES[:3]), min_size=1)}),
    st.fixed_dictionaries({"column": st.just("a"), "in_codes": st.sampled_from(["listed", "north", "both"])}),
    st.fixed_dictionaries({"column": st.just("a"), "not_in_codes": st.sampled_from(["listed", "north", "both"])}),
    st.fixed_dictionaries({"column": st.just("a"), "exists": st.booleans()}),
)


@LAW
@given(st.lists(st.lists(ASKS, min_size=1, max_size=3), min_size=1, max_size=3))
def test_no_rules_are_called_impossible_that_a_row_can_meet_nor_the_other_way_round(
    asked: list[list[dict[str, Any]]],
) -> None:
    rules = [rule(f"rule-{index}", all=one) for index, one in enumerate(asked)]
    events = Events(instant(2025), instant(2025))
    lists = {listed.id: listed for listed in LISTS}
    every = pl.DataFrame({"a": pl.Series([*VALUES, "FI", "other", ""], dtype=pl.String)})
    meets = every.select(
        pl.all_horizontal(in_scope(RowRule.model_validate(one), lists, events) for one in rules)
    ).to_series()
    assert bool(faults(rows=rules)) is not meets.any()


def test_faults_come_one_by_one() -> None:
    """The first can be told without looking for all."""
    found: Iterator[Any] = unsound(agreement(recipient="nobody"), around())
    assert next(found).keys == ("recipient",)
    assert isinstance(agreement(), Agreement)

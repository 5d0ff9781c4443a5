"""What a purpose asks for is shown, or the release is blocked and everything that is missing is named at once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from pipeline.cli import app
from pipeline.core.conditions import Shown, shown_for
from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.purpose import Declaration
from tests.core.builders import CANARY, LAW, agreement, assert_silent

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)

CONDITIONS: dict[str, dict[str, Any]] = {
    "case": {"kind": "case-reference"},
    "grave": {"kind": "offence-threshold", "at_least_years": 3, "tests": ["two-countries", "planned-abroad"]},
    "long": {"kind": "offence-threshold", "at_least_years": 3},
    "understanding": {"kind": "express-understanding"},
    "consent": {"kind": "originator-consent", "originator": "agency-a"},
    "review": {"kind": "human-review"},
    "notice": {"kind": "third-party-notice", "to": "member-state"},
    "order": {"kind": "authority", "of": "court"},
}
SHOWN: dict[str, dict[str, Any]] = {
    "case": {"case_reference": "2026/114"},
    "grave": {"offence": {"most_years": 5, "tests": ["planned-abroad"]}},
    "long": {"offence": {"most_years": 3}},
    "understanding": {"understanding": "Letter 7"},
    "consent": {"consents": {"agency-a": "A-12"}},
    "review": {"reviewed": {"by": "J. Example", "at": AT}},
    "notice": {"notices": {"member-state": "N-3"}},
    "order": {"authorities": {"court": "Order 9"}},
}
BY = {
    "case": "2026/114",
    "grave": "5 years, planned-abroad",
    "long": "3 years",
    "understanding": "Letter 7",
    "consent": "A-12",
    "review": f"J. Example, {AT.isoformat()}",
    "notice": "N-3",
    "order": "Order 9",
}
OPTION = {
    "case": "--case REFERENCE",
    "grave": "--years 3 or more --test one of two-countries, planned-abroad",
    "long": "--years 3 or more",
    "understanding": "--understanding REFERENCE",
    "consent": "--consent agency-a=REFERENCE",
    "review": "--reviewed-by NAME",
    "notice": "--notice member-state=REFERENCE",
    "order": "--authority court=REFERENCE",
}
INSUFFICIENT: list[tuple[str, dict[str, Any]]] = [
    ("grave", {"offence": {"most_years": 2, "tests": ["two-countries"]}}),
    ("grave", {"offence": {"most_years": 5}}),
    ("grave", {"offence": {"most_years": 5, "tests": ["another"]}}),
    ("long", {"offence": {"most_years": 2}}),
    ("consent", {"consents": {"agency-b": "A-12"}}),
    ("notice", {"notices": {"another": "N-3"}}),
    ("order", {"authorities": {"manager": "Order 9"}}),
    ("case", {"understanding": "2026/114"}),
]


def asking(*names: str, of_purpose: tuple[str, ...] = (), of_another: tuple[str, ...] = ()) -> Agreement:
    """An agreement that asks `names` of every release, and others of its two purposes."""
    return agreement(
        purposes={
            "control": {"clause": "Art. 1", "requires": of_purpose},
            "audit": {"clause": "Art. 1", "requires": of_another},
        },
        conditions={name: {"clause": f"Art. {name}", **said} for name, said in CONDITIONS.items()},
        requires=names,
    )


def declaring(*shown: dict[str, Any], purpose: str = "control") -> Declaration:
    said: dict[str, Any] = {"purpose": purpose}
    for one in shown:
        said |= one
    return Declaration.model_validate(said)


def refused(asked: Agreement, declaration: Declaration) -> Refused:
    with pytest.raises(Refused) as caught:
        shown_for(asked, declaration)
    assert_silent(caught.value, CANARY)
    return caught.value


def test_every_kind_is_tried() -> None:
    kinds = {said["kind"] for said in CONDITIONS.values()}
    assert kinds == {
        *("case-reference", "offence-threshold", "express-understanding", "originator-consent"),
        *("human-review", "third-party-notice", "authority"),
    }


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_that_is_shown_is_met_and_says_by_what(name: str) -> None:
    (shown,) = shown_for(asking(name), declaring(SHOWN[name]))
    assert shown == Shown(name, CONDITIONS[name]["kind"], f"Art. {name}", BY[name])


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_that_is_not_shown_blocks_with_what_to_write(name: str) -> None:
    others: dict[str, Any] = {}
    for other, said in SHOWN.items():
        if said.keys() != SHOWN[name].keys():
            others |= SHOWN[other]
    error = refused(asking(name), declaring(others))
    assert error.code is Code.CONDITION_MISSING
    assert error.message == f"agreement test-agreement: for control it is not shown: {name} ({OPTION[name]})."
    assert "safeconduct declare test-agreement" in error.next_step


@pytest.mark.parametrize(("name", "shown"), INSUFFICIENT)
def test_what_is_shown_but_not_enough_blocks_as_if_it_were_missing(name: str, shown: dict[str, Any]) -> None:
    error = refused(asking(name), declaring(shown))
    assert error.code is Code.CONDITION_MISSING
    assert OPTION[name] in error.message


@pytest.mark.parametrize(("years", "met"), [(0, False), (2, False), (3, True), (4, True), (99, True)])
def test_an_offence_threshold_includes_its_figure(years: int, met: bool) -> None:
    declaration = declaring({"offence": {"most_years": years}})
    if met:
        assert shown_for(asking("long"), declaration)
    else:
        assert refused(asking("long"), declaration)


def test_every_missing_condition_is_named_at_once() -> None:
    error = refused(asking(*CONDITIONS), declaring(SHOWN["case"]))
    assert all(f"{name} ({OPTION[name]})" in error.message for name in CONDITIONS if name != "case")
    assert OPTION["case"] not in error.message


def test_what_a_message_tells_to_write_are_options_of_the_command() -> None:
    declare = get_command(app).commands["declare"]  # type: ignore[attr-defined]
    options = {name for parameter in declare.params for name in parameter.opts}
    told = {word for said in OPTION.values() for word in said.split() if word.startswith("--")}
    assert told <= options


def test_a_purpose_that_is_not_allowed_is_refused_with_those_that_are() -> None:
    error = refused(asking(), declaring(purpose="marketing"))
    assert error.code is Code.PURPOSE_NOT_ALLOWED
    assert "control, audit" in error.next_step


def test_what_one_purpose_asks_for_is_not_asked_of_another() -> None:
    asked = asking("case", of_purpose=("review",), of_another=("order",))
    assert [shown.condition for shown in shown_for(asked, declaring(SHOWN["case"], SHOWN["review"]))] == [
        "case",
        "review",
    ]
    error = refused(asked, declaring(SHOWN["case"], SHOWN["review"], purpose="audit"))
    assert OPTION["order"] in error.message
    assert OPTION["review"] not in error.message


def test_a_condition_that_both_ask_for_is_stated_once() -> None:
    shown = shown_for(asking("case", of_purpose=("case",)), declaring(SHOWN["case"]))
    assert [one.condition for one in shown] == ["case"]


def test_no_message_repeats_what_was_declared() -> None:
    said = {"case_reference": CANARY, "understanding": CANARY, "consents": {"agency-b": CANARY}}
    refused(asking("consent", "order"), declaring(said))
    refused(asking("order"), declaring({**said, "reviewed": {"by": CANARY, "at": AT}}, purpose="marketing"))


@LAW
@given(st.sets(st.sampled_from(sorted(CONDITIONS))), st.sets(st.sampled_from(sorted(CONDITIONS))), st.booleans())
def test_a_release_is_let_through_only_where_nothing_is_missing(asked: set[str], shown: set[str], of_all: bool) -> None:
    """`grave` and `long` are about one offence: that of `grave` shows both."""
    said = [SHOWN[name] for name in sorted(shown, key=lambda name: name == "grave")]
    met = shown | ({"long"} if "grave" in shown else set())
    stated = asking(*sorted(asked)) if of_all else asking(of_purpose=tuple(sorted(asked)))
    if asked <= met:
        assert {one.condition for one in shown_for(stated, declaring(*said))} == asked
        assert all(one.by for one in shown_for(stated, declaring(*said)))
    else:
        error = refused(stated, declaring(*said))
        assert all((f"{name} (" in error.message) is (name in asked - met) for name in CONDITIONS)

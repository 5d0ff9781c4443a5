"""What the catalogue's models take, and that what they refuse is named by its place and never repeated."""

import datetime
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.core import language
from pipeline.core.language import (
    agreement,
    clause,
    codes,
    feed,
    handling,
    instrument,
    marking,
    partner,
    purpose,
    scope,
    standing,
    treatment,
)
from pipeline.core.language.policy import Cited, Id, Policy, Word, cited
from tests.core.builders import CANARY, instant, stated

DAY = datetime.date(2026, 1, 1)
KEEP = {"treatment": "keep", "clause": "c"}
ASKS = {"column": "a", "any_of": ["x"]}
MARKING = {"tlp": "AMBER"}
RETENTION = {"clock": "loaded", "delete_after": "P1Y", "clause": "c"}
ONWARD = {"default": "deny", "says": "No.", "clause": "c"}

FINE: dict[type[Policy], dict[str, Any]] = {
    agreement.Agreement: stated(),
    agreement.Approval: {"by": "A Person", "role": "privacy officer", "at": instant(2026), "widening": "0f" * 32},
    agreement.Case: {"title": "t", "row": {"a": "x"}, "released": {"a": "x"}},
    agreement.Risk: {"columns": ["a"], "smallest_group": 5, "otherwise": "refuse", "clause": "c"},
    clause.Clause: {"says": "May be given.", "confidence": "found"},
    codes.CodeList: {"id": "codes", "title": "A list", "agreed_on": DAY, "source": "test", "codes": ["NO", "A B"]},
    codes.Hierarchy: {
        "id": "places",
        "title": "Places",
        "agreed_on": DAY,
        "source": "test",
        "levels": ["country"],
        "parents": {"JFK": ["USA"]},
    },
    feed.Acceptance: {"max_rejected_share": 0.05},
    feed.Expected: {"cron": "0 3 * * *", "within": "PT3H", "every": "P1D"},
    feed.Feed: {
        "id": "members",
        "title": "A feed",
        "partner": "giver",
        "schema": "members",
        "format": {"kind": "csv"},
        "acceptance": {"max_rejected_share": 0.05},
    },
    feed.FeedLimits: {},
    handling.Deadline: {"what": "Sent", "event": "departure", "before": "PT96H", "clause": "c"},
    handling.Delay: {"clock": "loaded", "wait": "P1D", "clause": "c"},
    handling.Handling: {"marking": MARKING, "onward": ONWARD, "retention": RETENTION},
    handling.Notice: {"to": "The giver", "of": "a transfer", "clause": "c"},
    handling.Onward: ONWARD,
    handling.Retention: RETENTION,
    instrument.Instrument: {
        "id": "text",
        "title": "A text",
        "kind": "agreement",
        "citation": "OJ 1",
        "parties": ["A", "B"],
        "programme": "Tests",
        "confidence": "design",
        "source": "test",
        "status": "in force",
        "exchanges_records": True,
    },
    instrument.Review: {"next": DAY},
    marking.Downgrade: {
        "of": {"tlp": "RED"},
        "to": MARKING,
        "authority": "Chief",
        "reference": "7/2026",
        "clause": "c",
    },
    marking.Europol: {"codes": ["H0"]},
    marking.Evaluation: {"source": "A", "information": 1},
    marking.Marking: MARKING,
    partner.Partner: {"id": "giver", "title": "A partner", "role": "customs", "country": "NOR"},
    purpose.Authority: {"kind": "authority", "of": "court", "clause": "c"},
    purpose.CaseReference: {"kind": "case-reference", "clause": "c"},
    purpose.Declaration: {"purpose": "control"},
    purpose.ExpressUnderstanding: {"kind": "express-understanding", "clause": "c"},
    purpose.HumanReview: {"kind": "human-review", "clause": "c"},
    purpose.Offence: {"most_years": 3},
    purpose.OffenceThreshold: {"kind": "offence-threshold", "at_least_years": 3, "clause": "c"},
    purpose.OriginatorConsent: {"kind": "originator-consent", "originator": "agency", "clause": "c"},
    purpose.Purpose: {"clause": "c"},
    purpose.Reviewed: {"by": "A Person", "at": instant(2026)},
    purpose.ThirdPartyNotice: {"kind": "third-party-notice", "to": "agency", "clause": "c"},
    scope.AllOf: {"all": [ASKS]},
    scope.AnyOf: {"any": [ASKS]},
    scope.Asks: ASKS,
    scope.Moment: {"event": "released"},
    scope.Not: {"not": ASKS},
    scope.RowRule: {"name": "r", "any": [ASKS], "clause": "c"},
    standing.Change: {"to": "active", "since": instant(2020), "reason": "signed"},
    standing.InForce: {"from": instant(2020), "until": instant(2030)},
    treatment.Answer: {"treatment": "answer", "answers": {"HIT": ["x"]}, "otherwise": "NON", "clause": "c"},
    treatment.Constant: {"treatment": "constant", "value": "x", "clause": "c"},
    treatment.FilterTerms: {"treatment": "filter-terms", "codes": "listed", "clause": "c"},
    treatment.GeneraliseCode: {"treatment": "generalise-code", "characters": 2, "clause": "c"},
    treatment.GeneraliseDate: {"treatment": "generalise-date", "to": "year", "clause": "c"},
    treatment.GeneraliseNumber: {"treatment": "generalise-number", "width": 10, "clause": "c"},
    treatment.Keep: KEEP,
    treatment.Mask: {"treatment": "mask", "clause": "c"},
    treatment.Pseudonymise: {"treatment": "pseudonymise", "domain": "d", "clause": "c"},
    treatment.Round: {"treatment": "round", "to": "5", "clause": "c"},
    treatment.SplitText: {"treatment": "split-text", "heads": "listed", "clause": "c"},
    treatment.Statistics: {"count_as": "n", "smallest_cell": 5, "clause": "c"},
    treatment.Tokenise: {
        "treatment": "tokenise",
        "domain": "d",
        "reversible_by": "giver",
        "reversal_clause": "c",
        "clause": "c",
    },
    treatment.Truncate: {"treatment": "truncate", "first": 2, "clause": "c"},
    treatment.Withhold: {"treatment": "withhold", "clause": "c"},
}
"""Of each model the least that a file must say, and what goes with it."""

MODELS = sorted(FINE, key=lambda model: model.__name__)
WRONG: tuple[object, ...] = (12345, 1.5, [CANARY, [CANARY]], {"x": [CANARY]}, None, True, DAY, "\n")
TAKEN: dict[str, type] = {
    **dict.fromkeys(["version", "smallest_group", "smallest_cell", "at_least_years", "width"], int),
    **dict.fromkeys(
        ["title", "says", "source", "citation", "programme", "reason", "authority", "reference", "role"], str
    ),
    **dict.fromkeys(["what", "event", "to", "of", "cron"], str),
    **dict.fromkeys(["agreed_on", "next"], datetime.date),
    **dict.fromkeys(["declared", "released"], type(None)),
    "exchanges_records": bool,
    "parents": dict,
}
"""Of which of those types some keys may be."""


def with_at(whole: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of `whole` with `value` at a dotted path."""
    head, _, rest = path.partition(".")
    if not rest:
        return {**whole, head: value}
    return {**whole, head: with_at(whole.get(head, {}), rest, value)}


def refusal(model: type[Policy], whole: dict[str, Any]) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(whole)
    assert CANARY not in str(refused.value)
    assert CANARY not in repr(refused.value)
    return refused.value


def places(error: ValidationError) -> set[str]:
    return {".".join(str(part) for part in fault["loc"]) for fault in error.errors(include_input=False)}


def models(of: type[Policy] = Policy) -> Iterator[type[Policy]]:
    for model in of.__subclasses__():
        if not model.__name__.startswith("_"):
            yield model
        yield from models(model)


def test_every_model_of_the_language_is_tried_here() -> None:
    for module in pkgutil.iter_modules(language.__path__):
        importlib.import_module(f"{language.__name__}.{module.name}")
    of_deliveries = {feed.__name__, f"{language.__name__}.wire"}  # their own kinds are tried with their readers
    said = {model for model in models() if model.__module__.startswith(language.__name__)}
    assert {model for model in said if model.__module__ not in of_deliveries} <= set(FINE) <= said


@pytest.mark.parametrize("model", MODELS)
def test_the_least_that_can_be_said_is_taken(model: type[Policy]) -> None:
    assert model.model_validate(FINE[model])


@pytest.mark.parametrize("model", MODELS)
def test_an_unknown_key_is_refused(model: type[Policy]) -> None:
    assert places(refusal(model, {**FINE[model], "surprise": CANARY})) == {"surprise"}


@pytest.mark.parametrize("model", MODELS)
def test_a_key_by_the_name_that_the_code_has_for_it_is_unknown(model: type[Policy]) -> None:
    for name, field in model.model_fields.items():
        if field.alias and field.alias != name:
            assert name in places(refusal(model, {**FINE[model], name: CANARY}))


@pytest.mark.parametrize(
    ("model", "key"),
    [(model, key) for model in MODELS for key in FINE[model]],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_value_of_another_type_is_refused_at_its_key(model: type[Policy], key: str) -> None:
    for wrong in WRONG:
        if type(wrong) is TAKEN.get(key):
            continue
        assert any(place.split(".")[0] in (key, "") for place in places(refusal(model, {**FINE[model], key: wrong}))), (
            wrong
        )


@pytest.mark.parametrize("model", MODELS)
def test_a_required_key_that_is_missing_is_refused_at_its_place(model: type[Policy]) -> None:
    for name, field in model.model_fields.items():
        key = field.alias or name
        if field.is_required():
            whole = {other: value for other, value in FINE[model].items() if other != key}
            assert places(refusal(model, whole)) == {key}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_frozen(model: type[Policy]) -> None:
    one = model.model_validate(FINE[model])
    for name in model.model_fields:
        with pytest.raises(ValidationError):
            setattr(one, name, CANARY)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_read_strictly_and_shows_no_input(model: type[Policy]) -> None:
    assert model.model_config["strict"] is True
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"] is True
    assert model.model_config["hide_input_in_errors"] is True


BAD_IDS = [
    *(
        "",
        "../x",
        "a/b",
        "a\\b",
        ".",
        "..",
        "A",
        "aB",
        "a_b",
        "a b",
        "-a",
        "a-",
        "a--b",
        "a\n",
        "\na",
        "a\x00",
        "é",
        "а",
    ),
    *("a.b", "a:b", "x" * 65, "a b", "%2e%2e", "a*", "~a", "$a"),
]


@pytest.mark.parametrize("id", BAD_IDS)
def test_a_bad_id_is_refused_wherever_one_stands(id: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Id).validate_python(id)
    named: dict[type[Policy], tuple[str, ...]] = {
        agreement.Agreement: ("id", "instrument", "provider", "recipient", "pseudonym_epoch", "declared.purpose"),
        feed.Feed: ("id", "partner"),
        partner.Partner: ("id",),
        codes.CodeList: ("id",),
        codes.Hierarchy: ("id",),
        instrument.Instrument: ("id",),
        scope.RowRule: ("name",),
        scope.Asks: ("in_codes", "not_in_codes"),
        purpose.OriginatorConsent: ("originator",),
        treatment.Pseudonymise: ("domain",),
    }
    for model, paths in named.items():
        for path in paths:
            assert path in places(refusal(model, with_at(FINE[model], path, id)))


@pytest.mark.parametrize("id", ["a", "0", "a-b", "pnr-push", "us-eu-2012-pnr", "x" * 64])
def test_a_good_id_is_taken(id: str) -> None:
    assert TypeAdapter(Id).validate_python(id) == id


@pytest.mark.parametrize("name", ["", "A", "_position", "1a", "a-b", "a b", "a\n", "é", "x" * 65])
def test_a_bad_column_name_is_refused(name: str) -> None:
    refusal(agreement.Agreement, stated(columns={name: KEEP}))
    refusal(scope.Asks, {**ASKS, "column": name})
    refusal(scope.Moment, {"event": name})


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Annex 4", ("Annex 4",)),
        ("Annex 4; Art. 8(2)(a)", ("Annex 4", "Art. 8(2)(a)")),
        (" Annex 4 ;D1 ", ("Annex 4", "D1")),
    ],
)
def test_a_citation_names_clauses(said: str, names: tuple[str, ...]) -> None:
    assert cited(TypeAdapter(Cited).validate_python(said)) == names


@pytest.mark.parametrize("said", ["", " ", "\n", ";", "Annex 4;", "; D1", "Annex 4; ; D1", 4, None])
def test_a_citation_of_nothing_is_refused(said: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Cited).validate_python(said)


@pytest.mark.parametrize(
    "word",
    [
        *("", " ", "\n", " NO", "NO ", "A\nB", "A\rB", "A\tB", "A\u2028B", "\u00a0", "x" * 201),
        *("A\x00", "\x1b[2JA", "A\u202eB", "\u200b", "A\x85B"),
    ],
)
def test_a_blank_or_padded_code_term_or_reference_is_refused(word: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Word).validate_python(word)
    for whole in ({"codes": ["NO", word]}, {"terms": [word]}):
        refusal(codes.CodeList, {**FINE[codes.CodeList], **whole})
    refusal(purpose.Declaration, {"purpose": "control", "case_reference": word})
    refusal(purpose.Declaration, {"purpose": "control", "consents": {"agency": word}})


def test_a_code_list_without_codes_is_refused() -> None:
    refusal(codes.CodeList, {**FINE[codes.CodeList], "codes": []})


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": []},
        {"parents": {}},
        {"parents": {"JFK": []}},
        {"parents": {"JFK": ["USA", "Americas"]}},
        {"parents": {"JFK": ["USA"], "YUL": []}},
        {"levels": ["country", "continent"]},
        {"parents": {"JFK": ["JFK"]}},
    ],
)
def test_a_hierarchy_has_every_level_for_every_code_and_none_of_them_is_the_code(changes: dict[str, Any]) -> None:
    refusal(codes.Hierarchy, {**FINE[codes.Hierarchy], **changes})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", {"kind": "xlsx"}),
        ("format", {"kind": "csv", "delimiter": ",,"}),
        ("format", {"kind": "csv", "delimiter": ",\n"}),
        ("format", {"kind": "csv", "delimiter": ""}),
        ("format", {"kind": "pnrgov", "delimiter": ","}),
        ("acceptance", {"max_rejected_share": 1.01}),
        ("acceptance", {"max_rejected_share": -0.01}),
        ("acceptance", {"max_rejected_share": float("nan")}),
        ("acceptance", {"max_rejected_share": float("inf")}),
        ("acceptance", {"max_rejected_share": "0.1"}),
        ("acceptance", {"max_rejected_share": 0.1, "min_rows": -1}),
        ("acceptance", {"max_rejected_share": 0.1, "min_rows": True}),
        ("acceptance", {}),
        ("limits", {"max_bytes": 0}),
        ("limits", {"max_rows": 1.5}),
        ("limits", {"max_cell_bytes": "1"}),
        ("limits", {"max_files": 1}),
        ("expected", {"cron": "0 3 * * *", "within": "3h", "every": "P1D"}),
        ("expected", {"cron": "", "within": "PT3H", "every": "P1D"}),
        ("sealed", True),
        ("signed", "yes"),
        ("schema", "../../x"),
        ("schema", "os.path"),
        ("marking_column", "Marking"),
    ],
)
def test_a_feed_that_is_not_clear_is_refused(path: str, value: object) -> None:
    refusal(feed.Feed, with_at(FINE[feed.Feed], path, value))


def test_a_sealed_feed_that_is_signed_is_taken() -> None:
    assert feed.Feed.model_validate({**FINE[feed.Feed], "sealed": True, "signed": True}).sealed


@pytest.mark.parametrize(
    "changes",
    [
        *({"country": country} for country in ("NO", "nor", "NOOR", "N0R", "NOR\n", "")),
        {"members": ["a"]},
        {"audience": "community"},
        {"audience": "community", "members": []},
        {"role": "public"},
        {"sector": "federal"},
        {"audience": "everybody"},
    ],
)
def test_a_partner_that_is_nobody_or_two_things_is_refused(changes: dict[str, Any]) -> None:
    refusal(partner.Partner, {**FINE[partner.Partner], **changes})

"""What the catalogue's models take, and that what they refuse is named by its place and never repeated."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from pipeline.core.agreement import Agreement, CodeList
from pipeline.core.feed import Feed
from pipeline.core.partner import Partner
from pipeline.core.policy import Id
from tests.core.builders import CANARY, columns, instant, stated

FEED: dict[str, Any] = {
    "id": "members",
    "title": "A feed",
    "partner": "giver",
    "schema": "members",
    "format": {"kind": "csv"},
    "acceptance": {"max_rejected_share": 0.05},
}
PARTNER: dict[str, Any] = {"id": "giver", "title": "A partner", "role": "customs", "country": "NOR"}
CODES: dict[str, Any] = {
    "id": "codes",
    "title": "A list",
    "agreed_on": datetime.date(2026, 1, 1),
    "source": "test",
    "codes": ["NO", "A B"],
}
FINE: dict[type[BaseModel], Callable[[], dict[str, Any]]] = {
    Agreement: stated,
    Feed: lambda: dict(FEED),
    Partner: lambda: dict(PARTNER),
    CodeList: lambda: dict(CODES),
}
MODELS = sorted(FINE, key=lambda model: model.__name__)


def with_at(whole: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of `whole` with `value` at a dotted path."""
    head, _, rest = path.partition(".")
    if not rest:
        return {**whole, head: value}
    return {**whole, head: with_at(whole.get(head, {}), rest, value)}


def refusal(model: type[BaseModel], whole: dict[str, Any]) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(whole)
    assert CANARY not in str(refused.value)
    assert CANARY not in repr(refused.value)
    return refused.value


def places(error: ValidationError) -> set[str]:
    return {".".join(str(part) for part in fault["loc"]) for fault in error.errors(include_input=False)}


@pytest.mark.parametrize("model", MODELS)
def test_a_fine_file_is_taken(model: type[BaseModel]) -> None:
    assert model.model_validate(FINE[model]())


@pytest.mark.parametrize("model", MODELS)
def test_an_unknown_key_is_refused(model: type[BaseModel]) -> None:
    error = refusal(model, {**FINE[model](), "surprise": CANARY})
    assert places(error) == {"surprise"}


@pytest.mark.parametrize(
    ("model", "key"),
    [(model, key) for model in MODELS for key in FINE[model]()],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_key_must_be_there_and_of_its_type(model: type[BaseModel], key: str) -> None:
    whole = FINE[model]()
    for wrong in (12345, [CANARY, [CANARY]], {"x": CANARY}, None, True):
        assert any(place.split(".")[0] == key for place in places(refusal(model, {**whole, key: wrong})))
    del whole[key]
    assert places(refusal(model, whole)) == {key}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_frozen(model: type[BaseModel]) -> None:
    one = model.model_validate(FINE[model]())
    with pytest.raises(ValidationError):
        one.title = CANARY  # type: ignore[attr-defined]


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
    named: dict[type[BaseModel], tuple[str, ...]] = {
        Agreement: ("id", "provider", "recipient", "pseudonym_epoch", "purposes.declared"),
        Feed: ("id", "partner"),
        Partner: ("id",),
        CodeList: ("id",),
    }
    for model, paths in named.items():
        for path in paths:
            assert path in places(refusal(model, with_at(FINE[model](), path, id)))


@pytest.mark.parametrize("id", ["a", "0", "a-b", "pnr-push", "us-eu-2012-pnr", "x" * 64])
def test_a_good_id_is_taken(id: str) -> None:
    assert TypeAdapter(Id).validate_python(id) == id


@pytest.mark.parametrize("name", ["", "A", "_position", "1a", "a-b", "a b", "a\n", "é", "x" * 65])
def test_a_bad_column_name_is_refused(name: str) -> None:
    refusal(Agreement, stated(columns={name: {"treatment": "keep", "clause": "c"}}))


KEEP = {"treatment": "keep", "clause": "c"}
ROW_RULE = {"name": "r", "clause": "c", "any": [{"column": "a", "any_of": ["x"]}]}


def row_rule(**changes: Any) -> dict[str, Any]:
    return stated(rows=[{key: value for key, value in {**ROW_RULE, **changes}.items() if value != "gone"}])


def asking(**condition: Any) -> dict[str, Any]:
    return row_rule(any=[{"column": "a", **condition}])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no columns": (stated(columns={}), "columns"),
    "no feeds": (stated(feeds=[]), "feeds"),
    "two feeds": (stated(feeds=["a", "b"]), "feeds"),
    "no purposes": (with_at(stated(), "purposes.allow", []), "purposes.allow"),
    "blank clause": (with_at(stated(), "purposes.clause", " \n"), "purposes.clause"),
    "column without clause": (stated(columns={"a": {"treatment": "keep"}}), "columns.a.keep.clause"),
    "column without treatment": (stated(columns={"a": {"clause": "c"}}), "columns.a"),
    "unknown treatment": (stated(columns=columns(a=CANARY.lower())), "columns.a"),
    "setting of another treatment": (stated(columns={"a": {**KEEP, "domain": CANARY}}), "columns.a.keep.domain"),
    "pseudonym without domain": (stated(columns=columns(a="pseudonymise")), "columns.a.pseudonymise.domain"),
    "mask shows too much": (
        stated(columns=columns(a={"treatment": "mask", "keep_first": 7})),
        "columns.a.mask.keep_first",
    ),
    "mask shows less than nothing": (
        stated(columns=columns(a={"treatment": "mask", "keep_last": -1})),
        "columns.a.mask.keep_last",
    ),
    "mask shows true": (
        stated(columns=columns(a={"treatment": "mask", "keep_last": True})),
        "columns.a.mask.keep_last",
    ),
    "date to the day": (
        stated(columns=columns(a={"treatment": "generalise-date", "to": "day"})),
        "columns.a.generalise-date.to",
    ),
    "clock that is none": (stated(columns={"a": {**KEEP, "until": "six months"}}), "columns.a.keep.until"),
    "time without zone": (
        with_at(stated(), "in_force.from", datetime.datetime(2020, 1, 1)),  # noqa: DTZ001
        "in_force.from",
    ),
    "day instead of instant": (with_at(stated(), "in_force.until", datetime.date(2030, 1, 1)), "in_force.until"),
    "instant as text": (with_at(stated(), "in_force.until", "2030-01-01T00:00:00Z"), "in_force.until"),
    "ends when it begins": (stated(in_force={"from": instant(2020), "until": instant(2020)}), "in_force"),
    "ends before it begins": (stated(in_force={"from": instant(2020), "until": instant(2019)}), "in_force"),
    "unknown status": (stated(status=CANARY), "status"),
    "status in capitals": (stated(status="ACTIVE"), "status"),
    "unknown marking": (with_at(stated(), "handling.tlp", "amber"), "handling.tlp"),
    "no marking": (stated(handling={"onward": "x", "retention": stated()["handling"]["retention"]}), "handling.tlp"),
    "unknown clock": (with_at(stated(), "handling.retention.clock", "loaded"), "handling.retention.clock"),
    "unknown format": (stated(format="xlsx"), "format"),
    "rule with neither any nor all": (row_rule(any="gone"), "rows.0"),
    "rule with both any and all": (row_rule(all=ROW_RULE["any"]), "rows.0"),
    "rule with empty any": (row_rule(any=[]), "rows.0"),
    "unknown reason": (row_rule(otherwise=CANARY), "rows.0.otherwise"),
    "two rules of one name": (stated(rows=[ROW_RULE, ROW_RULE]), ""),
    "condition that asks nothing": (asking(), "rows.0.any.0"),
    "condition that asks two things": (asking(any_of=["x"], at_least="x"), "rows.0.any.0"),
    "condition of no value": (asking(any_of=[]), "rows.0.any.0.any_of"),
    "condition of numbers": (asking(any_of=[1]), "rows.0.any.0.any_of.0"),
    "condition of a boolean": (asking(any_of=[False]), "rows.0.any.0.any_of.0"),
    "condition of text": (asking(any_of="NO"), "rows.0.any.0.any_of"),
    "condition on a path": (asking(in_codes="../x"), "rows.0.any.0.in_codes"),
    "case that expects nothing": (stated(cases=[{"title": "t", "row": {"a": CANARY}}]), "cases.0"),
    "case that expects both": (
        stated(cases=[{"title": "t", "row": {}, "released": {}, "not_released": "r"}]),
        "cases.0",
    ),
    "case with a number": (
        stated(cases=[{"title": "t", "row": {"a": 1}, "not_released": "r"}]),
        "cases.0.row.a",
    ),
    "statistics count as a released column": (
        stated(statistics={"count_as": "country", "smallest_cell": 5, "clause": "c"}),
        "",
    ),
    "statistics with cells of one": (
        stated(statistics={"count_as": "n", "smallest_cell": 1, "clause": "c"}),
        "statistics.smallest_cell",
    ),
    "statistics with a clock": (
        stated(
            columns={"a": {**KEEP, "until": "P6M"}}, statistics={"count_as": "n", "smallest_cell": 5, "clause": "c"}
        ),
        "",
    ),
    "statistics with cases": (
        stated(
            statistics={"count_as": "n", "smallest_cell": 5, "clause": "c"},
            cases=[{"title": "t", "row": {}, "not_released": "r"}],
        ),
        "",
    ),
}


@pytest.mark.parametrize("how", sorted(WRONG))
def test_an_agreement_that_is_not_clear_is_refused_at_its_place(how: str) -> None:
    whole, place = WRONG[how]
    assert place in places(refusal(Agreement, whole))


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
    ],
)
def test_a_feed_that_is_not_clear_is_refused(path: str, value: object) -> None:
    refusal(Feed, with_at(FEED, path, value))


def test_a_sealed_feed_that_is_signed_is_taken() -> None:
    assert Feed.model_validate({**FEED, "sealed": True, "signed": True}).sealed


@pytest.mark.parametrize("country", ["NO", "nor", "NOOR", "N0R", "NOR\n", ""])
def test_a_country_is_three_capitals(country: str) -> None:
    refusal(Partner, {**PARTNER, "country": country})


@pytest.mark.parametrize("word", ["", " ", "\n", " NO", "NO ", "A\nB", "\u00a0", "x" * 201])
def test_a_blank_or_padded_code_or_term_is_refused(word: str) -> None:
    refusal(CodeList, {**CODES, "codes": ["NO", word]})
    refusal(CodeList, {**CODES, "terms": [word]})


def test_a_code_list_without_codes_is_refused() -> None:
    refusal(CodeList, {**CODES, "codes": []})


def test_an_agreement_tells_the_code_lists_it_leans_on() -> None:
    whole = Agreement.model_validate(
        stated(
            rows=[{"name": "r", "clause": "c", "all": [{"column": "a", "in_codes": "one"}]}],
            columns=columns(a="keep", b={"treatment": "filter-terms", "codes": "two"}),
        )
    )
    assert whole.code_lists() == {"one", "two"}
    assert whole.feed == "members"

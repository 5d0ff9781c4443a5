"""An agreement that speaks against itself is refused at its place, with what to write instead, and no value is repeated."""

import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.core.language.agreement import Agreement
from tests.core.builders import CANARY, agreement, columns, handling, instant, stated

KEEP = {"treatment": "keep", "clause": "c"}
ROW_RULE = {"name": "r", "clause": "c", "any": [{"column": "a", "any_of": ["x"]}]}
COUNTS = {"count_as": "n", "smallest_cell": 5, "clause": "c"}
CASE = {"title": "t", "row": {"a": CANARY}, "not_released": "r"}
RISK = {"columns": ["country"], "smallest_group": 2, "otherwise": "refuse", "clause": "c"}
RETENTION = {"clock": "loaded", "delete_after": "P1Y", "clause": "c"}


def with_at(whole: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of `whole` with `value` at a dotted path."""
    head, _, rest = path.partition(".")
    if not rest:
        return {**whole, head: value}
    return {**whole, head: with_at(whole.get(head, {}), rest, value)}


def refusal(whole: dict[str, Any]) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        Agreement.model_validate(whole)
    assert CANARY not in str(refused.value)
    assert CANARY not in repr(refused.value)
    return refused.value


def row_rule(**changes: Any) -> dict[str, Any]:
    return stated(rows=[{key: value for key, value in {**ROW_RULE, **changes}.items() if value != "gone"}])


def treated(**settings: Any) -> dict[str, Any]:
    return stated(columns={"a": {"clause": "c", **settings}})


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no columns": (stated(columns={}), "columns"),
    "no feeds": (stated(feeds=[]), "feeds"),
    "two feeds": (stated(feeds=["a", "b"]), "feeds"),
    "version zero": (stated(version=0), "version"),
    "no purposes": (stated(purposes={}), "purposes"),
    "purpose without clause": (stated(purposes={"control": {}}), "purposes.control.clause"),
    "blank clause": (stated(purposes={"control": {"clause": " \n"}}), "purposes.control.clause"),
    "no recipient keys": (stated(recipient_keys=[]), "recipient_keys"),
    "column without clause": (stated(columns={"a": {"treatment": "keep"}}), "columns.a.keep.clause"),
    "column without treatment": (treated(), "columns.a"),
    "unknown treatment": (treated(treatment=CANARY.lower()), "columns.a"),
    "setting of another treatment": (treated(**KEEP, domain=CANARY), "columns.a.keep.domain"),
    "pseudonym without domain": (treated(treatment="pseudonymise"), "columns.a.pseudonymise.domain"),
    "mask shows too much": (treated(treatment="mask", keep_first=7), "columns.a.mask.keep_first"),
    "mask shows less than nothing": (treated(treatment="mask", keep_last=-1), "columns.a.mask.keep_last"),
    "mask shows true": (treated(treatment="mask", keep_last=True), "columns.a.mask.keep_last"),
    "date to the day": (treated(treatment="generalise-date", to="day"), "columns.a.generalise-date.to"),
    "clock that is none": (treated(**KEEP, until="six months"), "columns.a.keep.until"),
    "clock without duration": (treated(**KEEP, clock="loaded"), "columns.a.keep"),
    "unknown clock of a column": (treated(**KEEP, until="P1D", clock=CANARY), "columns.a.keep.clock"),
    "time without zone": (with_at(stated(), "in_force.from", instant(2020).replace(tzinfo=None)), "in_force.from"),
    "day instead of instant": (with_at(stated(), "in_force.until", datetime.date(2030, 1, 1)), "in_force.until"),
    "instant as text": (with_at(stated(), "in_force.until", "2030-01-01T00:00:00Z"), "in_force.until"),
    "unknown marking": (stated(handling=handling(marking={"tlp": "amber"})), "handling.marking.tlp"),
    "no marking": (stated(handling={**handling(), "marking": {}}), "handling.marking.tlp"),
    "unknown clock": (with_at(stated(), "handling.retention.clock", CANARY), "handling.retention.clock"),
    "clock of a date without column": (with_at(stated(), "handling.retention.clock", "date"), "handling.retention"),
    "clock of an event without event": (with_at(stated(), "handling.retention.clock", "event"), "handling.retention"),
    "no time to delete": (
        stated(handling=handling(retention={"clock": "loaded", "clause": "c"})),
        "handling.retention.delete_after",
    ),
    "delay by the release": (
        stated(handling=handling(delay={"clock": "released", "wait": "P1D", "clause": "c"})),
        "handling.delay.clock",
    ),
    "deadline both ways": (
        stated(
            handling=handling(deadlines=[{"what": "w", "event": "e", "before": "P1D", "after": "P1D", "clause": "c"}])
        ),
        "handling.deadlines.0",
    ),
    "unknown format": (stated(format="xlsx"), "format"),
    "rule with neither any nor all": (row_rule(any="gone"), "rows.0"),
    "rule with both any and all": (row_rule(all=ROW_RULE["any"]), "rows.0"),
    "rule with empty any": (row_rule(any=[]), "rows.0"),
    "rule without clause": (row_rule(clause="gone"), "rows.0.clause"),
    "unknown reason": (row_rule(otherwise=CANARY), "rows.0.otherwise"),
    "unknown condition kind": (stated(conditions={"x": {"kind": CANARY.lower(), "clause": "c"}}), "conditions.x"),
    "threshold below nothing": (
        stated(conditions={"x": {"kind": "offence-threshold", "at_least_years": -1, "clause": "c"}}),
        "conditions.x.offence-threshold.at_least_years",
    ),
    "case that expects nothing": (stated(cases=[{"title": "t", "row": {"a": CANARY}}]), "cases.0"),
    "case that expects both": (stated(cases=[{**CASE, "released": {}}]), "cases.0"),
    "case with a number": (stated(cases=[{**CASE, "row": {"a": 1}}]), "cases.0.row.a"),
    "statistics with cells of one": (stated(statistics={**COUNTS, "smallest_cell": 1}), "statistics.smallest_cell"),
    "statistics that round small cells away": (stated(statistics={**COUNTS, "round_to": 11}), "statistics"),
    "approval of what is no digest": (
        stated(approvals=[{"by": "A", "role": "r", "at": instant(2026), "widening": CANARY}]),
        "approvals.0.widening",
    ),
}


@pytest.mark.parametrize("how", sorted(WRONG))
def test_what_is_not_clear_is_refused_at_its_place(how: str) -> None:
    whole, place = WRONG[how]
    places = {".".join(map(str, fault["loc"])) for fault in refusal(whole).errors(include_input=False)}
    assert place in places


ANSWER = {"treatment": "answer", "answers": {"HIT": [CANARY]}, "otherwise": "NON"}
BY_DATE = {**RETENTION, "clock": "date", "column": "born"}

CONTRADICTIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "releases nothing": (
        {"columns": columns(name="withhold", country="withhold")},
        "columns",
        "every column is withheld: name one with another treatment",
    ),
    "two rules of one name": ({"rows": [ROW_RULE, ROW_RULE]}, "rows", "rename one"),
    "the name of the row's number": ({"columns": columns(release_row="keep")}, "columns.release_row", "another name"),
    "a clause that cannot be cited": (
        {"clauses": {"D1; D2": {"says": "x", "confidence": "design"}}},
        "clauses",
        "holds `;`, which stands between two names: rename it",
    ),
    "a condition that is not described": ({"requires": ["case"]}, "requires", "add [conditions.case]"),
    "a condition of a purpose that is not described": (
        {"purposes": {"control": {"clause": "c", "requires": ["case"]}}},
        "purposes.control.requires",
        "add [conditions.case]",
    ),
    "a condition of onward transfer that is not described": (
        {"handling": handling(onward={"default": "deny", "with": ["case"], "says": "No.", "clause": "c"})},
        "handling.onward.with",
        "add [conditions.case]",
    ),
    "risk by a column that is not released": (
        {"risk": {**RISK, "columns": ["name"]}},
        "risk.columns",
        "name is not released: name columns that are",
    ),
    "risk by a column that is withheld": (
        {"columns": columns(country="keep", name="withhold"), "risk": {**RISK, "columns": ["name"]}},
        "risk.columns",
        "name columns that are",
    ),
    "answers in parquet": ({"columns": columns(name=ANSWER), "format": "parquet"}, "format", 'need "csv"'),
    "a column by date without a date column": (
        {"columns": columns(country={"treatment": "keep", "until": "P1D", "clock": "date"})},
        "columns.country.clock",
        "needs handling.retention.column",
    ),
    "a column by event without an event": (
        {"columns": columns(country={"treatment": "keep", "until": "P1D", "clock": "event"})},
        "columns.country.clock",
        "needs handling.retention.event",
    ),
    "a date column that no clock counts by": (
        {"columns": columns(born="keep"), "handling": handling(retention={**RETENTION, "column": "born"})},
        "handling.retention.column",
        'no clock = "date" counts by it: leave it out',
    ),
    "an event that no clock counts by": (
        {"handling": handling(retention={**RETENTION, "event": "end"})},
        "handling.retention.event",
        'no clock = "event" counts by it: leave it out',
    ),
    "a date column that is not released": (
        {"handling": handling(retention=BY_DATE)},
        "handling.retention.column",
        "let [columns.born] keep it",
    ),
    "a date column that is withheld": (
        {"columns": columns(country="keep", born="withhold"), "handling": handling(retention=BY_DATE)},
        "handling.retention.column",
        "let [columns.born] keep it",
    ),
    "a date column that is generalised": (
        {
            "columns": columns(born={"treatment": "generalise-date", "to": "month"}),
            "handling": handling(retention=BY_DATE),
        },
        "handling.retention.column",
        "let [columns.born] keep it",
    ),
    "a date column that goes before its release": (
        {
            "columns": columns(country="keep", born={"treatment": "keep", "until": "P6M", "clock": "loaded"}),
            "handling": handling(retention=BY_DATE),
        },
        "handling.retention.column",
        "without a clock or condition of its own",
    ),
    "statistics counted as a released column": (
        {"statistics": {**COUNTS, "count_as": "country"}},
        "statistics",
        "rename the count or sum",
    ),
    "statistics with a sum named as a released column": (
        {"statistics": {**COUNTS, "sums": {"country": "number"}}},
        "statistics",
        "rename the count or sum",
    ),
    "statistics counted as a sum": (
        {"statistics": {**COUNTS, "sums": {"n": "number"}}},
        "statistics.count_as",
        "rename one",
    ),
    "statistics with clocks": (
        {"columns": columns(country={"treatment": "keep", "until": "P6M"}), "statistics": COUNTS},
        "columns.country.until",
        "leave it out",
    ),
    "statistics by date": (
        {"columns": columns(born="keep"), "statistics": COUNTS, "handling": handling(retention=BY_DATE)},
        "handling.retention.clock",
        "use loaded or released",
    ),
    "statistics with cases": ({"statistics": COUNTS, "cases": [CASE]}, "cases", "leave them out"),
    "statistics with risk": ({"statistics": COUNTS, "risk": RISK}, "risk", "leave it out"),
}


@pytest.mark.parametrize("how", sorted(CONTRADICTIONS))
def test_a_contradiction_says_where_why_and_what_to_write_instead(how: str) -> None:
    changes, keys, instead = CONTRADICTIONS[how]
    (fault,) = refusal(stated(**changes)).errors(include_input=False)
    assert fault["type"] == "contradiction"
    assert fault["ctx"]["keys"] == keys
    assert instead in fault["msg"]


def test_a_column_may_count_by_a_date_or_event_of_its_own() -> None:
    said = agreement(
        columns=columns(born="keep", name={"treatment": "keep", "until": "P6M", "clock": "date"}),
        handling=handling(retention={**RETENTION, "column": "born"}),
    )
    assert said.handling.retention.column == "born"
    assert agreement(
        columns=columns(country="keep", name={"treatment": "keep", "until": "P6M", "clock": "event"}),
        handling=handling(retention={**RETENTION, "event": "end"}),
    )


def test_what_an_agreement_releases_is_what_it_names_and_does_not_withhold_in_order() -> None:
    said = agreement(columns=columns(status="keep", name="withhold", country="mask"))
    assert list(said.released) == ["status", "country"]


def test_an_agreement_tells_the_lists_it_leans_on() -> None:
    said = agreement(
        rows=[
            {"name": "r", "clause": "c", "all": [{"column": "a", "in_codes": "one"}]},
            {"name": "s", "clause": "c", "any": [{"not": {"any": [{"column": "a", "not_in_codes": "two"}]}}]},
        ],
        columns=columns(
            a="keep",
            b={"treatment": "filter-terms", "codes": "three"},
            c={"treatment": "split-text", "heads": "four"},
            d={"treatment": "generalise-code", "hierarchy": "five", "to": "country"},
            e={"treatment": "generalise-code", "characters": 2},
        ),
    )
    assert said.code_lists() == {"one", "two", "three", "four"}
    assert said.hierarchies() == {"five"}
    assert [asks.column for asks in said.questions()] == ["a", "a"]
    assert said.feed == "members"

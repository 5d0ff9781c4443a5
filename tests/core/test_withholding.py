"""Cells that are released only where a condition on their row is met: what comes out, and the gate that asks for itself."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pipeline.core.cases import failed_cases
from pipeline.core.clearance import clear_rows
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.fitness import unfit
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.scope import Predicate
from pipeline.core.language.treatment import Keep
from pipeline.core.redaction import Redacted, compile_redaction, redact
from pipeline.core.scope import Events, truth
from pipeline.core.withholding import may_show
from pipeline.core.wording import treatment_in_words
from tests.core.builders import CANARY, LAW, agreement, assert_silent, code_list, columns, instant, means, rows, schema

LISTED = code_list("NO", "DE").model_copy(update={"lapses": {"DE": instant(2025).date()}})
MEANS = means(LISTED)
AT = Events(released=instant(2026), loaded=instant(2025), case="CASE-1")

NORWEGIANS = {"column": "country", "any_of": ["NO"]}
EXPECTED = {"NO": "1980", "DE": None, None: None}


def only(condition: dict[str, Any], name: str = "born", **said: Any) -> dict[str, dict[str, Any]]:
    """Columns of which one is released only where the condition is met."""
    treated = (
        {"treatment": "generalise-date", "to": "year", **said} if name == "born" else {"treatment": "keep", **said}
    )
    return columns(**{name: {**treated, "only_where": condition}}, status="keep")


def released(stated: Agreement, chunk: pl.DataFrame) -> Redacted:
    return redact(compile_redaction(stated, schema(), MEANS, AT), chunk)


def cleared(stated: Agreement, made: Redacted) -> pl.DataFrame:
    return clear_rows(made, stated, schema(), MEANS, AT).frame


@pytest.mark.parametrize("country", ["NO", "DE", None])
def test_a_cell_is_withheld_where_the_condition_is_false_or_unknown_and_treated_elsewhere(country: str | None) -> None:
    stated = agreement(columns=only(NORWEGIANS))
    frame = cleared(stated, released(stated, rows({"born": "1980-01-31", "country": country, "status": "A"})))
    assert frame.rows() == [(EXPECTED[country], "A")]


def test_not_leaves_unknown_unknown_so_that_the_cell_is_withheld() -> None:
    stated = agreement(columns=only({"not": NORWEGIANS}))
    frame = cleared(
        stated, released(stated, rows(*({"born": "1980-01-31", "country": one} for one in ("NO", "DE", None))))
    )
    assert frame["born"].to_list() == [None, "1980", None]


def test_a_row_stays_whole_but_for_the_withheld_cell() -> None:
    stated = agreement(columns=only(NORWEGIANS))
    made = released(stated, rows({"born": "1980-01-31", "status": "A"}, {"status": "B"}))
    assert (made.frame.height, made.kept_back) == (2, {})


CELLS = st.sampled_from([
    *(None, "NO", "DE", "CASE-1", "7", "-7", "+7.50", "7.5", "1e3", "2024-02-29", "2023-02-29", "2025-01-01", "2025-01-01T00:00"),
    *("2025-06-30T23:59:59Z", "2025-06-30T23:59:59.5Z", "2025-06-30T24:00", "2026-01-01T00:00:00", "2025-01-01T00:00+01:00"),
    *("2025-12-31T10:30.5", "9999-12-31", "0001-01-01T00:00", "2024-08-31T12:00", "2024-02-28T12:00", "2024-03-31", "\u0661", ""),
])  # fmt: skip
NAMES = st.sampled_from(["name", "number", "born", "country"])
MOMENT = st.builds(
    lambda event, way, duration: {"event": event, **({way: duration} if way else {})},
    st.one_of(NAMES, st.sampled_from(["released", "loaded"])),
    st.sampled_from(["plus", "minus", None]),
    st.sampled_from(["P6M", "P1Y1M", "P7D", "PT12H", "P1M1DT1H1M", "P13M"]),
)
ASKS = st.builds(
    lambda column, question: {"column": column, **question},
    NAMES,
    st.one_of(
        st.sampled_from([
            {"any_of": ["NO", "7"]}, {"none_of": ["NO"]}, {"in_codes": "listed"}, {"not_in_codes": "listed"}, {"exists": True},
            {"exists": False}, {"declared": "case-reference"}, {"at_least": "7.5", "read_as": "number"},
            {"at_most": "-7", "read_as": "number"}, {"at_least": "2024-03-01", "read_as": "date"},
            {"at_most": "2025-01-01", "read_as": "date"}, {"at_least": "CASE"}, {"at_most": "DE"},
        ]),
        MOMENT.map(lambda moment: {"no_earlier_than": moment}),
        MOMENT.map(lambda moment: {"no_later_than": moment}),
    ),
)  # fmt: skip
PREDICATE = st.recursive(
    ASKS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
READ: TypeAdapter[Predicate] = TypeAdapter(Predicate)


@LAW
@given(
    st.lists(PREDICATE, min_size=8, max_size=16),
    st.lists(
        st.fixed_dictionaries(dict.fromkeys(["name", "number", "born", "country"], CELLS)), min_size=20, max_size=40
    ),
)
def test_the_gate_and_the_scope_agree_on_every_condition_though_they_share_nothing(
    said: list[dict[str, Any]], cells: list[dict[str, str | None]]
) -> None:
    chunk = rows(*cells)
    for one in said:
        condition = READ.validate_python(one)
        gate = may_show(Keep(treatment="keep", clause="c", only_where=condition), MEANS, AT)
        both = chunk.select(
            truth(condition, MEANS.code_lists, AT).fill_null(value=False).alias("scope"), gate.alias("gate")
        )
        assert both["scope"].to_list() == both["gate"].to_list(), one


def broken(change: Callable[[pl.DataFrame], pl.DataFrame]) -> tuple[Agreement, Redacted]:
    stated = agreement(columns=only(NORWEGIANS))
    fine = released(stated, rows({"born": "1980-01-31", "country": "NO"}, {"born": "1990-01-31", "country": "DE"}))
    return stated, Redacted(change(fine.frame), fine.in_scope, fine.kept_back)


@pytest.mark.parametrize(
    "cells", [["1980", "1990"], [None, None], ["1990", None]], ids=["shown", "lost", "of another row"]
)
def test_a_cell_that_is_shown_or_lost_against_the_condition_is_refused(cells: list[str | None]) -> None:
    stated, made = broken(lambda frame: frame.with_columns(pl.Series("born", cells, dtype=pl.String)))
    if cells == [None, None]:
        # A generalised cell may come out absent: what is lost there, nobody learns.
        assert cleared(stated, made)["born"].to_list() == cells
        return
    with pytest.raises(Refused) as refused:
        cleared(stated, made)
    assert refused.value.code is Code.OUTPUT_DIFFERS
    assert_silent(refused.value, "1990", CANARY)


def test_a_kept_cell_that_is_lost_where_the_condition_is_met_is_refused() -> None:
    stated = agreement(columns=only(NORWEGIANS, "number"))
    fine = released(stated, rows({"number": "4111", "country": "NO"}))
    with pytest.raises(Refused, match="output-differs"):
        cleared(
            stated,
            Redacted(
                fine.frame.with_columns(pl.lit(None, dtype=pl.String).alias("number")), fine.in_scope, fine.kept_back
            ),
        )


@pytest.mark.parametrize(("country", "found"), [("NO", False), ("DE", True), (None, True)])
def test_what_a_condition_withholds_is_searched_in_the_other_columns_of_its_row(
    country: str | None, found: bool
) -> None:
    stated = agreement(columns={**only(NORWEGIANS, "name"), **columns(remarks="keep")})
    made = released(stated, rows({"name": CANARY, "country": country, "remarks": f"about {CANARY}"}))
    if not found:
        assert cleared(stated, made).height == 1
        return
    with pytest.raises(Refused) as refused:
        cleared(stated, made)
    assert refused.value.code is Code.WITHHELD_VALUE_FOUND
    assert_silent(refused.value, CANARY)


def test_a_condition_is_said_in_words() -> None:
    said = agreement(columns=only(NORWEGIANS)).columns["born"]
    assert treatment_in_words(said) == "generalise-date (to year), only where country is NO"


@pytest.mark.parametrize(
    "always",
    [{"treatment": "constant", "value": "x"}, {"treatment": "answer", "answers": {"y": ["A"]}, "otherwise": "n"}],
)
def test_what_is_in_every_row_has_no_condition(always: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="every row"):
        agreement(columns=columns(name={**always, "only_where": NORWEGIANS}))


def test_counts_and_the_column_of_a_clock_have_no_condition() -> None:
    counted = {"count_as": "rows", "smallest_cell": 5, "clause": "Art. 5"}
    with pytest.raises(ValidationError, match="of many rows"):
        agreement(columns=only(NORWEGIANS), statistics=counted)
    retention = {"clock": "date", "column": "born", "delete_after": "P1Y", "clause": "Art. 3"}
    handling = {**agreement().model_dump(mode="json", by_alias=True)["handling"], "retention": retention}
    with pytest.raises(ValidationError, match="condition of its own"):
        agreement(columns=columns(born={"treatment": "keep", "only_where": NORWEGIANS}), handling=handling)


def test_a_condition_on_a_column_or_list_that_is_not_there_releases_nothing() -> None:
    nowhere = agreement(columns=only({"column": "nowhere", "exists": True}))
    assert [one.keys for one in unfit(nowhere, schema(), {})] == [("columns", "born", "only_where")]
    for condition, code in (
        ({"column": "nowhere", "exists": True}, Code.COLUMN_UNKNOWN),
        ({"column": "country", "in_codes": "gone"}, Code.CODE_LIST_MISSING),
    ):
        with pytest.raises(Misconfigured) as misconfigured:
            compile_redaction(agreement(columns=only(condition)), schema(), MEANS, AT)
        assert misconfigured.value.code is code


def test_an_example_case_tells_when_a_condition_is_forgotten() -> None:
    case = {
        "title": "A German",
        "row": {"born": "1980-01-31", "country": "DE", "status": "A"},
        "released": {"status": "A"},
    }
    with_it = agreement(columns=only(NORWEGIANS), cases=[case])
    without = agreement(
        columns=columns(born={"treatment": "generalise-date", "to": "year"}, status="keep"), cases=[case]
    )
    assert list(failed_cases(with_it, schema(), MEANS.code_lists, {})) == []
    assert [one.message for one in failed_cases(without, schema(), MEANS.code_lists, {})] == [
        "A German: born not as expected"
    ]

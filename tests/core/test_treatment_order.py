"""The order of treatments, held against what the treatments do."""

from dataclasses import dataclass, field, replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.partner import Partner
from pipeline.core.language.treatment import Keep, Released, Treatment
from pipeline.core.treatment_order import NOT_TOLD, same_cells, tells_no_more
from pipeline.core.treatments import released_cell
from tests.core.builders import LAW, PLACES, code_list, hierarchy, means


@dataclass(frozen=True)
class Lists:
    code_lists: dict[str, CodeList] = field(default_factory=dict)
    hierarchies: dict[str, Hierarchy] = field(default_factory=dict)
    partners: dict[str, Partner] = field(default_factory=dict)


FEW, MANY = (
    code_list("KSML", "WC", id="few", terms=["UNION"]),
    code_list("KSML", "WC", "WCHR", id="many", terms=["UNION", "RABBI"]),
)
SKEWED = hierarchy(
    {"JFK": ("USA", "WEST"), "YUL": ("CANADA", "WEST"), "OSL": ("USA", "EAST")}, levels=("land", "half"), id="skewed"
)
LISTS = Lists({one.id: one for one in (FEW, MANY)}, {one.id: one for one in (PLACES, SKEWED)})
MEANS = replace(means(FEW, MANY), hierarchies=LISTS.hierarchies)


def treated(treatment: str, **settings: object) -> Treatment:
    said: Treatment = TypeAdapter(Treatment).validate_python({"treatment": treatment, "clause": "Art. 1", **settings})
    return said


def answer(yes: str, no: str, *values: str) -> Treatment:
    return treated("answer", answers={yes: list(values)}, otherwise=no)


SETTINGS = [
    treated("keep"),
    treated("constant", value="x"),
    *(treated("mask", keep_first=first, keep_last=last) for first in (0, 2, 4) for last in (0, 2)),
    *(treated("truncate", first=first) for first in (1, 3)),
    treated("truncate", last=2),
    *(treated("generalise-date", to=to) for to in ("month", "quarter", "year", "decade")),
    *(treated("generalise-number", width=width) for width in (2, 5, 10)),
    *(treated("generalise-number", edges=edges) for edges in ([0, 10, 18], [10], [0, 18], [20, 40])),
    *(treated("round", to=to) for to in ("0.5", "5", "10", "15")),
    *(treated("generalise-code", characters=count, each_line=lines) for count in (1, 2) for lines in (True, False)),
    *(
        treated("generalise-code", hierarchy=id, to=level, each_line=lines)
        for id, level in (("places", "country"), ("places", "continent"), ("skewed", "land"), ("skewed", "half"))
        for lines in (True, False)
    ),
    *(treated("filter-terms", codes=id) for id in ("few", "many")),
    *(treated("split-text", heads=id) for id in ("few", "many")),
    answer("yes", "no-", "JFK", "YUL"),
    answer("yes", "no-", "JFK"),
    treated("answer", answers={"a": ["JFK"], "b": ["YUL"]}, otherwise="c"),
    *(treated("pseudonymise", domain=domain, each_line=lines) for domain in ("a", "b") for lines in (True, False)),
    *(treated("tokenise", domain="a", reversible_by=who, reversal_clause="Art. 2") for who in ("us", "them")),
]
SPECIMENS = [
    *("JFK", "YUL", "OSL", "WC", "WCHR HK1", "WCHR HK1 UNION", "KSML", "rabbi", "UNION", "[TEXT]", "[MASKED:SENS]"),
    *("2024-05-17", "2024-06-30", "2023-12-31", "2019-01-01", "2024-02-30", "0", "7", "9.5", "-3", "17", "18", "42", "12"),
    *("AB1234567", "AB12345", "AB123", "AB", "A", "ABCDEFGHIJ", "é", "K.S.M.L", "***", ""),
]  # fmt: skip
LINE = st.one_of(st.sampled_from(SPECIMENS), st.text("ABWC1 .*-\u00e9", max_size=8), st.integers(-99, 99).map(str))
CELL = st.one_of(st.none(), st.lists(LINE, min_size=1, max_size=3).map("\n".join))


def no_more(said: Treatment | None, than: Treatment | None) -> bool:
    return tells_no_more(said, LISTS, than, LISTS)


@settings(LAW, max_examples=60)
@given(st.lists(CELL, min_size=40, max_size=80))
def test_what_tells_no_more_can_be_worked_out_from_what_was_told(cells: list[str | None]) -> None:
    column = pl.DataFrame({"cell": pl.Series([*cells, *SPECIMENS], dtype=pl.String)})
    released = [one for one in SETTINGS if isinstance(one, Released)]
    told = [column.select(released_cell(one, pl.col("cell"), MEANS)).to_series().to_list() for one in released]
    for one, now in zip(released, told, strict=True):
        for other, before in zip(released, told, strict=True):
            if no_more(one, other):
                worked_out: dict[str | None, str | None] = {}
                for was, is_now in zip(before, now, strict=True):
                    assert worked_out.setdefault(was, is_now) == is_now, f"{one} tells more than {other}"


def test_it_is_a_partial_order() -> None:
    everything = [None, treated("withhold"), *SETTINGS]
    for one in everything:
        assert no_more(one, one)
        for other in everything:
            for third in everything:
                if no_more(one, other) and no_more(other, third):
                    assert no_more(one, third), f"{one}, {other}, {third}"


@pytest.mark.parametrize("one", SETTINGS, ids=lambda one: str(one.treatment))
def test_keep_tells_most_and_nothing_least(one: Treatment) -> None:
    assert no_more(one, treated("keep"))
    assert no_more(treated("withhold"), one)
    assert no_more(None, one)
    assert not no_more(one, None)
    assert not no_more(one, treated("withhold"))


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (treated("mask"), treated("mask", keep_first=4)),
        (treated("generalise-date", to="year"), treated("generalise-date", to="month")),
        (treated("generalise-number", width=10), treated("generalise-number", width=5)),
        (treated("generalise-number", edges=[18]), treated("generalise-number", edges=[10, 18])),
        (treated("generalise-number", edges=[10, 20]), treated("generalise-number", width=5)),
        (treated("round", to="15"), treated("round", to="5")),
        (
            treated("generalise-code", hierarchy="places", to="continent"),
            treated("generalise-code", hierarchy="places", to="country"),
        ),
        (answer("y", "n", "JFK", "YUL"), treated("answer", answers={"a": ["JFK"], "b": ["YUL"]}, otherwise="c")),
        (treated("filter-terms", codes="many"), treated("filter-terms", codes="few")),
        (treated("split-text", heads="few"), treated("split-text", heads="many")),
        (treated("constant", value="x"), answer("y", "n", "JFK")),
        (treated("pseudonymise", domain="a"), treated("pseudonymise", domain="a", each_line=True)),
        (
            treated("pseudonymise", domain="a"),
            treated("tokenise", domain="a", reversible_by="us", reversal_clause="Art. 2"),
        ),
        (treated("pseudonymise", domain="a"), treated("keep")),
    ],
    ids=lambda one: str(one.treatment),
)
def test_one_setting_tells_less_than_the_other(narrow: Treatment, wide: Treatment) -> None:
    assert no_more(narrow, wide)
    assert not no_more(wide, narrow)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (treated("mask", keep_first=4), treated("mask", keep_first=6)),
        (treated("truncate", first=3), treated("truncate", first=5)),
        (treated("generalise-code", characters=2), treated("generalise-code", characters=4)),
        (treated("round", to="10"), treated("round", to="5")),
        (treated("generalise-number", width=4), treated("generalise-number", width=6)),
        (treated("pseudonymise", domain="a"), treated("pseudonymise", domain="b")),
        (
            treated("tokenise", domain="a", reversible_by="us", reversal_clause="Art. 2"),
            treated("tokenise", domain="a", reversible_by="them", reversal_clause="Art. 2"),
        ),
        (
            treated("generalise-code", hierarchy="skewed", to="half"),
            treated("generalise-code", hierarchy="skewed", to="land"),
        ),
        (treated("mask"), treated("truncate", first=1)),
        (treated("filter-terms", codes="few"), treated("split-text", heads="few")),
    ],
    ids=lambda one: str(one.treatment),
)
def test_each_tells_what_the_other_does_not(one: Treatment, other: Treatment) -> None:
    assert not no_more(one, other)
    assert not no_more(other, one)


def test_a_list_from_which_a_code_was_removed_tells_more() -> None:
    shorter = Lists({"few": code_list("KSML", id="few", terms=["UNION"])})
    said = treated("filter-terms", codes="few")
    assert tells_no_more(said, LISTS, said, shorter)
    assert not tells_no_more(said, shorter, said, LISTS)
    assert not same_cells(said, shorter, said, LISTS)


def test_a_list_that_is_not_to_be_found_is_compared_by_its_id_alone() -> None:
    said = treated("filter-terms", codes="few")
    assert tells_no_more(said, Lists(), said, Lists())
    assert not tells_no_more(said, Lists(), said, LISTS)
    assert not tells_no_more(said, LISTS, said, Lists())


def test_a_setting_that_nobody_compares_makes_two_treatments_different() -> None:
    class Newer(Keep):
        surprise: bool = False

    plain = Newer(treatment="keep", clause="Art. 1")
    assert not same_cells(plain, LISTS, plain.model_copy(update={"surprise": True}), LISTS)
    assert "surprise" not in NOT_TOLD

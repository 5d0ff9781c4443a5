"""The output is made of the columns that the agreement names, of the rows that its rules let through, and of nothing else."""

from collections import Counter
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.conservation import RowCount, conserved
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.scope import Reason
from pipeline.core.redaction import Redacted, compile_redaction, reasons, redact
from pipeline.core.scope import Events
from pipeline.core.statistics import COUNT, tabulate
from pipeline.formats.parts import part_bytes
from tests.core.builders import (
    CANARY,
    COLUMNS,
    LAW,
    agreement,
    assert_silent,
    code_list,
    columns,
    handling,
    instant,
    means,
    rows,
    schema,
)

EVENTS = Events(released=instant(2025), loaded=instant(2024, 12, 31))
MEANS = means(code_list("KSML"), code_list("NO", "DE", id="countries"))
TREATMENTS: list[str | dict[str, Any]] = [
    "keep",
    {"treatment": "constant", "value": "x"},
    {"treatment": "pseudonymise", "domain": "d"},
    {"treatment": "pseudonymise", "domain": "d", "each_line": True},
    {"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "c"},
    {"treatment": "mask", "keep_first": 2},
    {"treatment": "truncate", "last": 2},
    {"treatment": "generalise-date", "to": "year"},
    {"treatment": "generalise-number", "width": 10},
    {"treatment": "round", "to": "5"},
    {"treatment": "generalise-code", "hierarchy": "places", "to": "country"},
    {"treatment": "filter-terms", "codes": "listed"},
    {"treatment": "split-text", "heads": "listed"},
    {"treatment": "answer", "answers": {"HIT": ["NO"]}, "otherwise": "NON"},
]
ROW = {
    "name": "Alba Example",
    "number": "X1",
    "born": "1980-01-31",
    "country": "NO",
    "status": "A",
    "remarks": "KSML\nok",
}


def redacted(stated: Agreement, chunk: pl.DataFrame) -> Redacted:
    return redact(compile_redaction(stated, schema(), MEANS, EVENTS), chunk)


def rule(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "clause": "Art. 1", **said}


def test_exactly_the_named_columns_leave_in_the_order_of_the_agreement() -> None:
    stated = agreement(columns=columns(status="keep", name="keep", country="keep"))
    assert redacted(stated, rows(ROW)).frame.rows(named=True) == [
        {"status": "A", "name": "Alba Example", "country": "NO"}
    ]
    assert redacted(stated, rows(ROW)).frame.columns == ["status", "name", "country"]


def test_an_empty_chunk_still_has_the_columns() -> None:
    stated = agreement(columns=columns(status="keep", name={"treatment": "mask"}))
    assert redacted(stated, rows()).frame.schema == {"status": pl.String, "name": pl.String}


CELL = st.sampled_from([None, "", "NO", "DE", "A", "B", "2020-01-01", "2020-01-01T10:30", "7.25", "KSML x"]) | st.text(
    max_size=5
)
ASKED = st.sampled_from(
    [
        {"column": "status", "any_of": ["A", "B"]},
        {"column": "country", "in_codes": "countries"},
        {"column": "country", "not_in_codes": "countries"},
        {"column": "born", "at_least": "2000-01-01", "read_as": "date"},
        {"column": "number", "at_most": "7", "read_as": "number"},
        {"column": "name", "exists": False},
        {"column": "born", "no_later_than": {"event": "released", "minus": "P6M"}},
        {"column": "born", "no_earlier_than": {"event": "status", "plus": "P1M"}},
    ]
)
PREDICATE = st.recursive(
    ASKED,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=2)}),
    ),
    max_leaves=3,
)
RULE = st.builds(
    lambda how, asked, otherwise: {how: asked, "otherwise": otherwise},
    st.sampled_from(["any", "all"]),
    st.lists(PREDICATE, min_size=1, max_size=2),
    st.sampled_from([reason.value for reason in Reason]),
)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELL)), max_size=6)


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """Any agreement about the feed: rules, columns of any treatment, some of them withheld, rows or counts."""
    named = draw(st.lists(st.sampled_from(sorted(COLUMNS)), unique=True, min_size=1))
    treated = {name: draw(st.sampled_from([*TREATMENTS, "withhold"])) for name in named[1:]}
    treated[named[0]] = draw(st.sampled_from(TREATMENTS))
    drawn = draw(st.lists(RULE, max_size=2))
    counts = {"count_as": "members", "smallest_cell": 2, "sums": {"total": "number"}, "clause": "c"}
    return agreement(
        rows=[rule(f"rule-{index}", **one) for index, one in enumerate(drawn)],
        columns=columns(**treated),
        **({"statistics": counts} if draw(st.booleans()) else {}),
    )


FORMS: tuple[Literal["csv", "parquet"], ...] = ("csv", "parquet")


def part(stated: Agreement, result: Redacted, form: Literal["csv", "parquet"]) -> bytes:
    """The bytes of the part that the chunk alone would become, before it is sealed."""
    if stated.statistics is None:
        return part_bytes(result.frame, form)
    return part_bytes(tabulate([result.frame], tuple(stated.released), stated.statistics).frame, form)


@LAW
@given(agreements(), ROWS, st.permutations([*COLUMNS, "unknown", "release_row", "zz"]))
def test_an_unknown_input_column_changes_no_output_byte(
    stated: Agreement, cells: list[dict[str, str | None]], order: list[str]
) -> None:
    plain = rows(*cells)
    more = plain.with_columns(pl.lit(CANARY).alias(name) for name in ("unknown", "release_row", "zz")).select(order)
    for form in FORMS:
        expected = part(stated, redacted(stated, plain), form)
        assert part(stated, redacted(stated, more), form) == expected


@LAW
@given(agreements(), ROWS)
def test_no_column_that_is_not_named_or_is_withheld_reaches_an_output(
    stated: Agreement, cells: list[dict[str, str | None]]
) -> None:
    """Whatever the input: the names are exactly the agreement's, and other cells there change no byte."""
    rule_columns = {asks.column for asks in stated.questions()} | {"status"}
    sums = set(stated.statistics.sums.values()) if stated.statistics else set()
    unnamed = set(COLUMNS) - set(stated.released) - rule_columns - sums
    plain = rows(*cells)
    result = redacted(stated, plain)
    counts = {COUNT, *stated.statistics.sums} if stated.statistics else set()
    assert set(result.frame.columns) == {*stated.released, *counts}
    if unnamed:
        other = redacted(stated, plain.with_columns(pl.lit(CANARY).alias(name) for name in unnamed))
        for form in FORMS:
            assert part(stated, other, form) == part(stated, result, form)
            assert CANARY.encode() not in part(stated, other, form)


@pytest.mark.parametrize("said", [None, "withhold"])
def test_cells_of_columns_that_are_not_named_are_in_no_output_byte(said: str | None) -> None:
    hidden = {name: CANARY for name in COLUMNS if name != "country"}
    stated = agreement(columns=columns(country="keep", **(dict.fromkeys(hidden, said) if said else {})))
    assert stated.released.keys() == {"country"}
    for form in FORMS:
        assert CANARY.encode() not in part_bytes(redacted(stated, rows({**hidden, "country": "NO"})).frame, form)


def test_the_rows_that_stay_keep_the_dates_that_their_clocks_run_from() -> None:
    retention = {"clock": "date", "column": "born", "delete_after": "P1Y", "clause": "c"}
    stated = agreement(
        rows=[rule("r", all=[{"column": "status", "any_of": ["A"]}])],
        columns=columns(born="keep"),
        handling=handling(retention=retention),
    )
    result = redacted(
        stated, rows({"status": "B", "born": "1980"}, {"status": "A", "born": "1990"}, {"status": "A", "born": None})
    )
    assert result.days is not None
    assert result.days.to_list() == ["1990", None]
    assert redacted(agreement(), rows(ROW)).days is None


def test_the_first_rule_that_a_row_fails_counts_it() -> None:
    stated = agreement(
        rows=[
            rule("status-known", all=[{"column": "status", "any_of": ["A", "B"]}]),
            rule("in-the-north", all=[{"column": "country", "in_codes": "countries"}], otherwise="withheld"),
            rule("after", all=[{"column": "born", "at_least": "1980"}]),
        ]
    )
    chunk = rows(
        {"status": "A", "country": "NO", "born": "1980-01-01"},
        {"status": "C", "country": "XX", "born": "1970"},
        {"status": "B", "country": "XX", "born": "1970"},
        {"status": "B", "country": None},
        {"status": "B", "country": "DE", "born": "1979"},
    )
    result = redacted(stated, chunk)
    assert result.kept_back == Counter({"status-known": 1, "in-the-north": 2, "after": 1})
    assert result.in_scope.rows() == chunk.head(1).rows()
    assert reasons(stated)["in-the-north"] is Reason.WITHHELD
    assert reasons(stated)["after"] is Reason.OUT_OF_SCOPE


@pytest.mark.parametrize(
    ("said", "code", "named"),
    [
        ({"columns": columns(nowhere="keep")}, Code.COLUMN_UNKNOWN, "nowhere"),
        ({"rows": [rule("r", any=[{"column": "nowhere", "any_of": ["x"]}])]}, Code.COLUMN_UNKNOWN, "nowhere"),
        ({"cases": [{"title": "t", "row": {"nowhere": CANARY}, "not_released": "r"}]}, Code.COLUMN_UNKNOWN, "nowhere"),
        ({"columns": columns(remarks={"treatment": "filter-terms", "codes": "gone"})}, Code.CODE_LIST_MISSING, "gone"),
        ({"columns": columns(remarks={"treatment": "split-text", "heads": "gone"})}, Code.CODE_LIST_MISSING, "gone"),
        (
            {"columns": columns(country={"treatment": "generalise-code", "hierarchy": "gone", "to": "x"})},
            Code.CODE_LIST_MISSING,
            "gone",
        ),
        ({"rows": [rule("r", any=[{"column": "status", "in_codes": "gone"}])]}, Code.CODE_LIST_MISSING, "gone"),
        (
            {"rows": [rule("r", all=[{"not": {"column": "status", "not_in_codes": "gone"}}])]},
            Code.CODE_LIST_MISSING,
            "gone",
        ),
        ({"rows": [rule("r", all=[{"not": {"column": "nowhere", "exists": True}}])]}, Code.COLUMN_UNKNOWN, "nowhere"),
        (
            {"rows": [rule("r", all=[{"column": "born", "no_later_than": {"event": "nowhere"}}])]},
            Code.COLUMN_UNKNOWN,
            "nowhere",
        ),
        (
            {"statistics": {"count_as": "n", "smallest_cell": 2, "sums": {"total": "nowhere"}, "clause": "c"}},
            Code.COLUMN_UNKNOWN,
            "nowhere",
        ),
    ],
)
def test_what_an_agreement_names_must_exist(said: dict[str, Any], code: Code, named: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        compile_redaction(agreement(**said), schema(), MEANS, EVENTS)
    assert refused.value.code is code
    assert named in refused.value.message
    assert_silent(refused.value, CANARY)


@LAW
@given(
    st.lists(RULE, max_size=3),
    st.lists(st.fixed_dictionaries(dict.fromkeys(["status", "country", "born", "name", "number"], CELL)), max_size=25),
    st.integers(1, 6),
    st.booleans(),
)
def test_every_accepted_row_is_released_out_of_scope_withheld_or_suppressed(
    drawn: list[dict[str, Any]], cells: list[dict[str, str | None]], chunk_rows: int, counts: bool
) -> None:
    statistics = {"count_as": "members", "smallest_cell": 3, "clause": "c"} if counts else None
    stated = agreement(
        rows=[rule(f"rule-{index}", **one) for index, one in enumerate(drawn)],
        columns=columns(country="keep", status="keep"),
        statistics=statistics,
    )
    whole = rows(*cells)
    results = [redacted(stated, whole.slice(start, chunk_rows)) for start in range(0, max(len(cells), 1), chunk_rows)]
    kept_back: Counter[str] = Counter()
    for result in results:
        kept_back += result.kept_back
    assert sum(kept_back.values()) + sum(result.in_scope.height for result in results) == len(cells)
    if stated.statistics:
        table = tabulate([result.frame for result in results], ("country", "status"), stated.statistics)
        released_rows, suppressed = table.published_rows, table.suppressed_rows
        assert all(result.frame[COUNT].sum() == result.in_scope.height for result in results)
    else:
        released_rows, suppressed = sum(result.frame.height for result in results), 0
    count = conserved(
        received=len(cells) + 2,
        accepted=len(cells),
        rejected=2,
        released=released_rows,
        suppressed=suppressed,
        kept_back=kept_back,
        reasons=reasons(stated),
    )
    assert count == RowCount(
        len(cells) + 2, len(cells), 2, released_rows, count.out_of_scope, suppressed, count.withheld, count.by_rule
    )
    assert sum(count.by_rule.values()) == count.out_of_scope + count.withheld
    whole_at_once = redacted(stated, whole)
    assert whole_at_once.kept_back == kept_back


@pytest.mark.timeout(20)
def test_thousands_of_row_rules_are_no_deeper_than_one() -> None:
    """Each in the other, they took the square of their number and more: minutes for a single row."""
    rules = [rule(f"r{number}", all=[{"column": "country", "exists": True}]) for number in range(2000)]
    rules[1500] = rule("absent", all=[{"column": "country", "exists": False}])
    result = redacted(
        agreement(rows=rules, columns=columns(country="keep")), rows({"country": "NO"}, {"country": "SE"})
    )
    assert result.kept_back == Counter({"absent": 2})


def test_row_order_is_kept() -> None:
    stated = agreement(rows=[rule("r", all=[{"column": "status", "any_of": ["A"]}])], columns=columns(name="keep"))
    chunk = rows(*({"name": str(index), "status": "AB"[index % 2]} for index in range(40)))
    assert redacted(stated, chunk).frame["name"].to_list() == [str(index) for index in range(0, 40, 2)]


def test_statistics_count_null_as_a_value_of_its_own() -> None:
    stated = agreement(
        columns=columns(country="keep"), statistics={"count_as": "members", "smallest_cell": 2, "clause": "c"}
    )
    counted = redacted(stated, rows({"country": "NO"}, {}, {"country": "NO"}, {}, {"country": ""})).frame
    assert dict(counted.iter_rows()) == {"NO": 2, None: 2, "": 1}

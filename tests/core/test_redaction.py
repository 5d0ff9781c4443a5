"""The output is made of the columns that the agreement names, of the rows that its rules let through, and of nothing else."""

from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.agreement import Agreement, Reason
from pipeline.core.conservation import RowCount, conserved
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.redaction import COUNT, Redacted, compile_redaction, reasons, redact
from pipeline.core.statistics import tabulate
from pipeline.formats.parts import part_bytes
from tests.core.builders import CANARY, COLUMNS, LAW, agreement, assert_silent, code_list, columns, key_of, rows, schema

LISTS = {"listed": code_list("KSML"), "countries": code_list("NO", "DE", id="countries")}
TREATMENTS: list[str | dict[str, Any]] = [
    "keep",
    {"treatment": "pseudonymise", "domain": "d"},
    {"treatment": "pseudonymise", "domain": "d", "each_line": True},
    {"treatment": "mask", "keep_first": 2},
    {"treatment": "generalise-date", "to": "year"},
    {"treatment": "filter-terms", "codes": "listed"},
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
    return redact(compile_redaction(stated, schema(), LISTS, key_of), chunk)


def rule(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "clause": "Art. 1", **said}


def released(*conditions: dict[str, Any], how: str = "all", cells: dict[str, str | None]) -> bool:
    stated = agreement(rows=[rule("asked", **{how: list(conditions)})], columns=columns(country="keep"))
    return redacted(stated, rows(cells)).frame.height == 1


def test_exactly_the_named_columns_leave_in_the_order_of_the_agreement() -> None:
    stated = agreement(columns=columns(status="keep", name="keep", country="keep"))
    assert redacted(stated, rows(ROW)).frame.rows(named=True) == [
        {"status": "A", "name": "Alba Example", "country": "NO"}
    ]
    assert redacted(stated, rows(ROW)).frame.columns == ["status", "name", "country"]


def test_an_empty_chunk_still_has_the_columns() -> None:
    stated = agreement(columns=columns(status="keep", name={"treatment": "mask"}))
    assert redacted(stated, rows()).frame.schema == {"status": pl.String, "name": pl.String}


@LAW
@given(
    st.lists(st.sampled_from(sorted(COLUMNS)), unique=True, min_size=1),
    st.lists(st.sampled_from(TREATMENTS), min_size=7, max_size=7),
    st.lists(st.text(max_size=5) | st.none(), min_size=1, max_size=5),
    st.permutations([*COLUMNS, "unknown", "release_row"]),
)
def test_an_unknown_input_column_changes_no_output_byte(
    named: list[str], treatments: list[str | dict[str, Any]], cells: list[str | None], order: list[str]
) -> None:
    stated = agreement(columns=columns(**dict(zip(named, treatments, strict=False))))
    plain = rows(*(dict.fromkeys(COLUMNS, cell) for cell in cells))
    more = plain.with_columns(pl.lit(CANARY).alias("unknown"), pl.lit(CANARY).alias("release_row")).select(order)
    for form in ("csv", "parquet"):
        expected = part_bytes(redacted(stated, plain).frame, form)
        assert part_bytes(redacted(stated, more).frame, form) == expected


def test_cells_of_columns_that_are_not_named_are_in_no_output_byte() -> None:
    hidden = {name: CANARY for name in COLUMNS if name != "country"}
    for form in ("csv", "parquet"):
        assert CANARY.encode() not in part_bytes(redacted(agreement(), rows({**hidden, "country": "NO"})).frame, form)


@pytest.mark.parametrize("cell", ["NO", "SE", "no", "NO ", "", None])
def test_any_of_takes_exactly_its_values(cell: str | None) -> None:
    assert released({"column": "status", "any_of": ["NO", "DE"]}, cells={"status": cell}) is (cell == "NO")


@pytest.mark.parametrize("cell", ["NO", "SE", "no", None])
def test_in_codes_takes_exactly_the_codes_of_its_list(cell: str | None) -> None:
    assert released({"column": "status", "in_codes": "countries"}, cells={"status": cell}) is (cell == "NO")


@pytest.mark.parametrize(
    ("cell", "yes"), [("2020-01-01", True), ("2020-01-02", True), ("2019-12-31", False), (None, False)]
)
def test_at_least_includes_its_bound_and_an_absent_cell_answers_no(cell: str | None, yes: bool) -> None:
    assert released({"column": "born", "at_least": "2020-01-01"}, cells={"born": cell}) is yes


@pytest.mark.parametrize("first", ["yes", "no", None])
@pytest.mark.parametrize("second", ["yes", "no", None])
def test_any_needs_one_yes_and_all_needs_every_yes(first: str | None, second: str | None) -> None:
    asked = [{"column": "status", "any_of": ["yes"]}, {"column": "country", "any_of": ["yes"]}]
    cells = {"status": first, "country": second}
    assert released(*asked, how="any", cells=cells) is ("yes" in (first, second))
    assert released(*asked, how="all", cells=cells) is (first == second == "yes")


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
        ({"rows": [rule("r", any=[{"column": "status", "in_codes": "gone"}])]}, Code.CODE_LIST_MISSING, "gone"),
    ],
)
def test_what_an_agreement_names_must_exist(said: dict[str, Any], code: Code, named: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        compile_redaction(agreement(**said), schema(), LISTS, key_of)
    assert refused.value.code is code
    assert named in refused.value.message
    assert_silent(refused.value, CANARY)


CELL = st.sampled_from([None, "", "NO", "DE", "A", "B", "2020-01-01"])
CONDITION = st.sampled_from(
    [
        {"column": "status", "any_of": ["A", "B"]},
        {"column": "country", "in_codes": "countries"},
        {"column": "born", "at_least": "2000"},
        {"column": "name", "any_of": [""]},
    ]
)
RULE = st.builds(
    lambda how, asked, otherwise: {how: asked, "otherwise": otherwise},
    st.sampled_from(["any", "all"]),
    st.lists(CONDITION, min_size=1, max_size=3),
    st.sampled_from([reason.value for reason in Reason]),
)


@LAW
@given(
    st.lists(RULE, max_size=3),
    st.lists(st.fixed_dictionaries(dict.fromkeys(["status", "country", "born", "name"], CELL)), max_size=25),
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

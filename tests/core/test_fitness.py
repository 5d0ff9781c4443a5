"""Each rule of an agreement suits what its columns hold; a name or free text is kept only under a clause that says so."""

from typing import Any

import pytest

from pipeline.core.fitness import all_clauses, unfit
from pipeline.core.language.category import Category
from pipeline.core.language.clause import Clause
from pipeline.core.schema import calendar_date, column, each_line_matches, feed_schema, matches, one_of
from pipeline.core.validation import CompiledSchema, compile_schema
from tests.core.builders import CANARY, agreement, columns, handling

DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def shaped(pattern: str, category: Category = Category.PLAIN) -> Any:
    return column(category, "test", matches(pattern, name="shape", meaning="a shape"))


SCHEMA: CompiledSchema = compile_schema(
    feed_schema(
        "members",
        "1",
        {
            "name": column(Category.DIRECT_IDENTIFIER, "test"),
            "passport": shaped("[0-9]{9}", Category.DIRECT_IDENTIFIER),
            "remarks": column(Category.FREE_TEXT, "test"),
            "country": shaped("[A-Z]{2}", Category.QUASI_IDENTIFIER),
            "born": column(Category.QUASI_IDENTIFIER, "test", calendar_date()),
            "departs_at": shaped(f"{DAY}T[0-9]{{2}}:[0-9]{{2}}"),
            "written_at": column(Category.PLAIN, "test", matches(f"{DAY}T.*Z", name="at", meaning="at"), required=True),
            "stops": column(Category.PLAIN, "test", each_line_matches(DAY, name="days", meaning="days")),
            "weight": shaped(r"[0-9]{1,6}\.[0-9]{3}"),
            "pieces": shaped("[1-9][0-9]{0,3}"),
            "year": shaped("[0-9]{4}"),
            "balance": shaped("[0-9]{12}"),
            "kind": column(Category.SENSITIVE, "test", one_of(("A", "B"), name="kind", meaning="A or B")),
            "anything": column(Category.PLAIN, "test"),
        },
    )
)

CLAUSES = {
    "Art. 1": Clause.model_validate({"says": "It may.", "confidence": "found"}),
    "names": Clause.model_validate({"says": "Names.", "confidence": "found", "permits": ["direct identifier"]}),
    "texts": Clause.model_validate({"says": "Texts.", "confidence": "found", "permits": ["free text"]}),
    "both": Clause.model_validate(
        {"says": "All.", "confidence": "found", "permits": ["free text", "direct identifier"]}
    ),
}


def faults(**said: Any) -> list[tuple[str, str]]:
    found = [(".".join(fault.keys), fault.message) for fault in unfit(agreement(**said), SCHEMA, CLAUSES)]
    assert all(CANARY not in message for _, message in found)
    return found


def of_column(name: str, treatment: str, **settings: Any) -> list[tuple[str, str]]:
    return faults(columns={name: {"treatment": treatment, "clause": "Art. 1", **settings}})


def test_an_agreement_that_fits_has_no_fault() -> None:
    assert faults() == []


# Columns


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("nam", "did you mean name?"),
        ("departs", "did you mean departs_at?"),
        ("xyzzy", "see its schema"),
    ],
)
def test_an_unknown_column_suggests_what_may_be_meant(written: str, near: str) -> None:
    for treatment in ("keep", "withhold", "mask"):
        ((keys, message),) = [
            fault for fault in faults(columns=columns(**{"country": "keep", written: treatment})) if written in fault[0]
        ]
        assert keys == f"columns.{written}"
        assert message == f"is no column of the feed members: {near}"


RULE = {"name": "r", "clause": "c"}
COUNTS = {"count_as": "n", "smallest_cell": 5, "clause": "c"}


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ({"rows": [{**RULE, "all": [{"column": "contry", "any_of": ["NO"]}]}]}, "rows.0"),
        ({"rows": [{**RULE, "any": [{"not": {"column": "contry", "exists": True}}]}]}, "rows.0"),
        ({"rows": [{**RULE, "all": [{"column": "born", "no_later_than": {"event": "contry"}}]}]}, "rows.0"),
        ({"statistics": {**COUNTS, "sums": {"total": "contry"}}}, "statistics.sums.total"),
        ({"cases": [{"title": "t", "row": {"contry": CANARY}, "released": {}}]}, "cases.0.row"),
    ],
)
def test_an_unknown_column_is_found_wherever_one_is_named(said: dict[str, Any], keys: str) -> None:
    assert faults(**said) == [(keys, "contry is no column of the feed members: did you mean country?")]


# What is kept as it is


@pytest.mark.parametrize(
    ("name", "clause", "kept"),
    [
        ("name", "Art. 1", False),
        ("name", "texts", False),
        ("name", "names", True),
        ("name", "both", True),
        ("name", "Art. 1; names", True),
        ("name", "unknown", False),
        ("remarks", "Art. 1", False),
        ("remarks", "names", False),
        ("remarks", "texts", True),
        ("country", "Art. 1", True),
        ("kind", "Art. 1", True),
        ("anything", "Art. 1", True),
    ],
)
def test_a_name_or_free_text_is_kept_only_under_a_clause_that_permits_it(name: str, clause: str, kept: bool) -> None:
    found = of_column(name, "keep", clause=clause)
    category = SCHEMA.categories[name].value
    expected = (
        f'{name} is {category}: to keep it as it is, cite a clause that says so (permits = ["{category}"]), or treat it'
    )
    assert found == ([] if kept else [(f"columns.{name}.treatment", expected)])


@pytest.mark.parametrize("treatment", ["mask", "withhold"])
def test_what_is_treated_or_withheld_needs_no_permit(treatment: str) -> None:
    said = {"country": "keep", "name": treatment, "remarks": treatment}
    assert faults(columns=columns(**said)) == []


def test_an_agreements_own_clauses_permit_too() -> None:
    own = {"D1": {"says": "We chose so.", "confidence": "design", "permits": ["direct identifier"]}}
    said = agreement(clauses=own, columns={"name": {"treatment": "keep", "clause": "D1"}})
    clauses = all_clauses(said, CLAUSES)
    assert set(clauses) == {*CLAUSES, "D1"}
    assert list(unfit(said, SCHEMA, clauses)) == []
    assert list(unfit(said, SCHEMA, CLAUSES))


# Treatments that need a date or a number

DATES = ["born", "departs_at", "written_at", "stops", "anything"]
NUMBERS = ["weight", "pieces", "year", "balance", "anything"]
NEEDS: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("generalise-date", {"to": "month"}, "date", DATES),
    ("generalise-number", {"width": 10}, "number", NUMBERS),
    ("round", {"to": "5"}, "number", NUMBERS),
]


@pytest.mark.parametrize(("treatment", "settings", "needed", "fitting"), NEEDS)
@pytest.mark.parametrize("name", SCHEMA.columns)
def test_a_treatment_suits_what_its_column_may_hold(
    name: str, treatment: str, settings: dict[str, Any], needed: str, fitting: list[str]
) -> None:
    expected = (
        f"{treatment} needs a {needed}, and {name} holds none: use mask, truncate, generalise-code or pseudonymise"
    )
    assert of_column(name, treatment, **settings) == (
        [] if name in fitting else [(f"columns.{name}.treatment", expected)]
    )


# Columns that rules, clocks and sums read

READS: list[tuple[str, list[str], Any]] = [
    (
        "date",
        DATES,
        lambda name: {"rows": [{**RULE, "all": [{"column": name, "at_least": "2024-01-01", "read_as": "date"}]}]},
    ),
    (
        "date",
        DATES,
        lambda name: {"rows": [{**RULE, "any": [{"not": {"column": name, "no_later_than": {"event": "released"}}}]}]},
    ),
    (
        "date",
        DATES,
        lambda name: {"rows": [{**RULE, "all": [{"column": "born", "no_earlier_than": {"event": name}}]}]},
    ),
    (
        "number",
        NUMBERS,
        lambda name: {"rows": [{**RULE, "all": [{"column": name, "at_most": "7", "read_as": "number"}]}]},
    ),
    ("number", NUMBERS, lambda name: {"statistics": {**COUNTS, "sums": {"total": name}}}),
]


@pytest.mark.parametrize(("needed", "fitting", "said"), READS)
@pytest.mark.parametrize("name", SCHEMA.columns)
def test_what_is_read_as_a_date_or_number_may_be_one(name: str, needed: str, fitting: list[str], said: Any) -> None:
    found = faults(**said(name))
    assert [message for _, message in found] == (
        [] if name in fitting else [f"needs a {needed}, and {name} holds none: name another column"]
    )
    assert {keys.split(".")[0] for keys, _ in found} <= {"rows", "statistics"}


@pytest.mark.parametrize("name", [name for name in SCHEMA.columns if name not in ("name", "passport", "remarks")])
def test_a_clock_by_date_needs_a_date(name: str) -> None:
    retention = {"clock": "date", "column": name, "delete_after": "P1Y", "clause": "c"}
    found = faults(columns=columns(**{name: "keep"}), handling=handling(retention=retention))
    expected = ("handling.retention.column", f"needs a date, and {name} holds none: name another column")
    assert found == ([] if name in DATES else [expected])


def test_text_may_be_compared_and_coded_whatever_it_is() -> None:
    asked = [{"column": name, "any_of": ["x"]} for name in SCHEMA.columns]
    asked += [{"column": name, "at_least": "x"} for name in SCHEMA.columns]
    assert faults(rows=[{**RULE, "any": asked}]) == []


def test_every_fault_is_told() -> None:
    found = faults(
        columns=columns(name="keep", remarks="keep", nowhere="keep", country={"treatment": "round", "to": "5"}),
        rows=[{**RULE, "all": [{"column": "kind", "at_least": "7", "read_as": "number"}]}],
    )
    assert [keys for keys, _ in found] == [
        *("columns.name.treatment", "columns.remarks.treatment", "columns.nowhere", "columns.country.treatment"),
        "rows.0",
    ]

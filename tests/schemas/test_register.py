"""Each rule of the register's schema: what passes, what fails, and the edge."""

import polars as pl
import pytest

from pipeline.core import register
from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.core.language.category import Category
from pipeline.core.validation import compile_schema, rejected
from schemas.register import COLUMNS, SCHEMA

GOOD: dict[str, str | None] = {
    "registration": "example-treaty/example/2",
    "instrument": "example-treaty",
    "title": "Example treaty",
    "kind": "treaty",
    "citation": "Example Gazette 1",
    "programme": "Examples",
    "parties": "Altland\nNeuland",
    "confidence": "design",
    "source": "Our own",
    "reach": "Two States",
    "status": "in force",
    "dated": "2019-12-31",
    "since": "2020-01-01",
    "until": "2040-01-01",
    "review": "2027-01-01",
    "exchanges_records": "Y",
    "commitments": None,
    "agreement": "example",
    "version": "2",
    "agreement_title": "An example",
    "provider": "example-customs",
    "recipient": "eu-customs",
    "feed": "aeo-members",
    "agreement_status": "active",
    "agreement_since": "2020-01-01T00:00:00Z",
    "agreement_until": "2030-01-01T00:00:00Z",
    "agreement_review": "2027-01-01",
}
OF_A_VERSION = [
    name
    for name in COLUMNS
    if name in {"agreement", "version", "provider", "recipient", "feed"} or name.startswith("agreement_")
]
ALONE = {**GOOD, **dict.fromkeys(OF_A_VERSION), "registration": "example-treaty"}
COMPILED = compile_schema(SCHEMA)


def broken(row: dict[str, str | None], **cells: str | None) -> set[tuple[str, str]]:
    """The (column, rule) pairs that the row breaks with these cells."""
    tally = Tally()
    frame = pl.DataFrame(
        [{POSITION: 1, **row, **cells}], schema={POSITION: pl.UInt64, **dict.fromkeys(COLUMNS, pl.String)}
    )
    bad = rejected(COMPILED, frame, tally).item()
    found = {(finding.column, finding.rule) for finding in tally.findings()}
    assert bad is bool(found)
    return found


def rules(row: dict[str, str | None], **cells: str | None) -> set[str]:
    return {rule for _, rule in broken(row, **cells)}


def test_an_entry_with_a_version_and_one_without_break_no_rule() -> None:
    assert broken(GOOD) == broken(ALONE) == set()


def test_the_columns_are_those_that_the_register_writes() -> None:
    assert list(COLUMNS) == list(register.COLUMNS)


def test_words_that_somebody_wrote_are_free_text() -> None:
    free = {name for name, one in COLUMNS.items() if one.metadata and one.metadata["category"] is Category.FREE_TEXT}
    assert free == {
        "title",
        "citation",
        "programme",
        "parties",
        "source",
        "reach",
        "commitments",
        "agreement_title",
    }


@pytest.mark.parametrize(
    ("column", "rule", "fine", "wrong"),
    [
        ("title", "at-most-2000", ["Ö" * 2000], ["A" * 2001]),
        ("parties", "at-most-16000", ["A\nB"], ["A" * 16_001]),
        ("kind", "kind", ["statute", "joint statement"], ["law", "Treaty"]),
        ("confidence", "confidence", ["found", "uncertain"], ["sure"]),
        ("status", "status", ["ended", "unknown"], ["active", ""]),
        ("dated", "date", ["2020-02-29"], ["2021-02-29", "2020-2-1", "2020-02-29\n"]),
        ("review", "date", ["2020-02-29"], ["soon"]),
        ("exchanges_records", "yes-or-no", ["Y"], ["y", "true"]),
        ("version", "version", ["2"], ["0", "02", "v2", "10000"]),
        ("agreement_status", "standing", ["not yet in force", "draft"], ["signed"]),
        (
            "agreement_since",
            "instant",
            ["2020-02-29T23:59:59Z"],
            ["2021-02-29T00:00:00Z", "2020-01-01", "2020-01-01T0:0:0Z"],
        ),
        ("provider", "id", ["a", "a-1"], ["A", "a--b", "a b", "-a"]),
        ("registration", "registration", [], ["example-treaty/example", "example-treaty/example/x", "a b"]),
    ],
)
def test_a_cell_keeps_its_rule(column: str, rule: str, fine: list[str], wrong: list[str]) -> None:
    assert not any((column, rule) in broken(GOOD, **{column: cell}) for cell in fine)
    assert all((column, rule) in broken(GOOD, **{column: cell}) for cell in wrong)


def test_an_entry_is_named_by_its_parts() -> None:
    for changed in ("example-treaty", "example-treaty/example/3", "other/example/2"):
        assert "named-by-its-parts" in rules(GOOD, registration=changed)
    assert "named-by-its-parts" in rules(ALONE, registration="other")


@pytest.mark.parametrize("missing", [name for name in OF_A_VERSION if name != "agreement_review"])
def test_a_version_has_all_of_its_cells(missing: str) -> None:
    assert "a-version-is-whole" in rules(GOOD, **{missing: None})


@pytest.mark.parametrize("alone", [name for name in OF_A_VERSION if name not in ("agreement", "agreement_review")])
def test_an_instrument_alone_has_none_of_them(alone: str) -> None:
    assert "a-version-is-whole" in rules(ALONE, **{alone: GOOD[alone]})


def test_an_instrument_without_records_has_commitments_and_no_agreement() -> None:
    assert broken(ALONE, exchanges_records="N", commitments="It is safe") == set()
    assert "commitments-or-records" in rules(ALONE, exchanges_records="N")
    assert "commitments-or-records" in rules(GOOD, exchanges_records="N", commitments="It is safe")


def test_an_end_is_after_its_beginning() -> None:
    assert broken(GOOD, until=None) == broken(GOOD, since=None) == set()
    assert "ends-after-it-begins" in rules(GOOD, until="2020-01-01")
    assert "ends-after-it-begins" in rules(GOOD, agreement_until="2020-01-01T00:00:00Z")


def test_two_rows_of_one_name_are_one_too_many() -> None:
    assert SCHEMA.unique == ["registration"]

"""Each rule of the trusted-trader list: what passes, what fails, and the edge."""

import polars as pl
import pytest

from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.core.language.category import Category
from pipeline.core.validation import compile_schema, rejected
from schemas.aeo_members import COLUMNS, ENDED, ROLES, SCHEMA, STATUSES
from tests.code_lists import LISTS

GOOD: dict[str, str | None] = {
    "tin": "DE387420489",
    "eori": "DE387420489",
    "account_number": "AEO-387420489",
    "mid": "DEALDTOO12ALT",
    "legal_name": "Alderbeck Tools GmbH",
    "trade_names": "Alderbeck Direct\nAlderbeck Export",
    "street": "Mill Lane 12",
    "city": "Altbruck",
    "region": "North",
    "postcode": "10115",
    "country": "DE",
    "operator_role": "IMPORTER",
    "program_status": "AEOF",
    "status_effective_date": "2020-02-29",
    "authorisation_date": "2020-01-31",
    "suspension_date": None,
    "benefit_consent": "Y",
    "suspension_reason": None,
    "contact_name": "Tilda Quintero",
    "contact_email": "tilda@example.org",
}
COMPILED = compile_schema(SCHEMA, LISTS)


def broken(**cells: str | None) -> set[tuple[str, str]]:
    """The (column, rule) pairs that the good row breaks with these cells."""
    tally = Tally()
    frame = pl.DataFrame(
        [{POSITION: 1, **GOOD, **cells}], schema={POSITION: pl.UInt64, **dict.fromkeys(COLUMNS, pl.String)}
    )
    bad = rejected(COMPILED, frame, tally).item()
    found = {(finding.column, finding.rule) for finding in tally.findings()}
    assert bad is bool(found)
    return found


def test_a_good_row_breaks_no_rule() -> None:
    assert broken() == set()


def test_only_what_every_operator_has_is_required() -> None:
    required = {column for column in COLUMNS if (column, "required") in broken(**{column: None})}
    assert required == {
        "tin",
        "legal_name",
        "city",
        "country",
        "operator_role",
        "program_status",
        "status_effective_date",
        "benefit_consent",
    }


@pytest.mark.parametrize(
    ("column", "rule", "fine", "wrong"),
    [
        ("tin", "tin", ["DE1", "DE123456789012345", "DEabc"], ["DE", "DE1234567890123456", "DE-1", "DE1\n", "DEÄ1"]),
        ("eori", "eori", ["FR1", "XI123456789000", "DE123456789012345"], ["F1", "fr12", "DE1234567890123456", "FR 1"]),
        ("account_number", "account-number", ["1", "AEO-1", "A" * 20], ["A" * 21, "-1", "aeo", "A 1"]),
        ("mid", "mid", ["DE1", "DE" + "A" * 13], ["DE", "DE" + "A" * 14, "DEabc", "D1A"]),
        ("legal_name", "at-most-70", ["A", "Ö" * 70], ["Ö" * 71]),
        ("legal_name", "one-line", ['A, "B"'], ["A\nB", "A\n"]),
        ("trade_names", "at-most-512", ["A\nB", "A" * 512], ["A" * 513]),
        ("street", "at-most-70", ["A" * 70], ["A" * 71]),
        ("street", "one-line", ["A"], ["A\nB"]),
        ("city", "at-most-35", ["Ö" * 35], ["A" * 36]),
        ("city", "one-line", ["A"], ["A\nB"]),
        ("region", "at-most-35", ["A" * 35], ["A" * 36]),
        ("region", "one-line", ["A"], ["A\nB"]),
        ("postcode", "postcode", ["SW1A 1AA", "1234-567", "0"], ["?", " 1", "1" * 18, "1\n"]),
        ("country", "country", ["DE"], ["XX", "EU", "UK", "de", "DEU"]),
        ("operator_role", "operator-role", list(ROLES), ["importer", "OTHER", ""]),
        ("program_status", "program-status", [s for s in STATUSES if s not in ENDED], ["GOLD", "aeof"]),
        ("status_effective_date", "date", ["2024-02-29"], ["2023-02-29", "2023-2-1", "01.02.2023", "2023-02-01T00:00"]),
        ("authorisation_date", "date", ["2024-12-31"], ["2024-13-01", "20241231"]),
        ("suspension_date", "date", ["2024-12-31"], ["2024-12-32", "never"]),
        ("benefit_consent", "yes-or-no", ["Y", "N"], ["y", "yes", "J", "true"]),
        ("suspension_reason", "at-most-512", ["A, B\nC"], ["A" * 513]),
        ("contact_name", "at-most-70", ["A" * 70], ["A" * 71]),
        ("contact_name", "one-line", ["A B"], ["A\nB"]),
        ("contact_email", "email", ["a@b", "ü.v+w@example.org"], ["nobody", "a@b@c", "a @b", "@b", "a@"]),
        ("contact_email", "at-most-254", ["a@" + "b" * 252], ["a@" + "b" * 253]),
    ],
)
def test_a_cell_is_fine_or_breaks_its_rule(column: str, rule: str, fine: list[str], wrong: list[str]) -> None:
    for cell in fine:
        assert broken(**{column: cell}) == set()
    for cell in wrong:
        assert (column, rule) in broken(**{column: cell})


def test_every_rule_of_a_column_is_tested() -> None:
    (table,) = [m for m in test_a_cell_is_fine_or_breaks_its_rule.pytestmark if m.name == "parametrize"]  # type: ignore[attr-defined]
    tested = {(column, rule) for column, rule, *_ in table.args[1]}
    assert tested == {(rule.column, rule.name) for rule in COMPILED.rules if rule.column and rule.name != "required"}


def test_the_identification_number_is_of_the_operators_country() -> None:
    assert broken(tin="FR1", country="FR") == set()
    assert broken(tin="FR1", country="DE") == {("", "tin-of-country")}


def test_whoever_is_a_member_was_authorised_on_some_day() -> None:
    assert broken(program_status="APPLICANT", authorisation_date=None) == set()
    assert broken(program_status="WITHDRAWN", authorisation_date=None) == set()
    assert broken(program_status="CERTIFIED", authorisation_date=None) == {("", "authorised-on-a-day")}


@pytest.mark.parametrize("status", ENDED)
def test_a_suspension_or_revocation_has_its_day(status: str) -> None:
    assert broken(program_status=status, suspension_date="2021-01-01") == set()
    assert broken(program_status=status, suspension_date=None) == {("", "ended-on-a-day")}
    assert broken(program_status="AEOF", suspension_date="2021-01-01") == set()


def test_no_suspension_is_before_the_authorisation() -> None:
    for day, rules in (
        ("2020-01-30", {("", "suspended-after-authorised")}),
        ("2020-01-31", set()),
        ("2020-02-01", set()),
    ):
        assert broken(program_status="SUSPENDED", suspension_date=day) == rules
    assert broken(program_status="APPLICANT", authorisation_date=None, suspension_date="2020-01-01") == set()


def test_the_key_is_the_identification_number() -> None:
    assert COMPILED.key == ("tin",)
    assert COMPILED.columns == tuple(COLUMNS) == tuple(GOOD)


def test_what_tells_about_a_natural_person_says_so() -> None:
    assert COMPILED.categories["contact_name"] is Category.DIRECT_IDENTIFIER
    assert COMPILED.categories["contact_email"] is Category.DIRECT_IDENTIFIER
    assert COMPILED.categories["suspension_reason"] is Category.FREE_TEXT
    assert all(COMPILED.sources.values())

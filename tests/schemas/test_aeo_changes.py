"""Each rule that a change has beside those of the full list: what passes, what fails, and the edge."""

import io

import polars as pl
import pytest

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Tally
from pipeline.core.validation import compile_schema, rejected
from pipeline.formats.batch import Limits
from pipeline.formats.csv import Csv
from samples.aeo_changes import VARIANTS, delivery, good, write
from schemas import aeo_members
from schemas.aeo_changes import ADD, CHANGES, COLUMNS, DELETE, REVOKE, SCHEMA, SUSPEND, UPDATE
from tests.code_lists import LISTS
from tests.schemas.test_aeo_members import GOOD as MEMBER

COMPILED = compile_schema(SCHEMA, LISTS)
GOOD = {"change_number": "41", "change_code": UPDATE, "changed_on": "2024-02-29", **MEMBER}
ENDED = {
    SUSPEND: {"change_code": SUSPEND, "program_status": "SUSPENDED", "suspension_date": "2024-02-28"},
    REVOKE: {"change_code": REVOKE, "program_status": "REVOKED", "suspension_date": "2024-02-28"},
}


def read(content: bytes) -> pl.DataFrame:
    return pl.concat(batch.frame for batch in Csv().read([content], COMPILED.columns, Limits()))


def broken(**cells: str | None) -> set[tuple[str, str]]:
    """The (column, rule)s that the good row breaks with these cells."""
    tally = Tally()
    row = {POSITION: 1, **GOOD, **cells}
    rejected(COMPILED, pl.DataFrame([row], schema={POSITION: pl.UInt64, **dict.fromkeys(COLUMNS, pl.String)}), tally)
    return {(finding.column, finding.rule) for finding in tally.findings()}


def test_a_change_is_a_row_of_the_full_list_with_its_number_its_code_and_its_day() -> None:
    assert COMPILED.columns == ("change_number", "change_code", "changed_on", *aeo_members.COLUMNS)
    assert COMPILED.key == ("change_number",)
    assert broken() == set()


def test_the_rules_of_the_full_list_hold_for_changes_too() -> None:
    assert ("tin", "required") in broken(tin=None, change_code=DELETE)
    assert ("", "tin-of-country") in broken(tin="FR1")
    assert ("program_status", "program-status") in broken(program_status="GOLD")


@pytest.mark.parametrize(
    ("column", "rule", "fine", "wrong"),
    [
        ("change_number", "running-number", ["1", "9" * 15], ["0", "01", "-1", "9" * 16, "1\n", "1.0"]),
        ("change_code", "change-code", [ADD, UPDATE, DELETE], ["add", "REVOKED", " ADD", ""]),
        ("changed_on", "date", ["2024-02-29"], ["2023-02-29", "20240229", "yesterday"]),
    ],
)
def test_a_cell_is_fine_or_breaks_its_rule(column: str, rule: str, fine: list[str], wrong: list[str]) -> None:
    for cell in fine:
        assert broken(**{column: cell}) == set()
    for cell in wrong:
        assert (column, rule) in broken(**{column: cell})
    assert broken(**{column: None}) >= {(column, "required")}


@pytest.mark.parametrize("code", [SUSPEND, REVOKE])
def test_who_is_suspended_or_revoked_has_that_status(code: str) -> None:
    assert broken(**ENDED[code]) == set()
    assert broken(**{**ENDED[code], "program_status": "AEOF"}) == {("", "change-and-status-agree")}
    other = "REVOKED" if code == SUSPEND else "SUSPENDED"
    assert broken(**{**ENDED[code], "program_status": other}) == {("", "change-and-status-agree")}


def test_nobody_joins_suspended_but_whoever_is_may_move_or_leave() -> None:
    for code in (ADD, UPDATE, DELETE):
        found = broken(**{**ENDED[SUSPEND], "change_code": code})
        assert found == ({("", "change-and-status-agree")} if code == ADD else set())


def test_no_revocation_is_told_before_its_day() -> None:
    assert broken(**ENDED[REVOKE], changed_on="2024-02-28") == set()
    assert broken(**ENDED[REVOKE], changed_on="2024-02-27") == {("", "ended-before-told")}


def test_the_samples_are_good_and_bad_as_they_say_and_have_every_code() -> None:
    out = io.BytesIO()
    said = write(out, changes=600, seed=5, bad_share=0.1)
    frame = read(out.getvalue())
    assert (frame.height, int(rejected(COMPILED, frame, Tally()).sum())) == (said.rows, said.bad_rows)
    assert 30 < said.bad_rows < 90
    assert set(read(good())["change_code"]) == set(CHANGES)
    assert not rejected(COMPILED, read(good()), Tally()).any()


def test_a_day_without_a_change_is_a_delivery_without_rows() -> None:
    assert read(delivery([])).height == 0


def test_a_delivery_without_the_codes_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        read(VARIANTS["no-code"]())
    assert caught.value.code is Code.COLUMNS_DIFFER
    frame = read(VARIANTS["mostly-bad"]())
    assert rejected(COMPILED, frame, Tally()).sum() > frame.height * 0.05

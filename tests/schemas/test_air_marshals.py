"""The schema of coverage takes rows that say that they are Sensitive Security Information, and no others."""

from datetime import date

import polars as pl
import pytest

from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.core.language.category import Category
from pipeline.core.validation import compile_schema, rejected
from samples.fams_coverage import flown
from schemas.fams_coverage import SCHEMA
from tests.code_lists import LISTS

COMPILED = compile_schema(SCHEMA, LISTS)
ROW = flown(1, "GB", date(2026, 4, 1))


def broken(**cells: str | None) -> set[str]:
    tally = Tally()
    frame = pl.DataFrame([{**ROW, **cells}], schema=dict.fromkeys(COMPILED.columns, pl.String))
    rejected(COMPILED, frame.with_row_index(POSITION, 1), tally)
    return {f"{finding.column}:{finding.rule}" for finding in tally.findings()}


def test_a_good_row_breaks_no_rule() -> None:
    assert broken() == set()


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"marking": "TLP:AMBER"}, "marking:ssi"),
        ({"marking": 'TLP:RED | CUI//LEI | DESIGNATED BY "TSA"'}, "marking:ssi"),
        ({"country": "UK"}, "country:country"),
        ({"flight_date": "2026-02-29"}, "flight_date:date"),
        ({"seats_coordinated": "0"}, "seats_coordinated:seats"),
        ({"arrival_airport": "JFK", "departure_airport": "JFK"}, ":goes-somewhere"),
        ({"host_contact_role": "A NAME"}, "host_contact_role:role"),
        ({"weapons_notice_ack": "1"}, "weapons_notice_ack:yes-or-no"),
    ],
)
def test_a_wrong_cell_breaks_its_rule(cells: dict[str, str], rule: str) -> None:
    assert rule in broken(**cells)


def test_all_that_tells_of_a_deployment_is_sensitive() -> None:
    told = {name for name, category in COMPILED.categories.items() if category is not Category.SENSITIVE}
    assert told == {"marking", "country"}

"""What the schemas of preclearance take and reject: flights that add up, and persons only where a case asks for them."""

import io

import pytest

from samples.preclearance import INSPECTIONS, OUTCOMES
from samples.small_lists import SmallList
from schemas.preclear_outcome import COUNTS, PERSON
from tests.drawn import bad_rows, broken

COUNTED = {
    **dict.fromkeys((*PERSON, "officer"), ""),
    **dict.fromkeys(COUNTS, "0"),
    "record": "FLIGHT",
    "processed": "120",
    "admitted": "117",
    "refused": "1",
    "withdrawn": "2",
    "secondary": "120",
}
REFUSED = {
    **dict.fromkeys(COUNTS, ""),
    "record": "REFUSAL",
    "case_ref": "RC-2026-114",
    "surname": "EXAMPLE",
    "birth_date": "1980-01-01",
    "nationality": "CAN",
    "document_number": "P1234567",
}
INSPECTED = {"location": "YYZ", "flight_date": "2026-11-03", "inspection": "YYZ-20261103-00001"}


@pytest.mark.parametrize("small", [OUTCOMES, INSPECTIONS], ids=["outcome", "inspection"])
def test_the_samples_are_good_and_their_bad_rows_are_all_that_is_bad(small: SmallList) -> None:
    for share in (0.0, 0.1):
        out = io.BytesIO()
        said = small.write(out, rows=300, seed=5, bad_share=share)
        assert bad_rows(small, out.getvalue()) == said.bad_rows
        assert bool(said.bad_rows) == bool(share)


@pytest.mark.parametrize(
    ("small", "row", "expected"),
    [
        (OUTCOMES, COUNTED, set()),
        (OUTCOMES, COUNTED | {"admitted": "118"}, {"everybody-is-accounted-for"}),
        (OUTCOMES, COUNTED | {"admitted": "116"}, {"everybody-is-accounted-for"}),
        (OUTCOMES, COUNTED | {"secondary": "121"}, {"secondary-among-the-processed"}),
        (OUTCOMES, COUNTED | {"currency_seizures": ""}, {"a-flight-is-counted"}),
        (OUTCOMES, COUNTED | {"surname": "EXAMPLE"}, {"a-flight-is-counted"}),
        (OUTCOMES, COUNTED | {"officer": "EXAMPLE"}, {"a-flight-is-counted"}),
        (OUTCOMES, REFUSED, set()),
        (OUTCOMES, REFUSED | {"case_ref": ""}, {"a-refusal-is-a-person-of-a-case"}),
        (OUTCOMES, REFUSED | {"document_number": ""}, {"a-refusal-is-a-person-of-a-case"}),
        (OUTCOMES, REFUSED | {"refused": "1"}, {"a-refusal-is-a-person-of-a-case"}),
        (OUTCOMES, REFUSED | {"case_ref": "BECAUSE"}, {"case"}),
        (OUTCOMES, REFUSED | {"location": "CDG"}, {"location"}),
        (INSPECTIONS, INSPECTED, set()),
        (INSPECTIONS, INSPECTED | {"location": "YVR"}, {"numbered-by-its-location-and-day"}),
        (INSPECTIONS, INSPECTED | {"flight_date": "2026-11-04"}, {"numbered-by-its-location-and-day"}),
        (INSPECTIONS, INSPECTED | {"secondary": "Y", "currency_seizures": "1"}, set()),
        (INSPECTIONS, INSPECTED | {"secondary": "N", "currency_seizures": "1"}, {"seized-in-secondary"}),
    ],
)
def test_what_a_row_must_say(small: SmallList, row: dict[str, str], expected: set[str]) -> None:
    assert {rule for _, rule in broken(small, **row)} == expected

"""What the schemas of air cargo take and reject: the elements of a filing, and the states that a status goes through."""

import io

import pytest

from pipeline.core.language.category import Category
from samples.air_cargo import FILINGS, STATUSES, air_waybill
from samples.small_lists import SmallList
from schemas import acas_filing, acas_status
from tests.drawn import bad_rows, broken, compiled_once

SIX = (
    *("shipper_name", "shipper_address", "consignee_name", "consignee_address"),
    *("cargo", "pieces", "weight", "waybill"),
)
ENHANCED = [name for name, source in compiled_once(FILINGS).sources.items() if source.startswith("90 FR 52796")]
UNKNOWN = {
    "shipper_email": "a@example.com",
    "account_name": "EXAMPLE PARTS",
    "account_number": "AC1",
    "ip_address": "192.0.2.1",
    "identity_name": "A EXAMPLE",
    "identity_birth_date": "1980-01-01",
    "identity_document": "ID1",
    "identity_country": "CA",
}
DUE = {"consignee_phone": "+1 202 555 0101", "pickup_location": "HALL 1"}
SIMPLE = {"waybill_kind": "SIMPLE", "waybill": "020-12345675", "master_waybill": ""}
FILED = {"filed_at": "2026-11-21T09:00Z", "loading_at": "2026-11-21T12:00Z", **SIMPLE}
KNOWN = FILED | dict.fromkeys(ENHANCED, "") | DUE | {"verified_known_consignor": "Y"}
NOT_KNOWN = KNOWN | {"verified_known_consignor": "N"} | UNKNOWN

STATUS_CELLS = [
    name
    for name in compiled_once(STATUSES).columns
    if name.endswith(("_at", "_by", "_hold")) or name in ("answer", "referral", "release")
]
AT = [f"2026-11-21T{hour:02d}:00Z" for hour in range(9, 18)]
RECEIVED = dict.fromkeys(STATUS_CELLS, "") | SIMPLE
RECEIVED |= {"told_at": AT[8], "filed_at": AT[0], "answer": "SR", "answered_at": AT[1], "status": "SR"}
RELEASED = RECEIVED | {"release": "SF", "released_at": AT[5], "status": "CO"}
HELD = RECEIVED | {"screening_hold": "8H", "screening_held_at": AT[2], "status": "CB"}
CLOSED = HELD | {"screening_closed_by": "8I", "screening_closed_at": AT[4]}
OPENED = CLOSED | {"release": "8I", "released_at": AT[4], "status": "CO"}
STOPPED = {"do_not_load_hold": "6H", "do_not_load_held_at": AT[6]}
ASKED = RECEIVED | {"referral": "RFI", "referred_at": AT[2], "status": "RFI"}


def rules(small: SmallList, cells: dict[str, str]) -> set[str]:
    return {rule for _, rule in broken(small, **cells)}


@pytest.mark.parametrize("small", [FILINGS, STATUSES], ids=["filing", "status"])
def test_the_samples_are_good_and_their_bad_rows_are_all_that_is_bad(small: SmallList) -> None:
    for share in (0.0, 0.1):
        out = io.BytesIO()
        said = small.write(out, rows=300, seed=5, bad_share=share)
        assert bad_rows(small, out.getvalue()) == said.bad_rows
        assert bool(said.bad_rows) == bool(share)


@pytest.mark.parametrize("element", SIX)
def test_each_of_the_six_elements_is_mandatory(element: str) -> None:
    assert (element, "required") in broken(FILINGS, **KNOWN | {element: ""})
    assert rules(FILINGS, KNOWN) == set()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        # Vectors of domain.md F: each is a number of an airline with its check digit.
        ({"waybill": "006-96667465"}, set()),
        ({"waybill": "618-54841905"}, set()),
        ({"waybill": "217-08722685"}, set()),
        ({"waybill": "020-12345676"}, {"waybill-as-its-kind"}),
        ({"waybill": "02012345675"}, {"waybill-as-its-kind"}),
        ({"waybill_kind": "HOUSE", "waybill": "HX1", "master_waybill": "020-12345675"}, set()),
        ({"waybill_kind": "HOUSE", "waybill": "HX1", "master_waybill": "020-12345674"}, {"air-waybill"}),
        ({"waybill_kind": "HOUSE", "waybill": "HX1"}, {"master-of-a-house"}),
        ({"waybill_kind": "HOUSE", "waybill": "HX-1", "master_waybill": "020-12345675"}, {"waybill-as-its-kind"}),
        ({"master_waybill": "020-12345675"}, {"master-of-a-house"}),
        ({"loading_at": "2026-11-21T09:00Z"}, {"filed-before-loading"}),
        ({"loading_at": "2026-11-21T09:01Z"}, set()),
        ({"pieces": "0"}, {"pieces"}),
        ({"weight": "0.1"}, set()),
        ({"weight": "0.0"}, {"weight"}),
    ],
)
def test_a_filing_names_its_waybill_and_is_made_before_loading(cells: dict[str, str], expected: set[str]) -> None:
    assert rules(FILINGS, KNOWN | cells) == expected


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ((), set()),
        (("consignee_phone",), {"consignee-can-be-reached"}),
        (("pickup_location",), {"pickup-told"}),
        (("verified_known_consignor",), {"consignor-known-or-not"}),
        (("shipper_email",), {"unknown-consignor-can-be-reached"}),
        (("account_name",), {"unknown-consignor-has-an-account"}),
        (("account_number",), {"unknown-consignor-has-an-account"}),
        (("ip_address",), {"unknown-consignor-has-a-device"}),
        (("identity_name",), {"unknown-consignor-is-identified"}),
        (("identity_birth_date",), {"unknown-consignor-is-identified"}),
        (("identity_document",), {"unknown-consignor-is-identified"}),
        (("identity_country",), {"unknown-consignor-is-identified"}),
    ],
)
def test_the_enhanced_elements_are_asked_for_of_whom_is_not_known(
    left_out: tuple[str, ...], expected: set[str]
) -> None:
    row = NOT_KNOWN | dict.fromkeys(left_out, "")
    assert rules(FILINGS, row) == expected
    assert rules(FILINGS, row | {"filed_at": "2026-11-20T23:59Z"}) == set(), "restraint in enforcement"
    of_the_shipper = {rule for rule in expected if rule.startswith("unknown-")}
    assert rules(FILINGS, row | {"verified_known_consignor": "Y"}) == expected - of_the_shipper - (
        {"consignor-known-or-not"} & expected
    )


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"ip_address": "", "mac_address": "00:00:5E:00:53:01"}, set()),
        ({"ip_address": "2001:db8::1"}, set()),
        ({"ip_address": "192.0.2.x"}, {"ip-address"}),
        ({"ip_address": "192.0.2.256"}, {"ip-address"}),
        ({"mac_address": "00:00:5E:**:**:**"}, {"mac-address"}),
    ],
)
def test_an_address_of_a_device_is_whole(cells: dict[str, str], expected: set[str]) -> None:
    assert rules(FILINGS, NOT_KNOWN | cells) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (RECEIVED, set()),
        (RECEIVED | {"answer": "", "answered_at": "", "status": "FILED"}, set()),
        (RECEIVED | {"answered_at": AT[0]}, set()),
        (RECEIVED | {"filed_at": AT[2]}, {"answered-once-filed"}),
        (RECEIVED | {"answer": "ERR", "status": "ERR"}, set()),
        (RELEASED | {"answer": "ERR", "status": "ERR"}, {"an-error-ends-it"}),
        (RELEASED, set()),
        (RELEASED | {"loaded_at": AT[5]}, set()),
        (RELEASED | {"loaded_at": AT[4]}, {"no-load-before-release"}),
        (RECEIVED | {"loaded_at": AT[5]}, {"no-load-before-release"}),
        (ASKED, set()),
        (ASKED | {"resolved_at": AT[1], "status": "SR"}, {"referred-once-received"}),
        (ASKED | {"release": "SF", "released_at": AT[5], "status": "CO"}, {"no-release-under-a-referral"}),
        (ASKED | {"resolved_at": AT[4], "release": "SF", "released_at": AT[5], "status": "CO"}, set()),
        (HELD, set()),
        (HELD | {"screening_held_at": AT[0]}, {"held-once-received"}),
        (HELD | {"status": "SR"}, {"status-is-what-the-times-say"}),
        (HELD | {"loaded_at": AT[5]}, {"no-load-before-release", "no-load-under-a-hold"}),
        (HELD | {"release": "SF", "released_at": AT[5]}, {"no-release-under-a-hold"}),
        (CLOSED | {"status": "SR"}, set()),
        (CLOSED | {"status": "SR", "screening_closed_at": AT[1]}, {"closed-once-held"}),
        (OPENED, set()),
        (OPENED | {"screening_hold": "8J"}, set()),
        (OPENED | {"release": "7I"}, {"released-once-received"}),
        (OPENED | {"released_at": AT[3]}, {"no-release-under-a-hold"}),
        (OPENED | STOPPED | {"status": "CD"}, set()),
        (OPENED | STOPPED, {"status-is-what-the-times-say"}),
        (OPENED | STOPPED | {"status": "CD", "loaded_at": AT[5]}, set()),
        (OPENED | STOPPED | {"status": "CD", "loaded_at": AT[7]}, {"no-load-under-a-hold"}),
        (RELEASED | {"told_at": AT[4]}, {"nothing-later-than-told"}),
    ],
)
def test_a_status_goes_through_its_states_in_order(row: dict[str, str], expected: set[str]) -> None:
    assert rules(STATUSES, row) == expected


@pytest.mark.parametrize("kind", acas_status.HOLDS)
@pytest.mark.parametrize("code", ["6I", "7I", "8I", "SF"])
def test_a_hold_is_closed_by_the_code_of_its_own_alone(kind: str, code: str) -> None:
    digit = acas_status.HOLDS[kind]
    row = RECEIVED | {
        f"{kind}_hold": f"{digit}H",
        f"{kind}_held_at": AT[2],
        f"{kind}_closed_by": code,
        f"{kind}_closed_at": AT[3],
    }
    assert broken(STATUSES, **row) == (set() if code == f"{digit}I" else {(f"{kind}_closed_by", "own-code")})


def test_a_waybill_is_made_with_its_check_digit() -> None:
    assert air_waybill(1234567, airline="020") == "020-12345675"


def test_who_is_named_and_what_is_free_text_is_known_as_such() -> None:
    filing = compiled_once(FILINGS).categories
    assert filing["cargo"] is Category.FREE_TEXT
    assert {filing[name] for name in acas_filing.NEVER_ABROAD} <= {
        Category.DIRECT_IDENTIFIER,
        Category.QUASI_IDENTIFIER,
    }
    assert compiled_once(STATUSES).categories["risk_score"] is Category.SENSITIVE

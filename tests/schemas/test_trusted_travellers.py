"""What the schemas of the trusted-traveller programmes take and reject, rule by rule."""

import io

import pytest

from samples import trusted_travellers as samples
from samples.small_lists import SmallList
from tests.drawn import bad_rows, broken

LISTS = {
    "tt-vetting-request": samples.REQUESTS,
    "tt-vetting-result": samples.RESULTS,
    "tt-membership-status": samples.MEMBERSHIPS,
}
APPLIED = {"applied_on": "2026-11-21", "consent_on": "2026-11-21", "consent_withdrawn_on": ""}
VETTED = {
    "vetted_on": "2026-11-21",
    "valid_until": "2026-11-22",
    "reasons": "",
    "derogatory_record": "",
    "record_holder": "",
}
MEMBER = {
    "status": "ACTIVE",
    "status_on": "2026-11-21",
    "joined_on": "2024-01-15",
    "birth_date": "1980-05-17",
    "expires_on": "2029-05-17",
}
CASES: list[tuple[SmallList, dict[str, str], set[str]]] = [
    (samples.REQUESTS, APPLIED, set()),
    (samples.REQUESTS, APPLIED | {"consent_on": ""}, set()),
    (samples.REQUESTS, APPLIED | {"consent_withdrawn_on": "2026-11-21"}, set()),
    (samples.REQUESTS, APPLIED | {"consent_withdrawn_on": "2026-11-20"}, {"withdrawn-after-given"}),
    (samples.REQUESTS, APPLIED | {"consent_on": "", "consent_withdrawn_on": "2026-11-22"}, {"withdrawn-was-given"}),
    (samples.REQUESTS, APPLIED | {"passport_expiry": "2026-11-22"}, set()),
    (samples.REQUESTS, APPLIED | {"passport_expiry": "2026-11-21"}, {"passport-valid"}),
    (samples.REQUESTS, APPLIED | {"birth_date": "2026-11-21"}, {"born-before"}),
    (samples.REQUESTS, APPLIED | {"passport_number": "AB 12345"}, {"passport-number"}),
    (samples.REQUESTS, APPLIED | {"residence_countries": "GBR\nFR"}, {"countries"}),
    (samples.RESULTS, VETTED | {"result": "NONE"}, set()),
    (samples.RESULTS, VETTED | {"result": ""}, set()),
    (samples.RESULTS, VETTED | {"result": "ALERT", "reasons": "D1\nW12"}, set()),
    (samples.RESULTS, VETTED | {"result": "ALERT"}, {"a-finding-has-its-reason"}),
    (samples.RESULTS, VETTED | {"result": "NONE", "reasons": "D1"}, {"a-finding-has-its-reason"}),
    (samples.RESULTS, VETTED | {"result": "", "reasons": "D1"}, {"a-finding-has-its-reason"}),
    (samples.RESULTS, VETTED | {"result": "PASS", "reasons": "D1"}, {"vetting-result"}),
    (
        samples.RESULTS,
        VETTED | {"result": "ALERT", "reasons": "D1", "derogatory_record": "R"},
        {"a-record-has-its-holder"},
    ),
    (samples.RESULTS, VETTED | {"result": "NONE", "valid_until": "2026-11-21"}, {"valid-after-vetted"}),
    (samples.MEMBERSHIPS, MEMBER, set()),
    (samples.MEMBERSHIPS, MEMBER | {"membership_number": "800000001"}, {"known-traveller"}),
    (samples.MEMBERSHIPS, MEMBER | {"expires_on": "2029-05-18"}, {"expires-on-the-birthday"}),
    (samples.MEMBERSHIPS, MEMBER | {"birth_date": "1980-02-29", "expires_on": "2029-02-28"}, set()),
    (samples.MEMBERSHIPS, MEMBER | {"birth_date": "1980-02-29", "expires_on": "2029-03-01"}, set()),
    (
        samples.MEMBERSHIPS,
        MEMBER | {"birth_date": "1980-02-28", "expires_on": "2029-03-01"},
        {"expires-on-the-birthday"},
    ),
    (samples.MEMBERSHIPS, MEMBER | {"expires_on": "2030-05-17"}, set()),
    (samples.MEMBERSHIPS, MEMBER | {"expires_on": "2031-05-17"}, {"at-most-six-years"}),
    (samples.MEMBERSHIPS, MEMBER | {"expires_on": "2026-05-17"}, {"active-has-not-expired"}),
    (samples.MEMBERSHIPS, MEMBER | {"status": "EXPIRED", "expires_on": "2026-05-17"}, set()),
    (samples.MEMBERSHIPS, MEMBER | {"status": "EXPIRED"}, {"expired-has-expired"}),
    (samples.MEMBERSHIPS, MEMBER | {"status": "INACTIVE"}, {"status"}),
]


@pytest.mark.parametrize(
    ("small", "cells", "rules"), CASES, ids=lambda one: ",".join(sorted(one)) or "fine" if isinstance(one, set) else ""
)
def test_a_row_breaks_the_rules_that_it_breaks(small: SmallList, cells: dict[str, str], rules: set[str]) -> None:
    assert {rule for _, rule in broken(small, **cells)} == rules


@pytest.mark.parametrize("feed", LISTS)
def test_as_many_rows_of_a_sample_are_bad_as_it_says(feed: str) -> None:
    out, bad = io.BytesIO(), io.BytesIO()
    assert LISTS[feed].write(out, rows=60, seed=3).bad_rows == bad_rows(LISTS[feed], out.getvalue()) == 0
    assert LISTS[feed].write(bad, rows=60, seed=3, bad_share=0.2).bad_rows == bad_rows(LISTS[feed], bad.getvalue()) > 5

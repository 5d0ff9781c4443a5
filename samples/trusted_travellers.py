"""Synthetic applicants and members of trusted-traveller programmes, and what was found about some of them."""

import random
from datetime import date, timedelta

from samples.small_lists import Row, SmallList, birth_date, capitals, day, given, hexadecimal, surname
from schemas import tt_membership_status, tt_vetting_request, tt_vetting_result

_COUNTRIES = ("GBR", "GBR", "GBR", "DEU", "NLD")
_TOLD_ON = date(2026, 11, 20)


def _application(number: int) -> str:
    return f"A{number + 1:011d}"


def _applicant(chance: random.Random, number: int) -> Row:
    country, applied = chance.choice(_COUNTRIES), day(chance)
    consented, withdrew = chance.random() < 0.9, chance.random() < 0.1
    return {
        "application_ref": _application(number),
        "surname": surname(chance),
        "given_names": given(chance),
        "birth_date": f"{birth_date(chance)}",
        "sex": chance.choice("FM"),
        "citizenship": country,
        "passport_number": capitals(chance, 9),
        "passport_issuer": country,
        "passport_expiry": f"{applied + timedelta(days=chance.randrange(30, 3600))}",
        "residence_countries": "\n".join(chance.sample(("GBR", "FRA", "ESP"), chance.randint(1, 2))),
        "addresses": f"{chance.randrange(1, 99)} SAMPLE STREET",
        "biometrics_ref": hexadecimal(chance, 16),
        "applied_on": f"{applied}",
        "consent_on": f"{applied}" if consented else "",
        "consent_withdrawn_on": f"{applied + timedelta(days=3)}" if consented and withdrew else "",
    }


def _vetted(chance: random.Random, number: int) -> Row:
    found = chance.choices((*tt_vetting_result.RISK_CATEGORIES, ""), weights=(1, 1, 1, 1, 16, 2))[0]
    bad, on = found not in ("NONE", ""), day(chance)
    return {
        "application_ref": _application(number),
        "asked_by": chance.choice(("GBR", "GBR", "NLD")),
        "result": found,
        "reasons": f"D{chance.randrange(1, 99)}" if bad else "",
        "derogatory_record": f"Entry {chance.randrange(10**5, 10**6)} of the register" if bad else "",
        "record_holder": f"Example field office {chance.randrange(10, 99)}" if bad else "",
        "vetted_on": f"{on}",
        "valid_until": f"{on + timedelta(days=1)}",
    }


def _member(chance: random.Random, number: int) -> Row:
    born = birth_date(chance)
    birthday = f"{born:%m-%d}" if (born.month, born.day) != (2, 29) else "02-28"
    status = chance.choices(tt_membership_status.STATUSES, weights=(15, 1, 1, 1, 1))[0]
    expires = 2026 if status == "EXPIRED" else 2028 + chance.randrange(3)
    if status == "EXPIRED" and birthday >= f"{_TOLD_ON:%m-%d}":
        expires -= 1
    return {
        "membership_number": f"9{number * 7_919 % 10**8:08d}",
        "programme": chance.choice(("NEXUS", "NEXUS", *tt_membership_status.PROGRAMMES)),
        "status": status,
        "status_on": f"{_TOLD_ON}",
        "joined_on": f"{expires - 5}-01-15",
        "expires_on": f"{expires}-{birthday}",
        "birth_date": f"{born}",
        "card_number": capitals(chance, 10),
        "card_chip": hexadecimal(chance, 24),
        "consent_withdrawn": "Y" if chance.random() < 0.04 else "N",
    }


REQUESTS = SmallList(
    tt_vetting_request.SCHEMA,
    _applicant,
    (
        {"citizenship": "ZZZ"},
        {"passport_number": "no"},
        {"passport_expiry": "2020-01-01"},
        {"consent_on": "", "consent_withdrawn_on": "2026-11-20"},
        {"birth_date": "2026-11-31"},
    ),
)
RESULTS = SmallList(
    tt_vetting_result.SCHEMA,
    _vetted,
    ({"result": "SUSPICIOUS"}, {"result": "NONE", "reasons": "D12"}, {"valid_until": "2026-01-01"}, {"asked_by": ""}),
)
MEMBERSHIPS = SmallList(
    tt_membership_status.SCHEMA,
    _member,
    (
        {"membership_number": "812345678"},
        {"status": "GONE"},
        {"expires_on": "2029-02-30"},
        {"birth_date": "1980-01-01", "expires_on": "2029-01-02"},
        {"status": "ACTIVE", "birth_date": "1980-01-01", "expires_on": "2025-01-01", "joined_on": "2020-01-01"},
    ),
)

"""Each condition of a release, at its boundary."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pipeline.core.authority import Authorised, Recipient, authorise, marked
from pipeline.core.clocks import Instants
from pipeline.core.errors import Code, Misconfigured, Refused, SafeconductError
from pipeline.core.language.partner import Partner
from pipeline.core.language.purpose import Declaration
from tests.core.builders import CANARY, agreement, assert_silent, handling, instant
from tests.core.marked import marking

SINCE, MIDWAY, UNTIL = instant(2020), instant(2025), instant(2030)
TICK = timedelta(microseconds=1)
KEYS = ("age1first", "age1second")


def partner(id: str = "taker", **said: Any) -> Partner:
    return Partner.model_validate({"id": id, "title": "A partner", "role": "customs", "country": "NOR", **said})


def authorised(
    *,
    at: datetime = MIDWAY,
    keys: tuple[str, ...] = KEYS,
    recipient: Partner | None = None,
    members: tuple[Partner, ...] = (),
    declaration: dict[str, Any] | None = None,
    **said: Any,
) -> Authorised:
    return authorise(
        agreement(**said),
        agreement_digest="d" * 64,
        declaration=Declaration.model_validate(declaration) if declaration else None,
        recipient=Recipient(recipient or partner(), members, keys),
        instants=Instants(MIDWAY, MIDWAY, MIDWAY, at),
    )


def refused(kind: type[SafeconductError] = Refused, **said: Any) -> SafeconductError:
    with pytest.raises(kind) as caught:
        authorised(**said)
    assert type(caught.value) is kind
    assert caught.value.next_step
    assert_silent(caught.value, CANARY, *KEYS)
    return caught.value


def test_an_agreement_in_force_may_release() -> None:
    permission = authorised()
    assert permission.declaration.purpose == "control"
    assert permission.recipient.keys == KEYS
    assert permission.agreement_digest == "d" * 64
    assert permission.at == MIDWAY


# Dates


@pytest.mark.parametrize("at", [SINCE, SINCE + TICK, UNTIL - TICK])
def test_it_is_in_force_from_its_first_instant_to_the_last_before_its_end(at: datetime) -> None:
    assert authorised(at=at).at == at


@pytest.mark.parametrize("at", [SINCE - TICK, instant(1999)])
def test_before_its_first_instant_nothing_is_released(at: datetime) -> None:
    status = [{"to": "active", "since": instant(1990), "reason": "signed"}]
    assert refused(at=at, status=status).code is Code.AGREEMENT_NOT_IN_FORCE


@pytest.mark.parametrize("at", [UNTIL, UNTIL + TICK, instant(2999)])
def test_from_its_end_on_nothing_is_released(at: datetime) -> None:
    assert refused(at=at).code is Code.AGREEMENT_EXPIRED


def test_an_instant_is_the_same_in_every_zone() -> None:
    east = timezone(timedelta(hours=14))
    assert authorised(at=SINCE.astimezone(east)).at == SINCE
    assert refused(at=UNTIL.astimezone(east)).code is Code.AGREEMENT_EXPIRED
    said = {"from": SINCE, "until": datetime(2030, 1, 1, 0, 0, tzinfo=east)}
    assert refused(at=datetime(2029, 12, 31, 10, 0, tzinfo=UTC), in_force=said).code is Code.AGREEMENT_EXPIRED
    assert authorised(at=datetime(2029, 12, 31, 10, 0, tzinfo=UTC) - TICK, in_force=said)


def test_a_time_without_zone_is_no_instant() -> None:
    with pytest.raises(TypeError):
        authorised(at=datetime(2025, 1, 1))  # noqa: DTZ001


# Status


def history(*changes: tuple[str, datetime]) -> list[dict[str, Any]]:
    return [{"to": to, "since": since, "reason": "decided"} for to, since in changes]


@pytest.mark.parametrize("status", ["draft", "suspended", "terminated", "superseded"])
def test_only_an_active_agreement_releases(status: str) -> None:
    error = refused(status=history(("active", SINCE), (status, MIDWAY)))
    assert error.code is Code.AGREEMENT_NOT_ACTIVE
    assert f"{status} since {MIDWAY.isoformat()}: decided" in error.message


def test_before_its_first_status_it_is_a_draft() -> None:
    error = refused(status=history(("active", MIDWAY + TICK)))
    assert error.code is Code.AGREEMENT_NOT_ACTIVE
    assert "a draft" in error.message


def test_a_suspension_takes_effect_at_its_instant_and_ends_at_the_next_change() -> None:
    status = history(("active", SINCE), ("suspended", MIDWAY), ("active", instant(2026)))
    assert authorised(at=MIDWAY - TICK, status=status)
    for at in (MIDWAY, instant(2026) - TICK):
        assert refused(at=at, status=status).code is Code.AGREEMENT_NOT_ACTIVE
    assert authorised(at=instant(2026), status=status)


def test_a_suspended_agreement_says_so_also_when_it_has_expired() -> None:
    status = history(("active", SINCE), ("suspended", MIDWAY))
    assert refused(status=status, at=UNTIL).code is Code.AGREEMENT_NOT_ACTIVE


# Purpose: its conditions are tried in test_conditions.py


def test_without_a_declaration_nothing_is_released() -> None:
    error = refused(declared=None)
    assert error.code is Code.PURPOSE_MISSING
    assert "safeconduct declare test-agreement" in error.next_step


def test_what_is_declared_for_the_rows_holds_in_the_place_of_the_agreements_own() -> None:
    purposes = {"control": {"clause": "Art. 1"}, "audit": {"clause": "Art. 1"}}
    permission = authorised(purposes=purposes, declaration={"purpose": "audit"})
    assert permission.declaration.purpose == "audit"
    assert authorised(purposes=purposes).declaration.purpose == "control"
    assert refused(purposes=purposes, declaration={"purpose": "sale"}).code is Code.PURPOSE_NOT_ALLOWED


def test_a_condition_that_is_not_shown_blocks_and_what_shows_it_is_kept() -> None:
    said: dict[str, Any] = {
        "conditions": {"case": {"kind": "case-reference", "clause": "Art. 1"}},
        "requires": ["case"],
    }
    assert refused(**said).code is Code.CONDITION_MISSING
    (shown,) = authorised(declaration={"purpose": "control", "case_reference": "2026/114"}, **said).conditions
    assert (shown.condition, shown.by) == ("case", "2026/114")


# Keys


def test_a_recipient_without_key_gets_nothing_and_we_are_to_act() -> None:
    error = refused(Misconfigured, keys=())
    assert error.code is Code.PARTNER_KEY_MISSING
    assert "taker" in error.message


def test_a_key_is_not_asked_for_before_the_agreement_holds() -> None:
    assert refused(keys=(), at=UNTIL).code is Code.AGREEMENT_EXPIRED


def test_keys_that_the_agreement_names_are_the_only_ones() -> None:
    assert authorised(recipient_keys=["age1second"]).recipient.keys == ("age1second",)
    assert authorised(recipient_keys=list(KEYS)).recipient.keys == KEYS


def test_a_named_key_that_the_recipient_has_not_registered_is_refused() -> None:
    error = refused(recipient_keys=["age1first", f"age1{CANARY}"])
    assert error.code is Code.RECIPIENT_KEY_UNKNOWN
    assert "1 recipient keys" in error.message
    assert refused(Misconfigured, keys=(), recipient_keys=["age1first"]).code is Code.PARTNER_KEY_MISSING


# Marking: what each word forbids is tried in test_markings.py


@pytest.mark.parametrize("tlp", ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT"])
def test_a_marking_below_red_may_be_stored(tlp: str) -> None:
    assert authorised(handling=handling(marking={"tlp": tlp}))


def test_red_is_never_for_storage() -> None:
    assert refused(handling=handling(marking={"tlp": "RED"})).code is Code.MARKING_FORBIDS


def test_a_recipient_outside_its_marking_gets_nothing() -> None:
    cui = {"tlp": "AMBER", "cui": ["PRVCY"], "designated_by": ["Agency"], "rel_to": ["USA", "DEU"]}
    assert refused(handling=handling(marking=cui)).code is Code.MARKING_FORBIDS
    assert authorised(handling=handling(marking={**cui, "rel_to": ["USA", "NOR"]}))


def test_every_member_of_a_community_must_be_allowed() -> None:
    community = partner(audience="community", members=["one", "two"])
    one, two = partner("one"), partner("two", country="DEU")
    said: dict[str, Any] = {"recipient": community, "handling": handling(marking={"tlp": "GREEN"})}
    assert authorised(members=(one, two), **said)
    assert refused(members=(one,), **said).code is Code.MARKING_FORBIDS
    cui = {"tlp": "GREEN", "cui": ["PRVCY"], "designated_by": ["Agency"], "rel_to": ["USA", "NOR"]}
    assert refused(members=(one, two), recipient=community, handling=handling(marking=cui)).code is Code.MARKING_FORBIDS


def test_a_marking_that_needs_a_consent_is_met_by_the_declaration() -> None:
    said: dict[str, Any] = {"handling": handling(marking={"tlp": "AMBER", "originators": ["agency-a"]})}
    assert refused(**said).code is Code.MARKING_FORBIDS
    consents = {"purpose": "control", "consents": {"agency-a": "letter 7"}}
    assert authorised(declaration=consents, **said)


def test_rows_raise_the_marking_and_their_recipient_is_asked_again() -> None:
    permission = authorised()
    assert marked(permission, None) == marking("AMBER")
    assert marked(permission, marking("GREEN")) == marking("AMBER")
    assert marked(permission, marking("AMBER+STRICT")) == marking("AMBER+STRICT")
    for forbidden in (marking("RED"), marking("AMBER", originators=["agency-a"])):
        with pytest.raises(Refused) as caught:
            marked(permission, forbidden)
        assert caught.value.code is Code.MARKING_FORBIDS


def test_nothing_lowers_a_rows_marking_but_the_agreements_downgrade() -> None:
    strict = {"tlp": "AMBER+STRICT"}
    lowered = {"of": strict, "to": {"tlp": "AMBER"}, "authority": "Chief", "reference": "7/2026", "clause": "Art. 4"}
    permission = authorised(handling=handling(downgrade=lowered))
    assert marked(permission, marking("AMBER+STRICT")) == marking("AMBER")
    with pytest.raises(Refused):
        marked(permission, marking("RED"))

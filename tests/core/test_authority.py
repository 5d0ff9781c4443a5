"""Each condition of a release, at its boundary."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pipeline.core.authority import Authorised, authorise
from pipeline.core.errors import Code, Misconfigured, Refused, SafeconductError
from tests.core.builders import agreement, instant

SINCE, MIDWAY, UNTIL = instant(2020), instant(2025), instant(2030)
TICK = timedelta(microseconds=1)


def authorised(*, at: datetime = MIDWAY, keys: tuple[str, ...] = ("age1key",), **said: Any) -> Authorised:
    return authorise(agreement(**said), agreement_digest="d" * 64, recipient_keys=keys, at=at)


def refused(kind: type[SafeconductError] = Refused, **said: Any) -> SafeconductError:
    with pytest.raises(kind) as caught:
        authorised(**said)
    assert type(caught.value) is kind
    assert caught.value.next_step
    return caught.value


def test_an_agreement_in_force_may_release() -> None:
    permission = authorised()
    assert permission.purpose == "control"
    assert permission.recipient_keys == ("age1key",)
    assert permission.agreement_digest == "d" * 64
    assert permission.at == MIDWAY


@pytest.mark.parametrize("at", [SINCE, SINCE + TICK, UNTIL - TICK])
def test_it_is_in_force_from_its_first_instant_to_the_last_before_its_end(at: datetime) -> None:
    assert authorised(at=at).at == at


@pytest.mark.parametrize("at", [SINCE - TICK, instant(1999)])
def test_before_its_first_instant_nothing_is_released(at: datetime) -> None:
    assert refused(at=at).code is Code.AGREEMENT_NOT_IN_FORCE


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


@pytest.mark.parametrize("status", ["draft", "suspended", "terminated"])
def test_only_an_active_agreement_releases(status: str) -> None:
    error = refused(status=status)
    assert error.code is Code.AGREEMENT_NOT_ACTIVE
    assert status in error.message


def test_a_suspended_agreement_says_so_also_when_it_has_expired() -> None:
    assert refused(status="suspended", at=UNTIL).code is Code.AGREEMENT_NOT_ACTIVE


def test_the_declared_purpose_must_be_allowed() -> None:
    said = {"allow": ["control"], "declared": "marketing", "clause": "c"}
    assert refused(purposes=said).code is Code.PURPOSE_NOT_ALLOWED


@pytest.mark.parametrize("tlp", ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT"])
def test_a_marking_below_red_may_be_stored(tlp: str) -> None:
    assert authorised(handling=handling(tlp))


def test_red_is_never_for_storage() -> None:
    assert refused(handling=handling("RED")).code is Code.MARKING_FORBIDS


def test_a_recipient_without_key_gets_nothing_and_we_are_to_act() -> None:
    error = refused(Misconfigured, keys=())
    assert error.code is Code.PARTNER_KEY_MISSING
    assert "taker" in error.message


def test_a_key_is_not_asked_for_before_the_agreement_holds() -> None:
    assert refused(keys=(), at=UNTIL).code is Code.AGREEMENT_EXPIRED


def test_a_time_without_zone_is_no_instant() -> None:
    with pytest.raises(TypeError):
        authorised(at=datetime(2025, 1, 1))  # noqa: DTZ001


def handling(tlp: str) -> dict[str, Any]:
    return {"tlp": tlp, "onward": "none", "retention": {"delete_after": "P1Y", "clock": "released", "clause": "c"}}

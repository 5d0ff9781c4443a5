"""The law of rows: whatever does not add up is not released."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.conservation import conserved
from pipeline.core.errors import Code, Refused
from pipeline.core.language.scope import Reason
from tests.core.builders import LAW

REASONS = {"scope": Reason.OUT_OF_SCOPE, "land": Reason.OUT_OF_SCOPE, "consent": Reason.WITHHELD}
COUNT = st.integers(0, 50)


def counted(**changes: Any) -> dict[str, Any]:
    fine: dict[str, Any] = {"received": 22, "accepted": 20, "rejected": 2, "released": 10, "suppressed": 3}
    return {**fine, "kept_back": Counter(scope=2, land=1, consent=4), "reasons": REASONS, **changes}


def test_rows_that_add_up_are_counted_by_reason_and_rule() -> None:
    count = conserved(**counted())
    assert (count.out_of_scope, count.withheld, count.suppressed, count.released) == (3, 4, 3, 10)
    assert count.by_rule == {"consent": 4, "land": 1, "scope": 2}


def test_a_rule_that_kept_nothing_back_is_named_with_zero() -> None:
    count = conserved(**counted(kept_back=Counter(scope=7)))
    assert count.by_rule == {"consent": 0, "land": 0, "scope": 7}


@pytest.mark.parametrize("name", ["received", "accepted", "rejected", "released", "suppressed"])
@pytest.mark.parametrize("off", [-1, 1])
def test_one_row_more_or_less_is_refused(name: str, off: int) -> None:
    with pytest.raises(Refused) as refused:
        conserved(**counted(**{name: counted()[name] + off}))
    assert refused.value.code is Code.ROWS_NOT_CONSERVED


@pytest.mark.parametrize("rule", sorted(REASONS))
def test_one_row_kept_back_more_is_refused(rule: str) -> None:
    with pytest.raises(Refused):
        conserved(**counted(kept_back=counted()["kept_back"] + Counter({rule: 1})))


def test_a_row_moved_from_one_pile_to_another_still_adds_up() -> None:
    """The law finds losses and doubles, not mistakes of judgement."""
    assert conserved(**counted(released=11, suppressed=2)).released == 11


@LAW
@given(COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
def test_what_adds_up_and_only_that_is_accepted(
    rejected: int, released: int, suppressed: int, scope: int, consent: int, accepted: int, received: int
) -> None:
    kept_back = Counter(scope=scope, consent=consent)
    said = counted(
        received=received,
        accepted=accepted,
        rejected=rejected,
        released=released,
        suppressed=suppressed,
        kept_back=kept_back,
    )
    if accepted == released + suppressed + scope + consent and received == accepted + rejected:
        assert conserved(**said)
    else:
        with pytest.raises(Refused):
            conserved(**said)
    total = released + suppressed + scope + consent
    assert conserved(**{**said, "accepted": total, "received": total + rejected})

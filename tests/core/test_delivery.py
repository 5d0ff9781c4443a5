"""A lot is named by what is in it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.delivery import POSITION, lot_id
from tests.core.builders import LAW

IDS = st.lists(st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}"), min_size=1, max_size=5)


@LAW
@given(IDS)
def test_the_order_and_repetition_of_deliveries_do_not_change_the_name(ids: list[str]) -> None:
    assert lot_id("feed", ids) == lot_id("feed", [*reversed(ids), ids[0]])


@LAW
@given(IDS, IDS)
def test_other_deliveries_have_another_name(one: list[str], other: list[str]) -> None:
    assert (lot_id("feed", one) == lot_id("feed", other)) is (set(one) == set(other))


def test_another_feed_has_another_name() -> None:
    assert lot_id("one", ["a"]).split(".")[1] != lot_id("two", ["a"]).split(".")[1]


def test_the_name_is_fit_for_a_key_and_fixed() -> None:
    """By `printf 'pnr-push\\na\\nb' | sha256sum`."""
    assert lot_id("pnr-push", ["a", "b"]) == "pnr-push.de485c81743a393b"
    assert re.fullmatch(r"[a-z0-9-]+\.[0-9a-f]{16}", lot_id("pnr-push", ["a"]))


def test_the_position_is_no_column_name_of_an_agreement() -> None:
    assert not re.fullmatch(r"[a-z][a-z0-9_]*", POSITION)

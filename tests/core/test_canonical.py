"""The same facts are the same bytes, and nothing else is read as a record."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.canonical import canonical, read
from pipeline.core.delivery import Delivery, Lot
from pipeline.core.errors import Code, Conflict
from tests.core.builders import CANARY, LAW, assert_silent

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=14))])
).filter(lambda time: 2 < time.year < 9998)
DELIVERIES = st.builds(Delivery, NAMES, NAMES, NAMES, st.integers(0, 2**60), TIMES, NAMES | st.none())
LOTS = st.builds(Lot, NAMES, NAMES, st.lists(DELIVERIES, max_size=3).map(tuple))


def test_vector() -> None:
    record = {"b": [1, "é"], "a": {"z": None, "at": datetime(2024, 2, 29, 12, tzinfo=UTC)}}
    assert canonical(record) == '{"a":{"at":"2024-02-29T12:00:00+00:00","z":null},"b":[1,"é"]}\n'.encode()


@LAW
@given(LOTS)
def test_what_was_written_is_read_again(lot: Lot) -> None:
    assert read(Lot, canonical(lot), name="lot") == lot


@LAW
@given(st.dictionaries(NAMES, st.integers() | NAMES | st.booleans() | st.none(), max_size=5))
def test_the_order_of_the_facts_does_not_matter(facts: dict[str, object]) -> None:
    again = dict(reversed(list(facts.items())))
    assert canonical(facts) == canonical(again)
    assert json.loads(canonical(facts)) == facts


@LAW
@given(TIMES)
def test_one_instant_has_one_form_whatever_its_zone(time: datetime) -> None:
    east = timezone(timedelta(hours=9, minutes=30))
    assert canonical({"at": time}) == canonical({"at": time.astimezone(east)})
    assert b"+00:00" in canonical({"at": time})


@pytest.mark.parametrize("value", [datetime(2024, 1, 1), {1, 2}, b"x", float("nan"), float("inf"), object, Lot])  # noqa: DTZ001
def test_what_has_no_form_is_an_error(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical({"value": value})


DELIVERY = Delivery("d", CANARY, "k", 1, datetime(2024, 1, 1, tzinfo=UTC))
WRITTEN = canonical(DELIVERY).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        CANARY,
        '"' + CANARY,
        WRITTEN[:-1],
        WRITTEN + "\n",
        " " + WRITTEN,
        WRITTEN.replace('"size_bytes":1', '"size_bytes":"1"'),
        WRITTEN.replace('"size_bytes":1', '"size_bytes":1.0'),
        WRITTEN.replace('"size_bytes":1', f'"size_bytes":"{CANARY}"'),
        WRITTEN.replace('"size_bytes":1', '"size_bytes":1,"more":2'),
        WRITTEN.replace('"size_bytes":1', '"size_bytes":2,"size_bytes":1'),
        WRITTEN.replace('"signature":null,', ""),
        WRITTEN.replace(",", ", "),
        WRITTEN.replace("+00:00", "Z"),
        WRITTEN.replace("+00:00", ""),
        WRITTEN.replace("T00:00:00+00:00", "T01:00:00+01:00"),
        WRITTEN.replace(CANARY, "\\u0043ANARY"),
        "[" * 5000,
        "{" * 5000,
    ],
)
def test_anything_but_the_written_bytes_is_refused(text: str) -> None:
    assert read(Delivery, WRITTEN.encode(), name="the delivery") == DELIVERY
    with pytest.raises(Conflict) as refused:
        read(Delivery, text.encode(), name="the delivery")
    assert refused.value.code is Code.OBJECT_ALTERED
    assert "the delivery" in refused.value.message
    assert_silent(refused.value, CANARY)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Conflict):
        read(Delivery, b"\xff\xfe" + WRITTEN.encode(), name="n")


def test_a_dataclass_within_a_mapping_is_written_too() -> None:
    @dataclass(frozen=True)
    class Pair:
        a: int
        b: tuple[str, ...]

    assert (
        canonical({"pair": Pair(1, ("x",))})
        == b'{"pair":{"a":1,"b":["x"]}}\n'
        == b'{"pair":' + canonical(Pair(1, ("x",)))[:-1] + b"}\n"
    )

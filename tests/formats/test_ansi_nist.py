"""A query in ANSI/NIST-ITL holds a reference and prints; what holds more, or does not add up, is refused."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Code
from pipeline.formats.ansi_nist import AnsiNist
from pipeline.formats.batch import Limits
from samples.nist import print_4, print_9, print_14, reference, tagged, transaction
from tests.formats.reading import findings_of, outcome, peak_of_refusing, refusal_of, rows_of

FIELDS = {"tcn": "1.009", "asked_at": "1.014", "case_number": "2.003", "template": "prints"}
COLUMNS = tuple(FIELDS)
READER = AnsiNist(FIELDS, ("CPS", "MPS"))
FIRST = {4: "CPS", 9: "DEU-20261121-000001", 14: "20261121100700Z"}
REFERENCE = (2, 0, reference({3: "KR-2026-1"}))
ROW = ("DEU-20261121-000001", "2026-11-21T10:07:00Z", "KR-2026-1")


def query(
    *prints: tuple[int, int, bytes], first: Mapping[int, str] = FIRST, text: Any = REFERENCE, listed: str | None = None
) -> bytes:
    return transaction(first, [text, *(prints or ((4, 1, print_4()),))], listed=listed)


@pytest.mark.parametrize(
    "prints",
    [
        [(4, 1, print_4())],
        [(9, 1, print_9())],
        [(14, 1, print_14())],
        [(4, 1, print_4(1)), (14, 2, print_14(2)), (9, 2, print_9(2))],
        [(4, 1, print_4(image=b""))],
    ],
)
def test_a_transaction_is_a_row_with_its_prints_as_they_are(prints: list[tuple[int, int, bytes]]) -> None:
    (row,) = rows_of(READER, query(*prints), COLUMNS)
    assert row[:3] == ROW
    assert base64.b64decode(row[3] or "") == b"".join(content for *_, content in prints)


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_several_transactions_are_rows_in_order_however_they_are_cut(block: int) -> None:
    delivery = query() + query(first=FIRST | {9: "DEU-20261121-000002"}) + query(first=FIRST | {4: "MPS", 9: "X"})
    rows = rows_of(READER, delivery, COLUMNS, block=block)
    assert [row[0] for row in rows] == [ROW[0], "DEU-20261121-000002", "X"]


def test_fields_of_type_1_that_no_column_maps_are_discarded_and_counted() -> None:
    delivery = query(first=FIRST | {5: "20261121", 7: "DAI000000", 8: "ORI"})
    assert findings_of(READER, delivery, COLUMNS) == {"discarded-beyond-fields": 3}


# More than a reference and prints


@pytest.mark.parametrize(
    "delivery",
    [
        query(text=(2, 0, reference({3: "KR-2026-1", 4: "LEAKNAME"}))),
        query(text=(2, 0, reference({3: "KR-2026-1", 18: "LEAKNAME"}))),
        query((4, 1, print_4()), (10, 2, tagged(10, {2: "02", 3: "FACE"}, image=b"LEAKNAME"))),
        query((4, 1, print_4()), (13, 2, tagged(13, {2: "02"}, image=b"LEAKNAME"))),
        query((4, 1, print_4()), (99, 2, tagged(99, {2: "02"}, image=b"LEAKNAME"))),
        query((14, 1, print_14(more={20: "LEAKNAME"}))),
        query((9, 1, print_9(more={351: "LEAKNAME"}))),
    ],
    ids=["type-2-name", "type-2-number", "face", "latent", "cbeff", "comment-14", "comment-9"],
)
def test_what_tells_more_than_a_reference_and_prints_is_refused_and_not_shown(delivery: bytes) -> None:
    refused = refusal_of(READER, delivery, COLUMNS)
    assert refused.code is Code.COLUMNS_DIFFER
    assert "LEAKNAME" not in str(refused)


@pytest.mark.parametrize(
    ("first", "named"),
    [
        (FIRST | {4: "SRE"}, "1.004"),
        (FIRST | {2: "0201"}, "1.002"),
        (FIRST | {10: "USA-20261121-000001"}, "1.010"),
        ({9: "X"}, "1.004"),
    ],
)
def test_another_kind_version_or_a_reply_is_refused(first: dict[int, str], named: str) -> None:
    refused = refusal_of(READER, query(first=first), COLUMNS)
    assert refused.code is Code.MESSAGE_UNKNOWN
    assert named in refused.message


def test_a_reply_is_read_where_the_feed_maps_the_number_of_its_query() -> None:
    reader = AnsiNist(FIELDS | {"tcr": "1.010"}, ("CPS",))
    (row,) = rows_of(reader, query(first=FIRST | {10: "DEU-20261120-000009"}), (*COLUMNS, "tcr"))
    assert row[-1] == "DEU-20261120-000009"


# What does not add up

RIGHT = "1\x1f2\x1e2\x1f00\x1e4\x1f01"


@pytest.mark.parametrize(
    "delivery",
    [
        query(listed=RIGHT.replace("1\x1f2", "1\x1f3", 1)),
        query(listed="1\x1f1\x1e2\x1f00"),
        query(listed="1\x1f3\x1e2\x1f00\x1e4\x1f01\x1e4\x1f02"),
        query(listed="1\x1f2\x1e4\x1f01\x1e2\x1f00"),
        query(listed="1\x1f2\x1e2\x1f00\x1e4\x1f02"),
        query(listed="1\x1f2\x1e2\x1f01\x1e4\x1f01"),
        query(listed=RIGHT.replace("\x1f", ",")),
        query(listed=""),
        query(text=(2, 0, tagged(2, {2: "00", 3: "K"}, longer=1))),
        query(text=(2, 0, tagged(2, {2: "00", 3: "K"}, longer=-1))),
        query((4, 1, b"\x00\x00\x00\x05" + print_4()[4:])),
        query() + b"\n",
        b"\n" + query(),
        query(text=(2, 0, reference({3: "K"})[:-1].replace(b"2.003", b"2.002") + b"\x1c")),
        query(text=(2, 0, reference({3: "A", 4: "B"}).replace(b"2.004", b"2.003"))),
        query(text=(2, 0, reference({3: "A"}).replace(b"2.003", b"9.003"))),
        query((14, 1, print_14()[:-1] + b"X")),
        query(text=(2, 0, reference({3: "A\x1eB"}))),
        query(text=(2, 0, reference({3: "A\x1cB"}))),
        query(first=FIRST | {14: "2026-11-21"}),
        transaction(FIRST, [REFERENCE]),
        transaction(FIRST, [REFERENCE, REFERENCE, (4, 1, print_4())]),
        b"not a transaction at all",
    ],
)
def test_what_does_not_add_up_is_refused(delivery: bytes) -> None:
    assert refusal_of(READER, delivery, COLUMNS).code in {
        Code.RECORD_MALFORMED,
        Code.MESSAGE_TRUNCATED,
        Code.LIMIT_EXCEEDED,
    }


def test_the_list_that_the_cases_above_change_is_the_right_one() -> None:
    assert rows_of(READER, query(listed=RIGHT), COLUMNS)[0][:3] == ROW


def test_nothing_is_an_empty_delivery() -> None:
    assert refusal_of(READER, b"", COLUMNS).code is Code.DELIVERY_EMPTY


def test_text_that_is_not_printable_ascii_is_refused() -> None:
    for text in ("KR-\xe9", "KR\x00"):
        assert refusal_of(READER, query(text=(2, 0, reference({3: text}))), COLUMNS).code is Code.ENCODING_INVALID


@pytest.mark.parametrize("delivery", [query(), query((14, 1, print_14()), (9, 2, print_9(2)))])
def test_a_transaction_that_is_cut_anywhere_is_refused(delivery: bytes) -> None:
    for at in range(1, len(delivery)):
        assert isinstance(outcome(READER, delivery[:at], COLUMNS), str), at


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_byte_is_refused_or_read_as_it_stands_whatever_the_blocks(data: st.DataObject) -> None:
    delivery = bytearray(query((14, 1, print_14()), (4, 2, print_4(2))))
    delivery[data.draw(st.integers(0, len(delivery) - 1))] = data.draw(st.integers(0, 255))
    whole = outcome(READER, bytes(delivery), COLUMNS)
    assert outcome(READER, bytes(delivery), COLUMNS, block=5) == whole
    if not isinstance(whole, str):
        (row,), _ = whole
        assert base64.b64decode(str(row[-1])) in bytes(delivery)


def test_a_record_without_end_is_refused_in_bounded_memory() -> None:
    def endless() -> Any:
        yield b"1.001:9999999999\x1d"
        for _ in range(400):
            yield b"1.002:" + b"A" * 1_000_000

    refused, peak = peak_of_refusing(READER, endless(), COLUMNS, Limits(max_cell_bytes=65_536))
    assert refused.code is Code.LIMIT_EXCEEDED
    assert peak < 8_000_000


def test_more_transactions_than_the_limit_are_refused() -> None:
    refused = refusal_of(READER, query() * 3, COLUMNS, limits=Limits(max_rows=2))
    assert refused.code is Code.LIMIT_EXCEEDED

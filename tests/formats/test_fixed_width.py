"""Fixed width: each column is the characters at its place, or the delivery is refused with a line."""

from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.wire import FixedWidthFormat
from pipeline.formats.batch import Limits
from pipeline.formats.fixed_width import FixedWidth
from tests.formats.reading import findings_of, frame_of, outcome, peak_of_refusing, refusal_of, rows_of

COLUMNS = ("tin", "name", "amount")
SAID: dict[str, Any] = {
    "kind": "fixed-width",
    "record_chars": 16,
    "fields": {
        "name": {"at": 6, "chars": 5},
        "tin": {"at": 2, "chars": 4, "padded": "no"},
        "amount": {"at": 12, "chars": 4, "padded": "left"},
    },
}
KINDS = {"at": 1, "row": "D", "header": "H", "trailer": "T", "count": {"at": 2, "chars": 4, "padded": "left"}}


def form(**other: Any) -> FixedWidthFormat:
    return FixedWidthFormat.model_validate({**SAID, **other})


READER = FixedWidth(form())
MARKED = FixedWidth(form(kinds=KINDS))
ONE, TWO = b" 0001Ada   1.10 ", " 0002Éloïs    7 ".encode()
FINE = ONE + b"\n" + TWO + b"\n"
HEADER, TRAILER = b"H20260101       ", b"T0002           "
WHOLE = b"\n".join([HEADER, b"D" + ONE[1:], b"D" + TWO[1:], TRAILER]) + b"\n"


@pytest.mark.parametrize(("reader", "delivery", "first"), [(READER, FINE, 1), (MARKED, WHOLE, 2)])
def test_rows_are_the_characters_at_their_places_with_the_numbers_of_their_lines(
    reader: FixedWidth, delivery: bytes, first: int
) -> None:
    frame, findings = frame_of(reader, delivery, COLUMNS)
    assert frame.rows() == [(first, "0001", "Ada", "1.10"), (first + 1, "0002", "Éloïs", "7")]
    assert findings == ()


def test_only_the_spaces_on_the_declared_side_fill_up() -> None:
    assert rows_of(READER, b"  1 2  x    2   \n", COLUMNS) == [(" 1 2", "  x", "2  ")]


def test_a_field_of_spaces_is_absent_where_spaces_fill_it_up() -> None:
    assert rows_of(READER, b" " * 16, COLUMNS) == [("    ", None, None)]


def test_the_last_line_end_may_be_missing_and_a_header_and_trailer_alone_are_an_empty_list() -> None:
    assert len(rows_of(READER, FINE[:-1], COLUMNS)) == 2
    assert rows_of(MARKED, HEADER + b"\n" + TRAILER.replace(b"2", b"0"), COLUMNS) == []


def test_line_ends_blank_lines_and_a_bom_change_nothing_and_are_counted() -> None:
    crlf = FINE.replace(b"\n", b"\r\n")
    assert rows_of(READER, crlf, COLUMNS) == rows_of(READER, crlf[:-2], COLUMNS) == rows_of(READER, FINE, COLUMNS)
    assert findings_of(READER, crlf, COLUMNS) == findings_of(READER, crlf[:-2], COLUMNS) == {}
    assert findings_of(READER, ONE + b"\r\n" + FINE, COLUMNS) == {"tolerated-mixed-line-ends": 2}
    frame, findings = frame_of(READER, b"\xef\xbb\xbf" + ONE + b"\n\n" + FINE, COLUMNS)
    assert [row[0] for row in frame.rows()] == [1, 3, 4]
    assert {one.rule: one.count for one in findings} == {"tolerated-bom": 1, "tolerated-blank-line": 1}


def test_what_stands_where_no_field_is_is_discarded_and_counted() -> None:
    frame, findings = frame_of(READER, ONE + b"\nX0001Ada  z1.10y\n", COLUMNS)
    assert frame.rows() == [(1, "0001", "Ada", "1.10"), (2, "0001", "Ada", "1.10")]
    assert [(one.rule, one.count, one.positions) for one in findings] == [("discarded-beyond-fields", 3, (2,))]


@pytest.mark.parametrize(
    ("delivery", "code", "says"),
    [
        (b"", Code.DELIVERY_EMPTY, "no record"),
        (b"\n\r\n", Code.DELIVERY_EMPTY, "no record"),
        (ONE[:-1] + b"\n", Code.RECORD_MALFORMED, "Line 1: it is not 16 characters wide"),
        (FINE + ONE + b" \n", Code.RECORD_MALFORMED, "Line 3: it is not 16 characters wide"),
        (FINE + ONE[:3], Code.RECORD_MALFORMED, "Line 3: it is not 16 characters wide"),
        (ONE + ONE, Code.RECORD_MALFORMED, "Line 1: it is not 16 characters wide"),
        (ONE.replace(b"Ada", b"A\rd") + b"\n", Code.RECORD_MALFORMED, "Line 1: name holds a control character"),
        (ONE.replace(b"Ada", b"A\x00d") + b"\n", Code.RECORD_MALFORMED, "Line 1: name holds a control character"),
        (FINE + ONE.replace(b"Ada", b"A\x7fd"), Code.RECORD_MALFORMED, "Line 3: name holds a control character"),
        (FINE + b"\x1a", Code.RECORD_MALFORMED, "Line 3: it is not 16 characters wide"),
        (FINE + ONE.replace(b"Ada", b"Ad\xe9"), Code.ENCODING_INVALID, "not utf-8 at byte 43"),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused_with_its_line(delivery: bytes, code: Code, says: str) -> None:
    refused = refusal_of(READER, delivery, COLUMNS)
    assert refused.code is code
    assert says in refused.message


D1, D2 = b"D" + ONE[1:], b"D" + TWO[1:]


@pytest.mark.parametrize(
    ("lines", "code", "says"),
    [
        ([D1, D2, TRAILER], Code.RECORD_MALFORMED, "Line 1: it is not the header"),
        ([HEADER, D1, D2], Code.MESSAGE_TRUNCATED, "ends after line 3, without its trailer"),
        ([HEADER], Code.MESSAGE_TRUNCATED, "ends after line 1, without its trailer"),
        ([HEADER, D1, TRAILER], Code.RECORD_MALFORMED, "Line 3: the trailer does not count the 1 rows"),
        ([HEADER, D1, D2, D2, TRAILER], Code.RECORD_MALFORMED, "the trailer does not count the 3 rows"),
        ([HEADER, D1, D2, TRAILER.replace(b"0002", b"+002")], Code.RECORD_MALFORMED, "the trailer does not count"),
        ([HEADER, D1, D2, TRAILER.replace(b"0002", b"    ")], Code.RECORD_MALFORMED, "the trailer does not count"),
        ([HEADER, D1, HEADER, D2, TRAILER], Code.RECORD_MALFORMED, "Line 3: it is neither a row nor the trailer"),
        ([HEADER, D1, b"X" + ONE[1:], D2, TRAILER], Code.RECORD_MALFORMED, "Line 3: it is neither a row nor"),
        ([HEADER, D1, TRAILER, D2], Code.RECORD_MALFORMED, "Line 3: something follows this trailer"),
        ([HEADER, D1, D2, TRAILER, TRAILER], Code.RECORD_MALFORMED, "Line 4: something follows this trailer"),
        ([HEADER, D1, D2, TRAILER, HEADER], Code.RECORD_MALFORMED, "Line 4: something follows this trailer"),
    ],
)
def test_header_and_trailer_stand_where_they_must_and_the_count_is_right(
    lines: list[bytes], code: Code, says: str
) -> None:
    delivery = b"\n".join(lines) + b"\n"
    refused = refusal_of(MARKED, delivery, COLUMNS)
    assert refused.code is code
    assert says in refused.message
    small = refusal_of(MARKED, delivery, COLUMNS, limits=Limits(batch_bytes=16))  # a batch is one line
    assert small.code is code


def test_the_count_may_be_filled_up_with_spaces() -> None:
    assert len(rows_of(MARKED, WHOLE.replace(b"T0002", b"T   2"), COLUMNS)) == 2


def test_no_refusal_shows_a_value() -> None:
    for bad in (b"Sesame\n", b" 0001Ses\x00m 1.10 \n", FINE + b"Sesame", b"Sesame\xff", b"Sesame" * 100_000):
        assert "Ses" not in repr(refusal_of(READER, bad, COLUMNS).args)
        assert "Ses" not in repr(refusal_of(MARKED, bad, COLUMNS).args)


def test_another_declared_encoding_is_read_and_no_other() -> None:
    latin = FixedWidth(form(encoding="iso-8859-1"))
    assert rows_of(latin, FINE.decode().encode("latin-1"), COLUMNS) == rows_of(READER, FINE, COLUMNS)
    assert refusal_of(latin, FINE, COLUMNS).code is Code.ENCODING_INVALID
    wide = FixedWidth(form(encoding="utf-16"))
    assert rows_of(wide, FINE.decode().encode("utf-16"), COLUMNS) == rows_of(READER, FINE, COLUMNS)
    assert refusal_of(wide, FINE.decode().encode("utf-16-le"), COLUMNS).code is Code.ENCODING_INVALID


def test_a_delivery_with_a_trailer_that_is_cut_anywhere_is_refused() -> None:
    for size in range(len(WHOLE) - 1):
        assert isinstance(outcome(MARKED, WHOLE[:size], COLUMNS), str)


def test_a_delivery_without_a_trailer_that_is_cut_is_refused_or_is_whole_lines() -> None:
    for size in range(len(FINE)):
        taken = not isinstance(outcome(READER, FINE[:size], COLUMNS), str)
        assert taken == (FINE[:size].removesuffix(b"\n") in (ONE, FINE[:-1]))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_byte_changed_anywhere_never_crashes_and_no_row_is_lost(at: int, byte: int) -> None:
    changed = WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]
    result = outcome(MARKED, changed, COLUMNS)
    if not isinstance(result, str):
        lines = [line.removesuffix("\r") for line in changed.decode().split("\n")]
        rows = [line for line in lines if line[:1] == "D"]
        assert [row[1:] for row in result[0]] == [
            (line[1:5] or None, line[5:10].rstrip(" ") or None, line[11:15].lstrip(" ") or None) for line in rows
        ]
        assert len(rows) == 2


cell = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=" "), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cell, cell, cell), min_size=1), st.integers(1, 40), st.sampled_from(["\n", "\r\n"]))
def test_generated_rows_come_back_whatever_the_blocks(
    rows: list[tuple[str, str, str]], block: int, line_end: str
) -> None:
    lines = [f" {tin:4}{name:5} {amount:>4} " for tin, name, amount in rows]
    expected = [(f"{tin:4}", name, amount) for tin, name, amount in rows]
    limits = Limits(batch_bytes=50)
    assert rows_of(READER, line_end.join(lines).encode(), COLUMNS, block=block, limits=limits) == expected


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(WHOLE)), st.binary(max_size=3), st.integers(1, 30))
def test_the_outcome_does_not_depend_on_the_blocks(at: int, noise: bytes, block: int) -> None:
    delivery = WHOLE[:at] + noise + WHOLE[at:]
    assert outcome(MARKED, delivery, COLUMNS, block=block) == outcome(MARKED, delivery, COLUMNS)


def test_a_line_that_never_ends_is_refused_in_bounded_memory() -> None:
    refused, peak = peak_of_refusing(READER, chain([FINE], repeat(b"x" * 65_536, 1600)), COLUMNS, Limits())
    assert refused.code is Code.RECORD_MALFORMED
    assert "Line 3: it is not 16 characters wide" in refused.message
    assert peak < 10_000_000


def test_cells_and_rows_over_their_limits_are_refused_and_at_them_are_not() -> None:
    assert len(rows_of(READER, FINE, COLUMNS, limits=Limits(max_rows=2, max_cell_bytes=7))) == 2
    long = refusal_of(READER, FINE, COLUMNS, limits=Limits(max_cell_bytes=6))
    assert (long.code, "Line 2: name is over the limit of 6 bytes" in long.message) == (Code.LIMIT_EXCEEDED, True)
    many = refusal_of(READER, FINE, COLUMNS, limits=Limits(max_rows=1))
    assert (many.code, "Line 2 is over the feed's limit of 1 rows" in many.message) == (Code.LIMIT_EXCEEDED, True)


def test_the_fields_must_be_the_schemas_columns() -> None:
    with pytest.raises(Misconfigured):
        list(READER.read([FINE], ("tin",), Limits()))


@pytest.mark.parametrize(
    "other",
    [
        {"record_chars": 0},
        {"record_chars": 14},
        {"fields": {}},
        {"fields": {"a": {"at": 0, "chars": 1}}},
        {"fields": {"a": {"at": 1, "chars": 0}}},
        {"fields": {"a": {"at": 1, "chars": 3}, "b": {"at": 3, "chars": 1}}},
        {"fields": {"a": {"at": 1, "chars": 1, "padded": "both"}}},
        {"encoding": "ebcdic"},
        {"kinds": {**KINDS, "header": "D"}},
        {"kinds": {**KINDS, "trailer": "TT"}},
        {"kinds": {**KINDS, "at": 17}},
        {"kinds": {"at": 1, "row": "D", "count": KINDS["count"]}},
        {"kinds": {**KINDS, "count": {"at": 16, "chars": 2}}},
    ],
)
def test_a_format_that_is_not_clear_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        form(**other)

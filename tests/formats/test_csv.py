"""The CSV reader: exact rows or a refusal with a place, the same on the fast and on the exact path."""

import csv
import io
import tracemalloc
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.findings import Finding
from pipeline.formats import csv as reader
from pipeline.formats.batch import Limits
from pipeline.formats.csv import Csv
from pipeline.formats.csv_bytes import Piece
from pipeline.formats.csv_records import Place, Records

COLUMNS = ("tin", "name", "city")
HEADER = b"tin,name,city\n"
Rows = list[tuple[str | None, ...]]


def rows_of(delivery: bytes, *, limits: Limits | None = None, delimiter: str = ",", block: int = 1 << 20) -> Rows:
    frames = [batch.frame for batch in Csv(delimiter).read(cut(delivery, block), COLUMNS, limits or Limits())]
    whole = pl.concat(frames)
    assert whole[POSITION].to_list() == list(range(1, whole.height + 1))
    assert whole.schema == {POSITION: pl.UInt64(), **dict.fromkeys(COLUMNS, pl.String())}
    return whole.drop(POSITION).rows()


def findings_of(delivery: bytes) -> list[Finding]:
    return [finding for batch in Csv().read([delivery], COLUMNS, Limits()) for finding in batch.tolerated]


def refusal_of(delivery: bytes, *, limits: Limits | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        rows_of(delivery, limits=limits)
    return caught.value


def outcome(delivery: bytes, *, limits: Limits | None = None, block: int = 1 << 20) -> Rows | str:
    try:
        return rows_of(delivery, limits=limits, block=block)
    except Refused as refused:
        return str(refused)


def exact_outcome(delivery: bytes, limits: Limits) -> Rows | str:
    """What the exact parser alone makes of rows below a fixed header."""
    records = Records(b",", len(COLUMNS), limits.max_cell_bytes, limits.max_rows)
    rows = reader._Rows(COLUMNS, records, crlf=False)
    body = delivery.removeprefix(HEADER)
    try:
        return rows._exactly(body, Place(1, 2, len(HEADER)))[0].frame.drop(POSITION).rows() if body else []
    except Refused as refused:
        return str(refused)


def cut(delivery: bytes, size: int) -> Iterator[bytes]:
    return (delivery[at : at + size] for at in range(0, len(delivery), size))


def test_rows_are_the_cells_in_order_with_their_record_numbers() -> None:
    assert rows_of(HEADER + b"1,Ada,Berlin\n2,Bo,Oslo\n") == [("1", "Ada", "Berlin"), ("2", "Bo", "Oslo")]


def test_the_last_line_end_may_be_missing() -> None:
    assert rows_of(HEADER + b"1,Ada,Berlin\n2,Bo,Oslo") == [("1", "Ada", "Berlin"), ("2", "Bo", "Oslo")]


def test_a_header_alone_is_an_empty_list() -> None:
    for header in (HEADER, HEADER.rstrip(), b"tin,name,city\r\n", b'"tin","name","city"\n'):
        assert rows_of(header) == []


def test_empty_cells_are_null_whether_quoted_or_not() -> None:
    assert rows_of(HEADER + b'1,,""\n"",2,\n,,\n') == [("1", None, None), (None, "2", None), (None, None, None)]


def test_words_for_nothing_stay_text() -> None:
    assert rows_of(HEADER + b"NA,null,None\nNULL,nan,-\n") == [("NA", "null", "None"), ("NULL", "nan", "-")]


def test_spaces_numbers_and_dates_stay_as_written() -> None:
    assert rows_of(HEADER + b" 007 ,1e3,2020-01-01\n") == [(" 007 ", "1e3", "2020-01-01")]


def test_quoted_cells_hold_delimiters_doubled_quotes_and_line_ends() -> None:
    delivery = HEADER + b'1,"A, ""B""","x\ny"\n"""",",","\r\n"\n'
    assert rows_of(delivery) == [("1", 'A, "B"', "x\ny"), ('"', ",", "\r\n")]


def test_tabs_are_text() -> None:
    assert rows_of(HEADER + b'1,a\tb,"\t"\n') == [("1", "a\tb", "\t")]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_declared_delimiter_is_the_only_one(delimiter: str) -> None:
    delivery = f'tin{delimiter}name{delimiter}city\n1{delimiter}a,b{delimiter}"c{delimiter}d"\n'.encode()
    assert rows_of(delivery, delimiter=delimiter) == [("1", "a,b", f"c{delimiter}d")]


def test_another_delimiter_cannot_be_declared() -> None:
    with pytest.raises(Misconfigured) as caught:
        Csv('"')
    assert caught.value.code is Code.CATALOGUE_INVALID


def test_a_bom_is_tolerated_and_reported() -> None:
    assert rows_of(b"\xef\xbb\xbf" + HEADER + b"1,a,b\n") == [("1", "a", "b")]
    assert findings_of(b"\xef\xbb\xbf" + HEADER + b"1,a,b\n") == [Finding("tolerated-bom", "", 1, ())]
    assert findings_of(b"\xef\xbb\xbf" + HEADER) == [Finding("tolerated-bom", "", 1, ())]


def test_a_bom_inside_the_delivery_is_text() -> None:
    assert rows_of(HEADER + b"\xef\xbb\xbf1,a,b\n") == [("\ufeff1", "a", "b")]


def test_crlf_ends_lines_without_a_finding() -> None:
    delivery = b"tin,name,city\r\n1,a,b\r\n2,c,d\r\n"
    assert rows_of(delivery) == [("1", "a", "b"), ("2", "c", "d")]
    assert findings_of(delivery) == []


def test_mixed_line_ends_are_tolerated_and_counted() -> None:
    delivery = HEADER + b"1,a,b\r\n2,c,d\n3,e,f\r\n4,g,h"
    assert len(rows_of(delivery)) == 4
    assert findings_of(delivery) == [Finding("tolerated-mixed-line-ends", "", 2, (1, 3))]


@pytest.mark.parametrize(
    ("delivery", "code", "says"),
    [
        (b"", Code.DELIVERY_EMPTY, "header"),
        (b"\xef\xbb\xbf", Code.DELIVERY_EMPTY, "header"),
        (b"\n", Code.COLUMNS_DIFFER, "missing tin, name, city; 1 unknown at position 1"),
        (b"tin,name\n1,2\n", Code.COLUMNS_DIFFER, "missing city"),
        (b"tin,name,name\n", Code.COLUMNS_DIFFER, "missing city; doubled name"),
        (b"tin,name,city,name\n", Code.COLUMNS_DIFFER, "doubled name"),
        (b"tin,Bond,name,city\n", Code.COLUMNS_DIFFER, "1 unknown at position 2"),
        (b"name,tin,city\n", Code.COLUMNS_DIFFER, "the order differs"),
        (b"tin;name;city\n", Code.COLUMNS_DIFFER, "missing tin, name, city"),
        (b"tin,name,city,a,b,c,d\n", Code.COLUMNS_DIFFER, "more than 6 columns"),
        (HEADER + b"1,a\n", Code.RECORD_MALFORMED, "Record 1 (line 2) is no CSV record: it has 2 of 3 fields"),
        (HEADER + b"1,a,b\n1,a,b,c\n", Code.RECORD_MALFORMED, "Record 2 (line 3) is no CSV record: it has more than 3"),
        (HEADER + b'1,"a\nb",c\n\n', Code.RECORD_MALFORMED, "Record 2 (line 4) is no CSV record: it has 1 of 3 fields"),
        (HEADER + b'1,a"b,c\n', Code.RECORD_MALFORMED, "field 2 holds a quote but does not start with one"),
        (HEADER + b'1,a""b,c\n', Code.RECORD_MALFORMED, "field 2 holds a quote but does not start with one"),
        (HEADER + b'1, "a",c\n', Code.RECORD_MALFORMED, "field 2 holds a quote but does not start with one"),
        (HEADER + b'1,"a"b,c\n', Code.RECORD_MALFORMED, "text follows the closing quote of field 2"),
        (HEADER + b'1,"a" ,c\n', Code.RECORD_MALFORMED, "text follows the closing quote of field 2"),
        (HEADER + b'1,a,b\n2,"c,d\n3,e,f\n', Code.RECORD_MALFORMED, "Record 2 (line 3) is no CSV record: the quote"),
        (HEADER + b"1,a\x00,c\n", Code.RECORD_MALFORMED, "field 2 holds a control character"),
        (HEADER + b'1,"\x7f",c\n', Code.RECORD_MALFORMED, "field 2 holds a control character"),
        (HEADER + b"1,\x1b,c\n", Code.RECORD_MALFORMED, "field 2 holds a control character"),
        (HEADER + b"1,a,b\r2,c,d\n", Code.RECORD_MALFORMED, "field 3 ends in a carriage return"),
        (HEADER + b'1,"a\rb",c\n', Code.RECORD_MALFORMED, "field 2 holds a control character"),
        (HEADER + b"1,a,b\r", Code.RECORD_MALFORMED, "field 3 ends in a carriage return"),
        (HEADER + b"1,a\xffb,c\n", Code.ENCODING_INVALID, "field 2 is not UTF-8 at byte 17 of the delivery"),
        (HEADER + b'1,"a""\xff",c\n', Code.ENCODING_INVALID, "field 2 is not UTF-8 at byte 20 of the delivery"),
        (HEADER + b"1,\xc3,c\n2,\xa9,c\n", Code.ENCODING_INVALID, "Record 1 (line 2)"),
        (b"\xff\xfet\x00i\x00n\x00", Code.ENCODING_INVALID, "The header (line 1): field 1 is not UTF-8 at byte 0"),
        (b't"in,name,city\n', Code.RECORD_MALFORMED, "The header (line 1)"),
    ],
)
def test_what_is_not_the_feeds_csv_is_refused_with_its_place(delivery: bytes, code: Code, says: str) -> None:
    refused = refusal_of(delivery)
    assert refused.code is code
    assert says in refused.message


def test_no_refusal_shows_a_value() -> None:
    for bad in (
        b'1,Sesame"x,c\n',
        b"1,Sesame\n",
        b"1,Sesame\xff,c\n",
        b'1,"Sesame,c\n',
        b'1,"Sesame"x,c\n',
        b"1,Sesame\x00,c\n",
    ):
        assert "Sesame" not in repr(refusal_of(HEADER + bad).args)
    assert "Sesame" not in repr(refusal_of(b"tin,Sesame,city\n").args)


def test_a_refusal_leaves_no_foreign_error_behind() -> None:
    refused = refusal_of(HEADER + b"1,Sesame\xff,c\n")
    assert refused.__context__ is None
    assert refused.__cause__ is None


def test_a_cell_over_the_limit_is_refused_and_one_at_the_limit_is_not() -> None:
    limits = Limits(max_cell_bytes=4)
    at_the_limit = HEADER + '1,"a""é",c\n'.encode()
    assert rows_of(at_the_limit, limits=limits) == [("1", 'a"é', "c")]
    for over in (b"abcde", b'"abcde"', '"abcé"'.encode()):
        refused = refusal_of(HEADER + b"1," + over + b",c\n", limits=limits)
        assert refused.code is Code.LIMIT_EXCEEDED
        assert "Record 1 (line 2): field 2 is over the limit of 4 bytes" in refused.message


def test_rows_over_the_limit_are_refused_and_rows_at_the_limit_are_not() -> None:
    rows = b"1,a,b\n2,c,d\n"
    assert len(rows_of(HEADER + rows, limits=Limits(max_rows=2))) == 2
    for third in (b"3,e,f\n", b"3,e,f", b'"'):
        refused = refusal_of(HEADER + rows + third, limits=Limits(max_rows=2))
        assert refused.code is Code.LIMIT_EXCEEDED
        assert "Record 3 (line 4) is over the feed's limit of 2 rows" in refused.message


def test_a_quote_that_is_never_closed_is_refused_in_bounded_memory() -> None:
    limits = Limits(max_cell_bytes=1000, batch_bytes=10_000)
    endless = (b'1,"' if turn == 0 else b"x" * 10_000 for turn in range(2_000))
    tracemalloc.start()
    with pytest.raises(Refused) as caught:
        list(Csv().read((block for blocks in ([HEADER], endless) for block in blocks), COLUMNS, limits))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code is Code.LIMIT_EXCEEDED
    assert peak < 1_000_000


def test_batches_stay_near_their_size_whatever_the_blocks_are() -> None:
    delivery = HEADER + b'1,"some ""name""",city\n' * 10_000
    for block in (700, 1 << 30):
        batches = list(Csv().read(cut(delivery, block), COLUMNS, Limits(batch_bytes=10_000)))
        assert sum(batch.frame.height for batch in batches) == 10_000
        assert max(batch.frame.height for batch in batches) < 1_000


def test_ordinary_rows_never_need_the_exact_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the exact parser was asked")

    monkeypatch.setattr(reader._Rows, "_exactly", refuse)
    lines = ['1,"Müller, ""Sohn"" & Co",Köln', "2,Plain,Oslo", '"3","a\nb",""', "4,a\tb,", ',"",', '"","",""']
    for line_end in ("\n", "\r\n"):
        body = line_end.join(["tin,name,city", *lines, ""])
        assert len(rows_of(body.encode())) == len(lines)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (b"1,a,b\n2,c,d\n", [("1", "a", "b")]),
        (b"1,a\n", [("1", "a", None)]),
        (b"1,a,b,c\n", [("1", "a", "b")]),
        (b"1,a,b\n2,c\n\n", [("1", "a", "b"), ("2", "c", None), (None, None, None)]),
        (b'1,a"b"c,d\n', [("1", "abc", "d")]),
        (b'1,"ab"c,d\n', [("1", "abc", "d")]),
        (b'1,a"bc",d\n', [("1", "abc", "d")]),
        (b'1,a""b,c\n', [("1", 'a"b', "c")]),
        (b"1,a,b\r2,c,d\n", [("1", "a", "b\r2,c")]),
        (b"1,\x00,b\n", [("1", "\x00", "b")]),
        (b"1,\x7f,b\n", [("1", "\x7f", "b")]),
    ],
)
def test_a_lenient_parse_is_not_proven_by_the_bytes(text: bytes, rows: Rows) -> None:
    piece = Piece.of(text)
    assert piece is not None
    assert not piece.proves(pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row"), ord(","))


pieces = st.lists(
    st.sampled_from(
        [",", ",", '"', '""', "\n", "\r\n", "\r", "a", "bc", "é", "\U0001f600", "\x00", "\t", "\ufeff", " "]
    )
)
tidy_cell = st.one_of(
    st.sampled_from(["", '""', '"a,b"', '"a\n"', '"\r\nx"', '"""x"', "x", "é"]), st.text("abz é", max_size=5)
)
tidy = st.lists(st.tuples(tidy_cell, tidy_cell, tidy_cell).map(",".join), max_size=8).flatmap(
    lambda rows: st.sampled_from(["\n", "\r\n"]).map(lambda end: "".join(row + end for row in rows))
)
ragged = st.tuples(tidy, st.lists(pieces.map("".join), max_size=2).map("".join), tidy).map("".join)
bodies = st.one_of(pieces.map("".join), tidy, ragged).map(str.encode)
broken = st.tuples(bodies, st.binary(max_size=3), bodies).map(b"".join)
small = Limits(max_rows=6, max_cell_bytes=12)


@settings(max_examples=200, deadline=None)
@given(st.one_of(bodies, broken), st.sampled_from([Limits(), small]))
@example(b"1,a\n1,a,b,c\n", Limits())
@example(b'1,a"b,c\n1,a"b,c\n', Limits())
@example(b"1,a,b\n\n\n1,a,b\n", Limits())
@example(b'"""\n",a,b\n', Limits())
def test_the_fast_path_and_the_exact_path_agree(body: bytes, limits: Limits) -> None:
    assert outcome(HEADER + body, limits=limits) == exact_outcome(HEADER + body, limits)


@settings(max_examples=80, deadline=None)
@given(st.one_of(bodies, broken), st.integers(1, 40), st.integers(1, 40), st.sampled_from([Limits(), small]))
def test_the_outcome_does_not_depend_on_the_blocks(body: bytes, block: int, batch_bytes: int, limits: Limits) -> None:
    other = Limits(max_rows=limits.max_rows, max_cell_bytes=limits.max_cell_bytes, batch_bytes=batch_bytes)
    assert outcome(HEADER + body, limits=other, block=block) == outcome(HEADER + body, limits=limits)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6)] * 3)))
def test_what_pythons_csv_module_writes_comes_back(rows: list[tuple[str, ...]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([COLUMNS, *rows])
    assert rows_of(written.getvalue().encode()) == [tuple(cell or None for cell in row) for row in rows]


@settings(max_examples=80, deadline=None)
@given(bodies)
def test_accepted_rows_are_those_that_pythons_csv_module_reads(body: bytes) -> None:
    rows = outcome(HEADER + body)
    if isinstance(rows, list):
        read = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
        assert rows == [tuple(cell or None for cell in row) for row in read]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.data())
def test_a_lost_or_doubled_delimiter_anywhere_is_refused(rows: int, data: st.DataObject) -> None:
    body = bytearray(b'1,"a,b",c\n2,,x\n' * rows)
    outside = [at for at, byte in enumerate(body) if byte == ord(",") and body[at - 1 : at + 2] != b"a,b"]
    at = data.draw(st.sampled_from(outside))
    body[at : at + 1] = data.draw(st.sampled_from([b"", b",,"]))
    refused = refusal_of(HEADER + bytes(body))
    assert refused.code is Code.RECORD_MALFORMED

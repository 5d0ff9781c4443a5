"""One JSON document: the objects of the declared array, one by one, or a refusal with a place."""

import json
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.wire import JsonFormat
from pipeline.formats.batch import Limits
from pipeline.formats.json_array import JsonArray
from pipeline.formats.json_values import Cells
from pipeline.formats.rows import Rows
from tests.formats.reading import findings_of, frame_of, outcome, peak_of_refusing, refusal_of, rows_of

FIELDS = {"tin": "/tin", "name": "/person/name"}
COLUMNS = tuple(FIELDS)
WHOLE = JsonArray(FIELDS)
INSIDE = JsonArray(FIELDS, "/list/members")
RECORDS = b'[{"tin":"1","person":{"name":"Ada"}},\n {"tin":2.50}]'
AROUND = b'{"sent":"2026-01-01","list":{"count":2,"members":' + RECORDS + b',"end":[1,{"a":2}]},"by":null}\n'


@pytest.mark.parametrize(("reader", "delivery"), [(WHOLE, RECORDS), (INSIDE, AROUND)])
def test_rows_are_the_objects_of_the_declared_array_with_their_numbers(reader: JsonArray, delivery: bytes) -> None:
    frame, _ = frame_of(reader, delivery, COLUMNS)
    assert frame.rows() == [(1, "1", "Ada"), (2, "2.50", None)]


def test_an_array_without_objects_is_an_empty_list() -> None:
    assert rows_of(WHOLE, b" [ ] ", COLUMNS) == []
    assert rows_of(INSIDE, b'{"list":{"members":[]}}', COLUMNS) == []


def test_what_stands_around_the_array_is_discarded_and_counted() -> None:
    assert findings_of(INSIDE, AROUND, COLUMNS) == {"discarded-beyond-fields": 4}
    assert findings_of(WHOLE, RECORDS, COLUMNS) == {}
    assert findings_of(WHOLE, b'[{"x":1,"y":{"z":1}}]', COLUMNS) == {"discarded-beyond-fields": 2}


def test_a_bom_is_tolerated_and_reported() -> None:
    assert findings_of(WHOLE, b"\xef\xbb\xbf" + RECORDS, COLUMNS) == {"tolerated-bom": 1}


@pytest.mark.parametrize(
    ("delivery", "code", "says"),
    [
        (b"", Code.DELIVERY_EMPTY, "no record"),
        (b" \n", Code.DELIVERY_EMPTY, "no record"),
        (b'{"list":[]}', Code.RECORD_MALFORMED, "no object at byte 8"),
        (b"[]", Code.RECORD_MALFORMED, "no object at byte 0"),
        (b"{}", Code.RECORD_MALFORMED, "the array that the feed declares is missing"),
        (b'{"other":1}', Code.RECORD_MALFORMED, "the array that the feed declares is missing"),
        (b'{"list":{"members":{}}}', Code.RECORD_MALFORMED, "no array at byte 19"),
        (b'{"list":{"members":null}}', Code.RECORD_MALFORMED, "no array at byte 19"),
        (b'{"list":{"members":[1]}}', Code.RECORD_MALFORMED, "Record 1: it is not a JSON object"),
        (b'{"list":{"members":[{},null]}}', Code.RECORD_MALFORMED, "Record 2: it is not a JSON object"),
        (b'{"list":{"members":[{},]}}' + b" " * 99, Code.RECORD_MALFORMED, "Record 2: what is at byte 23"),
        (b'{"list":{"members":[{}{}]}}', Code.RECORD_MALFORMED, "what is at byte 22"),
        (b'{"list":{"members":[{"tin":1,"tin":1}]}}', Code.RECORD_MALFORMED, "Record 1: an object has a key twice"),
        (b'{"list":{"members":[]},"list":{"members":[{}]}}', Code.RECORD_MALFORMED, "an object has a key twice"),
        (b'{"list":{"members":[],"a":1,"a":1}}', Code.RECORD_MALFORMED, "an object has a key twice"),
        (b'{"a":{"b":1,"b":1},"list":{"members":[]}}', Code.RECORD_MALFORMED, "an object has a key twice"),
        (b'{"a":NaN,"list":{"members":[]}}', Code.RECORD_MALFORMED, "NaN"),
        (b'{"list":{"members":[]},}', Code.RECORD_MALFORMED, "what is at byte 23"),
        (b'{"list" {"members":[]}}', Code.RECORD_MALFORMED, "what is at byte 8"),
        (b"{1:2}", Code.RECORD_MALFORMED, "what is at byte 1"),
        (b'{"list":{"members":[]}} x', Code.RECORD_MALFORMED, "something follows the document, at byte 24"),
        (b'{"list":{"members":[]}}\x00', Code.RECORD_MALFORMED, "something follows the document"),
        (AROUND + AROUND, Code.RECORD_MALFORMED, "something follows the document"),
        (AROUND[:-1] + b"\xff", Code.ENCODING_INVALID, f"not utf-8 at byte {len(AROUND) - 1}"),
        (b'{"list":{"members":[{"tin":"\\ud800"}]}}', Code.ENCODING_INVALID, "Record 1: an escape is half"),
        (b'{"a":' + b"[" * 65 + b"]" * 65, Code.LIMIT_EXCEEDED, "What is around the records is nested over 64 deep"),
        (b'{"list":{"members":[' + b"[" * 9999, Code.LIMIT_EXCEEDED, "Record 1 is nested over 64 deep"),
        (json.dumps({str(n): 1 for n in range(1001)}).encode(), Code.LIMIT_EXCEEDED, "over 1000 keys"),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused_with_its_place(delivery: bytes, code: Code, says: str) -> None:
    refused = refusal_of(INSIDE, delivery, COLUMNS)
    assert refused.code is code
    assert says in refused.message


def test_a_document_cut_anywhere_is_refused() -> None:
    for reader, delivery in ((WHOLE, RECORDS), (INSIDE, AROUND)):
        for size in range(len(delivery.rstrip())):
            refused = refusal_of(reader, delivery[:size], COLUMNS)
            assert refused.code in (Code.MESSAGE_TRUNCATED, Code.DELIVERY_EMPTY, Code.RECORD_MALFORMED)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(AROUND) - 1), st.integers(0, 255))
def test_a_byte_changed_anywhere_never_crashes_and_rows_are_what_pythons_parser_reads(at: int, byte: int) -> None:
    changed = AROUND[:at] + bytes([byte]) + AROUND[at + 1 :]
    result = outcome(INSIDE, changed, COLUMNS)
    if not isinstance(result, str):
        read = json.loads(changed, parse_float=str, parse_int=str)["list"]["members"]
        assert [row[1] for row in result[0]] == [one.get("tin") or None for one in read]


cells = st.one_of(st.none(), st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells)), st.integers(1, 50), st.sampled_from([None, 2]))
def test_what_pythons_json_module_writes_comes_back_whatever_the_blocks(
    written: list[tuple[str | None, str | None]], block: int, indent: int | None
) -> None:
    records = [{"tin": tin, "person": {"name": name}} for tin, name in written]
    delivery = json.dumps({"a": 1, "list": {"members": records}, "z": {}}, indent=indent).encode()
    expected = [(tin or None, name or None) for tin, name in written]
    assert rows_of(INSIDE, delivery, COLUMNS, block=block) == expected


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(AROUND)),
    st.lists(st.sampled_from([*b'{}[]",:\\ \n01et', 0xC3, 0xFF]), max_size=20).map(bytes),
    st.integers(1, 20),
)
def test_the_outcome_does_not_depend_on_the_blocks(at: int, noise: bytes, block: int) -> None:
    delivery = AROUND[:at] + noise + AROUND[at:]
    assert outcome(INSIDE, delivery, COLUMNS, block=block) == outcome(INSIDE, delivery, COLUMNS)


@pytest.mark.parametrize("start", [b"[" + b'{"tin":"', b'[{"beyond":["', b"[1234"])
def test_a_value_that_never_ends_is_refused_in_bounded_memory(start: bytes) -> None:
    refused, peak = peak_of_refusing(
        WHOLE, chain([start], repeat(b"5" * 65_536, 1600)), COLUMNS, Limits(batch_bytes=1 << 20)
    )
    assert refused.code is Code.LIMIT_EXCEEDED
    assert peak < 20_000_000


def test_a_long_array_takes_the_memory_of_a_batch() -> None:
    blocks = chain([b"["], repeat(b'{"tin":"0123456789","person":{"name":"x"}},' * 1000, 100), [b"{}]"])
    sizes = [batch.frame.height for batch in WHOLE.read(blocks, COLUMNS, Limits(batch_bytes=100_000))]
    assert sum(sizes) == 100_001
    assert max(sizes) < 2_000


def test_rows_over_the_limit_are_refused_and_rows_at_the_limit_are_not() -> None:
    assert len(rows_of(WHOLE, RECORDS, COLUMNS, limits=Limits(max_rows=2))) == 2
    assert "Record 2 is over the feed's limit" in refusal_of(WHOLE, RECORDS, COLUMNS, limits=Limits(max_rows=1)).message


def test_the_fields_must_be_the_schemas_columns() -> None:
    with pytest.raises(Misconfigured):
        list(WHOLE.read([RECORDS], ("tin",), Limits()))


def test_the_array_is_the_document_or_stands_at_a_pointer() -> None:
    said = {"kind": "json", "fields": FIELDS}
    assert JsonFormat.model_validate(said).records == ""
    assert JsonFormat.model_validate({**said, "records": "/a/b"}).records == "/a/b"
    for wrong in ("a", "a/b", "/~", 1):
        with pytest.raises(ValidationError):
            JsonFormat.model_validate({**said, "records": wrong})


@pytest.mark.parametrize("fields", [{"a": "/x", "b": "/x/y"}, {"a": "/x/y", "b": "/x"}, {"a": "/x", "b": "/x"}])
def test_a_path_through_another_loses_no_column_in_silence(fields: dict[str, str]) -> None:
    with pytest.raises(Misconfigured) as refused:
        Cells(fields, Rows(("a", "b"), Limits()))
    assert refused.value.code is Code.CATALOGUE_INVALID

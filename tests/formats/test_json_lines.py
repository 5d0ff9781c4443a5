"""JSON Lines: the cells as they are written, or a refusal with a place."""

import json
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.wire import JsonLinesFormat
from pipeline.formats.batch import Limits
from pipeline.formats.json_lines import JsonLines
from tests.formats.reading import Row, findings_of, frame_of, outcome, peak_of_refusing, refusal_of, rows_of

FIELDS = {"tin": "/tin", "name": "/person/name", "phones": "/phones"}
COLUMNS = tuple(FIELDS)
READER = JsonLines(FIELDS)
FINE = b'{"tin": "1", "person": {"name": "Ada"}, "phones": ["1", "2"]}\n{"tin": 2.50, "person": null}\n'


def rows(delivery: bytes) -> list[Row]:
    return rows_of(READER, delivery, COLUMNS)


def test_rows_are_the_values_at_their_places_with_the_numbers_of_their_lines() -> None:
    frame, findings = frame_of(READER, FINE, COLUMNS)
    assert frame.rows() == [(1, "1", "Ada", "1\n2"), (2, "2.50", None, None)]
    assert findings == ()


@pytest.mark.parametrize("number", ["1.10", "1e400", "-0", "0.0", "1E+2", "9" * 5000, "-12.340e-05"])
def test_a_number_is_the_text_that_was_written(number: str) -> None:
    assert rows(f'{{"tin":{number}}}'.encode()) == [(number, None, None)]


@pytest.mark.parametrize(("value", "cell"), [("true", "true"), ("false", "false"), ("null", None), ('""', None)])
def test_a_truth_is_a_word_and_nothing_is_absent(value: str, cell: str | None) -> None:
    assert rows(f'{{"tin":{value}}}'.encode()) == [(cell, None, None)]


@pytest.mark.parametrize("text", ["NULL", "nan", " x ", "a\tb", "é\U0001f600", "\\", '"', "\ufeff", "a\nb", "a\r\nb"])
def test_a_text_is_what_its_escapes_say(text: str) -> None:
    for ascii_only in (True, False):
        assert rows(json.dumps({"tin": text}, ensure_ascii=ascii_only).encode()) == [(text, None, None)]


def test_a_list_is_one_item_a_line_and_empty_items_are_counted() -> None:
    delivery = b'{"phones":[]}\n{"phones":[1.0,true,"x"]}\n{"phones":["",null,"y"]}'
    assert [row[2] for row in rows(delivery)] == [None, "1.0\ntrue\nx", "y"]
    assert findings_of(READER, delivery, COLUMNS) == {"tolerated-empty-item": 2}


def test_what_no_field_names_is_discarded_and_counted() -> None:
    delivery = b'{"tin":"1","beyond":"x","person":{"name":"A","age":[1]}}\n{"TIN":1}\n'
    assert rows(delivery) == [("1", "A", None), (None, None, None)]
    assert findings_of(READER, delivery, COLUMNS) == {"discarded-beyond-fields": 3}


def test_white_space_line_ends_blank_lines_and_a_bom_change_nothing() -> None:
    delivery = b'\xef\xbb\xbf \t{"tin":"1"} \r\n\r\n\n{"tin":"2"}'
    frame, findings = frame_of(READER, delivery, COLUMNS)
    assert frame.rows() == [(1, "1", None, None), (4, "2", None, None)]
    assert {finding.rule: (finding.count, finding.positions) for finding in findings} == {
        "tolerated-bom": (1, ()),
        "tolerated-blank-line": (2, (2, 3)),
    }


@pytest.mark.parametrize(
    ("delivery", "code", "says"),
    [
        (b"", Code.DELIVERY_EMPTY, "no record"),
        (b"\n \n", Code.DELIVERY_EMPTY, "no record"),
        (b"\xef\xbb\xbf", Code.DELIVERY_EMPTY, "no record"),
        (b'{"tin":1,"tin":2}', Code.RECORD_MALFORMED, "Line 1: an object has a key twice"),
        (b'{}\n{"z":{"a":1,"a":1}}', Code.RECORD_MALFORMED, "Line 2: an object has a key twice"),
        (b'{"tin":"1","t\\u0069n":"2"}', Code.RECORD_MALFORMED, "a key twice"),
        (b'{"tin":NaN}', Code.RECORD_MALFORMED, "NaN and Infinity"),
        (b'{"tin":-Infinity}', Code.RECORD_MALFORMED, "NaN and Infinity"),
        (b'{"z":Infinity}', Code.RECORD_MALFORMED, "NaN and Infinity"),
        (b'{"tin":01}\n' + b" " * 99, Code.RECORD_MALFORMED, "Line 1: what is at byte 8 is not JSON"),
        (b'{"tin":+1}\n' + b" " * 99, Code.RECORD_MALFORMED, "byte 7"),
        (b'{"tin":.5}\n' + b" " * 99, Code.RECORD_MALFORMED, "byte 7"),
        (b'{"tin":1,}\n{}' + b" " * 99, Code.RECORD_MALFORMED, "Line 1"),
        (b"{'tin':1}\n" + b" " * 99, Code.RECORD_MALFORMED, "byte 1"),
        (b'{"tin":"\\x41"}' + b" " * 99, Code.RECORD_MALFORMED, "Line 1"),
        (b'{"tin":"a\tb"}' + b" " * 99, Code.RECORD_MALFORMED, "Line 1"),
        (b'{"tin":"a\x00b"}' + b" " * 99, Code.RECORD_MALFORMED, "Line 1"),
        (b'{"tin":"a"}\x00' + b" " * 99, Code.RECORD_MALFORMED, "Line 1"),
        (b'{"tin":"a\n"}' + b" " * 99, Code.RECORD_MALFORMED, "Line 1"),
        (b'{"tin":\n1}', Code.RECORD_MALFORMED, "Line 1: its JSON value goes on in the next line"),
        (b'{"tin":1}{"tin":2}', Code.RECORD_MALFORMED, "Line 1: it has more than one JSON value"),
        (b'{"tin":1},\n{"tin":2}' + b" " * 99, Code.RECORD_MALFORMED, "Line 1"),
        (b"[1]\n", Code.RECORD_MALFORMED, "Line 1: it is not a JSON object"),
        (b"{}\n1\n", Code.RECORD_MALFORMED, "Line 2: it is not a JSON object"),
        (b"null\n", Code.RECORD_MALFORMED, "it is not a JSON object"),
        (b'{"tin":{}}', Code.RECORD_MALFORMED, "tin holds a structure"),
        (b'{"tin":[[]]}', Code.RECORD_MALFORMED, "tin holds a structure"),
        (b'{"person":"x"}', Code.RECORD_MALFORMED, "name stands in something else than an object"),
        (b'{"person":[{"name":"x"}]}', Code.RECORD_MALFORMED, "name stands in something else"),
        (b'{"phones":["a\\nb"]}', Code.RECORD_MALFORMED, "an item of phones has a line break"),
        (b'{"tin":"\\u0000"}', Code.RECORD_MALFORMED, "tin holds a control character"),
        (b'{"tin":"\\u007f"}', Code.RECORD_MALFORMED, "tin holds a control character"),
        (b'{"tin":"\x7f"}', Code.RECORD_MALFORMED, "tin holds a control character"),
        (b'{}\n{"tin":"\\r"}', Code.RECORD_MALFORMED, "Line 2: tin holds a control character"),
        (b'{"tin":"\\ud800"}', Code.ENCODING_INVALID, "Line 1: an escape is half a surrogate pair"),
        (b'{"phones":["\\udc00"]}', Code.ENCODING_INVALID, "half a surrogate pair"),
        (b'{"tin":"a"}\n{"tin":"\xff"}', Code.ENCODING_INVALID, "not utf-8 at byte 20"),
        (b'{"tin":"a"}\n{"tin":"\xc3', Code.ENCODING_INVALID, "not utf-8 at byte 20"),
        (b'\xff\xfe{\x00"\x00', Code.ENCODING_INVALID, "byte order mark of another encoding"),
        (b'{"tin":"a', Code.MESSAGE_TRUNCATED, "ends inside a JSON value, at byte 9"),
        (b'{"tin":"1"}\n{"tin":', Code.MESSAGE_TRUNCATED, "ends inside a JSON value"),
        (b'{"z":' + b"[" * 65 + b"]" * 65 + b"}", Code.LIMIT_EXCEEDED, "Line 1 is nested over 64 deep"),
        (b'{"z":' + b"[" * 100_000, Code.LIMIT_EXCEEDED, "Line 1 is nested over 64 deep"),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused_with_its_place(delivery: bytes, code: Code, says: str) -> None:
    refused = refusal_of(READER, delivery, COLUMNS)
    assert refused.code is code
    assert says in refused.message


def test_brackets_in_a_text_are_no_depth() -> None:
    assert rows(json.dumps({"tin": '[{\\"' * 100}).encode()) == [('[{\\"' * 100, None, None)]
    deepest = b'{"z":' + b"[" * 63 + b"]" * 63 + b"}"
    assert rows(deepest) == [(None, None, None)]


@pytest.mark.parametrize(
    "bad",
    [
        b'{"tin":"Sesame',
        b'{"tin":"Sesame\xff"}',
        b'{"tin":"Sesame\\u0000"}',
        b'{"tin":"Sesame\\ud800"}',
        b'{"Sesame":1,"Sesame":2}',
        b'{"tin":Sesame}',
        b'{"tin":{"Sesame":1}}',
        b'{"phones":["Sesame\\n"]}',
        b'{"tin":"' + b"Sesame" * 20_000 + b'"}',
    ],
)
def test_no_refusal_shows_a_value(bad: bytes) -> None:
    assert "Sesame" not in repr(refusal_of(READER, bad, COLUMNS).args)


def test_cells_rows_and_records_over_their_limits_are_refused_and_at_them_are_not() -> None:
    at_the_limit = '{"tin":"ééx"}\n{}\n'.encode()
    assert len(rows_of(READER, at_the_limit, COLUMNS, limits=Limits(max_rows=2, max_cell_bytes=5))) == 2
    long = refusal_of(READER, at_the_limit, COLUMNS, limits=Limits(max_cell_bytes=4))
    assert (long.code, "Line 1: tin is over the limit of 4 bytes" in long.message) == (Code.LIMIT_EXCEEDED, True)
    many = refusal_of(READER, at_the_limit, COLUMNS, limits=Limits(max_rows=1))
    assert (many.code, "Line 2 is over the feed's limit of 1 rows" in many.message) == (Code.LIMIT_EXCEEDED, True)
    items = refusal_of(READER, b'{"phones":["abc","def"]}', COLUMNS, limits=Limits(max_cell_bytes=6))
    assert items.code is Code.LIMIT_EXCEEDED


@pytest.mark.parametrize("start", [b'{"tin":"', b'{"beyond":"', b'{"', b'{"a":[', b'{"tin":1', b" {"])
def test_a_record_that_never_ends_is_refused_in_bounded_memory(start: bytes) -> None:
    filling = {b'{"a":[': b"1," * 32_768, b'{"tin":1': b"0" * 65_536, b" {": b" " * 65_536}.get(start, b"x" * 65_536)
    blocks = chain([start], repeat(filling, 1600))
    refused, peak = peak_of_refusing(READER, blocks, COLUMNS, Limits(batch_bytes=1 << 20))
    assert refused.code is Code.LIMIT_EXCEEDED
    assert peak < 60_000_000


def test_batches_stay_near_their_size() -> None:
    delivery = b'{"tin":"0123456789"}\n' * 5_000
    batches = list(READER.read([delivery], COLUMNS, Limits(batch_bytes=10_000)))
    assert sum(batch.frame.height for batch in batches) == 5_000
    assert max(batch.frame.height for batch in batches) < 500


def test_the_fields_must_be_the_schemas_columns() -> None:
    for columns in (("tin", "name"), (*COLUMNS, "city")):
        with pytest.raises(Misconfigured) as caught:
            list(READER.read([FINE], columns, Limits()))
        assert caught.value.code is Code.CATALOGUE_INVALID


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"a": ""},
        {"a": "name"},
        {"a": "/a~2"},
        {"A": "/a"},
        {"a": "/x", "b": "/x"},
        {"a": "/x", "b": "/x/y"},
        {"a": "/x/y/z", "b": "/x", "c": "/w"},
    ],
)
def test_fields_that_are_not_clear_are_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        JsonLinesFormat.model_validate({"kind": "json-lines", "fields": fields})


def test_a_pointer_may_name_any_key() -> None:
    form = JsonLinesFormat.model_validate({"kind": "json-lines", "fields": {"a": "/x~1y~0z/", "b": "/x"}})
    delivery = b'{"x/y~z":{"":"1"},"x":"2"}'
    assert rows_of(JsonLines(form.fields), delivery, ("a", "b")) == [("1", "2")]


def test_a_delivery_cut_anywhere_is_refused_or_is_whole_lines() -> None:
    whole = rows(FINE)
    for size in range(len(FINE)):
        result = outcome(READER, FINE[:size], COLUMNS)
        at_a_line = [end for end in range(size + 1) if FINE[:end].endswith(b"}") and FINE[end : end + 1] == b"\n"]
        if isinstance(result, str):
            assert size not in at_a_line
            assert "limit" not in result
        else:
            assert FINE[size : size + 1] == b"\n" or FINE[:size].endswith(b"\n")
            assert [row[1:] for row in result[0]] == whole[: len(at_a_line)]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FINE) - 1), st.integers(0, 255))
def test_a_byte_changed_anywhere_never_crashes_and_is_said_or_seen(at: int, byte: int) -> None:
    changed = FINE[:at] + bytes([byte]) + FINE[at + 1 :]
    result = outcome(READER, changed, COLUMNS)
    if not isinstance(result, str):
        # What Python's own parser reads from each line is what the cells say: nothing else was made of it.
        read = [
            json.loads(line, parse_float=str, parse_int=str) for line in changed.decode().splitlines() if line.strip()
        ]
        assert [row[1] for row in result[0]] == [
            ({True: "true", False: "false"}[tin] if isinstance(tin := one.get("tin"), bool) else tin) or None
            for one in read
        ]


cells = st.one_of(st.none(), st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells, st.lists(cells, max_size=3)), min_size=1), st.integers(1, 50), st.booleans())
def test_what_pythons_json_module_writes_comes_back_whatever_the_blocks(
    written: list[tuple[str | None, str | None, list[str | None]]], block: int, ascii_only: bool
) -> None:
    lines = [
        json.dumps({"tin": tin, "person": {"name": name}, "phones": phones}, ensure_ascii=ascii_only)
        for tin, name, phones in written
    ]
    expected = [(tin or None, name or None, "\n".join(filter(None, phones)) or None) for tin, name, phones in written]
    assert rows_of(READER, "\n".join(lines).encode(), COLUMNS, block=block) == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*b'{}[]",:\\ \n01et', 0xC3, 0xA9, 0xFF]), max_size=30).map(bytes), st.integers(1, 20))
def test_the_outcome_does_not_depend_on_the_blocks(noise: bytes, block: int) -> None:
    delivery = FINE + noise + FINE
    assert outcome(READER, delivery, COLUMNS, block=block) == outcome(READER, delivery, COLUMNS)

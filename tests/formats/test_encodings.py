"""The text of a delivery in the encoding that its feed declares, or a refusal with a byte."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Finding
from pipeline.core.language.wire import CsvFormat, Encoding
from pipeline.formats.csv import Csv
from pipeline.formats.encodings import in_utf8, texts_of
from tests.formats.reading import cut, frame_of, refusal_of, rows_of

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
WRITTEN = {"iso-8859-2": "Łódź\n", "windows-1250": "Łódź\n", "us-ascii": "Lodz\n", "iso-8859-1": "Köln\n"}


def read(delivery: bytes, encoding: Encoding, block: int = 1 << 20) -> str:
    return "".join(texts_of(cut(delivery, block), encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_text_comes_back_whatever_the_blocks(encoding: Encoding) -> None:
    text = WRITTEN.get(encoding, "Köln 5 €\n")
    for block in (1, 2, 3, 1 << 20):
        assert read(text.encode(encoding), encoding, block) == text
        assert b"".join(in_utf8(cut(text.encode(encoding), block), encoding)).decode() == text
    assert read(b"", encoding) == ""


@pytest.mark.parametrize(
    ("delivery", "encoding", "byte"),
    [
        (b"ab\xff", "utf-8", 2),
        ("aé".encode()[:2], "utf-8", 1),
        (b"a\xed\xa0\x80", "utf-8", 1),
        (b"a\xc0\x80", "utf-8", 1),
        (b"abc\xe9", "us-ascii", 3),
        (b"ab\x81", "windows-1252", 2),
        ("KölnÉ".encode(), "iso-8859-1", 6),
        (b"ab\x80", "iso-8859-15", 2),
        (b"\xff\xfea\x00b", "utf-16", 4),
        (b"\xff\xfea\x00\x00\xd8b\x00", "utf-16", 4),
    ],
)
def test_what_is_no_text_in_the_encoding_is_refused_with_its_byte(
    delivery: bytes, encoding: Encoding, byte: int
) -> None:
    for block in (1, 2, 1 << 20):
        with pytest.raises(Refused) as caught:
            read(delivery, encoding, block)
        assert caught.value.code is Code.ENCODING_INVALID
        assert f"is not {encoding} at byte {byte}." in caught.value.message
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("delivery", "encoding"),
    [
        ("\ufeffa".encode(), "iso-8859-1"),
        ("\ufeffa".encode(), "windows-1252"),
        ("\ufeffa".encode(), "us-ascii"),
        ("\ufeffa".encode(), "utf-16"),
        ("a".encode("utf-16"), "utf-8"),
        ("a".encode("utf-16"), "windows-1252"),
        ("a".encode("utf-16-be"), "utf-16"),
    ],
)
def test_the_byte_order_mark_of_another_encoding_is_refused(delivery: bytes, encoding: Encoding) -> None:
    for block in (1, 1 << 20):
        with pytest.raises(Refused, match="byte order mark"):
            read(delivery, encoding, block)


def test_the_text_before_a_wrong_byte_comes_first() -> None:
    for block in (1, 1 << 20):
        seen: list[str] = []
        with pytest.raises(Refused):
            seen.extend(texts_of(cut(b"Ada\nBo\xff", block), "utf-8"))
        assert "".join(seen) == "Ada\nBo"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(ENCODINGS), st.integers(1, 9))
def test_bytes_are_the_text_that_python_decodes_or_are_refused_the_same_whatever_the_blocks(
    delivery: bytes, encoding: Encoding, block: int
) -> None:
    said: list[str] = []
    for size in (block, 1 << 20):
        try:
            said.append(read(delivery, encoding, size))
        except Refused as refused:
            said.append(f"refused: {refused}")
    assert said[0] == said[1]
    if not said[0].startswith("refused: "):
        assert said[0] == delivery.decode(encoding)


COLUMNS = ("tin", "name")
LIST = 'tin;name\n1;Müller\n2;"Š;€"\n'


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-15", "utf-16", "utf-8"])
def test_csv_is_read_in_the_encoding_that_the_feed_declares(encoding: Encoding) -> None:
    form = CsvFormat.model_validate({"kind": "csv", "delimiter": ";", "encoding": encoding})
    reader = Csv(form.delimiter, form.encoding)
    for block in (1, 1 << 20):
        assert rows_of(reader, LIST.encode(encoding), COLUMNS, block=block) == [("1", "Müller"), ("2", "Š;€")]


def test_csv_in_another_encoding_than_declared_is_refused() -> None:
    assert refusal_of(Csv(";"), LIST.encode("cp1252"), COLUMNS).code is Code.ENCODING_INVALID
    assert refusal_of(Csv(";", "us-ascii"), LIST.encode(), COLUMNS).code is Code.ENCODING_INVALID
    assert refusal_of(Csv(";", "iso-8859-1"), LIST.encode("cp1252"), COLUMNS).code is Code.ENCODING_INVALID
    assert refusal_of(Csv(";", "windows-1252"), b"\xef\xbb\xbf" + LIST.encode(), COLUMNS).code is Code.ENCODING_INVALID
    assert refusal_of(Csv(";"), LIST.encode("utf-16"), COLUMNS).code is Code.ENCODING_INVALID


def test_csv_keeps_its_bom_finding_in_utf8() -> None:
    assert frame_of(Csv(";"), "\ufeff".encode() + LIST.encode(), COLUMNS)[1] == (Finding("tolerated-bom", "", 1, ()),)
    assert frame_of(Csv(";", "utf-16"), LIST.encode("utf-16"), COLUMNS)[1] == ()

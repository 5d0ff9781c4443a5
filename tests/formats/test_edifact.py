"""EDIFACT is read as written, however it is cut; what is odd is said; what is broken is refused, without a value."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Code, Refused
from pipeline.formats.batch import Limits
from pipeline.formats.edifact import COMPONENT, ELEMENT, read_segments
from tests.formats.edifact_writer import AMADEUS, DASHED, IATA, WITHOUT_UNA, Dialect, Segment, c, interchange

SMALL = Limits(max_cell_bytes=64, batch_bytes=4096)
HEAD: list[Segment] = [("MSG", c("", "22")), ("ORG", "LH")]


def segments_of(content: bytes, *, limits: Limits = SMALL, cut: int = 0) -> list[tuple[int, str, str]]:
    blocks = [content[at : at + cut] for at in range(0, len(content), cut)] if cut else [content]
    return [row for part in read_segments(blocks, limits) for row in part.frame.iter_rows()]


def tolerated(content: bytes) -> dict[str, tuple[int, tuple[int, ...]]]:
    found = [finding for part in read_segments([content], SMALL) for finding in part.tolerated]
    return {finding.rule: (finding.count, finding.positions) for finding in found}


def refusal(content: bytes, limits: Limits = SMALL) -> Refused:
    with pytest.raises(Refused) as caught:
        segments_of(content, limits=limits)
    return caught.value


def with_text(text: str) -> list[Segment]:
    return interchange([*HEAD, ("IFT", c("4", "28"), text)])


@pytest.mark.parametrize("dialect", [IATA, AMADEUS, WITHOUT_UNA, DASHED])
def test_every_dialect_gives_the_same_segments(dialect: Dialect) -> None:
    read = segments_of(dialect.write(with_text("ONE+TWO:THREE?FOUR'FIVE*SIX\\SEVEN-8")))

    assert [tag for _, tag, _ in read] == ["UNB", "UNH", "MSG", "ORG", "IFT", "UNT", "UNZ"]
    assert read[4] == (5, "IFT", f"4{COMPONENT}28{ELEMENT}ONE+TWO:THREE?FOUR'FIVE*SIX\\SEVEN-8")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30)


@given(text=TEXT.map(str.strip).filter(bool), dialect=st.sampled_from([IATA, AMADEUS, WITHOUT_UNA, DASHED]))
def test_what_was_written_is_what_is_read(text: str, dialect: Dialect) -> None:
    read = segments_of(dialect.write(with_text("A" + text + "Z")))

    assert read[4][2] == f"4{COMPONENT}28{ELEMENT}A{text}Z"


@given(cut=st.integers(1, 400), after=st.sampled_from(["", "\n", "\r\n", " "]))
def test_blocks_may_be_cut_anywhere(cut: int, after: str) -> None:
    content = IATA.write(with_text("A?B'C É" * 3), after=after)

    assert segments_of(content, cut=cut) == segments_of(content)


def test_a_delivery_of_many_windows_is_read_whole() -> None:
    body: list[Segment] = [("IFT", c("4", "28"), f"TEXT {number}?+'") for number in range(500)]
    content = IATA.write(interchange([*HEAD, *body]))

    parts = list(read_segments([content], SMALL))

    assert len(parts) > 2
    assert pl.concat(part.frame for part in parts)["position"].to_list() == list(range(1, 507))
    assert all(not part.tolerated for part in parts)


def test_a_repetition_counts_as_one_more_element() -> None:
    content = IATA.write(interchange([*HEAD, ("FTI", "LH")])).replace(b"FTI+LH", b"FTI+LH:1*UA:2")

    assert segments_of(content)[4][2] == f"LH{COMPONENT}1{ELEMENT}UA{COMPONENT}2"


def test_without_una_an_asterisk_is_text() -> None:
    assert segments_of(WITHOUT_UNA.write(with_text("A*B")))[4][2].endswith("A*B")


@pytest.mark.parametrize(
    ("old", "new", "rule", "found"),
    [
        (b"MSG", b"\r\nMSG", "tolerated-line-break", (1, (3,))),
        (b"MSG", b"  MSG", "tolerated-leading-space", (1, (3,))),
        (b"MSG", b"''MSG", "tolerated-stray-terminator", (2, (2, 2))),
        (b"TEXT", b"TE\nXT", "tolerated-control-character", (1, (5,))),
        (b"TEXT", b"TE\x07XT", "tolerated-control-character", (1, (5,))),
        (b"TEXT", "TE\u2028XT".encode(), "tolerated-control-character", (1, (5,))),
        (b"TEXT", "TE\u0085XT".encode(), "tolerated-control-character", (1, (5,))),
        (b"TEXT", b"TE?XT", "tolerated-needless-release", (1, (5,))),
        (b"UNT+5", b"UNT+99", "tolerated-segment-count", (1, (6,))),
        (b"UNT+5+1", b"UNT+5+2", "tolerated-message-reference", (1, (6,))),
        (b"UNZ+1", b"UNZ+4", "tolerated-message-count", (1, (7,))),
        (b"UNZ+1+77", b"UNZ+1+78", "tolerated-interchange-reference", (1, (7,))),
        (b"UNH+1", b"UNG+PNRGOV'UNH+1", "tolerated-group-end", (1, (8,))),
        (b"UNA", b"\xef\xbb\xbfUNA", "tolerated-byte-order-mark", (1, (1,))),
        (b"ORG+LH'", "ORG+LH\u2019\n".encode(), "tolerated-odd-terminator", (1, (5,))),
    ],
)
def test_what_changes_no_meaning_is_tolerated_and_said(
    old: bytes, new: bytes, rule: str, found: tuple[int, tuple[int, ...]]
) -> None:
    content = IATA.write(with_text("TEXT"))

    assert rule not in tolerated(content)
    assert tolerated(content.replace(old, new, 1))[rule] == found


def test_a_control_character_becomes_a_space() -> None:
    content = IATA.write(with_text("TEXT")).replace(b"TEXT", b"A\r\nB\x1dC\x1eD\x1fE\x01F")

    assert segments_of(content)[4][2].endswith(ELEMENT + "A B C D E F")


def test_a_typographic_apostrophe_in_a_text_ends_nothing() -> None:
    read = segments_of(IATA.write(with_text("O\u2019NEIL \u2019TIF+A")))

    assert read[4][2].endswith("O\u2019NEIL \u2019TIF+A")


def test_several_interchanges_in_one_delivery_are_read_one_after_another() -> None:
    one = IATA.write(with_text("TEXT"))

    assert [row[1:] for row in segments_of(one + b"\n" + one)] == [row[1:] for row in segments_of(one)] * 2


def test_a_second_interchange_with_other_service_characters_is_refused() -> None:
    content = IATA.write(with_text("TEXT")) + AMADEUS.write(with_text("TEXT"))

    assert refusal(content).code is Code.RECORD_MALFORMED


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.DELIVERY_EMPTY),
        (b" \r\n" * 9000, Code.DELIVERY_EMPTY),
        (b"name,born\nADAM,1967", Code.MESSAGE_UNKNOWN),
        (IATA.write(with_text("A")).decode().encode("utf-16"), Code.ENCODING_INVALID),
        (IATA.write(interchange(HEAD, syntax="UNOX")), Code.ENCODING_INVALID),
        (IATA.write(with_text("ABC")).replace(b"ABC", b"A\x00C"), Code.ENCODING_INVALID),
        (IATA.write(with_text("AÉC"), encoding="iso-8859-1"), Code.ENCODING_INVALID),
        (IATA.write(with_text("ABC" * 2000)), Code.LIMIT_EXCEEDED),
        (IATA.write(with_text("A'BRIEN")).replace(b"?'", b"'"), Code.RECORD_MALFORMED),
        (b"UNA++.?*'UNB+IATA:1'", Code.RECORD_MALFORMED),
        (b"UNAA+.?*'UNB+IATA:1'", Code.RECORD_MALFORMED),
        (b"UNA:+", Code.MESSAGE_TRUNCATED),
        (IATA.write([*with_text("A"), ("IFT", "4")]), Code.RECORD_MALFORMED),
        (IATA.write([with_text("A")[0], ("TIF", "ADAM"), *with_text("A")[1:]]), Code.RECORD_MALFORMED),
        (IATA.write([with_text("A")[0], *with_text("A")]), Code.MESSAGE_TRUNCATED),
        (IATA.write([*with_text("A")[:5], *with_text("A")[1:]]), Code.MESSAGE_TRUNCATED),
        (IATA.write([*with_text("A")[:5], with_text("A")[-1]]), Code.MESSAGE_TRUNCATED),
    ],
)
def test_what_is_broken_is_refused(content: bytes, code: Code) -> None:
    assert refusal(content).code is code


def test_latin_1_is_read_where_unb_declares_it() -> None:
    content = IATA.write(interchange([*HEAD, ("IFT", c("4", "28"), "CAFÉ")], syntax="UNOC"), encoding="iso-8859-1")

    assert segments_of(content)[4][2].endswith("CAFÉ")


@pytest.mark.parametrize("before", [0, 300])
def test_wrong_encoding_names_its_segment(before: int) -> None:
    body: list[Segment] = [("IFT", c("4", "28"), "TEXT")] * before
    content = IATA.write(interchange([*HEAD, *body, ("IFT", c("4", "28"), "AÉC")]), encoding="iso-8859-1")

    assert f"Segment {before + 5} " in refusal(content).message


@given(keep=st.floats(0, 1, exclude_max=True))
def test_every_truncation_is_refused(keep: float) -> None:
    content = IATA.write(with_text("A'B?C"))

    assert refusal(content[: int(len(content) * keep)]).code in {
        Code.MESSAGE_TRUNCATED,
        Code.MESSAGE_UNKNOWN,
        Code.DELIVERY_EMPTY,
    }


@pytest.mark.parametrize("kept", [1, 2, 5, 6])
def test_an_interchange_that_ends_between_two_segments_is_refused(kept: int) -> None:
    assert refusal(IATA.write(with_text("A")[:kept])).code is Code.MESSAGE_TRUNCATED


@pytest.mark.parametrize("sign", ["'", "?", "?'", "A'"])
def test_a_window_may_end_in_a_run_of_released_characters(sign: str) -> None:
    texts = [sign * length for length in range(1, 60)] * 4
    read = segments_of(IATA.write(interchange([*HEAD, *(("IFT", c("4", "28"), text) for text in texts)])))

    assert [row[2].rpartition(ELEMENT)[2] for row in read[4:-2]] == texts


def test_blanks_after_the_end_are_no_truncation() -> None:
    content = IATA.write(with_text("A"))

    assert segments_of(content + b"\r\n \t\n") == segments_of(content)


@given(junk=st.binary(max_size=60), at=st.integers(0, 200))
def test_no_junk_makes_the_reader_fail_otherwise_or_tell_a_value(junk: bytes, at: int) -> None:
    content = IATA.write(with_text("SECRETNAME"))
    told = None
    try:
        segments_of(content[:at] + junk + content[at:])
    except Refused as refused:
        told = refused

    assert told is None or "SECRET" not in str(told)
    assert told is None or (told.__cause__, told.__context__) == (None, None)

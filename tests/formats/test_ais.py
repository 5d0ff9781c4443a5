"""AIS: what ships said, whole messages with good checksums alone; the rest is counted or refused."""

from fractions import Fraction
from functools import reduce
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyais import encode_dict

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.wire import AisFormat
from pipeline.formats.ais import COLUMNS, Ais
from pipeline.formats.batch import Limits
from tests.formats.reading import findings_of, frame_of, outcome, peak_of_refusing, refusal_of

READER = Ais()
SHORT = ("message_type", "mmsi", "latitude", "ship_name")


def checked(inner: str, start: str = "!", end: str = "") -> str:
    return f"{start}{inner}*{reduce(lambda total, one: total ^ ord(one), inner, 0):02X}{end}"


def tagged(tags: str, sentence: str) -> str:
    return checked(tags, "\\", "\\") + sentence


def said(**fields: Any) -> list[str]:
    """The sentences of a message, by pyais' own encoder."""
    return encode_dict({"mmsi": 211000001, "msg_type": fields["type"], **fields})


def bits(sentence: str) -> str:
    """The bits of one sentence's payload, read by hand."""
    payload = sentence.split(",")[5]
    return "".join(f"{(ord(one) - 48 if ord(one) - 48 < 40 else ord(one) - 56):06b}" for one in payload)


def spoken(text: str, start: int = 0) -> str:
    """A sentence with these bits, written by hand."""
    filled = text + "0" * (-len(text) % 6)
    numbers = [int(filled[at : at + 6], 2) for at in range(0, len(filled), 6)]
    payload = "".join(chr(one + 48 if one < 40 else one + 56) for one in numbers)
    return checked(f"AIVDM,1,1,,A,{payload},{len(filled) - len(text)}")


def log(*sentences: str) -> bytes:
    return "".join(f"{one}\r\n" for one in sentences).encode()


def row_of(*sentences: str) -> dict[str, str]:
    """What one message says."""
    frame, findings = frame_of(READER, log(*sentences), COLUMNS)
    assert (frame.height, findings) == (1, ())
    return {name: text for name, text in frame.row(0, named=True).items() if text is not None and name != "_position"}


POSITION = said(type=1, lat=53.5, lon=-9.999999, speed=12.3, course=210.1, heading=180, second=12, status=5)
STATIC = said(type=5, imo=9074729, callsign="DABC", shipname="EVER EXAMPLE", ship_type=70, destination="OSLO", month=5, day=6, hour=7, minute=8, draught=3.1, to_bow=100)  # fmt: skip
FINE = log(*POSITION, *STATIC)


def test_a_position_is_read_in_the_units_of_its_columns() -> None:
    assert row_of(*POSITION) == {
        "message_type": "1",
        "mmsi": "211000001",
        "navigation_status": "5",
        "speed_knots": "12.3",
        "position_accuracy": "0",
        "latitude": "53.500000",
        "longitude": "-9.999998",
        "course_degrees": "210.1",
        "heading_degrees": "180",
        "utc_second": "12",
    }


def test_a_static_report_is_put_together_from_its_sentences() -> None:
    assert len(STATIC) == 2
    assert row_of(*STATIC) == {
        "message_type": "5",
        "mmsi": "211000001",
        "imo": "9074729",
        "call_sign": "DABC",
        "ship_name": "EVER EXAMPLE",
        "ship_type": "70",
        "to_bow_metres": "100",
        "to_stern_metres": "0",
        "to_port_metres": "0",
        "to_starboard_metres": "0",
        "expected_arrival": "05-06T07:08",
        "draught_metres": "3.1",
        "destination": "OSLO",
    }


def test_the_other_types_are_read() -> None:
    assert row_of(*said(type=2))["message_type"] == "2"
    assert row_of(*said(type=3))["message_type"] == "3"
    assert row_of(*said(type=18, lat=1, lon=2))["longitude"] == "2.000000"
    assert row_of(*said(type=19, shipname="CLASS B"))["ship_name"] == "CLASS B"
    assert row_of(*said(type=24, partno=0, shipname="PART A"))["ship_name"] == "PART A"
    assert row_of(*said(type=24, partno=1, callsign="PARTB"))["call_sign"] == "PARTB"
    base = row_of(*said(type=4, year=2026, month=1, day=2, hour=3, minute=4, second=5))
    assert (base["base_station_time"], base.get("utc_second")) == ("2026-01-02T03:04:05Z", None)


def test_a_published_message_says_what_is_published_of_it() -> None:
    # gpsd.gitlab.io/gpsd/AIVDM.html, "AIVDM/AIVDO Sentence Layer": the sentence that its examples start with.
    row = row_of("!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C")
    assert (row["mmsi"], row["navigation_status"], row["speed_knots"]) == ("477553000", "5", "0.0")
    assert (row["latitude"], row["longitude"], row["course_degrees"]) == ("47.582833", "-122.345833", "51.0")
    assert row["heading_degrees"] == "181"


def test_what_the_standard_calls_not_available_is_absent() -> None:
    nothing = said(type=1, lat=91, lon=181, speed=102.3, course=360, heading=511, second=60, status=15)
    assert row_of(*nothing) == {"message_type": "1", "mmsi": "211000001", "position_accuracy": "0"}
    unnamed = row_of(*said(type=5, imo=0, ship_type=0, month=0, day=0, hour=24, minute=60, draught=0))
    assert set(unnamed) == {
        "message_type",
        "mmsi",
        "to_bow_metres",
        "to_stern_metres",
        "to_port_metres",
        "to_starboard_metres",
    }


def test_an_mmsi_keeps_its_zeros() -> None:
    assert row_of(*said(type=4, mmsi=2111))["mmsi"] == "000002111"


def test_the_time_of_receipt_is_that_of_the_tag_block() -> None:
    assert row_of(tagged("s:st1,c:1671533231", POSITION[0]))["received_at"] == "2022-12-20T10:47:11Z"
    assert row_of(tagged("c:1671533231045", POSITION[0]))["received_at"] == "2022-12-20T10:47:11.045Z"
    assert row_of(tagged("g:1-2-7,c:1671533231", STATIC[0]), tagged("g:2-2-7", STATIC[1]))["received_at"]
    assert "received_at" not in row_of(tagged("s:st1", POSITION[0]))


def test_a_position_is_the_line_that_completes_the_message() -> None:
    frame, _ = frame_of(READER, log(STATIC[0], *POSITION, "", STATIC[1]), SHORT)
    assert frame["_position"].to_list() == [2, 4]


@settings(max_examples=100, deadline=None)
@given(st.integers(-(90 * 600_000), 90 * 600_000), st.integers(-(180 * 600_000), 180 * 600_000), st.integers(0, 1022))
def test_a_place_is_the_transmitted_number_to_six_decimals(latitude: int, longitude: int, speed: int) -> None:
    text = bits(said(type=1)[0])
    text = text[:50] + f"{speed:010b}" + text[60:]
    text = text[:61] + f"{longitude & (1 << 28) - 1:028b}{latitude & (1 << 27) - 1:027b}" + text[116:]
    row = row_of(spoken(text))
    for name, sent in (("latitude", latitude), ("longitude", longitude)):
        assert abs(Fraction(row[name]) - Fraction(sent, 600_000)) <= Fraction(1, 2_000_000)
    assert Fraction(row["speed_knots"]) == Fraction(speed, 10)


@pytest.mark.parametrize(
    ("delivery", "rule", "rows"),
    [
        (log(POSITION[0][:-2] + "00", *POSITION), "discarded-checksum", 1),
        (log(tagged("c:1", "")[:-3] + "00\\" + POSITION[0], *POSITION), "discarded-checksum", 1),
        (log(checked("GPGGA,1,2,3", "$"), *POSITION), "discarded-other-sentence", 1),
        (log(*said(type=27), *POSITION), "discarded-message-type", 1),
        (log(checked("AIVDM,1,1,,A,0000000,0"), *POSITION), "discarded-message-type", 1),
        (log(spoken(bits(POSITION[0])[:162]), *POSITION), "discarded-message-length", 1),
        (log(spoken(bits(POSITION[0]) + "0" * 6), *POSITION), "discarded-message-length", 1),
        (log(STATIC[0], *POSITION), "discarded-incomplete-message", 1),
        (log(STATIC[1], *POSITION), "discarded-incomplete-message", 1),
        (log(STATIC[1], STATIC[0], *POSITION), "discarded-incomplete-message", 1),
        (log(STATIC[0], *POSITION * 60, STATIC[1]), "discarded-incomplete-message", 60),
        (log("", *POSITION, ""), "tolerated-blank-line", 1),
    ],
)
def test_what_does_not_add_up_is_discarded_and_counted(delivery: bytes, rule: str, rows: int) -> None:
    frame, findings = frame_of(READER, delivery, SHORT)
    assert frame.height == rows
    assert {one.rule for one in findings} == {rule}


def test_sentences_of_two_messages_are_never_put_together() -> None:
    other = said(type=5, shipname="ANOTHER")
    for lines in ((STATIC[0], other[0], other[1]), (STATIC[0], STATIC[0], STATIC[1])):
        assert findings_of(READER, log(*lines), SHORT) == {"discarded-incomplete-message": 1}
    stations = log(tagged("s:a", STATIC[0]), tagged("s:b", other[0]), tagged("s:a", STATIC[1]), tagged("s:b", other[1]))
    assert frame_of(READER, stations, SHORT)[0]["ship_name"].to_list() == ["EVER EXAMPLE", "ANOTHER"]
    apart = log(tagged("s:a", STATIC[0]), tagged("s:b", other[1]))
    assert findings_of(READER, apart, SHORT) == {"discarded-incomplete-message": 2}


@pytest.mark.parametrize(
    ("delivery", "code", "says"),
    [
        (b"", Code.DELIVERY_EMPTY, "no record"),
        (b"\r\n\n", Code.DELIVERY_EMPTY, "no record"),
        (log(*POSITION, "lat,lon"), Code.RECORD_MALFORMED, "Line 2: it is not an NMEA sentence"),
        (log(POSITION[0][:-3]), Code.RECORD_MALFORMED, "Line 1: it is not an NMEA sentence"),
        (log(POSITION[0] + " "), Code.RECORD_MALFORMED, "Line 1: it is not an NMEA sentence"),
        (log(POSITION[0] + POSITION[0]), Code.RECORD_MALFORMED, "Line 1: it is not an NMEA sentence"),
        (log("\\c:1\\" + POSITION[0]), Code.RECORD_MALFORMED, "Line 1: it is not an NMEA sentence"),
        (log(tagged("c:now", POSITION[0])), Code.RECORD_MALFORMED, "the time in its tag block"),
        (log(checked("AIVDM,1,2,,A,000,0")), Code.RECORD_MALFORMED, "its fields are not those of an AIS sentence"),
        (log(checked("AIVDM,1,1,,A,,0")), Code.RECORD_MALFORMED, "its fields are not"),
        (log(checked("AIVDM,1,1,,A,0X0,0")), Code.RECORD_MALFORMED, "its fields are not"),
        (log(checked("AIVDM,1,1,,A,000,6")), Code.RECORD_MALFORMED, "its fields are not"),
        (log(checked("AIVDM,1,1,,A,000")), Code.RECORD_MALFORMED, "its fields are not"),
        (FINE.replace(b"AIVDO", b"AIV\x00O"), Code.RECORD_MALFORMED, "Line 1"),
        (FINE[:-9] + b"\xe9" + FINE[-9:], Code.ENCODING_INVALID, "not us-ascii at byte"),
        (log("!" + "0" * 1024), Code.LIMIT_EXCEEDED, "Line 1 is over 1024 characters"),
    ],
)
def test_what_is_no_log_of_sentences_is_refused_with_its_line(delivery: bytes, code: Code, says: str) -> None:
    refused = refusal_of(READER, delivery, SHORT)
    assert refused.code is code
    assert says in refused.message


def test_no_refusal_shows_a_value() -> None:
    for bad in ("Sesame", checked("AIVDM,1,1,,A,Sesame Sesame,0"), tagged("c:Sesame", POSITION[0])):
        assert "Sesame" not in repr(refusal_of(READER, log(bad), SHORT).args)


def test_a_log_cut_anywhere_is_refused_or_says_what_is_missing() -> None:
    for size in range(len(FINE)):
        result = outcome(READER, FINE[:size], SHORT)
        if not isinstance(result, str):
            rows, findings = result
            sentences = sum(2 if row[1] == "5" else 1 for row in rows)
            assert sentences + sum(one.count for one in findings) == FINE[:size].count(b"!")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FINE) - 1), st.integers(0, 255))
def test_a_byte_changed_anywhere_is_refused_or_counted_and_alters_no_row(at: int, byte: int) -> None:
    whole = frame_of(READER, FINE, SHORT)[0].rows()
    result = outcome(READER, FINE[:at] + bytes([byte]) + FINE[at + 1 :], SHORT)
    if not isinstance(result, str):
        rows, findings = result
        assert {row[1:] for row in rows} <= {row[1:] for row in whole}
        assert len(rows) == len(whole) or findings


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*POSITION, *STATIC, "", "x", checked("GPGGA", "$")]), max_size=12), st.integers(1, 90))
def test_the_outcome_does_not_depend_on_the_blocks(lines: list[str], block: int) -> None:
    assert outcome(READER, log(*lines), SHORT, block=block) == outcome(READER, log(*lines), SHORT)


def test_a_line_that_never_ends_is_refused_in_bounded_memory() -> None:
    refused, peak = peak_of_refusing(READER, chain([FINE], repeat(b"!" * 65_536, 1600)), SHORT, Limits())
    assert refused.code is Code.LIMIT_EXCEEDED
    assert peak < 10_000_000


def test_messages_that_are_never_whole_are_forgotten() -> None:
    starts = (log(tagged(f"s:{number}", STATIC[0])) for number in range(20_000))
    frame, findings = frame_of(READER, chain(starts, [FINE]), SHORT)
    assert frame.height == 2
    assert [(one.rule, one.count) for one in findings] == [("discarded-incomplete-message", 20_000)]


def test_rows_over_the_limit_are_refused_and_rows_at_the_limit_are_not() -> None:
    assert frame_of(READER, FINE, SHORT, limits=Limits(max_rows=2))[0].height == 2
    assert "Line 3 is over" in refusal_of(READER, FINE, SHORT, limits=Limits(max_rows=1)).message


def test_a_column_that_ais_does_not_have_is_misconfigured() -> None:
    with pytest.raises(Misconfigured) as caught:
        list(READER.read([FINE], ("mmsi", "captain"), Limits()))
    assert caught.value.code is Code.COLUMN_UNKNOWN


def test_the_format_declares_nothing() -> None:
    assert AisFormat.model_validate({"kind": "ais"})

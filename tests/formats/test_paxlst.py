"""Each traveller's row holds what the list says of that traveller and of the flight, and nothing beyond the elements."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.paxlst import COLUMNS, Paxlst
from pipeline.formats.paxlst_flight import FLIGHT
from tests.formats.edifact_writer import Segment, c
from tests.formats.paxlst_writer import US, interchange, lists, one_list

GOLDEN = Path(__file__).parents[1] / "golden" / "apis"
SMALL = Limits(max_cell_bytes=512, batch_bytes=65_536)
MRZ = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
"""ICAO Doc 9303 part 4, appendix B: the specimen's second line."""
MRZ_FIRST = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
ANNA: list[Segment] = [
    ("NAD", "FL", "", "", c("ADAM", "ANNA")),
    ("ATT", "2", "", "F"),
    ("DTM", c("329", "670312")),
    ("LOC", "178", "FRA"),
    ("NAT", "2", "DEU"),
    ("RFF", c("AVF", "ABC234")),
    ("DOC", c("P", "110", "111"), "C01X00T47"),
    ("DTM", c("36", "300104")),
    ("LOC", "91", "DEU"),
]
BODO: list[Segment] = [("NAD", "FM", "", "", c("BECK", "BODO")), ("ATT", "2", "", "M")]


def written(*travellers: list[Segment], kind: str = "745", after: list[Segment] | None = None) -> bytes:
    return US.write(interchange(one_list(*travellers, kind=kind, after=after or [])))


def batches(content: bytes, limits: Limits = Limits(), *, cut: int = 0) -> list[Batch]:  # noqa: B008  it is frozen
    blocks = [content[at : at + cut] for at in range(0, len(content), cut)] if cut else [content]
    return list(Paxlst().read(blocks, COLUMNS, limits))


def frame_of(content: bytes, limits: Limits = Limits(), *, cut: int = 0) -> pl.DataFrame:  # noqa: B008
    return pl.concat(batch.frame for batch in batches(content, limits, cut=cut))


def read(content: bytes) -> tuple[list[dict[str, str | int]], dict[str, tuple[int, ...]]]:
    """The rows, and where each finding was."""
    every = batches(content)
    dicts = [row for batch in every for row in batch.frame.to_dicts()]
    told = {finding.rule: finding.positions for batch in every for finding in batch.tolerated}
    return [{name: cell for name, cell in row.items() if cell is not None} for row in dicts], told


def rows(content: bytes) -> list[dict[str, str | int]]:
    return read(content)[0]


def found(content: bytes) -> dict[str, tuple[int, ...]]:
    return read(content)[1]


def refusal(content: bytes, limits: Limits = Limits()) -> Refused:  # noqa: B008
    with pytest.raises(Refused) as caught:
        batches(content, limits)
    return caught.value


def test_an_interchange_that_fills_every_column_gives_the_reviewed_rows() -> None:
    expected = json.loads((GOLDEN / "every-column.json").read_text())
    got, said = read((GOLDEN / "every-column.edi").read_bytes())

    assert got == expected["rows"]
    assert {rule: list(at) for rule, at in said.items()} == expected["findings"]
    assert set().union(*got) == {"_position", *COLUMNS}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), us=st.booleans())
def test_what_was_written_in_either_way_is_what_is_read(seed: int, us: bool) -> None:
    made = lists(seed, us=us)

    assert read(made.content) == (made.rows, {})


@settings(max_examples=3, deadline=None)
@given(cut=st.integers(1, 3000), window=st.sampled_from([70_000, 200_000]))
def test_rows_do_not_depend_on_how_blocks_and_windows_fall(cut: int, window: int) -> None:
    made = lists(7, us=True, messages=4, travellers=40)
    limits = Limits(max_cell_bytes=256, batch_bytes=window)

    assert frame_of(made.content, limits, cut=cut).equals(frame_of(made.content))
    assert len(batches(made.content, limits)) > 1
    assert {finding for batch in batches(made.content, limits, cut=cut) for finding in batch.tolerated} == set()


def test_a_frame_has_the_position_and_the_asked_columns_as_text() -> None:
    frame = next(iter(Paxlst().read([written(ANNA)], ("surname", "seat"), SMALL))).frame

    assert frame.schema == {"_position": pl.UInt64, "surname": pl.String, "seat": pl.String}


def test_a_column_the_reader_does_not_know_is_our_mistake() -> None:
    with pytest.raises(Misconfigured) as caught:
        list(Paxlst().read([b""], ("surname", "shoe_size"), SMALL))

    assert caught.value.code is Code.COLUMN_UNKNOWN


@pytest.mark.parametrize("version", ["02B", "03A", "05B", "10A", "12B", "15B", "16B"])
def test_directories_from_02b_to_16b_are_read(version: str) -> None:
    assert len(rows(US.write(interchange(one_list(ANNA), version=version)))) == 1


@pytest.mark.parametrize(
    "kind",
    ["PAXLST:D:02A", "PAXLST:D:98B", "PAXLST:D:17A", "PAXLST:S:05B", "PAXLST:", "CUSRES:D:05B", "PNRGOV:13:1"],
)
def test_another_message_is_refused(kind: str) -> None:
    assert refusal(written(ANNA).replace(b"PAXLST:D:02B", kind.encode())).code is Code.MESSAGE_UNKNOWN


def test_an_interchange_without_a_message_is_refused() -> None:
    assert refusal(US.write(interchange())).code is Code.MESSAGE_UNKNOWN


def test_crew_is_marked_and_each_traveller_stands_at_its_nad() -> None:
    one, two = rows(written(ANNA, BODO))

    assert (one["_position"], one["traveller_kind"], two["_position"], two["traveller_kind"]) == (9, "FL", 18, "FM")


def test_a_flight_close_out_names_nobody_and_gives_a_batch_without_rows() -> None:
    (batch,) = batches(US.write(interchange([("BGM", "266", "CLNB"), ("TDT", "20", "XX400")])))

    assert batch.frame.height == 0
    assert batch.frame.columns == ["_position", *COLUMNS]


def test_a_close_out_that_names_travellers_has_their_rows() -> None:
    (row,) = rows(written(ANNA[:1], kind="266"))

    assert (row["list_kind"], row["surname"]) == ("266", "ADAM")


def test_each_message_has_its_own_flight() -> None:
    other = one_list(BODO, BODO)
    other[1:3] = [("TDT", "20", "QFA7", "", "", "QFA"), ("LOC", "125", "SYD")]
    each = rows(US.write(interchange(one_list(ANNA), other)))

    assert [(row["flight_carrier"], row["flight_number"], row["departure_airport"]) for row in each] == [
        ("XX", "400", "FRA"),
        ("QFA", "7", "SYD"),
        ("QFA", "7", "SYD"),
    ]


@pytest.mark.parametrize(
    ("transport", "carrier", "number"),
    [
        (("TDT", "20", "UA0138"), "UA", "0138"),
        (("TDT", "20", "UA 138"), "UA", "138"),
        (("TDT", "20", "9W7"), "9W", "7"),
        (("TDT", "20", "BAW12A"), "BAW", "12A"),
        (("TDT", "20", "U21234"), "U2", "1234"),
        (("TDT", "20", "138", "", "", c("UA", "172", "3")), "UA", "138"),
        (("TDT", "20", "UA138", "", "", "UA"), "UA", "138"),
        (("TDT", "20", "QF12", "", "", "BA"), "BA", "12"),
        (("TDT", "20", "CHARTER"), None, "CHARTER"),
        (("TDT", "20"), None, None),
    ],
)
def test_a_flight_number_is_apart_from_its_carrier(transport: Segment, carrier: str | None, number: str | None) -> None:
    body = one_list(ANNA)
    body[1] = transport
    (row,) = rows(US.write(interchange(body)))

    assert (row.get("flight_carrier"), row.get("flight_number")) == (carrier, number)


def test_times_of_other_places_on_the_route_are_not_the_flights() -> None:
    body = one_list(ANNA)
    body[2:2] = [("LOC", "92", "MUC"), ("DTM", c("189", "2703010515", "201"))]
    body[8:8] = [("LOC", "130", "ORD"), ("DTM", c("232", "2703012330", "201"))]
    (row,) = rows(US.write(interchange(body)))

    assert (row["departs_at"], row["arrives_at"]) == ("2027-03-01T10:15", "2027-03-01T13:30")
    assert row["route"] == "20 XX400\n92 MUC\n125 FRA\n87 JFK\n130 ORD"


def test_of_several_flights_the_first_is_the_lists_and_the_route_tells_all() -> None:
    body = one_list(ANNA)
    body[6:6] = [("TDT", "20", "XX401"), ("LOC", "125", "JFK"), ("LOC", "87", "ORD")]
    (row,) = rows(US.write(interchange(body)))

    assert (row["flight_number"], row["departure_airport"], row["arrival_airport"]) == ("400", "FRA", "JFK")
    assert row["route"] == "20 XX400\n125 FRA\n87 JFK\n20 XX401\n125 JFK\n87 ORD"


@pytest.mark.parametrize(
    ("digits", "read"),
    [
        (("670312",), "1967-03-12"),
        (("270301",), "2027-03-01"),
        (("270302",), "1927-03-02"),
        (("670312", "101"), "1967-03-12"),
        (("120367", "2"), "1967-03-12"),
        (("19670312", "102"), "1967-03-12"),
        (("20280101", "102"), "2028-01-01"),
        (("19670312",), "1967-03-12"),
        (("19671203",), "1967-12-03"),
        (("12031967",), "12031967"),
        (("670231",), "1967-02-31"),
        (("12MAR67",), "12MAR67"),
        (("670312", "999"), "670312"),
        (("19670312", "101"), "19670312"),
    ],
)
def test_a_birth_date_is_in_the_hundred_years_before_departure_or_stays_as_written(
    digits: tuple[str, ...], read: str
) -> None:
    (row,) = rows(written([ANNA[0], ("DTM", c("329", *digits))]))

    assert row["birth_date"] == read


def test_a_birth_date_stays_as_written_where_the_departure_is_unreadable() -> None:
    content = written(ANNA).replace(b"2703011015:201", b"MORNING")

    assert rows(content)[0]["birth_date"] == "670312"
    assert rows(written([ANNA[0], ("DTM", c("329", "19670312", "102"))]))[0]["birth_date"] == "1967-03-12"


@pytest.mark.parametrize(
    ("when", "read"),
    [
        (("2703011015", "201"), "2027-03-01T10:15"),
        (("202703011015", "203"), "2027-03-01T10:15"),
        (("20270301", "102"), "2027-03-01"),
        (("270301", "101"), "2027-03-01"),
        (("2703011015",), "2703011015"),
        (("2703019999", "201"), "2027-03-01T99:99"),
        (("20270301:1015", "203"), "20270301:1015"),
    ],
)
def test_a_departure_without_its_format_code_stays_as_written(when: tuple[str, ...], read: str) -> None:
    body = one_list(BODO)
    body[3] = ("DTM", c("189", *when))
    (row,) = rows(US.write(interchange(body)))

    assert row["departs_at"] == read


@pytest.mark.parametrize(
    ("name", "surname", "given_names"),
    [
        (("", "", c("ADAM", "ANNA")), "ADAM", "ANNA"),
        (("", "", c("ADAM", "ANNA", "MARIA")), "ADAM", "ANNA MARIA"),
        (("", c("ADAM", "ANNA")), "ADAM", "ANNA"),
        (("", "", c("ADAM", "ANNA", "MARIA", "", "", "1")), "ADAM", "ANNA MARIA"),
        ((c("1234", "8"), "", c("ADAM", "ANNA")), "ADAM", "ANNA"),
        (("", "", "ADAM"), "ADAM", None),
        (("", "", "ADAM/ANNA"), "ADAM/ANNA", None),
        ((), None, None),
    ],
)
def test_a_name_is_read_from_either_composite(
    name: tuple[str, ...], surname: str | None, given_names: str | None
) -> None:
    (row,) = rows(written([("NAD", "FL", *name)]))

    assert (row.get("surname"), row.get("given_names")) == (surname, given_names)


def doc(kind: str, number: str = "", *more: Segment) -> list[Segment]:
    return [("DOC", kind, number), *more]


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([doc("I", "I1"), doc("P", "P1")], {"document_type": "P", "document_number": "P1", "other_documents": "I I1"}),
        ([doc("I", "I1"), doc("C", "C1")], {"document_type": "I", "document_number": "I1", "other_documents": "C C1"}),
        ([doc("P"), doc("I", "I1")], {"document_type": "I", "document_number": "I1", "other_documents": "P"}),
        ([doc("", "N1")], {"document_number": "N1"}),
        ([doc("A", "A1")], {"document_type": "A", "document_number": "A1", "alien_number": "A1"}),
        (
            [doc("V", "V1"), doc("A", "A1"), doc("P", "P1")],
            {"document_type": "P", "document_number": "P1", "alien_number": "A1", "visa_number": "V1"},
        ),
        ([doc("V", "V1"), doc("V", "V2")], {"visa_number": "V1", "other_documents": "V V2"}),
        ([doc("", "")], {}),
        (
            [doc("V", "V1", ("LOC", "91", "USA"), ("DTM", c("36", "300104"))), doc("P", "P1", ("LOC", "91", "DEU"))],
            {"document_type": "P", "document_number": "P1", "document_issuer": "DEU"}
            | {"visa_number": "V1", "visa_issuer": "USA", "visa_expiry": "2030-01-04"},
        ),
    ],
)
def test_each_kind_of_document_has_its_place(documents: list[list[Segment]], expected: dict[str, str]) -> None:
    (row,) = rows(written(BODO, [segment for document in documents for segment in document]))

    assert {
        name: cell for name, cell in row.items() if name.split("_")[0] in ("document", "visa", "alien", "other")
    } == expected


@pytest.mark.parametrize(
    "segment", [("FTX", "AAI", "", "", MRZ), ("FTX", "AAI", "", "", c(MRZ_FIRST, MRZ)), ("DOC", "P", c(MRZ, "", "X"))]
)
def test_a_passports_second_line_is_read_where_a_carrier_sends_it(segment: Segment) -> None:
    (row,) = rows(written(BODO, [segment]))

    assert row["mrz_line"] == MRZ


def test_other_free_text_goes_nowhere_and_is_counted() -> None:
    content = written([*ANNA, ("FTX", "AAI", "", "", "LOREM IPSUM"), ("FTX", "AAI", "", "", MRZ_FIRST)])

    assert "LOREM" not in str(rows(content))
    assert "ERIKSSON" not in str(rows(content))
    assert found(content)["discarded-beyond-elements"] == (18, 19)


BEYOND: list[Segment] = [
    ("COM", c("555 0100", "TE")),
    ("EMP", "1", "CPT"),
    ("RFF", c("YZY", "0161234567890")),
    ("LOC", "91", "DEU"),
    ("LOC", "999", "QUUX"),
    ("DTM", c("182", "200101")),
    ("GID", "1"),
    ("TDT", "20", "QQ1"),
    ("QTY", c("1", "2")),
]


@pytest.mark.parametrize("segment", BEYOND, ids=lambda segment: f"{segment[0]} {segment[1][:3]}")
def test_what_no_column_carries_goes_nowhere_and_is_counted(segment: Segment) -> None:
    content = written([ANNA[0], segment, *ANNA[1:], ("RFF", c("SEA", "12A"))])
    plain = written([*ANNA, ("RFF", c("SEA", "12A"))])

    assert rows(content) == rows(plain)
    assert found(content) == {"discarded-beyond-elements": (10,)}


def test_header_segments_that_no_column_carries_are_counted() -> None:
    body = one_list(ANNA)
    body[1:1] = [("RFF", c("TN", "REF1")), ("DTM", c("137", "270301", "101"))]

    assert found(US.write(interchange(body))) == {"discarded-beyond-elements": (4, 5)}


def test_a_party_of_another_kind_is_nobody_and_gets_nobodys_segments() -> None:
    content = written(ANNA, [("NAD", "COP", "", "", "QUUX"), ("ATT", "2", "", "M"), ("NAT", "2", "USA")])

    assert rows(content) == rows(written(ANNA))
    assert found(content) == {"discarded-unknown-party": (18,), "discarded-beyond-elements": (19, 20)}


def test_what_follows_a_segment_that_paxlst_does_not_have_is_put_down_to_nobody() -> None:
    content = written(
        [*ANNA[:5], ("NXD", "FL", "", "", c("BECK", "BODO")), ("ATT", "2", "", "M"), ("RFF", c("SEA", "1A"))]
    )
    (row,) = rows(content)

    assert (row["sex"], "seat" in row) == ("F", False)
    assert found(content) == {"discarded-beyond-elements": (14, 15, 16)}


def test_segments_are_read_wherever_a_carrier_put_them_within_the_traveller() -> None:
    late: list[Segment] = [("RFF", c("SEA", "12A")), ("LOC", "179", "ORD"), ("NAT", "2", "USA")]
    (row,) = rows(written([*ANNA, *late]))

    assert (row["seat"], row["debarkation_port"], row["other_nationalities"]) == ("12A", "ORD", "USA")
    assert row["document_issuer"] == "DEU"


def test_a_cell_that_is_filled_twice_holds_both_and_the_same_twice_is_one() -> None:
    twice: list[Segment] = [("ATT", "2", "", "F"), ("DTM", c("329", "680312")), ("LOC", "91", "FRA")]
    (row,) = rows(written([*ANNA, *twice]))

    assert (row["sex"], row["birth_date"]) == ("F", "1967-03-12\n1968-03-12")
    assert row["document_issuer"] == "DEU\nFRA"


@pytest.mark.parametrize(
    ("counts", "right"),
    [
        ((("42", "1"), ("41", "1")), True),
        ((("42", "2"),), True),
        ((("42", "01"),), True),
        ((("3", "2"),), True),
        ((("58", "9"),), True),
        ((("42", "3"),), False),
        ((("41", "7"),), False),
        ((("42", ""),), False),
        ((("42", "ONE"),), False),
    ],
)
def test_a_wrong_count_of_travellers_is_said(counts: tuple[tuple[str, str], ...], right: bool) -> None:
    content = written(ANNA, BODO, after=[("CNT", c(*count)) for count in counts])

    assert found(content) == ({} if right else {"tolerated-traveller-count": (20,)})


def in_parts(*parts: tuple[str, int, str]) -> bytes:
    """Messages of one list: S010, how many travellers it holds, and what CNT says."""
    whole = interchange(*(one_list(*[BODO] * size, after=[("CNT", c("3", said))]) for _, size, said in parts))
    for part, _, _ in parts:
        at = next(at for at, segment in enumerate(whole) if segment[0] == "UNH" and len(segment) == 3)
        whole[at] = (*whole[at], "XX400/270301", c(*part.split(":")))
    return US.write(whole)


def test_the_parts_of_a_list_are_one_list() -> None:
    assert found(in_parts(("01:C", 2, "3"), ("02:F", 1, "3"))) == {}
    assert found(in_parts(("01:C", 2, "2"), ("02:F", 1, "1"))) == {}
    assert "tolerated-traveller-count" in found(in_parts(("01:C", 2, "9"), ("02:F", 1, "9")))


@pytest.mark.parametrize("parts", [[("02:F", 1, "1")], [("01:C", 1, "1")]])
def test_a_missing_part_is_said(parts: list[tuple[str, int, str]]) -> None:
    assert "tolerated-part-missing" in found(in_parts(*parts))


def test_wrong_counts_of_segments_and_messages_are_said() -> None:
    content = written(ANNA).replace(b"UNT+17", b"UNT+18").replace(b"UNZ+1", b"UNZ+2")

    assert set(found(content)) == {"tolerated-segment-count", "tolerated-message-count"}


@pytest.mark.parametrize("at_most", [1, 2])
def test_more_rows_than_the_feed_allows_are_refused(at_most: int) -> None:
    content = written(ANNA, BODO)

    if at_most == 2:
        assert frame_of(content, Limits(max_rows=at_most)).height == 2
    else:
        assert refusal(content, Limits(max_rows=at_most)).code is Code.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("traveller", "said"),
    [
        ([("NAD", "FL", "", "", "X" * 600)], "cell surname"),
        ([*BODO, *[("FTX", "BAG", "", "", f"XX{number:04}") for number in range(100)]], "cell bag_tags"),
        ([*BODO, *[("FTX", "AAI", "", "", "X" * 500)] * 600], "larger than a batch"),
    ],
)
def test_cells_and_travellers_beyond_the_limits_are_refused(traveller: list[Segment], said: str) -> None:
    refused = refusal(written(traveller), SMALL)

    assert refused.code is Code.LIMIT_EXCEEDED
    assert said in refused.message


def test_a_long_list_of_empty_travellers_is_read_in_bounded_batches() -> None:
    body = one_list(*[[("NAD", "FL")]] * 2000)
    body[0] = ("BGM", "745", "S" * 500)
    read = batches(US.write(interchange(body)), SMALL)

    assert sum(batch.frame.height for batch in read) == 2000
    assert max(batch.frame.estimated_size() for batch in read) < 20 * SMALL.batch_bytes


WHOLE = lists(3, us=True, messages=2, travellers=2)
CELLS = {str(cell) for row in WHOLE.rows for name, cell in row.items() if name in ("surname", "given_names")}


@settings(max_examples=25, deadline=None)
@given(keep=st.integers(0, len(WHOLE.content) - 2))
def test_every_truncation_is_refused_without_a_value(keep: int) -> None:
    refused = refusal(WHOLE.content[:keep])

    assert refused.code in {Code.MESSAGE_TRUNCATED, Code.MESSAGE_UNKNOWN, Code.DELIVERY_EMPTY, Code.ENCODING_INVALID}
    assert not any(cell in str(refused) for cell in CELLS)
    assert (refused.__cause__, refused.__context__) == (None, None)


def harm(at: int, sign: int) -> str | None:
    """What a byte that was changed on the way does without anybody being told; None where it does nothing of the kind."""
    content = bytearray(WHOLE.content)
    content[at] = sign
    try:
        new, said = read(bytes(content))
    except Refused as refused:
        return next((cell for cell in CELLS if cell in str(refused)), None)
    if said or new == WHOLE.rows:
        return None
    differing = [(old, now) for old, now in zip(WHOLE.rows, new, strict=True) if old != now]
    changed = {name for old, now in differing for name in {*old, *now} if old.get(name) != now.get(name)}
    # A flight's cells are in every row of its list, and its departure decides about centuries.
    return None if len(differing) == 1 or changed <= {*FLIGHT, "birth_date"} else f"{sorted(changed)}"


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, len(WHOLE.content) - 1), sign=st.sampled_from(b"'+:? \nA0X<\x00\xff"))
def test_a_changed_byte_is_refused_or_found_or_stays_within_its_traveller(at: int, sign: int) -> None:
    assert harm(at, sign) is None


def test_no_cell_is_empty_text_or_has_a_separator_in_it() -> None:
    frame = frame_of(lists(11, us=False, messages=3, travellers=40).content)

    assert frame.select((pl.col(COLUMNS) == "").sum()).sum_horizontal().item() == 0
    assert not frame.select(pl.col(COLUMNS).str.contains(r"[\x00-\x09\x0b-\x1f]").any()).row(0).count(True)


def test_positions_ascend_over_the_delivery() -> None:
    positions = frame_of(lists(5, us=True, messages=5, travellers=30).content, SMALL)["_position"]

    assert positions.is_sorted()
    assert positions.is_unique().all()

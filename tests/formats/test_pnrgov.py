"""Each traveller's row holds what the push says of that traveller and of the PNR, and nothing beyond the Annex."""

import io
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.pnrgov import COLUMNS, PnrGov
from samples.pnr_push import VARIANTS, good, write
from tests.formats.edifact_writer import IATA, Segment, c, interchange

GOLDEN = Path(__file__).parents[1] / "golden" / "pnr"
SMALL = Limits(max_cell_bytes=1024, batch_bytes=65_536)
LEVEL0: list[Segment] = [
    ("MSG", c("", "22")),
    ("ORG", "LH"),
    ("TVL", c("010327", "1015", "010327", "1330"), "FRA", "JFK", "LH", "400"),
    ("EQN", "1"),
]
PNR: list[Segment] = [("SRC",), ("RCI", c("LH", "ABC234", "", "200127", "0439"))]
FLIGHT: Segment = ("TVL", c("010327", "1015", "010327", "1330"), "FRA", "JFK", "LH", c("400", "Y"))


def tif(surname: str = "ADAM", given_names: str = "ANNA", ref: str = "1", kind: str = "A") -> Segment:
    return ("TIF", surname, c(given_names, kind, ref))


def ssr(code: str, text: str = "", *refs: str, seat: str = "") -> Segment:
    return ("SSR", c(code, "HK", "1", "LH", "", "", "", "", text), *(c(seat, "", ref) for ref in refs))


def push(*body: Segment) -> bytes:
    return IATA.write(interchange([*LEVEL0, *body]))


def batches(content: bytes, limits: Limits = Limits(), *, cut: int = 0) -> list[Batch]:  # noqa: B008  it is frozen
    blocks = [content[at : at + cut] for at in range(0, len(content), cut)] if cut else [content]
    return list(PnrGov().read(blocks, COLUMNS, limits))


def frame_of(content: bytes, limits: Limits = Limits(), *, cut: int = 0) -> pl.DataFrame:  # noqa: B008
    return pl.concat(batch.frame for batch in batches(content, limits, cut=cut))


def rows(content: bytes) -> list[dict[str, str]]:
    return [{name: cell for name, cell in row.items() if cell is not None} for row in frame_of(content).to_dicts()]


def found(content: bytes) -> dict[str, tuple[int, ...]]:
    return {finding.rule: finding.positions for batch in batches(content) for finding in batch.tolerated}


def refusal(content: bytes, limits: Limits = Limits()) -> Refused:  # noqa: B008
    with pytest.raises(Refused) as caught:
        batches(content, limits)
    return caught.value


def test_an_interchange_with_all_nineteen_data_types_gives_the_reviewed_rows() -> None:
    content = (GOLDEN / "all-nineteen-types.edi").read_bytes()
    expected = json.loads((GOLDEN / "all-nineteen-types.json").read_text())

    assert rows(content) == expected["rows"]
    assert {rule: list(at) for rule, at in found(content).items()} == expected["findings"]


def test_the_golden_interchange_fills_every_column() -> None:
    expected = json.loads((GOLDEN / "all-nineteen-types.json").read_text())

    assert set().union(*expected["rows"]) == {"_position", *COLUMNS}


def test_a_frame_has_the_position_and_the_asked_columns_as_text() -> None:
    frame = next(iter(PnrGov().read([push(*PNR, tif())], ("surname", "record_locator"), SMALL))).frame

    assert frame.schema == {"_position": pl.UInt64, "surname": pl.String, "record_locator": pl.String}


def test_a_column_the_reader_does_not_know_is_our_mistake() -> None:
    with pytest.raises(Misconfigured) as caught:
        list(PnrGov().read([b""], ("surname", "shoe_size"), SMALL))

    assert caught.value.code is Code.COLUMN_UNKNOWN


@pytest.mark.parametrize("version", ["10:1", "11:1", "13:1", "17:1", "21:1"])
def test_versions_from_10_to_21_are_read(version: str) -> None:
    content = push(*PNR, tif()).replace(b"PNRGOV:13:1", f"PNRGOV:{version}".encode())

    assert len(rows(content)) == 1


@pytest.mark.parametrize("kind", ["PNRGOV:9:1", "PNRGOV:22:1", "PNRGOV:13:2", "PNRGOV:", "PAXLST:D:02B", "ACKRES:13:1"])
def test_another_message_is_refused(kind: str) -> None:
    content = push(*PNR, tif()).replace(b"PNRGOV:13:1", kind.encode())

    assert refusal(content).code is Code.MESSAGE_UNKNOWN


def test_an_interchange_without_a_message_is_refused() -> None:
    assert refusal(IATA.write(interchange())).code is Code.MESSAGE_UNKNOWN


def test_a_flight_without_pnrs_gives_no_rows_but_a_batch() -> None:
    read = batches(push())

    assert {batch.frame.height for batch in read} == {0}
    assert read[0].frame.columns == ["_position", *COLUMNS]


def test_a_pnr_without_travellers_is_one_row_without_names_at_its_src() -> None:
    (row,) = rows(push(*PNR, FLIGHT))

    assert row["record_locator"] == "ABC234"
    assert frame_of(push(*PNR, FLIGHT))["_position"].to_list() == [7]
    assert not {"surname", "given_names", "traveller_ref"} & set(row)


def test_a_request_goes_to_the_travellers_it_names() -> None:
    one, two, three = rows(
        push(*PNR, tif(), tif("BECK", "BODO", "2"), tif("CARL", "CLEO", "3"), FLIGHT, ssr("WCHR", "", "2", "003"))
    )

    assert "service_requests" not in one
    assert two["service_requests"] == three["service_requests"] == "WCHR HK 1 LH"


def test_a_request_that_names_nobody_is_its_groups() -> None:
    one, two = rows(push(*PNR, ssr("AVML"), tif(), ssr("BLND"), tif("BECK", "BODO", "2")))

    assert one["service_requests"] == "AVML HK 1 LH\nBLND HK 1 LH"
    assert two["service_requests"] == "AVML HK 1 LH"


def test_a_request_for_a_traveller_nobody_knows_reaches_nobody_and_is_counted() -> None:
    content = push(*PNR, tif(), tif("BECK", "BODO", "2"), FLIGHT, ssr("MEDA", "", "7"))

    assert all("service_requests" not in row for row in rows(content))
    assert found(content)["discarded-unknown-traveller"] == (12,)


def test_within_a_travellers_group_an_unknown_reference_is_tolerated() -> None:
    content = push(*PNR, tif(), ssr("DOCO", "/X/V/1", "002"), tif("BECK", "BODO", "3"))

    assert rows(content)[0]["apis_other"] == "DOCO X/V/1"
    assert found(content)["tolerated-unknown-traveller"] == (10,)


DOCS = "/P/DEU/C01X00T47/DEU/12DEC67/F/04JAN30/ADAM/ANNA"


def test_a_document_that_names_nobody_in_a_party_of_two_is_nobodys_own() -> None:
    one, two = rows(push(*PNR, ssr("DOCS", DOCS), tif(), tif("BECK", "BODO", "2")))

    assert "document_number" not in {*one, *two}
    assert one["apis_other"] == two["apis_other"] == "DOCS" + DOCS.replace("/", " ", 1)


def test_a_document_that_names_nobody_is_the_lone_travellers() -> None:
    (row,) = rows(push(*PNR, ssr("DOCS", DOCS), tif()))

    assert (row["document_number"], row["birth_date"], row["sex"]) == ("C01X00T47", "1967-12-12", "F")


def test_an_infants_document_is_not_its_parents() -> None:
    infant = DOCS.replace("/F/", "/FI/").replace("C01", "C09")
    (row,) = rows(push(*PNR, tif(), ssr("DOCS", infant, "1"), ssr("DOCS", DOCS, "1")))

    assert row["document_number"] == "C01X00T47"
    assert "C09X00T47" in row["apis_other"]


def test_of_two_documents_the_one_with_a_number_is_the_travellers_and_the_same_twice_is_one() -> None:
    bare = "////DEU/12DEC67/F//ADAM/ANNA"
    (row,) = rows(push(*PNR, tif(), ssr("DOCS", bare), ssr("DOCS", DOCS), FLIGHT, ssr("DOCS", DOCS, "1")))

    assert row["document_number"] == "C01X00T47"
    assert row["apis_other"] == "DOCS DEU/12DEC67/F//ADAM/ANNA"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12DEC67", "1967-12-12"),
        ("28FEB27", "2027-02-28"),
        ("01MAR27", "2027-03-01"),
        ("02MAR27", "1927-03-02"),
        ("12dec67", "1967-12-12"),
        ("12DEC1967", "1967-12-12"),
        ("31FEB80", "1980-02-31"),
        ("12XXX67", "12XXX67"),
        ("121267", "121267"),
        ("1MAY67", "1MAY67"),
    ],
)
def test_a_birth_date_is_in_the_hundred_years_before_departure_or_stays_as_written(written: str, read: str) -> None:
    (row,) = rows(push(*PNR, tif(), ssr("DOCS", DOCS.replace("12DEC67", written))))

    assert row["birth_date"] == read


def test_a_birth_date_stays_as_written_where_the_departure_is_unreadable() -> None:
    content = push(*PNR, tif(), ssr("DOCS", DOCS)).replace(b"010327:1015", b"0103:4321", 1)

    (row,) = rows(content)
    assert (row["departs_at"], row["birth_date"]) == ("0103:4321", "12DEC67")


@pytest.mark.parametrize(
    ("when", "arrives", "dayless"),
    [
        ("010327:1015:020327:0710", "2027-03-02T07:10", False),
        ("010327:1015:020327", "2027-03-02", False),
        ("010327:1015", None, False),
        ("010327:1015::0710", None, True),
        ("010327:1015:0710", None, True),
        ("010327:1015:020327:43", "020327:43", False),
    ],
)
def test_an_arrival_is_never_given_a_day_it_was_not_given(when: str, arrives: str | None, dayless: bool) -> None:
    content = push(*PNR, tif()).replace(b"010327:1015:010327:1330", when.encode(), 1)

    assert rows(content)[0].get("arrives_at") == arrives
    assert ("tolerated-arrival-without-day" in found(content)) is dayless


def test_a_check_in_belongs_to_the_traveller_its_tif_names_then_its_tri() -> None:
    body = [*PNR, tif(), tif("BECK", "BODO", "2"), FLIGHT]
    by_tif = [("TRI", "", c("40", "", "", "40")), tif("BECK", "BODO", "2"), ("SSD", "15A")]
    by_tri = [("TRI", "", c("41", "", "", "1")), ("SSD", "15B")]
    one, two = rows(push(*body, *by_tif, *by_tri))

    assert (one["seats"], two["seats"]) == ("15B LH 400 FRA-JFK", "15A LH 400 FRA-JFK")


def test_a_check_in_of_nobody_known_reaches_nobody_and_is_counted() -> None:
    content = push(*PNR, tif(), FLIGHT, ("TRI", "", c("40", "", "", "9")), ("SSD", "15A"))

    assert "seats" not in rows(content)[0]
    assert found(content)["discarded-unknown-traveller"] == (11,)


def test_what_is_beyond_the_annex_goes_nowhere_and_is_counted() -> None:
    hotel: list[Segment] = [("MSG", "8"), ("TVL", c("010327", "1500"), "NYC", "", "HH"), ("RCI", c("HH", "HOTEL1"))]
    content = push(*PNR, tif(), ("XYZ", "QUUX"), FLIGHT, ("APD", "QUUX"), *hotel, ("SSR", c("OTHS", "", "QUUX")))

    assert "QUUX" not in str(rows(content))
    assert "HOTEL1" not in str(rows(content))
    assert found(content)["discarded-beyond-annex"] == (10, 12, 13, 14, 15, 16)


def test_payment_columns_stay_aligned() -> None:
    fop: Segment = ("FOP", "CA", c("CC", "", "9.50", "VI", "4000001234567899", "0629"), c("MS", "", "1"))
    (row,) = rows(push(*PNR, tif(), fop))

    assert row["payment_forms"].split("\n") == ["CA", "CC VI 0629", "MS"]
    assert row["card_numbers"].split("\n") == ["-", "4000001234567899", "-"]
    assert row["amounts"].split("\n") == ["-", "9.50", "1"]


def test_references_stand_in_where_tif_gives_none() -> None:
    content = push(
        *PNR, ("TIF", "ADAM", "ANNA"), ("REF", c("", "00A1")), ("TIF", "BECK"), ("TIF", "CARL", c("CLEO", "A", "3"))
    )

    assert [row["traveller_ref"] for row in rows(content)] == ["00A1", "#2", "3"]


@pytest.mark.parametrize("group", [("TIF", c("SAMPLECLUB", "G")), ("TIF", "SAMPLECLUB", c("", "G"))])
def test_a_group_is_another_name_and_no_traveller(group: Segment) -> None:
    (row,) = rows(push(*PNR, group, tif()))

    assert (row["surname"], row["other_names"]) == ("ADAM", "SAMPLECLUB")


def test_a_push_without_src_is_refused_and_not_merged() -> None:
    assert refusal(push(("RCI", c("LH", "ABC234")), tif())).code is Code.RECORD_MALFORMED


def test_a_traveller_after_the_flights_is_refused_and_not_lost() -> None:
    assert refusal(push(*PNR, tif(), FLIGHT, tif("BECK", "BODO", "2"))).code is Code.RECORD_MALFORMED


def test_each_message_has_its_own_flight() -> None:
    other: Segment = ("TVL", c("020327", "0900"), "JFK", "FRA", "LH", "401")
    content = IATA.write(
        interchange([*LEVEL0, *PNR, tif()], [LEVEL0[0], LEVEL0[1], other, LEVEL0[3], *PNR, tif(), *PNR, tif()])
    )

    assert [row["flight_number"] for row in rows(content)] == ["400", "401", "401"]


def part(number: str, announced: str, *, pnrs: int = 1) -> list[Segment]:
    return [
        ("UNH", "1", c("PNRGOV", "13", "1", "IA"), "LH400", number),
        *LEVEL0[:3],
        ("EQN", announced),
        *PNR * pnrs,
        ("UNT", "1", "1"),
    ]


def parts(*messages: list[Segment]) -> bytes:
    whole = interchange()
    return IATA.write([whole[0], *(segment for message in messages for segment in message), whole[-1]])


def test_the_parts_of_a_push_are_one_push() -> None:
    content = parts(part(c("01", "C"), "3"), part("02", "3"), part(c("03", "F"), "3"))

    assert len(rows(content)) == 3
    assert not {"tolerated-pnr-count", "tolerated-part-missing"} & set(found(content))


@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_a_missing_part_is_said(lacking: int) -> None:
    whole = [part(c("01", "C"), "3"), part("02", "3"), part(c("03", "F"), "3")]
    del whole[lacking]

    assert {"tolerated-part-missing", "tolerated-pnr-count"} & set(found(parts(*whole)))


def test_wrong_counts_and_missing_headers_are_said() -> None:
    content = IATA.write(interchange([LEVEL0[2], ("EQN", "9"), *PNR, tif()]))

    assert {"tolerated-msg-missing", "tolerated-org-missing", "tolerated-pnr-count"} <= set(found(content))
    assert not {"tolerated-msg-missing", "tolerated-org-missing", "tolerated-pnr-count"} & set(found(push(*PNR)))


def test_free_text_in_odd_places_is_read() -> None:
    text: Segment = ("IFT", c("4", "28", "", "LH"), "ODD PLACE")
    (row,) = rows(push(*PNR, tif(), ("TKT", c("2201", "T")), text, FLIGHT, text))

    assert row["remarks"] == "OSI LH ODD PLACE\nOSI LH ODD PLACE"


def test_a_request_without_a_code_is_a_remark_and_said() -> None:
    content = push(*PNR, tif(), ("SSR", c("", "HK", "1"), ""))

    assert rows(content)[0]["remarks"] == "SSR HK 1"
    assert found(content)["tolerated-request-code"] == (10,)


def test_unstructured_history_is_every_travellers_even_without_a_flight_before_it() -> None:
    one, two = rows(push(*PNR, tif(), tif("BECK", "BODO", "2"), ("LTS", "0/O/NM/ADAM")))

    assert one["history"] == two["history"] == "LTS 0/O/NM/ADAM"


def test_a_line_end_inside_an_item_makes_no_second_item() -> None:
    (row,) = rows(push(*PNR, tif(), ("IFT", c("4", "28"), "ONE\nWCHR TWO")))

    assert row["remarks"] == "OSI ONE WCHR TWO"


@pytest.mark.parametrize("at_most", [1, 2])
def test_more_rows_than_the_feed_allows_are_refused(at_most: int) -> None:
    content = push(*PNR * 2)

    if at_most == 2:
        assert frame_of(content, Limits(max_rows=at_most)).height == 2
    else:
        assert refusal(content, Limits(max_rows=at_most)).code is Code.LIMIT_EXCEEDED


LONG: Segment = ("LTS", "LONG TEXT" * 100)


@pytest.mark.parametrize(
    ("body", "limits", "said"),
    [
        ([tif(), *[("IFT", c("4", "28"), "LONG TEXT" * 20)] * 8], SMALL, "cell remarks"),
        ([tif("N", "A", str(number)) for number in range(300)], SMALL, "more names"),
        ([tif("N", "A", str(number)) for number in range(1000)], Limits(), "more than 999"),
        ([*(tif("N", "A", str(at)) for at in range(99)), *[LONG] * 3], SMALL, "larger than a batch"),
        ([tif(), *[LONG] * 300], SMALL, "larger than a batch"),
        ([tif(), *[("XYZ",)] * 40_000], SMALL, "larger than a batch"),
    ],
)
def test_cells_and_parties_beyond_the_limits_are_refused(body: list[Segment], limits: Limits, said: str) -> None:
    refused = refusal(push(*PNR, *body), limits)

    assert refused.code is Code.LIMIT_EXCEEDED
    assert said in refused.message


def test_the_largest_party_is_read() -> None:
    assert frame_of(push(*PNR, *(tif("N", "A", str(number)) for number in range(999)))).height == 999


def test_a_large_party_with_a_long_history_is_read_in_bounded_batches() -> None:
    party = [*PNR, *(tif("N", "A", str(number)) for number in range(50)), ("LTS", "H" * 900)]
    read = batches(push(*party * 20), SMALL)

    assert sum(batch.frame.height for batch in read) == 1000
    assert max(batch.frame.estimated_size() for batch in read) < 20 * SMALL.batch_bytes


@settings(max_examples=10, deadline=None)
@given(cut=st.integers(1, 5000), window=st.sampled_from([70_000, 200_000]))
def test_rows_do_not_depend_on_how_blocks_and_windows_fall(cut: int, window: int) -> None:
    content = _sample()

    assert frame_of(content, Limits(max_cell_bytes=1000, batch_bytes=window), cut=cut).equals(frame_of(content))


@settings(max_examples=25, deadline=None)
@given(keep=st.integers(0, len(good().rstrip()) - 1))
def test_every_truncation_of_a_push_is_refused(keep: int) -> None:
    whole = good().rstrip()

    assert refusal(whole[:keep]).code in {Code.MESSAGE_TRUNCATED, Code.MESSAGE_UNKNOWN, Code.DELIVERY_EMPTY}


def test_positions_ascend_over_the_delivery() -> None:
    positions = frame_of(_sample(), Limits(max_cell_bytes=1000, batch_bytes=70_000))["_position"]

    assert positions.is_sorted()
    assert positions.is_unique().all()


def test_no_cell_is_empty_text_or_has_a_separator_in_it() -> None:
    frame = frame_of(_sample())

    assert frame.select((pl.col(COLUMNS) == "").sum()).sum_horizontal().item() == 0
    assert not frame.select(pl.col(COLUMNS).str.contains(r"[\x00-\x09\x0b-\x1f]").any()).row(0).count(True)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("truncated", Code.MESSAGE_TRUNCATED),
        ("wrong-encoding", Code.ENCODING_INVALID),
        ("not-pnrgov", Code.MESSAGE_UNKNOWN),
        ("empty", Code.DELIVERY_EMPTY),
    ],
)
def test_samples_to_refuse_are_refused_without_a_value(name: str, code: Code) -> None:
    refused = refusal(VARIANTS[name]())
    surnames = set(frame_of(good())["surname"].drop_nulls())

    assert refused.code is code
    assert surnames
    assert not any(surname in str(refused) for surname in surnames)
    assert (refused.__cause__, refused.__context__) == (None, None)


def test_the_sample_is_the_same_for_the_same_seed_and_has_its_rows() -> None:
    assert _sample() == _sample()
    assert frame_of(_sample()).height == 240


def _sample() -> bytes:
    out = io.BytesIO()
    write(out, travellers=240, seed=5, bad_share=0.02)
    return out.getvalue()

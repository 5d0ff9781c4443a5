"""Each goods item's row holds what the manifest says of it, of its bill and of the voyage, and nothing beyond."""

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.cuscar import COLUMNS, Cuscar
from pipeline.formats.cuscar_voyage import VOYAGE
from tests.formats.edifact_writer import Dialect, Segment, c

PLAIN = Dialect(repetition=" ")
SMALL = Limits(max_cell_bytes=512, batch_bytes=65_536)
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ '+:?.-ÅÉÖ"
_PORTS = ("NLRTM", "USNYC", "DEHAM", "KRPUS", "CNSHA")

Rows = list[dict[str, str | int]]

HEADER: list[Segment] = [
    ("BGM", "85", "P34", "9"),
    ("TDT", "20", "0521", "1", "", c("XXXU", "172"), "", "", c("9074729", "146", "", "SAMPLE STAR", "BE")),
    ("LOC", "5", "NLRTM"),
    ("DTM", c("133", "20270301", "102")),
    ("LOC", "60", "USNYC"),
    ("DTM", c("132", "20270315", "102")),
]
BOX: list[Segment] = [("EQD", "CN", "CSQU3054383", "45G1", "", "3", "5"), ("SEL", "S1"), ("SEL", "S2")]
BILL: list[Segment] = [("CNI", "1", "XXXU1"), ("RFF", c("BM", "XXXU123456"))]
ITEM: list[Segment] = [("GID", "1", c("5", "BX")), ("FTX", "AAA", "", "", "SHOES"), ("SGP", "CSQU3054383")]


def interchange(*bodies: list[Segment], version: str = "95B") -> list[Segment]:
    """The manifests, each in UNH and UNT, with right counts."""
    segments: list[Segment] = [("UNB", c("UNOC", "3"), "XX", "CUSTOMS", c("270228", "0754"), "77")]
    for number, body in enumerate(bodies, start=1):
        segments.append(("UNH", str(number), c("CUSCAR", "D", version, "UN")))
        segments += [*body, ("UNT", str(len(body) + 2), str(number))]
    return [*segments, ("UNZ", str(len(bodies)), "77")]


def written(*body: Segment) -> bytes:
    return PLAIN.write(interchange([*HEADER, *body]), encoding="iso-8859-1")


def batches(content: bytes, limits: Limits = Limits(), *, cut: int = 0) -> list[Batch]:  # noqa: B008  it is frozen
    blocks = [content[at : at + cut] for at in range(0, len(content), cut)] if cut else [content]
    return list(Cuscar().read(blocks, COLUMNS, limits))


def frame_of(content: bytes, limits: Limits = Limits(), *, cut: int = 0) -> pl.DataFrame:  # noqa: B008
    return pl.concat(batch.frame for batch in batches(content, limits, cut=cut))


def read(content: bytes) -> tuple[Rows, dict[str, tuple[int, ...]]]:
    """The rows, and where each finding was."""
    every = batches(content)
    dicts = [row for batch in every for row in batch.frame.to_dicts()]
    told = {finding.rule: finding.positions for batch in every for finding in batch.tolerated}
    return [{name: cell for name, cell in row.items() if cell is not None} for row in dicts], told


def rows(content: bytes) -> Rows:
    return read(content)[0]


def found(content: bytes) -> dict[str, tuple[int, ...]]:
    return read(content)[1]


def refusal(content: bytes, limits: Limits = Limits()) -> Refused:  # noqa: B008
    with pytest.raises(Refused) as caught:
        batches(content, limits)
    return caught.value


def manifests(seed: int, *, messages: int = 2, bills: int = 3) -> tuple[bytes, Rows]:
    """An interchange of manifests and its rows, with texts that hold service characters."""
    draw = random.Random(seed)
    segments: list[Segment] = [("UNB", c("UNOC", "3"), "XX", "CUSTOMS", c("270228", "0754"), "77")]
    expected: Rows = []

    def text() -> str:
        return "A" + "".join(draw.choice(_SIGNS) for _ in range(draw.randint(1, 12))) + "Z"

    for number in range(1, messages + 1):
        start = len(segments)
        voyage: dict[str, str] = {
            "manifest_kind": "85",
            "manifest_number": text(),
            "voyage": text(),
            "vessel_name": text(),
        }
        voyage |= {"carrier": "XXXU", "vessel_id": "9074729", "departure_port": draw.choice(_PORTS)}
        segments += [
            ("UNH", str(number), c("CUSCAR", "D", "03B", "UN")),
            ("BGM", "85", voyage["manifest_number"]),
            ("TDT", "20", voyage["voyage"], "", "", "XXXU", "", "", c("9074729", "", "", voyage["vessel_name"])),
            ("LOC", "5", voyage["departure_port"]),
        ]
        boxes = [
            (f"CSQU30543{at}", draw.choice(("22G1", "45G1")), [text()] * draw.randint(0, 1)) for at in range(10, 13)
        ]
        for box, kind, seals in boxes:
            segments.append(("EQD", "CN", box, kind, "", "3", "5"))
            segments += [("SEL", seal) for seal in seals]
        segments.append(("EQD", "CN", "TCLU5546482", "22G1", "", "3", "4"))
        empty: dict[str, str | int] = {
            "_position": len(segments),
            "row_kind": "empty",
            "containers": "TCLU5546482",
            "container_types": "22G1",
        }
        expected.append({**empty, **voyage})
        for bill in range(bills):
            shared = {"bill_number": f"XXXU{bill}", "loading_port": draw.choice(_PORTS), "consignor_name": text()}
            shared |= {"consignor_address": f"{text()} HAMBURG", "consignee_name": text(), "consignee_address": text()}
            street = shared["consignor_address"].removesuffix(" HAMBURG")
            segments += [
                ("CNI", str(bill + 1)),
                ("RFF", c("BM", shared["bill_number"])),
                ("LOC", "9", shared["loading_port"]),
                ("NAD", "CZ", "", "", shared["consignor_name"], street, "HAMBURG"),
                ("NAD", "CN", "", c(shared["consignee_name"], shared["consignee_address"])),
            ]
            items = draw.randint(0, 2)
            if not items:
                expected.append({"_position": len(segments) - 4, "row_kind": "bill", **voyage, **shared})
            for item in range(1, items + 1):
                inside = draw.sample(boxes, draw.randint(1, 3))
                goods = {"item_number": str(item), "packages": "5", "package_type": "BX", "description": text()}
                goods |= {"gross_weight": "500 KGM", "hs_codes": "640399", "marks": text()}
                segments.append(("GID", str(item), c("5", "BX")))
                expected.append({"_position": len(segments), "row_kind": "goods", **voyage, **shared, **goods})
                expected[-1] |= {
                    "containers": "\n".join(box for box, _, _ in inside),
                    "container_types": "\n".join(kind for _, kind, _ in inside),
                    "seals": "\n".join(" ".join(seals) or "-" for _, _, seals in inside),
                }
                segments += [
                    ("FTX", "AAA", "", "", goods["description"]),
                    ("MEA", "AAE", "G", c("KGM", "500")),
                    *(("SGP", box) for box, _, _ in inside),
                    ("PCI", "24", goods["marks"]),
                    ("CST", str(item), c("640399", "HS")),
                ]
        segments += [("CNT", c("10", str(bills))), ("CNT", c("16", "4"))]
        segments.append(("UNT", str(len(segments) - start + 1), str(number)))
    segments.append(("UNZ", str(messages), "77"))
    return PLAIN.write(segments, encoding="iso-8859-1"), expected


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_what_was_written_is_what_is_read(seed: int) -> None:
    content, expected = manifests(seed)
    got, said = read(content)

    assert got == expected
    assert set(said) <= {"tolerated-container-without-goods"}


@settings(max_examples=3, deadline=None)
@given(cut=st.integers(1, 3000), window=st.sampled_from([70_000, 200_000]))
def test_rows_do_not_depend_on_how_blocks_and_windows_fall(cut: int, window: int) -> None:
    content, expected = manifests(7, messages=3, bills=80)
    frame = frame_of(content, Limits(max_cell_bytes=256, batch_bytes=window), cut=cut)

    assert frame.equals(frame_of(content))
    assert frame.height == len(expected)
    assert len(batches(content, Limits(max_cell_bytes=256, batch_bytes=window))) > 1
    assert frame["_position"].is_sorted()


def test_a_column_the_reader_does_not_know_is_our_mistake() -> None:
    with pytest.raises(Misconfigured) as caught:
        list(Cuscar().read([b""], ("bill_number", "shoe_size"), SMALL))

    assert caught.value.code is Code.COLUMN_UNKNOWN


@pytest.mark.parametrize("version", ["95B", "96A", "99B", "00A", "05B", "16B"])
def test_directories_from_95b_to_16b_are_read(version: str) -> None:
    assert len(rows(PLAIN.write(interchange([*HEADER, *BILL], version=version)))) == 1


@pytest.mark.parametrize("kind", ["CUSCAR:D:95A", "CUSCAR:D:17A", "CUSCAR:S:95B", "PAXLST:D:05B", "CUSREP:D:95B"])
def test_another_message_is_refused(kind: str) -> None:
    assert refusal(written(*BILL).replace(b"CUSCAR:D:95B", kind.encode())).code is Code.MESSAGE_UNKNOWN


def test_an_interchange_without_a_message_is_refused() -> None:
    assert refusal(PLAIN.write(interchange())).code is Code.MESSAGE_UNKNOWN


def test_a_manifest_without_consignments_gives_a_batch_without_rows() -> None:
    (batch,) = batches(written())

    assert batch.frame.height == 0
    assert batch.frame.columns == ["_position", *COLUMNS]


def test_voyage_ports_and_times_are_those_of_the_message() -> None:
    (row,) = rows(written(*BOX, *BILL, *ITEM))

    assert {name: row[name] for name in VOYAGE} == {
        "manifest_kind": "85",
        "manifest_number": "P34",
        "manifest_function": "9",
        "carrier": "XXXU",
        "voyage": "0521",
        "vessel_id": "9074729",
        "vessel_name": "SAMPLE STAR",
        "vessel_flag": "BE",
        "departure_port": "NLRTM",
        "arrival_port": "USNYC",
        "departs_at": "2027-03-01",
        "arrives_at": "2027-03-15",
    }


def test_an_item_has_its_containers_with_their_types_and_seals_on_the_same_lines() -> None:
    other: Segment = ("EQD", "CN", "FCIU5956299", "22G1", "", "3", "5")
    body = [*BOX, other, *BILL, *ITEM, ("SGP", "FCIU5956299"), ("SGP", "XXXU0000000"), ("SGP", "FCIU5956299")]
    (row,) = rows(written(*body))

    assert row["containers"] == "CSQU3054383\nFCIU5956299\nXXXU0000000"
    assert row["container_types"] == "45G1\n22G1\n-"
    assert row["seals"] == "S1 S2\n-\n-"


@pytest.mark.parametrize(("status", "kinds"), [("4", ["empty", "goods"]), ("5", ["goods"]), ("", ["goods"])])
def test_a_container_declared_empty_is_a_row_of_its_own(status: str, kinds: list[str]) -> None:
    empty: list[Segment] = [("EQD", "CN", "TCLU5546482", "22G1", "", "3", status), ("SEL", "S9")]
    content = written(*BOX, *empty, *BILL, *ITEM)

    assert [row["row_kind"] for row in rows(content)] == kinds
    assert found(content) == ({} if status == "4" else {"tolerated-container-without-goods": (12,)})


def test_a_container_within_a_consignment_is_no_row_and_is_counted() -> None:
    content = written(*BOX, *BILL, ("EQD", "CN", "TCLU5546482", "22G1", "", "3", "4"), *ITEM)
    told, where = read(content)

    assert [row["row_kind"] for row in told] == ["goods"]
    assert len(where["discarded-beyond-elements"]) == 1


def test_each_manifest_has_its_own_containers() -> None:
    other = [*HEADER, ("EQD", "CN", "CSQU3054383", "22G1"), *BILL, *ITEM]
    content = PLAIN.write(interchange([*HEADER, *BOX, *BILL, *ITEM], other))

    assert [row["container_types"] for row in rows(content)] == ["45G1", "22G1"]


@pytest.mark.parametrize(
    ("bill", "expected"),
    [
        ([("CNI", "1", "X1")], {"bill_number": "X1"}),
        ([("CNI", "1", "X1"), ("RFF", c("BM", "X2"))], {"bill_number": "X2"}),
        ([("CNI", "1"), ("RFF", c("AAM", "X2"))], {"bill_number": "X2"}),
        ([("CNI", "1"), ("RFF", c("BM", "X2")), ("RFF", c("BM", "X3"))], {"bill_number": "X2\nX3"}),
        (
            [("CNI", "1"), ("RFF", c("MB", "M")), ("RFF", c("BH", "H")), ("RFF", c("BM", "B"))],
            {"bill_number": "B", "house_bill": "H", "master_bill": "M"},
        ),
        ([("CNI", "1", c("", "24"))], {}),
    ],
)
def test_each_kind_of_bill_has_its_place(bill: list[Segment], expected: dict[str, str]) -> None:
    (row,) = rows(written(*bill))

    assert {name: cell for name, cell in row.items() if "bill" in name} == expected


@pytest.mark.parametrize(
    ("party", "expected"),
    [
        (("NAD", "CZ", "", "", "ACME", "1 ROAD", "TOWN", "", "99", "DE"), ("ACME", "1 ROAD TOWN 99 DE", None)),
        (("NAD", "OS", "", "", "ACME"), ("ACME", None, None)),
        (("NAD", "CZ", "", c("ACME", "1 ROAD", "TOWN")), ("ACME", "1 ROAD TOWN", None)),
        (("NAD", "CZ", c("DE123", "160")), (None, None, "DE123")),
        (("NAD", "CZ", "", c("LINE", "MORE"), "ACME", "1 ROAD"), ("ACME", "LINE MORE 1 ROAD", None)),
    ],
)
def test_a_party_has_a_name_an_address_and_a_number(party: Segment, expected: tuple[str | None, ...]) -> None:
    (row,) = rows(written(*BILL, party))

    assert (row.get("consignor_name"), row.get("consignor_address"), row.get("consignor_id")) == expected


@pytest.mark.parametrize(
    ("segments", "column", "cell"),
    [
        ([("MEA", "AAE", "G", c("KGM", "500"))], "gross_weight", "500 KGM"),
        ([("MEA", "AAI", "", c("K", "500"))], "gross_weight", "500 K"),
        ([("MEA", "WT", "AAB", c("KGM", "500"))], "gross_weight", "500 KGM"),
        ([("MEA", "AAE", "AAL", c("KGM", "400"))], "gross_weight", None),
        ([("MEA", "AAW", "", c("MTQ", "400"))], "gross_weight", None),
        ([("PAC", "7", "", "CT")], "packages", "5\n7"),
        ([("PAC", "5", "", "BX")], "packages", "5"),
        ([("CST", "1", c("640399", "HS"))], "hs_codes", "640399"),
        ([("PIA", "5", c("640399", "HS"), c("X", "SA"))], "hs_codes", "640399"),
        ([("DGS", "IMD", "3", "1203"), ("DGS", "IMD", "3", c("1205", "X"))], "undg_numbers", "1203\n1205"),
        ([("FTX", "AAA", "", "", c("RED", "BLUE"))], "description", "SHOES\nRED BLUE"),
        ([("FTX", "ZZZ", "", "", "QUUX")], "description", "SHOES"),
    ],
)
def test_each_segment_of_an_item_has_its_place(segments: list[Segment], column: str, cell: str | None) -> None:
    (row,) = rows(written(*BOX, *BILL, *ITEM, *segments))

    assert row.get(column) == cell


BEYOND: list[Segment] = [("MOA", c("44", "1000")), ("RFF", c("ACL", "S1")), ("NAD", "GT", "", "", "QUUX"), ("HAN", "1")]


@pytest.mark.parametrize("segment", BEYOND, ids=lambda segment: segment[0])
def test_what_no_column_carries_goes_nowhere_and_is_counted(segment: Segment) -> None:
    content = written(*BOX, *BILL, segment, *ITEM)

    assert [{**row, "_position": 0} for row in rows(content)] == [
        {**row, "_position": 0} for row in rows(written(*BOX, *BILL, *ITEM))
    ]
    assert found(content) == {"discarded-beyond-elements": (14,)}


def test_what_follows_a_segment_that_cuscar_does_not_have_is_put_down_to_no_consignment() -> None:
    content = written(*BOX, *BILL, *ITEM, ("CNX", "2"), ("NAD", "CN", "", "", "QUUX"), ("GID", "9"), ("CNI", "3"))
    first, last = rows(content)

    assert "consignee_name" not in first
    assert (last["row_kind"], "bill_number" in last) == ("bill", False)
    assert found(content) == {"discarded-beyond-elements": (17, 18, 19)}


@pytest.mark.parametrize(
    ("count", "rules"),
    [
        (("10", "1"), set()),
        (("16", "1"), set()),
        (("11", "999"), set()),
        (("10", "2"), {"tolerated-consignment-count"}),
        (("16", "0"), {"tolerated-container-count"}),
        (("10", "ONE"), {"tolerated-consignment-count"}),
    ],
)
def test_wrong_counts_are_said(count: tuple[str, str], rules: set[str]) -> None:
    assert set(found(written(*BOX, *BILL, *ITEM, ("CNT", c(*count))))) == rules


@pytest.mark.parametrize("at_most", [1, 2])
def test_more_rows_than_the_feed_allows_are_refused(at_most: int) -> None:
    content = written(*BILL, *BILL)

    if at_most == 2:
        assert frame_of(content, Limits(max_rows=at_most)).height == 2
    else:
        assert refusal(content, Limits(max_rows=at_most)).code is Code.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([*BILL, *ITEM, ("FTX", "AAA", "", "", "X" * 600)], "cell description"),
        ([*BILL, *[("RFF", c("BM", f"X{at:09}")) for at in range(90)]], "cell bill_number"),
        ([*BILL, ("NAD", "CN", "", "", "X" * 400), *[("GID", str(at)) for at in range(900)]], "larger than a batch"),
        ([*BILL, *[("FTX", "ZZZ", "", "", "X" * 400)] * 900], "larger than a batch"),
    ],
)
def test_cells_and_consignments_beyond_the_limits_are_refused(body: list[Segment], said: str) -> None:
    refused = refusal(written(*body), SMALL)

    assert refused.code is Code.LIMIT_EXCEEDED
    assert said in refused.message


WHOLE, EXPECTED = manifests(5, messages=1, bills=2)
CELLS = {str(row[name]) for row in EXPECTED for name in ("consignor_name", "consignee_name") if name in row}


@settings(max_examples=20, deadline=None)
@given(keep=st.integers(0, len(WHOLE) - 2))
def test_every_truncation_is_refused_without_a_value(keep: int) -> None:
    refused = refusal(WHOLE[:keep])

    assert refused.code in {Code.MESSAGE_TRUNCATED, Code.MESSAGE_UNKNOWN, Code.DELIVERY_EMPTY, Code.ENCODING_INVALID}
    assert not any(cell in str(refused) for cell in CELLS)


def harm(at: int, sign: int) -> str | None:
    """What a byte that was changed on the way does without anybody being told; None where it does nothing of the kind."""
    content = bytearray(WHOLE)
    content[at] = sign
    try:
        new, said = read(bytes(content))
    except Refused as refused:
        return next((cell for cell in CELLS if cell in str(refused)), None)
    if set(said) - {"tolerated-container-without-goods"} or new == EXPECTED:
        return None
    if len(new) != len(EXPECTED):
        return None if said != found(WHOLE) else "rows"
    differing = [(old, now) for old, now in zip(EXPECTED, new, strict=True) if old != now]
    bills = {old.get("bill_number") for old, _ in differing}
    changed = {name for old, now in differing for name in {*old, *now} if old.get(name) != now.get(name)}
    told = {*VOYAGE, "containers", "container_types", "seals"}  # in every row of the manifest, or of the container
    return None if len(bills) == 1 or changed <= told else f"{sorted(changed)}"


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, len(WHOLE) - 1), sign=st.sampled_from(b"'+:? \nA0X<\x00\xff"))
def test_a_changed_byte_is_refused_or_found_or_stays_within_its_bill(at: int, sign: int) -> None:
    assert harm(at, sign) is None

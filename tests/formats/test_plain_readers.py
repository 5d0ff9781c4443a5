"""The reader by column and the plain one agree: on rows, positions, findings and refusals, whatever a delivery says."""

import io
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Refused
from pipeline.formats.batch import Reader
from pipeline.formats.cuscar import COLUMNS as CUSCAR
from pipeline.formats.cuscar import Cuscar
from pipeline.formats.paxlst import COLUMNS as PAXLST
from pipeline.formats.paxlst import Paxlst
from pipeline.formats.pnrgov import COLUMNS as PNRGOV
from pipeline.formats.pnrgov import PnrGov
from samples import pnr_push, preclear_apis
from tests.formats import paxlst_writer, plain_cuscar, plain_paxlst, plain_pnrgov, test_cuscar
from tests.formats.reading import frame_of

GOLDEN = Path(__file__).parents[1] / "golden" / "pnr" / "all-nineteen-types.edi"
Told = tuple[list[tuple[object, ...]], object] | tuple[str, str]


def by_column(reader: Reader, columns: tuple[str, ...], delivery: bytes, block: int = 1 << 20) -> Told:
    """What the reader makes of a delivery: rows and findings, or the code and the segment of its refusal."""
    try:
        frame, findings = frame_of(reader, delivery, columns, block=block)
    except Refused as refused:
        return told(refused)
    return frame.rows(), set(findings)


def plainly(outcome: Callable[[bytes], Told], delivery: bytes) -> Told:
    try:
        return outcome(delivery)
    except Refused as refused:
        return told(refused)


def told(refused: Refused) -> tuple[str, str]:
    """The code, and the number of the segment that the message names."""
    number = re.search("segment ([0-9]+)", refused.message, re.IGNORECASE)
    return refused.code.value, number[1] if number else ""


@cache
def pushes() -> tuple[bytes, ...]:
    """Pushes that look real: one of the samples, the golden one, and odd ones."""
    written = io.BytesIO()
    pnr_push.write(written, travellers=12, seed=3, bad_share=0.3)
    golden = GOLDEN.read_bytes()
    return written.getvalue(), golden, golden.replace(b"'", b"'\r\n"), golden.rstrip() + b"\n" + golden


@cache
def lists_of_travellers() -> tuple[bytes, ...]:
    """Lists that look real: one of the samples, and those of both dialects."""
    written = io.BytesIO()
    preclear_apis.write(written, travellers=12, seed=3, bad_share=0.3, per_message=5)
    return written.getvalue(), paxlst_writer.lists(1, us=True).content, paxlst_writer.lists(2, us=False).content


@cache
def manifests() -> tuple[bytes, ...]:
    """Manifests that look real."""
    return test_cuscar.manifests(1)[0], test_cuscar.manifests(2)[0], test_cuscar.manifests(3, bills=5)[0]


INSERTED = (
    *(
        b"'",
        b"+",
        b":",
        b"?",
        b"*",
        b" ",
        b"   ",
        b"\r\n",
        b"\n ",
        b"'\n",
        b"\x07",
        b"\x00",
        b"\xc3",
        b"\xc3\x89",
        b"G",
    ),
    *("\u2019\nTIF+A+B:A:9".encode(), "\u2028".encode(), b"+:::", b"::", b"++", b"+A:B:C:D", b"?Q"),
)
PUSHED = (
    *(
        b"ZZZ+1",
        b"SRC",
        b"TIF+ADAM+ANNA:A:1",
        b"TIF+CLUB:G",
        b"TIF+ADAM",
        b"TRI++1:::1",
        b"TRI++7:::9",
        b"ABI+1",
        b"MSG+8",
    ),
    *(
        b"EQN+1",
        b"EQN+2:X",
        b"LTS+0/O",
        b"REF+:0A1",
        b"RPI+3:1+HK:OK",
        b"RPI+12",
        b"FOP+CA+CC:1:2:VI:4:5",
        b"ADD++700:A: :B",
    ),
    *(
        b"TVL+010327:1015+FRA+JFK+LH+400:Y",
        b"TVL+++++OP:12",
        b"TVL+::1030",
        b"TVL+0103:1015+FRA",
        b"SSD+1A",
        b"TBD++1:2:701",
    ),
    *(
        b"SSR+SEAT:HK:1:LH:::FRA:JFK+1A::1+2B::9+3C",
        b"SSR+DOCS:HK:1:LH:::::/P/D/N1/D/01JAN80/F/01JAN30/A/B/C",
        b"SSR++",
    ),
    *(
        b"SSR+DOCS:HK:1:LH:::::/P/D//D/31XXX80/FI+::1",
        b"SSR+DOCO:HK:1:LH:::://",
        b"SSR+FQTV:HK:1:LH:::::LH 1+::2",
        b"SSR+A",
    ),
    *(
        b"RCI+LH:ABC234+XX:ABC235:1+XX:ABC235",
        b"RCI+LH:ABC239:010327:1015",
        b"DAT+700:010327:10+710:010327",
        b"DAT+:010327",
    ),
    *(
        b"IFT+4:28+CTCE:A",
        b"IFT+4:43",
        b"IFT",
        b"IFT+4:15:9",
        b"ORG+A:B+C++++DE:EUR+S:U+ +Q",
        b"UNT+1+1",
        b"UNH+2+PNRGOV:13:1",
    ),
    *(
        b"TRA+XX+1",
        b"MON+ +B:1",
        b"TXD++1:::2",
        b"PTK",
        b"EBD+1:2",
        b"FAR+N",
        b"APD+1",
        b"TKT+:T",
        b"UNZ+1+1",
        b"FTI+A:1+B",
    ),
)
LISTED = (
    *(
        b"ZZZ+1",
        b"NAD+FL+++ADAM:ANNA",
        b"NAD+FM++ADAM:ANNA",
        b"NAD+DDU+++::",
        b"NAD+ZZ",
        b"NAD+MS+A:B",
        b"NAD+FL+++ :ADAM: :B",
    ),
    *(
        b"NAD+DDT++A:B+C:D+ST 1:2+CITY+NY:::NEW YORK+1 2+USA",
        b"CTA+IC+:NAME",
        b"COM+1:TE+2:FX+ ",
        b"AUT+1",
        b"CNT+42:3",
        b"CNT+3:99",
    ),
    *(
        b"CNT+41:0",
        b"TDT+20+XX400+++XX",
        b"TDT+20+LH 401A",
        b"TDT+20",
        b"LOC+125+FRA",
        b"LOC+87+:::JFK",
        b"LOC+92+MUC",
        b"LOC++X",
    ),
    *(
        b"DTM+189:2703011015:201",
        b"DTM+232:202703011330:203",
        b"DTM+189:270301",
        b"DTM+329:120367:2",
        b"DTM+329:670231",
        b"DTM+329",
    ),
    *(
        b"DTM+36:300104",
        b"DTM+36:20300104:102",
        b"LOC+91+DEU",
        b"LOC+91+USA",
        b"LOC+178+FRA",
        b"LOC+180+DEU:::BERLIN",
        b"LOC+174+:::X",
    ),
    *(
        b"DOC+P:110:111+N1",
        b"DOC+V+N2",
        b"DOC+A+N3",
        b"DOC++N4",
        b"DOC",
        b"DOC+I+",
        b"GID+1",
        b"BGM+250+ +9",
        b"BGM+745:A+B:C+",
    ),
    *(
        b"ATT+2++F",
        b"ATT+2++:::M",
        b"NAT+2+DEU",
        b"NAT+2+",
        b"NAT+2+:::FRA",
        b"GEI+4+173",
        b"MEA+CT++:2",
        b"MEA+CT++2",
        b"MEA+WT++KGM:30",
    ),
    *(
        b"FTX+BAG+++A1: :A2",
        b"FTX+AAI+++P<D",
        b"FTX+AAI+++C01X00T478DEU6712120F3001043<<<<<<<<<<<<<<02",
        b"RFF+AVF:ABC",
        b"RFF+SEA",
    ),
    *(
        b"UNH+2+PAXLST:D:05B:UN",
        b"UNT+1+1",
        b"UNH+2+PAXLST:D:02A:UN",
        b"UNZ+1+1",
        b"RFF+ABO: 1 ",
        b"RFF+CR:A+B:C",
        b"QTY+1",
        b"NAD",
    ),
)
MANIFESTED = (
    *(
        b"ZZZ+1",
        b"CNI+1+B1",
        b"CNI+2",
        b"GID+1+5:BX",
        b"GID+2:3+7:::: BOXES",
        b"EQD+CN+CSQU3054399+45G1+++5",
        b"EQD+CN+X+:::Y+++4",
    ),
    *(
        b"EQD+CN++22G1",
        b"SEL+S9",
        b"SEL+:X",
        b"TDT+20+V1+++C:1+++9:::N:DE",
        b"LOC+5+DEHAM",
        b"LOC+61+:::OSLO",
        b"LOC+9+NLRTM",
        b"LOC+88",
    ),
    *(
        b"DTM+133:2703011015:201",
        b"DTM+178:270301:101",
        b"DTM+132:X",
        b"BGM+85+A:B+9:1",
        b"RFF+BM:B9",
        b"RFF+MB:M1",
        b"RFF+AAM",
        b"RFF+BH: ",
    ),
    *(
        b"NAD+CZ+1:2+A:B:C",
        b"NAD+OS+++WHO+ST+C+R+P+DE",
        b"NAD+NI++:X",
        b"NAD+CN++A+B",
        b"NAD+XX",
        b"PAC+5++BX",
        b"PAC+6:1++:::BAG",
        b"PCI+24+M:N",
    ),
    *(
        b"FTX+AAA+++T 1:T 2",
        b"FTX+ABC+++T",
        b"MEA+AAE+G+KGM:5",
        b"MEA+WT++KGM:6",
        b"MEA+AAE+N+KGM:7",
        b"MEA+AAI+AAB:1+:8",
        b"MEA+WT",
    ),
    *(
        b"CST+1+640399:HS+1:XX+2",
        b"PIA+1+640399:HS+640399",
        b"DGS+IMD+3+1203:4",
        b"SGP+CSQU3054399",
        b"SGP+CSQU3054310",
        b"SGP",
        b"CNT+10:9",
    ),
    *(
        b"CNT+16:1",
        b"AUT+1",
        b"UNT+1+1",
        b"UNH+2+CUSCAR:D:95B:UN",
        b"UNH+2+CUSCAR:D:95A:UN",
        b"UNZ+1+1",
        b"HAN+1",
        b"GDS+1",
        b"CNI",
    ),
)
Edit = tuple[int, float, float, int]
EDITS = st.lists(
    st.tuples(
        st.integers(0, 7), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True), st.integers(0, 99)
    ),
    min_size=1,
    max_size=4,
)


def edited(delivery: bytes, edits: list[Edit], segments: tuple[bytes, ...]) -> bytes:
    """`delivery` with bytes and segments taken away, put in, doubled, moved and exchanged."""
    for kind, where, whither, which in edits:
        at = int(where * len(delivery))
        parts = delivery.split(b"'")
        one, other = int(where * len(parts)), int(whither * len(parts))
        match kind:
            case 0:
                delivery = delivery[:at] + delivery[at + 1 + which % 3 :]
            case 1:
                delivery = delivery[:at] + INSERTED[which % len(INSERTED)] + delivery[at:]
            case 2:
                delivery = delivery[:at] + INSERTED[which % len(INSERTED)][:1] + delivery[at + 1 :]
            case 3 | 4:
                delivery = b"'".join([*parts[:one], segments[which % len(segments)], *parts[one:]])
            case 5:
                delivery = b"'".join([*parts[:one], *parts[one + 1 :]])
            case 6:
                delivery = b"'".join([*parts[:other], parts[one], *parts[other:]])
            case _:
                parts[one], parts[other] = parts[other], parts[one]
                delivery = b"'".join(parts)
        delivery = delivery or b"'"
    return delivery


def each_once(delivery: bytes, segments: tuple[bytes, ...]) -> Iterator[bytes]:
    """`delivery` with each odd piece at the begin of a segment and inside another, and with the further segments, two
    at a time."""
    parts = delivery.split(b"'")
    for which, piece in enumerate(INSERTED):
        at = 3 + which * 7 % (len(parts) - 6)
        middle = len(parts[at + 1]) // 2
        broken = [piece + parts[at], parts[at + 1][:middle] + piece + parts[at + 1][middle:]]
        yield b"'".join([*parts[:at], *broken, *parts[at + 2 :]])
    half = (len(segments) + 1) // 2
    for which, pair in enumerate(zip(segments, [*segments[half:], *segments[:half]], strict=True)):
        at = 3 + which * 11 % (len(parts) - 5)
        if which < half:
            yield b"'".join([*parts[:at], pair[0], *parts[at : at + 2], pair[1], *parts[at + 2 :]])


def test_both_pnrgov_readers_agree_on_every_odd_piece() -> None:
    for delivery in each_once(pushes()[1], PUSHED):
        assert by_column(PnrGov(), PNRGOV, delivery) == plainly(plain_pnrgov.outcome, delivery)


@settings(max_examples=40, deadline=None)
@given(base=st.integers(0, 3), edits=EDITS, block=st.sampled_from([1 << 20, 997]))
def test_both_pnrgov_readers_agree_on_a_push_that_was_edited_anywhere(base: int, edits: list[Edit], block: int) -> None:
    delivery = edited(pushes()[base], edits, PUSHED)

    assert by_column(PnrGov(), PNRGOV, delivery, block) == plainly(plain_pnrgov.outcome, delivery)


@settings(max_examples=20, deadline=None)
@given(base=st.integers(0, 3), keep=st.floats(0, 1))
def test_both_pnrgov_readers_agree_on_a_push_that_was_cut_anywhere(base: int, keep: float) -> None:
    whole = pushes()[base]
    delivery = whole[: int(keep * len(whole))]

    assert by_column(PnrGov(), PNRGOV, delivery) == plainly(plain_pnrgov.outcome, delivery)


@pytest.mark.parametrize("name", sorted(pnr_push.VARIANTS))
def test_both_pnrgov_readers_agree_on_the_samples(name: str) -> None:
    delivery = pnr_push.VARIANTS[name]()

    assert by_column(PnrGov(), PNRGOV, delivery) == plainly(plain_pnrgov.outcome, delivery)


@settings(max_examples=40, deadline=None)
@given(base=st.integers(0, 2), edits=EDITS, block=st.sampled_from([1 << 20, 997]))
def test_both_paxlst_readers_agree_on_a_list_that_was_edited_anywhere(base: int, edits: list[Edit], block: int) -> None:
    delivery = edited(lists_of_travellers()[base], edits, LISTED)

    assert by_column(Paxlst(), PAXLST, delivery, block) == plainly(plain_paxlst.outcome, delivery)


@settings(max_examples=20, deadline=None)
@given(base=st.integers(0, 2), keep=st.floats(0, 1))
def test_both_paxlst_readers_agree_on_a_list_that_was_cut_anywhere(base: int, keep: float) -> None:
    whole = lists_of_travellers()[base]
    delivery = whole[: int(keep * len(whole))]

    assert by_column(Paxlst(), PAXLST, delivery) == plainly(plain_paxlst.outcome, delivery)


def test_both_paxlst_readers_agree_on_every_odd_piece() -> None:
    for delivery in each_once(lists_of_travellers()[1], LISTED):
        assert by_column(Paxlst(), PAXLST, delivery) == plainly(plain_paxlst.outcome, delivery)


@pytest.mark.parametrize("name", sorted(preclear_apis.VARIANTS))
def test_both_paxlst_readers_agree_on_the_samples(name: str) -> None:
    delivery = preclear_apis.VARIANTS[name]()

    assert by_column(Paxlst(), PAXLST, delivery) == plainly(plain_paxlst.outcome, delivery)


@settings(max_examples=40, deadline=None)
@given(base=st.integers(0, 2), edits=EDITS, block=st.sampled_from([1 << 20, 997]))
def test_both_cuscar_readers_agree_on_a_manifest_that_was_edited_anywhere(
    base: int, edits: list[Edit], block: int
) -> None:
    delivery = edited(manifests()[base], edits, MANIFESTED)

    assert by_column(Cuscar(), CUSCAR, delivery, block) == plainly(plain_cuscar.outcome, delivery)


def test_both_cuscar_readers_agree_on_every_odd_piece() -> None:
    for delivery in each_once(manifests()[0], MANIFESTED):
        assert by_column(Cuscar(), CUSCAR, delivery) == plainly(plain_cuscar.outcome, delivery)

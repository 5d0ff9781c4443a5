"""A marking has one banner, a banner one marking, and what is not known is refused without being repeated."""

from contextlib import suppress
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.core.banner import MOST_CHARACTERS, MOST_MARKINGS, banner, marks_of, read_marking
from pipeline.core.errors import Code, Refused
from pipeline.core.language.marking import Marking
from pipeline.core.markings import join
from tests.core.builders import CANARY, assert_silent
from tests.core.marked import marking, markings

LAW = settings(max_examples=100, deadline=None)
CUI: dict[str, Any] = {"cui": ["PRVCY", "SP-INTL"], "designated_by": ["Example Agency"]}


def refused(text: str, *, designated_by: str | None = "test") -> Refused:
    with pytest.raises(Refused) as caught:
        read_marking(text, designated_by=designated_by)
    return caught.value


# Writing


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (marking("CLEAR"), "TLP:CLEAR"),
        (marking("AMBER+STRICT"), "TLP:AMBER+STRICT"),
        (marking(**CUI), 'TLP:AMBER | CUI//SP-INTL/PRVCY | DESIGNATED BY "Example Agency"'),
        (
            marking(**CUI, rel_to=["NLD", "USA"]),
            'TLP:AMBER | CUI//SP-INTL/PRVCY//REL TO USA, NLD | DESIGNATED BY "Example Agency"',
        ),
        (
            marking(**CUI, rel_to=["NLD", "USA"], display_only=["USA", "DEU"], controls=["NOCON", "Attorney-WP"]),
            "TLP:AMBER | CUI//SP-INTL/PRVCY//Attorney-WP/DISPLAY ONLY USA, DEU/NOCON/REL TO USA, NLD"
            ' | DESIGNATED BY "Example Agency"',
        ),
        (
            marking("GREEN", originators=["b", "a"], limite=True, evaluation={"source": "B", "information": 2}),
            "TLP:GREEN | ORCON a, b | 4x4 B2 | LIMITE",
        ),
        (
            marking("RED", europol={"codes": ["H3", "H1"], "texts": ["not twice", "ask; first"]}),
            'TLP:RED | EUROPOL H1/H3 "ask; first" "not twice"',
        ),
        (marking("GREEN", europol={"codes": ["H0"]}), "TLP:GREEN | EUROPOL H0"),
    ],
)
def test_a_banner_says_each_part_in_its_place(said: Marking, expected: str) -> None:
    assert banner(said) == expected


@LAW
@given(markings())
def test_a_banner_reads_back_as_the_marking_it_was_written_for(said: Marking) -> None:
    assert read_marking(banner(said)) == said


# Reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TLP:WHITE", marking("CLEAR")),
        ("TLP:CLEAR", marking("CLEAR")),
        ("TLP:RED", marking("RED")),
        ("LIMITE", marking("GREEN", limite=True)),
        ("ORCON agency-a", marking("GREEN", originators=["agency-a"])),
        ("LIMITE | TLP:AMBER", marking("AMBER", limite=True)),
        ("CUI//PRVCY/SP-INTL//NOFORN", marking("GREEN", **CUI, controls=["NOFORN"])),
        (
            "CUI//SP-INTL/PRVCY//REL TO USA, NLD/FEDCON",
            marking("GREEN", **CUI, rel_to=["USA", "NLD"], controls=["FEDCON"]),
        ),
        ('CUI//SP-INTL/PRVCY | DESIGNATED BY "Z"', marking("GREEN", **{**CUI, "designated_by": ["Z"]})),
    ],
)
def test_a_part_of_a_banner_is_read_too_and_nothing_limited_is_clear(text: str, expected: Marking) -> None:
    assert read_marking(text, designated_by="Example Agency") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "TLP",
        "TLP:",
        "TLP:amber",
        "tlp:AMBER",
        "TLP: AMBER",
        " TLP:AMBER",
        "TLP:AMBER ",
        "TLP:AMBER\n",
        "TLP:AMBER STRICT",
        "TLP:AMBER|LIMITE",
        "TLP:AMBER | TLP:GREEN",
        "TLP:AMBER | ",
        "TLP:BLUE",
        "TLP:CLEAR | LIMITE",
        "CUI",
        "CUI//",
        "CUI//NOSUCH",
        "CUI//PRVCY//",
        "CUI//PRVCY//NOSUCH",
        "CUI//PRVCY//REL TO NLD",
        "CUI//PRVCY//REL TO USA",
        "CUI//PRVCY//REL TO USA NLD",
        "CUI//PRVCY//REL TO USA, NLD/REL TO USA, DEU",
        "CUI//PRVCY//NOFORN/REL TO USA, NLD",
        "CUI//PRVCY//NOFORN//FEDCON",
        "CUI//EXPT",
        "CONTROLLED//PRVCY",
        "ORCON",
        "ORCON Agency",
        "EUROPOL",
        "EUROPOL H4",
        "EUROPOL H2",
        "EUROPOL H3",
        'EUROPOL H1 "words"',
        'EUROPOL H3 "a" b',
        "4x4 D1",
        "4X4 A1",
        "4x4 A5",
        "limite",
        "UNCLASSIFIED",
        "UNCLASSIFIED//FOUO",
        "public",
    ],
)
def test_what_is_not_exactly_a_known_marking_is_refused(text: str) -> None:
    assert refused(text).code is Code.MARKING_UNKNOWN


def test_cui_that_nobody_designated_is_refused() -> None:
    assert refused("CUI//PRVCY", designated_by=None).code is Code.MARKING_UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "CONFIDENTIAL",
        "SECRET",
        "TOP SECRET",
        "secret",
        " SECRET ",
        "TOP SECRET//SI//NOFORN",
        "SECRET//CUI//PRVCY",
        "TLP:AMBER | SECRET",
        "CUI//SECRET",
        "CUI//PRVCY//SECRET",
        "C",
        "S",
        "TS",
        "(S)",
        "C//NF",
        "S//NF",
        "(S//REL TO USA, NLD)",
        "TS//SI",
        "(TS//SI//NF)",
        "//DEU SECRET",
        "//GBR TS",
        "EU RESTRICTED",
        "RESTREINT UE",
        "RESTREINT UE/EU RESTRICTED",
        "CONFIDENTIEL UE/EU CONFIDENTIAL",
        "SECRET UE/EU SECRET",
        "TRÈS SECRET UE/EU TOP SECRET",
        "R-UE/EU-R",
        "EU-C",
        "NATO RESTRICTED",
        "NATO SECRET",
        "NATO UNCLASSIFIED",
        "COSMIC TOP SECRET",
        "CTS",
        "NC",
        "NS//ATOMAL",
        "VS-NUR FÜR DEN DIENSTGEBRAUCH",
        "STRENG GEHEIM",
    ],
)
def test_what_marks_classified_information_is_told_apart(text: str) -> None:
    error = refused(text)
    assert error.code is Code.CLASSIFIED_INPUT
    assert "security officer" in error.next_step


@LAW
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["TLP:", "AMBER", "CUI", "//", "REL TO", "USA", ",", " ", "|", '"', "H3"])).map("".join)
)
@example("x" * (MOST_CHARACTERS + 1))
def test_any_text_is_a_marking_with_a_banner_or_refused(text: str) -> None:
    with suppress(Refused):
        said = read_marking(text, designated_by="test")
        assert read_marking(banner(said)) == said


# A column of them


def column(*cells: str | None) -> pl.Series:
    return pl.Series(cells, dtype=pl.String)


def test_a_column_bears_the_join_of_its_rows() -> None:
    a, b = marking("AMBER", limite=True), marking("GREEN", originators=["agency-a"])
    assert marks_of(column(banner(a), banner(b), banner(a))) == join(a, b)


def test_no_rows_have_no_marking() -> None:
    assert marks_of(column()) is None


def test_the_partner_designates_cui_where_the_row_does_not_say() -> None:
    said = marks_of(column("CUI//PRVCY", 'CUI//PRVCY | DESIGNATED BY "Other"'), designated_by="example-customs")
    assert said is not None
    assert said.designated_by == ("Other", "example-customs")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (None, Code.MARKING_UNKNOWN),
        ("", Code.MARKING_UNKNOWN),
        (f"TLP:{CANARY}", Code.MARKING_UNKNOWN),
        (f'EUROPOL H1 "{CANARY}"', Code.MARKING_UNKNOWN),
        (f"CUI//PRVCY//REL TO USA, {CANARY}", Code.MARKING_UNKNOWN),
        (f"SECRET//{CANARY}", Code.CLASSIFIED_INPUT),
    ],
)
def test_one_bad_row_refuses_all_and_is_told_by_its_place_alone(cell: str | None, code: Code) -> None:
    cells = column("TLP:GREEN", cell, "TLP:GREEN", cell)
    with pytest.raises(Refused) as caught:
        marks_of(cells, positions=pl.Series([11, 12, 13, 14]))
    assert caught.value.code is code
    assert "2 rows, first at 12" in caught.value.message
    assert_silent(caught.value, CANARY)
    with pytest.raises(Refused, match="2 rows, first at 2"):
        marks_of(cells)


def test_classified_input_is_told_even_where_another_row_is_unknown() -> None:
    with pytest.raises(Refused) as caught:
        marks_of(column("nothing known", None, "SECRET"))
    assert caught.value.code is Code.CLASSIFIED_INPUT


def test_a_column_of_endless_markings_is_refused() -> None:
    cells = column(*(f"ORCON agency-{number}" for number in range(MOST_MARKINGS + 1)))
    assert marks_of(cells[:MOST_MARKINGS])
    with pytest.raises(Refused) as caught:
        marks_of(cells)
    assert caught.value.code is Code.MARKING_UNKNOWN

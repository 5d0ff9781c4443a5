"""A listed code or term brings its line down however it is written; a coded head stays, and text never does."""

import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.language.codes import CodeList
from pipeline.core.language.treatment import FilterTerms
from pipeline.core.shapes import holds_listed, untreated
from pipeline.core.terms import MASKED, filtered, text_split_off
from tests.core.builders import LAW, code_list, means

Cell = str | None

SENSITIVE = CodeList.model_validate(
    tomllib.loads((Path(__file__).parents[2] / "catalogue/codes/sensitive-ssr-v1.toml").read_text(encoding="utf-8"))
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def frame(*cells: Cell) -> pl.DataFrame:
    return pl.DataFrame({"cell": pl.Series(cells, dtype=pl.String)})


def swept(text: Cell, listed: CodeList = SENSITIVE) -> Cell:
    released: Cell = frame(text).select(filtered(pl.col("cell"), listed)).item()
    return released


@pytest.mark.parametrize(
    "line",
    [
        *(
            "KSML",
            "KSML HK1",
            "ksml",
            "VGML KSML",
            "KSML/",
            "/KSML",
            "(KSML)",
            "KSML.",
            "KSML_HK1",
            "REQ-KSML-1",
            "KSML\t",
        ),
        *("kosher", "Kosher meal", "one KOSHER, please", "union  delegate", "UNION\tDELEGATE", "HONEYMOON COUPLE"),
        *("UNION/DELEGATE", "UNION-DELEGATE", "K\u3164SML", "K\u2800SML"),
        *(
            "KOSHE\u0301R",
            "K\u200bSML",
            "K\x00SML",
            "KS\x7fML",
            "KS\u2065ML",
            "KSM\u2028L",
            "ＫＳＭＬ",
            "\u00abKSML\u00bb",
            "KSML\u2028x",
            "KSML\r",
            "WCHR BAHK1",
            "é KSML",
        ),
    ],
)
def test_a_line_with_a_listed_word_is_masked_whole(line: str) -> None:
    assert swept(line) == MASKED
    assert swept(f"VGML\n{line}\nSEAT 14A") == f"VGML\n{MASKED}\nSEAT 14A"


NOT_SENSITIVE = (
    "VGML VLML CHML BBML FPML SFML RVML UMNR INFT CHLD TKNE SEAT FQTV OTHS SPEQ PETC AVIH DOCS DOCA DOCO CKIN CTCM CTCE"
)
"""domain.md A.4, the guards against false positives."""


@pytest.mark.parametrize("code", NOT_SENSITIVE.split())
def test_codes_that_are_not_sensitive_stay(code: str) -> None:
    text = f"{code} HK1 1A\n{code.lower()}\n/{code}/"
    assert swept(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "XKSML",
        "XKSMLHK1",
        "KSMLHK",
        "KSMLH1",
        "KSMLHK1234",
        "VGMLHK1",
        "KOSHERHK1",
        "AK S M L",
        "K S M LX",
        "K S\nM L",
        "D E",
        "N U N",
        "NONKOSHER",
        "JAINA",
        "SAN JUAN NUNEZ",
        "KSML2",
        "PREGNANTLY",
        "UNIONDELEGATE",
        "",
        " ",
        "\n",
        "naïve",
    ],
)
def test_a_listed_word_inside_another_word_is_no_word(text: str) -> None:
    """Documented limit: what a partner writes without anything between is another word, unless it is a status."""
    assert swept(text) == text


GLUED = ["KSMLHK1", "KSMLHK12", "ksmlhk1", "KSMLUN123 x", "/WCHRNN1/", "FREMECHK1", "ＫＳＭＬＨＫ１"]
SPELT = [
    "K.S.M.L",
    "K S M L",
    "k-s-m-l",
    "K / S / M / L",
    "x K  S  M  L y",
    "K·S·M·L",
    "Ｋ．Ｓ．Ｍ．Ｌ",
    "d.e.a.f.",
    "M_E_D_I_F",
]


@pytest.mark.parametrize("line", [*GLUED, *SPELT])
def test_a_code_with_its_status_glued_to_it_or_letter_by_letter_is_found(line: str) -> None:
    assert swept(f"VGML\n{line}\nSEAT 14A") == f"VGML\n{MASKED}\nSEAT 14A"


@pytest.mark.parametrize("line", ["égłise", "EGLISE ST JEAN", "Église", "E\u0301glise", "à l'église"])
def test_a_term_with_an_accent_is_found_without_it_too(line: str) -> None:
    listed = code_list("KSML", terms=["église"])
    assert swept(line, listed) == (line if "ł" in line else MASKED)


def test_short_codes_are_not_looked_for_letter_by_letter_since_initials_look_like_them() -> None:
    assert [swept(text, code_list("NUN")) for text in ("N.U.N", "NUN", "NUNHK1")] == ["N.U.N", MASKED, MASKED]


@pytest.mark.parametrize("many", [10, 3000])
def test_a_long_list_is_searched_too(many: int) -> None:
    listed = code_list(*(f"C{number:05}" for number in range(many)))
    assert swept(f"C{many - 1:05}\nC{many:05}", listed) == f"{MASKED}\nC{many:05}"


@LAW
@given(st.lists(st.sampled_from([*NOT_SENSITIVE.split(), "HK1", "HK 1", "LH", "14A", "K", "S", "/", "."]), max_size=8))
def test_no_run_of_codes_that_are_not_sensitive_is_masked(words: list[str]) -> None:
    text = " ".join(words)
    assert swept(text) == text


PIECES = st.sampled_from(
    [
        "KSML",
        "ksml",
        "K",
        "S",
        "M",
        "L",
        "HK1",
        ".",
        " ",
        "/",
        "\n",
        "é",
        "UNION",
        "DELEGATE",
        "\u200b",
        "\u0301",
        "Ｋ",
        "1",
    ]
)


@LAW
@given(st.lists(PIECES, max_size=12).map("".join) | TEXT)
def test_nothing_that_the_gate_would_find_is_let_through(text: str) -> None:
    """The gate reads in a way of its own: what it finds, the treatment finds."""
    given = frame(text)
    released = given.select(filtered(pl.col("cell"), SENSITIVE))
    assert not released.select(holds_listed(pl.col("cell"), SENSITIVE)).item()
    if given.select(holds_listed(pl.col("cell"), SENSITIVE)).item():
        assert MASKED in (released.item() or "")


def test_a_term_of_two_words_does_not_reach_over_a_line_end() -> None:
    assert swept("a UNION\nDELEGATE b") == "a UNION\nDELEGATE b"
    assert swept("a UNION\nUNION DELEGATE\nDELEGATE b") == f"a UNION\n{MASKED}\nDELEGATE b"


def test_terms_are_text_not_patterns() -> None:
    listed = code_list("A.B", "C++", "(D)", "[E", r"F\d")
    assert [swept(text, listed) for text in ("A.B", "x C++ y", "(D)", "[E", r"F\d")] == [MASKED] * 5
    assert [swept(text, listed) for text in ("AxB", "C", "D", "E", "F1")] == ["AxB", "C", "D", "E", "F1"]


WORDS = st.sampled_from(
    ["KSML", "kosher", "VGML", "SEAT", "UNION", "DELEGATE", "union delegate", "x", "é", "/", "  ", "", "\r"]
)


@LAW
@given(st.lists(st.lists(WORDS, max_size=5), min_size=1, max_size=6), st.sampled_from([" ", "/", ", ", "\t"]))
def test_lines_keep_their_number_and_order(drawn: list[list[str]], between: str) -> None:
    lines = [between.join(words) for words in drawn]
    released = swept("\n".join(lines))
    assert released is not None
    for words, before, after in zip(drawn, lines, released.split("\n"), strict=True):
        told = {word.upper() for word in words} & {"KSML", "KOSHER", "UNION DELEGATE"}
        if told:
            assert after == MASKED
        else:
            assert after in (before, MASKED)
            if "UNION" not in words or "DELEGATE" not in words:
                assert after == before


@LAW
@given(TEXT, TEXT)
def test_nothing_around_a_listed_word_brings_it_through(before: str, after: str) -> None:
    released = swept(f"{before} KSML {after}")
    assert released is not None
    assert "KSML" not in released


LISTED = FilterTerms(treatment="filter-terms", codes="listed", clause="c")


@LAW
@given(st.lists(st.lists(PIECES, max_size=12).map("".join) | TEXT, max_size=5))
def test_the_gate_reads_every_cell_that_holds_a_listed_word(texts: list[str]) -> None:
    """It passes over cells that come near none, and may pass over no other."""
    found = frame(*texts).select(
        untreated(LISTED, pl.col("cell"), means(code_list(*SENSITIVE.codes, terms=SENSITIVE.terms))).alias("by gate"),
        holds_listed(pl.col("cell"), SENSITIVE).sum().alias("word by word"),
    )
    assert found.row(0)[0] == found.row(0)[1]


# Coded heads

HEADS = code_list("WCHR", "SEAT", "WCHRX")


def split(text: Cell) -> Cell:
    released: Cell = frame(text).select(text_split_off(pl.col("cell"), HEADS)).item()
    return released


@pytest.mark.parametrize(
    ("line", "released"),
    [
        ("WCHR", "WCHR"),
        ("WCHR HK1", "WCHR HK1"),
        ("WCHR HK 1", "WCHR HK 1"),
        ("WCHR HK 1 LH", "WCHR HK 1 LH"),
        ("WCHRHK1", "WCHRHK1"),
        ("WCHR HK1 LH TALL MAN", "WCHR HK1 LH [TEXT]"),
        ("WCHR HK1 LHX", "WCHR HK1 [TEXT]"),
        ("WCHR HK1/TALL MAN", "WCHR HK1 [TEXT]"),
        ("WCHR LH", "WCHR [TEXT]"),
        ("WCHR NO ASSISTANCE", "WCHR [TEXT]"),
        ("WCHR\u00a0é", "WCHR [TEXT]"),
        ("WCHRX", "WCHRX"),
        ("WCHR ", "WCHR [TEXT]"),
        ("WCHR\r", "WCHR [TEXT]"),
        ("WCHRY", "[TEXT]"),
        ("WCHR\u0301", "[TEXT]"),
        ("wchr", "[TEXT]"),
        (" WCHR", "[TEXT]"),
        ("ＷＣＨＲ", "[TEXT]"),
        ("TALL MAN", "[TEXT]"),
        ("[TEXT]", "[TEXT]"),
        ("", "[TEXT]"),
    ],
)
def test_a_line_keeps_its_listed_head_with_status_and_carrier_and_no_other_text(line: str, released: str) -> None:
    assert split(line) == released
    assert split(f"SEAT\n{line}\nx") == f"SEAT\n{released}\n[TEXT]"


def test_an_absent_cell_is_not_split() -> None:
    assert split(None) is None


@LAW
@given(st.lists(TEXT.filter(lambda text: "\n" not in text), min_size=1, max_size=4))
def test_whatever_is_written_only_heads_and_the_sign_for_text_come_out(lines: list[str]) -> None:
    released = split("\n".join(f"WCHR HK1 {line}" if index % 2 else line for index, line in enumerate(lines)))
    assert released is not None
    for index, line in enumerate(released.split("\n")):
        assert line in ("WCHR HK1", "WCHR HK1 [TEXT]", "WCHR [TEXT]") or line.startswith("WCHR HK1 ") or not index % 2
        assert line.removesuffix("[TEXT]").strip() in ("", "WCHR", "SEAT", "WCHRX") or line.startswith("WCHR HK1")

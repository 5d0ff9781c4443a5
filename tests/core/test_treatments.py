"""Each treatment by vectors, and by what must hold for any text."""

import hashlib
import hmac
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pipeline.core.language.treatment import Answer, Constant, Pseudonymise, Released, Treatment
from pipeline.core.shapes import of_another_row, untreated
from pipeline.core.treatments import (
    constant,
    generalised_date,
    masked,
    normalised,
    parent_code,
    pseudonymised,
    released_cell,
    shortened_code,
    tokenised,
    truncated,
)
from tests.core.builders import KEY, LAW, code_list, key_of, means, tokens_of

Cell = str | None

MEANS = means(code_list("KSML", "WCHR", terms=["UNION DELEGATE"]))
FEW = settings(LAW, max_examples=8)
"""For what is tried on every treatment."""

# What Python does not know as a letter, a newer Unicode of polars may.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=20)
ODD = st.sampled_from(
    ["a", "É", "e\u0301", "ﬁ", "Ａ", "ß", "ǆ", "İ", " ", "\t", "\u00a0", "\u2003", "\n", "\u200b", "ͅ"]
)


def cells(expression: Callable[[pl.Expr], pl.Expr], *given_cells: Cell) -> list[Cell]:
    return (
        pl.DataFrame({"cell": pl.Series(given_cells, dtype=pl.String)})
        .select(expression(pl.col("cell")))
        .to_series()
        .to_list()
    )


def one(expression: Callable[[pl.Expr], pl.Expr], cell: Cell) -> Cell:
    return cells(expression, cell)[0]


def pseudonym(text: Cell, *, key: str = KEY, each_line: bool = False) -> Cell:
    return one(lambda cell: pseudonymised(cell, key, each_line=each_line), text)


def by_python(text: str, key: str = KEY) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


_ANY: TypeAdapter[Any] = TypeAdapter(Treatment)


def said(treatment: str, **settings: Any) -> Released:
    """A treatment as an agreement's file says it."""
    stated: Released = _ANY.validate_python({"treatment": treatment, "clause": "c", **settings})
    return stated


def by(treatment: Released) -> Callable[[pl.Expr], pl.Expr]:
    return lambda cell: released_cell(treatment, cell, MEANS)


TREATMENTS: dict[str, Released] = {
    "keep": said("keep"),
    "constant": said("constant", value="withheld here"),
    "mask": said("mask"),
    "mask 6 4": said("mask", keep_first=6, keep_last=4),
    "truncate first": said("truncate", first=3),
    "truncate last": said("truncate", last=4),
    "pseudonymise": said("pseudonymise", domain="d"),
    "pseudonymise each line": said("pseudonymise", domain="d", each_line=True),
    "tokenise": said("tokenise", domain="d", reversible_by="giver", reversal_clause="c"),
    "tokenise each line": said("tokenise", domain="d", reversible_by="giver", reversal_clause="c", each_line=True),
    "month": said("generalise-date", to="month"),
    "quarter": said("generalise-date", to="quarter"),
    "year": said("generalise-date", to="year"),
    "decade": said("generalise-date", to="decade"),
    "width": said("generalise-number", width=7),
    "edges": said("generalise-number", edges=[-5, 0, 18, 65]),
    "one edge": said("generalise-number", edges=[18]),
    "round": said("round", to="5"),
    "round decimals": said("round", to="0.25"),
    "round finest": said("round", to="0.000001"),
    "characters": said("generalise-code", characters=2),
    "characters each line": said("generalise-code", characters=2, each_line=True),
    "hierarchy": said("generalise-code", hierarchy="places", to="country"),
    "hierarchy each line": said("generalise-code", hierarchy="places", to="continent", each_line=True),
    "filter-terms": said("filter-terms", codes="listed"),
    "split-text": said("split-text", heads="listed"),
    "answer": said("answer", answers={"HIT": ["yes", "JFK"]}, otherwise="NON"),
}
NEVER_ABSENT = (Constant, Answer)
LINE_BY_LINE = [name for name in TREATMENTS if "each line" in name] + ["mask", "mask 6 4", "filter-terms", "split-text"]

NUMBER = st.from_regex(r"[+-]?[0-9]{1,17}(\.[0-9]{1,12})?", fullmatch=True)
CODE = st.sampled_from(
    ["JFK", "YUL", "jfk", "KSML", "KSML HK1", "WCHR HK 1 LH x", "UNION DELEGATE", "yes", "8517.13.00", "AB"]
)
LINE = TEXT | ODD | NUMBER | CODE | st.dates().map(str) | st.from_regex(r"[A-Z0-9 \-]{0,20}", fullmatch=True)
CELL = LINE | st.lists(LINE, min_size=2, max_size=4).map("\n".join) | st.text("\n\r\x00\x85\u2028 a1", max_size=6)


@pytest.mark.parametrize("name", TREATMENTS)
def test_every_treatment_is_total_and_in_its_alphabet_and_of_its_row(name: str) -> None:
    """The alphabet and length are those that the gates derive from the agreement, in a way of their own."""
    treatment = TREATMENTS[name]

    @LAW
    @given(st.lists(CELL | st.none(), min_size=1, max_size=4))
    def holds(given_cells: list[Cell]) -> None:
        frame = pl.DataFrame({"given": pl.Series(given_cells, dtype=pl.String)})
        released = frame.select("given", by(treatment)(pl.col("given")).alias("cell"))
        wrong = released.select(
            untreated(treatment, pl.col("cell"), MEANS).alias("untreated"),
            of_another_row(treatment, pl.col("cell"), pl.col("given"), MEANS)
            .fill_null(value=True)
            .any()
            .alias("other"),
        )
        assert wrong.row(0) == (0, False)
        for before, after in released.iter_rows():
            assert isinstance(treatment, NEVER_ABSENT) or before is not None or after is None
            assert not isinstance(treatment, NEVER_ABSENT) or after is not None

    holds()


@pytest.mark.parametrize("name", TREATMENTS)
def test_a_cell_comes_out_the_same_whatever_stands_around_it(name: str) -> None:
    @FEW
    @given(st.lists(CELL | st.none(), min_size=2, max_size=5))
    def holds(given_cells: list[Cell]) -> None:
        together = cells(by(TREATMENTS[name]), *given_cells)
        assert together == [one(by(TREATMENTS[name]), cell) for cell in given_cells]

    holds()


@pytest.mark.parametrize("name", LINE_BY_LINE)
def test_line_by_line_each_line_is_treated_as_if_alone(name: str) -> None:
    @FEW
    @given(st.lists(LINE.filter(lambda line: "\n" not in line), min_size=2, max_size=4))
    def holds(lines: list[str]) -> None:
        together = one(by(TREATMENTS[name]), "\n".join(lines))
        assert together is not None
        assert together.split("\n") == [one(by(TREATMENTS[name]), line) or "" for line in lines]

    holds()


@pytest.mark.parametrize("name", TREATMENTS)
def test_no_row_or_many_rows_are_as_many_rows_after_it(name: str) -> None:
    for many in (0, 1, 3):
        assert len(cells(by(TREATMENTS[name]), *["2024-02-29"] * many)) == many


def test_keep_changes_nothing() -> None:
    odd = ["", " x ", "a\nb", "NULL", "\u0000", "é"]
    assert cells(by(TREATMENTS["keep"]), *odd) == odd


def test_a_constant_says_the_same_whether_a_cell_is_there_or_not() -> None:
    assert cells(lambda cell: constant(cell, "x"), "a", None, "") == ["x", "x", "x"]


def test_an_answer_is_given_for_every_row_and_tells_nothing_else() -> None:
    answer = said("answer", answers={"HIT": ["yes", "y"], "MAY": ["perhaps"]}, otherwise="NON")
    assert cells(by(answer), "yes", "y", "perhaps", "no", "YES", " yes", "", None) == [
        *("HIT", "HIT", "MAY", "NON", "NON", "NON", "NON", "NON")
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"treatment": "mask", "keep_first": 7},
        {"treatment": "mask", "keep_last": 5},
        {"treatment": "truncate"},
        {"treatment": "truncate", "first": 1, "last": 1},
        {"treatment": "truncate", "first": 0},
        {"treatment": "generalise-number"},
        {"treatment": "generalise-number", "width": 1},
        {"treatment": "generalise-number", "width": 10, "edges": [1]},
        {"treatment": "generalise-number", "edges": []},
        {"treatment": "generalise-number", "edges": [5, 1]},
        {"treatment": "generalise-number", "edges": [1, 2]},
        {"treatment": "round", "to": "0"},
        {"treatment": "round", "to": "0.00"},
        {"treatment": "round", "to": "-1"},
        {"treatment": "round", "to": "0.0000001"},
        {"treatment": "generalise-code"},
        {"treatment": "generalise-code", "characters": 2, "hierarchy": "places", "to": "country"},
        {"treatment": "generalise-code", "hierarchy": "places"},
        {"treatment": "pseudonymise", "domain": "d", "normalisation": 2},
        {"treatment": "tokenise", "domain": "d"},
        {"treatment": "answer", "answers": {"HIT": ["y"]}, "otherwise": "NO-HIT"},
        {"treatment": "answer", "answers": {"HIT": ["y"]}, "otherwise": "HIT"},
        {"treatment": "answer", "answers": {"HIT": ["y"]}, "otherwise": "NÖN"},
        {"treatment": "answer", "answers": {"H,T": ["y"]}, "otherwise": "NON"},
        {"treatment": "answer", "answers": {"HIT": ["y"]}, "otherwise": 'N"N'},
        {"treatment": "answer", "answers": {"HIT": ["y"], "NON": ["y"]}, "otherwise": "NON"},
    ],
    ids=str,
)
def test_a_setting_that_says_two_things_or_nothing_or_would_return_its_input_is_refused(
    settings: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        _ANY.validate_python({"clause": "c", **settings})


# Pseudonyms


@LAW
@given(TEXT | ODD, st.integers(0, 2**256 - 1))
def test_a_pseudonym_is_the_hmac_of_the_normalised_text(text: str, number: int) -> None:
    key = f"{number:064x}"
    norm = one(normalised, text)
    assert norm is not None
    assert pseudonym(text, key=key) == by_python(norm, key)


def test_pseudonyms_by_vectors() -> None:
    """Computed once with Python's hmac over the text shown as the second: normalisation 1 is fixed for ever."""
    vectors = [
        ("müller", "MÜLLER", "7387fd39840a25df7e3c50f3a835e789"),
        ("", "", "83251958f6d6000752c3e537dea70fc1"),
        ("x12345678", "X12345678", "4a99c7c180a2b90713878792a63c9b5f"),
    ]
    for text, norm, expected in vectors:
        assert pseudonym(text) == by_python(norm) == expected


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("De  la\tCruz ", "DE LA CRUZ"),
        ("\u00a0de\u2003la cruz\n", "DE LA CRUZ"),
        ("e\u0301cole", "ÉCOLE"),
        ("école", "ÉCOLE"),
        ("Straße", "STRASSE"),
        ("ﬁnn", "FINN"),
        ("ＡＢ１", "AB1"),
        ("²", "2"),
        ("a\u200bb", "A\u200bB"),
        ("o'neill-smith", "O'NEILL-SMITH"),
        ("\n", ""),
    ],
)
def test_normalisation_1_by_vectors(text: str, norm: str) -> None:
    assert one(normalised, text) == norm


@LAW
@given(TEXT)
def test_how_a_text_is_spaced_does_not_change_its_pseudonym(text: str) -> None:
    assert pseudonym(f" {text}\t") == pseudonym(text) == pseudonym(text.replace(" ", "\u00a0 "))


@LAW
@given(st.lists(TEXT | ODD, min_size=1, max_size=8), st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_pseudonyms_under_two_keys_never_match(texts: list[str], one_key: int, other_key: int) -> None:
    """Two agreements, domains or epochs have two keys: no pair of their pseudonyms is equal, even for one person."""
    keys = [f"{one_key:064x}", f"{other_key ^ 1 if other_key == one_key else other_key:064x}"]
    released = [cells(lambda cell, key=key: pseudonymised(cell, key, each_line=False), *texts) for key in keys]  # type: ignore[misc]
    assert not set(released[0]) & set(released[1])


@LAW
@given(st.lists(TEXT, min_size=2, max_size=8))
def test_pseudonyms_under_one_key_match_exactly_when_the_texts_do(texts: list[str]) -> None:
    norms, released = cells(normalised, *texts), cells(lambda cell: pseudonymised(cell, KEY, each_line=False), *texts)
    assert len(set(norms)) == len(set(released)) == len(set(zip(norms, released, strict=True)))


@LAW
@given(st.lists(st.text("abc é", max_size=4), min_size=1, max_size=5))
def test_line_by_line_each_line_has_the_pseudonym_it_would_have_alone(lines: list[str]) -> None:
    together = pseudonym("\n".join(lines), each_line=True)
    assert together is not None
    assert together.split("\n") == [pseudonym(line) for line in lines]


def test_a_domain_chooses_the_key() -> None:
    first, second = (
        one(by(Pseudonymise(treatment="pseudonymise", domain=domain, clause="c")), "same")
        for domain in ("booking", "document")
    )
    assert first == by_python("SAME", key_of("booking")) != second


# Tokens


def token(*given_cells: Cell, domain: str = "d", each_line: bool = False) -> list[Cell]:
    return cells(lambda cell: tokenised(cell, tokens_of(domain), each_line=each_line), *given_cells)


def test_a_token_is_of_the_very_text_and_equal_only_for_equal_texts() -> None:
    alba, again, other, spaced, absent, empty = token("Alba", "Alba", "alba", " Alba", None, "")
    assert alba == again == tokens_of("d")(["Alba"])[0]
    assert len({alba, other, spaced, empty}) == 4
    assert absent is None
    assert token("Alba", domain="e") != [alba]


def test_the_site_is_asked_once_for_each_distinct_value_and_never_for_an_absent_one() -> None:
    asked: list[str] = []

    def tokens(values: Any) -> list[str]:
        asked.extend(values)
        return tokens_of("d")(values)

    cells(lambda cell: tokenised(cell, tokens, each_line=True), "a\nb", "b", None, "a\nb", "c\na")
    assert sorted(asked) == ["a", "b", "c"]


# Truncation


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Smith", "Smi", "ith"),
        ("Smit", "Smi", "mit"),
        ("Smi", None, None),
        ("Smi  ", None, "i  "),
        ("  Smi", "  S", None),
        ("ab-", None, None),
        ("abc-", None, "bc-"),
        ("é漢字x", "é漢字", "漢字x"),
        ("", None, None),
        ("-----", None, None),
        ("Smith\nX\nJones", "Smi\n\nJon", "ith\n\nnes"),
        ("X\nY", "\n", "\n"),
    ],
)
def test_truncations_by_vectors(text: str, first: Cell, last: Cell) -> None:
    assert one(lambda cell: truncated(cell, first=3, last=None), text) == first
    assert one(lambda cell: truncated(cell, first=None, last=3), text) == last


@LAW
@given(TEXT | ODD, st.integers(1, 8), st.booleans())
def test_a_truncated_line_never_holds_all_letters_and_digits_of_its_line(text: str, many: int, at_end: bool) -> None:
    kept = {"first": many, "last": None} if at_end else {"first": None, "last": many}
    released = one(lambda cell: truncated(cell, **kept), text) or ""
    for before, after in zip(text.split("\n"), (released or "\n" * text.count("\n")).split("\n"), strict=True):
        letters = [sum(map(str.isalnum, line)) for line in (before, after)]
        assert len(after) <= many
        assert letters[1] < letters[0] or not after


# Masks


@pytest.mark.parametrize(
    ("text", "first", "last", "shown"),
    [
        ("4111111111111111", 6, 4, "411111******1111"),
        ("4111 1111 1111 1111", 6, 4, "4111 1*** **** 1111"),
        ("41111111111111", 6, 4, "411111****1111"),
        ("4111111111111", 6, 4, "*************"),
        ("4111", 6, 4, "****"),
        ("AB----CD", 2, 2, "**----**"),
        ("AB-CDEF-GH", 2, 2, "AB-****-GH"),
        ("Zoë d'Àrc", 0, 0, "*** *'***"),
        ("e\u0301te\u0301s", 0, 0, "******"),
        ("٤١١١ 漢字", 0, 0, "**** **"),
        ("", 6, 4, ""),
        ("-", 6, 4, "-"),
        ("4111111111111111\n-\n12", 6, 0, "411111**********\n-\n**"),
        ("4111111111111111\r\nX", 0, 4, "*************111\r\n*"),
        ("\u24c8\u24c2\u24be\u24c9\u24bd", 0, 0, "*****"),
        ("\u280e\u280d\u280a\u281e\u2813 \U0001f1f3\U0001f1f1", 0, 0, "***** **"),
        ("".join(chr(0xE0000 + ord(sign)) for sign in "SMITH"), 0, 0, "*****"),
        ("12345678", 0, 4, "****5678"),
        ("1234567", 0, 4, "*******"),
    ],
)
def test_masks_by_vectors(text: str, first: int, last: int, shown: str) -> None:
    assert one(lambda cell: masked(cell, keep_first=first, keep_last=last), text) == shown


@LAW
@given(
    TEXT | st.from_regex(r"[A-Z0-9 \-]{0,20}(\n[A-Z0-9]{0,19})?", fullmatch=True), st.integers(0, 6), st.integers(0, 4)
)
def test_a_mask_shows_no_more_than_the_agreement_lets_and_keeps_the_shape(text: str, first: int, last: int) -> None:
    shown = one(lambda cell: masked(cell, keep_first=first, keep_last=last), text)
    assert shown is not None
    assert len(shown) == len(text)
    for before, after in zip(text.split("\n"), shown.split("\n"), strict=True):
        kept = [place for place, sign in enumerate(after) if sign.isalnum()]
        assert len(kept) <= first + last
        assert all(after[place] == before[place] for place in kept)
        assert all(place < first or place >= len(before) - last for place in kept)
        assert not kept or after.count("*") >= 4, "what shows a part hides at least four"
        assert [sign for sign in before if not is_letter(sign)] == [
            new for sign, new in zip(before, after, strict=True) if not is_letter(sign)
        ]


def is_letter(sign: str) -> bool:
    """Whether a mask hides it: a letter, or what can stand for one."""
    return bool(pl.Series([sign]).str.contains(r"[\p{L}\p{N}\p{M}\p{So}\p{Cf}\p{Co}\p{Cn}]").item())


@LAW
@given(CELL, st.integers(0, 6), st.integers(0, 4))
def test_a_masked_cell_with_a_letter_or_digit_is_never_its_input(text: str, first: int, last: int) -> None:
    shown = one(lambda cell: masked(cell, keep_first=first, keep_last=last), text)
    assert (shown != text) is any(map(is_letter, text))


# Dates


@pytest.mark.parametrize(
    ("text", "month", "quarter", "year", "decade"),
    [
        ("2024-02-29", "2024-02", "2024-Q1", "2024", "2020s"),
        ("2024-03-31", "2024-03", "2024-Q1", "2024", "2020s"),
        ("2024-04-01", "2024-04", "2024-Q2", "2024", "2020s"),
        ("2019-12-31", "2019-12", "2019-Q4", "2019", "2010s"),
        ("1899-07-01", "1899-07", "1899-Q3", "1899", "1890s"),
        ("2024-02-29T23:59", "2024-02", "2024-Q1", "2024", "2020s"),
        ("2024-02-29T23:59:59", "2024-02", "2024-Q1", "2024", "2020s"),
    ],
)
def test_dates_by_vectors(text: str, month: str, quarter: str, year: str, decade: str) -> None:
    for to, released in {"month": month, "quarter": quarter, "year": year, "decade": decade}.items():
        assert one(lambda cell, to=to: generalised_date(cell, to=to), text) == released  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "1234-99-99",
        "2024-02-29\n",
        "2024-02-29 ",
        "2024-02-29\n2024-03-01",
        "2024-2-9",
        "29.02.2024",
        "20240229",
        "٢٠٢٤-٠٢-٢٩",
        "2024-02-29T10:00Z and a name",
        "",
        "Smith",
    ],
)
@pytest.mark.parametrize("to", ["month", "quarter", "year", "decade"])
def test_what_is_no_day_of_the_calendar_becomes_absent(text: str, to: str) -> None:
    assert one(lambda cell: generalised_date(cell, to=to), text) is None


@LAW
@given(st.dates())
def test_a_quarter_holds_its_three_months(day: Any) -> None:
    assert one(lambda cell: generalised_date(cell, to="quarter"), str(day)) == f"{day.year:04}-Q{-(-day.month // 3)}"


# Codes


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("8517.13", "8517"),
        ("85171", "8517"),
        ("8517", None),
        ("8517.", None),
        ("851", None),
        ("8517-", None),
        ("Smith Bo", None),
        ("Smithé", None),
        ("85171\n", None),
        ("85171\n85172", None),
        ("", None),
    ],
)
def test_a_code_that_is_cut_is_longer_than_what_is_kept(text: str, short: Cell) -> None:
    assert one(lambda cell: shortened_code(cell, 4, each_line=False), text) == short


def test_codes_line_by_line_keep_their_number_and_order() -> None:
    assert one(lambda cell: shortened_code(cell, 2, each_line=True), "JFK\nUS\nA B\nYUL") == "JF\n\n\nYU"
    assert one(lambda cell: parent_code(cell, {"JFK": "USA"}, each_line=True), "JFK\njfk\nJFK") == "USA\n\nUSA"


@pytest.mark.parametrize(("text", "parent"), [("JFK", "USA"), ("jfk", None), ("JFK ", None), ("LHR", None), ("", None)])
def test_a_code_becomes_what_the_hierarchy_puts_above_it_and_an_unknown_one_absent(text: str, parent: Cell) -> None:
    assert one(by(said("generalise-code", hierarchy="places", to="country")), text) == parent


def test_the_level_of_a_hierarchy_chooses_the_parent() -> None:
    assert one(by(said("generalise-code", hierarchy="places", to="continent")), "JFK") == "AMERICA"


# What the document says

DOCUMENT = (Path(__file__).parents[2] / "docs/treatments.md").read_text(encoding="utf-8")
EXAMPLES = [
    tuple(part.strip(" `") for part in line.strip("|").split("|"))
    for line in DOCUMENT.splitlines()
    if line.startswith("| `treatment = ")
]


@pytest.mark.parametrize(("settings", "given_cell", "released"), EXAMPLES)
def test_the_examples_of_the_document_come_out_as_it_says(settings: str, given_cell: str, released: str) -> None:
    treatment = said(**tomllib.loads(f"said = {{ {settings} }}")["said"])
    before, after = (None if cell == "*absent*" else cell.replace("\\n", "\n") for cell in (given_cell, released))
    assert one(by(treatment), before) == after


def test_the_document_has_a_row_for_each_treatment_that_names_its_settings() -> None:
    told = {
        line.split("`")[1]: line for line in DOCUMENT.splitlines() if line.startswith("| `") and "=" not in line[:20]
    }
    models = get_args(get_args(Treatment)[0])
    named = {model.model_fields["treatment"].annotation.__args__[0]: model for model in models}
    assert told.keys() == named.keys()
    everywhere = {"treatment", "clause", "until", "clock", "only_where"}
    for word, model in named.items():
        assert [name for name in model.model_fields if name not in everywhere and f"`{name}`" not in told[word]] == []

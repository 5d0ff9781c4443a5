"""What each rule takes, by vectors: the oracle of test_validation cannot tell, since it runs the same expressions."""

import pandera.polars as pa
import polars as pl
import pytest

from pipeline.core.language.category import Category
from pipeline.core.schema import Rule, at_most, calendar_date, column, each_line_matches, feed_schema, matches, one_of

AB = matches("A|BB", name="a-or-bb", meaning="A or BB")
LINES = each_line_matches("A|BB", name="lines", meaning="A or BB, one a line")
LETTERS = one_of(("A", "é"), name="letters", meaning="A or é")


@pytest.mark.parametrize(
    ("rule", "fine", "broken"),
    [
        (AB, ["A", "BB"], ["", "AB", "ABB", "AX", "XBB", "A\n", "\nA", "A\nBB", "a", "Ａ", " A"]),
        (
            LINES,
            ["A", "BB", "A\nBB", "BB\nBB\nA"],
            ["", "A\n", "\nA", "A\n\nA", "AB", "A\nX", "X\nA", "A\r\nA", "A BB"],
        ),
        (LETTERS, ["A", "é"], ["", "a", "e\u0301", "A\n", "É", "Aé"]),
        (one_of((), name="none", meaning="none"), [], ["", "A"]),
        (at_most(3), ["", "abc", "ééé", "漢字漢", "a\nb"], ["abcd", "e\u0301e\u0301"]),
        (
            calendar_date(),
            ["2024-02-29", "2000-02-29", "1900-02-28", "0001-01-01", "9999-12-31"],
            [
                "2023-02-29",
                "1900-02-29",
                "2024-02-30",
                "2024-13-01",
                "2024-00-01",
                "2024-01-00",
                "2024-1-1",
                "20240101",
                "2024-01-01\n",
                " 2024-01-01",
                "2024-01-01T00:00",
                "٢٠٢٤-٠١-٠١",
                "+2024-01-01",
                "-024-01-01",
                "",
            ],
        ),
    ],
    ids=["matches", "each-line-matches", "one-of", "one-of-nothing", "at-most", "calendar-date"],
)
def test_a_rule_takes_exactly_what_it_says(rule: Rule, fine: list[str], broken: list[str]) -> None:
    cells = pl.DataFrame({"cell": pl.Series([*fine, *broken], dtype=pl.String)})
    verdicts = cells.select(rule.fine(pl.col("cell")))["cell"].to_list()
    assert verdicts == [True] * len(fine) + [False] * len(broken)


def test_digits_are_ascii() -> None:
    digits = matches("[0-9]+", name="digits", meaning="digits")
    assert pl.DataFrame({"cell": ["12", "１２", "١٢"]}).select(digits.fine(pl.col("cell")))["cell"].to_list() == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("required", [True, False])
def test_an_absent_cell_is_a_matter_of_required_alone(required: bool) -> None:
    rules = (AB, LINES, LETTERS, calendar_date(), at_most(3))
    schema = feed_schema("s", "1", {"a": column(Category.PLAIN, "t", *rules, required=required)})
    absent = pl.DataFrame({"a": [None, None]}, schema={"a": pl.String})
    if required:
        with pytest.raises(pa.errors.SchemaErrors) as found:
            schema.validate(absent, lazy=True)
        assert set(found.value.failure_cases["check"]) == {"not_nullable"}
    else:
        assert schema.validate(absent, lazy=True).height == 2


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"a": ["x"], "b": ["x"], "c": ["x"]}),
        pl.DataFrame({"a": ["x"]}),
        pl.DataFrame({"b": ["x"], "a": ["x"]}),
        pl.DataFrame({"a": ["x"], "b": [1]}),
    ],
    ids=["a column too many", "a column too few", "another order", "a number"],
)
def test_a_feed_s_schema_is_strict_ordered_and_text(frame: pl.DataFrame) -> None:
    schema = feed_schema("s", "1", {name: column(Category.PLAIN, "t") for name in "ab"})
    assert schema.validate(pl.DataFrame({"a": ["x"], "b": ["x"]}), lazy=True).height == 1
    with pytest.raises(pa.errors.SchemaErrors):
        schema.validate(frame, lazy=True)

"""The gates, against redactions that are broken on purpose."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.clearance import clear_partial, clear_rows, clear_table
from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.redaction import Redacted, compile_redaction, redact
from pipeline.core.scope import Events
from pipeline.core.statistics import COUNT, Table, tabulate
from tests.core.builders import (
    CANARY,
    LAW,
    agreement,
    assert_silent,
    code_list,
    columns,
    instant,
    means,
    rows,
    schema,
    tokens_of,
)

MEANS = means(code_list("KSML", "WCHR", terms=["KOSHER MEAL"]))
AT = Events(released=instant(2026), loaded=instant(2026))
PAN = "4111111111111111"

EVERY = agreement(
    columns=columns(
        name={"treatment": "pseudonymise", "domain": "person"},
        number={"treatment": "mask", "keep_first": 6, "keep_last": 4},
        born={"treatment": "generalise-date", "to": "year"},
        country="keep",
        remarks={"treatment": "filter-terms", "codes": "listed"},
    )
)
ROWS = rows(
    {"name": "Alba Example", "number": PAN, "born": "1980-01-31", "country": "NO", "remarks": "VGML\nKSML HK1"},
    {
        "name": "Bo Sample",
        "number": PAN[::-1],
        "born": "1990-12-01",
        "country": "DE",
        "remarks": "window seat",
        "secret": "S-4711-X",
    },
    {"country": None},
)


def redacted(stated: Agreement = EVERY, chunk: pl.DataFrame = ROWS) -> Redacted:
    return redact(compile_redaction(stated, schema(), MEANS, AT), chunk)


def cleared(broken: Redacted, stated: Agreement = EVERY) -> pl.DataFrame:
    return clear_rows(broken, stated, schema(), MEANS, AT).frame


def refusal(broken: Redacted, stated: Agreement = EVERY, *silent: str) -> Refused:
    with pytest.raises(Refused) as refused:
        cleared(broken, stated)
    assert_silent(refused.value, CANARY, PAN, *silent)
    return refused.value


def changed(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Redacted:
    fine = redacted()
    return Redacted(change(fine.frame), fine.in_scope, fine.kept_back)


def with_cell(name: str, cell: str | None, row: int = 0) -> Redacted:
    """The fine redaction, but for one cell."""
    return changed(
        lambda frame: frame.with_columns(
            pl.when(pl.int_range(pl.len()) == row)
            .then(pl.lit(cell, dtype=pl.String))
            .otherwise(pl.col(name))
            .alias(name)
        )
    )


def test_a_fine_redaction_is_cleared_as_it_is() -> None:
    assert cleared(redacted()).equals(redacted().frame)


def test_no_row_at_all_is_cleared() -> None:
    assert cleared(redacted(chunk=rows())).is_empty()


@LAW
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.text("ab é\n", max_size=8) | st.none(),
                "number": st.from_regex(r"[A-Z0-9-]{1,20}(\n[0-9]{1,18})?", fullmatch=True) | st.none(),
                "born": st.dates().map(str) | st.sampled_from([None, "never"]),
                "country": st.sampled_from(["NO", "DE", None]),
                "remarks": st.lists(st.sampled_from(["KSML", "kosher meal", "é", "window", ""]), max_size=4).map(
                    "\n".join
                ),
            }
        ),
        max_size=6,
    )
)
def test_whatever_redaction_makes_is_cleared(cells: list[dict[str, str | None]]) -> None:
    """No false alarm: cells such as these hold nothing of one another. Remarks are free text, filtered."""
    result = redacted(chunk=rows(*cells))
    assert cleared(result).height == len(cells)


def with_columns(**expressions: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: frame.with_columns(**expressions)


STRUCTURE: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "a column too many": with_columns(secret=pl.lit(CANARY)),
    "a column too few": lambda frame: frame.drop("country"),
    "another order": lambda frame: frame.select(reversed(frame.columns)),
    "another name": lambda frame: frame.rename({"country": "land"}),
    "numbers": with_columns(country=pl.lit(1)),
    "categories": with_columns(country=pl.col("country").cast(pl.Categorical)),
    "a row too few": lambda frame: frame.head(2),
    "a row too many": lambda frame: pl.concat([frame, frame.head(1)]),
    "no row": lambda frame: frame.clear(),
    "rows in another order": lambda frame: frame.reverse(),
    "one column in another order": with_columns(country=pl.col("country").reverse()),
    "rows shifted": lambda frame: frame.select(pl.all().shift(1)),
}


@pytest.mark.parametrize("how", sorted(STRUCTURE))
def test_another_shape_than_the_agreement_states_is_refused(how: str) -> None:
    assert refusal(changed(STRUCTURE[how])).code is Code.OUTPUT_DIFFERS


UNTREATED: list[tuple[str, str | None]] = [
    ("name", CANARY),
    ("name", "Alba Example"),
    ("name", "0" * 31),
    ("name", "0" * 33),
    ("name", "G" * 32),
    ("name", "0" * 32 + "\n"),
    ("name", "0" * 32 + "\n" + "0" * 32),
    ("name", ""),
    ("name", None),
    ("number", PAN),
    ("number", "4111111*****1111"),
    ("number", "411111******11111"),
    ("number", "411111******111"),
    ("number", "************1111\n" + PAN),
    ("number", "4111111111"),
    ("number", "********"),
    ("number", None),
    ("born", "1980-01-31"),
    ("born", "1980-01"),
    ("born", "1981"),
    ("born", "198"),
    ("born", "1980\n"),
    ("country", "SE"),
    ("country", None),
    ("country", "NO\n"),
    ("remarks", "VGML\nKSML HK1"),
    ("remarks", "VGML\nksml"),
    ("remarks", "VGML\nKS\u200bML"),
    ("remarks", "VGML\nKosher  meal"),
    ("remarks", "VGML"),
    ("remarks", "VGML\n[MASKED:SENS]\n[MASKED:SENS]"),
    ("remarks", None),
]


@pytest.mark.parametrize(("name", "cell"), UNTREATED)
def test_a_cell_that_its_treatment_cannot_have_made_is_refused(name: str, cell: str | None) -> None:
    error = refusal(with_cell(name, cell), EVERY, "Alba")
    assert error.code is Code.OUTPUT_DIFFERS
    assert f"column {name}" in error.message


@pytest.mark.parametrize("name", ["name", "number", "born", "country", "remarks"])
def test_a_cell_where_none_was_is_refused(name: str) -> None:
    made_up = redacted().frame[name][0]
    assert refusal(with_cell(name, made_up, row=2)).code is Code.OUTPUT_DIFFERS


def test_a_generalised_date_may_be_left_out() -> None:
    assert cleared(with_cell("born", None)).height == 3


def test_a_mask_that_hides_nothing_of_a_short_line_is_refused() -> None:
    """Six first and four last of ten are all of them."""
    fine = redacted(chunk=rows({"number": "4111111111"}))
    assert fine.frame["number"].to_list() == ["**********"]
    shown = fine.frame.with_columns(number=pl.lit("4111111111"))
    assert refusal(Redacted(shown, fine.in_scope, fine.kept_back), EVERY, "4111111111").code is Code.OUTPUT_DIFFERS


def test_pseudonyms_line_by_line_are_cleared_only_where_the_agreement_asks_for_them() -> None:
    stated = agreement(columns=columns(name={"treatment": "pseudonymise", "domain": "d", "each_line": True}))
    assert cleared(redacted(stated, rows({"name": "a\nb"})), stated)["name"][0].count("\n") == 1


# Every other treatment: a column `cell`, and what may and may not come out of it for one row.

HEX = "0123456789abcdef" * 2
TOKEN, OTHER_TOKEN = tokens_of("d")(["Alba Example", "Bo Sample"])
TREATED: dict[str, tuple[dict[str, Any], str | None, list[str | None], list[str | None]]] = {
    "constant": ({"treatment": "constant", "value": "x"}, "a", ["x"], ["a", "", "X", None]),
    "constant of an absent cell": ({"treatment": "constant", "value": "x"}, None, ["x"], ["y", None]),
    "truncate first": (
        {"treatment": "truncate", "first": 3},
        "Example",
        ["Exa", "Ex", None],
        ["Example", "Exam", "exa", "ple", "Exa\n", "E\nx"],
    ),
    "truncate last": ({"treatment": "truncate", "last": 3}, "Example", ["ple", None], ["Example", "mple", "Exa"]),
    "truncate a short line": ({"treatment": "truncate", "first": 9}, "Example", [None], ["Example"]),
    "truncate lines": ({"treatment": "truncate", "first": 2}, "ab\ncde", ["\ncd"], ["cd", "\ncd\n", "ab\ncde"]),
    "pseudonymise what looks like one": ({"treatment": "pseudonymise", "domain": "d"}, HEX, [HEX[::-1]], [HEX, None]),
    "tokenise": (
        {"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "c"},
        "Alba Example",
        [TOKEN],
        ["Alba Example", TOKEN[3:], TOKEN[:-9], TOKEN + "=", TOKEN + "\n" + TOKEN, "", None],
    ),
    "tokenise what looks like one": (
        {"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "c"},
        TOKEN,
        [OTHER_TOKEN],
        [TOKEN],
    ),
    "month": (
        {"treatment": "generalise-date", "to": "month"},
        "1980-01-31",
        ["1980-01", None],
        ["1980-02", "1980", "1980-13", "1980-01-31"],
    ),
    "quarter": (
        {"treatment": "generalise-date", "to": "quarter"},
        "1980-04-30",
        ["1980-Q2", None],
        ["1980-Q1", "1980-Q3", "1980-Q5", "1981-Q2", "1980-04", "1980"],
    ),
    "decade": ({"treatment": "generalise-date", "to": "decade"}, "1989-12-31", ["1980s"], ["1990s", "1989s", "1980"]),
    "width": (
        {"treatment": "generalise-number", "width": 10},
        "-0.5",
        ["-10..-1", None],
        ["0..9", "-11..-2", "-10..0", "-10", "..-1", "-0.5", "-20..-11", "x..y"],
    ),
    "edges": (
        {"treatment": "generalise-number", "edges": [18, 65]},
        "64.9",
        ["18..64", None],
        ["..17", "65..", "18..65", "..", "60..69", "64.9"],
    ),
    "round": (
        {"treatment": "round", "to": "0.25"},
        "-1.125",
        ["-1.25", "-1.00", None],
        ["-1.125", "-1.50", "1.25", "-1.2", "-1.26", "-0.75"],
    ),
    "round to whole": ({"treatment": "round", "to": "5"}, "7", ["5", None], ["7", "0", "5.0", "10"]),
    "code": (
        {"treatment": "generalise-code", "characters": 4},
        "8517.13",
        ["8517", None],
        ["8517.13", "851", "8518", "85 1", "8517\n"],
    ),
    "short code": ({"treatment": "generalise-code", "characters": 4}, "8517", [None], ["8517"]),
    "codes": ({"treatment": "generalise-code", "characters": 2, "each_line": True}, "JFK\nx", ["JF\n"], ["JF", "J\n"]),
    "place": (
        {"treatment": "generalise-code", "hierarchy": "places", "to": "country"},
        "JFK",
        ["USA", None],
        ["JFK", "CANADA", "AMERICA", "usa", ""],
    ),
    "unknown place": (
        {"treatment": "generalise-code", "hierarchy": "places", "to": "country"},
        "XXX",
        [None],
        ["USA", "XXX"],
    ),
    "places": (
        {"treatment": "generalise-code", "hierarchy": "places", "to": "continent", "each_line": True},
        "JFK\nx\nOSL",
        ["AMERICA\n\nEUROPE"],
        ["AMERICA\nEUROPE", "AMERICA\nx\nEUROPE", "JFK\n\nEUROPE"],
    ),
    "glued and spelt codes": (
        {"treatment": "filter-terms", "codes": "listed"},
        "KSMLHK1\nK.S.M.L\nok",
        ["[MASKED:SENS]\n[MASKED:SENS]\nok"],
        ["KSMLHK1\n[MASKED:SENS]\nok", "[MASKED:SENS]\nK.S.M.L\nok", "[MASKED:SENS]\nk s m l\nok", "[MASKED:SENS]"],
    ),
    "split text": (
        {"treatment": "split-text", "heads": "listed"},
        "WCHR HK1 LH tall\ntext",
        ["WCHR HK1 LH [TEXT]\n[TEXT]", "[TEXT]\n[TEXT]"],
        ["WCHR HK1 LH tall\n[TEXT]", "WCHR\ntext", "[TEXT]", "wchr\n[TEXT]", "SEAT\n[TEXT]", "\n[TEXT]", None],
    ),
    "answer": (
        {"treatment": "answer", "answers": {"HIT": ["yes"], "MAY": ["perhaps"]}, "otherwise": "NON"},
        "yes",
        ["HIT"],
        ["MAY", "NON", "yes", "", "hit", None],
    ),
    "answer to an absent cell": (
        {"treatment": "answer", "answers": {"HIT": ["yes"]}, "otherwise": "NON"},
        None,
        ["NON"],
        ["HIT", None],
    ),
}


def released_as(treatment: dict[str, Any], given: str | None, cell: str | None) -> tuple[Redacted, Agreement]:
    """A redaction of one row, in which the treated column holds `cell` whatever the treatment makes."""
    stated = agreement(columns=columns(status=treatment))
    fine = redacted(stated, rows({"status": given}))
    frame = pl.DataFrame({"status": pl.Series([cell], dtype=pl.String)})
    return Redacted(frame, fine.in_scope, fine.kept_back), stated


@pytest.mark.parametrize("name", TREATED)
def test_what_a_treatment_can_make_of_its_row_is_cleared(name: str) -> None:
    treatment, given_cell, fine, _ = TREATED[name]
    stated = agreement(columns=columns(status=treatment))
    assert cleared(redacted(stated, rows({"status": given_cell})), stated).height == 1
    for cell in fine:
        assert cleared(*released_as(treatment, given_cell, cell)).height == 1


@pytest.mark.parametrize(("name", "cell"), [(name, cell) for name in TREATED for cell in TREATED[name][3]])
def test_what_a_treatment_cannot_make_of_its_row_is_refused(name: str, cell: str | None) -> None:
    treatment, given_cell, _, _ = TREATED[name]
    assert refusal(*released_as(treatment, given_cell, cell)).code is Code.OUTPUT_DIFFERS


MADE_UP = [(said, fine[0]) for said, cell, fine, _ in TREATED.values() if fine[0] and cell]


@pytest.mark.parametrize(("treatment", "cell"), [one for one in MADE_UP if one[0]["treatment"] != "constant"])
def test_a_treated_cell_where_none_was_is_refused(treatment: dict[str, Any], cell: str) -> None:
    assert refusal(*released_as(treatment, None, cell)).code is Code.OUTPUT_DIFFERS


# Withheld values

OPEN = agreement(columns=columns(country="keep", remarks="keep", status="keep"))


def repeating(cells: dict[str, str | None], stated: Agreement = OPEN) -> Redacted:
    return redacted(stated, rows({"country": "NO"}, cells))


@pytest.mark.parametrize(
    "remarks",
    [
        CANARY,
        f"call {CANARY} now",
        f"x{CANARY}y",
        f"window\naisle\n{CANARY}\nend",
        CANARY.lower(),
        CANARY.title(),
    ],
)
@pytest.mark.parametrize("secret", [CANARY, f"other\n{CANARY}", f"{CANARY}\nother"])
def test_a_withheld_value_in_a_released_text_is_refused(remarks: str, secret: str) -> None:
    error = refusal(repeating({"remarks": remarks, "secret": secret}), OPEN, CANARY.lower(), CANARY.title())
    assert error.code is Code.WITHHELD_VALUE_FOUND
    assert "values of secret" in error.message


@pytest.mark.parametrize("treatment", ["mask", "pseudonymise"])
def test_a_treated_value_that_another_column_repeats_is_refused(treatment: str) -> None:
    said = {"treatment": treatment, **({"domain": "d"} if treatment == "pseudonymise" else {})}
    stated = agreement(columns=columns(name=said, remarks="keep"))
    error = refusal(repeating({"name": CANARY, "remarks": f"for {CANARY}"}, stated), stated)
    assert error.code is Code.WITHHELD_VALUE_FOUND


def test_a_kept_value_may_be_repeated() -> None:
    stated = agreement(columns=columns(name="keep", remarks="keep"))
    assert cleared(repeating({"name": CANARY, "remarks": f"for {CANARY}"}, stated), stated).height == 2


def test_a_withheld_value_may_be_part_of_an_identifier_that_the_agreement_keeps() -> None:
    """A sole trader's firm bears its owner's name; the agreement's clause gives the firm."""
    stated = agreement(columns=columns(name="keep", remarks="keep"))
    cells: dict[str, str | None] = {"name": f"{CANARY} TRADING", "secret": CANARY}
    assert cleared(repeating(cells, stated), stated).height == 2
    assert refusal(repeating({**cells, "remarks": f"for {CANARY}"}, stated), stated).code is Code.WITHHELD_VALUE_FOUND


@pytest.mark.parametrize("said", ["withhold", {"treatment": "truncate", "first": 3}, {"treatment": "mask"}])
def test_what_is_withheld_by_name_or_changed_is_hidden_like_what_is_not_named(said: Any) -> None:
    stated = agreement(columns=columns(secret=said, remarks="keep"))
    assert "secret" in stated.columns
    assert (
        refusal(repeating({"remarks": f"for {CANARY}", "secret": CANARY}, stated), stated).code
        is Code.WITHHELD_VALUE_FOUND
    )


def test_a_column_that_is_withheld_by_name_is_in_no_release() -> None:
    stated = agreement(columns=columns(secret="withhold", remarks="keep"))
    made = repeating({"remarks": "x", "secret": CANARY}, stated)
    assert cleared(made, stated).columns == ["remarks"]
    broken = Redacted(made.frame.with_columns(secret=pl.lit(CANARY)), made.in_scope, made.kept_back)
    assert refusal(broken, stated).code is Code.OUTPUT_DIFFERS


@pytest.mark.parametrize(
    "said",
    [
        {"treatment": "constant", "value": CANARY},
        {"treatment": "answer", "answers": {CANARY: ["yes"]}, "otherwise": CANARY[::-1]},
    ],
)
def test_a_word_of_the_agreement_that_a_withheld_cell_holds_too_is_no_alarm(said: dict[str, Any]) -> None:
    stated = agreement(columns=columns(status=said))
    assert cleared(repeating({"status": "yes", "secret": CANARY}, stated), stated).height == 2


def test_a_coded_head_that_is_let_through_is_no_alarm_and_a_text_that_another_column_repeats_is() -> None:
    stated = agreement(columns=columns(remarks={"treatment": "split-text", "heads": "listed"}, status="keep"))
    cells: dict[str, str | None] = {"remarks": f"WCHR HK1\nWCHR {CANARY}", "status": "WCHR HK1"}
    assert cleared(repeating(cells, stated), stated).height == 2
    error = refusal(repeating({**cells, "status": f"WCHR {CANARY}"}, stated), stated)
    assert error.code is Code.WITHHELD_VALUE_FOUND


def test_a_withheld_number_that_a_token_holds_by_chance_is_no_alarm() -> None:
    said = {"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "c"}
    stated = agreement(columns=columns(name=said, remarks="keep"))
    made = redacted(stated, rows({"name": "a", "remarks": "x"}))
    in_scope = made.in_scope.with_columns(secret=pl.lit(made.frame["name"][0][10:16]))
    assert cleared(Redacted(made.frame, in_scope, made.kept_back), stated).height == 1


def test_a_withheld_number_that_a_pseudonym_holds_by_chance_is_no_alarm() -> None:
    stated = agreement(columns=columns(name={"treatment": "pseudonymise", "domain": "d"}, remarks="keep"))
    made = redacted(stated, rows({"name": "a", "remarks": "x"}))
    chance = made.frame["name"][0][:6]
    in_scope = made.in_scope.with_columns(secret=pl.lit(chance))
    assert cleared(Redacted(made.frame, in_scope, made.kept_back), stated).height == 1


def test_a_withheld_value_of_another_row_is_not_looked_for() -> None:
    """Known limit: each row is searched for its own values only."""
    chunk = rows({"remarks": CANARY, "secret": "S-4711-X"}, {"remarks": "x", "secret": CANARY})
    assert cleared(redacted(OPEN, chunk), OPEN).height == 2


def test_a_withheld_value_of_five_characters_is_not_looked_for_and_one_of_six_is() -> None:
    assert cleared(repeating({"remarks": "Smith was here", "secret": "Smith"}), OPEN).height == 2
    assert (
        refusal(repeating({"remarks": "Smithy was here", "secret": "Smithy"}), OPEN).code is Code.WITHHELD_VALUE_FOUND
    )


@pytest.mark.parametrize("secret", ["S-4711-X", "------", None, "", "  \n  "])
def test_a_withheld_value_that_is_nowhere_is_no_alarm(secret: str | None) -> None:
    assert cleared(repeating({"remarks": "------ window", "secret": secret}), OPEN).height == 2


def test_a_value_is_not_found_over_the_border_of_two_cells() -> None:
    assert cleared(repeating({"remarks": "CANARY", "status": "VALUE", "secret": "CANARYVALUE"}), OPEN).height == 2


def test_a_masked_line_of_filtered_text_that_another_column_repeats_is_refused() -> None:
    stated = agreement(columns=columns(remarks={"treatment": "filter-terms", "codes": "listed"}, status="keep"))
    cells: dict[str, str | None] = {"remarks": f"window seat\nKSML for {CANARY}", "status": "window seat"}
    assert cleared(repeating(cells, stated), stated).height == 2
    error = refusal(repeating({**cells, "status": f"KSML for {CANARY}"}, stated), stated)
    assert error.code is Code.WITHHELD_VALUE_FOUND


def test_a_withheld_text_of_a_column_that_names_nobody_is_not_looked_for() -> None:
    """`status` is plain: only direct identifiers and free text are searched for."""
    stated = agreement(columns=columns(remarks="keep"))
    assert cleared(repeating({"remarks": "all of it", "status": "all of it"}, stated), stated).height == 2


# Statistics

COUNTED = agreement(
    columns=columns(country="keep", born={"treatment": "generalise-date", "to": "year"}),
    statistics={"count_as": "members", "smallest_cell": 3, "clause": "c"},
)


def table(*cells: tuple[str, str, str], suppressed: int = 0, published: int | None = None) -> Table:
    frame = pl.DataFrame(cells, schema=dict.fromkeys(["country", "born", "members"], pl.String), orient="row")
    counted = sum(int(cell[2]) for cell in cells) if published is None else published
    return Table(frame, counted, suppressed)


def table_refusal(broken: Table, stated: Agreement = COUNTED) -> Code:
    with pytest.raises(Refused) as refused:
        clear_table(broken, stated, MEANS)
    assert_silent(refused.value, CANARY)
    return refused.value.code


def test_a_fine_table_is_cleared() -> None:
    chunk = rows(*({"country": "NO", "born": f"19{year}-01-01"} for year in (80, 80, 80, 90, 91, 92, 92, 92)))
    partial = clear_partial(redacted(COUNTED, chunk), COUNTED)
    assert COUNTED.statistics
    made = tabulate([partial], ("country", "born"), COUNTED.statistics)
    assert clear_table(made, COUNTED, MEANS).frame.equals(made.frame)


def test_a_cell_at_the_smallest_is_cleared_and_one_below_is_refused() -> None:
    assert clear_table(table(("NO", "1980", "3")), COUNTED, MEANS).frame.height == 1
    assert table_refusal(table(("NO", "1980", "3"), ("DE", "1980", "2"))) is Code.CELL_TOO_SMALL


def test_a_suppressed_total_that_tells_a_small_cell_is_refused() -> None:
    assert table_refusal(table(("NO", "1980", "3"), suppressed=2)) is Code.CELL_TOO_SMALL
    assert clear_table(table(("NO", "1980", "3"), suppressed=3), COUNTED, MEANS).frame.height == 1
    assert clear_table(table(suppressed=2), COUNTED, MEANS).frame.is_empty()


@pytest.mark.parametrize(
    "broken",
    [
        table(("NO", "1980-01-31", "3")),
        table(("NO", "1980", CANARY), published=3),
        table(("NO", "1980", "3.5"), published=3),
        table(("NO", "1980", "3"), ("DE", "1980", CANARY), published=3),
        table(("NO", "1980", "5"), published=4),
        Table(table(("NO", "1980", "5")).frame.with_columns(secret=pl.lit(CANARY)), 5, 0),
        Table(table(("NO", "1980", "5")).frame.drop("country"), 5, 0),
        Table(table(("NO", "1980", "5")).frame.cast({"members": pl.Int64}), 5, 0),
    ],
)
def test_a_broken_table_is_refused(broken: Table) -> None:
    assert table_refusal(broken) is Code.OUTPUT_DIFFERS


SUMMED = agreement(
    columns=columns(country="keep"),
    statistics={"count_as": "members", "sums": {"weight": "status"}, "smallest_cell": 3, "clause": "c"},
)
ROUNDED = agreement(
    columns=columns(country="keep"),
    statistics={
        "count_as": "members",
        "sums": {"weight": "status"},
        "smallest_cell": 4,
        "round_to": 5,
        "clause": "c",
    },
)


def sums(*cells: tuple[str, str | None, str | None], published: int, suppressed: int = 0) -> Table:
    frame = pl.DataFrame(cells, schema=dict.fromkeys(["country", "members", "weight"], pl.String), orient="row")
    return Table(frame, published, suppressed)


@pytest.mark.parametrize(
    ("stated", "fine"),
    [
        (SUMMED, sums(("NO", "3", "12.5"), ("DE", "4", "-0.000000001"), published=7)),
        (SUMMED, sums(published=0, suppressed=2)),
        (ROUNDED, sums(("NO", "5", "15"), ("DE", "5", "-5"), published=8)),
        (ROUNDED, sums(("NO", "5", "15"), ("DE", "5", "0"), published=12)),
    ],
)
def test_a_fine_table_of_sums_is_cleared(stated: Agreement, fine: Table) -> None:
    assert clear_table(fine, stated, MEANS).frame.equals(fine.frame)


@pytest.mark.parametrize(
    ("stated", "broken"),
    [
        (SUMMED, sums(("NO", "3", None), published=3)),
        (SUMMED, sums(("NO", "3", CANARY), published=3)),
        (SUMMED, sums(("NO", "3", "1e3"), published=3)),
        (SUMMED, sums(("NO", "3", "0.30000000000000004"), published=3)),
        (SUMMED, sums(("NO", "3", "1"), published=4)),
        (ROUNDED, sums(("NO", "4", "15"), published=4)),
        (ROUNDED, sums(("NO", "5", "14"), published=5)),
        (ROUNDED, sums(("NO", "5", "15.0"), published=5)),
        (ROUNDED, sums(("NO", "5", "15"), published=8)),
        (ROUNDED, sums(("NO", "5", "15"), ("DE", "5", "0"), published=15)),
        (SUMMED, Table(sums(("NO", "3", "1"), published=3).frame.drop("weight"), 3, 0)),
    ],
)
def test_a_broken_table_of_sums_is_refused(stated: Agreement, broken: Table) -> None:
    assert table_refusal(broken, stated) is Code.OUTPUT_DIFFERS


@pytest.mark.parametrize(
    "small",
    [
        sums(("NO", "5", "15"), published=3),
        sums(("NO", "0", "0"), published=2),
        sums(("NO", "5", "15"), ("DE", "5", "15"), published=7),
        sums(("NO", "5", "15"), published=4, suppressed=3),
    ],
)
def test_a_rounded_table_in_which_a_cell_must_be_small_is_refused(small: Table) -> None:
    assert table_refusal(small, ROUNDED) is Code.CELL_TOO_SMALL


def test_partial_sums_are_those_of_the_rows_in_scope() -> None:
    chunk = rows(*({"country": "NO", "status": weight} for weight in ("1.5", "+2", "-0.25")), {"country": "DE"})
    fine = redacted(SUMMED, chunk)
    assert clear_partial(fine, SUMMED).height == 2
    numbers = redacted(SUMMED, chunk.head(3))
    assert clear_partial(numbers, SUMMED)["weight"].to_list() == [3_250_000_000]
    for change in (with_columns(weight=pl.col("weight") + 1), lambda frame: frame.drop("weight")):
        with pytest.raises(Refused):
            clear_partial(Redacted(change(numbers.frame), numbers.in_scope, Counter()), SUMMED)
    hidden = numbers.in_scope.with_columns(status=pl.lit(None, dtype=pl.String))
    with pytest.raises(Refused):
        clear_partial(Redacted(numbers.frame, hidden, Counter()), SUMMED)


def test_a_table_under_an_agreement_that_releases_rows_is_refused() -> None:
    assert table_refusal(table(), EVERY) is Code.OUTPUT_DIFFERS


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.with_columns(pl.col(COUNT) + 1),
        lambda frame: frame.head(1),
        lambda frame: frame.drop(COUNT),
        lambda frame: frame.with_columns(secret=pl.lit(CANARY)),
        lambda frame: frame.drop("born"),
    ],
)
def test_broken_partial_counts_are_refused(change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    fine = redacted(COUNTED, rows({"country": "NO"}, {"country": "DE"}))
    assert clear_partial(fine, COUNTED).height == 2
    with pytest.raises(Refused) as refused:
        clear_partial(Redacted(change(fine.frame), fine.in_scope, Counter()), COUNTED)
    assert refused.value.code is Code.OUTPUT_DIFFERS
    assert_silent(refused.value, CANARY)


def test_rows_that_lack_a_column_behind_the_release_are_refused() -> None:
    fine = redacted()
    assert refusal(Redacted(fine.frame, fine.in_scope.drop("born"), fine.kept_back)).code is Code.OUTPUT_DIFFERS


def test_a_refusal_names_the_agreement_and_the_next_step() -> None:
    error = refusal(with_cell("name", CANARY))
    assert error.next_step
    assert EVERY.id in error.message

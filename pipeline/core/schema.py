"""What may a feed's rows hold, who would be hurt by it, and where does each rule come from?

A feed's schema is a pandera `DataFrameSchema` made by `feed_schema` from `column`s. Every cell is text: a date is text
that reads as a date. An absent value is null, never "". A cell with several items holds one item a line ("\\n"). Every check's function is
`PolarsData -> lazyframe.select(one boolean expression)`, true where the row is fine, so that `core.validation` can
compile a whole schema into one pass over the rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from pipeline.core.language.category import Category


@dataclass(frozen=True, slots=True)
class Rule:
    """One named check. `fine` gives, for a column's expression, the boolean that is true where the cell is fine.

    Null cells are not looked at: `required` says whether null is fine.
    """

    name: str
    fine: Callable[[pl.Expr], pl.Expr]
    meaning: str


def matches(pattern: str, *, name: str, meaning: str) -> Rule:
    """The whole cell matches `pattern` (Rust regex syntax; ASCII classes; anchored by this function)."""
    return Rule(name, lambda cell: cell.str.contains(rf"\A(?:{pattern})\z"), meaning)


def each_line_matches(pattern: str, *, name: str, meaning: str) -> Rule:
    """Every line of the cell matches `pattern`."""
    return Rule(name, lambda cell: cell.str.contains(rf"\A(?:{pattern})(?:\n(?:{pattern}))*\z"), meaning)


def one_of(values: Sequence[str], *, name: str, meaning: str) -> Rule:
    """The cell is one of `values`. An empty list lets nothing through."""
    return Rule(name, lambda cell: cell.is_in(list(values)), meaning)


def at_most(characters: int) -> Rule:
    """The cell has no more than this many characters."""
    return Rule(
        f"at-most-{characters}", lambda cell: cell.str.len_chars() <= characters, f"at most {characters} characters"
    )


def calendar_date(*, name: str = "date") -> Rule:
    """The cell is an existing calendar day written YYYY-MM-DD (ISO 8601)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        shaped = cell.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z")
        return shaped & cell.str.to_date("%Y-%m-%d", strict=False).is_not_null()

    return Rule(name, fine, "a day as YYYY-MM-DD")


def column(category: Category, source: str, *rules: Rule, required: bool = False, title: str = "") -> pa.Column:
    """A column of text. `source` is the standard and section (and annex item) that define it."""
    return pa.Column(
        pl.String,
        [_check(rule) for rule in rules],
        nullable=not required,
        required=True,
        title=title or None,
        metadata={"category": category, "source": source},
    )


def row_rule(name: str, fine: pl.Expr, meaning: str) -> pa.Check:
    """A rule across columns of one row. `fine` must be true where the row is fine; null counts as not fine."""
    return pa.Check(
        lambda data: data.lazyframe.select(fine.fill_null(value=False)),
        name=name,
        error=name,
        description=meaning,
        ignore_na=False,
    )


def feed_schema(
    name: str,
    version: str,
    columns: dict[str, pa.Column],
    *,
    unique: Sequence[str] = (),
    row_rules: Sequence[pa.Check] = (),
) -> pa.DataFrameSchema:
    """A strict schema: these columns, in this order, and no others. `unique` is the key: no two rows may share it."""
    return pa.DataFrameSchema(
        columns,
        checks=list(row_rules),
        strict=True,
        ordered=True,
        unique=list(unique) or None,
        name=name,
        metadata={"version": version},
    )


def _check(rule: Rule) -> pa.Check:
    def fine(cell: pl.Expr) -> pl.Expr:
        # Null for an absent cell, never null for another: pandera takes null for a pass, and null AND false is false.
        return pl.when(cell.is_not_null()).then(rule.fine(cell).fill_null(value=False))

    return pa.Check(
        lambda data: data.lazyframe.select(fine(pl.col(data.key))),
        name=rule.name,
        error=rule.name,
        description=rule.meaning,
    )

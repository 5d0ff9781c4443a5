"""What may a feed's rows hold, who would be hurt by it, and where does each rule come from?

A feed's schema is a pandera `DataFrameSchema` made by `feed_schema` from `column`s. Every cell is text: a date is text
that reads as a date. An absent value is null, never "". A cell with several items holds one item a line ("\\n"). Every check's function is
`PolarsData -> lazyframe.select(one boolean expression)`, true where the row is fine, so that `core.validation` can
compile a whole schema into one pass over the rows.

A rule may lean on code lists of the catalogue (`listed`): the schema names them, and `bound` gives it their codes.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.category import Category
from pipeline.core.language.codes import CodeList


@dataclass(frozen=True, slots=True)
class Rule:
    """One named check. `fine` gives, for a column's expression, the boolean that is true where the cell is fine.

    Null cells are not looked at: `required` says whether null is fine.
    """

    name: str
    fine: Callable[[pl.Expr], pl.Expr]
    meaning: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A check that leans on code lists of the catalogue. `fine` is given the codes of all of them."""

    name: str
    lists: tuple[str, ...]
    fine: Callable[[pl.Expr, Sequence[str]], pl.Expr]
    meaning: str

    def with_codes(self, code_lists: Mapping[str, CodeList]) -> Rule:
        """The check with the codes of its lists.

        Raises:
            Misconfigured: schema-invalid, where the catalogue lacks a list, or codes of it lapse: a row would be right on one
                day and wrong on the next.
        """
        for id in self.lists:
            if id not in code_lists or code_lists[id].lapses:
                why = "whose codes lapse" if id in code_lists else "which the catalogue does not have or cannot read"
                raise Misconfigured(
                    Code.SCHEMA_INVALID,
                    f"rule {self.name} leans on the code list {id}, {why}.",
                    next_step=f"correct catalogue/codes/{id}.toml, or the module below schemas/.",
                )
        codes = [code for id in self.lists for code in code_lists[id].codes]
        return Rule(self.name, lambda cell: self.fine(cell, codes), self.meaning)


def listed(*lists: str, name: str, meaning: str) -> Listed:
    """The cell is a code of one of these lists of the catalogue."""
    return Listed(name, lists, lambda cell, codes: cell.is_in(list(codes)), meaning)


def each_line_listed(*lists: str, name: str, meaning: str) -> Listed:
    """Every line of the cell is a code of one of these lists."""

    def fine(cell: pl.Expr, codes: Sequence[str]) -> pl.Expr:
        return cell.str.split("\n").list.eval(pl.element().is_in(list(codes))).list.all()

    return Listed(name, lists, fine, meaning)


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


def column(
    category: Category,
    source: str,
    *rules: Rule | Listed,
    required: bool = False,
    title: str = "",
    odd: Sequence[Rule] = (),
) -> pa.Column:
    """A column of text. `source` is the standard and section (and annex item) that define it.

    `odd`: what should hold and need not. A row that breaks such a rule is taken, and the partner is told; its name begins with
    `tolerated-`.
    """
    leaning = {rule.name: rule for rule in rules if isinstance(rule, Listed)}
    return pa.Column(
        pl.String,
        [_unbound(rule) if isinstance(rule, Listed) else _check(rule) for rule in rules],
        nullable=not required,
        required=True,
        title=title or None,
        metadata={"category": category, "source": source, "leaning": leaning, "odd": tuple(odd)},
    )


def leans_on(schema: pa.DataFrameSchema) -> frozenset[str]:
    """The code lists that rules of the schema name."""
    columns = (declared.metadata or {} for declared in schema.columns.values())
    return frozenset(id for said in columns for rule in said.get("leaning", {}).values() for id in rule.lists)


def bound(schema: pa.DataFrameSchema, code_lists: Mapping[str, CodeList]) -> pa.DataFrameSchema:
    """`schema` with the codes of the lists that it leans on.

    Raises:
        Misconfigured: schema-invalid, where the catalogue lacks a list, or codes of it lapse.
    """
    if not leans_on(schema):
        return schema
    whole = copy(schema)
    whole.columns = {name: _with_codes(declared, code_lists) for name, declared in schema.columns.items()}
    return whole


def _with_codes(declared: pa.Column, code_lists: Mapping[str, CodeList]) -> pa.Column:
    leaning: dict[str, Listed] = (declared.metadata or {}).get("leaning", {})
    if not leaning:
        return declared
    whole = copy(declared)
    whole.checks = [
        _check(leaning[str(check.name)].with_codes(code_lists)) if check.name in leaning else check
        for check in declared.checks
    ]
    return whole


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


def _unbound(rule: Listed) -> pa.Check:
    def none(_: object) -> pl.LazyFrame:
        raise Misconfigured(
            Code.SCHEMA_INVALID,
            f"rule {rule.name} leans on code lists of the catalogue, and has not been given their codes.",
            next_step="bind the schema to the catalogue's code lists first (`pipeline.core.schema.bound`).",
        )

    return pa.Check(none, name=rule.name, error=rule.name, description=rule.meaning)


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

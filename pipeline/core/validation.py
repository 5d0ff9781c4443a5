"""Which rows of a batch break which rules of the feed's schema?

A pandera schema is compiled once: each check's function is called with a recorder in place of a LazyFrame, and what it
would have selected is kept. All rules of a batch are then one `select`, one pass. pandera itself is the oracle
in `tests/core/test_validation.py`. The recorder leans on `Check._check_fn`, which is why pandera is pinned.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.findings import READER_RULES, ROWS_NAMED, Tally
from pipeline.core.language.category import Category
from pipeline.core.language.codes import CodeList
from pipeline.core.schema import bound, leans_on

KEY_RULE = "unique"
REQUIRED_RULE = "required"

_NAME = re.compile("[a-z][a-z0-9-]*")

_PROBE = (None, "A", "A", "7", "2024-02-29", "a b", "A\nA", "\u00e9", None, "ZZZZZZ")
"""Cells that a check is tried on when it is compiled: its verdict on a row may not change with the rows around it."""

_CROWD = 100


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """`failed` is true, per row, where `column` breaks the rule `name`; never null."""

    name: str
    column: str
    failed: pl.Expr


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """A feed's schema, ready to run. `columns` in their order; `key` is the set of columns that no two rows may share."""

    id: str
    version: str
    columns: tuple[str, ...]
    categories: dict[str, Category]
    sources: dict[str, str]
    rules: tuple[CompiledRule, ...]
    key: tuple[str, ...]
    code_lists: frozenset[str] = frozenset()
    """the lists of the catalogue whose codes are in the rules"""
    odd: tuple[CompiledRule, ...] = ()
    """rules for which no row is rejected"""


def compile_schema(schema: pa.DataFrameSchema, code_lists: Mapping[str, CodeList] | None = None) -> CompiledSchema:
    """The compiled form of `schema`, with the codes of the lists that it leans on.

    Raises:
        Misconfigured: the schema can do something that one pass cannot: a coercion, a parser, a check that is not one
            boolean expression over the row, a column that is not text or says no category or source; or a rule has no
            name of its own; or a list that it leans on is not there.
    """
    name = schema.name or "unnamed"
    try:
        schema = bound(schema, code_lists or {})
    except Misconfigured as error:
        raise Misconfigured(error.code, f"schema {name}: {error.message}", next_step=error.next_step) from None
    lax = schema.coerce or schema.parsers or schema.drop_invalid_rows or schema.add_missing_columns or schema.dtype
    if schema.strict is not True or lax:
        raise _invalid(name, "", "must be strict, and may not coerce, parse, add or drop")
    rules: list[CompiledRule] = []
    for column, declared in schema.columns.items():
        rules += _column_rules(name, column, declared)
    for check in schema.checks:
        fine = _recorded(name, "", check)
        rules.append(CompiledRule(str(check.name), "", ~fine.fill_null(value=False)))
    odd = [rule for column, declared in schema.columns.items() for rule in _odd_rules(name, column, declared)]
    _hangs_together(name, schema, [*rules, *odd])
    metadata = schema.metadata or {}
    return CompiledSchema(
        id=name,
        version=str(metadata.get("version", "")),
        columns=tuple(schema.columns),
        categories={column: declared.metadata["category"] for column, declared in schema.columns.items()},
        sources={column: declared.metadata["source"] for column, declared in schema.columns.items()},
        rules=tuple(rules),
        key=tuple(schema.unique or ()),
        code_lists=leans_on(schema),
        odd=tuple(odd),
    )


def failures(compiled: CompiledSchema, batch: pl.DataFrame) -> pl.DataFrame:
    """One boolean column per rule, in the order of `compiled.rules`, named by its index; one row per row of `batch`."""
    return batch.select(rule.failed.alias(str(index)) for index, rule in enumerate(compiled.rules))


def rejected(compiled: CompiledSchema, batch: pl.DataFrame, tally: Tally) -> pl.Series:
    """True for each row that breaks a rule; what was broken is added to `tally`. The key is not looked at."""
    if not compiled.rules:
        return pl.repeat(value=False, n=batch.height, dtype=pl.Boolean, eager=True)
    failed = failures(compiled, batch)
    counts = failed.select(pl.all().sum()).row(0)
    for rule, column, count in zip(compiled.rules, failed.iter_columns(), counts, strict=True):
        if count:
            tally.add(rule.name, rule.column, batch[POSITION].filter(column).head(20), count)
    if not any(counts):
        return pl.repeat(value=False, n=batch.height, dtype=pl.Boolean, eager=True)
    return failed.select(pl.any_horizontal(pl.all())).to_series()


def tell_odd(compiled: CompiledSchema, batch: pl.DataFrame, tally: Tally) -> None:
    """What is odd in the batch, and taken, is added to `tally`."""
    found = batch.select(rule.failed.alias(str(index)) for index, rule in enumerate(compiled.odd))
    for rule, column in zip(compiled.odd, found.iter_columns(), strict=True):
        if count := int(column.sum()):
            tally.add(rule.name, rule.column, batch[POSITION].filter(column).head(ROWS_NAMED), count)


def key_hashes(compiled: CompiledSchema, batch: pl.DataFrame, *, seed: int) -> pl.Series:
    """A 64-bit hash of each row's key. Equal keys have equal hashes; equal hashes must be checked on the real key."""
    return batch.select(_key(compiled.key).hash(seed)).to_series()


def _key(columns: Sequence[str]) -> pl.Expr:
    return pl.col(columns[0]) if len(columns) == 1 else pl.struct(columns)


def _column_rules(schema: str, column: str, declared: Any) -> list[CompiledRule]:
    metadata = declared.metadata or {}
    if (
        declared.dtype is None
        or declared.dtype.type != pl.String
        or declared.unique
        or declared.coerce
        or declared.regex
        or declared.parsers
        or declared.drop_invalid_rows
        or declared.default is not None
        or not declared.required
    ):
        raise _invalid(schema, column, "must be plain text, as it came; the key belongs to the schema's `unique`")
    if not isinstance(metadata.get("category"), Category) or not metadata.get("source"):
        raise _invalid(schema, column, "must say its category and its source")
    cell = pl.col(column)
    rules = [] if declared.nullable else [CompiledRule(REQUIRED_RULE, column, cell.is_null())]
    for check in declared.checks:
        fine = _recorded(schema, column, check)
        rules.append(CompiledRule(str(check.name), column, ~fine.fill_null(cell.is_null())))
    return rules


def _odd_rules(schema: str, column: str, declared: Any) -> list[CompiledRule]:
    rules = []
    for rule in (declared.metadata or {}).get("odd", ()):
        if not rule.name.startswith(READER_RULES[0]):
            raise _invalid(
                schema, column, f"rule {rule.name} rejects no row: its name must begin with {READER_RULES[0]}"
            )
        cell = pl.col(column)
        rules.append(CompiledRule(rule.name, column, cell.is_not_null() & ~rule.fine(cell).fill_null(value=False)))
    return rules


def _hangs_together(schema: str, declared: pa.DataFrameSchema, rules: Sequence[CompiledRule]) -> None:
    key = declared.unique or []
    if not all(isinstance(column, str) and column in declared.columns for column in key):
        raise _invalid(schema, "", "`unique` must name columns of the schema")
    named = Counter((rule.column, rule.name) for rule in rules)
    for rule in rules:
        if named[rule.column, rule.name] > 1 or rule.name == KEY_RULE or not _NAME.fullmatch(rule.name):
            raise _invalid(schema, rule.column, f"rule {rule.name} must have a name of its own, such as at-most-35")
    cells = {column: _PROBE[at % 3 :] + _PROBE[: at % 3] for at, column in enumerate(declared.columns)}
    probe = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    if not _row_by_row(rules, probe):
        strange = next(rule for rule in rules if not _row_by_row([rule], probe))
        raise _invalid(schema, strange.column, f"check {strange.name} is not one boolean expression over the row")


def _row_by_row(rules: Sequence[CompiledRule], probe: pl.DataFrame) -> bool:
    """Whether each rule is one boolean a row, the same alone and in a crowd. A mistake shows; malice could hide."""
    wanted = [rule.failed.alias(str(index)) for index, rule in enumerate(rules)]
    try:
        together = pl.concat([probe] * _CROWD).select(wanted)
        apart = pl.concat([row.select(wanted) for row in probe.iter_slices(1)])
    except pl.exceptions.PolarsError:
        return False
    return set(together.dtypes) <= {pl.Boolean} and together.equals(pl.concat([apart] * _CROWD))


class _Recorder:
    """Stands in for a LazyFrame: keeps the one expression that a check selects, and can do nothing else."""

    def __init__(self) -> None:
        self.selected: list[pl.Expr] = []

    def select(self, *expressions: pl.Expr) -> "_Recorder":
        self.selected.extend(expressions)
        return self


def _recorded(schema: str, column: str, check: pa.Check) -> pl.Expr:
    recorder = _Recorder()
    try:
        returned = check._check_fn(PolarsData(recorder, column or "*"))  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001  a check may do anything; whatever it did, it is not one expression
        returned = None
    plain = not (check.element_wise or check.groupby or check.raise_warning) and check.ignore_na is bool(column)
    if (
        returned is not recorder
        or len(recorder.selected) != 1
        or not isinstance(recorder.selected[0], pl.Expr)
        or not plain
    ):
        raise _invalid(schema, column, f"check {check.name!s} is not one expression over the row")
    return recorder.selected[0]


def _invalid(schema: str, column: str, why: str) -> Misconfigured:
    where = f"schema {schema}, column {column}" if column else f"schema {schema}"
    return Misconfigured(Code.SCHEMA_INVALID, f"{where}: {why}.", next_step="correct the module below schemas/.")

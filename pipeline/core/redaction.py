"""What does one chunk of accepted rows become under one agreement?

The output is constructed from the columns that the agreement names; nothing is dropped from a copy. Row rules come first: each
row that one keeps back is counted under the first such rule. Statistics become partial counts here and a table in
`core.statistics`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.core.agreement import Agreement, CodeList, Condition, Reason, RowRule
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.treatments import PseudonymKeys, released_cell
from pipeline.core.validation import CompiledSchema

COUNT = "_count"
"""In partial counts, the column with the number of rows of a cell."""

_VERDICT = "_verdict"


@dataclass(frozen=True, slots=True)
class Redaction:
    """An agreement compiled against its feed's schema."""

    agreement: Agreement
    verdict: pl.Expr
    outputs: tuple[pl.Expr, ...]


@dataclass(frozen=True, slots=True)
class Redacted:
    """What one chunk became. `frame`: a row per released row, or per cell with `COUNT` for statistics.

    `in_scope` is the chunk's rows that stay, with all columns, aligned with `frame` (for the gates; never sealed).
    `kept_back` counts the other rows by the name of the row rule.
    """

    frame: pl.DataFrame
    in_scope: pl.DataFrame
    kept_back: Counter[str]


def compile_redaction(
    agreement: Agreement, schema: CompiledSchema, code_lists: dict[str, CodeList], pseudonym_keys: PseudonymKeys
) -> Redaction:
    """The agreement, ready to run on chunks of `schema`.

    Raises:
        Misconfigured: it names a column that the feed does not have, or a code list that the catalogue does not have.
    """
    check_names(agreement, schema.columns, code_lists)
    verdict = pl.lit(None, dtype=pl.String)
    for rule in reversed(agreement.rows):
        verdict = pl.when(_holds(rule, code_lists)).then(verdict).otherwise(pl.lit(rule.name))
    outputs = tuple(
        released_cell(treatment, pl.col(name), code_lists=code_lists, pseudonym_keys=pseudonym_keys).alias(name)
        for name, treatment in agreement.columns.items()
    )
    return Redaction(agreement, verdict, outputs)


def check_names(agreement: Agreement, columns: Sequence[str], code_lists: dict[str, CodeList]) -> None:
    """Every column and code list that the agreement names exists; else Misconfigured, naming it."""
    where = f"agreement {agreement.id}"
    asked = {condition.column for rule in agreement.rows for condition in (*rule.any, *rule.all)}
    for name in sorted(
        ({*agreement.columns, *asked, *(c for case in agreement.cases for c in case.row)}) - set(columns)
    ):
        raise Misconfigured(
            Code.COLUMN_UNKNOWN,
            f"{where} names the column {name}, which feed {agreement.feed} does not have.",
            next_step=f"correct catalogue/agreements/{agreement.id}.toml, then rerun.",
        )
    for name in sorted(agreement.code_lists() - set(code_lists)):
        raise Misconfigured(
            Code.CODE_LIST_MISSING,
            f"{where} needs the code list {name}.",
            next_step=f"add catalogue/codes/{name}.toml, then rerun.",
        )


def redact(redaction: Redaction, chunk: pl.DataFrame) -> Redacted:
    """What `chunk` (accepted rows of the feed) becomes."""
    if redaction.agreement.rows:
        verdict = chunk.select(redaction.verdict.alias(_VERDICT)).to_series()
        counted = verdict.drop_nulls().value_counts()
        kept_back = Counter(dict(counted.iter_rows()))
        in_scope = chunk.filter(verdict.is_null()) if kept_back else chunk
    else:
        kept_back, in_scope = Counter(), chunk
    frame = in_scope.select(redaction.outputs)
    if redaction.agreement.statistics:
        frame = frame.group_by(frame.columns).len(COUNT)
    return Redacted(frame, in_scope, kept_back)


def reasons(agreement: Agreement) -> dict[str, Reason]:
    """Why the rows that each row rule keeps back are kept back."""
    return {rule.name: rule.otherwise for rule in agreement.rows}


def _holds(rule: RowRule, code_lists: dict[str, CodeList]) -> pl.Expr:
    if rule.any:
        return pl.any_horizontal(_answers_yes(condition, code_lists) for condition in rule.any)
    return pl.all_horizontal(_answers_yes(condition, code_lists) for condition in rule.all)


def _answers_yes(condition: Condition, code_lists: dict[str, CodeList]) -> pl.Expr:
    cell = pl.col(condition.column)
    if condition.any_of is not None:
        answer = cell.is_in(list(condition.any_of))
    elif condition.in_codes is not None:
        answer = cell.is_in(list(code_lists[condition.in_codes].codes))
    else:
        answer = cell >= pl.lit(condition.at_least, dtype=pl.String)
    return answer.fill_null(value=False)

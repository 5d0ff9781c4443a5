"""What does one chunk of accepted rows become under one agreement?

The output is constructed from the columns that the agreement names; nothing is dropped from a copy. Row rules come first: each
row that one keeps back is counted under the first such rule. A cell whose column is released only under a condition is absent
where that is not true of its row. Statistics become partial counts here and a table in
`core.statistics`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.scope import CLOCK_EVENTS, Reason
from pipeline.core.language.treatment import Released
from pipeline.core.scope import Events, in_scope, truth
from pipeline.core.statistics import partial_counts
from pipeline.core.treatments import Means, released_cell
from pipeline.core.validation import CompiledSchema

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
    `kept_back` counts the other rows by the name of the row rule. `days`: the date that each row's own clock runs from.
    """

    frame: pl.DataFrame
    in_scope: pl.DataFrame
    kept_back: Counter[str]
    days: pl.Series | None = None


def compile_redaction(agreement: Agreement, schema: CompiledSchema, means: Means, events: Events) -> Redaction:
    """The agreement, ready to run on chunks of `schema`.

    Raises:
        Misconfigured: it names a column that the feed does not have, or a code list that the catalogue does not have.
    """
    check_names(agreement, schema.columns, means)
    # One beside the other, not one in the other: what nests takes the square of its depth, or more.
    failed = (~in_scope(rule, means.code_lists, events) for rule in agreement.rows)
    named = (pl.when(broken).then(pl.lit(rule.name)) for broken, rule in zip(failed, agreement.rows, strict=True))
    verdict = pl.coalesce(pl.lit(None, dtype=pl.String), *named)
    outputs = tuple(_output(name, said, means, events) for name, said in agreement.released.items())
    return Redaction(agreement, verdict, outputs)


def _output(name: str, treatment: Released, means: Means, events: Events) -> pl.Expr:
    """What is released of the column; nothing where its condition is false or unknown."""
    cell = released_cell(treatment, pl.col(name), means)
    if treatment.only_where:
        cell = pl.when(truth(treatment.only_where, means.code_lists, events)).then(cell)
    return cell.alias(name)


def check_names(agreement: Agreement, columns: Sequence[str], means: Means) -> None:
    """Every column, code list and hierarchy that the agreement names exists; else Misconfigured, naming it."""
    where = f"agreement {agreement.id}"
    for name in sorted(_named_columns(agreement) - set(columns)):
        raise Misconfigured(
            Code.COLUMN_UNKNOWN,
            f"{where} names the column {name}, which feed {agreement.feed} does not have.",
            next_step=f"correct catalogue/agreements/{agreement.id}.toml, then rerun.",
        )
    for name in sorted(
        (agreement.code_lists() - set(means.code_lists)) | (agreement.hierarchies() - set(means.hierarchies))
    ):
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
        stays = chunk.filter(verdict.is_null()) if kept_back else chunk
    else:
        kept_back, stays = Counter(), chunk
    frame = stays.select(redaction.outputs)
    if redaction.agreement.statistics:
        frame = partial_counts(frame, stays, redaction.agreement.statistics)
    day = redaction.agreement.handling.retention.column
    return Redacted(frame, stays, kept_back, stays[day] if day else None)


def reasons(agreement: Agreement) -> dict[str, Reason]:
    """Why the rows that each row rule keeps back are kept back."""
    return {rule.name: rule.otherwise for rule in agreement.rows}


def _named_columns(agreement: Agreement) -> set[str]:
    questions = (*agreement.questions(), *(asks for _, asks in agreement.cell_questions()))
    moments = (moment for asks in questions for moment in (asks.no_earlier_than, asks.no_later_than))
    events = {moment.event for moment in moments if moment} - CLOCK_EVENTS
    day = agreement.handling.retention.column
    sums = agreement.statistics.added.values() if agreement.statistics else ()
    asked = {asks.column for asks in questions}
    given = {name for case in agreement.cases for name in case.row}
    return {*agreement.columns, *asked, *events, *given, *sums, *([day] if day else [])}

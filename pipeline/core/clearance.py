"""Is what is about to leave exactly what the agreement allows?

These gates do not trust `core.redaction`: they derive what the output must look like from the agreement alone, and look
for withheld values in the rows that are about to be sealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.core.agreement import (
    Agreement,
    CodeList,
    FilterTerms,
    GeneraliseDate,
    Keep,
    Mask,
    Pseudonymise,
    Treatment,
)
from pipeline.core.errors import Code, Refused
from pipeline.core.redaction import COUNT, Redacted
from pipeline.core.schema import Category
from pipeline.core.statistics import Table
from pipeline.core.treatments import folded, listed_words
from pipeline.core.validation import CompiledSchema

SHORTEST_WITHHELD = 6
"""A withheld value of fewer characters is not searched for: a surname such as NG would be found everywhere."""

_SEARCHED = frozenset({Category.DIRECT_IDENTIFIER, Category.FREE_TEXT})


@dataclass(frozen=True, slots=True)
class Cleared:
    """Rows that passed every gate. All text, in the agreement's column order. Made only in this module."""

    frame: pl.DataFrame


def clear_rows(
    redacted: Redacted, agreement: Agreement, schema: CompiledSchema, code_lists: dict[str, CodeList]
) -> Cleared:
    """The rows of one chunk, cleared.

    Raises:
        Refused: a column too many or too few, a cell that its treatment cannot have made, a withheld value.
    """
    _has_columns(redacted.frame, tuple(agreement.columns), agreement)
    if redacted.frame.height != redacted.in_scope.height:
        raise _differs(agreement, f"{redacted.in_scope.height} rows became {redacted.frame.height}")
    _cells_look_treated(redacted.frame, agreement, code_lists)
    _no_withheld_value(redacted, agreement, schema)
    return Cleared(redacted.frame)


def clear_table(table: Table, agreement: Agreement, code_lists: dict[str, CodeList]) -> Cleared:
    """A table of counts, cleared: the same gates, and no cell below the agreement's smallest."""
    rule = agreement.statistics
    if rule is None:
        raise _differs(agreement, "a table where the agreement releases rows")
    _has_columns(table.frame, (*agreement.columns, rule.count_as), agreement)
    _cells_look_treated(table.frame, agreement, code_lists)
    small = table.frame.filter(pl.col(rule.count_as).cast(pl.Int64) < rule.smallest_cell).height
    if small or (0 < table.suppressed_rows < rule.smallest_cell and table.frame.height):
        raise Refused(
            Code.CELL_TOO_SMALL,
            f"agreement {agreement.id}: {small} cells are below {rule.smallest_cell}, or what is suppressed is.",
            next_step="this is a fault in Safeconduct: nothing was released; report it.",
        )
    return Cleared(table.frame)


def clear_partial(redacted: Redacted, agreement: Agreement) -> pl.DataFrame:
    """Partial counts of one chunk, once their columns and their sum are right."""
    _has_columns(redacted.frame.drop(COUNT), tuple(agreement.columns), agreement)
    if redacted.frame[COUNT].sum() != redacted.in_scope.height:
        raise _differs(agreement, "counts do not add up to the rows in scope")
    return redacted.frame


def _has_columns(frame: pl.DataFrame, expected: Sequence[str], agreement: Agreement) -> None:
    if tuple(frame.columns) != tuple(expected) or any(dtype != pl.String for dtype in frame.dtypes):
        unexpected = sorted(set(frame.columns) - set(expected))
        raise _differs(
            agreement, f"columns differ from the agreement's (unexpected: {', '.join(unexpected) or 'none'})"
        )


def _cells_look_treated(frame: pl.DataFrame, agreement: Agreement, code_lists: dict[str, CodeList]) -> None:
    wrong = {
        name: _untreated(treatment, pl.col(name), code_lists).sum()
        for name, treatment in agreement.columns.items()
        if not isinstance(treatment, Keep)
    }
    if not wrong or not frame.height:
        return
    for name, count in frame.select(expr.alias(name) for name, expr in wrong.items()).row(0, named=True).items():
        if count:
            raise _differs(
                agreement, f"column {name}: {count} cells are not what {agreement.columns[name].treatment} makes"
            )


def _untreated(treatment: Treatment, cell: pl.Expr, code_lists: dict[str, CodeList]) -> pl.Expr:
    """True where a cell cannot have come from the treatment."""
    match treatment:
        case Keep():
            return pl.lit(value=False)
        case Pseudonymise():
            return ~cell.str.contains(r"\A[0-9a-f]{32}(?:\n[0-9a-f]{32})*\z")
        case Mask():
            shown = treatment.keep_first + treatment.keep_last
            line = rf"[^\p{{L}}\p{{N}}\n]*(?:[\p{{L}}\p{{N}}][^\p{{L}}\p{{N}}\n]*){{0,{shown}}}"
            return ~cell.str.contains(rf"\A{line}(?:\n{line})*\z")
        case GeneraliseDate():
            return ~cell.str.contains(r"\A[0-9]{4}\z" if treatment.to == "year" else r"\A[0-9]{4}-[0-9]{2}\z")
        case FilterTerms():
            words = "(?im)" + listed_words(code_lists[treatment.codes])
            odd = pl.when(cell.str.contains(r"[^\x00-\x7F]")).then(cell)
            return cell.str.contains(words) | folded(odd).str.contains(words).fill_null(value=False)


def _no_withheld_value(redacted: Redacted, agreement: Agreement, schema: CompiledSchema) -> None:
    """No row holds, anywhere, a direct identifier or free text of its own that the agreement does not let through."""
    hidden = [
        name
        for name, category in schema.categories.items()
        if category in _SEARCHED and not isinstance(agreement.columns.get(name), Keep)
    ]
    if not hidden or not redacted.frame.height:
        return
    row = redacted.frame.select(pl.concat_str(pl.all(), separator="\x1f", ignore_nulls=True)).to_series()
    for name in hidden:
        values = redacted.in_scope[name]
        lines = pl.DataFrame({"row": row, "value": values}).drop_nulls("value")
        if values.str.contains("\n", literal=True).any():
            lines = lines.with_columns(pl.col("value").str.split("\n")).explode("value", empty_as_null=True)
        searched = lines.filter(pl.col("value").str.len_chars() >= SHORTEST_WITHHELD)
        found = searched.select(pl.col("row").str.contains(pl.col("value"), literal=True).sum()).item()
        if found:
            raise Refused(
                Code.WITHHELD_VALUE_FOUND,
                f"agreement {agreement.id}: {found} values of {name}, which it does not release, are in other columns.",
                next_step="let the agreement withhold or filter the columns that repeat it; nothing was released.",
            )


def _differs(agreement: Agreement, how: str) -> Refused:
    return Refused(
        Code.OUTPUT_DIFFERS,
        f"agreement {agreement.id}: {how}.",
        next_step="nothing was released; correct the agreement or report a fault in Safeconduct.",
    )

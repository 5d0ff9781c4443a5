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

_GIVEN, _ROW = "_given_", "_row"

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
    _cells_are_of_their_rows(redacted, agreement)
    _no_withheld_value(redacted, agreement, schema, code_lists)
    return Cleared(redacted.frame)


def clear_table(table: Table, agreement: Agreement, code_lists: dict[str, CodeList]) -> Cleared:
    """A table of counts, cleared: the same gates, and no cell below the agreement's smallest."""
    rule = agreement.statistics
    if rule is None:
        raise _differs(agreement, "a table where the agreement releases rows")
    _has_columns(table.frame, (*agreement.columns, rule.count_as), agreement)
    _cells_look_treated(table.frame, agreement, code_lists)
    counts = table.frame[rule.count_as].cast(pl.Int64, strict=False)
    if counts.null_count() or counts.sum() != table.published_rows:
        raise _differs(agreement, "the published counts do not add up to the rows behind them")
    small = int((counts < rule.smallest_cell).sum())
    if small or (0 < table.suppressed_rows < rule.smallest_cell and table.frame.height):
        raise Refused(
            Code.CELL_TOO_SMALL,
            f"agreement {agreement.id}: {small} cells are below {rule.smallest_cell}, or what is suppressed is.",
            next_step="this is a fault in Safeconduct: nothing was released; report it.",
        )
    return Cleared(table.frame)


def clear_partial(redacted: Redacted, agreement: Agreement) -> pl.DataFrame:
    """Partial counts of one chunk, once their columns and their sum are right."""
    _has_columns(redacted.frame.drop(COUNT, strict=False), tuple(agreement.columns), agreement)
    if COUNT not in redacted.frame.columns or redacted.frame[COUNT].sum() != redacted.in_scope.height:
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
            more = r"(?:\n[0-9a-f]{32})*" if treatment.each_line else ""
            return ~cell.str.contains(rf"\A[0-9a-f]{{32}}{more}\z")
        case Mask():
            shown = treatment.keep_first + treatment.keep_last
            line = rf"[^\p{{L}}\p{{N}}\n]*(?:[\p{{L}}\p{{N}}][^\p{{L}}\p{{N}}\n]*){{0,{shown}}}"
            starred = r"(?:[^\p{L}\p{N}\n]*|[^*\n]*(?:\*[^*\n]*){4,})"
            return ~(
                cell.str.contains(rf"\A{line}(?:\n{line})*\z") & cell.str.contains(rf"\A{starred}(?:\n{starred})*\z")
            )
        case GeneraliseDate():
            return ~cell.str.contains(r"\A[0-9]{4}\z" if treatment.to == "year" else r"\A[0-9]{4}-[0-9]{2}\z")
        case FilterTerms():
            words = "(?im)" + listed_words(code_lists[treatment.codes])
            odd = pl.when(cell.str.contains(r"[^\x00-\x7F]")).then(cell)
            return cell.str.contains(words) | folded(odd).str.contains(words).fill_null(value=False)


def _cells_are_of_their_rows(redacted: Redacted, agreement: Agreement) -> None:
    """Each released cell stands in the row that it was made from: as it is if kept, else as far as its shape can tell."""
    names = tuple(agreement.columns)
    if not set(names) <= set(redacted.in_scope.columns):
        raise _differs(agreement, "the rows behind the release lack columns of the agreement")
    given = redacted.in_scope.select(pl.col(name).alias(f"{_GIVEN}{name}") for name in names)
    both = pl.concat([redacted.frame, given], how="horizontal")
    strange = [
        _strange(treatment, pl.col(name), pl.col(f"{_GIVEN}{name}")).fill_null(value=True).sum().alias(name)
        for name, treatment in agreement.columns.items()
    ]
    for name, count in both.select(strange).row(0, named=True).items():
        if count:
            raise _differs(agreement, f"column {name}: {count} cells are not of the row that they stand in")


def _strange(treatment: Treatment, cell: pl.Expr, given: pl.Expr) -> pl.Expr:
    """True, or null, where `cell` cannot have been made from `given`."""
    match treatment:
        case Keep():
            return cell.ne_missing(given)
        case Pseudonymise():
            same = pl.lit(value=True)
        case Mask():
            same = cell.str.len_chars() == given.str.len_chars()
        case GeneraliseDate():
            return cell.is_not_null() & ~given.str.starts_with(cell)
        case FilterTerms():
            same = cell.str.count_matches("\n", literal=True) == given.str.count_matches("\n", literal=True)
    return pl.when(given.is_null()).then(cell.is_not_null()).otherwise(cell.is_null() | ~same)


def _no_withheld_value(
    redacted: Redacted, agreement: Agreement, schema: CompiledSchema, code_lists: dict[str, CodeList]
) -> None:
    """No row holds, in any case, a direct identifier or free text of its own that is not let through.

    Two kinds of columns are not searched. A direct identifier that the agreement keeps: its clause lets through what it
    holds, and a sole trader's firm bears its owner's name. A pseudonym: 32 hexadecimal digits hold six given ones by chance.
    """
    hidden = [
        name
        for name, category in schema.categories.items()
        if category in _SEARCHED and not isinstance(agreement.columns.get(name), Keep)
    ]
    searched = [
        name
        for name, treatment in agreement.columns.items()
        if not isinstance(treatment, Pseudonymise)
        and not (isinstance(treatment, Keep) and schema.categories[name] is Category.DIRECT_IDENTIFIER)
    ]
    if not hidden or not searched or not redacted.frame.height:
        return
    row = pl.concat_str(searched, separator="\x1f", ignore_nulls=True).str.to_uppercase().alias(_ROW)
    rows = pl.concat([redacted.frame.select(row), redacted.in_scope.select(hidden)], how="horizontal")
    # A line can only be found where the whole cell is, or where it is one of several: few rows, and all columns at once.
    doubtful = rows.select(
        (_found(pl.col(name)) | pl.col(name).str.contains("\n", literal=True)).alias(name) for name in hidden
    )
    for name in hidden:
        lines = rows.filter(doubtful[name]).select(_ROW, pl.col(name).str.split("\n")).explode(name, empty_as_null=True)
        found = lines.filter(
            _found(pl.col(name))
            & (pl.col(name).str.len_chars() >= SHORTEST_WITHHELD)
            & _withheld(agreement.columns.get(name), pl.col(name), code_lists)
        ).height
        if found:
            raise Refused(
                Code.WITHHELD_VALUE_FOUND,
                f"agreement {agreement.id}: {found} values of {name}, which it does not release, are in other columns.",
                next_step="let the agreement withhold or filter the columns that repeat it; nothing was released.",
            )


def _found(value: pl.Expr) -> pl.Expr:
    """True where the released row holds `value`, in any case; null where there is no value."""
    return pl.col(_ROW).str.contains(value.str.to_uppercase(), literal=True)


def _withheld(treatment: Treatment | None, line: pl.Expr, code_lists: dict[str, CodeList]) -> pl.Expr:
    """True for a line that may not be released: any with a letter or digit, but of a filtered column only those masked."""
    if isinstance(treatment, FilterTerms):
        return _untreated(treatment, line, code_lists)
    return line.str.contains(r"[\p{L}\p{N}]")


def _differs(agreement: Agreement, how: str) -> Refused:
    return Refused(
        Code.OUTPUT_DIFFERS,
        f"agreement {agreement.id}: {how}.",
        next_step="nothing was released; correct the agreement or report a fault in Safeconduct.",
    )

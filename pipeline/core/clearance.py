"""Is what is about to leave exactly what the agreement allows?

These gates do not trust `core.redaction`: they derive what the output must look like from the agreement alone, and look
for withheld values in the rows that are about to be sealed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from pipeline.core.differencing import Told, uncovered
from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.category import Category
from pipeline.core.language.treatment import (
    Answer,
    Constant,
    Keep,
    Pseudonymise,
    Statistics,
    Tokenise,
)
from pipeline.core.numerals import SUMMED_DECIMALS
from pipeline.core.redaction import Redacted
from pipeline.core.scope import Events
from pipeline.core.shapes import changed, of_another_row, untreated
from pipeline.core.statistics import COUNT, LARGEST, Table
from pipeline.core.treatments import Means
from pipeline.core.validation import CompiledSchema
from pipeline.core.withholding import may_show

SHORTEST_WITHHELD = 6
"""A withheld value of fewer characters is not searched for: a surname such as NG would be found everywhere."""

_GIVEN, _ROW, _SHOWN = "_given_", "_row", "_shown"

_SEARCHED = frozenset({Category.DIRECT_IDENTIFIER, Category.FREE_TEXT})


@dataclass(frozen=True, slots=True)
class Cleared:
    """Rows that passed every gate. All text, in the agreement's column order. Made only in this module."""

    frame: pl.DataFrame


def clear_rows(
    redacted: Redacted, agreement: Agreement, schema: CompiledSchema, means: Means, events: Events
) -> Cleared:
    """The rows of one chunk, cleared.

    Raises:
        Refused: a column too many or too few, a cell that its treatment cannot have made, a withheld value.
    """
    _has_columns(redacted.frame, tuple(agreement.released), agreement)
    if redacted.frame.height != redacted.in_scope.height:
        raise _differs(agreement, f"{redacted.in_scope.height} rows became {redacted.frame.height}")
    _cells_look_treated(redacted.frame, agreement, means)
    shown = _shown(redacted, agreement, means, events)
    _withheld_cells_are_absent(redacted, agreement, shown)
    _cells_are_of_their_rows(redacted, agreement, means, shown)
    _no_withheld_value(redacted, agreement, schema, means, shown)
    return Cleared(redacted.frame)


def clear_table(
    table: Table,
    agreement: Agreement,
    means: Means,
    earlier: Sequence[Told] = (),
    partials: Sequence[pl.DataFrame] = (),
) -> Cleared:
    """A table of counts and sums, cleared: the same gates, and no cell below the agreement's smallest.

    `earlier`: every table that the agreement has told before; none of them together with this one tells a small cell or change.
    `partials`: what it was made of, cleared; no row of theirs makes up nearly all of a sum.
    """
    rule = agreement.statistics
    if rule is None:
        raise _differs(agreement, "a table where the agreement releases rows")
    _has_columns(table.frame, (*agreement.released, rule.count_as, *rule.sums), agreement)
    _cells_look_treated(table.frame, agreement, means)
    _counts_add_up(table, agreement, rule)
    _sums_are_numbers(table.frame, agreement, rule)
    _nobody_dominates(partials, table, agreement, rule)
    _tells_nothing_with(earlier, table, agreement, rule)
    return Cleared(table.frame)


def clear_partial(redacted: Redacted, agreement: Agreement) -> pl.DataFrame:
    """Partial counts and sums of one chunk, once their columns and totals are right."""
    frame, sums = redacted.frame, agreement.statistics.added if agreement.statistics else {}
    dominated = agreement.statistics.dominated if agreement.statistics else ()
    counted = [COUNT, *sums, *(f"{LARGEST}{name}" for name in dominated)]
    _has_columns(frame.drop(counted, strict=False), tuple(agreement.released), agreement)
    if COUNT not in frame.columns or frame[COUNT].sum() != redacted.in_scope.height:
        raise _differs(agreement, "counts do not add up to the rows in scope")
    for name, source in sums.items():
        # Where a cell cannot be read it is suppressed: there is no total to compare with.
        if name not in frame.columns or (
            frame[name].null_count() == 0 and int(frame[name].sum() or 0) != _total(redacted.in_scope[source])
        ):
            raise _differs(agreement, f"the sums of {name} do not add up to the rows in scope")
    for name in dominated:
        largest, told = _largest(redacted.in_scope[sums[name]]), frame.get_column(f"{LARGEST}{name}", default=None)
        if largest is not None and (told is None or told.max() != largest):
            raise _differs(agreement, f"the largest number in {name} is not that of the rows in scope")
    return frame


def _total(numbers: pl.Series) -> int | None:
    """The sum of a column of text in units of 10 ** -SUMMED_DECIMALS; None where one of them is no number."""
    read = numbers.cast(pl.Decimal(38, SUMMED_DECIMALS), strict=False)
    return None if read.null_count() else int(Decimal(read.sum() or 0).scaleb(SUMMED_DECIMALS))


def _largest(numbers: pl.Series) -> int | None:
    """The size of the largest number in units of 10 ** -SUMMED_DECIMALS; None where one of them is no number, or there is none."""
    read = numbers.cast(pl.Decimal(38, SUMMED_DECIMALS), strict=False)
    if read.null_count() or not read.len():
        return None
    return max(abs(int(Decimal(str(number)).scaleb(SUMMED_DECIMALS))) for number in (read.min(), read.max()))


def _nobody_dominates(partials: Sequence[pl.DataFrame], table: Table, agreement: Agreement, rule: Statistics) -> None:
    """No row behind a cell makes up more than the largest share of one of its sums."""
    names = list(agreement.released)
    if rule.dominated and table.frame.height and not partials:
        raise _differs(agreement, "nothing says how much of its sums one row makes up")
    for name in rule.dominated if table.frame.height else ():
        most: dict[tuple[str | None, ...], int] = {}
        total: dict[tuple[str | None, ...], int] = {}
        for row in pl.concat(partials).select(*names, name, f"{LARGEST}{name}").iter_rows():
            cell, added, largest = row[: len(names)], row[len(names)], row[len(names) + 1]
            most[cell] = max(most.get(cell, 0), largest or 0)
            total[cell] = total.get(cell, 0) + (added or 0)
        told = table.frame.select(names).iter_rows()
        wrong = sum(100 * most[cell] > (rule.largest_share or 100) * abs(total[cell]) for cell in told)
        if wrong:
            raise Refused(
                Code.CELL_TOO_SMALL,
                f"agreement {agreement.id}: of {wrong} cells one row makes up nearly all of {name}.",
                next_step="this is a fault in Safeconduct: nothing was released; report it.",
            )


def _counts_add_up(table: Table, agreement: Agreement, rule: Statistics) -> None:
    """Each count is a whole number, none says less than the smallest cell, and together they are the rows behind them."""
    counts, step = table.frame[rule.count_as].cast(pl.Int64, strict=False), rule.round_to or 1
    off = abs(int(counts.sum()) - table.published_count)
    if counts.null_count() or bool((counts % step != 0).any()) or off > step // 2 * counts.len():
        raise _differs(agreement, "the published counts do not add up to the rows behind them")
    smallest = (2 * rule.smallest_cell + step) // (2 * step) * step if rule.round_to else rule.smallest_cell
    small = int((counts < smallest).sum())
    too_few = table.published_count < counts.len() * rule.smallest_cell
    # Rows that are counts themselves say by their number nothing of what was counted.
    told_apart = rule.weighted_by is None and 0 < table.suppressed_rows < rule.smallest_cell and counts.len()
    if small or too_few or told_apart:
        raise Refused(
            Code.CELL_TOO_SMALL,
            f"agreement {agreement.id}: {small} cells are below {rule.smallest_cell}, or what is suppressed is.",
            next_step="this is a fault in Safeconduct: nothing was released; report it.",
        )


def _tells_nothing_with(earlier: Sequence[Told], table: Table, agreement: Agreement, rule: Statistics) -> None:
    """What each cell of the table is, less what an earlier table said of it, is no few; and neither shows what the other leaves out."""
    names, step = list(agreement.released), rule.round_to or 1
    now = {row[: len(names)]: (int(row[len(names)]), row[len(names) + 1 :]) for row in table.frame.iter_rows()}
    kept = (
        {cell.names: (cell.told, cell.sums) for cell in table.told.cells if cell.told is not None} if table.told else {}
    )
    if table.told and kept != now:
        raise _differs(agreement, "what is kept of the table is not what it tells")
    for one in earlier:
        if one.columns != tuple(names):
            continue
        small = max(rule.smallest_cell, one.smallest_cell)
        few = 0
        for cell in one.cells:
            if cell.told is None or cell.names not in now:
                continue
            count, sums = now[cell.names]
            least = count - step // 2 - cell.told - (one.step - 1) // 2
            most = count + (step - 1) // 2 - cell.told + one.step // 2
            summed_anew = count == cell.told and len(sums) == len(cell.sums) and sums != cell.sums
            few += 0 < least <= most < small or -small < least <= most < 0 or summed_anew
        if few or (table.told and (uncovered(table.told, one) or uncovered(one, table.told))):
            raise Refused(
                Code.DIFFERENCE_TOO_SMALL,
                f"agreement {agreement.id}: next to the table of {one.release}, {few or 'some'} cells would tell a small one.",
                next_step="round more (`round_to`), or release it once more has changed; nothing was released.",
            )


def _sums_are_numbers(frame: pl.DataFrame, agreement: Agreement, rule: Statistics) -> None:
    """Each sum is a decimal number, as coarse as the agreement rounds it."""
    decimals = "" if rule.round_to else rf"(?:\.[0-9]{{1,{SUMMED_DECIMALS}}})?"
    for name in rule.sums:
        fine = pl.col(name).str.contains(rf"\A-?[0-9]+{decimals}\z")
        if rule.round_to:
            fine &= pl.col(name).cast(pl.Int128, strict=False) % rule.round_to == 0
        wrong = frame.filter(~fine.fill_null(value=False)).height
        if wrong:
            raise _differs(agreement, f"column {name}: {wrong} cells are no sums as the agreement rounds them")


def _has_columns(frame: pl.DataFrame, expected: Sequence[str], agreement: Agreement) -> None:
    if tuple(frame.columns) != tuple(expected) or any(dtype != pl.String for dtype in frame.dtypes):
        unexpected = sorted(set(frame.columns) - set(expected))
        raise _differs(
            agreement, f"columns differ from the agreement's (unexpected: {', '.join(unexpected) or 'none'})"
        )


def _cells_look_treated(frame: pl.DataFrame, agreement: Agreement, means: Means) -> None:
    wrong = {
        name: untreated(treatment, pl.col(name), means)
        for name, treatment in agreement.released.items()
        if not isinstance(treatment, Keep)
    }
    if not wrong or not frame.height:
        return
    for name, count in frame.select(expr.alias(name) for name, expr in wrong.items()).row(0, named=True).items():
        if count:
            raise _differs(
                agreement, f"column {name}: {count} cells are not what {agreement.released[name].treatment} makes"
            )


def _shown(redacted: Redacted, agreement: Agreement, means: Means, events: Events) -> dict[str, pl.Series]:
    """For each column with a condition, true where the row lets its cell be released."""
    try:
        return {
            name: redacted.in_scope.select(may_show(said, means, events)).to_series()
            for name, said in agreement.released.items()
            if said.only_where
        }
    except pl.exceptions.ColumnNotFoundError:
        raise _differs(agreement, "the rows behind the release lack columns of the agreement") from None


def _withheld_cells_are_absent(redacted: Redacted, agreement: Agreement, shown: Mapping[str, pl.Series]) -> None:
    for name, fine in shown.items():
        wrong = int((redacted.frame[name].is_not_null() & ~fine).sum())
        if wrong:
            raise _differs(agreement, f"column {name}: {wrong} cells are released where its condition is not met")


def _cells_are_of_their_rows(
    redacted: Redacted, agreement: Agreement, means: Means, shown: Mapping[str, pl.Series]
) -> None:
    """Each released cell stands in the row that it was made from: as it is if kept, else as far as its shape can tell."""
    names = tuple(agreement.released)
    if not set(names) <= set(redacted.in_scope.columns):
        raise _differs(agreement, "the rows behind the release lack columns of the agreement")
    # Of a withheld cell nothing was given.
    given = redacted.in_scope.select(_where(pl.col(name), shown.get(name)).alias(f"{_GIVEN}{name}") for name in names)
    both = pl.concat([redacted.frame, given], how="horizontal")
    strange = [
        of_another_row(treatment, pl.col(name), pl.col(f"{_GIVEN}{name}"), means)
        .fill_null(value=True)
        .sum()
        .alias(name)
        for name, treatment in agreement.released.items()
    ]
    for name, count in both.select(strange).row(0, named=True).items():
        if count:
            raise _differs(agreement, f"column {name}: {count} cells are not of the row that they stand in")


def _where(cell: pl.Expr, shown: pl.Series | None) -> pl.Expr:
    return cell if shown is None else pl.when(pl.lit(shown)).then(cell)


def _no_withheld_value(
    redacted: Redacted, agreement: Agreement, schema: CompiledSchema, means: Means, shown: Mapping[str, pl.Series]
) -> None:
    """No row holds, in any case, a direct identifier or free text of its own that is not let through.

    Hidden is what the agreement withholds or does not name, and what it changes: all but what it keeps in that row. Three kinds of columns
    are not searched. A direct identifier that the agreement keeps: its clause lets through what it holds, and a sole
    trader's firm bears its owner's name. A pseudonym or token: their digits and letters hold six given ones by chance.
    A constant or an answer: it holds words of the agreement, whatever the row says.
    """
    hidden = [
        name
        for name, category in schema.categories.items()
        if category in _SEARCHED and (name in shown or not isinstance(agreement.released.get(name), Keep))
    ]
    searched = [
        name
        for name, treatment in agreement.released.items()
        if not isinstance(treatment, Pseudonymise | Tokenise | Constant | Answer)
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
        fine = shown.get(name, pl.repeat(value=True, n=rows.height, dtype=pl.Boolean, eager=True)).alias(_SHOWN)
        cells = rows.select(_ROW, pl.col(name).str.split("\n"), fine).filter(doubtful[name])
        lines = cells.explode(name, empty_as_null=True)
        lines = lines.filter(_found(pl.col(name)) & (pl.col(name).str.len_chars() >= SHORTEST_WITHHELD))
        treatment = agreement.released.get(name)
        where_shown = lines.filter(pl.col(_SHOWN) & (not isinstance(treatment, Keep)))
        for hides in changed(treatment, pl.col(name), means):
            where_shown = where_shown.filter(hides)
        found = where_shown.height + lines.filter(~pl.col(_SHOWN) & pl.col(name).str.contains(r"[\p{L}\p{N}]")).height
        if found:
            raise Refused(
                Code.WITHHELD_VALUE_FOUND,
                f"agreement {agreement.id}: {found} values of {name}, which it does not release, are in other columns.",
                next_step="let the agreement withhold or filter the columns that repeat it; nothing was released.",
            )


def _found(value: pl.Expr) -> pl.Expr:
    """True where the released row holds `value`, in any case; null where there is no value."""
    return pl.col(_ROW).str.contains(value.str.to_uppercase(), literal=True)


def _differs(agreement: Agreement, how: str) -> Refused:
    return Refused(
        Code.OUTPUT_DIFFERS,
        f"agreement {agreement.id}: {how}.",
        next_step="nothing was released; correct the agreement or report a fault in Safeconduct.",
    )

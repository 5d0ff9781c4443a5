"""Must this cell be withheld, by what the other columns of its row say?

For the gates of `core.clearance`: nothing here uses what `core.scope` is made of, so that a fault there is not one here too. What must be
true of the row is asked twice, for what is surely true and what is surely false (Kleene, 1938), and never comes out null. Days and
seconds are compared as text, in the order of ISO 8601; where a moment is told from, the calendar of `core.duration` says.
"""

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl

from pipeline.core.duration import after
from pipeline.core.language.scope import AllOf, AnyOf, Asks, Moment, Not, Predicate
from pipeline.core.language.treatment import Released
from pipeline.core.scope import Events
from pipeline.core.treatments import Means

_DAY = r"\A([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*)?\z"
_BEFORE_ALL, _AFTER_ALL = "", "~"
"""As text before and after every day: what lies beyond the years 1 to 9999."""

_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_CLOCK = rf"\A[0-9-]{{10}}T(?:({_MINUTE})|({_MINUTE}:[0-5][0-9])(?:\.[0-9]{{1,9}})?)Z?\z"


def may_show(treatment: Released, means: Means, events: Events) -> pl.Expr:
    """True where the row lets the cell be released: everywhere without a condition. Never null."""
    if treatment.only_where is None:
        return pl.lit(value=True)
    return _surely(treatment.only_where, means, events, want=True)


def _surely(predicate: Predicate, means: Means, events: Events, *, want: bool) -> pl.Expr:
    """True where the predicate is surely true, or, not wanted, surely false."""
    match predicate:
        case Not():
            return _surely(predicate.negated, means, events, want=not want)
        case AnyOf() | AllOf():
            inner = predicate.any if isinstance(predicate, AnyOf) else predicate.all
            parts = [_surely(one, means, events, want=want) for one in inner]
            return pl.any_horizontal(parts) if isinstance(predicate, AnyOf) == want else pl.all_horizontal(parts)
        case Asks():
            said = _says(predicate, means, events)
            return (said if want else ~said).fill_null(value=False)


def _says(asks: Asks, means: Means, events: Events) -> pl.Expr:
    """The answer, null where it is unknown."""
    cell = pl.col(asks.column)
    if asks.exists is not None:
        return cell.is_null() ^ pl.lit(asks.exists)
    listed, without = asks.in_codes or asks.not_in_codes, asks.none_of is not None or asks.not_in_codes is not None
    values: Sequence[str] | None = asks.any_of or asks.none_of
    if listed:
        lapses, codes = means.code_lists[listed].lapses, means.code_lists[listed].codes
        values = [code for code in codes if code not in lapses or events.released.date() < lapses[code]]
    if values is not None:
        found = cell.replace_strict(dict.fromkeys(values, True), default=False, return_dtype=pl.Boolean)
        return pl.when(cell.is_not_null()).then(found ^ pl.lit(without))
    if asks.declared is not None:
        return cell.eq(events.case) if events.case is not None else pl.lit(None, dtype=pl.Boolean)
    if asks.at_least is not None:
        return _bounded(cell, asks.at_least, asks.read_as, lambda one, other: one >= other)
    if asks.at_most is not None:
        return _bounded(cell, asks.at_most, asks.read_as, lambda one, other: one <= other)
    if asks.no_earlier_than is not None:
        return _timed(cell, asks.no_earlier_than, events, lambda one, other: one >= other)
    if asks.no_later_than is not None:
        return _timed(cell, asks.no_later_than, events, lambda one, other: one <= other)
    return pl.lit(None, dtype=pl.Boolean)


_Compare = Callable[[pl.Expr, pl.Expr], pl.Expr]


def _bounded(cell: pl.Expr, bound: str, read_as: str, compare: _Compare) -> pl.Expr:
    match read_as:
        case "number":
            number = pl.when(cell.str.contains(r"\A[+-]?[0-9]{1,15}(?:[.][0-9]{1,9})?\z")).then(_billionths(cell))
            return compare(number, pl.lit(int(Decimal(bound).scaleb(9)), dtype=pl.Int128))
        case "date":
            return compare(_day(cell), pl.lit(bound))
        case _:
            return compare(cell, pl.lit(bound))


def _billionths(cell: pl.Expr) -> pl.Expr:
    sign, whole = cell.str.extract(r"\A(-?)", 1), cell.str.extract(r"\A[+-]?([0-9]+)", 1)
    decimals = cell.str.extract(r"[.]([0-9]+)\z", 1).fill_null("").str.pad_end(9, "0")
    return pl.concat_str(sign, whole, decimals).cast(pl.Int128, strict=False)


def _timed(cell: pl.Expr, moment: Moment, events: Events, compare: _Compare) -> pl.Expr:
    """By seconds where both sides have them, else by days."""
    if moment.event in ("released", "loaded"):
        told = _moved(events.released if moment.event == "released" else events.loaded, moment).isoformat()
        second, day = pl.lit(told[:19]), pl.lit(told[:10])
    else:
        other = pl.col(moment.event)
        second, day = _each(_second(other), moment), _each(_day(other), moment)
    mine = _second(cell)
    return (
        pl.when(mine.is_not_null() & second.is_not_null())
        .then(compare(mine, second))
        .otherwise(compare(_day(cell), day))
    )


def _each(told: pl.Expr, moment: Moment) -> pl.Expr:
    """Each day or second, as far from it as the moment is."""

    def moved(cells: pl.Series) -> pl.Series:
        said = cells.drop_nulls().unique().to_list()
        then = [_moved_text(text, moment) for text in said]
        return cells.replace_strict(said, then, default=None, return_dtype=pl.String)

    return told.map_batches(moved, return_dtype=pl.String, is_elementwise=True)


def _moved_text(told: str, moment: Moment) -> str:
    try:
        return _moved(datetime.fromisoformat(told), moment).isoformat()[: len(told)]
    except (ValueError, OverflowError):
        return _AFTER_ALL if moment.plus else _BEFORE_ALL


def _moved(start: datetime, moment: Moment) -> datetime:
    if moment.plus:
        return after(start, moment.plus)
    return _before(start, moment.minus) if moment.minus else start


def _before(end: datetime, duration: str) -> datetime:
    """The instant `duration` before `end`, by the calendar."""
    days, _, hours = duration.removeprefix("P").partition("T")
    count = dict.fromkeys("YMDhm", 0)
    number = ""
    for sign in days + hours.lower():
        if sign.isdigit():
            number += sign
        else:
            count[sign], number = int(number), ""
    year, month = divmod(end.year * 12 + end.month - 1 - 12 * count["Y"] - count["M"], 12)
    day = min(end.day, monthrange(year, month + 1)[1])
    gone = timedelta(days=count["D"], hours=count["h"], minutes=count["m"])
    return end.replace(year=year, month=month + 1, day=day) - gone


def _day(cell: pl.Expr) -> pl.Expr:
    """The day of the calendar that the cell says, as text; null where it says none."""
    said = cell.str.extract(_DAY, 1)
    real = said.str.to_date("%Y-%m-%d", strict=False).is_not_null()
    whole = (cell.str.len_chars() == 10) | cell.str.contains(_CLOCK)
    return pl.when(real & whole).then(said)


def _second(cell: pl.Expr) -> pl.Expr:
    """The second that the cell says, as text; null where it says only a day, or none."""
    clock = pl.coalesce(cell.str.extract(_CLOCK, 2), cell.str.extract(_CLOCK, 1) + ":00")
    return pl.concat_str(_day(cell), clock, separator="T")

"""Is this row one that the agreement speaks of?

Predicates become boolean expressions with three values: null is unknown (`core.language.scope` says when). Only true lets a row
through. A date is a day of the calendar, `2026-11-21`, perhaps with a time in UTC, `2026-11-21T10:30`, with or without seconds and
`Z`; anything else is unknown, also a time in another zone and several dates. Where one of two dates has no time, the days are compared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipeline.core.duration import Duration
from pipeline.core.language.codes import CodeList
from pipeline.core.language.scope import AllOf, AnyOf, Asks, Moment, Not, Predicate, RowRule

_TIME = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?Z?"
_DATE = rf"\A[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{_TIME})?\z"
_NUMBER = r"\A[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?\z"


@dataclass(frozen=True, slots=True)
class Events:
    """What days are told from: when the release was authorised, and when its rows were kept. Aware UTC.

    `case` is the reference of the case that is declared for the release.
    """

    released: datetime
    loaded: datetime
    case: str | None = None


def in_scope(rule: RowRule, code_lists: Mapping[str, CodeList], events: Events) -> pl.Expr:
    """True where the rule lets the row through, else false: unknown is out of scope."""
    return truth(rule.predicate, code_lists, events).fill_null(value=False)


def truth(predicate: Predicate, code_lists: Mapping[str, CodeList], events: Events) -> pl.Expr:
    """True, false, or null where the answer is unknown (Kleene)."""
    match predicate:
        case AnyOf():
            return pl.any_horizontal(truth(inner, code_lists, events) for inner in predicate.any)
        case AllOf():
            return pl.all_horizontal(truth(inner, code_lists, events) for inner in predicate.all)
        case Not():
            return ~truth(predicate.negated, code_lists, events)
        case Asks():
            return _answer(predicate, code_lists, events)


def _answer(asks: Asks, code_lists: Mapping[str, CodeList], events: Events) -> pl.Expr:
    cell = pl.col(asks.column)
    if asks.exists is not None:
        return cell.is_not_null() if asks.exists else cell.is_null()
    if asks.any_of is not None:
        return cell.is_in(list(asks.any_of))
    if asks.none_of is not None:
        return ~cell.is_in(list(asks.none_of))
    if asks.in_codes is not None:
        return cell.is_in(code_lists[asks.in_codes].codes_on(events.released.date()))
    if asks.not_in_codes is not None:
        return ~cell.is_in(code_lists[asks.not_in_codes].codes_on(events.released.date()))
    if asks.at_least is not None:
        return _read(cell, asks) >= _read(pl.lit(asks.at_least, dtype=pl.String), asks)
    if asks.at_most is not None:
        return _read(cell, asks) <= _read(pl.lit(asks.at_most, dtype=pl.String), asks)
    if asks.no_earlier_than is not None:
        return _compared(cell, asks.no_earlier_than, events, later=True)
    if asks.no_later_than is not None:
        return _compared(cell, asks.no_later_than, events, later=False)
    if asks.declared is not None:
        return cell == pl.lit(events.case, dtype=pl.String)
    return pl.lit(None, dtype=pl.Boolean)  # no question: unknown, so out of scope


def _read(cell: pl.Expr, asks: Asks) -> pl.Expr:
    match asks.read_as:
        case "text":
            return cell
        case "number":
            return pl.when(cell.str.contains(_NUMBER)).then(cell.str.to_decimal(scale=9))
        case "date":
            return day_of(cell)


def _compared(cell: pl.Expr, moment: Moment, events: Events, *, later: bool) -> pl.Expr:
    """Whether `cell` is no earlier (`later`) or no later than the moment."""
    offset = _offset(moment)
    if moment.event in ("released", "loaded"):
        at = events.released if moment.event == "released" else events.loaded
        event = pl.lit(at.replace(tzinfo=None), dtype=pl.Datetime("us")).dt.offset_by(offset)
        event_day = event.dt.date()
    else:
        event = _second(pl.col(moment.event)).dt.offset_by(offset)
        event_day = pl.coalesce(
            event.dt.date(), day_of(pl.col(moment.event)).cast(pl.Datetime("us")).dt.offset_by(offset).dt.date()
        )
    by_second = _second(cell) >= event if later else _second(cell) <= event
    by_day = day_of(cell) >= event_day if later else day_of(cell) <= event_day
    return pl.coalesce(by_second, by_day)


def day_of(cell: pl.Expr) -> pl.Expr:
    """The day that the cell says; null where it says none of the calendar."""
    return pl.when(cell.str.contains(_DATE)).then(cell.str.head(10).str.to_date("%Y-%m-%d", strict=False))


def _second(cell: pl.Expr) -> pl.Expr:
    """The second that the cell says, fractions cut off; null where it says only a day, or none."""
    said = pl.concat_str(cell.str.head(16), cell.str.extract(r"\A.{16}(:[0-9]{2})", 1).fill_null(":00"))
    read = said.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    return pl.when(cell.str.contains(_DATE) & (cell.str.len_chars() > 10)).then(read)


def _offset(moment: Moment) -> str:
    """The moment's duration as polars writes it: `-6mo`. By the calendar: 31 August + P6M is the end of February."""
    duration: Duration | None = moment.plus or moment.minus
    if duration is None:
        return "0d"
    days, _, hours = duration.removeprefix("P").partition("T")
    written = re.sub(r"(\d+)M", r"\1mo", days).lower() + hours.lower()
    return f"-{written}" if moment.minus else written

"""Is this row one that the agreement speaks of?

Predicates become boolean expressions with three values: null is unknown (`core.language.scope` says when). Only true lets a row
through. Times without a zone are taken as UTC; where one of two moments is a day without a time, the days are compared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipeline.core.duration import Duration
from pipeline.core.language.codes import CodeList
from pipeline.core.language.scope import AllOf, AnyOf, Asks, Moment, Not, Predicate, RowRule

_DAY = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MINUTE = _DAY + r"T[0-9]{2}:[0-9]{2}"
_NUMBER = r"\A[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?\z"


@dataclass(frozen=True, slots=True)
class Events:
    """What days are told from: when the release was authorised, and when its rows were kept. Aware UTC."""

    released: datetime
    loaded: datetime


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
        return cell.is_in(list(code_lists[asks.in_codes].codes))
    if asks.not_in_codes is not None:
        return ~cell.is_in(list(code_lists[asks.not_in_codes].codes))
    if asks.at_least is not None:
        return _read(cell, asks) >= _read(pl.lit(asks.at_least, dtype=pl.String), asks)
    if asks.at_most is not None:
        return _read(cell, asks) <= _read(pl.lit(asks.at_most, dtype=pl.String), asks)
    if asks.no_earlier_than is not None:
        return _compared(cell, asks.no_earlier_than, events, later=True)
    if asks.no_later_than is not None:
        return _compared(cell, asks.no_later_than, events, later=False)
    return pl.lit(None, dtype=pl.Boolean)  # no question: unknown, so out of scope


def _read(cell: pl.Expr, asks: Asks) -> pl.Expr:
    match asks.read_as:
        case "text":
            return cell
        case "number":
            return pl.when(cell.str.contains(_NUMBER)).then(cell.str.to_decimal(scale=9))
        case "date":
            return _day(cell)


def _compared(cell: pl.Expr, moment: Moment, events: Events, *, later: bool) -> pl.Expr:
    """Whether `cell` is no earlier (`later`) or no later than the moment."""
    offset = _offset(moment)
    if moment.event in ("released", "loaded"):
        at = events.released if moment.event == "released" else events.loaded
        event = pl.lit(at.replace(tzinfo=None), dtype=pl.Datetime("us")).dt.offset_by(offset)
        event_day = event.dt.date()
    else:
        event = _minute(pl.col(moment.event)).dt.offset_by(offset)
        event_day = pl.coalesce(
            event.dt.date(), _day(pl.col(moment.event)).cast(pl.Datetime("us")).dt.offset_by(offset).dt.date()
        )
    by_minute = _minute(cell) >= event if later else _minute(cell) <= event
    by_day = _day(cell) >= event_day if later else _day(cell) <= event_day
    return pl.coalesce(by_minute, by_day)


def _day(cell: pl.Expr) -> pl.Expr:
    """The day that the cell begins with; null where it is none of the calendar."""
    return pl.when(cell.str.contains(_DAY)).then(cell.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False))


def _minute(cell: pl.Expr) -> pl.Expr:
    """The minute that the cell begins with; null where it has only a day."""
    read = cell.str.slice(0, 16).str.to_datetime("%Y-%m-%dT%H:%M", strict=False, time_unit="us")
    return pl.when(cell.str.contains(_MINUTE)).then(read)


def _offset(moment: Moment) -> str:
    """The moment's duration as polars writes it: `-6mo`. By the calendar: 31 August + P6M is the end of February."""
    duration: Duration | None = moment.plus or moment.minus
    if duration is None:
        return "0d"
    days, _, hours = duration.removeprefix("P").partition("T")
    written = re.sub(r"(\d+)M", r"\1mo", days).lower() + hours.lower()
    return f"-{written}" if moment.minus else written

"""Do these row rules let through no row that those kept back?

Rules become formulas of facts about one cell each. Between facts the order is that of the cells for which they are true; between
formulas it is the order of the free lattice over the facts (Whitman, 1941; Dean, 1956): what it says holds for every row, it is
transitive, and what would need more than that (distributing `any` over `all`) is not seen, so that the answer is no.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from pipeline.core.clock_order import never_longer
from pipeline.core.language.codes import CodeList
from pipeline.core.language.scope import AllOf, AnyOf, Asks, Moment, Not, Predicate, RowRule


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is true of a cell or not. `negated` is false where the question is true, and unknown where it is."""

    column: str
    asks: Literal["in", "not in", "exists", "at least", "at most", "no earlier", "no later", "listed", "other"]
    values: frozenset[str] = frozenset()
    bound: Decimal | date | str | Moment | None = None
    negated: bool = False
    lapses: tuple[tuple[str, date], ...] = ()
    """of its values, those that are meant only until a day"""


@dataclass(frozen=True, slots=True)
class All:
    """True where all are; `All(())` always is."""

    parts: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True where one is."""

    parts: tuple["Formula", ...]


Formula = Fact | All | Any


def formula(predicate: Predicate, code_lists: Mapping[str, CodeList], *, negated: bool = False) -> Formula:
    """The predicate with `not` moved to its questions (Kleene's logic keeps De Morgan's laws), its lists looked up."""
    match predicate:
        case Not():
            return formula(predicate.negated, code_lists, negated=not negated)
        case AnyOf():
            parts = tuple(formula(inner, code_lists, negated=negated) for inner in predicate.any)
            return All(parts) if negated else Any(parts)
        case AllOf():
            parts = tuple(formula(inner, code_lists, negated=negated) for inner in predicate.all)
            return Any(parts) if negated else All(parts)
        case Asks():
            return _fact(predicate, code_lists, negated=negated)


def formula_of(rules: Sequence[RowRule], code_lists: Mapping[str, CodeList]) -> All:
    """What a row must meet to be released: every rule."""
    return All(tuple(formula(rule.predicate, code_lists) for rule in rules))


def implies(one: Formula, other: Formula) -> bool:
    """Whether `other` is true wherever `one` is; False where that cannot be seen."""
    if one == other:
        return True
    if isinstance(one, Any):
        return all(implies(part, other) for part in one.parts)
    if isinstance(other, All):
        return all(implies(one, part) for part in other.parts)
    if isinstance(one, All) and any(implies(part, other) for part in one.parts):
        return True
    if isinstance(other, Any):
        return any(implies(one, part) for part in other.parts)
    return isinstance(one, Fact) and isinstance(other, Fact) and _fact_implies(one, other)


def _fact(asks: Asks, code_lists: Mapping[str, CodeList], *, negated: bool) -> Fact:
    column = asks.column
    for values, excluded in ((asks.any_of, False), (asks.none_of, True)):
        if values is not None:
            return Fact(column, "not in" if excluded != negated else "in", frozenset(values))
    for id, excluded in ((asks.in_codes, False), (asks.not_in_codes, True)):
        if id is not None:
            listed = code_lists.get(id)
            if listed is None:
                return Fact(column, "listed", frozenset({id}), negated=excluded != negated)
            meant, lapses = frozenset(listed.codes), tuple(sorted(listed.lapses.items()))
            return Fact(column, "not in" if excluded != negated else "in", meant, lapses=lapses)
    if asks.exists is not None:
        return Fact(column, "exists", negated=asks.exists == negated)
    if asks.at_least is not None:
        return Fact(column, "at least", frozenset({asks.read_as}), _bound(asks.at_least, asks.read_as), negated)
    if asks.at_most is not None:
        return Fact(column, "at most", frozenset({asks.read_as}), _bound(asks.at_most, asks.read_as), negated)
    if asks.no_earlier_than is not None:
        return Fact(column, "no earlier", frozenset({asks.no_earlier_than.event}), asks.no_earlier_than, negated)
    if asks.no_later_than is not None:
        return Fact(column, "no later", frozenset({asks.no_later_than.event}), asks.no_later_than, negated)
    return Fact(column, "other", frozenset({asks.model_dump_json()}), negated=negated)


def _bound(text: str, read_as: str) -> Decimal | date | str:
    match read_as:
        case "number":
            return Decimal(text)
        case "date":
            return date.fromisoformat(text)
    return text


def _fact_implies(one: Fact, other: Fact) -> bool:
    if one.column != other.column:
        return False
    if other == Fact(other.column, "exists"):
        return one.asks != "exists" and one.asks != "other"
    match one.asks, other.asks:
        case "in", "in":
            return _always_within(one, other)
        case "in", "not in":
            return not one.values & other.values
        case "not in", "not in":
            return _always_within(other, one)
    if (one.asks, one.negated, one.values) != (other.asks, other.negated, other.values):
        return False
    upwards = (one.asks in ("at least", "no earlier")) != one.negated
    low, high = (other.bound, one.bound) if upwards else (one.bound, other.bound)
    match low, high:
        case Moment(), Moment():
            return _no_later(low, high)
        case Decimal(), Decimal():
            return low <= high
        case date(), date():
            return low <= high
        case str(), str():
            return low <= high
    return False


def _always_within(values: Fact, others: Fact) -> bool:
    """Whether on every day all values are among the others: none is gone from those that is still here."""
    lapses, others_lapse = dict(values.lapses), dict(others.lapses)
    return values.values <= others.values and all(
        code not in others_lapse or lapses.get(code, date.max) <= others_lapse[code] for code in values.values
    )


def _no_later(moment: Moment, than: Moment) -> bool:
    """Whether `moment`, told from the same event, is never later than `than`."""
    if moment.plus:
        return bool(than.plus) and never_longer(moment.plus, than.plus or "P0D")
    if moment.minus:
        return not than.minus or never_longer(than.minus, moment.minus)
    return not than.minus

"""Which rows does an agreement speak of?

A predicate is true, false or unknown (Kleene, 1938): a question about an absent cell, or one that does not read as the date or number
that is asked for, is unknown; `not` leaves unknown unknown; `any` is true where one is true, `all` false where one is false. A row is in scope
only where the answer is true.
"""

import re
from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from pipeline.core.duration import Duration
from pipeline.core.language.policy import Cited, ColumnName, Id, Policy

Bound = Annotated[str, Field(min_length=1, max_length=200)]


class Moment(Policy):
    """A day, told from an event: the release, the loading of the row, or another column of the row."""

    event: ColumnName
    """`released`, `loaded`, or the name of a date column"""
    plus: Duration | None = None
    """so long after the event"""
    minus: Duration | None = None
    """so long before the event"""

    @model_validator(mode="after")
    def _one_direction(self) -> "Moment":
        if self.plus and self.minus:
            raise ValueError("must have plus or minus, not both")
        return self


CLOCK_EVENTS = frozenset({"released", "loaded"})
"""Events that are no columns."""

_QUESTIONS = (
    "any_of",
    "none_of",
    "in_codes",
    "not_in_codes",
    "at_least",
    "at_most",
    "exists",
    "no_earlier_than",
    "no_later_than",
    "declared",
)


_BOUNDS = {
    "text": ".+",
    "number": r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?",
    "date": r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
}


class Asks(Policy):
    """One question about one column."""

    column: ColumnName
    """the column that is asked about"""
    any_of: tuple[str, ...] | None = Field(default=None, min_length=1, strict=False)
    """true where the cell is one of these"""
    none_of: tuple[str, ...] | None = Field(default=None, min_length=1, strict=False)
    """true where the cell is there and none of these"""
    in_codes: Id | None = None
    """a code list of the catalogue"""
    not_in_codes: Id | None = None
    """true where the cell is there and not in this code list of the catalogue"""
    at_least: Bound | None = None
    """true where the cell is this or more, or later"""
    at_most: Bound | None = None
    """true where the cell is this or less, or earlier"""
    read_as: Literal["text", "number", "date"] = "text"
    """how `at_least` and `at_most` compare: text in the order of its characters"""
    exists: bool | None = None
    """whether the cell is there; the only question that is never unknown"""
    no_earlier_than: Moment | None = None
    """true where the cell is this moment or later"""
    no_later_than: Moment | None = None
    """true where the cell is this moment or earlier"""
    declared: Literal["case-reference"] | None = None
    """true where the cell is the reference of the case that is declared for the release; unknown where none is"""

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "Asks":
        if sum(getattr(self, question) is not None for question in _QUESTIONS) != 1:
            raise ValueError(f"must have exactly one of {', '.join(_QUESTIONS)}")
        bound = self.at_least if self.at_least is not None else self.at_most
        if self.read_as != "text" and bound is None:
            raise ValueError("read_as goes with at_least or at_most")
        if bound is not None and not re.fullmatch(_BOUNDS[self.read_as], bound, re.DOTALL):
            raise ValueError(f"the bound must read as a {self.read_as}")
        if bound is not None and self.read_as == "date":
            try:
                date.fromisoformat(bound)
            except ValueError:
                raise ValueError("the bound must be a day of the calendar, such as 2026-11-21") from None
        return self


class AnyOf(Policy):
    """True where one is true."""

    any: tuple["Predicate", ...] = Field(min_length=1, strict=False)
    """true where one of these is true"""


class AllOf(Policy):
    """True where all are true."""

    all: tuple["Predicate", ...] = Field(min_length=1, strict=False)
    """true where all of these are true"""


class Not(Policy):
    """True where it is false."""

    negated: "Predicate" = Field(alias="not")
    """true where this is false; unknown stays unknown"""


def _kind(said: object) -> str:
    keys = said if isinstance(said, dict) else {type(said).__name__}
    return next((kind for key, kind in _KINDS.items() if key in keys), "asks")


_KINDS = {"any": "any", "all": "all", "not": "not", "AnyOf": "any", "AllOf": "all", "Not": "not"}

Predicate = Annotated[
    Annotated[Asks, Tag("asks")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[AllOf, Tag("all")]
    | Annotated[Not, Tag("not")],
    Discriminator(_kind),
]


class Reason(Enum):
    """Why an accepted row is not released."""

    OUT_OF_SCOPE = "out of scope"
    WITHHELD = "withheld"


class RowRule(Policy):
    """Rows for which the answer is not true are not released, and are counted under `name`."""

    name: Id
    """under this the rows that it keeps back are counted"""
    any: tuple[Predicate, ...] = Field(default=(), strict=False)
    """a row is released where one of these is true"""
    all: tuple[Predicate, ...] = Field(default=(), strict=False)
    """a row is released where all of these are true"""
    otherwise: Reason = Field(default=Reason.OUT_OF_SCOPE, strict=False)
    """what a row is counted as that the rule keeps back"""
    clause: Cited

    @model_validator(mode="after")
    def _says_any_or_all(self) -> "RowRule":
        if bool(self.any) == bool(self.all):
            raise ValueError("must have either any = [...] or all = [...], not empty")
        return self

    @property
    def predicate(self) -> AnyOf | AllOf:
        return AnyOf(any=self.any) if self.any else AllOf(all=self.all)


def questions(predicate: Predicate) -> Iterator[Asks]:
    """Every question that the predicate asks."""
    match predicate:
        case Asks():
            yield predicate
        case AnyOf():
            for inner in predicate.any:
                yield from questions(inner)
        case AllOf():
            for inner in predicate.all:
                yield from questions(inner)
        case Not():
            yield from questions(predicate.negated)

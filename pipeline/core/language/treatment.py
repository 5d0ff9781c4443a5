"""What may an agreement do to a column?"""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.core.duration import Duration
from pipeline.core.language.handling import Clock
from pipeline.core.language.policy import Cited, ColumnName, Id, Policy, Text, Word
from pipeline.core.language.scope import Predicate


class _Said(Policy):
    clause: Cited


class Withhold(_Said):
    """The column is not released, and the clause says why. A column that is not named is not released either."""

    treatment: Literal["withhold"]


class _Released(_Said):
    until: Duration | None = None
    """how long the recipient may hold the column, counted by `clock`: it goes into a part of its own"""
    clock: Clock | None = Field(default=None, strict=False)
    """what `until` is counted from, where that is not the retention's own clock"""
    only_where: Predicate | None = None
    """the cell is released only where this is true of its row, and withheld, so absent, where it is false or unknown"""

    @model_validator(mode="after")
    def _counts_something(self) -> "_Released":
        if self.clock and not self.until:
            raise ValueError("a clock needs an `until` that is counted by it")
        return self


class _ReleasedAlways(_Released):
    @model_validator(mode="after")
    def _is_in_every_row(self) -> "_ReleasedAlways":
        if self.only_where:
            raise ValueError("is there in every row, so that no cell of it tells anything: leave `only_where` out")
        return self


class Keep(_Released):
    """The value as it is. A direct identifier or free text needs a clause that permits it."""

    treatment: Literal["keep"]


class Constant(_ReleasedAlways):
    """Every cell, also an absent one, becomes the same value."""

    treatment: Literal["constant"]
    value: Word
    """what every cell becomes"""


class Mask(_Released):
    """Every letter and digit but the first and last few becomes `*`; shape and length stay. Each line by itself."""

    treatment: Literal["mask"]
    keep_first: int = Field(default=0, ge=0, le=6)
    """so many characters at the front stay"""
    keep_last: int = Field(default=0, ge=0, le=4)
    """so many characters at the end stay"""


class Truncate(_Released):
    """The first or the last few characters of each line; a line that would come out whole becomes empty."""

    treatment: Literal["truncate"]
    first: int | None = Field(default=None, ge=1, le=64)
    """keep so many characters from the front"""
    last: int | None = Field(default=None, ge=1, le=64)
    """keep so many characters from the end"""

    @model_validator(mode="after")
    def _one_end(self) -> "Truncate":
        if (self.first is None) == (self.last is None):
            raise ValueError("must have exactly one of first, last")
        return self


class Pseudonymise(_Released):
    """HMAC-SHA256 of the normalised value, 128 bits; equal only within one agreement, domain and epoch."""

    treatment: Literal["pseudonymise"]
    domain: Id
    """columns of one domain have the same pseudonym for the same value"""
    normalisation: Literal[1] = 1
    """how the value is made equal before: 1 is upper case, NFKC, single spaces"""
    each_line: bool = False
    """a pseudonym for each line of the cell"""


class Tokenise(_Released):
    """A token (AES-SIV, RFC 5297) that the named partner can have turned back; equal within one agreement, domain and epoch."""

    treatment: Literal["tokenise"]
    domain: Id
    """columns of one domain have the same token for the same value"""
    reversible_by: Id
    """the partner for whom, and only on whose request, a token is turned back"""
    reversal_clause: Cited
    each_line: bool = False
    """a token for each line of the cell"""


class GeneraliseDate(_Released):
    """The day becomes its month, quarter, year or decade."""

    treatment: Literal["generalise-date"]
    to: Literal["month", "quarter", "year", "decade"]
    """what the day becomes"""


class GeneraliseNumber(_Released):
    """The number becomes the class that it falls in, written `20..29` or `..17`, `18..64`, `65..`; decimals are cut off downwards."""

    treatment: Literal["generalise-number"]
    width: int | None = Field(default=None, ge=2, le=10**12)
    """classes of so many numbers"""
    edges: tuple[Annotated[int, Field(ge=-(10**15), le=10**15)], ...] | None = Field(
        default=None, min_length=1, max_length=100, strict=False
    )
    """where a new class begins, in ascending order"""

    @model_validator(mode="after")
    def _one_way(self) -> "GeneraliseNumber":
        if (self.width is None) == (self.edges is None):
            raise ValueError("must have exactly one of width, edges")
        edges = self.edges or ()
        if any(following - edge < 2 for edge, following in pairwise(edges)):
            raise ValueError("edges must ascend, by two at least: a class of one number would return its input")
        return self


class Round(_Released):
    """The number becomes the nearest multiple, halves away from zero."""

    treatment: Literal["round"]
    to: Annotated[
        str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", description='a decimal number as text: "0.1", "5"')
    ]

    @model_validator(mode="after")
    def _is_a_step(self) -> "Round":
        if float(self.to) == 0:
            raise ValueError("must be more than zero")
        return self


class GeneraliseCode(_Released):
    """The code becomes its first characters, or what a hierarchy of the catalogue puts above it. A code that would come out
    whole, an unknown one, and what is no code become absent."""

    treatment: Literal["generalise-code"]
    characters: int | None = Field(default=None, ge=1, le=32)
    """keep so many characters of the code"""
    hierarchy: Id | None = None
    """the hierarchy of the catalogue that says what lies above"""
    to: Id | None = None
    """the level of the hierarchy"""
    each_line: bool = False
    """each line of the cell is a code"""

    @model_validator(mode="after")
    def _one_way(self) -> "GeneraliseCode":
        if (self.characters is None) == (self.hierarchy is None):
            raise ValueError("must have exactly one of characters, hierarchy")
        if (self.hierarchy is None) != (self.to is None):
            raise ValueError("a hierarchy needs `to`, the level, and a level needs its hierarchy")
        return self


class FilterTerms(_Released):
    """Each line that holds a listed code or term becomes `[MASKED:SENS]`; number and order of lines stay."""

    treatment: Literal["filter-terms"]
    codes: Id
    """the code list of the catalogue"""


class SplitText(_Released):
    """Each line is divided into a coded head and free text: a listed head is kept, all other text becomes `[TEXT]`."""

    treatment: Literal["split-text"]
    heads: Id
    """the code list of the heads that may be released"""


_QUOTED = ',"'
"""Signs that make a cell of a CSV file longer than its text."""


class Answer(_ReleasedAlways):
    """Hit or no hit: one of a few answers for every row, also where the cell is absent, and nothing else."""

    treatment: Literal["answer"]
    answers: dict[Word, Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]] = Field(min_length=1)
    """for each answer the values that it is given for"""
    otherwise: Word
    """the answer for every other value and for an absent one"""

    @model_validator(mode="after")
    def _tells_only_the_answer(self) -> "Answer":
        given = [value for values in self.answers.values() for value in values]
        if len(set(given)) != len(given):
            raise ValueError("a value cannot have two answers")
        words = (*self.answers, self.otherwise)
        if len({len(word.encode()) for word in words}) != 1:
            raise ValueError(
                "all answers must be of one length in bytes, or the size of a release tells how many are hits"
            )
        if any(set(word) & set(_QUOTED) for word in words):
            raise ValueError(
                "an answer must be without comma and quote: CSV quotes it, and the size of a release tells it"
            )
        if len({*self.answers, self.otherwise}) < 2:
            raise ValueError("one answer for everything tells nothing: use `constant`, or leave the column out")
        return self


Treatment = Annotated[
    Withhold
    | Keep
    | Constant
    | Mask
    | Truncate
    | Pseudonymise
    | Tokenise
    | GeneraliseDate
    | GeneraliseNumber
    | Round
    | GeneraliseCode
    | FilterTerms
    | SplitText
    | Answer,
    Field(discriminator="treatment"),
]

Released = (
    Keep
    | Constant
    | Mask
    | Truncate
    | Pseudonymise
    | Tokenise
    | GeneraliseDate
    | GeneraliseNumber
    | Round
    | GeneraliseCode
    | FilterTerms
    | SplitText
    | Answer
)
"""A treatment that releases something."""


class Statistics(Policy):
    """Rows become counts, and sums, by the named columns; cells under `smallest_cell` are suppressed, and enough others.

    A cell with a row of which one of the sums cannot be read is suppressed too.
    """

    count_as: ColumnName
    """what the column with the counts is called"""
    smallest_cell: int = Field(ge=2)
    """a cell with fewer rows is suppressed"""
    sums: dict[ColumnName, ColumnName] = Field(default_factory=dict)
    """released column = the feed's column that is summed in it"""
    round_to: int | None = Field(default=None, ge=2)
    """counts and sums become the nearest multiple, halves away from zero"""
    weighted_by: ColumnName | None = None
    """the feed's column that says how many a row stands for, where rows are counts already; one each if left out"""
    margins: bool = False
    """also hide small cells from whoever knows the totals along each column"""
    largest_share: int | None = Field(default=None, ge=1, le=99)
    """a cell is suppressed in which one row makes up more percent of a sum than these"""
    clause: Cited

    @property
    def added(self) -> dict[str, str]:
        """Released column = the feed's column that is added up in it, the weighted count among them."""
        return {**self.sums, self.count_as: self.weighted_by} if self.weighted_by else self.sums

    @property
    def dominated(self) -> tuple[str, ...]:
        """The sums that one row must not make up nearly all of."""
        return tuple(self.sums) if self.largest_share else ()

    @model_validator(mode="after")
    def _has_a_sum_to_dominate(self) -> "Statistics":
        if self.largest_share and not self.sums:
            raise ValueError("largest_share is of a sum, and there is none: leave it out")
        return self

    @model_validator(mode="after")
    def _rounds_nothing_away(self) -> "Statistics":
        if self.round_to and self.round_to > 2 * self.smallest_cell:
            raise ValueError(
                "round_to may be twice smallest_cell at most: a count that is rounded to 0 says how small it is"
            )
        return self

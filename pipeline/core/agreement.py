"""What may be given to whom, for which purpose, how treated, under which clause?

Everything that an agreement does not say is denied: a column it does not name, a condition that is unknown, a date that has
passed. The models only state; `core.redaction` compiles them, `core.authority` asks whether they hold now.
"""

from datetime import date
from enum import Enum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from pipeline.core.duration import Duration
from pipeline.core.policy import Clause, ColumnName, Id, Policy, Text, Word


class Status(Enum):
    """Whether an agreement may release at all."""

    DRAFT = "draft"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class Tlp(Enum):
    """Traffic Light Protocol 2.0, in ascending order (FIRST, 2022)."""

    CLEAR = "CLEAR"
    GREEN = "GREEN"
    AMBER = "AMBER"
    AMBER_STRICT = "AMBER+STRICT"
    RED = "RED"


class InForce(Policy):
    """From (included) until (excluded)."""

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime

    @model_validator(mode="after")
    def _forwards(self) -> "InForce":
        if self.until <= self.since:
            raise ValueError("`until` must be after `from`")
        return self


class Purposes(Policy):
    """What a release may be for, and what the scheduled exchange declares itself to be for."""

    allow: tuple[Id, ...] = Field(min_length=1, strict=False)
    declared: Id
    clause: Clause


class Condition(Policy):
    """One question about one column. An absent value answers no."""

    column: ColumnName
    any_of: tuple[str, ...] | None = Field(default=None, min_length=1, strict=False)
    in_codes: Id | None = Field(default=None, description="a code list of the catalogue")
    at_least: str | None = Field(default=None, description="text order: dates and fixed-width codes")

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "Condition":
        if sum(asked is not None for asked in (self.any_of, self.in_codes, self.at_least)) != 1:
            raise ValueError("must have exactly one of any_of, in_codes, at_least")
        return self


class Reason(Enum):
    """Why an accepted row is not released."""

    OUT_OF_SCOPE = "out of scope"
    WITHHELD = "withheld"


class RowRule(Policy):
    """Rows that meet none (`any`) or not all (`all`) of the conditions are not released, and are counted under `name`."""

    name: Id
    any: tuple[Condition, ...] = Field(default=(), strict=False)
    all: tuple[Condition, ...] = Field(default=(), strict=False)
    otherwise: Reason = Field(default=Reason.OUT_OF_SCOPE, strict=False)
    clause: Clause

    @model_validator(mode="after")
    def _says_any_or_all(self) -> "RowRule":
        if bool(self.any) == bool(self.all):
            raise ValueError("must have either any = [...] or all = [...], not empty")
        return self


class _Treated(Policy):
    clause: Clause
    until: Duration | None = Field(default=None, description="how long the recipient may hold the column; own part")


class Keep(_Treated):
    """The value as it is."""

    treatment: Literal["keep"]


class Pseudonymise(_Treated):
    """HMAC-SHA256 of the normalised value, 128 bits; equal only within one agreement, domain and epoch."""

    treatment: Literal["pseudonymise"]
    domain: Id
    each_line: bool = False


class Mask(_Treated):
    """Every letter and digit but the first and last few becomes `*`; shape and length stay. Each line by itself."""

    treatment: Literal["mask"]
    keep_first: int = Field(default=0, ge=0, le=6)
    keep_last: int = Field(default=0, ge=0, le=4)


class GeneraliseDate(_Treated):
    """The day becomes its month or year."""

    treatment: Literal["generalise-date"]
    to: Literal["month", "year"]


class FilterTerms(_Treated):
    """Each line that holds a listed code or term becomes `[MASKED:SENS]`; number and order of lines stay."""

    treatment: Literal["filter-terms"]
    codes: Id


Treatment = Annotated[Keep | Pseudonymise | Mask | GeneraliseDate | FilterTerms, Field(discriminator="treatment")]


class Statistics(Policy):
    """Rows become counts by the named columns; cells under `smallest_cell` are suppressed, and enough others with them."""

    count_as: ColumnName
    smallest_cell: int = Field(ge=2)
    clause: Clause


class Retention(Policy):
    """How long the recipient may hold the release."""

    delete_after: Duration
    clock: Literal["released"]
    clause: Clause


class Handling(Policy):
    """What the recipient must know and do."""

    tlp: Tlp = Field(strict=False)
    caveats: tuple[Text, ...] = Field(default=(), strict=False)
    onward: Text
    retention: Retention


class Case(Policy):
    """An example row and what must become of it. `safeconduct check` runs it."""

    title: Text
    row: dict[ColumnName, str]
    released: dict[ColumnName, str] | None = Field(default=None, description="the whole released row; nulls left out")
    not_released: Id | None = Field(default=None, description="the row rule that keeps it back")

    @model_validator(mode="after")
    def _expects_one_thing(self) -> "Case":
        if (self.released is None) == (self.not_released is None):
            raise ValueError('must have either released = {...} or not_released = "row rule"')
        return self


class Agreement(Policy):
    """One agreement with one recipient."""

    id: Id
    title: Text
    instrument: Text
    confidence: Literal["found", "memory", "uncertain", "design"]
    provider: Id
    recipient: Id
    feeds: tuple[Id, ...] = Field(min_length=1, max_length=1, strict=False)
    status: Status = Field(strict=False)
    in_force: InForce
    purposes: Purposes
    pseudonym_epoch: Id = "1"
    format: Literal["parquet", "csv"]
    rows: tuple[RowRule, ...] = Field(default=(), strict=False)
    columns: dict[ColumnName, Treatment] = Field(min_length=1)
    statistics: Statistics | None = None
    handling: Handling
    cases: tuple[Case, ...] = Field(default=(), strict=False)

    @property
    def feed(self) -> str:
        return self.feeds[0]

    def code_lists(self) -> frozenset[str]:
        """The ids of the code lists that its rules and treatments lean on."""
        conditions = [condition for rule in self.rows for condition in (*rule.any, *rule.all)]
        named = {condition.in_codes for condition in conditions if condition.in_codes}
        return frozenset(named | {t.codes for t in self.columns.values() if isinstance(t, FilterTerms)})

    @model_validator(mode="after")
    def _hangs_together(self) -> "Agreement":
        if len({rule.name for rule in self.rows}) != len(self.rows):
            raise ValueError("two row rules have one name")
        if "release_row" in self.columns:
            raise ValueError("release_row is the name of the row's number in a release")
        if self.statistics and self.statistics.count_as in self.columns:
            raise ValueError("statistics.count_as is the name of a released column")
        if self.statistics and any(treatment.until for treatment in self.columns.values()):
            raise ValueError("a column of statistics cannot have a clock of its own")
        if self.statistics and self.cases:
            raise ValueError("statistics have no example rows")
        return self


class CodeList(Policy):
    """A dated, versioned list of codes, and of words that say the same in free text."""

    id: Id
    title: Text
    agreed_on: date
    source: Text
    codes: tuple[Word, ...] = Field(min_length=1, strict=False)
    terms: tuple[Word, ...] = Field(default=(), strict=False)

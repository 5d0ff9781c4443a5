"""What may be given to whom, for which purpose, how treated, under which clause?

Everything that an agreement does not say is denied: a column it does not name, a condition that is unknown, a date that has
passed. The models only state; `core.redaction` compiles them, `core.authority` asks whether they hold now.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from pipeline.core.language.clause import Clause
from pipeline.core.language.handling import Clock, Handling
from pipeline.core.language.policy import Cited, ColumnName, Id, Policy, Text, Word, at
from pipeline.core.language.purpose import Condition, Declaration, Purpose
from pipeline.core.language.scope import Asks, RowRule, questions
from pipeline.core.language.standing import Change, InForce, Status, out_of_order, status_at
from pipeline.core.language.treatment import (
    Answer,
    FilterTerms,
    GeneraliseCode,
    Keep,
    Released,
    SplitText,
    Statistics,
    Treatment,
    Withhold,
)

RecipientKey = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=2000)]
"""An age recipient; a hybrid one has 1959 characters."""


class Risk(Policy):
    """How alike the released rows must be: at least `smallest_group` share the same cells in `columns` (k-anonymity)."""

    columns: tuple[ColumnName, ...] = Field(min_length=1, strict=False)
    """the columns by which a row could be told from the others"""
    smallest_group: int = Field(ge=2)
    """so many rows, at least, must be alike"""
    otherwise: Literal["refuse", "report"]
    """refuse the release, or report the figures in its manifest"""
    clause: Cited


class Approval(Policy):
    """A person has agreed to what this version discloses more than the one before it."""

    by: Word
    """who approves: two different persons for a widening"""
    role: Text
    """as what they may"""
    at: AwareDatetime
    """when"""
    widening: str = Field(pattern=r"^[0-9a-f]{64}$")
    """the digest that `safeconduct diff` shows: another change needs another approval"""


class Case(Policy):
    """An example row and what must become of it. `safeconduct check` runs it."""

    title: Text
    """what the row is an example of"""
    row: dict[ColumnName, str]
    """the cells that are there; the feed's other columns are absent"""
    released: dict[ColumnName, str] | None = None
    """the whole released row; absent cells left out"""
    not_released: Id | None = None
    """the row rule that keeps it back"""
    case_reference: Word | None = None
    """the case that is declared for the release, where a row rule asks"""

    @model_validator(mode="after")
    def _expects_one_thing(self) -> "Case":
        if (self.released is None) == (self.not_released is None):
            raise ValueError('must have either released = {...} or not_released = "row rule"')
        return self


class Agreement(Policy):
    """One version of one agreement with one recipient."""

    id: Id
    """also the file's name: agreements/ID.toml"""
    version: int = Field(default=1, ge=1)
    """an amendment is a new file, `ID.v2.toml`, with dates of its own; the old file stays"""
    title: Text
    """what it is called among people"""
    instrument: Id
    """the text in the register that it rests on"""
    provider: Id
    """the partner that the rows come from"""
    recipient: Id
    """the partner that releases are sealed to"""
    recipient_keys: tuple[RecipientKey, ...] | None = Field(default=None, min_length=1, strict=False)
    """the only age recipients that parts may be sealed to; all that the keyring has for the recipient if left out"""
    feeds: tuple[Id, ...] = Field(min_length=1, max_length=1, strict=False)
    """the feed whose rows it releases: one"""
    status: tuple[Change, ...] = Field(min_length=1, strict=False)
    """what it is since when, and why; a draft before the first"""
    in_force: InForce
    """between these instants it may release"""
    review: date | None = None
    """when it must be looked at again"""
    clauses: dict[Word, Clause] = Field(default_factory=dict)
    """the choices of its authors, for what the instrument leaves open"""
    purposes: dict[Id, Purpose] = Field(min_length=1)
    """what a release may be for, by name; nothing else is allowed"""
    conditions: dict[Id, Condition] = Field(default_factory=dict)
    """what must be shown, by the name that purposes and `requires` use"""
    requires: tuple[Id, ...] = Field(default=(), strict=False)
    """names of conditions that every release needs, whatever its purpose"""
    declared: Declaration | None = None
    """what a scheduled release is for; without it each lot needs `safeconduct declare`"""
    pseudonym_epoch: Id = "1"
    """a new one gives everybody new pseudonyms and tokens"""
    format: Literal["parquet", "csv"]
    """what the parts of a release are"""
    rows: tuple[RowRule, ...] = Field(default=(), strict=False)
    """which rows are released; all of them without a rule"""
    columns: dict[ColumnName, Treatment] = Field(min_length=1)
    """what becomes of each column; one that is not named is not released"""
    statistics: Statistics | None = None
    """release counts and sums instead of rows"""
    handling: Handling
    """what the recipient must know and do"""
    risk: Risk | None = None
    """how alike the released rows must be"""
    approvals: tuple[Approval, ...] = Field(default=(), strict=False)
    """who agreed that this version discloses more than the one before"""
    cases: tuple[Case, ...] = Field(default=(), strict=False)
    """example rows with what must become of them"""

    @property
    def feed(self) -> str:
        return self.feeds[0]

    @property
    def released(self) -> dict[str, Released]:
        """The columns of its releases with their treatments, in order: those it names and does not withhold."""
        return {name: said for name, said in self.columns.items() if not isinstance(said, Withhold)}

    @property
    def in_effect_until(self) -> datetime:
        """When it ends, by its date or by its status."""
        ends = [change.since for change in self.status if change.to in (Status.TERMINATED, Status.SUPERSEDED)]
        return min([self.in_force.until, *ends])

    def status_at(self, at: datetime) -> Change | None:
        """What it is at the instant; None before it was anything: a draft."""
        return status_at(self.status, at)

    def questions(self) -> Iterator[Asks]:
        """Every question that its row rules ask."""
        for rule in self.rows:
            yield from questions(rule.predicate)

    def cell_questions(self) -> Iterator[tuple[str, Asks]]:
        """Each released column with every question that decides whether one of its cells is withheld."""
        for name, said in self.released.items():
            if said.only_where:
                yield from ((name, asks) for asks in questions(said.only_where))

    def code_lists(self) -> frozenset[str]:
        """The ids of the code lists that its rules and treatments lean on."""
        all_asked = (*self.questions(), *(asks for _, asks in self.cell_questions()))
        asked = {codes for asks in all_asked for codes in (asks.in_codes, asks.not_in_codes) if codes}
        filters = {said.codes for said in self.columns.values() if isinstance(said, FilterTerms)}
        heads = {said.heads for said in self.columns.values() if isinstance(said, SplitText)}
        return frozenset(asked | filters | heads)

    def hierarchies(self) -> frozenset[str]:
        """The ids of the hierarchies that its treatments lean on."""
        named = (said.hierarchy for said in self.columns.values() if isinstance(said, GeneraliseCode))
        return frozenset(id for id in named if id)

    @model_validator(mode="after")
    def _hangs_together(self) -> "Agreement":
        for keys, message in _faults(self):
            raise at(keys, message)
        return self


def _faults(agreement: Agreement) -> Iterator[tuple[str, str]]:
    """Where the file speaks against itself, and how."""
    released = agreement.released
    if message := out_of_order(agreement.status):
        yield "status", message
    if len({rule.name for rule in agreement.rows}) != len(agreement.rows):
        yield "rows", "two row rules have one name: rename one"
    if not released:
        yield "columns", "it would release nothing, every column is withheld: name one with another treatment"
    if "release_row" in agreement.columns:
        yield (
            "columns.release_row",
            "is the name of the row's number in a release: the schema needs another name for it",
        )
    for name in agreement.clauses:
        if ";" in name:
            yield "clauses", f"the name of the clause {name} holds `;`, which stands between two names: rename it"
    for name in agreement.requires:
        if name not in agreement.conditions:
            yield "requires", f"the condition {name} is not described: add [conditions.{name}]"
    for purpose, said in agreement.purposes.items():
        for name in said.requires:
            if name not in agreement.conditions:
                yield f"purposes.{purpose}.requires", f"the condition {name} is not described: add [conditions.{name}]"
    for name in agreement.handling.onward.given:
        if name not in agreement.conditions:
            yield "handling.onward.with", f"the condition {name} is not described: add [conditions.{name}]"
    for name in agreement.risk.columns if agreement.risk else ():
        if name not in released:
            yield "risk.columns", f"{name} is not released: name columns that are"
    for name, treatment in released.items():
        if isinstance(treatment, Answer) and agreement.format != "csv":
            yield "format", f'the answers of {name} need "csv": a compressed file\'s size tells how many are hits'
    yield from _clock_faults(agreement)
    if agreement.statistics:
        yield from _statistics_faults(agreement, agreement.statistics)


def _clock_faults(agreement: Agreement) -> Iterator[tuple[str, str]]:
    retention = agreement.handling.retention
    clocks = {retention.clock}
    for name, said in agreement.released.items():
        if said.clock:
            clocks.add(said.clock)
        if said.clock is Clock.DATE and retention.column is None:
            yield f"columns.{name}.clock", "needs handling.retention.column, the column that holds the date"
        if said.clock is Clock.EVENT and retention.event is None:
            yield f"columns.{name}.clock", "needs handling.retention.event, what must happen"
    for clock, key, needed in ((Clock.DATE, "column", retention.column), (Clock.EVENT, "event", retention.event)):
        if needed and clock not in clocks:
            yield f"handling.retention.{key}", f'no clock = "{clock.value}" counts by it: leave it out'
    if retention.column:
        day = agreement.released.get(retention.column)
        if not isinstance(day, Keep) or day.until or day.only_where:
            yield (
                "handling.retention.column",
                f"the dates of the parts tell {retention.column} for good: let [columns.{retention.column}] keep it, "
                "without a clock or condition of its own, or count by loaded or released",
            )


def _statistics_faults(agreement: Agreement, statistics: Statistics) -> Iterator[tuple[str, str]]:
    for name in (statistics.count_as, *statistics.sums):
        if name in agreement.columns:
            yield "statistics", f"{name} is the name of a released column: rename the count or sum"
    if statistics.count_as in statistics.sums:
        yield "statistics.count_as", "is the name of a sum: rename one"
    for name, said in agreement.released.items():
        if said.until:
            yield f"columns.{name}.until", "a column of statistics cannot have a clock of its own: leave it out"
        if said.only_where:
            yield f"columns.{name}.only_where", "a cell of statistics is of many rows: let a row rule say which"
    if agreement.handling.retention.clock is Clock.DATE:
        yield "handling.retention.clock", "statistics have no rows to take a date from: use loaded or released"
    if agreement.cases:
        yield "cases", "statistics have no example rows: leave them out"
    if agreement.risk:
        yield "risk", "statistics have smallest_cell instead: leave it out"

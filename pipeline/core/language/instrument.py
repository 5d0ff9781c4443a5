"""Which text binds whom, and what does it say?"""

from collections.abc import Iterator
from datetime import date
from enum import Enum

from pydantic import Field, model_validator

from pipeline.core.duration import Duration
from pipeline.core.language.clause import Clause, Confidence
from pipeline.core.language.policy import Id, Policy, Text, Word


class Kind(Enum):
    """What sort of text it is."""

    TREATY = "treaty"
    AGREEMENT = "agreement"
    ARRANGEMENT = "arrangement"
    DECISION = "decision"
    DIRECTIVE = "directive"
    REGULATION = "regulation"
    STATUTE = "statute"
    DECLARATION = "declaration"
    JOINT_STATEMENT = "joint statement"
    STRATEGY = "strategy"
    PROGRAMME = "programme"


class InstrumentStatus(Enum):
    """Whether it binds."""

    SIGNED = "signed"
    IN_FORCE = "in force"
    ENDED = "ended"
    UNKNOWN = "unknown"


class Review(Policy):
    """When somebody holds what we say of it against its source again."""

    next: date
    """the day"""
    every: Duration | None = None
    """how often"""


class Instrument(Policy):
    """A treaty, an arrangement, a statute, a declaration: what agreements rest on, and what may exchange no records.

    A date that our source does not give is left out.
    """

    id: Id
    """also the file's name: instruments/ID.toml"""
    title: Text
    """what it is called in full"""
    kind: Kind = Field(strict=False)
    """what sort of text it is"""
    citation: Text
    """how a lawyer finds it"""
    parties: tuple[Word, ...] = Field(min_length=1, strict=False)
    """whom it binds"""
    programme: Text
    """what it belongs to, such as trusted traders"""
    confidence: Confidence = Field(strict=False)
    """how sure we are that it exists and is as described; each clause has its own"""
    source: Text
    """where we have it from"""
    reach: Text | None = None
    """how far it goes, in the figures of its source"""
    status: InstrumentStatus = Field(strict=False)
    """whether it binds"""
    dated: date | None = None
    """the day it bears: signed, adopted, released"""
    since: date | None = None
    """in force from this day on"""
    until: date | None = None
    """in force up to this day, excluded"""
    review: Review | None = None
    """when somebody looks at it again"""
    exchanges_records: bool
    """false for a declaration, a joint statement or a strategy: commitments, no rows, no feed"""
    commitments: tuple[Text, ...] = Field(default=(), strict=False)
    """what its parties have said that they will do"""
    clauses: dict[Word, Clause] = Field(default_factory=dict)
    """by the name under which an agreement's rules cite them: Annex 4, Art. 8(2)(a)"""

    @model_validator(mode="after")
    def _hangs_together(self) -> "Instrument":
        for fault in _faults(self):
            raise ValueError(fault)
        return self


def _faults(instrument: Instrument) -> Iterator[str]:
    """What the file says against itself."""
    if instrument.since and instrument.until and instrument.until <= instrument.since:
        yield "`until` must be after `since`: swap the two dates, or correct the year"
    if instrument.dated and instrument.until and instrument.until <= instrument.dated:
        yield "`until` must be after `dated`: correct the year of one of them"
    if len(set(instrument.parties)) != len(instrument.parties):
        yield "names a party twice: list each once"
    for name in instrument.clauses:
        if ";" in name:
            yield f"the name of the clause {name} holds `;`, which stands between two names: rename it"
    if instrument.exchanges_records:
        return
    if instrument.clauses:
        yield "an instrument without records has no clauses that rules cite: list `commitments` instead"
    if not instrument.commitments:
        yield "an instrument without records is only what its parties have said they will do: list its `commitments`"

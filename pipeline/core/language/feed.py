"""What does a partner send, in which form, how often, and when is it too bad to take?"""

from typing import Literal

from pydantic import Field, model_validator

from pipeline.core.duration import Duration
from pipeline.core.language.policy import ColumnName, Id, Policy, Text
from pipeline.core.language.scope import CLOCK_EVENTS, Predicate, questions
from pipeline.core.language.wire import WireFormat

RETURNS = "returns"
"""The folder of landing that is no feed's: below it lies what recipients give back."""


class FeedLimits(Policy):
    """What a delivery may not exceed."""

    max_bytes: int = Field(default=2 * 1024**3, gt=0)
    """of a delivery"""
    max_rows: int = Field(default=10_000_000, gt=0)
    """of a delivery"""
    max_cell_bytes: int = Field(default=65_536, gt=0)
    """of one cell"""


class Budget(Policy):
    """How many rows a partner may ask about in any period of this length, over all its deliveries."""

    rows: int = Field(gt=0)
    """at most"""
    per: Duration
    """within"""


class Acceptance(Policy):
    """When a delivery is refused as a whole although it can be read."""

    max_rejected_share: float = Field(ge=0, le=1)
    """more rejected rows than this, from 0 to 1, refuse the delivery"""
    min_rows: int = Field(default=1, ge=0)
    """fewer rows than this refuse the delivery"""
    budget: Budget | None = None
    """for queries: what goes over it is refused, however many deliveries it comes in"""


class Expected(Policy):
    """When a delivery must be here: at each time of `cron`, at the latest `within` later, nothing older than `every`."""

    cron: Text
    """when a delivery is due"""
    timezone: Text = "UTC"
    """the zone of these times, by its IANA name"""
    within: Duration
    """so much later it is late"""
    every: Duration
    """nothing older counts"""


class Follows(Policy):
    """A row goes back to a row that another feed must have brought before: a reply to its query, a loading to its filing."""

    name: Id
    """what the rule is called: rows that break it are rejected under it"""
    says: Text
    """what is asked, in words for the partner"""
    source: Text
    """where it is asked"""
    feed: Id
    """the other feed, whose accepted rows are looked at"""
    on: dict[ColumnName, ColumnName] = Field(min_length=1)
    """this feed's column = the other feed's column; all must be equal, as they are written"""
    within: Duration
    """so long ago the other row may have been accepted"""
    asked_of: Predicate | None = None
    """the rows of which it is asked, and those where this is unknown; all if left out"""
    earlier: Predicate | None = None
    """what must be true of the other row"""
    otherwise: Literal["reject", "refuse"] = "reject"
    """reject the row, or refuse the delivery, which is judged anew when it is replayed"""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of this feed that the rule names."""
        return frozenset(self.on) | _asked(self.asked_of)

    @property
    def columns_earlier(self) -> frozenset[str]:
        """The columns of the other feed that the rule names."""
        return frozenset(self.on.values()) | _asked(self.earlier)

    @property
    def code_lists(self) -> frozenset[str]:
        """The lists of the catalogue that the rule leans on."""
        asked = [asks for one in (self.asked_of, self.earlier) if one for asks in questions(one)]
        return frozenset(id for asks in asked for id in (asks.in_codes, asks.not_in_codes) if id)


def _asked(predicate: Predicate | None) -> frozenset[str]:
    asked = list(questions(predicate)) if predicate else []
    moments = (moment for asks in asked for moment in (asks.no_earlier_than, asks.no_later_than) if moment)
    return frozenset({asks.column for asks in asked} | {moment.event for moment in moments}) - CLOCK_EVENTS


class Feed(Policy):
    """One stream of deliveries from one partner."""

    id: Id
    """also the file's name: feeds/ID.toml"""
    title: Text
    """what the partner sends"""
    partner: Id
    """who sends it"""
    schema_module: str = Field(alias="schema", pattern=r"^[a-z][a-z0-9_]*$", description="the module below schemas/")
    format: WireFormat
    """how a delivery is written"""
    signed: bool = Field(
        default=False, description="a detached OpenSSH signature NAME.sig must come with each delivery"
    )
    sealed: bool = Field(default=False, description="a delivery is an age file sealed to the site")
    lot_deliveries: int = Field(
        default=25,
        gt=0,
        description="a backlog is taken in lots of at most this many deliveries; 1 where each delivery is a full list",
    )
    limits: FeedLimits = FeedLimits()
    """what a delivery may not exceed"""
    acceptance: Acceptance
    """when a delivery is too bad to take"""
    expected: Expected | None = None
    """when a delivery is due; never late if left out"""
    marking_column: ColumnName | None = None
    """the column that says what each row is marked with: a row without a known marking refuses its delivery"""

    follows: tuple[Follows, ...] = Field(default=(), strict=False)
    """what must have come from other feeds before a row is taken"""

    @model_validator(mode="after")
    def _rules_have_names_of_their_own(self) -> "Feed":
        if len({rule.name for rule in self.follows}) != len(self.follows):
            raise ValueError("two rules of `follows` have one name: rename one")
        if any(rule.feed == self.id for rule in self.follows):
            raise ValueError("`follows` names another feed: what one delivery tells, no other need have told before")
        return self

    @model_validator(mode="after")
    def _is_no_folder_of_ours(self) -> "Feed":
        if self.id == RETURNS:
            raise ValueError(f"{RETURNS} is the folder of what recipients give back: choose another id")
        return self

    @model_validator(mode="after")
    def _sealed_is_signed(self) -> "Feed":
        if self.sealed and not self.signed:
            raise ValueError("a sealed feed must be signed: age does not say who sealed")
        return self

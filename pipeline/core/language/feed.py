"""What does a partner send, in which form, how often, and when is it too bad to take?"""

from pydantic import Field, model_validator

from pipeline.core.duration import Duration
from pipeline.core.language.policy import ColumnName, Id, Policy, Text
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

"""What must a recipient know and do, and which clocks run?"""

from enum import Enum
from typing import Literal

from pydantic import Field, model_validator

from pipeline.core.duration import Duration
from pipeline.core.language.marking import Downgrade, Marking
from pipeline.core.language.policy import Cited, ColumnName, Id, Policy, Text


class Clock(Enum):
    """What a duration is counted from."""

    RECEIVED = "received"
    """when the first delivery of the lot was claimed"""
    LAST_RECEIVED = "last-received"
    """when the last delivery of the lot was claimed"""
    LOADED = "loaded"
    """when the rows were kept in the vault"""
    RELEASED = "released"
    """when the release was authorised"""
    DATE = "date"
    """a date column of the row, such as the day of travel"""
    EVENT = "event"
    """something that happens later and has no date yet, such as the end of a case"""


class Retention(Policy):
    """How long the recipient may hold the release, and in which state."""

    clock: Clock = Field(strict=False)
    column: ColumnName | None = None
    """for the clock `date`: the feed's column; where its cell is absent the clock runs from the loading"""
    event: Id | None = None
    """for the clock `event`: what must happen"""
    dormant_after: Duration | None = None
    """from then on only few may look, on higher approval"""
    delete_after: Duration
    freeze_on_hold: bool = False
    """a legal hold stops these clocks for the rows of its case"""
    clause: Cited

    @model_validator(mode="after")
    def _counts_from_something(self) -> "Retention":
        if (self.clock is Clock.DATE) != (self.column is not None):
            raise ValueError('clock = "date" needs `column`, and only it')
        if (self.clock is Clock.EVENT) != (self.event is not None):
            raise ValueError('clock = "event" needs `event`, and only it')
        return self


class Delay(Policy):
    """Nothing is released before."""

    clock: Literal["received", "last-received", "loaded"]
    wait: Duration
    clause: Cited


class Onward(Policy):
    """Whether the recipient may pass it on."""

    default: Literal["deny", "allow"]
    given: tuple[Id, ...] = Field(default=(), alias="with", strict=False)
    """the conditions under which it may be passed on all the same"""
    says: Text
    clause: Cited


class Notice(Policy):
    """Who must be told of what, how soon."""

    to: Text
    of: Text
    within: Duration | None = None
    clause: Cited


class Deadline(Policy):
    """By when something must happen: `offset` before (`-`) or after the event."""

    what: Text
    event: Text
    before: Duration | None = None
    after: Duration | None = None
    clause: Cited

    @model_validator(mode="after")
    def _one_direction(self) -> "Deadline":
        if (self.before is None) == (self.after is None):
            raise ValueError("must have exactly one of before, after")
        return self


class Handling(Policy):
    """What the recipient must know and do."""

    marking: Marking
    downgrade: Downgrade | None = None
    caveats: tuple[Text, ...] = Field(default=(), strict=False)
    onward: Onward
    retention: Retention
    delay: Delay | None = None
    notices: tuple[Notice, ...] = Field(default=(), strict=False)
    deadlines: tuple[Deadline, ...] = Field(default=(), strict=False)

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
    """what the durations are counted from"""
    column: ColumnName | None = None
    """for the clock `date`, here or of a column: the feed's column; where its cell is no date the clock runs from the loading"""
    event: Id | None = None
    """for the clock `event`, here or of a column: what must happen"""
    dormant_after: Duration | None = None
    """from then on only few may look, on higher approval"""
    delete_after: Duration
    """when the recipient must have deleted all of it"""
    freeze_on_hold: bool = False
    """a legal hold stops these clocks for the rows of its case"""
    clause: Cited

    @model_validator(mode="after")
    def _counts_from_something(self) -> "Retention":
        if self.clock is Clock.DATE and self.column is None:
            raise ValueError('clock = "date" needs `column`, the column that holds the date')
        if self.clock is Clock.EVENT and self.event is None:
            raise ValueError('clock = "event" needs `event`, what must happen')
        return self


class Delay(Policy):
    """Nothing is released before."""

    clock: Literal["received", "last-received", "loaded"]
    """what it is counted from"""
    wait: Duration
    """how long"""
    clause: Cited


class Onward(Policy):
    """Whether the recipient may pass it on."""

    default: Literal["deny", "allow"]
    """whether it may be passed on"""
    given: tuple[Id, ...] = Field(default=(), alias="with", strict=False)
    """the conditions under which it may be passed on all the same"""
    says: Text
    """in words, for the manifest"""
    clause: Cited


class Notice(Policy):
    """Who must be told of what, how soon."""

    to: Text
    """who is told"""
    of: Text
    """what"""
    within: Duration | None = None
    """how soon"""
    clause: Cited


class Deadline(Policy):
    """By when something must happen: so long before or after an event."""

    what: Text
    """what must happen"""
    event: Text
    """what it is counted from"""
    before: Duration | None = None
    """so long before the event"""
    after: Duration | None = None
    """so long after the event"""
    clause: Cited

    @model_validator(mode="after")
    def _one_direction(self) -> "Deadline":
        if (self.before is None) == (self.after is None):
            raise ValueError("must have exactly one of before, after")
        return self


class Handling(Policy):
    """What the recipient must know and do."""

    marking: Marking
    """what each release is marked with, joined with its rows' markings"""
    downgrade: Downgrade | None = None
    """who has lowered the marking of rows, and how far"""
    caveats: tuple[Text, ...] = Field(default=(), strict=False)
    """sentences for the recipient"""
    onward: Onward
    """whether the recipient may pass it on"""
    retention: Retention
    """how long the recipient may hold it"""
    delay: Delay | None = None
    """how long nothing is released"""
    notices: tuple[Notice, ...] = Field(default=(), strict=False)
    """who must be told of what"""
    deadlines: tuple[Deadline, ...] = Field(default=(), strict=False)
    """by when something must happen"""

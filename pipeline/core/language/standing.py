"""Since when does something hold, until when, and who ended it?"""

import itertools
from datetime import datetime
from enum import Enum

from pydantic import AwareDatetime, Field, model_validator

from pipeline.core.language.policy import Policy, Text


class Status(Enum):
    """Whether an agreement may release at all."""

    DRAFT = "draft"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    SUPERSEDED = "superseded"


class Change(Policy):
    """From this instant on, this is the status."""

    to: Status = Field(strict=False)
    """the status from then on"""
    since: AwareDatetime
    """the instant"""
    reason: Text
    """why, for whoever asks later"""


class InForce(Policy):
    """From (included) until (excluded)."""

    since: AwareDatetime = Field(alias="from")
    """the first instant"""
    until: AwareDatetime
    """the first instant at which it is over"""

    @model_validator(mode="after")
    def _forwards(self) -> "InForce":
        if self.until <= self.since:
            raise ValueError("`until` must be after `from`: swap the two dates, or correct the year")
        return self


ENDED = frozenset({Status.TERMINATED, Status.SUPERSEDED})
"""From these there is no way back: a new version begins instead."""


def out_of_order(changes: tuple[Change, ...]) -> str | None:
    """Why the changes cannot follow each other; None where they can."""
    for before, following in itertools.pairwise(changes):
        if following.since <= before.since:
            return "each must begin later than the one before it: order them by `since`"
        if before.to in ENDED:
            return f"nothing can follow {before.to.value}: write a new version of the agreement instead"
    return None


def status_at(changes: tuple[Change, ...], at: datetime) -> Change | None:
    """The change that holds at the instant; None before the first: a draft."""
    begun = [change for change in changes if change.since <= at]
    return begun[-1] if begun else None

"""What differs between two versions of an agreement, and what does it mean for its recipient?"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from pipeline.core.language.agreement import Agreement
from pipeline.core.treatment_order import Around


class What(Enum):
    """What a difference is about."""

    AGREEMENT = "agreement"
    STATUS = "status"
    DATES = "dates"
    RECIPIENT = "recipient"
    KEY = "key"
    PURPOSE = "purpose"
    CONDITION = "condition"
    DECLARATION = "declaration"
    ROWS = "rows"
    COLUMN = "column"
    CODE_LIST = "code list"
    DOMAIN = "pseudonym domain"
    EPOCH = "pseudonym epoch"
    STATISTICS = "statistics"
    RISK = "risk"
    MARKING = "marking"
    ONWARD = "onward"
    RETENTION = "retention"
    CLOCK = "clock"
    DELAY = "delay"
    NOTICE = "notice"
    FORMAT = "format"
    CLAUSE = "clause"
    OTHER = "other"


class Effect(Enum):
    """What it changes for the recipient."""

    SEES_MORE = "sees more"
    SEES_LESS = "sees less"
    CAN_LINK = "can link"
    CANNOT_LINK = "can no longer link"
    KEEPS_LONGER = "keeps longer"
    KEEPS_SHORTER = "keeps shorter"
    HANDLING_ONLY = "handling only"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the two versions say differently. It `widens` unless it is shown that it does not."""

    what: What
    subject: str
    """the column, rule, purpose... that it is about; "" where there is only one"""
    keys: tuple[str, ...]
    """where in the file; in the old one for what the new one has no more"""
    before: str
    """"" where there was nothing"""
    after: str
    """"" where there is nothing any more"""
    clause: str
    """the clauses that are cited for it, by the new version where it says anything"""
    effect: Effect
    widens: bool
    why: str = ""
    """in a sentence, where the rest does not say it"""

    def stated(self) -> dict[str, Any]:
        """The difference in plain words, as JSON has it."""
        return {
            "what": self.what.value,
            "subject": self.subject,
            "keys": list(self.keys),
            "from": self.before,
            "to": self.after,
            "clause": self.clause,
            "effect": self.effect.value,
            "widens": self.widens,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Side:
    """One version of an agreement with what it leans on."""

    agreement: Agreement
    around: Around


NOT_COMPARED = "cannot be compared: counted as widening"


@dataclass(frozen=True, slots=True)
class Direction:
    """What a change means when it narrows, and when it widens."""

    less: Effect
    more: Effect

    def judged(self, *, no_more: bool, no_less: bool) -> tuple[Effect, bool, str]:
        """Effect, whether it widens, and why, from both questions of a partial order."""
        if no_more:
            return (Effect.HANDLING_ONLY if no_less else self.less), False, ""
        return self.more, True, "" if no_less else NOT_COMPARED


SEEN = Direction(Effect.SEES_LESS, Effect.SEES_MORE)
KEPT = Direction(Effect.KEEPS_SHORTER, Effect.KEEPS_LONGER)
LINKED = Direction(Effect.CANNOT_LINK, Effect.CAN_LINK)
HANDLED = Direction(Effect.HANDLING_ONLY, Effect.HANDLING_ONLY)


def said(value: object) -> str:
    """A setting in one line: `mask (keep_first 4)` from a model's settings, the word itself from a word."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Enum():
            return str(value.value)
        case tuple() | list() | set() | frozenset():
            ordered = sorted(map(said, value)) if isinstance(value, set | frozenset) else map(said, value)
            return ", ".join(ordered)
        case dict():
            return "; ".join(f"{name} {said(inner)}".strip() for name, inner in value.items())
    return str(value)

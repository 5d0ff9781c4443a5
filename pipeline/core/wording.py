"""How is a rule of an agreement said to somebody who reads no TOML?"""

import re

from pipeline.core.duration import Duration
from pipeline.core.language.purpose import (
    Authority,
    CaseReference,
    Condition,
    ExpressUnderstanding,
    HumanReview,
    OffenceThreshold,
    OriginatorConsent,
    ThirdPartyNotice,
)
from pipeline.core.language.scope import AllOf, AnyOf, Asks, Moment, Not, Predicate
from pipeline.core.language.treatment import Treatment

_UNITS = {"Y": "year", "M": "month", "D": "day", "h": "hour", "m": "minute"}

_RULES = {"treatment", "clause", "until", "clock", "only_where"}
"""What is said of a treatment elsewhere."""


def duration_in_words(duration: Duration) -> str:
    """`P1Y6M` as 1 year 6 months."""
    days, _, hours = duration.removeprefix("P").partition("T")
    parts = re.findall(r"(\d+)([YMDhm])", days + hours.lower())
    return " ".join(f"{int(number)} {_UNITS[unit]}{'' if int(number) == 1 else 's'}" for number, unit in parts)


def predicate_in_words(predicate: Predicate) -> str:
    """What must be true of a row. A question about an absent cell is unknown, but for whether it is there: see `core.scope`."""
    match predicate:
        case AnyOf():
            return _joined(predicate.any, " or ")
        case AllOf():
            return _joined(predicate.all, " and ")
        case Not():
            return f"not ({predicate_in_words(predicate.negated)})"
        case Asks():
            return f"{predicate.column} {_question(predicate)}"


def _joined(predicates: tuple[Predicate, ...], word: str) -> str:
    said = [
        f"({predicate_in_words(one)})"
        if isinstance(one, AnyOf | AllOf) and len(predicates) > 1
        else predicate_in_words(one)
        for one in predicates
    ]
    return word.join(said)


def _question(asks: Asks) -> str:
    if asks.exists is not None:
        return "is there" if asks.exists else "is absent"
    if asks.any_of is not None:
        return f"is {_listed(asks.any_of)}"
    if asks.none_of is not None:
        return f"is none of {', '.join(asks.none_of)}"
    if asks.in_codes is not None:
        return f"is in the list {asks.in_codes}"
    if asks.not_in_codes is not None:
        return f"is not in the list {asks.not_in_codes}"
    if asks.at_least is not None:
        return f"is {asks.at_least} or {'more' if asks.read_as == 'number' else 'later'}{_as(asks)}"
    if asks.at_most is not None:
        return f"is {asks.at_most} or {'less' if asks.read_as == 'number' else 'earlier'}{_as(asks)}"
    if asks.no_earlier_than is not None:
        return f"is no earlier than {moment_in_words(asks.no_earlier_than)}"
    if asks.no_later_than is not None:
        return f"is no later than {moment_in_words(asks.no_later_than)}"
    if asks.declared is not None:
        return "is the reference of the declared case"
    return "is asked nothing, which is never true"


def _as(asks: Asks) -> str:
    return "" if asks.read_as == "text" else f" (read as a {asks.read_as})"


def _listed(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"one of {', '.join(values)}"


def moment_in_words(moment: Moment) -> str:
    """`loaded` with `minus = "P6M"` as 6 months before the loading of the row."""
    event = {"released": "the release", "loaded": "the loading of the row"}.get(moment.event, moment.event)
    if moment.plus:
        return f"{duration_in_words(moment.plus)} after {event}"
    if moment.minus:
        return f"{duration_in_words(moment.minus)} before {event}"
    return event


def treatment_in_words(treatment: Treatment) -> str:
    """Its name, whatever the agreement sets for it, and its condition; clause and clock are said apart."""
    settings = treatment.model_dump(exclude=_RULES, exclude_defaults=True)
    said = ", ".join(_setting(name.replace("_", " "), value) for name, value in settings.items())
    told = f"{treatment.treatment} ({said})" if said else treatment.treatment
    condition = getattr(treatment, "only_where", None)
    return f"{told}, only where {predicate_in_words(condition)}" if condition else told


def _setting(name: str, value: object) -> str:
    if value is True:
        return name
    if isinstance(value, dict):
        return f"{name}: " + ", ".join(f"{word} for {' or '.join(values)}" for word, values in value.items())
    if isinstance(value, tuple):
        return f"{name} {', '.join(map(str, value))}"
    return f"{name} {value}"


def condition_in_words(condition: Condition) -> str:
    """What must be shown."""
    match condition:
        case CaseReference():
            return "the case has a reference"
        case OffenceThreshold():
            tests = f" and meets {' or '.join(condition.tests)}" if condition.tests else ""
            return f"the offence carries at least {condition.at_least_years} years{tests}"
        case ExpressUnderstanding():
            return "the recipient has given an understanding in writing"
        case OriginatorConsent():
            return f"{condition.originator} has consented"
        case HumanReview():
            return "a person has looked at it"
        case ThirdPartyNotice():
            return f"{condition.to} has been told"
        case Authority():
            return f"{condition.of} has ordered or allowed it"

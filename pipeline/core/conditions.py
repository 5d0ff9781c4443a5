"""Is what a purpose asks for shown?

A release has one declared purpose. The purpose, and the agreement, require conditions; each is either shown in the declaration or
missing, and one that is missing blocks the release. What was shown goes into the manifest.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.purpose import (
    Authority,
    CaseReference,
    Condition,
    Declaration,
    ExpressUnderstanding,
    HumanReview,
    OffenceThreshold,
    OriginatorConsent,
    ThirdPartyNotice,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A condition that was met, and by what: a reference, never a row's value."""

    condition: str
    kind: str
    clause: str
    by: str


def shown_for(agreement: Agreement, declaration: Declaration) -> tuple[Shown, ...]:
    """Every condition of the declared purpose with what shows it.

    Raises:
        Refused: the purpose is not allowed, or a condition is not shown.
    """
    where = f"agreement {agreement.id}"
    declare = f"`safeconduct declare {agreement.id}`"
    if declaration.purpose not in agreement.purposes:
        raise Refused(
            Code.PURPOSE_NOT_ALLOWED,
            f"{where} does not allow the purpose {declaration.purpose}.",
            next_step=f"declare one of {', '.join(agreement.purposes)} with {declare}; then rerun.",
        )
    required = dict.fromkeys((*agreement.requires, *agreement.purposes[declaration.purpose].requires))
    found = {name: _shown(agreement.conditions[name], declaration) for name in required}
    missing = [f"{name} ({_asked(agreement.conditions[name])})" for name, by in found.items() if by is None]
    if missing:
        raise Refused(
            Code.CONDITION_MISSING,
            f"{where}: for {declaration.purpose} it is not shown: {', '.join(missing)}.",
            next_step=f"show it with {declare}; then rerun.",
        )
    return tuple(_stated(agreement, found))


def _stated(agreement: Agreement, found: dict[str, str | None]) -> Iterator[Shown]:
    for name, by in found.items():
        condition = agreement.conditions[name]
        yield Shown(name, condition.kind, condition.clause, by or "")


def _shown(condition: Condition, declaration: Declaration) -> str | None:
    """The reference that shows the condition; None where it is missing."""
    match condition:
        case CaseReference():
            return declaration.case_reference
        case OffenceThreshold():
            return _offence(condition, declaration)
        case ExpressUnderstanding():
            return declaration.understanding
        case OriginatorConsent():
            return declaration.consents.get(condition.originator)
        case HumanReview():
            reviewed = declaration.reviewed
            return f"{reviewed.by}, {reviewed.at.isoformat()}" if reviewed else None
        case ThirdPartyNotice():
            return declaration.notices.get(condition.to)
        case Authority():
            return declaration.authorities.get(condition.of)


def _offence(condition: OffenceThreshold, declaration: Declaration) -> str | None:
    offence = declaration.offence
    if offence is None or offence.most_years < condition.at_least_years:
        return None
    passed = [test for test in condition.tests if test in offence.tests]
    if condition.tests and not passed:
        return None
    return ", ".join([f"{offence.most_years} years", *passed])


def _asked(condition: Condition) -> str:
    """What to show, in the words of the command's options."""
    match condition:
        case CaseReference():
            return "--case REFERENCE"
        case OffenceThreshold():
            tests = f" --test one of {', '.join(condition.tests)}" if condition.tests else ""
            return f"--years {condition.at_least_years} or more{tests}"
        case ExpressUnderstanding():
            return "--understanding REFERENCE"
        case OriginatorConsent():
            return f"--consent {condition.originator}=REFERENCE"
        case HumanReview():
            return "--reviewed-by NAME"
        case ThirdPartyNotice():
            return f"--notice {condition.to}=REFERENCE"
        case Authority():
            return f"--authority {condition.of}=REFERENCE"

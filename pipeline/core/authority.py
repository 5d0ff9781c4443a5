"""May this agreement release, now, for this purpose, to these keys?"""

from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.core.clocks import Instants
from pipeline.core.conditions import Shown, shown_for
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.marking import Marking
from pipeline.core.language.partner import Partner
from pipeline.core.language.purpose import Declaration
from pipeline.core.language.standing import Status
from pipeline.core.markings import permits, release_marking


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a release is for: the partner, its members where it is a community, and the keys that they can open it with."""

    partner: Partner
    members: tuple[Partner, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Authorised:
    """An agreement in force at the release, for a declared purpose, and the keys of its recipient. Made only by `authorise`."""

    agreement: Agreement
    agreement_digest: str
    declaration: Declaration
    conditions: tuple[Shown, ...]
    recipient: Recipient
    instants: Instants

    @property
    def at(self) -> datetime:
        return self.instants.released


def authorise(
    agreement: Agreement,
    *,
    agreement_digest: str,
    declaration: Declaration | None,
    recipient: Recipient,
    instants: Instants,
) -> Authorised:
    """The permission to release under `agreement` at `instants.released`; everything unclear is a no.

    `declaration` is what somebody has declared for these rows; without one, the agreement's own holds.
    """
    in_force(agreement, instants.released)
    declared = declaration or agreement.declared
    if declared is None:
        raise Refused(
            Code.PURPOSE_MISSING,
            f"agreement {agreement.id}: nobody has declared what the release is for.",
            next_step=f"declare it with `safeconduct declare {agreement.id}`; then rerun.",
        )
    conditions = shown_for(agreement, declared)
    _may_have(recipient, agreement.handling.marking, declared)
    return Authorised(agreement, agreement_digest, declared, conditions, _with_keys(agreement, recipient), instants)


def marked(authorised: Authorised, rows: Marking | None) -> Marking:
    """What the release bears once its rows are known by their own markings, `rows` joined; its recipient may have it."""
    handling = authorised.agreement.handling
    marking = release_marking(handling.marking, rows, handling.downgrade)
    _may_have(authorised.recipient, marking, authorised.declaration)
    return marking


def in_force(agreement: Agreement, at: datetime) -> None:
    """The agreement is active at the instant and its dates hold; else Refused."""
    where = f"agreement {agreement.id}"
    standing = agreement.status_at(at)
    if standing is None or standing.to is not Status.ACTIVE:
        said = f"{standing.to.value} since {standing.since.isoformat()}: {standing.reason}" if standing else "a draft"
        raise Refused(
            Code.AGREEMENT_NOT_ACTIVE,
            f"{where} is {said.rstrip('.')}.",
            next_step="nothing is released until its privacy officer makes it active; then rerun.",
        )
    if at < agreement.in_force.since:
        raise Refused(
            Code.AGREEMENT_NOT_IN_FORCE,
            f"{where} enters into force on {agreement.in_force.since.isoformat()}.",
            next_step="rerun after that instant.",
        )
    if at >= agreement.in_force.until:
        raise Refused(
            Code.AGREEMENT_EXPIRED,
            f"{where} ended on {agreement.in_force.until.isoformat()}.",
            next_step="renew the agreement in the catalogue; then rerun.",
        )


def _may_have(recipient: Recipient, marking: Marking, declared: Declaration) -> None:
    permits(
        marking,
        recipient.partner,
        members=recipient.members,
        purpose=declared.purpose,
        consents=declared.consents,
        reviewed_by=declared.reviewed.by if declared.reviewed else None,
    )


def _with_keys(agreement: Agreement, recipient: Recipient) -> Recipient:
    """The recipient with the keys that the agreement lets parts be sealed to."""
    if not recipient.keys:
        raise Misconfigured(
            Code.PARTNER_KEY_MISSING,
            f"partner {recipient.partner.id} has no key.",
            next_step=f"register a key for {recipient.partner.id}; then rerun.",
        )
    if agreement.recipient_keys is None:
        return recipient
    unknown = set(agreement.recipient_keys) - set(recipient.keys)
    if unknown:
        raise Refused(
            Code.RECIPIENT_KEY_UNKNOWN,
            f"agreement {agreement.id} names {len(unknown)} recipient keys that {recipient.partner.id} has not registered.",
            next_step="register them, or correct `recipient_keys`; then rerun.",
        )
    return replace(recipient, keys=agreement.recipient_keys)

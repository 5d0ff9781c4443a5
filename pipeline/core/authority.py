"""May this agreement release, now, to these keys?"""

from dataclasses import dataclass
from datetime import datetime

from pipeline.core.agreement import Agreement, Status, Tlp
from pipeline.core.errors import Code, Misconfigured, Refused


@dataclass(frozen=True, slots=True)
class Authorised:
    """An agreement in force at `at`, and the keys of its recipient. Made only by `authorise`."""

    agreement: Agreement
    agreement_digest: str
    purpose: str
    recipient_keys: tuple[str, ...]
    at: datetime


def authorise(
    agreement: Agreement, *, agreement_digest: str, recipient_keys: tuple[str, ...], at: datetime
) -> Authorised:
    """The permission to release under `agreement` at the instant `at`; everything unclear is a no."""
    where = f"agreement {agreement.id}"
    if agreement.status is not Status.ACTIVE:
        raise Refused(
            Code.AGREEMENT_NOT_ACTIVE,
            f"{where} is {agreement.status.value}.",
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
    if agreement.purposes.declared not in agreement.purposes.allow:
        raise Refused(
            Code.PURPOSE_NOT_ALLOWED,
            f"{where} declares the purpose {agreement.purposes.declared}, which it does not allow.",
            next_step="correct the agreement's purposes; then rerun.",
        )
    if agreement.handling.tlp is Tlp.RED:
        raise Refused(
            Code.MARKING_FORBIDS,
            f"{where} is marked TLP:RED, which is for named persons and never for shared storage.",
            next_step="hand the rows over by another way, or correct the marking.",
        )
    if not recipient_keys:
        raise Misconfigured(
            Code.PARTNER_KEY_MISSING,
            f"partner {agreement.recipient} has no key.",
            next_step=f"register a key for {agreement.recipient}; then rerun.",
        )
    return Authorised(agreement, agreement_digest, agreement.purposes.declared, recipient_keys, at)

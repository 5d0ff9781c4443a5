"""A delivery is refused as a whole: held, told and gone from landing. Unless another run took it meanwhile."""

from pipeline.core.delivery import Delivery, Lot
from pipeline.core.errors import Code, Conflict, Refused, Unavailable
from pipeline.core.language.feed import RETURNS, Feed
from pipeline.edges.arrival import as_landed
from pipeline.edges.outcomes import Refusal
from pipeline.edges.site import Site


def hold(site: Site, delivery: Delivery, refusal: Refused) -> Refused:
    """The delivery is in quarantine as a whole, with the reason: the refusal, or that another file is there by now."""
    try:
        if refusal.code is not Code.DELIVERY_CHANGED:
            site.quarantine.hold_raw(delivery, as_landed(site, delivery)())
    except Refused as changed:  # there is nothing of this delivery to hold
        refusal = changed
    site.quarantine.report(delivery, refusal=refusal, rows=None, rejected=None, findings=())
    return refusal


def let_go(site: Site, feed: Feed | None, delivery: Delivery, refusal: Refused) -> Refusal:
    """The delivery is gone from landing, unless what is there is another file."""
    if refusal.code is not Code.DELIVERY_CHANGED:
        signed = feed.signed if feed else delivery.feed == RETURNS
        site.landing.discard(delivery.landed_as, delivery.id, signed=signed)
    return Refusal(delivery.id, delivery.landed_as, refusal.code.value, str(refusal))


def gone(delivery: Delivery) -> Refused:
    """The refusal of a delivery that is not there any more."""
    return Refused(
        Code.DELIVERY_CHANGED,
        f"{delivery.landed_as} went away before it was read.",
        next_step="ask the partner to send it again, under any name.",
    )


def taken_by_another_run(site: Site, lot: Lot, delivery: Delivery, missing: Conflict) -> bool:
    """Whether the delivery is gone from landing since another run of the lot has kept it; other conflicts are raised."""
    if missing.code is not Code.OBJECT_MISSING:
        raise missing
    if site.quarantine.has_raw(delivery):
        raise Unavailable(
            Code.STORAGE_UNAVAILABLE,
            f"another run refused {delivery.landed_as} while this one read it.",
            next_step="rerun: the delivery is in quarantine now, and is judged from there.",
        )
    return site.vault.holds(lot.id, delivery.id)

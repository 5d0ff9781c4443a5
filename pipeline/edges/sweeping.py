"""Which lots are to be received now? What a sweep of landing does with each file that it finds there."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from pipeline.core.delivery import Lot
from pipeline.core.errors import Code, Refused, SafeconductError
from pipeline.core.language.feed import Feed
from pipeline.edges import record
from pipeline.edges.landing import Claim, Landed
from pipeline.edges.site import Site
from pipeline.edges.storage import Listed


def sweep_feed(site: Site, feed: Feed, waiting: Iterable[Listed], odd: list[str]) -> tuple[Lot, ...]:
    """The lots of `feed` to be received now: new ones, and those whose turn it is again.

    A file that cannot be taken holds up no other: why is added to `odd`.
    """
    landing, now = site.landing, site.now()
    lots: dict[str, Lot] = {}
    fresh: list[Landed] = []
    for file in taken(site, waiting, odd, signed=feed.signed):
        claim = landing.claimed(feed.id, file.delivery)
        if claim is None:
            fresh.append(file)
            continue
        lot = landing.lot_of(claim)
        if _is_left_over(site, file, claim, lot):
            landing.discard(file.key, file.delivery, signed=feed.signed)
        elif _is_sent_again(site, feed, file, claim) or landing.wake(lot, at=now):
            lots[lot.id] = lot
    size = feed.lot_deliveries
    for start in range(0, len(fresh), size):
        claimed = landing.claim(feed.id, fresh[start : start + size], at=now)
        if claimed and landing.wake(claimed, at=now):
            lots[claimed.id] = claimed
    return tuple(lots.values())


def sweep_stray(site: Site, waiting: Iterable[Listed], odd: list[str]) -> tuple[tuple[Landed, Refused], ...]:
    """Files below a folder that is no feed's: each is claimed for nobody, and refused."""
    return tuple(
        (
            file,
            Refused(
                Code.UNKNOWN_FEED,
                f"{file.key} landed where no feed is.",
                next_step="ask the partner to use its feed's folder, or add the feed to the catalogue and move the file there.",
            ),
        )
        for file in taken(site, waiting, odd, signed=False)
    )


def taken(site: Site, waiting: Iterable[Listed], odd: list[str], *, signed: bool) -> Iterable[Landed]:
    """Each file that is whole, with its signature where it is `signed`."""
    for listed in waiting:
        try:
            file = site.landing.take(
                listed,
                signed=signed,
                at=site.now(),
                settle=timedelta(seconds=site.settings.settle_seconds),
                signature_wait=timedelta(seconds=site.settings.signature_wait_seconds),
            )
        except SafeconductError as error:
            odd.append(f"{listed.key}: {error}")
            continue
        if file is not None:
            yield file


def _is_left_over(site: Site, file: Landed, claim: Claim, lot: Lot) -> bool:
    """Whether the file's rows are in the vault already: it was sent twice, or a crash kept us from discarding it."""
    delivery = claim.delivery
    if not site.vault.holds(lot.id, delivery.id):
        return False
    if file.key != delivery.landed_as:
        record.repeated(site, delivery, file.key)
    return True


def _is_sent_again(site: Site, feed: Feed, file: Landed, claim: Claim) -> bool:
    """Whether a delivery that was refused, or that went away before it was read, was sent once more: look again, now."""
    delivery = claim.delivery
    if not site.quarantine.has_raw(delivery):
        if file.key == delivery.landed_as or site.landing.has(delivery):
            return False
        site.quarantine.hold_raw(delivery, site.landing.bytes_of(replace(delivery, landed_as=file.key)))
    site.landing.keep_signature(feed.id, file)
    site.landing.discard(file.key, file.delivery, signed=feed.signed)
    return True

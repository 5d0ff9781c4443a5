"""The clear bytes of a delivery, from landing or from quarantine, once its size and its signature hold."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pipeline.core.delivery import Delivery
from pipeline.core.errors import Code, Refused
from pipeline.core.language.feed import Feed
from pipeline.edges.opening import Signer, open_delivery, read_signature, verify_digest, verify_signature
from pipeline.edges.site import Site

Blocks = Callable[[], Iterator[bytes]]


def open_arrived(site: Site, feed: Feed, delivery: Delivery) -> Iterator[bytes]:
    """The delivery's clear bytes.

    Raises:
        Refused: it is too large, not signed by its partner, or does not open.
    """
    if delivery.size_bytes > feed.limits.max_bytes:
        raise Refused(
            Code.DELIVERY_TOO_LARGE,
            f"{delivery.landed_as} has {delivery.size_bytes} bytes; the feed allows {feed.limits.max_bytes}.",
            next_step="ask the partner for smaller deliveries, or raise limits.max_bytes of the feed and rerun.",
        )
    raw = as_landed(site, delivery)
    if feed.signed:
        signers = site.keyring.allowed_signers(feed.partner)
        _signed_by_partner(site, delivery, raw, signers)
    if feed.sealed:
        return open_delivery(raw(), site.keyring.opening_identities, name=delivery.landed_as)
    return raw()


def as_landed(site: Site, delivery: Delivery) -> Blocks:
    """How to read the bytes that the partner wrote."""
    if site.quarantine.has_raw(delivery):
        return partial(site.quarantine.raw, delivery)
    return partial(site.landing.bytes_of, delivery)


def _signed_by_partner(site: Site, delivery: Delivery, raw: Blocks, signers: Sequence[Signer]) -> None:
    """One of the signatures that came with the delivery holds; else Refused, as the last one was."""
    signatures = site.landing.signatures(delivery)
    for left, text in enumerate(signatures, start=1 - len(signatures)):
        try:
            signature = read_signature(text, name=delivery.landed_as)
            if signature.hash_name == "sha256":  # the claim has hashed these very bytes
                verify_digest(signature, bytes.fromhex(delivery.id), signers, name=delivery.landed_as)
            else:
                verify_signature(text, raw(), signers, name=delivery.landed_as)
        except Refused:
            if left == 0:
                raise
        else:
            return

"""What has landed, who has it, and where are its bytes?

    landing/<feed>/<name>              the partner's file, and <name>.sig beside it where the feed asks for one
    landing/returns/<partner>/<name>   what a recipient gives back (`pipeline.edges.returns`)
    private/claims/<feed>/<id>.json    write-once: this delivery belongs to this lot
    private/lots/<feed>/<lot>.json            write-once: the deliveries of the lot
    private/signatures/<feed>/<id>/    signatures that came with later copies of a claimed delivery
    private/wakes/<lot>/<n>.json       write-once: the lot was handed out for the n-th time

An event only wakes us; a listing of landing is the truth. A crash between two writes leaves claims without a lot; the
next sweep finishes them, to the same lot.
"""

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.canonical import canonical, read
from pipeline.core.delivery import Delivery, Lot, lot_id
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.core.language.feed import RETURNS
from pipeline.edges.opening import MAX_SIGNATURE_BYTES, SIGNATURE_SUFFIX
from pipeline.edges.storage import AlreadyThere, Listed, Store, is_key

FIRST_WAKE_AGAIN = timedelta(minutes=15)
"""A lot without outcome is handed out again after this long, then after twice as long, and so on."""


_CLOCKS_DIFFER_BY = timedelta(minutes=1)
"""A file's time may be ahead of ours by so much, and the file still be written."""


@dataclass(frozen=True, slots=True)
class Landed:
    """One whole file below a feed's landing prefix, with its signature where there is one."""

    delivery: str
    key: str
    size_bytes: int
    signature: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery and the lot that it was claimed for, with all that this lot was meant to hold."""

    delivery: Delivery
    lot: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wake:
    """When a lot was handed out for the `number`-th time. `digest` is SHA-256 (hex) of the rest: an edit shows by itself."""

    lot: str
    number: int
    at: datetime
    digest: str

    @classmethod
    def of(cls, lot: str, number: int, at: datetime) -> "Wake":
        return cls(lot, number, at, hashlib.sha256(f"{lot}/{number}/{at.isoformat()}".encode()).hexdigest())

    @property
    def holds(self) -> bool:
        return self == Wake.of(self.lot, self.number, self.at)


@dataclass(frozen=True, slots=True)
class Landing:
    """The landing store and our record of what we took from it."""

    store: Store
    private: Store

    def waiting(self, signed: Collection[str] = ()) -> dict[str, list[Listed]]:
        """The files that landed, by the first part of their key (the feed).

        In the feeds that are `signed`, a name that ends as a signature's does is one, and no delivery; as in `returns`.
        """
        found: dict[str, list[Listed]] = {}
        for listed in self.store.listing():
            feed, _, name = listed.key.partition("/")
            if not (feed in (*signed, RETURNS) and name.endswith(SIGNATURE_SUFFIX)):
                found.setdefault(feed if name else "", []).append(listed)
        return found

    def take(
        self, listed: Listed, *, signed: bool, at: datetime, settle: timedelta, signature_wait: timedelta
    ) -> Landed | None:
        """The file, hashed, or None while its writer may still be writing it or its signature is still awaited."""
        age = at - listed.changed_at
        if self.store.url.startswith("file:") and -_CLOCKS_DIFFER_BY <= age < settle:
            return None
        signature = self._signature(listed.key) if signed else None
        if signed and signature is None and timedelta(0) <= age < signature_wait:
            return None
        digest = hashlib.sha256()
        for block in self.store.blocks(listed.key):
            digest.update(block)
        encoded = base64.b64encode(signature).decode() if signature is not None else None
        return Landed(digest.hexdigest(), listed.key, listed.size_bytes, encoded)

    def keep_signature(self, feed: str, file: Landed) -> None:
        """A signature that came with a later copy of a claimed delivery is kept beside the one of its claim."""
        if file.signature is not None:
            name = hashlib.sha256(file.signature.encode()).hexdigest()
            self.private.put_new(f"{_signatures(feed, file.delivery)}/{name}", file.signature.encode())

    def signatures(self, delivery: Delivery) -> tuple[bytes | None, ...]:
        """Every signature that came with the delivery; None alone where none did."""
        kept = [self.private.find(one.key) for one in self.private.listing(_signatures(delivery.feed, delivery.id))]
        texts = [delivery.signature, *(text.decode() for text in kept if text)]
        return tuple(base64.b64decode(text) for text in texts if text is not None) or (None,)

    def claim(self, feed: str, landed: Iterable[Landed], *, at: datetime) -> Lot | None:
        """The lot of those of `landed` that nobody else has claimed; None where that is none."""
        files = {file.delivery: file for file in landed}
        members = tuple(sorted(files))
        lot = lot_id(feed, members)
        for id, file in files.items():
            delivery = Delivery(id, feed, file.key, file.size_bytes, at, file.signature)
            with suppress(AlreadyThere):
                self.private.put_new(_claim_key(feed, id), canonical(Claim(delivery, lot, members)))
        return self._finish(feed, lot, members)

    def claimed(self, feed: str, delivery: str) -> Claim | None:
        """The claim on a delivery, or None."""
        key = _claim_key(feed, delivery)
        text = self.private.find(key)
        return read(Claim, text, name=key) if text else None

    def lot_of(self, claim: Claim) -> Lot:
        """The lot that holds a claimed delivery. Finishes what a sweep that died half-way left undone."""
        lot = self._finish(claim.delivery.feed, claim.lot, claim.members)
        if lot and claim.delivery in lot.deliveries:
            return lot
        # A sweep was so slow that another finished its lot before this claim: the delivery is a lot of its own.
        alone = lot_id(claim.delivery.feed, [claim.delivery.id])
        return self._recorded(Lot(alone, claim.delivery.feed, (claim.delivery,)))

    def records_of(self, feed: str, delivery: str) -> Iterator[str]:
        """The keys of what says where the delivery came from: its claim, its lot and later signatures; none for a stray one."""
        claim = self.claimed(feed, delivery)
        if claim is not None:
            yield _claim_key(feed, delivery)
            yield _lot_key(self.lot_of(claim).id)
            yield from (listed.key for listed in self.private.listing(_signatures(feed, delivery)))

    def lot(self, id: str) -> Lot:
        """The lot's deliveries."""
        text = self.private.find(_lot_key(id))
        if text is None:
            raise Misconfigured(
                Code.NOT_FOUND,
                f"there is no lot {id}.",
                next_step="`safeconduct status` lists the lots; or sweep landing first.",
            )
        return read(Lot, text, name=_lot_key(id))

    def lots(self, feed: str = "") -> Iterator[Lot]:
        """Every lot, or those of one feed, in the order of their ids."""
        for listed in self.private.listing(f"lots/{feed}" if feed else "lots"):
            yield self.lot(listed.key.rpartition("/")[2].removesuffix(".json"))

    def wake(self, lot: Lot, *, at: datetime) -> bool:
        """Whether the lot is to be handed out now: the first time at once, then after ever longer pauses."""
        number, pause = 0, FIRST_WAKE_AGAIN
        while (found := self.private.find(f"wakes/{lot.id}/{number}.json")) is not None:
            if at < read(Wake, found, name=f"wakes/{lot.id}/{number}.json").at + pause:
                return False
            number, pause = number + 1, pause * 2
        try:
            self.private.put_new(f"wakes/{lot.id}/{number}.json", canonical(Wake.of(lot.id, number, at)))
        except AlreadyThere:
            return False
        return True

    def bytes_of(self, delivery: Delivery) -> Iterator[bytes]:
        """The delivery's bytes where they landed, to the last one what was claimed.

        Raises:
            Refused: DELIVERY_CHANGED, at the end: what was read before is not the claimed delivery.
        """
        digest = hashlib.sha256()
        for block in self.store.blocks(delivery.landed_as):
            digest.update(block)
            yield block
        if digest.hexdigest() != delivery.id:
            raise Refused(
                Code.DELIVERY_CHANGED,
                f"{delivery.landed_as} is no longer what was claimed as {delivery.id[:16]}.",
                next_step="nothing: the next sweep claims what is there now as a delivery of its own.",
            )

    def has(self, delivery: Delivery) -> bool:
        """Whether a file is where the delivery landed."""
        return self.store.exists(delivery.landed_as)

    def discard(self, key: str, delivery: str, *, signed: bool) -> None:
        """The delivery is gone from landing; only after its rows or bytes are safe. Another file under its name stays.

        Its signature goes with it where the feed is `signed`; elsewhere such a name is a delivery of its own.
        """
        if not self.store.exists(key):
            return
        digest = hashlib.sha256()
        for block in self.store.blocks(key):
            digest.update(block)
        if digest.hexdigest() == delivery:
            self.store.destroy(key)
            if signed and is_key(key + SIGNATURE_SUFFIX):
                self.store.destroy(key + SIGNATURE_SUFFIX)

    def _signature(self, key: str) -> bytes | None:
        """What lies beside a delivery as its signature, no more of it than a signature can have."""
        read = b""
        try:
            for block in self.store.blocks(key + SIGNATURE_SUFFIX, block_bytes=MAX_SIGNATURE_BYTES + 1):
                read += block
                if len(read) > MAX_SIGNATURE_BYTES:
                    break
        except (Conflict, Misconfigured):  # there is none, none can be, or a link is in its place
            return None
        return read

    def _finish(self, feed: str, lot: str, members: Iterable[str]) -> Lot | None:
        """The lot as it is recorded for good: those members whose claim names it when the first one comes to record it."""
        claims = (self.claimed(feed, id) for id in members)
        ours = tuple(claim.delivery for claim in claims if claim and claim.lot == lot)
        return self._recorded(Lot(lot, feed, ours)) if ours else None

    def _recorded(self, lot: Lot) -> Lot:
        with suppress(AlreadyThere):
            self.private.put_new(_lot_key(lot.id), canonical(lot))
        return self.lot(lot.id)


def _signatures(feed: str, delivery: str) -> str:
    return f"signatures/{feed}/{delivery}"


def _claim_key(feed: str, delivery: str) -> str:
    return f"claims/{feed}/{delivery}.json"


def _lot_key(lot: str) -> str:
    return f"lots/{lot.partition('.')[0]}/{lot}.json"

"""What does an audit know when it looks at an object? The site, what the ledger speaks of, and what was listed.

The order makes that nothing that is just being made is taken for an edit: the entries are read first, then the stores are
listed, then objects are read. What an entry names was written before it, so it is listed; what was written since the audit
began, or shortly before, needs no entry yet.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.core.duration import after
from pipeline.core.errors import Code, Conflict, SafeconductError
from pipeline.edges.audit_ledger import Spoken, digest_of
from pipeline.edges.publication import Published
from pipeline.edges.records import PRIVATE, SHARED
from pipeline.edges.site import Site
from pipeline.edges.storage import Listed, Store


@dataclass(frozen=True, slots=True)
class Object:
    """One object of a store; `parts` are what its key says."""

    store: str
    listed: Listed
    parts: Mapping[str, str]

    @property
    def key(self) -> str:
        return self.listed.key

    @property
    def name(self) -> str:
        return f"{self.store}/{self.key}"


@dataclass(slots=True)
class Grounds:
    """`unread_before`: a sealed object that has not changed since is not read again; None to read all."""

    site: Site
    spoken: Spoken
    listed: dict[str, Listed]
    began: datetime
    unread_before: datetime | None = None
    ledger_holds: bool = True
    named: set[str] = field(default_factory=set)
    tables_of: set[str] = field(default_factory=set)
    not_understood: int = 0
    leftovers: int = 0
    making: int = 0
    waiting: int = 0
    read_objects: int = 0
    read_bytes: int = 0
    told: Callable[[int], None] = lambda _bytes: None
    _published: dict[tuple[str, str], Published | None] = field(default_factory=dict)
    _claimed: frozenset[str] | None = None

    def store(self, name: str) -> Store:
        return {PRIVATE: self.site.vault.store, SHARED: self.site.publication.store}[name]

    def fresh(self) -> None:
        """What was read is forgotten: objects may be others now."""
        self._published.clear()

    # Reading

    def content(self, one: Object) -> bytes:
        """The whole of a small object."""
        content = self.store(one.store).find(one.key)
        if content is None:
            raise gone(one.name)
        self._count(1, len(content))
        return content

    def read(self, name: str) -> bytes | None:
        """The object with this store and key, or None; for comparing."""
        store, _, key = name.partition("/")
        return self.store(store).find(key)

    def named_by_digest(self, one: Object, digest: str) -> None:
        """A sealed object is what its name says; one that was read before and has not changed since is not read again."""
        if self.unread_before is not None and one.listed.changed_at < self.unread_before:
            return
        hashed, size = hashlib.sha256(), 0
        for block in self.store(one.store).blocks(one.key):
            hashed.update(block)
            size += len(block)
            self._count(0, len(block))
        self._count(1, 0)
        if hashed.hexdigest() != digest:
            raise altered_object(one.name)

    # What vouches

    def recorded(self, one: Object, content: bytes) -> bool:
        """Whether the ledger speaks of the object; then it is what the ledger says."""
        told = self.spoken.records.get(one.name)
        if told is not None and told.digest != digest_of(content):
            raise altered_object(one.name)
        return told is not None

    def must_be_recorded(self, one: Object, content: bytes) -> None:
        """The ledger speaks of the object, or does not yet."""
        if not self.recorded(one, content):
            self.unspoken(one)

    def unspoken(self, one: Object) -> None:
        """Nothing speaks of the object: it is being made, or somebody put it there."""
        if not self.is_new(one.listed):
            raise unrecorded(one.name)
        self.making += 1

    def left_over(self, one: Object) -> None:
        """Nothing speaks of the object, but it is what a try that died may leave."""
        if self.is_new(one.listed):
            self.making += 1
        else:
            self.leftovers += 1

    def is_new(self, listed: Listed) -> bool:
        """Whether it was written so shortly ago that what vouches for it may not be there yet."""
        now = self.site.now()
        return self.began < after(listed.changed_at, self.site.settings.audit.grace) and listed.changed_at <= after(
            now, self.site.settings.audit.grace
        )

    def is_recent(self, at: datetime) -> bool:
        """Whether an entry is so new that what is written after it may not be there yet."""
        return self.began < after(at, self.site.settings.audit.grace)

    def has(self, name: str) -> bool:
        """Whether the object is there: listed, or come since."""
        store, _, key = name.partition("/")
        return name in self.listed or self.store(store).exists(key)

    def has_still(self, one: Object) -> bool:
        """Whether the object is there now: what was refused goes away once it is accepted."""
        return self.store(one.store).exists(one.key)

    def is_claimed(self, delivery: str) -> bool:
        """Whether anybody has claimed, or refused, a delivery of this name."""
        if self._claimed is None:
            claims = {name.rpartition("/")[2].removesuffix(".json") for name in self.under(f"{PRIVATE}/claims/")}
            self._claimed = frozenset(claims | {delivery for _, delivery in self.spoken.refused})
        return delivery in self._claimed

    def under(self, prefix: str) -> Iterator[str]:
        return (name for name in self.listed if name.startswith(prefix))

    def published(self, recipient: str, release: str) -> Published | None:
        """The release; None where it has no manifest, or one that does not hold, which is told of the manifest itself."""
        if (recipient, release) not in self._published:
            try:
                self._published[recipient, release] = self.site.publication.find(recipient, release)
            except SafeconductError:
                self._published[recipient, release] = None
        return self._published[recipient, release]

    def _count(self, objects: int, size: int) -> None:
        self.read_objects += objects
        self.read_bytes += size
        self.told(size)


def altered_object(name: str) -> Conflict:
    return Conflict(
        Code.OBJECT_ALTERED,
        f"{name} is not what was written.",
        next_step="restore it from a backup; find out who changed it.",
    )


def gone(name: str) -> Conflict:
    return Conflict(
        Code.OBJECT_MISSING,
        f"{name} is not there.",
        next_step="restore it from a backup; find out who removed it.",
    )


def unrecorded(name: str) -> Conflict:
    return Conflict(
        Code.OBJECT_UNRECORDED,
        f"nothing speaks of {name}.",
        next_step="rerun the delivery or release that it belongs to, which finishes what a crash left; else find out who put it there.",
    )


def differs(what: str) -> Conflict:
    return Conflict(
        Code.TERMS_DIFFER, f"{what}.", next_step="compare it with a backup; find out who changed what it speaks of."
    )

"""What does the ledger speak of, and is it the one that is signed? Each entry is read once, whatever is wrong with another."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.core.entries import Entry, Kind, leaf_of, read_entry
from pipeline.core.merkle import leaf_hash, nodes_of, root
from pipeline.core.notes import Checkpoint
from pipeline.edges.ledger_objects import sequence_of
from pipeline.edges.records import SHARED
from pipeline.edges.storage import Store
from pipeline.edges.tiles import altered


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger says of an object: its digest, since when, and of which delivery."""

    digest: str
    at: datetime
    subject: str


@dataclass(slots=True)
class Spoken:
    """What the entries speak of. `records`: by store and key. A delivery is meant by its feed and id.

    `intended`: the last intent of each release; `intended_under`: each release with the digests of agreements of its intents.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    records: dict[str, Told] = field(default_factory=dict)
    accepted: set[tuple[str, str]] = field(default_factory=set)
    refused: set[tuple[str, str]] = field(default_factory=set)
    intended: dict[str, Entry] = field(default_factory=dict)
    intended_parts: set[str] = field(default_factory=set)
    intended_under: set[tuple[str, str]] = field(default_factory=set)
    withheld: dict[str, int] = field(default_factory=dict)
    released: dict[str, Entry] = field(default_factory=dict)
    withdrawn: dict[str, Entry] = field(default_factory=dict)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    declared: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    witnessed_size: int = 0
    first_at: datetime | None = None
    _leaves: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, private: Store) -> "Spoken":
        """What is in the private store's ledger now. Entries that cannot be read are left out: `Ledger.verify` names them."""
        spoken = cls()
        for listed in private.listing("ledger/entries"):
            content = private.find(listed.key)
            sequence = sequence_of(listed.key.removeprefix("ledger/"))
            if content is None or sequence is None:
                continue
            spoken._leaves.append(leaf_hash(leaf_of(content)))
            try:
                entry = read_entry(content)
            except ValueError:
                continue
            spoken.hear(entry)
        return spoken

    def is_of(self, checkpoint: Checkpoint) -> None:
        """The entries up to the checkpoint are those that it was made of.

        Raises:
            Conflict: OBJECT_ALTERED.
        """
        leaves = self._leaves[: checkpoint.size]
        if len(leaves) < checkpoint.size or root(checkpoint.size, nodes_of(leaves)) != checkpoint.root:
            raise altered(
                f"its first {checkpoint.size} entries do not have the root that checkpoint {checkpoint.size} has"
            )

    def hear(self, entry: Entry) -> None:
        """What this entry says is known."""
        self.kinds[entry.kind.value] += 1
        self.first_at = self.first_at or entry.at
        self._records(entry)
        facts, subject = entry.facts, entry.subject
        match entry.kind:
            case Kind.ACCEPTED:
                self.accepted.add((str(facts["feed"]), subject))
            case Kind.REFUSED if "agreement" in facts:
                self.withheld[subject] = entry.sequence
            case Kind.REFUSED:
                self.refused.add((str(facts["feed"]), subject))
            case Kind.INTENDED:
                self.intended[subject] = entry
                self.intended_under.add((subject, str(facts["agreement_digest"])))
                parts = facts["parts"]
                self.intended_parts |= set(map(str, parts)) if isinstance(parts, list) else set()
            case Kind.RELEASED:
                self.released[subject] = entry
            case Kind.WITHDRAWN:
                self.withdrawn[subject] = entry
            case Kind.ACKNOWLEDGED:
                self.acknowledged.add((subject, str(facts["partner"])))
            case Kind.WITNESSED:
                size = facts["size"]
                self.witnessed_size = max(self.witnessed_size, size if isinstance(size, int) else 0)
            case Kind.DECLARED:
                self.declared[str(facts["agreement"]), subject, str(facts["declaration"])] = entry.at
            case _:
                pass

    def _records(self, entry: Entry) -> None:
        records = entry.facts.get("records")
        if isinstance(records, Mapping):
            for name, digest in records.items():
                self.records.setdefault(name, Told(str(digest), entry.at, entry.subject))


def digest_of(content: bytes) -> str:
    """SHA-256 (hex)."""
    return hashlib.sha256(content).hexdigest()


def written_after_its_entry(name: str) -> bool:
    """Whether the object is put after the entry that names it: what a partner reads is."""
    return name.startswith(f"{SHARED}/")

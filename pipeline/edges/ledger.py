"""What was done, in which order, and how can anybody else tell that nothing was added, lost or changed?

The ledger is a sequence of entries (`pipeline.core.entries`), each one an object that is created once, and a Merkle tree
over their digests, signed at each length. There is no lock and no leader: any number of writers append, on any number of
machines. What it says is private; that it says it, and never anything else, is for all partners to see.

    private  entries/<12 digits>.json    an entry's exact bytes
             ids/<SHA-256 of an id>      the sequence of the entry with that id
    shared   tile/...                    the tree over the entries' digests: `pipeline.edges.tiles`
             checkpoints/<size>          the signed root of each size: `pipeline.edges.checkpoints`
             cosignatures/<size>/...     what witnesses have signed

Why no id is in the ledger twice and no two checkpoints contradict each other, though a writer may die or sleep between
any two calls:

1. Entry n is created only by a writer that knows that entry n - 1 exists: there are no gaps. The store lets one writer
   win: there is one entry n. So there is one tree of each size, and its tiles and its root are functions of the entries.
2. Before a writer creates entry n, it makes sure that `ids/` holds the id of entry n - 1, and then that the tiles and at
   last the checkpoint of size n are there, whoever wrote that entry. So once entry n exists, nothing of the entries
   before it is missing. Several writers may write these at once: they write the same. Only the signature may be by
   another key, while the ledger's key is replaced: the first one stays, and has the same root.
3. Only then it looks for its own id in `ids/`. Where that is not found, no entry before n has it, since all their ids
   are there. If it then creates entry n, the id is new. If another writer was first, it starts again behind that one.
4. It signs no root that it has not made from a tree whose root is in the checkpoint before: a tile that was changed by
   hand stops it.

What no reader of the stores can see is that everything from some entry on was taken away, in both of them. A witness
sees it, and so does whoever has a checkpoint or a proof from before: `confirm`.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from pipeline.core.entries import LARGEST_NUMBER, SALT_BYTES, Entry, Fact, Kind, leaf_of, read_entry
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.core.merkle import consistency, inclusion, leaf_hash, root_by_inclusion
from pipeline.core.notes import Checkpoint, Proof, VerifierKey
from pipeline.edges.checkpoints import (
    LARGEST_SKEW,
    Cosignature,
    LedgerKeys,
    checkpoint_place,
    largest_size,
    open_checkpoint,
    open_cosigned,
    sign_checkpoint,
    stored_cosignatures,
    witness_keys,
)
from pipeline.edges.ledger_objects import LedgerObjects, entry_place, id_content, id_place, read_at
from pipeline.edges.ledger_verification import verify
from pipeline.edges.storage import AlreadyThere, Store
from pipeline.edges.tiles import Edge, Tiles, altered, first_missing

__all__ = ["LARGEST_NUMBER", "Checkpoint", "Cosignature", "Entry", "Fact", "Kind", "Ledger"]


class Ledger:
    """The ledger `origin` in its two stores. One instance may be shared by threads; what it remembers only saves calls."""

    def __init__(self, private: Store, public: Store, keys: LedgerKeys, origin: str) -> None:
        self._objects = LedgerObjects(private, public, keys, origin)
        self._edge: Edge | None = None

    @property
    def origin(self) -> str:
        """The ledger's name: the first line of each checkpoint."""
        return self._objects.origin

    @property
    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """What others verify checkpoints with, as vkeys: the current key first, then every one before it."""
        return self._objects.verifier_keys

    def append(self, *, id: str, kind: Kind, subject: str, facts: Mapping[str, Fact], at: datetime) -> Entry:
        """The one entry with this id: a new last one, or, where the id is there already, the first that was written.

        Raises:
            Misconfigured: ENTRY_INVALID: a fact, the id or the time has no canonical form; nothing was written.
        """
        edge = self._edge or self._next_edge(0)
        while True:
            entry = Entry(edge.size, id, at, kind, subject, facts, secrets.token_hex(SALT_BYTES))
            content = _written(entry)
            found = self._with_id(id)
            if found is not None:
                return found
            try:
                self._objects.private.put_new(entry_place(edge.size), content)
            except AlreadyThere:
                edge = self._edge = self._next_edge(edge.size + 1)
                continue
            self._edge = self._finished(edge, entry, content)
            return read_entry(content)

    def find(self, id: str) -> Entry | None:
        """The entry with this id, or None where there is none."""
        # The last entry's id may be missing in ids/, until the entry after it exists: then it is there.
        return self._with_id(id) or self._last_with_id(id) or self._with_id(id)

    def last(self) -> Entry | None:
        """The last entry; None while there is none."""
        known = self._edge.size if self._edge else 0
        count = first_missing(lambda sequence: self._objects.private.exists(entry_place(sequence)), known)
        return self._objects.entry(count - 1) if count else None

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """Every entry from `start` on, in order."""
        sequence = start
        while (content := self._objects.private.find(entry_place(sequence))) is not None:
            yield read_at(sequence, content)
            sequence += 1

    def checkpoint(self) -> Checkpoint:
        """The largest checkpoint: of size 0 and without a note where the ledger is empty."""
        return self._checkpoint(largest_size(self._objects.public))

    def witnessed(self) -> Checkpoint | None:
        """The largest checkpoint that a witness of the keyring has cosigned, its note with all cosignatures; or None."""
        sizes = sorted({size for size, _ in stored_cosignatures(self._objects.public)}, reverse=True)
        counting = (size for size in sizes if any(map(self.counts, self._objects.cosignatures(size))))
        return next((self._cosigned(size) for size in counting), None)

    def cosignatures(self) -> tuple[Cosignature, ...]:
        """What witnesses have put under any checkpoint, the smallest first, whether they count or not."""
        sizes = sorted({size for size, _ in stored_cosignatures(self._objects.public)})
        return tuple(one for size in sizes for one in self._objects.cosignatures(size))

    def counts(self, cosignature: Cosignature) -> bool:
        """Whether it is by a witness that the keyring names."""
        return cosignature.key in witness_keys(self._objects.keys.witnesses())

    def prove(self, entry: Entry, size: int | None = None) -> bytes:
        """The proof (C2SP tlog-proof) that the entry, whose exact bytes are its `extra`, is in the ledger.

        Without `size` it ends in the first checkpoint that covers the entry, and is the same however often it is asked
        for. With one it ends in that checkpoint and every cosignature of it: see `witnessed`.

        Raises:
            Misconfigured: NOT_FOUND: there is no checkpoint of this size, or it does not cover the entry.
        """
        content = bytes(entry)
        if size is None and self._objects.checkpoint(entry.sequence + 1) is None:
            self._next_edge(entry.sequence + 1)  # whoever wrote the entry has died before its checkpoint
        covering = self._checkpoint(entry.sequence + 1) if size is None else self._cosigned(size)
        if covering.size <= entry.sequence:
            raise _no_checkpoint(covering.size, f"that covers entry {entry.sequence}")
        path = inclusion(entry.sequence, covering.size, Tiles(self._objects.public, covering.size).node)
        leaf = leaf_hash(leaf_of(content))
        if root_by_inclusion(entry.sequence, covering.size, leaf, path) != covering.root:
            raise altered(f"the tiles of size {covering.size} do not hold entry {entry.sequence}")
        return bytes(Proof(entry.sequence, tuple(path), covering.note, content))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the ledger of size `new` begins with that of size `old`."""
        return consistency(old, new, Tiles(self._objects.public, new).node)

    def confirm(self, checkpoint: Checkpoint) -> None:
        """The ledger as it is here is the one that somebody else knows by this checkpoint, or more.

        Raises:
            Conflict: LEDGER_WENT_BACK, LEDGER_FORKED.
        """
        ours = self._objects.checkpoint(checkpoint.size)
        if ours is None:
            raise Conflict(
                Code.LEDGER_WENT_BACK,
                f"The ledger is known to have had {checkpoint.size} entries; its checkpoint of that size is not there.",
                next_step="Stop releasing, keep the stores as they are, and find out what was taken away or restored.",
            )
        if ours.root != checkpoint.root:
            raise Conflict(
                Code.LEDGER_FORKED,
                f"Two checkpoints of size {checkpoint.size} have two roots: entries were replaced.",
                next_step="Stop releasing, keep the stores as they are, and compare both with a backup.",
            )

    def take_cosigned(self, note: bytes, *, partner: str, now: datetime) -> tuple[Cosignature, ...]:
        """The partner's witness has cosigned this checkpoint of ours, and its cosignatures, one or more, are stored.

        Raises:
            Refused: CHECKPOINT_INVALID, ORIGIN_DIFFERS, WITNESS_UNKNOWN, COSIGNATURE_INVALID, CLOCK_JUMPED.
            Conflict: LEDGER_FORKED, LEDGER_WENT_BACK: what the witness saw is not what is here.
        """
        checkpoint = open_checkpoint(note, self.verifier_keys, name="What the witness has cosigned")
        self.confirm(checkpoint)
        found = open_cosigned(note, checkpoint, witness_keys(self._objects.keys.witnesses(), partner))
        if not found:
            raise Refused(
                Code.WITNESS_UNKNOWN,
                f"No witness of {partner} that the keyring knows has cosigned it.",
                next_step="Put the witness's verifier key into keys/witnesses.txt, after asking the partner for it.",
            )
        if any(one.at > now + LARGEST_SKEW for one in found):
            raise Refused(
                Code.CLOCK_JUMPED,
                f"The cosignature of size {checkpoint.size} is from the future.",
                next_step="Compare the clocks of both sides; then let the witness cosign again.",
            )
        return tuple(self._stored(one) for one in found)

    def verify(self, since: Checkpoint | None = None) -> Checkpoint:
        """Everything of the ledger is whole, from the checkpoint `since` on or from its beginning: the one it ends in.

        Where `since` is given, it is what the caller knows of the entries before it, which are not read again.

        Raises:
            Conflict: OBJECT_ALTERED, naming where the ledger stops being what was written; LEDGER_WENT_BACK or
                LEDGER_FORKED where it is not the one that `since` was of.
        """
        if since is not None:
            self.confirm(since)
        return verify(self._objects, since.size if since else 0)

    def _stored(self, cosignature: Cosignature) -> Cosignature:
        """The cosignature, or the one that this witness made of the same checkpoint before."""
        try:
            self._objects.public.put_new(cosignature.place, cosignature.stored)
        except AlreadyThere:
            return self._objects.cosignature(cosignature.size, cosignature.place)
        return cosignature

    def _checkpoint(self, size: int) -> Checkpoint:
        checkpoint = self._objects.checkpoint(size)
        if checkpoint is None:
            raise _no_checkpoint(size, "here")
        return checkpoint

    def _cosigned(self, size: int) -> Checkpoint:
        """The checkpoint, its note with every cosignature that we have of it."""
        checkpoint = self._checkpoint(size)
        lines = "".join(str(one.signature) for one in self._objects.cosignatures(size))
        return replace(checkpoint, note=checkpoint.note + lines.encode())

    def _next_edge(self, known: int) -> Edge:
        """The edge of the tree at or behind `known` entries, which exist, with nothing left undone before it."""
        size = first_missing(lambda sequence: self._objects.private.exists(entry_place(sequence)), known)
        edge = self._whole_edge(size) if size else Edge()
        if self._objects.public.exists(checkpoint_place(size + 1)) and self._is_missing(size):
            raise altered(f"entry {size} is missing, but its checkpoint is there")
        return edge

    def _is_missing(self, sequence: int) -> bool:
        return not self._objects.private.exists(entry_place(sequence))

    def _whole_edge(self, size: int) -> Edge:
        content = self._objects.content(size - 1)
        entry = read_at(size - 1, content)
        if self._objects.checkpoint(size) is None:
            return self._finished(self._objects.edge(size - 1), entry, content)
        edge = self._objects.edge(size)  # the checkpoint is written last
        if Tiles(self._objects.public, size).node(0, size - 1) != leaf_hash(leaf_of(content)):
            raise altered(f"entry {size - 1} is not the one that checkpoint {size} covers")
        return edge

    def _finished(self, edge: Edge, entry: Entry, content: bytes) -> Edge:
        """The edge behind the entry, whose id, tiles and checkpoint are there, in this order."""
        grown, tiles = edge.grown(leaf_of(content))
        try:
            self._objects.private.put_new(id_place(entry.id), id_content(entry.sequence))
            for key, tile in tiles.items():
                self._objects.public.put_new(key, tile)
        except AlreadyThere:
            raise altered(f"the id or a tile of entry {entry.sequence} is not as it is written") from None
        checkpoint = Checkpoint(self.origin, grown.size, grown.root)
        try:
            signed = sign_checkpoint(checkpoint, self._objects.keys.ledger)
            self._objects.public.put_new(checkpoint_place(grown.size), signed.note)
        except AlreadyThere:
            self.confirm(checkpoint)  # another key of ours may have signed it first
        return grown

    def _with_id(self, id: str) -> Entry | None:
        sequence = self._objects.sequence_at(id_place(id))
        if sequence is None:
            return None
        entry = self._objects.entry(sequence)
        if entry.id != id:
            raise altered(f"entry {sequence} has another id than {id_place(id)} says")
        return entry

    def _last_with_id(self, id: str) -> Entry | None:
        last = self.last()
        return last if last and last.id == id else None


def _no_checkpoint(size: int, where: str) -> Misconfigured:
    return Misconfigured(
        Code.NOT_FOUND,
        f"There is no checkpoint of size {size} {where}.",
        next_step="Name another size: `safeconduct ledger --checkpoint` shows the largest.",
    )


def _written(entry: Entry) -> bytes:
    try:
        return bytes(entry)
    except (ValueError, OverflowError):
        raise Misconfigured(
            Code.ENTRY_INVALID,
            f"A ledger entry of kind {entry.kind.value} has a fact, an id or a time without canonical form.",
            next_step="Give text, whole numbers up to 2^53 - 1, lists and objects with ASCII names, and a time with zone.",
        ) from None

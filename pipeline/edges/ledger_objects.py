"""What is written where in the stores of a ledger, each object read as strictly as it was written."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from pipeline.core.entries import Entry, read_entry
from pipeline.core.errors import Refused
from pipeline.core.merkle import EMPTY_ROOT
from pipeline.core.notes import Checkpoint, VerifierKey, read_checkpoint
from pipeline.edges.checkpoints import (
    Cosignature,
    LedgerKeys,
    checkpoint_place,
    log_key,
    open_checkpoint,
    stored_cosignature,
    stored_cosignatures,
)
from pipeline.edges.storage import Store
from pipeline.edges.tiles import Edge, Tiles, altered

_ENTRY = re.compile(r"entries/([0-9]{12})\.json")


@dataclass(frozen=True, slots=True)
class LedgerObjects:
    """The objects of the ledger `origin`. What is there and is not as it was written raises OBJECT_ALTERED."""

    private: Store
    public: Store
    keys: LedgerKeys
    origin: str

    @property
    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """Every key that ever signed checkpoints here, the current one first."""
        return tuple(log_key(self.origin, public) for public in self.keys.ledger_publics)

    def content(self, sequence: int) -> bytes:
        """The exact bytes of an entry that must be there."""
        content = self.private.find(entry_place(sequence))
        if content is None:
            raise altered(f"entry {sequence} is missing, but what follows or names it is there")
        return content

    def entry(self, sequence: int) -> Entry:
        """An entry that must be there."""
        return read_at(sequence, self.content(sequence))

    def sequence_at(self, place: str) -> int | None:
        """What an object below `ids/` says, or None where there is none."""
        content = self.private.find(place)
        if content is None:
            return None
        if not re.fullmatch(rb"0|[1-9][0-9]{0,11}", content):
            raise altered(f"{place} holds no sequence")
        return int(content)

    def checkpoint(self, size: int) -> Checkpoint | None:
        """The checkpoint of this size, signed by the ledger alone; None where it is missing. The one of size 0 is no object."""
        if size == 0:
            return Checkpoint(self.origin, 0, EMPTY_ROOT)
        note = self.public.find(checkpoint_place(size))
        if note is None:
            return None
        try:
            checkpoint = open_checkpoint(note, self.verifier_keys)
        except Refused as refused:
            raise altered(f"checkpoint {size} does not hold: {refused.message}") from None
        if checkpoint.size != size or len(read_checkpoint(note)[1]) != 1:
            raise altered(f"checkpoint {size} is that of another size, or has a signature added")
        return checkpoint

    def edge(self, size: int) -> Edge:
        """The edge of the tree of a size whose checkpoint must be there, with the root that is in it."""
        checkpoint, edge = self.checkpoint(size), Tiles(self.public, size).edge()
        if checkpoint is None:
            raise altered(f"checkpoint {size} is missing, but entry {size} or what follows it is there")
        if edge.root != checkpoint.root:
            raise altered(f"the tiles of size {size} do not have the root that checkpoint {size} has")
        return edge

    def cosignature(self, size: int, place: str) -> Cosignature:
        """The cosignature under `place`, of the checkpoint of this size."""
        content, checkpoint = self.public.find(place), self.checkpoint(size)
        if content is None or checkpoint is None:
            raise altered(f"{place} or its checkpoint was taken away")
        try:
            cosignature = stored_cosignature(content, checkpoint)
        except (ValueError, Refused):
            raise altered(f"{place} holds no cosignature of checkpoint {size}") from None
        if cosignature.place != place:
            raise altered(f"{place} holds the cosignature of another witness")
        return cosignature

    def cosignatures(self, size: int) -> Iterator[Cosignature]:
        """What witnesses have put under the checkpoint of this size, whether they count or not."""
        for found, place in stored_cosignatures(self.public, f"cosignatures/{size}"):
            yield self.cosignature(found, place)


def read_at(sequence: int, content: bytes) -> Entry:
    """The entry with these exact bytes, at this sequence."""
    with suppress(ValueError):
        entry = read_entry(content)
        if entry.sequence == sequence:
            return entry
    raise altered(f"entry {sequence} is not as a ledger writes it")


def entry_place(sequence: int) -> str:
    return f"entries/{sequence:012}.json"


def sequence_of(place: str) -> int | None:
    """The sequence of the entry under this key, or None where it is no entry's."""
    found = _ENTRY.fullmatch(place)
    return int(found[1]) if found else None


def id_place(id: str) -> str:
    return f"ids/{hashlib.sha256(id.encode(errors='surrogatepass')).hexdigest()}"


def id_content(sequence: int) -> bytes:
    return b"%d" % sequence

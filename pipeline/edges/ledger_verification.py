"""Is every object of the ledger what was written, and none missing or added?

Each entry is read, and what must lie beside it is made anew and compared: its id, its tiles, the root in its checkpoint.
Only of the last entry something may be missing, what a writer that died, or is at work, has not written yet; and then all
that is written later is missing too.

From a checkpoint on (`start`), what was before it is not read: the tiles of its right edge, which must have its root,
are enough to go on. The names of all objects are listed in any case.
"""

from collections.abc import Mapping, Sequence

from pipeline.core.entries import Entry, Kind, leaf_of
from pipeline.core.notes import Checkpoint
from pipeline.edges.checkpoints import cosignature_place, size_of_checkpoint, size_of_cosignature
from pipeline.edges.ledger_objects import LedgerObjects, id_place, read_at, sequence_of
from pipeline.edges.tiles import Edge, altered, size_of_tile


def verify(objects: LedgerObjects, start: int) -> Checkpoint:
    """The checkpoint that the ledger ends in; every entry from `start` on is whole, and so is all that belongs to it.

    Raises:
        Conflict: OBJECT_ALTERED, naming the place.
    """
    count = _count(objects, start)
    edge = objects.edge(start) if start else Edge()
    id_places = []
    for sequence in range(start, count):
        content = objects.content(sequence)
        entry = read_at(sequence, content)
        edge, tiles = edge.grown(leaf_of(content))
        _verify_beside(objects, entry, edge, tiles, may_miss=sequence == count - 1)
        _verify_witnessed(objects, entry)
        id_places.append(id_place(entry.id))
    if not start:
        _verify_ids(objects, id_places)
    _verify_public(objects, count)
    return objects.checkpoint(count) or Checkpoint(objects.origin, count, edge.root)


def _count(objects: LedgerObjects, start: int) -> int:
    """How many entries there must be for every listed one to have its place."""
    count = before = 0
    for listed in objects.private.listing():
        sequence = sequence_of(listed.key)
        if sequence is not None:
            count, before = max(count, sequence + 1), before + (sequence < start)
        elif not listed.key.startswith("ids/"):
            raise altered(f"{listed.key} is no entry")
    if before != start:
        raise altered(f"{start - before} of the first {start} entries were taken away")
    return count


def _verify_beside(
    objects: LedgerObjects, entry: Entry, edge: Edge, tiles: Mapping[str, bytes], *, may_miss: bool
) -> None:
    # What is written later is read first: once it is there, what is written before it must be there as well.
    checkpoint = objects.checkpoint(edge.size)
    if checkpoint is None and not may_miss:
        raise altered(f"checkpoint {edge.size} is missing, but entry {edge.size} is there")
    if checkpoint and checkpoint.root != edge.root:
        raise altered(f"entry {entry.sequence} is not the one that checkpoint {edge.size} covers")
    may_miss = checkpoint is None
    for key, tile in reversed(list(tiles.items())):
        found = objects.public.find(key)
        if found is None and may_miss:
            continue
        if found != tile:
            raise altered(f"{key} is not what entry {entry.sequence} and those before it make")
        may_miss = False
    sequence = objects.sequence_at(id_place(entry.id))
    if sequence != entry.sequence and not (sequence is None and may_miss):
        raise altered(f"entry {entry.sequence} is not in ids/, or an entry before it has the same id")


def _verify_witnessed(objects: LedgerObjects, entry: Entry) -> None:
    """The cosignature that the entry names is there."""
    if entry.kind is Kind.WITNESSED:
        facts = entry.facts
        match facts.get("size"), facts.get("witness"), facts.get("cosignature"):
            case int(size), str(witness), str(digest):
                if objects.cosignature(size, cosignature_place(size, witness)).digest == digest:
                    return
        raise altered(f"entry {entry.sequence} names another cosignature than the one that is there")


def _verify_ids(objects: LedgerObjects, id_places: Sequence[str]) -> None:
    """Nothing but the entries' ids is in ids/."""
    for listed in objects.private.listing("ids"):
        sequence = objects.sequence_at(listed.key)
        if sequence is None:
            raise altered(f"{listed.key} was taken away")
        known = sequence < len(id_places)  # else it was appended meanwhile
        place = id_places[sequence] if known else id_place(objects.entry(sequence).id)
        if place != listed.key:
            raise altered(f"entry {sequence} has another id than {listed.key} says")


def _verify_public(objects: LedgerObjects, count: int) -> None:
    """Nothing but the tiles and checkpoints of the entries is in shared storage, and cosignatures that hold."""
    largest, cosignatures = count, []
    for listed in objects.public.listing():
        size = size_of_tile(listed.key) or size_of_checkpoint(listed.key)
        if size is None:
            size = size_of_cosignature(listed.key)
            cosignatures.append((size, listed.key))
        largest = max(largest, size)
    if largest > count:
        objects.entry(largest - 1)  # it was appended meanwhile, or taken away
    for size, place in cosignatures:
        objects.cosignature(size, place)

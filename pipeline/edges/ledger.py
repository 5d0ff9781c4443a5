"""What was done, in which order, and who could add, lose or change an entry unseen?

The ledger is a sequence of entries in a store, each one an object that is created once: `entries/000000000000.json` and
on. Beside them `ids/<sha256 of id>` holds the sequence of the entry with that id. There is no lock and no leader: any
number of writers append, on any number of machines.

An entry's exact bytes are the RFC 8785 form (names sorted, no spaces, UTF-8, no line break at the end) of a JSON object
with `Entry`'s fields. `at` is UTC, as "2026-11-21T17:47:48.000000Z". `previous` is the SHA-256 (hex) of the previous
entry's exact bytes, "" in entry 0. Facts are text, whole numbers that every JSON reader keeps (to 2^53 - 1), booleans,
null, and lists and objects of these with ASCII names: what RFC 8785 and Python write alike.

Why no id is in the ledger twice, though a writer may die or sleep between any two calls:

1. Entry n is created only by a writer that knows that entry n - 1 exists: there are no gaps. The store lets one writer
   win: there is one entry n.
2. Before a writer creates entry n, it makes sure that `ids/` holds the id of entry n - 1, whoever wrote that. So once
   entry n exists, the ids of all entries before it are in `ids/`: only the last entry's may be missing.
3. Only then it looks for its own id in `ids/`. Where that is not found, no entry before n has it, since all their ids
   are there. If it then creates entry n, the id is new. If another writer was first, it starts again behind that one.

What `verify` can't see is that the last entries were taken away together with their ids: that takes a witness outside.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeAlias

from pipeline.core.errors import Code, Conflict, Misconfigured
from pipeline.edges.storage import AlreadyThere, Store

Fact: TypeAlias = "str | int | bool | Sequence[Fact] | Mapping[str, Fact] | None"

LARGEST_NUMBER = 2**53 - 1
"""RFC 8785 section 3.2.2.3: JSON readers keep larger numbers as floating point, and then not exactly."""

_PLACE = re.compile(r"entries/([0-9]{12})\.json")


class Kind(Enum):
    """What an entry says was done."""

    REPEATED = "repeated"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    INTENDED = "intended"
    RELEASED = "released"
    LATE = "late"
    DECLARED = "declared"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done to `subject`. `facts` are names, codes and counts, never a cell value."""

    sequence: int
    id: str
    at: datetime
    kind: Kind
    subject: str
    facts: Mapping[str, Fact]
    previous: str


@dataclass(frozen=True, slots=True)
class _Tail:
    """All entries before `sequence` exist and their ids are in `ids/`; the last of them has the digest `previous`."""

    sequence: int
    previous: str


class Ledger:
    """The ledger in a store. One instance may be shared by threads; what it remembers only saves calls."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tail: _Tail | None = None

    def append(self, *, id: str, kind: Kind, subject: str, facts: Mapping[str, Fact], at: datetime) -> Entry:
        """The one entry with this id: a new last one, or, where the id is there already, the first that was written.

        Raises:
            Misconfigured: ENTRY_INVALID: a fact, the id or the time has no canonical form; nothing was written.
        """
        tail = self._tail or self._next_tail(0)
        while True:
            content = _written(Entry(tail.sequence, id, at, kind, subject, facts, tail.previous))
            found = self._with_id(id)
            if found is not None:
                return found
            try:
                self._store.put_new(_place(tail.sequence), content)
            except AlreadyThere:
                tail = self._tail = self._next_tail(tail.sequence + 1)
                continue
            self._store.put_new(_id_place(id), b"%d" % tail.sequence)
            self._tail = _Tail(tail.sequence + 1, _digest(content))
            return _read(content, tail.sequence)

    def find(self, id: str) -> Entry | None:
        """The entry with this id, or None where there is none."""
        # The last entry's id may be missing in ids/, until the entry after it exists: then it is there.
        return self._with_id(id) or self._last_with_id(id) or self._with_id(id)

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """Every entry from `start` on, in order."""
        sequence = start
        while (content := self._store.find(_place(sequence))) is not None:
            yield _read(content, sequence)
            sequence += 1

    def verify(self) -> int:
        """The number of entries, each of which is whole, follows the one before it, and alone has its id.

        Raises:
            Conflict: OBJECT_ALTERED, naming the sequence where the ledger stops being what was written.
        """
        count = max(self._first_missing(0), self._listed())
        previous, id_places = "", []
        for sequence in range(count):
            content = self._content(sequence)
            entry = _read(content, sequence)
            if entry.previous != previous:
                raise _altered(f"entry {sequence} does not follow the entry before it")
            previous = _digest(content)
            id_places.append(_id_place(entry.id))
        self._verify_ids(id_places)
        return count

    def _verify_ids(self, id_places: Sequence[str]) -> None:
        unseen = set(range(len(id_places)))
        for listed in self._store.listing("ids"):
            sequence = self._sequence_at(listed.key)
            if sequence is None:
                raise _altered(f"{listed.key} was taken away")
            known = sequence < len(id_places)  # else it was appended meanwhile
            place = id_places[sequence] if known else _id_place(_read(self._content(sequence), sequence).id)
            if place != listed.key:
                raise _altered(f"entry {sequence} has another id than {listed.key} says")
            unseen.discard(sequence)
        for sequence in unseen:
            is_last = sequence == len(id_places) - 1
            if not is_last or self._sequence_at(id_places[sequence]) not in (None, sequence):
                raise _altered(f"entry {sequence} is not in ids/, or an entry before it has the same id")

    def _listed(self) -> int:
        """How many entries there must be for every listed one to have its place."""
        count = 0
        for listed in self._store.listing("entries"):
            place = _PLACE.fullmatch(listed.key)
            if place is None:
                raise _altered(f"{listed.key} is no entry")
            count = int(place[1]) + 1
        return count

    def _next_tail(self, known: int) -> _Tail:
        """A tail at or behind `known` entries, which exist. Finishes what a writer that died left undone."""
        sequence = self._first_missing(known)
        if sequence == 0:
            return _Tail(0, "")
        content = self._content(sequence - 1)
        last = _read(content, sequence - 1)
        if self._sequence_at(_id_place(last.id)) != sequence - 1:
            self._store.put_new(_id_place(last.id), b"%d" % (sequence - 1))
        return _Tail(sequence, _digest(content))

    def _first_missing(self, known: int) -> int:
        """A sequence without entry right behind one that exists, by doubling steps from `known` and halving back."""
        low, step = known, 1
        while self._store.exists(_place(low + step - 1)):
            low, step = low + step, step * 2
        high = low + step - 1
        while low < high:
            middle = (low + high) // 2
            if self._store.exists(_place(middle)):
                low = middle + 1
            else:
                high = middle
        return low

    def _with_id(self, id: str) -> Entry | None:
        sequence = self._sequence_at(_id_place(id))
        if sequence is None:
            return None
        entry = _read(self._content(sequence), sequence)
        if entry.id != id:
            raise _altered(f"entry {sequence} has another id than {_id_place(id)} says")
        return entry

    def _last_with_id(self, id: str) -> Entry | None:
        count = self._first_missing(self._tail.sequence if self._tail else 0)
        last = _read(self._content(count - 1), count - 1) if count else None
        return last if last and last.id == id else None

    def _sequence_at(self, id_place: str) -> int | None:
        content = self._store.find(id_place)
        if content is None:
            return None
        if not re.fullmatch(rb"0|[1-9][0-9]{0,11}", content):
            raise _altered(f"{id_place} holds no sequence")
        return int(content)

    def _content(self, sequence: int) -> bytes:
        content = self._store.find(_place(sequence))
        if content is None:
            raise _altered(f"entry {sequence} is missing, but what follows or names it is there")
        return content


def _place(sequence: int) -> str:
    return f"entries/{sequence:012}.json"


def _id_place(id: str) -> str:
    return f"ids/{_digest(id.encode(errors='surrogatepass'))}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _canonical(entry: Entry) -> bytes:
    """The entry's exact bytes, as this module's docstring defines them. ValueError where there are none."""
    texts = (entry.id, entry.subject, entry.previous)
    if not entry.id or entry.at.utcoffset() is None or not all(isinstance(text, str) for text in texts):
        raise ValueError("an id is text and a time has a zone")
    plain = {
        "at": entry.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        "facts": _plain(entry.facts),
        "id": entry.id,
        "kind": entry.kind.value,
        "previous": entry.previous,
        "sequence": entry.sequence,
        "subject": entry.subject,
    }
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _plain(fact: Fact) -> Any:
    match fact:
        case None | bool() | str():
            return fact
        case int() if abs(fact) <= LARGEST_NUMBER:
            return fact
        case Mapping() if all(isinstance(name, str) and name.isascii() for name in fact):
            return {name: _plain(inner) for name, inner in fact.items()}
        case list() | tuple():
            return [_plain(inner) for inner in fact]
        case _:
            raise ValueError("a fact of another type")


def _written(entry: Entry) -> bytes:
    try:
        return _canonical(entry)
    except (ValueError, OverflowError):
        raise Misconfigured(
            Code.ENTRY_INVALID,
            f"A ledger entry of kind {entry.kind.value} has a fact, an id or a time without canonical form.",
            next_step="Give text, whole numbers up to 2^53 - 1, lists and objects with ASCII names, and a time with zone.",
        ) from None


def _read(content: bytes, sequence: int) -> Entry:
    """The entry with these exact bytes at this sequence."""
    try:
        raw = json.loads(content)
        at = datetime.strptime(raw["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        entry = Entry(sequence, raw["id"], at, Kind(raw["kind"]), raw["subject"], raw["facts"], raw["previous"])
        whole = isinstance(raw["facts"], dict) and _canonical(entry) == content
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise _altered(f"entry {sequence} is not as a ledger writes it")
    return entry


def _altered(what: str) -> Conflict:
    return Conflict(
        Code.OBJECT_ALTERED,
        f"The ledger was changed by hand: {what}.",
        next_step="Stop releasing, keep the store as it is, and compare it with a backup.",
    )

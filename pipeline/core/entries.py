"""What does the ledger say of one thing that was done, byte for byte?

An entry's exact bytes are the RFC 8785 form (names sorted, no spaces, UTF-8, no line break at the end) of a JSON object
with `Entry`'s fields. `at` is UTC, as "2026-11-21T17:47:48.000000Z". Facts are text, whole numbers that every JSON reader
keeps (to 2^53 - 1), booleans, null, and lists and objects of these with ASCII names: what RFC 8785 and Python write alike.

`salt` is 32 random bytes in hex. What the world sees of an entry is the SHA-256 of its exact bytes, and without the salt
anybody could try which entry it is.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeAlias

Fact: TypeAlias = "str | int | bool | Sequence[Fact] | Mapping[str, Fact] | None"

LARGEST_NUMBER = 2**53 - 1
"""RFC 8785 section 3.2.2.3: JSON readers keep larger numbers as floating point, and then not exactly."""

SALT_BYTES = 32

_SALT = re.compile(rf"[0-9a-f]{{{2 * SALT_BYTES}}}")


class Kind(Enum):
    """What an entry says was done."""

    REPEATED = "repeated"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    INTENDED = "intended"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    ACKNOWLEDGED = "acknowledged"
    WITNESSED = "witnessed"
    LATE = "late"
    DECLARED = "declared"
    REVERSED = "reversed"
    CLOCK = "clock"
    KEY = "key"
    RECORDED = "recorded"
    AUDITED = "audited"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done to `subject`. `facts` are names, codes and counts, never a cell value."""

    sequence: int
    id: str
    at: datetime
    kind: Kind
    subject: str
    facts: Mapping[str, Fact]
    salt: str

    def __bytes__(self) -> bytes:
        """The exact bytes. ValueError or OverflowError where there are none."""
        texts = (self.id, self.subject)
        if not self.id or self.at.utcoffset() is None or not all(isinstance(text, str) for text in texts):
            raise ValueError("an id is text and a time has a zone")
        if not _SALT.fullmatch(self.salt):
            raise ValueError("a salt is 32 bytes in hex")
        plain = {
            "at": self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
            "facts": _plain(self.facts),
            "id": self.id,
            "kind": self.kind.value,
            "salt": self.salt,
            "sequence": self.sequence,
            "subject": self.subject,
        }
        return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_entry(content: bytes) -> Entry:
    """The entry with exactly these bytes. ValueError, which holds nothing of them, where there is none."""
    try:
        raw = json.loads(content)
        at = datetime.strptime(raw["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        entry = Entry(raw["sequence"], raw["id"], at, Kind(raw["kind"]), raw["subject"], raw["facts"], raw["salt"])
        plain = type(entry.sequence) is int and entry.sequence >= 0 and isinstance(raw["facts"], dict)
        whole = plain and bytes(entry) == content
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        whole = False
    if not whole:
        raise ValueError("it is not as a ledger writes an entry")
    return entry


def leaf_of(content: bytes) -> bytes:
    """What the log holds of the entry with these exact bytes, and what anybody may see of it."""
    return hashlib.sha256(content).digest()


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

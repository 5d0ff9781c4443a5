"""How does a ledger say how long it is and what it holds, so that standard tools can read it?

A checkpoint (C2SP tlog-checkpoint) is a signed note (C2SP signed-note): three lines, an empty one, and a line for each
signature. A witness adds a line of its own (C2SP tlog-cosignature, `cosignature/v1`). A proof that an entry is in the
ledger (C2SP tlog-proof) ends in such a note. Here they are texts: whoever has the keys signs and verifies.

Everything is read strictly: what is read, written again, is the same bytes. So no bit of a note can change unseen, though
its signature lines are signed by nobody. Every function that reads raises ValueError, which holds nothing of the text.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pipeline.core.merkle import HASH_BYTES

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_NOTE_BYTES = 64 * 1024
MAX_PROOF_BYTES = 1024 * 1024
"""Far above what we write: an entry of some kilobytes, its proof of at most 63 hashes, and a checkpoint."""

_KEY_ID_BYTES, _SIGNATURE_BYTES, _TIME_BYTES = 4, 64, 8
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_LATEST = 2**63 - 1


class KeyKind(Enum):
    """The signature types of C2SP signed-note that we use; both are Ed25519."""

    LOG = 0x01
    WITNESS = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name, as others are given it: a `vkey`."""

    name: str
    kind: KeyKind
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that stand in each signature line: a hint, no proof."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed).digest()[:_KEY_ID_BYTES]

    @property
    def _typed(self) -> bytes:
        return bytes([self.kind.value]) + self.public

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self._typed).decode()}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: whose it says it is, and what that key made."""

    name: str
    key_id: bytes
    content: bytes

    def __str__(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.content).decode()}\n"

    def is_for(self, key: VerifierKey) -> bool:
        """Whether it says that it is by this key."""
        return (self.name, self.key_id) == (key.name, key.id)


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a line break, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return f"{self.text}\n{''.join(map(str, self.signatures))}".encode()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long a ledger is and the root of its tree, as `note` says it; an empty ledger has no note."""

    origin: str
    size: int
    root: bytes
    note: bytes = b""

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that an entry is in the ledger at `index`, of which `note` is a checkpoint."""

    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes = b""

    def __bytes__(self) -> bytes:
        lines = [PROOF_HEADER]
        if self.extra:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines += [f"index {self.index}", *(base64.b64encode(one).decode() for one in self.path), "", ""]
        return "\n".join(lines).encode() + self.note


def is_key_name(name: str) -> bool:
    """Whether the text can be an origin or the name of a key."""
    return bool(name) and "+" not in name and all(sign.isprintable() and not sign.isspace() for sign in name)


def read_verifier_key(text: str) -> VerifierKey:
    """The key that `text`, a vkey, says."""
    name, _, rest = text.partition("+")
    key_id, _, typed = rest.partition("+")
    content = _base64(typed)
    if not is_key_name(name) or len(content) != 1 + HASH_BYTES:
        raise ValueError("it is no verifier key (NAME+HASH+KEY)")
    try:
        key = VerifierKey(name, KeyKind(content[0]), content[1:])
    except ValueError:
        raise ValueError("it is a key of another kind than Ed25519, or for another use") from None
    if key_id != key.id.hex():
        raise ValueError("its hash is not that of its name and key")
    return key


def read_note(content: bytes) -> Note:
    """The note with exactly these bytes."""
    if len(content) > MAX_NOTE_BYTES:
        raise ValueError("a note is not that long")
    text, gap, lines = content.decode().rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise ValueError("it is no signed note")
    note = Note(text + "\n", tuple(_signature(line) for line in lines.removesuffix("\n").split("\n")))
    if bytes(note) != content or any(sign < " " and sign != "\n" for sign in note.text):
        raise ValueError("it is no signed note")
    return note


def read_signature(line: str) -> Signature:
    """The signature of one line, which ends in a line break."""
    if not line.endswith("\n"):
        raise ValueError("it is no signature line")
    return _signature(line.removesuffix("\n"))


def read_checkpoint(content: bytes) -> tuple[Checkpoint, tuple[Signature, ...]]:
    """The checkpoint with these bytes and its signatures, which nobody has verified yet."""
    note = read_note(content)
    lines = note.text.split("\n")
    if len(lines) != 4:
        raise ValueError("a checkpoint is three lines")
    checkpoint = Checkpoint(lines[0], _number(lines[1]), _base64(lines[2]), content)
    if checkpoint.text != note.text or len(checkpoint.root) != HASH_BYTES or not is_key_name(checkpoint.origin):
        raise ValueError("it is no checkpoint")
    return checkpoint, note.signatures


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs: that at `time` (seconds since 1970) this was the largest checkpoint that it had seen."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def timestamped(time: int, signature: bytes) -> bytes:
    """The content of a witness's signature."""
    return time.to_bytes(_TIME_BYTES, "big") + signature


def read_timestamped(content: bytes) -> tuple[int, bytes]:
    """Time and signature from the content of a witness's signature."""
    if len(content) != _TIME_BYTES + _SIGNATURE_BYTES:
        raise ValueError("it is no cosignature")
    time = int.from_bytes(content[:_TIME_BYTES], "big")
    if time > _LATEST:
        raise ValueError("it is no cosignature")
    return time, content[_TIME_BYTES:]


def read_proof(content: bytes) -> Proof:
    """The proof with exactly these bytes; what it proves nobody has verified yet."""
    if len(content) > MAX_PROOF_BYTES:
        raise ValueError("a proof is not that long")
    head, gap, note = content.partition(b"\n\n")
    header, *lines = head.decode().split("\n")
    if not gap or header != PROOF_HEADER or not lines:
        raise ValueError("it is no tlog-proof")
    extra = _base64(lines.pop(0).removeprefix("extra ")) if lines[0].startswith("extra ") else b""
    if not lines or not lines[0].startswith("index "):
        raise ValueError("it is no tlog-proof")
    proof = Proof(_number(lines[0].removeprefix("index ")), tuple(_hashes(lines[1:])), note, extra)
    if bytes(proof) != content:
        raise ValueError("it is no tlog-proof")
    return proof


def _hashes(lines: Iterable[str]) -> Iterable[bytes]:
    for line in lines:
        one = _base64(line)
        if len(one) != HASH_BYTES:
            raise ValueError("a hash of a proof has another length")
        yield one


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    content = _base64(encoded)
    if dash != "—" or not is_key_name(name) or len(content) <= _KEY_ID_BYTES:
        raise ValueError("it is no signature line")
    return Signature(name, content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:])


def _base64(text: str) -> bytes:
    """Strict: the unused bits of the last sign are 0, or two texts would be one content."""
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode() != text:
        raise ValueError("it is no base64")
    return content


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > _LATEST:
        raise ValueError("it is no number")
    return int(text)

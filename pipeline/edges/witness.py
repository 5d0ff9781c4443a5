"""Did a ledger that somebody else keeps only ever grow? A partner's witness looks, remembers, and says so.

The witness reads the ledger's folder in shared storage: checkpoints and tiles, nothing of what the entries say. It believes
what it remembers: one small file with the size and the root that it saw last. Each time it takes the largest checkpoint,
makes from the tiles the proof that the ledger of then is the beginning of the ledger of now, and cosigns (C2SP
tlog-cosignature, `cosignature/v1`). It remembers before it cosigns, and one run at a time: it never puts its name to two
histories.
"""

import base64
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, Unavailable
from pipeline.core.merkle import EMPTY_ROOT, check_consistency, consistency, root
from pipeline.core.notes import Checkpoint, KeyKind, VerifierKey, is_key_name
from pipeline.edges.checkpoints import LARGEST_SKEW, checkpoint_place, cosign, largest_size, open_checkpoint, raw
from pipeline.edges.safe import put_new_file, read_private
from pipeline.edges.storage import Store
from pipeline.edges.tiles import Tiles

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_HEADER, _KIND = "PRIVATE+KEY+", bytes([KeyKind.WITNESS.value])


class OtherOrigin(Refused):
    """The ledger is not the one that the witness watches."""

    exit_code: ClassVar[int] = 11


class BadSignature(Refused):
    """The checkpoint is not signed by the ledger's key."""

    exit_code: ClassVar[int] = 12


class WentBack(Conflict):
    """The ledger is shorter than it was."""

    exit_code: ClassVar[int] = 13


class Forked(Conflict):
    """The ledger is not the one that it was, continued."""

    exit_code: ClassVar[int] = 14


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The witness's name and private key."""

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def verifier(self) -> VerifierKey:
        """What the ledger's keeper is given."""
        return VerifierKey(self.name, KeyKind.WITNESS, raw(self.key.public_key()))

    def secret(self) -> bytes:
        """One line: the private half of the vkey."""
        seed = self.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return f"{_HEADER}{self.name}+{self.verifier.id.hex()}+{base64.b64encode(_KIND + seed).decode()}\n".encode()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a witness remembers of a ledger: the largest checkpoint that it ever cosigned, and when it last did."""

    origin: str
    size: int = 0
    root: bytes = EMPTY_ROOT
    at: datetime = LONG_AGO


def create_witness_key(path: Path, name: str) -> WitnessKey:
    """The witness's key, new in a file for its owner alone, or as it was.

    Raises:
        Misconfigured: KEY_INVALID: it cannot be its name; PARTNER_KEY_INVALID: the file holds another's key.
    """
    if not is_key_name(name):
        raise Misconfigured(
            Code.KEY_INVALID, f"{name!a} can't be a witness's name.", next_step="use no spaces and no +."
        )
    put_new_file(path, WitnessKey(name, Ed25519PrivateKey.generate()).secret(), mode=0o600)
    found = read_witness_key(path)
    if found.name != name:
        raise _key_invalid(path, f"it is the key of {found.name}")
    return found


def read_witness_key(path: Path) -> WitnessKey:
    """The key in a file that `create_witness_key` wrote.

    Raises:
        Misconfigured: SITE_KEY_MISSING, SITE_KEY_UNSAFE, PARTNER_KEY_INVALID.
    """
    content = read_private(path)
    try:
        name, _, rest = content.decode().removeprefix(_HEADER).partition("+")
        typed = base64.b64decode(rest.partition("+")[2].strip(), validate=True)
        found = WitnessKey(name, Ed25519PrivateKey.from_private_bytes(typed[1:]))
        whole = found.secret() == content
    except ValueError:
        whole = False
    if not whole:
        raise _key_invalid(path, "it is not a witness's key")
    return found


def witness(ledger: Store, log_keys: Sequence[VerifierKey], key: WitnessKey, memory: Path, now: datetime) -> Checkpoint:
    """The ledger's largest checkpoint, its note with our cosignature; it is remembered.

    Raises:
        OtherOrigin, BadSignature, WentBack, Forked: it was not cosigned, and what was remembered is as before.
        Conflict: OBJECT_ALTERED: the tiles that would show it are not there.
        Misconfigured: CLOCK_JUMPED: our own clock is behind our last cosignature.
    """
    with _remembered(memory, log_keys[0].name) as seen:
        _check_clock(seen, now)
        size = _size(ledger, seen)
        checkpoint = _opened(ledger, size, log_keys)
        _check_growth(ledger, seen, checkpoint)
        _remember(memory, Seen(checkpoint.origin, size, checkpoint.root, now))
        line = str(cosign(checkpoint, key.name, key.key, now).signature)
        return replace(checkpoint, note=checkpoint.note + line.encode())


def _size(ledger: Store, seen: Seen) -> int:
    if seen.size and not ledger.exists(checkpoint_place(seen.size)):
        raise WentBack(
            Code.LEDGER_WENT_BACK,
            f"The ledger {seen.origin} had {seen.size} entries; its checkpoint of that size is no longer there.",
            next_step="ask its keeper what was taken away or restored, and keep what you remember of it.",
        )
    size = largest_size(ledger, seen.size)
    if size == 0:
        raise Misconfigured(
            Code.NOT_FOUND,
            f"There is no checkpoint in {ledger.url}.",
            next_step="name the folder `ledger` of the keeper's shared storage; a new ledger has none yet.",
        )
    return size


def _opened(ledger: Store, size: int, log_keys: Sequence[VerifierKey]) -> Checkpoint:
    note = ledger.find(checkpoint_place(size)) or b""
    try:
        checkpoint = open_checkpoint(note, log_keys, name=f"Checkpoint {size}")
    except Refused as refused:
        kind = OtherOrigin if refused.code is Code.ORIGIN_DIFFERS else BadSignature
        raise kind(refused.code, refused.message, next_step="ask the ledger's keeper for its verifier key.") from None
    if checkpoint.size != size:
        raise BadSignature(
            Code.CHECKPOINT_INVALID,
            f"Under {checkpoint_place(size)} is the checkpoint of size {checkpoint.size}.",
            next_step="ask the ledger's keeper who changed it.",
        )
    return checkpoint


def _check_growth(ledger: Store, seen: Seen, checkpoint: Checkpoint) -> None:
    """The ledger of then is the beginning of the ledger of now, and its tiles show it."""
    node = Tiles(ledger, checkpoint.size).node
    try:
        proof = consistency(seen.size, checkpoint.size, node)
        check_consistency(seen.size, checkpoint.size, seen.root, checkpoint.root, proof)
        whole = root(checkpoint.size, node) == checkpoint.root
    except ValueError:
        whole = False
    if not whole:
        raise Forked(
            Code.LEDGER_FORKED,
            f"The ledger {seen.origin} of size {checkpoint.size} is not the one of size {seen.size}, continued.",
            next_step="keep what you remember and this checkpoint: together they prove it. Ask the keeper, and tell others.",
        )


def _check_clock(seen: Seen, now: datetime) -> None:
    if now < seen.at - LARGEST_SKEW:
        raise Misconfigured(
            Code.CLOCK_JUMPED,
            f"By this machine's clock it is {now.isoformat(timespec='seconds')}, and the last cosignature is of "
            f"{seen.at.isoformat(timespec='seconds')}.",
            next_step="set the clock, then rerun.",
        )


@contextmanager
def _remembered(memory: Path, origin: str) -> Iterator[Seen]:
    """What is remembered; nobody else changes it meanwhile."""
    try:
        with memory.with_name(memory.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = memory.read_bytes() if memory.exists() else None
            yield Seen(origin) if content is None else _read_seen(content, memory, origin)
    except OSError as error:
        raise _unwritable(memory, error) from None


def _read_seen(content: bytes, memory: Path, origin: str) -> Seen:
    try:
        raw_seen = json.loads(content)
        at = datetime.fromisoformat(raw_seen["at"])
        seen = Seen(raw_seen["origin"], raw_seen["size"], bytes.fromhex(raw_seen["root"]), at)
        whole = _written(seen) == content
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise Misconfigured(
            Code.SITE_INVALID,
            f"{memory} is not what a witness remembers.",
            next_step="restore it from a backup: without it, nobody can say that the ledger did not go back.",
        )
    if seen.origin != origin:
        raise OtherOrigin(
            Code.ORIGIN_DIFFERS,
            f"{memory} remembers the ledger {seen.origin}, not {origin}.",
            next_step="keep one such file for each ledger.",
        )
    return seen


def _remember(memory: Path, seen: Seen) -> None:
    """It is on the disk, whole, before anything is cosigned."""
    handle, temporary = tempfile.mkstemp(dir=memory.parent, prefix=f".{memory.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_written(seen))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(memory)
    finally:
        Path(temporary).unlink(missing_ok=True)
    folder = os.open(memory.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _written(seen: Seen) -> bytes:
    fields = {"at": seen.at.isoformat(), "origin": seen.origin, "root": seen.root.hex(), "size": seen.size}
    return json.dumps(fields, indent=2).encode() + b"\n"


def _key_invalid(path: Path, what: str) -> Misconfigured:
    next_step = "name the file that `safeconduct witness --new-key` made, or another one for a new key."
    return Misconfigured(Code.PARTNER_KEY_INVALID, f"{path}: {what}.", next_step=next_step)


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        Code.STORAGE_UNAVAILABLE, f"{path} cannot be written: {error.strerror}.", next_step="free or open its folder."
    )

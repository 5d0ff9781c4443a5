"""Who vouches for the length and the content of the ledger? Its own key, and every witness that has cosigned.

    checkpoints/<size>                            write-once: the ledger's signed note; the largest counts
    cosignatures/<size>/<SHA-256 of the name>     write-once: a witness's verifier key, and its signature line

Both lie in shared storage, where every partner may read them. They are texts of `pipeline.core.notes`; here are the keys.
A cosignature brings its key along, so that a changed bit in it is found even after the witness has another key; which
witnesses count, the keyring says.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.notes import (
    Checkpoint,
    KeyKind,
    Signature,
    VerifierKey,
    cosigned_message,
    read_checkpoint,
    read_signature,
    read_timestamped,
    read_verifier_key,
    timestamped,
)
from pipeline.edges.signing import SigningKey
from pipeline.edges.storage import Store
from pipeline.edges.tiles import altered, first_missing

LARGEST_SKEW = timedelta(minutes=5)
"""A cosignature from further in the future was made by a clock that nobody should believe."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHECKPOINT = re.compile(r"checkpoints/([1-9][0-9]{0,18})")
_COSIGNATURE = re.compile(r"cosignatures/([1-9][0-9]{0,18})/[0-9a-f]{64}")


class Witness(Protocol):
    """A partner's witness, as the keyring knows it."""

    @property
    def partner(self) -> str:
        """Whose it is."""
        ...

    @property
    def vkey(self) -> str:
        """Its verifier key, as text."""
        ...


class LedgerKeys(Protocol):
    """What a ledger needs of the keyring."""

    @property
    def ledger(self) -> SigningKey:
        """What signs checkpoints now."""
        ...

    @property
    def ledger_publics(self) -> Sequence[Ed25519PublicKey]:
        """Every key that ever signed them."""
        ...

    def witnesses(self) -> Sequence[Witness]:
        """Whose cosignatures count."""
        ...


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's word, verified: that at `at` this checkpoint was the largest that it had seen, and no fork."""

    size: int
    key: VerifierKey
    at: datetime
    signature: Signature

    @property
    def place(self) -> str:
        return cosignature_place(self.size, self.key.name)

    @property
    def stored(self) -> bytes:
        """The exact bytes under `place`."""
        return f"{self.key}\n{self.signature}".encode()

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the stored bytes: what the ledger's entry of kind `witnessed` names."""
        return hashlib.sha256(self.stored).hexdigest()

    @property
    def facts(self) -> dict[str, str | int]:
        """What an entry of kind `witnessed` says of it; `Ledger.verify` finds by these that it was taken away."""
        return {"size": self.size, "witness": self.key.name, "cosignature": self.digest}


def log_key(origin: str, public: Ed25519PublicKey) -> VerifierKey:
    """The key of a ledger, as recipients and witnesses are given it."""
    return VerifierKey(origin, KeyKind.LOG, raw(public))


def raw(public: Ed25519PublicKey) -> bytes:
    """The 32 bytes of RFC 8032."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> Checkpoint:
    """The checkpoint with its note, signed by the ledger's key."""
    named = log_key(checkpoint.origin, key.public)
    line = Signature(named.name, named.id, key.key.sign(checkpoint.text.encode()))
    return replace(checkpoint, note=f"{checkpoint.text}\n{line}".encode())


def open_checkpoint(note: bytes, keys: Sequence[VerifierKey], *, name: str = "The checkpoint") -> Checkpoint:
    """The checkpoint in `note`, signed by one of the ledger's keys. Signatures of others are not looked at.

    Raises:
        Refused: CHECKPOINT_INVALID, or ORIGIN_DIFFERS where it is of a ledger that none of the keys is for.
    """
    try:
        checkpoint, signatures = read_checkpoint(note)
    except ValueError:
        raise _refused(Code.CHECKPOINT_INVALID, f"{name} is not a signed checkpoint") from None
    if all(key.name != checkpoint.origin for key in keys):
        raise _refused(Code.ORIGIN_DIFFERS, f"{name} is of another ledger")
    known = [(key, one) for key in keys for one in signatures if key.kind is KeyKind.LOG and one.is_for(key)]
    if not known or not all(is_signed(key, one.content, checkpoint.text.encode()) for key, one in known):
        raise _refused(Code.CHECKPOINT_INVALID, f"{name} has no signature by a key of the ledger that holds")
    return checkpoint


def cosign(checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey, at: datetime) -> Cosignature:
    """The witness's cosignature of the checkpoint, which it has found to be no fork and no step back."""
    time = int(at.timestamp())
    witness = VerifierKey(name, KeyKind.WITNESS, raw(key.public_key()))
    content = timestamped(time, key.sign(cosigned_message(checkpoint.text, time)))
    at = _EPOCH + timedelta(seconds=time)
    return Cosignature(checkpoint.size, witness, at, Signature(name, witness.id, content))


def open_cosignature(signature: Signature, checkpoint: Checkpoint, key: VerifierKey) -> Cosignature:
    """The cosignature of this checkpoint by this witness.

    Raises:
        Refused: COSIGNATURE_INVALID.
    """
    try:
        time, content = read_timestamped(signature.content)
        at = _EPOCH + timedelta(seconds=time)
    except (ValueError, OverflowError):
        raise _not_cosigned(key) from None
    message = cosigned_message(checkpoint.text, time)
    if key.kind is not KeyKind.WITNESS or not signature.is_for(key) or not is_signed(key, content, message):
        raise _not_cosigned(key)
    return Cosignature(checkpoint.size, key, at, signature)


def open_cosigned(note: bytes, checkpoint: Checkpoint, keys: Sequence[VerifierKey]) -> tuple[Cosignature, ...]:
    """What these witnesses have put under the checkpoint in `note`; lines of others are not looked at.

    Raises:
        Refused: COSIGNATURE_INVALID where one of theirs does not hold.
    """
    _, signatures = read_checkpoint(note)
    return tuple(open_cosignature(one, checkpoint, key) for key in keys for one in signatures if one.is_for(key))


def stored_cosignature(content: bytes, checkpoint: Checkpoint) -> Cosignature:
    """The cosignature in a stored object, which names its key itself. ValueError or Refused where it is none."""
    vkey, _, line = content.decode().partition("\n")
    return open_cosignature(read_signature(line), checkpoint, read_verifier_key(vkey))


def stored_cosignatures(store: Store, prefix: str = "cosignatures") -> Iterator[tuple[int, str]]:
    """Size and key of each cosignature below the folder `prefix`."""
    for listed in store.listing(prefix):
        yield size_of_cosignature(listed.key), listed.key


def size_of_checkpoint(place: str) -> int | None:
    """The size of the checkpoint under this key, or None where it is no checkpoint's."""
    found = _CHECKPOINT.fullmatch(place)
    return int(found[1]) if found else None


def size_of_cosignature(place: str) -> int:
    """The size of the checkpoint that is cosigned under this key, where nothing else may be.

    Raises:
        Conflict: OBJECT_ALTERED where it is no cosignature's.
    """
    found = _COSIGNATURE.fullmatch(place)
    if found is None:
        raise altered(f"{place} is no object of a ledger")
    return int(found[1])


def witness_keys(witnesses: Sequence[Witness], partner: str | None = None) -> tuple[VerifierKey, ...]:
    """The keys of these witnesses, or of one partner's.

    Raises:
        Misconfigured: PARTNER_KEY_INVALID where one is not what it says.
    """
    try:
        keys = [read_verifier_key(one.vkey) for one in witnesses if partner in (None, one.partner)]
    except ValueError as error:
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID, f"A key in witnesses.txt: {error}.", next_step="ask the partner for its vkey."
        ) from None
    return tuple(key for key in keys if key.kind is KeyKind.WITNESS)


def largest_size(store: Store, known: int = 0) -> int:
    """The size of the largest checkpoint in the store of a ledger that has one of size `known`: they have no gaps."""
    return first_missing(lambda size: store.exists(checkpoint_place(size + 1)), known)


def checkpoint_place(size: int) -> str:
    return f"checkpoints/{size}"


def cosignature_place(size: int, witness: str) -> str:
    return f"cosignatures/{size}/{hashlib.sha256(witness.encode()).hexdigest()}"


def is_signed(key: VerifierKey, signature: bytes, message: bytes) -> bool:
    """Whether this key made this signature of this message."""
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _not_cosigned(key: VerifierKey) -> Refused:
    return _refused(Code.COSIGNATURE_INVALID, f"The cosignature of {key.name} does not hold")


def _refused(code: Code, what: str) -> Refused:
    return Refused(
        code, f"{what}.", next_step="get it again from where it was made, and check the key that verifies it."
    )

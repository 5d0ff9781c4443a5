"""Who can open an object? Whoever holds an identity that it is sealed to, and nobody else.

A sealed object is an age v1 file (https://c2sp.org/age): `age -d` opens it. Its recipients are all X25519, or all hybrid,
ML-KEM-768 with X25519, which a quantum computer will not open either. age does not say who sealed: a signature over the
sealed bytes does (`signing.py`, `opening.py`).
"""

import functools
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.edges import bech32
from pipeline.edges.armor import unarmored
from pipeline.edges.payload import NONCE_BYTES, Payload
from pipeline.edges.stanzas import (
    FILE_KEY_BYTES,
    MAX_HEADER_BYTES,
    Bytes,
    HybridSecret,
    OpeningError,
    PublicKey,
    SecretKey,
    hybrid_public,
    read_header,
    write_header,
    x25519_public,
)

_SEED_BYTES = 32


class Origin(Enum):
    """Who wrote the sealed bytes, and so whose fault it is when they do not open."""

    STORE = "store"
    PARTNER = "partner"


class RecipientKind(Enum):
    """What a recipient's text and an identity's secret begin with (Bech32 prefixes of the age specification)."""

    X25519 = ("age", "age-secret-key-")
    HYBRID = ("age1pq", "age-secret-key-pq-")

    @property
    def recipient_prefix(self) -> str:
        return self.value[0]

    @property
    def secret_prefix(self) -> str:
        return self.value[1]

    @classmethod
    def of(cls, text: str) -> "RecipientKind":
        """The kind of a recipient's or an identity's text; X25519 for what is neither."""
        starts = tuple(f"{prefix}1" for prefix in cls.HYBRID.value)
        return cls.HYBRID if text.lower().startswith(starts) else cls.X25519


@dataclass(frozen=True, slots=True)
class Identity:
    """A key pair that objects are sealed to: `recipient` is public (age1...), `secret` opens (AGE-SECRET-KEY-...)."""

    recipient: str
    secret: str = field(repr=False)

    @classmethod
    def of_secret(cls, secret: str) -> "Identity":
        """The identity that an AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1... text stands for.

        Raises ValueError without any part of the text.
        """
        kind, seed = RecipientKind.of(secret), _seed(secret)
        text = bech32.encode(kind.secret_prefix, seed).upper()
        key = _secret_key(text)
        public = key.public_bytes() if isinstance(key, HybridSecret) else key.public_key().public_bytes_raw()
        return cls(bech32.encode(kind.recipient_prefix, public), text)


Identities = Identity | Sequence[Identity]
"""Who opens: one identity, or several of which one has to fit."""


def new_identity(kind: RecipientKind = RecipientKind.X25519) -> Identity:
    """A fresh identity from the system's random source."""
    return Identity.of_secret(bech32.encode(kind.secret_prefix, os.urandom(_SEED_BYTES)))


@functools.lru_cache(maxsize=64)  # a hybrid text takes milliseconds to read, and one recipient gets many parts
def recipient_key(recipient: str) -> PublicKey:
    """The public key of an age1... or age1pq1... text. Raises ValueError when it is not a recipient of these kinds."""
    kind = RecipientKind.of(recipient)
    raw = bech32.decode(kind.recipient_prefix, recipient)
    match kind:
        case RecipientKind.X25519:
            return x25519_public(raw)
        case RecipientKind.HYBRID:
            return hybrid_public(raw)


def seal(content: Bytes, recipients: Sequence[str]) -> bytes:
    """An age file of `content` that each of `recipients` can open, and nobody else.

    Raises:
        Misconfigured: PARTNER_KEY_MISSING without recipients, PARTNER_KEY_INVALID for a text that is not one,
            RECIPIENTS_MIXED for hybrid ones beside others.
    """
    start, payload = _start(recipients)
    return payload.seal(content, after=start)


def seal_blocks(blocks: Iterable[Bytes], recipients: Sequence[str]) -> Iterator[bytes]:
    """The age file of what `blocks` add up to, in blocks of about 1 MiB, in constant memory.

    Raises as `seal` does, before the first block is read.
    """
    start, payload = _start(recipients)
    return itertools.chain([start], payload.seal_blocks(blocks))


def open_sealed(
    sealed: Bytes, identities: Identities, *, origin: Origin = Origin.STORE, name: str = "A sealed object"
) -> bytes:
    """The content of an age file, armored or not, that one of `identities` opens: every byte of it was authenticated.

    `name` is what a message calls the file.

    Raises:
        Refused: for a partner's, OPENING_FAILED, WRONG_KEY, RECIPIENTS_ALTERED, SEALED_CUT_SHORT, SEALED_OVERLONG.
        Conflict: OBJECT_ALTERED for an object of our own store that does not open.
        Misconfigured: WRONG_KEY for one that is sealed to a key which is not held here.
    """
    try:
        # What is binary, as most is, is not copied to look for armor.
        plain = sealed if bytes(sealed[:4]) == b"age-" else b"".join(unarmored([sealed]))
        rest, payload = _opening(plain, identities)
        return payload.open(rest)
    except OpeningError as error:
        raise _failure(error, origin, name) from None


def open_blocks(
    blocks: Iterable[Bytes], identities: Identities, *, origin: Origin = Origin.STORE, name: str = "A sealed object"
) -> Iterator[bytes]:
    """The content of an age file, armored or not, in authenticated chunks of at most `CHUNK_BYTES`, in constant memory.

    A chunk that was handed out is right and in its place, but only the end of the iteration says that none is missing:
    what was made of the chunks must not be used before it. Raises as `open_sealed` does.
    """
    start = bytearray()
    try:
        source = iter(unarmored(blocks))
        for block in source:
            start += block
            if len(start) >= MAX_HEADER_BYTES + NONCE_BYTES:
                break
        rest, payload = _opening(start, identities)
        yield from payload.open_blocks(itertools.chain([rest], source))
    except OpeningError as error:
        raise _failure(error, origin, name) from None


def _failure(error: OpeningError, origin: Origin, name: str) -> Conflict | Misconfigured | Refused:
    message = f"{name} does not open: {error}."
    match origin:
        case Origin.STORE if error.code is Code.WRONG_KEY:
            return Misconfigured(
                Code.WRONG_KEY,
                message,
                next_step="restore the key that it was sealed to; if none is missing, compare it with a backup.",
            )
        case Origin.STORE:
            return Conflict(
                Code.OBJECT_ALTERED,
                message,
                next_step="compare it with a backup, and check that the site's keys are the ones it was sealed to.",
            )
        case Origin.PARTNER:
            return Refused(
                error.code, message, next_step="ask the partner to seal it again, to this site's recipient, with age."
            )


def _opening(start: Bytes, identities: Identities) -> tuple[memoryview, Payload]:
    """What follows the authenticated header and the nonce, and what opens it."""
    held = (identities,) if isinstance(identities, Identity) else identities
    file_key, end = read_header(start, [_secret_key(identity.secret) for identity in held])
    nonce = bytes(start[end : end + NONCE_BYTES])
    if len(nonce) < NONCE_BYTES:
        raise OpeningError("it ends after its header", Code.SEALED_CUT_SHORT)
    return memoryview(start).cast("B")[end + NONCE_BYTES :], Payload.of(file_key, nonce)


def _start(recipients: Sequence[str]) -> tuple[bytes, Payload]:
    """What a new file begins with, and what seals its chunks."""
    if not recipients:
        raise Misconfigured(
            Code.PARTNER_KEY_MISSING,
            "There is nobody to seal to: the set of recipients is empty.",
            next_step="register an age recipient for the partner.",
        )
    file_key, nonce = os.urandom(FILE_KEY_BYTES), os.urandom(NONCE_BYTES)
    try:
        keys = [recipient_key(recipient) for recipient in dict.fromkeys(recipients)]
        check_alike(recipients)
        header = write_header(file_key, keys)
    except ValueError as invalid:
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID,
            f"A recipient is not an age recipient (age1... or age1pq1...): {invalid}.",
            next_step="correct the partner's recipients.txt.",
        ) from None
    if len(header) > MAX_HEADER_BYTES:
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID,
            f"{len(recipients)} recipients are more than one file can be sealed to.",
            next_step="let the partner share a key.",
        )
    return header + nonce, Payload.of(file_key, nonce)


def check_alike(recipients: Iterable[str], *, name: str = "The set of recipients") -> None:
    """The recipients are all hybrid, or none is: to seal to both kinds would undo what the hybrid ones are for.

    `name` is what a message calls them.

    Raises:
        Misconfigured: RECIPIENTS_MIXED.
    """
    if len({RecipientKind.of(recipient) for recipient in recipients}) > 1:
        raise Misconfigured(
            Code.RECIPIENTS_MIXED,
            f"{name} has hybrid ones (age1pq1...) beside others (age1...), and what is sealed to both has the weaker seal.",
            next_step="register hybrid recipients only, or none.",
        )


def _seed(secret: str) -> bytes:
    seed = bech32.decode(RecipientKind.of(secret).secret_prefix, secret)
    if len(seed) != _SEED_BYTES:
        raise ValueError("it is not 32 bytes long")
    return seed


def _secret_key(secret: str) -> SecretKey:
    match RecipientKind.of(secret):
        case RecipientKind.X25519:
            return X25519PrivateKey.from_private_bytes(_seed(secret))
        case RecipientKind.HYBRID:
            return HybridSecret.of_seed(_seed(secret))

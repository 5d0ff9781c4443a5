"""Who can open an object? Whoever holds an identity that it is sealed to, and nobody else.

A sealed object is a binary age v1 file (https://age-encryption.org/v1, C2SP age specification) with X25519 recipients:
`age -d` opens it. age does not say who sealed: a signature over the sealed bytes does (`signing.py`, `opening.py`).
"""

import base64
import binascii
import contextlib
import hmac
import io
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.edges import bech32

CHUNK_BYTES = 64 * 1024
"""What one authenticated chunk holds (age specification, Payload)."""

_TAG_BYTES = 16
_SEALED_CHUNK_BYTES = CHUNK_BYTES + _TAG_BYTES
_NONCE_BYTES = 16
_FILE_KEY_BYTES = 16
_SHARE_BYTES = 32

# Every stanza costs a scalar multiplication before anything is authenticated: without a cap a small file buys minutes.
_MAX_HEADER_BYTES = 64 * 1024

# The grammar of the age specification, "ABNF definition of file header".
_VERSION = b"age-encryption.org/v1\n"
_ARGUMENTS, _BODY = rb"[!-~]+(?: [!-~]+)*", rb"(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n"
_STANZAS = re.compile(b"-> (?P<arguments>%b)\n(?P<body>%b)" % (_ARGUMENTS, _BODY))
_HEADER = re.compile(
    b"%b(?P<stanzas>(?:-> %b\n%b)+)--- (?P<mac>[A-Za-z0-9+/]{43})\n" % (re.escape(_VERSION), _ARGUMENTS, _BODY)
)
_ARMOR = b"-----BEGIN AGE"

_RECIPIENT_PREFIX, _SECRET_PREFIX = "age", "age-secret-key-"

Bytes = bytes | bytearray | memoryview


class Origin(Enum):
    """Who wrote the sealed bytes, and so whose fault it is when they do not open."""

    STORE = "store"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Identity:
    """A key pair that objects are sealed to: `recipient` is public (age1...), `secret` opens (AGE-SECRET-KEY-1...)."""

    recipient: str
    secret: str = field(repr=False)

    @classmethod
    def of_secret(cls, secret: str) -> "Identity":
        """The identity that an AGE-SECRET-KEY-1... text stands for. Raises ValueError without any part of the text."""
        raw = bech32.decode(_SECRET_PREFIX, secret)
        if len(raw) != _SHARE_BYTES:
            raise ValueError("it is not 32 bytes long")
        public = X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
        return cls(bech32.encode(_RECIPIENT_PREFIX, public), bech32.encode(_SECRET_PREFIX, raw).upper())


Identities = Identity | Sequence[Identity]
"""Who opens: one identity, or several of which one has to fit."""


def new_identity() -> Identity:
    """A fresh identity from the system's random source."""
    raw = X25519PrivateKey.generate().private_bytes_raw()
    return Identity.of_secret(bech32.encode(_SECRET_PREFIX, raw))


def recipient_key(recipient: str) -> X25519PublicKey:
    """The public key of an age1... text. Raises ValueError when it is not an age X25519 recipient."""
    raw = bech32.decode(_RECIPIENT_PREFIX, recipient)
    if len(raw) != _SHARE_BYTES:
        raise ValueError("it is not an X25519 recipient")
    return X25519PublicKey.from_public_bytes(raw)


def seal(content: Bytes, recipients: Sequence[str]) -> bytes:
    """An age file of `content` that each of `recipients` can open, and nobody else.

    Raises:
        Misconfigured: PARTNER_KEY_MISSING without recipients, PARTNER_KEY_INVALID for a text that is not one.
    """
    file_key, nonce = os.urandom(_FILE_KEY_BYTES), os.urandom(_NONCE_BYTES)
    start = _header(file_key, recipients) + nonce
    clear = memoryview(content).cast("B")
    count = max(1, -(-len(clear) // CHUNK_BYTES))
    # BytesIO lends its bytes for writing and hands them out again without a copy.
    sealed = io.BytesIO(bytes(len(start) + len(clear) + count * _TAG_BYTES))
    aead = ChaCha20Poly1305(_payload_key(file_key, nonce))
    with sealed.getbuffer() as out:
        out[: len(start)] = start
        for number in range(count):
            chunk = clear[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
            at = len(start) + number * _SEALED_CHUNK_BYTES
            last = number == count - 1
            aead.encrypt_into(_chunk_nonce(number, last=last), chunk, None, out[at : at + len(chunk) + _TAG_BYTES])
    return sealed.getvalue()


def open_sealed(
    sealed: Bytes, identities: Identities, *, origin: Origin = Origin.STORE, name: str = "A sealed object"
) -> bytes:
    """The content of an age file that one of `identities` opens, after every byte of it was authenticated.

    `name` is what a message calls the file.

    Raises:
        Conflict: OBJECT_ALTERED for an object of our own store that does not open.
        Refused: OPENING_FAILED for a partner's.
    """
    try:
        header = _read_header(sealed, identities)
        payload = memoryview(sealed).cast("B")[header.payload_at :]
        opened = io.BytesIO(bytes(len(payload)))
        size = 0
        with opened.getbuffer() as out:
            for number, (chunk, last) in enumerate(_sealed_chunks([payload])):
                clear_bytes = len(chunk) - _TAG_BYTES
                header.open_chunk(number, chunk, out[size : size + clear_bytes], last=last)
                size += clear_bytes
    except _OpeningError as error:
        raise _failure(error, origin, name) from None
    opened.truncate(size)
    return opened.getvalue()


def open_blocks(
    blocks: Iterable[Bytes], identities: Identities, *, origin: Origin = Origin.STORE, name: str = "A sealed object"
) -> Iterator[bytes]:
    """The content of an age file in authenticated chunks of at most `CHUNK_BYTES`, in constant memory.

    A chunk that was handed out is right and in its place, but only the end of the iteration says that none is missing:
    what was made of the chunks must not be used before it. Raises as `open_sealed` does.
    """
    source = iter(blocks)
    start = bytearray()
    for block in source:
        start += block
        if len(start) >= _MAX_HEADER_BYTES + _NONCE_BYTES:
            break
    try:
        header = _read_header(start, identities)
        payload = itertools.chain([memoryview(start)[header.payload_at :]], source)
        for number, (chunk, last) in enumerate(_sealed_chunks(payload)):
            clear = bytearray(len(chunk) - _TAG_BYTES)
            header.open_chunk(number, chunk, clear, last=last)
            yield bytes(clear)
    except _OpeningError as error:
        raise _failure(error, origin, name) from None


class _OpeningError(Exception):
    """Why an age file did not open, in words that hold nothing of its content."""


def _failure(error: _OpeningError, origin: Origin, name: str) -> Conflict | Refused:
    match origin:
        case Origin.STORE:
            return Conflict(
                Code.OBJECT_ALTERED,
                f"{name} does not open: {error}.",
                next_step="compare it with a backup, and check that the site's keys are the ones it was sealed to.",
            )
        case Origin.PARTNER:
            return Refused(
                Code.OPENING_FAILED,
                f"{name} does not open: {error}.",
                next_step="ask the partner to seal it again to this site's recipient, as a binary age file.",
            )


@dataclass(frozen=True, slots=True)
class _Header:
    """What an authenticated header gives: where the chunks begin, and what opens them."""

    payload_at: int
    aead: ChaCha20Poly1305 = field(repr=False)

    def open_chunk(self, number: int, chunk: Bytes, out: Bytes, *, last: bool) -> None:
        """`out` holds the clear chunk, which was found to be this one, whole, and last or not last as said."""
        if last and number and not len(out):
            raise _OpeningError("its last chunk is empty")
        try:
            self.aead.decrypt_into(_chunk_nonce(number, last=last), chunk, None, out)
        except InvalidTag:
            raise _OpeningError(f"chunk {number} was altered, or what follows it is missing") from None


def _read_header(sealed: Bytes, identities: Identities) -> _Header:
    found = _HEADER.match(sealed, 0, _MAX_HEADER_BYTES)
    if found is None:
        if bytes(sealed[: len(_ARMOR)]) == _ARMOR:
            raise _OpeningError("it is an armored age file, and only binary ones are taken")
        raise _OpeningError("it does not begin with an age v1 header")
    file_key = _unwrap(found["stanzas"], (identities,) if isinstance(identities, Identity) else identities)
    mac_at = found.start("mac")
    if not hmac.compare_digest(_header_mac(file_key, bytes(sealed[: mac_at - 1])), _decode(found["mac"])):
        raise _OpeningError("its header was altered")
    nonce = bytes(sealed[found.end() : found.end() + _NONCE_BYTES])
    if len(nonce) < _NONCE_BYTES:
        raise _OpeningError("it ends after its header")
    return _Header(found.end() + _NONCE_BYTES, ChaCha20Poly1305(_payload_key(file_key, nonce)))


def _unwrap(stanzas: bytes, identities: Sequence[Identity]) -> bytes:
    """The file key from the first stanza that is addressed to one of the identities, all being well-formed."""
    wrapped = _x25519_stanzas(stanzas)
    for identity in identities:
        secret = X25519PrivateKey.from_private_bytes(bech32.decode(_SECRET_PREFIX, identity.secret))
        own = secret.public_key().public_bytes_raw()
        for share, body in wrapped:
            try:
                shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
            except ValueError:  # the shared secret is zero: the share is a point of low order
                raise _OpeningError("it has a malformed X25519 stanza") from None
            with contextlib.suppress(InvalidTag):
                return ChaCha20Poly1305(_wrap_key(shared, share, own)).decrypt(bytes(12), body, None)
    raise _OpeningError("none of its stanzas is for this identity")


def _x25519_stanzas(stanzas: bytes) -> list[tuple[bytes, bytes]]:
    """Share and body of each X25519 stanza; stanzas of other kinds are passed over, but not malformed ones."""
    ours = []
    for stanza in _STANZAS.finditer(stanzas):
        kind, *arguments = stanza["arguments"].split(b" ")
        body = _decode(stanza["body"].replace(b"\n", b""))
        if kind == b"scrypt":
            raise _OpeningError("it is sealed with a passphrase")
        if kind == b"X25519":
            share = _decode(arguments[0]) if len(arguments) == 1 else b""
            if len(share) != _SHARE_BYTES or len(body) != _FILE_KEY_BYTES + _TAG_BYTES:
                raise _OpeningError("it has a malformed X25519 stanza")
            ours.append((share, body))
    return ours


def _sealed_chunks(blocks: Iterable[Bytes]) -> Iterator[tuple[Bytes, bool]]:
    """The payload cut into sealed chunks, each with whether it is the last: the only one that nothing follows."""
    pending = bytearray()
    for block in blocks:
        view = memoryview(block).cast("B")
        at = 0
        while at < len(view):
            if len(pending) == _SEALED_CHUNK_BYTES:
                yield pending, False
                pending = bytearray()
            if not pending and len(view) - at > _SEALED_CHUNK_BYTES:
                yield view[at : at + _SEALED_CHUNK_BYTES], False
                at += _SEALED_CHUNK_BYTES
            else:
                take = view[at : at + _SEALED_CHUNK_BYTES - len(pending)]
                pending += take
                at += len(take)
    if len(pending) < _TAG_BYTES:
        raise _OpeningError("it was cut short")
    yield pending, True


def _header(file_key: bytes, recipients: Sequence[str]) -> bytes:
    if not recipients:
        raise Misconfigured(
            Code.PARTNER_KEY_MISSING,
            "There is nobody to seal to: the set of recipients is empty.",
            next_step="register an age recipient for the partner.",
        )
    unsigned = _VERSION + b"".join(_stanza(file_key, recipient) for recipient in dict.fromkeys(recipients)) + b"---"
    return unsigned + b" " + _encode(_header_mac(file_key, unsigned)) + b"\n"


def _stanza(file_key: bytes, recipient: str) -> bytes:
    try:
        public = recipient_key(recipient)
        ephemeral = X25519PrivateKey.generate()
        shared = ephemeral.exchange(public)
    except ValueError as invalid:
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID,
            f"A recipient is not an age X25519 recipient (age1...): {invalid}.",
            next_step="correct the partner's recipients.txt.",
        ) from None
    share = ephemeral.public_key().public_bytes_raw()
    wrap_key = _wrap_key(shared, share, public.public_bytes_raw())
    body = ChaCha20Poly1305(wrap_key).encrypt(bytes(12), file_key, None)
    return b"-> X25519 " + _encode(share) + b"\n" + _encode(body) + b"\n"


def _wrap_key(shared: bytes, share: bytes, public: bytes) -> bytes:
    return _derive(shared, salt=share + public, info=b"age-encryption.org/v1/X25519")


def _payload_key(file_key: bytes, nonce: bytes) -> bytes:
    return _derive(file_key, salt=nonce, info=b"payload")


def _header_mac(file_key: bytes, unsigned: bytes) -> bytes:
    return hmac.digest(_derive(file_key, salt=b"", info=b"header"), unsigned, "sha256")


def _derive(key: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=salt, info=info).derive(key)


def _chunk_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _encode(content: bytes) -> bytes:
    return base64.b64encode(content).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    """The content of unpadded Base64, of which there is one spelling only: else a header could be changed unseen."""
    try:
        content = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise _OpeningError("its header has malformed Base64") from None
    if _encode(content) != text:
        raise _OpeningError("its header has malformed Base64")
    return content

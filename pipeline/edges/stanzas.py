"""How does an age file say who may open it? Each recipient has a stanza of the header, which wraps the file's key.

Age specification (https://c2sp.org/age): Header, and the native recipient types `X25519` and `mlkem768x25519`. What a
quantum computer will not open is sealed to hybrid keys only: one X25519 stanza would undo them.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.core.errors import Code

# Every stanza costs a scalar multiplication before anything is authenticated: without a cap a small file buys minutes.
MAX_HEADER_BYTES = 64 * 1024
FILE_KEY_BYTES = 16
TAG_BYTES = 16

_SHARE_BYTES = 32
_MLKEM_SEED_BYTES, _MLKEM_PUBLIC_BYTES = 64, 1184
_HYBRID_SHARE_BYTES = 1120
_HYBRID = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_HYBRID_LABEL = b"age-encryption.org/mlkem768x25519"
_X25519_LABEL = b"age-encryption.org/v1/X25519"

# The grammar of the age specification, "ABNF definition of file header".
_VERSION = b"age-encryption.org/v1\n"
_ARGUMENTS, _BODY = rb"[!-~]+(?: [!-~]+)*", rb"(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n"
_STANZAS = re.compile(b"-> (?P<arguments>%b)\n(?P<body>%b)" % (_ARGUMENTS, _BODY))
_HEADER = re.compile(
    b"%b(?P<stanzas>(?:-> %b\n%b)+)--- (?P<mac>[A-Za-z0-9+/]{43})\n" % (re.escape(_VERSION), _ARGUMENTS, _BODY)
)

Bytes = bytes | bytearray | memoryview
PublicKey = X25519PublicKey | MLKEM768X25519PublicKey


class OpeningError(Exception):
    """Why an age file did not open: a code, and words that hold nothing of its content."""

    def __init__(self, why: str, code: Code = Code.OPENING_FAILED) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class HybridSecret:
    """The two secret halves of a hybrid identity."""

    mlkem: MLKEM768PrivateKey = field(repr=False)
    x25519: X25519PrivateKey = field(repr=False)

    @classmethod
    def of_seed(cls, seed: bytes) -> "HybridSecret":
        """The halves that 32 bytes stand for (draft-ietf-hpke-pq-03, MLKEM768-X25519)."""
        halves = hashlib.shake_256(seed).digest(_MLKEM_SEED_BYTES + _SHARE_BYTES)
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(halves[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(halves[_MLKEM_SEED_BYTES:]),
        )

    def public_bytes(self) -> bytes:
        """What the recipient's text holds."""
        return self.mlkem.public_key().public_bytes_raw() + self.x25519.public_key().public_bytes_raw()


SecretKey = X25519PrivateKey | HybridSecret


def x25519_public(raw: bytes) -> X25519PublicKey:
    """The public key of 32 bytes. Raises ValueError for another number of them."""
    if len(raw) != _SHARE_BYTES:
        raise ValueError("it is not an X25519 recipient")
    return X25519PublicKey.from_public_bytes(raw)


def hybrid_public(raw: bytes) -> MLKEM768X25519PublicKey:
    """The public key of 1216 bytes. Raises ValueError when they are none."""
    try:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]), x25519_public(raw[_MLKEM_PUBLIC_BYTES:])
        )
    except ValueError:
        raise ValueError("it is not a hybrid recipient") from None


def write_header(file_key: bytes, keys: Sequence[PublicKey]) -> bytes:
    """The header of a file that each of `keys` can open. Raises ValueError for a key that no secret belongs to."""
    unsigned = _VERSION + b"".join(_wrapped(file_key, key) for key in keys) + b"---"
    return unsigned + b" " + _encode(_mac(file_key, unsigned)) + b"\n"


def read_header(start: Bytes, secrets: Sequence[SecretKey]) -> tuple[bytes, int]:
    """The file key, and where the header ends, which was authenticated.

    Raises:
        OpeningError: WRONG_KEY, RECIPIENTS_ALTERED, SEALED_CUT_SHORT, OPENING_FAILED.
    """
    found = _HEADER.match(start, 0, MAX_HEADER_BYTES)
    if found is None:
        if len(start) < MAX_HEADER_BYTES and bytes(start[: len(_VERSION)]) == _VERSION and b"\n---" not in bytes(start):
            raise OpeningError("it ends within its header", Code.SEALED_CUT_SHORT)
        raise OpeningError("it does not begin with an age v1 header")
    file_key = _file_key(found["stanzas"], secrets)
    mac_at = found.start("mac")
    if not hmac.compare_digest(_mac(file_key, bytes(start[: mac_at - 1])), _decode(found["mac"])):
        raise OpeningError("its header, which names its recipients, was altered", Code.RECIPIENTS_ALTERED)
    return file_key, found.end()


def derive(key: bytes, *, salt: bytes, info: bytes) -> bytes:
    """32 bytes by HKDF-SHA-256, as age derives every key."""
    return HKDF(SHA256(), length=32, salt=salt, info=info).derive(key)


@dataclass(frozen=True, slots=True)
class _Stanza:
    """A well-formed stanza of a kind that we know."""

    hybrid: bool
    share: bytes
    body: bytes

    def unwrapped(self, secret: SecretKey) -> bytes:
        """The file key. Raises InvalidTag when the stanza is for another; OpeningError when it is for nobody."""
        x25519 = secret.x25519 if isinstance(secret, HybridSecret) else secret
        try:
            shared = x25519.exchange(X25519PublicKey.from_public_bytes(self.share[-_SHARE_BYTES:]))
        except ValueError:  # the shared secret is zero: the share is a point of low order
            raise OpeningError("it has a stanza whose share is of low order") from None
        if isinstance(secret, HybridSecret):
            both = MLKEM768X25519PrivateKey(secret.mlkem, secret.x25519)
            return _HYBRID.decrypt(self.share + self.body, both, _HYBRID_LABEL)
        own = secret.public_key().public_bytes_raw()
        return ChaCha20Poly1305(_wrap_key(shared, self.share, own)).decrypt(bytes(12), self.body, None)


def _file_key(stanzas: bytes, secrets: Sequence[SecretKey]) -> bytes:
    """The file key from the first stanza that is for one of the secrets, all stanzas being well-formed."""
    known = list(_known(stanzas))
    for secret in secrets:
        for stanza in known:
            if stanza.hybrid is isinstance(secret, HybridSecret):
                with contextlib.suppress(InvalidTag):
                    return stanza.unwrapped(secret)
    raise OpeningError("none of its stanzas is for a key that is held here", Code.WRONG_KEY)


def _known(stanzas: bytes) -> Iterator[_Stanza]:
    """The X25519 and hybrid stanzas; those of other kinds are passed over, but not malformed ones."""
    for stanza in _STANZAS.finditer(stanzas):
        kind, *arguments = stanza["arguments"].split(b" ")
        body = _decode(stanza["body"].replace(b"\n", b""))
        if kind == b"scrypt":
            raise OpeningError("it is sealed with a passphrase")
        if kind in (b"X25519", b"mlkem768x25519"):
            hybrid = kind != b"X25519"
            share = _decode(arguments[0]) if len(arguments) == 1 else b""
            wanted = _HYBRID_SHARE_BYTES if hybrid else _SHARE_BYTES
            if len(share) != wanted or len(body) != FILE_KEY_BYTES + TAG_BYTES:
                raise OpeningError(f"it has a malformed {kind.decode()} stanza")
            yield _Stanza(hybrid, share, body)


def _wrapped(file_key: bytes, key: PublicKey) -> bytes:
    if isinstance(key, MLKEM768X25519PublicKey):
        sealed = _HYBRID.encrypt(file_key, key, _HYBRID_LABEL)
        kind, share, body = b"mlkem768x25519", sealed[:_HYBRID_SHARE_BYTES], sealed[_HYBRID_SHARE_BYTES:]
    else:
        ephemeral = X25519PrivateKey.generate()
        kind, share = b"X25519", ephemeral.public_key().public_bytes_raw()
        wrap_key = _wrap_key(ephemeral.exchange(key), share, key.public_bytes_raw())
        body = ChaCha20Poly1305(wrap_key).encrypt(bytes(12), file_key, None)
    return b"-> %b %b\n%b\n" % (kind, _encode(share), _encode(body))


def _wrap_key(shared: bytes, share: bytes, public: bytes) -> bytes:
    return derive(shared, salt=share + public, info=_X25519_LABEL)


def _mac(file_key: bytes, unsigned: bytes) -> bytes:
    return hmac.digest(derive(file_key, salt=b"", info=b"header"), unsigned, "sha256")


def _encode(content: bytes) -> bytes:
    return base64.b64encode(content).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    """The content of unpadded Base64, of which there is one spelling only: else a header could be changed unseen."""
    try:
        content = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise OpeningError("its header has malformed Base64") from None
    if _encode(content) != text:
        raise OpeningError("its header has malformed Base64")
    return content

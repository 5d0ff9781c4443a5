"""Who vouches for a statement? Whoever's key signed its envelope.

The envelope is DSSE v1 (https://github.com/secure-systems-lab/dsse) around an in-toto statement, signed with Ed25519,
so that standard tools verify it without us. Ed25519 signs without randomness: one statement and one key give one
envelope, byte for byte, however often a run is repeated. Where the site has a key for it there is a second signature,
ML-DSA-65 (FIPS 204): it holds when Ed25519 no longer does, and differs each time that it is made.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pipeline.core.errors import Code, Refused

PAYLOAD_TYPE = "application/vnd.in-toto+json"

PublicKey: TypeAlias = Ed25519PublicKey | MLDSA65PublicKey

# Each signature costs one verification per trusted key, and an envelope of ours has one signature per key of the site.
_MAX_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 private key; only its public half is ever shown."""

    key: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> Ed25519PublicKey:
        return self.key.public_key()

    @property
    def id(self) -> str:
        return key_id(self.public)

    def secret_pem(self) -> bytes:
        """The private half as PKCS #8 PEM, unencrypted: for the keyring's file and nothing else."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def public_pem(self) -> bytes:
        """The public half as SubjectPublicKeyInfo PEM: what a recipient needs to verify what we signed."""
        return self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def new_signing_key() -> SigningKey:
    """A fresh key from the system's random source."""
    return SigningKey(Ed25519PrivateKey.generate())


def read_signing_key(pem: bytes) -> SigningKey:
    """The key in a PKCS #8 PEM file. Raises ValueError, which holds nothing of the file, when it is no Ed25519 key."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise ValueError("it is not an unencrypted PKCS #8 PEM file") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("it is not an Ed25519 key")  # noqa: TRY004 (the file is wrong, not the caller's type)
    return SigningKey(key)


def read_public_key(pem: bytes) -> Ed25519PublicKey:
    """The key in a SubjectPublicKeyInfo PEM file. Raises ValueError when it is no Ed25519 public key."""
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise ValueError("it is not a PEM file with a public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("it is not an Ed25519 key")  # noqa: TRY004 (the file is wrong, not the caller's type)
    return key


def key_id(public: PublicKey) -> str:
    """The key's name: SHA-256 (hex) of its SubjectPublicKeyInfo in DER."""
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign_statement(statement: bytes, key: SigningKey, second: MLDSA65PrivateKey | None = None) -> bytes:
    """The envelope (JSON, UTF-8) that holds `statement` and the signatures over it: the key's first, then the second's."""
    signed = _signed_bytes(statement)
    signatures = [(key.id, key.key.sign(signed))]
    if second is not None:
        signatures.append((key_id(second.public_key()), second.sign(signed)))
    envelope = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": id, "sig": base64.b64encode(signature).decode()} for id, signature in signatures],
    }
    return json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()


def open_envelope(envelope: bytes, trusted: Sequence[PublicKey], *, name: str = "The envelope") -> bytes:
    """The statement in `envelope`, after a signature over it by one of the `trusted` keys was verified.

    A `keyid` in the envelope is an unauthenticated hint and decides nothing but what a refusal is called. Fields that the
    standard does not name are ignored, because nothing signs them.

    Raises:
        Refused: SIGNER_UNKNOWN: it says itself that others signed it. VERIFICATION_FAILED, whatever else is wrong with it.
    """
    statement, signatures = _read_envelope(envelope, name)
    signed = _signed_bytes(statement)
    if any(_is_by(key, one.signature, signed) for one in signatures for key in trusted):
        return statement
    if signatures and not {one.hint for one in signatures} & {key_id(key) for key in trusted}:
        raise Refused(
            Code.SIGNER_UNKNOWN,
            f"{name} holds no valid signature by a trusted key: it was signed by others.",
            next_step="do not use it; ask its publisher, over another way, which key it signs with.",
        )
    raise _refused(name, "holds no valid signature by a trusted key")


def signers_of(envelope: bytes, keys: Sequence[PublicKey], *, name: str = "The envelope") -> frozenset[str]:
    """The names of those of `keys` whose signature over the envelope's statement holds."""
    statement, signatures = _read_envelope(envelope, name)
    signed = _signed_bytes(statement)
    return frozenset(key_id(key) for key in keys if any(_is_by(key, one.signature, signed) for one in signatures))


@dataclass(frozen=True, slots=True)
class _Signature:
    """`hint`: the name of the key that the envelope says it is by."""

    hint: str
    signature: bytes


def _read_envelope(envelope: bytes, name: str) -> tuple[bytes, list[_Signature]]:
    try:
        fields = json.loads(envelope, object_pairs_hook=_no_doubles)
        kind, payload = fields["payloadType"], base64.b64decode(fields["payload"], validate=True)
        signatures = [
            _Signature(str(entry.get("keyid")), base64.b64decode(entry["sig"], validate=True))
            for entry in fields["signatures"]
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _refused(name, "is not a DSSE envelope") from None
    if kind != PAYLOAD_TYPE:
        raise _refused(name, f"does not hold {PAYLOAD_TYPE}")
    if len(signatures) > _MAX_SIGNATURES:
        raise _refused(name, f"holds more than {_MAX_SIGNATURES} signatures")
    return payload, signatures


def _no_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Two fields of one name would let two readers of the same envelope see two statements."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError
    return fields


def _is_by(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _signed_bytes(statement: bytes) -> bytes:
    """DSSE's pre-authentication encoding. The lengths count bytes, not characters."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(statement), statement)


def _refused(name: str, reason: str) -> Refused:
    return Refused(
        Code.VERIFICATION_FAILED,
        f"{name} {reason}.",
        next_step="get it again from its publisher, and check the public key that it is verified with.",
    )

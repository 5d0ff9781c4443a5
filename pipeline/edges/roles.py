"""What is a key of the site for, and how is it written down?

Each role has numbered keys: `vault.txt` is the vault's first, `vault-2.txt` its second. The newest is used; older ones
still open and verify until they are retired: then `vault-2.retired.json` keeps what is public of the key, and the secret
is destroyed. A key's text is such as other tools read (PKCS #8 PEM, an age identity, hex), below a line that says when it
was made.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from pipeline.core.canonical import canonical, read
from pipeline.core.errors import Code, Misconfigured
from pipeline.edges.safe import Safe, key_missing
from pipeline.edges.sealing import Identity, RecipientKind, new_identity
from pipeline.edges.signing import SigningKey, key_id, new_signing_key, read_signing_key

RETIRED = ".retired.json"
MASTER_BYTES = 32


class Role(Enum):
    """What a key is for. No key has two roles, so that each can be replaced and shared alone."""

    SIGNING = "signing"
    SIGNING_MLDSA = "signing-mldsa"
    LEDGER = "ledger"
    VAULT = "vault"
    QUARANTINE = "quarantine"
    OPENING = "opening"
    PSEUDONYM_MASTER = "pseudonym-master"

    @property
    def use(self) -> str:
        """What the key does, for people."""
        return _USES[self]

    @property
    def ending(self) -> str:
        return _ENDINGS[self]

    @property
    def required(self) -> bool:
        """Whether a site cannot do without; ML-DSA-65 is a second signature for those who want one."""
        return self is not Role.SIGNING_MLDSA


_USES = {
    Role.SIGNING: "signs manifests and withdrawals (Ed25519)",
    Role.SIGNING_MLDSA: "signs them a second time (ML-DSA-65)",
    Role.LEDGER: "signs the ledger's checkpoints (Ed25519)",
    Role.VAULT: "opens accepted rows (age)",
    Role.QUARANTINE: "opens refused deliveries and rejected rows (age)",
    Role.OPENING: "opens what partners seal to us (age)",
    Role.PSEUDONYM_MASTER: "pseudonyms and tokens of its epochs derive from it",
}
_ENDINGS = dict.fromkeys((Role.SIGNING, Role.SIGNING_MLDSA, Role.LEDGER), ".pem")
_ENDINGS |= dict.fromkeys((Role.VAULT, Role.QUARANTINE, Role.OPENING), ".txt")
_ENDINGS |= {Role.PSEUDONYM_MASTER: ".hex"}

_NAME = re.compile(
    rf"(?P<role>{'|'.join(re.escape(role.value) for role in Role)})(?:-(?P<number>[2-9]|[1-9][0-9]{{1,5}}))?"
    rf"(?P<ending>{'|'.join(map(re.escape, {*_ENDINGS.values(), RETIRED}))})"
)
_CREATED = re.compile(r"# created: (\S+)")


@dataclass(frozen=True, slots=True)
class Master:
    """What the pseudonyms and tokens of some epochs derive from."""

    content: bytes = field(repr=False)


Secret: TypeAlias = SigningKey | MLDSA65PrivateKey | Identity | Master


@dataclass(frozen=True, slots=True)
class Key:
    """A role's key of this number. One that is retired has no secret any more.

    `public` is its public half (PEM, or an age recipient; a master has none); `fingerprint` is 64 hex digits that tell it
    from every other key and nothing else of it.
    """

    role: Role
    number: int
    created_at: datetime | None
    public: str
    fingerprint: str
    secret: Secret | None = field(repr=False)
    retired_at: datetime | None = None

    @property
    def name(self) -> str:
        """`vault-1`, `vault-2`: what people, messages and the ledger call it."""
        return f"{self.role.value}-{self.number}"

    @property
    def stem(self) -> str:
        """What its files begin with: `vault` for the first, then `vault-2` and so on."""
        return _stem(self.role, self.number)


@dataclass(frozen=True, slots=True)
class _Left:
    """What a retired key leaves."""

    created_at: datetime | None
    fingerprint: str
    public: str
    retired_at: datetime


def new_key(role: Role, number: int, at: datetime, kind: RecipientKind = RecipientKind.X25519) -> Key:
    """A fresh key from the system's random source; it is nowhere yet. `kind` is for the roles that open."""
    match role:
        case Role.SIGNING | Role.LEDGER:
            return _key(role, number, at, new_signing_key())
        case Role.SIGNING_MLDSA:
            return _key(role, number, at, MLDSA65PrivateKey.generate())
        case Role.VAULT | Role.QUARANTINE | Role.OPENING:
            return _key(role, number, at, new_identity(kind))
        case Role.PSEUDONYM_MASTER:
            return _key(role, number, at, Master(secrets.token_bytes(MASTER_BYTES)))


def put_new_key(safe: Safe, key: Key) -> bool:
    """The key is in the safe; False where another one of its role and number is there already."""
    return safe.put_new(key.stem + key.role.ending, _text(key))


def retire_key(safe: Safe, key: Key, at: datetime) -> None:
    """What is public of the key is kept, and its secret destroyed; a second time finishes what a crash left."""
    left = _Left(key.created_at, key.fingerprint, key.public, at)
    safe.put_new(key.stem + RETIRED, canonical(left))
    safe.destroy(key.stem + key.role.ending)


def held(safe: Safe) -> tuple[Key, ...]:
    """Every key of the safe, by role and number, each well-formed. A number that is missing below a larger one is an error.

    Raises:
        Misconfigured: SITE_KEY_MISSING, SITE_KEY_UNSAFE, SITE_KEY_INVALID, each with the place.
        Conflict: OBJECT_ALTERED: somebody has changed what a retired key left.
    """
    names = safe.names()
    numbers: dict[Role, set[int]] = {role: set() for role in Role}
    for name in names:
        if (found := _NAME.fullmatch(name)) and name in _spellings(role := Role(found["role"]), found["number"]):
            numbers[role].add(int(found["number"] or 1))
    return tuple(
        _read(safe, names, role, number) for role in Role for number in range(1, max(numbers[role], default=0) + 1)
    )


def _stem(role: Role, number: int) -> str:
    return role.value if number == 1 else f"{role.value}-{number}"


def _spellings(role: Role, number: str | None) -> Sequence[str]:
    name = _stem(role, int(number or 1))
    return name + role.ending, name + RETIRED


def _read(safe: Safe, names: frozenset[str], role: Role, number: int) -> Key:
    name = _stem(role, number)
    retired, secret = name + RETIRED, name + role.ending
    place = f"{safe.place}/{retired if retired in names else secret}"
    if not {retired, secret} & names:
        raise key_missing(place)
    try:
        if retired in names:
            left = read(_Left, safe.read(retired), name=place)
            return Key(role, number, left.created_at, left.public, left.fingerprint, None, left.retired_at)
        text = safe.read(secret)
        return _key(role, number, _created_at(text), _read_secret(role, text))
    except ValueError as error:
        raise Misconfigured(
            Code.SITE_KEY_INVALID, f"{place} holds no usable key: {error}.", next_step="restore it from its backup."
        ) from None


def _key(role: Role, number: int, at: datetime | None, secret: Secret) -> Key:
    public = _public(secret)
    return Key(role, number, at, public, _fingerprint(secret, public), secret)


def _public(secret: Secret) -> str:
    match secret:
        case SigningKey():
            return secret.public_pem().decode()
        case MLDSA65PrivateKey():
            public = secret.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return public.decode()
        case Identity():
            return secret.recipient
        case Master():
            return ""


def _fingerprint(secret: Secret, public: str) -> str:
    match secret:
        case SigningKey():
            return secret.id
        case MLDSA65PrivateKey():
            return key_id(secret.public_key())
        case Identity():
            return hashlib.sha256(public.encode()).hexdigest()
        case Master():
            # One way, and under a label that no key of a pseudonym is derived with.
            derive = HKDF(SHA256(), length=32, salt=None, info=b"safeconduct/fingerprint/v1")
            return derive.derive(secret.content).hex()


def _text(key: Key) -> bytes:
    created = f"# created: {key.created_at.isoformat()}\n".encode() if key.created_at else b""
    match key.secret:
        case SigningKey():
            return created + key.secret.secret_pem()
        case MLDSA65PrivateKey():
            return created + key.secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        case Identity():
            return created + identity_text(key.secret)
        case Master():
            return created + key.secret.content.hex().encode() + b"\n"
        case None:
            raise ValueError("a retired key has no secret")


def _read_secret(role: Role, text: bytes) -> Secret:
    match role:
        case Role.SIGNING | Role.LEDGER:
            return read_signing_key(text)
        case Role.SIGNING_MLDSA:
            return _read_mldsa(text)
        case Role.VAULT | Role.QUARANTINE | Role.OPENING:
            return read_identity(text)
        case Role.PSEUDONYM_MASTER:
            return _read_master(text)


def _read_mldsa(pem: bytes) -> MLDSA65PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise ValueError("it is not an unencrypted PKCS #8 PEM file") from None
    if not isinstance(key, MLDSA65PrivateKey):
        raise ValueError("it is not an ML-DSA-65 key")  # noqa: TRY004 (the file is wrong, not the caller's type)
    return key


def read_identity(text: bytes) -> Identity:
    """The one identity of a file as age-keygen writes it. Raises ValueError, which holds nothing of the file."""
    lines = _lines(text)
    if len(lines) != 1:
        raise ValueError("it does not hold exactly one age identity")
    return Identity.of_secret(lines[0].strip())


def identity_text(identity: Identity) -> bytes:
    """The identity as age-keygen writes it."""
    return f"# public key: {identity.recipient}\n{identity.secret}\n".encode()


def _read_master(text: bytes) -> Master:
    lines = _lines(text)
    if len(lines) != 1 or re.fullmatch(r"[0-9a-f]{64}", lines[0]) is None:
        raise ValueError("it is not 64 lower-case hex digits")
    return Master(bytes.fromhex(lines[0]))


def _created_at(text: bytes) -> datetime | None:
    """When the key says that it was made; None where it does not, or in a way that we do not read."""
    found = _CREATED.match(text.decode("ascii", "replace"))
    try:
        at = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None


def _lines(text: bytes) -> list[str]:
    return [line for line in text.decode("ascii", "replace").splitlines() if line.strip() and line[0] != "#"]

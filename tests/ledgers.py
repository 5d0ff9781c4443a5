"""Ledgers for tests: both stores in one folder, so that one interrupted store stands behind both."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipeline.edges.ledger import Ledger
from pipeline.edges.signing import SigningKey
from pipeline.edges.storage import BLOCK_BYTES, Listed, Store, already_there, checked, missing

ORIGIN = "safeconduct/test"


def signing_key(seed: int) -> SigningKey:
    """The same key each time it is asked for."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


@dataclass(frozen=True)
class Known:
    """A witness as a line of witnesses.txt names it."""

    partner: str
    vkey: str


@dataclass(frozen=True)
class Keys:
    """What a ledger needs of a keyring."""

    ledger: SigningKey = field(default_factory=lambda: signing_key(1))
    older: tuple[SigningKey, ...] = ()
    known: tuple[Known, ...] = ()

    @property
    def ledger_publics(self) -> tuple[Ed25519PublicKey, ...]:
        return tuple(key.public for key in (self.ledger, *self.older))

    def witnesses(self) -> tuple[Known, ...]:
        return self.known


KEYS = Keys()


@dataclass(frozen=True)
class Below:
    """A folder of a store, every call of which goes through the store itself: what counts calls there, counts all."""

    whole: Store
    prefix: str

    @property
    def url(self) -> str:
        return f"{self.whole.url}/{self.prefix}"

    def within(self, prefix: str) -> "Below":
        return Below(self.whole, f"{self.prefix}/{prefix}")

    def put_new(self, key: str, content: bytes) -> None:
        self.whole.put_new(f"{self.prefix}/{key}", content)

    def find(self, key: str) -> bytes | None:
        return self.whole.find(f"{self.prefix}/{key}")

    def blocks(self, key: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        return self.whole.blocks(f"{self.prefix}/{key}", block_bytes=block_bytes)

    def exists(self, key: str) -> bool:
        return self.whole.exists(f"{self.prefix}/{key}")

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        for listed in self.whole.listing(f"{self.prefix}/{prefix}"):
            yield replace(listed, key=listed.key.removeprefix(f"{self.prefix}/"))

    def destroy(self, key: str) -> None:
        self.whole.destroy(f"{self.prefix}/{key}")


@dataclass(frozen=True)
class Memory:
    """A store of this process, which keeps what every store promises: for tests that make thousands of them."""

    objects: dict[str, bytes] = field(default_factory=dict)
    url: str = "memory:"

    def within(self, prefix: str) -> Below:
        return Below(self, prefix)

    def put_new(self, key: str, content: bytes) -> None:
        if self.objects.setdefault(checked(key), content) != content:
            raise already_there(self.url, key)

    def find(self, key: str) -> bytes | None:
        return self.objects.get(checked(key))

    def blocks(self, key: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        if key not in self.objects:
            raise missing(self.url, key)
        yield self.objects[key]

    def exists(self, key: str) -> bool:
        return checked(key) in self.objects

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        start = f"{prefix.removesuffix('/')}/" if prefix else ""
        for key in sorted(key for key in list(self.objects) if key.startswith(start)):
            yield Listed(key, len(self.objects[key]), datetime(2026, 11, 21, tzinfo=UTC))

    def destroy(self, key: str) -> None:
        self.objects.pop(checked(key), None)


def ledger_in(store: Store, keys: Keys = KEYS, origin: str = ORIGIN) -> Ledger:
    """The ledger whose two stores are in this one."""
    return Ledger(Below(store, "private"), Below(store, "public"), keys, origin)

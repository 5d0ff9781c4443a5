"""Where do objects live, and what does every store promise?

A store holds objects: bytes under a key. It has one writing verb, `put_new`, which only creates, so that a retry, a
race and a crash all have the same answer. `file://` and `s3://` stores keep one contract: `tests/edges/test_storage.py`.

A key is a relative path of portable ASCII parts ("releases/us-eu-pnr/manifest.json"). Partners name their files as they
like: every other byte of a foreign name is written %XX in its key, so that any file that can be named can be read, and
no key can carry a control character, a second spelling or a way out of the store. No part begins with a dot and no key
ends like a file that is still being written: what a listing must hide can't be put.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes, urlsplit

from pipeline.core.errors import Code, Conflict, Misconfigured, Unavailable

KEY_MAX_BYTES = 1024
"""S3's limit for an object's name; the local store keeps it too, so that a site can move."""

PART_MAX_BYTES = 255
"""The limit of Linux file systems for one part of a path (NAME_MAX)."""

PARTS_MAX = 32
"""A partner who nests folders deeper only hides from us: walking them would cost a file descriptor each."""

BLOCK_BYTES = 1024 * 1024

STILL_WRITING = (".part", ".tmp", ".filepart")
"""Endings that partners' tools give to a file until it is whole (curl and browsers, rsync and editors, WinSCP)."""

_PORTABLE = "=+,@"  # beside letters, digits and "_.-~", which quoting always leaves alone


class AlreadyThere(Conflict):
    """Other bytes are already under this key. They were left as they are."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One object as a listing shows it. `changed_at`: the store's clock, or whatever the writer of a local file set."""

    key: str
    size_bytes: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How to reach an S3 server. What is None comes from boto3's own chain (a role, the environment)."""

    endpoint_url: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)


class Store(Protocol):
    """Objects under keys. Any method raises `Unavailable` when the store does not answer or is full.

    A key that breaks the rules raises `Misconfigured` (KEY_INVALID) before anything is touched, and so do missing
    rights (STORE_FORBIDDEN).
    """

    @property
    def url(self) -> str:
        """Where the store is, without credentials; `open_store` opens it again."""
        ...

    def within(self, prefix: str) -> "Store":
        """The same store seen from below the folder `prefix`."""
        ...

    def put_new(self, key: str, content: bytes) -> None:
        """`content` is under `key`, whole and durable. The same bytes may have been there before: a retry is fine.

        Raises:
            AlreadyThere: other bytes are there; nothing was changed.
        """
        ...

    def find(self, key: str) -> bytes | None:
        """The object's bytes, or None where there is none. For small objects: `blocks` reads large ones."""
        ...

    def blocks(self, key: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        """The object's bytes in order, at most `block_bytes` at a time. Errors come while iterating.

        Raises:
            Conflict: OBJECT_MISSING, on the first block.
            Unavailable: the object ended early or changed while it was read; blocks already taken must not be used.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether an object is under `key`. A folder is not an object."""
        ...

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        """Every whole object below the folder `prefix`, at any depth, in the lexicographic order of the keys.

        An object shows as soon as `put_new` has returned. Names that begin with a dot or end like `STILL_WRITING`,
        symbolic links, and names too long for any key are not shown.
        """
        ...

    def destroy(self, key: str) -> None:
        """Nothing is under `key` any more. Only for landing and raw quarantine, after the outcome is recorded."""
        ...


def open_store(url: str, s3: S3Settings | None = None) -> Store:
    """The store at a `file:///folder` or `s3://bucket/prefix` URL. Nothing is written yet: see `probe`."""
    split = urlsplit(url)
    if split.scheme == "file" and split.netloc in ("", "localhost") and split.path.startswith("/"):
        from pipeline.edges.local_store import LocalStore

        return LocalStore.at(Path(unquote(split.path)))
    if split.scheme == "s3" and split.hostname and "@" not in split.netloc:
        # boto3 takes a third of a second to import, and a local site never needs it.
        from pipeline.edges.s3_store import S3Store

        return S3Store.at(split.netloc, split.path.strip("/"), s3 or S3Settings())
    raise Misconfigured(
        Code.SITE_INVALID,
        "A store's URL is neither file:///folder nor s3://bucket/prefix.",
        next_step="Correct the URL of the store in the site's settings; credentials do not belong into it.",
    )


def probe(store: Store) -> None:
    """The store was seen to keep its promise: it refused to replace an object. Leaves `probe/create-only` behind.

    Raises:
        Misconfigured: STORE_UNSAFE: the store would overwrite what was published.
    """
    key = "probe/create-only"
    store.put_new(key, b"first\n")
    try:
        store.put_new(key, b"second\n")
    except AlreadyThere:
        if store.find(key) == b"first\n" and store.exists(key):
            return
    raise Misconfigured(
        Code.STORE_UNSAFE,
        f"The store {store.url} let a second write replace an object.",
        next_step="Use a file system with hard links, or an S3 server that honours If-None-Match on PutObject.",
    )


def checked(key: str) -> str:
    """`key`, which keeps the rules of this module's docstring.

    Raises:
        Misconfigured: KEY_INVALID.
    """
    if not is_key(key):
        raise unspeakable(key)
    return key


def is_key(key: str) -> bool:
    """Whether `key` keeps the rules of this module's docstring."""
    if not key.isascii() or key.lower().endswith(STILL_WRITING):
        return False
    name = name_of(key)
    parts = name.split(b"/")
    return (
        key_of(name) == key  # one spelling only: no "%2E%2E", no "%2F"
        and b"\0" not in name
        and len(name) <= KEY_MAX_BYTES
        and len(parts) <= PARTS_MAX
        and all(part and not part.startswith(b".") and len(part) <= PART_MAX_BYTES for part in parts)
    )


def below(prefix: str, key: str) -> str:
    """`key`, checked, as seen from above the folder `prefix`."""
    return checked(f"{prefix}/{key}" if prefix else key)


def folder(prefix: str, within: str) -> str:
    """The folder `within` below `prefix`; either may be "", and one closing slash is fine."""
    trimmed = within.removesuffix("/")
    return below(prefix, trimmed) if trimmed else prefix


def key_of(name: bytes) -> str:
    """The key that says the stored name `name`. Not every name has a valid key: see `is_key`."""
    return quote_from_bytes(name, safe="/" + _PORTABLE)


def name_of(key: str) -> bytes:
    """The stored name that `key` says: the inverse of `key_of`."""
    return unquote_to_bytes(key)


def same_bytes(blocks: Iterable[bytes], content: bytes) -> bool:
    """Whether `blocks`, one after another, are exactly `content`."""
    rest = memoryview(content)
    for block in blocks:
        if rest[: len(block)] != block:
            return False
        rest = rest[len(block) :]
    return not rest


def unspeakable(key: str) -> Misconfigured:
    """The error for a key that breaks the rules."""
    return Misconfigured(
        Code.KEY_INVALID,
        f"{key[:80]!a} can't name an object.",
        next_step="Use a relative path of letters, digits and _.-~=+,@ with no part that begins with a dot.",
    )


def already_there(url: str, key: str) -> AlreadyThere:
    """The error for other bytes under `key`."""
    return AlreadyThere(
        Code.OBJECT_DIFFERS,
        f"{url}/{key} holds other bytes than the ones to be written. Nothing was changed.",
        next_step="Compare both: one of two truths is wrong. Published objects are never replaced.",
    )


def missing(url: str, key: str) -> Conflict:
    """The error for an object that must be there."""
    return Conflict(
        Code.OBJECT_MISSING,
        f"{url}/{key} is not there.",
        next_step="Find out who removed it; restore it from a backup, or replay the delivery that made it.",
    )


def cut_short(url: str, key: str) -> Unavailable:
    """The error for an object that ended early or changed under the reader."""
    return Unavailable(
        Code.STORAGE_UNAVAILABLE,
        f"{url}/{key} ended early or changed while it was read.",
        next_step="Wait until its writer is done; the next try reads it from the start.",
    )

"""Objects as files below one folder: the embedded default, for a site on one machine.

`put_new` writes a temporary file, syncs it, links it to its name (the kernel lets one writer win) and syncs the folder:
a crash at any point leaves the whole object or none. Every part of a path is opened relative to the one before it and
never through a symbolic link, so that nothing that a partner puts below landing leads a reader or writer elsewhere.
"""

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.core.errors import Code, Misconfigured, SafeconductError, Unavailable
from pipeline.edges.storage import (
    BLOCK_BYTES,
    Listed,
    already_there,
    below,
    cut_short,
    folder,
    is_key,
    key_of,
    missing,
    name_of,
    same_bytes,
)

TEMPORARIES = b".safeconduct-partial"
"""The folder of unfinished files, in the store's root: the same file system, and hidden from every listing."""

TEMPORARY_MAX_AGE_SECONDS = 24 * 3600
"""Older ones were left by a killed writer: no write takes a day."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # NONBLOCK: a partner's FIFO must not hold us
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LocalStore:
    """The files below `root`, seen from `prefix`. The root is real: a missing one may be a disk that is not mounted."""

    root: Path
    prefix: str = ""

    @classmethod
    def at(cls, root: Path) -> "LocalStore":
        """The store in an existing folder, swept of what killed writers left."""
        if not root.is_dir():
            raise Misconfigured(
                Code.SITE_MISSING,
                f"The storage folder {root} does not exist.",
                next_step="Mount its disk, or make the folder (mode 0700) if this is a new site.",
            )
        store = cls(root.resolve())
        store._sweep()
        return store

    @property
    def url(self) -> str:
        return self.root.as_uri() + (f"/{self.prefix}" if self.prefix else "")

    def within(self, prefix: str) -> "LocalStore":
        return LocalStore(self.root, folder(self.prefix, prefix))

    def put_new(self, key: str, content: bytes) -> None:
        with self._told(key), self._folder_of(key, make=True) as (parent, name):
            if not _exists(parent, name) and self._linked(parent, name, content):
                return
            found = _open_file(parent, name)
            if found is None:
                raise already_there(self.url, key)  # a folder, a FIFO: no object, but in its place
            with os.fdopen(found, "rb") as file:
                if not same_bytes(iter(lambda: file.read(BLOCK_BYTES), b""), content):
                    raise already_there(self.url, key)
            os.fsync(parent)  # the writer that linked it may have died before its own sync

    def find(self, key: str) -> bytes | None:
        with self._told(key), self._open(key) as found:
            return None if found is None else b"".join(_blocks(found, BLOCK_BYTES, self.url, key))

    def blocks(self, key: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        with self._told(key), self._open(key) as found:
            if found is None:
                raise missing(self.url, key)
            yield from _blocks(found, block_bytes, self.url, key)

    def exists(self, key: str) -> bool:
        with self._told(key), self._open(key) as found:
            return found is not None

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        start = name_of(folder(self.prefix, prefix))
        seen_from = f"{self.prefix}/" if self.prefix else ""
        with self._told(prefix):
            try:
                opened = _descend(self.root, start.split(b"/") if start else [], make=False)
            except FileNotFoundError:
                return
            for listed in _walk(opened, start):
                yield replace(listed, key=listed.key.removeprefix(seen_from))

    def destroy(self, key: str) -> None:
        absent = suppress(FileNotFoundError, IsADirectoryError)
        with self._told(key), absent, self._folder_of(key, make=False) as (parent, name):
            os.unlink(name, dir_fd=parent)
            os.fsync(parent)

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """No OSError leaves: each becomes the error that says who acts."""
        try:
            yield
        except OSError as error:
            raise _explained(error, f"{self.url}/{key}".rstrip("/")) from None

    @contextmanager
    def _folder_of(self, key: str, *, make: bool) -> Iterator[tuple[int, bytes]]:
        *parts, name = name_of(below(self.prefix, key)).split(b"/")
        parent = _descend(self.root, parts, make=make)
        try:
            yield parent, name
        finally:
            os.close(parent)

    @contextmanager
    def _open(self, key: str) -> Iterator[int | None]:
        """The file descriptor of an object, or None where there is none."""
        try:
            with self._folder_of(key, make=False) as (parent, name):
                found = _open_file(parent, name)
        except FileNotFoundError:
            found = None
        try:
            yield found
        finally:
            if found is not None:
                os.close(found)

    def _linked(self, parent: int, name: bytes, content: bytes) -> bool:
        """`content` is durable under `name`, or another writer was first and nothing of ours is left."""
        temporaries = _descend(self.root, [TEMPORARIES], make=True)
        temporary = secrets.token_hex(16).encode()
        try:
            _write_synced(temporaries, temporary, content)
            os.link(temporary, name, src_dir_fd=temporaries, dst_dir_fd=parent, follow_symlinks=False)
            os.fsync(parent)
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=temporaries)
            os.close(temporaries)
        return True

    def _sweep(self) -> None:
        with self._told(""):
            try:
                temporaries = _descend(self.root, [TEMPORARIES], make=False)
            except FileNotFoundError:
                return
            try:
                with os.scandir(temporaries) as entries:
                    for entry in entries:
                        with suppress(FileNotFoundError):  # its writer finished meanwhile
                            age = time.time() - os.stat(entry.name, dir_fd=temporaries, follow_symlinks=False).st_mtime
                            if age > TEMPORARY_MAX_AGE_SECONDS:
                                os.unlink(entry.name, dir_fd=temporaries)
            finally:
                os.close(temporaries)


def _descend(root: Path, parts: list[bytes], *, make: bool) -> int:
    """The descriptor of the folder `parts` below `root`, each part made and synced where missing and `make` says so."""
    try:
        here = os.open(root, _FOLDER)
    except FileNotFoundError:
        # Never "nothing is there": a disk that went away must not look like an empty store.
        raise Unavailable(
            Code.STORAGE_UNAVAILABLE,
            f"The storage folder {root} is gone.",
            next_step="Mount its disk again, then rerun.",
        ) from None
    try:
        for part in parts:
            inner = _enter(here, part, make=make)
            os.close(here)
            here = inner
    except BaseException:
        os.close(here)
        raise
    return here


def _enter(parent: int, name: bytes, *, make: bool) -> int:
    """The descriptor of the folder `name`. A file in its place counts as no folder; a symbolic link is refused."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, "a symbolic link") from None
        if make:
            raise
        raise FileNotFoundError(errno.ENOENT, "a file") from None
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):  # another writer was faster
        os.mkdir(name, 0o700, dir_fd=parent)
    os.fsync(parent)
    return os.open(name, _FOLDER, dir_fd=parent)


def _write_synced(parent: int, name: bytes, content: bytes) -> None:
    with os.fdopen(os.open(name, _CREATE, 0o600, dir_fd=parent), "wb", buffering=0) as file:
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _exists(parent: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _open_file(parent: int, name: bytes) -> int | None:
    """The descriptor of the regular file `name`, or None where it is anything else."""
    try:
        found = os.open(name, _READ, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            return None
        raise
    if stat.S_ISREG(os.fstat(found).st_mode):
        return found
    os.close(found)
    return None


def _blocks(found: int, block_bytes: int, url: str, key: str) -> Iterator[bytes]:
    before = os.fstat(found)
    rest = before.st_size
    while rest and (block := os.read(found, min(rest, block_bytes))):
        rest -= len(block)
        yield block
    after = os.fstat(found)
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns) or rest:
        raise cut_short(url, key)


def _walk(opened: int, above: bytes) -> Iterator[Listed]:
    """What is below the open folder, closed at the end. A folder sorts as its keys do: with a slash behind it."""
    try:
        with os.scandir(opened) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        named = sorted((key_of(os.fsencode(name)) + "/" * is_folder, name, is_folder) for name, is_folder in found)
        for _, name, is_folder in named:
            path = above + b"/" * bool(above) + os.fsencode(name)
            try:
                if is_folder and is_key(key_of(path + b"/x")):
                    yield from _walk(os.open(name, _FOLDER, dir_fd=opened), path)
                elif not is_folder and is_key(key_of(path)):
                    seen = os.stat(name, dir_fd=opened, follow_symlinks=False)
                    if stat.S_ISREG(seen.st_mode):
                        yield Listed(key_of(path), seen.st_size, _instant(seen.st_mtime_ns))
            except FileNotFoundError:
                continue  # its writer moved or removed it meanwhile
    finally:
        os.close(opened)


def _instant(nanoseconds: int) -> datetime:
    """The time of a file, which anybody may have set to anything: brought into the years that Python can say."""
    try:
        return min(max(_EPOCH + timedelta(microseconds=nanoseconds // 1000), _EPOCH), _LAST)
    except OverflowError:
        return _LAST if nanoseconds > 0 else _EPOCH


def _explained(error: OSError, where: str) -> SafeconductError:
    """The error that says who acts. `error` itself is dropped."""
    reason = errno.errorcode.get(error.errno or 0, "unknown")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        next_step = "Free space or raise the quota, then run again; nothing was left half written."
        return Unavailable(Code.STORAGE_FULL, f"There is no room to write {where} ({reason}).", next_step=next_step)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        next_step = "Give this user read, write and hard-link rights there, on a writable file system."
        return Misconfigured(Code.STORE_FORBIDDEN, f"{where} does not let us in ({reason}).", next_step=next_step)
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EXDEV, errno.EISDIR, errno.ENAMETOOLONG):
        next_step = "Use real folders on one file system below a store: no symbolic links, files or mounts on the way."
        return Misconfigured(Code.STORE_UNSAFE, f"{where} can't be reached safely ({reason}).", next_step=next_step)
    next_step = "Look at the disk and its mount; the next try starts afresh."
    return Unavailable(Code.STORAGE_UNAVAILABLE, f"{where} did not answer ({reason}).", next_step=next_step)

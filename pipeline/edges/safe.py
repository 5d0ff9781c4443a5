"""Where are the site's own secrets, and who can read them?

A safe holds small secrets under names, as `vault-2.txt`. Like a store it has one writing verb, `put_new`, which only
creates: a race, a crash and a second try leave the first secret in place. Files of the site, 0600, are the default;
OpenBao is the other (`openbao.py`). Both keep one contract: `tests/edges/test_safe.py`.
"""

import errno
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.core.errors import Code, Misconfigured, Unavailable


class Safe(Protocol):
    """Secrets under names. Every method raises `Unavailable` where the safe does not answer."""

    @property
    def place(self) -> str:
        """Where the safe is: for messages, and without anything secret."""
        ...

    def names(self) -> frozenset[str]:
        """The names of all that is in it; none where it is still empty."""
        ...

    def read(self, name: str) -> bytes:
        """The secret.

        Raises:
            Misconfigured: SITE_KEY_MISSING, SITE_KEY_UNSAFE, each with the place.
        """
        ...

    def put_new(self, name: str, content: bytes) -> bool:
        """A secret is under the name, whole and durable; False where one was there before, which stays as it was."""
        ...

    def destroy(self, name: str) -> None:
        """No secret is under the name any more."""
        ...


@dataclass(frozen=True, slots=True)
class Files:
    """Files for their owner alone (0600), in a folder for its owner alone (0700)."""

    directory: Path

    @property
    def place(self) -> str:
        return str(self.directory)

    def names(self) -> frozenset[str]:
        check_private(self.directory)
        try:
            return frozenset(path.name for path in self.directory.iterdir() if not path.name.startswith("."))
        except OSError as error:
            raise _unreadable(self.directory, error) from None

    def read(self, name: str) -> bytes:
        return read_private(self.directory / name)

    def put_new(self, name: str, content: bytes) -> bool:
        return put_new_file(self.directory / name, content, mode=0o600)

    def destroy(self, name: str) -> None:
        try:
            (self.directory / name).unlink(missing_ok=True)
            _sync_directory(self.directory)
        except OSError as error:
            raise _unwritable(self.directory / name, error) from None


def read_private(path: Path) -> bytes:
    """The content of a file that nobody but its owner can read."""
    check_private(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def check_private(path: Path) -> None:
    """Nobody but its owner can read or change what is at the path."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        wanted = "700" if stat.S_ISDIR(mode) else "600"
        raise Misconfigured(Code.SITE_KEY_UNSAFE, f"{path} is open to other users.", next_step=f"chmod {wanted} {path}")


def make_private_directory(path: Path) -> None:
    """The directory is there: for this user only when it is new, else as it was."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def put_new_file(path: Path, content: bytes, *, mode: int) -> bool:
    """The file is there, whole: with this content when it was missing, else as it was, and then False."""
    if path.exists():
        return False
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        made = False
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(temporary, path)
                made = True
        finally:
            Path(temporary).unlink()
        _sync_directory(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    return made


def key_missing(place: str) -> Misconfigured:
    """The error for a key of the site that is not where it was."""
    return Misconfigured(
        Code.SITE_KEY_MISSING,
        f"{place} is missing.",
        next_step="restore it from its backup; only for a new site, create it with `safeconduct init`.",
    )


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unreadable(path: Path, error: OSError) -> Misconfigured:
    if isinstance(error, FileNotFoundError):
        return key_missing(str(path))
    return Misconfigured(
        Code.SITE_KEY_MISSING,
        f"{path} cannot be read: {error.strerror}.",
        next_step="let the user that runs this own the file.",
    )


def _unwritable(path: Path, error: OSError) -> Unavailable:
    code = Code.STORAGE_FULL if error.errno == errno.ENOSPC else Code.STORAGE_UNAVAILABLE
    return Unavailable(
        code, f"{path} cannot be written: {error.strerror}.", next_step="free or open its directory, then rerun."
    )

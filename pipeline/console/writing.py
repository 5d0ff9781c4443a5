"""Files that a command writes for its user alone."""

import os
from pathlib import Path

from pipeline.core.errors import Code, Misconfigured


def make_private(folder: Path) -> None:
    """The folder is there; a new one is for its owner alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from None


def write_private(path: Path, content: bytes) -> None:
    """The file holds the content, whole, for its owner alone."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        unfinished.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> Misconfigured:
    return Misconfigured(
        Code.STORE_FORBIDDEN,
        f"{path} cannot be written: {error.strerror}.",
        next_step="name a folder that you may write to: --out DIR.",
    )

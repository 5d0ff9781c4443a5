"""Which version of an agreement does somebody mean: a file, a file as it was in git, or an id?"""

import io
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipeline.console.agreement import version_of
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.agreement import Agreement

if TYPE_CHECKING:
    from pipeline.edges.catalogue import Catalogue

_GIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Named:
    """A version of an agreement, and the catalogue that it leans on."""

    agreement: Agreement
    catalogue: "Catalogue"


def named(text: str, default: "Callable[[], Catalogue]") -> Named:
    """The version that `text` means: FILE, REV:FILE, ID or ID@VERSION; `default` is the catalogue of ids and stray files.

    Raises:
        Misconfigured: there is none, or it cannot be read.
    """
    path = Path(text)
    if path.is_file():
        root = path.resolve().parent.parent
        own = path.resolve().parent.name == "agreements" and (root / "feeds").is_dir()
        return Named(_read(path.read_bytes(), text), _loaded(root) if own else default())
    if ":" in text:
        revision, _, file = text.partition(":")
        place = PurePosixPath(file)
        own = place.parent.name == "agreements"
        content = _git("show", f"{revision}:{file}", named_as=text)
        return Named(_read(content, text), catalogue_named(f"{revision}:{place.parent.parent}") if own else default())
    id, at, number = text.partition("@")
    if path.suffix == ".toml" or (at and not number.isdecimal()):
        raise _not_found(text)
    return Named(version_of(default(), id, int(number) if at else None), default())


def catalogue_named(text: str) -> "Catalogue":
    """The catalogue in the folder, or in the folder of a revision of git: REV:FOLDER."""
    if Path(text).is_dir() or ":" not in text:
        return _loaded(Path(text).resolve())
    revision, _, folder = text.partition(":")
    tree = revision if folder in ("", ".") else f"{revision}:{folder.strip('/')}"
    packed = _git("archive", "--format=tar", tree, named_as=text)
    with tempfile.TemporaryDirectory(prefix="safeconduct-catalogue-") as temporary:
        _unpack(packed, Path(temporary).resolve())
        return _loaded(Path(temporary))


def _loaded(root: Path) -> "Catalogue":
    from pipeline.edges.catalogue import load

    return load(root)


def _read(content: bytes, name: str) -> Agreement:
    try:
        return Agreement.model_validate(tomllib.loads(content.decode()))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where, what = ".".join(map(str, fault["loc"])) or "file", fault["msg"].removeprefix("Value error, ")
    except (ValueError, RecursionError):
        where, what = "file", "is not TOML that can be read"
    raise Misconfigured(
        Code.CATALOGUE_INVALID,
        f"{name}: {where}: {what}.",
        next_step="correct the file; in a catalogue, `safeconduct check` names the line.",
    )


def _git(command: str, *arguments: str, named_as: str) -> bytes:
    """What git says, in the repository of this folder."""
    if named_as.startswith("-"):
        raise _not_found(named_as)
    try:
        top = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"],  # noqa: S607
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
        folder = top.stdout.decode().strip()
        done = subprocess.run(  # noqa: S603
            ["git", "-C", folder, command, *arguments],  # noqa: S607
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        raise _not_found(named_as) from None
    return done.stdout


def _unpack(packed: bytes, folder: Path) -> None:
    """The TOML files of the archive, and nothing else of it."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            path = (folder / member.name).resolve()
            content = archive.extractfile(member) if member.isfile() else None
            if content and path.suffix == ".toml" and path.is_relative_to(folder):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


def _not_found(name: str) -> Misconfigured:
    return Misconfigured(
        Code.NOT_FOUND,
        f"there is no {name!a} here.",
        next_step="name a file, a file of a revision of git (HEAD~1:catalogue/agreements/x.toml), an id, or id@2.",
    )

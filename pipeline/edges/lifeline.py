"""Processes that end with their parent and leave nothing behind.

Run as a file, in front of a command; it needs the standard library alone, so a restart costs little.

    lifeline.py turn NAME [--after URL] -- COMMAND...   become COMMAND, when it is its turn
    lifeline.py keep [--parent PID] -- COMMAND...       run COMMAND; when it or our parent ends, end all of the site

Two marks in the environment say whose a process is: a component that was killed leaves workers behind that wait for
ever, and a process group does not hold them all, since Airflow gives each task a group of its own.
"""

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

SITE_MARK = "SAFECONDUCT_SUPERVISED"
COMPONENT_MARK = "SAFECONDUCT_COMPONENT"
KEEPER = "keeper"
_PR_SET_PDEATHSIG = 1


def marked(**marks: str) -> Iterator[int]:
    """The processes, other than this one, whose environment holds every one of these marks."""
    wanted = {f"{name}={value}".encode() for name, value in marks.items()}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # it has ended, or belongs to somebody else
        if wanted <= set(environment.split(b"\0")):
            yield int(entry.name)


def end_all(*, grace_seconds: float, **marks: str) -> None:
    """No process with these marks is left, other than this one: asked first, then killed."""
    asked: set[int] = set()
    deadline = time.monotonic() + grace_seconds
    while pids := set(marked(**marks)):
        if time.monotonic() < deadline:
            _send(signal.SIGTERM, pids - asked)
            asked |= pids
        else:
            _send(signal.SIGKILL, pids)
        time.sleep(0.1)


def end_with_parent(parent: int) -> None:
    """The kernel sends this process SIGTERM when its parent is gone, however the parent ended. Survives exec."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        sys.exit("the parent ended before this process began")


def wait_for(url: str) -> None:
    """The address has answered once."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with direct.open(url, timeout=120):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)


def turn(name: str, after: str | None, command: list[str]) -> None:
    """This process is COMMAND, alone of its name, and what it needs has answered."""
    end_with_parent(os.getppid())
    end_all(grace_seconds=5, **{SITE_MARK: os.environ[SITE_MARK], COMPONENT_MARK: name})
    if after:
        wait_for(after)
    os.execve(command[0], command, {**os.environ, COMPONENT_MARK: name})  # noqa: S606 - our own supervisor wrote it


def keep(command: list[str], *, parent: int | None) -> int:
    """COMMAND has ended, and with it every process of the site."""
    if parent is not None:
        end_with_parent(parent)
    children: list[subprocess.Popen[bytes]] = []
    asked_to_end = False

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_end
        asked_to_end = True
        for child in children:
            child.terminate()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    children.append(subprocess.Popen(command))  # noqa: S603 - our own supervision wrote it
    if asked_to_end:
        children[0].terminate()
    code = children[0].wait()
    end_all(grace_seconds=3, **{SITE_MARK: os.environ[SITE_MARK]})
    return code


def _send(number: signal.Signals, pids: set[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def main() -> int:
    arguments = argparse.ArgumentParser()
    verbs = arguments.add_subparsers(dest="verb", required=True)
    for verb in (verbs.add_parser("turn"), verbs.add_parser("keep")):
        if verb.prog.endswith("turn"):
            verb.add_argument("name")
            verb.add_argument("--after", metavar="URL")
        else:
            verb.add_argument("--parent", type=int)
        verb.add_argument("command", nargs="+")
    asked = arguments.parse_args()
    if asked.verb == "turn":
        turn(asked.name, asked.after, asked.command)
    return keep(asked.command, parent=asked.parent)


if __name__ == "__main__":
    sys.exit(main())

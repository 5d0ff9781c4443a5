"""Processes that end with their parent and leave nothing behind, proven on real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.edges import lifeline

SLEEPER = [sys.executable, "-c", "import time; time.sleep(300)"]
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(300)
"""
LEAVES_A_WORKER = [
    sys.executable,
    "-c",
    f"import subprocess, time; subprocess.Popen({SLEEPER!r}, start_new_session=True); time.sleep(300)",
]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The mark of a site of this test alone; nothing of it is left afterwards."""
    mark = str(tmp_path)
    yield mark
    lifeline.end_all(grace_seconds=0, **{lifeline.SITE_MARK: mark})


def begin(site: str, *command: str, **marks: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, lifeline.SITE_MARK: site, **marks}
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)


def alive(site: str, count: int, *, seconds: float = 10) -> bool:
    """Whether there come to be exactly this many processes of the site."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(set(lifeline.marked(**{lifeline.SITE_MARK: site}))) == count:
            return True
        time.sleep(0.05)
    return False


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def through_lifeline(*arguments: str) -> list[str]:
    return [sys.executable, lifeline.__file__, *arguments]


def test_a_process_is_known_by_its_mark_and_by_nothing_else(site: str) -> None:
    ours, other = begin(site, *SLEEPER), begin(f"{site}-other", *SLEEPER)
    try:
        assert alive(site, 1)
        assert set(lifeline.marked(**{lifeline.SITE_MARK: site})) == {ours.pid}
    finally:
        for process in (ours, other):
            process.kill()
            process.wait()


def test_a_process_that_ended_is_not_there_although_its_parent_has_not_noticed(site: str) -> None:
    process = begin(site, *SLEEPER)
    assert alive(site, 1)
    process.kill()
    assert alive(site, 0)
    process.wait()


def test_end_all_asks_first_and_then_kills(site: str) -> None:
    ready = Path(site) / "ready"
    polite, stubborn = begin(site, *SLEEPER), begin(site, sys.executable, "-c", STUBBORN, str(ready))
    assert alive(site, 2)
    wait_for(ready)
    began = time.monotonic()
    lifeline.end_all(grace_seconds=1, **{lifeline.SITE_MARK: site})
    assert 1 <= time.monotonic() - began < 5
    assert (polite.wait(), stubborn.wait()) == (-signal.SIGTERM, -signal.SIGKILL)


def test_a_turn_ends_what_an_earlier_one_left_and_spares_its_neighbours(site: str) -> None:
    left = begin(site, *SLEEPER, **{lifeline.COMPONENT_MARK: "scheduler"})
    neighbour = begin(site, *SLEEPER, **{lifeline.COMPONENT_MARK: "triggerer"})
    assert alive(site, 2)
    done = subprocess.run(
        through_lifeline("turn", "scheduler", "--", sys.executable, "-c", "print('my turn')"),
        env={**os.environ, lifeline.SITE_MARK: site},
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == b"my turn\n"
    assert left.wait(timeout=10) == -signal.SIGTERM
    assert neighbour.poll() is None


def test_a_turn_ends_when_its_parent_is_killed(site: str) -> None:
    began = Path(site) / "began"
    command = [sys.executable, "-c", f"import pathlib, time; pathlib.Path({str(began)!r}).touch(); time.sleep(300)"]
    code = f"import subprocess; subprocess.run({through_lifeline('turn', 'scheduler', '--', *command)!r})"
    parent = begin(site, sys.executable, "-c", code)
    wait_for(began)
    parent.kill()
    parent.wait()
    assert alive(site, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_keeper_that_is_told_to_end_leaves_nothing_not_even_a_session_of_its_own(
    site: str, number: signal.Signals
) -> None:
    keeper = begin(site, *through_lifeline("keep", "--", *LEAVES_A_WORKER))
    assert alive(site, 3)
    keeper.send_signal(number)
    keeper.wait(timeout=20)
    assert alive(site, 0, seconds=1)


def test_a_keeper_ends_everything_when_its_command_ends_by_itself(site: str) -> None:
    code = f"import subprocess; subprocess.Popen({SLEEPER!r}, start_new_session=True)"
    keeper = begin(site, *through_lifeline("keep", "--", sys.executable, "-c", code))
    assert keeper.wait(timeout=20) == 0
    assert alive(site, 0, seconds=1)


def test_a_keeper_ends_everything_when_its_parent_is_killed(site: str) -> None:
    keep = [through_lifeline("keep", "--parent"), ["--", *LEAVES_A_WORKER]]
    code = f"import os, subprocess; subprocess.run([*{keep[0]!r}, str(os.getpid()), *{keep[1]!r}])"
    parent = begin(site, sys.executable, "-c", code)
    assert alive(site, 4)
    parent.kill()
    parent.wait()
    assert alive(site, 0)


def test_a_keeper_whose_parent_ended_before_it_began_starts_nothing(site: str) -> None:
    gone = begin(site, sys.executable, "-c", "")
    gone.wait()
    marker = Path(site) / "began"
    command = [sys.executable, "-c", f"import pathlib; pathlib.Path({str(marker)!r}).touch()"]
    keeper = begin(site, *through_lifeline("keep", "--parent", str(gone.pid), "--", *command))
    assert keeper.wait(timeout=20) != 0
    assert not marker.exists()

"""A real Airflow under our supervision: alone on loopback, back when killed, and gone without a trace however we end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.edges import lifeline
from pipeline.edges.supervision import HEALTH, Running, find, is_running, start
from tests.airflow.cockpit import call, until
from tests.seaweed import free_ports

pytestmark = pytest.mark.airflow

FOREGROUND = """
import sys
from pathlib import Path
from pipeline.edges.supervision import supervised
try:
    with supervised(Path(sys.argv[1]), port=int(sys.argv[2]), progress=lambda text: print(text, flush=True)) as airflow:
        print("up", flush=True)
        airflow.wait()
except KeyboardInterrupt:
    print("ended", flush=True)
"""


def processes(site_directory: Path, **marks: str) -> set[int]:
    return set(lifeline.marked(**{lifeline.SITE_MARK: str(site_directory.resolve())}, **marks))


def listening(pids: set[int]) -> set[tuple[str, int]]:
    """Address (as the kernel writes it) and port of each socket on which one of these processes listens."""
    inodes = set()
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def test_nothing_listens_but_the_api_on_loopback(running: Running) -> None:
    port = int(running.url.rpartition(":")[2])
    assert listening(processes(running.site_directory)) == {("0100007F", port)}


def test_every_file_is_for_its_owner_alone(running: Running) -> None:
    home = running.site_directory / "airflow"
    paths = [home, *home.rglob("*")]
    assert any(path.name == "airflow.db" for path in paths)
    open_to_others = [path for path in paths if path.exists() and not path.is_symlink() and path.stat().st_mode & 0o077]
    # What lies in a directory that is closed cannot be reached; the directory of the site's Airflow is.
    assert home not in open_to_others
    secrets = {"airflow.cfg", "keys.json", "passwords.json", "airflow.db", "supervisord.conf"}
    assert not secrets & {path.name for path in open_to_others}


def test_a_second_start_finds_the_first(running: Running) -> None:
    told: list[str] = []
    again = start(running.site_directory, port=1, progress=told.append)
    assert (again.url, again.password, again.started_here) == (running.url, running.password, False)
    assert told == [f"Airflow runs already at {running.url}"]


def test_the_password_is_in_no_log_and_no_command_line(running: Running) -> None:
    secret = running.password.encode()
    for path in (running.site_directory / "airflow").rglob("*.log"):
        assert secret not in path.read_bytes(), path
    for pid in processes(running.site_directory):
        assert secret not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_component_that_is_killed_is_back_and_its_workers_are_gone(running: Running) -> None:
    component = {lifeline.COMPONENT_MARK: "scheduler"}
    before = processes(running.site_directory, **component)
    parents = {pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in before}
    (scheduler,) = (pid for pid, parent in parents.items() if parent not in before)
    os.kill(scheduler, signal.SIGKILL)

    def back() -> bool:
        now = processes(running.site_directory, **component)
        return len(now) >= len(before) and not now & before

    until(back, seconds=120, what="a new scheduler, and none of the old one's workers")

    def healthy() -> bool:
        status, health = call(running.url + HEALTH)
        return status == 200 and health["scheduler"]["status"] == "healthy"

    until(healthy, seconds=120, what="a healthy scheduler")


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "up"),
        (signal.SIGTERM, "Starting Airflow's API server"),
        (signal.SIGHUP, "Starting Airflow's API server"),
        (signal.SIGINT, "Preparing Airflow's database"),
        (signal.SIGKILL, "Starting the scheduler, the DAG processor and the triggerer"),
    ],
)
def test_however_the_foreground_ends_no_process_is_left(
    site_directory: Path, number: signal.Signals, moment: str
) -> None:
    (port,) = free_ports(1)
    foreground = subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, site_directory, str(port)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert foreground.stdout
    for line in foreground.stdout:
        if line.strip() == moment:
            break
    time.sleep(1)
    assert processes(site_directory)
    foreground.send_signal(number)
    rest = foreground.stdout.read() if number is not signal.SIGKILL else ""
    assert foreground.wait(timeout=90) == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    if number is signal.SIGKILL:
        until(lambda: not processes(site_directory), seconds=90, what="the end of every process")
    else:
        assert rest.endswith("ended\n")
    assert processes(site_directory) == set()
    assert not is_running(site_directory)
    assert find(site_directory) is None

"""Airflow for one site: started in order, kept running, and ended without a trace.

`supervisord` runs the components and restarts one that dies; `lifeline.py` makes each wait its turn and end with its
parent. Nothing listens but Airflow's own API, on 127.0.0.1: the supervisor has no control port, it is ended by a
signal. All files are below `SITE/airflow`, for their owner alone.

    with supervised(site_directory, progress=print) as airflow:
        print(airflow.url, airflow.user, airflow.password)
        airflow.wait()
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from pipeline.core.errors import Code, Misconfigured, Unavailable
from pipeline.edges import lifeline
from pipeline.edges.airflow_home import environment_of, home_of, keys_of, mark_of, migrate, write_settings
from pipeline.edges.airflow_settings import ADDRESS, USER, url

PROJECT = Path(__file__).resolve().parents[2]
HEALTH = "/api/v2/monitor/health"
COMPONENTS = ("scheduler", "dag_processor", "triggerer")
_SMALLEST_FREE_BYTES = 300_000_000
_LONGEST_STOP_SECONDS = 45

Progress = Callable[[str], None]
_keepers: dict[Path, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Running:
    """An Airflow that runs, and how to sign in. `started_here` is False when it ran already."""

    site_directory: Path
    url: str
    user: str
    password: str
    started_here: bool

    def __repr__(self) -> str:
        return f"Running({self.url})"

    @property
    def logs(self) -> Path:
        return home_of(self.site_directory) / "supervised"

    def wait(self) -> None:
        """This Airflow has been ended: `stop` from elsewhere, or a signal to us, which raises KeyboardInterrupt."""
        while is_running(self.site_directory):
            time.sleep(0.5)


@contextlib.contextmanager
def supervised(
    site_directory: Path, *, port: int = 8080, progress: Progress, dags_folder: Path = PROJECT / "dags"
) -> Iterator[Running]:
    """Airflow runs inside this block and not after it, whether the block ends, raises, or a signal arrives.

    SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in the block. When this process is killed, its Airflow ends too.
    An Airflow that ran before goes on after the block. For the main thread.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in signals}
    attached = is_running(site_directory)
    try:
        yield start(site_directory, port=port, progress=progress, dags_folder=dags_folder)
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        if not attached:
            stop(site_directory)
        for number, handler in before.items():
            signal.signal(number, handler)


def start(
    site_directory: Path,
    *,
    port: int = 8080,
    progress: Progress,
    dags_folder: Path = PROJECT / "dags",
    parallelism: int = 4,
    detached: bool = False,
    longest_seconds: float = 900,
) -> Running:
    """Every component of this site's Airflow is healthy. The one that ran already is kept.

    Raises Misconfigured when the port is taken, Unavailable when Airflow does not come up.
    """
    home = home_of(site_directory)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    with _alone(home):
        if running := find(site_directory):
            progress(f"Airflow runs already at {running.url}")
            return running
        lifeline.end_all(grace_seconds=3, **mark_of(site_directory))
        _require_free_port(port)
        _require_free_disk(home)
        keys = write_settings(home, dags_folder=dags_folder, port=port, parallelism=parallelism)
        environment = environment_of(site_directory)
        progress("Preparing Airflow's database")
        migrate(home, environment)
        progress("Starting Airflow's API server")
        _keepers[home] = _start_keeper(home, environment, parent=None if detached else os.getpid())
        _await_health(home, port, progress, longest_seconds)
        return Running(site_directory, url(port), USER, keys.password, started_here=True)


def find(site_directory: Path) -> Running | None:
    """The Airflow of this site that runs now."""
    if not is_running(site_directory):
        return None
    home = home_of(site_directory)
    settings = ConfigParser(interpolation=None)
    settings.read(home / "airflow.cfg")
    return Running(site_directory, settings["api"]["base_url"], USER, keys_of(home).password, started_here=False)


def is_running(site_directory: Path) -> bool:
    """True from the start of the supervisor until its last process has ended."""
    return any(lifeline.marked(**mark_of(site_directory), **{lifeline.COMPONENT_MARK: lifeline.KEEPER}))


def stop(site_directory: Path) -> bool:
    """No process of this site's Airflow is left. Returns whether there was one."""
    marks = mark_of(site_directory)
    keepers = list(lifeline.marked(**marks, **{lifeline.COMPONENT_MARK: lifeline.KEEPER}))
    was_running = bool(keepers)
    for pid in keepers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _LONGEST_STOP_SECONDS
    while is_running(site_directory) and time.monotonic() < deadline:
        time.sleep(0.1)
    lifeline.end_all(grace_seconds=3, **marks)
    if keeper := _keepers.pop(home_of(site_directory), None):
        keeper.wait()
    return was_running


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """No second start of this site goes on at the same time: it waits, and then finds the first one's Airflow."""
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _require_free_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            reason = "is in use by another program" if error.errno == errno.EADDRINUSE else "cannot be opened"
            raise Misconfigured(
                Code.PORT_IN_USE,
                f"Port {port} on {ADDRESS} {reason}.",
                next_step="End that program, or choose another: `make run PORT=8090` or `safeconduct up --port 8090`.",
            ) from None


def _require_free_disk(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < _SMALLEST_FREE_BYTES:
        raise Unavailable(
            Code.STORAGE_FULL,
            f"{free // 1_000_000} MB are free below {home}; Airflow needs {_SMALLEST_FREE_BYTES // 1_000_000} MB.",
            next_step="Free some disk space, or choose another directory for the site; then start again.",
        )


def _start_keeper(home: Path, environment: dict[str, str], *, parent: int | None) -> subprocess.Popen[bytes]:
    """The supervisor runs, in a session of its own: Ctrl-C reaches us alone, and we end the components in order."""
    command = [
        *(sys.executable, lifeline.__file__, "keep", *(["--parent", str(parent)] if parent else []), "--"),
        *(sys.executable, lifeline.__file__, "turn", "supervisor", "--"),
        *(sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(home / "supervisord.conf")),
    ]
    with (home / "supervised" / "keeper.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - the command is built above
            command,
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o077,
        )


def _await_health(home: Path, port: int, progress: Progress, longest_seconds: float) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + longest_seconds
    told = False
    while time.monotonic() < deadline and _keepers[home].poll() is None:
        try:
            with direct.open(url(port) + HEALTH, timeout=5) as reply:
                health = json.load(reply)
        except (urllib.error.URLError, OSError, ValueError):
            health = None
        if health and not told:
            progress("Starting the scheduler, the DAG processor and the triggerer")
            told = True
        if health and all(health[name]["status"] == "healthy" for name in COMPONENTS):
            return
        time.sleep(0.5)
    stop(home.parent)
    raise Unavailable(
        Code.STORAGE_UNAVAILABLE,
        "Airflow did not come up.",
        next_step=f"Read the files in {home / 'supervised'}, correct the cause and start again.",
    )

"""The files of one site's Airflow, below `SITE/airflow`: settings, keys, database and logs, for their owner alone."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from pipeline.core.errors import Code, Unavailable
from pipeline.edges import lifeline
from pipeline.edges.airflow_settings import (
    ADDRESS,
    USER,
    AirflowKeys,
    airflow_settings,
    render,
    supervisor_settings,
    url,
)

TASKS_HEALTH = "/execution/health"
"""Of the API that tasks talk to. Its first answer takes seconds, on a busy machine half a minute: nobody starts before."""


def home_of(site_directory: Path) -> Path:
    return site_directory.resolve() / "airflow"


def mark_of(site_directory: Path) -> dict[str, str]:
    return {lifeline.SITE_MARK: str(site_directory.resolve())}


def keys_of(home: Path) -> AirflowKeys:
    path = home / "keys.json"
    if not path.exists():
        _write(path, json.dumps(asdict(AirflowKeys.generate())))
    return AirflowKeys(**json.loads(path.read_text()))


def write_settings(home: Path, *, dags_folder: Path, port: int, parallelism: int) -> AirflowKeys:
    for name in ("supervised", "plugins", "logs"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    keys = keys_of(home)
    _write(home / "passwords.json", json.dumps({USER: keys.password}))
    settings = airflow_settings(home, dags_folder=dags_folder, port=port, parallelism=parallelism, keys=keys)
    _write(home / "airflow.cfg", render(settings))
    _write(
        home / "supervisord.conf", render(supervisor_settings(home, Path(lifeline.__file__), url(port) + TASKS_HEALTH))
    )
    return keys


def _write(path: Path, text: str) -> None:
    """The file holds this text, whole, and its owner alone reads it."""
    new = path.with_suffix(path.suffix + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def environment_of(site_directory: Path) -> dict[str, str]:
    """Ours, without what would change Airflow, Python or validation behind our back."""
    unwanted = ("AIRFLOW", "PYTHON", "PANDERA_", "SUPERVISOR_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    home = home_of(site_directory)
    return {
        **kept,
        **mark_of(site_directory),
        lifeline.COMPONENT_MARK: lifeline.KEEPER,
        "SAFECONDUCT_SITE": str(site_directory.resolve()),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        "NO_PROXY": f"{ADDRESS},localhost",
        "no_proxy": f"{ADDRESS},localhost",
        # Processes change their title; without this the change overwrites the marks above.
        "SPT_NOENV": "1",
        "PYTHONUNBUFFERED": "1",
    }


def migrate(home: Path, environment: dict[str, str]) -> None:
    """The database exists, for its owner alone, in the mode that lets readers and a writer work at the same time."""
    database = home / "airflow.db"
    os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    log_path = home / "supervised" / "migrate.log"
    command = [
        sys.executable,
        lifeline.__file__,
        "turn",
        "migrate",
        "--",
        sys.executable,
        "-m",
        "airflow",
        "db",
        "migrate",
    ]
    with log_path.open("ab") as log:
        done = subprocess.run(  # noqa: S603 - the command is built above
            command,
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            umask=0o077,
            check=False,
        )
    if done.returncode:
        raise Unavailable(
            Code.STORAGE_UNAVAILABLE,
            f"Airflow's database was not prepared (exit code {done.returncode}).",
            next_step=f"Read the end of {log_path}, correct the cause and start again.",
        )

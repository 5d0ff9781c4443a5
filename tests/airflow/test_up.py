"""The demonstration, as a stranger starts it: one command, every sample at its end, and no process left."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.edges import lifeline
from pipeline.edges.supervision import stop
from tests.airflow.cockpit import until
from tests.exchange import FEW, keep_only
from tests.seaweed import free_ports

pytestmark = pytest.mark.airflow

ROOT = Path(__file__).resolve().parents[2]
SAFECONDUCT = [sys.executable, "-c", "from pipeline.cli import main; main()"]
RELEASES = {
    "aeo-mutual-recognition",
    "aeo-statistics",
    "pnr-eu-piu",
    "pnr-police-liaison",
    "us-eu-pnr",
    "us-eu-pnr-border",
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A current folder with a small catalogue; whatever runs for its site is ended afterwards."""
    shutil.copytree(ROOT / "catalogue", tmp_path / "catalogue")
    keep_only(tmp_path / "catalogue", FEW)
    yield tmp_path
    stop(tmp_path / "site")


def safeconduct(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*SAFECONDUCT, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=(folder / "progress").open("a"),
        text=True,
        start_new_session=True,
    )


def processes(folder: Path) -> set[int]:
    return set(lifeline.marked(**{lifeline.SITE_MARK: str((folder / "site").resolve())}))


def test_the_demonstration_runs_to_its_end_and_leaves_nothing_and_a_second_start_goes_on_from_there(
    folder: Path,
) -> None:
    port = str(free_ports(1)[0])
    first = safeconduct(folder, "up", "--demo", "--port", port)
    until(lambda: "Ctrl-C ends" in (folder / "progress").read_text(), seconds=240, what="the summary")
    first.send_signal(signal.SIGINT)
    said, _ = first.communicate(timeout=90)
    assert first.returncode == 0
    assert processes(folder) == set()
    assert f"http://127.0.0.1:{port}" in said
    assert all(f"{agreement}." in said for agreement in RELEASES)
    assert "refused columns-differ" in said
    releases = {path: path.read_bytes() for path in (folder / "site/stores/shared").glob("*/releases/*/manifest.json")}
    assert {path.parent.name.partition(".")[0] for path in releases} == RELEASES
    assert said.count(" --identity ") == len(releases)
    with_rows = [path for path in releases if (path.parent / "parts").exists()]
    assert said.count("age -d -i ") == len(with_rows) == len(releases) - 1, "no sample flies on these very days"

    second = safeconduct(folder, "up", "--demo", "--detach", "--json", "--port", port)
    answer, _ = second.communicate(timeout=240)
    assert second.returncode == 0
    document = json.loads(answer)
    assert sorted(one["outcome"] for one in document["deliveries"]) == ["accepted"] * 4 + ["refused"] * 2
    assert {path: path.read_bytes() for path in releases} == releases
    assert len(list((folder / "site/stores/shared").glob("*/releases/*/manifest.json"))) == len(releases)
    assert processes(folder)

    down = safeconduct(folder, "down")
    assert "no process is left" in down.communicate(timeout=90)[0]
    assert processes(folder) == set()

"""How long does a step take, and how much memory, in a process of its own?

Only the standard library is imported here: a process inherits the peak memory of the one that started it.
"""

import importlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. Imports count towards no time, but towards memory: `imported_bytes` of the peak were there before."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    imported_bytes: int
    returned: Any


def measure(function: str, **arguments: Any) -> Measured:
    """`function` ("module:name", below benchmarks) has run with `arguments` in a process of its own.

    Raises:
        RuntimeError: it failed; the message holds the end of what it wrote.
    """
    command = [sys.executable, "-m", "benchmarks.measuring", function, json.dumps(arguments)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    if ran.returncode:
        raise RuntimeError(f"{function} failed:\n{ran.stderr[-2000:]}")
    return Measured(**json.loads(ran.stdout.splitlines()[-1]))


def alternate(contenders: Mapping[str, Callable[[], Measured]], rounds: int) -> dict[str, list[Measured]]:
    """Every contender has run once a round, in turn, so that whatever else the machine does falls on all alike."""
    runs: dict[str, list[Measured]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            runs[name].append(run())
    return runs


def ratio(ours: Sequence[Measured], theirs: Sequence[Measured]) -> float:
    """How many times longer ours takes: the median of the rounds' ratios, each of two runs side by side."""
    return median(one.seconds / other.seconds for one, other in zip(ours, theirs, strict=True))


def seconds(runs: Sequence[Measured]) -> float:
    """The median time."""
    return median(run.seconds for run in runs)


def cpu_seconds(runs: Sequence[Measured]) -> float:
    """The least processor time of any run: the other runs had more of other people's work in it."""
    return min(run.cpu_seconds for run in runs)


def peak(runs: Sequence[Measured]) -> int:
    """The highest memory of any run, in bytes."""
    return max(run.peak_bytes for run in runs)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _run(name: str, arguments: str) -> None:
    module, _, function = name.partition(":")
    step = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    imported = _peak_bytes()
    began, cpu_began = time.perf_counter(), time.process_time()
    returned = step(**json.loads(arguments))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    measured = Measured(took, cpu, _peak_bytes(), imported, returned)
    print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    _run(*sys.argv[1:])

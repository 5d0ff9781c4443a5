"""Receive and release, measured. `make bench`, or `python -m benchmarks [--quick] [--steps] [--json]`."""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import QUICK, WHOLE, Figures, take
from benchmarks.report import text


def main(arguments: list[str] | None = None) -> int:
    """The figures are printed; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small deliveries, one round: does it run at all?")
    parser.add_argument("--steps", action="store_true", help="where the time goes, even if no aim is missed")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    asked = parser.parse_args(arguments)
    directory = Path(tempfile.mkdtemp(prefix="safeconduct-bench-"))
    try:
        figures: Figures = take(QUICK if asked.quick else WHOLE, directory, steps=asked.steps, say=_say)
    finally:
        shutil.rmtree(directory)
    print(json.dumps(asdict(figures), indent=2) if asked.json else text(figures))
    return int(any(aim.met is False for aim in figures.aims))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

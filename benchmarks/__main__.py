"""Receive and release, measured. `make bench`, or `python -m benchmarks [--quick] [--steps] [--json]`."""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.aims import aims
from benchmarks.figures import QUICK, WHOLE, take, take_steps
from benchmarks.report import text


def main(arguments: list[str] | None = None) -> int:
    """The figures are printed, and where the time goes when an aim is missed. A missed aim is no failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small deliveries, one round: does it run at all?")
    parser.add_argument("--steps", action="store_true", help="where the time goes, even if no aim is missed")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    asked = parser.parse_args(arguments)
    plan = QUICK if asked.quick else WHOLE
    directory = Path(tempfile.mkdtemp(prefix="safeconduct-bench-"))
    try:
        figures = take(plan, directory, say=_say)
        if asked.steps or any(aim.met is False for aim in aims(figures)):
            figures = replace(figures, steps=take_steps(plan, directory, say=_say))
    finally:
        shutil.rmtree(directory)
    if asked.json:
        print(json.dumps({**asdict(figures), "aims": [asdict(aim) for aim in aims(figures)]}, indent=2))
    else:
        print(text(figures))
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

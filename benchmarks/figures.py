"""What is measured, and how."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from benchmarks.measuring import Measured, alternate, cpu_seconds, measure, peak, ratio, seconds

Form = Literal["csv", "parquet"]
STEPS_ROWS = 1_000_000
INTERCHANGE_ROUNDS = 3
BYTES_OF_A_TRAVELLER = {"PNRGOV": 770, "PAXLST": 315}
"""What the samples take for each."""


@dataclass(frozen=True, slots=True)
class Size:
    """A delivery to be measured, how often, how it is released, and whether the peer, which needs longer, takes part."""

    rows: int
    rounds: int
    form: Form = "csv"
    peer: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one run measures."""

    traders: tuple[Size, ...]
    travellers: Size
    sealed_megabytes: int
    ledger: tuple[int, ...]
    """how many entries the ledger has that is appended to"""
    interchange_megabytes: tuple[int, int] = (100, 1)
    """how large an interchange is that our readers read, and how large one for pydifact"""


WHOLE = Plan(
    (Size(100_000, 5, peer=True), Size(1_000_000, 5), Size(1_000_000, 3, "parquet"), Size(5_000_000, 2)),
    Size(100_000, 3, "parquet"),
    64,
    (10, 1_000, 100_000, 1_000_000),
)
QUICK = Plan((Size(2_000, 1, peer=True), Size(20_000, 1, "parquet")), Size(2_000, 1, "parquet"), 4, (10, 1_000), (2, 1))


@dataclass(frozen=True, slots=True)
class Rival:
    """Somebody to compare with: `ratio` is how many times as long ours takes."""

    seconds: float
    cpu_seconds: float
    ratio: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One delivery. Seconds are medians of rounds, ratios medians of the rounds' ratios, peaks the highest of any round."""

    feed: str
    form: Form
    rows: int
    rejected: int
    released: int
    size_bytes: int
    rounds: int
    seconds: float
    cpu_seconds: float
    stages: dict[str, float]
    peak_bytes: int
    imported_bytes: int
    rivals: dict[str, Rival]


@dataclass(frozen=True, slots=True)
class Interchange:
    """One interchange, read alone: speeds in megabytes a second of medians of rounds, the highest peak of any round.

    `floor_ratio`: how many times as long as splitting the bytes. pydifact reads a shorter one of the same kind.
    """

    kind: str
    rows: int
    size_bytes: int
    megabytes_per_second: float
    megabytes_per_cpu_second: float
    floor_ratio: float
    peer_size_bytes: int
    peer_megabytes_per_second: float
    peak_bytes: int
    imported_bytes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured. Of the steps, each step's wall and processor seconds; none where nobody asked."""

    machine: str
    traders: list[Figure]
    travellers: Figure
    seals: dict[str, float]
    ledger: dict[str, Any] = field(default_factory=dict)
    interchanges: list[Interchange] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)


def take(plan: Plan, directory: Path, *, say: Callable[[str], None]) -> Figures:
    """All of `plan` was measured, in folders below `directory`."""
    say(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; a busy machine shows in every figure")
    traders = [_traders(size, directory / f"traders-{size.rows}-{size.form}", say) for size in plan.traders]
    travellers = _travellers(plan.travellers, directory / "travellers", say)
    say("sealing")
    seals: dict[str, float] = measure("seals:run", megabytes=plan.sealed_megabytes, rounds=5).returned
    say("the ledger")
    ledger: dict[str, Any] = measure("ledger:run", sizes=plan.ledger, appends=100).returned
    interchanges = [
        _interchange(kind, bytes_each, plan.interchange_megabytes, directory, say)
        for kind, bytes_each in BYTES_OF_A_TRAVELLER.items()
    ]
    machine = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end"
    return Figures(machine, traders, travellers, seals, ledger, interchanges)


def take_steps(plan: Plan, directory: Path, *, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Where the time goes, for a large list of `plan`."""
    rows = min(plan.traders[-1].rows, STEPS_ROWS)
    say(f"{rows:,} trusted traders: each step alone")
    ground = _ground(directory / "steps", "aeo-members", Size(rows, 1))
    steps: list[dict[str, Any]] = measure("steps:run", ground=ground, name="steps").returned
    shutil.rmtree(directory / "steps")
    return steps


def _traders(size: Size, directory: Path, say: Callable[[str], None]) -> Figure:
    what = f"{size.rows:,} trusted traders, released as {size.form}"
    say(f"{what}: making the delivery, checking that all do the same work")
    ground = _ground(directory, "aeo-members", size)
    contenders = {name: partial(measure, f"{name}:run", ground=ground, name=name) for name in ("floor", "ours")}
    measure("checks:same_rows", ground=ground)
    if size.peer:
        contenders["peer"] = partial(measure, "peer:run", ground=ground, name="peer")
        contenders["ours"](), contenders["peer"]()
        measure("checks:same_release", ground=ground, ours="ours", peer="peer")
    say(f"{what}: {size.rounds} rounds of {', '.join(contenders)}")
    figure = _figure(ground, size.rounds, alternate(contenders, size.rounds))
    shutil.rmtree(directory)
    return figure


def _travellers(size: Size, directory: Path, say: Callable[[str], None]) -> Figure:
    say(f"{size.rows:,} travellers: making the delivery, {size.rounds} rounds")
    ground = _ground(directory, "pnr-push", size)
    contenders = {
        "plain": partial(measure, "plain:run", ground=ground),
        "ours": partial(measure, "ours:run", ground=ground, name="ours"),
    }
    figure = _figure(ground, size.rounds, alternate(contenders, size.rounds))
    shutil.rmtree(directory)
    return figure


def _interchange(
    kind: str, bytes_each: int, megabytes: tuple[int, int], directory: Path, say: Callable[[str], None]
) -> Interchange:
    say(
        f"{megabytes[0]} MB of {kind}: making the interchange, checking that pydifact finds the same in {megabytes[1]} MB"
    )
    directory.mkdir(exist_ok=True)
    long, short = (str(directory / f"{kind}-{name}") for name in ("long", "short"))
    made, brief = (
        measure("interchanges:make", path=path, kind=kind, travellers=size * 1_000_000 // bytes_each).returned
        for path, size in ((long, megabytes[0]), (short, megabytes[1]))
    )
    measure("interchanges:same", path=short, kind=kind)
    contenders = {
        "ours": partial(measure, "interchanges:ours", path=long, kind=kind),
        "floor": partial(measure, "interchanges:floor", path=long),
        "theirs": partial(measure, "interchanges:theirs", path=short),
    }
    runs = alternate(contenders, INTERCHANGE_ROUNDS)
    if runs["ours"][-1].returned != made["rows"]:
        raise RuntimeError(f"{runs['ours'][-1].returned} rows of {kind}, not those that were written")
    for path in (long, short):
        Path(path).unlink()
    return Interchange(
        kind=kind,
        rows=made["rows"],
        size_bytes=made["size_bytes"],
        megabytes_per_second=made["size_bytes"] / 1e6 / seconds(runs["ours"]),
        megabytes_per_cpu_second=made["size_bytes"] / 1e6 / cpu_seconds(runs["ours"]),
        floor_ratio=ratio(runs["ours"], runs["floor"]),
        peer_size_bytes=brief["size_bytes"],
        peer_megabytes_per_second=brief["size_bytes"] / 1e6 / seconds(runs["theirs"]),
        peak_bytes=peak(runs["ours"]),
        imported_bytes=runs["ours"][-1].imported_bytes,
    )


def _ground(directory: Path, feed: str, size: Size) -> dict[str, Any]:
    made = measure("ground:make", directory=str(directory), feed=feed, rows=size.rows, form=size.form)
    ground: dict[str, Any] = made.returned
    return ground


def _figure(ground: dict[str, Any], rounds: int, runs: dict[str, list[Measured]]) -> Figure:
    ours = runs["ours"]
    last = ours[-1].returned
    if last["received"] != ground["rows"] or last["rejected"] != ground["bad_rows"]:
        raise RuntimeError(f"{last['received']} rows and {last['rejected']} rejects, not those that were delivered")
    rivals = {
        name: Rival(seconds(theirs), cpu_seconds(theirs), ratio(ours, theirs), peak(theirs))
        for name, theirs in runs.items()
        if name != "ours"
    }
    stages = ("sweep", "receive", "release")
    return Figure(
        feed=ground["feed"],
        form=ground["form"],
        rows=last["received"],
        rejected=last["rejected"],
        released=last["released"],
        size_bytes=ground["size_bytes"],
        rounds=rounds,
        seconds=seconds(ours),
        cpu_seconds=cpu_seconds(ours),
        stages={stage: sorted(run.returned[stage] for run in ours)[rounds // 2] for stage in stages},
        peak_bytes=peak(ours),
        imported_bytes=ours[-1].imported_bytes,
        rivals=rivals,
    )

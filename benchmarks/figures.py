"""What is measured, and what do we aim at?"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measured, alternate, measure, peak, ratio, seconds

FLOOR_AIM_ROWS, FLOOR_AIM = 1_000_000, 3.0
PEER_AIM_ROWS, PEER_AIM = 100_000, 15.0
HASH_BYTES = 8
"""Of each row a 64-bit hash of its key stays in memory until the delivery's end, to find keys that occur twice."""

GROWTH_AIM_BYTES = 64 * 1000**2
"""So much more than its hashes may a delivery of any size take: two more batches in flight are no growth."""


@dataclass(frozen=True, slots=True)
class Size:
    """A delivery to be measured, how often, and whether the peer, which takes minutes for a million rows, takes part."""

    rows: int
    rounds: int
    peer: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one run measures."""

    traders: tuple[Size, ...]
    travellers: Size
    sealed_megabytes: int


WHOLE = Plan((Size(100_000, 5, peer=True), Size(1_000_000, 5), Size(5_000_000, 2)), Size(100_000, 3), 64)
QUICK = Plan((Size(2_000, 1, peer=True), Size(20_000, 1)), Size(2_000, 1), 4)


@dataclass(frozen=True, slots=True)
class Figure:
    """One delivery. Seconds are medians of rounds, ratios medians of the rounds' ratios, peaks the highest of any round."""

    feed: str
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
    rivals: dict[str, "Rival"]


@dataclass(frozen=True, slots=True)
class Rival:
    """Somebody to compare with: `ratio` is how many times as long ours takes."""

    seconds: float
    cpu_seconds: float
    ratio: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Aim:
    """`met` is None where what it is about was not measured."""

    says: str
    measured: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured."""

    machine: str
    traders: list[Figure]
    travellers: Figure
    seals: dict[str, float]
    aims: list[Aim]
    steps: list[dict[str, Any]] = field(default_factory=list)


def take(plan: Plan, directory: Path, *, steps: bool, say: Callable[[str], None]) -> Figures:
    """All of `plan` was measured, in folders below `directory`; of the steps, when asked for or when an aim is missed."""
    say(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; a busy machine shows in every figure")
    traders = [_traders(size, directory / f"traders-{size.rows}", say) for size in plan.traders]
    travellers = _travellers(plan.travellers, directory / "travellers", say)
    say("sealing")
    seals: dict[str, float] = measure("seals:run", megabytes=plan.sealed_megabytes, rounds=5).returned
    aims = _aims(traders)
    slow = steps or any(aim.met is False for aim in aims)
    rows = min(plan.traders[-1].rows, FLOOR_AIM_ROWS)
    if slow:
        say(f"steps of {rows:,} rows")
    where = _steps(rows, directory / "steps") if slow else []
    machine = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end"
    return Figures(machine, traders, travellers, seals, aims, where)


def _traders(size: Size, directory: Path, say: Callable[[str], None]) -> Figure:
    say(f"{size.rows:,} trusted traders: making the delivery, checking that all do the same work")
    ground: dict[str, Any] = measure(
        "ground:make", directory=str(directory), feed="aeo-members", rows=size.rows
    ).returned
    contenders = {name: partial(measure, f"{name}:run", ground=ground, name=name) for name in ("floor", "ours")}
    measure("checks:same_rows", ground=ground)
    if size.peer:
        contenders["peer"] = partial(measure, "peer:run", ground=ground, name="peer")
        contenders["ours"](), contenders["peer"]()
        measure("checks:same_release", ground=ground, ours="ours", peer="peer")
    say(f"{size.rows:,} trusted traders: {size.rounds} rounds of {', '.join(contenders)}")
    figure = _figure(ground, size.rounds, alternate(contenders, size.rounds))
    shutil.rmtree(directory)
    return figure


def _travellers(size: Size, directory: Path, say: Callable[[str], None]) -> Figure:
    say(f"{size.rows:,} travellers: making the delivery, {size.rounds} rounds")
    ground: dict[str, Any] = measure("ground:make", directory=str(directory), feed="pnr-push", rows=size.rows).returned
    contenders = {
        "plain": partial(measure, "plain:run", ground=ground),
        "ours": partial(measure, "ours:run", ground=ground, name="ours"),
    }
    figure = _figure(ground, size.rounds, alternate(contenders, size.rounds))
    shutil.rmtree(directory)
    return figure


def _figure(ground: dict[str, Any], rounds: int, runs: dict[str, list[Measured]]) -> Figure:
    ours = runs["ours"]
    last = ours[-1].returned
    if last["received"] != ground["rows"] or last["rejected"] != ground["bad_rows"]:
        raise RuntimeError(f"{last['received']} rows and {last['rejected']} rejects, not those that were delivered")
    rivals = {
        name: Rival(seconds(theirs), _cpu(theirs), ratio(ours, theirs), peak(theirs))
        for name, theirs in runs.items()
        if name != "ours"
    }
    return Figure(
        feed=ground["feed"],
        rows=last["received"],
        rejected=last["rejected"],
        released=last["released"],
        size_bytes=ground["size_bytes"],
        rounds=rounds,
        seconds=seconds(ours),
        cpu_seconds=_cpu(ours),
        stages={
            stage: sorted(run.returned[stage] for run in ours)[rounds // 2] for stage in ("sweep", "receive", "release")
        },
        peak_bytes=peak(ours),
        imported_bytes=ours[-1].imported_bytes,
        rivals=rivals,
    )


def _cpu(runs: list[Measured]) -> float:
    return min(run.cpu_seconds for run in runs)


def _aims(traders: list[Figure]) -> list[Aim]:
    by_rows = {figure.rows: figure for figure in traders}
    aims = [Aim(f"at most {FLOOR_AIM:g} times the floor at {FLOOR_AIM_ROWS:,} rows", "", None)]
    if at_floor := by_rows.get(FLOOR_AIM_ROWS):
        times = at_floor.rivals["floor"].ratio
        aims = [Aim(aims[0].says, f"{times:.2f} times", times <= FLOOR_AIM)]
    says = f"at least {PEER_AIM:g} times faster than the peer at {PEER_AIM_ROWS:,} rows"
    if at_peer := by_rows.get(PEER_AIM_ROWS):
        faster = 1 / at_peer.rivals["peer"].ratio
        aims.append(Aim(says, f"{faster:.1f} times", faster >= PEER_AIM))
    else:
        aims.append(Aim(says, "", None))
    says = f"no more memory for a larger delivery, but {HASH_BYTES} bytes a row"
    small, large = traders[0], traders[-1]
    if large.rows >= FLOOR_AIM_ROWS:
        hashes = HASH_BYTES * (large.rows - small.rows)
        grown = large.peak_bytes - small.peak_bytes
        measured = (
            f"{grown / 1e6:+.0f} MB from {small.rows:,} to {large.rows:,} rows, {hashes / 1e6:.0f} MB of it hashes"
        )
        aims.append(Aim(says, measured, grown - hashes <= GROWTH_AIM_BYTES))
    else:
        aims.append(Aim(says, "", None))
    return aims


def _steps(rows: int, directory: Path) -> list[dict[str, Any]]:
    ground = measure("ground:make", directory=str(directory), feed="aeo-members", rows=rows).returned
    steps: list[dict[str, Any]] = measure("steps:run", ground=ground, name="steps").returned
    shutil.rmtree(directory)
    return steps

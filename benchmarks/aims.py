"""What do we aim at, and what stands in the way where we miss?"""

from dataclasses import dataclass

from benchmarks.figures import Figure, Figures

FLOOR_ROWS, FLOOR_TIMES = 1_000_000, 3.0
PEER_ROWS, PEER_TIMES = 100_000, 15.0
HASH_BYTES = 8
"""Of each row a 64-bit hash of its key stays in memory until the delivery's end, to find keys that occur twice."""

GROWTH_BYTES = 64 * 1000**2
"""So much more than its hashes may any delivery take: a few more batches in flight are no growth."""


SEALED_MB_PER_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Aim:
    """`met` is None where it was not measured. `obstacle` says why it was missed."""

    says: str
    measured: str
    met: bool | None
    obstacle: str = ""


def aims(figures: Figures) -> list[Aim]:
    """Every aim, in the order of the issue."""
    lists = {figure.rows: figure for figure in figures.traders if figure.form == "csv"}
    return [_floor(lists.get(FLOOR_ROWS)), _peer(lists.get(PEER_ROWS)), _memory(lists), _seals(figures.seals)]


def _floor(figure: Figure | None) -> Aim:
    says = f"at most {FLOOR_TIMES:g} times the floor at {FLOOR_ROWS:,} rows"
    if figure is None:
        return Aim(says, "", None)
    floor = figure.rivals["floor"]
    obstacle = (
        f"the journey takes {figure.cpu_seconds:.1f} s of processor time, {figure.cpu_seconds / floor.cpu_seconds:.1f} times the "
        "floor's; the steps say for what. Parsing and writing, which is all that the floor does, are a part of it."
    )
    return Aim(says, f"{floor.ratio:.2f} times", floor.ratio <= FLOOR_TIMES, obstacle)


def _peer(figure: Figure | None) -> Aim:
    says = f"at least {PEER_TIMES:g} times faster than the peer at {PEER_ROWS:,} rows"
    if figure is None:
        return Aim(says, "", None)
    peer, floor = figure.rivals["peer"], figure.rivals["floor"]
    obstacle = (
        f"the peer takes {peer.seconds / floor.seconds:.1f} times as long as the floor: to be {PEER_TIMES:g} times faster than "
        f"the peer is to take {peer.seconds / floor.seconds / PEER_TIMES:.2f} times the floor. The peer has no quarantine, "
        "vault, gates, ledger or durable storage."
    )
    return Aim(says, f"{1 / peer.ratio:.1f} times", 1 / peer.ratio >= PEER_TIMES, obstacle)


def _memory(lists: dict[int, Figure]) -> Aim:
    says = f"memory does not grow with the delivery, but for {HASH_BYTES} bytes a row"
    if len(lists) < 2 or max(lists) < FLOOR_ROWS:
        return Aim(says, "", None)
    small, large = lists[min(lists)], lists[max(lists)]
    hashes = HASH_BYTES * (large.rows - small.rows)
    grown = large.peak_bytes - small.peak_bytes
    measured = (
        f"{grown / 1e6:+.0f} MB from {small.rows:,} to {large.rows:,} rows, where hashes take {hashes / 1e6:.0f} MB"
    )
    return Aim(says, measured, grown - hashes <= GROWTH_BYTES, "look for what is kept until the end of a delivery.")


def _seals(seals: dict[str, float]) -> Aim:
    speeds = [seals[f"{name}_mb_per_second"] for name in ("seal", "open")]
    says = f"seal and open at {SEALED_MB_PER_SECOND:,} MB/s or more"
    measured = " and ".join(f"{speed:,.0f}" for speed in speeds) + " MB/s"
    obstacle = "more than half of the time is the cipher's: compare with pyrage in the same run, for a busy machine slows both."
    return Aim(says, measured, min(speeds) >= SEALED_MB_PER_SECOND, obstacle)

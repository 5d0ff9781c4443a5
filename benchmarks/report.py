"""The figures, as a reader wants them."""

from collections.abc import Sequence
from typing import Any

from benchmarks.aims import Aim, aims
from benchmarks.figures import Figure, Figures, Interchange

_HEAD = (
    "rows",
    "as",
    "MB",
    "seconds",
    "rows/s",
    "MB/s",
    "floor",
    "times",
    "peer",
    "faster",
    "peak MB",
    "floor",
    "peer",
)


def text(figures: Figures) -> str:
    """Tables and sentences for a terminal."""
    return "\n".join(
        [
            "Receive and release of a sealed and signed list of trusted traders, from landing to a published release,",
            f"in one process. {figures.machine}.",
            "",
            *_table([_HEAD, *(_row(figure) for figure in figures.traders)]),
            "",
            "floor: polars reads the clear list and writes it as the release is written. peer: pandas, pandera, hmac value by",
            "value, pyrage, Ed25519. Results equal; medians of rounds by turns. Imports count towards no time, but towards",
            f"every peak: of ours, {figures.traders[0].imported_bytes / 1e6:.0f} MB.",
            "",
            *_others(figures),
            "",
            *_interchanges(figures.interchanges),
            *_ledger(figures.ledger),
            *(_said(aim) for aim in aims(figures)),
            *_where(figures),
        ]
    )


def _row(figure: Figure) -> tuple[str, ...]:
    floor, peer = figure.rivals["floor"], figure.rivals.get("peer")
    megabytes = figure.size_bytes / 1e6
    return (
        f"{figure.rows:,}",
        figure.form,
        f"{megabytes:.0f}",
        f"{figure.seconds:.2f}",
        f"{figure.rows / figure.seconds:,.0f}",
        f"{megabytes / figure.seconds:.0f}",
        f"{floor.seconds:.2f} s",
        f"{floor.ratio:.2f}",
        f"{peer.seconds:.2f} s" if peer else "",
        f"{1 / peer.ratio:.1f}" if peer else "",
        f"{figure.peak_bytes / 1e6:.0f}",
        f"{floor.peak_bytes / 1e6:.0f}",
        f"{peer.peak_bytes / 1e6:.0f}" if peer else "",
    )


def _others(figures: Figures) -> list[str]:
    flown, seals = figures.travellers, figures.seals
    megabytes = flown.size_bytes / 1e6
    return [
        f"Passenger name records: {flown.rows:,} travellers, {megabytes:.0f} MB, in {flown.seconds:.2f} s: "
        f"{flown.rows / flown.seconds:,.0f} rows/s, {megabytes / flown.seconds:.1f} MB/s,",
        f"peak {flown.peak_bytes / 1e6:.0f} MB, {flown.rivals['plain'].ratio:.1f} times as long as plain Python takes to split "
        "the same bytes into segments and elements.",
        f"Sealing: {seals['seal_mb_per_second']:,.0f} MB/s, {seals['seal_ratio']:.1f} times as fast as pyrage. "
        f"Opening: {seals['open_mb_per_second']:,.0f} MB/s, {seals['open_ratio']:.1f} times.",
        f"By blocks: {seals['seal_blocks_mb_per_second']:,.0f} MB/s, {seals['seal_blocks_ratio']:.1f} times, and "
        f"{seals['open_blocks_mb_per_second']:,.0f} MB/s, {seals['open_blocks_ratio']:.1f} times. "
        f"With hybrid keys: {seals['hybrid_seal_mb_per_second']:,.0f} and {seals['hybrid_open_mb_per_second']:,.0f} MB/s.",
    ]


def _interchanges(interchanges: Sequence[Interchange]) -> list[str]:
    if not interchanges:
        return []
    head = (
        "interchange",
        "MB",
        "rows",
        "MB/s",
        "of processor",
        "times splitting",
        "pydifact MB/s",
        "faster",
        "peak MB",
    )
    rows = [
        (
            one.kind,
            f"{one.size_bytes / 1e6:.0f}",
            f"{one.rows:,}",
            f"{one.megabytes_per_second:.1f}",
            f"{one.megabytes_per_cpu_second:.1f}",
            f"{one.floor_ratio:.0f}",
            f"{one.peer_megabytes_per_second:.2f}",
            f"{one.megabytes_per_second / one.peer_megabytes_per_second:.0f}",
            f"{one.peak_bytes / 1e6:.0f}",
        )
        for one in interchanges
    ]
    return [
        "Reading interchanges alone, from bytes to rows; splitting: the bytes at each terminator; pydifact: into its segments,",
        f"of {interchanges[0].peer_size_bytes / 1e6:.0f} MB, where it finds the segments and surnames that we find. Of our peaks, "
        f"{interchanges[0].imported_bytes / 1e6:.0f} MB are imports.",
        *_table([head, *rows]),
        "",
    ]


def _ledger(ledger: dict[str, Any]) -> list[str]:
    if not ledger:
        return []
    head = ("entries", "reads", "writes", "ms", "new writer: reads", "ms", "proof: reads", "ms")
    rows = [
        (
            f"{one['size']:,}",
            *(f"{one['warm'][name]:.2f}" for name in ("reads", "writes", "milliseconds")),
            *(f"{one[who][name]:.1f}" for who in ("fresh", "proof") for name in ("reads", "milliseconds")),
        )
        for one in ledger["sizes"]
    ]
    return [
        "Appending to the ledger: calls to storage and time, in memory. A new writer first looks for the end.",
        *_table([head, *rows]),
        f"On a local disk, every write synced: {ledger['disk_milliseconds']:.1f} ms an append.",
        "",
    ]


def _said(aim: Aim) -> str:
    match aim.met:
        case None:
            return f"not measured: {aim.says}."
        case True:
            return f"met: {aim.says}: {aim.measured}."
        case False:
            return f"MISSED: {aim.says}: {aim.measured}.\n  In the way: {aim.obstacle}"


def _where(figures: Figures) -> list[str]:
    if not figures.steps:
        return []
    steps = sorted(figures.steps, key=lambda step: -step["cpu_seconds"])
    total = sum(step["cpu_seconds"] for step in steps)
    rows = [
        (step["step"], f"{step['seconds']:.2f}", f"{step['cpu_seconds']:.2f}", f"{step['cpu_seconds'] / total:.0%}")
        for step in steps
    ]
    return [
        "",
        "Where the time goes: each step alone, one after another (the journey runs them beside each other).",
        *_table([("step", "seconds", "processor", "share"), *rows, ("all", "", f"{total:.2f}", "")]),
    ]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)) for row in rows]
    return [f"{row[0].ljust(widths[0])}  {line}".rstrip() for row, line in zip(rows, lines, strict=True)]

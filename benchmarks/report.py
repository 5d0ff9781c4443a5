"""The figures, as a reader wants them."""

from collections.abc import Sequence

from benchmarks.figures import Figure, Figures

_HEAD = (
    "rows",
    "MB",
    "seconds",
    "rows/s",
    "MB/s",
    "floor s",
    "times floor",
    "peer s",
    "times faster",
    "peak MB",
    "floor MB",
    "peer MB",
)


def text(figures: Figures) -> str:
    """Tables and sentences for a terminal."""
    travellers, seals = figures.travellers, figures.seals
    lines = [
        "Receive and release of a sealed and signed list of trusted traders, from landing to a published release,",
        f"in one process. {figures.machine}.",
        "",
        *_table([_HEAD, *(_row(figure) for figure in figures.traders)]),
        "",
        "Seconds do not count imports; peaks do "
        f"(ours: {figures.traders[0].imported_bytes / 1e6:.0f} MB before the first row). floor: polars reads and writes the clear",
        "list. peer: pandas, pandera, hmac value by value, pyrage, Ed25519. Medians of rounds by turns, results equal.",
        "",
        f"Passenger name records: {travellers.rows:,} travellers, {travellers.size_bytes / 1e6:.0f} MB: {travellers.seconds:.2f} s, "
        f"{travellers.rows / travellers.seconds:,.0f} rows/s, {travellers.size_bytes / 1e6 / travellers.seconds:.1f} MB/s, "
        f"peak {travellers.peak_bytes / 1e6:.0f} MB;",
        f"{travellers.rivals['plain'].ratio:.1f} times as long as plain Python takes to split the same bytes into segments and "
        "elements.",
        f"Sealing {seals['seal_mb_per_second']:,.0f} MB/s, {seals['seal_ratio']:.1f} times as fast as pyrage; "
        f"opening {seals['open_mb_per_second']:,.0f} MB/s, {seals['open_ratio']:.1f} times.",
        "",
        *(
            f"{'not measured' if aim.met is None else 'met' if aim.met else 'MISSED'}: {aim.says}"
            + (f": {aim.measured}" if aim.measured else "")
            for aim in figures.aims
        ),
    ]
    return "\n".join(lines + _where(figures)) + "\n"


def _row(figure: Figure) -> tuple[str, ...]:
    floor, peer = figure.rivals["floor"], figure.rivals.get("peer")
    megabytes = figure.size_bytes / 1e6
    return (
        f"{figure.rows:,}",
        f"{megabytes:.0f}",
        f"{figure.seconds:.2f}",
        f"{figure.rows / figure.seconds:,.0f}",
        f"{megabytes / figure.seconds:.0f}",
        f"{floor.seconds:.2f}",
        f"{floor.ratio:.2f}",
        f"{peer.seconds:.2f}" if peer else "",
        f"{1 / peer.ratio:.1f}" if peer else "",
        f"{figure.peak_bytes / 1e6:.0f}",
        f"{floor.peak_bytes / 1e6:.0f}",
        f"{peer.peak_bytes / 1e6:.0f}" if peer else "",
    )


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
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]

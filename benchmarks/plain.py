"""What there is to compare a PNRGOV delivery with: plain Python splits it into segments and elements, and drops them."""

from typing import Any

from benchmarks.ground import Ground


def run(ground: dict[str, Any]) -> dict[str, int]:
    """How many segments and elements there are, release characters not looked at."""
    segments = elements = 0
    for segment in Ground(**ground).clear.read_bytes().split(b"'"):
        segments += 1
        elements += len(segment.split(b"+"))
    return {"segments": segments, "elements": elements}

"""What a reader makes of a delivery: its rows and findings, or its refusal; and what all readers owe."""

import tracemalloc
from collections.abc import Iterable, Iterator

import polars as pl
import pytest

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Refused
from pipeline.core.findings import Finding, Tally
from pipeline.formats.batch import Limits, Reader, tallied

Row = tuple[str | None, ...]


def cut(delivery: bytes, size: int) -> Iterator[bytes]:
    return (delivery[at : at + size] for at in range(0, len(delivery), size))


def frame_of(
    reader: Reader,
    delivery: bytes | Iterable[bytes],
    columns: tuple[str, ...],
    *,
    limits: Limits | None = None,
    block: int = 1 << 20,
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """The rows with their positions, and what was tolerated, when every batch keeps the readers' contract."""
    tally = Tally()
    blocks = cut(delivery, block) if isinstance(delivery, bytes) else delivery
    whole = pl.concat(list(tallied(reader.read(blocks, columns, limits or Limits()), tally)))
    assert whole.schema == {POSITION: pl.UInt64(), **dict.fromkeys(columns, pl.String())}
    assert whole[POSITION].is_sorted()
    assert whole[POSITION].is_unique().all()
    assert not whole.select(pl.any_horizontal((pl.all().exclude(POSITION) == "").any())).item()
    return whole, tally.findings()


def rows_of(
    reader: Reader, delivery: bytes, columns: tuple[str, ...], *, limits: Limits | None = None, block: int = 1 << 20
) -> list[Row]:
    return frame_of(reader, delivery, columns, limits=limits, block=block)[0].drop(POSITION).rows()


def findings_of(reader: Reader, delivery: bytes, columns: tuple[str, ...]) -> dict[str, int]:
    return {finding.rule: finding.count for finding in frame_of(reader, delivery, columns)[1]}


def refusal_of(
    reader: Reader,
    delivery: bytes | Iterable[bytes],
    columns: tuple[str, ...],
    *,
    limits: Limits | None = None,
) -> Refused:
    """The refusal, which carries nothing of what it refuses."""
    with pytest.raises(Refused) as caught:
        frame_of(reader, delivery, columns, limits=limits)
    refused = caught.value
    assert refused.__cause__ is None
    assert refused.__context__ is None or refused.__suppress_context__
    return refused


def outcome(
    reader: Reader, delivery: bytes, columns: tuple[str, ...], *, block: int = 1 << 20, limits: Limits | None = None
) -> tuple[list[tuple[object, ...]], tuple[Finding, ...]] | str:
    """Rows with positions and findings, or the refusal in words. Anything else is a fault of the reader."""
    try:
        frame, findings = frame_of(reader, delivery, columns, block=block, limits=limits)
    except Refused as refused:
        return str(refused)
    return frame.rows(), findings


def peak_of_refusing(
    reader: Reader, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits
) -> tuple[Refused, int]:
    """The refusal, and how many bytes Python held at most until it came."""
    tracemalloc.start()
    try:
        refused = refusal_of(reader, blocks, columns, limits=limits)
        return refused, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

"""The bytes of a release's part, and of a chunk in the vault."""

import io
from typing import Literal

import polars as pl

ENDINGS = {"parquet": "parquet", "csv": "csv"}


def part_bytes(frame: pl.DataFrame, form: Literal["parquet", "csv"]) -> bytes:
    """`frame` as a file of its own. Parquet without statistics or metadata: they would keep values of filtered rows."""
    out = io.BytesIO()
    if form == "csv":
        frame.write_csv(out, quote_style="necessary", null_value="")
    else:
        frame.write_parquet(out, compression="zstd", compression_level=1, statistics=False)
    return out.getvalue()


def chunk_bytes(frame: pl.DataFrame) -> bytes:
    """`frame` as Arrow IPC: only ever read by ourselves, from our own sealed vault."""
    out = io.BytesIO()
    frame.write_ipc(out, compression="lz4")
    return out.getvalue()


def read_chunk(content: bytes) -> pl.DataFrame:
    """The rows that `chunk_bytes` wrote."""
    return pl.read_ipc(io.BytesIO(content))

"""The bytes of a release's part."""

import io
from typing import Literal

import polars as pl


def part_bytes(frame: pl.DataFrame, form: Literal["parquet", "csv"]) -> bytes:
    """`frame` as a file of its own. Parquet without statistics or metadata: they would keep values of filtered rows."""
    out = io.BytesIO()
    if form == "csv":
        frame.write_csv(out, quote_style="necessary", null_value="")
    else:
        frame.write_parquet(out, compression="zstd", compression_level=1, statistics=False)
    return out.getvalue()

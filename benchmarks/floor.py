"""The floor: polars reads the clear delivery and writes it again, all of it, in the release's format. Nothing is checked."""

from typing import Any

import polars as pl

from benchmarks.ground import Ground


def run(ground: dict[str, Any], name: str) -> dict[str, Any]:
    """How many rows went through."""
    delivery = Ground(**ground)
    rows = read(delivery)
    part = delivery.fresh(name) / "part"
    if delivery.form == "csv":
        rows.write_csv(part)
    else:
        rows.write_parquet(part, compression="zstd", compression_level=1, statistics=False)
    return {"received": rows.height}


def read(ground: Ground) -> pl.DataFrame:
    """Every row of the clear delivery, as polars alone reads it."""
    return pl.read_csv(ground.clear, infer_schema=False)

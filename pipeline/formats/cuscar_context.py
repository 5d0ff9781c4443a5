"""To which message, consignment, goods item and container does each segment of a CUSCAR message belong?

TDT opens the voyage, EQD a container of the whole manifest, CNI a consignment, GID one of its goods items, NAD a party.
Directories put further segments between them in different orders: within these a segment is known by its qualifier. What
follows a segment that CUSCAR does not have is nobody's, up to the next consignment: it may be a mistyped CNI.

All are named by the position of the segment that opens them; 0 is none.
"""

import polars as pl

from pipeline.formats.edifact_cells import qualifier

ENVELOPE = ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")

_KNOWN = (
    *("BGM", "DTM", "LOC", "FTX", "RFF", "NAD", "CTA", "COM", "TDT", "EQD", "EQN", "TSR", "TMD", "MEA", "DIM", "SEL"),
    *("TMP", "HAN", "GEI", "GIS", "CNI", "CNT", "MOA", "CUX", "TOD", "PAC", "GID", "SGP", "DGS", "PCI", "PIA", "CST"),
    *("GDS", "DOC", "IMD", "QTY", "GOR", "PCD", "AUT", "STS", "ICD", "TAX", "ATT", "RNG", "CPI", "GPO"),
)
"""The segments of CUSCAR in D.95B to D.16B."""
OPENS_A_UNIT = ("CNI", "UNH", "UNT", "UNZ")
"""A consignment, or a message, or its end."""


def annotate(frame: pl.DataFrame, message: int) -> pl.DataFrame:
    """Each segment with `qualifier` (its first component), `message`, `consignment`, `item`, `equipment`, `party` (the
    qualifier of the NAD above it, within its consignment or the header), `carriage` (it stands below a TDT) and `lost`.

    `message` is where the message began that the frame starts in, with a consignment or its end; 0: it starts outside.
    """
    tag = pl.col("tag")
    strange = ~tag.is_in([*_KNOWN, *ENVELOPE])
    placed = frame.with_columns(
        qualifier().alias("qualifier"),
        _latest(tag == "UNH", start=message).alias("message"),
        _latest(tag.is_in([*ENVELOPE, "CNI"])).alias("whole"),
        _latest(tag == "CNI").alias("consignment"),
        _latest(tag == "GID").alias("item"),
        _latest(tag == "EQD").alias("equipment"),
        _latest(tag == "NAD").alias("named"),
        _latest(tag == "TDT").alias("carried"),
        _latest(strange).alias("strange"),
        pl.when(tag == "NAD").then(qualifier().fill_null("")).forward_fill().alias("party"),
    )
    opened, none = pl.max_horizontal("whole", "item", "equipment", "named", "carried"), pl.lit(0, pl.UInt64)
    inside = pl.col("consignment") == pl.col("whole")
    return placed.with_columns(
        pl.when(inside).then(pl.col("consignment")).otherwise(none).alias("consignment"),
        pl.when(inside & (pl.col("item") > pl.col("whole"))).then(pl.col("item")).otherwise(none).alias("item"),
        pl.when(~inside & (pl.col("equipment") == opened) & (pl.col("equipment") > pl.col("whole")))
        .then(pl.col("equipment"))
        .otherwise(none)
        .alias("equipment"),
        pl.when(pl.col("named") == opened).then(pl.col("party")).alias("party"),
        (pl.col("carried") == opened).alias("carriage"),
        (pl.col("strange") > pl.col("whole")).alias("lost"),
    ).drop("whole", "named", "carried", "strange")


def _latest(opens: pl.Expr, *, start: int = 0) -> pl.Expr:
    opened = pl.when(opens).then(pl.col("position")).otherwise(pl.lit(start, pl.UInt64))
    return opened.cum_max()

"""To which PNR, traveller and flight does each segment of a PNRGOV message belong?

The groups of a PNR come in a fixed order (implementation guide: GR1 the PNR, GR2 a traveller, GR5 a flight, GR7 a
check-in, GR8 a split, GR9 what is not air, GR10-12 history), each opened by its first segment. So a running maximum
over the segments says it all, without a look at any body but two.

Travellers, PNRs and flights are named by the position of the segment that opens them (TIF, SRC, TVL); 0 is none.
"""

from dataclasses import dataclass

import polars as pl

from pipeline.core.errors import Code, Refused
from pipeline.formats.edifact import COMPONENT, ELEMENT

PNR_GROUP, TRAVELLER_GROUP, FLIGHT_GROUP, SPLIT_GROUP, NON_AIR_GROUP, HISTORY_GROUP = 1, 2, 5, 8, 9, 10
_OPENS = {
    "SRC": PNR_GROUP,
    "TIF": TRAVELLER_GROUP,
    "TVL": FLIGHT_GROUP,
    "EQN": SPLIT_GROUP,
    "MSG": NON_AIR_GROUP,
    "ABI": HISTORY_GROUP,
}
_MESSAGE_TAGS = ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")
_AFTER_CHECK_IN = ("TVL", "EQN", "DAT", "ORG", "MSG", "ABI", "SRC")


@dataclass(frozen=True, slots=True)
class Annotated:
    """`segments` of whole PNRs, each with `message` (UNH), `pnr` (SRC), `group`, `owner` (the traveller's TIF, within
    GR2), `flight` (TVL), `check_in` (TRI, within GR7), and the last `payment` (FOP) and `split` (EQN); and `level0`:
    the segments outside every PNR, with `message`. All are positions."""

    segments: pl.DataFrame
    level0: pl.DataFrame


def annotate(frame: pl.DataFrame, message: int) -> Annotated:
    """Each segment with its place. `message` is where the message began that the frame starts in (0: none).

    Raises:
        Refused: record-malformed, where a traveller or a locator stands before the first SRC of its message: whose it
            is cannot be known.
    """
    tag, at = pl.col("tag"), pl.col("position")
    placed = frame.with_columns(
        _latest(tag == "SRC").alias("pnr"),
        _latest(tag == "UNH", start=message).alias("message"),
        _latest(tag.is_in(_MESSAGE_TAGS)).alias("outside"),
    )
    level0 = placed.filter(pl.col("pnr") <= pl.col("outside"))
    _refuse_homeless(level0)
    inside = placed.filter(pl.col("pnr") > pl.col("outside")).drop("outside")
    opens = tag.replace_strict(_OPENS, default=0, return_dtype=pl.UInt64)
    inside = inside.with_columns(((pl.col("pnr") * 16 + opens).cum_max() - pl.col("pnr") * 16).alias("group"))
    group = pl.col("group")
    in_flight = (group >= FLIGHT_GROUP) & (group < NON_AIR_GROUP)
    # A TVL without date and places carries the other carrier's flight number (code share); it opens no flight.
    opens_flight = (tag == "TVL") & in_flight & ~pl.col("body").str.starts_with(ELEMENT + ELEMENT)
    opens_traveller = (tag == "TIF") & (group == TRAVELLER_GROUP)
    inside = inside.with_columns(
        pl.when(opens_traveller & at.is_in(_groups(inside)))
        .then(at * 0)
        .when(opens_traveller)
        .then(at)
        .alias("traveller"),
        _latest(opens_flight).alias("flight"),
        _latest(tag.is_in(_AFTER_CHECK_IN)).alias("interrupted"),
        _latest((tag == "TRI") & in_flight).alias("check_in"),
        _latest(tag == "FOP").alias("payment"),
        _latest((tag == "EQN") & (group == SPLIT_GROUP)).alias("split"),
    )
    # LTS is the PNR's history even where no flight stands between it and the last traveller.
    owner = (
        pl.when((group == TRAVELLER_GROUP) & (tag != "LTS")).then(pl.col("traveller").forward_fill()).otherwise(at * 0)
    )
    none = pl.lit(0, pl.UInt64)
    return Annotated(
        inside.with_columns(
            owner.fill_null(0).alias("owner"),
            pl.when(pl.col("flight") > pl.col("pnr")).then(pl.col("flight")).otherwise(none).alias("flight"),
            pl.when(pl.col("check_in") > pl.col("interrupted"))
            .then(pl.col("check_in"))
            .otherwise(none)
            .alias("check_in"),
        ).drop("traveller", "interrupted"),
        level0.drop("pnr", "outside"),
    )


def _groups(inside: pl.DataFrame) -> pl.Series:
    """Where a TIF names a group (type G, with the surname or after the given names)."""
    name, more = rf"[^{ELEMENT}]*", rf"[^{COMPONENT}{ELEMENT}]*"
    group = rf"\A{name}(?:{ELEMENT}{more})?{COMPONENT}G(?:{COMPONENT}|{ELEMENT}|\z)"
    named = inside.filter((pl.col("tag") == "TIF") & pl.col("body").str.contains(COMPONENT + "G", literal=True))
    return named.filter(pl.col("body").str.contains(group))["position"].implode()


def _latest(opens: pl.Expr, *, start: int = 0) -> pl.Expr:
    opened = pl.when(opens).then(pl.col("position")).otherwise(pl.lit(start, pl.UInt64))
    return opened.cum_max()


def _refuse_homeless(level0: pl.DataFrame) -> None:
    homeless = level0.filter(pl.col("tag").is_in(["TIF", "RCI", "SSR", "FOP"]))["position"]
    if len(homeless):
        raise Refused(
            Code.RECORD_MALFORMED,
            f"Segment {homeless[0]} belongs to a PNR, but no SRC opened one.",
            next_step="ask the partner for a message in which SRC opens each PNR",
        )

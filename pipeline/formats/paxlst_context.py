"""To which message, traveller and document does each segment of a PAXLST message belong?

SG1 (NAD MS) is the reporting party, SG2 (TDT) the flight, SG4 (NAD) a traveller, SG5 (DOC) one of its documents. Within
these a segment is known by its qualifier, wherever carriers put it. A party of another kind, and whatever follows a
segment that PAXLST does not have, is nobody's: nothing can be put down to the wrong person.

Messages, parties and documents are named by the position of the segment that opens them (UNH, NAD, DOC); 0 is none.
"""

import polars as pl

from pipeline.formats.edifact_cells import qualifier

TRAVELLER_KINDS = ("FL", "FM", "DDU", "DDT")
"""NAD 3035: passenger, crew member, in-transit passenger, in-transit crew member."""
REPORTING_PARTY = "MS"
OPENS_A_UNIT = ("NAD", "UNH", "UNT", "UNZ")
"""A traveller, or a message, or its end."""
ENVELOPE = ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")

_ENDS_A_PARTY = ("NAD", "CNT", "AUT", *ENVELOPE)
_KNOWN = (
    *("BGM", "RFF", "DTM", "NAD", "CTA", "COM", "TDT", "LOC", "ATT", "MEA", "GEI", "FTX", "EMP", "NAT"),
    *("DOC", "CPI", "QTY", "GID", "CNT", "AUT"),
)
"""The segments of PAXLST in D.02B to D.16B."""
_ENDS_A_DOCUMENT = ("GID", "TDT")


def opens_unit() -> pl.Expr:
    """Which of `OPENS_A_UNIT` do: of the parties, the travellers."""
    return (pl.col("tag") != "NAD") | qualifier().is_in(TRAVELLER_KINDS)


def annotate(frame: pl.DataFrame, message: int) -> pl.DataFrame:
    """Each segment with `qualifier` (its first component), `message`, `owner` (the traveller), `document`, `party` (SG1:
    the qualifier of its NAD; "" in SG2) and `header` (before the message's first traveller).

    `message` is where the message began that the frame starts in, with a traveller or its end; 0: it starts outside.
    """
    tag = pl.col("tag")
    placed = frame.with_columns(qualifier().alias("qualifier"), _latest(tag == "UNH", start=message).alias("message"))
    traveller = (tag == "NAD") & pl.col("qualifier").is_in(TRAVELLER_KINDS)
    placed = placed.with_columns(_latest(traveller.fill_null(value=False)).alias("met"))
    placed = placed.with_columns(
        (~tag.is_in([*_KNOWN, *ENVELOPE])).alias("strange"), (pl.col("met") < pl.col("message")).alias("header")
    )
    strange, ends = pl.col("strange"), pl.col("ends")
    ending = tag.is_in(_ENDS_A_PARTY) | strange | ((tag == "TDT") & pl.col("header"))
    placed = placed.with_columns(ending.alias("ends"))
    party = pl.when(ends & (tag == "NAD")).then(pl.col("qualifier")).when(ends).then(pl.lit(""))
    placed = placed.with_columns(
        party.forward_fill().fill_null("").alias("party"),
        _latest(ends).alias("opened"),
        _latest(ends | tag.is_in(_ENDS_A_DOCUMENT)).alias("closed"),
        _latest(tag == "DOC").alias("document"),
        pl.when(ends).then(strange).forward_fill().fill_null(value=False).alias("lost"),
    )
    none = pl.lit(0, pl.UInt64)
    owned = pl.col("party").is_in(TRAVELLER_KINDS)
    return placed.with_columns(
        pl.when(owned).then(pl.col("opened")).otherwise(none).alias("owner"),
        pl.when(owned & (pl.col("document") > pl.col("closed")))
        .then(pl.col("document"))
        .otherwise(none)
        .alias("document"),
    ).drop("met", "opened", "closed", "strange", "ends")


def _latest(opens: pl.Expr, *, start: int = 0) -> pl.Expr:
    opened = pl.when(opens).then(pl.col("position")).otherwise(pl.lit(start, pl.UInt64))
    return opened.cum_max()

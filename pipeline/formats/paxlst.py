"""PAXLST: what does a carrier's passenger or crew list say of each traveller?

A row is one traveller of one message, crew among them (`traveller_kind`); `_position` is the number of the traveller's
NAD. Columns carry the elements of 19 CFR 122.49a and of the WCO/IATA/ICAO API guidelines, and nothing else: a segment
that no column carries is counted as `discarded-beyond-elements` and goes nowhere. Passenger lists (BGM 745), crew lists
(250) and flight close-outs (266, which may name nobody) are read alike.

Read by column: see `formats.edifact`. UN/EDIFACT directories D.02B to D.16B; the UN and the US way to write them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.edifact_cells import cells
from pipeline.formats.edifact_kinds import MessageKind, read_messages
from pipeline.formats.edifact_units import Units, refuse_long_cells
from pipeline.formats.paxlst_context import (
    ENVELOPE,
    OPENS_A_UNIT,
    REPORTING_PARTY,
    TRAVELLER_KINDS,
    annotate,
    opens_unit,
)
from pipeline.formats.paxlst_flight import FLIGHT, flights, read_of_header
from pipeline.formats.paxlst_messages import Lists
from pipeline.formats.paxlst_travellers import (
    DOCUMENT,
    TRAVELLER,
    documents,
    holds_mrz,
    read_of_traveller,
    traveller_items,
)

COLUMNS = (*FLIGHT, *TRAVELLER, *DOCUMENT)
"""Every column that the reader can fill, in order."""

_FLIGHT_SCHEMA = pl.Schema({"message": pl.UInt64, **dict.fromkeys(FLIGHT, pl.String)})
_KIND = MessageKind(
    name="PAXLST",
    versions="D:(?:02B|0[3-9][AB]|1[0-6][AB])",
    versions_meant="D.02B to D.16B",
    noun="traveller",
    columns=COLUMNS,
    opens=OPENS_A_UNIT,
    where=opens_unit(),
)


@dataclass(frozen=True, slots=True)
class Paxlst:
    """Reads PAXLST interchanges."""

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in batches, or the refusal of all, as `read_messages` says."""
        yield from read_messages(_KIND, _Lists, blocks, columns, limits)


@dataclass(slots=True)
class _Lists:
    """The delivery so far: the traveller who is not whole yet, the message, and that message's flight."""

    units: Units
    lists: Lists = field(default_factory=Lists)
    message: int = 0
    flights: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_FLIGHT_SCHEMA))

    def batches(self, frame: pl.DataFrame, tally: Tally, *, last: bool) -> Iterator[Batch]:
        """The rows of the whole units in `frame`."""
        segments = annotate(frame, self.message)
        self.lists.follow(segments, tally)
        if last:
            self.lists.finish(tally)
        _count_beyond(segments, tally)
        header = segments.filter(pl.col("header") & (pl.col("owner") == 0) & ~pl.col("tag").is_in(ENVELOPE))
        known = pl.concat([self.flights, flights(header)]) if header.height else self.flights
        self.message = segments["message"][-1] if segments.height else self.message
        self.flights = known.filter(pl.col("message") == self.message)
        travellers = segments.filter(pl.col("owner") > 0).join(
            _weights(known), on="message", how="left", maintain_order="left"
        )
        size_bytes = pl.col("body").str.len_bytes().sum().cast(pl.UInt64) + pl.col("said").first().fill_null(0)
        for piece in self.units.pieces(travellers, "owner", size_bytes):
            rows = _rows(piece, known)
            refuse_long_cells(rows, COLUMNS, "traveller", self.units.limits)
            yield self.units.batch(rows, tally)
            tally = Tally()
        yield from self.units.bare_batch(tally, last=last)


def _weights(known: pl.DataFrame) -> pl.DataFrame:
    """What each message's flight adds to each of its rows, in bytes."""
    said = pl.sum_horizontal(pl.col(FLIGHT).str.len_bytes().fill_null(0))
    return known.select("message", said.cast(pl.UInt64).alias("said"))


def _rows(segments: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    departures = known.select("message", "departs_at")
    listed = pl.concat(traveller_items(segments, departures)).drop_nulls("text")
    said = cells(listed, "owner", TRAVELLER, distinct=True)
    named = segments.filter(pl.col("owner") == pl.col("position")).select("owner", "message")
    rows = named.join(known, on="message", how="left", maintain_order="left")
    rows = rows.join(said, on="owner", how="left", maintain_order="left")
    rows = rows.join(documents(segments), on="owner", how="left", maintain_order="left")
    return rows.select(pl.col("owner").alias(POSITION), *COLUMNS)


def _count_beyond(segments: pl.DataFrame, tally: Tally) -> None:
    tag, nobody = pl.col("tag"), pl.col("owner") == 0
    stranger = (tag == "NAD") & nobody & ~pl.col("party").is_in([*TRAVELLER_KINDS, REPORTING_PARTY])
    read = pl.when(nobody).then(pl.col("header") & read_of_header() & ~pl.col("lost")).otherwise(read_of_traveller())
    beyond = ~read & ~stranger & ~tag.is_in([*ENVELOPE, "CNT"])
    carried = (pl.col("owner") > 0) & holds_mrz()
    for rule, found in (
        ("discarded-unknown-party", segments.filter(stranger)),
        ("discarded-beyond-elements", segments.filter(beyond).filter(~carried)),
    ):
        tally.add(rule, "", found["position"].head(64), found.height)

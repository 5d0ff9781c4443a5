"""PNRGOV: what does a carrier's push say of each traveller?

A row is one traveller of one PNR in one message (so on one flight of the push); a PNR without travellers is one row
without names. `_position` is the number of the traveller's TIF, or of the PNR's SRC. Columns carry the 19 data types of
the US-EU PNR Agreement's Annex and nothing else: what is beyond them is counted as `discarded-beyond-annex` and goes
nowhere (Art. 3). A cell with several items has one a line: first those of the whole PNR, then the traveller's own.

Read by column: see `formats.edifact`. Versions 10:1 to 21:1 of the message.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.findings import Finding, Tally
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.edifact import read_segments
from pipeline.formats.pnrgov_cells import COLUMNS, with_cells
from pipeline.formats.pnrgov_context import (
    HISTORY_GROUP,
    NON_AIR_GROUP,
    PNR_GROUP,
    TRAVELLER_GROUP,
    Annotated,
    annotate,
)
from pipeline.formats.pnrgov_items import READ_BY_TAG, flight_items, flights, history, labelled
from pipeline.formats.pnrgov_messages import Messages, require_pnrgov
from pipeline.formats.pnrgov_requests import read_requests
from pipeline.formats.pnrgov_travellers import (
    PRIME_FLIGHT,
    checked_in,
    other_names,
    party_sizes,
    prime_flights,
    travellers,
)

__all__ = ["COLUMNS", "PnrGov"]

_STRUCTURE = frozenset({"SRC", "TIF", "TVL", "SSR", "EQN"})
_CHECK_IN_TAGS = ("TRI", "TIF", "SSD", "TBD", "SSR", "IFT")
_GROWTH = 4
"""Batches may grow to this many times `batch_bytes`, because each traveller's row repeats what the PNR says."""
_ROW_BYTES = 1024
"""What a row weighs that says nothing: some forty-eight cells. A megabyte of empty PNRs is not a gigabyte of rows."""

_SEGMENT_SCHEMA = pl.Schema({"position": pl.UInt64, "tag": pl.String, "body": pl.String})
_FLIGHT_SCHEMA = pl.Schema({"message": pl.UInt64, **dict.fromkeys(PRIME_FLIGHT, pl.String)})


@dataclass(frozen=True, slots=True)
class PnrGov:
    """Reads PNRGOV interchanges."""

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in batches; the last one may have none and holds what only the end could tell.

        Raises:
            Refused: what `read_segments` raises; message-unknown (not PNRGOV, or a version that is not 10:1 to 21:1).
            Misconfigured: column-unknown.
        """
        unknown = [column for column in columns if column not in COLUMNS]
        if unknown:
            raise Misconfigured(
                Code.COLUMN_UNKNOWN,
                f"The PNRGOV reader has no column {', '.join(unknown)}.",
                next_step="correct the feed's schema: docs list the columns of PNRGOV",
            )
        push = _Push(columns, limits)
        for segments in read_segments(blocks, limits):
            yield from push.rows(segments.frame, segments.tolerated)
        yield from push.last_rows()


@dataclass(slots=True)
class _Push:
    """The delivery so far: the PNR that is not whole yet, the message it stands in, and that message's flight."""

    columns: tuple[str, ...]
    limits: Limits
    messages: Messages = field(default_factory=Messages)
    open: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SEGMENT_SCHEMA))
    message: int = 0
    flights: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_FLIGHT_SCHEMA))
    row_count: int = 0

    def rows(self, frame: pl.DataFrame, tolerated: tuple[Finding, ...]) -> Iterator[Batch]:
        """The rows of the PNRs that `frame` completes."""
        tally = Tally()
        for finding in tolerated:
            tally.add(finding.rule, finding.column, finding.positions, finding.count)
        require_pnrgov(frame)
        joined = pl.concat([self.open, frame])
        ends = joined.with_row_index().filter(pl.col("tag").is_in(["SRC", "UNT", "UNZ"]))["index"]
        whole = int(ends[-1]) if len(ends) else 0
        self.open = joined.slice(whole)
        if self.open["body"].str.len_bytes().sum() > self.limits.batch_bytes * _GROWTH:
            raise _too_large(self.open["position"][0])
        yield from self._batches(joined.head(whole), tally)

    def last_rows(self) -> Iterator[Batch]:
        """What follows the last PNR, and what only the end of the delivery tells."""
        rest, self.open = self.open, self.open.clear()
        yield from self._batches(rest, Tally(), last=True)

    def _batches(self, frame: pl.DataFrame, tally: Tally, *, last: bool = False) -> Iterator[Batch]:
        annotated = annotate(frame, self.message)
        self.messages.follow(annotated, tally)
        if last:
            self.messages.finish(tally)
        new_flights, dayless = prime_flights(annotated.level0)
        tally.add("tolerated-arrival-without-day", "arrives_at", dayless)
        known_flights = pl.concat([self.flights, new_flights]).unique("message", keep="first", maintain_order=True)
        begun = frame.filter(pl.col("tag") == "UNH")["position"]
        self.message = int(begun[-1]) if len(begun) else self.message
        self.flights = known_flights.filter(pl.col("message") == self.message)
        for piece in self._pieces(annotated.segments):
            rows = _rows(Annotated(piece, annotated.level0), known_flights, self.limits, tally)
            self.row_count += rows.height
            if self.row_count > self.limits.max_rows:
                raise Refused(
                    Code.LIMIT_EXCEEDED,
                    f"The delivery holds more than {self.limits.max_rows} rows.",
                    next_step="ask the partner for smaller deliveries; or raise the feed's max_rows",
                )
            yield Batch(rows.select(POSITION, *self.columns), tally.findings())
            tally = Tally()
        if tally.findings() or (last and not self.row_count):
            yield Batch(
                pl.DataFrame(schema={POSITION: pl.UInt64, **dict.fromkeys(self.columns, pl.String)}), tally.findings()
            )

    def _pieces(self, segments: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """`segments` in pieces of whole PNRs whose rows stay within bounds: each repeats what its PNR says."""
        shared = (pl.col("owner") == 0).cast(pl.UInt64) * pl.col("body").str.len_bytes()
        named = ((pl.col("tag") == "TIF") & (pl.col("group") == TRAVELLER_GROUP)).sum().cast(pl.UInt64)
        weights = segments.group_by("pnr", maintain_order=True).agg(
            (pl.col("body").str.len_bytes().sum().cast(pl.UInt64) + shared.sum() * named + _ROW_BYTES).alias("bytes")
        )
        bound = self.limits.batch_bytes * _GROWTH
        heavy = weights.filter(pl.col("bytes") > bound)["pnr"]
        if len(heavy):
            raise _too_large(heavy[0])
        weights = weights.select("pnr", (pl.col("bytes").cum_sum() // bound).alias("piece"))
        if weights.height and weights["piece"][-1] > 0:
            yield from segments.join(weights, on="pnr", how="left", maintain_order="left").partition_by(
                "piece", maintain_order=True, include_key=False
            )
        elif weights.height:
            yield segments


def _rows(annotated: Annotated, known_flights: pl.DataFrame, limits: Limits, tally: Tally) -> pl.DataFrame:
    rows = travellers(annotated, known_flights)
    segments = annotated.segments
    checkins, nobody = checked_in(segments, rows)
    tally.add("discarded-unknown-traveller", "", nobody)
    segments = segments.join(checkins, on="check_in", how="left", maintain_order="left")
    of_check_in = (pl.col("check_in") > 0) & pl.col("tag").is_in(_CHECK_IN_TAGS)
    segments = segments.filter(~of_check_in | pl.col("known").is_not_null() | (pl.col("tag") == "SSR")).with_columns(
        pl.when(of_check_in).then(pl.coalesce("known", "owner")).otherwise("owner").alias("owner")
    )
    air = segments.filter((pl.col("group") < NON_AIR_GROUP) & (pl.col("tag") != "LTS"))
    by_tag = {str(key[0]): part for key, part in air.partition_by("tag", as_dict=True).items()}
    opened = flights(by_tag.get("TVL", air.clear()))
    listed = [*other_names(rows, segments, limits.max_cell_bytes)]
    listed += flight_items(by_tag.get("TVL", air.clear()), opened)
    for tag, part in by_tag.items():
        if tag in READ_BY_TAG:
            listed += READ_BY_TAG[tag](labelled(part, opened))
    past = pl.col("tag") == "LTS"
    listed.append(history(segments.filter((pl.col("group") >= HISTORY_GROUP) | past)))
    documents = None
    if "SSR" in by_tag:
        requests = read_requests(by_tag["SSR"], rows)
        listed += requests.items
        documents = requests.documents
        tally.add("tolerated-unknown-traveller", "", requests.unknown_kept.head(64), len(requests.unknown_kept))
        tally.add("discarded-unknown-traveller", "", requests.unknown_dropped.head(64), len(requests.unknown_dropped))
        tally.add("tolerated-request-code", "", requests.shapeless.head(64), len(requests.shapeless))
    _count_beyond_annex(segments, tally)
    rows = rows.join(party_sizes(segments, rows), on="pnr", how="left", maintain_order="left")
    if documents is not None:
        rows = rows.join(documents, on="owner", how="left", maintain_order="left")
    return with_cells(rows, listed, limits)


def _count_beyond_annex(segments: pl.DataFrame, tally: Tally) -> None:
    tag, group = pl.col("tag"), pl.col("group")
    carried = tag.is_in([*READ_BY_TAG, *_STRUCTURE]) & (group < NON_AIR_GROUP)
    beyond = segments.filter(~carried & (group < HISTORY_GROUP) & (tag != "LTS") & (group >= PNR_GROUP))["position"]
    if len(beyond):
        tally.add("discarded-beyond-annex", "", beyond.head(64), len(beyond))


def _too_large(position: int) -> Refused:
    return Refused(
        Code.LIMIT_EXCEEDED,
        f"The PNR at segment {position} is larger than a batch may grow.",
        next_step="ask the partner whether SRC segments are missing",
    )

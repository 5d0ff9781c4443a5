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

from pipeline.core.findings import Tally
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.edifact_kinds import MessageKind, read_messages
from pipeline.formats.edifact_units import Units
from pipeline.formats.pnrgov_cells import COLUMNS, with_cells
from pipeline.formats.pnrgov_context import (
    HISTORY_GROUP,
    NON_AIR_GROUP,
    PNR_GROUP,
    TRAVELLER_GROUP,
    Annotated,
    annotate,
)
from pipeline.formats.pnrgov_items import LABELLED, READ_BY_TAG, flight_items, flights, history, labelled
from pipeline.formats.pnrgov_messages import Messages
from pipeline.formats.pnrgov_pushes import PUSH, Pushes
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
_FLIGHT_SCHEMA = pl.Schema({"message": pl.UInt64, **dict.fromkeys((*PUSH, *PRIME_FLIGHT), pl.String)})
_KIND = MessageKind(
    name="PNRGOV",
    versions="(?:1[0-9]|2[01]):1",
    versions_meant="10:1 to 21:1",
    noun="PNR",
    columns=COLUMNS,
    opens=("SRC", "UNT", "UNZ"),
)


@dataclass(frozen=True, slots=True)
class PnrGov:
    """Reads PNRGOV interchanges."""

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in batches, or the refusal of all, as `read_messages` says."""
        yield from read_messages(_KIND, _Push, blocks, columns, limits)


@dataclass(slots=True)
class _Push:
    """The delivery so far: the PNR that is not whole yet, the message it stands in, and that message's flight."""

    units: Units
    messages: Messages = field(default_factory=Messages)
    pushes: Pushes = field(default_factory=Pushes)
    message: int = 0
    flights: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_FLIGHT_SCHEMA))

    def batches(self, frame: pl.DataFrame, tally: Tally, *, last: bool) -> Iterator[Batch]:
        """The rows of the whole units in `frame`."""
        annotated = annotate(frame, self.message)
        self.messages.follow(annotated, tally)
        if last:
            self.messages.finish(tally)
        new_flights, dayless = prime_flights(annotated.level0)
        tally.add("tolerated-arrival-without-day", "arrives_at", dayless)
        new_flights = self.pushes.of(annotated.level0, tally).join(new_flights, on="message", how="left")
        known_flights = pl.concat([self.flights, new_flights]).unique("message", keep="first", maintain_order=True)
        begun = frame.filter(pl.col("tag") == "UNH")["position"]
        self.message = int(begun[-1]) if len(begun) else self.message
        self.flights = known_flights.filter(pl.col("message") == self.message)
        for piece in self._pieces(annotated.segments):
            rows = _rows(Annotated(piece, annotated.level0), known_flights, self.units.limits, tally)
            yield self.units.batch(rows, tally)
            tally = Tally()
        yield from self.units.bare_batch(tally, last=last)

    def _pieces(self, segments: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """`segments` in pieces of whole PNRs whose rows stay within bounds: each repeats what its PNR says."""
        shared = (pl.col("owner") == 0).cast(pl.UInt64) * pl.col("body").str.len_bytes()
        named = ((pl.col("tag") == "TIF") & (pl.col("group") == TRAVELLER_GROUP)).sum().cast(pl.UInt64)
        size_bytes = pl.col("body").str.len_bytes().sum().cast(pl.UInt64) + shared.sum() * named
        yield from self.units.pieces(segments, "pnr", size_bytes)


def _rows(annotated: Annotated, known_flights: pl.DataFrame, limits: Limits, tally: Tally) -> pl.DataFrame:
    rows = travellers(annotated, known_flights)
    segments = annotated.segments.drop("message")
    checkins, nobody = checked_in(segments, rows)
    tally.add("discarded-unknown-traveller", "", nobody)
    air = segments.filter((pl.col("group") < NON_AIR_GROUP) & (pl.col("tag") != "LTS"))
    by_tag = {str(key[0]): part for key, part in air.partition_by("tag", as_dict=True).items()}
    by_tag |= {tag: _of_the_known(by_tag[tag], checkins) for tag in _CHECK_IN_TAGS if tag in by_tag}
    opened = flights(by_tag.get("TVL", air.clear()))
    listed = [*other_names(rows, segments, limits.max_cell_bytes)]
    listed += flight_items(by_tag.get("TVL", air.clear()), opened)
    for tag, part in by_tag.items():
        if tag in READ_BY_TAG:
            listed += READ_BY_TAG[tag](labelled(part, opened) if tag in LABELLED else part)
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


def _of_the_known(part: pl.DataFrame, checkins: pl.DataFrame) -> pl.DataFrame:
    """`part` with each check-in's traveller as the owner. What is said of nobody known is not there, but for requests:
    they may name somebody themselves."""
    if not part["check_in"].max():
        return part
    found = part.join(checkins, on="check_in", how="left", maintain_order="left")
    told = (pl.col("check_in") == 0) | pl.col("known").is_not_null() | (pl.col("tag") == "SSR")
    return found.filter(told).with_columns(pl.coalesce("known", "owner").alias("owner")).drop("known")


def _count_beyond_annex(segments: pl.DataFrame, tally: Tally) -> None:
    tag, group = pl.col("tag"), pl.col("group")
    carried = tag.is_in([*READ_BY_TAG, *_STRUCTURE]) & (group < NON_AIR_GROUP)
    beyond = segments.filter(~carried & (group < HISTORY_GROUP) & (tag != "LTS") & (group >= PNR_GROUP))["position"]
    if len(beyond):
        tally.add("discarded-beyond-annex", "", beyond.head(64), len(beyond))

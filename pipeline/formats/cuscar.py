"""CUSCAR: what does a carrier's cargo manifest say of each goods item?

A row (`row_kind`) is a goods item of a bill (`goods`), a bill without goods items (`bill`), or a container that the manifest
declares empty (`empty`); what belongs to the voyage and the bill is repeated in each of its rows. `_position` is the number
of GID, CNI or EQD. A goods item in several containers has them one a line, with their types and seals on the same lines.
Columns carry what a manifest needs (19 CFR 4.7a(c)(4)); a segment that no column carries is counted as
`discarded-beyond-elements` and goes nowhere.

Read by column: see `formats.edifact`. UN/EDIFACT directories D.95B to D.16B.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.cuscar_context import ENVELOPE, OPENS_A_UNIT, annotate
from pipeline.formats.cuscar_goods import (
    CONSIGNMENT,
    GOODS,
    consignment_items,
    goods_items,
    named_containers,
    read_of_consignment,
)
from pipeline.formats.cuscar_messages import Manifests
from pipeline.formats.cuscar_voyage import CONTAINER, EMPTY, VOYAGE, containers, read_of_voyage, voyages
from pipeline.formats.edifact_cells import cells
from pipeline.formats.edifact_kinds import MessageKind, read_messages
from pipeline.formats.edifact_units import Units, refuse_long_cells

COLUMNS = ("row_kind", *VOYAGE, *CONSIGNMENT, *GOODS)
"""Every column that the reader can fill, in order."""

_TEXT = dict.fromkeys(VOYAGE, pl.String)
_VOYAGES = pl.Schema({"message": pl.UInt64, **_TEXT})
_CONTAINERS = pl.Schema({"message": pl.UInt64, "position": pl.UInt64, **dict.fromkeys(CONTAINER, pl.String)})
_KIND = MessageKind(
    name="CUSCAR",
    versions="D:(?:95B|9[6-9][AB]|0[0-9][AB]|1[0-6][AB])",
    versions_meant="D.95B to D.16B",
    noun="consignment",
    columns=COLUMNS,
    opens=OPENS_A_UNIT,
)


@dataclass(frozen=True, slots=True)
class Cuscar:
    """Reads CUSCAR interchanges."""

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in batches, or the refusal of all, as `read_messages` says."""
        yield from read_messages(_KIND, _Manifests, blocks, columns, limits)


@dataclass(slots=True)
class _Manifests:
    """The delivery so far: the consignment that is not whole yet, the message, its voyage and its containers."""

    units: Units
    manifests: Manifests = field(default_factory=Manifests)
    message: int = 0
    voyages: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_VOYAGES))
    containers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_CONTAINERS))

    def batches(self, frame: pl.DataFrame, tally: Tally, *, last: bool) -> Iterator[Batch]:
        """The rows of the whole units in `frame`."""
        segments = annotate(frame, self.message)
        _count_beyond(segments, tally)
        self._learn(segments.filter((pl.col("consignment") == 0) & ~pl.col("lost")))
        self.manifests.follow(segments, self.containers, named_containers(segments), tally)
        if last:
            self.manifests.finish(tally)
        for piece in self.units.pieces(self._weighed(segments), "row_unit", pl.col("row_bytes").sum()):
            rows = self._rows(piece)
            refuse_long_cells(rows, COLUMNS, "goods item", self.units.limits)
            yield self.units.batch(rows, tally)
            tally = Tally()
        self.message = segments["message"][-1] if segments.height else self.message
        self.voyages = self.voyages.filter(pl.col("message") == self.message)
        self.containers = self.containers.filter(pl.col("message") == self.message)
        yield from self.units.bare_batch(tally, last=last)

    def _learn(self, header: pl.DataFrame) -> None:
        if not header["tag"].is_in(ENVELOPE).all():
            self.voyages = pl.concat([self.voyages, voyages(header)])
            self.containers = pl.concat([self.containers, containers(header)])

    def _weighed(self, segments: pl.DataFrame) -> pl.DataFrame:
        """The segments that make rows, with their `unit` (consignment or empty container) and the bytes of its rows."""
        empty = self.containers.filter(pl.col("container_status") == EMPTY)["position"].implode()
        is_empty = (pl.col("tag") == "EQD") & pl.col("position").is_in(empty)
        kept = segments.filter(~pl.col("lost") & ((pl.col("consignment") > 0) | is_empty))
        said = pl.sum_horizontal(pl.col(VOYAGE).str.len_bytes().fill_null(0)).cast(pl.UInt64).alias("voyage_bytes")
        kept = kept.join(self.voyages.select("message", said), on="message", how="left", maintain_order="left")
        unit = pl.when(pl.col("consignment") > 0).then(pl.col("consignment")).otherwise(pl.col("position"))
        sealed = self.containers.group_by("message").agg(pl.col("seals").str.len_bytes().max().alias("seal_bytes"))
        kept = kept.with_columns(unit.alias("row_unit")).join(sealed, on="message", how="left", maintain_order="left")
        own = pl.col("body").str.len_bytes().cast(pl.UInt64)
        shared = pl.when(pl.col("item") == 0).then(own).otherwise(0).sum().over("row_unit")
        each_row = pl.when(pl.col("tag").is_in(["GID", "CNI", "EQD"])).then(
            shared + pl.col("voyage_bytes").fill_null(0)
        )
        each_place = pl.when(pl.col("tag") == "SGP").then(pl.col("seal_bytes").fill_null(0))
        return kept.with_columns((own + each_row.fill_null(0) + each_place.fill_null(0)).alias("row_bytes"))

    def _rows(self, segments: pl.DataFrame) -> pl.DataFrame:
        tag, at = pl.col("tag"), pl.col("position")
        bills = segments.filter((tag == "CNI") & ~pl.col("consignment").is_in(_with_goods(segments)))
        empties = segments.filter((tag == "EQD") & (pl.col("consignment") == 0))
        opened = pl.concat([segments.filter(tag == "GID"), bills, empties]).sort("position")
        kinds = {"GID": "goods", "CNI": "bill", "EQD": "empty"}
        rows = opened.select(at, "message", "consignment", tag.replace_strict(kinds).alias("row_kind"))
        items = pl.concat(goods_items(segments.filter(pl.col("item") > 0), self.containers)).drop_nulls("text")
        goods = cells(pl.concat([items, self._empty(opened)]), "item", GOODS)
        shared = pl.concat(consignment_items(segments)).drop_nulls("text")
        billed = cells(shared, "consignment", CONSIGNMENT, distinct=True)
        rows = rows.join(self.voyages, on="message", how="left", maintain_order="left")
        rows = rows.join(billed, on="consignment", how="left", maintain_order="left")
        rows = rows.join(goods, left_on="position", right_on="item", how="left", maintain_order="left")
        return rows.select(at.alias(POSITION), *COLUMNS)

    def _empty(self, opened: pl.DataFrame) -> pl.DataFrame:
        """The containers that are rows of their own, as items keyed by their position."""
        found = (
            opened.filter(pl.col("tag") == "EQD").select("position").join(self.containers, on="position", how="inner")
        )
        said = {"containers": "container", "container_types": "container_type", "seals": "seals"}
        each = [
            found.select(pl.col("position").alias("item"), pl.lit(to).alias("column"), pl.col(name).alias("text"))
            for to, name in said.items()
        ]
        return pl.concat(each).drop_nulls("text").with_columns(pl.col("text").str.replace_all("\n", " ", literal=True))


def _with_goods(segments: pl.DataFrame) -> pl.Series:
    return segments.filter(pl.col("tag") == "GID")["consignment"].unique().implode()


def _count_beyond(segments: pl.DataFrame, tally: Tally) -> None:
    read = pl.when(pl.col("consignment") > 0).then(read_of_consignment()).otherwise(read_of_voyage())
    beyond = (~read | pl.col("lost")) & ~pl.col("tag").is_in([*ENVELOPE, "CNT"])
    found = segments.filter(beyond)["position"]
    tally.add("discarded-beyond-elements", "", found.head(64), len(found))

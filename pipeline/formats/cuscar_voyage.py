"""Which manifest is each CUSCAR message, of which voyage, and with which containers?"""

from collections.abc import Iterator

import polars as pl

from pipeline.formats.edifact_cells import cells, components, elements, phrase
from pipeline.formats.edifact_dates import moment

VOYAGE = (
    "manifest_kind",
    "manifest_number",
    "manifest_function",
    "carrier",
    "voyage",
    "vessel_id",
    "vessel_name",
    "vessel_flag",
    "departure_port",
    "arrival_port",
    "departs_at",
    "arrives_at",
)
CONTAINER = ("container", "container_type", "container_status", "seals")
EMPTY = "4"
"""EQD 8169: the container is empty, so that no goods item names it."""
_PORTS = {"5": "departure_port", "60": "arrival_port", "61": "arrival_port"}
"""LOC 3227: place of departure, place of arrival, next port of call."""
_TIMES = {"133": "departs_at", "136": "departs_at", "132": "arrives_at", "178": "arrives_at"}
"""DTM 2005: estimated and actual departure, estimated and actual arrival."""

Items = Iterator[pl.DataFrame]


def read_of_voyage() -> pl.Expr:
    """Which segments before the first consignment a column carries."""
    tag, qualifier = pl.col("tag"), pl.col("qualifier")
    in_container = pl.col("equipment") > 0
    found = tag.is_in(["BGM", "EQD"]) | ((tag == "SEL") & in_container)
    found |= (
        (tag == "TDT") | ((tag == "LOC") & qualifier.is_in([*_PORTS])) | ((tag == "DTM") & qualifier.is_in([*_TIMES]))
    )
    return found.fill_null(value=False)


def voyages(header: pl.DataFrame) -> pl.DataFrame:
    """One row a message: `message` and the columns of `VOYAGE`. `header`: the segments before each first consignment.

    Where a message tells several carriages (TDT), the first is the voyage.
    """
    segments = header.filter(pl.col("equipment") == 0)
    listed = pl.concat([*_manifest(segments), *_transport(segments), *_places(segments)])
    return cells(listed.drop_nulls("text"), "message", VOYAGE, distinct=True)


def containers(header: pl.DataFrame) -> pl.DataFrame:
    """One row a container (EQD) of a message: `message`, `position` and the columns of `CONTAINER`."""
    inside = header.filter(pl.col("equipment") > 0)
    eqd = elements(inside.filter(pl.col("tag") == "EQD"), "", "number", "size", "", "", "status")
    eqd = components(components(eqd, "number", "container"), "size", "code", "", "", "name")
    sealed = components(elements(inside.filter(pl.col("tag") == "SEL"), "number"), "number", "seal").drop_nulls("seal")
    seals = sealed.group_by("equipment", maintain_order=True).agg(pl.col("seal").str.join("\n").alias("seals"))
    named = eqd.select(
        "message",
        "position",
        "container",
        pl.coalesce("code", "name").alias("container_type"),
        pl.col("status").alias("container_status"),
    )
    return named.join(seals.rename({"equipment": "position"}), on="position", how="left", maintain_order="left")


def _item(frame: pl.DataFrame, column: str, text: pl.Expr) -> pl.DataFrame:
    return frame.select("message", pl.lit(column).alias("column"), text.alias("text"))


def _manifest(segments: pl.DataFrame) -> Items:
    apart = elements(segments.filter(pl.col("tag") == "BGM"), "name", "number", "function")
    apart = components(apart, "name", "kind")
    yield _item(apart, "manifest_kind", pl.col("kind"))
    yield _item(apart, "manifest_number", phrase(pl.col("number")))
    yield _item(apart, "manifest_function", phrase(pl.col("function")))


def _transport(segments: pl.DataFrame) -> Items:
    first = segments.filter(pl.col("tag") == "TDT").unique("message", keep="first", maintain_order=True)
    apart = elements(first, "", "journey", "", "", "by", "", "", "means")
    apart = components(components(apart, "by", "carrier"), "means", "vessel", "", "", "name", "flag")
    yield _item(apart, "carrier", pl.col("carrier"))
    yield _item(apart, "voyage", phrase(pl.col("journey")))
    yield _item(apart, "vessel_id", pl.col("vessel"))
    yield _item(apart, "vessel_name", pl.col("name"))
    yield _item(apart, "vessel_flag", pl.col("flag"))


def _places(segments: pl.DataFrame) -> Items:
    qualifier = pl.col("qualifier")
    loc = segments.filter((pl.col("tag") == "LOC") & qualifier.is_in([*_PORTS]))
    loc = components(elements(loc, "", "where"), "where", "code", "", "", "name")
    column = qualifier.replace_strict(_PORTS, default=None).alias("column")
    yield loc.select("message", column, pl.coalesce("code", "name").alias("text"))
    dtm = segments.filter((pl.col("tag") == "DTM") & qualifier.is_in([*_TIMES]))
    dtm = components(dtm, "body", "", "digits", "code")
    column = qualifier.replace_strict(_TIMES, default=None).alias("column")
    yield dtm.select("message", column, moment(pl.col("digits"), pl.col("code")).alias("text"))

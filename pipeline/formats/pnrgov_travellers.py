"""Who travels in each PNR, on which flight of the push, and whose is what the check-in says?"""

import polars as pl

from pipeline.core.errors import Code, Refused
from pipeline.formats.edifact_cells import components, elements, present, words
from pipeline.formats.pnrgov_context import FLIGHT_GROUP, TRAVELLER_GROUP, Annotated
from pipeline.formats.pnrgov_items import flights, items
from pipeline.formats.pnrgov_times import moment

PRIME_FLIGHT = (
    "flight_carrier",
    "flight_number",
    "departure_airport",
    "arrival_airport",
    "departs_at",
    "arrives_at",
)
_NAMES = ("surname", "given_names", "traveller_type", "traveller_ref")
MOST_TRAVELLERS = 999
"""The largest party that a PNR may hold; each row names all the others."""


def prime_flights(level0: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The flight that each message is about, by `message`; and where an arrival has a time but no day.

    Such an arrival is null: the day is not said.
    """
    first = level0.filter(pl.col("tag") == "TVL").unique("message", keep="first", maintain_order=True)
    opened = flights(first.with_columns(pl.col("position").alias("flight")))
    tvl = first.select("message", "position").join(opened, left_on="position", right_on="flight", maintain_order="left")
    day, time = pl.col("arrival_day"), pl.col("arrival_time")
    hour_for_day = day.str.contains(r"\A[0-9]{4}\z") & time.is_null()
    dayless = ((day.is_null() & time.is_not_null()) | hour_for_day).fill_null(value=False)
    prime = tvl.select(
        "message",
        pl.col("marketing").alias("flight_carrier"),
        "flight_number",
        pl.col("departure").alias("departure_airport"),
        pl.col("arrival").alias("arrival_airport"),
        moment(pl.col("day"), pl.col("time")).alias("departs_at"),
        pl.when(~dayless).then(moment(day, time)).alias("arrives_at"),
    )
    return prime, tvl.filter(dayless)["position"]


def travellers(annotated: Annotated, prime: pl.DataFrame) -> pl.DataFrame:
    """One row a traveller of GR2; a PNR without one gives a row without names. In the order of the segments.

    Columns: owner, pnr, message, surname, given_names, traveller_type, traveller_ref, ref (to match), then the message's
    flight. A group (TIF type G) is no traveller.

    Raises:
        Refused: limit-exceeded; record-malformed, where a traveller stands after the flights, outside a check-in.
    """
    segments = annotated.segments
    tif = segments.filter(pl.col("tag") == "TIF")
    lost = tif.filter(pl.col("group").is_between(FLIGHT_GROUP, 9) & (pl.col("check_in") == 0))["position"]
    if len(lost):
        raise Refused(
            Code.RECORD_MALFORMED,
            f"Segment {lost[0]} names a traveller after the flights of its PNR, outside a check-in.",
            next_step="ask the partner for messages with the groups in the order of the implementation guide",
        )
    named = _names(tif.filter(pl.col("owner") == pl.col("position"))).select("owner", "pnr", "message", *_NAMES)
    nameless = segments.filter(pl.col("tag") == "SRC").join(named, on="pnr", how="anti")
    rows = pl.concat([named, nameless.select(pl.col("pnr").alias("owner"), "pnr", "message")], how="diagonal").sort(
        "owner"
    )
    return _with_refs(rows, segments).join(prime, on="message", how="left", maintain_order="left")


def _names(tif: pl.DataFrame) -> pl.DataFrame:
    apart = components(elements(tif, "name", "person"), "name", "surname")
    return components(apart, "person", *_NAMES[1:])


def _with_refs(rows: pl.DataFrame, segments: pl.DataFrame) -> pl.DataFrame:
    """Where TIF gives no reference, REF's stands in, and then the place in the party: "#2"."""
    reference = segments.filter((pl.col("tag") == "REF") & (pl.col("owner") > 0)).unique(
        "owner", keep="first", maintain_order=True
    )
    reference = reference.select("owner", words(pl.col("body")).alias("unique_ref"))
    at = pl.int_range(pl.len())
    place = at - pl.when(pl.col("pnr").is_first_distinct()).then(at).otherwise(0).cum_max() + 1
    place = pl.when(pl.col("surname").is_not_null()).then(pl.concat_str([pl.lit("#"), place]))
    party = rows.group_by("pnr").agg(pl.len().alias("party"), pl.col("pnr").first().alias("first"))
    crowded = party.filter(pl.col("party") > MOST_TRAVELLERS)["first"]
    if len(crowded):
        raise Refused(
            Code.LIMIT_EXCEEDED,
            f"The PNR at segment {crowded.sort()[0]} holds more than {MOST_TRAVELLERS} travellers.",
            next_step="ask the partner whether SRC segments are missing",
        )
    joined = rows.join(reference, on="owner", how="left", maintain_order="left")
    return joined.with_columns(
        present(pl.col("traveller_ref").str.strip_chars_start("0")).alias("ref"),
        pl.coalesce("traveller_ref", "unique_ref", place).alias("traveller_ref"),
    ).drop("unique_ref")


def checked_in(segments: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The traveller (`known`) of each check-in (`check_in`, the position of TRI); and the check-ins of nobody known.

    The reference in the check-in's own TIF says who it is; without one the reference in TRI; then the name.
    """
    inside = segments.filter(pl.col("check_in") > 0)
    tri = components(elements(inside.filter(pl.col("tag") == "TRI"), "", "who"), "who", "", "", "", "tri_ref")
    tri = tri.select("check_in", "pnr", pl.col("tri_ref").str.strip_chars_start("0"))
    tif = _names(inside.filter(pl.col("tag") == "TIF").unique("check_in", keep="first", maintain_order=True))
    tif = tif.select(
        "check_in", "surname", "given_names", pl.col("traveller_ref").str.strip_chars_start("0").alias("tif_ref")
    )
    found = tri.join(tif, on="check_in", how="left", maintain_order="left")
    for wanted, offered in (("tif_ref", ["ref"]), ("tri_ref", ["ref"]), ("name", ["surname", "given_names"])):
        left = offered if wanted == "name" else [wanted]
        known = rows.select("pnr", *offered, pl.col("owner").alias(f"by_{wanted}")).unique(
            ["pnr", *offered], keep="none"
        )
        found = found.join(known, left_on=["pnr", *left], right_on=["pnr", *offered], how="left", maintain_order="left")
    found = found.select("check_in", pl.coalesce("by_tif_ref", "by_tri_ref", "by_name").alias("known"))
    return found.drop_nulls(), found.filter(pl.col("known").is_null())["check_in"]


def other_names(rows: pl.DataFrame, segments: pl.DataFrame, longest_bytes: int) -> list[pl.DataFrame]:
    """The names of the others of each party, and of its group, as items.

    Raises:
        Refused: limit-exceeded, before a list too long for a cell is made for each of many travellers.
    """
    name = pl.concat_str(["surname", "given_names"], separator="/", ignore_nulls=True)
    named = rows.filter(pl.col("surname").is_not_null()).select("pnr", "owner", present(name).alias("text"))
    sizes = named.group_by("pnr").agg((pl.col("text").str.len_bytes() + 1).sum().alias("bytes"))
    heavy = sizes.filter(pl.col("bytes") > longest_bytes)["pnr"]
    if len(heavy):
        raise Refused(
            Code.LIMIT_EXCEEDED,
            f"The PNR at segment {heavy.sort()[0]} holds more names than a cell may.",
            next_step="ask the partner whether SRC segments are missing; or raise the feed's max_cell_bytes",
        )
    pairs = named.select("pnr", "owner").join(
        named.select("pnr", pl.col("owner").alias("position"), "text"), on="pnr", how="inner"
    )
    others = pairs.filter(pl.col("owner") != pl.col("position")).sort("owner", "position")
    group = segments.filter((pl.col("tag") == "TIF") & (pl.col("group") == TRAVELLER_GROUP) & (pl.col("owner") == 0))
    return [
        items(others, "other_names", pl.col("text")),
        items(_names(group), "other_names", pl.col("surname")),
    ]


def party_sizes(segments: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """`traveller_count` of each PNR: the quantity that its flights are booked for (RPI), else the travellers named."""
    booked = elements(segments.filter(pl.col("tag") == "RPI"), "quantity").filter(
        pl.col("quantity").str.contains(r"\A[0-9]{1,3}\z")
    )
    booked = booked.group_by("pnr").agg(pl.col("quantity").cast(pl.UInt16).max().alias("booked"))
    named = rows.group_by("pnr").agg(pl.col("surname").count().cast(pl.UInt16).alias("named"))
    both = named.join(booked, on="pnr", how="left").filter(pl.coalesce("booked", "named") > 0)
    return both.select("pnr", pl.coalesce("booked", "named").cast(pl.String).alias("traveller_count"))

"""Which list is each PAXLST message, and of which flight?"""

from collections.abc import Iterator

import polars as pl

from pipeline.formats.edifact_cells import cells, components, each_element, elements, line, phrase, present, words
from pipeline.formats.edifact_dates import moment
from pipeline.formats.paxlst_context import REPORTING_PARTY

FLIGHT = (
    "list_kind",
    "list_status",
    "list_function",
    "flight_carrier",
    "flight_number",
    "departure_airport",
    "arrival_airport",
    "departs_at",
    "arrives_at",
    "route",
    "reporting_party",
    "reporting_contacts",
)
_DEPARTURE, _ARRIVAL = "125", "87"
_DEPARTS, _ARRIVES = "189", "232"
_REPORTING_TAGS = ("NAD", "CTA", "COM")
_FLIGHT_NUMBER = r"\A([A-Z][A-Z0-9]|[0-9][A-Z]|[A-Z]{3})[ -]?([0-9]{1,4}[A-Z]?)\z"
"""An IATA designator of two signs or an ICAO one of three letters, then the number."""

Items = Iterator[pl.DataFrame]


def flights(header: pl.DataFrame) -> pl.DataFrame:
    """One row a message: `message` and the columns of `FLIGHT`. `header`: the segments before each first traveller.

    Where a message lists several flights (TDT), the first is the list's; `route` tells all of them.
    """
    segments = header
    listed = [*_list(segments.filter(pl.col("tag") == "BGM"))]
    listed += _reporting(segments.filter(pl.col("party") == REPORTING_PARTY))
    listed += _transport(_legs(segments))
    every = pl.concat(listed).drop_nulls("text").sort("position", maintain_order=True)
    return cells(every, "message", FLIGHT, distinct=True)


def _item(frame: pl.DataFrame, column: str, text: pl.Expr) -> pl.DataFrame:
    return frame.select("message", "position", pl.lit(column).alias("column"), text.alias("text"))


def _list(bgm: pl.DataFrame) -> Items:
    apart = components(elements(bgm, "name", "number", "function"), "name", "kind")
    yield _item(apart, "list_kind", pl.col("kind"))
    yield _item(apart, "list_status", phrase(pl.col("number")))
    yield _item(apart, "list_function", phrase(pl.col("function")))


def _reporting(segments: pl.DataFrame) -> Items:
    tag = pl.col("tag")
    named = elements(segments.filter(tag == "NAD"), "", "identifier", "lines", "name")
    name = pl.coalesce(phrase(pl.col("name")), phrase(pl.col("lines")), phrase(pl.col("identifier")))
    yield _item(named, "reporting_party", name)
    yield _item(segments.filter(tag == "CTA"), "reporting_contacts", words(pl.col("body")))
    reached = components(each_element(segments.filter(tag == "COM")), "body", "address", "kind")
    yield _item(reached, "reporting_contacts", line(pl.col("kind"), pl.col("address")))


def _legs(header: pl.DataFrame) -> pl.DataFrame:
    """The segments of SG2 with their `leg` (the position of TDT) and `place` (the qualifier of the LOC above them)."""
    tag, at = pl.col("tag"), pl.col("position")
    inside = header.filter((pl.col("party") == "") & tag.is_in(["TDT", "LOC", "DTM"]))
    place = pl.when(tag == "LOC").then(pl.col("qualifier").fill_null("")).when(tag == "TDT").then(pl.lit(""))
    marked = inside.with_columns(
        pl.when(tag == "TDT").then(at).forward_fill().over("message").alias("leg"),
        place.forward_fill().over("message").alias("place"),
    )
    return marked.filter(pl.col("leg").is_not_null())


def _transport(legs: pl.DataFrame) -> Items:
    tag, qualifier = pl.col("tag"), pl.col("qualifier")
    prime = legs.filter(pl.col("leg") == pl.col("leg").min().over("message"))
    tdt = components(elements(prime.filter(tag == "TDT"), "", "number", "", "", "by"), "by", "carrier")
    tdt = components(tdt, "number", "journey")
    designator = pl.col("journey").str.extract(_FLIGHT_NUMBER, 1)
    number = pl.col("journey").str.extract(_FLIGHT_NUMBER, 2)
    without = pl.when(pl.col("journey").str.starts_with(pl.col("carrier"))).then(
        present(pl.col("journey").str.strip_prefix(pl.col("carrier")).str.strip_chars_start(" -"))
    )
    yield _item(tdt, "flight_carrier", pl.coalesce("carrier", designator))
    yield _item(tdt, "flight_number", pl.coalesce(without, number, "journey"))
    places = _places(prime.filter(tag == "LOC"))
    yield _item(places.filter(qualifier == _DEPARTURE), "departure_airport", pl.col("port"))
    yield _item(places.filter(qualifier == _ARRIVAL), "arrival_airport", pl.col("port"))
    times = components(prime.filter(tag == "DTM"), "body", "", "digits", "code")
    for column, meant, place in (("departs_at", _DEPARTS, _DEPARTURE), ("arrives_at", _ARRIVES, _ARRIVAL)):
        # A time under another place of the route (LOC 92) is not that of the flight.
        said = times.filter((qualifier == meant) & pl.col("place").is_in([place, _DEPARTURE, _ARRIVAL, ""]))
        nearest = said.filter((pl.col("place") == place).cast(pl.Int8) == _nearest(place))
        yield _item(nearest, column, moment(pl.col("digits"), pl.col("code")))
    ports = _places(legs.filter(tag == "LOC"))
    flown = components(elements(legs.filter(tag == "TDT"), "", "number"), "number", "journey")
    yield _item(flown, "route", line(qualifier, pl.col("journey")))
    yield _item(ports, "route", line(qualifier, pl.col("port")))


def _nearest(place: str) -> pl.Expr:
    """1 where the message says a time under that place itself, else 0."""
    return (pl.col("place") == place).cast(pl.Int8).max().over("message")


def _places(loc: pl.DataFrame) -> pl.DataFrame:
    """LOC with its `port`: the code of C517, else its name."""
    apart = components(elements(loc, "", "where"), "where", "code", "", "", "name")
    return apart.with_columns(pl.coalesce("code", "name").alias("port"))


def read_of_header() -> pl.Expr:
    """Which segments before the first traveller a column carries."""
    tag, party = pl.col("tag"), pl.col("party")
    reporting = (party == REPORTING_PARTY) & tag.is_in(_REPORTING_TAGS)
    timed = (tag == "DTM") & pl.col("qualifier").is_in([_DEPARTS, _ARRIVES])
    return (tag == "BGM") | reporting | ((party == "") & (tag.is_in(["TDT", "LOC"]) | timed.fill_null(value=False)))

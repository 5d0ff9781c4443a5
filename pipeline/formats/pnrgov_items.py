"""The items that a PNR holds, one a line of a cell: which segment puts which text into which column?

An item is (pnr, owner, position, column, text): the traveller's own, or, with owner 0, every traveller's of that PNR.
"""

from collections.abc import Callable, Iterator

import polars as pl

from pipeline.formats.edifact import COMPONENT, ELEMENT
from pipeline.formats.edifact_cells import components, each_element, elements, line, present, spread, words
from pipeline.formats.pnrgov_context import SPLIT_GROUP
from pipeline.formats.pnrgov_times import moment

Items = Iterator[pl.DataFrame]

_WEIGHT_UNITS = {"700": "kg", "701": "lb"}
_FARE_CALCULATION, _PAYER, _OTHER_SERVICE = "15", "43", "28"
_BODY, _LABEL = pl.col("body"), pl.col("label")


def items(frame: pl.DataFrame, column: str, text: pl.Expr) -> pl.DataFrame:
    """One item a row of `frame`, where there is a text."""
    listed = frame.select("pnr", "owner", "position", pl.lit(column).alias("column"), text.alias("text"))
    return listed.drop_nulls("text")


def flights(tvl: pl.DataFrame) -> pl.DataFrame:
    """The flights of the PNRs: `flight` (position), its parts, and its `label`, "LH 400 FRA-JFK"."""
    opened = tvl.filter(pl.col("flight") == pl.col("position")).select("flight", "body")
    apart = elements(opened, "when", "from", "to", "carriers", "number").drop("body")
    apart = components(apart, "when", "day", "time", "arrival_day", "arrival_time")
    apart = components(components(apart, "from", "departure"), "to", "arrival")
    apart = components(components(apart, "carriers", "marketing", "operating"), "number", "flight_number", "class")
    places = pl.concat_str(["departure", "arrival"], separator="-", ignore_nulls=True)
    return apart.with_columns(line(pl.col("marketing"), pl.col("flight_number"), present(places)).alias("label"))


def flight_items(tvl: pl.DataFrame, opened: pl.DataFrame) -> Items:
    """Itinerary, days of travel and code shares. A TVL that opens no flight is the other carrier's number."""
    flown = tvl.select("pnr", "owner", "position").join(
        opened, left_on="position", right_on="flight", how="inner", maintain_order="left"
    )
    departs = moment(pl.col("day"), pl.col("time"))
    arrives = moment(pl.col("arrival_day"), pl.col("arrival_time"))
    yield items(flown, "itinerary", line(_LABEL, departs, arrives, pl.col("class")))
    days = items(flown, "travel_dates", moment(pl.col("day"), pl.lit(None, pl.String)))
    yield days.unique(["pnr", "text"], keep="first", maintain_order=True)
    shared = flown.filter(pl.col("operating").is_not_null())
    yield items(shared, "code_shares", line(_LABEL, pl.lit("operated by"), pl.col("operating")))
    other = labelled(tvl.filter(pl.col("flight") != pl.col("position")), opened)
    yield items(other, "code_shares", line(_LABEL, pl.lit("as"), words(_BODY)))


def labelled(frame: pl.DataFrame, opened: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the `label` of the flight that each segment is under."""
    return frame.join(opened.select("flight", "label"), on="flight", how="left", maintain_order="left")


def history(frame: pl.DataFrame) -> pl.DataFrame:
    """Each segment of GR10 to GR12, and LTS, as one line of text beginning with its tag."""
    return items(frame, "history", line(pl.col("tag"), words(_BODY)))


def _locators(frame: pl.DataFrame) -> Items:
    split = (pl.col("group") == SPLIT_GROUP) & (pl.col("split") > pl.col("flight"))
    each = components(each_element(frame), "body", "carrier", "locator", "kind", "day", "time")
    yield items(each.filter(split), "split_from", words(_BODY))
    named = each.filter(~split).unique(["pnr", "carrier", "locator"], keep="first", maintain_order=True)
    # Some carriers leave out the locator's type: the date then stands in its place.
    shifted = pl.col("kind").str.contains(r"\A[0-9]{6}\z").fill_null(value=False)
    first = pl.col("pnr").is_first_distinct()
    main, others = named.filter(first), named.filter(~first)
    yield items(main, "record_locator", pl.col("locator"))
    yield items(main, "locator_carrier", pl.col("carrier"))
    booked = (
        pl.when(shifted).then(moment(pl.col("kind"), pl.col("day"))).otherwise(moment(pl.col("day"), pl.col("time")))
    )
    yield items(main, "booked_at", booked)
    kind = pl.when(~shifted).then(pl.col("kind"))
    yield items(others, "other_locators", line(pl.col("carrier"), pl.col("locator"), kind))


def _dates(frame: pl.DataFrame) -> Items:
    each = components(each_element(frame), "body", "code", "day", "time").with_columns(
        moment(pl.col("day"), pl.col("time")).alias("moment")
    )
    booking, code = each.filter(pl.col("flight") == 0), pl.col("code")
    yield items(booking.filter(code == "700"), "last_changed_at", pl.col("moment"))
    yield items(booking.filter(code == "710"), "ticketed_at", pl.col("moment"))
    status = each.filter((pl.col("flight") > 0) | ~code.is_in(["700", "710"]).fill_null(value=False))
    said = line(pl.lit("DAT"), code, pl.col("moment"), _LABEL)
    yield items(status.filter(pl.col("moment").is_not_null()), "travel_status", said)


def _origin(frame: pl.DataFrame) -> Items:
    booking = elements(
        frame.filter(pl.col("flight") == 0),
        "carrier",
        "agent",
        "place",
        "system",
        "kind",
        "country",
        "sine",
        "line",
        "by",
    )
    where = ("carrier", "agent", "place", "system", "kind", "country")
    yield items(booking, "agency", words(line(*(pl.col(name) for name in where))))
    yield items(booking, "agent_sine", words(line(pl.col("sine"), pl.col("line"), pl.col("by"))))
    checked_in = frame.filter(pl.col("flight") > 0)
    yield items(checked_in, "travel_status", line(pl.lit("ORG"), words(_BODY), _LABEL))


def _addresses(frame: pl.DataFrame) -> Items:
    apart = spread(frame, "body", ELEMENT, ("", "address"))
    said = pl.col("address").str.replace(COMPONENT, " ", literal=True)
    text = present(said.str.replace_all(rf" *{COMPONENT}[{COMPONENT} ]*", ", ").str.strip_chars(", "))
    payer = (pl.col("owner") > 0) & (pl.col("payment") > pl.col("owner"))
    yield items(apart.filter(payer), "payer", text)
    yield items(apart.filter(~payer), "contacts", text)


def _free_text(frame: pl.DataFrame) -> Items:
    apart = frame.with_columns(_BODY.str.splitn(ELEMENT, 2).struct.rename_fields(["head", "said"])).unnest("body")
    each = components(apart, "head", "", "kind", "", "carrier").with_columns(words(pl.col("said")))
    kind, said = pl.col("kind"), pl.col("said")
    contact = ((kind == _OTHER_SERVICE) & said.str.starts_with("CTC")).fill_null(value=False)
    other = pl.when(kind == _OTHER_SERVICE).then(pl.lit("OSI")).otherwise(line(pl.lit("IFT"), kind))
    yield items(each.filter(contact), "contacts", said)
    yield items(each.filter(kind == _FARE_CALCULATION), "fares", line(pl.lit("IFT"), kind, said))
    yield items(each.filter(kind == _PAYER), "payer", said)
    rest = each.filter(~contact & ~kind.is_in([_FARE_CALCULATION, _PAYER]).fill_null(value=False))
    yield items(rest, "remarks", line(other, pl.col("carrier"), said))


def _payments(frame: pl.DataFrame) -> Items:
    each = components(each_element(frame), "body", "form", "indicator", "amount", "vendor", "card", "expiry")
    form = line(pl.col("form"), pl.col("vendor"), pl.col("expiry"), pl.col("indicator"))
    yield items(each, "payment_forms", form.fill_null("-"))
    yield items(each, "card_numbers", pl.col("card").fill_null("-"))
    yield items(each, "amounts", pl.col("amount").fill_null("-"))


def _operating(frame: pl.DataFrame) -> Items:
    yield items(frame, "code_shares", line(_LABEL, pl.lit("operated by"), words(_BODY)))


def _status(frame: pl.DataFrame) -> Items:
    apart = elements(frame, "quantity", "status")
    yield items(apart, "travel_status", line(words(pl.col("status")), words(pl.col("quantity")), _LABEL))


def _check_in(frame: pl.DataFrame) -> Items:
    apart = components(elements(frame, "", "sequence"), "sequence", "number")
    yield items(apart, "travel_status", line(pl.lit("TRI"), pl.col("number"), _LABEL))


def _baggage(frame: pl.DataFrame) -> Items:
    apart = components(elements(frame, "", "bags", "", "pool"), "bags", "count", "weight", "unit")
    unit = pl.col("unit").replace(_WEIGHT_UNITS)
    yield items(apart, "baggage", line(pl.col("count"), pl.col("weight"), unit, words(pl.col("pool")), _LABEL))
    yield items(each_element(frame, first=4), "bag_tags", words(_BODY))


def _seat(frame: pl.DataFrame) -> Items:
    yield items(frame, "seats", line(words(_BODY), _LABEL))


def _ticket(frame: pl.DataFrame) -> Items:
    apart = components(elements(frame, "ticket"), "ticket", "number")
    yield items(apart, "ticket_numbers", pl.col("number"))


def _each(column: str, tag: str = "") -> Callable[[pl.DataFrame], Items]:
    def read(frame: pl.DataFrame) -> Items:
        text = words(_BODY)
        yield items(each_element(frame), column, pl.concat_str([pl.lit(tag + " "), text]) if tag else text)

    return read


def _whole(column: str, tag: str) -> Callable[[pl.DataFrame], Items]:
    def read(frame: pl.DataFrame) -> Items:
        yield items(frame, column, line(pl.lit(tag), words(_BODY)))

    return read


READ_BY_TAG: dict[str, Callable[[pl.DataFrame], Items]] = {
    "RCI": _locators,
    "DAT": _dates,
    "ORG": _origin,
    "ADD": _addresses,
    "IFT": _free_text,
    "FOP": _payments,
    "TRA": _operating,
    "RPI": _status,
    "TRI": _check_in,
    "TBD": _baggage,
    "SSD": _seat,
    "TKT": _ticket,
    "FTI": _each("frequent_flyer"),
    "MON": _each("fares", "MON"),
    "TXD": _each("fares", "TXD"),
    "FAR": _whole("fares", "FAR"),
    "PTK": _whole("fares", "PTK"),
    "EBD": _whole("baggage", "EBD"),
}
"""What each segment of GR1 to GR8 yields, labelled with its flight. TVL, TIF and SSR are read elsewhere."""
LABELLED = ("DAT", "ORG", "TRA", "RPI", "TRI", "TBD", "SSD")
"""The segments that are told with the label of their flight."""

"""The items that a PNR holds, one a line of a cell: which segment puts which text into which column?

An item is (pnr, owner, position, column, text): the traveller's own, or, with owner 0, every traveller's of that PNR.
Texts are the segment's words, apart by one space, so that a scan for terms finds them.
"""

from collections.abc import Callable, Iterator

import polars as pl

from pipeline.formats.edifact import COMPONENT, ELEMENT
from pipeline.formats.pnrgov_context import SPLIT_GROUP
from pipeline.formats.pnrgov_times import moment, present

ITEM = ("pnr", "owner", "position", "column", "text")
PLACE = ("pnr", "owner", "position", "flight", "payment", "split", "group")
Items = Iterator[pl.DataFrame]

_SEPARATORS = rf"[{ELEMENT}{COMPONENT} ]+"
_WEIGHT_UNITS = {"700": "kg", "701": "lb"}
_FARE_CALCULATION, _PAYER, _OTHER_SERVICE = "15", "43", "28"


def words(cell: pl.Expr) -> pl.Expr:
    """The cell's components with one space between; null where there is none."""
    return present(cell.str.replace_all(_SEPARATORS, " "))


def line(*parts: pl.Expr) -> pl.Expr:
    """The present parts with one space between; null where there is none."""
    return present(pl.concat_str(list(parts), separator=" ", ignore_nulls=True))


def element(index: int) -> pl.Expr:
    """The body's element, 0 for the first; null where there is none."""
    return pl.col("body").str.split(ELEMENT).list.get(index, null_on_oob=True)


def component(cell: pl.Expr, index: int) -> pl.Expr:
    """The present component of an element, 0 for the first."""
    return present(cell.str.split(COMPONENT).list.get(index, null_on_oob=True))


def each_element(frame: pl.DataFrame, *, first: int = 0) -> pl.DataFrame:
    """A row for each element from `first` on that is not empty, as `body`."""
    listed = frame.with_columns(pl.col("body").str.split(ELEMENT).list.slice(first))
    return listed.explode("body", empty_as_null=False).filter(words(pl.col("body")).is_not_null())


def items(frame: pl.DataFrame, column: str, text: pl.Expr) -> pl.DataFrame:
    """One item a row of `frame`, where there is a text."""
    return frame.select("pnr", "owner", "position", pl.lit(column).alias("column"), text.alias("text")).drop_nulls(
        "text"
    )


def flights(tvl: pl.DataFrame) -> pl.DataFrame:
    """The flights of the PNRs: `flight` (position) and its `label`, "LH 400 FRA-JFK"."""
    return tvl.filter(pl.col("flight") == pl.col("position")).select("flight", flight_label().alias("label"))


def flight_label() -> pl.Expr:
    """Marketing carrier, number and places of a TVL."""
    places = pl.concat_str([component(element(1), 0), component(element(2), 0)], separator="-", ignore_nulls=True)
    return line(component(element(3), 0), component(element(4), 0), present(places))


def _locators(frame: pl.DataFrame) -> Items:
    split = (pl.col("group") == SPLIT_GROUP) & (pl.col("split") > pl.col("flight"))
    each = each_element(frame).with_columns(
        component(pl.col("body"), 0).alias("carrier"), component(pl.col("body"), 1).alias("locator")
    )
    yield items(each.filter(split), "split_from", words(pl.col("body")))
    named = each.filter(~split).unique(["pnr", "carrier", "locator"], keep="first", maintain_order=True)
    first = pl.int_range(pl.len()).over("pnr") == 0
    main = named.filter(first)
    day, time = component(pl.col("body"), 3), component(pl.col("body"), 4)
    # Some carriers leave out the locator's type: the date then stands in its place.
    shifted = component(pl.col("body"), 2).str.contains(r"\A[0-9]{6}\z").fill_null(value=False)
    booked = pl.when(shifted).then(moment(component(pl.col("body"), 2), day)).otherwise(moment(day, time))
    yield items(main, "record_locator", pl.col("locator"))
    yield items(main, "locator_carrier", pl.col("carrier"))
    yield items(main, "booked_at", booked)
    kind = pl.when(~shifted).then(component(pl.col("body"), 2))
    yield items(named.filter(~first), "other_locators", line(pl.col("carrier"), pl.col("locator"), kind))


def _dates(frame: pl.DataFrame) -> Items:
    each = each_element(frame).with_columns(
        component(pl.col("body"), 0).alias("code"),
        moment(component(pl.col("body"), 1), component(pl.col("body"), 2)).alias("moment"),
    )
    booking = each.filter(pl.col("flight") == 0)
    yield items(booking.filter(pl.col("code") == "700"), "last_changed_at", pl.col("moment"))
    yield items(booking.filter(pl.col("code") == "710"), "ticketed_at", pl.col("moment"))
    status = each.filter((pl.col("flight") > 0) | ~pl.col("code").is_in(["700", "710"]))
    said = line(pl.lit("DAT"), pl.col("code"), pl.col("moment"), pl.col("label"))
    yield items(status.filter(pl.col("moment").is_not_null()), "travel_status", said)


def _origin(frame: pl.DataFrame) -> Items:
    booking = frame.filter(pl.col("flight") == 0)
    yield items(booking, "agency", line(*(words(element(index)) for index in range(6))))
    yield items(booking, "agent_sine", line(*(words(element(index)) for index in range(6, 9))))
    checked_in = frame.filter(pl.col("flight") > 0)
    yield items(checked_in, "travel_status", line(pl.lit("ORG"), words(pl.col("body")), pl.col("label")))


def _addresses(frame: pl.DataFrame) -> Items:
    code, rest = component(element(1), 0), pl.col("body").str.split(ELEMENT).list.slice(1).list.join(COMPONENT)
    said = rest.str.replace(rf"\A[^{COMPONENT}]*{COMPONENT}?", "").str.replace_all(
        rf" *{COMPONENT}[{COMPONENT} ]*", ", "
    )
    text = line(code, present(said.str.strip_chars(", ")))
    payer = (pl.col("owner") > 0) & (pl.col("payment") > pl.col("owner"))
    yield items(frame.filter(payer), "payer", text)
    yield items(frame.filter(~payer), "contacts", text)


def _free_text(frame: pl.DataFrame) -> Items:
    head = element(0)
    each = frame.with_columns(
        component(head, 1).alias("kind"),
        component(head, 3).alias("carrier"),
        words(pl.col("body").str.split(ELEMENT).list.slice(1).list.join(" ")).alias("said"),
    )
    kind, said = pl.col("kind"), pl.col("said")
    contact = (kind == _OTHER_SERVICE).fill_null(value=False) & said.str.starts_with("CTC").fill_null(value=False)
    other = pl.when(kind == _OTHER_SERVICE).then(pl.lit("OSI")).otherwise(line(pl.lit("IFT"), kind))
    yield items(each.filter(contact), "contacts", said)
    yield items(each.filter(kind == _FARE_CALCULATION), "fares", line(pl.lit("IFT"), kind, said))
    yield items(each.filter(kind == _PAYER), "payer", said)
    rest = each.filter(~contact & ~kind.is_in([_FARE_CALCULATION, _PAYER]).fill_null(value=False))
    yield items(rest, "remarks", line(other, pl.col("carrier"), said))


def _payments(frame: pl.DataFrame) -> Items:
    each, body = each_element(frame), pl.col("body")
    form = line(component(body, 0), component(body, 3), component(body, 5), component(body, 1))
    yield items(each, "payment_forms", form.fill_null("-"))
    yield items(each, "card_numbers", component(body, 4).fill_null("-"))
    yield items(each, "amounts", component(body, 2).fill_null("-"))


def _flight_items(frame: pl.DataFrame) -> Items:
    opens = pl.col("flight") == pl.col("position")
    flown = frame.filter(opens)
    when, carriers = element(0), element(3)
    departs = moment(component(when, 0), component(when, 1))
    arrives = moment(component(when, 2), component(when, 3))
    yield items(flown, "itinerary", line(pl.col("label"), departs, arrives, words(component(element(4), 1))))
    days = items(flown, "travel_dates", moment(component(when, 0), pl.lit(None, pl.String)))
    yield days.unique(["pnr", "text"], keep="first", maintain_order=True)
    shared = line(pl.col("label"), pl.lit("operated by"), component(carriers, 1))
    yield items(flown.filter(component(carriers, 1).is_not_null()), "code_shares", shared)
    yield items(frame.filter(~opens), "code_shares", line(pl.col("label"), pl.lit("as"), words(pl.col("body"))))


def _operating(frame: pl.DataFrame) -> Items:
    yield items(frame, "code_shares", line(pl.col("label"), pl.lit("operated by"), words(pl.col("body"))))


def _status(frame: pl.DataFrame) -> Items:
    yield items(frame, "travel_status", line(words(element(1)), words(element(0)), pl.col("label")))


def _check_in(frame: pl.DataFrame) -> Items:
    yield items(frame, "travel_status", line(pl.lit("TRI"), component(element(1), 0), pl.col("label")))


def _baggage(frame: pl.DataFrame) -> Items:
    weight = component(element(1), 2)
    unit = weight.replace(_WEIGHT_UNITS)
    counted = line(component(element(1), 0), component(element(1), 1), unit, words(element(3)))
    yield items(frame, "baggage", line(counted, pl.col("label")))
    yield items(each_element(frame, first=4), "bag_tags", words(pl.col("body")))


def _seat(frame: pl.DataFrame) -> Items:
    yield items(frame, "seats", line(words(pl.col("body")), pl.col("label")))


def _ticket(frame: pl.DataFrame) -> Items:
    yield items(frame, "ticket_numbers", component(element(0), 0))


def _plain(column: str, tag: str = "") -> Callable[[pl.DataFrame], Items]:
    def each(frame: pl.DataFrame) -> Items:
        text = words(pl.col("body"))
        yield items(each_element(frame), column, line(pl.lit(tag), text) if tag else text)

    return each


def _whole(column: str, tag: str) -> Callable[[pl.DataFrame], Items]:
    def each(frame: pl.DataFrame) -> Items:
        yield items(frame, column, line(pl.lit(tag), words(pl.col("body"))))

    return each


READ_BY_TAG: dict[str, Callable[[pl.DataFrame], Items]] = {
    "RCI": _locators,
    "DAT": _dates,
    "ORG": _origin,
    "ADD": _addresses,
    "IFT": _free_text,
    "FOP": _payments,
    "TVL": _flight_items,
    "TRA": _operating,
    "RPI": _status,
    "TRI": _check_in,
    "TBD": _baggage,
    "SSD": _seat,
    "TKT": _ticket,
    "FTI": _plain("frequent_flyer"),
    "MON": _plain("fares", "MON"),
    "TXD": _plain("fares", "TXD"),
    "FAR": _whole("fares", "FAR"),
    "PTK": _whole("fares", "PTK"),
    "EBD": _whole("baggage", "EBD"),
}
"""What each segment of GR1 to GR8 yields. SSR and TIF have modules of their own; history is text."""


def history(frame: pl.DataFrame) -> pl.DataFrame:
    """Each segment of GR10 to GR12, and LTS, as one line of text beginning with its tag."""
    return items(frame, "history", line(pl.col("tag"), words(pl.col("body"))))

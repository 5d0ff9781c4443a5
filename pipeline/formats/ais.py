"""AIS: what do ships say of themselves, and where are they?

A row is one message of type 1, 2, 3, 18 (position), 4 (base station), 5, 24 (static) or 19 (both), in ITU-R M.1371-5;
its position is the number of the line that completes it. Decoded by pyais. What the standard calls not available is
null; numbers are in the units of the column's name. Discarded and counted: sentences whose checksum fails, messages
that are not whole, or not of their type's length, other types, other sentences. A line that is no NMEA sentence refuses
the delivery.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyais
from pyais.exceptions import AISBaseException

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.formats.ais_sentences import KIND, MAX_LINE_CHARS, Message, Sentences
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.encodings import texts_of
from pipeline.formats.lines import lines_of
from pipeline.formats.rows import NEXT_STEP, Rows, empty, malformed

_BITS = {1: (168,), 2: (168,), 3: (168,), 4: (168,), 5: (424, 422, 426), 18: (168,), 19: (312,), 24: (168, 160)}
"""How long a message of each type is. Receivers cut or fill the spare bits at the end of types 5 and 24 (part A)."""


def _number(name: str, *absent: float) -> Callable[[Any], str | None]:
    def read(message: Any) -> str | None:
        value = getattr(message, name, None)
        return None if value is None or value in absent else str(int(value))

    return read


def _decimal(name: str, digits: int, *absent: float) -> Callable[[Any], str | None]:
    def read(message: Any) -> str | None:
        value = getattr(message, name, None)
        return None if value is None or value in absent else f"{value:.{digits}f}"

    return read


def _text(name: str) -> Callable[[Any], str | None]:
    return lambda message: getattr(message, name, None) or None


def _expected(message: Any) -> str | None:
    """MM-DDThh:mm in UTC, as type 5 has it: without a year."""
    if message.msg_type != 5 or not message.month or not message.day or message.hour > 23 or message.minute > 59:
        return None
    return f"{message.month:02}-{message.day:02}T{message.hour:02}:{message.minute:02}"


def _base_time(message: Any) -> str | None:
    if message.msg_type != 4 or not (message.year and message.month and message.day):
        return None
    if message.hour > 23 or message.minute > 59 or message.second > 59:
        return None
    return (
        f"{message.year:04}-{message.month:02}-{message.day:02}"
        f"T{message.hour:02}:{message.minute:02}:{message.second:02}Z"
    )


def _second(message: Any) -> str | None:
    return None if message.msg_type == 4 else _number("second", 60)(message)


_READ: dict[str, Callable[[Any], str | None]] = {
    "message_type": _number("msg_type"),
    "mmsi": lambda message: f"{int(message.mmsi):09}",
    "navigation_status": _number("status", 15),
    "speed_knots": _decimal("speed", 1, 102.3),
    "position_accuracy": _number("accuracy"),
    "longitude": _decimal("lon", 6, 181.0),
    "latitude": _decimal("lat", 6, 91.0),
    "course_degrees": _decimal("course", 1, 360.0),
    "heading_degrees": _number("heading", 511),
    "utc_second": _second,
    "base_station_time": _base_time,
    "imo": lambda message: f"{int(message.imo):07}" if getattr(message, "imo", 0) else None,
    "call_sign": _text("callsign"),
    "ship_name": _text("shipname"),
    "ship_type": _number("ship_type", 0),
    "to_bow_metres": _number("to_bow"),
    "to_stern_metres": _number("to_stern"),
    "to_port_metres": _number("to_port"),
    "to_starboard_metres": _number("to_starboard"),
    "expected_arrival": _expected,
    "draught_metres": _decimal("draught", 1, 0.0),
    "destination": _text("destination"),
}
COLUMNS = ("received_at", *_READ)
"""Every column that the reader can fill."""


@dataclass(frozen=True, slots=True)
class Ais:
    """Reads logs of AIS sentences."""

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in bounded batches.

        Raises:
            Refused: delivery-empty, encoding-invalid, record-malformed or limit-exceeded.
            Misconfigured: column-unknown.
        """
        unknown = [column for column in columns if column not in COLUMNS]
        if unknown:
            raise Misconfigured(
                Code.COLUMN_UNKNOWN,
                f"The AIS reader has no column {', '.join(unknown)}.",
                next_step="correct the feed's schema: docs/formats/ais.md lists the columns of AIS",
            )
        rows = Rows(columns, limits, KIND)
        sentences = Sentences(rows.tally)
        some = False
        for line, text in enumerate(lines_of(texts_of(blocks, "us-ascii"), MAX_LINE_CHARS), 1):
            if len(text) > MAX_LINE_CHARS:
                raise Refused(
                    Code.LIMIT_EXCEEDED, f"Line {line} is over {MAX_LINE_CHARS} characters.", next_step=NEXT_STEP
                )
            if not (sentence := text.removesuffix("\r")):
                rows.tally.add("tolerated-blank-line", "", [line])
                continue
            some = True
            message = sentences.message(line, sentence)
            if message is not None:
                _add(rows, message)
            if rows.full:
                yield rows.batch()
                sentences.tally = rows.tally
        if not some:
            raise empty()
        sentences.finish()
        yield rows.batch()


def _add(rows: Rows, message: Message) -> None:
    """The row of a message, if it is one of those that are read."""
    if message.kind not in _BITS:
        rows.tally.add("discarded-message-type", "", [message.line])
    elif message.bits not in _BITS[message.kind]:
        rows.tally.add("discarded-message-length", "", [message.line])
    else:
        decoded = _decoded(message)
        received = None if message.received is None else _instant(message.received, message.line)
        cells = [received if column == "received_at" else _READ[column](decoded) for column in rows.columns]
        rows.add(message.line, cells, sum(map(len, message.sentences)))


def _decoded(message: Message) -> Any:
    try:
        return pyais.decode(*message.sentences)
    except AISBaseException:  # it holds the sentence
        raise malformed(KIND, message.line, f"it is no message of type {message.kind}") from None


def _instant(milliseconds: int, line: int) -> str:
    try:
        at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    except (ValueError, OverflowError):
        raise malformed(KIND, line, "the time in its tag block is not one") from None
    fraction = f".{milliseconds % 1000:03}" if milliseconds % 1000 else ""
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z"

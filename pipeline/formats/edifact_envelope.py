"""Is an EDIFACT interchange whole, and do its own counts agree with it?

What a partner counted wrong changes no meaning and is a finding; an end that never came, or a segment outside every
message, is refused.
"""

from dataclasses import dataclass

import polars as pl

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Tally

_SERVICE_TAGS = ("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ")
_ELEMENT, _COMPONENT = "\x1d", "\x1f"


@dataclass(slots=True)
class Envelope:
    """How far the delivery has been followed. `position` is the last segment's."""

    position: int = 0
    _service: int = 0
    _interchange: str | None = None
    _message: str | None = None
    _message_at: int = 0
    _messages: int = 0
    _groups: int = 0
    _group_open: bool = False

    def follow(self, frame: pl.DataFrame, tally: Tally) -> None:
        """The next segments belong where they stand.

        Raises:
            Refused: message-truncated where an end is missing, record-malformed where a segment is outside its place.
        """
        # The list of six is asked of few: most tags begin otherwise.
        service = frame.filter(pl.col("tag").str.starts_with("UN")).filter(pl.col("tag").is_in(_SERVICE_TAGS))
        for position, tag, body in service.iter_rows():
            self._inside(position - 1)
            elements = [element.strip() for element in body.split(_ELEMENT)]
            match tag:
                case "UNB":
                    self._open_interchange(position, elements)
                case "UNG":
                    self._groups += 1
                    self._group_open = True
                case "UNH":
                    self._open_message(position, elements)
                case "UNT":
                    self._close_message(position, elements, tally)
                case "UNE":
                    self._group_open = False
                case _:
                    self._close_interchange(position, elements, tally)
            self._service = position
        if frame.height:
            self.position = frame["position"][-1]
            self._inside(self.position)

    def finish(self, *, ends_inside_segment: bool) -> None:
        """The delivery ended where an interchange ends.

        Raises:
            Refused: message-truncated.
        """
        if ends_inside_segment:
            raise truncated(f"The delivery ends inside segment {self.position + 1}.")
        if self._message is not None:
            raise truncated(f"The delivery ends after segment {self.position}, in a message without UNT.")
        if self._interchange is not None:
            raise truncated(f"The delivery ends after segment {self.position}, in an interchange without UNZ.")

    def _inside(self, position: int) -> None:
        """No segment up to `position` is outside every message."""
        if self._message is None and position > self._service:
            raise Refused(
                Code.RECORD_MALFORMED,
                f"Segment {self._service + 1} is outside every message.",
                next_step="ask the partner for an interchange in which each segment is between UNH and UNT",
            )

    def _open_interchange(self, position: int, elements: list[str]) -> None:
        if self._interchange is not None:
            raise truncated(f"Segment {position} opens an interchange before the last one ended with UNZ.")
        self._interchange = _at(elements, 4)
        self._messages = self._groups = 0

    def _open_message(self, position: int, elements: list[str]) -> None:
        if self._interchange is None:
            raise _misplaced("UNH", position)
        if self._message is not None:
            raise truncated(f"Segment {position} opens a message before the last one ended with UNT.")
        self._message, self._message_at = _at(elements, 0), position
        self._messages += 1

    def _close_message(self, position: int, elements: list[str], tally: Tally) -> None:
        if self._message is None:
            raise _misplaced("UNT", position)
        if _differs(_at(elements, 0), position - self._message_at + 1):
            tally.add("tolerated-segment-count", "", [position])
        if _at(elements, 1) != self._message:
            tally.add("tolerated-message-reference", "", [position])
        self._message = None

    def _close_interchange(self, position: int, elements: list[str], tally: Tally) -> None:
        if self._message is not None:
            raise truncated(f"Segment {position} ends the interchange inside a message without UNT.")
        if self._interchange is None:
            raise _misplaced("UNZ", position)
        if self._group_open:
            tally.add("tolerated-group-end", "", [position])
        # ISO 9735: UNZ counts the groups where there are any; partners count the messages all the same.
        if _differs(_at(elements, 0), self._groups or self._messages) and _differs(_at(elements, 0), self._messages):
            tally.add("tolerated-message-count", "", [position])
        if _at(elements, 1) != self._interchange:
            tally.add("tolerated-interchange-reference", "", [position])
        self._interchange, self._group_open = None, False


def _at(elements: list[str], index: int) -> str:
    return elements[index] if index < len(elements) else ""


def _differs(written: str, counted: int) -> bool:
    digits = written.lstrip("0") or "0"
    return not (written.isascii() and written.isdigit()) or digits != str(counted)


def truncated(message: str) -> Refused:
    """The refusal of a delivery that ends too early."""
    return Refused(Code.MESSAGE_TRUNCATED, message, next_step="ask the partner to deliver the whole interchange again")


def _misplaced(tag: str, position: int) -> Refused:
    return Refused(
        Code.RECORD_MALFORMED,
        f"Segment {position} ({tag}) ends or opens what was never opened.",
        next_step="ask the partner for a well-formed interchange",
    )

"""To which push does each message belong: of all PNRs of its flight or of changes, made when, as which part?

A flight's PNRs are pushed whole (MSG 22), and then whole again or as changes alone (MSG 141): those that were altered,
added or taken away since, each with all that it says (PNRGOV implementation guide 15.1, 8.1 [found]). A PNR of which only
the locator is left was cancelled. What a push is, the messages of one delivery say; what it does to an earlier one is
for whoever has both.
"""

import re
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipeline.core.findings import Tally
from pipeline.formats.edifact import COMPONENT, ELEMENT

PUSH = ("push_kind", "pushed_at", "push_reference", "push_part")
_KINDS = {"22": "FULL", "141": "UPDATE"}


@dataclass(slots=True)
class Pushes:
    """The interchange header so far: when the carrier's system made what follows it."""

    _prepared: str | None = None

    def of(self, level0: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        """The push of each message that begins in `level0`, by `message`: its kind, when it was made (as the interchange
        has it, in whatever time the carrier's system keeps), its reference and the number of its part."""
        said: dict[int, list[str | None]] = {}
        opened = 0
        for message, tag, body in level0.select("message", "tag", "body").iter_rows():
            match tag:
                case "UNB":
                    self._prepared = _instant(*_components(body, 3, 2))
                case "UNH":
                    (reference,), (part,) = _components(body, 2, 1), _components(body, 3, 1)
                    number = part.lstrip("0") if re.fullmatch("[0-9]{1,4}", part) else ""
                    said[message] = [None, self._prepared, reference or None, number or None]
                    opened = message
                case "MSG" if opened == message:
                    said[message][0] = _KINDS.get(_components(body, 0, 2)[1])
                    if said[message][0] is None:
                        tally.add("tolerated-push-kind", "push_kind", [message])
                    opened = 0
                case "UNT":
                    opened = 0
        return pl.DataFrame(
            [[message, *cells] for message, cells in said.items()],
            schema={"message": pl.UInt64, **dict.fromkeys(PUSH, pl.String)},
            orient="row",
        )


def _components(body: str, at: int, wanted: int) -> list[str]:
    """The first components of one element, without blanks around them; "" where one is absent."""
    elements = body.split(ELEMENT)
    found = elements[at].split(COMPONENT) if at < len(elements) else []
    return [found[which].strip(" ") if which < len(found) else "" for which in range(wanted)]


def _instant(day: str, minute: str) -> str | None:
    """S004, YYMMDD:HHMM or CCYYMMDD:HHMM, as YYYY-MM-DDTHH:MM; None where it is no instant."""
    if not re.fullmatch("(?:20)?[0-9]{6}:[0-9]{4}", f"{day}:{minute}"):
        return None
    century = "20" if len(day) == 6 else ""
    try:
        return f"{datetime.strptime(f'{century}{day}{minute}', '%Y%m%d%H%M'):%Y-%m-%dT%H:%M}"  # noqa: DTZ007 (no zone is told)
    except ValueError:
        return None

"""Is every message of the delivery of the kind that its feed promises, and have all parts of a list come?"""

import re
from dataclasses import dataclass, field

import polars as pl

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Tally
from pipeline.formats.edifact import COMPONENT, ELEMENT

_FINAL = "F"


def element(body: str, index: int) -> str:
    """One element of a segment's body, without blanks around it; "" where it is absent."""
    apart = body.split(ELEMENT)
    return apart[index].strip() if index < len(apart) else ""


def require_messages(frame: pl.DataFrame, kind: str, versions: str, meaning: str) -> None:
    """Every message that begins in `frame` is of this kind, its version and release (`D:05B`) as the pattern says.

    Raises:
        Refused: message-unknown.
    """
    for position, body in frame.filter(pl.col("tag") == "UNH").select("position", "body").iter_rows():
        written, *version = (part.strip() for part in element(body, 1).split(COMPONENT)[:3])
        if written != kind or not re.fullmatch(versions, ":".join(version)):
            what = f"not {kind}" if written != kind else f"of a version of {kind} that is not {meaning}"
            raise Refused(
                Code.MESSAGE_UNKNOWN,
                f"The message at segment {position} is {what}.",
                next_step="check that the file belongs to this feed",
            )


def no_message(kind: str) -> Refused:
    """The refusal of an interchange without a message."""
    return Refused(
        Code.MESSAGE_UNKNOWN,
        f"The interchange holds no {kind} message.",
        next_step="check that the file belongs to this feed",
    )


@dataclass(slots=True)
class Parts:
    """What each list has sent so far, where it comes in parts.

    UNH S010 says `01:C`, `02`, ... `07:F`; parts are joined by the common access reference. A part that came before counts
    once; `01` after the final part begins anew.
    """

    _sent: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _numbers: dict[str, set[int]] = field(default_factory=dict)
    _whole: set[str] = field(default_factory=set)

    def add(self, unh: str, counts: tuple[int, ...], position: int, tally: Tally) -> tuple[int, ...] | None:
        """`counts` of the message at `position`, and of the parts before it; None while more parts are to come, or where it
        came before."""
        reference, part = element(unh, 2), element(unh, 3).split(COMPONENT)
        if not part[0].strip():
            return counts
        status = part[1].strip() if len(part) > 1 else ""
        number = int(part[0]) if re.fullmatch("[0-9]{1,4}", part[0].strip()) else 0
        numbers = self._numbers.get(reference, set())
        if number in numbers or (not numbers and reference in self._whole and number != 1):
            tally.add("tolerated-part-doubled", "", [position])
            return None
        self._numbers[reference] = {*numbers, number}
        before = self._sent.pop(reference, (0,) * len(counts))
        together = tuple(map(sum, zip(before, counts, strict=True)))
        if status == _FINAL:
            self._tell_missing(reference, position, tally)
            self._whole.add(reference)
            return together
        self._sent[reference] = together
        return None

    def finish(self, position: int, tally: Tally) -> None:
        """The delivery ended: a list whose last part did not come is in `tally`."""
        for reference in tuple(self._sent):
            self._tell_missing(reference, position, tally, final=1)

    def _tell_missing(self, reference: str, position: int, tally: Tally, *, final: int = 0) -> None:
        numbers = self._numbers.pop(reference)
        missing = max(numbers) - len(numbers - {0}) + final
        if missing:
            tally.add("tolerated-part-missing", "", [position], missing)

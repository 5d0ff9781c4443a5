"""Is every message a PAXLST message of a known directory, and did its list hold as many travellers as it says?"""

from dataclasses import dataclass, field

import polars as pl

from pipeline.core.findings import Tally
from pipeline.formats.edifact import COMPONENT
from pipeline.formats.edifact_messages import Parts, no_message

_ALL, _PASSENGERS, _CREW = range(3)
_COUNTED = {"3": _ALL, "42": _PASSENGERS, "41": _CREW}
"""CNT 6069: parties of the list, passengers, crew members."""
_CREW_KINDS = ("FM", "DDT")


@dataclass(slots=True)
class Lists:
    """The message header so far, and how many travellers each list has sent against what it announced.

    CNT announces the travellers of the whole list, or of the part: carriers do both, and some count crew among them.
    """

    _begun: int = 0
    _unh: str = ""
    _met: tuple[int, ...] = (0, 0, 0)
    _announced: list[tuple[int, int, str]] = field(default_factory=list)
    _parts: Parts = field(default_factory=Parts)

    def follow(self, segments: pl.DataFrame, tally: Tally) -> None:
        """What the headers and counts say is in `tally`, where they disagree. `segments` are annotated."""
        named = segments.filter((pl.col("tag") == "NAD") & (pl.col("owner") == pl.col("position")))
        crew = pl.col("qualifier").is_in(_CREW_KINDS)
        counts = named.group_by("message").agg(pl.len().alias("all"), crew.sum().alias("crew"))
        met: dict[int, tuple[int, ...]] = {
            message: (every, every - staff, staff) for message, every, staff in counts.iter_rows()
        }
        told = segments.filter(pl.col("tag").is_in(["UNH", "CNT", "UNT"])).select("position", "tag", "body")
        for position, tag, body in told.iter_rows():
            match tag:
                case "UNH":
                    self._add(met)
                    self._begun, self._unh, self._met, self._announced = position, body, (0, 0, 0), []
                case "CNT":
                    kind, _, number = body.partition(COMPONENT)
                    if kind.strip() in _COUNTED:
                        self._announced.append((position, _COUNTED[kind.strip()], number.split(COMPONENT)[0].strip()))
                case _:
                    self._add(met)
                    self._close(tally)
        self._add(met)

    def finish(self, tally: Tally) -> None:
        """All messages have come.

        Raises:
            Refused: message-unknown, where there was none.
        """
        if not self._begun:
            raise no_message("PAXLST")
        self._parts.finish(self._begun, tally)

    def _add(self, met: dict[int, tuple[int, ...]]) -> None:
        self._met = tuple(map(sum, zip(self._met, met.pop(self._begun, (0, 0, 0)), strict=True)))

    def _close(self, tally: Tally) -> None:
        together = self._parts.add(self._unh, self._met, self._begun, tally)
        if together is None:
            return
        for position, kind, number in self._announced:
            right = {str(counts[at]) for counts in (together, self._met) for at in (kind, _ALL)}
            if (number.lstrip("0") or "0") not in right:
                tally.add("tolerated-traveller-count", "", [position])

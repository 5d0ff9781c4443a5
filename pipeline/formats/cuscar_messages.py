"""Is every message a CUSCAR message of a known directory, and did its manifest hold what it says?"""

from dataclasses import dataclass, field

import polars as pl

from pipeline.core.findings import ROWS_NAMED, Tally
from pipeline.formats.cuscar_voyage import EMPTY
from pipeline.formats.edifact import COMPONENT
from pipeline.formats.edifact_messages import Parts, no_message

_CONSIGNMENTS, _EQUIPMENT = range(2)
_COUNTED = {"10": _CONSIGNMENTS, "16": _EQUIPMENT}
"""CNT 6069: consignments, pieces of equipment."""
_RULES = ("tolerated-consignment-count", "tolerated-container-count")


@dataclass(slots=True)
class Manifests:
    """The message header so far, how much each manifest has sent against what it announced, and which of its
    containers no goods item has named yet."""

    _begun: int = 0
    _unh: str = ""
    _met: tuple[int, ...] = (0, 0)
    _announced: list[tuple[int, int, str]] = field(default_factory=list)
    _named: set[str] = field(default_factory=set)
    _parts: Parts = field(default_factory=Parts)

    def follow(self, segments: pl.DataFrame, known: pl.DataFrame, named: pl.DataFrame, tally: Tally) -> None:
        """What the headers, counts and containers say is in `tally`, where they disagree. `segments` are annotated."""
        met = segments.group_by("message").agg(
            ((pl.col("tag") == "CNI") & ~pl.col("lost")).sum().alias("consignments"),
            ((pl.col("tag") == "EQD") & ~pl.col("lost")).sum().alias("equipment"),
        )
        counts: dict[int, tuple[int, ...]] = {message: tuple(numbers) for message, *numbers in met.iter_rows()}
        named_by = {
            message: set(part["container"]) for (message,), part in named.partition_by("message", as_dict=True).items()
        }
        told = segments.filter(pl.col("tag").is_in(["UNH", "CNT", "UNT"])).select("position", "tag", "body")
        for position, tag, body in told.iter_rows():
            match tag:
                case "UNH":
                    self._add(counts, named_by)
                    self._begun, self._unh, self._met = position, body, (0, 0)
                    self._announced, self._named = [], set()
                case "CNT":
                    kind, _, number = body.partition(COMPONENT)
                    if kind.strip() in _COUNTED:
                        self._announced.append((position, _COUNTED[kind.strip()], number.split(COMPONENT)[0].strip()))
                case _:
                    self._add(counts, named_by)
                    self._close(known.filter(pl.col("message") == self._begun), tally)
        self._add(counts, named_by)

    def finish(self, tally: Tally) -> None:
        """All messages have come.

        Raises:
            Refused: message-unknown, where there was none.
        """
        if not self._begun:
            raise no_message("CUSCAR")
        self._parts.finish(self._begun, tally)

    def _add(self, counts: dict[int, tuple[int, ...]], named: dict[object, set[str]]) -> None:
        self._met = tuple(map(sum, zip(self._met, counts.pop(self._begun, (0, 0)), strict=True)))
        self._named |= named.pop(self._begun, set())

    def _close(self, known: pl.DataFrame, tally: Tally) -> None:
        full = known.filter((pl.col("container_status") != EMPTY).fill_null(value=True))
        loose = full.filter(~pl.col("container").is_in(list(self._named)).fill_null(value=False))["position"]
        if len(loose):
            tally.add("tolerated-container-without-goods", "containers", loose.head(ROWS_NAMED), len(loose))
        together = self._parts.add(self._unh, self._met, self._begun, tally)
        for position, kind, number in self._announced if together else ():
            if (number.lstrip("0") or "0") not in {str(counts[kind]) for counts in (together, self._met) if counts}:
                tally.add(_RULES[kind], "", [position])

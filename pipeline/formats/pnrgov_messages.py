"""Is every message of the delivery a PNRGOV message of a known version, and is the push whole?"""

from dataclasses import dataclass, field

import polars as pl

from pipeline.core.findings import Tally
from pipeline.formats.edifact import COMPONENT, ELEMENT
from pipeline.formats.edifact_messages import Parts, no_message
from pipeline.formats.pnrgov_context import Annotated


@dataclass(slots=True)
class Messages:
    """The message headers so far, and how many PNRs each push has sent against what it announced.

    A push may come in parts: UNH S010 says `01:C`, `02`, ... `07:F`, joined by the common access reference. EQN
    announces the PNRs of the whole push, or of the part: partners do both.
    """

    _begun: int = 0
    _unh: str = ""
    _said: set[str] = field(default_factory=set)
    _pnrs: int = 0
    _announced: str = ""
    _parts: Parts = field(default_factory=Parts)

    def follow(self, annotated: Annotated, tally: Tally) -> None:
        """What the headers and the counts of PNRs say is in `tally`, where they disagree."""
        counted = dict(annotated.segments.filter(pl.col("tag") == "SRC").group_by("message").len().iter_rows())
        for position, tag, body in annotated.level0.select("position", "tag", "body").iter_rows():
            match tag:
                case "UNH":
                    self._begun, self._unh, self._said = position, body, set()
                    self._pnrs, self._announced = 0, ""
                case "UNT":
                    self._pnrs += counted.pop(self._begun, 0)
                    self._close(tally)
                case _:
                    self._said.add(tag)
                    if tag == "EQN":
                        self._announced = body.split(ELEMENT)[0].split(COMPONENT)[0].strip()
        self._pnrs += counted.pop(self._begun, 0)

    def finish(self, tally: Tally) -> None:
        """All messages have come.

        Raises:
            Refused: message-unknown, where there was none.
        """
        if not self._begun:
            raise no_message("PNRGOV")
        self._parts.finish(self._begun, tally)

    def _close(self, tally: Tally) -> None:
        for tag, rule in (("MSG", "tolerated-msg-missing"), ("ORG", "tolerated-org-missing")):
            if tag not in self._said:
                tally.add(rule, "", [self._begun])
        sent = self._parts.add(self._unh, (self._pnrs,), self._begun, tally)
        if sent and self._announced.lstrip("0") not in {str(sent[0]).lstrip("0"), str(self._pnrs).lstrip("0")}:
            tally.add("tolerated-pnr-count", "", [self._begun])

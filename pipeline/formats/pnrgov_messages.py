"""Is every message of the delivery a PNRGOV message of a known version, and is the push whole?"""

from dataclasses import dataclass, field

import polars as pl

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Tally
from pipeline.formats.edifact import COMPONENT, ELEMENT
from pipeline.formats.pnrgov_context import Annotated

_VERSIONS = [[str(version), "1"] for version in range(10, 22)]
_FINAL = "F"


def require_pnrgov(frame: pl.DataFrame) -> None:
    """Every message that begins in `frame` is PNRGOV, 10:1 to 21:1.

    Raises:
        Refused: message-unknown.
    """
    for position, body in frame.filter(pl.col("tag") == "UNH").select("position", "body").iter_rows():
        kind, *version = (part.strip() for part in _element(body, 1).split(COMPONENT)[:3])
        if kind != "PNRGOV" or version not in _VERSIONS:
            what = "not PNRGOV" if kind != "PNRGOV" else "of a version of PNRGOV that is not 10:1 to 21:1"
            raise Refused(
                Code.MESSAGE_UNKNOWN,
                f"The message at segment {position} is {what}.",
                next_step="check that the file belongs to this feed",
            )


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
    _parts: dict[str, int] = field(default_factory=dict)

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
            raise Refused(
                Code.MESSAGE_UNKNOWN,
                "The interchange holds no PNRGOV message.",
                next_step="check that the file belongs to this feed",
            )
        if self._parts:
            tally.add("tolerated-part-missing", "", [self._begun], len(self._parts))

    def _close(self, tally: Tally) -> None:
        for tag, rule in (("MSG", "tolerated-msg-missing"), ("ORG", "tolerated-org-missing")):
            if tag not in self._said:
                tally.add(rule, "", [self._begun])
        push, part = _element(self._unh, 2), _element(self._unh, 3).split(COMPONENT)
        sent = self._pnrs
        if part[0].strip():
            status = part[1].strip() if len(part) > 1 else ""
            begins = part[0].strip().lstrip("0") == "1"
            if not begins and push not in self._parts:
                tally.add("tolerated-part-missing", "", [self._begun])
            sent += self._parts.pop(push, 0)
            if status != _FINAL:
                self._parts[push] = sent
                return
        if self._announced.lstrip("0") not in {str(sent).lstrip("0"), str(self._pnrs).lstrip("0")}:
            tally.add("tolerated-pnr-count", "", [self._begun])


def _element(body: str, index: int) -> str:
    elements = body.split(ELEMENT)
    return elements[index].strip() if index < len(elements) else ""

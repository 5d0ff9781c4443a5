"""Which AIS messages do the lines of a log make: whole, in order, and as they were sent?

NMEA 0183 and IEC 61162-450: an optional tag block, then a sentence, each with a checksum. A message may take several
sentences. Radio loses sentences and spoils some: what does not add up is discarded and counted, never put together.
"""

import re
from dataclasses import dataclass, field
from functools import reduce

from pipeline.core.findings import Tally
from pipeline.formats.rows import malformed

KIND = "Line"
MAX_LINE_CHARS = 1024
"""A sentence has at most 82 characters and a tag block 80; some receivers write more."""
_WINDOW_LINES = 50
"""The sentences of one message are no farther apart: their numbers repeat after ten messages."""
_TEXT = r"[ -)+-\[\]-~]*"
"""Printable ASCII without the asterisk and the backslash, which end what they stand in."""
_LINE = re.compile(
    rf"(?:\\(?P<tags>{_TEXT})\*(?P<tag_sum>[0-9A-Fa-f]{{2}})\\)?[!$](?P<inner>{_TEXT})\*(?P<sum>[0-9A-Fa-f]{{2}})"
)
_AIS = re.compile(
    r"[A-Z]{2}VD[MO],(?P<count>[1-9]),(?P<number>[1-9]),(?P<sequence>[0-9]?),(?P<channel>[A-Z0-9]?),"
    r"(?P<payload>[0-W`-w]+),(?P<fill>[0-5])"
)
_TIME = re.compile(r"[0-9]{10}(?:[0-9]{3})?")


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message: the line that completes it, its type, its sentences, its bits, and when it was received.

    `received` is in milliseconds since 1970, where a tag block says it.
    """

    line: int
    kind: int
    sentences: tuple[str, ...]
    bits: int
    received: int | None


@dataclass(slots=True)
class _Sentence:
    line: int
    text: str
    payload: str
    bits: int
    received: int | None


@dataclass(slots=True)
class Sentences:
    """The messages that are not whole yet, each by what its sentences share. Few: the oldest are forgotten."""

    tally: Tally = field(default_factory=Tally)
    _open: dict[tuple[str, ...], list[_Sentence]] = field(default_factory=dict)

    def message(self, line: int, text: str) -> Message | None:
        """The message that this line completes.

        Raises:
            Refused: record-malformed where the line is no NMEA sentence, or says what AIS does not have.
        """
        self._forget_before(line - _WINDOW_LINES)
        found = _LINE.fullmatch(text)
        if found is None:
            raise malformed(KIND, line, "it is not an NMEA sentence with its checksum")
        tags = found["tags"]
        if not _adds_up(found["inner"], found["sum"]) or (tags is not None and not _adds_up(tags, found["tag_sum"])):
            self.tally.add("discarded-checksum", "", [line])
            return None
        if found["inner"][2:5] not in ("VDM", "VDO"):
            self.tally.add("discarded-other-sentence", "", [line])
            return None
        ais = _AIS.fullmatch(found["inner"])
        if ais is None or int(ais["number"]) > int(ais["count"]):
            raise malformed(KIND, line, "its fields are not those of an AIS sentence")
        said = dict(tag.partition(":")[::2] for tag in (tags or "").split(","))
        bits = 6 * len(ais["payload"]) - int(ais["fill"])
        sentence = _Sentence(line, f"!{found['inner']}*{found['sum']}", ais["payload"], bits, _received(said, line))
        if ais["count"] == "1":
            return _whole([sentence])
        group = said.get("g", "").rpartition("-")[2]
        return self._put(
            (ais["count"], ais["sequence"], ais["channel"], said.get("s", ""), group), int(ais["number"]), sentence
        )

    def finish(self) -> None:
        """No sentence follows."""
        for key in [*self._open]:
            self._discard(key)

    def _put(self, key: tuple[str, ...], number: int, sentence: _Sentence) -> Message | None:
        """Sentences of one message come in their order: one that does not is of another message."""
        before = self._open.get(key, [])
        if number != len(before) + 1:
            self._discard(key)
            before = []
        if number > 1 and not before:
            self.tally.add("discarded-incomplete-message", "", [sentence.line])
            return None
        self._open[key] = [*before, sentence]
        if number < int(key[0]):
            return None
        return _whole(self._open.pop(key))

    def _forget_before(self, line: int) -> None:
        for key in [key for key, sentences in self._open.items() if sentences[-1].line < line]:
            self._discard(key)

    def _discard(self, key: tuple[str, ...]) -> None:
        if sentences := self._open.pop(key, []):
            self.tally.add("discarded-incomplete-message", "", [sentences[0].line])


def _whole(sentences: list[_Sentence]) -> Message:
    received = next((sentence.received for sentence in sentences if sentence.received is not None), None)
    bits = sum(sentence.bits for sentence in sentences)
    return Message(
        sentences[-1].line,
        _six_bits(sentences[0].payload[0]),
        tuple(sentence.text for sentence in sentences),
        bits,
        received,
    )


def _six_bits(character: str) -> int:
    """What a character of a payload says (ITU-R M.1371, IEC 61162-1): its first six bits are the message's type."""
    number = ord(character) - ord("0")
    return number if number < 40 else number - 8


def _adds_up(text: str, checksum: str) -> bool:
    return reduce(lambda total, character: total ^ ord(character), text, 0) == int(checksum, 16)


def _received(tags: dict[str, str], line: int) -> int | None:
    if "c" not in tags:
        return None
    if not _TIME.fullmatch(tags["c"]):
        raise malformed(KIND, line, "the time in its tag block is not one")
    return int(tags["c"]) * (1000 if len(tags["c"]) == 10 else 1)

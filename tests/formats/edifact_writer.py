"""A tiny EDIFACT writer: the other side of the reader's law that what was written is what is read."""

from collections.abc import Sequence
from dataclasses import dataclass

Segment = tuple[str, ...]
"""Tag and elements; a composite's components are parted by `COMPONENT`."""
COMPONENT = "\x1f"


@dataclass(frozen=True)
class Dialect:
    """Service characters, and whether UNA says them."""

    component: str = ":"
    element: str = "+"
    release: str = "?"
    repetition: str = "*"
    terminator: str = "'"
    una: bool = True

    def write(self, segments: Sequence[Segment], *, after: str = "", encoding: str = "utf-8") -> bytes:
        """The segments, each followed by its terminator and `after`."""
        una = f"UNA{self.component}{self.element}.{self.release}{self.repetition}{self.terminator}" if self.una else ""
        body = "".join(
            self.element.join(self.released(element) for element in segment) + self.terminator + after
            for segment in segments
        )
        return (una + body).encode(encoding)

    def released(self, element: str) -> str:
        """The element with its service characters released and its components parted."""
        special = {self.component, self.element, self.release, self.repetition, self.terminator} - {" "}
        text = "".join(self.release + sign if sign in special else sign for sign in element)
        return text.replace(COMPONENT, self.component)


IATA = Dialect()
AMADEUS = Dialect(release="\\")
WITHOUT_UNA = Dialect(repetition=" ", una=False)
DASHED = Dialect(element="-", repetition=" ", terminator="*")


def c(*components: str) -> str:
    """A composite."""
    return COMPONENT.join(components)


def interchange(*messages: Sequence[Segment], syntax: str = "IATA") -> list[Segment]:
    """UNB, the messages each in UNH and UNT, and UNZ, with right counts."""
    segments: list[Segment] = [("UNB", c(syntax, "1"), "LH", "PIU", c("270301", "0754"), "77")]
    for number, body in enumerate(messages, start=1):
        segments.append(("UNH", str(number), c("PNRGOV", "13", "1", "IA"), "LH400/010327/1015"))
        segments += body
        segments.append(("UNT", str(len(body) + 2), str(number)))
    return [*segments, ("UNZ", str(len(messages)), "77")]

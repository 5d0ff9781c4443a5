"""Which lines does a text have, when nobody may hold a line that never ends?"""

from collections.abc import Iterable, Iterator
from itertools import chain

from pipeline.core.findings import Tally
from pipeline.formats.encodings import BOM


def without_mark(texts: Iterator[str], tally: Tally) -> Iterator[str]:
    """The text without a byte order mark at its start, which is tolerated and counted."""
    first = next(texts, "")
    if first.startswith(BOM):
        tally.add("tolerated-bom", "", (), 1)
    return chain([first.removeprefix(BOM)], texts)


def lines_of(texts: Iterable[str], most_chars: int) -> Iterator[str]:
    """The lines without their line feeds; a carriage return before one stays.

    A line over `most_chars` may be cut, and is then the last: it is still too long. The last line of a text may lack its
    line end: it gets that of the line before.
    """
    rest = end = ""
    for text in texts:
        *lines, rest = (rest + text).split("\n")
        yield from lines
        if lines:
            end = "\r" if lines[-1].endswith("\r") else ""
        if len(rest) > most_chars + 1:  # it may end in a carriage return
            yield rest
            return
    if rest:
        yield rest.removesuffix("\r") + end

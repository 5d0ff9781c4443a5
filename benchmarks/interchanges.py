"""Reading interchanges alone: our readers, the floor (the bytes read and split at each terminator), and pydifact.

pydifact reads a whole delivery into objects and calls no segment a traveller; it gets a short delivery of the same kind.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydifact.segmentcollection import Interchange

from pipeline.formats.batch import Limits, Reader
from pipeline.formats.edifact import read_segments
from pipeline.formats.paxlst import COLUMNS as PAXLST
from pipeline.formats.paxlst import Paxlst
from pipeline.formats.pnrgov import COLUMNS as PNRGOV
from pipeline.formats.pnrgov import PnrGov
from samples import pnr_push, preclear_apis

Kind = Literal["PNRGOV", "PAXLST"]
BLOCK_BYTES = 1 << 20
BAD_SHARE = 0.01
SEED = 20261121
_READERS: dict[Kind, tuple[Reader, tuple[str, ...]]] = {"PNRGOV": (PnrGov(), PNRGOV), "PAXLST": (Paxlst(), PAXLST)}
_AROUND = ("UNB", "UNZ")
_TRAVELLERS = ("FL", "FM", "DDU", "DDT")


def make(path: str, kind: Kind, travellers: int) -> dict[str, int]:
    """An interchange is at `path`."""
    write = pnr_push.write if kind == "PNRGOV" else preclear_apis.write
    with Path(path).open("wb") as out:
        written = write(out, travellers=travellers, seed=SEED, bad_share=BAD_SHARE)
    return {"rows": written.rows, "size_bytes": Path(path).stat().st_size}


def ours(path: str, kind: Kind) -> int:
    """How many rows there are."""
    reader, columns = _READERS[kind]
    return sum(batch.frame.height for batch in reader.read(_blocks(path), columns, Limits()))


def floor(path: str) -> int:
    """How many terminators there are, released ones among them."""
    return sum(len(block.split(b"'")) - 1 for block in _blocks(path))


def theirs(path: str) -> int:
    """How many segments there are, but for those around the messages."""
    return len(_pydifact(path))


def same(path: str, kind: Kind) -> int:
    """Both find the same segments and the same surnames in one delivery.

    Raises:
        RuntimeError: they do not.
    """
    reader, columns = _READERS[kind]
    tags = [tag for part in read_segments(_blocks(path), Limits()) for tag in part.frame["tag"] if tag not in _AROUND]
    found = _pydifact(path)
    if [segment.tag for segment in found] != tags:
        raise RuntimeError(f"pydifact finds other segments in {kind} than we do")
    surnames = [
        name for batch in reader.read(_blocks(path), columns, Limits()) for name in batch.frame["surname"].drop_nulls()
    ]
    told = [surname for segment in found if (surname := _surname(segment))]
    # A PNR's check-ins name its travellers again.
    if set(told) != set(surnames) or len(told) < len(surnames):
        raise RuntimeError(f"pydifact finds other travellers in {kind} than we do")
    return len(tags)


def _surname(segment: Any) -> str | None:
    """What the segment calls a traveller, if it is about one."""
    match segment.tag, segment.elements:
        case ("TIF", [[surname, *_] | surname, *_]):
            return str(surname)
        case ("NAD", [kind, _, _, [surname, *_] | surname, *_]) if kind in _TRAVELLERS:
            return str(surname)
    return None


def _pydifact(path: str) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it knows no directory of these messages
        return list(Interchange.from_str(Path(path).read_text(encoding="utf-8")).segments)


def _blocks(path: str) -> Iterator[bytes]:
    with Path(path).open("rb") as delivery:
        while block := delivery.read(BLOCK_BYTES):
            yield block

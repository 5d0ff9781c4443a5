"""Which text do the bytes of a delivery say, in the encoding that its feed declares?

Nothing is guessed: bytes that are no text in the declared encoding refuse the delivery, with their place. A single-byte
encoding reads nearly anything, so what shows that it is the wrong one is refused too: the byte order mark of another
encoding, and in ISO 8859 the control characters 80 to 9F, which nobody writes and which windows-1252 and UTF-8 use.
"""

import codecs
import re
from collections.abc import Iterable, Iterator

from pipeline.core.errors import Code, Refused
from pipeline.core.language.wire import Encoding

BOM = "\ufeff"
_C1 = re.compile("[\x80-\x9f]")
_ISO_8859 = ("iso-8859-1", "iso-8859-2", "iso-8859-15")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_BLOCK_BYTES = 1024 * 1024


def texts_of(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    """The delivery's text, in order, in pieces of at most a mebibyte of bytes. A byte order mark stays in it.

    All text before a wrong byte comes before the refusal, so that what is wrong first is what is said.

    Raises:
        Refused: encoding-invalid.
    """
    parts = (block[at : at + _BLOCK_BYTES] for block in _led(blocks) for at in range(0, len(block), _BLOCK_BYTES))
    decoder = codecs.getincrementaldecoder("utf-16" if encoding == "utf-16" else encoding)()
    read, bad_byte = 0, -1
    for index, part in enumerate(parts):
        if not index and (wrong := _wrong_mark(part, encoding)):
            raise Refused(Code.ENCODING_INVALID, wrong, next_step=_next_step(encoding))
        held = len(decoder.getstate()[0])
        text, bad_byte = _decoded(decoder, part, read - held)
        if encoding in _ISO_8859 and (control := _C1.search(text)):
            text, bad_byte = text[: control.start()], read + control.start()
        if text:
            yield text
        if bad_byte >= 0:
            break
        read += len(part)
    else:
        held = len(decoder.getstate()[0])
        _, bad_byte = _decoded(decoder, b"", read - held, final=True)
    if bad_byte >= 0:
        raise Refused(
            Code.ENCODING_INVALID,
            f"The delivery is not {encoding} at byte {bad_byte}.",
            next_step=_next_step(encoding),
        )


def in_utf8(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """The delivery's text in UTF-8. As `texts_of`."""
    return (text.encode() for text in texts_of(blocks, encoding))


def _led(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """`blocks`, the first long enough to show a byte order mark."""
    arriving, first = iter(blocks), b""
    for block in arriving:
        first += block
        if len(first) >= len(max(_MARKS, key=len)):
            break
    yield first
    yield from arriving


def _wrong_mark(start: bytes, encoding: Encoding) -> str:
    mark = next((mark for mark in _MARKS if start.startswith(mark)), b"")
    if encoding == "utf-16":
        return "" if mark in _MARKS[1:] else "The delivery starts without the byte order mark of utf-16."
    if mark and (encoding != "utf-8" or mark != _MARKS[0]):
        return f"The delivery starts with the byte order mark of another encoding than {encoding}."
    return ""


def _decoded(decoder: codecs.IncrementalDecoder, part: bytes, start: int, *, final: bool = False) -> tuple[str, int]:
    """The text of `part`, up to the byte that is wrong; and that byte's place when what is decoded starts at `start`."""
    before = decoder.getstate()
    try:
        return decoder.decode(part, final), -1
    except UnicodeDecodeError as error:  # it holds the text: nothing is raised while it is known
        good = error.start
    decoder.setstate(before)
    return decoder.decode(part[: max(good - len(before[0]), 0)]), start + good


def _next_step(encoding: Encoding) -> str:
    return f"ask the partner to deliver it in {encoding}, or correct the encoding in the feed's file"

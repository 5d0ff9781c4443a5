"""How does an age file travel as text? In the strict PEM of the age specification, "ASCII armor", and in one spelling only."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from pipeline.core.errors import Code
from pipeline.edges.stanzas import Bytes, OpeningError

BEGIN, END = b"-----BEGIN AGE ENCRYPTED FILE-----", b"-----END AGE ENCRYPTED FILE-----"

_COLUMNS = 64
_LINE_BYTES = _COLUMNS * 3 // 4
_SPACE = b" \t\r\n"
_MAX_SPACE_BYTES = 1024
_BLOCK_BYTES = _LINE_BYTES * 4096
_MARK = re.compile(rb"[ \t\r\n]{0,%d}-----BEGIN" % _MAX_SPACE_BYTES)
_PEEKED_BYTES = _MAX_SPACE_BYTES + len(BEGIN)


def armored(blocks: Iterable[Bytes]) -> Iterator[bytes]:
    """The same bytes as text, line by line of 64 columns, in bounded memory."""
    yield BEGIN + b"\n"
    pending = bytearray()
    for block in blocks:
        pending += block
        whole = len(pending) - len(pending) % _LINE_BYTES
        for at in range(0, whole, _BLOCK_BYTES):
            yield _lines(pending[at : min(at + _BLOCK_BYTES, whole)])
        del pending[:whole]
    if pending:
        yield _lines(pending)
    yield END + b"\n"


def unarmored(blocks: Iterable[Bytes]) -> Iterator[Bytes]:
    """The bytes of an age file: as they come, or out of the armor that they begin with.

    Raises:
        OpeningError: what begins as armor is not to its end armor in its one spelling (LF or CRLF, white space around).
    """
    source = iter(blocks)
    start = bytearray()
    for block in source:
        start += block
        if len(start) >= _PEEKED_BYTES:
            break
    if not _MARK.match(start):
        return chain([start], source)
    return _unarmored(_with_line_feeds(chain([start], source)))


def _lines(content: Bytes) -> bytes:
    text = base64.b64encode(content)
    return b"\n".join([text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]) + b"\n"


def _with_line_feeds(blocks: Iterable[Bytes]) -> Iterator[bytes]:
    held = b""
    for block in blocks:
        text = held + bytes(block)
        held = b"\r" if text.endswith(b"\r") else b""
        yield text.removesuffix(b"\r").replace(b"\r\n", b"\n")
    yield held


def _unarmored(source: Iterator[bytes]) -> Iterator[bytes]:
    text = bytearray()
    for block in source:
        text += block
        if len(text.lstrip(_SPACE)) > len(BEGIN):
            break
    text = text.lstrip(_SPACE)
    if not text.startswith(BEGIN + b"\n"):
        raise _malformed("its first line is another")
    del text[: len(BEGIN) + 1]
    for block in chain([b""], source):
        text += block
        if b"-" in text:
            break
        # The last line is held back: it may be the last of all, which alone may have padding.
        whole = (len(text) - 1) // (_COLUMNS + 1) * (_COLUMNS + 1)
        if b"=" in text[:whole]:
            raise _malformed("a line within it has padding")
        yield _decoded(text[:whole])
        del text[:whole]
    body_bytes = text.find(b"-")
    if body_bytes < 0:
        raise OpeningError("its armor has no end", Code.SEALED_CUT_SHORT)
    yield _decoded(text[:body_bytes])
    del text[:body_bytes]
    _check_end(text, source)


def _decoded(lines: Bytes) -> bytes:
    """The content of whole lines, each of 64 columns but the last, which may be shorter."""
    if not lines:
        return b""
    full, rest = divmod(len(lines), _COLUMNS + 1)
    text = bytes(lines).replace(b"\n", b"")
    ends = lines[_COLUMNS :: _COLUMNS + 1]
    if ends != b"\n" * full or len(text) != len(lines) - full - bool(rest) or rest == 1 or lines[-1:] != b"\n":
        raise _malformed("its lines are not of 64 columns")
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise _malformed("its Base64 is wrong") from None
    if base64.b64encode(content[-(len(content) % 3 or 3) :]) != text[-4:]:
        raise _malformed("its Base64 has another spelling")
    return content


def _check_end(text: bytearray, source: Iterator[bytes]) -> None:
    for block in chain([b""], source):
        text += block
        if len(text) > len(END) + _MAX_SPACE_BYTES:
            break
    if not text.startswith(END):
        if END.startswith(text):
            raise OpeningError("its armor has no end", Code.SEALED_CUT_SHORT)
        raise _malformed("its last line is another")
    if text[len(END) :].strip(_SPACE) or len(text) > len(END) + _MAX_SPACE_BYTES:
        raise OpeningError("its armor is followed by something", Code.SEALED_OVERLONG)


def _malformed(why: str) -> OpeningError:
    return OpeningError(f"its armor is malformed: {why}")

"""Is every byte of an age file's content there, in its place, and nobody else's? It is sealed in chunks, each authenticated.

Age specification (https://c2sp.org/age), Payload: ChaCha20-Poly1305, the nonce is the chunk's number and whether it is the last.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pipeline.core.errors import Code
from pipeline.edges.stanzas import TAG_BYTES, Bytes, OpeningError, derive

CHUNK_BYTES = 64 * 1024
"""What one authenticated chunk holds."""

NONCE_BYTES = 16
_SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
_CHUNKS_A_BLOCK = 16


@dataclass(frozen=True, slots=True)
class Payload:
    """What follows the header and the nonce of one file, sealed and opened by the file's key."""

    _aead: ChaCha20Poly1305 = field(repr=False)

    @classmethod
    def of(cls, file_key: bytes, nonce: bytes) -> "Payload":
        """The payload of the file that has this key and nonce."""
        return cls(ChaCha20Poly1305(derive(file_key, salt=nonce, info=b"payload")))

    def seal(self, content: Bytes, *, after: bytes) -> bytes:
        """`after`, and then the sealed chunks of `content`."""
        clear = memoryview(content).cast("B")
        count = max(1, -(-len(clear) // CHUNK_BYTES))
        # BytesIO lends its bytes for writing and hands them out again without a copy.
        sealed = io.BytesIO(bytes(len(after) + len(clear) + count * TAG_BYTES))
        with sealed.getbuffer() as out:
            out[: len(after)] = after
            for number in range(count):
                chunk = clear[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
                at = len(after) + number * _SEALED_CHUNK_BYTES
                self._seal_chunk(number, chunk, out[at : at + len(chunk) + TAG_BYTES], last=number == count - 1)
        return sealed.getvalue()

    def seal_blocks(self, blocks: Iterable[Bytes]) -> Iterator[bytes]:
        """The sealed chunks of what `blocks` add up to, some at a time."""
        block = bytearray(_CHUNKS_A_BLOCK * _SEALED_CHUNK_BYTES)
        filled = 0
        for number, (chunk, last) in enumerate(_cut(blocks, CHUNK_BYTES)):
            end = filled + len(chunk) + TAG_BYTES
            self._seal_chunk(number, chunk, memoryview(block)[filled:end], last=last)
            filled = end
            if last or filled == len(block):
                yield bytes(memoryview(block)[:filled])
                filled = 0

    def open(self, sealed: Bytes) -> bytes:
        """The content, of which every byte was authenticated. Raises OpeningError."""
        opened = io.BytesIO(bytes(len(sealed)))
        size = 0
        with opened.getbuffer() as out:
            for number, (chunk, last) in enumerate(_cut([sealed], _SEALED_CHUNK_BYTES)):
                end = size + max(0, len(chunk) - TAG_BYTES)
                self._open_chunk(number, chunk, out[size:end], last=last)
                size = end
        opened.truncate(size)
        return opened.getvalue()

    def open_blocks(self, blocks: Iterable[Bytes]) -> Iterator[bytes]:
        """The content, chunk by authenticated chunk. Raises OpeningError, at the end for what is missing there."""
        for number, (chunk, last) in enumerate(_cut(blocks, _SEALED_CHUNK_BYTES)):
            clear = bytearray(max(0, len(chunk) - TAG_BYTES))
            self._open_chunk(number, chunk, clear, last=last)
            yield bytes(clear)

    def _seal_chunk(self, number: int, chunk: Bytes, out: Bytes, *, last: bool) -> None:
        self._aead.encrypt_into(_chunk_nonce(number, last=last), chunk, None, out)

    def _open_chunk(self, number: int, chunk: Bytes, out: Bytes, *, last: bool) -> None:
        """`out` holds the clear chunk, which was found to be this one, whole, and last or not last as said."""
        if len(chunk) < TAG_BYTES:
            raise OpeningError("it ends within a chunk", Code.SEALED_CUT_SHORT)
        if last and number and not len(out):
            raise OpeningError("its last chunk is empty")
        try:
            self._aead.decrypt_into(_chunk_nonce(number, last=last), chunk, None, out)
        except InvalidTag:
            raise self._wrong_chunk(number, chunk, last=last) from None

    def _wrong_chunk(self, number: int, chunk: Bytes, *, last: bool) -> OpeningError:
        """Why a chunk does not open: it opens as the last but is not the last, or the other way about, or not at all."""
        try:
            self._aead.decrypt(_chunk_nonce(number, last=not last), bytes(chunk), None)
        except InvalidTag:
            return OpeningError(f"chunk {number} was altered, cut short or added to, or is not in its place")
        if last:
            return OpeningError(f"what follows chunk {number} is missing", Code.SEALED_CUT_SHORT)
        return OpeningError(f"something follows its last chunk, number {number}", Code.SEALED_OVERLONG)


def _cut(blocks: Iterable[Bytes], chunk_bytes: int) -> Iterator[tuple[Bytes, bool]]:
    """The blocks' bytes cut into chunks, each with whether it is the last: the only one that nothing follows."""
    pending = bytearray()
    for block in blocks:
        view = memoryview(block).cast("B")
        at = 0
        while at < len(view):
            if len(pending) == chunk_bytes:
                yield pending, False
                pending = bytearray()
            if not pending and len(view) - at > chunk_bytes:
                yield view[at : at + chunk_bytes], False
                at += chunk_bytes
            else:
                take = view[at : at + chunk_bytes - len(pending)]
                pending += take
                at += len(take)
    yield pending, True


def _chunk_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")

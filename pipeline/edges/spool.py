"""Where do sealed parts wait, while nothing may be on shared storage yet?"""

import hashlib
import hmac
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from pipeline.core.errors import Code, Refused, Unavailable
from pipeline.core.layout import Sheet
from pipeline.core.statement import Part
from pipeline.edges.sealing import seal_blocks

SPOOL_MEMORY_BYTES = 64 * 1024 * 1024
MOST_PARTS = 10_000
"""A release of more is refused: each row's own date makes parts, and a partner chooses the dates."""


@dataclass(slots=True)
class Spool:
    """Sealed parts that wait for the last gate: nothing is on shared storage before every gate has passed.

    What does not fit into memory goes to an unnamed temporary file, sealed. `commitment_key` is the site's own.
    """

    recipient_keys: tuple[str, ...]
    ending: str
    commitment_key: bytes = field(repr=False)
    most_parts: int = MOST_PARTS
    parts: list[Part] = field(default_factory=list)
    _held: IO[bytes] = field(default_factory=lambda: tempfile.SpooledTemporaryFile(SPOOL_MEMORY_BYTES))  # noqa: SIM115 (close() closes it)

    def add(self, content: bytes, sheet: Sheet, *, until: datetime | None) -> None:
        """The sheet, written as `content`, is one more part, sealed to the recipient."""
        if len(self.parts) == self.most_parts:
            raise Refused(
                Code.LIMIT_EXCEEDED,
                f"the release falls into more than {self.most_parts} parts: its rows have too many different dates.",
                next_step="let the agreement's retention run from the loading or the release instead of a date of each row.",
            )
        hashed, size_bytes = hashlib.sha256(), 0
        try:
            for block in seal_blocks([content], self.recipient_keys):
                hashed.update(block)
                size_bytes += self._held.write(block)
        except OSError:
            raise Unavailable(
                Code.STORAGE_FULL,
                f"the temporary folder {tempfile.gettempdir()} cannot hold the sealed parts.",
                next_step="free space there, or set TMPDIR to a folder with more; then rerun.",
            ) from None
        digest = hashed.hexdigest()
        self.parts.append(
            Part(
                key=f"parts/{digest}.{self.ending}.age",
                digest=digest,
                size_bytes=size_bytes,
                commitment=hmac.new(self.commitment_key, content, hashlib.sha256).hexdigest(),
                rows=sheet.frame.height,
                columns=tuple(sheet.frame.columns),
                until=until,
                clock=sheet.clock.value,
                after=sheet.after,
            )
        )

    def sealed(self) -> Iterator[tuple[Part, bytes]]:
        """Each part with its sealed bytes, in the order in which they were added."""
        self._held.seek(0)
        for part in self.parts:
            yield part, self._held.read(part.size_bytes)

    def close(self) -> None:
        """The parts that were held are gone."""
        self._held.close()

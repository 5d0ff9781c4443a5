"""Releases on shared storage, each visible only when whole, and never changed.

<recipient>/releases/<release>/parts/<sha256>.<parquet|csv>.age   write-once, sealed to the recipient
<recipient>/releases/<release>/manifest.json                      write-once and last: this one write publishes
<recipient>/notices/<release>.json                                says that there is something to fetch; no data
<partner>/acknowledgements/<delivery>-<8 hex>.json                what became of the partner's delivery
<partner>/acknowledgements/<delivery>-<8 hex>.edi                 the same in the partner's own format, where its feed asks
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from pipeline.core.canonical import canonical
from pipeline.core.errors import Code, Refused, Unavailable
from pipeline.core.language.agreement import Agreement
from pipeline.core.layout import Sheet
from pipeline.core.statement import Part, read_statement
from pipeline.edges.sealing import seal
from pipeline.edges.signing import SigningKey, open_envelope, sign_statement
from pipeline.edges.storage import AlreadyThere, Store
from pipeline.edges.vault import Kept

SPOOL_MEMORY_BYTES = 64 * 1024 * 1024
MOST_PARTS = 10_000
"""A release of more is refused: each row's own date makes parts, and a partner chooses the dates."""


@dataclass(slots=True)
class Spool:
    """Sealed parts that wait for the last gate: nothing is on shared storage before every gate has passed.

    What does not fit into memory goes to an unnamed temporary file, sealed.
    """

    recipient_keys: tuple[str, ...]
    ending: str
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
        sealed = seal(content, self.recipient_keys)
        digest = hashlib.sha256(sealed).hexdigest()
        try:
            self._held.write(sealed)
        except OSError:
            raise Unavailable(
                Code.STORAGE_FULL,
                f"the temporary folder {tempfile.gettempdir()} cannot hold the sealed parts.",
                next_step="free space there, or set TMPDIR to a folder with more; then rerun.",
            ) from None
        self.parts.append(
            Part(
                key=f"parts/{digest}.{self.ending}.age",
                digest=digest,
                size_bytes=len(sealed),
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


@dataclass(frozen=True, slots=True)
class Published:
    """A release that is there: its envelope's digest and what its statement says."""

    release: str
    recipient: str
    manifest_digest: str
    predicate: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Publication:
    """The shared store, and the key that vouches for what we put there."""

    store: Store
    key: SigningKey = field(repr=False)

    def find(self, recipient: str, release: str) -> Published | None:
        """The release, its signature verified; None where it is not published."""
        envelope = self.store.find(manifest_key(recipient, release))
        if envelope is None:
            return None
        text = open_envelope(envelope, [self.key.public], name=f"the manifest of {release}")
        predicate = read_statement(text)
        if predicate["release"] != release or predicate["recipient"]["id"] != recipient:
            raise Refused(
                Code.VERIFICATION_FAILED,
                f"the manifest of {release} is that of another release.",
                next_step="find out who put it there.",
            )
        return Published(release, recipient, hashlib.sha256(envelope).hexdigest(), predicate)

    def put_parts(self, recipient: str, release: str, spool: Spool) -> None:
        """The sealed parts are there; nobody looks at them before a manifest names them."""
        for part, sealed in spool.sealed():
            self.store.put_new(f"{release_folder(recipient, release)}/{part.key}", sealed)

    def publish(self, recipient: str, release: str, statement: bytes) -> Published:
        """The release is there, whole: ours, or the one that another run has published meanwhile."""
        with suppress(AlreadyThere):
            self.store.put_new(manifest_key(recipient, release), sign_statement(statement, self.key))
        published = self.find(recipient, release)
        if published is None:
            raise Unavailable(
                Code.STORAGE_UNAVAILABLE,
                f"the manifest of {release} cannot be read back.",
                next_step="rerun: it will be found or made.",
            )
        return published

    def announce(self, published: Published) -> None:
        """The recipient's notice is there: what there is to fetch, and nothing of what it holds."""
        notice = {
            "release": published.release,
            "manifest": manifest_key(published.recipient, published.release),
            "manifest_digest": {"sha256": published.manifest_digest},
            "created_at": published.predicate["created_at"],
        }
        self.store.put_new(f"{published.recipient}/notices/{published.release}.json", canonical(notice))

    def acknowledge(self, partner: str, delivery: str, answer: dict[str, Any], reply: bytes | None = None) -> None:
        """The partner can read what became of its delivery: codes, rules, positions and counts; in JSON, and as `reply`."""
        for text, ending in ((canonical(answer), "json"), (reply, "edi")):
            if text is not None:
                name = hashlib.sha256(text).hexdigest()[:8]
                self.store.put_new(f"{partner}/acknowledgements/{delivery}-{name}.{ending}", text)

    def releases(self) -> Iterator[Published]:
        """Every published release, verified."""
        for listed in self.store.listing():
            recipient, _, rest = listed.key.partition("/releases/")
            release, _, name = rest.partition("/")
            if name == "manifest.json" and (published := self.find(recipient, release)):
                yield published

    def part(self, published: Published, key: str) -> Iterator[bytes]:
        """The sealed bytes of one part, as they are stored."""
        return self.store.blocks(f"{release_folder(published.recipient, published.release)}/{key}")


def release_name(agreement: Agreement, kept: Kept) -> str:
    """The release's name: one for each agreement and kept record, whatever the retries and edits in between."""
    return f"{agreement.id}.{kept.key.removeprefix(kept.feed + '.')}"


def release_folder(recipient: str, release: str) -> str:
    """Where a release is on shared storage."""
    return f"{recipient}/releases/{release}"


def manifest_key(recipient: str, release: str) -> str:
    """Where a release's manifest is on shared storage."""
    return f"{release_folder(recipient, release)}/manifest.json"

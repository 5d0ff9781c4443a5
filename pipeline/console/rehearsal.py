"""What would become of a file? The journey itself, on a stage: throw-away stores and keys, and the agreements as if in force.

Nothing of it reaches the site. What the stage writes to the temporary folder is sealed to keys that are only in memory.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import journey
from pipeline.core.agreement import Agreement, Status
from pipeline.core.errors import Code, Misconfigured, Refused, SafeconductError
from pipeline.core.feed import Feed
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.keys import Keyring
from pipeline.edges.landing import Landed, Landing
from pipeline.edges.ledger import Ledger
from pipeline.edges.opening import open_delivery
from pipeline.edges.publication import Publication
from pipeline.edges.quarantine import Quarantine
from pipeline.edges.sealing import new_identity, seal
from pipeline.edges.signing import new_signing_key
from pipeline.edges.site import Site
from pipeline.edges.storage import key_of, open_store
from pipeline.edges.vault import Vault

_AGE = b"age-encryption.org/v1"


@dataclass(frozen=True, slots=True)
class WouldRelease:
    """What an agreement would release of the file: the counts of the rows, or why nothing."""

    agreement: str
    recipient: str
    rows: dict[str, Any] | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would become of the file. `refusal`: why it would be refused as a whole."""

    file: Path
    feed: str
    refusal: str | None
    received: int | None
    accepted: int | None
    rejected: int | None
    findings: tuple[dict[str, Any], ...]
    releases: tuple[WouldRelease, ...]


@dataclass(frozen=True, slots=True)
class _Stage(Site):
    """A site whose catalogue is fixed."""

    script: Catalogue

    def catalogue(self) -> Catalogue:
        return self.script


def rehearse(site: Site, feed: Feed, agreements: Sequence[Agreement], file: Path) -> Rehearsed:
    """What would become of a file of the feed, in clear or sealed to the site, under each of the agreements."""
    content = _content(site, feed, file)
    with _stage(site, feed, agreements) as stage:
        landed_as = f"{feed.id}/{key_of(file.name.encode())}"
        sealed = seal(content, [stage.keyring.opening.recipient])
        stage.landing.store.put_new(landed_as, sealed)
        file_landed = Landed(hashlib.sha256(sealed).hexdigest(), landed_as, len(content), None)
        lot = stage.landing.claim(feed.id, [file_landed], at=stage.now())
        if lot is None:
            raise Misconfigured(Code.NOT_FOUND, f"{file} could not be rehearsed.", next_step="try again.")
        received = journey.receive(stage, lot.id)
        if received.refused:
            (refusal,) = received.refused
            return Rehearsed(file, feed.id, refusal.message, None, None, None, (), ())
        (kept,) = stage.vault.of_lot(lot.id)
        (one,) = kept.deliveries
        findings = tuple(
            {"rule": found.rule, "column": found.column, "count": found.count, "positions": list(found.positions)}
            for found in one.findings
        )
        releases = tuple(_would_release(stage, agreement, kept.key) for agreement in agreements)
        return Rehearsed(file, feed.id, None, one.received, one.accepted, one.rejected, findings, releases)


def _would_release(stage: _Stage, agreement: Agreement, kept: str) -> WouldRelease:
    now = _moment(agreement, stage.now())
    try:
        name = journey.release(replace(stage, now=lambda: now), agreement.id, kept).release
    except SafeconductError as refusal:
        return WouldRelease(agreement.id, agreement.recipient, None, str(refusal))
    published = stage.publication.find(agreement.recipient, name)
    return WouldRelease(agreement.id, agreement.recipient, published.predicate["rows"] if published else None, None)


@contextmanager
def _stage(site: Site, feed: Feed, agreements: Sequence[Agreement]) -> Iterator[_Stage]:
    catalogue = site.catalogue()
    script = replace(
        catalogue,
        # The file may come in clear, and nobody signed it; on the stage it is sealed all the same.
        feeds={**catalogue.feeds, feed.id: feed.model_copy(update={"sealed": True, "signed": False})},
        agreements={
            **catalogue.agreements,
            **{one.id: one.model_copy(update={"status": Status.ACTIVE}) for one in agreements},
        },
    )
    with tempfile.TemporaryDirectory(prefix="safeconduct-rehearsal-") as name:
        folder = Path(name)
        for store in ("landing", "private", "shared"):
            (folder / store).mkdir(mode=0o700)
        landing, private, shared = (open_store((folder / store).as_uri()) for store in ("landing", "private", "shared"))
        keyring = _keyring(folder / "keys", agreements)
        staged = {
            "landing": Landing(landing, private),
            "quarantine": Quarantine(private, keyring.quarantine),
            "vault": Vault(private, keyring.vault),
            "publication": Publication(shared, keyring.signing),
            "ledger": Ledger(private.within("ledger")),
            "keyring": keyring,
        }
        yield _Stage(**{field.name: getattr(site, field.name) for field in fields(Site)} | staged, script=script)


def _keyring(folder: Path, agreements: Sequence[Agreement]) -> Keyring:
    """Keys of nobody; the only halves on disk are public."""
    keyring = Keyring(
        directory=folder,
        signing=new_signing_key(),
        vault=new_identity(),
        quarantine=new_identity(),
        opening=new_identity(),
        pseudonym_master=bytes(32),
    )
    for agreement in agreements:
        path = keyring.recipients_path(agreement.recipient)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{new_identity().recipient}\n", encoding="utf-8")
    return keyring


def _content(site: Site, feed: Feed, file: Path) -> bytes:
    """The file's bytes in clear."""
    try:
        size_bytes = file.stat().st_size
        if size_bytes > feed.limits.max_bytes:
            raise Refused(
                Code.DELIVERY_TOO_LARGE,
                f"{file} has {size_bytes} bytes; the feed allows {feed.limits.max_bytes}.",
                next_step="try a smaller file, or raise limits.max_bytes of the feed.",
            )
        content = file.read_bytes()
    except OSError as error:
        raise Misconfigured(
            Code.NOT_FOUND, f"{file} cannot be read: {error.strerror}.", next_step="name a file that you can read."
        ) from None
    if content.startswith(_AGE):
        return b"".join(open_delivery([content], site.keyring.opening, name=str(file)))
    return content


def _moment(agreement: Agreement, now: datetime) -> datetime:
    """An instant at which the agreement is in force: now where it is."""
    in_force = agreement.in_force.since <= now < agreement.in_force.until
    return now if in_force else agreement.in_force.since

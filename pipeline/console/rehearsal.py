"""What would become of a file? The journey itself, on a stage: throw-away stores and keys, and the agreements as if in force.

Nothing of it reaches a site, and none is needed. What the stage writes to the temporary folder is sealed to keys that are only
in memory. Its pseudonyms are made with a key of its own each time: they are never those of a release.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import journey
from pipeline.console.findings import facts_of
from pipeline.console.readiness import Block, as_if_active, showing_everything
from pipeline.core.clocks import Instants, waits_until
from pipeline.core.errors import Code, Misconfigured, Refused, SafeconductError
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.feed import Acceptance, Feed
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.declarations import Declarations, Declared
from pipeline.edges.epochs import Epochs
from pipeline.edges.keys import Keyring
from pipeline.edges.landing import Landed, Landing
from pipeline.edges.ledger import Ledger
from pipeline.edges.opening import open_delivery
from pipeline.edges.publication import Publication, Published
from pipeline.edges.quarantine import Quarantine
from pipeline.edges.roles import Role, new_key
from pipeline.edges.schemas import meanings_of
from pipeline.edges.sealing import Identities, Identity, new_identity, seal
from pipeline.edges.site import Settings, Site
from pipeline.edges.storage import Store, key_of, open_store
from pipeline.edges.vault import Kept, Vault

_AGE = b"age-encryption.org/v1"

_TO_BE_DECLARED = frozenset(
    {Code.PURPOSE_MISSING, Code.PURPOSE_NOT_ALLOWED, Code.CONDITION_MISSING, Code.MARKING_FORBIDS}
)
_TOO_BAD = frozenset({Code.TOO_MANY_REJECTED.value, Code.TOO_FEW_ROWS.value})


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of a file as a delivery. `refusal`: why it would be refused as a whole."""

    file: Path
    feed: str
    refusal: Block | None
    received: int | None
    accepted: int | None
    rejected: int | None
    findings: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class WouldRelease:
    """What an agreement would release of the file: the counts of the rows, or why nothing.

    `declared`: what the stage has made up since nobody has declared enough.
    """

    agreement: str
    version: int
    recipient: str
    rows: dict[str, Any] | None
    refusal: Block | None
    declared: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would become of the file, and of its rows under each agreement."""

    tried: Tried
    releases: tuple[WouldRelease, ...]


@dataclass(frozen=True, slots=True)
class Stage(Site):
    """A site whose catalogue and clock stand still. `recipient` opens what it publishes."""

    script: Catalogue
    recipient: Identity = field(repr=False)

    def catalogue(self) -> Catalogue:
        return self.script

    def acting(self, agreement: Agreement) -> "Stage":
        """The stage at the instant of the release: the agreement is in force, its delay is over, any key will do.

        It is the only version there: nobody need have approved what it widens.
        """
        now = self.now()
        at = max(now, waits_until(agreement.handling.delay, Instants(now, now, now, now)) or now)
        acting = as_if_active(agreement, at).model_copy(update={"recipient_keys": None})
        script = replace(
            self.script,
            agreements={**self.script.agreements, agreement.id: acting},
            versions={**self.script.versions, agreement.id: (acting,)},
        )
        return replace(self, script=script, now=lambda: at)


def rehearse(site: Site, feed: Feed, agreements: Sequence[Agreement], file: Path) -> Rehearsed:
    """What would become of a file of the feed, in clear or sealed to the site, under each of the agreements."""
    with stage(site.catalogue(), feed, agreements, at=site.now()) as on_stage:
        tried, kept = receive(on_stage, feed, file, opening=site.keyring.opening_identities)
        releases = tuple(_would_release(on_stage, agreement, kept) for agreement in agreements) if kept else ()
        return Rehearsed(tried, releases)


def try_delivery(catalogue: Catalogue, feed: Feed, file: Path, *, opening: Identities | None, at: datetime) -> Tried:
    """What would become of a file of the feed: parsed, validated and held as the journey does it.

    Where it is refused for its bad rows, `findings` are still all of them, as a feed that takes anything would tell.
    """
    with stage(catalogue, feed, (), at=at) as on_stage:
        tried, _ = receive(on_stage, feed, file, opening=opening)
    if tried.refusal is None or tried.refusal.code not in _TOO_BAD:
        return tried
    lenient = feed.model_copy(update={"acceptance": Acceptance(max_rejected_share=1, min_rows=0)})
    with stage(catalogue, lenient, (), at=at) as on_stage:
        told, _ = receive(on_stage, lenient, file, opening=opening)
    return replace(tried, received=told.received, rejected=told.rejected, accepted=0, findings=told.findings)


def receive(on_stage: Stage, feed: Feed, file: Path, *, opening: Identities | None) -> tuple[Tried, Kept | None]:
    """The file went through the receiving half of the journey; its good rows are in the stage's vault."""
    content = _content(feed, file, opening)
    landed_as = f"{feed.id}/{key_of(file.name.encode())}"
    sealed = seal(content, [on_stage.keyring.opening.recipient])
    on_stage.landing.store.put_new(landed_as, sealed)
    landed = Landed(hashlib.sha256(sealed).hexdigest(), landed_as, len(content), None)
    lot = on_stage.landing.claim(feed.id, [landed], at=on_stage.now())
    if lot is None:
        raise Misconfigured(Code.NOT_FOUND, f"{file} could not be rehearsed.", next_step="try again.")
    journey.receive(on_stage, lot.id)
    for report in on_stage.quarantine.reports(landed.delivery):
        if report["outcome"] == "refused":
            refusal = Block(report["code"], report["message"], report["next_step"])
            return Tried(file, feed.id, refusal, None, None, None, ()), None
    (kept,) = on_stage.vault.of_lot(lot.id)
    (one,) = kept.deliveries
    findings = facts_of(one.findings, meanings_of(feed))
    return Tried(file, feed.id, None, one.received, one.accepted, one.rejected, findings), kept


def release(on_stage: Stage, agreement: Agreement, kept: Kept) -> tuple[Published, dict[str, Any] | None]:
    """The release on the stage, and what had to be made up for it; `on_stage` is `acting` for the agreement.

    Raises:
        SafeconductError: what the journey says to this agreement and these rows, whoever declares what.
    """
    made_up = None
    try:
        name = journey.release(on_stage, agreement.id, kept.key).release
    except Refused as refusal:
        if refusal.code not in _TO_BE_DECLARED:
            raise
        declaration = showing_everything(agreement, on_stage.now())
        declared = Declared(declaration=declaration, by="preview", at=on_stage.now())
        on_stage.declarations.declare(agreement.id, kept.key, declared)
        made_up = declaration.model_dump(mode="json")
        name = journey.release(on_stage, agreement.id, kept.key).release
    published = on_stage.publication.find(agreement.recipient, name)
    if published is None:
        raise Misconfigured(Code.NOT_FOUND, f"{name} is not on the stage.", next_step="try again.")
    return published, made_up


@contextmanager
def stage(catalogue: Catalogue, feed: Feed, agreements: Sequence[Agreement], *, at: datetime) -> Iterator[Stage]:
    """A stage for deliveries of the feed, and for releases under the agreements. It is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="safeconduct-rehearsal-") as name:
        folder = Path(name)
        urls = {store: (folder / store).as_uri() for store in ("landing", "private", "shared")}
        for store in urls:
            (folder / store).mkdir(mode=0o700)
        landing, private, shared = (open_store(url) for url in urls.values())
        recipient = new_identity()
        keyring = _keyring(folder / "keys", private, _recipients(catalogue, agreements), recipient, at)
        yield Stage(
            directory=folder,
            settings=Settings(
                catalogue="catalogue", landing=urls["landing"], private=urls["private"], shared=urls["shared"]
            ),
            landing=Landing(landing, private),
            quarantine=Quarantine(private, keyring.quarantine_identities),
            vault=Vault(private, keyring.vault_identities),
            publication=Publication(shared, keyring.signing),
            declarations=Declarations(private),
            ledger=Ledger(private.within("ledger"), shared.within("ledger"), keyring, "rehearsal"),
            keyring=keyring,
            now=lambda: at,
            script=_script(catalogue, feed, folder / "catalogue"),
            recipient=recipient,
        )


def _would_release(on_stage: Stage, agreement: Agreement, kept: Kept) -> WouldRelease:
    try:
        published, made_up = release(on_stage.acting(agreement), agreement, kept)
    except SafeconductError as error:
        refusal = Block(error.code.value, error.message, error.next_step)
        return WouldRelease(agreement.id, agreement.version, agreement.recipient, None, refusal, None)
    rows = published.predicate["rows"]
    return WouldRelease(agreement.id, agreement.version, agreement.recipient, rows, None, made_up)


def _script(catalogue: Catalogue, feed: Feed, root: Path) -> Catalogue:
    """The catalogue as if it lay in `root`, where no signature does: what is rehearsed may be signed later.

    The file may come in clear, and nobody signed it; on the stage it is sealed all the same. What other feeds have told is not there, so
    that nothing is asked of it.
    """
    return replace(
        catalogue,
        root=root,
        texts={root / path.relative_to(catalogue.root): text for path, text in catalogue.texts.items()},
        feeds={**catalogue.feeds, feed.id: feed.model_copy(update={"sealed": True, "signed": False, "follows": ()})},
    )


def _recipients(catalogue: Catalogue, agreements: Sequence[Agreement]) -> set[str]:
    members = {member.id for one in agreements for member in catalogue.members(one.recipient)}
    return members | {one.recipient for one in agreements}


def _keyring(folder: Path, private: Store, partners: set[str], recipient: Identity, at: datetime) -> Keyring:
    """Keys of nobody; the only halves on disk are public."""
    keys = tuple(new_key(role, 1, at) for role in Role if role.required)
    keyring = Keyring(folder, keys, Epochs(private))
    for partner in partners:
        path = keyring.recipients_path(partner)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{recipient.recipient}\n", encoding="utf-8")
    return keyring


def _content(feed: Feed, file: Path, opening: Identities | None) -> bytes:
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
    if not content.startswith(_AGE):
        return content
    if opening is None:
        raise Misconfigured(
            Code.SITE_KEY_MISSING, f"{file} is sealed.", next_step="name the file as it was before it was sealed."
        )
    return b"".join(open_delivery([content], opening, name=str(file)))

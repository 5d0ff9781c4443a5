"""Is everything that this site has written still what it was, and is nothing added or missing?

    audits/<instant>.json, .html     write-once: a report that was kept, whose digests the ledger's entry `audited` names
    audits/<instant>.dsse            the same digests, signed by the site

The ledger is verified from its beginning, or from the last checkpoint that a witness has cosigned or else the last audit saw;
before that each entry is held against the checkpoint's root. Then every object of both stores is looked at by its row of
`audit_table`. Only sealed objects, which are named by their digests, are not read again unless the audit is a full one or
they have changed since the last: an edit that keeps a file's time is found by the next full audit.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.core.audit import Found, KindSeen, Length, Report
from pipeline.core.duration import after
from pipeline.core.errors import Code, Conflict, SafeconductError
from pipeline.core.notes import Checkpoint
from pipeline.edges.audit_grounds import Grounds, Object, gone, unrecorded
from pipeline.edges.audit_ledger import Spoken, digest_of, written_after_its_entry
from pipeline.edges.audit_shared import parts_of
from pipeline.edges.audit_table import TABLE, Row, found
from pipeline.edges.checkpoints import open_checkpoint, size_of_checkpoint
from pipeline.edges.publication import Published, proof_key
from pipeline.edges.records import PRIVATE, SHARED
from pipeline.edges.returns import WITNESSED
from pipeline.edges.revision import first_name
from pipeline.edges.site import Site
from pipeline.edges.storage import Listed
from pipeline.edges.tiles import size_of_tile

Progress = Callable[[str, int, int, int], None]
"""Told of each kind: its name, how many of its objects were looked at, of how many, and the bytes read so far."""

FOLDER = "audits"


@dataclass(frozen=True, slots=True)
class Last:
    """What the last audit that was kept says: when it began, whether it was full, found anything, and the ledger then."""

    at: datetime
    full: bool
    clean: bool
    checkpoint: Length


@dataclass(slots=True)
class _Findings:
    """What was found, each thing once."""

    found: dict[tuple[str, str], Found] = field(default_factory=dict)

    def tell(self, name: str, error: SafeconductError) -> None:
        self.found.setdefault((error.code.value, name), Found.of(name, error))


def audit(
    site: Site, *, full: bool | None = False, known: bytes | None = None, progress: Progress = lambda *_: None
) -> Report:
    """Everything of the site that is not as it must be. Nothing is written.

    `full`: read every object again; None: where the last audit that did is older than the site wants, or found anything.
    `known`: a checkpoint that somebody has kept apart, cosigned or not; the ledger must be the one that it is of.
    """
    began, clock = site.now(), time.monotonic()
    findings, notes = _Findings(), list[str]()
    progress("ledger", 0, 0, 0)
    spoken = Spoken.of(site.vault.store)
    kept = kept_audits(site, spoken)
    last = kept[0] if kept else None
    full = _is_full(site, kept) if full is None else full or last is None or not last.clean
    since, checkpoint, holds = _ledger(site, spoken, last, known, findings, full=full)
    grounds = Grounds(site, spoken, dict(_listed(site)), began, ledger_holds=holds)
    if not full and last is not None:
        grounds.unread_before = last.at - timedelta(hours=1)
    kinds = _look_at_all(grounds, findings, progress, since=since.size if since else 0)
    _missing(grounds, findings)
    _unnamed(grounds, findings)
    releases = _stories(grounds, findings)
    witnessed = _witnessed(grounds, findings, notes)
    if grounds.not_understood:
        notes.append(
            f"Releases whose kept texts this version of Safeconduct does not understand: {grounds.not_understood}. That they "
            "hold the versions that the manifests name was not checked."
        )
    return Report(
        origin=site.ledger.origin,
        at=began,
        took_seconds=time.monotonic() - clock,
        full=full,
        checkpoint=Length(checkpoint.size, checkpoint.root.hex()),
        since=Length(since.size, since.root.hex()) if since else None,
        witnessed=witnessed,
        entries=dict(sorted(spoken.kinds.items())),
        releases=releases,
        kinds=kinds,
        leftovers=grounds.leftovers,
        making=grounds.making,
        waiting=grounds.waiting,
        notes=tuple(notes),
        findings=tuple(findings.found.values()),
    )


def grounds_of(site: Site) -> Grounds:
    """What is needed to look at single objects, as they are at each look: see `look_at`."""
    spoken = Spoken.of(site.vault.store)
    return Grounds(site, spoken, dict(_listed(site)), site.now())


def look_at(grounds: Grounds, store: str, listed: Listed) -> Found | None:
    """What is wrong with one object, as a whole audit would say."""
    grounds.fresh()
    known = found(store, listed)
    try:
        if known is None:
            raise _unknown(f"{store}/{listed.key}")
        row, one = known
        if row.check is None:
            grounds.site.ledger.verify()
        else:
            row.check(grounds, one)
    except SafeconductError as error:
        return Found.of(f"{store}/{listed.key}", error)
    return None


def kept_audits(site: Site, spoken: Spoken) -> tuple[Last, ...]:
    """The audits that were kept, the newest first; those alone that are what the ledger says."""
    kept = []
    for listed in site.vault.store.listing(FOLDER):
        told = spoken.records.get(f"{PRIVATE}/{listed.key}")
        content = site.vault.store.find(listed.key) if told and listed.key.endswith(".json") else None
        if told and content is not None and digest_of(content) == told.digest:
            said = json.loads(content)
            length = Length(said["checkpoint"]["size"], said["checkpoint"]["root"])
            kept.append(Last(datetime.fromisoformat(said["at"]), said["full"], said["found"] == 0, length))
    return tuple(sorted(kept, key=lambda last: last.at, reverse=True))


def _is_full(site: Site, kept: Sequence[Last]) -> bool:
    last_full = next((one.at for one in kept if one.full), None)
    return last_full is None or not kept[0].clean or after(last_full, site.settings.audit.full) <= site.now()


def _ledger(
    site: Site, spoken: Spoken, last: Last | None, known: bytes | None, findings: _Findings, *, full: bool
) -> tuple[Checkpoint | None, Checkpoint, bool]:
    """From where the ledger was verified, the checkpoint that it ends in, and whether it holds."""
    since: Checkpoint | None = None
    empty = Checkpoint(site.ledger.origin, 0, b"")
    try:
        if known is not None:
            site.ledger.confirm(open_checkpoint(known, site.ledger.verifier_keys, name="The checkpoint that was kept"))
        seen = (
            Checkpoint(site.ledger.origin, last.checkpoint.size, bytes.fromhex(last.checkpoint.root)) if last else None
        )
        if seen is not None and seen.size:
            site.ledger.confirm(seen)
        if not full:
            since = site.ledger.witnessed() or (seen if seen and seen.size else None)
        if since is not None:
            spoken.is_of(since)
        return since, site.ledger.verify(since), True
    except SafeconductError as error:
        findings.tell("ledger", error)
    try:
        return since, site.ledger.checkpoint(), False
    except SafeconductError:
        return since, empty, False


def _listed(site: Site) -> Iterator[tuple[str, Listed]]:
    for name, store in ((PRIVATE, site.vault.store), (SHARED, site.publication.store)):
        for listed in store.listing():
            yield f"{name}/{listed.key}", listed


def _look_at_all(grounds: Grounds, findings: _Findings, progress: Progress, *, since: int) -> tuple[KindSeen, ...]:
    """Every listed object was looked at by its row; what no row knows is told."""
    objects: dict[tuple[str, str], list[Object]] = {(row.store, row.key): [] for row in TABLE}
    for name, listed in grounds.listed.items():
        known = found(name.partition("/")[0], listed)
        if known is None:
            findings.tell(name, _unknown(name))
        else:
            objects[known[0].store, known[0].key].append(known[1])
    seen = []
    for row in TABLE:
        there = objects[row.store, row.key]
        before = grounds.read_objects, grounds.read_bytes
        for done, one in enumerate(there):
            progress(row.kind, done, len(there), grounds.read_bytes)
            if row.check is not None:
                _look(grounds, row, one, findings)
        read = grounds.read_objects - before[0], grounds.read_bytes - before[1]
        if row.check is None:
            read = _read_with_the_ledger(row, there, since)
        stored = sum(one.listed.size_bytes for one in there)
        seen.append(KindSeen(row.kind, row.store, row.vouched_by, len(there), stored, *read))
    return tuple(seen)


def _read_with_the_ledger(row: Row, objects: Sequence[Object], since: int) -> tuple[int, int]:
    """How many objects and bytes of the ledger's own were read: entries all, tiles and checkpoints from `since` on."""
    sizes = {"ledger/tile/<path>": size_of_tile, "ledger/checkpoints/<number>": size_of_checkpoint}
    size_of = sizes.get(row.key)
    if row.key == "ledger/ids/<digest>":
        count = max(0, len(objects) - since)
        return count, sum(one.listed.size_bytes for one in objects) * count // max(1, len(objects))
    read = [one for one in objects if size_of is None or (size_of(one.key.removeprefix("ledger/")) or 0) > since]
    return len(read), sum(one.listed.size_bytes for one in read)


def _look(grounds: Grounds, row: Row, one: Object, findings: _Findings) -> None:
    try:
        if row.check is not None:
            row.check(grounds, one)
    except SafeconductError as error:
        if error.code is Code.OBJECT_MISSING and row.goes and not grounds.has_still(one):
            return  # it went away while we looked: that a record still names it is asked at the end
        findings.tell(one.name, error)


def _missing(grounds: Grounds, findings: _Findings) -> None:
    """What the ledger, a manifest or a record names is there."""
    spoken = grounds.spoken
    for name, told in spoken.records.items():
        if name in grounds.listed or (written_after_its_entry(name) and grounds.is_recent(told.at)):
            continue
        if "/quarantine/" in f"/{name}" and "/raw." in name and _accepted_since(grounds, name, told.subject):
            continue
        findings.tell(name, gone(name))
    for release, entry in spoken.released.items():
        recipient = str(entry.facts["recipient"])
        manifest = f"{SHARED}/{recipient}/releases/{release}/manifest.json"
        if manifest not in grounds.listed:
            findings.tell(manifest, gone(manifest))
            continue
        later = [proof_key(recipient, release, "manifest"), f"{recipient}/notices/{release}.json"]
        _told_later(grounds, entry.at, later, findings)
        published = grounds.published(recipient, release)
        if published is not None:
            parts_of(grounds, published, findings.tell)
            _behind(grounds, published, findings)
        if entry.sequence < spoken.witnessed_size:
            _told_later(grounds, entry.at, [proof_key(recipient, release, WITNESSED)], findings)
    for release, entry in spoken.withdrawn.items():
        recipient = str(entry.facts["recipient"])
        withdrawal = f"{SHARED}/{recipient}/releases/{release}/withdrawal.json"
        if withdrawal not in grounds.listed:
            findings.tell(withdrawal, gone(withdrawal))
        later = [proof_key(recipient, release, "withdrawal"), f"{recipient}/notices/{release}.withdrawn.json"]
        _told_later(grounds, entry.at, later, findings)


def _behind(grounds: Grounds, published: Published, findings: _Findings) -> None:
    """What every release leaves in the private store: its epoch's master and, of statistics, the table that it told."""
    predicate = published.predicate
    epoch = f"{PRIVATE}/epochs/{predicate['agreement']['id']}/{predicate['pseudonym_epoch']}.json"
    if epoch not in grounds.listed:
        findings.tell(epoch, gone(epoch))
    if (predicate["statistics"] or {}).get(
        "compared_tables"
    ) is not None and published.release not in grounds.tables_of:
        findings.tell(published.release, gone(f"the table that {published.release} told"))


def _told_later(grounds: Grounds, at: datetime, keys: list[str], findings: _Findings) -> None:
    for name in (f"{SHARED}/{key}" for key in keys):
        if name not in grounds.listed and not grounds.is_recent(at):
            findings.tell(name, gone(name))


def _accepted_since(grounds: Grounds, name: str, delivery: str) -> bool:
    """Whether the refused delivery was accepted, before the audit began or since: its raw bytes go away then."""
    feed = name.rpartition("/raw.")[2].removesuffix(".json")
    if (feed, delivery) in grounds.spoken.accepted:
        return True
    return grounds.site.ledger.find(f"accepted:{feed}:{delivery}") is not None


def _unnamed(grounds: Grounds, findings: _Findings) -> None:
    """Sealed objects that a record names are there; those that none names are what a try that died has left."""
    for name in sorted(grounds.named - set(grounds.listed)):
        is_part = name.startswith(f"{SHARED}/")  # those were asked about release by release, with their dates
        if not is_part and "/raw-" not in name and not grounds.has(name):
            findings.tell(name, gone(name))
    for name, listed in grounds.listed.items():
        if name in grounds.named or not name.endswith((".age", ".json")):
            continue
        known = found(name.partition("/")[0], listed)
        if known is None or not (known[0].sealed or name.startswith(f"{PRIVATE}/policies/")):
            continue
        one = known[1]
        digest, delivery = one.parts["digest"], one.parts.get("delivery")
        if one.store == SHARED:
            explained = digest in grounds.spoken.intended_parts
        else:
            explained = delivery is None or grounds.is_claimed(delivery)
        if explained or grounds.is_new(listed):
            grounds.left_over(one)
        else:
            findings.tell(name, unrecorded(name))


def _stories(grounds: Grounds, findings: _Findings) -> dict[str, int]:
    """Every intent came to something, and every release was acknowledged in time; how many there are of which."""
    spoken, settings, now = grounds.spoken, grounds.site.settings.audit, grounds.site.now()
    open_ = late = 0
    for release, entry in spoken.intended.items():
        settled = release in spoken.released or spoken.withheld.get(first_name(release), -1) > entry.sequence
        if not settled and after(entry.at, settings.intent) <= now:
            open_ += 1
            findings.tell(release, _open(release, entry.at))
    catalogue = grounds.site.catalogue()
    heard = 0
    for release, entry in spoken.released.items():
        recipient = str(entry.facts["recipient"])
        readers = catalogue.readers(recipient) if recipient in catalogue.partners else (recipient,)
        silent = [reader for reader in readers if (release, reader) not in spoken.acknowledged]
        heard += not silent
        if silent and release not in spoken.withdrawn and after(entry.at, settings.acknowledgement) <= now:
            late += 1
            findings.tell(release, _silent(release, silent, entry.at))
    return {
        "released": len(spoken.released),
        "withdrawn": len(spoken.withdrawn),
        "acknowledged": heard,
        "unacknowledged for long": late,
        "intended without outcome": open_,
    }


def _witnessed(grounds: Grounds, findings: _Findings, notes: list[str]) -> dict[str, object] | None:
    """The last checkpoint that a witness has cosigned, which is not long ago where the site has witnesses."""
    site = grounds.site
    try:
        counting = (
            [one for one in site.ledger.cosignatures() if site.ledger.counts(one)] if grounds.ledger_holds else []
        )
        wanted = bool(site.keyring.witnesses())
    except SafeconductError as error:
        findings.tell("ledger", error)
        return None
    newest = max(counting, key=lambda one: (one.size, one.at), default=None)
    if not wanted:
        notes.append(
            "No witness is known (keys/witnesses.txt): that the whole ledger was put back to an earlier one is found only "
            "by who has kept a checkpoint (--known)."
        )
    elif grounds.ledger_holds:
        since = newest.at if newest else grounds.spoken.first_at
        if since is not None and after(since, site.settings.audit.witness) <= site.now():
            findings.tell("ledger", _unwitnessed(since))
    return {"size": newest.size, "witness": newest.key.name, "at": newest.at.isoformat()} if newest else None


def _unknown(name: str) -> Conflict:
    return Conflict(
        Code.OBJECT_UNKNOWN,
        f"{name} is of no kind that Safeconduct writes.",
        next_step="find out who put it there; move it elsewhere.",
    )


def _open(release: str, at: datetime) -> Conflict:
    return Conflict(
        Code.INTENT_OPEN,
        f"{release} was about to be published at {at.isoformat(timespec='minutes')}, and nothing came of it.",
        next_step="replay its delivery, or clear its run in Airflow.",
    )


def _silent(release: str, readers: list[str], at: datetime) -> Conflict:
    return Conflict(
        Code.ACKNOWLEDGEMENT_MISSING,
        f"{release} was released at {at.isoformat(timespec='minutes')}; {', '.join(readers)} has not acknowledged it.",
        next_step="ask whether it was fetched; its OPEN.md says how to acknowledge.",
    )


def _unwitnessed(since: datetime) -> Conflict:
    return Conflict(
        Code.WITNESS_SILENT,
        f"no witness has cosigned the ledger since {since.isoformat(timespec='minutes')}.",
        next_step="ask the witness's partner to run it, and to give back what it cosigns.",
    )

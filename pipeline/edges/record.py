"""What the ledger and the partner are told: one function for each thing that can become of a delivery or a release.

Each can be told again: the ledger keeps the first entry of an id, and the same acknowledgement is the same object.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from pipeline.core.acknowledgement import Acknowledgement
from pipeline.core.authority import Authorised
from pipeline.core.canonical import canonical
from pipeline.core.delivery import Delivery
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.feed import RETURNS, Feed
from pipeline.core.statement import Part
from pipeline.edges.checkpoints import Cosignature
from pipeline.edges.clock import clock_holds
from pipeline.edges.declarations import Declared
from pipeline.edges.ledger import Entry, Fact, Kind
from pipeline.edges.opening import SIGNATURE_SUFFIX
from pipeline.edges.publication import Published, Withdrawn, answers_to, release_name
from pipeline.edges.records import digests_of, records_of
from pipeline.edges.roles import Key
from pipeline.edges.site import Site
from pipeline.edges.vault import Accepted, Kept


def accepted(site: Site, feed: Feed, kept: Kept, one: Accepted, reply: bytes | None = None) -> None:
    """A delivery's good rows are in the vault; the partner learns how many, and which rules the others broke where.

    `reply` says the same in the partner's own format.
    """
    facts: dict[str, Fact] = {
        "feed": feed.id,
        "landed_as": one.landed_as,
        "received": one.received,
        "accepted": one.accepted,
        "rejected": one.rejected,
    }
    answer = {"delivery": one.delivery, "outcome": "accepted", **facts, "findings": [asdict(f) for f in one.findings]}
    answers = answers_to(feed.partner, one.delivery, answer, reply)
    records = records_of(site, feed.id, one.delivery, answers=answers, kept=kept)
    what = f"{feed.id}:{one.delivery}"
    _enter_with(site, Kind.ACCEPTED, what, one.delivery, {**facts, "kept": kept.key}, records)
    site.publication.acknowledge(answers)


def refused(site: Site, partner: str | None, delivery: Delivery, refusal: Refused, reply: bytes | None = None) -> None:
    """A delivery was refused as a whole; its partner, where that is known, learns why and what to do."""
    facts: dict[str, Fact] = {
        "feed": delivery.feed,
        "landed_as": delivery.landed_as,
        "code": refusal.code.value,
        "message": refusal.message,
    }
    answer = {"delivery": delivery.id, "outcome": "refused", **facts, "next_step": refusal.next_step}
    answers = answers_to(partner, delivery.id, answer, reply) if partner else {}
    records = records_of(site, delivery.feed, delivery.id, answers=answers)
    what = f"{delivery.feed}:{delivery.id}:{refusal.code.value}"
    _enter_with(site, Kind.REFUSED, what, delivery.id, facts, records)
    site.publication.acknowledge(answers)


def repeated(site: Site, delivery: Delivery, landed_as: str) -> None:
    """A delivery that is in the vault was sent once more under another name."""
    facts: dict[str, Fact] = {"feed": delivery.feed, "landed_as": landed_as, "first_landed_as": delivery.landed_as}
    _enter(site, Kind.REPEATED, f"{delivery.feed}:{delivery.id}:{landed_as}", delivery.id, facts)


def late(site: Site, feed: Feed, due: datetime) -> None:
    """Nothing of a scheduled feed was accepted in time."""
    facts: dict[str, Fact] = {"feed": feed.id, "due": due.isoformat()}
    _enter(site, Kind.LATE, f"{feed.id}:{due.isoformat()}", feed.id, facts)


def intended(site: Site, authorised: Authorised, release: str, parts: list[Part]) -> None:
    """These sealed parts are about to be published; each try has its own."""
    digests = [part.digest for part in parts]
    facts: dict[str, Fact] = {
        "agreement": authorised.agreement.id,
        "agreement_digest": authorised.agreement_digest,
        "parts": digests,
    }
    _enter(site, Kind.INTENDED, _intent(release, digests).partition(":")[2], release, facts)


def _intent(release: str, digests: Sequence[str]) -> str:
    """The id of the entry that these parts were about to be published."""
    return f"{Kind.INTENDED.value}:{release}:{digests[0] if digests else 'empty'}"


def released(site: Site, published: Published) -> None:
    """The release is there, under this manifest; the proof that the ledger says so is beside it.

    Raises:
        Refused: MANIFEST_SWAPPED: the ledger says that it was published under another manifest, or that nobody meant to
            publish these parts. SIGNER_UNKNOWN: see `_signed_today`.
    """
    if release_entry(site, published.release) is None:
        _meant(site, published)
    facts: dict[str, Fact] = {
        "agreement": published.predicate["agreement"]["id"],
        "recipient": published.recipient,
        "agreement_digest": published.predicate["agreement"]["digest"]["sha256"],
        "manifest": published.manifest_digest,
        "rows": published.predicate["rows"]["released"],
    }
    entry = _enter(site, Kind.RELEASED, published.release, published.release, facts)
    _same(entry, "manifest", published.manifest_digest, f"the manifest of {published.release}")
    site.publication.prove(published, "manifest", lambda: site.ledger.prove(entry))


def withdrawn(site: Site, published: Published, done: Withdrawn) -> None:
    """The release must no longer be used, and this withdrawal says why; the proof that the ledger says so is beside it."""
    said = done.withdrawal
    if withdrawal_entry(site, published.release) is None:
        released(site, published)
        _signed_today(site, said.signed_by, f"the withdrawal of {published.release}")
    facts: dict[str, Fact] = {
        "agreement": published.predicate["agreement"]["id"],
        "recipient": published.recipient,
        "manifest": published.manifest_digest,
        "withdrawal": done.digest,
        "by": said.by,
        "why": said.why,
        "reissue": said.reissue,
    }
    entry = _enter(site, Kind.WITHDRAWN, published.release, published.release, facts)
    _same(entry, "withdrawal", done.digest, f"the withdrawal of {published.release}")
    site.publication.prove(published, "withdrawal", lambda: site.ledger.prove(entry))


def withheld(site: Site, agreement: Agreement, digest: str, kept: Kept, refusal: Refused) -> None:
    """The agreement, as it is now, releases nothing of these rows."""
    release = release_name(agreement, kept)
    facts: dict[str, Fact] = {
        "agreement": agreement.id,
        "agreement_digest": digest,
        "recipient": agreement.recipient,
        "code": refusal.code.value,
        "message": refusal.message,
    }
    _enter(site, Kind.REFUSED, f"{_terms(site, agreement, digest, kept)}:{refusal.code.value}", release, facts)


def withheld_for(site: Site, agreement: Agreement, digest: str, kept: Kept, codes: Sequence[Code]) -> Code | None:
    """The first of `codes` for which these rows were withheld under the agreement and the declaration that are now."""
    terms = _terms(site, agreement, digest, kept)
    return next((code for code in codes if site.ledger.find(f"{Kind.REFUSED.value}:{terms}:{code.value}")), None)


def _terms(site: Site, agreement: Agreement, digest: str, kept: Kept) -> str:
    said = site.declarations.last(agreement.id, kept.key)
    return ":".join([release_name(agreement, kept), f"{digest}+{_digest(said)}" if said else digest])


def declared(site: Site, agreement: Agreement, kept: str, said: Declared) -> None:
    """Somebody has declared what the release of kept rows is for."""
    digest = _digest(said)
    facts: dict[str, Fact] = {
        "agreement": agreement.id,
        "purpose": said.declaration.purpose,
        "by": said.by,
        "declaration": digest,
    }
    _enter(site, Kind.DECLARED, f"{agreement.id}:{kept}:{digest}", kept, facts)


def declare(site: Site, agreement: Agreement, kept: str, said: Declared) -> None:
    """The declaration counts for the next try of the release, and the ledger says which object it is."""
    declared(site, agreement, kept, said)  # first: no declaration counts that the ledger does not know
    recorded(site, kept, digests_of(site, (site.declarations.declare(agreement.id, kept, said),), {}))


def _digest(said: Declared) -> str:
    return hashlib.sha256(said.model_dump_json(by_alias=True).encode()).hexdigest()


def reversed_(
    site: Site, agreement: Agreement, column: str, tokens: Sequence[str], *, partner: str, reference: str
) -> None:
    """Tokens of a release are turned back for a partner; each request is an entry, how often it is made again."""
    digest = hashlib.sha256("\n".join(tokens).encode()).hexdigest()
    facts: dict[str, Fact] = {
        "agreement": agreement.id,
        "column": column,
        "for": partner,
        "reference": reference,
        "tokens": len(tokens),
        "digest": digest,
    }
    at = site.now().isoformat()
    _enter(site, Kind.REVERSED, f"{agreement.id}:{column}:{digest}:{at}", agreement.id, facts)


def key_became(site: Site, key: Key, became: str) -> None:
    """A key of the site was made or retired."""
    facts: dict[str, Fact] = {"role": key.role.value, "number": key.number, "fingerprint": key.fingerprint}
    _enter(site, Kind.KEY, f"{key.name}:{became}", key.name, {**facts, "became": became})


def release_entry(site: Site, release: str) -> Entry | None:
    """What the ledger says of a release that was published."""
    return site.ledger.find(f"{Kind.RELEASED.value}:{release}")


def acknowledged(site: Site, published: Published, partner: str, said: Acknowledgement, *, digest: str) -> None:
    """The partner has said that it has the release; its first word counts. `digest`: SHA-256 of what it signed."""
    facts: dict[str, Fact] = {
        "partner": partner,
        "recipient": published.recipient,
        "manifest": published.manifest_digest,
        "by": said.by,
        "said_at": said.at.astimezone(UTC).isoformat(),
        "acknowledgement": digest,
    }
    answer = {"delivery": digest, "outcome": "accepted", "feed": RETURNS, "release": published.release}
    answers = answers_to(partner, digest, answer)
    place = f"returned/{partner}/{digest}.json"
    records = digests_of(site, (place, place + SIGNATURE_SUFFIX), answers)
    what = f"{published.release}:{partner}"
    _enter_with(site, Kind.ACKNOWLEDGED, what, published.release, facts, records)
    site.publication.acknowledge(answers)


def acknowledgement_entry(site: Site, release: str, partner: str) -> Entry | None:
    """What the ledger says of the partner's acknowledgement of a release."""
    return site.ledger.find(f"{Kind.ACKNOWLEDGED.value}:{release}:{partner}")


def witnessed(site: Site, partner: str, cosignature: Cosignature) -> None:
    """The partner's witness has seen the ledger of this size."""
    facts: dict[str, Fact] = {**cosignature.facts, "partner": partner, "seen_at": cosignature.at.isoformat()}
    subject = f"checkpoint {cosignature.size}"
    _enter(site, Kind.WITNESSED, f"{cosignature.size}:{cosignature.key.name}", subject, facts)


def withdrawal_entry(site: Site, release: str) -> Entry | None:
    """What the ledger says of a release that was withdrawn."""
    return site.ledger.find(f"{Kind.WITHDRAWN.value}:{release}")


def never_withdrawn(site: Site, published: Published) -> None:
    """The ledger knows of no withdrawal of the release where storage shows none: nobody has made it usable again."""
    entry = withdrawal_entry(site, published.release)
    if entry is not None and site.publication.withdrawn(published) is None:  # looked at last: another run may just have
        raise Conflict(
            Code.OBJECT_MISSING,
            f"{published.release} was withdrawn, but its withdrawal is no longer beside its manifest.",
            next_step="restore the shared storage, and find out who removed it; until then nobody may use the release.",
        )


def published_as(site: Site, release: str) -> Published:
    """The release with this name, whoever its recipient is.

    Raises:
        Misconfigured: NOT_FOUND: there never was one. Conflict: OBJECT_MISSING: there was.
    """
    entry = release_entry(site, release)
    recipient = str(entry.facts["recipient"]) if entry else site.publication.recipient_of(release)
    published = site.publication.find(recipient, release) if recipient else None
    if published is not None:
        return published
    if entry is not None:
        raise Conflict(
            Code.OBJECT_MISSING,
            f"{release} was released to {recipient}, but its manifest is no longer there.",
            next_step="restore the shared storage, then rerun.",
        )
    raise Misconfigured(
        Code.NOT_FOUND,
        f"no release {release!a} was published.",
        next_step="`safeconduct releases` lists them; to stop one that is not published yet, suspend its agreement.",
    )


def _meant(site: Site, published: Published) -> None:
    """We were about to publish just these parts: whoever has a key of ours and the shared storage alone has not said so."""
    name = f"the manifest of {published.release}"
    _signed_today(site, published.predicate["signed_by"], name)
    digests = [part["digest"] for part in published.predicate["parts"]]
    entry = site.ledger.find(_intent(published.release, digests))
    if entry is None or entry.facts["parts"] != digests:
        raise Refused(
            Code.MANIFEST_SWAPPED,
            f"{name} is there, but the ledger has no entry that its parts were about to be published.",
            next_step="it is not ours: remove it, find out who put it there, and rotate the signing key.",
        )


def _signed_today(site: Site, names: Iterable[str], what: str) -> None:
    """What the ledger is to learn now is signed by a key that is not retired, as all its signers' signatures hold.

    Raises:
        Refused: SIGNER_UNKNOWN: a retired key verifies what it has signed, and nobody believes it anything new.
    """
    if not {site.publication.key.id, *site.keyring.signing_ids} & set(names):
        raise Refused(
            Code.SIGNER_UNKNOWN,
            f"{what} is signed by a retired key alone, and the ledger does not know it.",
            next_step="it is not ours: remove it, and find out who has the retired key and can write to shared storage.",
        )


def _same(entry: Entry, fact: str, digest: str, name: str) -> None:
    if entry.facts.get(fact) != digest:
        raise Refused(
            Code.MANIFEST_SWAPPED,
            f"{name} is not the one that entry {entry.sequence} of the ledger speaks of.",
            next_step="restore it from a backup; find out who put another there.",
        )


def _enter_with(
    site: Site, kind: Kind, what: str, subject: str, facts: dict[str, Fact], records: Mapping[str, str]
) -> None:
    """The entry names the digests of what was written for it; what it does not name, as it was written for another try, an
    entry of its own does."""
    entry = _enter(site, kind, what, subject, {**facts, "records": dict(records)})
    named = entry.facts.get("records")
    left = {
        key: digest for key, digest in records.items() if not (isinstance(named, Mapping) and named.get(key) == digest)
    }
    if left:
        recorded(site, subject, left)


def recorded(site: Site, subject: str, records: Mapping[str, str]) -> None:
    """These objects, which say what became of `subject`, have these digests."""
    digest = hashlib.sha256(canonical(records)).hexdigest()
    _enter(site, Kind.RECORDED, f"{subject}:{digest}", subject, {"records": dict(records)})


def _enter(site: Site, kind: Kind, what: str, subject: str, facts: dict[str, Fact]) -> Entry:
    clock_holds(site)
    return site.ledger.append(id=f"{kind.value}:{what}", kind=kind, subject=subject, facts=facts, at=site.now())

"""Does a release hold what it says, and may it still be there?"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.core.conservation import told_adds_up
from pipeline.core.errors import Conflict, Refused, SafeconductError

if TYPE_CHECKING:
    from pipeline.edges.ledger import Kind
    from pipeline.edges.publication import Published
    from pipeline.edges.signing import PublicKey
    from pipeline.edges.site import Site


@dataclass(frozen=True, slots=True)
class Finding:
    """One question about a release, and its answer."""

    question: str
    good: bool
    answer: str


def examine(site: "Site", published: "Published", key: "PublicKey | None" = None) -> tuple[Finding, ...]:
    """Every question about a release, answered; `key` is what its manifest is to be signed with, or any of the site's."""
    return (
        _withdrawn(site, published),
        _signature(site, published, key),
        *_kit(site, published),
        *parts_of(site, published),
        _rows(published.predicate),
        _expiry(published.predicate, site.now()),
        *_recorded(site, published),
    )


def parts_of(site: "Site", published: "Published") -> Iterator[Finding]:
    """Whether each part is what the manifest says, or is gone as it must be."""
    for number, part in enumerate(published.predicate["parts"], start=1):
        yield _part(site, published, f"part {number}", part)


def withdrawal_in_words(site: "Site", published: "Published") -> str | None:
    """Who withdrew the release and why, and what has taken its place; None where it was not withdrawn.

    Raises:
        SafeconductError: what is there in place of its withdrawal is none, or is gone.
    """
    from pipeline.edges import record
    from pipeline.edges.revision import next_name

    withdrawn = site.publication.withdrawn(published)
    if withdrawn is None:
        record.never_withdrawn(site, published)
        return None
    said, following = withdrawn.withdrawal, next_name(published)
    told = f"withdrawn on {said.at.isoformat(timespec='minutes')} by {said.by}: {said.why}"
    if not said.reissue:
        return told
    made = site.publication.find(published.recipient, following)
    return f"{told}; superseded by {following}" if made else f"{told}; it may be made anew, as {following}"


def _withdrawn(site: "Site", published: "Published") -> Finding:
    try:
        told = withdrawal_in_words(site, published)
    except SafeconductError as error:
        return Finding("withdrawal", good=False, answer=error.message)
    if told:
        return Finding("withdrawal", good=False, answer=f"it was {told}")
    earlier = published.predicate["supersedes"]
    supersedes = f"; it supersedes {earlier['release']}" if earlier else ""
    return Finding("withdrawal", good=True, answer=f"was not withdrawn{supersedes}")


def _signature(site: "Site", published: "Published", key: "PublicKey | None") -> Finding:
    from pipeline.edges.publication import manifest_key
    from pipeline.edges.signing import key_id, signers_of

    envelope = site.publication.store.find(manifest_key(published.recipient, published.release)) or b""
    asked = [key] if key else site.publication.trusted
    try:
        signers = signers_of(envelope, asked)
    except Refused:
        signers = frozenset()
    if signers:
        names = " and ".join(f"key {signer[:16]}" for signer in sorted(signers))
        return Finding("signature", good=True, answer=f"the manifest is signed by {names}")
    whom = f"key {key_id(key)[:16]}" if key else "any key that this site has or had"
    return Finding("signature", good=False, answer=f"the manifest is not signed by {whom}")


def _kit(site: "Site", published: "Published") -> Iterator[Finding]:
    """Whether what is to open and verify the release is what was put beside it."""
    from pipeline.edges.publication import release_folder

    for name, digest in published.predicate["kit"].items():
        content = site.publication.store.find(f"{release_folder(published.recipient, published.release)}/{name}")
        if content is None:
            yield Finding(name, good=False, answer="is not there")
        elif hashlib.sha256(content).hexdigest() != digest:
            yield Finding(name, good=False, answer="is not what the manifest says: its bytes were changed")
        else:
            yield Finding(name, good=True, answer="unchanged")


def _part(site: "Site", published: "Published", name: str, part: dict[str, Any]) -> Finding:
    digest, size_bytes = hashlib.sha256(), 0
    overdue = part["until"] is not None and datetime.fromisoformat(part["until"]) <= site.now()
    try:
        for block in site.publication.part(published, part["key"]):
            digest.update(block)
            size_bytes += len(block)
    except Conflict:
        if overdue:
            return Finding(name, good=True, answer=f"was destroyed, as due on {part['until']}")
        return Finding(name, good=False, answer="is not there")
    if digest.hexdigest() != part["digest"] or size_bytes != part["size_bytes"]:
        return Finding(name, good=False, answer="is not what the manifest says: its bytes were changed")
    if overdue:
        return Finding(name, good=False, answer=f"is still there, though due to be destroyed on {part['until']}")
    until = f", until {part['until']}" if part["until"] else ""
    return Finding(name, good=True, answer=f"{part['rows']} rows, {len(part['columns'])} columns, unchanged{until}")


def _rows(predicate: dict[str, Any]) -> Finding:
    """Row conservation, once more, from the signed numbers; rows in parts as the manifest counts them."""
    rows = predicate["rows"]
    said = (
        f"{rows['received']} received = {rows['accepted']} accepted + {rows['rejected']} rejected; "
        f"{rows['accepted']} accepted = {rows['released']} released + {rows['out_of_scope']} out of scope + "
        f"{rows['suppressed']} suppressed + {rows['withheld']} withheld"
    )
    good = told_adds_up(predicate)
    return Finding("rows", good=good, answer=said if good else f"do not add up: {said}")


def _expiry(predicate: dict[str, Any], now: datetime) -> Finding:
    from pipeline.core.statement import gone_by

    delete_by = gone_by(predicate)
    if delete_by is None:
        return Finding("expiry", good=True, answer=_no_date(predicate))
    if delete_by <= now:
        return Finding("expiry", good=False, answer=f"must have been deleted by {delete_by.isoformat()}")
    return Finding("expiry", good=True, answer=f"to be deleted by {delete_by.isoformat()}")


def _no_date(predicate: dict[str, Any]) -> str:
    event = predicate["handling"]["retention"]["event"]
    return f"waits for {event}, and has no date yet" if event and predicate["parts"] else "there is nothing to delete"


def _recorded(site: "Site", published: "Published") -> Iterator[Finding]:
    """Whether the ledger speaks of the manifest and of its withdrawal, if there is one, and the proofs beside them hold."""
    from pipeline.edges.ledger import Kind

    yield _entered(site, published, Kind.RELEASED, "manifest", published.manifest_digest)
    try:
        withdrawn = site.publication.withdrawn(published)
    except SafeconductError:
        return  # `_withdrawn` says so
    if withdrawn:
        yield _entered(site, published, Kind.WITHDRAWN, "withdrawal", withdrawn.digest)


def _entered(site: "Site", published: "Published", kind: "Kind", file: str, digest: str) -> Finding:
    from pipeline.edges.proofs import open_proof, proves
    from pipeline.edges.publication import proof_key

    question = "ledger" if file == "manifest" else f"ledger, {file}"
    try:
        entry = site.ledger.find(f"{kind.value}:{published.release}")
        if entry is None:
            return Finding(question, good=False, answer=f"has no entry of this {file}")
        if entry.facts.get(file) != digest:
            return Finding(question, good=False, answer=f"entry {entry.sequence} speaks of another {file}")
        proof = site.publication.store.find(proof_key(published.recipient, published.release, file))
        if proof is None:
            return Finding(question, good=False, answer=f"{file}.tlog-proof is not there: replay the release")
        name = f"{file}.tlog-proof"
        proves(open_proof(proof, site.ledger.verifier_keys, name=name), kind, published.release, digest, name=name)
    except SafeconductError as error:
        return Finding(question, good=False, answer=error.message)
    return Finding(question, good=True, answer=f"entry {entry.sequence} speaks of this {file}, and its proof holds")

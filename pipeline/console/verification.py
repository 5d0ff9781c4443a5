"""Does a release hold what it says, and may it still be there?"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import Conflict, Refused, SafeconductError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from pipeline.edges.publication import Published
    from pipeline.edges.site import Site


@dataclass(frozen=True, slots=True)
class Finding:
    """One question about a release, and its answer."""

    question: str
    good: bool
    answer: str


def examine(site: "Site", published: "Published", key: "Ed25519PublicKey") -> tuple[Finding, ...]:
    """Every question about a release, answered; `key` is what its manifest is to be signed with."""
    return (
        _signature(site, published, key),
        *parts_of(site, published),
        _rows(published.predicate),
        _expiry(published.predicate, site.now()),
        _recorded(site, published),
    )


def parts_of(site: "Site", published: "Published") -> Iterator[Finding]:
    """Whether each part is what the manifest says, or is gone as it must be."""
    for number, part in enumerate(published.predicate["parts"], start=1):
        yield _part(site, published, f"part {number}", part)


def _signature(site: "Site", published: "Published", key: "Ed25519PublicKey") -> Finding:
    from pipeline.edges.publication import manifest_key
    from pipeline.edges.signing import key_id, open_envelope

    envelope = site.publication.store.find(manifest_key(published.recipient, published.release)) or b""
    name = f"key {key_id(key)[:16]}"
    try:
        open_envelope(envelope, [key])
    except Refused:
        return Finding("signature", good=False, answer=f"the manifest is not signed by {name}")
    return Finding("signature", good=True, answer=f"the manifest is signed by {name}")


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
    kept_back = rows["out_of_scope"] + rows["suppressed"] + rows["withheld"]
    # Beside statistics the counts may be rounded, each by half a step at most.
    beside = predicate["statistics"] or {}
    step = max(beside.get("round_to") or 0, beside.get("smallest_cell") or 0)
    adds_up = (
        abs(rows["received"] - rows["accepted"] - rows["rejected"]) <= 2 * step
        and abs(rows["accepted"] - rows["released"] - kept_back) <= 3 * step
    )
    sources = predicate["made_of"]["deliveries"]
    from_deliveries = all(
        abs(sum(source[name] for source in sources) - rows[name]) <= step * len(sources)
        for name in ("received", "accepted", "rejected")
    )
    in_parts = predicate["statistics"] is not None or _rows_by_columns(predicate) <= {rows["released"]}
    good = adds_up and from_deliveries and in_parts
    said = (
        f"{rows['received']} received = {rows['accepted']} accepted + {rows['rejected']} rejected; "
        f"{rows['accepted']} accepted = {rows['released']} released + {rows['out_of_scope']} out of scope + "
        f"{rows['suppressed']} suppressed + {rows['withheld']} withheld"
    )
    return Finding("rows", good=good, answer=said if good else f"do not add up: {said}")


def _rows_by_columns(predicate: dict[str, Any]) -> set[int]:
    """For each set of columns that share a clock, how many rows its parts hold."""
    totals: dict[tuple[str, ...], int] = {}
    for part in predicate["parts"]:
        columns = tuple(part["columns"])
        totals[columns] = totals.get(columns, 0) + part["rows"]
    return set(totals.values())


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


def _recorded(site: "Site", published: "Published") -> Finding:
    try:
        entry = site.ledger.find(f"released:{published.release}")
    except SafeconductError as error:
        return Finding("ledger", good=False, answer=error.message)
    if entry is None:
        return Finding("ledger", good=False, answer="has no entry of this release")
    if entry.facts.get("manifest") != published.manifest_digest:
        return Finding("ledger", good=False, answer=f"entry {entry.sequence} speaks of another manifest")
    return Finding("ledger", good=True, answer=f"entry {entry.sequence} speaks of this manifest")

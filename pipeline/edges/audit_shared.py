"""What vouches for each kind of object in shared storage? One function for each; it returns where the object holds."""

from collections.abc import Callable
from datetime import datetime

from pipeline.core.authority import in_force
from pipeline.core.conservation import told_adds_up
from pipeline.core.entries import Kind
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, SafeconductError
from pipeline.core.notes import read_proof
from pipeline.edges.audit_grounds import Grounds, Object, altered_object, differs, gone
from pipeline.edges.audit_ledger import digest_of
from pipeline.edges.pinned import Pinned
from pipeline.edges.proofs import open_proof, proves
from pipeline.edges.publication import Published, notice_of, release_folder, withdrawal_notice_of
from pipeline.edges.records import PRIVATE, SHARED

_SIGNATURE_LINE = 5
"""A checkpoint is three lines, an empty one, and the ledger's signature; then come cosignatures."""


def manifest(grounds: Grounds, one: Object) -> None:
    """Signed by every key that it names, and the one that the ledger speaks of; all that it says of others is so."""
    grounds.content(one)
    release = one.parts["release"]
    published = grounds.site.publication.find(one.parts["recipient"], release)
    if published is None:
        raise gone(one.name)
    entry = grounds.spoken.released.get(release)
    if entry is None:
        grounds.unspoken(one)
    elif (entry.facts["manifest"], entry.facts["recipient"]) != (published.manifest_digest, published.recipient):
        raise Refused(
            Code.MANIFEST_SWAPPED,
            f"the manifest of {release} is not the one that entry {entry.sequence} of the ledger speaks of.",
            next_step="restore it from a backup; find out who put another there.",
        )
    _rows(grounds, published)
    _terms(grounds, published)
    if entry is not None:  # else what was said before it may not have been heard either
        _intended(grounds, published)
        _supersedes(grounds, published)
    folder = f"{SHARED}/{release_folder(published.recipient, release)}"
    for name in published.predicate["kit"]:
        if not grounds.has(f"{folder}/{name}"):
            raise gone(f"{folder}/{name}")
    for said in published.predicate["parts"]:
        grounds.named.add(f"{folder}/{said['key']}")
    grounds.named.add(f"{PRIVATE}/policies/{published.predicate['policies']['sha256']}.json")


def parts_of(grounds: Grounds, published: Published, tell: Callable[[str, SafeconductError], None]) -> None:
    """Each part that a manifest names is there, whole, until it must be gone, and no longer; what is not so is told."""
    folder = f"{SHARED}/{release_folder(published.recipient, published.release)}"
    for said in published.predicate["parts"]:
        name = f"{folder}/{said['key']}"
        listed = grounds.listed.get(name)
        overdue = said["until"] is not None and datetime.fromisoformat(said["until"]) <= grounds.site.now()
        if listed is None and not overdue:
            tell(name, gone(name))
        elif listed is not None and overdue:
            tell(name, _overdue(name, said["until"]))
        if listed is not None and listed.size_bytes != said["size_bytes"]:
            tell(name, altered_object(name))


def kit(grounds: Grounds, one: Object) -> None:
    """The manifest says its digest."""
    content, published = grounds.content(one), grounds.published(one.parts["recipient"], one.parts["release"])
    if published is None:
        grounds.left_over(one)
    elif published.predicate["kit"].get(one.parts["name"]) != digest_of(content):
        raise altered_object(one.name)


def part(grounds: Grounds, one: Object) -> None:
    """Its name is its digest; that a manifest or an intent names it is asked at the end."""
    grounds.named_by_digest(one, one.parts["digest"])


def proof(grounds: Grounds, one: Object) -> None:
    """Made again from the ledger it is the same, byte for byte; and its entry is of this release and this file."""
    content, release, name = grounds.content(one), one.parts["release"], one.parts["name"]
    of = grounds.spoken.withdrawn if name == "withdrawal" else grounds.spoken.released
    entry = of.get(release)
    if entry is None:
        grounds.unspoken(one)
        return
    file = "withdrawal" if name == "withdrawal" else "manifest"
    keys = grounds.site.ledger.verifier_keys
    told = f"{one.name}"
    proven = open_proof(content, keys, name=told)
    proves(
        proven, Kind.WITHDRAWN if file == "withdrawal" else Kind.RELEASED, release, str(entry.facts[file]), name=told
    )
    if not grounds.ledger_holds:
        return  # it would only say again that the ledger does not
    if name == "witnessed":
        _witnessed(content, grounds.site.ledger.prove(entry, proven.checkpoint.size), one)
    elif content != grounds.site.ledger.prove(entry):
        raise altered_object(one.name)


def withdrawal(grounds: Grounds, one: Object) -> None:
    """Signed by every key that it names, of this manifest, and the one that the ledger speaks of."""
    grounds.content(one)
    published = grounds.published(one.parts["recipient"], one.parts["release"])
    entry = grounds.spoken.withdrawn.get(one.parts["release"])
    if published is None:
        return  # told of the manifest
    withdrawn = grounds.site.publication.withdrawn(published)
    if entry is None:
        grounds.unspoken(one)
    elif withdrawn is None or entry.facts["withdrawal"] != withdrawn.digest:
        raise altered_object(one.name)


def notice(grounds: Grounds, one: Object) -> None:
    """Made again from the manifest it is the same."""
    content, published = grounds.content(one), grounds.published(one.parts["recipient"], one.parts["release"])
    if published is not None and (one.key, content) != notice_of(published):
        raise altered_object(one.name)
    if published is None and one.parts["release"] not in grounds.spoken.released:
        grounds.unspoken(one)


def withdrawal_notice(grounds: Grounds, one: Object) -> None:
    """Made again from the withdrawal it is the same."""
    content, published = grounds.content(one), grounds.published(one.parts["recipient"], one.parts["release"])
    try:
        withdrawn = grounds.site.publication.withdrawn(published) if published else None
    except SafeconductError:
        return  # told of the withdrawal
    if published and withdrawn and (one.key, content) != withdrawal_notice_of(published, withdrawn):
        raise altered_object(one.name)
    if withdrawn is None and one.parts["release"] not in grounds.spoken.withdrawn:
        grounds.unspoken(one)


def answer(grounds: Grounds, one: Object) -> None:
    """The ledger says its digest, and its name begins it."""
    content = grounds.content(one)
    if not digest_of(content).startswith(one.parts["digest"]):
        raise altered_object(one.name)
    grounds.must_be_recorded(one, content)


def _rows(grounds: Grounds, published: Published) -> None:
    predicate = published.predicate
    if not told_adds_up(predicate):
        raise Refused(
            Code.ROWS_NOT_CONSERVED,
            f"the rows that the manifest of {published.release} tells of do not add up.",
            next_step="keep everything as it is and report it: no such manifest may be made.",
        )
    if predicate["statistics"] is not None:
        return  # its numbers may be rounded
    kept = grounds.site.vault.kept(predicate["made_of"]["kept"])
    there = [(one.delivery, one.received, one.accepted, one.rejected) for one in kept.deliveries]
    told = [
        tuple(one[name] for name in ("delivery", "received", "accepted", "rejected"))
        for one in predicate["made_of"]["deliveries"]
    ]
    if there != told:
        raise differs(f"{published.release} tells of other rows than are kept as {kept.key}")


def _terms(grounds: Grounds, published: Published) -> None:
    """The texts that it was made under are kept, hold that version of its agreement, and it was in force then."""
    said, at = published.predicate["agreement"], datetime.fromisoformat(published.predicate["created_at"])
    catalogue = Pinned(grounds.site.vault.store).catalogue(published.predicate["policies"]["sha256"], at)
    try:
        agreement = catalogue.agreement(said["id"])
    except Misconfigured:
        if not catalogue.broken:
            raise
        grounds.not_understood += 1  # written in the language of another version of Safeconduct
        return
    there = (agreement.version, catalogue.digest(agreement), agreement.recipient)
    if there != (said["version"], said["digest"]["sha256"], published.recipient):
        raise differs(f"the texts that {published.release} was made under do not hold the version that it names")
    in_force(agreement, at)


def _intended(grounds: Grounds, published: Published) -> None:
    """We were about to publish just these parts, under this agreement."""
    said = published.predicate["agreement"]
    parts = {one["digest"] for one in published.predicate["parts"]}
    under = (published.release, said["digest"]["sha256"])
    if under not in grounds.spoken.intended_under or not parts <= grounds.spoken.intended_parts:
        raise differs(
            f"the ledger knows of no intent to publish {published.release} so, under the agreement that it names"
        )


def _supersedes(grounds: Grounds, published: Published) -> None:
    earlier = published.predicate["supersedes"]
    if earlier is None:
        return
    entry = grounds.spoken.withdrawn.get(earlier["release"])
    if entry is None or (entry.facts["manifest"], entry.facts["withdrawal"]) != (
        earlier["manifest"]["sha256"],
        earlier["withdrawal"]["sha256"],
    ):
        raise differs(f"{published.release} supersedes a release that the ledger does not know as withdrawn so")


def _witnessed(content: bytes, now: bytes, one: Object) -> None:
    """The proof is the one that is made now, but for cosignatures that came later."""
    then, again = read_proof(content), read_proof(now)
    lines, all_lines = then.note.splitlines(), again.note.splitlines()
    same = (then.index, then.path, then.extra) == (again.index, again.path, again.extra)
    head = lines[:_SIGNATURE_LINE] == all_lines[:_SIGNATURE_LINE]
    cosigned = lines[_SIGNATURE_LINE:]
    known = set(all_lines[_SIGNATURE_LINE:])
    if not (same and head and cosigned and len(set(cosigned)) == len(cosigned) and set(cosigned) <= known):
        raise altered_object(one.name)
    if bytes(then) != content or not content.endswith(b"\n"):
        raise altered_object(one.name)


def _overdue(name: str, until: str) -> Conflict:
    return Conflict(
        Code.PART_OVERDUE, f"{name} had to be gone by {until}.", next_step="destroy it: nothing may keep it longer."
    )

"""What vouches for each kind of object in the private store? One function for each; it returns where the object holds."""

import json
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from pipeline.core.canonical import canonical, read
from pipeline.core.delivery import Lot, lot_id
from pipeline.core.duration import after
from pipeline.core.errors import SafeconductError
from pipeline.edges.audit_grounds import Grounds, Object, altered_object, gone, unrecorded
from pipeline.edges.audit_ledger import digest_of
from pipeline.edges.declarations import Declared
from pipeline.edges.epochs import Binding
from pipeline.edges.landing import Claim, Wake
from pipeline.edges.records import PRIVATE
from pipeline.edges.roles import Role
from pipeline.edges.sealing import open_sealed
from pipeline.edges.vault import Kept


def claim(grounds: Grounds, one: Object) -> None:
    """The ledger says its digest once the delivery has an outcome; until then its lot says the same."""
    content = grounds.content(one)
    if grounds.recorded(one, content):
        return
    said, feed = read(Claim, content, name=one.name), one.parts["feed"]
    if (said.delivery.id, said.delivery.feed, said.lot) != (one.parts["delivery"], feed, lot_id(feed, said.members)):
        raise altered_object(one.name)
    _has_no_outcome(grounds, one)
    for lot in (said.lot, lot_id(feed, [said.delivery.id])):
        if (text := grounds.read(f"{PRIVATE}/lots/{feed}/{lot}.json")) is not None:
            with suppress(SafeconductError):  # that the lot is none is told of the lot
                if said.delivery in read(Lot, text, name=lot).deliveries:
                    grounds.waiting += 1
                    return
    grounds.unspoken(one)


def lot(grounds: Grounds, one: Object) -> None:
    """As a claim: until the outcome, each of its claims says the same."""
    content = grounds.content(one)
    if grounds.recorded(one, content):
        return
    said = read(Lot, content, name=one.name)
    if (said.id, said.feed) != (one.parts["lot"], one.parts["feed"]):
        raise altered_object(one.name)
    for delivery in said.deliveries:
        text = grounds.read(f"{PRIVATE}/claims/{said.feed}/{delivery.id}.json")
        if text is None or read(Claim, text, name=one.name).delivery != delivery:
            raise altered_object(one.name)


def signature(grounds: Grounds, one: Object) -> None:
    """Its name is its digest, and there is a claim of its delivery."""
    content = grounds.content(one)
    grounds.recorded(one, content)
    _named(one, content)
    if not grounds.has(f"{PRIVATE}/claims/{one.parts['feed']}/{one.parts['delivery']}.json"):
        raise unrecorded(one.name)


def wake(grounds: Grounds, one: Object) -> None:
    """It bears its own digest. Forged, it could only move one more handing out of a lot, which does nothing twice."""
    said = read(Wake, grounds.content(one), name=one.name)
    place = (said.lot, str(said.number)) == (one.parts["lot"], one.parts["number"])
    if not (place and said.holds) or said.at > after(grounds.site.now(), grounds.site.settings.audit.grace):
        raise altered_object(one.name)
    if not grounds.has(f"{PRIVATE}/lots/{said.lot.partition('.')[0]}/{said.lot}.json"):
        grounds.unspoken(one)


def kept(grounds: Grounds, one: Object) -> None:
    """The ledger says its digest; the chunks that it names are there, and its rows add up."""
    content = grounds.content(one)
    grounds.must_be_recorded(one, content)
    said = read(Kept, content, name=one.name)
    for delivery in said.deliveries:
        names = {f"{PRIVATE}/vault/{delivery.delivery}/{chunk.digest}.age" for chunk in delivery.chunks}
        grounds.named |= names
        rows = sum(chunk.rows for chunk in delivery.chunks)
        if (rows, delivery.received) != (delivery.accepted, delivery.accepted + delivery.rejected):
            raise altered_object(one.name)


def sealed(grounds: Grounds, one: Object) -> None:
    """Its name is its digest; that a record names it is asked at the end."""
    grounds.named_by_digest(one, one.parts["digest"])


def report(grounds: Grounds, one: Object) -> None:
    """The ledger says its digest; and its name is that of all but the objects that it names, which are there."""
    content = grounds.content(one)
    if not grounds.recorded(one, content):
        grounds.left_over(one)
    said = _json(one, content)
    held = said.pop("row_objects", [])
    if digest_of(canonical(said))[:16] != one.parts["digest"] or not isinstance(held, list):
        raise altered_object(one.name)
    _names(grounds, one, held)


def raw(grounds: Grounds, one: Object) -> None:
    """The ledger says its digest once the delivery was refused; before, its claim says its size, and its blocks are there."""
    content = grounds.content(one)
    recorded = grounds.recorded(one, content)
    said = _json(one, content)
    if not recorded:
        feed, delivery = one.parts["feed"], one.parts["delivery"]
        text = grounds.read(f"{PRIVATE}/claims/{feed}/{delivery}.json")
        if text is None:
            grounds.left_over(one)
        elif read(Claim, text, name=one.name).delivery.size_bytes != said.get("size_bytes"):
            raise altered_object(one.name)
    _names(grounds, one, said.get("blocks"))


def returned(grounds: Grounds, one: Object) -> None:
    """The ledger says its digest, and an acknowledgement's name is its digest."""
    content = grounds.content(one)
    if one.key.endswith(".json"):
        _named(one, content)
    grounds.must_be_recorded(one, content)


def epoch(grounds: Grounds, one: Object) -> None:
    """The master that it names is one of the keyring's, by number and fingerprint."""
    said = read(Binding, grounds.content(one), name=one.name)
    masters = {key.number: key.fingerprint for key in grounds.site.keyring.keys if key.role is Role.PSEUDONYM_MASTER}
    place = (said.agreement, said.epoch) == (one.parts["agreement"], one.parts["epoch"])
    if not place or masters.get(said.number) != said.fingerprint:
        raise altered_object(one.name)


def policies(grounds: Grounds, one: Object) -> None:
    """Its name is its digest; that a manifest names it is asked at the end."""
    _named(one, grounds.content(one))


def declaration(grounds: Grounds, one: Object) -> None:
    """The ledger says its digest; and those of the same rows were declared in the order of their numbers."""
    content, parts = grounds.content(one), one.parts
    grounds.recorded(one, content)
    if (parts["agreement"], parts["kept"], digest_of(content)) not in grounds.spoken.declared:
        grounds.unspoken(one)
    said, number = _declared(one, content), int(parts["number"])
    if number > 1:
        before = f"{PRIVATE}/declarations/{parts['agreement']}/{parts['kept']}/{number - 1}.json"
        text = grounds.read(before)
        if text is None:
            raise gone(before)
        if _declared(one, text).at > after(said.at, "PT5M"):  # two people at once, at most
            raise altered_object(one.name)


def table(grounds: Grounds, one: Object) -> None:
    """It opens with the vault's key, and the one before it is there; that each release has its own is asked at the end."""
    clear = open_sealed(grounds.content(one), grounds.site.vault.identities, name=one.name)
    grounds.tables_of.add(str(_json(one, clear).get("release")))
    number = int(one.parts["number"])
    before = f"{PRIVATE}/tables/{one.parts['agreement']}/{number - 1}.age"
    if number > 1 and not grounds.has(before):
        raise gone(before)


def audit(grounds: Grounds, one: Object) -> None:
    """The ledger says the digest of each report that was kept whole."""
    if not grounds.recorded(one, grounds.content(one)):
        grounds.left_over(one)


def probe(grounds: Grounds, one: Object) -> None:
    """It is the same two words in every site."""
    if grounds.content(one) != b"first\n":
        raise altered_object(one.name)


def _has_no_outcome(grounds: Grounds, one: Object) -> None:
    outcome = (one.parts["feed"], one.parts["delivery"])
    if outcome in grounds.spoken.accepted or outcome in grounds.spoken.refused:
        raise unrecorded(one.name)


def _named(one: Object, content: bytes) -> None:
    if digest_of(content) != one.parts["digest"]:
        raise altered_object(one.name)


def _names(grounds: Grounds, one: Object, keys: object) -> None:
    """The sealed objects that a record names are below its own folder, and there."""
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise altered_object(one.name)
    folder = f"quarantine/{one.parts['delivery']}/"
    for key in keys:
        if not key.startswith(folder):
            raise altered_object(one.name)
        grounds.named.add(f"{PRIVATE}/{key}")
    missing = [key for key in keys if not grounds.has(f"{PRIVATE}/{key}")]
    if missing and grounds.has_still(one):
        raise gone(f"{PRIVATE}/{missing[0]}")


def _json(one: Object, content: bytes) -> dict[str, Any]:
    """The record, byte for byte as we write records."""
    try:
        said = json.loads(content)
        whole = isinstance(said, dict) and canonical(said) == content
    except (ValueError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise altered_object(one.name)
    return dict(said)


def _declared(one: Object, content: bytes) -> Declared:
    try:
        return Declared.model_validate_json(content, strict=True)
    except ValidationError:
        raise altered_object(one.name) from None

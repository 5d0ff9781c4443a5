"""What does a recipient give back, and is it what it says?

    landing/returns/<partner>/<name>.json       an acknowledgement: the partner has a release; <name>.json.sig is beside it
    landing/returns/<partner>/<name>.cosigned   a checkpoint of our ledger that the partner's witness has cosigned
    private/returned/<partner>/<digest>.json    write-once: an acknowledgement as it was signed, with its signature as .json.sig

What holds is told by the ledger and gone from landing; a second time changes nothing. What does not is refused, as a delivery
is. What is our own fault stays in landing until it is corrected.
"""

import base64
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.acknowledgement import MAX_BYTES, Acknowledgement, read_acknowledgement
from pipeline.core.delivery import Delivery
from pipeline.core.entries import Entry
from pipeline.core.errors import Code, Conflict, Refused, SafeconductError
from pipeline.core.language.feed import RETURNS
from pipeline.core.notes import MAX_NOTE_BYTES
from pipeline.edges import record
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.opening import SIGNATURE_SUFFIX, verify_signature
from pipeline.edges.publication import Published, proof_key
from pipeline.edges.site import Site
from pipeline.edges.storage import AlreadyThere, Listed
from pipeline.edges.sweeping import taken

WITNESSED = "witnessed"
"""The name of the proof that ends in a cosigned checkpoint."""

_ACKNOWLEDGEMENT, _COSIGNED = ".json", ".cosigned"
_CLOCKS_DIFFER_BY = timedelta(minutes=5)
_MANIFEST = "/manifest.json"


@dataclass(frozen=True, slots=True)
class Returned:
    """What a partner has given back, and we have taken. `subject`: the release, or the size of the checkpoint."""

    partner: str
    what: str
    subject: str
    landed_as: str


@dataclass(frozen=True, slots=True)
class Unreturned:
    """What was given back and is refused. `partner`: who gave it; None where that is nobody that we know."""

    partner: str | None
    delivery: Delivery
    refusal: Refused


def sweep_returns(
    site: Site, catalogue: Catalogue, waiting: Iterable[Listed], odd: list[str]
) -> Iterator[Returned | Unreturned]:
    """Everything that was given back is taken or refused. A file that can be neither holds up no other: why is added to `odd`."""
    files = [listed for listed in waiting if not catalogue.is_broken("partners", partner_of(listed.key))]
    signed = [listed for listed in files if is_signed_return(listed.key)]
    others = [listed for listed in files if not is_signed_return(listed.key)]
    for file in (*taken(site, signed, odd, signed=True), *taken(site, others, odd, signed=False)):
        partner = partner_of(file.key)
        delivery = Delivery(file.delivery, RETURNS, file.key, file.size_bytes, site.now(), file.signature)
        try:
            yield from _take(site, catalogue, partner, delivery)
        except Refused as refusal:
            yield Unreturned(partner if partner in catalogue.partners else None, delivery, refusal)
        except SafeconductError as error:
            odd.append(f"{file.key}: {error}")


def is_signed_return(key: str) -> bool:
    """Whether what landed under this key is given back with a signature beside it."""
    return key.startswith(f"{RETURNS}/") and key.endswith(_ACKNOWLEDGEMENT)


def partner_of(key: str) -> str:
    """Who gave back what landed as `returns/<partner>/<name>`; empty where the key is of another form."""
    parts = key.split("/")
    return parts[1] if len(parts) == 3 else ""


def acknowledged_by(site: Site, catalogue: Catalogue, recipient: str, release: str) -> dict[str, Entry | None]:
    """For everybody who is to have the release, its recipient or the members of a community, what it has said that it has."""
    readers = catalogue.readers(recipient) if recipient in catalogue.partners else (recipient,)
    return {reader: record.acknowledgement_entry(site, release, reader) for reader in readers}


def prove_witnessed(site: Site, size: int) -> None:
    """Every release that the cosigned checkpoint of this size covers has a proof that ends in a cosigned checkpoint."""
    keys = {listed.key for listed in site.publication.store.listing() if "/releases/" in listed.key}
    for key in sorted(keys):
        recipient, _, rest = key.partition("/releases/")
        release = rest.removesuffix(_MANIFEST)
        if release == rest or "/" in release or proof_key(recipient, release, WITNESSED) in keys:
            continue
        entry = record.release_entry(site, release)
        if entry is not None and entry.sequence < size and entry.facts["recipient"] == recipient:
            put = proof_key(recipient, release, WITNESSED)
            with suppress(AlreadyThere):
                site.publication.store.put_new(put, site.ledger.prove(entry, size))


def _take(site: Site, catalogue: Catalogue, partner: str, delivery: Delivery) -> Iterator[Returned]:
    name = delivery.landed_as
    if partner not in catalogue.partners:
        raise _refused(
            Code.RETURN_UNKNOWN,
            f"{name} lies in the folder of no partner.",
            "ask its sender to use its own folder.",
        )
    if is_signed_return(name):
        yield _acknowledged(site, catalogue, partner, delivery)
    elif name.endswith(_COSIGNED):
        yield from _cosigned(site, partner, delivery)
    else:
        raise _refused(
            Code.RETURN_UNKNOWN,
            f"{name} is neither an acknowledgement (.json) nor a cosigned checkpoint (.cosigned).",
            "ask the partner what it is; a delivery belongs in its feed's folder.",
        )
    site.landing.discard(name, delivery.id, signed=True)


def _acknowledged(site: Site, catalogue: Catalogue, partner: str, delivery: Delivery) -> Returned:
    text = _content(site, delivery, MAX_BYTES)
    signature = base64.b64decode(delivery.signature) if delivery.signature is not None else None
    verify_signature(signature, [text], site.keyring.allowed_signers(partner), name=delivery.landed_as)
    try:
        said = read_acknowledgement(text)
    except ValueError as error:
        raise _malformed(delivery, str(error)) from None
    published = _acknowledgeable(site, catalogue, partner, delivery, said)
    _is_ours(site, published)
    place = f"returned/{partner}/{delivery.id}{_ACKNOWLEDGEMENT}"
    site.landing.private.put_new(place, text)
    with suppress(AlreadyThere):  # it came again, with another signature that holds
        site.landing.private.put_new(place + SIGNATURE_SUFFIX, signature or b"")
    record.acknowledged(site, published, partner, said, digest=delivery.id)
    return Returned(partner, "acknowledgement", published.release, delivery.landed_as)


def _acknowledgeable(
    site: Site, catalogue: Catalogue, partner: str, delivery: Delivery, said: Acknowledgement
) -> Published:
    """The release that the partner says it has: there, for this partner, and with this manifest."""
    if said.recipient not in catalogue.partners or partner not in catalogue.readers(said.recipient):
        raise _refused(
            Code.RETURN_BY_ANOTHER,
            f"{delivery.landed_as} acknowledges a release to {said.recipient}, and {partner} is not that recipient.",
            "find out how it came by the release.",
        )
    published = site.publication.find(said.recipient, said.release)
    if published is None:
        raise _refused(
            Code.RELEASE_UNKNOWN,
            f"{delivery.landed_as} acknowledges {said.release}, which was never released to {said.recipient}.",
            "ask the partner which release it means: `safeconduct releases` lists them.",
        )
    if said.manifest != published.manifest_digest:
        raise _refused(
            Code.RETURN_DIFFERS,
            f"{delivery.landed_as} acknowledges {said.release} with another manifest than the one that was published.",
            "ask the partner for the manifest that it has: somebody may have given it another one.",
        )
    made = datetime.fromisoformat(published.predicate["created_at"])
    if not made - _CLOCKS_DIFFER_BY <= said.at <= site.now() + _CLOCKS_DIFFER_BY:
        raise _refused(
            Code.CLOCK_JUMPED,
            f"{delivery.landed_as} says that it was written before the release was made, or later than now.",
            "compare the clocks of both sides; then have it written and signed again.",
        )
    return published


def _is_ours(site: Site, published: Published) -> None:
    """The ledger knows the release, and what a run that died left undone is done.

    Raises:
        Conflict: OBJECT_ALTERED: the manifest that is there is not ours, which is no fault of whoever acknowledges it.
    """
    try:
        record.released(site, published)
    except Refused as refusal:
        raise Conflict(Code.OBJECT_ALTERED, refusal.message, next_step=refusal.next_step) from None


def _cosigned(site: Site, partner: str, delivery: Delivery) -> Iterator[Returned]:
    note = _content(site, delivery, MAX_NOTE_BYTES)
    for cosignature in site.ledger.take_cosigned(note, partner=partner, now=site.now()):
        prove_witnessed(site, cosignature.size)
        record.witnessed(site, partner, cosignature)
        yield Returned(partner, "cosignature", str(cosignature.size), delivery.landed_as)


def _content(site: Site, delivery: Delivery, max_bytes: int) -> bytes:
    if delivery.size_bytes > max_bytes:
        raise _malformed(delivery, f"it has {delivery.size_bytes} bytes, and none has more than {max_bytes}")
    return b"".join(site.landing.bytes_of(delivery))


def _malformed(delivery: Delivery, why: str) -> Refused:
    return _refused(
        Code.RETURN_MALFORMED,
        f"{delivery.landed_as} cannot be taken: {why}.",
        "have it written again as OPEN.md of a release says.",
    )


def _refused(code: Code, message: str, next_step: str) -> Refused:
    return Refused(code, message, next_step=next_step)

"""When may a key of the site be replaced, and when may it go?

To rotate is to make a role's next key: from then on it is the one that seals and signs, and older ones still open and
verify. To retire an older key is to destroy its secret for good, which nothing may need any more; what verifies what it
has signed is kept. A crash at any point leaves something that the same command finishes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, SafeconductError
from pipeline.edges import record
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.roles import Key, Role, held, new_key, put_new_key, retire_key
from pipeline.edges.safekeeping import safe_of
from pipeline.edges.sealing import Identity, Origin, RecipientKind, open_blocks
from pipeline.edges.site import Site
from pipeline.edges.storage import Store

RESTS = timedelta(days=1)
"""A task that began before a rotation seals to the older key until it ends. None runs as long as this."""


@dataclass(frozen=True, slots=True)
class Need:
    """What still needs a key: so many `objects` of this description, or one that is named."""

    what: str
    objects: int


def keys_of(site: Site) -> tuple[Key, ...]:
    """Every key of the site as its safe has it now."""
    return held(safe_of(site.directory, site.settings.keys))


def next_key(site: Site, role: Role, kind: RecipientKind = RecipientKind.X25519) -> Key:
    """The key that a rotation would make; it is nowhere yet."""
    number = max((key.number for key in keys_of(site) if key.role is role), default=0) + 1
    return new_key(role, number, site.now(), kind)


def rotate(site: Site, key: Key) -> None:
    """The key is its role's current one, and the ledger knows of it.

    Raises:
        Conflict: KEY_TAKEN: somebody else has made a key of this number meanwhile.
    """
    if not put_new_key(safe_of(site.directory, site.settings.keys), key):
        raise Conflict(
            Code.KEY_TAKEN,
            f"somebody has made {key.name} at the same time; it was left as it is.",
            next_step="`safeconduct keys list` shows it; rotate once more if you want another.",
        )
    _tell(site)


def retire(site: Site, catalogue: Catalogue, key: Key) -> None:
    """The key's secret is destroyed, what is public of it is kept, and the ledger knows of it.

    Raises:
        Misconfigured: KEY_IN_USE, with what still needs the key.
    """
    check_retirable(site, catalogue, key)
    retire_key(safe_of(site.directory, site.settings.keys), key, site.now())
    _tell(site)


def check_retirable(site: Site, catalogue: Catalogue, key: Key) -> None:
    """Nothing needs the key any more. One that was retired already may always be retired once more.

    Raises:
        Misconfigured: KEY_IN_USE, with what still needs the key.
    """
    if key.retired_at:
        return
    newer = [one for one in keys_of(site) if one.role is key.role and one.number > key.number and not one.retired_at]
    if not newer:
        raise _in_use(key, "it is the current one", f"`safeconduct keys rotate {key.role.value}` makes the next.")
    made = max((one.created_at for one in newer if one.created_at), default=None)
    if made and site.now() < made + RESTS:
        raise _in_use(
            key,
            f"its successor was made {made.isoformat(timespec='minutes')}, and a task that began before may still use it",
            f"retire it after {(made + RESTS).isoformat(timespec='minutes')}.",
        )
    if needs := tuple(still_needed(site, catalogue, key)):
        told = "; ".join(f"{need.what}: {need.objects}" if need.objects else need.what for need in needs)
        raise _in_use(key, f"it is still needed: {told}", "keep it; older keys do no harm but to be there.")


def still_needed(site: Site, catalogue: Catalogue, key: Key) -> Iterator[Need]:
    """What could not be read, or made once more, without the key."""
    private = site.vault.store
    match key.role:
        case Role.SIGNING | Role.SIGNING_MLDSA | Role.LEDGER:
            return  # to verify needs the public half alone, and that stays
        case Role.VAULT:
            yield from _counted(_sealed(private, "vault", key), "chunks of accepted rows in the vault")
            yield from _counted(_sealed(private, "tables", key), "tables of statistics that were told")
        case Role.QUARANTINE:
            yield from _counted(_sealed(private, "quarantine", key), "objects in quarantine")
        case Role.OPENING:
            yield from _counted(_landed(site, catalogue, key), "deliveries in landing")
            yield from _counted(_refused(site, catalogue, key), "refused deliveries in quarantine")
        case Role.PSEUDONYM_MASTER:
            yield from _epochs(site, catalogue, key)


def _counted(found: Iterator[str], what: str) -> Iterator[Need]:
    if count := sum(1 for _ in found):
        yield Need(what, count)


def _sealed(store: Store, folder: str, key: Key) -> Iterator[str]:
    for listed in store.listing(folder):
        if listed.key.endswith(".age") and _is_for(key, store.blocks(listed.key), Origin.STORE):
            yield listed.key


def _landed(site: Site, catalogue: Catalogue, key: Key) -> Iterator[str]:
    """Deliveries that lie in landing, whether they were claimed or not."""
    sealed = {feed.id for feed in catalogue.feeds.values() if feed.sealed}
    for feed, files in site.landing.waiting({feed.id for feed in catalogue.feeds.values() if feed.signed}).items():
        for file in files if feed in sealed else ():
            if _is_for(key, site.landing.store.blocks(file.key), Origin.PARTNER):
                yield file.key


def _refused(site: Site, catalogue: Catalogue, key: Key) -> Iterator[str]:
    """Deliveries of which the partner's bytes are in quarantine: a replay opens them again."""
    for lot in site.landing.lots():
        for delivery in lot.deliveries:
            feed = catalogue.feeds.get(delivery.feed)
            sealed = feed is None or feed.sealed
            raw = site.quarantine.raw(delivery) if sealed and site.quarantine.has_raw(delivery) else None
            if raw is not None and _is_for(key, raw, Origin.PARTNER):
                yield delivery.id


def _epochs(site: Site, catalogue: Catalogue, key: Key) -> Iterator[Need]:
    """Agreements whose present epoch derives from the key."""
    for agreement in catalogue.agreements.values():
        epochs = site.keyring.epochs
        bound = epochs.find(agreement.id, agreement.pseudonym_epoch) if epochs else None
        if bound and bound.number == key.number:
            yield Need(f"agreement {agreement.id}, epoch {agreement.pseudonym_epoch}", 0)


def _is_for(key: Key, blocks: Iterator[bytes], origin: Origin) -> bool:
    """Whether something is sealed to the key: its first chunk is opened, and no more is read.

    An object of ours that does not open for another reason than its key is taken to need it, until somebody has looked.
    """
    if not isinstance(key.secret, Identity):
        return False
    try:
        next(open_blocks(blocks, key.secret, origin=origin), None)
    except (Conflict, Misconfigured, Refused) as error:
        return error.code not in (Code.WRONG_KEY, Code.OPENING_FAILED)
    return True


def _tell(site: Site) -> None:
    """The ledger has an entry for every key that was made and every one that was retired, also after a crash."""
    for key in keys_of(site):
        record.key_became(site, key, "made")
        if key.retired_at:
            record.key_became(site, key, "retired")


def _in_use(key: Key, why: str, next_step: str) -> SafeconductError:
    return Misconfigured(Code.KEY_IN_USE, f"{key.name} cannot be retired: {why}.", next_step=next_step)

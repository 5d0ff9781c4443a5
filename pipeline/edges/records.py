"""Which write-once records say what became of a delivery? Their digests go into the ledger's entry, which vouches for them.

`private/<key>` and `shared/<key>` name an object of one of the two stores. Sealed objects are not among them: their names are
their digests, and a record names each.
"""

import hashlib
from collections.abc import Iterable, Mapping

from pipeline.edges.site import Site
from pipeline.edges.vault import Kept, kept_place

PRIVATE, SHARED = "private", "shared"


def records_of(
    site: Site, feed: str, delivery: str, *, answers: Mapping[str, bytes], kept: Kept | None = None
) -> dict[str, str]:
    """The digests of everything that was written about a delivery which was kept, or else refused, and of its `answers`."""
    keys = [
        *site.landing.records_of(feed, delivery),
        *site.quarantine.records_of(feed, delivery, raw=kept is None),
        *([kept_place(kept.lot, kept.number)] if kept else ()),
    ]
    return digests_of(site, keys, answers)


def digests_of(site: Site, keys: Iterable[str], answers: Mapping[str, bytes]) -> dict[str, str]:
    """The digests of these private objects as they are, and of the `answers`, which are written to shared storage next."""
    contents = {key: site.vault.store.find(key) for key in keys}
    said = {f"{PRIVATE}/{key}": content for key, content in contents.items() if content is not None}
    said |= {f"{SHARED}/{key}": content for key, content in answers.items()}
    return {key: hashlib.sha256(content).hexdigest() for key, content in said.items()}

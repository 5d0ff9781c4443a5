"""Which texts decided a release? They are kept as they were: years later the catalogue says something else.

policies/<sha256>.json     write-once: the files of the catalogue that one agreement leaned on, by their path

The manifest names the digest, so that a release can be made again as it was.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.core.canonical import canonical
from pipeline.core.errors import Code, Conflict, Misconfigured
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.feed import Feed
from pipeline.edges.catalogue import Catalogue, understood
from pipeline.edges.schemas import schema_of
from pipeline.edges.storage import Store


@dataclass(frozen=True, slots=True)
class Pinned:
    """The private store's texts of agreements that were released under."""

    store: Store

    def pin(self, catalogue: Catalogue, agreement: Agreement) -> str:
        """The texts that decide what the agreement releases are kept; returns their digest."""
        content = canonical({_name(catalogue, path): text for path, text in _texts(catalogue, agreement).items()})
        digest = hashlib.sha256(content).hexdigest()
        self.store.put_new(_key(digest), content)
        return digest

    def catalogue(self, digest: str, at: datetime) -> Catalogue:
        """The catalogue of just these texts, as it was at the instant.

        Raises:
            Misconfigured: NOT_FOUND: no such texts are kept. Conflict: OBJECT_ALTERED: they are not what was kept.
        """
        content = self.store.find(_key(digest))
        if content is None:
            raise Misconfigured(
                Code.NOT_FOUND,
                f"the texts {digest[:12]} of the agreement are not kept here.",
                next_step="restore policies/ of the private store from a backup.",
            )
        if hashlib.sha256(content).hexdigest() != digest:
            raise Conflict(
                Code.OBJECT_ALTERED,
                f"{_key(digest)} is not what was kept.",
                next_step="restore it from a backup; find out who changed it.",
            )
        root = Path(_key(digest))
        return understood(root, {root / name: text for name, text in json.loads(content).items()}, at)


def _texts(catalogue: Catalogue, agreement: Agreement) -> dict[Path, str]:
    """What the agreement leans on, with its earlier versions, and what its feed leans on beside that."""
    root, followed = catalogue.root, _with_followed(catalogue, catalogue.feed(agreement.feed))
    lists = {id for feed in followed for id in schema_of(feed, catalogue.code_lists).code_lists}
    named = {"feeds": {feed.id for feed in followed}, "codes": lists}
    named["partners"] = {agreement.provider, *(feed.partner for feed in followed)}
    paths = (root / folder / f"{id}.toml" for folder, ids in named.items() for id in sorted(ids))
    earlier = (catalogue.path_of(one) for one in catalogue.versions[agreement.id] if one.version < agreement.version)
    return {path: catalogue.texts[path] for path in (*paths, *earlier)} | catalogue.files_of(agreement)


def _with_followed(catalogue: Catalogue, feed: Feed) -> tuple[Feed, ...]:
    """The feed and every feed that its rows must go back to, those of these too."""
    found = {feed.id: feed}
    waiting = [feed]
    while waiting:
        for rule in waiting.pop().follows:
            if rule.feed not in found:
                found[rule.feed] = catalogue.feed(rule.feed)
                waiting.append(found[rule.feed])
    return tuple(found.values())


def _name(catalogue: Catalogue, path: Path) -> str:
    return path.relative_to(catalogue.root).as_posix()


def _key(digest: str) -> str:
    return f"policies/{digest}.json"

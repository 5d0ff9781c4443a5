"""What can a release be checked against, and what would it be made again from? Gathered from the site for its manifest."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline import core
from pipeline.core.authority import Authorised
from pipeline.core.language.codes import CodeList
from pipeline.core.statement import Backing
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.pinned import Pinned
from pipeline.edges.site import Site
from pipeline.edges.spool import Spool
from pipeline.kit.contents import kit_files


def backing(site: Site, catalogue: Catalogue, authorised: Authorised, kit: Mapping[str, bytes]) -> Backing:
    """The lists, keys, files and versions behind a release that is about to be made; the texts that decide it are kept."""
    agreement = authorised.agreement
    return Backing(
        code_lists={id: _dated(catalogue, "codes", id) for id in sorted(agreement.code_lists())},
        hierarchies={id: _dated(catalogue, "hierarchies", id) for id in sorted(agreement.hierarchies())},
        ledger={
            "origin": site.ledger.origin,
            "keys": [str(key) for key in site.ledger.verifier_keys],
        },
        kit={name: hashlib.sha256(content).hexdigest() for name, content in kit.items()},
        signed_by=site.publication.signers,
        versions=versions(),
        policies={"sha256": Pinned(site.vault.store).pin(catalogue, agreement)},
    )


def kit_of(authorised: Authorised, release: str, spool: Spool) -> dict[str, bytes]:
    """The files that go beside the manifest: how to open and verify the release."""
    agreement = authorised.agreement
    return kit_files(
        release=release,
        agreement=agreement.id,
        title=agreement.title,
        provider=agreement.provider,
        recipient=agreement.recipient,
        ending=agreement.format,
        parts=len(spool.parts),
        community=bool(authorised.recipient.members),
    )


def versions() -> dict[str, str]:
    """What decides the cells of a release, in the versions that are here."""
    return {
        "safeconduct": version("safeconduct"),
        "treatments": treatments_digest(),
        "polars": version("polars"),
        "polars-hash": version("polars-hash"),
    }


@cache
def treatments_digest() -> str:
    """SHA-256 (hex) of the source of everything that decides a cell: `pipeline.core`, and how parts are written.

    Each file counts with its name and length, in the order of their names.
    """
    root = Path(core.__path__[0])
    files = [*sorted(root.rglob("*.py")), root.parent / "formats" / "parts.py"]
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root.parent).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _dated(catalogue: Catalogue, folder: str, id: str) -> dict[str, Any]:
    """When the list was agreed and when it expires, and the digest of its file as it was read."""
    listed = catalogue.code_lists[id] if folder == "codes" else catalogue.hierarchies[id]
    text = catalogue.texts[catalogue.root / folder / f"{id}.toml"]
    return {
        "agreed_on": listed.agreed_on.isoformat(),
        "expires_on": listed.expires_on.isoformat() if isinstance(listed, CodeList) and listed.expires_on else None,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }

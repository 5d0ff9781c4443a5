"""How is the report of an audit kept, so that nobody can say later that it said something else? Signed, and in the ledger.

audits/<instant>.json, .html     write-once: the report
audits/<instant>.dsse            write-once: an in-toto statement of their digests, signed as manifests are
"""

import hashlib
from collections.abc import Mapping

from pipeline.core.audit import Report, attestation, document
from pipeline.core.audit_page import page
from pipeline.core.canonical import canonical
from pipeline.core.entries import Fact, Kind
from pipeline.edges.audit import FOLDER, Progress, audit
from pipeline.edges.records import PRIVATE
from pipeline.edges.signing import sign_statement
from pipeline.edges.site import Site


def audited(site: Site, *, full: bool | None = None, progress: Progress = lambda *_: None) -> Report:
    """The site was audited, and the report is kept; with every object read, where that is due or `full` asks for it."""
    report = audit(site, full=full, progress=progress)
    keep(site, report)
    return report


def keep(site: Site, report: Report) -> str:
    """The report is kept in the private store, signed, and named by the ledger; returns where, without the endings."""
    name = report.at.strftime("%Y%m%dT%H%M%S%fZ")
    files = {f"{name}.json": canonical(document(report)), f"{name}.html": page(report).encode()}
    files[f"{name}.dsse"] = attested(site, report, files)
    for key, content in files.items():
        site.vault.store.put_new(f"{FOLDER}/{key}", content)
    records = {f"{PRIVATE}/{FOLDER}/{key}": _digest(content) for key, content in files.items()}
    facts: dict[str, Fact] = {
        "found": len(report.findings),
        "full": report.full,
        "size": report.checkpoint.size,
        "records": records,
    }
    subject = f"checkpoint {report.checkpoint.size}"
    site.ledger.append(
        id=f"{Kind.AUDITED.value}:{name}", kind=Kind.AUDITED, subject=subject, facts=facts, at=site.now()
    )
    return f"{FOLDER}/{name}"


def attested(site: Site, report: Report, files: Mapping[str, bytes]) -> bytes:
    """The envelope that says, signed by the site, that these files are the report of this audit."""
    statement = attestation(report, {name: _digest(content) for name, content in files.items()})
    return sign_statement(statement, site.publication.key, site.publication.second)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

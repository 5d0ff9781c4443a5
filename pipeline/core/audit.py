"""What did an audit look at, and what did it find? Figures and findings for people, machines and those who keep the report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipeline.core.canonical import canonical
from pipeline.core.errors import SafeconductError
from pipeline.core.statement import STATEMENT_TYPE

AUDIT_TYPE = "urn:safeconduct:audit:v1"


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is not as it must be. `object`: its store and key, or the release or checkpoint that it is about."""

    code: str
    object: str
    message: str
    next_step: str

    @classmethod
    def of(cls, name: str, error: SafeconductError) -> "Found":
        """What an error says of an object."""
        return cls(error.code.value, name, error.message, error.next_step)


@dataclass(frozen=True, slots=True)
class KindSeen:
    """The objects of one kind: how many there are, and how many were read now, to the last byte."""

    kind: str
    store: str
    vouched_by: str
    objects: int
    stored_bytes: int
    read_objects: int
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Length:
    """A checkpoint: how long the ledger is, and its root (hex)."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Report:
    """An audit of the site whose ledger is `origin`.

    `since`: the checkpoint from which on the ledger was verified to the last object, None for its beginning; before it, each
    entry was held against the root. `leftovers`: what tries that died have left, which nobody looks at; `making`: what was too
    new for the ledger to speak of it; `waiting`: deliveries without an outcome.
    """

    origin: str
    at: datetime
    took_seconds: float
    full: bool
    checkpoint: Length
    since: Length | None
    witnessed: Mapping[str, Any] | None
    entries: Mapping[str, int]
    releases: Mapping[str, int]
    kinds: Sequence[KindSeen]
    leftovers: int
    making: int
    waiting: int
    notes: Sequence[str]
    findings: Sequence[Found]

    @property
    def objects(self) -> int:
        return sum(kind.objects for kind in self.kinds)

    @property
    def read_objects(self) -> int:
        return sum(kind.read_objects for kind in self.kinds)

    @property
    def read_bytes(self) -> int:
        return sum(kind.read_bytes for kind in self.kinds)


def document(report: Report) -> dict[str, Any]:
    """The report for machines."""
    totals = {"objects": report.objects, "read_objects": report.read_objects, "read_bytes": report.read_bytes}
    said = {**asdict(report), "at": report.at.isoformat(), "took_seconds": round(report.took_seconds, 3)}
    return {"type": AUDIT_TYPE, **said, "totals": totals, "found": len(report.findings)}


def attestation(report: Report, digests: Mapping[str, str]) -> bytes:
    """The in-toto statement that these files, named with their SHA-256 (hex), are the report of this audit."""
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "predicateType": AUDIT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())],
            "predicate": {
                "origin": report.origin,
                "at": report.at,
                "full": report.full,
                "checkpoint": asdict(report.checkpoint),
                "found": len(report.findings),
            },
        }
    )

"""What does a release say of itself?

An in-toto Statement v1: its subjects are the sealed parts, its predicate says under which agreement, for whom, from which
deliveries and with how many rows they were made. `edges.signing` puts it into a signed envelope, the manifest. It
holds no value of any row.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipeline.core.authority import Authorised
from pipeline.core.canonical import canonical
from pipeline.core.conservation import RowCount
from pipeline.core.duration import after
from pipeline.core.errors import Code, Refused

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:safeconduct:release:v1"


@dataclass(frozen=True, slots=True)
class Part:
    """One sealed object of a release. `digest`: SHA-256 of the sealed bytes. `until`: when its columns must be gone."""

    key: str
    digest: str
    size_bytes: int
    rows: int
    columns: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Source:
    """A delivery that the release was made of."""

    delivery: str
    received: int
    accepted: int
    rejected: int


def statement(
    authorised: Authorised,
    *,
    release: str,
    kept: str,
    schema: Mapping[str, str],
    sources: Sequence[Source],
    parts: Sequence[Part],
    rows: RowCount,
    code_version: str,
) -> bytes:
    """The statement's bytes: canonical JSON."""
    agreement = authorised.agreement
    handling = agreement.handling
    predicate = {
        "release": release,
        "created_at": authorised.at,
        "agreement": {
            "id": agreement.id,
            "title": agreement.title,
            "instrument": agreement.instrument,
            "digest": {"sha256": authorised.agreement_digest},
            "in_force_until": agreement.in_force.until,
        },
        "provider": agreement.provider,
        "recipient": {"id": agreement.recipient, "keys": authorised.recipient_keys},
        "purpose": {"declared": authorised.purpose, "clause": agreement.purposes.clause},
        "made_of": {"kept": kept, "schema": schema, "deliveries": [asdict(source) for source in sources]},
        "parts": [asdict(part) for part in parts],
        "columns": {
            name: {"treatment": treatment.treatment, "clause": treatment.clause}
            for name, treatment in agreement.columns.items()
        },
        "pseudonym_epoch": agreement.pseudonym_epoch,
        "statistics": agreement.statistics.model_dump() if agreement.statistics else None,
        "rows": asdict(rows),
        "handling": {
            "marking": f"TLP:{handling.tlp.value}",
            "caveats": handling.caveats,
            "onward": handling.onward,
            "delete_by": after(authorised.at, handling.retention.delete_after),
            "delete_clause": handling.retention.clause,
        },
        "code_version": code_version,
    }
    subjects = [{"name": part.key, "digest": {"sha256": part.digest}} for part in parts]
    return canonical(
        {"_type": STATEMENT_TYPE, "predicateType": PREDICATE_TYPE, "subject": subjects, "predicate": predicate}
    )


def read_statement(text: bytes) -> dict[str, Any]:
    """The predicate of a release's statement, its subjects being exactly its parts.

    Raises:
        Refused: it is a statement of another kind, or contradicts itself.
    """
    try:
        said = json.loads(text)
        predicate: dict[str, Any] = said["predicate"]
        subjects = {subject["name"]: subject["digest"]["sha256"] for subject in said["subject"]}
        parts = {part["key"]: part["digest"] for part in predicate["parts"]}
        named = said["_type"] == STATEMENT_TYPE and said["predicateType"] == PREDICATE_TYPE
        # One key twice, or one part: two readers would read two statements.
        once = canonical(said) == text and len(said["subject"]) == len(predicate["parts"]) == len(parts)
        consistent = named and once and subjects == parts
    except (ValueError, KeyError, TypeError, RecursionError):
        consistent = False
    if not consistent:
        raise Refused(
            Code.VERIFICATION_FAILED,
            "the manifest's statement is not one of a Safeconduct release.",
            next_step="get the manifest again from its publisher.",
        )
    return predicate

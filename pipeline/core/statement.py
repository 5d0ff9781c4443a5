"""What does a release say of itself?

An in-toto Statement v1: its subjects are the sealed parts, its predicate says under which agreement, for whom, from which
deliveries and with how many rows they were made. `edges.signing` puts it into a signed envelope, the manifest. It
holds no value of any row.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipeline.core.authority import Authorised
from pipeline.core.banner import banner
from pipeline.core.canonical import canonical
from pipeline.core.clocks import Instants, runs_out
from pipeline.core.conservation import RowCount
from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.handling import Clock, Handling, Retention
from pipeline.core.language.instrument import Instrument
from pipeline.core.language.marking import Marking
from pipeline.core.language.treatment import Statistics
from pipeline.core.risk import Figures
from pipeline.core.statistics import told

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:safeconduct:release:v1"


@dataclass(frozen=True, slots=True)
class Part:
    """One sealed object of a release. `digest`: SHA-256 of the sealed bytes.

    `commitment`: HMAC-SHA256 (hex) of the clear bytes, under a key that the site alone has: it tells nobody else anything.
    `until`: when it must be gone, which is `after` (ISO 8601) its `clock`; None while the clock waits for an event.
    """

    key: str
    digest: str
    size_bytes: int
    commitment: str
    rows: int
    columns: tuple[str, ...]
    until: datetime | None
    clock: str
    after: str


@dataclass(frozen=True, slots=True)
class Source:
    """A delivery that the release was made of."""

    delivery: str
    received: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Backing:
    """What a release is checked against, and would be made again from.

    `code_lists`, `hierarchies`: those that the agreement leans on, each with its dates and the digest of its file.
    `ledger`: its origin and verifier keys. `kit`: the digests of the files beside the manifest. `signed_by`: the keys that sign
    the manifest. `versions`: of what decides the cells. `policies`: the digest of the texts that were kept.
    """

    code_lists: Mapping[str, Mapping[str, Any]]
    hierarchies: Mapping[str, Mapping[str, Any]]
    ledger: Mapping[str, Any]
    kit: Mapping[str, str]
    signed_by: Sequence[str]
    versions: Mapping[str, str]
    policies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Superseded:
    """The withdrawn release that another takes the place of; the digests are of its manifest and its withdrawal."""

    release: str
    manifest: str
    withdrawal: str


def statement(
    authorised: Authorised,
    *,
    instrument: Instrument,
    release: str,
    kept: str,
    schema: Mapping[str, str],
    sources: Sequence[Source],
    parts: Sequence[Part],
    rows: RowCount,
    marking: Marking,
    risk: Figures | None,
    backing: Backing,
    compared_tables: int | None = None,
    revision: int = 1,
    supersedes: Superseded | None = None,
) -> bytes:
    """The statement's bytes: canonical JSON."""
    agreement = authorised.agreement
    declared = authorised.declaration.purpose
    beside = _beside(agreement, rows)
    predicate = {
        "release": release,
        "revision": revision,
        "supersedes": _superseded(supersedes),
        "created_at": authorised.at,
        "agreement": {
            "id": agreement.id,
            "version": agreement.version,
            "title": agreement.title,
            "instrument": {"id": instrument.id, "title": instrument.title, "citation": instrument.citation},
            "digest": {"sha256": authorised.agreement_digest},
            "in_force_until": agreement.in_effect_until,
            "approvals": [approval.model_dump() for approval in agreement.approvals],
        },
        "provider": agreement.provider,
        "recipient": {
            "id": agreement.recipient,
            "keys": authorised.recipient.keys,
            "fingerprints": [hashlib.sha256(key.encode()).hexdigest() for key in authorised.recipient.keys],
        },
        "purpose": {
            "declared": declared,
            "clause": agreement.purposes[declared].clause,
            "conditions": [asdict(shown) for shown in authorised.conditions],
        },
        "made_of": {"kept": kept, "schema": schema, "deliveries": [_told(source, beside) for source in sources]},
        "parts": [asdict(part) for part in parts],
        "columns": {
            name: {
                "treatment": treatment.treatment,
                "clause": treatment.clause,
                **({"conditional": True} if treatment.only_where else {}),
            }
            for name, treatment in agreement.released.items()
        },
        "pseudonym_epoch": agreement.pseudonym_epoch,
        "statistics": (
            {**agreement.statistics.model_dump(), "compared_tables": compared_tables} if agreement.statistics else None
        ),
        "rows": _told(rows, beside),
        "risk": {**asdict(risk), "asked": agreement.risk.model_dump(mode="json")} if risk and agreement.risk else None,
        "handling": _handling(agreement.handling, marking, authorised.instants),
        **asdict(backing),
    }
    subjects = [{"name": part.key, "digest": {"sha256": part.digest}} for part in parts]
    return canonical(
        {"_type": STATEMENT_TYPE, "predicateType": PREDICATE_TYPE, "subject": subjects, "predicate": predicate}
    )


def _superseded(earlier: Superseded | None) -> dict[str, Any] | None:
    if earlier is None:
        return None
    return {
        "release": earlier.release,
        "manifest": {"sha256": earlier.manifest},
        "withdrawal": {"sha256": earlier.withdrawal},
    }


def _beside(agreement: Agreement, rows: RowCount) -> Statistics | None:
    """The agreement's statistics, as coarse as the numbers of rows beside them must be.

    What a row rule kept back is a cell as well: where one is small, every number is rounded to `smallest_cell`, since an
    exact one could be told from the others.
    """
    rule = agreement.statistics
    kept_back = (rows.out_of_scope, rows.withheld, *rows.by_rule.values())
    if rule is None or not any(0 < number < rule.smallest_cell for number in kept_back):
        return rule
    return rule.model_copy(update={"round_to": max(rule.smallest_cell, rule.round_to or 0)})


def _told(counts: RowCount | Source, beside: Statistics | None) -> dict[str, Any]:
    """The counts as the recipient may know them: beside rounded statistics, rounded likewise."""
    said: dict[str, Any] = {}
    for name, count in asdict(counts).items():
        if isinstance(count, dict):
            said[name] = {inner: told(number, beside) for inner, number in count.items()}
        else:
            said[name] = told(count, beside) if isinstance(count, int) else count
    return said


def _handling(handling: Handling, marking: Marking, instants: Instants) -> dict[str, Any]:
    retention = handling.retention
    return {
        "marking": banner(marking),
        "caveats": handling.caveats,
        "onward": {
            "default": handling.onward.default,
            "with": handling.onward.given,
            "says": handling.onward.says,
            "clause": handling.onward.clause,
        },
        "retention": {
            "clock": retention.clock.value,
            "column": retention.column,
            "event": retention.event,
            "dormant_from": _dormant_from(retention, instants),
            "dormant_after": retention.dormant_after,
            "delete_after": retention.delete_after,
            "freeze_on_hold": retention.freeze_on_hold,
            "clause": retention.clause,
        },
        "notices": [notice.model_dump() for notice in handling.notices],
        "deadlines": [deadline.model_dump() for deadline in handling.deadlines],
    }


def _dormant_from(retention: Retention, instants: Instants) -> datetime | None:
    """None for never, and where each row has a date of its own."""
    if retention.dormant_after is None or retention.clock is Clock.DATE:
        return None
    return runs_out(retention.clock, retention.dormant_after, instants)


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
        signed = all(isinstance(key, str) for key in predicate["signed_by"])
        consistent = named and once and signed and subjects == parts
    except (ValueError, KeyError, TypeError, RecursionError):
        consistent = False
    if not consistent:
        raise Refused(
            Code.VERIFICATION_FAILED,
            "the manifest's statement is not one of a Safeconduct release.",
            next_step="get the manifest again from its publisher.",
        )
    return predicate


def gone_by(predicate: Mapping[str, Any]) -> datetime | None:
    """When the last part of the release must be gone; None for no parts, or while one waits for an event."""
    dates = [part["until"] for part in predicate["parts"]]
    return max(map(datetime.fromisoformat, dates)) if dates and all(dates) else None

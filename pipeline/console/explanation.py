"""What does an agreement give to whom, and where does each rule come from? In plain facts, for people and machines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.console.readiness import blocks
from pipeline.core.clocks import Instants, runs_out
from pipeline.core.errors import Misconfigured
from pipeline.core.language.handling import Clock
from pipeline.core.language.policy import cited
from pipeline.core.language.treatment import Withhold
from pipeline.core.wording import condition_in_words, duration_in_words, predicate_in_words, treatment_in_words

if TYPE_CHECKING:
    from pipeline.core.duration import Duration
    from pipeline.core.language.agreement import Agreement
    from pipeline.core.language.instrument import Instrument
    from pipeline.core.language.treatment import Treatment
    from pipeline.core.validation import CompiledSchema
    from pipeline.edges.catalogue import Catalogue
    from pipeline.edges.site import Site

OWN = "the agreement itself"
NOT_NAMED = "the agreement does not name it"


@dataclass(frozen=True, slots=True)
class ClauseTold:
    """A clause that a rule cites, what it says, how sure we are, and whose it is. `says` is None for an unknown one."""

    clause: str
    says: str | None
    confidence: str | None
    stands_in: str
    left_to: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How long something may be held. `gone_by`: the instant, were it released now; None where each row or an event decides."""

    after: "Duration"
    clock: str
    in_words: str
    gone_by: datetime | None


def explanation(site: "Site", catalogue: "Catalogue", agreement: "Agreement") -> dict[str, Any]:
    """The whole agreement in plain facts."""
    from pipeline.edges.schemas import schema_of

    schema, now = schema_of(catalogue.feed(agreement.feed), catalogue.code_lists), site.now()
    instrument = catalogue.instrument(agreement.instrument)
    in_the_way = blocks(site, catalogue, agreement)
    standing = agreement.status_at(now)
    return {
        "agreement": agreement.id,
        "version": agreement.version,
        "title": agreement.title,
        "file": catalogue.path_of(agreement),
        "digest": catalogue.digest(agreement),
        "versions": list(_versions(catalogue, agreement, now)),
        "instrument": _instrument(instrument),
        "provider": agreement.provider,
        "recipient": _recipient(site, catalogue, agreement),
        "feed": agreement.feed,
        "format": agreement.format,
        "review": agreement.review,
        "status": {
            "now": standing.to.value if standing else "draft",
            "reason": standing.reason if standing else None,
            "changes": [change.model_dump(mode="json") for change in agreement.status],
        },
        "in_force": {"from": agreement.in_force.since, "until": agreement.in_force.until},
        "may_release_now": {"yes": not in_the_way, "blocked_by": in_the_way},
        "purposes": list(_purposes(agreement)),
        "declared": agreement.declared.model_dump(mode="json", exclude_defaults=True) if agreement.declared else None,
        "rows": [
            {
                "name": rule.name,
                "released_when": predicate_in_words(rule.predicate),
                "otherwise": rule.otherwise.value,
                "clause": rule.clause,
            }
            for rule in agreement.rows
        ],
        "columns": [column_facts(agreement, schema, name, now) for name in agreement.released],
        "not_released": [column_facts(agreement, schema, name, now) for name in _hidden(agreement, schema)],
        "pseudonym_epoch": agreement.pseudonym_epoch,
        "statistics": agreement.statistics.model_dump() if agreement.statistics else None,
        "handling": _handling(agreement, now),
        "risk": agreement.risk.model_dump() if agreement.risk else None,
        "approvals": [approval.model_dump(mode="json") for approval in agreement.approvals],
        "cases": len(agreement.cases),
        "clauses": list(_cited_clauses(agreement, instrument)),
    }


def clauses_of(agreement: "Agreement", instrument: "Instrument") -> dict[str, ClauseTold]:
    """Every clause that a rule of the agreement may cite, by its name."""
    both = ((instrument.id, instrument.clauses), (OWN, agreement.clauses))
    return {
        name: ClauseTold(name, clause.says, clause.confidence.value, stands_in, clause.left_to)
        for stands_in, clauses in both
        for name, clause in clauses.items()
    }


def told(citing: str, clauses: Mapping[str, ClauseTold]) -> list[ClauseTold]:
    """The clauses that `clause = "Annex 4; D1"` cites."""
    return [clauses.get(name) or ClauseTold(name, None, None, "nowhere in the catalogue") for name in cited(citing)]


def column_facts(agreement: "Agreement", schema: "CompiledSchema", name: str, now: datetime) -> dict[str, Any]:
    """What becomes of a column; of one that is not released, why."""
    said = agreement.columns.get(name)
    released = agreement.released.get(name)
    category = schema.categories.get(name)
    return {
        "column": name,
        "category": category.value if category else "unknown column",
        "source": schema.sources.get(name),
        "treatment": treatment_in_words(said) if said else None,
        "ending": ending(agreement, released.until, released.clock, now) if released and released.until else None,
        "clause": said.clause if said else None,
        "why": None if released else _why_hidden(said),
    }


def ending(agreement: "Agreement", after: "Duration", clock: Clock | None, now: datetime) -> Ending:
    """When something that is released now is to be gone; `clock` is the retention's own where the rule says none."""
    retention = agreement.handling.retention
    runs = clock or retention.clock
    start = {
        Clock.RECEIVED: "the first delivery arrived",
        Clock.LAST_RECEIVED: "the last delivery arrived",
        Clock.LOADED: "the rows were loaded",
        Clock.RELEASED: "the release",
        Clock.DATE: f"each row's own {retention.column}",
        Clock.EVENT: f"{retention.event}",
    }[runs]
    gone_by = None if runs is Clock.DATE else runs_out(runs, after, Instants(now, now, now, now))
    return Ending(after, runs.value, f"{duration_in_words(after)} after {start}", gone_by)


def _why_hidden(said: "Treatment | None") -> str:
    return "withheld" if said else NOT_NAMED


def _hidden(agreement: "Agreement", schema: "CompiledSchema") -> list[str]:
    withheld = [name for name, said in agreement.columns.items() if isinstance(said, Withhold)]
    return [*withheld, *(name for name in schema.columns if name not in agreement.columns)]


def _versions(catalogue: "Catalogue", agreement: "Agreement", now: datetime) -> Iterator[dict[str, Any]]:
    current = catalogue.agreements.get(agreement.id)
    for version in catalogue.versions.get(agreement.id, ()):
        standing = version.status_at(now)
        yield {
            "version": version.version,
            "file": catalogue.path_of(version),
            "from": version.in_force.since,
            "until": version.in_effect_until,
            "status": standing.to.value if standing else "draft",
            "current": current is not None and version.version == current.version,
        }


def _instrument(instrument: "Instrument") -> dict[str, Any]:
    said = instrument.model_dump(mode="json", include={"id", "title", "kind", "citation", "parties", "programme"})
    return said | {
        "confidence": instrument.confidence.value,
        "source": instrument.source,
        "status": instrument.status.value,
        "since": instrument.since,
        "until": instrument.until,
        "next_review": instrument.review.next if instrument.review else None,
    }


def _recipient(site: "Site", catalogue: "Catalogue", agreement: "Agreement") -> dict[str, Any]:
    partner = catalogue.partners[agreement.recipient]
    members = catalogue.members(partner.id) or (partner,)
    return {
        "id": partner.id,
        "title": partner.title,
        "role": partner.role.value,
        "country": partner.country,
        "audience": partner.audience.value,
        "members": partner.members,
        "keys": [_keys(site, member.id) for member in members],
        "only_these_keys": len(agreement.recipient_keys) if agreement.recipient_keys else None,
    }


def _keys(site: "Site", partner: str) -> dict[str, Any]:
    path = site.keyring.recipients_path(partner)
    try:
        registered = len(site.keyring.recipients(partner))
    except Misconfigured:
        registered = 0
    return {"partner": partner, "registered": registered, "file": path}


def _purposes(agreement: "Agreement") -> Iterator[dict[str, Any]]:
    for purpose, said in agreement.purposes.items():
        required = dict.fromkeys((*agreement.requires, *said.requires))
        yield {
            "purpose": purpose,
            "clause": said.clause,
            "standing": agreement.declared is not None and agreement.declared.purpose == purpose,
            "requires": [condition_facts(agreement, name) for name in required],
        }


def condition_facts(agreement: "Agreement", name: str) -> dict[str, str]:
    """A condition of the agreement, in words."""
    condition = agreement.conditions[name]
    return {
        "condition": name,
        "kind": condition.kind,
        "in_words": condition_in_words(condition),
        "clause": condition.clause,
    }


def _handling(agreement: "Agreement", now: datetime) -> dict[str, Any]:
    from pipeline.core.banner import banner

    handling = agreement.handling
    retention, delay, onward = handling.retention, handling.delay, handling.onward
    dormant = retention.dormant_after
    return {
        "marking": banner(handling.marking),
        "downgrade": _downgrade(agreement),
        "caveats": handling.caveats,
        "onward": {
            "default": onward.default,
            "says": onward.says,
            "with": [condition_facts(agreement, name) for name in onward.given],
            "clause": onward.clause,
        },
        "retention": {
            "delete": ending(agreement, retention.delete_after, None, now),
            "dormant": ending(agreement, dormant, None, now) if dormant else None,
            "freeze_on_hold": retention.freeze_on_hold,
            "clause": retention.clause,
        },
        "delay": {"wait": delay.wait, "clock": delay.clock, "clause": delay.clause} if delay else None,
        "notices": [notice.model_dump() for notice in handling.notices],
        "deadlines": [deadline.model_dump() for deadline in handling.deadlines],
    }


def _downgrade(agreement: "Agreement") -> dict[str, str] | None:
    from pipeline.core.banner import banner

    downgrade = agreement.handling.downgrade
    if downgrade is None:
        return None
    return {
        "of": banner(downgrade.of),
        "to": banner(downgrade.to),
        "authority": downgrade.authority,
        "reference": downgrade.reference,
        "clause": downgrade.clause,
    }


def _cited_clauses(agreement: "Agreement", instrument: "Instrument") -> Iterator[ClauseTold]:
    """Each clause that a rule cites, once, in the order of the citations."""
    from pipeline.core.soundness import citations

    clauses = clauses_of(agreement, instrument)
    for name in dict.fromkeys(name for _, name in citations(agreement)):
        yield from told(name, clauses)

"""What would the recipient newly see, lose, be able to link, or keep longer, and have two people agreed to it?

A change narrows only where that is shown; everything else, also what nobody has thought of yet, widens. Widening is monotone:
"does not widen" is transitive, so that no series of changes that each pass adds up to one that would not.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from pipeline.core.canonical import canonical
from pipeline.core.clock_order import retention_term
from pipeline.core.column_differences import column_differences, treated_as
from pipeline.core.difference import Difference, Effect, Side, What, said
from pipeline.core.handling_differences import handling_differences
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.handling import Handling
from pipeline.core.language.policy import Policy
from pipeline.core.language.scope import questions
from pipeline.core.rule_differences import rule_differences
from pipeline.core.standing_differences import standing_differences
from pipeline.core.treatment_order import Around

APPROVALS = 2
"""So many different people must agree to a widening."""

COMPARED: Mapping[type[Policy], frozenset[str]] = {
    Agreement: frozenset({
        "id", "version", "title", "instrument", "provider", "recipient", "recipient_keys", "feeds", "status", "in_force", "review",
        "clauses", "purposes", "conditions", "requires", "declared", "pseudonym_epoch", "format", "rows", "columns", "statistics",
        "handling", "risk", "approvals", "cases",
    }),
    Handling: frozenset({"marking", "downgrade", "caveats", "onward", "retention", "delay", "notices", "deadlines"}),
}  # fmt: skip
"""What is compared of each; another field, added to the language and not here, counts as widening when it changes."""


class Versions(Around, Protocol):
    """All versions of each agreement, in order, and what they lean on: a catalogue is one."""

    @property
    def versions(self) -> Mapping[str, tuple[Agreement, ...]]: ...


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What `new` discloses otherwise than `old`. `old` is None for a first version, which is held against nothing."""

    old: Agreement | None
    new: Agreement
    differences: tuple[Difference, ...]
    leans_on: tuple[tuple[str, str], ...]
    """each list that a widening leans on, with the digest of what it says"""

    @property
    def widening(self) -> tuple[Difference, ...]:
        """What the recipient would see, link, keep or do more."""
        return tuple(one for one in self.differences if one.widens)

    @property
    def needs_approval(self) -> bool:
        """Whether two people must agree: a first version is itself what its authors agree to."""
        return self.old is not None and bool(self.widening)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the widening, of the agreement's id and of its new version: what an approval is for."""
        approved = {
            "agreement": self.new.id,
            "version": self.new.version,
            "widening": [{**one.stated(), "keys": [], "why": ""} for one in self.widening],
            "lists": dict(self.leans_on),
        }
        return hashlib.sha256(canonical(approved)).hexdigest()


def disclosure_diff(old: Agreement | None, new: Agreement, *, before: Around, after: Around) -> Disclosure:
    """What `new` discloses otherwise than `old`; `before` and `after` hold the lists and partners behind each."""
    if old is None:
        return Disclosure(None, new, tuple(_first(new)), ())
    sides = Side(old, before), Side(new, after)
    found = [
        *standing_differences(*sides),
        *rule_differences(*sides),
        *column_differences(*sides),
        *handling_differences(*sides),
        *_unknown(old, new),
    ]
    ordered = sorted(found, key=lambda one: not one.widens)
    return Disclosure(old, new, tuple(ordered), tuple(sorted(_lists(ordered, new, after).items())))


def missing_approvals(disclosure: Disclosure, agreement: Agreement) -> int:
    """How many more people must agree to exactly this widening; 0 where nothing widens."""
    if not disclosure.needs_approval:
        return 0
    people = {_person(one.by) for one in agreement.approvals if one.widening == disclosure.digest}
    return max(0, APPROVALS - len(people))


def amendment(agreement: Agreement, catalogue: Versions) -> Disclosure:
    """What a version of the catalogue discloses otherwise than the version before it."""
    earlier = [one for one in catalogue.versions.get(agreement.id, ()) if one.version < agreement.version]
    return disclosure_diff(earlier[-1] if earlier else None, agreement, before=catalogue, after=catalogue)


def unapproved(catalogue: Versions) -> Iterator[Disclosure]:
    """Each amendment of the catalogue that widens and that two people have not agreed to."""
    for versions in catalogue.versions.values():
        for old, new in pairwise(versions):
            disclosure = disclosure_diff(old, new, before=catalogue, after=catalogue)
            if missing_approvals(disclosure, new):
                yield disclosure


def _person(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _first(new: Agreement) -> Iterator[Difference]:
    """All that a first version discloses."""
    yield Difference(What.RECIPIENT, "", ("recipient",), "", new.recipient, "", Effect.SEES_MORE, widens=True)
    for name, purpose in new.purposes.items():
        yield Difference(
            What.PURPOSE, name, ("purposes", name), "", "allowed", purpose.clause, Effect.SEES_MORE, widens=True
        )
    for name, released in new.released.items():
        told = treated_as(released)
        yield Difference(What.COLUMN, name, ("columns", name), "", told, released.clause, Effect.SEES_MORE, widens=True)
    retention = new.handling.retention
    told, keys = str(retention_term(retention)), ("handling", "retention")
    yield Difference(What.RETENTION, "", keys, "", told, retention.clause, Effect.KEEPS_LONGER, widens=True)


def _unknown(old: Agreement, new: Agreement) -> Iterator[Difference]:
    """Changed fields that nothing here compares."""
    for keys, was, now in (((), old, new), (("handling",), old.handling, new.handling)):
        for field in sorted(set(type(now).model_fields) - COMPARED[type(now)]):
            told, told_now = said(getattr(was, field)), said(getattr(now, field))
            if told != told_now:
                where = (*keys, field)
                why = "nothing is known of it: counted as widening"
                yield Difference(What.OTHER, field, where, told, told_now, "", Effect.SEES_MORE, widens=True, why=why)


def _lists(differences: list[Difference], new: Agreement, after: Around) -> dict[str, str]:
    """The lists that the widening columns and row rules lean on: an approval is for what they say now."""
    ids: set[str] = set()
    for one in differences:
        if one.widens and one.keys[:1] == ("columns",):
            treatment = new.columns.get(one.subject)
            ids |= {getattr(treatment, key, None) or "" for key in ("codes", "heads", "hierarchy")}
        elif one.widens and one.keys[:1] == ("rows",):
            asked = (asks for rule in new.rows for asks in questions(rule.predicate))
            ids |= {asks.in_codes or asks.not_in_codes or "" for asks in asked}
    kept: dict[str, CodeList | Hierarchy] = {**after.code_lists, **after.hierarchies}
    told = {"codes", "terms", "levels", "parents"}
    return {id: hashlib.sha256(kept[id].model_dump_json(include=told).encode()).hexdigest() for id in ids & kept.keys()}

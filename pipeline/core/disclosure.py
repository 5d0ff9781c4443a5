"""What would the recipient newly see, lose, be able to link, or keep longer, and have two people agreed to it?

A change narrows only where that is shown; everything else, also what nobody has thought of yet, widens. Widening is monotone:
"does not widen" is transitive, so that no series of changes that each pass adds up to one that would not.
"""

import hashlib
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from pipeline.core.canonical import canonical
from pipeline.core.clock_order import retention_term
from pipeline.core.column_differences import column_differences
from pipeline.core.difference import Difference, Effect, Side, What, said
from pipeline.core.handling_differences import handling_differences
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.handling import Handling
from pipeline.core.language.policy import Policy
from pipeline.core.language.standing import Status
from pipeline.core.rule_differences import rule_differences
from pipeline.core.soundness import Unsound
from pipeline.core.standing_differences import standing_differences
from pipeline.core.treatment_order import Around
from pipeline.core.wording import treatment_in_words

APPROVALS = 2
"""So many different people must agree to a widening."""

_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters to Unicode that nobody sees: Hangul fillers."""

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
    digest: str
    """SHA-256 (hex) of the widening, of the agreement's id and of its new version: what an approval is for"""

    @property
    def widening(self) -> tuple[Difference, ...]:
        """What the recipient would see, link, keep or do more."""
        return tuple(one for one in self.differences if one.widens)

    @property
    def needs_approval(self) -> bool:
        """Whether two people must agree: a first version is itself what its authors agree to."""
        return self.old is not None and bool(self.widening)


def disclosure_diff(old: Agreement | None, new: Agreement, *, before: Around, after: Around) -> Disclosure:
    """What `new` discloses otherwise than `old`; `before` and `after` hold the lists and partners behind each."""
    if old is None:
        all_of_it, side = tuple(_first(new)), Side(new, after)
        return Disclosure(None, new, all_of_it, _digest(all_of_it, side, side))
    sides = Side(old, before), Side(new, after)
    found = [
        *standing_differences(*sides),
        *rule_differences(*sides),
        *column_differences(*sides),
        *handling_differences(*sides),
        *_unknown(old, new),
    ]
    ordered = tuple(sorted(found, key=lambda one: not one.widens))
    return Disclosure(old, new, ordered, _digest(ordered, *sides))


def missing_approvals(disclosure: Disclosure, agreement: Agreement) -> int:
    """How many more people must agree to exactly this widening; 0 where nothing widens."""
    if not disclosure.needs_approval:
        return 0
    people = {_person(one.by) for one in agreement.approvals if one.widening == disclosure.digest} - {""}
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


def faults_of_amendment(agreement: Agreement, catalogue: Versions) -> Iterator[Unsound]:
    """Why a version may not release: it, or one that it follows, widens the one before, and two people have not agreed to that.

    Of the earlier ones too, whether they ever released or not: else what they widen would need nobody in the next.
    """
    until_it = [one for one in catalogue.versions.get(agreement.id, ()) if one.version < agreement.version]
    for old, new in pairwise((*until_it, agreement)):
        disclosure = disclosure_diff(old, new, before=catalogue, after=catalogue)
        missing = missing_approvals(disclosure, new)
        if missing:
            first, *more = disclosure.widening
            told = f"{first.what.value} {first.subject}".strip()
            versions = f"{agreement.id}@{old.version} {agreement.id}@{new.version}"
            whose = "" if new is agreement else f"version {new.version}, which it follows, "
            yield Unsound(
                first.keys,
                f"{told}: {whose}{first.effect.value}{f' (and {len(more)} more)' if more else ''} than version {old.version}, and "
                f"{missing} of {APPROVALS} approvals are missing: `safeconduct diff {versions}` shows what to record",
            )


def _person(name: str) -> str:
    """The name as it is told apart: its letters and digits, in any case and order of its words, without accents."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    said = (sign for sign in folded if sign not in _UNSEEN and unicodedata.category(sign)[0] != "M")
    return " ".join(sorted("".join(sign if sign.isalnum() else " " for sign in said).split()))


def _first(new: Agreement) -> Iterator[Difference]:
    """All that a first version discloses."""
    yield Difference(What.RECIPIENT, "", ("recipient",), "", new.recipient, "", Effect.SEES_MORE, widens=True)
    for name, purpose in new.purposes.items():
        yield Difference(
            What.PURPOSE, name, ("purposes", name), "", "allowed", purpose.clause, Effect.SEES_MORE, widens=True
        )
    for name, released in new.released.items():
        told = treatment_in_words(released)
        yield Difference(What.COLUMN, name, ("columns", name), "", told, released.clause, Effect.SEES_MORE, widens=True)
    if counts := new.statistics:
        told = f"counts in {counts.count_as}, {counts.smallest_cell} at least"
        yield Difference(What.STATISTICS, "", ("statistics",), "", told, counts.clause, Effect.SEES_MORE, widens=True)
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


def _digest(differences: tuple[Difference, ...], old: Side, new: Side) -> str:
    """The digest of what widens: of the settings themselves, not of the words that they are told in."""
    widening = [one for one in differences if one.widens]
    approved = {
        "agreement": new.agreement.id,
        "version": new.agreement.version,
        "widening": sorted([one.what.value, one.subject, one.effect.value] for one in widening),
        "settings": {
            " ".join(keys): [
                _settings(keys, side, superseded=old.agreement.version == new.agreement.version) for side in (old, new)
            ]
            for keys in {_place(one) for one in widening}
        },
    }
    return hashlib.sha256(canonical(approved)).hexdigest()


def _place(difference: Difference) -> tuple[str, ...]:
    """The part of the agreement that an approval of the difference is for."""
    if difference.what is What.RECIPIENT:
        return ("recipient", difference.subject)
    if difference.keys[0] == "columns":
        return ("columns", *difference.subject.split(" and "))
    return difference.keys[: 2 if difference.keys[0] in ("purposes", "conditions", "handling") else 1]


def _settings(place: tuple[str, ...], side: Side, *, superseded: bool) -> object:
    """What the agreement says at the place, with the lists and partners behind it."""
    agreement, around = side.agreement, side.around
    match place:
        case ("recipient", str(id)):
            partner = around.partners.get(id or agreement.recipient)
            return [agreement.recipient, partner.model_dump(mode="json", exclude={"title"}) if partner else None]
        case ("columns", *names):
            treatments = [agreement.columns.get(name) for name in names]
            ids = {getattr(one, key, None) for one in treatments for key in ("codes", "heads", "hierarchy")}
            asked = [asks for name, asks in agreement.cell_questions() if name in names]
            ids |= {id for asks in asked for id in (asks.in_codes, asks.not_in_codes)}
            return [[one and one.model_dump(mode="json") for one in treatments], _listed(ids, around)]
        case ("rows",):
            ids = {id for asks in agreement.questions() for id in (asks.in_codes, asks.not_in_codes)}
            return [[rule.model_dump(mode="json", by_alias=True) for rule in agreement.rows], _listed(ids, around)]
        case ("code_lists",):
            return _listed(agreement.code_lists(), around)
        case ("status",):
            counted = [one for one in agreement.status if superseded or one.to is not Status.SUPERSEDED]
            return [[one.to.value, one.since] for one in counted]
    said_there: object = agreement.model_dump(mode="json", by_alias=True)
    for key in place:
        said_there = said_there.get(key) if isinstance(said_there, dict) else None
    return said_there


def _listed(ids: Collection[str | None], around: Around) -> dict[str, object]:
    told = {"codes", "terms", "expires_on", "lapses", "levels", "parents"}
    kept: dict[str, CodeList | Hierarchy] = {**around.code_lists, **around.hierarchies}
    return {id: kept[id].model_dump(mode="json", include=told) for id in ids if id and id in kept}

"""Who is it for, since when and until when, and what else does the agreement say of itself that was otherwise before?"""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise

from pipeline.core.column_differences import shared_pseudonyms
from pipeline.core.difference import LINKED, NOT_COMPARED, SEEN, Difference, Effect, Side, What, said
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.partner import Audience, Partner
from pipeline.core.language.standing import Change, InForce, Status

_WIDER = list(Audience)

_OTHER_DATA = {"provider": "another provider's rows", "feeds": "another feed's rows", "id": "another agreement"}


def standing_differences(old: Side, new: Side) -> Iterator[Difference]:
    """What differs in parties, keys, dates, status and pseudonym epoch; what is not shown to narrow widens."""
    before, after = old.agreement, new.agreement
    yield from _parties(before, after)
    yield from _recipient(old, new)
    yield from _keys(before.recipient_keys, after.recipient_keys)
    yield from _in_force(before.in_force, after.in_force)
    yield from _lists_expire(old, new)
    yield from _status(before, after)
    yield from _epoch(before, after)
    yield from _texts(before, after)


def active(changes: tuple[Change, ...], *, superseded: bool) -> list[tuple[datetime, datetime | None]]:
    """From when until when (None: no end) the status is active; without `superseded`, as if no version had followed."""
    counted = [change for change in changes if superseded or change.to is not Status.SUPERSEDED]
    spans: list[tuple[datetime, datetime | None]] = []
    for change, following in pairwise([*counted, None]):
        if change is None or change.to is not Status.ACTIVE:
            continue
        since, until = change.since, following.since if following else None
        if spans and spans[-1][1] == since:
            since = spans.pop()[0]
        spans.append((since, until))
    return spans


def _parties(old: Agreement, new: Agreement) -> Iterator[Difference]:
    for key, why in _OTHER_DATA.items():
        was, now = said(getattr(old, key)), said(getattr(new, key))
        if was != now:
            yield Difference(What.AGREEMENT, key, (key,), was, now, "", Effect.SEES_MORE, widens=True, why=why)


def _recipient(old: Side, new: Side) -> Iterator[Difference]:
    was, now = old.agreement.recipient, new.agreement.recipient
    if was != now:
        why = "somebody else"
        yield Difference(What.RECIPIENT, "", ("recipient",), was, now, "", Effect.SEES_MORE, widens=True, why=why)
        return
    partners, partners_now = old.around.partners, new.around.partners
    before, after = partners.get(was), partners_now.get(now)
    if before is None or after is None:
        if before is not after:
            yield _partner(was, before, after, no_more=after is None)
        return
    members, members_now = set(before.members or ()), set(after.members or ())
    for member in sorted(members | members_now):
        if (member in members) != (member in members_now):
            yield _partner(
                member,
                partners.get(member) if member in members else None,
                partners_now.get(member) if member in members_now else None,
                no_more=member not in members_now,
            )
    yield from _described(before, after)
    for member in sorted(members & members_now):
        one, one_now = partners.get(member), partners_now.get(member)
        if one and one_now:
            yield from _described(one, one_now)


def _described(before: Partner, after: Partner) -> Iterator[Difference]:
    """Who the partner is; its name alone changes nothing."""
    rest = {"id", "title", "members"}
    if before.model_dump(exclude=rest) == after.model_dump(exclude=rest):
        return
    others = {*rest, "audience"}
    same = before.model_dump(exclude=others) == after.model_dump(exclude=others)
    yield _partner(
        after.id, before, after, no_more=same and _WIDER.index(after.audience) <= _WIDER.index(before.audience)
    )


def _partner(id: str, before: Partner | None, after: Partner | None, *, no_more: bool) -> Difference:
    told = [
        said(one.model_dump(include={"role", "country", "audience", "sector"})) if one else ""
        for one in (before, after)
    ]
    effect = Effect.SEES_LESS if no_more else Effect.SEES_MORE
    why = "" if no_more else NOT_COMPARED if before and after else "somebody more can open it"
    return Difference(What.RECIPIENT, id, ("recipient",), told[0], told[1], "", effect, not no_more, why)


def _keys(was: tuple[str, ...] | None, now: tuple[str, ...] | None) -> Iterator[Difference]:
    """The recipient's public keys; None is every key that is registered for it."""
    no_more = was is None or (now is not None and set(now) <= set(was))
    no_less = now is None or (was is not None and set(was) <= set(now))
    if no_more and no_less:
        return
    effect, widens, _ = SEEN.judged(no_more=no_more, no_less=no_less)
    told = [said(set(keys)) if keys is not None else "every registered key" for keys in (was, now)]
    why = "somebody more can open it" if widens else ""
    yield Difference(What.KEY, "", ("recipient_keys",), told[0], told[1], "", effect, widens, why)


def _in_force(was: InForce, now: InForce) -> Iterator[Difference]:
    if was == now:
        return
    effect, widens, _ = SEEN.judged(
        no_more=was.since <= now.since and now.until <= was.until,
        no_less=now.since <= was.since and was.until <= now.until,
    )
    why = "in force when it was not" if widens else ""
    told = [f"{one.since.isoformat()} until {one.until.isoformat()}" for one in (was, now)]
    yield Difference(What.DATES, "in force", ("in_force",), told[0], told[1], "", effect, widens, why)


def _lists_expire(old: Side, new: Side) -> Iterator[Difference]:
    """Nothing is released once a list that the agreement leans on has expired."""
    was, now = _first_expiry(old), _first_expiry(new)
    if was == now:
        return
    effect, widens, _ = SEEN.judged(no_more=now <= was, no_less=was <= now)
    told = ["" if day == date.max else day.isoformat() for day in (was, now)]
    why = "released longer than its lists were to hold" if widens else ""
    yield Difference(What.DATES, "lists expire", ("code_lists",), told[0], told[1], "", effect, widens, why)


def _first_expiry(side: Side) -> date:
    listed = (side.around.code_lists.get(id) for id in side.agreement.code_lists())
    return min((one.expires_on for one in listed if one and one.expires_on), default=date.max)


def _status(old: Agreement, new: Agreement) -> Iterator[Difference]:
    if old.status == new.status:
        return
    # That a version is superseded is how the next one begins, and not what the next one is held against.
    counted = (False, True) if old.version == new.version else (False,)
    no_more = all(_within(active(new.status, superseded=one), active(old.status, superseded=one)) for one in counted)
    no_less = all(_within(active(old.status, superseded=one), active(new.status, superseded=one)) for one in counted)
    effect, widens, _ = SEEN.judged(no_more=no_more, no_less=no_less)
    why = "active when it was not" if widens else ""
    told = [
        ", ".join(
            f"{change.to.value} since {change.since.isoformat()}" for change in one.status if _counts(change, old, new)
        )
        for one in (old, new)
    ]
    yield Difference(What.STATUS, "", ("status",), told[0], told[1], "", effect, widens, why)


def _counts(change: Change, old: Agreement, new: Agreement) -> bool:
    return old.version == new.version or change.to is not Status.SUPERSEDED


def _within(spans: list[tuple[datetime, datetime | None]], others: list[tuple[datetime, datetime | None]]) -> bool:
    return all(
        any(start <= since and (end is None or (until is not None and until <= end)) for start, end in others)
        for since, until in spans
    )


def _epoch(old: Agreement, new: Agreement) -> Iterator[Difference]:
    was, now = old.pseudonym_epoch, new.pseudonym_epoch
    if was == now:
        return
    effect, widens, why = LINKED.judged(no_more=_in_letters(was) < _in_letters(now), no_less=False)
    if widens:
        why = "pseudonyms may match those that were released in that epoch"
    else:
        why = "from then on pseudonyms match none that were released before"
    if not shared_pseudonyms(old, new):
        effect, widens, why = Effect.HANDLING_ONLY, False, "no column is pseudonymised in both"
    yield Difference(What.EPOCH, "", ("pseudonym_epoch",), was, now, "", effect, widens, why)


def _in_letters(epoch: str) -> list[tuple[int, int, str]]:
    """The epoch's words in an order in which 10 comes after 9."""
    return [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in epoch.split("-")]


def _texts(old: Agreement, new: Agreement) -> Iterator[Difference]:
    """What changes nothing that a recipient gets."""
    for key, what in (
        ("title", What.OTHER),
        ("instrument", What.CLAUSE),
        ("review", What.DATES),
        ("format", What.FORMAT),
    ):
        was, now = said(getattr(old, key)), said(getattr(new, key))
        if was != now:
            yield _text(what, key, (key,), was, now)
    for name in dict.fromkeys((*old.clauses, *new.clauses)):
        clause, clause_now = old.clauses.get(name), new.clauses.get(name)
        if clause != clause_now:
            told = [one.says if one else "" for one in (clause, clause_now)]
            yield _text(What.CLAUSE, name, ("clauses", name), *told)
    if old.cases != new.cases:
        yield _text(What.OTHER, "cases", ("cases",), str(len(old.cases)), str(len(new.cases)))


def _text(what: What, subject: str, keys: tuple[str, ...], before: str, after: str) -> Difference:
    return Difference(what, subject, keys, before, after, "", Effect.HANDLING_ONLY, widens=False)

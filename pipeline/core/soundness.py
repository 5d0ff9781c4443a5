"""Does an agreement hang together with what is around it: its parties, its instrument, the lists that it leans on?

Light to import: the catalogue asks it each time it is read. What needs the feed's schema is asked by `core.fitness`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.core.clock_order import ends_no_later, never_longer, retention_term, term_of
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.clause import Confidence
from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.feed import Feed
from pipeline.core.language.instrument import Instrument
from pipeline.core.language.partner import Partner
from pipeline.core.language.policy import Policy, cited
from pipeline.core.language.scope import AllOf, AnyOf, Asks, Predicate
from pipeline.core.language.treatment import GeneraliseCode, Tokenise
from pipeline.core.markings import lasting_objections
from pipeline.core.markings import unsound as lowers_wrongly

Keys = tuple[str, ...]
"""Where in the file: `("columns", "surname", "clause")`."""

_CITING = frozenset({"clause", "reversal_clause"})
_LISTS = frozenset({"codes", "heads", "in_codes", "not_in_codes"})


@dataclass(frozen=True, slots=True)
class Unsound:
    """What is wrong at `keys`, and what to write instead."""

    keys: Keys
    message: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an agreement may name."""

    partners: Mapping[str, Partner]
    feeds: Mapping[str, Feed]
    instruments: Mapping[str, Instrument]
    code_lists: Mapping[str, CodeList]
    hierarchies: Mapping[str, Hierarchy]


def unsound(agreement: Agreement, around: Surroundings) -> Iterator[Unsound]:
    """Everything that does not hang together, in the order in which to correct it."""
    names = list(_names(agreement, around))
    yield from names
    if not names:
        yield from _clauses(agreement, around.instruments[agreement.instrument])
        yield from _purposes(agreement)
        yield from _marking(agreement, around)
        yield from _clocks(agreement)
        yield from _scope(agreement, around.code_lists)


def citations(said: Policy, keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Every clause that is cited, one by one, with where."""
    for where, text in _texts(said, keys):
        if where[-1] in _CITING:
            yield from ((where, name) for name in cited(text))


def _texts(value: object, keys: Keys) -> Iterator[tuple[Keys, str]]:
    """Every text that the file says, with where: under the keys that the file has, so `from` and not `since`."""
    if isinstance(value, Policy):
        for name, field in type(value).model_fields.items():
            yield from _texts(getattr(value, name), (*keys, field.alias or name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*keys, str(key)))
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*keys, str(number)))
    elif isinstance(value, str):
        yield keys, value


def _names(agreement: Agreement, around: Surroundings) -> Iterator[Unsound]:
    for key in ("provider", "recipient"):
        if getattr(agreement, key) not in around.partners:
            yield _no_such((key,), "partner", getattr(agreement, key))
    if agreement.instrument not in around.instruments:
        yield _no_such(("instrument",), "instrument", agreement.instrument)
    elif not around.instruments[agreement.instrument].exchanges_records:
        yield Unsound(
            ("instrument",), f"rests on {agreement.instrument}, which exchanges no records: name another text"
        )
    feed = around.feeds.get(agreement.feed)
    if feed is None:
        yield _no_such(("feeds",), "feed", agreement.feed)
    elif feed.partner != agreement.provider:
        yield Unsound(("provider",), f'is not who delivers {feed.id}: write provider = "{feed.partner}"')
    for id in sorted(agreement.code_lists() - set(around.code_lists)):
        yield _no_such(_where(agreement, id), "code list", id)
    for name, said in agreement.released.items():
        if isinstance(said, GeneraliseCode) and said.hierarchy:
            hierarchy = around.hierarchies.get(said.hierarchy)
            if hierarchy is None:
                yield _no_such(("columns", name, "hierarchy"), "hierarchy", said.hierarchy)
            elif said.to not in hierarchy.levels:
                yield Unsound(
                    ("columns", name, "to"), f"must be a level of {hierarchy.id}: {', '.join(hierarchy.levels)}"
                )
        if isinstance(said, Tokenise) and said.reversible_by not in around.partners:
            yield _no_such(("columns", name, "reversible_by"), "partner", said.reversible_by)


def _where(agreement: Agreement, id: str) -> Keys:
    """The key of the file that first names the code list."""
    return next(keys for keys, text in _texts(agreement, ()) if keys[-1] in _LISTS and text == id)


def _no_such(keys: Keys, what: str, id: str) -> Unsound:
    return Unsound(
        keys, f"names the {what} {id}, which the catalogue does not have or cannot read: correct the name, or add it"
    )


def _clauses(agreement: Agreement, instrument: Instrument) -> Iterator[Unsound]:
    for name, clause in agreement.clauses.items():
        if clause.confidence is not Confidence.DESIGN:
            yield Unsound(
                ("clauses", name, "confidence"),
                f'must be "design": what a text says belongs into catalogue/instruments/{instrument.id}.toml',
            )
        if name in instrument.clauses:
            yield Unsound(("clauses", name), f"is a clause of {instrument.id} already: give it another name")
    known = {*instrument.clauses, *agreement.clauses}
    for keys, name in citations(agreement):
        if name not in known:
            yield Unsound(
                keys,
                f"cites {name}, which neither {instrument.id} nor this file has: add it there, or here as "
                f'[clauses."{name}"] with confidence = "design"',
            )


def _purposes(agreement: Agreement) -> Iterator[Unsound]:
    if agreement.declared and agreement.declared.purpose not in agreement.purposes:
        allowed = ", ".join(agreement.purposes)
        yield Unsound(("declared", "purpose"), f"is not a purpose that [purposes] allows: write one of {allowed}")


def _marking(agreement: Agreement, around: Surroundings) -> Iterator[Unsound]:
    """The marking lets its recipient have it at all, whatever is declared."""
    recipient = around.partners[agreement.recipient]
    members = tuple(around.partners[id] for id in recipient.members or ())
    for objection in lasting_objections(agreement.handling.marking, recipient, members=members):
        message = (
            f"{objection.reason.rstrip('.')}, so that nothing could ever be released: {objection.next_step.rstrip('.')}"
        )
        yield Unsound(("handling", "marking"), message)
    for fault in lowers_wrongly(agreement.handling.downgrade) if agreement.handling.downgrade else ():
        yield Unsound(("handling", "downgrade"), fault)


def _clocks(agreement: Agreement) -> Iterator[Unsound]:
    """What is dormant is not yet deleted, and no column outlives its release."""
    retention, whole = agreement.handling.retention, retention_term(agreement.handling.retention)
    if retention.dormant_after and never_longer(retention.delete_after, retention.dormant_after):
        yield Unsound(
            ("handling", "retention", "dormant_after"),
            f"{retention.dormant_after} is not before delete_after, {retention.delete_after}: swap the two, or leave it out",
        )
    for name, said in agreement.released.items():
        term = term_of(agreement, said)
        if ends_no_later(whole, term) and not ends_no_later(term, whole):
            yield Unsound(
                ("columns", name, "until"),
                f"{term} is after the whole release is gone, {whole}: shorten it, or leave it out",
            )


def _scope(agreement: Agreement, code_lists: Mapping[str, CodeList]) -> Iterator[Unsound]:
    """Rules that no row can meet together."""
    needed = [(number, asks) for number, rule in enumerate(agreement.rows) for asks in _needed(rule.predicate)]
    for column in dict.fromkeys(asks.column for _, asks in needed):
        left: set[str | None] | None = None
        refused: set[str | None] = set()
        for number, asks in needed:
            if asks.column != column:
                continue
            allowed, denied = _values(asks, code_lists)
            refused |= denied
            if allowed is not None:
                left = allowed if left is None else left & allowed
            if left is not None and not left - refused:
                yield Unsound(
                    ("rows", str(number)),
                    f"{agreement.rows[number].name}: no value of {column} meets this rule and those before it, so that nothing "
                    "would be released: let them overlap",
                )
                break


def _needed(predicate: Predicate) -> Iterator[Asks]:
    """Questions that must each be true for the predicate to be."""
    match predicate:
        case Asks():
            yield predicate
        case AllOf():
            for inner in predicate.all:
                yield from _needed(inner)
        case AnyOf() if len(predicate.any) == 1:
            yield from _needed(predicate.any[0])


def _values(asks: Asks, code_lists: Mapping[str, CodeList]) -> tuple[set[str | None] | None, set[str | None]]:
    """The only values for which the answer can ever be true, None for any; and values for which it never is. The value None: absent."""
    if asks.exists is False:
        return {None}, set()
    if asks.in_codes is not None:
        return set(code_lists[asks.in_codes].codes), {None}
    if asks.not_in_codes is not None:
        listed = code_lists[asks.not_in_codes]
        return None, {None, *(set(listed.codes) - set(listed.lapses))}
    return None if asks.any_of is None else set(asks.any_of), {None, *(asks.none_of or ())}

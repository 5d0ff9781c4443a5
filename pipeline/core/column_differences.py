"""What would a recipient see in each column, link by it, and how long may it keep it, that was otherwise before?"""

from collections.abc import Iterator
from itertools import combinations

from pipeline.core.clock_order import ends_no_later, term_of
from pipeline.core.difference import KEPT, LINKED, NOT_COMPARED, SEEN, Difference, Effect, Side, What, said
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.scope import CLOCK_EVENTS, questions
from pipeline.core.language.treatment import (
    FilterTerms,
    GeneraliseCode,
    Keep,
    Mask,
    Pseudonymise,
    SplitText,
    Tokenise,
    Treatment,
    Truncate,
    Withhold,
)
from pipeline.core.rule_order import All, formula, implies
from pipeline.core.treatment_order import Around, same_cells, same_settings, tells_no_more
from pipeline.core.wording import treatment_in_words

_HIDES_SHORT_ONES = "a value that was too short for the old setting was hidden whole, and may show now"
_MORE_CELLS = "cells may show that the old condition withheld"
_ASKS_OF_HIDDEN = "where a cell is absent tells of columns that are not released as they are"
_REGROUPED = "counts by other groups, next to those already given, may tell what was suppressed"


def column_differences(old: Side, new: Side) -> Iterator[Difference]:
    """What differs in the columns; each that is not shown to tell, link and last no more than before widens."""
    for name in dict.fromkeys((*old.agreement.columns, *new.agreement.columns)):
        yield from _treated(name, old, new)
        yield from _linkable_elsewhere(name, old.agreement, new.agreement)
        yield from _held(name, old.agreement, new.agreement)
    yield from _links(old.agreement, new.agreement)


def _treated(name: str, old: Side, new: Side) -> Iterator[Difference]:
    was, now = old.agreement.columns.get(name), new.agreement.columns.get(name)
    before, after, clause = _words_of(was), _words_of(now), _clause(was, now)
    same_ones = _condition(was, old.around) == _condition(now, new.around)
    if same_ones and same_cells(now, new.around, was, old.around):
        if was and now and _cites(was) != _cites(now):
            told = (_cites(was), _cites(now), now.clause)
            yield Difference(What.CLAUSE, name, _at(name), *told, Effect.HANDLING_ONLY, widens=False)
        return
    cells_no_more, cells_no_less = _in_cells_no_more(name, new, old), _in_cells_no_more(name, old, new)
    no_more = cells_no_more and tells_no_more(now, new.around, was, old.around)
    no_less = cells_no_less and tells_no_more(was, old.around, now, new.around)
    effect, widens, why = SEEN.judged(no_more=no_more, no_less=no_less)
    if not cells_no_more:
        why = _ASKS_OF_HIDDEN if _more_asked(name, new, old) else _MORE_CELLS
    if _same_domain_left(was, now):
        effect, widens, why = LINKED.judged(no_more=no_more, no_less=no_less)
        why = why and "may match what was released under the new name before; raise pseudonym_epoch to break links"
    elif not no_more and not no_less and type(was) is type(now) and isinstance(now, Mask | Truncate | GeneraliseCode):
        why = _HIDES_SHORT_ONES
    if effect is not Effect.HANDLING_ONLY and old.agreement.statistics and new.agreement.statistics:
        effect, widens, why = Effect.SEES_MORE, True, _REGROUPED
    if isinstance(now, Tokenise) and widens:
        why = f"{now.reversible_by} can have it turned back ({now.reversal_clause})"
    elif widens and isinstance(was, FilterTerms | SplitText) and type(was) is type(now):
        why = _list_why(was, old.around, now, new.around)
    what = What.COLUMN
    if same_settings(was, now) and not same_cells(now, new.around, was, old.around):
        what, before, after = What.CODE_LIST, *_lists_told(was, old.around, now, new.around)
    elif isinstance(was, Pseudonymise | Tokenise) and type(was) is type(now) and was.domain != now.domain:
        what = What.DOMAIN
    yield Difference(what, name, _at(name), before, after, clause, effect, widens, why)


def _in_cells_no_more(name: str, said: Side, than: Side) -> bool:
    """Whether `said` releases no other cells of the column than `than`, and which ones it withholds tells nothing new.

    A cell that is withheld tells that the condition is not true of its row: so it may ask only of what `than` keeps, or asked of too.
    """
    if name not in said.agreement.released or name not in than.agreement.released:
        return True  # which of the two tells more, their treatments say
    condition = _condition(said.agreement.released[name], said.around)
    before = _condition(than.agreement.released[name], than.around)
    return implies(condition, before) and not _more_asked(name, said, than)


def _more_asked(name: str, said: Side, than: Side) -> frozenset[str]:
    """The columns of which the condition of `said` asks, that `than` neither keeps as they are nor asks of."""
    kept = {
        column for column, one in than.agreement.released.items() if isinstance(one, Keep) and one.only_where is None
    }
    before = than.agreement.released.get(name)
    return _asked_of(said.agreement.released.get(name)) - _asked_of(before) - kept


def _condition(treatment: Treatment | None, around: Around) -> All:
    """What must be true of a row for its cell to be released; always true where nothing is asked."""
    condition = None if treatment is None or isinstance(treatment, Withhold) else treatment.only_where
    return All((formula(condition, around.code_lists),) if condition else ())


def _asked_of(treatment: Treatment | None) -> frozenset[str]:
    condition = None if treatment is None or isinstance(treatment, Withhold) else treatment.only_where
    asked = list(questions(condition)) if condition else []
    moments = (moment for asks in asked for moment in (asks.no_earlier_than, asks.no_later_than) if moment)
    return frozenset({asks.column for asks in asked} | {moment.event for moment in moments}) - CLOCK_EVENTS


def _same_domain_left(was: Treatment | None, now: Treatment | None) -> bool:
    """Whether a pseudonym stays a pseudonym: what changes is what it matches."""
    return isinstance(was, Pseudonymise) and isinstance(now, Pseudonymise)


def _linkable_elsewhere(name: str, old: Agreement, new: Agreement) -> Iterator[Difference]:
    """A value in clear matches the same value anywhere else; a pseudonym does not."""
    was, now = old.columns.get(name), new.columns.get(name)
    for hidden, shown, effect in ((was, now, Effect.CAN_LINK), (now, was, Effect.CANNOT_LINK)):
        if isinstance(hidden, Pseudonymise | Tokenise) and isinstance(shown, Keep):
            widens = effect is Effect.CAN_LINK
            why = "in clear it matches the same value anywhere" if widens else ""
            yield Difference(
                What.DOMAIN, name, _at(name), _words_of(was), _words_of(now), _clause(was, now), effect, widens, why
            )


def _held(name: str, old: Agreement, new: Agreement) -> Iterator[Difference]:
    was, now = old.released.get(name), new.released.get(name)
    if was is None or now is None:
        return
    before, after = term_of(old, was), term_of(new, now)
    unchanged = (was.until, was.clock) == (now.until, now.clock)
    if unchanged and (now.clock is None or before == after):
        return  # what the retention changes for the column, it says itself
    effect, widens, why = KEPT.judged(no_more=ends_no_later(after, before), no_less=ends_no_later(before, after))
    what = What.CLOCK if before.clock is not after.clock else What.RETENTION
    keys = (*_at(name), "until") if now.until else _at(name)
    yield Difference(what, name, keys, str(before), str(after), now.clause, effect, widens, why)


def _links(old: Agreement, new: Agreement) -> Iterator[Difference]:
    """Pairs of columns whose pseudonyms, or tokens, match where their values do."""
    before, after = _pairs(old), _pairs(new)
    for pair in sorted(after.keys() - before.keys()):
        if not all(isinstance(old.columns.get(name), Keep) for name in pair):
            yield _link(new, pair, "", after[pair], Effect.CAN_LINK)
    for pair in sorted(before.keys() - after.keys()):
        if all(name in new.released for name in pair):
            yield _link(new, pair, before[pair], "", Effect.CANNOT_LINK)


def _pairs(agreement: Agreement) -> dict[tuple[str, str], str]:
    """Each pair of columns with one domain, and that domain."""
    domains: dict[tuple[str, str], list[str]] = {}
    for name, treatment in sorted(agreement.released.items()):
        if isinstance(treatment, Pseudonymise | Tokenise):
            domains.setdefault((treatment.treatment, treatment.domain), []).append(name)
    return {pair: f"domain {domain}" for (_, domain), names in domains.items() for pair in combinations(names, 2)}


def _link(new: Agreement, pair: tuple[str, str], before: str, after: str, effect: Effect) -> Difference:
    clause = _clause(None, new.columns[pair[1]])
    widens = effect is Effect.CAN_LINK
    why = "the same value has the same pseudonym in both" if widens else ""
    keys = (*_at(pair[1]), "domain")
    return Difference(What.DOMAIN, " and ".join(pair), keys, before, after, clause, effect, widens, why)


def _lists_told(was: Treatment | None, around: Around, now: Treatment | None, now_around: Around) -> tuple[str, str]:
    """What is only in the old list behind the treatment, and only in the new one."""
    if isinstance(now, GeneraliseCode):
        before, after = around.hierarchies.get(now.hierarchy or ""), now_around.hierarchies.get(now.hierarchy or "")
        of = {True: ({**before.parents} if before else {}), False: ({**after.parents} if after else {})}
        only = {
            side: {code: above for code, above in of[side].items() if of[not side].get(code) != above} for side in of
        }
        return (f"{now.hierarchy}: {said(only[True])}", f"{now.hierarchy}: {said(only[False])}")
    if isinstance(was, FilterTerms | SplitText) and isinstance(now, FilterTerms | SplitText):
        id = now.codes if isinstance(now, FilterTerms) else now.heads
        return list_changes(id, around, now_around)
    return _words_of(was), _words_of(now)


def _list_why(was: FilterTerms | SplitText, around: Around, now: Treatment | None, now_around: Around) -> str:
    """Which codes and terms are released now, since the list is another."""
    if isinstance(was, FilterTerms) and isinstance(now, FilterTerms):
        shown = _words(was.codes, around) - _words(now.codes, now_around)
        return f"no longer filtered: {said(shown)}" if shown else NOT_COMPARED
    if isinstance(was, SplitText) and isinstance(now, SplitText):
        shown = _words(now.heads, now_around) - _words(was.heads, around)
        return f"now released: {said(shown)}" if shown else NOT_COMPARED
    return NOT_COMPARED


def _words(id: str, around: Around) -> set[str]:
    listed = around.code_lists.get(id)
    return {*listed.codes, *listed.terms} if listed else set()


def list_changes(id: str, around: Around, now_around: Around) -> tuple[str, str]:
    """What is only in the old list of this id, and only in the new one."""
    words, words_now = (_words(id, one) | _lapsing(id, one) for one in (around, now_around))
    return f"{id}: {said(words - words_now) or '-'}", f"{id}: {said(words_now - words) or '-'}"


def _lapsing(id: str, around: Around) -> set[str]:
    listed = around.code_lists.get(id)
    return {f"{code} until {day.isoformat()}" for code, day in listed.lapses.items()} if listed else set()


def _words_of(treatment: Treatment | None) -> str:
    return treatment_in_words(treatment) if treatment else ""


def _clause(was: Treatment | None, now: Treatment | None) -> str:
    cites = now if now is not None else was
    return cites.clause if cites else ""


def _cites(treatment: Treatment) -> str:
    """All clauses that are cited for it."""
    return "; ".join([treatment.clause, *([treatment.reversal_clause] if isinstance(treatment, Tokenise) else [])])


def _at(name: str) -> tuple[str, ...]:
    return ("columns", name)


def shared_pseudonyms(old: Agreement, new: Agreement) -> list[str]:
    """The columns that are pseudonyms or tokens before and after, in one domain or another."""
    hidden = Pseudonymise | Tokenise
    return [
        name
        for name, said_of in new.columns.items()
        if isinstance(said_of, hidden) and isinstance(old.columns.get(name), hidden)
    ]

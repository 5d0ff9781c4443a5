"""Which rows, for which purposes and under which conditions, would a recipient get that it did not get before?"""

from collections.abc import Iterator, Mapping

from pipeline.core.column_differences import list_changes
from pipeline.core.difference import NOT_COMPARED, SEEN, Difference, Effect, Side, What, said
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.codes import CodeList
from pipeline.core.language.policy import Policy
from pipeline.core.language.purpose import Condition, OffenceThreshold
from pipeline.core.language.scope import RowRule, questions
from pipeline.core.rule_order import formula, formula_of, implies
from pipeline.core.wording import condition_in_words, predicate_in_words

_RECOUNTED = "counts of other rows, next to those already given, may tell of the rows between"


def rule_differences(old: Side, new: Side) -> Iterator[Difference]:
    """What differs in row rules, purposes, conditions and the declaration; what is not shown to narrow widens."""
    yield from _rows(old, new)
    yield from _purposes(old.agreement, new.agreement)
    yield from _conditions(old.agreement, new.agreement)
    yield from _declared(old.agreement, new.agreement)


def stricter(condition: Condition, than: Condition) -> bool:
    """Whether all that shows `condition` shows `than` as well."""
    if isinstance(condition, OffenceThreshold) and isinstance(than, OffenceThreshold):
        tests = not than.tests or (bool(condition.tests) and set(condition.tests) <= set(than.tests))
        return tests and condition.at_least_years >= than.at_least_years
    return _settings(condition) == _settings(than)


def required(agreement: Agreement, purpose: str) -> dict[str, Condition]:
    """The conditions that a release for the purpose needs, by name."""
    names = (*agreement.requires, *agreement.purposes[purpose].requires)
    return {name: agreement.conditions[name] for name in names}


def _rows(old: Side, new: Side) -> Iterator[Difference]:
    before = {rule.name: rule for rule in old.agreement.rows}
    after = {rule.name: rule for rule in new.agreement.rows}
    all_before = formula_of(old.agreement.rows, old.around.code_lists)
    all_after = formula_of(new.agreement.rows, new.around.code_lists)
    recounted = bool(old.agreement.statistics and new.agreement.statistics)
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name), after.get(name)
        no_more = was is None or implies(all_after, formula(was.predicate, old.around.code_lists))
        no_less = now is None or implies(all_before, formula(now.predicate, new.around.code_lists))
        effect, widens, why = SEEN.judged(no_more=no_more, no_less=no_less)
        if recounted and effect is not Effect.HANDLING_ONLY:
            effect, widens, why = Effect.SEES_MORE, True, _RECOUNTED
        what, told, told_now = What.ROWS, _told(was), _told(now)
        if was and now and (was.predicate, was.otherwise) == (now.predicate, now.otherwise):
            if _formula(was, old.around.code_lists) == _formula(now, new.around.code_lists):
                if was.clause != now.clause:
                    yield _cited_otherwise(name, ("rows", _number(now, new)), was.clause, now.clause)
                continue
            what = What.CODE_LIST
            told, told_now = _lists_told(was, old, new)
        keys = ("rows", _number(now, new) if now else _number(was, old))
        clause = now.clause if now else was.clause if was else ""
        yield Difference(what, name, keys, told, told_now, clause, effect, widens, why)


def _told(rule: RowRule | None) -> str:
    if rule is None:
        return ""
    return f"{predicate_in_words(rule.predicate)}; otherwise {rule.otherwise.value}"


def _formula(rule: RowRule | None, code_lists: Mapping[str, CodeList]) -> object:
    return formula(rule.predicate, code_lists) if rule else None


def _number(rule: RowRule | None, side: Side) -> str:
    return str(side.agreement.rows.index(rule)) if rule else "0"


def _lists_told(rule: RowRule | None, old: Side, new: Side) -> tuple[str, str]:
    """What is only in the old lists that the rule asks for, and only in the new ones."""
    ids = _lists_of(rule)
    changes = [list_changes(id, old.around, new.around) for id in ids]
    return "; ".join(before for before, _ in changes), "; ".join(after for _, after in changes)


def _lists_of(rule: RowRule | None) -> list[str]:
    found = [asks.in_codes or asks.not_in_codes for asks in questions(rule.predicate)] if rule else []
    return sorted({id for id in found if id})


def _purposes(old: Agreement, new: Agreement) -> Iterator[Difference]:
    for name in dict.fromkeys((*old.purposes, *new.purposes)):
        was, now = old.purposes.get(name), new.purposes.get(name)
        if was is None and now is not None:
            yield Difference(
                What.PURPOSE, name, ("purposes", name), "", "allowed", now.clause, Effect.SEES_MORE, widens=True
            )
        elif was is not None and now is None:
            yield Difference(
                What.PURPOSE, name, ("purposes", name), "allowed", "", was.clause, Effect.SEES_LESS, widens=False
            )
        elif was is not None and now is not None:
            before, after = required(old, name), required(new, name)
            if before.keys() != after.keys():
                effect, widens, _ = SEEN.judged(
                    no_more=before.keys() <= after.keys(), no_less=before.keys() >= after.keys()
                )
                yield Difference(
                    What.CONDITION,
                    f"for {name}",
                    ("purposes", name, "requires"),
                    said(set(before)),
                    said(set(after)),
                    now.clause,
                    effect,
                    widens,
                    f"no longer needed: {said(before.keys() - after.keys())}" if widens else "",
                )
            if was.clause != now.clause:
                yield _cited_otherwise(name, ("purposes", name), was.clause, now.clause)


def _conditions(old: Agreement, new: Agreement) -> Iterator[Difference]:
    shared = [(required(old, name), required(new, name)) for name in old.purposes.keys() & new.purposes.keys()]
    onward = set(old.handling.onward.given) & set(new.handling.onward.given)
    for name in dict.fromkeys((*old.conditions, *new.conditions)):
        was, now = old.conditions.get(name), new.conditions.get(name)
        if was is None or now is None:
            continue  # what requires it says what that means
        if _settings(was) == _settings(now):
            if was.clause != now.clause:
                yield _cited_otherwise(name, ("conditions", name), was.clause, now.clause)
            continue
        counts = name in onward or any(name in before and name in after for before, after in shared)
        effect, widens, why = SEEN.judged(no_more=stricter(now, was), no_less=stricter(was, now))
        if not counts:
            effect, widens, why = Effect.HANDLING_ONLY, False, "nothing required it"
        yield Difference(
            What.CONDITION,
            name,
            ("conditions", name),
            condition_in_words(was),
            condition_in_words(now),
            now.clause,
            effect,
            widens,
            why,
        )


def _declared(old: Agreement, new: Agreement) -> Iterator[Difference]:
    before = old.declared.model_dump(exclude_defaults=True) if old.declared else None
    after = new.declared.model_dump(exclude_defaults=True) if new.declared else None
    if before == after:
        return
    effect = Effect.SEES_MORE if after else Effect.SEES_LESS
    why = "" if not after else "each lot is released without a declaration of its own" if not before else NOT_COMPARED
    yield Difference(What.DECLARATION, "", ("declared",), said(before), said(after), "", effect, after is not None, why)


def _settings(said_of: Policy) -> dict[str, object]:
    return said_of.model_dump(exclude={"clause"}, exclude_defaults=True)


def _cited_otherwise(subject: str, keys: tuple[str, ...], before: str, after: str) -> Difference:
    return Difference(What.CLAUSE, subject, keys, before, after, after, Effect.HANDLING_ONLY, widens=False)

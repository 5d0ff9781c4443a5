"""What would a recipient have to know and do, by when, that was otherwise before?"""

from collections.abc import Iterator

from pipeline.core.clock_order import Term, begins_no_later, ends_no_later, never_longer, retention_term
from pipeline.core.difference import (
    HANDLED,
    KEPT,
    SEEN,
    Difference,
    Effect,
    Side,
    What,
    said,
)
from pipeline.core.language.agreement import Agreement, Risk
from pipeline.core.language.handling import Clock, Deadline, Delay, Handling, Notice, Onward
from pipeline.core.language.marking import Downgrade, Marking
from pipeline.core.language.policy import Policy
from pipeline.core.language.treatment import Statistics
from pipeline.core.markings import covers
from pipeline.core.rule_differences import stricter
from pipeline.core.treatment_order import coarser_step


def handling_differences(old: Side, new: Side) -> Iterator[Difference]:
    """What differs in handling and in the gates that set figures; what is not shown to be stricter widens."""
    before, after = old.agreement.handling, new.agreement.handling
    yield from _marking(before, after)
    yield from _onward(old.agreement, new.agreement)
    yield from _retention(before, after)
    yield from _delay(before.delay, after.delay)
    yield from _told(before, after)
    yield from _statistics(old.agreement.statistics, new.agreement.statistics)
    yield from _risk(old.agreement.risk, new.agreement.risk)


def marked(marking: Marking) -> str:
    """The marking's words in one line."""
    return said(marking.model_dump(exclude_defaults=True))


def _marking(before: Handling, after: Handling) -> Iterator[Difference]:
    was, now = before.marking, after.marking
    if was != now:
        effect, widens, why = HANDLED.judged(no_more=covers(now, was), no_less=covers(was, now))
        why = why or ("lowered" if widens else "")
        yield Difference(What.MARKING, "", _at("marking"), marked(was), marked(now), "", effect, widens, why)
    lowers, lowers_now = before.downgrade, after.downgrade
    if lowers != lowers_now:
        widens = not _lowers_no_more(lowers_now, lowers)
        yield Difference(
            What.MARKING,
            "downgrade",
            _at("downgrade"),
            said(_settings(lowers)),
            said(_settings(lowers_now)),
            _clause(lowers, lowers_now),
            Effect.HANDLING_ONLY,
            widens,
            "rows are released under a lower marking" if widens else "",
        )


def _lowers_no_more(now: Downgrade | None, was: Downgrade | None) -> bool:
    if now is None or was is None:
        return now is None
    rest = {"clause", "of", "to"}
    same = now.model_dump(exclude=rest) == was.model_dump(exclude=rest)
    return same and covers(was.of, now.of) and covers(now.to, was.to)


def _onward(old: Agreement, new: Agreement) -> Iterator[Difference]:
    was, now = old.handling.onward, new.handling.onward
    if _settings(was) != _settings(now):
        effect, widens, why = HANDLED.judged(
            no_more=_passed_on_no_more(now, new, was, old), no_less=_passed_on_no_more(was, old, now, new)
        )
        told = (said(_settings(was)), said(_settings(now)))
        yield Difference(What.ONWARD, "", _at("onward"), *told, now.clause, effect, widens, why)
    elif was.clause != now.clause:
        yield _cited_otherwise(_at("onward"), was.clause, now.clause)


def _passed_on_no_more(onward: Onward, agreement: Agreement, than: Onward, than_of: Agreement) -> bool:
    """Whether it may be passed on only where it might before. Denied without conditions is never; words are not compared."""
    if onward.default == "deny" and not onward.given and (than.default == "allow" or than.given):
        return True
    if onward.says != than.says or (than.default == "deny" and onward.default == "allow"):
        return False
    if than.default == "allow" and onward.default == "deny":
        return True
    if than.default == "deny" and not than.given:
        return not onward.given
    return all(
        name in onward.given and stricter(agreement.conditions[name], than_of.conditions[name]) for name in than.given
    )


def _retention(before: Handling, after: Handling) -> Iterator[Difference]:
    was, now = before.retention, after.retention
    term, term_now = retention_term(was), retention_term(now)
    if term != term_now:
        no_more, no_less = ends_no_later(term_now, term), ends_no_later(term, term_now)
        effect, widens, why = KEPT.judged(no_more=no_more, no_less=no_less)
        what = What.CLOCK if (term.clock, term.of) != (term_now.clock, term_now.of) else What.RETENTION
        keys = _at("retention", "delete_after" if what is What.RETENTION else "clock")
        yield Difference(what, "", keys, str(term), str(term_now), now.clause, effect, widens, why)
    if was.dormant_after != now.dormant_after:
        effect, widens, why = KEPT.judged(
            no_more=_sooner(now.dormant_after, was.dormant_after), no_less=_sooner(was.dormant_after, now.dormant_after)
        )
        keys = _at("retention", "dormant_after")
        told = (said(was.dormant_after), said(now.dormant_after))
        yield Difference(What.RETENTION, "dormant", keys, *told, now.clause, effect, widens, why)
    if was.freeze_on_hold != now.freeze_on_hold:
        effect, widens, why = KEPT.judged(no_more=not now.freeze_on_hold, no_less=not was.freeze_on_hold)
        keys = _at("retention", "freeze_on_hold")
        told = (said(was.freeze_on_hold), said(now.freeze_on_hold))
        yield Difference(What.RETENTION, "freeze on hold", keys, *told, now.clause, effect, widens, why)
    if was.clause != now.clause:
        yield _cited_otherwise(_at("retention"), was.clause, now.clause)


def _sooner(duration: str | None, than: str | None) -> bool:
    """Whether it is over no later; None is never."""
    return than is None or (duration is not None and never_longer(duration, than))


def _delay(was: Delay | None, now: Delay | None) -> Iterator[Difference]:
    if was == now:
        return
    if was and now and _settings(was) == _settings(now):
        yield _cited_otherwise(_at("delay"), was.clause, now.clause)
        return
    effect, widens, why = SEEN.judged(no_more=_no_earlier(now, was), no_less=_no_earlier(was, now))
    keys = _at("delay")
    told = (_waits(was), _waits(now))
    why = why or ("sooner" if widens else "")
    yield Difference(What.DELAY, "", keys, *told, _clause(was, now), effect, widens, why)


def _no_earlier(delay: Delay | None, than: Delay | None) -> bool:
    if delay is None or than is None:
        return than is None
    term, than_term = (Term(Clock(one.clock), "", one.wait) for one in (delay, than))
    return begins_no_later(than_term, term) and never_longer(than.wait, delay.wait)


def _waits(delay: Delay | None) -> str:
    return f"{delay.wait} from {delay.clock}" if delay else ""


def _told(before: Handling, after: Handling) -> Iterator[Difference]:
    """Caveats, notices and deadlines: each that is there no more is a duty less."""
    for key in ("caveats", "notices", "deadlines"):
        was, now = ({_duty(one): one for one in getattr(handling, key)} for handling in (before, after))
        for duty in [one for one in was if one not in now]:
            told = (duty, "", _clause(was[duty]))
            why = "the recipient need no longer heed it"
            yield Difference(What.NOTICE, key, _at(key), *told, Effect.HANDLING_ONLY, widens=True, why=why)
        for duty in [one for one in now if one not in was]:
            told = ("", duty, _clause(now[duty]))
            yield Difference(What.NOTICE, key, _at(key), *told, Effect.HANDLING_ONLY, widens=False)


def _duty(said_of: str | Notice | Deadline) -> str:
    return said_of if isinstance(said_of, str) else said(_settings(said_of))


def _statistics(was: Statistics | None, now: Statistics | None) -> Iterator[Difference]:
    if was == now:
        return
    if was and now and _settings(was) == _settings(now):
        yield _cited_otherwise(("statistics",), was.clause, now.clause)
        return
    effect, widens, why = SEEN.judged(no_more=_counts_no_more(now, was), no_less=_counts_no_more(was, now))
    keys = ("statistics",)
    told = (said(_settings(was)) or "rows", said(_settings(now)) or "rows")
    why = "rows instead of counts" if now is None else why
    yield Difference(What.STATISTICS, "", keys, *told, _clause(was, now), effect, widens, why)


def _counts_no_more(counts: Statistics | None, than: Statistics | None) -> bool:
    if counts is None or than is None:
        return than is None
    rest = {"clause", "count_as", "smallest_cell", "sums", "round_to", "largest_share"}
    share, share_before = counts.largest_share or 100, than.largest_share or 100
    return (
        counts.model_dump(exclude=rest) == than.model_dump(exclude=rest)
        and counts.smallest_cell >= than.smallest_cell
        and (share <= share_before or not counts.sums)
        and set(counts.sums.values()) <= set(than.sums.values())
        and _rounds_no_finer(counts.round_to, than.round_to)
    )


def _rounds_no_finer(step: int | None, than: int | None) -> bool:
    return than is None or (step is not None and coarser_step(str(step), str(than)))


def _risk(was: Risk | None, now: Risk | None) -> Iterator[Difference]:
    if was == now:
        return
    if was and now and _settings(was) == _settings(now):
        yield _cited_otherwise(("risk",), was.clause, now.clause)
        return
    effect, widens, why = SEEN.judged(no_more=_as_alike(now, was), no_less=_as_alike(was, now))
    told = (said(_settings(was)), said(_settings(now)))
    keys = ("risk",)
    yield Difference(What.RISK, "", keys, *told, _clause(was, now), effect, widens, why)


def _as_alike(risk: Risk | None, than: Risk | None) -> bool:
    """Whether rows must be as alike as before: larger groups, in more columns, or nothing leaves."""
    if risk is None or than is None:
        return than is None
    rest = {"clause", "columns", "smallest_group", "otherwise"}
    return (
        risk.model_dump(exclude=rest) == than.model_dump(exclude=rest)
        and risk.smallest_group >= than.smallest_group
        and set(risk.columns) >= set(than.columns)
        and (risk.otherwise == "refuse" or than.otherwise == "report")
    )


def _settings(said_of: Policy | None) -> dict[str, object]:
    return said_of.model_dump(exclude={"clause"}, exclude_defaults=True, by_alias=True) if said_of else {}


def _clause(*said_of: object) -> str:
    """The clause that the last of them cites."""
    return next((one.clause for one in reversed(said_of) if hasattr(one, "clause")), "")


def _cited_otherwise(keys: tuple[str, ...], before: str, after: str) -> Difference:
    return Difference(What.CLAUSE, ".".join(keys), keys, before, after, after, Effect.HANDLING_ONLY, widens=False)


def _at(*keys: str) -> tuple[str, ...]:
    return ("handling", *keys)

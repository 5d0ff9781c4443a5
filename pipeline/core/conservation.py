"""Is every row accounted for?"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.errors import Code, Refused
from pipeline.core.language.scope import Reason


@dataclass(frozen=True, slots=True)
class RowCount:
    """received = accepted + rejected; accepted = released + out of scope + suppressed + withheld.

    `by_rule` says how many rows each row rule of the agreement kept back.
    """

    received: int
    accepted: int
    rejected: int
    released: int
    out_of_scope: int
    suppressed: int
    withheld: int
    by_rule: Mapping[str, int]


def conserved(
    *,
    accepted: int,
    rejected: int,
    received: int,
    released: int,
    suppressed: int,
    kept_back: Counter[str],
    reasons: Mapping[str, Reason],
) -> RowCount:
    """The count, once it adds up; else Refused, and nothing is published."""
    by_reason = {reason: sum(kept_back[name] for name in kept_back if reasons[name] is reason) for reason in Reason}
    count = RowCount(
        received=received,
        accepted=accepted,
        rejected=rejected,
        released=released,
        out_of_scope=by_reason[Reason.OUT_OF_SCOPE],
        suppressed=suppressed,
        withheld=by_reason[Reason.WITHHELD],
        by_rule={name: kept_back[name] for name in sorted(reasons)},
    )
    if count.received != count.accepted + count.rejected:
        raise _lost(f"received {count.received}, accepted {count.accepted}, rejected {count.rejected}")
    if count.accepted != count.released + count.out_of_scope + count.suppressed + count.withheld:
        raise _lost(
            f"accepted {count.accepted}, released {count.released}, out of scope {count.out_of_scope}, "
            f"suppressed {count.suppressed}, withheld {count.withheld}"
        )
    return count


def _lost(counts: str) -> Refused:
    return Refused(
        Code.ROWS_NOT_CONSERVED,
        f"the rows do not add up: {counts}.",
        next_step="this is a fault in Safeconduct or its storage: keep the vault and report it.",
    )


def told_adds_up(predicate: Mapping[str, Any]) -> bool:
    """Whether the rows that a manifest tells of add up, among themselves, with its deliveries and with its parts."""
    rows, sources = predicate["rows"], predicate["made_of"]["deliveries"]
    kept_back = rows["out_of_scope"] + rows["suppressed"] + rows["withheld"]
    beside = predicate["statistics"] or {}  # rounded then, each by half a step at most
    step = max(beside.get("round_to") or 0, beside.get("smallest_cell") or 0)
    parts: Counter[tuple[str, ...]] = Counter()
    for part in predicate["parts"]:
        parts[tuple(part["columns"])] += part["rows"]
    return (
        abs(rows["received"] - rows["accepted"] - rows["rejected"]) <= 2 * step
        and abs(rows["accepted"] - rows["released"] - kept_back) <= 3 * step
        and all(
            abs(sum(source[name] for source in sources) - rows[name]) <= step * len(sources)
            for name in ("received", "accepted", "rejected")
        )
        and (predicate["statistics"] is not None or set(parts.values()) <= {rows["released"]})
    )

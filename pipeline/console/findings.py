"""What became of a file that was tried, said to people: rules, columns, counts and positions; never a value."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.console.call import Call
from pipeline.core.findings import READER_RULES, Finding

if TYPE_CHECKING:
    from pipeline.console.rehearsal import Tried

TITLES = ("column", "rule", "count", "at record or segment", "what comes of it", "what is asked")


def show_tried(call: Call, tried: "Tried", *, named: str = "") -> None:
    """Whether the file would be taken, and what is wrong in it."""
    call.say(f"{named or tried.file} as a delivery of {tried.feed} (nothing was delivered):", style="bold")
    if tried.refusal:
        call.say(f"  would be refused as a whole [{tried.refusal.code}]: {tried.refusal.why}", style="red")
        call.say(f"  Next: {tried.refusal.next_step}")
    if tried.received is not None:
        accepted = "none of them accepted" if tried.refusal else f"{tried.accepted} accepted"
        call.say(f"  {tried.received} rows received, {accepted}, {tried.rejected} with a fault")
    show_findings(call, tried.findings)


def facts_of(findings: Iterable[Finding], meanings: Mapping[tuple[str, str], str]) -> tuple[dict[str, Any], ...]:
    """Each finding with what comes of it, and what its rule means where the schema says so."""
    return tuple(
        {
            "column": found.column,
            "rule": found.rule,
            "meaning": meanings.get((found.column, found.rule)),
            "count": found.count,
            "positions": list(found.positions),
            "outcome": _outcome(found.rule),
        }
        for found in findings
    )


def show_findings(call: Call, findings: Iterable[dict[str, Any]]) -> None:
    """Each finding as a row."""
    rows = [
        (
            found["column"] or "(row)",
            found["rule"],
            found["count"],
            ", ".join(map(str, found["positions"])) + (", ..." if found["count"] > len(found["positions"]) else ""),
            _outcome(found["rule"]),
            found.get("meaning") or "",
        )
        for found in findings
    ]
    if rows:
        call.table(TITLES, rows)


def _outcome(rule: str) -> str:
    tolerated, discarded = READER_RULES
    if rule.startswith(tolerated):
        return "taken all the same"
    return "left out" if rule.startswith(discarded) else "rows rejected"

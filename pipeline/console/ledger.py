"""`safeconduct ledger`: what was done, in order."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted, when

if TYPE_CHECKING:
    from pipeline.edges.ledger import Entry

_SHOWN = ("rows", "received", "accepted", "rejected", "code", "landed_as", "agreement", "recipient", "feed")


def ledger(
    context: typer.Context,
    *,
    follow_id: Annotated[
        str, typer.Option("--follow-id", metavar="PREFIX", help="Only what concerns this delivery, lot or release.")
    ] = "",
    verify: Annotated[bool, typer.Option("--verify", help="Check that no entry was changed, lost or moved.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what was done, in order: every acceptance, refusal and release.

    Exit code 5 when --verify finds an entry that was changed, lost or moved.

    Examples:
      safeconduct ledger
      safeconduct ledger --follow-id 3f9c2a
      safeconduct ledger --verify
    """
    call = Call.of(context, as_json)
    site = call.site()
    verified = site.ledger.verify() if verify else None
    entries = [entry for entry in site.ledger.entries() if _concerns(entry, follow_id)]
    if call.json:
        call.document({"entries": entries, "verified": verified and verified.size})
        return
    if entries:
        columns = ("entry", "at (UTC)", "kind", "subject", "facts")
        call.table(columns, [_row(entry) for entry in entries])
    else:
        call.say("No entry." if not follow_id else f"No entry concerns {follow_id!a}.")
    if verified is not None:
        call.say(f"{counted(verified.size, 'entry')}: each is whole, and so is the tree over them.", style="green")


def _concerns(entry: "Entry", prefix: str) -> bool:
    """Whether the entry's subject, id or a fact names what begins with `prefix`."""
    if not prefix or entry.subject.startswith(prefix):
        return True
    return any(part.startswith(prefix) for part in entry.id.split(":")) or any(
        text.startswith(prefix) for text in _texts(entry.facts.values())
    )


def _texts(facts: Iterable[object]) -> Iterable[str]:
    for fact in facts:
        match fact:
            case str():
                yield fact
            case Mapping():
                yield from _texts(fact.values())
            case list() | tuple():
                yield from _texts(fact)


def _row(entry: "Entry") -> tuple[object, ...]:
    facts = ", ".join(f"{name} {entry.facts[name]}" for name in _SHOWN if name in entry.facts)
    subject = entry.subject[:12] if len(entry.subject) == 64 else entry.subject
    return (entry.sequence, when(entry.at), entry.kind.value, subject, facts)

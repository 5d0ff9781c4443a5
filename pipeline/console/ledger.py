"""`safeconduct ledger`: what was done, in order, and what shows it to others."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted, when
from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from pipeline.edges.ledger import Entry, Ledger

_SHOWN = ("rows", "received", "accepted", "rejected", "code", "landed_as", "agreement", "recipient", "feed")


def ledger(
    context: typer.Context,
    *,
    follow_id: Annotated[
        str, typer.Option("--follow-id", metavar="PREFIX", help="Only what concerns this delivery, lot or release.")
    ] = "",
    verify: Annotated[bool, typer.Option("--verify", help="Check that no entry was changed, lost or moved.")] = False,
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint", help="Show the signed checkpoint, who verifies it how, and its witnesses.")
    ] = False,
    prove: Annotated[
        int | None, typer.Option(metavar="ENTRY", help="Print the proof that this entry is in it.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="With --prove: in the checkpoint of this size.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was done, in order: every acceptance, refusal and release; or what shows it to others.

    Exit code 5 when --verify finds an entry, a tile, a checkpoint or a cosignature that was changed, lost or moved.

    Examples:
      safeconduct ledger
      safeconduct ledger --follow-id 3f9c2a
      safeconduct ledger --verify
      safeconduct ledger --checkpoint
      safeconduct ledger --prove 12 > entry-12.tlog-proof
    """
    call = Call.of(context, as_json)
    site = call.site()
    if checkpoint or prove is not None:
        _show_evidence(call, site.ledger, prove, size)
        return
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


def _show_evidence(call: Call, ledger: "Ledger", sequence: int | None, size: int | None) -> None:
    if sequence is not None:
        entry = next(iter(ledger.entries(start=sequence)), None) if sequence >= 0 else None
        if entry is None:
            raise Misconfigured(
                Code.NOT_FOUND,
                f"The ledger has no entry {sequence}.",
                next_step="`safeconduct ledger` shows them, from 0 on.",
            )
        proof = ledger.prove(entry, size).decode()
        if call.json:
            call.document({"entry": entry, "proof": proof})
        else:
            print(proof, end="")
        return
    _show_checkpoint(call, ledger)


def _show_checkpoint(call: Call, ledger: "Ledger") -> None:
    last, witnessed = ledger.checkpoint(), ledger.witnessed()
    keys = [str(key) for key in ledger.verifier_keys]
    cosignatures = [
        {"witness": one.key.name, "vkey": str(one.key), "size": one.size, "at": one.at, "counts": ledger.counts(one)}
        for one in ledger.cosignatures()
    ]
    if call.json:
        shown = {"origin": last.origin, "size": last.size, "root": last.root.hex(), "note": last.note.decode()}
        size = witnessed.size if witnessed else None
        call.document({**shown, "keys": keys, "witnessed": size, "cosignatures": cosignatures})
        return
    call.say(last.note.decode() or f"{last.origin} has no entry yet.")
    call.say("Verifier key: what recipients and witnesses need, the newest first")
    for key in keys:
        call.say(f"  {key}")
    rows = [
        (one.key.name, one.size, when(one.at), "yes" if ledger.counts(one) else "no") for one in ledger.cosignatures()
    ]
    if rows:
        call.table(("witness", "of size", "at (UTC)", "counts"), rows, title="Cosignatures")
    else:
        call.say("No witness has cosigned yet: see docs/how-to/witness-the-ledger.md.", style="yellow")


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

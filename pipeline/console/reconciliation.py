"""`safeconduct reconcile`: do a partner's full lists and its changes agree?"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted, short, when
from pipeline.core.errors import Refused

if TYPE_CHECKING:
    from pipeline.edges.reconciliation import Reconciled


def reconcile(
    context: typer.Context,
    *,
    full: Annotated[str, typer.Argument(metavar="FULL", help="The feed of the full list.")],
    changes: Annotated[str, typer.Argument(metavar="CHANGES", help="The feed of its changes.")],
    as_json: AsJson = False,
) -> None:
    """Hold a partner's last two full lists against the changes between them.

    The older list with the changes applied must be the newer list, and each revocation must have come within one cycle of the feed. What does not agree is counted, and no value is shown; the exit code is then 3.

    Examples:
      safeconduct reconcile aeo-members aeo-changes
      safeconduct reconcile aeo-members aeo-changes --json
    """
    from pipeline.edges import reconciliation

    call = Call.of(context, as_json)
    found = reconciliation.reconcile(call.site(), full, changes)
    if call.json:
        call.document({**asdict(found), "agrees": found.agrees})
    _show(call, found)
    if not found.agrees:
        raise typer.Exit(Refused.exit_code)


def _show(call: Call, found: "Reconciled") -> None:
    taken = [("older list", found.older), *(("changes", one) for one in found.changes), ("newer list", found.newer)]
    rows = [(what, short(one.delivery), when(one.accepted_at), one.rows, one.rejected or "") for what, one in taken]
    call.table(("what", "delivery", "accepted", "rows", "rejected"), rows)
    if found.agrees:
        call.say("They agree: the older list with the changes is the newer list.", style="green")
        return
    said = found.differences
    counts = (
        ("missing", said.missing, "members by the changes that the newer list does not hold"),
        ("surplus", said.surplus, "in the newer list, and no members by the changes"),
        ("differing", said.differing, ", ".join(f"{name} {count}" for name, count in said.by_column.items())),
        ("misfits", said.misfits, "changes of nobody who was listed, or additions of somebody who was"),
        ("numbers missing", said.numbers_missing, "changes that never came, or were rejected"),
        ("numbers repeated", said.numbers_repeated, "changes under a number that came before"),
        ("revocations late", found.late_revocations, "accepted more than a cycle after the end of their day"),
        ("revocations untold", said.revocations_untold, "in the newer list, and in no change"),
    )
    call.table(("what", "count", "which"), [row for row in counts if row[1]], title="They do not agree")
    rejected = sum(one.rejected for _, one in taken)
    if rejected:
        call.say(
            f"{counted(rejected, 'row')} in quarantine took no part: `safeconduct quarantine list`.", style="yellow"
        )
    call.say("Next: ask the partner which of the two is right; the next full list corrects what its recipient has.")

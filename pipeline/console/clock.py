"""`safeconduct clock`: the ledger's last entry is of the future, and somebody knows why."""

from typing import Annotated

import typer

from pipeline.console.call import AsJson, Call, when


def clock(
    context: typer.Context,
    *,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why the clock was ahead.")],
    as_json: AsJson = False,
) -> None:
    """Say that this machine's clock is right now, and was ahead when the ledger's last entry was written.

    Until somebody does, nothing is received or released [clock-jumped]: with a clock that is behind, an agreement that has ended would be in force again. Set the clock first. What was released while it was ahead bears wrong dates: look at it with `safeconduct ledger`.

    Examples:
      safeconduct clock --by j.example --why "The battery of the clock was empty"
    """
    from pipeline.edges.clock import clock_corrected

    call = Call.of(context, as_json)
    if not by.strip() or not why.strip():
        raise typer.BadParameter("--by and --why must say something.")
    entry = clock_corrected(call.site(), by=by.strip(), why=why.strip())
    if call.json:
        call.document({"entry": entry})
    call.say(
        f"Entry {entry.sequence} of the ledger says that it is {when(entry.at)} UTC, and that {by.strip()} says so."
    )

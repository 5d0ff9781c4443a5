"""`safeconduct pushes`: what has a carrier pushed of each flight, and what of it holds?"""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted
from pipeline.core.errors import Refused

if TYPE_CHECKING:
    from pipeline.edges.pushes import Pushed


def pushes(
    context: typer.Context,
    *,
    feed: Annotated[str, typer.Argument(metavar="FEED", help="The feed of the pushes.")],
    as_json: AsJson = False,
) -> None:
    """Tell of each flight what was pushed: whole and changes, how many PNRs hold, and which first push came late.

    A full push supersedes all that was pushed of its flight before, a push of changes the PNRs that it tells. Counts alone are shown, of no person and no PNR. A flight whose first push was no full one, or came later than the agreements say, makes the exit code 3.

    Examples:
      safeconduct pushes pnr-push
      safeconduct pushes pnr-push --json
    """
    from pipeline.edges.pushes import pushed

    call = Call.of(context, as_json)
    found = pushed(call.site(), feed)
    if call.json:
        call.document({"flights": found.flights.to_dicts(), "first_push": found.first_push, "older": found.older})
    _show(call, found)
    if _amiss(found):
        raise typer.Exit(Refused.exit_code)


def _amiss(found: "Pushed") -> int:
    return sum(bool(one["late"] or not one["begins_whole"]) for one in found.flights.iter_rows(named=True))


def _show(call: Call, found: "Pushed") -> None:
    rows = [
        (
            f"{one['flight_carrier']}{one['flight_number']} {one['departure_airport']} {one['departs_at']}",
            one["full"],
            one["updates"] or "",
            one["current"],
            one["superseded"] or "",
            one["cancelled"] or "",
            one["untold"] or "",
            ", ".join(_oddities(one["late"], one["begins_whole"])),
        )
        for one in found.flights.iter_rows(named=True)
    ]
    call.table(("flight", "full", "updates", "PNRs now", "superseded", "cancelled", "untold rows", "amiss"), rows)
    if found.older:
        call.say(f"{counted(found.older, 'delivery')} of an older schema took no part.", style="yellow")
    if _amiss(found):
        call.say("Next: ask the carrier for a full push of these flights.", style="yellow")


def _oddities(late: object, begins_whole: object) -> list[str]:
    return ["first push late"] * bool(late) + ["no full push first"] * (not begins_whole)

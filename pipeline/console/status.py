"""`safeconduct status`: what became of each delivery?"""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted, short, when

if TYPE_CHECKING:
    from pipeline.edges.overview import Overview, Prospect, Traced

COLUMNS = ("delivery", "landed as", "outcome", "rows", "released")
STYLES = {
    "waiting": "yellow",
    "pending": "yellow",
    "accepted": "green",
    "released": "green",
    "refused": "red",
    "withdrawn": "bold red",
}


def status(
    context: typer.Context,
    *,
    feed: Annotated[str, typer.Option(metavar="FEED", help="Of one feed only.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what became of each delivery, and which feeds are late.

    Examples:
      safeconduct status
      safeconduct status --feed aeo-members --limit 5
      safeconduct status --json
    """
    from pipeline.console.delivery import known_feed
    from pipeline.edges.overview import overview

    call = Call.of(context, as_json)
    site = call.site()
    if feed:
        known_feed(site.catalogue(), feed)
    seen = overview(site, feed=feed, limit=limit)
    if call.json:
        call.document({"deliveries": seen.deliveries, "late": seen.late, "broken": [one.where for one in seen.broken]})
        return
    show(call, seen)


def show(call: Call, seen: "Overview") -> None:
    """The overview, for people."""
    if not seen.deliveries:
        call.say("No delivery has arrived. Next: `safeconduct deliver FILE --feed FEED` plays a partner.")
    else:
        call.table(COLUMNS, [row_of(one) for one in seen.deliveries])
    # Deliveries of one lot share their releases.
    releases = dict.fromkeys(release for one in seen.deliveries for release in one.releases)
    if releases:
        columns = ("release", "recipient", "standing", "rows", "acknowledged")
        call.table(columns, [_release_row(one) for one in releases])
    for one in seen.deliveries:
        if one.message:
            call.say(f"{short(one.delivery)}: {one.message} Next: {one.next_step}", style="red")
    for late in seen.late:
        last = (
            f"last accepted {when(late.last_accepted_at)} UTC" if late.last_accepted_at else "nothing was accepted yet"
        )
        call.say(f"Late: {late.feed} from {late.partner}, expected every {late.every}: {last}.", style="yellow")
    for broken in seen.broken:
        call.say(f"Broken: {broken.where}: {broken.message}. Next: `safeconduct check`.", style="red")


def outcome(one: "Traced") -> str:
    """What became of a delivery, in a few words."""
    if one.code:
        return f"refused {one.code}"
    if one.rejected:
        return f"accepted without {counted(one.rejected, 'row')}"
    return one.outcome.value


def standing(one: "Prospect") -> str:
    """Where a release stands, in a few words."""
    said = f"{one.agreement}: {one.standing.value}"
    if one.rows is not None:
        together = f" of {one.deliveries} deliveries" if one.deliveries > 1 else ""
        return f"{said} {counted(one.rows, 'row')}{together}"
    return f"{said} ({one.code})" if one.code else said


def row_of(one: "Traced") -> tuple[object, ...]:
    """The delivery as a row under `COLUMNS`."""
    released = sum(release.rows is not None for release in one.releases)
    return (
        short(one.delivery),
        one.landed_as,
        (outcome(one), STYLES[one.outcome.value]),
        "" if one.received is None else f"{one.accepted} of {one.received}",
        f"{released} of {len(one.releases)}" if one.releases else "",
    )


def _release_row(one: "Prospect") -> tuple[object, ...]:
    said = f"{one.standing.value} {one.code}" if one.code else one.standing.value
    return (
        one.release,
        one.recipient,
        (said, STYLES[one.standing.value]),
        "" if one.rows is None else one.rows,
        ", ".join(one.acknowledged),
    )

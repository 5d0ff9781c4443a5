"""`safeconduct withdraw`: a release must no longer be used."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted, when
from pipeline.console.naming import the_release

if TYPE_CHECKING:
    from pipeline.edges.publication import Published
    from pipeline.edges.site import Site

_LONGEST_WHY = 2000


def withdraw(
    context: typer.Context,
    *,
    release: Annotated[str, typer.Argument(help="Its name, or the beginning of it.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who withdraws it.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="For its recipient and the ledger: name no person in it.")],
    reissue: Annotated[
        bool, typer.Option("--reissue", help="The next run makes it anew, as its next revision; else never again.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw a release: it must no longer be used.

    Its recipient finds a signed withdrawal beside the manifest, and a notice. The parts stay until their dates: what was sent cannot be fetched back. There is no way back, and the first withdrawal counts: a later one finds it.

    Examples:
      safeconduct withdraw aeo-statistics.77a0 --by j.example --why "Members were counted twice" --dry-run
      safeconduct withdraw aeo-statistics.77a0 --by j.example --why "Members were counted twice" --reissue
    """
    from pipeline import journey

    call = Call.of(context, as_json)
    site = call.site()
    published = the_release(site, release)
    _sayable(by, why)
    if dry_run:
        _would(call, site, published, reissue=reissue)
        return
    withdrawn = journey.withdraw(site, published.release, by=by.strip(), why=why.strip(), reissue=reissue)
    if call.json:
        call.document({"withdrawn": withdrawn, "dry_run": False})
        return
    verb = "was withdrawn before" if withdrawn.already else "is withdrawn"
    call.say(f"Release {withdrawn.release} to {withdrawn.recipient} {verb}.", style="bold")
    call.say(f"  by {withdrawn.by} on {when(withdrawn.at)} UTC: {withdrawn.why}")
    call.say("  The recipient has a notice; the parts stay until their dates.")
    if withdrawn.next:
        call.say(
            f"Next: `safeconduct replay {withdrawn.release}` makes {withdrawn.next}, if its agreement still permits."
        )


def _sayable(by: str, why: str) -> None:
    if not by.strip() or not why.strip():
        raise typer.BadParameter("--by and --why must say something.")
    if len(why) > _LONGEST_WHY:
        raise typer.BadParameter(f"--why is longer than {_LONGEST_WHY} characters.")
    try:
        f"{by}{why}".encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("--by or --why is not UTF-8.") from None


def _would(call: Call, site: "Site", published: "Published", *, reissue: bool) -> None:
    """What a withdrawal would do."""
    from pipeline.edges.revision import next_name

    withdrawn = site.publication.withdrawn(published)
    parts = published.predicate["parts"]
    already = withdrawn.withdrawal if withdrawn else None
    following = next_name(published) if (already.reissue if already else reissue) else None
    if call.json:
        told = {"release": published.release, "recipient": published.recipient, "next": following, "already": already}
        call.document({"withdrawn": told, "dry_run": True})
        return
    if already:
        call.say(f"{published.release} was withdrawn on {when(already.at)} UTC by {already.by}: {already.why}")
        return
    rows = counted(published.predicate["rows"]["released"], "row")
    call.say(f"Would withdraw {published.release} to {published.recipient}: {rows} in {counted(len(parts), 'part')}.")
    call.say(f"  Then {f'{following} could be made' if following else 'it is never made again from these rows'}.")

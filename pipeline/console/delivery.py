"""`safeconduct deliver`: play the partner."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.console.call import AsJson, Call, short
from pipeline.console.findings import show_tried
from pipeline.console.site import demo_signing_key
from pipeline.core.errors import Code, Misconfigured, Refused

if TYPE_CHECKING:
    from pipeline.console.rehearsal import Rehearsed
    from pipeline.core.language.feed import Feed
    from pipeline.edges.catalogue import Catalogue
    from pipeline.edges.site import Site


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file that landed. `delivery`: SHA-256 of the bytes in landing."""

    file: Path
    feed: str
    landed_as: str
    delivery: str
    size_bytes: int
    sealed: bool
    signed: bool


def deliver(
    context: typer.Context,
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What the partner sends, in clear.")],
    feed: Annotated[str, typer.Option(metavar="FEED", help="Which feed it is for.")],
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="The name in landing; the file's own if left out.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would become of it, under each agreement.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deliver files as their partner would.

    Sealed and signed where the feed asks for it, then put into landing. Playing a partner that signs takes the keys that `safeconduct init --demo` makes.

    Examples:
      safeconduct deliver list.csv --feed aeo-members
      safeconduct deliver push.edi --feed pnr-push --as resent.edi
      safeconduct deliver push.edi --feed pnr-push --dry-run
    """
    call = Call.of(context, as_json)
    if name and len(files) > 1:
        raise typer.BadParameter("--as names one file; several were given.")
    site = call.site()
    catalogue = site.catalogue()
    asked = known_feed(catalogue, feed)
    if dry_run:
        _rehearse(call, site, catalogue, asked, files)
        return
    delivered = [put_into_landing(site, asked, file, name or file.name) for file in files]
    if call.json:
        call.document({"delivered": delivered})
    for one in delivered:
        how = (
            " and ".join(word for word, done in (("sealed", one.sealed), ("signed", one.signed)) if done) or "in clear"
        )
        call.say(f"Delivered {one.file} to {one.feed}, {how}: delivery {short(one.delivery)} ({one.size_bytes} bytes).")
    call.say("Next: `safeconduct run` takes it on, or Airflow does by itself; `safeconduct status` says how far it is.")


def known_feed(catalogue: "Catalogue", feed: str) -> "Feed":
    """The feed of this id.

    Raises:
        Misconfigured: UNKNOWN_FEED, or what is wrong with the feed's file.
    """
    if feed not in catalogue.feeds and not catalogue.is_broken("feeds", feed):
        raise Misconfigured(
            Code.UNKNOWN_FEED,
            f"the catalogue has no feed {feed!a}.",
            next_step=f"name one of: {', '.join(sorted(catalogue.feeds)) or 'none'}.",
        )
    return catalogue.feed(feed)


def put_into_landing(site: "Site", feed: "Feed", file: Path, name: str) -> Delivered:
    """The file is in landing under this name, whole, after its signature."""
    from pipeline.edges.opening import SIGNATURE_SUFFIX, read_private_key, sign
    from pipeline.edges.sealing import seal
    from pipeline.edges.storage import key_of

    try:
        content = file.read_bytes()
    except OSError as error:
        raise Misconfigured(
            Code.NOT_FOUND, f"{file} cannot be read: {error.strerror}.", next_step="name a file that you can read."
        ) from None
    key = f"{feed.id}/{key_of(name.encode())}"
    signing = read_private_key(demo_signing_key(site, feed.partner).read_bytes()) if feed.signed else None
    if feed.sealed:
        content = seal(content, [site.keyring.opening.recipient])
    # The file comes last: whoever sees it finds its signature beside it.
    if signing:
        site.landing.store.put_new(key + SIGNATURE_SUFFIX, sign([content], signing))
    site.landing.store.put_new(key, content)
    id = hashlib.sha256(content).hexdigest()
    return Delivered(file, feed.id, key, id, len(content), feed.sealed, feed.signed)


def _rehearse(call: Call, site: "Site", catalogue: "Catalogue", feed: "Feed", files: list[Path]) -> None:
    from pipeline.console.rehearsal import rehearse

    rehearsed = [rehearse(site, feed, catalogue.agreements_of(feed.id), file) for file in files]
    if call.json:
        call.document({"dry_run": rehearsed})
    for one in rehearsed:
        show_tried(call, one.tried)
        _show_releases(call, one)
    if any(one.tried.refusal for one in rehearsed):
        raise typer.Exit(Refused.exit_code)


def _show_releases(call: Call, rehearsed: "Rehearsed") -> None:
    shown = ("released", "out_of_scope", "withheld", "suppressed")
    rows = [
        (one.agreement, one.recipient, *(one.rows[name] for name in shown), _by_rule(one.rows))
        for one in rehearsed.releases
        if one.rows
    ]
    if rows:
        titles = ("agreement", "recipient", "released", "out of scope", "withheld", "suppressed", "kept back by")
        call.table(titles, rows)
    for one in rehearsed.releases:
        if one.refusal:
            call.say(f"  {one.agreement} [{one.refusal.code}]: {one.refusal.why}", style="red")
        if one.declared:
            call.say(
                f"  {one.agreement}: once a purpose is declared for the lot (`safeconduct declare {one.agreement}`)",
                style="yellow",
            )


def _by_rule(rows: dict[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in rows["by_rule"].items() if count)

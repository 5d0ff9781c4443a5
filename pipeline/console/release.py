"""`safeconduct releases`, `open` and `verify`: what was released, seen by us and as its recipient sees it."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote, urlsplit

import typer

from pipeline.console.call import AsJson, Call, counted, near, when
from pipeline.console.key import read_identity_file, read_public_key_file
from pipeline.console.naming import the_release
from pipeline.console.writing import make_private, write_private
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused

if TYPE_CHECKING:
    from pipeline.edges.catalogue import Catalogue
    from pipeline.edges.publication import Published
    from pipeline.edges.sealing import Identity
    from pipeline.edges.site import Site

_AGE = ".age"


@dataclass(frozen=True, slots=True)
class Opened:
    """A part of a release, opened into a file. `sealed_at`: where the sealed part is."""

    file: Path
    sealed_at: str
    rows: int
    columns: tuple[str, ...]
    until: str | None


def releases(
    context: typer.Context,
    *,
    recipient: Annotated[str, typer.Option(metavar="PARTNER", help="To one partner only.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the releases.

    Examples:
      safeconduct releases
      safeconduct releases --recipient eu-piu
    """
    from pipeline.edges.overview import release_names

    call = Call.of(context, as_json)
    site = call.site()
    if recipient and recipient not in (partners := site.catalogue().partners):
        raise Misconfigured(
            Code.NOT_FOUND,
            f"the catalogue has no partner {recipient!a}.",
            next_step=f"name one of: {', '.join(sorted(partners)) or 'none'}.",
        )
    catalogue = site.catalogue()
    found = [_listed(site, catalogue, to, name) for to, name in release_names(site) if recipient in ("", to)]
    if call.json:
        call.document({"releases": found})
    elif not found:
        call.say("Nothing was released. Next: `safeconduct status` says what became of each delivery.")
    else:
        rows = [_row(one) for one in sorted(found, key=lambda one: str(one["created_at"]), reverse=True)]
        call.table(("release", "recipient", "rows", "delete by", "acknowledged"), rows)
        for one in found:
            if one["withdrawn"]:
                call.say(f"{one['release']} was {one['withdrawn']}.", style="red")
        call.say("Next: `safeconduct verify RELEASE`, or `safeconduct open RELEASE --identity FILE`.")
    if any(one["fault"] for one in found):
        raise typer.Exit(Refused.exit_code)


def open_(
    context: typer.Context,
    *,
    release: Annotated[str, typer.Argument(help="Its name, or the beginning of it.")],
    identity: Annotated[Path, typer.Option(metavar="FILE", help="The recipient's age identity file.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the files go; a folder of the release's name if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open a release as its recipient would.

    The manifest is verified, each part checked and decrypted into a file of mode 0600. A recipient needs none of this software: each file's `age -d` command is shown beside it.

    Examples:
      safeconduct open pnr-eu-piu.5e1f --identity site/demo/eu-piu/eu-piu.identity.txt
      safeconduct open aeo-statistics.77a0 --identity key.txt --out /tmp/opened
    """
    call = Call.of(context, as_json)
    site = call.site()
    published = the_release(site, release)
    opened = open_release(site, published, read_identity_file(identity), identity, out or Path(published.release))
    if call.json:
        call.document({"release": published.release, "recipient": published.recipient, "parts": opened})
        return
    call.say(f"Release {published.release} to {published.recipient}: its manifest and every part hold.", style="green")
    for part in opened:
        until = f", to be deleted by {part.until}" if part.until else ""
        call.say(f"  {part.file}: {counted(part.rows, 'row')}, {counted(len(part.columns), 'column')}{until}")
    call.say("The same with age alone:")
    for part in opened:
        call.say(f"  {age_command(part.sealed_at, identity, part.file.name)}")


def verify(
    context: typer.Context,
    *,
    release: Annotated[str, typer.Argument(help="Its name, or the beginning of it.")],
    public_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Verify with this PEM file; with any key that the site has or had if left out."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a release.

    That it was not withdrawn, its signatures, every part, row counts, dates, its ledger entry and the proof of that. Exit code 3 when one of them is wrong.

    Examples:
      safeconduct verify pnr-eu-piu.5e1f
      safeconduct verify pnr-eu-piu.5e1f --public-key exchange.pem --json
    """
    from pipeline.console.verification import examine

    call = Call.of(context, as_json)
    site = call.site()
    published = the_release(site, release)
    findings = examine(site, published, read_public_key_file(public_key) if public_key else None)
    good = all(finding.good for finding in findings)
    if call.json:
        call.document(
            {
                "release": published.release,
                "good": good,
                "findings": findings,
                "manifest_digest": published.manifest_digest,
                "statement": published.predicate,
            }
        )
    else:
        _say_statement(call, published)
        for finding in findings:
            mark, style = ("ok ", "green") if finding.good else ("BAD", "bold red")
            call.say(f"  {mark} {finding.question}: {finding.answer}", style=style)
        call.say("The release holds." if good else "The release does NOT hold: do not use it.", style="bold")
    if not good:
        raise typer.Exit(Refused.exit_code)


def open_release(
    site: "Site", published: "Published", identity: "Identity", identity_file: Path, out: Path
) -> list[Opened]:
    """Every part that is still there is opened below `out`, for this user alone.

    Raises:
        Refused: the release was withdrawn, is sealed to others, or a part is not what the manifest says.
    """
    from pipeline.console.verification import parts_of
    from pipeline.edges.publication import release_folder
    from pipeline.edges.revision import refused_as_withdrawn
    from pipeline.edges.sealing import Origin, open_sealed

    if withdrawn := site.publication.withdrawn(published):
        raise refused_as_withdrawn(published.release, withdrawn)
    if identity.recipient not in published.predicate["recipient"]["keys"]:
        raise Refused(
            Code.WRONG_KEY,
            f"{published.release} is not sealed to the key in {identity_file}.",
            next_step=f"name an identity of {published.recipient}.",
        )
    for finding in parts_of(site, published):
        if not finding.good:
            raise Refused(
                Code.VERIFICATION_FAILED,
                f"{published.release}, {finding.question}: {finding.answer}.",
                next_step="do not use it; ask its publisher, who can restore it or make it again.",
            )
    make_private(out)
    opened = []
    for number, part in enumerate(published.predicate["parts"], start=1):
        key = part["key"]
        if not site.publication.store.exists(f"{release_folder(published.recipient, published.release)}/{key}"):
            continue
        name = f"{published.release}, part {number}"
        sealed = b"".join(site.publication.part(published, key))
        content = open_sealed(sealed, identity, origin=Origin.PARTNER, name=name)
        file = out / f"part-{number}.{key.removesuffix(_AGE).rpartition('.')[2]}"
        write_private(file, content)
        place = place_of(site, published, key)
        opened.append(Opened(file, place, part["rows"], tuple(part["columns"]), part["until"]))
    return opened


def place_of(site: "Site", published: "Published", key: str) -> str:
    """Where a recipient finds a part: a path, from the current folder where it is below it, or its URL."""
    from pipeline.edges.publication import release_folder

    url = f"{site.publication.store.url}/{release_folder(published.recipient, published.release)}/{key}"
    return str(near(Path(unquote(urlsplit(url).path)))) if url.startswith("file:") else url


def age_command(place: str, identity: Path, out: str) -> str:
    """How to open a part without this software."""
    if "://" in place:
        return f"aws s3 cp {shlex.quote(place)} - | age -d -i {shlex.quote(str(identity))} > {shlex.quote(out)}"
    return f"age -d -i {shlex.quote(str(identity))} -o {shlex.quote(out)} {shlex.quote(place)}"


def _listed(site: "Site", catalogue: "Catalogue", recipient: str, name: str) -> dict[str, Any]:
    from pipeline.console.verification import withdrawal_in_words
    from pipeline.core.statement import gone_by
    from pipeline.edges.returns import acknowledged_by

    withdrawn = None
    try:
        published = site.publication.find(recipient, name)
        if published:
            withdrawn = withdrawal_in_words(site, published)
        fault = None if published else "the manifest is gone"
    except (Refused, Conflict) as error:
        published, fault = None, error.message
    if published is None:
        return {"release": name, "recipient": recipient, "created_at": None, "withdrawn": None, "fault": fault}
    said = published.predicate
    heard = acknowledged_by(site, catalogue, recipient, name)
    return {
        "release": name,
        "recipient": recipient,
        "agreement": said["agreement"]["id"],
        "purpose": said["purpose"]["declared"],
        "rows": said["rows"],
        "parts": len(said["parts"]),
        "created_at": said["created_at"],
        "revision": said["revision"],
        "supersedes": said["supersedes"],
        "withdrawn": withdrawn,
        "delete_by": gone_by(said),
        "marking": said["handling"]["marking"],
        "deliveries": [source["delivery"] for source in said["made_of"]["deliveries"]],
        "readers": list(heard),
        "acknowledged": [
            {"partner": reader, "by": entry.facts["by"], "at": entry.at} for reader, entry in heard.items() if entry
        ],
        "fault": None,
    }


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    if one["fault"]:
        return (one["release"], one["recipient"], (one["fault"], "bold red"), "", "")
    return (
        one["release"],
        one["recipient"],
        ("withdrawn", "bold red") if one["withdrawn"] else one["rows"]["released"],
        when(one["delete_by"])[:10],
        _acknowledged(one),
    )


def _acknowledged(one: dict[str, Any]) -> str:
    """When the recipient said that it has it; of a community, how many members did."""
    heard = [when(said["at"]) for said in one["acknowledged"]]
    return "".join(heard) if len(one["readers"]) == 1 else f"{len(heard)} of {len(one['readers'])}"


def _say_statement(call: Call, published: "Published") -> None:
    said = published.predicate
    agreement, handling = said["agreement"], said["handling"]
    call.say(f"Release {published.release}", style="bold")
    instrument = agreement["instrument"]
    call.say(
        f"  under {agreement['id']}, version {agreement['version']}: {agreement['title']} ({instrument['citation']})"
    )
    call.say(f"  from {said['provider']} to {published.recipient}, for {said['purpose']['declared']}")
    call.say(f"  {handling['marking']}; onward: {handling['onward']['says']}")
    for caveat in handling["caveats"]:
        call.say(f"    {caveat}")

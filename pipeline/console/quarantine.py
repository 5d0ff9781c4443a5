"""`safeconduct quarantine`: what could not be taken, and why."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.console.call import AsJson, Call, Taught, plain, short
from pipeline.console.findings import show_findings
from pipeline.console.naming import the_delivery
from pipeline.console.status import outcome as outcome_of
from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.edges.sealing import Identity
    from pipeline.edges.site import Site

quarantine = typer.Typer(help="Show what could not be taken, and why.", no_args_is_help=True)


@quarantine.command("list", cls=Taught)
def list_(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the deliveries of which something is in quarantine.

    Examples:
      safeconduct quarantine list
      safeconduct quarantine list --json
    """
    from pipeline.edges.overview import overview

    call = Call.of(context, as_json)
    site = call.site()
    held = {report["delivery"] for report in site.quarantine.reports()}
    found = [one for one in overview(site).deliveries if one.delivery in held]
    if call.json:
        call.document({"quarantine": found})
        return
    if not found:
        call.say("Nothing is in quarantine.")
        return
    rows = [(short(one.delivery), one.landed_as, outcome_of(one), one.rejected or "") for one in found]
    call.table(("delivery", "landed as", "now", "rejected"), rows)
    call.say("Next: `safeconduct quarantine show DELIVERY` says why; `safeconduct replay DELIVERY` tries again.")


@quarantine.command("show", cls=Taught)
def show(
    context: typer.Context,
    *,
    delivery: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    rows: Annotated[bool, typer.Option("--rows", help="Show the rejected rows. These are PERSONAL values.")] = False,
    identity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The quarantine key's identity file; needed for --rows.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show why a delivery, or some of its rows, are in quarantine.

    Without --rows no value is shown. With it, the quarantine key must be named: this is the one command that prints what
    a partner sent.

    Examples:
      safeconduct quarantine show 3f9c2a
      safeconduct quarantine show 3f9c2a --rows --identity site/keys/quarantine.txt
    """
    call = Call.of(context, as_json)
    if rows != (identity is not None):
        raise typer.BadParameter("--rows and --identity FILE go together.")
    site = call.site()
    id = the_delivery(site, delivery)
    reports = list(site.quarantine.reports(id))
    values = list(_rows(site, reports, _identity(site, identity))) if identity else None
    if values is not None:
        call.warn("the rows below are what the partner sent: personal values. Do not copy them out of this terminal.")
    if call.json:
        call.document({"delivery": id, "reports": reports, **({} if values is None else {"rows": values})})
        return
    for report in reports:
        _show(call, report)
    for number, row in enumerate(values or (), start=1):
        call.say(f"Row {number}: rejected by {row['rules']}, at {row['position']}", style="bold")
        for column, cell in row["cells"].items():
            call.say(f"  {column}: {plain(cell)}")


def _show(call: Call, report: dict[str, Any]) -> None:
    call.say(f"Delivery {report['delivery']}", style="bold")
    call.say(f"  of {report['feed']}, landed as {report['landed_as']}, {report['size_bytes']} bytes")
    if report["code"]:
        call.say(f"  refused [{report['code']}]: {report['message']}", style="red")
        call.say(f"  Next: {report['next_step']}")
        call.say(f"  Once it is corrected on our side: `safeconduct replay {short(report['delivery'])}`.")
    else:
        call.say(f"  {report['outcome']}: {report['rejected']} of {report['rows']} rows are here", style="yellow")
        call.say("  Next: the partner has an acknowledgement with the same rules and positions; ask for a correction.")
    show_findings(call, report["findings"])


def _identity(site: "Site", file: Path) -> "Identity":
    from pipeline.console.key import read_identity_file

    identity = read_identity_file(file)
    if identity.recipient not in {own.recipient for own in site.quarantine.identities}:
        raise Misconfigured(
            Code.SITE_KEY_INVALID,
            f"{file} is not the identity of one of this site's quarantine keys.",
            next_step=f"name {site.keyring.directory / 'quarantine.txt'}, or the copy that you were given.",
        )
    return identity


def _rows(site: "Site", reports: list[dict[str, Any]], identity: "Identity") -> "Iterator[dict[str, Any]]":
    """The rejected rows, cell by cell: the only values that any command prints."""
    from pipeline.core.acceptance import RULES
    from pipeline.core.delivery import POSITION

    opened = replace(site.quarantine, identities=[identity])
    for key in dict.fromkeys(key for report in reports for key in report["row_objects"]):
        for row in opened.held_rows(key).iter_rows(named=True):
            cells = {name: cell for name, cell in row.items() if name not in (POSITION, RULES) and cell is not None}
            yield {"position": row[POSITION], "rules": row[RULES], "cells": cells}

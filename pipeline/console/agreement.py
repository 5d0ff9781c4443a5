"""`safeconduct explain`: what would a recipient see, and which clause says so?"""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call
from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from pipeline.core.language.agreement import Agreement
    from pipeline.edges.catalogue import Catalogue


def explain(
    context: typer.Context,
    *,
    agreement: Annotated[str, typer.Argument(help="Its id; The file name below agreements/, without .toml.")],
    column: Annotated[
        str | None, typer.Option(metavar="C", help="One column, released or not, and every step to its clause.")
    ] = None,
    release: Annotated[
        str | None, typer.Option(metavar="R", help="A release, by its name or the beginning of it: what made it so.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="This version; the one in force if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain what an agreement's recipient would see, and why.

    Which column is treated how, under which clause and what that clause says; which is not released; which rows are; what must be shown; when all of it must be gone. With --column: from one column to its clause. With --release: from what was released to the agreement that made it. No value is shown.

    Examples:
      safeconduct explain pnr-eu-piu
      safeconduct explain pnr-eu-piu --column remarks
      safeconduct explain pnr-eu-piu --version 1 --json
      safeconduct explain pnr-eu-piu --release pnr-eu-piu.5e1f --column surname
    """
    from pipeline.console import lineage, told
    from pipeline.console.explanation import explanation
    from pipeline.console.naming import the_release

    call = Call.of(context, as_json)
    if release and version:
        raise typer.BadParameter("--release says which version made it: leave --version out.")
    site = call.site()
    catalogue = site.catalogue()
    asked = version_of(catalogue, agreement, version)
    if release:
        found = lineage.release_lineage(catalogue, asked.id, the_release(site, release))
        answer = {**found, "column": lineage.column_of_release(found, column) if column else None}
        call.document(answer) if call.json else told.release(call, answer, column)
    elif column:
        traced = lineage.column_lineage(catalogue, asked, column, site.now())
        call.document(traced) if call.json else told.column(call, traced)
    else:
        explained = explanation(site, catalogue, asked)
        call.document(explained) if call.json else told.agreement(call, explained)


def version_of(catalogue: "Catalogue", id: str, version: int | None) -> "Agreement":
    """The agreement, in the version that is asked for or that is in force."""
    current = catalogue.agreement(id)
    if version is None:
        return current
    versions = {one.version: one for one in catalogue.versions[id]}
    if version not in versions:
        raise Misconfigured(
            Code.NOT_FOUND,
            f"agreement {id} has no version {version}.",
            next_step=f"name one of: {', '.join(map(str, versions))}.",
        )
    return versions[version]

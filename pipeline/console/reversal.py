"""`safeconduct reverse`: tokens of a release, turned back for the one who may ask."""

import sys
from typing import Annotated

import typer

from pipeline.console.call import AsJson, Call, plain


def reverse(
    context: typer.Context,
    *,
    agreement: Annotated[str, typer.Argument(help="Its id.")],
    tokens: Annotated[
        list[str] | None, typer.Argument(metavar="[TOKEN]...", help="From stdin, one a line, if left out.")
    ] = None,
    column: Annotated[str, typer.Option(help="The column that they are from.")],
    for_: Annotated[str, typer.Option("--for", metavar="PARTNER", help="Who asks: whom the agreement names.")],
    reference: Annotated[str, typer.Option(help="Of the request: a case, an order.")],
    epoch: Annotated[
        str | None, typer.Option(help="The epoch of the release; the agreement's own if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Turn tokens of a release back into values, where the agreement says who may ask.

    Prints the values, a line for each token: mind where you send them. That it was done, for whom, on which request and how many, is in the ledger before anything is printed.

    Examples:
      safeconduct reverse us-eu-pnr --column ticket_numbers --for example-air --reference 2026/114 t1.3fc2...
    """
    from pipeline.edges.reversal import reverse as turn_back

    call = Call.of(context, as_json)
    if not reference.strip():
        raise typer.BadParameter("--reference needs the reference of the request.")
    given = tokens or [line.strip() for line in sys.stdin if line.strip()]
    if not given:
        raise typer.BadParameter("there is no token: name one, or write them to stdin.")
    site = call.site()
    catalogue = site.catalogue()
    asked = catalogue.agreement(agreement)
    values = turn_back(
        site,
        catalogue,
        asked,
        column,
        given,
        partner=for_,
        reference=reference,
        epoch=epoch or asked.pseudonym_epoch,
    )
    if call.json:
        call.document(dict(zip(given, values, strict=True)))
    for value in values:
        call.say(plain(value).replace("\n", "\\n"))

"""`safeconduct declare`: what is a release for, and what is shown for its conditions?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.console.call import AsJson, Call
from pipeline.console.naming import the_lot
from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from pipeline.core.language.agreement import Agreement
    from pipeline.edges.declarations import Declared
    from pipeline.edges.site import Site

_BY_WHOM = "WHO=REFERENCE"


def declare(
    context: typer.Context,
    *,
    agreement: Annotated[str, typer.Argument(help="Its id.")],
    name: Annotated[str, typer.Argument(metavar="DELIVERY|LOT|RELEASE", help="Or the beginning of its name.")],
    purpose: Annotated[str, typer.Option(help="One that the agreement allows.")],
    by: Annotated[str, typer.Option(help="Who declares it: a person, by a name that the auditor knows.")],
    case: Annotated[str | None, typer.Option(metavar="REFERENCE", help="The case that it is for.")] = None,
    years: Annotated[int | None, typer.Option(min=0, help="The most that the law threatens for the offence.")] = None,
    test: Annotated[list[str] | None, typer.Option(help="A test that the offence meets; repeat.")] = None,
    understanding: Annotated[str | None, typer.Option(metavar="REFERENCE", help="The express understanding.")] = None,
    consent: Annotated[
        list[str] | None, typer.Option(metavar=_BY_WHOM, help="An originator's consent; repeat.")
    ] = None,
    reviewed_by: Annotated[str | None, typer.Option(metavar="NAME", help="The person who looked at it.")] = None,
    notice: Annotated[list[str] | None, typer.Option(metavar=_BY_WHOM, help="Who was told, and how; repeat.")] = None,
    authority: Annotated[
        list[str] | None, typer.Option(metavar=_BY_WHOM, help="Who ordered or allowed it, and how; repeat.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say whether it would do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Declare what a release is for, and show what its conditions ask for.

    For the rows of one lot, in the place of what the agreement declares for every scheduled release. It is kept, with who declared it, in the ledger, and goes into the manifest: references only, never a person's data. Exit code 3 when a condition is still missing: nothing is written then.

    Examples:
      safeconduct declare us-eu-pnr pnr-push.5e1f --purpose terrorist-offences --by j.example \
        --notice european-commission="List of codes, given"
      safeconduct declare us-eu-pnr 3f9c2a --purpose transnational-crime --by j.example \
        --notice european-commission="List of codes, given" --case 2026/114 --years 5 --test more-than-one-country
    """
    from pipeline.core.conditions import shown_for
    from pipeline.edges import record

    call = Call.of(context, as_json)
    if test and years is None:
        raise typer.BadParameter("--test needs --years: a test says what an offence is like.")
    site = call.site()
    asked = site.catalogue().agreement(agreement)
    lot = the_lot(site, name)
    kept = _to_be_released(site, asked, lot)
    said = _declared(
        {
            "by": by,
            "at": site.now(),
            "declaration": {
                "purpose": purpose,
                "case_reference": case,
                "offence": {"most_years": years, "tests": tuple(test or ())} if years is not None else None,
                "understanding": understanding,
                "consents": _by_whom(consent or (), "--consent"),
                "reviewed": {"by": reviewed_by, "at": site.now()} if reviewed_by is not None else None,
                "notices": _by_whom(notice or (), "--notice"),
                "authorities": _by_whom(authority or (), "--authority"),
            },
        }
    )
    shown = shown_for(asked, said.declaration)
    for key in kept if not dry_run else ():
        record.declare(site, asked, key, said)
    if call.json:
        call.document({"agreement": asked.id, "kept": kept, "declared": not dry_run, "conditions": shown})
    call.table(
        ("condition", "kind", "shown by", "clause"), [(one.condition, one.kind, one.by, one.clause) for one in shown]
    )
    call.say(f"{'Would be declared' if dry_run else 'Declared'} for {', '.join(kept)}: {purpose}.")
    if not dry_run:
        call.say(f"Now release it: `safeconduct replay {lot}`, or clear its run in the Airflow UI.")


def _to_be_released(site: "Site", asked: "Agreement", lot: str) -> list[str]:
    """The keys of the lot's kept rows that are not released under the agreement yet: at least one."""
    from pipeline.edges.publication import release_name

    kept = [one for one in site.vault.of_lot(lot) if one.feed in asked.feeds]
    left = [one.key for one in kept if not site.publication.find(asked.recipient, release_name(asked, one))]
    if not left:
        why = "is released already" if kept else f"is kept that {asked.id} is about"
        raise Misconfigured(
            Code.NOT_FOUND,
            f"there is nothing to declare: {'everything' if kept else 'nothing'} of {lot} {why}.",
            next_step="`safeconduct status` shows what waits for its release.",
        )
    return left


def _declared(said: dict[str, Any]) -> "Declared":
    from pydantic import ValidationError

    from pipeline.edges.declarations import Declared

    try:
        return Declared.model_validate(said)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"] if part != "declaration")
        raise typer.BadParameter(f"{where}: {fault['msg']}.") from None


def _by_whom(said: Sequence[str], option: str) -> dict[str, str]:
    pairs = [one.partition("=") for one in said]
    if not all(who and reference for who, _, reference in pairs):
        raise typer.BadParameter(f"{option} needs {_BY_WHOM}.")
    if len({who for who, _, _ in pairs}) < len(pairs):
        raise typer.BadParameter(f"{option} names somebody twice: one reference for each.")
    return {who: reference for who, _, reference in pairs}

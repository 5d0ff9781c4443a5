"""`safeconduct explain`: what would a recipient see?"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.console.call import AsJson, Call, when
from pipeline.core.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from pipeline.console.rehearsal import Rehearsed
    from pipeline.core.agreement import Agreement, Condition, RowRule, Treatment
    from pipeline.core.validation import CompiledSchema
    from pipeline.edges.catalogue import Catalogue
    from pipeline.edges.site import Site


def explain(
    context: typer.Context,
    *,
    agreement: Annotated[str, typer.Argument(help="Its id; The file name below agreements/, without .toml.")],
    sample: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A delivery to try it on. Nothing is written, no value shown.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain what an agreement's recipient would see, and why.

    Which column is treated how, under which clause, and which column is not released.

    Examples:
      safeconduct explain pnr-eu-piu
      safeconduct explain aeo-statistics --sample list.csv
    """
    call = Call.of(context, as_json)
    site = call.site()
    catalogue = site.catalogue()
    asked = catalogue.agreement(agreement)
    explained = explanation(site, catalogue, asked)
    tried = _try(site, catalogue, asked, sample) if sample else None
    call.document({**explained, "sample": tried}) if call.json else _show(call, explained)
    if tried:
        show_rehearsed(call, tried)
        if tried.refusal or tried.releases[0].refusal:
            raise typer.Exit(Refused.exit_code)


def explanation(site: "Site", catalogue: "Catalogue", agreement: "Agreement") -> dict[str, Any]:
    """The agreement in plain facts."""
    from pipeline.core.duration import after
    from pipeline.edges.schemas import schema_of

    schema, now = schema_of(catalogue.feed(agreement.feed)), site.now()
    handling = agreement.handling
    return {
        "agreement": agreement.id,
        "title": agreement.title,
        "instrument": agreement.instrument,
        "confidence": agreement.confidence,
        "provider": agreement.provider,
        "recipient": agreement.recipient,
        "feed": agreement.feed,
        "format": agreement.format,
        "status": agreement.status.value,
        "in_force": {"from": agreement.in_force.since, "until": agreement.in_force.until},
        "may_release_now": may_release(site, catalogue, agreement),
        "purposes": agreement.purposes.model_dump(),
        "rows": [_rule(rule) for rule in agreement.rows],
        "columns": [
            {
                "column": name,
                "category": schema.categories[name].value if name in schema.categories else "unknown column",
                "treatment": _treatment(treatment),
                "until": treatment.until,
                "gone_by": after(now, treatment.until) if treatment.until else None,
                "clause": treatment.clause,
            }
            for name, treatment in agreement.columns.items()
        ],
        "not_released": _not_released(agreement, schema),
        "statistics": agreement.statistics.model_dump() if agreement.statistics else None,
        "handling": {
            "marking": f"TLP:{handling.tlp.value}",
            "caveats": handling.caveats,
            "onward": handling.onward,
            "delete_after": handling.retention.delete_after,
            "delete_by": after(now, handling.retention.delete_after),
            "clause": handling.retention.clause,
        },
        "recipient_keys": _keys(site, agreement.recipient),
    }


def may_release(site: "Site", catalogue: "Catalogue", agreement: "Agreement") -> dict[str, Any]:
    """Whether a release made now would be authorised, and if not, why."""
    from pipeline.core.authority import authorise
    from pipeline.core.errors import SafeconductError

    try:
        authorise(
            agreement,
            agreement_digest=catalogue.digests[agreement.id],
            recipient_keys=site.keyring.recipients(agreement.recipient),
            at=site.now(),
        )
    except SafeconductError as refusal:
        return {"yes": False, "code": refusal.code.value, "why": refusal.message, "next_step": refusal.next_step}
    return {"yes": True, "code": None, "why": None, "next_step": None}


def show_rehearsed(call: Call, tried: "Rehearsed") -> None:
    """What would become of a file, for people."""
    call.say()
    call.say(f"{tried.file} as a delivery of {tried.feed} (nothing was written):", style="bold")
    if tried.refusal:
        call.say(f"  refused as a whole: {tried.refusal}", style="red")
        return
    call.say(f"  {tried.received} rows received, {tried.accepted} accepted, {tried.rejected} rejected")
    show_findings(call, tried.findings)
    shown = ("released", "out_of_scope", "withheld", "suppressed")
    rows = [
        (one.agreement, one.recipient, *(one.rows[name] for name in shown), _by_rule(one.rows))
        for one in tried.releases
        if one.rows
    ]
    if rows:
        call.table(
            ("agreement", "recipient", "released", "out of scope", "withheld", "suppressed", "kept back by"), rows
        )
    for one in tried.releases:
        if one.refusal:
            call.say(f"  {one.agreement}: {one.refusal}", style="red")


def show_findings(call: Call, findings: Iterable[dict[str, Any]]) -> None:
    """Rules, columns, counts and positions; never a value."""
    rows = [
        (
            found["column"] or "(row)",
            found["rule"],
            found["count"],
            ", ".join(map(str, found["positions"])) + (", ..." if found["count"] > len(found["positions"]) else ""),
        )
        for found in findings
    ]
    if rows:
        call.table(("column", "rule", "count", "at record or segment"), rows)


def _try(site: "Site", catalogue: "Catalogue", agreement: "Agreement", sample: Path) -> "Rehearsed":
    from pipeline.console.rehearsal import rehearse

    return rehearse(site, catalogue.feed(agreement.feed), [agreement], sample)


def _show(call: Call, told: dict[str, Any]) -> None:
    call.say(f"{told['agreement']}: {told['title']}", style="bold")
    call.say(f"  {told['instrument']} (confidence: {told['confidence']})")
    call.say(f"  {told['provider']} gives {told['feed']} to {told['recipient']}, as {told['format']}")
    in_force = told["in_force"]
    call.say(f"  {told['status']}, in force from {when(in_force['from'])} until {when(in_force['until'])} UTC")
    now = told["may_release_now"]
    if now["yes"]:
        call.say("  releases now", style="green")
    else:
        call.say(f"  releases nothing now [{now['code']}]: {now['why']} Next: {now['next_step']}", style="red")
    purposes = told["purposes"]
    call.say(f"  for {purposes['declared']} (allowed: {', '.join(purposes['allow'])}; {purposes['clause']})")
    call.say(f"  recipient's keys: {told['recipient_keys']['registered']} in {told['recipient_keys']['file']}")
    columns = [
        (row["column"], row["category"], row["treatment"], _until(row), row["clause"]) for row in told["columns"]
    ]
    call.table(("column", "category", "treatment", "until", "clause"), columns, title="Released")
    hidden = [(row["column"], row["category"], row["why"]) for row in told["not_released"]]
    call.table(("column", "category", "why"), hidden, title="Not released")
    if told["rows"]:
        rules = [(row["name"], row["released_when"], row["otherwise"], row["clause"]) for row in told["rows"]]
        call.table(("row rule", "a row is released when", "otherwise", "clause"), rules, title="Rows")
    if told["statistics"]:
        statistics = told["statistics"]
        call.say(
            f"Rows become counts in {statistics['count_as']}; cells below {statistics['smallest_cell']} are "
            f"suppressed, and enough others with them ({statistics['clause']})."
        )
    handling = told["handling"]
    call.say(f"Handling: {handling['marking']}; onward: {handling['onward']}")
    for caveat in handling["caveats"]:
        call.say(f"  {caveat}")
    call.say(
        f"  deleted by its recipient {handling['delete_after']} after release: "
        f"{when(handling['delete_by'])} UTC if released now ({handling['clause']})"
    )


def _until(row: dict[str, Any]) -> str:
    return f"{row['until']} ({when(row['gone_by'].date())})" if row["until"] else ""


def _by_rule(rows: dict[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in rows["by_rule"].items() if count)


def _treatment(treatment: "Treatment") -> str:
    """Its name and whatever the agreement sets for it."""
    settings = treatment.model_dump(exclude={"treatment", "clause", "until"}, exclude_defaults=True)
    said = ", ".join(
        name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {value}"
        for name, value in settings.items()
    )
    return f"{treatment.treatment} ({said})" if said else treatment.treatment


def _rule(rule: "RowRule") -> dict[str, Any]:
    conditions, word = (rule.any, " or ") if rule.any else (rule.all, " and ")
    return {
        "name": rule.name,
        "released_when": word.join(_condition(condition) for condition in conditions),
        "otherwise": rule.otherwise.value,
        "clause": rule.clause,
    }


def _condition(condition: "Condition") -> str:
    if condition.any_of is not None:
        return f"{condition.column} is {' or '.join(condition.any_of)}"
    if condition.in_codes is not None:
        return f"{condition.column} is in {condition.in_codes}"
    return f"{condition.column} is {condition.at_least} or later"


def _not_released(agreement: "Agreement", schema: "CompiledSchema") -> list[dict[str, str]]:
    return [
        {"column": name, "category": category.value, "why": "the agreement does not name it"}
        for name, category in schema.categories.items()
        if name not in agreement.columns
    ]


def _keys(site: "Site", partner: str) -> dict[str, Any]:
    path = site.keyring.recipients_path(partner)
    try:
        return {"registered": len(site.keyring.recipients(partner)), "file": path}
    except Misconfigured:
        return {"registered": 0, "file": path}

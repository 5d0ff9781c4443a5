"""`safeconduct register`: which texts and agreements do we exchange under?"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted, when
from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from pipeline.core.language.agreement import Agreement
    from pipeline.core.register import Row, Wanted
    from pipeline.edges.catalogue import Broken, Catalogue

INSTRUMENTS = ("instrument", "parties", "kind", "status", "since", "until", "review", "records", "agreements")
AGREEMENTS = ("agreement", "version", "rests on", "from", "to", "feed", "status", "since", "until", "review")
SOON = "P90D"
STYLES = {
    "in force": "green",
    "active": "green",
    "suspended": "red",
    "not yet in force": "yellow",
    "draft": "yellow",
    "unknown": "yellow",
}

Cell = str | tuple[str, str]


def register(
    context: typer.Context,
    *,
    partner: Annotated[
        str, typer.Option(metavar="P", help="Only with this partner of the catalogue, or this party.")
    ] = "",
    kind: Annotated[str, typer.Option(metavar="K", help="Only texts of this kind, such as treaty.")] = "",
    status: Annotated[
        str, typer.Option(metavar="S", help="Only what stands so: of the text, or of an agreement.")
    ] = "",
    expires_within: Annotated[
        str, typer.Option(metavar="DURATION", help="Only what ends from now on within, such as P90D.")
    ] = "",
    review_due: Annotated[bool, typer.Option("--review-due", help="Only what must be looked at again by now.")] = False,
    catalogue: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A catalogue without a site; the site's own if left out.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write all of it, as feed register takes it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the register: every instrument, and every version of every agreement that rests on it.

    A declaration or a joint statement is there as well: it has commitments, and exchanges no records. What ends within 90 days and what must be looked at again is marked. Exit code 4 when a file of the register cannot be read: what is shown is then not the whole.

    Examples:
      safeconduct register
      safeconduct register --partner Canada
      safeconduct register --status suspended
      safeconduct register --expires-within P90D --json
      safeconduct register --csv > register.csv
    """
    call = Call.of(context, as_json)
    if as_csv and (as_json or partner or kind or status or expires_within or review_due):
        raise typer.BadParameter("--csv is the whole register, and nothing else: leave the other options out.")
    wanted = _wanted(partner, kind, status, expires_within, review_due=review_due)
    loaded, at = _loaded(call, catalogue)
    missing = _missing(loaded)
    rows = _rows_wanted(loaded, at, wanted)
    if as_csv:
        _write(rows, missing)
        return
    if call.json:
        broken = [one.where for one in missing]
        call.document({"at": at, "broken": broken, "instruments": list(_documents(rows))})
    else:
        show(call, rows)
    for one in missing:
        call.warn(f"{one.where}: {one.message}. What the file says is not shown. Next: `safeconduct check`.")
    if missing:
        raise typer.Exit(Misconfigured.exit_code)


def show(call: Call, rows: "Iterable[Row]") -> None:
    """The rows, for people."""
    rows = tuple(rows)
    if not rows:
        call.say("Nothing in the register is so.")
        return
    by_instrument = _by_instrument(rows)
    call.table(INSTRUMENTS, [_instrument_row(resting) for resting in by_instrument.values()])
    versions = [_agreement_row(row, row.version) for row in rows if row.version]
    if versions:
        call.table(AGREEMENTS, versions)
    without = sum(not resting[0].instrument.exchanges_records for resting in by_instrument.values())
    what = f"{counted(len(by_instrument), 'instrument')}, {without} without records"
    call.say(f"{what}; {counted(len(versions), 'version')} of agreements.")


def _wanted(partner: str, kind: str, status: str, expires_within: str, *, review_due: bool) -> "Wanted":
    from pydantic import TypeAdapter, ValidationError

    from pipeline.core.duration import Duration
    from pipeline.core.language.instrument import InstrumentStatus, Kind
    from pipeline.core.register import Standing, Wanted

    _known("--kind", kind, [one.value for one in Kind])
    _known("--status", status, [*(one.value for one in InstrumentStatus), *(one.value for one in Standing)])
    wanted = Wanted(partner=partner.strip(), kind=Kind(kind) if kind else None, status=status, review_due=review_due)
    if not expires_within:
        return wanted
    try:
        return replace(wanted, expires_within=TypeAdapter(Duration).validate_python(expires_within))
    except ValidationError:
        raise typer.BadParameter("--expires-within is an ISO 8601 duration such as P90D or P6M.") from None


def _known(option: str, value: str, values: list[str]) -> None:
    if value and value not in values:
        raise typer.BadParameter(f"{option} is one of: {', '.join(dict.fromkeys(values))}.")


def _loaded(call: Call, catalogue: Path | None) -> "tuple[Catalogue, datetime]":
    from pipeline.edges.catalogue import load

    if catalogue is None:
        site = call.site()
        return site.catalogue(), site.now()
    now = datetime.now(UTC)
    return load(catalogue.resolve(), now), now


def _missing(catalogue: "Catalogue") -> "list[Broken]":
    """The first fault of each file that belongs into the register and cannot be used."""
    faults = {one.path: one for one in reversed(catalogue.broken)}
    return [one for path, one in sorted(faults.items()) if path.parent.name in ("instruments", "agreements")]


def _rows_wanted(catalogue: "Catalogue", at: datetime, wanted: "Wanted") -> "tuple[Row, ...]":
    """The rows; `wanted.partner` names a partner of the catalogue, else a party."""
    from pipeline.core.register import chosen, has_party, register

    rows = register(catalogue.instruments, catalogue.versions, at)
    if wanted.partner in {"", *catalogue.partners}:
        return chosen(rows, wanted)
    if not any(has_party(row, wanted.partner) for row in rows):
        raise Misconfigured(
            Code.NOT_FOUND,
            f"{wanted.partner!a} is no partner of the catalogue, nor a part of a party's name.",
            next_step=f"name one of: {', '.join(sorted(catalogue.partners))}; or a party, such as Canada.",
        )
    return chosen(rows, replace(wanted, partner="", party=wanted.partner))


def _write(rows: "tuple[Row, ...]", missing: "list[Broken]") -> None:
    """The delivery on stdout; none where a file is missing in it, since the feed takes it for the whole register."""
    from pipeline.core.register import delivery

    for one in missing:
        raise one.error()
    typer.echo(delivery(rows), nl=False)


def _by_instrument(rows: "Iterable[Row]") -> "dict[str, list[Row]]":
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.instrument.id, []).append(row)
    return grouped


def _instrument_row(resting: "list[Row]") -> tuple[Cell, ...]:
    first = resting[0]
    said = first.instrument
    review = said.review.next if said.review else None
    return (
        said.id,
        ", ".join(said.parties),
        said.kind.value,
        _styled(said.status.value),
        when(said.since),
        _ending(said.until, soon=first.instrument_ends_by(_soon(first))),
        _reviewed(review, due=first.instrument_review_due),
        "yes" if said.exchanges_records else "no",
        ", ".join(f"{row.version.id} v{row.version.version}" for row in resting if row.version) or "-",
    )


def _agreement_row(row: "Row", version: "Agreement") -> tuple[Cell, ...]:
    return (
        version.id,
        str(version.version),
        version.instrument,
        version.provider,
        version.recipient,
        version.feed,
        _styled(row.standing.value if row.standing else "-"),
        when(version.in_force.since),
        _ending(version.in_effect_until, soon=row.version_ends_by(_soon(row))),
        _reviewed(version.review, due=row.version_review_due),
    )


def _documents(rows: "Iterable[Row]") -> "Iterable[dict[str, object]]":
    for resting in _by_instrument(rows).values():
        first = resting[0]
        yield {
            **first.instrument.model_dump(mode="json"),
            "review_due": first.instrument_review_due,
            "agreements": [_document(row, row.version) for row in resting if row.version],
        }


def _document(row: "Row", version: "Agreement") -> dict[str, object]:
    return {
        "id": version.id,
        "version": version.version,
        "title": version.title,
        "provider": version.provider,
        "recipient": version.recipient,
        "feed": version.feed,
        "status": row.standing,
        "since": version.in_force.since,
        "until": version.in_effect_until,
        "review": version.review,
        "review_due": row.version_review_due,
    }


def _soon(row: "Row") -> datetime:
    from pipeline.core.duration import after

    return after(row.at, SOON)


def _styled(said: str) -> Cell:
    return said, STYLES.get(said, "dim")


def _ending(until: date | datetime | None, *, soon: bool) -> Cell:
    return (f"{when(until)} soon", "yellow") if soon else when(until)


def _reviewed(review: date | None, *, due: bool) -> Cell:
    return (f"{when(review)} due", "red") if due else when(review)

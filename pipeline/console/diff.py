"""`safeconduct diff`: what would a recipient newly see, lose, be able to link, or keep longer?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.console.call import AsJson, Call, counted
from pipeline.core.errors import Code, Misconfigured, Refused

if TYPE_CHECKING:
    from pipeline.console.counterpart import Cells, Counterparts, Outcome
    from pipeline.console.sides import Named
    from pipeline.core.disclosure import Disclosure
    from pipeline.edges.catalogue import Catalogue

CELLS = ("column", "cells before", "cells after", "cells that differ")
_TITLES = ("", "what", "effect", "from", "to", "clause")
_COUNTS = ("released", "out_of_scope", "withheld", "suppressed")


def diff(
    context: typer.Context,
    *,
    old: Annotated[
        str | None,
        typer.Argument(help="FILE, REV:FILE (git), ID or ID@VERSION; alone: held against the version before."),
    ] = None,
    new: Annotated[str | None, typer.Argument(help="What it became.")] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="All agreements against another catalogue: a folder, or REV:FOLDER (git)."),
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A catalogue without a site; the site's own if left out.")
    ] = None,
    delivery: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A delivery to try both on; may be given more than once.")
    ] = None,
    samples: Annotated[bool, typer.Option("--samples", help="Try both on a synthetic delivery of ours.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a change of an agreement discloses: what its recipient newly sees, loses, can link, or keeps longer.

    What widens is marked. It needs the approvals of two people in the new file, for exactly this change: the text says what to write. Exit code 3 while they are missing. What cannot be compared counts as widening. A first version is shown in full and is held against nothing. With --delivery or --samples, also how many rows and cells come out otherwise; never a value.

    Examples:
      safeconduct diff pnr-eu-piu@1 pnr-eu-piu@2
      safeconduct diff HEAD:catalogue/agreements/pnr-eu-piu.toml catalogue/agreements/pnr-eu-piu.toml --samples
      safeconduct diff --against main:catalogue --catalogue catalogue      (in CI)
    """
    call = Call.of(context, as_json)
    default = _default(call, catalogue)
    if against:
        if old or new or delivery or samples:
            raise typer.BadParameter(
                "--against compares whole catalogues: leave OLD, NEW, --delivery and --samples out."
            )
        _show_all(call, against, default())
        return
    if not old:
        raise typer.BadParameter("name what to compare: OLD NEW, or one version, or --against DIR.")
    before, after = _pair(old, new, default)
    found = _held_against(before, after)
    tried = list(_tried(call, before, after, delivery or [], samples=samples))
    if call.json:
        call.document({**facts(found), "deliveries": tried})
    else:
        show(call, found)
        for one in tried:
            _show_tried(call, one)
    if missing(found):
        raise typer.Exit(Refused.exit_code)


def facts(found: "Disclosure") -> dict[str, Any]:
    """The difference in plain facts."""
    return {
        "agreement": found.new.id,
        "from": found.old.version if found.old else None,
        "to": found.new.version,
        "widens": bool(found.widening),
        "differences": [one.stated() for one in found.differences],
        "digest": found.digest if found.needs_approval else None,
        "approvals_missing": missing(found),
    }


def missing(found: "Disclosure") -> int:
    """How many approvals its new version lacks."""
    from pipeline.core.disclosure import missing_approvals

    return missing_approvals(found, found.new)


def show(call: Call, found: "Disclosure") -> None:
    """The difference, for people, and how to approve what widens."""
    from pipeline.core.disclosure import APPROVALS

    call.say(f"{found.new.id}: {_versions(found)}", style="bold")
    if not found.differences:
        call.say("  nothing differs.")
        return
    rows = [
        (
            ("WIDENS", "bold red") if one.widens and found.old else "",
            f"{one.what.value} {one.subject}".strip(),
            f"{one.effect.value}\n{one.why}".strip(),
            one.before or "-",
            one.after or "-",
            one.clause,
        )
        for one in found.differences
    ]
    call.table(_TITLES, rows)
    if found.old is None:
        call.say("A first version is held against nothing: whoever approves it approves all of it.")
        return
    widening = len(found.widening)
    call.say(f"{counted(len(found.differences), 'difference')}; {widening} {'widens' if widening == 1 else 'widen'}.")
    if widening and not missing(found):
        call.say(f"Approved by {APPROVALS} people for exactly this.", style="green")
    elif widening:
        _show_what_to_record(call, found)


def _versions(found: "Disclosure") -> str:
    if found.old is None:
        return "its first version"
    if found.old.version == found.new.version:
        return f"version {found.new.version}, as it was and as it is"
    return f"version {found.old.version} to version {found.new.version}"


def _show_what_to_record(call: Call, found: "Disclosure") -> None:
    from pipeline.core.disclosure import APPROVALS
    from pipeline.core.versions import file_of

    call.say(
        f"{missing(found)} of {APPROVALS} approvals are missing: so many different people must agree, and each add this to "
        f"{file_of(found.new)}:",
        style="red",
    )
    call.say()
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    for line in ("[[approvals]]", 'by = "YOUR NAME"', 'role = "privacy officer"', f"at = {now}"):
        call.say(line)
    call.say(f'widening = "{found.digest}"')
    call.say()


def _default(call: Call, catalogue: Path | None) -> "Callable[[], Catalogue]":
    """The catalogue that ids are looked up in, read once and only where it is needed."""

    @cache
    def loaded() -> "Catalogue":
        from pipeline.edges.catalogue import load
        from pipeline.edges.site import catalogue_root

        return load(catalogue.resolve() if catalogue else catalogue_root(call.site_directory))

    return loaded


def _pair(old: str, new: str | None, default: "Callable[[], Catalogue]") -> "tuple[Named | None, Named]":
    from pipeline.console.sides import Named, named

    one = named(old, default)
    if new:
        return one, named(new, default)
    versions = one.catalogue.versions.get(one.agreement.id, ())
    earlier = [version for version in versions if version.version < one.agreement.version]
    return (Named(earlier[-1], one.catalogue) if earlier else None), one


def _held_against(before: "Named | None", after: "Named") -> "Disclosure":
    from pipeline.core.disclosure import disclosure_diff

    around = before.catalogue if before else after.catalogue
    return disclosure_diff(before.agreement if before else None, after.agreement, before=around, after=after.catalogue)


def _show_all(call: Call, against: str, ours: "Catalogue") -> None:
    from pipeline.console.sides import catalogue_named

    theirs = catalogue_named(against)
    found = list(_all_differences(theirs, ours))
    gone = sorted(theirs.versions.keys() - ours.versions.keys())
    unapproved = [one for one in found if missing(one)]
    if call.json:
        call.document({"agreements": [facts(one) for one in found], "gone": gone, "approved": not unapproved})
    for one in found:
        show(call, one)
    for id in gone:
        call.say(f"{id}: is gone; nothing is released under it any more.")
    told = f"{counted(len(found), 'version')} changed or new, {counted(len(gone), 'agreement')} gone"
    call.say(f"{told}: {f'{len(unapproved)} must be approved' if unapproved else 'nothing widens unapproved'}.")
    if unapproved:
        raise typer.Exit(Refused.exit_code)


def _all_differences(theirs: "Catalogue", ours: "Catalogue") -> "Iterator[Disclosure]":
    """Each of our versions against the same one of theirs, else against the one before it, where anything differs.

    Raises:
        Misconfigured: an agreement of either cannot be read: what it changes could not be seen.
    """
    from pipeline.core.disclosure import amendment, disclosure_diff

    for catalogue in (ours, theirs):
        for broken in catalogue.broken:
            if catalogue is ours or broken.path.parent.name == "agreements":
                raise broken.error()
    for versions in ours.versions.values():
        known = {one.version: one for one in theirs.versions.get(versions[0].id, ())}
        for version in versions:
            if version.version in known:
                found = disclosure_diff(known[version.version], version, before=theirs, after=ours)
            else:
                found = amendment(version, ours)
            if found.differences:
                yield found


def _tried(
    call: Call, before: "Named | None", after: "Named", files: Sequence[Path], *, samples: bool
) -> "Iterator[Counterparts]":
    """What becomes of each file under both versions."""
    if not files and not samples:
        return
    if before is None or before.agreement.feed != after.agreement.feed:
        raise Misconfigured(
            Code.NOT_FOUND,
            "there are no two versions for one feed to try a delivery on.",
            next_step=f"`safeconduct preview {after.agreement.id}` shows what becomes of a delivery under one.",
        )
    from pipeline.console.counterpart import counterparts
    from pipeline.console.preview import given_or_synthetic
    from pipeline.edges.site import Site

    site = Site.open(call.site_directory) if (call.site_directory / "site.toml").is_file() else None
    opening = site.keyring.opening_identities if site else None
    with ExitStack() as stack:
        chosen = [*files, *([stack.enter_context(given_or_synthetic(None, after.agreement.feed))] if samples else [])]
        for file in chosen:
            yield counterparts(before, after, file, opening=opening, at=site.now() if site else datetime.now(UTC))


def _show_tried(call: Call, tried: "Counterparts") -> None:
    call.say()
    call.say(f"{tried.file.name} as a delivery of {tried.feed} (nothing was written, no value is shown):", style="bold")
    if tried.refusal or not tried.before or not tried.after:
        call.say(f"  refused as a whole: {tried.refusal.why if tried.refusal else ''}", style="red")
        return
    both = (tried.before, tried.after)
    titles = ("rows", *(f"version {one.version}{side}" for one, side in zip(both, _told_apart(*both), strict=True)))
    call.table(titles, _row_counts(*both))
    for one in both:
        if one.refusal:
            call.say(f"  version {one.version} releases nothing: {one.refusal.why}", style="red")
    if tried.rows_in_both is None:
        call.say("  its cells are not compared one by one: one of the two releases counts, or nothing.")
        return
    changed = [one for one in tried.cells if one.differ or None in (one.before, one.after)]
    if changed:
        call.table(CELLS, [cell_counts(one) for one in changed])
    alike, rows = len(tried.cells) - len(changed), counted(tried.rows_in_both, "row")
    call.say(f"  {alike} of {counted(len(tried.cells), 'column')} come out alike in the {rows} that both release.")


def _told_apart(before: "Outcome", after: "Outcome") -> tuple[str, str]:
    return (" before", " after") if before.version == after.version else ("", "")


def _row_counts(before: "Outcome", after: "Outcome") -> list[tuple[object, ...]]:
    counts = [
        {
            **{name: one.rows[name] for name in _COUNTS},
            **{f"kept back by {rule}": count for rule, count in one.rows["by_rule"].items()},
        }
        if one.rows
        else {}
        for one in (before, after)
    ]
    names = dict.fromkeys((*counts[0], *counts[1]))
    return [(name.replace("_", " "), *(count.get(name, "-") for count in counts)) for name in names]


def cell_counts(cells: "Cells") -> tuple[object, ...]:
    """A column's cells as a row under `CELLS`."""
    return (cells.column, *("-" if one is None else one for one in (cells.before, cells.after, cells.differ)))

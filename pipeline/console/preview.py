"""`safeconduct preview`: what would a recipient get of a file?"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.agreement import version_of
from pipeline.console.call import AsJson, Call, counted, when
from pipeline.console.findings import show_tried
from pipeline.console.readiness import Block, blocks
from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.wording import duration_in_words, treatment_in_words

if TYPE_CHECKING:
    from pipeline.console.glimpse import KeptBack, Previewed, Shown
    from pipeline.core.language.agreement import Agreement

_SIDE_BY_SIDE = 5
"""So many rows of a release are shown beside each other."""

_SAMPLING_SECONDS = 60


def preview(
    context: typer.Context,
    *,
    agreement: Annotated[str, typer.Argument(help="Its id.")],
    delivery: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A delivery of its feed; a synthetic one of ours if left out."),
    ] = None,
    rows: Annotated[int, typer.Option(metavar="N", min=0, help="Show so many released rows.")] = 3,
    column: Annotated[
        list[str] | None, typer.Option(metavar="C", help="Show this column only; may be given more than once.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="This version; the one in force if left out.")
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="As if it were that day; now if left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Preview a release: what the recipient would get of a file. It SHOWS VALUES of that file.

    Received and released by the journey itself, on a stage that is gone afterwards: nothing is published, recorded, or written in clear. An agreement that is not in force, or for which nobody has declared enough, is previewed all the same, and what stands in its way is said. Pseudonyms and tokens are made with keys of the preview's own: a release has others. Exit code 3 when the file or the release would be refused.

    Examples:
      safeconduct preview pnr-eu-piu
      safeconduct preview pnr-eu-piu --column surname --column frequent_flyer
      safeconduct preview us-eu-pnr-border --on 2027-02-28
      safeconduct preview aeo-statistics --delivery list.csv --rows 20
      safeconduct preview aeo-statistics --delivery list.csv --json
    """
    from pipeline.console.glimpse import previewed
    from pipeline.console.rehearsal import receive, stage

    call = Call.of(context, as_json)
    site = call.site()
    catalogue = site.catalogue()
    asked = version_of(catalogue, agreement, version)
    feed = catalogue.feed(asked.feed)
    columns = _columns(asked, column or ())
    in_the_way = blocks(site, catalogue, asked)
    with (
        given_or_synthetic(delivery, feed.id) as file,
        stage(catalogue, feed, [asked], at=on.replace(tzinfo=UTC) if on else site.now()) as on_stage,
    ):
        tried, kept = receive(on_stage, feed, file, opening=site.keyring.opening_identities)
        found = previewed(on_stage, asked, kept, rows, columns) if kept else None
    facts = {"agreement": asked.id, "version": asked.version, "synthetic": delivery is None, "blocked_by": in_the_way}
    if call.json:
        call.document({**facts, "delivery": tried, "preview": found})
    else:
        show_tried(call, tried, named="" if delivery else "A synthetic file")
        if found:
            _show(call, asked, found)
        _show_blocks(call, asked, in_the_way, found)
    if found is None:
        raise typer.Exit(Refused.exit_code)


def _columns(agreement: "Agreement", asked: Sequence[str]) -> Sequence[str]:
    from pipeline.console.lineage import released_columns

    released = released_columns(agreement)
    for name in asked:
        if name not in released:
            raise Misconfigured(
                Code.COLUMN_UNKNOWN,
                f"agreement {agreement.id} does not release {name!a}.",
                next_step=f"`safeconduct explain {agreement.id}` lists what it releases, and why not the others.",
            )
    return asked


@contextmanager
def given_or_synthetic(delivery: Path | None, feed: str) -> Iterator[Path]:
    """The file that was named, else a good sample of the feed, which is gone afterwards."""
    if delivery:
        yield delivery
        return
    with tempfile.TemporaryDirectory(prefix="safeconduct-sample-") as folder:
        yield _sample(Path(folder), feed)


def _sample(folder: Path, feed: str) -> Path:
    from pipeline.edges.supervision import PROJECT

    command = [sys.executable, "-m", "samples", str(folder), "--feed", feed]
    done = subprocess.run(  # noqa: S603
        command, cwd=PROJECT, capture_output=True, timeout=_SAMPLING_SECONDS, check=False
    )
    found = sorted((folder / feed).glob("good.*"))
    if done.returncode or not found:
        raise Misconfigured(
            Code.NOT_FOUND,
            f"there is no synthetic delivery of {feed}.",
            next_step="name a file of your own: --delivery FILE.",
        )
    return found[0]


def _show(call: Call, agreement: "Agreement", found: "Previewed") -> None:
    rows, handling, purpose = (found.manifest[name] for name in ("rows", "handling", "purpose"))
    call.say(
        f"  {rows['released']} released, {rows['out_of_scope']} out of scope, {rows['withheld']} withheld, "
        f"{rows['suppressed']} suppressed"
    )
    if found.kept_back:
        kept_back = [
            (one.rule, one.count, one.released_when, one.otherwise, one.clause, _positions(one))
            for one in found.kept_back
        ]
        titles = ("row rule", "rows", "a row is released when", "otherwise", "clause", "at record or segment")
        call.table(titles, kept_back, title="Kept back")
    call.say(f"{agreement.id}, version {agreement.version}: what {agreement.recipient} would get", style="bold")
    call.say(f"  {handling['marking']}; for {purpose['declared']} ({purpose['clause']})")
    for shown in purpose["conditions"]:
        call.say(f"    {shown['condition']} shown by {shown['by']} ({shown['clause']})")
    if risk := found.manifest["risk"]:
        call.say(
            f"  smallest group of rows that are alike: {risk['smallest_group']}; unique rows: {risk['unique_rows']}"
        )
    for number, part in enumerate(found.parts, start=1):
        _show_part(call, agreement, number, part)
    if not rows["released"]:
        call.say("  no row of it: the release would have no part", style="yellow")


def _show_part(call: Call, agreement: "Agreement", number: int, part: "Shown") -> None:
    files = f" in {part.objects} files" if part.objects > 1 else ""
    dates = " to ".join(f"{when(datetime.fromisoformat(end))} UTC" for end in part.until)
    until = dates or f"{duration_in_words(part.after)} after its {part.clock}"
    call.say(
        f"Part {number}: {counted(part.rows, 'row')}{files}, {counted(len(part.columns), 'column')}, until {until}"
    )
    for start in range(0, len(part.first_rows), _SIDE_BY_SIDE):
        beside = part.first_rows[start : start + _SIDE_BY_SIDE]
        titles = ("column", "treatment", *(f"row {start + at}" for at in range(1, len(beside) + 1)))
        call.table(
            titles,
            [(name, _treatment(agreement, name), *((row[name] or "") for row in beside)) for name in beside[0]],
        )


def _treatment(agreement: "Agreement", column: str) -> str:
    said = agreement.released.get(column)
    return treatment_in_words(said) if said else ""


def _positions(kept_back: "KeptBack") -> str:
    more = ", ..." if kept_back.count > len(kept_back.positions) else ""
    return ", ".join(map(str, kept_back.positions)) + more


def _show_blocks(call: Call, agreement: "Agreement", in_the_way: Iterable[Block], found: "Previewed | None") -> None:
    for block in in_the_way:
        call.say(f"As it stands it would release nothing [{block.code}]: {block.why}", style="yellow")
        call.say(f"  Next: {block.next_step}")
    if found and found.made_up:
        call.say(
            f"The preview has made up a declaration that shows every condition; a release needs a true one "
            f"(`safeconduct declare {agreement.id}`).",
            style="yellow",
        )

"""`safeconduct kit`: what does a partner need to send a feed right?"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, near
from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from pipeline.core.language.feed import Feed
    from pipeline.edges.catalogue import Catalogue

_SAMPLING_SECONDS = 120
_REFUSALS = "## A delivery is refused"


def kit(
    context: typer.Context,
    *,
    feed: Annotated[str, typer.Argument(help="Its id.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write it; kit/FEED if left out.")] = None,
    catalogue: Annotated[Path | None, typer.Option(metavar="DIR", help="A catalogue without a site.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write what a partner needs to send a feed right.

    A guide to every field with its rules and their source, how a delivery is written, signed, sealed and named, the codes of our answers, and synthetic deliveries: one that is good, one with bad rows, one that is refused. All from the feed's file and its schema.

    Examples:
      safeconduct kit pnr-push
      safeconduct kit aeo-members --out for-customs --catalogue catalogue
    """
    from pipeline.edges.catalogue import load
    from pipeline.edges.site import catalogue_root
    from pipeline.edges.supervision import PROJECT

    call = Call.of(context, as_json)
    known = load(catalogue.resolve() if catalogue else catalogue_root(call.site_directory))
    asked = known.feed(feed)
    folder = out or Path("kit") / feed
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text("".join(f"{line}\n" for line in _guide(asked, known)), encoding="utf-8")
    (folder / "answers.md").write_text(_answers(PROJECT / "docs/codes.md"), encoding="utf-8")
    samples = _samples(PROJECT, folder / "samples", feed)
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    if call.json:
        call.document({"feed": feed, "folder": folder, "files": written, "samples": samples})
    for path in written:
        call.say(str(near(path)))
    if not samples:
        call.warn(f"there is no synthetic delivery of {feed}.")
    call.say(f"The partner checks its own file with `safeconduct check FILE --feed {feed} --catalogue DIR`.")


def _guide(feed: "Feed", catalogue: "Catalogue") -> Iterator[str]:
    from pipeline.edges.schemas import meanings_of, schema_of

    schema, meanings = schema_of(feed, catalogue.code_lists), meanings_of(feed)
    yield f"# {feed.title}"
    yield f"\nFeed `{feed.id}`, from `{feed.partner}`, schema version {schema.version}.\n"
    yield from (f"- {line}" for line in _terms(feed))
    yield "\n## Fields\n"
    yield "Every value is text. An absent value is left empty. Where a field holds several items, each is a line of its own.\n"
    yield "| field | what is asked | source |"
    yield "|---|---|---|"
    for column in schema.columns:
        asked = "; ".join(meaning for (of, _), meaning in meanings.items() if of == column)
        yield f"| `{column}` | {asked.replace('|', '&#124;') or 'any text'} | {schema.sources[column]} |"
    yield "\n## Rules across fields\n"
    others = [(rule, meaning) for (of, rule), meaning in meanings.items() if of not in schema.columns]
    yield from (f"- `{rule}`: {meaning}" for rule, meaning in others)
    if not others:
        yield "None."
    yield "\n## How it is written\n"
    yield "```json"
    yield feed.format.model_dump_json(indent=1, by_alias=True, exclude_none=True)
    yield "```"
    yield "\nOur answers and their codes: [answers.md](answers.md). Synthetic deliveries are in `samples/`."


def _terms(feed: "Feed") -> Iterator[str]:
    yield f"Write each delivery below `{feed.id}/` of our landing, under a name without personal data. The same bytes twice are one delivery."
    if feed.signed:
        yield "Sign it first: `ssh-keygen -Y sign -n safeconduct -f KEY FILE`, and write `FILE.sig` beside it."
    if feed.sealed:
        yield "Seal it to our key before you sign it: `age -r RECIPIENT -o FILE.age FILE`."
    limits, acceptance = feed.limits, feed.acceptance
    yield f"At most {limits.max_bytes} bytes, {limits.max_rows} rows, {limits.max_cell_bytes} bytes in a value."
    share = f"{acceptance.max_rejected_share * 100:.6g} %"
    yield f"A delivery with more than {share} of bad rows, or fewer than {acceptance.min_rows} rows, is refused as a whole; else bad rows alone are kept back."
    if acceptance.budget:
        yield f"At most {acceptance.budget.rows} rows in any {acceptance.budget.per}, over all deliveries."
    if feed.expected:
        due = feed.expected
        yield f"Due at `{due.cron}` ({due.timezone}), late after {due.within}."


def _answers(codes: Path) -> str:
    """The part of the codes that a partner may get."""
    if not codes.exists():
        raise Misconfigured(
            Code.NOT_FOUND,
            f"{codes} is not there: a kit needs a clone of the project.",
            next_step="run it from a clone.",
        )
    text = codes.read_text(encoding="utf-8")
    section = text[text.index(_REFUSALS) :]
    return section[: section.find("\n## ", 1)].replace(_REFUSALS, "# Why a delivery is refused").rstrip() + "\n"


def _samples(project: Path, folder: Path, feed: str) -> list[Path]:
    command = [sys.executable, "-m", "samples", str(folder.absolute()), "--feed", feed]
    subprocess.run(  # noqa: S603 (a feed without samples is said, not an error)
        command, cwd=project, capture_output=True, timeout=_SAMPLING_SECONDS, check=False
    )
    return sorted(path for path in folder.rglob("*") if path.is_file())

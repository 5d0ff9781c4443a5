"""`safeconduct audit`: is everything still what was written, and is nothing added or missing?"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, console_of, near, on_terminal
from pipeline.core.errors import Conflict

if TYPE_CHECKING:
    from pipeline.core.audit import Report
    from pipeline.edges.audit import Progress
    from pipeline.edges.site import Site

_ENDINGS = (".txt", ".json", ".html")


def audit(
    context: typer.Context,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Read every object again, and the ledger from its beginning.")
    ] = False,
    known: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A checkpoint that you have kept (a note, or what `ledger --checkpoint --json` says): the ledger must continue it.",
        ),
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Write the report to FILE.txt, FILE.json or FILE.html, and sign it; repeat."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep it in the private store and the ledger, as each day's.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that everything is still what was written, and that nothing is missing or added.

    It reads the ledger, every manifest, part, proof, notice and record, and says for each kind what vouches for it. Without --full, the ledger is verified from the last checkpoint that a witness has cosigned (before that each entry is held against it), and sealed objects that have not changed since the last kept audit are not read again. Nothing is written but what --report and --keep ask for.

    Also told: releases that were intended and never came, that nobody has acknowledged for long, that are past their date; witnesses that are silent. Exit code 5 when anything is found, 0 when nothing is.

    The report of --report FILE is signed beside it, in FILE.dsse, as manifests are.

    Examples:
      safeconduct audit
      safeconduct audit --full --report audit.html --report audit.json
      safeconduct audit --known checkpoint-of-june.json
      safeconduct audit --json
    """
    from pipeline.core.audit import document
    from pipeline.core.audit_page import in_words, verdict
    from pipeline.edges import audit as edge

    call = Call.of(context, as_json)
    files = report or []
    for file in files:
        if file.suffix not in _ENDINGS:
            raise typer.BadParameter(f"--report ends in one of {', '.join(_ENDINGS)}")
    site = call.site()
    with _progress() as progress:
        done = edge.audit(site, full=full, known=_note(known) if known else None, progress=progress)
    for file in files:
        _write(site, done, file)
        call.note(f"Written: {near(file)}, signed in {near(file)}.dsse")
    if keep:
        from pipeline.edges.audit_keeping import keep as keep_report

        call.note(f"Kept: {keep_report(site, done)}")
    if call.json:
        call.document({**document(done), "exit_code": Conflict.exit_code if done.findings else 0})
    else:
        text = in_words(done).rstrip("\n").removesuffix(verdict(done)).rstrip("\n")
        call.say(text)
        call.say(verdict(done), style="red" if done.findings else "green")
    if done.findings:
        raise typer.Exit(Conflict.exit_code)


def _note(file: Path) -> bytes:
    """The signed note in a file: the file itself, or the one in an answer of `safeconduct ledger --checkpoint --json`."""
    content = file.read_bytes()
    if not content.startswith(b"{"):
        return content
    try:
        return str(json.loads(content)["note"]).encode()
    except (ValueError, KeyError, TypeError):
        raise typer.BadParameter(f"{near(file)} holds no checkpoint") from None


def _write(site: "Site", done: "Report", file: Path) -> None:
    from pipeline.core.audit import document
    from pipeline.core.audit_page import in_words, page
    from pipeline.core.canonical import canonical
    from pipeline.edges.audit_keeping import attested

    content = {
        ".txt": lambda: in_words(done).encode(),
        ".json": lambda: canonical(document(done)),
        ".html": lambda: page(done).encode(),
    }[file.suffix]()
    file.write_bytes(content)
    file.with_name(f"{file.name}.dsse").write_bytes(attested(site, done, {file.name: content}))


@contextmanager
def _progress() -> Iterator["Progress"]:
    """Where somebody looks on: what is being read, and how fast."""
    import sys
    import time

    if not on_terminal():
        yield lambda *_: None
        return
    began = time.monotonic()
    with console_of(sys.stderr).status("Reading the ledger") as status:

        def tell(kind: str, done: int, of: int, read: int) -> None:
            from pipeline.core.audit_page import in_bytes

            speed = in_bytes(int(read / max(time.monotonic() - began, 0.001)))
            status.update(f"Looking at {kind}: {done:,} of {of:,}; {in_bytes(read)} read, {speed} a second")

        yield tell

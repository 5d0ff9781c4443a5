"""`safeconduct check`: is the catalogue fit to run?"""

import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted
from pipeline.core.errors import Code, Misconfigured, SafeconductError

if TYPE_CHECKING:
    from pipeline.core.agreement import Agreement
    from pipeline.core.feed import Feed
    from pipeline.core.validation import CompiledSchema
    from pipeline.edges.catalogue import Catalogue
    from pipeline.edges.keys import Keyring


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file, where, and what to do."""

    path: Path
    line: int | None
    message: str
    next_step: str

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}" if self.line else str(self.path)


def check(
    context: typer.Context,
    *,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Only these files.")] = None,
    catalogue: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A catalogue without a site; the site's own if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the catalogue.

    Every file, every schema, every example case of an agreement, every partner's keys. Each fault is named with its file and line. Exit code 4 when there is one; a missing key is a warning.

    Examples:
      safeconduct check
      safeconduct check catalogue/agreements/pnr-eu-piu.toml
      safeconduct check --catalogue catalogue      (in CI, where there is no site)
    """
    from pipeline.edges.catalogue import load

    call = Call.of(context, as_json)
    root, keyring = _what_to_check(call, catalogue)
    loaded = load(root)
    wanted = {path.resolve() for path in files or ()}
    _known(wanted, root)
    faults = [fault for fault in _faults(loaded, root) if not wanted or fault.path.resolve() in wanted]
    warnings = list(_warnings(loaded, keyring)) if keyring else []
    found = {kind: len(getattr(loaded, kind)) for kind in ("partners", "feeds", "agreements", "code_lists")}
    cases = sum(len(agreement.cases) for agreement in loaded.agreements.values())
    if call.json:
        call.document(
            {"catalogue": root, "sound": not faults, **found, "cases": cases, "faults": faults, "warnings": warnings}
        )
    for fault in faults:
        call.say(f"{fault.where}: {fault.message}", style="red")
        call.say(f"  Next: {fault.next_step}")
    for warning in warnings:
        call.say(f"Warning: {warning}", style="yellow")
    nouns = ("partner", "feed", "agreement", "code list")
    what = ", ".join(counted(number, noun) for number, noun in zip(found.values(), nouns, strict=True))
    call.say(
        f"{root}: {what}, {counted(cases, 'example case')}: {counted(len(faults), 'fault') if faults else 'sound'}."
    )
    if faults:
        raise typer.Exit(Misconfigured.exit_code)


def _what_to_check(call: Call, catalogue: Path | None) -> "tuple[Path, Keyring | None]":
    from pipeline.edges.keys import Keyring
    from pipeline.edges.site import catalogue_root

    if catalogue:
        return catalogue.resolve(), None
    return catalogue_root(call.site_directory), Keyring.open(call.site_directory / "keys")


def _known(wanted: set[Path], root: Path) -> None:
    known = {path.resolve() for path in root.rglob("*.toml")} | set((_schemas()).glob("*.py"))
    for path in sorted(wanted - known):
        raise Misconfigured(
            Code.NOT_FOUND,
            f"{path} is neither a file of the catalogue {root} nor a schema.",
            next_step="name a .toml file below it or a module of schemas/, or leave the file out to check everything.",
        )


def _faults(catalogue: "Catalogue", root: Path) -> Iterator[Fault]:
    for broken in catalogue.broken:
        yield Fault(broken.path, broken.line, broken.message, "correct the file.")
    schemas: dict[str, CompiledSchema] = {}
    for feed in catalogue.feeds.values():
        try:
            schemas[feed.id] = _schema(feed, root)
        except _FaultFound as found:
            yield found.fault
    for agreement in catalogue.agreements.values():
        if agreement.feed in schemas:
            yield from _agreement_faults(agreement, schemas[agreement.feed], catalogue, root)


class _FaultFound(Exception):
    """A schema cannot be used."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


def _schema(feed: "Feed", root: Path) -> "CompiledSchema":
    from pipeline.edges.schemas import schema_of

    module = _schemas() / f"{feed.schema_module}.py"
    try:
        return schema_of(feed)
    except SafeconductError as error:
        path = root / "feeds" / f"{feed.id}.toml"
        # What schema_of says of a feed is about its `schema`; what it says of a schema is about the module.
        if module.exists() and error.message.startswith("schema "):
            path = module
        found = Fault(path, _line_with(path, r"^\s*schema\s*="), error.message, error.next_step)
    except Exception as error:  # noqa: BLE001  a module may do anything when it is imported
        lines = [step.lineno for step in traceback.extract_tb(error.__traceback__) if step.filename == str(module)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines[-1] if lines else None)
        found = Fault(module, line, f"it cannot be imported: {type(error).__name__}.", "correct the module.")
    raise _FaultFound(found)


def _agreement_faults(
    agreement: "Agreement", schema: "CompiledSchema", catalogue: "Catalogue", root: Path
) -> Iterator[Fault]:
    from pipeline.core.cases import failed_cases

    path = root / "agreements" / f"{agreement.id}.toml"
    try:
        for failed in failed_cases(agreement, schema, dict(catalogue.code_lists)):
            title = next((case.title for case in agreement.cases if failed.startswith(f"{case.title}: ")), "")
            line = _line_with(path, rf"title\s*=\s*.{re.escape(title)}")
            yield Fault(path, line, f"case {failed}.", "correct the case or the rule that it is about.")
    except SafeconductError as error:
        unknown = sorted(_columns_of(agreement) - set(schema.columns))
        line = _line_with(path, rf"\b{unknown[0]}\b") if unknown else None
        yield Fault(path, line, error.message, error.next_step)


def _columns_of(agreement: "Agreement") -> set[str]:
    asked = {condition.column for rule in agreement.rows for condition in (*rule.any, *rule.all)}
    return {*agreement.columns, *asked, *(name for case in agreement.cases for name in case.row)}


def _warnings(catalogue: "Catalogue", keyring: "Keyring") -> Iterator[str]:
    for feed in catalogue.feeds.values():
        if feed.signed:
            yield from _key_warnings(f"feed {feed.id}", keyring.allowed_signers, feed.partner)
    recipients = {agreement.recipient for agreement in catalogue.agreements.values()}
    for partner in sorted(recipients):
        yield from _key_warnings("its releases", keyring.recipients, partner)


def _key_warnings(what_for: str, read: Callable[[str], object], partner: str) -> Iterator[str]:
    try:
        read(partner)
    except Misconfigured as missing:
        yield f"{missing.message.rstrip('.')} for {what_for}. Next: {missing.next_step}"


def _line_with(path: Path, pattern: str) -> int | None:
    """The first line of the file in which the pattern is found."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((number for number, line in enumerate(lines, start=1) if re.search(pattern, line)), None)


def _schemas() -> Path:
    import schemas

    return Path(next(iter(schemas.__path__))).resolve()

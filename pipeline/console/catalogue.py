"""`safeconduct check`: is the catalogue fit to run, or a delivery fit to be sent?"""

import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, counted
from pipeline.core.errors import Code, Misconfigured, Refused, SafeconductError

if TYPE_CHECKING:
    from pipeline.core.language.agreement import Agreement
    from pipeline.core.language.feed import Feed
    from pipeline.core.validation import CompiledSchema
    from pipeline.edges.catalogue import Catalogue
    from pipeline.edges.keys import Keyring

_KINDS = {
    "partners": "partner",
    "feeds": "feed",
    "instruments": "instrument",
    "agreements": "agreement",
    "code_lists": "code list",
    "hierarchies": "hierarchy",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file, where, and what to do. `keys`: the path in the file, as `columns.surname.clause`."""

    path: Path
    line: int | None
    message: str
    next_step: str
    keys: str | None = None

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}" if self.line else str(self.path)


def check(
    context: typer.Context,
    *,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Only these files of the catalogue; with --feed, deliveries."),
    ] = None,
    feed: Annotated[
        str | None, typer.Option(metavar="FEED", help="The files are deliveries of this feed: would they be taken?")
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A catalogue without a site; the site's own if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the catalogue, or a delivery before it is sent.

    The catalogue: every file, every version, every schema, every example case of an agreement, every partner's keys. Each fault is named with its file, line and place in the file. Exit code 4 when there is one; a missing key is a warning.

    A delivery (--feed): parsed, validated and held exactly as it would be on arrival, in clear or sealed to the site; nothing is delivered, and no value is shown. Exit code 3 when it would be refused. A partner needs the catalogue alone, no site.

    Examples:
      safeconduct check
      safeconduct check catalogue/agreements/pnr-eu-piu.toml
      safeconduct check --catalogue catalogue      (in CI, where there is no site)
      safeconduct check list.csv --feed aeo-members --catalogue catalogue
    """
    from pipeline.edges.catalogue import load

    call = Call.of(context, as_json)
    if feed and not files:
        raise typer.BadParameter("--feed needs the files that are to be deliveries of it.")
    root, keyring = _what_to_check(call, catalogue)
    loaded = load(root)
    if feed:
        _check_deliveries(call, loaded, feed, files or [], keyring)
    else:
        _check_catalogue(call, loaded, {path.resolve() for path in files or ()}, keyring)


def _check_deliveries(call: Call, loaded: "Catalogue", feed: str, files: list[Path], keyring: "Keyring | None") -> None:
    from pipeline.console.delivery import known_feed
    from pipeline.console.findings import show_tried
    from pipeline.console.rehearsal import try_delivery

    asked, opening = known_feed(loaded, feed), keyring.opening_identities if keyring else None
    tried = [try_delivery(loaded, asked, file, opening=opening, at=datetime.now(UTC)) for file in files]
    if call.json:
        call.document({"feed": asked.id, "good": not any(one.refusal for one in tried), "deliveries": tried})
    for one in tried:
        show_tried(call, one)
        if not one.refusal:
            call.say("  would be accepted", style="green")
    if asked.signed:
        call.say(f"A delivery of {asked.id} comes with a signature, which is not looked at here.")
    if any(one.refusal for one in tried):
        raise typer.Exit(Refused.exit_code)


def _check_catalogue(call: Call, loaded: "Catalogue", wanted: set[Path], keyring: "Keyring | None") -> None:
    root = loaded.root
    _known(wanted, root)
    faults = [fault for fault in _faults(loaded) if not wanted or fault.path.resolve() in wanted]
    warnings = list(_warnings(loaded, keyring)) if keyring else []
    found = {kind: len(getattr(loaded, kind)) for kind in _KINDS}
    versions = [version for versions in loaded.versions.values() for version in versions]
    cases = sum(len(version.cases) for version in versions)
    if call.json:
        counts = {**found, "versions": len(versions), "cases": cases}
        call.document({"catalogue": root, "sound": not faults, **counts, "faults": faults, "warnings": warnings})
    for fault in faults:
        call.say(f"{fault.where}: {fault.message}", style="red")
        call.say(f"  Next: {fault.next_step}")
    for warning in warnings:
        call.say(f"Warning: {warning}", style="yellow")
    what = ", ".join(counted(number, _KINDS[kind]) for kind, number in found.items())
    call.say(
        f"{root}: {what}, {counted(cases, 'example case')}: {counted(len(faults), 'fault') if faults else 'sound'}."
    )
    if faults:
        raise typer.Exit(Misconfigured.exit_code)


def _what_to_check(call: Call, catalogue: Path | None) -> "tuple[Path, Keyring | None]":
    from pipeline.edges.site import catalogue_root, keyring_of

    if catalogue:
        return catalogue.resolve(), None
    return catalogue_root(call.site_directory), keyring_of(call.site_directory)


def _known(wanted: set[Path], root: Path) -> None:
    known = {path.resolve() for path in root.rglob("*.toml")} | set((_schemas()).glob("*.py"))
    for path in sorted(wanted - known):
        raise Misconfigured(
            Code.NOT_FOUND,
            f"{path} is neither a file of the catalogue {root} nor a schema.",
            next_step="name a .toml file below it or a module of schemas/; for a delivery, say of which feed: --feed FEED.",
        )


def _faults(catalogue: "Catalogue") -> Iterator[Fault]:
    for broken in catalogue.broken:
        yield Fault(
            broken.path,
            broken.line,
            broken.message,
            "correct the file.",
            ".".join(broken.keys) if broken.keys else None,
        )
    schemas: dict[str, CompiledSchema] = {}
    for feed in catalogue.feeds.values():
        try:
            schemas[feed.id] = _schema(feed, catalogue)
            _require_format(feed, schemas[feed.id], catalogue.root)
        except _FaultFound as found:
            yield found.fault
    for versions in catalogue.versions.values():
        for version in versions:
            if version.feed in schemas:
                yield from _agreement_faults(version, catalogue)


class _FaultFound(Exception):
    """A schema cannot be used."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


def _schema(feed: "Feed", catalogue: "Catalogue") -> "CompiledSchema":
    from pipeline.edges.schemas import schema_of

    module = _schemas() / f"{feed.schema_module}.py"
    try:
        return schema_of(feed, catalogue.code_lists)
    except SafeconductError as error:
        path = catalogue.root / "feeds" / f"{feed.id}.toml"
        # What schema_of says of a feed is about its `schema`; what it says of a schema is about the module.
        if module.exists() and error.message.startswith("schema "):
            path = module
        found = Fault(path, _line_with(path, r"^\s*schema\s*="), error.message, error.next_step)
    except Exception as error:  # noqa: BLE001  a module may do anything when it is imported
        lines = [step.lineno for step in traceback.extract_tb(error.__traceback__) if step.filename == str(module)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines[-1] if lines else None)
        found = Fault(module, line, f"it cannot be imported: {type(error).__name__}.", "correct the module.")
    raise _FaultFound(found)


def _require_format(feed: "Feed", schema: "CompiledSchema", root: Path) -> None:
    from pipeline.formats.readers import require_fit

    try:
        require_fit(feed, schema.columns)
    except Misconfigured as error:
        path = root / "feeds" / f"{feed.id}.toml"
        line = _line_with(path, r"^\s*(format\b.*=|\[format)")
        found = Fault(path, line, error.message, error.next_step, "format")
    else:
        return
    raise _FaultFound(found)


def _agreement_faults(agreement: "Agreement", catalogue: "Catalogue") -> Iterator[Fault]:
    """What is wrong with one version beyond its own file."""
    from pipeline.edges.catalogue import line_of
    from pipeline.edges.permission import faults_of

    path = catalogue.path_of(agreement)
    try:
        for unsound in faults_of(catalogue, agreement):
            keys = ".".join(unsound.keys)
            line = line_of(catalogue.texts[path], unsound.keys)
            yield Fault(path, line, f"{keys}: {unsound.message}", "correct the file.", keys)
    except SafeconductError as error:
        yield Fault(path, None, error.message, error.next_step)


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

"""One call of the command: for which site, and how it is answered.

An answer is text for people or, with `--json`, one JSON document on stdout and nothing else. Progress and warnings go to
stderr. An error leaves with the exit code of its class; a fault of our own says where it happened and nothing else, since a
foreign message may hold a cell value.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from typer.core import TyperCommand, TyperGroup

from pipeline.core.errors import Conflict, Misconfigured, Postponed, Refused, SafeconductError, Unavailable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from pipeline.edges.site import Site

DEFECT_EXIT_CODE = 1
SEVERITY = (
    0,
    Postponed.exit_code,
    Refused.exit_code,
    Unavailable.exit_code,
    Misconfigured.exit_code,
    Conflict.exit_code,
    DEFECT_EXIT_CODE,
)
"""Exit codes, the worst last: an operator first needs to know of what will not go away by itself."""

_WIDTH_OF_A_FILE = 200
"""Columns of a table that is not on a terminal: wide enough that no id is broken."""

AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document, for machines.")]


@dataclass(slots=True)
class Call:
    """The site, and how to answer."""

    site_directory: Path
    json: bool = False

    @classmethod
    def of(cls, context: typer.Context, as_json: bool = False) -> "Call":  # noqa: FBT001, FBT002 (an option's value)
        """This call, which answers in JSON from now on where that was asked for."""
        call = context.find_root().obj
        if not isinstance(call, cls):
            raise TypeError("the command was not started by pipeline.cli")
        call.json = as_json
        return call

    def site(self) -> "Site":
        """The site, opened."""
        from pipeline.edges.site import Site

        return Site.open(self.site_directory)

    def document(self, answer: object) -> None:
        """The whole answer for a machine."""
        print(json.dumps(answer, indent=2, ensure_ascii=False, default=_plain))

    def say(self, text: str = "", *, style: str = "") -> None:
        """A line of the answer for people."""
        if not self.json:
            console_of(sys.stdout).print(text, style=style, soft_wrap=True)

    def note(self, text: str, *, style: str = "dim") -> None:
        """A line about what is going on: never part of the answer."""
        console_of(sys.stderr).print(text, style=style, soft_wrap=True)

    def warn(self, text: str) -> None:
        self.note(f"Warning: {text}", style="yellow")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
        """A table of the answer for people. A cell may be a `(text, style)` pair."""
        if not self.json:
            console_of(sys.stdout).print(table(columns, rows, title=title))

    def fail(self, error: SafeconductError) -> None:
        """The error is told: code, message, next step."""
        if self.json:
            self.document({"error": failure(error), "exit_code": error.exit_code})
            return
        console = console_of(sys.stderr)
        console.print(f"{_class(error)} [{error.code.value}]", style="bold red", soft_wrap=True)
        console.print(plain(error.message), soft_wrap=True)
        console.print(f"Next: {plain(error.next_step)}", soft_wrap=True)

    def fail_as_defect(self, defect: str) -> None:
        """A fault of our own is told, by its place alone."""
        if self.json:
            self.document({"error": {"class": "defect", "message": defect}, "exit_code": DEFECT_EXIT_CODE})
            return
        console = console_of(sys.stderr)
        console.print("Defect", style="bold red")
        console.print(f"{defect}. Values are not shown, on purpose.", soft_wrap=True)
        console.print("Next: this is a fault in Safeconduct, not in your files. Report it with the line above.")


class Taught(TyperCommand):
    """A command whose docstring is its help: paragraphs flow, examples keep their lines."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **{**settings, "help": flowing(settings.get("help") or "")})


class Guarded(TyperGroup):
    """The commands, and the border that no foreign exception crosses."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SafeconductError as error:
            ctx.obj.fail(error)
            exit_code = error.exit_code
        except Exception as error:
            if _is_for_typer(error):
                raise
            ctx.obj.fail_as_defect(defect(error))
            exit_code = DEFECT_EXIT_CODE
        raise typer.Exit(exit_code)  # outside the except blocks, so that no foreign message comes along


def flowing(text: str) -> str:
    """The text, its paragraphs without line breaks; what is indented below `Examples:` stays."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(one if one.startswith("Examples:") else one.replace("\n", " ") for one in paragraphs)


def failure(error: SafeconductError) -> dict[str, object]:
    """The error as a part of a JSON answer."""
    return {
        "class": _class(error),
        "code": error.code.value,
        "message": error.message,
        "next_step": error.next_step,
    }


def defect(error: BaseException) -> str:
    """Which fault happened where, without its message."""
    where = [f"{Path(step.filename).name}:{step.lineno}" for step in traceback.extract_tb(error.__traceback__)]
    return f"{type(error).__name__} at {' > '.join(where[-4:])}"


def worst(exit_codes: Iterable[int]) -> int:
    """The exit code that an operator must know of first."""
    return max(exit_codes, key=SEVERITY.index, default=0)


def short(id: str | None) -> str:
    """The first 12 digits of a digest; they name it as well as all 64."""
    return id[:12] if id else "-"


def when(at: datetime | date | None) -> str:
    """The instant in UTC, to the minute."""
    if at is None:
        return "-"
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if isinstance(at, datetime) else at.isoformat()


def near(path: Path) -> Path:
    """The path as seen from the current folder, where it is below it."""
    path = path.absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`, `3 deliveries`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"


def plain(text: object) -> str:
    """The text without anything that a terminal would obey: a name or a cell may hold escape sequences."""
    shown = "" if text is None else str(text)
    return "".join(
        sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode() for sign in shown
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> "Table":
    """The table. A cell may be a `(text, style)` pair; the first column holds names, which are never broken."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, title_style="bold")
    for number, column in enumerate(columns):
        shown.add_column(column, overflow="fold", no_wrap=number == 0, min_width=len(column))
    for row in rows:
        cells = [cell if isinstance(cell, tuple) else (cell, "") for cell in row]
        shown.add_row(*(Text(plain(text), style=style) for text, style in cells))
    return shown


def on_terminal() -> bool:
    """Whether somebody looks at progress as it happens."""
    return sys.stderr.isatty()


def console_of(file: TextIO) -> "Console":
    """Colours on a terminal alone, and not where NO_COLOR is set; nothing in a text is taken for markup."""
    from rich.console import Console

    fixed = None if file.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_A_FILE
    return Console(file=file, width=fixed, highlight=False, markup=False, emoji=False)


def _class(error: SafeconductError) -> str:
    """Who acts: AlreadyThere is a Conflict."""
    kinds = (Refused, Misconfigured, Conflict, Postponed, Unavailable)
    return next((kind.__name__ for kind in kinds if isinstance(error, kind)), type(error).__name__)


def _is_for_typer(error: Exception) -> bool:
    """Whether it says how the command was used, or is how Typer leaves it; a closed pipe is Typer's as well."""
    return type(error).__module__.partition(".")[0] == "typer" or isinstance(error, (BrokenPipeError, EOFError))


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Path():
            return str(value)
        case set() | frozenset():
            return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")

"""Somebody at a terminal: a real site with demo partners, a copy of the catalogue, and some deliveries."""

import io
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from typer.testing import CliRunner

from pipeline import cli
from pipeline.core.errors import Refused
from samples import aeo_members, pnr_push

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Answer:
    """How a call ended and what it said."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout: anything beside it makes this fail."""
        return dict(json.loads(self.out))

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Desk:
    """Somebody at a terminal, with a site, a copy of the catalogue and some deliveries."""

    directory: Path

    @property
    def site(self) -> Path:
        return self.directory / "site"

    @property
    def catalogue(self) -> Path:
        return self.directory / "catalogue"

    def type(self, *arguments: object) -> Answer:
        done = CliRunner(env={"COLUMNS": "160"}).invoke(cli.app, ["--site", str(self.site), *map(str, arguments)])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Answer(done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments: object) -> dict[str, Any]:
        return self.type(*arguments, "--json").document

    def copied(self, directory: Path) -> "Desk":
        """The same desk elsewhere, keys and all."""
        shutil.copytree(self.directory, directory, dirs_exist_ok=True)
        return Desk(directory)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.catalogue / path
        text = file.read_text()
        if old not in text:
            raise AssertionError(f"{path} does not say {old}")
        file.write_text(text.replace(old, new))

    def line_of(self, path: str, line: str) -> int:
        """The number of the line that says this in a file of the catalogue."""
        return (self.catalogue / path).read_text().splitlines().index(line) + 1

    def releases(self) -> dict[str, str]:
        """The release to each recipient."""
        return {one["recipient"]: one["release"] for one in self.json("releases")["releases"]}

    def identity(self, partner: str) -> Path:
        return self.site / "demo" / partner / f"{partner}.identity.txt"

    def stored(self) -> dict[str, bytes]:
        """Every object in the stores."""
        root = self.site / "stores"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def desk_in(directory: Path) -> Desk:
    """A new desk there; a catalogue that is there already is kept."""
    if not (directory / "catalogue").exists():
        shutil.copytree(ROOT / "catalogue", directory / "catalogue")
    write(directory / "good.csv", members(150))
    write(directory / "bad-rows.csv", members(150, seed=2, bad_share=0.03))
    write(directory / "refused.csv", aeo_members.VARIANTS["missing-column"]())
    write(directory / "push.edi", passengers(30))
    desk = Desk(directory)
    made = desk.type("init", "--demo", "--catalogue", desk.catalogue)
    assert made.exit_code == 0, made.said
    return desk


def exchanged_in(directory: Path) -> Desk:
    """A desk after a run with good, partly bad and refused deliveries."""
    desk = desk_in(directory)
    files = [desk.directory / name for name in ("good.csv", "bad-rows.csv", "refused.csv")]
    assert desk.type("deliver", *files, "--feed", "aeo-members").exit_code == 0
    assert desk.type("deliver", desk.directory / "push.edi", "--feed", "pnr-push").exit_code == 0
    assert desk.type("run").exit_code == Refused.exit_code
    return desk


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def members(operators: int, *, seed: int = 1, bad_share: float = 0.0) -> bytes:
    out = io.BytesIO()
    aeo_members.write(out, operators=operators, seed=seed, bad_share=bad_share)
    return out.getvalue()


def passengers(travellers: int, *, seed: int = 1) -> bytes:
    out = io.BytesIO()
    pnr_push.write(out, travellers=travellers, seed=seed)
    return out.getvalue()


def values_delivered() -> frozenset[str]:
    """Values that the deliveries of a desk hold."""
    columns = ("tin", "eori", "account_number", "legal_name", "contact_name", "contact_email", "street")
    found: set[str] = set()
    for content in (members(150), members(150, seed=2, bad_share=0.03)):
        rows = pl.read_csv(io.BytesIO(content), infer_schema=False)
        for column in columns:
            found |= {cell for cell in rows[column].drop_nulls() if len(cell) >= 6}
    names = re.findall(rb"TIF\+([A-Z]{6,})[:+']", passengers(30))
    assert names
    return frozenset(found | {name.decode() for name in names})


def shown_values(answer: Answer, values: frozenset[str]) -> int:
    return sum(value in answer.said for value in values)

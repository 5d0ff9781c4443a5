"""One small agreement on a list of traders that is kept already, for tests that change what the agreement says."""

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline import journey
from pipeline.core.errors import Code, SafeconductError
from pipeline.edges.opening import sign, signer_line
from pipeline.edges.publication import Published
from pipeline.edges.registered import AGREEMENTS
from samples import aeo_members
from tests.exchange import FEW, Exchange

KEPT_IN = """\
[[rows]]
name = "members"
all = [{ column = "program_status", in_codes = "statuses-v1" }]
clause = "D1"

[columns.country]
treatment = "keep"
clause = "D1"

[columns.program_status]
treatment = "keep"
clause = "D1"
"""
FOR_CUSTOMS = """\
[purposes.customs-control]
clause = "D1"

[declared]
purpose = "customs-control"
"""
STATUSES = """\
id = "statuses-v1"
title = "Statuses of a member"
agreed_on = 2026-01-01
source = "a test"
codes = ["VALIDATED", "TIER3"]
"""


ACTIVE = '{ to = "active", since = 2020-01-01T00:00:00Z, reason = "signed" }'


def superseded(day: str) -> str:
    """The status of a version that gives way to the next: that one may last as long, and then widens nothing."""
    return f'{ACTIVE}, {{ to = "superseded", since = {day}T00:00:00Z, reason = "amended" }}'


def agreement(
    *,
    version: int = 1,
    top: str = "",
    status: str = ACTIVE,
    begins: str = "2020-01-01",
    ends: str = "2040-01-01",
    recipient: str = "eu-customs",
    purposes: str = FOR_CUSTOMS,
    columns: str = KEPT_IN,
    marking: str = 'tlp = "AMBER"',
    handling: str = "",
    retention: str = 'clock = "released"\ndelete_after = "P1Y"',
    more: str = "",
) -> str:
    """The file of the agreement `story`: keeps two columns of the members that are validated."""
    return f"""\
id = "story"
version = {version}
title = "A story"
instrument = "eu-us-mutual-recognition"
provider = "example-customs"
recipient = "{recipient}"
feeds = ["aeo-members"]
status = [{status}]
format = "csv"
in_force = {{ from = {begins}T00:00:00Z, until = {ends}T00:00:00Z }}
{top}
{purposes}
[clauses.D1]
says = "All that the story is about"
confidence = "design"
permits = ["direct identifier", "free text"]

{columns}
[handling]
marking = {{ {marking} }}
onward = {{ default = "deny", says = "No", clause = "D1" }}
{handling}
[handling.retention]
{retention}
clause = "D1"

{more}"""


@dataclass
class Story:
    """An exchange with the agreement `story` alone, and one list of 60 traders in its vault."""

    exchange: Exchange
    kept: str

    @classmethod
    def begun(cls, directory: Path) -> "Story":
        exchange = Exchange(directory, feeds=FEW)
        for path in (directory / "catalogue" / "agreements").iterdir():
            path.unlink()
        (directory / "catalogue" / "codes" / "statuses-v1.toml").write_text(STATUSES, encoding="utf-8")
        exchange.drop("aeo-members", traders(), "list.csv")
        (received,) = exchange.receive()
        story = cls(exchange, received.kept[0])
        story.says(agreement())
        return story

    def copied(self, directory: Path) -> "Story":
        """The same in a place of its own, at the same instant."""
        shutil.copytree(self.exchange.directory, directory, dirs_exist_ok=True)
        exchange = Exchange.of(directory)
        exchange.now = self.exchange.now
        return Story(exchange, self.kept)

    @property
    def path(self) -> Path:
        return self.exchange.directory / "catalogue" / "agreements" / "story.toml"

    def says(self, text: str, *, version: int = 1) -> None:
        """The agreement's file says `text`."""
        path = self.path if version == 1 else self.path.with_name(f"story.v{version}.toml")
        path.write_text(text, encoding="utf-8")

    def release(self) -> journey.Released:
        return journey.release(self.exchange.site, "story", self.kept)

    def refused(self, kind: type[SafeconductError], code: Code, *, named: str = "") -> SafeconductError:
        """The release is refused so, and nothing of it is on shared storage."""
        with pytest.raises(kind) as refusal:
            self.release()
        assert (refusal.value.code, refusal.value.next_step != "") == (code, True)
        assert named in str(refusal.value)
        assert not any("/releases/" in listed.key for listed in self.exchange.site.publication.store.listing())
        return refusal.value

    def published(self) -> Published:
        """The one release that there is."""
        (published,) = self.exchange.published("story")
        return published

    def rows(self) -> pl.DataFrame:
        """The release as its recipient reads it, of one part."""
        (table,) = self.exchange.opened(self.published())
        return table

    def officer(self) -> "Officer":
        """A privacy officer whom the site knows."""
        officer = Officer(Ed25519PrivateKey.generate())
        path = self.exchange.directory / "site" / "keys" / "officers" / "allowed_signers"
        path.parent.mkdir(exist_ok=True)
        line = signer_line("officer", officer.key.public_key(), namespace=AGREEMENTS)
        path.write_text(f"{line}\n", encoding="utf-8")
        return officer

    def wants_signatures(self) -> None:
        """The site asks for a privacy officer's signature of every agreement."""
        path = self.exchange.directory / "site" / "site.toml"
        path.write_text(f"signed_agreements = true\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
        self.exchange.reopen()

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that decide what the agreement releases."""
        catalogue = self.exchange.directory / "catalogue"
        leant_on = (
            "instruments/eu-us-mutual-recognition",
            "codes/statuses-v1",
            "feeds/aeo-members",
            "partners/eu-customs",
        )
        return self.path, *(catalogue / f"{name}.toml" for name in leant_on)


@dataclass(frozen=True)
class Officer:
    """Somebody who signs files."""

    key: Ed25519PrivateKey

    def signs(self, *paths: Path, namespace: str = AGREEMENTS) -> None:
        for path in paths:
            path.with_name(f"{path.name}.sig").write_bytes(sign([path.read_bytes()], self.key, namespace=namespace))


def traders(operators: int = 60, *, change: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows) -> bytes:
    """A list of traders, all fine."""
    out = io.BytesIO()
    aeo_members.write(out, operators=operators, seed=1)
    return change(pl.read_csv(io.BytesIO(out.getvalue()), infer_schema=False)).write_csv().encode()

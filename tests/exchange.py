"""A whole exchange in a temporary folder: a real site with real stores and keys, its own copy of the catalogue, and its
demo partners, so that a test can drop a delivery, run the journey, change policy and look at what came out."""

import io
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from pipeline import journey
from pipeline.edges.demo_partner import create_demo_partner
from pipeline.edges.opening import read_private_key, sign
from pipeline.edges.publication import Published
from pipeline.edges.roles import read_identity
from pipeline.edges.sealing import Origin, open_sealed, seal
from pipeline.edges.site import S3, Site
from samples.wire import Written

ROOT = Path(__file__).resolve().parent.parent
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


Samples = tuple[tuple[str, Callable[..., Written], str], ...]
"""Feeds, each with what writes its sample and what that calls the number of its rows."""

FEW = ("aeo-members", "pnr-push", "register")
"""Feeds that show all that the journey does: a catalogue of these alone is read in a fraction of the time."""


@dataclass
class Exchange:
    """One site and its partners. `feeds`: those of the catalogue that it has, with their agreements; all if left out."""

    directory: Path
    now: datetime = NOON
    storage: str | None = None
    s3: S3 | None = None
    feeds: tuple[str, ...] | None = None
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "catalogue", self.directory / "catalogue")
        if self.feeds is not None:
            keep_only(self.directory / "catalogue", self.feeds)
        made = Site.create(self.directory / "site", self.directory / "catalogue", storage=self.storage, s3=self.s3)
        for partner in made.catalogue().partners:
            create_demo_partner(self.directory / "demo", made.keyring, partner, receives=True, signs=True)
        self.reopen()

    @classmethod
    def of(cls, directory: Path) -> "Exchange":
        """The exchange that is in `directory` already."""
        exchange = cls.__new__(cls)
        exchange.directory, exchange.storage, exchange.s3, exchange.feeds = directory, None, None, None
        exchange.now = datetime.now(UTC) + timedelta(minutes=5)
        exchange.reopen()
        return exchange

    def reopen(self) -> None:
        """A site as another worker would open it, at this exchange's clock."""
        self.site = replace(Site.open(self.directory / "site"), now=lambda: self.now)

    def drop(self, feed: str, content: bytes, name: str = "delivery", *, signed: bool = True) -> None:
        """The partner has written `content`, sealed and signed as the feed asks."""
        landing = self.site.landing.store
        declared = self.site.catalogue().feeds.get(feed)
        if declared and declared.sealed:
            content = seal(content, [self.site.keyring.opening.recipient])
        if declared and declared.signed and signed:
            key = read_private_key((self.directory / "demo" / f"{declared.partner}.ed25519").read_bytes())
            landing.put_new(f"{feed}/{name}.sig", sign([content], key, hash_name="sha256"))
        landing.put_new(f"{feed}/{name}", content)
        self.now = max(self.now, datetime.now(UTC)) + timedelta(seconds=30)

    def receive(self) -> list[journey.Received]:
        """Everything that has landed is received."""
        return [journey.receive(self.site, lot.id) for lot in journey.sweep(self.site).lots]

    def run(self) -> tuple[list[journey.Received], list[journey.Released]]:
        """Everything that has landed is received, and released under every agreement of its feed."""
        received = self.receive()
        released = [
            journey.release(self.site, agreement.id, kept)
            for one in received
            for kept in one.kept
            for agreement in self.site.catalogue().agreements_of(one.lot.partition(".")[0])
        ]
        return received, released

    def edit(self, path: str, old: str, new: str) -> None:
        """The catalogue file now says `new` where it said `old`."""
        file = self.directory / "catalogue" / path
        text = file.read_text(encoding="utf-8")
        if old not in text:
            raise AssertionError(f"{path} does not say {old}")
        file.write_text(text.replace(old, new), encoding="utf-8")

    def published(self, agreement: str) -> list[Published]:
        """What shared storage shows of an agreement."""
        return [one for one in self.site.publication.releases() if one.predicate["agreement"]["id"] == agreement]

    def opened(self, published: Published, *, member: str | None = None) -> list[pl.DataFrame]:
        """The parts as their recipient reads them, or a member of the community that is their recipient."""
        reader = member or published.recipient
        identity = read_identity((self.directory / "demo" / f"{reader}.identity.txt").read_bytes())
        read: dict[str, Callable[[io.BytesIO], pl.DataFrame]] = {
            "csv": lambda content: pl.read_csv(content, infer_schema=False),
            "parquet": pl.read_parquet,
        }
        return [
            read[part["key"].split(".")[-2]](
                io.BytesIO(
                    open_sealed(
                        b"".join(self.site.publication.part(published, part["key"])), identity, origin=Origin.STORE
                    )
                )
            )
            for part in published.predicate["parts"]
        ]

    def everything_in_clear(self) -> bytes:
        """Every byte of the site that is not sealed: objects that are not age files, keys and names."""
        found = []
        for path in sorted((self.directory / "site").rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                found.append(str(path).encode())
                if not content.startswith(b"age-encryption.org/v1"):
                    found.append(content)
        return b"\n".join(found)


def assert_only_bad_rows_are_rejected(exchange: Exchange, samples: Samples) -> None:
    """Of a sample of each feed, all rows are accepted but those that were made bad."""
    for feed, write, counted in samples:
        out = io.BytesIO()
        made = write(out, **{counted: 300}, seed=5, bad_share=0.03)
        exchange.drop(feed, out.getvalue(), "sample")
        (one,) = exchange.receive()
        assert (one.accepted_rows, one.rejected_rows) == (made.rows - made.bad_rows, made.bad_rows)
        assert made.bad_rows > 0


def keep_only(catalogue: Path, feeds: tuple[str, ...]) -> None:
    """Of the catalogue's feeds, agreements and partners those are left that have to do with `feeds`."""
    read = {path: tomllib.loads(path.read_text(encoding="utf-8")) for path in catalogue.glob("*/*.toml")}
    partners: set[str] = set()
    for path, said in read.items():
        if path.parent.name == "feeds" and said["id"] not in feeds:
            path.unlink()
        elif path.parent.name == "feeds":
            partners.add(said["partner"])
        elif path.parent.name == "agreements" and not set(said["feeds"]) <= set(feeds):
            path.unlink()
        elif path.parent.name == "agreements":
            partners.add(said["recipient"])
    for path, said in read.items():
        if path.parent.name == "partners" and said["id"] not in partners:
            path.unlink()

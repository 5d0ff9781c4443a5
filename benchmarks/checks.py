"""Did all contenders do the same work? Asked before anything is measured: who does less is faster."""

from pathlib import Path
from typing import Any

import polars as pl
import pyrage  # type: ignore[import-untyped]

from benchmarks import floor
from benchmarks.ground import Ground
from pipeline.core.delivery import POSITION
from pipeline.edges.roles import read_identity
from pipeline.edges.schemas import schema_of
from pipeline.edges.site import Site
from pipeline.formats.readers import limits_of, reader_of


class DiffersError(Exception):
    """Two contenders made different things; the message says where, with counts only."""


def same_release(ground: dict[str, Any], ours: str, peer: str) -> int:
    """So many rows did the journey release in the folder `ours`, and the peer the very same in `peer`, in the same order.

    Raises:
        DiffersError
    """
    landing = Ground(**ground)
    journeys, peers = _released(landing, ours), _opened(landing, [Path(landing.directory) / peer / "part.csv.age"])
    if journeys.columns != peers.columns or journeys.height != peers.height:
        raise DiffersError(f"ours is {journeys.shape}, the peer's {peers.shape}, or their columns differ")
    for name in journeys.columns:
        if count := journeys[name].ne_missing(peers[name]).sum():
            raise DiffersError(f"{count} cells of {name} differ")
    return journeys.height


def same_rows(ground: dict[str, Any]) -> int:
    """So many rows did polars alone read from the delivery, and our reader the very same, in the same order.

    Raises:
        DiffersError
    """
    landing = Ground(**ground)
    catalogue = Site.open(Path(landing.directory) / "site").catalogue()
    feed = catalogue.feed(landing.feed)
    columns = schema_of(feed, catalogue.code_lists).columns
    theirs, at = floor.read(landing), 0
    with landing.clear.open("rb") as file:
        blocks = iter(lambda: file.read(1024 * 1024), b"")
        for batch in reader_of(feed).read(blocks, columns, limits_of(feed)):
            if not batch.frame.drop(POSITION).equals(theirs.slice(at, batch.frame.height)):
                raise DiffersError(f"rows {at + 1} to {at + batch.frame.height} differ")
            at += batch.frame.height
    if at != theirs.height:
        raise DiffersError(f"our reader found {at} rows, polars {theirs.height}")
    return at


def _released(ground: Ground, name: str) -> pl.DataFrame:
    publication = Site.open(Path(ground.directory) / name).publication
    (published,) = publication.releases()
    folder = Path(ground.directory) / name / "stores" / "shared" / published.recipient / "releases" / published.release
    return _opened(ground, [folder / part["key"] for part in published.predicate["parts"]])


def _opened(ground: Ground, parts: list[Path]) -> pl.DataFrame:
    """The rows of CSV parts, as their recipient reads them with an age tool that is not ours."""
    secret = read_identity((Path(ground.directory) / "demo" / "eu-customs.identity.txt").read_bytes()).secret
    identity = pyrage.x25519.Identity.from_str(secret)
    clear = (pyrage.decrypt(part.read_bytes(), [identity]) for part in parts)
    return pl.concat(pl.read_csv(text, infer_schema=False) for text in clear)

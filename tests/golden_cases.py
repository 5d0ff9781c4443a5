"""Golden journeys: a delivery that lies in a folder goes in, the release that lies beside it comes out."""

from pathlib import Path

import polars as pl

from pipeline import journey
from pipeline.edges.publication import Published
from tests.exchange import Exchange

GOLDEN = Path(__file__).parent / "golden"


def received(exchange: Exchange, feed: str, content: bytes, name: str = "delivery") -> str:
    """The delivery is kept; the key to release."""
    exchange.drop(feed, content, name)
    (lot,) = (lot for lot in journey.sweep(exchange.site).lots if lot.feed == feed)
    (kept,) = journey.receive(exchange.site, lot.id).kept
    return kept


def released(
    exchange: Exchange, agreement: str, kept: str, *, member: str | None = None
) -> tuple[Published, pl.DataFrame]:
    """The release of the kept rows, as its recipient reads it, or a member of the community that is its recipient."""
    name = journey.release(exchange.site, agreement, kept).release
    (published,) = (one for one in exchange.published(agreement) if one.release == name)
    parts = exchange.opened(published, member=member)
    return published, pl.concat(parts) if parts else pl.DataFrame()


def delivery(folder: str, feed: str) -> bytes:
    """The delivery that lies in the folder for the feed."""
    (path,) = (GOLDEN / folder).glob(f"{feed}.*")
    return path.read_bytes()


def expected(folder: str, agreement: str) -> str:
    """What must come out, as CSV."""
    return (GOLDEN / folder / "released" / f"{agreement}.csv").read_text(encoding="utf-8")

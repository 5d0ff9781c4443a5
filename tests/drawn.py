"""Small deliveries that are drawn from a seed and changed by a test: which rules they break, and what becomes of them."""

import csv
import io
from pathlib import Path

import polars as pl

from pipeline import journey
from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.core.language.purpose import Declaration
from pipeline.core.validation import CompiledSchema, compile_schema, rejected
from pipeline.edges import record
from pipeline.edges.declarations import Declared
from pipeline.edges.publication import Published
from pipeline.formats.batch import Limits, Reader
from pipeline.formats.csv import Csv
from samples.small_lists import Row, SmallList
from tests.code_lists import LISTS
from tests.exchange import Exchange

PSEUDONYM = "<pseudonym>"


_compiled: dict[str, CompiledSchema] = {}


def compiled_once(small: SmallList) -> CompiledSchema:
    """The list's schema; to compile one takes half a second."""
    name = str(small.schema.name)
    if name not in _compiled:
        _compiled[name] = compile_schema(small.schema, LISTS)
    return _compiled[name]


def broken(small: SmallList, **cells: str) -> set[tuple[str, str]]:
    """The (column, rule)s that a good row breaks once `cells` are put into it."""
    compiled = compiled_once(small)
    row = small.rows(1)[0] | cells
    frame = pl.DataFrame(
        {POSITION: [1], **{name: [row.get(name) or None] for name in compiled.columns}},
        schema={POSITION: pl.UInt64(), **dict.fromkeys(compiled.columns, pl.String())},
    )
    tally = Tally()
    rejected(compiled, frame, tally)
    return {(finding.column, finding.rule) for finding in tally.findings()}


def bad_rows(small: SmallList, content: bytes, reader: Reader | None = None) -> int:
    """How many rows of a delivery the schema rejects."""
    compiled = compiled_once(small)
    batches = (reader or Csv()).read([content], compiled.columns, Limits())
    return sum(int(rejected(compiled, batch.frame, Tally()).sum()) for batch in batches)


def took(exchange: Exchange, feed: str, content: bytes, name: str) -> journey.Received:
    """The delivery `name` of the feed, received."""
    exchange.drop(feed, content, f"{name}.csv")
    (received,) = exchange.receive()
    return received


def kept(exchange: Exchange, feed: str, content: bytes, name: str) -> str:
    """The key of its rows, all of which were accepted."""
    received = took(exchange, feed, content, name)
    assert [refusal.code for refusal in received.refused] == []
    assert received.rejected_rows == 0
    (key,) = received.kept
    return key


def declare(exchange: Exchange, agreement: str, key: str, **said: object) -> None:
    """Somebody has declared it for these rows."""
    declared = Declared(declaration=Declaration.model_validate(said, strict=True), by="j.example", at=exchange.now)
    site = exchange.site
    record.declared(site, site.catalogue().agreement(agreement), key, declared)
    site.declarations.declare(agreement, key, declared)


def released(exchange: Exchange, agreement: str, key: str) -> tuple[Published, pl.DataFrame]:
    """The release of these rows, and its only part as the recipient reads it."""
    made = journey.release(exchange.site, agreement, key)
    (published,) = [one for one in exchange.published(agreement) if one.release == made.release]
    (part,) = exchange.opened(published)
    return published, part


def golden(path: Path) -> list[Row]:
    """The rows of a golden release; an absent cell is left out."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file)]


def told(part: pl.DataFrame, *, pseudonyms: tuple[str, ...] = ()) -> list[Row]:
    """The rows of a release as a golden one has them: an absent cell left out, each pseudonym as `<pseudonym>`."""
    for name in pseudonyms:
        assert part[name].str.contains(r"\A[0-9a-z]{20,40}\z").all(), name
    part = part.with_columns(pl.lit(PSEUDONYM).alias(name) for name in pseudonyms)
    return [{name: cell for name, cell in row.items() if cell is not None} for row in part.iter_rows(named=True)]


def cells(content: bytes) -> list[Row]:
    """The rows of a delivery."""
    return list(csv.DictReader(io.StringIO(content.decode())))

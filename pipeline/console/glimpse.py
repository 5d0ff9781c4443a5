"""What is in a release on the stage: its first rows, and where those are that were kept back."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.console.rehearsal import Stage, release
from pipeline.core.delivery import POSITION
from pipeline.core.findings import ROWS_NAMED, Tally
from pipeline.core.language.agreement import Agreement
from pipeline.core.layout import ROW
from pipeline.core.redaction import compile_redaction
from pipeline.core.scope import Events
from pipeline.core.wording import predicate_in_words
from pipeline.edges.permission import means
from pipeline.edges.publication import Published
from pipeline.edges.schemas import schema_of
from pipeline.edges.sealing import open_sealed
from pipeline.edges.vault import Kept


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Rows that a row rule keeps back. `positions`: the records or segments of the first of them."""

    rule: str
    released_when: str
    otherwise: str
    clause: str
    count: int
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts of a release that hold the same columns. `objects`: how many files; `until`: from the first to the last."""

    columns: tuple[str, ...]
    rows: int
    objects: int
    clock: str
    after: str
    until: tuple[str, ...]
    first_rows: tuple[dict[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Previewed:
    """The release as it would be. `made_up`: what the preview has declared, since nobody else has."""

    kept_back: tuple[KeptBack, ...]
    parts: tuple[Shown, ...]
    made_up: dict[str, Any] | None
    manifest: dict[str, Any]


def previewed(on_stage: Stage, agreement: Agreement, kept: Kept, rows: int, columns: Sequence[str]) -> Previewed:
    """The release of kept rows, opened on the stage; of its rows the first `rows`, of its columns those of `columns`.

    Raises:
        SafeconductError: what the journey would say to it.
    """

    acting = on_stage.acting(agreement)
    published, made_up = release(acting, agreement, kept)
    return Previewed(
        kept_back=tuple(_kept_back(acting, agreement, kept)),
        parts=tuple(_parts(acting, published, rows, columns)),
        made_up=made_up,
        manifest=published.predicate,
    )


def _kept_back(on_stage: Stage, agreement: Agreement, kept: Kept) -> Iterator[KeptBack]:
    """For each row rule the rows that it is the first to keep back, by their place in the delivery."""

    catalogue = on_stage.catalogue()
    schema = schema_of(catalogue.feed(agreement.feed), catalogue.code_lists)
    events = Events(on_stage.now(), kept.loaded_at)
    redaction = compile_redaction(agreement, schema, means(on_stage, catalogue, agreement), events)
    tally = Tally()
    for chunk in on_stage.vault.rows(kept) if agreement.rows else ():
        judged = chunk.select(POSITION, redaction.verdict.alias("rule")).drop_nulls("rule")
        for rule, rows in judged.group_by("rule"):
            tally.add(str(rule[0]), "", rows[POSITION].sort().head(ROWS_NAMED), rows.height)
    found = {finding.rule: finding for finding in tally.findings()}
    for said in agreement.rows:
        if one := found.get(said.name):
            yield KeptBack(
                said.name,
                predicate_in_words(said.predicate),
                said.otherwise.value,
                said.clause,
                one.count,
                one.positions,
            )


def _parts(on_stage: Stage, published: Published, rows: int, columns: Sequence[str]) -> Iterator[Shown]:

    together: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for part in published.predicate["parts"]:
        together.setdefault(tuple(part["columns"]), []).append(part)
    for held, parts in together.items():
        wanted = [name for name in held if not columns or name in columns or name == ROW]
        if columns and not set(wanted) - {ROW}:
            continue
        first = _first_rows(on_stage, published, parts, rows)
        ends = sorted({part["until"] for part in parts if part["until"]})
        yield Shown(
            columns=held,
            rows=sum(part["rows"] for part in parts),
            objects=len(parts),
            clock=parts[0]["clock"],
            after=parts[0]["after"],
            until=tuple(dict.fromkeys((ends[0], ends[-1]))) if ends else (),
            first_rows=tuple({name: row[name] for name in wanted} for row in first),
        )


def _first_rows(
    on_stage: Stage, published: Published, parts: Iterable[dict[str, Any]], rows: int
) -> list[dict[str, Any]]:
    """The first rows of parts that hold the same columns, opened as their recipient would, in memory."""

    shown: list[dict[str, Any]] = []
    for part in parts:
        if len(shown) >= rows:
            break
        sealed = b"".join(on_stage.publication.part(published, part["key"]))
        frame = _read(open_sealed(sealed, on_stage.recipient, name=part["key"]), part["key"])
        shown += frame.head(rows - len(shown)).to_dicts()
    return shown


def _read(content: bytes, key: str) -> pl.DataFrame:
    if key.removesuffix(".age").endswith(".csv"):
        return pl.read_csv(io.BytesIO(content), infer_schema=False)
    return pl.read_parquet(io.BytesIO(content))

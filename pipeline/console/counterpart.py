"""How does a file come out under two versions of an agreement? In counts: no value is shown.

Both are rehearsed on one stage, with one set of pseudonym keys, so that a pseudonym differs only where the agreement makes it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.console.readiness import Block
from pipeline.console.rehearsal import Stage, receive, release, stage
from pipeline.console.sides import Named
from pipeline.core.errors import SafeconductError
from pipeline.core.language.agreement import Agreement
from pipeline.core.redaction import Redaction, compile_redaction, redact
from pipeline.core.scope import Events
from pipeline.edges.declarations import Declarations
from pipeline.edges.ledger import Ledger
from pipeline.edges.permission import means
from pipeline.edges.publication import Publication
from pipeline.edges.schemas import schema_of
from pipeline.edges.sealing import Identities
from pipeline.edges.storage import open_store
from pipeline.edges.vault import Kept

_NUMBER = "_number"
"""The row's number in its chunk, by which both versions' rows are matched."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one version would release of the file: its counts of rows, or why nothing."""

    version: int
    rows: dict[str, Any] | None
    refusal: Block | None


@dataclass(frozen=True, slots=True)
class Cells:
    """A column's cells that are there, before and after: None where it is not released. `differ`: of rows in both."""

    column: str
    before: int | None
    after: int | None
    differ: int | None


@dataclass(frozen=True, slots=True)
class Counterparts:
    """The file under both versions. `refusal`: why it would be refused whatever the agreement says."""

    file: Path
    feed: str
    refusal: Block | None
    before: Outcome | None
    after: Outcome | None
    rows_in_both: int | None
    cells: tuple[Cells, ...]


@dataclass(slots=True)
class Tally:
    """How many cells of each column are there, before and after, and how many differ in the rows of both."""

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    differ: Counter[str] = field(default_factory=Counter)
    rows_in_both: int = 0


def counterparts(old: Named, new: Named, file: Path, *, opening: Identities | None, at: datetime) -> Counterparts:
    """What becomes of a file of the feed under either version, in counts."""
    feed = new.catalogue.feed(new.agreement.feed)
    # To whom it goes changes no count; a recipient that is gone from the catalogue has no key on the stage.
    before = Named(old.agreement.model_copy(update={"recipient": new.agreement.recipient}), old.catalogue)
    with stage(new.catalogue, feed, [new.agreement], at=at) as on_stage:
        tried, kept = receive(on_stage, feed, file, opening=opening)
        if kept is None:
            return Counterparts(file, feed.id, tried.refusal, None, None, None, ())
        scenes = _scene(on_stage, before, "before"), _scene(on_stage, new, "after")
        tally = _tally(scenes, (before, new), kept)
        return Counterparts(
            file,
            feed.id,
            refusal=None,
            before=_outcome(scenes[0], before, kept),
            after=_outcome(scenes[1], new, kept),
            rows_in_both=tally.rows_in_both if tally else None,
            cells=tuple(cells_of(before.agreement, new.agreement, tally)) if tally else (),
        )


def _scene(on_stage: Stage, side: Named, name: str) -> Stage:
    """The stage with the side's lists, and with stores of its own for what it releases."""
    script, root = on_stage.script, side.catalogue.root
    texts = {script.root / path.relative_to(root): text for path, text in side.catalogue.texts.items()}
    scene = replace(side.catalogue, root=script.root, feeds=script.feeds, partners=script.partners)
    scene = replace(scene, texts={**texts, scene.path_of(side.agreement): side.agreement.model_dump_json()})
    stores = {}
    for store in ("private", "shared"):
        folder = on_stage.directory / name / store
        folder.mkdir(mode=0o700, parents=True)
        stores[store] = open_store(folder.as_uri())
    return replace(
        on_stage,
        script=scene,
        publication=Publication(stores["shared"], on_stage.keyring.signing),
        declarations=Declarations(stores["private"]),
        ledger=Ledger(
            stores["private"].within("ledger"), stores["shared"].within("ledger"), on_stage.keyring, "counterpart"
        ),
    ).acting(side.agreement)


def _outcome(scene: Stage, side: Named, kept: Kept) -> Outcome:
    try:
        published, _ = release(scene, side.agreement, kept)
    except SafeconductError as error:
        return Outcome(side.agreement.version, None, Block(error.code.value, error.message, error.next_step))
    return Outcome(side.agreement.version, published.predicate["rows"], None)


def _tally(scenes: tuple[Stage, Stage], sides: tuple[Named, Named], kept: Kept) -> Tally | None:
    """The cells of both, matched by the row that they come from; None where there are no rows, but counts."""
    if any(side.agreement.statistics for side in sides):
        return None
    try:
        before, after = (_compiled(scene, side, kept) for scene, side in zip(scenes, sides, strict=True))
    except SafeconductError:
        return None  # the outcome says why
    return tally_of(before, after, scenes[1].vault.rows(kept))


def tally_of(before: Redaction, after: Redaction, chunks: Iterable[pl.DataFrame]) -> Tally:
    """The cells of rows redacted one way and the other, matched by the row that they come from."""
    tally = Tally()
    for chunk in chunks:
        numbered = chunk.with_row_index(_NUMBER)
        _count(tally, _redacted(before, numbered), _redacted(after, numbered))
    return tally


def _compiled(scene: Stage, side: Named, kept: Kept) -> Redaction:
    catalogue = scene.catalogue()
    schema = schema_of(catalogue.feed(side.agreement.feed), catalogue.code_lists)
    events = Events(scene.now(), kept.loaded_at)
    return compile_redaction(side.agreement, schema, means(scene, catalogue, side.agreement), events)


def _redacted(redaction: Redaction, chunk: pl.DataFrame) -> pl.DataFrame:
    made = redact(redaction, chunk)
    return made.frame.with_columns(made.in_scope[_NUMBER])


def _count(tally: Tally, before: pl.DataFrame, after: pl.DataFrame) -> None:
    for frame, there in ((before, tally.before), (after, tally.after)):
        for name in frame.columns:
            there[name] += frame.height - frame[name].null_count()
    both = before.join(after, on=_NUMBER, suffix="_after")
    tally.rows_in_both += both.height
    for name in set(before.columns) & set(after.columns) - {_NUMBER}:
        tally.differ[name] += int(both.select(pl.col(name).ne_missing(pl.col(f"{name}_after")).sum()).item())


def cells_of(before: Agreement, after: Agreement, tally: Tally) -> Iterator[Cells]:
    """The cells of each column that either of them releases."""
    old, new = before.released, after.released
    for name in dict.fromkeys((*old, *new)):
        yield Cells(
            name,
            tally.before[name] if name in old else None,
            tally.after[name] if name in new else None,
            tally.differ[name] if name in old and name in new else None,
        )

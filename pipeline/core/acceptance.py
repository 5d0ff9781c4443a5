"""Which rows of a delivery do we accept, and is it good enough to accept at all?

Two scans over the same batches, since whether a row is accepted can depend on every other row (its key), and whether any row
is kept depends on all of them (too many rejects). The first, `survey`, keeps one bit and one 64-bit hash per row; the
second, `split`, gives the accepted and the rejected rows batch by batch.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.feed import Acceptance
from pipeline.core.findings import Finding, Tally
from pipeline.core.validation import KEY_RULE, CompiledSchema, doubled_keys, key_hashes, rejected

Batches = Callable[[], Iterable[pl.DataFrame]]
"""Starts a new scan of the delivery: the same frames each time."""

RULES = "_rules"
"""In rejected rows, the rules that the row failed, `column:rule` joined by spaces."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first scan found. `rejected[i]` marks the rejected rows of batch i, doubled keys not yet among them."""

    schema: CompiledSchema
    rejected: tuple[pl.Series, ...]
    doubled: pl.DataFrame
    rows: int
    rejected_rows: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """One batch, split. Row order is kept in both."""

    accepted: pl.DataFrame
    rejected: pl.DataFrame


def survey(batches: Batches, schema: CompiledSchema, acceptance: Acceptance, tally: Tally, *, seed: int) -> Survey:
    """What the rules say of every row of the delivery.

    Raises:
        Refused: too many rows are rejected, or there are too few, for the feed.
    """
    marks: list[pl.Series] = []
    hashes: list[pl.Series] = []
    for batch in batches():
        marks.append(rejected(schema, batch, tally))
        if schema.key:
            hashes.append(key_hashes(schema, batch, seed=seed))
    rows = sum(mark.len() for mark in marks)
    broken = sum(int(mark.sum()) for mark in marks)
    suspects = _repeated(hashes)
    if rows and (broken + suspects.len()) / rows <= acceptance.max_rejected_share and suspects.len():
        doubled, more = _confirm_doubled(batches, schema, suspects, marks, tally, seed=seed)
    else:
        doubled, more = pl.DataFrame(schema=dict.fromkeys(schema.key, pl.String)), suspects.len()
    findings = tally.findings()
    _good_enough(acceptance, rows, broken + more, findings)
    return Survey(schema, tuple(marks), doubled, rows, broken + more, findings)


def split(batches: Batches, survey: Survey) -> Iterator[Split]:
    """The batches again, each split into accepted and rejected rows; rejected rows carry `RULES`."""
    for batch, mark in zip(batches(), survey.rejected, strict=True):
        if survey.doubled.height:
            mark = mark | _has_key(batch, survey.doubled)
        if not mark.any():
            yield Split(batch, batch.clear())
            continue
        yield Split(batch.filter(~mark), _with_rules(survey, batch.filter(mark)))


def _repeated(hashes: list[pl.Series]) -> pl.Series:
    """The hashes, each once, that occur more than once."""
    if not hashes:
        return pl.Series(dtype=pl.UInt64)
    ordered = pl.concat(hashes).sort()
    return ordered.filter(ordered == ordered.shift(1)).unique()


def _confirm_doubled(
    batches: Batches, schema: CompiledSchema, suspects: pl.Series, marks: list[pl.Series], tally: Tally, *, seed: int
) -> tuple[pl.DataFrame, int]:
    """The keys that really are doubled, and how many rows that were still accepted have one of them."""
    gathered = [
        batch.select(*schema.key, POSITION, _broken=mark).filter(
            key_hashes(schema, batch, seed=seed).is_in(suspects.implode())
        )
        for batch, mark in zip(batches(), marks, strict=True)
    ]
    rows = pl.concat(gathered)
    doubled = doubled_keys(schema, rows)
    concerned = rows.filter(_has_key(rows, doubled))
    tally.add(KEY_RULE, ", ".join(schema.key), concerned[POSITION].head(20), concerned.height)
    return doubled, concerned.height - int(concerned["_broken"].sum())


def _has_key(rows: pl.DataFrame, doubled: pl.DataFrame) -> pl.Series:
    marked = rows.select(doubled.columns).join(
        doubled.with_columns(_found=True), on=doubled.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return marked["_found"].fill_null(value=False)


def _with_rules(survey: Survey, rows: pl.DataFrame) -> pl.DataFrame:
    named = [pl.when(rule.failed).then(pl.lit(f"{rule.column or 'row'}:{rule.name}")) for rule in survey.schema.rules]
    if survey.doubled.height:
        named.append(pl.when(_has_key(rows, survey.doubled)).then(pl.lit(f"row:{KEY_RULE}")))
    return rows.with_columns(pl.concat_str(named, separator=" ", ignore_nulls=True).alias(RULES))


def _good_enough(acceptance: Acceptance, rows: int, rejected_rows: int, findings: tuple[Finding, ...]) -> None:
    if rows < acceptance.min_rows:
        raise Refused(
            Code.TOO_FEW_ROWS,
            f"{rows} rows; the feed promises at least {acceptance.min_rows}.",
            next_step="ask the partner for the whole delivery.",
        )
    if rejected_rows > rows * acceptance.max_rejected_share:
        worst = ", ".join(
            f"{f.column or 'row'}:{f.rule} ({f.count})" for f in sorted(findings, key=lambda f: -f.count)[:5]
        )
        raise Refused(
            Code.TOO_MANY_REJECTED,
            f"{rejected_rows} of {rows} rows break a rule; the feed allows {acceptance.max_rejected_share:.0%}. Most: {worst}.",
            next_step="ask the partner for a corrected delivery, or correct the schema and rerun.",
        )

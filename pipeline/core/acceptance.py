"""Which rows of a delivery do we accept, and is it good enough to accept at all?

One scan sorts each batch by the rules of a row, while the sorted rows are put away, not yet accepted. Two things are known
only at its end: whether rows share a key, and whether too many were rejected. Of each row a 64-bit hash of its key stays in
memory until then; only chunks that hold a repeated hash are looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.findings import READER_RULES, ROWS_NAMED, Finding, Tally
from pipeline.core.language.feed import Acceptance
from pipeline.core.validation import KEY_RULE, CompiledSchema, key_hashes, rejected, tell_odd

RULES = "_rules"
"""In rejected rows, the rules that the row failed, `column:rule` joined by spaces."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Rows sorted into those that break no rule and those that do; the latter carry `RULES`. Row order is kept in both."""

    accepted: pl.DataFrame
    rejected: pl.DataFrame


def sort_out(batch: pl.DataFrame, schema: CompiledSchema, tally: Tally) -> Sorted:
    """The rows of one batch, sorted by the rules of a row; what was broken is in `tally`."""
    broken = rejected(schema, batch, tally)
    if schema.odd:
        tell_odd(schema, batch, tally)
    if not broken.any():
        return Sorted(batch, _no_rejects(batch))
    named = [pl.when(rule.failed).then(pl.lit(f"{rule.column or 'row'}:{rule.name}")) for rule in schema.rules]
    rules = pl.concat_str(named, separator=" ", ignore_nulls=True).alias(RULES)
    return Sorted(batch.filter(~broken), batch.filter(broken).with_columns(rules))


def hashes_of(rows: pl.DataFrame, schema: CompiledSchema, *, seed: int) -> pl.Series:
    """A hash of each row's key; empty where the schema has no key."""
    return key_hashes(schema, rows, seed=seed) if schema.key else pl.Series(dtype=pl.UInt64)


def repeated(hashes: Sequence[pl.Series]) -> pl.Series:
    """The hashes, each once, that occur more than once in all of `hashes` together."""
    if not hashes:
        return pl.Series(dtype=pl.UInt64)
    ordered = pl.concat(hashes).sort()
    return ordered.filter(ordered == ordered.shift(1)).unique()


def suspects(rows: pl.DataFrame, schema: CompiledSchema, hashes: pl.Series, *, seed: int) -> pl.DataFrame:
    """The keys and positions of those of `rows` whose hash is among `hashes`."""
    found = key_hashes(schema, rows, seed=seed).is_in(hashes.implode())
    return rows.filter(found).select(*schema.key, POSITION)


def doubled(suspected: Sequence[pl.DataFrame], schema: CompiledSchema, tally: Tally) -> pl.DataFrame:
    """The keys, each once, that more than one row really has; its rows are in `tally`."""
    rows = pl.concat(suspected)
    keys = rows.group_by(schema.key).len().filter(pl.col("len") > 1).select(schema.key)
    concerned = rows.filter(_has_key(rows, keys))[POSITION].sort()
    tally.add(KEY_RULE, ", ".join(schema.key), concerned.head(ROWS_NAMED), concerned.len())
    return keys


def without_doubled(accepted: pl.DataFrame, keys: pl.DataFrame) -> Sorted:
    """Accepted rows, sorted once more: those that have one of the doubled `keys` are rejected."""
    found = _has_key(accepted, keys)
    rejects = accepted.filter(found).with_columns(pl.lit(f"row:{KEY_RULE}").alias(RULES))
    return Sorted(accepted.filter(~found), rejects)


def without_broken(rows: Sorted, broken: pl.Series, rule: str) -> Sorted:
    """Accepted rows, sorted once more: those that are `broken` are rejected under the name of the rule of a row that they break."""
    named = rows.accepted.filter(broken).with_columns(pl.lit(f"row:{rule}").alias(RULES))
    return Sorted(rows.accepted.filter(~broken), pl.concat([rows.rejected, named]).sort(POSITION))


def good_enough(acceptance: Acceptance, *, rows: int, rejected_rows: int, findings: tuple[Finding, ...]) -> None:
    """Nothing happens when the feed takes a delivery of so many rows and rejects; else Refused."""
    if rows < acceptance.min_rows:
        raise Refused(
            Code.TOO_FEW_ROWS,
            f"{rows} rows; the feed promises at least {acceptance.min_rows}.",
            next_step="ask the partner for the whole delivery.",
        )
    # Divided, since 0.29 * 100 is less than 29: the quotient of two whole numbers is the double that the share was read as.
    if rows and rejected_rows / rows > acceptance.max_rejected_share:
        broken = [finding for finding in findings if not finding.rule.startswith(READER_RULES)]
        ordered = sorted(broken, key=lambda finding: -finding.count)[:5]
        worst = ", ".join(f"{finding.column or 'row'}:{finding.rule} ({finding.count})" for finding in ordered)
        raise Refused(
            Code.TOO_MANY_REJECTED,
            f"{rejected_rows} of {rows} rows break a rule; the feed allows {acceptance.max_rejected_share * 100:.6g} %. "
            f"Most: {worst or 'doubled keys'}.",
            next_step="ask the partner for a corrected delivery, or correct the schema and rerun.",
        )


def within_budget(acceptance: Acceptance, *, rows: int, used: int) -> None:
    """Nothing happens when so many rows are left of the feed's budget after `used`; else Refused."""
    budget = acceptance.budget
    if budget and used + rows > budget.rows:
        raise Refused(
            Code.BUDGET_EXCEEDED,
            f"{rows} rows after {used} in the last {budget.per}; the feed allows {budget.rows}.",
            next_step="ask the partner to wait, or to ask about fewer; then replay the delivery.",
        )


def _has_key(rows: pl.DataFrame, keys: pl.DataFrame) -> pl.Series:
    marked = rows.select(keys.columns).join(
        keys.with_columns(_found=True), on=keys.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return marked["_found"].fill_null(value=False)


def _no_rejects(batch: pl.DataFrame) -> pl.DataFrame:
    return batch.clear().with_columns(pl.lit(None, dtype=pl.String).alias(RULES))

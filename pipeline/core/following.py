"""Has what a row goes back to come before it?

A rule of the feed names another feed, and which rows of it must have come. What these told is held as keyed 64-bit digests of their key
cells, 8 bytes a row, so that nothing here can show a value; the key is drawn for each delivery, so that nobody can make digests meet on
purpose. By chance one row in 2 ** 64 / n would be taken that goes back to none of n: one in a million million, of ten million rows.
"""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from pipeline.core.acceptance import Sorted, without_broken
from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.findings import ROWS_NAMED, Tally
from pipeline.core.language.codes import CodeList
from pipeline.core.language.feed import Follows
from pipeline.core.scope import Events, truth


def told(
    rule: Follows, earlier: pl.DataFrame, code_lists: Mapping[str, CodeList], at: Events, *, seed: int
) -> pl.Series:
    """The digests, each once, of those earlier rows that say what the rule asks for; unknown is not said."""
    said = earlier.filter(truth(rule.earlier, code_lists, at)) if rule.earlier else earlier
    return _digests(said, list(rule.on.values()), seed=seed).drop_nulls().unique()


def joined(digests: Iterable[pl.Series]) -> pl.Series:
    """All digests together, each once."""
    return pl.concat([pl.Series(dtype=pl.UInt64), *digests]).unique()


def asked(rule: Follows, rows: pl.DataFrame, code_lists: Mapping[str, CodeList], at: Events) -> pl.Series:
    """True for each row that must go back to one; where that is unknown it must."""
    if rule.asked_of is None:
        return pl.repeat(value=True, n=rows.height, dtype=pl.Boolean, eager=True)
    return rows.select(truth(rule.asked_of, code_lists, at).fill_null(value=True)).to_series()


def unmet(rule: Follows, rows: pl.DataFrame, asked_of: pl.Series, known: pl.Series, *, seed: int) -> pl.Series:
    """True for each row that must go back to one, and goes back to none that is `known`; a row without key cells goes back to none."""
    digests = _digests(rows, list(rule.on), seed=seed)
    return asked_of & ~digests.is_in(known.implode()).fill_null(value=False)


def set_aside(rule: Follows, rows: Sorted, broken: pl.Series, tally: Tally) -> Sorted:
    """The accepted rows sorted once more: those that are `broken` are rejected under the rule's name.

    Raises:
        Refused: the rule refuses the whole delivery for one of them.
    """
    if not broken.any():
        return rows
    failed = rows.accepted.filter(broken)
    if rule.otherwise == "refuse":
        where = ", ".join(map(str, failed[POSITION].head(ROWS_NAMED)))
        raise Refused(
            Code.EARLIER_MISSING,
            f"{rule.name}: {failed.height} rows go back to nothing that {rule.feed} has told, at {where}.",
            next_step=f"once what they go back to was accepted from {rule.feed}, replay the delivery; or ask the partner.",
        )
    tally.add(rule.name, "", failed[POSITION].head(ROWS_NAMED), failed.height)
    return without_broken(rows, broken, rule.name)


def _digests(rows: pl.DataFrame, columns: Sequence[str], *, seed: int) -> pl.Series:
    """A digest of each row's cells in these columns; null where one is absent."""
    cells = [pl.col(name).alias(f"{number}") for number, name in enumerate(columns)]
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in columns)
    return rows.select(pl.when(whole).then(pl.struct(cells).hash(seed)).alias("digest")).to_series()

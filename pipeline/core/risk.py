"""How easily could a released row be told from the others?

k-anonymity (Sweeney, 2002): every combination of cells in the columns that the agreement names is shared by at least k rows of the release. It
says nothing about what those rows have in common: see docs/decisions/0014.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement, Risk

_ROWS = "_rows"


@dataclass(frozen=True, slots=True)
class Figures:
    """`smallest_group` rows share one combination of cells; `unique_rows` share theirs with none. None for no rows."""

    smallest_group: int | None
    groups: int
    unique_rows: int


def groups(frame: pl.DataFrame, risk: Risk) -> pl.DataFrame:
    """How many rows of the chunk share each combination."""
    return frame.group_by(risk.columns).len(_ROWS)


def measured(partials: Sequence[pl.DataFrame], agreement: Agreement) -> Figures | None:
    """The figures of a whole release, from its chunks; None where the agreement sets none.

    Raises:
        Refused: a group is smaller than the agreement allows.
    """
    risk = agreement.risk
    if risk is None:
        return None
    if not partials:
        return Figures(None, 0, 0)
    rows = pl.concat(partials).group_by(risk.columns).agg(pl.col(_ROWS).sum())[_ROWS]
    figures = Figures(min(rows.to_list(), default=None), rows.len(), int((rows == 1).sum()))
    if (
        risk.otherwise == "refuse"
        and figures.smallest_group is not None
        and figures.smallest_group < risk.smallest_group
    ):
        raise Refused(
            Code.GROUP_TOO_SMALL,
            f"agreement {agreement.id}: a group of {figures.smallest_group} rows is alike in {', '.join(risk.columns)}; "
            f"it asks for {risk.smallest_group}.",
            next_step="generalise these columns further, release larger lots, or let [risk] report only.",
        )
    return figures

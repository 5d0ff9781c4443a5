"""What do the pushes of a flight say together: who travels now, what is superseded, and did the first one come in time?

A full push tells all PNRs of its flight: what an earlier push told of the flight is superseded, and a PNR that the full push
does not hold no longer travels on it. A push of changes tells some PNRs, each with all that it says: what was told of these
PNRs before is superseded, and of a PNR that comes without a traveller nothing is left (PNRGOV implementation guide 15.1, 8.1
[found]). Pushes of one minute are one push. A push that does not say what it is, or when it was made, supersedes nothing and is
superseded by nothing: `untold`.
"""

from datetime import datetime

import polars as pl

from pipeline.core.duration import Duration, after

FLIGHT = ("flight_carrier", "flight_number", "departure_airport", "departs_at")
PNR = ("record_locator", "locator_carrier")
KIND, AT = "push_kind", "pushed_at"
FULL, UPDATE = "FULL", "UPDATE"
READ = (*FLIGHT, *PNR, KIND, AT, "surname", "given_names")
"""The columns that are looked at."""

_WHOLE, _LATEST, _NAMED = "_last_full", "_last_told", "_named"


def lean(rows: pl.DataFrame) -> pl.DataFrame:
    """What of `rows` is needed: names become whether there is one."""
    named = pl.any_horizontal(pl.col("surname", "given_names").is_not_null()).alias(_NAMED)
    return rows.select(*FLIGHT, *PNR, KIND, AT, named)


def standing(rows: pl.DataFrame) -> pl.Series:
    """Of each row of all pushes (`lean`): current, superseded, cancelled, or untold."""
    flight = [pl.col(name) for name in FLIGHT]
    told = pl.col(KIND).is_in([FULL, UPDATE]) & pl.col(AT).is_not_null()
    known = rows.with_row_index("_row").with_columns(told.fill_null(value=False).alias("_told"))
    of_told = known.filter("_told").with_columns(
        pl.col(AT).filter(pl.col(KIND) == FULL).max().over(flight).alias(_WHOLE),
        pl.col(AT).max().over([*flight, *map(pl.col, PNR)]).alias(_LATEST),
    )
    superseded = (pl.col(AT) < pl.col(_LATEST)) | (pl.col(AT) < pl.col(_WHOLE)).fill_null(value=False)
    said = (
        pl.when(superseded)
        .then(pl.lit("superseded"))
        .when((pl.col(KIND) == UPDATE) & ~pl.col(_NAMED))
        .then(pl.lit("cancelled"))
        .otherwise(pl.lit("current"))
    )
    answers = of_told.select("_row", said.alias("standing"))
    return known.join(answers, on="_row", how="left", maintain_order="left")["standing"].fill_null("untold")


def flights(rows: pl.DataFrame, *, first_push: Duration | None) -> pl.DataFrame:
    """One row a flight, in the order in which they leave, with counts alone.

    `pushes`, of which `full` and `updates`; PNRs that are `current`, `superseded` (told once, and by no push that holds) and
    `cancelled`; `untold` rows; `first`, when the first push was made; `begins_whole`, whether that was a full one; `late`, whether it
    was made later than `first_push` before the departure, by more than a day: neither time says its zone.
    """
    pnr = pl.struct(PNR)
    stood = rows.with_columns(standing(rows).alias("standing"))
    holds = stood.filter(pl.col("standing").is_in(["current", "cancelled"])).select(*FLIGHT, *PNR).unique()
    gone = (
        stood.filter(pl.col("standing") == "superseded")
        .select(*FLIGHT, *PNR)
        .unique()
        .join(holds, on=[*FLIGHT, *PNR], how="anti", nulls_equal=True)
        .group_by(FLIGHT)
        .agg(pl.len().alias("superseded"))
    )
    told = pl.col("standing") != "untold"
    at_first = pl.col(AT).filter(told) == pl.col(AT).filter(told).min()
    found = stood.group_by(FLIGHT).agg(
        pl.col(AT).filter(told).n_unique().alias("pushes"),
        pl.col(AT).filter(told & (pl.col(KIND) == FULL)).n_unique().alias("full"),
        pl.col(AT).filter(told & (pl.col(KIND) == UPDATE)).n_unique().alias("updates"),
        pnr.filter(pl.col("standing") == "current").n_unique().alias("current"),
        pnr.filter(pl.col("standing") == "cancelled").n_unique().alias("cancelled"),
        (~told).sum().alias("untold"),
        pl.col(AT).filter(told).min().alias("first"),
        (pl.col(KIND).filter(told).filter(at_first) == FULL).any().alias("begins_whole"),
    )
    found = found.join(gone, on=FLIGHT, how="left", nulls_equal=True).with_columns(pl.col("superseded").fill_null(0))
    late = [_late(first, departs, first_push) for first, departs in found.select("first", "departs_at").iter_rows()]
    return found.with_columns(pl.Series("late", late, dtype=pl.Boolean)).sort("departs_at", *FLIGHT)


def _late(first: str | None, departs_at: str | None, first_push: Duration | None) -> bool:
    """Whether the first push came later than that before the departure, whatever the zones of the two."""
    if first is None or departs_at is None or first_push is None:
        return False
    made, departs = datetime.fromisoformat(first), datetime.fromisoformat(departs_at)
    return after(made, first_push) > after(departs, "P1D")

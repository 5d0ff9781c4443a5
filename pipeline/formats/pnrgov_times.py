"""How is a date or time of PNRGOV written so that text sorts, and which century is it in?

Every expression keeps the raw text where it cannot be read: the schema then rejects the row. Nothing is guessed.
Two-digit years of travel, booking and document expiry are 20YY. A birth date is in the last hundred years before the
departure.
"""

import polars as pl

from pipeline.formats.edifact_cells import present

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_NUMBER_OF_MONTH = {month: f"-{number:02}-" for number, month in enumerate(_MONTHS, start=1)}


def moment(day: pl.Expr, time: pl.Expr) -> pl.Expr:
    """DDMMYY and HHMM (or HHMMSS, or nothing) as YYYY-MM-DDTHH:MM, or YYYY-MM-DD where there is no time."""
    iso_day = [pl.lit("20"), day.str.slice(4, 2), pl.lit("-"), day.str.slice(2, 2), pl.lit("-"), day.str.slice(0, 2)]
    iso_time = pl.concat_str([pl.lit("T"), time.str.slice(0, 2), pl.lit(":"), time.str.slice(2, 2)])
    timed = time.str.contains(r"\A[0-9]{4}(?:[0-9]{2})?\z")
    raw = pl.concat_str([day, time], separator=":", ignore_nulls=True)
    return (
        pl.when(day.str.contains(r"\A[0-9]{6}\z") & (timed | time.is_null()))
        .then(pl.concat_str([*iso_day, iso_time], ignore_nulls=True))
        .otherwise(present(raw))
    )


def dated(raw: pl.Expr) -> pl.Expr:
    """DDMMMYY or DDMMMYYYY as YYYY-MM-DD."""
    month = raw.str.slice(2, 3).str.to_uppercase().replace_strict(_NUMBER_OF_MONTH, default=None)
    year = (
        pl.when(raw.str.len_bytes() == 7)
        .then(pl.concat_str([pl.lit("20"), raw.str.slice(5)]))
        .otherwise(raw.str.slice(5))
    )
    shaped = raw.str.contains(r"\A[0-9]{2}[A-Za-z]{3}(?:[0-9]{2}|[0-9]{4})\z")
    return pl.coalesce(pl.when(shaped).then(pl.concat_str([year, month, raw.str.slice(0, 2)])), raw)


def birth_date(raw: pl.Expr, young: pl.Expr, departs_at: pl.Expr) -> pl.Expr:
    """The day of birth, given `young`, which is `raw` dated; raw where two digits of a year meet an unreadable departure."""
    departs_on = departs_at.str.slice(0, 10)
    readable = departs_on.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z").fill_null(value=False)
    short = (raw.str.len_bytes() == 7) & (young != raw)
    return (
        pl.when(short & ~readable)
        .then(raw)
        .when(short & (young > departs_on))
        .then(pl.concat_str([pl.lit("19"), young.str.slice(2)]))
        .otherwise(young)
    )

"""How is a date or time of PNRGOV written so that text sorts, and which century is it in?

Every expression keeps the raw text where it cannot be read: the schema then rejects the row. Nothing is guessed.
Two-digit years of travel, booking and document expiry are 20YY. A birth date is in the last hundred years before the
departure.
"""

import polars as pl

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH_NUMBERS = [f"-{number:02}-" for number in range(1, 13)]


def present(cell: pl.Expr) -> pl.Expr:
    """The cell without blanks around it; null where nothing is left."""
    bare = cell.str.strip_chars(" ")
    return pl.when(bare.str.len_bytes() > 0).then(bare)


def moment(day: pl.Expr, time: pl.Expr) -> pl.Expr:
    """DDMMYY and HHMM (or HHMMSS, or nothing) as YYYY-MM-DDTHH:MM, or YYYY-MM-DD where there is no time."""
    raw = pl.concat_str([present(day), present(time)], separator=":", ignore_nulls=True)
    return present(
        raw.str.replace(
            r"\A([0-9]{2})([0-9]{2})([0-9]{2}):([0-9]{2})([0-9]{2})(?:[0-9]{2})?\z", "20${3}-${2}-${1}T${4}:${5}"
        ).str.replace(r"\A([0-9]{2})([0-9]{2})([0-9]{2})\z", "20${3}-${2}-${1}")
    )


def expiry_date(raw: pl.Expr) -> pl.Expr:
    """DDMMMYY or DDMMMYYYY as YYYY-MM-DD."""
    return _dated(raw, "20")


def birth_date(raw: pl.Expr, departs_at: pl.Expr) -> pl.Expr:
    """DDMMMYY or DDMMMYYYY as YYYY-MM-DD; raw where two digits of a year meet an unreadable departure."""
    young, departs_on = _dated(raw, "20"), departs_at.str.slice(0, 10)
    readable = departs_on.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z").fill_null(value=False)
    short = raw.str.contains(r"\A[0-9]{2}[A-Za-z]{3}[0-9]{2}\z")
    return (
        pl.when(short & ~readable).then(raw).when(short & (young > departs_on)).then(_dated(raw, "19")).otherwise(young)
    )


def _dated(raw: pl.Expr, century: str) -> pl.Expr:
    numbered = raw.str.to_uppercase().str.replace_many(list(_MONTHS), _MONTH_NUMBERS)
    long = numbered.str.replace(r"\A([0-9]{2})-([0-9]{2})-([0-9]{4})\z", "${3}-${2}-${1}")
    short = long.str.replace(r"\A([0-9]{2})-([0-9]{2})-([0-9]{2})\z", century + "${3}-${2}-${1}")
    shaped = raw.str.contains(r"\A[0-9]{2}[A-Za-z]{3}(?:[0-9]{2}|[0-9]{4})\z")
    known = numbered.str.contains("-", literal=True)
    return pl.when(shaped & known).then(short).otherwise(raw)

"""How is a DTM of UN/EDIFACT (C507) written so that text sorts, and which century is it in?

The format code (2379) says how to read the digits: 2 DDMMYY, 101 YYMMDD, 102 CCYYMMDD, 201 YYMMDDHHMM, 203 CCYYMMDDHHMM.
Without a code only a day is read: six digits are YYMMDD (WCO/IATA/ICAO API guidelines), and eight that begin with 19 or
20 and go on as month and day are CCYYMMDD, which no other order of these digits can be. All else keeps its raw text: the
schema then rejects the row. Nothing is guessed.

Two digits of a year are 20YY; in a birth date they are the year within the hundred years before the departure.
"""

import polars as pl

from pipeline.formats.edifact_cells import present

_DAY_CODES = ("2", "101", "102")


def _iso(digits: pl.Expr, *, year: int, month: int, day: int, century: str) -> pl.Expr:
    """The digits as YYYY-MM-DD: two of a year at `year`, or four where the century is among the digits."""
    length = 2 if century else 4
    parts = [pl.lit(century), digits.str.slice(year, length), pl.lit("-"), digits.str.slice(month, 2)]
    return pl.concat_str([*parts, pl.lit("-"), digits.str.slice(day, 2)])


def day(digits: pl.Expr, code: pl.Expr) -> pl.Expr:
    """The digits as YYYY-MM-DD, or as they were written."""
    six, eight = digits.str.contains(r"\A[0-9]{6}\z"), digits.str.contains(r"\A[0-9]{8}\z")
    unsaid = code.is_null()
    plain = unsaid & digits.str.contains(r"\A(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])\z")
    return (
        pl.when(six & (unsaid | (code == "101")))
        .then(_iso(digits, year=0, month=2, day=4, century="20"))
        .when(six & (code == "2"))
        .then(_iso(digits, year=4, month=2, day=0, century="20"))
        .when((eight & (code == "102")) | plain)
        .then(_iso(digits, year=0, month=4, day=6, century=""))
        .otherwise(present(digits))
    )


def moment(digits: pl.Expr, code: pl.Expr) -> pl.Expr:
    """The digits as YYYY-MM-DDTHH:MM, as YYYY-MM-DD where the code names a day, or as they were written."""
    short = digits.str.contains(r"\A[0-9]{10}\z") & (code == "201")
    long = digits.str.contains(r"\A[0-9]{12}\z") & (code == "203")

    def at(hour: int) -> list[pl.Expr]:
        return [pl.lit("T"), digits.str.slice(hour, 2), pl.lit(":"), digits.str.slice(hour + 2, 2)]

    return (
        pl.when(short)
        .then(pl.concat_str([_iso(digits, year=0, month=2, day=4, century="20"), *at(6)]))
        .when(long)
        .then(pl.concat_str([_iso(digits, year=0, month=4, day=6, century=""), *at(8)]))
        .when(code.is_in(_DAY_CODES))
        .then(day(digits, code))
        .otherwise(present(digits))
    )


def birth_date(digits: pl.Expr, young: pl.Expr, departs_at: pl.Expr) -> pl.Expr:
    """The day of birth, given `young`, which is the `day` of the digits; raw where two digits of a year meet an unreadable
    departure."""
    departs_on = departs_at.str.slice(0, 10)
    readable = departs_on.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z").fill_null(value=False)
    short = (digits.str.len_bytes() == 6) & (young != digits)
    return (
        pl.when(short & ~readable)
        .then(digits)
        .when(short & (young > departs_on))
        .then(pl.concat_str([pl.lit("19"), young.str.slice(2)]))
        .otherwise(young)
    )

"""Is this the number of a container, a ship, a waybill, a chemical?

Each identifier is a `Rule` for a schema's column: its shape, and its check digit where it has one, as one boolean expression
over the whole column. `tests/core/test_identifiers.py` holds them to a scalar oracle.
"""

from collections.abc import Sequence

import polars as pl

from pipeline.core.schema import Rule, matches

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_CONTAINER_VALUES = dict(zip(_LETTERS, (value for value in range(10, 39) if value % 11), strict=True))
"""ISO 6346, annex A: letters count from 10, without the multiples of 11."""

_MRZ_VALUES = {letter: 10 + index for index, letter in enumerate(_LETTERS)} | {"<": 0}
"""ICAO 9303-3, 4.9: `<` counts nothing, letters from 10."""


def iso_6346(*, name: str = "container") -> Rule:
    """A freight container: owner, category U, J, Z or R, serial number and check digit (ISO 6346)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        total = _weighted(cell, [2**place for place in range(10)], _CONTAINER_VALUES)
        return cell.str.contains(r"\A[A-Z]{3}[UJZR][0-9]{7}\z") & (total % 11 % 10 == _digit(cell, 10))

    return Rule(name, fine, "a container number with its check digit (ISO 6346)")


def imo_number(*, name: str = "imo-number") -> Rule:
    """A ship: seven digits, the last one a check digit (IMO resolution A.1117(30))."""

    def fine(cell: pl.Expr) -> pl.Expr:
        return cell.str.contains(r"\A[0-9]{7}\z") & (_weighted(cell, range(7, 1, -1)) % 10 == _digit(cell, 6))

    return Rule(name, fine, "seven digits with their check digit (IMO)")


def imo_digits(*, name: str = "imo-number") -> Rule:
    """Seven digits, as a ship's number has, whatever the last one says."""
    return matches("[0-9]{7}", name=name, meaning="seven digits (IMO)")


def odd_imo_number(*, name: str = "tolerated-imo-check-digit") -> Rule:
    """Seven digits are a ship's number by their check digit: some ships bear one that is not."""
    return imo_number(name=name)


def mmsi(*, name: str = "mmsi") -> Rule:
    """A station at sea: nine digits that hold a country's MID from 201 to 775, or a beacon's prefix (ITU-R M.585)."""
    mid = "(?:20[1-9]|2[1-9][0-9]|[3-6][0-9]{2}|7[0-6][0-9]|77[0-5])"
    shape = rf"\A(?:{mid}[0-9]{{6}}|0{mid}[0-9]{{5}}|00{mid}[0-9]{{4}}|111{mid}[0-9]{{3}}|9[89]{mid}[0-9]{{4}}|97[024][0-9]{{6}})\z"
    return Rule(name, lambda cell: cell.str.contains(shape), "a maritime mobile service identity (ITU-R M.585)")


def air_waybill(*, name: str = "air-waybill") -> Rule:
    """An airline's prefix of three digits, seven of a serial number, and these modulo 7 (IATA resolution 600a)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        serial = cell.str.slice(4, 7).str.to_integer(strict=False)
        return cell.str.contains(r"\A[0-9]{3}-[0-9]{8}\z") & (serial % 7 == _digit(cell, 11))

    return Rule(name, fine, "an air waybill number as 020-12345675 with its check digit (IATA)")


def cas_number(*, name: str = "cas-number") -> Rule:
    """A chemical: up to ten digits in three groups, the last one a check digit (CAS registry)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        digits = cell.str.replace_all("-", "", literal=True).str.zfill(10)
        right = _weighted(digits, range(9, 0, -1)) % 10 == _digit(digits, 9)
        return cell.str.contains(r"\A[1-9][0-9]{1,6}-[0-9]{2}-[0-9]\z") & right

    return Rule(name, fine, "a CAS registry number with its check digit")


def mrz_check_digit(field: str, digit: pl.Expr, *, name: str = "") -> Rule:
    """The column `field` of a machine-readable zone agrees with its check digit, another column (ICAO 9303-3, 4.9).

    `<` as a check digit stands for 0, where the whole field is empty.
    """

    def fine(cell: pl.Expr) -> pl.Expr:
        return cell.str.contains(r"\A[A-Z0-9<]{1,44}\z") & (
            _mrz_digit(cell) == digit.str.replace("<", "0", literal=True)
        )

    return Rule(
        name or f"{field.replace('_', '-')}-check-digit", fine, f"{field} agrees with its check digit (ICAO 9303)"
    )


def mrz_passport_line(*, name: str = "mrz-line-2") -> Rule:
    """The second line of a passport: 44 signs with five check digits (ICAO 9303-4, 4.2.2)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        number, birth, expiry, optional = ((0, 9), (13, 6), (21, 6), (28, 14))
        parts = [_mrz_digit(cell.str.slice(*part)) == _sign(cell, sum(part)) for part in (number, birth, expiry)]
        whole = pl.concat_str(cell.str.slice(0, 10), cell.str.slice(13, 7), cell.str.slice(21, 22))
        parts += [_mrz_digit(cell.str.slice(*optional)) == _sign(cell, 42), _mrz_digit(whole) == _sign(cell, 43)]
        return cell.str.contains(r"\A[A-Z0-9<]{44}\z") & pl.all_horizontal(parts)

    return Rule(name, fine, "a passport's second machine-readable line with its check digits (ICAO 9303)")


def un_locode(countries: Sequence[str], *, name: str = "un-locode") -> Rule:
    """A place: a country of `countries` (ISO 3166-1 alpha-2), then three letters or digits 2 to 9 (UNECE rec. 16)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        return cell.str.contains(r"\A[A-Z]{2}[A-Z2-9]{3}\z") & cell.str.slice(0, 2).is_in([*countries, "XZ"])

    return Rule(name, fine, "a UN/LOCODE such as NLRTM")


def scac(*, name: str = "scac") -> Rule:
    """A carrier: two to four letters (NMFTA)."""
    return Rule(name, lambda cell: cell.str.contains(r"\A[A-Z]{2,4}\z"), "a Standard Carrier Alpha Code")


def eori(countries: Sequence[str], *, name: str = "eori") -> Rule:
    """An economic operator: a country of `countries`, then up to 15 letters and digits (Regulation (EU) 2015/2446, annex 12-01)."""

    def fine(cell: pl.Expr) -> pl.Expr:
        return cell.str.contains(r"\A[A-Z]{2}[A-Za-z0-9]{1,15}\z") & cell.str.slice(0, 2).is_in(list(countries))

    return Rule(name, fine, "an EORI number")


def known_traveller(*, name: str = "known-traveller") -> Rule:
    """A member of a trusted-traveller programme: nine digits that begin with 9 (PASSID)."""
    return Rule(name, lambda cell: cell.str.contains(r"\A9[0-9]{8}\z"), "nine digits that begin with 9")


def undg_number(*, name: str = "undg") -> Rule:
    """A dangerous good: four digits (UN Model Regulations, chapter 3.2)."""
    return Rule(name, lambda cell: cell.str.contains(r"\A[0-3][0-9]{3}\z"), "a UN number of four digits")


def _weighted(cell: pl.Expr, weights: Sequence[int] | range, letters: dict[str, int] | None = None) -> pl.Expr:
    """The sum of each sign's value times its weight, from the first sign on; null where a sign has no value."""
    return pl.sum_horizontal(
        (_value(cell.str.slice(place, 1), letters or {}) * weight for place, weight in enumerate(weights)),
        ignore_nulls=False,
    )


def _value(sign: pl.Expr, letters: dict[str, int]) -> pl.Expr:
    values = {str(digit): digit for digit in range(10)} | letters
    return sign.replace_strict(list(values), list(values.values()), default=None, return_dtype=pl.Int64)


def _digit(cell: pl.Expr, place: int) -> pl.Expr:
    return cell.str.slice(place, 1).str.to_integer(strict=False)


def _sign(cell: pl.Expr, place: int) -> pl.Expr:
    return cell.str.slice(place, 1).str.replace("<", "0", literal=True)


def _mrz_digit(field: pl.Expr) -> pl.Expr:
    """The check digit of the field: weights 7, 3, 1 over up to 44 signs; signs beyond the end count nothing."""
    padded = field.str.pad_end(44, "<")
    return (_weighted(padded, [(7, 3, 1)[place % 3] for place in range(44)], _MRZ_VALUES) % 10).cast(pl.String)

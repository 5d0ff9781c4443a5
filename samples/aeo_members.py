"""Synthetic trusted-trader lists: realistic in shape, made from syllables and a seed, about nobody.

Every cell is drawn from its row's number by integer arithmetic in polars: a list of millions is written in seconds and in
bounded memory, and the same arguments give the same bytes. Countries and statuses are so unequal that some cells of a
statistics table are small. No contact's name or address and no reason for a suspension is repeated in another column.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

import polars as pl

from schemas.aeo_members import COLUMNS, ENDED, NEVER_AUTHORISED

ROWS_AT_ONCE = 50_000
_COUNTRIES = {"DE": 180, "FR": 150, "IT": 120, "NL": 110, "ES": 90, "PL": 80, "BE": 60, "AT": 50, "SE": 40, "CZ": 35} | {
    "DK": 25, "IE": 20, "PT": 15, "FI": 10, "HU": 6, "LT": 4, "LU": 2, "MT": 2, "CY": 1
}  # fmt: skip
_STATUSES = {"AEOF": 400, "AEOC": 200, "AEOS": 100, "VALIDATED": 120, "TIER3": 60, "CERTIFIED": 50, "APPLICANT": 30} | {
    "SUSPENDED": 20, "REVOKED": 12, "WITHDRAWN": 8
}  # fmt: skip
_ROLES = {"IMPORTER": 30, "EXPORTER": 25, "MANUFACTURER": 15, "THIRD_PARTY_LOGISTICS": 8, "BROKER": 7, "WAREHOUSE": 5} | {
    "CARRIER_HIGHWAY": 4, "CARRIER_SEA": 2, "CONSOLIDATOR": 2, "CARRIER_AIR": 1, "CARRIER_RAIL": 1, "TERMINAL": 1
}  # fmt: skip
_STARTS = (
    "Alder",
    "Brine",
    "Cinder",
    "Dorn",
    "Esker",
    "Fallow",
    "Garn",
    "Hollin",
    "Inver",
    "Jarrow",
    "Kestrel",
    "Lorn",
)
_ENDS = ("beck", "bridge", "dale", "fell", "field", "ford", "gate", "haven", "holm", "mere", "moor", "port", "wick")
_TRADES = ("Logistics", "Shipping", "Tools", "Textiles", "Foods", "Chemicals", "Optics", "Machines", "Paper", "Cargo")
_FORMS = ("GmbH", "SA", "SpA", "BV", "SL", "AB", "Ltd", "A/S", "Oy", "KG")
_ODD_FORMS = (', Söhne "Nord" & Co. KG', " Frères, SARL", ' "Ægir", A/S', ", Władysław i Syn Sp. z o.o.")
_CITIES = ("Nordhafen", "Altbruck", "Sainte-Claire", "Porto Vello", "Zuidwijk", "Dolny Brod", "Köstrin", "Århuus")
_STREETS = ("Harbour Street", "Mill Lane", "Rue du Port", "Via Nuova", "Kanaalweg", "Calle Mayor", "Hafenstraße")
_REGIONS = ("North", "South", "East", "West", "Centre", "")
_GIVEN = ("Tilda", "Ruben", "Mirela", "Anton", "Sanna", "Piet", "Odile", "Bruno", "Katya", "Lars", "Ines", "Milo")
_FAMILIES = ("Vandermolen", "Okonjari", "Teskedal", "Brannagh", "Lisowiak", "Quintero", "Faldberg", "Moustari")
_REASONS = (
    "Repeated late declarations, see audit file",
    "Seals found broken at inspection; hearing pending",
    "Undervaluation suspected by the fraud unit",
    'Owner under investigation ("Operation Larch")',
)
_FIRST_DAY = date(2008, 1, 1)
_DIGITS = 999_999_937
"""A prime: multiples of the row's number, modulo it, are different numbers of up to nine digits."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows the list holds, and how many of them the schema rejects."""

    rows: int
    bad_rows: int


def write(out: BinaryIO, *, operators: int, seed: int, bad_share: float = 0.0) -> Written:
    """A list of `operators` rows is in `out`; the same arguments always give the same bytes."""
    bad_rows = 0
    out.write((",".join(COLUMNS) + "\n").encode())
    for start in range(0, operators, ROWS_AT_ONCE):
        rows, bad = _rows(start, min(start + ROWS_AT_ONCE, operators), seed, bad_share)
        rows.write_csv(out, include_header=False)
        bad_rows += bad
    return Written(operators, bad_rows)


def _rows(start: int, stop: int, seed: int, bad_share: float) -> tuple[pl.DataFrame, int]:
    """The rows from number `start` to before number `stop`, and how many of them are bad."""
    draw = _Draw(seed)
    number = pl.int_range(start, stop, dtype=pl.UInt64, eager=True).alias("number")
    rows = number.to_frame().with_columns(draw.facts()).with_columns(draw.cells())
    broken = pl.when(draw.number(30) % 1_000_000 < round(bad_share * 1_000_000)).then(draw.number(31) % len(_BROKEN))
    rows = rows.with_columns(broken=broken)
    for kind, cells in enumerate(_BROKEN):
        rows = rows.with_columns(
            pl.when(pl.col("broken") == kind).then(cell).otherwise(column).alias(column)
            for column, cell in cells.items()
        )
    return rows.select(list(COLUMNS)), rows.height - rows["broken"].null_count()


_BROKEN: tuple[Mapping[str, pl.Expr], ...] = (
    {"tin": pl.format("{}-{}", pl.col("country"), pl.col("digits"))},
    {"legal_name": pl.lit(None, dtype=pl.String)},
    {"postcode": pl.lit("?")},
    {"country": pl.lit("ZZ")},
    {"program_status": pl.lit("GOLD")},
    {"status_effective_date": pl.lit("2023-02-30")},
    {"benefit_consent": pl.lit("maybe")},
    {"contact_email": pl.lit("nobody")},
    {"program_status": pl.lit("SUSPENDED"), "suspension_date": pl.lit(None, dtype=pl.String)},
)
"""What can be wrong with a bad row: these cells instead of its own."""


class _Draw:
    """Random cells as expressions over the row's number: one seed, one salt for each choice."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def number(self, salt: int) -> pl.Expr:
        """A random integer under 2**32 (the finalizer of splitmix64, the products cut to what fits 64 bits)."""
        mixed = pl.col("number") * 0x9E37 + (self._seed * 1_000_003 + salt * 7_919) % 2**40
        for factor in (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35):
            mixed = (mixed % 2**32) * factor
            mixed = mixed ^ (mixed // 2**29)
        return mixed % 2**32

    def one_of(self, options: Sequence[str], salt: int) -> pl.Expr:
        return pl.lit(pl.Series(options, dtype=pl.String)).gather(self.number(salt) % len(options))

    def weighted(self, weights: Mapping[str, int], salt: int) -> pl.Expr:
        return self.one_of([option for option, weight in weights.items() for _ in range(weight)], salt)

    def rarely(self, one_in: int, salt: int) -> pl.Expr:
        return self.number(salt) % one_in == 0

    def day(self, first: pl.Expr, days: int, salt: int) -> pl.Expr:
        return first + pl.duration(days=self.number(salt) % days)

    def facts(self) -> list[pl.Expr]:
        """What the cells of a row agree on."""
        authorised = self.day(pl.lit(_FIRST_DAY), 6_000, 1)
        facts = {
            "digits": ((pl.col("number") + self._seed) % _DIGITS * 387_420_489 % _DIGITS).cast(pl.String).str.zfill(9),
            "country": self.weighted(_COUNTRIES, 2),
            "program_status": self.weighted(_STATUSES, 3),
            "operator_role": self.weighted(_ROLES, 4),
            "authorised": authorised,
            "word": self.one_of(_STARTS, 5) + self.one_of(_ENDS, 6),
            "city": self.one_of(_CITIES, 7),
            "house": (self.number(8) % 240 + 1).cast(pl.String),
            "given": self.one_of(_GIVEN, 9),
            "family": self.one_of(_FAMILIES, 10),
        }
        return [fact.alias(name) for name, fact in facts.items()]

    def cells(self) -> list[pl.Expr]:
        """The columns that `facts` are not already."""
        country, digits, word = pl.col("country"), pl.col("digits"), pl.col("word")
        status, authorised = pl.col("program_status"), pl.col("authorised")
        ended = status.is_in(ENDED)
        trade, form = self.one_of(_TRADES, 11), self.one_of(_FORMS, 12)
        odd = pl.col("number") % 61 == 7
        second_name = pl.when(self.rarely(4, 13)).then(pl.lit("\n") + word + " Export").otherwise(pl.lit(""))
        cells = {
            "tin": country + digits,
            "eori": pl.when(~self.rarely(8, 14)).then(country + pl.lit("EO") + digits),
            "account_number": pl.lit("AEO-") + digits,
            "mid": country
            + word.str.head(3).str.to_uppercase()
            + trade.str.head(3).str.to_uppercase()
            + pl.col("house"),
            "legal_name": word + " " + trade + pl.when(odd).then(self.one_of(_ODD_FORMS, 15)).otherwise(" " + form),
            "trade_names": pl.when(self.rarely(12, 16)).then(word + " Direct" + second_name),
            "street": self.one_of(_STREETS, 17) + " " + pl.col("house"),
            "region": self.one_of(_REGIONS, 18).replace("", None),
            "postcode": (self.number(19) % 90_000 + 10_000).cast(pl.String),
            "status_effective_date": self.day(authorised, 900, 20).dt.to_string("%Y-%m-%d"),
            "authorisation_date": pl.when(~status.is_in(NEVER_AUTHORISED)).then(authorised.dt.to_string("%Y-%m-%d")),
            "suspension_date": pl.when(ended).then(self.day(authorised, 1_500, 21).dt.to_string("%Y-%m-%d")),
            "benefit_consent": pl.when(self.rarely(20, 22)).then(pl.lit("N")).otherwise(pl.lit("Y")),
            "suspension_reason": pl.when(ended).then(self.one_of(_REASONS, 23)),
            "contact_name": pl.col("given") + " " + pl.col("family"),
            "contact_email": (pl.col("given") + "." + pl.col("family")).str.to_lowercase()
            + (self.number(24) % 1000).cast(pl.String)
            + "@example.org",
        }
        return [cell.alias(name) for name, cell in cells.items()]


def _good(operators: int = 40) -> bytes:
    out = io.BytesIO()
    write(out, operators=operators, seed=7)
    return out.getvalue()


def _wrong_columns() -> bytes:
    return _good().replace(b"tin,eori,account_number", b"eori,tin,company_number", 1)


def _doubled_column() -> bytes:
    return _good().replace(b"eori,account_number", b"eori,eori", 1)


def _missing_column() -> bytes:
    rows = pl.read_csv(_good(), infer_schema=False)
    return rows.drop("benefit_consent").write_csv().encode()


def _wrong_encoding() -> bytes:
    return _good().decode().encode("latin-1", errors="replace")


def _mostly_bad() -> bytes:
    out = io.BytesIO()
    write(out, operators=100, seed=7, bad_share=0.6)
    return out.getvalue()


def _unterminated_quote() -> bytes:
    lines = _good().splitlines(keepends=True)
    return b"".join(lines[:-1]) + lines[-1].replace(b",", b',"', 1)


def _one_bad_cell() -> bytes:
    rows = pl.read_csv(_good(), infer_schema=False)
    number = pl.int_range(pl.len())
    bad = pl.when(number == 11).then(pl.lit("2023-02-30")).otherwise("status_effective_date")
    return rows.with_columns(bad.alias("status_effective_date")).write_csv().encode()


def _doubled_key() -> bytes:
    rows = pl.read_csv(_good(), infer_schema=False)
    again = rows.head(1).with_columns(legal_name=pl.lit("Twice Listed Tools Ltd"))
    return pl.concat([rows, again]).write_csv().encode()


VARIANTS: dict[str, Callable[[], bytes]] = {
    "wrong-columns": _wrong_columns,
    "doubled-column": _doubled_column,
    "missing-column": _missing_column,
    "wrong-encoding": _wrong_encoding,
    "empty": bytes,
    "mostly-bad": _mostly_bad,
    "unterminated-quote": _unterminated_quote,
    "one-bad-cell": _one_bad_cell,
    "doubled-key": _doubled_key,
}
"""Deliveries that are wrong: `one-bad-cell` and `doubled-key` lose only those rows, each other is refused as a whole."""

"""The usual way: pandas and pandera, HMAC value by value, pyrage, an Ed25519 signature; all of it in memory.

The rules are those of `schemas/aeo_members.py` and `agreements/aeo-benchmark.toml`, written as one writes them with these
packages: a lazy validation, whose failures are dropped. There is no quarantine, vault, ledger or gate.
"""

import hashlib
import hmac
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import pandera.pandas as pa
import pyrage  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.ground import HERE, Ground
from pipeline.edges.keys import Keyring
from pipeline.edges.roles import read_identity
from pipeline.edges.site import Site
from schemas.aeo_members import ENDED, NEVER_AUTHORISED, ROLES, STATUSES
from schemas.code_lists import ALPHA_2

_COUNTRIES = tomllib.loads((HERE.parent / "catalogue" / "codes" / f"{ALPHA_2}.toml").read_text(encoding="utf-8"))[
    "codes"
]
_MEMBERS = ("VALIDATED", "TIER3", "SUSPENDED", "REVOKED", "AEOC", "AEOS", "AEOF")


def _one_line(cells: pd.Series) -> pd.Series:
    return ~cells.str.contains("\n", regex=False)


def _day(cells: pd.Series) -> pd.Series:
    return (
        cells.str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
        & pd.to_datetime(cells, format="%Y-%m-%d", errors="coerce").notna()
    )


def _text(longest: int) -> list[pa.Check]:
    return [pa.Check.str_length(max_value=longest), pa.Check(_one_line)]


def _like(pattern: str) -> pa.Check:
    return pa.Check.str_matches(rf"(?:{pattern})\Z")


def _column(*checks: pa.Check, required: bool = False) -> pa.Column:
    return pa.Column(str, list(checks), nullable=not required)


SCHEMA = pa.DataFrameSchema(
    {
        "tin": _column(_like("[A-Z]{2}[A-Za-z0-9]{1,15}"), required=True),
        "eori": _column(_like("[A-Z]{2}[A-Za-z0-9]{1,15}")),
        "account_number": _column(_like("[A-Z0-9][A-Z0-9-]{0,19}")),
        "mid": _column(_like("[A-Z]{2}[A-Z0-9]{1,13}")),
        "legal_name": _column(*_text(70), required=True),
        "trade_names": _column(pa.Check.str_length(max_value=512)),
        "street": _column(*_text(70)),
        "city": _column(*_text(35), required=True),
        "region": _column(*_text(35)),
        "postcode": _column(_like("[A-Za-z0-9][A-Za-z0-9 -]{0,16}")),
        "country": _column(pa.Check.isin(_COUNTRIES), required=True),
        "operator_role": _column(pa.Check.isin(ROLES), required=True),
        "program_status": _column(pa.Check.isin(STATUSES), required=True),
        "status_effective_date": _column(pa.Check(_day), required=True),
        "authorisation_date": _column(pa.Check(_day)),
        "suspension_date": _column(pa.Check(_day)),
        "benefit_consent": _column(pa.Check.isin(("Y", "N")), required=True),
        "suspension_reason": _column(pa.Check.str_length(max_value=512)),
        "contact_name": _column(*_text(70)),
        "contact_email": _column(pa.Check.str_length(max_value=254), _like(r"[^@\s]+@[^@\s]+")),
    },
    checks=[
        pa.Check(lambda rows: rows["tin"].str[:2] == rows["country"]),
        pa.Check(lambda rows: rows["program_status"].isin(NEVER_AUTHORISED) | rows["authorisation_date"].notna()),
        pa.Check(lambda rows: ~rows["program_status"].isin(ENDED) | rows["suspension_date"].notna()),
        pa.Check(
            lambda rows: (
                rows["suspension_date"].isna()
                | rows["authorisation_date"].isna()
                | (rows["suspension_date"] >= rows["authorisation_date"])
            )
        ),
    ],
    strict=True,
    ordered=True,
    unique=["tin"],
    report_duplicates="all",
)


def run(ground: dict[str, Any], name: str) -> dict[str, Any]:
    """Seconds are for: open, read, validate, drop, restrict, treat, write, seal, sign."""
    delivery = Ground(**ground)
    directory = Path(delivery.directory)
    keys = Site.open(directory / "site").keyring
    clear = pyrage.decrypt(delivery.landed.read_bytes(), [pyrage.x25519.Identity.from_str(keys.opening.secret)])
    (folder := delivery.fresh(name)).joinpath("clear.csv").write_bytes(clear)
    rows = pd.read_csv(folder / "clear.csv", dtype=str, keep_default_na=False, na_values=[""])
    good = _validated(rows)
    released = _treated(_in_scope(good), keys)
    identity = read_identity((directory / "demo" / "eu-customs.identity.txt").read_bytes())
    part = released.to_csv(index=False).encode()
    sealed = pyrage.encrypt(part, [pyrage.x25519.Recipient.from_str(identity.recipient)])
    (folder / "part.csv.age").write_bytes(sealed)
    (folder / "part.sig").write_bytes(Ed25519PrivateKey.generate().sign(hashlib.sha256(sealed).digest()))
    return {"received": len(rows), "rejected": len(rows) - len(good), "released": len(released)}


def _validated(rows: pd.DataFrame) -> pd.DataFrame:
    try:
        return SCHEMA.validate(rows, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return rows.drop(index=errors.failure_cases["index"].dropna().unique())


def _in_scope(rows: pd.DataFrame) -> pd.DataFrame:
    inside = (
        rows["program_status"].isin(_MEMBERS) & (rows["operator_role"] != "BROKER") & (rows["benefit_consent"] == "Y")
    )
    return rows[inside]


def _treated(rows: pd.DataFrame, keys: Keyring) -> pd.DataFrame:
    released = rows[list(COLUMNS)].copy()
    for column, domain in (("tin", "trader"), ("account_number", "account")):
        key = keys.pseudonym_key("aeo-benchmark", domain, "1").hex().encode()
        released[column] = [_pseudonym(cell, key) if isinstance(cell, str) else None for cell in released[column]]
    for column, characters in (("status_effective_date", 7), ("authorisation_date", 7), ("suspension_date", 4)):
        released[column] = released[column].str[:characters]
    return released


def _pseudonym(cell: str, key: bytes) -> str:
    normal = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", cell)).strip().upper()
    return hmac.new(key, normal.encode(), hashlib.sha256).hexdigest()[:32]


COLUMNS = (
    "tin",
    "account_number",
    "mid",
    "legal_name",
    "trade_names",
    "street",
    "city",
    "region",
    "postcode",
    "country",
    "operator_role",
    "program_status",
    "status_effective_date",
    "authorisation_date",
    "suspension_date",
)

"""Synthetic changes of a trusted-trader list: each changes an operator of the list that `samples.aeo_members` makes."""

import io
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import BinaryIO

import polars as pl

from samples import aeo_members
from samples.aeo_members import Written
from schemas.aeo_changes import ADD, CHANGES, COLUMNS, DELETE, REVOKE, SUSPEND, UPDATE

Row = dict[str, str | None]

_DAY = date(2026, 11, 20)
_BROKEN: tuple[Row, ...] = (
    {"change_code": "GONE"},
    {"changed_on": "2026-02-30"},
    {"change_code": REVOKE, "program_status": "AEOF", "suspension_date": "2026-01-01"},
    {"tin": None},
    {"change_code": SUSPEND, "program_status": "SUSPENDED", "suspension_date": "2099-01-01"},
)


def write(out: BinaryIO, *, changes: int, seed: int, bad_share: float = 0.0) -> Written:
    """A delivery of `changes` rows is in `out`; the same arguments always give the same bytes."""
    draw = random.Random(f"bad {seed}")
    rows = list(changes_of(members(changes, seed), seed=seed))
    bad = [row for row in rows if draw.random() < bad_share]
    for row in bad:
        row |= draw.choice(_BROKEN)
    out.write(delivery(rows))
    return Written(len(rows), len(bad))


def members(operators: int, seed: int) -> list[Row]:
    """The operators of a full list, row by row."""
    out = io.BytesIO()
    aeo_members.write(out, operators=operators, seed=seed)
    return pl.read_csv(io.BytesIO(out.getvalue()), infer_schema=False).to_dicts()


def changes_of(
    listed: Iterable[Mapping[str, str | None]], *, seed: int, first: int = 1, day: date = _DAY
) -> Iterator[Row]:
    """A change for each of `listed`, numbered from `first` on; an ADD is of somebody who is like it and not listed."""
    draw = random.Random(f"change {seed}")
    for number, member in enumerate(listed, first):
        code = draw.choices(CHANGES, (3, 10, 2, 1, 2))[0]
        yield change(code, member, number=number, day=day)


def change(code: str, member: Mapping[str, str | None], *, number: int, day: date = _DAY) -> Row:
    """The change as a row: the operator after it, or as last listed where it is deleted."""
    row: Row = {"change_number": str(number), "change_code": code, "changed_on": day.isoformat(), **member}
    if code == ADD:
        tin = f"{member['country']}N{number:09}"
        row |= {"tin": tin, "eori": tin, "account_number": f"AEO-N{number:09}", "program_status": "AEOF"}
    elif code == UPDATE:
        row |= {"street": f"New Quay {number % 240 + 1}"}
    elif code in (SUSPEND, REVOKE):
        ended = {SUSPEND: "SUSPENDED", REVOKE: "REVOKED"}[code]
        row |= {"program_status": ended, "status_effective_date": day.isoformat(), "suspension_date": day.isoformat()}
    if code not in (UPDATE, DELETE):
        row["authorisation_date"] = member["authorisation_date"] or "2024-07-01"
    return row


def delivery(rows: Iterable[Mapping[str, str | None]], columns: Iterable[str] = tuple(COLUMNS)) -> bytes:
    """The rows as the partner writes them: changes, or with the list's columns a full list."""
    return pl.DataFrame(list(rows), schema=dict.fromkeys(columns, pl.String)).write_csv().encode()


def good(changes: int = 40) -> bytes:
    """A small delivery without bad rows."""
    out = io.BytesIO()
    write(out, changes=changes, seed=7)
    return out.getvalue()


def _no_code() -> bytes:
    return pl.read_csv(io.BytesIO(good()), infer_schema=False).drop("change_code").write_csv().encode()


def _mostly_bad() -> bytes:
    out = io.BytesIO()
    write(out, changes=100, seed=7, bad_share=0.6)
    return out.getvalue()


VARIANTS: dict[str, Callable[[], bytes]] = {"no-code": _no_code, "mostly-bad": _mostly_bad}
"""Deliveries that are refused as a whole."""

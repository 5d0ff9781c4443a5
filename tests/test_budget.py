"""A partner's budget of queries over the real journey: however it divides them, no more get through."""

import io
from datetime import timedelta
from pathlib import Path

import polars as pl

from samples import aeo_members
from tests.exchange import Exchange


def listed(first: int, rows: int) -> bytes:
    """Some rows of a list of 80 members."""
    out = io.BytesIO()
    aeo_members.write(out, operators=80, seed=5)
    return pl.read_csv(out.getvalue(), infer_schema=False).slice(first, rows).write_csv().encode()


def test_what_goes_over_the_budget_is_refused_until_the_period_is_over(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.edit("feeds/aeo-members.toml", "min_rows = 1", 'min_rows = 1\nbudget = { rows = 50, per = "P1D" }')
    exchange.edit("feeds/aeo-members.toml", "lot_deliveries = 1", "lot_deliveries = 9")
    for number in range(4):
        exchange.drop("aeo-members", listed(20 * number, 20), f"part-{number}")
    received = exchange.receive()
    assert sum(one.accepted_rows for one in received) == 40
    assert [refusal.code for one in received for refusal in one.refused] == ["budget-exceeded"] * 2

    exchange.drop("aeo-members", listed(0, 11), "one-too-many")
    exchange.drop("aeo-members", listed(0, 10), "just-enough")
    received = exchange.receive()
    assert sum(one.accepted_rows for one in received) == 10

    exchange.now += timedelta(days=1, minutes=5)
    exchange.drop("aeo-members", listed(0, 50), "the-day-after")
    (again,) = exchange.receive()
    assert again.accepted_rows == 50

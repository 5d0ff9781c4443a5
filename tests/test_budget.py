"""A partner's budget of queries over the real journey: however it divides them, no more get through."""

import io
from datetime import timedelta
from pathlib import Path

from samples import aeo_members
from tests.exchange import Exchange


def test_what_goes_over_the_budget_is_refused_until_the_period_is_over(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.edit("feeds/aeo-members.toml", "min_rows = 1", 'min_rows = 1\nbudget = { rows = 60, per = "P1D" }')
    out = io.BytesIO()
    aeo_members.write(out, operators=40, seed=5)
    content = out.getvalue()
    header, *rows = content.decode().splitlines(keepends=True)
    halves = ["".join([header, *rows[:20]]), "".join([header, *rows[20:]])]
    exchange.drop("aeo-members", content, "first")
    exchange.drop("aeo-members", halves[0].encode(), "second")
    exchange.drop("aeo-members", halves[1].encode(), "third")
    received = exchange.receive()
    assert sum(one.accepted_rows for one in received) <= 60
    assert {refusal.code for one in received for refusal in one.refused} == {"budget-exceeded"}

    exchange.now += timedelta(days=1, minutes=1)
    exchange.drop("aeo-members", "".join([header, *rows[:30]]).encode(), "fourth")
    (again,) = exchange.receive()
    assert again.accepted_rows == 30

"""Full pushes, changes and parts over the real journey: each row tells its push, and what holds of each flight is told in counts."""

import io
import json
from datetime import date

import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline import cli, journey
from samples import pnr_push
from tests.exchange import Exchange

FEED, DEPARTS = "pnr-push", date(2027, 3, 5)
FULL, CHANGES, AGAIN = "270301:0700", "270304:0700", "270305:0500"


def push(pushed: str, *, changes: bool = False, travellers: int = 12, seed: int = 5) -> bytes:
    """A push of one flight, FRA to JFK."""
    out = io.BytesIO()
    pnr_push.write(out, travellers=travellers, seed=seed, departs=DEPARTS, pushed=pushed, changes=changes)
    return out.getvalue()


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("pushes"), feeds=(FEED,))


@pytest.fixture(scope="module")
def released(exchange: Exchange) -> pl.DataFrame:
    """A full push and changes of it, landed together, as their recipient reads them."""
    exchange.drop(FEED, push(FULL), "full.edi")
    exchange.drop(FEED, push(CHANGES, changes=True, travellers=6), "changes.edi")
    (received,) = exchange.receive()
    assert (received.accepted_rows, received.rejected_rows, received.refused) == (18, 0, ())
    (kept,) = received.kept
    name = journey.release(exchange.site, "us-eu-pnr", kept).release
    (published,) = (one for one in exchange.published("us-eu-pnr") if one.release == name)
    return pl.concat(sheet for sheet in exchange.opened(published) if "push_kind" in sheet.columns)


def told(exchange: Exchange) -> tuple[int, list[dict[str, object]]]:
    """What `safeconduct pushes` says."""
    done = CliRunner(env={"COLUMNS": "160"}).invoke(
        cli.app, ["--site", str(exchange.directory / "site"), "pushes", FEED, "--json"]
    )
    return done.exit_code, json.loads(done.stdout)["flights"]


@pytest.mark.clause("us-eu-pnr", "Art. 15(3)")
def test_each_released_row_tells_the_push_that_it_comes_from(released: pl.DataFrame) -> None:
    pushes = released.group_by("push_kind", "pushed_at").len().sort("push_kind").rows()
    assert pushes == [("FULL", "2027-03-01T07:00", 12), ("UPDATE", "2027-03-04T07:00", 6)]
    again = set(released.filter(pl.col("push_kind") == "UPDATE")["record_locator"])
    assert again < set(released.filter(pl.col("push_kind") == "FULL")["record_locator"])


@pytest.mark.clause("us-eu-pnr", "Art. 15(3)")
@pytest.mark.usefixtures("released")
def test_what_holds_of_a_flight_is_told_in_counts_and_a_full_push_supersedes_all(exchange: Exchange) -> None:
    code, (flight,) = told(exchange)
    assert (code, flight["full"], flight["updates"], flight["cancelled"], flight["superseded"]) == (0, 1, 1, 1, 0)
    before = flight["current"]
    exchange.drop(FEED, push(AGAIN, travellers=5), "again.edi")
    (received,) = exchange.receive()
    assert received.rejected_rows == 0
    code, (flight,) = told(exchange)
    assert (code, flight["full"], flight["cancelled"]) == (0, 2, 0)
    assert isinstance(before, int)
    assert isinstance(flight["current"], int)
    assert flight["current"] < before
    assert flight["current"] + int(str(flight["superseded"])) == before + 1  # the cancelled one is superseded too


def test_the_rows_of_a_doubled_part_are_not_kept_twice(exchange: Exchange) -> None:
    head, _, message = push(FULL, travellers=8, seed=9).replace(b"+LH+400", b"+LH+401").partition(b"UNH+1+")
    message, _, tail = message.partition(b"UNZ")
    once = b"UNH+1+" + message.replace(b"+01:F", b"+01:C")
    exchange.drop(FEED, head + once + once + b"UNZ" + tail, "doubled.edi")
    (received,) = exchange.receive()
    assert (received.kept, [refusal.code for refusal in received.refused]) == ((), ["too-many-rejected"])
    assert "doubled keys" in received.refused[0].message


@pytest.mark.clause("us-eu-pnr", "Art. 15(3)")
def test_a_first_push_that_is_late_or_not_whole_is_amiss(exchange: Exchange) -> None:
    late = push("270304:0800", seed=11).replace(b"+LH+400'", b"+LH+403'").replace(b"+LH+400:", b"+LH+403:")
    changes = push(CHANGES, changes=True, seed=12).replace(b"+LH+400'", b"+LH+405'").replace(b"+LH+400:", b"+LH+405:")
    exchange.drop(FEED, late, "late.edi")
    exchange.drop(FEED, changes, "changes-alone.edi")
    exchange.receive()
    code, flights = told(exchange)
    amiss = {one["flight_number"]: (one["late"], one["begins_whole"]) for one in flights}
    assert code == 3
    assert (amiss["403"], amiss["405"]) == ((True, True), (True, False))
    shown = CliRunner(env={"COLUMNS": "160"}).invoke(
        cli.app, ["--site", str(exchange.directory / "site"), "pushes", FEED]
    )
    assert "first push late" in shown.output

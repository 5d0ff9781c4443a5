"""The schemas of waits, crossings and committee figures take what CBP and BTS publish, and name what is wrong."""

import importlib
import io
import json
import random

import polars as pl
import pytest

from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.core.validation import compile_schema, rejected
from pipeline.edges.catalogue import load
from pipeline.formats.batch import Limits
from pipeline.formats.readers import reader_of
from samples import poe_committee_kpi, poe_wait_times
from samples.drawn import Row
from samples.poe_crossings_monthly import counted
from schemas.poe_wait_times import LANES
from tests.exchange import ROOT

KPI = {"port_code": "0101", "month": "2026-10", "kpi": "NEXUS_SHARE", "unit": "percent", "own_value": "40"}
ROWS: dict[str, Row] = {
    "poe_crossings_monthly": counted("0101", "Trucks", 40),
    "poe_committee_kpi": dict(KPI),
    "poe_wait_times": {
        "port_number": "070101",
        "border": "Canadian Border",
        "port_name": "Alder Bridge",
        "date": "11/20/2026",
        "time": "15:09:00",
        "port_status": "Open",
    },
}


def broken(name: str, **cells: str | None) -> set[str]:
    schema, tally = compile_schema(importlib.import_module(f"schemas.{name}").SCHEMA), Tally()
    row = {**dict.fromkeys(schema.columns), **ROWS[name], **cells}
    frame = pl.DataFrame([row], schema=dict.fromkeys(schema.columns, pl.String))
    rejected(schema, frame.with_row_index(POSITION, 1), tally)
    return {f"{finding.column}:{finding.rule}" for finding in tally.findings()}


@pytest.mark.parametrize("name", ROWS)
def test_a_good_row_breaks_no_rule(name: str) -> None:
    assert broken(name) == set()


@pytest.mark.parametrize(
    ("name", "cells", "rule"),
    [
        ("poe_wait_times", {"port_number": "70101"}, "port_number:port-number"),
        ("poe_wait_times", {"date": "2026-11-20"}, "date:us-date"),
        ("poe_wait_times", {"passenger_ready_delay": "-5"}, "passenger_ready_delay:minutes"),
        ("poe_wait_times", {"port_status": "Closed", "passenger_ready_delay": "5"}, ":no-delay-where-closed"),
        ("poe_crossings_monthly", {"value": "1.5"}, "value:count"),
        ("poe_crossings_monthly", {"month": "2026-00"}, "month:month"),
        ("poe_crossings_monthly", {"measure": "Officers"}, "measure:measure"),
        ("poe_crossings_monthly", {"largest_share": None}, ":cargo-tells-its-largest-share"),
        ("poe_committee_kpi", {"unit": "minutes"}, ":unit-of-the-figure"),
        ("poe_committee_kpi", {"own_value": "100.1"}, ":shares-to-100"),
        ("poe_committee_kpi", {"own_value": None}, ":somebody-tells"),
    ],
)
def test_a_wrong_cell_breaks_its_rule(name: str, cells: dict[str, str | None], rule: str) -> None:
    assert rule in broken(name, **cells)


def test_a_count_of_persons_needs_no_share() -> None:
    assert broken("poe_crossings_monthly", measure="Pedestrians", largest_share=None) == set()


def test_what_cbp_publishes_is_read_and_what_it_calls_not_applicable_is_absent() -> None:
    feed = load(ROOT / "catalogue").feed("poe-wait-times")
    columns = compile_schema(importlib.import_module("schemas.poe_wait_times").SCHEMA).columns
    crossing = poe_wait_times.crossing(random.Random(1), 0)
    crossing["passenger_vehicle_lanes"] = {
        "maximum_lanes": "N/A",
        "standard_lanes": {"update_time": "", "operational_status": "N/A", "delay_minutes": "", "lanes_open": "N/A"},
        "ready_lanes": {"operational_status": "no delay", "delay_minutes": "0", "update_time": "N/A now"},
    }
    (batch,) = reader_of(feed).read([json.dumps([crossing]).encode()], columns, Limits())
    row = batch.frame.row(0, named=True)
    assert [row[f"passenger_standard_{part}"] for part in ("updated", "status", "delay", "lanes_open")] == [None] * 4
    assert row["passenger_nexus_sentri_status"] is None
    assert (row["passenger_ready_status"], row["passenger_ready_delay"]) == ("no delay", "0")
    assert row["passenger_ready_updated"] == "N/A now"
    assert len(LANES) * 4 + 10 == len(columns)


def test_a_sample_has_as_many_bad_rows_as_it_says() -> None:
    out = io.BytesIO()
    assert poe_committee_kpi.write(out, figures=30, seed=4, bad_share=0.5).bad_rows > 5

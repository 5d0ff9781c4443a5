"""The maritime schemas take what is written right, and name the rule that a wrong cell breaks."""

import importlib
import io
from types import ModuleType

import polars as pl
import pytest

from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.core.language.category import Category
from pipeline.core.validation import CompiledSchema, compile_schema, rejected, tell_odd
from pipeline.formats.ais import Ais
from pipeline.formats.batch import Limits
from samples import mar_ais, mar_boarding_report, mar_flag_query, mar_flag_reply, mar_noa
from samples.drawn import Row
from schemas.mar_ais import SCHEMA as AIS
from tests.code_lists import LISTS

ROWS: dict[str, Row] = {
    "mar_noa": mar_noa.one(),
    "mar_flag_query": mar_flag_query.one(),
    "mar_flag_reply": mar_flag_reply.one(),
    "mar_boarding_report": mar_boarding_report.one(),
}
SAMPLES: dict[str, ModuleType] = {
    "mar_noa": mar_noa,
    "mar_flag_query": mar_flag_query,
    "mar_flag_reply": mar_flag_reply,
    "mar_boarding_report": mar_boarding_report,
}
COUNTED = {
    "mar_noa": "notices",
    "mar_flag_query": "queries",
    "mar_flag_reply": "replies",
    "mar_boarding_report": "boardings",
}


def schema_of(name: str) -> CompiledSchema:
    return compile_schema(importlib.import_module(f"schemas.{name}").SCHEMA, LISTS)


def broken(name: str, **cells: str | None) -> set[str]:
    """The rules that a good row breaks once `cells` are put into it, as `column:rule`."""
    schema, tally = schema_of(name), Tally()
    row = {**dict.fromkeys(schema.columns), **ROWS[name], **cells}
    frame = pl.DataFrame([row], schema=dict.fromkeys(schema.columns, pl.String))
    rejected(schema, frame.with_row_index(POSITION, 1), tally)
    return {f"{finding.column}:{finding.rule}" for finding in tally.findings()}


@pytest.mark.parametrize("name", ROWS)
def test_a_good_row_breaks_no_rule(name: str) -> None:
    assert broken(name) == set()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_as_many_bad_rows_as_it_says(name: str) -> None:
    good, bad = (io.BytesIO() for _ in range(2))
    assert SAMPLES[name].write(good, **{COUNTED[name]: 30}, seed=4).bad_rows == 0
    said = SAMPLES[name].write(bad, **{COUNTED[name]: 30}, seed=4, bad_share=0.5)
    assert 5 < said.bad_rows < 25
    assert good.getvalue() != bad.getvalue()


@pytest.mark.parametrize("imo", ["9074729", "9319466", "8814275"])
def test_a_real_imo_number_is_taken(imo: str) -> None:
    assert broken("mar_noa", imo=imo) == set()


@pytest.mark.parametrize("name", ["mar_noa", "mar_flag_query", "mar_boarding_report"])
@pytest.mark.parametrize(("imo", "odd"), [("9074729", 0), ("9074728", 1), (None, 0)])
def test_an_imo_number_with_another_check_digit_is_taken_and_told(name: str, imo: str | None, odd: int) -> None:
    """In the real world some ships bear one."""
    assert IMO not in broken(name, imo=imo)
    schema, tally = schema_of(name), Tally()
    cells = {column: pl.Series([imo if column == "imo" else None], dtype=pl.String) for column in schema.columns}
    tell_odd(schema, pl.DataFrame({POSITION: pl.Series([7], dtype=pl.UInt64), **cells}), tally)
    said = [(one.rule, one.column, one.count, one.positions) for one in tally.findings()]
    assert said == [("tolerated-imo-check-digit", "imo", 1, (7,))] * odd


IMO, MMSI = "imo:imo-number", "mmsi:mmsi"
WRONG: list[tuple[str, dict[str, str | None], str]] = [
    ("mar_noa", {"imo": "907472"}, IMO),
    ("mar_noa", {"imo": None, "official_no": None}, ":numbered-vessel"),
    ("mar_noa", {"mmsi": "200000001"}, MMSI),
    ("mar_noa", {"mmsi": "776000001"}, MMSI),
    ("mar_noa", {"mmsi": "35100000"}, MMSI),
    ("mar_noa", {"call_sign": "QABC"}, "call_sign:call-sign"),
    ("mar_noa", {"call_sign": "12AB"}, "call_sign:call-sign"),
    ("mar_noa", {"latitude": "90.0001"}, "latitude:latitude"),
    ("mar_noa", {"longitude": "-180.0001"}, "longitude:longitude"),
    ("mar_noa", {"latitude": None}, ":position-is-whole"),
    ("mar_noa", {"cdc_names": "CHLORINE", "cdc_un_numbers": None, "cdc_amounts": None}, ":dangerous-cargo-is-whole"),
    ("mar_noa", {"crew_count": "1"}, ":persons-are-counted"),
    ("mar_noa", {"crew_births": "1980-01-31"}, ":persons-are-whole"),
    ("mar_flag_query", {"course": "360"}, "course:course"),
    ("mar_flag_query", {"speed": "-1"}, "speed:speed"),
    ("mar_flag_query", {"asked_at": "2020-01-01T00:00Z"}, ":asked-after-observed"),
    ("mar_flag_query", dict.fromkeys(("registration_no", "imo", "mmsi", "call_sign")), ":numbered-vessel"),
    ("mar_flag_reply", {"replied_at": "2020-01-01T00:00Z"}, ":replied-after-asked"),
    (
        "mar_flag_reply",
        {"nationality": "REFUTED", "authorisation": "BOARD", "jurisdiction_waived": "N"},
        ":own-vessels-alone",
    ),
    (
        "mar_flag_reply",
        {"nationality": "CONFIRMED", "authorisation": "BOARD", "jurisdiction_waived": "Y"},
        ":waiver-needs-authority",
    ),
    ("mar_boarding_report", {"ended_at": "2020-01-01T00:00Z"}, ":ended-after-boarded"),
    ("mar_boarding_report", {"outcome": "DETAINED", "detained_names": None}, ":detained-are-named"),
    ("mar_boarding_report", {"outcome": "REFUSED", "detained_names": "A"}, ":detained-are-named"),
    ("mar_boarding_report", {"found": "NONE", "found_kg": "3"}, ":amount-of-something"),
]


@pytest.mark.parametrize(("name", "cells", "rule"), WRONG)
def test_a_wrong_cell_breaks_its_rule(name: str, cells: dict[str, str | None], rule: str) -> None:
    assert rule in broken(name, **cells)


@pytest.mark.parametrize(
    ("arrivals", "rules"),
    [
        ("2026-12-01T06:00Z\n2026-12-04T06:00Z", set()),
        ("2026-12-04T06:00Z\n2026-12-01T06:00Z", {":arrivals-in-order"}),
        ("2026-12-01T06:00Z\n2026-12-01T06:00Z", {":arrivals-in-order"}),
        ("2026-12-01T06:00Z", {":calls-are-whole"}),
    ],
)
def test_arrivals_only_grow(arrivals: str, rules: set[str]) -> None:
    cells = {
        "us_ports": "USNYC\nUSSAV",
        "us_departures": "2026-12-06T06:00Z\n2026-12-07T06:00Z",
        "us_arrivals": arrivals,
    }
    assert broken("mar_noa", **cells) == rules


def test_no_vessel_leaves_before_it_arrives() -> None:
    cells = {"us_ports": "USNYC", "us_arrivals": "2026-12-02T06:00Z", "us_departures": "2026-12-01T06:00Z"}
    assert broken("mar_noa", **cells) == {":leaves-after-it-arrives"}


@pytest.mark.parametrize(("ports", "fine"), [(5, True), (6, False)])
def test_five_last_ports_are_told(ports: int, fine: bool) -> None:
    cells = {"last_ports": "\n".join(["NLRTM"] * ports), "last_departures": "\n".join(["2026-11-01"] * ports)}
    assert broken("mar_noa", **cells) == (set() if fine else {":five-last-ports"})


def test_each_column_about_a_person_or_an_own_unit_says_so() -> None:
    categories = {name: schema_of(name).categories for name in ROWS}
    for name, columns in categories.items():
        for column, category in columns.items():
            if column.startswith("asset_"):
                assert category is Category.SENSITIVE, (name, column)
            if column.endswith(("_names", "_documents")) and column != "cdc_names":
                assert category is Category.DIRECT_IDENTIFIER, (name, column)


def test_an_ais_log_is_rows_with_the_time_at_which_each_was_heard() -> None:
    log, schema, tally = io.BytesIO(), compile_schema(AIS, LISTS), Tally()
    said = mar_ais.write(log, messages=300, seed=2, bad_share=0.1)
    frame = pl.concat([batch.frame for batch in Ais().read([log.getvalue()], schema.columns, Limits())])
    assert frame.height == said.rows
    assert int(rejected(schema, frame, tally).sum()) == said.bad_rows > 0
    assert {(finding.column, finding.rule) for finding in tally.findings()} == {("mmsi", "mmsi")}
    assert frame["received_at"].null_count() == 0

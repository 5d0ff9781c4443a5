"""pandera is the oracle: what is compiled finds the same rows and rules as pandera's own lazy validation."""

import importlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.api.parsers import Parser

import schemas
from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.findings import Tally
from pipeline.core.language.category import Category
from pipeline.core.schema import (
    Rule,
    at_most,
    bound,
    calendar_date,
    column,
    each_line_matches,
    feed_schema,
    matches,
    one_of,
    row_rule,
)
from pipeline.core.validation import KEY_RULE, REQUIRED_RULE, compile_schema, failures, key_hashes, rejected
from tests.code_lists import LISTS
from tests.core.builders import CANARY, LAW, assert_silent

Found = set[tuple[int, str, str]]

EVERY_RULE = feed_schema(
    "every-rule",
    "3",
    {
        "code": column(
            Category.PLAIN, "test", matches("[A-Z]{2}[0-9]?", name="code", meaning="two capitals"), required=True
        ),
        "lines": column(Category.PLAIN, "test", each_line_matches("[a-z]+|-", name="lines", meaning="words")),
        "kind": column(Category.PLAIN, "test", one_of(("A", "é", ""), name="kind", meaning="A or é")),
        "none": column(Category.PLAIN, "test", one_of((), name="nothing", meaning="nothing is fine")),
        "short": column(Category.FREE_TEXT, "test", at_most(3), matches(".*", name="one-line", meaning="no line end")),
        "day": column(Category.PLAIN, "test", calendar_date()),
        "loose": column(
            Category.PLAIN,
            "test",
            Rule("after-2000", lambda cell: cell.str.to_date("%Y-%m-%d", strict=False) > pl.date(2000, 1, 1), "late"),
        ),
        "free": column(Category.PLAIN, "test"),
    },
    unique=("code", "kind"),
    row_rules=(
        row_rule("not-the-same", pl.col("code") != pl.col("free"), "null is not fine"),
        row_rule("day-or-free", pl.col("day").is_not_null() | pl.col("free").is_not_null(), "one of both"),
    ),
)

CELLS = [
    *(
        None,
        "",
        "A",
        "AB",
        "AB1",
        "AB\n",
        "AB1\n",
        " AB",
        "ＡＢ",
        "A\u0301",
        "é",
        "abc",
        "abcd",
        "ab\ncd",
        "ab\n",
        "-\n-",
    ),
    *(
        "\n",
        None,
        "2024-02-29",
        "2023-02-29",
        "2024-02-29\n",
        "1999-12-31",
        "2024-2-9",
        "٢٠٢٤-٠١-٠١",
        "0000-00-00",
        "née",
        "x" * 80,
    ),
]


def compiled_finds(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> Found:
    compiled = compile_schema(schema, LISTS)
    found: Found = set()
    if compiled.rules:
        failed = failures(compiled, frame)
        assert not failed.null_count().sum_horizontal().sum(), "a verdict is never null"
        for rule, marks in zip(compiled.rules, failed.iter_columns(), strict=True):
            found |= {(row, rule.column, rule.name) for row in marks.arg_true()}
    if compiled.key:
        doubled = frame.select(compiled.key).is_duplicated()
        found |= {(row, "", KEY_RULE) for row in doubled.arg_true()}
    return found


def pandera_finds(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> Found:
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        named = {"not_nullable": REQUIRED_RULE, "multiple_fields_uniqueness": KEY_RULE}
        return {
            (
                case["index"],
                "" if case["schema_context"] == "DataFrameSchema" else case["column"],
                named.get(case["check"], case["check"]),
            )
            for case in errors.failure_cases.iter_rows(named=True)
        }
    return set()


def frames(schema: pa.DataFrameSchema, cells: st.SearchStrategy[str | None]) -> st.SearchStrategy[pl.DataFrame]:
    row = st.tuples(*[cells for _ in schema.columns])
    kinds = dict.fromkeys(schema.columns, pl.String)
    return st.lists(row, min_size=1, max_size=30).map(lambda drawn: pl.DataFrame(drawn, schema=kinds, orient="row"))


@LAW
@given(frames(EVERY_RULE, st.sampled_from(CELLS) | st.text(max_size=6)))
def test_compiled_rules_find_what_pandera_finds(frame: pl.DataFrame) -> None:
    assert compiled_finds(EVERY_RULE, frame) == pandera_finds(EVERY_RULE, frame)


@pytest.mark.parametrize("rule", [(rule.column, rule.name) for rule in compile_schema(EVERY_RULE).rules])
def test_each_rule_of_the_oracle_test_both_passes_and_fails(rule: tuple[str, str]) -> None:
    compiled = compile_schema(EVERY_RULE)
    index = [(one.column, one.name) for one in compiled.rules].index(rule)
    pool = pl.DataFrame({name: [*CELLS[at:], *CELLS[:at], None] for at, name in enumerate(compiled.columns)})
    failed = failures(compiled, pool)[str(index)]
    assert failed.any()
    assert rule[1] == "nothing" or not failed.all()


_LANE_CELLS: dict[str, list[str | None]] = {
    "updated": ["At 1:00 am EST", "x" * 31],
    "status": ["delay", "slow"],
    "delay": ["25", "long", None],
    "lanes_open": ["4", "all"],
}

REAL: dict[str, dict[str, list[str | None]]] = {
    "aeo_members": {
        "tin": ["DE123", "US4711", "DE123", "D", "de1"],
        "country": ["DE", "US", "NO", "XX", "no"],
        "operator_role": ["BROKER", "IMPORTER", "importer"],
        "program_status": ["VALIDATED", "SUSPENDED", "REVOKED", "APPLICANT", "?"],
        "status_effective_date": ["2024-02-29", "2023-02-29"],
        "authorisation_date": ["2020-01-01", "2021-06-30", None],
        "suspension_date": ["2019-12-31", "2022-01-01", None],
        "benefit_consent": ["Y", "N", "y"],
        "legal_name": ["NO", "NULL", "A GmbH", "A\nGmbH", "x" * 71],
        "contact_email": ["a@b", "a@b@c", "a b@c", "a@" + "b" * 260],
    },
    "pnr_push": {
        "push_kind": ["FULL", "UPDATE", "22"],
        "pushed_at": ["2027-02-28T07:54", "2027-02-28", "2027-02-29T07:54"],
        "push_reference": ["LH400/010327/1015", "x" * 36],
        "push_part": ["1", "12", "01"],
        "record_locator": ["ABC123", "ABC12", "abc123"],
        "locator_carrier": ["LH", "DLH", "L"],
        "flight_carrier": ["LH", "LHX1"],
        "flight_number": ["1", "400A", "40000"],
        "departure_airport": ["FRA", "JFK", "fra"],
        "arrival_airport": ["FRA", "JFK", "J"],
        "departs_at": ["2024-02-29T10:00", "2024-02-30T10:00", "2024-02-29", "2024-02-29T25:00"],
        "arrives_at": ["2024-02-27T10:00", "2024-02-28", "2024-03-01T01:00"],
        "birth_date": ["1980-01-31", "2024-03-01", "1980-02-30"],
        "card_numbers": ["4111111111111111", "-\n4111", "4111 1111"],
        "amounts": ["1.00", "-\n2", "x"],
        "service_requests": ["KSML HK1", "VGML\nKSML", "vgml"],
        "sex": ["M", "FI", "m"],
        "nationality": ["DEU", "DE", "XXA", "QQQ"],
    },
    "register": {
        "registration": ["a", "a", "a/b/1", "a/b/2", "A"],
        "instrument": ["a", "a-b", "A"],
        **{name: ["A text", "x" * 2001] for name in ("title", "citation", "programme", "source", "reach")},
        "parties": ["A", "A\nB", "x" * 16_001],
        "kind": ["treaty", "letter"],
        "status": ["in force", "?"],
        "confidence": ["found", "?"],
        "dated": ["2024-02-29", "2023-02-29"],
        "exchanges_records": ["Y", "N", "y"],
        "commitments": ["To meet", "x" * 16_001, None],
        "agreement": ["b", "B", None, None],
        "version": ["1", "01", None],
        "agreement_title": ["An agreement", "x" * 2001, None],
        "provider": ["giver", "Giver", None],
        "recipient": ["taker", "Taker", None],
        "feed": ["members", "Members", None],
        "agreement_status": ["active", "?", None],
        "agreement_since": ["2024-02-29T00:00:00Z", "2024-02-29", None],
        "agreement_until": ["2030-01-01T00:00:00Z", "2030-02-31T00:00:00Z", None],
    },
    "preclear_apis": {
        "list_kind": ["745", "250", "266", "10"],
        "flight_carrier": ["LH", "DLH", "L"],
        "departs_at": ["2027-03-01T10:15", "2027-03-01", "2703011015"],
        "arrives_at": ["2027-02-28T22:00", "2027-02-27T22:00", None],
        "traveller_kind": ["FL", "FM", "DDU", "DDT", "XX"],
        "sex": ["F", "Z", None],
        "birth_date": ["1974-08-12", "2027-03-02", "740812", None],
        "nationality": ["DEU", "QQQ", None],
        "debarkation_port": ["JFK", "USNYC", "NEW YORK", None],
        "document_type": ["P", "I", "p", None],
        "document_number": ["L898902C3", "L89 8902C3", "L898902C4", None],
        "document_issuer": ["UTO", "DEU", None],
        "document_expiry": ["2012-04-15", "2012-04-16", "120415", None],
        "mrz_line": [
            "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
            "L898902C36UTO7408122F1204159ZE184226B<<<<<11",
            "L898902C36UTO<<<<<<2F1204159ZE184226B<<<<<10",
            None,
        ],
        "alien_number": ["A123456789", "A?"],
    },
    "pcsc_query": {
        "tcn": ["DEU-20261121-000001", "DEU-20261121-000002", "USA-20261122-000001", "deu-1"],
        "transaction_type": ["CPS", "SRE"],
        "modality": ["FINGERPRINT", "DNA", "FACE"],
        "asked_by": ["DEU", "USA", "DE"],
        "case_number": ["KR-2026-1", "A SURNAME"],
        "offence": ["MURDER", "?"],
        "aim": ["INVESTIGATION", "PREVENTION", "?"],
        "asked_at": ["2026-11-21T10:07:00Z", "2026-11-21T24:07:00Z", "2026-11-21"],
        "template": ["OS4wMDE6MTAd", "OS4wMDE6MTA", "A SURNAME"],
    },
    "pcsc_response": {
        "tcn": ["DEU-20261121-000001", "DEU-20261121-000002", "USA-20261122-000001", "deu-1"],
        "tcr": ["DEU-20261121-000001", "DEU-20261121-000002", "USA-20261122-000001", "deu-1"],
        "asked_by": ["DEU", "USA", "DE"],
        "result": ["HIT", "NO_HIT", "MAYBE"],
        "candidate_ref": ["0123456789ABCDEF" * 2, "0123"],
        "untraceable": ["Y", "N", "?"],
        "match_score": ["0912", "912"],
        "responded_at": ["2026-11-21T10:15Z", "2026-11-21T10:16Z", "2026-11-31T10:15Z"],
    },
    "pcsc_followup": {
        "request_number": ["DEU-20261121-000001", "DEU-20261121-000002", "USA-20261122-000001", "deu-1"],
        "hit_tcn": ["DEU-20261121-000001", "DEU-20261121-000002", "USA-20261122-000001", "deu-1"],
        "requested_by": ["DEU", "USA", "DE"],
        "case_number": ["KR-2026-1", "1"],
        "legal_basis": ["NATIONAL_LAW", "?"],
        "authority": ["AG-1", "ag"],
        "decided_on": ["2026-11-21", "2026-11-20", "2026-11-31"],
        "birth_date": ["1980-02-29", "1981-02-29"],
        "nationalities": ["DEU\nNLD", "DE"],
        "document_numbers": ["AB12345\nCD12345", "ab"],
        "special_category": ["Y", "N", "?"],
        "relevance": ["A reason", "x" * 1001],
        "record": ["A record", "x" * 4001],
        "internal_notes": ["A note", "x" * 4001],
    },
    "pcsc_spontaneous": {
        "tcn": ["DEU-20261121-000001", "DEU-20261121-000002", "USA-20261122-000001", "deu-1"],
        "supplied_by": ["DEU", "USA", "DE"],
        "supplied_at": ["2026-11-21T10:07Z", "2026-11-31T10:07Z"],
        "ground": ["TERRORIST_OFFENCE", "?"],
        **{name: ["A\nB", "A\n", "x" * 1001] for name in ("former_names", "other_names", "aliases", "spellings")},
        **{name: ["DEU\nNLD", "DE"] for name in ("nationalities", "former_nationalities")},
        **{name: ["AB12345\nCD12345", "ab"] for name in ("passport_numbers", "document_numbers")},
        "sex": ["F", "f"],
        "birth_date": ["1980-02-29", "2026-11-22", "1981-02-29"],
        "fingerprints": ["Rk1SACAyMAAAAA==", "Rk1SACAyMAAAA=="],
        "circumstances": ["A fact", "x" * 4001],
        "conditions": ["TELL_USE\nDELETE_AFTER_CASE", "NOT_AT_ALL"],
        "source_evaluation": ["A", "B", "Z"],
        "information_evaluation": ["1", "2", "9"],
        "marking": ["TLP:RED | ORCON a | 4x4 A1", "TLP:RED | 4x4 B2", "x" * 501],
        "special_category": ["Y", "N", "?"],
        "relevance": ["A reason", "x" * 1001],
    },
    "pcsc_correction": {
        "tcn": ["DEU-20261121-000001", "DEU-20261121-000002", "USA-20261122-000001", "deu-1"],
        "supplied_tcn": ["DEU-20261121-000001", "DEU-20261121-000002", "USA-20261122-000001", "deu-1"],
        "supplied_by": ["DEU", "USA", "DE"],
        "action": ["CORRECT", "BLOCK", "DELETE", "?"],
        "field": ["surname", "shoe_size", None],
        "corrected": ["B", None, "x" * 4001],
        "reason": ["INACCURATE", "?"],
        "decided_at": ["2026-11-21T10:07Z", "2026-11-31T10:07Z"],
        "decided_by": ["A", "x" * 101],
    },
    "tt_vetting_request": {
        "application_ref": ["A00000000001", "A00000000002", "A1"],
        "birth_date": ["1980-02-29", "2026-12-01", "1981-02-29"],
        "sex": ["F", "f"],
        "citizenship": ["GBR", "GB"],
        "passport_number": ["AB12345", "ab"],
        "passport_issuer": ["GBR", "GB"],
        "passport_expiry": ["2030-01-01", "2020-01-01", "2030-02-30"],
        "residence_countries": ["GBR\nFRA", "GB"],
        "addresses": ["A", "x" * 2001],
        "biometrics_ref": ["0123456789ABCDEF", "01"],
        "applied_on": ["2026-11-21", "2026-11-31"],
        "consent_on": ["2026-11-21", "2026-11-31", None],
        "consent_withdrawn_on": ["2026-11-20", "2026-11-22", "2026-11-31", None],
    },
    "tt_vetting_result": {
        "application_ref": ["A00000000001", "A00000000002", "A1"],
        "asked_by": ["GBR", "NLD", "GB"],
        "result": ["NONE", "ALERT", "PASS", None],
        "reasons": ["D1\nD2", "because", None],
        "derogatory_record": ["A record", "x" * 4001, None],
        "record_holder": ["An office", "x" * 201, None],
        "vetted_on": ["2026-11-21", "2026-11-31"],
        "valid_until": ["2026-11-22", "2026-11-21", "2026-11-31"],
    },
    "tt_membership_status": {
        "membership_number": ["900000001", "900000002", "812345678", "9"],
        "programme": ["NEXUS", "PRIVIUM"],
        "status": ["ACTIVE", "EXPIRED", "GONE"],
        "status_on": ["2026-11-21", "2026-11-31"],
        "joined_on": ["2024-01-15", "2015-01-15", "2024-02-30"],
        "expires_on": ["2029-02-28", "2025-02-28", "2029-02-30"],
        "birth_date": ["1980-02-29", "1980-02-28", "1980-03-01"],
        "card_number": ["CARD000001", "1"],
        "card_chip": ["0123456789ABCDEF01234567", "01"],
        "consent_withdrawn": ["Y", "N", "?"],
    },
    "mar_noa": {
        "notice_no": ["NOA000001", "N1"],
        "submitted_at": ["2026-11-20T06:00Z", "2026-11-31T06:00Z", "2026-11-20"],
        "vessel_name": ["ALDER BAY", "A\nB", "x" * 71],
        "imo": ["9074729", "9074720", None],
        "official_no": ["123-4", "?", None],
        "mmsi": ["351000001", "191000001"],
        "call_sign": ["3EAB1", "Q1", "1AB"],
        "flag": ["PA", "ZZ"],
        "vessel_type": ["BULK", "RAFT"],
        "last_ports": ["NLRTM", "NLRTM\nDEHAM", "X\n" * 6 + "X"],
        "last_departures": ["2026-11-01", "2026-11-01\n2026-10-01", "1/1"],
        "us_ports": ["USNYC", "USNYC\nUSSAV", "us"],
        "us_arrivals": ["2026-12-01T06:00Z", "2026-12-01T06:00Z\n2026-11-30T06:00Z", "soon"],
        "us_departures": ["2026-12-02T06:00Z", "2026-12-02T06:00Z\n2026-12-03T06:00Z", "2026-11-01T06:00Z"],
        "latitude": ["90", "-90.1", None],
        "longitude": ["-180", "181", None],
        "cdc_names": ["CHLORINE", "x" * 501, None],
        "cdc_un_numbers": ["1017", "9999", None],
        "cdc_amounts": ["80.5 T", "much", None],
        "crew_count": ["1", "0", "2"],
        "crew_births": ["1980-01-31", "31 Jan"],
        "crew_nationalities": ["PH", "ph", "PH\nIN"],
        "crew_documents": ["C0000001", "?"],
        "crew_embarked": ["NLRTM", "?"],
        "equipment_sound": ["Y", "y"],
        "ism_doc": ["DOC-1", "?"],
        "ism_smc": ["SMC-1", "?"],
        "issc": ["ISSC-1", "?"],
        "issc_expires": ["2028-06-30", "2028-06-31"],
        "cargo": ["GRAIN", "x" * 501],
        "crew_duties": ["MASTER", "x" * 10_001],
    },
    "mar_flag_query": {
        "query_no": ["FQ2026-00001", "1"],
        "vessel_name": ["ALDER BAY", "A\nB", "x" * 71],
        "claimed_flag": ["PA", "ZZ"],
        "registration_no": ["PA-1", "?", None],
        "imo": ["9319466", "9319467", None],
        "mmsi": ["351000001", "1", None],
        "call_sign": ["3EAB1", "Q", None],
        "latitude": ["12.5", "91"],
        "longitude": ["-70.1", "180.1"],
        "course": ["0", "360"],
        "speed": ["12.5", "102.3"],
        "observed_at": ["2026-11-20T04:00Z", "2026-11-20T25:00Z"],
        "asked_at": ["2026-11-20T05:00Z", "2026-11-20T03:00Z", "x"],
        "suspicion": ["IUU", "RUMOUR"],
        "requested_action": ["BOARD", "SINK"],
        "grounds": ["seen", "x" * 2001],
        "asset_name": ["CUTTER", "A\nB", "x" * 71],
        "asset_latitude": ["12", "-91"],
        "asset_longitude": ["-70", "200"],
    },
    "mar_flag_reply": {
        "query_no": ["FQ2026-00001", "1"],
        "boarding_no": ["BRD2026-00001", "1"],
        "nationality": ["CONFIRMED", "REFUTED", "MAYBE"],
        "authorisation": ["DETAIN", "BOARD", "NONE", "SINK"],
        "jurisdiction_waived": ["Y", "N", "?"],
        "conditions": ["none", "x" * 2001],
        "asked_at": ["2026-11-20T05:00Z", "x"],
        "replied_at": ["2026-11-20T06:00Z", "2026-11-20T04:00Z", "x"],
        "duty_officer": ["A", "x" * 71],
    },
    "mar_boarding_report": {
        "boarding_no": ["BRD2026-00001", "1"],
        "query_no": ["FQ2026-00001", "1"],
        "vessel_name": ["ALDER BAY", "A\nB", "x" * 71],
        "imo": ["8814275", "8814276"],
        "flag": ["PA", "ZZ"],
        "boarded_at": ["2026-11-20T05:00Z", "x"],
        "ended_at": ["2026-11-20T06:00Z", "2026-11-20T04:00Z", "x"],
        "outcome": ["DETAINED", "NOTHING_FOUND", "SUNK"],
        "found": ["NONE", "IUU", "GOLD"],
        "found_kg": ["12.5", "much", None],
        "persons_on_board": ["5", "many"],
        "crew_names": ["A", "x" * 10_001],
        "crew_documents": ["X0000001", "?"],
        "detained_names": ["A", "A\nB", None, "x" * 10_001],
        "detained_births": ["1980-01-31", "1980", None],
        "detained_nationalities": ["PH", "ph", None],
        "detained_documents": ["X0000001", "?", None],
        "narrative": ["x", "x" * 4001],
        "asset_name": ["CUTTER", "A\nB", "x" * 71],
        "asset_latitude": ["12", "-91"],
        "asset_longitude": ["-70", "200"],
    },
    "mar_ais": {
        "received_at": ["2026-11-01T00:00:00Z", "2026-11-01T00:00:00.123Z", "2026-13-01T00:00:00Z"],
        "message_type": ["1", "5", "9"],
        "mmsi": ["351000001", "338990001", "1"],
        "imo": ["9074729", "0"],
        "call_sign": ["3EAB1", "A\nB", "x" * 8],
        "ship_name": ["ALDER BAY", "A\nB", "x" * 21],
        "ship_type": ["70", "256"],
        "navigation_status": ["0", "16"],
        "latitude": ["12.5", "91", None],
        "longitude": ["-70.1", "181", None],
        "course_degrees": ["210.1", "360"],
        "speed_knots": ["12.0", "102.3"],
        "heading_degrees": ["180", "360"],
        "destination": ["US NYC", "A\nB", "x" * 21],
    },
    "fams_coverage": {
        "marking": ['TLP:RED | CUI//SP-SSI | DESIGNATED BY "TSA"', "TLP:GREEN"],
        "coverage_no": ["C00000001", "1"],
        "country": ["GB", "UK"],
        "carrier": ["XX", "XXXX"],
        "flight_number": ["1", "ABC"],
        "flight_date": ["2026-04-01", "2026-02-30"],
        "departure_airport": ["JFK", "jfk"],
        "arrival_airport": ["LHR", "JFK", "?"],
        "seats_coordinated": ["2", "0"],
        "host_contact_role": ["AIRPORT_POLICE", "COOK"],
        "weapons_notice_ack": ["Y", "?"],
    },
    "poe_wait_times": {
        "port_number": ["070101", "07010"],
        "border": ["Canadian Border", "Ocean"],
        "date": ["11/20/2026", "20.11.2026"],
        "time": ["10:30:00", "25:00"],
        "port_status": ["Open", "Closed", "?"],
        "officers_on_duty": ["12", "many"],
        "lanes_by_officer": ["lane 3", "x" * 2001],
        **{
            f"{lane}_{suffix}": cells
            for lane in importlib.import_module("schemas.poe_wait_times").LANES
            for suffix, cells in _LANE_CELLS.items()
        },
    },
    "poe_crossings_monthly": {
        "port_code": ["0101", "12"],
        "border": ["US-Canada Border", "Ocean"],
        "month": ["2026-10", "2026-13"],
        "measure": ["Trucks", "Buses", "Unicorns"],
        "value": ["12", "-1"],
        "largest_share": ["85", "101", None],
    },
    "poe_committee_kpi": {
        "port_code": ["0101", "12"],
        "month": ["2026-10", "2026-00"],
        "kpi": ["AVERAGE_WAIT", "NEXUS_SHARE", "LUCK"],
        "unit": ["minutes", "percent", "furlongs"],
        "target": ["20", "101", "x"],
        "own_value": ["7", "x", None],
        "partner_value": ["31", "x", None],
    },
}


_CONTROLS: dict[str, list[str | None]] = {
    "ip_class": ["FOREGROUND", "BUSINESS_CONFIDENTIAL", "OURS"],
    "ip_share_ours": ["50", "100", "050", None],
    "ip_share_partner": ["50", "0", "101", None],
    "publication_status": ["IN_REVIEW", "PUBLISHED", "SOON"],
    "publication_review_due": ["2026-12-01", "2026-02-30", None],
    "export_control": ["EAR99", "ECCN", "ITAR", "NLR"],
    "eccn": ["3A001.b.1", "3F001", None],
    "usml_category": ["XI", "XXII", None],
    "export_license": ["D000001", "d1", None],
    "foreign_release": ["Y", "N", "?"],
    "human_subjects": ["Y", "N", "?"],
    "assessment": ["DPIA-0001", "?", None],
    "marking": ["TLP:GREEN", "CUI//EXPT//NOFORN", "CUI//SP-PROPIN//REL TO USA, DEU", "x" * 401],
}
REAL["st_projects"] = {
    **_CONTROLS,
    "project_no": ["ST-DEU-2026-001", "ST-NLD-2026-001", "ST-DEU-26-1"],
    "party": ["DEU", "EUE", "DE"],
    "abstract": ["A", "x" * 4001],
    "trl": ["1", "9", "0"],
    "start_date": ["2024-02-29", "2023-02-29"],
    "end_date": ["2024-02-28", "2025-01-01", "2025-13-01", None],
    "funding_ours": ["40", "60", "100", "x"],
    "funding_partner": ["60", "40", "0", "x"],
}
REAL["st_deliverables"] = {
    **_CONTROLS,
    "deliverable_id": ["ST-DEU-2026-001-D01", "ST-DEU-2026-001-1"],
    "project_no": ["ST-DEU-2026-001", "ST-DEU-2026-002", "ST-DEU"],
    "kind": ["REPORT", "PAPER"],
    "sha256": ["a" * 64, "A" * 64],
    "delivered_on": ["2026-11-30", "2026-12-02", "2026-11-31"],
}
REAL["aeo_changes"] = {
    **REAL["aeo_members"],
    "change_number": ["1", "407", "0", "01"],
    "change_code": ["ADD", "UPD", "SUSP", "REVOKE", "DEL", "del"],
    "changed_on": ["2021-12-31", "2022-01-01", "2022-02-29"],
}

_GOODS: dict[str, list[str | None]] = {
    "chemical_name": ["acetone", "POTASSIUM CHLORATE, technical", "potassium chlorates", "A\nB", "x" * 71, None],
    "cas": ["67-64-1", "3811-04-9", "118-96-7", "67-64-2", None],
    "hs6": ["291411", "282919", "290420", "847130", "770000", "2914"],
    "un_number": ["1090", "1485", "1203", "9999", None],
    "quantity": ["1", "2500.5", "01", "-1", None],
    "unit": ["KGM", "TNE", "GRM", "LTR", "kg", None],
    "quantity_kg": ["1", "1000", "0.001", "2500.5", "1e3", None],
}
_NOTICE: list[str | None] = ["US-PEN-2026-000001", "DE-PEN-2026-000001", "US-PEN-1", None]
REAL["gshield_pre_export"] = {
    **_GOODS,
    "notification_no": _NOTICE,
    "exporting_customs": ["US", "DE", "QQ"],
    "importing_customs": ["US", "DE", "QQ"],
    "route": ["USHOU\nDEHAM", "DEHAM", "USHOU\nQQHAM", "USH"],
    "border_crossing_date": ["2026-02-28", "2026-02-29"],
    "container": ["CSQU3054383", "CSQU3054384", None],
    "vehicle": ["Wagon", "A\nB", "x" * 36, None],
    "invoice_value": ["5", "05", None],
    "invoice_currency": ["EUR", "euro", None],
    "licence_no": ["EL/1", "el", None],
    **{name: ["A", "A\nB", "x" * 141] for name in ("consignor_address", "consignee_address", "contact_officer")},
    **{name: ["A", "A\nB", "x" * 71] for name in ("consignor_name", "consignee_name", "final_user")},
}
REAL["gshield_reply"] = {
    "reply_no": ["DE-REP-2026-000001", "FR-REP-2026-000001", "DE-REP-1"],
    "notification_no": _NOTICE,
    "exporting_customs": ["US", "DE", "QQ"],
    "replying_customs": ["DE", "FR", "QQ"],
    "reply": ["NEEDS_INFO", "STOP", "stop"],
    "needed": ["END_USER\nROUTE", "end user", None],
    "notified_on": ["2026-02-28", "2026-02-29"],
    "replied_on": ["2026-02-27", "2026-03-01", "2026-02-29"],
    "officer_name": ["A", "A\nB", "x" * 71],
}
REAL["gshield_suspicious"] = {
    **_GOODS,
    "report_no": ["US-SUS-2026-000001", "DE-SUS-2026-000001", "US-SUS-1"],
    "reporting_customs": ["US", "DE", "QQ"],
    "reported_on": ["2026-02-28", "2026-02-29"],
    "notification_no": _NOTICE,
    "indicators": ["CASH", "CASH\nMISLABELLED", "cash"],
    "status": ["OPEN", "open"],
    "subjects": ["A", "A\nB", "x" * 513, None],
    "subject_count": ["0", "2", "02"],
    "narrative": ["A", "x" * 2001],
}
REAL["gshield_seizure"] = {
    **_GOODS,
    "seizure_no": ["US-SEZ-2026-000001", "DE-SEZ-2026-000001", "US-SEZ-1"],
    "seizing_customs": ["US", "DE", "QQ"],
    "seized_on": ["2026-02-28", "2026-02-29"],
    "location": ["USHOU", "QQHOU"],
    "transit": ["AE\nSG", "QQ", None],
    "arrests": ["0", "2", "02"],
    "arrested": ["A", "A\nB", "x" * 513, None],
    "notification_no": _NOTICE,
}
_AT: list[str | None] = ["2026-02-27T10:00Z", "2026-02-28T10:00:00Z", "2026-03-01T10:00Z", "2026-02-29T10:00Z", None]
_CARGO: dict[str, list[str | None]] = {
    "bl_number": ["XMPL1", "XMPL123456789012", "ABCD1", "1"],
    "carrier_scac": ["XMPL", "ABCD", "X1"],
    "port_of_lading": ["NLRTM", "USNYC", "NLRT1"],
    "container": ["CSQU3054383", "CSQU3054384", None],
    "vessel_imo": ["9074729", "9074720"],
    "voyage": ["123W", "w"],
    "hs6": ["820310", "770000", None],
    **dict.fromkeys(("filed_at", "lading_at", "departure_at", "eta_us", "stuffing_filed_at", "arrival_at"), _AT),
}
REAL["csi_manifest24h"] = {
    **_CARGO,
    "line": ["1", "2", "01"],
    "vessel_flag": ["DK", "QQ"],
    "receipt_port": ["NLRTM", "USNYC", None],
    "last_foreign_port": ["NLRTM", "USNYC"],
    "first_us_port": ["USNYC", "NLRTM"],
    "size_type": ["22G1", "99", None],
    "seals": ["SL1", "SL1\nSL2", "-", None],
    "packages": ["1", "0"],
    "weight_kg": ["1.5", "1,5", None],
    "description": ["Steel files", "FAK", "General cargo", "2 x goods", "12", "A\nB", "x" * 513, None],
    "undg": ["1203", "9999", None],
    **{f"{party}_id": ["NL1", "N", None] for party in ("shipper", "consignee")},
    **{f"{party}_name": ["A", "A\nB", "x" * 71, None] for party in ("shipper", "consignee")},
    **{f"{party}_address": ["A", "A\nB", "x" * 141, None] for party in ("shipper", "consignee")},
}
REAL["csi_isf"] = {
    **_CARGO,
    "filing_no": ["XJ4-12345678901", "XJ4-12345678902", "XJ4"],
    "filing_type": ["ISF-10", "ISF-5", "ISF-7"],
    "importer_number": ["12-1234567", "12-123456700", "261121-12345", "12", None],
    "consignee_number": ["123-45-6789", "1234", None],
    "origin_country": ["NL", "QQ", None],
    "hts6": ["820310", "770000", None],
    "unlading_port": ["MXVER", "USNYC", None],
    "delivery_place": ["A", "A\nB", "x" * 71, None],
    **{
        name: ["A", "A", "A\nB", "x" * 211, None]
        for name in ("seller", "buyer", "manufacturer", "ship_to", "stuffing_location", "consolidator", "booking_party")
    },
}
REAL["csi_referral"] = {
    **_CARGO,
    "referral_no": ["CSI-NLRTM-00000001", "CSI-DEHAM-00000001", "CSI-1"],
    "reason_class": ["RANDOM", "random"],
    "requested_exams": ["NII", "NII\nPHYS", "nii"],
    "requested_at": _AT,
    "cutoff_at": _AT,
    "target_score": ["0", "9871", "-1"],
    "rule_ids": ["TGT-0042", "TGT-0042\nTGT-0043", "42", None],
    **{name: ["A", "A\nB", "x" * 141, None] for name in ("vessel_name", "analyst", "source")},
}
REAL["csi_exam_result"] = {
    **_CARGO,
    "referral_no": ["CSI-NLRTM-00000001", "CSI-NLRTM-00000002", "CSI-1"],
    "result": ["CLEAR", "ANOMALY", "clear", None],
    "refused_reason": ["HOST_DECISION", "no", None],
    "exams_done": ["NII", "PHYS", "NII\nRIID", "nii", None],
    "image_ref": ["IMG-0001", "1", None],
    "radiation_alarm": ["Y", "N", "y", None],
    "host_officer_role": ["INSPECTOR", "inspector"],
    "host_officer_name": ["A", "A\nB", "x" * 71],
    "completed_at": _AT,
}
for _module in ("csi_isf", "csi_referral", "csi_exam_result", "csi_manifest24h"):
    _columns = importlib.import_module(f"schemas.{_module}").SCHEMA.columns
    REAL[_module] = {name: cells for name, cells in REAL[_module].items() if name in _columns}


_MINUTES: list[str | None] = ["2026-11-22T09:00Z", "2026-11-22T10:00Z", "2026-02-30T09:00Z"]

REAL["acas_filing"] = {
    "filed_at": ["2026-11-22T09:00Z", "2026-11-20T09:00Z", "2026-11-22T24:00Z"],
    "loading_at": ["2026-11-22T12:00Z", "2026-11-19T12:00Z", "2026-02-30T12:00Z"],
    "departure_country": ["CA", "XX"],
    "waybill_kind": ["HOUSE", "SIMPLE", "house"],
    "waybill": ["HX1", "020-12345675", "020-12345676", "A\nB", "x" * 13],
    "master_waybill": [None, "020-12345675", "020-12345676"],
    "shipper_name": ["A", "A\nB", "x" * 71],
    "verified_known_consignor": ["Y", "N", None, "y"],
    "consignee_email": [None, "a@b.example", "a b"],
    "consignee_phone": [None, "+1 202 555 0101", "call"],
    "shipper_email": [None, "a@b.example", "a b"],
    "shipper_phone": [None, "+1 202 555 0101", "call"],
    "pickup_location": [None, "HALL 1", "A\nB", "x" * 141],
    "account_name": [None, "A", "A\nB", "x" * 71],
    "account_number": [None, "AC1", "A\nB", "x" * 36],
    "account_since": [None, "2020-02-29", "2021-02-29"],
    "ip_address": [None, "192.0.2.1", "2001:db8::1", "192.0.2.x", "256.0.0.1"],
    "mac_address": [None, "00:00:5E:00:53:01", "00:00:5E:**:**:**"],
    "identity_name": [None, "A B", "A\nB", "x" * 71],
    "identity_birth_date": [None, "1980-01-01", "1980-13-01"],
    "identity_document": [None, "ID1", "A\nB", "x" * 36],
    "identity_country": [None, "CA", "XX"],
    "pieces": ["1", "0"],
    "weight": ["1.5", "0.00"],
    "weight_unit": ["K", "kg"],
    "cargo": ["LAMPS", "A\nB", "x" * 451],
}
for _name in ("shipper_address", "shipper_city", "consignee_name", "consignee_address", "consignee_city"):
    REAL["acas_filing"][_name] = ["A", "A\nB", "x" * 141]
for _name in ("account_holder", "account_issuer", "account_billing", "shipping_frequency"):
    REAL["acas_filing"][_name] = [None, "A", "A\nB", "x" * 71]

REAL["acas_status"] = {
    **{name: [None, *_MINUTES] for name in ("answered_at", "referred_at", "resolved_at", "released_at", "loaded_at")},
    **dict.fromkeys(("filed_at", "told_at"), _MINUTES),
    "waybill_kind": ["HOUSE", "SIMPLE", "house"],
    "waybill": ["HX1", "020-12345675", "A\nB", "x" * 13],
    "master_waybill": [None, "020-12345675", "020-12345676"],
    "departure_country": ["CA", "XX"],
    "status": ["FILED", "SR", "CO", "OK"],
    "answer": [None, "SR", "ERR", "OK"],
    "referral": [None, "RFI", "RFX"],
    "release": [None, "SF", "6I", "9I"],
    "reason": [None, "A\nB", "x" * 451],
    "risk_score": [None, "0900", "A\nB"],
    "analyst": [None, "A\nB"],
}
for _kind, _digit in (("do_not_load", "6"), ("information", "7"), ("screening", "8")):
    REAL["acas_status"] |= {
        f"{_kind}_hold": [None, None, f"{_digit}H", "9H"],
        f"{_kind}_held_at": [None, None, *_MINUTES],
        f"{_kind}_closed_by": [None, None, f"{_digit}I", "9I"],
        f"{_kind}_closed_at": [None, None, *_MINUTES],
    }

REAL["preclear_outcome"] = {
    "record": ["FLIGHT", "REFUSAL", "flight"],
    "location": ["YYZ", "ZZZ"],
    "flight_date": ["2026-11-03", "2026-02-30"],
    "processed": [None, "2", "x"],
    "admitted": [None, "1", "2", "x"],
    "secondary": [None, "1", "3", "x"],
    "nationality": [None, "CAN", "D", "XX"],
    "birth_date": [None, "1980-01-01", "1980-13-01"],
    "case_ref": [None, "RC-2026-1", "RC"],
    "ground": [None, "CUSTOMS", "customs"],
    "surname": [None, "A", "A\nB", "x" * 71],
    "given_names": [None, "A\nB", "x" * 141],
    "officer": [None, "A\nB"],
    **{name: [None, "0", "1", "x"] for name in ("refused", "withdrawn", "agriculture_seizures", "currency_seizures")},
}
REAL["preclear_stats"] = {
    "inspection": ["YYZ-20261103-00001", "YVR-20261103-00001", "1"],
    "location": ["YYZ", "ZZZ"],
    "flight_date": ["2026-11-03", "2026-02-30"],
    "outcome": ["ADMITTED", "admitted"],
    "secondary": ["Y", "N", "y"],
    "bags": ["1", "x"],
    "agriculture_seizures": ["0", "1", "x"],
    "currency_seizures": ["0", "1", "x"],
}


REAL["pnr_analytical"] = {
    "analysis_no": ["ANL-2026-000001", "ANL-2026-000002", "ANL-1"],
    "addressee": ["EUROPOL", "MEMBER_STATE", "CIA"],
    "member_state": ["NLD", "QQQ", None, None],
    "initiative": ["OWN", "ON_REQUEST", "own"],
    "request_no": ["REQ 1", "A\nB", "x" * 41, None],
    "case_reference": ["KR-2026-17", "KR"],
    "offence": ["TERRORISM", "TRANSNATIONAL_CRIME", "THEFT"],
    "kind": ["LINK", "GUESS"],
    "record_locator": ["ABC123", "abc"],
    "loaded_on": ["2026-10-01", "2026-12-01", "2015-01-01", "2010-01-01", "2026-02-29"],
    "travel_date": ["2026-10-03", "2026-02-29"],
    "birth_date": ["1980-02-29", "1981-02-29", None, None],
    "nationality": ["DEU", "XXA", "QQQ"],
    "document_number": ["C01X00T47", "c", None, None],
    "other_locators": ["ABC123\nDEF456", "AB", None],
    "data_types": ["4\n7\n18", "20"],
    "conclusion": ["A", "x" * 2001],
    "score": ["87", "101"],
    "rule_ids": ["TGT-0042\nTGT-0043", "TGT"],
    "repersonalised": ["Y", "N", "y"],
    "made_at": ["2026-11-01T09:00Z", "2026-11-01T09:60Z"],
    "reviewed_at": ["2026-11-01T10:00Z", "2026-11-01T08:00Z", "2026-11-01"],
    "source_evaluation": ["A", "B", "Z"],
    "information_evaluation": ["1", "2", "5"],
    "marking": ["TLP:RED | ORCON border-screening | 4x4 A1", "4x4 B2", "x" * 501],
    **{name: ["A", "A\nB", "x" * 71, None] for name in ("surname", "given_names", "repersonalised_by", "reviewed_by")},
    "contact": ["A", "A\nB", "x" * 201, None],
    **{name: ["FRA", "JFK", "QQQ"] for name in ("departure_airport", "arrival_airport")},
}


@pytest.mark.parametrize("module", sorted(REAL))
def test_the_schemas_of_the_feeds_find_what_pandera_finds(module: str) -> None:
    schema = bound(importlib.import_module(f"schemas.{module}").SCHEMA, LISTS)
    assert set(REAL[module]) <= set(schema.columns)
    draw = random.Random(7)
    frame = pl.DataFrame(
        {name: draw.choices(REAL[module].get(name, ["A", "AB12", "x" * 600]), k=600) for name in schema.columns},
        schema=dict.fromkeys(schema.columns, pl.String),
    )
    odd = [pl.Series(draw.choices([*CELLS, *["keep"] * 100], k=600), dtype=pl.String) for _ in schema.columns]
    frame = frame.select(
        pl.when(cells == "keep").then(pl.col(name)).otherwise(cells).alias(name)
        for name, cells in zip(schema.columns, odd, strict=True)
    )
    found = compiled_finds(schema, frame)
    assert found == pandera_finds(schema, frame)
    compiled = compile_schema(schema, LISTS)
    assert {(column, rule) for _, column, rule in found} >= {(rule.column, rule.name) for rule in compiled.rules}, (
        "every rule"
    )


def test_every_schema_below_schemas_is_held_to_the_oracle() -> None:
    modules = {path.stem for path in Path(schemas.__file__).parent.glob("*.py")}
    assert {name for name in modules if hasattr(importlib.import_module(f"schemas.{name}"), "SCHEMA")} == set(REAL)


@LAW
@given(
    st.lists(st.tuples(st.sampled_from([None, "", "a", "b"]), st.sampled_from([None, "", "a", "b"])), min_size=1),
    st.integers(0, 2**64 - 1),
)
def test_equal_keys_have_equal_hashes(keys: list[tuple[str | None, str | None]], seed: int) -> None:
    schema = compile_schema(
        feed_schema("k", "1", {"a": column(Category.PLAIN, "t"), "b": column(Category.PLAIN, "t")}, unique=("a", "b"))
    )
    frame = pl.DataFrame(keys, schema={"a": pl.String, "b": pl.String}, orient="row")
    together = key_hashes(schema, frame, seed=seed).to_list()
    alone = [key_hashes(schema, row, seed=seed).item() for row in frame.iter_slices(1)]
    assert together == alone
    assert len(set(zip(keys, together, strict=True))) == len(set(keys))


def test_findings_name_the_first_positions_and_count_all() -> None:
    compiled = compile_schema(feed_schema("s", "1", {"day": column(Category.PLAIN, "t", calendar_date())}))
    tally = Tally()
    for start in (0, 30):
        batch = pl.DataFrame({POSITION: range(start, start + 30), "day": [CANARY] * 30}).cast({POSITION: pl.UInt64})
        assert rejected(compiled, batch, tally).all()
    (finding,) = tally.findings()
    assert (finding.rule, finding.column, finding.count) == ("date", "day", 60)
    assert finding.positions == tuple(range(20))
    assert CANARY not in repr(finding)


def test_a_schema_without_rules_rejects_nothing() -> None:
    compiled = compile_schema(feed_schema("s", "1", {"free": column(Category.PLAIN, "t")}))
    batch = pl.DataFrame({POSITION: [1, 2], "free": ["x", None]})
    assert rejected(compiled, batch, Tally()).to_list() == [False, False]


PLAIN = {"a": column(Category.PLAIN, "t"), "b": column(Category.PLAIN, "t")}
META = {"category": Category.PLAIN, "source": "t"}


def whole(*checks: pa.Check, **options: Any) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        options.pop("columns", PLAIN), checks=list(checks), name="s", strict=options.pop("strict", True), **options
    )


def of_column(**options: Any) -> pa.DataFrameSchema:
    return whole(columns={"a": pa.Column(options.pop("dtype", pl.String), metadata=META, **options)})


def checking(fine: Callable[[Any], Any], **options: Any) -> pa.DataFrameSchema:
    return of_column(checks=pa.Check(fine, name="odd", **options), nullable=True)


def beside(expression: pl.Expr) -> pa.DataFrameSchema:
    return whole(row_rule("odd", expression, "looks at other rows"))


REFUSED = {
    "lax": whole(strict=False),
    "filtering": whole(strict="filter"),
    "coercing": whole(coerce=True),
    "dropping": whole(drop_invalid_rows=True),
    "adding": whole(add_missing_columns=True),
    "parsing": whole(parsers=Parser(lambda data: data.lazyframe)),
    "typed as a whole": whole(dtype=pl.String),
    "key is no column": whole(unique=["a", "c"]),
    "several keys": whole(unique=[["a"], ["b"]]),
    "column of numbers": of_column(dtype=pl.Int64),
    "column of anything": of_column(dtype=None),
    "column coerces": of_column(coerce=True),
    "column unique by itself": of_column(unique=True),
    "column by pattern": whole(columns={"^a.*$": pa.Column(pl.String, regex=True, metadata=META)}),
    "column may be missing": of_column(required=False),
    "column has a default": of_column(default="x", nullable=True),
    "column parses": of_column(parsers=Parser(lambda data: data.lazyframe)),
    "column drops": of_column(drop_invalid_rows=True),
    "column without category": whole(columns={"a": pa.Column(pl.String, metadata={"source": "t"})}),
    "column without source": whole(columns={"a": pa.Column(pl.String, metadata={"category": Category.PLAIN})}),
    "column without metadata": whole(columns={"a": pa.Column(pl.String)}),
    "check returns a boolean": checking(lambda data: True),
    "check returns an expression": checking(lambda data: pl.col(data.key).is_null()),
    "check returns a frame": checking(lambda data: pl.LazyFrame({"a": [True]})),
    "check filters": checking(lambda data: data.lazyframe.filter(pl.col("a") == "x")),
    "check collects": checking(lambda data: data.lazyframe.collect()),
    "check selects twice": checking(lambda data: data.lazyframe.select(pl.col("a")).select(pl.col("a").is_null())),
    "check selects two": checking(lambda data: data.lazyframe.select(pl.col("a").is_null(), pl.lit(True))),
    "check selects text": checking(lambda data: data.lazyframe.select("a")),
    "check selects all": beside(pl.all().is_not_null()),
    "check is no boolean": checking(lambda data: data.lazyframe.select(pl.col("a").str.len_chars())),
    "check is element-wise": checking(lambda cell: cell == CANARY, element_wise=True),
    "check is element-wise and selects": checking(
        lambda data: data.lazyframe.select(pl.col("a") == "x"), element_wise=True
    ),
    "check only warns": checking(lambda data: data.lazyframe.select(pl.col("a").is_null()), raise_warning=True),
    "check looks at nulls": checking(lambda data: data.lazyframe.select(pl.col("a").is_null()), ignore_na=False),
    "check raises": checking(lambda data: (_ for _ in ()).throw(ValueError(CANARY))),
    "check without name": of_column(checks=pa.Check(lambda data: data.lazyframe.select(pl.col("a") == "x"))),
    "row rule that ignores nulls": whole(pa.Check(lambda d: d.lazyframe.select(pl.col("a") == "x"), name="odd")),
    "two rules of one name": whole(columns={"a": column(Category.PLAIN, "t", at_most(3), at_most(3))}),
    "rule with the key's name": whole(row_rule("unique", pl.col("a").is_null(), "m")),
    "row rule of no column": beside(pl.col("nothing").is_null()),
    "constant": beside(pl.lit(True)),
    "maximum": beside(pl.col("a").max() < "x"),
    "doubled": beside(~pl.col("a").is_duplicated()),
    "first": beside(pl.col("a").is_first_distinct()),
    "row before": beside(pl.col("a") != pl.col("a").shift(1)),
    "row number": beside(pl.int_range(pl.len()) < 3),
    "running count": beside(pl.col("a").cum_count() > 3),
    "few of a kind": beside(pl.len().over("a") < 9),
    "hundred in all": beside(pl.col("a").is_null() | (pl.col("a").count() < 100)),
}


@pytest.mark.parametrize("why", sorted(REFUSED))
def test_a_schema_that_one_pass_cannot_run_is_refused(why: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        compile_schema(REFUSED[why])
    assert refused.value.code is Code.SCHEMA_INVALID
    assert "schema s" in str(refused.value)
    assert_silent(refused.value, CANARY)


def test_the_schemas_around_the_refused_ones_compile() -> None:
    for schema in (whole(), of_column(), checking(lambda data: data.lazyframe.select(pl.col(data.key) == "x"))):
        assert compile_schema(schema).columns[0] == "a"
    assert len(compile_schema(beside(pl.col("a") == pl.col("b"))).rules) == 1


def test_a_check_that_says_no_of_an_absent_cell_is_heeded() -> None:
    """A check made by hand, not by `column`: null where the cell is absent passes, false fails, as pandera has it."""
    schema = checking(lambda data: data.lazyframe.select(pl.col("a").is_not_null() & (pl.col("a") != "bad")))
    frame = pl.DataFrame({"a": ["fine", "bad", None]})
    assert compiled_finds(schema, frame) == pandera_finds(schema, frame) == {(1, "a", "odd"), (2, "a", "odd")}


def test_a_check_without_verdict_on_a_cell_that_is_there_fails() -> None:
    """Stricter than pandera, which takes null for a pass: no verdict means no release."""
    schema = checking(lambda data: data.lazyframe.select(pl.when(pl.col("a") == "fine").then(pl.lit(True))))
    assert compiled_finds(schema, pl.DataFrame({"a": ["fine", "odd", None]})) == {(1, "a", "odd")}


def test_the_environment_does_not_switch_checks_off() -> None:
    program = (
        "import polars as pl\n"
        "from pandera.config import CONFIG\n"
        "from tests.core.test_validation import EVERY_RULE, compiled_finds, pandera_finds\n"
        "row = pl.DataFrame({name: ['?!?!'] for name in EVERY_RULE.columns})\n"
        "print(CONFIG.validation_enabled, len(pandera_finds(EVERY_RULE, row)), len(compiled_finds(EVERY_RULE, row)))\n"
    )
    off = {"PANDERA_VALIDATION_ENABLED": "False", "PANDERA_VALIDATION_DEPTH": "SCHEMA_ONLY"}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **off},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.split() == ["False", "0", "8"]


def test_what_a_schema_says_of_itself_is_compiled_too() -> None:
    compiled = compile_schema(EVERY_RULE)
    assert (compiled.id, compiled.version, compiled.key) == ("every-rule", "3", ("code", "kind"))
    assert compiled.columns == tuple(EVERY_RULE.columns)
    assert compiled.categories["short"] is Category.FREE_TEXT
    assert compiled.sources["short"] == "test"

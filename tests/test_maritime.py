"""Maritime bilaterals: no person but the detained, no own unit but late and coarse, a reply for its boarding alone."""

import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.cases import example_means
from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.language.purpose import Declaration
from pipeline.core.redaction import compile_redaction, redact
from pipeline.core.scope import Events
from pipeline.edges.catalogue import Catalogue, load
from pipeline.edges.declarations import Declared
from pipeline.edges.schemas import schema_of
from samples import mar_ais, mar_boarding_report, mar_flag_query, mar_flag_reply
from samples.drawn import as_json_lines
from samples.mar_ais import OWN_UNITS
from tests.exchange import NOON, ROOT, Exchange
from tests.golden_cases import delivery, expected, received, released

GOLDEN = {
    "mar-noa": ("mar-noa",),
    "mar-flag-query": ("mar-flag-query",),
    "mar-boarding-report": ("mar-boarding-report", "mar-detention"),
    "mar-ais": ("mar-ais", "mar-own-positions"),
}
PERSONS = ("name", "birth", "document", "nationalit", "duties", "embarked", "contact", "officer", "owner")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("maritime"))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(ROOT / "catalogue")


@pytest.fixture(scope="module")
def kept(exchange: Exchange) -> Mapping[str, str]:
    return {feed: received(exchange, feed, delivery("mar", feed), "golden") for feed in GOLDEN}


@pytest.mark.parametrize(("feed", "agreement"), [(feed, one) for feed, some in GOLDEN.items() for one in some])
def test_a_delivery_comes_out_as_its_agreement_allows(
    exchange: Exchange, kept: Mapping[str, str], feed: str, agreement: str
) -> None:
    _, rows = released(exchange, agreement, kept[feed])
    assert rows.write_csv() == expected("mar", agreement)


def test_no_agreement_but_that_on_detention_names_a_person(catalogue: Catalogue) -> None:
    for agreement in catalogue.agreements.values():
        if agreement.feed.startswith("mar-") and agreement.id != "mar-detention":
            told = {name for name in agreement.released if any(part in name for part in PERSONS)}
            assert told <= {"vessel_name", "ship_name", "cdc_names", "nationality"}, agreement.id


def test_of_persons_on_board_only_the_detained_are_told(exchange: Exchange, kept: Mapping[str, str]) -> None:
    _, rows = released(exchange, "mar-detention", kept["mar-boarding-report"])
    given = pl.concat(exchange.site.vault.rows(exchange.site.vault.kept(kept["mar-boarding-report"])))
    others = set("\n".join(given["crew_documents"]).split("\n")) - set(
        "\n".join(rows["detained_documents"]).split("\n")
    )
    assert rows.height < given.height
    assert len(others) > rows.height
    assert not any(other in rows.write_csv() for other in others)


# Own assets


def own(agreement: str, catalogue: Catalogue, rows: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """What the agreement makes of the feed's rows when it releases at that instant."""
    said = catalogue.agreement(agreement)
    schema = schema_of(catalogue.feed(said.feed), catalogue.code_lists)
    means = example_means(catalogue.code_lists, catalogue.hierarchies)
    full = rows.with_columns(
        *(pl.lit(None, pl.String).alias(name) for name in schema.columns if name not in rows.columns),
        pl.lit(1, pl.UInt64).alias(POSITION),
    )
    return redact(compile_redaction(said, schema, means, Events(released=at, loaded=at)), full).frame


def heard(station: str, at: datetime, latitude: str, longitude: str) -> pl.DataFrame:
    cells = {"mmsi": station, "received_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "latitude": latitude, "longitude": longitude}
    return pl.DataFrame({name: [cell] for name, cell in cells.items()})


@pytest.mark.parametrize(
    ("ago", "told"), [(timedelta(days=7), 1), (timedelta(days=7, seconds=-1), 0), (timedelta(), 0)]
)
def test_an_own_units_position_is_a_week_old_or_not_told(catalogue: Catalogue, ago: timedelta, told: int) -> None:
    rows = own("mar-own-positions", catalogue, heard(OWN_UNITS[0], NOON - ago, "12.345678", "-70.678901"), NOON)
    assert rows.height == told


@pytest.mark.parametrize(
    ("exact", "told"), [("12.499999", "12"), ("12.500000", "13"), ("-70.678901", "-71"), ("-0.4", "0"), ("89.9", "90")]
)
def test_an_own_units_position_is_told_to_one_degree(catalogue: Catalogue, exact: str, told: str) -> None:
    rows = own("mar-own-positions", catalogue, heard(OWN_UNITS[1], NOON - timedelta(days=30), exact, exact), NOON)
    assert rows.rows() == [("2026-10", told, told)]


def test_no_own_unit_is_ever_in_the_picture_of_the_sea(exchange: Exchange, catalogue: Catalogue) -> None:
    assert set(OWN_UNITS) == set(catalogue.code_lists["own-units-v1"].codes)
    log = io.BytesIO()
    mar_ais.write(log, messages=200, seed=9)
    lot = received(exchange, "mar-ais", log.getvalue(), "picture")
    published, rows = released(exchange, "mar-ais", lot)
    assert published.predicate["rows"]["by_rule"]["no-own-units"] > 5
    assert rows.height > 150
    assert not set(rows["mmsi"]) & set(OWN_UNITS)


def test_a_boarding_of_this_week_is_told_without_where_our_unit_is(catalogue: Catalogue) -> None:
    for days, told in ((8, True), (6, False)):
        at = f"{NOON - timedelta(days=days):%Y-%m-%dT%H:%MZ}"
        given = pl.DataFrame([mar_boarding_report.one(boarded_at=at, flag="PA")])
        (row,) = own("mar-boarding-report", catalogue, given, NOON).iter_rows(named=True)
        assert row["boarded_at"] == at
        assert (row["asset_latitude"] is not None, row["asset_longitude"] is not None) == (told, told)


def test_a_query_tells_the_vessels_position_and_never_our_units(exchange: Exchange, kept: Mapping[str, str]) -> None:
    published, rows = released(exchange, "mar-flag-query", kept["mar-flag-query"])
    given = pl.concat(exchange.site.vault.rows(exchange.site.vault.kept(kept["mar-flag-query"])))
    text = rows.write_csv()
    assert {"latitude", "longitude"} <= set(rows.columns)
    for name in ("asset_name", "asset_latitude", "asset_longitude", "grounds"):
        assert name not in rows.columns
        assert not any(cell in text for cell in given[name])
    assert "LEI" in published.predicate["handling"]["marking"]


def test_a_ship_with_another_check_digit_is_told_of_and_its_row_is_taken(exchange: Exchange) -> None:
    row = mar_flag_query.one() | {"query_no": "FQ2026-09999", "imo": "9319467"}
    lot = received(exchange, "mar-flag-query", as_json_lines([row]), "odd-number")
    (one,) = exchange.site.vault.kept(lot).deliveries
    assert (one.accepted, one.rejected) == (1, 0)
    assert [(told.rule, told.column, told.count) for told in one.findings] == [("tolerated-imo-check-digit", "imo", 1)]


# A reply is for the boarding that it names


NAMED, OTHER = "BRD2026-00001", "BRD2026-00002"


@pytest.fixture(scope="module")
def replies(exchange: Exchange) -> str:
    """Replies for two boardings, kept."""
    first = mar_flag_reply.one(boarding_no=NAMED)
    second = mar_flag_reply.one(boarding_no=OTHER, query_no="FQ2026-00002")
    return received(exchange, "mar-flag-reply", as_json_lines([first, second]), "replies")


def declare(exchange: Exchange, kept: str, case: str | None) -> None:
    said = Declared(declaration=Declaration(purpose="boarding", case_reference=case), by="officer", at=exchange.now)
    exchange.site.declarations.declare("mar-flag-reply", kept, said)


def test_a_reply_goes_to_the_boarding_that_it_names_and_to_no_other(exchange: Exchange, replies: str) -> None:
    refused = []
    with pytest.raises(Refused) as nothing:
        journey.release(exchange.site, "mar-flag-reply", replies)
    refused.append(nothing.value.code)
    declare(exchange, replies, None)
    with pytest.raises(Refused) as no_case:
        journey.release(exchange.site, "mar-flag-reply", replies)
    refused.append(no_case.value.code)
    assert refused == [Code.PURPOSE_MISSING, Code.CONDITION_MISSING]
    assert exchange.published("mar-flag-reply") == []
    declare(exchange, replies, NAMED)
    published, rows = released(exchange, "mar-flag-reply", replies)
    assert rows["boarding_no"].to_list() == [NAMED]
    said = published.predicate
    assert (said["rows"]["released"], said["rows"]["withheld"]) == (1, 1)
    assert said["purpose"]["conditions"] == [
        {"condition": "named-boarding", "kind": "case-reference", "by": NAMED, "clause": "named boarding"}
    ]


def test_a_reply_bears_its_caveat_and_may_not_be_passed_on(exchange: Exchange, replies: str) -> None:
    declare(exchange, replies, NAMED)
    published, rows = released(exchange, "mar-flag-reply", replies)
    handling = published.predicate["handling"]
    assert handling["onward"]["default"] == "deny"
    assert handling["onward"]["with"] == []
    assert any("no other" in caveat for caveat in handling["caveats"])
    assert "jurisdiction_waived" not in rows.columns


def test_the_golden_releases_lie_there() -> None:
    folder = Path(__file__).parent / "golden" / "mar" / "released"
    assert {path.stem for path in folder.iterdir()} == {one for some in GOLDEN.values() for one in some}

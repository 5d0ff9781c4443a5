"""Reference tables: they are what the packages publish, schemas lean on the catalogue's, and an expired one stops both ends."""

import ast
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import schemas
from docs.reference.__main__ import CODES, Table, tables
from pipeline import journey
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.category import Category
from pipeline.core.language.codes import CodeList
from pipeline.core.schema import bound, column, each_line_listed, feed_schema, leans_on, listed
from pipeline.core.validation import compile_schema, failures
from samples import pnr_push
from tests.code_lists import LISTS
from tests.exchange import Exchange

TABLES = tables()
COUNTRIES = "iso-3166-1-alpha-2-v1"


# What the packages publish


@pytest.mark.parametrize("table", TABLES, ids=[table.id for table in TABLES])
def test_a_list_is_what_its_package_publishes(table: Table) -> None:
    assert (CODES / f"{table.id}.toml").read_text(encoding="utf-8") == table.text()


def test_a_list_that_is_not_written_from_a_package_says_where_it_is_from() -> None:
    assert all(listed.source and listed.agreed_on <= date(2026, 12, 31) for listed in LISTS.values())
    reference = {id for module in modules() for id in module_leans_on(module)} | {table.id for table in TABLES}
    assert {id for id in reference if LISTS[id].expires_on is None} == set()


def test_the_countries_are_the_same_in_both_spellings() -> None:
    two, three = LISTS[COUNTRIES].codes, LISTS["iso-3166-1-alpha-3-v1"].codes
    assert len(two) == len(three) == 249
    assert not {*three} & {*LISTS["icao-9303-v1"].codes}


def test_airports_of_a_party_are_airports() -> None:
    every = {*LISTS["airports-v1"].codes}
    for id in ("airports-eu-v2", "airports-us-v2", "preclearance-airports-v1", "preclearance-airports-ca-v1"):
        assert {*LISTS[id].codes} <= every, id
    assert not {*LISTS["airports-eu-v2"].codes} & {*LISTS["airports-us-v2"].codes}
    assert {"FDF", "RUN", "LPA", "ATH"} <= {*LISTS["airports-eu-v2"].codes}
    assert {"ZRH", "LHR", "KEF", "NOU", "AUA"} & {*LISTS["airports-eu-v2"].codes} == set()


def test_every_sensitive_code_of_a_request_is_a_code_of_requests() -> None:
    assert {code for code in LISTS["sensitive-ssr-v1"].codes if len(code) == 4} <= {*LISTS["ssr-codes-v1"].codes}


def test_what_is_watched_is_in_the_harmonized_system() -> None:
    assert {*LISTS["precursor-headings-v1"].codes} <= {*LISTS["hs-2022-v1"].codes}


# No second copy


def modules() -> list[Path]:
    return sorted(Path(schemas.__file__).parent.glob("*.py"))


def module_leans_on(module: Path) -> frozenset[str]:
    schema = getattr(__import__(f"schemas.{module.stem}", fromlist=["SCHEMA"]), "SCHEMA", None)
    return leans_on(schema) if schema else frozenset()


def test_no_schema_copies_a_table() -> None:
    published = {code for table in TABLES if not table.id.startswith("airports") for code in table.codes}
    for module in modules():
        written = {
            node.value for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Constant)
        }
        words = {word for text in written if isinstance(text, str) and len(text) < 5000 for word in text.split()}
        assert len(words & published) < 20, (module.name, sorted(words & published))


# Rules that lean on a list


def a_list(*codes: str, id: str = "lands", **more: object) -> dict[str, CodeList]:
    said = {"id": id, "title": "Lands", "agreed_on": date(2026, 1, 1), "source": "test", "codes": codes, **more}
    return {id: CodeList.model_validate(said)}


SCHEMA = feed_schema(
    "journeys",
    "1",
    {
        "to": column(Category.PLAIN, "test", listed("lands", "seas", name="land", meaning="a land or a sea")),
        "by": column(Category.PLAIN, "test", each_line_listed("lands", name="lands", meaning="lands, one a line")),
    },
)


def test_a_cell_is_held_to_all_lists_that_its_rule_names() -> None:
    compiled = compile_schema(SCHEMA, {**a_list("AA", "BB"), **a_list("S", id="seas")})
    cells = {"to": ["AA", "S", "CC", None, "AA\nBB", ""], "by": ["AA\nBB", "AA", "AA\nS", None, "AA\n", ""]}
    failed = failures(compiled, pl.DataFrame(cells))
    assert failed["0"].to_list() == [False, False, True, False, True, True]
    assert failed["1"].to_list() == [False, False, True, False, True, True]
    assert compiled.code_lists == {"lands", "seas"}


def test_a_schema_that_has_not_been_given_its_codes_finds_nothing_fine() -> None:
    with pytest.raises(Misconfigured, match="schema journeys: rule land leans on the code list lands"):
        compile_schema(SCHEMA)
    with pytest.raises(Exception, match="SCHEMA_INVALID"):
        SCHEMA.validate(pl.DataFrame({"to": ["AA"], "by": ["AA"]}))
    assert bound(feed_schema("plain", "1", {"to": column(Category.PLAIN, "test")}), {}).name == "plain"


def test_a_schema_leans_on_no_list_whose_codes_lapse() -> None:
    lapsing = a_list("AA", lapses={"AA": date(2027, 1, 1)})
    with pytest.raises(Misconfigured, match="whose codes lapse") as refusal:
        compile_schema(SCHEMA, {**lapsing, **a_list("S", id="seas")})
    assert refusal.value.code is Code.SCHEMA_INVALID


# In the journey

THREE = "codes/iso-3166-1-alpha-3-v1.toml"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("exchange"), feeds=("pnr-push",))


@pytest.fixture(scope="module")
def kept(exchange: Exchange) -> str:
    """A push that waited while a list had expired, and was received when there was a newer one."""
    exchange.drop("pnr-push", pnr_push.good(), "push.edi")
    (lot,) = journey.sweep(exchange.site).lots
    exchange.edit(THREE, "expires_on = 2028-02-16", "expires_on = 2026-11-21")
    with pytest.raises(Misconfigured, match="feed pnr-push leans on the code list iso-3166-1-alpha-3-v1") as refusal:
        journey.receive(exchange.site, lot.id)
    assert refusal.value.code is Code.CODE_LIST_EXPIRED
    exchange.edit(THREE, "expires_on = 2026-11-21", "expires_on = 2028-02-16")
    received = journey.receive(exchange.site, lot.id)
    assert (received.rejected_rows, received.refused) == (0, ())
    (kept,) = received.kept
    return kept


def test_nothing_is_released_by_an_expired_list_and_all_of_it_by_the_newer_one(exchange: Exchange, kept: str) -> None:
    airports, ends = "codes/airports-eu-v2.toml", "expires_on = 2028-09-05"
    exchange.edit(airports, ends, "expires_on = 2026-11-21")
    with pytest.raises(Misconfigured, match="agreement us-eu-pnr leans on the code list airports-eu-v2") as refusal:
        journey.release(exchange.site, "us-eu-pnr", kept)
    assert refusal.value.code is Code.CODE_LIST_EXPIRED
    exchange.edit(airports, "expires_on = 2026-11-21", ends)
    assert journey.release(exchange.site, "us-eu-pnr", kept).rows > 0


def test_a_schema_follows_the_list_of_its_site(exchange: Exchange) -> None:
    exchange.edit(THREE, '"DEU", ', "")
    exchange.drop("pnr-push", pnr_push.good().replace(b"+000301", b"+000302"), "again.edi")
    (received,) = exchange.receive()
    exchange.edit(THREE, '"CZE", ', '"CZE", "DEU", ')
    assert received.rejected_rows or received.refused

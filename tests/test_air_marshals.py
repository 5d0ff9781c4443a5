"""Air marshals: Sensitive Security Information. No row leaves; counts by country and quarter do, late and rounded."""

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.errors import Code, Misconfigured, Postponed, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.treatment import GeneraliseDate, Keep, Statistics
from pipeline.core.statistics import COUNT, tabulate
from pipeline.edges.catalogue import Catalogue, load
from samples.drawn import as_csv
from samples.fams_coverage import flown
from schemas.fams_coverage import COLUMNS
from tests.exchange import ROOT, Exchange
from tests.golden_cases import delivery, expected, received, released

FEED, COUNTS = "fams-coverage", "fams-statistics"
WAIT = timedelta(days=90)
ROWS = """\
id = "fams-rows"
title = "Rows, which may not be"
instrument = "federal-air-marshals"
provider = "air-marshals"
recipient = "host-aviation"
feeds = ["fams-coverage"]
status = [{ to = "active", since = 2020-01-01T00:00:00Z, reason = "somebody tried" }]
format = "csv"
in_force = { from = 2020-01-01T00:00:00Z, until = 2030-01-01T00:00:00Z }

[purposes.coordination]
clause = "purpose"

[declared]
purpose = "coordination"

[columns.country]
treatment = "keep"
clause = "named contact"

[columns.flight_date]
treatment = "keep"
clause = "named contact"

[handling]
marking = { tlp = "AMBER+STRICT" }
onward = { default = "deny", says = "No", clause = "named contact" }

[handling.retention]
delete_after = "P1D"
clock = "released"
clause = "named contact"
"""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("marshals"))


@pytest.fixture(scope="module")
def kept(exchange: Exchange) -> str:
    """Kept; its release is still to wait."""
    return received(exchange, FEED, delivery("fams", FEED), "golden")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(ROOT / "catalogue")


@pytest.fixture(scope="module")
def agreement(catalogue: Catalogue) -> Agreement:
    return catalogue.agreement(COUNTS)


# Row level never reaches shared storage


def test_the_only_agreement_on_coverage_is_counts_by_country_and_quarter(
    catalogue: Catalogue, agreement: Agreement
) -> None:
    assert [one.id for one in catalogue.agreements_of(FEED)] == [COUNTS]
    assert set(agreement.released) == {"country", "flight_date"}
    assert isinstance(agreement.released["country"], Keep)
    quarter = agreement.released["flight_date"]
    assert isinstance(quarter, GeneraliseDate)
    assert quarter.to == "quarter"
    counts = agreement.statistics
    assert counts
    assert (counts.smallest_cell, counts.round_to, counts.sums) == (11, 10, {})
    assert agreement.handling.delay
    assert agreement.handling.delay.wait == "P90D"


def test_each_release_bears_the_header_and_the_distribution_statement(agreement: Agreement) -> None:
    header, statement = agreement.handling.caveats
    assert header == "SENSITIVE SECURITY INFORMATION"
    assert statement.startswith("WARNING: This record contains Sensitive Security Information")
    assert "49 CFR parts 15 and 1520" in statement


def test_an_agreement_on_rows_that_is_marked_as_they_are_is_refused_by_the_catalogue(exchange: Exchange) -> None:
    path = exchange.directory / "catalogue" / "agreements" / "fams-rows.toml"
    path.write_text(ROWS.replace('tlp = "AMBER+STRICT"', 'tlp = "RED"'), encoding="utf-8")
    try:
        with pytest.raises(Misconfigured) as fault:
            exchange.site.catalogue().agreement("fams-rows")
    finally:
        path.unlink()
    assert fault.value.code is Code.CATALOGUE_INVALID
    assert "handling.marking" in str(fault.value)
    assert "TLP:RED" in str(fault.value)


def test_an_agreement_on_rows_that_is_marked_lower_releases_none_since_each_row_is_marked(
    exchange: Exchange, kept: str
) -> None:
    path = exchange.directory / "catalogue" / "agreements" / "fams-rows.toml"
    path.write_text(ROWS, encoding="utf-8")
    try:
        with pytest.raises(Refused) as refusal:
            journey.release(exchange.site, "fams-rows", kept)
    finally:
        path.unlink()
    assert refusal.value.code is Code.MARKING_FORBIDS
    assert exchange.published("fams-rows") == []


def test_a_row_that_does_not_say_what_it_is_is_not_taken(exchange: Exchange) -> None:
    rows = [flown(number, "GB", date(2026, 4, 1)) for number in range(1, 41)]
    rows[7] |= {"marking": None}
    exchange.drop(FEED, as_csv(COLUMNS, rows), "unmarked")
    (lot,) = (lot for lot in journey.sweep(exchange.site).lots if lot.feed == FEED)
    refused = journey.receive(exchange.site, lot.id)
    assert refused.kept == ()


# Counts, late


def test_counts_wait_for_ninety_days_and_are_those_of_the_golden_case(exchange: Exchange, kept: str) -> None:
    loaded = exchange.now
    for days in (0, 89):
        exchange.now = loaded + timedelta(days=days)
        with pytest.raises(Postponed):
            journey.release(exchange.site, COUNTS, kept)
    exchange.now = loaded + WAIT + timedelta(days=90)
    published, rows = released(exchange, COUNTS, kept)
    assert rows.write_csv() == expected("fams", COUNTS)
    assert "SP-SSI" in published.predicate["handling"]["marking"]
    assert "TLP:AMBER+STRICT" in published.predicate["handling"]["marking"]
    assert set(rows["country"]) == {"DE", "GB", "JP"}, "Ireland is suppressed, and what hides it"


def test_no_byte_of_shared_storage_names_a_carrier_a_route_or_a_flight(exchange: Exchange, kept: str) -> None:
    given = pl.concat(exchange.site.vault.rows(exchange.site.vault.kept(kept)))
    clear = exchange.everything_in_clear()
    for name in ("coverage_no", "arrival_airport", "departure_airport"):
        for cell in given[name].unique():
            assert f'"{cell}"'.encode() not in clear
            assert f",{cell},".encode() not in clear


# The difference of two releases


def published_counts(rule: Statistics, counts: Sequence[int]) -> dict[str, int]:
    """What is published of countries that have so many flights."""
    rows = [(country, count) for country, count in zip("ABC", counts, strict=True) if count]
    cells = pl.DataFrame(rows, schema={"country": pl.String, COUNT: pl.UInt32}, orient="row")
    frame = tabulate([cells], ("country",), rule).frame
    return dict(zip(frame["country"], frame[rule.count_as].cast(pl.Int64), strict=True))


def test_differencing_two_quarters_isolates_no_change_under_eleven(agreement: Agreement) -> None:
    """Whatever two tables show of a country also stands for no change, or for one of eleven and more."""
    rule = agreement.statistics
    assert rule
    told = {count: published_counts(rule, (count, 200, 400)).get("A") for count in range(61)}
    stands_for: dict[tuple[int | None, int | None], set[int]] = {}
    for before, after in itertools.product(told, told):
        stands_for.setdefault((told[before], told[after]), set()).add(abs(after - before))
    for before, after in itertools.product(told, told):
        if 0 < abs(after - before) < rule.smallest_cell:
            assert any(change == 0 or change >= rule.smallest_cell for change in stands_for[told[before], told[after]])


def test_another_country_betrays_no_small_change(agreement: Agreement) -> None:
    """The others of the table are the same before and after, or stand for many changes themselves."""
    rule = agreement.statistics
    assert rule
    small = [published_counts(rule, (count, 200, 400)) for count in range(1, 11)]
    assert all(table == small[0] for table in small)


def test_without_rounding_the_difference_would_tell(agreement: Agreement) -> None:
    rule = agreement.statistics
    assert rule
    exact = rule.model_copy(update={"round_to": None})
    assert published_counts(exact, (31, 200, 400))["A"] - published_counts(exact, (28, 200, 400))["A"] == 3

"""Preclearance over the real journey: the host gets counts, and a person only where a case asks."""

from pathlib import Path

import pytest

from pipeline import journey
from pipeline.core.errors import Code, Refused
from samples.preclearance import INSPECTIONS, OUTCOMES
from schemas.preclear_apis import SCHEMA as APIS
from schemas.preclear_outcome import PERSON
from tests.drawn import cells, declare, golden, kept, released, told
from tests.exchange import Exchange

GOLDEN = Path(__file__).parent / "golden" / "preclear"
DELIVERIES = ("preclear-outcome.csv", "preclear-stats.csv", "preclear-apis.edi")
POLICE = "preclear-refusals-police"
PAGE = ["surname", "given_names", "sex", "birth_date", "nationality", "document_type", "document_number"]
FLIGHT = ["flight_carrier", "flight_number", "departure_airport", "arrival_airport", "departs_at"]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("preclear"), feeds=tuple(name.split(".")[0] for name in DELIVERIES))


@pytest.fixture(scope="module")
def keys(exchange: Exchange) -> dict[str, str]:
    """The kept rows of the golden delivery of each feed."""
    return {
        (feed := name.split(".")[0]): kept(exchange, feed, (GOLDEN / name).read_bytes(), "golden")
        for name in DELIVERIES
    }


@pytest.mark.parametrize(
    ("feed", "agreement"),
    [
        ("preclear-apis", "preclear-apis-host"),
        ("preclear-outcome", "preclear-outcome-host"),
        ("preclear-stats", "preclear-statistics"),
    ],
)
def test_a_release_is_the_golden_one(exchange: Exchange, keys: dict[str, str], feed: str, agreement: str) -> None:
    _, part = released(exchange, agreement, keys[feed])
    assert told(part) == golden(GOLDEN / f"{agreement}.csv")


def test_a_refused_person_is_told_only_on_request_with_a_case_and_after_a_look(
    exchange: Exchange, keys: dict[str, str]
) -> None:
    key = keys["preclear-outcome"]
    looked = {"by": "o.example", "at": exchange.now}
    with pytest.raises(Refused) as nobody_asked:
        journey.release(exchange.site, POLICE, key)
    declare(exchange, POLICE, key, purpose="criminal-investigation", reviewed=looked)
    with pytest.raises(Refused) as no_case:
        journey.release(exchange.site, POLICE, key)
    assert (nobody_asked.value.code, no_case.value.code) == (Code.PURPOSE_MISSING, Code.CONDITION_MISSING)
    assert exchange.published(POLICE) == []
    declare(exchange, POLICE, key, purpose="criminal-investigation", case_reference="RC-2026-107", reviewed=looked)
    published, part = released(exchange, POLICE, key)
    assert told(part) == golden(GOLDEN / f"{POLICE}.csv")
    assert {"ground", "officer"} & set(part.columns) == set()
    assert "RC-2026-107" in str(published.predicate)


def test_the_host_gets_no_person_with_the_counts(exchange: Exchange) -> None:
    rows = OUTCOMES.rows(24, seed=4)
    persons = [row for row in rows if row["record"] == "REFUSAL"]
    key = kept(exchange, "preclear-outcome", OUTCOMES.written(rows), "persons")
    published, part = released(exchange, "preclear-outcome-host", key)
    assert persons
    assert set(part.columns) & {*PERSON, "officer"} == set()
    shown = part.write_csv() + str(published.predicate)
    assert [row["case_ref"] for row in persons if row["document_number"] in shown or row["surname"] in shown] == []
    assert published.predicate["rows"]["by_rule"]["flights-alone"] == len(persons)


def test_the_host_gets_the_page_of_the_passport_of_who_leaves_by_its_airports(
    exchange: Exchange, keys: dict[str, str]
) -> None:
    published, part = released(exchange, "preclear-apis-host", keys["preclear-apis"])
    assert part.columns == [*FLIGHT, *PAGE, "document_issuer"]
    assert set(part["departure_airport"]) <= {"YYC", "YEG", "YHZ", "YUL", "YOW", "YYZ", "YVR", "YWG"}
    assert published.predicate["rows"]["by_rule"]["passenger-lists"] > 0
    assert set(APIS.columns) > set(part.columns)


def month(*counted: tuple[str, str, int]) -> bytes:
    """Inspections of one month: so many at a location with an outcome."""
    rows = iter(INSPECTIONS.rows(sum(count for *_, count in counted), seed=8))
    return INSPECTIONS.written(
        [
            row | {"location": at, "outcome": ended, "inspection": at + row["inspection"][3:], "secondary": "Y"}
            for at, ended, count in counted
            for row in [next(rows) for _ in range(count)]
        ]
    )


@pytest.mark.parametrize(
    ("counted", "published_cells"),
    [
        ((("YEG", "ADMITTED", 30), ("YWG", "ADMITTED", 11)), {"YEG ADMITTED", "YWG ADMITTED"}),
        # 10 alone would be what is missing: the smallest of the others goes with it.
        ((("YOW", "ADMITTED", 30), ("YOW", "REFUSED", 10), ("YHZ", "ADMITTED", 20)), {"YOW ADMITTED"}),
    ],
)
def test_a_cell_under_eleven_travellers_is_suppressed_and_another_with_it(
    exchange: Exchange, counted: tuple[tuple[str, str, int], ...], published_cells: set[str]
) -> None:
    key = kept(exchange, "preclear-stats", month(*counted), f"month-{len(counted)}")
    _, part = released(exchange, "preclear-statistics", key)
    assert {f"{row['location']} {row['outcome']}" for row in told(part)} == published_cells
    assert part.columns == ["location", "flight_date", "outcome", "travellers", "bags", "agriculture"]
    assert {int(cell) % 5 for name in ("travellers", "bags", "agriculture") for cell in part[name]} == {0}
    assert set(part["flight_date"]) == {"2026-11"}


def test_the_golden_inspections_have_a_small_cell_and_one_to_hide_it() -> None:
    rows = cells((GOLDEN / "preclear-stats.csv").read_bytes())
    sizes = sorted(
        sum((row["location"], row["outcome"]) == cell for row in rows)
        for cell in {(row["location"], row["outcome"]) for row in rows}
    )
    assert sizes == [2, 3, 11, 12, 24]
    assert len(golden(GOLDEN / "preclear-statistics.csv")) == 2

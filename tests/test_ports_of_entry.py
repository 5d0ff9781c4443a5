"""Port of entry committees: counts whose small cells nobody can tell, waits that are public, no officer."""

import io
import itertools
from collections import defaultdict
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.language.treatment import Statistics
from pipeline.core.statistics import hidden_along, partial_counts, tabulate
from pipeline.edges.catalogue import Catalogue, load
from samples.drawn import as_csv
from samples.poe_crossings_monthly import counted
from schemas.poe_crossings_monthly import COLUMNS
from tests.exchange import ROOT, Exchange
from tests.golden_cases import delivery, expected, received, released

GOLDEN = {
    "poe-wait-times": "poe-wait-times",
    "poe-crossings-monthly": "poe-crossings",
    "poe-committee-kpi": "poe-committee",
}
BY = ("port_code", "month", "measure")
MEASURES = ("Buses", "Pedestrians", "Trains", "Personal Vehicles")
SMALLEST = 11


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("ports"))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(ROOT / "catalogue")


@pytest.fixture(scope="module")
def rule(catalogue: Catalogue) -> Statistics:
    statistics = catalogue.agreement("poe-crossings").statistics
    assert statistics
    return statistics


@pytest.fixture(scope="module")
def opened(exchange: Exchange) -> dict[str, pl.DataFrame]:
    """What the three golden deliveries are released as, by agreement."""
    found = {}
    for feed, agreement in GOLDEN.items():
        kept = received(exchange, feed, delivery("poe", feed), "golden")
        found[agreement] = released(exchange, agreement, kept)[1]
    return found


@pytest.mark.parametrize("agreement", GOLDEN.values())
def test_a_delivery_comes_out_as_its_agreement_allows(opened: dict[str, pl.DataFrame], agreement: str) -> None:
    assert opened[agreement].write_csv() == expected("poe", agreement)


# Waits


def test_waits_are_public_and_whoever_stands_in_the_lanes_is_not(
    exchange: Exchange, opened: dict[str, pl.DataFrame]
) -> None:
    (published,) = exchange.published("poe-wait-times")
    assert published.predicate["handling"]["marking"] == "TLP:CLEAR"
    names = opened["poe-wait-times"].columns
    assert not [name for name in names if "officer" in name or "lanes_open" in name]
    assert len([name for name in names if name.endswith("_delay")]) == 7


def test_nothing_and_not_applicable_are_absent(opened: dict[str, pl.DataFrame]) -> None:
    assert b"N/A" in delivery("poe", "poe-wait-times")
    assert "N/A" not in opened["poe-wait-times"].write_csv()
    assert not opened["poe-wait-times"].select(pl.any_horizontal(pl.all() == "")).to_series().any()


# Counts


def table_of(
    rule: Statistics, counts: dict[tuple[str, str], int], month: str = "2026-10"
) -> dict[tuple[str, str], int]:
    """What is published of these counts by port and measure."""
    rows = [counted(port, measure, count, month=month) for (port, measure), count in counts.items()]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))
    table = tabulate([partial_counts(frame.select(BY), frame, rule)], BY, rule).frame
    return {(row[0], row[2]): int(row[3]) for row in table.iter_rows()}


def lines(cells: dict[tuple[str, str], int]) -> list[list[tuple[str, str]]]:
    """Cells whose total somebody may know: those of one port, and those of one measure."""
    found: dict[tuple[int, str], list[tuple[str, str]]] = defaultdict(list)
    for cell in cells:
        for place, name in enumerate(cell):
            found[place, name].append(cell)
    return list(found.values())


CELLS = st.dictionaries(
    st.tuples(st.sampled_from(["0101", "0102", "0103", "0104"]), st.sampled_from(MEASURES)),
    st.integers(0, 60),
    min_size=1,
)


@settings(max_examples=150, deadline=None)
@given(CELLS)
def test_no_count_under_eleven_is_published_and_each_is_a_multiple_of_five(
    rule: Statistics, counts: dict[tuple[str, str], int]
) -> None:
    for cell, told in table_of(rule, counts).items():
        assert counts[cell] >= SMALLEST
        assert told % 5 == 0
        assert abs(told - counts[cell]) <= 2


@settings(max_examples=150, deadline=None)
@given(CELLS)
def test_no_total_of_a_port_or_of_a_measure_tells_a_small_count(
    rule: Statistics, counts: dict[tuple[str, str], int]
) -> None:
    """Who knows the exact total of a line takes off what is published: what is left could be eleven in each cell."""
    shown = table_of(rule, counts)
    for line in lines(counts):
        hidden = [counts[cell] for cell in line if cell not in shown]
        if hidden and any(cell in shown for cell in line):
            assert len(hidden) >= 2
            assert sum(hidden) - (len(hidden) - 1) >= SMALLEST


def test_without_complementary_suppression_the_margin_would_tell(rule: Statistics) -> None:
    counts = {
        (port, measure): 9 if (port, measure) == ("0101", "Buses") else 60 + 7 * number
        for number, (port, measure) in enumerate(itertools.product(["0101", "0102", "0103"], MEASURES[:3]))
    }
    plain = rule.model_copy(update={"margins": False})
    hidden = [cell for cell in counts if cell not in table_of(plain, counts)]
    assert any(sum(cell in line for cell in hidden) == 1 for line in lines(counts))
    hidden = [cell for cell in counts if cell not in table_of(rule, counts)]
    assert all(sum(cell in line for cell in hidden) != 1 for line in lines(counts))
    assert len(hidden) < len(counts)


def test_a_table_without_small_cells_is_published_whole(rule: Statistics) -> None:
    counts = {(port, measure): 20 for port in ("0101", "0102") for measure in MEASURES}
    assert table_of(rule, counts) == counts


@pytest.mark.parametrize(
    ("sizes", "hidden", "closed"),
    [
        ([9, 20, 30, 40], {0}, {0, 1, 2, 3}),
        ([20, 20, 30, 40], set(), set()),
        ([5, 6, 90, 90], {0, 1}, {0, 1, 2, 3}),
    ],
)
def test_suppression_along_margins_by_vectors(sizes: Sequence[int], hidden: set[int], closed: set[int]) -> None:
    names = [("0101", "Buses"), ("0101", "Trains"), ("0102", "Buses"), ("0102", "Trains")]
    assert hidden_along(names, sizes, hidden, SMALLEST) == closed


def test_a_count_that_one_firm_dominates_is_withheld(opened: dict[str, pl.DataFrame]) -> None:
    trucks = opened["poe-crossings"].filter(pl.col("measure") == "Trucks")
    assert trucks.rows() == [("0102", "2026-10", "Trucks", "400"), ("0103", "2026-10", "Trucks", "95")]


# Two tables


def test_two_months_have_no_cell_in_common(exchange: Exchange, opened: dict[str, pl.DataFrame]) -> None:
    rows = [counted("0101", measure, 100, month="2026-11") for measure in MEASURES]
    kept = received(exchange, "poe-crossings-monthly", as_csv(COLUMNS, rows), "november")
    _, november = released(exchange, "poe-crossings", kept)
    assert november.height == 4
    assert not set(november.select(BY).rows()) & set(opened["poe-crossings"].select(BY).rows())


def test_a_month_that_is_told_again_tells_no_change_exactly(rule: Statistics) -> None:
    """Two tables of one month differ by steps of five: each stands for nine changes and more, and none for one alone."""
    others = {("0102", "Buses"): 200, ("0101", "Trains"): 200, ("0102", "Trains"): 200}
    told = {count: table_of(rule, {("0101", "Buses"): count, **others}).get(("0101", "Buses")) for count in range(60)}
    stands_for: dict[tuple[int | None, int | None], set[int]] = defaultdict(set)
    for before, after in itertools.product(range(60), repeat=2):
        stands_for[told[before], told[after]].add(after - before)
    for before, after in itertools.product(range(60), repeat=2):
        if 0 < abs(after - before) < SMALLEST:
            assert len(stands_for[told[before], told[after]]) > 1


# Figures


def test_a_small_number_of_incidents_is_not_told_of_either_side(exchange: Exchange) -> None:
    text = "port_code,month,kpi,unit,target,own_value,partner_value\n" + "".join(
        f"{number:04},2026-11,INCIDENTS,count,20,{own},{partner}\n"
        for number, (own, partner) in enumerate([(11, 11), (10, 40), (40, 10), ("", 11), ("", 3)], 201)
    )
    kept = received(exchange, "poe-committee-kpi", io.BytesIO(text.encode()).getvalue(), "incidents")
    _, rows = released(exchange, "poe-committee", kept)
    assert rows["port_code"].to_list() == ["0201", "0204"]

"""The schema takes what carriers really write, and rejects what would make a row worthless or mistreated."""

import io

import polars as pl
import pytest

from pipeline.core.delivery import POSITION
from pipeline.core.findings import Tally
from pipeline.core.language.category import Category
from pipeline.core.validation import compile_schema, rejected
from pipeline.formats.batch import Limits
from pipeline.formats.pnrgov import COLUMNS, PnrGov
from samples.pnr_push import VARIANTS, Written, good, write
from schemas.pnr_push import SCHEMA
from tests.code_lists import LISTS

COMPILED = compile_schema(SCHEMA, LISTS)


def read(content: bytes) -> pl.DataFrame:
    return pl.concat(batch.frame for batch in PnrGov().read([content], COLUMNS, Limits()))


ROW = read(good()).filter(pl.col("surname").is_not_null() & pl.col("card_numbers").str.starts_with("4")).head(1)


def doubled(frame: pl.DataFrame) -> int:
    """How many rows share their key with another."""
    return int(frame.select(COMPILED.key).is_duplicated().sum())


def broken(**cells: str | None) -> set[tuple[str, str]]:
    """The (column, rule)s that a good row breaks once `cells` are put into it."""
    tally = Tally()
    rejected(COMPILED, ROW.with_columns(pl.lit(cell, pl.String).alias(name) for name, cell in cells.items()), tally)
    return {(finding.column, finding.rule) for finding in tally.findings()}


def written(**arguments: float) -> tuple[Written, pl.DataFrame]:
    out = io.BytesIO()
    said = write(out, travellers=1500, seed=11, bad_share=arguments.get("bad_share", 0.0))
    return said, read(out.getvalue())


def test_the_columns_are_the_readers_in_its_order() -> None:
    assert COMPILED.columns == COLUMNS


def test_every_column_says_its_source_and_annex_item_and_all_nineteen_items_are_there() -> None:
    of_pushes = {name for name in COMPILED.columns if name.startswith("push")}
    items = {source.rpartition(" ")[2] for name, source in COMPILED.sources.items() if name not in of_pushes}

    assert items == {str(item) for item in range(1, 20)}


def test_free_text_and_names_are_never_plain() -> None:
    for column in ("remarks", "history", "fares"):
        assert COMPILED.categories[column] is Category.FREE_TEXT
    assert COMPILED.categories["service_requests"] is Category.SENSITIVE
    for column in ("surname", "given_names", "other_names", "contacts", "payer", "apis_other", "document_number"):
        assert COMPILED.categories[column] is Category.DIRECT_IDENTIFIER


def test_a_good_sample_is_accepted_whole() -> None:
    _, frame = written()

    assert not rejected(COMPILED, frame, Tally()).any()
    assert doubled(frame) == 0


def test_exactly_the_rows_that_were_made_bad_are_rejected() -> None:
    said, frame = written(bad_share=0.05)

    assert said.rows == frame.height
    assert int(rejected(COMPILED, frame, Tally()).sum()) == said.bad_rows > 20


def test_the_mostly_bad_sample_is_mostly_bad() -> None:
    frame = read(VARIANTS["mostly-bad"]())

    assert int(rejected(COMPILED, frame, Tally()).sum()) * 3 > frame.height


def test_one_pnr_on_two_flights_is_two_rows_and_the_same_flight_twice_is_doubled() -> None:
    other = ROW.with_columns(pl.lit("401").alias("flight_number"))

    assert doubled(pl.concat([ROW, other])) == 0
    assert doubled(pl.concat([ROW, ROW])) == 2


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("record_locator", "AB-1", "locator"),
        ("record_locator", "abc234", "locator"),
        ("record_locator", "ABC234\n", "locator"),
        ("record_locator", None, "required"),
        ("locator_carrier", "L", "carrier"),
        ("departure_airport", "F1A", "airport"),
        ("departure_airport", None, "required"),
        ("arrival_airport", "FRAA", "airport"),
        ("flight_number", "40000", "flight-number"),
        ("departs_at", "0103:4321", "moment"),
        ("departs_at", "2027-03-01T24:30", "moment"),
        ("departs_at", "2027-02-29", "moment"),
        ("booked_at", "200127", "moment"),
        ("ticketed_at", "2027-01-20T04:39\n200127", "moments"),
        ("birth_date", "1980-02-31", "date"),
        ("birth_date", "12XXX67", "date"),
        ("birth_date", "2090-01-01", None),
        ("sex", "Z", "sex"),
        ("nationality", "QQQ", "country"),
        ("document_issuer", "0", "country"),
        ("document_number", "A?1", "document-number"),
        ("document_expiry", "99DEC30", "date"),
        ("card_numbers", "4111 1111", "accounts"),
        ("amounts", "12,50", "amounts"),
        ("service_requests", "AVML HK\nwheelchair", "requests"),
    ],
)
def test_what_makes_a_row_worthless_is_rejected(column: str, cell: str | None, rule: str | None) -> None:
    assert broken(**{column: cell}) == {(column, rule) if rule else ("", "born-before-departure")}


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("record_locator", "ABC23"),
        ("locator_carrier", "1A"),
        ("locator_carrier", "DLH"),
        ("locator_carrier", None),
        ("flight_number", "0044"),
        ("flight_number", "9A"),
        ("last_changed_at", "2028-02-29"),
        ("arrives_at", None),
        ("given_names", "ANNAMRS"),
        ("given_names", None),
        ("surname", "O'NEIL-ÅBERG"),
        ("traveller_ref", "#2"),
        ("nationality", "DE"),
        ("nationality", "XXA"),
        ("nationality", None),
        ("birth_date", None),
        ("sex", "FI"),
        ("document_expiry", "2001-01-01"),
        ("card_numbers", "-\nXXXXXXXXXXXX1186\n4000001234567899"),
        ("amounts", "416.00\n-\n20"),
        ("service_requests", "AVML\nWCHR HK 1 LH FRA-JFK KNEE: ÄÖ"),
        ("remarks", "ANYTHING: + AT ALL"),
    ],
)
def test_what_is_careless_but_readable_is_accepted(column: str, cell: str | None) -> None:
    assert broken(**{column: cell}) == set()


@pytest.mark.parametrize(
    ("departs", "arrives", "fine"),
    [
        ("2027-03-02T09:00", "2027-03-01T23:30", True),
        ("2027-03-02T09:00", "2027-03-02", True),
        ("2027-03-03T09:00", "2027-03-01T23:30", False),
    ],
)
def test_an_arrival_may_be_a_day_before_the_departure_and_no_more(departs: str, arrives: str, fine: bool) -> None:
    assert (broken(departs_at=departs, arrives_at=arrives) == set()) is fine


def test_a_finding_names_positions_and_never_a_value() -> None:
    tally = Tally()
    rejected(COMPILED, ROW.with_columns(pl.lit("31FEB80").alias("birth_date")), tally)

    (finding,) = tally.findings()
    assert finding.positions == tuple(ROW[POSITION])
    assert "31FEB80" not in repr(finding)

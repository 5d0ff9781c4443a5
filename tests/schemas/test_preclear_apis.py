"""The schema takes what carriers really send, and rejects what would make a list worthless at the border."""

import io

import polars as pl
import pytest

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Tally
from pipeline.core.language.category import Category
from pipeline.core.validation import compile_schema, rejected
from pipeline.formats.batch import Limits
from pipeline.formats.paxlst import COLUMNS, Paxlst
from samples.preclear_apis import VARIANTS, Written, good, write
from schemas.preclear_apis import SCHEMA
from tests.code_lists import LISTS

COMPILED = compile_schema(SCHEMA, LISTS)
MRZ = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
"""ICAO Doc 9303 part 4, appendix B."""
HOLDER = {
    "mrz_line": MRZ,
    "document_type": "P",
    "document_number": "L898902C3",
    "birth_date": "1974-08-12",
    "document_expiry": "2012-04-15",
}


def read(content: bytes) -> pl.DataFrame:
    return pl.concat(batch.frame for batch in Paxlst().read([content], COLUMNS, Limits()))


ROW = read(good()).filter((pl.col("traveller_kind") == "FL") & pl.col("mrz_line").is_null()).head(1)


def broken(**cells: str | None) -> set[tuple[str, str]]:
    """The (column, rule)s that a good row breaks once `cells` are put into it."""
    tally = Tally()
    rejected(COMPILED, ROW.with_columns(pl.lit(cell, pl.String).alias(name) for name, cell in cells.items()), tally)
    return {(finding.column, finding.rule) for finding in tally.findings()}


def written(bad_share: float = 0.0) -> tuple[Written, pl.DataFrame]:
    out = io.BytesIO()
    said = write(out, travellers=1500, seed=11, bad_share=bad_share)
    return said, read(out.getvalue())


def test_the_columns_are_the_readers_in_its_order() -> None:
    assert COMPILED.columns == COLUMNS


def test_every_column_says_its_segment_and_its_text() -> None:
    for source in COMPILED.sources.values():
        assert source.startswith("PAXLST ")
        assert "; " in source


@pytest.mark.parametrize(
    "element",
    [
        "full name",
        "date of birth",
        "gender",
        "citizenship",
        "country of residence",
        "status on board the aircraft",
        "travel document type",
        "travel document number",
        "travel document country of issuance",
        "travel document expiration",
        "alien registration number",
        "address while in the United States",
        "passenger name record locator",
        "foreign port where transport began",
        "port of first arrival",
        "final foreign port, in transit",
        "airline carrier code",
        "flight number",
        "date of arrival",
        "visa",
    ],
)
def test_every_element_of_the_law_has_a_column(element: str) -> None:
    assert any(source.endswith(f": {element}") for source in COMPILED.sources.values())


def test_names_numbers_and_lines_of_documents_are_direct_identifiers() -> None:
    for column in ("surname", "given_names", "document_number", "mrz_line", "visa_number", "alien_number"):
        assert COMPILED.categories[column] is Category.DIRECT_IDENTIFIER
    for column in ("other_documents", "record_locator", "address_street", "bag_tags", "reporting_party"):
        assert COMPILED.categories[column] is Category.DIRECT_IDENTIFIER


def test_a_good_sample_is_accepted_whole() -> None:
    _, frame = written()

    assert not rejected(COMPILED, frame, Tally()).any()
    assert int(frame.select(COMPILED.key).is_duplicated().sum()) == 0
    assert frame["mrz_line"].drop_nulls().len() > 100
    assert set(frame["traveller_kind"]) == {"FL", "FM", "DDU"}


def test_exactly_the_rows_that_were_made_bad_are_rejected() -> None:
    said, frame = written(0.05)

    assert said.rows == frame.height
    assert int(rejected(COMPILED, frame, Tally()).sum()) == said.bad_rows > 20


def test_the_mostly_bad_sample_is_mostly_bad() -> None:
    frame = read(VARIANTS["mostly-bad"]())

    assert int(rejected(COMPILED, frame, Tally()).sum()) * 3 > frame.height


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("truncated", Code.MESSAGE_TRUNCATED),
        ("wrong-encoding", Code.ENCODING_INVALID),
        ("not-paxlst", Code.MESSAGE_UNKNOWN),
        ("old-directory", Code.MESSAGE_UNKNOWN),
        ("empty", Code.DELIVERY_EMPTY),
    ],
)
def test_samples_to_refuse_are_refused_without_a_value(name: str, code: Code) -> None:
    with pytest.raises(Refused) as caught:
        read(VARIANTS[name]())

    assert caught.value.code is code
    assert not any(surname in str(caught.value) for surname in set(read(good())["surname"]))


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    for out in (first, second):
        write(out, travellers=50, seed=5, bad_share=0.1)

    assert first.getvalue() == second.getvalue()


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("list_kind", "10", "list-kind"),
        ("list_kind", None, "required"),
        ("list_function", "NINE", "function"),
        ("flight_carrier", "U", "carrier"),
        ("flight_carrier", None, "required"),
        ("flight_number", "CHARTER", "flight-number"),
        ("departure_airport", "F1A", "airport"),
        ("arrival_airport", None, "required"),
        ("departs_at", "2703011015", "minute"),
        ("departs_at", "2027-03-01", "minute"),
        ("departs_at", "2027-03-01T24:30", "minute"),
        ("arrives_at", "MORNING", "minute"),
        ("route", "FRA", "route"),
        ("traveller_kind", "XX", "traveller-kind"),
        ("traveller_kind", "FL\nFM", "traveller-kind"),
        ("surname", None, "required"),
        ("surname", "X" * 71, "at-most-70"),
        ("sex", "Z", "sex"),
        ("sex", "F\nM", "sex"),
        ("birth_date", "1980-02-31", "date"),
        ("birth_date", "670312", "date"),
        ("birth_date", "1967-03-12\n1968-03-12", "date"),
        ("nationality", "QQQ", "country"),
        ("other_nationalities", "DEU, FRA", "countries"),
        ("clearance_port", "NEW YORK", "port"),
        ("record_locator", "abc234", "locators"),
        ("seat", "WINDOW", "seat"),
        ("bag_count", "TWO", "count"),
        ("bag_weight", "20", "weight"),
        ("verification", "175", "verification"),
        ("mrz_line", "L898902C36UTO7408122F1204159ZE184226B<<<<<11", "mrz-line"),
        ("mrz_line", "L898902C36UTO7408122F1204159ZE184226B<<<<10", "mrz-line"),
        ("document_type", "p", "document-type"),
        ("document_number", "C01?X", "document-number"),
        ("document_issuer", "GERMANY", "country"),
        ("document_expiry", "2099-13-31", "date"),
        ("visa_expiry", "991331", "date"),
    ],
)
def test_what_makes_a_row_worthless_is_rejected(column: str, cell: str | None, rule: str) -> None:
    assert (column, rule) in broken(**{column: cell})


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"sex": None}, "person-told"),
        ({"birth_date": None}, "person-told"),
        ({"nationality": None}, "person-told"),
        ({"document_number": None}, "document-told"),
        ({"document_type": None}, "document-told"),
        ({"document_issuer": None}, "passport-whole"),
        ({"document_expiry": None}, "passport-whole"),
        ({"arrives_at": None}, "arrival-told"),
        ({"traveller_kind": "DDU", "debarkation_port": None}, "in-transit-goes-on"),
        ({"traveller_kind": "DDT", "debarkation_port": None}, "in-transit-goes-on"),
        ({"birth_date": "2090-01-01"}, "born-before-departure"),
        ({"arrives_at": "2001-01-01T10:00"}, "arrives-after-departure"),
        (HOLDER | {"document_number": "L898902C4"}, "mrz-number"),
        (HOLDER | {"birth_date": "1974-08-13"}, "mrz-birth"),
        (HOLDER | {"document_expiry": "2012-04-16"}, "mrz-expiry"),
    ],
)
def test_a_rule_across_columns_rejects_the_row(cells: dict[str, str | None], rule: str) -> None:
    assert broken(**cells) == {("", rule)}


@pytest.mark.parametrize(
    "cells",
    [
        HOLDER,
        HOLDER | {"document_number": "L89 8902-C3".replace("-", " ")},
        HOLDER | {"document_number": None, "document_type": "P", "list_kind": "266"},
        {"list_kind": "266", "sex": None, "birth_date": None, "nationality": None, "document_number": None},
        {"list_kind": "266", "document_type": None, "document_issuer": None, "arrives_at": None},
        {"document_type": "I", "document_issuer": None, "document_expiry": None},
        {"traveller_kind": "FM", "address_street": None, "seat": None, "record_locator": None},
        {"traveller_kind": "DDU", "debarkation_port": "GRU"},
        {"nationality": "DE"},
        {"nationality": "XXA"},
        {"given_names": None},
        {"clearance_port": "CAYYZ"},
        {"record_locator": "ABC234\nDEF567"},
        {"sex": "X"},
        {"birth_date": "2027-03-01"},
        {"document_expiry": "2001-01-01"},
        {"alien_number": "A123456789"},
        {"bag_weight": "20.5 LBR"},
    ],
)
def test_what_carriers_really_send_passes(cells: dict[str, str | None]) -> None:
    assert broken(**cells) == set()

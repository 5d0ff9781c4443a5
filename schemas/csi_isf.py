"""Importer security filing: one row is one filing, of ten elements, or of five for goods that go on (19 CFR 149.3).

The ten and when they are due are found in copies of 19 CFR 149.2 and 149.3(a); the five are from memory.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, feed_schema, matches, one_of
from pipeline.core.schema import row_rule as rule
from schemas import csi_cargo as cargo
from schemas.code_lists import COUNTRY, SUBHEADING

TEN, FIVE = "19 CFR 149.3(a) [found]", "19 CFR 149.3(b) [memory]"
DUE = "19 CFR 149.2 [found]"
TIME = cargo.utc_time()
FILER_NUMBER = matches(
    "[0-9]{2}-[0-9]{7}(?:[A-Z0-9]{2})?|[0-9]{6}-[0-9]{5}|[0-9]{3}-[0-9]{2}-[0-9]{4}",
    name="importer-number",
    meaning="an IRS, CBP-assigned or social security number (19 CFR 24.5) [memory]",
)
PARTY = at_most(210), cargo.ONE_LINE
TEN_AT_LADING = (
    "seller",
    "buyer",
    "importer_number",
    "consignee_number",
    "manufacturer",
    "ship_to",
    "origin_country",
    "hts6",
)
STUFFING = ("stuffing_location", "consolidator")
FIVE_ELEMENTS = ("booking_party", "unlading_port", "delivery_place", "ship_to", "hts6")

COLUMNS = {
    "filing_no": column(
        Category.PLAIN,
        "filer's own number",
        matches("[A-Z0-9]{3}-[0-9]{11}", name="filing-no", meaning="such as XJ4-12345678901"),
        required=True,
        title="Number of the filing",
    ),
    "filing_type": column(
        Category.PLAIN,
        "19 CFR 149.3",
        one_of(("ISF-10", "ISF-5"), name="filing-type", meaning="ISF-10 or ISF-5"),
        required=True,
        title="Ten elements, or five",
    ),
    "bl_number": column(Category.PLAIN, DUE, cargo.BILL, required=True, title="Bill of lading that it belongs to"),
    "carrier_scac": column(Category.PLAIN, DUE, cargo.CARRIER, required=True, title="Carrier (SCAC)"),
    "port_of_lading": column(Category.PLAIN, DUE, cargo.FOREIGN_PORT, required=True, title="Foreign port of lading"),
    "filed_at": column(Category.PLAIN, DUE, TIME, required=True, title="When it was filed"),
    "lading_at": column(Category.PLAIN, DUE, TIME, required=True, title="When lading begins"),
    "stuffing_filed_at": column(Category.PLAIN, DUE, TIME, title="When elements 9 and 10 were filed"),
    "arrival_at": column(Category.PLAIN, DUE, TIME, required=True, title="When it arrives in the United States"),
    "seller": column(Category.DIRECT_IDENTIFIER, f"{TEN}, 1", *PARTY, title="Seller"),
    "buyer": column(Category.DIRECT_IDENTIFIER, f"{TEN}, 2", *PARTY, title="Buyer"),
    "importer_number": column(Category.DIRECT_IDENTIFIER, f"{TEN}, 3", FILER_NUMBER, title="Importer of record number"),
    "consignee_number": column(Category.DIRECT_IDENTIFIER, f"{TEN}, 4", FILER_NUMBER, title="Consignee number"),
    "manufacturer": column(Category.DIRECT_IDENTIFIER, f"{TEN}, 5", *PARTY, title="Manufacturer or supplier"),
    "ship_to": column(Category.DIRECT_IDENTIFIER, f"{TEN}, 6; {FIVE}", *PARTY, title="Ship-to party"),
    "origin_country": column(Category.PLAIN, f"{TEN}, 7", COUNTRY, title="Country of origin"),
    "hts6": column(Category.PLAIN, f"{TEN}, 8; {FIVE}", SUBHEADING, title="Commodity, HTSUS to six digits"),
    "stuffing_location": column(
        Category.DIRECT_IDENTIFIER, f"{TEN}, 9", *PARTY, title="Where the container was stuffed"
    ),
    "consolidator": column(Category.DIRECT_IDENTIFIER, f"{TEN}, 10", *PARTY, title="Who stuffed it"),
    "booking_party": column(Category.DIRECT_IDENTIFIER, FIVE, *PARTY, title="Booking party"),
    "unlading_port": column(Category.PLAIN, FIVE, cargo.FOREIGN_PORT, title="Foreign port of unlading"),
    "delivery_place": column(Category.PLAIN, FIVE, *cargo.NAME, title="Place of delivery"),
}

_ten, _five = pl.col("filing_type") == "ISF-10", pl.col("filing_type") == "ISF-5"


def _there(columns: tuple[str, ...]) -> pl.Expr:
    return pl.all_horizontal(pl.col(name).is_not_null() for name in columns)


ROW_RULES = (
    rule(
        "bill-of-the-carrier",
        pl.col("bl_number").str.starts_with(pl.col("carrier_scac")),
        "the bill begins with its carrier's SCAC",
    ),
    rule("eight-elements-at-lading", ~_ten | _there(TEN_AT_LADING), "elements 1 to 8 of ten are there"),
    rule("five-elements", ~_five | _there(FIVE_ELEMENTS), "all five are there"),
    rule(
        "filed-24-hours-before-lading",
        cargo.instant("lading_at") - cargo.instant("filed_at") >= cargo.DAY_BEFORE,
        "filed 24 hours before lading, or earlier",
    ),
    rule(
        "stuffing-told-whole",
        pl.any_horizontal(
            _there((*STUFFING, "stuffing_filed_at")),
            pl.all_horizontal(pl.col(name).is_null() for name in (*STUFFING, "stuffing_filed_at")),
        ),
        "elements 9 and 10 come together, with when they were filed",
    ),
    rule(
        "stuffing-24-hours-before-arrival",
        pl.col("stuffing_filed_at").is_null()
        | (cargo.instant("arrival_at") - cargo.instant("stuffing_filed_at") >= cargo.DAY_BEFORE),
        "elements 9 and 10 were filed 24 hours before arrival, or earlier",
    ),
    rule(
        "arrives-after-lading",
        cargo.instant("arrival_at") > cargo.instant("lading_at"),
        "no arrival before the lading",
    ),
)

SCHEMA = feed_schema("csi-isf", "1", COLUMNS, unique=["filing_no"], row_rules=ROW_RULES)

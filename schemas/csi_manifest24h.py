"""The 24-hour manifest: one row is one container, or one lot of loose goods, on one bill of lading, before it is laden.

What the carrier declares is listed in 19 CFR 4.7a(c)(4) [memory]. Shipper and consignee are businesses, and sometimes persons.
"""

import polars as pl

from pipeline.core.identifiers import imo_number, undg_number
from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, feed_schema, matches
from pipeline.core.schema import row_rule as rule
from schemas import csi_cargo as cargo
from schemas.code_lists import COUNTRY, SUBHEADING

LAW = "19 CFR 4.7a(c)(4) [memory]"
TIME = cargo.utc_time()
QUANTITY = matches("[1-9][0-9]{0,8}", name="whole-number", meaning="a whole number of packages")
WEIGHT = matches(
    r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,3})?", name="kilograms", meaning="kilograms, at most three decimals"
)

COLUMNS = {
    "bl_number": column(Category.PLAIN, LAW, cargo.BILL, required=True, title="Bill of lading"),
    "line": column(
        Category.PLAIN,
        "ours: a bill's containers are counted [design]",
        matches("[1-9][0-9]{0,3}", name="line", meaning="a whole number up to 9999"),
        required=True,
        title="Line of the bill",
    ),
    "carrier_scac": column(Category.PLAIN, LAW, cargo.CARRIER, required=True, title="Carrier (SCAC)"),
    "vessel_name": column(Category.PLAIN, LAW, *cargo.NAME, required=True, title="Vessel"),
    "vessel_imo": column(Category.PLAIN, LAW, imo_number(), required=True, title="IMO number of the vessel"),
    "vessel_flag": column(Category.PLAIN, LAW, COUNTRY, required=True, title="Country of the vessel's flag"),
    "voyage": column(Category.PLAIN, LAW, cargo.VOYAGE, required=True, title="Voyage number"),
    "receipt_port": column(
        Category.PLAIN, LAW, cargo.FOREIGN_PORT, title="First foreign place where the carrier took it"
    ),
    "port_of_lading": column(
        Category.PLAIN, LAW, cargo.FOREIGN_PORT, required=True, title="Foreign port where it is laden"
    ),
    "last_foreign_port": column(Category.PLAIN, LAW, cargo.FOREIGN_PORT, required=True, title="Last foreign port"),
    "first_us_port": column(
        Category.PLAIN, LAW, cargo.UNITED_STATES_PORT, required=True, title="First port in the United States"
    ),
    "filed_at": column(Category.PLAIN, LAW, TIME, required=True, title="When it was declared"),
    "lading_at": column(Category.PLAIN, LAW, TIME, required=True, title="When lading begins"),
    "departure_at": column(Category.PLAIN, LAW, TIME, title="When the vessel leaves the port of lading"),
    "eta_us": column(Category.PLAIN, LAW, TIME, required=True, title="When it is expected in the United States"),
    "container": column(Category.PLAIN, f"{LAW}; ISO 6346", cargo.CONTAINER, title="Container; none for loose goods"),
    "size_type": column(Category.PLAIN, "ISO 6346, size and type", cargo.SIZE_TYPE, title="Size and type"),
    "seals": column(Category.SENSITIVE, LAW, cargo.SEALS, title="Seal numbers, one a line"),
    "packages": column(
        Category.PLAIN, LAW, QUANTITY, required=True, title="Quantity in the lowest external packaging unit"
    ),
    "weight_kg": column(Category.PLAIN, LAW, WEIGHT, title="Weight in kilograms"),
    "hs6": column(Category.PLAIN, LAW, SUBHEADING, title="Subheading of the Harmonized System"),
    "description": column(
        Category.FREE_TEXT, LAW, at_most(512), cargo.ONE_LINE, cargo.PRECISE, title="Precise description of the goods"
    ),
    "undg": column(Category.PLAIN, LAW, undg_number(), title="UN number of the dangerous good"),
    "shipper_id": column(Category.DIRECT_IDENTIFIER, LAW, cargo.PARTY_ID, title="Shipper's identification number"),
    "shipper_name": column(Category.DIRECT_IDENTIFIER, LAW, *cargo.NAME, title="Shipper"),
    "shipper_address": column(Category.DIRECT_IDENTIFIER, LAW, *cargo.ADDRESS, title="Shipper's address"),
    "consignee_id": column(Category.DIRECT_IDENTIFIER, LAW, cargo.PARTY_ID, title="Consignee's identification number"),
    "consignee_name": column(Category.DIRECT_IDENTIFIER, LAW, *cargo.NAME, title="Consignee"),
    "consignee_address": column(Category.DIRECT_IDENTIFIER, LAW, *cargo.ADDRESS, title="Consignee's address"),
}

_container = pl.col("container")


def _known(party: str) -> pl.Expr:
    id, name, address = (pl.col(f"{party}_{part}").is_not_null() for part in ("id", "name", "address"))
    return id | (name & address)


ROW_RULES = (
    rule(
        "bill-of-the-carrier",
        pl.col("bl_number").str.starts_with(pl.col("carrier_scac")),
        "the bill begins with its carrier's SCAC",
    ),
    rule(
        "filed-24-hours-before-lading",
        cargo.instant("lading_at") - cargo.instant("filed_at") >= cargo.DAY_BEFORE,
        "declared 24 hours before lading, or earlier",
    ),
    rule(
        "arrives-after-lading",
        (cargo.instant("eta_us") > cargo.instant("lading_at"))
        & (cargo.instant("departure_at").fill_null(cargo.instant("lading_at")) >= cargo.instant("lading_at")),
        "laden, then gone, then there",
    ),
    rule(
        "goods-described",
        (pl.col("description").is_not_null() | pl.col("hs6").is_not_null()) & pl.col("weight_kg").is_not_null(),
        "a precise description or a subheading, with the weight",
    ),
    rule("shipper-known", _known("shipper"), "the shipper's name and address, or number"),
    rule("consignee-known", _known("consignee"), "the consignee's name and address, or number"),
    rule(
        "containers-are-sealed",
        (_container.is_null() == pl.col("seals").is_null())
        & (_container.is_not_null() | pl.col("size_type").is_null()),
        "a container has its seals, and only a container has seals, size and type",
    ),
)

SCHEMA = feed_schema("csi-manifest24h", "1", COLUMNS, unique=["bl_number", "line"], row_rules=ROW_RULES)

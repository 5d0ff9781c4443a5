"""Referrals: one row is one container that the host is asked to examine, with what made us ask. The latter is never shared."""

import polars as pl

from pipeline.core.identifiers import imo_number
from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, each_line_matches, feed_schema, matches, one_of
from pipeline.core.schema import row_rule as rule
from schemas import csi_cargo as cargo
from schemas.code_lists import SUBHEADING

PATTERN = "CSI arrangements [memory]"
OURS = "provider's own record, never shared [memory]"
TIME = cargo.utc_time()
REFERRAL = matches("CSI-[A-Z]{5}-[0-9]{8}", name="referral-no", meaning="such as CSI-NLRTM-20260042")
CLASSES = ("NUCLEAR_RADIOLOGICAL", "EXPLOSIVES", "CONTRABAND", "ANOMALY", "RANDOM")
EXAMS = ("NII", "RIID", "PHYS")

COLUMNS = {
    "referral_no": column(Category.PLAIN, PATTERN, REFERRAL, required=True, title="Number of the referral"),
    "container": column(Category.PLAIN, PATTERN, cargo.CONTAINER, required=True, title="Container"),
    "bl_number": column(Category.PLAIN, PATTERN, cargo.BILL, required=True, title="Bill of lading"),
    "vessel_name": column(Category.PLAIN, PATTERN, *cargo.NAME, required=True, title="Vessel"),
    "vessel_imo": column(Category.PLAIN, PATTERN, imo_number(), required=True, title="IMO number of the vessel"),
    "voyage": column(Category.PLAIN, PATTERN, cargo.VOYAGE, required=True, title="Voyage number"),
    "port_of_lading": column(
        Category.PLAIN, PATTERN, cargo.FOREIGN_PORT, required=True, title="Port where it is to be laden"
    ),
    "hs6": column(Category.PLAIN, PATTERN, SUBHEADING, title="Subheading of the Harmonized System"),
    "reason_class": column(
        Category.SENSITIVE,
        f"{PATTERN}; the classes are ours",
        one_of(CLASSES, name="reason-class", meaning="a class of reasons: no score, no source"),
        required=True,
        title="Class of the reason",
    ),
    "requested_exams": column(
        Category.PLAIN,
        PATTERN,
        each_line_matches("|".join(EXAMS), name="exams", meaning="NII, RIID or PHYS, one a line"),
        required=True,
        title="Examinations that are asked for",
    ),
    "requested_at": column(Category.PLAIN, PATTERN, TIME, required=True, title="When the host is asked"),
    "cutoff_at": column(Category.PLAIN, PATTERN, TIME, required=True, title="After that it is laden"),
    "target_score": column(
        Category.SENSITIVE,
        OURS,
        matches("0|[1-9][0-9]{0,3}", name="score", meaning="a whole number up to 9999"),
        required=True,
        title="Score of the targeting system",
    ),
    "rule_ids": column(
        Category.SENSITIVE,
        OURS,
        each_line_matches("[A-Z]{2,4}-[0-9]{4}", name="rule-ids", meaning="rules such as TGT-0042, one a line"),
        title="Rules that fired",
    ),
    "source": column(Category.FREE_TEXT, OURS, at_most(140), title="Where the reason comes from: a watch list, a tip"),
    "analyst": column(Category.DIRECT_IDENTIFIER, OURS, *cargo.NAME, title="A natural person"),
}

ROW_RULES = (
    rule(
        "referral-of-the-port",
        pl.col("referral_no").str.slice(4, 5) == pl.col("port_of_lading"),
        "the number names the port of lading",
    ),
    rule(
        "asked-before-the-cutoff",
        cargo.instant("cutoff_at") > cargo.instant("requested_at"),
        "the host is asked before the container is laden",
    ),
)

SCHEMA = feed_schema("csi-referral", "1", COLUMNS, unique=["referral_no"], row_rules=ROW_RULES)

"""Seizures of precursors: one row is one seizure. Each delivery is the list of all seizures of the programme so far [design].

Who was arrested is in the list, for who seized; the group gets the number.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import (
    at_most,
    calendar_date,
    column,
    feed_schema,
    matches,
    one_of,
    row_rule,
)
from schemas.code_lists import COUNTRIES, COUNTRY, PLACE
from schemas.gshield_chemicals import CHEMICAL_RULES, chemical_columns
from schemas.gshield_pre_export import NOTICE, PACKAGINGS, PATTERN
from schemas.gshield_suspicious import COUNT, lines

CONCEALMENTS = ("NONE", "MISDECLARED", "RELABELLED", "COVER_LOAD", "HIDDEN_COMPARTMENT")

COLUMNS = {
    "seizure_no": column(
        Category.PLAIN,
        PATTERN,
        matches("[A-Z]{2}-SEZ-[0-9]{4}-[0-9]{6}", name="seizure-no", meaning="such as US-SEZ-2026-000123"),
        required=True,
        title="Number of the seizure",
    ),
    "seizing_customs": column(Category.PLAIN, PATTERN, COUNTRY, required=True, title="Who seized"),
    "seized_on": column(Category.PLAIN, PATTERN, calendar_date(), required=True, title="Day of the seizure"),
    "location": column(
        Category.SENSITIVE,
        "UN/LOCODE (UNECE recommendation 16)",
        PLACE,
        required=True,
        title="Place of the seizure",
    ),
    **chemical_columns(),
    "packaging": column(Category.PLAIN, PATTERN, one_of(PACKAGINGS, name="packaging", meaning="a kind of packaging")),
    "origin_country": column(Category.PLAIN, PATTERN, COUNTRY, title="Where it came from"),
    "destination_country": column(Category.PLAIN, PATTERN, COUNTRY, title="Where it was going"),
    "transit": column(
        Category.PLAIN,
        PATTERN,
        COUNTRIES,
        title="Countries on the way, one a line",
    ),
    "concealment": column(
        Category.SENSITIVE,
        f"{PATTERN}; the codes are ours",
        one_of(CONCEALMENTS, name="concealment", meaning="a kind of concealment"),
        required=True,
        title="How it was hidden",
    ),
    "arrests": column(Category.PLAIN, PATTERN, COUNT, required=True, title="How many persons were arrested"),
    "arrested": column(Category.DIRECT_IDENTIFIER, PATTERN, at_most(512), title="Their names, one a line"),
    "notification_no": column(Category.PLAIN, PATTERN, NOTICE, title="The notice of the consignment, if there was one"),
}

ROW_RULES = (
    *CHEMICAL_RULES,
    row_rule(
        "seizure-of-the-seizer",
        pl.col("seizure_no").str.head(2) == pl.col("seizing_customs"),
        "who seized has given the number",
    ),
    row_rule(
        "arrests-are-counted",
        pl.col("arrests").cast(pl.Int64, strict=False) >= lines("arrested"),
        "nobody is named as arrested who is not counted",
    ),
)

SCHEMA = feed_schema("gshield-seizure", "1", COLUMNS, unique=["seizure_no"], row_rules=ROW_RULES)

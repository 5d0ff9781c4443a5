"""What was supplied and is wrong: one row corrects, blocks or deletes one thing (US-Germany agreement, Art. 14)."""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, feed_schema, one_of, row_rule
from schemas.code_lists import COUNTRY_ALPHA_3
from schemas.serious_crime import DE, TRANSACTION, minute, numbered_by

ACTIONS = ("CORRECT", "BLOCK", "DELETE")
REASONS = ("INACCURATE", "UNLAWFUL", "NO_LONGER_NEEDED", "COURT_ORDER", "DISPUTED")
FIELDS = (
    "surname", "first_names", "former_names", "other_names", "aliases", "spellings", "sex", "birth_date", "birth_place",
    "nationalities", "former_nationalities", "passport_numbers", "document_numbers", "fingerprints", "circumstances",
    "conditions",
)  # fmt: skip
"""What Art. 10(3) lets a party supply: nothing else can be wrong."""

SCHEMA = feed_schema(
    "pcsc-correction",
    "1",
    {
        "tcn": column(Category.PLAIN, f"{DE}, Art. 15", TRANSACTION, required=True, title="Number of the correction"),
        "supplied_tcn": column(
            Category.PLAIN, f"{DE}, Art. 14", TRANSACTION, required=True, title="Number of the supply that is corrected"
        ),
        "supplied_by": column(Category.PLAIN, f"{DE}, Art. 6", COUNTRY_ALPHA_3, required=True, title="Who supplied"),
        "action": column(
            Category.PLAIN,
            f"{DE}, Art. 14",
            one_of(ACTIONS, name="action", meaning="CORRECT, BLOCK or DELETE"),
            required=True,
            title="What must be done",
        ),
        "field": column(
            Category.PLAIN,
            f"{DE}, Art. 14 and 10(3)",
            one_of(FIELDS, name="field", meaning="a column of what was supplied"),
            title="What was wrong; all of it if left out",
        ),
        "corrected": column(Category.FREE_TEXT, f"{DE}, Art. 14", at_most(4000), title="What is right instead"),
        "reason": column(
            Category.PLAIN,
            f"{DE}, Art. 14",
            one_of(REASONS, name="reason", meaning="why it must not be relied on"),
            required=True,
            title="Why",
        ),
        "decided_at": column(Category.PLAIN, f"{DE}, Art. 14", minute(), required=True, title="When it was decided"),
        "decided_by": column(
            Category.DIRECT_IDENTIFIER, "the supplier's own, not exchanged", at_most(100), title="By whom"
        ),
    },
    unique=["supplied_tcn", "action", "field"],
    row_rules=[
        row_rule("numbered-by-the-supplier", numbered_by("tcn", "supplied_by"), "the number begins with the supplier"),
        row_rule(
            "of-its-own-supply", numbered_by("supplied_tcn", "supplied_by"), "nobody corrects what another has supplied"
        ),
        row_rule("not-before-the-supply", pl.col("tcn").str.slice(4) > pl.col("supplied_tcn").str.slice(4), "later"),
        row_rule(
            "a-correction-says-what-is-right",
            (pl.col("action") != "CORRECT") | (pl.col("field").is_not_null() & pl.col("corrected").is_not_null()),
            "CORRECT names the field and what is right instead",
        ),
        row_rule(
            "nothing-new-otherwise",
            (pl.col("action") == "CORRECT") | pl.col("corrected").is_null(),
            "BLOCK and DELETE bring no new personal data",
        ),
    ],
)

"""Fingerprint queries: one row asks, in one case, whether the other side knows one set of prints.

It is an ANSI/NIST-ITL transaction. It holds a reference and the prints, and nothing that tells whose they are (US-Germany agreement, Art. 3): a delivery
with a column more is refused whole, and every column here has a shape in which no name fits.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import column, feed_schema, one_of, row_rule
from schemas.code_lists import COUNTRY_ALPHA_3
from schemas.serious_crime import CASE, DE, NIST, TRANSACTION, numbered_by, prints, same_day, second

TRANSACTION_TYPES = ("CPS", "MPS", "MMS")
"""Print to print, latent to print, latent to latent [memory: the interface document of Pruem]."""
MODALITIES = ("FINGERPRINT", "DNA")
AIMS = ("PREVENTION", "DETECTION", "INVESTIGATION")
OFFENCES = (
    "TERRORISM", "TERRORIST_GROUP", "TERRORIST_TRAINING", "MURDER", "TRAFFICKING_PERSONS", "TRAFFICKING_DRUGS",
    "TRAFFICKING_ARMS", "ORGANISED_CRIME", "KIDNAPPING", "RAPE", "ROBBERY_ARMED", "CHILD_ABUSE", "MONEY_LAUNDERING",
    "THEFT_MINOR", "PUBLIC_ORDER", "IMMIGRATION_ONLY",
)  # fmt: skip
"""What a case may be about; which of these are serious is the agreement's code list [design]."""

SCHEMA = feed_schema(
    "pcsc-query",
    "1",
    {
        "tcn": column(Category.PLAIN, f"{NIST} 1.009", TRANSACTION, required=True, title="Number of the query"),
        "transaction_type": column(
            Category.PLAIN,
            f"{NIST} 1.004; {DE}, Art. 4",
            one_of(TRANSACTION_TYPES, name="transaction-type", meaning="a search: CPS, MPS or MMS"),
            required=True,
            title="What is compared with what",
        ),
        "modality": column(
            Category.PLAIN,
            f"{NIST} 2.007 (ours); {DE}, Art. 1, 4 and 7",
            one_of(MODALITIES, name="modality", meaning="FINGERPRINT or DNA"),
            required=True,
            title="Fingerprints or a DNA profile",
        ),
        "asked_by": column(
            Category.PLAIN, f"{NIST} 2.006 (ours); {DE}, Art. 6", COUNTRY_ALPHA_3, required=True, title="Who asks"
        ),
        "case_number": column(
            Category.PLAIN, f"{NIST} 2.003 (ours); {DE}, Art. 4", CASE, required=True, title="Number of the case"
        ),
        "offence": column(
            Category.SENSITIVE,
            f"{DE}, Art. 4",
            one_of(OFFENCES, name="offence", meaning="a kind of offence"),
            required=True,
            title="What the case is about",
        ),
        "aim": column(
            Category.PLAIN,
            f"{DE}, Art. 4",
            one_of(AIMS, name="aim", meaning="PREVENTION, DETECTION or INVESTIGATION"),
            required=True,
            title="What the query is for",
        ),
        "asked_at": column(Category.PLAIN, f"{NIST} 1.014", second(), required=True, title="When it was asked"),
        "template": column(
            Category.SENSITIVE,
            f"{NIST} types 4, 9 and 14; {DE}, Art. 1 and 3",
            prints(),
            required=True,
            title="The prints",
        ),
    },
    unique=["tcn"],
    row_rules=[
        row_rule(
            "numbered-by-the-asker", numbered_by("tcn", "asked_by"), "the number begins with the country that asks"
        ),
        row_rule("numbered-on-the-day", same_day("tcn", "asked_at"), "the number bears the day of the query"),
        row_rule(
            "dna-for-investigation-only",
            (pl.col("modality") != "DNA") | (pl.col("aim") == "INVESTIGATION"),
            "a DNA profile is compared for an investigation only (Art. 7)",
        ),
    ],
)

"""What is supplied without being asked: one row is one person and the facts of suspicion (US-Germany agreement, Art. 10).

The columns are the article's closed list, what an evaluation (4x4) and the supplier's conditions need, and nothing else.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, calendar_date, column, each_line_matches, feed_schema, one_of, row_rule
from schemas.code_lists import COUNTRIES_ALPHA_3, COUNTRY_ALPHA_3
from schemas.serious_crime import DE, TRANSACTION, YES_NO, line, minute, minutiae, numbered_by

GROUNDS = ("TERRORIST_OFFENCE", "TERRORIST_GROUP", "TERRORIST_TRAINING", "SERIOUS_CRIME", "ORGANISED_GROUP")
"""Art. 10(1)(a) and (b); the last two are of later agreements."""
CONDITIONS = ("ASK_BEFORE_ACTION", "NO_USE_AS_EVIDENCE", "NO_DETENTION_ON_IT_ALONE", "DELETE_AFTER_CASE", "TELL_USE")
"""What a supplier may ask, each for its case: "not at all" and the like are generic restrictions, and not allowed [design]."""

_LIST = f"{DE}, Art. 10(3)"
_NAMES = (each_line_matches(".+", name="lines", meaning="no empty line"), at_most(1000))
_NUMBERS = each_line_matches("[A-Z0-9]{5,20}", name="document-numbers", meaning="5 to 20 capitals or digits a line")

SCHEMA = feed_schema(
    "pcsc-spontaneous",
    "1",
    {
        "tcn": column(Category.PLAIN, f"{DE}, Art. 15", TRANSACTION, required=True, title="Number of the supply"),
        "supplied_by": column(Category.PLAIN, f"{DE}, Art. 6", COUNTRY_ALPHA_3, required=True, title="Who supplies"),
        "supplied_at": column(Category.PLAIN, f"{DE}, Art. 15", minute(), required=True, title="When"),
        "ground": column(
            Category.SENSITIVE,
            f"{DE}, Art. 10(1)",
            one_of(GROUNDS, name="ground", meaning="what there is reason to believe"),
            required=True,
            title="What there is reason to believe",
        ),
        "surname": column(Category.DIRECT_IDENTIFIER, _LIST, *line(100), required=True, title="Surname"),
        "first_names": column(Category.DIRECT_IDENTIFIER, _LIST, *line(100), title="First names"),
        "former_names": column(Category.DIRECT_IDENTIFIER, _LIST, *_NAMES, title="Former names, one a line"),
        "other_names": column(Category.DIRECT_IDENTIFIER, _LIST, *_NAMES, title="Other names, one a line"),
        "aliases": column(Category.DIRECT_IDENTIFIER, _LIST, *_NAMES, title="Aliases, one a line"),
        "spellings": column(Category.DIRECT_IDENTIFIER, _LIST, *_NAMES, title="Alternative spellings, one a line"),
        "sex": column(
            Category.QUASI_IDENTIFIER, _LIST, one_of(("F", "M", "X"), name="sex", meaning="F, M or X"), title="Sex"
        ),
        "birth_date": column(Category.QUASI_IDENTIFIER, _LIST, calendar_date(), title="Date of birth"),
        "birth_place": column(Category.QUASI_IDENTIFIER, _LIST, *line(100), title="Place of birth"),
        "nationalities": column(Category.QUASI_IDENTIFIER, _LIST, COUNTRIES_ALPHA_3, title="Nationalities, one a line"),
        "former_nationalities": column(
            Category.QUASI_IDENTIFIER, _LIST, COUNTRIES_ALPHA_3, title="Former nationalities, one a line"
        ),
        "passport_numbers": column(Category.DIRECT_IDENTIFIER, _LIST, _NUMBERS, title="Passport numbers, one a line"),
        "document_numbers": column(
            Category.DIRECT_IDENTIFIER, _LIST, _NUMBERS, title="Numbers of other documents, one a line"
        ),
        "fingerprints": column(Category.SENSITIVE, f"{_LIST}; ISO/IEC 19794-2", minutiae(), title="Fingerprint data"),
        "circumstances": column(
            Category.FREE_TEXT, _LIST, at_most(4000), required=True, title="The conviction, or the circumstances"
        ),
        "conditions": column(
            Category.PLAIN,
            f"{DE}, Art. 10(4)",
            each_line_matches(
                "|".join(CONDITIONS), name="conditions", meaning="conditions that may be imposed, one a line"
            ),
            title="Conditions of the supplier, one a line",
        ),
        "source_evaluation": column(
            Category.PLAIN,
            "Regulation (EU) 2016/794, Art. 29",
            one_of(("A", "B", "C", "X"), name="source-evaluation", meaning="A, B, C or X"),
            required=True,
            title="How reliable the source is",
        ),
        "information_evaluation": column(
            Category.PLAIN,
            "Regulation (EU) 2016/794, Art. 29",
            one_of(("1", "2", "3", "4"), name="information-evaluation", meaning="1 to 4"),
            required=True,
            title="How reliable the information is",
        ),
        "marking": column(
            Category.PLAIN,
            f"{DE}, Art. 10(4) and 13(2)",
            at_most(500),
            required=True,
            title="What the row is marked with",
        ),
        "special_category": column(
            Category.SENSITIVE, f"{DE}, Art. 12", YES_NO, required=True, title="Whether it tells special categories"
        ),
        "relevance": column(Category.FREE_TEXT, f"{DE}, Art. 12", at_most(1000), title="Why these are relevant"),
    },
    unique=["tcn"],
    row_rules=[
        row_rule("numbered-by-the-supplier", numbered_by("tcn", "supplied_by"), "the number begins with the supplier"),
        row_rule(
            "marked-as-evaluated",
            pl.col("marking").str.ends_with(pl.format("4x4 {}{}", "source_evaluation", "information_evaluation")),
            "the marking ends with the evaluation that the row tells",
        ),
        row_rule(
            "originator-told",
            pl.col("marking").str.contains("ORCON ", literal=True),
            "the marking names whose consent a further share needs",
        ),
        row_rule(
            "born-before",
            (pl.col("birth_date") <= pl.col("supplied_at").str.head(10)).fill_null(value=True),
            "born before it was supplied",
        ),
    ],
)

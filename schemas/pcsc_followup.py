"""What is supplied after a hit: one row is one person, on one request, under a basis in law and by an authority's decision.

Nothing here follows from a hit by itself (US-Germany agreement, Art. 5): each row names the request, the hit and the basis.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import (
    at_most,
    calendar_date,
    column,
    each_line_matches,
    feed_schema,
    matches,
    one_of,
    row_rule,
)
from schemas.code_lists import COUNTRIES_ALPHA_3, COUNTRY_ALPHA_3
from schemas.serious_crime import CASE, DE, TRANSACTION, YES_NO, line

BASES = ("NATIONAL_LAW", "MUTUAL_LEGAL_ASSISTANCE")
_PERSON = f"{DE}, Art. 5: further personal data"

SCHEMA = feed_schema(
    "pcsc-followup",
    "1",
    {
        "request_number": column(
            Category.PLAIN, f"{DE}, Art. 5: on request", TRANSACTION, required=True, title="Number of the request"
        ),
        "hit_tcn": column(
            Category.PLAIN,
            f"{DE}, Art. 5: after a hit",
            TRANSACTION,
            required=True,
            title="Number of the reply that was a hit",
        ),
        "requested_by": column(Category.PLAIN, f"{DE}, Art. 6", COUNTRY_ALPHA_3, required=True, title="Who asks"),
        "case_number": column(Category.PLAIN, f"{DE}, Art. 5", CASE, required=True, title="Number of the case"),
        "legal_basis": column(
            Category.PLAIN,
            f"{DE}, Art. 5: under national law, legal assistance included",
            one_of(BASES, name="legal-basis", meaning="NATIONAL_LAW or MUTUAL_LEGAL_ASSISTANCE"),
            required=True,
            title="Under which law it is supplied",
        ),
        "authority": column(
            Category.PLAIN,
            f"{DE}, Art. 5: the authority that is asked",
            matches("[A-Z]{2,8}-[0-9]{1,4}", name="authority", meaning="a court or office by its number: AG-12"),
            required=True,
            title="Who decided",
        ),
        "decided_on": column(Category.PLAIN, f"{DE}, Art. 5", calendar_date(), required=True, title="When"),
        "surname": column(Category.DIRECT_IDENTIFIER, _PERSON, *line(100), required=True, title="Surname"),
        "given_names": column(Category.DIRECT_IDENTIFIER, _PERSON, *line(100), title="Given names"),
        "birth_date": column(Category.QUASI_IDENTIFIER, _PERSON, calendar_date(), title="Date of birth"),
        "birth_place": column(Category.QUASI_IDENTIFIER, _PERSON, *line(100), title="Place of birth"),
        "nationalities": column(
            Category.QUASI_IDENTIFIER,
            _PERSON,
            COUNTRIES_ALPHA_3,
            title="Nationalities, one a line",
        ),
        "document_numbers": column(
            Category.DIRECT_IDENTIFIER,
            _PERSON,
            each_line_matches("[A-Z0-9]{5,20}", name="document-numbers", meaning="5 to 20 capitals or digits a line"),
            title="Numbers of documents, one a line",
        ),
        "special_category": column(
            Category.SENSITIVE,
            f"{DE}, Art. 12",
            YES_NO,
            required=True,
            title="Whether the record tells special categories",
        ),
        "relevance": column(Category.FREE_TEXT, f"{DE}, Art. 12", at_most(1000), title="Why these are relevant"),
        "record": column(Category.FREE_TEXT, _PERSON, at_most(4000), title="What is known"),
        "internal_notes": column(Category.FREE_TEXT, "our authority's own, not exchanged", at_most(4000)),
    },
    unique=["request_number"],
    row_rules=[
        row_rule(
            "requested-by-the-asker",
            pl.col("request_number").str.head(3) == pl.col("requested_by"),
            "the request's number begins with the country that asks",
        ),
        row_rule(
            "not-before-the-hit",
            pl.col("decided_on").str.replace_all("-", "") >= pl.col("hit_tcn").str.slice(4, 8),
            "decided on the day of the hit or later",
        ),
        row_rule("request-is-not-the-hit", pl.col("request_number") != pl.col("hit_tcn"), "a separate request"),
    ],
)

"""Applicants to be vetted by their own country: one row is one application to a trusted-traveller programme (DHS/CBP-002)."""

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
from schemas.code_lists import COUNTRIES_ALPHA_3, COUNTRY_ALPHA_3

SORN = "DHS/CBP-002 (85 FR 14214, 2020-03-11)"
APPLICATION = matches("A[0-9]{11}", name="application", meaning="A and 11 digits")
_SHORT = matches(r"[^\n]{1,70}", name="name", meaning="one line of 1 to 70 characters")

SCHEMA = feed_schema(
    "tt-vetting-request",
    "1",
    {
        "application_ref": column(Category.PLAIN, SORN, APPLICATION, required=True, title="Number of the application"),
        "surname": column(Category.DIRECT_IDENTIFIER, SORN, _SHORT, required=True, title="Surname"),
        "given_names": column(Category.DIRECT_IDENTIFIER, SORN, _SHORT, title="Given names"),
        "birth_date": column(Category.QUASI_IDENTIFIER, SORN, calendar_date(), required=True, title="Date of birth"),
        "sex": column(
            Category.QUASI_IDENTIFIER, SORN, one_of(("F", "M", "X"), name="sex", meaning="F, M or X"), title="Sex"
        ),
        "citizenship": column(Category.QUASI_IDENTIFIER, SORN, COUNTRY_ALPHA_3, required=True, title="Citizenship"),
        "passport_number": column(
            Category.DIRECT_IDENTIFIER,
            f"{SORN}; ICAO 9303",
            matches("[A-Z0-9]{6,9}", name="passport-number", meaning="6 to 9 capitals or digits"),
            required=True,
            title="Passport number",
        ),
        "passport_issuer": column(Category.QUASI_IDENTIFIER, SORN, COUNTRY_ALPHA_3, required=True, title="Issued by"),
        "passport_expiry": column(Category.PLAIN, SORN, calendar_date(), required=True, title="Passport expires on"),
        "residence_countries": column(
            Category.QUASI_IDENTIFIER,
            f"{SORN}: addresses, by country",
            COUNTRIES_ALPHA_3,
            title="Countries of residence in five years, one a line",
        ),
        "addresses": column(
            Category.DIRECT_IDENTIFIER, f"{SORN}; not exchanged", at_most(2000), title="Addresses, one a line"
        ),
        "biometrics_ref": column(
            Category.DIRECT_IDENTIFIER,
            f"{SORN}; not exchanged",
            matches("[0-9A-F]{16}", name="reference", meaning="16 hexadecimal digits"),
            title="Our number for the prints and the picture",
        ),
        "applied_on": column(Category.PLAIN, SORN, calendar_date(), required=True, title="Day of the application"),
        "consent_on": column(
            Category.PLAIN, "voluntary programme: consent", calendar_date(), title="Day of the consent to be vetted"
        ),
        "consent_withdrawn_on": column(
            Category.PLAIN, "voluntary programme: consent", calendar_date(), title="Day on which it was withdrawn"
        ),
    },
    unique=["application_ref"],
    row_rules=[
        row_rule("born-before", pl.col("birth_date") < pl.col("applied_on"), "born before the application"),
        row_rule("passport-valid", pl.col("passport_expiry") > pl.col("applied_on"), "the passport had not expired"),
        row_rule(
            "withdrawn-after-given",
            (pl.col("consent_withdrawn_on") >= pl.col("consent_on")).fill_null(value=True),
            "a consent is withdrawn after it was given",
        ),
        row_rule(
            "withdrawn-was-given",
            pl.col("consent_withdrawn_on").is_null() | pl.col("consent_on").is_not_null(),
            "only a consent that was given is withdrawn",
        ),
    ],
)

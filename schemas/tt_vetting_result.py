"""What our vetting found about a partner's applicants: one row is one application.

The partner may learn PASS, FAIL or that there is no response. Why stays here: the categories are NIEM 6
`scr:RiskCategoryCode`, which is exactly what must be collapsed.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, calendar_date, column, each_line_matches, feed_schema, one_of, row_rule
from schemas.code_lists import COUNTRY_ALPHA_3
from schemas.tt_vetting_request import APPLICATION, SORN

RISK_CATEGORIES = ("WATCHLIST", "ALERT", "RECIDIVIST", "DEROGATORY_HISTORY", "NONE")
_OURS = f"{SORN}: vetting results, law enforcement records among them; not exchanged"

SCHEMA = feed_schema(
    "tt-vetting-result",
    "1",
    {
        "application_ref": column(
            Category.PLAIN,
            f"{SORN}; the partner's own number",
            APPLICATION,
            required=True,
            title="Number of the application",
        ),
        "asked_by": column(Category.PLAIN, SORN, COUNTRY_ALPHA_3, required=True, title="Whose applicant it is"),
        "result": column(
            Category.SENSITIVE,
            "NIEM 6 scr:RiskCategoryCode",
            one_of(RISK_CATEGORIES, name="vetting-result", meaning="a category of NIEM 6"),
            title="What was found; absent while there is no response",
        ),
        "reasons": column(
            Category.SENSITIVE,
            _OURS,
            each_line_matches("[A-Z]{1,3}[0-9]{1,3}", name="reasons", meaning="codes, one a line"),
            title="Why",
        ),
        "derogatory_record": column(Category.FREE_TEXT, _OURS, at_most(4000), title="The record"),
        "record_holder": column(Category.FREE_TEXT, _OURS, at_most(200), title="Whose record it is"),
        "vetted_on": column(
            Category.PLAIN,
            SORN,
            calendar_date(),
            required=True,
            title="Day of the answer, also where there is no response",
        ),
        "valid_until": column(
            Category.PLAIN, SORN, calendar_date(), required=True, title="Until when the answer counts, whatever it is"
        ),
    },
    unique=["asked_by", "application_ref"],
    row_rules=[
        row_rule("valid-after-vetted", pl.col("valid_until") > pl.col("vetted_on"), "an answer counts for some time"),
        row_rule(
            "a-finding-has-its-reason",
            (pl.col("result").fill_null("NONE") == "NONE") == pl.col("reasons").is_null(),
            "a category other than NONE has its reasons, and nothing else has any",
        ),
        row_rule(
            "a-record-has-its-holder",
            pl.col("derogatory_record").is_null() | pl.col("record_holder").is_not_null(),
            "a record has somebody who answers for it",
        ),
    ],
)

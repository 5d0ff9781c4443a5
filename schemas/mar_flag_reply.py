"""Flag replies: one row answers one query, for one boarding."""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, feed_schema, matches, one_of, row_rule
from schemas.mar_flag_query import QUERY_NO
from schemas.mar_rules import instant

NATIONALITY = ("CONFIRMED", "REFUTED", "CANNOT_CONFIRM")
AUTHORISATIONS = ("BOARD", "SEARCH", "DETAIN", "DENY", "NONE")
BOARDING_NO = matches("BRD[0-9]{4}-[0-9]{5}", name="boarding-no", meaning="BRD, a year and five digits")

_REPLY = "flag reply; domain model of bilateral agreements [memory]"
_CONFIRMED = pl.col("nationality") == "CONFIRMED"
_AUTHORISATION = pl.col("authorisation")

COLUMNS = {
    "query_no": column(Category.PLAIN, _REPLY, QUERY_NO, required=True, title="The query that it answers"),
    "boarding_no": column(Category.PLAIN, f"{_REPLY}: named boarding", BOARDING_NO, required=True, title="The boarding"),
    "nationality": column(
        Category.PLAIN, _REPLY, one_of(NATIONALITY, name="nationality", meaning="what the registry says"), required=True
    ),
    "authorisation": column(
        Category.PLAIN, _REPLY, one_of(AUTHORISATIONS, name="authorisation", meaning="how far the boarding may go"), required=True
    ),
    "jurisdiction_waived": column(
        Category.SENSITIVE, f"{_REPLY}: waiver, separate", one_of(("Y", "N"), name="yes-or-no", meaning="Y or N"), required=True
    ),
    "conditions": column(Category.FREE_TEXT, _REPLY, at_most(2000), title="Conditions, one a line"),
    "asked_at": column(Category.PLAIN, _REPLY, instant(), required=True, title="When the State was asked"),
    "replied_at": column(Category.PLAIN, _REPLY, instant(), required=True, title="When it replied"),
    "duty_officer": column(Category.DIRECT_IDENTIFIER, "flag State's own record", at_most(70), title="Who replied"),
}  # fmt: skip

ROW_RULES = (
    row_rule("replied-after-asked", pl.col("replied_at").str.head(16) >= pl.col("asked_at").str.head(16),
             "no reply before the query"),
    row_rule("own-vessels-alone", _CONFIRMED | _AUTHORISATION.is_in(["DENY", "NONE"]),
             "a State authorises nothing on a vessel that it does not confirm"),
    row_rule("waiver-needs-authority", (pl.col("jurisdiction_waived") == "N") | (_CONFIRMED & (_AUTHORISATION == "DETAIN")),
             "jurisdiction is waived for a detention alone"),
)  # fmt: skip

SCHEMA = feed_schema("mar-flag-reply", "1", COLUMNS, unique=["query_no"], row_rules=ROW_RULES)

"""Changes of a trusted-trader list: one row is one change of one operator since the partner's last full list.

A row holds the operator as it is after the change, in the columns of the full list; for DEL, as it was last listed, so that the same
agreement that published the operator can tell its deletion to whoever had it. An operator that leaves what is published (no longer
validated, broker, consent withdrawn) is deleted and, where it stays a member, added again under the next number.

Numbers go on from delivery to delivery: they put changes in order whichever delivery is read first, and a gap tells that one is lost.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import calendar_date, column, feed_schema, matches, one_of, row_rule
from schemas import aeo_members
from schemas.aeo_members import ENDED

ADD, UPDATE, SUSPEND, REVOKE, DELETE = CHANGES = ("ADD", "UPD", "SUSP", "REVOKE", "DEL")

COLUMNS = {
    "change_number": column(
        Category.PLAIN,
        "provider's own running number, none of the seven items",
        matches("[1-9][0-9]{0,14}", name="running-number", meaning="a number from 1 on, of up to 15 digits"),
        required=True,
        title="Running number of the change, over all deliveries",
    ),
    "change_code": column(
        Category.SENSITIVE,
        "MRD items 3 and 5; daily changes beside full lists [uncertain]",
        one_of(CHANGES, name="change-code", meaning=f"one of {', '.join(CHANGES)}"),
        required=True,
        title="What became of the operator",
    ),
    "changed_on": column(
        Category.PLAIN,
        "MRD item 3; daily changes beside full lists [uncertain]",
        calendar_date(),
        required=True,
        title="Day on which the provider entered the change",
    ),
    **aeo_members.COLUMNS,
}

_code, _status = pl.col("change_code"), pl.col("program_status")
ROW_RULES = (
    *aeo_members.ROW_RULES,
    row_rule(
        "change-and-status-agree",
        ((_code != SUSPEND) | (_status == "SUSPENDED"))
        & ((_code != REVOKE) | (_status == "REVOKED"))
        & ((_code != ADD) | ~_status.is_in(ENDED)),
        "who is suspended or revoked has that status, and nobody joins with it [design]",
    ),
    row_rule(
        "ended-before-told",
        ~_code.is_in((SUSPEND, REVOKE)) | (pl.col("suspension_date") <= pl.col("changed_on")),
        "no suspension or revocation is told before its day (days as text, in order)",
    ),
)

SCHEMA = feed_schema("aeo-changes", "1", COLUMNS, unique=["change_number"], row_rules=ROW_RULES)

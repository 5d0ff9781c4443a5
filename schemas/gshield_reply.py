"""Replies to pre-export notices: one row is what the importer's administration answers to one notice."""

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
from schemas.code_lists import COUNTRY
from schemas.gshield_chemicals import ONE_LINE
from schemas.gshield_pre_export import NOTICE, PATTERN

REPLIES = ("NO_OBJECTION", "OBJECTION", "NEEDS_INFO", "STOP")
NEEDS = ("END_USER", "LICENCE", "QUANTITY", "ROUTE", "IDENTIFICATION")

COLUMNS = {
    "reply_no": column(
        Category.PLAIN,
        PATTERN,
        matches("[A-Z]{2}-REP-[0-9]{4}-[0-9]{6}", name="reply-no", meaning="such as DE-REP-2026-000123"),
        required=True,
        title="Number of the reply",
    ),
    "notification_no": column(Category.PLAIN, PATTERN, NOTICE, required=True, title="The notice that is answered"),
    "exporting_customs": column(Category.PLAIN, PATTERN, COUNTRY, required=True, title="Who notified"),
    "replying_customs": column(Category.PLAIN, PATTERN, COUNTRY, required=True, title="Who answers"),
    "reply": column(
        Category.SENSITIVE,
        PATTERN,
        one_of(REPLIES, name="reply", meaning="no objection, objection, more is needed, or stop"),
        required=True,
        title="The answer",
    ),
    "needed": column(
        Category.PLAIN,
        f"{PATTERN}; the codes are ours",
        each_line_matches("|".join(NEEDS), name="needed", meaning="what is needed, a code a line"),
        title="What is needed before an answer",
    ),
    "notified_on": column(Category.PLAIN, PATTERN, calendar_date(), required=True, title="Day of the notice"),
    "replied_on": column(Category.PLAIN, PATTERN, calendar_date(), required=True, title="Day of the reply"),
    "reason": column(Category.FREE_TEXT, "provider's own record", at_most(512), title="Why, in words"),
    "officer_name": column(
        Category.DIRECT_IDENTIFIER, "provider's own record", at_most(70), ONE_LINE, title="A natural person"
    ),
}

_reply = pl.col("reply")
ROW_RULES = (
    row_rule(
        "notice-of-the-exporter",
        pl.col("notification_no").str.head(2) == pl.col("exporting_customs"),
        "the exporter has given the notice's number",
    ),
    row_rule(
        "reply-of-the-replier",
        pl.col("reply_no").str.head(2) == pl.col("replying_customs"),
        "the replier has given the reply's number",
    ),
    row_rule(
        "says-what-is-needed",
        (_reply == "NEEDS_INFO") == pl.col("needed").is_not_null(),
        "what is needed is said where, and only where, more is needed",
    ),
    row_rule(
        "replied-after-notified",
        pl.col("replied_on") >= pl.col("notified_on"),
        "no reply before its notice (days as text, in order)",
    ),
)

SCHEMA = feed_schema("gshield-reply", "1", COLUMNS, unique=["reply_no"], row_rules=ROW_RULES)

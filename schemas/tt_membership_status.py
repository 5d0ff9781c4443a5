"""Members of trusted-traveller programmes: one row is one membership as it stands on a day."""

import polars as pl

from pipeline.core.identifiers import known_traveller
from pipeline.core.language.category import Category
from pipeline.core.schema import calendar_date, column, feed_schema, matches, one_of, row_rule
from schemas.tt_vetting_request import SORN

PROGRAMMES = ("NEXUS", "GLOBAL_ENTRY", "SENTRI", "FAST")
STATUSES = ("ACTIVE", "EXPIRED", "SUSPENDED", "REVOKED", "CANCELLED")
_OURS = f"{SORN}; not exchanged"

_born, _expires = pl.col("birth_date"), pl.col("expires_on")
_BIRTHDAY = (_born.str.slice(5) == _expires.str.slice(5)) | (
    (_born.str.slice(5) == "02-29") & _expires.str.slice(5).is_in(["02-28", "03-01"])
)

SCHEMA = feed_schema(
    "tt-membership-status",
    "1",
    {
        "membership_number": column(
            Category.DIRECT_IDENTIFIER,
            f"{SORN}: PASSID, known traveller number",
            known_traveller(),
            required=True,
            title="Membership number",
        ),
        "programme": column(
            Category.PLAIN,
            SORN,
            one_of(PROGRAMMES, name="programme", meaning="NEXUS, GLOBAL_ENTRY, SENTRI or FAST"),
            required=True,
            title="Programme",
        ),
        "status": column(
            Category.SENSITIVE,
            SORN,
            one_of(STATUSES, name="status", meaning="ACTIVE, EXPIRED, SUSPENDED, REVOKED or CANCELLED"),
            required=True,
            title="Status of the membership",
        ),
        "status_on": column(Category.PLAIN, SORN, calendar_date(), required=True, title="Day as of which it is told"),
        "joined_on": column(Category.PLAIN, SORN, calendar_date(), required=True, title="Day of joining or renewal"),
        "expires_on": column(
            Category.PLAIN,
            f"{SORN}: five years, on the birthday [memory]",
            calendar_date(),
            required=True,
            title="Expires",
        ),
        "birth_date": column(Category.QUASI_IDENTIFIER, _OURS, calendar_date(), required=True, title="Date of birth"),
        "card_number": column(
            Category.DIRECT_IDENTIFIER,
            _OURS,
            matches("[A-Z0-9]{8,12}", name="card-number", meaning="8 to 12 capitals or digits"),
            title="Number of the card",
        ),
        "card_chip": column(
            Category.DIRECT_IDENTIFIER,
            _OURS,
            matches("[0-9A-F]{24}", name="chip", meaning="24 hexadecimal digits"),
            title="Number that the card's chip sends",
        ),
        "consent_withdrawn": column(
            Category.PLAIN,
            "voluntary programme: consent",
            one_of(("Y", "N"), name="yes-or-no", meaning="Y or N"),
            required=True,
            title="Whether the member has withdrawn the consent to be shared",
        ),
    },
    unique=["membership_number", "programme"],
    row_rules=[
        row_rule("expires-on-the-birthday", _BIRTHDAY, "a membership ends on the member's birthday"),
        row_rule(
            "at-most-six-years",
            (
                _expires.str.slice(0, 4).str.to_integer(strict=False)
                - pl.col("joined_on").str.slice(0, 4).str.to_integer(strict=False)
            ).is_between(0, 6),
            "five years and up to the next birthday",
        ),
        row_rule(
            "active-has-not-expired",
            (pl.col("status") != "ACTIVE") | (_expires >= pl.col("status_on")),
            "what has expired is not active",
        ),
        row_rule(
            "expired-has-expired",
            (pl.col("status") != "EXPIRED") | (_expires < pl.col("status_on")),
            "what is told as expired has expired",
        ),
    ],
)

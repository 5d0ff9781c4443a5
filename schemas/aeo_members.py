"""Trusted traders: one row is one operator on a customs partner's daily full list.

The EU-US decision of 4 May 2012 exchanges seven items (MRD): 1 name; 2 address; 3 status of membership; 4 validation or
authorisation date; 5 suspensions and revocations; 6 unique identification number; 7 details mutually determined. The
partner's list holds more than that; what is not one of the seven says so in its source. A sole proprietor's name,
address and numbers are a person's: they have the category that they would have for a person.
"""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import Rule, at_most, calendar_date, column, feed_schema, listed, matches, one_of, row_rule
from schemas.code_lists import ALPHA_2

ROLES = (
    "IMPORTER",
    "EXPORTER",
    "MANUFACTURER",
    "CARRIER_AIR",
    "CARRIER_SEA",
    "CARRIER_RAIL",
    "CARRIER_HIGHWAY",
    "CONSOLIDATOR",
    "BROKER",
    "TERMINAL",
    "THIRD_PARTY_LOGISTICS",
    "WAREHOUSE",
)
STATUSES = (
    "APPLICANT",
    "CERTIFIED",
    "VALIDATED",
    "TIER3",
    "AEOC",
    "AEOS",
    "AEOF",
    "SUSPENDED",
    "REVOKED",
    "WITHDRAWN",
)
ENDED = ("SUSPENDED", "REVOKED")
NEVER_AUTHORISED = ("APPLICANT", "WITHDRAWN")

ONE_LINE = Rule("one-line", lambda cell: ~cell.str.contains("\n", literal=True), "no line end inside the cell")
ISO_COUNTRY = "an ISO 3166-1 alpha-2 code"
NOT_SHARED = "provider's own record, none of the seven items"


def _text(characters: int) -> tuple[Rule, Rule]:
    return at_most(characters), ONE_LINE


COLUMNS = {
    "tin": column(
        Category.DIRECT_IDENTIFIER,
        "MRD item 6; WCO TIN Guidelines (2018), an..17",
        matches("[A-Z]{2}[A-Za-z0-9]{1,15}", name="tin", meaning="a country code and up to 15 letters or digits"),
        required=True,
        title="Trader identification number",
    ),
    "eori": column(
        Category.DIRECT_IDENTIFIER,
        "MRD item 6; Regulation (EU) 2015/2447, Annex 12-01",
        matches("[A-Z]{2}[A-Za-z0-9]{1,15}", name="eori", meaning="a country code and up to 15 letters or digits"),
        title="EORI number, for operators in the EU",
    ),
    "account_number": column(
        Category.DIRECT_IDENTIFIER,
        "MRD item 6",
        matches("[A-Z0-9][A-Z0-9-]{0,19}", name="account-number", meaning="up to 20 capitals, digits or hyphens"),
        title="National account number in the programme",
    ),
    "mid": column(
        Category.DIRECT_IDENTIFIER,
        "MRD item 7; 19 CFR 102 appendix (manufacturer identification)",
        matches("[A-Z]{2}[A-Z0-9]{1,13}", name="mid", meaning="a country code and up to 13 capitals or digits"),
        title="Manufacturer identification code",
    ),
    "legal_name": column(Category.DIRECT_IDENTIFIER, "MRD item 1", *_text(70), required=True, title="Legal name"),
    "trade_names": column(
        Category.DIRECT_IDENTIFIER, "MRD item 1", at_most(512), title="Names under which it trades, one a line"
    ),
    "street": column(Category.QUASI_IDENTIFIER, "MRD item 2", *_text(70), title="Street and number"),
    "city": column(Category.QUASI_IDENTIFIER, "MRD item 2", *_text(35), required=True, title="City"),
    "region": column(Category.QUASI_IDENTIFIER, "MRD item 2", *_text(35), title="Region"),
    "postcode": column(
        Category.QUASI_IDENTIFIER,
        "MRD item 2",
        matches("[A-Za-z0-9][A-Za-z0-9 -]{0,16}", name="postcode", meaning="up to 17 letters, digits, spaces, hyphens"),
        title="Postcode",
    ),
    "country": column(
        Category.QUASI_IDENTIFIER,
        "MRD item 2; ISO 3166-1",
        listed(ALPHA_2, name="country", meaning=ISO_COUNTRY),
        required=True,
        title="Country of establishment",
    ),
    "operator_role": column(
        Category.QUASI_IDENTIFIER,
        "MRD item 7; brokers do not benefit",
        one_of(ROLES, name="operator-role", meaning="a role of the programme"),
        required=True,
        title="Role in the supply chain",
    ),
    "program_status": column(
        Category.SENSITIVE,
        "MRD items 3 and 5",
        one_of(STATUSES, name="program-status", meaning="a status of the programme"),
        required=True,
        title="Status of membership",
    ),
    "status_effective_date": column(
        Category.PLAIN, "MRD item 3", calendar_date(), required=True, title="Day from which the status holds"
    ),
    "authorisation_date": column(
        Category.PLAIN, "MRD item 4", calendar_date(), title="Day of validation or authorisation"
    ),
    "suspension_date": column(
        Category.SENSITIVE, "MRD item 5", calendar_date(), title="Day of suspension or revocation"
    ),
    "benefit_consent": column(
        Category.PLAIN,
        "operators opt in [uncertain]",
        one_of(("Y", "N"), name="yes-or-no", meaning="Y or N"),
        required=True,
        title="Whether the operator agreed to be shared",
    ),
    "suspension_reason": column(Category.FREE_TEXT, f"{NOT_SHARED}; reasons are not exchanged", at_most(512)),
    "contact_name": column(Category.DIRECT_IDENTIFIER, NOT_SHARED, *_text(70), title="A natural person"),
    "contact_email": column(
        Category.DIRECT_IDENTIFIER,
        NOT_SHARED,
        at_most(254),
        matches(r"[^@\s]+@[^@\s]+", name="email", meaning="an address with one @"),
    ),
}

_status, _authorised, _suspended = pl.col("program_status"), pl.col("authorisation_date"), pl.col("suspension_date")
ROW_RULES = (
    row_rule(
        "tin-of-country",
        pl.col("tin").str.head(2) == pl.col("country"),
        "the identification number is issued by the operator's country [design]",
    ),
    row_rule(
        "authorised-on-a-day",
        _status.is_in(NEVER_AUTHORISED) | _authorised.is_not_null(),
        "whoever is or was a member was authorised on some day",
    ),
    row_rule(
        "ended-on-a-day",
        ~_status.is_in(ENDED) | _suspended.is_not_null(),
        "a suspension or revocation has its day",
    ),
    row_rule(
        "suspended-after-authorised",
        _suspended.is_null() | _authorised.is_null() | (_suspended >= _authorised),
        "no suspension before the authorisation (days as text, in order)",
    ),
)

SCHEMA = feed_schema("aeo-members", "1", COLUMNS, unique=["tin"], row_rules=ROW_RULES)

"""Analytical information obtained from PNR: one row is one finding about one person, in one case (US-EU PNR Agreement, Art. 18).

It is made by analysts of the department that received the PNR, from what it still had in clear, and for the authority that it is
addressed to. The rules hold it to what the agreement lets an analyst have: names only within six months of the loading, or
repersonalised for the case (Art. 8); nothing beyond the Annex (Art. 3); nothing that no person has looked at (Art. 7).
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
from schemas.code_lists import AIRPORT, COUNTRY_ALPHA_3, ISSUING_STATE
from schemas.serious_crime import CASE, YES_NO, line, minute

ADDRESSEES = ("MEMBER_STATE", "EUROPOL", "EUROJUST")
"""Art. 18(1): competent police, other specialised law enforcement or judicial authorities of the Member States, or either."""
INITIATIVES = ("OWN", "ON_REQUEST")
"""Art. 18(1) and (2)."""
OFFENCES = ("TERRORISM", "TRANSNATIONAL_CRIME")
"""Art. 4(1)(a) and (b). What was used to question somebody at the border (Art. 4(3)) is no case."""
KINDS = ("LINK", "ROUTE", "BOOKING_PATTERN", "IDENTITY", "CONTACT")
"""What analysis has found: that persons belong together, how somebody travels, books, is named, is reached."""

_IDENTIFIER, _QUASI = Category.DIRECT_IDENTIFIER, Category.QUASI_IDENTIFIER
_PLAIN, _SENSITIVE, _FREE = Category.PLAIN, Category.SENSITIVE, Category.FREE_TEXT
_ART_18, _4X4 = "US-EU PNR Art. 18", "Regulation (EU) 2016/794, Art. 29"
_NAMES = ("surname", "given_names", "birth_date", "document_number", "contact")


def _made_on() -> pl.Expr:
    return pl.col("made_at").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def _made_within(of_loading: str) -> pl.Expr:
    """It was made before so long after the loading was over, by the calendar."""
    return _made_on() < pl.col("loaded_on").str.to_date("%Y-%m-%d", strict=False).dt.offset_by(of_loading)


def _annex(item: str) -> str:
    return f"US-EU PNR Annex {item}; Art. 18"


COLUMNS = {
    "analysis_no": column(
        _PLAIN,
        f"{_ART_18}; the number is ours",
        matches("ANL-[0-9]{4}-[0-9]{6}", name="analysis-number", meaning="as ANL-2026-000042"),
        required=True,
        title="Number of the finding",
    ),
    "addressee": column(
        _PLAIN,
        f"{_ART_18}(1)",
        one_of(ADDRESSEES, name="addressee", meaning="a Member State's authority, Europol or Eurojust"),
        required=True,
        title="For whom it was made",
    ),
    "member_state": column(_PLAIN, f"{_ART_18}(1)", COUNTRY_ALPHA_3, title="Of which Member State"),
    "initiative": column(
        _PLAIN,
        f"{_ART_18}(1)-(2)",
        one_of(INITIATIVES, name="initiative", meaning="our own, or on a request"),
        required=True,
        title="On whose initiative",
    ),
    "request_no": column(_PLAIN, f"{_ART_18}(2)", *line(40), title="Number of the request"),
    "case_reference": column(_PLAIN, f"{_ART_18}; Art. 4(1)", CASE, required=True, title="The case"),
    "offence": column(
        _SENSITIVE,
        "US-EU PNR Art. 4(1)",
        one_of(OFFENCES, name="offence", meaning="terrorism, or transnational crime of three years"),
        required=True,
        title="What the case is about",
    ),
    "kind": column(
        _SENSITIVE,
        f"{_ART_18}; the kinds are ours",
        one_of(KINDS, name="kind", meaning="a kind of finding"),
        required=True,
        title="What kind of finding",
    ),
    "record_locator": column(
        _IDENTIFIER,
        _annex("1"),
        matches("[A-Z0-9]{5,8}", name="locator", meaning="5 to 8 capital letters and digits"),
        required=True,
        title="The PNR that it was obtained from",
    ),
    "loaded_on": column(_PLAIN, "US-EU PNR Art. 8(1)", calendar_date(), required=True, title="When that was loaded"),
    "flight_carrier": column(
        _PLAIN,
        _annex("9"),
        matches("[A-Z0-9]{2}|[A-Z]{3}", name="carrier", meaning="an IATA or ICAO designator"),
        title="Carrier",
    ),
    "flight_number": column(
        _PLAIN,
        _annex("9"),
        matches("[0-9]{1,4}[A-Z]?", name="flight-number", meaning="1 to 4 digits and perhaps a letter"),
        title="Flight number",
    ),
    "departure_airport": column(_PLAIN, _annex("9"), AIRPORT, title="Departure airport"),
    "arrival_airport": column(_PLAIN, _annex("9"), AIRPORT, title="Arrival airport"),
    "travel_date": column(_QUASI, _annex("3"), calendar_date(), title="Day of travel"),
    "surname": column(_IDENTIFIER, _annex("4"), *line(70), title="Surname"),
    "given_names": column(_IDENTIFIER, _annex("4"), *line(70), title="Given names"),
    "birth_date": column(_QUASI, _annex("18"), calendar_date(), title="Date of birth"),
    "nationality": column(_QUASI, _annex("18"), ISSUING_STATE, title="Nationality"),
    "document_number": column(
        _IDENTIFIER,
        _annex("18"),
        matches("[A-Z0-9]{5,20}", name="document-number", meaning="5 to 20 capitals and digits"),
        title="Document number",
    ),
    "contact": column(_IDENTIFIER, _annex("7"), *line(200), title="Contact"),
    "other_locators": column(
        _IDENTIFIER,
        _annex("1"),
        each_line_matches("[A-Z0-9]{5,8}", name="locators", meaning="record locators, one a line"),
        title="PNRs that belong together with it, one a line",
    ),
    "data_types": column(
        _PLAIN,
        "US-EU PNR Art. 3 and Annex",
        each_line_matches("[1-9]|1[0-9]", name="data-types", meaning="types of the Annex, 1 to 19, one a line"),
        required=True,
        title="Types of the Annex that it rests on, one a line",
    ),
    "conclusion": column(_FREE, _ART_18, at_most(2000), required=True, title="What follows, in words"),
    "score": column(
        _SENSITIVE,
        "our own screening; never shared",
        matches("100|[1-9]?[0-9]", name="score", meaning="0 to 100"),
        title="Score",
    ),
    "rule_ids": column(
        _SENSITIVE,
        "our own screening; never shared",
        each_line_matches("[A-Z]{2,4}-[0-9]{4}", name="rule-ids", meaning="numbers of rules, one a line"),
        title="Rules that hit, one a line",
    ),
    "repersonalised": column(_PLAIN, "US-EU PNR Art. 8(3)", YES_NO, required=True, title="Whether it was unmasked"),
    "repersonalised_by": column(_PLAIN, "US-EU PNR Art. 8(3)", *line(70), title="On whose approval"),
    "made_at": column(_PLAIN, _ART_18, minute(), required=True, title="When it was made"),
    "reviewed_by": column(_IDENTIFIER, "US-EU PNR Art. 7", *line(70), required=True, title="Who has looked at it"),
    "reviewed_at": column(_PLAIN, "US-EU PNR Art. 7", minute(), required=True, title="When"),
    "source_evaluation": column(
        _PLAIN,
        _4X4,
        one_of(("A", "B", "C", "X"), name="source-evaluation", meaning="A, B, C or X"),
        required=True,
        title="How reliable the source is",
    ),
    "information_evaluation": column(
        _PLAIN,
        _4X4,
        one_of(("1", "2", "3", "4"), name="information-evaluation", meaning="1 to 4"),
        required=True,
        title="How reliable the information is",
    ),
    "marking": column(
        _PLAIN, "Europol handling codes; 4x4", at_most(500), required=True, title="What the row is marked with"
    ),
}

SCHEMA = feed_schema(
    "pnr-analytical",
    "1",
    COLUMNS,
    unique=("analysis_no",),
    row_rules=(
        row_rule(
            "member-state-named",
            (pl.col("addressee") == "MEMBER_STATE") == pl.col("member_state").is_not_null(),
            "of which Member State an authority is, and of none where it is an agency of the Union",
        ),
        row_rule(
            "request-told",
            (pl.col("initiative") == "ON_REQUEST") == pl.col("request_no").is_not_null(),
            "what was asked for has the number of its request, and nothing else has one",
        ),
        row_rule(
            "looked-at-by-a-person",
            pl.col("reviewed_at") >= pl.col("made_at"),
            "a person has looked at it after it was made",
        ),
        row_rule(
            "named-within-six-months",
            _made_within("6mo")
            | (pl.col("repersonalised") == "Y")
            | pl.all_horizontal(pl.col(name).is_null() for name in _NAMES),
            "six months after the loading nobody is named, unless the PNR was repersonalised",
        ),
        row_rule(
            "approved-to-unmask",
            (pl.col("repersonalised") == "Y") == pl.col("repersonalised_by").is_not_null(),
            "what was repersonalised was approved, and nothing else was",
        ),
        row_rule(
            "still-there",
            _made_within("15y") & (_made_within("10y") | (pl.col("offence") == "TERRORISM")),
            "fifteen years after the loading there is nothing left, and after ten nothing for crimes of Art. 4(1)(b)",
        ),
        row_rule(
            "loaded-before",
            pl.col("loaded_on") <= pl.col("made_at").str.head(10),
            "it was made from what had been loaded",
        ),
        row_rule(
            "marked-as-evaluated",
            pl.col("marking").str.ends_with(pl.format("4x4 {}{}", "source_evaluation", "information_evaluation")),
            "the marking ends with the evaluation that the row tells",
        ),
        row_rule(
            "originator-told",
            pl.col("marking").str.contains("ORCON border-screening", literal=True),
            "the marking names whose consent a further share needs",
        ),
    ),
)

"""What holds for a project and for each of its deliverables: export control, the banner that it must bear, and who owns what.

The banner is in `marking`, the feed's marking column, whose every cell the pipeline reads: NOFORN beside REL TO, or EXPT with neither,
refuses the whole delivery. The rules here hold the other columns to it, so that an agreement can ask them.
"""

import pandera.polars as pa
import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import Listed, at_most, calendar_date, column, matches, one_of, row_rule
from schemas.code_lists import ALPHA_3

CONTROLS = ("EAR99", "ECCN", "ITAR")
IP_CLASSES = ("BACKGROUND", "FOREGROUND", "BUSINESS_CONFIDENTIAL")
PUBLICATIONS = ("NOT_PLANNED", "IN_REVIEW", "CLEARED", "PUBLISHED")
PARTY = Listed(
    "party",
    (ALPHA_3,),
    lambda cell, countries: cell.is_in([*countries, "EUE"]),
    "an ISO 3166-1 alpha-3 code, or EUE",
)
_USML = "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX XXI".split()  # noqa: SIM905 (one line)
_MEMORY = "S&T agreement, intellectual property annex [memory]"

PROJECT_NUMBER = "ST-[A-Z]{3}-20[0-9]{2}-[0-9]{3}"


def _flag(source: str, title: str) -> pa.Column:
    return column(
        Category.PLAIN, source, one_of(("Y", "N"), name="yes-or-no", meaning="Y or N"), required=True, title=title
    )


def _share(title: str) -> pa.Column:
    whole = matches("100|[1-9]?[0-9]", name="percent", meaning="a whole number from 0 to 100")
    return column(Category.PLAIN, _MEMORY, whole, title=title)


COLUMNS = {
    "ip_class": column(
        Category.SENSITIVE,
        _MEMORY,
        one_of(IP_CLASSES, name="ip-class", meaning="a class of the annex"),
        required=True,
        title="Whose intellectual property it is, and whether it is business-confidential",
    ),
    "ip_share_ours": _share("Our share of the intellectual property, in percent"),
    "ip_share_partner": _share("The partner's share of the intellectual property, in percent"),
    "publication_status": column(
        Category.PLAIN,
        _MEMORY,
        one_of(PUBLICATIONS, name="publication-status", meaning="how far publication has come"),
        required=True,
        title="How far publication has come",
    ),
    "publication_review_due": column(
        Category.PLAIN, _MEMORY, calendar_date(), title="Day by which both sides must have looked at it"
    ),
    "export_control": column(
        Category.SENSITIVE,
        "15 CFR 734, 774; 22 CFR 121",
        one_of(CONTROLS, name="export-control", meaning="EAR99, ECCN or ITAR"),
        required=True,
        title="Under which export control it is",
    ),
    "eccn": column(
        Category.SENSITIVE,
        "15 CFR 774, supplement 1",
        matches(
            r"[0-9][A-E][0-9]{3}(\.[a-z](\.[0-9]{1,2})?)?", name="eccn", meaning="a number of the Commerce Control List"
        ),
        title="Export control classification number",
    ),
    "usml_category": column(
        Category.SENSITIVE,
        "22 CFR 121.1",
        one_of(_USML, name="usml-category", meaning="a category of the Munitions List, I to XXI"),
        title="Category of the Munitions List",
    ),
    "export_license": column(
        Category.SENSITIVE,
        "15 CFR 748; 22 CFR 123",
        matches("[A-Z0-9][A-Z0-9-]{3,19}", name="license", meaning="4 to 20 capitals, digits or hyphens"),
        title="Number of the licence under which it may leave",
    ),
    "foreign_release": _flag(
        "32 CFR 2002.16; its own column [design]", "Whether its banner lets anybody foreign have it"
    ),
    "human_subjects": _flag("45 CFR 46", "Whether it holds data of human subjects"),
    "assessment": column(
        Category.PLAIN,
        "S&T agreement, a privacy assessment of its own [memory]",
        matches("[A-Z0-9][A-Z0-9-]{3,29}", name="reference", meaning="4 to 30 capitals, digits or hyphens"),
        title="Reference of the assessment for human subjects",
    ),
    "marking": column(Category.SENSITIVE, "32 CFR 2002.20; TLP 2.0", at_most(400), required=True, title="Banner"),
}

_control, _marking = pl.col("export_control"), pl.col("marking")
_licensed = pl.col("export_license").is_not_null()
_ours, _theirs = (pl.col(f"ip_share_{side}").str.to_integer(strict=False) for side in ("ours", "partner"))
_shared = _ours.is_not_null() & _theirs.is_not_null()


def _says(word: str) -> pl.Expr:
    return _marking.str.contains(rf"(^|[/ ]){word}($|[/ ,])")


ROW_RULES = (
    row_rule(
        "classified-for-export",
        (pl.col("eccn").is_not_null() == (_control == "ECCN"))
        & (pl.col("usml_category").is_not_null() == (_control == "ITAR")),
        "ECCN has its number and ITAR its category, and nothing else has one",
    ),
    row_rule(
        "controlled-is-marked", (_control == "EAR99") | _says("EXPT"), "what is controlled for export is marked EXPT"
    ),
    row_rule(
        "licensed-to-leave",
        (_control == "EAR99") | (pl.col("foreign_release") == "N") | _licensed,
        "what is controlled and may go abroad has its licence",
    ),
    row_rule(
        "foreign-release-as-marked",
        (pl.col("foreign_release") == "N") == _says("NOFORN"),
        "foreign_release is N where the banner says NOFORN, and Y elsewhere",
    ),
    row_rule(
        "confidential-is-marked",
        (pl.col("ip_class") != "BUSINESS_CONFIDENTIAL") | _says("(SP-)?PROPIN"),
        "what is business-confidential is marked PROPIN",
    ),
    row_rule(
        "shares-settled",
        pl.when(_shared)
        .then(_ours + _theirs == 100)
        .otherwise(~pl.col("publication_status").is_in(("CLEARED", "PUBLISHED"))),
        "the shares are 100 percent together, and nothing is cleared or published without them",
    ),
    row_rule(
        "assessed",
        (pl.col("human_subjects") == "N") | pl.col("assessment").is_not_null(),
        "data of human subjects has an assessment of its own",
    ),
)

"""Pre-export notices: one row is one consignment of a precursor that is about to leave, or has left, the exporter's country.

Modelled on the pattern of CENcomm and PEN Online [memory]. Each delivery is the register of notices as it stands [design].
"""

import polars as pl

from pipeline.core.identifiers import iso_6346
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
from schemas.code_lists import COUNTRY, CURRENCY, places
from schemas.gshield_chemicals import CHEMICAL_RULES, ONE_LINE, amount, chemical_columns

MODES = ("SEA", "RAIL", "ROAD", "AIR", "INLAND_WATER")
PACKAGINGS = ("BAG", "DRUM", "CAN", "IBC", "TANK", "BULK")
PATTERN = "CENcomm pattern [memory]"
NOTICE = matches("[A-Z]{2}-PEN-[0-9]{4}-[0-9]{6}", name="notification-no", meaning="such as US-PEN-2026-000123")

COLUMNS = {
    "notification_no": column(Category.PLAIN, PATTERN, NOTICE, required=True, title="Number of the notice"),
    "exporting_customs": column(
        Category.PLAIN, PATTERN, COUNTRY, required=True, title="Country of the administration that notifies"
    ),
    "importing_customs": column(
        Category.PLAIN, PATTERN, COUNTRY, required=True, title="Country of the administration that is asked"
    ),
    "consignor_name": column(
        Category.DIRECT_IDENTIFIER, PATTERN, at_most(70), ONE_LINE, required=True, title="Who sends it"
    ),
    "consignor_address": column(
        Category.DIRECT_IDENTIFIER, PATTERN, at_most(140), ONE_LINE, required=True, title="Where that is"
    ),
    "consignee_name": column(
        Category.DIRECT_IDENTIFIER, PATTERN, at_most(70), ONE_LINE, required=True, title="Who gets it"
    ),
    "consignee_address": column(
        Category.DIRECT_IDENTIFIER, PATTERN, at_most(140), ONE_LINE, required=True, title="Where that is"
    ),
    "final_user": column(
        Category.DIRECT_IDENTIFIER, f"{PATTERN}; [uncertain]", at_most(70), ONE_LINE, title="Who will use it"
    ),
    **chemical_columns(),
    "packaging": column(
        Category.PLAIN,
        PATTERN,
        one_of(PACKAGINGS, name="packaging", meaning="a kind of packaging"),
        required=True,
        title="Kind of packaging",
    ),
    "route": column(
        Category.SENSITIVE,
        "UN/LOCODE (UNECE recommendation 16)",
        places(name="un-locode"),
        required=True,
        title="Places on the way, one a line, from the first to the last",
    ),
    "border_crossing_date": column(
        Category.PLAIN, PATTERN, calendar_date(), required=True, title="Day on which it leaves the exporter's country"
    ),
    "transport_mode": column(
        Category.PLAIN, PATTERN, one_of(MODES, name="mode", meaning="a mode of transport"), required=True
    ),
    "vehicle": column(
        Category.SENSITIVE, PATTERN, at_most(35), ONE_LINE, title="Vessel, vehicle, wagon or flight that carries it"
    ),
    "container": column(Category.SENSITIVE, "ISO 6346", iso_6346(), title="Container number"),
    "invoice_value": column(Category.SENSITIVE, PATTERN, amount(), title="Value of the invoice, in invoice_currency"),
    "invoice_currency": column(Category.PLAIN, "ISO 4217", CURRENCY),
    "licence_no": column(
        Category.SENSITIVE,
        PATTERN,
        matches("[A-Z0-9][A-Z0-9/-]{0,34}", name="licence-no", meaning="up to 35 capitals, digits, hyphens, slashes"),
        title="Export licence",
    ),
    "contact_officer": column(
        Category.DIRECT_IDENTIFIER, "provider's own record", at_most(70), ONE_LINE, title="A natural person"
    ),
}

_from, _to, _route = pl.col("exporting_customs"), pl.col("importing_customs"), pl.col("route")
ROW_RULES = (
    *CHEMICAL_RULES,
    row_rule(
        "notice-of-the-exporter", pl.col("notification_no").str.head(2) == _from, "the exporter has given the number"
    ),
    row_rule("leaves-the-country", _from != _to, "exporter and importer are two countries"),
    row_rule(
        "route-of-the-consignment",
        (_route.str.head(2) == _from) & (_route.str.tail(5).str.head(2) == _to),
        "the route begins in the exporter's country and ends in the importer's",
    ),
    row_rule(
        "conveyance-named",
        pl.col("vehicle").is_not_null() | pl.col("container").is_not_null(),
        "something is named that carries it",
    ),
    row_rule(
        "value-has-a-currency",
        pl.col("invoice_value").is_null() == pl.col("invoice_currency").is_null(),
        "a value and its currency come together",
    ),
)

SCHEMA = feed_schema(
    "gshield-pre-export", "1", COLUMNS, unique=["notification_no", "exporting_customs"], row_rules=ROW_RULES
)

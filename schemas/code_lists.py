"""Which codes may a cell hold, where a standard lists them? Those of the catalogue's reference tables, by their ids.

The tables are in catalogue/codes/, each with its source and the day on which it expires; none is copied here.
"""

from collections.abc import Sequence

import polars as pl

from pipeline.core.identifiers import un_locode
from pipeline.core.schema import Listed, each_line_listed, listed

ALPHA_2, ALPHA_3, ONLY_IN_DOCUMENTS = "iso-3166-1-alpha-2-v1", "iso-3166-1-alpha-3-v1", "icao-9303-v1"
TRAVEL_DOCUMENT_STATES = (ALPHA_3, ONLY_IN_DOCUMENTS)

COUNTRY = listed(ALPHA_2, name="country", meaning="an ISO 3166-1 alpha-2 code")
COUNTRIES = each_line_listed(ALPHA_2, name="countries", meaning="ISO 3166-1 alpha-2 codes, one a line")
COUNTRY_ALPHA_3 = listed(ALPHA_3, name="country", meaning="an ISO 3166-1 alpha-3 code")
COUNTRIES_ALPHA_3 = each_line_listed(ALPHA_3, name="countries", meaning="alpha-3 codes, one a line")
ISSUING_STATE = listed(*TRAVEL_DOCUMENT_STATES, name="country", meaning="an ISO 3166-1 alpha-3 or ICAO 9303 code")
STATE_AS_CARRIERS_WRITE_IT = listed(
    *TRAVEL_DOCUMENT_STATES, ALPHA_2, name="country", meaning="a country as ISO 3166-1, or an ICAO 9303 code"
)
STATES_AS_CARRIERS_WRITE_THEM = each_line_listed(
    *TRAVEL_DOCUMENT_STATES, ALPHA_2, name="countries", meaning="codes of countries, one a line"
)
PLACE = Listed(
    "un-locode", (ALPHA_2,), lambda cell, countries: un_locode(countries).fine(cell), "a UN/LOCODE such as NLRTM"
)
CURRENCY = listed("iso-4217-v1", name="currency", meaning="an ISO 4217 code")
AIRPORT = listed("airports-v1", name="airport", meaning="an IATA airport code")
SUBHEADING = listed("hs-2022-v1", name="hs-6", meaning="six digits of the Harmonized System 2022")


def places(*, name: str) -> Listed:
    """UN/LOCODEs, one a line: a country that there is, then three signs. Whether there is such a place no table here tells."""

    def fine(cell: pl.Expr, countries: Sequence[str]) -> pl.Expr:
        place = rf"(?:{'|'.join([*countries, 'XZ'])})[A-Z2-9]{{3}}"
        return cell.str.contains(rf"\A{place}(?:\n{place})*\z")

    return Listed(name, (ALPHA_2,), fine, "UN/LOCODEs, one a line")

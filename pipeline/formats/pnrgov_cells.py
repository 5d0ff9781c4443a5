"""The columns of a traveller's row, and how items become their cells."""

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.formats.batch import Limits
from pipeline.formats.edifact_cells import cells, present
from pipeline.formats.edifact_units import refuse_long_cells
from pipeline.formats.pnrgov_pushes import PUSH
from pipeline.formats.pnrgov_travellers import PRIME_FLIGHT

COLUMNS = (
    *PUSH,
    "record_locator",
    "locator_carrier",
    "other_locators",
    "booked_at",
    "ticketed_at",
    "last_changed_at",
    *PRIME_FLIGHT,
    "travel_dates",
    "surname",
    "given_names",
    "traveller_type",
    "traveller_ref",
    "frequent_flyer",
    "other_names",
    "traveller_count",
    "contacts",
    "payment_forms",
    "card_numbers",
    "amounts",
    "payer",
    "itinerary",
    "agency",
    "agent_sine",
    "code_shares",
    "split_from",
    "travel_status",
    "ticket_numbers",
    "fares",
    "baggage",
    "bag_tags",
    "seats",
    "service_requests",
    "remarks",
    "document_type",
    "document_number",
    "document_issuer",
    "nationality",
    "birth_date",
    "sex",
    "document_expiry",
    "document_names",
    "apis_other",
    "history",
)
"""Every column that the reader can fill, in order."""

_SINGLE = ("record_locator", "locator_carrier", "booked_at", "last_changed_at")
_FROM_ITEMS = tuple(
    column
    for column in COLUMNS
    if column
    not in {
        *PUSH,
        *PRIME_FLIGHT,
        "surname",
        "given_names",
        "traveller_type",
        "traveller_ref",
        "traveller_count",
        "document_type",
        "document_number",
        "document_issuer",
        "nationality",
        "birth_date",
        "sex",
        "document_expiry",
        "document_names",
    }
)


def with_cells(rows: pl.DataFrame, listed: list[pl.DataFrame], limits: Limits) -> pl.DataFrame:
    """`rows` with every column: of the whole PNR first, then the traveller's own."""
    every = pl.concat(listed)
    shared = cells(every.filter(pl.col("owner") == 0), "pnr", _FROM_ITEMS, order="position", once=_SINGLE)
    own = cells(every.filter(pl.col("owner") > 0), "owner", _FROM_ITEMS, order="position", once=_SINGLE)
    wide = rows.join(shared, on="pnr", how="left", maintain_order="left").join(
        own, on="owner", how="left", maintain_order="left", suffix=" own"
    )
    both = [
        pl.coalesce(f"{column} own", column).alias(column)
        if column == "ticketed_at"
        else pl.concat_str([column, f"{column} own"], separator="\n", ignore_nulls=True).alias(column)
        for column in _FROM_ITEMS
        if own[column].null_count() < own.height
    ]
    missing = [pl.lit(None, pl.String).alias(column) for column in COLUMNS if column not in wide.columns]
    wide = wide.with_columns(*both, *missing).select(pl.col("owner").alias(POSITION), *COLUMNS)
    wide = wide.with_columns(present(pl.col(COLUMNS)).name.keep())
    refuse_long_cells(wide, COLUMNS, "traveller", limits)
    return wide

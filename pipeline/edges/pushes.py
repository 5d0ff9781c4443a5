"""What has a carrier pushed of each flight, and what of it holds? Read from what the vault has kept."""

from dataclasses import dataclass

import polars as pl

from pipeline.core.duration import Duration
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.feed import Feed
from pipeline.core.pushes import READ, flights, lean
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.schemas import schema_of
from pipeline.edges.site import Site

DEPARTURE = "departure"
"""The event of an agreement's deadline for the first push."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """`flights`: a row each, with counts alone (`core.pushes.flights`). `first_push`: how long before the departure the first push
    is due, by the agreements that release the feed; None where none says so. `older`: deliveries that were kept under a
    schema that did not tell pushes apart; they take no part."""

    flights: pl.DataFrame
    first_push: Duration | None
    older: int


def pushed(site: Site, feed: str) -> Pushed:
    """Every flight that the feed has told of.

    Raises:
        Misconfigured: column-unknown, where its deliveries are no pushes.
    """
    catalogue = site.catalogue()
    asked = catalogue.feed(feed)
    schema = schema_of(asked, catalogue.code_lists)
    missing = [name for name in READ if name not in schema.columns]
    if missing:
        raise Misconfigured(
            Code.COLUMN_UNKNOWN,
            f"the deliveries of {feed} are no pushes: the schema has no {', '.join(missing)}.",
            next_step="name a feed of passenger name records.",
        )
    parts, older = [lean(pl.DataFrame(schema=dict.fromkeys(READ, pl.String)))], 0
    for lot in site.landing.lots(feed):
        for kept in site.vault.of_lot(lot.id):
            if kept.schema_version != schema.version:
                older += len(kept.deliveries)
                continue
            parts += [lean(rows) for rows in site.vault.rows(kept)]
    first_push = _first_push(catalogue, asked)
    return Pushed(flights(pl.concat(parts), first_push=first_push), first_push, older)


def _first_push(catalogue: Catalogue, feed: Feed) -> Duration | None:
    stated = (deadline for one in catalogue.agreements_of(feed.id) for deadline in one.handling.deadlines)
    return next((deadline.before for deadline in stated if deadline.event == DEPARTURE and deadline.before), None)

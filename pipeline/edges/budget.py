"""How much of its budget has a partner used? What the vault has kept of the feed's rows within the period."""

from pipeline.core.duration import after
from pipeline.core.language.feed import Feed
from pipeline.edges.site import Site


def used_before(site: Site, feed: Feed, *, but: str) -> int:
    """The rows, good or bad, that other deliveries of the feed than `but` brought within the period; 0 without a budget."""
    budget = feed.acceptance.budget
    if budget is None:
        return 0
    now = site.now()
    return sum(
        one.received
        for lot in site.landing.lots(feed.id)
        for kept in site.vault.of_lot(lot.id)
        if now < after(kept.loaded_at, budget.per)
        for one in kept.deliveries
        if one.delivery != but
    )

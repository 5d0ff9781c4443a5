"""What have other feeds told that the rows of a delivery must go back to? Looked up in the vault, once somebody asks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from pipeline.core.acceptance import Sorted
from pipeline.core.duration import after
from pipeline.core.errors import Code, Misconfigured, Unavailable
from pipeline.core.findings import Tally
from pipeline.core.following import asked, joined, set_aside, told, unmet
from pipeline.core.language.feed import Feed, Follows
from pipeline.core.scope import Events
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.schemas import lists_hold, schema_of
from pipeline.edges.site import Site

JUDGED_WITHIN = timedelta(minutes=15)
"""For so long after it was claimed a delivery of the other feed is waited for; then it is not coming by itself."""


@dataclass(slots=True)
class Earlier:
    """What the feed's `follows` ask for. `seed` keys the digests of one delivery."""

    site: Site
    catalogue: Catalogue
    feed: Feed
    seed: int
    _known: dict[str, pl.Series] = field(default_factory=dict)

    def sort_out(self, rows: Sorted, tally: Tally) -> Sorted:
        """The accepted rows that go back to what has come; the others are rejected, or refuse the delivery.

        Raises:
            Refused: see `core.following.set_aside`. Unavailable: what they may go back to is being received.
            Misconfigured: a rule names a column that one of the feeds does not have.
        """
        now = self.site.now()
        for rule in self.feed.follows if rows.accepted.height else ():
            self._has_columns(rule)
            lists_hold(f"{rule.name} of feed {self.feed.id}", rule.code_lists, self.catalogue.code_lists, now)
            asked_of = asked(rule, rows.accepted, self.catalogue.code_lists, Events(now, now))
            if asked_of.any():
                broken = unmet(rule, rows.accepted, asked_of, self._told(rule), seed=self.seed)
                rows = set_aside(rule, rows, broken, tally)
        return rows

    def _told(self, rule: Follows) -> pl.Series:
        """The digests of what the other feed has told, read from the vault the first time."""
        if rule.name not in self._known:
            self._all_are_judged(rule)
            at = Events(self.site.now(), self.site.now())
            lists = self.catalogue.code_lists
            self._known[rule.name] = joined(told(rule, rows, lists, at, seed=self.seed) for rows in self._rows(rule))
        return self._known[rule.name]

    def _rows(self, rule: Follows) -> Iterator[pl.DataFrame]:
        """The rows that the other feed has brought within the rule's time, chunk by chunk; those without the columns left out."""
        now, needed = self.site.now(), rule.columns_earlier
        for lot in self.site.landing.lots(rule.feed):
            for kept in self.site.vault.of_lot(lot.id):
                if now < after(kept.loaded_at, rule.within):
                    yield from (rows for rows in self.site.vault.rows(kept) if needed <= set(rows.columns))

    def _all_are_judged(self, rule: Follows) -> None:
        """No delivery of the other feed that came before this one is still to be received."""
        since = self.site.now() - JUDGED_WITHIN
        for lot in self.site.landing.lots(rule.feed):
            for one in lot.deliveries:
                open_ = one.claimed_at > since and self.site.landing.has(one)
                if open_ and not self.site.vault.holds(lot.id, one.id) and not self.site.quarantine.has_raw(one):
                    raise Unavailable(
                        Code.EARLIER_WAITING,
                        f"{one.landed_as} is being received, and {self.feed.id} may go back to it.",
                        next_step="nothing to do: it is tried again once that is received.",
                    )

    def _has_columns(self, rule: Follows) -> None:
        for feed, named in ((self.feed, rule.columns), (self.catalogue.feed(rule.feed), rule.columns_earlier)):
            missing = named - set(schema_of(feed, self.catalogue.code_lists).columns)
            if missing:
                raise Misconfigured(
                    Code.COLUMN_UNKNOWN,
                    f"feed {self.feed.id}: {rule.name} names {', '.join(sorted(missing))}, which {feed.id} does not have.",
                    next_step=f"correct [[follows]] in catalogue/feeds/{self.feed.id}.toml; then rerun.",
                )

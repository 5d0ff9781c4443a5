"""One release in the making: chunk by chunk redacted rows are cleared, sealed into the spool, and counted."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import polars as pl

from pipeline.core.authority import Authorised, marked
from pipeline.core.banner import marks_of
from pipeline.core.clearance import Cleared, clear_partial, clear_rows, clear_table
from pipeline.core.clocks import runs_out
from pipeline.core.conservation import RowCount, conserved
from pipeline.core.language.feed import Feed
from pipeline.core.language.marking import Marking
from pipeline.core.language.treatment import Statistics
from pipeline.core.layout import Sheet, sheets
from pipeline.core.markings import joined
from pipeline.core.redaction import Redacted, compile_redaction, reasons, redact
from pipeline.core.risk import Figures, groups, measured
from pipeline.core.scope import Events
from pipeline.core.statistics import tabulate
from pipeline.core.treatments import Means
from pipeline.core.validation import CompiledSchema
from pipeline.edges.pace import ahead, behind
from pipeline.edges.tables import Tables, TablesThen
from pipeline.edges.vault import Kept

Written = Callable[[pl.DataFrame, Literal["parquet", "csv"]], bytes]
"""The bytes of a part in the agreement's format."""


class Parts(Protocol):
    """Where cleared sheets go, one after the other: each is one more part of the release."""

    def add(self, content: bytes, sheet: Sheet, *, until: datetime | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Made:
    """What the release came to: its rows, what it is marked with, and how alike they are where the agreement asks."""

    rows: RowCount
    marking: Marking
    risk: Figures | None
    compared_tables: int | None = None
    """of statistics: how many earlier tables of the same cells it was held against"""


def make(
    authorised: Authorised,
    kept: Kept,
    chunks: Iterable[pl.DataFrame],
    *,
    feed: Feed,
    schema: CompiledSchema,
    means: Means,
    parts: Parts,
    written: Written,
    release: str = "",
    tables: Tables | None = None,
) -> Made:
    """Every chunk of the kept rows is redacted, cleared and added to `parts`; the rows add up.

    Statistics are held against those of `tables`, and kept there as the table of `release`; against none if left out.
    """
    making = _Making(authorised, feed, schema, means, parts, written, release, tables or TablesThen())
    redaction = compile_redaction(authorised.agreement, schema, means, making.events)
    with behind() as later:
        for redacted in ahead(redact(redaction, rows) for rows in chunks):
            if seal := making.clear(redacted):
                later(seal)
    return making.made(kept)


@dataclass(slots=True)
class _Making:
    """What has become of the rows so far."""

    authorised: Authorised
    feed: Feed
    schema: CompiledSchema
    means: Means
    parts: Parts
    written: Written
    release: str
    tables: Tables
    _compared: int | None = None
    _released: int = 0
    _suppressed: int = 0
    _kept_back: Counter[str] = field(default_factory=Counter)
    _marks: list[Marking | None] = field(default_factory=list)
    _alike: list[pl.DataFrame] = field(default_factory=list)
    _partials: list[pl.DataFrame] = field(default_factory=list)

    def clear(self, redacted: Redacted) -> Callable[[], None] | None:
        """The chunk has passed the gates and is counted. Call what is returned to seal it, in order; None for counts."""
        agreement = self.authorised.agreement
        self._kept_back += redacted.kept_back
        if self.feed.marking_column:
            self._marks.append(marks_of(redacted.in_scope[self.feed.marking_column], designated_by=self.feed.partner))
        if agreement.statistics:
            self._partials.append(clear_partial(redacted, agreement))
            return None
        cleared = clear_rows(redacted, agreement, self.schema, self.means, self.events)
        if agreement.risk:
            self._alike.append(groups(cleared.frame, agreement.risk))
        rows_before, self._released = self._released, self._released + cleared.frame.height
        return lambda: self._seal(cleared, redacted.days, rows_before)

    def made(self, kept: Kept) -> Made:
        """Every row is sealed in the spool, and accounted for."""
        agreement = self.authorised.agreement
        if agreement.statistics and self._partials:
            self._table(agreement.statistics)
        rows = conserved(
            received=sum(one.received for one in kept.deliveries),
            accepted=kept.rows,
            rejected=sum(one.rejected for one in kept.deliveries),
            released=self._released,
            suppressed=self._suppressed,
            kept_back=self._kept_back,
            reasons=reasons(agreement),
        )
        return Made(
            rows, marked(self.authorised, joined(self._marks)), measured(self._alike, agreement), self._compared
        )

    def _table(self, rule: Statistics) -> None:
        """The table is cleared next to all that were told before, kept as told, and sealed."""
        agreement = self.authorised.agreement
        while True:
            earlier = self.tables.earlier()
            table = tabulate(self._partials, tuple(agreement.released), rule, release=self.release, earlier=earlier)
            cleared = clear_table(table, agreement, self.means, earlier, self._partials)
            if table.told is None or self.tables.tell(table.told):
                break
        self._seal(cleared, None, 0)
        self._released, self._suppressed = table.published_rows, table.suppressed_rows
        self._compared = table.compared

    @property
    def events(self) -> Events:
        """What the dates of scopes and conditions are relative to."""
        instants, declared = self.authorised.instants, self.authorised.declaration
        return Events(instants.released, instants.loaded, declared.case_reference)

    def _seal(self, cleared: Cleared, days: pl.Series | None, rows_before: int) -> None:
        if not cleared.frame.height:
            return
        agreement = self.authorised.agreement
        for sheet in sheets(agreement, cleared.frame, days, rows_before=rows_before):
            until = runs_out(sheet.clock, sheet.after, self.authorised.instants, day=sheet.day)
            self.parts.add(self.written(sheet.frame, agreement.format), sheet, until=until)

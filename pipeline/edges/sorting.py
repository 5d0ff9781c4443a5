"""One delivery's rows, sorted into vault and quarantine in one scan, in bounded memory.

Sealing and writing run beside parsing and validating, one object behind. Nothing counts before a kept record names it: a
delivery that is refused at the end leaves nothing in the vault.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from pipeline.core.acceptance import (
    Sorted,
    doubled,
    good_enough,
    hashes_of,
    repeated,
    sort_out,
    suspects,
    within_budget,
    without_doubled,
)
from pipeline.core.banner import marks_of
from pipeline.core.delivery import POSITION, Delivery
from pipeline.core.errors import Code, Misconfigured, SafeconductError, Unavailable
from pipeline.core.findings import Tally
from pipeline.core.language.feed import Acceptance
from pipeline.core.validation import CompiledSchema
from pipeline.edges.following import Earlier
from pipeline.edges.pace import behind
from pipeline.edges.quarantine import Quarantine
from pipeline.edges.vault import Accepted, Chunk, Vault


@dataclass(slots=True)
class Sorting:
    """Where the rows of one delivery go. `seed` keys the hashes, so that nobody can make collisions on purpose.

    `marking_column` says what each row is marked with, rejected ones too. `used` rows of the feed's budget are gone.
    `earlier` knows what rows go back to.
    """

    vault: Vault
    quarantine: Quarantine
    delivery: Delivery
    schema: CompiledSchema
    seed: int
    marking_column: str | None = None
    used: int = 0
    earlier: Earlier | None = None
    chunks: list[Chunk] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    rejected_rows: int = 0
    _hashes: list[pl.Series] = field(default_factory=list)
    _held_hashes: list[pl.Series] = field(default_factory=list)

    def sort(self, frames: Iterable[pl.DataFrame], tally: Tally, acceptance: Acceptance) -> Accepted:
        """The delivery's accepted rows are in the vault, its rejected rows in quarantine.

        Raises:
            Refused: from the reader, or since the delivery is not good enough for its feed; the vault is as it was.
        """
        try:
            with behind() as later:
                for frame in frames:
                    self._marked(frame)
                    rows = sort_out(frame, self.schema, tally)
                    if self.earlier:
                        rows = self.earlier.sort_out(rows, tally)
                    later(partial(self._put, rows))
            self._settle_keys(tally, acceptance)
            accepted = sum(chunk.rows for chunk in self.chunks)
            findings = tally.findings()
            within_budget(acceptance, rows=accepted + self.rejected_rows, used=self.used)
            good_enough(
                acceptance, rows=accepted + self.rejected_rows, rejected_rows=self.rejected_rows, findings=findings
            )
        except SafeconductError:
            self._leave_nothing()
            raise
        return Accepted(
            delivery=self.delivery.id,
            landed_as=self.delivery.landed_as,
            received=accepted + self.rejected_rows,
            accepted=accepted,
            rejected=self.rejected_rows,
            findings=findings,
            chunks=tuple(self.chunks),
        )

    def _marked(self, frame: pl.DataFrame) -> None:
        """Every row has a known marking, and none of classified information. What they are together counts at release."""
        if self.marking_column is None:
            return
        if self.marking_column not in frame.columns:
            raise Misconfigured(
                Code.COLUMN_UNKNOWN,
                f"feed {self.delivery.feed} has no column {self.marking_column}, its marking_column.",
                next_step="correct the feed or its schema; then rerun.",
            )
        marks_of(frame[self.marking_column], designated_by=self.delivery.feed, positions=frame[POSITION])

    def _leave_nothing(self) -> None:
        """What was put away is gone again. Where storage does not let us, sealed objects stay that nothing names."""
        with suppress(Unavailable):
            for chunk in self.chunks:
                self.vault.discard(self.delivery.id, chunk)
            for key in self.held:
                self.quarantine.discard_rows(key)

    def _put(self, rows: Sorted) -> None:
        if rows.rejected.height:
            self.held.append(self.quarantine.hold_rows(self.delivery.id, rows.rejected))
            self._held_hashes.append(hashes_of(rows.rejected, self.schema, seed=self.seed))
            self.rejected_rows += rows.rejected.height
        if rows.accepted.height:
            self.chunks.append(self.vault.put_chunk(self.delivery.id, rows.accepted))
            self._hashes.append(hashes_of(rows.accepted, self.schema, seed=self.seed))

    def _settle_keys(self, tally: Tally, acceptance: Acceptance) -> None:
        """Accepted rows that share a key with any row are in quarantine instead."""
        again = repeated([*self._hashes, *self._held_hashes])
        total = sum(len(hashes) for hashes in (*self._hashes, *self._held_hashes))
        if again.is_empty():
            return
        # So many repeats are no accident of hashing: refuse without looking at each key.
        good_enough(
            acceptance, rows=total, rejected_rows=max(self.rejected_rows, len(again)), findings=tally.findings()
        )
        touched = [index for index, hashes in enumerate(self._hashes) if hashes.is_in(again.implode()).any()]
        found = [self._suspects(self.vault.chunk(self.delivery.id, self.chunks[index]), again) for index in touched]
        found += [
            self._suspects(self.quarantine.held_rows(key), again)
            for key, hashes in zip(self.held, self._held_hashes, strict=True)
            if hashes.is_in(again.implode()).any()
        ]
        keys = doubled(found, self.schema, tally)
        replaced = {index: self.chunks[index] for index in touched} if keys.height else {}
        self.chunks = [chunk for index, chunk in enumerate(self.chunks) if index not in replaced]
        for chunk in replaced.values():
            self._put(without_doubled(self.vault.chunk(self.delivery.id, chunk), keys))
            self.vault.discard(self.delivery.id, chunk)

    def _suspects(self, rows: pl.DataFrame, hashes: pl.Series) -> pl.DataFrame:
        return suspects(rows, self.schema, hashes, seed=self.seed)

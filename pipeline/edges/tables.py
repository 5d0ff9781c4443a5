"""What an agreement's statistics have told so far, to be held against what they would tell next.

    tables/<agreement>/<n>.age   write-once, sealed to the vault: the n-th table that was about to be told, with what it left out

A table is kept here before it is published, and only under the number that follows all that it was compared with: of two that are made
at the same time, one is compared with the other. A table that was never published stays: it is taken for told.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.core.canonical import canonical, read
from pipeline.core.differencing import Told
from pipeline.edges.sealing import Identity, open_sealed, seal
from pipeline.edges.storage import AlreadyThere, Store

_NUMBERED = re.compile(r"([1-9][0-9]{0,8})\.age")


class Tables(Protocol):
    """The tables that a new one is held against."""

    def earlier(self) -> tuple[Told, ...]:
        """Every table that was told before."""

    def tell(self, table: Told) -> bool:
        """Whether the table is kept as the one that follows them; False where somebody told another meanwhile."""


@dataclass(slots=True)
class ToldTables:
    """The tables of an agreement, but for those of this very `release`: a try that did not come to its end told nothing."""

    store: Store
    identities: Sequence[Identity]
    agreement: str
    release: str
    _last: int = 0

    def earlier(self) -> tuple[Told, ...]:
        numbered = dict(self._all())
        self._last = max(numbered, default=0)
        return tuple(table for _, table in sorted(numbered.items()) if table.release != self.release)

    def tell(self, table: Told) -> bool:
        sealed = seal(canonical(table), [self.identities[0].recipient])
        try:
            self.store.put_new(f"tables/{self.agreement}/{self._last + 1}.age", sealed)
        except AlreadyThere:
            return False
        return True

    def as_they_were(self) -> tuple[Told, ...]:
        """The tables that this release was held against when it was made."""
        numbered = sorted(dict(self._all()).items())
        own = max((number for number, table in numbered if table.release == self.release), default=0)
        return tuple(table for number, table in numbered if number < own and table.release != self.release)

    def _all(self) -> Iterator[tuple[int, Told]]:
        folder = f"tables/{self.agreement}"
        for listed in self.store.listing(folder):
            if number := _NUMBERED.fullmatch(listed.key.removeprefix(f"{folder}/")):
                sealed = b"".join(self.store.blocks(listed.key))
                yield int(number[1]), read(Told, open_sealed(sealed, self.identities, name=listed.key), name=listed.key)


@dataclass(frozen=True, slots=True)
class TablesThen:
    """The tables as they were when a release was made; to make it again tells nothing."""

    tables: tuple[Told, ...] = ()

    def earlier(self) -> tuple[Told, ...]:
        return self.tables

    def tell(self, table: Told) -> bool:
        return True

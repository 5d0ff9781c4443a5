"""What somebody has declared for the release of kept rows: its purpose, and what is shown for its conditions.

declarations/<agreement>/<kept>/<n>.json     write-once; the last one counts, in the place of the agreement's own
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, ValidationError

from pipeline.core.errors import Code, Conflict
from pipeline.core.language.policy import Policy, Word
from pipeline.core.language.purpose import Declaration
from pipeline.edges.storage import AlreadyThere, Store


class Declared(Policy):
    """A declaration, by whom and when."""

    declaration: Declaration
    by: Word
    at: AwareDatetime


_NUMBERED = re.compile(r"([1-9][0-9]{0,8})\.json")


@dataclass(frozen=True, slots=True)
class Declarations:
    """The private store's declarations."""

    store: Store

    def declare(self, agreement: str, kept: str, declared: Declared) -> str:
        """The declaration counts for the next try of the release; returns its key."""
        while True:
            number = max(self._numbers(agreement, kept), default=0) + 1
            with suppress(AlreadyThere):  # somebody declared at the same time: ours comes after theirs
                self.store.put_new(_key(agreement, kept, number), declared.model_dump_json(by_alias=True).encode())
                return _key(agreement, kept, number)

    def last(self, agreement: str, kept: str, *, at: datetime | None = None) -> Declared | None:
        """What counts for these rows, now or as it was at the instant; None where nobody had declared anything."""
        for number in sorted(self._numbers(agreement, kept), reverse=True):
            declared = self._numbered(_key(agreement, kept, number))
            if at is None or declared.at <= at:
                return declared
        return None

    def _numbered(self, key: str) -> Declared:
        try:
            return Declared.model_validate_json(self.store.find(key) or b"", strict=True)
        except ValidationError:
            raise Conflict(
                Code.OBJECT_ALTERED, f"{key} is no declaration.", next_step="declare it again; ask who changed it."
            ) from None

    def _numbers(self, agreement: str, kept: str) -> Iterator[int]:
        folder = f"declarations/{agreement}/{kept}"
        for listed in self.store.listing(folder):
            if number := _NUMBERED.fullmatch(listed.key.removeprefix(f"{folder}/")):
                yield int(number[1])


def _key(agreement: str, kept: str, number: int) -> str:
    return f"declarations/{agreement}/{kept}/{number}.json"

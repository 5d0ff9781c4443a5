"""What somebody has declared for the release of kept rows: its purpose, and what is shown for its conditions.

declarations/<agreement>/<kept>/<n>.json     write-once; the last one counts, in the place of the agreement's own
"""

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


@dataclass(frozen=True, slots=True)
class Declarations:
    """The private store's declarations."""

    store: Store

    def declare(self, agreement: str, kept: str, declaration: Declaration, *, by: str, at: datetime) -> Declared:
        """The declaration counts for the next try of the release."""
        declared = Declared(declaration=declaration, by=by, at=at)
        while True:
            number = len(self._all(agreement, kept)) + 1
            try:
                self.store.put_new(_key(agreement, kept, number), declared.model_dump_json(by_alias=True).encode())
            except AlreadyThere:
                continue
            return declared

    def last(self, agreement: str, kept: str) -> Declared | None:
        """What counts for these rows; None where nobody has declared anything."""
        numbers = self._all(agreement, kept)
        if not numbers:
            return None
        key = _key(agreement, kept, max(numbers))
        try:
            return Declared.model_validate_json(self.store.find(key) or b"", strict=True)
        except ValidationError:
            raise Conflict(
                Code.OBJECT_ALTERED, f"{key} is no declaration.", next_step="declare it again; ask who changed it."
            ) from None

    def _all(self, agreement: str, kept: str) -> list[int]:
        folder = f"declarations/{agreement}/{kept}"
        return [int(listed.key.rpartition("/")[2].removesuffix(".json")) for listed in self.store.listing(folder)]


def _key(agreement: str, kept: str, number: int) -> str:
    return f"declarations/{agreement}/{kept}/{number}.json"

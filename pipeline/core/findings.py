"""What was wrong, or only odd, in a delivery, said without saying any value?"""

from collections.abc import Iterable
from dataclasses import dataclass, field

ROWS_NAMED = 20
"""A finding names at most this many positions; its count is always exact."""


READER_RULES = ("tolerated-", "discarded-")
"""What a reader found odd but took, or left out by the feed's law: no row is rejected for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`count` places broke `rule` in `column`. `positions` holds the first of them, ascending, at most `ROWS_NAMED`.

    `column` is "" where the rule is about the whole row or delivery.
    """

    rule: str
    column: str
    count: int
    positions: tuple[int, ...]


@dataclass(slots=True)
class Tally:
    """Collects findings while batches stream by, in bounded memory."""

    _counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _positions: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, rule: str, column: str, positions: Iterable[int], count: int | None = None) -> None:
        """`count` more places broke `rule`; without it, as many as there are positions."""
        known = self._positions.setdefault((rule, column), [])
        seen = 0
        for position in positions:
            seen += 1
            if len(known) < ROWS_NAMED:
                known.append(position)
        self._counts[rule, column] = self._counts.get((rule, column), 0) + (seen if count is None else count)

    def findings(self) -> tuple[Finding, ...]:
        """Everything tallied so far, ordered by column and rule."""
        ordered = sorted(self._counts, key=lambda key: (key[1], key[0]))
        return tuple(
            Finding(rule, column, self._counts[rule, column], tuple(sorted(self._positions[rule, column])))
            for rule, column in ordered
            if self._counts[rule, column]
        )

"""Stores that work, except at the one call where a test wants them not to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pipeline.edges.storage import BLOCK_BYTES, Listed, Store

T = TypeVar("T")


class Died(BaseException):
    """The writer is gone: nothing catches this but the test."""


def die() -> None:
    """Ends the writer where it is."""
    raise Died


@dataclass
class Interrupted:
    """The store `inner`, whose call number `at` (from 0) meets `by` just before it takes effect, or just after.

    `by` may raise (a crash, a lost reply) or do something else with the store (another writer is faster).
    """

    inner: Store
    at: int
    after: bool = False
    by: Callable[[], None] = die
    calls: int = 0

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def was_met(self) -> bool:
        return self.calls > self.at

    def within(self, prefix: str) -> "Interrupted":
        return Interrupted(self.inner.within(prefix), self.at, self.after, self.by)

    def put_new(self, key: str, content: bytes) -> None:
        self._call(lambda: self.inner.put_new(key, content))

    def find(self, key: str) -> bytes | None:
        return self._call(lambda: self.inner.find(key))

    def blocks(self, key: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        return self._call(lambda: self.inner.blocks(key, block_bytes=block_bytes))

    def exists(self, key: str) -> bool:
        return self._call(lambda: self.inner.exists(key))

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        return self._call(lambda: self.inner.listing(prefix))

    def destroy(self, key: str) -> None:
        self._call(lambda: self.inner.destroy(key))

    def _call(self, call: Callable[[], T]) -> T:
        number, self.calls = self.calls, self.calls + 1
        if number == self.at and not self.after:
            self.by()
        result = call()
        if number == self.at and self.after:
            self.by()
        return result

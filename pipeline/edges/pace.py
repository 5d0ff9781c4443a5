"""Two cores, one story: parsing or redacting ahead and sealing behind run beside the step that lies between them.

polars works through the expressions of one chunk one after another: it is the chunks that must overlap.
Both keep order, keep at most a few batches in memory, and raise the first error where the story waits for it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_WAITING = 2
"""So many batches may wait for the next step; more would only take memory."""

_Item = TypeVar("_Item")
_END = object()


@contextmanager
def behind() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Runs what it is given, in order, on a thread of its own; all of it is done when the block ends."""
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="behind") as thread:

        def later(step: Callable[[], None]) -> None:
            if len(waiting) == _WAITING:
                waiting.popleft().result()
            waiting.append(thread.submit(step))

        try:
            yield later
            while waiting:
                waiting.popleft().result()
        finally:
            for step in waiting:
                step.cancel()


def ahead(items: Iterable[_Item]) -> Iterator[_Item]:
    """The same items, of which the next one is made while this one is used."""
    source = iter(items)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(next, source, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, source, _END)
            yield item  # type: ignore[misc]

"""When is it time to look at landing?"""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from pipeline.core.errors import SafeconductError
from pipeline.edges.site import Site, site_directory
from pipeline.edges.storage import Listed


class LandingTrigger(BaseEventTrigger):
    """Tells of new files in landing: when nothing has changed for a moment, and anyhow every few seconds.

    The moment lets a burst become one lot, and a file that is still written become whole.
    """

    def __init__(self, poll_seconds: float = 0.5, still_seconds: float = 1.0, longest_seconds: float = 5.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.poll_seconds = poll_seconds
        self.still_seconds = still_seconds
        self.longest_seconds = longest_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "poll_seconds": self.poll_seconds,
                "still_seconds": self.still_seconds,
                "longest_seconds": self.longest_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        site = await asyncio.to_thread(Site.open, site_directory())
        told: frozenset[Listed] = frozenset()
        seen: frozenset[Listed] = frozenset()
        changed_at = news_since = monotonic()
        while True:
            try:
                found = await asyncio.to_thread(lambda: frozenset(site.landing.store.listing()))
            except SafeconductError as error:
                self.log.warning("Landing cannot be listed: %s", error)
                await asyncio.sleep(10 * self.poll_seconds)
                continue
            now = monotonic()
            told &= found  # what was received is gone: no news
            if not seen - told:
                news_since = now
            if found != seen:
                seen, changed_at = found, now
            still = now - changed_at >= self.still_seconds or now - news_since >= self.longest_seconds
            if seen - told and still:
                yield TriggerEvent({"files": len(seen - told)})  # type: ignore[no-untyped-call]
                told = seen
            await asyncio.sleep(self.poll_seconds)

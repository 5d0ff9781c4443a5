"""Everything that knows Airflow: what wakes it, what its tasks do, what is retried, and what the operator reads.

An event only wakes us; the unit of work is what `journey.sweep` lists. A task passes ids, nothing else. Each task imports
the journey when it runs: the DAG processor and the triggerer stay light.
"""

import asyncio
import re
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import (
    Asset,
    AssetWatcher,
    BaseOperator,
    ExceptionRetryPolicy,
    PartitionedAssetTimetable,
    RetryAction,
    RetryRule,
    get_parsing_context,
)
from airflow.sdk.exceptions import AirflowException, AirflowSkipException
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from pipeline.core.agreement import Agreement
from pipeline.core.duration import after
from pipeline.core.errors import Code, Misconfigured, Refused, SafeconductError, Unavailable
from pipeline.core.feed import Feed
from pipeline.edges.catalogue import Broken, Catalogue, load
from pipeline.edges.site import Site, catalogue_root, site_directory

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.definitions.asset import BaseAsset

SWEEP_CRON = "*/5 * * * *"
"""How often landing is swept without an event, in case one was lost."""


class Defect(Exception):
    """A fault of our own. It says where, and nothing of what was being worked on."""


# What the catalogue asks for


@cache
def catalogue() -> Catalogue:
    """The catalogue of this site, as this parse sees it."""
    return load(catalogue_root(site_directory()))


def wanted(dag_id: str) -> bool:
    """True for every DAG when a file is parsed; in a task, for its own DAG alone."""
    only = get_parsing_context().dag_id
    return only is None or only == dag_id


def feeds(family: str) -> Iterator[tuple[str, Feed]]:
    """The id of the DAG of this family, and its feed, for each feed that is wanted now."""
    for feed in catalogue().feeds.values():
        if wanted(dag_id := f"{family}.{feed.id}"):
            yield dag_id, feed


def agreements(family: str) -> Iterator[tuple[str, Agreement]]:
    """The id of the DAG of this family, and its agreement, for each agreement that is wanted now."""
    for agreement in catalogue().agreements.values():
        if wanted(dag_id := f"{family}.{agreement.id}"):
            yield dag_id, agreement


def broken_files() -> Iterator[tuple[str, tuple[Broken, ...]]]:
    """The id of the DAG that stands for a file that cannot be read, and what is wrong with it."""
    found: dict[str, list[Broken]] = {}
    for broken in catalogue().broken:
        found.setdefault(f"invalid.{re.sub(r'[^A-Za-z0-9_.-]', '_', broken.path.stem)}", []).append(broken)
    for dag_id, broken_with_that_name in found.items():
        if wanted(dag_id):
            yield dag_id, tuple(broken_with_that_name)


# What ties the DAGs together


def landing() -> Asset:
    """Where partners write. Its watcher wakes `intake`."""
    return Asset(
        "landing",
        uri="x-safeconduct://landing",
        group="safeconduct",
        watchers=[AssetWatcher(name="landing", trigger=LandingTrigger())],
    )


def arrived(feed_id: str) -> Asset:
    """Claimed lots of a feed, one partition each."""
    return Asset(f"{feed_id}: arrived", uri=f"x-safeconduct://arrived/{feed_id}", group="safeconduct")


def accepted(feed_id: str) -> Asset:
    """Kept lots of a feed, one partition each."""
    return Asset(f"{feed_id}: accepted", uri=f"x-safeconduct://accepted/{feed_id}", group="safeconduct")


def released(agreement_id: str) -> Asset:
    """Published releases under an agreement."""
    return Asset(f"{agreement_id}: released", uri=f"x-safeconduct://released/{agreement_id}", group="safeconduct")


def one_run_per_partition(first: Asset, *others: Asset) -> PartitionedAssetTimetable:
    """A run for each partition of any of these assets."""
    condition: BaseAsset = first
    for asset in others:
        condition = condition | asset
    return PartitionedAssetTimetable(assets=condition)


class LandingTrigger(BaseEventTrigger):
    """Says that landing looks different: once the listing has been still for a moment, and anyhow every few seconds."""

    def __init__(self, poll_seconds: float = 0.5, still_seconds: float = 1.0, longest_seconds: float = 5.0) -> None:
        super().__init__()
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
        told: str | None = None
        seen: str | None = None
        changed_at = first_changed_at = monotonic()
        look = await asyncio.to_thread(_landing_state)
        while True:
            try:
                state = await asyncio.to_thread(look)
            except SafeconductError as error:
                self.log.warning("Landing cannot be listed: %s", error)
                await asyncio.sleep(10 * self.poll_seconds)
                continue
            now = monotonic()
            if state != seen:
                if seen == told:
                    first_changed_at = now
                seen, changed_at = state, now
            if seen != told and (
                now - changed_at >= self.still_seconds or now - first_changed_at >= self.longest_seconds
            ):
                told = seen
                yield TriggerEvent({"landing": state[:12]})
            await asyncio.sleep(self.poll_seconds)


def _landing_state() -> Callable[[], str]:
    from pipeline import journey

    site = Site.open(site_directory())
    return lambda: journey.landing_state(site)


# What the tasks do

ONLY_UNAVAILABLE_IS_RETRIED = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=Unavailable, action=RetryAction.RETRY, reason="something outside did not answer"),
        RetryRule(exception=Exception, action=RetryAction.FAIL, reason="a person must act first"),
    ]
)

TASK_DEFAULTS: dict[str, Any] = {
    "retries": 5,
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": ONLY_UNAVAILABLE_IS_RETRIED,
}


@contextmanager
def _nothing_leaks() -> Iterator[None]:
    """A fault that is not ours to name leaves as a Defect: a foreign message may hold a cell value, and logs are read."""
    defect: Defect | None = None
    try:
        yield
    except (SafeconductError, AirflowException):
        raise
    except Exception as error:  # noqa: BLE001 - the last border before the log
        where = [f"{Path(step.filename).name}:{step.lineno}" for step in traceback.extract_tb(error.__traceback__)]
        defect = Defect(f"{type(error).__name__} at {' > '.join(where[-4:])}")
    if defect:
        raise defect


class Sweep(BaseOperator):
    """Every lot in landing is claimed and handed out, one partition of its feed's `arrived` asset each."""

    ui_color = "#dbe9f6"

    def __init__(self, *, feed_ids: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(outlets=[arrived(feed_id) for feed_id in feed_ids], **kwargs)
        self.feed_ids = feed_ids

    def execute(self, context: "Context") -> None:
        from pipeline import journey

        with _nothing_leaks():
            lots = journey.sweep(Site.open(site_directory()))
        by_feed: dict[str, list[str]] = {}
        for lot in lots:
            by_feed.setdefault(lot.feed, []).append(lot.id)
        # Airflow announces every outlet that is left, partition or not: an asset without a new lot must not be there.
        self.outlets = [arrived(feed_id) for feed_id in by_feed]
        for feed_id, ids in by_feed.items():
            context["outlet_events"][arrived(feed_id)].add_partitions(ids)
            self.log.info("%s: %d lots handed out: %s", feed_id, len(ids), ", ".join(ids))
        if not lots:
            raise AirflowSkipException("Nothing new in landing.")


class Receive(BaseOperator):
    """The lot is opened, parsed, validated and kept; kept lots are partitions of the feed's `accepted` asset."""

    ui_color = "#e3f1dc"

    def __init__(self, *, feed_id: str, **kwargs: Any) -> None:
        super().__init__(outlets=[accepted(feed_id)], **kwargs)
        self.feed_id = feed_id

    def execute(self, context: "Context") -> list[list[str]]:
        """The refused deliveries: id, code and message of each."""
        from pipeline import journey

        lot_id = partition(context)
        with _nothing_leaks():
            received = journey.receive(Site.open(site_directory()), lot_id)
        self.outlets = [accepted(self.feed_id)] if received.kept else []
        if received.kept:
            context["outlet_events"][accepted(self.feed_id)].add_partitions(list(received.kept))
        self.log.info("Lot %s: %d kept, %d refused.", lot_id, len(received.kept), len(received.refused))
        for refusal in received.refused:
            self.log.warning("Refused %s: [%s] %s", refusal.delivery, refusal.code.value, refusal.message)
        return [[refusal.delivery, refusal.code.value, refusal.message] for refusal in received.refused]


class Verdict(BaseOperator):
    """The run is red when a delivery of its lot was refused, and says which and why."""

    ui_color = "#e3f1dc"

    def execute(self, context: "Context") -> None:
        refused: list[list[str]] = context["ti"].xcom_pull(task_ids="receive") or []
        if refused:
            delivery, code, message = refused[0]
            more = f" and {len(refused) - 1} more; the log of the task `receive` has them all" if refused[1:] else ""
            raise Refused(
                Code(code),
                f"Delivery {delivery}: {message}{more}.".replace("..", "."),
                next_step="the partner delivers a corrected file, or the catalogue is corrected and this run is cleared.",
            )
        self.log.info("No delivery of this lot was refused.")


class Release(BaseOperator):
    """The kept lot is released under the agreement: sealed, signed, published and in the ledger, once."""

    ui_color = "#f6eddb"

    def __init__(self, *, agreement_id: str, **kwargs: Any) -> None:
        super().__init__(outlets=[released(agreement_id)], **kwargs)
        self.agreement_id = agreement_id

    def execute(self, context: "Context") -> None:
        from pipeline import journey

        kept = partition(context)
        with _nothing_leaks():
            release = journey.release(Site.open(site_directory()), self.agreement_id, kept)
        context["outlet_events"][released(self.agreement_id)].extra = {"release": release.release_id}
        found = "was published before and is whole" if release.already else "is published"
        self.log.info("Release %s of %s under %s %s.", release.release_id, kept, self.agreement_id, found)


class Due(BaseOperator):
    """The feed's delivery has arrived by its deadline. Waits for it without holding a worker."""

    ui_color = "#f6dbdb"

    def __init__(self, *, feed_id: str, within: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feed_id = feed_id
        self.within = within

    def execute(self, context: "Context") -> None:
        deadline = self._deadline(context)
        if deadline > datetime.now(UTC):
            self.log.info("%s is due by %s.", self.feed_id, deadline.isoformat())
            self.defer(trigger=DateTimeTrigger(moment=deadline), method_name="judge")
        self.judge(context)

    def judge(self, context: "Context", event: object = None) -> None:
        from pipeline import journey

        with _nothing_leaks():
            journey.due(Site.open(site_directory()), self.feed_id, self._deadline(context))
        self.log.info("%s arrived in time.", self.feed_id)

    def _deadline(self, context: "Context") -> datetime:
        """A run that a person started by hand has no period: it asks about now."""
        logical_date = context.get("logical_date")
        if logical_date is None:
            return datetime.now(UTC)
        return after(datetime.fromtimestamp(logical_date.timestamp(), UTC), self.within)


class Invalid(BaseOperator):
    """The file of the catalogue is valid. Fails with the file, the line and the fault while it is not."""

    ui_color = "#f6dbdb"

    def __init__(self, *, stem: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stem = stem

    def execute(self, context: "Context") -> None:
        faults = [
            fault(broken) for broken in load(catalogue_root(site_directory())).broken if broken.path.stem == self.stem
        ]
        if faults:
            raise Misconfigured(
                Code.CATALOGUE_INVALID,
                "; ".join(faults) + ".",
                next_step="correct the file; this DAG then goes away by itself.",
            )
        self.log.info("The file is valid now; this DAG goes away with the next parse.")


def fault(broken: Broken) -> str:
    """File, line and message, in one line."""
    return f"{broken.where}: {broken.message}"


def partition(context: "Context") -> str:
    """The lot of this run."""
    key = context["dag_run"].partition_key
    if not key:
        raise Misconfigured(
            Code.NOT_FOUND,
            "This run has no lot: it was started by hand without a partition key.",
            next_step="clear the run of the lot, or trigger with the lot's id as partition key.",
        )
    return str(key)

"""What does a task do? Each calls one verb of the journey and tells the operator, in codes and counts, what came of it."""

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from pipeline.core.duration import after
from pipeline.core.errors import Code, Misconfigured, Postponed, SafeconductError
from pipeline.edges.catalogue import load
from pipeline.edges.site import Site, catalogue_root, site_directory
from pipeline.orchestration.assets import accepted, arrived, released
from pipeline.orchestration.families import fault

if TYPE_CHECKING:
    from airflow.sdk import Context

    from pipeline.journey import Refusal


class Defect(Exception):
    """A fault of our own. It says where, and nothing of what was being worked on."""


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

    def execute(self, context: "Context") -> list[str]:
        """What was refused because it landed where no feed is."""
        from pipeline import journey

        with _nothing_leaks():
            swept = journey.sweep(Site.open(site_directory()))
        by_feed: dict[str, list[str]] = {}
        for lot in swept.lots:
            by_feed.setdefault(lot.feed, []).append(lot.id)
        # Airflow announces every outlet that is left, partition or not: an asset without a new lot must not be there.
        self.outlets = [arrived(feed_id) for feed_id in by_feed]
        for feed_id, ids in by_feed.items():
            context["outlet_events"][arrived(feed_id)].add_partitions(ids)
            self.log.info("%s: %d lots handed out: %s", feed_id, len(ids), ", ".join(ids))
        for one in swept.returned:
            self.log.info("%s of %s by %s was taken in.", one.what, one.subject, one.partner)
        if not (swept.lots or swept.refused or swept.odd or swept.returned):
            raise AirflowSkipException("Nothing new in landing.")
        return [*_said(swept.refused), *swept.odd]


class Receive(BaseOperator):
    """The lot is opened, parsed, validated and kept; kept lots are partitions of the feed's `accepted` asset."""

    ui_color = "#e3f1dc"

    def __init__(self, *, feed_id: str, **kwargs: Any) -> None:
        super().__init__(outlets=[accepted(feed_id)], **kwargs)
        self.feed_id = feed_id

    def execute(self, context: "Context") -> list[str]:
        """What was refused, in words without a value."""
        from pipeline import journey

        lot_id = partition(context)
        with _nothing_leaks():
            received = journey.receive(Site.open(site_directory()), lot_id)
        # A refused lot must not be announced as accepted: see Sweep.
        self.outlets = [accepted(self.feed_id)] if received.kept else []
        if received.kept:
            context["outlet_events"][accepted(self.feed_id)].add_partitions(list(received.kept))
        self.log.info(
            "Lot %s: %d rows accepted, %d rejected, %d deliveries refused.",
            lot_id,
            received.accepted_rows,
            received.rejected_rows,
            len(received.refused),
        )
        return _said(received.refused)


class Verdict(BaseOperator):
    """The run is red when the task before it had to refuse a delivery, and says which and why."""

    ui_color = "#e3f1dc"

    def execute(self, context: "Context") -> None:
        (task_id,) = self.upstream_task_ids
        refused: list[str] = context["ti"].xcom_pull(task_ids=task_id) or []
        for said in refused:
            self.log.error("Refused: %s", said)
        if refused:
            more = f" (and {len(refused) - 1} more, see above)" if refused[1:] else ""
            raise AirflowFailException(f"Refused: {refused[0]}{more}")
        self.log.info("Nothing was refused.")


def _said(refusals: "Iterable[Refusal]") -> list[str]:
    return [f"{refusal.landed_as} ({refusal.delivery[:16]}): {refusal.message}" for refusal in refusals]


class Release(BaseOperator):
    """The kept lot is released under the agreement: sealed, signed, published and in the ledger, once."""

    ui_color = "#f6eddb"

    def __init__(self, *, agreement_id: str, **kwargs: Any) -> None:
        super().__init__(outlets=[released(agreement_id)], **kwargs)
        self.agreement_id = agreement_id

    def execute(self, context: "Context") -> None:
        self.resume(context)

    def resume(self, context: "Context", event: object = None) -> None:
        """Also once the agreement's delay is over: what it asks is asked again."""
        from pipeline import journey

        kept = partition(context)
        until: datetime | None = None
        try:
            with _nothing_leaks():
                release = journey.release(Site.open(site_directory()), self.agreement_id, kept)
        except Postponed as waiting:
            self.log.info("%s", waiting.message)
            until = waiting.until
        if until:
            self.defer(trigger=DateTimeTrigger(moment=until), method_name="resume")
        context["outlet_events"][released(self.agreement_id)].extra = {"release": release.release}
        found = "was published before; it is found, not made again" if release.already else "is published"
        self.log.info(
            "Release %s for %s %s: %d rows in %d parts.",
            release.release,
            release.recipient,
            found,
            release.rows,
            release.parts,
        )


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


class Audit(BaseOperator):
    """Every object of the site is what was written; the report is kept. The run is red when anything is found."""

    ui_color = "#e8e1f2"

    def execute(self, context: "Context") -> dict[str, Any]:
        """How much was looked at, in counts."""
        from pipeline.core.audit_page import per_second
        from pipeline.edges.audit_keeping import audited

        with _nothing_leaks():
            report = audited(Site.open(site_directory()))
        self.log.info(
            "%d entries; %d of %d objects read (%s).",
            report.checkpoint.size,
            report.read_objects,
            report.objects,
            per_second(report),
        )
        for found in report.findings:
            self.log.error("Found [%s] %s: %s Next: %s", found.code, found.object, found.message, found.next_step)
        if report.findings:
            first = report.findings[0]
            raise AirflowFailException(f"{len(report.findings)} findings; the first: [{first.code}] {first.object}")
        return {"entries": report.checkpoint.size, "objects": report.objects, "full": report.full}


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

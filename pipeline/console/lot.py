"""`safeconduct run` and `replay`: the journey without Airflow, in the same steps."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import DEFECT_EXIT_CODE, AsJson, Call, counted, defect, short, worst
from pipeline.console.naming import the_lot, the_release
from pipeline.core.errors import Misconfigured, Postponed, Refused, SafeconductError

if TYPE_CHECKING:
    from pipeline.edges.site import Site

_LONGEST_WAIT_SECONDS = 30.0
_WATCH_SECONDS = 1.0

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the journey and how it ended: `outcome` is made, found, refused or failed."""

    step: str
    subject: str
    outcome: str
    rows: int | None = None
    rejected: int | None = None
    code: str | None = None
    message: str | None = None
    exit_code: int = 0


@dataclass(slots=True)
class Round:
    """Every step that was taken, in order."""

    note: Note
    steps: list[Step] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return worst(step.exit_code for step in self.steps)

    def add(self, step: Step) -> None:
        self.steps.append(step)
        counts = [
            f"{step.rows} rows" if step.rows is not None else "",
            f"{step.rejected} rejected" if step.rejected else "",
        ]
        said = ", ".join(part for part in counts if part)
        self.note(f"{step.step} {step.subject}: {step.outcome}{f' ({said})' if said else ''}{_why(step)}")

    def read(self, site: "Site") -> None:
        """A file of the catalogue that cannot be used is told of: whatever it speaks about is not done."""
        for broken in site.catalogue().broken:
            self.add(_failed("read", broken.where, broken.error()))

    def sweep(self, site: "Site") -> list[str]:
        """The lots to receive now. Files of no feed are refused on the way."""
        from pipeline import journey

        try:
            swept = journey.sweep(site)
        except Exception as error:  # noqa: BLE001  what has been claimed before can still be received
            self.add(_failed("sweep", "landing", error))
            return []
        for refusal in swept.refused:
            subject = f"{refusal.landed_as} ({short(refusal.delivery)})"
            self.add(Step("receive", subject, "refused", None, None, refusal.code, refusal.message, Refused.exit_code))
        for one in swept.returned:
            self.add(Step("take back", f"{one.what} by {one.partner} of {one.subject}", "made"))
        for odd in swept.odd:
            key, _, why = odd.partition(": ")
            self.add(Step("sweep", key, "failed", None, None, None, why, Misconfigured.exit_code))
        return [lot.id for lot in swept.lots]

    def receive(self, site: "Site", lot: str) -> tuple[str, ...]:
        """The records that the lot is kept as, received now or before."""
        from pipeline import journey

        before = len(site.vault.of_lot(lot))
        try:
            received = journey.receive(site, lot)
        except Exception as error:  # noqa: BLE001  other lots go on
            self.add(_failed("receive", lot, error))
            return ()
        if received.kept:
            outcome = "made" if len(received.kept) > before else "found"
            self.add(Step("receive", lot, outcome, received.accepted_rows, received.rejected_rows))
        for refusal in received.refused:
            subject = f"{refusal.landed_as} ({short(refusal.delivery)})"
            self.add(Step("receive", subject, "refused", None, None, refusal.code, refusal.message, Refused.exit_code))
        return received.kept

    def release(self, site: "Site", kept: str) -> None:
        """The record is released under every agreement of its feed, where that is allowed."""
        for agreement in site.catalogue().agreements_of(site.vault.kept(kept).feed):
            self.release_under(site, agreement.id, kept)

    def release_under(self, site: "Site", agreement: str, kept: str) -> None:
        """The record is released under one agreement, or the step says why not."""
        from pipeline import journey

        try:
            released = journey.release(site, agreement, kept)
        except Postponed as waiting:
            self.add(
                Step("release", f"{agreement} of {kept}", "waits", None, None, waiting.code.value, waiting.message)
            )
            return
        except Exception as error:  # noqa: BLE001  other recipients go on
            self.add(_failed("release", f"{agreement} of {kept}", error))
            return
        self.add(Step("release", released.release, "found" if released.already else "made", released.rows))


def run(
    context: typer.Context,
    *,
    watch: Annotated[
        bool, typer.Option("--watch/--once", help="Go on until Ctrl-C, or take what is there and end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Receive and release what has landed, without Airflow.

    Claims what landed, receives it, and releases it under every agreement of its feed. What is done already is found, not done again; whatever failed before is tried again. One lot that fails holds up no
    other. The exit code is that of the worst that happened: 1 a defect, then 5, 4, 6, 3; 0 when all is well.

    Examples:
      safeconduct run
      safeconduct run --watch
    """
    call = Call.of(context, as_json)
    site = call.site()
    round_ = Round(call.note)
    round_.read(site)
    _settle(site)
    take(site, round_, _unfinished(site))
    with suppress(KeyboardInterrupt):
        while watch:
            time.sleep(_WATCH_SECONDS)
            take(site, round_, ())
    _answer(call, round_)


def replay(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="DELIVERY|LOT|RELEASE", help="Or the beginning of its name.")],
    as_was: Annotated[
        bool,
        typer.Option("--as-was", help="Only make the RELEASE again as it was, and hold it against what was released."),
    ] = False,
    as_now: Annotated[
        bool, typer.Option("--as-now", help="Only say how the RELEASE would come out under today's agreement.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Try a delivery again, after a correction; or make a release again, to compare it.

    Its whole lot is received and released again, under every agreement. What is there already is found and left as it is: however often you replay, each release exists once.

    With --as-was the release is made again from the rows in the vault, under the texts, keys and instant of then, and must come out byte for byte: exit code 4 when something that it takes is gone (it says what), 5 when it comes out otherwise. With --as-now the same rows go through today's agreement: what differs is told in counts; exit code 3 when today's agreement permits no release. Neither publishes or writes anything, or shows a value.

    Examples:
      safeconduct replay 3f9c2a
      safeconduct replay pnr-push.5e1f
      safeconduct replay pnr-eu-piu.5e1f
      safeconduct replay pnr-eu-piu.5e1f --as-was
    """
    call = Call.of(context, as_json)
    site = call.site()
    if as_was and as_now:
        raise typer.BadParameter("--as-was or --as-now: one at a time.")
    if as_was or as_now:
        from pipeline.console import again

        published = the_release(site, name)
        if as_was:
            again.tell_as_was(call, again.as_was(site, published))
        else:
            again.tell_as_now(call, again.as_now(site, published))
        return
    round_ = Round(call.note)
    round_.read(site)
    for kept in round_.receive(site, the_lot(site, name)):
        round_.release(site, kept)
    _answer(call, round_)


def take(site: "Site", round_: Round, unfinished: "tuple[str, ...]") -> None:
    """Whatever landed and whatever was left unfinished is received and released."""
    lots = dict.fromkeys([*round_.sweep(site), *unfinished])
    for lot in lots:
        for kept in round_.receive(site, lot):
            round_.release(site, kept)


def _unfinished(site: "Site") -> tuple[str, ...]:
    """Lots that were handed out before and have no outcome yet, or lack a release that could be made now."""
    from pipeline.edges.overview import Outcome, overview

    return tuple(
        dict.fromkeys(
            one.lot
            for one in overview(site).deliveries
            if one.lot and (one.outcome is Outcome.WAITING or not one.settled)
        )
    )


def _settle(site: "Site") -> None:
    """Files that were landing when we came are whole, or have had their time."""
    deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
    while (seconds := max(_settling(site), default=0.0)) > 0 and time.monotonic() < deadline:
        time.sleep(min(seconds, 0.5))


def _settling(site: "Site") -> Iterator[float]:
    """For each file in landing, the seconds until a sweep will take it."""
    from pipeline.edges.opening import SIGNATURE_SUFFIX
    from pipeline.edges.returns import is_signed_return

    feeds, settings = site.catalogue().feeds, site.settings
    for folder, files in site.landing.waiting(site.catalogue().signed_feeds).items():
        for listed in files:
            signed = feeds[folder].signed if folder in feeds else is_signed_return(listed.key)
            wait = settings.settle_seconds if site.landing.store.url.startswith("file:") else 0.0
            if signed and not site.landing.store.exists(listed.key + SIGNATURE_SUFFIX):
                wait = max(wait, settings.signature_wait_seconds)
            age = site.now() - listed.changed_at
            if timedelta(0) <= age < timedelta(seconds=wait):
                yield wait - age.total_seconds()


def _answer(call: Call, round_: Round) -> None:
    """The summary, and the exit code."""
    if call.json:
        call.document({"steps": round_.steps, "exit_code": round_.exit_code})
    rows = [
        (
            step.step,
            step.subject,
            (step.outcome, _style(step)),
            _count(step.rows),
            _count(step.rejected),
            step.code or "",
        )
        for step in round_.steps
    ]
    if rows:
        call.table(("step", "what", "outcome", "rows", "rejected", "code"), rows)
    for step in round_.steps:
        if step.message:
            call.say(f"{step.subject}: {step.message}", style=_style(step))
    made, found, waits = (sum(step.outcome == one for step in round_.steps) for one in ("made", "found", "waits"))
    failed = len(round_.steps) - made - found - waits
    waiting = f"{waits} waiting, " if waits else ""
    call.say(
        f"{counted(made, 'step')} made, {found} found done already, {waiting}{failed} refused or failed."
        if rows
        else "Nothing to do: nothing new has landed."
    )
    if round_.exit_code:
        raise typer.Exit(round_.exit_code)


def _failed(step: str, subject: str, error: Exception) -> Step:
    if not isinstance(error, SafeconductError):
        return Step(step, subject, "failed", None, None, "defect", defect(error), DEFECT_EXIT_CODE)
    outcome = "refused" if isinstance(error, Refused) else "failed"
    return Step(step, subject, outcome, None, None, error.code.value, str(error), error.exit_code)


def _why(step: Step) -> str:
    return f" [{step.code}]" if step.code else ""


def _style(step: Step) -> str:
    return {"made": "green", "found": "dim", "waits": "yellow", "refused": "red", "failed": "red"}[step.outcome]


def _count(number: int | None) -> str:
    return "" if number is None else str(number)

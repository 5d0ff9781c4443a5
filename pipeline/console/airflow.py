"""`safeconduct up` and `down`: Airflow for this site, and the demonstration."""

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, console_of, counted, near, on_terminal, short, table
from pipeline.console.delivery import put_into_landing
from pipeline.console.release import age_command, place_of
from pipeline.console.site import DEMO, demo_identity, make_demo_partners, make_site
from pipeline.console.status import COLUMNS, STYLES, outcome, row_of, show, standing
from pipeline.core.errors import Code, Misconfigured, Unavailable

if TYPE_CHECKING:
    from pipeline.edges.overview import Traced
    from pipeline.edges.publication import Published
    from pipeline.edges.site import Site
    from pipeline.edges.supervision import Running

_LONGEST_IDLE_SECONDS = 120.0
"""A task that failed shows in the UI alone: to wait longer for it would help nobody."""

_POLL_SECONDS = 1.0
_RELEASES_TOLD = 8


@dataclass(frozen=True, slots=True)
class _Told:
    """A release and how its recipient opens it."""

    release: str
    recipient: str
    rows: int
    open: str
    age: str


def up(
    context: typer.Context,
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make a site with demo partners, and deliver the small samples.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of Airflow's UI, on 127.0.0.1.")] = 8080,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave Airflow running; `safeconduct down` ends it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run Airflow for this site, until Ctrl-C.

    Afterwards no process is left. With --demo: makes what is missing, delivers the samples that were not delivered yet, and follows them to their
    releases. A second start picks up where the first one was.

    Examples:
      safeconduct up --demo
      safeconduct up --port 8090
      safeconduct up --detach
    """
    from pipeline.edges.supervision import start, supervised

    call = Call.of(context, as_json)
    site = _demo_site(call) if demo else call.site()
    if detach:
        running = start(site.directory, port=port, progress=call.note, detached=True)
        _tell(call, site, running, demo=demo)
        call.say("Airflow goes on; `safeconduct down` ends it.")
        return
    try:
        with supervised(site.directory, port=port, progress=call.note) as running:
            _tell(call, site, running, demo=demo)
            call.note("Ctrl-C ends Airflow." if running.started_here else "Ctrl-C: it runs on, as it did before.")
            running.wait()
            call.note("Airflow was ended from elsewhere.")
    except KeyboardInterrupt:
        call.note("Ended." if running_left(site.directory) is None else "Airflow runs on, as it did before.")


def down(context: typer.Context, *, as_json: AsJson = False) -> None:
    """End this site's Airflow.

    Examples:
      safeconduct down
      safeconduct --site /srv/exchange down
    """
    from pipeline.edges.supervision import stop

    call = Call.of(context, as_json)
    was_running = stop(call.site_directory)
    if call.json:
        call.document({"was_running": was_running})
    call.say("Airflow is down: no process is left." if was_running else "Airflow was not running.")


def running_left(site_directory: Path) -> "Running | None":
    """The Airflow of the site that still runs."""
    from pipeline.edges.supervision import find

    return find(site_directory)


def deliver_samples(site: "Site", *, note: Callable[[str], None]) -> None:
    """Every sample of the demonstration has landed, now or in an earlier run."""
    from pipeline.edges.overview import overview

    feeds, known = site.catalogue().feeds, {one.landed_as for one in overview(site).deliveries}
    for file in _write_samples(site.directory / DEMO / "samples"):
        feed, name = file.parent.name, f"sample-{file.name}"
        if feed in feeds and f"{feed}/{name}" not in known:
            put_into_landing(site, feeds[feed], file, name)
            note(f"Delivered {feed}/{name}")


def follow(site: "Site", call: Call, *, longest_idle_seconds: float = _LONGEST_IDLE_SECONDS) -> bool:
    """Every delivery has come to its end, or nothing has changed for long; progress is shown meanwhile."""
    from pipeline.edges.overview import overview

    show_now = _live(call) if on_terminal() and not call.json else _lines(call)
    seen: tuple[Traced, ...] = ()
    changed_at = time.monotonic()
    try:
        while True:
            deliveries = overview(site).deliveries
            show_now(deliveries)
            if all(one.settled for one in deliveries):
                return True
            if deliveries != seen:
                seen, changed_at = deliveries, time.monotonic()
            elif time.monotonic() - changed_at > longest_idle_seconds:
                return False
            time.sleep(_POLL_SECONDS)
    finally:
        show_now(())


def _demo_site(call: Call) -> "Site":
    from pipeline.edges.supervision import PROJECT

    here = Path("catalogue")
    site = make_site(call.site_directory, here if here.is_dir() else PROJECT / "catalogue")
    make_demo_partners(site)
    call.note(f"The site is in {site.directory}.")
    return site


def _write_samples(folder: Path) -> list[Path]:
    """The samples of the demonstration, one folder for each feed. Their generator is beside the package, not in it."""
    from pipeline.edges.supervision import PROJECT

    if not (PROJECT / "samples").is_dir():
        raise Misconfigured(
            Code.NOT_FOUND,
            f"{PROJECT} has no samples: the demonstration needs a clone of the project.",
            next_step="run it from a clone (`make run`), or leave --demo out and deliver files of your own.",
        )
    command = [sys.executable, "-m", "samples", str(folder), "--size", "demo"]
    written = subprocess.run(command, cwd=PROJECT, stdout=subprocess.DEVNULL, timeout=120, check=False)  # noqa: S603
    if written.returncode:
        raise Unavailable(
            Code.STORAGE_UNAVAILABLE,
            f"the samples could not be written to {folder}.",
            next_step=f"free some disk space and start again; `{shlex.join(command)}` shows what is wrong.",
        )
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def _tell(call: Call, site: "Site", running: "Running", *, demo: bool) -> None:
    """The demonstration has run, and its summary was told."""
    from pipeline.edges.overview import overview

    if demo:
        call.note(_login(running), style="bold")
        deliver_samples(site, note=call.note)
        if not follow(site, call):
            call.warn("not everything has come to its end; the UI shows which task has failed or is at work.")
    seen = overview(site)
    # Deliveries of one lot share their releases.
    releases = list(dict.fromkeys(told for one in seen.deliveries for told in _releases(site, one)))
    if call.json:
        call.document(
            {
                "url": running.url,
                "user": running.user,
                "password": running.password,
                "deliveries": seen.deliveries,
                "releases": releases,
            }
        )
        return
    if demo:
        show(call, seen)
        _say_releases(call, releases)
        _say_next(call, site, seen.deliveries)
    call.say(_login(running), style="bold")


def _login(running: "Running") -> str:
    return f"Airflow's UI: {running.url}   user: {running.user}   password: {running.password}"


def _releases(site: "Site", one: "Traced") -> list[_Told]:
    """Each release of the delivery, with the commands that open it."""
    told = []
    for prospect in one.releases:
        published = site.publication.find(prospect.recipient, prospect.release) if prospect.rows is not None else None
        if published:
            identity = demo_identity(site, prospect.recipient) or Path("IDENTITY-FILE")
            asked = f"{command(site)} open {prospect.release} --identity {shlex.quote(str(near(identity)))}"
            rows = int(published.predicate["rows"]["released"])
            told.append(_Told(prospect.release, prospect.recipient, rows, asked, _age(site, published, identity)))
    return told


def _age(site: "Site", published: "Published", identity: Path) -> str:
    """How to open the release's first part with age alone; "" where it has none."""
    for part in published.predicate["parts"][:1]:
        ending = part["key"].split(".")[-2]
        return age_command(place_of(site, published, part["key"]), near(identity), f"part-1.{ending}")
    return ""


def _say_releases(call: Call, releases: Sequence[_Told]) -> None:
    if releases:
        call.say("Releases, and how their recipients open them", style="bold")
    for one in releases[:_RELEASES_TOLD]:
        call.say(f"  {one.release} to {one.recipient}, {counted(one.rows, 'row')}", style="green")
        call.say(f"    {one.open}")
        if one.age:
            call.say(f"    {one.age}")
    if len(releases) > _RELEASES_TOLD:
        call.say(f"  and {len(releases) - _RELEASES_TOLD} more: `safeconduct releases` lists them all")


def _say_next(call: Call, site: "Site", deliveries: "Sequence[Traced]") -> None:
    ours = command(site)
    refused = next((one for one in deliveries if one.code and one.delivery), None)
    released = next((release for one in deliveries for release in one.releases if release.rows is not None), None)
    undeclared = next((r for one in deliveries for r in one.releases if r.code == Code.PURPOSE_MISSING.value), None)
    call.say("What to try next", style="bold")
    samples = near(site.directory / DEMO / "samples")
    call.say(
        f"  deliver a file of your own making   {ours} deliver {samples}/aeo-members/good.csv --feed aeo-members --as new.csv"
    )
    if refused:
        call.say(f"  see why a delivery was refused      {ours} quarantine show {short(refused.delivery)}")
        call.say(f"  rerun it                            {ours} replay {short(refused.delivery)}")
    if undeclared:
        asked = f"{ours} declare {undeclared.agreement} {undeclared.release} --purpose PURPOSE --by NAME"
        call.say(f"  say what a release is for           {asked}")
    if released:
        call.say(f"  verify a release                    {ours} verify {released.release}")
        call.say(f"  what a recipient sees, and why      {ours} explain {released.agreement}")
    call.say()


def command(site: "Site") -> str:
    """How to call this program again for the site, from the current folder."""
    program = Path(sys.argv[0])
    found = shutil.which("safeconduct")
    name = "safeconduct" if found or not program.exists() else str(near(program))
    return (
        name if site.directory == Path("site").absolute() else f"{name} --site {shlex.quote(str(near(site.directory)))}"
    )


def _lines(call: Call) -> "Callable[[Sequence[Traced]], None]":
    """A line for each delivery whenever something has become of it."""
    told: dict[str, str] = {}

    def show_now(deliveries: "Sequence[Traced]") -> None:
        for one in reversed(deliveries):
            said = "; ".join([outcome(one), *(standing(release) for release in one.releases)])
            if told.get(one.landed_as) != said:
                told[one.landed_as] = said
                call.note(f"{one.landed_as}: {said}", style=STYLES[one.outcome.value])

    return show_now


def _live(call: Call) -> "Callable[[Sequence[Traced]], None]":
    """The table of deliveries, redrawn in place; gone after an empty sequence."""
    from rich.live import Live

    live = Live(console=console_of(sys.stderr), transient=True, auto_refresh=False)
    live.start()

    def show_now(deliveries: "Sequence[Traced]") -> None:
        if deliveries:
            live.update(table(COLUMNS, [row_of(one) for one in deliveries]), refresh=True)
        else:
            live.stop()

    return show_now

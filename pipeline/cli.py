"""The command `safeconduct`: what a person needs around the journey, and the journey itself without Airflow."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipeline.console.acknowledgement import acknowledge
from pipeline.console.agreement import explain
from pipeline.console.airflow import down, up
from pipeline.console.audit import audit
from pipeline.console.call import Call, Guarded, Taught
from pipeline.console.catalogue import check
from pipeline.console.clock import clock
from pipeline.console.declaration import declare
from pipeline.console.delivery import deliver
from pipeline.console.diff import diff
from pipeline.console.keys import keys
from pipeline.console.kit import kit
from pipeline.console.ledger import ledger
from pipeline.console.lot import replay, run
from pipeline.console.preview import preview
from pipeline.console.pushes import pushes
from pipeline.console.quarantine import quarantine
from pipeline.console.reconciliation import reconcile
from pipeline.console.register import register
from pipeline.console.release import open_, releases, verify
from pipeline.console.reversal import reverse
from pipeline.console.site import init
from pipeline.console.status import status
from pipeline.console.withdrawal import withdraw
from pipeline.console.witness import witness

GUIDE = """\
Safeconduct takes partners' deliveries, applies what each agreement permits, and publishes one sealed, signed release
for each recipient.

  safeconduct up --demo             the whole exchange on Airflow, with samples; until Ctrl-C

  safeconduct init --demo           a site with keys, storage and demo partners
  safeconduct check                 is the catalogue sound? with --feed: would this delivery be taken?
  safeconduct register              which texts and agreements do we exchange under?
  safeconduct explain AGREEMENT     what would its recipient see, and why?
  safeconduct preview AGREEMENT     what would its recipient get of a file?
  safeconduct diff OLD NEW          what would its recipient newly see, link or keep?
  safeconduct kit FEED              what does a partner need to send it right?
  safeconduct deliver FILE --feed FEED
  safeconduct run                   receive and release what has landed, without Airflow
  safeconduct declare AGREEMENT LOT what a release is for, where the agreement asks each time
  safeconduct status                what became of each delivery?
  safeconduct quarantine list       what could not be taken?
  safeconduct replay DELIVERY       try again, after a correction
  safeconduct reconcile FULL CHANGES
                                    do a partner's full lists and its changes agree?
  safeconduct pushes FEED           what was pushed of each flight, and what of it holds?
  safeconduct releases              what was released, to whom?
  safeconduct verify RELEASE        does it hold?
  safeconduct open RELEASE --identity FILE
  safeconduct acknowledge FOLDER    on the recipient's side: we have it, and it holds
  safeconduct withdraw RELEASE      it must no longer be used
  safeconduct reverse AGREEMENT     what stands behind a token, where the agreement lets it be asked?
  safeconduct ledger                what was done, in order
  safeconduct audit                 is everything still what was written?
  safeconduct clock                 after a clock was wrong: it is right now
  safeconduct keys                  which keys do we have, and which is next?
  safeconduct witness LEDGER        at a partner: did the ledger only grow?

`safeconduct COMMAND --help` explains each, with examples. `--json` answers machines. `--site DIR` before the command
chooses the site. Exit codes: 2 wrong usage, 3 refused, 4 to be corrected by us, 5 two truths where one must be,
6 something outside did not answer, 7 not before an instant, 1 a fault in Safeconduct."""

app = typer.Typer(
    cls=Guarded,
    add_completion=False,
    # A traceback with local variables would show what partners sent.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


@app.callback(invoke_without_command=True)
def guide(
    context: typer.Context,
    site: Annotated[
        Path, typer.Option(metavar="DIR", envvar="SAFECONDUCT_SITE", help="The site: its keys, storage and settings.")
    ] = Path("site"),
) -> None:
    """Exchange border and customs data under information-sharing agreements.

    `safeconduct` alone shows how to begin.

    Examples:
      safeconduct up --demo
      safeconduct --site /srv/exchange status --json
    """
    context.obj = Call(site.absolute())
    if context.invoked_subcommand is None:
        context.obj.say(GUIDE)


COMMANDS: dict[str, Callable[..., None]] = {
    "up": up,
    "down": down,
    "init": init,
    "check": check,
    "register": register,
    "explain": explain,
    "preview": preview,
    "diff": diff,
    "deliver": deliver,
    "declare": declare,
    "kit": kit,
    "run": run,
    "status": status,
    "replay": replay,
    "reconcile": reconcile,
    "pushes": pushes,
    "releases": releases,
    "open": open_,
    "acknowledge": acknowledge,
    "verify": verify,
    "withdraw": withdraw,
    "clock": clock,
    "ledger": ledger,
    "audit": audit,
    "witness": witness,
    "reverse": reverse,
}
for name, command in COMMANDS.items():
    app.command(name, cls=Taught)(command)
app.add_typer(quarantine, name="quarantine")
app.add_typer(keys, name="keys")


def main() -> None:
    """The program."""
    app()

"""The Airflow DAG `intake`: what landed is claimed and handed out to `receive.<feed>`, one lot a run."""

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable

from pipeline.orchestration.assets import landing
from pipeline.orchestration.families import SWEEP_CRON, TASK_DEFAULTS, catalogue
from pipeline.orchestration.tasks import Sweep, Verdict

DOC = """
### What it does
Lists landing, claims each new delivery once, groups a backlog into lots and hands every lot to its feed's `receive` DAG.
What recipients give back (`returns/`: acknowledgements, cosigned checkpoints) is taken in at once.
It runs when landing changes, and every five minutes in case an event was lost. A run with nothing to do is *skipped*.

### When `sweep` is red
Storage did not answer for long, or the site's settings are wrong: the log says which. Correct it. There is nothing to
rerun: the next sweep finds everything again.

### When `verdict` is red
A file landed where no feed is; it is in quarantine. Ask the partner to use its feed's folder, or add the feed.
Or what a recipient gave back does not hold: the code says why. *ledger-forked* and *ledger-went-back* mean that a witness saw
another ledger than ours: stop releasing, and find out.

### A lot that seems lost
A lot without an outcome is handed out again by itself, after 15 minutes, then 30, 60 and so on.
"""

with DAG(
    "intake",
    description="Claims what landed and hands it out",
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable(SWEEP_CRON, timezone="UTC"), assets=[landing()]),
    catchup=False,
    # Two sweeps at a time would only race for the same claims.
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=DOC,
    tags=["intake"],
):
    Sweep(task_id="sweep", feed_ids=tuple(catalogue().feeds)) >> Verdict(task_id="verdict")

"""The Airflow DAG `intake`: what landed is claimed and handed out to `receive.<feed>`, one lot a run."""

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable

from pipeline.orchestration import SWEEP_CRON, TASK_DEFAULTS, Sweep, catalogue, landing

DOC = """
### What it does
Lists landing, claims each new delivery once, groups a backlog into lots and hands every lot to its feed's `receive` DAG.
It runs when landing changes, and every five minutes in case an event was lost. A run with nothing to do is *skipped*.

### When it is red
Storage did not answer for long, or the site's settings are wrong: the log says which. Correct it. There is nothing to
rerun: the next sweep finds everything again.

### A lot that seems lost
A lot without an outcome is handed out again by itself, after 5 minutes, then 10, 20 and so on.
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
    Sweep(task_id="sweep", feed_ids=tuple(catalogue().feeds))

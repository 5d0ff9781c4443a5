"""The Airflow DAGs `due.<feed>`: a delivery that a feed's timetable expects has arrived by its deadline."""

from airflow.sdk import DAG, CronTriggerTimetable

from pipeline.orchestration.families import TASK_DEFAULTS, feeds
from pipeline.orchestration.tasks import Due

DOC = """
### {feed.title}: has it arrived?
`{feed.partner}` delivers by the timetable `{feed.expected.cron}` ({feed.expected.timezone}). Each run waits until
`{feed.expected.within}` after its time, and is red when nothing arrived by then.

### When it is red
Ask `{feed.partner}`. When the delivery has come after all, it is received and released by itself; **clear the run** here to
turn it green, or leave it red as the record of a late delivery.
"""

for dag_id, feed in feeds("due"):
    if feed.expected:
        with DAG(
            dag_id,
            description=f"{feed.title}: has it arrived?",
            schedule=CronTriggerTimetable(feed.expected.cron, timezone=feed.expected.timezone),
            catchup=False,
            default_args=TASK_DEFAULTS,
            doc_md=DOC.format(feed=feed),
            tags=["due", feed.id, feed.partner],
        ):
            Due(task_id="arrived_in_time", feed_id=feed.id, within=feed.expected.within)

"""The Airflow DAGs `receive.<feed>`: a lot is opened, parsed, validated and kept."""

from airflow.sdk import DAG

from pipeline.orchestration.assets import arrived, one_run_per_partition
from pipeline.orchestration.families import TASK_DEFAULTS, feeds
from pipeline.orchestration.tasks import Receive, Verdict

DOC = """
### {feed.title}
One run receives one lot from `{feed.partner}`: its deliveries are opened, parsed, validated against the schema
`{feed.schema_module}`, split into accepted and rejected rows, and kept. Each run's *partition key* is its lot.

### When `receive` is red
Something of ours is missing or did not answer; the log names it. Correct it, then **clear the run**: it goes on where it
stopped. Nothing is received twice.

### When `verdict` is red
A delivery was refused as a whole; code and position are in the log, the delivery is in quarantine, the partner has an
acknowledgement. The lot's other deliveries were kept and released. When the *partner* corrects the file, the new file is a
new delivery and a new run. When *we* correct the catalogue, **clear the run**: the delivery is judged again.
"""

for dag_id, feed in feeds("receive"):
    with DAG(
        dag_id,
        description=feed.title,
        schedule=one_run_per_partition(arrived(feed.id)),
        catchup=False,
        max_active_runs=4,
        default_args=TASK_DEFAULTS,
        doc_md=DOC.format(feed=feed),
        tags=["receive", feed.id, feed.partner],
    ):
        Receive(task_id="receive", feed_id=feed.id) >> Verdict(task_id="verdict")

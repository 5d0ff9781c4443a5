"""The Airflow DAGs `release.<agreement>`: a kept lot becomes one sealed, signed release for one recipient."""

from airflow.sdk import DAG

from pipeline.orchestration.assets import accepted, one_run_per_partition
from pipeline.orchestration.families import TASK_DEFAULTS, agreements
from pipeline.orchestration.tasks import Release

AT_ONCE = 4
WAITING_AT_ONCE = 1_000
"""Where an agreement has a delay its runs wait, and hold no worker: lots that come later must not wait for them as well."""

DOC = """
### {agreement.title}
One run releases one kept lot of `{feeds}` to `{agreement.recipient}`: what the agreement permits, sealed to the recipient's
keys, signed, published once and recorded in the ledger. Each run's *partition key* is the kept lot.

### When it is red
The code in the log says who acts: the agreement does not permit it now (privacy officer), a setting or key is missing
(engineer), or storage did not answer (operator). Correct it, then **clear the run**. A release that was published before is
found and not made again.
"""

for dag_id, agreement in agreements("release"):
    with DAG(
        dag_id,
        description=agreement.title,
        schedule=one_run_per_partition(*map(accepted, agreement.feeds)),
        catchup=False,
        max_active_runs=WAITING_AT_ONCE if agreement.handling.delay else AT_ONCE,
        default_args=TASK_DEFAULTS,
        doc_md=DOC.format(agreement=agreement, feeds="`, `".join(agreement.feeds)),
        tags=["release", agreement.id, agreement.recipient],
    ):
        Release(task_id="release", agreement_id=agreement.id, max_active_tis_per_dag=AT_ONCE)

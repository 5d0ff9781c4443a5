"""The Airflow DAG `audit`: each day, is everything still what was written, and is nothing added or missing?"""

from airflow.sdk import DAG, CronTriggerTimetable

from pipeline.orchestration.families import AUDIT_CRON, TASK_DEFAULTS
from pipeline.orchestration.tasks import Audit

DOC = """
### What it does
Verifies the ledger, every manifest, part, proof, notice and record of both stores, as `safeconduct audit` does, and keeps the
report in the private store (`audits/`), signed and named by the ledger. Sealed objects that have not changed since the last
audit are read again once a week, and whenever the audit before has found something.

### When it is red
Something is not as it must be: the log names each object with its code and what to do next. Stop releasing where an object was
altered, and compare with a backup. Run `safeconduct audit --full --report audit.html` for the whole report. When it is
corrected, trigger a new run; leave the red one as the record.
"""

with DAG(
    "audit",
    description="Is everything still what was written?",
    schedule=CronTriggerTimetable(AUDIT_CRON, timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=DOC,
    tags=["audit"],
):
    Audit(task_id="audit")

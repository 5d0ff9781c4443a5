"""The Airflow DAGs `invalid.<file>`: a file of the catalogue that cannot be used, shown where the operator looks."""

from datetime import UTC, datetime

from airflow.sdk import DAG

from pipeline.orchestration.families import TASK_DEFAULTS, broken_files, fault
from pipeline.orchestration.tasks import Invalid

DOC = """
### A file of the catalogue cannot be used
{faults}

What it describes does not run; everything else does. Correct the file (`safeconduct check` shows the same): this DAG goes
away by itself, and the DAG that it stands for comes back.
"""

for dag_id, broken in broken_files():
    with DAG(
        dag_id,
        description="A file of the catalogue cannot be used",
        # Once, by itself: an operator sees a red run, not only a name.
        schedule="@once",
        start_date=datetime(2020, 1, 1, tzinfo=UTC),
        catchup=False,
        default_args=TASK_DEFAULTS,
        doc_md=DOC.format(faults="\n".join(f"- `{fault(one)}`" for one in broken)),
        tags=["invalid"],
    ):
        Invalid(task_id="name_the_fault", stem=broken[0].path.stem)

"""Which DAGs are there? The families that the catalogue asks for, and what all their tasks have in common."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule, get_parsing_context

from pipeline.core.errors import Unavailable
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.feed import Feed
from pipeline.edges.catalogue import Broken, Catalogue, load
from pipeline.edges.site import catalogue_root, site_directory

SWEEP_CRON = "*/5 * * * *"
"""How often landing is swept without an event, in case one was lost."""

AUDIT_CRON = "30 3 * * *"
"""When the site is audited: at night, when little else reads its stores."""

ONLY_UNAVAILABLE_IS_RETRIED = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=Unavailable, action=RetryAction.RETRY, reason="something outside did not answer"),
        RetryRule(exception=Exception, action=RetryAction.FAIL, reason="a person must act first"),
    ]
)

TASK_DEFAULTS: dict[str, Any] = {
    "retries": 5,
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": ONLY_UNAVAILABLE_IS_RETRIED,
}


@cache
def catalogue() -> Catalogue:
    """The catalogue of this site, as this parse sees it."""
    return load(catalogue_root(site_directory()))


def wanted(dag_id: str) -> bool:
    """True for every DAG when a file is parsed; in a task, for its own DAG alone."""
    only = get_parsing_context().dag_id
    return only is None or only == dag_id


def feeds(family: str) -> Iterator[tuple[str, Feed]]:
    """The id of the DAG of this family, and its feed, for each feed that is wanted now."""
    for feed in catalogue().feeds.values():
        if wanted(dag_id := f"{family}.{feed.id}"):
            yield dag_id, feed


def agreements(family: str) -> Iterator[tuple[str, Agreement]]:
    """The id of the DAG of this family, and its agreement, for each agreement that is wanted now."""
    for agreement in catalogue().agreements.values():
        if wanted(dag_id := f"{family}.{agreement.id}"):
            yield dag_id, agreement


def broken_files() -> Iterator[tuple[str, tuple[Broken, ...]]]:
    """The id of the DAG that stands for a file that cannot be read, and what is wrong with it."""
    found: dict[str, list[Broken]] = {}
    for broken in catalogue().broken:
        found.setdefault(f"invalid.{re.sub(r'[^A-Za-z0-9_.-]', '_', broken.path.stem)}", []).append(broken)
    for dag_id, broken_with_that_name in found.items():
        if wanted(dag_id):
            yield dag_id, tuple(broken_with_that_name)


def fault(broken: Broken) -> str:
    """File, line and message, in one line."""
    return f"{broken.where}: {broken.message}"

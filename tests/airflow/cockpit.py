"""What an operator of a running Airflow can see and do, over its REST API."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from pipeline.edges.supervision import Running

Found = TypeVar("Found")
FINAL = {"success", "failed"}


@dataclass(frozen=True)
class Cockpit:
    """A signed-in session."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def sign_in(cls, running: Running) -> "Cockpit":
        body = {"username": running.user, "password": running.password}
        status, reply = call(f"{running.url}/auth/token", body=body)
        assert status == 201, status
        return cls(running.url, reply["access_token"])

    def get(self, path: str) -> Any:
        status, reply = call(self.url + path, token=self.token)
        assert status == 200, (status, path)
        return reply

    def post(self, path: str, body: dict[str, Any]) -> Any:
        status, reply = call(self.url + path, token=self.token, body=body)
        assert status in {200, 201}, (status, path, reply)
        return reply

    def dags(self) -> set[str]:
        return {dag["dag_id"] for dag in self.get("/api/v2/dags?limit=100")["dags"]}

    def runs(self, dag_id: str = "~") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(f"/api/v2/dags/{dag_id}/dagRuns?limit=100&offset={len(found)}&order_by=run_after")
            found += page["dag_runs"]
            if not page["dag_runs"] or len(found) >= page["total_entries"]:
                return found

    def tasks(self, run: dict[str, Any]) -> dict[str, str]:
        """The state of each task of a run."""
        found = self.get(f"{_path(run)}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in found}

    def log(self, run: dict[str, Any], task_id: str, *, attempt: int = 1) -> str:
        return json.dumps(self.get(f"{_path(run)}/taskInstances/{task_id}/logs/{attempt}"))

    def clear(self, run: dict[str, Any], *, only_failed: bool = False) -> None:
        """What the button *Clear* of the UI does."""
        body = {"dag_run_id": run["dag_run_id"], "dry_run": False, "only_failed": only_failed}
        self.post(f"/api/v2/dags/{run['dag_id']}/clearTaskInstances", body)

    def settled(self, dag_id: str, count: int, *, seconds: float = 120) -> list[dict[str, Any]]:
        """The runs of a DAG, once there are this many and all have ended."""

        def ended() -> list[dict[str, Any]] | None:
            runs = self.runs(dag_id)
            return runs if len(runs) >= count and all(run["state"] in FINAL for run in runs) else None

        return until(ended, seconds=seconds, what=f"{count} ended runs of {dag_id}")


def until(look: Callable[[], Found | None], *, seconds: float, what: str) -> Found:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")


def call(url: str, *, token: str | None = None, body: object = None, method: str | None = None) -> tuple[int, Any]:
    """Status and answer of one request."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with direct.open(urllib.request.Request(url, data, headers, method=method), timeout=60) as reply:
            content = reply.read()
            status = reply.status
    except urllib.error.HTTPError as error:
        content, status = error.read(), error.code
    try:
        return status, json.loads(content)
    except ValueError:
        return status, content.decode(errors="replace")


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer."""

    def redirect_request(self, *_: object) -> None:
        return None


def _path(run: dict[str, Any]) -> str:
    return f"/api/v2/dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'], safe='')}"

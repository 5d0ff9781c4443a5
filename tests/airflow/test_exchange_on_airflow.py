"""The exchange as an operator sees it: drops become releases, failures are red and can be rerun, nothing is lost or doubled."""

import csv
import io
import time
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline import cli
from pipeline.core.duration import after
from samples import aeo_members, pnr_push
from tests.airflow.cockpit import Cockpit, call, until
from tests.airflow.conftest import DELAY, DELAYED, FAMILIES
from tests.exchange import Exchange

pytestmark = pytest.mark.airflow

AGREEMENTS = ("aeo-mutual-recognition", "aeo-statistics")


def aeo(seed: int, *, operators: int = 40, bad_share: float = 0.0) -> bytes:
    out = io.BytesIO()
    aeo_members.write(out, operators=operators, seed=seed, bad_share=bad_share)
    return out.getvalue()


def pnr(seed: int) -> bytes:
    out = io.BytesIO()
    pnr_push.write(out, travellers=2, seed=seed)
    return out.getvalue()


def releases_of(exchange: Exchange, agreement: str) -> Counter[str]:
    """In how many releases under the agreement each delivery is."""
    return Counter(
        delivery["delivery"]
        for published in exchange.published(agreement)
        for delivery in published.predicate["made_of"]["deliveries"]
    )


def new_run(cockpit: Cockpit, dag_id: str, before: list[dict[str, Any]]) -> dict[str, Any]:
    """The one run that there was not before, once it has ended."""
    known = {run["dag_run_id"] for run in before}

    def ended() -> list[dict[str, Any]] | None:
        runs = [run for run in cockpit.runs(dag_id) if run["dag_run_id"] not in known]
        return runs if runs and all(run["state"] in {"success", "failed"} for run in runs) else None

    (run,) = until(ended, seconds=120, what=f"a new run of {dag_id}")
    return run


def again(cockpit: Cockpit, run: dict[str, Any]) -> dict[str, Any]:
    """The same run, cleared by the operator and ended once more."""
    cockpit.clear(run)

    def ended() -> dict[str, Any] | None:
        now = next(one for one in cockpit.runs(run["dag_id"]) if one["dag_run_id"] == run["dag_run_id"])
        return now if now["state"] in {"success", "failed"} and now["end_date"] != run["end_date"] else None

    return until(ended, seconds=120, what="the cleared run")


def test_the_catalogue_s_dags_are_there_without_an_import_error(cockpit: Cockpit) -> None:
    assert cockpit.dags() == FAMILIES
    assert cockpit.get("/api/v2/importErrors")["import_errors"] == []


def test_every_dag_tells_the_operator_what_it_is_and_what_to_do(cockpit: Cockpit) -> None:
    for dag_id in FAMILIES:
        details = cockpit.get(f"/api/v2/dags/{dag_id}/details")
        assert "red" in details["doc_md"], dag_id
        assert details["tags"], dag_id
        assert not details["is_paused"], dag_id
        assert not details["catchup"], dag_id


def test_a_dropped_file_is_released_to_each_recipient(exchange: Exchange, cockpit: Cockpit) -> None:
    before = cockpit.runs("receive.aeo-members")
    published = {agreement: len(exchange.published(agreement)) for agreement in AGREEMENTS}
    exchange.drop("aeo-members", aeo(1), "monday.csv")
    began = time.monotonic()
    until(
        lambda: all(len(exchange.published(agreement)) == count + 1 for agreement, count in published.items()),
        seconds=120,
        what="a release under each agreement",
    )
    print(f"released {time.monotonic() - began:.1f} s after the drop")
    run = new_run(cockpit, "receive.aeo-members", before)
    assert run["state"] == "success"
    assert "40 rows accepted, 0 rejected" in cockpit.log(run, "receive")


def test_the_asset_graph_shows_feed_agreement_and_release(exchange: Exchange, cockpit: Cockpit) -> None:
    assets = {asset["name"]: asset for asset in cockpit.get("/api/v2/assets?limit=100")["assets"]}
    arrived, accepted = assets["aeo-members: arrived"], assets["aeo-members: accepted"]
    assert [task["dag_id"] for task in arrived["producing_tasks"]] == ["intake"]
    assert [dag["dag_id"] for dag in arrived["scheduled_dags"]] == ["receive.aeo-members"]
    assert [task["dag_id"] for task in accepted["producing_tasks"]] == ["receive.aeo-members"]
    assert {dag["dag_id"] for dag in accepted["scheduled_dags"]} == {f"release.{agreement}" for agreement in AGREEMENTS}
    for agreement in AGREEMENTS:
        assert [task["dag_id"] for task in assets[f"{agreement}: released"]["producing_tasks"]] == [
            f"release.{agreement}"
        ]


def test_a_release_that_failed_is_rerun_from_the_ui_and_made_once(exchange: Exchange, cockpit: Cockpit) -> None:
    recipients = exchange.site.keyring.recipients_path("eu-customs")
    key = recipients.read_bytes()
    recipients.unlink()
    before, published = (
        cockpit.runs("release.aeo-mutual-recognition"),
        len(exchange.published("aeo-mutual-recognition")),
    )
    exchange.drop("aeo-members", aeo(2), "tuesday.csv")
    failed = new_run(cockpit, "release.aeo-mutual-recognition", before)
    assert failed["state"] == "failed"
    assert "partner-key-missing" in cockpit.log(failed, "release")
    assert len(exchange.published("aeo-mutual-recognition")) == published
    recipients.write_bytes(key)
    assert again(cockpit, failed)["state"] == "success"
    assert len(exchange.published("aeo-mutual-recognition")) == published + 1
    assert again(cockpit, failed)["state"] == "success"
    assert len(exchange.published("aeo-mutual-recognition")) == published + 1
    assert "found, not made again" in cockpit.log(failed, "release", attempt=3)


def test_a_refused_delivery_is_red_and_accepted_after_a_correction(exchange: Exchange, cockpit: Cockpit) -> None:
    before, released = cockpit.runs("receive.aeo-members"), releases_of(exchange, "aeo-statistics")
    exchange.drop("aeo-members", aeo(3, bad_share=0.5), "wednesday.csv")
    refused = new_run(cockpit, "receive.aeo-members", before)
    assert refused["state"] == "failed"
    assert cockpit.tasks(refused) == {"receive": "success", "verdict": "failed"}
    assert "too-many-rejected" in cockpit.log(refused, "verdict")
    assert releases_of(exchange, "aeo-statistics") == released
    exchange.edit("feeds/aeo-members.toml", "max_rejected_share = 0.05", "max_rejected_share = 0.95")
    try:
        assert again(cockpit, refused)["state"] == "success"
        until(
            lambda: sum(releases_of(exchange, "aeo-statistics").values()) == sum(released.values()) + 1,
            seconds=60,
            what="the release of the accepted delivery",
        )
    finally:
        exchange.edit("feeds/aeo-members.toml", "max_rejected_share = 0.95", "max_rejected_share = 0.05")


def test_a_file_that_landed_where_no_feed_is_makes_intake_red(exchange: Exchange, cockpit: Cockpit) -> None:
    exchange.site.landing.store.put_new("no-such-feed/stray.csv", b"a,b\n1,2\n")

    def red() -> dict[str, Any] | None:
        return next((run for run in cockpit.runs("intake") if run["state"] == "failed"), None)

    run = until(red, seconds=60, what="a red intake")
    log = cockpit.log(run, "verdict")
    assert "unknown-feed" in log
    assert "no-such-feed/stray.csv" in log


def test_a_missing_delivery_is_red_with_its_reason(cockpit: Cockpit) -> None:
    before = cockpit.runs("due.aeo-members")
    body = {"logical_date": "2026-01-05T03:00:00Z"}
    cockpit.post("/api/v2/dags/due.aeo-members/dagRuns", body)
    run = new_run(cockpit, "due.aeo-members", before)
    assert run["state"] == "failed"
    assert "nothing-arrived" in cockpit.log(run, "arrived_in_time")


def test_a_delayed_release_holds_no_worker_and_comes_when_its_time_is_over(
    exchange: Exchange, cockpit: Cockpit
) -> None:
    dag_id = f"release.{DELAYED}"
    before = {run["dag_run_id"] for run in cockpit.runs(dag_id)}
    written = CliRunner().invoke(cli.app, ["--site", str(exchange.site.directory), "register", "--csv"])
    exchange.drop("register", written.stdout_bytes, "register.csv")

    def deferred() -> dict[str, Any] | None:
        runs = [run for run in cockpit.runs(dag_id) if run["dag_run_id"] not in before]
        return next((run for run in runs if cockpit.tasks(run) == {"release": "deferred"}), None)

    assert cockpit.get(f"/api/v2/dags/{dag_id}/details")["max_active_runs"] >= 1_000, "waiting runs hold up no other"
    run = until(deferred, seconds=120, what="a release that waits")
    assert exchange.published(DELAYED) == []
    assert "releases these rows from" in cockpit.log(run, "release")
    (published,) = until(lambda: exchange.published(DELAYED), seconds=180, what="the release")
    kept = exchange.site.vault.kept(published.predicate["made_of"]["kept"])
    assert datetime.fromisoformat(published.predicate["created_at"]) >= after(kept.loaded_at, DELAY)
    (ended,) = cockpit.settled(dag_id, 1)
    assert ended["state"] == "success"
    log = cockpit.log(run, "release")
    assert "is published" in log
    assert "Traceback" not in log
    assert "outside of the Task Runner" not in log
    assert again(cockpit, ended)["state"] == "success"
    assert len(exchange.published(DELAYED)) == 1


def test_a_broken_file_is_named_and_hides_nothing_else(exchange: Exchange, cockpit: Cockpit) -> None:
    path = exchange.directory / "catalogue" / "agreements" / "aeo-statistics.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('to = "active"', 'to = "activ"'), encoding="utf-8")
    line = next(number for number, one in enumerate(path.read_text().splitlines(), 1) if one.startswith("status ="))
    try:
        until(lambda: "invalid.aeo-statistics" in cockpit.dags(), seconds=120, what="the DAG that names the file")
        (run,) = cockpit.settled("invalid.aeo-statistics", 1)
        assert run["state"] == "failed"
        assert f"aeo-statistics.toml:{line}" in cockpit.log(run, "name_the_fault")
        assert f"aeo-statistics.toml:{line}" in cockpit.get("/api/v2/dags/invalid.aeo-statistics/details")["doc_md"]
        assert cockpit.dags() >= FAMILIES - {"release.aeo-statistics"}
        assert cockpit.get("/api/v2/importErrors")["import_errors"] == []
    finally:
        path.write_text(text, encoding="utf-8")
    until(lambda: cockpit.dags() == FAMILIES, seconds=180, what="the DAG of the corrected file")


def test_a_burst_loses_none_and_doubles_none(exchange: Exchange, cockpit: Cockpit) -> None:
    agreements = ("pnr-eu-piu", "pnr-police-liaison")
    before = {agreement: releases_of(exchange, agreement) for agreement in agreements}
    runs = len(cockpit.runs("receive.pnr-push"))
    began = time.monotonic()
    for number in range(200):
        exchange.drop("pnr-push", pnr(1000 + number), f"burst-{number:03}.edi")
    dropped = time.monotonic()

    def all_released() -> bool:
        return all(sum((releases_of(exchange, one) - before[one]).values()) >= 200 for one in agreements)

    until(all_released, seconds=240, what="200 released deliveries under each agreement")
    print(f"200 files written in {dropped - began:.1f} s, all released {time.monotonic() - dropped:.1f} s later")
    for agreement in agreements:
        new = releases_of(exchange, agreement) - before[agreement]
        assert len(new) == 200
        assert set(new.values()) == {1}
    lots = len(cockpit.runs("receive.pnr-push")) - runs
    assert 200 / 25 <= lots < 50, "a backlog is taken in lots"


def test_no_value_of_a_delivery_is_in_anything_that_airflow_keeps(exchange: Exchange, cockpit: Cockpit) -> None:
    rows = csv.reader(io.StringIO((aeo(1) + aeo(2) + aeo(3, bad_share=0.5)).decode()))
    values = {cell.encode() for row in rows for cell in row if len(cell) >= 12 and not cell.islower()}
    assert len(values) > 100
    for path in sorted((exchange.directory / "site" / "airflow").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found = sum(value in content for value in values)
            assert not found, f"{found} values are in {path.name}"


@pytest.mark.parametrize(
    "path", ["/api/v2/dags", "/api/v2/dagSources/intake", "/api/v2/assets", "/ui/config", "/execution/"]
)
def test_nobody_sees_anything_before_signing_in(cockpit: Cockpit, path: str) -> None:
    assert call(cockpit.url + path)[0] in {401, 403, 404}


def test_nobody_reruns_anything_before_signing_in(cockpit: Cockpit) -> None:
    status, _ = call(f"{cockpit.url}/api/v2/dags/intake/dagRuns", body={"logical_date": None})
    assert status == 401


@pytest.mark.parametrize("password", ["admin", "", "airflow"])
def test_a_guessed_password_does_not_sign_in(cockpit: Cockpit, password: str) -> None:
    assert call(f"{cockpit.url}/auth/token", body={"username": "admin", "password": password})[0] in {400, 401}
    assert call(f"{cockpit.url}/auth/token", method="GET")[0] in {401, 403, 404, 405, 422}

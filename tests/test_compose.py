"""The production compose file: valid, without a default secret, healthy when it says so, closed to the network."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = Path(sys.executable).parent / "docker-compose"
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SETTINGS = re.findall(r"^([A-Z0-9_]+)=", (ROOT / "docker" / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
GIVEN = {
    name: f"/synthetic/{name.lower()}" if name.startswith("SAFECONDUCT") else f"value-of-{name}" for name in SETTINGS
}


def compose(*arguments: str, given: dict[str, str] = GIVEN, file: Path = ROOT / "docker-compose.yml") -> Any:
    return subprocess.run(
        [COMPOSE, "--file", file, "--env-file", os.devnull, "config", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    done = compose("--format", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return found


def test_the_file_is_valid() -> None:
    done = compose("-q")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_broken_file_is_not_valid(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(TEXT.replace("healthcheck:", "healthchek:", 1))
    assert compose("-q", file=broken).returncode != 0


@pytest.mark.parametrize("missing", SETTINGS)
def test_every_secret_and_place_must_be_given(missing: str) -> None:
    done = compose("-q", given={name: value for name, value in GIVEN.items() if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr


def test_an_empty_secret_is_none() -> None:
    assert compose("-q", given={**GIVEN, "POSTGRES_PASSWORD": ""}).returncode != 0


def test_no_secret_is_written_down(services: dict[str, dict[str, Any]]) -> None:
    secret = re.compile(r"PASSWORD|SECRET|FERNET|ACCESS_KEY|AUTH$|CONN$|BROKER|RESULT_BACKEND")
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            if secret.search(key):
                assert any(given in value for given in GIVEN.values()), f"{name} has a fixed {key}"


def test_the_example_gives_no_value_to_any_secret() -> None:
    lines = (ROOT / "docker" / ".env.example").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("#") or line.endswith("=") for line in lines)


def test_the_services_of_a_production_airflow_are_there(services: dict[str, dict[str, Any]]) -> None:
    airflow = {"migrate", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}
    assert set(services) == airflow | {"postgres", "valkey", "s3"}
    assert {services[name]["environment"]["AIRFLOW__CORE__EXECUTOR"] for name in airflow} == {"CeleryExecutor"}


def test_every_service_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        check = service.get("healthcheck", {})
        assert check.get("test"), name
        assert not check.get("disable"), name
        assert check["test"][1:] != ["true"], f"{name}: a check that cannot fail is none"


def test_only_loopback_ports_are_published(services: dict[str, dict[str, Any]]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_the_database_and_the_broker_reach_nothing_outside(services: dict[str, dict[str, Any]]) -> None:
    for name in ("postgres", "valkey"):
        assert set(services[name]["networks"]) == {"inside"}
        assert "ports" not in services[name]


def test_every_image_is_pinned_to_a_version(services: dict[str, dict[str, Any]]) -> None:
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    images = [service["image"] for service in services.values()] + re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?(-[a-z-]+)?(@sha256:[0-9a-f]{64})?$", image), image


def test_no_service_can_gain_rights(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name


def test_the_image_installs_from_the_lock_with_hashes_and_runs_as_nobody_in_particular() -> None:
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements-production.lock" in dockerfile
    assert re.search(r"^USER safeconduct$", dockerfile, re.MULTILINE)
    copied = [
        name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for name in line.split()
    ]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert all(f"!{name}" in ignored for name in copied)


def test_the_lock_holds_what_production_needs_with_hashes_and_no_host() -> None:
    lock = (ROOT / "requirements-production.lock").read_text(encoding="utf-8")
    for package in ("apache-airflow-providers-celery", "psycopg2-binary", "asyncpg", "redis"):
        assert re.search(rf"^{package}==\S+ ", lock, re.MULTILINE)
    assert "://" not in lock
    named = re.findall(r"^[a-zA-Z0-9].*==", lock, re.MULTILINE)
    assert len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", lock)) == len(named)

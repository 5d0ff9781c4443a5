"""What is true of our Airflow before it starts: its settings, its files, its port, its messages."""

import json
import os
import socket
import stat
from configparser import ConfigParser
from pathlib import Path

import pytest

from pipeline.core.errors import Code, Misconfigured, Unavailable
from pipeline.edges import airflow_home, supervision
from pipeline.edges.airflow_settings import AirflowKeys, airflow_settings, render, supervisor_settings


def settings(home: Path = Path("/site/airflow"), *, port: int = 8080) -> dict[str, dict[str, str]]:
    return airflow_settings(
        home, dags_folder=Path("/project/dags"), port=port, parallelism=4, keys=AirflowKeys.generate()
    )


def test_every_key_is_random_and_long() -> None:
    first, second = AirflowKeys.generate(), AirflowKeys.generate()
    for name in ("password", "fernet", "jwt", "api"):
        assert getattr(first, name) != getattr(second, name)
        assert len(getattr(first, name)) >= 24


def test_keys_do_not_show_themselves() -> None:
    keys = AirflowKeys.generate()
    assert keys.password not in f"{keys} {keys!r}"


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("api", "host", "127.0.0.1"),
        ("api", "expose_config", "False"),
        ("api", "enable_swagger_ui", "False"),
        ("core", "simple_auth_manager_all_admins", "False"),
        ("core", "load_examples", "False"),
        ("core", "test_connection", "Disabled"),
        ("core", "dag_run_conf_overrides_params", "False"),
        ("core", "parallelism", "4"),
        ("logging", "file_task_handler_new_file_permissions", "0o600"),
        ("logging", "file_task_handler_new_folder_permissions", "0o700"),
    ],
)
def test_an_unsafe_default_is_closed(section: str, key: str, value: str) -> None:
    assert settings()[section][key] == value


def test_a_sign_in_lasts_no_longer_than_a_shift() -> None:
    assert int(settings()["api_auth"]["jwt_expiration_time"]) <= 8 * 3600


def test_everything_airflow_writes_is_below_its_home() -> None:
    home = Path("/srv/a site/airflow")
    written = [
        value
        for values in settings(home).values()
        for key, value in values.items()
        if value.startswith("/") and key != "dags_folder"
    ]
    assert len(written) >= 5
    assert all(value.startswith(str(home)) for value in written)


def test_a_percent_sign_in_a_path_survives_the_file() -> None:
    read = ConfigParser()
    read.read_string(render(settings(Path("/srv/50%/airflow"))))
    assert read["core"]["plugins_folder"] == "/srv/50%/airflow/plugins"


def test_the_supervisor_has_no_control_port_and_restarts_what_dies() -> None:
    found = supervisor_settings(Path("/site/airflow"), Path("/lifeline.py"), "http://127.0.0.1:8080/health")
    assert not [name for name in found if "http_server" in name or "rpcinterface" in name]
    programs = {name: values for name, values in found.items() if name.startswith("program:")}
    assert set(programs) == {"program:api-server", "program:scheduler", "program:dag-processor", "program:triggerer"}
    for values in programs.values():
        assert values["autorestart"] == values["stopasgroup"] == values["killasgroup"] == "true"


def test_only_the_api_server_starts_before_the_api_answers_and_no_log_server_starts_at_all() -> None:
    found = supervisor_settings(Path("/site/airflow"), Path("/lifeline.py"), "http://127.0.0.1:8080/health")
    commands = {
        name.removeprefix("program:"): values["command"] for name, values in found.items() if "command" in values
    }
    assert {name for name, command in commands.items() if "--after http://127.0.0.1:8080/health" not in command} == {
        "api-server"
    }
    assert "--skip-serve-logs" in commands["scheduler"]
    assert "--skip-serve-logs" in commands["triggerer"]


def test_a_port_in_use_is_named_with_the_next_step(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured) as refusal:
            supervision.start(tmp_path, port=port, progress=lambda text: None)
    assert refusal.value.code is Code.PORT_IN_USE
    assert str(port) in refusal.value.message
    assert "--port" in refusal.value.next_step
    assert not supervision.is_running(tmp_path)


def test_a_full_disk_is_named_with_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_SMALLEST_FREE_BYTES", 10**18)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unavailable) as refusal:
        supervision.start(tmp_path, port=port, progress=lambda text: None)
    assert refusal.value.code is Code.STORAGE_FULL
    assert "Free some disk space" in refusal.value.next_step


def test_settings_are_for_their_owner_alone_and_keys_stay(tmp_path: Path) -> None:
    made = []
    for port in (8080, 8090):
        made.append(airflow_home.write_settings(tmp_path, dags_folder=Path("/dags"), port=port, parallelism=4))
    assert made[0] == made[1]
    assert json.loads((tmp_path / "passwords.json").read_text()) == {"admin": made[0].password}
    for path in tmp_path.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_the_environment_drops_what_would_change_airflow_or_switch_validation_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AIRFLOW__CORE__LOAD_EXAMPLES", "PANDERA_VALIDATION_ENABLED", "PYTHONPATH", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_PROFILE", "kept")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    environment = airflow_home.environment_of(tmp_path)
    assert "x" not in environment.values()
    assert environment["AWS_PROFILE"] == "kept"
    assert "127.0.0.1" in environment["no_proxy"]
    assert environment["SAFECONDUCT_SITE"] == str(tmp_path)


def test_a_site_without_an_airflow_is_not_running_and_stops_at_once(tmp_path: Path) -> None:
    assert not supervision.is_running(tmp_path)
    assert supervision.find(tmp_path) is None
    assert supervision.stop(tmp_path) is False


def test_a_running_airflow_does_not_show_its_password(tmp_path: Path) -> None:
    running = supervision.Running(tmp_path, "http://127.0.0.1:8080", "admin", "synthetic-secret", started_here=True)
    assert "synthetic-secret" not in f"{running} {running!r}"
    assert os.fspath(running.logs).endswith("airflow/supervised")

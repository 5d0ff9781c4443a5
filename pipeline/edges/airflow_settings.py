"""Which settings does our Airflow run with, and why do they differ from its own?

Airflow's defaults listen on every interface, know the password `admin`, keep their files readable for all, and react
within 5 to 10 seconds. Each line below closes one of these; what is not named keeps Airflow's default.
"""

import base64
import os
import secrets
import shlex
import sys
from configparser import ConfigParser
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

USER = "admin"
ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class AirflowKeys:
    """The secrets of one Airflow: made once for a site, never shown, except the password to who started it."""

    password: str
    fernet: str
    jwt: str
    api: str

    @classmethod
    def generate(cls) -> "AirflowKeys":
        return cls(
            password=secrets.token_urlsafe(18),
            fernet=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            jwt=secrets.token_urlsafe(48),
            api=secrets.token_urlsafe(48),
        )

    def __repr__(self) -> str:
        return "AirflowKeys(...)"


def airflow_settings(
    home: Path, *, dags_folder: Path, port: int, parallelism: int, keys: AirflowKeys
) -> dict[str, dict[str, str]]:
    """Section, key and value of each setting that is ours."""
    return {
        "core": _core(home, dags_folder, port, parallelism, keys),
        "database": {
            # Without a timeout "database is locked" ends components.
            "sql_alchemy_conn": f"sqlite:///{home / 'airflow.db'}?timeout=60",
        },
        "api": {
            "host": ADDRESS,
            "port": str(port),
            "base_url": url(port),
            "workers": "1",
            "secret_key": keys.api,
            "instance_name": "Safeconduct",
            "expose_config": "False",
            "expose_stacktrace": "False",
            # Its pages load scripts from a public network.
            "enable_swagger_ui": "False",
        },
        "api_auth": {
            "jwt_secret": keys.jwt,
            "jwt_issuer": "safeconduct",
            # A shift, not a day.
            "jwt_expiration_time": str(8 * 3600),
        },
        "logging": _logging(home),
        "scheduler": {
            # The gap between two links of the chain intake, receive, release: 1 s each by default.
            "scheduler_idle_sleep_time": "0.25",
            # A backlog of 200 deliveries starts in a few loops, not in 20.
            "max_dagruns_to_create_per_loop": "50",
            "max_dagruns_per_loop_to_schedule": "50",
            "orphaned_tasks_check_interval": "60",
            "catchup_by_default": "False",
        },
        "dag_processor": {
            # The default is a directory in /tmp that all users of the machine share.
            "dag_bundle_storage_path": str(home / "bundles"),
            # How long a change of the catalogue takes to reach the UI.
            "min_file_process_interval": "20",
            "refresh_interval": "60",
            # 50 s are reached on a busy machine.
            "dag_file_processor_timeout": "180",
            "print_stats_interval": "0",
        },
        "workers": {
            # 5 s are reached on a busy machine, and a task fails for it.
            "execution_api_timeout": "30",
        },
    }


def supervisor_settings(home: Path, lifeline: Path, health: str) -> dict[str, dict[str, str]]:
    """The four components: the API server first, the others when it answers; each restarted when it dies."""
    logs = home / "supervised"
    # Without the servers that show logs to other machines: they listen on every interface.
    components = {
        "api-server": ["api-server"],
        "scheduler": ["scheduler", "--skip-serve-logs"],
        "dag-processor": ["dag-processor"],
        "triggerer": ["triggerer", "--skip-serve-logs"],
    }
    programs: dict[str, dict[str, str]] = {}
    for name, arguments in components.items():
        after = [] if name == "api-server" else ["--after", health]
        command = [
            sys.executable,
            str(lifeline),
            "turn",
            name,
            *after,
            "--",
            sys.executable,
            "-m",
            "airflow",
            *arguments,
        ]
        programs[f"program:{name}"] = {
            "command": shlex.join(command),
            "autorestart": "true",
            "startsecs": "5",
            # Never give up: the pause between two tries grows by a second each time.
            "startretries": "1000",
            "stopasgroup": "true",
            "killasgroup": "true",
            "stopwaitsecs": "10",
            "redirect_stderr": "true",
            "stdout_logfile": str(logs / f"{name}.log"),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "1",
        }
    supervisord = {
        "nodaemon": "true",
        "silent": "true",
        "umask": "077",
        "directory": str(home),
        "logfile": str(logs / "supervisord.log"),
        "logfile_maxbytes": "5MB",
        "logfile_backups": "1",
        "pidfile": str(logs / "supervisord.pid"),
        "nocleanup": "true",
        "minprocs": "50",
        **({"user": "root"} if os.geteuid() == 0 else {}),
    }
    # One group stops at once, and before the API server, which its last tasks still need.
    others = {"programs": "scheduler,dag-processor,triggerer", "priority": "900"}
    programs["program:api-server"]["priority"] = "100"
    return {"supervisord": supervisord, **programs, "group:behind-the-api": others}


def url(port: int) -> str:
    return f"http://{ADDRESS}:{port}"


def render(settings: dict[str, dict[str, str]]) -> str:
    """The text of an `airflow.cfg`."""
    parser = ConfigParser(interpolation=None)
    for section, values in settings.items():
        parser[section] = {key: value.replace("%", "%%") for key, value in values.items()}
    text = StringIO()
    parser.write(text)
    return text.getvalue()


def _core(home: Path, dags_folder: Path, port: int, parallelism: int, keys: AirflowKeys) -> dict[str, str]:
    return {
        "dags_folder": str(dags_folder),
        "plugins_folder": str(home / "plugins"),
        "executor": "LocalExecutor",
        # LocalExecutor forks this many workers at once; its default of 32 takes a gigabyte.
        "parallelism": str(parallelism),
        "load_examples": "False",
        # A paused DAG drops its events.
        "dags_are_paused_at_creation": "False",
        "simple_auth_manager_users": f"{USER}:admin",
        # With all_admins an approval is recorded as "Anonymous".
        "simple_auth_manager_all_admins": "False",
        "simple_auth_manager_passwords_file": str(home / "passwords.json"),
        "fernet_key": keys.fernet,
        "execution_api_server_url": f"{url(port)}/execution/",
        # The default asks the network for our own name.
        "hostname_callable": "socket.gethostname",
        # 30 s are reached on a busy machine.
        "dagbag_import_timeout": "120",
        "dag_run_conf_overrides_params": "False",
        "test_connection": "Disabled",
        "min_serialized_dag_update_interval": "5",
    }


def _logging(home: Path) -> dict[str, str]:
    return {
        "base_log_folder": str(home / "logs"),
        "dag_processor_child_process_log_directory": str(home / "logs" / "dag_processor"),
        "file_task_handler_new_folder_permissions": "0o700",
        "file_task_handler_new_file_permissions": "0o600",
        "uvicorn_logging_level": "WARNING",
        "colored_console_log": "False",
    }

"""A real OpenBao for tests: its dev server with TLS on loopback, on a free port, with a KV store of version 2 at `secret`."""

import ctypes
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.edges.openbao import OpenBao
from tests.seaweed import free_ports

ROOT_TOKEN = "synthetic-root-token-0453"
READY_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """Where it listens, and the certificate of the authority that it made for itself."""

    address: str
    ca_file: Path

    def safe(self, path: str, token: str = ROOT_TOKEN) -> OpenBao:
        return OpenBao(self.address, "secret", path, token, self.ca_file)

    def ask(self, method: str, path: str, body: object = None, token: str = ROOT_TOKEN) -> Any:
        """The answer's JSON, asked without any code of ours."""
        context = ssl.create_default_context(cafile=self.ca_file)
        connection = http.client.HTTPSConnection(self.address.removeprefix("https://"), timeout=10, context=context)
        try:
            connection.request(method, f"/v1/{path}", json.dumps(body) if body else None, {"X-Vault-Token": token})
            content = connection.getresponse().read()
        finally:
            connection.close()
        return json.loads(content) if content else None

    def token(self, policy: str) -> str:
        """A token that may do what the policy says."""
        self.ask("PUT", "sys/policies/acl/test", {"policy": policy})
        made = self.ask("POST", "auth/token/create", {"policies": ["test"], "ttl": "10m"})
        return str(made["auth"]["client_token"])


@contextmanager
def openbao() -> Iterator[Server]:
    """A server runs and knows `ROOT_TOKEN`. It ends at exit, and all that it held with it."""
    with tempfile.TemporaryDirectory(prefix="bao-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        (port,) = free_ports(1)
        options = [
            "-dev-tls",
            f"-dev-tls-cert-dir={home}",
            f"-dev-listen-address=127.0.0.1:{port}",
            f"-dev-root-token-id={ROOT_TOKEN}",
            "-dev-no-store-token",
        ]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [Path(sys.executable).with_name("bao"), "server", "-dev", *options],
                cwd=home,
                env={**os.environ, "HOME": name, "BAO_TOKEN": "", "VAULT_TOKEN": ""},
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_end_with_parent,  # a killed test run must not leave a server behind
            )
        try:
            yield _ready(server, home, port)
        finally:
            server.kill()
            server.wait(timeout=10)


def _ready(server: subprocess.Popen[bytes], home: Path, port: int) -> Server:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            (ca_file,) = home.glob("*ca.pem")
            found = Server(f"https://127.0.0.1:{port}", ca_file)
            if found.ask("GET", "sys/health")["sealed"] is False and found.ask("GET", "secret/config")["data"]:
                return found
        except (OSError, ValueError, KeyError, TypeError) as error:
            if server.poll() is not None or time.monotonic() > deadline:
                told = (home / "log").read_text()[-2000:]
                raise RuntimeError(f"OpenBao is not ready: {type(error).__name__}\n{told}") from None
        time.sleep(0.1)


def _end_with_parent() -> None:
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)

"""A real S3 server for tests: SeaweedFS on loopback, on free ports, without telemetry."""

import ctypes
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.edges.storage import S3Settings

BUCKET = "safeconduct"
SECRET = "synthetic-secret-0451"
READER_SECRET = "synthetic-secret-0452"
READY_SECONDS = 60
_PORTS = ("master", "filer", "volume", "s3", "admin")


@contextmanager
def seaweed() -> Iterator[S3Settings]:
    """A server runs, holds an empty bucket `BUCKET` and knows a writer (the settings) and a `reader`. It ends at exit."""
    with tempfile.TemporaryDirectory(prefix="seaweed-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        server, settings = _started(home)
        try:
            _wait_until_ready(server, settings, home / "log")
            yield settings
        finally:
            server.kill()  # its files are thrown away: no need to let it tidy them
            server.wait(timeout=10)


def reader(settings: S3Settings) -> S3Settings:
    """The settings of an identity of the same server that may read and list, and not write."""
    return S3Settings(settings.endpoint_url, settings.region, "synthetic-reader", READER_SECRET)


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nothing listened on a moment ago."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]


def _started(home: Path) -> tuple[subprocess.Popen[bytes], S3Settings]:
    identities = [
        {"name": name, "credentials": [{"accessKey": f"synthetic-{name}", "secretKey": secret}], "actions": actions}
        for name, secret, actions in [
            ("writer", SECRET, ["Admin", "Read", "List", "Write"]),
            ("reader", READER_SECRET, ["Read", "List"]),
        ]
    ]
    (home / "s3.json").write_text(json.dumps({"identities": identities}))
    (home / "files").mkdir()
    ports = free_ports(2 * len(_PORTS))
    names = [f"{part}.port{kind}" for part in _PORTS for kind in ("", ".grpc")]
    options = {
        "dir": home / "files",
        "bucket": BUCKET,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 64,
        "admin.ui": "false",
        "webdav": "false",
        "s3.config": home / "s3.json",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": home / "s3.sock",
        "filer.localSocket": home / "filer.sock",
        **dict(zip(names, ports, strict=True)),
    }
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [Path(sys.executable).with_name("weed"), "mini", *(f"-{name}={value}" for name, value in options.items())],
            cwd=home,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_parent,  # a killed test run must not leave a server behind
        )
    port = ports[names.index("s3.port")]
    return server, S3Settings(f"http://127.0.0.1:{port}", "us-east-1", "synthetic-writer", SECRET)


def _end_with_parent() -> None:
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _wait_until_ready(server: subprocess.Popen[bytes], settings: S3Settings, log: Path) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"")
        except (BotoCoreError, ClientError) as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"SeaweedFS is not ready: {error}\n{log.read_text()[-2000:]}") from None
            time.sleep(0.1)
        else:
            return

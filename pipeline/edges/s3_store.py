"""Objects on an S3 server: for a site that has outgrown one machine.

`put_new` is a PutObject with `If-None-Match: *`. Its 412 is ambiguous: a lost reply and boto3's own retry make the second
try meet the first one's object. So a 412 is read back and compared. Reads and writes carry checksums (CRC by
default in boto3), verified by the server and by boto3.
"""

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
    SSLError,
)
from botocore.exceptions import ConnectionError as NoConnection

from pipeline.core.errors import Code, Misconfigured, SafeconductError, Unavailable
from pipeline.edges.storage import (
    BLOCK_BYTES,
    Listed,
    S3Settings,
    already_there,
    below,
    checked,
    cut_short,
    folder,
    is_key,
    key_of,
    missing,
    name_of,
    same_bytes,
    unspeakable,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

CONNECT_SECONDS = 5
READ_SECONDS = 60
ATTEMPTS = 3
"""How often boto3 tries one request. More patience is the orchestrator's: it retries the whole step."""

CONTENDED_ATTEMPTS = 8
"""How often a write that met another write in flight (409), or a winner not yet readable, looks again."""

FIRST_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class S3Store:
    """The objects of `bucket` whose names begin with `prefix`. Views of one store share one client, safe in threads."""

    bucket: str
    prefix: str
    endpoint: str
    _client: "S3Client" = field(repr=False)

    @classmethod
    def at(cls, bucket: str, prefix: str, settings: S3Settings) -> "S3Store":
        """The store below `prefix`; nothing is asked of the server yet."""
        try:
            address = urlsplit(settings.endpoint_url or "")
            endpoint = f"{address.hostname}:{address.port}" if address.hostname else f"AWS {settings.region}"
            return cls(bucket, checked(prefix) if prefix else "", endpoint, _client(settings))
        except (BotoCoreError, ValueError) as error:
            raise _wrong(f"s3://{bucket}", f"boto3 refuses ({type(error).__name__})", "endpoint and region") from None

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    def within(self, prefix: str) -> "S3Store":
        return S3Store(self.bucket, folder(self.prefix, prefix), self.endpoint, self._client)

    def put_new(self, key: str, content: bytes) -> None:
        name = self._name(key)
        for attempt in range(CONTENDED_ATTEMPTS):
            time.sleep(FIRST_PAUSE_SECONDS * (2**attempt - 1))
            with self._told(key):
                try:
                    self._client.put_object(Bucket=self.bucket, Key=name, Body=content, IfNoneMatch="*")
                except ClientError as error:
                    if _status(error) not in (409, 412):
                        raise
                else:
                    return
                body = self._body(name)
                if body is not None and not same_bytes(_read(body, BLOCK_BYTES), content):
                    raise already_there(self.url, key)
                if body is not None:
                    return
        raise Unavailable(
            Code.STORAGE_UNAVAILABLE,
            f"{self.url}/{key} is being written by others again and again.",
            next_step="Run again; if it stays so, look for a writer that crashes and restarts.",
        )

    def find(self, key: str) -> bytes | None:
        name = self._name(key)
        with self._told(key):
            body = self._body(name)
            return None if body is None else b"".join(_read(body, BLOCK_BYTES))

    def blocks(self, key: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        name = self._name(key)
        with self._told(key):
            body = self._body(name)
            if body is None:
                raise missing(self.url, key)
            yield from _read(body, block_bytes)

    def exists(self, key: str) -> bool:
        name = self._name(key)
        with self._told(key):
            try:
                self._client.head_object(Bucket=self.bucket, Key=name)
            except ClientError as error:
                if _status(error) == 404:
                    return False
                raise
        return True

    def listing(self, prefix: str = "") -> Iterator[Listed]:
        # Sorted here: SeaweedFS lists folder by folder, AWS by the bytes of whole names.
        return iter(sorted(self._listed(prefix), key=lambda listed: listed.key))

    def destroy(self, key: str) -> None:
        name = self._name(key)
        with self._told(key):
            self._client.delete_object(Bucket=self.bucket, Key=name)

    def _name(self, key: str) -> str:
        return _utf8(below(self.prefix, key))

    def _listed(self, prefix: str) -> Iterator[Listed]:
        start = folder(self.prefix, prefix)
        seen_from = f"{self.prefix}/" if self.prefix else ""
        with self._told(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=_utf8(start) + "/" if start else ""
            )
            for page in pages:
                for found in page.get("Contents", []):
                    key = key_of(found["Key"].encode())
                    if is_key(key):
                        changed_at = found["LastModified"].astimezone(UTC)
                        yield Listed(key.removeprefix(seen_from), found["Size"], changed_at)

    def _body(self, name: str) -> Any:
        """The open body of an object, or None where there is none."""
        try:
            return self._client.get_object(Bucket=self.bucket, Key=name)["Body"]
        except self._client.exceptions.NoSuchKey:
            return None

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """No exception of boto3 leaves: each becomes the error that says who acts."""
        where = f"{self.url}/{key}".rstrip("/")
        try:
            yield
        except ClientError as error:
            raise _answered(error, where) from None
        except (FlexibleChecksumError, IncompleteReadError, ResponseStreamingError):
            raise cut_short(self.url, key) from None
        except SSLError:
            raise _wrong(where, "the server's certificate is not trusted", "endpoint and certificates") from None
        except (HTTPClientError, NoConnection) as error:
            raise Unavailable(
                Code.STORAGE_UNAVAILABLE,
                f"{where}: {self.endpoint} did not answer ({type(error).__name__}).",
                next_step="Check that the server runs and can be reached from here; the step is tried again.",
            ) from None
        except BotoCoreError as error:
            raise _wrong(where, f"boto3 can't ask ({type(error).__name__})", "region and credentials") from None


def _client(settings: S3Settings) -> "S3Client":
    return boto3.session.Session().client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=16,
            # Virtual-hosted names need DNS that a server of one's own does not have.
            s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        ),
    )


def _utf8(key: str) -> str:
    """The name on the server. Names there are text: a key from a local file whose name is not UTF-8 has none."""
    try:
        return name_of(key).decode()
    except UnicodeDecodeError:
        raise unspeakable(key) from None


def _read(body: Any, block_bytes: int) -> Iterator[bytes]:
    """The body's bytes; boto3 compares their number and checksum at the end."""
    with closing(body):
        while block := body.read(block_bytes):
            yield block


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _answered(error: ClientError, where: str) -> SafeconductError:
    """The error that says who acts on the server's answer. Of its text only the code is kept: the rest can name keys."""
    status = _status(error)
    code = error.response.get("Error", {}).get("Code", "")
    said = f"{status} {code}" if re.fullmatch(r"[A-Za-z]{1,60}", code) else f"{status}"
    if status == 507:
        next_step = "Free space on the server or raise the quota, then run again."
        return Unavailable(Code.STORAGE_FULL, f"{where}: the server has no room ({said}).", next_step=next_step)
    if (status >= 500 and status != 501) or status in (408, 429) or code == "RequestTimeout":
        next_step = "Look at the server's health; the step is tried again."
        return Unavailable(Code.STORAGE_UNAVAILABLE, f"{where}: the server failed ({said}).", next_step=next_step)
    if status in (401, 403):
        return Misconfigured(
            Code.STORE_FORBIDDEN,
            f"{where}: the server refused us ({said}).",
            next_step="Check the access key, its secret, the clock, and the role's rights (get, put and list).",
        )
    if status == 501:
        next_step = "Use an S3 server that honours If-None-Match on PutObject."
        return Misconfigured(
            Code.STORE_UNSAFE, f"{where}: the server lacks what we need ({said}).", next_step=next_step
        )
    return _wrong(where, f"the server did not accept the request ({said})", "bucket, endpoint and region")


def _wrong(where: str, what: str, settings: str) -> Misconfigured:
    return Misconfigured(
        Code.SITE_INVALID, f"{where}: {what}.", next_step=f"Correct {settings} in the site's settings."
    )

"""Servers that many tests share, each started once a session and only when a test asks."""

from collections.abc import Iterator

import pytest

from pipeline.edges.storage import S3Settings
from tests.seaweed import BUCKET, seaweed


@pytest.fixture(scope="session")
def s3_settings() -> Iterator[S3Settings]:
    """A real S3 server runs until the session ends. Tests that ask for it are marked `server`."""
    with seaweed() as settings:
        yield settings


@pytest.fixture(scope="session")
def s3_url(s3_settings: S3Settings) -> str:
    """The bucket of that server. Tests share it: work below a prefix of your own."""
    assert s3_settings.endpoint_url
    return f"s3://{BUCKET}"

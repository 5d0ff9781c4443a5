"""What many tests share, each made once a session and only when a test asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.edges.storage import S3Settings
from tests.desk import Desk, desk_in, exchanged_in
from tests.seaweed import BUCKET, seaweed
from tests.stories import Story


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The one long test comes first, so that no core waits for it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("crash") is None)


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A story that nobody goes on with: for copies."""
    return Story.begun(tmp_path_factory.mktemp("story"))


@pytest.fixture
def story(begun: Story, tmp_path: Path) -> Story:
    """An exchange with one small agreement, whose rows are kept and not released."""
    return begun.copied(tmp_path)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that nobody sits at: for copies."""
    return desk_in(tmp_path_factory.mktemp("desk"))


@pytest.fixture
def desk(made: Desk, tmp_path: Path) -> Desk:
    """A new site with demo partners; nothing was delivered."""
    return made.copied(tmp_path)


@pytest.fixture(scope="session")
def exchanged(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A site after a run with good, partly bad and refused deliveries. For tests that only look."""
    return exchanged_in(tmp_path_factory.mktemp("exchanged"))


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

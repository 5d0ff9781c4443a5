"""One real Airflow on a real site, shared by the tests that only use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.edges.supervision import Running, start, stop
from tests.airflow.cockpit import Cockpit, until
from tests.exchange import Exchange
from tests.seaweed import free_ports

FAMILIES = {
    "intake",
    "receive.pnr-push",
    "receive.aeo-members",
    "release.pnr-eu-piu",
    "release.pnr-police-liaison",
    "release.aeo-mutual-recognition",
    "release.aeo-statistics",
    "due.aeo-members",
}


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    return Exchange(tmp_path_factory.mktemp("exchange"))


@pytest.fixture(scope="session")
def running(exchange: Exchange) -> Iterator[Running]:
    site_directory = exchange.directory / "site"
    (port,) = free_ports(1)
    try:
        yield start(site_directory, port=port, progress=lambda text: None)
    finally:
        stop(site_directory)


@pytest.fixture(scope="session")
def cockpit(running: Running) -> Cockpit:
    """A session that starts when every DAG is there."""
    session = Cockpit.sign_in(running)
    until(lambda: session.dags() >= FAMILIES, seconds=120, what="all the DAGs of the catalogue")
    return session


@pytest.fixture
def site_directory(tmp_path: Path) -> Iterator[Path]:
    """A directory for an Airflow of the test's own, which is ended after it whatever happened."""
    yield tmp_path
    stop(tmp_path)

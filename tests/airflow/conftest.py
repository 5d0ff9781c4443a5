"""One real Airflow on a real site, shared by the tests that only use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.edges.supervision import Running, start, stop
from tests.airflow.cockpit import Cockpit, until
from tests.exchange import FEW, Exchange
from tests.seaweed import free_ports

LARGE = ("us-eu-pnr", "us-eu-pnr-border")
"""Agreements that these tests leave out: what a burst of passenger name records shows is shown with half of the releases."""

DELAYED = "register-public"
DELAY = "PT1M"
"""It waits so long after a list of the register was kept."""


FAMILIES = {
    "intake",
    "audit",
    "receive.pnr-push",
    "receive.aeo-members",
    "receive.register",
    "release.pnr-eu-piu",
    "release.pnr-police-liaison",
    "release.aeo-mutual-recognition",
    "release.aeo-statistics",
    "release.register-public",
    "due.aeo-members",
}


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    exchange = Exchange(tmp_path_factory.mktemp("exchange"), feeds=FEW)
    for agreement in LARGE:
        (exchange.directory / "catalogue" / "agreements" / f"{agreement}.toml").unlink()
    said = f'[handling]\ndelay = {{ clock = "loaded", wait = "{DELAY}", clause = "publication" }}\n'
    exchange.edit(f"agreements/{DELAYED}.toml", "[handling]\n", said)
    return exchange


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

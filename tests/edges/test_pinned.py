"""The texts that decided a release are kept as they were."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.core.errors import Code, Conflict, Misconfigured
from pipeline.edges.catalogue import load
from pipeline.edges.pinned import Pinned
from pipeline.edges.storage import open_store

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def pinned(tmp_path: Path) -> Pinned:
    return Pinned(open_store(tmp_path.as_uri()))


def test_every_agreement_is_understood_from_its_pinned_texts_alone(pinned: Pinned) -> None:
    catalogue = load(ROOT / "catalogue", NOON)
    for agreement in catalogue.agreements.values():
        again = pinned.catalogue(pinned.pin(catalogue, agreement), NOON)
        assert again.broken == ()
        assert again.agreement(agreement.id) == agreement
        assert again.digest(agreement) == catalogue.digest(agreement)
        assert again.feed(agreement.feed) == catalogue.feed(agreement.feed)


def test_the_same_texts_are_kept_once_and_others_beside_them(pinned: Pinned) -> None:
    catalogue = load(ROOT / "catalogue", NOON)
    one, other = list(catalogue.agreements.values())[:2]
    assert pinned.pin(catalogue, one) == pinned.pin(catalogue, one) != pinned.pin(catalogue, other)
    assert len(list(pinned.store.listing("policies"))) == 2


def test_texts_that_are_gone_or_altered_are_told_from_each_other(pinned: Pinned, tmp_path: Path) -> None:
    catalogue = load(ROOT / "catalogue", NOON)
    digest = pinned.pin(catalogue, catalogue.agreement("pnr-eu-piu"))
    with pytest.raises(Misconfigured) as gone:
        pinned.catalogue("0" * 64, NOON)
    assert gone.value.code is Code.NOT_FOUND
    path = tmp_path / "policies" / f"{digest}.json"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"treatment", b"Treatment", 1))
    with pytest.raises(Conflict) as altered:
        pinned.catalogue(digest, NOON)
    assert altered.value.code is Code.OBJECT_ALTERED

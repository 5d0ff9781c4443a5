"""What statistics have told is kept, sealed, in one order, and a try that told nothing does not count."""

from pathlib import Path

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.differencing import Cell, Told
from pipeline.core.errors import Conflict
from pipeline.edges.publication import Publication
from pipeline.edges.sealing import Identity, new_identity
from pipeline.edges.storage import Store, open_store
from pipeline.edges.tables import ToldTables
from samples import aeo_members
from tests.exchange import Exchange

KEY = new_identity()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "private").mkdir()
    return open_store((tmp_path / "private").as_uri())


def tables(store: Store, release: str, *keys: Identity) -> ToldTables:
    return ToldTables(store, keys or (KEY,), "counts", release)


def told(release: str, count: int = 9) -> Told:
    cell = Cell(("CANARYLAND", None), count, count, ("12.5",))
    return Told(release, ("country", "status"), 3, 1, 0, margins=False, cells=(cell,))


def test_what_was_told_is_there_for_the_next_table_in_the_order_in_which_it_was(store: Store) -> None:
    for number in range(1, 12):
        one = tables(store, f"r{number}")
        assert [table.release for table in one.earlier()] == [f"r{before}" for before in range(1, number)]
        assert one.tell(told(f"r{number}", number))


def test_of_two_at_the_same_time_the_slower_looks_again(store: Store) -> None:
    fast, slow = tables(store, "fast"), tables(store, "slow")
    assert (fast.earlier(), slow.earlier()) == ((), ())
    assert fast.tell(told("fast"))
    assert not slow.tell(told("slow"))
    assert slow.earlier() == (told("fast"),)
    assert slow.tell(told("slow"))


def test_a_try_of_the_release_itself_told_nothing_and_one_of_another_may_have(store: Store) -> None:
    first = tables(store, "r1")
    first.earlier()
    first.tell(told("r1", 5))
    again = tables(store, "r1")
    assert again.earlier() == ()
    assert again.tell(told("r1", 6))
    assert len(tables(store, "r2").earlier()) == 2


def test_a_release_made_again_is_held_against_what_was_told_then(store: Store) -> None:
    for release in ("r1", "r2", "r3"):
        one = tables(store, release)
        one.earlier()
        one.tell(told(release))
    assert [table.release for table in tables(store, "r2").as_they_were()] == ["r1"]
    assert tables(store, "never").as_they_were() == ()


def test_it_is_sealed_and_a_rotated_key_still_opens_it(store: Store) -> None:
    tables(store, "r1").tell(told("r1"))
    (listed,) = store.listing("tables")
    assert listed.key == "tables/counts/1.age"
    assert b"CANARYLAND" not in b"".join(store.blocks(listed.key))
    assert tables(store, "r2", new_identity(), KEY).earlier() == (told("r1"),)


def test_a_record_that_somebody_else_wrote_stops_everything(store: Store) -> None:
    store.put_new("tables/counts/1.age", b"not ours")
    with pytest.raises(Conflict):
        tables(store, "r1").earlier()


# Over the journey


def test_a_corrected_list_tells_no_small_change(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, feeds=("aeo-members",))
    counts: dict[str, dict[str, int]] = {}
    for name, operators, seed in (("first", 400, 3), ("second", 402, 3), ("third", 400, 4)):
        with (tmp_path / name).open("wb") as out:
            aeo_members.write(out, operators=operators, seed=seed, bad_share=0.0)
        exchange.drop("aeo-members", (tmp_path / name).read_bytes(), name)
        (received,) = exchange.receive()
        made = journey.release(exchange.site, "aeo-statistics", received.kept[0])
        (published,) = (one for one in exchange.published("aeo-statistics") if one.release == made.release)
        assert published.predicate["statistics"]["compared_tables"] == len(counts)
        frames = exchange.opened(published)
        table = pl.concat(frames) if frames else pl.DataFrame(schema=["country", "program_status", "members"])
        counts[name] = {f"{row[0]} {row[1]}": int(row[2]) for row in table.iter_rows()}
        again = journey.release(exchange.site, "aeo-statistics", received.kept[0])
        assert (again.already, again.release) == (True, made.release)
    assert counts["first"]
    for later in ("second", "third"):
        for cell, now in counts[later].items():
            for before in counts.values():
                assert cell not in before or now == before[cell] or abs(now - before[cell]) >= 11
    assert len(list(exchange.site.vault.store.listing("tables"))) == 3


def test_a_try_that_died_before_it_was_published_is_not_held_against_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = Exchange(tmp_path, feeds=("aeo-members",))
    with (tmp_path / "list").open("wb") as out:
        aeo_members.write(out, operators=400, seed=3, bad_share=0.0)
    exchange.drop("aeo-members", (tmp_path / "list").read_bytes(), "list")
    (received,) = exchange.receive()
    with monkeypatch.context() as dying:
        dying.setattr(Publication, "publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            journey.release(exchange.site, "aeo-statistics", received.kept[0])
    assert exchange.published("aeo-statistics") == []
    journey.release(exchange.site, "aeo-statistics", received.kept[0])
    (published,) = exchange.published("aeo-statistics")
    assert published.predicate["statistics"]["compared_tables"] == 0
    assert len(list(exchange.site.vault.store.listing("tables"))) == 2

"""One entry per id, no gap, no change unseen: with writers that race, sleep and die at any call."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations, count, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Code, Conflict, Misconfigured, Unavailable
from pipeline.edges.ledger import LARGEST_NUMBER, Entry, Fact, Kind, Ledger
from pipeline.edges.storage import Store, open_store
from pipeline.edges.tiles import first_missing
from tests.faults import Died, Interrupted, die
from tests.ledgers import Memory, ledger_in

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BOTH = [pytest.param("file"), pytest.param("s3", marks=pytest.mark.server)]


@pytest.fixture(autouse=True)
def _no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests end writers, not machines: thousands of appends need not wait for the disk. See test_storage.py."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(tmp_path.as_uri())


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "file":
        return open_store(tmp_path.as_uri())
    return open_store(f"{request.getfixturevalue('s3_url')}/{uuid.uuid4().hex}", request.getfixturevalue("s3_settings"))


def append(store: Store, id: str, *, by: str = "", at: datetime = NOON) -> Entry:
    """A writer that has just started appends one entry."""
    return record(ledger_in(store), id, by=by, at=at)


def record(ledger: Ledger, id: str, *, by: str = "", at: datetime = NOON) -> Entry:
    return ledger.append(id=id, kind=Kind.ACCEPTED, subject="delivery", facts={"by": by, "rows": 3}, at=at)


def ids(store: Store) -> list[str]:
    """The ids in order, after everything about the ledger was verified."""
    entries = list(ledger_in(store).entries())
    assert ledger_in(store).verify().size == len(entries)
    assert [entry.sequence for entry in entries] == list(range(len(entries)))
    found = [entry.id for entry in entries]
    assert len(set(found)) == len(found)
    return found


# Appending


def test_entries_come_back_in_the_order_in_which_they_were_appended(store: Store) -> None:
    ledger = ledger_in(store)
    appended = [record(ledger, f"claimed/{number}") for number in range(5)]
    assert list(ledger_in(store).entries()) == appended
    assert list(ledger_in(store).entries(start=3)) == appended[3:]
    assert list(ledger_in(store).entries(start=9)) == []
    assert ids(store) == [f"claimed/{number}" for number in range(5)]


def test_an_empty_ledger_is_in_order(local: Store) -> None:
    assert ledger_in(local).verify().size == 0
    assert list(ledger_in(local).entries()) == []
    assert ledger_in(local).find("claimed/a") is None


def test_the_first_entry_with_an_id_wins_whatever_the_second_says(local: Store) -> None:
    ledger = ledger_in(local)
    first = record(ledger, "claimed/a", by="first")
    record(ledger, "claimed/b")
    later = NOON + timedelta(days=1)
    assert record(ledger, "claimed/a", by="second", at=later) == first
    assert append(local, "claimed/a", by="third", at=later) == first
    assert ids(local) == ["claimed/a", "claimed/b"]


def test_an_entry_is_found_by_its_id(local: Store) -> None:
    entries = [append(local, f"claimed/{number}") for number in range(3)]
    for entry in entries:
        assert ledger_in(local).find(entry.id) == entry
    assert ledger_in(local).find("claimed/never") is None
    assert ledger_in(local).find("\ud800") is None


def test_an_entrys_bytes_are_the_ones_that_the_specification_says(local: Store) -> None:
    # Written by hand after RFC 8785: names sorted at each depth, no spaces, UTF-8, shortest escapes.
    facts: Mapping[str, Fact] = {"n": 1, "list": [True, None, -5], "é".encode().hex(): 'Zoë "q" \\ \n \x01 \u2028 😀'}
    at = datetime(999, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    ledger_in(local).append(id="a/1", kind=Kind.LATE, subject="aeo-members", facts=facts, at=at)
    append(local, "a/2")
    written = local.find("private/entries/000000000000.json")
    assert written
    assert (
        re.sub(rb'"[0-9a-f]{64}"', b'"SALT"', written)
        == (
            '{"at":"0999-01-02T01:04:05.000006Z",'
            '"facts":{"c3a9":"Zoë \\"q\\" \\\\ \\n \\u0001 \u2028 😀","list":[true,null,-5],"n":1},'
            '"id":"a/1","kind":"late","salt":"SALT","sequence":0,"subject":"aeo-members"}'
        ).encode()
    )
    assert local.find(f"private/ids/{hashlib.sha256(b'a/1').hexdigest()}") == b"0"


FACT: st.SearchStrategy[Fact] = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_NUMBER, LARGEST_NUMBER) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="ascii")), inner, max_size=3)
    ),
    max_leaves=8,
)
FACTS = st.dictionaries(st.text(st.characters(codec="ascii"), max_size=5), FACT, max_size=4)


@settings(deadline=None, max_examples=50)  # each example writes to a disk that others use too
@given(FACTS, st.text(st.characters(codec="utf-8"), min_size=1), st.datetimes(timezones=st.just(UTC)))
def test_every_entry_reads_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, facts: dict[str, Fact], id: str, at: datetime
) -> None:
    store = open_store(tmp_path_factory.mktemp("ledger").as_uri())
    appended = ledger_in(store).append(id=id, kind=Kind.ACCEPTED, subject=id, facts=facts, at=at)
    (read,) = ledger_in(store).entries()
    assert read == appended
    assert (read.facts, read.id, read.at, read.kind) == (facts, id, at, Kind.ACCEPTED)


BAD_FACTS: list[object] = [
    1.5,
    float("nan"),
    2**53,
    -(2**53),
    b"bytes",
    "\ud800",
    {"é": 1},
    {1: 1},
    NOON,
    {1, 2},
    [[1.0]],
]


@pytest.mark.parametrize("fact", BAD_FACTS, ids=repr)
def test_a_fact_without_canonical_form_is_refused_and_not_repeated(local: Store, fact: Fact) -> None:
    with pytest.raises(Misconfigured) as refused:
        ledger_in(local).append(id="a", kind=Kind.ACCEPTED, subject="", facts={"fact": fact}, at=NOON)
    assert refused.value.code is Code.ENTRY_INVALID
    assert "1.5" not in str(refused.value)
    assert list(local.listing()) == []


@pytest.mark.parametrize(
    ("id", "at"),
    [
        ("", NOON),
        ("\ud800", NOON),
        ("a", NOON.replace(tzinfo=None)),
        ("a", datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))),
    ],
)
def test_an_id_or_time_without_canonical_form_is_refused(local: Store, id: str, at: datetime) -> None:
    with pytest.raises(Misconfigured) as refused:
        append(local, id, at=at)
    assert refused.value.code is Code.ENTRY_INVALID


def test_a_new_writer_finds_the_end_in_few_calls(local: Store) -> None:
    ledger = ledger_in(local)
    for number in range(300):
        record(ledger, f"claimed/{number}")
    watched = Interrupted(local, at=-1)
    fresh = ledger_in(watched)
    assert record(fresh, "claimed/new").sequence == 300
    assert watched.calls < 40
    watched.calls = 0
    assert record(fresh, "claimed/newer").sequence == 301
    assert watched.calls == 6  # look for the id; write the entry, the id, a bundle, a tile, the checkpoint


@pytest.mark.parametrize("known", range(4))
def test_the_end_is_found_from_any_start(local: Store, known: int) -> None:
    for number in range(20):
        if number >= known:
            assert first_missing(lambda at: local.exists(f"private/entries/{at:012}.json"), known) == number
        append(local, f"claimed/{number}")


# Crashes and interruptions, enumerated


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("then", [["ours"], ["theirs", "ours"], ["theirs"]])
@pytest.mark.parametrize("after", [False, True])
def test_a_writer_that_dies_at_any_call_leaves_no_gap_and_no_double(
    tmp_path: Path, before: int, then: list[str], *, after: bool
) -> None:
    survived = False
    for at in count():
        store = fresh(tmp_path, at)
        earlier = [append(store, f"earlier/{number}").id for number in range(before)]
        dying = Interrupted(store, at, after)
        try:
            append(dying, "ours", by="the one that dies")
        except Died:
            pass
        else:
            survived = not dying.was_met
        left = list(ledger_in(store).entries())
        assert ledger_in(store).verify().size == len(left)
        for entry in left:
            assert ledger_in(store).find(entry.id) == entry
        for id in then:
            append(store, id, by="the next", at=NOON + timedelta(minutes=1))
        expected = sorted({*earlier, *then, *(entry.id for entry in left)})
        assert sorted(ids(store)) == expected
        if survived:
            assert at >= 8
            return


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("others", [["ours"], ["theirs", "ours"], ["ours", "theirs"]])
def test_a_writer_that_others_overtake_at_any_call_makes_no_double(
    tmp_path: Path, before: int, others: list[str]
) -> None:
    for at, after in product(range(22), [False, True]):
        store = fresh(tmp_path, at, after)
        for number in range(before):
            append(store, f"earlier/{number}")
        appended = append(Interrupted(store, at, after, by=overtake(store, others)), "ours")
        assert ids(store).count("ours") == 1
        assert ledger_in(store).find("ours") == appended


def test_a_writer_that_others_overtake_at_any_two_calls_makes_no_double() -> None:
    interruptions = list(product(range(18), [False, True]))
    for one, two in combinations(interruptions, 2):
        store = Memory()
        append(store, "earlier")
        overtaken_once = Interrupted(store, *one, by=overtake(store, ["theirs"]))
        overtaken_twice = Interrupted(overtaken_once, *two, by=overtake(store, ["ours", "theirs too"]))
        appended = append(overtaken_twice, "ours")
        assert ids(store).count("ours") == 1
        assert ledger_in(store).find("ours") == appended


def overtake(store: Store, others: list[str]) -> Callable[[], None]:
    def write() -> None:
        for id in others:
            append(store, id, by="them")

    return write


def fresh(tmp_path: Path, *name: object) -> Store:
    root = tmp_path / str(name)
    root.mkdir()
    return open_store(root.as_uri())


def test_a_writer_that_dies_after_another_died_is_helped_too() -> None:
    for first, second in product(product(range(14), [False, True]), repeat=2):
        store = Memory()
        for id, (at, after) in [("one", first), ("two", second)]:
            with suppress(Died):
                append(Interrupted(store, at, after), id)
        for id in ["two", "one", "three"]:
            append(store, id, by="the next")
        assert sorted(ids(store)) == ["one", "three", "two"]


@pytest.mark.parametrize("after", [False, True])
def test_a_ledger_goes_on_after_its_store_failed_at_any_call(tmp_path: Path, *, after: bool) -> None:
    def fail() -> None:
        raise Unavailable(Code.STORAGE_UNAVAILABLE, "made to fail", next_step="none")

    for at in range(40):
        store = fresh(tmp_path, at)
        ledger = ledger_in(Interrupted(store, at, after, by=fail))
        for id in ["one", "two", "one", "three"]:
            for attempt in range(2):
                try:
                    record(ledger, id, by=str(attempt))
                except Unavailable:
                    continue
                break
        assert ids(store) == ["one", "two", "three"]


# Races


@pytest.mark.parametrize("shared", [False, True], ids=["a ledger each", "one ledger for all"])
def test_of_sixteen_racers_with_one_id_all_get_the_same_entry(store: Store, *, shared: bool) -> None:
    ready = threading.Barrier(16)
    common = ledger_in(store)

    def race(number: int) -> Entry:
        ledger = common if shared else ledger_in(store)
        ready.wait(timeout=30)
        return record(ledger, "released/one", by=str(number))

    with ThreadPoolExecutor(16) as pool:
        entries = list(pool.map(race, range(16)))
    assert entries == [entries[0]] * 16
    assert ids(store) == ["released/one"]


def test_threads_that_append_different_ids_lose_none(store: Store) -> None:
    wanted = [f"claimed/{number}" for number in range(40)]
    shared = ledger_in(store)
    with ThreadPoolExecutor(4) as pool:
        appended = list(pool.map(lambda id: (record(shared, id), append(store, id))[0].id, wanted))
    assert appended == wanted
    assert sorted(ids(store)) == sorted(wanted)


HAMMER = """
import random, sys
from datetime import UTC, datetime
from pipeline.edges.ledger import Kind
from pipeline.edges.storage import open_store
from tests.ledgers import ledger_in

url, seed = sys.argv[1], int(sys.argv[2])
wanted = [f"claimed/{number}" for number in range(60)]
random.Random(seed).shuffle(wanted)
ledger = ledger_in(open_store(url))
print("ready", flush=True)
sys.stdin.readline()
for number, id in enumerate(wanted):
    ledger.append(id=id, kind=Kind.ACCEPTED, subject="s", facts={"by": seed}, at=datetime.now(UTC))
    print(number, flush=True)
"""


def test_processes_that_append_the_same_ids_make_one_entry_each_though_some_are_killed(tmp_path: Path) -> None:
    root = tmp_path / "ledger"
    root.mkdir()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", HAMMER, root.as_uri(), str(seed)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(5)
    ]
    try:
        for writer in writers:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin
            print("go", file=writer.stdin, flush=True)
        for doomed in writers[:2]:
            assert doomed.stdout
            for _ in range(10):
                doomed.stdout.readline()
            doomed.kill()
        for writer in writers[2:]:
            writer.communicate(timeout=60)
            assert writer.returncode == 0
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate(timeout=10)
    assert sorted(ids(open_store(root.as_uri()))) == sorted(f"claimed/{number}" for number in range(60))


# What verify sees


def entry_file(root: Path, sequence: int) -> Path:
    return root / f"private/entries/{sequence:012}.json"


def id_file(root: Path, id: str) -> Path:
    return root / "private/ids" / hashlib.sha256(id.encode()).hexdigest()


def rewrite(root: Path, place: int, **changes: object) -> None:
    file = entry_file(root, place)
    changed = {**json.loads(file.read_bytes()), **changes}
    file.write_text(json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def forge_double_at_the_end(root: Path) -> None:
    entry_file(root, 6).write_bytes(entry_file(root, 2).read_bytes())
    rewrite(root, 6, sequence=6)


TAMPERINGS: list[tuple[str, str, Callable[[Path], object]]] = [
    ("a fact changed", "entry 2 ", lambda root: rewrite(root, 2, subject="another")),
    (
        "the last entry's fact changed by one byte of form",
        "entry 5 ",
        lambda root: entry_file(root, 5).open("ab").write(b"\n"),
    ),
    (
        "a space added",
        "entry 2 ",
        lambda root: entry_file(root, 2).write_bytes(b" " + entry_file(root, 2).read_bytes()),
    ),
    ("an unknown field", "entry 2 ", lambda root: rewrite(root, 2, more="x")),
    ("an unknown kind", "entry 2 ", lambda root: rewrite(root, 2, kind="forgiven")),
    ("a number that is a text", "entry 2 ", lambda root: rewrite(root, 2, id=7)),
    ("a fact that is a fraction", "entry 2 ", lambda root: rewrite(root, 2, facts={"rows": 0.5})),
    ("facts that are a list", "entry 2 ", lambda root: rewrite(root, 2, facts=[])),
    ("a sequence changed", "entry 2 ", lambda root: rewrite(root, 2, sequence=3)),
    ("an entry emptied", "entry 2 ", lambda root: entry_file(root, 2).write_bytes(b"")),
    ("an entry of deep brackets", "entry 2 ", lambda root: entry_file(root, 2).write_bytes(b"[" * 100_000)),
    ("bytes that are no text", "entry 2 ", lambda root: entry_file(root, 2).write_bytes(b"\xff\xfe")),
    ("the first entry gone", "entry 0 ", lambda root: entry_file(root, 0).unlink()),
    ("an entry gone", "entry 2 ", lambda root: entry_file(root, 2).unlink()),
    ("two entries gone", "entry 3 ", lambda root: remove(entry_file(root, 3), entry_file(root, 4))),
    ("the last entry gone, its id left", "entry 5 ", lambda root: entry_file(root, 5).unlink()),
    ("two entries swapped", "entry 2 ", lambda root: swap(entry_file(root, 2), entry_file(root, 3))),
    ("the id of an entry changed", "entry 5 ", lambda root: rewrite(root, 5, id="other")),
    ("an id gone", "entry 2 ", lambda root: id_file(root, "id/2").unlink()),
    ("two ids swapped", "entry 2 ", lambda root: swap(id_file(root, "id/2"), id_file(root, "id/3"))),
    ("an id that names nothing", "entry 99 ", lambda root: id_file(root, "new").write_bytes(b"99")),
    ("an id that is no number", "holds no sequence", lambda root: id_file(root, "new").write_bytes(b"-1")),
    ("a second id for an entry", "entry 2 ", lambda root: id_file(root, "new").write_bytes(b"2")),
    ("an id twice", "entry 6 ", forge_double_at_the_end),
    (
        "a foreign object among entries",
        "notes.txt is no entry",
        lambda root: (root / "private/entries/notes.txt").write_bytes(b""),
    ),
    ("a foreign object among ids", "ids/notes", lambda root: (root / "private/ids/notes").write_bytes(b"1")),
]


def remove(*files: Path) -> None:
    for file in files:
        file.unlink()


def swap(one: Path, two: Path) -> None:
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


@pytest.mark.parametrize(("where", "tamper"), [row[1:] for row in TAMPERINGS], ids=[row[0] for row in TAMPERINGS])
def test_a_ledger_changed_by_hand_is_found_out_at_its_sequence(
    tmp_path: Path, where: str, tamper: Callable[[Path], object]
) -> None:
    store = open_store(tmp_path.as_uri())
    for number in range(6):
        append(store, f"id/{number}")
    assert ledger_in(store).verify().size == 6
    tamper(tmp_path)
    with pytest.raises(Conflict) as found:
        ledger_in(store).verify()
    assert found.value.code is Code.OBJECT_ALTERED
    assert where in str(found.value)


def test_a_ledger_is_in_order_at_each_instant_of_being_written(local: Store) -> None:
    stop = threading.Event()

    def write() -> None:
        ledger = ledger_in(local)
        for number in count():
            if stop.is_set():
                return
            record(ledger, f"claimed/{number}")

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write) for _ in range(2)]
        try:
            counts = [0]
            while counts[-1] < 100:
                counts.append(ledger_in(local).verify().size)
        finally:
            stop.set()
        for each in writing:
            each.result(timeout=30)
    assert counts == sorted(counts)


def test_a_last_entry_that_no_reader_can_read_stops_the_next_writer(local: Store, tmp_path: Path) -> None:
    append(local, "one")
    entry_file(tmp_path, 0).write_bytes(b"{}")
    with pytest.raises(Conflict) as found:
        append(local, "two")
    assert found.value.code is Code.OBJECT_ALTERED


def test_dying_is_no_error_that_anything_catches() -> None:
    with pytest.raises(Died):
        die()
    assert not issubclass(Died, Exception)

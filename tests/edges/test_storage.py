"""One contract for every store, on real files and on a real S3 server; then what only one of them can get wrong."""

import errno
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Code, Conflict, Misconfigured, SafeconductError, Unavailable
from pipeline.edges import local_store
from pipeline.edges.local_store import TEMPORARIES
from pipeline.edges.storage import (
    AlreadyThere,
    S3Settings,
    Store,
    is_key,
    key_of,
    name_of,
    open_store,
    probe,
    same_bytes,
)
from tests.seaweed import BUCKET, SECRET, free_ports, reader

BOTH = [pytest.param("file"), pytest.param("s3", marks=pytest.mark.server)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "file":
        return open_store(tmp_path.as_uri())
    return open_store(f"{request.getfixturevalue('s3_url')}/{uuid.uuid4().hex}", request.getfixturevalue("s3_settings"))


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(tmp_path.as_uri())


def keys(store: Store, prefix: str = "") -> list[str]:
    return [listed.key for listed in store.listing(prefix)]


def temporaries(root: Path) -> list[Path]:
    return list((root / os.fsdecode(TEMPORARIES)).iterdir())


# The contract


def test_what_was_put_is_found(store: Store) -> None:
    store.put_new("lots/a/part-0", b"bytes")
    store.put_new("lots/a/empty", b"")
    assert store.find("lots/a/part-0") == b"bytes"
    assert store.find("lots/a/empty") == b""
    assert store.exists("lots/a/part-0")


def test_what_was_not_put_is_not_found(store: Store) -> None:
    store.put_new("lots/a/part-0", b"bytes")
    for key in ["lots/b", "lots/a/part-0/inner", "lots/a", "lots", "lots/a/part"]:
        assert store.find(key) is None, key
        assert not store.exists(key), key


def test_the_same_bytes_twice_are_fine_because_a_reply_may_be_lost(store: Store) -> None:
    store.put_new("claims/one", b"ours")
    store.put_new("claims/one", b"ours")
    assert store.find("claims/one") == b"ours"


@pytest.mark.parametrize("other", [b"theirs", b"our", b"ours!", b""])
def test_other_bytes_are_refused_and_change_nothing(store: Store, other: bytes) -> None:
    store.put_new("claims/one", b"ours")
    with pytest.raises(AlreadyThere) as refused:
        store.put_new("claims/one", other)
    assert refused.value.code is Code.OBJECT_DIFFERS
    assert isinstance(refused.value, Conflict)
    assert "claims/one" in str(refused.value)
    assert store.find("claims/one") == b"ours"
    assert keys(store) == ["claims/one"]


def test_of_sixteen_racing_writers_one_wins(store: Store) -> None:
    ready = threading.Barrier(16)

    def write(number: int) -> bytes | None:
        content = b"writer %d" % number
        ready.wait(timeout=30)
        try:
            store.put_new("race/key", content)
        except AlreadyThere:
            return None
        return content

    with ThreadPoolExecutor(16) as pool:
        won = [content for content in pool.map(write, range(16)) if content is not None]
    assert won == [store.find("race/key")]


def test_sixteen_writers_of_the_same_bytes_all_succeed(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: store.put_new("race/same", b"same"), range(16)))
    assert keys(store) == ["race/same"]


def test_a_listing_shows_every_object_below_a_folder_in_order_with_its_size_and_time(store: Store) -> None:
    started = datetime.now(UTC)
    written = ["a/b", "a-b", "a.b", "a0", "a/c/d", "a/c-d", "z", "B"]
    for key in written:
        store.put_new(key, key.encode())
    assert keys(store) == sorted(written)
    assert keys(store, "a") == keys(store, "a/") == ["a/b", "a/c-d", "a/c/d"]
    assert keys(store, "nowhere") == []
    for listed in store.listing():
        assert listed.size_bytes == len(listed.key)
        assert listed.changed_at.utcoffset() == timedelta(0)
        assert abs(listed.changed_at - started) < timedelta(minutes=2)


def test_a_listing_longer_than_one_page_is_whole(store: Store) -> None:
    written = [f"many/{number:04}" for number in range(1100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put_new(key, b""), written))
    assert keys(store) == written


def test_a_view_from_a_folder_sees_only_what_is_below_it(store: Store) -> None:
    inner = store.within("landing").within("example-air/")
    inner.put_new("feed/one", b"1")
    store.put_new("landing/other/one", b"2")
    assert keys(inner) == ["feed/one"]
    assert keys(inner, "feed") == ["feed/one"]
    assert store.find("landing/example-air/feed/one") == b"1"
    assert inner.url == f"{store.url}/landing/example-air"


def test_a_destroyed_object_is_gone_and_destroying_it_again_is_fine(store: Store) -> None:
    store.put_new("landing/one", b"1")
    store.put_new("landing/two", b"2")
    store.destroy("landing/one")
    store.destroy("landing/one")
    store.destroy("landing")
    store.destroy("never/was")
    assert keys(store) == ["landing/two"]
    assert store.find("landing/one") is None


def test_blocks_are_bounded_and_whole(store: Store) -> None:
    content = bytes(range(256)) * 10
    store.put_new("big", content)
    blocks = list(store.blocks("big", block_bytes=1000))
    assert b"".join(blocks) == content
    assert max(map(len, blocks)) <= 1000
    store.put_new("empty", b"")
    assert b"".join(store.blocks("empty")) == b""


def test_blocks_of_a_missing_object_are_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict) as missing:
        next(store.blocks("not/there"))
    assert missing.value.code is Code.OBJECT_MISSING


def test_a_large_object_streams_in_bounded_memory(store: Store) -> None:
    block = os.urandom(1024 * 1024)
    content = block * 64
    store.put_new("large", content)
    del content
    tracemalloc.start()
    try:
        assert all(map(block.__eq__, _regrouped(store.blocks("large"), len(block))))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 16 * 1024 * 1024


def _regrouped(blocks: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    rest, total = b"", 0
    for block in blocks:
        rest += block
        while len(rest) >= size_bytes:
            yield rest[:size_bytes]
            rest, total = rest[size_bytes:], total + size_bytes
    assert not rest
    assert total == 64 * 1024 * 1024


BAD_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../x",
    "a/..",
    ".",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    ".hidden",
    "a/.hidden/b",
    "a\\..\\b",
    "a\x00b",
    "a\nb",
    "a\x7fb",
    "a b",
    "%2E%2E/x",
    "a%2Fb",
    "a%00b",
    "%61",
    "%",
    "%g0",
    "%c3%a9",
    "upload.part",
    "a/upload.TMP",
    "ü",
    "\u202egnp.csv",
    "\ud800",
    "e\u0301",
    "x" * 256,
    "/".join(["x" * 250] * 5),
    "/".join("x" * 33),
]


@pytest.mark.parametrize("key", BAD_KEYS, ids=[repr(key[:16]) for key in BAD_KEYS])
def test_a_bad_key_touches_nothing(local: Store, key: str, tmp_path: Path) -> None:
    uses: list[Callable[[], object]] = [
        lambda: local.put_new(key, b""),
        lambda: local.find(key),
        lambda: next(local.blocks(key)),
        lambda: local.exists(key),
        lambda: local.destroy(key),
        lambda: local.within("folder").put_new(key, b""),
    ]
    for use in uses:
        with pytest.raises(Misconfigured) as refused:
            use()
        assert refused.value.code is Code.KEY_INVALID
        assert str(refused.value).isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["/etc", "..", "a/../..", "a//b", ".hidden", "a//", "%2E%2E"])
def test_a_bad_folder_is_refused(local: Store, folder: str) -> None:
    uses: list[Callable[[], object]] = [lambda: local.within(folder), lambda: list(local.listing(folder))]
    for use in uses:
        with pytest.raises(Misconfigured) as refused:
            use()
        assert refused.value.code is Code.KEY_INVALID


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=40))
def test_every_name_has_one_key_and_every_key_one_name(name: bytes) -> None:
    key = key_of(name)
    assert name_of(key) == name
    assert key.isascii()
    assert key.isprintable()


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_key_leads_out_of_the_store(key: str) -> None:
    if is_key(key):
        path = b"/root-of-store/" + name_of(key)
        assert os.path.normpath(path) == path


@settings(deadline=None)
@given(st.binary(max_size=30), st.binary(max_size=30), st.lists(st.integers(0, 30)))
def test_bytes_are_the_same_however_they_are_cut(left: bytes, right: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(left)) for cut in cuts), len(left)]
    blocks = [left[start:end] for start, end in pairwise(edges)]
    assert same_bytes(blocks, right) == (left == right)


@pytest.mark.parametrize(
    "url", ["", "landing", "/landing", "http://x/y", "file://host/x", "file:x", "s3://", "s3:///x", "s3://k:s3cret@b/x"]
)
def test_any_other_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        open_store(url)
    assert refused.value.code is Code.SITE_INVALID
    assert "s3cret" not in str(refused.value)


def test_a_store_that_keeps_the_promise_passes_the_probe_every_time(store: Store) -> None:
    probe(store)
    probe(store)


# Files


def test_the_folder_must_exist_because_it_may_be_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refused:
        open_store((tmp_path / "not-mounted").as_uri())
    assert refused.value.code is Code.SITE_MISSING


def test_a_url_opens_the_same_folder_again(tmp_path: Path) -> None:
    root = tmp_path / "a folder=é%41"
    root.mkdir()
    inner = open_store(root.as_uri()).within("b=c/d")
    inner.put_new("one", b"1")
    assert open_store(inner.url).find("one") == b"1"


def test_files_and_folders_are_for_their_owner_only(local: Store, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        local.put_new("a/b", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / os.fsdecode(TEMPORARIES)).stat().st_mode & 0o777 == 0o700


def test_what_partners_drop_with_ordinary_tools_is_listed_read_and_destroyed(local: Store, tmp_path: Path) -> None:
    names = [
        b"plain.csv",
        b"with space.csv",
        b"line\nbreak",
        b"\xff\xfe.dat",
        "Zoë.csv".encode(),
        b"100%41.csv",
        b"-rf",
    ]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    assert [name_of(key) for key in keys(local)] == sorted(names, key=key_of)
    for key in keys(local):
        assert local.find(key) == name_of(key)
        assert key.isprintable()
        local.destroy(key)
    assert keys(local) == []


def test_what_is_not_a_whole_file_is_not_listed(local: Store, tmp_path: Path) -> None:
    for name in [".hidden", "upload.part", "UPLOAD.TMP", "a.filepart", "lost+found.csv"]:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/key").write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder-link").symlink_to("/etc")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        assert keys(local) == ["lost+found.csv"]
        assert local.find("fifo") is local.find("socket") is None
    deep = tmp_path.joinpath(*["d"] * 32)
    deep.mkdir(parents=True)
    (deep / "file").write_bytes(b"x")
    assert keys(local) == ["lost+found.csv"]


def test_a_symbolic_link_leads_nowhere(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_bytes(b"not ours")
    root.mkdir()
    (root / "to-file").symlink_to(outside / "file")
    (root / "to-folder").symlink_to(outside / "folder")
    (root / "to-nothing").symlink_to(outside / "nothing")
    store = open_store(root.as_uri())
    uses: list[Callable[[], object]] = [
        lambda: store.find("to-file"),
        lambda: store.exists("to-file"),
        lambda: next(store.blocks("to-file")),
        lambda: store.put_new("to-file", b"not ours"),
        lambda: store.put_new("to-nothing", b"x"),
        lambda: store.put_new("to-folder/new", b"x"),
        lambda: store.find("to-folder/new"),
        lambda: store.destroy("to-folder/new"),
        lambda: list(store.listing("to-folder")),
    ]
    for use in uses:
        with pytest.raises(Misconfigured) as refused:
            use()
        assert refused.value.code is Code.STORE_UNSAFE
    store.destroy("to-file")
    assert (outside / "file").read_bytes() == b"not ours"
    assert list((outside / "folder").iterdir()) == []
    assert not (outside / "nothing").exists()


def test_the_store_itself_may_be_reached_by_a_link_because_the_site_set_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    open_store((tmp_path / "link").as_uri()).put_new("a", b"1")
    assert (tmp_path / "real/a").read_bytes() == b"1"


@pytest.mark.parametrize(
    "change",
    [lambda file: os.truncate(file, 10), lambda file: file.write_bytes(b"y" * 4000)],
    ids=["shrinks", "grows"],
)
def test_a_file_that_changes_while_it_is_read_is_noticed(
    local: Store, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    (tmp_path / "still-arriving").write_bytes(b"x" * 3000)
    os.utime(tmp_path / "still-arriving", (0, 0))
    blocks = local.blocks("still-arriving", block_bytes=1000)
    next(blocks)
    change(tmp_path / "still-arriving")
    with pytest.raises(Unavailable) as noticed:
        list(blocks)
    assert noticed.value.code is Code.STORAGE_UNAVAILABLE


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_any_file_time_is_brought_into_the_years_that_can_be_said(nanoseconds: int) -> None:
    said = local_store._instant(nanoseconds)
    assert 1970 <= said.year <= 9999
    if 0 <= nanoseconds < 4_000_000_000 * 10**9:
        assert abs(said.timestamp() - nanoseconds / 1e9) < 1e-3


def test_an_object_is_durable_before_its_name_and_its_name_before_the_return(
    local: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    real_fsync, real_link = os.fsync, os.link

    def fsync(descriptor: int) -> None:
        calls.append("sync " + os.path.relpath(Path(f"/proc/self/fd/{descriptor}").readlink(), tmp_path))
        real_fsync(descriptor)

    def link(*args: object, **options: object) -> None:
        calls.append("link")
        real_link(*args, **options)  # type: ignore[arg-type]

    local.put_new("before", b"")  # makes the folder of temporaries
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", link)
    local.put_new("a/b/c", b"1")
    hidden = os.fsdecode(TEMPORARIES)
    assert [re.sub(r"/[0-9a-f]{32}", "/*", call) for call in calls] == [
        "sync .",
        "sync a",
        f"sync {hidden}/*",
        "link",
        "sync a/b",
    ]
    calls.clear()
    local.put_new("a/b/c", b"1")
    assert calls == ["sync a/b"]


CRASHES = """
import os, signal, sys
from pipeline.edges.storage import open_store

step, url = int(sys.argv[1]), sys.argv[2]
store = open_store(url)
calls = 0

def dying(real):
    def call(*args, **options):
        global calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **options)
    return call

for name in ["open", "mkdir", "fsync", "link", "unlink", "close", "fstat", "fdopen"]:
    setattr(os, name, dying(getattr(os, name)))
store.put_new("a/b", b"whole" * 1000)
"""


def test_a_writer_killed_at_any_call_leaves_the_whole_object_or_none(tmp_path: Path) -> None:
    outcomes = []
    for step in range(1, 60):
        root = tmp_path / str(step)
        root.mkdir()
        ended = subprocess.run(
            [sys.executable, "-c", CRASHES, str(step), root.as_uri()], cwd=ROOT, timeout=60, check=False
        )
        store = open_store(root.as_uri())
        found = store.find("a/b")
        assert found in (None, b"whole" * 1000)
        assert keys(store) == ["a/b"] * (found is not None)
        store.put_new("a/b", b"whole" * 1000)
        assert keys(store) == ["a/b"]
        outcomes.append((ended.returncode, found is not None))
        if ended.returncode == 0:
            break
    assert outcomes[-1] == (0, True)
    assert {(-signal.SIGKILL, False), (-signal.SIGKILL, True)} <= set(outcomes)


def test_what_killed_writers_left_is_swept_after_a_day(local: Store, tmp_path: Path) -> None:
    local.put_new("a", b"")
    hidden = tmp_path / os.fsdecode(TEMPORARIES)
    (hidden / "old").write_bytes(b"x")
    (hidden / "young").write_bytes(b"x")
    yesterday = time.time() - local_store.TEMPORARY_MAX_AGE_SECONDS - 60
    os.utime(hidden / "old", (yesterday, yesterday))
    open_store(tmp_path.as_uri())
    assert [left.name for left in temporaries(tmp_path)] == ["young"]


FULL_DISK = """
import sys
from pathlib import Path
from pipeline.core.errors import Unavailable
from pipeline.edges.storage import open_store

root = Path(sys.argv[1])
store = open_store(root.as_uri())
store.put_new("small", b"fits")
try:
    store.put_new("lots/large", b"x" * 2_000_000)
except Unavailable as full:
    print(full.code.value, full)
left = [file for file in root.rglob("*") if file.is_file()]
assert [listed.key for listed in store.listing()] == ["small"], left
assert left == [root / "small"], left
store.put_new("later", b"fits again")
"""
_TMPFS = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
_CAN_MOUNT = not subprocess.run(
    [*_TMPFS, "mount -t tmpfs -o size=1m tmpfs /mnt"], capture_output=True, timeout=30, check=False
).returncode


# A file-size limit works on every machine; a really full file system only where we may mount one.
@pytest.mark.parametrize("limit", ["file size", *(["file system"] if _CAN_MOUNT else [])])
def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path, limit: str) -> None:
    run = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    if limit == "file system":
        run = [*_TMPFS, f'mount -t tmpfs -o size=1m tmpfs "{tmp_path}" && exec "$@"', "sh", *run]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000 if limit == "file size" else soft, hard))
    try:
        ended = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ended.stderr == ""
    assert ended.stdout.startswith("storage-full [storage-full]")
    assert f"{tmp_path.as_uri()}/lots/large" in ended.stdout
    assert "Next: Free space" in ended.stdout


@pytest.mark.parametrize(
    ("reason", "kind", "code"),
    [
        (errno.ENOSPC, Unavailable, Code.STORAGE_FULL),
        (errno.EDQUOT, Unavailable, Code.STORAGE_FULL),
        (errno.EACCES, Misconfigured, Code.STORE_FORBIDDEN),
        (errno.EPERM, Misconfigured, Code.STORE_FORBIDDEN),
        (errno.EROFS, Misconfigured, Code.STORE_FORBIDDEN),
        (errno.EXDEV, Misconfigured, Code.STORE_UNSAFE),
        (errno.EIO, Unavailable, Code.STORAGE_UNAVAILABLE),
        (errno.ESTALE, Unavailable, Code.STORAGE_UNAVAILABLE),
        (errno.EMFILE, Unavailable, Code.STORAGE_UNAVAILABLE),
    ],
)
def test_each_failure_of_the_disk_says_who_acts(
    local: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: int,
    kind: type[SafeconductError],
    code: Code,
) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(kind) as told:
        local.put_new("a/b", b"1")
    assert told.value.code is code
    assert f"{local.url}/a/b" in str(told.value)
    assert told.value.__cause__ is None
    assert temporaries(tmp_path) == []
    assert local.find("a/b") is None


# S3


@pytest.fixture
def s3(s3_url: str, s3_settings: S3Settings) -> Store:
    return open_store(f"{s3_url}/{uuid.uuid4().hex}", s3_settings)


@pytest.mark.server
def test_a_wrong_key_or_secret_or_right_is_for_us_to_correct_and_is_not_repeated(
    s3: Store, s3_settings: S3Settings
) -> None:
    s3.put_new("one", b"1")
    wrong = "synthetic-wrong-9999"
    uses: list[Callable[[], object]] = []
    for wronged in [replace(s3_settings, secret_access_key=wrong), replace(s3_settings, access_key_id=wrong)]:
        uses += _reads(open_store(s3.url, wronged))
    read_only = open_store(s3.url, reader(s3_settings))
    for store in [open_store(s3.url, replace(s3_settings, secret_access_key=wrong)), read_only]:
        uses += [partial(store.put_new, "two", b"2"), partial(store.destroy, "one")]
    for use in uses:
        with pytest.raises(Misconfigured) as refused:
            use()
        assert refused.value.code is Code.STORE_FORBIDDEN
        for secret in [wrong, SECRET, s3_settings.access_key_id or "?"]:
            assert secret not in str(refused.value)
            assert secret not in repr(refused.value.__cause__)
    assert read_only.find("one") == b"1"
    assert keys(s3) == ["one"]


def _reads(store: Store) -> list[Callable[[], object]]:
    return [
        lambda: store.find("one"),
        lambda: store.exists("one"),
        lambda: next(store.blocks("one")),
        lambda: list(store.listing()),
    ]


@pytest.mark.server
def test_a_missing_bucket_is_for_us_to_correct(s3_settings: S3Settings) -> None:
    with pytest.raises(Misconfigured) as refused:
        open_store("s3://no-such-bucket/x", s3_settings).find("one")
    assert refused.value.code is Code.SITE_INVALID


@pytest.mark.server
def test_objects_that_partners_name_as_they_like_are_listed_and_read(s3: Store, s3_settings: S3Settings) -> None:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=s3_settings.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=s3_settings.access_key_id,
        aws_secret_access_key=s3_settings.secret_access_key,
    )
    names = ["with space.csv", "line\nbreak", "Zoë.csv", "100%41.csv", "folder/+plus", ".hidden", "upload.part"]
    for name in names:
        client.put_object(Bucket=BUCKET, Key=f"{s3.url.rsplit('/', 1)[1]}/{name}", Body=name.encode())
    assert keys(s3) == sorted(key_of(name.encode()) for name in names[:5])
    for key in keys(s3):
        assert s3.find(key) == name_of(key)


def test_the_secret_shows_in_no_representation(tmp_path: Path) -> None:
    settings = S3Settings("http://127.0.0.1:9", access_key_id="synthetic-writer", secret_access_key=SECRET)
    store = open_store(f"s3://{BUCKET}/x", settings)
    assert SECRET not in repr(settings) + str(settings) + repr(store) + store.url


def test_a_server_that_is_not_there_is_unavailable_within_seconds() -> None:
    settings = S3Settings(f"http://127.0.0.1:{free_ports(1)[0]}", "us-east-1", "synthetic-writer", SECRET)
    store = open_store(f"s3://{BUCKET}/x", settings)
    started = time.monotonic()
    with pytest.raises(Unavailable) as told:
        store.put_new("one", b"1")
    assert told.value.code is Code.STORAGE_UNAVAILABLE
    assert "127.0.0.1" in str(told.value)
    assert SECRET not in str(told.value)
    assert time.monotonic() - started < 10


class Flawed(ThreadingHTTPServer):
    """A server that speaks just enough S3 to have, for each PutObject or GetObject, the next of `flaws`; then none."""

    daemon_threads = True

    def __init__(self, flaws: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Speaks)
        self.flaws = flaws
        self.objects: dict[str, bytes] = {}
        self.asked = 0

    def store(self) -> Store:
        settings = S3Settings(f"http://127.0.0.1:{self.server_port}", "us-east-1", "synthetic-writer", SECRET)
        return open_store("s3://bucket/x", settings)


class _Speaks(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # else boto3 waits a second for "100 Continue"
    server: Flawed

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        flaw = self._next_flaw()
        if flaw.isdigit():
            return self._answer(int(flaw))
        if self.path in self.server.objects and flaw != "overwrites":
            return self._answer(412)
        self.server.objects[self.path] = content
        if flaw == "loses the reply":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        return self._answer(200)

    def do_GET(self) -> None:
        flaw = self._next_flaw()
        if flaw.isdigit():
            return self._answer(int(flaw))
        found = self.server.objects.get(self.path)
        if found is None:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        if flaw == "stops early":
            self.close_connection = True
            return self._answer(200, found[:-1], {"Content-Length": str(len(found))})
        if flaw == "flips a bit":
            return self._answer(200, b"\0" + found[1:], {"x-amz-checksum-crc32": "AAAAAA=="})
        return self._answer(200, found)

    def _next_flaw(self) -> str:
        self.server.asked += 1
        return self.server.flaws.pop(0) if self.server.flaws else "none"

    def _answer(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def flawed() -> Iterator[Callable[..., Flawed]]:
    started: list[Flawed] = []

    def start(*flaws: str) -> Flawed:
        started.append(Flawed(list(flaws)))
        threading.Thread(target=started[-1].serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return started[-1]

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def test_an_object_whose_reply_was_lost_is_ours(flawed: Callable[..., Flawed]) -> None:
    server = flawed("loses the reply")
    server.store().put_new("one", b"1")
    assert server.objects == {"/bucket/x/one": b"1"}
    assert server.asked == 3  # the write, boto3's retry that meets 412, the read that compares


@pytest.mark.parametrize("flaws", [["409"], ["409", "none", "409"], ["503"], ["412"]])
def test_a_write_that_meets_another_in_flight_or_a_short_failure_is_tried_again(
    flawed: Callable[..., Flawed], flaws: list[str]
) -> None:
    server = flawed(*flaws)
    server.store().put_new("one", b"1")
    assert server.objects == {"/bucket/x/one": b"1"}


@pytest.mark.parametrize(
    ("flaw", "kind", "code"),
    [
        ("500", Unavailable, Code.STORAGE_UNAVAILABLE),
        ("503", Unavailable, Code.STORAGE_UNAVAILABLE),
        ("429", Unavailable, Code.STORAGE_UNAVAILABLE),
        ("409", Unavailable, Code.STORAGE_UNAVAILABLE),
        ("507", Unavailable, Code.STORAGE_FULL),
        ("403", Misconfigured, Code.STORE_FORBIDDEN),
        ("401", Misconfigured, Code.STORE_FORBIDDEN),
        ("501", Misconfigured, Code.STORE_UNSAFE),
        ("400", Misconfigured, Code.SITE_INVALID),
    ],
)
def test_each_answer_of_a_server_says_who_acts(
    flawed: Callable[..., Flawed],
    monkeypatch: pytest.MonkeyPatch,
    flaw: str,
    kind: type[SafeconductError],
    code: Code,
) -> None:
    monkeypatch.setattr("pipeline.edges.s3_store.FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("pipeline.edges.s3_store.ATTEMPTS", 1)
    with pytest.raises(kind) as told:
        flawed(*[flaw, "none"] * 20 if flaw == "409" else [flaw] * 20).store().put_new("one", b"1")
    assert told.value.code is code
    assert told.value.__cause__ is None
    assert SECRET not in str(told.value)


def test_a_server_that_never_answers_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.edges.s3_store.READ_SECONDS", 0.2)
    monkeypatch.setattr("pipeline.edges.s3_store.ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = S3Settings(f"http://127.0.0.1:{silent.getsockname()[1]}", "us-east-1", "synthetic-writer", SECRET)
        with pytest.raises(Unavailable) as told:
            open_store("s3://bucket/x", settings).find("one")
    assert told.value.code is Code.STORAGE_UNAVAILABLE


@pytest.mark.parametrize("flaw", ["stops early", "flips a bit"])
def test_a_broken_read_is_noticed(flawed: Callable[..., Flawed], flaw: str) -> None:
    server = flawed("none", flaw, flaw)
    store = server.store()
    store.put_new("one", b"x" * 5000)
    uses: list[Callable[[], object]] = [lambda: list(store.blocks("one", block_bytes=100)), lambda: store.find("one")]
    for use in uses:
        with pytest.raises(Unavailable) as noticed:
            use()
        assert noticed.value.code is Code.STORAGE_UNAVAILABLE


def test_a_server_that_overwrites_does_not_pass_the_probe(flawed: Callable[..., Flawed]) -> None:
    with pytest.raises(Misconfigured) as unsafe:
        probe(flawed(*["overwrites"] * 10).store())
    assert unsafe.value.code is Code.STORE_UNSAFE


def test_an_endpoint_that_makes_no_sense_is_for_us_to_correct() -> None:
    with pytest.raises(Misconfigured) as refused:
        open_store("s3://bucket/x", S3Settings("not a url", "us-east-1", "synthetic-writer", SECRET))
    assert refused.value.code is Code.SITE_INVALID


def test_a_store_whose_folder_went_away_is_unavailable_and_never_empty(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    store = open_store((tmp_path / "there").as_uri())
    (tmp_path / "there").rename(tmp_path / "away")
    for ask in (
        lambda: store.find("a"),
        lambda: store.exists("a"),
        lambda: list(store.listing()),
        lambda: list(store.blocks("a")),
        lambda: store.put_new("a", b""),
        lambda: store.destroy("a"),
    ):
        with pytest.raises(Unavailable):
            ask()


def test_a_folder_that_may_not_be_read_is_told_and_never_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path.as_uri())
    store.put_new("closed/a", b"a")
    really_open = os.open

    def closed(path: str | bytes | Path, flags: int, *rest: int, dir_fd: int | None = None) -> int:
        if os.fsdecode(path) == "closed":  # mode 000 would not stop root
            raise PermissionError(errno.EACCES, "closed")
        return really_open(path, flags, *rest, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", closed)
    with pytest.raises(Misconfigured):
        list(store.listing())

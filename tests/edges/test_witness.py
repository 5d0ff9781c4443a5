"""A partner's witness puts its name to one history, whatever it is shown, and says by its exit code what is wrong."""

import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import cli
from pipeline.core.errors import Code, Conflict, Misconfigured, SafeconductError, Unavailable
from pipeline.core.notes import Checkpoint, VerifierKey, read_verifier_key
from pipeline.edges.checkpoints import open_checkpoint, open_cosigned, sign_checkpoint
from pipeline.edges.ledger import Entry, Kind, Ledger
from pipeline.edges.storage import Store, open_store
from pipeline.edges.witness import (
    BadSignature,
    Forked,
    OtherOrigin,
    WentBack,
    create_witness_key,
    read_witness_key,
    witness,
)
from tests.desk import Answer
from tests.faults import Died, Interrupted
from tests.ledgers import KEYS, ORIGIN, Keys, Known, ledger_in, signing_key

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAME = "example.org/witness"


class Scene:
    """A ledger, and a partner that watches it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "stores").mkdir()
        self.key = create_witness_key(directory / "witness.key", NAME)
        self.memory = directory / "witness.json"
        self.store = open_store((directory / "stores").as_uri())
        self.public = directory / "stores/public"
        self.count = 0

    @property
    def ledger(self) -> Ledger:
        known = (Known("example-customs", str(self.key.verifier)),)
        return ledger_in(self.store, Keys(known=known))

    def grow(self, to: int) -> None:
        ledger = self.ledger
        for _ in range(ledger.checkpoint().size, to):
            self.count += 1
            append(ledger, self.count)

    def look(
        self, *, at: datetime = NOON, log: tuple[VerifierKey, ...] | None = None, store: Store | None = None
    ) -> Checkpoint:
        shown = store or open_store(self.public.as_uri())
        return witness(shown, log or self.ledger.verifier_keys, self.key, self.memory, at)


def append(ledger: Ledger, number: int) -> Entry:
    return ledger.append(id=f"id/{number}", kind=Kind.ACCEPTED, subject="delivery", facts={}, at=NOON)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.grow(5)
    return scene


# What is cosigned


def test_a_ledger_that_only_grew_is_cosigned_and_its_keeper_takes_it(scene: Scene) -> None:
    for size in (5, 6, 6, 300):
        scene.grow(size)
        cosigned = scene.look()
        (one,) = open_cosigned(cosigned.note, cosigned, [scene.key.verifier])
        assert (one.size, one.at) == (size, NOON)
        (taken,) = scene.ledger.take_cosigned(cosigned.note, partner="example-customs", now=NOON)
        assert taken == one
    witnessed = scene.ledger.witnessed()
    assert witnessed
    assert witnessed.size == 300


def test_a_witness_needs_nothing_but_to_read(scene: Scene) -> None:
    before = {path: path.read_bytes() for path in scene.public.rglob("*") if path.is_file()}
    scene.look()
    assert {path: path.read_bytes() for path in scene.public.rglob("*") if path.is_file()} == before


def test_looking_costs_a_few_reads_however_much_was_added(scene: Scene) -> None:
    scene.look()
    scene.grow(400)
    counting = Interrupted(open_store(scene.public.as_uri()), at=-1)
    scene.look(store=counting)
    assert counting.calls < 40


def test_a_ledger_whose_key_was_replaced_is_still_watched(scene: Scene) -> None:
    scene.look()
    rotated = ledger_in(scene.store, Keys(signing_key(2), older=(signing_key(1),)))
    append(rotated, 100)
    assert scene.look(log=rotated.verifier_keys).size == 6
    with pytest.raises(BadSignature):
        scene.look(log=rotated.verifier_keys[1:])


# What is refused


def forge(scene: Scene, size: int, *, key: int = 1) -> None:
    """Another ledger of this size, in the place of ours."""
    shutil.rmtree(scene.directory / "stores")
    (scene.directory / "stores").mkdir()
    ledger = ledger_in(open_store((scene.directory / "stores").as_uri()), Keys(signing_key(key)))
    for number in range(size):
        append(ledger, 1000 + number)


def go_back(scene: Scene) -> None:
    (scene.public / "checkpoints/5").unlink()


def other_checkpoint(scene: Scene, *, origin: str = ORIGIN, root: bytes = bytes(32), key: int = 1) -> None:
    note = sign_checkpoint(Checkpoint(origin, 6, root), signing_key(key)).note
    (scene.public / "checkpoints/6").write_bytes(note)


def other_root(scene: Scene) -> None:
    scene.grow(6)
    other_checkpoint(scene)


def changed_tile(scene: Scene) -> None:
    scene.grow(7)
    path = scene.public / "tile/0/000.p/7"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


REFUSED: list[tuple[str, type[SafeconductError], Code, int, Callable[[Scene], object]]] = [
    ("a fork of the same size", Forked, Code.LEDGER_FORKED, 14, lambda scene: forge(scene, 5)),
    ("a fork that is longer", Forked, Code.LEDGER_FORKED, 14, lambda scene: forge(scene, 9)),
    ("a fork that is shorter", WentBack, Code.LEDGER_WENT_BACK, 13, lambda scene: forge(scene, 3)),
    ("a root that no tiles have", Forked, Code.LEDGER_FORKED, 14, other_root),
    ("a tile that was changed", Forked, Code.LEDGER_FORKED, 14, changed_tile),
    ("a checkpoint that went back", WentBack, Code.LEDGER_WENT_BACK, 13, go_back),
    (
        "a ledger that is gone",
        WentBack,
        Code.LEDGER_WENT_BACK,
        13,
        lambda scene: shutil.rmtree(scene.public / "checkpoints"),
    ),
    ("another origin", OtherOrigin, Code.ORIGIN_DIFFERS, 11, lambda scene: other_checkpoint(scene, origin="other")),
    ("another's signature", BadSignature, Code.CHECKPOINT_INVALID, 12, lambda scene: other_checkpoint(scene, key=9)),
    ("a fork by another", BadSignature, Code.CHECKPOINT_INVALID, 12, lambda scene: forge(scene, 9, key=9)),
    (
        "no checkpoint",
        BadSignature,
        Code.CHECKPOINT_INVALID,
        12,
        lambda scene: (scene.public / "checkpoints/6").write_bytes(b"hello"),
    ),
    (
        "a checkpoint in another's place",
        BadSignature,
        Code.CHECKPOINT_INVALID,
        12,
        lambda scene: shutil.copy(scene.public / "checkpoints/4", scene.public / "checkpoints/6"),
    ),
]


@pytest.mark.parametrize(
    ("kind", "code", "exit_code", "change"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_not_our_ledger_continued_is_not_cosigned(
    scene: Scene, kind: type[SafeconductError], code: Code, exit_code: int, change: Callable[[Scene], object]
) -> None:
    scene.look()
    before = scene.memory.read_bytes()
    log = scene.ledger.verifier_keys
    change(scene)
    for _ in range(2):
        with pytest.raises(kind) as refused:
            scene.look(log=log)
        assert (refused.value.code, refused.value.exit_code) == (code, exit_code)
        assert scene.memory.read_bytes() == before


def test_a_first_checkpoint_whose_tiles_do_not_make_it_is_not_believed(scene: Scene) -> None:
    scene.grow(6)
    other_checkpoint(scene)
    with pytest.raises(Forked):
        scene.look()
    assert not scene.memory.exists()


def test_tiles_that_are_missing_are_no_proof(scene: Scene) -> None:
    scene.look()
    scene.grow(7)
    shutil.rmtree(scene.public / "tile")
    with pytest.raises(Conflict) as refused:
        scene.look()
    assert refused.value.code is Code.OBJECT_ALTERED


def test_a_memory_of_another_ledger_is_not_overwritten(scene: Scene) -> None:
    scene.look()
    other = VerifierKey("other", scene.ledger.verifier_keys[0].kind, scene.ledger.verifier_keys[0].public)
    with pytest.raises(OtherOrigin):
        scene.look(log=(other,))


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"size": 3}', b"\xff", b"[" * 100_000])
def test_a_damaged_memory_is_not_begun_anew(scene: Scene, content: bytes) -> None:
    scene.memory.write_bytes(content)
    with pytest.raises(Misconfigured) as refused:
        scene.look()
    assert refused.value.code is Code.SITE_INVALID
    assert scene.memory.read_bytes() == content


def test_a_memory_that_was_changed_by_a_byte_of_form_is_not_believed(scene: Scene) -> None:
    scene.look()
    scene.memory.write_bytes(scene.memory.read_bytes().replace(b'"size": 5', b'"size":  5'))
    with pytest.raises(Misconfigured):
        scene.look()


def test_a_clock_that_went_back_makes_no_cosignature(scene: Scene) -> None:
    scene.look()
    scene.look(at=NOON - timedelta(minutes=4))
    with pytest.raises(Misconfigured) as refused:
        scene.look(at=NOON - timedelta(hours=1))
    assert refused.value.code is Code.CLOCK_JUMPED


def test_an_empty_ledger_has_nothing_to_cosign(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.public.mkdir()
    with pytest.raises(Misconfigured) as refused:
        scene.look(log=ledger_in(scene.store).verifier_keys)
    assert refused.value.code is Code.NOT_FOUND


# One history, whatever happens


def test_a_witness_that_dies_remembers_at_least_what_it_has_cosigned(scene: Scene) -> None:
    scene.look()
    for at in range(40):
        scene.grow(6 + at)
        dying = Interrupted(open_store(scene.public.as_uri()), at)
        try:
            cosigned = scene.look(store=dying)
        except Died:
            continue
        assert json.loads(scene.memory.read_bytes())["size"] == cosigned.size
    assert scene.look().size == 45


def test_what_cannot_be_remembered_is_not_cosigned(scene: Scene) -> None:
    scene.memory = scene.directory / "missing/witness.json"
    with pytest.raises(Unavailable):
        scene.look()


def test_two_runs_at_once_never_go_back(scene: Scene) -> None:
    ready = threading.Barrier(5)

    def grow() -> None:
        ready.wait(timeout=30)
        scene.grow(60)

    def watch() -> list[int]:
        ready.wait(timeout=30)
        return [scene.look().size for _ in range(15)]

    with ThreadPoolExecutor(5) as pool:
        growing, watching = pool.submit(grow), [pool.submit(watch) for _ in range(4)]
        growing.result(timeout=60)
        for each in watching:
            sizes = each.result(timeout=60)
            assert sizes == sorted(sizes)
    assert scene.look().size == 60


def test_a_second_run_waits_until_the_first_has_remembered(scene: Scene) -> None:
    with ThreadPoolExecutor(1) as pool:
        second: list[Future[Checkpoint]] = []

        def look_again() -> None:
            second.append(pool.submit(scene.look))
            assert not wait(second, timeout=0.3).done

        scene.look(store=Interrupted(open_store(scene.public.as_uri()), at=3, by=look_again))
        assert second[0].result(timeout=30).size == 5


# Its key


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    made = create_witness_key(path, NAME)
    assert path.stat().st_mode & 0o777 == 0o600
    assert create_witness_key(path, NAME).verifier == made.verifier == read_witness_key(path).verifier
    assert read_verifier_key(str(made.verifier)) == made.verifier
    assert made.key.private_bytes_raw().hex() not in repr(made)
    with pytest.raises(Misconfigured):
        create_witness_key(path, "another.example")


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_that_no_note_can_hold_gets_no_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        create_witness_key(tmp_path / "witness.key", name)
    assert refused.value.code is Code.KEY_INVALID
    assert not (tmp_path / "witness.key").exists()


@pytest.mark.parametrize("change", [b"", b"hello", b"PRIVATE+KEY+a+00000000+AAAA\n"])
def test_a_damaged_key_is_not_used(tmp_path: Path, change: bytes) -> None:
    path = tmp_path / "witness.key"
    create_witness_key(path, NAME)
    path.write_bytes(change)
    with pytest.raises(Misconfigured) as refused:
        read_witness_key(path)
    assert refused.value.code is Code.PARTNER_KEY_INVALID


# The command


def run(*arguments: object) -> Answer:
    done = CliRunner(env={"COLUMNS": "160"}).invoke(cli.app, list(map(str, arguments)))
    return Answer(done.exit_code, done.stdout, done.stderr)


def test_a_partner_watches_with_one_command(scene: Scene, tmp_path: Path) -> None:
    made = run("witness", "--new-key", "partner.example/w", "--key", tmp_path / "its.key")
    assert made.exit_code == 0
    vkey = read_verifier_key(made.out.splitlines()[0])
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    watch = ("witness", scene.public, "--key", tmp_path / "its.key", "--log", scene.ledger.verifier_keys[0])
    options = ("--memory", tmp_path / "its.json", "--to", outbox)
    for size in (5, 9):
        scene.grow(size)
        answer = run(*watch, *options)
        assert (answer.exit_code, answer.err) == (0, "")
        note = (outbox / f"checkpoint-{size}.cosigned").read_bytes()
        checkpoint = open_checkpoint(note, scene.ledger.verifier_keys)
        assert [one.key for one in open_cosigned(note, checkpoint, [vkey])] == [vkey]
    assert run(*watch, *options, "--json").document["size"] == 9
    assert sorted(path.name for path in outbox.iterdir()) == ["checkpoint-5.cosigned", "checkpoint-9.cosigned"]
    shutil.rmtree(scene.public / "checkpoints")
    answer = run(*watch, *options)
    assert (answer.exit_code, "ledger-went-back" in answer.err) == (13, True)


def test_a_command_that_says_too_little_or_the_wrong_key_is_not_run(scene: Scene) -> None:
    key = ("--key", scene.directory / "witness.key")
    assert run("witness", *key).exit_code == 2
    assert run("witness", scene.public, *key).exit_code == 2
    for log in ("nonsense", str(scene.key.verifier)):
        assert run("witness", scene.public, *key, "--log", log).exit_code == Misconfigured.exit_code
    two = (
        "--log",
        KEYS and scene.ledger.verifier_keys[0],
        "--log",
        ledger_in(scene.store, origin="b").verifier_keys[0],
    )
    assert run("witness", scene.public, *key, *two).exit_code == Misconfigured.exit_code

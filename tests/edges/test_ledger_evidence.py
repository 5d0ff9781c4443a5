"""What the ledger shows to others: its tree, its checkpoints, its proofs; and what is found when one of them is touched."""

import base64
import random
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.entries import leaf_of
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, SafeconductError
from pipeline.core.merkle import EMPTY_ROOT, check_consistency, leaf_hash, nodes_of, root, root_over
from pipeline.core.notes import Checkpoint, Proof, VerifierKey, read_proof, read_verifier_key
from pipeline.edges.checkpoints import cosign, log_key, open_checkpoint, sign_checkpoint
from pipeline.edges.ledger import Cosignature, Entry, Kind, Ledger
from pipeline.edges.ledger_objects import entry_place, id_place
from pipeline.edges.proofs import open_proof
from pipeline.edges.tiles import Edge, Tiles, size_of_tile, tile_key
from tests.faults import Died, Interrupted
from tests.ledgers import KEYS, ORIGIN, Below, Keys, Known, Memory, ledger_in, signing_key

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WITNESS = "example.org/witness"
WITNESS_KEY = signing_key(7)


def append(ledger: Ledger, number: int) -> Entry:
    return ledger.append(id=f"id/{number}", kind=Kind.ACCEPTED, subject="delivery", facts={"rows": number}, at=NOON)


def grown(size: int, keys: Keys = KEYS) -> Memory:
    """A store with a ledger of so many entries."""
    store = Memory()
    ledger = ledger_in(store, keys)
    for number in range(size):
        append(ledger, number)
    return store


def entries_in(store: Memory) -> list[bytes]:
    return [content for key, content in sorted(store.objects.items()) if key.startswith("private/entries/")]


def cosignature_of(checkpoint: Checkpoint, *, key: int = 7, name: str = WITNESS, at: datetime = NOON) -> Cosignature:
    return cosign(checkpoint, name, signing_key(key).key, at)


def cosigned(checkpoint: Checkpoint, *, key: int = 7, name: str = WITNESS, at: datetime = NOON) -> bytes:
    return checkpoint.note + str(cosignature_of(checkpoint, key=key, name=name, at=at).signature).encode()


def watched(keys: Keys = KEYS, *, partner: str = "example-customs") -> Keys:
    """The keys, which know the witness."""
    vkey = cosignature_of(Checkpoint("", 1, EMPTY_ROOT)).key
    return replace(keys, known=(Known(partner, str(vkey)),))


@pytest.fixture(scope="module")
def long() -> Memory:
    """A ledger of more than two tiles."""
    return grown(600)


def leaf_hashes(store: Memory) -> list[bytes]:
    return [leaf_hash(leaf_of(content)) for content in entries_in(store)]


# The tree


def test_the_tiles_are_those_that_the_specification_lists(long: Memory) -> None:
    wanted = set()
    for size in range(1, 601):
        for level in range(8):
            full, width = divmod(size // 256**level, 256)
            wanted |= {tile_key(level, number, 256) for number in range(full)}
            wanted |= {tile_key(level, full, width)} if width else set()
            if level == 0:
                wanted |= {tile_key("entries", number, 256) for number in range(full)}
                wanted |= {tile_key("entries", full, width)} if width else set()
    found = {key.removeprefix("public/") for key in long.objects if key.startswith("public/tile/")}
    assert found == wanted


def test_each_tile_holds_the_hashes_of_its_subtrees(long: Memory) -> None:
    node = nodes_of(leaf_hashes(long))
    for key, content in long.objects.items():
        parts = key.removeprefix("public/tile/").split("/")
        if not key.startswith("public/tile/") or parts[0] == "entries":
            continue
        level, number = int(parts[0]), int(parts[1].removesuffix(".p"))
        width = int(parts[2]) if len(parts) > 2 else 256
        assert content == b"".join(node(8 * level, number * 256 + at) for at in range(width))


def test_each_bundle_holds_the_leaves_that_the_tiles_hash(long: Memory) -> None:
    bundle = long.objects["public/tile/entries/001"]
    leaves = []
    while bundle:
        (length,) = struct.unpack(">H", bundle[:2])
        leaves.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert leaves == [leaf_of(content) for content in entries_in(long)[256:512]]
    assert b"".join(map(leaf_hash, leaves)) == long.objects["public/tile/0/001"]


@settings(deadline=None)
@given(st.integers(1, 600))
def test_every_root_is_made_from_tiles_alone(long: Memory, size: int) -> None:
    checkpoint = open_checkpoint(long.objects[f"public/checkpoints/{size}"], ledger_in(long).verifier_keys)
    assert checkpoint.root == root_over(leaf_hashes(long)[:size])
    tiles = Tiles(Below(long, "public"), size)
    assert root(size, tiles.node) == checkpoint.root == tiles.edge().root


@settings(deadline=None, max_examples=20)
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=300))
def test_an_edge_grows_to_the_root_of_its_leaves(leaves: list[bytes]) -> None:
    edge = Edge()
    for leaf in leaves:
        edge, _ = edge.grown(leaf)
    assert edge.root == root_over([leaf_hash(leaf) for leaf in leaves])
    assert edge.size == len(leaves)


def test_a_tile_lies_where_the_specification_says() -> None:
    assert tile_key(0, 1234067, 256) == "tile/0/x001/x234/067"
    assert tile_key(5, 1000, 8) == "tile/5/x001/000.p/8"
    assert tile_key("entries", 999, 256) == "tile/entries/999"


@given(st.integers(0, 7), st.integers(0, 2**40), st.integers(1, 256))
def test_the_size_that_first_has_a_tile_is_told_from_its_place(level: int, number: int, width: int) -> None:
    assert size_of_tile(tile_key(level, number, width)) == (number * 256 + width) * 256**level
    assert size_of_tile(tile_key("entries", number, width)) == number * 256 + width


@pytest.mark.parametrize(
    "key",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/0/x000/001",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/x/000",
    ],
)
def test_what_lies_elsewhere_is_no_tile(key: str) -> None:
    assert size_of_tile(key) is None


def test_a_leaf_tells_nothing_of_its_entry() -> None:
    one, two = grown(3), grown(3)
    entries = [ledger_in(store).entries() for store in (one, two)]
    assert [replace(entry, salt="") for entry in entries[0]] == [replace(entry, salt="") for entry in entries[1]]
    assert one.objects["public/tile/entries/000.p/3"] != two.objects["public/tile/entries/000.p/3"]
    salts = {entry.salt for store in (one, two) for entry in ledger_in(store).entries()}
    assert len(salts) == 6


# Checkpoints


def test_the_checkpoint_is_a_note_signed_by_the_ledger(long: Memory) -> None:
    checkpoint = ledger_in(long).checkpoint()
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 600)
    text, line = checkpoint.note.decode().split("\n\n")
    assert text.split("\n") == [ORIGIN, "600", base64.b64encode(checkpoint.root).decode()]
    name, signature = line.removeprefix("— ").split()
    assert name == ORIGIN
    content = base64.b64decode(signature)
    assert content[:4] == ledger_in(long).verifier_keys[0].id
    KEYS.ledger.public.verify(content[4:], f"{text}\n".encode())


def test_an_empty_ledger_has_no_checkpoint_to_show() -> None:
    assert ledger_in(Memory()).checkpoint() == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert ledger_in(Memory()).verify() == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert ledger_in(Memory()).witnessed() is None


def test_a_checkpoint_by_an_older_key_of_ours_holds_and_by_a_strangers_does_not() -> None:
    store = grown(3)
    rotated = Keys(signing_key(2), older=(signing_key(1),))
    append(ledger_in(store, rotated), 3)
    assert ledger_in(store, rotated).verify().size == 4
    keys = ledger_in(store, rotated).verifier_keys
    assert len(keys) == 2
    for size in range(1, 5):
        assert open_checkpoint(store.objects[f"public/checkpoints/{size}"], keys).size == size
    with pytest.raises(Conflict, match="checkpoint 1 does not hold"):
        ledger_in(store, Keys(signing_key(2))).verify()


def test_of_two_keys_that_sign_one_size_the_first_stays() -> None:
    store, rotated = grown(2), Keys(signing_key(2), older=(signing_key(1),))
    old, new = ledger_in(store), ledger_in(store, rotated)
    append(old, 2)
    before = store.objects["public/checkpoints/3"]
    store.objects.pop("public/checkpoints/3")
    dying = Interrupted(store, at=5, after=False)  # the writer with the old key sleeps before it signs
    with pytest.raises(Died):
        append(ledger_in(dying), 3)
    append(new, 4)
    assert ledger_in(store, rotated).verify().size == len(entries_in(store))
    store.objects["public/checkpoints/3"] = before
    assert ledger_in(store, rotated).verify().size == len(entries_in(store))


def test_one_bad_signature_of_ours_spoils_the_checkpoint() -> None:
    checkpoint, keys = signed(ORIGIN, 5), ledger_in(Memory()).verifier_keys
    line = checkpoint.note[len(checkpoint.text) + 1 :]
    assert open_checkpoint(checkpoint.note + line, keys).size == 5
    with pytest.raises(Refused) as refused:
        open_checkpoint(checkpoint.note + spoil_signature(line), keys)
    assert refused.value.code is Code.CHECKPOINT_INVALID


def test_a_ledger_of_another_name_is_not_this_one(long: Memory) -> None:
    with pytest.raises(Conflict):
        ledger_in(long, origin="safeconduct/other").verify()
    with pytest.raises(Refused) as refused:
        open_checkpoint(ledger_in(long).checkpoint().note, ledger_in(long, origin="safeconduct/other").verifier_keys)
    assert refused.value.code is Code.ORIGIN_DIFFERS


# Proofs


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_every_entry_is_proven_in_every_checkpoint_that_covers_it(long: Memory, data: st.DataObject) -> None:
    ledger = ledger_in(long)
    sequence = data.draw(st.integers(0, 599))
    size = data.draw(st.none() | st.integers(sequence + 1, 600))
    (entry,) = (entry for entry in [next(iter(ledger.entries(start=sequence)))])
    proven = open_proof(ledger.prove(entry, size), ledger.verifier_keys)
    assert (proven.entry, proven.checkpoint.size) == (entry, size or sequence + 1)


def test_a_proof_is_the_same_however_often_it_is_asked_for() -> None:
    store = grown(5)
    entry = next(iter(ledger_in(store).entries(start=2)))
    before = ledger_in(store).prove(entry)
    append(ledger_in(store), 5)
    ledger_in(store, watched()).take_cosigned(
        cosigned(ledger_in(store).checkpoint()), partner="example-customs", now=NOON
    )
    assert ledger_in(store, watched()).prove(entry) == before


def test_an_entry_whose_writer_died_is_proven_after_it_was_finished() -> None:
    for at in count(4):
        store = grown(3)
        dying = Interrupted(store, at)
        with suppress(Died):
            append(ledger_in(dying), 3)
        if not dying.was_met:
            return
        entry = ledger_in(store).find("id/3")
        if entry is not None:
            proof = ledger_in(store).prove(entry)
            assert open_proof(proof, ledger_in(store).verifier_keys).entry == entry
            assert ledger_in(store).checkpoint().size == 4


def test_what_is_not_in_the_ledger_is_not_proven(long: Memory) -> None:
    entry = next(iter(ledger_in(long).entries(start=300)))
    with pytest.raises(Conflict, match="do not hold entry 300"):
        ledger_in(long).prove(replace(entry, subject="another"))
    with pytest.raises(Misconfigured, match="no checkpoint of size 601 here"):
        ledger_in(long).prove(entry, 601)
    with pytest.raises(Misconfigured, match="no checkpoint of size 300 that covers entry 300"):
        ledger_in(long).prove(entry, 300)


def proof_of(store: Memory, sequence: int, size: int | None = None) -> bytes:
    ledger = ledger_in(store)
    return ledger.prove(next(iter(ledger.entries(start=sequence))), size)


def refusal(proof: bytes, keys: tuple[VerifierKey, ...]) -> Code | None:
    try:
        open_proof(proof, keys)
    except Refused as refused:
        return refused.code
    return None


def test_a_proof_of_another_index_entry_or_ledger_is_refused(long: Memory) -> None:
    keys = ledger_in(long).verifier_keys
    proof, other = read_proof(proof_of(long, 10, 20)), read_proof(proof_of(long, 11, 20))
    assert refusal(bytes(proof), keys) is None
    assert refusal(bytes(replace(proof, index=11)), keys) is Code.PROOF_OF_ANOTHER
    assert refusal(bytes(replace(proof, extra=other.extra)), keys) is Code.PROOF_OF_ANOTHER
    assert refusal(bytes(replace(proof, path=other.path)), keys) is Code.PROOF_INVALID
    assert refusal(bytes(replace(proof, path=proof.path[:-1])), keys) is Code.PROOF_INVALID
    assert refusal(bytes(replace(proof, extra=b"")), keys) is Code.PROOF_INVALID
    assert refusal(bytes(replace(proof, note=read_proof(proof_of(long, 10, 21)).note)), keys) is Code.PROOF_INVALID
    assert refusal(bytes(proof) + b"\n", keys) is Code.CHECKPOINT_INVALID
    assert refusal(b"", keys) is Code.PROOF_INVALID
    assert refusal(bytes(proof), (log_key(ORIGIN, signing_key(9).public),)) is Code.CHECKPOINT_INVALID
    assert refusal(bytes(proof), (log_key("safeconduct/other", KEYS.ledger.public),)) is Code.ORIGIN_DIFFERS


def test_a_proof_of_a_forged_tree_is_refused_though_it_leads_to_its_root(long: Memory) -> None:
    forger = grown(20, Keys(signing_key(9)))
    proof = ledger_in(forger, Keys(signing_key(9))).prove(next(iter(ledger_in(forger).entries())), 20)
    assert refusal(proof, ledger_in(long).verifier_keys) is Code.CHECKPOINT_INVALID


def test_every_flipped_bit_of_a_proof_is_refused() -> None:
    store = grown(3)
    proof, keys = proof_of(store, 1, 3), ledger_in(store).verifier_keys
    accepted = [
        (at, bit)
        for at in range(len(proof))
        for bit in range(8)
        if refusal(proof[:at] + bytes([proof[at] ^ 1 << bit]) + proof[at + 1 :], keys) is None
    ]
    assert accepted == []


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_that_a_ledger_only_grew_is_proven(long: Memory, data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(0, new))
    leaves = leaf_hashes(long)
    proof = ledger_in(long).consistency(old, new)
    check_consistency(old, new, root_over(leaves[:old]), root_over(leaves[:new]), proof)


# Cosignatures


def test_a_cosignature_is_taken_stored_and_shown() -> None:
    store = grown(5)
    ledger = ledger_in(store, watched())
    (taken,) = ledger.take_cosigned(cosigned(ledger.checkpoint()), partner="example-customs", now=NOON)
    assert (taken.size, taken.key.name, taken.at) == (5, WITNESS, NOON)
    assert store.objects[f"public/{taken.place}"] == f"{taken.key}\n{taken.signature}".encode()
    assert ledger.cosignatures() == (taken,)
    for number in range(5, 8):
        append(ledger, number)
    witnessed = ledger.witnessed()
    assert witnessed
    assert witnessed.note == cosigned(replace(witnessed, note=store.objects["public/checkpoints/5"]))
    entry = next(iter(ledger.entries(start=2)))
    proven = open_proof(ledger.prove(entry, witnessed.size), ledger.verifier_keys, [taken.key])
    assert proven.cosignatures == (taken,)
    assert ledger.verify().size == 8


def test_the_first_cosignature_of_a_witness_stays() -> None:
    ledger = ledger_in(grown(5), watched())
    note = ledger.checkpoint()
    first = ledger.take_cosigned(cosigned(note), partner="example-customs", now=NOON)
    later = cosigned(note, at=NOON + timedelta(hours=1))
    assert ledger.take_cosigned(later, partner="example-customs", now=NOON + timedelta(hours=2)) == first


def test_a_witness_that_the_keyring_does_not_name_does_not_count() -> None:
    store = grown(5)
    ledger = ledger_in(store, watched())
    ledger.take_cosigned(cosigned(ledger.checkpoint()), partner="example-customs", now=NOON)
    forgotten = ledger_in(store)
    assert forgotten.witnessed() is None
    assert [forgotten.counts(one) for one in forgotten.cosignatures()] == [False]
    assert forgotten.verify().size == 5


def spoil_signature(note: bytes) -> bytes:
    line = note.decode().splitlines()[-1].split()[-1]
    content = bytearray(base64.b64decode(line))
    content[20] ^= 1
    return note.replace(line.encode(), base64.b64encode(content))


NOT_TAKEN: list[tuple[str, type[SafeconductError], Code, Callable[[Ledger], bytes]]] = [
    ("a stranger's", Refused, Code.WITNESS_UNKNOWN, lambda ledger: cosigned(ledger.checkpoint(), key=8)),
    ("of a stranger's name", Refused, Code.WITNESS_UNKNOWN, lambda ledger: cosigned(ledger.checkpoint(), name="other")),
    ("none", Refused, Code.WITNESS_UNKNOWN, lambda ledger: ledger.checkpoint().note),
    ("a changed one", Refused, Code.COSIGNATURE_INVALID, lambda ledger: spoil_signature(cosigned(ledger.checkpoint()))),
    ("no note", Refused, Code.CHECKPOINT_INVALID, lambda _: b"hello\n"),
    ("cut short", Refused, Code.CHECKPOINT_INVALID, lambda ledger: cosigned(ledger.checkpoint())[:-9]),
    (
        "from the future",
        Refused,
        Code.CLOCK_JUMPED,
        lambda ledger: cosigned(ledger.checkpoint(), at=NOON + timedelta(minutes=6)),
    ),
    ("of another ledger", Refused, Code.ORIGIN_DIFFERS, lambda _: cosigned(signed(ORIGIN + "2", 5))),
    ("of a forger", Refused, Code.CHECKPOINT_INVALID, lambda _: cosigned(signed(ORIGIN, 5, key=9))),
    ("of a fork", Conflict, Code.LEDGER_FORKED, lambda _: cosigned(signed(ORIGIN, 5))),
    ("of a longer ledger", Conflict, Code.LEDGER_WENT_BACK, lambda _: cosigned(signed(ORIGIN, 6))),
]


def signed(origin: str, size: int, *, key: int = 1) -> Checkpoint:
    return sign_checkpoint(Checkpoint(origin, size, bytes(32)), signing_key(key))


@pytest.mark.parametrize(("kind", "code", "note"), [row[1:] for row in NOT_TAKEN], ids=[row[0] for row in NOT_TAKEN])
def test_a_cosignature_is_not_taken(kind: type[SafeconductError], code: Code, note: Callable[[Ledger], bytes]) -> None:
    store = grown(5)
    ledger = ledger_in(store, watched())
    before = dict(store.objects)
    with pytest.raises(kind) as refused:
        ledger.take_cosigned(note(ledger), partner="example-customs", now=NOON)
    assert refused.value.code is code
    assert store.objects == before


def test_one_partners_witness_does_not_speak_for_another_partner() -> None:
    ledger = ledger_in(grown(5), watched(partner="somebody-else"))
    with pytest.raises(Refused) as refused:
        ledger.take_cosigned(cosigned(ledger.checkpoint()), partner="example-customs", now=NOON)
    assert refused.value.code is Code.WITNESS_UNKNOWN


def test_a_witness_key_that_cannot_be_read_is_ours_to_correct() -> None:
    ledger = ledger_in(grown(5), Keys(known=(Known("example-customs", "name+00000000+AAAA"),)))
    with pytest.raises(Misconfigured) as refused:
        ledger.take_cosigned(cosigned(ledger.checkpoint()), partner="example-customs", now=NOON)
    assert refused.value.code is Code.PARTNER_KEY_INVALID


# What is found


def evidence(size: int = 12) -> Memory:
    """A ledger with a cosignature, of which it has an entry."""
    store = grown(size - 1)
    ledger = ledger_in(store, watched())
    (taken,) = ledger.take_cosigned(cosigned(ledger.checkpoint()), partner="example-customs", now=NOON)
    ledger.append(id="witnessed", kind=Kind.WITNESSED, subject="example-customs", facts=dict(taken.facts), at=NOON)
    assert ledger.verify().size == size
    return store


def is_found(store: Memory) -> bool:
    try:
        ledger_in(store).verify()
    except Conflict as found:
        return found.code is Code.OBJECT_ALTERED
    return False


def test_every_single_flipped_bit_in_any_object_is_found() -> None:
    store, chance = evidence(), random.Random(5)
    tried = found = 0
    for key, content in sorted(store.objects.items()):
        bits = range(8 * len(content))
        for bit in chance.sample(bits, min(len(bits), 12)):
            at = bit // 8
            store.objects[key] = content[:at] + bytes([content[at] ^ 1 << bit % 8]) + content[at + 1 :]
            tried, found = tried + 1, found + is_found(store)
        store.objects[key] = content
    assert not is_found(store)
    assert len(store.objects) == 12 * 5 + 1
    assert (tried, found) == (692, 692)


def test_every_bit_of_a_cosignature_counts() -> None:
    store = evidence()
    (key,) = (key for key in store.objects if "/cosignatures/" in key)
    content = store.objects[key]
    for bit in range(8 * len(content)):
        at = bit // 8
        store.objects[key] = content[:at] + bytes([content[at] ^ 1 << bit % 8]) + content[at + 1 :]
        assert is_found(store), bit


def test_a_changed_cosignature_is_found_though_no_entry_names_it() -> None:
    store = grown(5)
    ledger = ledger_in(store, watched())
    (taken,) = ledger.take_cosigned(cosigned(ledger.checkpoint()), partner="example-customs", now=NOON)
    assert not is_found(store)
    store.objects[f"public/{taken.place}"] = cosignature_of(signed(ORIGIN, 5)).stored
    assert is_found(store)


def test_a_checkpoint_of_another_tree_is_found_though_our_key_has_signed_it() -> None:
    store = evidence()
    store.objects["public/checkpoints/5"] = signed(ORIGIN, 5).note
    assert is_found(store)


def test_a_line_that_was_added_to_a_checkpoint_is_found() -> None:
    store = evidence()
    store.objects["public/checkpoints/11"] = cosigned(checkpoint_at(store, 11))
    assert is_found(store)


def test_a_cosignature_in_another_witnesss_place_is_found() -> None:
    store = evidence()
    (key,) = (key for key in store.objects if "/cosignatures/" in key)
    store.objects[f"{key[:-64]}{'0' * 64}"] = store.objects[key]
    assert is_found(store)


def test_a_checkpoint_in_anothers_place_shows_nothing() -> None:
    store = grown(6)
    store.objects["public/checkpoints/5"] = store.objects["public/checkpoints/6"]
    ledger = ledger_in(store)
    with pytest.raises(Conflict, match="checkpoint 5 is that of another size"):
        ledger.prove(next(iter(ledger.entries(start=4))))


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False))
def test_a_flipped_bit_is_found_where_tiles_are_full(chance: random.Random) -> None:
    store = Memory(dict(LONG_EVIDENCE.objects))
    key = chance.choice(sorted(store.objects))
    content = store.objects[key]
    at = chance.randrange(len(content))
    store.objects[key] = content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]
    assert is_found(store), key


LONG_EVIDENCE = evidence(260)


def test_every_object_that_is_taken_away_is_found_but_the_last_checkpoint_which_is_made_again() -> None:
    store, missed = evidence(), []
    for key in sorted(store.objects):
        content = store.objects.pop(key)
        if not is_found(store):
            missed.append(key)
        store.objects[key] = content
    assert missed == ["public/checkpoints/12"]
    content = store.objects.pop("public/checkpoints/12")
    append(ledger_in(store), 99)
    assert store.objects["public/checkpoints/12"] == content


@pytest.mark.parametrize(
    "key", ["notes.txt", "tile/0/notes", "tile/0/007.p/3", "checkpoints/13", "checkpoints/012", "checkpoints/0", "x/1"]
)
@pytest.mark.parametrize("copy", ["public/checkpoints/12", "public/tile/0/000.p/12"])
def test_every_object_that_is_added_is_found(key: str, copy: str) -> None:
    store = evidence()
    store.objects[f"public/{key}"] = store.objects[copy]
    assert is_found(store)


@pytest.mark.parametrize("key", ["notes.txt", "entries/notes", "entries/000000000013.json", "ids/x", "checkpoints/1"])
def test_every_private_object_that_is_added_is_found(key: str) -> None:
    store = evidence()
    store.objects[f"private/{key}"] = store.objects["private/entries/000000000003.json"]
    assert is_found(store)


def test_two_objects_in_each_others_place_are_found() -> None:
    store, chance = evidence(), random.Random(3)
    keys = sorted(store.objects)
    for _ in range(150):
        one, two = chance.sample(keys, 2)
        store.objects[one], store.objects[two] = store.objects[two], store.objects[one]
        assert is_found(store), (one, two)
        store.objects[one], store.objects[two] = store.objects[two], store.objects[one]


def take_away(store: Memory, from_: int, *, tree: bool) -> None:
    """The entries from this one on are gone with their ids; and so are their tiles and checkpoints."""
    for number in range(from_, len(entries_in(store))):
        store.objects.pop(f"private/{entry_place(number)}")
        store.objects.pop(f"private/{id_place(f'id/{number}')}")
        for key in list(store.objects):
            size = (
                size_of_tile(key.removeprefix("public/")) or int(key.rpartition("public/checkpoints/")[2] or 0)
                if (key.startswith(("public/tile/", "public/checkpoints/")))
                else 0
            )
            if tree and size > from_:
                store.objects.pop(key)


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_last_entries_that_were_taken_away_together_are_found_while_the_tree_remains(lost: int) -> None:
    store = grown(12)
    take_away(store, 12 - lost, tree=False)
    assert is_found(store)
    with pytest.raises(Conflict, match="its checkpoint is there"):
        append(ledger_in(store), 99)
    assert len(entries_in(store)) == 12 - lost


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_last_entries_that_were_taken_away_with_their_tree_are_found_by_whoever_remembers(lost: int) -> None:
    store = grown(12)
    remembered = ledger_in(store).checkpoint()
    take_away(store, 12 - lost, tree=True)
    ledger = ledger_in(store)
    assert ledger.verify().size == 12 - lost
    for check in (lambda: ledger.confirm(remembered), lambda: ledger.verify(since=remembered)):
        with pytest.raises(Conflict) as found:
            check()
        assert found.value.code is Code.LEDGER_WENT_BACK
    for number in range(20, 20 + lost):
        append(ledger, number)
    with pytest.raises(Conflict) as found:
        ledger.confirm(remembered)
    assert found.value.code is Code.LEDGER_FORKED


@pytest.mark.parametrize("key", ["tile/0/000.p/7", "tile/entries/000.p/7", "checkpoints/7"])
def test_a_writer_signs_nothing_on_a_tree_that_was_changed(key: str) -> None:
    store = grown(7)
    content = store.objects[f"public/{key}"]
    store.objects[f"public/{key}"] = content[:50] + bytes([content[50] ^ 1]) + content[51:]
    with pytest.raises(Conflict) as found:
        append(ledger_in(store), 7)
    assert found.value.code is Code.OBJECT_ALTERED
    assert len(entries_in(store)) == 7


def test_a_writer_signs_nothing_behind_a_last_entry_that_was_replaced() -> None:
    store = grown(7)
    place = f"private/{entry_place(6)}"
    store.objects[place] = store.objects[place].replace(b'"rows":6', b'"rows":7')
    with pytest.raises(Conflict, match="entry 6 is not the one that checkpoint 7 covers"):
        append(ledger_in(store), 7)
    assert len(entries_in(store)) == 7


def test_a_writer_signs_nothing_on_tiles_that_agree_with_each_other_and_not_with_the_checkpoint() -> None:
    store = grown(7)
    leaf = bytes(32)
    bundle, tile = store.objects["public/tile/entries/000.p/7"], store.objects["public/tile/0/000.p/7"]
    store.objects["public/tile/entries/000.p/7"] = bundle[:2] + leaf + bundle[34:]
    store.objects["public/tile/0/000.p/7"] = leaf_hash(leaf) + tile[32:]
    with pytest.raises(Conflict, match="do not have the root that checkpoint 7 has"):
        append(ledger_in(store), 7)
    assert len(entries_in(store)) == 7


def test_a_writer_signs_nothing_beside_a_checkpoint_of_another_tree() -> None:
    store = grown(7)
    ledger = ledger_in(store)
    append(ledger, 7)
    store.objects["public/checkpoints/9"] = signed(ORIGIN, 9).note
    with pytest.raises(Conflict) as found:
        append(ledger, 8)
    assert found.value.code is Code.LEDGER_FORKED


# Verified from a checkpoint on


@pytest.mark.parametrize("start", [1, 255, 256, 257, 511, 600])
def test_what_was_verified_once_need_not_be_read_again(long: Memory, start: int) -> None:
    since = open_checkpoint(long.objects[f"public/checkpoints/{start}"], ledger_in(long).verifier_keys)
    counting = Interrupted(long, at=-1)
    assert ledger_in(counting).verify(since=since) == ledger_in(long).checkpoint()
    assert counting.calls <= 5 * (600 - start) + 20


def test_from_a_checkpoint_on_everything_is_found_and_nothing_before_is_read() -> None:
    store = evidence()
    since = open_checkpoint(store.objects["public/checkpoints/6"], ledger_in(store).verifier_keys)
    for key, content in sorted(store.objects.items()):
        store.objects[key] = content[:-1] + bytes([content[-1] ^ 2])
        size = int("".join(filter(str.isdigit, key.rpartition("/")[2])) or 0) + ("entries/0000" in key)
        before = size <= 5 if "/ids/" not in key else content in [b"%d" % number for number in range(6)]
        try:
            ledger_in(store).verify(since=since)
        except Conflict:
            assert not before, key
        else:
            assert before or size == 6, key
        store.objects[key] = content


def test_an_entry_that_is_gone_from_before_the_checkpoint_is_seen_by_its_name() -> None:
    store = grown(12)
    since = open_checkpoint(store.objects["public/checkpoints/6"], ledger_in(store).verifier_keys)
    store.objects.pop(f"private/{entry_place(2)}")
    with pytest.raises(Conflict, match="1 of the first 6 entries"):
        ledger_in(store).verify(since=since)


# What an append costs


@pytest.mark.parametrize("size", [1, 10, 255, 256, 257, 600])
def test_an_append_is_some_calls_however_long_the_ledger_is(size: int) -> None:
    store = grown(size) if size < 600 else Memory(dict(grown(600).objects))
    counting = Interrupted(store, at=-1)
    ledger = ledger_in(counting)
    append(ledger, size)
    assert counting.calls <= 2 * size.bit_length() + 16
    counting.calls = 0
    append(ledger, size + 1)
    assert counting.calls <= 7


@pytest.mark.parametrize("after", [False, True])
def test_a_writer_that_dies_while_a_tile_is_filled_leaves_nothing_undone(*, after: bool) -> None:
    full = {size: grown(size) for size in (255, 511)}
    for size, at in ((size, at) for size in full for at in range(40)):
        store = Memory(dict(full[size].objects))
        dying = Interrupted(store, at, after)
        with suppress(Died):
            append(ledger_in(dying), size)
        append(ledger_in(store), size + 1)
        append(ledger_in(store), size)
        assert ledger_in(store).verify(since=checkpoint_at(store, size)).size == size + 2


def checkpoint_at(store: Memory, size: int) -> Checkpoint:
    return open_checkpoint(store.objects[f"public/checkpoints/{size}"], ledger_in(store).verifier_keys)


def test_verifier_keys_are_given_as_text() -> None:
    (key,) = ledger_in(Memory()).verifier_keys
    assert read_verifier_key(str(key)) == key
    assert bytes(Proof(0, (), b"note")).startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n")

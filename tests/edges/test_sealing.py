"""Only the identities that an object is sealed to open it, and nothing but the whole, unchanged content comes out."""

import hashlib
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.edges import bech32
from pipeline.edges.sealing import CHUNK_BYTES, Identity, Origin, new_identity, open_blocks, open_sealed, seal

VECTORS = sorted(path for path in (Path(__file__).parent / "vectors" / "age").iterdir() if path.suffix != ".md")
AROUND_CHUNKS = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 1]
IDENTITY = Identity.of_secret(bech32.encode("age-secret-key-", bytes(range(32))))
CONTENT = random.Random(1).randbytes(2 * CHUNK_BYTES + 100)
SEALED = seal(CONTENT, [IDENTITY.recipient])

# 32 zero bytes, with a right checksum, whose padding is not the four zero bits that it has to be.
PADDED_WITH_ONE = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQP6PM6NR"
PADDED_TOO_LONG = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQLK4VV9"

Opener = Callable[[bytes, Identity], bytes]


def blocks_of(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def by_blocks(size: int) -> Opener:
    return lambda sealed, identity: b"".join(open_blocks(blocks_of(sealed, size), identity))


OPENERS: dict[str, Opener] = {
    "at once": open_sealed,
    "in small blocks": by_blocks(1000),
    "in blocks as long as a sealed chunk": by_blocks(CHUNK_BYTES + 16),
    "in large blocks": by_blocks(1 << 20),
}
every_opener = pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS.keys())


def handed_out(sealed: bytes, identity: Identity, block_bytes: int) -> tuple[bytes, Exception | None]:
    """What `open_blocks` handed out, and the error that it ended with, if any."""
    clear = bytearray()
    try:
        for block in open_blocks(blocks_of(sealed, block_bytes), identity):
            clear += block
    except Conflict as error:
        return bytes(clear), error
    return bytes(clear), None


@pytest.mark.parametrize("size", AROUND_CHUNKS)
@every_opener
def test_what_was_sealed_opens_to_the_same_bytes(size: int, opener: Opener) -> None:
    content = random.Random(size).randbytes(size)

    assert opener(seal(content, [IDENTITY.recipient]), IDENTITY) == content


@given(content=st.binary(max_size=300), block_bytes=st.integers(1, 400))
def test_any_content_opens_to_itself_however_it_is_cut_into_blocks(content: bytes, block_bytes: int) -> None:
    sealed = seal(content, [IDENTITY.recipient])

    assert handed_out(sealed, IDENTITY, block_bytes) == (content, None)


@pytest.mark.parametrize("size", AROUND_CHUNKS)
def test_another_implementation_opens_what_we_seal(size: int) -> None:
    content = random.Random(size).randbytes(size)

    theirs = pyrage.x25519.Identity.from_str(IDENTITY.secret)

    assert pyrage.decrypt(seal(content, [IDENTITY.recipient]), [theirs]) == content


@pytest.mark.parametrize("size", AROUND_CHUNKS)
@every_opener
def test_we_open_what_another_implementation_seals(size: int, opener: Opener) -> None:
    content = random.Random(size).randbytes(size)
    recipient = pyrage.x25519.Recipient.from_str(IDENTITY.recipient)

    assert opener(pyrage.encrypt(content, [recipient]), IDENTITY) == content


def test_another_implementation_makes_the_identities_that_we_read() -> None:
    theirs = pyrage.x25519.Identity.generate()

    assert Identity.of_secret(str(theirs)).recipient == str(theirs.to_public())


@dataclass(frozen=True)
class Vector:
    """A vector of the age project: what it is sealed to, and what must come of opening it."""

    identity: Identity
    sealed: bytes
    succeeds: bool
    payload: str

    @classmethod
    def read(cls, path: Path) -> "Vector":
        head, _, sealed = path.read_bytes().partition(b"\n\n")
        said = dict(line.split(": ", 1) for line in head.decode().splitlines())
        return cls(
            Identity.of_secret(said["identity"]) if "identity" in said else IDENTITY,
            zlib.decompress(sealed) if said.get("compressed") == "zlib" else sealed,
            said["expect"] == "success",
            said.get("payload", hashlib.sha256(b"").hexdigest()),
        )


# What a vector that fails in its payload holds is the beginning of what one of these holds.
WHOLE = [
    open_sealed(vector.sealed, vector.identity)
    for vector in (
        Vector.read(VECTORS[0].parent / name)
        for name in ("stream_258_chunks", "stream_last_chunk_full", "stream_last_chunk_full_second")
    )
]


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
@pytest.mark.parametrize("blocks", [1, 3, 1000])
def test_the_age_projects_vectors_end_as_they_say(path: Path, blocks: int) -> None:
    vector = Vector.read(path)

    clear, error = handed_out(vector.sealed, vector.identity, len(vector.sealed) // blocks + 1)

    assert (error is None) == vector.succeeds
    if error:
        with pytest.raises(Conflict):
            open_sealed(vector.sealed, vector.identity)
        # age hands a last full chunk out before it looks whether it should be the last; we look first.
        allowed = [clear, *(whole[: len(clear) + CHUNK_BYTES] for whole in WHOLE if whole.startswith(clear))]
        assert vector.payload in [hashlib.sha256(content).hexdigest() for content in allowed]
    else:
        assert open_sealed(vector.sealed, vector.identity) == clear
        assert hashlib.sha256(clear).hexdigest() == vector.payload


def test_the_vectors_are_there() -> None:
    assert len(VECTORS) == 67


def test_keys_are_written_as_the_age_specification_writes_them() -> None:
    identity = Identity.of_secret("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")

    assert identity.recipient == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    assert identity.secret == "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (IDENTITY.recipient, "does not begin"),
        (IDENTITY.secret[:-1] + ("Q" if IDENTITY.secret[-1] != "Q" else "P"), "checksum"),
        (IDENTITY.secret[:-1], "checksum"),
        (IDENTITY.secret[:-1] + "i", "mixes"),
        (IDENTITY.secret + "B", "character"),
        ("AGE-SECRET-KEY-1", "checksum"),
        (PADDED_WITH_ONE, "padding"),
        (PADDED_TOO_LONG, "padding"),
        (bech32.encode("age-secret-key-", bytes(31)), "32 bytes"),
        ("", "does not begin"),
    ],
)
def test_a_secret_with_a_slip_is_refused_and_not_repeated(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        Identity.of_secret(text)

    assert not text or text not in str(raised.value)


def test_every_recipient_opens_it_and_nobody_else() -> None:
    first, second, stranger = new_identity(), new_identity(), new_identity()
    sealed = seal(CONTENT, [first.recipient, second.recipient])

    assert open_sealed(sealed, first) == open_sealed(sealed, second) == CONTENT
    with pytest.raises(Conflict, match="none of its stanzas"):
        open_sealed(sealed, stranger)


def test_one_of_several_identities_is_enough() -> None:
    first, second, stranger = new_identity(), new_identity(), new_identity()
    sealed = seal(CONTENT, [second.recipient])

    assert open_sealed(sealed, [first, second]) == CONTENT
    assert b"".join(open_blocks([sealed], (stranger, first, second))) == CONTENT
    for strangers in ([first, stranger], []):
        with pytest.raises(Conflict, match="none of its stanzas"):
            open_sealed(sealed, strangers)


def test_a_recipient_named_twice_gets_one_stanza() -> None:
    sealed = seal(b"", [IDENTITY.recipient, IDENTITY.recipient])

    assert sealed.count(b"-> X25519 ") == 1


def test_nobody_to_seal_to_is_an_error_and_not_an_object_for_all() -> None:
    with pytest.raises(Misconfigured) as raised:
        seal(CONTENT, [])

    assert raised.value.code is Code.PARTNER_KEY_MISSING


@pytest.mark.parametrize(
    "recipient",
    ["", "age1", "ssh-ed25519 AAAA", IDENTITY.secret, IDENTITY.recipient[:-1], IDENTITY.recipient + "q", "age1pq1qqqq"],
)
def test_a_recipient_that_is_none_is_an_error_that_does_not_repeat_it(recipient: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        seal(CONTENT, [IDENTITY.recipient, recipient])

    assert raised.value.code is Code.PARTNER_KEY_INVALID
    assert len(recipient) < 5 or recipient not in str(raised.value)


def test_a_recipient_of_low_order_is_refused() -> None:
    with pytest.raises(Misconfigured) as raised:
        seal(CONTENT, [bech32.encode("age", bytes(32))])

    assert raised.value.code is Code.PARTNER_KEY_INVALID


@given(place=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found(place: int, bit: int) -> None:
    altered = bytearray(SEALED)
    altered[place] ^= 1 << bit

    clear, error = handed_out(bytes(altered), IDENTITY, 50_000)

    assert isinstance(error, Conflict)
    assert CONTENT.startswith(clear)
    with pytest.raises(Conflict):
        open_sealed(bytes(altered), IDENTITY)


def test_each_flipped_bit_of_the_header_and_the_nonce_is_found() -> None:
    small = seal(b"x", [IDENTITY.recipient])
    for place in range(len(small)):
        for bit in range(8):
            altered = bytearray(small)
            altered[place] ^= 1 << bit
            with pytest.raises(Conflict):
                open_sealed(bytes(altered), IDENTITY)


@given(length=st.integers(0, len(SEALED) - 1))
def test_a_missing_end_is_found(length: int) -> None:
    clear, error = handed_out(SEALED[:length], IDENTITY, 50_000)

    assert isinstance(error, Conflict)
    assert CONTENT.startswith(clear)
    with pytest.raises(Conflict):
        open_sealed(SEALED[:length], IDENTITY)


@pytest.mark.parametrize("size", AROUND_CHUNKS)
def test_a_missing_last_chunk_is_found_at_each_boundary(size: int) -> None:
    sealed = seal(CONTENT[:size], [IDENTITY.recipient])
    whole_chunks = max(1, -(-size // CHUNK_BYTES))
    start = len(sealed) - size - 16 * whole_chunks
    for kept in range(whole_chunks):
        _, error = handed_out(sealed[: start + kept * (CHUNK_BYTES + 16)], IDENTITY, 1 << 20)
        assert isinstance(error, Conflict)


@pytest.mark.parametrize("size", AROUND_CHUNKS)
@pytest.mark.parametrize("more", [b"\0", b"\n", bytes(16), SEALED])
@every_opener
def test_bytes_after_the_end_are_found(size: int, more: bytes, opener: Opener) -> None:
    with pytest.raises(Conflict):
        opener(seal(CONTENT[:size], [IDENTITY.recipient]) + more, IDENTITY)


def test_exchanged_chunks_are_found() -> None:
    start = len(SEALED) - len(CONTENT) - 3 * 16
    chunk = CHUNK_BYTES + 16
    first, second, last = SEALED[start:][:chunk], SEALED[start + chunk :][:chunk], SEALED[start + 2 * chunk :]

    with pytest.raises(Conflict):
        open_sealed(SEALED[:start] + second + first + last, IDENTITY)


def test_a_chunk_of_another_object_is_found() -> None:
    other = seal(CONTENT, [IDENTITY.recipient])
    start = len(SEALED) - len(CONTENT) - 3 * 16

    with pytest.raises(Conflict):
        open_sealed(SEALED[:start] + other[start:], IDENTITY)


def test_our_own_altered_object_asks_an_operator_and_a_partners_goes_back_to_the_partner() -> None:
    with pytest.raises(Conflict, match=r"vault/7\.age does not open") as ours:
        open_sealed(SEALED[:-1], IDENTITY, name="vault/7.age")
    with pytest.raises(Refused, match=r"list\.csv\.age does not open") as theirs:
        b"".join(open_blocks([SEALED[:-1]], IDENTITY, origin=Origin.PARTNER, name="list.csv.age"))

    assert ours.value.code is Code.OBJECT_ALTERED
    assert theirs.value.code is Code.OPENING_FAILED


@pytest.mark.parametrize(
    ("sealed", "reason"),
    [
        (b"", "does not begin with an age v1 header"),
        (b"member_id,country\n", "does not begin with an age v1 header"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "armored"),
        (b"age-encryption.org/v1\n-> scrypt AAAA 10\nAAAA\n--- " + b"A" * 43 + b"\n", "passphrase"),
        (b"age-encryption.org/v1\n-> X25519 AAAA\nAAAA\n--- " + b"A" * 43 + b"\n", "malformed"),
    ],
)
def test_the_reason_says_what_the_sender_did(sealed: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        open_sealed(sealed, IDENTITY, origin=Origin.PARTNER)


def test_a_header_of_thousands_of_stanzas_is_refused_before_any_is_tried() -> None:
    stanzas = b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n"
    bomb = b"age-encryption.org/v1\n" + stanzas * 5000 + b"--- " + b"A" * 43 + b"\n"

    with pytest.raises(Conflict, match="does not begin with an age v1 header"):
        open_sealed(bomb, IDENTITY)


def test_an_endless_header_is_refused_in_bounded_memory() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield b"age-encryption.org/v1\n-> X25519 "
        while True:
            read += 1000
            yield b"A" * 1000

    with pytest.raises(Conflict):
        next(open_blocks(endless(), IDENTITY))

    assert read < 100_000


def test_opening_by_blocks_takes_the_memory_of_a_few_chunks() -> None:
    sealed = seal(bytes(16 * CHUNK_BYTES * 16), [IDENTITY.recipient])
    view = memoryview(sealed)
    blocks = (view[at : at + 200_000] for at in range(0, len(sealed), 200_000))
    tracemalloc.start()
    size = sum(len(block) for block in open_blocks(blocks, IDENTITY))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size == 16 * CHUNK_BYTES * 16
    assert peak < 1_000_000


def test_two_objects_of_one_content_have_nothing_in_common() -> None:
    one, other = seal(CONTENT, [IDENTITY.recipient]), seal(CONTENT, [IDENTITY.recipient])

    assert one[-1000:] != other[-1000:]
    assert len({sealed[sealed.index(b"\n-> ") :][:200] for sealed in (one, other)}) == 2


def test_content_in_any_buffer_is_sealed_alike() -> None:
    for content in (CONTENT, bytearray(CONTENT), memoryview(CONTENT), memoryview(CONTENT).cast("H")):
        assert open_sealed(seal(content, [IDENTITY.recipient]), IDENTITY) == CONTENT


def test_an_identity_does_not_show_its_secret() -> None:
    assert IDENTITY.secret not in f"{IDENTITY!r} {IDENTITY!s} {IDENTITY}"
    assert IDENTITY.recipient in repr(IDENTITY)

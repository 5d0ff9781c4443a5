"""Only the identities that an object is sealed to open it, and nothing but the whole, unchanged content comes out."""

import itertools
import random
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, SafeconductError
from pipeline.edges import bech32
from pipeline.edges.armor import BEGIN, END, armored, unarmored
from pipeline.edges.payload import CHUNK_BYTES
from pipeline.edges.sealing import (
    Identity,
    Origin,
    RecipientKind,
    new_identity,
    open_blocks,
    open_sealed,
    recipient_key,
    seal,
    seal_blocks,
)
from pipeline.edges.stanzas import OpeningError, derive, write_header

AROUND_CHUNKS = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 1]
IDENTITY = Identity.of_secret(bech32.encode("age-secret-key-", bytes(range(32))))
HYBRID = Identity.of_secret(bech32.encode("age-secret-key-pq-", bytes(range(32))))
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
every_identity = pytest.mark.parametrize("identity", [IDENTITY, HYBRID], ids=["X25519", "hybrid"])
every_opener = pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS.keys())


def handed_out(sealed: bytes, identity: Identity, block_bytes: int) -> tuple[bytes, Exception | None]:
    """What `open_blocks` handed out, and the error that it ended with, if any."""
    clear = bytearray()
    try:
        for block in open_blocks(blocks_of(sealed, block_bytes), identity):
            clear += block
    except SafeconductError as error:
        return bytes(clear), error
    return bytes(clear), None


@pytest.mark.parametrize("size", AROUND_CHUNKS)
@every_opener
@every_identity
def test_what_was_sealed_opens_to_the_same_bytes(size: int, opener: Opener, identity: Identity) -> None:
    content = random.Random(size).randbytes(size)

    assert opener(seal(content, [identity.recipient]), identity) == content


@given(content=st.binary(max_size=3 * CHUNK_BYTES), block_bytes=st.integers(1, 100_000))
def test_sealing_by_blocks_makes_a_file_of_the_same_chunks(content: bytes, block_bytes: int) -> None:
    by_block = b"".join(seal_blocks(blocks_of(content, block_bytes), [IDENTITY.recipient]))

    assert open_sealed(by_block, IDENTITY) == content
    assert len(by_block) == len(seal(content, [IDENTITY.recipient]))


def test_sealing_by_blocks_says_at_once_that_it_cannot() -> None:
    with pytest.raises(Misconfigured):
        seal_blocks(iter([b"x"]), [])


@given(content=st.binary(max_size=300), block_bytes=st.integers(1, 400), newline=st.sampled_from([b"\n", b"\r\n"]))
def test_an_armored_file_opens_however_it_is_cut_into_blocks(content: bytes, block_bytes: int, newline: bytes) -> None:
    text = b"".join(armored(blocks_of(seal(content, [IDENTITY.recipient]), block_bytes)))

    assert text.isascii()
    assert max(map(len, text.splitlines())) == 64
    assert handed_out(text.replace(b"\n", newline), IDENTITY, block_bytes) == (content, None)
    assert open_sealed(text, IDENTITY) == content


@given(content=st.binary(max_size=300), block_bytes=st.integers(1, 400))
def test_any_content_opens_to_itself_however_it_is_cut_into_blocks(content: bytes, block_bytes: int) -> None:
    sealed = seal(content, [IDENTITY.recipient])

    assert handed_out(sealed, IDENTITY, block_bytes) == (content, None)


def test_keys_are_written_as_the_age_specification_writes_them() -> None:
    identity = Identity.of_secret("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")

    assert identity.recipient == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    assert identity.secret == "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


def test_hybrid_keys_are_written_as_the_age_specification_writes_them() -> None:
    identity = Identity.of_secret("AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR")

    assert identity.recipient.startswith(
        "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6c"
    )
    assert identity.recipient.endswith("efhxpfqdkmhh6gjtqmwze9pyyzk3tlhl53k2ykx3qheyty7saeq0d3fzv49zc0k")
    assert len(identity.recipient) == 1959
    assert identity.secret.endswith("X06SE84UN3VPM33W6HWDX0H3SK3ZQFR")


@pytest.mark.parametrize("kind", RecipientKind)
def test_a_fresh_identity_is_of_the_kind_that_was_asked_for(kind: RecipientKind) -> None:
    first, second = new_identity(kind), new_identity(kind)

    assert first != second
    assert RecipientKind.of(first.recipient) is RecipientKind.of(first.secret) is kind
    assert Identity.of_secret(first.secret) == first
    assert first.secret not in repr(first)


def test_hybrid_recipients_beside_others_are_an_error() -> None:
    for recipients in ([IDENTITY.recipient, HYBRID.recipient], [HYBRID.recipient, IDENTITY.recipient]):
        with pytest.raises(Misconfigured) as raised:
            seal(CONTENT, recipients)
        assert raised.value.code is Code.RECIPIENTS_MIXED


def test_several_hybrid_recipients_open_it_and_nobody_else() -> None:
    first, second, stranger = (new_identity(RecipientKind.HYBRID) for _ in range(3))
    sealed = seal(CONTENT, [first.recipient, second.recipient])

    assert sealed.count(b"-> mlkem768x25519 ") == 2
    assert open_sealed(sealed, [IDENTITY, first]) == open_sealed(sealed, second) == CONTENT
    for identities in ([stranger], [IDENTITY]):
        with pytest.raises(Misconfigured) as raised:
            open_sealed(sealed, identities)
        assert raised.value.code is Code.WRONG_KEY


def test_more_recipients_than_a_reader_would_take_are_an_error() -> None:
    few, many = ([new_identity(RecipientKind.HYBRID).recipient for _ in range(count)] for count in (30, 60))

    assert seal(b"", few).count(b"-> ") == 30
    with pytest.raises(Misconfigured, match="more than one file"):
        seal(b"", many)


def test_each_flipped_bit_of_a_hybrid_header_is_found() -> None:
    small = seal(b"x", [HYBRID.recipient])
    drawn = random.Random(7)
    for place in range(0, len(small), 5):
        altered = bytearray(small)
        altered[place] ^= 1 << drawn.randrange(8)
        with pytest.raises(SafeconductError):
            open_sealed(bytes(altered), HYBRID)


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
    with pytest.raises(Misconfigured, match="none of its stanzas") as ours:
        open_sealed(sealed, stranger)
    with pytest.raises(Refused, match="none of its stanzas") as theirs:
        open_sealed(sealed, stranger, origin=Origin.PARTNER)
    assert ours.value.code is theirs.value.code is Code.WRONG_KEY


def test_one_of_several_identities_is_enough() -> None:
    first, second, stranger = new_identity(), new_identity(), new_identity()
    sealed = seal(CONTENT, [second.recipient])

    assert open_sealed(sealed, [first, second]) == CONTENT
    assert b"".join(open_blocks([sealed], (stranger, first, second))) == CONTENT
    for strangers in ([first, stranger], []):
        with pytest.raises(Misconfigured, match="none of its stanzas"):
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

    assert isinstance(error, SafeconductError)
    assert CONTENT.startswith(clear)
    with pytest.raises(SafeconductError):
        open_sealed(bytes(altered), IDENTITY)


def test_each_flipped_bit_of_the_header_and_the_nonce_is_found() -> None:
    small = seal(b"x", [IDENTITY.recipient])
    for place in range(len(small)):
        for bit in range(8):
            altered = bytearray(small)
            altered[place] ^= 1 << bit
            with pytest.raises(SafeconductError):
                open_sealed(bytes(altered), IDENTITY)


@given(length=st.integers(0, len(SEALED) - 1))
def test_a_missing_end_is_found(length: int) -> None:
    clear, error = handed_out(SEALED[:length], IDENTITY, 50_000)

    assert isinstance(error, SafeconductError)
    assert CONTENT.startswith(clear)
    with pytest.raises(SafeconductError):
        open_sealed(SEALED[:length], IDENTITY)


@pytest.mark.parametrize("size", AROUND_CHUNKS)
def test_a_missing_last_chunk_is_found_at_each_boundary(size: int) -> None:
    sealed = seal(CONTENT[:size], [IDENTITY.recipient])
    whole_chunks = max(1, -(-size // CHUNK_BYTES))
    start = len(sealed) - size - 16 * whole_chunks
    for kept in range(whole_chunks):
        _, error = handed_out(sealed[: start + kept * (CHUNK_BYTES + 16)], IDENTITY, 1 << 20)
        assert isinstance(error, SafeconductError)


@pytest.mark.parametrize("size", AROUND_CHUNKS)
@pytest.mark.parametrize("more", [b"\0", b"\n", bytes(16), SEALED])
@every_opener
def test_bytes_after_the_end_are_found(size: int, more: bytes, opener: Opener) -> None:
    with pytest.raises(SafeconductError):
        opener(seal(CONTENT[:size], [IDENTITY.recipient]) + more, IDENTITY)


HEAD = len(SEALED) - len(CONTENT) - 3 * 16
CHUNKS = [SEALED[at : at + CHUNK_BYTES + 16] for at in range(HEAD, len(SEALED), CHUNK_BYTES + 16)]
OTHER = seal(CONTENT, [IDENTITY.recipient])
FULL = seal(CONTENT[:CHUNK_BYTES], [IDENTITY.recipient])
STRANGER = new_identity()
TO_ANOTHER = seal(CONTENT, [STRANGER.recipient])
TEXT = b"".join(armored([SEALED]))


def with_stanza_of(sealed: bytes, other: bytes) -> bytes:
    """The file with the recipient stanza of another file, and its own MAC."""
    return other[: other.index(b"\n---")] + sealed[sealed.index(b"\n---") :]


BAD_FILES = {
    "nothing": (b"", Code.OPENING_FAILED),
    "not sealed": (CONTENT, Code.OPENING_FAILED),
    "to another": (TO_ANOTHER, Code.WRONG_KEY),
    "with another's stanza": (with_stanza_of(SEALED, TO_ANOTHER), Code.WRONG_KEY),
    "with the stanza of another file to us": (with_stanza_of(SEALED, OTHER), Code.RECIPIENTS_ALTERED),
    "with a recipient more": (SEALED.replace(b"\n---", b"\n-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n---"), None),
    "cut in the header": (SEALED[:40], Code.SEALED_CUT_SHORT),
    "cut after the header": (SEALED[: HEAD - 1], Code.SEALED_CUT_SHORT),
    "without chunks": (SEALED[:HEAD], Code.SEALED_CUT_SHORT),
    "cut after a chunk": (SEALED[:HEAD] + CHUNKS[0] + CHUNKS[1], Code.SEALED_CUT_SHORT),
    "cut in a tag": (SEALED[:HEAD] + CHUNKS[0] + CHUNKS[1] + CHUNKS[2][:9], Code.SEALED_CUT_SHORT),
    "cut in a chunk": (SEALED[:-1], Code.OPENING_FAILED),
    "followed by a byte": (FULL + b"\0", Code.SEALED_OVERLONG),
    "followed by a file": (FULL + OTHER, Code.SEALED_OVERLONG),
    "short last chunk followed by a byte": (SEALED + b"\0", Code.OPENING_FAILED),
    "chunks exchanged": (SEALED[:HEAD] + CHUNKS[1] + CHUNKS[0] + CHUNKS[2], Code.OPENING_FAILED),
    "a chunk twice": (SEALED[:HEAD] + CHUNKS[0] + CHUNKS[0] + CHUNKS[2], Code.OPENING_FAILED),
    "a chunk left out": (SEALED[:HEAD] + CHUNKS[0] + CHUNKS[2], Code.OPENING_FAILED),
    "a chunk of another file": (SEALED[:HEAD] + OTHER[HEAD:], Code.OPENING_FAILED),
    "armor without its end": (TEXT[: -len(END) - 1], Code.SEALED_CUT_SHORT),
    "armor cut in its end": (TEXT[:-5], Code.SEALED_CUT_SHORT),
    "armor followed by something": (TEXT + b"x", Code.SEALED_OVERLONG),
    "armor followed by armor": (TEXT + TEXT, Code.SEALED_OVERLONG),
    "armor followed by much white space": (TEXT + b" " * 2000, Code.SEALED_OVERLONG),
    "armor after something": (b"x" + TEXT, Code.OPENING_FAILED),
    "armor after much white space": (b" " * 2000 + TEXT, Code.OPENING_FAILED),
    "armor of another kind": (TEXT.replace(b"AGE ENCRYPTED FILE", b"PGP MESSAGE"), Code.OPENING_FAILED),
    "armor of one long line": (BEGIN + b"\n" + TEXT[len(BEGIN) : -len(END) - 1].replace(b"\n", b"") + b"\n" + END, Code.OPENING_FAILED),
}  # fmt: skip


@pytest.mark.parametrize(("sealed", "code"), BAD_FILES.values(), ids=BAD_FILES.keys())
@pytest.mark.parametrize("block_bytes", [100, 10**6])
def test_each_kind_of_damage_has_a_code_of_its_own(sealed: bytes, code: Code | None, block_bytes: int) -> None:
    with pytest.raises(Refused) as at_once:
        open_sealed(sealed, IDENTITY, origin=Origin.PARTNER)
    with pytest.raises(Refused) as by_blocks:
        list(open_blocks(blocks_of(sealed, block_bytes), IDENTITY, origin=Origin.PARTNER))
    with pytest.raises((Conflict, Misconfigured)) as ours:
        open_sealed(sealed, IDENTITY)

    assert at_once.value.code is by_blocks.value.code
    assert code is None or at_once.value.code is code
    assert ours.value.code is (Code.WRONG_KEY if at_once.value.code is Code.WRONG_KEY else Code.OBJECT_ALTERED)


def test_an_empty_last_chunk_is_found() -> None:
    """Made by a dishonest sealer, who has the key: the same content must not have two spellings."""
    file_key = b"k" * 16
    aead = ChaCha20Poly1305(derive(file_key, salt=b"n" * 16, info=b"payload"))
    header = write_header(file_key, [recipient_key(IDENTITY.recipient)])
    whole = aead.encrypt(bytes(12), CONTENT[:CHUNK_BYTES], None)
    empty = aead.encrypt(bytes(10) + b"\1\1", b"", None)

    with pytest.raises(Refused, match="last chunk is empty"):
        open_sealed(header + b"n" * 16 + whole + empty, IDENTITY, origin=Origin.PARTNER)


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
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "armor has no end"),
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

    with pytest.raises(SafeconductError):
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


def test_sealing_by_blocks_takes_the_memory_of_a_few_chunks() -> None:
    block = bytes(200_000)
    tracemalloc.start()
    size = sum(len(sealed) for sealed in armored(seal_blocks((block for _ in range(80)), [HYBRID.recipient])))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size > 80 * len(block)
    assert peak < 8_000_000


@pytest.mark.parametrize("block_bytes", [1, 65, 130, 10_000])
@pytest.mark.parametrize("wrong", [b"!", b"=", b"\n", b"\r", b" ", b"-", b"\0"])
def test_no_character_of_armor_can_be_another(block_bytes: int, wrong: bytes) -> None:
    text = b"".join(armored([bytes(1000)]))
    for place in (place for place in range(0, len(text) - 1, 3) if text[place : place + 1] != wrong):
        altered = text[:place] + wrong + text[place + 1 :]
        with pytest.raises(OpeningError):
            unarmored_fully(altered, block_bytes)


@pytest.mark.parametrize("block_bytes", [1, 65, 130, 10_000])
def test_padding_within_armor_is_found_however_it_is_cut_into_blocks(block_bytes: int) -> None:
    padded, more = b"A" * 62 + b"A=\n", b"A" * 64 + b"\n"

    many = BEGIN + b"\n" + more * 20

    assert unarmored_fully(many + padded + END, block_bytes) == bytes(20 * 48 + 47)
    for lines in (padded + more, padded + more + more, more + padded + more + more, padded + padded):
        with pytest.raises(OpeningError):
            unarmored_fully(many + lines + END, block_bytes)


def unarmored_fully(text: bytes, block_bytes: int) -> bytes:
    """What the armor holds. Raises OpeningError for what is no armor at all, too."""
    content = b"".join(unarmored(blocks_of(text, block_bytes)))
    if content == text:
        raise OpeningError("it is not armored")
    return content


def test_endless_white_space_after_armor_is_refused_in_bounded_memory() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield TEXT
        while True:
            read += 1000
            yield b" " * 1000

    with pytest.raises(Refused) as raised:
        list(open_blocks(endless(), IDENTITY, origin=Origin.PARTNER))

    assert raised.value.code is Code.SEALED_OVERLONG
    assert read < 10_000


def test_an_endless_armor_is_opened_in_bounded_memory() -> None:
    line = b"A" * 64 + b"\n"
    endless = (BEGIN + b"\n" if number == 0 else line * 1000 for number in itertools.count())

    with pytest.raises(SafeconductError):
        list(open_blocks(endless, IDENTITY))


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

"""Every vector of the age project ends as it says (tests/edges/vectors/age/ORIGIN.md)."""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.core.errors import Code, Refused
from pipeline.edges.armor import armored, unarmored
from pipeline.edges.payload import CHUNK_BYTES
from pipeline.edges.sealing import Identity, Origin, new_identity, open_blocks, open_sealed

FOLDER = Path(__file__).parent / "vectors" / "age"
VECTORS = sorted(path for path in FOLDER.iterdir() if path.suffix != ".md")
EMPTY = hashlib.sha256(b"").hexdigest()

CODES = {
    "no match": {Code.WRONG_KEY},
    "HMAC failure": {Code.RECIPIENTS_ALTERED},
    "header failure": {Code.OPENING_FAILED, Code.SEALED_CUT_SHORT},
    "armor failure": {Code.OPENING_FAILED, Code.SEALED_CUT_SHORT, Code.SEALED_OVERLONG},
    "payload failure": {Code.OPENING_FAILED, Code.SEALED_CUT_SHORT, Code.SEALED_OVERLONG},
}


@dataclass(frozen=True)
class Vector:
    """What it is sealed to, and what must come of opening it."""

    identities: tuple[Identity, ...]
    sealed: bytes
    expect: str
    payload: str
    passphrase: bool
    armored: bool

    @classmethod
    def read(cls, path: Path) -> "Vector":
        head, _, sealed = path.read_bytes().partition(b"\n\n")
        lines = [line.partition(": ") for line in head.decode().splitlines()]
        said = {key: value for key, _, value in lines}
        return cls(
            tuple(Identity.of_secret(value) for key, _, value in lines if key == "identity"),
            zlib.decompress(sealed) if said.get("compressed") == "zlib" else sealed,
            said["expect"],
            said.get("payload", EMPTY),
            "passphrase" in said,
            said.get("armored") == "yes",
        )


def blocks_of(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


# What a vector that fails in its payload holds is the beginning of what one of these holds.
WHOLE = [
    open_sealed(vector.sealed, vector.identities)
    for vector in map(
        Vector.read,
        (FOLDER / name for name in ("stream_258_chunks", "stream_last_chunk_full", "stream_last_chunk_full_second")),
    )
]


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
@pytest.mark.parametrize("blocks", [1, 3, 1000])
def test_the_age_projects_vectors_end_as_they_say(path: Path, blocks: int) -> None:
    vector = Vector.read(path)
    clear = bytearray()
    error = None
    try:
        for block in open_blocks(
            blocks_of(vector.sealed, len(vector.sealed) // blocks + 1), vector.identities, origin=Origin.PARTNER
        ):
            clear += block
    except Refused as refused:
        error = refused

    if vector.passphrase:  # we take no passphrases: whatever such a file holds, it is refused
        assert error is not None
        assert not clear
    elif error is None:
        assert vector.expect == "success"
        assert open_sealed(vector.sealed, vector.identities) == clear
        assert hashlib.sha256(clear).hexdigest() == vector.payload
    else:
        assert error.code in CODES[vector.expect]
        with pytest.raises(Refused) as at_once:
            open_sealed(vector.sealed, vector.identities, origin=Origin.PARTNER)
        assert at_once.value.code is error.code
        # age hands a last full chunk out before it looks whether it should be the last; we look first.
        allowed = [bytes(clear), *(whole[: len(clear) + CHUNK_BYTES] for whole in WHOLE if whole.startswith(clear))]
        assert vector.payload in [hashlib.sha256(content).hexdigest() for content in allowed]


def test_the_vectors_are_all_there() -> None:
    vectors = list(map(Vector.read, VECTORS))

    assert len(vectors) == 143
    assert {vector.expect for vector in vectors} == {"success", *CODES}
    assert {path.name for path in VECTORS} >= {"x25519", "hybrid", "armor_hybrid", "stream_258_chunks", "scrypt"}


def test_what_is_read_as_armor_is_written_alike() -> None:
    """But for line ends and the white space around it: the age project's round trip of armor."""
    texts = [
        vector.sealed for vector in map(Vector.read, VECTORS) if vector.armored and vector.expect != "armor failure"
    ]

    assert len(texts) > 5
    for text in texts:
        plain = b"".join(unarmored([text]))
        assert b"".join(armored([plain])) == text.replace(b"\r\n", b"\n").strip() + b"\n"


def test_a_passphrase_is_not_asked_for() -> None:
    vector = Vector.read(FOLDER / "scrypt")

    with pytest.raises(Refused, match="passphrase"):
        open_sealed(vector.sealed, new_identity(), origin=Origin.PARTNER)

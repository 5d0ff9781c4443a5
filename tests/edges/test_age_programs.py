"""What we seal, other implementations of age open, and the other way about."""

import random
import subprocess
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]
import pytest

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.edges.armor import armored
from pipeline.edges.payload import CHUNK_BYTES
from pipeline.edges.sealing import (
    Identity,
    Origin,
    RecipientKind,
    new_identity,
    open_sealed,
    seal,
    seal_blocks,
)
from tests.edges.age_programs import age, ask_age_encryption

SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 1]
IDENTITY, OTHER = new_identity(), new_identity()


def content_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def sealed_by_blocks(content: bytes, *recipients: str) -> bytes:
    return b"".join(seal_blocks([content[at : at + 10_000] for at in range(0, len(content), 10_000)], recipients))


def run(*command: str | Path, content: bytes = b"") -> bytes:
    return subprocess.run(command, input=content, capture_output=True, timeout=60, check=True).stdout


@pytest.fixture
def identity_file(tmp_path: Path) -> Path:
    file = tmp_path / "identity.txt"
    file.write_text(f"{IDENTITY.secret}\n")
    return file


@pytest.mark.parametrize("size", SIZES)
def test_age_opens_what_we_seal(size: int, identity_file: Path) -> None:
    content = content_of(size)
    for sealed in (
        seal(content, [OTHER.recipient, IDENTITY.recipient]),
        sealed_by_blocks(content, IDENTITY.recipient),
        b"".join(armored([seal(content, [IDENTITY.recipient])])),
    ):
        assert run(age(), "-d", "-i", identity_file, content=sealed) == content


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("armor", [[], ["-a"]], ids=["binary", "armored"])
def test_we_open_what_age_seals(size: int, armor: list[str]) -> None:
    content = content_of(size)
    to_both = ["-r", OTHER.recipient, "-r", IDENTITY.recipient]

    assert open_sealed(run(age(), *armor, *to_both, content=content), IDENTITY) == content


def test_age_makes_the_identities_that_we_read_and_reads_those_that_we_make(identity_file: Path) -> None:
    secret = run(age("age-keygen")).decode().splitlines()[-1]

    assert run(age("age-keygen"), "-y", identity_file).decode().strip() == IDENTITY.recipient
    assert (
        run(age("age-keygen"), "-y", content=secret.encode()).decode().strip() == Identity.of_secret(secret).recipient
    )


def test_age_refuses_what_we_refuse(identity_file: Path) -> None:
    sealed = seal(content_of(2 * CHUNK_BYTES), [IDENTITY.recipient])
    for bad in (sealed[:-1], sealed + b"x", seal(b"x", [OTHER.recipient]), sealed[: -CHUNK_BYTES - 16]):
        with pytest.raises(subprocess.CalledProcessError):
            run(age(), "-d", "-i", identity_file, content=bad)
        with pytest.raises(Refused):
            open_sealed(bad, IDENTITY, origin=Origin.PARTNER)


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_what_we_seal(size: int) -> None:
    content = content_of(size)
    theirs = pyrage.x25519.Identity.from_str(IDENTITY.secret)

    for sealed in (
        seal(content, [OTHER.recipient, IDENTITY.recipient]),
        sealed_by_blocks(content, IDENTITY.recipient),
        b"".join(armored([seal(content, [IDENTITY.recipient])])),
    ):
        assert pyrage.decrypt(sealed, [theirs]) == content


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("armor", [False, True], ids=["binary", "armored"])
def test_we_open_what_pyrage_seals(size: int, armor: bool) -> None:
    content = content_of(size)
    recipients = [pyrage.x25519.Recipient.from_str(identity.recipient) for identity in (OTHER, IDENTITY)]

    assert open_sealed(pyrage.encrypt(content, recipients, armored=armor), IDENTITY) == content


def test_pyrage_makes_the_identities_that_we_read() -> None:
    theirs = pyrage.x25519.Identity.generate()

    assert Identity.of_secret(str(theirs)).recipient == str(theirs.to_public())


@pytest.mark.parametrize("kind", RecipientKind)
def test_age_encryption_opens_what_we_seal(kind: RecipientKind) -> None:
    ours, stranger = new_identity(kind), new_identity(kind)
    recipients = [stranger.recipient, ours.recipient]
    requests: list[dict[str, Any]] = []
    for size in SIZES:
        content = content_of(size)
        requests += [
            {"do": "decrypt", "identities": [ours.secret], "sealed": seal(content, recipients)},
            {"do": "decrypt", "identities": [ours.secret], "sealed": sealed_by_blocks(content, *recipients)},
            {
                "do": "decrypt",
                "identities": [ours.secret],
                "sealed": b"".join(armored([seal(content, recipients)])),
                "armored": True,
            },
        ]

    assert ask_age_encryption(requests) == [content_of(size) for size in SIZES for _ in range(3)]


@pytest.mark.parametrize("kind", RecipientKind)
def test_we_open_what_age_encryption_seals(kind: RecipientKind) -> None:
    ours, stranger = new_identity(kind), new_identity(kind)
    recipients = [stranger.recipient, ours.recipient]
    sealed = ask_age_encryption(
        [
            {"do": "encrypt", "recipients": recipients, "content": content_of(size), "armored": armor}
            for size in SIZES
            for armor in (False, True)
        ]
    )

    assert [open_sealed(file, ours) for file in sealed] == [content_of(size) for size in SIZES for _ in range(2)]


@pytest.mark.parametrize("kind", RecipientKind)
def test_age_encryption_makes_the_identities_that_we_read_and_opens_with_none_but_ours(kind: RecipientKind) -> None:
    ours, sealed = new_identity(kind), seal(b"x", [new_identity(kind).recipient])
    made, refusal = ask_age_encryption(
        [
            {"do": "keygen", "hybrid": kind is RecipientKind.HYBRID},
            {"do": "decrypt", "identities": [ours.secret], "sealed": sealed},
        ]
    )

    assert Identity.of_secret(made["secret"]).recipient == made["recipient"]
    assert isinstance(refusal, RuntimeError)
    assert "no identity matched" in str(refusal)
    with pytest.raises(Misconfigured) as raised:
        open_sealed(sealed, ours)
    assert raised.value.code is Code.WRONG_KEY

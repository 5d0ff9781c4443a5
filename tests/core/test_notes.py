"""Notes, checkpoints and proofs as texts: those that others made are read, and no bit of ours can change unseen."""

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.merkle import EMPTY_ROOT
from pipeline.core.notes import (
    Checkpoint,
    KeyKind,
    Note,
    Proof,
    Signature,
    VerifierKey,
    cosigned_message,
    is_key_name,
    read_checkpoint,
    read_note,
    read_proof,
    read_signature,
    read_timestamped,
    read_verifier_key,
    timestamped,
)
from pipeline.edges.checkpoints import is_signed

# golang.org/x/mod sumdb/note (BSD 3-Clause): the example of its documentation.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

# The Go checksum database, as anybody can ask for it: its published key, and one of its signed trees.
SUMDB_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_NOTE = """\
go.sum database tree
49189689
ftjbAOzaupaIvaPo/G+Dk63nxOZ2s1OPOKIaPtXs7S4=

— sum.golang.org Az3grlKZssqRoMNPpZfKt0TphbbcF+pzXqElURJKRNFKfaUAgqeI5k2AORH0QAhg/ebRwyIqD/OqP4oLtLnNumvOBAM=
"""

# A public checkpoint of a test log of Certificate Transparency, with the cosignatures of four witnesses.
CT_KEY = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
CT_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
CT_NOTE = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""

HASHES = (sha256(b"hash1").digest(), sha256(b"hash2").digest())
ENCODED = [base64.b64encode(one).decode() for one in HASHES]


# What others have made


def test_a_note_is_signed_as_its_inventors_sign_it() -> None:
    typed = base64.b64decode(GO_SECRET)
    secret = Ed25519PrivateKey.from_private_bytes(typed[1:])
    key = VerifierKey("PeterNeumann", KeyKind(typed[0]), secret.public_key().public_bytes_raw())
    assert str(key) == GO_KEY
    line = Signature(key.name, key.id, secret.sign(GO_TEXT.encode()))
    assert bytes(Note(GO_TEXT, (line,))).decode() == f"{GO_TEXT}\n{GO_LINE}"


@pytest.mark.parametrize(("vkey", "note"), [(GO_KEY, f"{GO_TEXT}\n{GO_LINE}"), (SUMDB_KEY, SUMDB_NOTE)])
def test_a_note_of_others_is_read_and_holds(vkey: str, note: str) -> None:
    key, read = read_verifier_key(vkey), read_note(note.encode())
    (signature,) = read.signatures
    assert signature.is_for(key)
    assert is_signed(key, signature.content, read.text.encode())
    assert not is_signed(key, signature.content, read.text.encode() + b"\n")


def test_a_public_checkpoint_and_its_cosignature_hold() -> None:
    log, witness = read_verifier_key(CT_KEY), read_verifier_key(CT_WITNESS)
    assert (log.kind, witness.kind) == (KeyKind.LOG, KeyKind.WITNESS)
    checkpoint, signatures = read_checkpoint(CT_NOTE.encode())
    assert (checkpoint.size, checkpoint.origin) == (1432088532, log.name)
    assert checkpoint.text.encode() == CT_NOTE.split("\n\n")[0].encode() + b"\n"
    (by_log,) = (one for one in signatures if one.is_for(log))
    assert is_signed(log, by_log.content, checkpoint.text.encode())
    (by_witness,) = (one for one in signatures if one.is_for(witness))
    time, content = read_timestamped(by_witness.content)
    assert is_signed(witness, content, cosigned_message(checkpoint.text, time))
    assert not is_signed(witness, content, cosigned_message(checkpoint.text, time + 1))


@pytest.mark.parametrize(
    ("proof", "text"),
    [
        # github.com/transparency-dev/formats, Apache 2.0: proof/tlog_proof_test.go
        (
            Proof(5, HASHES, b"test checkpoint\n"),
            f"c2sp.org/tlog-proof@v1\nindex 5\n{ENCODED[0]}\n{ENCODED[1]}\n\ntest checkpoint\n",
        ),
        (
            Proof(10, HASHES[:1], b"checkpoint data\n", b"extra information"),
            f"c2sp.org/tlog-proof@v1\nextra ZXh0cmEgaW5mb3JtYXRpb24=\nindex 10\n{ENCODED[0]}\n\ncheckpoint data\n",
        ),
        (Proof(0, (), b"checkpoint\n"), "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"),
    ],
)
def test_a_proof_is_written_as_others_write_it(proof: Proof, text: str) -> None:
    assert bytes(proof).decode() == text
    assert read_proof(text.encode()) == proof


# What is not to be read


@pytest.mark.parametrize(
    "text",
    [
        "wrong-header\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra !!notbase64!!\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex notanumber\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex -5\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 05\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n!!notbase64!!\n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{base64.b64encode(bytes(64)).decode()}\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
        "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra AA==\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\ncheckpoint\r\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + f"{ENCODED[0]}\n" * 40_000 + "\ncheckpoint\n",
        "",
    ],
)
def test_what_is_no_proof_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        read_proof(text.encode())


@pytest.mark.parametrize(
    "vkey",
    [
        "bananas+12344556",
        "rekor.example+12345678+THIS_IS_NOT_BASE64!",
        "rekor.example+12345678+AwEB",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW ",
        "",
    ],
)
def test_what_is_no_verifier_key_is_not_read(vkey: str) -> None:
    with pytest.raises(ValueError):
        read_verifier_key(vkey)


ROOT = base64.b64encode(EMPTY_ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"log\n1\n{ROOT}\nan extension\n",
        f"log\n01\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n{2**63}\n{ROOT}\n",
        f"log\n1\n{ROOT[:-4]}\n",
        f"log\n1\n{ROOT.rstrip('=')}\n",
        f"\n1\n{ROOT}\n",
        f"a log\n1\n{ROOT}\n",
        f"a+log\n1\n{ROOT}\n",
        "log\n1\n",
    ],
)
def test_what_is_no_checkpoint_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        read_checkpoint(f"{text}\n{GO_LINE}".encode())
    read_checkpoint(f"log\n1\n{ROOT}\n\n{GO_LINE}".encode())


@pytest.mark.parametrize(
    "content",
    [
        GO_TEXT.encode(),
        GO_TEXT.encode() + b"\n",
        f"{GO_TEXT}{GO_LINE}".encode(),
        f"{GO_TEXT}\n{GO_LINE}".encode().rstrip(),
        f"{GO_TEXT}\n{GO_LINE}\n".encode(),
        f"{GO_TEXT}\n{GO_LINE} ".encode(),
        f"{GO_TEXT}\t\n\n{GO_LINE}".encode(),
        f"{GO_TEXT}\n-{GO_LINE[1:]}".encode(),
        f"{GO_TEXT}\n— PeterNeumann x08goA\n".encode(),
        f"{GO_TEXT}\n— PeterNeumann x08gow==\n".encode(),
        f"{GO_TEXT}\n{GO_LINE.replace('JnAM=', 'JnAN=')}".encode(),  # the same bytes, in another base64
        f"{GO_TEXT}\n{GO_LINE}".encode("utf-16"),
        f"{GO_TEXT}\n{GO_LINE * 1000}".encode(),
        b"\xff\xfe",
        b"",
    ],
)
def test_what_is_no_signed_note_is_not_read(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_note(content)


@pytest.mark.parametrize("line", [GO_LINE.rstrip(), GO_LINE.replace("JnAM=", "JnAN="), f" {GO_LINE}", "\n", ""])
def test_what_is_no_signature_line_is_not_read(line: str) -> None:
    assert str(read_signature(GO_LINE)) == GO_LINE
    with pytest.raises(ValueError):
        read_signature(line)


@pytest.mark.parametrize("content", [b"", bytes(71), bytes(73), b"\xff" * 72])
def test_what_is_no_cosignature_is_not_read(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_timestamped(content)


# Laws

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(is_key_name)
LINES = st.builds(Signature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=72))
CHECKPOINTS = st.builds(Checkpoint, NAMES, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))


@given(CHECKPOINTS, st.lists(LINES, min_size=1, max_size=16))
def test_a_checkpoint_reads_back_as_it_was_written(checkpoint: Checkpoint, lines: list[Signature]) -> None:
    note = bytes(Note(checkpoint.text, tuple(lines)))
    read, signatures = read_checkpoint(note)
    assert (read.origin, read.size, read.root, read.note) == (checkpoint.origin, checkpoint.size, checkpoint.root, note)
    assert list(signatures) == lines
    assert [read_signature(str(one)) for one in signatures] == lines


@given(NAMES, st.sampled_from(KeyKind), st.binary(min_size=32, max_size=32))
def test_a_verifier_key_reads_back_as_it_was_written(name: str, kind: KeyKind, public: bytes) -> None:
    key = VerifierKey(name, kind, public)
    assert read_verifier_key(str(key)) == key
    other = VerifierKey(name, KeyKind.LOG if kind is KeyKind.WITNESS else KeyKind.WITNESS, public)
    assert other.id != key.id


@given(
    st.builds(
        Proof,
        st.integers(0, 2**63 - 1),
        st.tuples(*[st.binary(min_size=32, max_size=32)] * 3),
        st.binary(),
        st.binary(),
    )
)
def test_a_proof_reads_back_as_it_was_written(proof: Proof) -> None:
    assert read_proof(bytes(proof)) == proof


@given(st.integers(0, 2**63 - 1), st.binary(min_size=64, max_size=64))
def test_a_cosignature_reads_back_as_it_was_written(time: int, signature: bytes) -> None:
    assert read_timestamped(timestamped(time, signature)) == (time, signature)


@given(CHECKPOINTS, st.lists(LINES, min_size=1, max_size=3), st.data())
def test_a_note_with_another_byte_is_another_note_or_none(
    checkpoint: Checkpoint, lines: list[Signature], data: st.DataObject
) -> None:
    note = bytes(Note(checkpoint.text, tuple(lines)))
    at, bit = data.draw(st.integers(0, len(note) - 1)), data.draw(st.integers(0, 7))
    changed = note[:at] + bytes([note[at] ^ 1 << bit]) + note[at + 1 :]
    try:
        read, signatures = read_checkpoint(changed)
    except ValueError:
        return
    assert (read.text, list(signatures)) != (checkpoint.text, lines)

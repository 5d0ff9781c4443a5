"""A delivery is opened only when one of the partner's own keys signed exactly these bytes, for this purpose."""

import base64
import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.edges.opening import (
    MAX_SIGNATURE_BYTES,
    Signer,
    open_delivery,
    read_private_key,
    read_signature,
    read_signers,
    sign,
    signer_line,
    verify_digest,
    verify_signature,
)
from pipeline.edges.sealing import new_identity, seal

VECTORS = Path(__file__).parent / "vectors" / "sshsig"
DELIVERY = b"member_id,country,status\nAEO-0001,XA,active\n" * 3000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNERS = (Signer("ops@air.example", KEY.public_key()),)
KEY_BLOB = signer_line("x", KEY.public_key()).split()[-1]

KEY_WIRE = base64.b64decode(KEY_BLOB)


def vector(name: str) -> bytes:
    return (VECTORS / f"{name}.sig").read_bytes()


def blocks(content: bytes = DELIVERY, size: int = 1000) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def unread() -> Iterator[bytes]:
    raise AssertionError("the delivery was read")
    yield b""


def string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def armored(blob: bytes) -> bytes:
    return b"-----BEGIN SSH SIGNATURE-----\n" + base64.b64encode(blob) + b"\n-----END SSH SIGNATURE-----\n"


def signature_blob(
    *,
    start: bytes = b"SSHSIG\0\0\0\1",
    kind: bytes = b"ssh-ed25519",
    namespace: bytes = b"safeconduct",
    reserved: bytes = b"",
    hash_name: bytes = b"sha512",
    signed_kind: bytes = b"ssh-ed25519",
) -> bytes:
    public = string(kind) + string(KEY.public_key().public_bytes_raw())
    value = string(signed_kind) + string(bytes(64))
    return start + b"".join(map(string, (public, namespace, reserved, hash_name, value)))


def refusal(signature: bytes | None, content: Iterator[bytes], signers: tuple[Signer, ...] = SIGNERS) -> Refused:
    with pytest.raises(Refused) as raised:
        verify_signature(signature, content, signers, name="list.csv")
    assert "list.csv" in str(raised.value)
    return raised.value


@pytest.mark.parametrize("name", ["ed25519-sha512", "ed25519-sha256"])
@pytest.mark.parametrize("size", [1, 1000, len(DELIVERY)])
def test_what_ssh_keygen_signed_is_verified(name: str, size: int) -> None:
    signers = read_signers((VECTORS / "allowed_signers").read_text(), path="allowed_signers")

    assert verify_signature(vector(name), blocks(size=size), signers).name == "ops@air.example"


@pytest.mark.parametrize("hash_name", ["sha512", "sha256"])
def test_we_sign_byte_for_byte_as_ssh_keygen_does(hash_name: str) -> None:
    assert sign(blocks(), KEY, hash_name=hash_name) == vector(f"ed25519-{hash_name}")


@given(content=st.binary(max_size=300), size=st.integers(1, 50))
def test_what_we_sign_is_verified(content: bytes, size: int) -> None:
    assert verify_signature(sign([content], KEY), blocks(content, size), SIGNERS) == SIGNERS[0]


def test_a_digest_that_was_taken_while_claiming_is_enough() -> None:
    signature = read_signature(vector("ed25519-sha256"))

    digest = hashlib.new(signature.hash_name, DELIVERY).digest()

    assert verify_digest(signature, digest, SIGNERS) == SIGNERS[0]


def test_no_signature_is_refused_with_what_to_ask_for() -> None:
    refused = refusal(None, unread())

    assert refused.code is Code.SIGNATURE_MISSING
    assert "ssh-keygen -Y sign -n safeconduct" in refused.next_step


@given(place=st.integers(0, 299), bit=st.integers(0, 7))
def test_a_flipped_bit_of_the_delivery_is_found(place: int, bit: int) -> None:
    altered = bytearray(DELIVERY[:300])
    altered[place] ^= 1 << bit

    assert refusal(sign([DELIVERY[:300]], KEY), iter([bytes(altered)])).code is Code.SIGNATURE_INVALID


@pytest.mark.parametrize("content", [b"", DELIVERY[:-1], DELIVERY + b"\n"], ids=["nothing", "shorter", "longer"])
def test_other_bytes_than_the_signed_ones_are_refused(content: bytes) -> None:
    assert "is not over these bytes" in str(refusal(vector("ed25519-sha512"), blocks(content)))


def test_no_altered_bit_of_a_signature_lets_other_bytes_in_or_another_signer() -> None:
    signature = vector("ed25519-sha512")
    for place in range(len(signature)):
        altered = bytearray(signature)
        altered[place] ^= 1
        refusal(bytes(altered), blocks(b"other"))
        try:
            assert verify_signature(bytes(altered), blocks(size=1 << 20), SIGNERS) == SIGNERS[0]
        except Refused as refused:
            assert refused.code is Code.SIGNATURE_INVALID  # noqa: PT017 (either outcome is right)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ed25519-another-key", "not among the allowed signers"),
        ("ed25519-other-namespace", "was not made for the namespace safeconduct"),
        ("ecdsa-sha512", "is not by an Ed25519 key"),
        ("rsa-sha512", "is not by an Ed25519 key"),
    ],
)
def test_a_good_signature_that_is_not_the_partners_for_a_delivery_is_refused(name: str, reason: str) -> None:
    assert reason in str(refusal(vector(name), blocks()))


@pytest.mark.parametrize(("made_for", "asked_for"), [("safeconduct", "other"), ("other", "safeconduct"), ("a", "ab")])
def test_a_signature_for_one_namespace_does_not_hold_for_another(made_for: str, asked_for: str) -> None:
    signature = sign([DELIVERY], KEY, namespace=made_for)

    assert verify_signature(signature, [DELIVERY], SIGNERS, namespace=made_for) == SIGNERS[0]
    with pytest.raises(Refused) as raised:
        verify_signature(signature, unread(), SIGNERS, namespace=asked_for)
    assert raised.value.code is Code.SIGNATURE_INVALID
    assert f"namespace {asked_for}" in raised.value.message
    assert f"-n {asked_for} " in raised.value.next_step


def test_a_missing_signature_says_for_which_namespace_to_sign() -> None:
    with pytest.raises(Refused) as raised:
        verify_signature(None, unread(), SIGNERS, name="story.toml", namespace="other")
    assert "-n other" in raised.value.next_step


def test_a_signers_line_is_for_its_namespace_alone() -> None:
    text = signer_line("officer", KEY.public_key(), namespace="other")

    assert read_signers(text, path="allowed_signers") == ()
    assert [signer.name for signer in read_signers(text, path="allowed_signers", namespace="other")] == ["officer"]


def test_a_partner_without_signers_delivers_nothing() -> None:
    assert refusal(vector("ed25519-sha512"), blocks(), ()).code is Code.SIGNATURE_INVALID


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (b"", "not an armored SSH signature"),
        (b"-----BEGIN PGP SIGNATURE-----\n", "not an armored SSH signature"),
        (b"x" + vector("ed25519-sha512"), "not an armored SSH signature"),
        (vector("ed25519-sha512") + b"x", "not an armored SSH signature"),
        (vector("ed25519-sha512") * 2, "not an armored SSH signature"),
        (armored(bytes(MAX_SIGNATURE_BYTES)), "not an armored SSH signature"),
        (armored(b""), "not an armored SSH signature"),
        (b"-----BEGIN SSH SIGNATURE-----\nA=A\n-----END SSH SIGNATURE-----\n", "malformed"),
        (armored(b"SSHSIG"), "malformed"),
        (armored(signature_blob()[:-1]), "malformed"),
        (armored(signature_blob() + b"\0"), "malformed"),
        (armored(signature_blob()[10:]), "malformed"),
        (armored(signature_blob(start=b"SSHSIG\0\0\0\2")), "not an SSH signature of version 1"),
        (armored(signature_blob(start=b"SSHSIX\0\0\0\1")), "not an SSH signature of version 1"),
        (armored(signature_blob(kind=b"ssh-ed448")), "is not by an Ed25519 key"),
        (armored(signature_blob(signed_kind=b"ssh-ed448")), "is not by an Ed25519 key"),
        (armored(signature_blob(namespace=b"")), "was not made for the namespace"),
        (armored(signature_blob(namespace=b"safeconduct2")), "was not made for the namespace"),
        (armored(signature_blob(hash_name=b"md5")), "none of sha256, sha512"),
        (armored(signature_blob(hash_name=b"\xff")), "none of sha256, sha512"),
        (armored(signature_blob(hash_name=b"SHA512")), "none of sha256, sha512"),
    ],
)
def test_a_malformed_signature_is_refused_before_the_delivery_is_read(signature: bytes, reason: str) -> None:
    refused = refusal(signature, unread())

    assert refused.code is Code.SIGNATURE_INVALID
    assert reason in str(refused)


@given(st.binary(max_size=200))
def test_any_bytes_as_a_signature_are_refused_and_never_crash(content: bytes) -> None:
    for signature in (content, armored(content), armored(b"SSHSIG\0\0\0\1" + content)):
        assert refusal(signature, blocks()).code is Code.SIGNATURE_INVALID


def test_a_signature_with_the_line_ends_of_windows_is_taken() -> None:
    signature = vector("ed25519-sha512").replace(b"\n", b"\r\n")

    assert verify_signature(signature, blocks(), SIGNERS) == SIGNERS[0]


def test_the_reserved_field_is_signed_too() -> None:
    digest = hashlib.sha512(DELIVERY).digest()
    fields = (b"safeconduct", b"more", b"sha512", digest)
    value = string(b"ssh-ed25519") + string(KEY.sign(b"SSHSIG" + b"".join(map(string, fields))))
    blob = signature_blob(reserved=b"more").replace(string(string(b"ssh-ed25519") + string(bytes(64))), string(value))

    assert verify_signature(armored(blob), blocks(), SIGNERS) == SIGNERS[0]
    refusal(armored(blob.replace(b"more", b"less")), blocks())


def test_signers_are_read_as_ssh_keygen_reads_them() -> None:
    text = f"""
# Comments, and empty lines

a@air.example ssh-ed25519 {KEY_BLOB} a comment
b@air.example,c@air.example namespaces="git,safeconduct" ssh-ed25519 {KEY_BLOB}
d@air.example NAMESPACES="safeconduct"\tssh-ed25519\t{KEY_BLOB}\r
e@air.example namespaces="git" ssh-ed25519 {KEY_BLOB}
"""

    names = [signer.name for signer in read_signers(text, path="allowed_signers")]

    assert names == ["a@air.example", "b@air.example,c@air.example", "d@air.example"]


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        f"ssh-ed25519 {KEY_BLOB}",
        f"a ssh-rsa {KEY_BLOB}",
        f"a SSH-ED25519 {KEY_BLOB}",
        f"a ssh-ed25519 {KEY_BLOB[:-4]}",
        f"a ssh-ed25519 {KEY_BLOB}AAAA",
        "a ssh-ed25519 AAAA",
        f"a ssh-ed25519 {base64.b64encode(string(b'ssh-rsa') + string(bytes(32))).decode()}",
        f"a ssh-ed25519 {base64.b64encode(string(b'ssh-ed25519') + string(bytes(31))).decode()}",
        f"a cert-authority ssh-ed25519 {KEY_BLOB}",
        f'a valid-before="20200101" ssh-ed25519 {KEY_BLOB}',
        f'a namespaces="safe*" ssh-ed25519 {KEY_BLOB}',
        f'a namespaces="!safeconduct" ssh-ed25519 {KEY_BLOB}',
        f'a namespaces="safeconduct",valid-before="20200101" ssh-ed25519 {KEY_BLOB}',
    ],
)
def test_a_line_of_signers_that_is_not_understood_is_an_error_and_not_passed_over(line: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        read_signers(f"# first\n{line}\n", path="keys/allowed_signers")

    assert raised.value.code is Code.PARTNER_KEY_INVALID
    assert "keys/allowed_signers, line 2" in str(raised.value)


def test_a_private_key_of_ssh_keygens_kind_is_read() -> None:
    text = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())

    assert read_private_key(text).public_key() == KEY.public_key()


def test_what_is_no_open_ssh_private_key_is_an_error_that_repeats_nothing() -> None:
    parts = (b"aes256-ctr", b"bcrypt", string(bytes(16)) + struct.pack(">I", 16))
    blob = (
        b"openssh-key-v1\0" + b"".join(map(string, parts)) + struct.pack(">I", 1) + string(KEY_WIRE) + string(bytes(64))
    )
    locked = (
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.b64encode(blob) + b"\n-----END OPENSSH PRIVATE KEY-----\n"
    )
    for text in (b"", b"SECRET", locked, KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())):
        with pytest.raises(ValueError, match="it is not") as raised:
            read_private_key(text)
        assert "SECRET" not in str(raised.value)


def test_a_sealed_delivery_opens_for_the_site_and_a_damaged_one_goes_back_to_the_partner() -> None:
    site = new_identity()
    sealed = seal(DELIVERY, [site.recipient])

    assert b"".join(open_delivery(blocks(sealed), site)) == DELIVERY
    for damaged, code in (
        (sealed[:-1], Code.OPENING_FAILED),
        (b"x" + sealed, Code.OPENING_FAILED),
        (DELIVERY, Code.OPENING_FAILED),
        (sealed[:90], Code.SEALED_CUT_SHORT),
        (seal(DELIVERY, [new_identity().recipient]), Code.WRONG_KEY),
    ):
        with pytest.raises(Refused) as raised:
            b"".join(open_delivery(blocks(damaged), site, name="list.csv.age"))
        assert raised.value.code is code
        assert "list.csv.age" in str(raised.value)

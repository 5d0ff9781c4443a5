"""A statement comes out of an envelope only after a trusted key's signature over exactly it was verified."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from pipeline.core.errors import Code, Refused
from pipeline.edges.signing import (
    PAYLOAD_TYPE,
    PublicKey,
    SigningKey,
    key_id,
    new_signing_key,
    open_envelope,
    read_public_key,
    read_signing_key,
    sign_statement,
    signers_of,
)

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
# The letter that is two bytes tells a length in bytes from one in characters.
STATEMENT = '{"_type":"https://in-toto.io/Statement/v1","title":"Échange"}'.encode()
ENVELOPE = sign_statement(STATEMENT, KEY)
SECOND = MLDSA65PrivateKey.from_seed_bytes(bytes(range(32)))
TWICE = sign_statement(STATEMENT, KEY, SECOND)


def fields(envelope: bytes = ENVELOPE) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(envelope)
    return parsed


def with_fields(**changes: object) -> bytes:
    return json.dumps(fields() | changes).encode()


def refusal(envelope: bytes, *trusted: PublicKey, code: Code = Code.VERIFICATION_FAILED) -> Refused:
    with pytest.raises(Refused) as raised:
        open_envelope(envelope, trusted or [KEY.public])
    assert raised.value.code is code
    return raised.value


@given(statement=st.binary(max_size=200))
def test_what_was_signed_opens_to_the_same_bytes(statement: bytes) -> None:
    assert open_envelope(sign_statement(statement, KEY), [KEY.public]) == statement


def test_one_statement_and_one_key_always_give_one_envelope() -> None:
    assert sign_statement(STATEMENT, KEY) == ENVELOPE


def test_another_implementation_verifies_what_we_sign() -> None:
    key = SSlibKey.from_crypto(KEY.public, keyid=KEY.id)

    envelope = Envelope.from_dict(fields())

    assert list(envelope.verify([key], threshold=1)) == [KEY.id]
    assert envelope.payload == STATEMENT


def test_we_open_what_another_implementation_signs() -> None:
    theirs = Envelope(STATEMENT, PAYLOAD_TYPE, {})
    theirs.sign(CryptoSigner(KEY.key))

    assert open_envelope(json.dumps(theirs.to_dict()).encode(), [KEY.public]) == STATEMENT


def test_the_signature_verifies_by_hand_from_the_standard_alone() -> None:
    payload = base64.b64decode(fields()["payload"])
    kind = b"application/vnd.in-toto+json"
    signed = b" ".join([b"DSSEv1", b"28", kind, b"62", payload])

    assert len(payload) == 62 == len(payload.decode()) + 1
    KEY.public.verify(base64.b64decode(fields()["signatures"][0]["sig"]), signed)


def test_a_key_is_named_by_the_digest_of_its_public_half() -> None:
    der = KEY.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert fields()["signatures"][0]["keyid"] == KEY.id == key_id(KEY.public) == hashlib.sha256(der).hexdigest()


@given(place=st.integers(0, len(STATEMENT) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_of_the_statement_is_found(place: int, bit: int) -> None:
    altered = bytearray(STATEMENT)
    altered[place] ^= 1 << bit

    refusal(with_fields(payload=base64.b64encode(bytes(altered)).decode()))


@given(place=st.integers(0, 63), bit=st.integers(0, 7))
def test_a_flipped_bit_of_the_signature_is_found(place: int, bit: int) -> None:
    altered = bytearray(base64.b64decode(fields()["signatures"][0]["sig"]))
    altered[place] ^= 1 << bit

    refusal(with_fields(signatures=[{"keyid": KEY.id, "sig": base64.b64encode(bytes(altered)).decode()}]))


@given(place=st.integers(0, len(ENVELOPE) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_of_the_envelope_never_changes_what_comes_out(place: int, bit: int) -> None:
    altered = bytearray(ENVELOPE)
    altered[place] ^= 1 << bit
    try:
        assert open_envelope(bytes(altered), [KEY.public]) == STATEMENT
    except Refused as refused:
        assert refused.code is Code.VERIFICATION_FAILED  # noqa: PT017 (either outcome is right)


def test_a_key_that_is_not_trusted_opens_nothing() -> None:
    refused = refusal(ENVELOPE, new_signing_key().public, code=Code.SIGNER_UNKNOWN)
    assert "no valid signature by a trusted key" in str(refused)


def test_nobody_trusted_opens_nothing() -> None:
    with pytest.raises(Refused):
        open_envelope(ENVELOPE, [])


def test_the_name_of_a_trusted_key_beside_another_keys_signature_opens_nothing() -> None:
    theirs = fields(sign_statement(STATEMENT, new_signing_key()))["signatures"][0]

    refusal(with_fields(signatures=[theirs | {"keyid": KEY.id}]))


def test_one_trusted_signature_among_others_is_enough() -> None:
    theirs = fields(sign_statement(STATEMENT, new_signing_key()))["signatures"]
    envelope = with_fields(signatures=theirs + fields()["signatures"])

    assert open_envelope(envelope, [new_signing_key().public, KEY.public]) == STATEMENT


def test_the_second_signature_comes_behind_the_first_and_either_key_opens_the_envelope() -> None:
    assert [one["keyid"] for one in fields(TWICE)["signatures"]] == [KEY.id, key_id(SECOND.public_key())]
    assert fields(TWICE)["signatures"][0] == fields(ENVELOPE)["signatures"][0]
    assert open_envelope(TWICE, [KEY.public]) == open_envelope(TWICE, [SECOND.public_key()]) == STATEMENT


def test_who_signed_is_told_by_the_signatures_that_hold_alone() -> None:
    keys: list[PublicKey] = [KEY.public, SECOND.public_key(), new_signing_key().public]
    assert signers_of(TWICE, keys) == {KEY.id, key_id(SECOND.public_key())}
    assert signers_of(ENVELOPE, keys) == {KEY.id}
    swapped = fields(TWICE)["signatures"]
    swapped[1] = swapped[0] | {"keyid": swapped[1]["keyid"]}
    assert signers_of(with_fields(signatures=swapped), keys) == {KEY.id}


@given(place=st.integers(0, 3308), bit=st.integers(0, 7))
@settings(max_examples=30)
def test_a_flipped_bit_of_the_second_signature_is_found(place: int, bit: int) -> None:
    both = fields(TWICE)["signatures"]
    altered = bytearray(base64.b64decode(both[1]["sig"]))
    altered[place] ^= 1 << bit
    both[1]["sig"] = base64.b64encode(bytes(altered)).decode()
    assert signers_of(with_fields(signatures=both), [KEY.public, SECOND.public_key()]) == {KEY.id}


def test_another_implementation_verifies_the_first_of_two_signatures() -> None:
    key = SSlibKey.from_crypto(KEY.public, keyid=KEY.id)
    assert list(Envelope.from_dict(fields(TWICE)).verify([key], threshold=1)) == [KEY.id]


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        with_fields(payload=None),
        with_fields(payload="***"),
        with_fields(payload=fields()["payload"] + "\n"),
        with_fields(signatures=[]),
        with_fields(signatures={}),
        with_fields(signatures=[None]),
        with_fields(signatures=[{"keyid": KEY.id}]),
        with_fields(signatures=["sig"]),
        with_fields(signatures=fields()["signatures"] * 17),
        with_fields(payloadType="text/plain"),
        ENVELOPE.replace(b'{"payload":', b'{"payload":"e30=","payload":', 1),
        ENVELOPE + b"x",
    ],
    ids=lambda envelope: f"{len(envelope)} bytes",
)
def test_what_is_not_such_an_envelope_is_refused(envelope: bytes) -> None:
    refusal(envelope)


def test_a_signature_made_for_another_kind_of_payload_is_refused() -> None:
    other = Envelope(STATEMENT, "text/plain", {})
    other.sign(CryptoSigner(KEY.key))

    refusal(json.dumps(other.to_dict() | {"payloadType": PAYLOAD_TYPE}).encode(), code=Code.SIGNER_UNKNOWN)


def test_a_refusal_holds_nothing_of_the_statement() -> None:
    refused = refusal(with_fields(payload=base64.b64encode(b"SECRET").decode()))

    assert "SECRET" not in str(refused)
    assert refused.__cause__ is None


def test_a_key_does_not_show_its_secret_half() -> None:
    assert repr(KEY) == "SigningKey()"
    assert b"PRIVATE" not in KEY.public_pem()


def test_a_key_is_read_back_from_its_files() -> None:
    assert read_signing_key(KEY.secret_pem()).id == KEY.id
    assert key_id(read_public_key(KEY.public_pem())) == KEY.id


def test_a_file_that_holds_no_such_key_is_an_error_that_repeats_nothing() -> None:
    other = generate_private_key(SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = KEY.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    for text in (b"", b"garbage", pem, locked, KEY.public_pem()):
        with pytest.raises(ValueError, match="it is not"):
            read_signing_key(text)
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text in (b"", b"garbage", public, KEY.secret_pem()):
        with pytest.raises(ValueError, match="it is not"):
            read_public_key(text)

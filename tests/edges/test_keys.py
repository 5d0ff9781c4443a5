"""A key is made once, is read by its owner only, and is shown to nobody."""

import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Code, Misconfigured, SafeconductError, Unavailable
from pipeline.core.notes import KeyKind, VerifierKey
from pipeline.edges.demo_partner import create_demo_partner
from pipeline.edges.epochs import Epochs
from pipeline.edges.keys import Keyring
from pipeline.edges.opening import read_private_key, sign, signer_line, verify_signature
from pipeline.edges.registered import AGREEMENTS, Witness
from pipeline.edges.roles import Master, Role, read_identity
from pipeline.edges.sealing import new_identity, open_sealed, seal
from pipeline.edges.signing import new_signing_key, read_signing_key
from pipeline.edges.storage import open_store

KEY_FILES = {"signing.pem", "ledger.pem", "vault.txt", "quarantine.txt", "opening.txt", "pseudonym-master.hex"}
NAMES = st.text(alphabet="abc-", min_size=1, max_size=4)


def made(directory: Path) -> Keyring:
    """A keyring in `keys`, and the record of epochs in `private`."""
    (directory / "private").mkdir(parents=True, exist_ok=True)
    epochs = Epochs(open_store((directory / "private").as_uri()))
    return Keyring.create(directory / "keys", epochs=epochs)


def master_of(keyring: Keyring) -> bytes:
    (key,) = (key for key in keyring.keys if isinstance(key.secret, Master))
    assert isinstance(key.secret, Master)
    return key.secret.content


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return made(tmp_path)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return made(tmp_path_factory.mktemp("site"))


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def error_of(act: Callable[[], object]) -> SafeconductError:
    with pytest.raises(SafeconductError) as raised:
        act()
    assert raised.value.__cause__ is None
    return raised.value


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_keyring_holds_every_key_for_its_owner_alone(keyring: Keyring) -> None:
    assert set(contents(keyring.directory)) == KEY_FILES
    assert mode(keyring.directory) == 0o700
    assert {mode(keyring.directory / name) for name in KEY_FILES} == {0o600}


def test_the_keys_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        directory = Keyring.create(tmp_path / "keys").directory
    finally:
        os.umask(before)

    assert mode(directory) == 0o700
    assert {mode(directory / name) for name in KEY_FILES} == {0o600}


def test_a_second_creation_returns_what_is_there(keyring: Keyring) -> None:
    before, touched = contents(keyring.directory), keyring.directory.stat().st_mtime_ns

    again = Keyring.create(keyring.directory)

    assert contents(keyring.directory) == before
    assert keyring.directory.stat().st_mtime_ns == touched
    assert again.vault == keyring.vault == Keyring.open(keyring.directory).vault
    assert again.signing.id == keyring.signing.id


def test_a_creation_that_was_cut_short_is_finished_and_keeps_the_keys_that_it_had(keyring: Keyring) -> None:
    for name in ("signing.pem", "opening.txt"):
        (keyring.directory / name).unlink()

    again = Keyring.create(keyring.directory)

    assert again.vault == keyring.vault
    assert again.opening != keyring.opening


@pytest.mark.parametrize("name", sorted(KEY_FILES - {"signing.pem"}))
def test_a_key_that_a_whole_keyring_lost_is_not_replaced_in_silence(keyring: Keyring, name: str) -> None:
    (keyring.directory / name).unlink()

    error = error_of(lambda: Keyring.create(keyring.directory))

    assert error.code is Code.SITE_KEY_MISSING
    assert not (keyring.directory / name).exists()


def test_creations_that_race_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keyrings = list(pool.map(Keyring.create, [tmp_path / "keys"] * 8))

    assert len({(keyring.vault, keyring.signing.id, master_of(keyring)) for keyring in keyrings}) == 1
    assert set(contents(tmp_path / "keys")) == KEY_FILES


def test_two_sites_share_no_key(tmp_path: Path) -> None:
    one, other = Keyring.create(tmp_path / "one"), Keyring.create(tmp_path / "other")

    secrets = [key for ring in (one, other) for key in (ring.vault.secret, ring.quarantine.secret, ring.opening.secret)]
    assert len(set(secrets)) == 6
    assert one.signing.id != other.signing.id
    assert master_of(one) != master_of(other)


def test_a_keyring_shows_no_secret(keyring: Keyring) -> None:
    shown = f"{keyring!r} {keyring}"

    for secret in (keyring.vault.secret, keyring.quarantine.secret, keyring.opening.secret):
        assert secret not in shown
    assert master_of(keyring).hex() not in shown
    assert repr(master_of(keyring)) not in shown
    assert "PRIVATE" not in shown


def test_the_identity_files_are_such_as_age_reads(keyring: Keyring) -> None:
    lines = (keyring.directory / "vault.txt").read_text().splitlines()

    assert lines[0].startswith("# created: ")
    assert lines[1] == f"# public key: {keyring.vault.recipient}"
    theirs = pyrage.x25519.Identity.from_str(lines[2])
    assert pyrage.decrypt(seal(b"rows", [keyring.vault.recipient]), [theirs]) == b"rows"


@pytest.mark.parametrize("name", sorted(KEY_FILES))
@pytest.mark.parametrize("bits", [0o040, 0o004, 0o020, 0o001])
def test_a_key_that_others_can_touch_is_not_used(keyring: Keyring, name: str, bits: int) -> None:
    path = keyring.directory / name
    path.chmod(0o600 | bits)

    error = error_of(lambda: Keyring.open(keyring.directory))

    assert isinstance(error, Misconfigured)
    assert error.code is Code.SITE_KEY_UNSAFE
    assert error.next_step == f"chmod 600 {path}"


def test_a_keyring_in_a_directory_that_others_can_touch_is_not_used(keyring: Keyring) -> None:
    keyring.directory.chmod(0o750)

    for act in (Keyring.open, Keyring.create):
        error = error_of(lambda act=act: act(keyring.directory))  # type: ignore[misc]
        assert error.code is Code.SITE_KEY_UNSAFE
        assert error.next_step == f"chmod 700 {keyring.directory}"


@pytest.mark.parametrize("name", sorted(KEY_FILES))
def test_a_missing_key_is_named_and_not_made_anew_by_opening(keyring: Keyring, name: str) -> None:
    (keyring.directory / name).unlink()

    error = error_of(lambda: Keyring.open(keyring.directory))

    assert error.code is Code.SITE_KEY_MISSING
    assert str(keyring.directory / name) in str(error)
    assert not (keyring.directory / name).exists()


def test_a_missing_keyring_is_named(tmp_path: Path) -> None:
    error = error_of(lambda: Keyring.open(tmp_path / "keys"))

    assert error.code is Code.SITE_KEY_MISSING
    assert "safeconduct init" in error.next_step


@pytest.mark.parametrize("name", sorted(KEY_FILES))
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"SECRETSECRET\n", b"AGE-SECRET-KEY-1QQQQ\n"])
def test_a_damaged_key_is_named_and_not_repeated(keyring: Keyring, name: str, content: bytes) -> None:
    (keyring.directory / name).write_bytes(content)

    error = error_of(lambda: Keyring.open(keyring.directory))

    assert error.code is Code.SITE_KEY_INVALID
    assert str(keyring.directory / name) in str(error)
    assert "SECRETSECRET" not in str(error)
    assert "QQQQ" not in str(error)


def test_a_place_that_cannot_be_written_is_an_outage_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    error = error_of(lambda: Keyring.create(tmp_path / "file" / "keys"))

    assert isinstance(error, Unavailable)
    assert str(tmp_path / "file" / "keys") in str(error)


def test_a_full_disk_leaves_no_half_key_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    error = error_of(lambda: Keyring.create(tmp_path / "keys"))
    monkeypatch.undo()

    assert error.code is Code.STORAGE_FULL
    assert contents(tmp_path / "keys") == {}
    assert Keyring.create(tmp_path / "keys")


def test_two_identities_in_one_file_are_an_error() -> None:
    one, other = new_identity(), new_identity()

    with pytest.raises(ValueError, match="exactly one"):
        read_identity(f"{one.secret}\n{other.secret}\n".encode())


def test_an_identity_file_of_age_keygen_is_read() -> None:
    identity = new_identity()
    text = f"# created: 2026-11-21T17:47:00Z\n# public key: {identity.recipient}\n{identity.secret}\n"

    assert read_identity(text.encode()) == identity


def test_a_pseudonym_key_is_the_one_that_rfc_5869_gives(tmp_path: Path) -> None:
    keyring = made(tmp_path)
    extracted = hmac.digest(bytes(32), master_of(keyring), "sha256")
    context = b"safeconduct/pseudonym/v1\0\0\0\x02us\0\0\0\x07booking\0\0\0\x012"

    expected = hmac.digest(extracted, context + b"\x01", hashlib.sha256)

    assert keyring.pseudonym_key("us", "booking", "2") == expected


@given(one=st.tuples(NAMES, NAMES, NAMES), other=st.tuples(NAMES, NAMES, NAMES))
def test_pseudonym_keys_are_the_same_only_for_the_same_agreement_domain_and_epoch(
    lasting: Keyring, one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (lasting.pseudonym_key(*one) == lasting.pseudonym_key(*other)) == (one == other)


def test_where_a_name_ends_matters_to_a_pseudonym_key(lasting: Keyring) -> None:
    keys = {lasting.pseudonym_key(*names) for names in [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd")]}

    assert len(keys) == 3


def test_two_sites_give_different_pseudonym_keys(tmp_path: Path, lasting: Keyring) -> None:
    assert made(tmp_path).pseudonym_key("a", "b", "1") != lasting.pseudonym_key("a", "b", "1")


def test_a_partners_recipients_are_read_in_order_and_once(keyring: Keyring) -> None:
    one, other = new_identity().recipient, new_identity().recipient
    path = keyring.recipients_path("eu-piu")
    path.parent.mkdir(parents=True)
    path.write_text(f"# EU PIU, 2026\n\n{one}\r\n  {other}\n{one}\n")

    assert keyring.recipients("eu-piu") == (one, other)


@pytest.mark.parametrize("content", [None, "", "# nobody yet\n\n"])
def test_a_partner_without_recipients_stops_with_the_file_to_create(keyring: Keyring, content: str | None) -> None:
    path = keyring.recipients_path("eu-piu")
    if content is not None:
        path.parent.mkdir(parents=True)
        path.write_text(content)

    error = error_of(lambda: keyring.recipients("eu-piu"))

    assert isinstance(error, Misconfigured)
    assert error.code is Code.PARTNER_KEY_MISSING
    assert f"create {path}" in error.next_step


@pytest.mark.parametrize("content", [None, "", "# nobody yet\n"])
def test_a_partner_without_signers_stops_with_the_file_to_create(keyring: Keyring, content: str | None) -> None:
    path = keyring.signers_path("example-air")
    if content is not None:
        path.parent.mkdir(parents=True)
        path.write_text(content)

    error = error_of(lambda: keyring.allowed_signers("example-air"))

    assert error.code is Code.PARTNER_KEY_MISSING
    assert f"create {path}" in error.next_step


def test_a_signer_for_another_purpose_only_is_no_signer(keyring: Keyring) -> None:
    path = keyring.signers_path("example-air")
    path.parent.mkdir(parents=True)
    path.write_text(signer_line("a", new_signing_key().public).replace("safeconduct", "git") + "\n")

    assert error_of(lambda: keyring.allowed_signers("example-air")).code is Code.PARTNER_KEY_MISSING


def officers_file(keyring: Keyring, text: str) -> Path:
    path = keyring.directory / "officers" / "allowed_signers"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


def test_a_site_that_has_named_no_officer_has_none(keyring: Keyring) -> None:
    assert keyring.officers() == ()
    officers_file(keyring, "# nobody yet\n")
    assert keyring.officers() == ()


def test_an_officer_signs_agreements_and_nothing_else(keyring: Keyring) -> None:
    public = new_signing_key().public
    lines = [
        signer_line("both", public).replace('"safeconduct"', f'"safeconduct,{AGREEMENTS}"'),
        signer_line("agreements", public, namespace=AGREEMENTS),
        signer_line("deliveries", public),
        signer_line("anything", public).replace('namespaces="safeconduct" ', ""),
    ]
    officers_file(keyring, "\n".join(lines))
    assert [officer.name for officer in keyring.officers()] == ["both", "agreements", "anything"]


def test_a_partners_signer_is_no_officer_and_an_officer_no_partners_signer(keyring: Keyring, tmp_path: Path) -> None:
    create_demo_partner(tmp_path / "demo", keyring, "officers", receives=False, signs=True)
    assert keyring.officers() == ()
    officers_file(keyring, signer_line("officer", new_signing_key().public, namespace=AGREEMENTS))
    assert [signer.name for signer in keyring.allowed_signers("officers")] == ["officers"]
    assert error_of(lambda: keyring.allowed_signers("officer")).code is Code.PARTNER_KEY_MISSING


def test_a_line_of_officers_that_is_not_understood_stops_with_its_number(keyring: Keyring) -> None:
    fine = signer_line("officer", new_signing_key().public, namespace=AGREEMENTS)
    path = officers_file(keyring, f"{fine}\nSECRET ssh-rsa AAAA\n")

    error = error_of(keyring.officers)

    assert isinstance(error, Misconfigured)
    assert f"{path}, line 2" in str(error)
    assert "SECRET" not in str(error)


def test_officers_in_a_file_that_cannot_be_read_are_not_taken_for_none(keyring: Keyring) -> None:
    officers_file(keyring, "").write_bytes(b"\xff\xfe")
    assert isinstance(error_of(keyring.officers), Misconfigured)


def witnesses_file(keyring: Keyring, text: str) -> Path:
    path = keyring.directory / "witnesses.txt"
    path.write_text(text, encoding="utf-8")
    return path


def vkey(name: str, kind: KeyKind = KeyKind.WITNESS) -> str:
    return str(VerifierKey(name, kind, new_signing_key().public.public_bytes_raw()))


def test_the_witnesses_are_read_in_order_and_once(keyring: Keyring) -> None:
    assert keyring.witnesses() == ()
    one, other = vkey("eu.example/witness"), vkey("uk.example/witness")
    witnesses_file(keyring, f"# who cosigns\n\neu-piu {one}\n  uk-border   {other}\r\neu-piu {one}\n")

    assert keyring.witnesses() == (Witness("eu-piu", one), Witness("uk-border", other))


@pytest.mark.parametrize(
    "line",
    [
        "eu-piu",
        "eu-piu SECRETSECRET",
        "../x " + vkey("w"),
        "eu-piu " + vkey("w")[:-2],
        "eu-piu " + vkey("w").replace("+", "+0", 1),
        "eu-piu " + vkey("w", KeyKind.LOG),
    ],
    ids=["no key", "no vkey", "no partner", "too short", "another form", "a log's"],  # the keys are others each time
)
def test_a_line_that_is_no_witness_stops_with_its_number_and_is_not_repeated(keyring: Keyring, line: str) -> None:
    path = witnesses_file(keyring, f"eu-piu {vkey('w')}\n{line}\n")

    error = error_of(keyring.witnesses)

    assert error.code is Code.PARTNER_KEY_INVALID
    assert f"{path}, line 2" in str(error)
    assert line.partition(" ")[2] not in str(error) or not line.partition(" ")[2]


def test_a_fingerprint_is_what_others_compute_from_the_public_half(keyring: Keyring) -> None:
    fingerprints = {key.role: key.fingerprint for key in keyring.keys}

    der = keyring.signing.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert fingerprints[Role.SIGNING] == hashlib.sha256(der).hexdigest()
    assert fingerprints[Role.VAULT] == hashlib.sha256(keyring.vault.recipient.encode()).hexdigest()
    assert len(set(fingerprints.values())) == len(keyring.keys)


def test_the_fingerprint_of_a_master_is_derived_from_it_under_a_label_of_its_own(keyring: Keyring) -> None:
    """RFC 5869: whoever reads it in the ledger can neither tell the master nor any key that derives from it."""
    (master,) = (key for key in keyring.keys if key.role is Role.PSEUDONYM_MASTER)
    extracted = hmac.digest(bytes(32), master_of(keyring), "sha256")

    assert master.fingerprint == hmac.digest(extracted, b"safeconduct/fingerprint/v1\x01", "sha256").hex()


@pytest.mark.parametrize("line", ["age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQQ", "age1pq1qqqqqqqqqqqq"])
def test_a_line_that_is_no_recipient_stops_with_its_number_and_is_not_repeated(keyring: Keyring, line: str) -> None:
    path = keyring.recipients_path("eu-piu")
    path.parent.mkdir(parents=True)
    path.write_text(f"{new_identity().recipient}\n{line}\n")

    error = error_of(lambda: keyring.recipients("eu-piu"))

    assert error.code is Code.PARTNER_KEY_INVALID
    assert f"{path}, line 2" in str(error)
    assert len(line) < 5 or line not in str(error)


def test_a_file_of_partner_keys_that_is_not_text_stops(keyring: Keyring) -> None:
    path = keyring.recipients_path("eu-piu")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xfe")

    assert error_of(lambda: keyring.recipients("eu-piu")).code is Code.PARTNER_KEY_INVALID


@pytest.mark.parametrize("partner", ["", ".", "..", "../vault", "a/b", "A", "a b", "a\n", "é", "a" * 65])
def test_a_partners_id_cannot_lead_elsewhere(keyring: Keyring, partner: str) -> None:
    for act in (keyring.recipients, keyring.allowed_signers, keyring.recipients_path, keyring.signers_path):
        assert error_of(lambda act=act: act(partner)).code is Code.CATALOGUE_INVALID  # type: ignore[misc]


def test_a_demo_partner_opens_releases_and_signs_deliveries(keyring: Keyring, tmp_path: Path) -> None:
    partner = create_demo_partner(tmp_path / "demo", keyring, "example-air", receives=True, signs=True)

    assert partner.identity
    assert partner.signing
    sealed = seal(b"rows", keyring.recipients("example-air"))
    assert open_sealed(sealed, read_identity(partner.identity.read_bytes())) == b"rows"
    signature = sign([b"rows"], read_private_key(partner.signing.read_bytes()))
    assert verify_signature(signature, [b"rows"], keyring.allowed_signers("example-air")).name == "example-air"
    assert {mode(path) for path in (tmp_path / "demo").iterdir()} == {0o600}
    assert mode(tmp_path / "demo") == 0o700


def test_a_demo_partner_has_only_what_it_needs(keyring: Keyring, tmp_path: Path) -> None:
    receiver = create_demo_partner(tmp_path / "demo", keyring, "receiver", receives=True, signs=False)
    sender = create_demo_partner(tmp_path / "demo", keyring, "sender", receives=False, signs=True)

    assert receiver.identity
    assert not receiver.signing
    assert sender.signing
    assert not sender.identity
    assert error_of(lambda: keyring.allowed_signers("receiver")).code is Code.PARTNER_KEY_MISSING
    assert error_of(lambda: keyring.recipients("sender")).code is Code.PARTNER_KEY_MISSING


def test_a_demo_partner_made_again_is_the_same(keyring: Keyring, tmp_path: Path) -> None:
    create_demo_partner(tmp_path / "demo", keyring, "example-air", receives=True, signs=True)
    before = contents(tmp_path)

    create_demo_partner(tmp_path / "demo", keyring, "example-air", receives=True, signs=True)

    assert contents(tmp_path) == before


def test_a_demo_partner_whose_making_was_cut_short_is_finished(keyring: Keyring, tmp_path: Path) -> None:
    create_demo_partner(tmp_path / "demo", keyring, "example-air", receives=True, signs=True)
    before = contents(tmp_path)
    keyring.recipients_path("example-air").unlink()
    keyring.signers_path("example-air").unlink()

    create_demo_partner(tmp_path / "demo", keyring, "example-air", receives=True, signs=True)

    assert contents(tmp_path) == before


def test_keys_that_somebody_registered_for_a_demo_partner_stay(keyring: Keyring, tmp_path: Path) -> None:
    path = keyring.recipients_path("example-air")
    path.parent.mkdir(parents=True)
    own = new_identity().recipient
    path.write_text(own)

    create_demo_partner(tmp_path / "demo", keyring, "example-air", receives=True, signs=False)

    assert keyring.recipients("example-air") == (own,)


def test_private_halves_do_not_go_where_others_can_read(keyring: Keyring, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir(mode=0o755)

    error = error_of(lambda: create_demo_partner(tmp_path / "demo", keyring, "a", receives=True, signs=True))

    assert error.code is Code.SITE_KEY_UNSAFE
    assert contents(tmp_path / "demo") == {}


def test_the_private_halves_of_a_demo_partner_are_not_in_the_keyring(keyring: Keyring, tmp_path: Path) -> None:
    partner = create_demo_partner(tmp_path / "demo", keyring, "example-air", receives=True, signs=True)
    assert partner.identity
    secret = read_identity(partner.identity.read_bytes()).secret.encode()

    registered = b"".join(contents(keyring.directory / "partners").values())

    assert secret not in registered
    assert b"PRIVATE" not in registered


def test_the_signing_key_is_a_file_that_other_tools_read(keyring: Keyring) -> None:
    pem = (keyring.directory / "signing.pem").read_bytes()

    assert b"-----BEGIN PRIVATE KEY-----\n" in pem
    assert isinstance(read_signing_key(pem).key, Ed25519PrivateKey)

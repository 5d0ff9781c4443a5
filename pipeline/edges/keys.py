"""Which keys does this site hold, and which public keys did its partners give it?

    keys/                       0700; the site's files in it 0600
      signing.pem               Ed25519, PKCS #8: signs manifests
      ledger.pem                Ed25519, PKCS #8: signs the ledger's checkpoints
      vault.txt                 age identity: accepted rows between tasks
      quarantine.txt            age identity: refused deliveries and rejected rows
      opening.txt               age identity: partners seal deliveries to it
      pseudonym-master.hex      32 bytes: every agreement's pseudonym and token keys derive from it
      partners/<partner>/
        recipients.txt          one age recipient a line: `age -R` reads it; releases are sealed to them
        allowed_signers         OpenSSH, Ed25519: who may sign the partner's deliveries
      witnesses.txt             `PARTNER VKEY` a line (C2SP signed-note): who cosigns the ledger's checkpoints

A key file is created once and never written again: a lost race or a second `init` leaves the first key in place.
"""

import errno
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.core.errors import Code, Misconfigured, Unavailable
from pipeline.edges.opening import Signer, read_private_key, read_signers, signer_line
from pipeline.edges.sealing import Identity, new_identity, recipient_key
from pipeline.edges.signing import SigningKey, new_signing_key, read_signing_key

_SIGNING, _LEDGER, _MASTER = "signing.pem", "ledger.pem", "pseudonym-master.hex"
_VAULT, _QUARANTINE, _OPENING = "vault.txt", "quarantine.txt", "opening.txt"
_MASTER_BYTES = 32
AGREEMENTS = "safeconduct-agreement"
"""What a privacy officer's signature is for: one made for a delivery says nothing about an agreement."""

_VKEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*")
_PARTNER = re.compile(r"[a-z0-9-]{1,64}")
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Witness:
    """A partner's witness of the ledger: `vkey` is its verifier key as C2SP signed-note writes it."""

    partner: str
    vkey: str


@dataclass(frozen=True, slots=True)
class Keyring:
    """The site's keys, read and checked, and the way to the partners' public keys, which are read when asked for."""

    directory: Path
    signing: SigningKey = field(repr=False)
    ledger: SigningKey = field(repr=False)
    vault: Identity = field(repr=False)
    quarantine: Identity = field(repr=False)
    opening: Identity = field(repr=False)
    pseudonym_master: bytes = field(repr=False)

    @classmethod
    def create(cls, directory: Path) -> "Keyring":
        """The site's keyring: new, or as it was. A key that a whole keyring has lost is an error, never made anew.

        The signing key comes last: where it is, the keyring was whole once, and to replace the pseudonym master or the
        vault's identity in silence would change every pseudonym and leave the vault shut.
        """
        _make_directory(directory)
        _check_private(directory)
        if not (directory / _SIGNING).exists():
            for name in (_VAULT, _QUARANTINE, _OPENING):
                _put_new(directory / name, _identity_text(new_identity()), mode=0o600)
            _put_new(directory / _MASTER, secrets.token_hex(_MASTER_BYTES).encode() + b"\n", mode=0o600)
            _put_new(directory / _LEDGER, new_signing_key().secret_pem(), mode=0o600)
            _put_new(directory / _SIGNING, new_signing_key().secret_pem(), mode=0o600)
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path) -> "Keyring":
        """The keyring in `directory`, of which every key was there, well-formed and private to this user.

        Raises:
            Misconfigured: SITE_KEY_MISSING, SITE_KEY_UNSAFE, SITE_KEY_INVALID, each with the path.
        """
        _check_private(directory)
        return cls(
            directory=directory,
            signing=_read_private(directory / _SIGNING, read_signing_key),
            ledger=_read_private(directory / _LEDGER, read_signing_key),
            vault=_read_private(directory / _VAULT, read_identity),
            quarantine=_read_private(directory / _QUARANTINE, read_identity),
            opening=_read_private(directory / _OPENING, read_identity),
            pseudonym_master=_read_private(directory / _MASTER, _read_master),
        )

    @property
    def signing_publics(self) -> tuple[Ed25519PublicKey, ...]:
        """Every key that ever signed manifests here, the current one first."""
        return (self.signing.public,)

    @property
    def signing_mldsa(self) -> MLDSA65PrivateKey | None:
        """The key of the second signature; None where the site has none."""
        return None

    @property
    def signing_mldsa_publics(self) -> tuple[MLDSA65PublicKey, ...]:
        """Every key that ever made second signatures here, the current one first."""
        return ()

    @property
    def ledger_publics(self) -> tuple[Ed25519PublicKey, ...]:
        """Every key that ever signed checkpoints here, the current one first."""
        return (self.ledger.public,)

    @property
    def vault_identities(self) -> tuple[Identity, ...]:
        """What opens the vault's objects: the current identity first, then older ones that are not retired."""
        return (self.vault,)

    @property
    def quarantine_identities(self) -> tuple[Identity, ...]:
        """What opens quarantine's objects: the current identity first, then older ones that are not retired."""
        return (self.quarantine,)

    @property
    def opening_identities(self) -> tuple[Identity, ...]:
        """What opens partners' deliveries: the current identity first, then older ones that are not retired."""
        return (self.opening,)

    def pseudonym_key(self, agreement: str, domain: str, epoch: str) -> bytes:
        """The 32-byte key of one agreement's pseudonyms in one domain and epoch.

        Another agreement, domain or epoch has a key from which this one cannot be told (HKDF-SHA256, RFC 5869).
        """
        return self._derived(b"safeconduct/pseudonym/v1", 32, agreement, domain, epoch)

    def token_key(self, agreement: str, domain: str, epoch: str) -> bytes:
        """The 64-byte AES-SIV key of one agreement's tokens in one domain and epoch; no pseudonym's key is like it."""
        return self._derived(b"safeconduct/token/v1", 64, agreement, domain, epoch)

    def commitment_key(self, agreement: str, epoch: str, release: str) -> bytes:
        """The 32-byte HMAC key that commits to the clear bytes of one release's parts; only this site can tell it."""
        return self._derived(b"safeconduct/commitment/v1", 32, agreement, epoch, release)

    def _derived(self, label: bytes, length: int, *names: str) -> bytes:
        # Each name goes with its length: ("ab", "c") and ("a", "bc") must not be one key.
        context = b"".join(len(name.encode()).to_bytes(4, "big") + name.encode() for name in names)
        return HKDF(SHA256(), length=length, salt=None, info=label + context).derive(self.pseudonym_master)

    def recipients(self, partner: str) -> tuple[str, ...]:
        """The age recipients that the partner's releases are sealed to: at least one.

        Raises:
            Misconfigured: PARTNER_KEY_MISSING with the file to create, PARTNER_KEY_INVALID with the line.
        """
        path = self.recipients_path(partner)
        recipients = _read_recipients(_read_public(path), path)
        if not recipients:
            raise _partner_key_missing(path, f"{partner} has no age recipient", "an age recipient (age1...) a line")
        return recipients

    def allowed_signers(self, partner: str) -> tuple[Signer, ...]:
        """Who may sign the partner's deliveries: at least one.

        Raises:
            Misconfigured: PARTNER_KEY_MISSING with the file to create, PARTNER_KEY_INVALID with the line.
        """
        path = self.signers_path(partner)
        signers = read_signers(_read_public(path), path=str(path))
        if not signers:
            raise _partner_key_missing(path, f"{partner} has no allowed signer", "`PRINCIPAL ssh-ed25519 KEY` a line")
        return signers

    def officers(self) -> tuple[Signer, ...]:
        """Who may sign agreements: none where the site has named nobody."""
        path = self.directory / "officers" / "allowed_signers"
        if not path.exists():
            return ()
        return read_signers(_read_public(path), path=str(path), namespace=AGREEMENTS)

    def witnesses(self) -> tuple[Witness, ...]:
        """Who cosigns the ledger's checkpoints, in the order of the file: none where the site has named nobody.

        Raises:
            Misconfigured: PARTNER_KEY_INVALID with the line.
        """
        path = self.directory / "witnesses.txt"
        return _read_witnesses(_read_public(path), path)

    def recipients_path(self, partner: str) -> Path:
        """Where the partner's age recipients belong."""
        return self._partner_directory(partner) / "recipients.txt"

    def signers_path(self, partner: str) -> Path:
        """Where the partner's allowed signers belong."""
        return self._partner_directory(partner) / "allowed_signers"

    def _partner_directory(self, partner: str) -> Path:
        if _PARTNER.fullmatch(partner) is None:
            raise Misconfigured(
                Code.CATALOGUE_INVALID,
                "A partner's id is not 1 to 64 characters of a-z, 0-9 and -.",
                next_step="correct the id in the catalogue.",
            )
        return self.directory / "partners" / partner


@dataclass(frozen=True, slots=True)
class DemoPartner:
    """Where a demo partner's private halves lie, for those that it has."""

    identity: Path | None
    signing: Path | None


def create_demo_partner(
    directory_for_private: Path, keyring: Keyring, partner: str, *, receives: bool, signs: bool
) -> DemoPartner:
    """A partner whose private halves are in `directory_for_private` and whose public halves the keyring knows.

    Private halves that are there stay, and so do public halves that somebody registered. `age -d -i` and
    `ssh-keygen -Y sign -f` use the files as they are.
    """
    recipients_path, signers_path = keyring.recipients_path(partner), keyring.signers_path(partner)
    _make_directory(directory_for_private)
    _check_private(directory_for_private)
    _make_directory(recipients_path.parent)
    identity = directory_for_private / f"{partner}.identity.txt" if receives else None
    signing = directory_for_private / f"{partner}.ed25519" if signs else None
    if identity:
        _put_new(identity, _identity_text(new_identity()), mode=0o600)
        recipient = _read_private(identity, read_identity).recipient
        _put_new(recipients_path, f"# {partner}\n{recipient}\n".encode(), mode=0o644)
    if signing:
        fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        _put_new(signing, fresh, mode=0o600)
        public = _read_private(signing, read_private_key).public_key()
        _put_new(signers_path, f"{signer_line(partner, public)}\n".encode(), mode=0o644)
    return DemoPartner(identity, signing)


def read_identity(text: bytes) -> Identity:
    """The one identity of a file as age-keygen writes it. Raises ValueError, which holds nothing of the file."""
    lines = [line for line in text.decode("ascii", "replace").splitlines() if line.strip() and line[0] != "#"]
    if len(lines) != 1:
        raise ValueError("it does not hold exactly one age identity")
    return Identity.of_secret(lines[0].strip())


def _identity_text(identity: Identity) -> bytes:
    return f"# public key: {identity.recipient}\n{identity.secret}\n".encode()


def _read_master(text: bytes) -> bytes:
    if re.fullmatch(rb"[0-9a-f]{64}\n?", text) is None:
        raise ValueError("it is not 64 lower-case hex digits")
    return bytes.fromhex(text.decode())


def _read_recipients(text: str, path: Path) -> tuple[str, ...]:
    recipients: dict[str, None] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if line and not line.startswith("#"):
            try:
                recipient_key(line)
            except ValueError as error:
                raise Misconfigured(
                    Code.PARTNER_KEY_INVALID,
                    f"{path}, line {number}: it is not an age X25519 recipient: {error}.",
                    next_step="ask the partner for the line that begins with age1; age-keygen -y prints it.",
                ) from None
            recipients[line] = None
    return tuple(recipients)


def _read_witnesses(text: str, path: Path) -> tuple[Witness, ...]:
    witnesses: dict[Witness, None] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if line and not line.startswith("#"):
            partner, _, vkey = line.partition(" ")
            if _PARTNER.fullmatch(partner) is None or _VKEY.fullmatch(vkey.strip()) is None:
                raise Misconfigured(
                    Code.PARTNER_KEY_INVALID,
                    f"{path}, line {number}: it is not `PARTNER VKEY`.",
                    next_step="correct the line; a vkey is NAME+HASH+KEY, as the partner's witness prints it.",
                )
            witnesses[Witness(partner, vkey.strip())] = None
    return tuple(witnesses)


def _read_public(path: Path) -> str:
    """The text of a file with public keys; empty when there is none, which the caller says in its own words."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID, f"{path} cannot be read as UTF-8 text.", next_step="correct the file."
        ) from None


def _partner_key_missing(path: Path, what: str, content: str) -> Misconfigured:
    return Misconfigured(Code.PARTNER_KEY_MISSING, f"{what}.", next_step=f"create {path} with {content}, then rerun.")


def _read_private(path: Path, read: Callable[[bytes], _Key]) -> _Key:
    """The key in a file that nobody but its owner can read."""
    _check_private(path)
    try:
        return read(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError as error:
        raise Misconfigured(
            Code.SITE_KEY_INVALID, f"{path} holds no usable key: {error}.", next_step="restore it from its backup."
        ) from None


def _check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        wanted = "700" if stat.S_ISDIR(mode) else "600"
        raise Misconfigured(Code.SITE_KEY_UNSAFE, f"{path} is open to other users.", next_step=f"chmod {wanted} {path}")


def _make_directory(path: Path) -> None:
    """The directory is there: for this user only when it is new, else as it was."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def _put_new(path: Path, content: bytes, *, mode: int) -> None:
    """The file is there, whole: with this content when it was missing, else as it was."""
    if path.exists():
        return
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            Path(temporary).unlink()
        _sync_directory(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unreadable(path: Path, error: OSError) -> Misconfigured:
    if isinstance(error, FileNotFoundError):
        return Misconfigured(
            Code.SITE_KEY_MISSING,
            f"{path} is missing.",
            next_step="restore it from its backup; only for a new site, create it with `safeconduct init`.",
        )
    return Misconfigured(
        Code.SITE_KEY_MISSING,
        f"{path} cannot be read: {error.strerror}.",
        next_step="let the user that runs this own the file.",
    )


def _unwritable(path: Path, error: OSError) -> Unavailable:
    code = Code.STORAGE_FULL if error.errno == errno.ENOSPC else Code.STORAGE_UNAVAILABLE
    return Unavailable(
        code, f"{path} cannot be written: {error.strerror}.", next_step="free or open its directory, then rerun."
    )

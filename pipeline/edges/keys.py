"""Which keys does this site hold, and what may each be used for?

    keys/                       0700; the site's files in it 0600
      signing.pem               Ed25519, PKCS #8: signs manifests and withdrawals
      signing-mldsa.pem         ML-DSA-65, PKCS #8: signs them a second time, where the site has such a key
      ledger.pem                Ed25519, PKCS #8: signs the ledger's checkpoints
      vault.txt                 age identity: accepted rows between tasks
      quarantine.txt            age identity: refused deliveries and rejected rows
      opening.txt               age identity: partners seal deliveries to it
      pseudonym-master.hex      32 bytes: agreements' pseudonym and token keys derive from it
      vault-2.txt, ...          the second key of a role, and so on (`roles.py`)
      partners/, officers/, witnesses.txt     public keys that others gave us (`registered.py`)

With another safe than files (`safe.py`) the secrets are there under the same names, and only public keys are here. A key is
created once and never written again: a lost race or a second `init` leaves the first key in place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pipeline.core.errors import Code, Conflict, Misconfigured, Unavailable
from pipeline.edges.epochs import Epochs
from pipeline.edges.registered import Registered
from pipeline.edges.roles import Key, Master, Role, held, new_key, put_new_key
from pipeline.edges.safe import Files, Safe, check_private, key_missing, make_private_directory
from pipeline.edges.sealing import Identity
from pipeline.edges.signing import SigningKey

_Secret = TypeVar("_Secret")


@dataclass(frozen=True, slots=True)
class Keyring(Registered):
    """The site's keys, read and checked, and the way to the public keys of others, which are read when asked for.

    `epochs` remembers which master an agreement's epoch has; without it nothing can be derived.
    """

    keys: tuple[Key, ...] = field(repr=False)
    epochs: Epochs | None = None

    @classmethod
    def create(cls, directory: Path, *, safe: Safe | None = None, epochs: Epochs | None = None) -> "Keyring":
        """The site's keyring: new, or as it was. A key that a whole keyring has lost is an error, never made anew.

        The signing key comes last: where it is, the keyring was whole once, and to replace the pseudonym master or the
        vault's identity in silence would change every pseudonym and leave the vault shut.
        """
        make_private_directory(directory)
        check_private(directory)
        safe = safe or Files(directory)
        if not any(key.role is Role.SIGNING for key in held(safe)):
            for role in sorted((role for role in Role if role.required), key=lambda role: role is Role.SIGNING):
                put_new_key(safe, new_key(role, 1, datetime.now(UTC)))
        return cls.open(directory, safe=safe, epochs=epochs)

    @classmethod
    def open(cls, directory: Path, *, safe: Safe | None = None, epochs: Epochs | None = None) -> "Keyring":
        """The keyring, of which every key was there, well-formed and private to this user.

        Raises:
            Misconfigured: SITE_KEY_MISSING, SITE_KEY_UNSAFE, SITE_KEY_INVALID, each with the place.
        """
        safe = safe or Files(directory)
        keys = held(safe)
        for role in Role:
            if role.required and not any(key.role is role and key.secret for key in keys):
                raise key_missing(f"{safe.place}/{role.value}{role.ending}")
        return cls(directory, keys, epochs)

    @property
    def signing(self) -> SigningKey:
        """What signs manifests."""
        return self._secrets(Role.SIGNING, SigningKey)[0]

    @property
    def signing_ids(self) -> frozenset[str]:
        """The names of the keys that may still sign manifests: the current one, and older ones that are not retired."""
        return frozenset(key.id for key in self._secrets(Role.SIGNING, SigningKey))

    @property
    def signing_publics(self) -> tuple[Ed25519PublicKey, ...]:
        """Every key that ever signed manifests here, the newest first."""
        return tuple(one for one in self._publics(Role.SIGNING) if isinstance(one, Ed25519PublicKey))

    @property
    def signing_mldsa(self) -> MLDSA65PrivateKey | None:
        """The key of the second signature; None where the site has none."""
        secrets = (key.secret for key in self._newest_first(Role.SIGNING_MLDSA))
        return next((one for one in secrets if isinstance(one, MLDSA65PrivateKey)), None)

    @property
    def signing_mldsa_publics(self) -> tuple[MLDSA65PublicKey, ...]:
        """Every key that ever made second signatures here, the newest first."""
        return tuple(one for one in self._publics(Role.SIGNING_MLDSA) if isinstance(one, MLDSA65PublicKey))

    @property
    def ledger(self) -> SigningKey:
        """What signs the ledger's checkpoints."""
        return self._secrets(Role.LEDGER, SigningKey)[0]

    @property
    def ledger_publics(self) -> tuple[Ed25519PublicKey, ...]:
        """Every key that ever signed checkpoints here, the newest first."""
        return tuple(one for one in self._publics(Role.LEDGER) if isinstance(one, Ed25519PublicKey))

    @property
    def vault(self) -> Identity:
        """What the vault's objects are sealed to."""
        return self.vault_identities[0]

    @property
    def vault_identities(self) -> tuple[Identity, ...]:
        """What opens the vault's objects: the current identity first, then older ones that are not retired."""
        return self._secrets(Role.VAULT, Identity)

    @property
    def quarantine(self) -> Identity:
        """What quarantine's objects are sealed to."""
        return self.quarantine_identities[0]

    @property
    def quarantine_identities(self) -> tuple[Identity, ...]:
        """What opens quarantine's objects: the current identity first, then older ones that are not retired."""
        return self._secrets(Role.QUARANTINE, Identity)

    @property
    def opening(self) -> Identity:
        """What partners are to seal to."""
        return self.opening_identities[0]

    @property
    def opening_identities(self) -> tuple[Identity, ...]:
        """What opens partners' deliveries: the current identity first, then older ones that are not retired."""
        return self._secrets(Role.OPENING, Identity)

    def pseudonym_key(self, agreement: str, domain: str, epoch: str) -> bytes:
        """The 32-byte key of one agreement's pseudonyms in one domain and epoch.

        Another agreement, domain or epoch has a key from which this one cannot be told (HKDF-SHA256, RFC 5869). The first
        use of an epoch binds it to the master that is current then: see `epochs`.

        Raises:
            Misconfigured: MASTER_RETIRED. Conflict: MASTER_DIFFERS. Unavailable: KEYS_CHANGED.
        """
        return self._derived(b"safeconduct/pseudonym/v1", 32, agreement, epoch, (agreement, domain, epoch))

    def token_key(self, agreement: str, domain: str, epoch: str) -> bytes:
        """The 64-byte AES-SIV key of one agreement's tokens in one domain and epoch; no pseudonym's key is like it."""
        return self._derived(b"safeconduct/token/v1", 64, agreement, epoch, (agreement, domain, epoch))

    def commitment_key(self, agreement: str, epoch: str, release: str) -> bytes:
        """The 32-byte HMAC key that commits to the clear bytes of one release's parts; only this site can tell it."""
        return self._derived(b"safeconduct/commitment/v1", 32, agreement, epoch, (agreement, epoch, release))

    def _derived(self, label: bytes, length: int, agreement: str, epoch: str, names: tuple[str, ...]) -> bytes:
        # Each name goes with its length: ("ab", "c") and ("a", "bc") must not be one key.
        context = b"".join(len(name.encode()).to_bytes(4, "big") + name.encode() for name in names)
        master = self._master(agreement, epoch)
        return HKDF(SHA256(), length=length, salt=None, info=label + context).derive(master.content)

    def _master(self, agreement: str, epoch: str) -> Master:
        """The master of the agreement's epoch, and no other one in its place."""
        if self.epochs is None:
            raise ValueError("this keyring was opened without the record of epochs")
        masters = tuple(self._newest_first(Role.PSEUDONYM_MASTER))
        current = next(key for key in masters if key.secret)
        bound = self.epochs.bound(agreement, epoch, current.number, current.fingerprint)
        key = next((key for key in masters if key.number == bound.number), None)
        what = f"the pseudonyms of agreement {agreement}, epoch {epoch}, derive from pseudonym-master {bound.number}"
        if key is None:
            raise Unavailable(
                Code.KEYS_CHANGED,
                f"{what}, which was made while this ran.",
                next_step="rerun, with the keys as they are.",
            )
        if key.fingerprint != bound.fingerprint:
            raise Conflict(
                Code.MASTER_DIFFERS,
                f"{what}, and the one that is here is another.",
                next_step="restore the master from its backup: with this one every pseudonym would change.",
            )
        if not isinstance(key.secret, Master):
            raise Misconfigured(
                Code.MASTER_RETIRED,
                f"{what}, which was retired.",
                next_step="give the agreement a new pseudonym_epoch: later pseudonyms do not match the earlier ones.",
            )
        return key.secret

    def _newest_first(self, role: Role) -> Iterator[Key]:
        return (key for key in reversed(self.keys) if key.role is role)

    def _secrets(self, role: Role, kind: type[_Secret]) -> tuple[_Secret, ...]:
        return tuple(key.secret for key in self._newest_first(role) if isinstance(key.secret, kind))

    def _publics(self, role: Role) -> Iterator[object]:
        return (load_pem_public_key(key.public.encode()) for key in self._newest_first(role))

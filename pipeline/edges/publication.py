"""Releases on shared storage, each visible only when whole, and never changed.

<recipient>/releases/<release>/parts/<sha256>.<parquet|csv>.age   write-once, sealed to the recipient
<recipient>/releases/<release>/OPEN.md, verify_release.py         write-once: how to open and verify it
<recipient>/releases/<release>/manifest.json                      write-once and last: this one write publishes
<recipient>/releases/<release>/manifest.tlog-proof                write-once: the ledger's entry of the release is in the ledger
<recipient>/releases/<release>/withdrawal.json                    write-once: from now on nobody may use it; parts stay
<recipient>/releases/<release>/withdrawal.tlog-proof              write-once: the entry of the withdrawal is in the ledger
<recipient>/notices/<release>.json                                says that there is something to fetch; no data
<recipient>/notices/<release>.withdrawn.json                      says that it must no longer be used
<partner>/acknowledgements/<delivery>-<8 hex>.json                what became of the partner's delivery
<partner>/acknowledgements/<delivery>-<8 hex>.edi                 the same in the partner's own format, where its feed asks
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from pipeline.core.canonical import canonical
from pipeline.core.errors import Code, Conflict, Refused, Unavailable
from pipeline.core.language.agreement import Agreement
from pipeline.core.statement import read_statement
from pipeline.core.withdrawal import MANIFEST, Withdrawal, read_withdrawal, withdrawal_statement
from pipeline.edges.keys import Keyring
from pipeline.edges.signing import PublicKey, SigningKey, key_id, open_envelope, sign_statement, signers_of
from pipeline.edges.spool import Spool
from pipeline.edges.storage import AlreadyThere, Store
from pipeline.edges.vault import Kept


@dataclass(frozen=True, slots=True)
class Published:
    """A release that is there: its envelope's digest and what its statement says."""

    release: str
    recipient: str
    manifest_digest: str
    predicate: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A withdrawal that is there, and its envelope's digest."""

    withdrawal: Withdrawal
    digest: str


@dataclass(frozen=True, slots=True)
class Publication:
    """The shared store, and the keys that vouch for what we put there.

    `older`: keys that signed before; what they signed holds. `second`: the key of the second signature, where there is one.
    """

    store: Store
    key: SigningKey = field(repr=False)
    older: tuple[Ed25519PublicKey, ...] = field(default=(), repr=False)
    second: MLDSA65PrivateKey | None = field(default=None, repr=False)
    seconds: tuple[MLDSA65PublicKey, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, store: Store, keyring: Keyring) -> "Publication":
        """The store, with the site's keys."""
        return cls(
            store,
            keyring.signing,
            older=keyring.signing_publics,
            second=keyring.signing_mldsa,
            seconds=keyring.signing_mldsa_publics,
        )

    @property
    def trusted(self) -> tuple[PublicKey, ...]:
        """Every key whose signature we believe, the current ones and those before."""
        return (self.key.public, *self.older, *self.seconds)

    @property
    def signers(self) -> tuple[str, ...]:
        """The names of the keys that sign now, in the order of their signatures."""
        return (self.key.id, key_id(self.second.public_key())) if self.second else (self.key.id,)

    def find(self, recipient: str, release: str) -> Published | None:
        """The release, all its signatures verified; None where it is not published."""
        envelope = self.store.find(manifest_key(recipient, release))
        if envelope is None:
            return None
        name = f"the manifest of {release}"
        predicate = read_statement(self._opened(envelope, name))
        self._signed_by_all(envelope, predicate["signed_by"], name)
        if predicate["release"] != release or predicate["recipient"]["id"] != recipient:
            raise Refused(
                Code.MANIFEST_SWAPPED,
                f"{name} is that of another release.",
                next_step="find out who put it there.",
            )
        return Published(release, recipient, hashlib.sha256(envelope).hexdigest(), predicate)

    def withdrawn(self, published: Published) -> Withdrawn | None:
        """The release's withdrawal, all its signatures verified; None where it was not withdrawn."""
        envelope = self.store.find(withdrawal_key(published.recipient, published.release))
        if envelope is None:
            return None
        name = f"the withdrawal of {published.release}"
        withdrawal = read_withdrawal(self._opened(envelope, name), published.manifest_digest)
        self._signed_by_all(envelope, withdrawal.signed_by, name)
        if (withdrawal.recipient, withdrawal.release) != (published.recipient, published.release):
            raise Refused(
                Code.MANIFEST_SWAPPED,
                f"{name} is that of another release.",
                next_step="find out who put it there.",
            )
        return Withdrawn(withdrawal, hashlib.sha256(envelope).hexdigest())

    def withdraw(self, published: Published, withdrawal: Withdrawal) -> Withdrawn:
        """The release is withdrawn: so, or as somebody else has withdrawn it meanwhile."""
        text = withdrawal_statement(withdrawal, published.manifest_digest)
        with suppress(AlreadyThere):
            key = withdrawal_key(published.recipient, published.release)
            self.store.put_new(key, sign_statement(text, self.key, self.second))
        withdrawn = self.withdrawn(published)
        if withdrawn is None:
            raise _unreadable(f"the withdrawal of {published.release}")
        return withdrawn

    def put_kit(self, recipient: str, release: str, files: Mapping[str, bytes]) -> None:
        """What opens and verifies the release is there."""
        for name, content in files.items():
            try:
                self.store.put_new(f"{release_folder(recipient, release)}/{name}", content)
            except AlreadyThere:
                raise Conflict(
                    Code.OBJECT_DIFFERS,
                    f"{self.store.url}/{release_folder(recipient, release)}/{name} was left by a run that died, and is not what "
                    "this run would write.",
                    next_step="nobody was told of this release yet: remove the file from shared storage, then rerun.",
                ) from None

    def prove(self, published: Published, name: str, proof: Callable[[], bytes]) -> None:
        """The proof `name` is beside the manifest: the first that was made; a later one may be of a longer ledger."""
        key = proof_key(published.recipient, published.release, name)
        if not self.store.exists(key):
            with suppress(AlreadyThere):
                self.store.put_new(key, proof())

    def _opened(self, envelope: bytes, name: str) -> bytes:
        return open_envelope(envelope, [self.key.public, *self.older], name=name)

    def _signed_by_all(self, envelope: bytes, names: Iterable[str], name: str) -> None:
        """Everybody whom the statement names has signed it: what took a signature away took none of the statement's words."""
        missing = set(names) - signers_of(envelope, self.trusted, name=name)
        if missing:
            raise Refused(
                Code.SIGNATURE_STRIPPED,
                f"{name} says that {len(missing)} more keys have signed it, and no such signature of a known key holds.",
                next_step="restore it from a backup, or the keyring's public keys; find out who changed it.",
            )

    def put_parts(self, recipient: str, release: str, spool: Spool) -> None:
        """The sealed parts are there; nobody looks at them before a manifest names them."""
        for part, sealed in spool.sealed():
            self.store.put_new(f"{release_folder(recipient, release)}/{part.key}", sealed)

    def publish(self, recipient: str, release: str, statement: bytes) -> Published:
        """The release is there, whole: ours, or the one that another run has published meanwhile."""
        with suppress(AlreadyThere):
            self.store.put_new(manifest_key(recipient, release), sign_statement(statement, self.key, self.second))
        published = self.find(recipient, release)
        if published is None:
            raise _unreadable(f"the manifest of {release}")
        return published

    def announce(self, published: Published) -> None:
        """The recipient's notice is there: what there is to fetch, and nothing of what it holds."""
        self.store.put_new(*notice_of(published))

    def announce_withdrawal(self, published: Published, withdrawn: Withdrawn) -> None:
        """The recipient's notice is there: the release must no longer be used, and why."""
        self.store.put_new(*withdrawal_notice_of(published, withdrawn))

    def acknowledge(self, answers: Mapping[str, bytes]) -> None:
        """The partner can read what became of its delivery: see `answers_to`."""
        for key, text in answers.items():
            self.store.put_new(key, text)

    def releases(self) -> Iterator[Published]:
        """Every published release, verified."""
        for listed in self.store.listing():
            recipient, _, rest = listed.key.partition("/releases/")
            release, _, name = rest.partition("/")
            if name == MANIFEST and (published := self.find(recipient, release)):
                yield published

    def recipient_of(self, release: str) -> str | None:
        """Whom the release with this name was published to; None where there is none. Looks through all of them."""
        for listed in self.store.listing():
            recipient, _, rest = listed.key.partition("/releases/")
            if rest == f"{release}/{MANIFEST}":
                return recipient
        return None

    def part(self, published: Published, key: str) -> Iterator[bytes]:
        """The sealed bytes of one part, as they are stored."""
        return self.store.blocks(f"{release_folder(published.recipient, published.release)}/{key}")


def answers_to(partner: str, delivery: str, answer: Mapping[str, Any], reply: bytes | None = None) -> dict[str, bytes]:
    """What a partner is to read of its delivery, each under its key: codes, rules, positions and counts; as JSON and as `reply`."""
    texts = {"json": canonical(answer)} | ({} if reply is None else {"edi": reply})
    return {
        f"{partner}/acknowledgements/{delivery}-{hashlib.sha256(text).hexdigest()[:8]}.{ending}": text
        for ending, text in texts.items()
    }


def notice_of(published: Published) -> tuple[str, bytes]:
    """The key of the release's notice, and what it says: a function of the manifest."""
    notice = {
        "release": published.release,
        "manifest": manifest_key(published.recipient, published.release),
        "manifest_digest": {"sha256": published.manifest_digest},
        "created_at": published.predicate["created_at"],
    }
    return f"{published.recipient}/notices/{published.release}.json", canonical(notice)


def withdrawal_notice_of(published: Published, withdrawn: Withdrawn) -> tuple[str, bytes]:
    """The key of the notice that the release was withdrawn, and what it says: a function of the withdrawal."""
    said = withdrawn.withdrawal
    notice = {
        "release": published.release,
        "withdrawal": withdrawal_key(published.recipient, published.release),
        "withdrawal_digest": {"sha256": withdrawn.digest},
        "withdrawn_at": said.at,
        "why": said.why,
        "reissue": said.reissue,
    }
    return f"{published.recipient}/notices/{published.release}.withdrawn.json", canonical(notice)


def release_name(agreement: Agreement, kept: Kept) -> str:
    """The release's name: one for each agreement and kept record, whatever the retries and edits in between.

    It is that of its first revision: see `pipeline.edges.revision`.
    """
    return f"{agreement.id}.{kept.key.removeprefix(kept.feed + '.')}"


def release_folder(recipient: str, release: str) -> str:
    """Where a release is on shared storage."""
    return f"{recipient}/releases/{release}"


def manifest_key(recipient: str, release: str) -> str:
    """Where a release's manifest is on shared storage."""
    return f"{release_folder(recipient, release)}/{MANIFEST}"


def withdrawal_key(recipient: str, release: str) -> str:
    """Where a release's withdrawal is, if it was withdrawn."""
    return f"{release_folder(recipient, release)}/withdrawal.json"


def proof_key(recipient: str, release: str, name: str) -> str:
    """Where the proof `name` is: that an entry about the release is in the ledger."""
    return f"{release_folder(recipient, release)}/{name}.tlog-proof"


def _unreadable(name: str) -> Unavailable:
    return Unavailable(
        Code.STORAGE_UNAVAILABLE, f"{name} cannot be read back.", next_step="rerun: it will be found or made."
    )

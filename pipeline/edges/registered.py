"""Which public keys did our partners and officers give us?

    keys/partners/<partner>/
      recipients.txt            one age recipient a line: `age -R` reads it; releases are sealed to them
      allowed_signers           OpenSSH, Ed25519: who may sign the partner's deliveries
    keys/officers/allowed_signers     who may sign agreements
    keys/witnesses.txt          `PARTNER VKEY` a line (C2SP signed-note): who cosigns the ledger's checkpoints

They are files, wherever the site's own secrets are: somebody puts each there by hand, after a call to the partner.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.notes import KeyKind, read_verifier_key
from pipeline.edges.opening import Signer, read_signers
from pipeline.edges.sealing import check_alike, recipient_key

AGREEMENTS = "safeconduct-agreement"
"""What a privacy officer's signature is for: one made for a delivery says nothing about an agreement."""

_PARTNER = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Witness:
    """A partner's witness of the ledger: `vkey` is its verifier key as C2SP signed-note writes it."""

    partner: str
    vkey: str


@dataclass(frozen=True, slots=True)
class Registered:
    """The public keys in the site's `keys` directory. They are read when they are asked for."""

    directory: Path

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


def _read_recipients(text: str, path: Path) -> tuple[str, ...]:
    recipients: dict[str, None] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if line and not line.startswith("#"):
            try:
                recipient_key(line)
            except ValueError as error:
                raise Misconfigured(
                    Code.PARTNER_KEY_INVALID,
                    f"{path}, line {number}: it is not an age recipient: {error}.",
                    next_step="ask the partner for the line that begins with age1; age-keygen -y prints it.",
                ) from None
            recipients[line] = None
    check_alike(recipients, name=str(path))
    return tuple(recipients)


def _read_witnesses(text: str, path: Path) -> tuple[Witness, ...]:
    witnesses: dict[Witness, None] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if line and not line.startswith("#"):
            partner, _, vkey = map(str.strip, line.partition(" "))
            try:
                _checked(partner, vkey)
            except ValueError as error:
                raise Misconfigured(
                    Code.PARTNER_KEY_INVALID,
                    f"{path}, line {number}: it is not `PARTNER VKEY`: {error}.",
                    next_step="correct the line; a vkey is NAME+HASH+KEY, as the partner's witness prints it.",
                ) from None
            witnesses[Witness(partner, vkey)] = None
    return tuple(witnesses)


def _checked(partner: str, vkey: str) -> None:
    if _PARTNER.fullmatch(partner) is None:
        raise ValueError("its first word is no partner's id")
    if read_verifier_key(vkey).kind is not KeyKind.WITNESS:
        raise ValueError("it is the key of a log, and not of a witness")


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

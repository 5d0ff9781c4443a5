"""Who plays a partner where there is none? A demo partner, whose private halves this site holds as well."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.edges.opening import read_private_key, signer_line
from pipeline.edges.registered import Registered
from pipeline.edges.roles import identity_text, read_identity
from pipeline.edges.safe import check_private, make_private_directory, put_new_file, read_private
from pipeline.edges.sealing import new_identity


@dataclass(frozen=True, slots=True)
class DemoPartner:
    """Where a demo partner's private halves lie, for those that it has."""

    identity: Path | None
    signing: Path | None


def create_demo_partner(
    directory_for_private: Path, registered: Registered, partner: str, *, receives: bool, signs: bool
) -> DemoPartner:
    """A partner whose private halves are in `directory_for_private` and whose public halves are registered.

    Private halves that are there stay, and so do public halves that somebody registered. `age -d -i` and
    `ssh-keygen -Y sign -f` use the files as they are.
    """
    recipients_path, signers_path = registered.recipients_path(partner), registered.signers_path(partner)
    make_private_directory(directory_for_private)
    check_private(directory_for_private)
    make_private_directory(recipients_path.parent)
    identity = directory_for_private / f"{partner}.identity.txt" if receives else None
    signing = directory_for_private / f"{partner}.ed25519" if signs else None
    if identity:
        put_new_file(identity, identity_text(new_identity()), mode=0o600)
        recipient = read_identity(read_private(identity)).recipient
        put_new_file(recipients_path, f"# {partner}\n{recipient}\n".encode(), mode=0o644)
    if signing:
        fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        put_new_file(signing, fresh, mode=0o600)
        public = read_private_key(read_private(signing)).public_key()
        put_new_file(signers_path, f"{signer_line(partner, public)}\n".encode(), mode=0o644)
    return DemoPartner(identity, signing)

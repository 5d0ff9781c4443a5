"""Key files that somebody names on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from pipeline.edges.sealing import Identity


def read_identity_file(path: Path) -> "Identity":
    """The age identity in the file."""
    from pipeline.edges.roles import read_identity

    try:
        return read_identity(_bytes(path))
    except ValueError as error:
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID,
            f"{path} holds no age identity: {error}.",
            next_step="name a file as age-keygen writes it, with one AGE-SECRET-KEY- line.",
        ) from None


def read_public_key_file(path: Path) -> "Ed25519PublicKey":
    """The Ed25519 public key in the PEM file."""
    from pipeline.edges.signing import read_public_key

    try:
        return read_public_key(_bytes(path))
    except ValueError as error:
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID, f"{path}: {error}.", next_step="name the PEM file that the publisher gave you."
        ) from None


def read_signing_file(path: Path) -> "Ed25519PrivateKey":
    """The Ed25519 private key in the OpenSSH file."""
    from pipeline.edges.opening import read_private_key

    try:
        return read_private_key(_bytes(path))
    except ValueError as error:
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID, f"{path}: {error}.", next_step="name a key that ssh-keygen -t ed25519 made."
        ) from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            Code.NOT_FOUND, f"{path} cannot be read: {error.strerror}.", next_step="name a file that you can read."
        ) from None

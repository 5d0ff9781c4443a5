"""Did the partner write this delivery, and for us? Step 3 of the journey: nothing is parsed before it holds.

A signature lies beside the delivery as `<name>.sig`, made by `ssh-keygen -Y sign -n safeconduct` (format: OpenSSH,
PROTOCOL.sshsig) with an Ed25519 key of the partner's `allowed_signers`. A sealed delivery is an age file to the site's
`opening` identity; its signature is over the sealed bytes.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.edges.sealing import Identities, Origin, open_blocks
from pipeline.edges.stanzas import Bytes

NAMESPACE = "safeconduct"
"""What the partner's signature is for: one made for mail or for git is no delivery."""

SIGNATURE_SUFFIX = ".sig"
"""A delivery's signature lands under the delivery's name with this at its end."""

MAX_SIGNATURE_BYTES = 16 * 1024
"""An Ed25519 signature takes 300 bytes; nobody needs to read more than this before refusing it."""

_KIND = b"ssh-ed25519"
_HASHES = ("sha256", "sha512")
_MAGIC = b"SSHSIG"
_VERSION = (1).to_bytes(4, "big")
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"
_ARMOR = re.compile(_BEGIN + rb"\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)" + _END + rb"(?:\r?\n)?")
_SIGNER = re.compile(
    r'(?P<name>[^\s"]+)[ \t]+(?:(?i:namespaces)="(?P<namespaces>[^"*?!]*)"[ \t]+)?ssh-ed25519[ \t]+'
    r"(?P<blob>[A-Za-z0-9+/]+=*)(?:[ \t].*)?"
)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who may sign a partner's deliveries: the principals of a line of `allowed_signers`, and its key."""

    name: str
    key: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Signature:
    """A well-formed detached signature, not yet verified. `hash_name` is what the delivery's bytes are hashed with."""

    key: bytes
    namespace: str
    hash_name: str
    reserved: bytes
    value: bytes


def read_signature(signature: bytes | None, *, name: str = "the delivery", namespace: str = NAMESPACE) -> Signature:
    """The signature in an armored file, read strictly, not yet verified. `name` is what a message calls the delivery.

    Raises:
        Refused: SIGNATURE_MISSING for None, SIGNATURE_INVALID for what is not an Ed25519 signature for a delivery.
    """
    if signature is None:
        raise Refused(
            Code.SIGNATURE_MISSING,
            f"There is no signature beside {name}.",
            next_step=f"have it signed: ssh-keygen -Y sign -n {namespace} -f KEY FILE.",
        )
    armor = _ARMOR.fullmatch(signature) if len(signature) <= MAX_SIGNATURE_BYTES else None
    if armor is None:
        _refuse(name, "is not an armored SSH signature", namespace)
    try:
        blob = base64.b64decode(re.sub(rb"[\r\n]", b"", armor[1]), validate=True)
        public, made_for, reserved, hash_name, value = _strings(blob[len(_MAGIC + _VERSION) :], 5)
        if not (public.startswith(_string(_KIND)) and value.startswith(_string(_KIND))):
            _refuse(name, "is not by an Ed25519 key", namespace)
        (_, key), (_, signed) = _strings(public, 2), _strings(value, 2)
    except ValueError:
        _refuse(name, "is a malformed SSH signature", namespace)
    if not blob.startswith(_MAGIC + _VERSION):
        _refuse(name, "is not an SSH signature of version 1", namespace)
    if made_for != namespace.encode():
        _refuse(name, f"was not made for the namespace {namespace}", namespace)
    if hash_name.decode("ascii", "replace") not in _HASHES:
        _refuse(name, f"uses a hash that is none of {', '.join(_HASHES)}", namespace)
    return Signature(key, namespace, hash_name.decode(), reserved, signed)


def verify_digest(
    signature: Signature, digest: bytes, signers: Sequence[Signer], *, name: str = "the delivery"
) -> Signer:
    """Who signed the bytes whose `signature.hash_name` digest this is: the first of `signers` with that key.

    Raises:
        Refused: SIGNATURE_INVALID, when the key is nobody's of `signers` or the bytes are not those that were signed.
    """
    signer = next((signer for signer in signers if signer.key.public_bytes_raw() == signature.key), None)
    if signer is None:
        _refuse(name, "is by a key that is not among the allowed signers", signature.namespace)
    try:
        signer.key.verify(
            signature.value, _signed_bytes(signature.namespace, signature.hash_name, signature.reserved, digest)
        )
    except InvalidSignature:
        _refuse(name, "is not over these bytes", signature.namespace)
    return signer


def verify_signature(
    signature: bytes | None,
    blocks: Iterable[Bytes],
    signers: Sequence[Signer],
    *,
    name: str = "the delivery",
    namespace: str = NAMESPACE,
) -> Signer:
    """Who signed the delivery, after all its `blocks` were read once. A signature that cannot hold reads none of them.

    Raises:
        Refused: SIGNATURE_MISSING, SIGNATURE_INVALID.
    """
    wanted = read_signature(signature, name=name, namespace=namespace)
    return verify_digest(wanted, _digest(wanted.hash_name, blocks), signers, name=name)


def open_delivery(blocks: Iterable[Bytes], identities: Identities, *, name: str = "the delivery") -> Iterator[bytes]:
    """The clear blocks of a sealed delivery; it is whole only when the iteration ends (see `sealing.open_blocks`).

    Raises:
        Refused: as `sealing.open_sealed` says.
    """
    return open_blocks(blocks, identities, origin=Origin.PARTNER, name=name)


def sign(
    blocks: Iterable[Bytes], key: Ed25519PrivateKey, *, hash_name: str = "sha512", namespace: str = NAMESPACE
) -> bytes:
    """The armored signature that `ssh-keygen -Y sign -n NAMESPACE` makes of the same bytes with the same key."""
    value = key.sign(_signed_bytes(namespace, hash_name, b"", _digest(hash_name, blocks)))
    public = _string(_KIND) + _string(key.public_key().public_bytes_raw())
    fields = (public, namespace.encode(), b"", hash_name.encode(), _string(_KIND) + _string(value))
    text = base64.b64encode(_MAGIC + _VERSION + b"".join(map(_string, fields)))
    return b"\n".join([_BEGIN, *(text[at : at + 70] for at in range(0, len(text), 70)), _END, b""])


def read_private_key(text: bytes) -> Ed25519PrivateKey:
    """The key in an OpenSSH private key file. Raises ValueError, which holds nothing of the file, when it is none."""
    try:
        key = load_ssh_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("it is not an OpenSSH private key without a passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("it is not an Ed25519 key")  # noqa: TRY004 (the file is wrong, not the caller's type)
    return key


def read_signers(text: str, *, path: str, namespace: str = NAMESPACE) -> tuple[Signer, ...]:
    """Who may sign deliveries, in the order of an OpenSSH `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS).

    Ed25519 keys only, and of the options only `namespaces` without patterns: to pass over an option such as
    `valid-before` would trust a key that its owner no longer trusts. A key for other namespaces is left out.

    Raises:
        Misconfigured: PARTNER_KEY_INVALID, with the path and the line.
    """
    signers = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            name, namespaces, key = _read_signer(line)
        except ValueError:
            raise Misconfigured(
                Code.PARTNER_KEY_INVALID,
                f"{path}, line {number}: it is not `PRINCIPAL ssh-ed25519 KEY`, with no option but namespaces.",
                next_step="correct the line; ssh-keygen -t ed25519 makes such a key.",
            ) from None
        if not namespaces or namespace in namespaces:
            signers.append(Signer(name, key))
    return tuple(signers)


def _read_signer(line: str) -> tuple[str, Sequence[str], Ed25519PublicKey]:
    found = _SIGNER.fullmatch(line.strip())
    if found is None:
        raise ValueError
    kind, key = _strings(base64.b64decode(found["blob"], validate=True), 2)
    if kind != _KIND:
        raise ValueError
    namespaces = found["namespaces"]
    return (
        found["name"],
        [] if namespaces is None else namespaces.split(","),
        Ed25519PublicKey.from_public_bytes(key),
    )


def signer_line(name: str, key: Ed25519PublicKey, *, namespace: str = NAMESPACE) -> str:
    """The line of `allowed_signers` that lets the key sign for the namespace, and nothing else."""
    blob = base64.b64encode(_string(_KIND) + _string(key.public_bytes_raw())).decode()
    return f'{name} namespaces="{namespace}" {_KIND.decode()} {blob}'


def _digest(hash_name: str, blocks: Iterable[Bytes]) -> bytes:
    digest = hashlib.new(hash_name)
    for block in blocks:
        digest.update(block)
    return digest.digest()


def _signed_bytes(namespace: str, hash_name: str, reserved: bytes, digest: bytes) -> bytes:
    return _MAGIC + b"".join(map(_string, (namespace.encode(), reserved, hash_name.encode(), digest)))


def _string(content: bytes) -> bytes:
    """An SSH string (RFC 4251, section 5): its length in bytes, then its bytes."""
    return len(content).to_bytes(4, "big") + content


def _strings(blob: bytes, count: int) -> list[bytes]:
    """The SSH strings of which `blob` is exactly the sequence. Raises ValueError when it is not."""
    strings, at = [], 0
    for _ in range(count):
        end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
        if at + 4 > len(blob) or end > len(blob):
            raise ValueError
        strings.append(blob[at + 4 : end])
        at = end
    if at != len(blob):
        raise ValueError
    return strings


def _refuse(name: str, reason: str, namespace: str) -> NoReturn:
    raise Refused(
        Code.SIGNATURE_INVALID,
        f"The signature of {name} {reason}.",
        next_step=f"have it signed again: ssh-keygen -Y sign -n {namespace} -f KEY FILE.",
    )

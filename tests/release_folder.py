"""A release folder as a recipient has it, made without the code that publishes: for tests of the program that verifies it."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.core.canonical import canonical
from pipeline.edges.signing import SigningKey, sign_statement
from pipeline.kit.contents import kit_files
from pipeline.kit.verify_release import NoteKey, Trust

EXAMPLE = Path(__file__).resolve().parent.parent / "docs/formats/example"
ORIGIN = "safeconduct/0123456789ab"
WITNESS = "witness.example"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT = "2026-11-21T12:00:30.000000Z"
Change = Callable[[dict[str, Any]], object]


def key_of(name: str) -> Ed25519PrivateKey:
    """A key of its own for each name, always the same."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def note_key(name: str, key: Ed25519PrivateKey, kind: int = 1) -> NoteKey:
    return NoteKey(name, kind, key.public_key().public_bytes_raw())


def vkey(key: NoteKey) -> str:
    return f"{key.name}+{key.id.hex()}+{base64.b64encode(bytes([key.kind]) + key.public).decode()}"


PUBLISHER = SigningKey(key_of("publisher"))
LEDGER = note_key(ORIGIN, key_of("ledger"))
WITNESS_KEY = note_key(WITNESS, key_of("witness"), kind=4)
TRUST = Trust([PUBLISHER.public], [LEDGER])
WITNESSED = Trust([PUBLISHER.public], [LEDGER], [WITNESS_KEY])


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def path_of(leaves: list[bytes], index: int) -> list[bytes]:
    """RFC 6962, 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*path_of(leaves[:split], index), root_of(leaves[split:])]
    return [*path_of(leaves[split:], index - split), root_of(leaves[:split])]


@dataclass
class Log:
    """A ledger: entries and the notes about them."""

    entries: list[bytes] = field(default_factory=list)
    origin: str = ORIGIN
    signer: str = "ledger"

    def append(self, kind: str, subject: str, facts: dict[str, Any], at: str = AT) -> int:
        number = len(self.entries)
        salt = hashlib.sha256(b"%d" % number).hexdigest()
        entry = {"id": f"{kind}:{number}", "kind": kind, "subject": subject, "facts": facts, "at": at, "salt": salt}
        text = json.dumps({**entry, "sequence": number}, sort_keys=True, separators=(",", ":"))
        self.entries.append(text.encode())
        return number

    def leaves(self, size: int) -> list[bytes]:
        return [hashlib.sha256(one).digest() for one in self.entries[:size]]

    def tiles(self, folder: Path) -> Path:
        """The ledger's public folder, as C2SP tlog-tiles lays it out: the leaves alone."""
        hashes = [hashlib.sha256(b"\0" + leaf).digest() for leaf in self.leaves(len(self.entries))]
        for start in range(0, len(hashes), 256):
            name = f"{start // 256:03}"
            tile = hashes[start : start + 256]
            for width in range(1, len(tile) + 1):
                place = folder / "tile" / "0" / (name if width == 256 else f"{name}.p/{width}")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(b"".join(tile[:width]))
        return folder

    def note(self, size: int, *, cosigned: bool = False, at: datetime = NOW) -> bytes:
        root = base64.b64encode(root_of(self.leaves(size))).decode()
        body = f"{self.origin}\n{size}\n{root}\n"
        log = note_key(self.origin, key_of(self.signer))
        lines = [_line(log, key_of(self.signer).sign(body.encode()))]
        if cosigned:
            time = int(at.timestamp())
            signed = key_of("witness").sign(f"cosignature/v1\ntime {time}\n{body}".encode())
            lines.append(_line(WITNESS_KEY, time.to_bytes(8, "big") + signed))
        return f"{body}\n{''.join(lines)}".encode()

    def proof(self, index: int, size: int | None = None, *, cosigned: bool = False, at: datetime = NOW) -> bytes:
        size = size or len(self.entries)
        lines = ["c2sp.org/tlog-proof@v1", f"extra {base64.b64encode(self.entries[index]).decode()}", f"index {index}"]
        lines += [base64.b64encode(node).decode() for node in path_of(self.leaves(size), index)]
        return "\n".join([*lines, "", ""]).encode() + self.note(size, cosigned=cosigned, at=at)


def _line(key: NoteKey, content: bytes) -> str:
    return f"— {key.name} {base64.b64encode(key.id + content).decode()}\n"


@dataclass
class Folder:
    """A release in a folder of its own, below its recipient's; `log` is the ledger that speaks of it."""

    path: Path
    log: Log
    index: int
    predicate: dict[str, Any]

    @property
    def release(self) -> str:
        return str(self.predicate["release"])

    @property
    def parts(self) -> list[Path]:
        return [self.path / part["key"] for part in self.predicate["parts"]]

    def put(self, name: str, content: bytes) -> None:
        (self.path / name).write_bytes(content)

    def becomes_a_folder(self, path: Path) -> None:
        path.unlink()
        path.mkdir()

    def changed(self, name: str, change: Callable[[bytes], bytes]) -> None:
        self.put(name, change((self.path / name).read_bytes()))

    def withdrawn(
        self, *, key: SigningKey = PUBLISHER, reissue: bool = True, change: Change = lambda said: None
    ) -> None:
        """The publisher's withdrawal is there, with its proof."""
        said: dict[str, Any] = {
            "release": self.release,
            "recipient": self.predicate["recipient"]["id"],
            "by": "the privacy officer",
            "why": "a column was released that should not have been",
            "at": "2026-11-22T08:00:00+00:00",
            "reissue": reissue,
            "signed_by": [key.id],
        }
        change(said)
        digest = hashlib.sha256((self.path / "manifest.json").read_bytes()).hexdigest()
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": "urn:safeconduct:withdrawal:v1",
            "subject": [{"name": "manifest.json", "digest": {"sha256": digest}}],
            "predicate": said,
        }
        envelope = sign_statement(canonical(statement), key)
        self.put("withdrawal.json", envelope)
        facts = {"withdrawal": hashlib.sha256(envelope).hexdigest()}
        index = self.log.append("withdrawn", self.release, facts, at="2026-11-22T08:00:01.000000Z")
        self.put("withdrawal.tlog-proof", self.log.proof(index))


def release_in(
    directory: Path,
    *,
    change: Change = lambda said: None,
    subjects: Callable[[list[Any]], object] = lambda subjects: None,
    signer: Callable[[bytes], bytes] = lambda text: sign_statement(text, PUBLISHER),
    log: Log | None = None,
    before: int = 5,
    after: int = 3,
    at: str = AT,
) -> Folder:
    """The release of `docs/formats/example`, with parts, in `directory`; `change` has its say before it is signed."""
    statement = json.loads((EXAMPLE / "statement.json").read_bytes())
    said = statement["predicate"]
    sealed = [b"the first sealed part" * 900, b"the second sealed part" * 700]
    for part, content in zip(said["parts"], sealed, strict=True):
        digest = hashlib.sha256(content).hexdigest()
        part.update(key=f"parts/{digest}.csv.age", digest=digest, size_bytes=len(content))
    said["signed_by"] = [PUBLISHER.id]
    said["ledger"] = {"origin": ORIGIN, "keys": [vkey(LEDGER)]}
    kit = kit_files(
        release=said["release"],
        agreement=said["agreement"]["id"],
        title=said["agreement"]["title"],
        provider=said["provider"],
        recipient=said["recipient"]["id"],
        ending="csv",
        parts=2,
    )
    said["kit"] = {name: hashlib.sha256(content).hexdigest() for name, content in kit.items()}
    places = [part["key"] for part in said["parts"]]
    change(said)
    statement["subject"] = [{"name": part["key"], "digest": {"sha256": part["digest"]}} for part in said["parts"]]
    subjects(statement["subject"])
    path = directory / said["recipient"]["id"] / "releases" / said["release"]
    (path / "parts").mkdir(parents=True)
    for place, content in zip(places, sealed, strict=True):
        (path / place).write_bytes(content)
    manifest = signer(canonical(statement))
    log = log or Log()
    for number in range(before):
        log.append("accepted", f"delivery {number}", {})
    facts = {"manifest": hashlib.sha256(manifest).hexdigest(), "recipient": said["recipient"]["id"]}
    index = log.append("released", said["release"], facts, at=at)
    folder = Folder(path, log, index, said)
    for name, content in {**kit, "manifest.json": manifest, "manifest.tlog-proof": log.proof(index)}.items():
        folder.put(name, content)
    for number in range(after):
        log.append("accepted", f"later delivery {number}", {})
    if after:
        folder.put("witnessed.tlog-proof", log.proof(index, cosigned=True))
    return folder

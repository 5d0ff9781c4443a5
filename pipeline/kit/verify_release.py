#!/usr/bin/env python3
"""Is this release what its publisher signed, whole, unaltered, logged, not withdrawn, and still yours to keep?

    python3 verify_release.py RELEASE_FOLDER --publisher publisher.pem --ledger ledger.vkey

This one file needs Python 3.9 or newer and the package `cryptography` (`pip install cryptography`), no network, and nothing
else of Safeconduct. It changes nothing, but for the file of `--state` where you name one.

The publisher's key (PEM) and the ledger's (a line like `name+0123abcd+BASE64`) are those that you got when you first met the
publisher: never take them from where the release came from. Nor can this file vouch for itself: compare its SHA-256 with
the one that the publisher tells you on another way, or use a copy that you trust already.

exit codes:
  0  everything that was asked for holds
  2  wrong usage: an option, or a key that cannot be read
  3  something does not hold: do not use the release; each fault has a code word
  4  everything holds, but the publisher has withdrawn the release: do not use it
  5  everything holds, but something of it must have been destroyed by now
  6  `cryptography` is missing, or too old for what you asked
Any other code is a fault in this program.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib
import json
import os
import re
import stat
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
except ImportError:
    if __name__ == "__main__":
        print("verify_release.py needs the package `cryptography`: pip install cryptography", file=sys.stderr)
        sys.exit(6)
    raise

HOLDS, USAGE, FAULTY, WITHDRAWN, OVERDUE, LACKING = 0, 2, 3, 4, 5, 6

FAULTS = {
    "folder-unreadable": "The folder, or a file of it, cannot be read.",
    "manifest-missing": "There is no manifest.json: this is no release.",
    "manifest-malformed": "manifest.json is no DSSE envelope of an in-toto statement.",
    "wrong-key": "The manifest is signed, but not by the publisher's key that you have.",
    "signature-wrong": "The publisher's key did not sign these bytes.",
    "signature-stripped": "The manifest says that one more key has signed it, and that signature is not there.",
    "mldsa-missing": "You gave an ML-DSA-65 key, and no signature by it is there.",
    "statement-malformed": "What was signed is not the statement of a release.",
    "statement-inconsistent": "The signed statement contradicts itself.",
    "other-release": "The manifest is that of another release than the folder says.",
    "other-recipient": "The release is for somebody else.",
    "clock-jumped": "Something was made later than now, or earlier than what it is about: a clock is wrong.",
    "part-missing": "A part that the manifest names is not there.",
    "part-truncated": "A part ends too early.",
    "part-trailing-bytes": "A part is followed by bytes that do not belong to it.",
    "part-altered": "A part is not what the manifest says.",
    "part-extra": "A file is among the parts that the manifest does not name.",
    "kit-altered": "OPEN.md or verify_release.py is not what the manifest says.",
    "proof-missing": "There is no proof that the ledger holds the manifest.",
    "proof-malformed": "A proof is not written as C2SP tlog-proof says.",
    "proof-of-another": "A proof is of another entry than that of this release, or of another manifest.",
    "proof-other-index": "A proof is of another index than its entry has.",
    "proof-wrong": "The entry is not in the tree that the checkpoint speaks of.",
    "other-ledger": "A checkpoint is that of another ledger.",
    "checkpoint-unsigned": "The ledger's key that you have did not sign the checkpoint.",
    "checkpoint-went-back": "The ledger has become shorter than you have seen it.",
    "checkpoint-forked": "The ledger shows two histories.",
    "witness-missing": "No witness whose key you gave has cosigned a checkpoint that covers the release.",
    "witness-wrong": "A cosignature by a witness whose key you gave does not hold.",
    "withdrawal-wrong": "A withdrawal is there that the publisher did not sign for this release.",
}
"""Every code word that a fault can have."""

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
RELEASE_TYPE = "urn:safeconduct:release:v1"
WITHDRAWAL_TYPE = "urn:safeconduct:withdrawal:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
KIT = ("OPEN.md", "verify_release.py")
BESIDE = (
    "manifest.json",
    "manifest.tlog-proof",
    "witnessed.tlog-proof",
    "withdrawal.json",
    "withdrawal.tlog-proof",
    *KIT,
)

_BLOCK_BYTES = 1024 * 1024
_MAX_MANIFEST_BYTES = 64 * 1024 * 1024
_MAX_PROOF_BYTES = 1024 * 1024
_MAX_SIGNATURES = 64
_MAX_TOLD = 20
_CLOCKS_DIFFER_BY = timedelta(minutes=5)
_ED25519, _COSIGNATURE = 1, 4
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class Broken(Exception):
    """Something does not hold: a code word of FAULTS, and a sentence that says where."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(code, says)
        self.code = code
        self.says = says


class Lacking(Exception):
    """The installed `cryptography` cannot do what was asked."""


class Unusable(Exception):
    """A key or an option that was given cannot be used."""


# What is trusted


@dataclass(frozen=True)
class NoteKey:
    """Who signs notes: a name and an Ed25519 key, as a C2SP verifier key says. `kind`: 1 a ledger's, 4 a witness's."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return _sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public)[:4]

    @property
    def key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.public)


@dataclass(frozen=True)
class Trust:
    """The keys that you have from elsewhere. `mldsa` and `witnesses` are asked for only where you give some."""

    publishers: Sequence[Ed25519PublicKey]
    ledgers: Sequence[NoteKey]
    witnesses: Sequence[NoteKey] = ()
    mldsa: Sequence[Any] = ()


def read_note_key(text: str) -> NoteKey:
    """The key in a line `name+0123abcd+BASE64` (C2SP signed-note, verifier keys)."""
    found = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text.strip())
    try:
        blob = _base64(found[3]) if found else b""
    except ValueError:
        blob = b""
    if not found or len(blob) != 33 or blob[0] not in (_ED25519, _COSIGNATURE):
        raise Unusable("it is not `name+0123abcd+BASE64` with an Ed25519 key")
    key = NoteKey(found[1], blob[0], blob[1:])
    if key.id.hex() != found[2]:
        raise Unusable("its digits are not those of its name and key")
    return key


def read_public_keys(pem: bytes, *, mldsa: bool = False) -> list[Any]:
    """Every public key of a PEM file: Ed25519, or ML-DSA-65."""
    keys = []
    if mldsa:
        try:
            importlib.import_module("cryptography.hazmat.primitives.asymmetric.mldsa")
        except ImportError:
            raise Lacking("the installed `cryptography` has no ML-DSA-65: install a newer one") from None
    for block in re.findall(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", pem, re.DOTALL):
        try:
            key = load_pem_public_key(block + b"\n")
        except UnsupportedAlgorithm:
            raise Lacking("the installed `cryptography` does not know this kind of key: install a newer one") from None
        except ValueError:
            raise Unusable("it is not a PEM file with a public key") from None
        if type(key).__name__ != "MLDSA65PublicKey" if mldsa else not isinstance(key, Ed25519PublicKey):
            raise Unusable(f"it is not an {'ML-DSA-65' if mldsa else 'Ed25519'} key")
        keys.append(key)
    if not keys:
        raise Unusable("it is not a PEM file with a public key")
    return keys


# What was found


@dataclass
class Report:
    """What was found. `checked`: what holds. `unchecked`: what nobody can tell from what is here. `told`: what was signed."""

    folder: str
    faults: list[Broken] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    overdue: list[str] = field(default_factory=list)
    withdrawal: dict[str, Any] | None = None
    manifest: str | None = None
    told: dict[str, Any] | None = None

    @property
    def exit_code(self) -> int:
        if self.faults:
            return FAULTY
        if self.withdrawal:
            return WITHDRAWN
        return OVERDUE if self.overdue else HOLDS

    @property
    def verdict(self) -> str:
        return {
            HOLDS: "holds",
            FAULTY: "does not hold",
            WITHDRAWN: "withdrawn",
            OVERDUE: "to be destroyed",
        }[self.exit_code]


def verify(
    folder: Path,
    trust: Trust,
    *,
    now: datetime,
    recipient: str | None = None,
    manifest_only: bool = False,
    seen: Seen | None = None,
    log: Path | None = None,
) -> Report:
    """Everything that can be told of the release in `folder`; no fault hides another one.

    `recipient`: your name with the publisher, or your age recipient. `seen`: the checkpoints that you saw before. `log`: the
    ledger's public folder.
    """
    report = Report(str(folder))
    examination = _Examination(folder, trust, now, report, seen, log)
    try:
        examination.manifest()
    except Broken as broken:
        report.faults.append(broken)
        return report
    steps: list[Callable[[], None]] = [
        lambda: examination.address(recipient),
        examination.consistency,
        examination.clock,
    ]
    if manifest_only:
        report.unchecked.append("The parts and the kit: you asked for the manifest only.")
    else:
        steps += [examination.parts, examination.kit]
    steps += [examination.proof, examination.witnessed, examination.withdrawal, examination.history]
    for step in steps:
        try:
            step()
        except Broken as broken:
            report.faults.append(broken)
    if seen is not None and not report.faults:
        seen.learn()
    return report


class _Examination:
    """The checks, one method each; every one raises Broken, or adds to the report."""

    def __init__(
        self, folder: Path, trust: Trust, now: datetime, report: Report, seen: Seen | None, log: Path | None
    ) -> None:
        self.folder, self.trust, self.now, self.report, self.seen, self.log = folder, trust, now, report, seen, log
        self.said: dict[str, Any] = {}
        self.subjects: list[Any] = []
        self.checkpoints: dict[int, bytes] = {}

    # the manifest

    def manifest(self) -> None:
        envelope = _read(self.folder / "manifest.json", _MAX_MANIFEST_BYTES)
        if envelope is None:
            raise Broken("manifest-missing", "There is no manifest.json: what has none is no release (yet).")
        payload, by, names = open_envelope(envelope, self.trust, name="manifest.json")
        statement = read_statement(payload, RELEASE_TYPE)
        self.said, self.subjects = statement["predicate"], statement["subject"]
        try:
            _read_predicate(self.said)
            unstripped(self.said, names, name="manifest.json")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise Broken("statement-malformed", "The signed statement is not one of a Safeconduct release.") from None
        self.report.manifest, self.report.told = hashlib.sha256(envelope).hexdigest(), self.said
        self.report.checked.append(f"The manifest is signed by {' and '.join(by)}.")
        if len(self.said["signed_by"]) > len(by):
            self.report.unchecked.append("A second signature, by an ML-DSA-65 key: give that key with --mldsa.")

    def address(self, recipient: str | None) -> None:
        """The release and its recipient are those that the folder and the reader say."""
        release, to = self.said["release"], self.said["recipient"]
        place = self.folder.absolute()
        if place.parent.name == "releases" and (place.name, place.parent.parent.name) != (release, to["id"]):
            code = "other-release" if place.name != release else "other-recipient"
            raise Broken(
                code,
                f"The folder is {place.parent.parent.name}/releases/{place.name}; the manifest is of {release} for {to['id']}.",
            )
        if recipient is not None and recipient != to["id"] and recipient not in to["keys"]:
            raise Broken("other-recipient", f"The release is for {to['id']}, and {recipient} is not among its keys.")
        if recipient is None:
            self.report.unchecked.append("Whether it is for you: say who you are with --recipient.")

    def consistency(self) -> None:
        wrong = list(contradictions(self.said, self.subjects))
        self.report.faults += [Broken("statement-inconsistent", one) for one in wrong]
        if not wrong:
            self.report.checked.append("The statement is consistent: parts, columns and numbers of rows agree.")

    def clock(self) -> None:
        made = _instant(self.said["created_at"])
        if made > self.now + _CLOCKS_DIFFER_BY:
            raise Broken("clock-jumped", f"The release was made on {_when(made)}, and now is {_when(self.now)}.")

    # the parts

    def parts(self) -> None:
        parts = self.said["parts"]
        self._no_others({part["key"] for part in parts})
        whole = 0
        for number, part in enumerate(parts, start=1):
            due = _instant(part["until"]) if part["until"] else None
            overdue = due is not None and due <= self.now
            try:
                self._part(part)
            except FileNotFoundError:
                if overdue:
                    self.report.checked.append(f"Part {number} was destroyed, as was due on {part['until']}.")
                else:
                    self.report.faults.append(Broken("part-missing", f"Part {number} is not there: {part['key']}."))
            except Broken as broken:
                self.report.faults.append(Broken(broken.code, f"Part {number} {broken.says}: {part['key']}."))
            else:
                whole += 1
                if overdue:
                    self.report.overdue.append(f"Part {number} had to be destroyed by {part['until']}: {part['key']}.")
        self.report.checked.append(f"{whole} of {len(parts)} parts are here, and are what the manifest says.")

    def _part(self, part: dict[str, Any]) -> None:
        digest, left = hashlib.sha256(), part["size_bytes"]
        trailing = False
        for block in _blocks(self.folder / part["key"]):
            digest.update(block[:left])
            trailing, left = len(block) > left, max(left - len(block), 0)
            if trailing:
                break  # however much more there is, nobody needs to read it
        if left:
            raise Broken("part-truncated", f"has {part['size_bytes'] - left} bytes of {part['size_bytes']}")
        if digest.hexdigest() != part["digest"]:
            raise Broken("part-altered", "has other bytes than were signed")
        if trailing:
            raise Broken("part-trailing-bytes", "has more bytes after its end")

    def _no_others(self, keys: set[str]) -> None:
        """Nothing else is in the folder `parts`; folders in it are not looked into, wherever they lead."""
        try:
            found = {f"parts/{path.name}" for path in (self.folder / "parts").iterdir()}
        except (FileNotFoundError, NotADirectoryError):
            found = set()
        except OSError as error:
            raise Broken("folder-unreadable", f"parts cannot be read ({error.strerror}).") from None
        extra = sorted(map(_plain, found - keys))
        for key in extra[:_MAX_TOLD]:
            self.report.faults.append(Broken("part-extra", f"The manifest does not name {key}."))
        if extra[_MAX_TOLD:]:
            self.report.faults.append(Broken("part-extra", f"Nor {len(extra) - _MAX_TOLD} more beside it."))

    # what came with them

    def kit(self) -> None:
        """What came with the release is what the manifest says, and nothing else is taken for a part of it."""
        for name in KIT:
            content = _read(self.folder / name, _MAX_MANIFEST_BYTES)
            if content is None or hashlib.sha256(content).hexdigest() != self.said["kit"][name]:
                missing = "is not there" if content is None else "is not what the manifest says"
                self.report.faults.append(Broken("kit-altered", f"{name} {missing}."))
        running = Path(__file__)
        own = hashlib.sha256(running.read_bytes()).hexdigest() if running.is_file() else "unknown"
        self.report.unchecked.append(
            f"This program itself, SHA-256 {own}: compare that with what the publisher told you."
        )
        beside = {"parts", *BESIDE}
        for name in sorted(path.name for path in self.folder.iterdir() if path.name not in beside):
            self.report.unchecked.append(f"{_plain(name)}: the manifest does not name it, and nobody vouches for it.")

    # the ledger

    def proof(self) -> None:
        text = _read(self.folder / "manifest.tlog-proof", _MAX_PROOF_BYTES)
        if text is None:
            raise Broken(
                "proof-missing", "There is no manifest.tlog-proof; the publisher puts it right after the manifest."
            )
        proof = self._proven(text, "manifest.tlog-proof", kind="released", digest=("manifest", self.report.manifest))
        self.report.checked.append(f"The ledger holds the manifest as entry {proof.index} of {proof.size}.")
        if self.seen is None:
            self.report.unchecked.append(
                "Whether the ledger went back since you last looked: remember it with --state FILE."
            )

    def witnessed(self) -> None:
        """A witness whose key was given has seen a ledger that holds the manifest."""
        text = _read(self.folder / "witnessed.tlog-proof", _MAX_PROOF_BYTES)
        if text is None:
            if self.trust.witnesses:
                raise Broken(
                    "witness-missing", "There is no witnessed.tlog-proof: no witness has cosigned yet; ask again later."
                )
            self.report.unchecked.append("Whether others see the same ledger: no witness has cosigned it yet.")
            return
        proof = self._proven(text, "witnessed.tlog-proof", kind="released", digest=("manifest", self.report.manifest))
        if not self.trust.witnesses:
            self.report.unchecked.append("The cosignatures of witnesses: give their keys with --witness.")
            return
        cosigned = list(self._cosigned(proof))
        if not cosigned:
            raise Broken(
                "witness-missing", "No cosignature in witnessed.tlog-proof is by a witness whose key you gave."
            )
        self.report.checked += cosigned

    def _cosigned(self, proof: Proof) -> Iterator[str]:
        for witness in self.trust.witnesses:
            for name, id, value in proof.signatures:
                if (name, id) != (witness.name, witness.id):
                    continue
                at = int.from_bytes(value[:8], "big")
                message = b"cosignature/v1\ntime %d\n%b" % (at, proof.body)
                if len(value) != 72 or not _is_by(witness.key, value[8:], message):
                    raise Broken("witness-wrong", f"The cosignature by {witness.name} does not hold.")
                if at > self.now.timestamp() + _CLOCKS_DIFFER_BY.total_seconds():
                    raise Broken("clock-jumped", f"{witness.name} has cosigned at a time that has not come.")
                seen_at = _when(datetime.fromtimestamp(at, timezone.utc))
                yield f"{witness.name} saw the ledger with {proof.size} entries on {seen_at}."

    def _proven(self, text: bytes, name: str, *, kind: str, digest: tuple[str, str | None]) -> Proof:
        """The proof, of the entry of this release that names the digest, under a checkpoint of the ledger."""
        proof = read_proof(text, name)
        entry = proof.entry
        if (entry["kind"], entry["subject"], entry["facts"].get(digest[0])) != (kind, self.said["release"], digest[1]):
            raise Broken("proof-of-another", f"{name} is of an entry of something else than this {kind} release.")
        if entry["sequence"] != proof.index:
            raise Broken(
                "proof-other-index", f"{name} is of index {proof.index}, and its entry has {entry['sequence']}."
            )
        proof.verify(self.trust.ledgers, self.said["ledger"]["origin"], name)
        if _instant(entry["at"]) > self.now + _CLOCKS_DIFFER_BY:
            raise Broken(
                "clock-jumped", f"The entry of {name} was written on {entry['at']}, and now is {_when(self.now)}."
            )
        if _instant(entry["at"]) < _instant(self.said["created_at"]) - _CLOCKS_DIFFER_BY:
            raise Broken(
                "clock-jumped", f"The entry of {name} was written on {entry['at']}, before the release was made."
            )
        if self.checkpoints.setdefault(proof.size, proof.root) != proof.root:
            raise Broken("checkpoint-forked", f"Two checkpoints of {proof.size} entries are here, and they differ.")
        if self.seen is not None:
            self.seen.compare(f"{self.said['release']}/{name}", proof)
        return proof

    def history(self) -> None:
        """The ledgers of all sizes that are known begin with each other: they have their roots in the ledger's public folder."""
        known = {**(self.seen.roots(self.said["ledger"]["origin"]) if self.seen else {}), **self.checkpoints}
        if self.log is None:
            if len(known) > 1:
                self.report.unchecked.append(
                    f"Whether the ledger of {max(known)} entries begins with that of {min(known)}: "
                    "its public folder tells (--log), and a witness has looked."
                )
            return
        found = roots(self.log, known)
        for size, root in sorted(known.items()):
            if size not in found:
                raise Broken("checkpoint-went-back", f"The ledger's folder ends before the {size} entries that it had.")
            if found[size] != root:
                raise Broken("checkpoint-forked", f"The ledger's folder shows another ledger of {size} entries.")
        if known:
            self.report.checked.append(
                f"The ledger's folder has the {len(known)} checkpoints that you know, as you know them."
            )

    # the end

    def withdrawal(self) -> None:
        text = _read(self.folder / "withdrawal.json", _MAX_MANIFEST_BYTES)
        if text is None:
            if _read(self.folder / "withdrawal.tlog-proof", _MAX_PROOF_BYTES) is not None:
                raise Broken("withdrawal-wrong", "The proof of a withdrawal is here, and the withdrawal is not.")
            self.report.unchecked.append("Whether it was withdrawn since you fetched it: look where you fetched it.")
            return
        try:
            payload, _, names = open_envelope(text, self.trust, name="withdrawal.json")
            statement = read_statement(payload, WITHDRAWAL_TYPE)
            said, subject = statement["predicate"], statement["subject"]
            _need(
                said,
                {
                    "release": str,
                    "recipient": str,
                    "by": str,
                    "why": str,
                    "at": str,
                    "reissue": bool,
                    "signed_by": [str],
                },
            )
            unstripped(said, names, name="withdrawal.json")
            ours = (said["release"], said["recipient"]) == (self.said["release"], self.said["recipient"]["id"])
            ours = ours and [one["digest"]["sha256"] for one in subject] == [self.report.manifest]
        except (Broken, KeyError, TypeError, ValueError, AttributeError):
            raise Broken(
                "withdrawal-wrong", "withdrawal.json is no withdrawal that the publisher has signed."
            ) from None
        if not ours:
            raise Broken("withdrawal-wrong", "withdrawal.json is the withdrawal of another release.")
        self.report.withdrawal = said
        proof = _read(self.folder / "withdrawal.tlog-proof", _MAX_PROOF_BYTES)
        if proof is None:
            self.report.unchecked.append("Whether the ledger holds the withdrawal: its proof is not here (yet).")
            return
        digest = ("withdrawal", hashlib.sha256(text).hexdigest())
        proven = self._proven(proof, "withdrawal.tlog-proof", kind="withdrawn", digest=digest)
        self.report.checked.append(f"The ledger holds the withdrawal as entry {proven.index} of {proven.size}.")


# Envelopes and statements


def open_envelope(envelope: bytes, trust: Trust, *, name: str) -> tuple[bytes, list[str], set[str]]:
    """The payload of a DSSE envelope, once every kind of key that is trusted has signed it; which keys did, for people; and
    the names of all the keys that have signed, as the envelope says and nobody has verified."""
    try:
        fields = json.loads(envelope, object_pairs_hook=_once)
        payload = _base64(fields["payload"])
        signatures = [(str(one.get("keyid")), _base64(one["sig"])) for one in fields["signatures"]]
        known = fields["payloadType"] == PAYLOAD_TYPE and len(signatures) <= _MAX_SIGNATURES
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        known = False
    if not known:
        raise Broken("manifest-malformed", f"{name} is no DSSE envelope of an in-toto statement.")
    kind = PAYLOAD_TYPE.encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    by = [key for key in trust.publishers if any(_is_by(key, value, signed) for _, value in signatures)]
    if not by:
        ids = {_key_id(key) for key in trust.publishers}
        if not any(id in ids for id, _ in signatures):
            raise Broken("wrong-key", f"{name} is not signed by the publisher's key that you have.")
        raise Broken("signature-wrong", f"{name}: the publisher's key has not signed these bytes.")
    names = [f"the publisher's key {_key_id(by[0])[:16]} (Ed25519)"]
    if trust.mldsa:
        if not any(_is_by(key, value, signed) for key in trust.mldsa for _, value in signatures):
            raise Broken("mldsa-missing", f"{name} has no valid signature by the ML-DSA-65 key that you have.")
        names.append("its ML-DSA-65 key")
    return payload, names, {id for id, _ in signatures}


def unstripped(said: dict[str, Any], names: set[str], *, name: str) -> None:
    """Every key that the signed words name has a signature there; whether it holds, only who has the key can tell."""
    if not set(said["signed_by"]) <= names:
        raise Broken("signature-stripped", f"{name} lacks a signature that it says it has: somebody took it away.")


def read_statement(payload: bytes, kind: str) -> dict[str, Any]:
    """The in-toto statement of this predicate type. One that two readers could read in two ways is none."""
    try:
        said = json.loads(payload, object_pairs_hook=_once)
        again = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        known = again.encode() + b"\n" == payload and said["_type"] == STATEMENT_TYPE and said["predicateType"] == kind
        known = known and isinstance(said["predicate"], dict) and isinstance(said["subject"], list)
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise Broken("statement-malformed", f"What was signed is not a statement of the type {kind}.")
    statement: dict[str, Any] = said
    return statement


_ROWS = dict.fromkeys(("received", "accepted", "rejected", "released", "out_of_scope", "suppressed", "withheld"), int)
_SHAPE: dict[str, Any] = {
    "release": str,
    "created_at": str,
    "agreement": {"id": str, "version": int, "title": str, "instrument": {"title": str, "citation": str}},
    "provider": str,
    "recipient": {"id": str, "keys": [str]},
    "purpose": {"declared": str, "clause": str, "conditions": [dict]},
    "made_of": {"deliveries": [{"received": int, "accepted": int, "rejected": int}]},
    "parts": [{"key": str, "digest": str, "size_bytes": int, "rows": int, "columns": [str]}],
    "columns": dict,
    "rows": _ROWS,
    "handling": {
        "marking": str,
        "caveats": [str],
        "onward": dict,
        "retention": dict,
        "notices": [dict],
        "deadlines": [dict],
    },
    "kit": dict.fromkeys(KIT, str),
    "ledger": {"origin": str},
    "signed_by": [str],
}
"""What this program reads of the signed predicate; it may hold more."""


def _read_predicate(said: dict[str, Any]) -> None:
    """The predicate has what this program reads, each of its type; else KeyError, TypeError or ValueError."""
    _need(said, _SHAPE)
    _need(list(said["columns"].values()), [{"treatment": str, "clause": str}])
    _instant(said["created_at"])
    for part in said["parts"]:
        _demand(part["until"] is None or _instant(part["until"]))
        _demand(re.fullmatch(r"parts/[0-9a-f]{64}\.[a-z]+\.age", part["key"]))


def _need(value: Any, shape: Any) -> None:
    if isinstance(shape, dict):
        for name, inner in shape.items():
            _need(value[name], inner)
    elif isinstance(shape, list):
        _demand(isinstance(value, list))
        for one in value:
            _need(one, shape[0])
    else:
        _demand(isinstance(value, shape) and not (shape is int and isinstance(value, bool)))


def contradictions(said: dict[str, Any], subjects: Sequence[Any]) -> Iterator[str]:
    """What in the signed statement speaks against something else in it."""
    parts, rows, beside = said["parts"], said["rows"], said.get("statistics") or {}
    named = [(part["key"], part["digest"]) for part in parts]
    try:
        subject = [(one["name"], one["digest"]["sha256"]) for one in subjects]
    except (KeyError, TypeError):
        subject = []
    if subject != named or len(set(named)) != len(named):
        yield "Its subjects are not its parts, each once."
    if any(part["digest"] != part["key"][6:70] for part in parts):
        yield "A part's name is not its digest."
    known = {*said["columns"], *([beside["count_as"], *beside["sums"]] if beside else ()), "release_row"}
    unknown = {column for part in parts for column in part["columns"]} - known
    if unknown:
        yield f"No clause is told for the columns {', '.join(sorted(map(_plain, unknown)))}."
    fingerprints = said["recipient"].get("fingerprints")
    if fingerprints is not None and fingerprints != [
        hashlib.sha256(key.encode()).hexdigest() for key in said["recipient"]["keys"]
    ]:
        yield "The fingerprints of the recipient's keys are not those of its keys."
    # Beside statistics every number may be rounded, each by half a step at most.
    step = max(beside.get("round_to") or 0, beside.get("smallest_cell") or 0)
    kept_back = rows["out_of_scope"] + rows["suppressed"] + rows["withheld"]
    if (
        abs(rows["received"] - rows["accepted"] - rows["rejected"]) > 2 * step
        or abs(rows["accepted"] - rows["released"] - kept_back) > 3 * step
    ):
        yield "Its numbers of rows do not add up."
    sources = said["made_of"]["deliveries"]
    for name in ("received", "accepted", "rejected"):
        if abs(sum(source[name] for source in sources) - rows[name]) > step * len(sources):
            yield f"The rows {name} are not those of its deliveries."
    totals: dict[tuple[str, ...], int] = {}
    for part in parts:
        columns = tuple(part["columns"])
        totals[columns] = totals.get(columns, 0) + part["rows"]
    if not beside and any(total != rows["released"] for total in totals.values()):
        yield "The rows of its parts are not the rows released."


# Proofs and checkpoints


@dataclass(frozen=True)
class Proof:
    """A C2SP tlog-proof, read and not yet verified: an entry, its index, the way up the tree, and a checkpoint."""

    entry: dict[str, Any]
    leaf: bytes
    index: int
    path: tuple[bytes, ...]
    body: bytes
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def verify(self, ledgers: Iterable[NoteKey], origin: str, name: str) -> None:
        """The entry is in a ledger of this origin, whose key signed the checkpoint."""
        ours = [key for key in ledgers if key.name == self.origin]
        if not ours or self.origin != origin:
            raise Broken(
                "other-ledger", f"{name} is of the ledger {_plain(self.origin)}, the manifest's is {_plain(origin)}."
            )
        tried = [
            _is_by(key.key, value, self.body)
            for key in ours
            for signer, id, value in self.signatures
            if (signer, id) == (key.name, key.id)
        ]
        if not tried or not all(tried):
            raise Broken("checkpoint-unsigned", f"The ledger's key has not signed the checkpoint in {name}.")
        if climb(self.leaf, self.index, self.size, self.path) != self.root:
            raise Broken("proof-wrong", f"{name} does not lead from the entry to the checkpoint's root.")


def read_proof(text: bytes, name: str) -> Proof:
    """The proof in a file, read strictly: one form only for each proof."""
    try:
        head, _, note = text.partition(b"\n\n")
        lines = head.decode("ascii").split("\n")
        _demand(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1][:6] == "extra " and lines[2][:6] == "index ")
        content = _base64(lines[1][6:])
        path = tuple(_base64(line) for line in lines[3:])
        entry = json.loads(content, object_pairs_hook=_once)
        _need(entry, {"kind": str, "subject": str, "facts": dict, "sequence": int, "at": str})
        _instant(entry["at"])
        _demand(all(len(node) == 32 for node in path))
        body, origin, size, root, signatures = _read_checkpoint(note)
        index = _number(lines[2][6:])
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
        raise Broken("proof-malformed", f"{name} is not written as a proof is.") from None
    return Proof(entry, _sha256(content), index, path, body, origin, size, root, signatures)


def _read_checkpoint(note: bytes) -> tuple[bytes, str, int, bytes, tuple[tuple[str, bytes, bytes], ...]]:
    """A signed note that is a checkpoint: its body, origin, size, root and signatures."""
    text = note.decode("utf-8")
    body, gap, rest = text.rpartition("\n\n")
    _demand(gap and rest.endswith("\n") and not any(sign < " " and sign != "\n" for sign in text))
    origin, size, root, *_ = body.split("\n")
    signatures: list[tuple[str, bytes, bytes]] = []
    for line in rest[:-1].split("\n"):
        found = re.fullmatch(r"\u2014 ([^\s+]+) (\S+)", line)
        if found is None or len(signatures) == _MAX_SIGNATURES:
            raise ValueError
        blob = _base64(found[2])
        signatures.append((found[1], blob[:4], blob[4:]))
    digest = _base64(root)
    _demand(origin and len(digest) == 32)
    return (body + "\n").encode(), origin, _number(size), digest, tuple(signatures)


def climb(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that the path leads to from the leaf at `index` of a tree of `size` (RFC 9162, 2.1.3.2); None for no way."""
    if index >= size:
        return None
    node, place, last = _sha256(b"\0" + leaf), index, size - 1
    for beside in path:
        if last == 0:
            return None
        if place % 2 or place == last:
            node = _sha256(b"\1" + beside + node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = _sha256(b"\1" + node + beside)
        place, last = place // 2, last // 2
    return node if last == 0 else None


def roots(log: Path, sizes: Iterable[int]) -> dict[int, bytes]:
    """The root of each of these sizes, as far as the ledger's public folder (C2SP tlog-tiles) has so many leaves."""
    wanted, found = set(sizes), {}
    peaks: list[tuple[int, bytes]] = []  # perfect subtrees from the left, each by its number of leaves
    for count, leaf in enumerate(_leaf_hashes(log, max(wanted, default=0)), start=1):
        peaks.append((1, leaf))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            (width, right), (_, left) = peaks.pop(), peaks.pop()
            peaks.append((2 * width, _sha256(b"\1" + left + right)))
        if count in wanted:
            node = peaks[-1][1]
            for _, left in reversed(peaks[:-1]):
                node = _sha256(b"\1" + left + node)
            found[count] = node
    return found


def _leaf_hashes(log: Path, size: int) -> Iterator[bytes]:
    for number in range((size + 255) // 256):
        width = min(256, size - 256 * number)
        digits = f"{number:03}".rjust(-(-len(f"{number:03}") // 3) * 3, "0")
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        place = log / "tile" / "0" / "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        partial = place.with_name(f"{place.name}.p") / str(width)
        tile = _read(place, 256 * 32) or _read(partial, 256 * 32) or b""
        yield from (tile[at : at + 32] for at in range(0, min(len(tile) // 32, width) * 32, 32))
        if len(tile) < 32 * width:
            return


class Seen:
    """The checkpoints that you saw before, in a file of yours: a ledger that goes back or forks is found.

    What it cannot tell by itself: whether a longer ledger still begins with the shorter one. That takes the ledger's public
    folder, or a witness.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Any] = {}
        self._fresh: list[tuple[str, Proof]] = []
        try:
            self.known = json.loads(path.read_bytes())
            for ledger in self.known.values():
                _need(ledger, {"roots": dict, "sizes": dict, "index": int, "at": str})
                _instant(ledger["at"])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Unusable("it is not what this program remembered; move it away to begin anew") from None

    def roots(self, origin: str) -> dict[int, bytes]:
        """The roots of this ledger that were seen, by its size."""
        return {int(size): bytes.fromhex(root) for size, root in self.known.get(origin, {}).get("roots", {}).items()}

    def compare(self, name: str, proof: Proof) -> None:
        """What the proof of this name shows does not speak against what was seen before."""
        ledger = self.known.get(proof.origin, {})
        root = ledger.get("roots", {}).get(str(proof.size))
        if root is not None and root != proof.root.hex():
            raise Broken("checkpoint-forked", f"You saw another ledger of {proof.size} entries before.")
        before = ledger.get("sizes", {}).get(name, 0)
        if proof.size < before:
            raise Broken(
                "checkpoint-went-back", f"The checkpoint of {name} had {before} entries, and now has {proof.size}."
            )
        if (
            ledger
            and proof.index < ledger["index"]
            and _instant(proof.entry["at"]) > _instant(ledger["at"]) + _CLOCKS_DIFFER_BY
        ):
            raise Broken(
                "checkpoint-went-back",
                f"Entry {ledger['index']} was written on {ledger['at']}, and entry {proof.index}, before it, on {proof.entry['at']}.",
            )
        self._fresh.append((name, proof))

    def learn(self) -> None:
        """What was compared is remembered."""
        for name, proof in self._fresh:
            first: dict[str, Any] = {"roots": {}, "sizes": {}, "index": -1, "at": proof.entry["at"]}
            ledger = self.known.setdefault(proof.origin, first)
            ledger["roots"][str(proof.size)] = proof.root.hex()
            ledger["sizes"][name] = proof.size
            if proof.index > ledger["index"]:
                ledger["index"], ledger["at"] = proof.index, proof.entry["at"]
        handle, unfinished = tempfile.mkstemp(dir=str(self.path.absolute().parent), prefix=".verify_release.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(self.known, file, sort_keys=True)
        Path(unfinished).replace(self.path)


# In plain words


def told(said: dict[str, Any]) -> Iterator[str]:
    """What was signed, for people."""
    agreement, handling, rows = said["agreement"], said["handling"], said["rows"]
    instrument, onward, retention = agreement["instrument"], handling["onward"], handling["retention"]
    yield "What you have"
    yield f"  {rows['released']} rows of {said['provider']}, under the agreement {agreement['id']}, version {agreement['version']}:"
    yield f"  {agreement['title']}."
    yield f"  It rests on: {instrument['title']} ({instrument['citation']})."
    older = said.get("supersedes")
    if older:
        yield f"  It takes the place of {older['release']}, which was withdrawn."
    yield "What you may use it for"
    yield f"  {said['purpose']['declared']} ({said['purpose']['clause']})"
    for shown in said["purpose"]["conditions"]:
        yield f"    {shown.get('condition')} ({shown.get('clause')}), shown by: {shown.get('by')}"
    yield "How you must treat it"
    yield f"  Marking: {handling['marking']}"
    yield from (f"  {caveat}" for caveat in handling["caveats"])
    allowed = "allowed" if onward.get("default") == "allow" else "not allowed"
    unless = f", but with: {', '.join(onward['with'])}" if onward.get("with") else ""
    yield f"  Passing it on is {allowed}{unless} ({onward.get('clause')}). The agreement says: {onward.get('says')}"
    yield f"  Destroy it {retention.get('delete_after')} after: {retention.get('event') or retention.get('clock')} ({retention.get('clause')})"
    for notice in handling["notices"]:
        yield f"  Tell {notice.get('to')} of {notice.get('of')}, within {notice.get('within')} ({notice.get('clause')})"
    for deadline in handling["deadlines"]:
        span = f"{deadline['before']} before" if deadline.get("before") else f"{deadline.get('after')} after"
        yield f"  {deadline.get('what')}: {span} {deadline.get('event')} ({deadline.get('clause')})"
    yield "Which clause allowed each column"
    yield from _columns(said)
    yield "Rows"
    yield f"  {rows['received']} received = {rows['accepted']} accepted + {rows['rejected']} rejected"
    yield (
        f"  {rows['accepted']} accepted = {rows['released']} released + {rows['out_of_scope']} out of scope + "
        f"{rows['suppressed']} suppressed + {rows['withheld']} withheld"
    )
    if said.get("statistics"):
        yield "  (beside statistics these numbers may be rounded)"
    yield "Parts"
    for number, part in enumerate(said["parts"], start=1):
        until = f"destroy it by {part['until']}" if part["until"] else f"its clock has not begun: {part.get('clock')}"
        yield f"  {number}: {part['rows']} rows, {part['size_bytes']} bytes; {until}"


def _columns(said: dict[str, Any]) -> Iterator[str]:
    named = {name: (one["treatment"], one["clause"]) for name, one in said["columns"].items()}
    beside = said.get("statistics")
    if beside:
        named.update(dict.fromkeys((beside["count_as"], *beside["sums"]), ("counted", beside["clause"])))
    if any("release_row" in part["columns"] for part in said["parts"]):
        named["release_row"] = ("the row's number in the release", "joins the parts")
    width = max(map(len, named), default=0)
    yield from (f"  {name.ljust(width)}  {treatment}  ({clause})" for name, (treatment, clause) in named.items())


def shown(report: Report) -> Iterator[str]:
    """The report, for people."""
    said = report.told
    if said:
        yield f"Release {said['release']}, for {said['recipient']['id']}, made on {said['created_at']}"
        yield from told(said)
    for title, lines in (("What was checked", report.checked), ("What was not checked", report.unchecked)):
        if lines:
            yield title
            yield from (f"  {line}" for line in lines)
    if report.faults:
        yield "FAULTS"
        yield from (f"  [{fault.code}] {fault.says}" for fault in report.faults)
    if report.withdrawal:
        gone = report.withdrawal
        yield f"WITHDRAWN on {gone['at']} by {gone['by']}: {gone['why']}"
        yield "  Another release takes its place." if gone["reissue"] else "  No other release takes its place."
    if report.overdue:
        yield "TO BE DESTROYED"
        yield from (f"  {line}" for line in report.overdue)
    yield {
        HOLDS: "The release holds.",
        FAULTY: "The release does NOT hold: do not use it, and tell its publisher.",
        WITHDRAWN: "The release holds, and is WITHDRAWN: do not use it.",
        OVERDUE: "The release holds, but what is named above must have been destroyed by now.",
    }[report.exit_code]


def document(report: Report) -> dict[str, Any]:
    """The report, for programs."""
    return {
        "folder": report.folder,
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "faults": [{"code": fault.code, "says": fault.says} for fault in report.faults],
        "withdrawal": report.withdrawal,
        "overdue": report.overdue,
        "checked": report.checked,
        "unchecked": report.unchecked,
        "manifest": report.manifest,
        "release": report.told,
    }


# Small things


def _read(path: Path, max_bytes: int) -> bytes | None:
    """The file's bytes; None where there is none."""
    content = b""
    try:
        for block in _blocks(path):
            content += block
            if len(content) > max_bytes:
                break
    except FileNotFoundError:
        return None
    except Broken as broken:
        raise Broken(broken.code, f"{path.name} {broken.says}.") from None
    if len(content) > max_bytes:
        raise Broken("folder-unreadable", f"{path.name} has more than {max_bytes} bytes.")
    return content


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a regular file. FileNotFoundError where there is none."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Broken("folder-unreadable", "is not a file")
            yield from iter(lambda: file.read(_BLOCK_BYTES), b"")
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError from None
    except OSError as error:
        raise Broken("folder-unreadable", f"cannot be read ({error.strerror})") from None


def _without_waiting(path: str, flags: int) -> int:
    """A pipe that nobody writes to would be waited for, for ever; os.O_NONBLOCK is not on every system."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _base64(text: Any) -> bytes:
    """The bytes that this is the one Base64 of; ValueError for anything else."""
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode() != text:
        raise ValueError
    return content


def _demand(condition: object) -> None:
    if not condition:
        raise ValueError


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two fields of one name would let two readers see two statements."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError
    return fields


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return int(text)


def _instant(text: str) -> datetime:
    """ISO 8601 with its zone; Python 3.9 does not know Z."""
    at = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if at.tzinfo is None:
        raise ValueError
    return at.astimezone(timezone.utc)


def _when(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat(timespec="seconds")


def _is_by(key: Any, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _plain(text: str) -> str:
    """Nothing that a terminal would obey."""
    return text if text.isprintable() else ascii(text)


# The command


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    first, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="verify_release.py",
        description=first,
        epilog=textwrap.dedent(rest.partition("\n\n")[2]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="the release's folder, with its manifest.json")
    parser.add_argument(
        "--publisher",
        action="append",
        required=True,
        metavar="FILE",
        help="the publisher's public key, PEM; may be given again",
    )
    parser.add_argument(
        "--ledger",
        action="append",
        required=True,
        metavar="VKEY",
        help="the ledger's key, or a file with such lines; may be given again",
    )
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="VKEY",
        help="the key of a witness, or a file with such lines; may be given again",
    )
    parser.add_argument(
        "--mldsa",
        action="append",
        default=[],
        metavar="FILE",
        help="the publisher's ML-DSA-65 key, PEM: then its signature is asked for too",
    )
    parser.add_argument(
        "--recipient", metavar="NAME", help="who you are: your id with the publisher, or your age recipient"
    )
    parser.add_argument(
        "--now", metavar="INSTANT", help="look at another instant than now, such as 2027-01-31T12:00:00+00:00"
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="remember the ledger's checkpoints here, and refuse one that went back",
    )
    parser.add_argument(
        "--log",
        type=Path,
        metavar="DIR",
        help="the ledger's public folder: it must hold every checkpoint that you know",
    )
    parser.add_argument("--manifest-only", action="store_true", help="look at the manifest and its proofs alone")
    parser.add_argument("--json", action="store_true", help="answer with one JSON document")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = read_arguments(arguments)
    try:
        trust, now, seen = _understood(asked)
    except (Unusable, Lacking) as error:
        code = USAGE if isinstance(error, Unusable) else LACKING
        if asked.json:
            print(json.dumps({"exit_code": code, "says": str(error)}, indent=2))
        else:
            print(f"verify_release.py: {_plain(str(error))}", file=sys.stderr)
        return code
    report = verify(
        asked.folder,
        trust,
        now=now,
        recipient=asked.recipient,
        manifest_only=asked.manifest_only,
        seen=seen,
        log=asked.log,
    )
    if asked.json:
        print(json.dumps(document(report), indent=2))
    else:
        print("\n".join(map(_plain, shown(report))))
    return report.exit_code


def read_trust(
    publishers: Sequence[str], ledgers: Sequence[str], witnesses: Sequence[str] = (), mldsa: Sequence[str] = ()
) -> Trust:
    """The keys in files, or in lines that are given themselves. Raises Unusable or Lacking."""
    trust = Trust(
        publishers=_given(publishers, "--publisher", lambda path: read_public_keys(Path(path).read_bytes())),
        ledgers=_given(ledgers, "--ledger", _note_keys),
        witnesses=_given(witnesses, "--witness", _note_keys),
        mldsa=_given(mldsa, "--mldsa", lambda path: read_public_keys(Path(path).read_bytes(), mldsa=True)),
    )
    kinds = ((trust.ledgers, _ED25519, "--ledger"), (trust.witnesses, _COSIGNATURE, "--witness"))
    for keys, kind, option in kinds:
        if any(key.kind != kind for key in keys):
            raise Unusable(f"{option}: a key of the other kind: a ledger's is no witness's")
    return trust


def _understood(asked: argparse.Namespace) -> tuple[Trust, datetime, Seen | None]:
    trust = read_trust(asked.publisher, asked.ledger, asked.witness, asked.mldsa)
    now = _given([asked.now], "--now", lambda text: [_instant(text)]) if asked.now else [datetime.now(timezone.utc)]
    seen = _given([asked.state], "--state", lambda path: [Seen(path)]) if asked.state else [None]
    for folder in (asked.folder, asked.log):
        if folder and not folder.is_dir():
            raise Unusable(f"{folder} is not a folder")
    return trust, now[0], seen[0]


def _given(values: Sequence[Any], option: str, read: Callable[[Any], list[Any]]) -> list[Any]:
    found = []
    for value in values:
        try:
            found += read(value)
        except OSError as error:
            raise Unusable(f"{option} {value}: {error.strerror}") from None
        except (Unusable, Lacking) as error:
            raise type(error)(f"{option} {value}: {error}") from None
        except ValueError:
            raise Unusable(f"{option} {value}: it cannot be read") from None
    return found


def _note_keys(value: str) -> list[NoteKey]:
    """Of a line, or of every line of a file."""
    lines = Path(value).read_text(encoding="utf-8").splitlines() if Path(value).is_file() else [value]
    keys = [read_note_key(line) for line in lines if line.strip() and not line.startswith("#")]
    if not keys:
        raise Unusable("there is no key in it")
    return keys


if __name__ == "__main__":
    sys.exit(main())

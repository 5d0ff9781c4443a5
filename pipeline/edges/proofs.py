"""Does a proof show that an entry is in the ledger? The recipient's question; the audit asks it of every proof again."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.entries import Entry, Kind, leaf_of, read_entry
from pipeline.core.errors import Code, Refused
from pipeline.core.merkle import leaf_hash, root_by_inclusion
from pipeline.core.notes import Checkpoint, VerifierKey, read_proof
from pipeline.edges.checkpoints import Cosignature, open_checkpoint, open_cosigned


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry that is in the ledger of this checkpoint, which these witnesses have cosigned."""

    entry: Entry
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]


def open_proof(
    content: bytes, keys: Sequence[VerifierKey], witnesses: Sequence[VerifierKey] = (), *, name: str = "The proof"
) -> Proven:
    """What the proof (C2SP tlog-proof) shows, by the ledger's keys and those of the witnesses that are believed.

    Raises:
        Refused: PROOF_INVALID, CHECKPOINT_INVALID, ORIGIN_DIFFERS, COSIGNATURE_INVALID; PROOF_OF_ANOTHER: of another index.
    """
    try:
        proof = read_proof(content)
        entry = read_entry(proof.extra)
    except ValueError:
        raise _refused(name, "is not a proof of an entry as a ledger writes it") from None
    if entry.sequence != proof.index:
        raise _of_another(name, f"is of index {proof.index}, but holds entry {entry.sequence}")
    checkpoint = open_checkpoint(proof.note, keys, name=f"the checkpoint of {name[0].lower()}{name[1:]}")
    try:
        root = root_by_inclusion(proof.index, checkpoint.size, leaf_hash(leaf_of(proof.extra)), proof.path)
    except ValueError:
        root = b""
    if root != checkpoint.root:
        raise _refused(name, f"does not lead from entry {entry.sequence} to the root of its checkpoint")
    return Proven(entry, checkpoint, open_cosigned(proof.note, checkpoint, witnesses))


def proves(proven: Proven, kind: Kind, release: str, digest: str, *, name: str = "The proof") -> None:
    """The entry says that this release was released, or withdrawn, by the file with this digest; else Refused.

    Raises:
        Refused: PROOF_OF_ANOTHER.
    """
    entry = proven.entry
    told = entry.facts.get("withdrawal" if kind is Kind.WITHDRAWN else "manifest")
    if (entry.kind, entry.subject, told) != (kind, release, digest):
        raise _of_another(name, f"is of another entry than that {release} was {kind.value} by this file")


def _of_another(name: str, what: str) -> Refused:
    return Refused(
        Code.PROOF_OF_ANOTHER, f"{name} {what}.", next_step="do not use it; get it again from its publisher."
    )


def _refused(name: str, what: str) -> Refused:
    return Refused(
        Code.PROOF_INVALID,
        f"{name} {what}.",
        next_step="get it again from its publisher, and check the ledger's key that it is verified with.",
    )

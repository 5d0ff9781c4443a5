"""Does a proof show that an entry is in the ledger? The recipient's question; the audit asks it of every proof again."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.entries import Entry, leaf_of, read_entry
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
        Refused: PROOF_INVALID, CHECKPOINT_INVALID, ORIGIN_DIFFERS, COSIGNATURE_INVALID.
    """
    try:
        proof = read_proof(content)
        entry = read_entry(proof.extra)
    except ValueError:
        raise _refused(name, "is not a proof of an entry as a ledger writes it") from None
    if entry.sequence != proof.index:
        raise _refused(name, f"is of index {proof.index}, but holds entry {entry.sequence}")
    checkpoint = open_checkpoint(proof.note, keys, name=f"the checkpoint of {name[0].lower()}{name[1:]}")
    try:
        root = root_by_inclusion(proof.index, checkpoint.size, leaf_hash(leaf_of(proof.extra)), proof.path)
    except ValueError:
        root = b""
    if root != checkpoint.root:
        raise _refused(name, f"does not lead from entry {entry.sequence} to the root of its checkpoint")
    return Proven(entry, checkpoint, open_cosigned(proof.note, checkpoint, witnesses))


def _refused(name: str, what: str) -> Refused:
    return Refused(
        Code.PROOF_INVALID,
        f"{name} {what}.",
        next_step="get it again from its publisher, and check the ledger's key that it is verified with.",
    )

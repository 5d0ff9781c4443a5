"""What does it say when a release must no longer be used?

An in-toto Statement v1 about the release's manifest: who withdrew it, why, when, and whether it is to be made anew. It is put
into a signed envelope as the manifest is. It takes nothing away: the parts stay until their retention ends.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from pipeline.core.canonical import canonical
from pipeline.core.errors import Code, Refused
from pipeline.core.statement import STATEMENT_TYPE

WITHDRAWAL_TYPE = "urn:safeconduct:withdrawal:v1"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That a release must no longer be used. `reissue`: its next revision is to be made; else it is never made again."""

    release: str
    recipient: str
    by: str
    why: str
    at: datetime
    reissue: bool
    signed_by: tuple[str, ...]


_FIELDS = TypeAdapter(Withdrawal)


def withdrawal_statement(withdrawal: Withdrawal, manifest_digest: str) -> bytes:
    """The statement's bytes: canonical JSON. Its subject is the manifest with this digest."""
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "predicateType": WITHDRAWAL_TYPE,
            "subject": [{"name": MANIFEST, "digest": {"sha256": manifest_digest}}],
            "predicate": asdict(withdrawal),
        }
    )


def read_withdrawal(text: bytes, manifest_digest: str) -> Withdrawal:
    """The withdrawal that the statement is, of the release with this manifest.

    Raises:
        Refused: VERIFICATION_FAILED: it is no such statement. MANIFEST_SWAPPED: it withdraws another manifest.
    """
    try:
        said = json.loads(text)
        withdrawal = _FIELDS.validate_python(said["predicate"])
        subject = said["subject"][0]["digest"]["sha256"]
        same = text == withdrawal_statement(withdrawal, subject)
    except (ValidationError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        same = False
    if not same:
        raise Refused(
            Code.VERIFICATION_FAILED,
            "the withdrawal's statement is not one of a Safeconduct release.",
            next_step="get the withdrawal again from its publisher.",
        )
    if subject != manifest_digest:
        raise Refused(
            Code.MANIFEST_SWAPPED,
            f"the withdrawal of {withdrawal.release} speaks of another manifest than the one beside it.",
            next_step="find out who put it there.",
        )
    return withdrawal

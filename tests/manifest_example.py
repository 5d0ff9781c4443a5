"""The manifest in `docs/formats/example/`: made by the real code from fixed facts, so that every byte can be shown.

`python -m tests.manifest_example` writes it again; `tests/test_docs.py` fails when it is no longer what the code makes.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.core.agreement import Agreement
from pipeline.core.authority import authorise
from pipeline.core.conservation import RowCount
from pipeline.core.duration import after
from pipeline.core.statement import Part, Source, statement
from pipeline.edges.signing import SigningKey, sign_statement

FOLDER = Path(__file__).resolve().parent.parent / "docs/formats/example"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)

AGREEMENT = {
    "id": "example-lists",
    "title": "Members to a partner administration",
    "instrument": "Decision 1/2026 (fictitious)",
    "confidence": "design",
    "provider": "example-customs",
    "recipient": "eu-customs",
    "feeds": ["aeo-members"],
    "status": "active",
    "format": "csv",
    "in_force": {"from": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2030, 1, 1, tzinfo=UTC)},
    "purposes": {"allow": ["mutual-recognition"], "declared": "mutual-recognition", "clause": "Art. 1"},
    "rows": [
        {"name": "validated", "all": [{"column": "program_status", "any_of": ["VALIDATED"]}], "clause": "Art. 2(1)"},
    ],
    "columns": {
        "tin": {"treatment": "pseudonymise", "domain": "operator", "clause": "Art. 3"},
        "country": {"treatment": "keep", "clause": "Art. 2(2)"},
        "street": {"treatment": "keep", "until": "P6M", "clause": "Art. 2(2), 5"},
    },
    "handling": {
        "tlp": "AMBER",
        "caveats": ["Confidential business information"],
        "onward": "Not without written agreement",
        "retention": {"delete_after": "P1Y", "clock": "released", "clause": "Art. 5"},
    },
}


def example() -> dict[str, bytes]:
    """The files of the example by name."""
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the example's signing key").digest()))
    delivery = _digest("a delivery")
    agreement = Agreement.model_validate(AGREEMENT)
    text = statement(
        authorise(
            agreement,
            agreement_digest=_digest("the agreement's file and its code lists"),
            recipient_keys=("age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq",),
            at=AT,
        ),
        release="example-lists.0f3b6a0de9a1c2d4",
        kept="aeo-members.0f3b6a0de9a1c2d4",
        schema={"id": "aeo-members", "version": "1"},
        sources=[Source(delivery, received=400, accepted=398, rejected=2)],
        parts=[
            _part("the first part", 21_311, ("release_row", "tin", "country"), None),
            _part("the second part", 17_028, ("release_row", "street"), after(AT, "P6M")),
        ],
        rows=RowCount(
            received=400,
            accepted=398,
            rejected=2,
            released=301,
            out_of_scope=97,
            suppressed=0,
            withheld=0,
            by_rule={"validated": 97},
        ),
        code_version="0.1.0",
    )
    return {"manifest.json": sign_statement(text, key), "statement.json": text, "publisher.pem": key.public_pem()}


def _part(content: str, size_bytes: int, columns: tuple[str, ...], until: datetime | None) -> Part:
    digest = _digest(content)
    return Part(f"parts/{digest}.csv.age", digest, size_bytes, 301, columns, until)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in example().items():
        (FOLDER / name).write_bytes(content)

"""The manifest in `docs/formats/example/`: made by the real code from fixed facts, so that every byte can be shown.

`python -m tests.manifest_example` writes it again; `tests/test_docs.py` fails when it is no longer what the code makes.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pipeline.core.authority import Authorised, Recipient, authorise, marked
from pipeline.core.clocks import Instants, runs_out
from pipeline.core.conservation import RowCount
from pipeline.core.entries import Entry, Fact, Kind, leaf_of
from pipeline.core.errors import Code
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.handling import Clock
from pipeline.core.language.instrument import Instrument
from pipeline.core.language.partner import Partner
from pipeline.core.language.purpose import Declaration
from pipeline.core.merkle import inclusion, leaf_hash, nodes_of, root
from pipeline.core.notes import Checkpoint, KeyKind, Proof, VerifierKey
from pipeline.core.risk import Figures
from pipeline.core.statement import Backing, Part, Source, Superseded, statement
from pipeline.core.withdrawal import Withdrawal, withdrawal_statement
from pipeline.edges.checkpoints import cosign, log_key, raw, sign_checkpoint
from pipeline.edges.signing import SigningKey, key_id, sign_statement

FOLDER = Path(__file__).resolve().parent.parent / "docs/formats/example"
ORIGIN, WITNESS = "safeconduct/0123456789ab", "customs.example/witness"
RELEASE = "example-lists.0f3b6a0de9a1c2d4-v2"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
INSTANTS = Instants(
    received=AT - timedelta(hours=3),
    last_received=AT - timedelta(hours=3),
    loaded=AT - timedelta(hours=1),
    released=AT,
)

INSTRUMENT = {
    "id": "example-decision",
    "title": "Decision on the mutual recognition of trusted traders (fictitious)",
    "kind": "decision",
    "citation": "Decision 1/2026",
    "parties": ["Example", "European Union"],
    "programme": "Trusted traders",
    "confidence": "design",
    "source": "made up for this page",
    "status": "in force",
    "exchanges_records": True,
}
RECIPIENT = {"id": "eu-customs", "title": "A partner administration", "role": "customs", "country": "EUE"}
AGREEMENT = {
    "id": "example-lists",
    "version": 2,
    "title": "Members to a partner administration",
    "instrument": "example-decision",
    "provider": "example-customs",
    "recipient": "eu-customs",
    "feeds": ["aeo-members"],
    "status": [{"to": "active", "since": datetime(2026, 1, 1, tzinfo=UTC), "reason": "in force"}],
    "format": "csv",
    "in_force": {"from": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2030, 1, 1, tzinfo=UTC)},
    "purposes": {"mutual-recognition": {"clause": "Art. 1", "requires": ["understanding"]}},
    "conditions": {"understanding": {"kind": "express-understanding", "clause": "Art. 4"}},
    "rows": [
        {"name": "validated", "all": [{"column": "program_status", "any_of": ["VALIDATED"]}], "clause": "Art. 2(1)"},
    ],
    "columns": {
        "tin": {"treatment": "pseudonymise", "domain": "operator", "clause": "Art. 3"},
        "country": {"treatment": "keep", "clause": "Art. 2(2)"},
        "street": {"treatment": "keep", "until": "P6M", "clock": "loaded", "clause": "Art. 2(2); Art. 5(2)"},
    },
    "risk": {"columns": ["country"], "smallest_group": 5, "otherwise": "report", "clause": "Art. 6"},
    "handling": {
        "marking": {"tlp": "AMBER"},
        "caveats": ["Confidential business information"],
        "onward": {
            "default": "deny",
            "with": ["understanding"],
            "says": "Only to other customs administrations, on a written understanding",
            "clause": "Art. 4",
        },
        "retention": {"clock": "released", "delete_after": "P1Y", "freeze_on_hold": True, "clause": "Art. 5(1)"},
        "notices": [{"to": "The giver", "of": "every onward transfer", "within": "P7D", "clause": "Art. 4"}],
    },
}


def example() -> dict[str, bytes]:
    """The files of the example by name. All but `SIGNED_ANEW` are the same bytes each time."""
    key, second = signing_key(), second_key()
    release, signed_twice = released(key.id), released(key.id, key_id(second.public_key()))
    manifest = sign_statement(release, key)
    withdrawal = withdrawn(hashlib.sha256(manifest).hexdigest())
    second_pem = second.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "statement.json": release,
        "manifest.json": manifest,
        "manifest-twice.json": sign_statement(signed_twice, key, second),
        "withdrawal-statement.json": withdrawal,
        "withdrawal.json": sign_statement(withdrawal, key),
        "publisher.pem": key.public_pem(),
        "publisher-mldsa.pem": second_pem,
        **proofs(manifest, sign_statement(withdrawal, key)),
        "vectors.json": json.dumps(list(vectors(release, withdrawal)), indent=1, ensure_ascii=False).encode() + b"\n",
    }


def proofs(manifest: bytes, withdrawal: bytes) -> dict[str, bytes]:
    """What a ledger says of the example's release and of its withdrawal, as a witness has seen it; and both their keys."""
    facts: dict[str, Fact] = {"recipient": "eu-customs", "manifest": hashlib.sha256(manifest).hexdigest()}
    withdrawn_facts: dict[str, Fact] = {**facts, "withdrawal": hashlib.sha256(withdrawal).hexdigest()}
    told: list[tuple[Kind, str, dict[str, Fact], timedelta]] = [
        (Kind.ACCEPTED, _digest("a delivery"), {"received": 400}, timedelta(hours=-1)),
        (Kind.INTENDED, RELEASE, {}, timedelta()),
        (Kind.RELEASED, RELEASE, facts, timedelta(seconds=1)),
        (Kind.ACCEPTED, _digest("another delivery"), {"received": 12}, timedelta(hours=1)),
        (Kind.WITHDRAWN, RELEASE, withdrawn_facts, timedelta(days=2)),
    ]
    entries = [
        bytes(Entry(number, f"{kind.value}:{number}", AT + after, kind, subject, said, _digest(f"salt {number}")))
        for number, (kind, subject, said, after) in enumerate(told)
    ]
    leaves = [leaf_hash(leaf_of(entry)) for entry in entries]

    def proof(index: int, size: int, *, cosigned: bool = False) -> bytes:
        checkpoint = sign_checkpoint(Checkpoint(ORIGIN, size, root(size, nodes_of(leaves))), ledger_key())
        seen = str(cosign(checkpoint, WITNESS, witness_key(), AT + timedelta(hours=2)).signature) if cosigned else ""
        path = tuple(inclusion(index, size, nodes_of(leaves)))
        return bytes(Proof(index, path, checkpoint.note + seen.encode(), entries[index]))

    witness = VerifierKey(WITNESS, KeyKind.WITNESS, raw(witness_key().public_key()))
    return {
        "manifest.tlog-proof": proof(2, 3),
        "witnessed.tlog-proof": proof(2, 4, cosigned=True),
        "withdrawal.tlog-proof": proof(4, 5),
        "ledger.vkey": f"{log_key(ORIGIN, ledger_key().public)}\n".encode(),
        "witness.vkey": f"{witness}\n".encode(),
    }


SIGNED_ANEW = "manifest-twice.json"
"""ML-DSA signs with randomness: this file is verified instead of compared."""


def vectors(release: bytes, withdrawal: bytes) -> Iterator[dict[str, str]]:
    """Envelopes, each with what it is given as and the code that it must end in: "" where it holds."""
    key, second = signing_key(), second_key()
    other = SigningKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"somebody else's key").digest()))
    manifest, two = sign_statement(release, key), key_id(second.public_key())
    flipped = release.replace(b'"released":301', b'"released":300')
    of_another = release.replace(b'"release":"example-lists.0f3b6a0de9a1c2d4-v2"', b'"release":"example-lists.ffff"')
    payload = base64.b64encode(release)
    about_another = withdrawn(hashlib.sha256(b"another manifest").hexdigest())

    def told(name: str, given_as: str, code: Code | None, envelope: bytes) -> dict[str, str]:
        return {"name": name, "as": given_as, "code": code.value if code else "", "envelope": envelope.decode()}

    wrong, swapped = Code.VERIFICATION_FAILED, Code.MANIFEST_SWAPPED
    yield told("as the publisher has signed it", "manifest", None, manifest)
    yield told("a field more, which nothing signs", "manifest", None, manifest[:-1] + b',"note":"x"}')
    yield told("another number of rows", "manifest", wrong, manifest.replace(payload, base64.b64encode(flipped)))
    yield told("signed by another key", "manifest", Code.SIGNER_UNKNOWN, sign_statement(release, other))
    yield told("no signature", "manifest", wrong, re.sub(rb"\[.*\]", b"[]", manifest))
    yield told("another type of payload", "manifest", wrong, manifest.replace(b"in-toto+json", b"in-toto+xml_"))
    yield told(
        "the payload twice", "manifest", wrong, manifest.replace(b'{"payload"', b'{"payload":"e30=","payload"', 1)
    )
    yield told("cut short", "manifest", wrong, manifest[:-2])
    yield told("one sign more", "manifest", wrong, manifest + b"x")
    stripped = sign_statement(released(key.id, two), key)
    yield told("its second signature taken away", "manifest", Code.SIGNATURE_STRIPPED, stripped)
    yield told("the manifest of another release", "manifest", swapped, sign_statement(of_another, key))
    yield told("a withdrawal given as a manifest", "manifest", wrong, sign_statement(withdrawal, key))
    yield told("as the publisher has withdrawn it", "withdrawal", None, sign_statement(withdrawal, key))
    yield told("a withdrawal by another key", "withdrawal", Code.SIGNER_UNKNOWN, sign_statement(withdrawal, other))
    yield told("the withdrawal of another manifest", "withdrawal", swapped, sign_statement(about_another, key))
    yield told("a manifest given as a withdrawal", "withdrawal", wrong, manifest)


def signing_key() -> SigningKey:
    """The example's Ed25519 key: its secret is the SHA-256 of the text below."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the example's signing key").digest()))


def ledger_key() -> SigningKey:
    """The key of the example's ledger: its secret is the SHA-256 of the text below."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the example's ledger key").digest()))


def witness_key() -> Ed25519PrivateKey:
    """The key of the example's witness: its secret is the SHA-256 of the text below."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the example's witness key").digest())


def second_key() -> MLDSA65PrivateKey:
    """The example's ML-DSA-65 key: its seed is the SHA-256 of the text below."""
    return MLDSA65PrivateKey.from_seed_bytes(hashlib.sha256(b"the example's second signing key").digest())


def released(*signers: str) -> bytes:
    """The statement of a release that takes the place of a withdrawn one, signed by these keys."""
    authorised = _authorised()
    return statement(
        authorised,
        instrument=Instrument.model_validate(INSTRUMENT),
        release=RELEASE,
        kept="aeo-members.0f3b6a0de9a1c2d4",
        schema={"id": "aeo-members", "version": "1"},
        sources=[Source(_digest("a delivery"), received=400, accepted=398, rejected=2)],
        parts=[
            _part("the first part", 21_311, ("release_row", "tin", "country"), Clock.RELEASED, "P1Y"),
            _part("the second part", 17_028, ("release_row", "street"), Clock.LOADED, "P6M"),
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
        marking=marked(authorised, None),
        risk=Figures(smallest_group=3, groups=14, unique_rows=0),
        backing=_backing(signers),
        revision=2,
        supersedes=Superseded("example-lists.0f3b6a0de9a1c2d4", _digest("its manifest"), _digest("its withdrawal")),
    )


def withdrawn(manifest_digest: str) -> bytes:
    """The statement that withdraws the example's release, for good."""
    said = Withdrawal(
        release=RELEASE,
        recipient="eu-customs",
        by="j.example",
        why="Streets of operators without premises are homes",
        at=AT + timedelta(days=2),
        reissue=False,
        signed_by=(signing_key().id,),
    )
    return withdrawal_statement(said, manifest_digest)


def _backing(signers: Sequence[str]) -> Backing:
    return Backing(
        code_lists={
            "eori-countries-v1": {
                "agreed_on": "2026-01-01",
                "expires_on": "2027-01-01",
                "sha256": _digest("the code list's file"),
            }
        },
        hierarchies={},
        ledger={"origin": ORIGIN, "keys": [str(log_key(ORIGIN, ledger_key().public))]},
        kit={"OPEN.md": _digest("OPEN.md"), "verify_release.py": _digest("verify_release.py")},
        signed_by=signers,
        versions={"safeconduct": "0.1.0", "treatments": _digest("sources"), "polars": "1.0", "polars-hash": "0.1"},
        policies={"sha256": _digest("the texts that decided")},
    )


def _authorised() -> Authorised:
    return authorise(
        Agreement.model_validate(AGREEMENT),
        agreement_digest=_digest("the agreement's file and its code lists"),
        declaration=Declaration(purpose="mutual-recognition", understanding="Letter of 12 March 2026"),
        recipient=Recipient(
            Partner.model_validate(RECIPIENT), (), ("age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq",)
        ),
        instants=INSTANTS,
    )


def _part(content: str, size_bytes: int, columns: tuple[str, ...], clock: Clock, after: str) -> Part:
    digest = _digest(content)
    until = runs_out(clock, after, INSTANTS)
    commitment = _digest(f"the clear bytes of {content}, under the site's key")
    return Part(f"parts/{digest}.csv.age", digest, size_bytes, commitment, 301, columns, until, clock.value, after)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def same_payload(name: str, content: bytes) -> bool:
    """Whether the file is there and its envelope holds what this one holds."""
    path = FOLDER / name
    return path.exists() and json.loads(path.read_bytes())["payload"] == json.loads(content)["payload"]


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in example().items():
        if name != SIGNED_ANEW or not same_payload(name, content):
            (FOLDER / name).write_bytes(content)

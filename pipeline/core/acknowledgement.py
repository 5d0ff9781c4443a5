"""What does a recipient say when it has a release? That it holds the release with exactly this manifest.

A JSON object (UTF-8, white space as the writer likes) that the recipient signs as it signs a delivery:

    type         urn:safeconduct:acknowledgement:v1
    release      the release's name
    recipient    whom the release is for, as its manifest says
    manifest     {"sha256": SHA-256 (hex) of manifest.json}
    by           the office that says so; not a person
    at           when, ISO 8601 with its zone
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.canonical import canonical

ACKNOWLEDGEMENT_TYPE = "urn:safeconduct:acknowledgement:v1"
MAX_BYTES = 16 * 1024
"""One takes 400 bytes; nobody needs to read more than this before refusing it."""

_MAX_BY = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,250}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """That `by` has the release of this manifest (SHA-256, hex)."""

    release: str
    recipient: str
    manifest: str
    by: str
    at: datetime


def acknowledgement_text(said: Acknowledgement) -> bytes:
    """The text that is signed."""
    return canonical(
        {
            "type": ACKNOWLEDGEMENT_TYPE,
            "release": said.release,
            "recipient": said.recipient,
            "manifest": {"sha256": said.manifest},
            "by": said.by,
            "at": said.at,
        }
    )


def read_acknowledgement(text: bytes) -> Acknowledgement:
    """The acknowledgement that the text is, read strictly. ValueError, which holds nothing of it, where it is none."""
    try:
        fields = json.loads(text.decode(), object_pairs_hook=_once) if len(text) <= MAX_BYTES else {}
        kind, manifest, at = (fields.pop(name) for name in ("type", "manifest", "at"))
        said = Acknowledgement(manifest=manifest.pop("sha256"), at=datetime.fromisoformat(at), **fields)
        known = kind == ACKNOWLEDGEMENT_TYPE and not manifest and _is_whole(said)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        known = False
    if not known:
        raise ValueError("it is not an acknowledgement")
    return said


def _is_whole(said: Acknowledgement) -> bool:
    texts = (said.release, said.recipient, said.manifest, said.by)
    return (
        all(isinstance(text, str) for text in texts)
        and bool(_NAME.fullmatch(said.release) and _NAME.fullmatch(said.recipient) and _DIGEST.fullmatch(said.manifest))
        and 0 < len(said.by) <= _MAX_BY
        and said.by.isprintable()
        and said.at.tzinfo is not None
    )


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Two fields of one name would let two readers see two acknowledgements."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError
    return fields

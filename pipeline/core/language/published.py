"""What does an editor need to complete and check a file of the catalogue? A JSON Schema for each kind, made from its model.

Draft 7, which is the newest that editors of TOML read. The models ask for more than a schema can: `safeconduct check` says.
"""

import json
from typing import Any

from pipeline.core.language.agreement import Agreement
from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.feed import Feed
from pipeline.core.language.instrument import Instrument
from pipeline.core.language.partner import Partner
from pipeline.core.language.policy import Policy

KINDS: dict[str, type[Policy]] = {
    "agreement": Agreement,
    "code-list": CodeList,
    "feed": Feed,
    "hierarchy": Hierarchy,
    "instrument": Instrument,
    "partner": Partner,
}
"""By the name of the schema: `docs/schemas/agreement.schema.json`."""

_DRAFT = "http://json-schema.org/draft-07/schema#"


def schema_file(kind: str) -> str:
    """What the schema of the kind is named."""
    return f"{kind}.schema.json"


def schema_text(kind: str) -> str:
    """The schema's file."""
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of the kind's files."""
    said = _plain(KINDS[kind].model_json_schema(by_alias=True))
    for model in said.get("$defs", {}).values():
        for named in model.get("properties", {}).values():
            if "const" in named:  # `treatment = "keep"`: what the whole model does
                named.setdefault("description", model["description"])
    return {"$schema": _DRAFT, "title": f"A {kind} of the catalogue", **said}


def _plain(said: Any) -> Any:
    """Without what editors stumble over: null, which TOML does not have, made-up titles, and words beside a `$ref`."""
    if isinstance(said, list):
        return [_plain(one) for one in said]
    if not isinstance(said, dict):
        return said
    kept = {key: value for key, value in said.items() if not _is_noise(key, value)}
    choices = [choice for choice in kept.pop("anyOf", []) if choice != {"type": "null"}]
    if choices:
        kept = {**(choices[0] if len(choices) == 1 else {"anyOf": choices}), **kept}
    if "$ref" in kept and len(kept) > 1:
        kept = {"allOf": [{"$ref": kept.pop("$ref")}], **kept}
    return {key: _plain(value) for key, value in kept.items()}


def _is_noise(key: str, value: Any) -> bool:
    """A column may be named `title`, so that only words under it are noise."""
    return (key == "title" and isinstance(value, str)) or key == "discriminator" or (key == "default" and value is None)

"""The JSON Schemas for editors: current, complete in their words, named by every file of the catalogue, and true of it."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from pipeline.core.language.published import KINDS, json_schema, schema_file, schema_text

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = {
    "agreements": "agreement",
    "codes": "code-list",
    "feeds": "feed",
    "hierarchies": "hierarchy",
    "instruments": "instrument",
    "partners": "partner",
}
FILES = sorted((ROOT / "catalogue").rglob("*.toml"))


def as_json(said: Any) -> Any:
    """What an editor of TOML hands to the schema: dates are texts."""
    if isinstance(said, dict):
        return {key: as_json(value) for key, value in said.items()}
    if isinstance(said, list):
        return [as_json(one) for one in said]
    return said.isoformat() if isinstance(said, date) else said


def faults(kind: str, text: str) -> list[str]:
    return [error.json_path for error in Draft7Validator(json_schema(kind)).iter_errors(as_json(tomllib.loads(text)))]


def models(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "the file", schema
    yield from schema.get("$defs", {}).items()


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_schema_is_the_models(kind: str) -> None:
    published = (ROOT / "docs/schemas" / schema_file(kind)).read_text(encoding="utf-8")
    assert published == schema_text(kind), "write it again: python -m docs.schemas"


@pytest.mark.parametrize("kind", KINDS)
def test_each_schema_is_one_of_draft_7(kind: str) -> None:
    Draft7Validator.check_schema(json_schema(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_words_for_whoever_completes_it(kind: str) -> None:
    silent = [
        f"{model}.{name}"
        for model, said in models(json_schema(kind))
        for name, field in said.get("properties", {}).items()
        if len(field.get("description", "")) < 3
    ]
    assert silent == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_a_schema_says_what_toml_cannot(kind: str) -> None:
    assert "null" not in re.findall(r'"type": "(\w+)"|"default": (null)', schema_text(kind))


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_file_of_the_catalogue_names_its_schema_and_is_valid_under_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    kind = FOLDERS[file.parent.name]
    assert text.splitlines()[0] == f"#:schema ../../docs/schemas/{schema_file(kind)}"
    assert (file.parent / f"../../docs/schemas/{schema_file(kind)}").resolve().is_file()
    assert faults(kind, text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('treatment = "keep"', 'treatment = "kep"'),
        ('until = "P6M"', 'until = "6 months"'),
        ('recipient = "eu-piu"', 'recipient = "EU PIU"'),
        ('format = "parquet"', 'format = "xlsx"'),
        ('format = "parquet"', 'format = "parquet"\nformatt = "csv"'),
        ('delete_after = "P5Y"', ""),
    ],
)
def test_an_editor_marks_what_the_language_does_not_have(old: str, new: str) -> None:
    text = (ROOT / "catalogue/agreements/pnr-eu-piu.toml").read_text(encoding="utf-8")
    assert old in text
    assert faults("agreement", text.replace(old, new)) != []

"""`python -m docs.schemas`: the published JSON Schemas are those of the models."""

from pathlib import Path

from pipeline.core.language.published import KINDS, schema_file, schema_text

for kind in KINDS:
    (Path(__file__).parent / schema_file(kind)).write_text(schema_text(kind), encoding="utf-8")

"""The code lists of the catalogue, for the schemas that lean on them."""

import tomllib
from pathlib import Path

from pipeline.core.language.codes import CodeList

_CODES = Path(__file__).resolve().parent.parent / "catalogue" / "codes"

LISTS = {path.stem: CodeList.model_validate(tomllib.loads(path.read_text("utf-8"))) for path in _CODES.glob("*.toml")}

"""How is a catalogue file read? Strictly: one base for every model of the catalogue."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Policy(BaseModel):
    """A frozen, strict model: unknown keys, missing keys and wrong types are errors, and no error shows an input."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
"""A catalogue id: lower-case letters, digits and single hyphens. It becomes part of storage keys and DAG ids."""

ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Word = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$", max_length=200)]
"""A code or term: never blank, no white space around it, on one line."""


def _a_clause(text: str) -> str:
    if not re.search(r"\S", text):
        raise ValueError("must name the clause that the rule comes from")
    return text


Clause = Annotated[str, AfterValidator(_a_clause)]
"""Where a rule comes from: `Art. 8(1)(a)`, `Annex 4`; `[D]` marks a design choice that is not law."""

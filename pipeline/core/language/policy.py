"""How is a catalogue file read? Strictly: one base for every model of the catalogue."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


class Policy(BaseModel):
    """A frozen, strict model: unknown keys, missing keys and wrong types are errors, and no error shows an input."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
"""A catalogue id: lower-case letters, digits and single hyphens. It becomes part of storage keys and DAG ids."""

ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be printable characters on one line")
    return text


Word = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$", max_length=200), AfterValidator(_printable)]
"""A code, term or reference: never blank, no white space around it, on one line, and nothing that a terminal acts on."""


def at(keys: str, message: str) -> PydanticCustomError:
    """The error that something at `keys` (`handling.marking`) speaks against the rest of the file."""
    return PydanticCustomError("contradiction", "{said}", {"said": message, "keys": keys})


def cited(text: str) -> tuple[str, ...]:
    """The names of the clauses that `clause = "Annex 4; Art. 8(2)(a)"` cites."""
    return tuple(name.strip() for name in text.split(";"))


def _cites(text: str) -> str:
    if not all(re.search(r"\S", name) for name in cited(text)):
        raise ValueError("must name the clause that the rule comes from, or several with `;` between them")
    return text


Cited = Annotated[
    str,
    AfterValidator(_cites),
    Field(
        description="the clauses of the instrument, or of the agreement's own, that the rule comes from: Annex 4; D1"
    ),
]
"""Where a rule comes from: names of clauses of the instrument or of the agreement itself, with `;` between them."""

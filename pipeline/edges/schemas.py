"""The schema of each feed, found by the name in its file and compiled."""

import importlib
import re
from functools import cache
from types import ModuleType

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.feed import Feed
from pipeline.core.validation import KEY_RULE, REQUIRED_RULE, CompiledSchema, compile_schema


def schema_of(feed: Feed) -> CompiledSchema:
    """The compiled schema `SCHEMA` of `schemas/<name>.py`, which bears the feed's id."""
    compiled = _compiled(feed.schema_module)
    if compiled.id != feed.id:
        raise Misconfigured(
            Code.SCHEMA_INVALID,
            f"feed {feed.id} names the schema of {compiled.id}.",
            next_step=f"correct `schema` in catalogue/feeds/{feed.id}.toml.",
        )
    return compiled


def meanings_of(feed: Feed) -> dict[tuple[str, str], str]:
    """What each rule of the feed's schema asks for, in words, by column ("" for a row's) and rule."""
    schema = _module(feed.schema_module).SCHEMA
    asked = {
        (name, check.name): check.description for name, column in schema.columns.items() for check in column.checks
    }
    rows = {("", check.name): check.description for check in schema.checks}
    required = {
        (name, REQUIRED_RULE): "must be there" for name, column in schema.columns.items() if not column.nullable
    }
    key = {(", ".join(schema.unique or ()), KEY_RULE): "no two rows may share it"}
    return asked | rows | required | key


@cache
def _compiled(name: str) -> CompiledSchema:
    return compile_schema(_module(name).SCHEMA)


def _module(name: str) -> ModuleType:
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
        raise _missing(name)
    try:
        return importlib.import_module(f"schemas.{name}")
    except ModuleNotFoundError:
        raise _missing(name) from None


def _missing(name: str) -> Misconfigured:
    return Misconfigured(
        Code.SCHEMA_INVALID,
        f"there is no schemas/{name}.py.",
        next_step="correct `schema` in the feed's file, or add the module.",
    )

"""The schema of each feed, found by the name in its file and compiled."""

import importlib
import re
from functools import cache

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.feed import Feed
from pipeline.core.validation import CompiledSchema, compile_schema


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


@cache
def _compiled(name: str) -> CompiledSchema:
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
        raise _missing(name)
    try:
        module = importlib.import_module(f"schemas.{name}")
    except ModuleNotFoundError:
        raise _missing(name) from None
    return compile_schema(module.SCHEMA)


def _missing(name: str) -> Misconfigured:
    return Misconfigured(
        Code.SCHEMA_INVALID,
        f"there is no schemas/{name}.py.",
        next_step="correct `schema` in the feed's file, or add the module.",
    )

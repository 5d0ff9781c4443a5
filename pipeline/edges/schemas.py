"""The schema of each feed, found by the name in its file and compiled with the code lists of the catalogue."""

import importlib
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from types import ModuleType

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.codes import CodeList
from pipeline.core.language.feed import Feed
from pipeline.core.schema import leans_on
from pipeline.core.validation import KEY_RULE, REQUIRED_RULE, CompiledSchema, compile_schema


def schema_of(feed: Feed, code_lists: Mapping[str, CodeList]) -> CompiledSchema:
    """The compiled schema `SCHEMA` of `schemas/<name>.py`, which bears the feed's id; with the codes of the lists it names."""
    named = sorted(leans_on(_module(feed.schema_module).SCHEMA))
    compiled = _compiled(feed.schema_module, tuple(_Same(code_lists[id]) for id in named if id in code_lists))
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
    odd = {
        (name, rule.name): f"{rule.meaning}; a value without is taken all the same, and told"
        for name, column in schema.columns.items()
        for rule in (column.metadata or {}).get("odd", ())
    }
    follows = {("", rule.name): rule.says for rule in feed.follows}
    return asked | odd | rows | required | key | follows


def lists_hold(who: str, leans_on: Collection[str], code_lists: Mapping[str, CodeList], at: datetime) -> None:
    """None of the lists that `who` leans on has expired."""
    for id in sorted(leans_on):
        expires_on = code_lists[id].expires_on
        if expires_on and at.date() >= expires_on:
            raise Misconfigured(
                Code.CODE_LIST_EXPIRED,
                f"{who} leans on the code list {id}, which expired on {expires_on.isoformat()}.",
                next_step="agree on a newer list, and let it be named; then rerun.",
            )


class _Same:
    """A list as a key: two are the same where they say the same."""

    def __init__(self, listed: CodeList) -> None:
        self.listed = listed
        self._said = (listed.id, listed.codes, tuple(listed.lapses))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)


@lru_cache(maxsize=128)
def _compiled(name: str, leaning: tuple[_Same, ...]) -> CompiledSchema:
    return compile_schema(_module(name).SCHEMA, {one.listed.id: one.listed for one in leaning})


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

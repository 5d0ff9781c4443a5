"""How is a record written, so that the same facts are the same bytes, and read again, so that nothing else passes?"""

import json
from collections.abc import Hashable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

from pipeline.core.errors import Code, Conflict

_Record = TypeVar("_Record")


def canonical(record: object) -> bytes:
    """`record` (a mapping or dataclass) as JSON: UTF-8, sorted keys, no white space, one newline at the end.

    Instants are ISO 8601 in UTC. Raises TypeError or ValueError for what has no such form: a time without zone, NaN, a set.
    """
    plain = _plain(record) if not isinstance(record, Mapping) else record
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
    return text.encode() + b"\n"


def read(kind: type[_Record], text: bytes, *, name: str) -> _Record:
    """The record of the dataclass `kind` that `canonical` wrote; `name` is what a message calls it.

    Raises:
        Conflict: it is not such a record, byte for byte: somebody else wrote it.
    """
    try:
        record: _Record = _adapter(cast(Hashable, kind)).validate_json(text)
        ours = canonical(record) == text
    except (ValueError, TypeError):
        ours = False
    if not ours:
        raise Conflict(
            Code.OBJECT_ALTERED,
            f"{name} is not the record that Safeconduct wrote.",
            next_step="restore it from a backup; find out who changed it.",
        )
    return record


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time without zone has no canonical form")
        return value.astimezone(UTC).isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")

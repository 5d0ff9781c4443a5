"""How is a record written, so that the same facts are the same bytes, and read again, so that nothing else passes?"""

import json
from collections.abc import Hashable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from pipeline.core.errors import Code, Conflict

_Record = TypeVar("_Record")


def canonical(record: object) -> bytes:
    """`record` (a mapping or dataclass) as JSON: UTF-8, sorted keys, no white space, one newline at the end.

    Instants are ISO 8601 in UTC.
    """
    plain = _plain(record) if not isinstance(record, Mapping) else record
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain).encode() + b"\n"


def read(kind: type[_Record], text: bytes, *, name: str) -> _Record:
    """The record of the dataclass `kind` that `canonical` wrote; `name` is what a message calls it.

    Raises:
        Conflict: it is not such a record: somebody else wrote it.
    """
    try:
        record: _Record = _adapter(cast(Hashable, kind)).validate_json(text)
    except ValidationError:
        raise Conflict(
            Code.OBJECT_ALTERED,
            f"{name} is not the record that Safeconduct wrote.",
            next_step="restore it from a backup; find out who changed it.",
        ) from None
    return record


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")

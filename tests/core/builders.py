"""Small agreements, schemas and frames that the tests of the core bend to their question."""

import base64
import datetime
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from hypothesis import HealthCheck, settings

from pipeline.core.delivery import POSITION
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.category import Category
from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.schema import Rule, at_most, calendar_date, column, feed_schema, matches
from pipeline.core.treatments import Means
from pipeline.core.validation import CompiledSchema, compile_schema

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How often a law is tried. The whole of tests/core must stay a matter of seconds."""

CANARY = "CANARYVALUE7731"
"""A cell that no message may hold."""

KEY = "0f" * 32

COLUMNS: dict[str, tuple[Category, tuple[Rule, ...]]] = {
    "name": (Category.DIRECT_IDENTIFIER, (at_most(40),)),
    "number": (Category.DIRECT_IDENTIFIER, (matches("[A-Z0-9-]{1,20}", name="number", meaning="capitals and digits"),)),
    "born": (Category.QUASI_IDENTIFIER, (calendar_date(),)),
    "country": (Category.QUASI_IDENTIFIER, ()),
    "status": (Category.PLAIN, ()),
    "remarks": (Category.FREE_TEXT, ()),
    "secret": (Category.DIRECT_IDENTIFIER, ()),
}


def schema(*, unique: Sequence[str] = ()) -> CompiledSchema:
    """The feed that the agreements of `agreement` are about."""
    columns = {name: column(category, "test", *rules) for name, (category, rules) in COLUMNS.items()}
    return compile_schema(feed_schema("members", "1", columns, unique=unique))


def rows(*cells: Mapping[str, str | None], extra: Sequence[str] = ()) -> pl.DataFrame:
    """A chunk of the feed: a row for each of `cells`, absent cells null."""
    names = [*COLUMNS, *extra]
    columns = {name: pl.Series([row.get(name) for row in cells], dtype=pl.String) for name in names}
    positions = pl.Series(range(1, len(cells) + 1), dtype=pl.UInt64)
    return pl.DataFrame({POSITION: positions, **columns})


def stated(**changes: Any) -> dict[str, Any]:
    """An agreement as its file states it, with `changes`."""
    return {
        "id": "test-agreement",
        "version": 1,
        "title": "A test",
        "instrument": "test-instrument",
        "provider": "giver",
        "recipient": "taker",
        "feeds": ["members"],
        "status": [{"to": "active", "since": instant(2020), "reason": "signed"}],
        "in_force": {"from": instant(2020), "until": instant(2030)},
        "purposes": {"control": {"clause": "Art. 1"}},
        "declared": {"purpose": "control"},
        "format": "csv",
        "columns": {"country": {"treatment": "keep", "clause": "Art. 2"}},
        "handling": {
            "marking": {"tlp": "AMBER"},
            "onward": {"default": "deny", "says": "Not without asking.", "clause": "Art. 4"},
            "retention": {"clock": "released", "delete_after": "P1Y", "clause": "Art. 3"},
        },
        **changes,
    }


def handling(**changes: Any) -> dict[str, Any]:
    """What a stated agreement says of handling, with `changes`."""
    said: dict[str, Any] = stated()["handling"]
    return {**said, **changes}


def agreement(**changes: Any) -> Agreement:
    return Agreement.model_validate(stated(**changes))


def columns(**treatments: Mapping[str, Any] | str) -> dict[str, dict[str, Any]]:
    """What an agreement says of its columns: a treatment by name, or with its settings."""
    return {
        name: {"clause": "Art. 2", **({"treatment": said} if isinstance(said, str) else said)}
        for name, said in treatments.items()
    }


def code_list(*codes: str, terms: Sequence[str] = (), id: str = "listed") -> CodeList:
    return CodeList(
        id=id, title="A list", agreed_on=datetime.date(2026, 1, 1), source="test", codes=codes, terms=tuple(terms)
    )


def hierarchy(
    parents: Mapping[str, Sequence[str]], *, levels: Sequence[str] = ("country", "continent"), id: str = "places"
) -> Hierarchy:
    above = {code: tuple(said) for code, said in parents.items()}
    return Hierarchy(
        id=id, title="Places", agreed_on=datetime.date(2026, 1, 1), source="test", levels=tuple(levels), parents=above
    )


PLACES = hierarchy({"JFK": ("USA", "AMERICA"), "YUL": ("CANADA", "AMERICA"), "OSL": ("NORWAY", "EUROPE")})


def means(*lists: CodeList) -> Means:
    """What treatments lean on in tests: these code lists, `PLACES`, and keys and tokens that stand for themselves."""
    return Means(
        code_lists={listed.id: listed for listed in lists or (code_list("KSML"),)},
        hierarchies={PLACES.id: PLACES},
        pseudonym_keys=key_of,
        tokens=tokens_of,
    )


def tokens_of(domain: str) -> Callable[[Sequence[str]], list[str]]:
    """Tokens of the shape that the site's have: of each domain others, and equal only for equal values."""

    def tokens(values: Sequence[str]) -> list[str]:
        digests = (hashlib.sha384(f"{domain}/{value}".encode()).digest() for value in values)
        return [f"t1.{base64.urlsafe_b64encode(digest).decode()}" for digest in digests]

    return tokens


def key_of(domain: str) -> str:
    """A key for each domain, as a keyring would derive it."""
    return (domain.encode().hex() + KEY)[:64]


def instant(year: int, month: int = 1, day: int = 1) -> datetime.datetime:
    return datetime.datetime(year, month, day, tzinfo=datetime.UTC)


def said_by(error: BaseException | None) -> Iterator[str]:
    """All that a traceback, a log or an acknowledgement could show of `error` and of the errors behind it."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args), repr(getattr(error, "__notes__", "")))
        yield repr({name: getattr(error, name, "") for name in ("code", "message", "next_step")})
        if error.__cause__ is not None:
            yield from said_by(error.__cause__)
        error = error.__context__


def assert_silent(error: BaseException, *values: str) -> None:
    """No message of `error` holds any of `values`."""
    for said in said_by(error):
        for value in values:
            assert value not in said, "a message holds a value"

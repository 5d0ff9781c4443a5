"""Rows as a feed's partner would write them: the feed's own file says in which format, and where each column stands."""

import csv
import io
import json
import random
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

from pipeline.core.language.feed import Feed
from pipeline.core.language.wire import CsvFormat, JsonFormat, JsonLinesFormat, XmlFormat, pointed

FEEDS = Path(__file__).parent.parent / "catalogue/feeds"
Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows the delivery holds, and how many of them the schema rejects."""

    rows: int
    bad_rows: int


def write(
    out: BinaryIO,
    feed_id: str,
    count: int,
    seed: int,
    bad_share: float,
    make: Callable[[int, random.Random], dict[str, str | None]],
    broken: Sequence[Row],
) -> Written:
    """A delivery of `count` rows that `make` draws is in `out`; in about `bad_share` of them cells of `broken` stand instead."""
    draw, bad_rows, rows = random.Random(f"{feed_id}/{seed}"), 0, []
    for number in range(1, count + 1):
        row = make(number, draw)
        if draw.random() < bad_share:
            row |= draw.choice(broken)
            bad_rows += 1
        rows.append(row)
    out.write(written(feed_id, rows))
    return Written(count, bad_rows)


def written(feed_id: str, rows: Iterable[Row]) -> bytes:
    """A delivery of the feed with these rows. An absent cell is an empty or a missing field; lines are items of a list."""
    form = Feed.model_validate(tomllib.loads((FEEDS / f"{feed_id}.toml").read_text(encoding="utf-8"))).format
    match form:
        case CsvFormat(delimiter=delimiter):
            return _csv(list(rows), delimiter)
        case JsonLinesFormat(fields=fields):
            return b"".join(_json(_object(row, fields)) + b"\n" for row in rows)
        case JsonFormat(fields=fields, records=records):
            whole: Any = [_object(row, fields) for row in rows]
            for step in reversed(pointed(records)):
                whole = {step: whole}
            return _json(whole) + b"\n"
        case XmlFormat():
            return _xml(rows, form)
        case _:
            raise ValueError(f"no sample is written as {form.kind}")


def _csv(rows: list[Row], delimiter: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([cell or "" for cell in row.values()] for row in rows)
    return out.getvalue().encode()


def _json(whole: Any) -> bytes:
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _object(row: Row, fields: Mapping[str, str]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for name, cell in row.items():
        if cell is not None:
            *outer, last = pointed(fields[name])
            inner = whole
            for step in outer:
                inner = inner.setdefault(step, {})
            inner[last] = cell.split("\n") if "\n" in cell else cell
    return whole


def _xml(rows: Iterable[Row], form: XmlFormat) -> bytes:
    """Without namespaces: no sample has any yet."""
    root_name, record_name = form.records.split("/")
    root = ElementTree.Element(root_name)
    for row in rows:
        record = ElementTree.SubElement(root, record_name)
        for name, cell in row.items():
            if cell is not None:
                _put(record, form.fields[name].split("/"), cell)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _put(element: ElementTree.Element, steps: list[str], cell: str) -> None:
    *outer, last = steps
    for step in outer:
        found = element.find(step)
        element = ElementTree.SubElement(element, step) if found is None else found
    if last.startswith("@"):
        element.set(last[1:], cell)
        return
    for line in cell.split("\n"):
        ElementTree.SubElement(element, last).text = line

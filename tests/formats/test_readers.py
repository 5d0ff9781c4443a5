"""Each format that a feed can name has its reader, which knows whether the feed's schema fits it."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from pipeline.core.errors import Misconfigured
from pipeline.core.language.feed import Feed
from pipeline.core.language.wire import WireFormat
from pipeline.formats.ais import COLUMNS
from pipeline.formats.csv import Csv
from pipeline.formats.readers import limits_of, reader_of, require_fit

FIELDS = {"mmsi": "/mmsi"}
DECLARED: dict[str, dict[str, Any]] = {
    "csv": {"delimiter": ";", "encoding": "windows-1252"},
    "json-lines": {"fields": FIELDS},
    "json": {"fields": FIELDS, "records": "/a"},
    "xml": {"fields": {"mmsi": "mmsi"}, "records": "a/b"},
    "ansi-nist": {"fields": {"mmsi": "1.009"}, "transactions": ["CPS"]},
    "fixed-width": {"fields": {"mmsi": {"at": 1, "chars": 9}}, "record_chars": 9},
}
FORMATS = tuple(get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(WireFormat)[0]))


def feed(kind: str, **limits: int) -> Feed:
    return Feed.model_validate(
        {
            "id": "a",
            "title": "A feed",
            "partner": "p",
            "schema": "a",
            "format": {"kind": kind, **DECLARED.get(kind, {})},
            "acceptance": {"max_rejected_share": 0.1},
            "limits": limits,
        }
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_has_a_reader_of_its_own(kind: str) -> None:
    reader = reader_of(feed(kind))
    assert [other for other in FORMATS if type(reader_of(feed(other))) is type(reader)] == [kind]


def test_what_the_feed_declares_reaches_the_reader() -> None:
    assert reader_of(feed("csv")) == Csv(";", "windows-1252")
    assert (limits_of(feed("csv", max_rows=3)).max_rows, limits_of(feed("csv", max_cell_bytes=4)).max_cell_bytes) == (
        3,
        4,
    )


@pytest.mark.parametrize("kind", ["csv", "json-lines", "json", "xml", "fixed-width", "ais"])
def test_a_schema_that_fits_its_format_passes(kind: str) -> None:
    require_fit(feed(kind), ("mmsi",))


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "csv"])
def test_a_schema_with_a_column_that_its_format_does_not_place_is_misconfigured(kind: str) -> None:
    with pytest.raises(Misconfigured):
        require_fit(feed(kind), ("mmsi", "captain"))


def test_every_example_of_the_formats_pages_is_a_format() -> None:
    pages = Path(__file__).resolve().parents[2] / "docs/formats"
    examples = [
        tomllib.loads(example)["format"]
        for page in sorted(pages.glob("*.md"))
        for example in re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    ]
    assert {example["kind"] for example in examples} >= {"csv", "json-lines", "json", "xml", "fixed-width", "ais"}
    for example in examples:
        TypeAdapter(WireFormat).validate_python(example)


def test_the_page_of_ais_lists_its_columns() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/formats/ais.md").read_text(encoding="utf-8")
    assert [column for column in COLUMNS if f"`{column}`" not in page] == []

"""The reader of each wire format that a feed can name."""

from contextlib import suppress

from pipeline.core.errors import Refused
from pipeline.core.language.feed import Feed
from pipeline.core.language.wire import (
    AisFormat,
    AnsiNistFormat,
    CsvFormat,
    CuscarFormat,
    FixedWidthFormat,
    JsonFormat,
    JsonLinesFormat,
    PaxlstFormat,
    PnrGovFormat,
    XmlFormat,
)
from pipeline.formats.ais import Ais
from pipeline.formats.ansi_nist import AnsiNist
from pipeline.formats.batch import Limits, Reader
from pipeline.formats.csv import Csv
from pipeline.formats.cuscar import Cuscar
from pipeline.formats.fixed_width import FixedWidth
from pipeline.formats.json_array import JsonArray
from pipeline.formats.json_lines import JsonLines
from pipeline.formats.paxlst import Paxlst
from pipeline.formats.pnrgov import PnrGov
from pipeline.formats.xml import Xml


def reader_of(feed: Feed) -> Reader:
    """The reader that `feed` asks for."""
    match feed.format:
        case CsvFormat(delimiter=delimiter, encoding=encoding):
            return Csv(delimiter, encoding)
        case JsonLinesFormat(fields=fields):
            return JsonLines(fields)
        case JsonFormat(fields=fields, records=records, absent=absent):
            return JsonArray(fields, records, absent)
        case XmlFormat() as form:
            return Xml(form)
        case FixedWidthFormat() as form:
            return FixedWidth(form)
        case AisFormat():
            return Ais()
        case AnsiNistFormat(fields=fields, transactions=transactions):
            return AnsiNist(fields, transactions)
        case PnrGovFormat():
            return PnrGov()
        case PaxlstFormat():
            return Paxlst()
        case CuscarFormat():
            return Cuscar()


def require_fit(feed: Feed, columns: tuple[str, ...]) -> None:
    """The feed's format and its schema are about the same columns.

    Raises:
        Misconfigured: catalogue-invalid or column-unknown.
    """
    # A reader looks at its columns before the first byte: a delivery without bytes is refused by one that can read them.
    with suppress(Refused):
        next(reader_of(feed).read([], columns, limits_of(feed)), None)


def limits_of(feed: Feed) -> Limits:
    """What the reader may take from one delivery of `feed`."""
    return Limits(max_rows=feed.limits.max_rows, max_cell_bytes=feed.limits.max_cell_bytes)

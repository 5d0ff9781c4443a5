"""The reader of each wire format that a feed can name."""

from pipeline.core.language.feed import Feed
from pipeline.core.language.wire import (
    AisFormat,
    CsvFormat,
    FixedWidthFormat,
    JsonFormat,
    JsonLinesFormat,
    PnrGovFormat,
    XmlFormat,
)
from pipeline.formats.ais import Ais
from pipeline.formats.batch import Limits, Reader
from pipeline.formats.csv import Csv
from pipeline.formats.fixed_width import FixedWidth
from pipeline.formats.json_array import JsonArray
from pipeline.formats.json_lines import JsonLines
from pipeline.formats.pnrgov import PnrGov
from pipeline.formats.xml import Xml


def reader_of(feed: Feed) -> Reader:
    """The reader that `feed` asks for."""
    match feed.format:
        case CsvFormat(delimiter=delimiter, encoding=encoding):
            return Csv(delimiter, encoding)
        case JsonLinesFormat(fields=fields):
            return JsonLines(fields)
        case JsonFormat(fields=fields, records=records):
            return JsonArray(fields, records)
        case XmlFormat() as form:
            return Xml(form)
        case FixedWidthFormat() as form:
            return FixedWidth(form)
        case AisFormat():
            return Ais()
        case PnrGovFormat():
            return PnrGov()


def limits_of(feed: Feed) -> Limits:
    """What the reader may take from one delivery of `feed`."""
    return Limits(max_rows=feed.limits.max_rows, max_cell_bytes=feed.limits.max_cell_bytes)

"""The reader of each wire format that a feed can name."""

from pipeline.core.language.feed import Feed
from pipeline.core.language.wire import CsvFormat, JsonFormat, JsonLinesFormat, PnrGovFormat
from pipeline.formats.batch import Limits, Reader
from pipeline.formats.csv import Csv
from pipeline.formats.json_array import JsonArray
from pipeline.formats.json_lines import JsonLines
from pipeline.formats.pnrgov import PnrGov


def reader_of(feed: Feed) -> Reader:
    """The reader that `feed` asks for."""
    match feed.format:
        case CsvFormat(delimiter=delimiter, encoding=encoding):
            return Csv(delimiter, encoding)
        case JsonLinesFormat(fields=fields):
            return JsonLines(fields)
        case JsonFormat(fields=fields, records=records):
            return JsonArray(fields, records)
        case PnrGovFormat():
            return PnrGov()


def limits_of(feed: Feed) -> Limits:
    """What the reader may take from one delivery of `feed`."""
    return Limits(max_rows=feed.limits.max_rows, max_cell_bytes=feed.limits.max_cell_bytes)

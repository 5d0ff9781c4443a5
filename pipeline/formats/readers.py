"""The reader of each wire format that a feed can name."""

from pipeline.core.language.feed import CsvFormat, Feed, PnrGovFormat
from pipeline.formats.batch import Limits, Reader
from pipeline.formats.csv import Csv
from pipeline.formats.pnrgov import PnrGov


def reader_of(feed: Feed) -> Reader:
    """The reader that `feed` asks for."""
    match feed.format:
        case CsvFormat(delimiter=delimiter):
            return Csv(delimiter)
        case PnrGovFormat():
            return PnrGov()


def limits_of(feed: Feed) -> Limits:
    """What the reader may take from one delivery of `feed`."""
    return Limits(max_rows=feed.limits.max_rows, max_cell_bytes=feed.limits.max_cell_bytes)

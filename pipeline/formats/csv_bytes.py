"""What do the bytes of a CSV delivery prove about a parse of it, whoever made the parse?"""

from dataclasses import dataclass
from typing import Self

import polars as pl

_QUOTE, _LF, _CR, _TAB, _SPACE, _DELETE = 0x22, 0x0A, 0x0D, 0x09, 0x20, 0x7F
_POSITION = pl.get_index_type()


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole records: bytes that start on a record boundary and end in a line end outside quotes.

    `values` are the bytes; `quotes` and `line_ends` the positions of all of those. `ends` are the line ends outside
    quotes, one for each record, and `quotes_before` how many quotes there are up to each.
    """

    text: bytes
    values: pl.Series
    quotes: pl.Series
    line_ends: pl.Series
    ends: pl.Series
    quotes_before: pl.Series

    @classmethod
    def of(cls, text: bytes) -> Self | None:
        """`text` up to its last line end outside quotes, if there is one."""
        if b"\n" not in text:
            return None
        values = pl.Series([text], dtype=pl.Binary).bin.reinterpret(dtype=pl.Array(pl.UInt8, len(text))).explode()
        line_ends = ends = (values == _LF).arg_true()
        quotes = quotes_before = pl.Series([], dtype=_POSITION)
        if b'"' in text:
            quotes = (values == _QUOTE).arg_true()
            quotes_before = quotes.search_sorted(line_ends)
            outside = quotes_before % 2 == 0
            ends, quotes_before = line_ends.filter(outside), quotes_before.filter(outside)
            if ends.is_empty():
                return None
            quotes, line_ends = quotes.head(quotes_before[-1]), line_ends.filter(line_ends <= ends[-1])
        size = ends[-1] + 1
        return cls(text[:size], values.head(size), quotes, line_ends, ends, quotes_before)

    @property
    def crlf(self) -> pl.Series:
        """For each record, whether it ends in CRLF and not in LF alone."""
        if b"\r" not in self.text:
            return pl.repeat(value=False, n=len(self.ends), eager=True)
        return self._before(self.ends) == _CR

    def may_hold_quoted_empty(self) -> bool:
        """False where no cell is an empty pair of quotes."""
        return bool((self._closing() - self.quotes.gather_every(2) == 1).any())

    def proves(self, frame: pl.DataFrame, delimiter: int) -> bool:
        """`frame` holds one row for each record, and in each row exactly the fields of that record.

        It rests on one thing: that the parse cuts at delimiters and undoubles quotes. A row with too few or too many
        fields then cannot add up: each missing or lost delimiter is a byte of difference, and whatever a lost field held
        makes it larger.
        """
        if frame.height != len(self.ends) or not self._clean() or not self._quoted_well(delimiter):
            return False
        cells = pl.sum_horizontal(pl.all().str.len_bytes()).cast(pl.Int64)
        return bool(frame.select((cells == self._cell_bytes(frame.width)).all()).item())

    def _clean(self) -> bool:
        """No control characters but tabs and line ends, and no carriage return that is not part of a line end."""
        others = _count(self.values < _SPACE) - len(self.line_ends)
        if b"\x7f" in self.text:
            return False
        if not others:
            return True
        returns, in_line_ends = _count(self.values == _CR), _count(self._before(self.line_ends) == _CR)
        return returns == in_line_ends and others == returns + _count(self.values == _TAB)

    def _quoted_well(self, delimiter: int) -> bool:
        """Every quote opens a cell at its very start, closes one at its very end, or is one of a doubled pair.

        Quotes open and close in turn. A doubled quote closes and opens again at once, so that the rule is local: what
        comes before an opening quote, and after a closing one, is a delimiter, a record's edge or a quote.
        """
        if self.quotes.is_empty():
            return True
        before, after = self._before(self.quotes.gather_every(2)), self._after(self._closing())
        edges = (delimiter, _LF, _QUOTE)
        return bool(before.is_in(edges).all() and after.is_in((*edges, _CR)).all())

    def _cell_bytes(self, width: int) -> pl.Series:
        """For each record of `width` fields, the bytes of its cells: all but delimiters, line end and quotes."""
        record = _steps(self.ends.cast(pl.Int64) + 1) - width
        if b"\r" in self.text:
            record -= self.crlf.cast(pl.Int64)
        if self.quotes.is_empty():
            return record
        closing = self._closing()
        doubled = closing.filter(self._after(closing) == _QUOTE)
        marks = _steps(self.quotes_before.cast(pl.Int64))
        return (
            record - marks + _steps(doubled.search_sorted(self.ends).cast(pl.Int64)) if len(doubled) else record - marks
        )

    def _closing(self) -> pl.Series:
        return self.quotes.gather_every(2, 1)

    def _after(self, positions: pl.Series) -> pl.Series:
        return self.values.gather(positions + 1)

    def _before(self, positions: pl.Series) -> pl.Series:
        """The byte before each position. At the start of the text it is the byte itself: a quote there is fine, and a
        line end there is no CRLF."""
        return self.values.gather(positions.clip(1) - 1)


def _steps(running: pl.Series) -> pl.Series:
    """What each element of a running total adds."""
    return running - running.shift(1, fill_value=0)


def _count(where: pl.Series) -> int:
    return int(where.sum())

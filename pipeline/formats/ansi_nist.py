"""ANSI/NIST-ITL: which query for prints does a transaction ask, and is there anything in it but that?

Traditional encoding of ANSI/NIST-ITL 1-2011: a record of type 1, and after it what its field 1.003 lists, in that order.
A row is one transaction, its position is the transaction's number. Read are the types 1, 2, 4, 9 and 14; a face (type
10) and every other type refuse the delivery, as do a field of type 2 that the feed does not map and a comment in a print's
record: a query holds no more than a reference and prints. Lengths must add up to the last byte. Nothing is tolerated;
fields of type 1 that no column maps are discarded and counted.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.core.errors import Code, Refused
from pipeline.formats.ansi_nist_records import FACE, KIND, PRINT_TYPES, Transaction, transactions_of
from pipeline.formats.batch import Batch, Limits
from pipeline.formats.rows import BEYOND, Rows, empty, malformed, require_every_column

VERSIONS = ("0300", "0400", "0500", "0501", "0502")
PRINTS = "prints"
_ENVELOPE = frozenset({1, 2, 3, 4})
"""Of type 1: its length, version, content and kind of transaction, which the reader itself checks."""
_REPLY_TO = 10
_GREENWICH = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z")


@dataclass(frozen=True, slots=True)
class AnsiNist:
    """Reads transactions. `fields`: where each column stands, "1.009" or "prints"; `transactions`: the kinds that are taken."""

    fields: Mapping[str, str]
    transactions: tuple[str, ...]

    def read(self, blocks: Iterable[bytes], columns: tuple[str, ...], limits: Limits) -> Iterator[Batch]:
        """Rows in bounded batches.

        Raises:
            Refused: delivery-empty, record-malformed, message-truncated, message-unknown, columns-differ, encoding-invalid or
                limit-exceeded.
            Misconfigured: catalogue-invalid where the fields are not the columns.
        """
        require_every_column(self.fields, columns)
        rows, number = Rows(columns, limits, KIND), 0
        for number, transaction in enumerate(transactions_of(blocks, limits), 1):
            self._kind_is_taken(transaction, number)
            _only_what_a_query_holds(transaction, number, self._mapped(2))
            rows.add(number, [self._cell(column, transaction, number) for column in columns], transaction.size_bytes)
            self._count_the_rest(transaction, rows, number)
            if rows.full:
                yield rows.batch()
        if not number:
            raise empty()
        yield rows.batch()

    def _mapped(self, record_type: int) -> frozenset[int]:
        placed = (place.partition(".") for place in self.fields.values() if place != PRINTS)
        return frozenset(int(field) for kind, _, field in placed if int(kind) == record_type)

    def _kind_is_taken(self, transaction: Transaction, number: int) -> None:
        first = transaction.first
        if first.text(2) not in VERSIONS:
            raise _unknown(number, "1.002 is no version from 0300 to 0502")
        if first.text(4) not in self.transactions:
            raise _unknown(number, f"1.004 is none of {', '.join(self.transactions)}")
        if _REPLY_TO in first.fields and _REPLY_TO not in self._mapped(1):
            raise _unknown(number, "1.010 says that it is a reply")

    def _cell(self, column: str, transaction: Transaction, number: int) -> str | None:
        place = self.fields[column]
        if place == PRINTS:
            prints = b"".join(record.content for record in transaction.records if record.type in PRINT_TYPES)
            return base64.b64encode(prints).decode()
        kind, _, field = place.partition(".")
        record = transaction.first if kind == "1" else transaction.of_type(2)
        text = record.text(int(field)) if record else None
        if text is not None and place == "1.014":
            return _moment(text, number)
        return text

    def _count_the_rest(self, transaction: Transaction, rows: Rows, number: int) -> None:
        if rest := set(transaction.first.fields) - _ENVELOPE - self._mapped(1):
            rows.tally.add(BEYOND, "", [number], len(rest))


def _only_what_a_query_holds(transaction: Transaction, number: int, mapped: frozenset[int]) -> None:
    """Raises: Refused where the transaction tells more than its feed may, or asks for nothing."""
    for record in transaction.records:
        if record.type == FACE:
            raise _more(number, "a record of type 10: a face is not exchanged as reference data")
        if record.type == 2 and (beyond := sorted(set(record.fields) - {1, 2} - mapped)):
            raise _more(number, f"field 2.{beyond[0]:03}, which the feed does not map")
        if record.type in PRINT_TYPES and record.beyond_prints():
            raise _more(number, f"field {record.type}.{record.beyond_prints()[0]:03}, which is no part of a print")
    if sum(record.type == 2 for record in transaction.records) > 1:
        raise malformed(KIND, number, "it has two records of type 2")
    if not any(record.type in PRINT_TYPES for record in transaction.records):
        raise malformed(KIND, number, "it has no prints: no record of type 4, 9 or 14")


def _moment(text: str, number: int) -> str:
    """YYYYMMDDHHMMSSZ as YYYY-MM-DDTHH:MM:SSZ; whether there is such a moment is the schema's question."""
    if not (found := _GREENWICH.fullmatch(text)):
        raise malformed(KIND, number, "1.014 is not written YYYYMMDDHHMMSSZ")
    year, month, day, hour, minute, second = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"


def _more(number: int, what: str) -> Refused:
    return Refused(
        Code.COLUMNS_DIFFER,
        f"{KIND} {number} has {what}.",
        next_step="ask the partner to send the reference and the prints alone, and what came to be destroyed",
    )


def _unknown(number: int, what: str) -> Refused:
    return Refused(
        Code.MESSAGE_UNKNOWN,
        f"{KIND} {number}: {what}.",
        next_step="ask the partner for a query as the feed declares it",
    )

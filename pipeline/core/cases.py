"""Does an agreement do what its author says it does? Its example cases are run as real rows are."""

from collections.abc import Iterator

import polars as pl

from pipeline.core.agreement import Agreement, Case, CodeList
from pipeline.core.clearance import clear_rows
from pipeline.core.delivery import POSITION
from pipeline.core.redaction import compile_redaction, redact
from pipeline.core.validation import CompiledSchema

ANY_PSEUDONYM = "<pseudonym>"
"""In an expected row, a cell that must be a pseudonym, whichever."""

_CASE_KEY = "00" * 32


def failed_cases(agreement: Agreement, schema: CompiledSchema, code_lists: dict[str, CodeList]) -> Iterator[str]:
    """For each example case that does not come out as it says, its title and what differs; names, never cells.

    Raises:
        Misconfigured: the agreement names a column or code list that is not there.
        Refused: a gate refuses what a case releases.
    """
    redaction = compile_redaction(agreement, schema, code_lists, lambda _domain: _CASE_KEY)
    for case in agreement.cases:
        redacted = redact(redaction, _row(case, schema))
        if redacted.kept_back:
            outcome = next(iter(redacted.kept_back))
            if outcome != case.not_released:
                yield f"{case.title}: the row rule {outcome} keeps the row back"
            continue
        if case.released is None:
            yield f"{case.title}: the row is released; {case.not_released} should keep it back"
            continue
        clear_rows(redacted, agreement, schema, code_lists)
        released = {name: cell for name, cell in redacted.frame.row(0, named=True).items() if cell is not None}
        wrong = [
            name
            for name in sorted(released.keys() | case.released.keys())
            if not _as_expected(released.get(name), case.released.get(name))
        ]
        if wrong:
            yield f"{case.title}: {', '.join(wrong)} not as expected"


def _row(case: Case, schema: CompiledSchema) -> pl.DataFrame:
    cells = {name: pl.Series([case.row.get(name)], dtype=pl.String) for name in schema.columns}
    return pl.DataFrame({POSITION: pl.Series([1], dtype=pl.UInt64), **cells})


def _as_expected(cell: str | None, expected: str | None) -> bool:
    if expected == ANY_PSEUDONYM:
        return cell is not None
    return cell == expected

"""Does an agreement do what its author says it does? Its example cases are run as real rows are."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence

import polars as pl

from pipeline.core.clearance import clear_rows
from pipeline.core.delivery import POSITION
from pipeline.core.errors import Refused
from pipeline.core.language.agreement import Agreement, Case
from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.treatment import Pseudonymise, Released, Tokenise
from pipeline.core.redaction import Redaction, compile_redaction, redact
from pipeline.core.scope import Events
from pipeline.core.soundness import Unsound
from pipeline.core.treatments import Means
from pipeline.core.validation import CompiledSchema, failures

ANY_PSEUDONYM, ANY_TOKEN = "<pseudonym>", "<token>"
"""In an expected row, a cell that must be a pseudonym or a token, whichever."""

_KEY = "00" * 32


def failed_cases(
    agreement: Agreement,
    schema: CompiledSchema,
    code_lists: Mapping[str, CodeList],
    hierarchies: Mapping[str, Hierarchy],
) -> Iterator[Unsound]:
    """For each example case that does not come out as it says, its title and what differs; names, never cells.

    The rows are released the instant at which the agreement comes into force, and were kept then.

    Raises:
        Misconfigured: the agreement names a column, code list or hierarchy that is not there.
    """
    means = example_means(code_lists, hierarchies)
    begins = agreement.in_force.since
    for index, case in enumerate(agreement.cases):
        events = Events(released=begins, loaded=begins, case=case.case_reference)
        redaction = compile_redaction(agreement, schema, means, events)
        faults = [*_broken_rules(case, schema)] or [*_differences(case, redaction, schema, means, events)]
        yield from (Unsound(("cases", str(index)), f"{case.title}: {fault}") for fault in faults)


def example_means(code_lists: Mapping[str, CodeList], hierarchies: Mapping[str, Hierarchy]) -> Means:
    """The catalogue's lists with a key and tokens that are no site's: for examples, never for a release."""
    return Means(code_lists, hierarchies, pseudonym_keys=lambda _domain: _KEY, tokens=_example_tokens)


def _broken_rules(case: Case, schema: CompiledSchema) -> Iterator[str]:
    """The schema's rules that the columns which the case gives break: such a row would never be accepted."""
    yield from (
        f"its {name} is an empty text: leave it out, absent cells are"
        for name in sorted(case.row)
        if not case.row[name]
    )
    failed = failures(schema, _row(case, schema)).row(0)
    for rule, broken in zip(schema.rules, failed, strict=True):
        asked = {rule.column} if rule.column else set(rule.failed.meta.root_names())
        if broken and asked <= set(case.row):
            yield f"its row breaks the rule {rule.name} of {rule.column or 'the row'}, so it would be rejected"


def _differences(
    case: Case, redaction: Redaction, schema: CompiledSchema, means: Means, events: Events
) -> Iterator[str]:
    redacted = redact(redaction, _row(case, schema))
    if redacted.kept_back:
        outcome = next(iter(redacted.kept_back))
        if outcome != case.not_released:
            yield f"the row rule {outcome} keeps the row back"
        return
    if case.released is None:
        yield f"the row is released; {case.not_released} should keep it back"
        return
    try:
        clear_rows(redacted, redaction.agreement, schema, means, events)
    except Refused as refusal:
        yield f"a gate refuses what it releases: {refusal.message}"
        return
    treatments, released = redaction.agreement.released, redacted.frame.row(0, named=True)
    wrong = [
        name
        for name in sorted(released.keys() | case.released.keys())
        if not _as_expected(treatments.get(name), released.get(name), case.released.get(name))
    ]
    if wrong:
        yield f"{', '.join(wrong)} not as expected"


def _row(case: Case, schema: CompiledSchema) -> pl.DataFrame:
    cells = {name: pl.Series([case.row.get(name)], dtype=pl.String) for name in schema.columns}
    return pl.DataFrame({POSITION: pl.Series([1], dtype=pl.UInt64), **cells})


def _as_expected(treatment: Released | None, cell: str | None, expected: str | None) -> bool:
    if isinstance(treatment, Pseudonymise) and expected == ANY_PSEUDONYM:
        return cell is not None
    if isinstance(treatment, Tokenise) and expected == ANY_TOKEN:
        return cell is not None
    return cell == expected


def _example_tokens(domain: str) -> Callable[[Sequence[str]], list[str]]:
    def tokens(values: Sequence[str]) -> list[str]:
        digests = (hashlib.sha384(f"{domain}/{value}".encode()).digest() for value in values)
        return [f"t1.{urlsafe_b64encode(digest).decode()}" for digest in digests]

    return tokens

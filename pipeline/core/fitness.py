"""Does an agreement fit the feed's schema?

A treatment must suit what its column holds, and what names a person, or says anything in free text, is kept as it is only
under a clause that permits it.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.category import Category
from pipeline.core.language.clause import Clause
from pipeline.core.language.policy import cited
from pipeline.core.language.scope import CLOCK_EVENTS, Asks, questions
from pipeline.core.language.treatment import GeneraliseDate, GeneraliseNumber, Keep, Released, Round
from pipeline.core.soundness import Keys, Unsound
from pipeline.core.validation import CompiledSchema

_NEEDS_A_PERMIT = frozenset({Category.DIRECT_IDENTIFIER, Category.FREE_TEXT})

_DATES = ("2024-02-29", "2024-02-29T10:30", "2024-02-29T10:30:00", "2024-02-29T10:30:00Z", "1999-12-31", "2031-07-01")
_NUMBERS = (
    *("0", "1", "-3", "000007"),
    *("7" * whole for whole in range(1, 16)),
    *(f"{'7' * whole}.{'5' * decimals}" for whole in range(1, 16) for decimals in range(1, 5)),
)


def unfit(agreement: Agreement, schema: CompiledSchema, clauses: Mapping[str, Clause]) -> Iterator[Unsound]:
    """Every rule that cannot be applied to the feed, or needs a clause that permits it. `clauses`: all that may be cited."""
    for name, said in agreement.columns.items():
        if name not in schema.categories:
            yield Unsound(("columns", name), f"is no column of the feed {agreement.feed}: {_near(name, schema)}")
        elif isinstance(said, Keep) and schema.categories[name] in _NEEDS_A_PERMIT:
            yield from _permitted(name, said, schema.categories[name], clauses)
    for name, treatment in agreement.released.items():
        needed = _needed(treatment)
        if needed and name in schema.categories and not _may_hold(schema, name, needed):
            yield Unsound(
                ("columns", name, "treatment"),
                f"{treatment.treatment} needs a {_what(needed)}, and {name} holds none: use mask, truncate, "
                "generalise-code or pseudonymise",
            )
    yield from _read_elsewhere(agreement, schema)


def all_clauses(agreement: Agreement, instrument_clauses: Mapping[str, Clause]) -> dict[str, Clause]:
    """Every clause that a rule of the agreement may cite."""
    return {**instrument_clauses, **agreement.clauses}


def _permitted(name: str, said: Keep, category: Category, clauses: Mapping[str, Clause]) -> Iterator[Unsound]:
    if not any(category in clauses[clause].permits for clause in cited(said.clause) if clause in clauses):
        yield Unsound(
            ("columns", name, "treatment"),
            f"{name} is {category.value}: to keep it as it is, cite a clause that says so "
            f'(permits = ["{category.value}"]), or treat it',
        )


def _needed(treatment: Released) -> tuple[str, ...] | None:
    if isinstance(treatment, GeneraliseDate):
        return _DATES
    return _NUMBERS if isinstance(treatment, GeneraliseNumber | Round) else None


def _read_elsewhere(agreement: Agreement, schema: CompiledSchema) -> Iterator[Unsound]:
    """Columns that rules, conditions, clocks, sums and example rows name, and what some of them read there."""
    day = agreement.handling.retention.column
    read: list[tuple[Keys, str, tuple[str, ...]]] = [(("handling", "retention", "column"), day, _DATES)] if day else []
    for number, rule in enumerate(agreement.rows):
        read += ((("rows", str(number)), *asked) for asks in questions(rule.predicate) for asked in _asked(asks))
    for name, asks in agreement.cell_questions():
        read += ((("columns", name, "only_where"), *asked) for asked in _asked(asks))
    if agreement.statistics:
        read += [(("statistics", "sums", name), column, _NUMBERS) for name, column in agreement.statistics.sums.items()]
        if agreement.statistics.weighted_by:
            read.append((("statistics", "weighted_by"), agreement.statistics.weighted_by, _NUMBERS))
    read += [
        (("cases", str(number), "row"), name, ()) for number, case in enumerate(agreement.cases) for name in case.row
    ]
    for keys, column, probes in read:
        if column not in schema.categories:
            yield Unsound(keys, f"{column} is no column of the feed {agreement.feed}: {_near(column, schema)}")
        elif probes and not _may_hold(schema, column, probes):
            yield Unsound(keys, f"needs a {_what(probes)}, and {column} holds none: name another column")


def _asked(asks: Asks) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The columns that a question reads, and what it reads there."""
    moment = asks.no_earlier_than or asks.no_later_than
    dated = moment is not None or asks.read_as == "date"
    yield asks.column, _DATES if dated else _NUMBERS if asks.read_as == "number" else ()
    if moment and moment.event not in CLOCK_EVENTS:
        yield moment.event, _DATES


def _what(probes: tuple[str, ...]) -> str:
    return "date" if probes is _DATES else "number"


def _may_hold(schema: CompiledSchema, column: str, probes: tuple[str, ...]) -> bool:
    """Whether the schema's rules for the column let one of the probes through. Names and free text are neither date nor number."""
    if schema.categories[column] in _NEEDS_A_PERMIT:
        return False
    rules = [rule for rule in schema.rules if rule.column == column]
    if not rules:
        return True
    absent = pl.Series([None] * len(probes), dtype=pl.String)
    tried = pl.DataFrame({name: pl.Series(probes) if name == column else absent for name in schema.columns})
    tried = tried.with_row_index(POSITION, 1)
    failed = tried.select(pl.any_horizontal(rule.failed for rule in rules)).to_series()
    return not failed.all()


def _near(name: str, schema: CompiledSchema) -> str:
    near = get_close_matches(name, schema.columns, n=3)
    return f"did you mean {' or '.join(near)}?" if near else "see its schema"

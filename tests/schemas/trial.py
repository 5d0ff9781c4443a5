"""A good row of a schema, and what it breaks once other cells are put into it."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from pipeline.core.delivery import POSITION
from pipeline.core.validation import REQUIRED_RULE, CompiledSchema, compile_schema, failures
from tests.code_lists import LISTS

Cells = Mapping[str, str | None]
Broken = set[tuple[str, str]]
"""(column, rule) pairs; a rule of the row has the column ""."""


@dataclass(frozen=True)
class Trial:
    """`module` is below schemas/; `good` is a row that breaks no rule."""

    module: str
    good: Cells

    @cached_property
    def compiled(self) -> CompiledSchema:
        return compile_schema(importlib.import_module(f"schemas.{self.module}").SCHEMA, LISTS)

    def broken_by_each(self, cells: Sequence[Cells]) -> list[Broken]:
        """For each of these cells, put into the good row, what it breaks."""
        schema = self.compiled
        rows = [{POSITION: number, **self.good, **one} for number, one in enumerate(cells)]
        frame = pl.DataFrame(rows, schema={POSITION: pl.UInt64, **dict.fromkeys(schema.columns, pl.String)})
        return [
            {(rule.column, rule.name) for rule, failed in zip(schema.rules, row, strict=True) if failed}
            for row in failures(schema, frame).rows()
        ]

    def broken(self, **cells: str | None) -> Broken:
        """What the good row breaks with these cells."""
        (found,) = self.broken_by_each([cells])
        return found

    def of_columns(self) -> list[tuple[str, str]]:
        """Each rule of a column but that it is required."""
        return [(rule.column, rule.name) for rule in self.compiled.rules if rule.column and rule.name != REQUIRED_RULE]

    def of_rows(self) -> set[str]:
        """The rules across columns."""
        return {rule.name for rule in self.compiled.rules if not rule.column}

    def unlike(self, examples: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> list[tuple[str, str]]:
        """The (column, rule) pairs of which an example that is fine breaks the rule, or one that is wrong does not."""
        tried = [
            (column, rule, cell, bool(wrong))
            for column, rule in self.of_columns()
            for wrong, cells in enumerate(examples[rule])
            for cell in cells
        ]
        found = self.broken_by_each([{column: cell} for column, _, cell, _ in tried])
        return [
            (column, rule)
            for (column, rule, _, wrong), broke in zip(tried, found, strict=True)
            if ((column, rule) in broke) is not wrong
        ]

    def required(self) -> set[str]:
        """The columns that break a rule of theirs where their cell is absent."""
        columns = self.compiled.columns
        found = self.broken_by_each([{name: None} for name in columns])
        return {name for name, broke in zip(columns, found, strict=True) if (name, REQUIRED_RULE) in broke}

"""How do the parts of EDIFACT segments become cells?

Texts are a segment's words, apart by one space, so that a scan for terms finds them. An item is a text with its column
and the row that it belongs to; the items of one cell stand one a line.
"""

from typing import TypeVar

import polars as pl

from pipeline.formats.edifact import COMPONENT, ELEMENT

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

_BODY = pl.col("body")
_MOST_COLUMNS = 64


def present(cell: pl.Expr) -> pl.Expr:
    """The cell; null where it is empty."""
    return pl.when(cell != "").then(cell)


def words(cell: pl.Expr) -> pl.Expr:
    """The cell's components with one space between; null where there is none."""
    apart = cell.str.replace_all(ELEMENT, " ", literal=True).str.replace_all(COMPONENT, " ", literal=True)
    for _ in range(4):  # each halves a run of spaces; a longer run than 16 stays as two
        apart = apart.str.replace_all("  ", " ", literal=True)
    return present(apart.str.strip_chars(" "))


def phrase(cell: pl.Expr) -> pl.Expr:
    """The cell's components with one space between, each as it was written; null where there is none."""
    return present(cell.str.replace_all(rf" *{COMPONENT}[{COMPONENT} ]*", " ").str.strip_chars(" "))


def line(*parts: pl.Expr) -> pl.Expr:
    """The present parts with one space between; null where there is none."""
    return present(pl.concat_str(list(parts), separator=" ", ignore_nulls=True))


def spread(frame: Frame, source: str, separator: str, names: tuple[str, ...]) -> Frame:
    """`frame` with the parts of `source` as columns, null where absent or empty; "" names a part that is not wanted."""
    fields = [name or f" {at}" for at, name in enumerate(names)] + [" rest"]
    parts = pl.col(source).str.splitn(separator, len(fields)).struct.rename_fields(fields).alias(" parts")
    wanted = [name for name in names if name]
    apart = frame.with_columns(parts).unnest(" parts").drop(field for field in fields if field not in wanted)
    return apart.with_columns(present(pl.col(wanted).str.strip_chars(" ")).name.keep())


def elements(frame: Frame, *names: str) -> Frame:
    """The body's elements as columns."""
    return spread(frame, "body", ELEMENT, names)


def components(frame: Frame, source: str, *names: str) -> Frame:
    """The components of one element as columns."""
    return spread(frame, source, COMPONENT, names)


def each_element(frame: Frame, *, first: int = 0) -> Frame:
    """A row for each element from `first` on that is not empty, as `body`."""
    listed = _BODY.str.split(ELEMENT)
    apart = frame.with_columns(listed.list.slice(first) if first else listed).explode("body", empty_as_null=False)
    return apart.filter(_BODY.str.strip_chars(COMPONENT + " ") != "")


def cells(
    items: pl.DataFrame, key: str, columns: tuple[str, ...], *, once: tuple[str, ...] = (), distinct: bool = False
) -> pl.DataFrame:
    """One row a `key`, one column for each of `columns`: its items (`column`, `text`) one a line.

    A column of `once` takes its first item alone; with `distinct` the same item is not written twice in a cell.
    """
    # Grouping by one number and joining lists is an order of magnitude faster than joining within groups.
    at = pl.col("column").cast(pl.Enum(columns)).to_physical().cast(pl.UInt64)
    grouped = items.select((pl.col(key) * _MOST_COLUMNS + at).alias("cell"), "text").group_by("cell").agg("text")
    at, listed = pl.col("cell") % _MOST_COLUMNS, pl.col("text")
    first = (listed.list.len() == 1) | at.is_in([columns.index(column) for column in once])
    several = listed.list.unique(maintain_order=True) if distinct else listed
    cell, column = (pl.col("cell") // _MOST_COLUMNS).alias(key), at.alias("column")
    filled = pl.concat(
        [
            grouped.filter(first).select(cell, column, listed.list.first().alias("text")),
            grouped.filter(~first).select(cell, column, several.list.join("\n").alias("text")),
        ]
    )
    wide = filled.pivot(
        "column", on_columns=list(range(len(columns))), index=key, values="text", aggregate_function="first"
    )
    return wide.rename({str(at): column for at, column in enumerate(columns)})

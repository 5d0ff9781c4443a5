"""How do the parts of EDIFACT segments become cells?

Texts are a segment's words, apart by one space, so that a scan for terms finds them. An item is a text with its column
and the row that it belongs to; the items of one cell stand one a line.
"""

import polars as pl

from pipeline.formats.edifact import COMPONENT, ELEMENT

_BODY = pl.col("body")


def present(cell: pl.Expr) -> pl.Expr:
    """The cell; null where it is empty."""
    return cell.replace("", None)


def words(cell: pl.Expr) -> pl.Expr:
    """The cell's components with one space between; null where there is none."""
    apart = cell.str.replace_all(ELEMENT, " ", literal=True).str.replace_all(COMPONENT, " ", literal=True)
    return present(apart.str.replace_all("   *", " ").str.strip_chars(" "))


def phrase(cell: pl.Expr) -> pl.Expr:
    """The cell's components with one space between, each as it was written; null where there is none."""
    return present(cell.str.replace_all(rf" *{COMPONENT}[{COMPONENT} ]*", " ").str.strip_chars(" "))


def line(*parts: pl.Expr) -> pl.Expr:
    """The present parts with one space between; null where there is none."""
    return present(pl.concat_str(list(parts), separator=" ", ignore_nulls=True))


def spread(frame: pl.DataFrame, source: str, separator: str, names: tuple[str, ...]) -> pl.DataFrame:
    """`frame` with the parts of `source` as columns, null where absent or empty; "" names a part that is not wanted."""
    apart = frame.with_columns(pl.col(source).str.split(separator).alias(" parts"))
    part = pl.col(" parts").list
    return apart.with_columns(
        present(part.get(at, null_on_oob=True).str.strip_chars(" ")).alias(name)
        for at, name in enumerate(names)
        if name
    ).drop(" parts")


def elements(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """The body's elements as columns."""
    return spread(frame, "body", ELEMENT, names)


def components(frame: pl.DataFrame, source: str, *names: str) -> pl.DataFrame:
    """The components of one element as columns."""
    return spread(frame, source, COMPONENT, names)


def qualifier() -> pl.Expr:
    """The first component of each body, without blanks around it."""
    end = _BODY.str.find(f"[{ELEMENT}{COMPONENT}]").fill_null(_BODY.str.len_bytes())
    return _BODY.cast(pl.Binary).bin.slice(0, end).cast(pl.String).str.strip_chars(" ")


def each_element(frame: pl.DataFrame, *, first: int = 0) -> pl.DataFrame:
    """A row for each element from `first` on that is not empty, as `body`."""
    listed = _BODY.str.split(ELEMENT)
    apart = frame.with_columns(listed.list.slice(first) if first else listed).explode("body", empty_as_null=False)
    return apart.filter(_BODY.str.strip_chars(COMPONENT + " ") != "")


def cells(
    items: pl.DataFrame,
    key: str,
    columns: tuple[str, ...],
    *,
    order: str | None = None,
    once: tuple[str, ...] = (),
    distinct: bool = False,
) -> pl.DataFrame:
    """One row a `key`, ascending, with `columns`: the items (`column`, `text`) of each cell, one a line.

    Items stand as they come, or in the order of the column `order`. A column of `once` takes its first item alone; with
    `distinct` the same item is not written twice in a cell.
    """
    keys = items[key].unique().sort()
    if not len(keys):
        return pl.DataFrame(schema={key: items.schema[key], **dict.fromkeys(columns, pl.String)})
    rows, sorted_by = len(keys), [order] if order else []
    # Keys are positions, near each other: looked up in a list of all between them, not searched for.
    row_of = pl.repeat(0, keys[-1] - keys[0] + 1, dtype=pl.UInt32, eager=True)
    row_of = row_of.scatter(keys - keys[0], pl.int_range(rows, dtype=pl.UInt32, eager=True))
    # Each cell has a number: sorted by it, items are grouped without hashing, and a column is a slice of all cells.
    at = pl.col("column").cast(pl.Enum(columns)).to_physical().cast(pl.UInt64)
    numbered = (at * rows + row_of.gather(items[key] - keys[0]).cast(pl.UInt64)).alias("cell")
    listed = items.select(numbered, "text", *sorted_by).sort("cell", *sorted_by, maintain_order=True)
    grouped = listed.set_sorted("cell").group_by("cell", maintain_order=True).agg("text")
    texts = pl.col("text").list
    single = (texts.len() == 1) | (pl.col("cell") // rows).is_in([columns.index(column) for column in once])
    several = texts.unique(maintain_order=True).list if distinct else texts
    filled = pl.concat(
        [
            grouped.filter(single).select("cell", texts.first()),
            grouped.filter(~single).select("cell", several.join("\n")),
        ]
    )
    found = pl.repeat(None, rows * len(columns), dtype=pl.UInt32, eager=True)
    found = found.scatter(filled["cell"], pl.int_range(filled.height, dtype=pl.UInt32, eager=True))
    written = filled["text"].gather(found)
    return pl.DataFrame([keys, *(written.slice(n * rows, rows).alias(name) for n, name in enumerate(columns))])

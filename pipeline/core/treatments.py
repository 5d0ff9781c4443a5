"""What does an agreement do to one column?

One pure function per treatment, all of one shape: the cell's expression in, the released cell's expression out. Each is total:
any text becomes a value of the alphabet and length that `docs/treatments.md` states for the treatment, or null. Null stays null,
but for `constant` and `answer`. Treatments that work line by line keep the number and order of a cell's lines; a cell of one
line that comes out empty is null.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
import polars_hash  # noqa: F401  registers the `chash` namespace

from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.treatment import (
    Answer,
    Constant,
    FilterTerms,
    GeneraliseCode,
    GeneraliseDate,
    GeneraliseNumber,
    Keep,
    Mask,
    Pseudonymise,
    Released,
    Round,
    SplitText,
    Tokenise,
    Truncate,
)
from pipeline.core.numerals import classed_by_edges, classed_by_width, rounded
from pipeline.core.terms import filtered, text_split_off

PSEUDONYM_HEX = 32
"""128 bits as hexadecimal digits."""

_ALWAYS_HIDDEN = 4
"""A mask hides at least this many letters and digits of a line, or all of them."""

_LETTER = r"[\p{L}\p{N}\p{M}\p{So}\p{Cf}\p{Co}\p{Cn}]"
"""What a mask hides: also signs that can stand for letters, such as circled ones, Braille, flags and invisible tags."""

_CODE = r"\A[A-Za-z0-9./_-]+\z"
"""What may be a code: others than these signs say more than a code does, and become absent."""

PseudonymKeys = Callable[[str], str]
"""From an agreement's domain to its key: 64 hexadecimal digits, and HMAC's key is these 64 characters as ASCII, not the 32
bytes that they spell. The key shows in the query plan: never print one."""

Tokens = Callable[[str], Callable[[Sequence[str]], list[str]]]
"""From an agreement's domain to what makes the token of each value, in order."""


@dataclass(frozen=True, slots=True)
class Means:
    """What rules and treatments lean on: lists and hierarchies of the catalogue by id, keys and tokens of the site."""

    code_lists: Mapping[str, CodeList]
    hierarchies: Mapping[str, Hierarchy]
    pseudonym_keys: PseudonymKeys = field(repr=False)
    tokens: Tokens = field(repr=False)


def released_cell(treatment: Released, cell: pl.Expr, means: Means) -> pl.Expr:
    """The expression of what is released for `cell`."""
    match treatment:
        case Keep():
            return cell
        case Constant():
            return constant(cell, treatment.value)
        case Mask():
            return masked(cell, keep_first=treatment.keep_first, keep_last=treatment.keep_last)
        case Truncate():
            return truncated(cell, first=treatment.first, last=treatment.last)
        case Pseudonymise():
            key = means.pseudonym_keys(treatment.domain)
            return pseudonymised(cell, key, each_line=treatment.each_line, normalisation=treatment.normalisation)
        case Tokenise():
            return tokenised(cell, means.tokens(treatment.domain), each_line=treatment.each_line)
        case GeneraliseDate():
            return generalised_date(cell, to=treatment.to)
        case GeneraliseNumber():
            if treatment.edges:
                return classed_by_edges(cell, treatment.edges)
            return classed_by_width(cell, treatment.width or 1)
        case Round():
            return rounded(cell, to=treatment.to)
        case GeneraliseCode():
            return _generalised_code(treatment, cell, means)
        case FilterTerms():
            return filtered(cell, means.code_lists[treatment.codes])
        case SplitText():
            return text_split_off(cell, means.code_lists[treatment.heads])
        case Answer():
            return answered(cell, treatment.answers, otherwise=treatment.otherwise)


def constant(cell: pl.Expr, value: str) -> pl.Expr:
    """The same value in every row, also where the cell is absent. Never null."""
    said = pl.lit(value, dtype=pl.String)
    # A bare literal would be one row high where all columns are constants.
    return pl.when(cell.is_null()).then(said).otherwise(said)


def masked(cell: pl.Expr, *, keep_first: int, keep_last: int) -> pl.Expr:
    """Each line with all that can stand for a letter or digit replaced by `*`, but the first and last few where enough stay
    hidden."""
    line = pl.element()
    length = line.str.len_chars()
    hidden = length.cast(pl.Int64) - keep_first - keep_last
    middle = line.str.slice(keep_first, hidden.clip(lower_bound=0).cast(pl.UInt64))
    partly = pl.concat_str(
        line.str.slice(0, keep_first),
        _starred(middle),
        line.str.slice((length.cast(pl.Int64) - keep_last).clip(lower_bound=0), None) if keep_last else pl.lit(""),
    )
    shown = pl.when(middle.str.count_matches(_LETTER) >= _ALWAYS_HIDDEN).then(partly).otherwise(_starred(line))
    return cell.str.split("\n").list.eval(shown).list.join("\n")


def truncated(cell: pl.Expr, *, first: int | None, last: int | None) -> pl.Expr:
    """The first or last few characters of each line; nothing of a line of which no letter or digit would be cut off."""

    def cut(line: pl.Expr) -> pl.Expr:
        if first:
            kept, rest = line.str.head(first), line.str.slice(first)
        else:
            kept, rest = line.str.tail(last or 0), line.str.head(-(last or 0))
        return pl.when(rest.str.contains(r"[\p{L}\p{N}]")).then(kept).otherwise(pl.lit(""))

    return _line_by_line(cell, cut)


def pseudonymised(cell: pl.Expr, key: str, *, each_line: bool, normalisation: int = 1) -> pl.Expr:
    """HMAC-SHA256 (FIPS 198-1) of the normalised text, its first 128 bits in hexadecimal."""
    normal = _NORMALISATIONS[normalisation]
    if not each_line:
        return _hmac(normal(cell), key)
    return cell.str.split("\n").list.eval(_hmac(normal(pl.element()), key)).list.join("\n")


def normalised(cell: pl.Expr) -> pl.Expr:
    """Normalisation 1 of pseudonyms: NFKC, white space trimmed and collapsed, upper case. Never change it: add a 2."""
    # ASCII is NFKC already, and to say so is thirty times as fast as to normalise it.
    other = pl.when(cell.str.len_bytes() != cell.str.len_chars()).then(cell)
    composed = pl.coalesce(other.str.normalize("NFKC"), cell)
    return composed.str.replace_all(r"\s+", " ").str.strip_chars().str.to_uppercase()


_NORMALISATIONS = {1: normalised}


def tokenised(cell: pl.Expr, tokens_of: Callable[[Sequence[str]], list[str]], *, each_line: bool) -> pl.Expr:
    """What `tokens_of` makes of the text as it is, so that it can be turned back; asked once for each distinct value."""

    def tokens(cells: pl.Series) -> pl.Series:
        said: list[str] = cells.drop_nulls().unique(maintain_order=True).to_list()
        lines = list(dict.fromkeys(line for text in said for line in (text.split("\n") if each_line else [text])))
        token = dict(zip(lines, tokens_of(lines), strict=True))
        whole = ["\n".join(token[line] for line in text.split("\n")) if each_line else token[text] for text in said]
        return cells.replace_strict(said, whole, default=None, return_dtype=pl.String)

    return cell.map_batches(tokens, return_dtype=pl.String, is_elementwise=True)


def generalised_date(cell: pl.Expr, *, to: str) -> pl.Expr:
    """The month, quarter, year or decade of an ISO 8601 date; null where the cell is not a day of the calendar."""
    shaped = cell.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:]+(?:\.[0-9]+)?Z?)?\z")
    exists = cell.str.head(10).str.to_date("%Y-%m-%d", strict=False).is_not_null()
    return pl.when(shaped & exists).then(_PERIODS[to](cell))


def _quarter(date: pl.Expr) -> pl.Expr:
    months = {f"{month:02}": f"-Q{(month + 2) // 3}" for month in range(1, 13)}
    return pl.concat_str(date.str.head(4), date.str.slice(5, 2).replace_strict(months, default=None))


_PERIODS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "month": lambda date: date.str.head(7),
    "quarter": _quarter,
    "year": lambda date: date.str.head(4),
    "decade": lambda date: pl.concat_str(date.str.head(3), pl.lit("0s")),
}


def shortened_code(cell: pl.Expr, characters: int, *, each_line: bool) -> pl.Expr:
    """The first characters of a code of which a letter or digit is cut off; nothing of a shorter one, or of other text."""

    def short(line: pl.Expr) -> pl.Expr:
        longer = line.str.slice(characters).str.contains("[A-Za-z0-9]")
        return pl.when(line.str.contains(_CODE) & longer).then(line.str.head(characters)).otherwise(pl.lit(""))

    return _line_by_line(cell, short) if each_line else _absent_if_empty(short(cell))


def parent_code(cell: pl.Expr, parents: Mapping[str, str], *, each_line: bool) -> pl.Expr:
    """What lies above the code; nothing for an unknown one."""

    def parent(line: pl.Expr) -> pl.Expr:
        return line.replace_strict(list(parents), list(parents.values()), default="", return_dtype=pl.String)

    return _line_by_line(cell, parent) if each_line else _absent_if_empty(parent(cell))


def answered(cell: pl.Expr, answers: Mapping[str, Sequence[str]], *, otherwise: str) -> pl.Expr:
    """The answer that is given for the value, and `otherwise` for every other, and for an absent cell. Never null."""
    given = {value: word for word, values in answers.items() for value in values}
    return cell.replace_strict(list(given), list(given.values()), default=otherwise, return_dtype=pl.String)


def _generalised_code(treatment: GeneraliseCode, cell: pl.Expr, means: Means) -> pl.Expr:
    if treatment.characters:
        return shortened_code(cell, treatment.characters, each_line=treatment.each_line)
    hierarchy = means.hierarchies[treatment.hierarchy or ""]
    level = hierarchy.levels.index(treatment.to or "")
    parents = {code: above[level] for code, above in hierarchy.parents.items()}
    return parent_code(cell, parents, each_line=treatment.each_line)


def _line_by_line(cell: pl.Expr, change: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    return _absent_if_empty(cell.str.split("\n").list.eval(change(pl.element())).list.join("\n"))


def _absent_if_empty(cell: pl.Expr) -> pl.Expr:
    return pl.when(cell != "").then(cell)


def _hmac(text: pl.Expr, key: str) -> pl.Expr:
    hashed: pl.Expr = text.chash.hmac_sha256(key=key)  # type: ignore[attr-defined]
    return hashed.str.slice(0, PSEUDONYM_HEX)


def _starred(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_LETTER, "*")

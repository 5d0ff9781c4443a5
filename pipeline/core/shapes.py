"""Can this cell have been made by that treatment, and of that row?

For the gates of `core.clearance`: nothing here uses what `core.treatments`, `core.terms` and `core.numerals` are made of, so that a
fault there is not one here too. What a treatment makes is told from the agreement alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from pipeline.core.language.codes import CodeList
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
from pipeline.core.treatments import Means

_SPELLED = re.compile(r"[^\W_]+(?: +[^\W_]+)*")
"""A listed word, or several, of letters and digits only: what can be read word by word."""

_PERIODS = {
    "month": "[0-9]{4}-(?:0[1-9]|1[0-2])",
    "quarter": "[0-9]{4}-Q[1-4]",
    "year": "[0-9]{4}",
    "decade": "[0-9]{3}0s",
}


def untreated(treatment: Released, cell: pl.Expr, means: Means) -> pl.Expr:
    """How many cells of the column cannot have come from the treatment."""
    if isinstance(treatment, FilterTerms):
        # Few cells come near a listed word: only they are read word by word.
        listed = means.code_lists[treatment.codes]
        return holds_listed(cell.filter(_near(cell, listed)), listed).sum()
    return _unlike(treatment, cell, means).sum()


def changed(treatment: Released | None, line: pl.Expr, means: Means) -> Sequence[pl.Expr]:
    """All true for a line that the treatment does not release as it is, as nothing is that is withheld: the cheap first."""
    match treatment:
        case FilterTerms():
            listed = means.code_lists[treatment.codes]
            return _near(line, listed), holds_listed(line, listed)
        case SplitText():
            return (_unlike(treatment, line, means),)
        case _:
            return (line.str.contains(r"[\p{L}\p{N}]"),)


def _unlike(treatment: Released, cell: pl.Expr, means: Means) -> pl.Expr:
    """True where a cell cannot have come from the treatment; null for an absent cell that can."""
    match treatment:
        case Keep():
            return pl.lit(value=False)
        case Constant():
            return cell.ne_missing(pl.lit(treatment.value))
        case Mask():
            shown = treatment.keep_first + treatment.keep_last
            readable = r"\p{L}\p{N}\p{So}\p{Cf}\p{Co}\p{Cn}"
            line = rf"[^{readable}\n]*(?:[{readable}][^{readable}\n]*){{0,{shown}}}"
            starred = r"(?:[^\p{L}\p{N}\n]*|[^*\n]*(?:\*[^*\n]*){4,})"
            return ~(_of_lines(cell, line) & _of_lines(cell, starred))
        case Truncate():
            return ~_of_lines(cell, f".{{0,{treatment.first or treatment.last}}}")
        case Pseudonymise():
            return ~_of_lines(cell, "[0-9a-f]{32}", each_line=treatment.each_line)
        case Tokenise():
            return ~_of_lines(cell, r"t1\.[A-Za-z0-9_-]{64,}", each_line=treatment.each_line)
        case GeneraliseDate():
            return ~_of_lines(cell, _PERIODS[treatment.to], each_line=False)
        case GeneraliseNumber():
            return cell.is_not_null() & ~_is_class(treatment, cell)
        case Round():
            return cell.is_not_null() & ~_is_multiple(treatment, cell)
        case GeneraliseCode():
            return ~_is_general(treatment, cell, means)
        case FilterTerms():
            return holds_listed(cell, means.code_lists[treatment.codes])
        case SplitText():
            heads = "|".join(map(re.escape, means.code_lists[treatment.heads].codes))
            status = "(?: ?[A-Z]{2} ?[0-9]{1,3}(?: [A-Z0-9]{2})?)?"
            return ~_of_lines(cell, rf"(?:\[TEXT\]|(?:{heads}){status}(?: \[TEXT\])?)")
        case Answer():
            return ~cell.is_in([*treatment.answers, treatment.otherwise]).fill_null(value=False)


def of_another_row(treatment: Released, cell: pl.Expr, given: pl.Expr, means: Means) -> pl.Expr:
    """True, or null, where `cell` cannot have been made from `given`, as far as its shape can tell."""
    absent = given.is_null()
    match treatment:
        case Keep():
            return cell.ne_missing(given)
        case Constant():
            return cell.ne(treatment.value)
        case Answer():
            return cell.ne_missing(_answer(treatment, given))
        case Mask():
            same = cell.str.len_chars() == given.str.len_chars()
        case Pseudonymise() | Tokenise():
            same = cell != given
        case FilterTerms() | SplitText():
            same = _lines(cell) == _lines(given)
        case Truncate():
            return cell.is_not_null() & ~_is_cut(cell, given, at_end=treatment.first is not None)
        case GeneraliseDate():
            return cell.is_not_null() & ~_is_period(treatment, cell, given)
        case GeneraliseNumber():
            lowest, highest = _bounds(cell)
            return cell.is_not_null() & ~given.cast(pl.Float64, strict=False).is_between(lowest, highest)
        case Round():
            number, rounded = given.cast(pl.Float64, strict=False), cell.cast(pl.Float64, strict=False)
            # Floating point is exact enough to tell another row's number, and shares no fault with whole numbers.
            nearly = float(treatment.to) * 0.500001 + number.abs() * 1e-12
            return cell.is_not_null() & ~((number - rounded).abs() <= nearly)
        case GeneraliseCode():
            return cell.is_not_null() & ~_is_above(treatment, cell, given, means)
    return pl.when(absent).then(cell.is_not_null()).otherwise(cell.is_null() | ~same)


def holds_listed(cell: pl.Expr, listed: CodeList) -> pl.Expr:
    """True where a listed code or term is in the cell as a word, with a status glued to it, or letter by letter.

    A sign that nobody sees may stand between two words, or inside one: the cell is read both ways.
    """
    text = cell.str.normalize("NFKD").str.replace_all(r"[\p{M}\p{Cf}\x{115F}\x{1160}\x{2800}]", "")
    closed = text.str.replace_all(r"[[\p{C}\p{Zl}\p{Zp}]--[\t\n\x0B\x0C\r]]", "")
    return (_holds(text, listed) | _holds(closed, listed)).fill_null(value=False)


def _holds(text: pl.Expr, listed: CodeList) -> pl.Expr:
    words = _plain_words(listed)
    spelt = [" ".join(code) for code in listed.codes if re.fullmatch("[A-Z]{4,}", code)]
    spaced = text.str.replace_all(r"[^\p{L}\p{N}\n]+", " ").str.replace_all("\n", " \n ", literal=True)
    between = pl.concat_str(pl.lit(" "), spaced, pl.lit(" "))
    found = between.str.contains_any([f" {word} " for word in (*words, *spelt)], ascii_case_insensitive=True)
    glued = between.str.contains(f"(?i) (?:{'|'.join(map(re.escape, listed.codes))})[A-Z]{{2}}[0-9]{{1,3}} ")
    return found | glued


def _near(cell: pl.Expr, listed: CodeList) -> pl.Expr:
    """True where the cell may hold a listed word: the letters of one, single letters in a row, or letters that hide some."""
    first = "|".join(re.escape(word.split()[0]) for word in _plain_words(listed))
    return cell.str.contains(rf"(?i){first}|[^\t\n\r -~]|(?:^|[^A-Z0-9])[A-Z](?:[^A-Z0-9]+[A-Z]){{3}}")


def _plain_words(listed: CodeList) -> list[str]:
    """The listed codes and terms without accents that are words of letters and digits, and so can be read word by word."""
    words = (unicodedata.normalize("NFKD", word) for word in (*listed.codes, *listed.terms) if _SPELLED.fullmatch(word))
    return [" ".join("".join(sign for sign in word if not unicodedata.combining(sign)).split()) for word in words]


def _answer(treatment: Answer, given: pl.Expr) -> pl.Expr:
    said = pl.lit(treatment.otherwise)
    for word, values in treatment.answers.items():
        said = pl.when(given.is_in(list(values))).then(pl.lit(word)).otherwise(said)
    return said


def _of_lines(cell: pl.Expr, line: str, *, each_line: bool = True) -> pl.Expr:
    """True where every line, or the whole cell as one line, matches the pattern."""
    return cell.str.contains(rf"\A(?:{line})(?:\n(?:{line}))*\z" if each_line else rf"\A(?:{line})\z")


def _lines(cell: pl.Expr) -> pl.Expr:
    return cell.str.count_matches("\n", literal=True)


def _bounds(cell: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The lowest and highest number that a class may hold; what is open has no end. Null where the cell is no class."""
    low = cell.str.extract(r"\A(-?[0-9]*)\.\.", 1)
    high = cell.str.extract(r"\.\.(-?[0-9]*)\z", 1)
    return (
        pl.when(low == "").then(pl.lit(-(10.0**18))).otherwise(low.cast(pl.Float64, strict=False)),
        # 29.9 is in 20..29: the class reaches up to the number behind it.
        pl.when(high == "").then(pl.lit(10.0**18)).otherwise(high.cast(pl.Float64, strict=False) + 1),
    )


def _is_class(treatment: GeneraliseNumber, cell: pl.Expr) -> pl.Expr:
    if treatment.edges:
        inner = [f"{low}..{high - 1}" for low, high in pairwise(treatment.edges)]
        return cell.is_in([f"..{treatment.edges[0] - 1}", *inner, f"{treatment.edges[-1]}.."])
    whole = cell.str.contains(r"\A(?:0|-?[1-9][0-9]*)\.\.(?:0|-?[1-9][0-9]*)\z")
    low, high = (cell.str.extract(end, 1).cast(pl.Int128, strict=False) for end in (r"\A(-?[0-9]+)", r"(-?[0-9]+)\z"))
    width = treatment.width or 0
    return whole & (high - low + 1 == width).fill_null(value=False) & (low % width == 0).fill_null(value=False)


def _is_multiple(treatment: Round, cell: pl.Expr) -> pl.Expr:
    decimals = len(treatment.to.partition(".")[2])
    shaped = cell.str.contains(rf"\A-?[0-9]+{rf'[.][0-9]{{{decimals}}}' if decimals else ''}\z")
    units = cell.str.replace(".", "", literal=True).cast(pl.Int128, strict=False)
    return shaped & (units % int(treatment.to.replace(".", "")) == 0).fill_null(value=False)


def _is_general(treatment: GeneraliseCode, cell: pl.Expr, means: Means) -> pl.Expr:
    if treatment.characters:
        line = f"[A-Za-z0-9./_-]{{{treatment.characters}}}"
    else:
        parents = (above for _, above in _pairs(treatment, means))
        line = "|".join(re.escape(above) for above in sorted(set(parents), key=len, reverse=True))
    return _of_lines(cell, f"|{line}" if treatment.each_line else line, each_line=treatment.each_line)


def _is_above(treatment: GeneraliseCode, cell: pl.Expr, given: pl.Expr, means: Means) -> pl.Expr:
    if treatment.each_line:
        return _lines(cell) == _lines(given)
    if treatment.characters:
        return given.str.starts_with(cell) & (given != cell)
    pairs = [f"{code}\x1f{above}" for code, above in _pairs(treatment, means)]
    return pl.concat_str(given, cell, separator="\x1f").is_in(pairs)


def _pairs(treatment: GeneraliseCode, means: Means) -> Sequence[tuple[str, str]]:
    """Each code of the hierarchy with what lies above it at the treatment's level."""
    hierarchy = means.hierarchies[treatment.hierarchy or ""]
    return [
        (code, dict(zip(hierarchy.levels, above, strict=True))[treatment.to or ""])
        for code, above in hierarchy.parents.items()
    ]


def _is_cut(cell: pl.Expr, given: pl.Expr, *, at_end: bool) -> pl.Expr:
    """A part of the one line, or as many lines."""
    part = given.str.starts_with(cell) if at_end else given.str.ends_with(cell)
    shorter = (cell != given) | ~given.str.contains(r"[\p{L}\p{N}]")
    return (_lines(cell) == _lines(given)) & shorter & ((_lines(given) > 0) | part)


def _is_period(treatment: GeneraliseDate, cell: pl.Expr, given: pl.Expr) -> pl.Expr:
    match treatment.to:
        case "month" | "year":
            return given.str.starts_with(cell)
        case "decade":
            return cell.str.strip_suffix("0s") == given.str.slice(0, 3)
        case "quarter":
            month = given.str.slice(5, 2).cast(pl.Int8, strict=False)
            last = cell.str.slice(6, 1).cast(pl.Int8, strict=False) * 3
            return given.str.starts_with(cell.str.slice(0, 5)) & month.is_between(last - 2, last)

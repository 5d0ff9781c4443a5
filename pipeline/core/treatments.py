"""What does an agreement do to one column?

One pure function per treatment, all of one shape: the treatment and the cell's expression in, the released cell's expression
out. Null stays null. Treatments that work line by line take each line of a cell by itself and keep their number and order.
"""

import re
from collections.abc import Callable

import polars as pl
import polars_hash  # noqa: F401  registers the `chash` namespace

from pipeline.core.agreement import (
    CodeList,
    FilterTerms,
    GeneraliseDate,
    Keep,
    Mask,
    Pseudonymise,
    Treatment,
)

MASKED = "[MASKED:SENS]"
PSEUDONYM_HEX = 32
"""128 bits as hexadecimal digits."""

_ALWAYS_HIDDEN = 4
"""A mask hides at least this many letters and digits of a line, or all of them."""

_LETTER = r"[\p{L}\p{N}\p{M}]"

_DATE_LENGTH = {"month": 7, "year": 4}

PseudonymKeys = Callable[[str], str]
"""From an agreement's domain to its key: 64 hexadecimal digits, and HMAC's key is these 64 characters as ASCII, not the 32
bytes that they spell. The key shows in the query plan: never print one."""


def released_cell(
    treatment: Treatment, cell: pl.Expr, *, code_lists: dict[str, CodeList], pseudonym_keys: PseudonymKeys
) -> pl.Expr:
    """The expression of what is released for `cell`."""
    match treatment:
        case Keep():
            return cell
        case Pseudonymise():
            return pseudonymised(cell, pseudonym_keys(treatment.domain), each_line=treatment.each_line)
        case Mask():
            return masked(cell, keep_first=treatment.keep_first, keep_last=treatment.keep_last)
        case GeneraliseDate():
            return generalised_date(cell, characters=_DATE_LENGTH[treatment.to])
        case FilterTerms():
            return filtered(cell, code_lists[treatment.codes])


def pseudonymised(cell: pl.Expr, key: str, *, each_line: bool) -> pl.Expr:
    """HMAC-SHA256 (FIPS 198-1) of the normalised text, its first 128 bits in hexadecimal."""
    if not each_line:
        return _hmac(cell, key)
    return cell.str.split("\n").list.eval(_hmac(pl.element(), key)).list.join("\n")


def normalised(cell: pl.Expr) -> pl.Expr:
    """Normalisation 1 of pseudonyms: NFKC, white space trimmed and collapsed, upper case. Never change it: add a 2."""
    # ASCII is NFKC already, and to say so is thirty times as fast as to normalise it.
    other = pl.when(cell.str.len_bytes() != cell.str.len_chars()).then(cell)
    composed = pl.coalesce(other.str.normalize("NFKC"), cell)
    return composed.str.replace_all(r"\s+", " ").str.strip_chars().str.to_uppercase()


def masked(cell: pl.Expr, *, keep_first: int, keep_last: int) -> pl.Expr:
    """Each line with its letters and digits replaced by `*`, but the first and last few where enough stay hidden."""
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


def generalised_date(cell: pl.Expr, *, characters: int) -> pl.Expr:
    """The first characters of an ISO 8601 date; null where the cell is not a day of the calendar."""
    shaped = cell.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:]+)?\z")
    exists = cell.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).is_not_null()
    return pl.when(shaped & exists).then(cell.str.slice(0, characters))


def filtered(cell: pl.Expr, listed: CodeList) -> pl.Expr:
    """Each line that holds a listed code or term, as a word in any case, is `MASKED` as a whole."""
    words = listed_words(listed)
    plain = cell.str.replace_all(rf"(?im)^.*{words}.*$", MASKED)
    # Wide letters, accents and invisible characters must not hide a word; only cells that have any pay for the folding.
    odd = pl.when(cell.str.contains(r"[^\x00-\x7F]")).then(cell)
    line = pl.element()
    listed_line = folded(line).str.contains(f"(?im){words}") | line.str.contains(f"(?im){words}")
    kept = pl.when(listed_line).then(pl.lit(MASKED)).otherwise(line)
    return pl.coalesce(odd.str.split("\n").list.eval(kept).list.join("\n"), plain)


def folded(text: pl.Expr) -> pl.Expr:
    """`text` as a reader takes it: plain letters, without marks and invisible characters."""
    return text.str.normalize("NFKD").str.replace_all(r"[\p{M}\p{Cf}\x{115F}\x{1160}\x{2800}]", "")


def listed_words(listed: CodeList) -> str:
    """A pattern (Rust regex) that finds a listed code or term in one line, between anything but letters and digits.

    The caller sets `(?im)`.
    """
    words = sorted({*listed.codes, *listed.terms}, key=lambda word: (-len(word), word))
    spaced = (r"[^\p{L}\p{N}\n]+".join(re.escape(part) for part in word.split()) for word in words)
    edge = r"[^\p{L}\p{N}\n]"
    return rf"(?:^|{edge})(?:{'|'.join(spaced)})(?:{edge}|$)"


def _hmac(cell: pl.Expr, key: str) -> pl.Expr:
    hashed: pl.Expr = normalised(cell).chash.hmac_sha256(key=key)  # type: ignore[attr-defined]
    return hashed.str.slice(0, PSEUDONYM_HEX)


def _starred(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_LETTER, "*")

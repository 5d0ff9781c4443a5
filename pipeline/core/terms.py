"""Which lines of a text hold a listed code or term, and which are a listed code with text behind it?

A partner may write a code in more than one way: alone, `KSML`; with its status glued to it, `KSMLHK1`; letter by letter, `K.S.M.L`.
A term of several words may have anything but letters and digits between them. Any case, and wide letters, accents and
invisible characters hide nothing.
"""

import re
from unicodedata import category, normalize

import polars as pl

from pipeline.core.language.codes import CodeList

MASKED = "[MASKED:SENS]"
"""The same whatever the line held: it does not tell the category."""

TEXT = "[TEXT]"

_GLUED = "(?:[A-Z]{2}[0-9]{1,3})?"
"""A status right behind a code: HK1."""

_SPELT = 4
"""A code of at least this many letters is also found letter by letter; a shorter one could be somebody's initials."""

_ASCII_EDGE, _EDGE = r"[^A-Za-z0-9\n]", r"[^\p{L}\p{N}\n]"

_STATUS = "(?: ?[A-Z]{2} ?[0-9]{1,3}(?: [A-Z0-9]{2})?)?"
"""A status and the carrier behind it, which belong to a coded head: `HK1`, `HK 1 LH` (IATA AIRIMP)."""


def filtered(cell: pl.Expr, listed: CodeList) -> pl.Expr:
    """Each line that holds a listed code or term, as a word in any case, is `MASKED` as a whole."""
    plain = cell.str.replace_all(rf"(?im)^.*{_words(listed, _ASCII_EDGE)}.*$", MASKED)
    # Only cells with signs that are not printed ASCII, or with single letters in a row, pay for the closer look.
    apart = rf"(?:^|{_ASCII_EDGE})[A-Za-z](?:{_ASCII_EDGE}+[A-Za-z]){{{_SPELT - 1}}}"
    odd = pl.when(cell.str.contains(rf"(?m)[^\t\n\r -~]|{apart}")).then(cell)
    line, words = pl.element(), _words(listed, _EDGE)
    either = f"(?im){'|'.join([words, *_spelt(listed)])}"
    found = folded(line).str.contains(either) | line.str.contains(f"(?im){words}")
    kept = pl.when(found).then(pl.lit(MASKED)).otherwise(line)
    return pl.coalesce(odd.str.split("\n").list.eval(kept).list.join("\n"), plain)


def text_split_off(cell: pl.Expr, heads: CodeList) -> pl.Expr:
    """Of each line its coded head, with status and carrier, exactly as listed; all other text is `TEXT`."""
    codes = "|".join(re.escape(code) for code in sorted(heads.codes, key=len, reverse=True))
    line = pl.element()
    head = line.str.extract(rf"\A((?:{codes}){_STATUS})(?:[^\p{{L}}\p{{N}}\p{{M}}].*)?\z", 1)
    whole = pl.when(line == head).then(head).otherwise(pl.concat_str(head, pl.lit(f" {TEXT}")))
    return cell.str.split("\n").list.eval(whole.fill_null(TEXT)).list.join("\n")


def folded(text: pl.Expr) -> pl.Expr:
    """`text` as a reader takes it: plain letters, without marks and invisible characters."""
    return text.str.normalize("NFKD").str.replace_all(
        r"[[\p{M}\p{C}\p{Zl}\p{Zp}\x{115F}\x{1160}\x{2800}]--[\t\n\x0B\x0C\r]]", ""
    )


def _words(listed: CodeList, edge: str) -> str:
    """A pattern (Rust regex, under `(?im)`) of a listed code or term in one line, between anything but letters and digits."""
    codes = "|".join(re.escape(code) for code in _longest_first(listed.codes))
    terms = (rf"{edge}+".join(re.escape(part) for part in term.split()) for term in _longest_first(listed.terms))
    return rf"(?:^|{edge})(?:{'|'.join([f'(?:{codes}){_GLUED}', *terms])})(?:{edge}|$)"


def _spelt(listed: CodeList) -> list[str]:
    """A pattern of a listed code letter by letter, other signs between; none where no code is long enough."""
    codes = (code for code in _longest_first(listed.codes) if re.fullmatch(f"[A-Z]{{{_SPELT},}}", code))
    apart = "|".join(f"{_ASCII_EDGE}+".join(code) for code in codes)
    return [rf"(?:^|{_ASCII_EDGE})(?:{apart})(?:{_ASCII_EDGE}|$)"] if apart else []


def _longest_first(words: tuple[str, ...]) -> list[str]:
    """The words, and each without its accents, as it may be written too."""
    plain = ("".join(sign for sign in normalize("NFKD", word) if category(sign)[0] != "M") for word in words)
    return sorted({*words, *plain}, key=lambda word: (-len(word), word))

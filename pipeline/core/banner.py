"""How is a marking written on one line, and what does the marking of a row say?

`TLP:AMBER | CUI//SP-INTL/PRVCY//REL TO USA, NLD | DESIGNATED BY "CBP" | ORCON eu-piu | EUROPOL H1/H3 "..." | 4x4 B2 | LIMITE`
"""

import re
from typing import Any

import polars as pl
from pydantic import ValidationError

from pipeline.core.errors import Code, Refused
from pipeline.core.language.marking import Marking
from pipeline.core.markings import joined

MOST_MARKINGS = 1000
"""A chunk with more different markings than this is refused: reading them has a cost, and no such feed is known."""

MOST_CHARACTERS = 4000
"""A longer cell is no marking."""

_NOT_KNOWN = "is none that is known, or contradicts itself"

_PHRASES = r'"[^"]+"(?: "[^"]+")*'
_SEGMENTS = {
    "tlp": re.compile(r"TLP:([A-Z+]+)"),
    "cui": re.compile(r"CUI//([A-Z-]+(?:/[A-Z-]+)*)(?://(.+))?"),
    "designated_by": re.compile(rf"DESIGNATED BY ({_PHRASES})"),
    "originators": re.compile(r"ORCON ([a-z0-9-]+(?:, [a-z0-9-]+)*)"),
    "europol": re.compile(rf"EUROPOL (H[0-3](?:/H[0-3])*)(?: ({_PHRASES}))?"),
    "evaluation": re.compile(r"4x4 ([ABCX])([1-4])"),
    "limite": re.compile(r"(LIMITE)"),
}
"""The parts of a banner in their order. A row's marking may leave out any, in any order, and repeat none."""

_CLASSIFIED = re.compile(
    r"""
      \b(SECRET|CONFIDENTIAL|CONFIDENTIEL|RESTRICTED|RESTREINTE?|COSMIC|ATOMAL|GEHEIM|VS-NUR|VS-NFD|VS-VERTRAULICH)\b
    | ^\W*NATO\b | \bNATO[ -]?UNCLASSIFIED\b
    | \b(TS|S|C|R)-UE\b | \bEU-(TS|S|C|R)\b
    | ^\W*(TS|S|C|CTS|CTSA|NS|NC|NR|NU)\W*$ | ^\W*(TS|S|C|CTS|CTSA|NS|NC|NR|NU)\s*//
    | ^\W*//\s*[A-Z]{3,4}\s+(TS|S|C|R)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What classified information is marked with: national, EU, NATO; banners and portions. Only asked where nothing was read."""


def banner(marking: Marking) -> str:
    """The one label of `marking`: equal markings have equal banners, and `read_marking` reads it back."""
    parts = [f"TLP:{marking.tlp.value}"]
    if marking.cui:
        limits = [f"{control}" for control in marking.controls]
        limits += [f"DISPLAY ONLY {', '.join(marking.display_only)}"] * bool(marking.display_only)
        limits += [f"REL TO {', '.join(marking.rel_to)}"] * bool(marking.rel_to)
        parts.append("//".join(["CUI", "/".join(marking.cui), *["/".join(sorted(limits))] * bool(limits)]))
        parts.append(f"DESIGNATED BY {_quoted(marking.designated_by)}")
    if marking.originators:
        parts.append(f"ORCON {', '.join(marking.originators)}")
    if marking.europol:
        codes = f"EUROPOL {'/'.join(marking.europol.codes)}"
        parts.append(f"{codes} {_quoted(marking.europol.texts)}" if marking.europol.texts else codes)
    if marking.evaluation:
        parts.append(f"4x4 {marking.evaluation.source}{marking.evaluation.information}")
    if marking.limite:
        parts.append("LIMITE")
    return " | ".join(parts)


def read_marking(text: str, *, designated_by: str | None = None) -> Marking:
    """The marking that a banner, or a part of one such as a TLP label or a CUI banner, says.

    Without a TLP label it is GREEN, since nothing else that can be said is for the public. `designated_by` is who designated
    CUI where the text does not say.

    Raises:
        Refused: it is the marking of classified information, or not one that is known.
    """
    marking = _read(text, designated_by)
    if marking is None:
        raise _classified() if _bears_class(text) else _unknown(_NOT_KNOWN)
    return marking


def marks_of(
    cells: pl.Series, *, designated_by: str | None = None, positions: pl.Series | None = None
) -> Marking | None:
    """What all rows of a column of markings are marked with together; None where there is no row.

    `positions` has the place of each row in its delivery, so that a refusal can say it.

    Raises:
        Refused: a row has no marking, an unknown one, or one of classified information.
    """
    texts: list[str | None] = cells.unique(maintain_order=True).to_list()
    markings = {text: None if text is None else _read(text, designated_by) for text in texts}
    unread = [text for text, marking in markings.items() if marking is None]
    for text in unread:
        if text is not None and _bears_class(text):
            raise _classified(_place(text, cells, positions))
    for text in unread:
        raise _unknown("is missing" if text is None else _NOT_KNOWN, _place(text, cells, positions))
    if len(texts) > MOST_MARKINGS:
        raise _unknown(f"is one of {len(texts)} different ones, and a chunk may have {MOST_MARKINGS}")
    return joined(markings.values())


def _read(text: str, designated_by: str | None) -> Marking | None:
    said = _said(text) if len(text) <= MOST_CHARACTERS else None
    if said is None:
        return None
    said.setdefault("tlp", "GREEN")
    if "cui" in said and designated_by:
        said.setdefault("designated_by", [designated_by])
    try:
        return Marking.model_validate(said)
    except ValidationError:
        return None


def _bears_class(text: str) -> bool:
    return _CLASSIFIED.search(text[:MOST_CHARACTERS]) is not None


def _said(text: str) -> dict[str, Any] | None:
    """The fields of a marking, as a file would have them; None where a part has no known form or comes twice."""
    said: dict[str, Any] = {}
    for part in text.split(" | "):
        field, match = next(
            ((name, m) for name, form in _SEGMENTS.items() if (m := form.fullmatch(part))), (None, None)
        )
        if field is None or match is None or field in said:
            return None
        match field:
            case "tlp":
                said["tlp"] = "CLEAR" if match[1] == "WHITE" else match[1]
            case "cui":
                said |= {"cui": match[1].split("/"), **_limits(match[2])}
            case "designated_by":
                said[field] = _unquoted(match[1])
            case "originators":
                said[field] = match[1].split(", ")
            case "europol":
                said[field] = {"codes": match[1].split("/"), "texts": _unquoted(match[2] or "")}
            case "evaluation":
                said[field] = {"source": match[1], "information": int(match[2])}
            case "limite":
                said[field] = True
    return said


def _limits(text: str | None) -> dict[str, list[str]]:
    """The dissemination controls of a CUI banner; two lists of one kind are one control that is not known."""
    limits = text.split("/") if text is not None else []
    said: dict[str, list[str]] = {"controls": []}
    for limit in limits:
        for name, field in (("REL TO ", "rel_to"), ("DISPLAY ONLY ", "display_only")):
            if limit.startswith(name) and field not in said:
                said[field] = limit.removeprefix(name).split(", ")
                break
        else:
            said["controls"].append(limit)
    return said


def _quoted(phrases: tuple[str, ...]) -> str:
    return " ".join(f'"{phrase}"' for phrase in phrases)


def _unquoted(text: str) -> list[str]:
    return re.findall(r'"([^"]+)"', text)


def _classified(place: str = "") -> Refused:
    return Refused(
        Code.CLASSIFIED_INPUT,
        f"a row bears the marking of classified information, which has no place here.{place}",
        next_step="call the security officer before anything else: the delivery is sealed in quarantine, and may be in "
        "landing still; then ask the partner for one without it.",
    )


def _unknown(why: str, place: str = "") -> Refused:
    return Refused(
        Code.MARKING_UNKNOWN,
        f"the marking of a row {why}.{place}",
        next_step="ask the partner for markings as docs/markings.md has them.",
    )


def _place(text: str | None, cells: pl.Series, positions: pl.Series | None) -> str:
    """In how many rows, the first of them, and never the text."""
    same = cells.is_null() if text is None else (cells == text).fill_null(value=False)
    numbers = positions if positions is not None else pl.Series(range(1, len(cells) + 1))
    return f" {same.sum()} rows, first at {numbers.filter(same)[0]}."

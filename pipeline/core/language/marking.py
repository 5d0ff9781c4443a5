"""Which words on a release say who may see it?

What each of them forbids, with its source, is in `docs/markings.md`; `core.markings` enforces it.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from pipeline.core.language.policy import Cited, Id, Policy, Text


class Tlp(Enum):
    """Traffic Light Protocol 2.0, in ascending order (FIRST, 2022)."""

    CLEAR = "CLEAR"
    GREEN = "GREEN"
    AMBER = "AMBER"
    AMBER_STRICT = "AMBER+STRICT"
    RED = "RED"


_Said = TypeVar("_Said", bound=str)


def _in_order(words: tuple[_Said, ...]) -> tuple[_Said, ...]:
    """Each once, in the banners' order: USA before other countries, specified categories before basic ones, then by letter."""
    return tuple(sorted(set(words), key=lambda word: (word != "USA", not word.startswith("SP-"), word)))


def _printable(text: str) -> str:
    if not text.isprintable() or set(text) & set('"|'):
        raise ValueError('must be one line without " and |: both have a meaning in a banner')
    return text


def _not_a_list(controls: object) -> object:
    for name, field in (("REL TO", "rel_to"), ("DISPLAY ONLY", "display_only")):
        if isinstance(controls, list | tuple) and name in controls:
            raise ValueError(f'{name} is said by its list: leave it out here and write {field} = ["USA", ...]')
    return controls


Phrase = Annotated[
    str, StringConstraints(pattern=r"^\S(.*\S)?$", min_length=1, max_length=500), AfterValidator(_printable)
]
"""Words for a reader, on one line, without the signs that part a banner."""

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

Category = Literal[
    "EXPT",
    "HLTH",
    "INF",
    "INV",
    "LEI",
    "LSCRN",
    "OCCMTO",
    "PROPIN",
    "PRVCY",
    "SERV",
    "STAT",
    "VISA",
    "SP-CHRI",
    "SP-CRITAN",
    "SP-CVI",
    "SP-INTL",
    "SP-LDNA",
    "SP-PROPIN",
    "SP-PRVCY",
    "SP-SSI",
    "SP-TSCA",
]
"""The CUI categories in use here (32 CFR 2002; names as in NIEM 6 `cui.xsd`)."""

Control = Literal[
    "NOFORN", "FED ONLY", "FEDCON", "NOCON", "DL ONLY", "RELIDO", "Attorney-Client", "Attorney-WP"
]  # fmt: skip
"""The limited dissemination controls that stand alone. REL TO and DISPLAY ONLY have lists: `rel_to`, `display_only`."""


class Europol(Policy):
    """Europol handling codes H0 to H3; H3 is words."""

    codes: Annotated[tuple[Literal["H0", "H1", "H2", "H3"], ...], AfterValidator(_in_order)] = Field(
        min_length=1, strict=False
    )
    """H0 to H3"""
    texts: Annotated[tuple[Phrase, ...], AfterValidator(_in_order)] = Field(default=(), strict=False)
    """what H3 restricts, in words"""

    @model_validator(mode="after")
    def _says_what_it_restricts(self) -> "Europol":
        if ("H3" in self.codes) != bool(self.texts):
            raise ValueError('H3 is words: write codes = ["H3"] together with texts = ["..."], or neither')
        return self


class Evaluation(Policy):
    """4x4: how good the source is, and the information (Regulation (EU) 2016/794, Art. 29)."""

    source: Literal["A", "B", "C", "X"]
    """how reliable the source is: A the best, X unknown"""
    information: int = Field(ge=1, le=4)
    """how reliable the information is: 1 the best, 4 unknown"""


class Marking(Policy):
    """What a release, or a row, is marked with. Each tuple is a set, kept in the order of its banner."""

    tlp: Tlp = Field(strict=False)
    """how wide a circle may see it: Traffic Light Protocol 2.0"""
    cui: Annotated[tuple[Category, ...], AfterValidator(_in_order)] = Field(default=(), strict=False)
    """CUI categories, specified ones with `SP-`"""
    controls: Annotated[tuple[Control, ...], AfterValidator(_in_order), BeforeValidator(_not_a_list)] = Field(
        default=(), strict=False
    )
    """limited dissemination controls; REL TO and DISPLAY ONLY are the two lists below"""
    rel_to: Annotated[tuple[Country, ...], AfterValidator(_in_order)] = Field(default=(), strict=False)
    """REL TO: USA and the only foreign countries that may have it"""
    display_only: Annotated[tuple[Country, ...], AfterValidator(_in_order)] = Field(default=(), strict=False)
    """DISPLAY ONLY: USA and the foreign countries that may see it and get no copy: no release"""
    designated_by: Annotated[tuple[Phrase, ...], AfterValidator(_in_order)] = Field(default=(), strict=False)
    """who made it CUI"""
    originators: Annotated[tuple[Id, ...], AfterValidator(_in_order)] = Field(default=(), strict=False)
    """whose consent every further share needs"""
    europol: Europol | None = None
    """Europol handling codes"""
    evaluation: Evaluation | None = None
    """the worst of everything marked; None says that something is not evaluated"""
    limite: bool = False
    """EU LIMITE: not beyond the institutions and Member States of the Union"""

    @model_validator(mode="after")
    def _does_not_contradict_itself(self) -> "Marking":
        for contradiction in _contradictions(self):
            raise ValueError(contradiction)
        return self


class Downgrade(Policy):
    """Rows marked up to `of` are released under `to`, since this authority has said so. Nothing else lowers a marking."""

    of: Marking
    """the marking of rows that is lowered"""
    to: Marking
    """what they are released under"""
    authority: Text
    """who has said so"""
    reference: Text
    """where it is written"""
    clause: Cited


def _contradictions(marking: Marking) -> Iterator[str]:
    """What it says against itself, and what to write instead. No join of two sound markings is in here."""
    lists = {"rel_to": marking.rel_to, "display_only": marking.display_only}
    foreign = [name for name, countries in lists.items() if countries] + ["RELIDO"] * ("RELIDO" in marking.controls)
    if "NOFORN" in marking.controls and foreign:
        yield f"NOFORN lets nobody foreign have it: leave out {' and '.join(foreign)}, or leave out NOFORN"
    for name, countries in lists.items():
        if countries and "USA" not in countries:
            yield f'{name} must hold USA: write {name} = ["USA", ...]'
        if countries == ("USA",):
            yield f'{name} = ["USA"] is nobody foreign: write controls = ["NOFORN"] and leave out {name}'
    for country in (set(marking.rel_to) & set(marking.display_only)) - {"USA"}:
        yield f"{country} may have it by rel_to and so may see it: leave it out of display_only"
    if not marking.cui and (marking.controls or marking.rel_to or marking.display_only or marking.designated_by):
        yield 'controls, rel_to, display_only and designated_by are about CUI: name its categories, cui = ["..."]'
    if marking.cui and not marking.designated_by:
        yield 'CUI must say who designated it: write designated_by = ["..."]'
    if "EXPT" in marking.cui and not ("NOFORN" in marking.controls or marking.rel_to or marking.display_only):
        yield 'EXPT is export controlled: write controls = ["NOFORN"] or rel_to = ["USA", ...]'
    if marking.europol and "H2" in marking.europol.codes and not marking.originators:
        yield 'H2 needs the permission of somebody: write originators = ["..."]'
    limited = marking.cui or marking.originators or marking.europol or marking.evaluation or marking.limite
    if marking.tlp is Tlp.CLEAR and limited:
        yield 'TLP:CLEAR is for anybody, and the rest of this marking is not: write tlp = "GREEN" or higher'

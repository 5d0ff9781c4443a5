"""Does one treatment tell no more of a cell than another?

It tells no more where what it releases can be worked out, for every cell, from what the other releases: whoever had that learns
nothing new. This is a partial order; of two settings that are not in it, each may tell what the other does not. That is so more often
than it looks: `mask` hides a short value whole, so that with fewer characters kept it may show a part of one. `keep` tells most,
and nothing can be worked out from a pseudonym but whether it is the same.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Protocol

from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.partner import Partner
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
    Round,
    SplitText,
    Tokenise,
    Treatment,
    Truncate,
    Withhold,
)

NOT_TOLD = frozenset({"clause", "reversal_clause", "until", "clock", "only_where"})
"""Settings that change nothing in a cell that is released: which cells are, `core.column_differences` compares."""

_PERIODS = ("month", "quarter", "year", "decade")
"""From the finest to the coarsest; each is whole ones of those before it."""


class Around(Protocol):
    """What an agreement may name, by id: a catalogue is one."""

    @property
    def partners(self) -> Mapping[str, Partner]: ...

    @property
    def code_lists(self) -> Mapping[str, CodeList]: ...

    @property
    def hierarchies(self) -> Mapping[str, Hierarchy]: ...


def tells_no_more(said: Treatment | None, around: Around, than: Treatment | None, than_around: Around) -> bool:
    """Whether `said` tells no more than `than`; None is a column that is not named. What cannot be compared is False."""
    if said is None or isinstance(said, Withhold):
        return True
    if than is None or isinstance(than, Withhold):
        return False
    if isinstance(said, Constant) or isinstance(than, Keep):
        return True
    match said, than:
        case Mask(), Mask():
            hidden = said.keep_first == said.keep_last == 0
            return _alike(said, than, *(("keep_first", "keep_last") if hidden else ()))
        case Truncate(), Truncate():
            return _alike(said, than)
        case GeneraliseDate(), GeneraliseDate():
            return _alike(said, than, "to") and _PERIODS.index(said.to) >= _PERIODS.index(than.to)
        case GeneraliseNumber(), GeneraliseNumber():
            return _alike(said, than, "width", "edges") and _wider(said, than)
        case Round(), Round():
            return _alike(said, than, "to") and coarser_step(said.to, than.to)
        case Pseudonymise(), Pseudonymise():
            return _alike(said, than, "each_line") and _whole_or_both(said, than)
        case Pseudonymise(), Tokenise():
            return _whole_or_both(said, than)
        case Tokenise(), Tokenise():
            return _alike(said, than, "each_line") and _whole_or_both(said, than)
        case FilterTerms(), FilterTerms():
            return _alike(said, than, "codes") and _filters_all(said, around, than, than_around)
        case SplitText(), SplitText():
            return _alike(said, than, "heads") and _keeps_no_other_head(said, around, than, than_around)
        case Answer() | GeneraliseCode(), Answer() | GeneraliseCode():
            return _looked_up_coarser(said, around, than, than_around)
    return False


def same_settings(said: Treatment | None, than: Treatment | None) -> bool:
    """Whether the file says the same of the released cell, whatever its lists hold."""
    if said is None or than is None or type(said) is not type(than):
        return said is than
    return _alike(said, than)


def same_cells(said: Treatment | None, around: Around, than: Treatment | None, than_around: Around) -> bool:
    """Whether the two are one treatment with the same settings and the same lists behind it."""
    if said is None or than is None:
        return said is than
    return same_settings(said, than) and _lists(said, around) == _lists(than, than_around)


def coarser_step(step: str, than: str) -> bool:
    """Whether rounding to `step` can be worked out from rounding to `than`: their halves only meet at odd multiples."""
    times = Fraction(step) / Fraction(than)
    return times.denominator == 1 and times.numerator % 2 == 1


def _alike(said: Treatment, than: Treatment, *but: str) -> bool:
    """Whether all settings are equal but these: one that is not compared must not differ."""
    left_out = {*NOT_TOLD, *but}
    return said.model_dump(exclude=left_out) == than.model_dump(exclude=left_out)


def _wider(said: GeneraliseNumber, than: GeneraliseNumber) -> bool:
    """Whether each class of `said` is made of whole classes of `than`."""
    if said.width and than.width:
        return said.width % than.width == 0
    if said.edges and than.width:
        return all(edge % than.width == 0 for edge in said.edges)
    return bool(said.edges and than.edges and set(said.edges) <= set(than.edges))


def _whole_or_both(said: Treatment, than: Treatment) -> bool:
    """Line by line tells more than the cell as a whole."""
    return getattr(than, "each_line", False) or not getattr(said, "each_line", False)


def _filters_all(said: FilterTerms, around: Around, than: FilterTerms, than_around: Around) -> bool:
    listed, before = around.code_lists.get(said.codes), than_around.code_lists.get(than.codes)
    if listed is None or before is None:
        return listed is before and said.codes == than.codes
    return set(before.codes) <= set(listed.codes) and set(before.terms) <= set(listed.terms)


def _keeps_no_other_head(said: SplitText, around: Around, than: SplitText, than_around: Around) -> bool:
    heads, before = around.code_lists.get(said.heads), than_around.code_lists.get(than.heads)
    if heads is None or before is None:
        return heads is before and said.heads == than.heads
    return set(heads.codes) <= set(before.codes)


def _looked_up_coarser(
    said: Answer | GeneraliseCode, around: Around, than: Answer | GeneraliseCode, than_around: Around
) -> bool:
    """Whether all values of which `than` releases the same are the same under `said` as well."""
    if not _whole_or_both(said, than):
        return False
    if (
        type(said) is type(than)
        and _alike(said, than, "each_line")
        and _lists(said, around) == _lists(than, than_around)
    ):
        return True
    given, before = _looked_up(said, around), _looked_up(than, than_around)
    if given is None or before is None:
        return False
    answers, otherwise = given
    answers_before, otherwise_before = before
    worked_out: dict[str | None, str | None] = {otherwise_before: otherwise}
    for value in {*answers, *answers_before}:
        now = answers.get(value, otherwise)
        if worked_out.setdefault(answers_before.get(value, otherwise_before), now) != now:
            return False
    return True


def _looked_up(said: Answer | GeneraliseCode, around: Around) -> tuple[dict[str, str], str | None] | None:
    """What is released for each listed value, and for every other; None for what is not looked up, or not to be found."""
    if isinstance(said, Answer):
        return {value: word for word, values in said.answers.items() for value in values}, said.otherwise
    hierarchy = around.hierarchies.get(said.hierarchy or "")
    if hierarchy is None or said.to not in hierarchy.levels:
        return None
    level = hierarchy.levels.index(said.to)
    return {code: above[level] for code, above in hierarchy.parents.items()}, None


def _lists(said: Treatment, around: Around) -> object:
    """What the treatment's list says, in a form to be compared."""
    if isinstance(said, FilterTerms | SplitText):
        listed = around.code_lists.get(said.codes if isinstance(said, FilterTerms) else said.heads)
        return (frozenset(listed.codes), frozenset(listed.terms)) if listed else None
    return _looked_up(said, around) if isinstance(said, GeneraliseCode) else None

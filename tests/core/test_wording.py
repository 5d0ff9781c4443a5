"""What is said of a rule: the words that a privacy officer reads must be the rule that is applied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipeline.core.language.purpose import Condition
from pipeline.core.language.scope import Predicate
from pipeline.core.language.treatment import Treatment
from pipeline.core.wording import condition_in_words, duration_in_words, predicate_in_words, treatment_in_words

PREDICATE: TypeAdapter[Predicate] = TypeAdapter(Predicate)
TREATMENT: TypeAdapter[Treatment] = TypeAdapter(Treatment)
CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"column": "city", "any_of": ["Gent"]}, "city is Gent"),
        ({"column": "city", "any_of": ["Gent", "Ghent"]}, "city is one of Gent, Ghent"),
        ({"column": "city", "none_of": ["Gent", "Ghent"]}, "city is none of Gent, Ghent"),
        ({"column": "port", "in_codes": "ports-v1"}, "port is in the list ports-v1"),
        ({"column": "port", "not_in_codes": "ports-v1"}, "port is not in the list ports-v1"),
        ({"column": "day", "exists": True}, "day is there"),
        ({"column": "day", "exists": False}, "day is absent"),
        ({"column": "day", "at_least": "2024-01-01", "read_as": "date"}, "day is 2024-01-01 or later (read as a date)"),
        ({"column": "bags", "at_most": "3", "read_as": "number"}, "bags is 3 or less (read as a number)"),
        (
            {"column": "leaves", "no_earlier_than": {"event": "released", "minus": "P2D"}},
            "leaves is no earlier than 2 days before the release",
        ),
        (
            {"column": "leaves", "no_later_than": {"event": "booked", "plus": "P1Y6M"}},
            "leaves is no later than 1 year 6 months after booked",
        ),
        ({"column": "leaves", "no_later_than": {"event": "loaded"}}, "leaves is no later than the loading of the row"),
        ({"not": {"column": "day", "exists": True}}, "not (day is there)"),
    ],
)
def test_each_question_has_its_words(said: dict[str, object], words: str) -> None:
    assert predicate_in_words(PREDICATE.validate_python(said)) == words


def test_any_within_all_keeps_its_brackets() -> None:
    a, b, c = ({"column": name, "exists": True} for name in "abc")
    said = PREDICATE.validate_python({"all": [{"any": [a, b]}, c]})
    assert predicate_in_words(said) == "(a is there or b is there) and c is there"
    alone = PREDICATE.validate_python({"all": [{"any": [a, b]}]})
    assert predicate_in_words(alone) == "a is there or b is there"


questions = st.sampled_from("abcdef").map(lambda name: {"column": name, "exists": True})
predicates = st.recursive(
    questions,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"any": some}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"all": some}),
        inner.map(lambda one: {"not": one}),
    ),
    max_leaves=6,
)


@given(predicates, st.dictionaries(st.sampled_from("abcdef"), st.booleans()))
def test_the_words_say_what_the_predicate_asks(said: dict[str, object], there: dict[str, bool]) -> None:
    """Read as Python, with each question replaced by its answer, the words give the predicate's own answer."""
    words = predicate_in_words(PREDICATE.validate_python(said))
    for name in "abcdef":
        words = words.replace(f"{name} is there", str(there.get(name, False)))
    assert eval(words) is _answer(said, there)


def _answer(said: dict[str, object], there: dict[str, bool]) -> bool:
    match said:
        case {"any": list(inner)}:
            return any(_answer(one, there) for one in inner)
        case {"all": list(inner)}:
            return all(_answer(one, there) for one in inner)
        case {"not": dict(inner)}:
            return not _answer(inner, there)
    return there.get(str(said["column"]), False)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        ("P1D", "1 day"),
        ("P6M", "6 months"),
        ("PT24H", "24 hours"),
        ("P1Y2M3DT4H5M", "1 year 2 months 3 days 4 hours 5 minutes"),
    ],
)
def test_a_month_and_a_minute_are_told_apart(duration: str, words: str) -> None:
    assert duration_in_words(duration) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"treatment": "keep", "until": "P6M"}, "keep"),
        ({"treatment": "mask", "keep_first": 6}, "mask (keep first 6)"),
        (
            {"treatment": "pseudonymise", "domain": "booking", "each_line": True},
            "pseudonymise (domain booking, each line)",
        ),
        ({"treatment": "generalise-number", "edges": [18, 65]}, "generalise-number (edges 18, 65)"),
        (
            {"treatment": "answer", "answers": {"HIT": ["A", "B"]}, "otherwise": "NOT"},
            "answer (answers: HIT for A or B, otherwise NOT)",
        ),
    ],
)
def test_a_treatment_is_said_with_its_settings_and_without_its_clause(said: dict[str, object], words: str) -> None:
    assert treatment_in_words(TREATMENT.validate_python({**said, "clause": "Art. 1"})) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"kind": "case-reference"}, "the case has a reference"),
        (
            {"kind": "offence-threshold", "at_least_years": 3, "tests": ["abroad", "organised"]},
            "the offence carries at least 3 years and meets abroad or organised",
        ),
        ({"kind": "express-understanding"}, "the recipient has given an understanding in writing"),
        ({"kind": "originator-consent", "originator": "carrier"}, "carrier has consented"),
        ({"kind": "human-review"}, "a person has looked at it"),
        ({"kind": "third-party-notice", "to": "commission"}, "commission has been told"),
        ({"kind": "authority", "of": "court"}, "court has ordered or allowed it"),
    ],
)
def test_each_condition_has_its_words(said: dict[str, object], words: str) -> None:
    assert condition_in_words(CONDITION.validate_python({**said, "clause": "Art. 1"})) == words

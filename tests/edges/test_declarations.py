"""What somebody declares for a release counts, is kept, and is asked for where a purpose needs it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pipeline import journey
from pipeline.core.errors import Code, Conflict, Refused
from pipeline.core.language.purpose import Declaration, Offence, Reviewed
from pipeline.edges import record
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.declarations import Declarations, Declared
from pipeline.edges.ledger import Kind
from pipeline.edges.overview import Standing, prospects
from pipeline.edges.sealing import new_identity
from pipeline.edges.site import Site
from pipeline.edges.storage import Store, open_store
from tests.exchange import NOON
from tests.faults import Interrupted
from tests.stories import Story, agreement

CONDITIONS = {
    "case": 'kind = "case-reference"',
    "offence": 'kind = "offence-threshold"\nat_least_years = 3\ntests = ["in-two-states", "by-a-group"]',
    "understanding": 'kind = "express-understanding"',
    "consent": 'kind = "originator-consent"\noriginator = "example-customs"',
    "review": 'kind = "human-review"',
    "notice": 'kind = "third-party-notice"\nto = "member-state"',
    "order": 'kind = "authority"\nof = "court"',
}
SHOWN: dict[str, dict[str, Any]] = {
    "case": {"case_reference": "2026/114"},
    "offence": {"offence": Offence(most_years=5, tests=("by-a-group",))},
    "understanding": {"understanding": "note 7"},
    "consent": {"consents": {"example-customs": "letter 8"}},
    "review": {"reviewed": Reviewed(by="j.example", at=NOON)},
    "notice": {"notices": {"member-state": "cable 9"}},
    "order": {"authorities": {"court": "order 10"}},
}


def asking(*conditions: str) -> str:
    """The story, whose purpose `crime` needs these conditions and is declared by nobody."""
    said = "".join(f'[conditions.{name}]\n{CONDITIONS[name]}\nclause = "D1"\n\n' for name in conditions)
    names = ", ".join(f'"{name}"' for name in conditions)
    crime = f'[purposes.crime]\nclause = "D1"\nrequires = [{names}]\n\n'
    return agreement(purposes=f'{crime}[purposes.control]\nclause = "D1"\n\n{said}')


def declare(story: Story, purpose: str = "crime", *, by: str = "j.example", **shown: Any) -> Declared:
    declared = Declared(declaration=Declaration(purpose=purpose, **shown), by=by, at=story.exchange.now)
    site = story.exchange.site
    record.declared(site, site.catalogue().agreement("story"), story.kept, declared)
    site.declarations.declare("story", story.kept, declared)
    return declared


# What a release asks for


def test_without_any_declared_purpose_nothing_is_released_until_one_is(story: Story) -> None:
    story.says(asking())
    error = story.refused(Refused, Code.PURPOSE_MISSING)
    assert "safeconduct declare story" in error.next_step
    declare(story, "control")
    assert story.release().rows > 0
    assert story.published().predicate["purpose"] == {"declared": "control", "clause": "D1", "conditions": []}


def test_a_purpose_that_the_agreement_does_not_allow_releases_nothing(story: Story) -> None:
    story.says(asking())
    declare(story, "curiosity")
    error = story.refused(Refused, Code.PURPOSE_NOT_ALLOWED)
    assert "crime, control" in error.next_step


@pytest.mark.parametrize("condition", sorted(CONDITIONS))
def test_each_condition_is_asked_for_and_what_shows_it_is_in_the_manifest(story: Story, condition: str) -> None:
    story.says(asking(condition))
    declare(story)
    story.refused(Refused, Code.CONDITION_MISSING, named=condition)
    declare(story, **SHOWN[condition])
    story.release()
    (shown,) = story.published().predicate["purpose"]["conditions"]
    assert (shown["condition"], shown["clause"]) == (condition, "D1")
    assert shown["by"]


def test_all_conditions_are_needed_and_all_are_told(story: Story) -> None:
    story.says(asking(*CONDITIONS))
    everything = {key: value for shown in SHOWN.values() for key, value in shown.items()}
    for left_out in SHOWN:
        declare(story, **{key: value for key, value in everything.items() if key not in SHOWN[left_out]})
        story.refused(Refused, Code.CONDITION_MISSING, named=f"{left_out} (")
    declare(story, **everything)
    story.release()
    assert [one["condition"] for one in story.published().predicate["purpose"]["conditions"]] == list(CONDITIONS)


@pytest.mark.parametrize(
    "offence",
    [Offence(most_years=2, tests=("by-a-group",)), Offence(most_years=9, tests=("by-chance",)), Offence(most_years=9)],
    ids=["too small", "of another kind", "of no kind"],
)
def test_an_offence_under_the_threshold_releases_nothing(story: Story, offence: Offence) -> None:
    story.says(asking("offence"))
    declare(story, offence=offence)
    story.refused(Refused, Code.CONDITION_MISSING, named="offence")


def test_what_every_release_needs_is_asked_for_whatever_its_purpose(story: Story) -> None:
    story.says(asking("case").replace("\n[purposes.crime]", '\nrequires = ["case"]\n[purposes.crime]', 1))
    declare(story, "control")
    story.refused(Refused, Code.CONDITION_MISSING, named="case")


def test_consent_of_another_is_none(story: Story) -> None:
    story.says(asking("consent"))
    declare(story, consents={"example-air": "letter 1"})
    story.refused(Refused, Code.CONDITION_MISSING, named="consent")


# What counts


def test_the_last_declaration_counts_in_the_place_of_the_agreements_own(story: Story) -> None:
    own = '\n[declared]\npurpose = "control"\n\n[clauses.D1]'
    story.says(asking("case").replace("\n[clauses.D1]", own))
    declare(story, case_reference="2026/1")
    declare(story, case_reference="2026/2")
    story.release()
    assert story.published().predicate["purpose"]["declared"] == "crime"
    (shown,) = story.published().predicate["purpose"]["conditions"]
    assert shown["by"] == "2026/2"


def test_a_declaration_can_be_taken_back_by_a_later_one(story: Story) -> None:
    story.says(asking("case"))
    declare(story, case_reference="2026/1")
    declare(story)
    story.refused(Refused, Code.CONDITION_MISSING)


def test_a_declaration_is_for_these_rows_and_this_agreement_alone(story: Story) -> None:
    declared = Declared(declaration=Declaration(purpose="control"), by="j.example", at=NOON)
    declarations = story.exchange.site.declarations
    for agreement_id, kept in (("other", story.kept), ("story", f"{story.kept}-r2"), ("story", story.kept[:-1])):
        declarations.declare(agreement_id, kept, declared)
    assert declarations.last("story", story.kept) is None


def test_what_was_declared_is_in_the_ledger_with_who_declared_it(story: Story) -> None:
    story.says(asking("case"))
    declare(story, by="a.example", case_reference="2026/1")
    declare(story, by="b.example", case_reference="2026/2")
    entries = [entry for entry in story.exchange.site.ledger.entries() if entry.kind is Kind.DECLARED]
    assert [(entry.subject, entry.facts["by"], entry.facts["purpose"]) for entry in entries] == [
        (story.kept, "a.example", "crime"),
        (story.kept, "b.example", "crime"),
    ]


@pytest.mark.parametrize("looks", [1, 2], ids=["before the parts", "before the manifest"])
def test_a_declaration_that_changes_while_the_release_is_made_releases_nothing(story: Story, looks: int) -> None:
    story.says(asking("case"))
    declare(story, case_reference="2026/1")
    read = count()

    class Declaring(Site):
        def catalogue(self) -> Catalogue:
            if next(read) == looks:
                declare(story, case_reference="2026/2")
            return super().catalogue()

    site = Declaring(**{one.name: getattr(story.exchange.site, one.name) for one in fields(Site)})
    with pytest.raises(Conflict) as conflict:
        journey.release(site, "story", story.kept)
    assert conflict.value.code is Code.AGREEMENT_CHANGED
    assert story.exchange.published("story") == []
    assert story.release().rows > 0
    (shown,) = story.published().predicate["purpose"]["conditions"]
    assert shown["by"] == "2026/2"


@pytest.mark.parametrize("looks", [1, 2], ids=["before the parts", "before the manifest"])
def test_a_recipient_whose_key_is_replaced_while_the_release_is_made_gets_nothing(story: Story, looks: int) -> None:
    """Its parts are sealed to the key that it no longer trusts."""
    read = count()

    class Rotating(Site):
        def catalogue(self) -> Catalogue:
            if next(read) == looks:
                text = f"{new_identity().recipient}\n"
                self.keyring.recipients_path("eu-customs").write_text(text, encoding="utf-8")
            return super().catalogue()

    site = Rotating(**{one.name: getattr(story.exchange.site, one.name) for one in fields(Site)})
    with pytest.raises(Conflict) as conflict:
        journey.release(site, "story", story.kept)
    assert conflict.value.code is Code.AGREEMENT_CHANGED
    assert story.exchange.published("story") == []


def test_a_declaration_that_was_altered_releases_nothing_and_hides_no_other_release(story: Story) -> None:
    story.says(asking("case"))
    declare(story, case_reference="2026/1")
    (path,) = (story.exchange.directory / "site/stores/private/declarations").rglob("*.json")
    path.write_text(path.read_text(encoding="utf-8").replace('"crime"', '"CRIME!"'), encoding="utf-8")
    story.refused(Conflict, Code.OBJECT_ALTERED, named="1.json")
    site = story.exchange.site
    (prospect,) = prospects(site, site.catalogue(), site.vault.kept(story.kept))
    assert (prospect.standing, prospect.code) == (Standing.PENDING, "object-altered")


# How they are kept


@pytest.fixture
def declarations(tmp_path: Path) -> Declarations:
    return Declarations(opened(tmp_path))


def opened(path: Path) -> Store:
    return open_store(path.as_uri())


def of(number: int) -> Declared:
    said = Declaration(purpose="crime", case_reference=str(number))
    return Declared(declaration=said, by="j.example", at=NOON + timedelta(seconds=number))


def kept_by(store: Store) -> list[str]:
    texts = [store.find(listed.key) or b"" for listed in store.listing("declarations")]
    return sorted(Declared.model_validate_json(text).declaration.case_reference or "" for text in texts)


def test_what_is_kept_is_read_again_as_it_was(declarations: Declarations) -> None:
    everything = {key: value for shown in SHOWN.values() for key, value in shown.items()}
    declared = Declared(declaration=Declaration(purpose="crime", **everything), by="j.example", at=NOON)
    declarations.declare("story", "kept", declared)
    assert declarations.last("story", "kept") == declared


def test_the_tenth_counts_more_than_the_ninth(declarations: Declarations) -> None:
    for number in range(1, 12):
        declarations.declare("story", "kept", of(number))
        assert declarations.last("story", "kept") == of(number)


def test_declarations_at_once_are_all_kept(declarations: Declarations) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: declarations.declare("story", "kept", of(number)), range(16)))
    assert kept_by(declarations.store) == sorted(map(str, range(16)))


def test_a_declaration_that_another_is_faster_than_comes_after_it(tmp_path: Path) -> None:
    def faster() -> None:
        Declarations(opened(tmp_path)).declare("story", "kept", of(1))

    ours = Declarations(Interrupted(opened(tmp_path), at=1, by=faster))
    ours.declare("story", "kept", of(2))
    assert kept_by(ours.store) == ["1", "2"]
    assert ours.last("story", "kept") == of(2)


def test_a_lost_declaration_makes_no_room_for_another(declarations: Declarations) -> None:
    for number in (1, 2, 3):
        declarations.declare("story", "kept", of(number))
    declarations.store.destroy("declarations/story/kept/2.json")
    declarations.declare("story", "kept", of(4))
    assert kept_by(declarations.store) == ["1", "3", "4"]
    assert declarations.last("story", "kept") == of(4)


@pytest.mark.parametrize("name", ["notes.txt", "x.json", "0.json", "01.json", "1.json.bak", "deeper/9.json"])
def test_what_is_no_declaration_by_its_name_is_passed_over(declarations: Declarations, name: str) -> None:
    declarations.store.put_new(f"declarations/story/kept/{name}", b"?")
    assert declarations.last("story", "kept") is None
    declarations.declare("story", "kept", of(1))
    assert declarations.last("story", "kept") == of(1)

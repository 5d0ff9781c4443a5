"""The conformance page says what is so, and leaves no clause to nobody."""

from pathlib import Path

import pytest

from pipeline.edges.catalogue import Catalogue, load
from tests.conformance import FOLDER, ROOT, faults, page


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(ROOT / "catalogue")


PAGES = sorted(path.stem for path in FOLDER.glob("*.md"))


def test_the_agreement_that_is_modelled_whole_has_a_page() -> None:
    assert "us-eu-pnr" in PAGES


@pytest.mark.parametrize("instrument", PAGES)
def test_every_clause_has_a_rule_or_somebody_that_it_is_left_to_and_every_rule_a_test(
    catalogue: Catalogue, instrument: str
) -> None:
    assert list(faults(catalogue, catalogue.instrument(instrument))) == []


@pytest.mark.parametrize("instrument", PAGES)
def test_the_page_is_what_rules_and_tests_say_now(catalogue: Catalogue, instrument: str) -> None:
    written = (FOLDER / f"{instrument}.md").read_text(encoding="utf-8")
    again = f"python -m tests.conformance {instrument} > docs/conformance/{instrument}.md"
    assert written == page(catalogue, catalogue.instrument(instrument)), f"write it again: {again}"


def test_a_rule_without_a_test_is_a_fault_and_so_is_a_test_of_no_clause(catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        'import pytest\n\n@pytest.mark.clause("us-eu-pnr", "Art. 3", "Art. 99")\ndef test_it() -> None: ...\n'
    )
    found = list(faults(catalogue, catalogue.instrument("us-eu-pnr"), tmp_path))
    assert "test_it proves Art. 99, which us-eu-pnr does not have" in found
    assert "Art. 2 has 4 rules and no test" in found
    assert not [fault for fault in found if fault.startswith("Art. 3 ")]


def test_a_clause_that_nobody_keeps_is_a_fault(catalogue: Catalogue) -> None:
    instrument = catalogue.instrument("us-eu-pnr")
    bare = instrument.clauses["Art. 13"].model_copy(update={"left_to": None})
    forgetful = instrument.model_copy(update={"clauses": {**instrument.clauses, "Art. 13": bare}})
    assert list(faults(catalogue, forgetful)) == ["Art. 13 has neither a rule nor somebody that it is left to"]

"""`safeconduct explain`: from any column, released or not, and from any release, to the clause; and no value on the way."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from pipeline.console.lineage import column_lineage
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.policy import cited
from pipeline.edges.catalogue import Catalogue, load
from pipeline.edges.schemas import schema_of
from pipeline.edges.site import Site
from tests.desk import ROOT, Desk, shown_values, values_delivered, write

AGREEMENTS = sorted({path.stem.partition(".")[0] for path in (ROOT / "catalogue/agreements").glob("*.toml")})


@cache
def ours() -> Catalogue:
    return load(ROOT / "catalogue")


def agreement(id: str) -> Agreement:
    return ours().agreement(id)


def clauses_cited(told: dict[str, Any]) -> Iterator[str]:
    """Every clause that a rule in the answer cites."""
    for key, value in told.items():
        if key == "clause" and isinstance(value, str):
            yield from cited(value)
        elif isinstance(value, dict):
            yield from clauses_cited(value)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    yield from clauses_cited(one)


@pytest.fixture(scope="module")
def explained(exchanged: Desk) -> Callable[[str], dict[str, Any]]:
    """What the command says of an agreement, asked once."""
    return cache(lambda id: exchanged.json("explain", id))


# The whole agreement


@pytest.mark.parametrize("id", AGREEMENTS)
def test_every_column_of_the_feed_is_explained_as_released_or_not(
    explained: Callable[[str], dict[str, Any]], id: str
) -> None:
    told, asked = explained(id), agreement(id)
    assert [row["column"] for row in told["columns"]] == list(asked.released)
    assert all(row["clause"] and row["treatment"] and row["category"] and row["source"] for row in told["columns"])
    hidden = {row["column"]: row for row in told["not_released"]}
    assert not set(hidden) & set(asked.released)
    for name, row in hidden.items():
        assert row["why"] == ("withheld" if name in asked.columns else "the agreement does not name it")
        assert bool(row["clause"]) == (name in asked.columns)


def test_people_see_every_column_that_machines_see(exchanged: Desk, explained: Callable[[str], dict[str, Any]]) -> None:
    told, shown = explained("pnr-police-liaison"), exchanged.type("explain", "pnr-police-liaison").out
    rows = [*told["columns"], *told["not_released"]]
    assert [row["column"] for row in rows if row["column"] not in shown] == []
    assert [clause["clause"] for clause in told["clauses"] if clause["clause"] not in shown] == []


@pytest.mark.parametrize("id", AGREEMENTS)
def test_every_clause_that_a_rule_cites_is_told_with_what_it_says(
    explained: Callable[[str], dict[str, Any]], id: str
) -> None:
    told = explained(id)
    said = {clause["clause"]: clause for clause in told["clauses"]}
    rules = {key: value for key, value in told.items() if key != "clauses"}
    assert set(clauses_cited(rules)) - set(said) == set()
    instrument = ours().instrument(agreement(id).instrument)
    for name, clause in said.items():
        known = {**instrument.clauses, **agreement(id).clauses}[name]
        assert (clause["says"], clause["confidence"]) == (known.says, known.confidence.value)
        assert clause["stands_in"] == (instrument.id if name in instrument.clauses else "the agreement itself")


def test_parties_instrument_versions_and_dates_are_told(exchanged: Desk) -> None:
    told = exchanged.json("explain", "pnr-eu-piu")
    assert (told["provider"], told["recipient"]["id"]) == ("example-air", "eu-piu")
    assert told["instrument"]["citation"] == "OJ L 119, 4.5.2016, p. 132"
    assert told["status"]["now"] == "active"
    assert told["digest"] == Site.open(exchanged.site).catalogue().digest(agreement("pnr-eu-piu"))
    (version,) = told["versions"]
    assert (version["version"], version["current"]) == (1, True)
    assert told["recipient"]["keys"][0]["registered"] == 1
    assert told["may_release_now"] == {"yes": True, "blocked_by": []}
    assert "releases now" in exchanged.type("explain", "pnr-eu-piu").out


def test_handling_is_told_with_its_dates(exchanged: Desk) -> None:
    handling = exchanged.json("explain", "pnr-eu-piu")["handling"]
    asked = agreement("pnr-eu-piu").handling
    assert handling["marking"] == "TLP:AMBER+STRICT"
    assert handling["retention"]["delete"]["after"] == asked.retention.delete_after == "P5Y"
    assert handling["retention"]["delete"]["gone_by"]
    assert handling["onward"]["default"] == "deny"


def test_a_column_with_a_clock_of_its_own_says_when_it_is_gone(exchanged: Desk) -> None:
    told = {row["column"]: row for row in exchanged.json("explain", "pnr-eu-piu")["columns"]}
    ending = told["surname"]["ending"]
    assert ending["in_words"] == "6 months after the release"
    assert ending["gone_by"]
    assert told["record_locator"]["ending"] is None


def test_an_agreement_that_may_not_release_says_every_reason(desk: Desk) -> None:
    desk.edit("agreements/aeo-statistics.toml", '{ to = "active"', '{ to = "draft"')
    path = desk.catalogue / "agreements/aeo-statistics.toml"
    head, _, rest = path.read_text().partition("[declared]\n")
    path.write_text(head + rest.partition("\n\n")[2])
    told = desk.json("explain", "aeo-statistics")
    assert told["may_release_now"]["yes"] is False
    codes = [block["code"] for block in told["may_release_now"]["blocked_by"]]
    assert codes == [Code.AGREEMENT_NOT_ACTIVE.value, Code.PURPOSE_MISSING.value]
    shown = desk.type("explain", "aeo-statistics").out
    assert "releases nothing now [agreement-not-active]" in shown
    assert "safeconduct declare aeo-statistics" in shown


def test_another_version_is_explained_on_demand(desk: Desk) -> None:
    text = (desk.catalogue / "agreements/aeo-statistics.toml").read_text()
    text = text.replace('id = "aeo-statistics"', 'id = "aeo-statistics"\nversion = 2')
    text = re.sub(
        r"(?m)^in_force = .*$", "in_force = { from = 2030-01-01T00:00:00Z, until = 2035-01-01T00:00:00Z }", text
    )
    write(desk.catalogue / "agreements/aeo-statistics.v2.toml", text.encode())
    assert desk.json("explain", "aeo-statistics")["version"] == 1
    later = desk.json("explain", "aeo-statistics", "--version", "2")
    assert later["version"] == 2
    assert [one["current"] for one in later["versions"]] == [True, False]
    assert later["may_release_now"]["yes"] is False
    assert "aeo-statistics.v2.toml" in desk.type("explain", "aeo-statistics").out
    assert desk.type("explain", "aeo-statistics", "--version", "3").exit_code == Misconfigured.exit_code


def test_an_unknown_agreement_is_answered_with_the_known_ones(exchanged: Desk) -> None:
    answer = exchanged.type("explain", "nobody")
    assert answer.exit_code == Misconfigured.exit_code
    assert "aeo-mutual-recognition, aeo-mutual-recognition-changes, aeo-statistics" in answer.err


# One column


@pytest.mark.parametrize("id", AGREEMENTS)
def test_every_column_leads_to_its_clause_or_says_that_nobody_named_it(id: str) -> None:
    asked, now = agreement(id), datetime.now(UTC)
    for column in schema_of(ours().feed(asked.feed), ours().code_lists).columns:
        traced = column_lineage(ours(), asked, column, now)
        assert traced["source"]
        summed = asked.statistics.sums if asked.statistics else {}
        assert traced["released"] is (column in asked.released or column in summed)
        if column in asked.columns:
            assert [clause.clause for clause in traced["clauses"]] == list(cited(asked.columns[column].clause))
            assert all(clause.says and clause.confidence for clause in traced["clauses"])
            assert traced["instrument"]["citation"]
        elif not traced["released"]:
            assert traced["why"] == "the agreement does not name it"
        if traced["released"]:
            assert column in traced["part"]["columns"]
            assert traced["part"]["ending"].in_words


def test_the_whole_chain_of_a_released_column_is_said(exchanged: Desk) -> None:
    shown = exchanged.type("explain", "pnr-eu-piu", "--column", "surname").out
    for step in ("schemas/pnr_push.py", "direct identifier", "keep", "Annex I (4)", "confidence: memory", "OJ L 119"):
        assert step in shown
    assert "6 months after the release" in shown
    assert re.search(r"part\s+\d of \d", shown)


def test_a_column_of_statistics_is_explained_though_no_feed_has_it(exchanged: Desk) -> None:
    traced = exchanged.json("explain", "aeo-statistics", "--column", "members")
    assert traced["released"] is True
    assert traced["treatment"] == "count of the rows of a cell"
    assert traced["clauses"][0]["says"]


def test_a_column_that_nobody_has_is_answered_with_the_nearest(exchanged: Desk) -> None:
    answer = exchanged.type("explain", "pnr-eu-piu", "--column", "surnme")
    assert answer.exit_code == Misconfigured.exit_code
    assert Code.COLUMN_UNKNOWN.value in answer.err
    assert "did you mean surname?" in answer.err


def test_the_row_rules_that_ask_about_a_column_are_said(exchanged: Desk) -> None:
    traced = exchanged.json("explain", "aeo-mutual-recognition", "--column", "benefit_consent")
    assert traced["released"] is False
    assert [rule["name"] for rule in traced["row_rules"]] == ["consented"]


# A release


def test_a_release_leads_to_the_agreement_that_made_it(exchanged: Desk) -> None:
    release = exchanged.releases()["eu-piu"]
    told = exchanged.json("explain", "pnr-eu-piu", "--release", release[:-4])
    assert told["release"] == release
    assert told["catalogue"]["same"] is True
    assert told["agreement"]["digest"]["sha256"] == told["catalogue"]["digest"]
    assert {column["column"] for column in told["columns"]} == set(agreement("pnr-eu-piu").released)
    assert all(clause["says"] for column in told["columns"] for clause in column["clauses"])
    assert all(part["until"] for part in told["parts"])
    assert "still says" in exchanged.type("explain", "pnr-eu-piu", "--release", release).out


def test_rows_that_a_release_keeps_back_are_told_with_rule_and_clause(exchanged: Desk) -> None:
    release = exchanged.releases()["eu-customs"]
    told = exchanged.json("explain", "aeo-mutual-recognition", "--release", release)
    kept_back = {one["rule"]: one for one in told["kept_back"]}
    assert list(kept_back) == [rule.name for rule in agreement("aeo-mutual-recognition").rows]
    said = {clause["clause"] for clause in told["clauses"] if clause["says"]}
    assert set(clauses_cited({**told, "clauses": []})) <= said
    assert sum(one["rows"] for one in kept_back.values()) == told["rows"]["accepted"] - told["rows"]["released"]
    assert all(one["clause"] and one["released_when"] for one in kept_back.values())


def test_one_column_of_a_release_leads_to_its_part_and_its_clause(exchanged: Desk) -> None:
    release = exchanged.releases()["eu-piu"]
    command = ("explain", "pnr-eu-piu", "--release", release, "--column")
    found = exchanged.json(*command, "surname")["column"]
    assert found["said"]["treatment"] == "keep"
    assert {part["until"] is not None for part in found["parts"]} == {True}
    assert "confidence:" in exchanged.type(*command, "surname").out
    assert exchanged.json(*command, "nothing")["column"]["released"] is False
    assert "in no part" in exchanged.type(*command, "nothing").out


def test_an_agreement_that_was_changed_since_is_said_to_be_another(exchanged: Desk, desk: Desk) -> None:
    desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members")
    desk.type("run")
    release = desk.releases()["trade-statistics"]
    desk.edit("agreements/aeo-statistics.toml", "[handling]", "# another text\n[handling]")
    told = desk.json("explain", "aeo-statistics", "--release", release)
    assert told["catalogue"]["same"] is False
    assert "something else today" in desk.type("explain", "aeo-statistics", "--release", release).out


def test_a_release_of_another_agreement_is_not_explained_by_this_one(exchanged: Desk) -> None:
    release = exchanged.releases()["eu-piu"]
    answer = exchanged.type("explain", "aeo-statistics", "--release", release)
    assert answer.exit_code == Misconfigured.exit_code
    assert f"safeconduct explain pnr-eu-piu --release {release}" in answer.err
    assert exchanged.type("explain", "pnr-eu-piu", "--release", release, "--version", "1").exit_code == 2


def test_no_explanation_shows_a_value(exchanged: Desk) -> None:
    values = values_delivered()
    release = exchanged.releases()["eu-customs"]
    for more in ([], ["--column", "legal_name"], ["--release", release], ["--release", release, "--column", "tin"]):
        answer = exchanged.type("explain", "aeo-mutual-recognition", *more)
        assert answer.exit_code == 0
        assert shown_values(answer, values) == 0, more

"""`safeconduct diff`: what widens is marked, stops CI, and passes only when two people have agreed to exactly this."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline import cli
from pipeline.core.disclosure import faults_of_amendment, unapproved
from pipeline.core.errors import Misconfigured, Refused
from pipeline.edges.catalogue import line_of, load
from tests.desk import Answer, members, passengers, shown_values, values_delivered, write

ROOT = Path(__file__).resolve().parent.parent
MEMBERS = "agreements/aeo-mutual-recognition"
STREET = '[columns.street]\ntreatment = "keep"'
MASKED = '[columns.street]\ntreatment = "mask"'
ACTIVE = 'status = [{ to = "active", since = 2012-05-04T00:00:00Z, reason = "decision of the Joint Customs Cooperation Committee" }]'
SUPERSEDED = ACTIVE.replace(" }]", ' }, { to = "superseded", since = 2027-01-01T00:00:00Z, reason = "version 2" }]')


@dataclass(frozen=True)
class Office:
    """Somebody who looks at changes of a catalogue, without a site. `catalogue` is the changed one."""

    folder: Path

    @property
    def catalogue(self) -> Path:
        return self.folder / "catalogue"

    @property
    def before(self) -> Path:
        return self.folder / "before"

    def file(self, name: str) -> str:
        return str(self.catalogue / f"{name}.toml")

    def diff(self, *arguments: object, columns: int = 160) -> Answer:
        words = ["--site", self.folder / "site", "diff", *arguments, "--catalogue", self.catalogue]
        done = CliRunner(env={"COLUMNS": str(columns)}).invoke(cli.app, [str(word) for word in words])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Answer(done.exit_code, done.stdout, done.stderr)

    def members(self) -> Answer:
        """The agreement on trusted traders as it was and as it is."""
        return self.diff(self.before / f"{MEMBERS}.toml", self.file(MEMBERS))

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        path = Path(self.file(name))
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)

    def approve(self, name: str, digest: str, *people: str) -> None:
        with Path(self.file(name)).open("a") as file:
            for who in people:
                file.write(
                    f'\n[[approvals]]\nby = "{who}"\nrole = "privacy officer"\nat = 2026-11-21T12:00:00Z\nwidening = "{digest}"\n'
                )

    def amend(self, *changes: tuple[str, str]) -> None:
        """A second version of the agreement on trusted traders, from 2027 on, with these changes."""
        shutil.copy(self.file(MEMBERS), self.file(f"{MEMBERS}.v2"))
        self.edit(MEMBERS, (ACTIVE, SUPERSEDED))
        self.edit(
            f"{MEMBERS}.v2",
            ('id = "aeo-mutual-recognition"', 'id = "aeo-mutual-recognition"\nversion = 2'),
            (ACTIVE, ACTIVE.replace("2012-05-04", "2027-01-01")),
            ("from = 2012-05-04T00:00:00Z", "from = 2027-01-01T00:00:00Z"),
            *changes,
        )


@pytest.fixture
def office(tmp_path: Path) -> Office:
    for name in ("catalogue", "before"):
        shutil.copytree(ROOT / "catalogue", tmp_path / name)
    return Office(tmp_path)


@pytest.fixture
def wider(office: Office) -> Office:
    """An office in which a column that is masked is now kept."""
    path = office.before / f"{MEMBERS}.toml"
    path.write_text(path.read_text().replace(STREET, MASKED))
    return office


def test_a_change_that_widens_is_marked_and_stops(wider: Office) -> None:
    answer = wider.members()
    assert answer.exit_code == Refused.exit_code
    (line,) = [line for line in answer.out.splitlines() if "column street" in line]
    assert line.split()[0] == "WIDENS"
    for told in ("sees more", "mask", "keep", "item 2", "1 difference; 1 widens."):
        assert told in answer.out


def test_one_treatment_changed_in_the_other_direction_passes(wider: Office) -> None:
    answer = wider.diff(wider.file(MEMBERS), wider.before / f"{MEMBERS}.toml")
    assert answer.exit_code == 0
    assert "WIDENS" not in answer.out
    assert "sees less" in answer.out


def test_nothing_changed_is_nothing_told(office: Office) -> None:
    answer = office.members()
    assert answer.exit_code == 0
    assert "nothing differs" in answer.out


def test_what_is_shown_to_record_is_what_lets_it_pass(wider: Office) -> None:
    told = wider.members().out
    start = told.index("[[approvals]]")
    record = told[start : told.index("\n\n", start)] + "\n"
    path = Path(wider.file(MEMBERS))
    path.write_text(f"{path.read_text()}\n{record.replace('YOUR NAME', 'Ann Lee')}")
    one = wider.members()
    assert one.exit_code == Refused.exit_code
    assert "1 of 2 approvals are missing" in one.out
    path.write_text(f"{path.read_text()}\n{record.replace('YOUR NAME', 'Bo Ek')}")
    two = wider.members()
    assert two.exit_code == 0
    assert "Approved by 2 people for exactly this." in two.out
    assert load(wider.catalogue).broken == ()


def test_the_same_person_twice_or_another_digest_does_not_pass(wider: Office) -> None:
    digest = json.loads(wider.diff(wider.before / f"{MEMBERS}.toml", wider.file(MEMBERS), "--json").out)["digest"]
    wider.approve(MEMBERS, digest, "Ann Lee", "ANN LEE")
    wider.approve(MEMBERS, "0" * 64, "Bo Ek", "Cy Dee")
    assert wider.members().exit_code == Refused.exit_code
    wider.edit(MEMBERS, ("ANN LEE", "Bo Ek"))
    assert wider.members().exit_code == 0


def test_a_machine_gets_one_document(wider: Office) -> None:
    answer = wider.diff(wider.before / f"{MEMBERS}.toml", wider.file(MEMBERS), "--json")
    assert answer.exit_code == Refused.exit_code
    assert {name: value for name, value in answer.document.items() if name not in ("digest", "differences")} == {
        "agreement": "aeo-mutual-recognition",
        "from": 1,
        "to": 1,
        "widens": True,
        "approvals_missing": 2,
        "deliveries": [],
    }
    (found,) = answer.document["differences"]
    assert (found["what"], found["subject"], found["keys"]) == ("column", "street", ["columns", "street"])
    assert (found["from"], found["to"], found["effect"], found["widens"]) == ("mask", "keep", "sees more", True)


def test_the_word_is_there_on_a_narrow_terminal_too(wider: Office) -> None:
    answer = wider.diff(wider.before / f"{MEMBERS}.toml", wider.file(MEMBERS), columns=80)
    assert "WIDENS" in answer.out


# Versions


def test_a_version_is_held_against_the_one_before_it(office: Office) -> None:
    office.amend((STREET, MASKED))
    for named in (["aeo-mutual-recognition@2"], [office.file(f"{MEMBERS}.v2")]):
        answer = office.diff(*named)
        assert answer.exit_code == 0, answer.said
        assert "version 1 to version 2" in answer.out
        assert "column street" in answer.out
    assert office.diff("aeo-mutual-recognition@2", "aeo-mutual-recognition@1").exit_code == Refused.exit_code


def test_a_first_version_is_shown_in_full_and_passes(office: Office) -> None:
    answer = office.diff("aeo-statistics")
    assert answer.exit_code == 0
    assert "its first version" in answer.out
    assert "WIDENS" not in answer.out
    assert "column program_status" in answer.out


def test_an_amendment_that_nobody_approved_has_a_fault_with_its_line(office: Office) -> None:
    office.amend(
        (
            "[columns.suspension_date]",
            '[columns.contact_name]\ntreatment = "mask"\nclause = "item 7"\n\n[columns.suspension_date]',
        )
    )
    loaded = load(office.catalogue)
    assert loaded.broken == ()
    (first, second) = loaded.versions["aeo-mutual-recognition"]
    assert list(faults_of_amendment(first, loaded)) == []
    (fault,) = faults_of_amendment(second, loaded)
    text = Path(office.file(f"{MEMBERS}.v2")).read_text()
    assert line_of(text, fault.keys) == text.splitlines().index("[columns.contact_name]") + 1
    assert "2 of 2 approvals are missing" in fault.message
    (found,) = unapproved(loaded)
    office.approve(f"{MEMBERS}.v2", found.digest, "Ann Lee", "Bo Ek")
    loaded = load(office.catalogue)
    assert list(unapproved(loaded)) == []
    assert list(faults_of_amendment(loaded.versions["aeo-mutual-recognition"][1], loaded)) == []


# Whole catalogues, in CI


def test_catalogues_that_are_alike_pass(office: Office) -> None:
    answer = office.diff("--against", office.before)
    assert answer.exit_code == 0
    assert "0 versions changed or new" in answer.out


def test_one_unapproved_widening_of_many_changes_stops(wider: Office) -> None:
    wider.edit("agreements/aeo-statistics", ("smallest_cell = ", "smallest_cell = 1"))
    answer = wider.diff("--against", wider.before, "--json")
    assert answer.exit_code == Refused.exit_code
    widens = {one["agreement"]: one["widens"] for one in answer.document["agreements"]}
    assert widens == {"aeo-mutual-recognition": True, "aeo-statistics": False}
    (found,) = [one for one in answer.document["agreements"] if one["widens"]]
    wider.approve(MEMBERS, found["digest"], "Ann Lee", "Bo Ek")
    passed = wider.diff("--against", wider.before)
    assert passed.exit_code == 0
    assert "2 versions changed or new, 0 agreements gone: nothing widens unapproved." in passed.out


def test_a_code_taken_from_a_list_widens_the_agreements_that_lean_on_it(office: Office) -> None:
    office.edit("codes/sensitive-ssr-v1", ('"KSML", ', ""))
    answer = office.diff("--against", office.before)
    assert answer.exit_code == Refused.exit_code
    assert "code list service_requests" in answer.out
    assert "sensitive-ssr-v1: KSML" in answer.out


def test_a_new_version_needs_the_same_approvals_as_in_its_own_catalogue(office: Office) -> None:
    office.amend(('delete_after = "P1Y"', 'delete_after = "P2Y"'))
    answer = office.diff("--against", office.before, "--json")
    found = {one["to"]: one for one in answer.document["agreements"]}
    assert (found[1]["widens"], found[2]["from"], found[2]["widens"]) == (False, 1, True)
    office.approve(f"{MEMBERS}.v2", found[2]["digest"], "Ann Lee", "Bo Ek")
    assert office.diff("--against", office.before).exit_code == 0
    assert list(unapproved(load(office.catalogue))) == []


def test_a_new_agreement_and_one_that_is_gone_are_told_and_pass(office: Office) -> None:
    (office.before / "agreements/aeo-statistics.toml").unlink()
    (office.catalogue / f"{MEMBERS}.toml").unlink()
    answer = office.diff("--against", office.before)
    assert answer.exit_code == 0
    assert "aeo-statistics: its first version" in answer.out
    assert "aeo-mutual-recognition: is gone" in answer.out


@pytest.mark.parametrize("side", ["catalogue", "before"])
def test_an_agreement_that_cannot_be_read_hides_nothing(office: Office, side: str) -> None:
    path = office.folder / side / f"{MEMBERS}.toml"
    path.write_text("id = 3\n")
    answer = office.diff("--against", office.before)
    assert answer.exit_code == Misconfigured.exit_code
    assert path.name in answer.err


# Git


@pytest.fixture
def repository(wider: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The catalogue in git as it was; its change is not committed."""
    shutil.move(wider.catalogue, wider.folder / "changed")
    shutil.copytree(wider.before, wider.catalogue)
    monkeypatch.chdir(wider.folder)
    for words in (["init", "-q"], ["add", "catalogue"], ["commit", "-q", "-m", "As it was"]):
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=wider.folder, check=True, timeout=30)
    shutil.rmtree(wider.catalogue)
    shutil.move(wider.folder / "changed", wider.catalogue)
    return wider


def test_a_file_is_compared_with_what_git_has(repository: Office) -> None:
    answer = repository.diff(f"HEAD:catalogue/{MEMBERS}.toml", repository.file(MEMBERS))
    assert answer.exit_code == Refused.exit_code
    assert "column street" in answer.out


def test_a_catalogue_is_compared_with_what_git_has(repository: Office) -> None:
    answer = repository.diff("--against", "HEAD:catalogue", "--json")
    assert answer.exit_code == Refused.exit_code
    assert [one["agreement"] for one in answer.document["agreements"]] == ["aeo-mutual-recognition"]


# What is wrong in the call


@pytest.mark.parametrize(
    "named",
    ["nobody", "nobody@2", "aeo-statistics@9", "aeo-statistics@x", "no-such-file.toml", "HEAD:no/such.toml", "-x:y"],
)
def test_an_agreement_that_is_not_there_is_said_to_be_missing(office: Office, named: str) -> None:
    answer = office.diff("--", named) if named.startswith("-") else office.diff(named)
    assert answer.exit_code in (2, Misconfigured.exit_code)
    assert "Traceback" not in answer.said


@pytest.mark.parametrize("arguments", [(), ("aeo-statistics", "--against", "somewhere")])
def test_a_call_that_asks_for_nothing_or_for_two_things_is_wrong_usage(
    office: Office, arguments: tuple[str, ...]
) -> None:
    assert office.diff(*arguments).exit_code == 2


def test_a_file_that_cannot_be_read_is_named_and_not_repeated(office: Office) -> None:
    path = write(office.folder / "draft.toml", b'id = "CANARYVALUE7731"\n')
    answer = office.diff(path)
    assert answer.exit_code == Misconfigured.exit_code
    assert "draft.toml" in answer.err
    assert "CANARYVALUE7731" not in answer.said


# On deliveries


def tried(answer: Answer) -> list[dict[str, Any]]:
    return list(answer.document["deliveries"])


def test_rows_and_cells_that_come_out_otherwise_are_counted_and_no_value_is_shown(wider: Office) -> None:
    wider.edit(MEMBERS, ('"SUSPENDED", "REVOKED", ', ""))
    file = write(wider.folder / "list.csv", members(150))
    pair = (wider.before / f"{MEMBERS}.toml", wider.file(MEMBERS))
    answer = wider.diff(*pair, "--delivery", file)
    assert answer.exit_code == Refused.exit_code
    assert shown_values(answer, values_delivered()) == 0
    assert "kept back by validated-members" in answer.out
    machine = wider.diff(*pair, "--delivery", file, "--json")
    assert shown_values(machine, values_delivered()) == 0
    (found,) = tried(machine)
    before, after = found["before"]["rows"], found["after"]["rows"]
    assert before["received"] == after["received"] == 150
    assert after["released"] < before["released"]
    assert found["rows_in_both"] == after["released"]
    cells = {one["column"]: one for one in found["cells"]}
    assert cells["street"]["differ"] == cells["street"]["after"] == after["released"]
    assert (cells["legal_name"]["before"], cells["legal_name"]["differ"]) == (before["released"], 0)


def test_a_pseudonym_differs_only_where_the_agreement_makes_it(office: Office) -> None:
    name, file = "agreements/pnr-eu-piu", write(office.folder / "push.edi", passengers(20))
    pair = (office.before / f"{name}.toml", office.file(name))
    (same,) = tried(office.diff(*pair, "--delivery", file, "--json"))
    assert {one["differ"] for one in same["cells"]} == {0}
    office.edit(name, ('format = "parquet"', 'format = "parquet"\npseudonym_epoch = "2"'))
    (found,) = tried(office.diff(*pair, "--delivery", file, "--json"))
    differ = {one["column"] for one in found["cells"] if one["differ"]}
    assert differ == {"frequent_flyer"}


def test_counts_are_not_compared_cell_by_cell(office: Office) -> None:
    office.edit("agreements/aeo-statistics", ("smallest_cell = ", "smallest_cell = 1"))
    pair = (office.before / "agreements/aeo-statistics.toml", office.file("agreements/aeo-statistics"))
    answer = office.diff(*pair, "--delivery", write(office.folder / "list.csv", members(150)), "--json")
    (found,) = tried(answer)
    assert (found["rows_in_both"], found["cells"]) == (None, [])
    assert found["before"]["rows"]["received"] == 150


def test_a_version_that_releases_nothing_says_why_and_a_refused_file_too(wider: Office) -> None:
    wider.edit(MEMBERS, ('program_status = "CERTIFIED"', 'program_status = "VALIDATED"'))
    pair = (wider.before / f"{MEMBERS}.toml", wider.file(MEMBERS))
    good = write(wider.folder / "list.csv", members(50))
    bad = write(wider.folder / "bad.csv", b"no,such\ncolumns,here\n")
    first, second = tried(wider.diff(*pair, "--delivery", good, "--delivery", bad, "--json"))
    assert first["after"]["refusal"]["code"] == "agreement-unsound"
    assert first["before"]["rows"]["released"] > 0
    assert second["refusal"]["code"] == "columns-differ"
    answer = wider.diff(*pair, "--delivery", good, "--delivery", bad)
    assert "releases nothing" in answer.out
    assert "refused as a whole" in answer.out


def test_a_synthetic_delivery_is_tried_where_none_is_named(wider: Office) -> None:
    answer = wider.diff(wider.before / f"{MEMBERS}.toml", wider.file(MEMBERS), "--samples", "--json")
    (found,) = tried(answer)
    assert found["feed"] == "aeo-members"
    assert found["before"]["rows"]["released"] > 0


def test_there_is_nothing_to_try_a_first_version_against(office: Office) -> None:
    answer = office.diff("aeo-statistics", "--samples")
    assert answer.exit_code == Misconfigured.exit_code
    assert "safeconduct preview aeo-statistics" in answer.err

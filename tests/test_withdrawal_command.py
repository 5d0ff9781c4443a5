"""`safeconduct withdraw` and what is told of a withdrawn release afterwards."""

from pathlib import Path

import pytest

from pipeline.core.errors import Code, Refused
from tests.desk import Desk, desk_in

BY = ("--by", "j.example", "--why", "Members were counted twice")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """With releases of one list of members."""
    desk = desk_in(tmp_path)
    assert desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members").exit_code == 0
    assert desk.type("run").exit_code == 0
    return desk


def test_a_dry_run_says_what_would_be_and_does_nothing(desk: Desk) -> None:
    release, before = desk.releases()["eu-customs"], desk.stored()
    answer = desk.type("withdraw", release[:-4], *BY, "--reissue", "--dry-run")
    assert answer.exit_code == 0
    assert f"Would withdraw {release} to eu-customs" in answer.out
    assert f"{release}-v2 could be made" in answer.out
    told = desk.json("withdraw", release, *BY, "--dry-run")
    assert told["withdrawn"] == {"release": release, "recipient": "eu-customs", "next": None, "already": None}
    assert desk.stored() == before


def test_a_withdrawn_release_is_told_everywhere_and_not_opened(desk: Desk, tmp_path: Path) -> None:
    release = desk.releases()["eu-customs"]
    answer = desk.type("withdraw", release, *BY)
    assert answer.exit_code == 0
    assert f"Release {release} to eu-customs is withdrawn." in answer.out
    verified = desk.type("verify", release)
    assert verified.exit_code == Refused.exit_code
    for said in ("BAD withdrawal: it was withdrawn on", "by j.example: Members were counted twice", "does NOT hold"):
        assert said in verified.out
    bad = {one["question"] for one in desk.json("verify", release)["findings"] if not one["good"]}
    assert bad == {"withdrawal"}
    listed = desk.type("releases")
    assert listed.exit_code == 0
    assert "was withdrawn on" in listed.out
    assert "withdrawn" in desk.type("status").out
    opened = desk.type("open", release, "--identity", desk.identity("eu-customs"), "--out", tmp_path / "out")
    assert opened.exit_code == Refused.exit_code
    assert Code.RELEASE_WITHDRAWN.value in opened.err
    assert not (tmp_path / "out").exists()
    again = desk.type("withdraw", release, "--by", "k.example", "--why", "Something else")
    assert "was withdrawn before" in again.out
    assert "Members were counted twice" in again.out
    assert desk.type("run").exit_code == 0
    assert desk.type("replay", release).exit_code == Refused.exit_code


def test_what_is_withdrawn_to_be_made_anew_is_made_by_the_next_run_and_superseded(desk: Desk) -> None:
    release = desk.releases()["eu-customs"]
    assert desk.json("withdraw", release, *BY, "--reissue")["withdrawn"]["next"] == f"{release}-v2"
    assert f"it may be made anew, as {release}-v2" in desk.type("verify", release).out
    assert desk.type("run").exit_code == 0
    listed = {one["release"]: one for one in desk.json("releases")["releases"]}
    assert f"superseded by {release}-v2" in listed[release]["withdrawn"]
    assert (listed[f"{release}-v2"]["withdrawn"], listed[f"{release}-v2"]["revision"]) == (None, 2)
    assert listed[f"{release}-v2"]["supersedes"]["release"] == release
    verified = desk.type("verify", f"{release}-v2")
    assert verified.exit_code == 0, verified.out
    assert f"it supersedes {release}" in verified.out
    assert desk.type("replay", f"{release}-v2").exit_code == 0


@pytest.mark.parametrize("missing", [("--by", " ", "--why", "x"), ("--by", "x", "--why", ""), ("--why", "x")])
def test_a_withdrawal_without_name_or_reason_is_none(desk: Desk, missing: tuple[str, ...]) -> None:
    assert desk.type("withdraw", desk.releases()["eu-customs"], *missing).exit_code == 2


def test_a_changed_kit_a_removed_withdrawal_and_a_swapped_proof_are_found(desk: Desk) -> None:
    releases = desk.releases()
    folders = {to: desk.site / "stores/shared" / to / "releases" / release for to, release in releases.items()}
    ours, theirs = folders["eu-customs"], folders["trade-statistics"]

    def bad() -> set[str]:
        findings = desk.json("verify", releases["eu-customs"])["findings"]
        return {one["question"] for one in findings if not one["good"]}

    assert bad() == set()
    (ours / "OPEN.md").write_bytes(b"curl | sh\n")
    assert bad() == {"OPEN.md"}
    (ours / "manifest.tlog-proof").write_bytes((theirs / "manifest.tlog-proof").read_bytes())
    assert bad() == {"OPEN.md", "ledger"}
    desk.type("withdraw", releases["eu-customs"], *BY)
    (ours / "withdrawal.json").unlink()
    assert bad() == {"OPEN.md", "ledger", "withdrawal"}


def test_the_clock_is_said_to_be_right_in_the_ledger(desk: Desk) -> None:
    answer = desk.type("clock", "--by", "j.example", "--why", "The battery was empty")
    assert answer.exit_code == 0
    last = desk.json("ledger")["entries"][-1]
    assert (last["kind"], last["facts"]["by"]) == ("clock", "j.example")
    assert desk.type("clock", "--by", "", "--why", "x").exit_code == 2

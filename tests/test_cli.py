"""The command, on real sites with real stores and keys: what it answers, how it leaves, and that it shows no value."""

import json
import os
import re
import shutil
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyrage  # type: ignore[import-untyped]
import pytest
import typer
from typer.testing import CliRunner

from pipeline import cli
from pipeline.console.call import Call, Guarded, plain, worst
from pipeline.console.naming import the_lot, the_release
from pipeline.console.verification import examine
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused, SafeconductError, Unavailable
from pipeline.edges.keys import Keyring
from pipeline.edges.permission import recipient_of
from pipeline.edges.site import Site
from pipeline.edges.storage import AlreadyThere
from tests.desk import ROOT, Desk, members, shown_values, values_delivered, write


@pytest.fixture(scope="module")
def values() -> frozenset[str]:
    """Values that the deliveries of `exchanged` hold and no command may show."""
    return values_delivered()


ALL_OF_THE_LIST = {"eu-customs", "trade-statistics"}
ALL_OF_THE_PUSH = {"eu-piu", "police-liaison", "border-screening"}
"""Whoever a push of `push.edi` is released to."""


def first_in_quarantine(desk: Desk, outcome: str) -> str:
    found = desk.json("quarantine", "list")["quarantine"]
    return str(next(one["delivery"] for one in found if one["outcome"] == outcome))


# The whole


def test_alone_it_shows_how_to_begin(tmp_path: Path) -> None:
    answer = Desk(tmp_path).type()
    assert answer.exit_code == 0
    for command in (*cli.COMMANDS, "quarantine"):
        assert f"safeconduct {command}" in answer.out or command == "down"


@pytest.mark.parametrize(
    "command", [[name] for name in cli.COMMANDS] + [["quarantine", "list"], ["quarantine", "show"]]
)
def test_the_help_of_each_command_teaches_by_example(tmp_path: Path, command: list[str]) -> None:
    answer = Desk(tmp_path).type(*command, "--help")
    assert answer.exit_code == 0
    assert "Examples:" in answer.out
    assert re.search(rf"safeconduct( --site \S+)? {' '.join(command)}", answer.out)
    if command != ["up"]:
        assert "--json" in answer.out


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["run"],
        ["releases"],
        ["ledger"],
        ["check"],
        ["explain", "pnr-eu-piu"],
        ["preview", "pnr-eu-piu"],
        ["quarantine", "list"],
        ["replay", "x"],
        ["verify", "x"],
        ["open", "x", "--identity", "x"],
        ["deliver", "x", "--feed", "pnr-push"],
        ["up"],
    ],
)
def test_without_a_site_each_command_says_how_to_make_one(tmp_path: Path, command: list[str]) -> None:
    answer = Desk(tmp_path).type(*command)
    assert answer.exit_code == Misconfigured.exit_code
    assert "site-missing" in answer.err
    assert "safeconduct init" in answer.err
    assert Desk(tmp_path).json(*command)["error"]["code"] == "site-missing"


def test_the_environment_names_the_site(exchanged: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFECONDUCT_SITE", str(exchanged.site))
    assert CliRunner().invoke(cli.app, ["releases"]).exit_code == 0


@pytest.mark.parametrize(
    ("error", "exit_code", "kind"),
    [
        (Refused, 3, "Refused"),
        (Misconfigured, 4, "Misconfigured"),
        (Conflict, 5, "Conflict"),
        (AlreadyThere, 5, "Conflict"),
        (Unavailable, 6, "Unavailable"),
    ],
)
def test_each_class_of_error_has_its_exit_code_and_is_told_with_its_next_step(
    tmp_path: Path, error: type[SafeconductError], exit_code: int, kind: str
) -> None:
    app = app_that_raises(tmp_path, error(Code.NOT_FOUND, "it is [not] there.", next_step="look elsewhere."))
    told = CliRunner().invoke(app, ["go"])
    assert told.exit_code == exit_code
    assert told.stdout == ""
    assert told.stderr.splitlines() == [f"{kind} [not-found]", "it is [not] there.", "Next: look elsewhere."]
    answered = CliRunner().invoke(app, ["go", "--json"])
    assert answered.exit_code == exit_code
    assert json.loads(answered.stdout)["error"]["class"] == kind


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_defect_is_told_by_its_place_and_never_by_its_message(tmp_path: Path, as_json: list[str]) -> None:
    app = app_that_raises(tmp_path, ValueError("could not parse 'MUSTERFRAU'"))
    told = CliRunner().invoke(app, ["go", *as_json])
    assert told.exit_code == 1
    assert "ValueError at" in told.output
    assert "MUSTERFRAU" not in told.output
    assert isinstance(told.exception, SystemExit)
    assert told.exception.__context__ is None or "MUSTERFRAU" not in str(told.exception.__context__)


def app_that_raises(directory: Path, error: Exception) -> typer.Typer:
    app = typer.Typer(cls=Guarded, pretty_exceptions_enable=False)

    @app.callback()
    def start(context: typer.Context) -> None:
        context.obj = Call(directory)

    @app.command()
    def go(context: typer.Context, *, as_json: bool = typer.Option(False, "--json")) -> None:
        Call.of(context, as_json)
        raise error

    return app


def test_the_worst_exit_code_is_the_one_that_no_retry_heals() -> None:
    assert worst([]) == 0
    assert worst([0, 3, 6]) == 6
    assert worst([3, 6, 4]) == 4
    assert worst([4, 5, 6]) == 5
    assert worst([5, 1, 3]) == 1


def test_there_are_no_colours_where_nobody_looks(exchanged: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    for command in (["status"], ["releases"], ["quarantine", "list"], ["verify", exchanged.releases()["eu-piu"]]):
        assert "\x1b" not in exchanged.type(*command).said


def test_text_from_outside_cannot_command_the_terminal() -> None:
    assert plain("a\x1b[2Jb\u202ec\x9b") == "a\\x1b[2Jb\\u202ec\\x9b"
    assert plain("Ærø, naïve") == "Ærø, naïve"


# init


def test_init_makes_a_site_and_a_second_init_leaves_it_as_it_is(desk: Desk) -> None:
    before = {path: path.read_bytes() for path in desk.site.rglob("*") if path.is_file()}
    again = desk.json("init", "--demo", "--catalogue", desk.catalogue)
    assert again["made"] == []
    assert {path: path.read_bytes() for path in desk.site.rglob("*") if path.is_file()} == before
    assert "eu-piu" in again["demo_partners"]


def test_a_demonstration_has_a_key_for_everybody_that_an_agreement_releases_to(desk: Desk) -> None:
    site = Site.open(desk.site)
    catalogue = site.catalogue()
    for agreement in catalogue.agreements.values():
        members = catalogue.members(agreement.recipient)
        assert len(recipient_of(site, catalogue, agreement.recipient).keys) == max(1, len(members))


def test_init_makes_no_key_for_a_partner_unless_asked_to(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    shutil.copytree(ROOT / "catalogue", desk.catalogue)
    made = desk.json("init", "--catalogue", desk.catalogue)
    assert made["demo_partners"] == []
    assert not [name for name in made["made"] if "partners" in name or "demo" in name]


def test_init_does_not_play_a_partner_whose_keys_somebody_registered(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    shutil.copytree(ROOT / "catalogue", desk.catalogue)
    desk.type("init", "--catalogue", desk.catalogue)
    path = Keyring.open(desk.site / "keys").recipients_path("eu-piu")
    path.parent.mkdir(parents=True)
    path.write_text(f"{pyrage.x25519.Identity.generate().to_public()}\n")
    registered = path.read_bytes()
    assert "eu-piu" not in desk.json("init", "--demo")["demo_partners"]
    assert path.read_bytes() == registered
    assert not desk.identity("eu-piu").exists()


def test_init_without_a_catalogue_makes_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    answer = desk.type("init", "--catalogue", tmp_path / "nowhere")
    assert answer.exit_code == Misconfigured.exit_code
    assert "catalogue-invalid" in answer.err
    assert not desk.site.exists()


def test_init_on_storage_elsewhere_says_so_in_the_settings(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    storage = (tmp_path / "disk").as_uri()
    made = desk.json("init", "--catalogue", ROOT / "catalogue", "--storage", storage)
    assert made["stores"]["shared"] == f"{storage}/shared"
    assert (tmp_path / "disk" / "shared").is_dir()


def test_a_region_without_s3_storage_is_wrong_usage(tmp_path: Path) -> None:
    answer = Desk(tmp_path).type("init", "--region", "eu-west-1")
    assert answer.exit_code == 2


# deliver


def test_a_delivery_is_sealed_and_signed_where_the_feed_asks_for_it(desk: Desk) -> None:
    (one,) = desk.json("deliver", desk.directory / "good.csv", "--feed", "aeo-members")["delivered"]
    landing = desk.site / "stores/landing"
    assert (landing / one["landed_as"]).read_bytes().startswith(b"age-encryption.org/v1")
    assert (landing / f"{one['landed_as']}.sig").exists()
    assert (one["sealed"], one["signed"]) == (True, True)
    (plain_one,) = desk.json("deliver", desk.directory / "push.edi", "--feed", "pnr-push", "--as", "a b.edi")[
        "delivered"
    ]
    assert plain_one["landed_as"] == "pnr-push/a%20b.edi"
    assert (landing / "pnr-push/a b.edi").read_bytes() == (desk.directory / "push.edi").read_bytes()


def test_an_unknown_feed_is_answered_with_the_known_ones(desk: Desk) -> None:
    answer = desk.type("deliver", desk.directory / "good.csv", "--feed", "nobody")
    assert answer.exit_code == Misconfigured.exit_code
    assert Code.UNKNOWN_FEED.value in answer.err
    assert "aeo-changes, aeo-members" in answer.err


def test_a_feed_whose_file_is_broken_is_named_with_its_line(desk: Desk) -> None:
    desk.edit("feeds/pnr-push.toml", 'partner = "example-air"', "partner = 7")
    answer = desk.type("deliver", desk.directory / "push.edi", "--feed", "pnr-push")
    assert answer.exit_code == Misconfigured.exit_code
    assert f"pnr-push.toml:{desk.line_of('feeds/pnr-push.toml', 'partner = 7')}" in answer.err


def test_a_dry_run_says_what_each_agreement_would_release_and_delivers_nothing(
    desk: Desk, values: frozenset[str]
) -> None:
    before = desk.stored()
    command = ("deliver", desk.directory / "bad-rows.csv", "--feed", "aeo-members", "--dry-run")
    answer = desk.type(*command)
    assert answer.exit_code == 0
    assert shown_values(answer, values) == 0
    assert desk.stored() == before
    (tried,) = desk.json(*command)["dry_run"]
    assert {one["agreement"] for one in tried["releases"]} == {"aeo-mutual-recognition", "aeo-statistics"}
    refused = desk.type("deliver", desk.directory / "refused.csv", "--feed", "aeo-members", "--dry-run")
    assert refused.exit_code == Refused.exit_code


def test_a_file_in_landing_is_not_replaced(desk: Desk) -> None:
    desk.type("deliver", desk.directory / "push.edi", "--feed", "pnr-push", "--as", "list")
    answer = desk.type("deliver", desk.directory / "good.csv", "--feed", "pnr-push", "--as", "list")
    assert answer.exit_code == Conflict.exit_code
    assert (desk.site / "stores/landing/pnr-push/list").read_bytes() == (desk.directory / "push.edi").read_bytes()


def test_a_file_that_cannot_be_read_and_a_name_for_two_files_are_refused(desk: Desk) -> None:
    assert desk.type("deliver", desk.directory / "none", "--feed", "pnr-push").exit_code == Misconfigured.exit_code
    two = (desk.directory / "push.edi", desk.directory / "good.csv")
    assert desk.type("deliver", *two, "--feed", "pnr-push", "--as", "one").exit_code == 2


def test_a_partner_that_this_site_does_not_play_signs_its_deliveries_itself(desk: Desk) -> None:
    shutil.rmtree(desk.site / "demo/example-customs")
    answer = desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members")
    assert answer.exit_code == Misconfigured.exit_code
    assert Code.PARTNER_KEY_MISSING.value in answer.err
    assert not list((desk.site / "stores/landing").rglob("*.csv"))


# run


def test_what_was_delivered_is_received_and_released_at_once(desk: Desk, values: frozenset[str]) -> None:
    desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members")
    answer = desk.type("run")  # it waits until the file has settled
    assert answer.exit_code == 0, answer.said
    assert shown_values(answer, values) == 0
    assert set(desk.releases()) == ALL_OF_THE_LIST
    again = desk.json("run")
    assert again == {"steps": [], "exit_code": 0}


def test_a_run_says_each_step_and_leaves_with_the_worst(desk: Desk) -> None:
    desk.type("deliver", desk.directory / "good.csv", desk.directory / "refused.csv", "--feed", "aeo-members")
    keys = Keyring.open(desk.site / "keys").recipients_path("trade-statistics")
    registered = keys.read_bytes()
    keys.unlink()
    answer = desk.type("run", "--json")
    assert answer.exit_code == Misconfigured.exit_code
    steps = {(step["step"], step["outcome"], step["code"]) for step in answer.document["steps"]}
    assert steps == {
        ("receive", "made", None),
        ("receive", "refused", Code.COLUMNS_DIFFER.value),
        ("release", "made", None),
        ("release", "failed", Code.PARTNER_KEY_MISSING.value),
    }
    assert set(desk.releases()) == {"eu-customs"}
    keys.write_bytes(registered)
    again = desk.json("run")  # what failed before is tried again, and nothing else is made
    assert sorted((step["step"], step["outcome"]) for step in again["steps"]) == [
        ("receive", "found"),
        ("release", "found"),
        ("release", "made"),
    ]
    assert set(desk.releases()) == ALL_OF_THE_LIST


def test_a_lot_that_fails_holds_up_no_other(desk: Desk) -> None:
    desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members")
    desk.type("deliver", desk.directory / "push.edi", "--feed", "pnr-push")
    Keyring.open(desk.site / "keys").signers_path("example-customs").unlink()
    answer = desk.type("run")
    assert answer.exit_code == Misconfigured.exit_code
    assert Code.PARTNER_KEY_MISSING.value in answer.out
    assert set(desk.releases()) == ALL_OF_THE_PUSH


# status


def test_status_says_what_became_of_each_delivery(exchanged: Desk, values: frozenset[str]) -> None:
    answer = exchanged.type("status")
    assert answer.exit_code == 0
    assert shown_values(answer, values) == 0
    assert "refused columns-differ" in answer.out
    assert re.search(r"accepted without \d+ rows?", answer.out)
    assert re.search(r"pnr-eu-piu\.\w+ +eu-piu +released +30", answer.out)
    found = exchanged.json("status")["deliveries"]
    assert sorted(one["outcome"] for one in found) == ["accepted", "accepted", "accepted", "refused"]
    for one in found:
        assert one["delivery"][:12] in answer.out
        assert one["outcome"] == "refused" or one["received"] == one["accepted"] + one["rejected"]


def test_status_of_one_feed_and_of_the_newest(exchanged: Desk) -> None:
    assert {one["feed"] for one in exchanged.json("status", "--feed", "pnr-push")["deliveries"]} == {"pnr-push"}
    assert len(exchanged.json("status", "--limit", "2")["deliveries"]) == 2
    assert exchanged.type("status", "--feed", "nobody").exit_code == Misconfigured.exit_code


def test_a_late_feed_and_a_broken_file_are_seen_in_the_status(desk: Desk) -> None:
    desk.edit("agreements/aeo-statistics.toml", 'format = "csv"', "format = 1")
    answer = desk.type("status")
    assert answer.exit_code == 0
    assert "Late: aeo-members" in answer.out
    assert "Broken: " in answer.out
    assert "No delivery has arrived" in answer.out


# replay


def test_a_delivery_that_failed_for_a_missing_key_completes_exactly_once_on_replay(desk: Desk) -> None:
    desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members")
    signers = Keyring.open(desk.site / "keys").signers_path("example-customs")
    registered = signers.read_bytes()
    signers.unlink()
    assert desk.type("run").exit_code == Misconfigured.exit_code
    (waiting,) = desk.json("status")["deliveries"]
    assert waiting["outcome"] == "waiting"
    signers.write_bytes(registered)
    first = desk.json("replay", waiting["delivery"][:10])
    assert [step["outcome"] for step in first["steps"]] == ["made", "made", "made"]
    stored = desk.stored()
    for name in (waiting["delivery"], waiting["lot"], *desk.releases().values()):
        again = desk.json("replay", name)
        assert [step["outcome"] for step in again["steps"]] == ["found", "found", "found"]
        assert again["exit_code"] == 0
    assert desk.stored() == stored


def test_a_refused_delivery_is_taken_on_replay_after_our_correction(desk: Desk) -> None:
    write(desk.directory / "many.csv", members(150, bad_share=0.2))
    desk.type("deliver", desk.directory / "many.csv", "--feed", "aeo-members")
    assert desk.type("run").exit_code == Refused.exit_code
    delivery = first_in_quarantine(desk, "refused")
    assert desk.type("replay", delivery).exit_code == Refused.exit_code
    desk.edit("feeds/aeo-members.toml", "max_rejected_share = 0.05", "max_rejected_share = 0.5")
    assert desk.type("replay", delivery).exit_code == 0
    assert set(desk.releases()) == ALL_OF_THE_LIST


def test_an_unknown_and_an_ambiguous_name_are_told_apart(exchanged: Desk) -> None:
    unknown = exchanged.type("replay", "zzz")
    assert unknown.exit_code == Misconfigured.exit_code
    assert Code.NOT_FOUND.value in unknown.err
    ambiguous = exchanged.type("replay", "aeo-")
    assert ambiguous.exit_code == Misconfigured.exit_code
    assert Code.NAME_AMBIGUOUS.value in ambiguous.err
    assert exchanged.type("replay", "").exit_code == Misconfigured.exit_code


def test_a_release_that_is_not_there_yet_names_its_lot(desk: Desk) -> None:
    desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members")
    Keyring.open(desk.site / "keys").recipients_path("trade-statistics").unlink()
    desk.type("run")
    (one,) = desk.json("status")["deliveries"]
    pending = next(release["release"] for release in one["releases"] if release["standing"] == "pending")
    assert the_lot(Site.open(desk.site), pending) == one["lot"]


# quarantine


def test_quarantine_says_why_and_shows_no_value(exchanged: Desk, values: frozenset[str]) -> None:
    listed = exchanged.type("quarantine", "list")
    assert listed.exit_code == 0
    assert shown_values(listed, values) == 0
    refused = exchanged.type("quarantine", "show", first_in_quarantine(exchanged, "refused")[:12])
    assert "[columns-differ]" in refused.out
    assert "Next: " in refused.out
    partly = first_in_quarantine(exchanged, "accepted")
    shown = exchanged.type("quarantine", "show", partly)
    assert shown.exit_code == 0
    assert shown_values(shown, values) == 0
    (report,) = exchanged.json("quarantine", "show", partly)["reports"]
    assert report["rejected"] > 0
    assert all(finding["rule"] in shown.out and finding["column"] in shown.out for finding in report["findings"])


def test_an_empty_quarantine_is_empty(desk: Desk) -> None:
    assert "Nothing is in quarantine" in desk.type("quarantine", "list").out
    assert desk.json("quarantine", "list") == {"quarantine": []}
    assert desk.type("quarantine", "show", "abc").exit_code == Misconfigured.exit_code


def test_rejected_rows_are_shown_to_whoever_names_the_quarantine_key(exchanged: Desk) -> None:
    delivery = first_in_quarantine(exchanged, "accepted")
    key = exchanged.site / "keys/quarantine.txt"
    answer = exchanged.type("quarantine", "show", delivery, "--rows", "--identity", key)
    assert answer.exit_code == 0
    assert "personal values" in answer.err
    rows = exchanged.json("quarantine", "show", delivery, "--rows", "--identity", key)["rows"]
    (report,) = exchanged.json("quarantine", "show", delivery)["reports"]
    assert len(rows) == report["rejected"]
    assert all(row["rules"] and row["position"] for row in rows)
    assert rows[0]["cells"]["eori"] in answer.out


def test_rejected_rows_are_not_shown_without_the_quarantine_key(exchanged: Desk, values: frozenset[str]) -> None:
    delivery = first_in_quarantine(exchanged, "accepted")
    assert exchanged.type("quarantine", "show", delivery, "--rows").exit_code == 2
    for wrong in (exchanged.site / "keys/vault.txt", exchanged.identity("eu-piu"), exchanged.directory / "good.csv"):
        answer = exchanged.type("quarantine", "show", delivery, "--rows", "--identity", wrong)
        assert answer.exit_code == Misconfigured.exit_code
        assert shown_values(answer, values) == 0


# releases, open, verify


def test_releases_are_listed_for_all_and_for_one_recipient(exchanged: Desk) -> None:
    assert set(exchanged.releases()) == {*ALL_OF_THE_LIST, *ALL_OF_THE_PUSH}
    (one,) = exchanged.json("releases", "--recipient", "eu-piu")["releases"]
    assert one["agreement"] == "pnr-eu-piu"
    assert one["rows"]["released"] == 30
    assert one["release"] in exchanged.type("releases").out
    assert exchanged.type("releases", "--recipient", "nobody").exit_code == Misconfigured.exit_code


def test_a_release_is_opened_into_files_for_its_recipient_alone(
    exchanged: Desk, tmp_path: Path, values: frozenset[str]
) -> None:
    release, identity = exchanged.releases()["eu-customs"], exchanged.identity("eu-customs")
    answer = exchanged.type("open", release[:-4], "--identity", identity, "--out", tmp_path / "out")
    assert answer.exit_code == 0, answer.said
    assert shown_values(answer, values) == 0
    parts = exchanged.json("open", release, "--identity", identity, "--out", tmp_path / "out")["parts"]
    assert parts
    for part in parts:
        file = Path(part["file"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"age -d -i {identity} -o {file.name} " in answer.out
        sealed = (Path.cwd() / part["sealed_at"]).read_bytes()
        secret = identity.read_text().splitlines()[1]
        assert pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(secret)]) == file.read_bytes()
        assert pl.read_csv(file, infer_schema=False).height == part["rows"]
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_a_release_is_not_opened_with_another_recipients_key(exchanged: Desk, tmp_path: Path) -> None:
    release = exchanged.releases()["eu-customs"]
    answer = exchanged.type("open", release, "--identity", exchanged.identity("eu-piu"), "--out", tmp_path / "out")
    assert answer.exit_code == Refused.exit_code
    assert Code.WRONG_KEY.value in answer.err
    assert not (tmp_path / "out").exists()
    garbage = exchanged.type("open", release, "--identity", exchanged.directory / "good.csv")
    assert garbage.exit_code == Misconfigured.exit_code


def test_a_good_release_is_verified_in_plain_words(exchanged: Desk, tmp_path: Path) -> None:
    release = exchanged.releases()["eu-piu"]
    answer = exchanged.type("verify", release)
    assert answer.exit_code == 0
    for said in ("serious-crime", "TLP:AMBER+STRICT", "30 received = 30 accepted + 0 rejected", "The release holds."):
        assert said in answer.out
    document = exchanged.json("verify", release)
    assert document["good"] is True
    assert {finding["question"] for finding in document["findings"]} == {
        "withdrawal",
        "OPEN.md",
        "verify_release.py",
        "signature",
        "part 1",
        "part 2",
        "rows",
        "expiry",
        "ledger",
    }
    ours = write(tmp_path / "ours.pem", Site.open(exchanged.site).publication.key.public_pem())
    assert exchanged.type("verify", release, "--public-key", ours).exit_code == 0


def test_a_release_is_not_verified_with_a_strangers_key(exchanged: Desk, tmp_path: Path) -> None:
    theirs = write(tmp_path / "theirs.pem", Keyring.create(tmp_path / "keys").signing.public_pem())
    answer = exchanged.type("verify", exchanged.releases()["eu-piu"], "--public-key", theirs)
    assert answer.exit_code == Refused.exit_code
    assert "BAD signature" in answer.out
    garbage = exchanged.type("verify", exchanged.releases()["eu-piu"], "--public-key", exchanged.directory / "good.csv")
    assert garbage.exit_code == Misconfigured.exit_code


@pytest.fixture
def released(desk: Desk) -> tuple[Desk, str, Path]:
    """A release to eu-customs and its first part, for a test to spoil."""
    desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members")
    desk.type("run")
    release = desk.releases()["eu-customs"]
    folder = desk.site / "stores/shared/eu-customs/releases" / release
    return desk, release, sorted((folder / "parts").iterdir())[0]


def test_a_changed_part_is_found_and_never_opened(released: tuple[Desk, str, Path], tmp_path: Path) -> None:
    desk, release, part = released
    content = bytearray(part.read_bytes())
    content[-1] ^= 1
    part.write_bytes(content)
    answer = desk.type("verify", release)
    assert answer.exit_code == Refused.exit_code
    assert "its bytes were changed" in answer.out
    assert "does NOT hold" in answer.out
    opened = desk.type("open", release, "--identity", desk.identity("eu-customs"), "--out", tmp_path / "out")
    assert opened.exit_code == Refused.exit_code
    assert not (tmp_path / "out").exists()


def test_a_missing_part_is_found(released: tuple[Desk, str, Path]) -> None:
    desk, release, part = released
    part.unlink()
    answer = desk.type("verify", release)
    assert answer.exit_code == Refused.exit_code
    assert "is not there" in answer.out


def test_a_changed_manifest_is_found_and_hides_no_other_release(released: tuple[Desk, str, Path]) -> None:
    desk, release, part = released
    manifest = part.parent.parent / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"sig":"', b'"sig":"AAAA'))
    assert desk.type("verify", release).exit_code == Refused.exit_code
    answer = desk.type("releases", "--json")
    assert answer.exit_code == Refused.exit_code
    assert {one["recipient"]: bool(one["fault"]) for one in answer.document["releases"]} == {
        "eu-customs": True,
        "trade-statistics": False,
    }


def test_a_release_without_its_ledger_entry_does_not_hold(released: tuple[Desk, str, Path]) -> None:
    desk, release, _ = released
    shutil.rmtree(desk.site / "stores/private/ledger")
    answer = desk.type("verify", release)
    assert answer.exit_code == Refused.exit_code
    assert "BAD ledger" in answer.out


def test_what_must_be_gone_by_its_date_is_found_when_it_is_not(exchanged: Desk) -> None:
    site = Site.open(exchanged.site)
    published = the_release(site, exchanged.releases()["eu-piu"])
    key = site.publication.key.public

    def bad(days: int) -> set[str]:
        later = replace(site, now=lambda: Site.open(exchanged.site).now() + timedelta(days=days))
        return {finding.question for finding in examine(later, published, key) if not finding.good}

    assert bad(0) == set()
    assert bad(200) == {"part 2"}  # Art. 12(2): six months
    assert bad(2000) == {"part 1", "part 2", "expiry"}


@pytest.mark.parametrize("numbers", [("rows", "released"), ("rows", "accepted"), ("parts", 0, "rows")])
def test_numbers_that_contradict_each_other_are_found_though_they_are_signed(
    exchanged: Desk, numbers: tuple[str | int, ...]
) -> None:
    site = Site.open(exchanged.site)
    published = the_release(site, exchanged.releases()["eu-piu"])
    *path, last = numbers
    place: Any = published.predicate
    for step in path:
        place = place[step]
    place[last] += 1
    findings = examine(site, published, site.publication.key.public)
    assert {finding.question for finding in findings if not finding.good} == {"rows"}


def test_a_ledger_entry_of_another_manifest_is_found(exchanged: Desk) -> None:
    site = Site.open(exchanged.site)
    published = replace(the_release(site, exchanged.releases()["eu-piu"]), manifest_digest="0" * 64)
    findings = examine(site, published, site.publication.key.public)
    assert {finding.question for finding in findings if not finding.good} == {"ledger"}


def test_an_unknown_release_is_not_found(exchanged: Desk) -> None:
    for command in (["verify", "nobody"], ["open", "nobody", "--identity", str(exchanged.identity("eu-piu"))]):
        answer = exchanged.type(*command)
        assert answer.exit_code == Misconfigured.exit_code
        assert Code.NOT_FOUND.value in answer.err


# ledger


def test_the_ledger_says_what_was_done_in_order(exchanged: Desk, values: frozenset[str]) -> None:
    answer = exchanged.type("ledger", "--verify")
    assert answer.exit_code == 0
    assert shown_values(answer, values) == 0
    entries = exchanged.json("ledger")["entries"]
    assert [entry["sequence"] for entry in entries] == list(range(len(entries)))
    assert {entry["kind"] for entry in entries} == {"accepted", "refused", "intended", "released"}
    assert exchanged.json("ledger", "--verify")["verified"] == len(entries)


def test_what_concerns_one_delivery_or_release_can_be_followed(exchanged: Desk) -> None:
    delivery = first_in_quarantine(exchanged, "refused")
    assert [entry["kind"] for entry in exchanged.json("ledger", "--follow-id", delivery[:8])["entries"]] == ["refused"]
    release = exchanged.releases()["eu-piu"]
    kinds = [entry["kind"] for entry in exchanged.json("ledger", "--follow-id", release)["entries"]]
    assert kinds == ["intended", "released"]
    assert "No entry concerns" in exchanged.type("ledger", "--follow-id", "zzz").out


def test_a_ledger_that_was_changed_is_a_conflict(released: tuple[Desk, str, Path]) -> None:
    desk, _, _ = released
    entry = desk.site / "stores/private/ledger/entries/000000000000.json"
    entry.write_bytes(entry.read_bytes().replace(b'"accepted":150', b'"accepted":151'))
    assert desk.type("ledger").exit_code == 0
    answer = desk.type("ledger", "--verify")
    assert answer.exit_code == Conflict.exit_code
    assert Code.OBJECT_ALTERED.value in answer.err


# Everything that is said


def test_no_command_shows_a_value_of_a_delivery(exchanged: Desk, values: frozenset[str]) -> None:
    release, delivery = exchanged.releases()["eu-piu"], first_in_quarantine(exchanged, "accepted")
    sample = exchanged.directory / "bad-rows.csv"
    for command in (
        ["status"],
        ["releases"],
        ["ledger"],
        ["check"],
        ["quarantine", "list"],
        ["quarantine", "show", delivery],
        ["replay", delivery],
        ["verify", release],
        ["explain", "aeo-statistics"],
        ["explain", "pnr-eu-piu", "--release", release],
        ["check", sample, "--feed", "aeo-members"],
        ["deliver", sample, "--feed", "aeo-members", "--dry-run"],
    ):
        for as_json in ([], ["--json"]):
            answer = exchanged.type(*command, *as_json)
            assert answer.exit_code in (0, Refused.exit_code), command
            assert shown_values(answer, values) == 0, command


def test_every_json_answer_is_one_document(exchanged: Desk) -> None:
    for command in (["status"], ["releases"], ["ledger"], ["check"], ["quarantine", "list"], ["run"], ["down"]):
        answer = exchanged.type(*command, "--json")
        assert isinstance(answer.document, dict), command


# up, down


def test_a_port_in_use_is_said_before_anything_starts(desk: Desk) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = desk.type("up", "--port", taken.getsockname()[1])
    assert answer.exit_code == Misconfigured.exit_code
    assert Code.PORT_IN_USE.value in answer.err
    assert "--port" in answer.err


def test_an_airflow_that_does_not_run_is_down_already(desk: Desk) -> None:
    assert desk.json("down") == {"was_running": False}
    assert "was not running" in desk.type("down").out


def test_the_environment_is_left_alone(exchanged: Desk) -> None:
    before = dict(os.environ)
    exchanged.type("status")
    assert dict(os.environ) == before

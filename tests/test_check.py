"""`safeconduct check`: of the catalogue, with file, line and place of each fault; and of a delivery, before it is sent."""

import re
import shutil
from pathlib import Path

import pytest

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.edges.catalogue import load
from pipeline.edges.keys import Keyring
from tests.desk import ROOT, Desk, members, shown_values, values_delivered, write


def amended(desk: Desk, *, from_year: int) -> Path:
    """A second version of aeo-statistics, which begins in that year; the first is untouched."""
    text = (desk.catalogue / "agreements/aeo-statistics.toml").read_text()
    text = text.replace('id = "aeo-statistics"', 'id = "aeo-statistics"\nversion = 2')
    text = re.sub(
        r"(?m)^in_force = .*$",
        f"in_force = {{ from = {from_year}-01-01T00:00:00Z, until = 2040-01-01T00:00:00Z }}",
        text,
    )
    return write(desk.catalogue / "agreements/aeo-statistics.v2.toml", text.encode())


# The catalogue


def test_a_sound_catalogue_is_sound(exchanged: Desk) -> None:
    answer = exchanged.type("check")
    assert answer.exit_code == 0, answer.said
    found = exchanged.json("check")
    assert found["sound"] is True
    assert found["faults"] == found["warnings"] == []
    assert found["agreements"] == len(
        {path.stem.partition(".")[0] for path in (ROOT / "catalogue/agreements").iterdir()}
    )


def test_a_broken_file_is_named_with_its_line_its_place_and_what_to_do(desk: Desk) -> None:
    desk.edit("agreements/aeo-statistics.toml", 'format = "csv"', 'format = "xlsx"')
    line = desk.line_of("agreements/aeo-statistics.toml", 'format = "xlsx"')
    answer = desk.type("check")
    assert answer.exit_code == Misconfigured.exit_code
    assert f"{desk.catalogue}/agreements/aeo-statistics.toml:{line}: format: " in answer.out
    assert "'parquet' or 'csv'" in answer.out
    assert "Next: correct the file." in answer.out
    (fault,) = desk.json("check")["faults"]
    assert (fault["line"], fault["keys"]) == (line, "format")


def test_an_agreement_that_names_an_unknown_column_is_named_with_the_column_and_its_line(desk: Desk) -> None:
    desk.edit("agreements/aeo-statistics.toml", "[columns.country]", "[columns.continent]")
    line = desk.line_of("agreements/aeo-statistics.toml", "[columns.continent]")
    answer = desk.type("check")
    assert answer.exit_code == Misconfigured.exit_code
    assert f"aeo-statistics.toml:{line}: columns.continent: " in answer.out
    assert {fault["keys"] for fault in desk.json("check")["faults"]} == {"columns.continent"}


def test_every_fault_of_a_file_is_named_and_not_the_first_alone(desk: Desk) -> None:
    desk.edit("agreements/aeo-statistics.toml", "[columns.country]", "[columns.continent]")
    desk.edit("agreements/aeo-statistics.toml", "[columns.program_status]", "[columns.standing]")
    keys = {fault["keys"] for fault in desk.json("check")["faults"]}
    assert keys == {"columns.continent", "columns.standing"}


def test_an_example_case_that_does_not_come_out_as_it_says_is_named(desk: Desk) -> None:
    path = desk.catalogue / "agreements/aeo-mutual-recognition.toml"
    case = '[[cases]]\ntitle = "A member without consent"\nrow = { country = "DE" }\nreleased = { country = "DE" }\n'
    path.write_text(f"{path.read_text()}\n{case}")
    answer = desk.type("check")
    assert answer.exit_code == Misconfigured.exit_code
    assert "A member without consent" in answer.out
    assert re.search(rf"{re.escape(str(path))}:\d+: cases\.", answer.out)


def test_a_version_that_is_not_in_force_yet_is_checked_as_well(desk: Desk) -> None:
    amendment = amended(desk, from_year=2030)
    found = desk.json("check")
    assert found["versions"] == found["agreements"] + 1
    (fault,) = found["faults"]
    assert "2 of 2 approvals are missing" in fault["message"]
    amendment.write_text(amendment.read_text().replace("[columns.country]", "[columns.continent]"))
    faults = desk.json("check")["faults"]
    assert {fault["path"] for fault in faults} == {str(amendment)}
    assert "columns.continent" in {fault["keys"] for fault in faults}


def test_versions_that_overlap_are_named(desk: Desk) -> None:
    amendment = amended(desk, from_year=2020)
    faults = desk.json("check")["faults"]
    assert (str(amendment), "in_force") in {(fault["path"], fault["keys"]) for fault in faults}


@pytest.mark.parametrize(
    ("old", "new", "keys", "instead"),
    [
        ('marking = { tlp = "GREEN" }', 'marking = { tlp = "RED" }', "handling.marking", "correct the marking"),
        ('recipient = "trade-statistics"', 'recipient = "nobody"', "recipient", "the catalogue does not have"),
        ('instrument = "statistical-arrangement"', 'instrument = "nothing"', "instrument", "does not have"),
        ('clause = "Art. 3"', 'clause = "Art. 99"', "statistics.clause", 'or here as [clauses."Art. 99"]'),
        ("until = 2030-01-01", "until = 2010-01-01", "in_force", "swap the two dates"),
        ('purpose = "statistics"', 'purpose = "curiosity"', "declared.purpose", "write one of statistics"),
        ('[columns.country]\ntreatment = "keep"', '[columns.country]\ntreatment = "kept"', "columns.country", "'mask'"),
        (
            '[columns.country]\ntreatment = "keep"',
            '[columns.country]\ntreatment = "round"\nto = "5"',
            "columns.country.treatment",
            "use mask",
        ),
        (
            '[columns.country]\ntreatment = "keep"',
            '[columns.country]\ntreatment = "filter-terms"\ncodes = "no-such-v1"',
            "columns.country.codes",
            "does not have",
        ),
        (
            "[handling]\n",
            '[[rows]]\nname = "one"\nall = [{ column = "country", any_of = ["DE"] }]\nclause = "Art. 2"\n\n'
            '[[rows]]\nname = "two"\nall = [{ column = "country", any_of = ["FR"] }]\nclause = "Art. 2"\n\n[handling]\n',
            "rows.1",
            "let them overlap",
        ),
    ],
)
def test_what_speaks_against_itself_is_named_with_line_place_reason_and_what_to_write(
    tmp_path: Path, old: str, new: str, keys: str, instead: str
) -> None:
    shutil.copytree(ROOT / "catalogue", tmp_path / "catalogue")
    desk = Desk(tmp_path)
    desk.edit("agreements/aeo-statistics.toml", old, new)
    faults = desk.json("check", "--catalogue", desk.catalogue)["faults"]
    fault = next(one for one in faults if one["path"].endswith("aeo-statistics.toml"))
    assert fault["keys"] == keys
    assert instead in fault["message"]
    line = (desk.catalogue / "agreements/aeo-statistics.toml").read_text().splitlines()[fault["line"] - 1]
    assert any(part in line for part in (*keys.split(".")[-1:], *keys.split(".")[:-1], "[[rows]]"))


def test_a_feed_whose_schema_is_not_there_is_named_with_its_line(desk: Desk) -> None:
    desk.edit("feeds/pnr-push.toml", 'schema = "pnr_push"', 'schema = "nowhere"')
    (fault,) = desk.json("check")["faults"]
    assert fault["path"].endswith("feeds/pnr-push.toml")
    assert fault["line"] == desk.line_of("feeds/pnr-push.toml", 'schema = "nowhere"')
    assert "schemas/nowhere.py" in fault["message"]


def test_a_feed_whose_format_does_not_place_the_schemas_columns_is_named_with_its_line(desk: Desk) -> None:
    said = 'format = { kind = "json-lines", fields = { tin = "/tin" } }'
    desk.edit("feeds/aeo-members.toml", 'format = { kind = "csv", delimiter = "," }', said)
    (fault,) = desk.json("check")["faults"]
    assert fault["path"].endswith("feeds/aeo-members.toml")
    assert fault["line"] == desk.line_of("feeds/aeo-members.toml", said)
    assert "no field for" in fault["message"]


def test_a_partner_without_a_key_is_a_warning(desk: Desk) -> None:
    feeds = load(desk.catalogue).feeds.values()
    signed = [feed.id for feed in feeds if feed.partner == "example-customs" and feed.signed]
    keyring = Keyring.open(desk.site / "keys")
    keyring.recipients_path("eu-piu").unlink()
    keyring.signers_path("example-customs").unlink()
    answer = desk.type("check")
    assert answer.exit_code == 0
    assert signed
    assert answer.out.count("Warning:") == 1 + len(signed)
    assert str(keyring.recipients_path("eu-piu")) in answer.out


def test_one_file_can_be_checked_alone(desk: Desk) -> None:
    desk.edit("agreements/aeo-statistics.toml", 'format = "csv"', 'format = "xlsx"')
    good, bad = (desk.catalogue / "agreements" / name for name in ("pnr-eu-piu.toml", "aeo-statistics.toml"))
    assert desk.type("check", good).exit_code == 0
    assert desk.type("check", bad).exit_code == Misconfigured.exit_code


def test_a_catalogue_can_be_checked_without_a_site(tmp_path: Path) -> None:
    assert Desk(tmp_path).type("check", "--catalogue", ROOT / "catalogue").exit_code == 0


# A delivery


def test_a_good_delivery_would_be_accepted_and_nothing_is_delivered(exchanged: Desk) -> None:
    before = exchanged.stored()
    answer = exchanged.type("check", exchanged.directory / "good.csv", "--feed", "aeo-members")
    assert answer.exit_code == 0, answer.said
    assert "would be accepted" in answer.out
    assert exchanged.stored() == before


def test_a_partner_checks_its_delivery_without_a_site(tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", members(20, bad_share=0.0))
    partner = Desk(tmp_path)
    command = ("check", file, "--feed", "aeo-members", "--catalogue", ROOT / "catalogue")
    assert partner.type(*command).exit_code == 0
    assert partner.json(*command)["good"] is True
    assert not partner.site.exists()


def test_bad_rows_are_named_by_rule_column_and_position_and_never_by_value(exchanged: Desk) -> None:
    command = ("check", exchanged.directory / "bad-rows.csv", "--feed", "aeo-members")
    answer = exchanged.type(*command)
    assert answer.exit_code == 0
    assert shown_values(answer, values_delivered()) == 0
    (tried,) = exchanged.json(*command)["deliveries"]
    assert tried["rejected"] == tried["received"] - tried["accepted"] > 0
    rules = [finding for finding in tried["findings"] if finding["outcome"] == "rows rejected"]
    assert rules
    for finding in rules:
        assert finding["meaning"]
        assert 0 < len(finding["positions"]) <= finding["count"]
        assert finding["rule"] in answer.out


def test_a_delivery_that_is_malformed_would_be_refused_with_the_reason(exchanged: Desk) -> None:
    command = ("check", exchanged.directory / "refused.csv", "--feed", "aeo-members")
    answer = exchanged.type(*command)
    assert answer.exit_code == Refused.exit_code
    assert Code.COLUMNS_DIFFER.value in answer.out
    (tried,) = exchanged.json(*command)["deliveries"]
    assert tried["refusal"]["code"] == Code.COLUMNS_DIFFER.value


def test_a_delivery_with_too_many_bad_rows_is_refused_with_all_of_its_findings(exchanged: Desk, tmp_path: Path) -> None:
    file = write(tmp_path / "many.csv", members(150, bad_share=0.3))
    answer = exchanged.type("check", file, "--feed", "aeo-members")
    assert answer.exit_code == Refused.exit_code
    (tried,) = exchanged.json("check", file, "--feed", "aeo-members")["deliveries"]
    assert tried["refusal"]["code"] == Code.TOO_MANY_REJECTED.value
    assert tried["findings"]
    assert tried["received"] == 150
    assert tried["accepted"] == 0
    assert sum(finding["count"] for finding in tried["findings"]) >= tried["rejected"] > 0


def test_a_sealed_delivery_is_opened_by_the_site_and_by_nobody_else(exchanged: Desk, tmp_path: Path) -> None:
    from pipeline.edges.sealing import seal

    recipient = Keyring.open(exchanged.site / "keys").opening.recipient
    file = write(tmp_path / "list.csv.age", seal((exchanged.directory / "good.csv").read_bytes(), [recipient]))
    assert exchanged.type("check", file, "--feed", "aeo-members").exit_code == 0
    alone = exchanged.type("check", file, "--feed", "aeo-members", "--catalogue", exchanged.catalogue)
    assert alone.exit_code == Misconfigured.exit_code
    assert "before it was sealed" in alone.err


def test_the_two_kinds_of_files_are_told_apart(exchanged: Desk) -> None:
    delivery = exchanged.type("check", exchanged.directory / "good.csv")
    assert delivery.exit_code == Misconfigured.exit_code
    assert "--feed FEED" in delivery.err
    assert exchanged.type("check", "--feed", "aeo-members").exit_code == 2
    unknown = exchanged.type("check", exchanged.directory / "good.csv", "--feed", "nobody")
    assert Code.UNKNOWN_FEED.value in unknown.err

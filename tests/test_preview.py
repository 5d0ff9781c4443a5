"""`safeconduct preview`: the release as it would be, by the journey itself; nothing is published, and what blocks is said."""

import io
import re
from pathlib import Path

import polars as pl
import pytest

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.edges.site import Site
from tests.desk import Desk, members, write


def delivered(rows: int = 150) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(members(rows)), infer_schema=False)


def test_an_agreement_alone_is_previewed_on_a_synthetic_delivery(exchanged: Desk) -> None:
    answer = exchanged.type("preview", "pnr-eu-piu")
    assert answer.exit_code == 0, answer.said
    told = exchanged.json("preview", "pnr-eu-piu")
    assert told["synthetic"] is True
    assert told["preview"]["manifest"]["rows"]["released"] > 0
    assert told["blocked_by"] == []


def test_the_preview_is_what_the_release_then_holds(exchanged: Desk, tmp_path: Path) -> None:
    file = exchanged.directory / "good.csv"
    told = exchanged.json("preview", "aeo-mutual-recognition", "--delivery", file, "--rows", "1000")
    (part,) = told["preview"]["parts"]
    opened = []
    for one in exchanged.json("releases", "--recipient", "eu-customs")["releases"]:
        identity, out = exchanged.identity("eu-customs"), tmp_path / one["release"]
        parts = exchanged.json("open", one["release"], "--identity", identity, "--out", out)["parts"]
        opened.append(pl.concat(pl.read_csv(part["file"], infer_schema=False) for part in parts).to_dicts())
    assert part["first_rows"] in opened
    assert part["rows"] == len(part["first_rows"]) == told["preview"]["manifest"]["rows"]["released"]


def test_so_many_rows_and_only_the_columns_that_are_asked_for_are_shown(exchanged: Desk) -> None:
    file = exchanged.directory / "push.edi"
    command = ("preview", "pnr-eu-piu", "--delivery", file, "--rows", "2", "--column", "surname")
    (part,) = exchanged.json(*command)["preview"]["parts"]
    assert [set(row) for row in part["first_rows"]] == [{"release_row", "surname"}] * 2
    answer = exchanged.type(*command)
    assert part["first_rows"][0]["surname"] in answer.out
    assert "row 2" in answer.out
    assert "row 3" not in answer.out
    assert "nationality" not in answer.out
    none = exchanged.json("preview", "pnr-eu-piu", "--delivery", file, "--rows", "0")["preview"]
    assert all(part["first_rows"] == [] for part in none["parts"])


def test_a_column_that_is_not_released_is_not_shown_and_one_is_told_where_to_look(exchanged: Desk) -> None:
    answer = exchanged.type("preview", "aeo-statistics", "--column", "tin")
    assert answer.exit_code == Misconfigured.exit_code
    assert Code.COLUMN_UNKNOWN.value in answer.err
    assert "safeconduct explain aeo-statistics" in answer.err


def test_nothing_is_published_recorded_or_left_behind(
    exchanged: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    before = exchanged.stored()
    assert exchanged.type("preview", "aeo-statistics", "--delivery", exchanged.directory / "good.csv").exit_code == 0
    assert exchanged.stored() == before
    assert list((tmp_path / "temporary").rglob("*")) == []


def test_no_clear_row_is_on_disk_while_the_stage_stands(exchanged: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.console import glimpse

    cells = [cell.encode() for cell in delivered()["legal_name"].drop_nulls() if len(cell) > 8]
    seen: list[bytes] = []
    previewed = glimpse.previewed

    def looked(*arguments: object) -> object:
        made = previewed(*arguments)  # type: ignore[arg-type]
        seen.extend(path.read_bytes() for path in arguments[0].directory.rglob("*") if path.is_file())  # type: ignore[attr-defined]
        return made

    monkeypatch.setattr(glimpse, "previewed", looked)
    file = exchanged.directory / "good.csv"
    assert exchanged.type("preview", "aeo-mutual-recognition", "--delivery", file).exit_code == 0
    assert len(seen) > 5
    assert [cell for cell in cells for content in seen if cell in content] == []


def test_the_rows_that_a_rule_keeps_back_are_named_by_their_place(exchanged: Desk) -> None:
    file = exchanged.directory / "good.csv"
    told = exchanged.json("preview", "aeo-mutual-recognition", "--delivery", file)["preview"]
    by_rule = {name: count for name, count in told["manifest"]["rows"]["by_rule"].items() if count}
    assert {one["rule"]: one["count"] for one in told["kept_back"]} == by_rule
    rows = delivered()
    for one in told["kept_back"]:
        assert one["clause"]
        assert 0 < len(one["positions"]) <= min(20, one["count"])
    withheld = next(one for one in told["kept_back"] if one["rule"] == "consented")
    assert {rows["benefit_consent"][position - 1] for position in withheld["positions"]} == {"N"}


def test_pseudonyms_of_a_preview_are_not_those_of_a_release_nor_of_another_preview(exchanged: Desk) -> None:
    command = ("preview", "pnr-police-liaison", "--delivery", exchanged.directory / "push.edi", "--rows", "30")

    def pseudonyms() -> set[str]:
        (part,) = exchanged.json(*command, "--column", "record_locator")["preview"]["parts"]
        return {row["record_locator"] for row in part["first_rows"]}

    assert pseudonyms()
    assert pseudonyms() & pseudonyms() == set()


def test_a_day_can_be_chosen_for_rules_that_look_at_the_clock(exchanged: Desk) -> None:
    command = ("preview", "us-eu-pnr-border", "--delivery", exchanged.directory / "push.edi")
    today = exchanged.json(*command)["preview"]
    assert today["manifest"]["rows"]["released"] == 0
    assert "no part" in exchanged.type(*command).out
    then = exchanged.json(*command, "--on", "2027-02-28")["preview"]
    assert then["manifest"]["rows"]["released"] > 0
    assert then["manifest"]["created_at"].startswith("2027-02-28T00:00")


# What stands in the way


def test_a_draft_is_previewed_and_said_to_be_one(desk: Desk) -> None:
    desk.edit("agreements/aeo-mutual-recognition.toml", '{ to = "active"', '{ to = "draft"')
    command = ("preview", "aeo-mutual-recognition", "--delivery", desk.directory / "good.csv")
    told = desk.json(*command)
    assert [block["code"] for block in told["blocked_by"]] == [Code.AGREEMENT_NOT_ACTIVE.value]
    assert told["preview"]["manifest"]["rows"]["released"] > 0
    answer = desk.type(*command)
    assert answer.exit_code == 0
    assert f"would release nothing [{Code.AGREEMENT_NOT_ACTIVE.value}]" in answer.out


def test_an_agreement_for_which_nobody_declared_anything_is_previewed_and_so_said(desk: Desk) -> None:
    path = desk.catalogue / "agreements/aeo-statistics.toml"
    text = path.read_text()
    head, _, rest = text.partition("[declared]\n")
    path.write_text(head + rest.partition("\n\n")[2])
    told = desk.json("preview", "aeo-statistics", "--delivery", desk.directory / "good.csv")
    assert [block["code"] for block in told["blocked_by"]] == [Code.PURPOSE_MISSING.value]
    assert told["preview"]["made_up"]["purpose"] == "statistics"
    answer = desk.type("preview", "aeo-statistics", "--delivery", desk.directory / "good.csv")
    assert "made up a declaration" in answer.out
    assert "safeconduct declare aeo-statistics" in answer.out


def test_a_condition_that_is_not_shown_is_said_and_the_release_is_previewed(desk: Desk) -> None:
    desk.edit(
        "agreements/aeo-statistics.toml",
        "[declared]",
        '[conditions.case]\nkind = "case-reference"\nclause = "Art. 1"\n\n[declared]',
    )
    desk.edit("agreements/aeo-statistics.toml", 'format = "csv"', 'format = "csv"\nrequires = ["case"]')
    told = desk.json("preview", "aeo-statistics", "--delivery", desk.directory / "good.csv")
    assert [block["code"] for block in told["blocked_by"]] == [Code.CONDITION_MISSING.value]
    assert [one["condition"] for one in told["preview"]["manifest"]["purpose"]["conditions"]] == ["case"]


def test_a_recipient_without_a_key_is_said_and_the_release_is_previewed(desk: Desk) -> None:
    Site.open(desk.site).keyring.recipients_path("trade-statistics").unlink()
    told = desk.json("preview", "aeo-statistics", "--delivery", desk.directory / "good.csv")
    assert [block["code"] for block in told["blocked_by"]] == [Code.PARTNER_KEY_MISSING.value]
    assert told["preview"]["manifest"]["rows"]["released"] > 0


def test_an_agreement_that_nobody_signed_is_previewed_where_the_site_asks_for_signatures(desk: Desk) -> None:
    settings = desk.site / "site.toml"
    settings.write_text("signed_agreements = true\n" + settings.read_text())
    told = desk.json("preview", "aeo-statistics", "--delivery", desk.directory / "good.csv")
    assert [block["code"] for block in told["blocked_by"]] == [Code.AGREEMENT_UNSIGNED.value]
    assert told["preview"]["manifest"]["rows"]["released"] > 0


def test_a_later_version_can_be_previewed_before_it_begins(desk: Desk) -> None:
    text = (desk.catalogue / "agreements/aeo-statistics.toml").read_text()
    text = text.replace('id = "aeo-statistics"', 'id = "aeo-statistics"\nversion = 2')
    text = text.replace("smallest_cell = 11", "smallest_cell = 30")
    text = re.sub(
        r"(?m)^in_force = .*$", "in_force = { from = 2030-01-01T00:00:00Z, until = 2035-01-01T00:00:00Z }", text
    )
    write(desk.catalogue / "agreements/aeo-statistics.v2.toml", text.encode())
    command = ("preview", "aeo-statistics", "--delivery", desk.directory / "good.csv")
    first, second = desk.json(*command), desk.json(*command, "--version", "2")
    assert (first["version"], second["version"]) == (1, 2)
    suppressed = [told["preview"]["manifest"]["rows"]["suppressed"] for told in (first, second)]
    assert suppressed[0] < suppressed[1]
    assert second["blocked_by"]
    assert desk.type(*command, "--version", "3").exit_code == Misconfigured.exit_code


# Refusals


def test_a_file_that_would_be_refused_has_no_preview_and_exits_as_refused(exchanged: Desk) -> None:
    answer = exchanged.type("preview", "aeo-statistics", "--delivery", exchanged.directory / "refused.csv")
    assert answer.exit_code == Refused.exit_code
    assert Code.COLUMNS_DIFFER.value in answer.out
    told = exchanged.type("preview", "aeo-statistics", "--delivery", exchanged.directory / "refused.csv", "--json")
    assert told.exit_code == Refused.exit_code
    assert told.document["preview"] is None
    none = exchanged.type("preview", "aeo-statistics", "--delivery", exchanged.directory / "none")
    assert none.exit_code == Misconfigured.exit_code


def test_what_a_gate_refuses_is_refused_with_its_reason(desk: Desk) -> None:
    """The released country is also a withheld region's value: set a group so large that no lot can meet it."""
    path = desk.catalogue / "agreements/aeo-mutual-recognition.toml"
    risk = '[risk]\ncolumns = ["country", "city"]\nsmallest_group = 10000\notherwise = "refuse"\nclause = "item 2"\n\n'
    path.write_text(path.read_text().replace("[handling]\n", f"{risk}[handling]\n"))
    answer = desk.type("preview", "aeo-mutual-recognition", "--delivery", desk.directory / "good.csv")
    assert answer.exit_code == Refused.exit_code
    assert Code.GROUP_TOO_SMALL.value in answer.err


def test_an_agreement_whose_cases_fail_has_no_preview(desk: Desk) -> None:
    path = desk.catalogue / "agreements/aeo-mutual-recognition.toml"
    case = '[[cases]]\ntitle = "A member without consent"\nrow = { country = "DE" }\nreleased = { country = "DE" }\n'
    path.write_text(f"{path.read_text()}\n{case}")
    answer = desk.type("preview", "aeo-mutual-recognition", "--delivery", desk.directory / "good.csv")
    assert answer.exit_code == Misconfigured.exit_code
    assert Code.AGREEMENT_UNSOUND.value in answer.err


def test_the_help_warns_that_values_are_shown(exchanged: Desk) -> None:
    assert "SHOWS VALUES" in exchanged.type("preview", "--help").out


def test_a_cell_cannot_command_the_terminal(exchanged: Desk, tmp_path: Path) -> None:
    content = members(20).replace(b"Foods", b"Fo\x1b[2Jds").replace(b"Machines", b"Ma\x1b[2Jines")
    file = write(tmp_path / "escape.csv", content)
    answer = exchanged.type("preview", "aeo-mutual-recognition", "--delivery", file, "--rows", "20")
    assert "\x1b[2J" not in answer.said

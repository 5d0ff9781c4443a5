"""The how-to `add-an-agreement`, done as it stands: one file, seen by explain and preview, changed, stopped by the diff, signed."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.edges.opening import sign, signer_line
from pipeline.edges.registered import AGREEMENTS
from tests.desk import ROOT, Desk, desk_in

HOW_TO = (ROOT / "docs/how-to/add-an-agreement.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", HOW_TO, re.MULTILINE | re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk at which the how-to's two files were written."""
    shutil.copytree(ROOT / "catalogue", tmp_path / "catalogue")
    for folder, text in zip(("partners", "agreements"), blocks("toml"), strict=True):
        (tmp_path / "catalogue" / folder / f"{tomllib.loads(text)['id']}.toml").write_text(text, encoding="utf-8")
    return desk_in(tmp_path)


def amend(desk: Desk) -> None:
    """The how-to's own commands write the second version."""
    (script,) = [block for block in blocks("sh") if "sed -e" in block]
    subprocess.run(["bash", "-euc", script], cwd=desk.directory, check=True, timeout=10)


def test_one_file_is_a_sound_agreement_that_can_be_explained_and_previewed(desk: Desk) -> None:
    checked = desk.type("check")
    assert checked.exit_code == 0, checked.said
    explained = desk.json("explain", "port-warehouses")
    assert explained["may_release_now"]["yes"] is True
    assert [row["column"] for row in explained["columns"]] == ["tin", "legal_name", "country", "authorisation_date"]
    hidden = {row["column"]: row for row in explained["not_released"]}
    assert hidden["contact_name"]["clause"] == "D1"
    told = desk.json("preview", "port-warehouses", "--delivery", desk.directory / "good.csv", "--rows", "50")
    assert told["blocked_by"] == []
    assert told["preview"]["made_up"] is None
    (rest, names) = told["preview"]["parts"]
    assert set(names["columns"]) == {"release_row", "legal_name"}
    assert set(rest["columns"]) == {"release_row", "tin", "country", "authorisation_date"}
    assert all(re.fullmatch(r"[0-9]{4}", row["authorisation_date"]) for row in rest["first_rows"])


def test_a_changed_treatment_is_stopped_by_the_disclosure_diff(desk: Desk) -> None:
    amend(desk)
    checked = desk.type("check")
    assert checked.exit_code == Misconfigured.exit_code
    assert "2 of 2 approvals are missing" in checked.out
    stopped = desk.type("diff", "port-warehouses@1", "port-warehouses@2")
    assert stopped.exit_code == Refused.exit_code
    assert re.search(r"WIDENS +column authorisation_date", stopped.out)
    told = desk.json("preview", "port-warehouses", "--version", "2", "--delivery", desk.directory / "good.csv")
    shown = told["preview"]["parts"][0]["first_rows"]
    assert all(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", row["authorisation_date"]) for row in shown)
    assert told["blocked_by"]


def test_where_the_site_asks_for_it_only_a_signed_file_releases(desk: Desk) -> None:
    settings, path = desk.site / "site.toml", desk.catalogue / "agreements/port-warehouses.toml"
    settings.write_text("signed_agreements = true\n" + settings.read_text())

    def codes() -> list[str]:
        return [block["code"] for block in desk.json("explain", "port-warehouses")["may_release_now"]["blocked_by"]]

    assert codes() == [Code.AGREEMENT_UNSIGNED.value]
    officer = register_officer(desk)
    leant_on = ("instruments/eu-us-mutual-recognition.toml", "feeds/aeo-members.toml", "partners/port-authority.toml")
    for signed in (path, *(desk.catalogue / name for name in leant_on)):
        signed.with_name(f"{signed.name}.sig").write_bytes(sign([signed.read_bytes()], officer, namespace=AGREEMENTS))
    assert codes() == []
    path.write_text(path.read_text() + "\n# edited after it was signed\n")
    assert codes() == [Code.AGREEMENT_UNSIGNED.value]


def register_officer(desk: Desk) -> Ed25519PrivateKey:
    """The officer's new key, whose signatures the site takes."""
    officer = Ed25519PrivateKey.generate()
    path = desk.site / "keys/officers/allowed_signers"
    path.parent.mkdir()
    path.write_text(signer_line("privacy-officer", officer.public_key(), namespace=AGREEMENTS) + "\n")
    return officer

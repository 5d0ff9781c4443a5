"""What a partner gets to send a feed right: made from the feed's file and schema, and good for what it says."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.edges.catalogue import load
from pipeline.edges.schemas import schema_of
from tests.conformance import ROOT

CATALOGUE = str(ROOT / "catalogue")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    done = CliRunner().invoke(app, ["kit", "aeo-members", "--out", str(folder), "--catalogue", CATALOGUE])
    assert done.exit_code == 0, done.output
    return folder


def test_the_guide_tells_every_field_with_its_source(folder: Path) -> None:
    catalogue = load(ROOT / "catalogue")
    feed = catalogue.feed("aeo-members")
    guide = (folder / "README.md").read_text(encoding="utf-8")
    for column, source in schema_of(feed, catalogue.code_lists).sources.items():
        assert f"| `{column}` |" in guide
        assert source in guide
    assert "ssh-keygen -Y sign -n safeconduct" in guide
    assert "age -r" in guide


def test_the_answers_are_those_that_a_partner_may_get(folder: Path) -> None:
    answers = (folder / "answers.md").read_text(encoding="utf-8")
    assert "`too-many-rejected`" in answers
    assert "agreement-" not in answers


@pytest.mark.parametrize(("name", "exit_code"), [("good.csv", 0), ("bad-rows.csv", 0), ("refused.csv", 3)])
def test_its_samples_are_what_they_say(folder: Path, name: str, exit_code: int) -> None:
    sample = folder / "samples/aeo-members" / name
    done = CliRunner().invoke(app, ["check", str(sample), "--feed", "aeo-members", "--catalogue", CATALOGUE])
    assert done.exit_code == exit_code, done.output

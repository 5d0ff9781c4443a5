"""A release is made again: as it was, and as it would be now."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.console import again
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.formats.parts import part_bytes
from tests.desk import Desk, shown_values, values_delivered

AGREEMENT = "agreements/aeo-mutual-recognition.toml"


@pytest.fixture(scope="module")
def released(exchanged: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """For tests that leave everything as it is."""
    return exchanged.copied(tmp_path_factory.mktemp("again"))


@pytest.fixture
def spoilt(released: Desk, tmp_path: Path) -> Desk:
    """A copy that a test may spoil."""
    return released.copied(tmp_path)


def test_every_release_comes_out_again_as_it_was(released: Desk) -> None:
    before = released.stored()
    releases = [one["release"] for one in released.json("releases")["releases"]]
    compared = 0
    for release in releases:
        made = released.json("replay", release, "--as-was")
        assert (made["same"], made["missing"], made["changed"]) == (True, [], {}), release
        compared += len(made["parts"])
    assert compared >= 5
    assert released.stored() == before


def test_no_value_is_shown(released: Desk) -> None:
    release, values = released.releases()["eu-customs"], values_delivered()
    for how in ("--as-was", "--as-now"):
        for form in ((), ("--json",)):
            answer = released.type("replay", release, how, *form)
            assert answer.exit_code == 0
            assert shown_values(answer, values) == 0


def test_it_comes_out_as_it_was_whatever_the_catalogue_says_now(spoilt: Desk) -> None:
    release = spoilt.releases()["eu-customs"]
    spoilt.edit(AGREEMENT, '[columns.postcode]\ntreatment = "keep"', '[columns.postcode]\ntreatment = "withhold"')
    assert spoilt.json("replay", release, "--as-was")["same"]


def test_what_it_takes_and_is_gone_is_told_exactly(spoilt: Desk) -> None:
    release = spoilt.releases()["eu-customs"]
    chunks = sorted((spoilt.site / "stores/private/vault").rglob("*.age"))
    for chunk in chunks:
        chunk.unlink()
    answer = spoilt.type("replay", release, "--as-was")
    assert answer.exit_code == Misconfigured.exit_code
    assert "1 of 1 chunks of the vault are gone" in answer.said
    for text in (spoilt.site / "stores/private/policies").iterdir():
        text.unlink()
    missing = spoilt.json("replay", release, "--as-was")["missing"]
    assert [line for line in missing if "texts" in line and "not kept here" in line]


def test_a_writer_that_writes_otherwise_is_found_out(released: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def otherwise(frame: pl.DataFrame, form: object) -> bytes:
        return part_bytes(frame, "csv") + b"\n"

    monkeypatch.setattr(again, "part_bytes", otherwise)
    answer = released.type("replay", released.releases()["eu-customs"], "--as-was")
    assert answer.exit_code == Conflict.exit_code
    assert "differs" in answer.said


def test_what_today_s_agreement_would_make_of_it_is_told_in_counts(spoilt: Desk) -> None:
    release = spoilt.releases()["eu-customs"]
    same = spoilt.json("replay", release, "--as-now")
    assert not same["disclosure"]["differences"]
    assert same["rows_then"] == same["rows_now"]
    assert not any(one["differ"] for one in same["cells"])
    spoilt.edit(AGREEMENT, '[columns.postcode]\ntreatment = "keep"', '[columns.postcode]\ntreatment = "withhold"')
    narrowed = spoilt.json("replay", release, "--as-now")
    (difference,) = narrowed["disclosure"]["differences"]
    assert (difference["subject"], difference["effect"]) == ("postcode", "sees less")
    (cells,) = [one for one in narrowed["cells"] if one["column"] == "postcode"]
    assert (cells["after"], cells["before"] > 0) == (None, True)


def test_a_terminated_agreement_makes_nothing_now_but_shows_what_it_made_then(spoilt: Desk) -> None:
    release = spoilt.releases()["eu-customs"]
    spoilt.edit(
        AGREEMENT,
        'Committee" }]',
        'Committee" }, { to = "terminated", since = 2026-01-01T00:00:00Z, reason = "ended" }]',
    )
    answer = spoilt.type("replay", release, "--as-now")
    assert (answer.exit_code, Code.AGREEMENT_NOT_ACTIVE.value in answer.said) == (Refused.exit_code, True), answer.said
    assert spoilt.json("replay", release, "--as-was")["same"]


def test_it_is_one_or_the_other(released: Desk) -> None:
    answer = released.type("replay", released.releases()["eu-customs"], "--as-was", "--as-now")
    assert (answer.exit_code, "one at a time" in answer.said) == (2, True)

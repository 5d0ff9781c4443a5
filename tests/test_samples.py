"""Synthetic deliveries: the same bytes for a seed, and what each is for."""

import hashlib
import io
import tomllib
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Finding, Tally
from pipeline.core.validation import compile_schema, rejected
from pipeline.formats.batch import Limits
from pipeline.formats.csv import Csv
from samples import __main__ as command
from samples import aeo_members
from schemas.aeo_members import SCHEMA
from tests.code_lists import LISTS

COMPILED = compile_schema(SCHEMA, LISTS)


def aeo(operators: int, seed: int = 1, bad_share: float = 0.0) -> bytes:
    out = io.BytesIO()
    aeo_members.write(out, operators=operators, seed=seed, bad_share=bad_share)
    return out.getvalue()


def read(delivery: bytes) -> tuple[pl.DataFrame, int, tuple[Finding, ...]]:
    """The rows, how many are rejected, and why."""
    frame = pl.concat([batch.frame for batch in Csv().read([delivery], COMPILED.columns, Limits())])
    tally = Tally()
    return frame, int(rejected(COMPILED, frame, tally).sum()), tally.findings()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert aeo(500, seed=3) == aeo(500, seed=3)
    assert aeo(500, seed=3) != aeo(500, seed=4)


def test_the_bytes_of_a_seed_are_those_of_every_installation() -> None:
    digest = hashlib.sha256(aeo(1000, seed=1, bad_share=0.1)).hexdigest()
    assert digest == "9892f1a3a1211e17dd20727dac76c02c62d3a878c01fb3716b7ab66f02782669"


def test_a_list_does_not_depend_on_how_many_rows_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = aeo(300, bad_share=0.2)
    monkeypatch.setattr(aeo_members, "ROWS_AT_ONCE", 77)
    assert aeo(300, bad_share=0.2) == whole


def test_a_good_list_has_no_bad_row_and_no_doubled_key() -> None:
    frame, bad, findings = read(aeo(20_000))
    assert (frame.height, bad, findings) == (20_000, 0, ())
    assert frame["tin"].n_unique() == 20_000


def test_bad_rows_are_as_many_as_written_says_and_break_many_rules() -> None:
    out = io.BytesIO()
    written = aeo_members.write(out, operators=20_000, seed=1, bad_share=0.05)
    frame, bad, findings = read(out.getvalue())
    assert (frame.height, bad) == (written.rows, written.bad_rows)
    assert 900 < bad < 1_100
    assert len({(finding.column, finding.rule) for finding in findings}) >= 9


def test_a_list_has_quoted_cells_small_groups_and_every_status() -> None:
    delivery = aeo(20_000)
    frame, *_ = read(delivery)
    groups = frame.group_by("country", "program_status").len()["len"]
    assert groups.min() == 1
    assert (groups >= 11).sum() > 50
    assert frame["program_status"].n_unique() == 10
    names = frame["legal_name"].str
    assert 0 < names.contains('"', literal=True).sum() < 1_000
    assert names.contains(r"[^\x00-\x7f]").any()
    assert frame["trade_names"].str.contains("\n", literal=True).any()


def test_what_the_provider_keeps_for_itself_is_repeated_nowhere() -> None:
    frame, *_ = read(aeo(5_000))
    kept = ("contact_name", "contact_email", "suspension_reason")
    shared = (
        frame.drop("_position", *kept).select(pl.concat_str(pl.all(), separator="\n", ignore_nulls=True)).to_series()
    )
    rows = frame.select(kept).with_columns(row=shared)
    for column in kept:
        assert not rows.select(pl.col("row").str.contains(pl.col(column), literal=True).any()).item()


@pytest.mark.parametrize(
    ("variant", "code"),
    [
        ("wrong-columns", Code.COLUMNS_DIFFER),
        ("doubled-column", Code.COLUMNS_DIFFER),
        ("missing-column", Code.COLUMNS_DIFFER),
        ("wrong-encoding", Code.ENCODING_INVALID),
        ("empty", Code.DELIVERY_EMPTY),
        ("unterminated-quote", Code.RECORD_MALFORMED),
    ],
)
def test_a_variant_is_refused_by_the_reader(variant: str, code: Code) -> None:
    with pytest.raises(Refused) as caught:
        read(aeo_members.VARIANTS[variant]())
    assert caught.value.code is code


def test_the_other_variants_are_read_and_are_wrong_in_their_rows() -> None:
    share = tomllib.loads(Path("catalogue/feeds/aeo-members.toml").read_text())["acceptance"]["max_rejected_share"]
    frame, bad, _ = read(aeo_members.VARIANTS["mostly-bad"]())
    assert bad > frame.height * max(share, 0.5)
    frame, bad, findings = read(aeo_members.VARIANTS["one-bad-cell"]())
    assert (bad, findings) == (1, (Finding("date", "status_effective_date", 1, (12,)),))
    frame, bad, _ = read(aeo_members.VARIANTS["doubled-key"]())
    assert (bad, frame["tin"].is_duplicated().sum()) == (0, 2)
    assert frame.height * share > 2


def test_the_small_samples_are_a_good_one_a_partly_bad_one_and_a_refused_one_for_each_feed(tmp_path: Path) -> None:
    samples = command.write_small(tmp_path)
    assert {sample.feed for sample in samples} == {path.stem for path in Path("catalogue/feeds").glob("*.toml")} - {
        "register"
    }, "the register writes its own delivery"
    for feed in command.FEEDS:
        expected = [sample.expectation for sample in samples if sample.feed == feed]
        assert expected == ["released", "released without bad rows", "refused"]
    by_expectation = {sample.expectation: sample.path for sample in samples if sample.feed == "aeo-members"}
    assert read(by_expectation["released"].read_bytes())[1] == 0
    assert read(by_expectation["released without bad rows"].read_bytes())[1] > 0
    with pytest.raises(Refused):
        read(by_expectation["refused"].read_bytes())


def test_the_small_samples_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = (command.write_small(tmp_path / name) for name in ("a", "b"))
    assert [one.path.read_bytes() for one in first] == [other.path.read_bytes() for other in second]


def _run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command._main)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    code, output = _run(str(tmp_path), "--size", "30", "--feed", "aeo-members", "--seed", "5")
    path = tmp_path / "aeo-members" / "good-30.csv"
    assert code == 0
    assert path.read_bytes() == aeo(30, seed=5)
    assert output.split() == [str(path), str(path.stat().st_size), "bytes", "will", "be", "released"]


@pytest.mark.parametrize("wrong", [("--size", "0"), ("--size", "many"), ("--feed", "no-such-feed"), ("--seed", "-1")])
def test_the_command_refuses_what_it_does_not_know(tmp_path: Path, wrong: tuple[str, str]) -> None:
    code, output = _run(str(tmp_path), *wrong)
    assert code == 2
    assert wrong[0] in output
    assert not list(tmp_path.iterdir())

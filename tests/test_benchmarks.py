"""The benchmark measures whole work: every contender runs, and who makes other rows is found out."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyrage  # type: ignore[import-untyped]
import pytest

from benchmarks import checks, floor, ground, interchanges, ledger, ours, peer, plain, seals, steps
from benchmarks.aims import aims
from benchmarks.figures import Figure, Figures, Rival
from benchmarks.measuring import measure
from benchmarks.report import text
from pipeline.edges.roles import read_identity

ROWS = 2_000


@pytest.fixture(scope="module")
def traders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ground.make(str(tmp_path_factory.mktemp("bench") / "traders"), "aeo-members", ROWS, "csv")


@pytest.fixture(scope="module")
def ran(traders: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the three contenders say of the same delivery."""
    return {
        "floor": floor.run(traders, "floor"),
        "ours": ours.run(traders, "ours"),
        "peer": peer.run(traders, "peer"),
    }


def test_the_contenders_make_the_same_rows_of_one_delivery(
    traders: dict[str, Any], ran: dict[str, dict[str, Any]]
) -> None:
    assert ran["floor"]["received"] == ran["ours"]["received"] == ran["peer"]["received"] == ROWS
    assert ran["ours"]["rejected"] == ran["peer"]["rejected"] == traders["bad_rows"] > 0
    assert checks.same_rows(traders) == ROWS
    assert checks.same_release(traders, "ours", "peer") == ran["ours"]["released"] == ran["peer"]["released"] > 0


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.with_columns(tin=pl.col("tin").str.reverse()),
        lambda rows: rows.head(-1),
        lambda rows: rows.reverse(),
        lambda rows: rows.drop("region"),
        lambda rows: rows.with_columns(suspension_date=pl.lit(None, dtype=pl.String)),
    ],
    ids=["a pseudonym", "a row less", "another order", "a column less", "absent cells"],
)
def test_a_peer_that_releases_other_rows_is_found(
    traders: dict[str, Any], ran: dict[str, dict[str, Any]], change: Any, tmp_path: Path
) -> None:
    assert ran
    secret = read_identity((Path(traders["directory"]) / "demo" / "eu-customs.identity.txt").read_bytes()).secret
    identity = pyrage.x25519.Identity.from_str(secret)
    honest = pyrage.decrypt((Path(traders["directory"]) / "peer" / "part.csv.age").read_bytes(), [identity])
    changed = change(pl.read_csv(honest, infer_schema=False)).write_csv().encode()
    (folder := tmp_path / "other").mkdir()
    (folder / "part.csv.age").write_bytes(pyrage.encrypt(changed, [identity.to_public()]))
    with pytest.raises(checks.DiffersError):
        checks.same_release(traders, "ours", str(folder))


def test_a_floor_that_reads_other_rows_is_found(traders: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    honest = floor.read(ground.Ground(**traders))
    for other in (
        honest.head(-1),
        honest.reverse(),
        honest.with_columns(region=pl.lit("")),
        pl.concat([honest, honest]),
    ):
        monkeypatch.setattr(floor, "read", lambda _, other=other: other)
        with pytest.raises(checks.DiffersError):
            checks.same_rows(traders)


def test_a_contender_is_measured_in_a_process_of_its_own(traders: dict[str, Any]) -> None:
    measured = measure("floor:run", ground=traders, name="measured")
    assert measured.returned == {"received": ROWS}
    assert 0 < measured.seconds < 60
    assert 0 < measured.imported_bytes <= measured.peak_bytes


def test_a_contender_that_fails_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="measuring:nothing failed"):
        measure("measuring:nothing")


def test_every_step_of_both_feeds_is_timed(traders: dict[str, Any], tmp_path: Path) -> None:
    named = {step["step"] for step in steps.run(traders, "steps")}
    assert {"sweep: read and hash", "receive: parse", "receive: validate", "release: redact", "release: clear"} <= named
    flown = ground.make(str(tmp_path / "flown"), "pnr-push", 100, "parquet")
    assert ours.run(flown, "ours")["received"] == 100
    assert plain.run(flown)["elements"] > plain.run(flown)["segments"] > 100
    assert named > {step["step"] for step in steps.run(flown, "steps")} - {"receive: open"}


def test_sealing_is_compared_with_what_opens_it() -> None:
    figures = seals.run(1, 1)
    assert set(figures) >= {"seal_mb_per_second", "pyrage_seal_mb_per_second", "seal_ratio", "open_ratio"}
    assert set(figures) >= {"seal_blocks_ratio", "open_blocks_ratio", "hybrid_seal_mb_per_second"}


def test_a_missed_aim_says_what_stands_in_the_way() -> None:
    rival = Rival(seconds=1.0, cpu_seconds=1.0, ratio=2.0, peak_bytes=10**9)
    small = Figure(
        feed="aeo-members",
        form="csv",
        rows=100_000,
        rejected=1,
        released=1,
        size_bytes=10**6,
        rounds=1,
        seconds=2.0,
        cpu_seconds=2.0,
        stages={},
        peak_bytes=10**8,
        imported_bytes=10**8,
        rivals={"floor": rival, "peer": replace(rival, ratio=1 / 20)},
    )
    large = replace(small, rows=1_000_000)
    seals_ = dict.fromkeys(seals.run(1, 1), 1000.0)
    flown = replace(small, rivals={"plain": rival})
    good = Figures("a machine", [small, large], flown, seals_)
    assert [aim.met for aim in aims(good)] == [True, True, True, True]
    slow = replace(large, rivals={"floor": replace(rival, ratio=3.1)}, peak_bytes=10**9)
    bad = replace(
        good,
        traders=[replace(small, rivals={**small.rivals, "peer": rival}), slow],
        seals={**seals_, "open_mb_per_second": 999.0},
    )
    assert [aim.met for aim in aims(bad)] == [False, False, False, False]
    assert text(bad).count("In the way: ") == 4
    assert [aim.met for aim in aims(replace(good, traders=[replace(small, rows=2_000)]))] == [None, None, None, True]
    assert json.dumps(text(good))


@pytest.mark.parametrize("kind", ["PNRGOV", "PAXLST"])
def test_pydifact_finds_the_segments_and_travellers_that_we_find(kind: interchanges.Kind, tmp_path: Path) -> None:
    delivery = str(tmp_path / "delivery")
    made = interchanges.make(delivery, kind, 40)

    around = len(("UNA", "UNB", "UNZ"))
    assert interchanges.same(delivery, kind) == interchanges.theirs(delivery) == interchanges.floor(delivery) - around
    assert interchanges.ours(delivery, kind) == made["rows"] == 40


@pytest.mark.parametrize(("old", "new"), [(b"'MSG", b"'XXX+1'MSG"), (b"TIF+", b"TIF+X")])
def test_another_segment_or_traveller_of_pydifacts_is_found(
    old: bytes, new: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery, changed = tmp_path / "interchange", tmp_path / "changed"
    interchanges.make(str(delivery), "PNRGOV", 4)
    changed.write_bytes(delivery.read_bytes().replace(old, new, 9))
    theirs = interchanges._pydifact
    monkeypatch.setattr(interchanges, "_pydifact", lambda _: theirs(str(changed)))

    with pytest.raises(RuntimeError):
        interchanges.same(str(delivery), "PNRGOV")


def test_an_append_costs_the_same_in_a_ledger_of_any_length() -> None:
    figures = ledger.run([3, 300, 70_000], 3)
    for one in figures["sizes"]:
        assert one["warm"]["reads"] == 1
        assert 5 <= one["warm"]["writes"] < 6
        assert one["fresh"]["reads"] <= 2 * one["size"].bit_length() + 16
        assert one["proof"]["reads"] <= 10
    assert figures["disk_milliseconds"] > 0

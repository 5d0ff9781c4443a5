"""The row rules of a status, held to a plain replay of what happened: the same rows are taken and rejected."""

import random

import pytest

from pipeline.core.findings import Tally
from pipeline.core.validation import rejected
from pipeline.formats.batch import Limits
from pipeline.formats.csv import Csv
from samples.air_cargo import STATUSES
from samples.small_lists import Row
from schemas.acas_status import HOLDS, STATES
from tests.drawn import compiled_once

ROWS = 4000
AT = [f"2026-11-21T{hour:02d}:00Z" for hour in range(9, 14)]
KINDS = [(kind, f"{digit}I") for kind, digit in HOLDS.items()]
HAPPENINGS = ["filed", "answered", "referred", *(f"{kind}_held" for kind in HOLDS), "resolved"]
HAPPENINGS += [*(f"{kind}_closed" for kind in HOLDS), "released", "loaded"]
"""In this order where they happened in one minute."""
TOLD_WITH = {"answer": "answered", "referral": "referred", "release": "released"}
TOLD_WITH |= {f"{kind}_hold": f"{kind}_held" for kind in HOLDS} | {
    f"{kind}_closed_by": f"{kind}_closed" for kind in HOLDS
}


def may_happen(name: str, row: Row, done: set[str]) -> bool:
    """Whether it may happen after all that is done."""
    held = [kind for kind in HOLDS if f"{kind}_held" in done and f"{kind}_closed" not in done]
    asked = "referred" in done and "resolved" not in done
    received = "answered" in done and row["answer"] == "SR"
    if name.endswith("_closed"):
        return name.replace("_closed", "_held") in done
    codes = ["SF", *(row[f"{kind}_closed_by"] for kind in HOLDS)]
    return {
        "filed": True,
        "answered": "filed" in done,
        "referred": received and "released" not in done,
        "resolved": "referred" in done,
        "released": received and not held and not asked and row["release"] in codes,
        "loaded": "released" in done and not held,
    }.get(name, received)


def replayed(row: Row) -> bool:
    """Whether everything happened in an order in which it may, and is told as what it is."""
    if any(bool(row[cell]) != bool(row[f"{name}_at"]) for cell, name in TOLD_WITH.items()):
        return False
    happened = sorted((row[f"{name}_at"], place, name) for place, name in enumerate(HAPPENINGS) if row[f"{name}_at"])
    done: set[str] = set()
    for at, _, name in happened:
        if at > row["told_at"] or not may_happen(name, row, done):
            return False
        done.add(name)
    return row["status"] == ended(row, done)


def ended(row: Row, done: set[str]) -> str:
    held = [kind for kind in HOLDS if f"{kind}_held" in done and f"{kind}_closed" not in done]
    if "answered" not in done:
        return "FILED"
    if row["answer"] == "ERR":
        return "ERR"
    if held:
        return "CD" if "do_not_load" in held else "CB"
    if "released" in done:
        return "CO"
    return row["referral"] if "referred" in done and "resolved" not in done else "SR"


def drawn(chance: random.Random, base: Row) -> Row:
    """A status whose course is drawn: often in order, with one or another thing out of it, and mostly told as it ended."""
    row = base | {f"{name}_at": "" for name in HAPPENINGS} | dict.fromkeys(TOLD_WITH, "")
    row |= {"told_at": AT[-1], "filed_at": AT[0]}
    likely = chance.choice((0.02, 0.2, 0.4))
    some = {name for name in HAPPENINGS[1:] if chance.random() < likely}
    some |= {"answered"} if chance.random() < 0.9 else set()
    if chance.random() < 0.5:
        some |= {"released", "loaded"}
        some |= {f"{kind}_closed" for kind in HOLDS if f"{kind}_held" in some and chance.random() < 0.7}
        some |= {"resolved"} if "referred" in some else set()
    names = [name for name in HAPPENINGS if name in some]
    instants = sorted(chance.choices(AT, k=len(names))) if chance.random() < 0.7 else chance.choices(AT, k=len(names))
    row |= {f"{name}_at": at for name, at in zip(names, instants, strict=True)}
    row["answer"] = "ERR" if chance.random() < 0.1 else "SR"
    row |= {"referral": chance.choice(("RFI", "RFS")), "release": chance.choice(("SF", "6I", "7I", "8I"))}
    row |= {f"{kind}_hold": f"{own[0]}{chance.choice('HJ')}" for kind, own in KINDS}
    row |= {f"{kind}_closed_by": own for kind, own in KINDS}
    row |= {cell: "" for cell, name in TOLD_WITH.items() if not row[f"{name}_at"] and chance.random() < 0.98}
    row["status"] = ended(row, set(names))
    return row if chance.random() < 0.9 else row | {"status": chance.choice(STATES)}


@pytest.fixture(scope="module")
def courses() -> list[tuple[Row, bool]]:
    """Drawn statuses, each with whether the schema takes it."""
    chance, base = random.Random(23), STATUSES.rows(1)[0]
    rows = [drawn(chance, base) | {"waybill_kind": "HOUSE", "waybill": f"H{number}"} for number in range(ROWS)]
    rows = [row | {"master_waybill": "020-12345675"} for row in rows]
    compiled = compiled_once(STATUSES)
    bad = [
        said
        for batch in Csv().read([STATUSES.written(rows)], compiled.columns, Limits())
        for said in rejected(compiled, batch.frame, Tally()).to_list()
    ]
    return [(row, not said) for row, said in zip(rows, bad, strict=True)]


def test_the_rules_take_what_a_replay_takes(courses: list[tuple[Row, bool]]) -> None:
    differing = [number for number, (row, taken) in enumerate(courses) if taken != replayed(row)]
    assert differing == []


def test_nothing_that_is_taken_was_loaded_before_its_release_or_under_a_hold(courses: list[tuple[Row, bool]]) -> None:
    loaded = [row for row, taken in courses if taken and row["loaded_at"]]
    assert len(loaded) > 30
    for row in loaded:
        assert "" < row["released_at"] <= row["loaded_at"]
        for kind in HOLDS:
            held, closed = row[f"{kind}_held_at"], row[f"{kind}_closed_at"] or "9999"
            assert not held or not held <= row["loaded_at"] < closed


def test_the_drawn_courses_end_in_every_state_and_break_off_in_many_ways(courses: list[tuple[Row, bool]]) -> None:
    taken = [row["status"] for row, fine in courses if fine]
    assert set(taken) == set(STATES)
    assert ROWS // 10 < len(taken) < ROWS * 9 // 10

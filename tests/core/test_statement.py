"""A release's statement says what, why and of what, says it once, and holds no value."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.core.authority import authorise
from pipeline.core.conservation import RowCount
from pipeline.core.errors import Code, Refused
from pipeline.core.statement import PREDICATE_TYPE, STATEMENT_TYPE, Part, Source, read_statement, statement
from tests.core.builders import CANARY, agreement, assert_silent, columns, instant

PARTS = (
    Part("parts/aa.csv.age", "aa" * 32, 100, 5, ("country",), None),
    Part("parts/bb.csv.age", "bb" * 32, 200, 5, ("name",), instant(2025, 7)),
)
STATED = agreement(columns=columns(country="keep", name={"treatment": "mask", "until": "P6M"}))


def said(*parts: Part, at: Any = instant(2025)) -> bytes:  # noqa: B008
    return statement(
        authorise(STATED, agreement_digest="d" * 64, recipient_keys=("age1key",), at=at),
        release="test-agreement.lot",
        kept="lot",
        schema={"id": "members", "version": "1"},
        sources=[Source("e" * 64, 12, 10, 2)],
        parts=parts or PARTS,
        rows=RowCount(12, 10, 2, 5, 3, 0, 2, {"scope": 3, "consent": 2}),
        code_version="0",
    )


def test_a_statement_is_read_as_it_was_made() -> None:
    predicate = read_statement(said())
    assert predicate["agreement"]["digest"] == {"sha256": "d" * 64}
    assert predicate["recipient"] == {"id": "taker", "keys": ["age1key"]}
    assert predicate["purpose"] == {"declared": "control", "clause": "Art. 1"}
    assert predicate["columns"]["name"] == {"treatment": "mask", "clause": "Art. 2"}
    assert predicate["rows"]["by_rule"] == {"scope": 3, "consent": 2}
    assert predicate["made_of"]["deliveries"] == [{"delivery": "e" * 64, "received": 12, "accepted": 10, "rejected": 2}]
    assert predicate["parts"][1]["until"] == "2025-07-01T00:00:00+00:00"
    assert predicate["handling"]["delete_by"] == "2026-01-01T00:00:00+00:00"
    assert predicate["handling"]["marking"] == "TLP:AMBER"


def test_the_subjects_are_the_parts() -> None:
    whole = json.loads(said())
    assert (whole["_type"], whole["predicateType"]) == (STATEMENT_TYPE, PREDICATE_TYPE)
    assert whole["subject"] == [{"name": part.key, "digest": {"sha256": part.digest}} for part in PARTS]


def test_the_same_release_is_stated_in_the_same_bytes() -> None:
    assert said() == said()


def test_a_release_of_no_rows_has_no_parts() -> None:
    empty = json.loads(said())
    empty["subject"], empty["predicate"]["parts"] = [], []
    assert read_statement(as_bytes(empty))["parts"] == []


def as_bytes(whole: Any) -> bytes:
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def changed(**changes: Any) -> bytes:
    return as_bytes({**json.loads(said()), **changes})


FINE = json.loads(said())
WRONG = {
    "nothing": b"",
    "no text": b"\xff\xfe",
    "no object": b"[]\n",
    "a number": b"1\n",
    "deep": b"[" * 100_000,
    "another type": changed(_type=STATEMENT_TYPE + "0"),
    "another predicate": changed(predicateType="urn:other"),
    "no subject": changed(subject=[]),
    "one subject of two": changed(subject=FINE["subject"][:1]),
    "a subject more": changed(subject=[*FINE["subject"], {"name": CANARY, "digest": {"sha256": "cc" * 32}}]),
    "a subject twice": changed(subject=[*FINE["subject"], FINE["subject"][0]]),
    "another digest": changed(subject=[FINE["subject"][0], {"name": PARTS[1].key, "digest": {"sha256": "bc" * 32}}]),
    "a digest of another kind": changed(subject=[{"name": part.key, "digest": {"md5": part.digest}} for part in PARTS]),
    "no predicate": changed(predicate=None),
    "a predicate of text": changed(predicate=CANARY),
    "no parts": changed(predicate={CANARY: 1}),
    "parts twice": said(PARTS[0], replace(PARTS[0], rows=6)),
    "a key twice": said()[:-2] + b',"predicateType":"' + PREDICATE_TYPE.encode() + b'"}\n',
    "spaces": json.dumps(FINE, sort_keys=True).encode() + b"\n",
    "more behind": said() + b"\n",
    "lone surrogate": said().replace(b"A test", b"\\ud800"),
}


@pytest.mark.parametrize("how", sorted(WRONG))
def test_any_other_statement_is_refused(how: str) -> None:
    with pytest.raises(Refused) as refused:
        read_statement(WRONG[how])
    assert refused.value.code is Code.VERIFICATION_FAILED
    assert_silent(refused.value, CANARY)

"""Which push a message belongs to, and what is said where parts of one are missing or doubled."""

import pytest

from tests.formats.edifact_writer import IATA, Segment, c, interchange
from tests.formats.test_pnrgov import LEVEL0, PNR, batches, found, rows, tif

PUSH = ("push_kind", "pushed_at", "push_reference", "push_part")


def message(*, kind: str = "22", reference: str = "LH400/010327", part: str = "", travellers: int = 1) -> list[Segment]:
    """One message of a push; `part` as 01:C."""
    of = [c(*part.split(":")) if ":" in part else part] if part else []
    return [
        ("UNH", "1", c("PNRGOV", "13", "1", "IA"), reference, *of),
        ("MSG", c("", kind)),
        *LEVEL0[1:],
        *[segment for _ in range(travellers) for segment in (*PNR, tif())],
        ("UNT", "1", "1"),
    ]


def delivery(*messages: list[Segment], prepared: str = "270301:0754") -> bytes:
    whole = interchange()
    head = tuple(c(*prepared.split(":")) if at == 4 else element for at, element in enumerate(whole[0]))
    return IATA.write([head, *(segment for one in messages for segment in one), whole[-1]])


def pushes(content: bytes) -> list[tuple[str | None, ...]]:
    return [tuple(row.get(name) for name in PUSH) for row in rows(content)]


def test_each_row_tells_its_push() -> None:
    content = delivery(message(part="01:C", travellers=2), message(part="02:F"), message(kind="141", reference="LH401"))
    whole = ("FULL", "2027-03-01T07:54", "LH400/010327")
    assert pushes(content) == [(*whole, "1"), (*whole, "1"), (*whole, "2"), ("UPDATE", whole[1], "LH401", None)]


@pytest.mark.parametrize("kind", ["", "23", "0"])
def test_a_push_of_no_known_kind_is_said_and_not_guessed(kind: str) -> None:
    content = delivery(message(kind=kind))
    assert pushes(content) == [(None, "2027-03-01T07:54", "LH400/010327", None)]
    assert found(content)["tolerated-push-kind"] == (2,)


@pytest.mark.parametrize(
    ("prepared", "instant"),
    [
        ("270301:0754", "2027-03-01T07:54"),
        ("20270301:0754", "2027-03-01T07:54"),
        ("270229:0754", None),
        ("270301:2460", None),
        ("270301", None),
    ],
)
def test_when_it_was_made_is_an_instant_or_absent(prepared: str, instant: str | None) -> None:
    content = delivery(message(), prepared=f"{prepared}:" if ":" not in prepared else prepared)
    assert pushes(content)[0][1] == instant


@pytest.mark.parametrize(
    ("parts", "missing", "doubled"),
    [
        (["01:C", "02", "03:F"], 0, 0),
        (["03:F", "01:C", "02"], 3, 0),
        (["01:C", "03:F"], 1, 0),
        (["04:F"], 3, 0),
        (["01:C"], 1, 0),
        (["01:C", "03"], 2, 0),
        (["01:C", "01:C", "02:F"], 0, 1),
        (["01:C", "02:F", "02:F"], 0, 1),
        (["01:C", "02:F", "01:C", "02:F"], 0, 0),
    ],
)
def test_a_part_that_is_missing_or_comes_twice_is_said(parts: list[str], missing: int, doubled: int) -> None:
    told = {"tolerated-part-missing": 0, "tolerated-part-doubled": 0}
    for batch in batches(delivery(*(message(part=part) for part in parts))):
        for finding in batch.tolerated:
            if finding.rule in told:
                told[finding.rule] += finding.count
    assert told == {"tolerated-part-missing": missing, "tolerated-part-doubled": doubled}

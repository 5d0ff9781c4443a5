"""A reply says what the acknowledgement says, in the partner's format, and nothing of what the delivery said."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Finding
from pipeline.core.language.feed import Feed
from pipeline.formats.batch import Limits
from pipeline.formats.edifact import COMPONENT, ELEMENT, read_segments
from pipeline.formats.replies import SYNTAX_ERRORS, Acknowledged, Counts, Reply, reply, reply_to
from samples.preclear_apis import VARIANTS, good
from tests.exchange import Exchange

AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
DELIVERY = "0123456789abcdef" * 4
REFERENCE = "0123456789abcd"
FINDINGS = (
    Finding("tolerated-segment-count", "", 1, (40,)),
    Finding("date", "birth_date", 25, (14, 28)),
    Finding("required", "surname", 1, (52,)),
    Finding("unique", "surname, given_names", 2, (66, 80)),
)
COUNTS = Counts(received=40, accepted=12, rejected=28, findings=FINDINGS)
KINDS: dict[Reply, str] = {"contrl": "paxlst", "cusres": "cuscar", "ackres": "pnrgov"}


def acknowledged(kind: str = "paxlst", **said: Any) -> Acknowledged:
    return Acknowledged("example-air", kind, DELIVERY, AT, **said)


def refused(code: Code = Code.RECORD_MALFORMED, message: str = "Segment 17 is outside every message.") -> Acknowledged:
    return acknowledged(code=code, message=message)


def segments(content: bytes) -> list[str]:
    """The segments as the EDIFACT reader takes them, without findings: the envelope and its counts are right."""
    parts = list(read_segments([content], Limits()))
    assert not any(part.tolerated for part in parts)
    return [
        f"{tag}+{body.replace(ELEMENT, '+').replace(COMPONENT, ':')}"
        for part in parts
        for _, tag, body in part.frame.iter_rows()
    ]


def body(kind: Reply, said: Acknowledged) -> list[str]:
    return segments(reply(kind, said))[2:-2]


@pytest.mark.parametrize(
    ("kind", "envelope", "message"),
    [
        ("contrl", "UNB+UNOC:4+SAFECONDUCT+example-air+261121:1230+", "UNH+1+CONTRL:4:1:UN"),
        ("cusres", "UNB+UNOC:4+SAFECONDUCT+example-air+261121:1230+", "UNH+1+CUSRES:D:05B:UN"),
        ("ackres", "UNB+IATA:1+SAFECONDUCT+example-air+261121:1230+", "UNH+1+ACKRES:13:1:IA"),
    ],
)
def test_a_reply_is_an_interchange_of_one_message(kind: Reply, envelope: str, message: str) -> None:
    for said in (acknowledged(KINDS[kind], counts=COUNTS), refused()):
        read = segments(reply(kind, said))

        assert read[0] == envelope + REFERENCE
        assert read[1] == message
        assert read[-1] == f"UNZ+1+{REFERENCE}"


def test_contrl_acknowledges_the_interchange_and_its_messages() -> None:
    assert body("contrl", acknowledged(counts=COUNTS)) == [
        f"UCI+{REFERENCE}+example-air+SAFECONDUCT+7",
        f"UCM+{REFERENCE}+PAXLST:D:16B:UN+7",
    ]


def test_contrl_rejects_at_the_segment_that_the_refusal_names() -> None:
    assert body("contrl", refused()) == [
        f"UCI+{REFERENCE}+example-air+SAFECONDUCT+4+15",
        f"UCM+{REFERENCE}+PAXLST:D:16B:UN+4+15",
        "UCS+17+15",
    ]


@pytest.mark.parametrize("code", [code for code in Code if code in SYNTAX_ERRORS or code is Code.TOO_MANY_REJECTED])
def test_contrl_gives_each_refusal_its_syntax_error(code: Code) -> None:
    error = SYNTAX_ERRORS.get(code, "18")

    assert body("contrl", refused(code, "Nothing is named.")) == [f"UCI+{REFERENCE}+example-air+SAFECONDUCT+4+{error}"]


def test_cusres_tells_counts_and_each_place_of_a_finding() -> None:
    assert body("cusres", acknowledged(counts=COUNTS)) == [
        f"BGM+962+{REFERENCE}+11+CA",
        "FTX+AAH+++RECEIVED 40:ACCEPTED 12:REJECTED 28",
        f"RFF+TN:{DELIVERY}",
        *["ERP+2:40", "ERC+S10::ZZZ", "FTX+AAO+++row:tolerated-segment-count:COUNT 1"],
        *["ERP+2:14", "ERC+S01::ZZZ", "FTX+AAO+++birth_date:date:COUNT 25"],
        *["ERP+2:28", "ERC+S01::ZZZ", "FTX+AAO+++birth_date:date:COUNT 25"],
        *["ERP+2:52", "ERC+S02::ZZZ", "FTX+AAO+++surname:required:COUNT 1"],
        *["ERP+2:66", "ERC+S03::ZZZ", "FTX+AAO+++surname, given_names:unique:COUNT 2"],
        *["ERP+2:80", "ERC+S03::ZZZ", "FTX+AAO+++surname, given_names:unique:COUNT 2"],
    ]


def test_cusres_says_accepted_where_no_row_was_rejected_and_finds_a_place_for_none() -> None:
    said = Counts(3, 3, 0, (Finding("tolerated-part-missing", "", 1, ()),))

    assert body("cusres", acknowledged(counts=said)) == [
        f"BGM+962+{REFERENCE}+11+AP",
        "FTX+AAH+++RECEIVED 3:ACCEPTED 3:REJECTED 0",
        f"RFF+TN:{DELIVERY}",
        *["ERP+2", "ERC+S10::ZZZ", "FTX+AAO+++row:tolerated-part-missing:COUNT 1"],
    ]


@pytest.mark.parametrize(("message", "place"), [("Segment 17 is odd.", "ERP+2:17"), ("Too many.", "ERP+1")])
def test_cusres_rejects_with_the_code_of_the_refusal(message: str, place: str) -> None:
    assert body("cusres", refused(Code.TOO_MANY_REJECTED, message)) == [
        f"BGM+962+{REFERENCE}+11+RE",
        f"RFF+TN:{DELIVERY}",
        *[place, "ERC+S90::ZZZ", "FTX+AAO+++too-many-rejected"],
    ]


@pytest.mark.parametrize(
    ("findings", "errors"),
    [
        ((), []),
        ((Finding("minute", "departs_at", 3, (1,)),), ["ERC+103"]),
        (
            (Finding("flight-number", "flight_number", 3, (1,)), Finding("minute", "departs_at", 3, (1,))),
            ["ERC+103", "ERC+114"],
        ),
        ((Finding("tolerated-arrival-without-day", "departs_at", 1, (1,)),), []),
        ((Finding("date", "birth_date", 1, (1,)),), []),
    ],
)
def test_ackres_tells_what_is_wrong_with_the_flight(findings: tuple[Finding, ...], errors: list[str]) -> None:
    assert body("ackres", acknowledged("pnrgov", counts=Counts(4, 1, 3, findings))) == ["MSG+:23+3", *errors]


def test_ackres_rejects_the_whole() -> None:
    assert body("ackres", refused()) == ["MSG+:23+7", "ERC+118"]


def test_the_same_acknowledgement_gives_the_same_bytes() -> None:
    for kind in KINDS:
        assert reply(kind, acknowledged(counts=COUNTS)) == reply(kind, acknowledged(counts=COUNTS))


@given(text=st.text(max_size=90), kind=st.sampled_from(["contrl", "cusres", "ackres"]))
def test_no_text_breaks_a_reply(text: str, kind: Reply) -> None:
    finding = Finding("ru'le" + text, "col+umn" + text, 1, (1,))
    said = Acknowledged("par?tner" + text, "paxlst", DELIVERY, AT, counts=Counts(1, 0, 1, (finding,)))

    read = reply(kind, said)

    assert read.isascii()
    parts = list(read_segments([read], Limits()))
    assert {finding.rule for part in parts for finding in part.tolerated} == set()
    assert sum(part.frame.height for part in parts) == {"contrl": 6, "cusres": 10, "ackres": 5}[kind]


def feed(**form: str) -> Feed:
    return Feed.model_validate(
        {"id": "a-feed", "title": "A feed", "partner": "example-air", "schema": "a_schema", "format": form}
        | {"acceptance": {"max_rejected_share": 0.5}}
    )


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ({"kind": "paxlst", "reply": "cusres"}, "CUSRES"),
        ({"kind": "cuscar", "reply": "contrl"}, "CONTRL"),
        ({"kind": "pnrgov", "reply": "ackres"}, "ACKRES"),
        ({"kind": "paxlst"}, None),
        ({"kind": "csv"}, None),
    ],
)
def test_a_feed_gets_the_reply_that_it_asks_for(form: dict[str, str], begins: str | None) -> None:
    refusal = Refused(Code.DELIVERY_EMPTY, "The delivery holds no segment.", next_step="ask the partner")
    made = (
        reply_to(feed(**form), DELIVERY, AT, refusal=refusal),
        reply_to(feed(**form), DELIVERY, AT, accepted=COUNTS),
    )

    for one in made:
        assert (one is None) if begins is None else (one is not None and f"UNH+1+{begins}:".encode() in one)


@pytest.mark.parametrize("form", [{"kind": "pnrgov", "reply": "cusres"}, {"kind": "csv", "reply": "contrl"}])
def test_a_feed_cannot_ask_for_a_reply_that_its_format_does_not_have(form: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="format"):
        feed(**form)


def test_a_reply_stands_beside_the_acknowledgement_and_holds_no_value(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.drop("preclear-apis", good(), "good")
    exchange.drop("preclear-apis", VARIANTS["truncated"](), "cut")
    exchange.receive()
    exchange.receive()

    listed = [one.key for one in exchange.site.publication.store.listing() if "/acknowledgements/" in one.key]
    found = {key: key.rpartition(".")[2] for key in listed}
    replies = [exchange.site.publication.store.find(key) or b"" for key in listed if key.endswith(".edi")]

    assert sorted(found.values()) == ["edi", "edi", "json", "json"]
    assert {segments(one)[2].split("+")[-1] for one in replies} == {"AP", "RE"}
    surnames = {line.split(b"+++")[1].split(b":")[0] for line in good().split(b"'") if b"NAD+FL" in line}
    assert surnames
    assert not any(surname in one for one in replies for surname in surnames)

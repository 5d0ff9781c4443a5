"""What does a partner's own system get back for an EDIFACT delivery: CONTRL, CUSRES or ACKRES?

A reply is made of the acknowledgement alone: outcome, codes, rule names, segment numbers and counts. Nothing of what the
delivery says is in it, not even the references of its envelope: the partner knows its delivery by the digest of its bytes,
whose first 14 signs stand wherever EDIFACT wants a reference. The same acknowledgement always gives the same bytes.

Sources: ISO 9735-4 (CONTRL, code list 0085); UN/EDIFACT D.05B (CUSRES); PADIS ACKRES as the PNRGOV guide uses it [memory,
but codes 103 and 114, which were found].
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.core.errors import Code, Refused
from pipeline.core.findings import READER_RULES, Finding
from pipeline.core.language.feed import Feed
from pipeline.core.language.wire import CuscarFormat, PaxlstFormat, PnrGovFormat

Reply = Literal["contrl", "cusres", "ackres"]

MESSAGE_KINDS = {"pnrgov": "PNRGOV:21:1:IA", "paxlst": "PAXLST:D:16B:UN", "cuscar": "CUSCAR:D:16B:UN"}
"""How each wire format is called in a reply: with the newest version that its reader takes."""
_OURS = "SAFECONDUCT"
_RELEASED = str.maketrans({sign: f"?{sign}" for sign in "?:+'"})
_REFERENCE_SIGNS = 14
_PARTNER_SIGNS = 35
_NOT_TEXT = re.compile(r"[^ -~]")

_ACKNOWLEDGED, _REJECTED = "7", "4"
_UNSPECIFIED = "18"
SYNTAX_ERRORS = {
    Code.DELIVERY_EMPTY: "13",
    Code.MESSAGE_TRUNCATED: "13",
    Code.MESSAGE_UNKNOWN: "14",
    Code.RECORD_MALFORMED: "15",
    Code.ENCODING_INVALID: "21",
    Code.LIMIT_EXCEEDED: "39",
}
"""Code list 0085 (13 missing, 14 value or 15 segment not supported in this position, 21 invalid characters, 39 too long);
any other refusal is 18, unspecified."""

ROW_RULE, ROW_MISSING, ROW_DOUBLED, TOLERATED, REFUSED = "S01", "S02", "S03", "S10", "S90"
"""Our codes in ERC: a row breaks a rule, misses a cell, is doubled; what was taken all the same; the whole is refused."""

_FLIGHT_ERRORS = {"departs_at": "103", "flight_number": "114"}
_UNABLE = "118"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows a delivery held, and what was found in them."""

    received: int = 0
    accepted: int = 0
    rejected: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What became of a delivery. `code` and `message` are those of its refusal; without them it was accepted, but for
    the rejected rows."""

    partner: str
    kind: str
    """one of `MESSAGE_KINDS`"""
    delivery: str
    at: datetime
    code: Code | None = None
    message: str = ""
    counts: Counts = Counts()

    @property
    def reference(self) -> str:
        """What the partner can find its delivery by."""
        return self.delivery[:_REFERENCE_SIGNS]

    @property
    def segment(self) -> int | None:
        """The segment that a refusal names."""
        named = re.search(r"\b[Ss]egment ([0-9]{1,12})\b", self.message)
        return int(named[1]) if named and self.code else None


def reply_to(
    feed: Feed, delivery: str, at: datetime, *, refusal: Refused | None = None, accepted: Counts | None = None
) -> bytes | None:
    """The reply that `feed` asks for, to a delivery that was refused or `accepted`; None where it asks for none."""
    form = feed.format
    if not isinstance(form, PnrGovFormat | PaxlstFormat | CuscarFormat) or form.reply is None:
        return None
    counts = accepted or Counts()
    code, message = (refusal.code, refusal.message) if refusal else (None, "")
    return reply(form.reply, Acknowledged(feed.partner, form.kind, delivery, at, code, message, counts))


def reply(kind: Reply, acknowledged: Acknowledged) -> bytes:
    """The reply as an interchange of one message."""
    segments = list(_MESSAGES[kind](acknowledged))
    syntax, message = _HEADS[kind]
    head = f"UNB+{syntax}+{_OURS}+{_text(acknowledged.partner, _PARTNER_SIGNS)}+{acknowledged.at:%y%m%d:%H%M}+{acknowledged.reference}"
    body = [f"UNH+1+{message}", *segments, f"UNT+{len(segments) + 2}+1"]
    una = "UNA:+.? '"
    return (una + "".join(f"{segment}'" for segment in [head, *body, f"UNZ+1+{acknowledged.reference}"])).encode(
        "ascii"
    )


def _contrl(acknowledged: Acknowledged) -> Iterator[str]:
    """UCI for the interchange, UCM for its messages, UCS for the segment at which it was refused."""
    partner, reference = _text(acknowledged.partner, _PARTNER_SIGNS), acknowledged.reference
    subject = f"UCI+{reference}+{partner}+{_OURS}"
    message = f"UCM+{reference}+{MESSAGE_KINDS[acknowledged.kind]}"
    if acknowledged.code is None:
        yield f"{subject}+{_ACKNOWLEDGED}"
        yield f"{message}+{_ACKNOWLEDGED}"
        return
    error = SYNTAX_ERRORS.get(acknowledged.code, _UNSPECIFIED)
    yield f"{subject}+{_REJECTED}+{error}"
    if acknowledged.segment is not None:
        yield f"{message}+{_REJECTED}+{error}"
        yield f"UCS+{acknowledged.segment}+{error}"


def _cusres(acknowledged: Acknowledged) -> Iterator[str]:
    """BGM 962 with the outcome and the counts; one ERP group for each place that a finding names."""
    outcome = "RE" if acknowledged.code else "CA" if acknowledged.counts.rejected else "AP"
    yield f"BGM+962+{acknowledged.reference}+11+{outcome}"
    if acknowledged.code is None:
        counts = acknowledged.counts
        yield f"FTX+AAH+++RECEIVED {counts.received}:ACCEPTED {counts.accepted}:REJECTED {counts.rejected}"
    yield f"RFF+TN:{acknowledged.delivery}"
    if acknowledged.code:
        yield f"ERP+2:{acknowledged.segment}" if acknowledged.segment is not None else "ERP+1"
        yield f"ERC+{REFUSED}::ZZZ"
        yield f"FTX+AAO+++{_text(acknowledged.code.value)}"
    for finding in acknowledged.counts.findings:
        code = _code_of(finding)
        for position in finding.positions or (None,):
            yield "ERP+2" if position is None else f"ERP+2:{position}"
            yield f"ERC+{code}::ZZZ"
            yield f"FTX+AAO+++{_text(finding.column or 'row')}:{_text(finding.rule)}:COUNT {finding.count}"


def _ackres(acknowledged: Acknowledged) -> Iterator[str]:
    """MSG 23 with 3 (taken) or 7 (not taken), and ERC for what is wrong with the flight, or with the whole."""
    yield f"MSG+:23+{'7' if acknowledged.code else '3'}"
    if acknowledged.code:
        yield f"ERC+{_UNABLE}"
        return
    broken = {finding.column for finding in acknowledged.counts.findings if not finding.rule.startswith(READER_RULES)}
    yield from (f"ERC+{error}" for column, error in _FLIGHT_ERRORS.items() if column in broken)


def _code_of(finding: Finding) -> str:
    if finding.rule.startswith(READER_RULES):
        return TOLERATED
    return {"required": ROW_MISSING, "unique": ROW_DOUBLED}.get(finding.rule, ROW_RULE)


def _text(words: str, longest: int = 70) -> str:
    """`words` as a text of a segment: printable, short, its service characters released."""
    return _NOT_TEXT.sub(" ", words)[:longest].translate(_RELEASED)


_HEADS = {
    "contrl": ("UNOC:4", "CONTRL:4:1:UN"),
    "cusres": ("UNOC:4", "CUSRES:D:05B:UN"),
    "ackres": ("IATA:1", "ACKRES:13:1:IA"),
}
_MESSAGES: dict[str, Callable[[Acknowledged], Iterator[str]]] = {
    "contrl": _contrl,
    "cusres": _cusres,
    "ackres": _ackres,
}

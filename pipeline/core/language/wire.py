"""How is a delivery written, and where in a record does each column stand?

A format that has no header of columns maps each column of the feed's schema to its place. What no column maps is
discarded and counted, never guessed.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline.core.language.policy import ColumnName, Policy

Encoding = Literal[
    "utf-8", "us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1252", "utf-16"
]
"""How bytes are text. UTF-16 needs its byte order mark."""

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_STEP = rf"(?:{_NAME}:)?{_NAME}"

JsonPointer = Annotated[str, Field(pattern=r"^(/([^/~]|~[01])*)+$", max_length=500)]
"""RFC 6901: /person/name"""


def pointed(pointer: str) -> tuple[str, ...]:
    """The keys of a JSON pointer."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _apart(paths: Iterable[tuple[str, ...]]) -> None:
    """No path is, or goes through, another one: a value is read once, and is text or a structure, not both."""
    known = sorted(paths)
    for shorter, longer in pairwise(known):
        if longer[: len(shorter)] == shorter:
            raise ValueError(
                f"a field at {'/'.join(shorter)} and one at {'/'.join(longer)}: one goes through the other"
            )


def _json_apart(fields: dict[str, str]) -> dict[str, str]:
    _apart(map(pointed, fields.values()))
    return fields


def _xml_apart(fields: dict[str, str]) -> dict[str, str]:
    paths = [tuple(path.replace("/@", "@").split("/")) for path in fields.values()]  # an attribute goes through no text
    _apart(paths)
    if (".",) in paths and any(not path[0].startswith((".", "@")) for path in paths):
        raise ValueError("a field at . takes the record's own text: no other field stands in an element of it")
    return fields


JsonFields = Annotated[dict[ColumnName, JsonPointer], AfterValidator(_json_apart), Field(min_length=1)]
XmlFields = Annotated[
    dict[ColumnName, Annotated[str, Field(pattern=rf"^(\.|@{_STEP}|{_STEP}(/{_STEP})*(/@{_STEP})?)$", max_length=500)]],
    AfterValidator(_xml_apart),
    Field(min_length=1),
]


class CsvFormat(Policy):
    """RFC 4180, with a header."""

    kind: Literal["csv"]
    delimiter: Annotated[str, Field(pattern=r"^[,;|\t]$")] = ","
    """what stands between two cells"""
    encoding: Encoding = "utf-8"
    """how bytes are text"""


class JsonLinesFormat(Policy):
    """One JSON object a line, UTF-8."""

    kind: Literal["json-lines"]
    fields: JsonFields
    """where in the object each column of the schema stands, as a JSON pointer: surname = "/person/surname" """


class JsonFormat(Policy):
    """One JSON document, UTF-8, with one array of objects."""

    kind: Literal["json"]
    records: Literal[""] | JsonPointer = ""
    """the array, as a JSON pointer; the whole document if left out"""
    fields: JsonFields
    """where in an object of the array each column of the schema stands, as a JSON pointer"""
    absent: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=50)], ...], Field(strict=False)] = ()
    """texts that say that there is no value, such as N/A, next to null and the empty text"""


class XmlFormat(Policy):
    """One XML document, without a document type."""

    kind: Literal["xml"]
    encoding: Encoding = "utf-8"
    """how bytes are text; a document that declares another one is refused"""
    namespaces: dict[Annotated[str, Field(pattern=rf"^({_NAME})?$")], Annotated[str, Field(pattern=r"^[^{}\s]+$")]] = (
        Field(default_factory=dict)
    )
    """the namespace of each prefix that a path uses; that of the prefix "" is for elements without one"""
    records: Annotated[str, Field(pattern=rf"^{_STEP}(/{_STEP})*$", max_length=500)]
    """the element that is a record, with all elements around it: members/member"""
    fields: XmlFields
    """where in a record each column of the schema stands: name/given, name/@type, @id, or . for the record's own text"""
    xsd: Annotated[str, Field(min_length=1, max_length=1_000_000)] | None = None
    """the XML Schema that a delivery must hold to: its text, whole, without includes and imports"""

    @model_validator(mode="after")
    def _prefixes_are_known(self) -> "XmlFormat":
        steps = [step.removeprefix("@") for path in (self.records, *self.fields.values()) for step in path.split("/")]
        unknown = {step.partition(":")[0] for step in steps if ":" in step} - set(self.namespaces)
        if unknown:
            raise ValueError(f"no namespace is given for the prefix {', '.join(sorted(unknown))}")
        if self.xsd is not None and re.search(r"<([\w.-]+:)?(include|import|redefine|override)\b|<!DOCTYPE", self.xsd):
            raise ValueError("the XML Schema must be whole: no include, import, redefine, override or document type")
        return self


class Span(Policy):
    """Where in a record something stands, in characters."""

    at: int = Field(ge=1)
    """its first character; a record starts at 1"""
    chars: int = Field(ge=1)
    """how many characters it takes"""
    padded: Literal["right", "left", "no"] = "right"
    """the side of the spaces that only fill it up"""

    @property
    def end(self) -> int:
        """The character after it."""
        return self.at + self.chars


class RecordKinds(Policy):
    """How a header, rows and a trailer are told apart."""

    at: int = Field(ge=1)
    """the first character of the code; a record starts at 1"""
    row: Annotated[str, Field(min_length=1, max_length=50)]
    """the code of a row"""
    header: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    """the code of the first record; there is no header if left out"""
    trailer: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    """the code of the last record; there is no trailer if left out"""
    count: Span | None = None
    """where the trailer says how many rows there are"""

    @model_validator(mode="after")
    def _codes_differ(self) -> "RecordKinds":
        codes = [code for code in (self.row, self.header, self.trailer) if code is not None]
        if len(set(codes)) < len(codes) or len(set(map(len, codes))) > 1:
            raise ValueError("the codes of header, rows and trailer must differ and be of one length")
        if self.count is not None and self.trailer is None:
            raise ValueError("a count needs a trailer")
        return self


class FixedWidthFormat(Policy):
    """Lines of one width; each column stands at its own characters."""

    kind: Literal["fixed-width"]
    encoding: Encoding = "utf-8"
    """how bytes are text"""
    record_chars: int = Field(ge=1, le=100_000)
    """the characters of each line, without its line end"""
    fields: Annotated[dict[ColumnName, Span], Field(min_length=1)]
    """where in a record each column of the schema stands: tin = { at = 2, chars = 17 }"""
    kinds: RecordKinds | None = None
    """how a header, rows and a trailer are told apart; every line is a row if left out"""

    @model_validator(mode="after")
    def _spans_fit(self) -> "FixedWidthFormat":
        spans = sorted((span.at, span.end, name) for name, span in self.fields.items())
        for (_, end, name), (at, _, following) in pairwise(spans):
            if at < end:
                raise ValueError(f"{name} and {following} overlap")
        ends = [end for _, end, _ in spans]
        if self.kinds is not None:
            ends += [self.kinds.at + len(self.kinds.row), self.kinds.count.end if self.kinds.count else 1]
        if max(ends) > self.record_chars + 1:
            raise ValueError("a field ends after record_chars")
        return self


class AisFormat(Policy):
    """NMEA 0183 sentences of the automatic identification system: positions and static reports of ships."""

    kind: Literal["ais"]


class PnrGovFormat(Policy):
    """IATA PNRGOV EDIFACT, 10.1 to 21.1."""

    kind: Literal["pnrgov"]
    reply: Literal["contrl", "ackres"] | None = None
    """the message in which the partner gets its acknowledgement too; in JSON alone if left out"""


class PaxlstFormat(Policy):
    """UN/EDIFACT PAXLST, directories D.02B to D.16B: passenger and crew lists."""

    kind: Literal["paxlst"]
    reply: Literal["contrl", "cusres"] | None = None
    """the message in which the partner gets its acknowledgement too; in JSON alone if left out"""


class CuscarFormat(Policy):
    """UN/EDIFACT CUSCAR, directories D.95B to D.16B: cargo manifests."""

    kind: Literal["cuscar"]
    reply: Literal["contrl", "cusres"] | None = None
    """the message in which the partner gets its acknowledgement too; in JSON alone if left out"""


class AnsiNistFormat(Policy):
    """ANSI/NIST-ITL 1-2011 in its traditional encoding: queries for prints, a reference and prints and nothing more."""

    kind: Literal["ansi-nist"]
    transactions: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]{3,16}$")], ...] = Field(min_length=1, strict=False)
    """the kinds of transaction that are taken (1.004): ["CPS", "MPS"]"""
    fields: Annotated[
        dict[
            ColumnName,
            Annotated[str, Field(pattern=r"^(1\.(00[4-9]|01[0-9])|2\.(00[3-9]|0[1-9][0-9]|[1-9][0-9]{2})|prints)$")],
        ],
        Field(min_length=1),
    ]
    """where each column of the schema stands: tcn = "1.009"; "prints" are all records of prints, in base64. A field of type 2 that is not here refuses the delivery"""


WireFormat = Annotated[
    AnsiNistFormat
    | CsvFormat
    | JsonLinesFormat
    | JsonFormat
    | XmlFormat
    | FixedWidthFormat
    | AisFormat
    | PnrGovFormat
    | PaxlstFormat
    | CuscarFormat,
    Field(discriminator="kind"),
]

"""Does an XML delivery hold to the XML Schema that its feed declares?

By lxml, as the bytes arrive. It sees only what the strict reader has read: no document type, no entity.
"""

from dataclasses import dataclass, field

from lxml import etree

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.formats.rows import NEXT_STEP

_STEP_BYTES = 4096
"""What breaks the schema is said as near as this: libxml2 tells no line while bytes arrive."""


@dataclass(slots=True)
class SchemaCheck:
    """Follows a delivery, and refuses it where it breaks the schema. Holds no more of it than is open."""

    xsd: str
    _line: int = 1
    _parser: "etree.XMLPullParser" = field(init=False)

    def __post_init__(self) -> None:
        # Not `resolve_entities=False`: lxml 6.1 then closes a document that has not ended. There are no entities to resolve.
        self._parser = etree.XMLPullParser(
            events=("end",),
            schema=_schema(self.xsd),
            encoding="utf-8",
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )

    def feed(self, text: bytes) -> None:
        """So far, the delivery holds to the schema.

        Raises:
            Refused: schema-broken, with the lines.
        """
        for at in range(0, len(text), _STEP_BYTES):
            step = text[at : at + _STEP_BYTES]
            first, self._line = self._line, self._line + step.count(b"\n")
            wrong = False
            try:
                self._parser.feed(step)
            except etree.LxmlError:  # it holds values: nothing is raised while it is known
                wrong = True
            self._require(first, wrong=wrong)
            self._forget()

    def finish(self) -> None:
        """The whole delivery holds to the schema.

        Raises:
            Refused: schema-broken, with the lines.
        """
        wrong = False
        try:
            self._parser.close()
        except etree.LxmlError:
            wrong = True
        self._require(self._line, wrong=wrong)

    def _require(self, first: int, *, wrong: bool) -> None:
        if wrong or len(self._parser.feed_error_log):
            where = f"at line {first}" if first == self._line else f"between lines {first} and {self._line}"
            raise Refused(
                Code.SCHEMA_BROKEN, f"The delivery breaks the feed's XML Schema {where}.", next_step=NEXT_STEP
            )

    def _forget(self) -> None:
        for _, element in self._parser.read_events():
            if isinstance(element, etree._Element):  # "end" gives no others
                element.clear()
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]


def _schema(xsd: str) -> "etree.XMLSchema":
    try:
        whole = etree.fromstring(
            xsd.encode(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, encoding="utf-8")
        )
        return etree.XMLSchema(whole)
    except etree.LxmlError:
        raise Misconfigured(
            Code.CATALOGUE_INVALID,
            "The xsd of the feed's format is no XML Schema.",
            next_step="correct the xsd in the feed's file: it must be whole, without includes and imports",
        ) from None

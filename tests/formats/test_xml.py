"""XML: the cells of the declared elements as they are written, or a refusal with a place; never another file, never an entity."""

import re
from itertools import chain, repeat
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.errors import Code, Misconfigured, Refused
from pipeline.core.language.wire import XmlFormat
from pipeline.formats.batch import Limits
from pipeline.formats.xml import Xml
from pipeline.formats.xml_schema import SchemaCheck
from tests.formats.reading import Row, findings_of, frame_of, outcome, peak_of_refusing, refusal_of, rows_of

COLUMNS = ("tin", "name", "given", "phone")
SAID = {
    "kind": "xml",
    "namespaces": {"": "urn:members", "x": "urn:other"},
    "records": "list/member",
    "fields": {"tin": "@tin", "name": "x:person/name", "given": "x:person/@given", "phone": "phone"},
}
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="list"><xs:complexType><xs:sequence>
  <xs:element name="member" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
    <xs:sequence><xs:element name="age" type="xs:int"/><xs:element name="city" type="xs:string" minOccurs="0"/></xs:sequence>
    <xs:attribute name="id" use="required"/>
  </xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""


def form(**other: object) -> XmlFormat:
    return XmlFormat.model_validate({**SAID, **other})


READER = Xml(form())
CHECKED = Xml(form(namespaces={}, fields={"age": "age", "id": "@id", "city": "city"}, xsd=XSD))
CHECKED_COLUMNS = ("age", "id", "city")
START = b'<?xml version="1.0" encoding="UTF-8"?>\n<list xmlns="urn:members" xmlns:o="urn:other">\n'
FINE = (
    START
    + b'<member tin="1"><o:person given="A &amp; B"><name> Ada </name></o:person><phone>1</phone><phone>2</phone></member>\n'
    + b"<member><phone><![CDATA[<3>]]></phone></member>\n</list>\n"
)


def listed(inside: str) -> bytes:
    return START + inside.encode() + b"</list>"


def member(inside: str) -> bytes:
    return listed(f"<member>{inside}</member>")


def phones(delivery: bytes, **limits: int) -> list[str | None]:
    return [row[3] for row in rows_of(READER, delivery, COLUMNS, limits=Limits(**limits))]


def test_rows_are_the_texts_and_attributes_at_their_places_with_the_numbers_of_their_records() -> None:
    frame, findings = frame_of(READER, FINE, COLUMNS)
    assert frame.rows() == [(1, "1", " Ada ", "A & B", "1\n2"), (2, None, None, None, "<3>")]
    assert findings == ()


def test_a_document_without_records_is_an_empty_list() -> None:
    assert rows_of(READER, listed(""), COLUMNS) == []
    assert rows_of(READER, b'<list xmlns="urn:members"/>', COLUMNS) == []


def test_text_is_what_was_written_with_its_spaces() -> None:
    assert phones(member("<phone> 007 \n x</phone>")) == [" 007 \n x"]
    assert phones(member("<phone>1e400</phone>")) == ["1e400"]
    assert phones(member("<phone>a&#x41;&lt;&#233;\U0001f600</phone>")) == ["aA<é\U0001f600"]


def test_an_empty_element_is_absent_and_an_empty_item_is_left_out_and_counted() -> None:
    assert phones(member("<phone/>")) == [None]
    delivery = member("<phone/><phone>1</phone><phone></phone>")
    assert phones(delivery) == ["1"]
    assert findings_of(READER, delivery, COLUMNS) == {"tolerated-empty-item": 2}


def test_a_records_own_text_can_be_a_column() -> None:
    reader = Xml(form(namespaces={}, records="a/b/c", fields={"text": ".", "kind": "@kind"}))
    delivery = b"<a><b><c kind='x'>1</c></b><b><c>2</c><c/></b></a>"
    assert rows_of(reader, delivery, ("text", "kind")) == [("1", "x"), ("2", None), (None, None)]


def test_names_are_of_their_namespace_whatever_the_prefix() -> None:
    delivery = b'<q:list xmlns:q="urn:members"><q:member><p:person xmlns:p="urn:other"><q:name>A</q:name></p:person></q:member></q:list>'
    assert rows_of(READER, delivery, COLUMNS) == [(None, "A", None, None)]
    assert findings_of(READER, member("<person><name>A</name></person>"), COLUMNS) == {"discarded-beyond-fields": 1}


def test_what_no_field_names_is_discarded_and_counted() -> None:
    delivery = listed(
        "<head by='x'><member tin='9'/></head>stray"
        "<member a='1' tin='1' xsi:nil='true' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
        "<b><c/><c/></b>stray<o:person age='2'><name>A</name> </o:person></member>"
    )
    assert rows_of(READER, delivery, COLUMNS) == [("1", "A", None, None)]
    assert findings_of(READER, delivery, COLUMNS) == {"discarded-beyond-fields": 6}


def test_comments_and_instructions_outside_cells_and_a_bom_change_nothing() -> None:
    delivery = (
        b"\xef\xbb\xbf" + START[39:] + b"<!-- c --><member><?p i?><phone>1</phone><!-- c --></member></list><!-- c -->"
    )
    assert phones(delivery) == ["1"]
    assert findings_of(READER, delivery, COLUMNS) == {"tolerated-bom": 1}


LAUGHS = '<!DOCTYPE list [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>'


@pytest.mark.parametrize(
    "hostile",
    [
        f"{LAUGHS}<list><member><phone>&c;</phone></member></list>",
        '<!DOCTYPE list [<!ENTITY x SYSTEM "file:///etc/hostname">]><list><member><phone>&x;</phone></member></list>',
        '<!DOCTYPE list SYSTEM "http://127.0.0.1:9/list.dtd"><list/>',
        '<!DOCTYPE list PUBLIC "-//X//Y" "file:///etc/hostname"><list/>',
        '<!DOCTYPE list [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><list/>',
        '<!DOCTYPE list [<!ATTLIST phone kind CDATA "x">]><list/>',
        "<!DOCTYPE list><list/>",
        "\n<!DOCTYPE list [" + "<!-- x -->" * 10,
    ],
)
def test_a_document_type_is_refused_where_it_begins(hostile: str) -> None:
    for reader, columns in ((READER, COLUMNS), (CHECKED, CHECKED_COLUMNS)):
        refused = refusal_of(reader, hostile.encode(), columns)
        assert refused.code is Code.RECORD_MALFORMED
        assert "has a document type at line" in refused.message


@pytest.mark.parametrize(
    ("delivery", "code", "says"),
    [
        (b"", Code.DELIVERY_EMPTY, "no record"),
        (b"\xef\xbb\xbf", Code.MESSAGE_TRUNCATED, "ends too early, at line 1"),
        (b" \n", Code.MESSAGE_TRUNCATED, "ends too early"),
        (b"tin,name\n1,2\n", Code.RECORD_MALFORMED, "not well-formed XML at line 1"),
        (b"<other/>", Code.RECORD_MALFORMED, "the document's first element is not the feed's"),
        (b"<list><member/></list>", Code.RECORD_MALFORMED, "the document's first element is not the feed's"),
        (FINE + FINE, Code.RECORD_MALFORMED, "not well-formed XML at line 6"),
        (FINE + b"x", Code.RECORD_MALFORMED, "not well-formed XML at line 6"),
        (member("<phone>1</fone>"), Code.RECORD_MALFORMED, "Record 1: it is not well-formed XML at line 3"),
        (member("<phone>&nbsp;</phone>"), Code.RECORD_MALFORMED, "Record 1: it is not well-formed XML at line 3"),
        (member("<phone>1 & 2</phone>"), Code.RECORD_MALFORMED, "not well-formed"),
        (member("<phone a='1' a='2'/>"), Code.RECORD_MALFORMED, "not well-formed"),
        (member("<phone a=1/>"), Code.RECORD_MALFORMED, "not well-formed"),
        (member("<z:phone/>"), Code.RECORD_MALFORMED, "not well-formed"),
        (member("<phone>a\x00b</phone>"), Code.RECORD_MALFORMED, "not well-formed"),
        (member("<phone>&#0;</phone>"), Code.RECORD_MALFORMED, "not well-formed"),
        (member("<phone>&#xD800;</phone>"), Code.RECORD_MALFORMED, "not well-formed"),
        (member("<phone>\x7f</phone>"), Code.RECORD_MALFORMED, "Record 1: phone holds a control character"),
        (member("<phone>&#13;</phone>"), Code.RECORD_MALFORMED, "Record 1: phone holds a control character"),
        (member("<phone>1<b>2</b></phone>"), Code.RECORD_MALFORMED, "Record 1: phone has an element inside its text"),
        (member("<phone>1<!-- x -->2</phone>"), Code.RECORD_MALFORMED, "phone has a comment inside its text"),
        (member("<phone>1<?x y?>2</phone>"), Code.RECORD_MALFORMED, "phone has a processing instruction inside"),
        (member("<phone>1</phone><phone>2\n3</phone>"), Code.RECORD_MALFORMED, "an item of phone has a line break"),
        (START + b"<member><phone>\xff</phone>", Code.ENCODING_INVALID, "not utf-8 at byte 101"),
        (
            b'<?xml version="1.0" encoding="ISO-8859-1"?><list/>',
            Code.ENCODING_INVALID,
            "declares another encoding than utf-8",
        ),
        (b'<?xml version="1.0" encoding="nonsense"?><list/>', Code.ENCODING_INVALID, "declares another encoding"),
        ("<list/>".encode("utf-16"), Code.ENCODING_INVALID, "byte order mark of another encoding"),
        (member("<a>" * 63), Code.LIMIT_EXCEEDED, "nested over 64 deep"),
        (START + b"<a>" * 64, Code.LIMIT_EXCEEDED, "nested over 64 deep"),
        (member("<a " + " ".join(f'a{n}=""' for n in range(1001)) + "/>"), Code.LIMIT_EXCEEDED, "over 1000 attributes"),
        (member("".join(f"<a{n}/>" for n in range(10_001))), Code.LIMIT_EXCEEDED, "over 10000 different ones"),
        (member(f"<{'a' * 1001}/>"), Code.LIMIT_EXCEEDED, "names are over 1000 characters"),
        (member(f"<a xmlns='{'u' * 1001}'/>"), Code.LIMIT_EXCEEDED, "names are over 1000 characters"),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused_with_its_place(delivery: bytes, code: Code, says: str) -> None:
    refused = refusal_of(READER, delivery, COLUMNS)
    assert refused.code is code
    assert says in refused.message


@pytest.mark.parametrize(
    "bad",
    [
        "<phone>Sesame",
        "<phone>Sesame<b/></phone>",
        "<Sesame></b>",
        "<phone>Sesame\x7f</phone>",
        "<phone>&Sesame;</phone>",
    ],
)
def test_no_refusal_shows_a_value(bad: str) -> None:
    assert "Sesame" not in repr(refusal_of(READER, member(bad), COLUMNS).args)
    for age in ("Sesame", "<Sesame/>", "<age>1</age><city>Sesame</city><city/>"):
        delivery = f"<list><member id='Sesame'><age>{age}</age></member></list>".encode()
        assert "Sesame" not in repr(refusal_of(CHECKED, delivery, CHECKED_COLUMNS).args)


def test_another_declared_encoding_is_read_and_no_other() -> None:
    reader = Xml(form(namespaces={}, encoding="windows-1252", records="a/b", fields={"x": "."}))
    fine = '<?xml version="1.0" encoding="windows-1252"?><a><b>é€</b></a>'.encode("cp1252")
    assert rows_of(reader, fine, ("x",)) == [("é€",)]
    undefined = fine.replace(b"\x80", b"\x81")
    assert refusal_of(reader, undefined, ("x",)).code is Code.ENCODING_INVALID
    assert refusal_of(reader, fine.replace(b"windows-1252", b"UTF-8"), ("x",)).code is Code.ENCODING_INVALID
    wide = Xml(form(namespaces={}, encoding="utf-16", records="a/b", fields={"x": "."}))
    assert rows_of(wide, "<a><b>é€</b></a>".encode("utf-16"), ("x",)) == [("é€",)]


def test_a_delivery_that_holds_to_the_declared_schema_is_read_as_without_it() -> None:
    delivery = b'<list>\n<member id="1"><age>30</age></member>\n<member id="2"><age>40</age><city>K\xc3\xb6ln</city></member></list>'
    for block in (1, 1 << 20):
        assert rows_of(CHECKED, delivery, CHECKED_COLUMNS, block=block) == [("30", "1", None), ("40", "2", "Köln")]


@pytest.mark.parametrize(
    "inside",
    [
        "<member id='1'><age>old</age></member>",
        "<member><age>1</age></member>",
        "<member id='1'/>",
        "<member id='1'><age>1</age><age>1</age></member>",
        "<member id='1' b='1'><age>1</age></member>",
        "<other/>",
        "text",
    ],
)
def test_a_delivery_that_breaks_the_declared_schema_is_refused_with_its_lines(inside: str) -> None:
    refused = refusal_of(CHECKED, f"<list>\n{inside}\n</list>".encode(), CHECKED_COLUMNS)
    assert refused.code is Code.SCHEMA_BROKEN
    assert re.search(r"at line 3\.|between lines 1 and 3\.", refused.message)


def test_what_breaks_the_schema_is_found_as_it_arrives_and_said_near() -> None:
    row = b"<member id='1'><age>30</age></member>\n"
    blocks = chain([b"<list>"], [row * 5000], [b"<member/>\n"], repeat(row * 5000))
    refused = refusal_of(CHECKED, blocks, CHECKED_COLUMNS)
    found = re.search(r"between lines (\d+) and (\d+)", refused.message)
    assert found is not None
    assert int(found[1]) <= 5001 <= int(found[2]) < int(found[1]) + 150


def test_a_document_that_has_not_ended_does_not_hold_to_the_schema() -> None:
    check = SchemaCheck(XSD)
    check.feed(b"<list>\n")
    with pytest.raises(Refused) as caught:
        check.finish()
    assert caught.value.code is Code.SCHEMA_BROKEN


def test_a_schema_that_is_none_is_misconfigured() -> None:
    for xsd in ("<a/>", "x", XSD.replace("xs:int", "xs:Sesame"), XSD[:-5]):
        with pytest.raises(Misconfigured) as caught:
            list(Xml(form(xsd=xsd)).read([FINE], COLUMNS, Limits()))
        assert caught.value.code is Code.CATALOGUE_INVALID
        assert "Sesame" not in str(caught.value)


def test_a_document_cut_anywhere_is_refused() -> None:
    for size in range(len(FINE.rstrip())):
        refused = refusal_of(READER, FINE[:size], COLUMNS)
        assert refused.code in (Code.MESSAGE_TRUNCATED, Code.DELIVERY_EMPTY, Code.RECORD_MALFORMED)


def plain(delivery: bytes) -> list[Row]:
    """What Python's own tree makes of the same document."""
    rows: list[Row] = []
    spaces = {"m": "urn:members", "x": "urn:other"}
    for one in ElementTree.fromstring(delivery).iterfind("m:member", spaces):
        names = [name.text for name in one.iterfind("x:person/m:name", spaces)]
        given_names = [person.get("given", "") for person in one.iterfind("x:person", spaces)]
        listed: list[list[str | None]] = [
            names,
            [*given_names],
            [phone.text for phone in one.iterfind("m:phone", spaces)],
        ]
        rows.append((one.get("tin") or None, *("\n".join(filter(None, items)) or None for items in listed)))
    return rows


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FINE) - 1), st.integers(0, 255))
def test_a_byte_changed_anywhere_never_crashes_and_rows_are_what_pythons_tree_holds(at: int, byte: int) -> None:
    changed = FINE[:at] + bytes([byte]) + FINE[at + 1 :]
    result = outcome(READER, changed, COLUMNS)
    if not isinstance(result, str):
        assert [row[1:] for row in result[0]] == plain(changed)


text = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=5)
members = st.lists(st.tuples(text, st.lists(text, max_size=3)))


@settings(max_examples=60, deadline=None)
@given(members, st.integers(1, 60))
def test_generated_rows_come_back_whatever_the_blocks(written: list[tuple[str, list[str]]], block: int) -> None:
    inside = "".join(
        f"<member tin={quoteattr(tin)}>{''.join(f'<phone>{escape(one)}</phone>' for one in some)}</member>"
        for tin, some in written
    )
    expected = [(tin or None, None, None, "\n".join(filter(None, some)) or None) for tin, some in written]
    assert rows_of(READER, listed(inside), COLUMNS, block=block) == expected


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, len(FINE)),
    st.lists(st.sampled_from([*b"<>/&;!-[]\"' ax", 0xC3, 0xFF]), max_size=9).map(bytes),
    st.integers(1, 20),
)
def test_the_outcome_does_not_depend_on_the_blocks(at: int, noise: bytes, block: int) -> None:
    delivery = FINE[:at] + noise + FINE[at:]
    assert outcome(READER, delivery, COLUMNS, block=block) == outcome(READER, delivery, COLUMNS)


@pytest.mark.parametrize(
    "start", ["<member><phone>", "<member><b>", "<member tin='", "<member ", "<!--", "<?x ", "<member><phone><![CDATA["]
)
def test_what_never_ends_is_refused_in_bounded_memory(start: str) -> None:
    blocks = chain([START, start.encode()], repeat(b"x" * 65_536, 1600))
    refused, peak = peak_of_refusing(READER, blocks, COLUMNS, Limits(batch_bytes=2 << 20))
    assert refused.code is Code.LIMIT_EXCEEDED
    assert peak < 12_000_000


def test_a_text_that_a_schema_is_slow_to_check_is_refused_early() -> None:
    city = b"<list><member id='1'><age>1</age><city>"
    refused = refusal_of(CHECKED, chain([city], repeat(b"1&amp;" * 8192, 400)), CHECKED_COLUMNS)
    assert (refused.code, "a text is over 262144 characters" in refused.message) == (Code.LIMIT_EXCEEDED, True)


def test_cells_and_rows_over_their_limits_are_refused_and_at_them_are_not() -> None:
    assert phones(member("<phone>éa</phone>"), max_cell_bytes=3, max_rows=1) == ["éa"]
    long = refusal_of(READER, member("<phone>éab</phone>"), COLUMNS, limits=Limits(max_cell_bytes=3))
    assert "Record 1: phone is over the limit of 3 bytes" in long.message
    many = refusal_of(READER, FINE, COLUMNS, limits=Limits(max_rows=1))
    assert "Record 2 is over the feed's limit of 1 rows" in many.message


def test_batches_stay_near_their_size() -> None:
    delivery = listed("<member><phone>0123456789</phone></member>" * 20_000)
    sizes = [batch.frame.height for batch in READER.read([delivery], COLUMNS, Limits(batch_bytes=100_000))]
    assert sum(sizes) == 20_000
    assert max(sizes) < 3_000


@pytest.mark.parametrize(
    "other",
    [
        {"records": ""},
        {"records": "/list"},
        {"records": "list//member"},
        {"records": "list/@member"},
        {"records": "z:list"},
        {"fields": {}},
        {"fields": {"a": "b/"}},
        {"fields": {"a": "@b/c"}},
        {"fields": {"a": "z:b"}},
        {"fields": {"a": "b", "c": "b"}},
        {"fields": {"a": "b", "c": "b/d"}},
        {"fields": {"a": ".", "c": "b"}},
        {"fields": {"a": "//b"}},
        {"namespaces": {"x y": "urn:x"}},
        {"namespaces": {"x": "urn x"}},
        {"namespaces": {"x": "urn}x"}},
        {"encoding": "latin-1"},
        {"xsd": ""},
        {"xsd": '<xs:schema><xs:include schemaLocation="http://x"/></xs:schema>'},
        {"xsd": '<schema><import namespace="y"/></schema>'},
        {"xsd": '<!DOCTYPE x [<!ENTITY y "z">]><schema/>'},
    ],
)
def test_a_format_that_is_not_clear_is_refused(other: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        form(**other)


def test_an_attribute_and_the_text_of_one_element_are_two_fields() -> None:
    reader = Xml(form(namespaces={}, records="a/b", fields={"x": "c", "y": "c/@d"}))
    assert rows_of(reader, b'<a><b><c d="1">2</c></b></a>', ("x", "y")) == [("2", "1")]

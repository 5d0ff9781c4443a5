"""What does a PAXLST message say of each traveller?

An item is (owner, position, column, text). A cell that is filled twice with different texts holds both, one a line: a
schema that wants one birth date then rejects the row, and nobody has chosen between them.
"""

from collections.abc import Iterator

import polars as pl

from pipeline.formats.edifact import COMPONENT, ELEMENT
from pipeline.formats.edifact_cells import components, elements, line, phrase, present
from pipeline.formats.edifact_dates import birth_date, day

TRAVELLER = (
    "traveller_kind",
    "surname",
    "given_names",
    "sex",
    "birth_date",
    "birth_country",
    "birth_place",
    "nationality",
    "other_nationalities",
    "residence_country",
    "address_street",
    "address_city",
    "address_region",
    "address_postcode",
    "address_country",
    "embarkation_port",
    "debarkation_port",
    "clearance_port",
    "record_locator",
    "traveller_ref",
    "customer_ref",
    "seat",
    "bag_count",
    "bag_weight",
    "bag_tags",
    "verification",
    "mrz_line",
)
DOCUMENT = (
    "document_type",
    "document_number",
    "document_issuer",
    "document_expiry",
    "visa_number",
    "visa_issuer",
    "visa_expiry",
    "alien_number",
    "other_documents",
)
_OF_A_DOCUMENT = ("document_number", "document_issuer", "document_expiry")
_BIRTH, _EXPIRY, _SEX, _NATIONALITY, _VERIFIED = "329", "36", "2", "2", "4"
_ISSUER, _BIRTHPLACE = "91", "180"
_REFERENCES = {"AVF": "record_locator", "ABO": "traveller_ref", "CR": "customer_ref", "SEA": "seat"}
_PORTS = {"178": "embarkation_port", "179": "debarkation_port", "22": "clearance_port", "174": "residence_country"}
_BAGS, _BAG_COUNT, _BAG_WEIGHT = "BAG", "CT", "WT"
_VISA, _ALIEN = "V", "A"
_MRZ = rf"(?:\A|[{ELEMENT}{COMPONENT} ])([A-Z0-9<]{{19}}[0-9][A-Z0-9<]{{20,28}})(?:[{ELEMENT}{COMPONENT} ]|\z)"
"""The second line of a passport, 44 signs, with the check digit of the birth date in its place; the first line has no
digit. One that is a little too long or short is read too: the schema rejects it."""
_QUALIFIED = {
    "ATT": (_SEX,),
    "NAT": (_NATIONALITY,),
    "GEI": (_VERIFIED,),
    "MEA": (_BAG_COUNT, _BAG_WEIGHT),
    "RFF": tuple(_REFERENCES),
    "LOC": (*_PORTS, _BIRTHPLACE),
    "DTM": (_BIRTH,),
    "FTX": (_BAGS,),
}
_READ = [f"{tag} {qualifier}" for tag, qualifiers in _QUALIFIED.items() for qualifier in qualifiers]
_FIELDS = pl.Schema({"owner": pl.UInt64, "position": pl.UInt64, "column": pl.String, "text": pl.String})

Items = Iterator[pl.DataFrame]


def read_of_traveller() -> pl.Expr:
    """Which segments of a traveller a column carries, but for those that `holds_mrz` tells."""
    # Tag and qualifier are looked for together: to look for each qualifier of each tag takes several times as long.
    named = pl.concat_str(["tag", "qualifier"], separator=" ")
    of_a_document = (pl.col("document") > 0) & named.is_in([f"LOC {_ISSUER}", f"DTM {_EXPIRY}"])
    return pl.col("tag").is_in(["NAD", "DOC"]) | named.is_in(_READ) | of_a_document


def holds_mrz() -> pl.Expr:
    """Which texts hold the line of a passport. Dear: to be asked of few."""
    return (pl.col("tag") == "FTX") & pl.col("body").str.contains(_MRZ)


def traveller_items(segments: pl.DataFrame, departures: pl.DataFrame) -> Items:
    """The items of all travellers. `departures`: message and departs_at."""
    by_tag = {str(key[0]): part for key, part in segments.partition_by("tag", as_dict=True).items()}
    none = segments.clear()
    yield from _names(by_tag.get("NAD", none))
    yield from _births(by_tag.get("DTM", none), departures)
    yield from _places(by_tag.get("LOC", none))
    yield from _references(by_tag.get("RFF", none))
    yield from _nationalities(by_tag.get("NAT", none))
    sexes = components(elements(_qualified(by_tag, "ATT", none), "", "", "sex"), "sex", "code", "", "", "text")
    yield _item(sexes, "sex", pl.coalesce("code", "text"))
    verified = components(elements(_qualified(by_tag, "GEI", none), "", "verified"), "verified", "code")
    yield _item(verified, "verification", pl.col("code"))
    yield from _baggage(_qualified(by_tag, "MEA", none), by_tag.get("FTX", none))
    for tag in ("FTX", "DOC"):
        yield _item(by_tag.get(tag, none), "mrz_line", pl.col("body").str.extract(_MRZ))


def _item(frame: pl.DataFrame, column: str, text: pl.Expr) -> pl.DataFrame:
    return frame.select("owner", "position", pl.lit(column).alias("column"), text.alias("text"))


def _qualified(by_tag: dict[str, pl.DataFrame], tag: str, none: pl.DataFrame) -> pl.DataFrame:
    return by_tag.get(tag, none).filter(pl.col("qualifier").is_in(_QUALIFIED[tag]))


def _names(nad: pl.DataFrame) -> Items:
    """UN and US write the name as C080 (surname, then given names); where C080 is empty, C058 holds it the same way."""
    apart = elements(nad, "kind", "", "lines", "name", "street", "city", "state", "postcode", "country")
    apart = apart.with_columns(
        present(pl.coalesce(present(pl.col("name").str.strip_chars(COMPONENT + " ")), pl.col("lines"))).alias("name")
    )
    apart = components(apart, "name", "surname", "first", "second", "third", "fourth")
    apart = components(apart, "state", "region", "", "", "region_name")
    yield _item(apart, "traveller_kind", pl.col("qualifier"))
    yield _item(apart, "surname", pl.col("surname"))
    yield _item(apart, "given_names", line(*(pl.col(name) for name in ("first", "second", "third", "fourth"))))
    yield _item(apart, "address_street", phrase(pl.col("street")))
    yield _item(apart, "address_city", phrase(pl.col("city")))
    yield _item(apart, "address_region", pl.coalesce("region", "region_name"))
    yield _item(apart, "address_postcode", phrase(pl.col("postcode")))
    yield _item(apart, "address_country", phrase(pl.col("country")))


def _births(dtm: pl.DataFrame, departures: pl.DataFrame) -> Items:
    apart = components(dtm.filter(pl.col("qualifier") == _BIRTH), "body", "", "digits", "code")
    dated = apart.join(departures, on="message", how="left", maintain_order="left")
    dated = dated.with_columns(day(pl.col("digits"), pl.col("code")).alias("young"))
    yield _item(dated, "birth_date", birth_date(pl.col("digits"), pl.col("young"), pl.col("departs_at")))


def _places(loc: pl.DataFrame) -> Items:
    apart = components(elements(loc, "", "where"), "where", "code", "", "", "name")
    named = apart.filter(pl.col("qualifier").is_in([*_PORTS]))
    column = pl.col("qualifier").replace_strict(_PORTS, default=None).alias("column")
    yield named.select("owner", "position", column, pl.coalesce("code", "name").alias("text"))
    born = apart.filter(pl.col("qualifier") == _BIRTHPLACE)
    yield _item(born, "birth_country", pl.col("code"))
    yield _item(born, "birth_place", pl.col("name"))


def _references(rff: pl.DataFrame) -> Items:
    apart = components(rff.filter(pl.col("qualifier").is_in([*_REFERENCES])), "body", "", "number")
    column = pl.col("qualifier").replace_strict(_REFERENCES, default=None).alias("column")
    yield apart.select("owner", "position", column, pl.col("number").alias("text"))


def _nationalities(nat: pl.DataFrame) -> Items:
    said = nat.filter(pl.col("qualifier") == _NATIONALITY)
    apart = components(elements(said, "", "country"), "country", "code", "", "", "name")
    apart = apart.with_columns(pl.coalesce("code", "name").alias("country"))
    first = pl.col("owner").is_first_distinct()
    yield _item(apart.filter(first), "nationality", pl.col("country"))
    yield _item(apart.filter(~first), "other_nationalities", pl.col("country"))


def _baggage(mea: pl.DataFrame, ftx: pl.DataFrame) -> Items:
    """Bags as `MEA+CT++:2`, by some carriers `MEA+CT++2`; weights as `MEA+WT++KGM:30`."""
    apart = components(elements(mea, "", "", "measure"), "measure", "unit", "value")
    kind = pl.col("qualifier")
    yield _item(apart.filter(kind == _BAG_COUNT), "bag_count", pl.coalesce("value", "unit"))
    yield _item(apart.filter(kind == _BAG_WEIGHT), "bag_weight", line(pl.col("value"), pl.col("unit")))
    tags = elements(ftx.filter(kind == _BAGS), "", "", "", "tags").with_columns(pl.col("tags").str.split(COMPONENT))
    tags = tags.explode("tags", empty_as_null=False)
    yield _item(tags, "bag_tags", present(pl.col("tags").str.strip_chars(" ")))


def documents(segments: pl.DataFrame) -> pl.DataFrame:
    """One row a traveller who has any: `owner` and the columns of `DOCUMENT`.

    The traveller's document is its passport (P); without one the first that is neither a visa (V) nor an alien
    registration (A), then A. The first visa and the first A have columns of their own; further documents are told in
    `other_documents`, one a line.
    """
    listed = _listed(segments.filter(pl.col("document") > 0))
    kind = pl.col("document_type")
    rank = (
        pl.when(kind == _VISA)
        .then(None)
        .when(kind == _ALIEN)
        .then(2)
        .when(kind.str.starts_with("P"))
        .then(0)
        .otherwise(1)
    )
    ranked = listed.with_columns(rank.alias("rank"), pl.col("document_number").is_null().alias("numberless"))
    ranked = ranked.sort("owner", "numberless", "rank", "document", nulls_last=True, maintain_order=True)
    chosen = ranked.filter(pl.col("rank").is_not_null()).unique("owner", keep="first", maintain_order=True)
    visas = listed.filter(kind == _VISA).unique("owner", keep="first", maintain_order=True)
    aliens = listed.filter(kind == _ALIEN).unique("owner", keep="first", maintain_order=True)
    told = pl.concat([part.select("document") for part in (chosen, visas, aliens)])
    others = listed.join(told, on="document", how="anti", maintain_order="left").with_columns(
        line(*(pl.col(name) for name in ("document_type", *_OF_A_DOCUMENT))).alias("other")
    )
    owners = listed.select("owner").unique(maintain_order=True)
    parts = [
        chosen.select("owner", "document_type", *_OF_A_DOCUMENT),
        visas.select("owner", *(pl.col(name).alias(name.replace("document", "visa")) for name in _OF_A_DOCUMENT)),
        aliens.select("owner", pl.col("document_number").alias("alien_number")),
        others.group_by("owner", maintain_order=True).agg(pl.col("other").str.join("\n").alias("other_documents")),
    ]
    for part in parts:
        owners = owners.join(part, on="owner", how="left", maintain_order="left")
    return owners.select("owner", *DOCUMENT)


def _listed(segments: pl.DataFrame) -> pl.DataFrame:
    """One row a document that says anything, in order: owner, document, document_type, _number, _issuer, _expiry."""
    tag, qualifier = pl.col("tag"), pl.col("qualifier")
    heads = components(elements(segments.filter(tag == "DOC"), "kind", "number"), "kind", "document_type")
    heads = components(heads, "number", "document_number").select(
        "owner", "document", "document_type", "document_number"
    )
    places = components(
        elements(segments.filter((tag == "LOC") & (qualifier == _ISSUER)), "", "where"), "where", "code"
    )
    dates = components(segments.filter((tag == "DTM") & (qualifier == _EXPIRY)), "body", "", "digits", "code")
    issuers = _by_document(places, "document_issuer", pl.col("code"))
    expiries = _by_document(dates, "document_expiry", day(pl.col("digits"), pl.col("code")))
    for part in (issuers, expiries):
        heads = heads.join(part, on="document", how="left", maintain_order="left")
    said = pl.any_horizontal(pl.col(name).is_not_null() for name in ("document_type", *_OF_A_DOCUMENT))
    return heads.filter(said)


def _by_document(frame: pl.DataFrame, column: str, text: pl.Expr) -> pl.DataFrame:
    """One row a document; two different texts stand one a line."""
    said = frame.select("document", text.alias(column)).drop_nulls().unique(maintain_order=True)
    listed = said.group_by("document", maintain_order=True).agg(pl.col(column))
    return listed.with_columns(pl.col(column).list.join("\n"))

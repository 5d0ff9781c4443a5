"""What does a CUSCAR message say of each consignment and of each of its goods items?

An item of a cell is (key, column, text), where the key is the consignment (CNI) or the goods item (GID).
"""

from collections.abc import Iterator

import polars as pl

from pipeline.formats.cuscar_voyage import CONTAINER
from pipeline.formats.edifact import COMPONENT
from pipeline.formats.edifact_cells import components, each_element, elements, line, phrase, present

CONSIGNMENT = (
    "bill_number",
    "house_bill",
    "master_bill",
    "loading_port",
    "discharge_port",
    "receipt_place",
    "delivery_place",
    "destination",
    "consignor_id",
    "consignor_name",
    "consignor_address",
    "consignee_id",
    "consignee_name",
    "consignee_address",
    "notify_id",
    "notify_name",
    "notify_address",
)
GOODS = (
    "item_number",
    "packages",
    "package_type",
    "description",
    "marks",
    "gross_weight",
    "hs_codes",
    "undg_numbers",
    "containers",
    "container_types",
    "seals",
)
_BILLS = {"BM": "bill_number", "AAM": "bill_number", "BH": "house_bill", "MB": "master_bill"}
"""RFF 1153: bill of lading, waybill, house bill, master bill."""
_PORTS = {"9": "loading_port", "11": "discharge_port", "88": "receipt_place", "7": "delivery_place", "8": "destination"}
_PARTIES = {"CZ": "consignor", "OS": "consignor", "CN": "consignee", "NI": "notify"}
"""NAD 3035: consignor, original shipper, consignee, party to notify."""
_WEIGHED, _GROSS = ("AAE", "AAI", "WT"), ("G", "AAB", "AAD")
"""MEA 6311 and 6313: a measured weight; gross, where it is said."""
_PACKED = (pl.coalesce("kind", "name"), pl.coalesce("code", "name"))
"""The type of package in GID and in PAC: its code, else its name."""
_DESCRIBED, _HARMONISED = "AAA", "HS"

Items = Iterator[pl.DataFrame]


def read_of_consignment() -> pl.Expr:
    """Which segments of a consignment a column carries."""
    tag, qualifier, in_item = pl.col("tag"), pl.col("qualifier"), pl.col("item") > 0
    found = (tag == "CNI") | ((tag == "RFF") & qualifier.is_in([*_BILLS]))
    found |= (tag == "NAD") & qualifier.is_in([*_PARTIES])
    found |= (tag == "LOC") & qualifier.is_in([*_PORTS]) & ~pl.col("carriage") & ~in_item
    found |= in_item & tag.is_in(["GID", "PAC", "PCI", "CST", "PIA", "DGS", "SGP"])
    found |= in_item & (((tag == "FTX") & (qualifier == _DESCRIBED)) | ((tag == "MEA") & _is_gross()))
    return found.fill_null(value=False)


def _is_gross() -> pl.Expr:
    said = rf"\A[^{COMPONENT}\x1d]*\x1d(?:{'|'.join(_GROSS)})?(?:[{COMPONENT}\x1d]|\z)"
    return pl.col("qualifier").is_in(_WEIGHED) & pl.col("body").str.contains(said)


def consignment_items(segments: pl.DataFrame) -> Items:
    """The items of all consignments, keyed by `consignment`."""
    tag, qualifier = pl.col("tag"), pl.col("qualifier")
    shared = segments.filter(pl.col("item") == 0)
    cni = components(elements(shared.filter(tag == "CNI"), "", "document"), "document", "number")
    rff = components(shared.filter((tag == "RFF") & qualifier.is_in([*_BILLS])), "body", "", "number")
    bill = qualifier.replace_strict(_BILLS, default=None).alias("column")
    billed = rff.select("consignment", bill, pl.col("number").alias("text")).drop_nulls("text")
    yield billed
    # CNI's own document is the bill where no reference says one.
    unbilled = cni.join(billed.filter(pl.col("column") == "bill_number"), on="consignment", how="anti")
    yield _item(unbilled, "consignment", "bill_number", pl.col("number"))
    loc = shared.filter((tag == "LOC") & qualifier.is_in([*_PORTS]) & ~pl.col("carriage"))
    loc = components(elements(loc, "", "where"), "where", "code", "", "", "name")
    port = qualifier.replace_strict(_PORTS, default=None).alias("column")
    yield loc.select("consignment", port, pl.coalesce("code", "name").alias("text"))
    yield from _parties(shared.filter((tag == "NAD") & qualifier.is_in([*_PARTIES])))


def _parties(nad: pl.DataFrame) -> Items:
    """The name is C080, or the first line of C058; the address is what follows it."""
    apart = elements(nad, "", "identifier", "lines", "who", "street", "city", "region", "postcode", "country")
    apart = components(apart, "identifier", "id")
    apart = apart.with_columns(
        pl.col("lines").str.splitn(COMPONENT, 2).struct.rename_fields(["first", "others"]).alias("said")
    )
    apart = apart.unnest("said")
    party = phrase(pl.col("who"))
    name = pl.coalesce(party, present(pl.col("first").str.strip_chars(" ")))
    rest = pl.when(party.is_null()).then(pl.col("others")).otherwise(pl.col("lines"))
    address = line(
        *(phrase(part) for part in (rest, *map(pl.col, ("street", "city", "region", "postcode", "country"))))
    )
    role = pl.col("qualifier").replace_strict(_PARTIES, default=None)
    for column, text in (("id", pl.col("id")), ("name", name), ("address", address)):
        yield apart.select("consignment", (role + f"_{column}").alias("column"), text.alias("text"))


def goods_items(segments: pl.DataFrame, known: pl.DataFrame) -> Items:
    """The items of all goods items, keyed by `item`. `known`: the containers of each message."""
    by_tag = {str(key[0]): part for key, part in segments.partition_by("tag", as_dict=True).items()}
    none = segments.clear()
    gid = components(elements(by_tag.get("GID", none), "number", "packed"), "packed", "count", "kind", "", "", "name")
    yield _item(gid, "item", "item_number", phrase(pl.col("number")))
    pac = components(elements(by_tag.get("PAC", none), "count", "", "kind"), "kind", "code", "", "", "name")
    for column, *said in (("packages", pl.col("count"), phrase(pl.col("count"))), ("package_type", *_PACKED)):
        either = pl.concat([_item(gid, "item", column, said[0]), _item(pac, "item", column, said[1])])
        yield either.drop_nulls("text").unique(maintain_order=True)  # GID and PAC may both say it
    described = by_tag.get("FTX", none).filter(pl.col("qualifier") == _DESCRIBED)
    described = elements(described, "", "", "reference", "text")
    yield _item(described, "item", "description", phrase(pl.col("text")))
    marked = elements(by_tag.get("PCI", none), "", "marks")
    yield _item(marked, "item", "marks", phrase(pl.col("marks")))
    weighed = by_tag.get("MEA", none).filter(_is_gross())
    weighed = components(elements(weighed, "", "", "weight"), "weight", "unit", "value")
    yield _item(weighed, "item", "gross_weight", line(pl.col("value"), pl.col("unit")))
    yield from _codes(by_tag.get("PIA", none), by_tag.get("CST", none), by_tag.get("DGS", none))
    yield from _placed(by_tag.get("SGP", none), known)


def _codes(pia: pl.DataFrame, cst: pl.DataFrame, dgs: pl.DataFrame) -> Items:
    for frame in (pia, cst):
        codes = components(each_element(frame, first=1), "body", "code", "list")
        harmonised = codes.filter((pl.col("list") == _HARMONISED) | pl.col("list").is_null())
        yield _item(harmonised, "item", "hs_codes", pl.col("code"))
    dangers = components(elements(dgs, "", "", "un"), "un", "number")
    yield _item(dangers, "item", "undg_numbers", pl.col("number"))


def _placed(sgp: pl.DataFrame, known: pl.DataFrame) -> Items:
    """Each container that an item is in, with what the manifest says of it; "-" stands where it says nothing."""
    named = components(elements(sgp, "placed"), "placed", "container_number").drop_nulls("container_number")
    named = named.select("item", "message", "container_number").unique(
        ["item", "container_number"], keep="first", maintain_order=True
    )
    first = known.unique(["message", "container"], keep="first", maintain_order=True)
    found = named.join(
        first.select("message", *CONTAINER),
        left_on=["message", "container_number"],
        right_on=["message", "container"],
        how="left",
        maintain_order="left",
    )
    yield _item(found, "item", "containers", pl.col("container_number"))
    yield _item(found, "item", "container_types", pl.col("container_type").fill_null("-"))
    yield _item(found, "item", "seals", pl.col("seals").str.replace_all("\n", " ", literal=True).fill_null("-"))


def named_containers(segments: pl.DataFrame) -> pl.DataFrame:
    """`message` and `container` of every container that a goods item names."""
    sgp = segments.filter((pl.col("tag") == "SGP") & (pl.col("item") > 0))
    return components(elements(sgp, "placed"), "placed", "container").select("message", "container").drop_nulls()


def _item(frame: pl.DataFrame, key: str, column: str, text: pl.Expr) -> pl.DataFrame:
    return frame.select(key, pl.lit(column).alias("column"), text.alias("text"))

"""What does each SSR say, of which traveller, and which of them is the traveller's own document?"""

from dataclasses import dataclass

import polars as pl

from pipeline.formats.edifact import COMPONENT, ELEMENT
from pipeline.formats.edifact_cells import components, each_element, elements, line, present, spread, words
from pipeline.formats.pnrgov_items import Items, items
from pipeline.formats.pnrgov_times import birth_date, dated

_SEAT_CODES = ("SEAT", "NSST", "NSSA", "NSSB", "NSSM", "NSSW", "SMSA", "SMSB", "SMST", "SMSW", "RQST")
_APIS_CODES = ("DOCA", "DOCO")
_DOCUMENT = (
    "document_type",
    "document_issuer",
    "document_number",
    "nationality",
    "born",
    "sex",
    "expires",
)
_TEXT = 8
"""Components of an SSR before its text: code, status, quantity, carrier, two reserved, board point, off point."""


@dataclass(frozen=True, slots=True)
class Requests:
    """SSRs with their travellers: `items`; `documents` (one a traveller); what was found on the way."""

    items: list[pl.DataFrame]
    documents: pl.DataFrame
    unknown_kept: pl.Series
    unknown_dropped: pl.Series
    shapeless: pl.Series


def read_requests(ssr: pl.DataFrame, travellers: pl.DataFrame) -> Requests:
    """What the SSRs say. One that names travellers is theirs; else its group's traveller's; else the whole PNR's."""
    heads = elements(ssr, "head").select("pnr", "owner", "position", "body", "head")
    heads = heads.with_columns(pl.col("head").str.split(COMPONENT).list.slice(_TEXT).list.join(" ").alias("text"))
    heads = components(heads, "head", "code").with_columns(words(pl.col("text")))
    addressed, kept, dropped = _addressed(heads, travellers)
    alone = travellers.group_by("pnr").agg(pl.len().alias("party"), pl.col("owner").first().alias("only"))
    addressed = addressed.join(alone, on="pnr", how="left", maintain_order="left").with_columns(
        pl.when((pl.col("owner") == 0) & (pl.col("party") == 1)).then("only").otherwise("owner").alias("owner")
    )
    shaped = pl.col("code").str.contains(r"\A[A-Z0-9]{4}\z").fill_null(value=False)
    fine = addressed.filter(shaped)
    documents, further = _documents(fine.filter(pl.col("code") == "DOCS"), travellers)
    listed = [*further, *_listed(fine), items(addressed.filter(~shaped), "remarks", _raw())]
    return Requests(listed, documents, kept, dropped, heads.filter(~shaped)["position"])


def _addressed(heads: pl.DataFrame, travellers: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """One row for each traveller that an SSR names, with that one's `detail` (a seat, say)."""
    several = heads.filter(pl.col("body").str.contains(ELEMENT, literal=True))
    details = each_element(several.select("position", "body"), first=1)
    details = components(details, "body", "detail", "", "ref").select(
        "position", words(pl.col("detail")).alias("detail"), pl.col("ref").str.strip_chars_start("0")
    )
    each = heads.join(details, on="position", how="left", maintain_order="left_right")
    known = travellers.select("pnr", "ref", pl.col("owner").alias("named")).drop_nulls("ref")
    known = known.unique(["pnr", "ref"], keep="first", maintain_order=True)
    each = each.join(known, on=["pnr", "ref"], how="left", maintain_order="left")
    unknown = pl.col("ref").is_not_null() & pl.col("named").is_null()
    kept = each.filter(unknown & (pl.col("owner") > 0))["position"]
    dropped = each.filter(unknown & (pl.col("owner") == 0))["position"]
    owned = each.filter(~unknown | (pl.col("owner") > 0))
    return owned.with_columns(pl.coalesce("named", "owner").alias("owner")), kept, dropped


def _raw() -> pl.Expr:
    return line(pl.lit("SSR"), words(pl.col("body")))


def _leg() -> pl.Expr:
    return present(pl.concat_str(["board", "off"], separator="-", ignore_nulls=True))


def _asked(requests: pl.DataFrame) -> pl.DataFrame:
    """Requests with what stands between their code and their text."""
    return components(requests, "head", "", "status", "quantity", "carrier", "", "", "board", "off")


def _listed(requests: pl.DataFrame) -> Items:
    code = pl.col("code")
    contact, seat, apis = code.str.starts_with("CTC"), code.is_in(_SEAT_CODES), code.is_in(_APIS_CODES)
    flyer = code == "FQTV"
    bare = pl.col("text").str.strip_chars_start("/ ")
    yield items(requests.filter(contact), "contacts", line(code, pl.col("text")))
    yield items(requests.filter(flyer), "frequent_flyer", line(code, pl.col("text"), pl.col("detail")))
    yield items(requests.filter(apis), "apis_other", line(code, bare))
    seated = line(pl.col("detail"), code, pl.col("status"), _leg(), pl.col("text"))
    yield items(_asked(requests.filter(seat)), "seats", seated)
    other = _asked(requests.filter(~contact & ~seat & ~apis & ~flyer & (code != "DOCS")))
    asked = line(code, *(pl.col(name) for name in ("status", "quantity", "carrier")), _leg(), pl.col("text"))
    yield items(other, "service_requests", line(asked, pl.col("detail")))


def _documents(docs: pl.DataFrame, travellers: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Each traveller's own document, and the others as text.

    A parent carries the infant's DOCS (sex FI or MI), which is not the parent's own. Of several, the first with a
    number wins. One that names nobody in a party of many is nobody's own.
    """
    fields = docs.with_columns(pl.col("text").fill_null("").str.strip_prefix("/").alias("said"))
    fields = spread(fields, "said", "/", (*_DOCUMENT, "name", "given", "second"))
    names = pl.concat_str(["name", "given", "second"], separator="/", ignore_nulls=True)
    fields = fields.with_columns(present(names).alias("document_names"))
    own = fields.join(
        travellers.select("owner", "traveller_type", "departs_at"), on="owner", how="inner", maintain_order="left"
    )
    for_infant = pl.col("sex").is_in(["FI", "MI", "UI", "XI"]).fill_null(value=False)
    is_infant = (pl.col("traveller_type") == "IN").fill_null(value=False)
    own = own.filter(is_infant | ~for_infant).sort(pl.col("document_number").is_null(), "position", maintain_order=True)
    chosen = own.unique("owner", keep="first", maintain_order=True)
    further = fields.join(chosen, on=["owner", "position"], how="anti").join(
        chosen.select("owner", pl.col("text").alias("text")), on=["owner", "text"], how="anti"
    )
    further = further.unique(["pnr", "owner", "text"], keep="first", maintain_order=True)
    chosen = chosen.with_columns(dated(pl.col("born")).alias("young"))
    documents = chosen.select(
        "owner",
        *(name for name in _DOCUMENT if name not in ("born", "expires")),
        birth_date(pl.col("born"), pl.col("young"), pl.col("departs_at")).alias("birth_date"),
        dated(pl.col("expires")).alias("document_expiry"),
        "document_names",
    )
    bare = pl.col("text").str.strip_chars_start("/ ")
    return documents, [items(further, "apis_other", line(pl.col("code"), bare))]

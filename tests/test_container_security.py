"""Container Security Initiative: what a host is asked without being told why, and whose names are kept out of public manifests."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.cases import example_means
from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.language.policy import cited
from pipeline.core.language.treatment import Withhold
from pipeline.core.redaction import compile_redaction, redact
from pipeline.core.scope import Events
from pipeline.edges.catalogue import Catalogue, load
from pipeline.edges.schemas import schema_of
from samples import csi
from samples.wire import Row, written
from tests.exchange import ROOT, Exchange, assert_only_bad_rows_are_rejected
from tests.golden_cases import delivery, expected, received, released

GOLDEN = {
    "csi-manifest24h": ("csi-manifest-host", "csi-manifest-published"),
    "csi-isf": ("csi-filings",),
    "csi-referral": ("csi-referrals",),
    "csi-exam-result": ("csi-exam-results",),
}
NEVER_SHARED = ("target_score", "rule_ids", "source")
WHY = ("9871", "8230", "9123", "TGT-0042", "TGT-7001", "Watch list Larch", "liaison officer", "Quintero")
"""Every score, rule, source and analyst of the golden referrals."""
LIST = "csi-confidential-parties-v1"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    exchange = Exchange(tmp_path_factory.mktemp("container-security"))
    exchange.edit(f"codes/{LIST}.toml", "NLCONF0001 = 2028-03-01", "NLCONF0001 = 2999-03-01")
    return exchange


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(ROOT / "catalogue")


@pytest.fixture(scope="module")
def kept(exchange: Exchange) -> Mapping[str, str]:
    return {feed: received(exchange, feed, delivery("csi", feed), "golden") for feed in GOLDEN}


@pytest.mark.parametrize(("feed", "agreement"), [(feed, one) for feed, some in GOLDEN.items() for one in some])
def test_a_delivery_comes_out_as_its_agreement_allows(
    exchange: Exchange, kept: Mapping[str, str], feed: str, agreement: str
) -> None:
    _, rows = released(exchange, agreement, kept[feed])
    assert rows.write_csv() == expected("csi", agreement)


# Scores, rules and sources


def test_a_referral_says_no_score_no_rule_no_source_and_no_name(exchange: Exchange, kept: Mapping[str, str]) -> None:
    published, rows = released(exchange, "csi-referrals", kept["csi-referral"])
    assert rows.height == 2
    content, told = delivery("csi", "csi-referral").decode(), rows.write_csv() + str(published.predicate)
    assert all(word in content for word in WHY)
    assert [word for word in WHY if word in told] == []
    assert [word for word in WHY[3:] if word.encode() in exchange.everything_in_clear()] == []


def test_what_is_never_shared_is_withheld_by_a_clause_and_no_agreement_releases_it(catalogue: Catalogue) -> None:
    feeds = {agreement.id: agreement for agreement in catalogue.agreements.values() if agreement.feed == "csi-referral"}
    assert feeds
    for agreement in feeds.values():
        for column in NEVER_SHARED:
            said = agreement.columns[column]
            assert isinstance(said, Withhold)
            assert "never shared" in cited(said.clause)


def test_a_field_that_nobody_agreed_on_is_discarded_on_the_way_in(exchange: Exchange) -> None:
    content = written("csi-referral", [csi.referral(900, port_of_lading="NLRTM", referral_no="CSI-NLRTM-00000900")])
    content = content.replace(b'"targeting":{', b'"targeting":{"model":"QXMODEL",', 1)
    kept = received(exchange, "csi-referral", content, "one-field-more")
    _, rows = released(exchange, "csi-referrals", kept)
    assert "QXMODEL" not in rows.write_csv()
    assert b"QXMODEL" not in exchange.everything_in_clear()


def test_a_source_that_is_repeated_where_the_host_can_read_it_refuses_the_release(exchange: Exchange) -> None:
    row = csi.referral(
        901, port_of_lading="NLRTM", referral_no="CSI-NLRTM-00000901", source="Operation Larch Seventeen"
    )
    content = written("csi-referral", [{**row, "vessel_name": "Kestrel (Operation Larch Seventeen)"}])
    kept = received(exchange, "csi-referral", content, "repeated")
    with pytest.raises(Refused) as caught:
        journey.release(exchange.site, "csi-referrals", kept)
    assert caught.value.code is Code.WITHHELD_VALUE_FOUND


# The list of confidential parties


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(catalogue: Catalogue, agreement: str, rows: list[Row], at: datetime) -> pl.DataFrame:
    """The rows that the agreement releases at the instant."""
    asked = catalogue.agreement(agreement)
    schema = schema_of(catalogue.feed(asked.feed), catalogue.code_lists)
    means = example_means(catalogue.code_lists, catalogue.hierarchies)
    redaction = compile_redaction(asked, schema, means, Events(released=at, loaded=at))
    columns = {POSITION: pl.UInt64, **dict.fromkeys(schema.columns, pl.String)}
    frame = pl.DataFrame([{POSITION: number, **row} for number, row in enumerate(rows)], schema=columns)
    return redact(redaction, frame).frame


@pytest.mark.parametrize(
    ("at", "named"),
    [("2027-09-14", False), ("2027-09-14T23:59:59", False), ("2027-09-15", True), ("2029-01-01", True)],
)
def test_a_certification_that_lapses_gives_the_name_back_to_the_public_on_its_day(
    catalogue: Catalogue, at: str, named: bool
) -> None:
    row = csi.line(1, eta_us="2026-06-01T08:00Z", shipper_id="DECONF0002", consignee_id="US000000001")
    public = told(catalogue, "csi-manifest-published", [row], day(at)).row(0, named=True)
    assert (public["shipper_name"] is not None, public["shipper_address"] is not None) == (named, named)
    assert (public["description"] is not None) == named
    assert public["consignee_name"] == row["consignee_name"]


@pytest.mark.parametrize("at", ["2026-11-21", "2027-09-14", "2027-09-15", "2028-05-20"])
def test_each_arrived_row_is_public_and_names_exactly_the_parties_that_are_not_confidential(
    catalogue: Catalogue, at: str
) -> None:
    draw = random.Random(at)
    listed = catalogue.code_lists[LIST]
    known = [*listed.codes, "US000000001", "NL000000001", None]
    rows = [
        csi.line(number, eta_us=arrives, shipper_id=draw.choice(known), consignee_id=draw.choice(known))
        for number in range(1, 201)
        for arrives in [draw.choice(("2026-06-01T08:00Z", "2999-01-01T08:00Z"))]
    ]
    arrived = {row["bl_number"]: row for row in rows if str(row["eta_us"]).startswith("2026")}
    public = told(catalogue, "csi-manifest-published", rows, day(at))
    assert set(public["bl_number"]) == set(arrived)
    still = {code for code in listed.codes if day(at).date() < listed.lapses[code]}
    for row in public.iter_rows(named=True):
        given = arrived[row["bl_number"]]
        open_to_all = {
            party: given[f"{party}_id"] is not None and given[f"{party}_id"] not in still
            for party in ("shipper", "consignee")
        }
        for party, named in open_to_all.items():
            assert row[f"{party}_name"] == (given[f"{party}_name"] if named else None)
        assert row["description"] == (given["description"] if all(open_to_all.values()) else None)


def test_every_certification_of_the_list_lapses_within_two_years(catalogue: Catalogue) -> None:
    listed = catalogue.code_lists[LIST]
    assert set(listed.lapses) == set(listed.codes)
    assert max(listed.lapses.values()) <= (day(str(listed.agreed_on)) + timedelta(days=731)).date()


# Timing and vague words, over the journey


def test_a_late_or_vague_line_is_rejected_and_the_others_go_on(exchange: Exchange) -> None:
    rows = [
        *(csi.line(number) for number in range(500, 540)),
        csi.line(540, description="FAK", hs6=None),
        csi.line(541, filed_at="2999-01-01T08:00Z"),
        csi.line(542, container="CSQU3054384", seals="SL1", size_type="22G1"),
    ]
    exchange.drop("csi-manifest24h", written("csi-manifest24h", rows), "late-and-vague")
    (one,) = exchange.receive()
    assert (one.accepted_rows, one.rejected_rows, one.refused) == (40, 3, ())


def test_samples_are_accepted_but_for_their_bad_rows(exchange: Exchange) -> None:
    samples = (
        ("csi-manifest24h", csi.write_manifest24h, "containers"),
        ("csi-isf", csi.write_isf, "filings"),
        ("csi-referral", csi.write_referral, "referrals"),
        ("csi-exam-result", csi.write_exam_result, "results"),
    )
    assert_only_bad_rows_are_rejected(exchange, samples)

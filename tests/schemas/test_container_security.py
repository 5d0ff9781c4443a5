"""Each rule of the Container Security Initiative's four schemas: what passes, what fails, and the edge."""

from collections.abc import Mapping

import pytest

from pipeline.core.language.category import Category
from samples import csi
from samples.wire import Row
from schemas.csi_isf import FIVE_ELEMENTS, TEN_AT_LADING
from tests.schemas.trial import Broken, Trial

DAY_0, DAY_1, DAY_2, DAY_9 = (f"2026-11-{20 + day:02d}T10:00Z" for day in (0, 1, 2, 9))
GOOD: Mapping[str, Row] = {
    "csi_manifest24h": csi.line(
        1,
        container="CSQU3054383",
        size_type="22G1",
        seals="SL1",
        hs6="820310",
        filed_at=DAY_0,
        lading_at=DAY_1,
        departure_at=DAY_2,
        eta_us=DAY_9,
        shipper_id="NL1",
        consignee_id="US1",
    ),
    "csi_isf": csi.filing(
        1,
        filed_at=DAY_0,
        lading_at=DAY_1,
        arrival_at=DAY_9,
        stuffing_location="1 Dock Lane",
        consolidator="Example Stuffers",
        stuffing_filed_at=DAY_2,
    ),
    "csi_referral": csi.referral(1, referral_no="CSI-NLRTM-00000001", port_of_lading="NLRTM"),
    "csi_exam_result": csi.examination(
        1, result="CLEAR", refused_reason=None, exams_done="NII", image_ref="IMG-0001", radiation_alarm="N"
    ),
}
TRIALS = {module: Trial(module, good) for module, good in GOOD.items()}


def broken(module: str, **cells: str | None) -> Broken:
    return TRIALS[module].broken(**cells)


EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "one-line": (["A, B"], ["A\nB", "A\n"]),
    "at-most-70": (["Ö" * 70], ["A" * 71]),
    "at-most-140": (["A" * 140], ["A" * 141]),
    "at-most-210": (["A" * 210], ["A" * 211]),
    "at-most-512": (["A" * 512], ["A" * 513]),
    "bill-of-lading": (["XMPL1", "XM123456789012"], ["XM", "XMPL1234567890123", "xmpl1", "XMPL-1"]),
    "line": (["1", "9999"], ["0", "01", "10000"]),
    "scac": (["XMPL", "XM"], ["X", "XMPLE", "X1", "xmpl"]),
    "imo-number": (["9074729"], ["9074720", "907472", "IMO9074729"]),
    "country": (["NL", "US"], ["XX", "nl", "NLD"]),
    "voyage": (["123W", "1234567890"], ["12345678901", "1-2", "w"]),
    "foreign-port": (["NLRTM", "CNSH2"], ["USNYC", "PRSJU", "NLRT1", "QQRTM", "RTM", "nlrtm"]),
    "us-port": (["USNYC", "PRSJU"], ["NLRTM", "USNY1"]),
    "utc-time": (
        ["2024-02-29T00:00Z", "2024-02-29T23:59:59Z"],
        ["2023-02-29T10:00Z", "2024-02-29", "2024-02-29T24:00Z", "2024-02-29T10:00", "2024-02-29T10:00+01:00"],
    ),
    "container": (
        ["CSQU3054383", "FCIU5956299", "TCLU5546482", "TGCU0235724", "FCIU2469131"],
        ["CSQU3054384", "CSQX3054383", "CSQU305438", "csqu3054383"],
    ),
    "size-type": (["22G1", "45R1", "L5G1"], ["22G", "99ZZ1", "22g1", "Z2G1"]),
    "seals": (["SL1", "SL1\nCU-2"], ["-SL", "SL1\n", "sl1", "A" * 16]),
    "whole-number": (["1", "999999999"], ["0", "1.5", "-1", "01"]),
    "kilograms": (["0.5", "26000", "0"], ["1,5", "1.2345", "-1", "01"]),
    "hs-6": (["820310"], ["8203.10", "770000", "8203"]),
    "undg": (["1203"], ["9999", "UN1203"]),
    "party-id": (["NL1", "US123456789012345"], ["N1", "NL", "NL-1", "US1234567890123456"]),
    "precise-description": (
        ["Steel files", "Household goods of oak: 12 chairs", "STCX pumps", "Machinery for baking", "Fakir rugs"],
        [
            *("FAK", "fak", "Freight all kinds", "Freight of all kinds", "GENERAL CARGO", "General merchandise"),
            *("Said to contain toys", "STC 40 ctns toys", "40 goods", "Parts", "various", "12 34", "..."),
        ],
    ),
    "filing-no": (["XJ4-12345678901"], ["XJ4-1234567890", "xj4-12345678901"]),
    "filing-type": (["ISF-10", "ISF-5"], ["ISF10", "10"]),
    "importer-number": (
        ["12-1234567", "12-123456700", "261121-12345", "123-45-6789"],
        ["121234567", "12-12345670", "12-1234567000", "261121-1234"],
    ),
    "referral-no": (["CSI-NLRTM-20260042"], ["CSI-NLRTM-42", "NLRTM-20260042"]),
    "reason-class": (["ANOMALY", "RANDOM"], ["anomaly", "WATCH_LIST"]),
    "exams": (["NII", "NII\nRIID\nPHYS"], ["XRAY", "NII,RIID", "NII\n"]),
    "score": (["0", "9999"], ["-1", "10000", "0.5"]),
    "rule-ids": (["TGT-0042", "TGT-0042\nAB-0001"], ["TGT-42", "tgt-0042"]),
    "result": (["CLEAR", "ANOMALY", "DNL", "TRANSFER"], ["clear", "OK"]),
    "refused-reason": (["HOST_DECISION", "ALREADY_LADEN"], ["because", "host_decision"]),
    "image-ref": (["IMG-0001"], ["0001", "IMG-1", "IMG-a001"]),
    "yes-or-no": (["Y", "N"], ["y", "yes"]),
    "role": (["INSPECTOR"], ["inspector", "CHIEF"]),
}


@pytest.mark.parametrize("module", sorted(GOOD))
def test_a_good_row_breaks_no_rule(module: str) -> None:
    assert broken(module) == set()


@pytest.mark.parametrize("module", sorted(GOOD))
def test_a_cell_is_fine_or_breaks_its_rule(module: str) -> None:
    assert TRIALS[module].unlike(EXAMPLES) == []


def test_every_rule_of_a_column_is_tested() -> None:
    assert {rule for trial in TRIALS.values() for _, rule in trial.of_columns()} == set(EXAMPLES)


def test_every_row_rule_is_tested() -> None:
    assert {rule for trial in TRIALS.values() for rule in trial.of_rows()} == {
        "bill-of-the-carrier",
        "filed-24-hours-before-lading",
        "arrives-after-lading",
        "goods-described",
        "shipper-known",
        "consignee-known",
        "containers-are-sealed",
        "eight-elements-at-lading",
        "five-elements",
        "stuffing-told-whole",
        "stuffing-24-hours-before-arrival",
        "referral-of-the-port",
        "asked-before-the-cutoff",
        "result-or-refusal",
        "examined-somehow",
        "image-of-a-scan",
        "no-clear-under-an-alarm",
    }


# Timing


@pytest.mark.parametrize("module", ["csi_manifest24h", "csi_isf"])
@pytest.mark.parametrize(
    ("filed", "in_time"),
    [
        ("2026-11-20T09:59Z", True),
        ("2026-11-20T10:00Z", True),
        ("2026-11-20T10:00:00Z", True),
        ("2026-11-20T10:00:01Z", False),
        ("2026-11-20T10:01Z", False),
        ("2026-11-21T10:00Z", False),
    ],
)
def test_what_is_due_24_hours_before_lading_is_not_a_second_later(module: str, filed: str, in_time: bool) -> None:
    found = broken(module, filed_at=filed, lading_at="2026-11-21T10:00Z")
    assert found == (set() if in_time else {("", "filed-24-hours-before-lading")})


@pytest.mark.parametrize(("filed", "in_time"), [("2026-11-28T10:00Z", True), ("2026-11-28T10:01Z", False)])
def test_where_and_by_whom_it_was_stuffed_is_due_24_hours_before_arrival(filed: str, in_time: bool) -> None:
    found = broken("csi_isf", stuffing_filed_at=filed, arrival_at="2026-11-29T10:00Z")
    assert found == (set() if in_time else {("", "stuffing-24-hours-before-arrival")})


def test_elements_9_and_10_may_come_later_but_not_one_without_the_other() -> None:
    assert broken("csi_isf", stuffing_location=None, consolidator=None, stuffing_filed_at=None) == set()
    for missing in ("stuffing_location", "consolidator", "stuffing_filed_at"):
        assert ("", "stuffing-told-whole") in broken("csi_isf", **{missing: None})


def test_nothing_arrives_or_leaves_before_it_is_laden() -> None:
    late = {("", "arrives-after-lading")}
    assert broken("csi_manifest24h", departure_at=None) == set()
    assert broken("csi_manifest24h", departure_at=DAY_0) == late
    assert broken("csi_manifest24h", eta_us=DAY_1) == late
    assert (
        broken("csi_isf", arrival_at=DAY_1, stuffing_filed_at=None, stuffing_location=None, consolidator=None) == late
    )
    assert broken("csi_referral", requested_at=DAY_1, cutoff_at=DAY_1) == {("", "asked-before-the-cutoff")}
    assert broken("csi_referral", requested_at=DAY_0, cutoff_at=DAY_1) == set()


# What must be there


def test_ten_elements_are_eight_at_lading() -> None:
    for element in TEN_AT_LADING:
        assert broken("csi_isf", **{element: None}) == {("", "eight-elements-at-lading")}


def test_goods_that_go_on_have_five_elements() -> None:
    five = {"filing_type": "ISF-5", "booking_party": "A", "unlading_port": "MXVER", "delivery_place": "Veracruz"}
    others = dict.fromkeys(
        {*TEN_AT_LADING, "stuffing_location", "consolidator", "stuffing_filed_at"} - {*FIVE_ELEMENTS}
    )
    assert broken("csi_isf", **five, **others) == set()
    for element in FIVE_ELEMENTS:
        assert broken("csi_isf", **{**five, **others, element: None}) == {("", "five-elements")}


def test_goods_are_described_in_words_or_by_their_heading_and_weighed() -> None:
    assert broken("csi_manifest24h", hs6=None) == set()
    assert broken("csi_manifest24h", description=None) == set()
    assert broken("csi_manifest24h", description=None, hs6=None) == {("", "goods-described")}
    assert broken("csi_manifest24h", weight_kg=None) == {("", "goods-described")}
    assert broken("csi_manifest24h", description="FAK") == {("description", "precise-description")}


@pytest.mark.parametrize("party", ["shipper", "consignee"])
def test_a_party_is_known_by_its_number_or_by_name_and_address(party: str) -> None:
    id, name, address = (f"{party}_{part}" for part in ("id", "name", "address"))
    assert broken("csi_manifest24h", **{id: None}) == set()
    assert broken("csi_manifest24h", **{name: None, address: None}) == set()
    for missing in (name, address):
        assert broken("csi_manifest24h", **{id: None, missing: None}) == {("", f"{party}-known")}


def test_a_container_is_sealed_and_loose_goods_are_not() -> None:
    loose: dict[str, str | None] = {"container": None, "size_type": None, "seals": None}
    wrong = {("", "containers-are-sealed")}
    assert broken("csi_manifest24h", **loose) == set()
    assert broken("csi_manifest24h", size_type=None) == set()
    assert broken("csi_manifest24h", seals=None) == wrong
    assert broken("csi_manifest24h", **{**loose, "seals": "SL1"}) == wrong
    assert broken("csi_manifest24h", **{**loose, "size_type": "22G1"}) == wrong


@pytest.mark.parametrize("module", ["csi_manifest24h", "csi_isf"])
def test_a_bill_begins_with_its_carrier(module: str) -> None:
    assert broken(module, bl_number="ABCD1") == {("", "bill-of-the-carrier")}


def test_a_referral_is_numbered_by_its_port() -> None:
    assert broken("csi_referral", referral_no="CSI-DEHAM-00000001") == {("", "referral-of-the-port")}


# What the host answers


def test_the_host_answers_with_a_result_or_with_why_there_is_none() -> None:
    no_result: dict[str, str | None] = {"result": None, "exams_done": None, "image_ref": None}
    assert broken("csi_exam_result", **no_result, refused_reason="HOST_DECISION") == set()
    assert broken("csi_exam_result", **no_result) == {("", "result-or-refusal")}
    assert broken("csi_exam_result", refused_reason="HOST_DECISION") == {("", "result-or-refusal")}
    assert broken("csi_exam_result", exams_done=None, image_ref=None) == {("", "examined-somehow")}


def test_an_image_comes_from_a_scan() -> None:
    assert broken("csi_exam_result", exams_done="NII\nPHYS") == set()
    assert broken("csi_exam_result", exams_done="PHYS") == {("", "image-of-a-scan")}
    assert broken("csi_exam_result", exams_done="PHYS", image_ref=None) == set()


@pytest.mark.parametrize(("done", "fine"), [("NII", False), ("NII\nRIID", True), ("NII\nPHYS", True)])
def test_after_a_radiation_alarm_nothing_is_clear_before_somebody_has_looked(done: str, fine: bool) -> None:
    found = broken("csi_exam_result", radiation_alarm="Y", exams_done=done)
    assert found == (set() if fine else {("", "no-clear-under-an-alarm")})
    assert broken("csi_exam_result", radiation_alarm="Y", exams_done=done, result="DNL") == set()


def test_who_is_named_is_a_direct_identifier_and_words_are_free_text() -> None:
    manifest, isf = TRIALS["csi_manifest24h"].compiled, TRIALS["csi_isf"].compiled
    assert manifest.categories["consignee_name"] is manifest.categories["shipper_id"] is Category.DIRECT_IDENTIFIER
    assert manifest.categories["description"] is Category.FREE_TEXT
    assert isf.categories["seller"] is isf.categories["importer_number"] is Category.DIRECT_IDENTIFIER
    for trial in TRIALS.values():
        assert all(trial.compiled.sources.values())
        assert tuple(trial.good) == trial.compiled.columns

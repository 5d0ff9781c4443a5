"""Each rule of Program Global Shield's four schemas: what passes, what fails, and the edge."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.core.language.category import Category
from samples import gshield
from samples.wire import Row
from schemas.gshield_chemicals import BASKETS, CHEMICALS
from tests.schemas.trial import Broken, Trial

GOOD: Mapping[str, Row] = {
    "gshield_pre_export": gshield.notice(
        1,
        importing_customs="DE",
        route="USHOU\nDEHAM",
        chemical_name="acetone",
        cas="67-64-1",
        hs6="291411",
        un_number="1090",
        quantity="800",
        unit="KGM",
        quantity_kg="800",
        vehicle="MV Kestrel",
        container="CSQU3054383",
        invoice_value="900",
        invoice_currency="USD",
    ),
    "gshield_reply": gshield.reply(1, reply="NO_OBJECTION", needed=None),
    "gshield_suspicious": gshield.report(1, cas=None, hs6="291411", un_number=None, subjects=None, subject_count="0"),
    "gshield_seizure": gshield.seizure(1, cas=None, hs6="291411", un_number=None, arrested=None, arrests="0"),
}
TRIALS = {module: Trial(module, good) for module, good in GOOD.items()}
WITH_CHEMICALS = [module for module in GOOD if module != "gshield_reply"]


def broken(module: str, **cells: str | None) -> Broken:
    return TRIALS[module].broken(**cells)


EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "one-line": (["A, B"], ["A\nB", "A\n"]),
    "at-most-35": (["Ö" * 35], ["A" * 36]),
    "at-most-70": (["Ö" * 70], ["A" * 71]),
    "at-most-140": (["A" * 140], ["A" * 141]),
    "at-most-512": (["A" * 512], ["A" * 513]),
    "at-most-2000": (["A" * 2000], ["A" * 2001]),
    "notification-no": (["US-PEN-2026-000123"], ["US-PEN-26-000123", "us-PEN-2026-000123", "US-PEN-2026-0001234"]),
    "reply-no": (["DE-REP-2026-000123"], ["DE-PEN-2026-000123", "DE-REP-2026-123"]),
    "report-no": (["US-SUS-2026-000123"], ["US-SUS-2026-00012", "US-SUS-2026-000123\n"]),
    "seizure-no": (["US-SEZ-2026-000123"], ["US-SEZ-2026", "SEZ-2026-000123"]),
    "country": (["US", "DE"], ["XX", "EU", "de", "DEU"]),
    "countries": (["AE", "AE\nSG"], ["AE SG", "AE\n", "QQ"]),
    "cas-number": (["67-64-1", "108-24-7", "6484-52-2"], ["67-64-2", "067-64-1", "67641", "67-64-1\n"]),
    "hs-6": (["291411", "970610"], ["2914.11", "291", "770000", "000000", "970600"]),
    "undg": (["1090", "0004"], ["109", "9999", "UN1090"]),
    "amount": (["0", "0.5", "25000", "1.000001"], ["-1", "+1", "01", "1,5", ".5", "1e3", "1.0000001", "1234567890"]),
    "unit": (["KGM", "TNE", "GRM", "LTR"], ["kg", "KG", "LBR"]),
    "packaging": (["DRUM", "BULK"], ["drum", "BOX"]),
    "un-locode": (["USHOU", "DEHAM"], ["DEHA", "QQHAM", "DE1AM", "deham"]),
    "date": (["2024-02-29"], ["2023-02-29", "29.02.2024", "2024-2-9", "20240229"]),
    "mode": (["SEA", "INLAND_WATER"], ["sea", "SPACE"]),
    "container": (["CSQU3054383"], ["CSQU3054384", "CSQU305438", "csqu3054383"]),
    "currency": (["USD"], ["usd", "US", "USDX"]),
    "licence-no": (["EL-1/2", "A" * 35], ["A" * 36, "-1", "el"]),
    "reply": (["NO_OBJECTION", "OBJECTION", "NEEDS_INFO", "STOP"], ["YES", "stop"]),
    "needed": (["END_USER", "LICENCE\nROUTE"], ["END USER", "LICENCE\n"]),
    "indicators": (["CASH", "CASH\nMISLABELLED"], ["HUNCH", "CASH,MISLABELLED"]),
    "status": (["OPEN", "CONFIRMED", "CLEARED"], ["open", "CLOSED"]),
    "count": (["0", "7", "9999"], ["-1", "07", "10000", "1.5"]),
    "concealment": (["NONE", "COVER_LOAD"], ["none", "TRUNK"]),
}


@pytest.mark.parametrize("module", sorted(GOOD))
def test_a_good_row_breaks_no_rule(module: str) -> None:
    assert broken(module) == set()


@pytest.mark.parametrize("module", sorted(GOOD))
def test_a_cell_is_fine_or_breaks_its_rule(module: str) -> None:
    assert TRIALS[module].unlike(EXAMPLES) == []


def test_every_rule_of_a_column_is_tested() -> None:
    assert {rule for trial in TRIALS.values() for _, rule in trial.of_columns()} == set(EXAMPLES)


def test_a_notice_needs_all_but_what_not_every_consignment_has() -> None:
    trial = TRIALS["gshield_pre_export"]
    assert set(trial.compiled.columns) - trial.required() == {
        "final_user",
        "chemical_name",
        "cas",
        "un_number",
        "vehicle",
        "container",
        "invoice_value",
        "invoice_currency",
        "licence_no",
        "contact_officer",
    }


def test_persons_are_counted_in_every_report_and_seizure() -> None:
    assert "subject_count" in TRIALS["gshield_suspicious"].required()
    assert {"arrests", "quantity_kg"} <= TRIALS["gshield_seizure"].required()
    assert "quantity_kg" not in TRIALS["gshield_suspicious"].required()
    assert {"notification_no", "reply", "replied_on"} <= TRIALS["gshield_reply"].required()


def test_every_row_rule_is_tested() -> None:
    assert set().union(*(trial.of_rows() for trial in TRIALS.values())) == {
        "needs-identification",
        "cas-under-its-heading",
        "un-number-of-the-chemical",
        "kilograms-agree",
        "notice-of-the-exporter",
        "leaves-the-country",
        "route-of-the-consignment",
        "conveyance-named",
        "value-has-a-currency",
        "reply-of-the-replier",
        "says-what-is-needed",
        "replied-after-notified",
        "report-of-the-reporter",
        "subjects-are-counted",
        "seizure-of-the-seizer",
        "arrests-are-counted",
    }


# The fourteen chemicals


def test_there_are_fourteen_with_sound_numbers_and_the_code_lists_are_theirs() -> None:
    lists = {
        name: tomllib.loads(Path(f"catalogue/codes/precursor-{name}-v1.toml").read_text())["codes"]
        for name in ("cas", "headings")
    }
    families = tomllib.loads(Path("catalogue/hierarchies/precursor-families.toml").read_text())["parents"]
    assert len(CHEMICALS) == 14
    assert lists["cas"] == [chemical.cas for chemical in CHEMICALS]
    headings = {heading for chemical in CHEMICALS for heading in chemical.headings}
    assert set(lists["headings"]) == headings == set(families)
    assert set(BASKETS) <= headings


@pytest.mark.parametrize("module", WITH_CHEMICALS)
def test_a_basket_needs_the_cas_number_or_the_name(module: str) -> None:
    unnamed = {"un_number": None, "chemical_name": "oxidiser, technical grade"}
    for basket in BASKETS:
        (chemical,) = [chemical for chemical in CHEMICALS if basket in chemical.headings]
        assert broken(module, **unnamed, hs6=basket, cas=None) == {("", "needs-identification")}
        assert broken(module, un_number=None, hs6=basket, cas=None, chemical_name=None) == {
            ("", "needs-identification")
        }
        assert broken(module, **unnamed, hs6=basket, cas=chemical.cas) == set()
        name = f"{chemical.name.upper()}, technical"
        assert broken(module, un_number=None, hs6=basket, cas=None, chemical_name=name) == set()


@pytest.mark.parametrize("module", WITH_CHEMICALS)
def test_a_name_identifies_under_its_own_basket_as_a_word_of_its_own(module: str) -> None:
    for name in ("potassium perchlorate", "potassium chlorates mixture", "dinitromethane"):
        found = broken(module, un_number=None, hs6="282919", cas=None, chemical_name=name)
        assert found == {("", "needs-identification")}
    assert broken(module, un_number=None, hs6="321290", cas=None, chemical_name="aluminum paste") == set()


@pytest.mark.parametrize("module", WITH_CHEMICALS)
def test_a_heading_of_its_own_needs_no_cas_number_and_takes_no_other(module: str) -> None:
    wrong = {("", "cas-under-its-heading")}
    assert broken(module, un_number=None, hs6="310230", cas=None, chemical_name=None) == set()
    assert broken(module, un_number=None, hs6="310230", cas="6484-52-2") == set()
    assert broken(module, un_number=None, hs6="310230", cas="57-13-6") == wrong
    assert broken(module, un_number=None, hs6="310230", cas="118-96-7") == wrong
    assert broken(module, un_number=None, hs6="847130", cas="6484-52-2") == wrong


@pytest.mark.parametrize("module", WITH_CHEMICALS)
def test_what_is_none_of_the_fourteen_is_accepted_and_is_for_the_agreement_to_leave_out(module: str) -> None:
    assert broken(module, un_number=None, hs6="360360", cas=None) == set()
    assert broken(module, un_number=None, hs6="290420", cas="118-96-7") == set()


@pytest.mark.parametrize("module", WITH_CHEMICALS)
def test_a_un_number_is_the_chemicals(module: str) -> None:
    assert broken(module, cas="67-64-1", un_number="1090") == set()
    assert broken(module, cas="67-64-1", un_number="1942") == {("", "un-number-of-the-chemical")}
    assert broken(module, cas="67-64-1", un_number="1203") == {("", "un-number-of-the-chemical")}


@pytest.mark.parametrize("module", WITH_CHEMICALS)
@pytest.mark.parametrize(
    ("quantity", "unit", "kilograms", "agree"),
    [
        ("24.5", "TNE", "24500", True),
        ("24.5", "TNE", "24.5", False),
        ("800", "KGM", "800", True),
        ("800", "KGM", "800.5", False),
        ("500", "GRM", "0.5", True),
        ("500", "GRM", "500", False),
        ("100", "LTR", "50", True),
        ("100", "LTR", "300", True),
        ("100", "LTR", "301", False),
        ("100", "LTR", "49", False),
    ],
)
def test_the_kilograms_are_the_declared_quantity(
    module: str, quantity: str, unit: str, kilograms: str, agree: bool
) -> None:
    found = broken(module, quantity=quantity, unit=unit, quantity_kg=kilograms)
    assert found == (set() if agree else {("", "kilograms-agree")})


# The other rules across columns


@pytest.mark.parametrize(
    ("module", "rule", "cells"),
    [
        ("gshield_pre_export", "notice-of-the-exporter", {"notification_no": "DE-PEN-2026-000001"}),
        ("gshield_pre_export", "route-of-the-consignment", {"route": "USHOU\nFRLEH"}),
        ("gshield_pre_export", "route-of-the-consignment", {"route": "DEHAM\nUSHOU"}),
        ("gshield_pre_export", "route-of-the-consignment", {"route": "DEHAM"}),
        ("gshield_pre_export", "conveyance-named", {"vehicle": None, "container": None}),
        ("gshield_pre_export", "value-has-a-currency", {"invoice_currency": None}),
        ("gshield_pre_export", "value-has-a-currency", {"invoice_value": None}),
        ("gshield_reply", "notice-of-the-exporter", {"exporting_customs": "CA"}),
        ("gshield_reply", "reply-of-the-replier", {"reply_no": "FR-REP-2026-000001"}),
        ("gshield_reply", "says-what-is-needed", {"reply": "NEEDS_INFO"}),
        ("gshield_reply", "says-what-is-needed", {"needed": "ROUTE"}),
        ("gshield_reply", "replied-after-notified", {"replied_on": "2026-01-01", "notified_on": "2026-01-02"}),
        ("gshield_suspicious", "report-of-the-reporter", {"reporting_customs": "DE"}),
        ("gshield_suspicious", "subjects-are-counted", {"subjects": "A\nB", "subject_count": "1"}),
        ("gshield_seizure", "seizure-of-the-seizer", {"seizure_no": "AD-SEZ-2026-000001"}),
        ("gshield_seizure", "arrests-are-counted", {"arrested": "A\nB", "arrests": "1"}),
    ],
)
def test_a_row_that_contradicts_itself_breaks_its_rule(module: str, rule: str, cells: dict[str, str | None]) -> None:
    assert broken(module, **cells) == {("", rule)}


def test_a_consignment_leaves_its_country() -> None:
    cells = {"importing_customs": "US", "route": "USHOU\nUSNYC"}
    assert broken("gshield_pre_export", **cells) == {("", "leaves-the-country")}


@pytest.mark.parametrize(
    ("module", "cells"),
    [
        ("gshield_pre_export", {"vehicle": None}),
        ("gshield_pre_export", {"container": None, "invoice_value": None, "invoice_currency": None}),
        ("gshield_pre_export", {"route": "USHOU\nBEANR\nDEHAM"}),
        ("gshield_reply", {"reply": "NEEDS_INFO", "needed": "END_USER\nROUTE"}),
        ("gshield_reply", {"replied_on": "2026-01-02", "notified_on": "2026-01-02"}),
        ("gshield_suspicious", {"subjects": "A\nB", "subject_count": "2"}),
        ("gshield_suspicious", {"subjects": None, "subject_count": "3", "quantity": None, "unit": None}),
        ("gshield_seizure", {"arrested": "A", "arrests": "5"}),
    ],
)
def test_at_the_edge_a_row_is_fine(module: str, cells: dict[str, str | None]) -> None:
    assert broken(module, **cells) == set()


def test_who_is_named_is_a_direct_identifier() -> None:
    for module, names in {
        "gshield_pre_export": ("consignor_name", "consignee_address", "final_user", "contact_officer"),
        "gshield_reply": ("officer_name",),
        "gshield_suspicious": ("businesses", "subjects"),
        "gshield_seizure": ("arrested",),
    }.items():
        assert {TRIALS[module].compiled.categories[name] for name in names} == {Category.DIRECT_IDENTIFIER}
        assert all(TRIALS[module].compiled.sources.values())


def test_the_order_of_the_cells_of_a_sample_is_the_schemas() -> None:
    assert {module: tuple(row) for module, row in GOOD.items()} == {
        module: TRIALS[module].compiled.columns for module in GOOD
    }

"""Each rule of projects and deliverables: export control against banners, shares before publication, and who may be named."""

import io
from types import ModuleType

import polars as pl
import pytest

from pipeline.core.banner import marks_of, read_marking
from pipeline.core.delivery import POSITION
from pipeline.core.errors import Code, Refused
from pipeline.core.findings import Tally
from pipeline.core.language.category import Category
from pipeline.core.validation import CompiledSchema, compile_schema, rejected
from pipeline.formats.batch import Limits
from pipeline.formats.csv import Csv
from samples import st_deliverables as deliverables
from samples import st_projects as projects
from schemas import st_controls
from schemas.st_deliverables import SCHEMA as DELIVERABLES
from schemas.st_projects import SCHEMA as PROJECTS
from tests.code_lists import LISTS

PROJECT, DELIVERABLE = compile_schema(PROJECTS, LISTS), compile_schema(DELIVERABLES, LISTS)
CONTROLS: dict[str, str | None] = {
    "ip_class": "FOREGROUND",
    "ip_share_ours": "50",
    "ip_share_partner": "50",
    "publication_status": "IN_REVIEW",
    "publication_review_due": "2026-12-01",
    "export_control": "EAR99",
    "foreign_release": "Y",
    "human_subjects": "N",
    "marking": "TLP:GREEN",
}
GOOD_PROJECT: dict[str, str | None] = {
    "project_no": "ST-DEU-2026-017",
    "party": "DEU",
    "title": "Standards for trace detection",
    "partner_org": "Institut Nordhafen",
    "trl": "4",
    "start_date": "2026-01-01",
    "end_date": "2028-12-31",
    "funding_ours": "60",
    "funding_partner": "40",
    **CONTROLS,
}
GOOD_DELIVERABLE: dict[str, str | None] = {
    "deliverable_id": "ST-DEU-2026-017-D03",
    "project_no": "ST-DEU-2026-017",
    "kind": "REPORT",
    "title": "Final report",
    "sha256": "0f" * 32,
    "delivered_on": "2026-11-01",
    **CONTROLS,
}
DESIGNATED = 'DESIGNATED BY "Example Science Directorate"'
ECCN = {"export_control": "ECCN", "eccn": "3A001.b.1", "export_license": "D123456"}
TO_DEU, NOFORN = f"CUI//EXPT//REL TO USA, DEU | {DESIGNATED}", f"CUI//EXPT//NOFORN | {DESIGNATED}"


def found(schema: CompiledSchema, row: dict[str, str | None]) -> set[tuple[str, str]]:
    tally = Tally()
    columns = {POSITION: pl.UInt64, **dict.fromkeys(schema.columns, pl.String)}
    rejected(schema, pl.DataFrame([{POSITION: 1, **row}], schema=columns), tally)
    return {(finding.column, finding.rule) for finding in tally.findings()}


def broken(**cells: str | None) -> set[tuple[str, str]]:
    """The (column, rule)s that the good project breaks with these cells."""
    return found(PROJECT, {**GOOD_PROJECT, **cells})


def broken_deliverable(**cells: str | None) -> set[tuple[str, str]]:
    return found(DELIVERABLE, {**GOOD_DELIVERABLE, **cells})


def rule(name: str) -> set[tuple[str, str]]:
    return {("", name)}


def test_a_good_row_breaks_no_rule() -> None:
    assert broken() == broken_deliverable() == set()
    assert (PROJECT.key, DELIVERABLE.key) == (("project_no",), ("deliverable_id",))


@pytest.mark.parametrize(
    ("column", "name", "fine", "wrong"),
    [
        ("trl", "trl", ["1", "9"], ["0", "10", "IV", "1\n"]),
        ("project_no", "project-number", ["ST-DEU-2026-001"], ["ST-DEU-1999-001", "ST-DE-2026-001", "ST-DEU-2026-1"]),
        ("party", "party", ["DEU"], ["DE", "XXX", "deu"]),
        ("end_date", "date", ["2028-02-29", None], ["2027-02-29"]),
        ("funding_ours", "percent", ["60"], ["060", "101", "60%", "-1"]),
        ("ip_share_ours", "percent", ["50", None], ["050", "101", "half"]),
        ("ip_class", "ip-class", ["BACKGROUND"], ["OURS", "background"]),
        ("publication_status", "publication-status", ["CLEARED"], ["SOON"]),
        ("export_control", "export-control", ["EAR99"], ["NLR", "NONE"]),
        ("export_license", "license", ["D123456", None], ["d1", "A B C", "-123"]),
        ("human_subjects", "yes-or-no", ["N"], ["n", "maybe"]),
        ("foreign_release", "yes-or-no", ["Y"], ["y"]),
        ("assessment", "reference", ["DPIA-0001", None], ["?", "a"]),
        ("abstract", "at-most-4000", ["x" * 4000, None], ["x" * 4001]),
    ],
)
def test_a_cell_is_fine_or_breaks_its_rule(column: str, name: str, fine: list[str | None], wrong: list[str]) -> None:
    for good in fine:
        assert broken(**{column: good}) == set()
    for bad in wrong:
        assert (column, name) in broken(**{column: bad})


@pytest.mark.parametrize(
    ("column", "name", "fine", "wrong"),
    [
        ("sha256", "sha256", ["a" * 64], ["A" * 64, "a" * 63, "g" * 64]),
        ("kind", "kind", ["DATASET"], ["PAPER"]),
        ("deliverable_id", "deliverable-id", ["ST-DEU-2026-017-D99"], ["ST-DEU-2026-017", "ST-DEU-2026-017-D1"]),
        ("delivered_on", "date", ["2026-11-30"], ["2026-11-31"]),
    ],
)
def test_a_deliverables_cell_is_fine_or_breaks_its_rule(
    column: str, name: str, fine: list[str], wrong: list[str]
) -> None:
    for good in fine:
        assert broken_deliverable(**{column: good}) == set()
    for bad in wrong:
        assert (column, name) in broken_deliverable(**{column: bad})


def test_a_classification_number_stands_with_eccn_alone_and_a_category_with_itar_alone() -> None:
    itar = {"export_control": "ITAR", "export_license": "D123456", "marking": TO_DEU}
    assert broken(**ECCN, marking=TO_DEU) == broken(**itar, usml_category="XXI") == set()
    for wrong in (
        {**ECCN, "marking": TO_DEU, "eccn": None},
        {**itar, "usml_category": None},
        {**itar, "usml_category": "XI", "eccn": "3A001"},
        {"eccn": "3A001"},
    ):
        assert broken(**wrong) == rule("classified-for-export")
    assert ("eccn", "eccn") in broken(**{**ECCN, "eccn": "3F001"}, marking=TO_DEU)
    assert ("usml_category", "usml-category") in broken(**itar, usml_category="XXII")


def test_what_is_controlled_for_export_is_marked_expt() -> None:
    assert broken(**ECCN, marking="TLP:GREEN") == rule("controlled-is-marked")
    assert broken(**ECCN, marking=f"CUI//PROPIN/EXPTX//REL TO USA, DEU | {DESIGNATED}") == rule("controlled-is-marked")
    assert broken(**ECCN, marking=f"CUI//EXPT/PROPIN//REL TO USA, DEU | {DESIGNATED}") == set()
    assert broken(marking=TO_DEU) == set()


def test_what_is_controlled_goes_abroad_with_a_licence_or_not_at_all() -> None:
    without = {**ECCN, "export_license": None}
    assert broken(**without, marking=TO_DEU) == rule("licensed-to-leave")
    assert broken(**without, marking=NOFORN, foreign_release="N") == set()


def test_foreign_release_says_what_the_banner_says() -> None:
    assert broken(**ECCN, marking=NOFORN) == rule("foreign-release-as-marked")
    assert broken(**ECCN, marking=TO_DEU, foreign_release="N") == rule("foreign-release-as-marked")
    beside = f"TLP:AMBER | CUI//PROPIN//FED ONLY/NOFORN | {DESIGNATED}"
    assert broken(marking=beside) == rule("foreign-release-as-marked")
    assert broken(marking=beside, foreign_release="N") == set()


def test_what_is_business_confidential_is_marked_so() -> None:
    for category in ("PROPIN", "SP-PROPIN"):
        banner = f"CUI//{category}//REL TO USA, DEU | {DESIGNATED}"
        assert broken(ip_class="BUSINESS_CONFIDENTIAL", marking=banner) == set()
    assert broken(ip_class="BUSINESS_CONFIDENTIAL") == rule("confidential-is-marked")


@pytest.mark.parametrize("status", st_controls.PUBLICATIONS)
def test_nothing_is_cleared_or_published_before_the_shares_are_settled(status: str) -> None:
    expected = rule("shares-settled") if status in ("CLEARED", "PUBLISHED") else set()
    assert broken(publication_status=status) == set()
    assert broken(publication_status=status, ip_share_ours=None) == expected
    assert broken(publication_status=status, ip_share_ours=None, ip_share_partner=None) == expected
    assert broken(publication_status=status, ip_share_ours="51") == rule("shares-settled")
    assert broken(publication_status=status, ip_share_ours="0", ip_share_partner="100") == set()


def test_data_of_human_subjects_has_an_assessment_of_its_own() -> None:
    assert broken(human_subjects="Y") == rule("assessed")
    assert broken(human_subjects="Y", assessment="DPIA-0001") == set()


def test_a_project_names_its_party_ends_after_its_start_and_is_paid_by_both() -> None:
    assert broken(party="NLD") == rule("number-of-party")
    assert broken(end_date="2025-12-31") == rule("ends-after-start")
    assert broken(end_date="2026-01-01") == set()
    for ours, theirs in (("60", "60"), ("100", "0"), ("0", "100")):
        assert broken(funding_ours=ours, funding_partner=theirs) == rule("both-contribute")


def test_a_deliverable_is_of_its_project_and_reviewed_once_it_is_there() -> None:
    assert broken_deliverable(project_no="ST-DEU-2026-018") == rule("deliverable-of-project")
    assert broken_deliverable(delivered_on="2026-12-02") == rule("reviewed-after-delivery")
    assert broken_deliverable(delivered_on="2026-12-01") == set()


def test_persons_and_free_text_say_so() -> None:
    assert PROJECT.categories["lead_name"] is DELIVERABLE.categories["authors"] is Category.DIRECT_IDENTIFIER
    assert PROJECT.categories["abstract"] is Category.FREE_TEXT


@pytest.mark.parametrize(
    ("module", "schema", "counted"), [(projects, PROJECT, "projects"), (deliverables, DELIVERABLE, "deliverables")]
)
def test_the_samples_are_good_and_bad_as_they_say_and_every_banner_can_be_read(
    module: ModuleType, schema: CompiledSchema, counted: str
) -> None:
    for share in (0.0, 0.1):
        out = io.BytesIO()
        said = module.write(out, **{counted: 300}, seed=1, bad_share=share)
        frame = pl.concat(batch.frame for batch in Csv().read([out.getvalue()], schema.columns, Limits()))
        assert (frame.height, int(rejected(schema, frame, Tally()).sum())) == (said.rows, said.bad_rows)
        assert bool(said.bad_rows) is bool(share)
        assert marks_of(frame["marking"]) is not None
    assert set(frame["export_control"]) >= set(st_controls.CONTROLS)


@pytest.mark.parametrize(
    ("banner", "code"),
    [
        (f"CUI//EXPT | {DESIGNATED}", Code.MARKING_UNKNOWN),
        (f"CUI//EXPT//NOFORN/REL TO USA, DEU | {DESIGNATED}", Code.MARKING_UNKNOWN),
        ("CUI//EXPT//NOFORN", Code.MARKING_UNKNOWN),
        ("SECRET//NOFORN", Code.CLASSIFIED_INPUT),
    ],
)
def test_a_banner_that_contradicts_itself_or_is_classified_is_refused(banner: str, code: Code) -> None:
    with pytest.raises(Refused) as caught:
        read_marking(banner)
    assert caught.value.code is code

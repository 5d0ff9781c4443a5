"""Science and technology through the journey: what is controlled for export goes no further than its banner, what is
business-confidential stays among the parties, and nothing is public before it is published with settled shares."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.errors import Code, Refused
from pipeline.edges.publication import Published
from samples import st_deliverables, st_projects
from tests.exchange import Exchange

GOLDEN = Path(__file__).parent / "golden" / "st"
PARTNER, PARTNERS_DELIVERABLES, PUBLIC = "st-projects-partner", "st-deliverables-partner", "st-deliverables-public"
RELEASES = {PARTNER: "st-projects", PARTNERS_DELIVERABLES: "st-deliverables", PUBLIC: "st-deliverables"}
DESIGNATED = 'DESIGNATED BY "Example Science Directorate"'
Row = dict[str, str | None]


@dataclass(frozen=True)
class Story:
    """What was released of the golden deliveries, and how others were refused."""

    published: Mapping[str, Published]
    opened: Mapping[str, pl.DataFrame]
    deliveries_refused: Mapping[str, list[str]]
    releases_refused: Mapping[str, Code]
    releases_there: int


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    exchange = Exchange(tmp_path_factory.mktemp("science"))
    kept = {name: _kept(exchange, name, golden(f"{name.removeprefix('st-')}")) for name in set(RELEASES.values())}
    for agreement, feed in RELEASES.items():
        journey.release(exchange.site, agreement, kept[feed])
    published = {agreement: exchange.published(agreement)[0] for agreement in RELEASES}
    refused = {
        name: [one.code for one in _received(exchange, "st-projects", variant()).refused]
        for name, variant in st_projects.VARIANTS.items()
    }
    projects, deliverables = rows("projects"), rows("deliverables")
    to_another: Row = {"marking": f"CUI//EXPT//REL TO USA, NLD | {DESIGNATED}"}
    withheld = {
        "rel-to-another": _refusal(
            exchange, PARTNER, st_projects.delivery([{**row, **_if(row, "ECCN", to_another)} for row in projects])
        ),
        "green-to-public": _refusal(
            exchange, PUBLIC, st_deliverables.delivery([{**deliverables[0], "marking": "TLP:GREEN"}])
        ),
    }
    told = '{ deliverable_id = "ST-DEU-2026-001-D01", title = "Final report 1" }'
    policy = f"agreements/{PUBLIC}.toml"
    exchange.edit(policy, '["BACKGROUND", "FOREGROUND"]', '["BACKGROUND", "FOREGROUND", "BUSINESS_CONFIDENTIAL"]')
    exchange.edit(policy, 'not_released = "not-confidential"', f"released = {told}")
    withheld["rule-taken-away"] = _refusal(exchange, PUBLIC, st_deliverables.delivery([deliverables[6]]))
    return Story(
        published,
        {agreement: exchange.opened(one)[0] for agreement, one in published.items()},
        refused,
        withheld,
        sum(len(exchange.published(agreement)) for agreement in RELEASES),
    )


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.csv").read_bytes()


def rows(name: str) -> list[Row]:
    return pl.read_csv(io.BytesIO(golden(name)), infer_schema=False).to_dicts()


def _if(row: Row, control: str, cells: Row) -> Row:
    return cells if row["export_control"] == control and row["export_license"] else {}


def _received(exchange: Exchange, feed: str, content: bytes) -> journey.Received:
    exchange.drop(feed, content, f"{len(list(exchange.site.landing.lots()))}.csv")
    (received,) = exchange.receive()
    return received


def _kept(exchange: Exchange, feed: str, content: bytes) -> str:
    (kept,) = _received(exchange, feed, content).kept
    return kept


def _refusal(exchange: Exchange, agreement: str, content: bytes) -> Code:
    kept = _kept(exchange, RELEASES[agreement], content)
    with pytest.raises(Refused) as caught:
        journey.release(exchange.site, agreement, kept)
    return caught.value.code


@pytest.mark.parametrize("agreement", RELEASES)
def test_a_golden_delivery_is_released_as_its_golden_release(story: Story, agreement: str) -> None:
    assert story.opened[agreement].equals(pl.read_csv(io.BytesIO(golden(agreement)), infer_schema=False))


def test_what_may_not_leave_is_withheld_and_counted(story: Story) -> None:
    counted = {
        agreement: {rule: count for rule, count in one.predicate["rows"]["by_rule"].items() if count}
        for agreement, one in story.published.items()
    }
    assert counted == {
        PARTNER: {"of-this-party": 1, "foreign-release": 2},
        PARTNERS_DELIVERABLES: {"foreign-release": 1, "no-human-subjects": 1},
        PUBLIC: {"published": 6, "not-confidential": 1},
    }


def test_a_release_bears_what_its_rows_are_marked_with(story: Story) -> None:
    marked = {agreement: one.predicate["handling"]["marking"] for agreement, one in story.published.items()}
    joined = f"TLP:AMBER | CUI//EXPT/PROPIN//REL TO USA, DEU | {DESIGNATED}"
    assert marked == {PARTNER: joined, PARTNERS_DELIVERABLES: joined, PUBLIC: "TLP:CLEAR"}


def test_persons_and_licences_are_in_no_release(story: Story) -> None:
    for released in story.opened.values():
        assert {"lead_name", "authors", "abstract", "export_license", "eccn", "usml_category"}.isdisjoint(
            released.columns
        )
        assert "Vandermolen" not in released.write_csv()


def test_what_is_business_confidential_goes_to_the_party_and_not_to_the_public(story: Story) -> None:
    confidential = {row["deliverable_id"] for row in rows("deliverables") if row["ip_class"] == "BUSINESS_CONFIDENTIAL"}
    assert len(confidential) == 2
    assert confidential <= set(story.opened[PARTNERS_DELIVERABLES]["deliverable_id"])
    assert confidential.isdisjoint(story.opened[PUBLIC]["deliverable_id"])


def test_a_banner_that_lets_anybody_have_what_is_controlled_refuses_the_delivery(story: Story) -> None:
    assert story.deliveries_refused == {
        "classified": [Code.CLASSIFIED_INPUT.value],
        "expt-for-anybody": [Code.MARKING_UNKNOWN.value],
        "noforn-and-rel-to": [Code.MARKING_UNKNOWN.value],
    }


def test_a_rel_to_without_the_recipients_country_refuses_the_release(story: Story) -> None:
    assert story.releases_refused["rel-to-another"] is Code.MARKING_FORBIDS


def test_the_banner_holds_where_a_row_rule_was_taken_away_or_passed(story: Story) -> None:
    assert story.releases_refused["green-to-public"] is Code.MARKING_FORBIDS
    assert story.releases_refused["rule-taken-away"] is Code.MARKING_FORBIDS
    assert story.releases_there == len(RELEASES)

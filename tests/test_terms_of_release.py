"""What an agreement says, carried through the whole journey: versions, clocks, groups, markings, and who reads of them."""

import csv
import io
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipeline import journey
from pipeline.core.disclosure import amendment
from pipeline.core.duration import after
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.edges.ledger import Kind
from pipeline.edges.overview import Prospect, Standing, prospects
from pipeline.edges.publication import Published
from tests.edges.test_declarations import asking, declare
from tests.stories import KEPT_IN, Story, agreement, superseded, traders


def prospect(story: Story) -> Prospect:
    site = story.exchange.site
    (found,) = prospects(site, site.catalogue(), site.vault.kept(story.kept))
    return found


def refusals(story: Story) -> list[tuple[Any, Any]]:
    """Code and agreement of each refused release in the ledger."""
    site = story.exchange.site
    entries = [entry for entry in site.ledger.entries() if entry.kind is Kind.REFUSED]
    return [(entry.facts["code"], entry.facts["agreement_digest"]) for entry in entries]


def digest(story: Story) -> str:
    catalogue = story.exchange.site.catalogue()
    return catalogue.digest(catalogue.agreement("story"))


# Versions

AMENDED = KEPT_IN.replace('[columns.country]\ntreatment = "keep"\nclause = "D1"\n', "")


def another_list(story: Story) -> str:
    """The key of a second list, kept later."""
    story.exchange.drop("aeo-members", traders(40), "again.csv")
    (received,) = story.exchange.receive()
    return received.kept[0]


def test_a_lot_that_was_released_under_one_version_is_not_released_again_under_the_next(story: Story) -> None:
    first = story.release()
    day = f"{story.exchange.now:%Y-%m-%d}"
    story.says(agreement(status=superseded(day)))
    story.says(agreement(version=2, begins=day, columns=AMENDED), version=2)
    assert story.exchange.site.catalogue().agreement("story").version == 2
    again = story.release()
    assert (again.release, again.already) == (first.release, True)
    assert story.published().predicate["agreement"]["version"] == 1
    later = journey.release(story.exchange.site, "story", another_list(story))
    assert not later.already
    versions = {one.release: one.predicate["agreement"]["version"] for one in story.exchange.published("story")}
    assert versions == {first.release: 1, later.release: 2}
    columns = {one.release: set(one.predicate["columns"]) for one in story.exchange.published("story")}
    assert columns == {first.release: {"country", "program_status"}, later.release: {"program_status"}}


def test_a_version_counts_from_its_instant_on(story: Story) -> None:
    story.says(agreement(status=superseded("2030-01-01")))
    story.says(agreement(version=2, begins="2030-01-01", columns=AMENDED), version=2)
    other = another_list(story)
    story.exchange.now = datetime(2029, 12, 31, 23, 59, 59, tzinfo=UTC)
    story.release()
    story.exchange.now = datetime(2030, 1, 1, tzinfo=UTC)
    journey.release(story.exchange.site, "story", other)
    told = {one.predicate["created_at"]: one.predicate["agreement"] for one in story.exchange.published("story")}
    assert {at: one["version"] for at, one in told.items()} == {
        "2029-12-31T23:59:59+00:00": 1,
        "2030-01-01T00:00:00+00:00": 2,
    }
    assert {one["version"]: one["in_force_until"][:4] for one in told.values()} == {1: "2030", 2: "2040"}


def test_an_amendment_that_widens_releases_nothing_until_two_people_have_agreed_to_it(story: Story) -> None:
    story.says(agreement(status=superseded("2026-06-01"), columns=AMENDED))
    story.says(agreement(version=2, begins="2026-06-01"), version=2)
    story.refused(Misconfigured, Code.AGREEMENT_UNSOUND, named="2 of 2 approvals are missing")
    digest = widening(story)
    approved = agreement(version=2, begins="2026-06-01", more=approval("a.example", digest))
    story.says(approved, version=2)
    story.refused(Misconfigured, Code.AGREEMENT_UNSOUND, named="1 of 2 approvals are missing")
    story.says(approved + approval("A.Example", digest), version=2)
    story.refused(Misconfigured, Code.AGREEMENT_UNSOUND, named="1 of 2 approvals are missing")
    story.says(approved + approval("b.example", digest), version=2)
    assert story.release().rows > 0
    assert set(story.rows().columns) == {"country", "program_status"}


def widening(story: Story) -> str:
    """What the people who agree to the amendment agree to."""
    catalogue = story.exchange.site.catalogue()
    return amendment(catalogue.versions["story"][-1], catalogue).digest


def approval(by: str, digest: str) -> str:
    return f'[[approvals]]\nby = "{by}"\nrole = "privacy officer"\nat = 2026-05-01T00:00:00Z\nwidening = "{digest}"\n'


def test_what_waited_while_a_version_was_suspended_is_released_under_the_next(story: Story) -> None:
    suspended = '{ to = "suspended", since = 2021-01-01T00:00:00Z, reason = "a review" }'
    story.says(agreement(status=superseded("2030-01-01").replace("}, {", f"}}, {suspended}, {{")))
    again = agreement(version=2, begins="2030-01-01")
    story.says(again, version=2)
    story.says(again + "".join(approval(by, widening(story)) for by in ("a.example", "b.example")), version=2)
    story.refused(Refused, Code.AGREEMENT_NOT_ACTIVE, named="a review")
    story.exchange.now = datetime(2030, 1, 1, tzinfo=UTC)
    assert not story.release().already
    assert story.published().predicate["agreement"]["version"] == 2


def test_a_broken_amendment_stops_the_agreement_at_once(story: Story) -> None:
    story.says(agreement(ends="2040-01-01"))
    story.says(agreement(version=2, begins="2040-01-01", ends="2050-01-01").replace("AMBER", "BLUE"), version=2)
    story.refused(Misconfigured, Code.CATALOGUE_INVALID, named="story.v2.toml")
    story.says(agreement(version=2, begins="2040-01-01", ends="2050-01-01"), version=2)
    assert story.release().rows > 0


def test_manifest_and_ledger_name_the_very_texts_that_the_release_was_made_under(story: Story) -> None:
    story.release()
    said = digest(story)
    assert story.published().predicate["agreement"]["digest"]["sha256"] == said
    (intended,) = [entry for entry in story.exchange.site.ledger.entries() if entry.kind is Kind.INTENDED]
    assert intended.facts["agreement_digest"] == said


# Groups


def asks_for_groups(smallest: int, otherwise: str) -> str:
    return agreement(
        more=f'[risk]\ncolumns = ["country", "program_status"]\nsmallest_group = {smallest}\n'
        f'otherwise = "{otherwise}"\nclause = "D1"\n'
    )


def test_a_release_with_a_group_too_small_is_refused_and_status_says_so(story: Story) -> None:
    story.says(asks_for_groups(1_000, "refuse"))
    assert prospect(story).standing is Standing.PENDING
    story.refused(Refused, Code.GROUP_TOO_SMALL, named="asks for 1000")
    assert (prospect(story).standing, prospect(story).code) == (Standing.REFUSED, "group-too-small")
    assert refusals(story) == [("group-too-small", digest(story))]
    story.says(asks_for_groups(2, "report"))
    assert prospect(story).standing is Standing.PENDING
    assert story.release().rows > 0


def test_the_figures_are_in_the_manifest_where_a_small_group_is_only_reported(story: Story) -> None:
    story.says(asks_for_groups(1_000, "report"))
    story.release()
    told = story.published().predicate["risk"]
    groups = Counter(story.rows().rows())
    assert (told["smallest_group"], told["groups"]) == (min(groups.values()), len(groups))
    assert told["unique_rows"] == sum(count == 1 for count in groups.values())
    assert told["asked"]["smallest_group"] == 1_000


def test_groups_that_are_large_enough_are_released_under_the_strict_rule(story: Story) -> None:
    story.says(asks_for_groups(1_000, "report"))
    text = asks_for_groups(2, "refuse").replace('["country", "program_status"]', '["program_status"]')
    story.says(text)
    story.release()
    assert story.published().predicate["risk"]["smallest_group"] >= 2


# Markings


def test_a_marking_that_needs_a_consent_refuses_until_it_is_declared(story: Story) -> None:
    story.says(agreement(marking='tlp = "AMBER", originators = ["example-customs"]'))
    story.refused(Refused, Code.MARKING_FORBIDS, named="example-customs")
    assert (prospect(story).standing, prospect(story).code) == (Standing.REFUSED, "marking-forbids")
    declare(story, "customs-control", consents={"example-customs": "letter 8"})
    assert prospect(story).standing is Standing.PENDING
    story.release()
    assert "ORCON example-customs" in story.published().predicate["handling"]["marking"]


def marked_rows(story: Story, *cells: str) -> None:
    """The story's rows are another list, whose column of trade names says what each is marked with."""
    exchange = story.exchange
    exchange.edit("feeds/aeo-members.toml", "lot_deliveries = 1", 'marking_column = "trade_names"\nlot_deliveries = 1')

    def mark(rows: pl.DataFrame) -> pl.DataFrame:
        said = pl.Series("trade_names", [*cells, *["TLP:GREEN"] * (rows.height - len(cells))], dtype=pl.String)
        return rows.with_columns(said, program_status=pl.lit("TIER3"))

    exchange.drop("aeo-members", traders(40, change=mark), "marked.csv")
    (received,) = exchange.receive()
    (story.kept,) = received.kept


def test_a_release_bears_what_its_rows_and_its_agreement_are_marked_with(story: Story) -> None:
    marked_rows(story, "TLP:AMBER+STRICT", "CUI//PRVCY")
    story.says(agreement(marking='tlp = "GREEN"'))
    story.release()
    marking = story.published().predicate["handling"]["marking"]
    assert marking == 'TLP:AMBER+STRICT | CUI//PRVCY | DESIGNATED BY "example-customs"'


def test_rows_that_the_recipient_may_not_have_refuse_the_release_and_status_says_so(story: Story) -> None:
    marked_rows(story, "CUI//PRVCY//NOFORN")
    assert prospect(story).standing is Standing.PENDING
    story.refused(Refused, Code.MARKING_FORBIDS, named="NOFORN")
    assert (prospect(story).standing, prospect(story).code) == (Standing.REFUSED, "marking-forbids")


# Clocks


def dated(story: Story) -> dict[str, int]:
    """The day and the number of the rows that the story releases."""
    rows = pl.read_csv(io.BytesIO(traders()), infer_schema=False)
    days = rows.filter(pl.col("program_status").is_in(["VALIDATED", "SUSPENDED"]))["suspension_date"]
    return Counter(str(day) for day in days)


def untils(published: Published) -> dict[str, int]:
    """How many rows must be gone when."""
    return {part["until"]: part["rows"] for part in published.predicate["parts"]}


def test_rows_with_a_date_of_their_own_are_in_parts_by_day_each_with_its_own_end(story: Story) -> None:
    clock = 'clock = "date"\ncolumn = "authorisation_date"\ndelete_after = "P1Y6M"'
    story.says(agreement(retention=clock, columns=KEPT_IN + AUTHORISED))
    story.release()
    published = story.published()
    days: Counter[str] = Counter()
    for part, table in zip(published.predicate["parts"], story.exchange.opened(published), strict=True):
        (day,) = set(table["authorisation_date"])
        expected = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        assert part["until"] == after(expected, "P1Y6M").isoformat()
        assert (part["clock"], part["after"], part["rows"]) == ("date", "P1Y6M", table.height)
        days[day] += table.height
    assert len(days) == len(published.predicate["parts"]) > 1
    assert sum(days.values()) == published.predicate["rows"]["released"]


AUTHORISED = '\n[columns.authorisation_date]\ntreatment = "keep"\nclause = "D1"\n'


def test_a_row_without_the_date_is_counted_from_its_loading(story: Story) -> None:
    clock = 'clock = "date"\ncolumn = "suspension_date"\ndelete_after = "P1Y"'
    told = '\n[columns.suspension_date]\ntreatment = "keep"\nclause = "D1"\n'
    story.says(agreement(retention=clock, columns=KEPT_IN.replace(', "SUSPENDED"', "") + told))
    story.exchange.edit("codes/statuses-v1.toml", '"TIER3"', '"SUSPENDED"')
    story.release()
    loaded = story.exchange.site.vault.kept(story.kept).loaded_at
    found = untils(story.published())
    for day, rows in dated(story).items():
        start = loaded if day == "None" else datetime.fromisoformat(f"{day}T00:00:00+00:00")
        assert found[after(start, "P1Y").isoformat()] == rows
    assert len(found) == len(dated(story)) > 1
    assert "None" in dated(story)


def test_a_column_with_a_clock_of_its_own_is_in_a_part_of_its_own(story: Story) -> None:
    own = 'treatment = "keep"\nuntil = "P6M"\nclock = "received"\nclause = "D1"'
    story.says(agreement(columns=KEPT_IN.replace('treatment = "keep"\nclause = "D1"', own, 1)))
    story.release()
    parts = {tuple(part["columns"]): part for part in story.published().predicate["parts"]}
    assert set(parts) == {("release_row", "country"), ("release_row", "program_status")}
    (claimed,) = [one.claimed_at for one in story.exchange.site.landing.lot(story.kept.partition("-r")[0]).deliveries]
    country, status = parts["release_row", "country"], parts["release_row", "program_status"]
    assert (country["clock"], country["until"]) == ("received", after(claimed, "P6M").isoformat())
    assert (status["clock"], status["until"]) == ("released", after(story.exchange.now, "P1Y").isoformat())


def test_what_waits_for_an_event_has_no_end_yet(story: Story) -> None:
    story.says(agreement(retention='clock = "event"\nevent = "case-closed"\ndelete_after = "P30D"'))
    story.release()
    (part,) = story.published().predicate["parts"]
    assert (part["until"], part["clock"], part["after"]) == (None, "event", "P30D")
    assert story.published().predicate["handling"]["retention"]["event"] == "case-closed"


# At once


def test_releases_and_declarations_at_once_make_one_release_of_one_declaration(story: Story) -> None:
    story.says(asking("case"))
    declare(story, case_reference="0")

    def act(number: int) -> journey.Released | None:
        if number % 2:
            declare(story, case_reference=str(number))
            return None
        try:
            return story.release()
        except Conflict as changed:
            assert changed.code is Code.AGREEMENT_CHANGED  # noqa: PT017 (either outcome is right)
            return None

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(act, range(8)))
    story.release()
    (shown,) = story.published().predicate["purpose"]["conditions"]
    assert shown["by"] in {"0", "1", "3", "5", "7"}
    kinds = Counter(entry.kind for entry in story.exchange.site.ledger.entries())
    assert (kinds[Kind.RELEASED], kinds[Kind.DECLARED]) == (1, 5)
    story.exchange.site.ledger.verify()


def test_nothing_of_the_rows_is_in_clear_outside_sealed_storage(story: Story) -> None:
    """After refusals, declarations, statistics of groups and a release by day."""
    story.says(asks_for_groups(1_000, "refuse"))
    story.refused(Refused, Code.GROUP_TOO_SMALL)
    story.says(asking("case"))
    story.refused(Refused, Code.PURPOSE_MISSING)
    declare(story, case_reference="2026/114")
    story.release()
    seen = story.exchange.everything_in_clear()
    for row in csv.DictReader(io.StringIO(traders().decode())):
        for column in ("tin", "legal_name", "street", "contact_name", "contact_email"):
            assert not row[column] or row[column].encode() not in seen, column

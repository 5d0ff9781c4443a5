"""The register: what is in it, how each row stands at an instant, and which rows are asked for."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.language.agreement import Agreement
from pipeline.core.language.clause import Confidence
from pipeline.core.language.instrument import Instrument, Kind
from pipeline.core.register import COLUMNS, Row, Standing, Wanted, chosen, delivery, register, standing
from pipeline.edges.catalogue import load
from tests.core.builders import LAW, agreement, instant

ROOT = Path(__file__).resolve().parents[2]
NOW = instant(2026, 11, 21)

WITH_RECORDS = {
    "6-usc-211-i",
    "air-cargo-advance-screening",
    "c-tpat",
    "container-security-initiative",
    "eu-pnr-directive",
    "eu-us-mutual-recognition",
    "federal-air-marshals",
    "global-entry",
    "global-shield",
    "maritime-bilaterals",
    "nexus",
    "pcsc",
    "pcsc-us-germany",
    "port-of-entry-committees",
    "preclearance",
    "science-and-technology",
    "statistical-arrangement",
    "us-eu-pnr",
    "us-eu-pnr-2007",
}
WITHOUT_RECORDS = {"aviation-security-declaration", "cbp-global-engagement-strategy", "supply-chain-security"}


def instrument(**changes: Any) -> Instrument:
    stated = {
        "id": "test-instrument",
        "title": "A treaty",
        "kind": "treaty",
        "citation": "OJ L 1",
        "parties": ("Here", "There"),
        "programme": "Tests",
        "confidence": "design",
        "source": "Our own",
        "status": "in force",
        "exchanges_records": True,
    }
    return Instrument.model_validate({**stated, **changes})


def row_of(instrument_: Instrument | None = None, version: Agreement | None = None, at: datetime = NOW) -> Row:
    return Row(instrument_ or instrument(), version, at)


def status(to: str, since: datetime) -> dict[str, object]:
    return {"to": to, "since": since, "reason": "a test"}


def faults(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        instrument(**changes)
    return str(caught.value)


class TestWhatIsInTheCatalogue:
    instruments = load(ROOT / "catalogue").instruments

    def test_every_instrument_of_the_founding_texts_is_in_the_register_and_no_other(self) -> None:
        assert set(self.instruments) == WITH_RECORDS | WITHOUT_RECORDS

    def test_those_without_records_have_commitments_and_nothing_rests_on_them(self) -> None:
        found = load(ROOT / "catalogue")
        without = {id for id, one in self.instruments.items() if not one.exchanges_records}
        assert without == WITHOUT_RECORDS
        assert all(self.instruments[id].commitments and not self.instruments[id].clauses for id in without)
        resting = {version.instrument for versions in found.versions.values() for version in versions}
        assert not resting & without

    def test_the_articles_of_the_us_eu_agreement_are_all_there(self) -> None:
        clauses = self.instruments["us-eu-pnr"].clauses
        annex = {f"Annex {number}" for number in range(1, 20)}
        masked = {f"Art. 8(2)({letter})" for letter in "abcde"}
        articles = {name.split("(")[0] for name in clauses} - annex
        assert annex | masked < set(clauses)
        assert articles == {f"Art. {number}" for number in (*range(2, 19), 20, 23)}

    def test_the_directive_has_its_19_items_and_six_that_are_masked(self) -> None:
        clauses = set(self.instruments["eu-pnr-directive"].clauses)
        assert {f"Annex I ({number})" for number in range(1, 20)} < clauses
        assert {name for name in clauses if name.startswith("Art. 12(2)")} == {f"Art. 12(2)({x})" for x in "abcdef"}

    def test_mutual_recognition_exchanges_exactly_seven_items(self) -> None:
        clauses = self.instruments["eu-us-mutual-recognition"].clauses
        assert {name for name in clauses if name.startswith("item")} == {f"item {number}" for number in range(1, 8)}

    def test_what_we_made_up_says_so(self) -> None:
        said = {id: one.confidence for id, one in self.instruments.items()}
        assert {id for id, sure in said.items() if sure is Confidence.DESIGN} == {"statistical-arrangement"}

    def test_the_file_names_its_schema_for_the_editor(self) -> None:
        files = list((ROOT / "catalogue" / "instruments").glob("*.toml"))
        firsts = {file.read_text(encoding="utf-8").splitlines()[0] for file in files}
        assert firsts == {"#:schema ../../docs/schemas/instrument.schema.json"}


class TestAnInstrument:
    def test_dates_run_forwards(self) -> None:
        assert instrument(since=date(2020, 1, 1), until=date(2020, 1, 2)).until
        assert "`until` must be after `since`" in faults(since=date(2020, 1, 1), until=date(2020, 1, 1))
        assert "`until` must be after `dated`" in faults(dated=date(2020, 1, 2), until=date(2020, 1, 1))

    def test_one_without_records_lists_its_commitments_instead_of_clauses(self) -> None:
        declared = instrument(kind="declaration", exchanges_records=False, commitments=("Better",))
        assert declared.commitments == ("Better",)
        assert "list its `commitments`" in faults(exchanges_records=False)
        clauses = {"Art. 1": {"says": "x", "confidence": "found"}}
        assert "list `commitments` instead" in faults(exchanges_records=False, commitments=("x",), clauses=clauses)

    def test_a_clause_that_no_rule_could_cite_is_refused(self) -> None:
        assert "`;`" in faults(clauses={"Art. 1; Art. 2": {"says": "x", "confidence": "found"}})

    def test_a_party_stands_there_once(self) -> None:
        assert "names a party twice" in faults(parties=("Here", "Here"))


class TestHowAVersionStands:
    @pytest.mark.parametrize(
        ("at", "stands"),
        [
            (instant(2019), Standing.DRAFT),
            (instant(2021), Standing.AWAITED),
            (instant(2022), Standing.ACTIVE),
            (instant(2024), Standing.SUSPENDED),
            (instant(2025), Standing.ACTIVE),
            (instant(2030) - timedelta(microseconds=1), Standing.ACTIVE),
            (instant(2030), Standing.ENDED),
        ],
    )
    def test_its_status_and_its_dates_say_how(self, at: datetime, stands: Standing) -> None:
        changes = [status("active", instant(2020)), status("suspended", instant(2024)), status("active", instant(2025))]
        version = agreement(status=changes, in_force={"from": instant(2022), "until": instant(2030)})
        assert standing(version, at) is stands

    def test_one_that_was_suspended_when_its_time_ran_out_has_ended(self) -> None:
        version = agreement(status=[status("suspended", instant(2024))])
        assert [standing(version, instant(year)) for year in (2025, 2031)] == [Standing.SUSPENDED, Standing.ENDED]

    @pytest.mark.parametrize("end", ["terminated", "superseded"])
    def test_one_that_was_brought_to_an_end_stays_so(self, end: str) -> None:
        version = agreement(status=[status("active", instant(2020)), status(end, instant(2024))])
        assert {standing(version, instant(year)).value for year in (2024, 2031)} == {end}


class TestTheRegister:
    def test_every_version_is_kept_and_an_instrument_without_agreements_too(self) -> None:
        first = agreement(status=[status("active", instant(2020)), status("superseded", instant(2024))])
        second = agreement(version=2, in_force={"from": instant(2024), "until": instant(2030)})
        declared = instrument(id="declared", exchanges_records=False, commitments=("x",))
        found = register({"test-instrument": instrument(), "declared": declared}, {first.id: (first, second)}, NOW)
        assert [(one.instrument.id, one.version and one.version.version, one.standing) for one in found] == [
            ("declared", None, None),
            ("test-instrument", 1, Standing.SUPERSEDED),
            ("test-instrument", 2, Standing.ACTIVE),
        ]

    def test_a_review_is_due_on_its_day_until_all_is_over(self) -> None:
        today = NOW.date()
        for days, due in ((-1, True), (0, True), (1, False)):
            day = today + timedelta(days=days)
            assert row_of(instrument(review={"next": day})).instrument_review_due is due
            assert row_of(version=agreement(review=day)).version_review_due is due
        assert not row_of(instrument(review={"next": today}, status="ended")).instrument_review_due
        over = agreement(review=today, status=[status("terminated", instant(2025))])
        assert not row_of(version=over).version_review_due
        assert not row_of().instrument_review_due

    def test_an_end_is_near_from_now_until_the_limit(self) -> None:
        version = agreement(in_force={"from": instant(2020), "until": NOW + timedelta(days=10)})
        assert row_of(version=version).version_ends_by(NOW + timedelta(days=10))
        assert not row_of(version=version).version_ends_by(NOW + timedelta(days=9))
        assert not row_of(version=version, at=NOW + timedelta(days=10)).version_ends_by(NOW + timedelta(days=20))
        ends = instrument(until=date(2026, 12, 1))
        assert row_of(ends).instrument_ends_by(instant(2026, 12, 1))
        assert not row_of(ends).instrument_ends_by(instant(2026, 11, 30))
        assert not row_of(ends, at=instant(2026, 12, 1)).instrument_ends_by(instant(2027))


class TestWhatIsAskedFor:
    ours = row_of(instrument(id="ours", parties=("Canada", "United States")))
    theirs = row_of(
        instrument(id="theirs", kind="statute", status="ended"),
        agreement(
            status=[status("suspended", instant(2020))], in_force={"from": instant(2020), "until": instant(2026, 12)}
        ),
    )

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (Wanted(), ["ours", "theirs"]),
            (Wanted(party="canada"), ["ours"]),
            (Wanted(party="United"), ["ours"]),
            (Wanted(partner="taker"), ["theirs"]),
            (Wanted(partner="giver"), ["theirs"]),
            (Wanted(partner="tak"), []),
            (Wanted(partner="Canada"), []),
            (Wanted(party="taker"), []),
            (Wanted(kind=Kind.STATUTE), ["theirs"]),
            (Wanted(status="in force"), ["ours"]),
            (Wanted(status="suspended"), ["theirs"]),
            (Wanted(status="ended"), ["theirs"]),
            (Wanted(status="active"), []),
            (Wanted(expires_within="P1M"), ["theirs"]),
            (Wanted(expires_within="P9D"), []),
            (Wanted(review_due=True), []),
            (Wanted(partner="taker", kind=Kind.TREATY), []),
        ],
    )
    def test_all_that_is_asked_must_hold(self, wanted: Wanted, found: list[str]) -> None:
        assert [one.instrument.id for one in chosen([self.ours, self.theirs], wanted)] == found

    def test_of_two_versions_the_one_that_is_asked_for(self) -> None:
        first = agreement(status=[status("superseded", instant(2024))])
        rows = [row_of(version=first), row_of(version=agreement(version=2))]
        found = chosen(rows, Wanted(status="active"))
        assert [one.version and one.version.version for one in found] == [2]


class TestTheDelivery:
    def read(self, *rows: Row) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(delivery(rows).decode(), newline="")))

    def test_a_row_says_all_of_an_entry(self) -> None:
        said = instrument(
            kind="joint statement",
            reach="Two",
            dated=date(2011, 12, 1),
            since=date(2012, 7, 1),
            until=date(2032, 7, 1),
            review={"next": date(2027, 1, 1)},
            commitments=("Trade flows", "It is safe"),
        )
        (row,) = self.read(row_of(said, agreement(version=2, review=date(2027, 2, 1))))
        assert row == {
            "registration": "test-instrument/test-agreement/2",
            "instrument": "test-instrument",
            "title": "A treaty",
            "kind": "joint statement",
            "citation": "OJ L 1",
            "programme": "Tests",
            "parties": "Here\nThere",
            "confidence": "design",
            "source": "Our own",
            "reach": "Two",
            "status": "in force",
            "dated": "2011-12-01",
            "since": "2012-07-01",
            "until": "2032-07-01",
            "review": "2027-01-01",
            "exchanges_records": "Y",
            "commitments": "Trade flows\nIt is safe",
            "agreement": "test-agreement",
            "version": "2",
            "agreement_title": "A test",
            "provider": "giver",
            "recipient": "taker",
            "feed": "members",
            "agreement_status": "active",
            "agreement_since": "2020-01-01T00:00:00Z",
            "agreement_until": "2030-01-01T00:00:00Z",
            "agreement_review": "2027-02-01",
        }

    def test_where_no_agreement_rests_its_cells_are_empty(self) -> None:
        (row,) = self.read(row_of())
        empty = {name for name, cell in row.items() if not cell}
        assert row["registration"] == "test-instrument"
        assert {"agreement", "version", "agreement_status", "agreement_until", "since", "review"} < empty

    def test_instants_are_told_in_utc(self) -> None:
        east = datetime.fromisoformat("2020-01-01T02:00:00+02:00")
        (row,) = self.read(row_of(version=agreement(in_force={"from": east, "until": instant(2030)})))
        assert row["agreement_since"] == "2020-01-01T00:00:00Z"

    @LAW
    @given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
    def test_any_title_comes_back_as_it_was(self, title: str) -> None:
        assert self.read(row_of(instrument(title=title)))[0]["title"] == title

    def test_a_register_without_entries_still_has_its_header(self) -> None:
        assert delivery([]).decode().strip() == ",".join(COLUMNS)

    def test_the_same_register_gives_the_same_bytes(self) -> None:
        found = load(ROOT / "catalogue")
        writings = [register(found.instruments, found.versions, datetime(2026, 1, 1, tzinfo=UTC)) for _ in range(2)]
        assert delivery(writings[0]) == delivery(writings[1])

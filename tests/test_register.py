"""`safeconduct register`, and the register's own way through the exchange to the public."""

import csv
import io
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline import cli
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.register import COLUMNS
from tests.core.test_register import WITH_RECORDS, WITHOUT_RECORDS
from tests.exchange import Exchange

ROOT = Path(__file__).resolve().parent.parent
INSIDE = {"source", "review", "agreement_title", "provider", "recipient", "feed", "agreement_review", "registration"}
"""What the public does not get."""


@dataclass(frozen=True)
class Reader:
    """Somebody who reads the register of a catalogue of their own."""

    catalogue: Path

    def asks(self, *arguments: str, exit_code: int = 0) -> str:
        """What is on stdout; the call ends as expected."""
        return self.hears(*arguments, exit_code=exit_code)[0]

    def hears(self, *arguments: str, exit_code: int = 0) -> tuple[str, str]:
        call = ["register", "--catalogue", str(self.catalogue), *arguments]
        done = CliRunner(env={"COLUMNS": "300"}).invoke(cli.app, call)
        assert done.exit_code == exit_code, done.output
        return done.stdout, done.stderr

    def instruments(self, *arguments: str, exit_code: int = 0) -> dict[str, dict[str, Any]]:
        answer = json.loads(self.asks(*arguments, "--json", exit_code=exit_code))
        return {one["id"]: one for one in answer["instruments"]}

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.asks("--csv"), newline="")))

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.catalogue / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    shutil.copytree(ROOT / "catalogue", tmp_path / "catalogue")
    return Reader(tmp_path / "catalogue")


class TestTheCommand:
    def test_everything_is_listed_with_what_rests_on_it(self, reader: Reader) -> None:
        out = reader.asks()
        assert all(re.search(rf"^ *{id} ", out, re.MULTILINE) for id in WITH_RECORDS | WITHOUT_RECORDS)
        assert re.search(
            r"^ *register-public +1 +6-usc-211-i +international-affairs +public +register +active ", out, re.M
        )
        assert "22 instruments, 3 without records; " in out

    def test_for_a_machine_all_of_an_instrument_is_told(self, reader: Reader) -> None:
        found = reader.instruments()
        assert set(found) == WITH_RECORDS | WITHOUT_RECORDS
        assert found["us-eu-pnr"]["since"] == "2012-07-01"
        assert found["us-eu-pnr"]["clauses"]["Annex 4"]["confidence"] == "found"
        (published,) = found["6-usc-211-i"]["agreements"]
        assert (published["id"], published["version"], published["status"]) == ("register-public", 1, "active")
        assert published["until"] == "2030-01-01T00:00:00+00:00"

    @pytest.mark.parametrize(
        ("arguments", "found"),
        [
            (("--partner", "Canada"), {"global-entry", "nexus", "port-of-entry-committees"}),
            (("--partner", "eu-customs"), {"eu-us-mutual-recognition", "global-shield"}),
            (("--kind", "joint statement"), {"supply-chain-security"}),
            (("--kind", "declaration"), {"aviation-security-declaration"}),
            (("--status", "ended"), {"us-eu-pnr-2007"}),
            (("--status", "unknown"), {"cbp-global-engagement-strategy"}),
            (("--partner", "Canada", "--kind", "strategy"), set()),
        ],
    )
    def test_only_what_is_asked_for_is_shown(self, reader: Reader, arguments: tuple[str, ...], found: set[str]) -> None:
        assert set(reader.instruments(*arguments)) == found

    def test_where_nothing_is_so_that_is_said(self, reader: Reader) -> None:
        assert reader.asks("--partner", "Canada", "--kind", "strategy") == "Nothing in the register is so.\n"

    def test_a_review_is_marked_when_it_is_due(self, reader: Reader) -> None:
        reader.edit("instruments/nexus.toml", "next = 2027-11-21", "next = 2020-01-01")
        reader.edit("instruments/global-entry.toml", "next = 2027-11-21", "next = 2999-01-01")
        due = set(reader.instruments("--review-due"))
        assert "nexus" in due
        assert "global-entry" not in due
        assert "2020-01-01 due" in reader.asks()

    def test_an_end_is_marked_when_it_is_near(self, reader: Reader) -> None:
        """Near is within 90 days of now, and no test knows when it runs: so the end is far, and asked for from afar."""
        assert set(reader.instruments("--expires-within", "P999Y")) >= {"6-usc-211-i"}
        reader.edit("instruments/c-tpat.toml", 'status = "in force"', 'status = "in force"\nuntil = 2020-01-01')
        assert "c-tpat" not in reader.instruments("--expires-within", "P999Y")

    def test_every_version_of_an_agreement_is_kept(self, reader: Reader) -> None:
        first = reader.catalogue / "agreements" / "register-public.toml"
        text = first.read_text(encoding="utf-8")
        first.write_text(text.replace("until = 2030-01-01", "until = 2024-01-01"), encoding="utf-8")
        second = text.replace('id = "register-public"', 'id = "register-public"\nversion = 2')
        second = second.replace("from = 2020-01-01", "from = 2024-01-01")
        (reader.catalogue / "agreements" / "register-public.v2.toml").write_text(second, encoding="utf-8")
        stand = [
            (row["version"], row["agreement_status"], row["agreement_since"])
            for row in reader.rows()
            if row["agreement"] == "register-public"
        ]
        assert stand == [("1", "ended", "2020-01-01T00:00:00Z"), ("2", "active", "2024-01-01T00:00:00Z")]
        (ended,) = reader.instruments("--partner", "public", "--status", "ended").values()
        assert [one["version"] for one in ended["agreements"]] == [1]

    def test_a_suspended_agreement_says_so(self, reader: Reader) -> None:
        ended = '}, { to = "suspended", since = 2025-01-01T00:00:00Z, reason = "a test" }]'
        reader.edit("agreements/register-public.toml", "}]", ended)
        assert set(reader.instruments("--status", "suspended")) == {"6-usc-211-i"}

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--kind", "law"),
            ("--status", "fine"),
            ("--expires-within", "soon"),
            ("--csv", "--json"),
            ("--csv", "--partner", "Canada"),
            ("--csv", "--review-due"),
        ],
    )
    def test_what_cannot_be_asked_is_wrong_usage(self, reader: Reader, arguments: tuple[str, ...]) -> None:
        reader.asks(*arguments, exit_code=2)

    def test_a_partner_that_nobody_knows_is_named_as_such(self, reader: Reader) -> None:
        out, err = reader.hears("--partner", "Ruritania", exit_code=Misconfigured.exit_code)
        assert out == ""
        assert "'Ruritania' is no partner of the catalogue" in err
        assert Code.NOT_FOUND.value in err

    def test_a_broken_file_is_named_and_the_rest_is_shown(self, reader: Reader) -> None:
        reader.edit("instruments/nexus.toml", 'kind = "arrangement"', 'kind = "song"')
        out, err = reader.hears(exit_code=Misconfigured.exit_code)
        assert "global-entry" in out
        assert " nexus " not in out
        assert re.search(r"Warning: .*nexus\.toml:\d+: kind", err)
        assert set(reader.instruments(exit_code=Misconfigured.exit_code)) == (WITH_RECORDS | WITHOUT_RECORDS) - {
            "nexus"
        }

    def test_half_a_register_is_never_delivered(self, reader: Reader) -> None:
        reader.edit("instruments/nexus.toml", 'kind = "arrangement"', 'kind = "song"')
        assert reader.asks("--csv", exit_code=Misconfigured.exit_code) == ""

    def test_colours_are_for_a_terminal_alone(self, reader: Reader) -> None:
        assert "\x1b" not in "".join(reader.hears())

    def test_it_is_told_in_the_guide_and_on_its_page(self) -> None:
        assert "safeconduct register " in cli.GUIDE
        page = (ROOT / "docs/programmes/register.md").read_text(encoding="utf-8")
        assert {id for id in WITH_RECORDS | WITHOUT_RECORDS if f"[`{id}`]" not in page} == set()


class TestTheJourneyOfTheRegister:
    @pytest.fixture
    def exchange(self, tmp_path: Path) -> Exchange:
        return Exchange(tmp_path)

    def written(self, exchange: Exchange) -> bytes:
        """What `safeconduct register --csv` writes on this site."""
        done = CliRunner().invoke(cli.app, ["--site", str(exchange.site.directory), "register", "--csv"])
        assert done.exit_code == 0, done.output
        return done.stdout_bytes

    def test_what_the_command_writes_is_released_to_the_public(self, exchange: Exchange) -> None:
        csv_bytes = self.written(exchange)
        exchange.drop("register", csv_bytes)
        (received,), _ = exchange.run()
        assert received.kept
        (published,) = exchange.published("register-public")
        assert published.recipient == "public"
        assert published.predicate["handling"]["marking"] == "TLP:CLEAR"
        (table,) = exchange.opened(published)
        assert set(table.columns) - {"release_row"} == set(COLUMNS) - INSIDE
        delivered = list(csv.DictReader(io.StringIO(csv_bytes.decode(), newline="")))
        assert set(table["instrument"]) == WITH_RECORDS | WITHOUT_RECORDS
        assert table.height == len(delivered)
        told = {row["instrument"]: row for row in table.to_dicts()}
        declaration = told["aviation-security-declaration"]
        assert declaration["exchanges_records"] == "N"
        assert declaration["commitments"].startswith("A foundation for aviation security")
        assert told["global-entry"]["parties"].split("\n")[1] == "Canada"

    def test_nothing_of_the_inner_workings_leaves(self, exchange: Exchange) -> None:
        exchange.drop("register", self.written(exchange))
        exchange.run()
        (table,) = exchange.opened(exchange.published("register-public")[0])
        text = table.write_csv()
        assert "International Engagement Results" not in text
        assert "international-affairs" not in text
        assert "police liaison office" not in text

    def test_a_draft_is_withheld(self, exchange: Exchange) -> None:
        exchange.drop("register", self.written(exchange).replace(b",active,", b",draft,"))
        exchange.run()
        (table,) = exchange.opened(exchange.published("register-public")[0])
        assert table["agreement"].null_count() == table.height
        assert "draft" not in table.write_csv()

    def test_one_bad_row_refuses_the_whole(self, exchange: Exchange) -> None:
        exchange.drop("register", self.written(exchange).replace(b",declaration,", b",song,"))
        (received,) = exchange.receive()
        assert not received.kept

    def test_a_register_that_nobody_signed_is_refused(self, exchange: Exchange) -> None:
        exchange.drop("register", self.written(exchange), signed=False)
        exchange.now = exchange.now.replace(year=exchange.now.year + 1)
        assert not any(received.kept for received in exchange.receive())

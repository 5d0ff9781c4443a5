"""The journey itself: one landed delivery is swept, received and released, in one process."""

import time
from pathlib import Path
from typing import Any

import schemas.aeo_members
import schemas.pnr_push  # noqa: F401 (both schemas are imported before the clock starts)
from benchmarks.ground import Ground
from pipeline import journey
from pipeline.edges.site import Site


def run(ground: dict[str, Any], name: str) -> dict[str, Any]:
    """Seconds of each of the three, and what came of the delivery. `name` is the folder of the site that it ran in."""
    landing = Ground(**ground)
    directory = landing.site(name)
    began = time.perf_counter()
    site = Site.open(directory)
    (lot,) = journey.sweep(site).lots
    swept = time.perf_counter()
    received = journey.receive(site, lot.id)
    done = time.perf_counter()
    (kept,) = received.kept
    released = journey.release(site, landing.agreement, kept)
    return {
        "sweep": swept - began,
        "receive": done - swept,
        "release": time.perf_counter() - done,
        "received": received.accepted_rows + received.rejected_rows,
        "rejected": received.rejected_rows,
        "released": released.rows,
        "release_folder": str(_folder(directory, released)),
    }


def _folder(directory: Path, released: journey.Released) -> Path:
    return directory / "stores" / "shared" / released.recipient / "releases" / released.release

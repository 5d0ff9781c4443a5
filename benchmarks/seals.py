"""Sealing and opening beside pyrage, the age implementation in Rust: the same bytes, by turns."""

import os
import time
from collections.abc import Callable
from statistics import median

import pyrage  # type: ignore[import-untyped]

from pipeline.edges.sealing import new_identity, open_sealed, seal


def run(megabytes: int, rounds: int) -> dict[str, float]:
    """Megabytes a second of each, and how many times faster ours is. Each has opened what the other sealed."""
    content, identity = os.urandom(megabytes * 1_000_000), new_identity()
    theirs = pyrage.x25519.Identity.from_str(identity.secret)
    sealed = seal(content, [identity.recipient])
    if pyrage.decrypt(sealed, [theirs]) != content:
        raise RuntimeError("pyrage does not open what we seal")
    if open_sealed(pyrage.encrypt(content, [theirs.to_public()]), identity) != content:
        raise RuntimeError("we do not open what pyrage seals")
    contenders: dict[str, Callable[[], object]] = {
        "seal": lambda: seal(content, [identity.recipient]),
        "pyrage_seal": lambda: pyrage.encrypt(content, [theirs.to_public()]),
        "open": lambda: open_sealed(sealed, identity),
        "pyrage_open": lambda: pyrage.decrypt(sealed, [theirs]),
    }
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            began = time.perf_counter()
            contender()
            took[name].append(time.perf_counter() - began)
    speeds = {f"{name}_mb_per_second": megabytes / median(times) for name, times in took.items()}
    ratios = {
        f"{name}_ratio": median(their / our for our, their in zip(took[name], took[f"pyrage_{name}"], strict=True))
        for name in ("seal", "open")
    }
    return speeds | ratios

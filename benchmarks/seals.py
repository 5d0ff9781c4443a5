"""Sealing and opening beside pyrage, the age implementation in Rust: the same bytes, by turns."""

import io
import os
import time
from collections.abc import Callable, Iterator
from statistics import median

import pyrage  # type: ignore[import-untyped]

from pipeline.edges.sealing import RecipientKind, new_identity, open_blocks, open_sealed, seal, seal_blocks

BLOCK_BYTES = 1 << 20


def run(megabytes: int, rounds: int) -> dict[str, float]:
    """Megabytes a second of each, and how many times faster ours is. Each has opened what the other sealed.

    At once, and by blocks, as what does not fit into memory is sealed; pyrage has no hybrid keys to compare with.
    """
    content, identity, hybrid = os.urandom(megabytes * 1_000_000), new_identity(), new_identity(RecipientKind.HYBRID)
    theirs = pyrage.x25519.Identity.from_str(identity.secret)
    sealed, hybrid_sealed = seal(content, [identity.recipient]), seal(content, [hybrid.recipient])
    by_blocks = b"".join(seal_blocks(_blocks(content), [identity.recipient]))
    if not pyrage.decrypt(sealed, [theirs]) == pyrage.decrypt(by_blocks, [theirs]) == content:
        raise RuntimeError("pyrage does not open what we seal")
    foreign = pyrage.encrypt(content, [theirs.to_public()])
    if not open_sealed(foreign, identity) == b"".join(open_blocks(_blocks(foreign), identity)) == content:
        raise RuntimeError("we do not open what pyrage seals")
    if open_sealed(hybrid_sealed, hybrid) != content:
        raise RuntimeError("we do not open what we seal to a hybrid key")
    contenders: dict[str, Callable[[], object]] = {
        "seal": lambda: seal(content, [identity.recipient]),
        "pyrage_seal": lambda: pyrage.encrypt(content, [theirs.to_public()]),
        "open": lambda: open_sealed(sealed, identity),
        "pyrage_open": lambda: pyrage.decrypt(sealed, [theirs]),
        "seal_blocks": lambda: _size(seal_blocks(_blocks(content), [identity.recipient])),
        "pyrage_seal_blocks": lambda: pyrage.encrypt_io(io.BytesIO(content), io.BytesIO(), [theirs.to_public()]),
        "open_blocks": lambda: _size(open_blocks(_blocks(sealed), identity)),
        "pyrage_open_blocks": lambda: pyrage.decrypt_io(io.BytesIO(sealed), io.BytesIO(), [theirs]),
        "hybrid_seal": lambda: seal(content, [hybrid.recipient]),
        "hybrid_open": lambda: open_sealed(hybrid_sealed, hybrid),
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
        for name in ("seal", "open", "seal_blocks", "open_blocks")
    }
    return speeds | ratios


def _blocks(content: bytes) -> Iterator[memoryview]:
    view = memoryview(content)
    return (view[at : at + BLOCK_BYTES] for at in range(0, len(view), BLOCK_BYTES))


def _size(blocks: Iterator[bytes]) -> int:
    return sum(map(len, blocks))

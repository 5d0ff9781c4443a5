"""Where do the hashes of the ledger lie, so that anybody can make any proof from a few small objects?

C2SP tlog-tiles: the tree is cut into tiles of 256 hashes, 8 levels high. `tile/<level>/<number>` is a full one, and
`tile/<level>/<number>.p/<width>` what it was when it held `width` hashes. `tile/entries/...` hold the leaves in the same
way: each is two bytes of length (big-endian) and the entry's digest. Every tile is write-once.

The tiles of each size are a function of the leaves alone: whoever writes them, in whatever order, writes the same.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.core.errors import Code, Conflict
from pipeline.core.merkle import HASH_BYTES, leaf_hash, root_over
from pipeline.edges.storage import Store

WIDTH = 256
_BITS = 8
_ENTRIES = "entries"
_BUNDLED = HASH_BYTES.to_bytes(2, "big")
_PLACE = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<above>(?:x[0-9]{3}/)*)(?P<last>[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: all that is needed of its tiles to write those of the next size."""

    size: int = 0
    leaves: tuple[bytes, ...] = ()
    rows: tuple[tuple[bytes, ...], ...] = ()
    """Of each level, from 0, the hashes of its last tile where that is not full."""

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        below: tuple[bytes, ...] = ()
        for row in self.rows:
            hashes = row + below
            below = (root_over(hashes),) if hashes else ()
        return root_over(below)

    def grown(self, leaf: bytes) -> tuple["Edge", dict[str, bytes]]:
        """The edge of the tree with one leaf more, and the tiles that are new by it, each under its key."""
        leaves, rows = (*self.leaves, leaf), list(self.rows)
        tiles = {tile_key(_ENTRIES, self.size // WIDTH, len(leaves)): b"".join(_BUNDLED + one for one in leaves)}
        if len(leaves) == WIDTH:
            leaves = ()
        rising, level = leaf_hash(leaf), 0
        while True:
            rows += [()] * (level == len(rows))
            row = (*rows[level], rising)
            tiles[tile_key(level, self.size >> _BITS * (level + 1), len(row))] = b"".join(row)
            if len(row) < WIDTH:
                rows[level] = row
                return Edge(self.size + 1, leaves, tuple(rows)), tiles
            rows[level], rising, level = (), root_over(row), level + 1


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles of the tree of `size` leaves in a store; each is read once. What they say nobody has verified yet."""

    store: Store
    size: int
    _read: dict[tuple[int, int], tuple[bytes, ...]] = field(default_factory=dict)

    def node(self, level: int, index: int) -> bytes:
        """The hash of a perfect subtree: a `pipeline.core.merkle.Node`."""
        row, height = divmod(level, _BITS)
        number, start = divmod(index << height, WIDTH)
        return root_over(self._tile(row, number)[start : start + (1 << height)])

    def edge(self) -> Edge:
        """The right edge of the tree, whose leaves hash to what its tiles say."""
        rows: list[tuple[bytes, ...]] = []
        while width := self.size >> _BITS * len(rows):
            number, last = divmod(width, WIDTH)
            rows.append(self._tile(len(rows), number) if last else ())
        leaves = self._bundle()
        if leaves and tuple(map(leaf_hash, leaves)) != rows[0]:
            raise altered(
                f"the leaves in {tile_key(_ENTRIES, self.size // WIDTH, len(leaves))} are not those of the tree"
            )
        return Edge(self.size, leaves, tuple(rows))

    def _tile(self, row: int, number: int) -> tuple[bytes, ...]:
        if (row, number) not in self._read:
            width = min(WIDTH, (self.size >> _BITS * row) - number * WIDTH)
            content = self._content(tile_key(row, number, width), width * HASH_BYTES)
            self._read[row, number] = _cut(content, HASH_BYTES)
        return self._read[row, number]

    def _bundle(self) -> tuple[bytes, ...]:
        number, width = divmod(self.size, WIDTH)
        if not width:
            return ()
        content = self._content(tile_key(_ENTRIES, number, width), width * (HASH_BYTES + len(_BUNDLED)))
        return tuple(one[len(_BUNDLED) :] for one in _cut(content, HASH_BYTES + len(_BUNDLED)))

    def _content(self, key: str, length: int) -> bytes:
        content = self.store.find(key)
        if content is None or len(content) != length:
            raise altered(f"{key} {'is missing' if content is None else 'has another length'}")
        return content


def tile_key(level: int | str, number: int, width: int) -> str:
    """Where the tile lies that holds `width` hashes, or leaves for the level "entries"."""
    digits = f"{number:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def size_of_tile(key: str) -> int | None:
    """The first size of a ledger that has this tile; None where the key is no tile's."""
    found = _PLACE.fullmatch(key)
    if found is None:
        return None
    number = int((found["above"] + found["last"]).replace("x", "").replace("/", ""))
    width = int(found["width"] or WIDTH)
    level = found["level"] if found["level"] == _ENTRIES else int(found["level"])
    if key != tile_key(level, number, width) or width > WIDTH:
        return None
    return (number * WIDTH + width) << (0 if isinstance(level, str) else _BITS * level)


def first_missing(exists: Callable[[int], bool], known: int) -> int:
    """A number that is missing right behind one that exists, by doubling steps from `known` and halving back."""
    low, step = known, 1
    while exists(low + step - 1):
        low, step = low + step, step * 2
    high = low + step - 1
    while low < high:
        middle = (low + high) // 2
        if exists(middle):
            low = middle + 1
        else:
            high = middle
    return low


def altered(what: str) -> Conflict:
    """The error for a ledger that is not what was written."""
    return Conflict(
        Code.OBJECT_ALTERED,
        f"The ledger was changed by hand: {what}.",
        next_step="Stop releasing, keep the store as it is, and compare it with a backup.",
    )


def _cut(content: bytes, length: int) -> tuple[bytes, ...]:
    return tuple(content[at : at + length] for at in range(0, len(content), length))

"""Is an entry in the log, and is a longer log the same log? The Merkle tree of RFC 6962 section 2.1, over SHA-256.

A tree is told by its perfect subtrees alone: `Node(level, index)` is the hash over the 2**level leaves from
index * 2**level on. Whoever has these (the ledger's tiles, or leaf hashes in a list) can make every root and every proof;
whoever has a proof and a root needs nothing else.

Proofs are lists of hashes in the order of RFC 6962, from the leaf up. They are checked as RFC 9162 sections 2.1.3.2 and
2.1.4.2 say, where each hash has exactly one place: a proof with one too many or too few is no proof.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

Node: TypeAlias = Callable[[int, int], bytes]
"""(level, index): the hash of a perfect subtree."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf: no inner node can have it, since their first byte differs."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_over(hashes: Sequence[bytes]) -> bytes:
    """The root over subtrees of one size, side by side, of which the last may be smaller."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        paired = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        row = paired + row[len(paired) * 2 :]  # an odd last one rises as it is
    return row[0]


def root(size: int, node: Node) -> bytes:
    """The root over the first `size` leaves."""
    return _span(0, size, node) if size else EMPTY_ROOT


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """The proof that the leaf `index` is among the first `size`. ValueError where it can't be."""
    if not 0 <= index < size:
        raise ValueError("no leaf of the tree has this index")
    return _path(index, 0, size, node)


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """The proof that the first `old` of `new` leaves are what they were. ValueError where `new` is smaller."""
    if not 0 <= old <= new:
        raise ValueError("a tree does not shrink")
    return _subproof(old, 0, new, node, whole=True) if 0 < old < new else []


def root_by_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root of the tree of `size` leaves in which `leaf` (a hash) is at `index`, if the proof is one.

    ValueError where the proof has another length than a proof of this index has.
    """
    if not 0 <= index < size:
        raise ValueError("no leaf of the tree has this index")
    here, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ValueError("the proof is too long")
        if here & 1 or here == last:
            found = node_hash(sibling, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return found


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """The tree of `new` leaves with this root begins with the tree of `old` leaves. ValueError where it does not."""
    if not 0 <= old <= new:
        raise ValueError("a tree does not shrink")
    if old in (0, new):
        if proof or old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise ValueError("trees of one size have one root, and no proof")
        return
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    # An `old` that is a power of two is itself the first node of the path, and not repeated in the proof.
    hashes = list(proof) if here else [old_root, *proof]
    if not hashes:
        raise ValueError("the proof is too short")
    first, second = hashes[0], hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ValueError("the proof is too long")
        if here & 1 or here == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        here, last = here >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise ValueError("the longer tree is not the shorter one, continued")


def nodes_of(leaves: Sequence[bytes]) -> Node:
    """The perfect subtrees over a list of leaf hashes."""

    def node(level: int, index: int) -> bytes:
        start = index << level
        if not 0 <= start <= len(leaves) - (1 << level):
            raise IndexError("no perfect subtree is there")
        return root_over(leaves[start : start + (1 << level)])

    return node


def _span(start: int, end: int, node: Node) -> bytes:
    """MTH(D[start:end])."""
    length = end - start
    if length & (length - 1) == 0:
        return node(length.bit_length() - 1, start // length)
    middle = start + _split(length)
    return node_hash(_span(start, middle, node), _span(middle, end, node))


def _path(index: int, start: int, end: int, node: Node) -> list[bytes]:
    """PATH(index - start, D[start:end])."""
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, node), _span(middle, end, node)]
    return [*_path(index, middle, end, node), _span(start, middle, node)]


def _subproof(old: int, start: int, end: int, node: Node, *, whole: bool) -> list[bytes]:
    """SUBPROOF(old - start, D[start:end], whole)."""
    if old == end:
        return [] if whole else [_span(start, end, node)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, node, whole=whole), _span(middle, end, node)]
    return [*_subproof(old, middle, end, node, whole=False), _span(start, middle, node)]


def _split(length: int) -> int:
    """The largest power of two below `length`, which is 2 or more."""
    return 1 << ((length - 1).bit_length() - 1)

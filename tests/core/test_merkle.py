"""Roots and proofs: those that others have published, those that another implementation makes, and no others."""

from itertools import pairwise

import pymerkle  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.merkle import (
    EMPTY_ROOT,
    check_consistency,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    nodes_of,
    root,
    root_by_inclusion,
    root_over,
)

# Published with Certificate Transparency, RFC 6962; taken from github.com/transparency-dev/merkle, Apache 2.0:
# testonly/constants.go (inputs, roots) and proof/verify_test.go (proofs; their leaves count from 1).
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSIONS: list[tuple[int, int, list[str]]] = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCIES: list[tuple[int, int, list[str]]] = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]
PUBLISHED = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
PUBLISHED_NODE = nodes_of(PUBLISHED)

LARGEST = 600
"""Beyond two tiles, where a tile is 256 wide."""

LEAVES = [leaf_hash(b"%d" % number) for number in range(LARGEST)]
NODE = nodes_of(LEAVES)
SIZES = st.integers(0, LARGEST)


# What others have published


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_the_published_ones(size: int) -> None:
    assert root(size, PUBLISHED_NODE).hex() == ROOTS[size]
    assert root_over(PUBLISHED[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSIONS)
def test_the_inclusion_proofs_are_the_published_ones(index: int, size: int, proof: list[str]) -> None:
    made = inclusion(index, size, PUBLISHED_NODE)
    assert [one.hex() for one in made] == proof
    assert root_by_inclusion(index, size, PUBLISHED[index], made).hex() == ROOTS[size]


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCIES)
def test_the_consistency_proofs_are_the_published_ones(old: int, new: int, proof: list[str]) -> None:
    made = consistency(old, new, PUBLISHED_NODE)
    assert [one.hex() for one in made] == proof
    check_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), made)


# What another implementation makes


@pytest.fixture(scope="module")
def oracle() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(LARGEST):
        tree.append(b"%d" % number)
    return tree


@settings(deadline=None)
@given(st.integers(1, LARGEST))
def test_roots_are_those_of_another_implementation(oracle: pymerkle.InmemoryTree, size: int) -> None:
    assert root(size, NODE) == oracle.get_state(size)


@settings(deadline=None)
@given(st.data())
def test_inclusion_proofs_are_those_of_another_implementation(
    oracle: pymerkle.InmemoryTree, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    theirs = oracle.prove_inclusion(index + 1, size)
    pymerkle.verify_inclusion(LEAVES[index], root(size, NODE), theirs)
    # Their path has the leaf in its place as well.
    assert [one for one in theirs.path if one != LEAVES[index]] == inclusion(index, size, NODE)


@settings(deadline=None)
@given(st.data())
def test_consistency_is_proven_between_the_roots_of_another_implementation(
    oracle: pymerkle.InmemoryTree, data: st.DataObject
) -> None:
    new = data.draw(st.integers(2, LARGEST))
    old = data.draw(st.integers(1, new - 1))
    theirs = oracle.prove_consistency(old, new)
    pymerkle.verify_consistency(root(old, NODE), root(new, NODE), theirs)
    check_consistency(old, new, oracle.get_state(old), oracle.get_state(new), consistency(old, new, NODE))


# Laws


@given(SIZES)
def test_both_ways_to_a_root_lead_to_one(size: int) -> None:
    assert root(size, NODE) == root_over(LEAVES[:size])


@settings(deadline=None)
@given(st.data())
def test_what_is_included_is_proven_and_nothing_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    top, proof = root(size, NODE), inclusion(index, size, NODE)
    assert root_by_inclusion(index, size, LEAVES[index], proof) == top
    assert len(proof) <= (size - 1).bit_length()
    if other != index:
        assert not leads(other, size, LEAVES[index], proof, top)
        assert not leads(index, size, LEAVES[other], proof, top)
    for wrong in spoilt(data, proof):
        assert not leads(index, size, LEAVES[index], wrong, top)


@settings(deadline=None)
@given(st.data())
def test_a_tree_that_grew_is_proven_and_no_other(data: st.DataObject) -> None:
    new = data.draw(SIZES)
    old, other = data.draw(st.integers(0, new)), data.draw(st.integers(0, new))
    before, after = root(old, NODE), root(new, NODE)
    proof = consistency(old, new, NODE)
    check_consistency(old, new, before, after, proof)
    if other != old:
        assert not grew(other, new, before, after, proof)
    if old:
        assert not grew(old, new, flipped(before), after, proof)
    if 0 < old < new:
        assert not grew(old, new, before, flipped(after), proof)
    for wrong in spoilt(data, proof):
        assert not grew(old, new, before, after, wrong)


@given(st.lists(st.binary(max_size=40), max_size=20), st.lists(st.binary(max_size=40), max_size=20))
def test_two_lists_with_one_root_are_one_list(one: list[bytes], two: list[bytes]) -> None:
    roots = [root_over([leaf_hash(content) for content in contents]) for contents in (one, two)]
    assert (roots[0] == roots[1]) == (one == two)


def test_a_leaf_is_never_taken_for_an_inner_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)
    assert root_over([]) == EMPTY_ROOT != leaf_hash(b"")


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion(index, size, NODE)
    with pytest.raises(ValueError, match="no leaf"):
        root_by_inclusion(index, size, LEAVES[0], [])


def test_a_proof_has_one_length() -> None:
    proof = inclusion(3, 10, NODE)
    for wrong, why in [([*proof, LEAVES[0]], "too long"), (proof[:-1], "too short"), ([], "too short")]:
        with pytest.raises(ValueError, match=why):
            root_by_inclusion(3, 10, LEAVES[3], wrong)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 1)])
def test_there_is_no_proof_that_a_tree_shrank(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="shrink"):
        consistency(old, new, NODE)
    with pytest.raises(ValueError, match="shrink"):
        check_consistency(old, new, LEAVES[0], LEAVES[0], [])


def test_nodes_that_are_not_there_are_not_made_up() -> None:
    for level, index in [(0, LARGEST), (10, 0), (0, -1)]:
        with pytest.raises(IndexError):
            NODE(level, index)


def leads(index: int, size: int, leaf: bytes, proof: list[bytes], top: bytes) -> bool:
    try:
        return root_by_inclusion(index, size, leaf, proof) == top
    except ValueError:
        return False


def grew(old: int, new: int, before: bytes, after: bytes, proof: list[bytes]) -> bool:
    try:
        check_consistency(old, new, before, after, proof)
    except ValueError:
        return False
    return True


def flipped(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def spoilt(data: st.DataObject, proof: list[bytes]) -> list[list[bytes]]:
    """The proof with a hash too many, one too few, a flipped bit, or two hashes in each other's place."""
    wrong = [[*proof, LEAVES[0]], [LEAVES[0], *proof]]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        wrong += [proof[:-1], proof[1:], [*proof[:at], flipped(proof[at]), *proof[at + 1 :]]]
    for at, (one, two) in enumerate(pairwise(proof)):
        wrong.append([*proof[:at], two, one, *proof[at + 2 :]])
    return wrong

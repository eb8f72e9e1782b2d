"""Tree and proofs against RFC 9162 as it is written, for all sizes and random forgeries."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.ledger import (
    Frontier,
    ProofRejected,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def node(left, right):
    return sha256(b"\x01" + left + right).digest()


def textbook_root(leaves):
    """Section 2.1.1, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(textbook_root(leaves[:k]), textbook_root(leaves[k:]))


def textbook_path(m, leaves):
    """PATH(m, D_n), section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*textbook_path(m, leaves[:k]), textbook_root(leaves[k:])]
    return [*textbook_path(m - k, leaves[k:]), textbook_root(leaves[:k])]


def textbook_subproof(m, leaves, whole):
    """SUBPROOF(m, D_n, b), section 2.1.4.1."""
    n = len(leaves)
    if m == n:
        return [] if whole else [textbook_root(leaves)]
    k = split(n)
    if m <= k:
        return [*textbook_subproof(m, leaves[:k], whole), textbook_root(leaves[k:])]
    return [*textbook_subproof(m - k, leaves[k:], False), textbook_root(leaves[:k])]


LEAVES = [sha256(str(n).encode()).digest() for n in range(70)]
ROOTS = [textbook_root(LEAVES[:n]) for n in range(71)]


def test_roots_of_all_sizes_are_those_of_the_textbook_as_the_frontier_grows():
    frontier = Frontier()
    assert frontier.root() == ROOTS[0]
    for size, leaf in enumerate(LEAVES, 1):
        frontier.append(leaf)
        assert frontier.root() == ROOTS[size]
        assert len(frontier.nodes) == size.bit_count()


def test_every_inclusion_proof_up_to_70_leaves_is_that_of_the_textbook_and_holds():
    for size in range(1, 71):
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            assert list(proof) == textbook_path(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


def test_every_consistency_proof_up_to_70_leaves_is_that_of_the_textbook_and_holds():
    for size in range(1, 71):
        for old in range(1, size + 1):
            proof = consistency_proof(LEAVES[:size], old)
            assert list(proof) == textbook_subproof(old, LEAVES[:size], True)
            verify_consistency(old, ROOTS[old], size, ROOTS[size], proof)


def test_everything_continues_the_empty_tree_and_nothing_else_does():
    verify_consistency(0, ROOTS[0], 5, ROOTS[5], ())
    with pytest.raises(ProofRejected):
        verify_consistency(0, ROOTS[1], 5, ROOTS[5], ())
    with pytest.raises(ProofRejected):
        verify_consistency(5, ROOTS[5], 4, ROOTS[4], ())


@st.composite
def inclusion_claims(draw):
    size = draw(st.integers(1, 70))
    index = draw(st.integers(0, size - 1))
    return size, index, list(inclusion_proof(LEAVES[:size], index))


hashes = st.binary(min_size=32, max_size=32)


@given(inclusion_claims(), st.data())
def test_an_inclusion_proof_with_anything_changed_is_rejected(claim, data):
    size, index, proof = claim
    leaf, root = LEAVES[index], ROOTS[size]
    kind = data.draw(st.sampled_from(["leaf", "index", "root", "longer", "shorter", "node"]))
    if kind == "leaf":
        leaf = data.draw(hashes.filter(lambda other: other != leaf))
    elif kind == "index":
        index = data.draw(st.integers(-1, 71).filter(lambda other: other != index))
    elif kind == "root":
        root = data.draw(hashes.filter(lambda other: other != root))
    elif kind == "longer":
        proof.insert(data.draw(st.integers(0, len(proof))), data.draw(hashes))
    elif kind == "shorter" and proof:
        del proof[data.draw(st.integers(0, len(proof) - 1))]
    elif kind == "node" and proof:
        proof[data.draw(st.integers(0, len(proof) - 1))] = data.draw(hashes)
    else:
        leaf = bytes(32)
    with pytest.raises(ProofRejected):
        verify_inclusion(leaf, index, size, proof, root)


@given(st.integers(1, 70), st.data())
def test_a_consistency_proof_with_anything_changed_is_rejected(size, data):
    old = data.draw(st.integers(1, size))
    proof = list(consistency_proof(LEAVES[:size], old))
    old_root, new_root = ROOTS[old], ROOTS[size]
    kind = data.draw(st.sampled_from(["old root", "new root", "longer", "shorter", "node"]))
    if kind == "old root":
        old_root = data.draw(hashes.filter(lambda other: other != old_root))
    elif kind == "new root":
        new_root = data.draw(hashes.filter(lambda other: other != new_root))
    elif kind == "longer":
        proof.insert(data.draw(st.integers(0, len(proof))), data.draw(hashes))
    elif kind == "shorter" and proof:
        del proof[data.draw(st.integers(0, len(proof) - 1))]
    elif kind == "node" and proof:
        proof[data.draw(st.integers(0, len(proof) - 1))] = data.draw(hashes)
    else:
        old_root = bytes(32)
    with pytest.raises(ProofRejected):
        verify_consistency(old, old_root, size, new_root, proof)


@given(st.lists(hashes, max_size=40), st.integers(0, 40))
def test_a_frontier_can_be_put_away_and_taken_up_again(leaves, cut):
    first = Frontier.of(leaves[:cut])
    again = Frontier(first.size, first.nodes)
    for leaf in leaves[cut:]:
        again.append(leaf)
    assert again.root() == textbook_root(leaves)
    assert first.root() == textbook_root(leaves[:cut])

"""The tree against the published examples; the properties stand in tests/property."""

from __future__ import annotations

import pytest

from trialwright.ledger import (
    EMPTY_ROOT,
    Frontier,
    ProofRejected,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and the roots of every size that the Certificate Transparency reference implementations test
# against (github.com/google/certificate-transparency, merkletree tests; Apache-2.0).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(body) for body in INPUTS]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_root_of_each_size_is_the_published_one(size):
    assert Frontier.of(LEAVES[:size]).root().hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert Frontier().root() == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_published_inclusion_proof_is_made_and_accepted():
    """Leaf 0 of 8, from the same reference tests."""
    proof = inclusion_proof(LEAVES, 0)
    assert [node.hex() for node in proof] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    verify_inclusion(LEAVES[0], 0, 8, proof, bytes.fromhex(ROOTS[7]))


def test_a_published_consistency_proof_is_made_and_accepted():
    """From 6 to 8 leaves, from the same reference tests."""
    proof = consistency_proof(LEAVES, 6)
    assert [node.hex() for node in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    verify_consistency(6, bytes.fromhex(ROOTS[5]), 8, bytes.fromhex(ROOTS[7]), proof)


def test_a_witness_refuses_a_tree_that_does_not_continue_its_own():
    other = [leaf_hash(b"other"), *LEAVES[1:]]
    proof = consistency_proof(other, 6)
    with pytest.raises(ProofRejected):
        verify_consistency(6, Frontier.of(LEAVES[:6]).root(), 8, Frontier.of(other).root(), proof)


@pytest.mark.parametrize("index", [-1, 8])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index):
    with pytest.raises(ProofRejected):
        inclusion_proof(LEAVES, index)


@pytest.mark.parametrize("old_size", [0, -1, 9])
def test_there_is_no_consistency_proof_from_a_size_that_never_was(old_size):
    with pytest.raises(ProofRejected):
        consistency_proof(LEAVES, old_size)

"""The Merkle tree over a ledger's leaves: root, inclusion and consistency proofs (RFC 9162, section 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from trialwright.ledger.errors import ProofRejected

EMPTY_ROOT = sha256(b"").digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01, left and right."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of its full subtrees, largest first.

    ``size`` leaves need as many nodes as ``size`` has one-bits, so appending and asking for the root cost
    O(log n) whatever the size of the ledger.

    Args:
        size: leaves so far.
        nodes: roots of the full subtrees that the bits of ``size`` name, from the highest bit down.
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.nodes = list(nodes)

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Frontier:
        """The frontier after these leaf hashes."""
        frontier = cls()
        for leaf in leaves:
            frontier.append(leaf)
        return frontier

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        node, carry, nodes = leaf, self.size, self.nodes
        while carry & 1:
            node = sha256(b"\x01" + nodes.pop() + node).digest()
            carry >>= 1
        nodes.append(node)
        self.size += 1

    def copy(self) -> Frontier:
        """An independent frontier at the same size."""
        return Frontier(self.size, self.nodes)

    def root(self) -> bytes:
        """The tree head at the current size; SHA-256 of nothing for an empty tree."""
        if not self.nodes:
            return EMPTY_ROOT
        node = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            node = node_hash(left, node)
        return node


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes that lead from one leaf to the root of all ``leaves``.

    Args:
        leaves: leaf hashes of the whole tree.
        index: 0-based position of the leaf (an entry's ``seq`` - 1).

    Raises:
        ProofRejected: there is no such leaf.

    Source: RFC 9162, section 2.1.3.1.
    """
    if not 0 <= index < len(leaves):
        raise ProofRejected(
            f"a tree of {len(leaves)} leaves has no leaf {index}", remedy="ask for an entry that is covered"
        )
    path: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        split = low + _largest_power_below(high - low)
        if index < split:
            path.append(_root_of(leaves, split, high))
            high = split
        else:
            path.append(_root_of(leaves, low, split))
            low = split
    return tuple(reversed(path))


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """The hashes that show that the tree of the first ``old_size`` leaves is a beginning of the whole tree.

    Args:
        leaves: leaf hashes of the newer tree.
        old_size: 1 … ``len(leaves)``.

    Raises:
        ProofRejected: ``old_size`` is outside that range.

    Source: RFC 9162, section 2.1.4.1.
    """
    if not 1 <= old_size <= len(leaves):
        raise ProofRejected(
            f"no consistency proof from {old_size} to {len(leaves)} leaves", remedy="give an older checkpoint"
        )
    path: list[bytes] = []
    low, high, complete = 0, len(leaves), True
    while old_size != high:
        split = low + _largest_power_below(high - low)
        if old_size <= split:
            path.append(_root_of(leaves, split, high))
            high = split
        else:
            path.append(_root_of(leaves, low, split))
            low, complete = split, False
    if not complete:
        path.append(_root_of(leaves, low, high))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that ``leaf`` stands at 0-based ``index`` of the tree with ``size`` leaves and this ``root``.

    Raises:
        ProofRejected: it does not, or the proof has the wrong length.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise _rejected(f"leaf {index} lies outside a tree of {size}")
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise _rejected("the inclusion proof is too long")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    if last != 0 or node != root:
        raise _rejected(f"the inclusion proof of leaf {index} does not lead to the root")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree (``old_size``, ``old_root``) is a beginning of (``new_size``, ``new_root``).

    A witness keeps the newest checkpoint it accepted and takes another only with such a proof. Everything is
    consistent with the empty tree.

    Raises:
        ProofRejected: it is not, or the proof has the wrong length.

    Source: RFC 9162, section 2.1.4.2.
    """
    if not 0 <= old_size <= new_size:
        raise _rejected(f"the newer tree ({new_size}) is smaller than the older ({old_size})")
    if old_size in (0, new_size):
        expected = EMPTY_ROOT if old_size == 0 else new_root
        if proof or old_root != expected:
            raise _rejected(f"two different trees of {old_size} leaves")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise _rejected("the consistency proof is empty")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise _rejected("the consistency proof is too long")
        if position & 1 or position == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new_node = node_hash(new_node, sibling)
        position >>= 1
        last >>= 1
    if last != 0 or old_node != old_root or new_node != new_root:
        raise _rejected(f"the tree of {new_size} does not continue the tree of {old_size}")


def _rejected(message: str) -> ProofRejected:
    return ProofRejected(message, remedy="do not rely on the ledger before the difference is explained")


def _largest_power_below(count: int) -> int:
    """The largest power of two strictly below ``count`` (≥ 2)."""
    return 1 << (count - 1).bit_length() - 1


def _root_of(leaves: Sequence[bytes], low: int, high: int) -> bytes:
    return Frontier.of(leaves[position] for position in range(low, high)).root()

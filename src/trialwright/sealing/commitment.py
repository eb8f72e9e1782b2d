"""A commitment to rows: the Merkle root (RFC 9162, section 2.1.1) of salted leaves.

    leaf = SHA-256(0x00 ‖ "trialwright row 1" ‖ ledger, kind, stratum, position ‖ value ‖ salt)
    node = SHA-256(0x01 ‖ left ‖ right)

(parts of a leaf each after its length). The 16-byte salt hides the value: without it two hashes per row would
find every allocation.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trialwright.sealing.encoding import joined
from trialwright.sealing.errors import CommitmentMismatch
from trialwright.sealing.places import Place

SALT = 16


@dataclass(frozen=True)
class Row:
    """A row of a list in the clear; exists in the closed space or after unblinding.

    Args:
        place: ledger, kind, stratum and position.
        value: the label, or the number of a stream in decimal digits.
        salt: 16 bytes.
    """

    place: Place
    value: str = field(repr=False)
    salt: bytes = field(repr=False)


def commitment_root(rows: Sequence[Row]) -> bytes:
    """32 bytes that commit to the rows and their order; SHA-256 of nothing for no rows."""
    return _root([_leaf(row) for row in rows])


def verify_commitment(
    rows: Sequence[Row], root: bytes, *, commit: Callable[[Sequence[Row]], bytes] = commitment_root
) -> None:
    """Check that these are the rows that were committed to, in their order.

    Args:
        rows: all rows, with their salts.
        root: what was published before the first use.
        commit: the sealer's own way to commit (see :class:`Sealer`).

    Raises:
        CommitmentMismatch: a row, a salt, the order or the number of rows differs.
    """
    found = commit(rows)
    if not hmac.compare_digest(found, root):
        raise CommitmentMismatch(
            f"the {len(rows)} rows shown do not give the root that was committed to",
            remedy="stop; compare rows and salts with the sealed list and the site's checkpoint",
            committed=root.hex(),
            found=found.hex(),
        )


def _leaf(row: Row) -> bytes:
    parts = joined("trialwright row 1", row.place.context, row.value, row.salt)
    return hashlib.sha256(b"\x00" + parts).digest()


def _root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    # The left subtree holds the largest power of two below the number of leaves.
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()
